#include "kube/patch_merge.h"

#include "base/assert.h"
#include "kube/tree.h"

static int merge_objects(yyjson_mut_doc *doc, yyjson_mut_val *target, yyjson_mut_val *patch);

/* What `patch` makes of nothing: objects without their nulls, all else as it is. */
static int merge_fresh(yyjson_mut_doc *doc, yyjson_mut_val *patch, yyjson_mut_val **ret_value)
{
    *ret_value =
        yyjson_mut_is_obj(patch) ? yyjson_mut_obj(doc) : yyjson_mut_val_mut_copy(doc, patch);
    if (*ret_value == NULL) {
        return KVS_E_NOMEM;
    }
    return yyjson_mut_is_obj(patch) ? merge_objects(doc, *ret_value, patch) : 0;
}

static int merge_value(yyjson_mut_doc *doc, yyjson_mut_val *target, yyjson_mut_val *patch)
{
    yyjson_mut_val *value;
    int err;

    if (yyjson_mut_is_obj(target) && yyjson_mut_is_obj(patch)) {
        return merge_objects(doc, target, patch);
    }
    err = merge_fresh(doc, patch, &value);
    if (err == 0) {
        kube_tree_assign(target, value);
    }
    return err;
}

/* Members that the target has. */
static int merge_present(yyjson_mut_doc *doc, yyjson_mut_val *target, struct kube_tree_index *patch)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(target);
    yyjson_mut_val *key;
    int err = 0;

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kube_tree_slot *slot = kube_tree_index_find(patch, kube_tree_text(key));

        if (slot == NULL) {
            continue;
        }
        slot->is_used = true;
        if (yyjson_mut_is_null(kube_tree_slot_value(slot))) {
            (void)yyjson_mut_obj_iter_remove(&it); /* The value stays in the document. */
        } else {
            err = merge_value(doc, yyjson_mut_obj_iter_get_val(key), kube_tree_slot_value(slot));
        }
    }
    return err;
}

/* Members that it does not have, in the order of the patch as far as that is known. */
static int merge_absent(yyjson_mut_doc *doc, yyjson_mut_val *target, struct kube_tree_index *patch)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < patch->count; i++) {
        struct kube_tree_slot *slot = &patch->slots[i];
        yyjson_mut_val *value;
        yyjson_mut_val *key;

        /* Of equal names the last counts. */
        if (slot->is_used || kube_tree_index_find(patch, slot->name) != slot ||
            yyjson_mut_is_null(kube_tree_slot_value(slot))) {
            continue;
        }
        err = merge_fresh(doc, kube_tree_slot_value(slot), &value);
        if (err == 0) {
            key = yyjson_mut_val_mut_copy(doc, slot->key);
            err = key != NULL && yyjson_mut_obj_add(target, key, value) ? 0 : KVS_E_NOMEM;
        }
    }
    return err;
}

static int merge_objects(yyjson_mut_doc *doc, yyjson_mut_val *target, yyjson_mut_val *patch)
{
    struct kube_tree_index index;
    int err = kube_tree_index_init(&index, patch);

    if (err == 0) {
        err = merge_present(doc, target, &index);
    }
    if (err == 0) {
        err = merge_absent(doc, target, &index);
    }
    kube_tree_index_fini(&index);
    return err;
}

static const char *merge_type_name(yyjson_mut_val *value)
{
    if (yyjson_mut_is_arr(value)) {
        return "array";
    }
    if (yyjson_mut_is_str(value)) {
        return "string";
    }
    return yyjson_mut_is_bool(value) ? "bool" : "number";
}

int kube_patch_merge(yyjson_mut_doc *doc,
                     yyjson_mut_val *target,
                     yyjson_mut_val *patch,
                     struct buf *why)
{
    kvs_assert(yyjson_mut_is_obj(target));
    if (!yyjson_mut_is_obj(patch)) {
        if (why != NULL && (patch == NULL || yyjson_mut_is_null(patch))) {
            buf_append_str(why, "Invalid JSON Patch");
        } else if (why != NULL) {
            buf_printf(why,
                       "error decoding patch: json: cannot unmarshal %s into Go value of type "
                       "map[string]interface {}",
                       merge_type_name(patch));
        }
        return KVS_E_MALFORMED;
    }
    if (!kube_tree_depth_within(patch, KUBE_TREE_DEPTH_MAX, NULL)) {
        return KVS_E_TOO_LONG;
    }
    return merge_objects(doc, target, patch);
}

/* ---- the patch between two objects ---- */

static int
diff_objects(yyjson_mut_doc *doc, yyjson_mut_val *from, yyjson_mut_val *to, yyjson_mut_val *patch);

static int
diff_add(yyjson_mut_doc *doc, yyjson_mut_val *patch, yyjson_mut_val *key, yyjson_mut_val *value)
{
    yyjson_mut_val *name = yyjson_mut_val_mut_copy(doc, key);

    return name != NULL && value != NULL && yyjson_mut_obj_add(patch, name, value) ? 0
                                                                                   : KVS_E_NOMEM;
}

static int
diff_member(yyjson_mut_doc *doc, yyjson_mut_val *key, yyjson_mut_val *from, yyjson_mut_val *patch)
{
    yyjson_mut_val *to = yyjson_mut_obj_iter_get_val(key);
    yyjson_mut_val *inner;
    bool equal = false;
    int err;

    if (yyjson_mut_is_obj(from) && yyjson_mut_is_obj(to)) {
        inner = yyjson_mut_obj(doc);
        err = inner == NULL ? KVS_E_NOMEM : diff_objects(doc, from, to, inner);
        if (err != 0 || yyjson_mut_obj_size(inner) == 0) {
            return err;
        }
        return diff_add(doc, patch, key, inner);
    }
    err = kube_tree_equal(from, to, &equal);
    if (err != 0 || equal) {
        return err;
    }
    return diff_add(doc, patch, key, yyjson_mut_val_mut_copy(doc, to));
}

/* Members that `to` has, against `from`'s. */
static int diff_present(yyjson_mut_doc *doc,
                        yyjson_mut_val *to,
                        struct kube_tree_index *from,
                        yyjson_mut_val *patch)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(to);
    yyjson_mut_val *key;
    int err = 0;

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kube_tree_slot *slot = kube_tree_index_find(from, kube_tree_text(key));

        if (yyjson_mut_is_null(yyjson_mut_obj_iter_get_val(key))) {
            continue; /* As if it were absent: removed below if `from` has it. */
        }
        if (slot != NULL) {
            slot->is_used = true;
        }
        err = diff_member(doc, key, slot != NULL ? kube_tree_slot_value(slot) : NULL, patch);
    }
    return err;
}

static int
diff_objects(yyjson_mut_doc *doc, yyjson_mut_val *from, yyjson_mut_val *to, yyjson_mut_val *patch)
{
    struct kube_tree_index index;
    int err = kube_tree_index_init(&index, from);

    if (err == 0) {
        err = diff_present(doc, to, &index, patch);
    }
    for (size_t i = 0; err == 0 && i < index.count; i++) {
        struct kube_tree_slot *slot = &index.slots[i];

        if (!slot->is_used && kube_tree_index_find(&index, slot->name) == slot) {
            err = diff_add(doc, patch, slot->key, yyjson_mut_null(doc));
        }
    }
    kube_tree_index_fini(&index);
    return err;
}

int kube_patch_merge_diff(yyjson_mut_doc *doc,
                          yyjson_mut_val *from,
                          yyjson_mut_val *to,
                          yyjson_mut_val **ret_patch)
{
    yyjson_mut_val *patch = yyjson_mut_obj(doc);
    int err;

    kvs_assert(yyjson_mut_is_obj(from) && yyjson_mut_is_obj(to));
    if (patch == NULL) {
        return KVS_E_NOMEM;
    }
    if (!kube_tree_depth_within(from, KUBE_TREE_DEPTH_MAX, NULL) ||
        !kube_tree_depth_within(to, KUBE_TREE_DEPTH_MAX, NULL)) {
        return KVS_E_TOO_LONG;
    }
    err = diff_objects(doc, from, to, patch);
    if (err == 0) {
        *ret_patch = patch;
    }
    return err;
}
