/* Keys of the tables cur, idx and lease_keys. LMDB's keys have at most 511 bytes, the store's have
 * no bound: a long key is represented by its first 480 bytes, a hash of the whole, and a number
 * that tells keys of equal prefix and hash apart. The record holds the whole key.
 *
 * Order: among short keys that of the keys; a long key sorts right after its 480-byte prefix, and
 * long keys with one prefix are next to each other, in no useful order (scan.c sorts them).
 *
 * The number is chosen when the key first enters idx and is the key's own until compaction has
 * removed its last record from there, so idx alone says which numbers are taken. It may differ
 * between members; nothing outside of the file depends on it. */
#ifndef MVCC_DBKEY_H
#define MVCC_DBKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "base/attr.h"

#define DBKEY_SHORT_MAX 480
#define DBKEY_LONG_LEN  (DBKEY_SHORT_MAX + 8 + 4)

_Static_assert(DBKEY_LONG_LEN + 8 <= BACKEND_KEY_MAX, "lease_keys puts a lease id before it");

struct dbkey {
    struct kvs_view view; /* borrows the key if it is short, else `bytes` */
    uint8_t bytes[DBKEY_LONG_LEN];
};

static inline bool dbkey_is_long(struct kvs_view dbkey)
{
    return dbkey.len > DBKEY_SHORT_MAX;
}

/* What a dbkey shares with all keys that it may stand for. */
static inline struct kvs_view dbkey_prefix(struct kvs_view key_or_dbkey)
{
    if (key_or_dbkey.len > DBKEY_SHORT_MAX) {
        key_or_dbkey.len = DBKEY_SHORT_MAX;
    }
    return key_or_dbkey;
}

/* The dbkey under which `key` is stored; `ret` borrows `key`. A short key is always found.
 * KVS_E_NOT_FOUND, KVS_E_DAMAGED, KVS_E_NOMEM. */
KVS_MUST_USE int dbkey_find(struct backend_txn *txn, struct kvs_view key, struct dbkey *ret);

/* As dbkey_find, but chooses a free one if there is none. The caller puts it into idx before the
 * next call for another key. */
KVS_MUST_USE int dbkey_assign(struct backend_txn *txn, struct kvs_view key, struct dbkey *ret);

#endif
