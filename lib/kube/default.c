/* Defaults that the API's types state in their markers. The rest of Kubernetes' defaulting depends
 * on more than the field, and is code elsewhere. */
#include "base/view.h"
#include "kube/decode_int.h"
#include "kube/schema_sizes.h"

static int default_message(yyjson_mut_doc *doc,
                           const struct kube_message *m,
                           yyjson_mut_val *object,
                           unsigned depth);

static int default_values(yyjson_mut_doc *doc,
                          const struct kube_field *f,
                          yyjson_mut_val *value,
                          unsigned depth)
{
    const struct kube_message *inner = kube_field_message(f);
    yyjson_mut_arr_iter elements;
    yyjson_mut_obj_iter members;
    yyjson_mut_val *next;
    int err = 0;

    if (inner == NULL || (inner->flags & KUBE_MESSAGE_IS_LIST) != 0) {
        return 0;
    }
    if (f->shape == KUBE_SHAPE_ONE) {
        return default_message(doc, inner, value, depth);
    }
    elements = yyjson_mut_arr_iter_with(value);
    while (err == 0 && (next = yyjson_mut_arr_iter_next(&elements)) != NULL) {
        err = default_message(doc, inner, next, depth);
    }
    members = yyjson_mut_obj_iter_with(value);
    while (err == 0 && (next = yyjson_mut_obj_iter_next(&members)) != NULL) {
        err = default_message(doc, inner, yyjson_mut_obj_iter_get_val(next), depth);
    }
    return err;
}

/* A pointer is set where it is absent, anything else where it is empty: Go cannot tell these
 * apart. */
static int set_default(yyjson_mut_doc *doc, const struct kube_field *f, yyjson_mut_val **value)
{
    const char *text = kube_field_default(f);
    struct kube_json_limits limits = kube_json_limits_default();

    if (text == NULL || (*value != NULL && !kube_decode_is_empty(f, *value))) {
        return 0;
    }
    return kube_json_read_into(doc, view_str(text), &limits, value, NULL);
}

static int default_message(yyjson_mut_doc *doc,
                           const struct kube_message *m,
                           yyjson_mut_val *object,
                           unsigned depth)
{
    yyjson_mut_val *keys[KUBE_N_FLAT_MAX] = {NULL};
    yyjson_mut_val *values[KUBE_N_FLAT_MAX] = {NULL};
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(object);
    yyjson_mut_val *key;
    size_t hint = 0;
    bool changed = false;
    int err = 0;

    if (depth == KUBE_DECODE_DEPTH_MAX) {
        return KVS_E_TOO_LONG;
    }
    if (!yyjson_mut_is_obj(object)) {
        return 0;
    }
    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        int pos = kube_field_find(m, kube_json_str(key), hint);

        if (pos >= 0) {
            keys[pos] = key;
            values[pos] = yyjson_mut_obj_iter_get_val(key);
            hint = (size_t)pos + 1;
        }
    }
    for (size_t pos = 0; err == 0 && pos < m->n_flat; pos++) {
        const struct kube_field *f = kube_field_flat(m, pos);
        yyjson_mut_val *before = values[pos];

        err = set_default(doc, f, &values[pos]);
        changed = changed || values[pos] != before;
        if (err == 0 && values[pos] != NULL) {
            err = default_values(doc, f, values[pos], depth + 1);
        }
    }
    return err == 0 && changed ? kube_decode_arrange(doc, m, object, keys, values) : err;
}

int kube_default(yyjson_mut_doc *doc, const struct kube_message *message, yyjson_mut_val *value)
{
    return default_message(doc, message, value, 0);
}
