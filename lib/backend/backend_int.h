/* Inside lib/backend only: the structs, and the translation of LMDB's error codes. */
#ifndef BACKEND_BACKEND_INT_H
#define BACKEND_BACKEND_INT_H

#include <lmdb.h>
#include <stdatomic.h>

#include "backend/backend.h"

/* Where the file is mapped; base NULL if that is not known. */
struct backend_map {
    void *base;
    size_t bytes;
};

struct backend {
    atomic_uint refs;
    atomic_int failure; /* first fatal code */
    MDB_env *env;
    MDB_dbi tables[BACKEND_TABLE_COUNT];
    struct backend_map map;
};

/* Looks up where the environment's file is mapped. */
void backend_find_map(struct backend *b);

struct backend_txn {
    struct backend *backend;
    MDB_txn *txn;
    bool writes;
};

struct backend_cursor {
    struct backend *backend;
    MDB_cursor *cursor;
};

/* KVS_E_* for LMDB's result `rc` (or errno); a fatal one sticks to `b` (may be NULL). */
int backend_translate(struct backend *b, int rc);

/* Fills `ret_error` (may be NULL) with "what: LMDB's text"; returns `code`. */
int backend_describe(struct kvs_error *ret_error, int code, const char *what, int rc);

/* Opens the tables in an open transaction; makes those that are missing if `create`. */
int backend_open_tables(struct backend *b, MDB_txn *txn, bool create);

static inline MDB_val backend_val(struct kvs_view view)
{
    return (MDB_val){.mv_size = view.len, .mv_data = (void *)(uintptr_t)view.data};
}

static inline struct kvs_view backend_view(MDB_val val)
{
    return (struct kvs_view){val.mv_data, val.mv_size};
}

#endif
