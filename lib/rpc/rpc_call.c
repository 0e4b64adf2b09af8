/* What a handler may do with a gRPC call. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "rpc/rpc_call_int.h"
#include "rpc/rpc_text.h"

/* ---- any call ---- */

enum rpc_kind rpc_call_kind(const struct rpc_call *c)
{
    return c->kind;
}

void rpc_call_set_user(struct rpc_call *c, void *user)
{
    c->user = user;
}

void *rpc_call_user(const struct rpc_call *c)
{
    return c->user;
}

struct arena *rpc_call_arena(struct rpc_call *c)
{
    return &c->arena;
}

struct kvs_view rpc_call_request(const struct rpc_call *c)
{
    return c->request;
}

struct kvs_view rpc_call_path(const struct rpc_call *c)
{
    return c->path;
}

static bool call_decode_binary(struct rpc_call *c, struct kvs_view *value)
{
    uint8_t *bytes = arena_alloc(&c->arena, value->len / 4 * 3 + 4);
    size_t len;

    if (bytes == NULL || rpc_base64_decode(*value, bytes, &len) != 0) {
        return false;
    }
    *value = view_make(bytes, len);
    return true;
}

bool rpc_call_header(struct rpc_call *c, const char *name, struct kvs_view *ret_value)
{
    struct kvs_view wanted = view_str(name);

    for (size_t i = 0; i < c->n_fields; i++) {
        struct kvs_view value = c->fields[i].value;

        if (!view_equal(c->fields[i].name, wanted)) {
            continue;
        }
        if (c->is_grpc && wanted.len > 4 && memcmp(name + wanted.len - 4, "-bin", 4) == 0 &&
            !call_decode_binary(c, &value)) {
            return false;
        }
        *ret_value = value;
        return true;
    }
    return false;
}

bool rpc_call_header_next(const struct rpc_call *c,
                          size_t *at,
                          struct kvs_view *ret_name,
                          struct kvs_view *ret_value)
{
    if (*at >= c->n_fields) {
        return false;
    }
    *ret_name = c->fields[*at].name;
    *ret_value = c->fields[*at].value;
    (*at)++;
    return true;
}

const struct stream_peer *rpc_call_peer(const struct rpc_call *c)
{
    return c->conn != NULL ? stream_peer(c->conn->stream) : NULL;
}

unsigned rpc_call_listener_tag(const struct rpc_call *c)
{
    return c->tag;
}

uint64_t rpc_call_deadline_ms(const struct rpc_call *c)
{
    return c->deadline_ms;
}

bool rpc_call_is_canceled(const struct rpc_call *c)
{
    return c->canceled;
}

void rpc_call_on_cancel(struct rpc_call *c, void (*on_cancel)(struct rpc_call *c))
{
    kvs_assert(c->held && !c->started);
    c->on_cancel = on_cancel;
}

/* ---- unary ---- */

static void call_count_sent(struct rpc_call *c, size_t len)
{
    c->method->figures.messages_sent++;
    c->server->figures.sent_bytes += len;
}

/* True if a reply may still go out; the caller completes the call in any case. */
static bool reply_allowed(struct rpc_call *c)
{
    kvs_assert(c->held && c->kind == RPC_UNARY && !c->replying);
    loop_assert_owner(c->server->loop);
    if (c->answered) {
        return false; /* the deadline was faster */
    }
    if (c->conn == NULL) {
        call_decide(c, RPC_CANCELED, NULL);
        return false;
    }
    return true;
}

/* The response is queued, or `err` says why not. */
static void reply_send(struct rpc_call *c, int err, size_t len)
{
    if (err != 0) {
        call_decide(c, (enum rpc_status)kvs_err_grpc_status(err), kvs_strerror(err));
    } else {
        call_decide(c, RPC_OK, NULL);
        call_count_sent(c, len);
    }
    call_send_end(c);
    call_complete(c);
}

void rpc_reply(struct rpc_call *c, struct kvs_blob response)
{
    size_t len = response.len;

    if (!reply_allowed(c)) {
        kvs_free(response.data);
        call_complete(c);
        return;
    }
    reply_send(c, rpc_out_blob(&c->flow.out, c->server->pool, response, true), len);
}

void rpc_reply_copy(struct rpc_call *c, struct kvs_view response)
{
    if (!reply_allowed(c)) {
        call_complete(c);
        return;
    }
    reply_send(c, rpc_out_message(&c->flow.out, c->server->pool, response, NULL), response.len);
}

void rpc_reply_rcbuf(struct rpc_call *c, struct rcbuf *response)
{
    size_t len = response->len;
    int err;

    if (!reply_allowed(c)) {
        rcbuf_unref(response);
        call_complete(c);
        return;
    }
    err = rpc_out_message(&c->flow.out, c->server->pool, view_make(NULL, 0), response);
    rcbuf_unref(response);
    reply_send(c, err, len);
}

void rpc_fail(struct rpc_call *c, enum rpc_status status, const char *text)
{
    loop_assert_owner(c->server->loop);
    kvs_assert(c->held && status != RPC_OK && status < RPC_STATUS_COUNT);
    if (c->started && c->is_grpc) {
        rpc_stream_finish(c, status, text);
        return;
    }
    if (c->kind == RPC_HTTP) {
        http_fail(c, status, text);
        return;
    }
    if (!c->answered) {
        call_decide(c, status, text);
        if (c->replying) {
            call_abort(c);
        } else {
            call_send_end(c);
        }
    }
    c->replying = false;
    call_complete(c);
}

void rpc_fail_err(struct rpc_call *c, int err)
{
    rpc_fail(c, (enum rpc_status)kvs_err_grpc_status(err), kvs_strerror(err));
}

/* ---- a long unary response ---- */

void rpc_reply_begin(struct rpc_call *c,
                     uint64_t total_len,
                     void (*on_writable)(struct rpc_call *c))
{
    struct rpc_piece *piece;
    bool allowed;

    if (total_len == 0) {
        rpc_reply_copy(c, view_make(NULL, 0));
        return;
    }
    allowed = reply_allowed(c);
    c->replying = true;
    c->reply_left = total_len;
    c->on_writable = on_writable;
    call_want_writable(c);
    if (!allowed) {
        return;
    }
    if (total_len > UINT32_MAX) {
        call_decide(c, RPC_RESOURCE_EXHAUSTED, "grpc: trying to send message larger than max");
        call_send_end(c);
        return;
    }
    piece = rpc_out_push(&c->flow.out, c->server->pool, RPC_FRAME_PREFIX, 0);
    if (piece == NULL) {
        call_decide(c, RPC_RESOURCE_EXHAUSTED, kvs_strerror(KVS_E_NOMEM));
        call_send_end(c);
        return;
    }
    rpc_out_prefix(piece->head, (uint32_t)total_len);
    call_send_headers(c);
    call_wake(c);
}

/* Accounts for `len` bytes that were queued or dropped. */
static void reply_written(struct rpc_call *c, size_t len)
{
    c->reply_left -= len;
    if (c->reply_left > 0) {
        if (c->conn == NULL || c->answered) {
            call_want_writable(c); /* dropped: the writer gets to its end all the same */
        } else {
            call_wake(c);
        }
        return;
    }
    c->replying = false;
    if (!c->answered) {
        call_decide(c, RPC_OK, NULL);
        call_count_sent(c, 0);
        call_send_end(c);
    }
    call_complete(c);
}

static int reply_check(const struct rpc_call *c, size_t len)
{
    kvs_assert(c->held && c->replying);
    return len > c->reply_left ? KVS_E_TOO_LONG : 0;
}

int rpc_reply_write(struct rpc_call *c, struct kvs_view data)
{
    int err = reply_check(c, data.len);

    if (err == 0 && c->conn != NULL && !c->answered) {
        err = rpc_out_copy(&c->flow.out, c->server->pool, data);
        c->server->figures.sent_bytes += err == 0 ? data.len : 0;
    }
    if (err == 0) {
        reply_written(c, data.len);
    }
    return err;
}

int rpc_reply_write_rcbuf(struct rpc_call *c, struct rcbuf *data)
{
    size_t len = data->len;
    int err = reply_check(c, len);

    if (err == 0 && c->conn != NULL && !c->answered) {
        err = rpc_out_shared(&c->flow.out, c->server->pool, data);
        c->server->figures.sent_bytes += err == 0 ? len : 0;
    }
    if (err == 0) {
        reply_written(c, len);
    }
    return err;
}

size_t rpc_reply_queued(const struct rpc_call *c)
{
    return c->flow.out.bytes;
}

/* ---- streams ---- */

void rpc_stream_start(struct rpc_call *c, const struct rpc_stream_ops *ops)
{
    kvs_assert(c->held && !c->started && c->method != NULL);
    kvs_assert(c->kind == RPC_SERVER_STREAM || (c->kind == RPC_BIDI && ops->on_message != NULL));
    c->started = true;
    c->ops = ops;
}

static int stream_sent(struct rpc_call *c, int err, size_t len)
{
    if (err != 0) {
        return err;
    }
    call_count_sent(c, len);
    call_send_headers(c);
    call_wake(c);
    c->was_high = c->was_high || c->flow.out.bytes > RPC_QUEUE_HIGH;
    return 0;
}

int rpc_stream_send(struct rpc_call *c, struct kvs_view prefix, struct rcbuf *payload)
{
    size_t len = prefix.len + (payload != NULL ? payload->len : 0);

    kvs_assert(c->held && c->started);
    if (c->conn == NULL || c->answered || c->canceled) {
        return KVS_E_CLOSED;
    }
    if (prefix.len > RPC_PREFIX_MAX) {
        return KVS_E_TOO_LONG;
    }
    return stream_sent(c, rpc_out_message(&c->flow.out, c->server->pool, prefix, payload), len);
}

int rpc_stream_send_copy(struct rpc_call *c, struct kvs_view message)
{
    kvs_assert(c->held && c->started);
    if (c->conn == NULL || c->answered || c->canceled) {
        return KVS_E_CLOSED;
    }
    return stream_sent(c, rpc_out_message(&c->flow.out, c->server->pool, message, NULL),
                       message.len);
}

size_t rpc_stream_queued(const struct rpc_call *c)
{
    return c->flow.out.bytes;
}

void rpc_stream_pause(struct rpc_call *c)
{
    c->paused = true;
}

void rpc_stream_resume(struct rpc_call *c)
{
    if (!c->paused) {
        return;
    }
    c->paused = false;
    if (c->backlog.len > 0 && !c->in_feed) {
        list_remove(&c->resume);
        list_push_back(&c->server->resumed, &c->resume);
        loop_hook_mark(&c->server->flush);
    }
}

void rpc_stream_finish(struct rpc_call *c, enum rpc_status status, const char *text)
{
    kvs_assert(c->held && c->started);
    loop_assert_owner(c->server->loop);
    if (c->answered) {
        return;
    }
    call_decide(c, status, text);
    call_send_end(c);
}
