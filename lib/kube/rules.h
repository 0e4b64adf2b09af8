/* What holds for objects of every kind when they are created, changed and deleted: names,
 * metadata that only the server sets, generation, status that only its subresource sets,
 * finalizers, graceful deletion. What a kind adds to that is its strategy (strategy.h).
 *
 * Pure: objects in, objects or a Status out (registry/rest and genericregistry of
 * k8s.io/apiserver 1.32). Objects are in normal form (decode.h) before and after. */
#ifndef KUBE_RULES_H
#define KUBE_RULES_H

#include "base/rand.h"
#include "kube/json.h"
#include "kube/route.h"
#include "kube/status.h"

/* What the rules need to know of a request. */
struct kube_rules {
    const struct kube_route *route;
    const struct kube_query *query;
    yyjson_mut_doc *doc; /* new values are of this document */
    uint64_t now_ns;     /* since 1970 */
    struct rng *rng;
    struct kube_status *status; /* set when KVS_E_INVALID is returned */
};

/* `object` is about to be created under `rules->route`: sets namespace, name, uid, times,
 * generation; drops what only the server may say. KVS_E_INVALID, KVS_E_NOMEM. */
KVS_MUST_USE int kube_rules_create(struct kube_rules *rules, yyjson_mut_val *object);

/* `object` is about to replace `old` (the stored one, of the same document, with its
 * resourceVersion): checks identity and optimistic concurrency, carries over what an update may not
 * change. `*ret_same`: nothing would change. `*ret_gone`: it was being deleted and its last
 * finalizer has gone, so it is to be removed. KVS_E_INVALID, KVS_E_NOMEM. */
KVS_MUST_USE int kube_rules_update(struct kube_rules *rules,
                                   yyjson_mut_val *object,
                                   yyjson_mut_val *old,
                                   bool *ret_same,
                                   bool *ret_gone);

/* DeleteOptions: from the body if there is one, else from the query. */
struct kube_delete_options {
    int64_t grace_period_s; /* -1: not given */
    enum kube_propagation propagation;
    struct kvs_view uid;              /* precondition; empty: none */
    struct kvs_view resource_version; /* likewise */
    bool dry_run;
};

/* `object` (stored) shall be deleted: marks it, if somebody has to finish that first (finalizers,
 * a kubelet). `*ret_gone`: remove it now. `*ret_same`: it is being deleted already and nothing
 * changes. KVS_E_INVALID (a precondition does not hold), KVS_E_NOMEM. */
KVS_MUST_USE int kube_rules_delete(struct kube_rules *rules,
                                   const struct kube_delete_options *options,
                                   yyjson_mut_val *object,
                                   bool *ret_same,
                                   bool *ret_gone);

#endif
