#include "elementwise.h"
#include "elementwise_math.h"

// MARK: Two operands

#define BINARY(NAME, EXPRESSION)                                                                        \
    CK_CLONES static void NAME(const float *x, int xs, const float *y, int ys, float *z, int64_t n) {   \
        if (xs && ys) {                                                                                 \
            for (int64_t i = 0; i < n; i++) { float a = x[i], b = y[i]; z[i] = EXPRESSION; }            \
        } else if (xs) {                                                                                \
            float b = y[0];                                                                             \
            for (int64_t i = 0; i < n; i++) { float a = x[i]; z[i] = EXPRESSION; }                      \
        } else if (ys) {                                                                                \
            float a = x[0];                                                                             \
            for (int64_t i = 0; i < n; i++) { float b = y[i]; z[i] = EXPRESSION; }                      \
        } else {                                                                                        \
            float a = x[0], b = y[0], c = EXPRESSION;                                                   \
            for (int64_t i = 0; i < n; i++) z[i] = c;                                                   \
        }                                                                                               \
    }

BINARY(add, a + b)
BINARY(subtract, a - b)
BINARY(multiply, a *b)
BINARY(divide, a / b)
BINARY(maximum, a > b ? a : b)
BINARY(minimum, a < b ? a : b)

void ck_binary(ck_binary_op op, const float *x, int xs, const float *y, int ys, float *z, int64_t n) {
    switch (op) {
    case CK_ADD: add(x, xs, y, ys, z, n); break;
    case CK_SUBTRACT: subtract(x, xs, y, ys, z, n); break;
    case CK_MULTIPLY: multiply(x, xs, y, ys, z, n); break;
    case CK_DIVIDE: divide(x, xs, y, ys, z, n); break;
    case CK_MAXIMUM: maximum(x, xs, y, ys, z, n); break;
    case CK_MINIMUM: minimum(x, xs, y, ys, z, n); break;
    }
}

CK_CLONES void ck_choose_backward(
    ck_binary_op op, const float *x, const float *y, const float *dz, float *dx, int64_t n) {
    float sign = op == CK_MAXIMUM ? 1.0f : -1.0f;
    for (int64_t i = 0; i < n; i++) {
        float difference = sign * (x[i] - y[i]);
        float share = difference > 0 ? 1.0f : 0.0f;
        share = difference == 0 ? 0.5f : share;
        dx[i] = share * dz[i];
    }
}

CK_CLONES void ck_affine(const float *x, float scale, float shift, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = scale * x[i] + shift;
}

CK_CLONES void ck_accumulate(const float *x, float scale, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] += scale * x[i];
}

CK_CLONES void ck_clamp(const float *x, float low, float high, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        float v = x[i] < low ? low : x[i];
        y[i] = v > high ? high : v;
    }
}

CK_CLONES void ck_clamp_backward(const float *x, const float *dy, float low, float high, float *dx, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        float v = x[i] < low ? 0.0f : dy[i];
        dx[i] = x[i] > high ? 0.0f : v;
    }
}

CK_CLONES void ck_fill(float value, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = value;
}

// MARK: Reductions

CK_CLONES float ck_sum(const float *x, int64_t n) {
    // Blocks keep the error of long sums small.
    double total = 0;
    for (int64_t i = 0; i < n; i += 4096) total += sum_of(x + i, n - i < 4096 ? n - i : 4096);
    return (float)total;
}

CK_CLONES float ck_dot(const float *x, const float *y, int64_t n) {
    double total = 0;
    for (int64_t i = 0; i < n; i += 4096) total += dot(x + i, y + i, n - i < 4096 ? n - i : 4096);
    return (float)total;
}

CK_CLONES void ck_sum_axis(const float *x, float *y, int64_t outer, int64_t axis, int64_t inner) {
    for (int64_t o = 0; o < outer; o++) {
        const float *block = x + o * axis * inner;
        float *row = y + o * inner;
        if (inner == 1) {
            row[0] = (float)sum_of(block, axis);
            continue;
        }
        for (int64_t i = 0; i < inner; i++) row[i] = 0;
        for (int64_t a = 0; a < axis; a++) {
            const float *line = block + a * inner;
            for (int64_t i = 0; i < inner; i++) row[i] += line[i];
        }
    }
}

CK_CLONES void ck_max_rows(const float *x, float *y, int32_t *place, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        const float *row = x + r * width;
        float best = max_of(row, width);
        y[r] = best;
        if (!place) continue;
        int64_t i = 0;
        while (i < width && !(row[i] == best)) i++;
        place[r] = (int32_t)(i < width ? i : 0);
    }
}

// MARK: Dropout

CK_CLONES void ck_dropout(const float *x, float p, uint64_t seed, int64_t first, float *y, int64_t n) {
    uint32_t threshold = (uint32_t)((double)p * 4294967296.0 > 4294967295.0 ? 4294967295.0 : (double)p * 4294967296.0);
    float scale = p < 1 ? 1.0f / (1.0f - p) : 0.0f;
    for (int64_t i = 0; i < n; i++) {
        // Two rounds of a 64-bit mixer over the counter.
        uint64_t h = seed + (uint64_t)(first + i) * 0x9e3779b97f4a7c15ull;
        h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ull;
        h = (h ^ (h >> 27)) * 0x94d049bb133111ebull;
        h ^= h >> 31;
        y[i] = (uint32_t)(h >> 32) < threshold ? 0.0f : x[i] * scale;
    }
}

// MARK: Conversions

CK_CLONES void ck_f32_to_bf16(const float *x, uint16_t *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = to_bf16(x[i]);
}

CK_CLONES void ck_bf16_to_f32(const uint16_t *x, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) y[i] = from_bf16(x[i]);
}

CK_CLONES void ck_f32_to_f16(const float *x, uint16_t *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
        // Normal: rebias and round to even. Subnormal: let the adder of floats round at 2⁻²⁴.
        uint32_t normal = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
        float value, half = 0.5f;
        memcpy(&value, &magnitude, sizeof value);
        float shifted = value + half;
        uint32_t subnormal;
        memcpy(&subnormal, &shifted, sizeof subnormal);
        subnormal -= 0x3f000000u;
        uint32_t result = magnitude < 0x38800000u ? subnormal : normal;
        result = magnitude >= 0x477ff000u ? 0x7c00u : result;  // rounds past the largest half: infinity
        result = magnitude > 0x7f800000u ? 0x7e00u : result;
        y[i] = (uint16_t)(result | sign);
    }
}

CK_CLONES void ck_f16_to_f32(const uint16_t *x, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        uint32_t h = x[i], sign = (h & 0x8000u) << 16, magnitude = h & 0x7fffu;
        uint32_t normal = (magnitude << 13) + 0x38000000u;
        float scaled = (float)(int32_t)magnitude * 5.9604644775390625e-8f;  // 2⁻²⁴
        uint32_t subnormal;
        memcpy(&subnormal, &scaled, sizeof subnormal);
        uint32_t result = magnitude < 0x400u ? subnormal : normal;
        result = magnitude >= 0x7c00u ? (magnitude << 13) + 0x70000000u : result;
        result |= sign;
        memcpy(y + i, &result, sizeof result);
    }
}

// MARK: Transposes

enum { BLOCK = 16 };

#define TRANSPOSE(NAME, TYPE)                                                                                        \
    CK_CLONES void NAME(const TYPE *x, int64_t x_row, TYPE *y, int64_t y_row, int64_t rows, int64_t columns) {       \
        for (int64_t c0 = 0; c0 < columns; c0 += BLOCK) {                                                            \
            int64_t c1 = columns - c0 < BLOCK ? columns : c0 + BLOCK;                                                \
            for (int64_t r0 = 0; r0 < rows; r0 += BLOCK) {                                                           \
                int64_t r1 = rows - r0 < BLOCK ? rows : r0 + BLOCK;                                                  \
                for (int64_t c = c0; c < c1; c++) {                                                                  \
                    for (int64_t r = r0; r < r1; r++) y[c * y_row + r] = x[r * x_row + c];                           \
                }                                                                                                    \
            }                                                                                                        \
        }                                                                                                            \
    }

TRANSPOSE(ck_transpose_2, uint16_t)
TRANSPOSE(ck_transpose_4, uint32_t)
