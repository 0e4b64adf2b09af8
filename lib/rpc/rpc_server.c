/* The server: listeners, connections, methods, figures, and the way to its end. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "rpc/rpc_server_int.h"

static const char preface[CONN_PREFACE_BYTES + 1] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static void server_flush(struct loop_hook *h);
static void server_drained_cb(struct loop_task *t);
static void server_close_cb(struct loop_task *t);
static void server_grace_cb(struct loop_timer *t);

/* ---- limits ---- */

bool rpc_rate_take(struct rpc_rate *r, unsigned burst, unsigned per_s, uint64_t now_ms)
{
    uint64_t full = (uint64_t)burst * 1000;
    uint64_t grown;

    if (r->at_ms == 0) {
        r->tokens_milli = full;
    }
    grown = r->at_ms == 0 ? 0 : (now_ms - r->at_ms) * per_s;
    r->at_ms = now_ms;
    r->tokens_milli = full - r->tokens_milli < grown ? full : r->tokens_milli + grown;
    if (r->tokens_milli < 1000) {
        return false;
    }
    r->tokens_milli -= 1000;
    return true;
}

static void default_size(size_t *value, size_t otherwise)
{
    *value = *value == 0 ? otherwise : *value;
}

static void default_number(unsigned *value, unsigned otherwise)
{
    *value = *value == 0 ? otherwise : *value;
}

static void limits_fill(struct rpc_limits *l)
{
    default_size(&l->recv_message_max, 2 * 1024 * 1024);
    default_size(&l->recv_total_max, 256 * 1024 * 1024);
    default_size(&l->send_total_max, 64 * 1024 * 1024);
    default_size(&l->http_body_max, 2 * 1024 * 1024);
    default_size(&l->header_max, 16 * 1024);
    default_size(&l->arena_max, 64 * 1024 * 1024);
    default_number(&l->connections_max, 10000);
    default_number(&l->streams_max, 10000);
    default_number(&l->resets_burst, 1000);
    default_number(&l->resets_per_s, 100);
    default_number(&l->control_burst, 1000);
    default_number(&l->control_per_s, 100);
    default_number(&l->header_timeout_ms, 10000);
    default_number(&l->body_timeout_ms, 30000);
    default_number(&l->idle_timeout_ms, 120000);
    default_number(&l->ping_min_interval_ms, 5000);
    default_number(&l->ping_interval_ms, 2 * 60 * 60 * 1000);
    default_number(&l->ping_timeout_ms, 20000);
}

/* ---- methods ---- */

static uint32_t method_hash(struct kvs_view path)
{
    const uint8_t *at = path.data;
    uint32_t hash = 2166136261u; /* FNV-1a; the table is ours, so nobody can aim at it */

    for (size_t i = 0; i < path.len; i++) {
        hash = (hash ^ at[i]) * 16777619u;
    }
    return hash;
}

struct rpc_method *server_find_method(const struct rpc_server *s, struct kvs_view path)
{
    uint32_t hash = method_hash(path);
    struct rpc_method *m = s->buckets[hash % METHOD_BUCKETS];

    while (m != NULL && (m->hash != hash || !view_equal(path, view_make(m->path, m->path_len)))) {
        m = m->next;
    }
    return m;
}

int rpc_method(
    struct rpc_server *s, const char *path, enum rpc_kind kind, rpc_handler handler, void *ctx)
{
    struct kvs_view view = view_str(path);
    struct rpc_method *m;
    uint32_t hash = method_hash(view);

    if (path[0] != '/' || strchr(path + 1, '/') == NULL || kind >= RPC_HTTP ||
        server_find_method(s, view) != NULL) {
        return KVS_E_INVALID;
    }
    m = kvs_calloc(1, sizeof *m + view.len + 1);
    if (m == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(m->path, path, view.len + 1);
    m->path_len = view.len;
    m->hash = hash;
    m->handler = handler;
    m->ctx = ctx;
    m->figures.path = m->path;
    m->figures.kind = kind;
    m->next = s->buckets[hash % METHOD_BUCKETS];
    s->buckets[hash % METHOD_BUCKETS] = m;
    list_push_back(&s->methods, &m->node);
    return 0;
}

void rpc_http(struct rpc_server *s, rpc_handler handler, void *ctx)
{
    s->http_handler = handler;
    s->http_ctx = ctx;
}

const struct rpc_server_figures *rpc_server_figures(const struct rpc_server *s)
{
    return &s->figures;
}

const struct rpc_method_figures *rpc_method_figures_next(const struct rpc_server *s, size_t *at)
{
    size_t i = 0;

    LIST_FOREACH(it, &s->methods)
    {
        if (i++ == *at) {
            (*at)++;
            return &list_entry(it, struct rpc_method, node)->figures;
        }
    }
    return NULL;
}

/* ---- connections ---- */

void conn_mark_dirty(struct rpc_conn *c)
{
    if (!c->closing && list_empty(&c->dirty)) {
        list_push_back(&c->server->dirty, &c->dirty);
        loop_hook_mark(&c->server->flush);
    }
}

void conn_close(struct rpc_conn *c)
{
    c->closing = true;
    list_remove(&c->dirty);
    stream_close(c->stream);
}

void conn_close_after_flush(struct rpc_conn *c)
{
    c->closing = true;
    list_remove(&c->dirty);
    stream_close_flush(c->stream);
}

void conn_call_ended(struct rpc_conn *c)
{
    conn_mark_dirty(c); /* a draining connection may have nothing left to do */
}

/* Takes everything off the connection but its memory, which the stream's end still needs. */
static void conn_cut(struct rpc_conn *c)
{
    c->closing = true;
    list_remove(&c->dirty);
    loop_timer_stop(&c->header_timer);
    loop_timer_stop(&c->ping_timer);
    while (!list_empty(&c->calls)) {
        call_off_wire(list_entry(c->calls.next, struct rpc_call, node));
    }
    if (c->wire.session != NULL) {
        h2_wire_fini(&c->wire);
    }
    h1_conn_free(c);
}

static void server_check_drained(struct rpc_server *s)
{
    if (s->draining && !s->freed && list_empty(&s->conns)) {
        loop_timer_stop(&s->grace);
        loop_task_post(s->loop, &s->drained);
    }
}

static void conn_on_close(void *ctx, int err, const char *text)
{
    struct rpc_conn *c = ctx;
    struct rpc_server *s = c->server;

    if (err != 0 && c->kind == CONN_SNIFF) {
        log_info(s->log, "rejected connection",
                 LOG_STR("remote-addr", stream_peer(c->stream)->address), LOG_STR("error", text));
    }
    conn_cut(c);
    list_remove(&c->node);
    kvs_free(c);
    s->figures.connections--;
    s->n_streams--;
    server_check_drained(s);
    server_free_if_unused(s);
}

static void conn_header_timeout_cb(struct loop_timer *t)
{
    conn_close(container_of(t, struct rpc_conn, header_timer));
}

/* Fires once per interval whatever happens; looks at when bytes last came. */
static void conn_ping_cb(struct loop_timer *t)
{
    static const uint8_t opaque[8] = "keepaliv";
    struct rpc_conn *c = container_of(t, struct rpc_conn, ping_timer);
    const struct rpc_limits *l = &c->server->limits;
    uint64_t silent_ms = loop_now_ms(c->server->loop) - c->received_at_ms;

    if (c->ping_waiting) {
        conn_close(c);
        return;
    }
    if (silent_ms < l->ping_interval_ms) {
        loop_timer_start(t, l->ping_interval_ms - silent_ms);
        return;
    }
    if (nghttp2_submit_ping(c->wire.session, NGHTTP2_FLAG_NONE, opaque) != 0) {
        conn_close(c);
        return;
    }
    c->ping_waiting = true;
    loop_timer_start(t, l->ping_timeout_ms);
    conn_mark_dirty(c);
}

static void conn_start_h2(struct rpc_conn *c)
{
    c->kind = CONN_H2;
    if (h2_conn_start(c) != 0) {
        conn_close(c);
        return;
    }
    loop_timer_stop(&c->header_timer);
    loop_timer_start(&c->ping_timer, c->server->limits.ping_interval_ms);
    h2_conn_data(c, view_make(preface, CONN_PREFACE_BYTES));
    if (c->server->draining && !c->closing) {
        h2_conn_drain(c);
    }
}

static void conn_start_h1(struct rpc_conn *c)
{
    c->kind = CONN_H1;
    if ((c->flags & RPC_LISTEN_HTTP) == 0 || h1_conn_start(c) != 0) {
        conn_close(c);
        return;
    }
    h1_conn_data(c, view_make(c->sniffed, c->n_sniffed));
}

/* HTTP/2 with prior knowledge or HTTP/1: the first bytes decide. Nothing is sent before. */
static void conn_sniff(struct rpc_conn *c, struct kvs_view *data)
{
    const uint8_t *at = data->data;
    size_t used = 0;

    while (used < data->len && c->n_sniffed < CONN_PREFACE_BYTES) {
        if (at[used] != (uint8_t)preface[c->n_sniffed]) {
            *data = view_make(at + used, data->len - used);
            conn_start_h1(c);
            return;
        }
        c->sniffed[c->n_sniffed++] = at[used++];
    }
    *data = view_make(at + used, data->len - used);
    if (c->n_sniffed == CONN_PREFACE_BYTES) {
        conn_start_h2(c);
    }
}

static void conn_on_data(void *ctx, struct kvs_view data)
{
    struct rpc_conn *c = ctx;

    c->received_at_ms = loop_now_ms(c->server->loop);
    c->ping_waiting = false;
    if (c->kind == CONN_SNIFF) {
        conn_sniff(c, &data);
    }
    if (data.len == 0 || c->closing) {
        return;
    }
    if (c->kind == CONN_H2) {
        h2_conn_data(c, data);
    } else if (c->kind == CONN_H1) {
        h1_conn_data(c, data);
    }
}

static void conn_on_writable(void *ctx)
{
    conn_mark_dirty(ctx);
}

static const struct stream_ops conn_stream_ops = {
    .on_data = conn_on_data, .on_writable = conn_on_writable, .on_close = conn_on_close};

static void listener_accept_cb(void *ctx, struct stream *stream)
{
    struct rpc_listener *l = ctx;
    struct rpc_server *s = l->server;
    struct rpc_conn *c;

    if (s->figures.connections >= s->limits.connections_max) {
        s->figures.connections_refused++;
        stream_close(stream);
        return;
    }
    c = kvs_calloc(1, sizeof *c);
    if (c == NULL) {
        stream_close(stream);
        return;
    }
    c->server = s;
    c->stream = stream;
    c->flags = l->flags;
    c->tag = l->tag;
    list_init(&c->dirty);
    list_init(&c->calls);
    loop_timer_init(s->loop, &c->header_timer, conn_header_timeout_cb);
    loop_timer_init(s->loop, &c->ping_timer, conn_ping_cb);
    loop_timer_start(&c->header_timer, s->limits.header_timeout_ms);
    list_push_back(&s->conns, &c->node);
    s->figures.connections++;
    s->figures.connections_accepted++;
    s->n_streams++;
    stream_set_ops(stream, &conn_stream_ops, c);
}

/* ---- the turn ---- */

static void server_flush(struct loop_hook *h)
{
    struct rpc_server *s = container_of(h, struct rpc_server, flush);
    struct list dirty;

    server_run_writable(s);
    server_run_resumed(s);
    list_init(&dirty);
    list_splice_back(&dirty, &s->dirty);
    for (struct list *node = list_pop_front(&dirty); node != NULL; node = list_pop_front(&dirty)) {
        struct rpc_conn *c = list_entry(node, struct rpc_conn, dirty);

        if (c->closing) {
            continue;
        }
        if (c->kind == CONN_H2) {
            h2_conn_flush(c);
        } else if (c->kind == CONN_H1) {
            h1_conn_flush(c);
        }
    }
}

/* ---- the server's life ---- */

int rpc_server_new(struct loop *l,
                   const struct rpc_limits *limits,
                   struct log *log,
                   struct rpc_server **ret_server)
{
    struct rpc_server *s;

    loop_assert_owner(l);
    s = kvs_calloc(1, sizeof *s);
    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    s->loop = l;
    s->log = log;
    if (limits != NULL) {
        s->limits = *limits;
    }
    limits_fill(&s->limits);
    list_init(&s->methods);
    list_init(&s->listeners);
    list_init(&s->conns);
    list_init(&s->dirty);
    list_init(&s->writable);
    list_init(&s->resumed);
    list_init(&s->closing);
    loop_task_init(&s->drained, server_drained_cb);
    loop_task_init(&s->close_task, server_close_cb);
    loop_timer_init(l, &s->grace, server_grace_cb);
    loop_hook_init(l, &s->flush, LOOP_PHASE_FLUSH, server_flush);
    s->pool = rpc_pool_new();
    if (s->pool == NULL || h2_server_init(s) != 0) {
        rpc_server_free(s);
        return KVS_E_NOMEM;
    }
    *ret_server = s;
    return 0;
}

int rpc_listen(struct rpc_server *s,
               const struct net_addr *addr,
               struct tls_context *tls,
               unsigned flags,
               unsigned tag,
               uint16_t *ret_port,
               struct kvs_error *error)
{
    static const char *const alpn[] = {[RPC_LISTEN_GRPC] = "h2",
                                       [RPC_LISTEN_HTTP] = "h2,http/1.1",
                                       [RPC_LISTEN_ALL] = "h2,http/1.1"};
    struct rpc_listener *l;
    int err;

    kvs_assert(flags > 0 && flags <= RPC_LISTEN_ALL);
    l = kvs_calloc(1, sizeof *l);
    if (l == NULL) {
        return KVS_E_NOMEM;
    }
    l->server = s;
    l->flags = flags;
    l->tag = tag;
    err =
        stream_listen(s->loop, addr, tls, alpn[flags], listener_accept_cb, l, &l->listener, error);
    if (err != 0) {
        kvs_free(l);
        return err;
    }
    list_push_back(&s->listeners, &l->node);
    if (ret_port != NULL) {
        *ret_port = listener_port(l->listener);
    }
    return 0;
}

static void server_stop_listening(struct rpc_server *s)
{
    for (struct list *node = list_pop_front(&s->listeners); node != NULL;
         node = list_pop_front(&s->listeners)) {
        struct rpc_listener *l = list_entry(node, struct rpc_listener, node);

        listener_close(l->listener);
        kvs_free(l);
    }
}

static void server_close_cb(struct loop_task *t)
{
    server_run_closing(container_of(t, struct rpc_server, close_task));
}

static void server_drained_cb(struct loop_task *t)
{
    struct rpc_server *s = container_of(t, struct rpc_server, drained);
    void (*done)(void *) = s->drain_done;

    s->drain_done = NULL;
    if (done != NULL) {
        done(s->drain_ctx); /* may free `s` */
    }
}

static void server_grace_cb(struct loop_timer *t)
{
    struct rpc_server *s = container_of(t, struct rpc_server, grace);

    LIST_FOREACH_SAFE(it, after, &s->conns)
    {
        conn_close(list_entry(it, struct rpc_conn, node));
    }
}

void rpc_drain(struct rpc_server *s, unsigned grace_ms, void (*done)(void *ctx), void *ctx)
{
    loop_assert_owner(s->loop);
    kvs_assert(!s->draining);
    s->draining = true;
    s->drain_done = done;
    s->drain_ctx = ctx;
    server_stop_listening(s);
    LIST_FOREACH_SAFE(it, after, &s->conns)
    {
        struct rpc_conn *c = list_entry(it, struct rpc_conn, node);

        if (c->closing) {
            continue;
        }
        if (c->kind == CONN_H2) {
            h2_conn_drain(c);
        } else if (c->kind == CONN_H1) {
            h1_conn_drain(c);
        } else {
            conn_close(c);
        }
    }
    loop_timer_start(&s->grace, grace_ms);
    server_check_drained(s);
}

void server_free_if_unused(struct rpc_server *s)
{
    if (!s->freed || s->n_orphans > 0 || s->n_streams > 0) {
        return;
    }
    while (!list_empty(&s->methods)) {
        struct rpc_method *m = list_entry(s->methods.next, struct rpc_method, node);

        list_remove(&m->node);
        kvs_free(m);
    }
    call_free_pooled(s);
    nghttp2_session_callbacks_del(s->callbacks);
    nghttp2_option_del(s->option);
    rpc_pool_unref(s->pool);
    kvs_free(s);
}

void rpc_server_free(struct rpc_server *s)
{
    if (s == NULL) {
        return;
    }
    loop_assert_owner(s->loop);
    kvs_assert(!s->freed);
    server_stop_listening(s);
    loop_timer_stop(&s->grace);
    loop_task_cancel(&s->drained);
    s->n_streams++; /* not while we are at it */
    LIST_FOREACH_SAFE(it, after, &s->conns)
    {
        struct rpc_conn *c = list_entry(it, struct rpc_conn, node);

        conn_cut(c);
        stream_close(c->stream);
    }
    server_run_closing(s);
    loop_hook_fini(&s->flush);
    s->freed = true;
    s->n_streams--;
    server_free_if_unused(s);
}
