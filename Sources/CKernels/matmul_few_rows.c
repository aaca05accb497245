#include "ck_pool.h"
#include "elementwise_math.h"
#include "onednn_matmul.h"

// y[m, n] = x[m, k] · w[n, k]ᵀ for up to four rows of x. Each row of w is read once and meets every row of x.

#define FEW_ROWS(NAME, TYPE, LOAD, SCALAR, ROWS)                                                                    \
    CK_CLONES static void NAME(                                                                                     \
        const float *x, int64_t x_row, const TYPE *w, int64_t w_row, const float *bias, float *y, int64_t y_row,    \
        int64_t from, int64_t to, int64_t k) {                                                                      \
        for (int64_t j = from; j < to; j++) {                                                                       \
            const TYPE *row = w + j * w_row;                                                                        \
            f32x16 even[ROWS], odd[ROWS];                                                                           \
            for (int i = 0; i < ROWS; i++) even[i] = odd[i] = (f32x16){0};                                          \
            int64_t l = 0;                                                                                          \
            for (; l + 32 <= k; l += 32) {                                                                          \
                f32x16 w0 = LOAD(row + l), w1 = LOAD(row + l + 16);                                                 \
                for (int i = 0; i < ROWS; i++) {                                                                    \
                    even[i] += w0 * load16(x + i * x_row + l);                                                      \
                    odd[i] += w1 * load16(x + i * x_row + l + 16);                                                  \
                }                                                                                                   \
            }                                                                                                       \
            for (int i = 0; i < ROWS; i++) {                                                                        \
                even[i] += odd[i];                                                                                  \
                float sum = sum16(&even[i]);                                                                        \
                for (int64_t rest = l; rest < k; rest++) sum += SCALAR(row[rest]) * x[i * x_row + rest];            \
                y[i * y_row + j] = sum + (bias ? bias[j] : 0.0f);                                                   \
            }                                                                                                       \
        }                                                                                                           \
    }

#define AS_IS(v) (v)
FEW_ROWS(f32_rows_1, float, load16, AS_IS, 1)
FEW_ROWS(f32_rows_2, float, load16, AS_IS, 2)
FEW_ROWS(f32_rows_3, float, load16, AS_IS, 3)
FEW_ROWS(f32_rows_4, float, load16, AS_IS, 4)
FEW_ROWS(bf16_rows_1, uint16_t, load16_bf16, from_bf16, 1)
FEW_ROWS(bf16_rows_2, uint16_t, load16_bf16, from_bf16, 2)
FEW_ROWS(bf16_rows_3, uint16_t, load16_bf16, from_bf16, 3)
FEW_ROWS(bf16_rows_4, uint16_t, load16_bf16, from_bf16, 4)

typedef struct {
    const float *x, *bias;
    const void *w;
    float *y;
    ck_type type;
    int64_t x_row, w_row, y_row, m, n, k, part;
} product;

static void run(void *argument, int64_t chunk, int thread) {
    (void)thread;
    const product *p = argument;
    int64_t from = chunk * p->part, to = from + p->part < p->n ? from + p->part : p->n;
#define CALL(NAME, TYPE) NAME(p->x, p->x_row, (const TYPE *)p->w, p->w_row, p->bias, p->y, p->y_row, from, to, p->k)
    if (p->type == CK_TYPE_BF16) {
        switch (p->m) {
        case 1: CALL(bf16_rows_1, uint16_t); break;
        case 2: CALL(bf16_rows_2, uint16_t); break;
        case 3: CALL(bf16_rows_3, uint16_t); break;
        default: CALL(bf16_rows_4, uint16_t); break;
        }
    } else {
        switch (p->m) {
        case 1: CALL(f32_rows_1, float); break;
        case 2: CALL(f32_rows_2, float); break;
        case 3: CALL(f32_rows_3, float); break;
        default: CALL(f32_rows_4, float); break;
        }
    }
#undef CALL
}

void ck_linear_few_rows(
    const float *x, int64_t x_row, const void *w, ck_type type, int64_t w_row, const float *bias, float *y, int64_t y_row,
    int64_t m, int64_t n, int64_t k) {
    product p = {x, bias, w, y, type, x_row, w_row, y_row, m, n, k, n};
    int threads = ck_pool_threads();
    if (threads > 1 && n * k >= 1 << 15) {
        int64_t parts = (int64_t)threads * 4;
        p.part = ((n + parts - 1) / parts + 15) / 16 * 16;
    }
    ck_parallel((n + p.part - 1) / p.part, run, &p);
}
