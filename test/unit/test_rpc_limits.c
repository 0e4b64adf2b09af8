/* What a hostile HTTP/2 client can say, frame by frame, and how the server ends it. */
#include "rpc_fixture.h"

enum {
    ENHANCE_YOUR_CALM = 11,
    PROTOCOL_ERROR = 1,
};

static unsigned n_echoed;

static void echo(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    n_echoed++;
    rpc_reply_copy(c, rpc_call_request(c));
}

static void stream_message(struct rpc_call *c, struct kvs_view message)
{
    assert_int_equal(rpc_stream_send_copy(c, message), 0);
}

static const struct rpc_stream_ops stream_ops = {.on_message = stream_message};

static void stream(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    rpc_stream_start(c, &stream_ops);
}

static void start(struct fixture *f, struct raw *r, const struct rpc_limits *limits)
{
    n_echoed = 0;
    fixture_init(f, limits, NULL);
    assert_int_equal(rpc_method(f->server, "/t.T/Echo", RPC_UNARY, echo, NULL), 0);
    assert_int_equal(rpc_method(f->server, "/t.T/Stream", RPC_BIDI, stream, NULL), 0);
    raw_open(f, r);
    raw_preface(r);
}

static void stop(struct fixture *f, struct raw *r)
{
    raw_close(f, r);
    fixture_fini(f);
}

static void expect_punished(struct fixture *f, struct raw *r, const char *why)
{
    raw_expect_goaway(f, r, ENHANCE_YOUR_CALM, why);
    assert_int_equal(rpc_server_figures(f->server)->connections_punished, 1);
    stop(f, r);
}

static void nothing_is_sent_before_the_preface(void **state)
{
    struct fixture f;
    struct raw r;

    (void)state;
    fixture_init(&f, NULL, NULL);
    raw_open(&f, &r);
    raw_send(&r, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r", 23);
    fixture_sleep(&f, 20);
    assert_int_equal(r.received.len, 0);
    raw_send(&r, "\n", 1);
    fixture_wait(&f, r.received.len > 9);
    assert_int_equal(r.received.data[3], FRAME_SETTINGS);
    stop(&f, &r);
}

static void rapid_resets_are_punished(void **state)
{
    static const uint8_t cancel[4] = {0, 0, 0, 8};
    struct rpc_limits limits = {.resets_burst = 50, .resets_per_s = 1};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    for (uint32_t i = 0; i < 60; i++) {
        raw_call(&r, 2 * i + 1, "/t.T/Echo", NULL, NULL);
        raw_frame(&r, FRAME_RST_STREAM, 0, 2 * i + 1, cancel, 4);
    }
    expect_punished(&f, &r, "too_many_resets");
}

static void pings_are_counted_as_grpc_go_does(void **state)
{
    static const uint8_t opaque[8] = {0};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, NULL);
    raw_call(&r, 1, "/t.T/Stream", NULL, NULL);
    for (int i = 0; i < 3; i++) {
        raw_frame(&r, FRAME_PING, 0, 0, opaque, 8);
    }
    fixture_sleep(&f, 20);
    assert_false(r.closed); /* the first is free, then two strikes */
    raw_frame(&r, FRAME_PING, 0, 0, opaque, 8);
    expect_punished(&f, &r, "too_many_pings");
}

static void pings_at_the_allowed_interval_are_welcome(void **state)
{
    static const uint8_t opaque[8] = {0};
    struct rpc_limits limits = {.ping_min_interval_ms = 20};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    raw_call(&r, 1, "/t.T/Stream", NULL, NULL);
    for (int i = 0; i < 8; i++) {
        raw_frame(&r, FRAME_PING, 0, 0, opaque, 8);
        fixture_sleep(&f, 25);
    }
    assert_false(r.closed);
    stop(&f, &r);
    /* Without a call, they are not: the interval is two hours then. */
    start(&f, &r, &limits);
    for (int i = 0; i < 4; i++) {
        raw_frame(&r, FRAME_PING, 0, 0, opaque, 8);
        fixture_sleep(&f, 25);
    }
    expect_punished(&f, &r, "too_many_pings");
    limits.ping_without_stream = true;
    start(&f, &r, &limits);
    for (int i = 0; i < 6; i++) {
        raw_frame(&r, FRAME_PING, 0, 0, opaque, 8);
        fixture_sleep(&f, 25);
    }
    assert_false(r.closed);
    stop(&f, &r);
}

static void what_we_send_forgives_pings(void **state)
{
    static const uint8_t opaque[8] = {0};
    static const uint8_t message[7] = {0, 0, 0, 0, 2, 'h', 'i'};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, NULL);
    raw_call(&r, 1, "/t.T/Stream", NULL, NULL);
    for (int i = 0; i < 20; i++) {
        size_t before = r.received.len;

        raw_frame(&r, FRAME_DATA, 0, 1, message, sizeof message);
        fixture_wait(&f, r.received.len >= before + 16);
        raw_frame(&r, FRAME_PING, 0, 0, opaque, 8);
    }
    fixture_sleep(&f, 20);
    assert_false(r.closed);
    stop(&f, &r);
}

static void settings_floods_are_punished(void **state)
{
    struct rpc_limits limits = {.control_burst = 40, .control_per_s = 1};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    for (int i = 0; i < 60; i++) {
        raw_frame(&r, FRAME_SETTINGS, 0, 0, NULL, 0);
    }
    expect_punished(&f, &r, "too_many_control_frames");
}

static void priority_floods_are_punished(void **state)
{
    static const uint8_t priority[5] = {0, 0, 0, 0, 1};
    struct rpc_limits limits = {.control_burst = 40, .control_per_s = 1};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    for (uint32_t i = 0; i < 60; i++) {
        raw_frame(&r, FRAME_PRIORITY, 0, 2 * i + 1, priority, 5);
    }
    expect_punished(&f, &r, "too_many_control_frames");
}

static void empty_data_floods_are_punished(void **state)
{
    struct rpc_limits limits = {.control_burst = 40, .control_per_s = 1};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    raw_call(&r, 1, "/t.T/Stream", NULL, NULL);
    for (int i = 0; i < 60; i++) {
        raw_frame(&r, FRAME_DATA, 0, 1, NULL, 0);
    }
    expect_punished(&f, &r, "too_many_control_frames");
}

static void continuation_floods_end_the_connection(void **state)
{
    uint8_t block[600];
    struct fixture f;
    struct raw r;
    size_t n;

    (void)state;
    start(&f, &r, NULL);
    n = raw_grpc_headers(block, "/t.T/Echo");
    raw_frame(&r, FRAME_HEADERS, 0, 1, block, n);
    n = raw_field(block, "x", "y");
    for (int i = 0; i < 20; i++) {
        raw_frame(&r, FRAME_CONTINUATION, 0, 1, block, n);
    }
    fixture_wait(&f, r.closed);
    assert_int_equal(n_echoed, 0);
    stop(&f, &r);
}

static void an_unfinished_header_block_times_out(void **state)
{
    struct rpc_limits limits = {.header_timeout_ms = 500};
    uint8_t block[600];
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    raw_frame(&r, FRAME_HEADERS, 0, 1, block, raw_grpc_headers(block, "/t.T/Echo"));
    fixture_wait(&f, r.closed);
    stop(&f, &r);
    /* A complete one may stay without further ado. */
    start(&f, &r, &limits);
    raw_call(&r, 1, "/t.T/Stream", NULL, NULL);
    fixture_sleep(&f, 700);
    assert_false(r.closed);
    stop(&f, &r);
}

static void large_headers_are_refused(void **state)
{
    uint8_t block[4000];
    struct rpc_limits limits = {.header_max = 1000};
    struct kvs_view payload = {0};
    struct fixture f;
    struct raw r;
    size_t n;

    (void)state;
    start(&f, &r, &limits);
    n = raw_grpc_headers(block, "/t.T/Echo");
    for (int i = 0; i < 20; i++) {
        n += raw_field(block + n, "a-name", "a-value");
    }
    raw_frame(&r, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, block, n);
    fixture_wait(&f, raw_find_frame(&r, FRAME_HEADERS, &payload)); /* 431 */
    assert_int_equal(n_echoed, 0);
    for (int i = 0; i < 120; i++) {
        n += raw_field(block + n, "a-name", "a-value");
    }
    raw_frame(&r, FRAME_HEADERS, END_HEADERS | END_STREAM, 3, block, n);
    fixture_wait(&f, raw_find_frame(&r, FRAME_RST_STREAM, &payload)); /* beyond patience */
    raw_call(&r, 5, "/t.T/Echo", NULL, NULL);
    raw_frame(&r, FRAME_DATA, END_STREAM, 5, "\0\0\0\0\0", 5);
    fixture_wait(&f, n_echoed == 1); /* the connection goes on */
    stop(&f, &r);
}

static void streams_are_limited(void **state)
{
    struct rpc_limits limits = {.streams_max = 10};
    struct kvs_view payload = {0};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    raw_frame(&r, FRAME_SETTINGS, 1, 0, NULL, 0); /* our limit is acknowledged */
    for (uint32_t i = 0; i < 11; i++) {
        raw_call(&r, 2 * i + 1, "/t.T/Stream", NULL, NULL);
    }
    fixture_wait(&f, raw_find_frame(&r, FRAME_RST_STREAM, &payload) || r.closed);
    assert_true(rpc_server_figures(f.server)->calls <= 10);
    stop(&f, &r);
}

static void a_stalled_body_times_out(void **state)
{
    struct rpc_limits limits = {.body_timeout_ms = 50};
    struct kvs_view payload = {0};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    raw_call(&r, 1, "/t.T/Echo", NULL, NULL);
    raw_frame(&r, FRAME_DATA, 0, 1, "\0\0\0\0\5he", 7);
    fixture_wait(&f, raw_find_frame(&r, FRAME_RST_STREAM, &payload));
    assert_int_equal(n_echoed, 0);
    assert_false(r.closed);
    stop(&f, &r);
}

/* Bytes of unfinished messages are bounded over all calls. */
static void unfinished_messages_are_limited_together(void **state)
{
    static uint8_t half[10005] = {0, 0, 0, 0x4e, 0x20}; /* 10000 of 20000 bytes */
    struct rpc_limits limits = {.recv_total_max = 35000};
    struct kvs_view payload = {0};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    for (uint32_t i = 0; i < 4; i++) {
        raw_call(&r, 2 * i + 1, "/t.T/Echo", NULL, NULL);
        raw_frame(&r, FRAME_DATA, 0, 2 * i + 1, half, sizeof half);
    }
    fixture_wait(&f, raw_find_frame(&r, FRAME_HEADERS, &payload));
    raw_frame(&r, FRAME_RST_STREAM, 0, 3, "\0\0\0\10", 4); /* its bytes are free again */
    raw_frame(&r, FRAME_DATA, END_STREAM, 1, half + 5, 10000);
    fixture_wait(&f, n_echoed == 1);
    stop(&f, &r);
}

/* A client that asks and asks and never reads. */
static void unread_replies_are_limited(void **state)
{
    static const uint8_t no_window[6] = {0, 4, 0, 0, 0, 0};
    static uint8_t message[3005] = {0, 0, 0, 0x0b, 0xb8};
    struct rpc_limits limits = {.send_total_max = 10000};
    struct kvs_view payload = {0};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    raw_frame(&r, FRAME_SETTINGS, 0, 0, no_window, sizeof no_window);
    for (uint32_t i = 0; i < 10; i++) {
        raw_call(&r, 2 * i + 1, "/t.T/Echo", NULL, NULL);
        raw_frame(&r, FRAME_DATA, END_STREAM, 2 * i + 1, message, sizeof message);
    }
    fixture_wait(&f, raw_find_frame(&r, FRAME_HEADERS, &payload));
    fixture_sleep(&f, 20);
    assert_int_equal(n_echoed, 4);
    raw_frame(&r, FRAME_RST_STREAM, 0, 1, "\0\0\0\10", 4);
    raw_call(&r, 21, "/t.T/Echo", NULL, NULL);
    raw_frame(&r, FRAME_DATA, END_STREAM, 21, message, sizeof message);
    fixture_wait(&f, n_echoed == 5);
    stop(&f, &r);
}

static void malformed_calls_are_refused_one_by_one(void **state)
{
    static const struct {
        const char *extra;
        const char *value;
        const char *body;
        size_t len;
    } rows[] = {
        {"grpc-timeout", "1x", "\0\0\0\0\0", 5},
        {"grpc-encoding", "gzip", "\0\0\0\0\0", 5},
        {NULL, NULL, "\1\0\0\0\0", 5},            /* compressed */
        {NULL, NULL, "\7\0\0\0\0", 5},            /* no such flag */
        {NULL, NULL, "\0\377\377\377\377", 5},    /* too long */
        {NULL, NULL, "\0\0\0\0\5abc", 8},         /* cut short */
        {NULL, NULL, "\0\0\0\0\0\0\0\0\0\0", 10}, /* two messages */
        {NULL, NULL, "", 0},                      /* none */
    };
    struct fixture f;
    struct raw r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kvs_view payload = {0};

        start(&f, &r, NULL);
        raw_call(&r, 1, "/t.T/Echo", rows[i].extra, rows[i].value);
        raw_frame(&r, FRAME_DATA, END_STREAM, 1, rows[i].body, rows[i].len);
        fixture_wait(&f, raw_find_frame(&r, FRAME_HEADERS, &payload));
        assert_false(r.closed);
        assert_int_equal(n_echoed, 0);
        stop(&f, &r);
    }
}

struct field {
    const char *name;
    const char *value;
};

static void raw_request(struct raw *r, const struct field *fields, size_t n_fields)
{
    uint8_t block[512];
    size_t len = 0;

    for (size_t i = 0; i < n_fields; i++) {
        len += raw_field(block + len, fields[i].name, fields[i].value);
    }
    raw_frame(r, FRAME_HEADERS, END_HEADERS, 1, block, len);
    raw_frame(r, FRAME_DATA, END_STREAM, 1, "\0\0\0\0\0", 5);
}

/* etcdctl sends its endpoint, scheme and all, as :authority. */
static void an_authority_may_be_a_url(void **state)
{
    static const struct field fields[] = {
        {":method", "POST"},
        {":scheme", "http"},
        {":path", "/t.T/Echo"},
        {":authority", "http://127.0.0.1:2379"},
        {"content-type", "application/grpc"},
        {"content-length", "5"},
        {"te", "trailers"},
    };
    struct kvs_view payload = {0};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, NULL);
    raw_request(&r, fields, ARRAY_LEN(fields));
    fixture_wait(&f, raw_find_frame(&r, FRAME_HEADERS, &payload));
    assert_int_equal(n_echoed, 1);
    stop(&f, &r);
}

static void requests_against_the_protocol_are_reset(void **state)
{
    /* Each row spoils one field of a good request, or adds one. */
    static const struct {
        size_t at;
        struct field field;
    } rows[] = {
        {0, {":method", "CONNECT"}},
        {0, {":method", "P ST"}},
        {0, {":path", "/t.T/Echo"}},
        {1, {":scheme", ""}},
        {1, {":method", "POST"}},
        {2, {":path", ""}},
        {2, {":path", "t.T/Echo"}},
        {2, {":path", "/t.T/ Echo"}},
        {3, {"x", "y"}},
        {3, {":status", "200"}},
        {4, {":scheme", "http"}},
        {4, {"X-Upper", "y"}},
        {5, {"connection", "close"}},
        {5, {"transfer-encoding", "chunked"}},
        {5, {"te", "gzip"}},
        {5, {"content-length", "4"}},
        {5, {"content-length", "6"}},
        {5, {"content-length", "x"}},
        {5, {"x", " led by a space"}},
        {5, {"", "no name"}},
    };
    struct kvs_view payload = {0};
    struct fixture f;
    struct raw r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct field fields[] = {
            {":method", "POST"},
            {":scheme", "http"},
            {":path", "/t.T/Echo"},
            {":authority", "x"},
            {"content-type", "application/grpc"},
            {"te", "trailers"},
        };

        fields[rows[i].at] = rows[i].field;
        if (rows[i].at == 3 && rows[i].field.name[0] != ':') {
            /* A pseudo-header behind an ordinary one. */
            fields[3] = fields[2];
            fields[2] = rows[i].field;
        }
        start(&f, &r, NULL);
        raw_request(&r, fields, ARRAY_LEN(fields));
        fixture_wait(&f, raw_find_frame(&r, FRAME_RST_STREAM, &payload));
        assert_memory_equal(payload.data, "\0\0\0\1", 4);
        assert_false(r.closed);
        assert_int_equal(n_echoed, 0);
        stop(&f, &r);
    }
}

static void the_servers_own_ping_finds_dead_clients(void **state)
{
    struct rpc_limits limits = {.ping_interval_ms = 300, .ping_timeout_ms = 300};
    struct kvs_view payload = {0};
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, &limits);
    fixture_wait(&f, raw_find_frame(&r, FRAME_PING, &payload));
    raw_frame(&r, FRAME_PING, 1, 0, payload.data, 8); /* alive */
    fixture_sleep(&f, 400);
    assert_false(r.closed);
    fixture_wait(&f, r.closed); /* the next one is not answered */
    stop(&f, &r);
}

static void garbage_after_the_preface_ends_the_connection(void **state)
{
    struct fixture f;
    struct raw r;

    (void)state;
    start(&f, &r, NULL);
    raw_frame(&r, FRAME_DATA, 0, 0, "x", 1); /* DATA on stream 0 */
    raw_expect_goaway(&f, &r, PROTOCOL_ERROR, NULL);
    stop(&f, &r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_sent_before_the_preface),
        cmocka_unit_test(rapid_resets_are_punished),
        cmocka_unit_test(pings_are_counted_as_grpc_go_does),
        cmocka_unit_test(pings_at_the_allowed_interval_are_welcome),
        cmocka_unit_test(what_we_send_forgives_pings),
        cmocka_unit_test(settings_floods_are_punished),
        cmocka_unit_test(priority_floods_are_punished),
        cmocka_unit_test(empty_data_floods_are_punished),
        cmocka_unit_test(continuation_floods_end_the_connection),
        cmocka_unit_test(an_unfinished_header_block_times_out),
        cmocka_unit_test(large_headers_are_refused),
        cmocka_unit_test(streams_are_limited),
        cmocka_unit_test(a_stalled_body_times_out),
        cmocka_unit_test(unfinished_messages_are_limited_together),
        cmocka_unit_test(unread_replies_are_limited),
        cmocka_unit_test(malformed_calls_are_refused_one_by_one),
        cmocka_unit_test(an_authority_may_be_a_url),
        cmocka_unit_test(requests_against_the_protocol_are_reset),
        cmocka_unit_test(the_servers_own_ping_finds_dead_clients),
        cmocka_unit_test(garbage_after_the_preface_ends_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
