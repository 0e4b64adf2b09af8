/* For tests of lib/watch: a history in memory, as plain as can be, as source and as oracle. */
#ifndef TEST_UNIT_WATCH_LOG_H
#define TEST_UNIT_WATCH_LOG_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "watch/watch.h"

#define LOG_KEY_BYTES   8
#define LOG_VALUE_BYTES 16

struct log_event {
    enum kvs_event_type type;
    kvs_revision revision;
    bool has_prev;
    kvs_revision prev_revision;
    char key[LOG_KEY_BYTES];
    char value[LOG_VALUE_BYTES];
    char prev_value[LOG_VALUE_BYTES];
};

struct test_log {
    struct log_event *events;
    size_t n_events;
    size_t capacity;
    kvs_revision revision; /* of the last event, 1 if there is none */
    kvs_revision compacted;
    size_t n_reads;
};

static inline void test_log_init(struct test_log *log)
{
    *log = (struct test_log){.revision = 1};
}

static inline void test_log_fini(struct test_log *log)
{
    free(log->events);
}

/* The newest event of the key at or before `at`; NULL if there is none. */
static inline const struct log_event *
test_log_last(const struct test_log *log, const char *key, size_t n_events)
{
    for (size_t i = n_events; i > 0; i--) {
        if (strcmp(log->events[i - 1].key, key) == 0) {
            return &log->events[i - 1];
        }
    }
    return NULL;
}

/* Adds an event of revision `revision`, which is the present one or the next. */
static inline void test_log_add(struct test_log *log,
                                kvs_revision revision,
                                enum kvs_event_type type,
                                const char *key,
                                const char *value)
{
    const struct log_event *prev = test_log_last(log, key, log->n_events);
    struct log_event e = {.type = type, .revision = revision};

    kvs_assert(revision == log->revision || revision == log->revision + 1);
    if (log->n_events == log->capacity) {
        log->capacity = log->capacity > 0 ? log->capacity * 2 : 64;
        log->events = realloc(log->events, log->capacity * sizeof *log->events);
        kvs_assert(log->events != NULL);
        prev = test_log_last(log, key, log->n_events);
    }
    memccpy(e.key, key, 0, sizeof e.key - 1);
    memccpy(e.value, type == KVS_EVENT_PUT ? value : "", 0, sizeof e.value - 1);
    if (prev != NULL && prev->type == KVS_EVENT_PUT) {
        e.has_prev = true;
        e.prev_revision = prev->revision;
        memcpy(e.prev_value, prev->value, sizeof e.prev_value);
    }
    log->events[log->n_events++] = e;
    log->revision = revision;
}

static inline struct kvs_event test_log_event(const struct log_event *from, kvs_revision compacted)
{
    struct kvs_event e = {.type = from->type};

    e.kv.key = view_str(from->key);
    e.kv.value = view_str(from->value);
    e.kv.mod_revision = from->revision;
    if (from->has_prev && from->prev_revision >= compacted) {
        e.has_prev = true;
        e.prev_kv.key = view_str(from->key);
        e.prev_kv.value = view_str(from->prev_value);
        e.prev_kv.mod_revision = from->prev_revision;
    }
    return e;
}

static inline int test_log_read(void *ctx,
                                kvs_revision from,
                                kvs_revision until,
                                size_t max_bytes,
                                bool prev_kv,
                                watch_history_fn visit,
                                void *visit_ctx,
                                kvs_revision *ret_next)
{
    struct test_log *log = ctx;
    kvs_revision last = 0;
    size_t bytes = 0;

    log->n_reads++;
    kvs_assert(from >= log->compacted && from < until && until <= log->revision + 1);
    for (size_t i = 0; i < log->n_events; i++) {
        struct kvs_event e = test_log_event(&log->events[i], log->compacted);
        int err;

        if (e.kv.mod_revision < from || e.kv.mod_revision >= until) {
            continue;
        }
        if (last != 0 && e.kv.mod_revision != last && bytes >= max_bytes) {
            *ret_next = e.kv.mod_revision;
            return 0;
        }
        e.has_prev = e.has_prev && prev_kv;
        err = visit(visit_ctx, &e);
        if (err != 0) {
            return err;
        }
        last = e.kv.mod_revision;
        bytes += e.kv.key.len + e.kv.value.len;
    }
    *ret_next = until;
    return 0;
}

/* Tells the hub of the newest revision. */
static inline void
test_log_commit(struct test_log *log, struct watch_hub *h, struct watch_effects *effects)
{
    struct kvs_event events[64];
    size_t n = 0;

    for (size_t i = 0; i < log->n_events; i++) {
        if (log->events[i].revision == log->revision) {
            kvs_assert(n < 64);
            events[n++] = test_log_event(&log->events[i], log->compacted);
        }
    }
    watch_on_commit(h, log->revision, events, n, effects);
}

static inline struct watch_config test_log_config(struct test_log *log)
{
    return (struct watch_config){
        .source = {.read = test_log_read, .ctx = log},
        .revision = log->revision,
        .compacted = log->compacted,
        .seed = 42,
    };
}

#endif
