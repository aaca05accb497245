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

// For AVX2, to the bit what the reference gives.
ck_group_kernel ck_avx2_group(const ck_packed *w);
