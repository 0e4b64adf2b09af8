/* Inside lib/mvcc only: the window of history that a compaction is working on, and what one step
 * may do to it (compact.c). */
#ifndef MVCC_COMPACT_H
#define MVCC_COMPACT_H

#include "backend/backend.h"
#include "base/arena.h"
#include "base/clock.h"
#include "mvcc/record.h"

enum compact_phase {
    COMPACT_GATHER, /* reads the window's records: notes whose keys have versions to lose */
    COMPACT_OLD,    /* hist: the versions from before the window that it replaced */
    COMPACT_IDX,    /* idx: what those keys lose up to the target, in order of the keys */
    COMPACT_HIST,   /* hist: the window's records that idx does not name any more, in order */
};

/* Zero: none. Belongs to the backend's thread while a job is in flight, else to the loop's. */
struct compact_window {
    bool open;
    enum compact_phase phase;
    kvs_revision target;
    struct rev begin;
    struct rev end;     /* first record that is not part of it; while gathering: the next one */
    size_t bytes;       /* gathered */
    struct arena arena; /* of the keys */
    struct kvs_view *keys;
    size_t n_keys;
    size_t keys_capacity;
    size_t keys_at; /* next one of COMPACT_IDX */
    struct rev *olds;
    size_t n_olds;
    size_t olds_capacity;
    size_t olds_at;     /* next one of COMPACT_OLD */
    struct rev hist_at; /* next record of COMPACT_HIST */
};

/* What is left of one step: records to look at or delete, and time. */
struct compact_budget {
    uint32_t records; /* in all */
    uint32_t taken;
    uint64_t until_ns;
    const struct clock *clock; /* NULL: no bound in time */
};

/* Records between two looks at the clock: what a step does at least, if it may do that many. */
#define COMPACT_CLOCK_EVERY 32

void compact_budget_init(struct compact_budget *b,
                         const struct clock *clock,
                         uint32_t records,
                         uint32_t ms);

/* Takes one record from it; false if nothing was left. */
bool compact_budget_take(struct compact_budget *b);

/* ---- compact_window.c ---- */

void compact_window_open(struct compact_window *w, struct rev begin, kvs_revision target);
void compact_window_close(struct compact_window *w);

/* Goes on gathering: until the budget is spent, or the window has `max_bytes` or has reached the
 * target (then it is sorted, and the phase is COMPACT_OLD). */
KVS_MUST_USE int compact_window_gather(struct compact_window *w,
                                       struct backend_txn *txn,
                                       size_t max_bytes,
                                       struct compact_budget *budget);

/* ---- compact_delete.c: each goes on with its phase, and to the next one at its end ---- */

KVS_MUST_USE int compact_delete_olds(struct compact_window *w,
                                     struct backend_txn *txn,
                                     struct compact_budget *budget);
KVS_MUST_USE int compact_delete_idx(struct compact_window *w,
                                    struct backend_txn *txn,
                                    struct compact_budget *budget);

/* At its end w->hist_at is w->end. */
KVS_MUST_USE int compact_delete_hist(struct compact_window *w,
                                     struct backend_txn *txn,
                                     struct compact_budget *budget);

#endif
