/* Transactions and single records. */
#include <string.h>

#include "backend/backend_int.h"
#include "base/alloc.h"
#include "base/assert.h"

static int backend_begin(struct backend *b, bool writes, struct backend_txn **ret_txn)
{
    struct backend_txn *t;
    int failure = backend_failure(b);
    int rc;

    if (failure != 0) {
        return failure;
    }
    t = kvs_malloc(sizeof *t);
    if (t == NULL) {
        return KVS_E_NOMEM;
    }
    *t = (struct backend_txn){.backend = b, .writes = writes};
    rc = mdb_txn_begin(b->env, NULL, writes ? 0 : MDB_RDONLY, &t->txn);
    if (rc != 0) {
        kvs_free(t);
        return backend_translate(b, rc);
    }
    *ret_txn = t;
    return 0;
}

int backend_read_begin(struct backend *b, struct backend_txn **ret_txn)
{
    return backend_begin(b, false, ret_txn);
}

int backend_write_begin(struct backend *b, struct backend_txn **ret_txn)
{
    return backend_begin(b, true, ret_txn);
}

int backend_commit(struct backend_txn *txn)
{
    struct backend *b = txn->backend;
    int code;

    kvs_assert(txn->writes);
    /* Any failure here leaves it open what is on the disk: only stopping is safe. */
    code = backend_translate(b, mdb_txn_commit(txn->txn));
    kvs_free(txn);
    return code;
}

void backend_end(struct backend_txn *txn)
{
    if (txn != NULL) {
        mdb_txn_abort(txn->txn);
        kvs_free(txn);
    }
}

int backend_get(struct backend_txn *txn,
                enum backend_table table,
                struct kvs_view key,
                struct kvs_view *ret_value)
{
    MDB_val k = backend_val(key);
    MDB_val v;
    int rc;

    kvs_assert(key.len > 0 && key.len <= BACKEND_KEY_MAX);
    rc = mdb_get(txn->txn, txn->backend->tables[table], &k, &v);
    if (rc != 0) {
        return backend_translate(txn->backend, rc);
    }
    *ret_value = backend_view(v);
    return 0;
}

static int backend_write(struct backend_txn *txn,
                         enum backend_table table,
                         struct kvs_view key,
                         struct kvs_view value,
                         unsigned flags)
{
    MDB_val k = backend_val(key);
    MDB_val v = backend_val(value);

    kvs_assert(txn->writes);
    kvs_assert(key.len > 0 && key.len <= BACKEND_KEY_MAX);
    return mdb_put(txn->txn, txn->backend->tables[table], &k, &v, flags);
}

int backend_put(struct backend_txn *txn,
                enum backend_table table,
                struct kvs_view key,
                struct kvs_view value)
{
    return backend_translate(txn->backend, backend_write(txn, table, key, value, 0));
}

int backend_append(struct backend_txn *txn,
                   enum backend_table table,
                   struct kvs_view key,
                   struct kvs_view value)
{
    int rc = backend_write(txn, table, key, value, MDB_APPEND);

    /* A key out of order means that the caller has lost its place: never mend that silently. */
    return rc == MDB_KEYEXIST ? backend_translate(txn->backend, MDB_CORRUPTED)
                              : backend_translate(txn->backend, rc);
}

int backend_delete(struct backend_txn *txn, enum backend_table table, struct kvs_view key)
{
    MDB_val k = backend_val(key);

    kvs_assert(txn->writes);
    return backend_translate(txn->backend,
                             mdb_del(txn->txn, txn->backend->tables[table], &k, NULL));
}

int backend_delete_dup(struct backend_txn *txn,
                       enum backend_table table,
                       struct kvs_view key,
                       struct kvs_view value)
{
    MDB_val k = backend_val(key);
    MDB_val v = backend_val(value);

    kvs_assert(txn->writes);
    return backend_translate(txn->backend, mdb_del(txn->txn, txn->backend->tables[table], &k, &v));
}

uint64_t backend_count(struct backend_txn *txn, enum backend_table table)
{
    MDB_stat stat;
    int rc = mdb_stat(txn->txn, txn->backend->tables[table], &stat);

    kvs_assert(rc == 0);
    return stat.ms_entries;
}
