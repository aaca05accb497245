#define _GNU_SOURCE
#include "onednn_matmul.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ck_pool.h"
#include "elementwise.h"
#include "onednn_shim.h"
#include "room.h"

// Primitives are cached per thread and shape, so that running one takes no lock. A set of ways per hash; the oldest leaves.
enum { SETS = 64, WAYS = 4 };

// Terms of a sum that are gathered at a time; with a tile's columns they fit the second-level cache or are not far from it.
enum { GATHERED = 2048 };

// Lines of f32 that begin a multiple of so many numbers apart meet in a few sets of the first-level cache: a kernel that goes down some
// columns misses it at every line. A copy that lies better pays off from so many rows or columns of the other operand on.
enum { COLLIDING = 256, WORTH_GATHERING = 32 };

typedef struct {
    ck_matmul_shape shape;
    dnnl_primitive_t primitive;  // NULL: the place is empty
    dnnl_memory_t a, b, bias, c, scratchpad;
    size_t scratchpad_bytes;
} product;

typedef struct {
    product places[SETS][WAYS];
    uint8_t oldest[SETS];
    dnnl_stream_t stream;
    room scratch, gathered_a, gathered_b;
} thread_state;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t state_key;
static dnnl_engine_t engine;
static dnnl_status_t engine_status;
static void (*set_openmp_threads)(int);

static void product_free(product *entry) {
    if (entry->a) dnnl_memory_destroy(entry->a);
    if (entry->b) dnnl_memory_destroy(entry->b);
    if (entry->bias) dnnl_memory_destroy(entry->bias);
    if (entry->c) dnnl_memory_destroy(entry->c);
    if (entry->scratchpad) dnnl_memory_destroy(entry->scratchpad);
    if (entry->primitive) dnnl_primitive_destroy(entry->primitive);
    memset(entry, 0, sizeof *entry);
}

static void state_free(void *argument) {
    thread_state *state = argument;
    for (int set = 0; set < SETS; set++) {
        for (int way = 0; way < WAYS; way++) {
            if (state->places[set][way].primitive) product_free(&state->places[set][way]);
        }
    }
    if (state->stream) dnnl_stream_destroy(state->stream);
    free(state->scratch.memory);
    free(state->gathered_a.memory);
    free(state->gathered_b.memory);
    free(state);
}

static void initialise(void) {
    pthread_key_create(&state_key, state_free);
    engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0);
    // oneDNN keeps compiled kernels too, for all threads; some 50 kB each.
    dnnl_set_primitive_cache_capacity(SETS * WAYS);
    // A build of oneDNN over OpenMP would start a team of its own inside every call. The number of threads is a
    // setting of the calling thread, so each of ours sets it to one. Other builds have no such function.
    set_openmp_threads = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
}

static thread_state *state_of_thread(void) {
    pthread_once(&once, initialise);
    if (engine_status != dnnl_success) return NULL;
    thread_state *state = pthread_getspecific(state_key);
    if (state) return state;
    state = calloc(1, sizeof *state);
    if (!state) return NULL;
    if (dnnl_stream_create(&state->stream, engine, dnnl_stream_default_flags) != dnnl_success) {
        free(state);
        return NULL;
    }
    if (set_openmp_threads) set_openmp_threads(1);
    pthread_setspecific(state_key, state);
    return state;
}

static uint64_t hash(const ck_matmul_shape *s) {
    const int64_t fields[] = {s->m, s->n, s->k, s->a_row, s->a_column, s->b_row, s->b_column, s->c_row,
                              (int64_t)s->a_type | (int64_t)s->accumulate << 8 | (int64_t)s->bias << 9};
    uint64_t value = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        value = (value ^ (uint64_t)fields[i]) * 0x9e3779b97f4a7c15ull;
        value ^= value >> 29;
    }
    return value;
}

static bool same(const ck_matmul_shape *x, const ck_matmul_shape *y) {
    return x->m == y->m && x->n == y->n && x->k == y->k && x->a_type == y->a_type && x->a_row == y->a_row &&
           x->a_column == y->a_column && x->b_row == y->b_row && x->b_column == y->b_column && x->c_row == y->c_row &&
           x->accumulate == y->accumulate && x->bias == y->bias;
}

static dnnl_status_t product_make(product *entry, const ck_matmul_shape *s) {
    dnnl_data_type_t type = s->a_type == CK_TYPE_BF16 ? dnnl_bf16 : dnnl_f32;
    shim_layout a, b, c, bias;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t operations = NULL;
    dnnl_primitive_desc_t description = NULL;
    memset(entry, 0, sizeof *entry);
    dnnl_status_t status = shim_layout_make(&a, 2, (dnnl_dims_t){s->m, s->k}, type, (dnnl_dims_t){s->a_row, s->a_column});
    if (status != dnnl_success) return status;
    status = shim_layout_make(&b, 2, (dnnl_dims_t){s->k, s->n}, type, (dnnl_dims_t){s->b_row, s->b_column});
    if (status != dnnl_success) goto no_b;
    status = shim_layout_make(&c, 2, (dnnl_dims_t){s->m, s->n}, dnnl_f32, (dnnl_dims_t){s->c_row, 1});
    if (status != dnnl_success) goto no_c;
    status = shim_layout_make(&bias, 2, (dnnl_dims_t){1, s->n}, dnnl_f32, (dnnl_dims_t){s->n, 1});
    if (status != dnnl_success) goto no_bias;

    status = dnnl_primitive_attr_create(&attributes);
    if (status != dnnl_success) goto done;
    dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (s->accumulate) {
        status = dnnl_post_ops_create(&operations);
        if (status == dnnl_success) status = shim_append_sum(operations);
        if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, operations);
        if (status != dnnl_success) goto done;
    }
    status = shim_matmul(&description, engine, &a, &b, s->bias ? &bias : NULL, &c, attributes);
    if (status == dnnl_success) status = dnnl_primitive_create(&entry->primitive, description);
    if (status == dnnl_success) status = shim_memory(&entry->a, &a, engine);
    if (status == dnnl_success) status = shim_memory(&entry->b, &b, engine);
    if (status == dnnl_success) status = shim_memory(&entry->c, &c, engine);
    if (status == dnnl_success && s->bias) status = shim_memory(&entry->bias, &bias, engine);
    if (status == dnnl_success) {
        status = shim_scratchpad(&entry->scratchpad, &entry->scratchpad_bytes, description, engine);
    }
    if (status == dnnl_success) {
        entry->shape = *s;
    } else {
        product_free(entry);
    }
done:
    if (description) dnnl_primitive_desc_destroy(description);
    if (operations) dnnl_post_ops_destroy(operations);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    shim_layout_free(&bias);
no_bias:
    shim_layout_free(&c);
no_c:
    shim_layout_free(&b);
no_b:
    shim_layout_free(&a);
    return status;
}

static dnnl_status_t product_find(thread_state *state, const ck_matmul_shape *shape, product **found) {
    int set = (int)(hash(shape) % SETS);
    for (int way = 0; way < WAYS; way++) {
        product *entry = &state->places[set][way];
        if (entry->primitive && same(&entry->shape, shape)) {
            *found = entry;
            return dnnl_success;
        }
    }
    product *entry = &state->places[set][state->oldest[set]];
    state->oldest[set] = (uint8_t)((state->oldest[set] + 1) % WAYS);
    product_free(entry);
    dnnl_status_t status = product_make(entry, shape);
    if (status != dnnl_success) return status;
    if (!room_make(&state->scratch, entry->scratchpad_bytes)) {
        product_free(entry);
        return dnnl_out_of_memory;
    }
    *found = entry;
    return dnnl_success;
}

static size_t width_of(ck_type type) { return type == CK_TYPE_BF16 ? 2 : 4; }

// A and B of one type.
static int run(
    thread_state *state, const ck_matmul_shape *shape, const void *a, const void *b, const float *bias, float *c) {
    product *entry = NULL;
    dnnl_status_t status = product_find(state, shape, &entry);
    if (status != dnnl_success) return (int)status;
    dnnl_memory_set_data_handle(entry->a, (void *)a);
    dnnl_memory_set_data_handle(entry->b, (void *)b);
    dnnl_memory_set_data_handle(entry->c, c);
    dnnl_memory_set_data_handle(entry->scratchpad, state->scratch.memory);
    dnnl_exec_arg_t arguments[5] = {
        {DNNL_ARG_SRC, entry->a},
        {DNNL_ARG_WEIGHTS, entry->b},
        {DNNL_ARG_DST, entry->c},
        {DNNL_ARG_SCRATCHPAD, entry->scratchpad},
    };
    int count = 4;
    if (shape->bias) {
        dnnl_memory_set_data_handle(entry->bias, (void *)bias);
        arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, entry->bias};
    }
    return (int)dnnl_primitive_execute(entry->primitive, state->stream, count, arguments);
}

// Lines of a matrix put together as f32, and how far apart they are then. NULL when there is no memory.
static float *gather(room *r, const char *from, ck_type type, int64_t line, int64_t lines, int64_t width, int64_t *apart) {
    *apart = width % COLLIDING == 0 ? width + 16 : width;
    if (!room_make(r, (size_t)(lines * *apart) * sizeof(float))) return NULL;
    float *to = r->memory;
    for (int64_t i = 0; i < lines; i++) {
        const char *numbers = from + (size_t)(i * line) * width_of(type);
        if (type == CK_TYPE_BF16) {
            ck_bf16_to_f32((const uint16_t *)numbers, to + i * *apart, width);
        } else {
            memcpy(to + i * *apart, numbers, (size_t)width * sizeof(float));
        }
    }
    return to;
}

// Of an A of f32. What is bf16 or lies badly is gathered first.
static int run_gathering(
    thread_state *state, const ck_matmul_shape *shape, const char *a, const char *b, const float *bias, float *c,
    bool gathers_a, bool gathers_b) {
    for (int64_t from = 0; from < shape->k; from += GATHERED) {
        ck_matmul_shape part = *shape;
        part.k = shape->k - from < GATHERED ? shape->k - from : GATHERED;
        part.accumulate |= from > 0;
        part.bias &= from == 0;
        const char *part_a = a + (size_t)(from * shape->a_column) * sizeof(float);
        const char *part_b = b + (size_t)(from * shape->b_row) * width_of(shape->b_type);
        if (gathers_a) {
            part_a = (char *)gather(
                &state->gathered_a, part_a, CK_TYPE_F32, shape->a_column, part.k, part.m, &part.a_column);
        }
        if (gathers_b && shape->b_column == 1) {
            part_b = (char *)gather(
                &state->gathered_b, part_b, shape->b_type, shape->b_row, part.k, part.n, &part.b_row);
        } else if (gathers_b) {
            part_b = (char *)gather(
                &state->gathered_b, part_b, shape->b_type, shape->b_column, part.n, part.k, &part.b_column);
        }
        if (!part_a || !part_b) return dnnl_out_of_memory;
        part.b_type = CK_TYPE_F32;
        int status = run(state, &part, part_a, part_b, bias, c);
        if (status) return status;
    }
    return 0;
}

int ck_matmul_serial(const ck_matmul_shape *shape, const void *a, const void *b, const float *bias, float *c) {
    if (shape->m == 0 || shape->n == 0) return 0;
    thread_state *state = state_of_thread();
    if (!state) return dnnl_out_of_memory;
    if (shape->a_type == CK_TYPE_BF16) return run(state, shape, a, b, bias, c);
    bool gathers_a = shape->a_column % COLLIDING == 0 && shape->n >= WORTH_GATHERING;
    bool gathers_b = shape->b_column == 1 && shape->b_row % COLLIDING == 0 && shape->m >= WORTH_GATHERING;
    gathers_b |= shape->b_type == CK_TYPE_BF16;
    if (!gathers_a && !gathers_b) return run(state, shape, a, b, bias, c);
    return run_gathering(state, shape, a, b, bias, c, gathers_a, gathers_b);
}

typedef struct {
    ck_matmul_shape shape;
    const char *a, *b;
    const float *bias;
    float *c;
    int64_t tile_m, tile_n, tiles_n;
    size_t a_width, b_width;  // bytes of an element
    int status;
} tiling;

static void run_tile(void *argument, int64_t chunk, int thread) {
    (void)thread;
    tiling *t = argument;
    int64_t i = chunk / t->tiles_n * t->tile_m, j = chunk % t->tiles_n * t->tile_n;
    ck_matmul_shape shape = t->shape;
    if (shape.m - i < t->tile_m) shape.m -= i; else shape.m = t->tile_m;
    if (shape.n - j < t->tile_n) shape.n -= j; else shape.n = t->tile_n;
    int status = ck_matmul_serial(
        &shape, t->a + (size_t)(i * shape.a_row) * t->a_width, t->b + (size_t)(j * shape.b_column) * t->b_width,
        t->bias ? t->bias + j : NULL, t->c + i * shape.c_row + j);
    if (status) __atomic_store_n(&t->status, status, __ATOMIC_RELAXED);
}

static int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// An even number of parts, so that two threads end together: four of them, two of a small extent, more where they would be wider
// than the kernels gain from.
static int64_t part_of(int64_t extent) {
    int64_t parts = (extent + 1023) / 1024 * 2;
    if (parts < 4 && extent >= 4 * 48) parts = 4;
    return round_up((extent + parts - 1) / parts, 16);
}

int ck_matmul(const ck_matmul_shape *shape, const void *a, const void *b, const float *bias, float *c) {
    if (shape->m * shape->n * shape->k < 1 << 18) return ck_matmul_serial(shape, a, b, bias, c);
    // oneDNN blocks its sums by the shape it is given, so the tiles depend on the product's shape alone: the same bits on any
    // number of threads. They are cut along the operand that it rearranges at greater cost, a transposed A or else B, so
    // that each tile rearranges its own part once; there are enough for a thread that lost its core to leave work to others.
    tiling t = {*shape, a, b, bias, c, shape->m, shape->n, 1, width_of(shape->a_type), width_of(shape->b_type), 0};
    bool by_rows = shape->a_column != 1 ? shape->m > 64 || shape->n <= 64 : shape->n <= 64;
    t.tile_m = by_rows ? part_of(shape->m) : shape->m <= 768 ? shape->m : 512;
    t.tile_n = !by_rows ? part_of(shape->n) : shape->n <= 768 ? shape->n : 512;
    t.tiles_n = (shape->n + t.tile_n - 1) / t.tile_n;
    int64_t tiles_m = (shape->m + t.tile_m - 1) / t.tile_m;
    ck_parallel(t.tiles_n * tiles_m, run_tile, &t);
    return t.status;
}

bool ck_matmul_has_bf16(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#else
    return false;
#endif
}
