#include "training_attention.h"

#include <stdlib.h>

#include "ck_pool.h"
#include "elementwise_math.h"

enum { QUERIES = 64, KEYS = 64 };  // rows and columns of a score tile

CK_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
CK_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

// C[m, n] += A[m, k] · B[k, n]; A[i, l] = a[i * a_row + l * a_column], B's and C's columns are adjacent.
CK_INLINE void multiply_add(
    const float *a, int64_t a_row, int64_t a_column, const float *b, int64_t b_row, float *c, int64_t c_row, int64_t m,
    int64_t n, int64_t k) {
    int64_t i = 0;
#define TILE(ROWS, VECTORS)                                                                                       \
    {                                                                                                             \
        f32x16 sum[ROWS][VECTORS];                                                                                \
        for (int r = 0; r < ROWS; r++) {                                                                          \
            for (int t = 0; t < VECTORS; t++) sum[r][t] = load16(c + (i + r) * c_row + j + 16 * t);               \
        }                                                                                                         \
        for (int64_t l = 0; l < k; l++) {                                                                         \
            f32x16 line[VECTORS];                                                                                 \
            for (int t = 0; t < VECTORS; t++) line[t] = load16(b + l * b_row + j + 16 * t);                       \
            for (int r = 0; r < ROWS; r++) {                                                                      \
                float factor = a[(i + r) * a_row + l * a_column];                                                 \
                for (int t = 0; t < VECTORS; t++) sum[r][t] += factor * line[t];                                  \
            }                                                                                                     \
        }                                                                                                         \
        for (int r = 0; r < ROWS; r++) {                                                                          \
            for (int t = 0; t < VECTORS; t++) store16(c + (i + r) * c_row + j + 16 * t, sum[r][t]);               \
        }                                                                                                         \
    }
#define STRIP(ROWS)                                                                                               \
    {                                                                                                             \
        int64_t j = 0;                                                                                            \
        for (; j + 64 <= n; j += 64) TILE(ROWS, 4)                                                                \
        for (; j + 32 <= n; j += 32) TILE(ROWS, 2)                                                                \
        for (; j + 16 <= n; j += 16) TILE(ROWS, 1)                                                                \
        for (; j < n; j++) {                                                                                      \
            for (int r = 0; r < ROWS; r++) {                                                                      \
                float sum = c[(i + r) * c_row + j];                                                               \
                for (int64_t l = 0; l < k; l++) sum += a[(i + r) * a_row + l * a_column] * b[l * b_row + j];      \
                c[(i + r) * c_row + j] = sum;                                                                     \
            }                                                                                                     \
        }                                                                                                         \
    }
    for (; i + 4 <= m; i += 4) STRIP(4)
    for (; i < m; i++) STRIP(1)
#undef STRIP
#undef TILE
}

// t[c, r] = x[r, c]; the columns of t past `rows` up to KEYS become 0.
CK_INLINE void transpose_block(const float *x, int64_t x_row, float *t, int64_t rows, int64_t columns) {
    for (int64_t c = 0; c < columns; c++) {
        for (int64_t r = 0; r < rows; r++) t[c * KEYS + r] = x[r * x_row + c];
        for (int64_t r = rows; r < KEYS; r++) t[c * KEYS + r] = 0;
    }
}

// The keys that a query sees, counted from the start of its sequence: [first, first_end) of those that its text shares with others, and
// [own, own_end).
typedef struct {
    int64_t first, first_end, own, own_end;
} sight;

// What query i of sequence s, of n tokens, sees.
CK_INLINE sight sight_of(const ck_attention *at, int64_t s, int64_t n, int64_t i) {
    int64_t branch = at->branches ? at->branches[at->starts[s] + i] : 0, window = at->window;
    int64_t shared = branch > 0 ? at->shared[s] : 0, place = shared + i - branch;  // in its own text
    return (sight){
        .first = window > 0 ? least(shared, most(0, place - window + 1)) : 0,
        .first_end = shared,
        .own = window > 0 ? most(branch, i - window + 1) : branch,
        .own_end = at->causal ? i + 1 : (window > 0 ? least(n, i + window) : n),
    };
}

// What any of the queries [from, from + m) sees.
CK_INLINE sight sight_of_block(const ck_attention *at, int64_t s, int64_t n, int64_t from, int64_t m) {
    sight all = sight_of(at, s, n, from);
    // Without branches the first and the last query tell.
    int64_t step = at->branches ? 1 : most(1, m - 1);
    for (int64_t i = from + step; i < from + m; i += step) {
        sight one = sight_of(at, s, n, i);
        if (one.first < one.first_end) {
            all.first = all.first < all.first_end ? least(all.first, one.first) : one.first;
            all.first_end = one.first_end;
        }
        all.own = least(all.own, one.own), all.own_end = most(all.own_end, one.own_end);
    }
    return all;
}

// The same of the tile of so many keys that begins at j0, counted from there.
CK_INLINE sight within_tile(sight all, int64_t j0, int64_t keys) {
    return (sight){
        most(all.first - j0, 0), least(all.first_end - j0, keys), most(all.own - j0, 0), least(all.own_end - j0, keys)};
}

CK_INLINE int sees_shared(sight tile) { return tile.first < tile.first_end; }
CK_INLINE int sees_own(sight tile) { return tile.own < tile.own_end; }
CK_INLINE int sees_all(sight tile) {
    return (tile.own == 0 && tile.own_end == KEYS) || (tile.first == 0 && tile.first_end == KEYS);
}
CK_INLINE int sees(sight tile, int64_t j) {
    return (j >= tile.own && j < tile.own_end) || (j >= tile.first && j < tile.first_end);
}

// MARK: Forward

typedef struct {
    const ck_attention *attention;
    float *o, *normaliser;
    int64_t *blocks;  // [sequences + 1]: query blocks before each sequence
} forward_job;

// One block of queries of one sequence, for all query heads of one key head.
CK_CLONES static void forward_block(
    const ck_attention *at, float *o, float *normaliser, int64_t sequence, int64_t first_query, int64_t key_head) {
    int64_t start = at->starts[sequence], n = at->starts[sequence + 1] - start;
    int64_t group = at->query_heads / at->key_heads, d = at->width, dv = at->value_width;
    int64_t m = least(QUERIES, n - first_query);
    float scale = at->scale;
    float *scratch = aligned_alloc(64, ((size_t)(d * KEYS + QUERIES * KEYS + group * QUERIES * (dv + 2)) * 4 + 63) / 64 * 64);
    if (!scratch) abort();
    float *turned = scratch;                  // Kᵀ [d, KEYS]
    float *scores = turned + d * KEYS;        // [QUERIES, KEYS]
    float *sums = scores + QUERIES * KEYS;    // Σ p v [group, QUERIES, dv]
    float *tops = sums + group * QUERIES * dv;  // running maximum [group, QUERIES]
    float *masses = tops + group * QUERIES;     // running Σ e^(s - top)
    memset(sums, 0, (size_t)(group * QUERIES * dv) * 4);
    for (int64_t i = 0; i < group * QUERIES; i++) tops[i] = -INFINITY, masses[i] = 0;

    sight block = sight_of_block(at, sequence, n, first_query, m);
    int64_t from = block.first < block.first_end ? block.first : block.own;
    for (int64_t j0 = from / KEYS * KEYS; j0 < block.own_end; j0 += KEYS) {
        int64_t keys = least(KEYS, n - j0);
        sight of_tile = within_tile(block, j0, keys);
        if (!sees_shared(of_tile) && !sees_own(of_tile)) continue;
        const float *k = at->k + (start + j0) * at->k_row + key_head * d;
        const float *v = at->v + (start + j0) * at->v_row + key_head * dv;
        transpose_block(k, at->k_row, turned, keys, d);
        for (int64_t g = 0; g < group; g++) {
            const float *q = at->q + (start + first_query) * at->q_row + (key_head * group + g) * d;
            float *sum = sums + g * QUERIES * dv, *top = tops + g * QUERIES, *mass = masses + g * QUERIES;
            memset(scores, 0, sizeof(float) * QUERIES * KEYS);
            multiply_add(q, at->q_row, 1, turned, KEYS, scores, KEYS, m, KEYS, d);
            for (int64_t i = 0; i < m; i++) {
                float *row = scores + i * KEYS, factor = scale;
                sight seen = within_tile(sight_of(at, sequence, n, first_query + i), j0, keys);
                if (!sees_shared(seen) && !sees_own(seen)) {
                    memset(row, 0, sizeof(float) * KEYS);
                    continue;
                }
                if (!sees_all(seen) || scale <= 0) {
                    for (int64_t j = 0; j < KEYS; j++) row[j] = sees(seen, j) ? row[j] * scale : -INFINITY;
                    factor = 1;
                }
                float best = max_of(row, KEYS) * factor;
                if (best > top[i]) {
                    float shrink = exp_below(top[i] - best);
                    top[i] = best;
                    mass[i] *= shrink;
                    for (int64_t c = 0; c < dv; c++) sum[i * dv + c] *= shrink;
                }
                float shift = top[i];
                for (int64_t j = 0; j < KEYS; j++) row[j] = exp_below(row[j] * factor - shift);
                mass[i] += sum_of(row, KEYS);
            }
            multiply_add(scores, KEYS, 1, v, at->v_row, sum, dv, m, dv, keys);
        }
    }
    for (int64_t g = 0; g < group; g++) {
        int64_t head = key_head * group + g;
        for (int64_t i = 0; i < m; i++) {
            int64_t token = start + first_query + i, place = g * QUERIES + i;
            float inverse = masses[place] > 0 ? 1.0f / masses[place] : 0.0f;
            float *out = o + (token * at->query_heads + head) * dv;
            for (int64_t c = 0; c < dv; c++) out[c] = sums[place * dv + c] * inverse;
            normaliser[token * at->query_heads + head] = tops[place] + logf(masses[place]);
        }
    }
    free(scratch);
}

static void forward_chunk(void *argument, int64_t chunk, int thread) {
    (void)thread;
    const forward_job *job = argument;
    const ck_attention *at = job->attention;
    int64_t key_head = chunk % at->key_heads, block = chunk / at->key_heads, s = 0;
    int64_t low = 0, high = at->sequences;
    while (high - low > 1) {
        int64_t middle = (low + high) / 2;
        if (job->blocks[middle] <= block) low = middle; else high = middle;
    }
    s = low;
    // The last blocks of a causal sequence are the longest; they go first so that the threads end together.
    int64_t count = job->blocks[s + 1] - job->blocks[s], place = count - 1 - (block - job->blocks[s]);
    forward_block(at, job->o, job->normaliser, s, place * QUERIES, key_head);
}

void ck_attention_forward(const ck_attention *at, float *o, float *normaliser) {
    forward_job job = {at, o, normaliser, malloc((size_t)(at->sequences + 1) * sizeof(int64_t))};
    if (!job.blocks) abort();
    job.blocks[0] = 0;
    for (int64_t s = 0; s < at->sequences; s++) {
        job.blocks[s + 1] = job.blocks[s] + (at->starts[s + 1] - at->starts[s] + QUERIES - 1) / QUERIES;
    }
    ck_parallel(job.blocks[at->sequences] * at->key_heads, forward_chunk, &job);
    free(job.blocks);
}

// MARK: Backward

typedef struct {
    const ck_attention *attention;
    const float *o, *normaliser, *d_o;
    float *dq, *dk, *dv;
} backward_job;

// One query head of one sequence.
CK_CLONES static void backward_head(const backward_job *job, int64_t sequence, int64_t head) {
    const ck_attention *at = job->attention;
    int64_t heads = at->query_heads, key_head = head / (heads / at->key_heads), d = at->width, dv = at->value_width;
    int64_t start = at->starts[sequence], n = at->starts[sequence + 1] - start;
    float *scratch = aligned_alloc(64, ((size_t)((d + dv) * KEYS + 2 * QUERIES * KEYS + n) * 4 + 63) / 64 * 64);
    if (!scratch) abort();
    float *turned_k = scratch;                    // [d, KEYS]
    float *turned_v = turned_k + d * KEYS;        // [dv, KEYS]
    float *p = turned_v + dv * KEYS;              // [QUERIES, KEYS]
    float *ds = p + QUERIES * KEYS;               // [QUERIES, KEYS]
    float *delta = ds + QUERIES * KEYS;           // Σ_c do_i o_i [n]
    int64_t q_row = heads * d, o_row = heads * dv;  // rows of dq and dk, of o and dv
    const float *d_o = job->d_o + start * o_row + head * dv;
    float *dq = job->dq + start * q_row + head * d, *dk = job->dk + start * q_row + head * d;
    float *d_v = job->dv + start * o_row + head * dv;
    for (int64_t i = 0; i < n; i++) {
        delta[i] = dot(d_o + i * o_row, job->o + start * o_row + head * dv + i * o_row, dv);
        memset(dq + i * q_row, 0, (size_t)d * 4);
        memset(dk + i * q_row, 0, (size_t)d * 4);
        memset(d_v + i * o_row, 0, (size_t)dv * 4);
    }
    for (int64_t j0 = 0; j0 < n; j0 += KEYS) {
        int64_t keys = least(KEYS, n - j0);
        const float *k = at->k + (start + j0) * at->k_row + key_head * d;
        const float *v = at->v + (start + j0) * at->v_row + key_head * dv;
        transpose_block(k, at->k_row, turned_k, keys, d);
        transpose_block(v, at->v_row, turned_v, keys, dv);
        for (int64_t i0 = at->causal ? j0 / QUERIES * QUERIES : 0; i0 < n; i0 += QUERIES) {
            int64_t m = least(QUERIES, n - i0);
            sight of_tile = within_tile(sight_of_block(at, sequence, n, i0, m), j0, keys);
            if (!sees_shared(of_tile) && !sees_own(of_tile)) continue;
            const float *q = at->q + (start + i0) * at->q_row + head * d;
            memset(p, 0, sizeof(float) * QUERIES * KEYS);
            memset(ds, 0, sizeof(float) * QUERIES * KEYS);
            multiply_add(q, at->q_row, 1, turned_k, KEYS, p, KEYS, m, KEYS, d);
            multiply_add(d_o + i0 * o_row, o_row, 1, turned_v, KEYS, ds, KEYS, m, KEYS, dv);
            for (int64_t i = 0; i < m; i++) {
                sight seen = within_tile(sight_of(at, sequence, n, i0 + i), j0, keys);
                float shift = job->normaliser[(start + i0 + i) * heads + head], along = delta[i0 + i], scale = at->scale;
                float *p_row = p + i * KEYS, *ds_row = ds + i * KEYS;
                for (int64_t j = 0; j < KEYS; j++) {
                    float value = exp_below(p_row[j] * scale - shift);
                    value = sees(seen, j) ? value : 0.0f;
                    p_row[j] = value;
                    ds_row[j] = value * (ds_row[j] - along) * scale;
                }
            }
            multiply_add(p, 1, KEYS, d_o + i0 * o_row, o_row, d_v + j0 * o_row, o_row, keys, dv, m);
            multiply_add(ds, 1, KEYS, q, at->q_row, dk + j0 * q_row, q_row, keys, d, m);
            multiply_add(ds, KEYS, 1, k, at->k_row, dq + i0 * q_row, q_row, m, d, keys);
        }
    }
    free(scratch);
}

static void backward_chunk(void *argument, int64_t chunk, int thread) {
    (void)thread;
    const backward_job *job = argument;
    backward_head(job, chunk / job->attention->query_heads, chunk % job->attention->query_heads);
}

void ck_attention_backward(
    const ck_attention *at, const float *o, const float *normaliser, const float *d_o, float *dq, float *dk, float *dv) {
    backward_job job = {at, o, normaliser, d_o, dq, dk, dv};
    ck_parallel(at->sequences * at->query_heads, backward_chunk, &job);
}
