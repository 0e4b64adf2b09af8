#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/buf.h"

struct log {
    enum log_level least;
    enum log_format format;
    log_write_fn write;
    void *ctx;
    pthread_mutex_t lock; /* guards `line` and the order of lines */
    struct buf line;
};

static const char *const log_level_names[LOG_LEVEL_COUNT] = {"debug", "info", "warn", "error",
                                                             "fatal"};

static void log_write_stderr(void *ctx, const char *line, size_t len)
{
    (void)ctx;
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, line, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return; /* nowhere left to report to */
        }
        line += n;
        len -= (size_t)n;
    }
}

struct log *log_new(enum log_level least, enum log_format format, log_write_fn write, void *ctx)
{
    struct log *log = kvs_calloc(1, sizeof *log);

    if (log == NULL) {
        return NULL;
    }
    log->least = least;
    log->format = format;
    log->write = write != NULL ? write : log_write_stderr;
    log->ctx = ctx;
    (void)pthread_mutex_init(&log->lock, NULL);
    buf_init(&log->line);
    return log;
}

void log_free(struct log *log)
{
    if (log == NULL) {
        return;
    }
    (void)pthread_mutex_destroy(&log->lock);
    buf_fini(&log->line);
    kvs_free(log);
}

int log_level_parse(const char *text)
{
    for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (strcmp(text, log_level_names[i]) == 0) {
            return i;
        }
    }
    return strcmp(text, "panic") == 0 ? LOG_FATAL : -1;
}

const char *log_level_name(enum log_level level)
{
    kvs_assert(level < LOG_LEVEL_COUNT);
    return log_level_names[level];
}

bool log_enabled(const struct log *log, enum log_level level)
{
    return log != NULL && level >= log->least;
}

static void log_append_json_string(struct buf *b, const char *text)
{
    buf_append_u8(b, '"');
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            buf_append_u8(b, '\\');
            buf_append_u8(b, *c);
        } else if (*c < 0x20) {
            buf_printf(b, "\\u%04x", *c);
        } else {
            buf_append_u8(b, *c);
        }
    }
    buf_append_u8(b, '"');
}

/* As Go prints a duration: "0s", "1.5ms", "1m30s". */
static void log_append_duration(struct buf *b, uint64_t ns)
{
    static const uint64_t minute_ns = UINT64_C(60000000000);
    uint64_t minutes = ns / minute_ns;

    if (ns == 0) {
        buf_append_str(b, "\"0s\"");
    } else if (ns < 1000) {
        buf_printf(b, "\"%" PRIu64 "ns\"", ns);
    } else if (ns < 1000000) {
        buf_printf(b, "\"%.9gµs\"", (double)ns / 1e3);
    } else if (ns < 1000000000) {
        buf_printf(b, "\"%.9gms\"", (double)ns / 1e6);
    } else if (minutes == 0) {
        buf_printf(b, "\"%.12gs\"", (double)ns / 1e9);
    } else if (minutes < 60) {
        buf_printf(b, "\"%" PRIu64 "m%.12gs\"", minutes, (double)(ns % minute_ns) / 1e9);
    } else {
        buf_printf(b, "\"%" PRIu64 "h%" PRIu64 "m%.12gs\"", minutes / 60, minutes % 60,
                   (double)(ns % minute_ns) / 1e9);
    }
}

static void log_append_field(struct buf *b, const struct log_field *f)
{
    log_append_json_string(b, f->key);
    buf_append_u8(b, ':');
    switch (f->type) {
    case LOG_FIELD_STR:
        log_append_json_string(b, f->str != NULL ? f->str : "");
        break;
    case LOG_FIELD_I64:
        buf_printf(b, "%" PRId64, (int64_t)f->number);
        break;
    case LOG_FIELD_U64:
        buf_printf(b, "%" PRIu64, f->number);
        break;
    case LOG_FIELD_HEX:
        buf_printf(b, "\"%" PRIx64 "\"", f->number);
        break;
    case LOG_FIELD_BOOL:
        buf_append_str(b, f->number != 0 ? "true" : "false");
        break;
    case LOG_FIELD_DURATION_NS:
        log_append_duration(b, f->number);
        break;
    }
}

/* The last folder and the file of a __FILE__ path, as etcd's caller field has it. */
static const char *log_short_caller(const char *caller)
{
    const char *found = caller;
    int slashes = 0;

    for (const char *c = caller + strlen(caller); c > caller; c--) {
        if (c[-1] == '/' && ++slashes == 2) {
            found = c;
            break;
        }
    }
    return found;
}

static void log_append_time(struct buf *b)
{
    struct timespec now;
    struct tm utc;
    char text[32];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    buf_printf(b, "%s.%06ldZ", text, now.tv_nsec / 1000);
}

static void
log_format_json(struct buf *b, enum log_level level, const char *caller, const char *msg)
{
    buf_printf(b, "{\"level\":\"%s\",\"ts\":\"", log_level_names[level]);
    log_append_time(b);
    buf_append_str(b, "\",\"caller\":");
    log_append_json_string(b, log_short_caller(caller));
    buf_append_str(b, ",\"msg\":");
    log_append_json_string(b, msg);
}

static void
log_format_console(struct buf *b, enum log_level level, const char *caller, const char *msg)
{
    log_append_time(b);
    buf_printf(b, "\t%s\t%s\t%s\t{", log_level_names[level], log_short_caller(caller), msg);
}

void log_line(struct log *log,
              enum log_level level,
              const char *caller,
              const char *msg,
              const struct log_field *fields,
              size_t n_fields)
{
    struct buf *b = &log->line;
    bool json = log->format == LOG_FORMAT_JSON;

    (void)pthread_mutex_lock(&log->lock);
    buf_clear(b);
    if (json) {
        log_format_json(b, level, caller, msg);
    } else {
        log_format_console(b, level, caller, msg);
    }
    for (size_t i = 0; i < n_fields; i++) {
        if (json || i > 0) {
            buf_append_str(b, json ? "," : ", ");
        }
        log_append_field(b, &fields[i]);
    }
    buf_append_str(b, "}\n");
    if (!b->failed) {
        log->write(log->ctx, (const char *)b->data, b->len);
    }
    (void)pthread_mutex_unlock(&log->lock);
}
