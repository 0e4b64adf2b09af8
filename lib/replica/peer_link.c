/* An outgoing connection to a peer, which comes and goes while the link stays.
 *
 *   raft:      PAUSE <-> DIALLING <-> UP, for ever; frames are dropped unless it is UP
 *   snapshot:  IDLE -> DIALLING -> UP -> IDLE; frames wait while it is DIALLING */
#include "base/alloc.h"
#include "base/assert.h"
#include "replica/peer_transport_int.h"

static void link_timer_cb(struct loop_timer *timer)
{
    peer_link_dial(container_of(timer, struct peer_link, timer));
}

void peer_link_init(struct peer_link *l, struct peer *peer, enum transport_stream kind)
{
    l->peer = peer;
    l->kind = kind;
    l->state = PEER_LINK_IDLE;
    l->pause_ms = PEER_DIAL_MS_MIN;
    list_init(&l->queue);
    loop_timer_init(peer->t->loop, &l->timer, link_timer_cb);
}

static void link_drop_queue(struct peer_link *l)
{
    struct list *node;

    while ((node = list_pop_front(&l->queue)) != NULL) {
        struct peer_frame_item *item = list_entry(node, struct peer_frame_item, node);

        rcbuf_unref(item->frame);
        kvs_free(item);
    }
    l->queue_bytes = 0;
}

static void link_detach(struct peer_link *l)
{
    loop_timer_stop(&l->timer);
    if (l->conn != NULL) {
        l->conn->link = NULL;
        peer_conn_close(l->conn);
        l->conn = NULL;
    }
    link_drop_queue(l);
    if (l->state == PEER_LINK_UP && l->kind == TRANSPORT_RAFT) {
        l->peer->stats.connected = false;
        l->peer->stats.connected_since_ms = 0;
        l->peer->stats.disconnects++;
    }
    l->state = PEER_LINK_IDLE;
}

void peer_link_fini(struct peer_link *l)
{
    link_detach(l);
}

void peer_link_reset(struct peer_link *l)
{
    link_detach(l);
    if (l->kind == TRANSPORT_RAFT) {
        peer_link_dial(l);
    }
}

static void link_pause(struct peer_link *l)
{
    struct peer_transport *t = l->peer->t;
    unsigned pause_ms = l->introduce ? PEER_DIAL_MS_MIN : l->pause_ms;

    l->state = PEER_LINK_PAUSE;
    if (!l->introduce) { /* Else it listens and waits for our introduction. */
        l->pause_ms = pause_ms * 2 < PEER_DIAL_MS_MAX ? pause_ms * 2 : PEER_DIAL_MS_MAX;
    }
    loop_timer_start(&l->timer, rng_between(&t->rng, pause_ms / 2, pause_ms));
}

void peer_link_dial(struct peer_link *l)
{
    struct peer *peer = l->peer;
    struct peer_transport *t = peer->t;
    const struct net_addr *addr;
    struct peer_conn *c;

    kvs_assert(l->conn == NULL && l->state != PEER_LINK_UP);
    if (peer->n_urls == 0 || t->closing) {
        l->state = PEER_LINK_IDLE;
        return;
    }
    addr = &peer->urls[l->url_at++ % peer->n_urls];
    c = peer_conn_new(t);
    if (c == NULL || (addr->tls && t->client_tls == NULL) ||
        stream_connect(t->loop, addr, addr->tls ? t->client_tls : NULL, NULL, &peer_conn_ops, c,
                       &c->stream) != 0) {
        kvs_free(c);
        link_pause(l);
        return;
    }
    c->outgoing = true;
    c->link = l;
    c->peer = peer;
    c->kind = l->kind;
    list_push_back(&t->conns, &c->node);
    t->n_conns++;
    l->conn = c;
    l->state = PEER_LINK_DIALLING;
}

void peer_link_hint(struct peer_link *l)
{
    l->pause_ms = PEER_DIAL_MS_MIN;
    if (l->state == PEER_LINK_PAUSE) {
        loop_timer_start(&l->timer, 1);
    }
}

static void link_lost(struct peer_link *l)
{
    l->peer->stats.sent_failures++;
    l->lost = true;
    loop_task_post(l->peer->t->loop, &l->peer->t->task);
}

static void link_write(struct peer_link *l, struct rcbuf *frame)
{
    size_t queued = stream_queued(l->conn->stream);

    if (queued + frame->len > l->peer->t->queue_bytes_max || peer_conn_write(l->conn, frame) != 0) {
        link_lost(l);
    }
}

static void link_enqueue(struct peer_link *l, struct rcbuf *frame)
{
    struct peer_frame_item *item;

    if (l->queue_bytes + frame->len > l->peer->t->queue_bytes_max ||
        (item = kvs_malloc(sizeof *item)) == NULL) {
        link_lost(l);
        return;
    }
    item->frame = rcbuf_ref(frame);
    list_push_back(&l->queue, &item->node);
    l->queue_bytes += frame->len;
}

void peer_link_send(struct peer_link *l, struct rcbuf *frame)
{
    if (l->kind == TRANSPORT_SNAPSHOT && l->state == PEER_LINK_IDLE) {
        peer_link_dial(l);
    }
    if (l->state == PEER_LINK_UP) {
        link_write(l, frame);
    } else if (l->kind == TRANSPORT_SNAPSHOT && l->state == PEER_LINK_DIALLING) {
        link_enqueue(l, frame);
    } else {
        link_lost(l);
    }
    rcbuf_unref(frame);
}

void peer_link_up(struct peer_link *l)
{
    struct peer *peer = l->peer;
    struct list *node;

    l->state = PEER_LINK_UP;
    l->pause_ms = PEER_DIAL_MS_MIN;
    l->logged_err = 0;
    l->url_at--; /* This one works: the first to try again. */
    while ((node = list_pop_front(&l->queue)) != NULL) {
        struct peer_frame_item *item = list_entry(node, struct peer_frame_item, node);

        link_write(l, item->frame);
        rcbuf_unref(item->frame);
        kvs_free(item);
    }
    l->queue_bytes = 0;
    if (l->kind != TRANSPORT_RAFT) {
        return;
    }
    peer->stats.connected = true;
    peer->stats.connected_since_ms = loop_now_ms(peer->t->loop);
    log_info(peer->t->log, "peer became active", LOG_HEX("peer-id", peer->id));
    if (peer->t->has_events) {
        peer->t->events.connected(peer->t->events.ctx, peer->id);
    }
}

void peer_link_down(struct peer_link *l, int err, const char *text)
{
    struct peer *peer = l->peer;
    struct peer_transport *t = peer->t;
    bool was_up = l->state == PEER_LINK_UP;
    bool dropped = was_up || !list_empty(&l->queue);

    l->conn = NULL;
    link_drop_queue(l);
    /* A refusal has been logged already (positive: no KVS_E_*). */
    if (was_up || (!l->introduce && err != l->logged_err && !(err == 0 && l->logged_err > 0))) {
        l->logged_err = err;
        log_warn(t->log,
                 was_up ? "lost connection with remote peer" : "cannot connect to remote peer",
                 LOG_HEX("peer-id", peer->id),
                 LOG_STR("error", text != NULL && text[0] != '\0' ? text : kvs_strerror(err)));
    }
    if (was_up && l->kind == TRANSPORT_RAFT) {
        peer->stats.connected = false;
        peer->stats.connected_since_ms = 0;
        peer->stats.disconnects++;
    }
    if (l->kind == TRANSPORT_RAFT) {
        link_pause(l);
    } else {
        l->state = PEER_LINK_IDLE;
    }
    if (dropped) {
        l->lost = true;
        loop_task_post(t->loop, &t->task);
    }
}
