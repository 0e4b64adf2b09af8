/* JSON trees to protobuf. Written forwards: a nested message's length is left open as one byte,
 * and what it holds moves up if the length takes more. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/pb_wire.h"
#include "base/view.h"
#include "kube/json_int.h"
#include "kube/proto.h"
#include "kube/proto_int.h"
#include "kube/schema_sizes.h"

static int encode_members(struct buf *to,
                          const struct kube_message *m,
                          yyjson_mut_val *const *values,
                          unsigned depth);
static int
encode_field(struct buf *to, const struct kube_field *f, yyjson_mut_val *value, unsigned depth);

static void put_varint(struct buf *to, uint64_t value)
{
    uint8_t *at = buf_reserve(to, 10);

    if (at != NULL) {
        to->len += (size_t)(pb_put_varint(at, value) - at);
    }
}

static void put_number(struct buf *to, unsigned number, uint64_t value)
{
    put_varint(to, pb_tag(number, PB_WIRE_VARINT));
    put_varint(to, value);
}

static void put_bytes(struct buf *to, unsigned number, struct kvs_view bytes)
{
    put_varint(to, pb_tag(number, PB_WIRE_LEN));
    put_varint(to, bytes.len);
    buf_append_view(to, bytes);
}

/* Begins a nested message; the result goes to close_nested. */
static size_t open_nested(struct buf *to, unsigned number)
{
    put_varint(to, pb_tag(number, PB_WIRE_LEN));
    buf_append_u8(to, 0);
    return to->len;
}

static void close_nested(struct buf *to, size_t begin)
{
    size_t len;
    size_t more;

    if (to->failed) {
        return;
    }
    len = to->len - begin;
    more = pb_varint_size(len) - 1;
    if (more > 0) {
        if (buf_reserve(to, more) == NULL) {
            return;
        }
        memmove(to->data + begin + more, to->data + begin, len);
        to->len += more;
    }
    (void)pb_put_varint(to->data + begin - 1, len);
}

static bool is_present(yyjson_mut_val *value)
{
    return value != NULL && !yyjson_mut_is_null(value);
}

static int encode_base64(struct buf *to, unsigned number, yyjson_mut_val *value)
{
    struct kvs_view text = kube_json_str(value);
    size_t room = text.len / 4 * 3 + 3;
    uint8_t *bytes;
    size_t len;
    size_t bad_at;
    int err = 0;

    if (!yyjson_mut_is_str(value)) {
        return KVS_E_INVALID;
    }
    bytes = kvs_malloc(room);
    if (bytes == NULL) {
        return KVS_E_NOMEM;
    }
    if (kube_base64_decode(bytes, text, &len, &bad_at)) {
        put_bytes(to, number, view_make(bytes, len));
    } else {
        err = KVS_E_INVALID;
    }
    kvs_free(bytes);
    return err;
}

/* A JSON value as its text, in a message that has nothing else. */
static int encode_raw(struct buf *to, yyjson_mut_val *value)
{
    struct buf text;
    int err;

    if (!is_present(value)) {
        return 0;
    }
    buf_init(&text);
    err = kube_json_write(&text, value);
    if (err == 0) {
        put_bytes(to, KUBE_PROTO_RAW, buf_view(&text));
    }
    buf_fini(&text);
    return err == KVS_E_MALFORMED ? KVS_E_INVALID : err;
}

static int encode_time(struct buf *to, yyjson_mut_val *value, bool micro)
{
    int64_t seconds;
    int32_t nanos;

    if (!is_present(value)) {
        return 0;
    }
    if (!yyjson_mut_is_str(value) ||
        !kube_wire_time_parse(kube_json_str(value), micro, &seconds, &nanos)) {
        return KVS_E_INVALID;
    }
    put_number(to, KUBE_PROTO_SECONDS, (uint64_t)seconds);
    put_number(to, KUBE_PROTO_NANOS, micro ? (uint64_t)nanos : 0);
    return 0;
}

static int encode_int_or_string(struct buf *to, yyjson_mut_val *value)
{
    bool is_text = yyjson_mut_is_str(value);

    if (is_present(value) && !is_text && !yyjson_mut_is_int(value)) {
        return KVS_E_INVALID;
    }
    put_number(to, KUBE_PROTO_IS_STRING, is_text);
    put_number(to, KUBE_PROTO_INT, is_text ? 0 : (uint64_t)yyjson_mut_get_sint(value));
    put_bytes(to, KUBE_PROTO_STRING, kube_json_str(value));
    return 0;
}

static int encode_quantity(struct buf *to, yyjson_mut_val *value)
{
    if (is_present(value) && !yyjson_mut_is_str(value)) {
        return KVS_E_INVALID;
    }
    put_bytes(to, KUBE_PROTO_QUANTITY,
              is_present(value) ? kube_json_str(value) : VIEW_LITERAL("0"));
    return 0;
}

/* What is in a message of the value's type; NULL and null are its zero value. */
static int
encode_body(struct buf *to, const struct kube_field *f, yyjson_mut_val *value, unsigned depth)
{
    switch (f->type) {
    case KUBE_TYPE_MESSAGE:
        return kube_proto_encode_nested(to, kube_field_message(f), value, depth + 1);
    case KUBE_TYPE_QUANTITY:
        return encode_quantity(to, value);
    case KUBE_TYPE_INT_OR_STRING:
        return encode_int_or_string(to, value);
    case KUBE_TYPE_TIME:
        return encode_time(to, value, false);
    case KUBE_TYPE_MICRO_TIME:
        return encode_time(to, value, true);
    case KUBE_TYPE_RAW:
    case KUBE_TYPE_FIELDS_V1:
        return encode_raw(to, value);
    default:
        return KVS_E_INVALID; /* has no number in any schema */
    }
}

/* One value under `number`, zero if it is NULL or null. */
static int encode_value(struct buf *to,
                        const struct kube_field *f,
                        unsigned number,
                        yyjson_mut_val *value,
                        unsigned depth)
{
    bool present = is_present(value);
    size_t begin;
    int err;

    switch (f->type) {
    case KUBE_TYPE_BOOL:
        put_number(to, number, yyjson_mut_get_bool(value));
        return !present || yyjson_mut_is_bool(value) ? 0 : KVS_E_INVALID;
    case KUBE_TYPE_INT32:
    case KUBE_TYPE_INT64:
        put_number(to, number, (uint64_t)yyjson_mut_get_sint(value));
        return !present || yyjson_mut_is_int(value) ? 0 : KVS_E_INVALID;
    case KUBE_TYPE_STRING:
        put_bytes(to, number, kube_json_str(value));
        return !present || yyjson_mut_is_str(value) ? 0 : KVS_E_INVALID;
    case KUBE_TYPE_BYTES:
        return present ? encode_base64(to, number, value) : 0;
    default:
        begin = open_nested(to, number);
        err = encode_body(to, f, value, depth);
        close_nested(to, begin);
        return err;
    }
}

static int
encode_list(struct buf *to, const struct kube_field *f, yyjson_mut_val *value, unsigned depth)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(value);
    yyjson_mut_val *element;
    int err = 0;

    while (err == 0 && (element = yyjson_mut_arr_iter_next(&it)) != NULL) {
        err = encode_value(to, f, f->number, element, depth);
    }
    return err;
}

static int
encode_map(struct buf *to, const struct kube_field *f, yyjson_mut_val *value, unsigned depth)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(value);
    yyjson_mut_val *key;
    int err = 0;

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        size_t begin = open_nested(to, f->number);

        put_bytes(to, KUBE_PROTO_KEY, kube_json_str(key));
        err = encode_value(to, f, KUBE_PROTO_VALUE, yyjson_mut_obj_iter_get_val(key), depth);
        close_nested(to, begin);
    }
    return err;
}

/* True if Go has nil there, of which nothing is written. */
static bool is_nil(const struct kube_field *f, yyjson_mut_val *value)
{
    const struct kube_message *inner = kube_field_message(f);

    if (is_present(value)) {
        return false;
    }
    return f->shape != KUBE_SHAPE_ONE || (f->flags & KUBE_FIELD_POINTER) != 0 ||
           f->type == KUBE_TYPE_BYTES ||
           (inner != NULL && (inner->flags & KUBE_MESSAGE_IS_LIST) != 0);
}

static int
encode_field(struct buf *to, const struct kube_field *f, yyjson_mut_val *value, unsigned depth)
{
    if (is_nil(f, value)) {
        return 0;
    }
    switch (f->shape) {
    case KUBE_SHAPE_LIST:
        return yyjson_mut_is_arr(value) ? encode_list(to, f, value, depth) : KVS_E_INVALID;
    case KUBE_SHAPE_MAP:
        return yyjson_mut_is_obj(value) ? encode_map(to, f, value, depth) : KVS_E_INVALID;
    default:
        return encode_value(to, f, f->number, value, depth);
    }
}

/* `values` by flat position; an embedded message's fields are a run of them. */
static int encode_members(struct buf *to,
                          const struct kube_message *m,
                          yyjson_mut_val *const *values,
                          unsigned depth)
{
    uint8_t starts[KUBE_N_FLAT_MAX];
    int err = 0;

    kube_proto_starts(m, starts);
    for (size_t n = 0; err == 0 && n < m->n_fields; n++) {
        const struct kube_field *f = kube_field_by_number(m, n);
        yyjson_mut_val *const *at = values + starts[kube_proto_place(m, n)];
        size_t begin;

        if (f->number == 0) {
            continue;
        }
        if ((f->flags & KUBE_FIELD_INLINE) == 0) {
            err = encode_field(to, f, *at, depth);
            continue;
        }
        begin = open_nested(to, f->number);
        err = encode_members(to, kube_field_message(f), at, depth);
        close_nested(to, begin);
    }
    return err;
}

int kube_proto_encode_nested(struct buf *to,
                             const struct kube_message *m,
                             yyjson_mut_val *object,
                             unsigned depth)
{
    yyjson_mut_val *values[KUBE_N_FLAT_MAX] = {NULL};
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(object);
    yyjson_mut_val *key;
    size_t hint = 0;

    if (depth > KUBE_PROTO_DEPTH_MAX) {
        return KVS_E_TOO_LONG;
    }
    if ((m->flags & KUBE_MESSAGE_IS_LIST) != 0) {
        return encode_field(to, kube_field_own(m, 0), object, depth);
    }
    if (is_present(object) && !yyjson_mut_is_obj(object)) {
        return KVS_E_INVALID;
    }
    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        int pos = kube_field_find(m, kube_json_str(key), hint);

        if (pos < 0) {
            return KVS_E_INVALID;
        }
        values[pos] = yyjson_mut_obj_iter_get_val(key);
        hint = (size_t)pos + 1;
    }
    return encode_members(to, m, values, depth);
}

int kube_proto_encode_message(struct buf *to,
                              const struct kube_message *message,
                              yyjson_mut_val *object)
{
    int err = kube_proto_encode_nested(to, message, object, 0);

    return err == 0 && to->failed ? KVS_E_NOMEM : err;
}

int kube_proto_encode(struct buf *to, const struct kube_message *message, yyjson_mut_val *object)
{
    size_t begin;
    int err;

    buf_append(to, KUBE_PROTO_MAGIC, KUBE_PROTO_MAGIC_LEN);
    begin = open_nested(to, KUBE_PROTO_TYPE_META);
    put_bytes(to, KUBE_PROTO_API_VERSION, kube_json_get_str(object, "apiVersion"));
    put_bytes(to, KUBE_PROTO_KIND, kube_json_get_str(object, "kind"));
    close_nested(to, begin);
    begin = open_nested(to, KUBE_PROTO_UNKNOWN_RAW);
    err = kube_proto_encode_message(to, message, object);
    close_nested(to, begin);
    put_bytes(to, KUBE_PROTO_CONTENT_ENCODING, VIEW_LITERAL(""));
    put_bytes(to, KUBE_PROTO_CONTENT_TYPE, VIEW_LITERAL(""));
    return err == 0 && to->failed ? KVS_E_NOMEM : err;
}
