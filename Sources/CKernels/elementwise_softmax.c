#include "elementwise.h"
#include "elementwise_math.h"

// y = e^(x - shift), and its sum.
CK_INLINE float exp_row(const float *x, float shift, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = exp_below(x[i] - shift);
    return sum_of(y, n);
}

// Σ e^(x - shift) without keeping the terms.
CK_INLINE float exp_sum(const float *x, float shift, int64_t n) {
    float buffer[256];
    float total = 0;
    for (int64_t i = 0; i < n; i += 256) total += exp_row(x + i, shift, buffer, n - i < 256 ? n - i : 256);
    return total;
}

CK_CLONES void ck_softmax(const float *x, float *y, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * width;
        float *out = y + r * width;
        float inverse = 1.0f / exp_row(in, max_of(in, width), out, width);
        for (int64_t i = 0; i < width; i++) out[i] *= inverse;
    }
}

CK_CLONES void ck_softmax_backward(const float *y, const float *dy, float *dx, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *p = y + r * width, *d = dy + r * width;
        float *out = dx + r * width;
        float along = dot(p, d, width);
        for (int64_t i = 0; i < width; i++) out[i] = p[i] * (d[i] - along);
    }
}

CK_CLONES void ck_log_softmax(const float *x, float *y, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * width;
        float *out = y + r * width;
        float top = max_of(in, width);
        float normaliser = top + logf(exp_sum(in, top, width));
        for (int64_t i = 0; i < width; i++) out[i] = in[i] - normaliser;
    }
}

CK_CLONES void ck_log_softmax_backward(const float *y, const float *dy, float *dx, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *in = y + r * width, *d = dy + r * width;
        float *out = dx + r * width;
        float total = sum_of(d, width);
        for (int64_t i = 0; i < width; i++) out[i] = d[i] - exp_below(in[i]) * total;
    }
}

// MARK: The log-probability of one class

CK_CLONES void ck_log_probability(
    const float *x, const int32_t *targets, float *y, float *normaliser, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * width;
        if (targets[r] < 0) {
            y[r] = 0;
            if (normaliser) normaliser[r] = 0;
            continue;
        }
        float top = max_of(in, width);
        float value = top + logf(exp_sum(in, top, width));
        if (normaliser) normaliser[r] = value;
        y[r] = in[targets[r]] - value;
    }
}

CK_CLONES void ck_log_probability_backward(
    const float *x, const int32_t *targets, const float *normaliser, const float *dy, float *dx, int64_t rows,
    int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * width;
        float *out = dx + r * width;
        float weight = targets[r] < 0 ? 0.0f : dy[r];
        if (weight == 0) {
            memset(out, 0, (size_t)width * sizeof *out);
            continue;
        }
        float shift = normaliser[r];
        for (int64_t i = 0; i < width; i++) out[i] = -weight * exp_below(in[i] - shift);
        out[targets[r]] += weight;
    }
}

CK_CLONES void ck_log_probability_backward_bf16(
    const float *x, const int32_t *targets, const float *normaliser, const float *dy, uint16_t *dx, int64_t rows,
    int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *in = x + r * width;
        uint16_t *out = dx + r * width;
        float weight = targets[r] < 0 ? 0.0f : dy[r];
        if (weight == 0) {
            memset(out, 0, (size_t)width * sizeof *out);
            continue;
        }
        float shift = normaliser[r];
        for (int64_t i = 0; i < width; i++) out[i] = to_bf16(-weight * exp_below(in[i] - shift));
        out[targets[r]] = to_bf16(weight - weight * exp_below(in[targets[r]] - shift));
    }
}
