/* What a kind adds to the rules of all kinds (rules.h): its defaults, what its server sets in a new
 * or changed object, and what makes it valid. One table by storage name; the texts and the order
 * of errors are those of Kubernetes 1.32.
 *
 * In a request:  decode -> default -> rules of all kinds -> prepare -> validate
 *
 * Pure: objects in, changed objects or errors out. Any thread that owns the objects. */
#ifndef KUBE_STRATEGY_H
#define KUBE_STRATEGY_H

#include "kube/field_error.h"
#include "kube/json.h"
#include "kube/resource.h"

/* What the strategy is asked for. */
struct kube_change {
    const struct kube_resource *resource;
    enum kube_subresource sub; /* KUBE_SUB_NONE: the object itself */
    yyjson_mut_doc *doc;       /* of the objects; new values are taken from it */
    struct kvs_view now;       /* RFC 3339, seconds; for what is stamped */
};

/* Fills what a client left out. Works on objects as a client sent them and on stored ones, for
 * which it does nothing new. KVS_E_NOMEM. */
KVS_MUST_USE int kube_strategy_default(const struct kube_change *change, yyjson_mut_val *object);

/* `object` is about to be created: has its metadata, defaults, and no status. KVS_E_NOMEM. */
KVS_MUST_USE int kube_strategy_prepare_create(const struct kube_change *change,
                                              yyjson_mut_val *object);

/* `object` is about to replace `old`: what its kind never lets a client change is carried over.
 * KVS_E_NOMEM. */
KVS_MUST_USE int kube_strategy_prepare_update(const struct kube_change *change,
                                              yyjson_mut_val *object,
                                              yyjson_mut_val *old);

/* Adds what is wrong with an object, metadata apart. */
void kube_strategy_validate(const struct kube_change *change,
                            yyjson_mut_val *object,
                            struct kube_errors *errors);

/* Likewise for a change: what is wrong with the object, and what may not change. */
void kube_strategy_validate_update(const struct kube_change *change,
                                   yyjson_mut_val *object,
                                   yyjson_mut_val *old,
                                   struct kube_errors *errors);

#endif
