#pragma once
#include <stdint.h>

// One step of an optimiser over a run of a parameter, in place, on the calling thread; whoever calls splits the run over the
// pool. p: parameter, g: gradient, the others: state.

// Adam with decoupled decay (Loshchilov & Hutter 2019):
// m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g², p = p (1 - rate · decay) - rate / correction₁ · m / (√v / √correction₂ + ε),
// where correctionᵢ = 1 - βᵢᵗ at step t.
typedef struct {
    float rate, decay, beta1, beta2, epsilon, correction1, correction2;
} ck_adamw_step;

void ck_adamw(const ck_adamw_step *step, float *p, const float *g, float *m, float *v, int64_t n);

// Gradient descent with momentum: d = g + decay · p, m = momentum · m + d, p = p - rate · (nesterov ? d + momentum · m : m).
// m may be NULL: no momentum.
void ck_sgd(float rate, float decay, float momentum, int nesterov, float *p, const float *g, float *m, int64_t n);

// Lion (Chen et al. 2023): p = p (1 - rate · decay) - rate · sign(β₁ m + (1 - β₁) g), then m = β₂ m + (1 - β₂) g.
void ck_lion(float rate, float decay, float beta1, float beta2, float *p, const float *g, float *m, int64_t n);
