/* What the walks over typed trees share. */
#ifndef KUBE_TYPED_INT_H
#define KUBE_TYPED_INT_H

#include "kube/json.h"
#include "kube/typed.h"

enum typed_shape {
    TYPED_LEAF, /* a scalar, or replaced as a whole */
    TYPED_STRUCT,
    TYPED_MAP,
    TYPED_SET,
    TYPED_KEYED, /* a list of maps with keys */
};

struct typed_at {
    enum typed_shape shape;
    const struct kube_message *message; /* of a struct, and of the items of a list, or NULL */
    const struct kube_field *field;     /* NULL: the root */
};

static inline struct typed_at typed_root(const struct kube_message *m)
{
    return (struct typed_at){TYPED_STRUCT, m, NULL};
}

/* What is behind a member or an item; *ret_known false for members that a struct does not have. */
struct typed_at typed_member(const struct typed_at *at, struct kvs_view name, bool *ret_known);
struct typed_at typed_item(const struct typed_at *at);

static inline bool typed_is_list(const struct typed_at *at)
{
    return at->shape == TYPED_SET || at->shape == TYPED_KEYED;
}

/* How an item of a list is found. `why` (may be NULL) gets the reason of KVS_E_INVALID: a key is
 * missing. KVS_E_NOMEM. */
KVS_MUST_USE int typed_element(const struct kube_typed *t,
                               const struct typed_at *list,
                               yyjson_mut_val *item,
                               struct kube_element *ret_element,
                               struct buf *why);

/* The members or items of a value by element, sorted; of equal ones the first. Items without their
 * key are left out. */
struct typed_entry {
    struct kube_element element;
    yyjson_mut_val *value;
    size_t at;    /* place in the value */
    bool is_seen; /* for the caller */
};

struct typed_entries {
    struct typed_entry *at;
    size_t n;
};

KVS_MUST_USE int typed_entries_of(const struct kube_typed *t,
                                  const struct typed_at *at,
                                  yyjson_mut_val *value,
                                  struct typed_entries *ret_entries);
struct typed_entry *typed_entries_find(const struct typed_entries *entries,
                                       const struct kube_element *element);

/* An entry's type. */
struct typed_at typed_below(const struct typed_at *at, const struct kube_element *element);

static inline bool typed_is_empty(yyjson_mut_val *value)
{
    return value == NULL || (!yyjson_mut_is_ctn(value) || yyjson_mut_get_len(value) == 0);
}

#endif
