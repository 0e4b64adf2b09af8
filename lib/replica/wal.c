/* Appending to the log: records are gathered in memory, written in one piece and synced once for
 * all that came together. Opening and recovery are in wal_open.c and wal_recover.c, files in
 * wal_segment.c. */
#include "replica/wal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/sabotage.h"
#include "replica/wal_int.h"

int wal_fail(struct wal *w, int err)
{
    kvs_assert(err != 0);
    if (w->failed == 0) {
        w->failed = err;
    }
    return w->failed;
}

/* --- records -------------------------------------------------------------------------------- */

static int batch_reserve(struct wal *w, uint64_t more)
{
    uint64_t capacity = w->batch_len + more;
    uint8_t *grown;

    if (capacity <= w->batch_capacity) {
        return 0;
    }
    /* Powers of two: pages that were never touched cost nothing. */
    for (uint64_t bytes = UINT64_C(16) << 10; bytes > 0; bytes *= 2) {
        if (bytes >= capacity) {
            capacity = bytes;
            break;
        }
    }
    grown = kvs_realloc(w->batch, (size_t)capacity);
    if (grown == NULL) {
        return KVS_E_NOMEM;
    }
    w->batch = grown;
    w->batch_capacity = (size_t)capacity;
    return 0;
}

uint8_t *wal_record_begin(struct wal *w, uint64_t len)
{
    uint64_t bytes = wal_record_bytes(len);
    int rv = w->failed;

    if (rv == 0 && w->batch_len > 0 && w->batch_len + bytes > WAL_RECORD_BYTES) {
        rv = wal_write(w);
    }
    if (rv == 0 && wal_end(w) + bytes + WAL_SEAL_BYTES > wal_current(w)->bytes) {
        rv = wal_write(w);
        rv = rv != 0 ? rv : wal_rotate(w, bytes);
    }
    rv = rv != 0 ? rv : batch_reserve(w, bytes);
    if (rv != 0) {
        (void)wal_fail(w, rv);
        return NULL;
    }
    return w->batch + w->batch_len + WAL_RECORD_HEAD_BYTES;
}

void wal_record_end(struct wal *w, enum wal_record_type type, uint64_t len, uint32_t count)
{
    const struct wal_record r = {
        .type = type,
        .len = (uint32_t)len,
        .count = count,
        .synced = w->synced,
    };

    wal_record_encode(&r, w->seed, wal_end(w), w->batch + w->batch_len);
    w->batch_len += (size_t)wal_record_bytes(len);
    w->marked = type == WAL_MARK;
    kvs_assert(wal_end(w) + WAL_SEAL_BYTES <= wal_current(w)->bytes);
}

/* --- append --------------------------------------------------------------------------------- */

static int append_hard(struct wal *w, const struct wal_hard_state *hard)
{
    uint8_t *payload;

    kvs_assert(hard->term >= w->state.hard.term);
    payload = wal_record_begin(w, WAL_HARD_BYTES);
    if (payload == NULL) {
        return w->failed;
    }
    wal_hard_encode(hard, payload);
    wal_record_end(w, WAL_HARD, WAL_HARD_BYTES, 0);
    w->state.hard = *hard;
    return 0;
}

static size_t term_changes(const struct wal_entry *entries, size_t n)
{
    size_t changes = 1;

    for (size_t i = 1; i < n; i++) {
        changes += entries[i].term != entries[i - 1].term;
    }
    return changes;
}

/* One record of entries that connect to the log as it is now. */
static int append_record(struct wal *w, const struct wal_entry *entries, size_t n)
{
    uint64_t len = wal_entries_bytes(entries, n);
    uint64_t prev_term = 0;
    uint8_t *payload;

    if (wal_state_reserve(&w->state, term_changes(entries, n)) != 0) {
        return wal_fail(w, KVS_E_NOMEM);
    }
    payload = wal_record_begin(w, len);
    if (payload == NULL) {
        return w->failed;
    }
    wal_state_truncate(&w->state, entries[0].index - 1);
    if (!wal_state_term(&w->state, entries[0].index - 1, &prev_term)) {
        prev_term = 0;
    }
    wal_entries_encode(entries, n, prev_term, payload);
    wal_record_end(w, WAL_ENTRIES, len, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        kvs_assert(entries[i].index == w->state.last_index + 1);
        kvs_assert(entries[i].term >= wal_state_last_term(&w->state) && entries[i].term > 0);
        wal_state_push(&w->state, entries[i].term);
    }
    return 0;
}

/* How many of `entries` go into one record: at least one. */
static size_t record_fill(const struct wal_entry *entries, size_t n)
{
    uint64_t len = wal_entries_bytes(entries, 1);
    size_t take = 1;

    while (take < n) {
        len += WAL_ENTRY_HEAD_BYTES + entries[take].data.len;
        if (wal_record_bytes(len) > WAL_RECORD_BYTES) {
            break;
        }
        take++;
    }
    return take;
}

int wal_append(struct wal *w,
               const struct wal_hard_state *hard,
               const struct wal_entry *entries,
               size_t n_entries)
{
    int rv = w->failed;

    if (rv != 0) {
        return rv;
    }
    for (size_t i = 0; i < n_entries; i++) {
        if (entries[i].data.len > WAL_ENTRY_BYTES_MAX) {
            return KVS_E_TOO_LONG;
        }
    }
    /* A gap, or a write below what is gone, means that the caller has lost its invariants. */
    kvs_assert(n_entries == 0 || (entries[0].index > w->state.base_index &&
                                  entries[0].index <= w->state.last_index + 1));
    if (hard != NULL) {
        rv = append_hard(w, hard);
    }
    while (rv == 0 && n_entries > 0) {
        size_t take = record_fill(entries, n_entries);

        rv = append_record(w, entries, take);
        entries += take;
        n_entries -= take;
    }
    return rv;
}

int wal_reset(struct wal *w, uint64_t index, uint64_t term)
{
    uint8_t *payload;

    kvs_assert(index <= WAL_NUMBER_MAX);
    payload = wal_record_begin(w, WAL_RESET_BYTES);
    if (payload == NULL) {
        return w->failed;
    }
    wal_reset_encode(index, term, payload);
    wal_record_end(w, WAL_RESET, WAL_RESET_BYTES, 0);
    wal_state_reset(&w->state, index, term);
    return 0;
}

/* --- write and sync ------------------------------------------------------------------------- */

int wal_write(struct wal *w)
{
    int rv;

    if (w->failed != 0 || w->batch_len == 0) {
        return w->failed;
    }
    rv = w->disk->pwrite(w->disk->ctx, w->file, w->batch, w->batch_len, w->written);
    if (rv != 0) {
        return wal_fail(w, rv);
    }
    w->written += w->batch_len;
    w->stats.bytes_written += w->batch_len;
    w->stats.writes++;
    w->batch_len = 0;
    if (w->batch_capacity > 2 * (size_t)WAL_RECORD_BYTES) { /* One huge entry; do not keep it. */
        kvs_free(w->batch);
        w->batch = NULL;
        w->batch_capacity = 0;
    }
    return 0;
}

int wal_flush(struct wal *w)
{
    int rv;

    if (w->failed != 0 || w->synced == w->written) {
        return w->failed;
    }
    rv = sabotaged(SABOTAGE_WAL_NO_SYNC) ? 0 : w->disk->sync(w->disk->ctx, w->file);
    if (rv != 0) {
        return wal_fail(w, rv);
    }
    w->synced = w->written;
    w->stats.syncs++;
    return 0;
}

int wal_sync(struct wal *w)
{
    int rv = wal_write(w);

    return rv != 0 ? rv : wal_flush(w);
}

int wal_mark(struct wal *w)
{
    if (w->failed != 0 || w->marked || w->batch_len > 0 || w->written != w->synced ||
        w->written == WAL_HEADER_BYTES ||
        wal_end(w) + wal_record_bytes(0) + WAL_SEAL_BYTES > wal_current(w)->bytes) {
        return w->failed;
    }
    if (wal_record_begin(w, 0) == NULL) {
        return w->failed;
    }
    wal_record_end(w, WAL_MARK, 0, 0);
    return wal_write(w);
}

/* --- end ------------------------------------------------------------------------------------ */

void wal_abandon(struct wal *w)
{
    if (w == NULL) {
        return;
    }
    if (w->file != NULL) {
        w->disk->close(w->disk->ctx, w->file);
    }
    if (w->spare.file != NULL) {
        w->disk->close(w->disk->ctx, w->spare.file);
    }
    if (w->lock != NULL) {
        w->disk->unlock(w->disk->ctx, w->lock);
    }
    wal_state_fini(&w->state);
    kvs_free(w->segments);
    kvs_free(w->batch);
    kvs_free(w->path_to);
    kvs_free(w->path);
    kvs_free(w->dir);
    kvs_free(w);
}

int wal_close(struct wal *w)
{
    int rv;

    if (w == NULL) {
        return 0;
    }
    rv = wal_sync(w);
    rv = rv != 0 ? rv : wal_mark(w);
    rv = rv != 0 ? rv : wal_sync(w);
    wal_abandon(w);
    return rv;
}

/* --- queries -------------------------------------------------------------------------------- */

int wal_failed(const struct wal *w)
{
    return w->failed;
}

uint64_t wal_base_index(const struct wal *w)
{
    return w->state.base_index;
}

uint64_t wal_last_index(const struct wal *w)
{
    return w->state.last_index;
}

void wal_hard_state(const struct wal *w, struct wal_hard_state *ret_hard)
{
    *ret_hard = w->state.hard;
}

bool wal_term_at(const struct wal *w, uint64_t index, uint64_t *ret_term)
{
    return wal_state_term(&w->state, index, ret_term);
}

void wal_stats(const struct wal *w, struct wal_stats *ret_stats)
{
    *ret_stats = w->stats;
    ret_stats->segments = w->n_segments;
    ret_stats->disk_bytes = w->spare.bytes;
    for (size_t i = 0; i < w->n_segments; i++) {
        ret_stats->disk_bytes += w->segments[i].bytes;
    }
}

void wal_check(const struct wal *w)
{
    wal_state_check(&w->state);
    kvs_assert(w->n_segments > 0 && w->file != NULL);
    for (size_t i = 1; i < w->n_segments; i++) {
        kvs_assert(w->segments[i].number == w->segments[i - 1].number + 1);
    }
    kvs_assert(WAL_HEADER_BYTES <= w->synced && w->synced <= w->written);
    kvs_assert(w->failed != 0 || wal_end(w) + WAL_SEAL_BYTES <= wal_current(w)->bytes);
    kvs_assert(w->written % WAL_ALIGN == 0 && w->batch_len % WAL_ALIGN == 0);
}
