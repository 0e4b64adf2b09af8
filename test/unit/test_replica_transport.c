/* The transport over loopback sockets: delivery, and every way of being refused. */
#include "test_base.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/view.h"
#include "loop/stream.h"
#include "replica/peer_frame.h"
#include "replica/peer_transport.h"
#include "tls_files.h"

enum { CLUSTER = 0xc1, WAIT_MS = 10000, FRAMES_MAX = 4096 };

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
    bool closed;
};

static struct loop *loop;
static bool timed_out;

static void watchdog_cb(struct loop_timer *timer)
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
static void loop_pass(unsigned ms)
{
    LOOP_UNTIL(timed_out, ms);
}

/* ---- events ---- */

static int on_message(void *ctx, uint64_t from, enum transport_stream stream, struct rcbuf *frame)
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

static void on_unreachable(void *ctx, uint64_t peer, enum transport_stream stream)
{
    (void)peer;
    ((struct end *)ctx)->n_unreachable[stream]++;
}

static void on_connected(void *ctx, uint64_t peer)
{
    (void)peer;
    ((struct end *)ctx)->n_connected++;
}

static void on_removed(void *ctx, uint64_t by)
{
    (void)by;
    ((struct end *)ctx)->n_removed++;
}

static void on_closed(void *ctx)
{
    ((struct end *)ctx)->closed = true;
}

/* ---- ends ---- */

static struct net_addr here(uint16_t port, bool tls)
{
    struct net_addr a = {.host = "127.0.0.1", .port = port, .tls = tls};

    return a;
}

static void end_open_with(struct end *e, uint64_t id, struct peer_transport_options *o)
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

    *e = (struct end){.id = id};
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

static void end_open(struct end *e, uint64_t id, uint64_t cluster_id)
{
    struct peer_transport_options o = {.cluster_id = cluster_id};

    end_open_with(e, id, &o);
}

static void end_close(struct end *e)
{
    peer_transport_close(e->p, on_closed, e);
    assert_false(e->closed);
    LOOP_UNTIL(e->closed, WAIT_MS);
}

/* `e` knows member `id` at `port`. */
static void end_knows(struct end *e, uint64_t id, uint16_t port, bool tls)
{
    char url[64];
    const char *urls[] = {url};
    struct transport_peer peer = {.id = id, .urls = urls, .n_urls = 1};

    (void)snprintf(url, sizeof url, "%s://127.0.0.1:%u", tls ? "https" : "http", (unsigned)port);
    assert_int_equal(peer_transport_base(e->p)->ops->set_peers(peer_transport_base(e->p), &peer, 1),
                     0);
}

static void ends_meet(struct end *a, struct end *b, bool tls)
{
    end_knows(a, b->id, peer_transport_port(b->p), tls);
    end_knows(b, a->id, peer_transport_port(a->p), tls);
}

static void
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

static struct transport_peer_stats stats_of(struct end *e, uint64_t peer)
{
    struct transport_peer_stats s = {0};

    assert_true(peer_transport_base(e->p)->ops->peer_stats(peer_transport_base(e->p), peer, &s));
    return s;
}

/* ---- delivery ---- */

static void exchange(struct end *a, struct end *b)
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

static void test_delivery(void **state)
{
    struct end a;
    struct end b;

    (void)state;
    end_open(&a, 1, 0);
    end_open(&b, 2, 0);
    ends_meet(&a, &b, false);
    LOOP_UNTIL(a.n_connected == 1 && b.n_connected == 1, WAIT_MS);
    exchange(&a, &b);
    end_close(&a);
    end_close(&b);
}

static void test_stream_reset_and_reopened(void **state)
{
    struct end a;
    struct end b;
    struct transport *t;

    (void)state;
    end_open(&a, 1, 0);
    end_open(&b, 2, 0);
    ends_meet(&a, &b, false);
    t = peer_transport_base(a.p);
    LOOP_UNTIL(a.n_connected == 1, WAIT_MS);
    end_send(&a, 2, TRANSPORT_SNAPSHOT, 0, 1000);
    LOOP_UNTIL(b.n_messages[TRANSPORT_SNAPSHOT] == 1, WAIT_MS);
    t->ops->reset_stream(t, 2, TRANSPORT_SNAPSHOT);
    end_send(&a, 2, TRANSPORT_SNAPSHOT, 1, 1000);
    LOOP_UNTIL(b.n_messages[TRANSPORT_SNAPSHOT] == 2, WAIT_MS);
    assert_int_equal(a.n_unreachable[TRANSPORT_SNAPSHOT], 0);
    end_close(&a);
    end_close(&b);
}

static void test_comes_back(void **state)
{
    struct end a;
    struct end b;
    struct net_addr at;
    struct peer_transport_options o = {.listen = &at};

    (void)state;
    end_open(&a, 1, 0);
    end_open(&b, 2, 0);
    at = here(peer_transport_port(b.p), false);
    ends_meet(&a, &b, false);
    LOOP_UNTIL(a.n_connected == 1 && b.n_connected == 1, WAIT_MS);
    end_close(&b);
    LOOP_UNTIL(a.n_unreachable[TRANSPORT_RAFT] >= 1, WAIT_MS);
    assert_false(stats_of(&a, 2).connected);
    end_send(&a, 2, TRANSPORT_RAFT, 0, 8); /* Lost, and said so, but never from inside. */
    assert_int_equal(a.n_unreachable[TRANSPORT_RAFT], 1);
    LOOP_UNTIL(a.n_unreachable[TRANSPORT_RAFT] == 2, WAIT_MS);
    end_open_with(&b, 2, &o);
    end_knows(&b, 1, peer_transport_port(a.p), false);
    LOOP_UNTIL(a.n_connected == 2, WAIT_MS);
    end_send(&a, 2, TRANSPORT_RAFT, 0, 8);
    LOOP_UNTIL(b.n_messages[TRANSPORT_RAFT] == 1, WAIT_MS);
    end_close(&a);
    end_close(&b);
}

static void test_bounded_queue(void **state)
{
    struct end a;
    struct end b;
    struct peer_transport_options o = {.queue_bytes_max = 1 << 20};

    (void)state;
    end_open_with(&a, 1, &o);
    end_open(&b, 2, 0);
    ends_meet(&a, &b, false);
    LOOP_UNTIL(a.n_connected == 1, WAIT_MS);
    for (uint64_t i = 0; i < 20; i++) { /* Nobody reads meanwhile: it is one turn. */
        end_send(&a, 2, TRANSPORT_RAFT, i, 100000);
    }
    assert_int_equal(stats_of(&a, 2).sent_failures, 10);
    LOOP_UNTIL(a.n_unreachable[TRANSPORT_RAFT] == 1, WAIT_MS);
    LOOP_UNTIL(b.n_messages[TRANSPORT_RAFT] == 10, WAIT_MS);
    end_close(&a);
    end_close(&b);
}

/* ---- refusals ---- */

static void check_nothing_passes(struct end *a, struct end *b)
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

static void test_wrong_cluster(void **state)
{
    struct end a;
    struct end b;

    (void)state;
    end_open(&a, 1, CLUSTER);
    end_open(&b, 2, CLUSTER + 1);
    ends_meet(&a, &b, false);
    check_nothing_passes(&a, &b);
    assert_int_equal(a.n_removed, 0);
    end_close(&a);
    end_close(&b);
}

static void test_wrong_member(void **state)
{
    struct end a;
    struct end b;

    (void)state;
    end_open(&a, 1, 0);
    end_open(&b, 2, 0);
    end_knows(&a, 9, peer_transport_port(b.p), false); /* 2 listens there, not 9 */
    end_knows(&b, 1, peer_transport_port(a.p), false);
    b.id = 9;
    check_nothing_passes(&a, &b);
    end_close(&a);
    end_close(&b);
}

static void test_unknown_until_it_is_known(void **state)
{
    struct end a;
    struct end b;

    (void)state;
    end_open(&a, 1, 0);
    end_open(&b, 2, 0);
    end_knows(&a, 2, peer_transport_port(b.p), false);
    check_nothing_passes(&a, &b);
    assert_int_equal(a.n_removed, 0);
    end_knows(&b, 1, peer_transport_port(a.p), false);
    LOOP_UNTIL(a.n_connected == 1 && b.n_connected == 1, WAIT_MS);
    end_close(&a);
    end_close(&b);
}

static void test_removed_member_is_told(void **state)
{
    struct end a;
    struct end b;
    uint64_t gone = 1;
    struct transport *t;

    (void)state;
    end_open(&a, 1, 0);
    end_open(&b, 2, 0);
    ends_meet(&a, &b, false);
    LOOP_UNTIL(a.n_connected == 1 && b.n_connected == 1, WAIT_MS);
    t = peer_transport_base(b.p);
    assert_int_equal(t->ops->set_removed(t, &gone, 1), 0);
    assert_int_equal(t->ops->set_peers(t, NULL, 0), 0);
    LOOP_UNTIL(a.n_removed >= 1, WAIT_MS);
    assert_int_equal(b.n_removed, 0);
    end_close(&a);
    end_close(&b);
}

/* What the owner calls nonsense costs the peer its connection. */
static void test_refused_message_cuts_the_connection(void **state)
{
    struct end a;
    struct end b;

    (void)state;
    end_open(&a, 1, 0);
    end_open(&b, 2, 0);
    ends_meet(&a, &b, false);
    LOOP_UNTIL(a.n_connected == 1, WAIT_MS);
    b.answer = KVS_E_MALFORMED;
    end_send(&a, 2, TRANSPORT_RAFT, 0, 8);
    LOOP_UNTIL(a.n_unreachable[TRANSPORT_RAFT] >= 1, WAIT_MS);
    assert_int_equal(stats_of(&b, 1).received_failures, 1);
    b.answer = 0;
    LOOP_UNTIL(a.n_connected == 2, WAIT_MS);
    end_close(&a);
    end_close(&b);
}

/* ---- a stranger at the door ---- */

struct raw {
    struct stream *s;
    bool open;
    bool closed;
    size_t received;
};

static void raw_on_open(void *ctx)
{
    ((struct raw *)ctx)->open = true;
}

static void raw_on_data(void *ctx, struct kvs_view data)
{
    ((struct raw *)ctx)->received += data.len;
}

static void raw_on_close(void *ctx, int err, const char *text)
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

static void raw_open(struct raw *r, uint16_t port)
{
    struct net_addr at = here(port, false);

    *r = (struct raw){0};
    assert_int_equal(stream_connect(loop, &at, NULL, NULL, &raw_ops, r, &r->s), 0);
    LOOP_UNTIL(r->open, WAIT_MS);
}

static void raw_send(struct raw *r, struct rcbuf *frame)
{
    assert_non_null(frame);
    assert_int_equal(stream_write_ref(r->s, frame, frame->data, frame->len), 0);
    rcbuf_unref(frame);
}

static void test_garbage(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: somebody else's port\r\n\r\n";
    struct peer_hello hello = {PEER_PROTOCOL, PEER_STREAM_RAFT, CLUSTER, 1, 2};
    struct rcbuf *frame;
    struct end b;
    struct raw r;

    (void)state;
    end_open(&b, 2, 0);
    end_knows(&b, 1, 1, false); /* known, but not listening */

    raw_open(&r, peer_transport_port(b.p));
    assert_int_equal(stream_write(r.s, text, sizeof text - 1), 0);
    LOOP_UNTIL(r.closed, WAIT_MS);
    assert_int_equal(r.received, 0);

    /* A message before the handshake. */
    raw_open(&r, peer_transport_port(b.p));
    raw_send(&r, peer_frame_copy(PEER_FRAME_APP, view_str("hello?")));
    LOOP_UNTIL(r.closed, WAIT_MS);
    assert_int_equal(b.n_messages[TRANSPORT_RAFT], 0);

    /* A frame before the handshake that announces a lot. */
    raw_open(&r, peer_transport_port(b.p));
    frame = peer_frame_new(PEER_FRAME_HELLO, 1 << 20);
    assert_non_null(frame);
    assert_int_equal(stream_write(r.s, frame->data, PEER_FRAME_HEADER), 0);
    rcbuf_unref(frame);
    LOOP_UNTIL(r.closed, WAIT_MS);

    /* A right handshake, one good frame, then one with a byte changed. */
    raw_open(&r, peer_transport_port(b.p));
    raw_send(&r, peer_hello_encode(PEER_FRAME_HELLO, &hello));
    raw_send(&r, peer_frame_copy(PEER_FRAME_APP, view_str("good")));
    LOOP_UNTIL(b.n_messages[TRANSPORT_RAFT] == 1, WAIT_MS);
    frame = peer_frame_copy(PEER_FRAME_APP, view_str("bad!"));
    assert_non_null(frame);
    frame->data[PEER_FRAME_HEADER] ^= 1;
    raw_send(&r, frame);
    LOOP_UNTIL(r.closed, WAIT_MS);
    assert_int_equal(b.n_messages[TRANSPORT_RAFT], 1);
    assert_int_equal(stats_of(&b, 1).received_failures, 1);

    /* Another protocol version is told so. */
    hello.protocol = PEER_PROTOCOL + 1;
    raw_open(&r, peer_transport_port(b.p));
    raw_send(&r, peer_hello_encode(PEER_FRAME_HELLO, &hello));
    LOOP_UNTIL(r.closed, WAIT_MS);
    assert_int_equal(r.received, PEER_FRAME_HEADER + 4);
    end_close(&b);
}

/* ---- the question of a process that wants to join ---- */

static void describe(void *ctx, struct buf *out)
{
    buf_append_str(out, ctx);
}

struct info_seen {
    struct peer_info_request request;
    bool done;
    char text[64];
};

static void info_cb(struct peer_info_request *q)
{
    struct info_seen *seen = container_of(q, struct info_seen, request);

    seen->done = true;
    assert_true(q->info.len < sizeof seen->text);
    if (q->info.len > 0) {
        memcpy(seen->text, q->info.data, q->info.len);
    }
}

static void test_info(void **state)
{
    char members[] = "three members, at ...";
    struct peer_transport_options o = {.describe = describe, .ctx = members};
    struct info_seen seen = {.request = {.cb = info_cb}};
    struct net_addr at;
    struct end b;

    (void)state;
    end_open_with(&b, 2, &o);
    at = here(peer_transport_port(b.p), false);
    assert_int_equal(peer_info_fetch(loop, &at, NULL, 2000, &seen.request), 0);
    assert_false(seen.done);
    LOOP_UNTIL(seen.done, WAIT_MS);
    assert_int_equal(seen.request.status, 0);
    assert_true(seen.request.cluster_id == CLUSTER && seen.request.member_id == 2);
    assert_string_equal(seen.text, members);
    end_close(&b);

    seen.done = false;
    assert_int_equal(peer_info_fetch(loop, &at, NULL, 2000, &seen.request), 0);
    LOOP_UNTIL(seen.done, WAIT_MS);
    assert_int_equal(seen.request.status, KVS_E_CONNECT);
    assert_true(seen.request.text[0] != '\0');
}

/* ---- TLS ---- */

struct tls_pair {
    struct tls_files files;
    struct tls_context *server;
    struct tls_context *client;
    struct tls_context *nobody; /* a client without a certificate */
};

static void tls_pair_init(struct tls_pair *t)
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

static void tls_pair_fini(struct tls_pair *t)
{
    tls_context_free(t->server);
    tls_context_free(t->client);
    tls_context_free(t->nobody);
    tls_files_fini(&t->files);
}

static void test_tls(void **state)
{
    struct tls_pair t;
    struct end a;
    struct end b;
    struct peer_transport_options o;

    (void)state;
    tls_pair_init(&t);
    o = (struct peer_transport_options){
        .server_tls = t.server, .client_tls = t.client, .allowed_cn = "alice"};
    end_open_with(&a, 1, &o);
    o.listen = NULL;
    end_open_with(&b, 2, &o);
    ends_meet(&a, &b, true);
    LOOP_UNTIL(a.n_connected == 1 && b.n_connected == 1, WAIT_MS);
    exchange(&a, &b);
    end_close(&a);
    end_close(&b);
    tls_pair_fini(&t);
}

static void check_tls_refused(
    struct tls_pair *t, struct tls_context *client, const char *cn, const char *hostname, bool tls)
{
    struct peer_transport_options oa = {.client_tls = client};
    struct peer_transport_options ob = {
        .server_tls = t->server,
        .client_tls = t->client,
        .allowed_cn = cn,
        .allowed_hostname = hostname,
    };
    struct end a;
    struct end b;

    end_open_with(&a, 1, &oa);
    end_open_with(&b, 2, &ob);
    end_knows(&a, 2, peer_transport_port(b.p), tls);
    end_knows(&b, 1, peer_transport_port(a.p), false);
    check_nothing_passes(&a, &b);
    end_close(&a);
    end_close(&b);
}

static void test_tls_refuses(void **state)
{
    struct tls_pair t;
    struct tls_pair other;

    (void)state;
    tls_pair_init(&t);
    tls_pair_init(&other);
    check_tls_refused(&t, t.nobody, NULL, NULL, true);         /* no certificate */
    check_tls_refused(&t, other.client, NULL, NULL, true);     /* of another authority */
    check_tls_refused(&t, NULL, NULL, NULL, false);            /* plain text to a TLS port */
    check_tls_refused(&t, t.client, "bob", NULL, true);        /* another name */
    check_tls_refused(&t, t.client, NULL, "no.example", true); /* another alternative name */
    tls_pair_fini(&t);
    tls_pair_fini(&other);
}

static int setup(void **state)
{
    (void)state;
    return loop_new(&loop);
}

static int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_delivery, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stream_reset_and_reopened, setup, teardown),
        cmocka_unit_test_setup_teardown(test_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bounded_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_cluster, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_member, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_until_it_is_known, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removed_member_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_message_cuts_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_info, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tls_refuses, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
