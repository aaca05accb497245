#include "z3_library.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *z3_config;
typedef void *z3_context;

static struct {
    void *library;
    z3_config (*make_config)(void);
    void (*set_parameter)(z3_config, const char *, const char *);
    void (*delete_config)(z3_config);
    z3_context (*make_context)(z3_config);
    void (*delete_context)(z3_context);
    void (*set_error_handler)(z3_context, void (*)(z3_context, int));
    const char *(*evaluate)(z3_context, const char *);
} z3;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    static const char *const names[] = {
        "libz3.so.4", "libz3.so", "libz3.dylib", "/opt/homebrew/lib/libz3.dylib", "/usr/local/lib/libz3.dylib",
    };
    void *library = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    // ISO C has no cast from a data pointer to a function pointer; POSIX promises that this one works.
#define Z3_LOAD(member, symbol) *(void **)&z3.member = dlsym(library, symbol)
    Z3_LOAD(make_config, "Z3_mk_config");
    Z3_LOAD(set_parameter, "Z3_set_param_value");
    Z3_LOAD(delete_config, "Z3_del_config");
    Z3_LOAD(make_context, "Z3_mk_context");
    Z3_LOAD(delete_context, "Z3_del_context");
    Z3_LOAD(set_error_handler, "Z3_set_error_handler");
    Z3_LOAD(evaluate, "Z3_eval_smtlib2_string");
#undef Z3_LOAD
    if (z3.make_config && z3.set_parameter && z3.delete_config && z3.make_context && z3.delete_context
        && z3.set_error_handler && z3.evaluate) z3.library = library;
}

int z3_is_available(void) {
    pthread_once(&once, load);
    return z3.library != NULL;
}

// Errors are part of what a script prints; the default handler would end the process.
static void keep_going(z3_context context, int code) {
    (void)context;
    (void)code;
}

char *z3_run(const char *script, unsigned timeout_milliseconds, unsigned resource_limit) {
    if (!z3_is_available()) return NULL;
    z3_config config = z3.make_config();
    if (!config) return NULL;
    char number[16];
    if (timeout_milliseconds) {
        snprintf(number, sizeof number, "%u", timeout_milliseconds);
        z3.set_parameter(config, "timeout", number);
    }
    if (resource_limit) {
        snprintf(number, sizeof number, "%u", resource_limit);
        z3.set_parameter(config, "rlimit", number);
    }
    z3_context context = z3.make_context(config);
    z3.delete_config(config);
    if (!context) return NULL;
    z3.set_error_handler(context, keep_going);
    const char *output = z3.evaluate(context, script);
    // The text belongs to the context.
    char *copy = output ? strdup(output) : NULL;
    z3.delete_context(context);
    return copy;
}
