/* Compaction: the revision below which history is unreadable moves at once, when the entry is
 * applied; the space is given back afterwards, in steps of one small LMDB transaction each.
 *
 * A step looks at some records of hist between the last finished compaction and the target, in
 * order. A record says which version it replaced: that one goes. A deletion older than the target
 * goes itself. Whatever is exactly at the target stays, for watchers that start there. So the work
 * is proportional to what has changed since, and no step depends on an earlier one's memory: the
 * place is stored with the deletions, and a crash resumes there. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/view.h"
#include "mvcc/dbkey.h"
#include "mvcc/mvcc_int.h"

int mvcc_compact(struct mvcc *m, kvs_revision rev, uint64_t index, uint64_t term)
{
    mvcc_set_applied(m, index, term);
    if (m->failure != 0) {
        return m->failure;
    }
    if (rev <= m->state.compact) {
        return KVS_E_COMPACTED;
    }
    if (rev > m->state.revision) {
        return KVS_E_FUTURE_REV;
    }
    m->state.compact = rev;
    m->flush = true; /* the steps begin when this is stored */
    return 0;
}

struct doomed {
    struct kvs_view key;
    struct rev rev;
    bool tombstone;
};

struct compaction {
    struct backend_txn *txn;
    struct arena arena;
    struct doomed *doomed;
    size_t n;
};

static int compact_doom(struct compaction *c, struct kvs_view key, struct rev rev, bool tombstone)
{
    struct doomed *d = &c->doomed[c->n];

    *d = (struct doomed){.rev = rev, .tombstone = tombstone};
    if (arena_copy(&c->arena, key, &d->key) != 0) {
        return KVS_E_NOMEM;
    }
    c->n++;
    return 0;
}

static int compact_look(struct compaction *c, const struct record *r, kvs_revision target)
{
    int err = 0;

    if (r->prev.main != 0 && r->prev.main < target) {
        err = compact_doom(c, r->key, r->prev, false);
    }
    if (err == 0 && r->tombstone && r->mod.main < target) {
        err = compact_doom(c, r->key, r->mod, true);
    }
    return err;
}

/* Reads up to `step` records from p->at on and notes what goes. */
static int compact_gather(struct compaction *c, struct compacted_record *p, uint32_t step)
{
    uint8_t from[RECORD_REV_BYTES];
    struct backend_cursor *cursor;
    struct kvs_view key = {0};
    struct kvs_view value = {0};
    struct record record;
    int err = backend_cursor_open(c->txn, BACKEND_HIST, &cursor);

    if (err != 0) {
        return err;
    }
    record_rev_encode(p->at, from);
    err = backend_seek(cursor, view_make(from, sizeof from), &key, &value);
    while (err == 0) {
        struct rev rev;

        if ((err = record_rev_decode(key, &rev)) != 0) {
            break;
        }
        p->at = rev;
        if (rev.main > p->target || step-- == 0) {
            break;
        }
        if ((err = record_hist_decode(rev, value, true, &record)) != 0 ||
            (err = compact_look(c, &record, p->target)) != 0) {
            break;
        }
        err = backend_next(cursor, &key, &value);
    }
    if (err == KVS_E_NOT_FOUND) {
        p->at = (struct rev){p->target + 1, 0};
        err = 0;
    }
    backend_cursor_close(cursor);
    return err;
}

static int compact_compare(const void *a, const void *b)
{
    const struct doomed *da = a;
    const struct doomed *db = b;
    int order = view_compare(da->key, db->key);

    if (order != 0) {
        return order;
    }
    if (da->rev.main != db->rev.main) {
        return da->rev.main < db->rev.main ? -1 : 1;
    }
    return da->rev.sub < db->rev.sub ? -1 : da->rev.sub > db->rev.sub;
}

/* What is not there any more went in a step that was not recorded as finished. */
static int compact_delete(struct backend_txn *txn, const struct doomed *d)
{
    uint8_t idx[RECORD_IDX_BYTES];
    uint8_t hist[RECORD_REV_BYTES];
    struct dbkey dbkey;
    int err = dbkey_find(txn, d->key, &dbkey);

    if (err == 0) {
        record_idx_encode(d->rev, d->tombstone, idx);
        err = backend_delete_dup(txn, BACKEND_IDX, dbkey.view, view_make(idx, sizeof idx));
    }
    if (err != 0) {
        return err == KVS_E_NOT_FOUND ? 0 : err;
    }
    record_rev_encode(d->rev, hist);
    err = backend_delete(txn, BACKEND_HIST, view_make(hist, sizeof hist));
    return err == KVS_E_NOT_FOUND ? KVS_E_DAMAGED : err;
}

static int compact_delete_all(struct compaction *c)
{
    if (c->n > 1) {
        qsort(c->doomed, c->n, sizeof *c->doomed, compact_compare);
    }
    for (size_t i = 0; i < c->n; i++) {
        int err = compact_delete(c->txn, &c->doomed[i]);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int compact_run(struct compaction *c, struct store_job *j, struct compacted_record *p)
{
    uint8_t value[COMPACTED_BYTES];
    int err = compact_gather(c, p, j->compact_step);

    if (err == 0) {
        err = compact_delete_all(c);
    }
    if (err != 0) {
        return err;
    }
    if (p->at.main > p->target) {
        p->finished = p->target;
    }
    compacted_encode(p, value);
    return backend_put(c->txn, BACKEND_META, meta_key_compacted, view_make(value, sizeof value));
}

int compact_job_step(struct store_job *j)
{
    struct compacted_record p = j->compacted;
    struct compaction c = {0};
    int err;

    if (p.target == p.finished) {
        /* From the last target itself: what is at it was kept until now. */
        p.at = (struct rev){p.finished, 0};
        p.target = j->compact_target;
    }
    kvs_assert(p.target > p.finished);
    err = backend_write_begin(j->backend, &c.txn);
    if (err != 0) {
        return err;
    }
    arena_init(&c.arena, 0);
    c.doomed = kvs_malloc((size_t)j->compact_step * 2 * sizeof *c.doomed);
    err = c.doomed != NULL ? compact_run(&c, j, &p) : KVS_E_NOMEM;
    kvs_free(c.doomed);
    arena_fini(&c.arena);
    if (err != 0) {
        backend_end(c.txn);
        return err;
    }
    err = backend_commit(c.txn);
    if (err == 0) {
        j->compacted = p;
    }
    return err;
}
