// Activations to int8, a scale per row and block of 32; with the norm or the gate that stands before a matrix product fused in.
#include "ck_packed.h"
#include "ck_pool.h"
#include "ck_vector.h"

#include <math.h>
#include <stddef.h>

// No multiplication is merged into an addition, so that every vector unit rounds alike.
#pragma STDC FP_CONTRACT OFF

static int64_t aligned(int64_t bytes) { return (bytes + 63) & ~(int64_t)63; }

// As many rows as a tile has registers for: with AVX-512 it needs more where every block has high bytes. The rows are shared out evenly
// among panels.
static int64_t panel_count(int64_t rows, int is_full) {
    int64_t most = ck_packed_level() == 2 ? 4 : is_full ? 8 : 12;
    return (rows + most - 1) / most;
}

int64_t ck_activations_bytes(int64_t rows, int64_t columns, int32_t block, int bits) {
    return aligned(rows * columns) * (bits / 8) + aligned(panel_count(rows, 1) * (columns / 32)) +
           aligned(rows * columns / 32 * 4) + aligned(rows * columns / block * 4);
}

void ck_activations_place(
    ck_activations *a, void *buffer, int64_t rows, int64_t columns, int32_t block, int bits, float reach) {
    char *at = buffer;
    int64_t panels = panel_count(rows, bits == 16 && reach == 0);
    a->rows = rows;
    a->columns = columns;
    a->block = block;
    a->panel = panels ? (int32_t)((rows + panels - 1) / panels) : 1;
    a->reach = reach;
    a->q = (int8_t *)at;
    at += aligned(rows * columns);
    a->high = NULL;
    if (bits == 16) {
        a->high = (int8_t *)at;
        at += aligned(rows * columns);
    }
    a->marks = (uint8_t *)at;
    at += aligned(panels * (columns / 32));
    a->d = (float *)at;
    at += aligned(rows * columns / 32 * 4);
    a->dsums = (float *)at;
}

// Where a part of a panel of `count` rows goes.
typedef struct {
    int8_t *q, *high;
    uint8_t *marks;
    float *d, *dsums;
    int64_t count;
    int32_t block;
    int32_t is_full;  // every block has high bytes
} panel_part;

// The number that 1 stands for in a block: `cap` becomes 127, or the largest number where that is smaller; what lies beyond needs a
// high byte, which reaches up to 127 * 256 + 127.
static inline float step_of(float largest, float cap) {
    float fine = (largest < cap ? largest : cap) * (1 / 127.0f), least = largest * (1 / 32639.0f);
    return fine > least ? fine : least;
}

// Its inverse; below 10^-37 numbers count as 0.
static inline float inverse_of(float step) { return step > 1e-37f ? 1 / step : 0; }

// Puts the high bytes of one block of row r, which were cleared where not every block has them.
static inline void put_high(const panel_part *to, int64_t b, int64_t r, int marked, const int8_t *bytes) {
    if (!marked && !to->is_full) return;
    to->marks[b] |= (uint8_t)marked;
    for (int v = 0; v < 8; v++) memcpy(to->high + ((b * 8 + v) * to->count + r) * 4, bytes + v * 4, 4);
}

// One row of `columns` floats into lane r of a panel.
CK_CLONES static void quantise_row(
    const float *x, int64_t columns, float cap, int64_t r, const panel_part *to) {
    int64_t count = to->count;
    for (int64_t b = 0; b < columns / 32; b++) {
        const float *from = x + b * 32;
        float lanes[8] = {0}, largest = 0;
        for (int i = 0; i < 32; i += 8) {
            for (int lane = 0; lane < 8; lane++) {
                float magnitude = fabsf(from[i + lane]);
                lanes[lane] = magnitude > lanes[lane] ? magnitude : lanes[lane];
            }
        }
        for (int lane = 0; lane < 8; lane++) largest = lanes[lane] > largest ? lanes[lane] : largest;
        float scale = step_of(largest, cap), inverse = inverse_of(scale);
        to->d[b * count + r] = scale;
        int32_t values[32];
        // Adding 1.5 * 2^23 rounds to the nearest integer (ties to even) and leaves it in the low bits.
        for (int i = 0; i < 32; i++) {
            union { float f; int32_t i; } rounded = {from[i] * inverse + 12582912.0f};
            values[i] = rounded.i - 0x4b400000;
        }
        int8_t bytes[32];
        for (int i = 0; i < 32; i++) bytes[i] = (int8_t)values[i];
        for (int v = 0; v < 8; v++) memcpy(to->q + ((b * 8 + v) * count + r) * 4, bytes + v * 4, 4);
        if (to->high) {
            // What the low byte, read as signed, leaves for the high one.
            int marked = 0;
            for (int i = 0; i < 32; i++) bytes[i] = (int8_t)((values[i] + 128) >> 8);
            for (int v = 0; v < 8; v++) {
                int32_t four;
                memcpy(&four, bytes + v * 4, 4);
                marked |= (four != 0) << v;
            }
            put_high(to, b, r, marked, bytes);
        }
        int32_t left = 0, right = 0;
        for (int i = 0; i < 16; i++) left += values[i];
        for (int i = 16; i < 32; i++) right += values[i];
        if (to->block == 32) {
            to->dsums[b * count + r] = scale * (float)(left + right);
        } else {
            to->dsums[2 * b * count + r] = scale * (float)left;
            to->dsums[(2 * b + 1) * count + r] = scale * (float)right;
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,f16c,fma")))

// The same with AVX-512, to the bit.
WIDE static void quantise_row_wide(
    const float *x, int64_t columns, float cap, int64_t r, const panel_part *to) {
    const int64_t count = to->count;
    for (int64_t b = 0; b < columns / 32; b++) {
        __m512 first = _mm512_loadu_ps(x + b * 32), second = _mm512_loadu_ps(x + b * 32 + 16);
        float largest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(first), _mm512_abs_ps(second)));
        float scale = step_of(largest, cap);
        to->d[b * count + r] = scale;
        __m512 factor = _mm512_set1_ps(inverse_of(scale));
        __m512i left = _mm512_cvtps_epi32(_mm512_mul_ps(first, factor));
        __m512i right = _mm512_cvtps_epi32(_mm512_mul_ps(second, factor));
        int8_t bytes[32];
        _mm_storeu_si128((__m128i *)bytes, _mm512_cvtepi32_epi8(left));
        _mm_storeu_si128((__m128i *)(bytes + 16), _mm512_cvtepi32_epi8(right));
        for (int v = 0; v < 8; v++) memcpy(to->q + ((b * 8 + v) * count + r) * 4, bytes + v * 4, 4);
        if (to->high) {
            const __m512i half = _mm512_set1_epi32(128);
            __m128i low = _mm512_cvtepi32_epi8(_mm512_srai_epi32(_mm512_add_epi32(left, half), 8));
            __m128i high = _mm512_cvtepi32_epi8(_mm512_srai_epi32(_mm512_add_epi32(right, half), 8));
            int marked = _mm_test_epi32_mask(low, low) | _mm_test_epi32_mask(high, high) << 4;
            _mm_storeu_si128((__m128i *)bytes, low);
            _mm_storeu_si128((__m128i *)(bytes + 16), high);
            put_high(to, b, r, marked, bytes);
        }
        if (to->block == 32) {
            to->dsums[b * count + r] = scale * (float)_mm512_reduce_add_epi32(_mm512_add_epi32(left, right));
        } else {
            to->dsums[2 * b * count + r] = scale * (float)_mm512_reduce_add_epi32(left);
            to->dsums[(2 * b + 1) * count + r] = scale * (float)_mm512_reduce_add_epi32(right);
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

// The sum of magnitudes, in sixteen running sums in a fixed order.
CK_CLONES static float magnitude_sum(const float *x, int64_t columns) {
    float sums[16] = {0};
    for (int64_t i = 0; i < columns; i += 16) {
        for (int lane = 0; lane < 16; lane++) sums[lane] += fabsf(x[i + lane]);
    }
    float total = 0;
    for (int lane = 0; lane < 16; lane++) total += sums[lane];
    return total;
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
    void (*quantise)(const float *, int64_t, float, int64_t, const panel_part *);
} quantise_job;

// Columns first ..< first + columns of a row behind the prologue, which may need `scratch`.
static const float *entered(
    const quantise_job *job, const float *row, float scale, int64_t first, int64_t columns, float *scratch) {
    const float *part = row + first;
    if (job->kind == 1) {
        norm_part(part, job->weight + first, scale, columns, scratch);
    } else if (job->kind == 2) {
        swiglu_part(part, part + job->to->columns, columns, scratch);
    }
    return job->kind == 0 ? part : scratch;
}

// What becomes 127 in larger blocks of a row: reach times the mean magnitude of the whole row, whatever part of it a chunk is.
static float row_cap(const quantise_job *job, const float *row, float scale, float *scratch) {
    const ck_activations *to = job->to;
    if (!to->high) return INFINITY;
    if (to->reach == 0) return 0;
    float sum = 0;
    for (int64_t first = 0; first < to->columns; first += PART) {
        int64_t columns = to->columns - first < PART ? to->columns - first : PART;
        sum += magnitude_sum(entered(job, row, scale, first, columns, scratch), columns);
    }
    return sum / (float)to->columns * to->reach;
}

static void quantise_chunk(void *context, int64_t chunk, int thread) {
    (void)thread;
    const quantise_job *job = context;
    ck_activations *to = job->to;
    int64_t start = chunk / job->parts * to->panel, first = chunk % job->parts * job->part_columns;
    int64_t count = to->rows - start < to->panel ? to->rows - start : to->panel;
    int64_t columns = to->columns - first < job->part_columns ? to->columns - first : job->part_columns;
    panel_part part = {
        .q = to->q + start * to->columns + first * count,
        .high = to->high ? to->high + start * to->columns + first * count : NULL,
        .marks = to->marks + start / to->panel * (to->columns / 32) + first / 32,
        .d = to->d + start * (to->columns / 32) + first / 32 * count,
        .dsums = to->dsums + start * (to->columns / to->block) + first / to->block * count,
        .count = count, .block = to->block, .is_full = to->high && to->reach == 0,
    };
    memset(part.marks, part.is_full ? 255 : 0, (size_t)(columns / 32));
    if (part.high && !part.is_full) memset(part.high, 0, (size_t)(columns * count));
    float scratch[PART];
    for (int64_t r = 0; r < count; r++) {
        const float *row = job->x + (start + r) * job->stride;
        float scale = job->kind == 1 ? norm_scale(row, job->epsilon, to->columns) : 1;
        float cap = row_cap(job, row, scale, scratch);
        job->quantise(entered(job, row, scale, first, columns, scratch), columns, cap, r, &part);
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
