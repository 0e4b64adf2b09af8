/* The registry: every built-in resource, stored. It takes requests for single objects, makes of
 * them what Kubernetes would store, and writes that on the condition that nobody else wrote
 * meanwhile; lists and watches read its caches.
 *
 *   body -> decode -> rules (identity, metadata) -> strategy (the kind's own) -> conditional write
 *                         ^                                                          |
 *                         `--------------- somebody was faster: with what is there --'
 *
 * Any number of registries may work on one store: all that they agree on goes through the
 * conditional write. Loop thread. */
#ifndef KUBE_REGISTRY_H
#define KUBE_REGISTRY_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "kube/cache.h"
#include "kube/json.h"
#include "kube/route.h"
#include "kube/registry/store.h"

struct kube_registry;

struct kube_registry_options {
    struct loop *loop;
    struct kube_store *store;
    const char *prefix; /* NULL: "/registry/" */
    const struct clock *clock;
    uint64_t seed; /* of names and uids: from the kernel */
    struct log *log;
    size_t window; /* events that each cache keeps; 0: 1024 */
};

/* Borrows what the options point to until it is closed. KVS_E_NOMEM. */
KVS_MUST_USE int kube_registry_open(const struct kube_registry_options *options,
                                    struct kube_registry **ret_registry);

/* No request and no watch is left. `cb` runs once, when all is freed. */
void kube_registry_close(struct kube_registry *r, void (*cb)(void *ctx), void *ctx);

/* The caches hold everything: requests may come. */
bool kube_registry_is_ready(const struct kube_registry *r);
void kube_registry_on_ready(struct kube_registry *r, void (*cb)(void *ctx), void *ctx);

/* The resource's cache; it is shared by versions of one resource. NULL if nothing is stored. */
struct kube_cache *kube_registry_cache(struct kube_registry *r,
                                       const struct kube_resource *resource);

/* As kube_cache_wait, and asks the store how far it is. */
void kube_registry_wait(struct kube_registry *r,
                        struct kube_cache *c,
                        struct kube_cache_wait *w,
                        uint64_t revision);

struct kube_store *kube_registry_store(struct kube_registry *r);

/* What a body is. */
enum kube_media {
    KUBE_MEDIA_NONE,
    KUBE_MEDIA_JSON,
    KUBE_MEDIA_PROTOBUF,
    KUBE_MEDIA_YAML,
    KUBE_MEDIA_JSON_PATCH,
    KUBE_MEDIA_MERGE_PATCH,
    KUBE_MEDIA_STRATEGIC_PATCH,
    KUBE_MEDIA_APPLY_PATCH,
    KUBE_MEDIA_UNKNOWN,
};

/* By Content-Type, parameters aside. */
enum kube_media kube_media_parse(struct kvs_view content_type);

/* One request for one object: caller-allocated; the callback runs once, later, and is the last
 * use. What it points to lives until then. */
struct kube_request {
    void (*cb)(struct kube_request *q); /* in */
    struct arena *arena;                /* in: everything the request makes */
    const struct kube_route *route;     /* in */
    const struct kube_query *query;     /* in */
    enum kube_media media;              /* in */
    struct kvs_view body;               /* in */
    struct kvs_view user_agent;         /* in: names the manager if the query does not */
    struct kube_status status;          /* in: initialised; out: .code 0, or why it was refused */
    unsigned code;                      /* out: HTTP's, when it was not refused */
    struct buf json;                    /* in: initialised; out: the object, or a Status */
    struct buf warnings;                /* in: initialised; out: texts, each ended by a 0 byte */

    struct kube_registry *registry; /* the registry's, from here on */
    struct loop_task task;          /* an end that came early */
    int state;
    unsigned tries;
    struct kvs_view key;
    yyjson_mut_doc *doc; /* of the try */
    yyjson_mut_val *object;
    bool gone;
    uint64_t base_revision; /* of what the object was made from; 0: it is new */
    struct kube_store_read read;
    struct kube_store_write write;
    struct buf value;
};

void kube_request_init(struct kube_request *q);
/* After the callback. */
void kube_request_fini(struct kube_request *q);

/* Any action on one object, creation included. KVS_E_NOMEM. */
KVS_MUST_USE int kube_registry_submit(struct kube_registry *r, struct kube_request *q);

#endif
