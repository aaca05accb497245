#include "optimiser_steps.h"

#include <stddef.h>

#include "elementwise_math.h"

CK_CLONES void ck_adamw(const ck_adamw_step *step, float *p, const float *g, float *m, float *v, int64_t n) {
    float beta1 = step->beta1, beta2 = step->beta2, keep = 1 - step->rate * step->decay, epsilon = step->epsilon;
    float pace = step->rate / step->correction1, inverse = 1 / sqrtf(step->correction2);
    for (int64_t i = 0; i < n; i++) {
        float mean = beta1 * m[i] + (1 - beta1) * g[i];
        float square = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        m[i] = mean;
        v[i] = square;
        p[i] = keep * p[i] - pace * mean / (sqrtf(square) * inverse + epsilon);
    }
}

CK_CLONES void ck_sgd(float rate, float decay, float momentum, int nesterov, float *p, const float *g, float *m, int64_t n) {
    if (!m) {
        for (int64_t i = 0; i < n; i++) p[i] -= rate * (g[i] + decay * p[i]);
        return;
    }
    float ahead = nesterov ? 1.0f : 0.0f, share = nesterov ? momentum : 1.0f;
    for (int64_t i = 0; i < n; i++) {
        float d = g[i] + decay * p[i];
        float mean = momentum * m[i] + d;
        m[i] = mean;
        p[i] -= rate * (ahead * d + share * mean);
    }
}

CK_CLONES void ck_lion(
    float rate, float decay, float beta1, float beta2, float *p, const float *g, float *m, int64_t n) {
    float keep = 1 - rate * decay;
    for (int64_t i = 0; i < n; i++) {
        float blend = beta1 * m[i] + (1 - beta1) * g[i];
        float sign = blend > 0 ? 1.0f : (blend < 0 ? -1.0f : 0.0f);
        p[i] = keep * p[i] - rate * sign;
        m[i] = beta2 * m[i] + (1 - beta2) * g[i];
    }
}
