#include "ck_rows.h"
#include "ck_vector.h"

#include <math.h>

CK_CLONES static float row_maximum(const float *x, int64_t count) {
    float lanes[64];
    for (int i = 0; i < 64; i++) lanes[i] = -INFINITY;
    int64_t whole = count & ~(int64_t)63;
    for (int64_t i = 0; i < whole; i += 64) {
        for (int lane = 0; lane < 64; lane++) lanes[lane] = x[i + lane] > lanes[lane] ? x[i + lane] : lanes[lane];
    }
    float largest = -INFINITY;
    for (int lane = 0; lane < 64; lane++) largest = lanes[lane] > largest ? lanes[lane] : largest;
    for (int64_t i = whole; i < count; i++) largest = x[i] > largest ? x[i] : largest;
    return largest;
}

int64_t ck_argmax(const float *x, int64_t count) {
    // The stretch with the first largest value, then its place there.
    enum { STRETCH = 1024 };
    float largest = -INFINITY;
    int64_t best = 0;
    for (int64_t start = 0; start < count; start += STRETCH) {
        float most = row_maximum(x + start, count - start < STRETCH ? count - start : STRETCH);
        if (most > largest) {
            largest = most;
            best = start;
        }
    }
    if (largest == -INFINITY) return 0;
    while (x[best] != largest) best++;
    return best;
}

CK_CLONES static float exp_sum(const float *x, int64_t count, float shift) {
    float lanes[64] = {0};
    int64_t whole = count & ~(int64_t)63;
    for (int64_t i = 0; i < whole; i += 64) {
        for (int lane = 0; lane < 64; lane++) {
            float d = x[i + lane] - shift;
            lanes[lane] += d < -87 ? 0 : ck_exp(d);
        }
    }
    double total = 0;
    for (int lane = 0; lane < 64; lane++) total += lanes[lane];
    for (int64_t i = whole; i < count; i++) total += x[i] - shift < -87 ? 0 : ck_exp(x[i] - shift);
    return (float)total;
}

float ck_log_sum_exp(const float *x, int64_t count) {
    float largest = row_maximum(x, count);
    if (!isfinite(largest)) return largest;
    return largest + logf(exp_sum(x, count, largest));
}

CK_CLONES static void scaled_exp(const float *x, int64_t count, float shift, float scale, float *out) {
    for (int64_t i = 0; i < count; i++) {
        float d = x[i] - shift;
        out[i] = d < -87 ? 0 : ck_exp(d) * scale;
    }
}

void ck_softmax_row(const float *x, int64_t count, float *out) {
    float largest = row_maximum(x, count);
    if (!isfinite(largest)) largest = 0;
    float total = exp_sum(x, count, largest);
    scaled_exp(x, count, largest, 1 / total, out);
}

float ck_expf(float x) { return ck_exp(x); }
