#pragma once
#include <stdint.h>

// Elementwise and row kernels. Each is a plain function over a contiguous run on the calling thread; whoever calls splits
// the run over the pool. Every forward stands beside its backward; dx means ∂loss/∂x.

// MARK: Arithmetic (elementwise_arithmetic.c)

typedef enum { CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_MAXIMUM, CK_MINIMUM } ck_binary_op;

// z[i] = x[i * x_step] op y[i * y_step]; steps are 0 (one value for all) or 1.
void ck_binary(ck_binary_op op, const float *x, int x_step, const float *y, int y_step, float *z, int64_t n);
// y[i] = scale * x[i] + shift
void ck_affine(const float *x, float scale, float shift, float *y, int64_t n);
// y[i] += scale * x[i]
void ck_accumulate(const float *x, float scale, float *y, int64_t n);
// y[i] = min(max(x[i], low), high); dx[i] = dy[i] where low <= x[i] <= high, else 0
void ck_clamp(const float *x, float low, float high, float *y, int64_t n);
void ck_clamp_backward(const float *x, const float *dy, float low, float high, float *dx, int64_t n);
// dx of max(x, y) or min(x, y): dz where x was taken (ties share it equally), for x; swap x and y for dy.
void ck_choose_backward(ck_binary_op op, const float *x, const float *y, const float *dz, float *dx, int64_t n);
void ck_fill(float value, float *y, int64_t n);

// y[o, i] = Σ_a x[o, a, i]; x [outer, axis, inner]
void ck_sum_axis(const float *x, float *y, int64_t outer, int64_t axis, int64_t inner);
float ck_sum(const float *x, int64_t n);
float ck_dot(const float *x, const float *y, int64_t n);
// The largest of each row and the place of its first occurrence; x [rows, width]
void ck_max_rows(const float *x, float *y, int32_t *place, int64_t rows, int64_t width);

// Zeroes each element with probability p and divides the rest by 1 - p. Element i's fate depends on (seed, first + i) alone,
// so the backward is the same call on dy.
void ck_dropout(const float *x, float p, uint64_t seed, int64_t first, float *y, int64_t n);

// Conversions, to the nearest with ties to even.
void ck_f32_to_bf16(const float *x, uint16_t *y, int64_t n);
void ck_bf16_to_f32(const uint16_t *x, float *y, int64_t n);
void ck_f32_to_f16(const float *x, uint16_t *y, int64_t n);
void ck_f16_to_f32(const uint16_t *x, float *y, int64_t n);

// y[c, r] = x[r * x_row + c] for r < rows, c < columns; elements of 2 or 4 bytes; y's rows are y_row elements apart.
void ck_transpose_2(const uint16_t *x, int64_t x_row, uint16_t *y, int64_t y_row, int64_t rows, int64_t columns);
void ck_transpose_4(const uint32_t *x, int64_t x_row, uint32_t *y, int64_t y_row, int64_t rows, int64_t columns);

// MARK: Functions of one number (elementwise_functions.c)

typedef enum {
    CK_EXP,
    CK_LOG,
    CK_SQRT,
    CK_SQUARE,
    CK_ABS,
    CK_SIGMOID,
    CK_LOG_SIGMOID,
    CK_TANH,
    CK_RELU,
    CK_SILU,       // x σ(x)
    CK_GELU,       // x Φ(x), with the error function
    CK_GELU_TANH,  // x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2
} ck_function;

void ck_apply(ck_function function, const float *x, float *y, int64_t n);
// dx = f'(x) · dy, given x and y = f(x)
void ck_apply_backward(ck_function function, const float *x, const float *y, const float *dy, float *dx, int64_t n);

// cap · tanh(x / cap); dx = dy · (1 - (y / cap)²)
void ck_softcap(const float *x, float cap, float *y, int64_t n);
void ck_softcap_backward(const float *y, const float *dy, float cap, float *dx, int64_t n);

// Gated units: z = f(gate) · up over rows of `width`, f one of SILU, GELU, GELU_TANH. Gate and up are each
// [rows, width] with a stride between rows, so that they may lie side by side in one product's result.
void ck_gated(
    ck_function function, const float *gate, int64_t gate_row, const float *up, int64_t up_row, float *z, int64_t rows,
    int64_t width);
void ck_gated_backward(
    ck_function function, const float *gate, int64_t gate_row, const float *up, int64_t up_row, const float *dz,
    float *dgate, int64_t dgate_row, float *dup, int64_t dup_row, int64_t rows, int64_t width);

// MARK: Rows (elementwise_norm.c, elementwise_rope.c, elementwise_softmax.c)

// y[r, i] = x[r, i] · s_r · (w[i] + w_shift), s_r = 1 / √(mean_i x[r, i]² + eps). w may be NULL (ones, w_shift ignored).
// inverse[r] keeps s_r for the backward; it may be NULL. x's rows are x_row apart; y may be x.
void ck_rms_norm(
    const float *x, int64_t x_row, const float *w, float w_shift, float eps, float *y, float *inverse, int64_t rows,
    int64_t width);
// dx = s (g - x̂ · mean(g · x̂)), g = dy · (w + shift), x̂ = x s. dw[i] += Σ_r dy[r, i] x̂[r, i]; dx or dw may be NULL.
void ck_rms_norm_backward(
    const float *x, const float *w, float w_shift, const float *inverse, const float *dy, float *dx, float *dw,
    int64_t rows, int64_t width);

// y = (x - μ) s · w + b; w and b may be NULL. mean and inverse [rows] are kept for the backward; they may be NULL.
void ck_layer_norm(
    const float *x, const float *w, const float *b, float eps, float *y, float *mean, float *inverse, int64_t rows,
    int64_t width);
// dx = s (g - mean(g) - x̂ · mean(g · x̂)), g = dy · w. dw += Σ dy x̂, db += Σ dy. dx, dw, db may be NULL.
void ck_layer_norm_backward(
    const float *x, const float *w, const float *mean, const float *inverse, const float *dy, float *dx, float *dw,
    float *db, int64_t rows, int64_t width);

// Rotary embedding of x [rows, heads, head_width] by the angle of each row's position. The first 2 · half numbers of a head
// turn, in pairs: (2i, 2i + 1) when interleaved, (i, i + half) when not; the rest pass. Tables [positions, half].
// direction 1 turns forward, -1 back (which is the backward). x's and y's rows are strided; y may be x.
void ck_rope(
    const float *x, int64_t x_row, const int32_t *positions, const float *cosines, const float *sines, float *y,
    int64_t y_row, int64_t rows, int64_t heads, int64_t head_width, int64_t half, int interleaved, float direction);

// y = softmax(x) along rows; dx = y (dy - Σ y dy)
void ck_softmax(const float *x, float *y, int64_t rows, int64_t width);
void ck_softmax_backward(const float *y, const float *dy, float *dx, int64_t rows, int64_t width);
// y = x - log Σ eˣ; dx = dy - e^y Σ dy
void ck_log_softmax(const float *x, float *y, int64_t rows, int64_t width);
void ck_log_softmax_backward(const float *y, const float *dy, float *dx, int64_t rows, int64_t width);

// Log-probability of one class a row: y[r] = x[r, t_r] - log Σ eˣ. A row whose target is negative gives 0 and no gradient.
// normaliser[r] = log Σ eˣ is kept for the backward.
void ck_log_probability(
    const float *x, const int32_t *targets, float *y, float *normaliser, int64_t rows, int64_t width);
// dx[r, j] = dy[r] · ([j = t_r] - e^(x[r, j] - normaliser[r])); dx may be x.
void ck_log_probability_backward(
    const float *x, const int32_t *targets, const float *normaliser, const float *dy, float *dx, int64_t rows,
    int64_t width);
// The same, written as bf16 for the products that follow.
void ck_log_probability_backward_bf16(
    const float *x, const int32_t *targets, const float *normaliser, const float *dy, uint16_t *dx, int64_t rows,
    int64_t width);
