#pragma once
#include <stdint.h>

// The three steps of a tile, for one vector unit. `blocks` point at the key-value head's part of up to 8 blocks.
typedef struct {
    // scores[r, 16 b + t] = sum_c transposed[c, r] * key[b][c, t] for r in 0 ..< count. transposed has `stride` columns, scores 128.
    void (*scores)(
        const char *const *blocks, int64_t block_count, int64_t size, const float *transposed, int64_t stride,
        int64_t count, float *scores, int half);
    // One row of scores to unnormalised weights e^(s - largest) over keys first ..< last, 0 elsewhere; updates the running maximum and
    // total and rescales the running sums [size] when the maximum rises.
    void (*softmax)(
        float *scores, int64_t keys, int64_t first, int64_t last, float softcap, const float *bias, float *largest,
        float *total, float *sums, int64_t size);
    // sums[r, c] += sum_t scores[r, t] * value[t, c].
    void (*values)(
        const char *const *blocks, int64_t block_count, int64_t size, const float *scores, int64_t count, float *sums,
        int half);
} ck_attention_kernels;

ck_attention_kernels ck_attention_best(void);
