// Attention over the blocks of ck_attention.h: what does not depend on the vector unit, and the slow reference.
#include "ck_attention.h"
#include "attention_tile.h"
#include "ck_pool.h"
#include "ck_vector.h"

#include <math.h>
#include <stddef.h>

// Bytes of one key-value head's part of a block.
static int64_t part_bytes(const ck_attention_shape *s) {
    return s->compact ? ck_compact_bytes(s->head_size) : (int64_t)s->head_size * CK_KV_BLOCK * 2 * 4;
}

int64_t ck_kv_block_bytes(const ck_attention_shape *s) { return s->kv_heads * part_bytes(s); }

static void write_float(char *part, int64_t size, int64_t slot, const float *key, const float *value) {
    float *to = (float *)part;
    for (int64_t c = 0; c < size; c++) to[c * CK_KV_BLOCK + slot] = key[c];
    memcpy(to + size * CK_KV_BLOCK + slot * size, value, (size_t)size * 4);
}

CK_CLONES static void write_compact(
    char *part, int64_t head_size, int64_t slot, const float *key, const float *value) {
    int64_t size = ck_compact_size(head_size);
    int16_t *keys = (int16_t *)part + slot * 2;
    int16_t *values = (int16_t *)ck_compact_values(part, size) + slot / 2 * size * 2 + slot % 2;
    float inverse;
    ((float *)ck_compact_key_steps(part, size))[slot] = ck_compact_step(key, head_size, CK_KEY_RANGE, &inverse);
    for (int64_t c = 0; c < size; c++) {
        keys[c / 2 * 32 + c % 2] = c < head_size ? ck_compact_integer(key[c], inverse) : 0;
    }
    ((float *)ck_compact_value_steps(part, size))[slot] = ck_compact_step(value, head_size, CK_VALUE_RANGE, &inverse);
    for (int64_t c = 0; c < size; c++) values[c * 2] = c < head_size ? ck_compact_integer(value[c], inverse) : 0;
}

typedef struct {
    const ck_attention_shape *shape;
    char *cache;
    const int64_t *places;
    int64_t rows, stride;
    const float *keys, *values;
} write_job;

enum { WRITE_ROWS = 32 };

static void write_chunk(void *context, int64_t chunk, int thread) {
    (void)thread;
    const write_job *job = context;
    const ck_attention_shape *s = job->shape;
    int64_t end = (chunk + 1) * WRITE_ROWS < job->rows ? (chunk + 1) * WRITE_ROWS : job->rows;
    for (int64_t i = chunk * WRITE_ROWS; i < end; i++) {
        char *block = job->cache + job->places[i] / CK_KV_BLOCK * ck_kv_block_bytes(s);
        for (int64_t h = 0; h < s->kv_heads; h++) {
            int64_t at = i * job->stride + h * s->head_size;
            char *part = block + h * part_bytes(s);
            (s->compact ? write_compact : write_float)(
                part, s->head_size, job->places[i] % CK_KV_BLOCK, job->keys + at, job->values + at);
        }
    }
}

void ck_kv_write(
    const ck_attention_shape *s, void *cache, const int64_t *places, int64_t rows, const float *keys,
    const float *values, int64_t stride) {
    write_job job = {s, cache, places, rows, stride, keys, values};
    ck_parallel((rows + WRITE_ROWS - 1) / WRITE_ROWS, write_chunk, &job);
}

static float key_number(const ck_attention_shape *s, const char *part, int64_t column, int64_t slot) {
    if (!s->compact) return ((const float *)part)[column * CK_KV_BLOCK + slot];
    int16_t number = ((const int16_t *)part)[column / 2 * 32 + slot * 2 + column % 2];
    return number * ck_compact_key_steps(part, ck_compact_size(s->head_size))[slot];
}

static float value_number(const ck_attention_shape *s, const char *part, int64_t column, int64_t slot) {
    if (!s->compact) return ((const float *)part)[(CK_KV_BLOCK + slot) * s->head_size + column];
    int64_t size = ck_compact_size(s->head_size);
    int16_t number = ck_compact_values(part, size)[(slot / 2 * size + column) * 2 + slot % 2];
    return number * ck_compact_value_steps(part, size)[slot];
}

void ck_attend_reference(
    const ck_attention_shape *s, const void *cache, const ck_attention_batch *batch, const float *q, int64_t q_stride,
    float *out, int64_t out_stride, float *weights, int64_t weights_stride) {
    int64_t size = s->head_size, group = s->heads / s->kv_heads;
    for (int64_t i = 0; i < batch->rows; i++) {
        int64_t length = batch->lengths[i], first = batch->firsts ? batch->firsts[i] : 0;
        double *scores = ck_allocate((size_t)length * sizeof(double));
        for (int64_t h = 0; h < s->heads; h++) {
            const float *query = q + i * q_stride + h * size;
            const float *bias = batch->biases ? batch->biases[i * s->heads + h] : NULL;
            const char *parts = (const char *)cache + h / group * part_bytes(s);
            double largest = -INFINITY, total = 0;
            for (int64_t p = first; p < length; p++) {
                const char *part = parts + batch->tables[i][p / 16] * ck_kv_block_bytes(s);
                double dot = 0;
                for (int64_t c = 0; c < size; c++) dot += query[c] * key_number(s, part, c, p % 16);
                dot *= s->scale;
                if (s->softcap > 0) dot = s->softcap * tanh(dot / s->softcap);
                scores[p] = dot + (bias ? bias[p] : 0);
                if (scores[p] > largest) largest = scores[p];
            }
            for (int64_t p = first; p < length; p++) total += scores[p] = exp(scores[p] - largest);
            for (int64_t c = 0; c < size; c++) {
                double sum = 0;
                for (int64_t p = first; p < length; p++) {
                    const char *part = parts + batch->tables[i][p / 16] * ck_kv_block_bytes(s);
                    sum += scores[p] * value_number(s, part, c, p % 16);
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
    int64_t q_stride, out_stride, tile_rows, tile_size;
    float *scratch;
    int64_t scratch_floats;
    ck_attention_kernels kernels;
} attend_job;

// Whether rows a and b read the same blocks in the span.
static int shares(const ck_attention_batch *batch, int64_t a, int64_t b, int64_t first_block, int64_t blocks) {
    const int32_t *left = batch->tables[a], *right = batch->tables[b];
    return left == right || memcmp(left + first_block, right + first_block, (size_t)blocks * 4) == 0;
}

// Floats of a tile's scratch memory, a multiple of a cache line's.
static int64_t tile_floats(int64_t queries, int64_t size) {
    return (queries * (2 * size + CK_KV_SPAN + 4) + 31) & ~(int64_t)15;
}

static ck_attention_tile tile_at(float *at, int64_t queries, int64_t size) {
    ck_attention_tile tile = {.queries = queries, .size = size, .scores = at};
    tile.sums = tile.scores + queries * CK_KV_SPAN;
    tile.prepared = tile.sums + queries * size;
    tile.steps = tile.prepared + queries * size;
    tile.units = tile.steps + queries;
    tile.largest = tile.units + queries;
    tile.totals = tile.largest + queries;
    return tile;
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

    ck_attention_tile tile = tile_at(job->scratch + thread * job->scratch_floats, queries, job->tile_size);
    for (int64_t r = 0; r < queries; r++) {
        const float *query = job->q + (first_row + r / group) * job->q_stride + (kv_head * group + r % group) * size;
        job->kernels.prepare(&tile, r, query, size, s->scale);
        tile.largest[r] = -INFINITY;
        tile.totals[r] = 0;
    }
    memset(tile.sums, 0, (size_t)(tile.size * queries) * 4);

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
                            kv_head * part_bytes(s);
            }
            job->kernels.scores(&tile, blocks, run_blocks, begin, count);
            for (int64_t r = begin; r < begin + count; r++) {
                int64_t at_row = first_row + r / group, seen = batch->lengths[at_row] - span;
                int64_t from = batch->firsts ? batch->firsts[at_row] - span : 0;
                const float *bias =
                    batch->biases ? batch->biases[at_row * s->heads + kv_head * group + r % group] : NULL;
                job->kernels.softmax(
                    &tile, blocks, run_blocks, r, from < 0 ? 0 : from, seen < run_blocks * 16 ? seen : run_blocks * 16,
                    s->softcap, bias ? bias + span : NULL);
            }
            job->kernels.values(&tile, blocks, run_blocks, begin, count);
            row = end;
        }
    }
    for (int64_t r = 0; r < queries; r++) {
        float *to = job->out + (first_row + r / group) * job->out_stride + (kv_head * group + r % group) * size;
        float inverse = tile.totals[r] > 0 ? 1 / tile.totals[r] : 0;
        for (int64_t c = 0; c < size; c++) to[c] = tile.sums[r * tile.size + c] * inverse;
    }
}

static void attend(
    const ck_attention_shape *s, const void *cache, const ck_attention_batch *batch, const float *q, int64_t q_stride,
    float *out, int64_t out_stride, int plain) {
    if (batch->rows == 0) return;
    int64_t group = s->heads / s->kv_heads, threads = ck_pool_threads();
    // About 24 queries a tile reuse each key and value enough; fewer when there would not be work for every thread.
    int64_t rows = 24 / group < 1 ? 1 : 24 / group;
    while (rows > 1 && (batch->rows + rows - 1) / rows * s->kv_heads < 2 * threads) rows = (rows + 1) / 2;
    if (rows > batch->rows) rows = batch->rows;
    attend_job job = {
        .shape = s, .cache = cache, .batch = batch, .q = q, .out = out, .q_stride = q_stride,
        .out_stride = out_stride, .tile_rows = rows,
        .tile_size = s->compact ? ck_compact_size(s->head_size) : s->head_size,
        .kernels = s->compact ? ck_attention_compact_kernels(plain) : ck_attention_float_kernels(plain),
    };
    job.scratch_floats = tile_floats(rows * group, job.tile_size);
    job.scratch = ck_allocate((size_t)(threads * job.scratch_floats) * 4);
    ck_parallel((batch->rows + rows - 1) / rows * s->kv_heads, attend_tile, &job);
    ck_release(job.scratch);
}

void ck_attend(
    const ck_attention_shape *s, const void *cache, const ck_attention_batch *batch, const float *q, int64_t q_stride,
    float *out, int64_t out_stride) {
    attend(s, cache, batch, q, q_stride, out, out_stride, 0);
}

void ck_attend_plainly(
    const ck_attention_shape *s, const void *cache, const ck_attention_batch *batch, const float *q, int64_t q_stride,
    float *out, int64_t out_stride) {
    attend(s, cache, batch, q, q_stride, out, out_stride, 1);
}
