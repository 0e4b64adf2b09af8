/* Objects as server-side apply sees them: by type, with lists that have keys or are sets, and with
 * maps and structs that are one value or many. As sigs.k8s.io/structured-merge-diff/v4/typed with
 * the schemas that Kubernetes' OpenAPI states. Sets and scratch live in an arena. Any thread. */
#ifndef KUBE_TYPED_H
#define KUBE_TYPED_H

#include <yyjson.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "kube/field_set.h"
#include "kube/schema.h"

struct kube_typed {
    struct arena *arena;
    yyjson_mut_doc *doc; /* of all objects, and of the keys in sets */
};

/* What differs between two objects. */
struct kube_comparison {
    const struct kube_field_set *removed;
    const struct kube_field_set *modified;
    const struct kube_field_set *added;
};

/* Appends what does not fit to the type, all of it: ".spec.x: field not declared in schema".
 * KVS_E_INVALID; KVS_E_TOO_LONG; KVS_E_NOMEM. */
KVS_MUST_USE int kube_typed_validate(const struct kube_typed *t,
                                     const struct kube_message *type,
                                     yyjson_mut_val *object,
                                     struct buf *why);

/* The fields that an object says something about. KVS_E_TOO_LONG, KVS_E_NOMEM, as all below. */
KVS_MUST_USE int kube_typed_fields(const struct kube_typed *t,
                                   const struct kube_message *type,
                                   yyjson_mut_val *object,
                                   const struct kube_field_set **ret_set);

KVS_MUST_USE int kube_typed_compare(const struct kube_typed *t,
                                    const struct kube_message *type,
                                    yyjson_mut_val *from,
                                    yyjson_mut_val *to,
                                    struct kube_comparison *ret_comparison);

/* Merges `patch`, which is valid, into `object` in place; takes copies of what it needs. */
KVS_MUST_USE int kube_typed_merge(const struct kube_typed *t,
                                  const struct kube_message *type,
                                  yyjson_mut_val *object,
                                  yyjson_mut_val *patch);

/* Takes the members of `set` out of `object`, in place. */
KVS_MUST_USE int kube_typed_remove(const struct kube_typed *t,
                                   const struct kube_message *type,
                                   yyjson_mut_val *object,
                                   const struct kube_field_set *set);

/* The set with the named fields of structs above its members as members, too. */
KVS_MUST_USE int kube_typed_ensure_named(const struct kube_typed *t,
                                         const struct kube_message *type,
                                         const struct kube_field_set *set,
                                         const struct kube_field_set **ret_set);

#endif
