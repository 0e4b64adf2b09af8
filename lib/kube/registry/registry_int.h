/* Inside of the registry. */
#ifndef KUBE_REGISTRY_INT_H
#define KUBE_REGISTRY_INT_H

#include "base/rand.h"
#include "kube/registry/feed.h"
#include "kube/registry/registry.h"
#include "kube/rules.h"

struct kube_registry {
    struct loop *loop;
    struct kube_store *store;
    const struct clock *clock;
    struct log *log;
    struct rng rng;
    char *prefix;
    struct kube_feed *feed;
    struct kube_feed_target *targets; /* sorted by prefix; each owns its prefix and its cache */
    size_t n_targets;
    struct kube_cache **by_resource; /* by kube_resource_index */
    void (*close_cb)(void *ctx);
    void *close_ctx;
};

/* The kind of the request's resource. */
const struct kube_kind *request_kind(const struct kube_request *q);

/* Decodes the request's body as `kind` into q->doc. KVS_E_INVALID with q->status set; KVS_E_NOMEM.
 */
KVS_MUST_USE int request_decode(struct kube_request *q, yyjson_mut_val **ret_object);

/* Decodes a stored value (JSON or protobuf) into q->doc, with its resourceVersion.
 * KVS_E_MALFORMED, KVS_E_NOMEM. */
KVS_MUST_USE int request_decode_stored(struct kube_request *q,
                                       struct kvs_view value,
                                       uint64_t revision,
                                       yyjson_mut_val **ret_object);

/* Applies the request's patch to a copy of `old`, NULL only for an apply. Errors as
 * request_decode. */
KVS_MUST_USE int
request_patch(struct kube_request *q, yyjson_mut_val *old, yyjson_mut_val **ret_object);

/* The request's options, as far as they say who manages fields. Errors as request_decode. */
KVS_MUST_USE int request_check_options(struct kube_request *q);

/* Sets q->object's managedFields; `old` is NULL if it is created. Errors as request_decode. */
KVS_MUST_USE int request_manage(struct kube_request *q, yyjson_mut_val *old);

/* Applies the request's body to `old`, NULL if it is not there. Errors as request_decode. */
KVS_MUST_USE int
request_apply(struct kube_request *q, yyjson_mut_val *old, yyjson_mut_val **ret_object);
KVS_MUST_USE int request_check_applied_name(struct kube_request *q);

/* DeleteOptions of the request. Errors as request_decode. */
KVS_MUST_USE int request_delete_options(struct kube_request *q,
                                        struct kube_delete_options *ret_options);

/* May the object be created where it shall be? Namespaces exist and are not ending. */
KVS_MUST_USE int request_check_namespace(struct kube_request *q);

#endif
