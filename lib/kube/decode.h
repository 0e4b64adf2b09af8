/* Typed decoding: makes a JSON tree what Kubernetes' Go types would make of it when they read it
 * and write it again. Stored and served objects are in this normal form, so equal objects have
 * equal texts.
 *
 * Normal form
 *   1. Members are those that the type has, in the order of its struct; maps are sorted by key.
 *   2. What is empty and `omitempty` is absent. What is not omitempty is there: `null` for lists,
 *      maps and pointers, zero values else, objects with such members for structs
 *      ("metadata": {"creationTimestamp": null}, "status": {}).
 *   3. Null where Go has no pointer is the zero value.
 *   4. Times are in UTC with whole seconds (or six digits), bytes are canonical base64.
 *   5. Names are compared with case. Of several members of one name the last one counts. */
#ifndef KUBE_DECODE_H
#define KUBE_DECODE_H

#include "kube/json.h"
#include "kube/schema.h"

/* At most so many findings are kept; more are counted only. */
#define KUBE_FINDINGS_MAX 100

/* What decoding has to say. The caller's storage; init before use, fini after. */
struct kube_report {
    struct buf error;    /* of the value that does not fit, for the client; empty if none */
    struct buf findings; /* unknown and duplicate fields: texts, each ended by a zero byte */
    size_t n_findings;   /* in `findings` */
    size_t n_dropped;    /* beyond KUBE_FINDINGS_MAX */
    bool find;           /* false: fieldValidation=Ignore, nothing is collected */
};

void kube_report_init(struct kube_report *r, bool find);
void kube_report_fini(struct kube_report *r);

/* The n-th finding, `unknown field "spec.foo"` or `duplicate field "spec.foo"`: the text of one
 * Warning header. Lives until the report changes; NULL from n_findings on. */
const char *kube_report_finding(const struct kube_report *r, size_t n);

/* Adds one, once: equal ones are the same. Out of memory marks `findings`. */
void kube_report_add(struct kube_report *r, const char *what, const struct kube_json_path *path);

/* All of them as fieldValidation=Strict answers: `strict decoding error: unknown field "a",
 * unknown field "b"`. Appends. */
void kube_report_strict(const struct kube_report *r, struct buf *to);

/* Brings `value`, a tree of `doc`, into `message`'s normal form, in place. New strings and members
 * are taken from the document's memory. After an error the tree is of no use.
 * KVS_E_INVALID: a value does not fit its type, `report->error` says which, as Go does.
 * KVS_E_TOO_LONG: nested deeper than any type. KVS_E_NOMEM. */
KVS_MUST_USE int kube_decode(yyjson_mut_doc *doc,
                             const struct kube_message *message,
                             yyjson_mut_val *value,
                             struct kube_report *report);

/* The value that a missing, required field of this type has; NULL if out of memory. */
KVS_MUST_USE yyjson_mut_val *kube_decode_zero(yyjson_mut_doc *doc, const struct kube_field *field);

/* True if `omitempty` leaves the value out: absent, null or empty. */
bool kube_decode_is_empty(const struct kube_field *field, yyjson_mut_val *value);

/* Fills fields that are absent and have a default in the schema, below `value` too. Not core's
 * defaulting, which is code. KVS_E_NOMEM, KVS_E_TOO_LONG. */
KVS_MUST_USE int
kube_default(yyjson_mut_doc *doc, const struct kube_message *message, yyjson_mut_val *value);

#endif
