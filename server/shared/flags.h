/* Command-line flags of the servers, in the manner of Go's flag package, which etcd and Kubernetes
 * use: --name value, --name=value, -name, booleans without a value. Each flag --a-b can also be
 * given as the environment variable <PREFIX>A_B; the command line wins.
 *
 * A program's flags are a table; parsing writes through the pointers in it. Strings are borrowed
 * from argv or the environment. Single-threaded, at start-up. */
#ifndef SHARED_FLAGS_H
#define SHARED_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvstore/err.h"

enum flag_type {
    FLAG_STRING,      /* const char ** */
    FLAG_BOOL,        /* bool * */
    FLAG_UINT,        /* unsigned * */
    FLAG_U32,         /* uint32_t * */
    FLAG_U64,         /* uint64_t * */
    FLAG_I64,         /* int64_t * */
    FLAG_DURATION_MS, /* uint32_t *: "1h30m", "500ms", "5s" */
    FLAG_NO_EFFECT,   /* accepted for compatibility; takes a value; target is bool *: was given */
    FLAG_NO_EFFECT_BOOL,
};

struct flag {
    const char *section; /* heading in the help text; NULL: as the one before */
    const char *name;
    enum flag_type type;
    void *target;
    const char *default_text; /* for the help text; NULL or "" prints none */
    const char *help;
};

/* Called for each flag that was given but has no effect, and for unknown environment variables
 * with the prefix. */
typedef void (*flags_warn_fn)(void *ctx, const char *name, const char *what);

struct flags {
    const struct flag *table;
    size_t n;
    const char *env_prefix; /* "ETCD_" */
    flags_warn_fn warn;     /* may be NULL */
    void *warn_ctx;
};

/* Environment first, then the command line. `ret_error` says in words what was wrong.
 * KVS_E_INVALID: unknown flag, bad value, stray argument. */
KVS_MUST_USE int
flags_parse(const struct flags *f, int argc, char **argv, struct kvs_error *ret_error);

/* Prints all flags with their help to standard output. */
void flags_print(const struct flags *f);

/* Parses a Go duration ("1h30m", "0.5s", "250ms", "0") into milliseconds. KVS_E_INVALID. */
KVS_MUST_USE int flags_parse_duration_ms(const char *text, uint32_t *ret_ms);

#endif
