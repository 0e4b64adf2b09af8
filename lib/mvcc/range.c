/* etcd's Range on a view. The rules that surprise:
 * - count is that of the whole range, whatever limit and filters say;
 * - a limit is applied while fetching only if there is neither an order nor a filter, otherwise
 *   after both; an order by something else than the key that comes from the target alone
 *   (order NONE) sorts only what the limit let through. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/view.h"
#include "mvcc/count_cache.h"
#include "mvcc/mvcc_int.h"
#include "mvcc/range.h"

int mvcc_range_check(const struct kvs_range_req *req)
{
    if (req->key.len == 0) {
        return KVS_E_EMPTY_KEY;
    }
    if (req->sort_order < KVS_SORT_NONE || req->sort_order > KVS_SORT_DESCEND ||
        req->sort_target < KVS_SORT_KEY || req->sort_target > KVS_SORT_VALUE) {
        return KVS_E_INVALID_SORT;
    }
    return 0;
}

int mvcc_count(struct mvcc_read *r,
               struct kvs_view key,
               struct kvs_view range_end,
               kvs_revision rev,
               int64_t *ret_count)
{
    const struct kvs_range_req req = {
        .key = key, .range_end = range_end, .revision = rev, .count_only = true};
    struct kvs_range_resp resp;
    int err = mvcc_range(r, &req, NULL, &resp); /* needs no memory for keys */

    if (err == 0) {
        *ret_count = resp.count;
    }
    return err;
}

static bool range_has_filter(const struct kvs_range_req *req)
{
    return req->min_mod_revision != 0 || req->max_mod_revision != 0 ||
           req->min_create_revision != 0 || req->max_create_revision != 0;
}

static bool range_passes(const struct kvs_range_req *req, const struct record *r)
{
    return (req->max_mod_revision == 0 || r->mod.main <= req->max_mod_revision) &&
           (req->min_mod_revision == 0 || r->mod.main >= req->min_mod_revision) &&
           (req->max_create_revision == 0 || r->create <= req->max_create_revision) &&
           (req->min_create_revision == 0 || r->create >= req->min_create_revision);
}

/* Grows by doubling inside the arena: what is left behind is less than the result. */
struct range_result {
    struct arena *arena;
    struct kvs_kv *kvs;
    size_t n;
    size_t capacity;
};

static int range_add(struct range_result *out, const struct record *r)
{
    if (out->n == out->capacity) {
        size_t capacity = out->capacity > 0 ? out->capacity * 2 : 16;
        struct kvs_kv *kvs = arena_calloc(out->arena, capacity, sizeof *kvs);

        if (kvs == NULL) {
            return KVS_E_NOMEM;
        }
        if (out->n > 0) {
            memcpy(kvs, out->kvs, out->n * sizeof *kvs);
        }
        out->kvs = kvs;
        out->capacity = capacity;
    }
    record_to_kv(r, &out->kvs[out->n++]);
    return 0;
}

static int range_compare_ints(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

struct range_order {
    int target;
    bool descend;
};

static int range_compare(const void *a, const void *b, void *ctx)
{
    const struct range_order *order = ctx;
    const struct kvs_kv *x = a;
    const struct kvs_kv *y = b;
    int result = 0;

    switch (order->target) {
    case KVS_SORT_VERSION:
        result = range_compare_ints(x->version, y->version);
        break;
    case KVS_SORT_CREATE:
        result = range_compare_ints(x->create_revision, y->create_revision);
        break;
    case KVS_SORT_MOD:
        result = range_compare_ints(x->mod_revision, y->mod_revision);
        break;
    case KVS_SORT_VALUE:
        result = view_compare(x->value, y->value);
        break;
    default:
        break;
    }
    if (result == 0) {
        result = view_compare(x->key, y->key);
    }
    return order->descend ? -result : result;
}

static void range_sort(const struct kvs_range_req *req, struct range_result *out)
{
    struct range_order order = {req->sort_target, req->sort_order == KVS_SORT_DESCEND};
    bool in_order = req->sort_target == KVS_SORT_KEY && !order.descend;

    if (out->n > 1 && !in_order) {
        qsort_r(out->kvs, out->n, sizeof *out->kvs, range_compare, &order);
    }
}

static int range_fetch_one(const struct mvcc_read *r,
                           const struct kvs_range_req *req,
                           kvs_revision rev,
                           struct range_result *out,
                           int64_t *ret_count)
{
    struct record record;
    int err = view_get(r->view, req->key, view_hash(r->view, req->key), rev, true, &record);

    if (err == KVS_E_NOT_FOUND) {
        *ret_count = 0;
        return 0;
    }
    if (err != 0) {
        return err;
    }
    *ret_count = 1;
    if (req->count_only || !range_passes(req, &record)) {
        return 0;
    }
    err = arena_copy(out->arena, record.key, &record.key);
    return err != 0 ? err : range_add(out, &record);
}

/* The revision of an open transaction is still changing: its counts are not kept. */
static struct count_cache *range_cache(const struct mvcc_read *r, kvs_revision rev)
{
    return rev <= r->store->state.revision ? &r->store->counts : NULL;
}

/* All keys of the range, `fetched` of which `it` has passed. */
static int range_count(const struct mvcc_read *r,
                       const struct kvs_range_req *req,
                       kvs_revision rev,
                       struct mvcc_iter *it,
                       int64_t fetched,
                       int64_t *ret_count)
{
    struct count_cache *cache = range_cache(r, rev);
    int64_t rest;
    int err;

    if (cache != NULL && count_cache_get(cache, req->key, req->range_end, rev, ret_count)) {
        return 0;
    }
    err = iter_count(it, &rest);
    if (err != 0) {
        return err;
    }
    *ret_count = fetched + rest;
    if (cache != NULL && rest > r->store->options.count_keep_min) {
        count_cache_put(cache, req->key, req->range_end, rev, *ret_count);
    }
    return 0;
}

static int range_fetch_many(const struct mvcc_read *r,
                            const struct kvs_range_req *req,
                            kvs_revision rev,
                            struct range_result *out,
                            int64_t *ret_count)
{
    bool limited = req->limit > 0 && req->sort_order == KVS_SORT_NONE && !range_has_filter(req);
    struct mvcc_iter it;
    struct record record;
    int64_t fetched = 0;
    int err = iter_init(&it, r->view, req->key, req->range_end, rev);

    if (err != 0) {
        return err;
    }
    it.scan.verify = !req->keys_only || req->sort_target == KVS_SORT_VALUE;
    /* One more than the limit is fetched, to sort as etcd does. */
    while (err == 0 && !req->count_only && (!limited || fetched <= req->limit) &&
           (err = iter_next(&it, &record)) == 0) {
        fetched++;
        if (range_passes(req, &record)) {
            err = range_add(out, &record);
        }
    }
    if (err == 0) {
        err = range_count(r, req, rev, &it, fetched, ret_count);
    } else if (err == KVS_E_NOT_FOUND) {
        *ret_count = fetched;
        err = 0;
    }
    iter_fini(&it);
    return err;
}

/* What the request for the next page will want to know. */
static void range_expect_next_page(const struct mvcc_read *r,
                                   const struct kvs_range_req *req,
                                   kvs_revision rev,
                                   const struct kvs_range_resp *resp)
{
    struct count_cache *cache = range_cache(r, rev);
    int64_t left = resp->count - (int64_t)resp->n_kvs;

    if (cache != NULL && resp->more && req->sort_order == KVS_SORT_NONE &&
        req->sort_target == KVS_SORT_KEY && !range_has_filter(req) &&
        left > r->store->options.count_keep_min) {
        count_cache_put_after(cache, resp->kvs[resp->n_kvs - 1].key, req->range_end, rev, left);
    }
}

static void range_finish(const struct kvs_range_req *req,
                         struct range_result *out,
                         struct kvs_range_resp *ret_resp)
{
    range_sort(req, out);
    if (req->limit > 0 && out->n > (uint64_t)req->limit) {
        out->n = (size_t)req->limit;
        ret_resp->more = true;
    }
    for (size_t i = 0; req->keys_only && i < out->n; i++) {
        out->kvs[i].value = (struct kvs_view){0};
    }
    ret_resp->kvs = out->kvs;
    ret_resp->n_kvs = out->n;
}

int mvcc_range(struct mvcc_read *r,
               const struct kvs_range_req *req,
               struct arena *arena,
               struct kvs_range_resp *ret_resp)
{
    struct range_result out = {.arena = arena};
    struct kvs_range_resp resp = {.header.revision = r->revision};
    kvs_revision rev;
    int err = read_revision(r, req->revision, &rev);

    if (err != 0) {
        return err;
    }
    if (req->range_end.len == 0) {
        err = range_fetch_one(r, req, rev, &out, &resp.count);
    } else {
        err = range_fetch_many(r, req, rev, &out, &resp.count);
    }
    if (err != 0) {
        return err;
    }
    range_finish(req, &out, &resp);
    range_expect_next_page(r, req, rev, &resp);
    *ret_resp = resp;
    return 0;
}

int range_copy_kv(struct arena *arena, struct kvs_kv *kv)
{
    int err = arena_copy(arena, kv->key, &kv->key);

    return err != 0 ? err : arena_copy(arena, kv->value, &kv->value);
}

int range_copy_bytes(struct arena *arena, struct kvs_range_resp *resp)
{
    for (size_t i = 0; i < resp->n_kvs; i++) {
        int err = range_copy_kv(arena, &resp->kvs[i]);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}
