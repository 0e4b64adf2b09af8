/* Numbers of the messages that the schema's table does not have, and what both directions share. */
#ifndef KUBE_PROTO_INT_H
#define KUBE_PROTO_INT_H

#include "base/pb_wire.h"
#include "kube/proto.h"

#define KUBE_PROTO_MAGIC     "k8s\0"
#define KUBE_PROTO_MAGIC_LEN 4

/* As for JSON: types nest some 15 deep, envelopes in envelopes add to it. */
#define KUBE_PROTO_DEPTH_MAX 64

enum kube_proto_number {
    /* runtime.Unknown */
    KUBE_PROTO_TYPE_META = 1,
    KUBE_PROTO_UNKNOWN_RAW = 2,
    KUBE_PROTO_CONTENT_ENCODING = 3,
    KUBE_PROTO_CONTENT_TYPE = 4,
    /* runtime.TypeMeta */
    KUBE_PROTO_API_VERSION = 1,
    KUBE_PROTO_KIND = 2,
    /* runtime.RawExtension, metav1.FieldsV1 */
    KUBE_PROTO_RAW = 1,
    /* metav1.Time, metav1.MicroTime */
    KUBE_PROTO_SECONDS = 1,
    KUBE_PROTO_NANOS = 2,
    /* intstr.IntOrString */
    KUBE_PROTO_IS_STRING = 1,
    KUBE_PROTO_INT = 2,
    KUBE_PROTO_STRING = 3,
    /* resource.Quantity */
    KUBE_PROTO_QUANTITY = 1,
    /* an entry of a map */
    KUBE_PROTO_KEY = 1,
    KUBE_PROTO_VALUE = 2,
};

/* Where each own field's run begins among the flat positions; `starts` has room for n_fields. */
static inline void kube_proto_starts(const struct kube_message *m, uint8_t *starts)
{
    unsigned pos = 0;

    for (size_t n = 0; n < m->n_fields; n++) {
        const struct kube_field *f = kube_field_own(m, n);

        starts[n] = (uint8_t)pos;
        pos += (f->flags & KUBE_FIELD_INLINE) != 0 ? kube_field_message(f)->n_flat : 1;
    }
}

/* Place in the struct of the n-th field by number. */
static inline size_t kube_proto_place(const struct kube_message *m, size_t n)
{
    return kube_table_by_number[m->first_field + n];
}

/* One field of the wire: a number or bytes. */
struct kube_wire {
    uint32_t number;
    unsigned type;
    uint64_t value;
    struct kvs_view bytes;
};

/* False: malformed. Groups are refused. */
bool kube_wire_read(struct pb_reader *r, struct kube_wire *ret_wire);

/* The last field `number` of a message; all zero if there is none. False: malformed, or of another
 * wire type. */
bool kube_wire_find(struct kvs_view bytes,
                    uint32_t number,
                    unsigned type,
                    struct kube_wire *ret_wire);

/* These make `value` what the bytes of the type say; text is copied into the document.
 * KVS_E_MALFORMED, KVS_E_NOMEM. */
KVS_MUST_USE int
kube_proto_set_string(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view bytes);
KVS_MUST_USE int
kube_proto_set_base64(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view bytes);
KVS_MUST_USE int
kube_proto_set_time(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view bytes, bool micro);
KVS_MUST_USE int
kube_proto_set_int_or_string(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view bytes);
KVS_MUST_USE int
kube_proto_set_quantity(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view bytes);

KVS_MUST_USE int kube_proto_encode_nested(struct buf *to,
                                          const struct kube_message *m,
                                          yyjson_mut_val *object,
                                          unsigned depth);

#endif
