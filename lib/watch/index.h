/* Which ranges contain a key. Equal ranges are one object, however many watchers they have, so that
 * a thousand watchers of one key cost one match and one encoding.
 *
 * Single keys are in a hash table; real ranges in a treap by (begin, end) whose nodes know the
 * greatest end below them: a lookup visits the ranges that match and O(log n) others. */
#ifndef WATCH_INDEX_H
#define WATCH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/list.h"
#include "kvstore/types.h"

struct watch_selection;

struct watch_range {
    struct watch_range *left;
    struct watch_range *right;
    struct watch_range *chain;         /* single keys: next in the bucket */
    const struct watch_range *max_end; /* the one with the greatest end in this subtree */
    uint64_t hash;                     /* bucket, or priority in the treap */
    struct kvs_view begin;             /* of `bytes` */
    struct kvs_view end;               /* of `bytes`; empty: the single key */
    bool open;                         /* `end` is infinite */

    /* Of the commit or history slice that is being delivered: an idle range pays for no more. */
    bool lost; /* no memory for the selection: it has to be read again later */
    struct list touched;
    struct watch_selection *selection; /* NULL: no event was for it */

    struct list watchers;
    size_t n_watchers;
    size_t n_behind;

    uint8_t bytes[];
};

struct watch_index {
    struct watch_range **buckets;
    size_t n_buckets; /* power of two, or 0 */
    size_t n_keys;
    struct watch_range *root;
    size_t n_ranges;
    uint64_t seed;
};

void watch_index_init(struct watch_index *index, uint64_t seed);
void watch_index_fini(struct watch_index *index); /* must be empty */

/* The range of etcd's (key, range_end), made if it is new. Copies the keys. NULL: out of memory. */
KVS_MUST_USE struct watch_range *
watch_index_get(struct watch_index *index, struct kvs_view key, struct kvs_view range_end);

/* Removes and frees a range without watchers. */
void watch_index_remove(struct watch_index *index, struct watch_range *range);

/* Called for each range that contains the key. Must not change the index. */
typedef void (*watch_index_fn)(void *ctx, struct watch_range *range);
void watch_index_find(const struct watch_index *index,
                      struct kvs_view key,
                      watch_index_fn fn,
                      void *ctx);

/* Aborts if order, heap property or greatest ends are wrong. */
void watch_index_check(const struct watch_index *index);

#endif
