#pragma once
#include "onednn_matmul.h"

// Dense products in block floating point, for processors that multiply 16-bit integers faster than f32 and have no bf16: blocks of
// CK_BFP_BLOCK terms of a sum, counted from its first, share a scale, and each term is rounded to an integer of at most CK_BFP_LARGEST.
// Integer sums of a block are exact; a block's sum, times both scales, is added to what the blocks before it gave by one rounding
// (fma). So an element depends on its row of A and its column of B alone, whatever the number of threads.
//
// A block with a NaN or an infinity makes NaN of all that it enters. One whose largest number is below 2^-100 counts as zeros.

// 128 products of two numbers of at most 4095 just fit into 32 bits.
enum { CK_BFP_BLOCK = 128, CK_BFP_LARGEST = 4095 };

// C (+)= A · B (+ bias) as `ck_matmul` has it, split over the pool; A and B may each be f32 or bf16. False: no memory.
bool ck_bfp_matmul(const ck_matmul_shape *shape, const void *a, const void *b, const float *bias, float *c);

// Whether this processor is one of those. Elsewhere `ck_bfp_matmul` must not be called.
bool ck_has_bfp(void);
