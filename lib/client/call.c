/* One call from the API to its callback. A call is encoded on the caller's thread, travels as a
 * task, belongs to the backend from its arrival on, and ends in client_call_done. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/mbox.h"
#include "client/client_int.h"

static void call_free(struct client_call *call)
{
    kvs_free(call->req.data);
    arena_fini(&call->arena);
    kvs_free(call->endpoint);
    kvs_free(call);
}

static void call_arrive(struct client_task *task)
{
    struct client_call *call = container_of(task, struct client_call, task);
    struct kvs_client *c = call->client;

    list_push_back(&c->calls, &call->node);
    if (call->timeout_ms != 0) {
        call->deadline_ms = loop_now_ms(c->loop) + call->timeout_ms;
    }
    if (c->closing) {
        client_call_done(call, KVS_E_CANCELED, NULL, NULL);
        return;
    }
    c->backend->ops->call(c->backend, call);
}

/* A transaction of nothing but reads is a read. */
static bool txn_is_read(const struct kvs_txn_req *txn)
{
    for (size_t i = 0; i < txn->n_success; i++) {
        if (txn->success[i].type != KVS_OP_RANGE) {
            return false;
        }
    }
    for (size_t i = 0; i < txn->n_failure; i++) {
        if (txn->failure[i].type != KVS_OP_RANGE) {
            return false;
        }
    }
    return true;
}

static int encode_request(struct client_call *call, const void *req, size_t max)
{
    struct buf b;

    if (pb_size(call->method->req, req) > max) {
        return KVS_E_TOO_LONG;
    }
    buf_init(&b);
    pb_encode(&b, call->method->req, req);
    if (b.failed) {
        buf_fini(&b);
        return KVS_E_NOMEM;
    }
    call->req = buf_take(&b);
    return 0;
}

static int copy_request(struct client_call *call, const void *req)
{
    size_t size = call->method->req->size_bytes;

    arena_init(&call->arena, 0); /* the node has a limit of its own */
    call->request = arena_alloc(&call->arena, size);
    if (call->request == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(call->request, req, size);
    return pb_own(&call->arena, call->method->req, call->request);
}

static int
take_options(struct client_call *call, const struct kvs_call_options *options, uint32_t def)
{
    call->timeout_ms = def;
    if (options == NULL) {
        return 0;
    }
    if (options->timeout_ms != 0) {
        call->timeout_ms = options->timeout_ms == KVS_NO_TIMEOUT ? 0 : options->timeout_ms;
    }
    if (options->endpoint != NULL) {
        call->endpoint = kvs_strdup(options->endpoint);
        return call->endpoint == NULL ? KVS_E_NOMEM : 0;
    }
    return 0;
}

int client_call_start(struct kvs_client *c,
                      enum client_method_id method,
                      const void *req,
                      const struct kvs_call_options *options,
                      void (*finish)(struct client_call *call,
                                     const struct kvs_error *error,
                                     const void *resp),
                      client_fn fn,
                      void *ctx)
{
    struct client_call *call = kvs_calloc(1, sizeof *call);
    int err;

    if (call == NULL) {
        return KVS_E_NOMEM;
    }
    list_init(&call->node);
    call->task.run = call_arrive;
    call->client = c;
    call->method = client_method(method);
    call->repeatable = call->method->repeatable || (method == CLIENT_TXN && txn_is_read(req));
    call->finish = finish;
    call->fn = fn;
    call->ctx = ctx;
    err = take_options(call, options, c->call_timeout_ms);
    if (err == 0) {
        err = c->backend->in_process ? copy_request(call, req)
                                     : encode_request(call, req, c->send_max_bytes);
    }
    if (err == 0) {
        err = client_submit(c, &call->task);
    }
    if (err != 0) {
        call_free(call);
    }
    return err;
}

void client_call_done(struct client_call *call, int code, const char *text, void *resp)
{
    struct kvs_client *c = call->client;
    struct kvs_error error;

    kvs_assert((code == 0) == (resp != NULL));
    (void)client_error_set(&error, code, code == 0 ? "ok" : text);
    list_remove(&call->node);
    call->finish(call, &error, resp);
    kvs_resp_free(resp);
    call_free(call);
    client_maybe_stop(c);
}

/* ---- waiting ---- */

struct sync_wait {
    struct list node; /* posted to `mbox` at the end */
    struct mbox *mbox;
    struct kvs_error error;
    const void *resp;
};

static void sync_finish(struct client_call *call, const struct kvs_error *error, const void *resp)
{
    struct sync_wait *w = call->ctx;

    w->error = *error;
    w->resp = resp;
    if (resp != NULL) {
        kvs_resp_keep(resp);
    }
    mbox_post(w->mbox, &w->node);
}

int client_call_sync(struct kvs_client *c,
                     enum client_method_id method,
                     const void *req,
                     const struct kvs_call_options *options,
                     void **ret_resp,
                     struct kvs_error *ret_error)
{
    struct sync_wait w = {.mbox = NULL};
    struct list messages;
    int err;

    if (client_on_thread(c)) {
        return client_error_set(ret_error, KVS_E_INVALID, "blocking call on the client's thread");
    }
    w.mbox = mbox_new(NULL, NULL);
    if (w.mbox == NULL) {
        return client_error_set(ret_error, KVS_E_NOMEM, NULL);
    }
    err = client_call_start(c, method, req, options, sync_finish, NULL, &w);
    if (err == 0) {
        list_init(&messages);
        kvs_assert(mbox_wait(w.mbox, &messages));
    } else {
        (void)client_error_set(&w.error, err, NULL);
    }
    mbox_free(w.mbox);
    if (ret_error != NULL) {
        *ret_error = w.error;
    }
    if (w.error.code == 0) {
        *ret_resp = (void *)(uintptr_t)w.resp;
    }
    return w.error.code;
}
