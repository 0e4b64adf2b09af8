/* An ordered map from byte keys to pointers: the objects of one resource in the order of their
 * storage keys, which is the order of lists. Sorted arrays of bounded size under a sorted index, so
 * that a scan touches memory in order and 100,000 objects cost about 40 bytes each.
 *
 * Keys are borrowed: they live in the values. One thread at a time. */
#ifndef KUBE_KEYMAP_H
#define KUBE_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "kvstore/types.h"

struct kube_keymap_chunk;

struct kube_keymap {
    struct kube_keymap_chunk **chunks; /* none is empty */
    size_t n_chunks;
    size_t capacity;
    size_t count;
};

void kube_keymap_init(struct kube_keymap *m);
/* Frees the map, not the values. */
void kube_keymap_fini(struct kube_keymap *m);

/* Adds or replaces; `key` has to live as long as its entry: on replacement the old key is dropped
 * together with the old value, which comes back in `ret_old` (NULL if there was none).
 * KVS_E_NOMEM leaves the map as it was. */
KVS_MUST_USE int
kube_keymap_put(struct kube_keymap *m, struct kvs_view key, void *value, void **ret_old);

/* NULL if absent. */
void *kube_keymap_get(const struct kube_keymap *m, struct kvs_view key);
/* The value that was removed; NULL if absent. */
void *kube_keymap_remove(struct kube_keymap *m, struct kvs_view key);

/* A place between entries. Any change of the map makes it invalid. */
struct kube_keymap_at {
    size_t chunk;
    size_t slot;
};

/* Before the first entry whose key is >= `key`. */
struct kube_keymap_at kube_keymap_seek(const struct kube_keymap *m, struct kvs_view key);
/* The next value, and its key if `ret_key` is not NULL; NULL at the end. */
void *
kube_keymap_next(const struct kube_keymap *m, struct kube_keymap_at *at, struct kvs_view *ret_key);

/* Stops the process if an invariant is broken: order, bounds, count. For tests. */
void kube_keymap_check(const struct kube_keymap *m);

#endif
