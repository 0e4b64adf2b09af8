/* Compaction: the revision below which history is unreadable moves at once, when the entry is
 * applied; the space is given back afterwards, in short steps of one LMDB transaction each.
 *
 * History from the last finished compaction to the target is dealt with in windows. Each says what
 * it replaced, so the work is proportional to what has changed since. A window is
 *
 *   gather --> old --> idx --> hist --> the next one, or finished
 *
 * (compact.h), with as many steps as the bounds of time and records want; steps and store jobs take
 * turns. Only the end of a window is recorded: after a crash it is done again from its beginning.
 * That is why hist comes last: its records lead to the keys, so those have to be there until idx is
 * done, and they need no other memory then: what idx does not name goes. It is also why versions
 * from before the window go first: nothing leads to them once their successors are gone. */
#include "base/assert.h"
#include "base/view.h"
#include "mvcc/mvcc_int.h"

int mvcc_compact(struct mvcc *m, kvs_revision rev, uint64_t index, uint64_t term)
{
    mvcc_set_applied(m, index, term);
    if (m->failure != 0) {
        return m->failure;
    }
    if (rev <= m->state.compact) {
        return KVS_E_COMPACTED;
    }
    if (rev > m->state.revision) {
        return KVS_E_FUTURE_REV;
    }
    m->state.compact = rev;
    m->flush = true; /* the steps begin when this is stored */
    return 0;
}

/* Goes on until the budget is spent or the window is done: `ret_ended`. */
static int compact_window_run(struct compact_window *w,
                              struct store_job *j,
                              struct backend_txn *txn,
                              bool *ret_ended)
{
    struct compact_budget budget;
    int err = 0;

    compact_budget_init(&budget, j->clock, j->compact_step, j->compact_step_ms);
    if (w->phase == COMPACT_GATHER) {
        err = compact_window_gather(w, txn, j->compact_window_bytes, &budget);
    }
    if (err == 0 && w->phase == COMPACT_OLD) {
        err = compact_delete_olds(w, txn, &budget);
    }
    if (err == 0 && w->phase == COMPACT_IDX) {
        err = compact_delete_idx(w, txn, &budget);
    }
    if (err == 0 && w->phase == COMPACT_HIST) {
        err = compact_delete_hist(w, txn, &budget);
    }
    *ret_ended = w->phase == COMPACT_HIST && rev_equal(w->hist_at, w->end);
    return err;
}

static int
compact_record(struct backend_txn *txn, const struct compact_window *w, struct compacted_record *p)
{
    uint8_t value[COMPACTED_BYTES];

    p->at = w->end;
    if (p->at.main > p->target) {
        p->finished = p->target;
    }
    compacted_encode(p, value);
    return backend_put(txn, BACKEND_META, meta_key_compacted, view_make(value, sizeof value));
}

static int compact_run(struct store_job *j, struct compacted_record *p, bool *ret_ended)
{
    struct backend_txn *txn;
    int err = backend_write_begin(j->backend, &txn);

    if (err != 0) {
        return err;
    }
    err = compact_window_run(j->window, j, txn, ret_ended);
    if (err == 0 && *ret_ended) {
        err = compact_record(txn, j->window, p);
    }
    if (err != 0) {
        backend_end(txn);
        return err;
    }
    return backend_commit(txn);
}

int compact_job_step(struct store_job *j)
{
    struct compacted_record p = j->compacted;
    bool ended = false;
    int err;

    if (p.target == p.finished) {
        /* From the last target itself: what is at it was kept until now. */
        p.at = (struct rev){p.finished, 0};
        p.target = j->window->open ? j->window->target : j->compact_target;
    }
    kvs_assert(p.target > p.finished);
    if (!j->window->open) {
        compact_window_open(j->window, p.at, p.target);
    }
    kvs_assert(rev_equal(j->window->begin, p.at) && j->window->target == p.target);
    err = compact_run(j, &p, &ended);
    if (err == 0 && ended) {
        compact_window_close(j->window);
        j->compacted = p;
    }
    return err;
}
