#include "elementwise.h"
#include "elementwise_math.h"

static const float inverse_root_2 = 0.70710678118f;
static const float inverse_root_2_pi = 0.39894228040f;
static const float root_2_over_pi = 0.79788456080f;

CK_INLINE float gelu(float x) { return 0.5f * x * erfc_approx(-x * inverse_root_2); }
CK_INLINE float gelu_slope(float x) {
    return 0.5f * erfc_approx(-x * inverse_root_2) + x * inverse_root_2_pi * exp_below(-0.5f * x * x);
}
// (1 + tanh u) / 2 = σ(2u), which doesn't cancel where tanh nears -1.
CK_INLINE float gelu_tanh(float x) { return x * sigmoid_approx(2.0f * root_2_over_pi * (x + 0.044715f * x * x * x)); }
CK_INLINE float gelu_tanh_slope(float x) {
    float s = sigmoid_approx(2.0f * root_2_over_pi * (x + 0.044715f * x * x * x));
    return s + x * s * (1.0f - s) * 2.0f * root_2_over_pi * (1.0f + 3.0f * 0.044715f * x * x);
}
CK_INLINE float silu(float x) { return x * sigmoid_approx(x); }
CK_INLINE float silu_slope(float x) {
    float s = sigmoid_approx(x);
    return s * (1.0f + x * (1.0f - s));
}
// log σ(x) = min(x, 0) - log(1 + e^-|x|)
CK_INLINE float log_sigmoid(float x) { return (x < 0 ? x : 0.0f) - log1pf(exp_below(-fabsf(x))); }

#define FUNCTION(NAME, VALUE, SLOPE)                                                                              \
    CK_CLONES static void NAME##_forward(const float *xs, float *ys, int64_t n) {                                 \
        for (int64_t i = 0; i < n; i++) { float x = xs[i]; ys[i] = VALUE; }                                       \
    }                                                                                                             \
    CK_CLONES static void NAME##_backward(                                                                        \
        const float *xs, const float *ys, const float *dys, float *dxs, int64_t n) {                              \
        for (int64_t i = 0; i < n; i++) {                                                                         \
            float x = xs[i], y = ys[i];                                                                           \
            (void)x, (void)y;                                                                                     \
            dxs[i] = (SLOPE)*dys[i];                                                                              \
        }                                                                                                         \
    }

FUNCTION(exp, exp_approx(x), y)
FUNCTION(log, logf(x), 1.0f / x)
FUNCTION(sqrt, sqrtf(x), 0.5f / y)
FUNCTION(square, x *x, 2.0f * x)
FUNCTION(abs, fabsf(x), (x > 0 ? 1.0f : 0.0f) - (x < 0 ? 1.0f : 0.0f))
FUNCTION(sigmoid, sigmoid_approx(x), y *(1.0f - y))
FUNCTION(log_sigmoid, log_sigmoid(x), sigmoid_approx(-x))
FUNCTION(tanh, tanh_approx(x), 1.0f - y * y)
FUNCTION(relu, x > 0 ? x : 0.0f, x > 0 ? 1.0f : 0.0f)
FUNCTION(silu, silu(x), silu_slope(x))
FUNCTION(gelu, gelu(x), gelu_slope(x))
FUNCTION(gelu_tanh, gelu_tanh(x), gelu_tanh_slope(x))

void ck_apply(ck_function function, const float *x, float *y, int64_t n) {
    switch (function) {
    case CK_EXP: exp_forward(x, y, n); break;
    case CK_LOG: log_forward(x, y, n); break;
    case CK_SQRT: sqrt_forward(x, y, n); break;
    case CK_SQUARE: square_forward(x, y, n); break;
    case CK_ABS: abs_forward(x, y, n); break;
    case CK_SIGMOID: sigmoid_forward(x, y, n); break;
    case CK_LOG_SIGMOID: log_sigmoid_forward(x, y, n); break;
    case CK_TANH: tanh_forward(x, y, n); break;
    case CK_RELU: relu_forward(x, y, n); break;
    case CK_SILU: silu_forward(x, y, n); break;
    case CK_GELU: gelu_forward(x, y, n); break;
    case CK_GELU_TANH: gelu_tanh_forward(x, y, n); break;
    }
}

void ck_apply_backward(ck_function function, const float *x, const float *y, const float *dy, float *dx, int64_t n) {
    switch (function) {
    case CK_EXP: exp_backward(x, y, dy, dx, n); break;
    case CK_LOG: log_backward(x, y, dy, dx, n); break;
    case CK_SQRT: sqrt_backward(x, y, dy, dx, n); break;
    case CK_SQUARE: square_backward(x, y, dy, dx, n); break;
    case CK_ABS: abs_backward(x, y, dy, dx, n); break;
    case CK_SIGMOID: sigmoid_backward(x, y, dy, dx, n); break;
    case CK_LOG_SIGMOID: log_sigmoid_backward(x, y, dy, dx, n); break;
    case CK_TANH: tanh_backward(x, y, dy, dx, n); break;
    case CK_RELU: relu_backward(x, y, dy, dx, n); break;
    case CK_SILU: silu_backward(x, y, dy, dx, n); break;
    case CK_GELU: gelu_backward(x, y, dy, dx, n); break;
    case CK_GELU_TANH: gelu_tanh_backward(x, y, dy, dx, n); break;
    }
}

CK_CLONES void ck_softcap(const float *x, float cap, float *y, int64_t n) {
    float inverse = 1.0f / cap;
    for (int64_t i = 0; i < n; i++) y[i] = cap * tanh_approx(x[i] * inverse);
}

CK_CLONES void ck_softcap_backward(const float *y, const float *dy, float cap, float *dx, int64_t n) {
    float inverse = 1.0f / cap;
    for (int64_t i = 0; i < n; i++) {
        float t = y[i] * inverse;
        dx[i] = dy[i] * (1.0f - t * t);
    }
}

// MARK: Gated units

#define GATED(NAME, VALUE, SLOPE)                                                                                   \
    CK_CLONES static void NAME##_gated(                                                                             \
        const float *gate, int64_t gate_row, const float *up, int64_t up_row, float *z, int64_t rows,               \
        int64_t width) {                                                                                            \
        for (int64_t r = 0; r < rows; r++) {                                                                        \
            const float *g = gate + r * gate_row, *u = up + r * up_row;                                             \
            float *out = z + r * width;                                                                             \
            for (int64_t i = 0; i < width; i++) out[i] = VALUE(g[i]) * u[i];                                        \
        }                                                                                                           \
    }                                                                                                               \
    CK_CLONES static void NAME##_gated_backward(                                                                    \
        const float *gate, int64_t gate_row, const float *up, int64_t up_row, const float *dz, float *dgate,        \
        int64_t dgate_row, float *dup, int64_t dup_row, int64_t rows, int64_t width) {                              \
        for (int64_t r = 0; r < rows; r++) {                                                                        \
            const float *g = gate + r * gate_row, *u = up + r * up_row, *d = dz + r * width;                        \
            float *dg = dgate + r * dgate_row, *du = dup + r * dup_row;                                             \
            for (int64_t i = 0; i < width; i++) {                                                                   \
                float gi = g[i], ui = u[i], di = d[i];                                                              \
                dg[i] = di * ui * SLOPE(gi);                                                                        \
                du[i] = di * VALUE(gi);                                                                             \
            }                                                                                                       \
        }                                                                                                           \
    }

GATED(silu, silu, silu_slope)
GATED(gelu, gelu, gelu_slope)
GATED(gelu_tanh, gelu_tanh, gelu_tanh_slope)

void ck_gated(
    ck_function function, const float *gate, int64_t gate_row, const float *up, int64_t up_row, float *z, int64_t rows,
    int64_t width) {
    switch (function) {
    case CK_GELU: gelu_gated(gate, gate_row, up, up_row, z, rows, width); break;
    case CK_GELU_TANH: gelu_tanh_gated(gate, gate_row, up, up_row, z, rows, width); break;
    default: silu_gated(gate, gate_row, up, up_row, z, rows, width); break;
    }
}

void ck_gated_backward(
    ck_function function, const float *gate, int64_t gate_row, const float *up, int64_t up_row, const float *dz,
    float *dgate, int64_t dgate_row, float *dup, int64_t dup_row, int64_t rows, int64_t width) {
    switch (function) {
    case CK_GELU:
        gelu_gated_backward(gate, gate_row, up, up_row, dz, dgate, dgate_row, dup, dup_row, rows, width);
        break;
    case CK_GELU_TANH:
        gelu_tanh_gated_backward(gate, gate_row, up, up_row, dz, dgate, dgate_row, dup, dup_row, rows, width);
        break;
    default:
        silu_gated_backward(gate, gate_row, up, up_row, dz, dgate, dgate_row, dup, dup_row, rows, width);
        break;
    }
}
