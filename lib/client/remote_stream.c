/* A stream on one of the endpoints: it lives and dies with its connection. Starting again is the
 * business of who opened it (watch.c). */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/buf.h"
#include "client/remote_int.h"

struct remote_stream {
    struct client_stream *stream;
    struct remote *remote;
    struct rpc_client_call rpc;
    struct endpoint_wait wait;
    struct loop_task end; /* an end that must come later */
    struct kvs_blob first;
    int end_code; /* set before the connection's own end: overrides it */
    bool started;
    bool paused;
};

static void stream_end(struct remote_stream *rs, int code, const char *text)
{
    struct client_stream *s = rs->stream;

    endpoint_wait_stop(&rs->wait);
    loop_task_cancel(&rs->end);
    kvs_free(rs->first.data);
    kvs_free(rs);
    s->backend = NULL;
    client_stream_ended(s, code, text);
}

static void stream_end_task(struct loop_task *t)
{
    struct remote_stream *rs = container_of(t, struct remote_stream, end);

    stream_end(rs, rs->end_code, NULL);
}

static void stream_end_later(struct remote_stream *rs, int code)
{
    endpoint_wait_stop(&rs->wait);
    rs->end_code = code;
    loop_task_post(rs->remote->base.client->loop, &rs->end);
}

static void stream_done_cb(struct rpc_client_call *rpc,
                           enum rpc_status status,
                           const char *text,
                           struct kvs_view response)
{
    struct remote_stream *rs = container_of(rpc, struct remote_stream, rpc);

    (void)response;
    if (rs->end_code != 0) {
        stream_end(rs, rs->end_code, NULL);
        return;
    }
    stream_end(rs, remote_code(status, text), text);
}

static void stream_message_cb(struct rpc_client_call *rpc, struct kvs_view message)
{
    struct remote_stream *rs = container_of(rpc, struct remote_stream, rpc);
    void *resp = NULL;
    int err;

    if (rs->end_code != 0) {
        return; /* cancelled: what still comes is nobody's */
    }
    err = client_resp_decode(rs->stream->method->resp, message, &resp);
    if (err != 0) {
        rs->end_code = err;
        rpc_client_cancel(rpc);
        return;
    }
    rs->stream->on_message(rs->stream, resp);
}

static void stream_ready_cb(struct endpoint_wait *w, struct endpoint *ep)
{
    struct remote_stream *rs = container_of(w, struct remote_stream, wait);
    struct rpc_metadata leader = {"hasleader", {"true", 4}};
    struct kvs_view first = {rs->first.data, rs->first.len};
    int err = rpc_client_stream_start(ep->rpc, &rs->rpc, rs->stream->method->path, &leader,
                                      rs->remote->require_leader ? 1 : 0, 0);

    if (err != 0) {
        stream_end_later(rs, err);
        return;
    }
    rs->started = true;
    if (rpc_client_send(&rs->rpc, first) != 0) {
        rs->end_code = KVS_E_NOMEM;
        rpc_client_cancel(&rs->rpc);
        return;
    }
    if (rs->stream->method == client_method(CLIENT_SNAPSHOT)) {
        rpc_client_half_close(&rs->rpc); /* one request, many responses */
    }
    if (rs->paused) {
        rpc_client_pause(&rs->rpc);
    }
}

static void stream_failed_cb(struct endpoint_wait *w, int code, const char *text)
{
    stream_end(container_of(w, struct remote_stream, wait), code, text);
}

static int encode(const struct pb_message *message, const void *m, struct kvs_blob *ret_blob)
{
    struct buf b;

    buf_init(&b);
    pb_encode(&b, message, m);
    if (b.failed) {
        buf_fini(&b);
        return KVS_E_NOMEM;
    }
    *ret_blob = buf_take(&b);
    return 0;
}

int remote_stream_open(struct client_backend *b, struct client_stream *s, const void *first)
{
    struct remote *r = container_of(b, struct remote, base);
    struct remote_stream *rs = kvs_calloc(1, sizeof *rs);
    struct endpoint *only = NULL;
    struct endpoint *ep;
    int err = KVS_E_NOMEM;

    if (rs == NULL) {
        return KVS_E_NOMEM;
    }
    rs->stream = s;
    rs->remote = r;
    endpoint_wait_init(r, &rs->wait);
    rs->wait.ready = stream_ready_cb;
    rs->wait.failed = stream_failed_cb;
    loop_task_init(&rs->end, stream_end_task);
    rs->rpc.on_done = stream_done_cb;
    rs->rpc.on_message = stream_message_cb;
    err = encode(s->method->req, first, &rs->first);
    if (err == 0 && s->endpoint != NULL) {
        err = endpoint_get(r, s->endpoint, false, &only, NULL);
    }
    if (err != 0) {
        kvs_free(rs->first.data);
        kvs_free(rs);
        return err;
    }
    s->backend = rs;
    ep = endpoint_pick(r, only);
    if (ep != NULL) {
        stream_ready_cb(&rs->wait, ep);
    } else {
        endpoint_wait_start(&rs->wait, only, r->dial_timeout_ms);
    }
    return 0;
}

void remote_stream_send(struct client_backend *b, struct client_stream *s, const void *req)
{
    struct remote_stream *rs = s->backend;
    struct kvs_blob blob;
    int err;

    (void)b;
    if (rs == NULL || !rs->started || rs->end_code != 0) {
        return;
    }
    err = encode(s->method->req, req, &blob);
    if (err == 0) {
        err = rpc_client_send(&rs->rpc, (struct kvs_view){blob.data, blob.len});
        kvs_free(blob.data);
    }
    if (err == KVS_E_NOMEM) {
        rs->end_code = err; /* KVS_E_CLOSED: its own end is on the way */
        rpc_client_cancel(&rs->rpc);
    }
}

void remote_stream_pause(struct client_backend *b, struct client_stream *s)
{
    struct remote_stream *rs = s->backend;

    (void)b;
    if (rs != NULL && !rs->paused) {
        rs->paused = true;
        if (rs->started) {
            rpc_client_pause(&rs->rpc);
        }
    }
}

void remote_stream_resume(struct client_backend *b, struct client_stream *s)
{
    struct remote_stream *rs = s->backend;

    (void)b;
    if (rs != NULL && rs->paused) {
        rs->paused = false;
        if (rs->started) {
            rpc_client_resume(&rs->rpc);
        }
    }
}

void remote_stream_cancel(struct client_backend *b, struct client_stream *s)
{
    struct remote_stream *rs = s->backend;

    (void)b;
    if (rs == NULL || rs->end_code != 0) {
        return;
    }
    if (rs->started) {
        rs->end_code = KVS_E_CANCELED;
        rpc_client_cancel(&rs->rpc);
    } else {
        stream_end_later(rs, KVS_E_CANCELED);
    }
}
