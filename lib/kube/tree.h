/* What JSON trees need beyond yyjson: look-ups in large objects, equality, depth.
 *
 * yyjson keeps members in a ring and finds them by walking it. A request may hold hundreds of
 * thousands of members, so whatever compares two objects goes through an index. */
#ifndef KUBE_TREE_H
#define KUBE_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include <yyjson.h>

#include "base/attr.h"
#include "base/view.h"

/* Deepest nesting of objects and lists that is dealt with: what recurses here stops there, and no
 * patch makes an object that the reader of JSON would refuse (200 levels with the innermost
 * value). */
#define KUBE_TREE_DEPTH_MAX 199

struct kube_tree_slot {
    struct kvs_view name;
    yyjson_mut_val *key; /* its value is `key->next` */
    size_t order;        /* position in the object */
    bool is_used;        /* for the caller */
};

#define KUBE_TREE_SMALL 16

struct kube_tree_index {
    struct kube_tree_slot *slots; /* sorted by name if it is not `small` */
    size_t count;
    struct kube_tree_slot small[KUBE_TREE_SMALL];
};

/* Indexes an object's members, which have to stay while it is used; of equal names the last is
 * found. Anything but an object has no members. KVS_E_NOMEM. Ended with fini. Any thread, as all of
 * this file. */
KVS_MUST_USE int kube_tree_index_init(struct kube_tree_index *index, yyjson_mut_val *object);
void kube_tree_index_fini(struct kube_tree_index *index);

/* NULL if absent. */
struct kube_tree_slot *kube_tree_index_find(struct kube_tree_index *index, struct kvs_view name);

static inline yyjson_mut_val *kube_tree_slot_value(const struct kube_tree_slot *slot)
{
    return yyjson_mut_obj_iter_get_val(slot->key);
}

/* The text of a string; empty for anything else. Borrowed. */
static inline struct kvs_view kube_tree_text(yyjson_mut_val *value)
{
    if (!yyjson_mut_is_str(value)) {
        return view_make("", 0);
    }
    return view_make(yyjson_mut_get_str(value), yyjson_mut_get_len(value));
}

/* Value of a member, or NULL. */
static inline yyjson_mut_val *kube_tree_get(yyjson_mut_val *object, struct kvs_view name)
{
    return yyjson_mut_obj_getn(object, name.data, name.len);
}

/* True if lists and objects nest at most `max` deep. `visited` (may be NULL) grows by the number of
 * values looked at. */
bool kube_tree_depth_within(yyjson_mut_val *value, unsigned max, size_t *visited);

/* True in `ret_equal` if both are the same: members in any order, list items in order, 1 and 1.0
 * different. NULL equals NULL only. KVS_E_NOMEM; KVS_E_TOO_LONG beyond KUBE_TREE_DEPTH_MAX. */
KVS_MUST_USE int kube_tree_equal(yyjson_mut_val *a, yyjson_mut_val *b, bool *ret_equal);

/* Makes the value at `to` what `from` is, keeping the place of `to` in its parent. `from` is a
 * value of the same document without a parent, and not used afterwards. */
void kube_tree_assign(yyjson_mut_val *to, yyjson_mut_val *from);

/* Sets a member, replacing the value in place or appending. Copies `name` into `doc`; takes
 * `value`. KVS_E_NOMEM. */
KVS_MUST_USE int kube_tree_set(yyjson_mut_doc *doc,
                               yyjson_mut_val *object,
                               struct kvs_view name,
                               yyjson_mut_val *value);

#endif
