#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

// Scratch memory that grows and stays.
typedef struct {
    void *memory;
    size_t bytes;
} room;

// At least so many bytes; what was there is lost.
static inline bool room_make(room *r, size_t bytes) {
    if (bytes <= r->bytes) return true;
    bytes = (bytes + 4095) & ~(size_t)4095;
    void *grown = aligned_alloc(64, bytes);
    if (!grown) return false;
    free(r->memory);
    *r = (room){grown, bytes};
    return true;
}
