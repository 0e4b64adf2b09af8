/* The metadata of an object: reading and writing it in a tree, names and ids for new objects.
 *
 * `object` is the whole object. What is absent or of the wrong type reads as empty. Views borrow
 * from the tree until it changes. Any thread that owns the tree. */
#ifndef KUBE_OBJECT_META_H
#define KUBE_OBJECT_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "base/attr.h"
#include "base/rand.h"
#include "base/view.h"
#include "kube/timestamp.h"

/* ---- reading ---- */

/* The metadata object; NULL if there is none. */
yyjson_mut_val *kube_meta_get(yyjson_mut_val *object);

/* A text of the metadata by its JSON name; empty if absent. */
struct kvs_view kube_meta_text(yyjson_mut_val *object, const char *field);

static inline struct kvs_view kube_meta_name(yyjson_mut_val *object)
{
    return kube_meta_text(object, "name");
}

static inline struct kvs_view kube_meta_namespace(yyjson_mut_val *object)
{
    return kube_meta_text(object, "namespace");
}

static inline struct kvs_view kube_meta_uid(yyjson_mut_val *object)
{
    return kube_meta_text(object, "uid");
}

static inline struct kvs_view kube_meta_resource_version(yyjson_mut_val *object)
{
    return kube_meta_text(object, "resourceVersion");
}

static inline struct kvs_view kube_meta_deletion_timestamp(yyjson_mut_val *object)
{
    return kube_meta_text(object, "deletionTimestamp");
}

static inline bool kube_meta_is_deleting(yyjson_mut_val *object)
{
    return kube_meta_deletion_timestamp(object).len > 0;
}

/* A number of the metadata; false if it is absent. */
bool kube_meta_number(yyjson_mut_val *object, const char *field, int64_t *ret_number);

int64_t kube_meta_generation(yyjson_mut_val *object);

/* labels and annotations are objects, ownerReferences and finalizers lists; NULL if absent. */
yyjson_mut_val *kube_meta_labels(yyjson_mut_val *object);
yyjson_mut_val *kube_meta_annotations(yyjson_mut_val *object);
yyjson_mut_val *kube_meta_owner_references(yyjson_mut_val *object);
yyjson_mut_val *kube_meta_finalizers(yyjson_mut_val *object);

/* False if there is no such label or annotation. */
bool kube_meta_label(yyjson_mut_val *object, struct kvs_view key, struct kvs_view *ret_value);
bool kube_meta_annotation(yyjson_mut_val *object, struct kvs_view key, struct kvs_view *ret_value);

bool kube_meta_has_finalizer(yyjson_mut_val *object, struct kvs_view name);

/* The owner reference with controller true; NULL if there is none. */
yyjson_mut_val *kube_meta_controller(yyjson_mut_val *object);

/* ---- writing ---- */

/* Each copies what it is given into `doc`, to which `object` belongs, and makes the metadata if it
 * is not there. KVS_E_NOMEM. */

/* An empty text removes the field. */
KVS_MUST_USE int kube_meta_set_text(yyjson_mut_doc *doc,
                                    yyjson_mut_val *object,
                                    const char *field,
                                    struct kvs_view text);
KVS_MUST_USE int kube_meta_set_number(yyjson_mut_doc *doc,
                                      yyjson_mut_val *object,
                                      const char *field,
                                      int64_t number);
KVS_MUST_USE int kube_meta_set_time(yyjson_mut_doc *doc,
                                    yyjson_mut_val *object,
                                    const char *field,
                                    struct kube_time t);

/* `value` NULL removes; a map that becomes empty goes, too. */
KVS_MUST_USE int kube_meta_set_label(yyjson_mut_doc *doc,
                                     yyjson_mut_val *object,
                                     struct kvs_view key,
                                     const struct kvs_view *value);
KVS_MUST_USE int kube_meta_set_annotation(yyjson_mut_doc *doc,
                                          yyjson_mut_val *object,
                                          struct kvs_view key,
                                          const struct kvs_view *value);

/* Adds a finalizer once. */
KVS_MUST_USE int
kube_meta_add_finalizer(yyjson_mut_doc *doc, yyjson_mut_val *object, struct kvs_view name);
/* True if it was there. */
bool kube_meta_remove_finalizer(yyjson_mut_val *object, struct kvs_view name);

void kube_meta_remove(yyjson_mut_val *object, const char *field);

/* ---- new objects, and updates ---- */

#define KUBE_UID_TEXT_MAX  37
#define KUBE_NAME_TEXT_MAX 64

/* A version 4 UUID of 16 random bytes. */
void kube_uid_print(const uint8_t random[16], char ret_text[KUBE_UID_TEXT_MAX]);

/* `base`, cut to 58 bytes, with five random characters behind it. Returns the length. */
size_t kube_name_generate(struct kvs_view base, struct rng *rng, char ret_text[KUBE_NAME_TEXT_MAX]);

/* Fills what the server owns in an object about to be created: a generated name if it has none,
 * uid, creation time; deletion fields and selfLink go. KVS_E_NOMEM. */
KVS_MUST_USE int kube_meta_prepare_create(yyjson_mut_doc *doc,
                                          yyjson_mut_val *object,
                                          struct kube_time now,
                                          const uint8_t random[16],
                                          struct rng *rng);

/* Gives an update back what a client cannot change or may leave out: uid, creation time and, once
 * set, deletion time and grace period of `old`. KVS_E_NOMEM. */
KVS_MUST_USE int
kube_meta_prepare_update(yyjson_mut_doc *doc, yyjson_mut_val *object, yyjson_mut_val *old);

#endif
