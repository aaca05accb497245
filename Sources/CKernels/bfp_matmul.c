#include "bfp_matmul.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <pthread.h>
#include <string.h>

#include "ck_pool.h"
#include "room.h"

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))

// A tile of the inner loop has 6 rows of 16 columns: twelve registers of sums. Rows of A are packed in panels of 6 lines, columns of B in
// panels of 16, two terms of a line side by side. A panel of each fits the first-level cache at up to DEPTH terms, PART lines of each
// the second. The operand with fewer lines is packed for all threads, at most COMMON of them at a time; the other by each for itself.
enum { ROWS = 6, COLUMNS = 16, DEPTH = 640, PART = 96, COMMON = 2064 };

// The lines of an operand, along which sums run: rows of A or columns of B.
typedef struct {
    const char *numbers;
    ck_type type;
    int64_t line, term;  // how far apart lines are, and terms of one
    int width;           // of a panel
} operand;

// Panels of some lines one after another, and scales for each block of terms and each line of a panel.
typedef struct {
    int32_t *pairs;
    float *scales;
    int64_t panel_pairs, panel_scales;
} packed;

static int64_t least(int64_t x, int64_t y) { return x < y ? x : y; }

static int64_t panels(const operand *o, int64_t lines) { return (lines + o->width - 1) / o->width; }

// MARK: Packing

// Eight numbers from element `i` on, or as many as there are, and zeros.
AVX2_INLINE __m256 load(const operand *o, int64_t i, int64_t count, const bool is_bf16) {
    if (is_bf16) {
        const uint16_t *at = (const uint16_t *)o->numbers + i;
        uint16_t some[8] = {0};
        if (count < 8) {
            for (int64_t j = 0; j < count; j++) some[j] = at[j];
            at = some;
        }
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)at)), 16));
    }
    const float *at = (const float *)o->numbers + i;
    if (count >= 8) return _mm256_loadu_ps(at);
    __m256i places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(at, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), places));
}

// Among bits of absolute values, infinities are above all numbers and NaNs above these.
AVX2_INLINE __m256i larger(__m256i largest, __m256 numbers) {
    return _mm256_max_epu32(largest, _mm256_and_si256(_mm256_castps_si256(numbers), _mm256_set1_epi32(0x7fffffff)));
}

// What turns the numbers of eight lines into integers, and their scales, from the bits of their largest.
AVX2_INLINE __m256 choose_scales(__m256i largest, float *scales, int lanes) {
    const __m256 limit = _mm256_set1_ps(CK_BFP_LARGEST);
    __m256 number = _mm256_castsi256_ps(largest);
    __m256 vanishes = _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(27 << 23), largest));  // below 2^-100
    __m256 exceeds = _mm256_castsi256_ps(_mm256_cmpgt_epi32(largest, _mm256_set1_epi32(0x7f7fffff)));
    __m256 scale = _mm256_andnot_ps(vanishes, _mm256_div_ps(number, limit));
    float eight[8];
    _mm256_storeu_ps(eight, _mm256_or_ps(scale, _mm256_and_ps(exceeds, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000)))));
    memcpy(scales, eight, (size_t)lanes * sizeof(float));
    return _mm256_andnot_ps(vanishes, _mm256_div_ps(limit, number));
}

AVX2_INLINE __m256i rounded(__m256 numbers, __m256 factor) { return _mm256_cvtps_epi32(_mm256_mul_ps(numbers, factor)); }

AVX2_INLINE void transpose(__m256i *x) {
    __m256i y[8], z[8];
#pragma unroll
    for (int i = 0; i < 8; i += 2) {
        y[i] = _mm256_unpacklo_epi32(x[i], x[i + 1]);
        y[i + 1] = _mm256_unpackhi_epi32(x[i], x[i + 1]);
    }
#pragma unroll
    for (int i = 0; i < 8; i += 4) {
        z[i] = _mm256_unpacklo_epi64(y[i], y[i + 2]);
        z[i + 1] = _mm256_unpackhi_epi64(y[i], y[i + 2]);
        z[i + 2] = _mm256_unpacklo_epi64(y[i + 1], y[i + 3]);
        z[i + 3] = _mm256_unpackhi_epi64(y[i + 1], y[i + 3]);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        x[i] = _mm256_permute2x128_si256(z[i], z[i + 4], 0x20);
        x[i + 4] = _mm256_permute2x128_si256(z[i], z[i + 4], 0x31);
    }
}

// A block of up to eight lines whose terms are adjacent. `width` lies between the pairs of a line; so many of the `lanes` exist.
AVX2_INLINE void pack_along(
    const operand *o, int64_t from, int64_t length, int64_t lines, int32_t *pairs, float *scales, const int lanes,
    const int width, const bool is_bf16) {
    __m256i largest[8];
#pragma unroll
    for (int i = 0; i < 8; i++) {
        largest[i] = _mm256_setzero_si256();
        if (i >= lanes || i >= lines) continue;
        for (int64_t l = 0; l < length; l += 8) {
            largest[i] = larger(largest[i], load(o, from + i * o->line + l, length - l, is_bf16));
        }
    }
    transpose(largest);
#pragma unroll
    for (int i = 1; i < 8; i++) largest[0] = _mm256_max_epu32(largest[0], largest[i]);
    float factors[8];
    _mm256_storeu_ps(factors, choose_scales(largest[0], scales, lanes));
    for (int64_t l = 0; l < length; l += 16) {
        __m256i eight[8];
#pragma unroll
        for (int i = 0; i < 8; i++) {
            eight[i] = _mm256_setzero_si256();
            if (i >= lanes || i >= lines) continue;
            __m256 factor = _mm256_set1_ps(factors[i]);
            int64_t at = from + i * o->line + l;
            __m256i first = rounded(load(o, at, length - l, is_bf16), factor);
            __m256i second =
                length - l > 8 ? rounded(load(o, at + 8, length - l - 8, is_bf16), factor) : _mm256_setzero_si256();
            eight[i] = _mm256_packs_epi32(first, second);
        }
        transpose(eight);
        // Packing leaves the pairs in the order 0 1 4 5 2 3 6 7. Lanes beyond a narrow panel's width are overwritten by the next pair, or
        // lie in what its memory has to spare.
        static const int places[8] = {0, 1, 4, 5, 2, 3, 6, 7};
#pragma unroll
        for (int i = 0; i < 8; i++) {
            if (l + 2 * i < length) _mm256_storeu_si256((__m256i *)(pairs + (l / 2 + i) * width), eight[places[i]]);
        }
    }
}

AVX2_INLINE void pack_lines(
    const operand *o, int64_t line, int64_t count, int64_t term, int64_t depth, const packed *to, const int width,
    const bool is_bf16) {
    const int lanes = width < 8 ? width : 8;
    for (int64_t i = 0; i < count; i += width) {
        for (int64_t start = 0; start < depth; start += CK_BFP_BLOCK) {
            int64_t length = least(depth - start, CK_BFP_BLOCK);
            for (int half = 0; half < width; half += 8) {
                int64_t lines = count - i - half, from = (line + i + half) * o->line + term + start;
                int32_t *pairs = to->pairs + i / width * to->panel_pairs + start / 2 * width + half;
                float *scales = to->scales + i / width * to->panel_scales + start / CK_BFP_BLOCK * width + half;
                if (lines >= lanes && length == CK_BFP_BLOCK) {
                    pack_along(o, from, CK_BFP_BLOCK, lanes, pairs, scales, lanes, width, is_bf16);
                } else {
                    pack_along(o, from, length, lines, pairs, scales, lanes, width, is_bf16);
                }
            }
        }
    }
}

// Up to PART adjacent lines. A block is read once, term by term, into a copy that lies together: terms may be a page apart.
AVX2_INLINE void pack_terms(
    const operand *o, int64_t line, int64_t count, int64_t term, int64_t depth, const packed *to, const int width,
    const bool is_bf16) {
    enum { ROOM = PART + 24, AHEAD = 16 };
    const int lanes = width < 8 ? width : 8;
    const int64_t filled = panels(o, count) * width;
    float copy[CK_BFP_BLOCK * ROOM] __attribute__((aligned(32)));
    uint32_t largest[ROOM] __attribute__((aligned(32)));
    for (int64_t start = 0; start < depth; start += CK_BFP_BLOCK) {
        int64_t length = least(depth - start, CK_BFP_BLOCK);
        memset(largest, 0, sizeof largest);
        for (int64_t l = 0; l < length; l++) {
            int64_t from = line + (term + start + l) * o->term;
            float *row = copy + l * ROOM;
            // A term's lines are too few for the processor to see where it goes.
            const char *soon = o->numbers + (from + AHEAD * o->term) * (is_bf16 ? 2 : 4);
            for (int64_t i = 0; i < count * (is_bf16 ? 2 : 4); i += 64) _mm_prefetch(soon + i, _MM_HINT_T0);
            for (int64_t i = 0; i < filled + 8; i += 8) {
                __m256 numbers = load(o, from + i, count - i, is_bf16);
                _mm256_store_ps(row + i, numbers);
                __m256i *maximum = (__m256i *)(largest + i);
                _mm256_store_si256(maximum, larger(_mm256_load_si256(maximum), numbers));
            }
        }
        if (length % 2) memset(copy + length * ROOM, 0, ROOM * sizeof(float));  // the last term's neighbour
        for (int64_t i = 0; i < filled; i += lanes) {
            int32_t *pairs = to->pairs + i / width * to->panel_pairs + start / 2 * width + i % width;
            float *scales = to->scales + i / width * to->panel_scales + start / CK_BFP_BLOCK * width + i % width;
            __m256 factor = choose_scales(_mm256_loadu_si256((const __m256i *)(largest + i)), scales, lanes);
            const float *at = copy + i;
            for (int64_t l = 0; l < length; l += 2, at += 2 * ROOM, pairs += width) {
                __m256i first = rounded(_mm256_loadu_ps(at), factor), second = rounded(_mm256_loadu_ps(at + ROOM), factor);
                __m256i both = _mm256_blend_epi16(first, _mm256_slli_epi32(second, 16), 0xaa);
                _mm256_storeu_si256((__m256i *)pairs, both);
            }
        }
    }
}

// Up to PART lines from `line` on, `depth` of their terms from `term` on. The last panel is filled up with zeros.
AVX2 static void pack(const operand *o, int64_t line, int64_t count, int64_t term, int64_t depth, const packed *to) {
    int64_t kind = (o->width == ROWS ? 0 : 4) + (o->term == 1 ? 0 : 2) + (o->type == CK_TYPE_BF16 ? 1 : 0);
    switch (kind) {
        case 0: return pack_lines(o, line, count, term, depth, to, ROWS, false);
        case 1: return pack_lines(o, line, count, term, depth, to, ROWS, true);
        case 2: return pack_terms(o, line, count, term, depth, to, ROWS, false);
        case 3: return pack_terms(o, line, count, term, depth, to, ROWS, true);
        case 4: return pack_lines(o, line, count, term, depth, to, COLUMNS, false);
        case 5: return pack_lines(o, line, count, term, depth, to, COLUMNS, true);
        case 6: return pack_terms(o, line, count, term, depth, to, COLUMNS, false);
        default: return pack_terms(o, line, count, term, depth, to, COLUMNS, true);
    }
}

// Room for panels of some lines. NULL pairs: no memory.
static packed make_packed(room *r, const operand *o, int64_t lines, int64_t depth) {
    packed p;
    p.panel_pairs = ((depth + 1) / 2 * o->width + 2 + 15) & ~(int64_t)15;  // two more are written to
    p.panel_scales = (depth + CK_BFP_BLOCK - 1) / CK_BFP_BLOCK * o->width;
    size_t bytes = (size_t)(panels(o, lines) * p.panel_pairs) * sizeof(int32_t);
    p.pairs = room_make(r, bytes + (size_t)(panels(o, lines) * p.panel_scales) * sizeof(float)) ? r->memory : NULL;
    p.scales = p.pairs ? (float *)((char *)p.pairs + bytes) : NULL;
    return p;
}

static packed panel_of(const packed *p, int64_t panel) {
    return (packed){
        p->pairs + panel * p->panel_pairs, p->scales + panel * p->panel_scales, p->panel_pairs, p->panel_scales};
}

// MARK: Multiplying

// c = before + A · B of a panel of each.
AVX2 static void multiply_panels(
    packed a, packed b, int64_t depth, const float *before, int64_t before_row, float *c, int64_t c_row) {
    for (int64_t start = 0; start < depth; start += CK_BFP_BLOCK) {
        __m256i sums[2 * ROWS];
#pragma unroll
        for (int i = 0; i < 2 * ROWS; i++) sums[i] = _mm256_setzero_si256();
        int64_t pairs = (least(depth - start, CK_BFP_BLOCK) + 1) / 2;
        for (int64_t p = 0; p < pairs; p++) {
            __m256i left = _mm256_load_si256((const __m256i *)b.pairs);
            __m256i right = _mm256_load_si256((const __m256i *)(b.pairs + 8));
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                __m256i row = _mm256_set1_epi32(a.pairs[r]);
                sums[2 * r] = _mm256_add_epi32(sums[2 * r], _mm256_madd_epi16(row, left));
                sums[2 * r + 1] = _mm256_add_epi32(sums[2 * r + 1], _mm256_madd_epi16(row, right));
            }
            a.pairs += ROWS;
            b.pairs += COLUMNS;
        }
        __m256 left = _mm256_loadu_ps(b.scales), right = _mm256_loadu_ps(b.scales + 8);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            __m256 scale = _mm256_set1_ps(a.scales[r]);
            const float *from = before + r * before_row;
            float *to = c + r * c_row;
            _mm256_storeu_ps(
                to, _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[2 * r]), _mm256_mul_ps(scale, left), _mm256_loadu_ps(from)));
            _mm256_storeu_ps(
                to + 8,
                _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[2 * r + 1]), _mm256_mul_ps(scale, right), _mm256_loadu_ps(from + 8)));
        }
        a.scales += ROWS;
        b.scales += COLUMNS;
        before = c;
        before_row = c_row;
    }
}

// The same at the edge of C, where only so many rows and columns exist.
static void multiply_edge(
    packed a, packed b, int64_t depth, const float *before, int64_t before_row, float *c, int64_t c_row, int64_t rows,
    int64_t columns) {
    float whole[ROWS * COLUMNS] = {0};
    for (int64_t r = 0; r < rows; r++) {
        memcpy(whole + r * COLUMNS, before + r * before_row, (size_t)columns * sizeof(float));
    }
    multiply_panels(a, b, depth, whole, COLUMNS, whole, COLUMNS);
    for (int64_t r = 0; r < rows; r++) {
        memcpy(c + r * c_row, whole + r * COLUMNS, (size_t)columns * sizeof(float));
    }
}

// MARK: The whole product

typedef struct {
    room common, own;
} thread_state;

typedef struct {
    const ck_matmul_shape *shape;
    operand a, b;
    const float *bias;
    float *c;
    bool by_rows;            // tiles are cut from rows of A; else from columns of B
    int64_t tile;            // lines of one
    int64_t first, lines;    // the common operand's
    int64_t term, depth;
    packed common;
    bool failed;
} job;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t state_key;

static void state_free(void *argument) {
    thread_state *state = argument;
    free(state->common.memory);
    free(state->own.memory);
    free(state);
}

static void initialise(void) { pthread_key_create(&state_key, state_free); }

static thread_state *state_of_thread(void) {
    pthread_once(&once, initialise);
    thread_state *state = pthread_getspecific(state_key);
    if (!state && (state = calloc(1, sizeof *state))) pthread_setspecific(state_key, state);
    return state;
}

static void pack_common(void *argument, int64_t chunk, int thread) {
    (void)thread;
    const job *j = argument;
    const operand *o = j->by_rows ? &j->b : &j->a;
    int64_t line = chunk * PART;
    packed to = panel_of(&j->common, line / o->width);
    pack(o, j->first + line, least(j->lines - line, PART), j->term, j->depth, &to);
}

static void run_tile(void *argument, int64_t chunk, int thread) {
    (void)thread;
    job *j = argument;
    const operand *o = j->by_rows ? &j->a : &j->b;
    int64_t first = chunk * j->tile, count = least((j->by_rows ? j->shape->m : j->shape->n) - first, j->tile);
    thread_state *state = state_of_thread();
    packed own = {0};
    if (state) own = make_packed(&state->own, o, count, j->depth);
    if (!own.pairs) {
        __atomic_store_n(&j->failed, true, __ATOMIC_RELAXED);
        return;
    }
    pack(o, first, count, j->term, j->depth, &own);
    const packed *a = j->by_rows ? &own : &j->common, *b = j->by_rows ? &j->common : &own;
    int64_t row = j->by_rows ? first : j->first, rows = j->by_rows ? count : j->lines;
    int64_t column = j->by_rows ? j->first : first, columns = j->by_rows ? j->lines : count;
    static const float zeros[COLUMNS];
    bool begins = j->term == 0 && !j->shape->accumulate;
    for (int64_t part = 0; part < rows; part += PART) {
        for (int64_t n = 0; n < columns; n += COLUMNS) {
            const float *start = j->bias ? j->bias + column + n : zeros;
            int64_t wide = least(columns - n, COLUMNS);
            for (int64_t m = part; m < least(part + PART, rows); m += ROWS) {
                int64_t high = least(rows - m, ROWS);
                float *c = j->c + (row + m) * j->shape->c_row + column + n;
                const float *before = begins ? start : c;
                int64_t before_row = begins ? 0 : j->shape->c_row;
                packed left = panel_of(a, m / ROWS), right = panel_of(b, n / COLUMNS);
                if (high == ROWS && wide == COLUMNS) {
                    multiply_panels(left, right, j->depth, before, before_row, c, j->shape->c_row);
                } else {
                    multiply_edge(left, right, j->depth, before, before_row, c, j->shape->c_row, high, wide);
                }
            }
        }
    }
}

static int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

bool ck_bfp_matmul(const ck_matmul_shape *shape, const void *a, const void *b, const float *bias, float *c) {
    job j = {
        .shape = shape,
        .a = {a, shape->a_type, shape->a_row, shape->a_column, ROWS},
        .b = {b, shape->b_type, shape->b_column, shape->b_row, COLUMNS},
        .bias = bias,
        .c = c,
        .by_rows = shape->m > shape->n,
    };
    thread_state *state = state_of_thread();
    if (!state) return false;
    const operand *common = j.by_rows ? &j.b : &j.a, *cut = j.by_rows ? &j.a : &j.b;
    int64_t common_lines = j.by_rows ? shape->n : shape->m, cut_lines = j.by_rows ? shape->m : shape->n;
    // An even number of tiles, so that two threads end together.
    int64_t tiles = round_up((cut_lines + PART - 1) / PART, 2);
    j.tile = round_up((cut_lines + tiles - 1) / tiles, cut->width);
    tiles = (cut_lines + j.tile - 1) / j.tile;
    int64_t steps = (shape->k + DEPTH - 1) / DEPTH;
    int64_t depth = round_up((shape->k + steps - 1) / steps, CK_BFP_BLOCK);
    for (j.first = 0; j.first < common_lines; j.first += COMMON) {
        j.lines = least(common_lines - j.first, COMMON);
        for (j.term = 0; j.term < shape->k; j.term += depth) {
            j.depth = least(shape->k - j.term, depth);
            j.common = make_packed(&state->common, common, j.lines, j.depth);
            if (!j.common.pairs) return false;
            ck_parallel((j.lines + PART - 1) / PART, pack_common, &j);
            ck_parallel(tiles, run_tile, &j);
            if (j.failed) return false;
        }
    }
    return true;
}

bool ck_has_bfp(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && !ck_matmul_has_bf16();
}

#else

bool ck_bfp_matmul(const ck_matmul_shape *shape, const void *a, const void *b, const float *bias, float *c) {
    (void)shape, (void)a, (void)b, (void)bias, (void)c;
    return false;
}

bool ck_has_bfp(void) { return false; }

#endif
