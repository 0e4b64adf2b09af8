/* The server's side of nghttp2: frames become calls, and floods become GOAWAYs. */
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "rpc/rpc_server_int.h"

static const uint8_t drain_ping[8] = {'d', 'r', 'a', 'i', 'n', 'i', 'n', 'g'};

static struct rpc_conn *conn_of(void *user_data)
{
    return container_of((struct h2_wire *)user_data, struct rpc_conn, wire);
}

/* ---- limits on what costs us without being a request ---- */

void h2_conn_punish(struct rpc_conn *c, const char *why)
{
    if (c->close_after) {
        return;
    }
    c->close_after = true;
    c->server->figures.connections_punished++;
    log_info(c->server->log, "closing a client's connection",
             LOG_STR("remote-addr", stream_peer(c->stream)->address), LOG_STR("reason", why));
    if (nghttp2_submit_goaway(c->wire.session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(c->wire.session),
                              NGHTTP2_ENHANCE_YOUR_CALM, (const uint8_t *)why, strlen(why)) != 0) {
        c->wire.broken = true;
    }
    conn_mark_dirty(c);
}

static void conn_count_control(struct rpc_conn *c)
{
    const struct rpc_limits *l = &c->server->limits;

    if (!rpc_rate_take(&c->controls, l->control_burst, l->control_per_s,
                       loop_now_ms(c->server->loop))) {
        h2_conn_punish(c, "too_many_control_frames");
    }
}

static void conn_count_reset(struct rpc_conn *c)
{
    const struct rpc_limits *l = &c->server->limits;

    if (!rpc_rate_take(&c->resets, l->resets_burst, l->resets_per_s,
                       loop_now_ms(c->server->loop))) {
        h2_conn_punish(c, "too_many_resets");
    }
}

/* grpc-go's policy: a ping closer to the last one than allowed is a strike, the third strike is the
 * end; what we send in between forgives them. */
static void conn_client_ping(struct rpc_conn *c)
{
    const struct rpc_limits *l = &c->server->limits;
    uint64_t now_ms = loop_now_ms(c->server->loop);
    bool idle = c->n_calls == 0 && !l->ping_without_stream;
    uint64_t least_ms = idle ? PING_IDLE_INTERVAL_MS : l->ping_min_interval_ms;
    bool close = c->pinged && now_ms - c->client_ping_at_ms < least_ms;

    if (c->sent_since_ping) {
        c->ping_strikes = 0;
    } else if (close && ++c->ping_strikes > PING_STRIKES_MAX) {
        h2_conn_punish(c, "too_many_pings");
    }
    c->sent_since_ping = false;
    c->pinged = true;
    c->client_ping_at_ms = now_ms;
}

static void conn_ping_acked(struct rpc_conn *c, const nghttp2_frame *frame)
{
    if (!c->server->draining || c->goaway_final ||
        memcmp(frame->ping.opaque_data, drain_ping, sizeof drain_ping) != 0) {
        return;
    }
    /* Whatever the client sent before it saw the notice is known by now. */
    c->goaway_final = true;
    if (nghttp2_submit_goaway(c->wire.session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(c->wire.session),
                              NGHTTP2_NO_ERROR, NULL, 0) != 0) {
        c->wire.broken = true;
    }
}

/* ---- received frames ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct rpc_conn *c = conn_of(user_data);
    struct rpc_call *call;

    c->in_headers = true;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    call = c->close_after ? NULL : call_new(c, frame->hd.stream_id);
    if (call == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call) != 0) {
        call_off_wire(call);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return 0;
}

/* nghttp2's own check of requests (RFC 9113, 8.1-8.3) is off, since it refuses an :authority that
 * is a URL, which etcdctl and other clients of etcd's Go library send. The rest of it is here. */
enum {
    PSEUDO_METHOD = 1,
    PSEUDO_SCHEME = 2,
    PSEUDO_PATH = 4,
    PSEUDO_AUTHORITY = 8,
    PSEUDO_REQUIRED = PSEUDO_METHOD | PSEUDO_SCHEME | PSEUDO_PATH,
};

static bool call_pseudo_is_valid(struct rpc_call *call, struct kvs_view name, struct kvs_view value)
{
    const uint8_t *text = value.data;
    unsigned bit;
    bool valid;

    if (view_equal_str(name, ":path")) {
        bit = PSEUDO_PATH;
        valid = value.len > 0 && (text[0] == '/' || view_equal_str(value, "*")) &&
                nghttp2_check_path(text, value.len) != 0;
    } else if (view_equal_str(name, ":method")) {
        bit = PSEUDO_METHOD;
        valid = nghttp2_check_method(text, value.len) != 0 && !view_equal_str(value, "CONNECT");
    } else if (view_equal_str(name, ":scheme")) {
        bit = PSEUDO_SCHEME;
        valid = value.len > 0 && nghttp2_check_path(text, value.len) != 0;
    } else if (view_equal_str(name, ":authority")) {
        bit = PSEUDO_AUTHORITY;
        valid = nghttp2_check_header_value_rfc9113(text, value.len) != 0;
    } else {
        return false;
    }
    valid = valid && !call->fields_begun && (call->pseudo_seen & bit) == 0;
    call->pseudo_seen |= bit;
    return valid;
}

static bool call_set_content_length(struct rpc_call *call, struct kvs_view value)
{
    const uint8_t *digits = value.data;
    uint64_t length = 0;

    if (value.len == 0 || value.len > 18 || call->body_expected != UINT64_MAX) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return false;
        }
        length = length * 10 + (digits[i] - '0');
    }
    call->body_expected = length;
    return true;
}

static bool call_field_is_valid(struct rpc_call *call, struct kvs_view name, struct kvs_view value)
{
    static const char *const of_connections[] = {"connection", "keep-alive", "proxy-connection",
                                                 "transfer-encoding", "upgrade"};

    call->fields_begun = true;
    for (size_t i = 0; i < ARRAY_LEN(of_connections); i++) {
        if (view_equal_str(name, of_connections[i])) {
            return false;
        }
    }
    if (view_equal_str(name, "te") && !view_equal_str(value, "trailers")) {
        return false;
    }
    if (view_equal_str(name, "content-length") && !call_set_content_length(call, value)) {
        return false;
    }
    return nghttp2_check_header_name(name.data, name.len) != 0 &&
           nghttp2_check_header_value_rfc9113(value.data, value.len) != 0;
}

/* Decided when all its fields are there, or its body, has one byte too many or ends early. */
static void call_refuse_malformed(struct rpc_call *call)
{
    call->malformed = true;
    h2_call_reset(call, NGHTTP2_PROTOCOL_ERROR);
}

static int call_pseudo_field(struct rpc_call *call, struct kvs_view name, struct kvs_view value)
{
    if (view_equal_str(name, ":path")) {
        return call_set_path(call, value);
    }
    if (view_equal_str(name, ":method")) {
        call->head_request = view_equal_str(value, "HEAD");
        return arena_copy(&call->arena, value, &call->http_method);
    }
    if (view_equal_str(name, ":authority")) {
        return call_add_field(call, VIEW_LITERAL("host"), value);
    }
    return 0;
}

static int on_header(nghttp2_session *session,
                     const nghttp2_frame *frame,
                     const uint8_t *name,
                     size_t name_len,
                     const uint8_t *value,
                     size_t value_len,
                     uint8_t flags,
                     void *user_data)
{
    struct rpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    struct kvs_view n = {name, name_len};
    struct kvs_view v = {value, value_len};
    bool pseudo = name_len > 0 && name[0] == ':';
    int err;

    (void)flags;
    (void)user_data;
    if (call == NULL || frame->headers.cat != NGHTTP2_HCAT_REQUEST || call->malformed) {
        return 0; /* trailers of a request mean nothing to us */
    }
    if (!(pseudo ? call_pseudo_is_valid(call, n, v) : call_field_is_valid(call, n, v))) {
        call->malformed = true; /* the reset comes when the block is complete */
        return 0;
    }
    err = pseudo ? call_pseudo_field(call, n, v) : call_add_field(call, n, v);
    if (err != 0 || call->header_bytes > 4 * call->server->limits.header_max) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return 0;
}

static bool call_body_is_whole(const struct rpc_call *call)
{
    return call->body_expected == UINT64_MAX || call->body_bytes == call->body_expected;
}

static void conn_headers_complete(struct rpc_conn *c, struct rpc_call *call, const nghttp2_frame *f)
{
    bool end = (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    c->in_headers = false;
    if (call == NULL) {
        return;
    }
    if (f->headers.cat == NGHTTP2_HCAT_REQUEST
            ? call->malformed || (call->pseudo_seen & PSEUDO_REQUIRED) != PSEUDO_REQUIRED
            : !end) { /* trailers end the stream */
        call_refuse_malformed(call);
        return;
    }
    if (end && !call_body_is_whole(call)) {
        call_refuse_malformed(call);
        return;
    }
    if (f->headers.cat == NGHTTP2_HCAT_REQUEST) {
        call->body_over = end;
        call_route(call);
    }
    if (end) {
        call_body_end(call);
    }
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct rpc_conn *c = conn_of(user_data);
    struct rpc_call *call;

    if (c->close_after) {
        return 0;
    }
    call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        conn_headers_complete(c, call, frame);
        break;
    case NGHTTP2_DATA:
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
            if (frame->hd.length == 0) {
                conn_count_control(c);
            }
        } else if (call != NULL && !call->malformed) {
            if (call_body_is_whole(call)) {
                call_body_end(call);
            } else {
                call_refuse_malformed(call);
            }
        }
        break;
    case NGHTTP2_RST_STREAM:
        conn_count_reset(c);
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
            conn_ping_acked(c, frame);
        } else {
            conn_client_ping(c);
        }
        break;
    case NGHTTP2_PRIORITY:
    case NGHTTP2_SETTINGS:
        conn_count_control(c);
        break;
    default:
        break;
    }
    return 0;
}

static int on_data_chunk(nghttp2_session *session,
                         uint8_t flags,
                         int32_t stream_id,
                         const uint8_t *data,
                         size_t len,
                         void *user_data)
{
    struct rpc_conn *c = conn_of(user_data);
    struct rpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);

    (void)flags;
    /* The connection's window is given back at once, so that a paused stream stops nobody else;
     * the stream's window when its bytes have been used. */
    if (nghttp2_session_consume_connection(session, len) != 0) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (call == NULL || c->close_after || call->malformed) {
        return 0;
    }
    call->body_bytes += len;
    if (call->body_bytes > call->body_expected) {
        call_refuse_malformed(call);
    } else {
        call_body(call, view_make(data, len));
    }
    return 0;
}

static int
on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error, void *user_data)
{
    struct rpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);

    (void)error;
    (void)user_data;
    if (call != NULL) {
        (void)nghttp2_session_set_stream_user_data(session, stream_id, NULL);
        call_off_wire(call);
    }
    return 0;
}

/* ---- sent frames ---- */

/* We have said all and the client has not. gRPC clients are told at once that the rest is not
 * wanted; HTTP clients may take that for a failure of what they were answered (curl 7.88 does), so
 * they get some time to finish. */
static void call_said_all(struct rpc_call *call)
{
    if (call->body_over) {
        return;
    }
    if (call->is_grpc) {
        h2_call_reset(call, NGHTTP2_NO_ERROR);
    } else {
        loop_timer_start(&call->body_timer, CALL_LINGER_MS);
    }
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct rpc_conn *c = conn_of(user_data);
    struct rpc_call *call;

    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
        return 0;
    }
    c->sent_since_ping = true;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
        return 0;
    }
    call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (call != NULL) {
        call_said_all(call);
    }
    return 0;
}

int h2_server_init(struct rpc_server *s)
{
    s->callbacks = h2_callbacks_new();
    if (s->callbacks == NULL || nghttp2_option_new(&s->option) != 0) {
        return KVS_E_NOMEM;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(s->callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(s->callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(s->callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(s->callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(s->callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(s->callbacks, on_frame_send);
    nghttp2_option_set_no_auto_window_update(s->option, 1);
    nghttp2_option_set_no_closed_streams(s->option, 1);
    nghttp2_option_set_no_http_messaging(s->option, 1); /* see call_pseudo_is_valid */
    nghttp2_option_set_max_send_header_block_length(s->option, 64 * 1024);
    /* A second line behind our own count, which answers with a reason. */
    nghttp2_option_set_stream_reset_rate_limit(s->option, 2 * (uint64_t)s->limits.resets_burst,
                                               2 * (uint64_t)s->limits.resets_per_s);
    return 0;
}

int h2_conn_start(struct rpc_conn *c)
{
    struct rpc_server *s = c->server;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, s->limits.streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)s->limits.header_max},
    };

    c->wire.stream = c->stream;
    if (nghttp2_session_server_new3(&c->wire.session, s->callbacks, &c->wire, s->option,
                                    h2_mem()) != 0) {
        c->wire.session = NULL;
        return KVS_E_NOMEM;
    }
    if (nghttp2_submit_settings(c->wire.session, NGHTTP2_FLAG_NONE, settings,
                                ARRAY_LEN(settings)) != 0 ||
        nghttp2_session_set_local_window_size(c->wire.session, NGHTTP2_FLAG_NONE, 0,
                                              H2_CONNECTION_WINDOW) != 0) {
        return KVS_E_NOMEM; /* conn_free deletes the session */
    }
    return 0;
}

/* ---- the connection ---- */

void h2_conn_data(struct rpc_conn *c, struct kvs_view data)
{
    if (c->close_after) {
        return;
    }
    if (!h2_wire_feed(&c->wire, data)) {
        if (c->wire.broken) {
            conn_close(c);
            return;
        }
        c->close_after = true; /* nghttp2 has put a GOAWAY into the queue */
    }
    if (!c->in_headers) {
        loop_timer_stop(&c->header_timer);
    } else if (!c->header_timer.active) {
        loop_timer_start(&c->header_timer, c->server->limits.header_timeout_ms);
    }
    conn_mark_dirty(c);
}

void h2_conn_flush(struct rpc_conn *c)
{
    if (!h2_wire_flush(&c->wire)) {
        conn_close(c);
        return;
    }
    if (stream_queued(c->stream) >= STREAM_QUEUE_HIGH) {
        return; /* on_writable goes on */
    }
    if (c->close_after || (nghttp2_session_want_read(c->wire.session) == 0 &&
                           nghttp2_session_want_write(c->wire.session) == 0)) {
        conn_close_after_flush(c);
    }
}

void h2_conn_drain(struct rpc_conn *c)
{
    if (nghttp2_submit_shutdown_notice(c->wire.session) != 0 ||
        nghttp2_submit_ping(c->wire.session, NGHTTP2_FLAG_NONE, drain_ping) != 0) {
        conn_close(c);
        return;
    }
    conn_mark_dirty(c);
}

/* ---- calls ---- */

void h2_call_headers(struct rpc_call *c, const nghttp2_nv *fields, size_t n_fields, bool end)
{
    nghttp2_data_provider source = h2_flow_source(&c->flow);

    kvs_assert(c->conn != NULL && c->conn->kind == CONN_H2);
    if (c->conn->closing) {
        return;
    }
    if (nghttp2_submit_response(c->conn->wire.session, c->flow.stream_id, fields, n_fields,
                                end ? NULL : &source) != 0) {
        c->conn->wire.broken = true;
    }
    conn_mark_dirty(c->conn);
}

void h2_call_reset(struct rpc_call *c, uint32_t error)
{
    if (c->conn->closing) {
        return;
    }
    if (nghttp2_submit_rst_stream(c->conn->wire.session, NGHTTP2_FLAG_NONE, c->flow.stream_id,
                                  error) != 0) {
        c->conn->wire.broken = true;
    }
    conn_mark_dirty(c->conn);
}

void h2_call_consumed(struct rpc_call *c, size_t len)
{
    if (len == 0 || c->conn == NULL || c->conn->kind != CONN_H2 || c->conn->closing) {
        return;
    }
    if (nghttp2_session_consume_stream(c->conn->wire.session, c->flow.stream_id, len) != 0) {
        c->conn->wire.broken = true;
    }
    conn_mark_dirty(c->conn);
}
