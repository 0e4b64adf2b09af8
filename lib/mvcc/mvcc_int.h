/* Inside lib/mvcc only: the store, its views, and what its files offer each other. */
#ifndef MVCC_MVCC_INT_H
#define MVCC_MVCC_INT_H

#include "base/buf.h"
#include "mvcc/compact.h"
#include "mvcc/count_cache.h"
#include "mvcc/gen.h"
#include "mvcc/mvcc.h"

/* An LMDB snapshot and what it holds. References: views. Loop thread. */
struct snap {
    unsigned refs;
    struct backend *backend; /* one reference */
    struct backend_txn *txn;
    struct state_record state;
};

/* A constant set of sources, newest first: generations, then the snapshot. References: the store
 * (its current one) and reads. Loop thread. */
struct mvcc_view {
    unsigned refs;
    struct snap *snap;
    struct gen *gens[2];
    unsigned n_gens;
    uint64_t hash_seed;
};

enum job_kind {
    JOB_NONE,
    JOB_STORE,   /* writes m->view's frozen generation */
    JOB_COMPACT, /* one step of deleting compacted history */
};

/* The one job of the store that can be in flight. Everything that completing it needs is
 * allocated before it is submitted, so that the completion cannot fail for lack of memory. */
struct store_job {
    struct backend_job job;
    enum job_kind kind;
    struct mvcc *m;
    struct backend *backend;   /* borrowed: the store keeps it while the job is in flight */
    struct gen *gen;           /* JOB_STORE: pinned, immutable */
    size_t gen_bytes;
    const struct clock *clock; /* NULL: none */
    uint64_t took_ns;          /* out, if there is a clock */
    uint32_t compact_step;
    uint32_t compact_step_ms;
    size_t compact_window_bytes;
    struct compact_window *window;     /* JOB_COMPACT: the store's, borrowed */
    struct compacted_record compacted; /* in: before; out: after */
    kvs_revision compact_target;
    struct backend_size size; /* out */
    struct snap *snap;        /* out: opened right after the commit */
    struct mvcc_view *view;   /* the next one */
};

/* The transaction being applied. */
struct apply {
    bool open;
    uint64_t index;
    uint64_t term;
    uint32_t n_changes;
    struct rcbuf *owner; /* see mvcc_txn_lend; borrowed */
    struct arena scratch;
    struct kvs_event *events;
    size_t events_capacity;
};

struct mvcc {
    struct mvcc_options options;
    char *dir;
    struct backend *backend;
    struct mvcc_view *view; /* gens[0] is the active generation */
    int failure;

    struct state_record state;  /* as applied */
    struct state_record stored; /* as in LMDB */
    struct compacted_record compacted;
    struct backend_size size;

    struct compact_window window; /* the job's while `storing` */
    struct store_job job;
    bool storing;    /* the job is with the device */
    bool flush;      /* store as soon as possible */
    bool due;        /* the active generation is old or large enough */
    bool dirty_seen; /* dirty_since_ms is valid */
    uint64_t now_ms; /* as of the last tick */
    uint64_t dirty_since_ms;
    uint64_t changed_ms;    /* last tick that found an entry applied since the one before */
    uint64_t changed_index; /* what was applied at that tick */
    size_t batch_bytes;     /* of the generation stored last */
    size_t batch_max_bytes; /* ... of the largest since the environment was opened */
    uint64_t n_releases;
    uint64_t compact_at_ms; /* next step not before */
    unsigned n_reads;       /* open struct mvcc_read */

    struct count_cache counts;
    struct apply apply;
};

static inline struct gen *mvcc_active(const struct mvcc *m)
{
    return m->view->gens[0];
}

/* ---- view.c -------------------------------------------------------------------------------- */

/* Opens a snapshot of what is committed. Any thread. */
KVS_MUST_USE int snap_open(struct backend *b, struct snap **ret_snap);
void snap_unref(struct snap *s); /* NULL is allowed */

/* Empty, one reference. */
struct mvcc_view *view_new(uint64_t hash_seed);
struct mvcc_view *view_ref(struct mvcc_view *v);
void view_unref(struct mvcc_view *v); /* NULL is allowed */

/* A read of the store's current view that is not counted or pinned: for use within one call. */
struct mvcc_read read_internal(struct mvcc *m, kvs_revision revision);

/* `rev` as a request gives it -> the revision to read at. KVS_E_COMPACTED, KVS_E_FUTURE_REV. */
KVS_MUST_USE int
read_revision(const struct mvcc_read *r, kvs_revision rev, kvs_revision *ret_revision);

/* ---- get.c --------------------------------------------------------------------------------- */

uint64_t view_hash(const struct mvcc_view *v, struct kvs_view key);

/* The live record of `key` as of `rev`. KVS_E_NOT_FOUND if there is none or it is deleted. */
KVS_MUST_USE int view_get(const struct mvcc_view *v,
                          struct kvs_view key,
                          uint64_t hash,
                          kvs_revision rev,
                          bool verify,
                          struct record *ret_record);

/* The record of exactly `rev`, a tombstone included. KVS_E_NOT_FOUND. */
KVS_MUST_USE int view_get_rev(const struct mvcc_view *v, struct rev rev, struct record *ret_record);

/* The same in the snapshot alone. */
KVS_MUST_USE int
txn_get_rev(struct backend_txn *txn, struct rev rev, bool verify, struct record *ret_record);

/* ---- scan.c: the snapshot's keys of a range in key order --------------------------------------
 */

struct scan {
    const struct snap *snap;
    kvs_revision rev; /* the snapshot's or less */
    bool past;        /* less: through idx instead of cur alone */
    bool count_only;  /* fill in nothing but the key, if it is cheap */
    bool verify;
    bool started;
    bool ended;
    bool pending; /* raw_* is the next entry, not used yet */
    struct kvs_view begin;
    struct kvs_view end;         /* empty: to the end of the key space */
    struct backend_cursor *main; /* on cur, or on idx for the past */
    struct backend_cursor *cur;  /* for the past: follows `main` */
    bool cur_started;
    struct kvs_view cur_key;
    struct kvs_view cur_value;
    struct kvs_view raw_key;
    struct kvs_view raw_value;
    struct record *bunch; /* long keys of one prefix, sorted */
    size_t n_bunch;
    size_t bunch_at;
    size_t bunch_capacity;
};

/* Borrows begin and end. `end` empty means to the end. Nothing to close after an error. */
KVS_MUST_USE int scan_open(struct scan *s,
                           const struct snap *snap,
                           kvs_revision rev,
                           struct kvs_view begin,
                           struct kvs_view end);

/* KVS_E_NOT_FOUND at the end. */
KVS_MUST_USE int scan_next(struct scan *s, struct record *ret_record);
void scan_close(struct scan *s);

/* ---- iter.c: all sources of a view in key order ------------------------------------------------
 */

struct iter_gen {
    struct gen_key *key; /* next candidate, with a version at or below the revision */
    const struct gen_version *version;
};

struct mvcc_iter {
    const struct mvcc_view *view;
    kvs_revision rev;
    struct kvs_view end; /* empty: to the end of the key space */
    struct scan scan;
    bool scan_ended;
    bool scan_valid;
    struct record scan_record;
    struct iter_gen gens[2];
    void *owned; /* copies of begin and end */
};

/* In the caller's storage; borrows begin and end (an etcd pair that names more than one key). */
KVS_MUST_USE int iter_init(struct mvcc_iter *it,
                           const struct mvcc_view *view,
                           struct kvs_view begin,
                           struct kvs_view range_end,
                           kvs_revision rev);
KVS_MUST_USE int iter_next(struct mvcc_iter *it, struct record *ret_record);

/* Counts what is left. */
KVS_MUST_USE int iter_count(struct mvcc_iter *it, int64_t *ret_count);
void iter_fini(struct mvcc_iter *it);

/* ---- store.c, release.c, store_job.c, compact.c
 * ------------------------------------------------------------
 */

/* Makes `err` the store's failure if it is fatal for a replica; returns it. */
int mvcc_fail(struct mvcc *m, int err);

/* Submits the next job if there is one to do. */
void store_kick(struct mvcc *m);

/* Opens the environment anew if that gives back much memory and nobody has anything of it in use
 * (release.c). */
void store_release(struct mvcc *m);

/* Runs on the backend thread: one LMDB transaction. */
KVS_MUST_USE int store_job_write(struct store_job *j);
KVS_MUST_USE int compact_job_step(struct store_job *j);

/* Opens `dir` and reads the state. */
KVS_MUST_USE int store_load(struct mvcc *m, struct kvs_error *ret_error);

/* The two records of table meta that change; defaults if they are not there. */
KVS_MUST_USE int state_load(struct backend_txn *txn, struct state_record *ret_state);
KVS_MUST_USE int compacted_load(struct backend_txn *txn, struct compacted_record *ret_compacted);
KVS_MUST_USE int format_load(struct backend_txn *txn);

/* Marks an environment that is new. KVS_E_DAMAGED if it has data but no mark. */
KVS_MUST_USE int format_init(struct backend *b);

extern const struct kvs_view meta_key_format;
extern const struct kvs_view meta_key_state;
extern const struct kvs_view meta_key_compacted;

#endif
