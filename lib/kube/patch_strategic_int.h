/* What the two halves of strategic merge patches share: maps and lists. */
#ifndef KUBE_PATCH_STRATEGIC_INT_H
#define KUBE_PATCH_STRATEGIC_INT_H

#include <yyjson.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "kube/schema.h"
#include "kvstore/types.h"

struct smp {
    yyjson_mut_doc *doc;
    struct arena scratch; /* lists while they are merged */
    struct buf *why;
    size_t steps; /* members and items looked at, at most SMP_STEPS_MAX */
};

#define SMP_STEPS_MAX 2000000

/* Counts `n` more. KVS_E_TOO_LONG. */
KVS_MUST_USE int smp_count(struct smp *s, size_t n);

/* What the types say about a place in the tree. */
enum smp_shape {
    SMP_STRUCT, /* `message` */
    SMP_MAP,    /* of `field`'s elements */
    SMP_OTHER,  /* nothing below is known */
};

struct smp_type {
    enum smp_shape shape;
    const struct kube_message *message;
    const struct kube_field *field; /* NULL: the root */
};

/* How a member is merged. */
struct smp_rule {
    struct smp_type type; /* of the value; of a list, of each item */
    bool is_list;
    bool merges;
    bool replaces;
    struct kvs_view key; /* merge key; empty: none */
};

/* Items of a list, outside of the tree. */
struct smp_items {
    yyjson_mut_val **at;
    size_t n;
};

/* Appends a value as Go prints it: map[a:1 b:[x y]], members sorted. */
void smp_print(struct buf *to, yyjson_mut_val *value);

KVS_MUST_USE int smp_no_key(struct smp *s, yyjson_mut_val *item, struct kvs_view key);
KVS_MUST_USE int smp_bad_argument(struct smp *s, const char *wanted, yyjson_mut_val *given);
KVS_MUST_USE int smp_bad_directive(struct smp *s, yyjson_mut_val *directive, yyjson_mut_val *map);

/* Merges `patch` into `original`, both objects; `ret_object` is one of the two, or new. */
KVS_MUST_USE int smp_merge_map(struct smp *s,
                               yyjson_mut_val *original,
                               yyjson_mut_val *patch,
                               const struct smp_type *type,
                               yyjson_mut_val **ret_object);

/* Makes the list `original` what `patch` makes of it. `is_delete`: `patch` lists what goes. */
KVS_MUST_USE int smp_merge_list(struct smp *s,
                                yyjson_mut_val *original,
                                yyjson_mut_val *patch,
                                const struct smp_rule *rule,
                                bool is_delete);

/* Merges (either may be NULL, not both) and brings the list into the order that `order`, a list,
 * asks for. `ret_list` is `original`, or `patch` if that is all there is. */
KVS_MUST_USE int smp_merge_ordered(struct smp *s,
                                   yyjson_mut_val *original,
                                   yyjson_mut_val *patch,
                                   yyjson_mut_val *order,
                                   const struct smp_rule *rule,
                                   yyjson_mut_val **ret_list);

/* The order list fits to what the patch says about the items. */
KVS_MUST_USE int
smp_check_order(struct smp *s, yyjson_mut_val *patch, yyjson_mut_val *order, struct kvs_view key);

/* Drops what carries a directive; false if `value` itself has to go. */
bool smp_drop_directives(yyjson_mut_val *value);

#endif
