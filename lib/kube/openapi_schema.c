/* Definitions: what OpenAPI says of a message of the tables.
 *
 * Where v3 and v2 differ: v3 has defaults, and puts a reference that has company into an allOf; v2
 * has neither. */
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/openapi_int.h"

const char *openapi_definition_name(unsigned definition)
{
    kvs_assert(definition < OPENAPI_N_DEFINITIONS);
    return definition < KUBE_N_MESSAGES
               ? kube_message_name(kube_message_at(definition))
               : openapi_special_name((enum openapi_special)(definition - KUBE_N_MESSAGES));
}

yyjson_mut_val *
openapi_gvk(struct openapi *o, const char *group, const char *version, const char *kind)
{
    yyjson_mut_val *gvk = openapi_object(o);

    openapi_put_text(o, gvk, "group", group);
    openapi_put_text(o, gvk, "version", version);
    openapi_put_text(o, gvk, "kind", kind);
    return gvk;
}

/* --- one value -------------------------------------------------------------------------------- */

/* How a type is said; a format may be missing. */
static const struct {
    const char *type; /* NULL: a reference */
    const char *format;
    const char *zero; /* JSON that v3 names as the default of a value that is always there */
    enum openapi_special special;
} openapi_types[KUBE_TYPE_COUNT] = {
    [KUBE_TYPE_BOOL] = {"boolean", NULL, "false", 0},
    [KUBE_TYPE_INT32] = {"integer", "int32", "0", 0},
    [KUBE_TYPE_INT64] = {"integer", "int64", "0", 0},
    [KUBE_TYPE_STRING] = {"string", NULL, "\"\"", 0},
    [KUBE_TYPE_BYTES] = {"string", "byte", NULL, 0},
    [KUBE_TYPE_MESSAGE] = {NULL, NULL, "{}", 0},
    [KUBE_TYPE_QUANTITY] = {NULL, NULL, NULL, OPENAPI_QUANTITY},
    [KUBE_TYPE_INT_OR_STRING] = {NULL, NULL, NULL, OPENAPI_INT_OR_STRING},
    [KUBE_TYPE_TIME] = {NULL, NULL, NULL, OPENAPI_TIME},
    [KUBE_TYPE_MICRO_TIME] = {NULL, NULL, NULL, OPENAPI_MICRO_TIME},
    [KUBE_TYPE_RAW] = {NULL, NULL, NULL, OPENAPI_RAW_EXTENSION},
    [KUBE_TYPE_FIELDS_V1] = {NULL, NULL, NULL, OPENAPI_FIELDS_V1},
    [KUBE_TYPE_ANY] = {"object", NULL, NULL, 0},
};

static yyjson_mut_val *openapi_list_of(struct openapi *o, const struct kube_field *f);

/* Values that a text is one of. */
static void openapi_put_enum(struct openapi *o, yyjson_mut_val *schema, const struct kube_field *f)
{
    yyjson_mut_val *values = openapi_array(o);

    for (size_t i = 0; i < kube_field_n_enum(f); i++) {
        openapi_add(o, values, openapi_text(o, kube_field_enum(f, i)));
    }
    openapi_put(o, schema, "enum", values);
}

/* The value, or each element: its type or a reference. Lists with a name (ExtraValue) have no
 * definition of their own. */
static yyjson_mut_val *openapi_value(struct openapi *o, const struct kube_field *f)
{
    const struct kube_message *m = kube_field_message(f);
    yyjson_mut_val *schema;

    if (m != NULL && (m->flags & KUBE_MESSAGE_IS_LIST) != 0) {
        return openapi_list_of(o, kube_field_own(m, 0));
    }
    if (openapi_types[f->type].type == NULL) {
        return openapi_ref(o, m != NULL ? openapi_message_id(m)
                                        : openapi_special_id(openapi_types[f->type].special));
    }
    schema = openapi_object(o);
    openapi_put_text(o, schema, "type", openapi_types[f->type].type);
    if (openapi_types[f->type].format != NULL) {
        openapi_put_text(o, schema, "format", openapi_types[f->type].format);
    }
    if (f->type == KUBE_TYPE_STRING && kube_field_n_enum(f) > 0) {
        openapi_put_enum(o, schema, f);
    }
    return schema;
}

/* Makes room beside a reference: {"$ref"} becomes {"allOf": [{"$ref"}]} in v3. */
static yyjson_mut_val *openapi_open_ref(struct openapi *o, yyjson_mut_val *schema)
{
    yyjson_mut_val *around;
    yyjson_mut_val *all;

    if (!o->v3 || kube_json_get(schema, "$ref") == NULL) {
        return schema;
    }
    around = openapi_object(o);
    all = openapi_array(o);
    openapi_add(o, all, schema);
    openapi_put(o, around, "allOf", all);
    return around;
}

/* The default that Go's zero value is, if the value cannot be absent. */
static const char *openapi_zero(const struct kube_field *f, bool may_be_absent)
{
    const struct kube_message *m = kube_field_message(f);

    if (m != NULL) {
        return (m->flags & KUBE_MESSAGE_IS_LIST) != 0 ? NULL : openapi_types[f->type].zero;
    }
    return may_be_absent ? NULL : openapi_types[f->type].zero;
}

static yyjson_mut_val *
openapi_with_default(struct openapi *o, yyjson_mut_val *schema, const char *json)
{
    if (!o->v3 || json == NULL) {
        return schema;
    }
    schema = openapi_open_ref(o, schema);
    openapi_put(o, schema, "default", openapi_json(o, json));
    return schema;
}

static yyjson_mut_val *openapi_element(struct openapi *o, const struct kube_field *f)
{
    return openapi_with_default(o, openapi_value(o, f), openapi_zero(f, false));
}

static yyjson_mut_val *openapi_list_of(struct openapi *o, const struct kube_field *f)
{
    yyjson_mut_val *schema = openapi_object(o);

    openapi_put_text(o, schema, "type", "array");
    openapi_put(o, schema, "items", openapi_element(o, f));
    return schema;
}

static yyjson_mut_val *openapi_map_of(struct openapi *o, const struct kube_field *f)
{
    yyjson_mut_val *schema = openapi_object(o);

    openapi_put_text(o, schema, "type", "object");
    openapi_put(o, schema, "additionalProperties", openapi_element(o, f));
    return schema;
}

/* --- a field ---------------------------------------------------------------------------------- */

static const char *const openapi_list_types[] = {
    [KUBE_LIST_UNSAID] = NULL,
    [KUBE_LIST_ATOMIC] = "atomic",
    [KUBE_LIST_SET] = "set",
    [KUBE_LIST_MAP] = "map",
};

static const char *const openapi_strategies[] = {
    [KUBE_PATCH_MERGE] = "merge",
    [KUBE_PATCH_RETAIN_KEYS] = "retainKeys",
    [KUBE_PATCH_MERGE | KUBE_PATCH_RETAIN_KEYS] = "merge,retainKeys",
    [KUBE_PATCH_REPLACE] = "replace",
};

static yyjson_mut_val *
openapi_with_list_type(struct openapi *o, yyjson_mut_val *schema, const struct kube_field *f)
{
    const struct kube_rule *rule = kube_field_rule(f);
    const char *type = openapi_list_types[rule->list_type];
    yyjson_mut_val *keys;
    struct kvs_view key;

    if (type == NULL) {
        return schema;
    }
    schema = openapi_open_ref(o, schema);
    openapi_put_text(
        o, schema, f->shape == KUBE_SHAPE_LIST ? "x-kubernetes-list-type" : "x-kubernetes-map-type",
        type);
    if (rule->list_type == KUBE_LIST_MAP) {
        keys = openapi_array(o);
        for (size_t i = 0; kube_rule_key(rule, i, &key); i++) {
            openapi_add(o, keys, openapi_copy(o, key));
        }
        openapi_put(o, schema, "x-kubernetes-list-map-keys", keys);
    }
    return schema;
}

static yyjson_mut_val *
openapi_with_patch(struct openapi *o, yyjson_mut_val *schema, const struct kube_field *f)
{
    const struct kube_rule *rule = kube_field_rule(f);

    kvs_assert(rule->strategy < sizeof openapi_strategies / sizeof openapi_strategies[0]);
    if (openapi_strategies[rule->strategy] == NULL && rule->merge_key == 0) {
        return schema;
    }
    schema = openapi_open_ref(o, schema);
    if (openapi_strategies[rule->strategy] != NULL) {
        openapi_put_text(o, schema, "x-kubernetes-patch-strategy",
                         openapi_strategies[rule->strategy]);
    }
    if (rule->merge_key != 0) {
        openapi_put_text(o, schema, "x-kubernetes-patch-merge-key", kube_string(rule->merge_key));
    }
    return schema;
}

static yyjson_mut_val *openapi_field(struct openapi *o, const struct kube_field *f)
{
    yyjson_mut_val *schema;
    const char *value = kube_field_default(f);

    switch ((enum kube_shape)f->shape) {
    case KUBE_SHAPE_LIST:
        schema = openapi_list_of(o, f);
        break;
    case KUBE_SHAPE_MAP:
        schema = openapi_map_of(o, f);
        break;
    case KUBE_SHAPE_ONE:
    default:
        schema = openapi_value(o, f);
        if (value == NULL && (f->flags & KUBE_FIELD_POINTER) == 0) {
            value = openapi_zero(f, (f->flags & KUBE_FIELD_OMITEMPTY) != 0);
        }
    }
    schema = openapi_with_default(o, schema, value);
    if (kube_field_doc(f)[0] != '\0') {
        schema = openapi_open_ref(o, schema);
        openapi_put_text(o, schema, "description", kube_field_doc(f));
    }
    schema = openapi_with_list_type(o, schema, f);
    return openapi_with_patch(o, schema, f);
}

/* --- a message -------------------------------------------------------------------------------- */

/* The kinds that have this message as their type: mostly one, or none. */
static void
openapi_put_kinds(struct openapi *o, yyjson_mut_val *schema, const struct kube_message *m)
{
    yyjson_mut_val *kinds = openapi_array(o);
    const struct kube_group_version *gv;
    const struct kube_kind *k;

    for (size_t i = 0; (k = kube_kind_at(i)) != NULL; i++) {
        if (kube_kind_message(k) != m) {
            continue;
        }
        if ((k->flags & KUBE_KIND_ANY_GROUP) == 0) {
            openapi_add(o, kinds,
                        openapi_gvk(o, kube_string(k->group), kube_string(k->version),
                                    kube_string(k->kind)));
            continue;
        }
        for (size_t j = 0; (gv = kube_group_version_at(j)) != NULL; j++) {
            openapi_add(o, kinds,
                        openapi_gvk(o, kube_string(gv->group), kube_string(gv->version),
                                    kube_string(k->kind)));
        }
    }
    if (yyjson_mut_arr_size(kinds) > 0) {
        openapi_put(o, schema, "x-kubernetes-group-version-kind", kinds);
    }
}

static yyjson_mut_val *openapi_message_schema(struct openapi *o, const struct kube_message *m)
{
    yyjson_mut_val *schema = openapi_object(o);
    yyjson_mut_val *properties = openapi_object(o);
    yyjson_mut_val *required = openapi_array(o);

    if (kube_message_doc(m)[0] != '\0') {
        openapi_put_text(o, schema, "description", kube_message_doc(m));
    }
    openapi_put_text(o, schema, "type", "object");
    for (size_t i = 0; i < m->n_flat; i++) {
        const struct kube_field *f = kube_field_flat(m, i);

        openapi_put(o, properties, kube_field_name(f), openapi_field(o, f));
        if (kube_field_is_required(f)) {
            openapi_add(o, required, openapi_text(o, kube_field_name(f)));
        }
    }
    if (yyjson_mut_arr_size(required) > 0) {
        openapi_put(o, schema, "required", required);
    }
    if (m->n_flat > 0) {
        openapi_put(o, schema, "properties", properties);
    }
    openapi_put_kinds(o, schema, m);
    if ((m->flags & KUBE_MESSAGE_ATOMIC) != 0) {
        openapi_put_text(o, schema, "x-kubernetes-map-type", "atomic");
    }
    return schema;
}

bool openapi_next_definition(struct openapi *o, const char **ret_name, yyjson_mut_val **ret_schema)
{
    unsigned definition;

    if (o->failed || o->n_made == o->n_needed) {
        return false;
    }
    openapi_piece(o);
    definition = o->needed[o->n_made++];
    *ret_name = openapi_definition_name(definition);
    *ret_schema =
        definition < KUBE_N_MESSAGES
            ? openapi_message_schema(o, kube_message_at(definition))
            : openapi_special_schema(o, (enum openapi_special)(definition - KUBE_N_MESSAGES));
    return !o->failed;
}
