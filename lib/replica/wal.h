/* The write-ahead log: entries and hard state of one replica, on disk before anybody is told.
 *
 *   <dir>/lock                    held while the log is open
 *   <dir>/0000000000000007.wal    segments, numbered without gaps; the last one is written to
 *   <dir>/spare                   the next segment, being prepared
 *
 * The bytes are in docs/format.md, "Write-ahead log". Invariants:
 *   1. Nothing is durable before wal_sync() has returned 0; everything appended before it is.
 *   2. A failed write or sync is final: each later call returns the same error, nothing is tried
 *      again.
 *   3. Recovery returns a prefix of what was appended which includes all that was synced, or it
 *      refuses. Only bytes that nobody was told about are cut.
 *   4. An entry at or below the last index replaces it and forgets all after it.
 *   5. No segment is removed that holds an entry above what wal_trim() was given.
 *
 * Pure over the disk's vtable and single-threaded: the log thread owns it in production, the
 * simulator runs it inline. */
#ifndef REPLICA_WAL_H
#define REPLICA_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "kvstore/types.h"
#include "replica/disk.h"

struct log;
struct wal;

enum {
    WAL_ENTRY_BYTES_MAX = 64 * 1024 * 1024, /* data of one entry */
    WAL_SEGMENT_BYTES_MIN = 64 * 1024,
};

struct wal_entry {
    uint64_t index;
    uint64_t term;
    uint8_t type; /* the caller's */
    struct kvs_view data;
};

struct wal_hard_state {
    uint64_t term;
    uint64_t vote;
    uint64_t commit; /* a hint; may lag */
};

enum wal_prealloc {
    WAL_PREALLOC_DEFAULT = 0, /* what measured best: ZERO */
    WAL_PREALLOC_ZERO = 1,    /* write zeros: later writes change no metadata */
    WAL_PREALLOC_RESERVE = 2, /* reserve blocks only */
};

/* One entry of the recovered log, in index order, each index once. Borrows `entry` and its data
 * for the call. Anything but 0 ends wal_open, which returns it. */
typedef int (*wal_entry_fn)(void *ctx, const struct wal_entry *entry);

struct wal_options {
    const char *dir;         /* borrowed for wal_open; its parent exists */
    const struct disk *disk; /* borrowed until wal_close */
    struct log *log;         /* may be NULL; told of a torn tail */

    /* A log with other ids is refused. 0: take whatever the log says (new: write 0). */
    uint64_t cluster_id;
    uint64_t member_id;

    /* Segments start small and double, so that a small node uses little, up to a size that soon
     * comes round again: old segments are used again, new ones have to be zeroed. 0: 1 MiB,
     * 16 MiB. */
    uint64_t segment_bytes_first;
    uint64_t segment_bytes_max;
    enum wal_prealloc prealloc;

    uint64_t from_index;   /* deliver entries from here on; 0: all */
    wal_entry_fn on_entry; /* NULL: none are wanted */
    void *ctx;
};

/* What was found. An empty log has last == base. The entries are (base_index, last_index]. */
struct wal_recovered {
    bool created; /* there was no log */
    uint64_t cluster_id;
    uint64_t member_id;
    struct wal_hard_state hard;
    uint64_t base_index; /* of the entry before the first: 0, trimmed, or wal_reset() */
    uint64_t base_term;
    uint64_t last_index;
    uint64_t last_term;
    bool torn; /* an unfinished write was cut, at: */
    uint64_t torn_segment;
    uint64_t torn_offset;
};

/* Opens or creates the log and recovers it. Everything delivered is durable. The caller compares
 * with its state machine: a base above it is a gap (damage), a last index below it or another term
 * at it (wal_term_at) asks for wal_reset().
 * `ret_error` (may be NULL) gets a text that names file and offset.
 * KVS_E_LOCKED; KVS_E_DAMAGED: anything but a torn tail; KVS_E_VERSION; KVS_E_INVALID: options;
 * KVS_E_IO, KVS_E_FULL, KVS_E_PERMISSION, KVS_E_NOT_FOUND (parent), KVS_E_NOMEM; what on_entry
 * returned. */
KVS_MUST_USE int wal_open(const struct wal_options *options,
                          struct wal_recovered *ret_recovered,
                          struct wal **ret_wal,
                          struct kvs_error *ret_error);

/* Marks the log as complete (if it has not failed), syncs, unlocks and frees. The returned error is
 * for the report only. NULL is allowed. */
int wal_close(struct wal *w);

/* Frees without writing anything, as a crash would leave it. For tests and the simulator. */
void wal_abandon(struct wal *w);

/* Appends a batch: first `hard` (NULL: unchanged), then consecutive entries, the first at most one
 * after the last index (invariant 4) and above the base. Copies; small batches are gathered until
 * wal_sync. KVS_E_TOO_LONG (nothing was appended) above WAL_ENTRY_BYTES_MAX; final: KVS_E_IO,
 * KVS_E_FULL, KVS_E_NOMEM. */
KVS_MUST_USE int wal_append(struct wal *w,
                            const struct wal_hard_state *hard,
                            const struct wal_entry *entries,
                            size_t n_entries);

/* Forgets all entries: the log goes on after (index, term), the snapshot that was installed and
 * made durable before. Durable with the next wal_sync. Final: KVS_E_IO, KVS_E_FULL, KVS_E_NOMEM. */
KVS_MUST_USE int wal_reset(struct wal *w, uint64_t index, uint64_t term);

/* Writes what was gathered and syncs. Final: KVS_E_IO, KVS_E_FULL. */
KVS_MUST_USE int wal_sync(struct wal *w);

/* The two halves of wal_sync, for whoever measures them apart. */
KVS_MUST_USE int wal_write(struct wal *w);
KVS_MUST_USE int wal_flush(struct wal *w);

/* Removes segments that hold nothing above `index`, which the state machine has durably. The last
 * one stays. Final: KVS_E_IO. */
KVS_MUST_USE int wal_trim(struct wal *w, uint64_t index);

/* Does a bounded piece (about 1 MiB of writing) of the work ahead: the next segment. Call after
 * each sync, and while `*ret_more` is true when idle. A full disk is no error here; it is when the
 * next segment is needed. Final: KVS_E_IO. */
KVS_MUST_USE int wal_prepare(struct wal *w, bool *ret_more);

/* Writes (without a sync) that everything so far was synced, so that later damage in the last batch
 * is told from an unfinished write. When idle, after wal_sync. Final: KVS_E_IO. */
KVS_MUST_USE int wal_mark(struct wal *w);

/* --- queries -------------------------------------------------------------------------------- */

struct wal_stats {
    uint64_t bytes_written; /* records and segment headers, not preparation */
    uint64_t bytes_zeroed;
    uint64_t writes;
    uint64_t syncs;
    uint64_t rotations;
    uint64_t segments;   /* now */
    uint64_t disk_bytes; /* of the segments, now, and the spare */
};

/* First error, or 0. */
int wal_failed(const struct wal *w);
uint64_t wal_base_index(const struct wal *w);
uint64_t wal_last_index(const struct wal *w);
void wal_hard_state(const struct wal *w, struct wal_hard_state *ret_hard);

/* Term of an entry in the log, or of the base; false outside, and for a base whose term is
 * unknown. */
bool wal_term_at(const struct wal *w, uint64_t index, uint64_t *ret_term);
void wal_stats(const struct wal *w, struct wal_stats *ret_stats);

/* Stops the process if an invariant is broken. Tests call it after every operation. */
void wal_check(const struct wal *w);

#endif
