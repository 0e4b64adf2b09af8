/* Merging: the snapshot's scan and the generations' skip lists, in key order. For a key that is in
 * several sources the newest one with a version at or below the revision decides. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "mvcc/mvcc_int.h"

/* From `k` on, the first key inside the range with a version that the iterator may see. */
static void iter_gen_settle(const struct mvcc_iter *it, struct iter_gen *g, struct gen_key *k)
{
    const struct gen_version *version = NULL;

    while (k != NULL && (version = gen_version_at(k, it->rev)) == NULL) {
        k = k->next[0];
    }
    if (k != NULL && it->end.len > 0 && view_compare(k->key, it->end) >= 0) {
        k = NULL;
    }
    *g = (struct iter_gen){k, version};
}

int iter_init(struct mvcc_iter *it,
              const struct mvcc_view *view,
              struct kvs_view begin,
              struct kvs_view range_end,
              kvs_revision rev)
{
    kvs_revision snap_rev = view->snap->state.revision;

    kvs_assert(range_end.len > 0);
    *it = (struct mvcc_iter){.view = view, .rev = rev};
    if (!view_is_open_end(range_end)) {
        it->end = range_end;
    }
    for (unsigned i = 0; i < view->n_gens; i++) {
        struct gen *g = view->gens[i];

        /* A generation that is newer than the revision as a whole has nothing to say. */
        if (g->n_versions > 0 && g->versions[0]->record.mod.main <= rev) {
            gen_link(g);
            iter_gen_settle(it, &it->gens[i], gen_seek(g, begin));
        }
    }
    return scan_open(&it->scan, view->snap, rev < snap_rev ? rev : snap_rev, begin, it->end);
}

void iter_fini(struct mvcc_iter *it)
{
    scan_close(&it->scan);
    kvs_free(it->owned);
    it->owned = NULL;
}

static int iter_fill_scan(struct mvcc_iter *it)
{
    int err;

    if (it->scan_valid || it->scan_ended) {
        return 0;
    }
    err = scan_next(&it->scan, &it->scan_record);
    it->scan_valid = err == 0;
    it->scan_ended = err == KVS_E_NOT_FOUND;
    return it->scan_ended ? 0 : err;
}

/* Least key of the generations; -1 if they are exhausted. Of equal keys the newest source's. */
static int iter_least_gen(const struct mvcc_iter *it)
{
    int least = -1;

    for (unsigned i = 0; i < it->view->n_gens; i++) {
        if (it->gens[i].key != NULL &&
            (least < 0 || view_compare(it->gens[i].key->key, it->gens[least].key->key) < 0)) {
            least = (int)i;
        }
    }
    return least;
}

/* Takes the least generation's key, and drops it from the sources that it hides. */
static void iter_take_gen(struct mvcc_iter *it, int least, int scan_order)
{
    struct kvs_view key = it->gens[least].key->key;

    if (scan_order == 0) {
        it->scan_valid = false;
    }
    for (unsigned i = 0; i < it->view->n_gens; i++) {
        struct iter_gen *g = &it->gens[i];

        if (g->key != NULL && view_equal(g->key->key, key)) {
            iter_gen_settle(it, g, g->key->next[0]);
        }
    }
}

int iter_next(struct mvcc_iter *it, struct record *ret_record)
{
    for (;;) {
        int least = iter_least_gen(it);
        int err = iter_fill_scan(it);
        int scan_order; /* of the generation's key against the scan's */

        if (err != 0) {
            return err;
        }
        if (least < 0) {
            if (!it->scan_valid) {
                return KVS_E_NOT_FOUND;
            }
            scan_order = 1;
        } else {
            scan_order =
                it->scan_valid ? view_compare(it->gens[least].key->key, it->scan_record.key) : -1;
        }
        if (scan_order > 0) {
            *ret_record = it->scan_record;
            it->scan_valid = false;
            return 0;
        }
        *ret_record = it->gens[least].version->record;
        iter_take_gen(it, least, scan_order);
        if (!ret_record->tombstone) {
            return 0;
        }
    }
}

int iter_count(struct mvcc_iter *it, int64_t *ret_count)
{
    struct record record;
    int64_t count = 0;
    int err;

    it->scan.count_only = true;
    while ((err = iter_next(it, &record)) == 0) {
        count++;
    }
    if (err != KVS_E_NOT_FOUND) {
        return err;
    }
    *ret_count = count;
    return 0;
}

/* A range that names one key, as one with an end: [key, key + '\0'). */
static int iter_copy_range(struct mvcc_iter *it,
                           struct kvs_view key,
                           struct kvs_view range_end,
                           struct kvs_view *ret_begin,
                           struct kvs_view *ret_end)
{
    size_t end_len = range_end.len > 0 ? range_end.len : key.len + 1;
    char *copy = kvs_malloc(key.len + end_len);

    if (copy == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(copy, key.data, key.len);
    if (range_end.len > 0) {
        memcpy(copy + key.len, range_end.data, range_end.len);
    } else {
        memcpy(copy + key.len, key.data, key.len);
        copy[key.len + key.len] = '\0';
    }
    it->owned = copy;
    *ret_begin = view_make(copy, key.len);
    *ret_end = view_make(copy + key.len, end_len);
    return 0;
}

int mvcc_iter_open(struct mvcc_read *r,
                   struct kvs_view key,
                   struct kvs_view range_end,
                   kvs_revision rev,
                   struct mvcc_iter **ret_iter)
{
    struct mvcc_iter *it;
    struct mvcc_iter copied = {0};
    struct kvs_view begin;
    struct kvs_view end;
    kvs_revision at;
    int err = read_revision(r, rev, &at);

    if (err != 0) {
        return err;
    }
    it = kvs_malloc(sizeof *it);
    if (it == NULL) {
        return KVS_E_NOMEM;
    }
    err = iter_copy_range(&copied, key, range_end, &begin, &end);
    if (err == 0) {
        err = iter_init(it, r->view, begin, end, at);
    }
    if (err != 0) {
        kvs_free(copied.owned);
        kvs_free(it);
        return err;
    }
    it->owned = copied.owned;
    *ret_iter = it;
    return 0;
}

int mvcc_iter_next(struct mvcc_iter *it, struct kvs_kv *ret_kv)
{
    struct record record;
    int err = iter_next(it, &record);

    if (err == 0) {
        record_to_kv(&record, ret_kv);
    }
    return err;
}

void mvcc_iter_close(struct mvcc_iter *it)
{
    if (it != NULL) {
        iter_fini(it);
        kvs_free(it);
    }
}
