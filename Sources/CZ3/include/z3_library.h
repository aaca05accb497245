#pragma once

// The Z3 theorem prover, loaded when it is first asked for, so that everything builds and runs without it.

// 1 where the library is installed, else 0. Thread-safe.
int z3_is_available(void);

// Runs a script of SMT-LIB 2 in a context of its own and gives what Z3 prints, errors included, as a text that the caller frees
// with free(); NULL where the library is missing or memory is short. `timeout_milliseconds` and `resource_limit` bound each check (0: no
// bound). Contexts share nothing, so calls may be made from several threads.
char *z3_run(const char *script, unsigned timeout_milliseconds, unsigned resource_limit);
