#include "elementwise.h"
#include "elementwise_math.h"

CK_CLONES void ck_rms_norm(
    const float *x, int64_t x_row, const float *w, float w_shift, float eps, float *y, float *inverse, int64_t rows,
    int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * x_row;
        float *out = y + r * width;
        float s = 1.0f / sqrtf(dot(in, in, width) / (float)width + eps);
        if (inverse) inverse[r] = s;
        if (w) {
            for (int64_t i = 0; i < width; i++) out[i] = in[i] * s * (w[i] + w_shift);
        } else {
            for (int64_t i = 0; i < width; i++) out[i] = in[i] * s;
        }
    }
}

CK_CLONES void ck_rms_norm_backward(
    const float *x, const float *w, float w_shift, const float *inverse, const float *dy, float *dx, float *dw,
    int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * width, *d = dy + r * width;
        float s = inverse[r];
        if (dw) {
            for (int64_t i = 0; i < width; i++) dw[i] += d[i] * in[i] * s;
        }
        if (!dx) continue;
        float *out = dx + r * width;
        if (w) {
            for (int64_t i = 0; i < width; i++) out[i] = d[i] * (w[i] + w_shift);
        } else {
            for (int64_t i = 0; i < width; i++) out[i] = d[i];
        }
        // x̂ · mean(g · x̂) = x · s² · mean(g · x)
        float along = dot(out, in, width) / (float)width * s * s;
        for (int64_t i = 0; i < width; i++) out[i] = s * (out[i] - in[i] * along);
    }
}

CK_CLONES void ck_layer_norm(
    const float *x, const float *w, const float *b, float eps, float *y, float *mean, float *inverse, int64_t rows,
    int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * width;
        float *out = y + r * width;
        float mu = sum_of(in, width) / (float)width;
        for (int64_t i = 0; i < width; i++) out[i] = in[i] - mu;
        float s = 1.0f / sqrtf(dot(out, out, width) / (float)width + eps);
        if (mean) mean[r] = mu;
        if (inverse) inverse[r] = s;
        for (int64_t i = 0; i < width; i++) {
            float v = out[i] * s;
            v = w ? v * w[i] : v;
            out[i] = b ? v + b[i] : v;
        }
    }
}

CK_CLONES void ck_layer_norm_backward(
    const float *x, const float *w, const float *mean, const float *inverse, const float *dy, float *dx, float *dw,
    float *db, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * width, *d = dy + r * width;
        float s = inverse[r], mu = mean[r];
        if (dw) {
            for (int64_t i = 0; i < width; i++) dw[i] += d[i] * (in[i] - mu) * s;
        }
        if (db) {
            for (int64_t i = 0; i < width; i++) db[i] += d[i];
        }
        if (!dx) continue;
        float *out = dx + r * width;
        for (int64_t i = 0; i < width; i++) out[i] = w ? d[i] * w[i] : d[i];
        float average = sum_of(out, width) / (float)width;
        // Σ g x̂ = s (Σ g x - μ Σ g)
        float along = s * (dot(out, in, width) / (float)width - mu * average);
        for (int64_t i = 0; i < width; i++) out[i] = s * (out[i] - average - (in[i] - mu) * s * along);
    }
}
