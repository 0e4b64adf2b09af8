/* Key ranges, and walking through a range in pages. */
#include <string.h>

#include "base/alloc.h"
#include "base/view.h"
#include "client/client_int.h"

enum { PAGE_DEFAULT = 1000 };

size_t kvs_prefix_end(struct kvs_view prefix, void *ret_end)
{
    const uint8_t *from = prefix.data;
    uint8_t *end = ret_end;

    for (size_t len = prefix.len; len > 0; len--) {
        if (from[len - 1] < 0xff) {
            memcpy(end, from, len);
            end[len - 1]++;
            return len;
        }
    }
    end[0] = 0; /* no prefix, or all 0xff: to the end of the keys */
    return 1;
}

struct kvs_range_iter {
    struct kvs_client *client;
    struct kvs_range_req req; /* of the next page */
    uint8_t *key;             /* room for any key with a 0 behind it */
    size_t page_size;
    int64_t left; /* keys still wanted; -1: all */
    const struct kvs_range_resp *page;
    size_t at;
    bool over; /* no page after this one */
    struct kvs_header header;
};

int kvs_range_iter_open(struct kvs_client *client,
                        const struct kvs_range_req *req,
                        size_t page_size,
                        struct kvs_range_iter **ret_iter)
{
    size_t len = req->key.len + req->range_end.len;
    struct kvs_range_iter *it;

    if (req->sort_target != KVS_SORT_KEY || req->sort_order == KVS_SORT_DESCEND) {
        return KVS_E_INVALID;
    }
    it = kvs_calloc(1, sizeof *it + len);
    if (it == NULL) {
        return KVS_E_NOMEM;
    }
    it->client = client;
    it->req = *req;
    it->req.key = view_make(it + 1, req->key.len);
    it->req.range_end = view_make((uint8_t *)(it + 1) + req->key.len, req->range_end.len);
    if (req->key.len > 0) {
        memcpy(it + 1, req->key.data, req->key.len);
    }
    if (req->range_end.len > 0) {
        memcpy((uint8_t *)(it + 1) + req->key.len, req->range_end.data, req->range_end.len);
    }
    it->page_size = page_size > 0 ? page_size : PAGE_DEFAULT;
    it->left = req->limit > 0 ? req->limit : -1;
    *ret_iter = it;
    return 0;
}

/* The next page begins right behind the last key of this one. */
static int iter_advance(struct kvs_range_iter *it)
{
    const struct kvs_kv *last = &it->page->kvs[it->page->n_kvs - 1];
    uint8_t *key = kvs_realloc(it->key, last->key.len + 1);

    if (key == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(key, last->key.data, last->key.len);
    key[last->key.len] = 0;
    it->key = key;
    it->req.key = view_make(key, last->key.len + 1);
    return 0;
}

static int iter_fetch(struct kvs_range_iter *it, struct kvs_error *ret_error)
{
    const struct kvs_range_resp *page;
    int err;

    if (it->page != NULL) {
        err = iter_advance(it);
        if (err != 0) {
            return client_error_set(ret_error, err, NULL);
        }
    }
    it->req.limit = (int64_t)it->page_size;
    if (it->left >= 0 && it->left < it->req.limit) {
        it->req.limit = it->left;
    }
    err = kvs_range_sync(it->client, &it->req, NULL, &page, ret_error);
    if (err != 0) {
        return err;
    }
    if (it->page == NULL) {
        it->header = page->header;
        if (it->req.revision <= 0) {
            it->req.revision = page->header.revision;
        }
    }
    kvs_resp_free(it->page);
    it->page = page;
    it->at = 0;
    if (it->left >= 0) {
        it->left -= (int64_t)page->n_kvs;
    }
    it->over = !page->more || it->left == 0 || page->n_kvs == 0;
    return 0;
}

int kvs_range_iter_next(struct kvs_range_iter *iter,
                        const struct kvs_kv **ret_kv,
                        struct kvs_error *ret_error)
{
    while (iter->page == NULL || iter->at == iter->page->n_kvs) {
        int err;

        if (iter->over) {
            *ret_kv = NULL;
            return 0;
        }
        err = iter_fetch(iter, ret_error);
        if (err != 0) {
            return err;
        }
    }
    *ret_kv = &iter->page->kvs[iter->at++];
    return 0;
}

struct kvs_header kvs_range_iter_header(const struct kvs_range_iter *iter)
{
    return iter->header;
}

void kvs_range_iter_close(struct kvs_range_iter *iter)
{
    if (iter == NULL) {
        return;
    }
    kvs_resp_free(iter->page);
    kvs_free(iter->key);
    kvs_free(iter);
}
