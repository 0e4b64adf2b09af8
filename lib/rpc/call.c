/* A call's life: what arrives, when the handler runs, and when the call may be freed. The
 * functions for handlers are in rpc_call.c (all kinds) and rpc_http.c. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "rpc/rpc_call_int.h"
#include "rpc/rpc_text.h"

static void call_deadline_cb(struct loop_timer *t);
static void call_body_timeout_cb(struct loop_timer *t);
static int call_trailers(struct h2_flow *f);
static void call_flow_drained(struct h2_flow *f);

/* ---- storage ---- */

static struct rpc_call *call_alloc(struct rpc_server *s)
{
    struct rpc_call *c = s->free_calls;
    struct arena arena;

    if (c == NULL) {
        c = kvs_malloc(sizeof *c);
        if (c == NULL) {
            return NULL;
        }
        arena_init(&arena, s->limits.arena_max);
    } else {
        s->free_calls = (struct rpc_call *)(void *)c->node.next;
        s->n_free_calls--;
        arena = c->arena;
    }
    memset(c, 0, sizeof *c);
    c->arena = arena;
    arena_set_chunk(&c->arena, CALL_CHUNK_BYTES); /* headers: what an idle stream holds on to */
    return c;
}

struct rpc_call *call_new(struct rpc_conn *conn, int32_t stream_id)
{
    struct rpc_server *s = conn->server;
    struct rpc_call *c = call_alloc(s);

    if (c == NULL) {
        return NULL;
    }
    c->server = s;
    c->conn = conn;
    c->tag = conn->tag;
    c->kind = RPC_HTTP;
    c->flow.wire = &conn->wire;
    c->flow.stream_id = stream_id;
    c->flow.drained = call_flow_drained;
    c->flow.out.total = &conn->out_bytes;
    c->body_expected = UINT64_MAX;
    list_init(&c->ready);
    list_init(&c->resume);
    buf_init(&c->backlog);
    rpc_in_init(&c->in, s->limits.recv_message_max, &s->held_bytes, s->limits.recv_total_max);
    loop_timer_init(s->loop, &c->deadline, call_deadline_cb);
    loop_timer_init(s->loop, &c->body_timer, call_body_timeout_cb);
    list_push_back(&conn->calls, &c->node);
    conn->n_calls++;
    return c;
}

static void call_free(struct rpc_call *c)
{
    struct rpc_server *s = c->server;

    kvs_assert(c->conn == NULL && !c->held);
    loop_timer_stop(&c->deadline);
    loop_timer_stop(&c->body_timer);
    list_remove(&c->ready);
    list_remove(&c->resume);
    rpc_out_clear(&c->flow.out);
    rpc_in_fini(&c->in);
    buf_fini(&c->backlog);
    if (s->n_free_calls >= CALLS_FREE_MAX || s->freed) {
        arena_fini(&c->arena);
        kvs_free(c);
    } else {
        if (c->arena.used_bytes > ARENA_KEEP_MAX) {
            arena_fini(&c->arena);
        } else {
            arena_reset(&c->arena);
        }
        c->node.next = (struct list *)(void *)s->free_calls;
        s->free_calls = c;
        s->n_free_calls++;
    }
    server_free_if_unused(s);
}

void call_free_pooled(struct rpc_server *s)
{
    while (s->free_calls != NULL) {
        struct rpc_call *c = s->free_calls;

        s->free_calls = (struct rpc_call *)(void *)c->node.next;
        arena_fini(&c->arena);
        kvs_free(c);
    }
}

/* ---- headers ---- */

static int call_grow_fields(struct rpc_call *c)
{
    size_t capacity = c->fields_capacity == 0 ? 12 : c->fields_capacity * 2;
    struct call_field *fields = arena_alloc(&c->arena, capacity * sizeof *fields);

    if (fields == NULL) {
        return KVS_E_NOMEM;
    }
    if (c->n_fields > 0) {
        memcpy(fields, c->fields, c->n_fields * sizeof *fields);
    }
    c->fields = fields;
    c->fields_capacity = capacity;
    return 0;
}

int call_add_field(struct rpc_call *c, struct kvs_view name, struct kvs_view value)
{
    char *copy;

    c->header_bytes += name.len + value.len + 32;
    if (c->header_bytes > c->server->limits.header_max) {
        c->header_too_big = true;
        return 0;
    }
    if (c->n_fields == c->fields_capacity && call_grow_fields(c) != 0) {
        return KVS_E_NOMEM;
    }
    copy = arena_alloc(&c->arena, name.len + value.len + 1);
    if (copy == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(copy, name.data, name.len);
    if (value.len > 0) {
        memcpy(copy + name.len, value.data, value.len);
    }
    c->fields[c->n_fields++] = (struct call_field){
        view_make(copy, name.len),
        view_make(copy + name.len, value.len),
    };
    return 0;
}

int call_set_path(struct rpc_call *c, struct kvs_view path)
{
    struct kvs_view copy;
    const char *mark;
    int err;

    c->header_bytes += path.len + 32;
    if (c->header_bytes > c->server->limits.header_max) {
        c->header_too_big = true;
        return 0;
    }
    err = arena_copy(&c->arena, path, &copy);
    if (err != 0) {
        return err;
    }
    mark = copy.len > 0 ? memchr(copy.data, '?', copy.len) : NULL;
    c->path = copy;
    c->query = view_make("", 0);
    if (mark != NULL) {
        c->path.len = (size_t)(mark - (const char *)copy.data);
        c->query = view_make(mark + 1, copy.len - c->path.len - 1);
    }
    return 0;
}

/* ---- routing ---- */

/* True if the server has any method of the service that `path` ("/service/method") names. */
static bool call_knows_service(const struct rpc_call *c, struct kvs_view service)
{
    const struct rpc_method_figures *m;
    size_t at = 0;

    while ((m = rpc_method_figures_next(c->server, &at)) != NULL) {
        if (strncmp(m->path, service.data, service.len) == 0) {
            return true;
        }
    }
    return false;
}

static void call_reject_method(struct rpc_call *c)
{
    const char *path = c->path.data;
    const char *slash = c->path.len > 1 ? memrchr(path + 1, '/', c->path.len - 1) : NULL;
    char text[300];

    c->server->figures.calls_unknown++;
    if (slash == NULL || path[0] != '/') {
        (void)snprintf(text, sizeof text, "malformed method name: \"%.*s\"", (int)c->path.len,
                       path);
    } else if (!call_knows_service(c, view_make(path, (size_t)(slash - path) + 1))) {
        (void)snprintf(text, sizeof text, "unknown service %.*s",
                       (int)(slash - path - 1 < 240 ? slash - path - 1 : 240), path + 1);
    } else {
        (void)snprintf(
            text, sizeof text, "unknown method %.*s for service %.*s",
            (int)(path + c->path.len - slash - 1 < 120 ? path + c->path.len - slash - 1 : 120),
            slash + 1, (int)(slash - path - 1 < 120 ? slash - path - 1 : 120), path + 1);
    }
    call_reject(c, RPC_UNIMPLEMENTED, text);
}

/* False: rejected. */
static bool call_read_timeout(struct rpc_call *c)
{
    struct kvs_view text;
    uint64_t ms;

    if (!rpc_call_header(c, "grpc-timeout", &text)) {
        return true;
    }
    if (rpc_timeout_parse(text, &ms) != 0) {
        call_reject(c, RPC_INTERNAL, "malformed grpc-timeout");
        return false;
    }
    c->deadline_ms = loop_now_ms(c->server->loop) + ms;
    loop_timer_start(&c->deadline, ms);
    return true;
}

/* False: rejected. The text is grpc-go's; clients show it to people. */
static bool call_check_encoding(struct rpc_call *c)
{
    struct kvs_view encoding;
    char text[160];

    if (!rpc_call_header(c, "grpc-encoding", &encoding) || encoding.len == 0 ||
        view_equal_str(encoding, "identity")) {
        return true;
    }
    (void)snprintf(text, sizeof text,
                   "grpc: Decompressor is not installed for grpc-encoding \"%.*s\"",
                   (int)(encoding.len < 64 ? encoding.len : 64), (const char *)encoding.data);
    call_reject(c, RPC_UNIMPLEMENTED, text);
    return false;
}

static void call_dispatch(struct rpc_call *c, rpc_handler handler, void *ctx)
{
    c->held = true;
    arena_set_chunk(&c->arena, HANDLER_CHUNK_BYTES);
    if (c->method != NULL) {
        c->method->figures.started++;
        c->server->figures.calls++;
    }
    handler(ctx, c);
}

/* A stream may be idle for days: what its headers and its handler took is given back. */
static void call_release_headers(struct rpc_call *c)
{
    arena_fini(&c->arena);
    c->fields = NULL;
    c->n_fields = 0;
    c->fields_capacity = 0;
    c->path = view_str(c->method->path);
    c->query = view_make(NULL, 0);
    c->http_method = view_make(NULL, 0);
}

/* A bidi call stays on the wire through its handler: nothing frees it in between. */
static void call_dispatch_bidi(struct rpc_call *c)
{
    call_dispatch(c, c->method->handler, c->method->ctx);
    kvs_assert(c->started || c->answered);
    if (!c->answered) { /* else the arena has the status' text */
        call_release_headers(c);
    }
}

static void call_route_grpc(struct rpc_call *c)
{
    c->is_grpc = true;
    c->flow.trailers = call_trailers;
    if (!view_equal_str(c->http_method, "POST")) {
        call_reject_http(c, 405, "gRPC calls are POST requests");
        return;
    }
    c->method = server_find_method(c->server, c->path);
    if (c->method == NULL) {
        call_reject_method(c);
        return;
    }
    c->kind = c->method->figures.kind;
    if (!call_read_timeout(c) || !call_check_encoding(c)) {
        return;
    }
    if (c->conn->out_bytes > c->server->limits.send_total_max) {
        call_reject(c, RPC_RESOURCE_EXHAUSTED, "too many bytes of replies that were not read");
        return;
    }
    if (c->kind == RPC_BIDI) {
        call_dispatch_bidi(c);
    }
}

static void call_route_http(struct rpc_call *c)
{
    struct kvs_view type;

    if ((c->conn->flags & RPC_LISTEN_GRPC) != 0 && server_find_method(c->server, c->path) != NULL) {
        bool given = rpc_call_header(c, "content-type", &type);
        char text[120];

        (void)snprintf(text, sizeof text, "invalid gRPC request content-type \"%.*s\"",
                       given ? (int)(type.len < 60 ? type.len : 60) : 0,
                       given ? (const char *)type.data : "");
        call_reject_http(c, 415, text);
        return;
    }
    if ((c->conn->flags & RPC_LISTEN_HTTP) == 0 || c->server->http_handler == NULL) {
        call_reject_http(c, 404, "404 page not found");
    }
}

void call_route(struct rpc_call *c)
{
    struct kvs_view type;

    if (c->header_too_big) {
        call_reject_http(c, 431, "request header fields too large");
        return;
    }
    if (c->conn->kind == CONN_H2 && (c->conn->flags & RPC_LISTEN_GRPC) != 0 &&
        rpc_call_header(c, "content-type", &type) && rpc_is_grpc_content_type(type)) {
        call_route_grpc(c);
    } else {
        call_route_http(c);
    }
    if (c->kind != RPC_BIDI && !c->rejected && !c->body_over) {
        loop_timer_start(&c->body_timer, c->server->limits.body_timeout_ms);
    }
}

/* ---- the body ---- */

static void call_reject_message(struct rpc_call *c, enum rpc_in_result result)
{
    char text[120];

    switch (result) {
    case RPC_IN_TOO_LONG:
        (void)snprintf(text, sizeof text, "grpc: received message larger than max (%u vs. %zu)",
                       (unsigned)c->in.message_len, c->in.message_max);
        call_reject(c, RPC_RESOURCE_EXHAUSTED, text);
        return;
    case RPC_IN_COMPRESSED:
        /* With a named encoding the call was refused at its headers already. */
        call_reject(c, RPC_INTERNAL, "grpc: compressed flag set with identity or empty encoding");
        return;
    case RPC_IN_MALFORMED:
        (void)snprintf(text, sizeof text, "grpc: received unexpected payload format %u",
                       (unsigned)c->in.prefix[0]);
        call_reject(c, RPC_INTERNAL, text);
        return;
    case RPC_IN_FULL:
        call_reject(c, RPC_RESOURCE_EXHAUSTED, "too many bytes of unfinished requests");
        return;
    case RPC_IN_NOMEM:
        call_reject(c, RPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    case RPC_IN_MORE:
    case RPC_IN_MESSAGE:
        break;
    }
    kvs_assert(false);
}

/* A message that came in one piece lies in the loop's read buffer; the call needs its own. */
static bool call_keep_request(struct rpc_call *c, struct kvs_view message)
{
    c->got_message = true;
    if (message.data == c->in.part.data) {
        c->request = message;
        return true;
    }
    if (arena_copy(&c->arena, message, &c->request) == 0) {
        return true;
    }
    call_reject(c, RPC_RESOURCE_EXHAUSTED, "out of memory");
    return false;
}

static void call_count_received(struct rpc_call *c, struct kvs_view message)
{
    c->method->figures.messages_received++;
    c->server->figures.received_bytes += message.len;
}

static void call_body_single(struct rpc_call *c, struct kvs_view data)
{
    struct kvs_view message;
    enum rpc_in_result result;

    if (c->got_message && data.len > 0) {
        call_reject(c, RPC_INTERNAL, "more than one request message");
        return;
    }
    result = rpc_in_feed(&c->in, &data, &message);
    if (result == RPC_IN_MESSAGE) {
        call_count_received(c, message);
        if (call_keep_request(c, message) && data.len > 0) {
            call_reject(c, RPC_INTERNAL, "more than one request message");
        }
    } else if (result != RPC_IN_MORE) {
        call_reject_message(c, result);
    }
}

/* Delivers messages until the stream is paused or ended; returns how many bytes were used. */
static size_t call_feed_stream(struct rpc_call *c, struct kvs_view data)
{
    size_t before = data.len;
    struct kvs_view message;

    c->in_feed = true;
    while (!c->paused && !c->answered && !c->canceled) {
        enum rpc_in_result result = rpc_in_feed(&c->in, &data, &message);

        if (result == RPC_IN_MORE) {
            break;
        }
        if (result != RPC_IN_MESSAGE) {
            call_reject_message(c, result);
            break;
        }
        call_count_received(c, message);
        c->ops->on_message(c, message);
    }
    c->in_feed = false;
    return c->answered || c->canceled ? before : before - data.len;
}

static void call_body_stream(struct rpc_call *c, struct kvs_view data)
{
    size_t used = 0;

    if (c->backlog.len == 0 && !c->paused) {
        used = call_feed_stream(c, data);
        h2_call_consumed(c, used);
    }
    if (used < data.len) {
        buf_append(&c->backlog, (const uint8_t *)data.data + used, data.len - used);
        if (c->backlog.failed) {
            call_reject(c, RPC_RESOURCE_EXHAUSTED, "out of memory");
        }
    }
}

static void call_body_http(struct rpc_call *c, struct kvs_view data)
{
    if (data.len > c->server->limits.http_body_max - c->in.part.len) {
        call_reject_http(c, 413, "request body too large");
        return;
    }
    if (rpc_in_append(&c->in, data) != RPC_IN_MORE) {
        call_reject_http(c, 503, "too many bytes of unfinished requests");
    }
}

/* Body bytes that nobody wants any more: read for a while, so that the client sees its answer. */
static void call_discard(struct rpc_call *c, size_t len)
{
    c->discarded_bytes += len;
    if (c->discarded_bytes <= c->server->limits.http_body_max) {
        h2_call_consumed(c, len);
    } else if (c->conn->kind == CONN_H2) {
        h2_call_reset(c, NGHTTP2_NO_ERROR);
    }
}

void call_body(struct rpc_call *c, struct kvs_view data)
{
    if (c->rejected || c->answered || c->canceled) {
        call_discard(c, data.len);
        return;
    }
    if (c->kind == RPC_BIDI) {
        call_body_stream(c, data);
        return;
    }
    loop_timer_start(&c->body_timer, c->server->limits.body_timeout_ms);
    if (c->is_grpc) {
        call_body_single(c, data);
    } else {
        call_body_http(c, data);
    }
    h2_call_consumed(c, data.len);
}

static void call_half_close(struct rpc_call *c)
{
    if (c->backlog.len > 0 || c->answered || c->canceled) {
        return; /* delivered after the backlog, or not at all */
    }
    if (rpc_in_is_partial(&c->in)) {
        call_reject(c, RPC_INTERNAL, "unexpected EOF");
    } else if (c->ops->on_half_close != NULL) {
        c->ops->on_half_close(c);
    }
}

void call_body_end(struct rpc_call *c)
{
    c->body_over = true;
    loop_timer_stop(&c->body_timer);
    if (c->rejected || c->answered || c->canceled) {
        return;
    }
    if (c->kind == RPC_BIDI) {
        call_half_close(c);
    } else if (!c->is_grpc) {
        c->request = buf_view(&c->in.part);
        call_dispatch(c, c->server->http_handler, c->server->http_ctx);
    } else if (!c->got_message) {
        call_reject(c, RPC_INTERNAL, "the request message is missing or cut short");
    } else {
        call_dispatch(c, c->method->handler, c->method->ctx);
    }
}

void server_run_resumed(struct rpc_server *s)
{
    struct list resumed;

    list_init(&resumed);
    list_splice_back(&resumed, &s->resumed);
    for (struct list *node = list_pop_front(&resumed); node != NULL;
         node = list_pop_front(&resumed)) {
        struct rpc_call *c = list_entry(node, struct rpc_call, resume);
        size_t used;

        if (c->paused || c->conn == NULL) {
            continue;
        }
        used = call_feed_stream(c, buf_view(&c->backlog));
        h2_call_consumed(c, used);
        buf_consume(&c->backlog, used);
        if (c->backlog.len == 0) {
            buf_fini(&c->backlog);
            buf_init(&c->backlog);
            if (c->body_over) {
                call_half_close(c);
            }
        }
    }
}

/* ---- the status, and what is sent ---- */

void call_decide(struct rpc_call *c, enum rpc_status status, const char *text)
{
    struct kvs_view from = view_str(text != NULL ? text : "");
    char *encoded;

    kvs_assert(!c->answered);
    c->answered = true;
    c->status = status;
    if (from.len > 1024) {
        from.len = 1024; /* a text for people; long ones do not fit header limits of clients */
    }
    if (from.len > 0) {
        encoded = arena_alloc(&c->arena, from.len * 3);
        if (encoded != NULL) { /* else the status alone has to do */
            c->message = view_make(encoded, rpc_percent_encode(from, encoded));
        }
    }
    if (c->method != NULL && c->held) {
        c->method->figures.handled[c->canceled ? RPC_CANCELED : status]++;
        c->server->figures.calls--;
    }
}

static size_t call_status_fields(struct rpc_call *c, nghttp2_nv *fields)
{
    static const char *const numbers[RPC_STATUS_COUNT] = {
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"};
    const char *number = numbers[c->status];

    fields[0] = h2_field("grpc-status", number, strlen(number));
    if (c->message.len == 0) {
        return 1;
    }
    fields[1] = h2_field("grpc-message", c->message.data, c->message.len);
    return 2;
}

static int call_trailers(struct h2_flow *f)
{
    struct rpc_call *c = container_of(f, struct rpc_call, flow);
    nghttp2_nv fields[2];
    size_t n = call_status_fields(c, fields);

    return nghttp2_submit_trailer(f->wire->session, f->stream_id, fields, n);
}

void call_send_headers(struct rpc_call *c)
{
    nghttp2_nv fields[4];
    size_t n = 2;
    bool end = c->answered && c->flow.out.bytes == 0 && c->status != RPC_OK;

    kvs_assert(c->conn != NULL && c->is_grpc);
    if (c->headers_sent) {
        return;
    }
    c->headers_sent = true;
    fields[0] = h2_field(":status", "200", 3);
    fields[1] = h2_field("content-type", "application/grpc", 16);
    if (end) {
        n += call_status_fields(c, fields + 2);
    }
    h2_call_headers(c, fields, n, end);
}

/* Headers if they have not been sent, what is queued, trailers. */
void call_send_end(struct rpc_call *c)
{
    if (c->conn == NULL) {
        return;
    }
    c->flow.out.finished = true;
    call_send_headers(c);
    call_wake(c);
}

void call_wake(struct rpc_call *c)
{
    if (c->conn == NULL) {
        return;
    }
    if (c->conn->kind == CONN_H2) {
        h2_flow_wake(&c->flow);
    }
    conn_mark_dirty(c->conn);
}

void call_reject(struct rpc_call *c, enum rpc_status status, const char *text)
{
    if (c->answered || c->conn == NULL) {
        return;
    }
    c->rejected = true;
    loop_timer_stop(&c->body_timer);
    call_decide(c, status, text);
    c->canceled = c->started;
    call_send_end(c);
}

void call_reject_http(struct rpc_call *c, unsigned http_status, const char *text)
{
    if (c->answered || c->conn == NULL) {
        return;
    }
    c->rejected = true;
    c->answered = true;
    c->kind = RPC_HTTP;
    c->flow.trailers = NULL;
    loop_timer_stop(&c->body_timer);
    loop_timer_stop(&c->deadline);
    if (rpc_out_copy(&c->flow.out, c->server->pool, view_str(text)) != 0) {
        text = "";
    }
    http_send_headers(c, http_status, "text/plain; charset=utf-8", NULL, 0, strlen(text));
    c->flow.out.finished = true;
    call_wake(c);
}

/* ---- timers ---- */

static void call_cut(struct rpc_call *c)
{
    if (c->conn == NULL) {
        return;
    }
    if (c->conn->kind == CONN_H1) {
        h1_call_abort(c);
    } else {
        h2_call_reset(c, NGHTTP2_INTERNAL_ERROR);
    }
}

void call_abort(struct rpc_call *c)
{
    if (!c->answered) {
        call_decide(c, RPC_INTERNAL, NULL);
    }
    call_cut(c);
}

void call_notify_canceled(struct rpc_call *c)
{
    void (*on_cancel)(struct rpc_call *) = c->on_cancel;

    if (c->replying) {
        call_want_writable(c); /* the writer finds out, whatever it waits for */
    }
    if (on_cancel != NULL) {
        c->on_cancel = NULL;
        on_cancel(c); /* may free `c` */
    }
}

static void call_deadline_cb(struct loop_timer *t)
{
    struct rpc_call *c = container_of(t, struct rpc_call, deadline);

    if (c->conn == NULL || c->answered) {
        return;
    }
    if (!c->held) {
        call_reject(c, RPC_DEADLINE_EXCEEDED, "context deadline exceeded");
        return;
    }
    call_decide(c, RPC_DEADLINE_EXCEEDED, "context deadline exceeded");
    c->canceled = true;
    if (c->replying) {
        call_cut(c);
    } else {
        call_send_end(c);
    }
    if (!c->started) {
        call_notify_canceled(c);
    }
}

static void call_body_timeout_cb(struct loop_timer *t)
{
    struct rpc_call *c = container_of(t, struct rpc_call, body_timer);

    if (c->answered) {
        h2_call_reset(c, NGHTTP2_NO_ERROR); /* it had its time to take the answer */
    } else if (c->is_grpc) {
        call_reject(c, RPC_CANCELED, "the request's body did not arrive in time");
    } else {
        call_reject_http(c, 408, "request timeout");
    }
}

/* ---- the queue ---- */

void call_want_writable(struct rpc_call *c)
{
    if (list_empty(&c->ready)) {
        list_push_back(&c->server->writable, &c->ready);
        loop_hook_mark(&c->server->flush);
    }
}

void call_drained(struct rpc_call *c)
{
    if (c->flow.out.bytes >= RPC_QUEUE_LOW) {
        return;
    }
    if ((c->replying && c->reply_left > 0) || (c->started && c->was_high)) {
        c->was_high = false;
        call_want_writable(c);
    }
}

static void call_flow_drained(struct h2_flow *f)
{
    call_drained(container_of(f, struct rpc_call, flow));
}

void server_run_writable(struct rpc_server *s)
{
    struct list writable;

    list_init(&writable);
    list_splice_back(&writable, &s->writable);
    for (struct list *node = list_pop_front(&writable); node != NULL;
         node = list_pop_front(&writable)) {
        struct rpc_call *c = list_entry(node, struct rpc_call, ready);

        if (c->replying && c->held) {
            c->on_writable(c);
        } else if (c->started && !c->answered && !c->canceled && c->ops->on_writable != NULL) {
            c->ops->on_writable(c);
        }
    }
}

/* ---- the end ---- */

void call_complete(struct rpc_call *c)
{
    kvs_assert(c->held && !c->started);
    c->held = false;
    loop_timer_stop(&c->deadline);
    list_remove(&c->ready);
    if (c->conn == NULL) {
        c->server->n_orphans--;
        call_free(c);
    }
}

/* The stream's owner hears of the end; afterwards nothing holds the call. */
static void call_closed(struct rpc_call *c, bool canceled)
{
    c->canceled = canceled;
    if (!c->answered && c->is_grpc) {
        call_decide(c, RPC_CANCELED, NULL);
    }
    if (c->ops->on_closed != NULL) {
        c->ops->on_closed(c, canceled);
    }
    c->held = false;
    call_free(c);
}

void server_run_closing(struct rpc_server *s)
{
    s->n_streams++; /* the last one may let the server go: not before the list is done */
    for (struct list *node = list_pop_front(&s->closing); node != NULL;
         node = list_pop_front(&s->closing)) {
        s->n_orphans--;
        call_closed(list_entry(node, struct rpc_call, ready), true);
    }
    s->n_streams--;
    server_free_if_unused(s);
}

void call_off_wire(struct rpc_call *c)
{
    struct rpc_conn *conn = c->conn;
    bool whole = c->answered && c->flow.out.finished && c->flow.out.bytes == 0 && !c->canceled;

    kvs_assert(conn != NULL && !c->in_feed);
    c->conn = NULL;
    c->flow.wire = NULL;
    list_remove(&c->node);
    conn->n_calls--;
    loop_timer_stop(&c->deadline);
    loop_timer_stop(&c->body_timer);
    list_remove(&c->ready);
    rpc_out_clear(&c->flow.out);
    c->flow.out.total = NULL;
    conn_call_ended(conn);
    if (!c->held) {
        call_free(c);
    } else if (c->started) {
        call_closed(c, !whole);
    } else {
        c->server->n_orphans++;
        if (!c->canceled) {
            c->canceled = true;
            call_notify_canceled(c);
        } else if (c->replying) {
            call_want_writable(c);
        }
    }
}
