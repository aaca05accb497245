#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

// What the elementwise kernels share: run-time dispatch, sixteen-lane vectors, and functions without branches that the
// compiler can vectorise.

// One body, compiled for each level of the instruction set; the loader picks the best one the processor has. On AArch64
// the baseline has NEON already.
#if defined(__x86_64__) && defined(__linux__)
#define CK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CK_CLONES
#endif

#define CK_INLINE static inline __attribute__((always_inline))

// Sums run over sixteen partial sums on every processor, so that their order does not depend on the vector's width.
// Macros, because a vector passed by value would bind the function to one instruction set.
typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef float f32x16_anywhere __attribute__((vector_size(64), aligned(4), may_alias));
typedef uint16_t u16x16_anywhere __attribute__((vector_size(32), aligned(2), may_alias));

#define load16(p) ((f32x16)(*(const f32x16_anywhere *)(p)))
#define load16_bf16(p) ((f32x16)(__builtin_convertvector(*(const u16x16_anywhere *)(p), u32x16) << 16))
#define store16(p, v) (*(f32x16_anywhere *)(p) = (v))

// Adds the lanes in a fixed order: halves, quarters, pairs.
CK_INLINE float sum16(const f32x16 *v) {
    f32x8 halves = __builtin_shufflevector(*v, *v, 0, 1, 2, 3, 4, 5, 6, 7) +
                   __builtin_shufflevector(*v, *v, 8, 9, 10, 11, 12, 13, 14, 15);
    f32x4 quarters = __builtin_shufflevector(halves, halves, 0, 1, 2, 3) +
                     __builtin_shufflevector(halves, halves, 4, 5, 6, 7);
    return (quarters[0] + quarters[2]) + (quarters[1] + quarters[3]);
}

CK_INLINE float max16(const f32x16 *v) {
    f32x8 halves = __builtin_elementwise_max(
        __builtin_shufflevector(*v, *v, 0, 1, 2, 3, 4, 5, 6, 7),
        __builtin_shufflevector(*v, *v, 8, 9, 10, 11, 12, 13, 14, 15));
    f32x4 quarters = __builtin_elementwise_max(
        __builtin_shufflevector(halves, halves, 0, 1, 2, 3), __builtin_shufflevector(halves, halves, 4, 5, 6, 7));
    float even = quarters[0] > quarters[2] ? quarters[0] : quarters[2];
    float odd = quarters[1] > quarters[3] ? quarters[1] : quarters[3];
    return even > odd ? even : odd;
}

CK_INLINE float dot(const float *x, const float *y, int64_t n) {
    f32x16 s0 = {0}, s1 = {0};
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 += load16(x + i) * load16(y + i);
        s1 += load16(x + i + 16) * load16(y + i + 16);
    }
    for (; i + 16 <= n; i += 16) s0 += load16(x + i) * load16(y + i);
    s0 += s1;
    float sum = sum16(&s0);
    for (; i < n; i++) sum += x[i] * y[i];
    return sum;
}

CK_INLINE float sum_of(const float *x, int64_t n) {
    f32x16 s = {0};
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) s += load16(x + i);
    float sum = sum16(&s);
    for (; i < n; i++) sum += x[i];
    return sum;
}

CK_INLINE float max_of(const float *x, int64_t n) {
    float best = -INFINITY;
    int64_t i = 0;
    if (n >= 16) {
        f32x16 m = load16(x);
        for (i = 16; i + 16 <= n; i += 16) m = __builtin_elementwise_max(m, load16(x + i));
        best = max16(&m);
    }
    for (; i < n; i++) best = x[i] > best ? x[i] : best;
    return best;
}

// eˣ for -87.3 <= x <= 88.7: 2ⁿ · eʳ with |r| <= ln 2 / 2, a polynomial of degree 6 for eʳ. Relative error below 2e-7.
CK_INLINE float exp_within(float x) {
    const float magic = 12582912.0f;  // 1.5 · 2²³: adding it rounds to the nearest integer
    float n = x * 1.44269504f + magic;
    int32_t exponent;
    memcpy(&exponent, &n, sizeof exponent);
    n -= magic;
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.3981999e-3f;
    p = p * r + 8.3334519e-3f;
    p = p * r + 4.1665795e-2f;
    p = p * r + 1.6666665e-1f;
    p = p * r + 5.0000000e-1f;
    p = p * r * r + r + 1.0f;
    int32_t bits;
    memcpy(&bits, &p, sizeof bits);
    bits = (int32_t)((uint32_t)bits + ((uint32_t)exponent << 23));
    float y;
    memcpy(&y, &bits, sizeof y);
    return y;
}

// eˣ for x <= 88.7, such as what remains when the largest was subtracted. 0 below -87.3.
CK_INLINE float exp_below(float x) { return x < -87.3f ? 0.0f : exp_within(x < -87.3f ? -87.3f : x); }

// eˣ for any x: 0 below -87.3, infinite above 88.7, a NaN for a NaN.
CK_INLINE float exp_approx(float x) {
    float y = exp_below(x > 88.7f ? 88.7f : x);
    y = x > 88.7f ? INFINITY : y;
    return x != x ? x : y;
}

// 1 / (1 + e⁻ˣ)
CK_INLINE float sigmoid_approx(float x) {
    float clamped = x > 87.3f ? 87.3f : x;
    clamped = clamped < -87.3f ? -87.3f : clamped;
    return 1.0f / (1.0f + exp_within(-clamped));
}

// tanh: odd polynomial near zero (where 1 - e⁻²ˣ cancels), else through the exponential.
CK_INLINE float tanh_approx(float x) {
    float a = fabsf(x);
    float s = x * x;
    float p = -5.70498872745e-3f;
    p = p * s + 2.06390887954e-2f;
    p = p * s - 5.37397155531e-2f;
    p = p * s + 1.33314422036e-1f;
    p = p * s - 3.33332819422e-1f;
    float near = p * s * x + x;
    float t = exp_below(-2.0f * a);
    float far = (1.0f - t) / (1.0f + t);
    far = x < 0 ? -far : far;
    return a < 0.625f ? near : far;
}

// erfc by a Chebyshev fit with relative error below 2e-6 in single precision.
CK_INLINE float erfc_approx(float x) {
    float a = fabsf(x);
    float t = 1.0f / (1.0f + 0.5f * a);
    float p = 0.17087277f;
    p = p * t - 0.82215223f;
    p = p * t + 1.48851587f;
    p = p * t - 1.13520398f;
    p = p * t + 0.27886807f;
    p = p * t - 0.18628806f;
    p = p * t + 0.09678418f;
    p = p * t + 0.37409196f;
    p = p * t + 1.00002368f;
    p = p * t - 1.26551223f;
    float tail = t * exp_below(p - a * a);
    return x < 0 ? 2.0f - tail : tail;
}

// To the nearest bf16, ties to even; a NaN stays one.
CK_INLINE uint16_t to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded);
}
CK_INLINE float from_bf16(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float y;
    memcpy(&y, &bits, sizeof y);
    return y;
}
