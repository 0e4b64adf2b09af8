/* Inside of the API server. */
#ifndef KUBE_API_INT_H
#define KUBE_API_INT_H

#include "base/list.h"
#include "kube/api/api.h"
#include "kube/field_selector.h"
#include "kube/label_selector.h"
#include "loop/tls.h"
#include "rpc/rpc_server.h"

struct kube_api {
    struct loop *loop;
    struct kube_registry *registry;
    struct log *log;
    struct rpc_server *server;
    struct tls_context *tls;
    char address[300]; /* host:port, as discovery tells it */
    uint16_t port;
    struct list watches; /* struct api_watch.node */
    struct api_openapi *openapi;
    bool closing;
    void (*close_cb)(void *ctx);
    void *close_ctx;
};

/* Who asks. Views borrow from the connection. */
struct api_user {
    struct kvs_view name; /* "system:anonymous" without an identity */
    const char *const *groups;
    size_t n_groups;
};

enum api_format {
    API_JSON,
    API_TABLE,
    API_AGGREGATED_V2,
    API_AGGREGATED_V2BETA1,
};

/* One call, in its own arena. */
struct api_call {
    struct kube_api *api;
    struct rpc_call *call;
    struct arena *arena;
    struct api_user user;
    enum api_format format;
    struct kube_route route;
    struct kube_query query;
};

/* Which objects of a resource a list or watch shows. */
struct api_filter {
    struct kvs_view namespace; /* empty: all */
    bool has_labels;
    bool has_fields;
    struct kube_label_selector labels;
    struct kube_field_selector fields;
};

/* From the route and query; ended with fini. KVS_E_INVALID with `status` set, KVS_E_NOMEM. */
KVS_MUST_USE int
api_filter_parse(struct api_call *c, struct api_filter *ret_filter, struct kube_status *status);
void api_filter_fini(struct api_filter *f);
bool api_filter_matches(const struct api_filter *f, const struct kube_item *item);
/* The objects of the cache that match, in order, one reference each, in the arena. KVS_E_NOMEM. */
KVS_MUST_USE int api_filter_collect(const struct api_filter *f,
                                    const struct kube_cache *cache,
                                    struct arena *arena,
                                    struct kube_item ***ret_items,
                                    size_t *ret_n);

/* Calls `cb` when the cache has seen everything that was acknowledged before; `status` 0 or
 * KVS_E_*. For reads that ask for "now", and for those that ask for at least a revision. */
struct api_fresh {
    struct kube_store_barrier barrier;
    struct kube_cache_wait wait;
    struct kube_registry *registry;
    struct kube_cache *cache;
    int status;
    void (*cb)(struct api_fresh *f);
};

/* `revision` 0: now; else: at least that. */
void api_fresh_start(struct api_fresh *f,
                     struct kube_registry *registry,
                     struct kube_cache *cache,
                     uint64_t revision,
                     void (*cb)(struct api_fresh *f));

/* Empty: 0. KVS_E_INVALID with `status` set. */
KVS_MUST_USE int
api_revision_parse(struct kvs_view text, uint64_t *ret_revision, struct kube_status *status);

/* --- answers; each completes the call --------------------------------------------------------- */

void api_reply_json(struct api_call *c, unsigned code, struct buf *json);
void api_reply_status(struct api_call *c, struct kube_status *status);

/* A Table of one object's JSON, and of `items` as of a revision. */
void api_reply_table(struct api_call *c, unsigned code, struct kvs_view object);
void api_reply_table_of(struct api_call *c,
                        struct kube_item *const *items,
                        size_t n,
                        uint64_t revision);
void api_table_write(struct api_call *c,
                     struct kube_item *const *items,
                     size_t n,
                     uint64_t revision,
                     struct buf *to);

/* What the Accept header prefers. */
enum api_format api_accept(struct rpc_call *call);

/* --- handlers --------------------------------------------------------------------------------- */

void api_discovery(struct api_call *c);
/* /version, /healthz, ...: true if the path is one of them, and the call is complete. */
bool api_open_path(struct api_call *c);
/* /openapi/...: true if there is such a document, and the call is complete. */
bool api_openapi(struct api_call *c);
void api_object(struct api_call *c);
void api_list(struct api_call *c);
void api_watch(struct api_call *c);
/* All watches end. */
void api_watch_stop(struct kube_api *api);

/* The OpenAPI documents that are kept, none yet. KVS_E_NOMEM. */
KVS_MUST_USE int api_openapi_new(struct loop *loop, struct api_openapi **ret_openapi);
void api_openapi_free(struct api_openapi *a); /* NULL is allowed */

#endif
