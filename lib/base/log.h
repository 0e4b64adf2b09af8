/* Structured log lines in the shape of etcd's: one JSON object per line, keys in the order level,
 * ts, caller, msg, then the fields. The sink is an object passed down, never a global.
 *
 *   log_info(log, "became leader", LOG_HEX("member-id", id), LOG_U64("term", term));
 *
 * Levels below the sink's are dropped before anything is formatted. Any thread (the sink locks). */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR,
    LOG_FATAL, /* only a name: the caller stops the process itself */
    LOG_LEVEL_COUNT,
};

enum log_format {
    LOG_FORMAT_JSON,
    LOG_FORMAT_CONSOLE,
};

enum log_field_type {
    LOG_FIELD_STR,
    LOG_FIELD_I64,
    LOG_FIELD_U64,
    LOG_FIELD_HEX,
    LOG_FIELD_BOOL,
    LOG_FIELD_DURATION_NS, /* printed as etcd does: "1.5ms" */
};

struct log_field {
    const char *key;
    enum log_field_type type;
    const char *str; /* NULL prints as "" */
    uint64_t number;
};

struct log;

/* Receives one formatted line with its newline. Called under the sink's lock. */
typedef void (*log_write_fn)(void *ctx, const char *line, size_t len);

/* A sink that writes through `write`. `write` NULL: standard error. NULL if out of memory. */
KVS_MUST_USE struct log *log_new(enum log_level least, enum log_format format, log_write_fn write,
                                 void *ctx);
void log_free(struct log *log);

/* "debug", "info", "warn", "error" (also "panic", "fatal"); -1 for anything else. */
int log_level_parse(const char *text);
const char *log_level_name(enum log_level level);

/* True if a line of `level` would be written; `log` may be NULL (nothing is). */
bool log_enabled(const struct log *log, enum log_level level);

/* `caller` is "folder/file.c:line". Use the macros. */
void log_line(struct log *log, enum log_level level, const char *caller, const char *msg,
              const struct log_field *fields, size_t n_fields);

#define LOG_FIELD(k, t, v) ((struct log_field){.key = (k), .type = (t), .number = (uint64_t)(v)})
#define LOG_STR(k, v) ((struct log_field){.key = (k), .type = LOG_FIELD_STR, .str = (v)})
#define LOG_I64(k, v) LOG_FIELD(k, LOG_FIELD_I64, v)
#define LOG_U64(k, v) LOG_FIELD(k, LOG_FIELD_U64, v)
#define LOG_HEX(k, v) LOG_FIELD(k, LOG_FIELD_HEX, v)
#define LOG_BOOL(k, v) LOG_FIELD(k, LOG_FIELD_BOOL, (v) ? 1 : 0)
#define LOG_DURATION(k, ns) LOG_FIELD(k, LOG_FIELD_DURATION_NS, ns)

#define LOG_TEXT_(x) #x
#define LOG_TEXT(x) LOG_TEXT_(x)
#define LOG_AT(log, level, msg, ...)                                                               \
    (log_enabled((log), (level))                                                                   \
         ? log_line((log),                                                                         \
                    (level),                                                                       \
                    __FILE__ ":" LOG_TEXT(__LINE__),                                               \
                    (msg),                                                                         \
                    (const struct log_field[]){{0}, ##__VA_ARGS__} + 1,                            \
                    sizeof((const struct log_field[]){{0}, ##__VA_ARGS__}) /                       \
                            sizeof(struct log_field) -                                             \
                        1)                                                                         \
         : (void)0)

#define log_debug(log, ...) LOG_AT(log, LOG_DEBUG, __VA_ARGS__)
#define log_info(log, ...) LOG_AT(log, LOG_INFO, __VA_ARGS__)
#define log_warn(log, ...) LOG_AT(log, LOG_WARN, __VA_ARGS__)
#define log_error(log, ...) LOG_AT(log, LOG_ERROR, __VA_ARGS__)

#endif
