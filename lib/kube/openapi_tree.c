/* The pieces that OpenAPI documents are made of: trees whose texts are the tables' own. */
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/openapi_int.h"

void openapi_init(struct openapi *o, bool v3)
{
    memset(o, 0, sizeof *o);
    o->v3 = v3;
}

void openapi_fini(struct openapi *o)
{
    yyjson_mut_doc_free(o->doc);
    o->doc = NULL;
}

void openapi_piece(struct openapi *o)
{
    yyjson_mut_doc_free(o->doc);
    o->doc = kube_json_new(kube_json_heap());
    o->failed |= o->doc == NULL;
}

/* yyjson takes a NULL document as a failure, and NULL values in its turn. */
static yyjson_mut_val *openapi_made(struct openapi *o, yyjson_mut_val *value)
{
    o->failed |= value == NULL;
    return value;
}

yyjson_mut_val *openapi_object(struct openapi *o)
{
    return openapi_made(o, yyjson_mut_obj(o->doc));
}

yyjson_mut_val *openapi_array(struct openapi *o)
{
    return openapi_made(o, yyjson_mut_arr(o->doc));
}

yyjson_mut_val *openapi_text(struct openapi *o, const char *text)
{
    return openapi_made(o, yyjson_mut_str(o->doc, text));
}

yyjson_mut_val *openapi_copy(struct openapi *o, struct kvs_view text)
{
    return openapi_made(o, yyjson_mut_strncpy(o->doc, (const char *)text.data, text.len));
}

yyjson_mut_val *openapi_bool(struct openapi *o, bool value)
{
    return openapi_made(o, yyjson_mut_bool(o->doc, value));
}

yyjson_mut_val *openapi_json(struct openapi *o, const char *json)
{
    const struct kube_json_limits limits = kube_json_limits_default();
    yyjson_mut_val *value = NULL;
    int err;

    if (o->doc == NULL) {
        return NULL;
    }
    err = kube_json_read_into(o->doc, view_str(json), &limits, &value, NULL);
    kvs_assert(err == 0 || err == KVS_E_NOMEM);
    return openapi_made(o, value);
}

void openapi_put(struct openapi *o, yyjson_mut_val *object, const char *key, yyjson_mut_val *value)
{
    o->failed |= !yyjson_mut_obj_add_val(o->doc, object, key, value);
}

void openapi_put_text(struct openapi *o, yyjson_mut_val *object, const char *key, const char *text)
{
    openapi_put(o, object, key, openapi_text(o, text));
}

void openapi_add(struct openapi *o, yyjson_mut_val *array, yyjson_mut_val *value)
{
    o->failed |= !yyjson_mut_arr_append(array, value);
}

static void openapi_need(struct openapi *o, unsigned definition)
{
    kvs_assert(definition < OPENAPI_N_DEFINITIONS);
    if (!o->is_needed[definition]) {
        o->is_needed[definition] = true;
        o->needed[o->n_needed++] = (uint16_t)definition;
    }
}

yyjson_mut_val *openapi_ref(struct openapi *o, unsigned definition)
{
    yyjson_mut_val *ref = openapi_object(o);
    char text[160];
    int len = snprintf(text, sizeof text, "#/%s/%s", o->v3 ? "components/schemas" : "definitions",
                       openapi_definition_name(definition));

    kvs_assert(len > 0 && (size_t)len < sizeof text);
    openapi_need(o, definition);
    openapi_put(o, ref, "$ref", openapi_copy(o, view_make(text, (size_t)len)));
    return ref;
}
