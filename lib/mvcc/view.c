/* Snapshots, views and reads: who pins what. */
#include "base/alloc.h"
#include "base/assert.h"
#include "mvcc/mvcc_int.h"

int snap_open(struct backend *b, struct snap **ret_snap)
{
    struct snap *s = kvs_calloc(1, sizeof *s);
    int err;

    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    s->refs = 1;
    s->backend = backend_ref(b);
    err = backend_read_begin(b, &s->txn);
    if (err == 0) {
        err = state_load(s->txn, &s->state);
    }
    if (err != 0) {
        snap_unref(s);
        return err;
    }
    *ret_snap = s;
    return 0;
}

void snap_unref(struct snap *s)
{
    if (s == NULL || --s->refs > 0) {
        return;
    }
    backend_end(s->txn);
    backend_unref(s->backend);
    kvs_free(s);
}

struct mvcc_view *view_new(uint64_t hash_seed)
{
    struct mvcc_view *v = kvs_calloc(1, sizeof *v);

    if (v != NULL) {
        v->refs = 1;
        v->hash_seed = hash_seed;
    }
    return v;
}

struct mvcc_view *view_ref(struct mvcc_view *v)
{
    v->refs++;
    return v;
}

void view_unref(struct mvcc_view *v)
{
    if (v == NULL || --v->refs > 0) {
        return;
    }
    for (unsigned i = 0; i < v->n_gens; i++) {
        gen_unref(v->gens[i]);
    }
    snap_unref(v->snap);
    kvs_free(v);
}

void mvcc_read_begin(struct mvcc *m, struct mvcc_read *ret_read)
{
    kvs_assert(!m->apply.open);
    *ret_read = read_internal(m, m->state.revision);
    (void)view_ref(m->view);
    m->n_reads++;
}

void mvcc_read_end(struct mvcc_read *r)
{
    kvs_assert(r->store != NULL && r->store->n_reads > 0);
    r->store->n_reads--;
    view_unref(r->view);
    *r = (struct mvcc_read){0};
}

struct mvcc_read read_internal(struct mvcc *m, kvs_revision revision)
{
    return (struct mvcc_read){
        .store = m, .view = m->view, .revision = revision, .compact_revision = m->state.compact};
}

int read_revision(const struct mvcc_read *r, kvs_revision rev, kvs_revision *ret_revision)
{
    if (rev > r->revision) {
        return KVS_E_FUTURE_REV;
    }
    if (rev <= 0) {
        rev = r->revision;
    }
    if (rev < r->compact_revision) {
        return KVS_E_COMPACTED;
    }
    *ret_revision = rev;
    return 0;
}
