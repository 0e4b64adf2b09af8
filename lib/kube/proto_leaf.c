/* Fields of the wire, and values of types that protobuf has messages for and JSON texts. */
#include "base/alloc.h"
#include "base/pb_wire.h"
#include "base/view.h"
#include "kube/json_int.h"
#include "kube/proto_int.h"

bool kube_wire_read(struct pb_reader *r, struct kube_wire *ret_wire)
{
    *ret_wire = (struct kube_wire){0};
    if (!pb_read_tag(r, &ret_wire->number, &ret_wire->type)) {
        return false;
    }
    switch (ret_wire->type) {
    case PB_WIRE_VARINT:
        return pb_read_varint(r, &ret_wire->value);
    case PB_WIRE_LEN:
        return pb_read_bytes(r, &ret_wire->bytes);
    default:
        return pb_skip(r, ret_wire->type);
    }
}

/* Text from the wire may hold anything: the JSON writer is the judge of what is not plain. */
static int check_utf8(yyjson_mut_val *text)
{
    struct kvs_view bytes = kube_json_str(text);
    struct buf written;
    bool plain = true;
    int err;

    for (size_t i = 0; i < bytes.len && plain; i++) {
        plain = ((const uint8_t *)bytes.data)[i] < 0x80;
    }
    if (plain) {
        return 0;
    }
    buf_init(&written);
    err = kube_json_write(&written, text);
    buf_fini(&written);
    return err;
}

int kube_proto_set_string(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view bytes)
{
    int err = kube_json_set_text(doc, value, bytes);

    return err != 0 ? err : check_utf8(value);
}

int kube_proto_set_base64(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view bytes)
{
    size_t len = kube_base64_size(bytes.len);
    char *text = kvs_malloc(len);
    int err;

    if (text == NULL) {
        return KVS_E_NOMEM;
    }
    kube_base64_encode(text, bytes);
    err = kube_json_set_text(doc, value, view_make(text, len));
    kvs_free(text);
    return err;
}

/* The last field `number` of a message; `ret_wire` is zero if there is none. */
bool kube_wire_find(struct kvs_view bytes,
                    uint32_t number,
                    unsigned type,
                    struct kube_wire *ret_wire)
{
    struct pb_reader r = pb_reader_make(bytes);
    struct kube_wire w;

    *ret_wire = (struct kube_wire){0};
    while (r.at < r.end) {
        if (!kube_wire_read(&r, &w)) {
            return false;
        }
        if (w.number == number) {
            if (w.type != type) {
                return false;
            }
            *ret_wire = w;
        }
    }
    return true;
}

int kube_proto_set_time(yyjson_mut_doc *doc,
                        yyjson_mut_val *value,
                        struct kvs_view bytes,
                        bool micro)
{
    char text[KUBE_WIRE_TIME_TEXT_MAX];
    struct kube_wire seconds;
    struct kube_wire nanos;
    size_t len;

    if (bytes.len == 0) {
        (void)yyjson_mut_set_null(value);
        return 0;
    }
    if (!kube_wire_find(bytes, KUBE_PROTO_SECONDS, PB_WIRE_VARINT, &seconds) ||
        !kube_wire_find(bytes, KUBE_PROTO_NANOS, PB_WIRE_VARINT, &nanos) ||
        nanos.value >= UINT64_C(1000000000)) {
        return KVS_E_MALFORMED;
    }
    len = kube_wire_time_print(text, micro, (int64_t)seconds.value, (int32_t)nanos.value);
    return len == 0 ? KVS_E_MALFORMED : kube_json_set_text(doc, value, view_make(text, len));
}

int kube_proto_set_int_or_string(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view bytes)
{
    struct kube_wire is_string;
    struct kube_wire number;
    struct kube_wire text;

    if (!kube_wire_find(bytes, KUBE_PROTO_IS_STRING, PB_WIRE_VARINT, &is_string) ||
        !kube_wire_find(bytes, KUBE_PROTO_INT, PB_WIRE_VARINT, &number) ||
        !kube_wire_find(bytes, KUBE_PROTO_STRING, PB_WIRE_LEN, &text)) {
        return KVS_E_MALFORMED;
    }
    if (is_string.value != 0) {
        return kube_proto_set_string(doc, value, text.bytes);
    }
    (void)yyjson_mut_set_sint(value, (int32_t)(uint32_t)number.value);
    return 0;
}

int kube_proto_set_quantity(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view bytes)
{
    struct kube_wire text;

    if (!kube_wire_find(bytes, KUBE_PROTO_QUANTITY, PB_WIRE_LEN, &text)) {
        return KVS_E_MALFORMED;
    }
    return kube_proto_set_string(doc, value, text.bytes.len > 0 ? text.bytes : VIEW_LITERAL("0"));
}
