#pragma once
// Where things lie in packed weights and in panels of activations, and the kernels of single vector units.
#include "ck_packed.h"

static inline int64_t block_bytes(const ck_packed *w) {
    return 16 * w->block * w->bits / 8 + 32 + (w->has_mins ? 32 : 0);
}

static inline int64_t group_bytes(const ck_packed *w) { return w->columns / w->block * block_bytes(w); }

// The panel that holds a row of the activations: its first row and its number of rows.
static inline int64_t panel_start(const ck_activations *x, int64_t row) { return row / x->panel * x->panel; }
static inline int64_t panel_rows(const ck_activations *x, int64_t start) {
    return x->rows - start < x->panel ? x->rows - start : x->panel;
}
// Which groups of 4 columns of a block of the weights have high bytes.
static inline int panel_marks(const ck_activations *x, int64_t start, int64_t b, int block) {
    const uint8_t *marks = x->marks + start / x->panel * (x->columns / 32);
    return block == 32 ? marks[b] : marks[b / 2] >> (b % 2 * 4) & 15;
}

// Activation rows first ..< last, which begin a panel, times group g of 16 weight rows: out[i * stride + n] for feature n.
typedef void (*ck_group_kernel)(
    const ck_packed *w, const ck_activations *x, float *out, int64_t stride, int accumulate, int64_t g, int64_t first,
    int64_t last);

// One kernel a layout of weights, out of `rows`, for which bits, block and has_mins then are constants; and a
// function with the head `choose` that finds a matrix's.
#define CK_GROUP_KERNEL(TARGET, rows, bits, block, has_mins)                                                         \
    TARGET static void rows##_##bits##_##block##_##has_mins(                                                         \
        const ck_packed *w, const ck_activations *x, float *out, int64_t stride, int accumulate, int64_t g,          \
        int64_t first, int64_t last) {                                                                               \
        rows(w, x, out, stride, accumulate, g, first, last, bits, block, has_mins);                                  \
    }
#define CK_GROUP_KERNELS(TARGET, rows, choose)                                                                       \
    CK_GROUP_KERNEL(TARGET, rows, 4, 16, 0)                                                                          \
    CK_GROUP_KERNEL(TARGET, rows, 4, 16, 1)                                                                          \
    CK_GROUP_KERNEL(TARGET, rows, 4, 32, 0)                                                                          \
    CK_GROUP_KERNEL(TARGET, rows, 4, 32, 1)                                                                          \
    CK_GROUP_KERNEL(TARGET, rows, 8, 16, 0)                                                                          \
    CK_GROUP_KERNEL(TARGET, rows, 8, 16, 1)                                                                          \
    CK_GROUP_KERNEL(TARGET, rows, 8, 32, 0)                                                                          \
    CK_GROUP_KERNEL(TARGET, rows, 8, 32, 1)                                                                          \
    choose(const ck_packed *w) {                                                                                     \
        static const ck_group_kernel kernels[2][2][2] = {                                                            \
            {{rows##_4_16_0, rows##_4_16_1}, {rows##_4_32_0, rows##_4_32_1}},                                        \
            {{rows##_8_16_0, rows##_8_16_1}, {rows##_8_32_0, rows##_8_32_1}},                                        \
        };                                                                                                           \
        return kernels[w->bits == 8][w->block == 32][w->has_mins != 0];                                              \
    }

// For AVX2, to the bit what the reference gives.
ck_group_kernel ck_avx2_group(const ck_packed *w);
