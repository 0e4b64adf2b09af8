/* Calls of the client. A call's inner part lives until the wire has let go of it and on_done has
 * run; on_done runs from the hook at the end of the turn, never from within nghttp2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "rpc/rpc_client_int.h"
#include "rpc/rpc_text.h"

static void client_stream_free_if_done(struct rpc_client_stream *s)
{
    if (s->submitted || s->call != NULL) {
        return;
    }
    loop_timer_stop(&s->deadline);
    list_remove(&s->node);
    list_remove(&s->done);
    list_remove(&s->ready);
    rpc_out_clear(&s->flow.out);
    rpc_in_fini(&s->in);
    buf_fini(&s->backlog);
    buf_fini(&s->response);
    buf_fini(&s->text);
    arena_fini(&s->arena);
    kvs_free(s);
}

static void client_stream_drop(struct rpc_client_stream *s)
{
    s->call = NULL;
    client_stream_free_if_done(s);
}

/* ---- the end ---- */

void client_stream_finish(struct rpc_client_stream *s, enum rpc_status status, const char *text)
{
    if (s->over) {
        return;
    }
    s->over = true;
    s->status = status;
    if (text != NULL) {
        buf_clear(&s->text);
        buf_append_str(&s->text, text);
    }
    buf_append_u8(&s->text, 0);
    loop_timer_stop(&s->deadline);
    list_remove(&s->ready);
    list_push_back(&s->client->finished, &s->done);
    if (!s->client->freed) {
        loop_hook_mark(&s->client->flush);
    }
    if (!s->submitted) {
        list_remove(&s->node);
    }
}

static void client_stream_report(struct rpc_client_stream *s)
{
    struct rpc_client_call *call = s->call;
    struct kvs_view response = {NULL, 0};

    if (s->status == RPC_OK && s->unary) {
        response = buf_view(&s->response);
    }
    call->stream = NULL;
    s->call = NULL;
    /* The call's storage is its owner's again. */
    call->on_done(call, s->status, s->text.failed ? "out of memory" : (const char *)s->text.data,
                  response);
    client_stream_free_if_done(s);
}

void client_run_finished(struct rpc_client *c)
{
    struct list finished;

    /* Detached: what on_done starts may finish at once, and waits for the next turn. */
    list_init(&finished);
    list_splice_back(&finished, &c->finished);
    for (struct list *node = list_pop_front(&finished); node != NULL;
         node = list_pop_front(&finished)) {
        client_stream_report(list_entry(node, struct rpc_client_stream, done));
    }
}

static void client_stream_off_wire(struct rpc_client_stream *s)
{
    kvs_assert(s->submitted && !s->in_feed);
    s->submitted = false;
    s->flow.wire = NULL;
    list_remove(&s->node);
    s->client->n_active--;
    rpc_out_clear(&s->flow.out);
}

void client_stream_lost(struct rpc_client_stream *s, const char *text)
{
    client_stream_finish(s, RPC_UNAVAILABLE, text);
    if (s->submitted) {
        client_stream_off_wire(s);
        client_stream_free_if_done(s);
    }
}

/* What an answer without a gRPC status means (gRPC's http-grpc-status-mapping). */
static enum rpc_status status_of_http(unsigned http_status)
{
    switch (http_status) {
    case 400:
        return RPC_INTERNAL;
    case 401:
        return RPC_UNAUTHENTICATED;
    case 403:
        return RPC_PERMISSION_DENIED;
    case 404:
        return RPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return RPC_UNAVAILABLE;
    default:
        return RPC_UNKNOWN;
    }
}

static enum rpc_status status_of_reset(uint32_t error)
{
    switch (error) {
    case NGHTTP2_REFUSED_STREAM:
        return RPC_UNAVAILABLE;
    case NGHTTP2_CANCEL:
        return RPC_CANCELED;
    case NGHTTP2_ENHANCE_YOUR_CALM:
        return RPC_RESOURCE_EXHAUSTED;
    default:
        return RPC_INTERNAL;
    }
}

static void client_stream_conclude(struct rpc_client_stream *s, uint32_t error)
{
    char text[120];

    if (s->has_status) {
        if (s->status == RPC_OK && s->unary && !s->got_message) {
            client_stream_finish(s, RPC_INTERNAL, "the response message is missing");
        } else {
            client_stream_finish(s, s->status, NULL);
        }
    } else if (s->http_status != 0 && s->http_status != 200) {
        (void)snprintf(text, sizeof text, "unexpected HTTP status code received from server: %u",
                       s->http_status);
        client_stream_finish(s, status_of_http(s->http_status), text);
    } else {
        (void)snprintf(text, sizeof text, "stream terminated by RST_STREAM with error code: %s",
                       nghttp2_http2_strerror(error));
        client_stream_finish(
            s, status_of_reset(error),
            error != NGHTTP2_NO_ERROR ? text : "server closed the stream without sending trailers");
    }
}

void client_stream_closed(struct rpc_client_stream *s, uint32_t error)
{
    if (s->backlog.len > 0 && !s->over) {
        /* Paused with messages to come: the end waits behind them. */
        s->close_error = error;
        s->close_waits = true;
        client_stream_off_wire(s);
        list_push_back(&s->client->lingering, &s->node);
        return;
    }
    client_stream_conclude(s, error);
    client_stream_off_wire(s);
    client_stream_free_if_done(s);
}

static void client_stream_reset(struct rpc_client_stream *s)
{
    struct rpc_client *c = s->client;

    if (!s->submitted || s->reset || c->closing) {
        return;
    }
    s->reset = true;
    if (nghttp2_submit_rst_stream(c->wire.session, NGHTTP2_FLAG_NONE, s->flow.stream_id,
                                  NGHTTP2_CANCEL) != 0) {
        c->wire.broken = true;
    }
    client_mark_dirty(c);
}

/* The call has failed on our side. */
static void
client_stream_fail(struct rpc_client_stream *s, enum rpc_status status, const char *text)
{
    client_stream_finish(s, status, text);
    client_stream_reset(s);
}

static void client_deadline_cb(struct loop_timer *t)
{
    client_stream_fail(container_of(t, struct rpc_client_stream, deadline), RPC_DEADLINE_EXCEEDED,
                       "context deadline exceeded");
}

/* ---- arriving ---- */

void client_stream_header(struct rpc_client_stream *s, struct kvs_view name, struct kvs_view value)
{
    char number[8] = "";

    if (s->over) {
        return;
    }
    memcpy(number, value.data, value.len < sizeof number ? value.len : sizeof number - 1);
    if (view_equal_str(name, ":status")) {
        s->http_status = (unsigned)strtoul(number, NULL, 10);
    } else if (view_equal_str(name, "grpc-status")) {
        unsigned long status = strtoul(number, NULL, 10);

        s->has_status = true;
        s->status = status < RPC_STATUS_COUNT ? (enum rpc_status)status : RPC_UNKNOWN;
    } else if (view_equal_str(name, "grpc-message") && value.len <= 64 * 1024) {
        char *to;

        buf_clear(&s->text);
        to = (char *)buf_reserve(&s->text, value.len + 1);
        if (to != NULL) {
            s->text.len = rpc_percent_decode(value, to);
        }
    }
}

static void client_stream_message(struct rpc_client_stream *s, struct kvs_view message)
{
    if (!s->unary) {
        s->call->on_message(s->call, message);
        return;
    }
    if (s->got_message) {
        client_stream_fail(s, RPC_INTERNAL, "more than one response message");
        return;
    }
    s->got_message = true;
    if (message.data == s->in.part.data && message.len > 0) {
        s->response = s->in.part; /* moved: a large response is not copied again */
        buf_init(&s->in.part);
        return;
    }
    buf_append_view(&s->response, message);
    if (s->response.failed) {
        client_stream_fail(s, RPC_RESOURCE_EXHAUSTED, "out of memory");
    }
}

static void client_stream_bad_message(struct rpc_client_stream *s, enum rpc_in_result result)
{
    char text[100];

    switch (result) {
    case RPC_IN_TOO_LONG:
        (void)snprintf(text, sizeof text, "grpc: received message larger than max (%u vs. %zu)",
                       (unsigned)s->in.message_len, s->in.message_max);
        client_stream_fail(s, RPC_RESOURCE_EXHAUSTED, text);
        break;
    case RPC_IN_COMPRESSED:
        client_stream_fail(s, RPC_INTERNAL, "grpc: compressed flag set without being asked for");
        break;
    case RPC_IN_NOMEM:
    case RPC_IN_FULL:
        client_stream_fail(s, RPC_RESOURCE_EXHAUSTED, "out of memory");
        break;
    case RPC_IN_MALFORMED:
    case RPC_IN_MORE:
    case RPC_IN_MESSAGE:
        client_stream_fail(s, RPC_INTERNAL, "grpc: received unexpected payload format");
        break;
    }
}

static void client_stream_feed(struct rpc_client_stream *s, struct kvs_view *data)
{
    struct kvs_view message;

    s->in_feed = true;
    while (!s->paused && !s->over) {
        enum rpc_in_result result = rpc_in_feed(&s->in, data, &message);

        if (result == RPC_IN_MORE) {
            break;
        }
        if (result != RPC_IN_MESSAGE) {
            client_stream_bad_message(s, result);
            break;
        }
        client_stream_message(s, message);
    }
    s->in_feed = false;
    if (s->over) {
        *data = view_make(NULL, 0);
    }
}

static void client_stream_consumed(struct rpc_client_stream *s, size_t len)
{
    struct rpc_client *c = s->client;

    if (!s->submitted || len == 0 || c->closing) {
        return;
    }
    if (nghttp2_session_consume_stream(c->wire.session, s->flow.stream_id, len) != 0) {
        c->wire.broken = true;
    }
    client_mark_dirty(c);
}

void client_stream_data(struct rpc_client_stream *s, struct kvs_view data)
{
    size_t len = data.len;

    if (s->over || s->http_status != 200) {
        client_stream_consumed(s, len); /* the body of an error page */
        return;
    }
    if (s->backlog.len == 0) {
        client_stream_feed(s, &data);
        client_stream_consumed(s, len - data.len);
    }
    if (data.len > 0) {
        buf_append_view(&s->backlog, data);
        if (s->backlog.failed) {
            client_stream_fail(s, RPC_RESOURCE_EXHAUSTED, "out of memory");
        }
    }
}

static void client_stream_resume(struct rpc_client_stream *s)
{
    struct kvs_view data = buf_view(&s->backlog);
    size_t before = data.len;

    if (s->paused || s->over || before == 0) {
        return;
    }
    client_stream_feed(s, &data);
    client_stream_consumed(s, before - data.len);
    buf_consume(&s->backlog, before - data.len);
    if (s->backlog.len == 0 && s->close_waits) {
        client_stream_conclude(s, s->close_error);
    }
}

void client_run_ready(struct rpc_client *c)
{
    struct list ready;

    list_init(&ready);
    list_splice_back(&ready, &c->ready);
    for (struct list *node = list_pop_front(&ready); node != NULL; node = list_pop_front(&ready)) {
        struct rpc_client_stream *s = list_entry(node, struct rpc_client_stream, ready);

        if (s->wants_writable && !s->over) {
            s->wants_writable = false;
            if (s->call->on_writable != NULL) {
                s->call->on_writable(s->call);
            }
        }
        client_stream_resume(s);
    }
}

/* ---- sending ---- */

static void client_stream_ready(struct rpc_client_stream *s)
{
    if (list_empty(&s->ready) && !s->over) {
        list_push_back(&s->client->ready, &s->ready);
        loop_hook_mark(&s->client->flush);
    }
}

static void client_flow_drained(struct h2_flow *f)
{
    struct rpc_client_stream *s = container_of(f, struct rpc_client_stream, flow);

    if (s->was_high && f->out.bytes < RPC_CLIENT_QUEUE_LOW) {
        s->was_high = false;
        s->wants_writable = true;
        client_stream_ready(s);
    }
}

static size_t client_request_fields(struct rpc_client_stream *s, nghttp2_nv *to, char *timeout)
{
    const struct rpc_client *c = s->client;
    const struct client_fields *sets[] = {&c->metadata, s->fields};
    size_t n = 0;

    to[n++] = h2_field(":method", "POST", 4);
    to[n++] =
        c->options.tls != NULL ? h2_field(":scheme", "https", 5) : h2_field(":scheme", "http", 4);
    to[n++] = h2_field(":path", s->path, strlen(s->path));
    to[n++] = h2_field(":authority", c->authority, strlen(c->authority));
    to[n++] = h2_field("content-type", "application/grpc", 16);
    to[n++] = h2_field("user-agent", "grpc-c-keelson", 14);
    to[n++] = h2_field("te", "trailers", 8);
    if (s->deadline_ms != 0) {
        uint64_t now_ms = loop_now_ms(c->loop);
        uint64_t left_ms = s->deadline_ms > now_ms ? s->deadline_ms - now_ms : 1;

        to[n++] = h2_field("grpc-timeout", timeout, rpc_timeout_format(left_ms, timeout));
    }
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        for (size_t k = 0; sets[i] != NULL && k < sets[i]->n; k++) {
            const struct client_field *f = &sets[i]->at[k];

            to[n++] = (nghttp2_nv){(uint8_t *)(uintptr_t)f->name.data,
                                   (uint8_t *)(uintptr_t)f->value.data, f->name.len, f->value.len,
                                   NGHTTP2_NV_FLAG_NONE};
        }
    }
    return n;
}

void client_stream_submit(struct rpc_client_stream *s)
{
    struct rpc_client *c = s->client;
    nghttp2_nv fields[8 + 2 * CLIENT_FIELDS_MAX];
    char timeout[RPC_TIMEOUT_TEXT_MAX];
    size_t n = client_request_fields(s, fields, timeout);
    nghttp2_data_provider source = h2_flow_source(&s->flow);
    int32_t id;

    list_remove(&s->node);
    id = nghttp2_submit_request(c->wire.session, NULL, fields, n, &source, s);
    if (id < 0) {
        /* Out of memory, or out of stream ids: a new connection mends the latter. */
        c->goaway = c->goaway || id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE;
        client_stream_finish(s, RPC_UNAVAILABLE, "the request could not be sent");
        return;
    }
    s->flow.stream_id = id;
    s->flow.wire = &c->wire;
    s->submitted = true;
    list_push_back(&c->active, &s->node);
    c->n_active++;
}

static struct rpc_client_stream *client_stream_new(struct rpc_client *c,
                                                   struct rpc_client_call *call,
                                                   const char *path,
                                                   unsigned timeout_ms)
{
    struct rpc_client_stream *s = kvs_calloc(1, sizeof *s);

    if (s == NULL) {
        return NULL;
    }
    s->client = c;
    s->call = call;
    list_init(&s->node);
    list_init(&s->done);
    list_init(&s->ready);
    arena_init(&s->arena, 0);
    buf_init(&s->backlog);
    buf_init(&s->response);
    buf_init(&s->text);
    rpc_in_init(&s->in, c->options.recv_message_max, NULL, 0);
    s->flow.drained = client_flow_drained;
    loop_timer_init(c->loop, &s->deadline, client_deadline_cb);
    s->path = arena_strndup(&s->arena, path, strlen(path));
    if (s->path == NULL) {
        client_stream_drop(s);
        return NULL;
    }
    if (timeout_ms > 0) {
        s->deadline_ms = loop_now_ms(c->loop) + timeout_ms;
    }
    return s;
}

/* From here the call belongs to us and on_done will run. */
static void client_stream_launch(struct rpc_client_stream *s)
{
    struct rpc_client *c = s->client;

    s->call->stream = s;
    s->call->client = c;
    if (s->deadline_ms != 0) {
        loop_timer_start(&s->deadline, s->deadline_ms - loop_now_ms(c->loop));
    }
    if (c->state == RPC_CLIENT_BACKOFF && !c->options.wait_for_ready && !c->retry_at_once) {
        client_stream_finish(s, RPC_UNAVAILABLE, c->last_error);
        return;
    }
    list_push_back(&c->waiting, &s->node);
    client_want(c);
}

int rpc_client_unary(struct rpc_client *c,
                     struct rpc_client_call *call,
                     const char *path,
                     struct kvs_view request,
                     unsigned timeout_ms)
{
    struct rpc_client_stream *s;
    int err;

    loop_assert_owner(c->loop);
    kvs_assert(!c->freed && call->stream == NULL && call->on_done != NULL);
    s = client_stream_new(c, call, path, timeout_ms);
    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    s->unary = true;
    err = rpc_out_message(&s->flow.out, c->pool, request, NULL);
    if (err != 0) {
        client_stream_drop(s);
        return err;
    }
    s->flow.out.finished = true;
    client_stream_launch(s);
    return 0;
}

int rpc_client_stream_start(struct rpc_client *c,
                            struct rpc_client_call *call,
                            const char *path,
                            const struct rpc_metadata *fields,
                            size_t n_fields,
                            unsigned timeout_ms)
{
    struct rpc_client_stream *s;
    int err = 0;

    loop_assert_owner(c->loop);
    kvs_assert(!c->freed && call->stream == NULL);
    kvs_assert(call->on_done != NULL && call->on_message != NULL);
    s = client_stream_new(c, call, path, timeout_ms);
    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    if (n_fields > 0) {
        s->fields = arena_alloc(&s->arena, sizeof *s->fields);
        err = s->fields != NULL ? client_fields_copy(s->fields, &s->arena, fields, n_fields)
                                : KVS_E_NOMEM;
    }
    if (err != 0) {
        client_stream_drop(s);
        return err;
    }
    client_stream_launch(s);
    return 0;
}

static bool client_may_send(const struct rpc_client_stream *s)
{
    return s != NULL && !s->over && !s->flow.out.finished;
}

static int client_sent(struct rpc_client_stream *s, int err)
{
    if (err == 0) {
        s->was_high = s->was_high || s->flow.out.bytes > RPC_CLIENT_QUEUE_HIGH;
        h2_flow_wake(&s->flow);
        client_mark_dirty(s->client);
    }
    return err;
}

int rpc_client_send(struct rpc_client_call *call, struct kvs_view message)
{
    struct rpc_client_stream *s = call->stream;

    if (!client_may_send(s)) {
        return KVS_E_CLOSED;
    }
    return client_sent(s, rpc_out_message(&s->flow.out, s->client->pool, message, NULL));
}

int rpc_client_send_rcbuf(struct rpc_client_call *call, struct rcbuf *message)
{
    struct rpc_client_stream *s = call->stream;

    if (!client_may_send(s)) {
        return KVS_E_CLOSED;
    }
    return client_sent(s,
                       rpc_out_message(&s->flow.out, s->client->pool, view_make(NULL, 0), message));
}

void rpc_client_half_close(struct rpc_client_call *call)
{
    struct rpc_client_stream *s = call->stream;

    if (client_may_send(s)) {
        s->flow.out.finished = true;
        (void)client_sent(s, 0);
    }
}

size_t rpc_client_queued(const struct rpc_client_call *call)
{
    return call->stream != NULL ? call->stream->flow.out.bytes : 0;
}

void rpc_client_pause(struct rpc_client_call *call)
{
    if (call->stream != NULL) {
        call->stream->paused = true;
    }
}

void rpc_client_resume(struct rpc_client_call *call)
{
    struct rpc_client_stream *s = call->stream;

    if (s != NULL && s->paused) {
        s->paused = false;
        client_stream_ready(s);
    }
}

void rpc_client_cancel(struct rpc_client_call *call)
{
    if (call->stream != NULL) {
        client_stream_fail(call->stream, RPC_CANCELED, "context canceled");
    }
}
