/* The deletions of a compaction. Both tables are walked in their own order, so that a page is
 * written once for all that goes from it; LMDB would write one page of each per version otherwise.
 *
 * A batch of what goes is noted first and deleted then: views into the tables, and the place of a
 * cursor, end with the first deletion. */
#include "base/assert.h"
#include "base/view.h"
#include "mvcc/compact.h"
#include "mvcc/dbkey.h"

enum { DELETE_BATCH = 256 };

/* ---- hist: what the window replaced in older history ---- */

static int delete_hist(struct backend_txn *txn, struct rev rev)
{
    uint8_t key[RECORD_REV_BYTES];
    int err;

    record_rev_encode(rev, key);
    err = backend_delete(txn, BACKEND_HIST, view_make(key, sizeof key));
    return err == KVS_E_NOT_FOUND ? 0 : err; /* before a crash, or with an earlier window */
}

int compact_delete_olds(struct compact_window *w,
                        struct backend_txn *txn,
                        struct compact_budget *budget)
{
    kvs_assert(w->phase == COMPACT_OLD);
    while (w->olds_at < w->n_olds) {
        int err;

        if (!compact_budget_take(budget)) {
            return 0;
        }
        err = delete_hist(txn, w->olds[w->olds_at]);
        if (err != 0) {
            return err;
        }
        w->olds_at++;
    }
    w->phase = COMPACT_IDX;
    return 0;
}

/* ---- idx ---- */

struct idx_batch {
    size_t n;
    uint8_t entries[DELETE_BATCH][RECORD_IDX_BYTES];
};

/* Notes up to a batch of what `dbkey` loses: of its entries up to the target, newest first, all
 * below the target but the first, and the first too if it is a deletion. */
static int idx_read(struct backend_cursor *c,
                    struct kvs_view dbkey,
                    kvs_revision target,
                    struct idx_batch *batch)
{
    uint8_t from[RECORD_IDX_BYTES];
    struct kvs_view entry;
    bool first = true;
    int err;

    batch->n = 0;
    record_idx_encode((struct rev){target, UINT32_MAX}, false, from);
    err = backend_seek_dup(c, dbkey, view_make(from, sizeof from), &entry);
    while (err == 0 && batch->n < DELETE_BATCH) {
        struct rev rev;
        bool tombstone;

        if ((err = record_idx_decode(entry, &rev, &tombstone)) != 0) {
            return err;
        }
        if (rev.main < target && (!first || tombstone)) {
            memcpy(batch->entries[batch->n++], entry.data, RECORD_IDX_BYTES);
        }
        first = false;
        err = backend_next_dup(c, &entry);
    }
    return err == KVS_E_NOT_FOUND ? 0 : err;
}

/* Deletes what the key loses, as far as the budget goes. `ret_done`: there is no more. */
static int idx_delete_key(struct compact_window *w,
                          struct backend_txn *txn,
                          struct backend_cursor *c,
                          struct compact_budget *budget,
                          bool *ret_done)
{
    struct idx_batch batch;
    struct dbkey dbkey;
    int err = dbkey_find(txn, w->keys[w->keys_at], &dbkey);

    if (err == 0) {
        err = idx_read(c, dbkey.view, w->target, &batch);
    }
    if (err != 0) {
        *ret_done = true;
        return err == KVS_E_NOT_FOUND ? 0 : err;
    }
    *ret_done = batch.n < DELETE_BATCH;
    /* The oldest first, and the newest not while there is more: a deletion that goes condemns what
     * is below it, so it has to be there when that is looked at again. */
    while (batch.n > (*ret_done ? 0 : 1)) {
        if (!compact_budget_take(budget)) {
            *ret_done = false;
            return 0;
        }
        batch.n--;
        err = backend_delete_dup(txn, BACKEND_IDX, dbkey.view,
                                 view_make(batch.entries[batch.n], RECORD_IDX_BYTES));
        if (err != 0) {
            return err == KVS_E_NOT_FOUND ? KVS_E_DAMAGED : err;
        }
    }
    return 0;
}

static int idx_delete(struct compact_window *w,
                      struct backend_txn *txn,
                      struct backend_cursor *c,
                      struct compact_budget *budget)
{
    while (w->keys_at < w->n_keys) {
        bool again = w->keys_at > 0 && view_equal(w->keys[w->keys_at], w->keys[w->keys_at - 1]);
        bool done = true;
        int err = 0;

        if (!again && !compact_budget_take(budget)) {
            return 0;
        }
        if (!again) {
            err = idx_delete_key(w, txn, c, budget, &done);
        }
        if (err != 0) {
            return err;
        }
        w->keys_at += done;
    }
    w->phase = COMPACT_HIST;
    return 0;
}

int compact_delete_idx(struct compact_window *w,
                       struct backend_txn *txn,
                       struct compact_budget *budget)
{
    struct backend_cursor *c;
    int err = backend_cursor_open(txn, BACKEND_IDX, &c);

    kvs_assert(w->phase == COMPACT_IDX);
    if (err == 0) {
        err = idx_delete(w, txn, c, budget);
        backend_cursor_close(c);
    }
    return err;
}

/* ---- hist: the window itself ---- */

struct hist_batch {
    struct backend_txn *txn;
    struct backend_cursor *hist;
    struct backend_cursor *idx;
    size_t n;
    struct rev revs[DELETE_BATCH];
};

/* True if idx does not name the record any more. */
static int hist_is_gone(struct hist_batch *b, const struct record *r, bool *ret_gone)
{
    uint8_t entry[RECORD_IDX_BYTES];
    struct kvs_view found;
    struct dbkey dbkey;
    int err = dbkey_find(b->txn, r->key, &dbkey);

    if (err == 0) {
        record_idx_encode(r->mod, r->tombstone, entry);
        err = backend_seek_dup(b->idx, dbkey.view, view_make(entry, sizeof entry), &found);
    }
    if (err != 0 && err != KVS_E_NOT_FOUND) {
        return err;
    }
    *ret_gone = err != 0 || !view_equal(found, view_make(entry, sizeof entry));
    return 0;
}

static int hist_look(struct hist_batch *b, struct rev rev, struct kvs_view value)
{
    struct record record;
    bool gone = false;
    int err = record_hist_decode(rev, value, false, &record);

    if (err == 0) {
        err = hist_is_gone(b, &record, &gone);
    }
    if (err == 0 && gone) {
        b->revs[b->n++] = rev;
    }
    return err;
}

/* Notes up to a batch of records that go. `ret_more`: there is more, and budget for it. */
static int hist_read(struct compact_window *w,
                     struct hist_batch *b,
                     struct compact_budget *budget,
                     bool *ret_more)
{
    uint8_t from[RECORD_REV_BYTES];
    struct kvs_view key = {0};
    struct kvs_view value = {0};
    int err;

    *ret_more = false;
    record_rev_encode(w->hist_at, from);
    err = backend_seek(b->hist, view_make(from, sizeof from), &key, &value);
    while (err == 0) {
        if ((err = record_rev_decode(key, &w->hist_at)) != 0) {
            return err;
        }
        /* All that is at the target stays, whether idx names it or not. */
        if (w->hist_at.main >= w->target || rev_compare(w->hist_at, w->end) >= 0) {
            w->hist_at = w->end;
            return 0;
        }
        if (b->n == DELETE_BATCH) {
            *ret_more = true;
            return 0;
        }
        if (!compact_budget_take(budget)) {
            return 0;
        }
        if ((err = hist_look(b, w->hist_at, value)) != 0) {
            return err;
        }
        err = backend_next(b->hist, &key, &value);
    }
    if (err == KVS_E_NOT_FOUND) {
        w->hist_at = w->end;
        err = 0;
    }
    return err;
}

static int
hist_delete(struct compact_window *w, struct hist_batch *b, struct compact_budget *budget)
{
    bool more = true;
    int err = 0;

    while (err == 0 && more) {
        b->n = 0;
        err = hist_read(w, b, budget, &more);
        for (size_t i = 0; err == 0 && i < b->n; i++) {
            err = delete_hist(b->txn, b->revs[i]);
        }
    }
    return err;
}

int compact_delete_hist(struct compact_window *w,
                        struct backend_txn *txn,
                        struct compact_budget *budget)
{
    struct hist_batch b = {.txn = txn};
    int err = backend_cursor_open(txn, BACKEND_HIST, &b.hist);

    kvs_assert(w->phase == COMPACT_HIST);
    if (err == 0) {
        err = backend_cursor_open(txn, BACKEND_IDX, &b.idx);
    }
    if (err == 0) {
        err = hist_delete(w, &b, budget);
    }
    backend_cursor_close(b.idx);
    backend_cursor_close(b.hist);
    return err;
}
