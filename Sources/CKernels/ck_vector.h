#pragma once
// What kernels share: function clones for several vector units, an exponential that vectorises, aligned memory.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The compiler makes one copy of the function per vector unit and picks at load time.
#if defined(__x86_64__) && defined(__linux__)
#define CK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CK_CLONES
#endif

// e^x to 2 units in the last place; 0 below -87.3, infinity above 88.7. No branches, so that loops over it vectorise.
static inline __attribute__((always_inline)) float ck_exp(float x) {
    x = x < -87.3f ? -87.3f : x;
    x = x > 88.7f ? 88.7f : x;
    float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;  // the nearest integer to x / ln 2
    float r = x - n * 0.693145752f - n * 1.42860677e-6f;
    float p = 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    int32_t exponent = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &exponent, 4);
    return p * power;
}

static inline void *ck_allocate(size_t bytes) {
    void *memory = NULL;
    if (posix_memalign(&memory, 64, bytes ? bytes : 64) != 0) abort();
    return memory;
}

static inline void ck_release(void *memory) { free(memory); }
