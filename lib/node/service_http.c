/* HTTP beside gRPC on the same port: /health, /livez, /readyz, /version, /metrics. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kvstore/node.h"
#include "node/service.h"
#include "node/service_metrics.h"

struct http_request {
    struct service *service;
    struct rpc_call *rpc;
    struct node_read read;
    void (*answer)(struct http_request *r, int err);
};

static void
http_reply_text(struct rpc_call *rpc, unsigned status, const char *type, const char *text)
{
    struct buf b;

    buf_init(&b);
    buf_append_str(&b, text);
    if (b.failed) {
        rpc_fail_err(rpc, KVS_E_NOMEM);
        return;
    }
    rpc_http_reply(rpc, status, type, NULL, 0, buf_take(&b));
}

static void http_reply_not_allowed(struct rpc_call *rpc)
{
    static const struct rpc_http_field allow = {"allow", "GET"};
    struct buf b;

    buf_init(&b);
    buf_append_str(&b, "Method Not Allowed\n");
    if (b.failed) {
        rpc_fail_err(rpc, KVS_E_NOMEM);
        return;
    }
    rpc_http_reply(rpc, 405, "text/plain; charset=utf-8", &allow, 1, buf_take(&b));
}

static void http_read_cb(struct node_read *read)
{
    struct http_request *r = container_of(read, struct http_request, read);

    r->answer(r, read->status);
}

/* Asks whether reads can be served, locally or by the whole cluster, and answers. */
static void http_check(struct service *s,
                       struct rpc_call *rpc,
                       bool serializable,
                       void (*answer)(struct http_request *r, int err))
{
    struct http_request *r = arena_calloc(rpc_call_arena(rpc), 1, sizeof *r);
    int err;

    if (r == NULL) {
        rpc_fail_err(rpc, KVS_E_NOMEM);
        return;
    }
    r->service = s;
    r->rpc = rpc;
    r->answer = answer;
    r->read.cb = http_read_cb;
    err = node_read_check(s->node, true);
    if (err != 0 || serializable) {
        answer(r, err);
        return;
    }
    err = node_read(s->node, &r->read);
    if (err != 0) {
        answer(r, err);
    }
}

/* True if `item` ("name" or "name=value") is one of the query's. */
static bool http_query_has(struct rpc_call *rpc, const char *item)
{
    struct kvs_view query = rpc_http_query(rpc);
    const char *at = query.data;
    size_t left = query.len;
    size_t len = strlen(item);

    while (left > 0) {
        const char *end = memchr(at, '&', left);
        size_t n = end != NULL ? (size_t)(end - at) : left;

        if (n == len && memcmp(at, item, len) == 0) {
            return true;
        }
        if (end == NULL) {
            return false;
        }
        left -= n + 1;
        at = end + 1;
    }
    return false;
}

/* --- /health --- */

static const char *health_alarm(struct service *s, struct rpc_call *rpc)
{
    struct apply *apply = node_apply(s->node);

    if (apply_alarm_is_set(apply, KVS_ALARM_NOSPACE) && !http_query_has(rpc, "exclude=NOSPACE")) {
        return "ALARM NOSPACE";
    }
    if (apply_alarm_is_set(apply, KVS_ALARM_CORRUPT) && !http_query_has(rpc, "exclude=CORRUPT")) {
        return "ALARM CORRUPT";
    }
    return NULL;
}

static void health_reply(struct service *s, struct rpc_call *rpc, const char *reason)
{
    char body[256];

    if (reason == NULL) {
        node_stats(s->node)->health_success++;
    } else {
        node_stats(s->node)->health_failures++;
    }
    (void)snprintf(body, sizeof body, "{\"health\":\"%s\",\"reason\":\"%s\"}",
                   reason == NULL ? "true" : "false", reason == NULL ? "" : reason);
    http_reply_text(rpc, reason == NULL ? 200 : 503, "text/plain; charset=utf-8", body);
}

static void health_answer(struct http_request *r, int err)
{
    char reason[160];

    if (err != 0) {
        (void)snprintf(reason, sizeof reason, "RANGE ERROR:%s", kvs_strerror(err));
    }
    health_reply(r->service, r->rpc, err != 0 ? reason : NULL);
}

static void health_handle(struct service *s, struct rpc_call *rpc)
{
    bool serializable = http_query_has(rpc, "serializable=true");
    const char *alarm = health_alarm(s, rpc);

    if (alarm != NULL) {
        health_reply(s, rpc, alarm);
    } else if (!serializable && replica_leader(node_replica(s->node)) == 0) {
        health_reply(s, rpc, "RAFT NO LEADER");
    } else {
        http_check(s, rpc, serializable, health_answer);
    }
}

/* --- /livez, /readyz --- */

static void probe_reply(struct rpc_call *rpc, const char *check, const char *failure)
{
    char body[320];

    if (failure != NULL) {
        (void)snprintf(body, sizeof body, "[-]%s failed: %s\n", check, failure);
        http_reply_text(rpc, 503, "text/plain; charset=utf-8", body);
    } else if (http_query_has(rpc, "verbose") || http_query_has(rpc, "verbose=true")) {
        (void)snprintf(body, sizeof body, "[+]%s ok\nok\n", check);
        http_reply_text(rpc, 200, "text/plain; charset=utf-8", body);
    } else {
        http_reply_text(rpc, 200, "text/plain; charset=utf-8", "ok\n");
    }
}

static void probe_serializable(struct http_request *r, int err)
{
    probe_reply(r->rpc, "serializable_read", err != 0 ? kvs_strerror(err) : NULL);
}

static void probe_linearizable(struct http_request *r, int err)
{
    probe_reply(r->rpc, "linearizable_read", err != 0 ? kvs_strerror(err) : NULL);
}

static void livez_handle(struct service *s, struct rpc_call *rpc)
{
    http_check(s, rpc, true, probe_serializable);
}

static void readyz_learner_handle(struct service *s, struct rpc_call *rpc)
{
    probe_reply(rpc, "non_learner", node_is_learner(s->node) ? "member is learner" : NULL);
}

static void readyz_corruption_handle(struct service *s, struct rpc_call *rpc)
{
    bool corrupt = apply_alarm_is_set(node_apply(s->node), KVS_ALARM_CORRUPT);

    probe_reply(rpc, "data_corruption", corrupt ? "alarm activated: CORRUPT" : NULL);
}

static void readyz_read_handle(struct service *s, struct rpc_call *rpc)
{
    http_check(s, rpc, false, probe_linearizable);
}

static void readyz_handle(struct service *s, struct rpc_call *rpc)
{
    if (node_is_learner(s->node)) {
        readyz_learner_handle(s, rpc);
    } else if (apply_alarm_is_set(node_apply(s->node), KVS_ALARM_CORRUPT)) {
        readyz_corruption_handle(s, rpc);
    } else {
        readyz_read_handle(s, rpc);
    }
}

/* --- /version, /metrics --- */

static void version_handle(struct service *s, struct rpc_call *rpc)
{
    char body[128];

    (void)s; /* the same for every node */
    (void)snprintf(body, sizeof body,
                   "{\"etcdserver\":\"%s\",\"etcdcluster\":\"%s\",\"storage\":\"%s\"}",
                   kvs_version(), kvs_version(), kvs_version());
    http_reply_text(rpc, 200, "application/json", body);
}

static void metrics_handle(struct service *s, struct rpc_call *rpc)
{
    struct buf b;

    buf_init(&b);
    service_metrics_write(s, &b);
    if (b.failed) {
        buf_fini(&b);
        rpc_fail_err(rpc, KVS_E_NOMEM);
        return;
    }
    rpc_http_reply(rpc, 200, "text/plain; version=0.0.4; charset=utf-8", NULL, 0, buf_take(&b));
}

static const struct {
    const char *path;
    void (*handle)(struct service *s, struct rpc_call *rpc);
} http_paths[] = {
    {"/health", health_handle},
    {"/livez", livez_handle},
    {"/livez/serializable_read", livez_handle},
    {"/readyz", readyz_handle},
    {"/readyz/data_corruption", readyz_corruption_handle},
    {"/readyz/serializable_read", livez_handle},
    {"/readyz/linearizable_read", readyz_read_handle},
    {"/readyz/non_learner", readyz_learner_handle},
    {"/version", version_handle},
    {"/metrics", metrics_handle},
};

static void http_handle(void *ctx, struct rpc_call *rpc)
{
    struct kvs_view path = rpc_call_path(rpc);

    for (size_t i = 0; i < ARRAY_LEN(http_paths); i++) {
        if (!view_equal_str(path, http_paths[i].path)) {
            continue;
        }
        if (view_equal_str(rpc_http_method(rpc), "GET")) {
            http_paths[i].handle(ctx, rpc);
        } else {
            http_reply_not_allowed(rpc);
        }
        return;
    }
    http_reply_text(rpc, 404, "text/plain; charset=utf-8", "404 page not found\n");
}

void service_http_register(struct service *s)
{
    rpc_http(s->rpc, http_handle, s);
}
