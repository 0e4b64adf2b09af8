/* Namespaces, nodes, secrets, limits: defaults and what is set in new ones. */
#include "base/alloc.h"
#include "kube/json_int.h"
#include "kube/object_meta.h"
#include "kube/strategy_int.h"

/* What is given as text becomes data, and is not kept: nobody reads it back. */
static void
secret_put(struct kube_edit *e, yyjson_mut_val *data, struct kvs_view key, struct kvs_view bytes)
{
    size_t len = kube_base64_size(bytes.len);
    char *text = kvs_malloc(len + 1);

    if (text == NULL) {
        e->failed = true;
        return;
    }
    kube_base64_encode(text, bytes);
    edit_map(e, data, key, view_make(text, len));
    kvs_free(text);
}

void secret_default(struct kube_edit *e, yyjson_mut_val *secret)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(kube_json_get(secret, "stringData"));
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        secret_put(e, edit_object(e, secret, "data"), kube_json_str(key),
                   kube_json_str(yyjson_mut_obj_iter_get_val(key)));
    }
    (void)yyjson_mut_obj_remove_key(secret, "stringData");
    edit_default_text(e, secret, "type", "Opaque");
}

/* --- namespaces ------------------------------------------------------------------------------- */

void namespace_default(struct kube_edit *e, yyjson_mut_val *object)
{
    static const char label[] = "kubernetes.io/metadata.name";
    struct kvs_view name = kube_meta_name(object);

    edit_default_text(e, edit_object(e, object, "status"), "phase", "Active");
    if (name.len > 0) {
        yyjson_mut_val *metadata = edit_object(e, object, "metadata");

        edit_map(e, edit_object(e, metadata, "labels"), view_str(label), name);
    }
}

static bool list_has(yyjson_mut_val *list, const char *text)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;

    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        if (view_equal_str(kube_json_str(item), text)) {
            return true;
        }
    }
    return false;
}

/* The name may have been generated since the defaults were set. */
void namespace_prepare_create(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *spec = edit_object(e, object, "spec");

    namespace_default(e, object);
    if (list_has(kube_json_get(spec, "finalizers"), "kubernetes")) {
        return;
    }
    edit_default_list(e, spec, "finalizers", "kubernetes");
    if (!e->failed && !list_has(kube_json_get(spec, "finalizers"), "kubernetes") &&
        !yyjson_mut_arr_add_str(e->doc, kube_json_get(spec, "finalizers"), "kubernetes")) {
        e->failed = true;
    }
}

/* Finalizers of the specification are changed through their subresource. */
void namespace_prepare_update(struct kube_edit *e, yyjson_mut_val *object, yyjson_mut_val *old)
{
    if (e->change->sub == KUBE_SUB_NONE) {
        edit_copy(e, edit_object(e, object, "spec"), "finalizers",
                  kube_json_get(kube_json_get(old, "spec"), "finalizers"));
    }
}

/* --- nodes ------------------------------------------------------------------------------------ */

void node_default(struct kube_edit *e, yyjson_mut_val *node)
{
    yyjson_mut_val *status = kube_json_get(node, "status");
    yyjson_mut_val *capacity = kube_json_get(status, "capacity");

    if (!strategy_is_empty(capacity) && strategy_is_empty(kube_json_get(status, "allocatable"))) {
        edit_copy(e, status, "allocatable", capacity);
    }
}

/* --- limits ----------------------------------------------------------------------------------- */

static void limit_default(struct kube_edit *e, yyjson_mut_val *item)
{
    if (strategy_is(item, "type", "Container")) {
        edit_fill(e, item, "default", "max");
        edit_fill(e, item, "defaultRequest", "default");
        edit_fill(e, item, "defaultRequest", "min");
    }
}

void limit_range_default(struct kube_edit *e, yyjson_mut_val *object)
{
    edit_each(e, kube_json_get(object, "spec"), "limits", limit_default);
}
