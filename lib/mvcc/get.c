/* Point reads: one hash probe per generation, then at most a few lookups in LMDB. */
#include "base/assert.h"
#include "base/checksum.h"
#include "base/view.h"
#include "mvcc/dbkey.h"
#include "mvcc/mvcc_int.h"

uint64_t view_hash(const struct mvcc_view *v, struct kvs_view key)
{
    return checksum64(key.data, key.len, v->hash_seed);
}

int txn_get_rev(struct backend_txn *txn, struct rev rev, bool verify, struct record *ret_record)
{
    uint8_t key[RECORD_REV_BYTES];
    struct kvs_view value = {0};
    int err;

    record_rev_encode(rev, key);
    err = backend_get(txn, BACKEND_HIST, view_make(key, sizeof key), &value);
    return err != 0 ? err : record_hist_decode(rev, value, verify, ret_record);
}

/* Newest record of `dbkey` at or below `rev`, by way of the index. */
static int get_past(const struct snap *s,
                    struct kvs_view dbkey,
                    kvs_revision rev,
                    bool verify,
                    struct record *ret_record)
{
    uint8_t from[RECORD_IDX_BYTES];
    struct backend_cursor *c;
    struct kvs_view value = {0};
    struct rev found = {0};
    bool tombstone = false;
    int err = backend_cursor_open(s->txn, BACKEND_IDX, &c);

    if (err != 0) {
        return err;
    }
    record_idx_encode((struct rev){rev, UINT32_MAX}, false, from);
    err = backend_seek_dup(c, dbkey, view_make(from, sizeof from), &value);
    if (err == 0) {
        err = record_idx_decode(value, &found, &tombstone);
    }
    backend_cursor_close(c);
    if (err != 0 || tombstone) {
        return err != 0 ? err : KVS_E_NOT_FOUND;
    }
    err = txn_get_rev(s->txn, found, verify, ret_record);
    return err == KVS_E_NOT_FOUND ? KVS_E_DAMAGED : err;
}

static int snap_get(const struct snap *s,
                    struct kvs_view key,
                    kvs_revision rev,
                    bool verify,
                    struct record *ret_record)
{
    struct kvs_view value = {0};
    struct dbkey dbkey;
    int err = dbkey_find(s->txn, key, &dbkey);

    if (err != 0) {
        return err;
    }
    err = backend_get(s->txn, BACKEND_CUR, dbkey.view, &value);
    if (err == 0) {
        err = record_cur_decode(dbkey.view, value, verify, ret_record);
        if (err != 0 || ret_record->mod.main <= rev) {
            ret_record->key = key; /* the caller's outlives `dbkey` */
            return err;
        }
    } else if (err != KVS_E_NOT_FOUND || rev >= s->state.revision) {
        return err;
    }
    return get_past(s, dbkey.view, rev, verify, ret_record);
}

int view_get(const struct mvcc_view *v,
             struct kvs_view key,
             uint64_t hash,
             kvs_revision rev,
             bool verify,
             struct record *ret_record)
{
    for (unsigned i = 0; i < v->n_gens; i++) {
        const struct gen_key *k = gen_find(v->gens[i], key, hash);
        const struct gen_version *version = k != NULL ? gen_version_at(k, rev) : NULL;

        if (version != NULL) {
            *ret_record = version->record;
            return version->record.tombstone ? KVS_E_NOT_FOUND : 0;
        }
    }
    return snap_get(v->snap, key, rev, verify, ret_record);
}

int view_get_rev(const struct mvcc_view *v, struct rev rev, struct record *ret_record)
{
    for (unsigned i = 0; i < v->n_gens; i++) {
        const struct gen_version *version = gen_version_find(v->gens[i], rev);

        if (version != NULL) {
            *ret_record = version->record;
            return 0;
        }
    }
    return txn_get_rev(v->snap->txn, rev, true, ret_record);
}

int mvcc_get(struct mvcc_read *r, struct kvs_view key, kvs_revision rev, struct kvs_kv *ret_kv)
{
    struct record record;
    kvs_revision at;
    int err = read_revision(r, rev, &at);

    if (err != 0) {
        return err;
    }
    err = view_get(r->view, key, view_hash(r->view, key), at, true, &record);
    if (err == 0) {
        record_to_kv(&record, ret_kv);
    }
    return err;
}
