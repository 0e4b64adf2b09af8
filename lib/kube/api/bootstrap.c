#include "kube/api/bootstrap.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/attr.h"
#include "base/view.h"

static const char *const namespaces[] = {
    "default",
    "kube-system",
    "kube-public",
    "kube-node-lease",
};

enum { N_NAMESPACES = sizeof namespaces / sizeof namespaces[0], CONFLICT = 409 };

struct kube_bootstrap {
    struct kube_registry *registry;
    void (*cb)(void *ctx, int status);
    void *ctx;
    size_t at;
    struct arena arena;
    struct kube_route route;
    struct kube_query query;
    struct kube_request request;
    char body[128];
};

static int bootstrap_next(struct kube_bootstrap *b);

static void bootstrap_end(struct kube_bootstrap *b, int status)
{
    void (*cb)(void *ctx, int status) = b->cb;
    void *ctx = b->ctx;

    arena_fini(&b->arena);
    kvs_free(b);
    cb(ctx, status);
}

static void bootstrap_done(struct kube_request *q)
{
    struct kube_bootstrap *b = container_of(q, struct kube_bootstrap, request);
    bool ok = q->status.code == 0 || q->status.code == CONFLICT;
    int err = KVS_E_UNAVAILABLE;

    kube_request_fini(q);
    if (ok) {
        b->at++;
        err = b->at == N_NAMESPACES ? 0 : bootstrap_next(b);
        if (err == 0 && b->at < N_NAMESPACES) {
            return;
        }
    }
    bootstrap_end(b, err);
}

static int bootstrap_next(struct kube_bootstrap *b)
{
    int len =
        snprintf(b->body, sizeof b->body, "{\"metadata\":{\"name\":\"%s\"}}", namespaces[b->at]);

    arena_reset(&b->arena);
    kube_request_init(&b->request);
    b->request.cb = bootstrap_done;
    b->request.arena = &b->arena;
    b->request.route = &b->route;
    b->request.query = &b->query;
    b->request.media = KUBE_MEDIA_JSON;
    b->request.user_agent = VIEW_LITERAL("kube-apiserver");
    b->request.body = view_make(b->body, (size_t)len);
    return kube_registry_submit(b->registry, &b->request);
}

int kube_bootstrap_start(struct kube_registry *registry,
                         void (*cb)(void *ctx, int status),
                         void *ctx)
{
    struct kube_bootstrap *b = kvs_calloc(1, sizeof *b);
    int err;

    if (b == NULL) {
        return KVS_E_NOMEM;
    }
    b->registry = registry;
    b->cb = cb;
    b->ctx = ctx;
    arena_init(&b->arena, 0);
    b->query.grace_period_s = -1;
    b->route = (struct kube_route){
        .kind = KUBE_ROUTE_RESOURCE,
        .resource = kube_resource_find(view_str(""), view_str("v1"), view_str("namespaces")),
        .action = KUBE_ACTION_CREATE};
    err = bootstrap_next(b);
    if (err != 0) {
        kube_request_fini(&b->request);
        arena_fini(&b->arena);
        kvs_free(b);
    }
    return err;
}
