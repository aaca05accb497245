// The products of packed weights with AVX2, which multiplies unsigned by signed bytes and adds pairs of them in 16 bits.
#include "packed_layout.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2,fma,f16c")))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))

// sums[2 r], sums[2 r + 1] += four columns of weight rows 0 to 7 and 8 to 15, numbers up to 15, times those of row r.
AVX2_INLINE void add_columns(__m256i *sums, __m256i first, __m256i second, const int8_t *columns, const int count) {
#pragma unroll
    for (int r = 0; r < count; r++) {
        int32_t four;
        memcpy(&four, columns + r * 4, 4);
        __m256i all = _mm256_set1_epi32(four);
        sums[2 * r] = _mm256_add_epi16(sums[2 * r], _mm256_maddubs_epi16(first, all));
        sums[2 * r + 1] = _mm256_add_epi16(sums[2 * r + 1], _mm256_maddubs_epi16(second, all));
    }
}

// totals += (the sums of one block's products) << shift. Eight pairs of at most 2 * 15 * 128 just fit into 16 bits.
AVX2_INLINE void widen(__m256i *totals, const __m256i *sums, const int shift, const int count) {
    const __m256i ones = _mm256_set1_epi16(1);
#pragma unroll
    for (int i = 0; i < 2 * count; i++) {
        totals[i] = _mm256_add_epi32(totals[i], _mm256_slli_epi32(_mm256_madd_epi16(sums[i], ones), shift));
    }
}

AVX2_INLINE __m256i lower(__m256i bytes) { return _mm256_and_si256(bytes, _mm256_set1_epi8(15)); }
AVX2_INLINE __m256i upper(__m256i bytes) { return lower(_mm256_srli_epi16(bytes, 4)); }

// totals += the products of one block. 4-bit weights have their first columns in the lower halves of bytes, the others in the upper ones;
// 8-bit weights are taken in two goes, by halves.
AVX2_INLINE void add_block(
    __m256i *totals, const uint8_t *at, const int8_t *columns, const int shift, const int count, const int bits,
    const int block) {
    const int lines = bits == 8 ? block / 4 : block / 8;
#pragma unroll
    for (int half = 0; half < (bits == 8 ? 2 : 1); half++) {
        __m256i sums[8];
#pragma unroll
        for (int i = 0; i < 2 * count; i++) sums[i] = _mm256_setzero_si256();
#pragma unroll
        for (int v = 0; v < lines; v++) {
            __m256i first = _mm256_loadu_si256((const __m256i *)(at + v * 64));
            __m256i second = _mm256_loadu_si256((const __m256i *)(at + v * 64 + 32));
            if (half == 0) add_columns(sums, lower(first), lower(second), columns + v * count * 4, count);
            if (half == 1) add_columns(sums, upper(first), upper(second), columns + v * count * 4, count);
            if (bits == 4) add_columns(sums, upper(first), upper(second), columns + (v + lines) * count * 4, count);
        }
        widen(totals, sums, shift + 4 * half, count);
    }
}

// The same of those groups of four columns only that are marked; the others are zeros.
AVX2_INLINE void add_marked(
    __m256i *totals, const uint8_t *at, const int8_t *columns, int marks, const int shift, const int count,
    const int bits, const int block) {
    const int lines = bits == 8 ? block / 4 : block / 8;
    for (int half = 0; half < (bits == 8 ? 2 : 1); half++) {
        __m256i sums[8];
#pragma unroll
        for (int i = 0; i < 2 * count; i++) sums[i] = _mm256_setzero_si256();
        for (int left = marks; left; left &= left - 1) {
            int v = __builtin_ctz((unsigned)left), line = v < lines ? v : v - lines;
            __m256i first = _mm256_loadu_si256((const __m256i *)(at + line * 64));
            __m256i second = _mm256_loadu_si256((const __m256i *)(at + line * 64 + 32));
            int is_upper = bits == 8 ? half : v >= lines;
            first = is_upper ? upper(first) : lower(first), second = is_upper ? upper(second) : lower(second);
            add_columns(sums, first, second, columns + v * count * 4, count);
        }
        widen(totals, sums, shift + 4 * half, count);
    }
}

// A panel of `count` activation rows times one group of 16 weight rows. The last four parameters are compile-time constants.
AVX2_INLINE void tile(
    const ck_packed *w, const uint8_t *at, const ck_activations *x, int64_t start, float *out, int64_t stride,
    int accumulate, int lanes, int prefetch, const int count, const int bits, const int block, const int has_mins) {
    const int64_t blocks = w->columns / block;
    const int64_t q_bytes = 16 * block * bits / 8, bytes = q_bytes + 32 + (has_mins ? 32 : 0);
    const int8_t *q = x->q + start * w->columns;
    const ptrdiff_t to_high = x->high - x->q;
    const float *xd = x->d + start * (w->columns / 32);
    const float *dsums = x->dsums + start * blocks;
    const __m256 offset = _mm256_set1_ps((float)-w->offset);
    __m256 total[8];
#pragma unroll
    for (int i = 0; i < 2 * count; i++) total[i] = _mm256_setzero_ps();
    for (int64_t b = 0; b < blocks; b++) {
        __m256i sum[8];
#pragma unroll
        for (int i = 0; i < 2 * count; i++) sum[i] = _mm256_setzero_si256();
        int marks = x->high ? panel_marks(x, start, b, block) : 0;
        if (marks == (1 << block / 4) - 1) {
            add_block(sum, at, q + to_high, 8, count, bits, block);
        } else if (marks) {
            add_marked(sum, at, q + to_high, marks, 8, count, bits, block);
        }
        add_block(sum, at, q, 0, count, bits, block);
        // Weights come from memory once: ask for them well before the hardware foresees the need.
        if (prefetch) {
#pragma unroll
            for (int line = 0; line < bytes; line += 64) _mm_prefetch((const char *)at + 8192 + line, _MM_HINT_T0);
        }
#pragma unroll
        for (int h = 0; h < 2; h++) {
            __m256 d = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(at + q_bytes + h * 16)));
            __m256 m = has_mins ? _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(at + q_bytes + 32 + h * 16)))
                                : _mm256_mul_ps(d, offset);
#pragma unroll
            for (int r = 0; r < count; r++) {
                __m256 scale = _mm256_mul_ps(d, _mm256_set1_ps(xd[r]));
                __m256 *to = total + 2 * r + h;
                *to = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum[2 * r + h]), scale, *to);
                *to = _mm256_fmadd_ps(m, _mm256_set1_ps(dsums[r]), *to);
            }
        }
        at += bytes;
        q += block * count;
        dsums += count;
        if (block == 32 || (b & 1)) xd += count;
    }
    const __m256 scale = _mm256_set1_ps(w->scale);
#pragma unroll
    for (int i = 0; i < 2 * count; i++) {
        float *row = out + i / 2 * stride + i % 2 * 8;
        __m256 result = _mm256_mul_ps(total[i], scale);
        if (lanes == 16) {
            _mm256_storeu_ps(row, accumulate ? _mm256_add_ps(_mm256_loadu_ps(row), result) : result);
        } else {
            float parts[8];
            _mm256_storeu_ps(parts, result);
            for (int lane = 0; lane < 8 && i % 2 * 8 + lane < lanes; lane++) {
                row[lane] = (accumulate ? row[lane] : 0) + parts[lane];
            }
        }
    }
}

AVX2_INLINE void group(
    const ck_packed *w, const ck_activations *x, float *out, int64_t stride, int accumulate, int64_t g, int64_t first,
    int64_t last, const int bits, const int block, const int has_mins) {
    const uint8_t *weights = w->data + g * group_bytes(w);
    int lanes = w->rows - g * 16 >= 16 ? 16 : (int)(w->rows - g * 16);
    for (int64_t start = first; start < last; start += x->panel) {
        float *at = out + start * stride + g * 16;
#define TILE(count)                                                                                                  \
    case count:                                                                                                      \
        tile(w, weights, x, start, at, stride, accumulate, lanes, start == first, count, bits, block, has_mins);     \
        break;
        switch (panel_rows(x, start)) { TILE(1) TILE(2) TILE(3) TILE(4) }
#undef TILE
    }
}

CK_GROUP_KERNELS(AVX2, group, ck_group_kernel ck_avx2_group)
#else
ck_group_kernel ck_avx2_group(const ck_packed *w) {
    (void)w;
    return NULL;
}
#endif
