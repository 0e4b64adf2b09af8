/* The window of a compaction: which keys lose versions, read from hist in order. Memory is bounded,
 * so a long history is several windows. */
#include "mvcc/compact.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"

enum { WINDOW_CHUNK_BYTES = 1 << 18 };

void compact_budget_init(struct compact_budget *b,
                         const struct clock *clock,
                         uint32_t records,
                         uint32_t ms)
{
    *b = (struct compact_budget){.records = records, .clock = clock};
    if (clock != NULL) {
        b->until_ns = clock_ns(clock) + (uint64_t)ms * 1000000;
    }
}

bool compact_budget_take(struct compact_budget *b)
{
    if (b->taken == b->records) {
        return false;
    }
    b->taken++;
    if (b->clock != NULL && b->taken % COMPACT_CLOCK_EVERY == 0 &&
        clock_ns(b->clock) >= b->until_ns) {
        b->records = b->taken; /* this one still */
    }
    return true;
}

void compact_window_open(struct compact_window *w, struct rev begin, kvs_revision target)
{
    kvs_assert(!w->open && begin.main <= target);
    *w = (struct compact_window){
        .open = true, .target = target, .begin = begin, .end = begin, .hist_at = begin};
    arena_init(&w->arena, 0);
    arena_set_chunk(&w->arena, WINDOW_CHUNK_BYTES);
}

void compact_window_close(struct compact_window *w)
{
    if (w->open) {
        arena_fini(&w->arena);
        kvs_free(w->keys);
        kvs_free(w->olds);
    }
    *w = (struct compact_window){0};
}

/* Room for one more of `n`; NULL: `array` is as it was. */
static void *window_grow(void *array, size_t n, size_t *capacity, size_t size)
{
    size_t larger = *capacity > 0 ? *capacity * 2 : 256;
    void *grown = array;

    if (n == *capacity) {
        grown = kvs_realloc(array, larger * size);
        if (grown != NULL) {
            *capacity = larger;
        }
    }
    return grown;
}

static int window_add_key(struct compact_window *w, struct kvs_view key)
{
    struct kvs_view *keys = window_grow(w->keys, w->n_keys, &w->keys_capacity, sizeof *keys);

    if (keys == NULL) {
        return KVS_E_NOMEM;
    }
    w->keys = keys;
    if (arena_copy(&w->arena, key, &keys[w->n_keys]) != 0) {
        return KVS_E_NOMEM;
    }
    w->n_keys++;
    w->bytes += sizeof *keys + key.len;
    return 0;
}

static int window_add_old(struct compact_window *w, struct rev rev)
{
    struct rev *olds = window_grow(w->olds, w->n_olds, &w->olds_capacity, sizeof *olds);

    if (olds == NULL) {
        return KVS_E_NOMEM;
    }
    w->olds = olds;
    olds[w->n_olds++] = rev;
    w->bytes += sizeof *olds;
    return 0;
}

static int window_compare_revs(const void *a, const void *b)
{
    return rev_compare(*(const struct rev *)a, *(const struct rev *)b);
}

static int window_compare_keys(const void *a, const void *b)
{
    return view_compare(*(const struct kvs_view *)a, *(const struct kvs_view *)b);
}

/* A record at or below the target costs its key the version that it replaced, and a deletion below
 * it costs itself. Whatever is exactly at the target stays, for watchers that start there. */
static int window_look(struct compact_window *w, const struct record *r)
{
    bool replaces = r->prev.main != 0 && r->prev.main < w->target;
    int err = 0;

    if (replaces && rev_compare(r->prev, w->begin) < 0) {
        err = window_add_old(w, r->prev);
    }
    if (err == 0 && (replaces || (r->tombstone && r->mod.main < w->target))) {
        err = window_add_key(w, r->key);
    }
    return err;
}

static void window_gathered(struct compact_window *w)
{
    if (w->n_keys > 1) {
        qsort(w->keys, w->n_keys, sizeof *w->keys, window_compare_keys);
    }
    if (w->n_olds > 1) {
        qsort(w->olds, w->n_olds, sizeof *w->olds, window_compare_revs);
    }
    w->phase = COMPACT_OLD;
}

static int window_read(struct compact_window *w,
                       struct backend_cursor *cursor,
                       size_t max_bytes,
                       struct compact_budget *budget)
{
    uint8_t from[RECORD_REV_BYTES];
    struct kvs_view key = {0};
    struct kvs_view value = {0};
    struct record record;
    int err;

    record_rev_encode(w->end, from);
    err = backend_seek(cursor, view_make(from, sizeof from), &key, &value);
    while (err == 0) {
        struct rev rev;

        if ((err = record_rev_decode(key, &rev)) != 0) {
            return err;
        }
        w->end = rev;
        if (rev.main > w->target || w->bytes >= max_bytes) {
            window_gathered(w);
            return 0;
        }
        if (!compact_budget_take(budget)) {
            return 0;
        }
        if ((err = record_hist_decode(rev, value, true, &record)) != 0 ||
            (err = window_look(w, &record)) != 0) {
            return err;
        }
        err = backend_next(cursor, &key, &value);
    }
    if (err == KVS_E_NOT_FOUND) {
        w->end = (struct rev){w->target + 1, 0};
        window_gathered(w);
        err = 0;
    }
    return err;
}

int compact_window_gather(struct compact_window *w,
                          struct backend_txn *txn,
                          size_t max_bytes,
                          struct compact_budget *budget)
{
    struct backend_cursor *cursor;
    int err = backend_cursor_open(txn, BACKEND_HIST, &cursor);

    kvs_assert(w->open && w->phase == COMPACT_GATHER);
    if (err == 0) {
        err = window_read(w, cursor, max_bytes, budget);
        backend_cursor_close(cursor);
    }
    return err;
}
