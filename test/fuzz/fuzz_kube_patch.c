/* Patches of arbitrary JSON: a target and a patch, separated by a NUL. Depth stays within its
 * limit, and a merge patch made from two objects turns the one into the other. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <yyjson.h>

#include "base/assert.h"
#include "kube/patch_json.h"
#include "kube/patch_merge.h"
#include "kube/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static yyjson_mut_doc *fuzz_tree(const uint8_t *json, size_t size)
{
    yyjson_doc *read = yyjson_read((const char *)json, size, YYJSON_READ_NOFLAG);
    yyjson_mut_doc *doc = yyjson_doc_mut_copy(read, NULL);

    yyjson_doc_free(read);
    return doc;
}

/* Duplicate members and nulls are beyond what a merge patch can say. */
static bool fuzz_is_plain(yyjson_mut_val *value)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(value);
    yyjson_mut_val *key;
    struct kube_tree_index index;
    bool plain = kube_tree_index_init(&index, value) == 0;

    while (plain && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        yyjson_mut_val *child = yyjson_mut_obj_iter_get_val(key);
        struct kube_tree_slot *slot = kube_tree_index_find(&index, kube_tree_text(key));

        plain =
            slot != NULL && slot->key == key && !yyjson_mut_is_null(child) && fuzz_is_plain(child);
    }
    kube_tree_index_fini(&index);
    return plain;
}

static void fuzz_diff(yyjson_mut_val *from, yyjson_mut_val *to)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *target = yyjson_mut_val_mut_copy(doc, from);
    yyjson_mut_val *patch = NULL;
    bool equal = false;

    kvs_assert(kube_patch_merge_diff(doc, from, to, &patch) == 0);
    kvs_assert(kube_patch_merge(doc, target, patch, NULL) == 0);
    kvs_assert(kube_tree_equal(target, to, &equal) == 0 && equal);
    yyjson_mut_doc_free(doc);
}

static void fuzz_patch(yyjson_mut_doc *doc, yyjson_mut_val *patch)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *changed = NULL;
    struct buf why;

    buf_init(&why);
    if (yyjson_mut_is_obj(root) && yyjson_mut_is_obj(patch)) {
        if (fuzz_is_plain(root) && fuzz_is_plain(patch)) {
            fuzz_diff(root, patch);
        }
        kvs_assert(kube_patch_merge(doc, root, patch, &why) == 0);
        kvs_assert(kube_tree_depth_within(root, KUBE_TREE_DEPTH_MAX, NULL));
    } else if (yyjson_mut_is_ctn(root)) {
        if (kube_patch_json(doc, root, patch, &changed, &why) == 0) {
            kvs_assert(kube_tree_depth_within(changed, KUBE_TREE_DEPTH_MAX, NULL));
        } else {
            kvs_assert(why.len > 0);
        }
    }
    buf_fini(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *middle = size > 0 ? memchr(data, 0, size) : NULL;
    size_t n = middle != NULL ? (size_t)(middle - data) : 0;
    yyjson_mut_doc *doc;
    yyjson_mut_doc *patch;

    if (middle == NULL) {
        return 0;
    }
    doc = fuzz_tree(data, n);
    patch = fuzz_tree(middle + 1, size - n - 1);
    if (doc != NULL && patch != NULL &&
        kube_tree_depth_within(yyjson_mut_doc_get_root(doc), KUBE_TREE_DEPTH_MAX, NULL) &&
        kube_tree_depth_within(yyjson_mut_doc_get_root(patch), KUBE_TREE_DEPTH_MAX, NULL)) {
        fuzz_patch(doc, yyjson_mut_doc_get_root(patch));
    }
    yyjson_mut_doc_free(doc);
    yyjson_mut_doc_free(patch);
    return 0;
}
