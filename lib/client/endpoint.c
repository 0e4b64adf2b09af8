/* Endpoints: one connection each, chosen in turn among those that are up. Calls that find none
 * wait, at most the dial timeout. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "client/remote_int.h"

static struct loop *remote_loop(const struct remote *r)
{
    return r->base.client->loop;
}

/* ---- waiting ---- */

static bool endpoint_failed(const struct endpoint *ep)
{
    return rpc_client_state(ep->rpc) == RPC_CLIENT_BACKOFF;
}

static void wait_fail(struct endpoint_wait *w)
{
    const struct remote *r = w->remote;

    endpoint_wait_stop(w);
    w->failed(w, KVS_E_UNAVAILABLE, r->last.code != 0 ? r->last.msg : "no endpoint is connected");
}

static void wait_timeout(struct loop_timer *t)
{
    wait_fail(container_of(t, struct endpoint_wait, timer));
}

/* Gives each waiter an endpoint if there is one now. A call that named its endpoint does not
 * outwait a refusal: nobody else can serve it. */
static void serve_waiters(struct loop_task *t)
{
    struct remote *r = container_of(t, struct remote, wake);
    struct list waiters;

    list_init(&waiters);
    list_splice_back(&waiters, &r->waiters);
    while (!list_empty(&waiters)) {
        struct endpoint_wait *w = list_entry(waiters.next, struct endpoint_wait, node);
        struct endpoint *ep = endpoint_pick(r, w->only);

        list_remove(&w->node);
        list_push_back(&r->waiters, &w->node);
        if (ep != NULL) {
            endpoint_wait_stop(w);
            w->ready(w, ep);
        } else if (w->only != NULL && endpoint_failed(w->only)) {
            wait_fail(w);
        }
    }
}

void endpoint_wait_init(struct remote *r, struct endpoint_wait *w)
{
    w->remote = r;
    list_init(&w->node);
    loop_timer_init(remote_loop(r), &w->timer, wait_timeout);
}

void endpoint_wait_start(struct endpoint_wait *w, struct endpoint *only, uint64_t timeout_ms)
{
    struct remote *r = w->remote;

    w->only = only;
    if (list_empty(&r->waiters)) {
        for (size_t i = 0; i < r->n_endpoints; i++) {
            rpc_client_connect_now(r->endpoints[i]->rpc);
        }
    }
    list_push_back(&r->waiters, &w->node);
    loop_timer_start(&w->timer, timeout_ms);
}

bool endpoint_wait_active(const struct endpoint_wait *w)
{
    return !list_empty(&w->node);
}

void endpoint_wait_stop(struct endpoint_wait *w)
{
    list_remove(&w->node);
    loop_timer_stop(&w->timer);
}

/* ---- connections ---- */

/* Runs inside the connection's own callbacks: only takes note. */
static void endpoint_state_cb(void *ctx, enum rpc_client_state state, const char *text)
{
    struct endpoint *ep = ctx;
    struct remote *r = ep->remote;
    char address[NET_TEXT_MAX];

    if (state == RPC_CLIENT_BACKOFF) {
        r->last.code = KVS_E_UNAVAILABLE;
        (void)snprintf(r->last.msg, sizeof r->last.msg, "cannot reach %s: %s",
                       net_addr_text(&ep->addr, address), text);
    }
    if (state == RPC_CLIENT_READY || state == RPC_CLIENT_BACKOFF) {
        loop_task_post(remote_loop(r), &r->wake);
    }
}

static int endpoint_connect(struct endpoint *ep)
{
    struct remote *r = ep->remote;
    struct rpc_client_options options = {
        .target = ep->addr,
        .tls = ep->addr.tls ? r->tls : NULL,
        .recv_message_max = r->recv_max_bytes,
        .connect_timeout_ms = r->dial_timeout_ms,
        .keepalive_interval_ms = r->keepalive_time_ms,
        .keepalive_timeout_ms = r->keepalive_timeout_ms,
        .on_state = endpoint_state_cb,
        .ctx = ep,
    };

    return rpc_client_new(remote_loop(r), &options, &ep->rpc);
}

static struct endpoint *find_endpoint(struct remote *r, const struct net_addr *addr)
{
    for (size_t i = 0; i < r->n_endpoints; i++) {
        struct endpoint *ep = r->endpoints[i];

        if (ep->addr.port == addr->port && strcmp(ep->addr.host, addr->host) == 0) {
            return ep;
        }
    }
    return NULL;
}

static int parse_name(struct remote *r,
                      const char *name,
                      struct net_addr *ret_addr,
                      struct kvs_error *ret_error)
{
    char text[128];

    if (net_addr_parse(name, ret_addr) != 0) {
        (void)snprintf(text, sizeof text, "bad endpoint: %.100s", name);
        return client_error_set(ret_error, KVS_E_ADDRESS, text);
    }
    if (r->tls != NULL && strstr(name, "://") == NULL) {
        ret_addr->tls = true;
    }
    if (ret_addr->tls && r->tls == NULL) {
        return client_error_set(ret_error, KVS_E_TLS, "an https endpoint needs TLS options");
    }
    return 0;
}

int endpoint_get(struct remote *r,
                 const char *name,
                 bool shared,
                 struct endpoint **ret_endpoint,
                 struct kvs_error *ret_error)
{
    struct net_addr addr;
    struct endpoint *ep;
    int err = parse_name(r, name, &addr, ret_error);

    if (err != 0) {
        return err;
    }
    ep = find_endpoint(r, &addr);
    if (ep != NULL) {
        ep->shared = ep->shared || shared;
        *ret_endpoint = ep;
        return 0;
    }
    if (r->n_endpoints == REMOTE_ENDPOINTS_MAX) {
        return client_error_set(ret_error, KVS_E_TOO_LONG, "too many endpoints");
    }
    ep = kvs_calloc(1, sizeof *ep);
    if (ep == NULL) {
        return client_error_set(ret_error, KVS_E_NOMEM, NULL);
    }
    ep->remote = r;
    ep->addr = addr;
    ep->shared = shared;
    r->wake.fn = serve_waiters;
    err = endpoint_connect(ep);
    if (err != 0) {
        kvs_free(ep);
        return client_error_set(ret_error, err, NULL);
    }
    r->endpoints[r->n_endpoints++] = ep;
    *ret_endpoint = ep;
    return 0;
}

struct endpoint *endpoint_pick(struct remote *r, struct endpoint *only)
{
    if (only != NULL) {
        return rpc_client_state(only->rpc) == RPC_CLIENT_READY ? only : NULL;
    }
    for (size_t i = 0; i < r->n_endpoints; i++) {
        size_t at = (r->next + i) % r->n_endpoints;
        struct endpoint *ep = r->endpoints[at];

        if (ep->shared && rpc_client_state(ep->rpc) == RPC_CLIENT_READY) {
            r->next = at + 1;
            return ep;
        }
    }
    return NULL;
}

void endpoint_free_all(struct remote *r)
{
    for (size_t i = 0; i < r->n_endpoints; i++) {
        rpc_client_free(r->endpoints[i]->rpc);
        kvs_free(r->endpoints[i]);
    }
    r->n_endpoints = 0;
}
