#include "kube/api/api.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "kube/api/api_int.h"
#include "loop/stream.h"

enum {
    BODY_MAX = 3 << 20, /* as kube-apiserver */
    STREAMS_MAX = 250,
};

static const char anonymous[] = "system:anonymous";
static const char *const unauthenticated_group[] = {"system:unauthenticated"};

/* --- answers ---------------------------------------------------------------------------------- */

void api_reply_json(struct api_call *c, unsigned code, struct buf *json)
{
    static const struct rpc_http_field fields[] = {{"cache-control", "no-cache, private"}};

    if (json->failed) {
        rpc_fail(c->call, RPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    rpc_http_reply(c->call, code, "application/json", fields, 1, buf_take(json));
}

void api_reply_status(struct api_call *c, struct kube_status *status)
{
    struct buf json;

    buf_init(&json);
    kube_status_write(status, &json);
    buf_append_str(&json, "\n");
    api_reply_json(c, status->code, &json);
    buf_fini(&json);
}

/* --- who ----------------------------------------------------------------------------------------
 */

static void api_identify(struct api_call *c)
{
    const struct stream_peer *peer = rpc_call_peer(c->call);

    c->user = (struct api_user){view_str(anonymous), unauthenticated_group, 1};
    if (peer != NULL && peer->verified && peer->common_name != NULL) {
        c->user = (struct api_user){view_str(peer->common_name), peer->organizations,
                                    peer->n_organizations};
    }
}

static bool api_user_in(const struct api_user *user, const char *group)
{
    for (size_t i = 0; i < user->n_groups; i++) {
        if (strcmp(user->groups[i], group) == 0) {
            return true;
        }
    }
    return false;
}

/* RBAC is to come: until then the cluster's administrators and its own parts are let in, and
 * nobody else. */
static bool api_may(struct api_call *c, struct kube_status *status)
{
    const struct kube_route *route = &c->route;

    if (view_equal_str(c->user.name, anonymous)) {
        kube_status_unauthorized(status);
        return false;
    }
    if (route->kind == KUBE_ROUTE_OTHER || api_user_in(&c->user, "system:masters")) {
        return true; /* what the API looks like is no secret among those it knows */
    }
    kube_status_forbidden(status, route->resource, route->name, "User \"%.*s\" cannot %s this here",
                          (int)c->user.name.len, (const char *)c->user.name.data,
                          kube_action_name(route->action));
    return false;
}

/* --- what ---------------------------------------------------------------------------------------
 */

static void api_dispatch(struct api_call *c, struct kube_status *status)
{
    const struct kube_resource *r = c->route.resource;

    if (c->route.kind == KUBE_ROUTE_OTHER && api_openapi(c)) {
        return;
    }
    if (c->route.kind != KUBE_ROUTE_RESOURCE) {
        api_discovery(c);
        return;
    }
    if ((r->verbs & kube_action_verb(c->route.action)) == 0) {
        kube_status_no_method(status, r, kube_action_name(c->route.action));
        api_reply_status(c, status);
        return;
    }
    if (r->storage == NULL || (c->route.sub != KUBE_SUB_NONE && c->route.sub != KUBE_SUB_STATUS)) {
        kube_status_no_method(status, r, kube_action_name(c->route.action));
        api_reply_status(c, status);
        return;
    }
    if (c->route.action == KUBE_ACTION_LIST) {
        api_list(c);
    } else if (c->route.action == KUBE_ACTION_WATCH) {
        api_watch(c);
    } else if (c->route.action == KUBE_ACTION_DELETECOLLECTION) {
        kube_status_no_method(status, r, kube_action_name(c->route.action));
        api_reply_status(c, status);
    } else {
        api_object(c);
    }
}

static void api_handle(void *ctx, struct rpc_call *call)
{
    struct arena *arena = rpc_call_arena(call);
    struct api_call *c = arena_calloc(arena, 1, sizeof *c);
    struct kube_status status;
    int err;

    if (c == NULL) {
        rpc_fail(call, RPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    c->api = ctx;
    c->call = call;
    c->arena = arena;
    c->format = api_accept(call);
    api_identify(c);
    if (api_open_path(c)) {
        return;
    }
    kube_status_init(&status);
    err = kube_route_parse(arena, rpc_http_method(call), rpc_call_path(call), rpc_http_query(call),
                           &c->route, &c->query, &status);
    if (err == KVS_E_NOMEM) {
        kube_status_internal(&status, "out of memory");
    }
    if (err == 0 && api_may(c, &status)) {
        api_dispatch(c, &status);
    } else {
        api_reply_status(c, &status);
    }
    kube_status_fini(&status);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void api_free(struct kube_api *api)
{
    rpc_server_free(api->server);
    api_openapi_free(api->openapi);
    tls_context_free(api->tls);
    kvs_free(api);
}

static int
api_listen(struct kube_api *api, const struct kube_api_options *options, struct kvs_error *error)
{
    const struct tls_options tls = {.cert_file = options->cert_file,
                                    .key_file = options->key_file,
                                    .ca_file = options->client_ca_file};
    struct net_addr addr = {.port = options->port, .tls = true};
    int err;

    (void)snprintf(addr.host, sizeof addr.host, "%s", options->bind_address);
    err = tls_context_new_server(&tls, &api->tls, error);
    if (err == 0) {
        err = rpc_listen(api->server, &addr, api->tls, RPC_LISTEN_HTTP, 0, &api->port, error);
    }
    return err;
}

int kube_api_open(const struct kube_api_options *options,
                  struct kube_api **ret_api,
                  struct kvs_error *error)
{
    const struct rpc_limits limits = {.http_body_max = BODY_MAX, .streams_max = STREAMS_MAX};
    struct kube_api *api = kvs_calloc(1, sizeof *api);
    int err;

    if (api == NULL) {
        return KVS_E_NOMEM;
    }
    api->loop = options->loop;
    api->registry = options->registry;
    api->log = options->log;
    list_init(&api->watches);
    err = api_openapi_new(options->loop, &api->openapi);
    if (err == 0) {
        err = rpc_server_new(options->loop, &limits, options->log, &api->server);
    }
    if (err == 0) {
        rpc_http(api->server, api_handle, api);
        err = api_listen(api, options, error);
    }
    if (err != 0) {
        api_free(api);
        return err;
    }
    (void)snprintf(api->address, sizeof api->address, "%s:%u",
                   options->advertise == NULL ? "127.0.0.1" : options->advertise,
                   (unsigned)api->port);
    *ret_api = api;
    return 0;
}

uint16_t kube_api_port(const struct kube_api *api)
{
    return api->port;
}

static void api_drained(void *ctx)
{
    struct kube_api *api = ctx;
    void (*cb)(void *ctx) = api->close_cb;
    void *close_ctx = api->close_ctx;

    api_free(api);
    if (cb != NULL) {
        cb(close_ctx);
    }
}

void kube_api_close(struct kube_api *api, unsigned grace_ms, void (*cb)(void *ctx), void *ctx)
{
    kvs_assert(!api->closing);
    api->closing = true;
    api->close_cb = cb;
    api->close_ctx = ctx;
    api_watch_stop(api);
    rpc_drain(api->server, grace_ms, api_drained, api);
}
