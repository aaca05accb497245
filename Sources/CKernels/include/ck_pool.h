#pragma once
#include <stddef.h>
#include <stdint.h>

// One pool of threads for every kernel of the process. The calling thread takes part in the work.
// Chunks are handed out one by one from an atomic counter, so that a thread that loses its core to a
// neighbour only delays its own chunk. Idle workers spin for a few microseconds, then sleep on a futex.

typedef void (*ck_chunk_fn)(void *context, int64_t chunk, int thread);

// Sets the number of threads that take part in parallel work (1 ... ck_pool_max()). 0: all processors this process may
// use. Thread-safe; takes effect at the next parallel call.
void ck_pool_set_threads(int count);

// The numbers of the processors that the calling thread may run on, at most `capacity` of them. Gives how many.
int ck_pool_processors(int *numbers, int capacity);
int ck_pool_threads(void);
int ck_pool_max(void);

// Calls fn(context, 0 ..< chunks, thread) and returns when all are done. `thread` is in 0 ..< ck_pool_threads(), for scratch
// space. Calls from several threads at once are serialised; a call from inside a chunk runs serially in place.
void ck_parallel(int64_t chunks, ck_chunk_fn fn, void *context);
