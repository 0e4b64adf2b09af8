/* One object as the cache keeps it: encoded once, as clients get it (with its resourceVersion), and
 * with what selectors look at beside it, so that lists and watches copy bytes and parse nothing.
 *
 * Items are immutable and counted; one thread. */
#ifndef KUBE_ITEM_H
#define KUBE_ITEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/rcbuf.h"
#include "kube/label_selector.h"
#include "kube/resource.h"
#include "kvstore/err.h"
#include "kvstore/types.h"

struct kube_item {
    unsigned refs;
    uint64_t revision;         /* resourceVersion */
    struct kvs_view key;       /* below the resource's prefix: "namespace/name", or "name" */
    struct kvs_view namespace; /* empty if the resource has none */
    struct kvs_view name;
    struct rcbuf *json;
    const struct kube_label *labels; /* in order of their names */
    size_t n_labels;
    const struct kube_label *fields; /* what field selectors may name: selectable.h */
    size_t n_fields;
};

/* From a stored value (JSON) of `key` at `revision`. Copies. KVS_E_MALFORMED if it is no JSON
 * object with metadata; KVS_E_NOMEM. */
KVS_MUST_USE int kube_item_new(const struct kube_resource *r,
                               struct kvs_view key,
                               struct kvs_view value,
                               uint64_t revision,
                               struct kube_item **ret_item);

/* The same object with another resourceVersion: what a deletion shows. KVS_E_NOMEM. */
KVS_MUST_USE int kube_item_at_revision(const struct kube_resource *r,
                                       const struct kube_item *item,
                                       uint64_t revision,
                                       struct kube_item **ret_item);

struct kube_item *kube_item_ref(struct kube_item *item);
/* NULL is allowed. */
void kube_item_unref(struct kube_item *item);

/* False if the object has no such label. */
bool kube_item_label(const struct kube_item *item,
                     struct kvs_view name,
                     struct kvs_view *ret_value);
/* False if the resource knows no such field; a field that the object lacks is empty. */
bool kube_item_field(const struct kube_item *item,
                     struct kvs_view name,
                     struct kvs_view *ret_value);

#endif
