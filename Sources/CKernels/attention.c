// Attention over the blocks of ck_attention.h: what does not depend on the vector unit, and the slow reference.
#include "ck_attention.h"
#include "attention_tile.h"
#include "ck_half.h"
#include "ck_pool.h"
#include "ck_vector.h"

#include <math.h>
#include <stddef.h>

static int64_t element_bytes(const ck_attention_shape *s) { return s->half ? 2 : 4; }

int64_t ck_kv_block_bytes(const ck_attention_shape *s) {
    return (int64_t)s->kv_heads * s->head_size * CK_KV_BLOCK * 2 * element_bytes(s);
}

static uint16_t finite_half(float value) {
    value = value > 65504 ? 65504 : value < -65504 ? -65504 : value;
    return ck_float_to_half(value);
}

CK_CLONES void ck_kv_write(
    const ck_attention_shape *s, void *cache, const int64_t *places, int64_t rows, const float *keys,
    const float *values, int64_t stride) {
    int64_t size = s->head_size, head_elements = size * CK_KV_BLOCK * 2;
    for (int64_t i = 0; i < rows; i++) {
        int64_t slot = places[i] % CK_KV_BLOCK;
        char *block = (char *)cache + places[i] / CK_KV_BLOCK * ck_kv_block_bytes(s);
        for (int64_t h = 0; h < s->kv_heads; h++) {
            const float *k = keys + i * stride + h * size, *v = values + i * stride + h * size;
            if (s->half) {
                uint16_t *to = (uint16_t *)block + h * head_elements;
                for (int64_t c = 0; c < size; c++) to[c * CK_KV_BLOCK + slot] = finite_half(k[c]);
                to += size * CK_KV_BLOCK + slot * size;
                for (int64_t c = 0; c < size; c++) to[c] = finite_half(v[c]);
            } else {
                float *to = (float *)block + h * head_elements;
                for (int64_t c = 0; c < size; c++) to[c * CK_KV_BLOCK + slot] = k[c];
                to += size * CK_KV_BLOCK + slot * size;
                for (int64_t c = 0; c < size; c++) to[c] = v[c];
            }
        }
    }
}

static float cache_value(const ck_attention_shape *s, const void *block, int64_t index) {
    return s->half ? ck_half_to_float(((const uint16_t *)block)[index]) : ((const float *)block)[index];
}

void ck_attend_reference(
    const ck_attention_shape *s, const void *cache, const ck_attention_batch *batch, const float *q, int64_t q_stride,
    float *out, int64_t out_stride, float *weights, int64_t weights_stride) {
    int64_t size = s->head_size, head_elements = size * CK_KV_BLOCK * 2, group = s->heads / s->kv_heads;
    for (int64_t i = 0; i < batch->rows; i++) {
        int64_t length = batch->lengths[i], first = batch->firsts ? batch->firsts[i] : 0;
        double *scores = ck_allocate((size_t)length * sizeof(double));
        for (int64_t h = 0; h < s->heads; h++) {
            const float *query = q + i * q_stride + h * size;
            const float *bias = batch->biases ? batch->biases[i * s->heads + h] : NULL;
            double largest = -INFINITY, total = 0;
            for (int64_t p = first; p < length; p++) {
                const char *block = (const char *)cache + batch->tables[i][p / 16] * ck_kv_block_bytes(s);
                double dot = 0;
                for (int64_t c = 0; c < size; c++) {
                    dot += query[c] * cache_value(s, block, h / group * head_elements + c * 16 + p % 16);
                }
                dot *= s->scale;
                if (s->softcap > 0) dot = s->softcap * tanh(dot / s->softcap);
                scores[p] = dot + (bias ? bias[p] : 0);
                if (scores[p] > largest) largest = scores[p];
            }
            for (int64_t p = first; p < length; p++) total += scores[p] = exp(scores[p] - largest);
            for (int64_t c = 0; c < size; c++) {
                double sum = 0;
                for (int64_t p = first; p < length; p++) {
                    const char *block = (const char *)cache + batch->tables[i][p / 16] * ck_kv_block_bytes(s);
                    sum += scores[p] *
                           cache_value(s, block, h / group * head_elements + size * 16 + p % 16 * size + c);
                }
                if (out) out[i * out_stride + h * size + c] = (float)(sum / total);
            }
            if (weights) {
                float *row = weights + (i * s->heads + h) * weights_stride;
                for (int64_t p = 0; p < length; p++) row[p] = p < first ? 0 : (float)(scores[p] / total);
            }
        }
        ck_release(scores);
    }
}

typedef struct {
    const ck_attention_shape *shape;
    const char *cache;
    const ck_attention_batch *batch;
    const float *q;
    float *out;
    int64_t q_stride, out_stride, tile_rows, tiles;
    float *scratch;
    int64_t scratch_floats;
    ck_attention_kernels kernels;
} attend_job;

// Whether rows a and b read the same blocks in the span.
static int shares(const ck_attention_batch *batch, int64_t a, int64_t b, int64_t first_block, int64_t blocks) {
    const int32_t *left = batch->tables[a], *right = batch->tables[b];
    return left == right || memcmp(left + first_block, right + first_block, (size_t)blocks * 4) == 0;
}

// One tile: some neighbouring rows times the query heads of one key-value head.
static void attend_tile(void *context, int64_t chunk, int thread) {
    const attend_job *job = context;
    const ck_attention_shape *s = job->shape;
    const ck_attention_batch *batch = job->batch;
    int64_t size = s->head_size, group = s->heads / s->kv_heads;
    int64_t kv_head = chunk % s->kv_heads, first_row = chunk / s->kv_heads * job->tile_rows;
    int64_t rows = batch->rows - first_row < job->tile_rows ? batch->rows - first_row : job->tile_rows;
    int64_t queries = rows * group;

    float *at = job->scratch + thread * job->scratch_floats;
    float *transposed = at;                        // [head_size, queries]
    float *sums = transposed + size * queries;     // [queries, head_size]
    float *scores = sums + size * queries;         // [queries, 128]
    float *largest = scores + CK_KV_SPAN * queries;  // [queries]
    float *totals = largest + queries;             // [queries]

    for (int64_t r = 0; r < queries; r++) {
        const float *query = job->q + (first_row + r / group) * job->q_stride + (kv_head * group + r % group) * size;
        for (int64_t c = 0; c < size; c++) transposed[c * queries + r] = query[c] * s->scale;
        largest[r] = -INFINITY;
        totals[r] = 0;
    }
    memset(sums, 0, (size_t)(size * queries) * 4);

    int64_t longest = 0, earliest = INT64_MAX;
    for (int64_t r = first_row; r < first_row + rows; r++) {
        if (batch->lengths[r] > longest) longest = batch->lengths[r];
        int64_t first = batch->firsts ? batch->firsts[r] : 0;
        if (first < earliest) earliest = first;
    }
    for (int64_t span = earliest / CK_KV_SPAN * CK_KV_SPAN; span < longest; span += CK_KV_SPAN) {
        int64_t row = first_row;
        while (row < first_row + rows) {
            if (batch->lengths[row] <= span || (batch->firsts && batch->firsts[row] >= span + CK_KV_SPAN)) {
                row++;
                continue;
            }
            // A run of rows that read the same blocks of this span.
            int64_t end = row + 1, keys = batch->lengths[row] - span;
            int64_t run_blocks = ((keys < CK_KV_SPAN ? keys : CK_KV_SPAN) + 15) / 16;
            while (end < first_row + rows && batch->lengths[end] > span) {
                if (batch->firsts && batch->firsts[end] >= span + CK_KV_SPAN) break;
                int64_t more = batch->lengths[end] - span;
                int64_t blocks = ((more < CK_KV_SPAN ? more : CK_KV_SPAN) + 15) / 16;
                int64_t common = blocks < run_blocks ? blocks : run_blocks;
                if (!shares(batch, row, end, span / 16, common)) break;
                // Rows with further blocks of their own share a run only when the longer table covers the shorter.
                if (blocks != run_blocks && batch->tables[row] != batch->tables[end]) break;
                if (blocks > run_blocks) run_blocks = blocks;
                end++;
            }
            int64_t widest = row;
            for (int64_t r = row; r < end; r++) {
                if (batch->lengths[r] > batch->lengths[widest]) widest = r;
            }
            int64_t begin = (row - first_row) * group, count = (end - row) * group;
            const char *blocks[CK_KV_SPAN / CK_KV_BLOCK];
            for (int64_t b = 0; b < run_blocks; b++) {
                blocks[b] = job->cache + batch->tables[widest][span / 16 + b] * ck_kv_block_bytes(s) +
                            kv_head * size * CK_KV_BLOCK * 2 * element_bytes(s);
            }
            job->kernels.scores(
                blocks, run_blocks, size, transposed + begin, queries, count, scores + begin * CK_KV_SPAN, s->half);
            for (int64_t r = begin; r < begin + count; r++) {
                int64_t at_row = first_row + r / group, seen = batch->lengths[at_row] - span;
                int64_t from = batch->firsts ? batch->firsts[at_row] - span : 0;
                const float *bias =
                    batch->biases ? batch->biases[at_row * s->heads + kv_head * group + r % group] : NULL;
                job->kernels.softmax(
                    scores + r * CK_KV_SPAN, run_blocks * 16, from < 0 ? 0 : from,
                    seen < run_blocks * 16 ? seen : run_blocks * 16, s->softcap, bias ? bias + span : NULL,
                    largest + r, totals + r, sums + r * size, size);
            }
            job->kernels.values(
                blocks, run_blocks, size, scores + begin * CK_KV_SPAN, count, sums + begin * size, s->half);
            row = end;
        }
    }
    for (int64_t r = 0; r < queries; r++) {
        float *to = job->out + (first_row + r / group) * job->out_stride + (kv_head * group + r % group) * size;
        float inverse = totals[r] > 0 ? 1 / totals[r] : 0;
        for (int64_t c = 0; c < size; c++) to[c] = sums[r * size + c] * inverse;
    }
}

void ck_attend(
    const ck_attention_shape *s, const void *cache, const ck_attention_batch *batch, const float *q, int64_t q_stride,
    float *out, int64_t out_stride) {
    if (batch->rows == 0) return;
    int64_t group = s->heads / s->kv_heads, threads = ck_pool_threads();
    // About 24 queries a tile reuse each key and value enough; fewer when there would not be work for every thread.
    int64_t rows = 24 / group < 1 ? 1 : 24 / group;
    while (rows > 1 && (batch->rows + rows - 1) / rows * s->kv_heads < 2 * threads) rows = (rows + 1) / 2;
    if (rows > batch->rows) rows = batch->rows;
    attend_job job = {
        .shape = s, .cache = cache, .batch = batch, .q = q, .out = out, .q_stride = q_stride,
        .out_stride = out_stride, .tile_rows = rows, .tiles = (batch->rows + rows - 1) / rows,
        .kernels = ck_attention_best(),
    };
    job.scratch_floats = (rows * group * (2 * s->head_size + CK_KV_SPAN + 2) + 31) & ~(int64_t)15;
    job.scratch = ck_allocate((size_t)(threads * job.scratch_floats) * 4);
    ck_parallel(job.tiles * s->kv_heads, attend_tile, &job);
    ck_release(job.scratch);
}
