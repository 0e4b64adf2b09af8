/* The transport over loopback sockets: delivery, and every way of being refused. */
#include "test_base.h"

#include "transport_ends.h"

/* ---- delivery ---- */

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

static void test_garbage(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: somebody else's port\r\n\r\n";
    struct peer_hello hello = {
        .protocol = PEER_PROTOCOL,
        .kind = PEER_STREAM_RAFT,
        .cluster_id = CLUSTER,
        .from = 1,
        .to = 2,
    };
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
    hello.protocol = PEER_PROTOCOL_INTRODUCTION + 1;
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
