/* kvctl's skeleton: a table of commands, each a file; flags found by name; one client, opened when
 * a command first needs it. A command returns the exit code. */
#ifndef KVCTL_CTL_H
#define KVCTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvstore/client.h"

/* etcdctl's exit codes: scripts look at them. */
enum {
    EXIT_OK = 0,
    EXIT_ERROR = 1,
    EXIT_BAD_CONNECTION = 2,
    EXIT_INVALID_INPUT = 3,
    EXIT_BAD_FEATURE = 4,
    EXIT_INTERRUPTED = 5,
    EXIT_IO = 6,
    EXIT_BAD_ARGS = 128,
};

/* ---- flags ---- */

enum flag_type {
    FLAG_BOOL,
    FLAG_STRING,
    FLAG_INT,
    FLAG_DURATION, /* "5s", "1m30s", "200ms" */
};

struct flag {
    const char *name;
    const char *short_name; /* one letter, or NULL */
    enum flag_type type;
    const char *def; /* default as text */
    const char *help;
};

#define FLAG_END                                                                                   \
    {                                                                                              \
        .name = NULL                                                                               \
    }

struct flag_value {
    const struct flag *flag;
    const char *text; /* as given, or the default */
    bool given;
};

enum { FLAGS_MAX = 48, ARGS_MAX = 512 };

/* The flags of one command line with their values. */
struct flag_set {
    struct flag_value values[FLAGS_MAX];
    size_t n_values;
};

/* Adds a table (ended by FLAG_END) with its defaults. */
void flags_add(struct flag_set *set, const struct flag *table);

/* Takes the flag at argv[*at] (and its value, moving *at). 0, or -1 with words in `error`. */
int flags_take(
    struct flag_set *set, int argc, char **argv, int *at, char *error, size_t error_size);

const struct flag_value *flags_find(const struct flag_set *set, const char *name);

/* ---- the program ---- */

struct ctl;
struct printer;

struct command {
    const char *name;  /* "get", "lease grant" */
    const char *usage; /* arguments */
    const char *help;  /* one line */
    const struct flag *flags;
    int (*run)(struct ctl *ctl);
};

struct ctl {
    struct flag_set flags; /* global and the command's */
    const struct command *command;
    const char *args[ARGS_MAX + 1]; /* what is not a flag; NULL behind the last */
    int n_args;
    int dash_at; /* how many arguments stood before "--"; -1: there was none */
    const struct printer *printer;
    bool hex;
    struct kvs_client *client;
};

extern const struct command *const ctl_commands[]; /* ended by NULL */
extern const struct flag ctl_global_flags[];

/* Values of flags the command has declared. */
bool ctl_bool(const struct ctl *ctl, const char *name);
const char *ctl_string(const struct ctl *ctl, const char *name);
bool ctl_given(const struct ctl *ctl, const char *name);
int64_t ctl_int(const struct ctl *ctl, const char *name);
uint32_t ctl_duration_ms(const struct ctl *ctl, const char *name);

/* Parses words into ctl->args and ctl->flags. 0 or an exit code, having said why. */
int ctl_parse(struct ctl *ctl, int argc, char **argv);

/* The client, opened on first use; NULL having said why. `endpoints` NULL: those of the flags. */
struct kvs_client *ctl_client(struct ctl *ctl);
struct kvs_client *ctl_client_open(struct ctl *ctl, const char *endpoints);

/* "Error: ..." on standard error; returns `code`. */
int ctl_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for what the library said. */
int ctl_fail_kvs(const struct kvs_error *error);

/* Hexadecimal and decimal arguments; false if `text` is not a number. */
bool ctl_parse_hex(const char *text, uint64_t *ret_value);
bool ctl_parse_i64(const char *text, int64_t *ret_value);

struct kvs_view ctl_view(const char *text);

/* Memory of the program's own; ends it when there is none. Freed with ctl_free. */
void *ctl_alloc(size_t size);
void *ctl_realloc(void *old, size_t size);
char *ctl_strdup(const char *text);
void ctl_free(void *memory);

#endif
