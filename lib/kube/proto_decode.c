/* Protobuf to JSON trees in normal form. Fields go to their places by flat position as they come;
 * then the object is built in the struct's order, as after decoding JSON. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/pb_wire.h"
#include "base/view.h"
#include "kube/decode_int.h"
#include "kube/json_int.h"
#include "kube/proto.h"
#include "kube/proto_int.h"
#include "kube/schema_sizes.h"

/* One object's values by flat position. An embedded message fills a part of the same array. */
struct slots {
    yyjson_mut_val *values[KUBE_N_FLAT_MAX];
};

static int decode_object(yyjson_mut_doc *doc,
                         const struct kube_message *m,
                         struct kvs_view bytes,
                         unsigned depth,
                         yyjson_mut_val *value);
static int decode_fields(yyjson_mut_doc *doc,
                         const struct kube_message *m,
                         struct kvs_view bytes,
                         unsigned depth,
                         yyjson_mut_val **values);
static int decode_any(yyjson_mut_doc *doc,
                      struct kvs_view bytes,
                      unsigned depth,
                      const struct kube_kind **ret_kind,
                      yyjson_mut_val *value);

static int
set_raw(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view bytes, unsigned depth)
{
    struct kube_json_limits limits = {SIZE_MAX, KUBE_JSON_DEPTH_MAX};
    const struct kube_kind *kind;
    yyjson_mut_val *read;
    struct kube_wire w;
    int err;

    if (!kube_wire_find(bytes, KUBE_PROTO_RAW, PB_WIRE_LEN, &w)) {
        return KVS_E_MALFORMED;
    }
    if (w.bytes.len == 0) {
        (void)yyjson_mut_set_null(value);
        return 0;
    }
    if (kube_proto_is_envelope(w.bytes)) {
        return decode_any(doc, w.bytes, depth + 1, &kind, value);
    }
    err = kube_json_read_into(doc, w.bytes, &limits, &read, NULL);
    if (err != 0) {
        return err;
    }
    /* The value's place in its list or object is `next`, which stays. */
    value->tag = read->tag;
    value->uni = read->uni;
    return 0;
}

/* ---- fields ---- */

static int set_number(const struct kube_field *f, yyjson_mut_val *value, uint64_t number)
{
    if (f->type == KUBE_TYPE_BOOL) {
        (void)yyjson_mut_set_bool(value, number != 0);
    } else if (f->type == KUBE_TYPE_INT32) {
        (void)yyjson_mut_set_sint(value, (int32_t)(uint32_t)number);
    } else {
        (void)yyjson_mut_set_sint(value, (int64_t)number);
    }
    return 0;
}

static bool is_number(const struct kube_field *f)
{
    return f->type == KUBE_TYPE_BOOL || f->type == KUBE_TYPE_INT32 || f->type == KUBE_TYPE_INT64;
}

static int decode_wrapper(yyjson_mut_doc *doc,
                          const struct kube_message *m,
                          struct kvs_view bytes,
                          unsigned depth,
                          yyjson_mut_val *value)
{
    yyjson_mut_val *list[1] = {NULL};
    int err = decode_fields(doc, m, bytes, depth, list);

    (void)yyjson_mut_set_arr(value);
    if (err == 0 && list[0] != NULL) {
        value->tag = list[0]->tag;
        value->uni = list[0]->uni;
    }
    return err;
}

static int set_value(yyjson_mut_doc *doc,
                     const struct kube_field *f,
                     const struct kube_wire *w,
                     unsigned depth,
                     yyjson_mut_val *value)
{
    const struct kube_message *inner = kube_field_message(f);

    if (w->type != (is_number(f) ? PB_WIRE_VARINT : PB_WIRE_LEN)) {
        return KVS_E_MALFORMED;
    }
    switch (f->type) {
    case KUBE_TYPE_STRING:
        return kube_proto_set_string(doc, value, w->bytes);
    case KUBE_TYPE_BYTES:
        return kube_proto_set_base64(doc, value, w->bytes);
    case KUBE_TYPE_MESSAGE:
        return (inner->flags & KUBE_MESSAGE_IS_LIST) != 0
                   ? decode_wrapper(doc, inner, w->bytes, depth + 1, value)
                   : decode_object(doc, inner, w->bytes, depth + 1, value);
    case KUBE_TYPE_QUANTITY:
        return kube_proto_set_quantity(doc, value, w->bytes);
    case KUBE_TYPE_INT_OR_STRING:
        return kube_proto_set_int_or_string(doc, value, w->bytes);
    case KUBE_TYPE_TIME:
        return kube_proto_set_time(doc, value, w->bytes, false);
    case KUBE_TYPE_MICRO_TIME:
        return kube_proto_set_time(doc, value, w->bytes, true);
    case KUBE_TYPE_RAW:
    case KUBE_TYPE_FIELDS_V1:
        return set_raw(doc, value, w->bytes, depth);
    default:
        return set_number(f, value, w->value);
    }
}

static int append_element(yyjson_mut_doc *doc,
                          const struct kube_field *f,
                          const struct kube_wire *w,
                          unsigned depth,
                          yyjson_mut_val *list)
{
    yyjson_mut_val *element = yyjson_mut_null(doc);

    if (element == NULL || !yyjson_mut_arr_append(list, element)) {
        return KVS_E_NOMEM;
    }
    return set_value(doc, f, w, depth, element);
}

/* Numbers may also come packed, several in one run of bytes. */
static int append_packed(yyjson_mut_doc *doc,
                         const struct kube_field *f,
                         const struct kube_wire *w,
                         yyjson_mut_val *list)
{
    struct pb_reader r = pb_reader_make(w->bytes);
    int err = 0;

    while (err == 0 && r.at < r.end) {
        struct kube_wire one = {.type = PB_WIRE_VARINT};

        err = pb_read_varint(&r, &one.value) ? append_element(doc, f, &one, 0, list)
                                             : KVS_E_MALFORMED;
    }
    return err;
}

static int add_entry(yyjson_mut_doc *doc,
                     const struct kube_field *f,
                     const struct kube_wire *w,
                     unsigned depth,
                     yyjson_mut_val *map)
{
    yyjson_mut_val *key = yyjson_mut_str(doc, "");
    yyjson_mut_val *value = yyjson_mut_null(doc);
    struct pb_reader r = pb_reader_make(w->bytes);
    int err;

    if (key == NULL || value == NULL) {
        return KVS_E_NOMEM;
    }
    err = kube_decode_may_be_null(f, true) ? 0 : kube_decode_set_zero(doc, f, value);
    while (err == 0 && r.at < r.end) {
        struct kube_wire part;

        if (!kube_wire_read(&r, &part)) {
            err = KVS_E_MALFORMED;
        } else if (part.number == KUBE_PROTO_KEY) {
            err = part.type == PB_WIRE_LEN ? kube_proto_set_string(doc, key, part.bytes)
                                           : KVS_E_MALFORMED;
        } else if (part.number == KUBE_PROTO_VALUE) {
            err = set_value(doc, f, &part, depth, value);
        }
    }
    if (err == 0 && !yyjson_mut_obj_add(map, key, value)) {
        err = KVS_E_NOMEM;
    }
    return err;
}

static int decode_field(yyjson_mut_doc *doc,
                        const struct kube_field *f,
                        const struct kube_wire *w,
                        unsigned depth,
                        yyjson_mut_val **slot)
{
    if (*slot == NULL) {
        *slot = f->shape == KUBE_SHAPE_LIST  ? yyjson_mut_arr(doc)
                : f->shape == KUBE_SHAPE_MAP ? yyjson_mut_obj(doc)
                                             : yyjson_mut_null(doc);
        if (*slot == NULL) {
            return KVS_E_NOMEM;
        }
    }
    switch (f->shape) {
    case KUBE_SHAPE_LIST:
        return is_number(f) && w->type == PB_WIRE_LEN ? append_packed(doc, f, w, *slot)
                                                      : append_element(doc, f, w, depth, *slot);
    case KUBE_SHAPE_MAP:
        return w->type == PB_WIRE_LEN ? add_entry(doc, f, w, depth, *slot) : KVS_E_MALFORMED;
    default:
        return set_value(doc, f, w, depth, *slot);
    }
}

static int decode_fields(yyjson_mut_doc *doc,
                         const struct kube_message *m,
                         struct kvs_view bytes,
                         unsigned depth,
                         yyjson_mut_val **values)
{
    struct pb_reader r = pb_reader_make(bytes);
    uint8_t starts[KUBE_N_FLAT_MAX];
    int err = 0;

    if (depth > KUBE_PROTO_DEPTH_MAX) {
        return KVS_E_TOO_LONG;
    }
    kube_proto_starts(m, starts);
    while (err == 0 && r.at < r.end) {
        const struct kube_field *f;
        yyjson_mut_val **slot;
        struct kube_wire w;

        if (!kube_wire_read(&r, &w)) {
            return KVS_E_MALFORMED;
        }
        f = kube_field_numbered(m, w.number);
        if (f == NULL) {
            continue;
        }
        slot = &values[starts[f - kube_field_own(m, 0)]];
        if ((f->flags & KUBE_FIELD_INLINE) == 0) {
            err = decode_field(doc, f, &w, depth, slot);
        } else {
            err = w.type == PB_WIRE_LEN
                      ? decode_fields(doc, kube_field_message(f), w.bytes, depth + 1, slot)
                      : KVS_E_MALFORMED;
        }
    }
    return err;
}

/* Go sorts maps when it writes them, and keeps the last of equal keys. */
static int sort_maps(const struct kube_message *m, yyjson_mut_val *const *values)
{
    int err = 0;

    for (size_t pos = 0; err == 0 && pos < m->n_flat; pos++) {
        if (kube_field_flat(m, pos)->shape == KUBE_SHAPE_MAP && values[pos] != NULL) {
            err = kube_json_sort_members(values[pos], false, NULL, NULL, NULL);
        }
    }
    return err;
}

static int decode_object(yyjson_mut_doc *doc,
                         const struct kube_message *m,
                         struct kvs_view bytes,
                         unsigned depth,
                         yyjson_mut_val *value)
{
    static yyjson_mut_val *const no_keys[KUBE_N_FLAT_MAX];
    struct slots slots = {{NULL}};
    int err = decode_fields(doc, m, bytes, depth, slots.values);

    if (err == 0) {
        err = sort_maps(m, slots.values);
    }
    (void)yyjson_mut_set_obj(value);
    return err != 0 ? err : kube_decode_arrange(doc, m, value, no_keys, slots.values);
}

int kube_proto_decode_message(yyjson_mut_doc *doc,
                              const struct kube_message *message,
                              struct kvs_view bytes,
                              yyjson_mut_val **ret_value)
{
    yyjson_mut_val *value = yyjson_mut_null(doc);
    int err;

    if (value == NULL) {
        return KVS_E_NOMEM;
    }
    err = (message->flags & KUBE_MESSAGE_IS_LIST) != 0
              ? decode_wrapper(doc, message, bytes, 0, value)
              : decode_object(doc, message, bytes, 0, value);
    if (err == 0) {
        *ret_value = value;
    }
    return err;
}

/* ---- envelopes ---- */

/* The envelope's names go into the slots of the fields that have no number. */
static int set_type_meta(yyjson_mut_doc *doc,
                         const struct kube_message *m,
                         const struct kube_envelope *e,
                         yyjson_mut_val **values)
{
    const struct kvs_view names[2] = {VIEW_LITERAL("apiVersion"), VIEW_LITERAL("kind")};
    const struct kvs_view texts[2] = {e->api_version, e->kind};

    for (size_t i = 0; i < 2; i++) {
        int pos = kube_field_find(m, names[i], 0);
        int err;

        if (pos < 0 || kube_field_flat(m, (size_t)pos)->number != 0) {
            continue;
        }
        values[pos] = yyjson_mut_null(doc);
        err = values[pos] == NULL ? KVS_E_NOMEM : kube_proto_set_string(doc, values[pos], texts[i]);
        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static int decode_any(yyjson_mut_doc *doc,
                      struct kvs_view bytes,
                      unsigned depth,
                      const struct kube_kind **ret_kind,
                      yyjson_mut_val *value)
{
    static yyjson_mut_val *const no_keys[KUBE_N_FLAT_MAX];
    struct slots slots = {{NULL}};
    struct kube_envelope e;
    const struct kube_kind *kind;
    const struct kube_message *m;
    int err = kube_proto_open(bytes, &e);

    if (err != 0) {
        return err;
    }
    if (e.content_encoding.len > 0 || e.content_type.len > 0) {
        return KVS_E_UNSUPPORTED;
    }
    kind = kube_kind_find_api(e.api_version, e.kind);
    if (kind == NULL) {
        return KVS_E_NOT_FOUND;
    }
    m = kube_kind_message(kind);
    err = decode_fields(doc, m, e.raw, depth, slots.values);
    if (err == 0) {
        err = set_type_meta(doc, m, &e, slots.values);
    }
    if (err == 0) {
        err = sort_maps(m, slots.values);
    }
    (void)yyjson_mut_set_obj(value);
    *ret_kind = kind;
    return err != 0 ? err : kube_decode_arrange(doc, m, value, no_keys, slots.values);
}

int kube_proto_decode(yyjson_mut_doc *doc,
                      struct kvs_view bytes,
                      const struct kube_kind **ret_kind,
                      yyjson_mut_val **ret_root)
{
    const struct kube_kind *kind;
    yyjson_mut_val *value = yyjson_mut_null(doc);
    int err;

    if (value == NULL) {
        return KVS_E_NOMEM;
    }
    err = decode_any(doc, bytes, 0, &kind, value);
    if (err == 0) {
        *ret_kind = kind;
        *ret_root = value;
    }
    return err;
}
