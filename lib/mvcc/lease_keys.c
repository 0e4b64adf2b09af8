/* Keys attached to a lease: candidates from table lease_keys and from the generations, each
 * checked against the current record of the key, since a candidate may have moved on. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/view.h"
#include "mvcc/dbkey.h"
#include "mvcc/mvcc_int.h"

struct lease_keys {
    const struct mvcc_read *read;
    kvs_lease_id lease;
    struct arena *arena;
    struct kvs_view *keys; /* kvs_realloc */
    size_t n;
    size_t capacity;
};

/* Adds `key` (copied) if it is attached as of the view; with `only`, if it is by that version (a
 * key that is renewed often is a candidate often). */
static int lease_keys_add(struct lease_keys *l, struct kvs_view key, const struct rev *only)
{
    const struct mvcc_view *view = l->read->view;
    struct record record;
    int err = view_get(view, key, view_hash(view, key), l->read->revision, false, &record);

    if (err != 0) {
        return err == KVS_E_NOT_FOUND ? 0 : err;
    }
    if (record.lease != l->lease || (only != NULL && !rev_equal(record.mod, *only))) {
        return 0;
    }
    if (l->n == l->capacity) {
        size_t capacity = l->capacity > 0 ? l->capacity * 2 : 64;
        struct kvs_view *keys = kvs_realloc(l->keys, capacity * sizeof *keys);

        if (keys == NULL) {
            return KVS_E_NOMEM;
        }
        l->keys = keys;
        l->capacity = capacity;
    }
    err = arena_copy(l->arena, key, &l->keys[l->n]);
    if (err == 0) {
        l->n++;
    }
    return err;
}

/* `entry` is a key of lease_keys: the lease, then the dbkey. */
static int lease_keys_add_stored(struct lease_keys *l, struct kvs_view entry)
{
    struct kvs_view dbkey = view_make((const uint8_t *)entry.data + 8, entry.len - 8);
    struct kvs_view value;
    struct record record;
    int err;

    if (!dbkey_is_long(dbkey)) {
        return lease_keys_add(l, dbkey, NULL);
    }
    err = backend_get(l->read->view->snap->txn, BACKEND_CUR, dbkey, &value);
    if (err == 0) {
        err = record_cur_decode(dbkey, value, false, &record);
    }
    if (err != 0) {
        return err == KVS_E_NOT_FOUND ? KVS_E_DAMAGED : err;
    }
    return lease_keys_add(l, record.key, NULL);
}

static int lease_keys_scan_stored(struct lease_keys *l)
{
    uint8_t prefix[8];
    struct backend_cursor *c;
    struct kvs_view entry;
    struct kvs_view value;
    int err = backend_cursor_open(l->read->view->snap->txn, BACKEND_LEASE_KEYS, &c);

    if (err != 0) {
        return err;
    }
    store_be64(prefix, (uint64_t)l->lease);
    err = backend_seek(c, view_make(prefix, sizeof prefix), &entry, &value);
    while (err == 0 && entry.len > sizeof prefix &&
           memcmp(entry.data, prefix, sizeof prefix) == 0) {
        err = lease_keys_add_stored(l, entry);
        if (err == 0) {
            err = backend_next(c, &entry, &value);
        }
    }
    backend_cursor_close(c);
    return err == KVS_E_NOT_FOUND ? 0 : err;
}

static int lease_keys_scan_applied(struct lease_keys *l)
{
    const struct mvcc_view *view = l->read->view;

    for (unsigned i = 0; i < view->n_gens; i++) {
        const struct gen_version *v = map_get(&view->gens[i]->leases, (uint64_t)l->lease);

        for (; v != NULL; v = v->lease_next) {
            int err = lease_keys_add(l, v->record.key, &v->record.mod);

            if (err != 0) {
                return err;
            }
        }
    }
    return 0;
}

static int lease_keys_compare(const void *a, const void *b)
{
    const struct kvs_view *ka = a;
    const struct kvs_view *kb = b;

    return view_compare(*ka, *kb);
}

/* Sorted, each key once, and the array in the arena. */
static int lease_keys_finish(struct lease_keys *l, struct kvs_view **ret_keys, size_t *ret_n)
{
    struct kvs_view *keys = arena_calloc(l->arena, l->n, sizeof *keys);
    size_t n = 0;

    if (keys == NULL) {
        return KVS_E_NOMEM;
    }
    if (l->n > 1) {
        qsort(l->keys, l->n, sizeof *l->keys, lease_keys_compare);
    }
    for (size_t i = 0; i < l->n; i++) {
        if (n == 0 || !view_equal(keys[n - 1], l->keys[i])) {
            keys[n++] = l->keys[i];
        }
    }
    *ret_keys = keys;
    *ret_n = n;
    return 0;
}

int mvcc_lease_keys(struct mvcc_read *r,
                    kvs_lease_id lease,
                    struct arena *arena,
                    struct kvs_view **ret_keys,
                    size_t *ret_n)
{
    struct lease_keys l = {.read = r, .lease = lease, .arena = arena};
    int err = lease_keys_scan_stored(&l);

    if (err == 0) {
        err = lease_keys_scan_applied(&l);
    }
    if (err == 0) {
        err = lease_keys_finish(&l, ret_keys, ret_n);
    }
    kvs_free(l.keys);
    return err;
}
