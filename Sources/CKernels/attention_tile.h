#pragma once
#include "ck_attention.h"
#include "ck_vector.h"

#include <math.h>
#include <stdint.h>

// A tile: queries of neighbouring rows that share a key-value head.
typedef struct {
    int64_t queries;
    int64_t size;      // columns of `sums`: the head size, in the compact form rounded up to 16
    float *prepared;   // the queries, scaled, side by side: [head_size, queries], or pairs of i16 [size / 2, queries]
    float *steps;      // [queries] compact: what 1 in a query stands for, times the scale
    float *scores;     // [queries, 128]; afterwards weights, as f32 or in the first half of each row as i16
    float *units;      // [queries] compact: what 1 in a weight times 1 in a value stands for
    float *sums;       // [queries, size] running sums of weighted values
    float *largest;    // [queries] running maximum of the scores
    float *totals;     // [queries] running sum of the weights
} ck_attention_tile;

// The steps of a tile, for one form of the cache and one vector unit. `blocks` are the key-value head's parts of up to 8 blocks;
// queries begin ..< begin + count take part.
typedef struct {
    // Puts a query [head_size] at place r.
    void (*prepare)(const ck_attention_tile *tile, int64_t r, const float *query, int64_t head_size, float scale);
    // scores[r, 16 b + t] = query r times key t of block b.
    void (*scores)(
        const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count);
    // Scores of query r to unnormalised weights e^(s - largest) over keys first ..< last, 0 elsewhere. Updates the running maximum and
    // total, and the running sums when the maximum rises.
    void (*softmax)(
        const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t r, int64_t first,
        int64_t last, float softcap, const float *bias);
    // sums[r] += weights[r] times the values.
    void (*values)(
        const ck_attention_tile *tile, const char *const *blocks, int64_t block_count, int64_t begin, int64_t count);
} ck_attention_kernels;

// Softcap and bias in natural units, where a model or a caller asks for them.
static inline __attribute__((always_inline)) void ck_adjust_scores(
    float *scores, int64_t first, int64_t last, float softcap, const float *bias) {
    if (softcap > 0) {
        for (int64_t t = first; t < last; t++) scores[t] = softcap * tanhf(scores[t] / softcap);
    }
    if (bias) {
        for (int64_t t = first; t < last; t++) scores[t] += bias[t];
    }
}

// Takes in a span's largest score: what is summed up so far shrinks when it is a new maximum. 0: there is nothing to see.
static inline __attribute__((always_inline)) int ck_raise_maximum(
    const ck_attention_tile *tile, int64_t r, float peak) {
    float before = tile->largest[r];
    if (peak > before) {
        float shrink = before == -INFINITY ? 0 : ck_exp(before - peak);
        tile->largest[r] = peak;
        tile->totals[r] *= shrink;
        for (int64_t c = 0; c < tile->size; c++) tile->sums[r * tile->size + c] *= shrink;
    }
    return tile->largest[r] > -INFINITY;
}

// The best kernels for this processor, or, when `plain`, those for any.
ck_attention_kernels ck_attention_float_kernels(int plain);
ck_attention_kernels ck_attention_compact_kernels(int plain);

// The compact form of a key-value head's part of a block, for head sizes rounded up to `size`:
//     keys    i16 [size / 2, 16, 2]   pairs of columns
//     values  i16 [8, size, 2]        pairs of tokens
//     steps   f32 [16], [16]          what 1 in a token's key, and in its value, stands for
// The largest number of a vector becomes CK_KEY_RANGE or CK_VALUE_RANGE: 64 products of queries and keys, and 64 of weights and values,
// just fit into 32 bits.
enum { CK_KEY_RANGE = 5792, CK_VALUE_RANGE = 4095, CK_WEIGHT_RANGE = 8191, CK_EXACT = 64 };

static inline int64_t ck_compact_size(int64_t head_size) { return (head_size + 15) & ~(int64_t)15; }
static inline int64_t ck_compact_bytes(int64_t head_size) {
    return ck_compact_size(head_size) * CK_KV_BLOCK * 4 + 128;
}
static inline const int16_t *ck_compact_values(const char *part, int64_t size) {
    return (const int16_t *)part + size * CK_KV_BLOCK;
}
static inline const float *ck_compact_key_steps(const char *part, int64_t size) {
    return (const float *)(part + size * CK_KV_BLOCK * 4);
}
static inline const float *ck_compact_value_steps(const char *part, int64_t size) {
    return ck_compact_key_steps(part, size) + CK_KV_BLOCK;
}

// What 1 stands for when the largest of x [count] becomes `range`, and its inverse; both 0 when x is.
float ck_compact_step(const float *x, int64_t count, float range, float *inverse);

static inline __attribute__((always_inline)) int16_t ck_compact_integer(float x, float inverse) {
    // Adding 1.5 * 2^23 rounds to the nearest integer (ties to even) and leaves it in the low bits.
    union { float f; int32_t i; } rounded = {x * inverse};
    rounded.f += 12582912.0f;
    return (int16_t)(rounded.i - 0x4b400000);
}
