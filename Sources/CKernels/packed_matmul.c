// Products of int8 activations with packed 4- and 8-bit weights. See ck_packed.h for the layout.
#include "ck_packed.h"
#include "ck_half.h"
#include "ck_pool.h"
#include "packed_layout.h"

#include <stddef.h>
#include <string.h>

int64_t ck_packed_bytes(const ck_packed *w) { return (w->rows + 15) / 16 * group_bytes(w); }

// Column `column` of row `lane` inside one block.
static inline int packed_q(const ck_packed *w, const uint8_t *block, int lane, int column) {
    int vector = column / 4, byte = lane * 4 + column % 4;
    if (w->bits == 8) return block[vector * 64 + byte];
    int half = w->block / 8;
    return vector < half ? block[vector * 64 + byte] & 15 : block[(vector - half) * 64 + byte] >> 4;
}

void ck_packed_row(const ck_packed *w, int64_t row, float *out) {
    const uint8_t *group = w->data + row / 16 * group_bytes(w);
    int lane = (int)(row % 16);
    int64_t q_bytes = 16 * w->block * w->bits / 8;
    for (int64_t b = 0; b < w->columns / w->block; b++) {
        const uint8_t *block = group + b * block_bytes(w);
        const uint16_t *d = (const uint16_t *)(block + q_bytes);
        float scale = ck_half_to_float(d[lane]) * w->scale;
        float minimum = w->has_mins ? ck_half_to_float(d[16 + lane]) * w->scale : 0;
        for (int c = 0; c < w->block; c++) {
            int q = packed_q(w, block, lane, c);
            out[b * w->block + c] = w->has_mins ? scale * (float)q + minimum : scale * (float)(q - w->offset);
        }
    }
}

void ck_packed_matmul_reference(
    const ck_packed *w, const ck_activations *x, float *out, int64_t stride, int accumulate) {
    int64_t blocks = w->columns / w->block, q_bytes = 16 * w->block * w->bits / 8;
    for (int64_t i = 0; i < x->rows; i++) {
        int64_t start = panel_start(x, i), count = panel_rows(x, start), r = i - start;
        for (int64_t n = 0; n < w->rows; n++) {
            const uint8_t *group = w->data + n / 16 * group_bytes(w);
            int lane = (int)(n % 16);
            float total = 0;
            for (int64_t b = 0; b < blocks; b++) {
                const uint8_t *block = group + b * block_bytes(w);
                const uint16_t *halves = (const uint16_t *)(block + q_bytes);
                int32_t sum = 0;
                for (int c = 0; c < w->block; c++) {
                    int64_t column = b * w->block + c;
                    int64_t at = start * w->columns + (column / 4 * count + r) * 4 + column % 4;
                    int high = x->high && panel_marks(x, start, b, w->block) >> (c / 4) & 1 ? x->high[at] : 0;
                    int q = 256 * high + x->q[at];
                    sum += packed_q(w, block, lane, c) * q;
                }
                float d = ck_half_to_float(halves[lane]);
                float m = w->has_mins ? ck_half_to_float(halves[16 + lane]) : d * (float)-w->offset;
                float xd = x->d[start * (w->columns / 32) + b * w->block / 32 * count + r];
                total = __builtin_fmaf((float)sum, d * xd, total);
                total = __builtin_fmaf(m, x->dsums[start * blocks + b * count + r], total);
            }
            total *= w->scale;
            out[i * stride + n] = accumulate ? out[i * stride + n] + total : total;
        }
    }
}

// One call's work. A chunk is a run of groups of 16 weight rows times a run of panels of activations.
typedef struct {
    const ck_packed *w;
    const ck_activations *x;
    int count;
    const int64_t *starts;
    float *const *outs;
    const int64_t *strides;
    int accumulate;
    int64_t groups, groups_per_chunk, group_chunks, rows_per_chunk;
    ck_group_kernel group;
} matmul_job;

// Plain path: 16 lanes side by side, in loops that any vector unit can take.
#if defined(__x86_64__) && defined(__linux__)
__attribute__((target_clones("arch=x86-64-v3", "default")))
#endif
static void plain_rows(
    const ck_packed *w, const ck_activations *x, const uint8_t *weights, int64_t i, float *total) {
    int64_t blocks = w->columns / w->block, q_bytes = 16 * w->block * w->bits / 8, bytes = block_bytes(w);
    int64_t start = panel_start(x, i), count = panel_rows(x, start), r = i - start;
    int vectors = w->block / 4, half = w->block / 8;
    for (int lane = 0; lane < 16; lane++) total[lane] = 0;
    for (int64_t b = 0; b < blocks; b++) {
        const uint8_t *block = weights + b * bytes;
        const uint16_t *halves = (const uint16_t *)(block + q_bytes);
        int32_t sums[16] = {0};
        int marks = x->high ? panel_marks(x, start, b, w->block) : 0;
        for (int v = 0; v < vectors; v++) {
            int64_t at = start * w->columns + ((b * vectors + v) * count + r) * 4;
            int32_t q[4];
            for (int i = 0; i < 4; i++) q[i] = x->q[at + i] + (marks >> v & 1 ? 256 * x->high[at + i] : 0);
            const uint8_t *line = w->bits == 8 || v < half ? block + v * 64 : block + (v - half) * 64;
            int shift = w->bits == 8 || v < half ? 0 : 4, mask = w->bits == 8 ? 255 : 15;
            for (int lane = 0; lane < 16; lane++) {
                sums[lane] += ((line[lane * 4] >> shift) & mask) * q[0] + ((line[lane * 4 + 1] >> shift) & mask) * q[1] +
                              ((line[lane * 4 + 2] >> shift) & mask) * q[2] + ((line[lane * 4 + 3] >> shift) & mask) * q[3];
            }
        }
        float xd = x->d[start * (w->columns / 32) + b * w->block / 32 * count + r];
        float dsum = x->dsums[start * blocks + b * count + r];
        for (int lane = 0; lane < 16; lane++) {
            float d = ck_half_to_float(halves[lane]);
            float m = w->has_mins ? ck_half_to_float(halves[16 + lane]) : d * (float)-w->offset;
            total[lane] = __builtin_fmaf((float)sums[lane], d * xd, total[lane]);
            total[lane] = __builtin_fmaf(m, dsum, total[lane]);
        }
    }
}

static void plain_group(
    const ck_packed *w, const ck_activations *x, float *out, int64_t stride, int accumulate, int64_t g,
    int64_t first, int64_t last) {
    int64_t lanes = w->rows - g * 16 < 16 ? w->rows - g * 16 : 16;
    for (int64_t i = first; i < last; i++) {
        float total[16];
        plain_rows(w, x, w->data + g * group_bytes(w), i, total);
        float *row = out + i * stride + g * 16;
        for (int64_t lane = 0; lane < lanes; lane++) {
            row[lane] = (accumulate ? row[lane] : 0) + total[lane] * w->scale;
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,f16c,fma")))
#define VNNI_INLINE VNNI static inline __attribute__((always_inline))

// Vector v of a block's weights, 4 columns of 16 rows.
VNNI_INLINE __m512i weights_of(const uint8_t *at, int v, const int bits, const int block) {
    if (bits == 8) return _mm512_loadu_si512(at + v * 64);
    const __m512i low = _mm512_set1_epi8(15);
    if (v < block / 8) return _mm512_and_si512(_mm512_loadu_si512(at + v * 64), low);
    return _mm512_and_si512(_mm512_srli_epi16(_mm512_loadu_si512(at + (v - block / 8) * 64), 4), low);
}

// sum[r] += a vector of weights times the 4 columns of each row.
VNNI_INLINE void add_columns(__m512i *sum, __m512i weights, const int8_t *columns, const int count) {
#pragma unroll
    for (int r = 0; r < count; r++) {
        int32_t four;
        memcpy(&four, columns + r * 4, 4);
        sum[r] = _mm512_dpbusd_epi32(sum[r], weights, _mm512_set1_epi32(four));
    }
}

// A panel of `count` activation rows times one group of 16 weight rows. The last four parameters are compile-time constants.
VNNI_INLINE void vnni_tile(
    const ck_packed *w, const uint8_t *at, const ck_activations *x, int64_t start, float *out, int64_t stride,
    int accumulate, __mmask16 lanes, int prefetch, const int count, const int bits, const int block,
    const int has_mins) {
    const int64_t blocks = w->columns / block;
    const int64_t q_bytes = 16 * block * bits / 8, bytes = q_bytes + 32 + (has_mins ? 32 : 0);
    const int8_t *q = x->q + start * w->columns;
    const ptrdiff_t to_high = x->high - x->q;
    const float *xd = x->d + start * (w->columns / 32);
    const float *dsums = x->dsums + start * blocks;
    const __m512 offset = _mm512_set1_ps((float)-w->offset);
    __m512 total[12];
#pragma unroll
    for (int r = 0; r < count; r++) total[r] = _mm512_setzero_ps();
    for (int64_t b = 0; b < blocks; b++) {
        __m512i sum[12];
#pragma unroll
        for (int r = 0; r < count; r++) sum[r] = _mm512_setzero_si512();
        const int8_t *high = q + to_high;
        int marks = x->high ? panel_marks(x, start, b, block) : 0;
        if (count <= 8 && marks == (1 << block / 4) - 1) {
            // High bytes get sums of their own as long as there are registers: fewer sums wait for each other.
            __m512i sum_high[8];
#pragma unroll
            for (int r = 0; r < count; r++) sum_high[r] = _mm512_setzero_si512();
#pragma unroll
            for (int v = 0; v < block / 4; v++) {
                __m512i wq = weights_of(at, v, bits, block);
                add_columns(sum_high, wq, high + v * count * 4, count);
                add_columns(sum, wq, q + v * count * 4, count);
            }
#pragma unroll
            for (int r = 0; r < count; r++) sum[r] = _mm512_add_epi32(_mm512_slli_epi32(sum_high[r], 8), sum[r]);
        } else {
            for (int left = marks; left; left &= left - 1) {
                int v = __builtin_ctz((unsigned)left);
                add_columns(sum, weights_of(at, v, bits, block), high + v * count * 4, count);
            }
            if (marks) {
#pragma unroll
                for (int r = 0; r < count; r++) sum[r] = _mm512_slli_epi32(sum[r], 8);
            }
#pragma unroll
            for (int v = 0; v < block / 4; v++) {
                add_columns(sum, weights_of(at, v, bits, block), q + v * count * 4, count);
            }
        }
        // Weights come from memory once: ask for them well before the hardware foresees the need.
        if (prefetch) {
#pragma unroll
            for (int line = 0; line < bytes; line += 64) _mm_prefetch((const char *)at + 8192 + line, _MM_HINT_T0);
        }
        __m512 d = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(at + q_bytes)));
        __m512 m = has_mins ? _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(at + q_bytes + 32)))
                            : _mm512_mul_ps(d, offset);
#pragma unroll
        for (int r = 0; r < count; r++) {
            __m512 scale = _mm512_mul_ps(d, _mm512_set1_ps(xd[r]));
            total[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[r]), scale, total[r]);
            total[r] = _mm512_fmadd_ps(m, _mm512_set1_ps(dsums[r]), total[r]);
        }
        at += bytes;
        q += block * count;
        dsums += count;
        if (block == 32 || (b & 1)) xd += count;
    }
    __m512 scale = _mm512_set1_ps(w->scale);
#pragma unroll
    for (int r = 0; r < count; r++) {
        __m512 result = _mm512_mul_ps(total[r], scale);
        float *row = out + r * stride;
        if (accumulate) result = _mm512_add_ps(_mm512_maskz_loadu_ps(lanes, row), result);
        _mm512_mask_storeu_ps(row, lanes, result);
    }
}

VNNI_INLINE void vnni_rows(
    const ck_packed *w, const ck_activations *x, float *out, int64_t stride, int accumulate, int64_t g,
    int64_t first, int64_t last, const int bits, const int block, const int has_mins) {
    const uint8_t *weights = w->data + g * group_bytes(w);
    int64_t left = w->rows - g * 16;
    __mmask16 lanes = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
    for (int64_t start = first; start < last; start += x->panel) {
        float *at = out + start * stride + g * 16;
#define TILE(count)                                                                                                  \
    case count:                                                                                                      \
        vnni_tile(                                                                                                   \
            w, weights, x, start, at, stride, accumulate, lanes, start == first, count, bits, block, has_mins);      \
        break;
        switch (panel_rows(x, start)) {
            TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
        }
#undef TILE
    }
}

CK_GROUP_KERNELS(VNNI, vnni_rows, static ck_group_kernel vnni_group)
#endif

int ck_packed_level(void) {
#if defined(__x86_64__)
    static int level = -1;
    if (level < 0) {
        __builtin_cpu_init();
        int wide = __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
        int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
        level = wide ? 3 : avx2 ? 2 : 0;
    }
    return level;
#else
    return 0;
#endif
}

static void matmul_chunk(void *context, int64_t chunk, int thread) {
    (void)thread;
    const matmul_job *job = context;
    int64_t first = chunk % job->group_chunks * job->groups_per_chunk, last = first + job->groups_per_chunk;
    if (last > job->groups) last = job->groups;
    int64_t row = chunk / job->group_chunks * job->rows_per_chunk, end = row + job->rows_per_chunk;
    if (end > job->x->rows) end = job->x->rows;
    int part = 0;
    for (int64_t g = first; g < last; g++) {
        while (part + 1 < job->count && g * 16 >= job->starts[part + 1]) part++;
        // The kernels address outputs by feature; a part's matrix begins at its own first feature.
        job->group(
            job->w, job->x, job->outs[part] - job->starts[part], job->strides[part], job->accumulate, g, row, end);
    }
}

// A few chunks a thread, so that one that is held up leaves work to the others. With few rows memory is the limit, and every chunk begins
// with a wait for it. With many, each thread keeps to rows of its own, which its caches still hold from the step before.
static void share_out(matmul_job *job) {
    int64_t threads = ck_pool_threads(), rows = job->x->rows, panel = job->x->panel;
    int64_t chunks = threads == 1 ? 1 : (rows <= 8 ? 2 : 6) * threads;
    int64_t panels = (rows + panel - 1) / panel, row_chunks = 1;
    if (threads > 1 && panels >= threads) row_chunks = panels < 4 * threads ? panels : 4 * threads;
    int64_t panels_per_chunk = (panels + row_chunks - 1) / row_chunks;
    job->rows_per_chunk = panels_per_chunk * panel;
    row_chunks = (panels + panels_per_chunk - 1) / panels_per_chunk;
    job->group_chunks = (chunks + row_chunks - 1) / row_chunks;
    job->groups_per_chunk = (job->groups + job->group_chunks - 1) / job->group_chunks;
    job->group_chunks = (job->groups + job->groups_per_chunk - 1) / job->groups_per_chunk;
}

void ck_packed_matmul(const ck_packed *w, const ck_activations *x, float *out, int64_t stride, int accumulate) {
    int64_t start = 0;
    ck_packed_matmul_split(w, x, 1, &start, &out, &stride, accumulate);
}

void ck_packed_matmul_split(
    const ck_packed *w, const ck_activations *x, int count, const int64_t *starts, float *const *outs,
    const int64_t *strides, int accumulate) {
    if (x->rows == 0) return;
    matmul_job job = {
        .w = w, .x = x, .count = count, .starts = starts, .outs = outs, .strides = strides, .accumulate = accumulate,
        .groups = (w->rows + 15) / 16, .group = plain_group,
    };
#if defined(__x86_64__)
    if (ck_packed_level() == 2) job.group = ck_avx2_group(w);
    if (ck_packed_level() == 3) job.group = vnni_group(w);
#endif
    share_out(&job);
    ck_parallel(
        (x->rows + job.rows_per_chunk - 1) / job.rows_per_chunk * job.group_chunks, matmul_chunk, &job);
}
