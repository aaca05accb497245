#pragma once
#include <stdint.h>

// Reductions over one row of logits, in a fixed order: the same result wherever the row stands.

// The index of the first largest value; 0 when none is larger than minus infinity.
int64_t ck_argmax(const float *x, int64_t count);
// log(sum(exp(x))).
float ck_log_sum_exp(const float *x, int64_t count);
// out = softmax(x). May be in place.
void ck_softmax_row(const float *x, int64_t count, float *out);
float ck_expf(float x);
