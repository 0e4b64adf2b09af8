/* Pieces of an OpenAPI v2 document as gnostic's messages (OpenAPIv2.proto, package openapi.v2).
 *
 * A table says for each message which member of the JSON is which field, and in how many messages
 * of one field its value lies: gnostic has such around whatever may be of several types. */
#include <string.h>

#include "base/assert.h"
#include "base/pb_wire.h"
#include "base/view.h"
#include "kube/openapi_int.h"

/* --- writing ---------------------------------------------------------------------------------- */

static void put_varint(struct buf *to, uint64_t value)
{
    uint8_t *at = buf_reserve(to, 10);

    if (at != NULL) {
        to->len += (size_t)(pb_put_varint(at, value) - at);
    }
}

static void put_bytes(struct buf *to, unsigned number, struct kvs_view bytes)
{
    put_varint(to, pb_tag(number, PB_WIRE_LEN));
    put_varint(to, bytes.len);
    buf_append_view(to, bytes);
}

void openapi_gnostic_text(struct buf *to, unsigned number, const char *text)
{
    put_bytes(to, number, view_str(text));
}

size_t openapi_gnostic_open(struct buf *to, unsigned number)
{
    put_varint(to, pb_tag(number, PB_WIRE_LEN));
    return to->len;
}

/* The length goes before what it is of, which moves to make room. */
void openapi_gnostic_close(struct buf *to, size_t at)
{
    size_t len = to->len - at;
    size_t size = pb_varint_size(len);

    if (buf_reserve(to, size) == NULL) {
        return;
    }
    memmove(to->data + at + size, to->data + at, len);
    (void)pb_put_varint(to->data + at, len);
    to->len += size;
}

/* --- the messages ----------------------------------------------------------------------------- */

enum message_id {
    SCHEMA,
    OPERATION,
    RESPONSE,
    BODY_PARAMETER,
    QUERY_PARAMETER,
    PATH_PARAMETER,
    PATH_ITEM,
};

enum field_kind {
    TEXT,
    TEXTS,
    BOOL,
    ANY, /* message Any, in YAML: JSON is some */
    ANYS,
    MESSAGE,
    NAMED,      /* an object's members as messages of name (1) and value (2) */
    PARAMETERS, /* which message each is, its "in" tells */
};

enum { ANY_YAML = 2, NAMED_NAME = 1, NAMED_VALUE = 2 };

struct field {
    const char *key;
    uint8_t number;
    uint8_t kind;    /* enum field_kind */
    uint8_t message; /* enum message_id of a MESSAGE or NAMED */
    uint8_t around;  /* the message of this one field that the value lies in; 0: none */
    uint8_t named;   /* the same around each NAMED value */
};

static const struct field schema_fields[] = {
    {"$ref", 1, TEXT, 0, 0, 0},
    {"format", 2, TEXT, 0, 0, 0},
    {"description", 4, TEXT, 0, 0, 0},
    {"default", 5, ANY, 0, 0, 0},
    {"uniqueItems", 16, BOOL, 0, 0, 0},
    {"required", 19, TEXTS, 0, 0, 0},
    {"enum", 20, ANYS, 0, 0, 0},
    {"additionalProperties", 21, MESSAGE, SCHEMA, 1, 0}, /* AdditionalPropertiesItem */
    {"type", 22, TEXT, 0, 1, 0},                         /* TypeItem */
    {"items", 23, MESSAGE, SCHEMA, 1, 0},                /* ItemsItem */
    {"properties", 25, NAMED, SCHEMA, 1, 0},             /* Properties */
    {NULL, 0, 0, 0, 0, 0},
};

static const struct field operation_fields[] = {
    {"tags", 1, TEXTS, 0, 0, 0},
    {"description", 3, TEXT, 0, 0, 0},
    {"operationId", 5, TEXT, 0, 0, 0},
    {"produces", 6, TEXTS, 0, 0, 0},
    {"consumes", 7, TEXTS, 0, 0, 0},
    {"parameters", 8, PARAMETERS, 0, 0, 0},
    {"responses", 9, NAMED, RESPONSE, 1, 1}, /* Responses, ResponseValue */
    {NULL, 0, 0, 0, 0, 0},
};

static const struct field response_fields[] = {
    {"description", 1, TEXT, 0, 0, 0},
    {"schema", 2, MESSAGE, SCHEMA, 1, 0}, /* SchemaItem */
    {NULL, 0, 0, 0, 0, 0},
};

static const struct field body_fields[] = {
    {"description", 1, TEXT, 0, 0, 0},
    {"name", 2, TEXT, 0, 0, 0},
    {"in", 3, TEXT, 0, 0, 0},
    {"required", 4, BOOL, 0, 0, 0},
    {"schema", 5, MESSAGE, SCHEMA, 0, 0},
    {NULL, 0, 0, 0, 0, 0},
};

static const struct field query_fields[] = {
    {"required", 1, BOOL, 0, 0, 0},     {"in", 2, TEXT, 0, 0, 0},
    {"description", 3, TEXT, 0, 0, 0},  {"name", 4, TEXT, 0, 0, 0},
    {"type", 6, TEXT, 0, 0, 0},         {"format", 7, TEXT, 0, 0, 0},
    {"uniqueItems", 20, BOOL, 0, 0, 0}, {NULL, 0, 0, 0, 0, 0},
};

static const struct field path_fields[] = {
    {"required", 1, BOOL, 0, 0, 0},     {"in", 2, TEXT, 0, 0, 0},
    {"description", 3, TEXT, 0, 0, 0},  {"name", 4, TEXT, 0, 0, 0},
    {"type", 5, TEXT, 0, 0, 0},         {"format", 6, TEXT, 0, 0, 0},
    {"uniqueItems", 19, BOOL, 0, 0, 0}, {NULL, 0, 0, 0, 0, 0},
};

static const struct field item_fields[] = {
    {"get", 2, MESSAGE, OPERATION, 0, 0},
    {"put", 3, MESSAGE, OPERATION, 0, 0},
    {"post", 4, MESSAGE, OPERATION, 0, 0},
    {"delete", 5, MESSAGE, OPERATION, 0, 0},
    {"patch", 8, MESSAGE, OPERATION, 0, 0},
    {"parameters", 9, PARAMETERS, 0, 0, 0},
    {NULL, 0, 0, 0, 0, 0},
};

static const struct {
    const struct field *fields;
    unsigned extensions; /* field of NamedAny for x-...; 0: has none */
} messages[] = {
    [SCHEMA] = {schema_fields, 31},         [OPERATION] = {operation_fields, 13},
    [RESPONSE] = {response_fields, 5},      [BODY_PARAMETER] = {body_fields, 6},
    [QUERY_PARAMETER] = {query_fields, 23}, [PATH_PARAMETER] = {path_fields, 22},
    [PATH_ITEM] = {item_fields, 10},
};

/* --- walking ---------------------------------------------------------------------------------- */

static void put_message(struct buf *to, enum message_id id, yyjson_mut_val *object);

static void put_any(struct buf *to, unsigned number, yyjson_mut_val *value)
{
    size_t any = openapi_gnostic_open(to, number);
    size_t yaml = openapi_gnostic_open(to, ANY_YAML);

    to->failed |= kube_json_write(to, value) != 0;
    openapi_gnostic_close(to, yaml);
    openapi_gnostic_close(to, any);
}

/* A message in a field, with the messages of one field around it; 0: none. */
static void put_wrapped(
    struct buf *to, unsigned number, unsigned around, enum message_id id, yyjson_mut_val *value)
{
    size_t outer = openapi_gnostic_open(to, number);
    size_t inner = around == 0 ? 0 : openapi_gnostic_open(to, around);

    put_message(to, id, value);
    if (around != 0) {
        openapi_gnostic_close(to, inner);
    }
    openapi_gnostic_close(to, outer);
}

static void put_named(struct buf *to,
                      unsigned number,
                      const struct field *f,
                      struct kvs_view name,
                      yyjson_mut_val *value)
{
    size_t at = openapi_gnostic_open(to, number);

    put_bytes(to, NAMED_NAME, name);
    put_wrapped(to, NAMED_VALUE, f->named, f->message, value);
    openapi_gnostic_close(to, at);
}

static void put_members(struct buf *to, const struct field *f, yyjson_mut_val *object)
{
    size_t at = openapi_gnostic_open(to, f->number);
    size_t i;
    size_t n;
    yyjson_mut_val *key;
    yyjson_mut_val *value;

    yyjson_mut_obj_foreach(object, i, n, key, value)
    {
        put_named(to, f->around, f, kube_json_str(key), value);
    }
    openapi_gnostic_close(to, at);
}

/* ParametersItem{1: Parameter{1: BodyParameter | 2: NonBodyParameter{3: query | 4: path}}} */
static void put_parameter(struct buf *to, unsigned number, yyjson_mut_val *parameter)
{
    struct kvs_view where = kube_json_get_str(parameter, "in");
    bool query = view_equal_str(where, "query");
    size_t item = openapi_gnostic_open(to, number);
    size_t either = openapi_gnostic_open(to, 1);

    if (view_equal_str(where, "body")) {
        put_wrapped(to, 1, 0, BODY_PARAMETER, parameter);
    } else {
        size_t other = openapi_gnostic_open(to, 2);

        put_wrapped(to, query ? 3 : 4, 0, query ? QUERY_PARAMETER : PATH_PARAMETER, parameter);
        openapi_gnostic_close(to, other);
    }
    openapi_gnostic_close(to, either);
    openapi_gnostic_close(to, item);
}

static void put_text(struct buf *to, const struct field *f, yyjson_mut_val *value)
{
    size_t at;

    if (f->around == 0) {
        put_bytes(to, f->number, kube_json_str(value));
        return;
    }
    at = openapi_gnostic_open(to, f->number);
    put_bytes(to, f->around, kube_json_str(value));
    openapi_gnostic_close(to, at);
}

static void put_element(struct buf *to, const struct field *f, yyjson_mut_val *value)
{
    if (f->kind == TEXTS) {
        put_bytes(to, f->number, kube_json_str(value));
    } else if (f->kind == ANYS) {
        put_any(to, f->number, value);
    } else {
        put_parameter(to, f->number, value);
    }
}

static void put_elements(struct buf *to, const struct field *f, yyjson_mut_val *array)
{
    size_t i;
    size_t n;
    yyjson_mut_val *value;

    yyjson_mut_arr_foreach(array, i, n, value)
    {
        put_element(to, f, value);
    }
}

static void put_field(struct buf *to, const struct field *f, yyjson_mut_val *value)
{
    switch ((enum field_kind)f->kind) {
    case TEXT:
        put_text(to, f, value);
        break;
    case BOOL:
        if (yyjson_mut_get_bool(value)) {
            put_varint(to, pb_tag(f->number, PB_WIRE_VARINT));
            put_varint(to, 1);
        }
        break;
    case ANY:
        put_any(to, f->number, value);
        break;
    case MESSAGE:
        put_wrapped(to, f->number, f->around, f->message, value);
        break;
    case NAMED:
        put_members(to, f, value);
        break;
    case TEXTS:
    case ANYS:
    case PARAMETERS:
        put_elements(to, f, value);
        break;
    }
}

static void
put_extension(struct buf *to, unsigned number, struct kvs_view name, yyjson_mut_val *value)
{
    size_t at = openapi_gnostic_open(to, number);

    put_bytes(to, NAMED_NAME, name);
    put_any(to, NAMED_VALUE, value);
    openapi_gnostic_close(to, at);
}

static void put_message(struct buf *to, enum message_id id, yyjson_mut_val *object)
{
    size_t i;
    size_t n;
    yyjson_mut_val *key;
    yyjson_mut_val *value;

    yyjson_mut_obj_foreach(object, i, n, key, value)
    {
        struct kvs_view name = kube_json_str(key);
        const struct field *f = messages[id].fields;

        while (f->key != NULL && !view_equal_str(name, f->key)) {
            f++;
        }
        if (f->key != NULL) {
            put_field(to, f, value);
        } else {
            kvs_assert(name.len > 2 && memcmp(name.data, "x-", 2) == 0);
            put_extension(to, messages[id].extensions, name, value);
        }
    }
}

void openapi_gnostic_path(struct buf *to, unsigned number, const char *path, yyjson_mut_val *item)
{
    const struct field f = {NULL, 0, NAMED, PATH_ITEM, 0, 0};

    put_named(to, number, &f, view_str(path), item);
}

void openapi_gnostic_definition(struct buf *to,
                                unsigned number,
                                const char *name,
                                yyjson_mut_val *schema)
{
    const struct field f = {NULL, 0, NAMED, SCHEMA, 0, 0};

    put_named(to, number, &f, view_str(name), schema);
}
