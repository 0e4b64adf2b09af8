/* One range of the snapshot, in the exact order of the whole keys.
 *
 * At the snapshot's own revision, table cur is read alone, values inline. Further back, idx leads
 * (it knows deleted keys, too); a key that has not changed since takes its value from cur, which
 * follows in step, and only the others cost a lookup in hist.
 *
 * Long keys with one 480-byte prefix come in no useful order: they are gathered as a bunch and
 * sorted. Memory for that is bounded by the keys that share a prefix. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "mvcc/dbkey.h"
#include "mvcc/mvcc_int.h"

int scan_open(struct scan *s,
              const struct snap *snap,
              kvs_revision rev,
              struct kvs_view begin,
              struct kvs_view end)
{
    *s = (struct scan){.snap = snap, .rev = rev, .begin = begin, .end = end, .verify = true};
    s->past = rev < snap->state.revision;
    return backend_cursor_open(snap->txn, s->past ? BACKEND_IDX : BACKEND_CUR, &s->main);
}

void scan_close(struct scan *s)
{
    backend_cursor_close(s->main);
    backend_cursor_close(s->cur);
    kvs_free(s->bunch);
    *s = (struct scan){0};
}

/* Moves to the next entry of the leading table unless one is waiting. */
static int scan_raw(struct scan *s)
{
    int err = 0;

    if (s->pending) {
        return 0;
    }
    if (!s->started) {
        s->started = true;
        err = backend_seek(s->main, dbkey_prefix(s->begin), &s->raw_key, &s->raw_value);
    } else {
        err = backend_next(s->main, &s->raw_key, &s->raw_value);
    }
    s->pending = err == 0;
    return err;
}

/* cur's value for the entry that `main` is at. Both tables are walked in the same order. */
static int scan_follow(struct scan *s, struct kvs_view dbkey, struct kvs_view *ret_value)
{
    int err = 0;

    if (s->cur == NULL && (err = backend_cursor_open(s->snap->txn, BACKEND_CUR, &s->cur)) != 0) {
        return err;
    }
    if (s->cur_started) {
        err = backend_next(s->cur, &s->cur_key, &s->cur_value);
    }
    if (err == 0 && (!s->cur_started || !view_equal(s->cur_key, dbkey))) {
        s->cur_started = true;
        err = backend_seek(s->cur, dbkey, &s->cur_key, &s->cur_value);
    }
    if (err != 0 || !view_equal(s->cur_key, dbkey)) {
        return err != 0 && err != KVS_E_NOT_FOUND ? err : KVS_E_DAMAGED;
    }
    *ret_value = s->cur_value;
    return 0;
}

/* The record of the idx entry `dbkey` as of s->rev. KVS_E_NOT_FOUND: it was not alive then. */
static int
scan_past(struct scan *s, struct kvs_view dbkey, struct kvs_view newest, struct record *ret_record)
{
    uint8_t from[RECORD_IDX_BYTES];
    bool unchanged = true;
    struct kvs_view value;
    struct rev rev;
    bool tombstone;
    int err = record_idx_decode(newest, &rev, &tombstone);

    if (err == 0 && rev.main > s->rev) {
        unchanged = false;
        record_idx_encode((struct rev){s->rev, UINT32_MAX}, false, from);
        err = backend_seek_dup(s->main, dbkey, view_make(from, sizeof from), &value);
        if (err == 0) {
            err = record_idx_decode(value, &rev, &tombstone);
        }
    }
    if (err != 0 || tombstone) {
        return err != 0 ? err : KVS_E_NOT_FOUND;
    }
    if (s->count_only && !dbkey_is_long(dbkey)) {
        *ret_record = (struct record){.key = dbkey};
        return 0;
    }
    if (unchanged) {
        err = scan_follow(s, dbkey, &value);
        return err != 0 ? err : record_cur_decode(dbkey, value, s->verify, ret_record);
    }
    err = txn_get_rev(s->snap->txn, rev, s->verify, ret_record);
    return err == KVS_E_NOT_FOUND ? KVS_E_DAMAGED : err;
}

/* Takes the waiting entry. KVS_E_NOT_FOUND: not alive at s->rev. */
static int scan_take(struct scan *s, struct record *ret_record)
{
    s->pending = false;
    if (s->past) {
        return scan_past(s, s->raw_key, s->raw_value, ret_record);
    }
    if (s->count_only && !dbkey_is_long(s->raw_key)) {
        *ret_record = (struct record){.key = s->raw_key};
        return 0;
    }
    return record_cur_decode(s->raw_key, s->raw_value, s->verify, ret_record);
}

static bool scan_contains(const struct scan *s, struct kvs_view key)
{
    return view_compare(key, s->begin) >= 0 && (s->end.len == 0 || view_compare(key, s->end) < 0);
}

static int scan_bunch_add(struct scan *s, const struct record *r)
{
    if (s->n_bunch == s->bunch_capacity) {
        size_t capacity = s->bunch_capacity > 0 ? s->bunch_capacity * 2 : 16;
        struct record *bunch = kvs_realloc(s->bunch, capacity * sizeof *bunch);

        if (bunch == NULL) {
            return KVS_E_NOMEM;
        }
        s->bunch = bunch;
        s->bunch_capacity = capacity;
    }
    s->bunch[s->n_bunch++] = *r;
    return 0;
}

static int scan_compare_keys(const void *a, const void *b)
{
    const struct record *ra = a;
    const struct record *rb = b;

    return view_compare(ra->key, rb->key);
}

/* Gathers the long keys that share the prefix of the waiting entry. */
static int scan_gather(struct scan *s)
{
    struct kvs_view prefix = dbkey_prefix(s->raw_key);
    struct record record;
    int err = 0;

    s->n_bunch = 0;
    s->bunch_at = 0;
    do {
        err = scan_take(s, &record);
        if (err == 0 && scan_contains(s, record.key)) {
            err = scan_bunch_add(s, &record);
        }
        if (err != 0 && err != KVS_E_NOT_FOUND) {
            return err;
        }
        err = scan_raw(s);
    } while (err == 0 && dbkey_is_long(s->raw_key) && view_equal(dbkey_prefix(s->raw_key), prefix));
    if (s->n_bunch > 1) {
        qsort(s->bunch, s->n_bunch, sizeof *s->bunch, scan_compare_keys);
    }
    return err != 0 && err != KVS_E_NOT_FOUND ? err : 0;
}

int scan_next(struct scan *s, struct record *ret_record)
{
    int err;

    for (;;) {
        if (s->bunch_at < s->n_bunch) {
            *ret_record = s->bunch[s->bunch_at++];
            return 0;
        }
        if (s->ended) {
            return KVS_E_NOT_FOUND;
        }
        err = scan_raw(s);
        if (err == 0 && s->end.len > 0 && view_compare(dbkey_prefix(s->raw_key), s->end) >= 0) {
            err = KVS_E_NOT_FOUND;
        }
        if (err != 0) {
            s->ended = true;
            return err;
        }
        if (dbkey_is_long(s->raw_key)) {
            err = scan_gather(s);
        } else {
            err = scan_take(s, ret_record);
            if (err == 0 && view_compare(ret_record->key, s->begin) >= 0) {
                return 0;
            }
        }
        if (err != 0 && err != KVS_E_NOT_FOUND) {
            return err;
        }
    }
}
