/* For tests of the socket transport: ends of it on loopback, which count what they are told. */
#ifndef TEST_UNIT_TRANSPORT_ENDS_H
#define TEST_UNIT_TRANSPORT_ENDS_H

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/view.h"
#include "loop/stream.h"
#include "replica/peer_frame.h"
#include "replica/peer_transport.h"
#include "tls_files.h"

enum { CLUSTER = 0xc1, WAIT_MS = 60000, FRAMES_MAX = 4096 };

struct end {
    struct peer_transport *p;
    uint64_t id;
    unsigned n_messages[TRANSPORT_STREAM_COUNT];
    uint64_t next[TRANSPORT_STREAM_COUNT]; /* number that the next frame must carry */
    uint64_t from;
    size_t bytes;
    unsigned n_connected;
    unsigned n_unreachable[TRANSPORT_STREAM_COUNT];
    unsigned n_removed;
    int answer; /* of the message event */
    bool tls;   /* listens with it */
    bool closed;
};

static struct loop *loop;
static bool timed_out;

static inline void watchdog_cb(struct loop_timer *timer)
{
    (void)timer;
    timed_out = true;
}

#define LOOP_UNTIL(condition, ms)                                                                  \
    do {                                                                                           \
        struct loop_timer watchdog_;                                                               \
        timed_out = false;                                                                         \
        loop_timer_init(loop, &watchdog_, watchdog_cb);                                            \
        loop_timer_start(&watchdog_, (ms));                                                        \
        while (!(condition) && !timed_out) {                                                       \
            (void)loop_turn(loop, true);                                                           \
        }                                                                                          \
        loop_timer_stop(&watchdog_);                                                               \
        assert_true(condition);                                                                    \
    } while (0)

/* Lets `ms` pass: for showing that something does not happen. */
static inline void loop_pass(unsigned ms)
{
    LOOP_UNTIL(timed_out, ms);
}

/* ---- events ---- */

static inline int
on_message(void *ctx, uint64_t from, enum transport_stream stream, struct rcbuf *frame)
{
    struct end *e = ctx;
    enum peer_frame_type type;
    struct kvs_view payload;

    assert_int_equal(peer_frame_open(frame, &type, &payload), 0);
    if (type == PEER_FRAME_APP && payload.len >= sizeof(uint64_t)) {
        uint64_t number;

        memcpy(&number, payload.data, sizeof number);
        assert_true(number == e->next[stream]);
        e->next[stream]++;
    }
    e->from = from;
    e->n_messages[stream]++;
    e->bytes += payload.len;
    return e->answer;
}

static inline void on_unreachable(void *ctx, uint64_t peer, enum transport_stream stream)
{
    (void)peer;
    ((struct end *)ctx)->n_unreachable[stream]++;
}

static inline void on_connected(void *ctx, uint64_t peer)
{
    (void)peer;
    ((struct end *)ctx)->n_connected++;
}

static inline void on_removed(void *ctx, uint64_t by)
{
    (void)by;
    ((struct end *)ctx)->n_removed++;
}

static inline void on_closed(void *ctx)
{
    ((struct end *)ctx)->closed = true;
}

/* ---- ends ---- */

static inline struct net_addr here(uint16_t port, bool tls)
{
    struct net_addr a = {.host = "127.0.0.1", .port = port, .tls = tls};

    return a;
}

static inline void end_open_with(struct end *e, uint64_t id, struct peer_transport_options *o)
{
    struct net_addr at = here(0, o->server_tls != NULL);
    struct transport_events events = {
        .message = on_message,
        .unreachable = on_unreachable,
        .connected = on_connected,
        .removed = on_removed,
        .ctx = e,
    };
    struct kvs_error error;

    *e = (struct end){.id = id, .tls = o->server_tls != NULL};
    o->loop = loop;
    o->member_id = id;
    if (o->cluster_id == 0) {
        o->cluster_id = CLUSTER;
    }
    o->seed = id;
    if (o->listen == NULL) {
        o->listen = &at;
    }
    o->n_listen = 1;
    o->ping_ms = o->ping_ms > 0 ? o->ping_ms : 50;
    assert_int_equal(peer_transport_new(o, &e->p, &error), 0);
    peer_transport_base(e->p)->ops->set_events(peer_transport_base(e->p), &events);
}

static inline void end_open(struct end *e, uint64_t id, uint64_t cluster_id)
{
    struct peer_transport_options o = {.cluster_id = cluster_id};

    end_open_with(e, id, &o);
}

static inline void end_close(struct end *e)
{
    peer_transport_close(e->p, on_closed, e);
    assert_false(e->closed);
    LOOP_UNTIL(e->closed, WAIT_MS);
}

/* `e` knows member `id` at `port`. */
static inline void end_knows(struct end *e, uint64_t id, uint16_t port, bool tls)
{
    char url[64];
    const char *urls[] = {url};
    struct transport_peer peer = {.id = id, .urls = urls, .n_urls = 1};

    (void)snprintf(url, sizeof url, "%s://127.0.0.1:%u", tls ? "https" : "http", (unsigned)port);
    assert_int_equal(peer_transport_base(e->p)->ops->set_peers(peer_transport_base(e->p), &peer, 1),
                     0);
}

/* `e` knows member `id` at `port`, and where it can be reached itself. */
static inline void end_knows_itself(struct end *e, uint64_t id, uint16_t port, bool tls)
{
    char url[64];
    char own[64];
    const char *urls[] = {url};
    const char *owns[] = {own};
    const struct transport_peer peers[] = {{id, urls, 1}, {e->id, owns, 1}};
    struct transport *t = peer_transport_base(e->p);

    (void)snprintf(url, sizeof url, "%s://127.0.0.1:%u", tls ? "https" : "http", (unsigned)port);
    (void)snprintf(own, sizeof own, "%s://127.0.0.1:%u", e->tls ? "https" : "http",
                   (unsigned)peer_transport_port(e->p));
    assert_int_equal(t->ops->set_peers(t, peers, 2), 0);
}

static inline void ends_meet(struct end *a, struct end *b, bool tls)
{
    end_knows(a, b->id, peer_transport_port(b->p), tls);
    end_knows(b, a->id, peer_transport_port(a->p), tls);
}

static inline void
end_send(struct end *e, uint64_t to, enum transport_stream stream, uint64_t number, size_t len)
{
    struct rcbuf *frame = peer_frame_new(PEER_FRAME_APP, len);

    assert_non_null(frame);
    memset(peer_frame_payload(frame), 7, len);
    if (len >= sizeof number) {
        memcpy(peer_frame_payload(frame), &number, sizeof number);
    }
    peer_frame_seal(frame);
    transport_send(peer_transport_base(e->p), to, stream, frame);
}

static inline struct transport_peer_stats stats_of(struct end *e, uint64_t peer)
{
    struct transport_peer_stats s = {0};

    assert_true(peer_transport_base(e->p)->ops->peer_stats(peer_transport_base(e->p), peer, &s));
    return s;
}

static inline void exchange(struct end *a, struct end *b)
{
    for (uint64_t i = 0; i < 200; i++) {
        end_send(a, b->id, TRANSPORT_RAFT, i, 8 + (size_t)i * 997 % 5000);
        end_send(b, a->id, TRANSPORT_RAFT, i, 8 + (size_t)i);
        end_send(a, b->id, TRANSPORT_SNAPSHOT, i, 100000);
    }
    transport_flush(peer_transport_base(a->p));
    transport_flush(peer_transport_base(b->p));
    LOOP_UNTIL(b->n_messages[TRANSPORT_RAFT] == 200 && a->n_messages[TRANSPORT_RAFT] == 200 &&
                   b->n_messages[TRANSPORT_SNAPSHOT] == 200,
               WAIT_MS);
    assert_true(a->from == b->id && b->from == a->id);
    LOOP_UNTIL(stats_of(a, b->id).rtt_count >= 2, WAIT_MS);
    assert_true(stats_of(a, b->id).connected && stats_of(a, b->id).rtt_ns > 0);
    assert_true(stats_of(a, b->id).sent_bytes > 200 * 100000);
    assert_true(stats_of(b, a->id).received_bytes > 200 * 100000);
    assert_int_equal(stats_of(a, b->id).sent_failures, 0);
}

static inline void check_nothing_passes(struct end *a, struct end *b)
{
    for (uint64_t i = 0; i < 10; i++) {
        end_send(a, b->id, TRANSPORT_RAFT, i, 8);
        end_send(a, b->id, TRANSPORT_SNAPSHOT, i, 8);
        loop_pass(30);
    }
    assert_int_equal(a->n_connected, 0);
    assert_int_equal(b->n_messages[TRANSPORT_RAFT], 0);
    assert_int_equal(b->n_messages[TRANSPORT_SNAPSHOT], 0);
    assert_true(a->n_unreachable[TRANSPORT_RAFT] > 0);
    assert_true(a->n_unreachable[TRANSPORT_SNAPSHOT] > 0);
}

/* ---- a stranger at the door ---- */

struct raw {
    struct stream *s;
    bool open;
    bool closed;
    size_t received;
};

static inline void raw_on_open(void *ctx)
{
    ((struct raw *)ctx)->open = true;
}

static inline void raw_on_data(void *ctx, struct kvs_view data)
{
    ((struct raw *)ctx)->received += data.len;
}

static inline void raw_on_close(void *ctx, int err, const char *text)
{
    (void)err;
    (void)text;
    ((struct raw *)ctx)->closed = true;
}

static const struct stream_ops raw_ops = {
    .on_open = raw_on_open,
    .on_data = raw_on_data,
    .on_close = raw_on_close,
};

static inline void raw_open(struct raw *r, uint16_t port)
{
    struct net_addr at = here(port, false);

    *r = (struct raw){0};
    assert_int_equal(stream_connect(loop, &at, NULL, NULL, &raw_ops, r, &r->s), 0);
    LOOP_UNTIL(r->open, WAIT_MS);
}

static inline void raw_send(struct raw *r, struct rcbuf *frame)
{
    assert_non_null(frame);
    assert_int_equal(stream_write_ref(r->s, frame, frame->data, frame->len), 0);
    rcbuf_unref(frame);
}

/* ---- TLS ---- */

struct tls_pair {
    struct tls_files files;
    struct tls_context *server;
    struct tls_context *client;
    struct tls_context *nobody; /* a client without a certificate */
};

static inline void tls_pair_init(struct tls_pair *t)
{
    struct tls_options server;
    struct tls_options client;
    struct tls_options nobody;
    struct kvs_error error;

    tls_files_init(&t->files);
    server = (struct tls_options){
        .cert_file = t->files.cert,
        .key_file = t->files.key,
        .ca_file = t->files.ca,
        .require_peer_cert = true,
    };
    client = (struct tls_options){
        .cert_file = t->files.client_cert,
        .key_file = t->files.client_key,
        .ca_file = t->files.ca,
    };
    nobody = (struct tls_options){.ca_file = t->files.ca};
    assert_int_equal(tls_context_new_server(&server, &t->server, &error), 0);
    assert_int_equal(tls_context_new_client(&client, &t->client, &error), 0);
    assert_int_equal(tls_context_new_client(&nobody, &t->nobody, &error), 0);
}

static inline void tls_pair_fini(struct tls_pair *t)
{
    tls_context_free(t->server);
    tls_context_free(t->client);
    tls_context_free(t->nobody);
    tls_files_fini(&t->files);
}

static inline int setup(void **state)
{
    (void)state;
    return loop_new(&loop);
}

static inline int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

#endif
