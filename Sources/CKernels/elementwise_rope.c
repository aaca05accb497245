#include "elementwise.h"
#include "elementwise_math.h"

CK_CLONES void ck_rope(
    const float *x, int64_t x_row, const int32_t *positions, const float *cosines, const float *sines, float *y,
    int64_t y_row, int64_t rows, int64_t heads, int64_t head_width, int64_t half, int interleaved, float direction) {
    for (int64_t r = 0; r < rows; r++) {
        const float *c = cosines + (int64_t)positions[r] * half, *s = sines + (int64_t)positions[r] * half;
        for (int64_t h = 0; h < heads; h++) {
            const float *in = x + r * x_row + h * head_width;
            float *out = y + r * y_row + h * head_width;
            if (interleaved) {
                for (int64_t i = 0; i < half; i++) {
                    float a = in[2 * i], b = in[2 * i + 1], sine = direction * s[i];
                    out[2 * i] = a * c[i] - b * sine;
                    out[2 * i + 1] = a * sine + b * c[i];
                }
            } else {
                for (int64_t i = 0; i < half; i++) {
                    float a = in[i], b = in[i + half], sine = direction * s[i];
                    out[i] = a * c[i] - b * sine;
                    out[i + half] = a * sine + b * c[i];
                }
            }
            if (out != in) {
                for (int64_t i = 2 * half; i < head_width; i++) out[i] = in[i];
            }
        }
    }
}
