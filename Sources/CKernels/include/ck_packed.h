#pragma once
#include <stdint.h>

// Matrix products with quantised weights, read as they are.
//
// A packed matrix holds `rows` output features of `columns` input features. Rows stand in groups of 16 (the last group is padded
// with zeros), columns in blocks of 32 or 16 that share a scale d, and either a minimum m or a constant offset:
//     weight = scale * (d * q + m)        or      weight = scale * d * (q - offset)
// A group's blocks follow one another; one block of one group is
//     q      16 rows x block columns: 8 bits: block/4 vectors of 64 bytes, byte 4r+i of vector v = row r, column 4v+i
//                                     4 bits: block/8 vectors, low nibbles = vector v, high nibbles = vector v + block/8
//     d      16 x f16
//     m      16 x f16, when the format has minima
// so that one 16-lane dot-product instruction advances 16 rows by 4 columns without any horizontal sum.
//
// Activations are quantised per row and block of 32, symmetrically, to 8 bits or to 16: a low byte and, for the groups of 4 columns whose
// numbers need it, a high one, which is a second integer product. A block's largest number becomes 127, or `reach` times the row's mean
// magnitude does where that is smaller; what lies beyond gets the high byte. At a reach of 0 everything does.
// Integer sums are exact and each output is accumulated in the order of its blocks, so a row's result is the same to the bit whatever
// other rows are in the batch.

typedef struct {
    uint8_t *data;
    int64_t rows, columns;
    int32_t bits;      // 4 or 8
    int32_t block;     // 32 or 16
    int32_t has_mins;  // 0: `offset` applies
    int32_t offset;
    float scale;
} ck_packed;

// GGUF's numbers for the formats that can be packed.
enum {
    CK_Q4_0 = 2, CK_Q4_1 = 3, CK_Q5_0 = 6, CK_Q5_1 = 7, CK_Q8_0 = 8,
    CK_Q2_K = 10, CK_Q3_K = 11, CK_Q4_K = 12, CK_Q5_K = 13, CK_Q6_K = 14,
};

// Fills in bits, block, has_mins and offset for a GGUF format. 0: not a format that can be packed.
int ck_packed_layout(int format, ck_packed *matrix);
// Bytes of `data`.
int64_t ck_packed_bytes(const ck_packed *matrix);
// Packs rows first_row ..< first_row + count from GGUF blocks. first_row is a multiple of 16, and count too unless it ends the matrix.
// `scale` must be set (ck_packed_scale).
void ck_packed_fill(ck_packed *matrix, int format, const uint8_t *blocks, int64_t first_row, int64_t count);
// A power of two that brings the largest scale of K-quants into the comfortable range of f16; 1 for the other formats.
float ck_packed_scale(int format, const uint8_t *blocks, int64_t elements);
// Writes one row as f32.
void ck_packed_row(const ck_packed *matrix, int64_t row, float *out);

// Quantised activations, in panels of `panel` rows (the last panel may be shorter) that one tile of the product reads in order. In a panel
// of c rows, row r:  q     bytes 4 * (v * c + r) ..< + 4 = columns 4v ..< 4v+4
//                    high  the same for the high byte: the number is d * (256 high + q); NULL for 8 bits: d * q
//                    marks [columns/32] bit v % 8: some row has a high byte in columns 4v ..< 4v+4; elsewhere they are all 0
//                    d     [columns/32, c]     scales
//                    dsums [columns/block, c]  the sum of the block's numbers
typedef struct {
    int8_t *q;
    int8_t *high;
    uint8_t *marks;  // [panels, columns/32]
    float *d;
    float *dsums;
    int64_t rows, columns;
    int32_t block, panel;
    float reach;
} ck_activations;

// Bytes needed for the buffers of a ck_activations, laid out by ck_activations_place. bits: 16 or 8.
int64_t ck_activations_bytes(int64_t rows, int64_t columns, int32_t block, int bits);
void ck_activations_place(
    ck_activations *activations, void *buffer, int64_t rows, int64_t columns, int32_t block, int bits, float reach);

// Quantises x [rows x columns] (rows `stride` floats apart).
void ck_quantise(const float *x, int64_t stride, ck_activations *activations);
// The same of RMS-normalised rows: x * weight / sqrt(mean(x^2) + epsilon).
void ck_rmsnorm_quantise(
    const float *x, int64_t stride, const float *weight, float epsilon, ck_activations *activations);
// The same of silu(gate) * up, where x is [rows x 2 columns]: gate, then up.
void ck_swiglu_quantise(const float *x, int64_t stride, ck_activations *activations);

// out[i, n] = sum_k x[i, k] w[n, k] (+ out[i, n] when `accumulate`), on the pool. Rows of out are `stride` floats apart.
void ck_packed_matmul(
    const ck_packed *matrix, const ck_activations *x, float *out, int64_t stride, int accumulate);
// The same where runs of output features go to matrices of their own: features starts[j] ..< starts[j + 1] (the last: to the end) to
// outs[j], strides[j]. Starts are multiples of 16, the first is 0.
void ck_packed_matmul_split(
    const ck_packed *matrix, const ck_activations *x, int count, const int64_t *starts, float *const *outs,
    const int64_t *strides, int accumulate);
// The same by the slow, obvious path: what the fast one is tested against.
void ck_packed_matmul_reference(
    const ck_packed *matrix, const ck_activations *x, float *out, int64_t stride, int accumulate);

// 3: AVX-512 VNNI, 2: AVX2, 0: plain C.
int ck_packed_level(void);
