// Activations to int8, a scale per row and block of 32; with the norm or the gate that stands before a matrix product fused in.
#include "ck_packed.h"
#include "ck_pool.h"
#include "ck_vector.h"

#include <math.h>
#include <stddef.h>

// No multiplication is merged into an addition, so that every vector unit rounds alike.
#pragma STDC FP_CONTRACT OFF

static int64_t aligned(int64_t bytes) { return (bytes + 63) & ~(int64_t)63; }

int64_t ck_activations_bytes(int64_t rows, int64_t columns, int32_t block, int bits) {
    return aligned(rows * columns) * (bits / 8) + aligned(rows * columns / 32 * 4) + aligned(rows * columns / block * 4);
}

void ck_activations_place(
    ck_activations *a, void *buffer, int64_t rows, int64_t columns, int32_t block, int bits) {
    char *at = buffer;
    // As many rows as a tile has registers for, the rows shared out evenly among panels.
    int64_t most = bits == 16 ? 8 : 12, panels = (rows + most - 1) / most;
    a->rows = rows;
    a->columns = columns;
    a->block = block;
    a->panel = panels ? (int32_t)((rows + panels - 1) / panels) : 1;
    a->q = (int8_t *)at;
    at += aligned(rows * columns);
    a->low = NULL;
    if (bits == 16) {
        a->low = (int8_t *)at;
        at += aligned(rows * columns);
    }
    a->d = (float *)at;
    at += aligned(rows * columns / 32 * 4);
    a->dsums = (float *)at;
}

// One row of `columns` floats into lane r of a panel of `count` rows.
CK_CLONES static void quantise_row(
    const float *x, int64_t columns, int32_t block, int64_t count, int64_t r, int8_t *q, int8_t *low, float *d,
    float *dsums) {
    // The largest number becomes 127, or 127 * 256 + 127.
    const float range = low ? 32639.0f : 127.0f;
    for (int64_t b = 0; b < columns / 32; b++) {
        const float *from = x + b * 32;
        float largest = 0;
        for (int i = 0; i < 32; i++) {
            float magnitude = fabsf(from[i]);
            largest = magnitude > largest ? magnitude : largest;
        }
        float scale = largest / range, inverse = largest > 0 ? range / largest : 0;
        d[b * count + r] = scale;
        int32_t values[32];
        // Adding 1.5 * 2^23 rounds to the nearest integer (ties to even) and leaves it in the low bits.
        for (int i = 0; i < 32; i++) {
            union { float f; int32_t i; } rounded = {from[i] * inverse + 12582912.0f};
            values[i] = rounded.i - 0x4b400000;
        }
        int8_t bytes[32];
        if (low) {
            for (int i = 0; i < 32; i++) bytes[i] = (int8_t)values[i];
            for (int v = 0; v < 8; v++) memcpy(low + ((b * 8 + v) * count + r) * 4, bytes + v * 4, 4);
            // What the low byte, read as signed, leaves for the high one.
            for (int i = 0; i < 32; i++) bytes[i] = (int8_t)((values[i] + 128) >> 8);
        } else {
            for (int i = 0; i < 32; i++) bytes[i] = (int8_t)values[i];
        }
        for (int v = 0; v < 8; v++) memcpy(q + ((b * 8 + v) * count + r) * 4, bytes + v * 4, 4);
        int32_t left = 0, right = 0;
        for (int i = 0; i < 16; i++) left += values[i];
        for (int i = 16; i < 32; i++) right += values[i];
        if (block == 32) {
            dsums[b * count + r] = scale * (float)(left + right);
        } else {
            dsums[2 * b * count + r] = scale * (float)left;
            dsums[(2 * b + 1) * count + r] = scale * (float)right;
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,f16c,fma")))

// The same with AVX-512, to the bit.
WIDE static void quantise_row_wide(
    const float *x, int64_t columns, int32_t block, int64_t count, int64_t r, int8_t *q, int8_t *low, float *d,
    float *dsums) {
    const float range = low ? 32639.0f : 127.0f;
    for (int64_t b = 0; b < columns / 32; b++) {
        __m512 first = _mm512_loadu_ps(x + b * 32), second = _mm512_loadu_ps(x + b * 32 + 16);
        float largest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(first), _mm512_abs_ps(second)));
        float scale = largest / range, inverse = largest > 0 ? range / largest : 0;
        d[b * count + r] = scale;
        __m512 factor = _mm512_set1_ps(inverse);
        __m512i left = _mm512_cvtps_epi32(_mm512_mul_ps(first, factor));
        __m512i right = _mm512_cvtps_epi32(_mm512_mul_ps(second, factor));
        int8_t bytes[32];
        if (low) {
            _mm_storeu_si128((__m128i *)bytes, _mm512_cvtepi32_epi8(left));
            _mm_storeu_si128((__m128i *)(bytes + 16), _mm512_cvtepi32_epi8(right));
            for (int v = 0; v < 8; v++) memcpy(low + ((b * 8 + v) * count + r) * 4, bytes + v * 4, 4);
            const __m512i half = _mm512_set1_epi32(128);
            _mm_storeu_si128(
                (__m128i *)bytes, _mm512_cvtepi32_epi8(_mm512_srai_epi32(_mm512_add_epi32(left, half), 8)));
            _mm_storeu_si128(
                (__m128i *)(bytes + 16), _mm512_cvtepi32_epi8(_mm512_srai_epi32(_mm512_add_epi32(right, half), 8)));
        } else {
            _mm_storeu_si128((__m128i *)bytes, _mm512_cvtepi32_epi8(left));
            _mm_storeu_si128((__m128i *)(bytes + 16), _mm512_cvtepi32_epi8(right));
        }
        for (int v = 0; v < 8; v++) memcpy(q + ((b * 8 + v) * count + r) * 4, bytes + v * 4, 4);
        if (block == 32) {
            dsums[b * count + r] = scale * (float)_mm512_reduce_add_epi32(_mm512_add_epi32(left, right));
        } else {
            dsums[2 * b * count + r] = scale * (float)_mm512_reduce_add_epi32(left);
            dsums[(2 * b + 1) * count + r] = scale * (float)_mm512_reduce_add_epi32(right);
        }
    }
}
#endif

// 1 / sqrt(mean(x^2) + epsilon).
CK_CLONES static float norm_scale(const float *x, float epsilon, int64_t columns) {
    // Sixteen running sums in a fixed order: the same result on every row, whatever the batch.
    float sums[16] = {0};
    int64_t whole = columns & ~(int64_t)15;
    for (int64_t i = 0; i < whole; i += 16) {
        for (int lane = 0; lane < 16; lane++) sums[lane] += x[i + lane] * x[i + lane];
    }
    float total = 0;
    for (int lane = 0; lane < 16; lane++) total += sums[lane];
    for (int64_t i = whole; i < columns; i++) total += x[i] * x[i];
    return 1 / sqrtf(total / (float)columns + epsilon);
}

CK_CLONES static void norm_part(const float *x, const float *weight, float scale, int64_t columns, float *out) {
    for (int64_t i = 0; i < columns; i++) out[i] = x[i] * scale * weight[i];
}

CK_CLONES static void swiglu_part(const float *gates, const float *up, int64_t columns, float *out) {
    for (int64_t i = 0; i < columns; i++) {
        float gate = gates[i];
        out[i] = gate / (1 + ck_exp(-gate)) * up[i];
    }
}

// Columns of one chunk at most: what the scratch memory of a prologue holds.
enum { PART = 2048 };

// One call's work. A chunk is a run of columns of one panel: rows of a panel stand so close together in memory that two threads must
// not share one.
typedef struct {
    const float *x, *weight;
    int64_t stride;
    float epsilon;
    int kind;  // 0: as is, 1: RMS norm, 2: SwiGLU
    ck_activations *to;
    int64_t parts, part_columns;
    void (*quantise)(
        const float *, int64_t, int32_t, int64_t, int64_t, int8_t *, int8_t *, float *, float *);
} quantise_job;

static void quantise_chunk(void *context, int64_t chunk, int thread) {
    (void)thread;
    const quantise_job *job = context;
    ck_activations *to = job->to;
    int64_t start = chunk / job->parts * to->panel, first = chunk % job->parts * job->part_columns;
    int64_t count = to->rows - start < to->panel ? to->rows - start : to->panel;
    int64_t columns = to->columns - first < job->part_columns ? to->columns - first : job->part_columns;
    int8_t *q = to->q + start * to->columns + first * count;
    int8_t *low = to->low ? to->low + start * to->columns + first * count : NULL;
    float *d = to->d + start * (to->columns / 32) + first / 32 * count;
    float *dsums = to->dsums + start * (to->columns / to->block) + first / to->block * count;
    float scratch[PART];
    for (int64_t r = 0; r < count; r++) {
        const float *row = job->x + (start + r) * job->stride, *part = row + first;
        if (job->kind == 1) {
            norm_part(part, job->weight + first, norm_scale(row, job->epsilon, to->columns), columns, scratch);
            part = scratch;
        } else if (job->kind == 2) {
            swiglu_part(part, part + to->columns, columns, scratch);
            part = scratch;
        }
        job->quantise(part, columns, to->block, count, r, q, low, d, dsums);
    }
}

static void quantise(quantise_job job) {
    int64_t rows = job.to->rows, columns = job.to->columns, threads = ck_pool_threads();
    if (rows == 0) return;
    job.quantise = quantise_row;
#if defined(__x86_64__)
    if (ck_packed_level() == 3) job.quantise = quantise_row_wide;
#endif
    int64_t panels = (rows + job.to->panel - 1) / job.to->panel;
    // What takes a microsecond isn't worth waking a thread for.
    int is_small = rows * columns < 4096;
    int64_t parts = is_small || panels >= 2 * threads ? 1 : (2 * threads + panels - 1) / panels;
    if (parts > columns / 128) parts = columns / 128;
    if (parts < (columns + PART - 1) / PART) parts = (columns + PART - 1) / PART;
    job.part_columns = ((columns + parts - 1) / parts + 63) / 64 * 64;
    job.parts = (columns + job.part_columns - 1) / job.part_columns;
    if (is_small) {
        for (int64_t chunk = 0; chunk < panels * job.parts; chunk++) quantise_chunk(&job, chunk, 0);
    } else {
        ck_parallel(panels * job.parts, quantise_chunk, &job);
    }
}

void ck_quantise(const float *x, int64_t stride, ck_activations *to) {
    quantise((quantise_job){.x = x, .stride = stride, .kind = 0, .to = to});
}

void ck_rmsnorm_quantise(const float *x, int64_t stride, const float *weight, float epsilon, ck_activations *to) {
    quantise((quantise_job){.x = x, .weight = weight, .stride = stride, .epsilon = epsilon, .kind = 1, .to = to});
}

void ck_swiglu_quantise(const float *x, int64_t stride, ck_activations *to) {
    quantise((quantise_job){.x = x, .stride = stride, .kind = 2, .to = to});
}
