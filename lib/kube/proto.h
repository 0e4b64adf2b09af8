/* Kubernetes' protobuf, both ways, by walking the schema: objects are JSON trees in normal form
 * (decode.h) here, never structs.
 *
 * An object on the wire, or stored, is the four bytes "k8s\0" and a runtime.Unknown: apiVersion,
 * kind, and the message's bytes. Fields are written as upstream's generated code does (ascending
 * numbers, non-pointer scalars even if zero, maps sorted), so equal objects have equal bytes. */
#ifndef KUBE_PROTO_H
#define KUBE_PROTO_H

#include "kube/json.h"
#include "kube/schema.h"

/* True if `bytes` begin with "k8s\0". */
bool kube_proto_is_envelope(struct kvs_view bytes);

/* Views into the bytes that were opened. */
struct kube_envelope {
    struct kvs_view api_version; /* may be empty, as kind may */
    struct kvs_view kind;
    struct kvs_view raw;
    struct kvs_view content_encoding;
    struct kvs_view content_type;
};

/* KVS_E_MALFORMED if it is none. Borrows. */
KVS_MUST_USE int kube_proto_open(struct kvs_view bytes, struct kube_envelope *ret_envelope);

/* Decodes the envelope and what is in it: `ret_root` is a new value of `doc`, in normal form, with
 * apiVersion and kind. Copies. KVS_E_MALFORMED, KVS_E_NOT_FOUND (no such kind), KVS_E_TOO_LONG
 * (nested too deep), KVS_E_UNSUPPORTED (a content type or encoding), KVS_E_NOMEM. */
KVS_MUST_USE int kube_proto_decode(yyjson_mut_doc *doc,
                                   struct kvs_view bytes,
                                   const struct kube_kind **ret_kind,
                                   yyjson_mut_val **ret_root);

/* A bare message. Unknown fields are skipped. KVS_E_MALFORMED, KVS_E_TOO_LONG, KVS_E_NOMEM. */
KVS_MUST_USE int kube_proto_decode_message(yyjson_mut_doc *doc,
                                           const struct kube_message *message,
                                           struct kvs_view bytes,
                                           yyjson_mut_val **ret_value);

/* Appends the envelope of an object; apiVersion and kind are the object's own. KVS_E_INVALID if
 * the object is not of the message's normal form, KVS_E_TOO_LONG, KVS_E_NOMEM (and the buffer is
 * marked). */
KVS_MUST_USE int
kube_proto_encode(struct buf *to, const struct kube_message *message, yyjson_mut_val *object);

/* A bare message. */
KVS_MUST_USE int kube_proto_encode_message(struct buf *to,
                                           const struct kube_message *message,
                                           yyjson_mut_val *object);

#endif
