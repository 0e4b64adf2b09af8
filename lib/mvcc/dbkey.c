#include "mvcc/dbkey.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/view.h"
#include "mvcc/record.h"

#define DBKEY_HASH_AT   DBKEY_SHORT_MAX
#define DBKEY_NUMBER_AT (DBKEY_SHORT_MAX + 8)

/* True (in *ret_same) if the records under an idx entry whose newest is `newest` are `key`'s. */
static int
dbkey_same(struct backend_txn *txn, struct kvs_view newest, struct kvs_view key, bool *ret_same)
{
    uint8_t rev_bytes[RECORD_REV_BYTES];
    struct kvs_view value;
    struct record record;
    struct rev rev;
    bool tombstone;
    int err;

    if ((err = record_idx_decode(newest, &rev, &tombstone)) != 0) {
        return err;
    }
    record_rev_encode(rev, rev_bytes);
    err = backend_get(txn, BACKEND_HIST, view_make(rev_bytes, sizeof rev_bytes), &value);
    if (err != 0) {
        return err == KVS_E_NOT_FOUND ? KVS_E_DAMAGED : err;
    }
    if ((err = record_hist_decode(rev, value, false, &record)) != 0) {
        return err;
    }
    *ret_same = view_equal(record.key, key);
    return 0;
}

/* Walks the numbers taken under the prefix and hash in `d`. 0: `d` is the key's; KVS_E_NOT_FOUND:
 * `d` holds the lowest free number. */
static int
dbkey_probe(struct backend_cursor *c, struct backend_txn *txn, struct kvs_view key, struct dbkey *d)
{
    struct kvs_view stem = view_make(d->bytes, DBKEY_NUMBER_AT);
    struct kvs_view at;
    struct kvs_view value;
    uint32_t free_number = 0;
    int err = backend_seek(c, d->view, &at, &value);

    while (err == 0 && at.len == DBKEY_LONG_LEN &&
           memcmp(at.data, stem.data, DBKEY_NUMBER_AT) == 0) {
        uint32_t number = load_be32((const uint8_t *)at.data + DBKEY_NUMBER_AT);
        bool same;

        if ((err = dbkey_same(txn, value, key, &same)) != 0) {
            return err;
        }
        if (same) {
            store_be32(d->bytes + DBKEY_NUMBER_AT, number);
            return 0;
        }
        if (number == free_number) {
            free_number++;
        }
        err = backend_next(c, &at, &value);
    }
    if (err != 0 && err != KVS_E_NOT_FOUND) {
        return err;
    }
    store_be32(d->bytes + DBKEY_NUMBER_AT, free_number);
    return KVS_E_NOT_FOUND;
}

static int dbkey_find_long(struct backend_txn *txn, struct kvs_view key, struct dbkey *ret)
{
    struct backend_cursor *c;
    int err;

    memcpy(ret->bytes, key.data, DBKEY_SHORT_MAX);
    store_be64(ret->bytes + DBKEY_HASH_AT, checksum64(key.data, key.len, 0));
    store_be32(ret->bytes + DBKEY_NUMBER_AT, 0);
    ret->view = view_make(ret->bytes, sizeof ret->bytes);
    err = backend_cursor_open(txn, BACKEND_IDX, &c);
    if (err != 0) {
        return err;
    }
    err = dbkey_probe(c, txn, key, ret);
    backend_cursor_close(c);
    return err;
}

int dbkey_find(struct backend_txn *txn, struct kvs_view key, struct dbkey *ret)
{
    kvs_assert(key.len > 0);
    if (key.len <= DBKEY_SHORT_MAX) {
        ret->view = key;
        return 0;
    }
    return dbkey_find_long(txn, key, ret);
}

int dbkey_assign(struct backend_txn *txn, struct kvs_view key, struct dbkey *ret)
{
    int err = dbkey_find(txn, key, ret);

    return err == KVS_E_NOT_FOUND ? 0 : err;
}
