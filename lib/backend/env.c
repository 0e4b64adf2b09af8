/* The environment: opening, reference counts, sizes.
 *
 * Flags: full sync (never NOSYNC, MAPASYNC or WRITEMAP: a power cut would leave a broken file),
 * NOTLS so that a snapshot belongs to an object and not to a thread, NORDAHEAD because access is
 * by key and the file may be larger than memory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "backend/backend_int.h"
#include "base/alloc.h"
#include "base/assert.h"

#ifndef BACKEND_DEFAULT_MAP_BYTES /* given where there is less address space: under valgrind */
#define BACKEND_DEFAULT_MAP_BYTES ((size_t)64 << 30)
#endif
#define BACKEND_DEFAULT_READERS_MAX 1024

static const struct {
    const char *name;
    unsigned flags;
} backend_tables[] = {
    [BACKEND_META] = {"meta", 0},
    [BACKEND_CUR] = {"cur", 0},
    [BACKEND_HIST] = {"hist", 0},
    [BACKEND_IDX] = {"idx", MDB_DUPSORT | MDB_DUPFIXED},
    [BACKEND_LEASE_KEYS] = {"lease_keys", 0},
    [BACKEND_LEASES] = {"leases", 0},
    [BACKEND_MEMBERS] = {"members", 0},
    [BACKEND_ALARMS] = {"alarms", 0},
    [BACKEND_AUTH] = {"auth", 0},
};
_Static_assert(ARRAY_LEN(backend_tables) == BACKEND_TABLE_COUNT, "one row per table");

static int backend_code(int rc)
{
    switch (rc) {
    case 0:
        return 0;
    case MDB_NOTFOUND:
        return KVS_E_NOT_FOUND;
    case ENOMEM:
        return KVS_E_NOMEM;
    case MDB_READERS_FULL:
        return KVS_E_TOO_LONG;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
        return KVS_E_FULL;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
        return KVS_E_DAMAGED;
    case MDB_VERSION_MISMATCH:
        return KVS_E_VERSION;
    case MDB_BAD_VALSIZE:
        return KVS_E_INVALID;
    default:
        return KVS_E_IO;
    }
}

int backend_translate(struct backend *b, int rc)
{
    int code = backend_code(rc);
    int none = 0;

    if (b != NULL && kvs_err_is_fatal(code)) {
        (void)atomic_compare_exchange_strong(&b->failure, &none, code);
    }
    return code;
}

int backend_describe(struct kvs_error *ret_error, int code, const char *what, int rc)
{
    if (ret_error != NULL) {
        ret_error->code = code;
        (void)snprintf(ret_error->msg, sizeof ret_error->msg, "%s: %s", what, mdb_strerror(rc));
    }
    return code;
}

int backend_open_tables(struct backend *b, MDB_txn *txn, bool create)
{
    for (int i = 0; i < BACKEND_TABLE_COUNT; i++) {
        unsigned flags = backend_tables[i].flags | (create ? MDB_CREATE : 0);
        int rc = mdb_dbi_open(txn, backend_tables[i].name, flags, &b->tables[i]);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int backend_setup(struct backend *b, const struct backend_options *o, const char **ret_what)
{
    size_t map_bytes = o->map_bytes > 0 ? o->map_bytes : BACKEND_DEFAULT_MAP_BYTES;
    unsigned readers_max = o->readers_max > 0 ? o->readers_max : BACKEND_DEFAULT_READERS_MAX;
    MDB_txn *txn;
    int dead;
    int rc;

    *ret_what = "cannot set up the database";
    if ((rc = mdb_env_create(&b->env)) != 0 || (rc = mdb_env_set_mapsize(b->env, map_bytes)) != 0 ||
        (rc = mdb_env_set_maxdbs(b->env, BACKEND_TABLE_COUNT)) != 0 ||
        (rc = mdb_env_set_maxreaders(b->env, readers_max)) != 0) {
        return rc;
    }
    *ret_what = "cannot open the database";
    if ((rc = mdb_env_open(b->env, o->dir, MDB_NOTLS | MDB_NORDAHEAD, 0600)) != 0) {
        return rc;
    }
    /* Slots of a process that was killed would keep its pages for ever. */
    (void)mdb_reader_check(b->env, &dead);
    *ret_what = "cannot open the tables of the database";
    if ((rc = mdb_txn_begin(b->env, NULL, 0, &txn)) != 0) {
        return rc;
    }
    rc = backend_open_tables(b, txn, true);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

int backend_open(const struct backend_options *options,
                 struct backend **ret_backend,
                 struct kvs_error *ret_error)
{
    struct backend *b;
    const char *what;
    int rc;

    if (mkdir(options->dir, 0700) != 0 && errno != EEXIST) {
        return backend_describe(ret_error, KVS_E_IO, "cannot make the data directory", errno);
    }
    b = kvs_calloc(1, sizeof *b);
    if (b == NULL) {
        return backend_describe(ret_error, KVS_E_NOMEM, "cannot open the database", ENOMEM);
    }
    atomic_init(&b->refs, 1);
    rc = backend_setup(b, options, &what);
    if (rc != 0) {
        backend_unref(b);
        return backend_describe(ret_error, backend_code(rc), what, rc);
    }
    backend_find_map(b);
    *ret_backend = b;
    return 0;
}

struct backend *backend_ref(struct backend *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void backend_unref(struct backend *b)
{
    if (b == NULL || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (b->env != NULL) {
        mdb_env_close(b->env);
    }
    kvs_free(b);
}

unsigned backend_refs(const struct backend *b)
{
    return atomic_load(&b->refs);
}

int backend_failure(const struct backend *b)
{
    return atomic_load(&b->failure);
}

/* Free pages are listed in table 0, one record per transaction that freed them, the first word
 * being their number. */
static int backend_count_free(MDB_env *env, uint64_t *ret_pages)
{
    uint64_t pages = 0;
    MDB_cursor *cursor;
    MDB_txn *txn;
    MDB_val key;
    MDB_val data;
    int rc;

    rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc != 0) {
        return rc;
    }
    rc = mdb_cursor_open(txn, 0, &cursor);
    if (rc == 0) {
        while ((rc = mdb_cursor_get(cursor, &key, &data, MDB_NEXT)) == 0) {
            size_t n;

            kvs_assert(data.mv_size >= sizeof n);
            memcpy(&n, data.mv_data, sizeof n);
            pages += n;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    *ret_pages = pages;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

int backend_get_size(struct backend *b, struct backend_size *ret_size)
{
    uint64_t free_pages;
    MDB_envinfo info;
    MDB_stat stat;
    int rc;

    if ((rc = mdb_env_info(b->env, &info)) != 0 || (rc = mdb_env_stat(b->env, &stat)) != 0 ||
        (rc = backend_count_free(b->env, &free_pages)) != 0) {
        return backend_translate(b, rc);
    }
    ret_size->file_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    ret_size->in_use_bytes = ret_size->file_bytes - free_pages * stat.ms_psize;
    return 0;
}
