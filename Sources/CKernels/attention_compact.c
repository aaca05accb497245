// The steps of attention over keys and values as integers: their products are exact sums, so no order of theirs ever matters.
#include "attention_tile.h"
#include "ck_packed.h"
#include "ck_vector.h"

#include <math.h>
#include <stddef.h>

// No multiplication is merged into an addition unless it says so, so that every vector unit rounds alike.
#pragma STDC FP_CONTRACT OFF

CK_CLONES static float largest_magnitude(const float *x, int64_t count) {
    float lanes[16] = {0}, largest = 0;
    int64_t whole = count & ~(int64_t)15;
    for (int64_t i = 0; i < whole; i += 16) {
        for (int lane = 0; lane < 16; lane++) {
            float magnitude = fabsf(x[i + lane]);
            lanes[lane] = magnitude > lanes[lane] ? magnitude : lanes[lane];
        }
    }
    for (int lane = 0; lane < 16; lane++) largest = lanes[lane] > largest ? lanes[lane] : largest;
    for (int64_t i = whole; i < count; i++) largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    return largest;
}

// Below this, numbers count as 0: 1 / largest must be finite.
static const float TINY = 1e-30f;

float ck_compact_step(const float *x, int64_t count, float range, float *inverse) {
    float largest = largest_magnitude(x, count);
    int is_usable = largest > TINY && largest < INFINITY;
    *inverse = is_usable ? range / largest : 0;
    return is_usable ? largest / range : 0;
}

CK_CLONES static void compact_prepare(
    const ck_attention_tile *tile, int64_t r, const float *query, int64_t head_size, float scale) {
    float inverse;
    tile->steps[r] = ck_compact_step(query, head_size, CK_KEY_RANGE, &inverse) * scale;
    for (int64_t c = 0; c < tile->size; c += 2) {
        int16_t pair[2] = {0, 0};
        if (c < head_size) pair[0] = ck_compact_integer(query[c], inverse);
        if (c + 1 < head_size) pair[1] = ck_compact_integer(query[c + 1], inverse);
        memcpy(tile->prepared + c / 2 * tile->queries + r, pair, 4);
    }
}

CK_CLONES static void plain_scores(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count) {
    for (int64_t b = 0; b < block_count; b++) {
        for (int64_t r = begin; r < begin + count; r++) {
            float *to = tile->scores + r * CK_KV_SPAN + b * 16;
            for (int64_t start = 0; start < tile->size; start += CK_EXACT) {
                int64_t end = start + CK_EXACT < tile->size ? start + CK_EXACT : tile->size;
                int32_t sums[16] = {0};
                for (int64_t c = start; c < end; c += 2) {
                    const int16_t *keys = (const int16_t *)blocks[b] + c * 16;
                    int16_t pair[2];
                    memcpy(pair, tile->prepared + c / 2 * tile->queries + r, 4);
                    for (int t = 0; t < 16; t++) sums[t] += pair[0] * keys[2 * t] + pair[1] * keys[2 * t + 1];
                }
                for (int t = 0; t < 16; t++) to[t] = (start ? to[t] : 0) + (float)sums[t];
            }
        }
    }
}

// e^x for x <= 0 to 3 millionths: x is given as the score and log2(e) times the negative of the maximum.
static inline __attribute__((always_inline)) float weight_of(float score, float shift) {
    float x = __builtin_fmaf(score, 1.44269504f, shift);
    x = x > -126.0f ? x : -126.0f;
    float n = (x + 12582912.0f) - 12582912.0f, r = x - n;
    float p = 0.0095701f;
    p = __builtin_fmaf(p, r, 0.05591786f);
    p = __builtin_fmaf(p, r, 0.24024745f);
    p = __builtin_fmaf(p, r, 0.69312181f);
    p = __builtin_fmaf(p, r, 0.99999926f);
    int32_t exponent = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &exponent, 4);
    return p * power;
}

static inline __attribute__((always_inline)) float largest_of(const float *lanes) {
    float largest = lanes[0];
    for (int t = 1; t < 16; t++) largest = lanes[t] > largest ? lanes[t] : largest;
    return largest;
}

CK_CLONES static void plain_softmax(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t r, int64_t first,
    int64_t last, float softcap, const float *bias) {
    float *scores = tile->scores + r * CK_KV_SPAN;
    int64_t keys = block_count * 16;
    for (int64_t b = 0; b < block_count; b++) {
        const float *steps = ck_compact_key_steps(blocks[b], tile->size);
        for (int t = 0; t < 16; t++) scores[b * 16 + t] *= steps[t] * tile->steps[r];
    }
    ck_adjust_scores(scores, first, last, softcap, bias);
    for (int64_t t = 0; t < first; t++) scores[t] = -INFINITY;
    for (int64_t t = last; t < keys; t++) scores[t] = -INFINITY;
    float largest[16];
    for (int t = 0; t < 16; t++) largest[t] = -INFINITY;
    for (int64_t b = 0; b < block_count; b++) {
        for (int t = 0; t < 16; t++) largest[t] = scores[b * 16 + t] > largest[t] ? scores[b * 16 + t] : largest[t];
    }
    int16_t *weights = (int16_t *)scores, whole[CK_KV_SPAN];
    tile->units[r] = 0;
    if (!ck_raise_maximum(tile, r, largest_of(largest))) {
        memset(weights, 0, (size_t)keys * 2);
        return;
    }
    float shift = tile->largest[r] * -1.44269504f, lanes[16] = {0}, widest[16] = {0};
    for (int64_t b = 0; b < block_count; b++) {
        const float *steps = ck_compact_value_steps(blocks[b], tile->size);
        for (int t = 0; t < 16; t++) {
            float score = scores[b * 16 + t];
            float weight = score == -INFINITY ? 0 : weight_of(score, shift);
            lanes[t] += weight;
            scores[b * 16 + t] = weight *= steps[t];
            widest[t] = weight > widest[t] ? weight : widest[t];
        }
    }
    for (int width = 8; width; width /= 2) {
        for (int t = 0; t < width; t++) lanes[t] += lanes[t + width];
    }
    tile->totals[r] += lanes[0];
    float most = largest_of(widest), inverse = most > TINY ? CK_WEIGHT_RANGE / most : 0;
    tile->units[r] = inverse > 0 ? most / CK_WEIGHT_RANGE : 0;
    // Apart first: weights take the place of scores.
    for (int64_t t = 0; t < keys; t++) whole[t] = ck_compact_integer(scores[t], inverse);
    memcpy(weights, whole, (size_t)keys * 2);
}

CK_CLONES static void plain_values(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count) {
    int64_t size = tile->size, most = CK_EXACT / CK_KV_BLOCK;
    for (int64_t r = begin; r < begin + count; r++) {
        const int16_t *weights = (const int16_t *)(tile->scores + r * CK_KV_SPAN);
        for (int64_t start = 0; start < block_count; start += most) {
            int64_t end = start + most < block_count ? start + most : block_count;
            for (int64_t column = 0; column < size; column += 16) {
                int32_t sums[16] = {0};
                for (int64_t p = start * 8; p < end * 8; p++) {
                    const int16_t *values = ck_compact_values(blocks[p / 8], size) + (p % 8 * size + column) * 2;
                    int32_t left = weights[2 * p], right = weights[2 * p + 1];
                    for (int c = 0; c < 16; c++) sums[c] += left * values[2 * c] + right * values[2 * c + 1];
                }
                float *to = tile->sums + r * size + column;
                for (int c = 0; c < 16; c++) to[c] = __builtin_fmaf((float)sums[c], tile->units[r], to[c]);
            }
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))

// sums[2 r], sums[2 r + 1] += `count` pairs, a row of them `stride` apart, times 16 pairs.
AVX2_INLINE void add_pairs(__m256i *sums, const void *at, const char *pairs, int64_t stride, const int count) {
    __m256i first = _mm256_loadu_si256((const __m256i *)at), second = _mm256_loadu_si256((const __m256i *)at + 1);
#pragma unroll
    for (int r = 0; r < count; r++) {
        int32_t pair;
        memcpy(&pair, pairs + r * stride, 4);
        __m256i both = _mm256_set1_epi32(pair);
        sums[2 * r] = _mm256_add_epi32(sums[2 * r], _mm256_madd_epi16(both, first));
        sums[2 * r + 1] = _mm256_add_epi32(sums[2 * r + 1], _mm256_madd_epi16(both, second));
    }
}

// `count` queries times the keys of a block.
AVX2_INLINE void avx2_scores_tile(
    const ck_attention_tile *tile, const char *block, int64_t begin, float *scores, const int count) {
    for (int64_t start = 0; start < tile->size; start += CK_EXACT) {
        int64_t end = start + CK_EXACT < tile->size ? start + CK_EXACT : tile->size;
        const char *q = (const char *)(tile->prepared + start / 2 * tile->queries + begin);
        __m256i sums[12];
#pragma unroll
        for (int i = 0; i < 2 * count; i++) sums[i] = _mm256_setzero_si256();
        for (int64_t c = start; c < end; c += 2, q += tile->queries * 4) add_pairs(sums, block + c * 32, q, 4, count);
#pragma unroll
        for (int i = 0; i < 2 * count; i++) {
            float *to = scores + i / 2 * CK_KV_SPAN + i % 2 * 8;
            __m256 sum = _mm256_cvtepi32_ps(sums[i]);
            _mm256_storeu_ps(to, start ? _mm256_add_ps(_mm256_loadu_ps(to), sum) : sum);
        }
    }
}

AVX2 static void avx2_scores(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count) {
    for (int64_t r = begin; r < begin + count; r += 6) {
        int64_t left = begin + count - r < 6 ? begin + count - r : 6;
        for (int64_t b = 0; b < block_count; b++) {
            float *to = tile->scores + r * CK_KV_SPAN + b * 16;
#define TILE(n) case n: avx2_scores_tile(tile, blocks[b], r, to, n); break;
            switch (left) { TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) }
#undef TILE
        }
    }
}

// `count` queries times 16 value columns.
AVX2_INLINE void avx2_values_tile(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t column, int64_t begin,
    const int count) {
    const int64_t size = tile->size, most = CK_EXACT / CK_KV_BLOCK;
    const char *weights = (const char *)(tile->scores + begin * CK_KV_SPAN);
    for (int64_t start = 0; start < block_count; start += most) {
        int64_t end = start + most < block_count ? start + most : block_count;
        __m256i sums[12];
#pragma unroll
        for (int i = 0; i < 2 * count; i++) sums[i] = _mm256_setzero_si256();
        for (int64_t p = start * 8; p < end * 8; p++) {
            const int16_t *at = ck_compact_values(blocks[p / 8], size) + (p % 8 * size + column) * 2;
            add_pairs(sums, at, weights + p * 4, CK_KV_SPAN * 4, count);
        }
#pragma unroll
        for (int i = 0; i < 2 * count; i++) {
            float *to = tile->sums + (begin + i / 2) * size + column + i % 2 * 8;
            __m256 unit = _mm256_set1_ps(tile->units[begin + i / 2]);
            _mm256_storeu_ps(to, _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[i]), unit, _mm256_loadu_ps(to)));
        }
    }
}

AVX2 static void avx2_values(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count) {
    for (int64_t r = begin; r < begin + count; r += 6) {
        int64_t left = begin + count - r < 6 ? begin + count - r : 6;
        for (int64_t column = 0; column < tile->size; column += 16) {
#define TILE(n) case n: avx2_values_tile(tile, blocks, block_count, column, r, n); break;
            switch (left) { TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) }
#undef TILE
        }
    }
}

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,f16c,fma")))
#define WIDE_INLINE WIDE static inline __attribute__((always_inline))

// `count` queries times `width` blocks of keys.
WIDE_INLINE void wide_scores_tile(
    const ck_attention_tile *tile, const char *const *blocks, int64_t begin, float *scores, const int count,
    const int width) {
    for (int64_t start = 0; start < tile->size; start += CK_EXACT) {
        int64_t end = start + CK_EXACT < tile->size ? start + CK_EXACT : tile->size;
        const float *q = tile->prepared + start / 2 * tile->queries + begin;
        __m512i sums[12];
#pragma unroll
        for (int i = 0; i < count * width; i++) sums[i] = _mm512_setzero_si512();
        for (int64_t c = start; c < end; c += 2) {
            __m512i keys[4];
#pragma unroll
            for (int w = 0; w < width; w++) keys[w] = _mm512_loadu_si512(blocks[w] + c * 32);
#pragma unroll
            for (int r = 0; r < count; r++) {
                int32_t pair;
                memcpy(&pair, q + r, 4);
                __m512i query = _mm512_set1_epi32(pair);
#pragma unroll
                for (int w = 0; w < width; w++) {
                    sums[r * width + w] = _mm512_dpwssd_epi32(sums[r * width + w], query, keys[w]);
                }
            }
            q += tile->queries;
        }
#pragma unroll
        for (int r = 0; r < count; r++) {
#pragma unroll
            for (int w = 0; w < width; w++) {
                float *to = scores + r * CK_KV_SPAN + w * 16;
                __m512 sum = _mm512_cvtepi32_ps(sums[r * width + w]);
                _mm512_storeu_ps(to, start ? _mm512_add_ps(_mm512_loadu_ps(to), sum) : sum);
            }
        }
    }
}

// Twelve sums at a time: fewer queries take more blocks.
WIDE static void wide_scores(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count) {
    for (int64_t r = begin; r < begin + count; r += 12) {
        int64_t left = begin + count - r < 12 ? begin + count - r : 12, most = left > 6 ? 1 : left > 3 ? 2 : 4;
        for (int64_t b = 0; b < block_count;) {
            int64_t width = block_count - b < most ? 1 : most;
            float *to = tile->scores + r * CK_KV_SPAN + b * 16;
#define TILE(n, w) case n * 8 + w: wide_scores_tile(tile, blocks + b, r, to, n, w); break;
            switch (left * 8 + width) {
                TILE(1, 4) TILE(2, 4) TILE(3, 4) TILE(4, 2) TILE(5, 2) TILE(6, 2)
                TILE(1, 1) TILE(2, 1) TILE(3, 1) TILE(4, 1) TILE(5, 1) TILE(6, 1)
                TILE(7, 1) TILE(8, 1) TILE(9, 1) TILE(10, 1) TILE(11, 1) TILE(12, 1)
            }
#undef TILE
            b += width;
        }
    }
}

WIDE_INLINE __m512 wide_weight_of(__m512 score, __m512 shift) {
    __m512 x = _mm512_fmadd_ps(score, _mm512_set1_ps(1.44269504f), shift);
    x = _mm512_max_ps(x, _mm512_set1_ps(-126.0f));
    __m512 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), r = _mm512_sub_ps(x, n);
    __m512 p = _mm512_set1_ps(0.0095701f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.05591786f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.24024745f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.69312181f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.99999926f));
    return _mm512_scalef_ps(p, n);
}

// Which of keys 16 b ..< 16 b + 16 are among first ..< last.
static inline uint16_t seen_keys(int64_t b, int64_t first, int64_t last) {
    int64_t from = first - b * 16, to = last - b * 16;
    from = from < 0 ? 0 : from > 16 ? 16 : from;
    to = to < 0 ? 0 : to > 16 ? 16 : to;
    return (uint16_t)(((1u << to) - 1) & ~((1u << from) - 1));
}

// The sum in the order of the plain path: halves upon halves.
WIDE_INLINE float wide_sum(__m512 x) {
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

WIDE static void wide_softmax(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t r, int64_t first,
    int64_t last, float softcap, const float *bias) {
    const __m512 nothing = _mm512_set1_ps(-INFINITY);
    float *scores = tile->scores + r * CK_KV_SPAN;
    __m512 query_step = _mm512_set1_ps(tile->steps[r]), peaks = nothing;
    int is_adjusted = softcap > 0 || bias;
    for (int64_t b = 0; b < block_count; b++) {
        __m512 steps = _mm512_loadu_ps(ck_compact_key_steps(blocks[b], tile->size));
        __m512 score = _mm512_mul_ps(_mm512_loadu_ps(scores + b * 16), _mm512_mul_ps(steps, query_step));
        score = _mm512_mask_mov_ps(nothing, seen_keys(b, first, last), score);
        _mm512_storeu_ps(scores + b * 16, score);
        peaks = _mm512_max_ps(peaks, score);
    }
    if (is_adjusted) {
        ck_adjust_scores(scores, first, last, softcap, bias);
        peaks = nothing;
        for (int64_t b = 0; b < block_count; b++) peaks = _mm512_max_ps(peaks, _mm512_loadu_ps(scores + b * 16));
    }
    tile->units[r] = 0;
    int16_t *weights = (int16_t *)scores;
    if (!ck_raise_maximum(tile, r, _mm512_reduce_max_ps(peaks))) {
        memset(weights, 0, (size_t)block_count * 32);
        return;
    }
    __m512 shift = _mm512_set1_ps(tile->largest[r] * -1.44269504f);
    __m512 total = _mm512_setzero_ps(), widest = _mm512_setzero_ps();
    for (int64_t b = 0; b < block_count; b++) {
        __m512 score = _mm512_loadu_ps(scores + b * 16);
        __mmask16 seen = _mm512_cmp_ps_mask(score, nothing, _CMP_NEQ_OQ);
        __m512 weight = _mm512_maskz_mov_ps(seen, wide_weight_of(score, shift));
        total = _mm512_add_ps(total, weight);
        weight = _mm512_mul_ps(weight, _mm512_loadu_ps(ck_compact_value_steps(blocks[b], tile->size)));
        widest = _mm512_max_ps(widest, weight);
        _mm512_storeu_ps(scores + b * 16, weight);
    }
    tile->totals[r] += wide_sum(total);
    float most = _mm512_reduce_max_ps(widest);
    float inverse = most > TINY ? CK_WEIGHT_RANGE / most : 0;
    tile->units[r] = inverse > 0 ? most / CK_WEIGHT_RANGE : 0;
    __m512 factor = _mm512_set1_ps(inverse);
    for (int64_t b = 0; b < block_count; b++) {
        __m512i rounded = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(scores + b * 16), factor));
        _mm256_storeu_si256((__m256i *)(weights + b * 16), _mm512_cvtepi32_epi16(rounded));
    }
}

// `count` queries times `lines` vectors of 16 value columns.
WIDE_INLINE void wide_values_tile(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t column, int64_t begin,
    const int count, const int lines) {
    const int64_t size = tile->size, most = CK_EXACT / CK_KV_BLOCK;
    const int16_t *weights = (const int16_t *)(tile->scores + begin * CK_KV_SPAN);
    for (int64_t start = 0; start < block_count; start += most) {
        int64_t end = start + most < block_count ? start + most : block_count;
        __m512i sums[24];
#pragma unroll
        for (int i = 0; i < count * lines; i++) sums[i] = _mm512_setzero_si512();
        for (int64_t b = start; b < end; b++) {
            const int16_t *at = ck_compact_values(blocks[b], size) + column * 2;
            for (int64_t p = 0; p < 8; p++) {
                __m512i value[4];
#pragma unroll
                for (int l = 0; l < lines; l++) value[l] = _mm512_loadu_si512(at + (p * size + l * 16) * 2);
#pragma unroll
                for (int r = 0; r < count; r++) {
                    int32_t pair;
                    memcpy(&pair, weights + r * CK_KV_SPAN * 2 + b * 16 + p * 2, 4);
                    __m512i weight = _mm512_set1_epi32(pair);
#pragma unroll
                    for (int l = 0; l < lines; l++) {
                        sums[r * lines + l] = _mm512_dpwssd_epi32(sums[r * lines + l], weight, value[l]);
                    }
                }
            }
        }
#pragma unroll
        for (int r = 0; r < count; r++) {
            __m512 unit = _mm512_set1_ps(tile->units[begin + r]);
#pragma unroll
            for (int l = 0; l < lines; l++) {
                float *to = tile->sums + (begin + r) * size + column + l * 16;
                __m512 sum = _mm512_cvtepi32_ps(sums[r * lines + l]);
                _mm512_storeu_ps(to, _mm512_fmadd_ps(sum, unit, _mm512_loadu_ps(to)));
            }
        }
    }
}

WIDE static void wide_values(
    const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count) {
    for (int64_t column = 0; column < tile->size; column += 64) {
        int64_t lines = (tile->size - column) / 16 < 4 ? (tile->size - column) / 16 : 4;
        for (int64_t r = begin; r < begin + count; r += 6) {
            int64_t left = begin + count - r < 6 ? begin + count - r : 6;
#define TILE(n, l) case n * 8 + l: wide_values_tile(tile, blocks, block_count, column, r, n, l); break;
#define TILES(n) TILE(n, 1) TILE(n, 2) TILE(n, 3) TILE(n, 4)
            switch (left * 8 + lines) { TILES(1) TILES(2) TILES(3) TILES(4) TILES(5) TILES(6) }
#undef TILES
#undef TILE
        }
    }
}
#endif

ck_attention_kernels ck_attention_compact_kernels(int plain) {
#if defined(__x86_64__)
    if (!plain && ck_packed_level() == 3) {
        return (ck_attention_kernels){compact_prepare, wide_scores, wide_softmax, wide_values};
    }
    if (!plain && ck_packed_level() == 2) {
        return (ck_attention_kernels){compact_prepare, avx2_scores, plain_softmax, avx2_values};
    }
#endif
    return (ck_attention_kernels){compact_prepare, plain_scores, plain_softmax, plain_values};
}
