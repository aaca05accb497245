#define _GNU_SOURCE
#include "ck_pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#endif

enum { MAX_THREADS = 256, SPINS = 4000 };

static pthread_mutex_t entry = PTHREAD_MUTEX_INITIALIZER;  // one parallel call at a time
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int max_threads = 1;
static int started = 0;  // workers running; guarded by `entry`
static _Atomic int wanted = 0;

// The published job. `gate` is (epoch << 32) | OPEN | workers inside: a worker enters by incrementing it while it is open,
// so the caller waits only for workers that entered, never for one that the kernel has put aside.
static const uint64_t OPEN = 1ull << 31;
static _Atomic uint64_t gate = 0;
static _Atomic uint32_t epoch = 0;  // the futex word: the high half of `gate`
static _Atomic int sleepers = 0;
static ck_chunk_fn job_fn;
static void *job_context;
static int64_t job_chunks;
static int job_threads;
// Each thread first works through its own run of chunks, the same one in calls with as many chunks, so that it meets the data that it
// wrote before; then it helps the others.
static struct {
    _Alignas(64) _Atomic int64_t next;
} runs[MAX_THREADS];

static _Thread_local bool inside = false;

static inline void cpu_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#if !defined(__linux__)
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_signal = PTHREAD_COND_INITIALIZER;
#endif

static void sleep_while(uint32_t seen) {
    atomic_fetch_add(&sleepers, 1);
#if defined(__linux__)
    if (atomic_load(&epoch) == seen) {
        syscall(SYS_futex, &epoch, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
#else
    pthread_mutex_lock(&sleep_lock);
    if (atomic_load(&epoch) == seen) pthread_cond_wait(&sleep_signal, &sleep_lock);
    pthread_mutex_unlock(&sleep_lock);
#endif
    atomic_fetch_sub(&sleepers, 1);
}

static void wake_all(void) {
    if (atomic_load(&sleepers) == 0) return;
#if defined(__linux__)
    syscall(SYS_futex, &epoch, FUTEX_WAKE_PRIVATE, MAX_THREADS, NULL, NULL, 0);
#else
    pthread_mutex_lock(&sleep_lock);
    pthread_cond_broadcast(&sleep_signal);
    pthread_mutex_unlock(&sleep_lock);
#endif
}

static int64_t run_start(int64_t chunks, int threads, int thread) { return chunks * thread / threads; }

static void take_chunks(ck_chunk_fn fn, void *context, int64_t chunks, int threads, int thread) {
    for (int i = 0; i < threads; i++) {
        int owner = (thread + i) % threads;
        int64_t end = run_start(chunks, threads, owner + 1);
        for (;;) {
            int64_t chunk = atomic_fetch_add_explicit(&runs[owner].next, 1, memory_order_relaxed);
            if (chunk >= end) break;
            fn(context, chunk, thread);
        }
    }
}

static void *worker(void *argument) {
    int thread = (int)(intptr_t)argument;
    uint32_t seen = 0;
    inside = true;
    for (;;) {
        int spins = 0;
        uint64_t state;
        while ((uint32_t)((state = atomic_load_explicit(&gate, memory_order_acquire)) >> 32) == seen) {
            if (++spins < SPINS) {
                cpu_relax();
            } else {
                sleep_while(seen);
                spins = 0;
            }
        }
        if (!(state & OPEN)) {  // came too late
            seen = (uint32_t)(state >> 32);
            continue;
        }
        if (!atomic_compare_exchange_weak_explicit(
                &gate, &state, state + 1, memory_order_acq_rel, memory_order_relaxed)) {
            continue;
        }
        seen = (uint32_t)(state >> 32);
        if (thread < job_threads) take_chunks(job_fn, job_context, job_chunks, job_threads, thread);
        atomic_fetch_sub_explicit(&gate, 1, memory_order_release);
    }
    return NULL;
}

static void initialise(void) {
    int numbers[MAX_THREADS], count = ck_pool_processors(numbers, MAX_THREADS);
    max_threads = count < 1 ? 1 : count;
    int expected = 0;
    atomic_compare_exchange_strong(&wanted, &expected, max_threads);
}

int ck_pool_max(void) {
    pthread_once(&once, initialise);
    return max_threads;
}

int ck_pool_processors(int *numbers, int capacity) {
    int count = 0;
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        for (int cpu = 0; cpu < CPU_SETSIZE && count < capacity; cpu++) {
            if (CPU_ISSET(cpu, &set)) numbers[count++] = cpu;
        }
    }
    if (count > 0) return count;
#endif
    while (count < capacity && count < (int)sysconf(_SC_NPROCESSORS_ONLN)) {
        numbers[count] = count;
        count++;
    }
    return count;
}

void ck_pool_set_threads(int count) {
    int limit = ck_pool_max();
    if (count <= 0 || count > limit) count = limit;
    atomic_store(&wanted, count);
}

int ck_pool_threads(void) {
    pthread_once(&once, initialise);
    return atomic_load_explicit(&wanted, memory_order_relaxed);
}

void ck_parallel(int64_t chunks, ck_chunk_fn fn, void *context) {
    int threads = ck_pool_threads();
    if (chunks < threads) threads = (int)chunks;
    if (threads <= 1 || inside) {
        for (int64_t chunk = 0; chunk < chunks; chunk++) fn(context, chunk, 0);
        return;
    }
    pthread_mutex_lock(&entry);
    while (started < threads - 1) {
        pthread_t id;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        int failed = pthread_create(&id, &attributes, worker, (void *)(intptr_t)(started + 1));
        pthread_attr_destroy(&attributes);
        if (failed) break;
        started++;
    }
    job_fn = fn;
    job_context = context;
    job_chunks = chunks;
    job_threads = threads;
    for (int thread = 0; thread < threads; thread++) {
        atomic_store_explicit(&runs[thread].next, run_start(chunks, threads, thread), memory_order_relaxed);
    }
    uint32_t number = atomic_load_explicit(&epoch, memory_order_relaxed) + 1;
    atomic_store_explicit(&gate, ((uint64_t)number << 32) | OPEN, memory_order_release);
    atomic_store(&epoch, number);
    wake_all();
    inside = true;
    take_chunks(fn, context, chunks, threads, 0);
    inside = false;
    atomic_fetch_and_explicit(&gate, ~OPEN, memory_order_acq_rel);
    for (int spins = 0; (atomic_load_explicit(&gate, memory_order_acquire) & (OPEN - 1)) != 0; spins++) {
        if (spins < SPINS) {
            cpu_relax();
        } else {
            sched_yield();
        }
    }
    pthread_mutex_unlock(&entry);
}
