/* Cursors over one table. */
#include "backend/backend_int.h"
#include "base/alloc.h"
#include "base/assert.h"

int backend_cursor_open(struct backend_txn *txn,
                        enum backend_table table,
                        struct backend_cursor **ret_cursor)
{
    struct backend_cursor *c = kvs_malloc(sizeof *c);
    int rc;

    if (c == NULL) {
        return KVS_E_NOMEM;
    }
    c->backend = txn->backend;
    rc = mdb_cursor_open(txn->txn, txn->backend->tables[table], &c->cursor);
    if (rc != 0) {
        kvs_free(c);
        return backend_translate(txn->backend, rc);
    }
    *ret_cursor = c;
    return 0;
}

void backend_cursor_close(struct backend_cursor *c)
{
    if (c != NULL) {
        mdb_cursor_close(c->cursor);
        kvs_free(c);
    }
}

static int backend_move(struct backend_cursor *c,
                        MDB_val *key,
                        MDB_cursor_op op,
                        struct kvs_view *ret_key,
                        struct kvs_view *ret_value)
{
    MDB_val value;
    int rc = mdb_cursor_get(c->cursor, key, &value, op);

    if (rc != 0) {
        return backend_translate(c->backend, rc);
    }
    *ret_key = backend_view(*key);
    *ret_value = backend_view(value);
    return 0;
}

int backend_seek(struct backend_cursor *c,
                 struct kvs_view key,
                 struct kvs_view *ret_key,
                 struct kvs_view *ret_value)
{
    MDB_val k = backend_val(key);

    kvs_assert(key.len <= BACKEND_KEY_MAX);
    return backend_move(c, &k, key.len > 0 ? MDB_SET_RANGE : MDB_FIRST, ret_key, ret_value);
}

int backend_next(struct backend_cursor *c, struct kvs_view *ret_key, struct kvs_view *ret_value)
{
    MDB_val k;

    return backend_move(c, &k, MDB_NEXT_NODUP, ret_key, ret_value);
}

int backend_last(struct backend_cursor *c, struct kvs_view *ret_key, struct kvs_view *ret_value)
{
    MDB_val k;

    return backend_move(c, &k, MDB_LAST, ret_key, ret_value);
}

int backend_seek_dup(struct backend_cursor *c,
                     struct kvs_view key,
                     struct kvs_view value,
                     struct kvs_view *ret_value)
{
    MDB_val k = backend_val(key);
    MDB_val v = backend_val(value);
    int rc = mdb_cursor_get(c->cursor, &k, &v, MDB_GET_BOTH_RANGE);

    if (rc != 0) {
        return backend_translate(c->backend, rc);
    }
    *ret_value = backend_view(v);
    return 0;
}

int backend_next_dup(struct backend_cursor *c, struct kvs_view *ret_value)
{
    MDB_val k;
    MDB_val v;
    int rc = mdb_cursor_get(c->cursor, &k, &v, MDB_NEXT_DUP);

    if (rc != 0) {
        return backend_translate(c->backend, rc);
    }
    *ret_value = backend_view(v);
    return 0;
}
