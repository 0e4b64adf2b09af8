/* One connection between members: frames, handshake, pings. Until the other side has proved to be
 * the right member of the right cluster nothing of what it sends goes any further. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/view.h"
#include "replica/peer_transport_int.h"

struct peer_conn *peer_conn_new(struct peer_transport *t)
{
    struct peer_conn *c = kvs_calloc(1, sizeof *c);

    if (c != NULL) {
        c->t = t;
        list_init(&c->node);
        c->since_ms = loop_now_ms(t->loop);
        c->heard_ms = c->since_ms;
    }
    return c;
}

void peer_conn_close(struct peer_conn *c)
{
    if (!c->closing) {
        c->closing = true;
        stream_close(c->stream);
    }
}

static void conn_known(struct peer_conn *c)
{
    c->welcomed = true;
    if (!c->outgoing) {
        c->t->n_strangers--;
    }
}

int peer_conn_write(struct peer_conn *c, struct rcbuf *frame)
{
    int rc = stream_write_ref(c->stream, frame, frame->data, frame->len);

    if (rc == 0 && c->peer != NULL) {
        c->peer->stats.sent_bytes += frame->len;
    }
    return rc;
}

/* Writes and drops; a small frame that cannot be written ends the connection. */
static void conn_write_own(struct peer_conn *c, struct rcbuf *frame)
{
    if (frame == NULL || peer_conn_write(c, frame) != 0) {
        peer_conn_close(c);
    }
    rcbuf_unref(frame);
}

/* ---- handshake, accepting side ---- */

static bool conn_certificate_ok(const struct peer_conn *c)
{
    const struct peer_transport *t = c->t;
    const struct stream_peer *p = stream_peer(c->stream);

    if (t->allowed_cn != NULL &&
        (p->common_name == NULL || strcmp(p->common_name, t->allowed_cn) != 0)) {
        return false;
    }
    if (t->allowed_hostname == NULL) {
        return true;
    }
    for (size_t i = 0; i < p->n_dns_names; i++) {
        if (strcmp(p->dns_names[i], t->allowed_hostname) == 0) {
            return true;
        }
    }
    return false;
}

/* Who is refused comes again every two seconds: that is said once a minute. */
static bool conn_refusal_is_news(struct peer_transport *t, enum peer_refusal why, uint64_t from)
{
    uint64_t now_ms = loop_now_ms(t->loop);

    if (t->refused_from == from && t->refused_why == why &&
        now_ms - t->refused_ms < PEER_REFUSED_LOG_MS) {
        return false;
    }
    t->refused_from = from;
    t->refused_why = why;
    t->refused_ms = now_ms;
    return true;
}

static void conn_refuse(struct peer_conn *c, enum peer_refusal why, const struct peer_hello *h)
{
    struct rcbuf *frame = peer_refused_encode(why);
    bool asks_for_introduction = why == PEER_REFUSED_UNKNOWN && c->t->admits_guests &&
                                 h->protocol != PEER_PROTOCOL_INTRODUCTION;

    if (!asks_for_introduction && conn_refusal_is_news(c->t, why, h->from)) {
        log_warn(c->t->log, "refused a peer's connection",
                 LOG_STR("reason", peer_refusal_text(why)), LOG_HEX("from", h->from),
                 LOG_STR("address", stream_peer(c->stream)->address));
    }
    if (frame != NULL && peer_conn_write(c, frame) == 0) {
        c->closing = true;
        stream_close_flush(c->stream);
    } else {
        peer_conn_close(c);
    }
    rcbuf_unref(frame);
}

/* Whoever is not known may become a guest by it. */
static enum peer_refusal conn_check(struct peer_conn *c, const struct peer_hello *h)
{
    const struct peer_transport *t = c->t;

    if (h->protocol != PEER_PROTOCOL && h->protocol != PEER_PROTOCOL_INTRODUCTION) {
        return PEER_REFUSED_VERSION;
    }
    if (h->cluster_id != t->cluster_id) {
        return PEER_REFUSED_CLUSTER;
    }
    if (peer_is_removed(t, h->from)) {
        return PEER_REFUSED_REMOVED;
    }
    if (h->to != t->member_id) {
        return PEER_REFUSED_TARGET;
    }
    if (peer_find(t, h->from) == NULL && peer_guest_admit(c, h) == NULL) {
        return PEER_REFUSED_UNKNOWN;
    }
    return PEER_REFUSED_COUNT;
}

static void conn_describe(struct peer_conn *c)
{
    struct peer_transport *t = c->t;
    struct rcbuf *frame = NULL;
    struct buf out;

    buf_init(&out);
    buf_append_le64(&out, t->cluster_id);
    buf_append_le64(&out, t->member_id);
    if (t->describe != NULL) {
        t->describe(t->describe_ctx, &out);
    }
    if (!out.failed) {
        frame = peer_frame_copy(PEER_FRAME_INFO, buf_view(&out));
    }
    buf_fini(&out);
    conn_write_own(c, frame);
    if (!c->closing) {
        c->closing = true;
        stream_close_flush(c->stream);
    }
}

static void conn_welcome(struct peer_conn *c, const struct peer_hello *h)
{
    struct peer_transport *t = c->t;
    struct peer_hello mine = {
        .protocol = PEER_PROTOCOL,
        .kind = h->kind,
        .cluster_id = t->cluster_id,
        .from = t->member_id,
        .to = h->from,
    };
    struct peer *peer = peer_find(t, h->from);

    c->kind = h->kind == PEER_STREAM_RAFT ? TRANSPORT_RAFT : TRANSPORT_SNAPSHOT;
    if (peer->incoming[c->kind] != NULL) { /* It has started again and we have not noticed. */
        peer_conn_close(peer->incoming[c->kind]);
    }
    peer->incoming[c->kind] = c;
    c->peer = peer;
    conn_known(c);
    conn_write_own(c, peer_hello_encode(PEER_FRAME_WELCOME, &mine));
    peer_link_hint(&peer->links[TRANSPORT_RAFT]);
}

static int conn_on_hello(struct peer_conn *c, enum peer_frame_type type, struct kvs_view payload)
{
    struct peer_hello h;
    enum peer_refusal why;
    int rc = type == PEER_FRAME_HELLO ? peer_hello_decode(payload, &h) : KVS_E_MALFORMED;

    if (rc != 0) {
        return rc;
    }
    if (!conn_certificate_ok(c)) {
        log_warn(c->t->log, "refused a peer's certificate",
                 LOG_STR("address", stream_peer(c->stream)->address));
        return KVS_E_PERMISSION;
    }
    if (h.kind == PEER_STREAM_INFO) {
        conn_describe(c);
        return 0;
    }
    why = conn_check(c, &h);
    if (why != PEER_REFUSED_COUNT) {
        conn_refuse(c, why, &h);
    } else {
        conn_welcome(c, &h);
    }
    return 0;
}

/* ---- handshake, dialling side ---- */

static void conn_say_hello(struct peer_conn *c)
{
    char text[PEER_HELLO_URLS_MAX][NET_TEXT_MAX];
    const struct peer_transport *t = c->t;
    struct peer_hello h = {
        .protocol = PEER_PROTOCOL,
        .kind = c->kind == TRANSPORT_RAFT ? PEER_STREAM_RAFT : PEER_STREAM_SNAPSHOT,
        .cluster_id = t->cluster_id,
        .from = t->member_id,
        .to = c->peer->id,
    };

    if (c->link->introduce && t->n_own > 0) {
        c->link->introduce = false; /* Once: an older version hangs up on it. */
        c->introduced = true;
        h.protocol = PEER_PROTOCOL_INTRODUCTION;
        for (size_t i = 0; i < t->n_own; i++) {
            h.urls[h.n_urls++] = view_str(net_addr_url(&t->own[i], text[i]));
        }
    }
    conn_write_own(c, peer_hello_encode(PEER_FRAME_HELLO, &h));
}

static void conn_on_open(void *ctx)
{
    struct peer_conn *c = ctx;

    if (c->outgoing && !c->closing) {
        conn_say_hello(c);
    }
}

static int conn_on_refused(struct peer_conn *c, struct kvs_view payload)
{
    struct peer_transport *t = c->t;
    struct peer_link *l = c->link;
    enum peer_refusal why;
    int rc = peer_refused_decode(payload, &why);

    if (rc != 0) {
        return rc;
    }
    l->introduce = why == PEER_REFUSED_UNKNOWN && !c->introduced && t->n_own > 0;
    if (!l->introduce && l->logged_err != (int)why) { /* Positive: no KVS_E_*. */
        l->logged_err = (int)why;
        log_warn(t->log, "a peer refuses our connection", LOG_STR("reason", peer_refusal_text(why)),
                 LOG_HEX("peer-id", c->peer->id));
    }
    peer_conn_close(c);
    if (why == PEER_REFUSED_REMOVED && t->has_events) {
        t->events.removed(t->events.ctx, c->peer->id);
    }
    return 0;
}

static int conn_on_answer(struct peer_conn *c, enum peer_frame_type type, struct kvs_view payload)
{
    struct peer_hello h;
    int rc;

    if (type == PEER_FRAME_REFUSED) {
        return conn_on_refused(c, payload);
    }
    rc = type == PEER_FRAME_WELCOME ? peer_hello_decode(payload, &h) : KVS_E_MALFORMED;
    if (rc != 0) {
        return rc;
    }
    if (h.protocol != PEER_PROTOCOL || h.cluster_id != c->t->cluster_id || h.from != c->peer->id ||
        h.to != c->t->member_id) {
        return KVS_E_CONNECT;
    }
    conn_known(c);
    peer_link_up(c->link);
    return 0;
}

/* ---- frames ---- */

static void conn_on_pong(struct peer_conn *c, uint64_t stamp)
{
    struct transport_peer_stats *s = &c->peer->stats;
    uint64_t now = clock_ns(loop_clock(c->t->loop));
    uint64_t rtt = now > stamp ? now - stamp : 1;
    uint64_t bound = 100000;
    unsigned i = 0;

    s->rtt_ns = s->rtt_ns == 0 ? rtt : s->rtt_ns - s->rtt_ns / 8 + rtt / 8;
    while (i < TRANSPORT_RTT_BUCKETS - 1 && rtt > bound) {
        bound *= 2;
        i++;
    }
    s->rtt_buckets[i]++;
    s->rtt_count++;
    s->rtt_sum_ns += rtt;
}

static int conn_on_ping(struct peer_conn *c, enum peer_frame_type type, struct kvs_view payload)
{
    uint64_t stamp;
    int rc = peer_ping_decode(payload, &stamp);

    if (rc != 0) {
        return rc;
    }
    if (type == PEER_FRAME_PONG) {
        conn_on_pong(c, stamp);
    } else {
        conn_write_own(c, peer_ping_encode(PEER_FRAME_PONG, stamp));
    }
    return 0;
}

static int conn_on_frame(struct peer_conn *c, struct rcbuf *frame)
{
    struct peer_transport *t = c->t;
    enum peer_frame_type type;
    struct kvs_view payload;

    peer_frame_split(frame, &type, &payload);
    if (!c->welcomed) {
        return c->outgoing ? conn_on_answer(c, type, payload) : conn_on_hello(c, type, payload);
    }
    kvs_assert(c->peer != NULL);
    c->peer->stats.received_bytes += frame->len;
    if (c->outgoing) {
        return type == PEER_FRAME_PONG ? conn_on_ping(c, type, payload) : KVS_E_MALFORMED;
    }
    if (type == PEER_FRAME_PING) {
        return conn_on_ping(c, type, payload);
    }
    return t->has_events ? t->events.message(t->events.ctx, c->peer->id, c->kind, frame) : 0;
}

static void conn_bad(struct peer_conn *c, int rc)
{
    if (c->peer != NULL) {
        c->peer->stats.received_failures++;
    }
    log_warn(c->t->log, "closing a peer's connection because of what it sent",
             LOG_HEX("peer-id", c->peer != NULL ? c->peer->id : 0),
             LOG_STR("address", stream_peer(c->stream)->address),
             LOG_STR("error", kvs_strerror(rc)));
    peer_conn_close(c);
}

static void conn_on_data(void *ctx, struct kvs_view data)
{
    struct peer_conn *c = ctx;

    c->heard_ms = loop_now_ms(c->t->loop);
    while (!c->closing) {
        size_t limit = c->welcomed ? PEER_FRAME_BYTES_MAX : PEER_HELLO_BYTES_MAX;
        struct rcbuf *frame;
        int rc = peer_parser_next(&c->parser, &data, limit, &frame);

        if (rc == 0 && frame == NULL) {
            return;
        }
        if (rc == 0) {
            rc = conn_on_frame(c, frame);
            rcbuf_unref(frame);
        }
        if (rc != 0 && !c->closing) {
            conn_bad(c, rc);
        }
    }
}

static void conn_on_close(void *ctx, int err, const char *text)
{
    struct peer_conn *c = ctx;
    struct peer_transport *t = c->t;

    if (!c->outgoing && !c->welcomed) {
        t->n_strangers--;
    }
    if (c->peer != NULL && !c->outgoing && c->peer->incoming[c->kind] == c) {
        c->peer->incoming[c->kind] = NULL;
    }
    if (c->link != NULL) {
        peer_link_down(c->link, err, text);
    }
    list_remove(&c->node);
    t->n_conns--;
    peer_parser_fini(&c->parser);
    kvs_free(c);
    peer_transport_maybe_closed(t);
}

const struct stream_ops peer_conn_ops = {
    .on_open = conn_on_open,
    .on_data = conn_on_data,
    .on_close = conn_on_close,
};

void peer_conn_accept(void *ctx, struct stream *s)
{
    struct peer_transport *t = ctx;
    struct peer_conn *c = NULL;

    if (!t->closing && t->n_strangers < PEER_STRANGERS_MAX) {
        c = peer_conn_new(t);
    }
    if (c == NULL) {
        stream_close(s);
        return;
    }
    c->stream = s;
    list_push_back(&t->conns, &c->node);
    t->n_conns++;
    t->n_strangers++;
    stream_set_ops(s, &peer_conn_ops, c);
}

/* Answers wait behind the data that we have queued ourselves; a snapshot has its own time-out. */
static uint64_t conn_patience_ms(const struct peer_conn *c)
{
    if (c->kind == TRANSPORT_SNAPSHOT || stream_queued(c->stream) > 0) {
        return PEER_IDLE_MS / 2;
    }
    return (uint64_t)c->t->ping_ms * PEER_PINGS_MISSED_MAX;
}

void peer_conn_tick(struct peer_conn *c, uint64_t now_ms)
{
    uint64_t silent_ms = now_ms - c->heard_ms;

    if (c->closing) {
        return;
    }
    if (!c->welcomed) {
        if (now_ms - c->since_ms >= PEER_HANDSHAKE_MS) {
            peer_conn_close(c);
        }
        return;
    }
    if (!c->outgoing) {
        if (silent_ms >= PEER_IDLE_MS) {
            peer_conn_close(c);
        }
        return;
    }
    if (silent_ms >= conn_patience_ms(c)) {
        log_warn(c->t->log, "peer does not answer", LOG_HEX("peer-id", c->peer->id));
        peer_conn_close(c);
        return;
    }
    conn_write_own(c, peer_ping_encode(PEER_FRAME_PING, clock_ns(loop_clock(c->t->loop))));
}
