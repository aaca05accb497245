// Packing of GGUF blocks into the layout of ck_packed.h. Formats as in ggml: a block of 32 (or a super-block of 256) weights.
#include "ck_half.h"
#include "ck_packed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int ck_packed_layout(int format, ck_packed *w) {
    w->block = 32;
    w->has_mins = 0;
    w->offset = 0;
    w->bits = 8;
    switch (format) {
    case CK_Q4_0: w->bits = 4; w->offset = 8; return 1;
    case CK_Q4_1: w->bits = 4; w->has_mins = 1; return 1;
    case CK_Q5_0: w->offset = 16; return 1;
    case CK_Q5_1: w->has_mins = 1; return 1;
    case CK_Q8_0: w->offset = 128; return 1;
    case CK_Q2_K: w->bits = 4; w->block = 16; w->has_mins = 1; return 1;
    case CK_Q3_K: w->bits = 4; w->block = 16; w->offset = 4; return 1;
    case CK_Q4_K: w->bits = 4; w->has_mins = 1; return 1;
    case CK_Q5_K: w->has_mins = 1; return 1;
    case CK_Q6_K: w->block = 16; w->offset = 32; return 1;
    default: return 0;
    }
}

// Weights per unit of the file and its bytes.
static int64_t unit_weights(int format) { return format < CK_Q2_K ? 32 : 256; }

static int64_t unit_bytes(int format) {
    switch (format) {
    case CK_Q4_0: return 18;
    case CK_Q4_1: return 20;
    case CK_Q5_0: return 22;
    case CK_Q5_1: return 24;
    case CK_Q8_0: return 34;
    case CK_Q2_K: return 84;
    case CK_Q3_K: return 110;
    case CK_Q4_K: return 144;
    case CK_Q5_K: return 176;
    default: return 210;
    }
}

static inline uint16_t half_at(const uint8_t *at) {
    uint16_t value;
    memcpy(&value, at, 2);
    return value;
}

// The 6-bit scale and minimum of sub-block j of Q4_K and Q5_K.
static inline void scale_and_minimum(const uint8_t *packed, int j, int *scale, int *minimum) {
    if (j < 4) {
        *scale = packed[j] & 63;
        *minimum = packed[j + 4] & 63;
    } else {
        *scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
        *minimum = (packed[j + 4] >> 4) | (packed[j] >> 6) << 4;
    }
}

// The 6-bit signed scale of sub-block j of Q3_K.
static inline int scale_q3(const uint8_t *packed, int j) {
    int low = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
    int high = packed[8 + j % 4] >> (2 * (j / 4)) & 3;
    return (low | high << 4) - 32;
}

// Unpacks one unit: q [weights], and d and m (as f16, divided by `scale`) of each block.
static void unpack_unit(int format, const uint8_t *at, float inverse, uint8_t *q, uint16_t *d, uint16_t *m) {
    switch (format) {
    case CK_Q4_0:
    case CK_Q4_1: {
        const uint8_t *nibbles = at + (format == CK_Q4_0 ? 2 : 4);
        d[0] = half_at(at);
        if (format == CK_Q4_1) m[0] = half_at(at + 2);
        for (int i = 0; i < 16; i++) {
            q[i] = nibbles[i] & 15;
            q[i + 16] = nibbles[i] >> 4;
        }
        return;
    }
    case CK_Q5_0:
    case CK_Q5_1: {
        const uint8_t *high_bits = at + (format == CK_Q5_0 ? 2 : 4), *nibbles = high_bits + 4;
        uint32_t high;
        memcpy(&high, high_bits, 4);
        d[0] = half_at(at);
        if (format == CK_Q5_1) m[0] = half_at(at + 2);
        for (int i = 0; i < 16; i++) {
            q[i] = (uint8_t)((nibbles[i] & 15) | (high >> i & 1) << 4);
            q[i + 16] = (uint8_t)(nibbles[i] >> 4 | (high >> (i + 16) & 1) << 4);
        }
        return;
    }
    case CK_Q8_0:
        d[0] = half_at(at);
        for (int i = 0; i < 32; i++) q[i] = (uint8_t)((int8_t)at[2 + i] + 128);
        return;
    case CK_Q2_K: {
        const uint8_t *scales = at, *quants = at + 16;
        float all = ck_half_to_float(half_at(at + 80)), least = ck_half_to_float(half_at(at + 82));
        for (int j = 0; j < 16; j++) {
            d[j] = ck_float_to_half(all * (float)(scales[j] & 15) * inverse);
            m[j] = ck_float_to_half(-least * (float)(scales[j] >> 4) * inverse);
            for (int i = 0; i < 16; i++) {
                q[j * 16 + i] = quants[j / 8 * 32 + j % 2 * 16 + i] >> (2 * (j % 8 / 2)) & 3;
            }
        }
        return;
    }
    case CK_Q3_K: {
        const uint8_t *mask = at, *quants = at + 32, *scales = at + 96;
        float all = ck_half_to_float(half_at(at + 108));
        for (int j = 0; j < 16; j++) {
            d[j] = ck_float_to_half(all * (float)scale_q3(scales, j) * inverse);
            for (int i = 0; i < 16; i++) {
                int low = quants[j / 8 * 32 + j % 2 * 16 + i] >> (2 * (j % 8 / 2)) & 3;
                int high = mask[j % 2 * 16 + i] >> (j / 2) & 1;
                q[j * 16 + i] = (uint8_t)(low | high << 2);
            }
        }
        return;
    }
    case CK_Q4_K:
    case CK_Q5_K: {
        float all = ck_half_to_float(half_at(at)), least = ck_half_to_float(half_at(at + 2));
        const uint8_t *high = at + 16, *nibbles = at + (format == CK_Q4_K ? 16 : 48);
        for (int j = 0; j < 8; j++) {
            int scale, minimum;
            scale_and_minimum(at + 4, j, &scale, &minimum);
            d[j] = ck_float_to_half(all * (float)scale * inverse);
            m[j] = ck_float_to_half(-least * (float)minimum * inverse);
            for (int i = 0; i < 32; i++) {
                int value = nibbles[j / 2 * 32 + i] >> (4 * (j % 2)) & 15;
                if (format == CK_Q5_K) value |= (high[i] >> j & 1) << 4;
                q[j * 32 + i] = (uint8_t)value;
            }
        }
        return;
    }
    default: {  // CK_Q6_K
        const uint8_t *low = at, *high = at + 128;
        const int8_t *scales = (const int8_t *)at + 192;
        float all = ck_half_to_float(half_at(at + 208));
        for (int j = 0; j < 16; j++) d[j] = ck_float_to_half(all * (float)scales[j] * inverse);
        for (int part = 0; part < 2; part++) {
            for (int i = 0; i < 32; i++) {
                const uint8_t *l = low + part * 64, *h = high + part * 32;
                uint8_t *to = q + part * 128;
                to[i] = (uint8_t)((l[i] & 15) | (h[i] & 3) << 4);
                to[i + 32] = (uint8_t)((l[i + 32] & 15) | (h[i] >> 2 & 3) << 4);
                to[i + 64] = (uint8_t)(l[i] >> 4 | (h[i] >> 4 & 3) << 4);
                to[i + 96] = (uint8_t)(l[i + 32] >> 4 | (h[i] >> 6) << 4);
            }
        }
    }
    }
}

float ck_packed_scale(int format, const uint8_t *blocks, int64_t elements) {
    if (format < CK_Q2_K) return 1;
    float largest = 0;
    int64_t bytes = unit_bytes(format);
    for (int64_t unit = 0; unit < elements / 256; unit++) {
        const uint8_t *at = blocks + unit * bytes;
        float d = 0, m = 0;
        switch (format) {
        case CK_Q2_K: d = ck_half_to_float(half_at(at + 80)) * 15; m = ck_half_to_float(half_at(at + 82)) * 15; break;
        case CK_Q3_K: d = ck_half_to_float(half_at(at + 108)) * 32; break;
        case CK_Q6_K: d = ck_half_to_float(half_at(at + 208)) * 128; break;
        default: d = ck_half_to_float(half_at(at)) * 63; m = ck_half_to_float(half_at(at + 2)) * 63;
        }
        if (fabsf(d) > largest) largest = fabsf(d);
        if (fabsf(m) > largest) largest = fabsf(m);
    }
    if (!(largest > 0) || !isfinite(largest)) return 1;
    return exp2f(floorf(log2f(largest)) - 10);
}

void ck_packed_fill(ck_packed *w, int format, const uint8_t *blocks, int64_t first_row, int64_t count) {
    int64_t unit = unit_weights(format), bytes = unit_bytes(format);
    int64_t row_bytes = w->columns / unit * bytes, q_bytes = 16 * w->block * w->bits / 8;
    int64_t block_bytes = q_bytes + 32 + (w->has_mins ? 32 : 0), group_bytes = w->columns / w->block * block_bytes;
    int half = w->block / 8, per_unit = (int)(unit / w->block);
    float inverse = 1 / w->scale;
    for (int64_t row = 0; row < count; row += 16) {
        uint8_t *group = w->data + (first_row + row) / 16 * group_bytes;
        int lanes = count - row < 16 ? (int)(count - row) : 16;
        if (lanes < 16) memset(group, 0, (size_t)group_bytes);
        for (int lane = 0; lane < lanes; lane++) {
            const uint8_t *from = blocks + (row + lane) * row_bytes;
            for (int64_t u = 0; u < w->columns / unit; u++) {
                uint8_t q[256];
                uint16_t d[16], m[16];
                unpack_unit(format, from + u * bytes, inverse, q, d, m);
                for (int b = 0; b < per_unit; b++) {
                    uint8_t *to = group + (u * per_unit + b) * block_bytes;
                    const uint8_t *values = q + b * w->block;
                    if (w->bits == 8) {
                        for (int v = 0; v < w->block / 4; v++) memcpy(to + v * 64 + lane * 4, values + v * 4, 4);
                    } else {
                        for (int v = 0; v < half; v++) {
                            uint32_t low, high;
                            memcpy(&low, values + v * 4, 4);
                            memcpy(&high, values + (v + half) * 4, 4);
                            low |= high << 4;
                            memcpy(to + v * 64 + lane * 4, &low, 4);
                        }
                    }
                    memcpy(to + q_bytes + lane * 2, &d[b], 2);
                    if (w->has_mins) memcpy(to + q_bytes + 32 + lane * 2, &m[b], 2);
                }
            }
        }
    }
}
