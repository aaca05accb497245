#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Dense matrix products through oneDNN, called single-threaded on tiles from our own pool (ck_pool.h).

typedef enum { CK_TYPE_F32 = 0, CK_TYPE_BF16 = 1 } ck_type;

// C[m, n] (+)= A[m, k] · B[k, n] (+ bias[n]), accumulated in f32; C and bias are f32.
// Strides are in elements; of A's two strides one must be 1, of B's likewise. C's columns are adjacent.
typedef struct {
    int64_t m, n, k;
    ck_type a_type, b_type;          // equal, or a B of bf16 beside an A of f32: then B is widened on the way, tile by tile
    int64_t a_row, a_column;         // A[i, l] = a[i * a_row + l * a_column]
    int64_t b_row, b_column;         // B[l, j] = b[l * b_row + j * b_column]
    int64_t c_row;                   // C[i, j] = c[i * c_row + j]
    bool accumulate;                 // adds to C instead of overwriting it
    bool bias;                       // a bias row is given; not together with `accumulate`
} ck_matmul_shape;

// The whole product, split over the pool. Returns 0, or oneDNN's status when it refuses the shape.
int ck_matmul(const ck_matmul_shape *shape, const void *a, const void *b, const float *bias, float *c);

// One product on the calling thread alone.
int ck_matmul_serial(const ck_matmul_shape *shape, const void *a, const void *b, const float *bias, float *c);

// Whether bf16 products run on the processor's vector unit (AVX-512 or better); elsewhere the caller widens to f32.
bool ck_matmul_has_bf16(void);

// Few rows (1 ... 4): y[m, n] = x[m, k] · w[n, k]ᵀ (+ bias[n]). Bound by reading w once. x and y are f32, w is f32 or bf16.
enum { CK_FEW_ROWS = 4 };
void ck_linear_few_rows(
    const float *x, int64_t x_row, const void *w, ck_type type, int64_t w_row, const float *bias, float *y, int64_t y_row,
    int64_t m, int64_t n, int64_t k);
