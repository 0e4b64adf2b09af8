/* What the decoders share about JSON trees. */
#ifndef KUBE_JSON_INT_H
#define KUBE_JSON_INT_H

#include "kube/json.h"
#include "kube/schema.h"

struct kube_member {
    yyjson_mut_val *key;
    yyjson_mut_val *value;
    size_t at; /* place in the text */
};

struct kvs_view kube_member_name(const struct kube_member *m);

/* Sorts an object's members by name, or with `keep_order` leaves them as they are; of members of
 * one name the last one stays, and `found` is told of the others. KVS_E_NOMEM. */
KVS_MUST_USE int kube_json_sort_members(yyjson_mut_val *object,
                                        bool keep_order,
                                        const struct kube_json_path *path,
                                        kube_json_found_fn *found,
                                        void *ctx);

/* Makes a value a string that is copied into the document. KVS_E_NOMEM. */
KVS_MUST_USE int
kube_json_set_text(yyjson_mut_doc *doc, yyjson_mut_val *value, struct kvs_view text);

/* ---- base64, RFC 4648 with padding ---- */

static inline size_t kube_base64_size(size_t n)
{
    return (n + 2) / 3 * 4;
}

/* Writes kube_base64_size(bytes.len) characters, no terminator. */
void kube_base64_encode(char *to, struct kvs_view bytes);

/* `to` has room for text.len / 4 * 3 + 3 bytes. Line breaks are skipped, as Go does. False:
 * malformed, `ret_bad_at` is where. */
bool kube_base64_decode(uint8_t *to, struct kvs_view text, size_t *ret_len, size_t *ret_bad_at);

/* ---- RFC 3339, as metav1.Time and MicroTime have it ---- */

#define KUBE_WIRE_TIME_TEXT_MAX 40

/* With `micro` exactly six digits after the point are asked for, else a fraction may be there and
 * is cut off. False: not such a time. */
bool kube_wire_time_parse(struct kvs_view text,
                          bool micro,
                          int64_t *ret_seconds,
                          int32_t *ret_nanos);

/* In UTC; returns the length. Seconds outside of the years 0 to 9999 give 0. */
size_t
kube_wire_time_print(char to[KUBE_WIRE_TIME_TEXT_MAX], bool micro, int64_t seconds, int32_t nanos);

#endif
