#include "watch/index.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/checksum.h"
#include "base/view.h"

#define INDEX_BUCKETS_MIN 16

void watch_index_init(struct watch_index *index, uint64_t seed)
{
    *index = (struct watch_index){.seed = seed};
}

void watch_index_fini(struct watch_index *index)
{
    kvs_assert(index->root == NULL && index->n_keys == 0);
    kvs_free(index->buckets);
    watch_index_init(index, index->seed);
}

static bool range_is_key(const struct watch_range *r)
{
    return r->end.len == 0 && !r->open;
}

static struct watch_range *
range_new(const struct watch_index *index, struct kvs_view key, struct kvs_view end)
{
    bool open = view_is_open_end(end);
    size_t end_len = open ? 0 : end.len;
    struct watch_range *r = kvs_calloc(1, sizeof *r + key.len + end_len);

    if (r == NULL) {
        return NULL;
    }
    if (key.len > 0) {
        memcpy(r->bytes, key.data, key.len);
    }
    if (end_len > 0) {
        memcpy(r->bytes + key.len, end.data, end_len);
    }
    r->begin = view_make(r->bytes, key.len);
    r->end = view_make(r->bytes + key.len, end_len);
    r->open = open;
    r->max_end = r;
    /* A key's bucket depends on the key alone; a range's priority on both of its ends. */
    r->hash = checksum64(r->bytes, key.len + end_len, index->seed);
    list_init(&r->watchers);
    list_init(&r->touched);
    return r;
}

/* --- Ends and order --------------------------------------------------------------------------- */

static int end_compare(const struct watch_range *a, const struct watch_range *b)
{
    if (a->open || b->open) {
        return (int)a->open - (int)b->open;
    }
    return view_compare(a->end, b->end);
}

static int range_compare(const struct watch_range *a, const struct watch_range *b)
{
    int order = view_compare(a->begin, b->begin);

    return order != 0 ? order : end_compare(a, b);
}

static bool end_is_after(const struct watch_range *r, struct kvs_view key)
{
    return r->open || view_compare(key, r->end) < 0;
}

static void node_update(struct watch_range *node)
{
    node->max_end = node;
    if (node->left != NULL && end_compare(node->left->max_end, node->max_end) > 0) {
        node->max_end = node->left->max_end;
    }
    if (node->right != NULL && end_compare(node->right->max_end, node->max_end) > 0) {
        node->max_end = node->right->max_end;
    }
}

/* --- Treap: recursion is as deep as the tree, expected 2 log2(n) ------------------------------ */

static struct watch_range *node_rotate_right(struct watch_range *node)
{
    struct watch_range *left = node->left;

    node->left = left->right;
    left->right = node;
    node_update(node);
    node_update(left);
    return left;
}

static struct watch_range *node_rotate_left(struct watch_range *node)
{
    struct watch_range *right = node->right;

    node->right = right->left;
    right->left = node;
    node_update(node);
    node_update(right);
    return right;
}

static struct watch_range *tree_insert(struct watch_range *node, struct watch_range *added)
{
    if (node == NULL) {
        return added;
    }
    if (range_compare(added, node) < 0) {
        node->left = tree_insert(node->left, added);
        node_update(node);
        return node->left->hash > node->hash ? node_rotate_right(node) : node;
    }
    node->right = tree_insert(node->right, added);
    node_update(node);
    return node->right->hash > node->hash ? node_rotate_left(node) : node;
}

/* All of `left` is before all of `right`. */
static struct watch_range *tree_merge(struct watch_range *left, struct watch_range *right)
{
    if (left == NULL || right == NULL) {
        return left == NULL ? right : left;
    }
    if (left->hash >= right->hash) {
        left->right = tree_merge(left->right, right);
        node_update(left);
        return left;
    }
    right->left = tree_merge(left, right->left);
    node_update(right);
    return right;
}

static struct watch_range *tree_remove(struct watch_range *node, const struct watch_range *removed)
{
    kvs_assert(node != NULL);
    if (node == removed) {
        return tree_merge(node->left, node->right);
    }
    if (range_compare(removed, node) < 0) {
        node->left = tree_remove(node->left, removed);
    } else {
        node->right = tree_remove(node->right, removed);
    }
    node_update(node);
    return node;
}

static struct watch_range *tree_find(struct watch_range *node, const struct watch_range *wanted)
{
    while (node != NULL) {
        int order = range_compare(wanted, node);

        if (order == 0) {
            return node;
        }
        node = order < 0 ? node->left : node->right;
    }
    return NULL;
}

static void tree_stab(struct watch_range *node, struct kvs_view key, watch_index_fn fn, void *ctx)
{
    while (node != NULL && end_is_after(node->max_end, key)) {
        tree_stab(node->left, key, fn, ctx);
        if (view_compare(node->begin, key) > 0) {
            return; /* And so begins everything to the right. */
        }
        if (end_is_after(node, key)) {
            fn(ctx, node);
        }
        node = node->right;
    }
}

/* --- Single keys ------------------------------------------------------------------------------ */

static struct watch_range *key_find(const struct watch_index *index, struct kvs_view key)
{
    uint64_t hash;

    if (index->n_buckets == 0) {
        return NULL;
    }
    hash = checksum64(key.data, key.len, index->seed);
    for (struct watch_range *r = index->buckets[hash & (index->n_buckets - 1)]; r != NULL;
         r = r->chain) {
        if (r->hash == hash && view_equal(r->begin, key)) {
            return r;
        }
    }
    return NULL;
}

static int keys_grow(struct watch_index *index)
{
    size_t n = index->n_buckets > 0 ? index->n_buckets * 2 : INDEX_BUCKETS_MIN;
    struct watch_range **buckets;

    if (index->n_keys < index->n_buckets) {
        return 0;
    }
    buckets = kvs_calloc(n, sizeof(struct watch_range *));
    if (buckets == NULL) {
        /* Longer chains will do, but there has to be a table. */
        return index->n_buckets > 0 ? 0 : KVS_E_NOMEM;
    }
    for (size_t i = 0; i < index->n_buckets; i++) {
        struct watch_range *r = index->buckets[i];

        while (r != NULL) {
            struct watch_range *chain = r->chain;

            r->chain = buckets[r->hash & (n - 1)];
            buckets[r->hash & (n - 1)] = r;
            r = chain;
        }
    }
    kvs_free(index->buckets);
    index->buckets = buckets;
    index->n_buckets = n;
    return 0;
}

static void key_remove(struct watch_index *index, const struct watch_range *removed)
{
    struct watch_range **at = &index->buckets[removed->hash & (index->n_buckets - 1)];

    while (*at != removed) {
        kvs_assert(*at != NULL);
        at = &(*at)->chain;
    }
    *at = removed->chain;
    index->n_keys--;
}

/* --- Interface -------------------------------------------------------------------------------- */

static struct watch_range *index_get_key(struct watch_index *index, struct kvs_view key)
{
    struct watch_range *r = key_find(index, key);

    if (r != NULL) {
        return r;
    }
    if (keys_grow(index) != 0) {
        return NULL;
    }
    r = range_new(index, key, view_make(NULL, 0));
    if (r != NULL) {
        struct watch_range **bucket = &index->buckets[r->hash & (index->n_buckets - 1)];

        r->chain = *bucket;
        *bucket = r;
        index->n_keys++;
    }
    return r;
}

struct watch_range *
watch_index_get(struct watch_index *index, struct kvs_view key, struct kvs_view range_end)
{
    struct watch_range *r;
    struct watch_range *found;

    if (range_end.len == 0) {
        return index_get_key(index, key);
    }
    r = range_new(index, key, range_end);
    if (r == NULL) {
        return NULL;
    }
    found = tree_find(index->root, r);
    if (found != NULL) {
        kvs_free(r);
        return found;
    }
    index->root = tree_insert(index->root, r);
    index->n_ranges++;
    return r;
}

void watch_index_remove(struct watch_index *index, struct watch_range *range)
{
    kvs_assert(list_empty(&range->watchers) && list_empty(&range->touched));
    kvs_assert(range->selection == NULL);
    if (range_is_key(range)) {
        key_remove(index, range);
    } else {
        index->root = tree_remove(index->root, range);
        index->n_ranges--;
    }
    kvs_free(range);
}

void watch_index_find(const struct watch_index *index,
                      struct kvs_view key,
                      watch_index_fn fn,
                      void *ctx)
{
    struct watch_range *r = key_find(index, key);

    if (r != NULL) {
        fn(ctx, r);
    }
    tree_stab(index->root, key, fn, ctx);
}

static size_t tree_check(const struct watch_range *node)
{
    size_t n = 1;

    if (node == NULL) {
        return 0;
    }
    kvs_assert(!range_is_key(node));
    kvs_assert(end_compare(node->max_end, node) >= 0);
    if (node->left != NULL) {
        kvs_assert(range_compare(node->left, node) < 0 && node->left->hash <= node->hash);
        kvs_assert(end_compare(node->max_end, node->left->max_end) >= 0);
        n += tree_check(node->left);
    }
    if (node->right != NULL) {
        kvs_assert(range_compare(node->right, node) > 0 && node->right->hash <= node->hash);
        kvs_assert(end_compare(node->max_end, node->right->max_end) >= 0);
        n += tree_check(node->right);
    }
    return n;
}

void watch_index_check(const struct watch_index *index)
{
    size_t n_keys = 0;

    kvs_assert(tree_check(index->root) == index->n_ranges);
    for (size_t i = 0; i < index->n_buckets; i++) {
        for (const struct watch_range *r = index->buckets[i]; r != NULL; r = r->chain) {
            kvs_assert(range_is_key(r) && (r->hash & (index->n_buckets - 1)) == i);
            n_keys++;
        }
    }
    kvs_assert(n_keys == index->n_keys);
}
