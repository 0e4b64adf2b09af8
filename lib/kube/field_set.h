/* Sets of fields, as managedFields keep them (FieldsV1): a tree of path elements in canonical
 * order, each of which may be a member itself, have members below, or both.
 *
 *     {"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}}
 *
 * Sets are immutable: they live in an arena, and what is made from them shares their nodes. As
 * sigs.k8s.io/structured-merge-diff/v4/fieldpath. NULL is the empty set. Any thread. */
#ifndef KUBE_FIELD_SET_H
#define KUBE_FIELD_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "kvstore/types.h"

/* Deepest path that is read. */
#define KUBE_FIELD_SET_DEPTH_MAX 100

enum kube_element_kind {
    KUBE_ELEMENT_FIELD, /* f: of a struct or map, by name */
    KUBE_ELEMENT_KEY,   /* k: of a list, by its keys */
    KUBE_ELEMENT_VALUE, /* v: of a set, by value */
    KUBE_ELEMENT_INDEX, /* i: of a list, by place */
};

struct kube_element {
    enum kube_element_kind kind;
    struct kvs_view name;  /* of KUBE_ELEMENT_FIELD */
    yyjson_mut_val *value; /* of the others; keys are an object, sorted by name */
};

struct kube_field_set;

struct kube_field_node {
    struct kube_element element;
    bool is_member;
    const struct kube_field_set *below; /* NULL: nothing */
};

struct kube_field_set {
    size_t n;
    struct kube_field_node nodes[]; /* sorted; each is a member or has something below */
};

/* -1, 0, 1: fields, keys, values, indexes. */
int kube_element_compare(const struct kube_element *a, const struct kube_element *b);

/* Makes a set of `nodes`, which are sorted, freed of empty ones and united where they are equal.
 * KVS_E_NOMEM. */
KVS_MUST_USE int kube_field_set_make(struct arena *a,
                                     struct kube_field_node *nodes,
                                     size_t n,
                                     const struct kube_field_set **ret_set);

/* Reads a FieldsV1 tree. `doc` gets the keys, and has to live as long as the set. Elements of a
 * kind that nobody knows are left out. KVS_E_MALFORMED; KVS_E_TOO_LONG; KVS_E_NOMEM. */
KVS_MUST_USE int kube_field_set_read(struct arena *a,
                                     yyjson_mut_doc *doc,
                                     yyjson_mut_val *fields,
                                     const struct kube_field_set **ret_set);

/* The set as a FieldsV1 tree of `doc`. KVS_E_NOMEM. */
KVS_MUST_USE int kube_field_set_write(yyjson_mut_doc *doc,
                                      const struct kube_field_set *set,
                                      yyjson_mut_val **ret_fields);

/* The node of an element; NULL if there is none. */
const struct kube_field_node *kube_field_set_find(const struct kube_field_set *set,
                                                  const struct kube_element *element);

KVS_MUST_USE int kube_field_set_union(struct arena *a,
                                      const struct kube_field_set *x,
                                      const struct kube_field_set *y,
                                      const struct kube_field_set **ret_set);
KVS_MUST_USE int kube_field_set_intersection(struct arena *a,
                                             const struct kube_field_set *x,
                                             const struct kube_field_set *y,
                                             const struct kube_field_set **ret_set);

/* Members of `x` that are not in `y`. `recursive`: nor below a member of `y`. */
KVS_MUST_USE int kube_field_set_difference(struct arena *a,
                                           const struct kube_field_set *x,
                                           const struct kube_field_set *y,
                                           bool recursive,
                                           const struct kube_field_set **ret_set);

bool kube_field_set_equal(const struct kube_field_set *x, const struct kube_field_set *y);

/* Appends `.name`, `[port=80,protocol="TCP"]`, `[="x"]`, `[0]`. */
void kube_element_print(struct buf *to, const struct kube_element *element);

/* Calls `found` with the text of each member's path: those of a level first, then what is below.
 * KVS_E_NOMEM: some were not told. */
typedef void kube_field_found_fn(void *ctx, struct kvs_view path);
KVS_MUST_USE int
kube_field_set_each(const struct kube_field_set *set, kube_field_found_fn *found, void *ctx);

#endif
