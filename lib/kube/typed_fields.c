/* Typed trees: the fields of an object, and what two objects differ in. */
#include "base/assert.h"
#include "kube/tree.h"
#include "kube/typed_int.h"

/* ---- the fields of an object ---- */

static int fields_of(const struct kube_typed *t,
                     const struct typed_at *at,
                     yyjson_mut_val *value,
                     struct kube_field_node *node);

/* Every entry of maps and lists is a member; of structs those that have nothing below them. */
static int fields_below(const struct kube_typed *t,
                        const struct typed_at *at,
                        yyjson_mut_val *value,
                        const struct kube_field_set **ret_set)
{
    struct typed_entries entries;
    struct kube_field_node *nodes;
    int err = typed_entries_of(t, at, value, &entries);

    if (err != 0) {
        return err;
    }
    nodes = arena_calloc(t->arena, entries.n + 1, sizeof *nodes);
    err = nodes == NULL ? KVS_E_NOMEM : 0;
    for (size_t i = 0; err == 0 && i < entries.n; i++) {
        const struct typed_at below = typed_below(at, &entries.at[i].element);
        yyjson_mut_val *child = entries.at[i].value;

        nodes[i].element = entries.at[i].element;
        nodes[i].is_member = at->shape != TYPED_STRUCT || yyjson_mut_is_null(child) ||
                             (yyjson_mut_is_obj(child) && yyjson_mut_obj_size(child) == 0);
        err = fields_of(t, &below, child, &nodes[i]);
    }
    return err != 0 ? err : kube_field_set_make(t->arena, nodes, entries.n, ret_set);
}

static int fields_of(const struct kube_typed *t,
                     const struct typed_at *at,
                     yyjson_mut_val *value,
                     struct kube_field_node *node)
{
    if (at->shape == TYPED_LEAF) {
        node->is_member = true;
        return 0;
    }
    return fields_below(t, at, value, &node->below);
}

int kube_typed_fields(const struct kube_typed *t,
                      const struct kube_message *type,
                      yyjson_mut_val *object,
                      const struct kube_field_set **ret_set)
{
    const struct typed_at root = typed_root(type);

    if (!kube_tree_depth_within(object, KUBE_TREE_DEPTH_MAX, NULL)) {
        return KVS_E_TOO_LONG;
    }
    return fields_below(t, &root, object, ret_set);
}

/* ---- two objects ---- */

/* Of one element in each of the three sets. */
struct difference {
    struct kube_field_node removed;
    struct kube_field_node modified;
    struct kube_field_node added;
};

static int compare_values(const struct kube_typed *t,
                          const struct typed_at *at,
                          yyjson_mut_val *from,
                          yyjson_mut_val *to,
                          struct difference *d);

static void compare_leaves(yyjson_mut_val *from, yyjson_mut_val *to, struct difference *d)
{
    d->added.is_member = from == NULL;
    d->removed.is_member = from != NULL && to == NULL;
    d->modified.is_member = from != NULL && to != NULL && !kube_json_equal(from, to);
}

/* The entries of both, one after the other. */
struct pairs {
    struct typed_entries from;
    struct typed_entries to;
    struct kube_field_node *nodes[3];
    size_t n;
};

static int compare_entry(const struct kube_typed *t,
                         const struct typed_at *at,
                         const struct kube_element *element,
                         yyjson_mut_val *const values[2],
                         struct pairs *pairs)
{
    const struct typed_at below = typed_below(at, element);
    struct difference d = {{.element = *element}, {.element = *element}, {.element = *element}};
    int err = compare_values(t, &below, values[0], values[1], &d);

    pairs->nodes[0][pairs->n] = d.removed;
    pairs->nodes[1][pairs->n] = d.modified;
    pairs->nodes[2][pairs->n] = d.added;
    pairs->n++;
    return err;
}

static int pairs_init(const struct kube_typed *t,
                      const struct typed_at *at,
                      yyjson_mut_val *from,
                      yyjson_mut_val *to,
                      struct pairs *pairs)
{
    int err = typed_entries_of(t, at, from, &pairs->from);

    pairs->n = 0;
    if (err == 0) {
        err = typed_entries_of(t, at, to, &pairs->to);
    }
    for (int i = 0; err == 0 && i < 3; i++) {
        pairs->nodes[i] =
            arena_calloc(t->arena, pairs->from.n + pairs->to.n + 1, sizeof *pairs->nodes[i]);
        err = pairs->nodes[i] == NULL ? KVS_E_NOMEM : 0;
    }
    return err;
}

static int compare_below(const struct kube_typed *t,
                         const struct typed_at *at,
                         yyjson_mut_val *from,
                         yyjson_mut_val *to,
                         struct difference *d)
{
    const struct kube_field_set **sets[3] = {&d->removed.below, &d->modified.below,
                                             &d->added.below};
    struct pairs pairs;
    int err = pairs_init(t, at, from, to, &pairs);

    for (size_t i = 0; err == 0 && i < pairs.from.n; i++) {
        const struct kube_element *element = &pairs.from.at[i].element;
        const struct typed_entry *other = typed_entries_find(&pairs.to, element);
        yyjson_mut_val *values[2] = {pairs.from.at[i].value, other == NULL ? NULL : other->value};

        err = compare_entry(t, at, element, values, &pairs);
    }
    for (size_t i = 0; err == 0 && i < pairs.to.n; i++) {
        const struct kube_element *element = &pairs.to.at[i].element;
        yyjson_mut_val *values[2] = {NULL, pairs.to.at[i].value};

        if (typed_entries_find(&pairs.from, element) == NULL) {
            err = compare_entry(t, at, element, values, &pairs);
        }
    }
    for (int i = 0; err == 0 && i < 3; i++) {
        err = kube_field_set_make(t->arena, pairs.nodes[i], pairs.n, sets[i]);
    }
    return err;
}

static int compare_values(const struct kube_typed *t,
                          const struct typed_at *at,
                          yyjson_mut_val *from,
                          yyjson_mut_val *to,
                          struct difference *d)
{
    if (at->shape == TYPED_LEAF || (typed_is_empty(from) && typed_is_empty(to))) {
        compare_leaves(from, to, d);
        return 0;
    }
    d->added.is_member = from == NULL;
    d->removed.is_member = to == NULL;
    return compare_below(t, at, from, to, d);
}

int kube_typed_compare(const struct kube_typed *t,
                       const struct kube_message *type,
                       yyjson_mut_val *from,
                       yyjson_mut_val *to,
                       struct kube_comparison *ret_comparison)
{
    const struct typed_at root = typed_root(type);
    struct difference d = {0};
    int err;

    kvs_assert(from != NULL && to != NULL);
    if (!kube_tree_depth_within(from, KUBE_TREE_DEPTH_MAX, NULL) ||
        !kube_tree_depth_within(to, KUBE_TREE_DEPTH_MAX, NULL)) {
        return KVS_E_TOO_LONG;
    }
    err = compare_below(t, &root, from, to, &d);
    if (err == 0) {
        *ret_comparison =
            (struct kube_comparison){d.removed.below, d.modified.below, d.added.below};
    }
    return err;
}

/* ---- named fields ---- */

static int ensure_named(const struct kube_typed *t,
                        const struct typed_at *at,
                        const struct kube_field_set *set,
                        const struct kube_field_set **ret_set)
{
    struct kube_field_node *nodes;
    int err = 0;

    if (set == NULL) {
        *ret_set = NULL;
        return 0;
    }
    nodes = arena_calloc(t->arena, set->n, sizeof *nodes);
    if (nodes == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; err == 0 && i < set->n; i++) {
        const struct kube_element *element = &set->nodes[i].element;
        struct typed_at below = {TYPED_LEAF, NULL, NULL};
        bool known = false;

        nodes[i] = set->nodes[i];
        if (element->kind == KUBE_ELEMENT_FIELD && !typed_is_list(at)) {
            below = typed_member(at, element->name, &known);
            known = known && at->shape == TYPED_STRUCT;
        } else if (element->kind == KUBE_ELEMENT_KEY && at->shape == TYPED_KEYED) {
            below = typed_item(at);
        }
        nodes[i].is_member = nodes[i].is_member || known;
        err = ensure_named(t, &below, set->nodes[i].below, &nodes[i].below);
    }
    return err != 0 ? err : kube_field_set_make(t->arena, nodes, set->n, ret_set);
}

int kube_typed_ensure_named(const struct kube_typed *t,
                            const struct kube_message *type,
                            const struct kube_field_set *set,
                            const struct kube_field_set **ret_set)
{
    const struct typed_at root = typed_root(type);

    return ensure_named(t, &root, set, ret_set);
}
