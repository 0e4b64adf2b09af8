/* A unary call on remote endpoints.
 *
 *   pick -> started -> done
 *    | ^        |
 *    v |        v
 *   waiting   retry (repeatable, UNAVAILABLE, time left)
 *
 * What is not repeatable is tried once: it starts only on a connection that is up, so that a
 * failure before that is surely unsent and everything later may have happened. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/buf.h"
#include "client/remote_int.h"

enum {
    RETRY_DELAY_MS = 25, /* after each endpoint had its turn; etcd's client does the same */
    RETRIES_MAX = 100,
};

struct remote_call {
    struct client_call *call;
    struct remote *remote;
    struct endpoint *only; /* NULL: any */
    struct rpc_client_call rpc;
    struct endpoint_wait wait;
    struct loop_timer retry;
    unsigned n_tries;
    bool started;
    bool canceled;
    void *resp; /* one_shot: what came */
};

static void call_pick(struct remote_call *rc);

static void call_end(struct remote_call *rc, int code, const char *text, void *resp)
{
    struct client_call *call = rc->call;

    endpoint_wait_stop(&rc->wait);
    loop_timer_stop(&rc->retry);
    kvs_resp_free(rc->resp);
    kvs_free(rc);
    client_call_done(call, code, text, resp);
}

/* Milliseconds left; UINT32_MAX without a deadline, 0 when it has passed. */
static uint64_t call_left_ms(const struct remote_call *rc)
{
    uint64_t now = loop_now_ms(rc->remote->base.client->loop);

    if (rc->call->deadline_ms == 0) {
        return UINT32_MAX;
    }
    return rc->call->deadline_ms > now ? rc->call->deadline_ms - now : 0;
}

/* ---- the end of a try ---- */

static bool call_may_retry(const struct remote_call *rc, enum rpc_status status)
{
    return status == RPC_UNAVAILABLE && rc->call->repeatable && !rc->canceled &&
           rc->n_tries < RETRIES_MAX && call_left_ms(rc) > RETRY_DELAY_MS;
}

static void call_retry_cb(struct loop_timer *t)
{
    call_pick(container_of(t, struct remote_call, retry));
}

static void call_succeed(struct remote_call *rc, struct kvs_view response)
{
    void *resp = NULL;
    int err = client_resp_decode(rc->call->method->resp, response, &resp);

    call_end(rc, err, NULL, resp);
}

static void call_done_cb(struct rpc_client_call *rpc,
                         enum rpc_status status,
                         const char *text,
                         struct kvs_view response)
{
    struct remote_call *rc = container_of(rpc, struct remote_call, rpc);

    rc->started = false;
    if (rc->resp != NULL) {
        void *resp = rc->resp;

        rc->resp = NULL;
        call_end(rc, 0, NULL, resp);
    } else if (status == RPC_OK && !rc->call->method->one_shot) {
        call_succeed(rc, response);
    } else if (call_may_retry(rc, status)) {
        unsigned round = rc->n_tries % (unsigned)rc->remote->n_endpoints;

        loop_timer_start(&rc->retry, round == 0 ? RETRY_DELAY_MS : 1);
    } else {
        call_end(rc, status == RPC_OK ? KVS_E_CLOSED : remote_code(status, text), text, NULL);
    }
}

static void call_message_cb(struct rpc_client_call *rpc, struct kvs_view message)
{
    struct remote_call *rc = container_of(rpc, struct remote_call, rpc);

    void *resp;

    if (rc->resp == NULL && client_resp_decode(rc->call->method->resp, message, &resp) == 0) {
        rc->resp = resp;
    }
    rpc_client_cancel(rpc); /* without a good message that ends in an error */
}

/* ---- a try ---- */

static int start_one_shot(struct remote_call *rc, struct endpoint *ep, uint32_t timeout_ms)
{
    struct kvs_view req = {rc->call->req.data, rc->call->req.len};
    int err =
        rpc_client_stream_start(ep->rpc, &rc->rpc, rc->call->method->path, NULL, 0, timeout_ms);

    if (err == 0 && rpc_client_send(&rc->rpc, req) != 0) {
        rpc_client_cancel(&rc->rpc); /* on_done tells */
    }
    return err;
}

static void call_start(struct remote_call *rc, struct endpoint *ep)
{
    struct kvs_view req = {rc->call->req.data, rc->call->req.len};
    uint64_t left = call_left_ms(rc);
    uint32_t timeout_ms = left == UINT32_MAX ? 0 : (uint32_t)left;
    int err;

    rc->n_tries++;
    if (rc->call->method->one_shot) {
        err = start_one_shot(rc, ep, timeout_ms);
    } else {
        err = rpc_client_unary(ep->rpc, &rc->rpc, rc->call->method->path, req, timeout_ms);
    }
    if (err != 0) {
        call_end(rc, err, NULL, NULL);
        return;
    }
    rc->started = true;
}

static void call_ready_cb(struct endpoint_wait *w, struct endpoint *ep)
{
    call_start(container_of(w, struct remote_call, wait), ep);
}

static void call_failed_cb(struct endpoint_wait *w, int code, const char *text)
{
    call_end(container_of(w, struct remote_call, wait), code, text, NULL);
}

static void call_pick(struct remote_call *rc)
{
    struct endpoint *ep = endpoint_pick(rc->remote, rc->only);
    uint64_t left = call_left_ms(rc);

    if (left == 0) {
        call_end(rc, KVS_E_DEADLINE_EXCEEDED, NULL, NULL);
    } else if (ep != NULL) {
        call_start(rc, ep);
    } else {
        uint64_t dial = rc->remote->dial_timeout_ms;

        endpoint_wait_start(&rc->wait, rc->only, left < dial ? left : dial);
    }
}

/* ---- the backend's operations ---- */

void remote_call(struct client_backend *b, struct client_call *call)
{
    struct remote *r = container_of(b, struct remote, base);
    struct remote_call *rc = kvs_calloc(1, sizeof *rc);
    struct kvs_error error = {0};

    if (rc == NULL) {
        client_call_done(call, KVS_E_NOMEM, NULL, NULL);
        return;
    }
    rc->call = call;
    rc->remote = r;
    call->backend = rc;
    endpoint_wait_init(r, &rc->wait);
    rc->wait.ready = call_ready_cb;
    rc->wait.failed = call_failed_cb;
    loop_timer_init(b->client->loop, &rc->retry, call_retry_cb);
    rc->rpc.on_done = call_done_cb;
    rc->rpc.on_message = call->method->one_shot ? call_message_cb : NULL;
    if (call->endpoint != NULL && endpoint_get(r, call->endpoint, false, &rc->only, &error) != 0) {
        call_end(rc, error.code, error.msg, NULL);
        return;
    }
    call_pick(rc);
}

void remote_call_cancel(struct client_backend *b, struct client_call *call)
{
    struct remote_call *rc = call->backend;

    (void)b;
    rc->canceled = true;
    if (rc->started) {
        rpc_client_cancel(&rc->rpc);
    } else {
        call_end(rc, KVS_E_CANCELED, NULL, NULL);
    }
}
