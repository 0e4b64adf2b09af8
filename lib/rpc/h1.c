/* HTTP/1.1: one request at a time per connection; what is pipelined behind it waits. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <llhttp.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "rpc/rpc_server_int.h"

enum { H1_CHUNK_MAX = 64 * 1024 };

/* waiting -> request (parsing) -> answering -> waiting, or the connection ends. */
struct h1 {
    llhttp_t parser;
    struct rpc_conn *conn;
    struct rpc_call *call; /* NULL: waiting for a request */
    struct buf text;       /* of the URL, a field's name and value, as they come */
    size_t name_len;       /* the part of `text` that is a field's name */
    struct buf pending;    /* received, not yet parsed */
    size_t pending_at;
    bool headers_done;
    bool answering; /* the request is complete: parsing waits for the response's end */
    bool keep_alive;
    bool chunked; /* the response's body */
};

static struct h1 *h1_of(llhttp_t *parser)
{
    return container_of(parser, struct h1, parser);
}

/* ---- parsing ---- */

static int h1_text(struct h1 *h, const char *at, size_t len)
{
    struct rpc_call *call = h->call;

    if (h->headers_done) {
        return 0; /* trailers of a chunked body mean nothing to us */
    }
    if (h->text.len + len + call->header_bytes > call->server->limits.header_max) {
        call->header_too_big = true;
        return 0;
    }
    buf_append(&h->text, at, len);
    return h->text.failed ? -1 : 0;
}

static int on_message_begin(llhttp_t *parser)
{
    struct h1 *h = h1_of(parser);

    kvs_assert(h->call == NULL);
    h->call = call_new(h->conn, 0);
    h->headers_done = false;
    h->chunked = false;
    buf_clear(&h->text);
    loop_timer_start(&h->conn->header_timer, h->conn->server->limits.header_timeout_ms);
    return h->call != NULL ? 0 : -1;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    return h1_text(h1_of(parser), at, len);
}

/* "http://host/path" is the form that proxies get; only the path matters here. */
static struct kvs_view h1_origin_form(struct kvs_view url)
{
    const char *at = url.data;
    const char *scheme = url.len > 0 ? memmem(at, url.len, "://", 3) : NULL;
    const char *slash;

    if (url.len == 0 || at[0] == '/' || scheme == NULL) {
        return url;
    }
    scheme += 3;
    slash = memchr(scheme, '/', url.len - (size_t)(scheme - at));
    return slash != NULL ? view_make(slash, url.len - (size_t)(slash - at)) : view_make("/", 1);
}

static int on_url_complete(llhttp_t *parser)
{
    struct h1 *h = h1_of(parser);
    int err = call_set_path(h->call, h1_origin_form(buf_view(&h->text)));

    buf_clear(&h->text);
    h->name_len = 0;
    return err;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
    struct h1 *h = h1_of(parser);
    int err = h1_text(h, at, len);

    h->name_len = h->text.len;
    return err;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
    return h1_text(h1_of(parser), at, len);
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct h1 *h = h1_of(parser);
    struct buf *b = &h->text;
    int err;

    if (h->headers_done) {
        return 0;
    }
    for (size_t i = 0; i < h->name_len; i++) {
        b->data[i] = (uint8_t)tolower(b->data[i]);
    }
    err = call_add_field(h->call, view_make(b->data, h->name_len),
                         view_make(b->data + h->name_len, b->len - h->name_len));
    buf_clear(b);
    h->name_len = 0;
    return err;
}

static void h1_continue(struct h1 *h)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct kvs_view expect;

    if (h->parser.http_minor > 0 && rpc_call_header(h->call, "expect", &expect) &&
        expect.len == 12 && strncasecmp(expect.data, "100-continue", 12) == 0 &&
        stream_write(h->conn->stream, line, sizeof line - 1) != 0) {
        conn_close(h->conn);
    }
}

static int on_headers_complete(llhttp_t *parser)
{
    struct h1 *h = h1_of(parser);
    struct rpc_call *call = h->call;

    h->headers_done = true;
    loop_timer_stop(&h->conn->header_timer);
    call->http_method = view_str(llhttp_method_name((llhttp_method_t)parser->method));
    call->head_request = parser->method == HTTP_HEAD;
    h->keep_alive = llhttp_should_keep_alive(parser) != 0 && !h->conn->server->draining;
    if (parser->method == HTTP_CONNECT) {
        call_reject_http(call, 405, "method not allowed");
        return -1;
    }
    parser->upgrade = 0; /* we do not change protocols: answered as a plain request */
    call_route(call);
    if (call->rejected) {
        return -1;
    }
    h1_continue(h);
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct h1 *h = h1_of(parser);

    call_body(h->call, view_make(at, len));
    return h->call->rejected ? -1 : 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct h1 *h = h1_of(parser);

    h->answering = true;
    call_body_end(h->call);
    return HPE_PAUSED;
}

static const llhttp_settings_t h1_settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* The request cannot be understood: one answer, then the end. */
static void h1_bad_request(struct h1 *h)
{
    struct rpc_call *call = h->call != NULL ? h->call : call_new(h->conn, 0);

    h->call = call;
    if (call == NULL) {
        conn_close(h->conn);
        return;
    }
    if (call->header_too_big) {
        call_reject_http(call, 431, "request header fields too large");
    } else {
        call_reject_http(call, 400, "bad request");
    }
}

/* Returns how many bytes were used; less than all only when a request is complete. */
static size_t h1_execute(struct h1 *h, struct kvs_view data)
{
    llhttp_errno_t err = llhttp_execute(&h->parser, data.data, data.len);

    if (err == HPE_OK) {
        return data.len;
    }
    if (err == HPE_PAUSED) {
        return (size_t)(llhttp_get_error_pos(&h->parser) - (const char *)data.data);
    }
    if (h->call == NULL || !h->call->rejected) {
        h1_bad_request(h);
    }
    return data.len;
}

/* ---- responses ---- */

static const char *h1_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } reasons[] = {
        {200, "OK"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {412, "Precondition Failed"},
        {413, "Request Entity Too Large"},
        {415, "Unsupported Media Type"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].status == status) {
            return reasons[i].text;
        }
    }
    return "Status"; /* the phrase is for people only */
}

/* How the client finds the end of the body. */
static void h1_put_framing(struct h1 *h, struct buf *b, size_t length)
{
    if (length != SIZE_MAX) {
        buf_printf(b, "Content-Length: %zu\r\n", length);
    } else if (h->parser.http_minor > 0) {
        h->chunked = true;
        buf_append_str(b, "Transfer-Encoding: chunked\r\n");
    } else {
        h->keep_alive = false; /* HTTP/1.0: with the end of the connection */
    }
}

void h1_call_headers(struct rpc_call *c,
                     unsigned status,
                     const char *content_type,
                     const struct rpc_http_field *fields,
                     size_t n_fields,
                     size_t length)
{
    struct h1 *h = c->conn->h1;
    struct buf b;

    if (c->rejected) { /* before its end, which nobody waits for */
        h->keep_alive = false;
        h->answering = true;
    }
    buf_init(&b);
    buf_printf(&b, "HTTP/1.1 %u %s\r\n", status, h1_reason(status));
    if (content_type != NULL) {
        buf_printf(&b, "Content-Type: %s\r\n", content_type);
    }
    for (size_t i = 0; i < n_fields; i++) {
        if (http_field_is_safe(&fields[i])) {
            buf_printf(&b, "%s: %s\r\n", fields[i].name, fields[i].value);
        }
    }
    if (status != 204 && status != 304) { /* those have no body to speak of */
        h1_put_framing(h, &b, length);
    }
    if (!h->keep_alive) {
        buf_append_str(&b, "Connection: close\r\n");
    } else if (h->parser.http_minor == 0) {
        buf_append_str(&b, "Connection: keep-alive\r\n");
    }
    buf_append_str(&b, "\r\n");
    if (b.failed || stream_write(c->conn->stream, b.data, b.len) != 0) {
        conn_close(c->conn);
    }
    buf_fini(&b);
}

/* Moves body bytes to the stream. False: out of memory. */
static bool h1_send_body(struct h1 *h)
{
    struct rpc_call *c = h->call;
    struct stream *s = h->conn->stream;

    while (c->flow.out.bytes > 0 && stream_queued(s) < STREAM_QUEUE_HIGH) {
        size_t n = c->flow.out.bytes < H1_CHUNK_MAX ? c->flow.out.bytes : H1_CHUNK_MAX;
        char line[24];
        int err = 0;

        if (h->chunked) {
            err = stream_write(s, line, (size_t)snprintf(line, sizeof line, "%zx\r\n", n));
        }
        err = err != 0 ? err : rpc_out_write(&c->flow.out, s, n);
        if (h->chunked && err == 0) {
            err = stream_write(s, "\r\n", 2);
        }
        if (err != 0) {
            return false;
        }
        call_drained(c);
    }
    return true;
}

/* The response is on its way: on to what was pipelined behind it. */
static void h1_next(struct h1 *h)
{
    struct rpc_conn *conn = h->conn;
    struct rpc_call *call = h->call;

    h->call = NULL;
    h->answering = false;
    call_off_wire(call);
    if (!h->keep_alive || conn->server->draining) {
        conn_close_after_flush(conn);
        return;
    }
    llhttp_resume(&h->parser);
    loop_timer_start(&conn->header_timer, conn->server->limits.idle_timeout_ms);
    while (h->pending_at < h->pending.len && !h->answering && !conn->closing) {
        h->pending_at += h1_execute(
            h, view_make(h->pending.data + h->pending_at, h->pending.len - h->pending_at));
    }
    if (h->pending_at == h->pending.len) {
        buf_fini(&h->pending);
        buf_init(&h->pending);
        h->pending_at = 0;
        stream_resume(conn->stream);
    }
}

/* Returns true if a response was completed, so that the next one may be ready. */
static bool h1_flush_one(struct rpc_conn *conn)
{
    struct h1 *h = conn->h1;
    struct rpc_call *c = h->call;

    if (c == NULL || !c->headers_sent) {
        return false;
    }
    if (!h1_send_body(h)) {
        conn_close(conn);
        return false;
    }
    if (!c->flow.out.finished || c->flow.out.bytes > 0 || !h->answering) {
        return false;
    }
    if (h->chunked && !c->head_request && stream_write(conn->stream, "0\r\n\r\n", 5) != 0) {
        conn_close(conn);
        return false;
    }
    h1_next(h);
    return true;
}

void h1_conn_flush(struct rpc_conn *conn)
{
    while (!conn->closing && h1_flush_one(conn)) {
    }
}

void h1_call_abort(struct rpc_call *c)
{
    conn_close(c->conn);
}

/* ---- the connection ---- */

int h1_conn_start(struct rpc_conn *c)
{
    struct h1 *h = kvs_calloc(1, sizeof *h);

    if (h == NULL) {
        return KVS_E_NOMEM;
    }
    h->conn = c;
    buf_init(&h->text);
    buf_init(&h->pending);
    llhttp_init(&h->parser, HTTP_REQUEST, &h1_settings);
    c->h1 = h;
    return 0;
}

void h1_conn_data(struct rpc_conn *c, struct kvs_view data)
{
    struct h1 *h = c->h1;
    size_t used = 0;

    if (!h->answering && h->pending.len == 0) {
        used = h1_execute(h, data);
    }
    if (used == data.len || c->closing) {
        return;
    }
    buf_append(&h->pending, (const uint8_t *)data.data + used, data.len - used);
    if (h->pending.failed) {
        conn_close(c);
        return;
    }
    stream_pause(c->stream); /* so `pending` holds no more than one read (two with TLS) */
}

void h1_conn_drain(struct rpc_conn *c)
{
    if (c->h1->call == NULL) {
        conn_close_after_flush(c);
    }
}

void h1_conn_free(struct rpc_conn *c)
{
    if (c->h1 == NULL) {
        return;
    }
    buf_fini(&c->h1->text);
    buf_fini(&c->h1->pending);
    kvs_free(c->h1);
    c->h1 = NULL;
}
