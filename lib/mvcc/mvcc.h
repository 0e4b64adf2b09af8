/* The multi-version store: keys, their history, ranges at any kept revision, transactions,
 * compaction. One state machine per node; every member that applies the same entries holds the
 * same state.
 *
 *     put, delete, txn (apply)            range, get, history, hash
 *            |                                     |
 *            v                                     v
 *     +-------------+   freeze   +--------+   +-----------------------------+
 *     |   active    | ---------> | frozen |   | struct mvcc_read: one view  |
 *     | generation  |            | gener. |   | of active, frozen, snapshot |
 *     +-------------+            +--------+   +-----------------------------+
 *                                    | one LMDB transaction, backend thread
 *                                    v
 *                        cur, hist, idx, lease_keys, meta
 *
 * Applied writes live in the active generation (memory). When it is old or large it is frozen and
 * written by the backend device in one transaction together with the applied index; then it is
 * dropped and reads continue on the new LMDB snapshot. A crash loses the generations; the log
 * replays what came after the applied index that is stored.
 *
 * Threads: everything is the loop thread's unless said otherwise. Nothing here blocks, tells the
 * time or makes a thread. */
#ifndef MVCC_MVCC_H
#define MVCC_MVCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"
#include "backend/device.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/clock.h"
#include "base/rcbuf.h"
#include "kvstore/types.h"

struct mvcc;

struct mvcc_options {
    const char *dir;               /* of the LMDB files; copied */
    size_t map_bytes;              /* bound of the file's size; 0: backend's default */
    struct backend_device *device; /* borrowed; outlives the store */
    size_t freeze_bytes;           /* a generation of this size is written out */
    uint32_t freeze_ms;            /* ... or of this age */
    uint32_t freeze_quiet_ms;      /* ... or, from 1/16 of that size on, without a change so long */
    uint32_t release_quiet_ms;     /* without a change so long: memory of large batches is freed */
    size_t overlay_max_bytes;      /* more unwritten bytes than this: mvcc_is_busy */
    /* One step of a compaction is a transaction: at most so many records looked at or deleted ...
     * ... and so much time, if there is a clock, before it commits. */
    uint32_t compact_step;
    uint32_t compact_step_ms;
    size_t compact_window_bytes; /* memory for keys that a compaction gathers, about */
    const struct clock *clock;   /* for the backend's thread, too; NULL: none, as in a simulation */
    uint32_t count_keep_min;     /* counts of ranges with more keys are remembered */
    uint64_t hash_seed;          /* of the in-memory hash tables: random in production */
    /* After each completion of the device: the stored index, the compaction or the failure may
     * have moved. May be NULL. */
    void (*progress)(void *ctx);
    void *progress_ctx;
};

/* Defaults: 16 MiB, 5000 ms, 500 ms, 1500 ms, 64 MiB, 10000 records, 15 ms, 4 MiB, no clock, 100
 * keys. */
void mvcc_options_init(struct mvcc_options *options);

/* Opens or creates the store in `options->dir`. O(1) in the number of keys.
 * KVS_E_VERSION (written by an unknown version), KVS_E_DAMAGED, KVS_E_IO, KVS_E_NOMEM. */
KVS_MUST_USE int
mvcc_open(const struct mvcc_options *options, struct mvcc **ret_store, struct kvs_error *ret_error);

/* Frees the store; what is not stored is lost (mvcc_flush first). The device holds no job of the
 * store any more (mvcc_is_storing is false) and every read has ended. NULL is allowed. */
void mvcc_close(struct mvcc *m);

/* ---- State -------------------------------------------------------------------------------- */

/* Revision of the last change; 1 in an empty store. */
kvs_revision mvcc_revision(const struct mvcc *m);

/* Reads below this revision are refused; 0 before the first compaction. */
kvs_revision mvcc_compact_revision(const struct mvcc *m);

/* Revision up to which the space of compacted history has been given back. */
kvs_revision mvcc_physical_revision(const struct mvcc *m);

/* Entry applied last, in memory and in LMDB. The log must keep what is after the latter. */
uint64_t mvcc_applied_index(const struct mvcc *m);
uint64_t mvcc_applied_term(const struct mvcc *m);
uint64_t mvcc_stored_index(const struct mvcc *m);
uint64_t mvcc_stored_term(const struct mvcc *m);

/* 0, or why the store has to stop: sticky. Any call that applies returns it, too. */
int mvcc_failure(const struct mvcc *m);

/* Bytes of the LMDB file as of the last store, and of the generations in memory. */
void mvcc_get_size(const struct mvcc *m, struct backend_size *ret_file, size_t *ret_overlay_bytes);

/* ---- Storing ------------------------------------------------------------------------------ */

/* Freezes the active generation if it is due at `now_ms` (or large) and the device is free; starts
 * the next step of a compaction; frees what large batches have left behind. Call after applying,
 * and at mvcc_deadline_ms. */
void mvcc_tick(struct mvcc *m, uint64_t now_ms);

/* When mvcc_tick has something to do if nothing else happens; UINT64_MAX: never. */
uint64_t mvcc_deadline_ms(const struct mvcc *m);

/* Stores everything applied so far as soon as the device allows, whatever its age and size. */
void mvcc_flush(struct mvcc *m);

/* True if all that is applied is in LMDB (mvcc_stored_index says up to where otherwise). */
bool mvcc_is_clean(const struct mvcc *m);

/* True while the device holds a job of this store. */
bool mvcc_is_storing(const struct mvcc *m);

/* How often the memory of large batches was given back. */
uint64_t mvcc_n_releases(const struct mvcc *m);

/* True if more is unwritten than overlay_max_bytes: new proposals should wait. Applying goes on. */
bool mvcc_is_busy(const struct mvcc *m);

/* ---- Reads -------------------------------------------------------------------------------- */

/* A consistent view: it pins an LMDB snapshot and the generations. Cheap to open; keep it for
 * less than seconds, since it keeps LMDB from reusing pages. All views (key, value) that come out
 * of it live until mvcc_read_end. It sees the revisions that existed when it was opened. */
struct mvcc_read {
    /* private */
    struct mvcc *store;
    struct mvcc_view *view;
    kvs_revision revision;
    kvs_revision compact_revision;
};

/* Never fails. */
void mvcc_read_begin(struct mvcc *m, struct mvcc_read *ret_read);
void mvcc_read_end(struct mvcc_read *r);

/* The key as of revision `rev` (0 or less: the view's). `ret_kv->key` may be `key` itself, not a
 * view of the store. KVS_E_NOT_FOUND, KVS_E_COMPACTED,
 * KVS_E_FUTURE_REV, KVS_E_DAMAGED (fatal), KVS_E_NOMEM. */
KVS_MUST_USE int
mvcc_get(struct mvcc_read *r, struct kvs_view key, kvs_revision rev, struct kvs_kv *ret_kv);

/* etcd's Range: `ret_resp` except the header's ids and term; header.revision is the view's.
 * `ret_resp->kvs` is in `arena`; keys and values borrow from the view.
 * Errors as mvcc_get but KVS_E_NOT_FOUND. The request has passed mvcc_range_check. */
KVS_MUST_USE int mvcc_range(struct mvcc_read *r,
                            const struct kvs_range_req *req,
                            struct arena *arena,
                            struct kvs_range_resp *ret_resp);

/* Number of keys in the range as of `rev` (0 or less: the view's). Errors as mvcc_range. */
KVS_MUST_USE int mvcc_count(struct mvcc_read *r,
                            struct kvs_view key,
                            struct kvs_view range_end,
                            kvs_revision rev,
                            int64_t *ret_count);

/* Streaming: the keys of a range as of `rev`, in key order. A second pass over the same view
 * yields the same, whatever is applied in between. Copies `key` and `range_end`.
 * Errors as mvcc_range. The iterator is closed before its read ends. */
struct mvcc_iter;

KVS_MUST_USE int mvcc_iter_open(struct mvcc_read *r,
                                struct kvs_view key,
                                struct kvs_view range_end,
                                kvs_revision rev,
                                struct mvcc_iter **ret_iter);
/* KVS_E_NOT_FOUND at the end. */
KVS_MUST_USE int mvcc_iter_next(struct mvcc_iter *it, struct kvs_kv *ret_kv);
void mvcc_iter_close(struct mvcc_iter *it); /* NULL is allowed */

/* Keys attached to `lease` as of the view, sorted. The array and its keys are in `arena`.
 * KVS_E_NOMEM, KVS_E_DAMAGED. */
KVS_MUST_USE int mvcc_lease_keys(struct mvcc_read *r,
                                 kvs_lease_id lease,
                                 struct arena *arena,
                                 struct kvs_view **ret_keys,
                                 size_t *ret_n);

/* ---- History: for watchers that start in the past or fell behind ---------------------------- */

struct mvcc_history;

/* Events with from_rev <= main revision <= to_rev (0 or less: the view's), in order of revision
 * and, within one, of execution. from_rev may be the compacted revision itself.
 * KVS_E_COMPACTED if from_rev is below it, KVS_E_NOMEM. Closed before its read ends. */
KVS_MUST_USE int mvcc_history_open(struct mvcc_read *r,
                                   kvs_revision from_rev,
                                   kvs_revision to_rev,
                                   struct mvcc_history **ret_history);

/* `ret_event` without prev_kv; has_prev says that mvcc_history_prev can find it. Views live as
 * long as the read. KVS_E_NOT_FOUND at the end, KVS_E_DAMAGED. */
KVS_MUST_USE int mvcc_history_next(struct mvcc_history *h, struct kvs_event *ret_event);

/* The previous state of the key of the event that mvcc_history_next returned last: one lookup.
 * KVS_E_NOT_FOUND if there was none or it is compacted. */
KVS_MUST_USE int mvcc_history_prev(struct mvcc_history *h, struct kvs_kv *ret_kv);
void mvcc_history_close(struct mvcc_history *h); /* NULL is allowed */

/* ---- Applying: called by lib/apply, in index order, deterministic ---------------------------- */

/* Stateless validation, before a request is proposed: the error is the reply. Any thread. */
KVS_MUST_USE int mvcc_range_check(const struct kvs_range_req *req);
KVS_MUST_USE int mvcc_put_check(const struct kvs_put_req *req);
KVS_MUST_USE int mvcc_delete_check(const struct kvs_delete_req *req);

/* As above for a whole transaction; `max_ops` is the budget of etcd's --max-txn-ops. Needs memory
 * for the search of duplicate keys (KVS_E_NOMEM). */
KVS_MUST_USE int mvcc_txn_check(const struct kvs_txn_req *req, uint32_t max_ops);

/* True if no branch of the transaction can write: then it need not be proposed. Any thread. */
bool mvcc_txn_is_readonly(const struct kvs_txn_req *req);

/* True if, read-only, all its ranges are serializable. Any thread. */
bool mvcc_txn_is_serializable(const struct kvs_txn_req *req);

/* Begins the change of entry `index`; nothing but the calls of this section may follow before
 * mvcc_txn_end. */
void mvcc_txn_begin(struct mvcc *m, uint64_t index, uint64_t term);

/* Values that lie in `owner` (may be NULL) are referenced there and not copied, until they are
 * stored; its bytes do not change. For the open transaction. Borrows `owner` until its end. */
void mvcc_txn_lend(struct mvcc *m, struct rcbuf *owner);

/* Operations of the open transaction. Each sees the earlier ones. `arena` (without a limit, since
 * running out of memory is fatal here) gets copies of all that `ret_resp` shows; `ret_resp` NULL:
 * nobody waits for the answer, none is made. The lease of a put exists (the caller has checked).
 * KVS_E_KEY_NOT_FOUND (put with ignore_*), KVS_E_COMPACTED, KVS_E_FUTURE_REV: part of the answer,
 * nothing changed. Fatal: KVS_E_NOMEM, KVS_E_DAMAGED, KVS_E_IO: the process must stop. */
KVS_MUST_USE int mvcc_txn_put(struct mvcc *m,
                              const struct kvs_put_req *req,
                              struct arena *arena,
                              struct kvs_put_resp *ret_resp);
KVS_MUST_USE int mvcc_txn_delete(struct mvcc *m,
                                 const struct kvs_delete_req *req,
                                 struct arena *arena,
                                 struct kvs_delete_resp *ret_resp);
KVS_MUST_USE int mvcc_txn_range(struct mvcc *m,
                                const struct kvs_range_req *req,
                                struct arena *arena,
                                struct kvs_range_resp *ret_resp);

/* Says whether a lease exists, for the puts inside a transaction. */
struct mvcc_leases {
    bool (*exists)(void *ctx, kvs_lease_id id);
    void *ctx;
};

/* etcd's Txn: all compares first, on the state at the start; then the checks of the chosen path;
 * only then the operations. `leases` NULL: none exists. Further as the operations above. */
KVS_MUST_USE int mvcc_txn_execute(struct mvcc *m,
                                  const struct kvs_txn_req *req,
                                  const struct mvcc_leases *leases,
                                  struct arena *arena,
                                  struct kvs_txn_resp *ret_resp);

/* A read-only transaction on a view. Responses borrow from it; arrays are in `arena`. */
KVS_MUST_USE int mvcc_read_txn(struct mvcc_read *r,
                               const struct kvs_txn_req *req,
                               struct arena *arena,
                               struct kvs_txn_resp *ret_resp);

/* What a transaction changed. Events are complete (prev_kv included) and in order of execution;
 * all views live until the next mvcc call that applies, ticks or completes a job. */
struct mvcc_commit {
    kvs_revision revision; /* of the store now; that of the events if there are any */
    const struct kvs_event *events;
    size_t n_events;
};

/* The revision grows by one if anything changed. The entry counts as applied. */
void mvcc_txn_end(struct mvcc *m, struct mvcc_commit *ret_commit);

/* The entry `index` changed no key; it counts as applied. */
void mvcc_set_applied(struct mvcc *m, uint64_t index, uint64_t term);

/* Records of other modules, stored together with the entry during whose application they are
 * written; inside or outside of a transaction. Copies. Only tables from BACKEND_LEASES on; `key`
 * has 1..BACKEND_KEY_MAX bytes. KVS_E_NOMEM: fatal. */
KVS_MUST_USE int
mvcc_meta_put(struct mvcc *m, enum backend_table table, struct kvs_view key, struct kvs_view value);
KVS_MUST_USE int mvcc_meta_delete(struct mvcc *m, enum backend_table table, struct kvs_view key);

/* Calls `fn` for each record of the table in key order, at start-up and after mvcc_install: before
 * anything is applied. Stops at the first error of `fn` and returns it. KVS_E_IO. */
typedef int (*mvcc_meta_fn)(void *ctx, struct kvs_view key, struct kvs_view value);
KVS_MUST_USE int
mvcc_meta_scan(struct mvcc *m, enum backend_table table, mvcc_meta_fn fn, void *ctx);

/* Compacts to `rev`, for entry `index`; history below is unreadable at once, its space is given
 * back step by step afterwards (mvcc_physical_revision). KVS_E_COMPACTED, KVS_E_FUTURE_REV: part
 * of the answer, the same on every member. The entry counts as applied in any case. */
KVS_MUST_USE int mvcc_compact(struct mvcc *m, kvs_revision rev, uint64_t index, uint64_t term);

/* ---- Hash ------------------------------------------------------------------------------------ */

/* Sum of the state as of `revision` that is kept after compaction to `compact_revision`; equal on
 * all members for equal pairs, whatever their files look like (docs/format.md). */
struct mvcc_hash_result {
    uint64_t hash;
    kvs_revision revision;         /* hashed */
    kvs_revision current_revision; /* of the store when it began */
    kvs_revision compact_revision;
};

struct mvcc_hash;

/* Prepares the hash as of `rev` (0 or less: now). Sums up what is in memory and opens a snapshot
 * of its own for the rest. KVS_E_COMPACTED, KVS_E_FUTURE_REV, KVS_E_NOMEM. */
KVS_MUST_USE int mvcc_hash_begin(struct mvcc *m, kvs_revision rev, struct mvcc_hash **ret_hash);

/* Sums up to `records` more records of the file. KVS_E_AGAIN: call again; 0: complete; or fatal.
 * Any one thread at a time, e.g. a worker. */
KVS_MUST_USE int mvcc_hash_run(struct mvcc_hash *h, size_t records);

/* Frees; `ret_result` may be NULL. The thread that ran last. NULL is allowed. */
void mvcc_hash_end(struct mvcc_hash *h, struct mvcc_hash_result *ret_result);

/* ---- Snapshots ------------------------------------------------------------------------------- */

struct mvcc_snapshot {
    int fd; /* of a file without a name; the receiver closes it */
    uint64_t size_bytes;
    uint64_t index;
    uint64_t term;
    kvs_revision revision;
    kvs_revision compact_revision;
    uint64_t n_records; /* of all tables */
};

/* The environment behind the store, with a reference for a worker; backend_unref it. */
struct backend *mvcc_backend_ref(struct mvcc *m);

/* A consistent copy of what is stored, for another member or a backup. Blocks; any thread.
 * KVS_E_IO, KVS_E_FULL, KVS_E_NOMEM. */
KVS_MUST_USE int
mvcc_snapshot_take(struct backend *b, const char *dir, struct mvcc_snapshot *ret_snapshot);

/* Looks into a copy at `path`: `ret_snapshot` without the descriptor. Blocks; any thread.
 * KVS_E_VERSION, KVS_E_DAMAGED. */
KVS_MUST_USE int mvcc_snapshot_inspect(const char *path, struct mvcc_snapshot *ret_snapshot);

/* Replaces the whole state by the copy at `path`, which moves into the store's directory (same
 * file system); generations in memory are forgotten, open reads keep what they see. Atomic: after
 * a crash it is the old state or the new. KVS_E_BUSY while mvcc_is_storing: nothing happened, try
 * after the next progress. KVS_E_VERSION, KVS_E_DAMAGED: refused, the old state is in place.
 * KVS_E_IO: fatal. */
KVS_MUST_USE int mvcc_install(struct mvcc *m, const char *path);

/* Checks the invariants of the structures in memory; aborts on a violation. For tests. */
void mvcc_check(const struct mvcc *m);

#endif
