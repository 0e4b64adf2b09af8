/* Entries in memory, and which configuration is in force at each of them.
 *
 * Invariants: terms never descend; marks ascend by index and there is always one; a truncation or a
 * compaction leaves the configuration of every remaining index as it was. */
#include "replica/core_int.h"

#include <string.h>

#include "base/alloc.h"

enum {
    LOG_CAPACITY_FIRST = 64,
    MARKS_CAPACITY_FIRST = 4,
};

int core_log_init(struct core_log *log, const struct core_snapshot *snapshot)
{
    *log = (struct core_log){0};
    log->marks = kvs_calloc(MARKS_CAPACITY_FIRST, sizeof *log->marks);
    if (log->marks == NULL) {
        return KVS_E_NOMEM;
    }
    log->marks_capacity = MARKS_CAPACITY_FIRST;
    core_log_reset(log, snapshot);
    return 0;
}

static struct core_entry *log_slot(const struct core_log *log, uint64_t index)
{
    kvs_assert(index > log->base_index && index <= core_log_last(log));
    return &log->ring[(log->head + (size_t)(index - log->base_index - 1)) & (log->capacity - 1)];
}

static void log_release_all(struct core_log *log)
{
    for (uint64_t i = log->base_index + 1; i <= core_log_last(log); i++) {
        rcbuf_unref(log_slot(log, i)->owner);
    }
    log->n = 0;
    log->head = 0;
}

void core_log_fini(struct core_log *log)
{
    log_release_all(log);
    kvs_free(log->ring);
    kvs_free(log->marks);
    *log = (struct core_log){0};
}

void core_log_reset(struct core_log *log, const struct core_snapshot *snapshot)
{
    kvs_assert(log->marks_capacity > 0);
    log_release_all(log);
    log->base_index = snapshot->index;
    log->base_term = snapshot->term;
    log->marks[0] = (struct core_conf_mark){.index = snapshot->index, .conf = snapshot->conf};
    log->n_marks = 1;
}

const struct core_entry *core_log_at(const struct core_log *log, uint64_t index)
{
    if (index <= log->base_index || index > core_log_last(log)) {
        return NULL;
    }
    return log_slot(log, index);
}

bool core_log_term(const struct core_log *log, uint64_t index, uint64_t *ret_term)
{
    const struct core_entry *e = core_log_at(log, index);

    if (e == NULL && index != log->base_index) {
        return false;
    }
    *ret_term = e != NULL ? e->term : log->base_term;
    return true;
}

uint64_t core_log_last_term(const struct core_log *log)
{
    return log->n > 0 ? log_slot(log, core_log_last(log))->term : log->base_term;
}

bool core_log_matches(const struct core_log *log, uint64_t index, uint64_t term)
{
    uint64_t ours;

    return core_log_term(log, index, &ours) && ours == term;
}

static int log_grow_ring(struct core_log *log, size_t want)
{
    size_t capacity = log->capacity > 0 ? log->capacity : LOG_CAPACITY_FIRST;
    struct core_entry *ring;

    while (capacity < want) {
        if (capacity > SIZE_MAX / 2 / sizeof *ring) {
            return KVS_E_NOMEM;
        }
        capacity *= 2;
    }
    if (capacity == log->capacity) {
        return 0;
    }
    ring = kvs_calloc(capacity, sizeof *ring);
    if (ring == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < log->n; i++) {
        ring[i] = *log_slot(log, log->base_index + 1 + i);
    }
    kvs_free(log->ring);
    log->ring = ring;
    log->capacity = capacity;
    log->head = 0;
    return 0;
}

int core_log_reserve(struct core_log *log, size_t n, size_t n_marks)
{
    void *marks = log->marks;
    int rc;

    kvs_assert(log->n <= log->capacity);
    kvs_assert(n_marks <= n);
    rc = core_grow(&marks, &log->marks_capacity, sizeof *log->marks, log->n_marks + n_marks);
    log->marks = marks;
    if (rc != 0) {
        return rc;
    }
    return log_grow_ring(log, log->n + n);
}

void core_log_push(struct core_log *log, const struct core_entry *e, const struct core_conf *conf)
{
    uint64_t index = core_log_last(log) + 1;

    kvs_assert(log->n < log->capacity);
    kvs_assert(e->term >= core_log_last_term(log));
    kvs_assert(conf == NULL || e->type == CORE_ENTRY_CONFIG);
    log->n++;
    *log_slot(log, index) = *e;
    if (e->owner != NULL) {
        rcbuf_ref(e->owner);
    }
    if (conf != NULL) {
        kvs_assert(log->n_marks < log->marks_capacity);
        log->marks[log->n_marks++] = (struct core_conf_mark){.index = index, .conf = *conf};
    }
}

void core_log_truncate(struct core_log *log, uint64_t from)
{
    kvs_assert(from > log->base_index);
    while (core_log_last(log) >= from) {
        rcbuf_unref(log_slot(log, core_log_last(log))->owner);
        log->n--;
    }
    if (core_mutated(MUTANT_CONF_NOT_ROLLED_BACK)) {
        return;
    }
    while (log->n_marks > 1 && log->marks[log->n_marks - 1].index >= from) {
        log->n_marks--;
    }
    kvs_assert(log->marks[log->n_marks - 1].index < from);
}

void core_log_drop(struct core_log *log, uint64_t index)
{
    size_t keep = 0; /* the mark in force at `index` */

    kvs_assert(index <= core_log_last(log));
    while (log->base_index < index) {
        struct core_entry *e = log_slot(log, log->base_index + 1);

        log->base_term = e->term;
        rcbuf_unref(e->owner);
        *e = (struct core_entry){0};
        log->head = (log->head + 1) & (log->capacity - 1);
        log->base_index++;
        log->n--;
    }
    while (keep + 1 < log->n_marks && log->marks[keep + 1].index <= log->base_index) {
        keep++;
    }
    log->n_marks -= keep;
    memmove(log->marks, log->marks + keep, log->n_marks * sizeof *log->marks);
    kvs_assert(log->n_marks > 0);
}

const struct core_conf_mark *core_log_mark_at(const struct core_log *log, uint64_t index)
{
    for (size_t i = log->n_marks; i > 0; i--) {
        if (log->marks[i - 1].index <= index) {
            return &log->marks[i - 1];
        }
    }
    return NULL;
}

const struct core_conf_mark *core_log_mark_last(const struct core_log *log)
{
    kvs_assert(log->n_marks > 0);
    return &log->marks[log->n_marks - 1];
}

uint64_t core_log_agreeable(const struct core_log *log, uint64_t index, uint64_t term)
{
    uint64_t low = log->base_index; /* the answer, if nothing above fits */
    uint64_t high = index;
    uint64_t ours = 0;

    kvs_assert(index <= core_log_last(log));
    while (low < high) { /* terms never descend */
        uint64_t middle = low + (high - low + 1) / 2;

        if (core_log_term(log, middle, &ours) && ours <= term) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return index < low ? index : low;
}
