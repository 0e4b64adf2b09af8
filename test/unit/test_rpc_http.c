/* HTTP/1.1 byte by byte: keep-alive, pipelining, chunks, bad requests, limits of time and size. */
#include "rpc_fixture.h"

static struct fixture fx;
static unsigned n_handled;
static unsigned n_closed;
static bool last_canceled;
static struct rpc_call *parked;

static void ticks_closed(struct rpc_call *c, bool canceled)
{
    (void)c;
    n_closed++;
    last_canceled = canceled;
}

static unsigned ticks_left;

static void ticks_send(struct rpc_call *c)
{
    static char block[1000];

    memset(block, 't', sizeof block);
    while (ticks_left > 0 && rpc_stream_queued(c) <= RPC_QUEUE_HIGH) {
        assert_int_equal(rpc_http_write(c, view_make(block, sizeof block)), 0);
        ticks_left--;
    }
    if (ticks_left == 0) {
        rpc_http_end(c);
    }
}

static const struct rpc_stream_ops ticks_ops = {.on_writable = ticks_send,
                                                .on_closed = ticks_closed};

static void describe(struct rpc_call *c)
{
    static const struct rpc_http_field fields[] = {
        {"x-one", "1"}, {"x-two", "a\r\nset-cookie: b"}, {"x\n", "c"}};
    struct kvs_view method = rpc_http_method(c);
    struct kvs_view path = rpc_call_path(c);
    struct kvs_view query = rpc_http_query(c);
    struct kvs_view host = VIEW_LITERAL("-");
    struct buf b;

    (void)rpc_call_header(c, "host", &host);
    buf_init(&b);
    buf_printf(&b, "<%.*s %.*s ?%.*s host=%.*s body=%zu:%.*s>", (int)method.len,
               (const char *)method.data, (int)path.len, (const char *)path.data, (int)query.len,
               (const char *)query.data, (int)host.len, (const char *)host.data,
               rpc_call_request(c).len,
               (int)(rpc_call_request(c).len < 20 ? rpc_call_request(c).len : 20),
               (const char *)rpc_call_request(c).data);
    rpc_http_reply(c, 200, "text/plain", fields, 3, buf_take(&b));
}

static void handle(void *ctx, struct rpc_call *c)
{
    struct kvs_view path = rpc_call_path(c);

    (void)ctx;
    n_handled++;
    if (view_equal_str(path, "/ticks")) {
        ticks_left = 1000;
        rpc_http_begin(c, 200, "text/plain", NULL, 0, &ticks_ops);
        ticks_send(c);
    } else if (view_equal_str(path, "/broken")) {
        rpc_http_begin(c, 200, "text/plain", NULL, 0, &ticks_ops);
        assert_int_equal(rpc_http_write(c, VIEW_LITERAL("some")), 0);
        rpc_fail(c, RPC_INTERNAL, "then nothing");
    } else if (view_equal_str(path, "/fail")) {
        rpc_fail(c, RPC_UNAVAILABLE, "etcdserver: no leader");
    } else if (view_equal_str(path, "/nothing")) {
        rpc_http_reply(c, 204, NULL, NULL, 0, (struct kvs_blob){NULL, 0});
    } else if (view_equal_str(path, "/park")) {
        parked = c;
    } else {
        describe(c);
    }
}

static void setup_with(unsigned timeout_ms)
{
    struct rpc_limits limits = {.http_body_max = 5000,
                                .header_max = 2000,
                                .header_timeout_ms = timeout_ms,
                                .body_timeout_ms = timeout_ms,
                                .idle_timeout_ms = timeout_ms};

    n_handled = 0;
    n_closed = 0;
    parked = NULL;
    fixture_init(&fx, &limits, NULL);
    rpc_http(fx.server, handle, NULL);
}

/* No limit is met however slow the machine is. */
static int setup(void **state)
{
    (void)state;
    setup_with(600000);
    return 0;
}

static int setup_impatient(void **state)
{
    (void)state;
    setup_with(400);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_fini(&fx);
    return 0;
}

/* Sends `request`, waits for `answer` (and, if `closes`, for the end). */
static void ask(const char *request, const char *answer, bool closes)
{
    struct raw raw;

    raw_open(&fx, &raw);
    raw_say(&raw, request);
    fixture_wait(&fx, raw_has(&raw, answer) || raw.closed);
    if (!raw_has(&raw, answer)) {
        fail_msg("got: %.*s", (int)raw.received.len, (const char *)raw.received.data);
    }
    if (closes) {
        fixture_wait(&fx, raw.closed);
    } else {
        assert_false(raw.closed);
    }
    raw_close(&fx, &raw);
}

static void requests_are_understood(void **state)
{
    (void)state;
    ask("GET /a/b?x=1&y HTTP/1.1\r\nHost: h\r\n\r\n", "<GET /a/b ?x=1&y host=h body=0:>", false);
    ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "<POST / ? host=h body=5:hello>", false);
    ask("POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: "
        "v\r\n\r\n",
        "<POST /c ? host=- body=5:abcde>", false);
    ask("GET http://elsewhere/path?q HTTP/1.1\r\nHost: h\r\n\r\n", "<GET /path ?q host=h", false);
    ask("GET /x HTTP/1.0\r\n\r\n", "<GET /x ? host=- body=0:>", true);
    ask("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive\r\n", false);
    ask("GET /x HTTP/1.1\r\nConnection: close\r\n\r\n", "Connection: close\r\n", true);
    ask("GET /x HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "<GET /x", false);
    ask("POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n", false);
}

static void answers_have_the_right_shape(void **state)
{
    struct raw raw;

    (void)state;
    raw_open(&fx, &raw);
    raw_say(&raw, "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nGET /fail HTTP/1.1\r\n\r\n");
    fixture_wait(&fx, raw_has(&raw, "no leader\"}"));
    assert_true(raw_has(&raw, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nx-one: 1\r\n"
                              "Content-Length: 26\r\n\r\nHTTP/1.1 503 Service Unavailable\r\n"
                              "Content-Type: application/json\r\nContent-Length: 45\r\n\r\n"
                              "{\"code\":14,\"message\":\"etcdserver: no leader\"}"));
    raw_close(&fx, &raw);
}

static void an_answer_without_content(void **state)
{
    (void)state;
    ask("GET /nothing HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", false);
}

static void bad_requests_get_an_answer_and_the_end(void **state)
{
    (void)state;
    ask("NONSENSE\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", true);
    ask("GET / HTTP/1.1\r\nbad header\r\n\r\n", "HTTP/1.1 400 ", true);
    ask("GET / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "HTTP/1.1 400 ", true);
    ask("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 400 ", true);
    ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "HTTP/1.1 400 ", true);
    ask("GET / HTTP/9.9\r\n\r\n", "HTTP/1.1 400 ", true);
    ask("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 405 ", true);
    ask("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "HTTP/1.1 400 ", true);
    assert_int_equal(n_handled, 0);
}

static void every_cut_of_a_request_is_the_same_request(void **state)
{
    static const char request[] = "POST /p?q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

    (void)state;
    for (size_t cut = 1; cut < sizeof request - 1; cut++) {
        struct raw raw;

        raw_open(&fx, &raw);
        raw_send(&raw, request, cut);
        (void)loop_turn(fx.loop, false);
        (void)loop_turn(fx.loop, false);
        raw_send(&raw, request + cut, sizeof request - 1 - cut);
        fixture_wait(&fx, raw_has(&raw, "<POST /p ?q host=h body=3:abc>"));
        raw_close(&fx, &raw);
    }
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct raw raw;
    struct buf requests;
    const char *at;

    (void)state;
    buf_init(&requests);
    for (int i = 0; i < 500; i++) {
        buf_printf(&requests, "GET /n%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
    }
    raw_open(&fx, &raw);
    raw_send(&raw, requests.data, requests.len);
    fixture_wait(&fx, raw_has(&raw, "<GET /n499 "));
    at = (const char *)raw.received.data;
    for (int i = 0; i < 500; i++) {
        char text[32];

        (void)snprintf(text, sizeof text, "<GET /n%d ", i);
        at = strstr(at, text);
        assert_non_null(at);
    }
    assert_int_equal(n_handled, 500);
    raw_close(&fx, &raw);
    buf_fini(&requests);
}

/* The second request waits for the first one's answer, however long that takes. */
static void a_pipelined_request_waits(void **state)
{
    struct raw raw;

    (void)state;
    raw_open(&fx, &raw);
    raw_say(&raw, "GET /park HTTP/1.1\r\n\r\nGET /second HTTP/1.1\r\n\r\n");
    fixture_wait(&fx, parked != NULL);
    fixture_sleep(&fx, 20);
    assert_int_equal(n_handled, 1);
    describe(parked);
    fixture_wait(&fx, raw_has(&raw, "<GET /second"));
    assert_true(raw_has(&raw, "<GET /park"));
    raw_close(&fx, &raw);
}

static void long_answers_are_chunked(void **state)
{
    struct raw raw;
    size_t n = 0;

    (void)state;
    raw_open(&fx, &raw);
    raw_say(&raw, "GET /ticks HTTP/1.1\r\n\r\nGET /next HTTP/1.1\r\n\r\n");
    fixture_wait(&fx, raw_has(&raw, "<GET /next"));
    assert_true(raw_has(&raw, "Transfer-Encoding: chunked\r\n"));
    assert_true(raw_has(&raw, "\r\n0\r\n\r\nHTTP/1.1 200 OK"));
    for (size_t i = 400; i < raw.received.len; i++) {
        n += raw.received.data[i] == 't';
    }
    assert_true(n > 999000);
    assert_int_equal(n_closed, 1);
    assert_false(last_canceled);
    raw_close(&fx, &raw);
    raw_open(&fx, &raw);
    raw_say(&raw, "GET /ticks HTTP/1.0\r\n\r\n");
    fixture_wait(&fx, raw.closed);
    assert_true(raw.received.len > 1000000);
    assert_false(raw_has(&raw, "chunked"));
    raw_close(&fx, &raw);
}

static void a_broken_answer_shows(void **state)
{
    struct raw raw;

    (void)state;
    raw_open(&fx, &raw);
    raw_say(&raw, "GET /broken HTTP/1.1\r\n\r\n");
    fixture_wait(&fx, raw.closed);
    assert_false(raw_has(&raw, "0\r\n\r\n"));
    assert_int_equal(n_closed, 1);
    assert_true(last_canceled);
    raw_close(&fx, &raw);
}

static void a_client_that_leaves_cancels(void **state)
{
    struct raw raw;

    (void)state;
    raw_open(&fx, &raw);
    raw_say(&raw, "GET /park HTTP/1.1\r\n\r\n");
    fixture_wait(&fx, parked != NULL);
    raw_close(&fx, &raw);
    fixture_wait(&fx, rpc_call_is_canceled(parked));
    /* Even a streaming answer may be begun now: it ends at once, later. */
    rpc_http_begin(parked, 200, NULL, NULL, 0, &ticks_ops);
    assert_int_equal(rpc_http_write(parked, VIEW_LITERAL("x")), KVS_E_CLOSED);
    assert_int_equal(n_closed, 0);
    fixture_wait(&fx, n_closed == 1);
    assert_true(last_canceled);
}

static void sizes_are_limited(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_printf(&b, "GET /%02000d HTTP/1.1\r\n\r\n", 1);
    buf_append_u8(&b, 0);
    ask((const char *)b.data, "HTTP/1.1 431 ", true);
    buf_clear(&b);
    buf_printf(&b, "GET / HTTP/1.1\r\nx: %02000d\r\n\r\n", 1);
    buf_append_u8(&b, 0);
    ask((const char *)b.data, "HTTP/1.1 431 ", true);
    buf_clear(&b);
    buf_append_str(&b, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 100; i++) {
        buf_append_str(&b, "a: b\r\n");
    }
    buf_append_str(&b, "\r\n");
    buf_append_u8(&b, 0);
    ask((const char *)b.data, "HTTP/1.1 431 ", true);
    buf_clear(&b);
    buf_printf(&b, "POST / HTTP/1.1\r\nContent-Length: 6000\r\n\r\n%06000d", 1);
    buf_append_u8(&b, 0);
    ask((const char *)b.data, "HTTP/1.1 413 ", true);
    buf_fini(&b);
    assert_int_equal(n_handled, 0);
}

/* Slow loris: half a header, half a body, nothing at all. */
static void times_are_limited(void **state)
{
    struct raw raw;

    (void)state;
    raw_open(&fx, &raw);
    fixture_wait(&fx, raw.closed); /* said nothing */
    raw_close(&fx, &raw);
    raw_open(&fx, &raw);
    raw_say(&raw, "GET / HT");
    fixture_wait(&fx, raw.closed);
    raw_close(&fx, &raw);
    raw_open(&fx, &raw);
    raw_say(&raw, "PRI * HT");
    fixture_wait(&fx, raw.closed);
    raw_close(&fx, &raw);
    ask("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel", "HTTP/1.1 408 Request Timeout", true);
    raw_open(&fx, &raw);
    raw_say(&raw, "GET / HTTP/1.1\r\n\r\n");
    fixture_wait(&fx, raw_has(&raw, "<GET / "));
    fixture_wait(&fx, raw.closed); /* idle */
    raw_close(&fx, &raw);
}

static bool drained;

static void on_drained(void *ctx)
{
    (void)ctx;
    drained = true;
}

static void drain_ends_keep_alive(void **state)
{
    struct raw idle;
    struct raw busy;

    (void)state;
    drained = false;
    raw_open(&fx, &idle);
    raw_open(&fx, &busy);
    raw_say(&idle, "GET /1 HTTP/1.1\r\n\r\n");
    fixture_wait(&fx, raw_has(&idle, "<GET /1"));
    raw_say(&busy, "GET /park HTTP/1.1\r\n\r\n");
    fixture_wait(&fx, parked != NULL);
    rpc_drain(fx.server, 5000, on_drained, NULL);
    fixture_wait(&fx, idle.closed);
    assert_false(busy.closed || drained);
    describe(parked);
    fixture_wait(&fx, busy.closed && drained);
    assert_true(raw_has(&busy, "<GET /park"));
    raw_close(&fx, &idle);
    raw_close(&fx, &busy);
}

static void connections_are_limited(void **state)
{
    struct rpc_limits limits = {.connections_max = 2};
    struct fixture f;
    struct raw raw[3];

    (void)state;
    fixture_init(&f, &limits, NULL);
    for (int i = 0; i < 3; i++) {
        raw_open(&f, &raw[i]);
    }
    fixture_wait(&f, raw[2].closed);
    assert_false(raw[0].closed || raw[1].closed);
    assert_int_equal(rpc_server_figures(f.server)->connections_refused, 1);
    raw_close(&f, &raw[0]);
    fixture_wait(&f, rpc_server_figures(f.server)->connections == 1);
    raw_close(&f, &raw[2]);
    raw_open(&f, &raw[2]);
    fixture_wait(&f, rpc_server_figures(f.server)->connections == 2);
    raw_close(&f, &raw[1]);
    raw_close(&f, &raw[2]);
    fixture_fini(&f);
}

#define http_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        http_test(requests_are_understood),
        http_test(answers_have_the_right_shape),
        http_test(an_answer_without_content),
        http_test(bad_requests_get_an_answer_and_the_end),
        http_test(every_cut_of_a_request_is_the_same_request),
        http_test(pipelined_requests_are_answered_in_order),
        http_test(a_pipelined_request_waits),
        http_test(long_answers_are_chunked),
        http_test(a_broken_answer_shows),
        http_test(a_client_that_leaves_cancels),
        http_test(sizes_are_limited),
        cmocka_unit_test_setup_teardown(times_are_limited, setup_impatient, teardown),
        http_test(drain_ends_keep_alive),
        cmocka_unit_test(connections_are_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
