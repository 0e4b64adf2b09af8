/* Empty values: what Go leaves out, and what it writes for a field that nobody set. */
#include <string.h>

#include "base/assert.h"
#include "kube/decode_int.h"
#include "kube/schema_sizes.h"

static bool is_wrapper(const struct kube_field *f)
{
    return f->type == KUBE_TYPE_MESSAGE &&
           (kube_field_message(f)->flags & KUBE_MESSAGE_IS_LIST) != 0;
}

bool kube_decode_may_be_null(const struct kube_field *f, bool element)
{
    if (!element && (f->shape != KUBE_SHAPE_ONE || (f->flags & KUBE_FIELD_POINTER) != 0)) {
        return true;
    }
    switch (f->type) {
    case KUBE_TYPE_BYTES:
    case KUBE_TYPE_TIME:
    case KUBE_TYPE_MICRO_TIME:
    case KUBE_TYPE_RAW:
    case KUBE_TYPE_FIELDS_V1:
    case KUBE_TYPE_ANY:
        return true;
    default:
        return is_wrapper(f);
    }
}

bool kube_decode_is_empty(const struct kube_field *f, yyjson_mut_val *value)
{
    if (value == NULL) {
        return true;
    }
    if ((f->flags & KUBE_FIELD_POINTER) != 0) {
        return yyjson_mut_is_null(value);
    }
    if (f->shape != KUBE_SHAPE_ONE || is_wrapper(f)) {
        return yyjson_mut_is_null(value) || unsafe_yyjson_get_len(value) == 0;
    }
    switch (f->type) {
    case KUBE_TYPE_BOOL:
        return yyjson_mut_is_false(value);
    case KUBE_TYPE_INT32:
    case KUBE_TYPE_INT64:
        return yyjson_mut_is_int(value) && yyjson_mut_get_uint(value) == 0;
    case KUBE_TYPE_STRING:
    case KUBE_TYPE_BYTES:
        return yyjson_mut_is_null(value) || yyjson_mut_get_len(value) == 0;
    case KUBE_TYPE_ANY:
        return yyjson_mut_is_null(value);
    default:
        return false; /* structs, to Go */
    }
}

/* A missing field that has to be there all the same. */
static bool is_due(const struct kube_field *f)
{
    if ((f->flags & KUBE_FIELD_OMITEMPTY) == 0) {
        return true;
    }
    if (f->shape != KUBE_SHAPE_ONE || (f->flags & KUBE_FIELD_POINTER) != 0) {
        return false;
    }
    switch (f->type) {
    case KUBE_TYPE_BOOL:
    case KUBE_TYPE_INT32:
    case KUBE_TYPE_INT64:
    case KUBE_TYPE_STRING:
    case KUBE_TYPE_BYTES:
    case KUBE_TYPE_ANY:
        return false;
    default:
        return !is_wrapper(f);
    }
}

int kube_decode_set_zero(yyjson_mut_doc *doc, const struct kube_field *f, yyjson_mut_val *value)
{
    static yyjson_mut_val *const nothing[KUBE_N_FLAT_MAX];

    switch (f->type) {
    case KUBE_TYPE_BOOL:
        (void)yyjson_mut_set_bool(value, false);
        return 0;
    case KUBE_TYPE_INT32:
    case KUBE_TYPE_INT64:
    case KUBE_TYPE_INT_OR_STRING:
        (void)yyjson_mut_set_uint(value, 0);
        return 0;
    case KUBE_TYPE_STRING:
        (void)yyjson_mut_set_str(value, "");
        return 0;
    case KUBE_TYPE_QUANTITY:
        (void)yyjson_mut_set_str(value, "0");
        return 0;
    case KUBE_TYPE_MESSAGE:
        if (!is_wrapper(f)) {
            (void)yyjson_mut_set_obj(value);
            return kube_decode_arrange(doc, kube_field_message(f), value, nothing, nothing);
        }
        break;
    default:
        break;
    }
    (void)yyjson_mut_set_null(value);
    return 0;
}

yyjson_mut_val *kube_decode_zero(yyjson_mut_doc *doc, const struct kube_field *f)
{
    yyjson_mut_val *value = yyjson_mut_null(doc);

    if (value == NULL || kube_decode_may_be_null(f, false)) {
        return value;
    }
    return kube_decode_set_zero(doc, f, value) == 0 ? value : NULL;
}

int kube_decode_arrange(yyjson_mut_doc *doc,
                        const struct kube_message *m,
                        yyjson_mut_val *object,
                        yyjson_mut_val *const *keys,
                        yyjson_mut_val *const *values)
{
    (void)yyjson_mut_obj_clear(object);
    for (size_t pos = 0; pos < m->n_flat; pos++) {
        const struct kube_field *f = kube_field_flat(m, pos);
        bool omit = (f->flags & KUBE_FIELD_OMITEMPTY) != 0;
        yyjson_mut_val *key = keys[pos];
        yyjson_mut_val *value = values[pos];

        if (value != NULL ? omit && kube_decode_is_empty(f, value) : !is_due(f)) {
            continue;
        }
        key = key != NULL ? key : yyjson_mut_str(doc, kube_field_name(f));
        value = value != NULL ? value : kube_decode_zero(doc, f);
        if (key == NULL || value == NULL || !yyjson_mut_obj_add(object, key, value)) {
            return KVS_E_NOMEM;
        }
    }
    return 0;
}
