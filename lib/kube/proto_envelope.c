/* runtime.Unknown: what stands around each object on the wire and in the store. */
#include <string.h>

#include "base/view.h"
#include "kube/proto.h"
#include "kube/proto_int.h"

bool kube_proto_is_envelope(struct kvs_view bytes)
{
    return bytes.len >= KUBE_PROTO_MAGIC_LEN &&
           memcmp(bytes.data, KUBE_PROTO_MAGIC, KUBE_PROTO_MAGIC_LEN) == 0;
}

int kube_proto_open(struct kvs_view bytes, struct kube_envelope *ret_envelope)
{
    struct kvs_view unknown;
    struct kube_wire meta;
    struct kube_wire parts[5];

    if (!kube_proto_is_envelope(bytes)) {
        return KVS_E_MALFORMED;
    }
    unknown = view_make((const char *)bytes.data + KUBE_PROTO_MAGIC_LEN,
                        bytes.len - KUBE_PROTO_MAGIC_LEN);
    if (!kube_wire_find(unknown, KUBE_PROTO_TYPE_META, PB_WIRE_LEN, &meta) ||
        !kube_wire_find(meta.bytes, KUBE_PROTO_API_VERSION, PB_WIRE_LEN, &parts[0]) ||
        !kube_wire_find(meta.bytes, KUBE_PROTO_KIND, PB_WIRE_LEN, &parts[1]) ||
        !kube_wire_find(unknown, KUBE_PROTO_UNKNOWN_RAW, PB_WIRE_LEN, &parts[2]) ||
        !kube_wire_find(unknown, KUBE_PROTO_CONTENT_ENCODING, PB_WIRE_LEN, &parts[3]) ||
        !kube_wire_find(unknown, KUBE_PROTO_CONTENT_TYPE, PB_WIRE_LEN, &parts[4])) {
        return KVS_E_MALFORMED;
    }
    *ret_envelope = (struct kube_envelope){
        .api_version = parts[0].bytes,
        .kind = parts[1].bytes,
        .raw = parts[2].bytes,
        .content_encoding = parts[3].bytes,
        .content_type = parts[4].bytes,
    };
    return 0;
}
