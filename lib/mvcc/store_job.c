/* Writing a frozen generation, on the backend's thread: one LMDB transaction that holds all of it,
 * the applied index included, or nothing.
 *
 * Order matters twice: hist goes first, since a long key is recognised by its records there
 * (dbkey.c); keys go in order, so that neighbours share pages and each page is written once. */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/view.h"
#include "mvcc/dbkey.h"
#include "mvcc/mvcc_int.h"

const struct kvs_view meta_key_format = {"format", 6};
const struct kvs_view meta_key_state = {"state", 5};
const struct kvs_view meta_key_compacted = {"compacted", 9};

static int put_hist(struct backend_txn *txn, const struct gen *g, struct buf *scratch)
{
    for (size_t i = 0; i < g->n_versions; i++) {
        const struct record *r = &g->versions[i]->record;
        uint8_t key[RECORD_REV_BYTES];
        int err;

        buf_clear(scratch);
        record_hist_encode(r, scratch);
        if (scratch->failed) {
            return KVS_E_NOMEM;
        }
        record_rev_encode(r->mod, key);
        err = backend_append(txn, BACKEND_HIST, view_make(key, sizeof key), buf_view(scratch));
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int put_idx(struct backend_txn *txn, struct kvs_view dbkey, const struct gen_version *v)
{
    for (; v != NULL; v = v->older) {
        uint8_t value[RECORD_IDX_BYTES];
        int err;

        record_idx_encode(v->record.mod, v->record.tombstone, value);
        err = backend_put(txn, BACKEND_IDX, dbkey, view_make(value, sizeof value));
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int
put_cur(struct backend_txn *txn, struct kvs_view dbkey, const struct record *r, struct buf *scratch)
{
    if (r->tombstone) {
        int err = backend_delete(txn, BACKEND_CUR, dbkey);

        return err == KVS_E_NOT_FOUND ? 0 : err; /* it came and went within the generation */
    }
    buf_clear(scratch);
    record_cur_encode(r, dbkey, scratch);
    return scratch->failed ? KVS_E_NOMEM : backend_put(txn, BACKEND_CUR, dbkey, buf_view(scratch));
}

/* Moves the key from the lease that it had in LMDB to the one that it has now. */
static int
put_lease(struct backend_txn *txn, struct kvs_view dbkey, kvs_lease_id before, kvs_lease_id now)
{
    uint8_t bytes[8 + DBKEY_LONG_LEN];
    struct kvs_view entry = view_make(bytes, 8 + dbkey.len);

    if (before == now) {
        return 0;
    }
    memcpy(bytes + 8, dbkey.data, dbkey.len);
    if (before != 0) {
        int err;

        store_be64(bytes, (uint64_t)before);
        err = backend_delete(txn, BACKEND_LEASE_KEYS, entry);
        if (err != 0) {
            return err == KVS_E_NOT_FOUND ? KVS_E_DAMAGED : err;
        }
    }
    if (now == 0) {
        return 0;
    }
    store_be64(bytes, (uint64_t)now);
    return backend_put(txn, BACKEND_LEASE_KEYS, entry, (struct kvs_view){0});
}

static int put_key(struct backend_txn *txn, const struct gen_key *k, struct buf *scratch)
{
    const struct gen_version *oldest = k->newest;
    const struct record *newest = &k->newest->record;
    struct dbkey dbkey;
    int err = dbkey_assign(txn, k->key, &dbkey);

    while (oldest->older != NULL) {
        oldest = oldest->older;
    }
    if (err == 0) {
        err = put_idx(txn, dbkey.view, k->newest);
    }
    if (err == 0) {
        err = put_cur(txn, dbkey.view, newest, scratch);
    }
    if (err == 0) {
        err = put_lease(txn, dbkey.view, oldest->replaced_lease, newest->lease);
    }
    return err;
}

static int put_metas(struct backend_txn *txn, const struct gen *g)
{
    for (const struct gen_meta *meta = g->metas; meta != NULL; meta = meta->next) {
        int err = meta->deleted ? backend_delete(txn, meta->table, meta->key)
                                : backend_put(txn, meta->table, meta->key, meta->value);

        if (err != 0 && !(meta->deleted && err == KVS_E_NOT_FOUND)) {
            return err;
        }
    }
    return 0;
}

static int put_state(struct backend_txn *txn, const struct state_record *state)
{
    uint8_t value[STATE_BYTES];

    state_encode(state, value);
    return backend_put(txn, BACKEND_META, meta_key_state, view_make(value, sizeof value));
}

static int put_generation(struct backend_txn *txn, const struct gen *g, struct buf *scratch)
{
    int err = put_hist(txn, g, scratch);

    for (const struct gen_key *k = g->head[0]; err == 0 && k != NULL; k = k->next[0]) {
        err = put_key(txn, k, scratch);
    }
    if (err == 0) {
        err = put_metas(txn, g);
    }
    return err != 0 ? err : put_state(txn, &g->state);
}

int store_job_write(struct store_job *j)
{
    struct backend_txn *txn;
    struct buf scratch;
    int err = backend_write_begin(j->backend, &txn);

    kvs_assert(j->gen->frozen && j->gen->pending == NULL);
    if (err != 0) {
        return err;
    }
    buf_init(&scratch);
    err = put_generation(txn, j->gen, &scratch);
    buf_fini(&scratch);
    if (err != 0) {
        backend_end(txn);
        return err;
    }
    err = backend_commit(txn);
    backend_release_map(j->backend);
    return err;
}
