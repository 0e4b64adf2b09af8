/* Strategic merge patches of arbitrary JSON: a target and a patch, separated by a NUL, the kind by
 * the first byte. Whatever is refused says why; depth stays within its limit; applying an object to
 * itself as a patch is allowed to refuse, never to break. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/json.h"
#include "kube/patch_strategic.h"
#include "kube/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static yyjson_mut_doc *fuzz_tree(const uint8_t *json, size_t size)
{
    struct kube_json_limits limits = kube_json_limits_default();
    yyjson_mut_doc *doc = NULL;

    return kube_json_read(view_make(json, size), &limits, kube_json_heap(), &doc, NULL) == 0 ? doc
                                                                                             : NULL;
}

static const struct kube_message *fuzz_type(uint8_t byte)
{
    static const char *const names[] = {"io.k8s.api.core.v1.Pod", "io.k8s.api.apps.v1.Deployment",
                                        "io.k8s.api.core.v1.Service", "io.k8s.api.core.v1.PodSpec"};

    return kube_message_find(view_str(names[byte % (sizeof names / sizeof names[0])]));
}

static void fuzz_apply(yyjson_mut_doc *doc, yyjson_mut_val *patch, const struct kube_message *type)
{
    yyjson_mut_val *result = NULL;
    struct buf why;
    int err;

    buf_init(&why);
    err = kube_patch_strategic(doc, type, yyjson_mut_doc_get_root(doc), patch, &result, &why);
    if (err == 0) {
        kvs_assert(yyjson_mut_is_obj(result));
        kvs_assert(kube_tree_depth_within(result, KUBE_TREE_DEPTH_MAX, NULL));
    } else {
        kvs_assert(why.len > 0 || err == KVS_E_INVALID || err == KVS_E_TOO_LONG);
    }
    buf_fini(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *middle = size > 1 ? memchr(data + 1, 0, size - 1) : NULL;
    yyjson_mut_doc *doc;
    yyjson_mut_doc *patch;

    if (middle == NULL) {
        return 0;
    }
    doc = fuzz_tree(data + 1, (size_t)(middle - data) - 1);
    patch = fuzz_tree(middle + 1, size - (size_t)(middle - data) - 1);
    if (doc != NULL && patch != NULL && yyjson_mut_is_obj(yyjson_mut_doc_get_root(doc))) {
        fuzz_apply(doc, yyjson_mut_doc_get_root(patch), fuzz_type(data[0]));
    }
    yyjson_mut_doc_free(doc);
    yyjson_mut_doc_free(patch);
    return 0;
}
