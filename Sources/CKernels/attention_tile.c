// The inner loops of attention: plain C in the form that vector units take, and AVX-512.
#include "attention_tile.h"
#include "ck_attention.h"
#include "ck_half.h"
#include "ck_packed.h"
#include "ck_vector.h"

#include <math.h>
#include <stddef.h>

CK_CLONES static void plain_scores(
    const char *const *blocks, int64_t block_count, int64_t size, const float *transposed, int64_t stride,
    int64_t count, float *scores, int half) {
    for (int64_t b = 0; b < block_count; b++) {
        for (int64_t r = 0; r < count; r++) {
            float sums[16] = {0};
            for (int64_t c = 0; c < size; c++) {
                float q = transposed[c * stride + r];
                if (half) {
                    const uint16_t *keys = (const uint16_t *)blocks[b] + c * 16;
                    for (int t = 0; t < 16; t++) sums[t] = __builtin_fmaf(q, ck_half_to_float(keys[t]), sums[t]);
                } else {
                    const float *keys = (const float *)blocks[b] + c * 16;
                    for (int t = 0; t < 16; t++) sums[t] = __builtin_fmaf(q, keys[t], sums[t]);
                }
            }
            memcpy(scores + r * CK_KV_SPAN + b * 16, sums, sizeof sums);
        }
    }
}

CK_CLONES static void softmax_span(
    float *scores, int64_t keys, int64_t first, int64_t last, float softcap, const float *bias, float *largest,
    float *total, float *sums, int64_t size) {
    if (softcap > 0) {
        for (int64_t t = first; t < last; t++) scores[t] = softcap * tanhf(scores[t] / softcap);
    }
    if (bias) {
        for (int64_t t = first; t < last; t++) scores[t] += bias[t];
    }
    float lanes[16];
    for (int i = 0; i < 16; i++) lanes[i] = -INFINITY;
    for (int64_t t = 0; t < first; t++) scores[t] = -INFINITY;
    for (int64_t t = last; t < keys; t++) scores[t] = -INFINITY;
    for (int64_t t = 0; t < keys; t += 16) {
        for (int i = 0; i < 16; i++) lanes[i] = scores[t + i] > lanes[i] ? scores[t + i] : lanes[i];
    }
    float peak = *largest;
    for (int i = 0; i < 16; i++) peak = lanes[i] > peak ? lanes[i] : peak;
    if (peak == -INFINITY) {
        for (int64_t t = 0; t < keys; t++) scores[t] = 0;
        return;
    }
    if (peak > *largest) {
        float shrink = *largest == -INFINITY ? 0 : ck_exp(*largest - peak);
        *largest = peak;
        *total *= shrink;
        for (int64_t c = 0; c < size; c++) sums[c] *= shrink;
    }
    for (int i = 0; i < 16; i++) lanes[i] = 0;
    for (int64_t t = 0; t < keys; t += 16) {
        for (int i = 0; i < 16; i++) {
            float score = scores[t + i];
            float weight = score == -INFINITY ? 0 : ck_exp(score - peak);
            scores[t + i] = weight;
            lanes[i] += weight;
        }
    }
    float sum = 0;
    for (int i = 0; i < 16; i++) sum += lanes[i];
    *total += sum;
}

CK_CLONES static void plain_values(
    const char *const *blocks, int64_t block_count, int64_t size, const float *scores, int64_t count, float *sums,
    int half) {
    for (int64_t r = 0; r < count; r++) {
        float *to = sums + r * size;
        for (int64_t t = 0; t < block_count * 16; t++) {
            float weight = scores[r * CK_KV_SPAN + t];
            if (half) {
                const uint16_t *value = (const uint16_t *)blocks[t / 16] + size * 16 + t % 16 * size;
                for (int64_t c = 0; c < size; c++) to[c] = __builtin_fmaf(weight, ck_half_to_float(value[c]), to[c]);
            } else {
                const float *value = (const float *)blocks[t / 16] + size * 16 + t % 16 * size;
                for (int64_t c = 0; c < size; c++) to[c] = __builtin_fmaf(weight, value[c], to[c]);
            }
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,f16c,fma")))
#define WIDE_INLINE WIDE static inline __attribute__((always_inline))

WIDE_INLINE __m512 load16(const char *at, int64_t index, const int half) {
    return half ? _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(at + index * 2)))
                : _mm512_loadu_ps(at + index * 4);
}

WIDE_INLINE void wide_scores_tile(
    const char *block, int64_t size, const float *transposed, int64_t stride, float *scores, const int count,
    const int half) {
    __m512 sums[12];
#pragma unroll
    for (int r = 0; r < count; r++) sums[r] = _mm512_setzero_ps();
    for (int64_t c = 0; c < size; c++) {
        __m512 key = load16(block, c * 16, half);
#pragma unroll
        for (int r = 0; r < count; r++) {
            sums[r] = _mm512_fmadd_ps(_mm512_set1_ps(transposed[c * stride + r]), key, sums[r]);
        }
    }
#pragma unroll
    for (int r = 0; r < count; r++) _mm512_storeu_ps(scores + r * CK_KV_SPAN, sums[r]);
}

WIDE_INLINE void wide_scores_all(
    const char *const *blocks, int64_t block_count, int64_t size, const float *transposed, int64_t stride,
    int64_t count, float *scores, const int half) {
    for (int64_t r = 0; r < count; r += 12) {
        int64_t left = count - r < 12 ? count - r : 12;
        for (int64_t b = 0; b < block_count; b++) {
            const float *q = transposed + r;
            float *to = scores + r * CK_KV_SPAN + b * 16;
#define TILE(n) case n: wide_scores_tile(blocks[b], size, q, stride, to, n, half); break;
            switch (left) {
                TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
            }
#undef TILE
        }
    }
}

WIDE static void wide_scores(
    const char *const *blocks, int64_t block_count, int64_t size, const float *transposed, int64_t stride,
    int64_t count, float *scores, int half) {
    if (half) {
        wide_scores_all(blocks, block_count, size, transposed, stride, count, scores, 1);
    } else {
        wide_scores_all(blocks, block_count, size, transposed, stride, count, scores, 0);
    }
}

// `count` queries times `lines` vectors of 16 value columns.
WIDE_INLINE void wide_values_tile(
    const char *const *blocks, int64_t block_count, int64_t size, int64_t column, const float *scores, float *sums,
    const int count, const int lines, const int half) {
    __m512 total[24];
#pragma unroll
    for (int r = 0; r < count; r++) {
#pragma unroll
        for (int l = 0; l < lines; l++) total[r * lines + l] = _mm512_loadu_ps(sums + r * size + column + l * 16);
    }
    for (int64_t b = 0; b < block_count; b++) {
        for (int64_t t = 0; t < 16; t++) {
            __m512 value[4];
#pragma unroll
            for (int l = 0; l < lines; l++) value[l] = load16(blocks[b], (16 + t) * size + column + l * 16, half);
#pragma unroll
            for (int r = 0; r < count; r++) {
                __m512 weight = _mm512_set1_ps(scores[r * CK_KV_SPAN + b * 16 + t]);
#pragma unroll
                for (int l = 0; l < lines; l++) {
                    total[r * lines + l] = _mm512_fmadd_ps(weight, value[l], total[r * lines + l]);
                }
            }
        }
    }
#pragma unroll
    for (int r = 0; r < count; r++) {
#pragma unroll
        for (int l = 0; l < lines; l++) _mm512_storeu_ps(sums + r * size + column + l * 16, total[r * lines + l]);
    }
}

// The columns from `column` on that fill no vector, one number at a time: head sizes of real models rarely have any.
WIDE_INLINE void wide_values_rest(
    const char *const *blocks, int64_t block_count, int64_t size, int64_t column, const float *scores, int64_t count,
    float *sums, const int half) {
    for (int64_t r = 0; r < count; r++) {
        for (int64_t c = column; c < size; c++) {
            float sum = sums[r * size + c];
            for (int64_t t = 0; t < block_count * 16; t++) {
                int64_t index = (16 + t % 16) * size + c;
                float value = half ? ck_half_to_float(((const uint16_t *)blocks[t / 16])[index])
                                   : ((const float *)blocks[t / 16])[index];
                sum = __builtin_fmaf(scores[r * CK_KV_SPAN + t], value, sum);
            }
            sums[r * size + c] = sum;
        }
    }
}

WIDE_INLINE void wide_values_all(
    const char *const *blocks, int64_t block_count, int64_t size, const float *scores, int64_t count, float *sums,
    const int half) {
    for (int64_t column = 0; column + 16 <= size; column += 64) {
        int64_t lines = (size - column) / 16 < 4 ? (size - column) / 16 : 4;
        for (int64_t r = 0; r < count; r += 6) {
            int64_t left = count - r < 6 ? count - r : 6;
#define TILE(n, l)                                                                                                   \
    case n * 8 + l:                                                                                                  \
        wide_values_tile(                                                                                            \
            blocks, block_count, size, column, scores + r * CK_KV_SPAN, sums + r * size, n, l, half);                \
        break;
#define TILES(n) TILE(n, 1) TILE(n, 2) TILE(n, 3) TILE(n, 4)
            switch (left * 8 + lines) { TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6) }
#undef TILES
#undef TILE
        }
    }
    if (size % 16) wide_values_rest(blocks, block_count, size, size / 16 * 16, scores, count, sums, half);
}

WIDE static void wide_values(
    const char *const *blocks, int64_t block_count, int64_t size, const float *scores, int64_t count, float *sums,
    int half) {
    if (half) {
        wide_values_all(blocks, block_count, size, scores, count, sums, 1);
    } else {
        wide_values_all(blocks, block_count, size, scores, count, sums, 0);
    }
}
#endif

ck_attention_kernels ck_attention_best(void) {
#if defined(__x86_64__)
    if (ck_packed_level() == 3) return (ck_attention_kernels){wide_scores, softmax_span, wide_values};
#endif
    return (ck_attention_kernels){plain_scores, softmax_span, plain_values};
}
