// The steps of attention over keys and values in f32: plain C in the form that vector units take, and AVX-512.
#include "attention_tile.h"
#include "ck_packed.h"
#include "ck_vector.h"

#include <math.h>
#include <stddef.h>

static void float_prepare(
    const ck_attention_tile *tile, int64_t r, const float *query, int64_t head_size, float scale) {
    for (int64_t c = 0; c < head_size; c++) tile->prepared[c * tile->queries + r] = query[c] * scale;
}

CK_CLONES static void plain_scores(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count) {
    for (int64_t b = 0; b < block_count; b++) {
        const float *keys = (const float *)blocks[b];
        for (int64_t r = begin; r < begin + count; r++) {
            float sums[16] = {0};
            for (int64_t c = 0; c < tile->size; c++) {
                float q = tile->prepared[c * tile->queries + r];
                for (int t = 0; t < 16; t++) sums[t] = __builtin_fmaf(q, keys[c * 16 + t], sums[t]);
            }
            memcpy(tile->scores + r * CK_KV_SPAN + b * 16, sums, sizeof sums);
        }
    }
}

CK_CLONES static void float_softmax(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t r, int64_t first,
    int64_t last, float softcap, const float *bias) {
    (void)blocks;
    int64_t keys = block_count * 16;
    float *scores = tile->scores + r * CK_KV_SPAN;
    ck_adjust_scores(scores, first, last, softcap, bias);
    float lanes[16];
    for (int i = 0; i < 16; i++) lanes[i] = -INFINITY;
    for (int64_t t = 0; t < first; t++) scores[t] = -INFINITY;
    for (int64_t t = last; t < keys; t++) scores[t] = -INFINITY;
    for (int64_t t = 0; t < keys; t += 16) {
        for (int i = 0; i < 16; i++) lanes[i] = scores[t + i] > lanes[i] ? scores[t + i] : lanes[i];
    }
    float peak = -INFINITY;
    for (int i = 0; i < 16; i++) peak = lanes[i] > peak ? lanes[i] : peak;
    if (!ck_raise_maximum(tile, r, peak)) {
        for (int64_t t = 0; t < keys; t++) scores[t] = 0;
        return;
    }
    peak = tile->largest[r];
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
    tile->totals[r] += sum;
}

CK_CLONES static void plain_values(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count) {
    int64_t size = tile->size;
    for (int64_t r = begin; r < begin + count; r++) {
        float *to = tile->sums + r * size;
        for (int64_t t = 0; t < block_count * 16; t++) {
            float weight = tile->scores[r * CK_KV_SPAN + t];
            const float *value = (const float *)blocks[t / 16] + size * 16 + t % 16 * size;
            for (int64_t c = 0; c < size; c++) to[c] = __builtin_fmaf(weight, value[c], to[c]);
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,f16c,fma")))
#define WIDE_INLINE WIDE static inline __attribute__((always_inline))

WIDE_INLINE void wide_scores_tile(
    const ck_attention_tile *tile, const char *block, int64_t begin, float *scores, const int count) {
    const float *q = tile->prepared + begin;
    __m512 sums[12];
#pragma unroll
    for (int r = 0; r < count; r++) sums[r] = _mm512_setzero_ps();
    for (int64_t c = 0; c < tile->size; c++) {
        __m512 key = _mm512_loadu_ps(block + c * 64);
#pragma unroll
        for (int r = 0; r < count; r++) {
            sums[r] = _mm512_fmadd_ps(_mm512_set1_ps(q[c * tile->queries + r]), key, sums[r]);
        }
    }
#pragma unroll
    for (int r = 0; r < count; r++) _mm512_storeu_ps(scores + r * CK_KV_SPAN, sums[r]);
}

WIDE static void wide_scores(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count) {
    for (int64_t r = begin; r < begin + count; r += 12) {
        int64_t left = begin + count - r < 12 ? begin + count - r : 12;
        for (int64_t b = 0; b < block_count; b++) {
            float *to = tile->scores + r * CK_KV_SPAN + b * 16;
#define TILE(n) case n: wide_scores_tile(tile, blocks[b], r, to, n); break;
            switch (left) {
                TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
            }
#undef TILE
        }
    }
}

// `count` queries times `lines` vectors of 16 value columns.
WIDE_INLINE void wide_values_tile(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t column, int64_t begin,
    const int count, const int lines) {
    const int64_t size = tile->size;
    const float *weights = tile->scores + begin * CK_KV_SPAN;
    float *sums = tile->sums + begin * size + column;
    __m512 total[24];
#pragma unroll
    for (int r = 0; r < count; r++) {
#pragma unroll
        for (int l = 0; l < lines; l++) total[r * lines + l] = _mm512_loadu_ps(sums + r * size + l * 16);
    }
    for (int64_t b = 0; b < block_count; b++) {
        const float *at = (const float *)blocks[b] + 16 * size + column;
        for (int64_t t = 0; t < 16; t++) {
            __m512 value[4];
#pragma unroll
            for (int l = 0; l < lines; l++) value[l] = _mm512_loadu_ps(at + t * size + l * 16);
#pragma unroll
            for (int r = 0; r < count; r++) {
                __m512 weight = _mm512_set1_ps(weights[r * CK_KV_SPAN + b * 16 + t]);
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
        for (int l = 0; l < lines; l++) _mm512_storeu_ps(sums + r * size + l * 16, total[r * lines + l]);
    }
}

// The columns from `column` on that fill no vector, one number at a time: head sizes of real models rarely have any.
WIDE static void wide_values_rest(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t column, int64_t begin,
    int64_t count) {
    int64_t size = tile->size;
    for (int64_t r = begin; r < begin + count; r++) {
        for (int64_t c = column; c < size; c++) {
            float sum = tile->sums[r * size + c];
            for (int64_t t = 0; t < block_count * 16; t++) {
                float value = ((const float *)blocks[t / 16])[(16 + t % 16) * size + c];
                sum = __builtin_fmaf(tile->scores[r * CK_KV_SPAN + t], value, sum);
            }
            tile->sums[r * size + c] = sum;
        }
    }
}

WIDE static void wide_values(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count) {
    int64_t size = tile->size;
    for (int64_t column = 0; column + 16 <= size; column += 64) {
        int64_t lines = (size - column) / 16 < 4 ? (size - column) / 16 : 4;
        for (int64_t r = begin; r < begin + count; r += 6) {
            int64_t left = begin + count - r < 6 ? begin + count - r : 6;
#define TILE(n, l) case n * 8 + l: wide_values_tile(tile, blocks, block_count, column, r, n, l); break;
#define TILES(n) TILE(n, 1) TILE(n, 2) TILE(n, 3) TILE(n, 4)
            switch (left * 8 + lines) { TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6) }
#undef TILES
#undef TILE
        }
    }
    if (size % 16) wide_values_rest(tile, blocks, block_count, size / 16 * 16, begin, count);
}
#endif

ck_attention_kernels ck_attention_float_kernels(int plain) {
#if defined(__x86_64__)
    if (!plain && ck_packed_level() == 3) {
        return (ck_attention_kernels){float_prepare, wide_scores, float_softmax, wide_values};
    }
#endif
    return (ck_attention_kernels){float_prepare, plain_scores, float_softmax, plain_values};
}
