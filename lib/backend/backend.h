/* The store's file: an LMDB environment with a fixed set of tables, in words that know nothing of
 * LMDB. What the bytes mean is the business of lib/mvcc (docs/format.md).
 *
 * One writer at a time, any number of readers, each on its own consistent snapshot. Every commit
 * is synced before it returns. An input/output error is sticky: whatever wrote before it may be on
 * disk or not, so the process has to stop (kvs_err_is_fatal). */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "kvstore/types.h"

struct backend;
struct backend_txn;
struct backend_cursor;

/* Longest key of a table, and longest value of a table with duplicates. */
#define BACKEND_KEY_MAX 511

/* The first five belong to lib/mvcc; the others to the modules of their names, which write them
 * through mvcc_meta_put so that they commit together with the data they go with. */
enum backend_table {
    BACKEND_META,
    BACKEND_CUR,
    BACKEND_HIST,
    BACKEND_IDX, /* sorted duplicates of equal size */
    BACKEND_LEASE_KEYS,
    BACKEND_LEASES,
    BACKEND_MEMBERS,
    BACKEND_ALARMS,
    BACKEND_AUTH,
    BACKEND_TABLE_COUNT,
};

struct backend_options {
    const char *dir;      /* made with mode 0700 if it does not exist; copied */
    size_t map_bytes;     /* address space for the file, a bound of its size; 0: 64 GiB */
    unsigned readers_max; /* snapshots open at a time; 0: 1024 */
};

struct backend_size {
    uint64_t file_bytes;   /* pages in the file, free ones included */
    uint64_t in_use_bytes; /* pages that hold data */
};

/* Opens or creates the environment in `dir`. O(1): nothing is read but the root pages.
 * The result has one reference. One open environment per directory and process.
 * KVS_E_IO, KVS_E_DAMAGED, KVS_E_NOMEM; `ret_error` (may be NULL) says which call failed. */
KVS_MUST_USE int backend_open(const struct backend_options *options,
                              struct backend **ret_backend,
                              struct kvs_error *ret_error);

/* One more reference; returns `b`. Any thread. */
struct backend *backend_ref(struct backend *b);

/* Closes with the last reference; all transactions must have ended. NULL is allowed. Any thread. */
void backend_unref(struct backend *b);

/* 0, or the fatal code of the first failure. Any thread. */
int backend_failure(const struct backend *b);

/* A snapshot of what is committed now. May be used by any one thread at a time.
 * KVS_E_TOO_LONG if readers_max are open, KVS_E_NOMEM, or a fatal code. Any thread. */
KVS_MUST_USE int backend_read_begin(struct backend *b, struct backend_txn **ret_txn);

/* The write transaction; ends with backend_commit or backend_end. Waits for another writer.
 * One thread from begin to end. KVS_E_NOMEM or a fatal code. */
KVS_MUST_USE int backend_write_begin(struct backend *b, struct backend_txn **ret_txn);

/* Writes and syncs; `txn` is gone whatever the result. KVS_E_IO, KVS_E_FULL: fatal and sticky. */
KVS_MUST_USE int backend_commit(struct backend_txn *txn);

/* Ends a snapshot, or throws a write transaction away. NULL is allowed. */
void backend_end(struct backend_txn *txn);

/* `ret_value` views the file: valid until the transaction ends, and in a write transaction until
 * the next write. KVS_E_NOT_FOUND. */
KVS_MUST_USE int backend_get(struct backend_txn *txn,
                             enum backend_table table,
                             struct kvs_view key,
                             struct kvs_view *ret_value);

/* Adds or replaces (a table with duplicates: adds). Copies. KVS_E_FULL, KVS_E_IO, KVS_E_NOMEM;
 * after an error only backend_end is left. */
KVS_MUST_USE int backend_put(struct backend_txn *txn,
                             enum backend_table table,
                             struct kvs_view key,
                             struct kvs_view value);

/* As backend_put for a key after all keys of the table: no search, full pages. */
KVS_MUST_USE int backend_append(struct backend_txn *txn,
                                enum backend_table table,
                                struct kvs_view key,
                                struct kvs_view value);

/* Removes the key with all its values. KVS_E_NOT_FOUND if there is none. */
KVS_MUST_USE int
backend_delete(struct backend_txn *txn, enum backend_table table, struct kvs_view key);

/* Removes one of the values of `key` in a table with duplicates. KVS_E_NOT_FOUND. */
KVS_MUST_USE int backend_delete_dup(struct backend_txn *txn,
                                    enum backend_table table,
                                    struct kvs_view key,
                                    struct kvs_view value);

/* Records in the table as of the transaction: O(1). */
uint64_t backend_count(struct backend_txn *txn, enum backend_table table);

/* Pages used and free as of the last commit; walks the list of free pages. Any thread. */
KVS_MUST_USE int backend_get_size(struct backend *b, struct backend_size *ret_size);

/* Drops the process's reference to the pages of the mapped file (they stay in the kernel's cache
 * and are mapped again when touched). After a batch of writes, so that a process does not grow to
 * the size of its file. Any thread; readers may be at work. */
void backend_release_map(struct backend *b);

/* Gives free blocks of the heap back to the system. They cost page faults when they are needed
 * again: not while much is written. Any thread. */
void backend_release_heap(void);

/* References held; exact as long as only the caller's thread takes new ones. */
unsigned backend_refs(const struct backend *b);

/* Cursors end before their transaction. Each call that moves returns KVS_E_NOT_FOUND past the
 * last record; views as those of backend_get. */
KVS_MUST_USE int backend_cursor_open(struct backend_txn *txn,
                                     enum backend_table table,
                                     struct backend_cursor **ret_cursor);
void backend_cursor_close(struct backend_cursor *c); /* NULL is allowed */

/* To the first record with a key >= `key` (an empty key: the first of the table). */
KVS_MUST_USE int backend_seek(struct backend_cursor *c,
                              struct kvs_view key,
                              struct kvs_view *ret_key,
                              struct kvs_view *ret_value);

/* To the next key; in a table with duplicates to its first value. */
KVS_MUST_USE int
backend_next(struct backend_cursor *c, struct kvs_view *ret_key, struct kvs_view *ret_value);

/* To the last record of the table. */
KVS_MUST_USE int
backend_last(struct backend_cursor *c, struct kvs_view *ret_key, struct kvs_view *ret_value);

/* To the first value >= `value` of exactly `key`, in a table with duplicates. */
KVS_MUST_USE int backend_seek_dup(struct backend_cursor *c,
                                  struct kvs_view key,
                                  struct kvs_view value,
                                  struct kvs_view *ret_value);

/* To the next value of the same key. */
KVS_MUST_USE int backend_next_dup(struct backend_cursor *c, struct kvs_view *ret_value);

/* A consistent, compacted copy of the environment in a new file of `dir` that has no name any
 * more; the caller closes the descriptor. Blocks for the copy; writers go on. Any thread.
 * KVS_E_IO, KVS_E_FULL (not sticky: the environment itself is unharmed). */
KVS_MUST_USE int backend_copy(struct backend *b, const char *dir, int *ret_fd, uint64_t *ret_bytes);

/* Opens a copy for reading only, without locks, e.g. to look into it before it is installed.
 * The one transaction that may be used is `ret_txn`; both go with backend_copy_close.
 * KVS_E_DAMAGED if it is no such file, KVS_E_VERSION, KVS_E_IO, KVS_E_NOMEM. Any thread. */
KVS_MUST_USE int
backend_copy_open(const char *path, struct backend **ret_backend, struct backend_txn **ret_txn);
void backend_copy_close(struct backend *b, struct backend_txn *txn);

/* Moves the file at `path` (same file system) into `dir` in place of the environment's data,
 * synced, atomically: a crash leaves the old or the new. An environment that is open there goes
 * on with the old data until it is closed; open a new one afterwards. KVS_E_IO. */
KVS_MUST_USE int backend_replace(const char *dir, const char *path);

#endif
