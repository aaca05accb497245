#pragma once
#include <stdint.h>

// Causal grouped-query attention over keys and values that stand in blocks of 16 tokens, so that sequences share blocks.
//
// One layer's cache is an array of blocks. In a block, for each key-value head: keys transposed [head_size, 16], then values
// [16, head_size] in f32; or, `compact`, both as integers of 13 bits with a scale for each vector, in the form of attention_tile.h. Their
// products are exact sums, twice as fast as f32 where the processor has instructions for them. A sequence is a table of block numbers;
// token p stands in block table[p / 16], slot p % 16.
//
// Scores are taken 128 keys at a time with a running maximum and sum, from the first key on, each query for itself: its result is the
// same to the bit whatever else is in the batch. Neighbouring rows whose tables name the same blocks read them once.

enum { CK_KV_BLOCK = 16, CK_KV_SPAN = 128 };

typedef struct {
    int32_t heads, kv_heads, head_size;  // multiples of 16 are fastest
    int32_t compact;
    float scale;
    float softcap;  // scores become softcap * tanh(score / softcap); 0: off
} ck_attention_shape;

typedef struct {
    int64_t rows;
    const int32_t *const *tables;  // [rows] block numbers of the row's sequence
    const int32_t *lengths;        // [rows] keys 0 ..< length are seen
    const int32_t *firsts;         // [rows] keys before this one are not seen (sliding window), or NULL
    const float *const *biases;    // [rows x heads] added to the scaled score of key p, or NULL where none; or NULL
} ck_attention_batch;

int64_t ck_kv_block_bytes(const ck_attention_shape *shape);

// Stores keys and values (rows `stride` floats apart, [kv_heads, head_size] each) at places[row] = block * 16 + slot.
void ck_kv_write(
    const ck_attention_shape *shape, void *cache, const int64_t *places, int64_t rows, const float *keys,
    const float *values, int64_t stride);

// out[row] = concatenated heads of softmax(q k / scale + bias) v. q and out: rows `q_stride` and `out_stride` floats apart,
// [heads, head_size] each. Runs on the pool.
void ck_attend(
    const ck_attention_shape *shape, const void *cache, const ck_attention_batch *batch, const float *q,
    int64_t q_stride, float *out, int64_t out_stride);

// The same with the kernels that any processor can run.
void ck_attend_plainly(
    const ck_attention_shape *shape, const void *cache, const ck_attention_batch *batch, const float *q,
    int64_t q_stride, float *out, int64_t out_stride);

// The same by the slow, obvious path. When `weights` is not NULL it receives the attention weights of each row and head,
// [rows, heads, weights_stride].
void ck_attend_reference(
    const ck_attention_shape *shape, const void *cache, const ck_attention_batch *batch, const float *q,
    int64_t q_stride, float *out, int64_t out_stride, float *weights, int64_t weights_stride);
