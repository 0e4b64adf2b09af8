/* The watch log: changes in order of revision, from table hist and then from the generations.
 *
 * An event at the compacted revision itself is still there, its previous state need not be: which
 * of the two holds would depend on how far the deletion has come on this member, so such an event
 * never shows one. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "mvcc/mvcc_int.h"

struct mvcc_history {
    struct mvcc_view *view; /* borrowed from the read */
    kvs_revision from;
    kvs_revision to;
    kvs_revision compact;
    struct backend_cursor *cursor; /* on hist */
    bool started;
    bool snap_ended;
    unsigned n_gens_left; /* generations not begun yet, counted from the oldest */
    const struct gen *gen;
    size_t gen_at;
    struct rev prev; /* of the last event */
};

int mvcc_history_open(struct mvcc_read *r,
                      kvs_revision from_rev,
                      kvs_revision to_rev,
                      struct mvcc_history **ret_history)
{
    struct mvcc_history *h;
    int err;

    if (from_rev < r->compact_revision) {
        return KVS_E_COMPACTED;
    }
    h = kvs_calloc(1, sizeof *h);
    if (h == NULL) {
        return KVS_E_NOMEM;
    }
    h->view = r->view;
    h->from = from_rev > 0 ? from_rev : 1;
    h->to = to_rev > 0 && to_rev < r->revision ? to_rev : r->revision;
    h->compact = r->compact_revision;
    h->n_gens_left = r->view->n_gens;
    h->snap_ended = h->from > r->view->snap->state.revision;
    err = backend_cursor_open(r->view->snap->txn, BACKEND_HIST, &h->cursor);
    if (err != 0) {
        kvs_free(h);
        return err;
    }
    *ret_history = h;
    return 0;
}

void mvcc_history_close(struct mvcc_history *h)
{
    if (h != NULL) {
        backend_cursor_close(h->cursor);
        kvs_free(h);
    }
}

static int history_next_stored(struct mvcc_history *h, struct record *ret_record)
{
    uint8_t from[RECORD_REV_BYTES];
    struct kvs_view key = {0};
    struct kvs_view value = {0};
    struct rev rev;
    int err;

    if (h->started) {
        err = backend_next(h->cursor, &key, &value);
    } else {
        h->started = true;
        record_rev_encode((struct rev){h->from, 0}, from);
        err = backend_seek(h->cursor, view_make(from, sizeof from), &key, &value);
    }
    if (err == 0) {
        err = record_rev_decode(key, &rev);
    }
    return err != 0 ? err : record_hist_decode(rev, value, true, ret_record);
}

/* Generations from the oldest to the active one. */
static int history_next_applied(struct mvcc_history *h, struct record *ret_record)
{
    while (h->gen == NULL || h->gen_at >= h->gen->n_versions) {
        if (h->n_gens_left == 0) {
            return KVS_E_NOT_FOUND;
        }
        h->gen = h->view->gens[--h->n_gens_left];
        h->gen_at = gen_version_lower_bound(h->gen, h->from);
    }
    *ret_record = h->gen->versions[h->gen_at++]->record;
    return 0;
}

static int history_next(struct mvcc_history *h, struct record *ret_record)
{
    if (!h->snap_ended) {
        int err = history_next_stored(h, ret_record);

        if (err != KVS_E_NOT_FOUND) {
            return err;
        }
        h->snap_ended = true;
    }
    return history_next_applied(h, ret_record);
}

int mvcc_history_next(struct mvcc_history *h, struct kvs_event *ret_event)
{
    struct record record;
    struct kvs_event event = {0};
    int err = history_next(h, &record);

    if (err != 0) {
        return err;
    }
    if (record.mod.main > h->to) {
        h->snap_ended = true; /* stay at the end */
        h->n_gens_left = 0;
        h->gen = NULL;
        return KVS_E_NOT_FOUND;
    }
    kvs_dassert(record.mod.main >= h->from);
    event.type = record.tombstone ? KVS_EVENT_DELETE : KVS_EVENT_PUT;
    record_to_kv(&record, &event.kv);
    h->prev = record.mod.main > h->compact ? record.prev : (struct rev){0};
    event.has_prev = h->prev.main != 0;
    *ret_event = event;
    return 0;
}

int mvcc_history_prev(struct mvcc_history *h, struct kvs_kv *ret_kv)
{
    struct record record;
    int err;

    if (h->prev.main == 0) {
        return KVS_E_NOT_FOUND;
    }
    err = view_get_rev(h->view, h->prev, &record);
    if (err != 0) {
        return err == KVS_E_NOT_FOUND ? KVS_E_DAMAGED : err;
    }
    record_to_kv(&record, ret_kv);
    return 0;
}
