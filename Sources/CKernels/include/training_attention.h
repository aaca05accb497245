#pragma once
#include <stdint.h>

// Grouped-query attention over a packed batch: the tokens of all sequences lie one after another, sequence s in the rows
// starts[s] ..< starts[s + 1]. Scores are never held as a tokens × tokens matrix.
//
//   p[i, j] = softmax_j(scale · q_i · k_j) over the visible j,   o_i = Σ_j p[i, j] v_j
//
// Visible: the same sequence, j <= i when causal, and |i - j| < window when window > 0. A causal sequence may be several texts that begin
// alike: `shared` tokens, then the rest of each text. What stands in such a branch sees the shared tokens and its own branch, as if it were
// alone behind them.
// Query head h reads key head h / (query_heads / key_heads).
typedef struct {
    const float *q, *k, *v;                  // [tokens, heads, width], heads adjacent, rows strided
    int64_t q_row, k_row, v_row;
    const int32_t *starts;                   // [sequences + 1]
    const int32_t *shared;                   // [sequences], read where there are branches
    const int32_t *branches;                 // [tokens] where a token's branch begins in its sequence, else 0; NULL: none has one
    int64_t sequences, query_heads, key_heads;
    int64_t width, value_width;              // of a query/key head, of a value head
    float scale;
    int causal;
    int64_t window;
} ck_attention;

// o [tokens, query_heads, value_width]; normaliser [tokens, query_heads] = log Σ_j e^(scale q_i · k_j), for the backward.
void ck_attention_forward(const ck_attention *attention, float *o, float *normaliser);

// dq [tokens, query_heads, width]. dk and dv come per query head, [tokens, query_heads, ...]; the caller sums each group.
// All three are overwritten. d_o is ∂loss/∂o.
void ck_attention_backward(
    const ck_attention *attention, const float *o, const float *normaliser, const float *d_o, float *dq, float *dk,
    float *dv);
