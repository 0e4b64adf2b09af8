/* What a handler may do with an HTTP request, whichever version brought it. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "rpc/rpc_call_int.h"

enum { HTTP_FIELDS_MAX = 32 };

struct kvs_view rpc_http_method(const struct rpc_call *c)
{
    return c->http_method;
}

struct kvs_view rpc_http_query(const struct rpc_call *c)
{
    return c->query;
}

/* A line end in a value would begin a field, or a response, of somebody else's making. */
bool http_field_is_safe(const struct rpc_http_field *field)
{
    return strpbrk(field->name, "\r\n: ") == NULL && strpbrk(field->value, "\r\n") == NULL;
}

static void http_h2_headers(struct rpc_call *c,
                            unsigned status,
                            const char *content_type,
                            const struct rpc_http_field *fields,
                            size_t n_fields,
                            size_t length)
{
    nghttp2_nv out[HTTP_FIELDS_MAX + 3];
    char number[8];
    char size[24];
    size_t n = 0;

    kvs_assert(n_fields <= HTTP_FIELDS_MAX);
    out[n++] =
        h2_field(":status", number, (size_t)snprintf(number, sizeof number, "%u", status % 1000));
    if (content_type != NULL) {
        out[n++] = h2_field("content-type", content_type, strlen(content_type));
    }
    if (length != SIZE_MAX) {
        out[n++] =
            h2_field("content-length", size, (size_t)snprintf(size, sizeof size, "%zu", length));
    }
    for (size_t i = 0; i < n_fields; i++) {
        if (!http_field_is_safe(&fields[i])) {
            continue;
        }
        out[n] = h2_field(fields[i].name, fields[i].value, strlen(fields[i].value));
        out[n++].flags = NGHTTP2_NV_FLAG_NONE;
    }
    h2_call_headers(c, out, n, length == 0 || c->head_request);
}

void http_send_headers(struct rpc_call *c,
                       unsigned status,
                       const char *content_type,
                       const struct rpc_http_field *fields,
                       size_t n_fields,
                       size_t length)
{
    kvs_assert(!c->headers_sent && c->conn != NULL);
    c->headers_sent = true;
    if (c->conn->kind == CONN_H2) {
        http_h2_headers(c, status, content_type, fields, n_fields, length);
    } else {
        h1_call_headers(c, status, content_type, fields, n_fields, length);
    }
    if (c->head_request || status == 204 || status == 304) {
        rpc_out_clear(&c->flow.out);
    }
}

void rpc_http_reply(struct rpc_call *c,
                    unsigned status,
                    const char *content_type,
                    const struct rpc_http_field *fields,
                    size_t n_fields,
                    struct kvs_blob body)
{
    size_t length = body.len;

    loop_assert_owner(c->server->loop);
    kvs_assert(c->held && c->kind == RPC_HTTP && !c->started && !c->answered);
    c->answered = true;
    if (c->conn == NULL || length == 0) {
        kvs_free(body.data);
    } else if (rpc_out_blob(&c->flow.out, c->server->pool, body, false) != 0) {
        status = 503;
        length = 0;
    }
    if (c->conn != NULL) {
        http_send_headers(c, status, content_type, fields, n_fields, length);
        c->flow.out.finished = true;
        call_wake(c);
    }
    call_complete(c);
}

void rpc_http_begin(struct rpc_call *c,
                    unsigned status,
                    const char *content_type,
                    const struct rpc_http_field *fields,
                    size_t n_fields,
                    const struct rpc_stream_ops *ops)
{
    kvs_assert(c->held && c->kind == RPC_HTTP && !c->started && !c->answered);
    if (c->conn == NULL) {
        /* Nobody is there any more. The stream's only event, its end, comes as for any other:
         * later. */
        c->ops = ops;
        c->started = true;
        list_remove(&c->ready);
        list_push_back(&c->server->closing, &c->ready);
        loop_task_post(c->server->loop, &c->server->close_task);
        return;
    }
    c->on_cancel = NULL;
    c->started = true;
    c->ops = ops;
    http_send_headers(c, status, content_type, fields, n_fields, SIZE_MAX);
    call_wake(c);
}

int rpc_http_write(struct rpc_call *c, struct kvs_view data)
{
    int err;

    kvs_assert(c->held && c->kind == RPC_HTTP && c->started);
    if (c->conn == NULL || c->answered || c->canceled) {
        return KVS_E_CLOSED;
    }
    if (c->head_request) {
        return 0;
    }
    err = rpc_out_copy(&c->flow.out, c->server->pool, data);
    if (err == 0) {
        call_wake(c);
        c->was_high = c->was_high || c->flow.out.bytes > RPC_QUEUE_HIGH;
    }
    return err;
}

void rpc_http_end(struct rpc_call *c)
{
    kvs_assert(c->held && c->kind == RPC_HTTP && c->started);
    if (c->answered || c->conn == NULL) {
        return;
    }
    c->answered = true;
    c->flow.out.finished = true;
    call_wake(c);
}

/* ---- errors ---- */

static void json_string(struct buf *b, const char *text)
{
    buf_append_u8(b, '"');
    for (; *text != '\0'; text++) {
        unsigned char ch = (unsigned char)*text;

        if (ch == '"' || ch == '\\') {
            buf_append_u8(b, '\\');
            buf_append_u8(b, ch);
        } else if (ch < 0x20) {
            buf_printf(b, "\\u%04x", ch);
        } else {
            buf_append_u8(b, ch);
        }
    }
    buf_append_u8(b, '"');
}

void http_fail(struct rpc_call *c, enum rpc_status status, const char *text)
{
    struct buf b;

    if (c->started) {
        if (!c->answered) {
            call_abort(c);
        }
        return;
    }
    buf_init(&b);
    buf_printf(&b, "{\"code\":%u,\"message\":", (unsigned)status);
    json_string(&b, text != NULL ? text : "");
    buf_append_str(&b, "}");
    if (b.failed) {
        buf_fini(&b);
        buf_init(&b);
    }
    rpc_http_reply(c, rpc_status_http(status), "application/json", NULL, 0, buf_take(&b));
}
