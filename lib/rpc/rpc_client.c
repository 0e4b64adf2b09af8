/* The client's connection: connecting, waiting after failures, keepalive, and the end. */
#include "rpc/rpc_client.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "rpc/rpc_client_int.h"
#include "rpc/rpc_text.h"

static void client_connect(struct rpc_client *c);

static void client_unref(struct rpc_client *c)
{
    if (--c->refs > 0) {
        return;
    }
    nghttp2_session_callbacks_del(c->callbacks);
    nghttp2_option_del(c->option);
    rpc_pool_unref(c->pool);
    arena_fini(&c->metadata_arena);
    kvs_free(c);
}

static void client_set_state(struct rpc_client *c, enum rpc_client_state state, const char *text)
{
    if (c->state == state) {
        return;
    }
    c->state = state;
    if (c->options.on_state != NULL && !c->freed) {
        c->options.on_state(c->options.ctx, state, text);
    }
}

void client_mark_dirty(struct rpc_client *c)
{
    if (!c->freed) {
        c->dirty = true;
        loop_hook_mark(&c->flush);
    }
}

static void client_close_stream(struct rpc_client *c, const char *why)
{
    if (c->stream == NULL || c->closing) {
        return;
    }
    c->closing = true;
    if (why != NULL) {
        (void)snprintf(c->last_error, sizeof c->last_error, "%s", why);
    }
    stream_close(c->stream);
}

/* ---- nghttp2 ---- */

static struct rpc_client *client_of(void *user_data)
{
    return container_of((struct h2_wire *)user_data, struct rpc_client, wire);
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
    struct rpc_client_stream *s =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    (void)flags;
    (void)user_data;
    if (s != NULL) {
        client_stream_header(s, view_make(name, name_len), view_make(value, value_len));
    }
    return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct rpc_client *c = client_of(user_data);

    (void)session;
    if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
        c->settled = true;
        c->backoff_ms = 0;
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
        c->goaway = true;
        (void)snprintf(
            c->last_error, sizeof c->last_error, "the server is going away: %.*s",
            (int)(frame->goaway.opaque_data_len < 100 ? frame->goaway.opaque_data_len : 100),
            (const char *)frame->goaway.opaque_data);
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
    struct rpc_client_stream *s = nghttp2_session_get_stream_user_data(session, stream_id);

    (void)flags;
    (void)user_data;
    if (nghttp2_session_consume_connection(session, len) != 0) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (s != NULL) {
        client_stream_data(s, view_make(data, len));
    }
    return 0;
}

static int
on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error, void *user_data)
{
    struct rpc_client_stream *s = nghttp2_session_get_stream_user_data(session, stream_id);

    (void)user_data;
    if (s != NULL) {
        (void)nghttp2_session_set_stream_user_data(session, stream_id, NULL);
        client_stream_closed(s, error);
    }
    return 0;
}

/* A request that never left (the server is going away, ids are used up) ends here. */
static int
on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user_data)
{
    struct rpc_client_stream *s;

    (void)user_data;
    (void)error;
    if (frame->hd.type != NGHTTP2_HEADERS) {
        return 0;
    }
    s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (s != NULL) {
        (void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, NULL);
        client_stream_closed(s, NGHTTP2_REFUSED_STREAM);
    }
    return 0;
}

static int client_init_session(struct rpc_client *c)
{
    c->callbacks = h2_callbacks_new();
    if (c->callbacks == NULL || nghttp2_option_new(&c->option) != 0) {
        return KVS_E_NOMEM;
    }
    nghttp2_session_callbacks_set_on_header_callback(c->callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c->callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c->callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(c->callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(c->callbacks, on_frame_not_send);
    nghttp2_option_set_no_auto_window_update(c->option, 1);
    nghttp2_option_set_peer_max_concurrent_streams(c->option, 10000);
    return 0;
}

static int client_start_session(struct rpc_client *c)
{
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
    };

    c->wire = (struct h2_wire){.stream = c->stream};
    if (nghttp2_session_client_new3(&c->wire.session, c->callbacks, &c->wire, c->option,
                                    h2_mem()) != 0) {
        c->wire.session = NULL;
        return KVS_E_NOMEM;
    }
    if (nghttp2_submit_settings(c->wire.session, NGHTTP2_FLAG_NONE, settings,
                                ARRAY_LEN(settings)) != 0 ||
        nghttp2_session_set_local_window_size(c->wire.session, NGHTTP2_FLAG_NONE, 0,
                                              4 * H2_CONNECTION_WINDOW) != 0) {
        return KVS_E_NOMEM;
    }
    return 0;
}

/* ---- the stream's callbacks ---- */

static void client_on_open(void *ctx)
{
    struct rpc_client *c = ctx;

    loop_timer_stop(&c->connect_timer);
    if (client_start_session(c) != 0) {
        client_close_stream(c, "out of memory");
        return;
    }
    c->opened_at_ms = loop_now_ms(c->loop);
    c->received_at_ms = c->opened_at_ms;
    if (c->options.keepalive_interval_ms > 0) {
        loop_timer_start(&c->keepalive, c->options.keepalive_interval_ms);
    }
    client_mark_dirty(c);
    client_set_state(c, RPC_CLIENT_READY, "");
}

static void client_on_data(void *ctx, struct kvs_view data)
{
    struct rpc_client *c = ctx;

    if (c->closing) {
        return;
    }
    c->received_at_ms = loop_now_ms(c->loop);
    c->ping_waiting = false;
    if (!h2_wire_feed(&c->wire, data)) {
        client_close_stream(c, c->wire.broken ? "out of memory" : "HTTP/2 protocol error");
        return;
    }
    client_mark_dirty(c);
}

static void client_on_writable(void *ctx)
{
    client_mark_dirty(ctx);
}

static void client_fail_list(struct rpc_client *c, struct list *calls)
{
    while (!list_empty(calls)) {
        client_stream_lost(list_entry(calls->next, struct rpc_client_stream, node), c->last_error);
    }
}

static void client_backoff(struct rpc_client *c, bool at_once)
{
    const struct rpc_client_options *o = &c->options;
    unsigned wait_ms;

    c->retry_at_once = at_once;
    if (!o->wait_for_ready && !at_once) {
        client_fail_list(c, &c->waiting);
    }
    c->backoff_ms = c->backoff_ms == 0 ? o->backoff_min_ms : c->backoff_ms * 2;
    c->backoff_ms = c->backoff_ms > o->backoff_max_ms ? o->backoff_max_ms : c->backoff_ms;
    /* Spread, so that the clients of a restarted server do not come back all at once. */
    wait_ms =
        at_once ? 1
                : (unsigned)rng_between(&c->rng, c->backoff_ms - c->backoff_ms / 5, c->backoff_ms);
    loop_timer_start(&c->connect_timer, wait_ms);
    client_set_state(c, RPC_CLIENT_BACKOFF, c->last_error);
}

static void client_on_close(void *ctx, int err, const char *text)
{
    struct rpc_client *c = ctx;
    /* Asked to come again: at once, unless that is all the server ever says. */
    bool at_once =
        c->goaway && c->settled && loop_now_ms(c->loop) - c->opened_at_ms >= CLIENT_STABLE_MS;

    loop_timer_stop(&c->keepalive);
    loop_timer_stop(&c->connect_timer);
    if (!c->closing && !c->goaway) {
        (void)snprintf(c->last_error, sizeof c->last_error,
                       err == 0 ? "connection closed by the server: %.100s" : "%.150s", text);
    }
    c->stream = NULL;
    c->closing = false;
    c->goaway = false;
    c->settled = false;
    c->ping_waiting = false;
    if (!c->freed) {
        client_fail_list(c, &c->active);
        if (c->wire.session != NULL) {
            h2_wire_fini(&c->wire);
        }
        client_backoff(c, at_once);
    }
    client_unref(c);
}

static const struct stream_ops client_stream_ops = {client_on_open, client_on_data,
                                                    client_on_writable, client_on_close};

/* ---- timers ---- */

static void client_connect_timer_cb(struct loop_timer *t)
{
    struct rpc_client *c = container_of(t, struct rpc_client, connect_timer);

    if (c->state == RPC_CLIENT_CONNECTING) {
        char url[NET_TEXT_MAX];
        char text[200];

        (void)snprintf(text, sizeof text, "dial tcp %.120s: i/o timeout",
                       net_addr_text(&c->options.target, url));
        client_close_stream(c, text);
        return;
    }
    client_connect(c);
}

static void client_keepalive_cb(struct loop_timer *t)
{
    static const uint8_t opaque[8] = "keepaliv";
    struct rpc_client *c = container_of(t, struct rpc_client, keepalive);
    uint64_t silent_ms = loop_now_ms(c->loop) - c->received_at_ms;
    unsigned interval_ms = c->options.keepalive_interval_ms;

    if (c->ping_waiting) {
        client_close_stream(c, "keepalive ping was not answered in time");
        return;
    }
    if (silent_ms < interval_ms || c->n_active == 0) {
        loop_timer_start(t, silent_ms < interval_ms ? interval_ms - silent_ms : interval_ms);
        return;
    }
    if (nghttp2_submit_ping(c->wire.session, NGHTTP2_FLAG_NONE, opaque) != 0) {
        client_close_stream(c, "out of memory");
        return;
    }
    c->ping_waiting = true;
    loop_timer_start(t, c->options.keepalive_timeout_ms);
    client_mark_dirty(c);
}

static void client_connect(struct rpc_client *c)
{
    int err;

    kvs_assert(c->stream == NULL && !c->freed);
    err = stream_connect(c->loop, &c->options.target, c->options.tls, "h2", &client_stream_ops, c,
                         &c->stream);
    if (err != 0) {
        c->stream = NULL;
        (void)snprintf(c->last_error, sizeof c->last_error, "%s", kvs_strerror(err));
        client_backoff(c, false);
        return;
    }
    c->refs++;
    loop_timer_start(&c->connect_timer, c->options.connect_timeout_ms);
    client_set_state(c, RPC_CLIENT_CONNECTING, "");
}

static void client_begin_cb(struct loop_task *t)
{
    struct rpc_client *c = container_of(t, struct rpc_client, begin);

    if (c->stream == NULL) {
        loop_timer_stop(&c->connect_timer);
        client_connect(c);
    }
}

/* ---- the turn ---- */

static void client_submit_waiting(struct rpc_client *c)
{
    while (c->state == RPC_CLIENT_READY && !c->goaway && !c->closing && !list_empty(&c->waiting)) {
        client_stream_submit(list_entry(c->waiting.next, struct rpc_client_stream, node));
    }
}

static void client_flush_wire(struct rpc_client *c)
{
    if (c->state != RPC_CLIENT_READY || c->closing || c->stream == NULL) {
        return;
    }
    client_submit_waiting(c);
    if (!h2_wire_flush(&c->wire)) {
        client_close_stream(c, "out of memory");
    } else if ((c->goaway && c->n_active == 0) ||
               (nghttp2_session_want_read(c->wire.session) == 0 &&
                nghttp2_session_want_write(c->wire.session) == 0)) {
        client_close_stream(c, NULL);
    }
}

static void client_flush_cb(struct loop_hook *h)
{
    struct rpc_client *c = container_of(h, struct rpc_client, flush);

    c->refs++;
    client_run_ready(c);
    client_run_finished(c); /* first: what the callbacks start leaves in this turn, too */
    if (!c->freed && c->dirty) {
        c->dirty = false;
        client_flush_wire(c);
    }
    client_unref(c);
}

/* ---- the owner's side ---- */

static void number_default(unsigned *value, unsigned otherwise)
{
    *value = *value == 0 ? otherwise : *value;
}

static void options_fill(struct rpc_client_options *o)
{
    o->recv_message_max = o->recv_message_max == 0 ? INT32_MAX : o->recv_message_max;
    number_default(&o->connect_timeout_ms, 5000);
    number_default(&o->backoff_min_ms, 100);
    number_default(&o->backoff_max_ms, 2000);
    number_default(&o->keepalive_timeout_ms, 6000);
}

static int client_init(struct rpc_client *c, const struct rpc_client_options *options)
{
    c->options = *options;
    options_fill(&c->options);
    if (options->authority != NULL) {
        (void)snprintf(c->authority, sizeof c->authority, "%s", options->authority);
    } else {
        (void)net_addr_text(&options->target, c->authority);
    }
    c->options.authority = c->authority;
    c->refs = 1;
    list_init(&c->waiting);
    list_init(&c->active);
    list_init(&c->lingering);
    list_init(&c->finished);
    list_init(&c->ready);
    arena_init(&c->metadata_arena, 64 * 1024);
    rng_init(&c->rng, loop_now_ms(c->loop) ^ (uint64_t)(uintptr_t)c);
    loop_timer_init(c->loop, &c->connect_timer, client_connect_timer_cb);
    loop_timer_init(c->loop, &c->keepalive, client_keepalive_cb);
    loop_task_init(&c->begin, client_begin_cb);
    c->pool = rpc_pool_new();
    return c->pool != NULL ? client_init_session(c) : KVS_E_NOMEM;
}

int rpc_client_new(struct loop *l,
                   const struct rpc_client_options *options,
                   struct rpc_client **ret_client)
{
    struct rpc_client *c;

    loop_assert_owner(l);
    if ((options->target.tls && options->tls == NULL) || options->target.port == 0 ||
        (options->authority != NULL && strlen(options->authority) >= sizeof c->authority)) {
        return KVS_E_INVALID;
    }
    c = kvs_calloc(1, sizeof *c);
    if (c == NULL) {
        return KVS_E_NOMEM;
    }
    c->loop = l;
    if (client_init(c, options) != 0) {
        client_unref(c);
        return KVS_E_NOMEM;
    }
    loop_hook_init(l, &c->flush, LOOP_PHASE_FLUSH, client_flush_cb);
    if (!options->lazy) {
        loop_task_post(l, &c->begin);
    }
    *ret_client = c;
    return 0;
}

void rpc_client_free(struct rpc_client *c)
{
    if (c == NULL) {
        return;
    }
    loop_assert_owner(c->loop);
    kvs_assert(!c->freed && !c->wire.inside);
    c->freed = true;
    c->refs++;
    loop_timer_stop(&c->connect_timer);
    loop_timer_stop(&c->keepalive);
    loop_task_cancel(&c->begin);
    loop_hook_fini(&c->flush);
    (void)snprintf(c->last_error, sizeof c->last_error, "the client is closing");
    client_fail_list(c, &c->waiting);
    client_fail_list(c, &c->active);
    client_fail_list(c, &c->lingering);
    client_run_finished(c);
    if (c->wire.session != NULL) {
        h2_wire_fini(&c->wire);
    }
    if (c->stream != NULL) {
        c->closing = true;
        stream_close(c->stream);
    }
    client_unref(c);
    client_unref(c);
}

enum rpc_client_state rpc_client_state(const struct rpc_client *c)
{
    return c->state;
}

const char *rpc_client_last_error(const struct rpc_client *c)
{
    return c->last_error;
}

void rpc_client_connect_now(struct rpc_client *c)
{
    if (c->stream == NULL) {
        loop_task_post(c->loop, &c->begin);
    }
}

void client_want(struct rpc_client *c)
{
    if (c->state == RPC_CLIENT_IDLE) {
        rpc_client_connect_now(c);
    } else if (c->state == RPC_CLIENT_READY) {
        client_mark_dirty(c);
    }
}

int client_fields_copy(struct client_fields *to,
                       struct arena *arena,
                       const struct rpc_metadata *fields,
                       size_t n_fields)
{
    to->n = 0;
    if (n_fields > CLIENT_FIELDS_MAX) {
        return KVS_E_TOO_LONG;
    }
    for (size_t i = 0; i < n_fields; i++) {
        struct client_field *f = &to->at[i];
        size_t len = strlen(fields[i].name);

        if (arena_copy(arena, view_make(fields[i].name, len), &f->name) != 0) {
            return KVS_E_NOMEM;
        }
        if (len > 4 && memcmp(fields[i].name + len - 4, "-bin", 4) == 0) {
            char *text = arena_alloc(arena, fields[i].value.len / 3 * 4 + 4);

            if (text == NULL) {
                return KVS_E_NOMEM;
            }
            f->value = view_make(text, rpc_base64_encode(fields[i].value, text));
        } else if (arena_copy(arena, fields[i].value, &f->value) != 0) {
            return KVS_E_NOMEM;
        }
    }
    to->n = n_fields;
    return 0;
}

int rpc_client_set_metadata(struct rpc_client *c,
                            const struct rpc_metadata *fields,
                            size_t n_fields)
{
    struct client_fields *fresh;
    struct arena arena;
    int err;

    arena_init(&arena, 64 * 1024);
    fresh = kvs_calloc(1, sizeof *fresh);
    err = fresh != NULL ? client_fields_copy(fresh, &arena, fields, n_fields) : KVS_E_NOMEM;
    if (err != 0) {
        arena_fini(&arena);
        kvs_free(fresh);
        return err;
    }
    arena_fini(&c->metadata_arena);
    c->metadata_arena = arena;
    c->metadata = *fresh;
    kvs_free(fresh);
    return 0;
}
