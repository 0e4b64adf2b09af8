/* Hash of the state: what members compare to find out that one of them has gone wrong.
 *
 * It is the sum (modulo 2^64) of one XXH3 per record that compaction keeps: every record up to the
 * hashed revision, except those below the compacted revision that are deletions, or that a record
 * at or below it replaced. A sum does not depend on order or layout: what is
 * still in memory is added at once, the file later and elsewhere, and records that compaction has
 * not got round to are taken out again (each names the one it replaced). */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/view.h"
#include "mvcc/mvcc_int.h"

struct mvcc_hash {
    struct mvcc_hash_result result;
    struct backend *backend; /* one reference */
    struct backend_txn *txn;
    struct backend_cursor *cursor;
    struct compacted_record compacted;
    kvs_revision compact; /* 0: never */
    bool started;
    bool finished;
};

static uint64_t hash_record(const struct record *r)
{
    uint8_t fixed[49];
    uint64_t key_hash = checksum64(r->key.data, r->key.len, 1);

    store_le64(fixed, (uint64_t)r->mod.main);
    store_le32(fixed + 8, r->mod.sub);
    fixed[12] = r->tombstone ? 1 : 0;
    store_le64(fixed + 13, (uint64_t)r->create);
    store_le64(fixed + 21, (uint64_t)r->version);
    store_le64(fixed + 29, (uint64_t)r->lease);
    store_le64(fixed + 37, (uint64_t)r->key.len);
    store_le32(fixed + 45, (uint32_t)r->value.len);
    return checksum64(r->value.data, r->value.len, checksum64(fixed, sizeof fixed, key_hash));
}

static bool hash_keeps(const struct mvcc_hash *h, const struct record *r)
{
    return !(r->tombstone && r->mod.main < h->compact);
}

static int hash_find_applied(const struct mvcc_view *v, struct rev rev, struct record *ret_record)
{
    for (unsigned i = 0; i < v->n_gens; i++) {
        const struct gen_version *version = gen_version_find(v->gens[i], rev);

        if (version != NULL) {
            *ret_record = version->record;
            return 0;
        }
    }
    return KVS_E_NOT_FOUND;
}

/* Adds `r`, and takes out the one that it replaced if compaction drops that. `v` NULL: look for it
 * in the file only. */
static int hash_add(struct mvcc_hash *h, const struct record *r, const struct mvcc_view *v)
{
    struct record replaced;
    int err = KVS_E_NOT_FOUND;

    if (hash_keeps(h, r)) {
        h->result.hash += hash_record(r);
    }
    if (r->mod.main > h->compact || r->prev.main == 0 || r->prev.main >= h->compact) {
        return 0;
    }
    if (v != NULL) {
        err = hash_find_applied(v, r->prev, &replaced);
    }
    if (err == KVS_E_NOT_FOUND) {
        err = txn_get_rev(h->txn, r->prev, true, &replaced);
    }
    if (err == 0) {
        h->result.hash -= hash_record(&replaced);
    }
    return err == KVS_E_NOT_FOUND ? 0 : err; /* deleted already */
}

/* The generations' part: what the snapshot does not have. */
static int hash_add_applied(struct mvcc_hash *h, const struct mvcc_view *v, kvs_revision stored)
{
    for (unsigned i = 0; i < v->n_gens; i++) {
        const struct gen *g = v->gens[i];

        for (size_t at = gen_version_lower_bound(g, stored + 1); at < g->n_versions; at++) {
            const struct record *r = &g->versions[at]->record;
            int err = 0;

            if (r->mod.main <= h->result.revision) {
                err = hash_add(h, r, v);
            }
            if (err != 0) {
                return err;
            }
        }
    }
    return 0;
}

static int hash_prepare(struct mvcc_hash *h, struct mvcc *m)
{
    struct state_record stored;
    int err = backend_read_begin(m->backend, &h->txn);

    if (err == 0) {
        err = state_load(h->txn, &stored);
    }
    if (err == 0) {
        err = compacted_load(h->txn, &h->compacted);
    }
    if (err == 0) {
        err = backend_cursor_open(h->txn, BACKEND_HIST, &h->cursor);
    }
    /* The snapshot may be newer than the store's view: a job may be done but not reported. */
    return err != 0 ? err : hash_add_applied(h, m->view, stored.revision);
}

int mvcc_hash_begin(struct mvcc *m, kvs_revision rev, struct mvcc_hash **ret_hash)
{
    struct mvcc_read read = read_internal(m, m->state.revision);
    struct mvcc_hash *h;
    kvs_revision at;
    int err = read_revision(&read, rev, &at);

    kvs_assert(!m->apply.open);
    if (err != 0) {
        return err;
    }
    h = kvs_calloc(1, sizeof *h);
    if (h == NULL) {
        return KVS_E_NOMEM;
    }
    h->backend = backend_ref(m->backend);
    h->compact = mvcc_compact_revision(m);
    h->result.revision = at;
    h->result.current_revision = m->state.revision;
    h->result.compact_revision = h->compact;
    err = hash_prepare(h, m);
    if (err != 0) {
        mvcc_hash_end(h, NULL);
        return err;
    }
    *ret_hash = h;
    return 0;
}

static int hash_add_stored(struct mvcc_hash *h, struct kvs_view key, struct kvs_view value)
{
    struct record r;
    struct rev rev;
    int err = record_rev_decode(key, &rev);

    if (err != 0) {
        return err;
    }
    if (rev.main > h->result.revision) {
        return KVS_E_NOT_FOUND;
    }
    err = record_hist_decode(rev, value, true, &r);
    if (err == 0 && rev.main < h->compacted.finished) {
        r.prev.main = 0; /* gone for sure: spare the lookup */
    }
    return err != 0 ? err : hash_add(h, &r, NULL);
}

int mvcc_hash_run(struct mvcc_hash *h, size_t records)
{
    struct kvs_view key = {0};
    struct kvs_view value = {0};
    int err = h->finished ? KVS_E_NOT_FOUND : 0;

    while (err == 0 && records-- > 0) {
        if (h->started) {
            err = backend_next(h->cursor, &key, &value);
        } else {
            h->started = true;
            err = backend_seek(h->cursor, (struct kvs_view){0}, &key, &value);
        }
        if (err == 0) {
            err = hash_add_stored(h, key, value);
        }
    }
    if (err == KVS_E_NOT_FOUND) {
        h->finished = true;
        return 0;
    }
    return err != 0 ? err : KVS_E_AGAIN;
}

void mvcc_hash_end(struct mvcc_hash *h, struct mvcc_hash_result *ret_result)
{
    if (h == NULL) {
        return;
    }
    if (ret_result != NULL) {
        *ret_result = h->result;
    }
    backend_cursor_close(h->cursor);
    backend_end(h->txn);
    backend_unref(h->backend);
    kvs_free(h);
}
