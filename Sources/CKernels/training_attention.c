#include "training_attention.h"

#include <stdlib.h>

#include "ck_pool.h"
#include "elementwise_math.h"

enum { QUERIES = 64, KEYS = 64 };  // rows and columns of a score tile

CK_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
CK_INLINE int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

// What a row or a column of a tile takes part in: [from, to).
typedef struct {
    int32_t from, to;
} span;

CK_INLINE span hull_of(const span *spans, int64_t count) {
    span hull = spans[0];
    for (int64_t i = 1; i < count; i++) {
        hull.from = spans[i].from < hull.from ? spans[i].from : hull.from;
        hull.to = spans[i].to > hull.to ? spans[i].to : hull.to;
    }
    return hull;
}

// Whether the clone for AVX-512 runs: sixteen floats are one register then, of which there are 32.
static int has_wide_registers(void) {
#if defined(__x86_64__) && defined(__linux__)
    return __builtin_cpu_supports("x86-64-v4");
#else
    return 0;
#endif
}

// C[m, n] = A[m, k] · B[k, n], added to C where `adds`; A[i, l] = a[i * a_row + l * a_column], B's and C's columns are adjacent.
// `columns` says of each row of C which columns are wanted, n of them a multiple of 16 then; `inner` which l count. NULL: all.
typedef struct {
    const float *a;
    int64_t a_row, a_column;
    const float *b;
    int64_t b_row;
    float *c;
    int64_t c_row, m, n, k;
    const span *columns, *inner;
    int adds;
} tile_product;

CK_CLONES static void multiply(const tile_product *p) {
    const float *a = p->a, *b = p->b;
    float *c = p->c;
    int64_t a_row = p->a_row, a_column = p->a_column, b_row = p->b_row, c_row = p->c_row, i = 0;
#define TILE(ROWS, VECTORS)                                                                                       \
    {                                                                                                             \
        f32x16 sum[ROWS][VECTORS];                                                                                \
        for (int r = 0; r < ROWS; r++) {                                                                          \
            for (int t = 0; t < VECTORS; t++) sum[r][t] = adds ? load16(c + (i + r) * c_row + j + 16 * t) : zero; \
        }                                                                                                         \
        for (int64_t l = l0; l < l1; l++) {                                                                       \
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
        int64_t j = 0, n = p->n, l0 = 0, l1 = p->k;                                                               \
        if (p->columns) {                                                                                         \
            span hull = hull_of(p->columns + i, ROWS);                                                            \
            j = hull.from / 16 * 16, n = (hull.to + 15) / 16 * 16;                                                \
        }                                                                                                         \
        if (p->inner) {                                                                                           \
            span hull = hull_of(p->inner + i, ROWS);                                                              \
            l0 = hull.from, l1 = hull.to;                                                                         \
        }                                                                                                         \
        if (wide) {                                                                                               \
            for (; j + 64 <= n; j += 64) TILE(ROWS, 4)                                                            \
            for (; j + 32 <= n; j += 32) TILE(ROWS, 2)                                                            \
        }                                                                                                         \
        for (; j + 16 <= n; j += 16) TILE(ROWS, 1)                                                                \
        for (; j < n; j++) {                                                                                      \
            for (int r = 0; r < ROWS; r++) {                                                                      \
                float sum = adds ? c[(i + r) * c_row + j] : 0.0f;                                                 \
                for (int64_t l = l0; l < l1; l++) sum += a[(i + r) * a_row + l * a_column] * b[l * b_row + j];    \
                c[(i + r) * c_row + j] = sum;                                                                     \
            }                                                                                                     \
        }                                                                                                         \
    }
    const f32x16 zero = {0};
    int wide = has_wide_registers(), adds = p->adds;
    // As many sums as registers hold beside a line of B.
    if (!wide) for (; i + 6 <= p->m; i += 6) STRIP(6)
    for (; i + 4 <= p->m; i += 4) STRIP(4)
    for (; i < p->m; i++) STRIP(1)
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

// What the queries of a tile see of its keys, counted from the tile's first query and key.
typedef struct {
    int whole;            // every query sees every key
    span first[QUERIES];  // of the keys that texts share
    span own[QUERIES];
    span keys[QUERIES];   // both
    span queries[KEYS];   // those that see a key, and perhaps a few more
} tile_view;

static void look(
    tile_view *view, const ck_attention *at, int64_t s, int64_t n, int64_t i0, int64_t m, int64_t j0, int64_t keys) {
    enum { STEP = 8 };  // keys whose queries are found together
    span of_step[KEYS / STEP];
    view->whole = 1;
    for (int64_t b = 0; b < KEYS / STEP; b++) of_step[b] = (span){QUERIES, 0};
    for (int64_t i = 0; i < m; i++) {
        sight tile = within_tile(sight_of(at, s, n, i0 + i), j0, keys);
        span first = sees_shared(tile) ? (span){(int32_t)tile.first, (int32_t)tile.first_end} : (span){KEYS, 0};
        span own = sees_own(tile) ? (span){(int32_t)tile.own, (int32_t)tile.own_end} : (span){KEYS, 0};
        span both[] = {first, own}, all = hull_of(both, 2);
        view->whole &= (own.from == 0 && own.to == KEYS) || (first.from == 0 && first.to == KEYS);
        view->first[i] = first, view->own[i] = own, view->keys[i] = all;
        for (int64_t b = all.from / STEP; b * STEP < all.to; b++) {
            of_step[b].from = of_step[b].from < i ? of_step[b].from : (int32_t)i;
            of_step[b].to = (int32_t)i + 1;
        }
    }
    for (int64_t j = 0; j < KEYS; j++) view->queries[j] = of_step[j / STEP];
}

// The vectors of sixteen that hold a query's keys; what else is in the row of a tile becomes 0.
CK_INLINE span vectors_of(const tile_view *view, int64_t i, float *row) {
    if (view->whole) return (span){0, KEYS};
    span keys = view->keys[i];
    if (keys.from >= keys.to) keys = (span){0, 0};
    span vectors = {keys.from / 16 * 16, (keys.to + 15) / 16 * 16};
    memset(row, 0, (size_t)vectors.from * 4);
    memset(row + vectors.to, 0, (size_t)(KEYS - vectors.to) * 4);
    return vectors;
}

CK_INLINE int sees(const tile_view *view, int64_t i, int32_t j) {
    span own = view->own[i], first = view->first[i];
    return ((j >= own.from) & (j < own.to)) | ((j >= first.from) & (j < first.to));
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

    tile_view view;
    sight block = sight_of_block(at, sequence, n, first_query, m);
    int64_t from = block.first < block.first_end ? block.first : block.own;
    for (int64_t j0 = from / KEYS * KEYS; j0 < block.own_end; j0 += KEYS) {
        int64_t keys = least(KEYS, n - j0);
        sight of_tile = within_tile(block, j0, keys);
        if (!sees_shared(of_tile) && !sees_own(of_tile)) continue;
        const float *k = at->k + (start + j0) * at->k_row + key_head * d;
        const float *v = at->v + (start + j0) * at->v_row + key_head * dv;
        transpose_block(k, at->k_row, turned, keys, d);
        look(&view, at, sequence, n, first_query, m, j0, keys);
        const span *seen = view.whole ? NULL : view.keys;
        for (int64_t g = 0; g < group; g++) {
            const float *q = at->q + (start + first_query) * at->q_row + (key_head * group + g) * d;
            float *sum = sums + g * QUERIES * dv, *top = tops + g * QUERIES, *mass = masses + g * QUERIES;
            multiply(&(tile_product){
                q, at->q_row, 1, turned, KEYS, scores, KEYS, .m = m, .n = KEYS, .k = d, .columns = seen});
            for (int64_t i = 0; i < m; i++) {
                float *row = scores + i * KEYS, factor = scale;
                span part = vectors_of(&view, i, row);
                if (part.from == part.to) continue;
                if (!view.whole || scale <= 0) {
                    for (int32_t j = part.from; j < part.to; j++) {
                        row[j] = view.whole || sees(&view, i, j) ? row[j] * scale : -INFINITY;
                    }
                    factor = 1;
                }
                float best = max_of(row + part.from, part.to - part.from) * factor;
                if (best > top[i]) {
                    float shrink = exp_below(top[i] - best);
                    top[i] = best;
                    mass[i] *= shrink;
                    for (int64_t c = 0; c < dv; c++) sum[i * dv + c] *= shrink;
                }
                float shift = top[i];
                for (int32_t j = part.from; j < part.to; j++) row[j] = exp_below(row[j] * factor - shift);
                mass[i] += sum_of(row + part.from, part.to - part.from);
            }
            multiply(&(tile_product){
                scores, KEYS, 1, v, at->v_row, sum, dv, .m = m, .n = dv, .k = keys, .inner = seen, .adds = 1});
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
    tile_view view;
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
            look(&view, at, sequence, n, i0, m, j0, keys);
            const span *seen = view.whole ? NULL : view.keys, *seeing = view.whole ? NULL : view.queries;
            multiply(&(tile_product){
                q, at->q_row, 1, turned_k, KEYS, p, KEYS, .m = m, .n = KEYS, .k = d, .columns = seen});
            multiply(&(tile_product){
                d_o + i0 * o_row, o_row, 1, turned_v, KEYS, ds, KEYS, .m = m, .n = KEYS, .k = dv, .columns = seen});
            for (int64_t i = 0; i < m; i++) {
                float shift = job->normaliser[(start + i0 + i) * heads + head], along = delta[i0 + i], scale = at->scale;
                float *p_row = p + i * KEYS, *ds_row = ds + i * KEYS;
                span part = vectors_of(&view, i, p_row);
                vectors_of(&view, i, ds_row);
                for (int32_t j = part.from; j < part.to; j++) p_row[j] = exp_below(p_row[j] * scale - shift);
                if (!view.whole) {
                    for (int32_t j = part.from; j < part.to; j++) p_row[j] = sees(&view, i, j) ? p_row[j] : 0.0f;
                }
                for (int32_t j = part.from; j < part.to; j++) ds_row[j] = p_row[j] * (ds_row[j] - along) * scale;
            }
            multiply(&(tile_product){
                p, 1, KEYS, d_o + i0 * o_row, o_row, d_v + j0 * o_row, o_row, .m = keys, .n = dv, .k = m,
                .inner = seeing, .adds = 1});
            multiply(&(tile_product){
                ds, 1, KEYS, q, at->q_row, dk + j0 * q_row, q_row, .m = keys, .n = d, .k = m, .inner = seeing, .adds = 1});
            multiply(&(tile_product){
                ds, KEYS, 1, k, at->k_row, dq + i0 * q_row, q_row, .m = m, .n = d, .k = keys, .inner = seen, .adds = 1});
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
