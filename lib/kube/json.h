/* JSON as all of lib/kube has it: trees of yyjson's mutable values, with our memory under them.
 *
 * A tree belongs to its document (yyjson_mut_doc); values and strings live as long as that. What
 * holds a document frees it with yyjson_mut_doc_free. Parameters are not const where nothing is
 * changed, because yyjson's readers of mutable values are not. Nothing here keeps state. Any
 * thread; a document is one thread's at a time.
 *
 * This module is the only one that includes <yyjson.h>. */
#ifndef KUBE_JSON_H
#define KUBE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "kvstore/types.h"

/* What a request may be at most: kube-apiserver's limit on bodies, and a depth that leaves room
 * under a thread's stack. Stored objects may be larger than a request, never deeper. */
#define KUBE_JSON_BYTES_MAX ((size_t)3 << 20)
#define KUBE_JSON_DEPTH_MAX 200

struct kube_json_limits {
    size_t bytes_max;
    unsigned depth_max; /* at most KUBE_JSON_DEPTH_MAX; 1 is a scalar */
};

/* The limits of a request. */
struct kube_json_limits kube_json_limits_default(void);

/* Allocators for documents: base's, or an arena's, which has to outlive the document (freeing the
 * document then does nothing of note). */
const yyjson_alc *kube_json_heap(void);
yyjson_alc kube_json_arena(struct arena *a);

/* A new document without a root; NULL if out of memory. `alc` is copied. */
KVS_MUST_USE yyjson_mut_doc *kube_json_new(const yyjson_alc *alc);

/* Reads one JSON text, UTF-8 checked; integers stay integers. Copies what it needs from `text`.
 * `ret_doc` is the caller's to free. KVS_E_NOMEM; KVS_E_TOO_LONG (a limit) or KVS_E_MALFORMED,
 * with a text for the client in `error` (may be NULL), worded as Go's decoder does. */
KVS_MUST_USE int kube_json_read(struct kvs_view text,
                                const struct kube_json_limits *limits,
                                const yyjson_alc *alc,
                                yyjson_mut_doc **ret_doc,
                                struct kvs_error *error);

/* Reads into an existing document: the value is of the document's, but not put anywhere in it. */
KVS_MUST_USE int kube_json_read_into(yyjson_mut_doc *doc,
                                     struct kvs_view text,
                                     const struct kube_json_limits *limits,
                                     yyjson_mut_val **ret_value,
                                     struct kvs_error *error);

/* Appends the shortest text, no newline. Out of memory marks the buffer. KVS_E_MALFORMED for what
 * JSON cannot say (a number that is not finite, bytes that are not UTF-8); the buffer is as it
 * was then. */
KVS_MUST_USE int kube_json_write(struct buf *to, yyjson_mut_val *value);

/* The same, indented by two spaces, as kubectl shows it. */
KVS_MUST_USE int kube_json_write_pretty(struct buf *to, yyjson_mut_val *value);

/* Equal but for the order of members; integers equal reals of the same value. For objects in
 * normal form: where the orders differ, each member is searched for from where the last one was
 * found. */
bool kube_json_equal(yyjson_mut_val *a, yyjson_mut_val *b);

/* A deep copy in `doc`; NULL if out of memory. */
KVS_MUST_USE yyjson_mut_val *kube_json_copy(yyjson_mut_doc *doc, yyjson_mut_val *value);

/* Member of an object by name, NULL if absent or `object` is none (or NULL). */
yyjson_mut_val *kube_json_get(yyjson_mut_val *object, const char *name);
yyjson_mut_val *kube_json_get_view(yyjson_mut_val *object, struct kvs_view name);

/* A member's text; {NULL, 0} if it is absent or not a string. */
struct kvs_view kube_json_get_str(yyjson_mut_val *object, const char *name);

/* The text of a string value, {NULL, 0} of anything else. */
struct kvs_view kube_json_str(yyjson_mut_val *value);

/* Where a value stands, kept on the stack by whoever walks down and written out only in errors:
 * `spec.containers[0].ports`. */
enum kube_json_step {
    KUBE_JSON_FIELD, /* of a struct */
    KUBE_JSON_KEY,   /* of a map */
    KUBE_JSON_INDEX, /* of a list */
};

struct kube_json_path {
    const struct kube_json_path *up; /* NULL: below the root */
    enum kube_json_step step;
    struct kvs_view name; /* of a field or key */
    size_t index;
};

/* Appends the path; `fields_only` as Go's type errors have it. */
void kube_json_path_write(struct buf *to, const struct kube_json_path *path, bool fields_only);

typedef void kube_json_found_fn(void *ctx, const struct kube_json_path *path);

/* Removes all but the last of members of one name, in all objects below `value`, and calls
 * `found` (may be NULL) with the path of each that went. KVS_E_NOMEM. */
KVS_MUST_USE int
kube_json_drop_duplicates(yyjson_mut_val *value, kube_json_found_fn *found, void *ctx);

#endif
