/* What decode.c and its helpers share. */
#ifndef KUBE_DECODE_INT_H
#define KUBE_DECODE_INT_H

#include "kube/decode.h"
#include "kube/json_int.h"

/* Types nest some 15 deep; what is free-form is not walked. */
#define KUBE_DECODE_DEPTH_MAX 64

struct kube_decoder {
    yyjson_mut_doc *doc;
    struct kube_report *report;
    const struct kube_message *in; /* the struct whose field is decoded; NULL: the root */
    unsigned depth;
};

/* Decodes a value that is neither null nor a message, in place. */
KVS_MUST_USE int kube_decode_leaf(struct kube_decoder *d,
                                  const struct kube_field *f,
                                  yyjson_mut_val *value,
                                  const struct kube_json_path *path);

/* Writes Go's complaint that the value is not of `go_type`; KVS_E_INVALID, or KVS_E_NOMEM. */
KVS_MUST_USE int kube_decode_mismatch(struct kube_decoder *d,
                                      yyjson_mut_val *value,
                                      struct kvs_view go_type,
                                      const struct kube_json_path *path);

/* What one element of a list or map has as its Go type: of "[]v1.Container" the last part. */
struct kvs_view kube_decode_element_type(const struct kube_field *f);

/* Makes `value` the zero value of the field's element type, in place. KVS_E_NOMEM. */
KVS_MUST_USE int
kube_decode_set_zero(yyjson_mut_doc *doc, const struct kube_field *f, yyjson_mut_val *value);

/* True if Go holds null in a field of this type; with `element` in a list's or map's element. */
bool kube_decode_may_be_null(const struct kube_field *f, bool element);

/* Rebuilds `object` in the order of the schema from what was found, by flat position; a key of NULL
 * is made from the schema. Leaves out what is empty, adds what may not be missing. KVS_E_NOMEM. */
KVS_MUST_USE int kube_decode_arrange(yyjson_mut_doc *doc,
                                     const struct kube_message *m,
                                     yyjson_mut_val *object,
                                     yyjson_mut_val *const *keys,
                                     yyjson_mut_val *const *values);

#endif
