/* The socket transport's outside: vtable, set of peers, life. */
#include "replica/peer_transport.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "replica/peer_transport_int.h"

static struct peer_transport *transport_of(struct transport *t)
{
    return container_of(t, struct peer_transport, base);
}

struct peer *peer_find(const struct peer_transport *t, uint64_t id)
{
    LIST_FOREACH(it, &t->peers)
    {
        struct peer *peer = list_entry(it, struct peer, node);

        if (peer->id == id) {
            return peer;
        }
    }
    return NULL;
}

bool peer_is_removed(const struct peer_transport *t, uint64_t id)
{
    for (size_t i = 0; i < t->n_removed; i++) {
        if (t->removed[i] == id) {
            return true;
        }
    }
    return false;
}

/* ---- peers ---- */

void peer_free(struct peer *peer)
{
    for (int i = 0; i < TRANSPORT_STREAM_COUNT; i++) {
        peer_link_fini(&peer->links[i]);
    }
    LIST_FOREACH(it, &peer->t->conns)
    {
        struct peer_conn *c = list_entry(it, struct peer_conn, node);

        if (c->peer == peer) {
            c->peer = NULL;
            peer_conn_close(c);
        }
    }
    list_remove(&peer->node);
    kvs_free(peer->urls);
    kvs_free(peer);
}

static bool peer_wanted(const struct transport_peer *peers, size_t n, uint64_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (peers[i].id == id) {
            return true;
        }
    }
    return false;
}

struct peer *peer_new(struct peer_transport *t, uint64_t id)
{
    struct peer *peer = kvs_calloc(1, sizeof *peer);

    if (peer == NULL) {
        return NULL;
    }
    peer->t = t;
    peer->id = id;
    for (int i = 0; i < TRANSPORT_STREAM_COUNT; i++) {
        peer_link_init(&peer->links[i], peer, (enum transport_stream)i);
    }
    list_push_back(&t->peers, &peer->node);
    return peer;
}

/* An address that cannot be parsed is left out: it may come from another member. */
static struct net_addr *
peer_urls(struct peer_transport *t, const struct transport_peer *from, size_t *ret_n)
{
    size_t max = from->n_urls < PEER_URLS_MAX ? from->n_urls : PEER_URLS_MAX;
    struct net_addr *urls = kvs_calloc(max, sizeof *urls);
    size_t n = 0;

    for (size_t i = 0; urls != NULL && i < max; i++) {
        if (net_addr_parse(from->urls[i], &urls[n]) == 0) {
            n++;
        } else {
            log_warn(t->log, "peer URL cannot be used", LOG_HEX("peer-id", from->id),
                     LOG_STR("url", from->urls[i]));
        }
    }
    *ret_n = n;
    return urls;
}

static bool peer_urls_same(const struct peer *peer, const struct net_addr *urls, size_t n)
{
    if (peer->n_urls != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (urls[i].port != peer->urls[i].port || urls[i].tls != peer->urls[i].tls ||
            strcmp(urls[i].host, peer->urls[i].host) != 0) {
            return false;
        }
    }
    return true;
}

void peer_move_urls(struct peer *peer, struct net_addr *urls, size_t n_urls)
{
    kvs_free(peer->urls);
    peer->urls = urls;
    peer->n_urls = n_urls;
    for (int i = 0; i < TRANSPORT_STREAM_COUNT; i++) {
        peer_link_reset(&peer->links[i]);
    }
}

static int peer_update(struct peer_transport *t, const struct transport_peer *from)
{
    struct peer *peer = peer_find(t, from->id);
    bool is_new = peer == NULL;
    struct net_addr *urls;
    size_t n;

    urls = peer_urls(t, from, &n);
    if (urls == NULL) {
        return KVS_E_NOMEM;
    }
    if (is_new) {
        peer = peer_new(t, from->id);
        if (peer == NULL) {
            kvs_free(urls);
            return KVS_E_NOMEM;
        }
    }
    peer->guest = false;
    if (!is_new && peer_urls_same(peer, urls, n)) {
        kvs_free(urls);
        return 0;
    }
    peer_move_urls(peer, urls, n);
    return 0;
}

static int
transport_set_peers(struct transport *base, const struct transport_peer *peers, size_t n_peers)
{
    struct peer_transport *t = transport_of(base);

    LIST_FOREACH_SAFE(it, after, &t->peers)
    {
        struct peer *peer = list_entry(it, struct peer, node);

        if (!peer->guest && !peer_wanted(peers, n_peers, peer->id)) {
            peer_free(peer);
        }
    }
    for (size_t i = 0; i < n_peers; i++) {
        int rc = 0;

        if (peers[i].id == t->member_id) {
            peer_own_urls(t, &peers[i]);
        } else {
            rc = peer_update(t, &peers[i]);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int transport_set_removed(struct transport *base, const uint64_t *ids, size_t n_ids)
{
    struct peer_transport *t = transport_of(base);
    uint64_t *copy = kvs_calloc(n_ids, sizeof *copy);

    if (copy == NULL) {
        return KVS_E_NOMEM;
    }
    if (n_ids > 0) {
        memcpy(copy, ids, n_ids * sizeof *ids);
    }
    kvs_free(t->removed);
    t->removed = copy;
    t->n_removed = n_ids;
    peer_guests_forget(t, false);
    return 0;
}

static void transport_admit_guests(struct transport *base, bool admit)
{
    struct peer_transport *t = transport_of(base);

    t->admits_guests = admit;
    if (!admit) {
        peer_guests_forget(t, true);
    }
}

/* ---- the other calls ---- */

static void transport_set_events(struct transport *base, const struct transport_events *events)
{
    struct peer_transport *t = transport_of(base);

    t->has_events = events != NULL;
    if (events != NULL) {
        t->events = *events;
    }
}

static void transport_send_frame(struct transport *base,
                                 uint64_t to,
                                 enum transport_stream stream,
                                 struct rcbuf *frame)
{
    struct peer_transport *t = transport_of(base);
    struct peer *peer = peer_find(t, to);

    if (peer == NULL || t->closing) {
        rcbuf_unref(frame);
        return;
    }
    peer_link_send(&peer->links[stream], frame);
}

/* The loop writes what its streams have collected at the end of the turn, once per stream. */
static void transport_flush_frames(struct transport *base)
{
    loop_assert_owner(transport_of(base)->loop);
}

static void
transport_reset_stream(struct transport *base, uint64_t to, enum transport_stream stream)
{
    struct peer *peer = peer_find(transport_of(base), to);

    if (peer != NULL) {
        peer_link_reset(&peer->links[stream]);
    }
}

static bool transport_peer_stats_get(struct transport *base,
                                     uint64_t id,
                                     struct transport_peer_stats *ret_stats)
{
    struct peer *peer = peer_find(transport_of(base), id);

    if (peer == NULL) {
        return false;
    }
    *ret_stats = peer->stats;
    return true;
}

static const struct transport_ops transport_ops = {
    .set_events = transport_set_events,
    .set_peers = transport_set_peers,
    .set_removed = transport_set_removed,
    .admit_guests = transport_admit_guests,
    .send = transport_send_frame,
    .flush = transport_flush_frames,
    .reset_stream = transport_reset_stream,
    .peer_stats = transport_peer_stats_get,
};

/* ---- life ---- */

static void transport_timer_cb(struct loop_timer *timer)
{
    struct peer_transport *t = container_of(timer, struct peer_transport, timer);
    uint64_t now_ms = loop_now_ms(t->loop);

    LIST_FOREACH_SAFE(it, after, &t->conns)
    {
        peer_conn_tick(list_entry(it, struct peer_conn, node), now_ms);
    }
}

static void transport_free(struct peer_transport *t)
{
    loop_task_cancel(&t->task);
    kvs_free(t->removed);
    kvs_free(t->allowed_cn);
    kvs_free(t->allowed_hostname);
    kvs_free(t);
}

static void transport_unreachable(struct peer_transport *t)
{
    LIST_FOREACH(it, &t->peers)
    {
        struct peer *peer = list_entry(it, struct peer, node);

        for (int i = 0; i < TRANSPORT_STREAM_COUNT; i++) {
            if (peer->links[i].lost) {
                peer->links[i].lost = false;
                if (t->has_events) {
                    t->events.unreachable(t->events.ctx, peer->id, peer->links[i].kind);
                }
            }
        }
    }
}

static void transport_task_cb(struct loop_task *task)
{
    struct peer_transport *t = container_of(task, struct peer_transport, task);
    peer_transport_close_cb cb = t->close_cb;
    void *ctx = t->close_ctx;

    if (!t->closing) {
        transport_unreachable(t);
        return;
    }
    if (t->n_conns == 0) {
        transport_free(t);
        cb(ctx);
    }
}

void peer_transport_maybe_closed(struct peer_transport *t)
{
    if (t->closing && t->n_conns == 0) {
        loop_task_post(t->loop, &t->task);
    }
}

static int transport_listen(struct peer_transport *t,
                            const struct peer_transport_options *o,
                            struct kvs_error *error)
{
    for (size_t i = 0; i < o->n_listen; i++) {
        const struct net_addr *addr = &o->listen[i];
        int rc;

        if (addr->tls && o->server_tls == NULL) {
            return KVS_E_INVALID;
        }
        rc = stream_listen(t->loop, addr, addr->tls ? o->server_tls : NULL, NULL, peer_conn_accept,
                           t, &t->listeners[i], error);
        if (rc != 0) {
            return rc;
        }
        t->n_listeners++;
    }
    return 0;
}

static void transport_unlisten(struct peer_transport *t)
{
    while (t->n_listeners > 0) {
        listener_close(t->listeners[--t->n_listeners]);
    }
}

static int transport_names(struct peer_transport *t, const struct peer_transport_options *o)
{
    if (o->allowed_cn != NULL && (t->allowed_cn = kvs_strdup(o->allowed_cn)) == NULL) {
        return KVS_E_NOMEM;
    }
    if (o->allowed_hostname != NULL &&
        (t->allowed_hostname = kvs_strdup(o->allowed_hostname)) == NULL) {
        return KVS_E_NOMEM;
    }
    return 0;
}

int peer_transport_new(const struct peer_transport_options *options,
                       struct peer_transport **ret_transport,
                       struct kvs_error *error)
{
    struct peer_transport *t;
    int rc;

    if (options->member_id == 0 || options->n_listen > PEER_LISTEN_MAX) {
        return KVS_E_INVALID;
    }
    t = kvs_calloc(1, sizeof *t);
    if (t == NULL) {
        return KVS_E_NOMEM;
    }
    t->base.ops = &transport_ops;
    t->loop = options->loop;
    t->cluster_id = options->cluster_id;
    t->member_id = options->member_id;
    t->log = options->log;
    rng_init(&t->rng, options->seed ^ options->member_id);
    t->server_tls = options->server_tls;
    t->client_tls = options->client_tls;
    t->queue_bytes_max =
        options->queue_bytes_max > 0 ? options->queue_bytes_max : (size_t)128 << 20;
    t->ping_ms = options->ping_ms > 0 ? options->ping_ms : 1000;
    t->describe = options->describe;
    t->describe_ctx = options->ctx;
    list_init(&t->peers);
    list_init(&t->conns);
    loop_task_init(&t->task, transport_task_cb);
    loop_timer_init(t->loop, &t->timer, transport_timer_cb);
    rc = transport_names(t, options);
    if (rc == 0) {
        rc = transport_listen(t, options, error);
    }
    if (rc != 0) {
        transport_unlisten(t);
        transport_free(t);
        return rc;
    }
    loop_timer_start_repeat(&t->timer, t->ping_ms, t->ping_ms);
    *ret_transport = t;
    return 0;
}

struct transport *peer_transport_base(struct peer_transport *p)
{
    return &p->base;
}

uint16_t peer_transport_port(const struct peer_transport *p)
{
    return p->n_listeners > 0 ? listener_port(p->listeners[0]) : 0;
}

void peer_transport_close(struct peer_transport *p, peer_transport_close_cb cb, void *ctx)
{
    kvs_assert(!p->closing);
    p->closing = true;
    p->has_events = false;
    p->close_cb = cb;
    p->close_ctx = ctx;
    transport_unlisten(p);
    loop_timer_stop(&p->timer);
    LIST_FOREACH_SAFE(it, after, &p->peers)
    {
        peer_free(list_entry(it, struct peer, node));
    }
    LIST_FOREACH(it, &p->conns)
    {
        peer_conn_close(list_entry(it, struct peer_conn, node));
    }
    loop_task_post(p->loop, &p->task);
}
