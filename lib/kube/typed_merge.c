/* Typed trees: merging one object into another, and taking fields out. */
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/tree.h"
#include "kube/typed_int.h"

/* ---- merging ---- */

static int merge_value(const struct kube_typed *t,
                       const struct typed_at *at,
                       yyjson_mut_val *to,
                       yyjson_mut_val *from);

static int merge_copy(const struct kube_typed *t, yyjson_mut_val *to, yyjson_mut_val *from)
{
    yyjson_mut_val *copy = kube_json_copy(t->doc, from);

    if (copy == NULL) {
        return KVS_E_NOMEM;
    }
    kube_tree_assign(to, copy);
    return 0;
}

static int merge_members(const struct kube_typed *t,
                         const struct typed_at *at,
                         yyjson_mut_val *to,
                         yyjson_mut_val *from)
{
    struct typed_entries present;
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(from);
    yyjson_mut_val *key;
    int err = typed_entries_of(t, at, to, &present);

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        const struct kube_element element = {.name = kube_json_str(key)};
        const struct typed_at below = typed_below(at, &element);
        struct typed_entry *entry = typed_entries_find(&present, &element);

        if (entry != NULL) {
            err = merge_value(t, &below, entry->value, yyjson_mut_obj_iter_get_val(key));
        } else {
            yyjson_mut_val *name = kube_json_copy(t->doc, key);
            yyjson_mut_val *value = kube_json_copy(t->doc, yyjson_mut_obj_iter_get_val(key));

            err = name != NULL && value != NULL && yyjson_mut_obj_add(to, name, value)
                      ? 0
                      : KVS_E_NOMEM;
        }
    }
    return err;
}

/* The two lists in their own order, each item once. */
struct merge_lists {
    struct typed_entries to; /* sorted, to find them */
    struct typed_entries from;
    struct typed_entry **to_order;
    struct typed_entry **from_order;
    yyjson_mut_val *out;
};

static int merge_order(const struct kube_typed *t,
                       struct typed_entries *entries,
                       size_t n_items,
                       struct typed_entry ***ret_order)
{
    struct typed_entry **order = arena_calloc(t->arena, n_items + entries->n + 2, sizeof *order);
    size_t n = 0;

    if (order == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < entries->n; i++) { /* by place: each has one of its own */
        order[entries->at[i].at] = &entries->at[i];
    }
    for (size_t i = 0; i < n_items; i++) {
        if (order[i] != NULL) {
            order[n++] = order[i];
        }
    }
    kvs_assert(n == entries->n);
    *ret_order = order;
    return 0;
}

static int merge_emit(const struct kube_typed *t,
                      const struct typed_at *at,
                      struct merge_lists *l,
                      struct typed_entry *to,
                      struct typed_entry *from)
{
    const struct typed_at item = typed_item(at);
    yyjson_mut_val *value = to != NULL ? to->value : kube_json_copy(t->doc, from->value);
    int err = 0;

    if (value == NULL) {
        return KVS_E_NOMEM;
    }
    if (to != NULL && from != NULL) {
        err = merge_value(t, &item, value, from->value);
    }
    return err == 0 && !yyjson_mut_arr_append(l->out, value) ? KVS_E_NOMEM : err;
}

/* The order is the patch's; items that only the object has stay behind those that they followed. */
static int merge_walk(const struct kube_typed *t, const struct typed_at *at, struct merge_lists *l)
{
    size_t i = 0;
    size_t j = 0;
    size_t shared = 0; /* the next item of the patch that the object has, too */
    int err = 0;

    while (err == 0 && (i < l->to.n || j < l->from.n)) {
        struct typed_entry *left = i < l->to.n ? l->to_order[i] : NULL;
        struct typed_entry *right = j < l->from.n ? l->from_order[j] : NULL;
        struct typed_entry *twin =
            left == NULL ? NULL : typed_entries_find(&l->from, &left->element);

        while (
            shared < l->from.n &&
            (shared < j || typed_entries_find(&l->to, &l->from_order[shared]->element) == NULL)) {
            shared++;
        }
        if (left != NULL && right != NULL && twin == right) {
            err = merge_emit(t, at, l, left, right);
            i++;
            j++;
        } else if (left != NULL && right != NULL && twin != NULL && shared < l->from.n &&
                   twin != l->from_order[shared]) {
            i++; /* It comes with the patch's item. */
        } else if (left != NULL && twin == NULL) {
            err = merge_emit(t, at, l, left, NULL);
            i++;
        } else if (right != NULL) {
            err = merge_emit(t, at, l, typed_entries_find(&l->to, &right->element), right);
            j++;
        } else {
            i++; /* The patch's items are through: this one was among them. */
        }
    }
    return err;
}

static int merge_items(const struct kube_typed *t,
                       const struct typed_at *at,
                       yyjson_mut_val *to,
                       yyjson_mut_val *from)
{
    struct merge_lists l = {.out = yyjson_mut_arr(t->doc)};
    int err = l.out == NULL ? KVS_E_NOMEM : typed_entries_of(t, at, to, &l.to);

    if (err == 0) {
        err = typed_entries_of(t, at, from, &l.from);
    }
    if (err == 0) {
        err = merge_order(t, &l.to, yyjson_mut_arr_size(to), &l.to_order);
    }
    if (err == 0) {
        err = merge_order(t, &l.from, yyjson_mut_arr_size(from), &l.from_order);
    }
    if (err == 0) {
        err = merge_walk(t, at, &l);
    }
    if (err == 0) {
        kube_tree_assign(to, l.out);
    }
    return err;
}

static int merge_value(const struct kube_typed *t,
                       const struct typed_at *at,
                       yyjson_mut_val *to,
                       yyjson_mut_val *from)
{
    if (at->shape == TYPED_LEAF || typed_is_empty(to)) {
        return merge_copy(t, to, from);
    }
    if (typed_is_empty(from)) {
        return 0;
    }
    return typed_is_list(at) ? merge_items(t, at, to, from) : merge_members(t, at, to, from);
}

int kube_typed_merge(const struct kube_typed *t,
                     const struct kube_message *type,
                     yyjson_mut_val *object,
                     yyjson_mut_val *patch)
{
    const struct typed_at root = typed_root(type);

    kvs_assert(yyjson_mut_is_obj(object) && yyjson_mut_is_obj(patch));
    if (!kube_tree_depth_within(object, KUBE_TREE_DEPTH_MAX, NULL) ||
        !kube_tree_depth_within(patch, KUBE_TREE_DEPTH_MAX, NULL)) {
        return KVS_E_TOO_LONG;
    }
    return merge_members(t, &root, object, patch);
}

/* ---- taking out ---- */

static int remove_below(const struct kube_typed *t,
                        const struct typed_at *at,
                        yyjson_mut_val *value,
                        const struct kube_field_set *set);

/* True in `ret_gone`: the entry itself has to go. */
static int remove_entry(const struct kube_typed *t,
                        const struct typed_at *at,
                        const struct kube_element *element,
                        yyjson_mut_val *value,
                        const struct kube_field_set *set,
                        bool *ret_gone)
{
    const struct kube_field_node *node = kube_field_set_find(set, element);
    const struct typed_at below = typed_below(at, element);

    *ret_gone = node != NULL && node->is_member;
    return node == NULL || *ret_gone || node->below == NULL
               ? 0
               : remove_below(t, &below, value, node->below);
}

static int remove_members(const struct kube_typed *t,
                          const struct typed_at *at,
                          yyjson_mut_val *map,
                          const struct kube_field_set *set)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(map);
    yyjson_mut_val *key;
    int err = 0;

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        const struct kube_element element = {.name = kube_json_str(key)};
        bool gone;

        err = remove_entry(t, at, &element, yyjson_mut_obj_iter_get_val(key), set, &gone);
        if (err == 0 && gone) {
            (void)yyjson_mut_obj_iter_remove(&it);
        }
    }
    return err;
}

static int remove_items(const struct kube_typed *t,
                        const struct typed_at *at,
                        yyjson_mut_val *list,
                        const struct kube_field_set *set)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;
    int err = 0;

    while (err == 0 && (item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        struct kube_element element;
        bool gone = false;

        err = typed_element(t, at, item, &element, NULL);
        if (err == KVS_E_INVALID) {
            err = 0;
            continue;
        }
        if (err == 0) {
            err = remove_entry(t, at, &element, item, set, &gone);
        }
        if (err == 0 && gone) {
            (void)yyjson_mut_arr_iter_remove(&it);
        }
    }
    return err;
}

/* What has nothing left is null: whether that stays is up to the type. */
static int remove_below(const struct kube_typed *t,
                        const struct typed_at *at,
                        yyjson_mut_val *value,
                        const struct kube_field_set *set)
{
    int err = 0;

    if (!yyjson_mut_is_ctn(value)) {
        return 0;
    }
    if (at->shape == TYPED_LEAF) {
        (void)yyjson_mut_set_null(value);
        return 0;
    }
    if (yyjson_mut_is_arr(value) && typed_is_list(at)) {
        err = remove_items(t, at, value, set);
    } else if (yyjson_mut_is_obj(value) && !typed_is_list(at)) {
        err = remove_members(t, at, value, set);
    }
    if (err == 0 && yyjson_mut_get_len(value) == 0) {
        (void)yyjson_mut_set_null(value);
    }
    return err;
}

int kube_typed_remove(const struct kube_typed *t,
                      const struct kube_message *type,
                      yyjson_mut_val *object,
                      const struct kube_field_set *set)
{
    const struct typed_at root = typed_root(type);

    return set == NULL ? 0 : remove_members(t, &root, object, set);
}
