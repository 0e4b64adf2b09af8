/* Guests: members that were never heard of, over loopback sockets. Throughout, `a` knows `b`, and
 * `b` knows nobody. */
#include "test_base.h"

#include "replica/peer_parser.h"
#include "transport_ends.h"

static void admit(struct end *e, bool yes)
{
    struct transport *t = peer_transport_base(e->p);

    t->ops->admit_guests(t, yes);
}

static bool knows(struct end *e, uint64_t id)
{
    struct transport *t = peer_transport_base(e->p);
    struct transport_peer_stats stats;

    return t->ops->peer_stats(t, id, &stats);
}

static void ends_open(struct end *a, struct end *b)
{
    end_open(a, 1, 0);
    end_open(b, 2, 0);
    end_knows_itself(a, 2, peer_transport_port(b->p), false);
}

static void ends_close(struct end *a, struct end *b)
{
    end_close(a);
    end_close(b);
}

/* Both ways and on both streams; it becomes a member without losing its connections. */
static void test_guest_becomes_member(void **state)
{
    struct end a;
    struct end b;

    (void)state;
    ends_open(&a, &b);
    admit(&b, true);
    LOOP_UNTIL(a.n_connected == 1 && b.n_connected == 1, WAIT_MS);
    exchange(&a, &b);
    end_knows(&b, 1, peer_transport_port(a.p), false);
    admit(&b, false);
    loop_pass(200);
    assert_int_equal(stats_of(&a, 2).disconnects, 0);
    assert_int_equal(stats_of(&b, 1).disconnects, 0);
    assert_int_equal(a.n_connected + b.n_connected, 2);
    ends_close(&a, &b);
}

static void test_guests_go_when_they_are_not_admitted_any_more(void **state)
{
    struct end a;
    struct end b;

    (void)state;
    ends_open(&a, &b);
    admit(&b, true);
    LOOP_UNTIL(a.n_connected == 1 && b.n_connected == 1, WAIT_MS);
    /* What set_peers does not name stays: the log may be old. */
    end_knows(&b, 9, 1, false);
    assert_true(knows(&b, 1));
    admit(&b, false);
    assert_false(knows(&b, 1));
    LOOP_UNTIL(a.n_unreachable[TRANSPORT_RAFT] == 1, WAIT_MS);
    loop_pass(500);
    assert_int_equal(a.n_connected, 1);
    assert_false(knows(&b, 1));
    assert_int_equal(a.n_removed, 0);
    ends_close(&a, &b);
}

static void test_removed_guest_is_told(void **state)
{
    struct end a;
    struct end b;
    struct transport *t;
    uint64_t gone = 1;

    (void)state;
    ends_open(&a, &b);
    t = peer_transport_base(b.p);
    admit(&b, true);
    LOOP_UNTIL(a.n_connected == 1 && b.n_connected == 1, WAIT_MS);
    assert_int_equal(t->ops->set_removed(t, &gone, 1), 0);
    assert_false(knows(&b, 1));
    LOOP_UNTIL(a.n_removed >= 1, WAIT_MS);
    loop_pass(300);
    assert_false(knows(&b, 1));
    ends_close(&a, &b);
}

static void test_no_guests_unless_admitted(void **state)
{
    struct end a;
    struct end b;

    (void)state;
    ends_open(&a, &b);
    check_nothing_passes(&a, &b);
    admit(&b, true); /* It asks again by itself. */
    LOOP_UNTIL(a.n_connected == 1 && b.n_connected == 1, WAIT_MS);
    ends_close(&a, &b);
}

static void test_guest_must_say_where_it_is(void **state)
{
    struct end a;
    struct end b;

    (void)state;
    end_open(&a, 1, 0);
    end_open(&b, 2, 0);
    end_knows(&a, 2, peer_transport_port(b.p), false);
    admit(&b, true);
    check_nothing_passes(&a, &b);
    assert_false(knows(&b, 1));
    ends_close(&a, &b);
}

static void test_guest_of_another_cluster(void **state)
{
    struct end a;
    struct end b;

    (void)state;
    end_open(&a, 1, CLUSTER);
    end_open(&b, 2, CLUSTER + 1);
    end_knows_itself(&a, 2, peer_transport_port(b.p), false);
    admit(&b, true);
    check_nothing_passes(&a, &b);
    assert_false(knows(&b, 1));
    ends_close(&a, &b);
}

/* ---- many ---- */

enum { WELCOME_BYTES = PEER_FRAME_HEADER + 36, REFUSED_BYTES = PEER_FRAME_HEADER + 4 };

static void introduce(struct raw *r, struct end *to, uint64_t from, const char *url)
{
    const struct peer_hello hello = {
        .protocol = PEER_PROTOCOL_INTRODUCTION,
        .kind = PEER_STREAM_RAFT,
        .cluster_id = CLUSTER,
        .from = from,
        .to = to->id,
        .urls = {view_str(url)},
        .n_urls = 1,
    };

    raw_open(r, peer_transport_port(to->p));
    raw_send(r, peer_hello_encode(PEER_FRAME_HELLO, &hello));
    LOOP_UNTIL(r->received > 0, WAIT_MS);
}

static void raw_end(struct raw *r)
{
    stream_close(r->s);
    LOOP_UNTIL(r->closed, WAIT_MS);
}

static void test_guests_are_few(void **state)
{
    static const char nowhere[] = "http://127.0.0.1:1";
    struct raw r[TRANSPORT_GUESTS_MAX + 1];
    struct raw *last = &r[TRANSPORT_GUESTS_MAX];
    struct end b;

    (void)state;
    end_open(&b, 2, 0);
    admit(&b, true);
    for (uint64_t i = 0; i < TRANSPORT_GUESTS_MAX; i++) {
        introduce(&r[i], &b, 100 + i, nowhere);
        assert_int_equal(r[i].received, WELCOME_BYTES);
    }
    introduce(last, &b, 200, nowhere);
    assert_int_equal(last->received, REFUSED_BYTES);
    LOOP_UNTIL(last->closed, WAIT_MS);
    raw_end(&r[3]);
    /* As soon as it has noticed. */
    introduce(last, &b, 200, nowhere);
    while (last->received == REFUSED_BYTES) {
        LOOP_UNTIL(last->closed, WAIT_MS);
        introduce(last, &b, 200, nowhere);
    }
    assert_int_equal(last->received, WELCOME_BYTES);
    assert_false(knows(&b, 103));
    for (int i = 0; i <= TRANSPORT_GUESTS_MAX; i++) {
        if (i != 3) {
            raw_end(&r[i]);
        }
    }
    end_close(&b);
}

static void test_guests_that_cannot_be(void **state)
{
    struct end b;
    struct raw r;

    (void)state;
    end_open(&b, 2, 0);
    admit(&b, true);
    introduce(&r, &b, 2, "http://127.0.0.1:1"); /* itself */
    assert_int_equal(r.received, REFUSED_BYTES);
    LOOP_UNTIL(r.closed, WAIT_MS);
    introduce(&r, &b, 0, "http://127.0.0.1:1");
    assert_int_equal(r.received, REFUSED_BYTES);
    LOOP_UNTIL(r.closed, WAIT_MS);
    introduce(&r, &b, 1, "http://127.0.0.1"); /* no port */
    assert_int_equal(r.received, REFUSED_BYTES);
    LOOP_UNTIL(r.closed, WAIT_MS);
    assert_false(knows(&b, 1));
    end_close(&b);
}

/* ---- a member of a version that knows no introductions ---- */

static struct {
    struct stream *s;
    struct peer_parser parser;
    unsigned n_plain;
    unsigned n_introductions;
} old;

static void old_on_data(void *ctx, struct kvs_view data)
{
    struct rcbuf *frame = NULL;
    struct rcbuf *refusal;

    (void)ctx;
    assert_int_equal(peer_parser_next(&old.parser, &data, PEER_HELLO_BYTES_MAX, &frame), 0);
    if (frame == NULL) {
        return;
    }
    if (frame->len == WELCOME_BYTES) {
        refusal = peer_refused_encode(PEER_REFUSED_UNKNOWN);
        assert_non_null(refusal);
        assert_int_equal(stream_write(old.s, refusal->data, refusal->len), 0);
        rcbuf_unref(refusal);
        old.n_plain++;
        stream_close_flush(old.s);
    } else { /* malformed to it */
        old.n_introductions++;
        stream_close(old.s);
    }
    rcbuf_unref(frame);
}

static void old_on_close(void *ctx, int err, const char *text)
{
    (void)ctx;
    (void)err;
    (void)text;
    old.s = NULL;
    peer_parser_fini(&old.parser);
    old.parser = (struct peer_parser){0};
}

static void old_accept(void *ctx, struct stream *s)
{
    static const struct stream_ops ops = {.on_data = old_on_data, .on_close = old_on_close};

    (void)ctx;
    assert_null(old.s);
    old.s = s;
    stream_set_ops(s, &ops, NULL);
}

static void test_older_version_is_met_as_ever(void **state)
{
    struct net_addr at = here(0, false);
    struct listener *listener;
    struct kvs_error error;
    struct end a;

    (void)state;
    memset(&old, 0, sizeof old);
    assert_int_equal(stream_listen(loop, &at, NULL, NULL, old_accept, NULL, &listener, &error), 0);
    end_open(&a, 1, 0);
    end_knows_itself(&a, 2, listener_port(listener), false);
    /* One each in turn, so that it finds us when it knows us. */
    LOOP_UNTIL(old.n_introductions == 1, WAIT_MS);
    assert_int_equal(old.n_plain, 1);
    LOOP_UNTIL(old.n_introductions == 2, WAIT_MS);
    assert_int_equal(old.n_plain, 2);
    end_close(&a);
    listener_close(listener);
    LOOP_UNTIL(old.s == NULL, WAIT_MS);
}

/* ---- TLS ---- */

static void tls_ends_open(struct end *a,
                          struct end *b,
                          struct tls_pair *t,
                          bool a_listens_with_tls,
                          const char *allowed_cn)
{
    struct peer_transport_options oa = {.client_tls = t->client};
    struct peer_transport_options ob = {
        .server_tls = t->server, .client_tls = t->client, .allowed_cn = allowed_cn};

    oa.server_tls = a_listens_with_tls ? t->server : NULL;
    end_open_with(a, 1, &oa);
    end_open_with(b, 2, &ob);
    end_knows_itself(a, 2, peer_transport_port(b->p), true);
    admit(b, true);
}

static void test_tls_guest(void **state)
{
    struct tls_pair t;
    struct end a;
    struct end b;

    (void)state;
    tls_pair_init(&t);
    tls_ends_open(&a, &b, &t, true, "alice");
    LOOP_UNTIL(a.n_connected == 1 && b.n_connected == 1, WAIT_MS);
    exchange(&a, &b);
    ends_close(&a, &b);
    /* The wrong name; and an address in the clear, told over TLS. */
    tls_ends_open(&a, &b, &t, true, "bob");
    check_nothing_passes(&a, &b);
    ends_close(&a, &b);
    tls_ends_open(&a, &b, &t, false, "alice");
    check_nothing_passes(&a, &b);
    assert_false(knows(&b, 1));
    ends_close(&a, &b);
    tls_pair_fini(&t);
}

#define GUEST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUEST_TEST(test_guest_becomes_member),
        GUEST_TEST(test_guests_go_when_they_are_not_admitted_any_more),
        GUEST_TEST(test_removed_guest_is_told),
        GUEST_TEST(test_no_guests_unless_admitted),
        GUEST_TEST(test_guest_must_say_where_it_is),
        GUEST_TEST(test_guest_of_another_cluster),
        GUEST_TEST(test_guests_are_few),
        GUEST_TEST(test_guests_that_cannot_be),
        GUEST_TEST(test_older_version_is_met_as_ever),
        GUEST_TEST(test_tls_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
