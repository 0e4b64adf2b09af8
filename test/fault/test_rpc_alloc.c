/* Every n-th allocation of server and client fails, nghttp2's included: every call still ends
 * exactly once, nothing leaks, and the server serves the next client. */
#include "../unit/rpc_fixture.h"

enum { CALLS = 5 };

static size_t n_allocations;
static size_t fail_at; /* 0: never */
static bool has_failed;
static size_t n_outstanding;

static void *counting_realloc(void *ctx, void *old, size_t size)
{
    void *memory;

    (void)ctx;
    if (++n_allocations == fail_at) {
        has_failed = true;
        return NULL;
    }
    memory = realloc(old, size);
    n_outstanding += old == NULL && memory != NULL;
    return memory;
}

static void counting_free(void *ctx, void *memory)
{
    (void)ctx;
    n_outstanding -= memory != NULL;
    free(memory);
}

static const struct kvs_allocator counting = {counting_realloc, counting_free, NULL};

/* ---- the service ---- */

static unsigned n_started;
static unsigned n_closed;

static void echo(void *ctx, struct rpc_call *c)
{
    struct kvs_view request = rpc_call_request(c);
    struct rcbuf *b;

    (void)ctx;
    if (request.len < 100) {
        rpc_reply_copy(c, request);
        return;
    }
    b = rcbuf_copy(request);
    if (b == NULL) {
        rpc_fail_err(c, KVS_E_NOMEM);
        return;
    }
    rpc_reply_rcbuf(c, b);
}

static void long_write(struct rpc_call *c)
{
    static const uint8_t block[10000];
    uintptr_t left = (uintptr_t)rpc_call_user(c);

    while (left > 0 && rpc_reply_queued(c) <= RPC_QUEUE_HIGH) {
        rpc_call_set_user(c, (void *)(left - 1));
        if (rpc_reply_write(c, view_make(block, sizeof block)) != 0) {
            rpc_fail_err(c, KVS_E_NOMEM);
            return;
        }
        left--;
    }
}

static void long_reply(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    rpc_call_set_user(c, (void *)(uintptr_t)60);
    rpc_reply_begin(c, 600000, long_write);
}

static void chat_message(struct rpc_call *c, struct kvs_view message)
{
    if (rpc_stream_send_copy(c, message) != 0) {
        rpc_stream_finish(c, RPC_RESOURCE_EXHAUSTED, "out of memory");
    }
}

static void chat_half_close(struct rpc_call *c)
{
    rpc_stream_finish(c, RPC_OK, NULL);
}

static void chat_closed(struct rpc_call *c, bool canceled)
{
    (void)c;
    (void)canceled;
    n_closed++;
}

static const struct rpc_stream_ops chat_ops = {
    .on_message = chat_message, .on_half_close = chat_half_close, .on_closed = chat_closed};

static void chat(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    n_started++;
    rpc_stream_start(c, &chat_ops);
}

static void web(void *ctx, struct rpc_call *c)
{
    struct buf b;

    (void)ctx;
    buf_init(&b);
    buf_append_str(&b, "web");
    if (b.failed) {
        rpc_fail_err(c, KVS_E_NOMEM);
        return;
    }
    rpc_http_reply(c, 200, "text/plain", NULL, 0, buf_take(&b));
}

static int make_server(struct loop *l, struct rpc_server **ret_server, struct net_addr *addr)
{
    struct rpc_server *s;
    int err = rpc_server_new(l, NULL, NULL, &s);

    if (err != 0) {
        return err;
    }
    err = rpc_method(s, "/t.T/Echo", RPC_UNARY, echo, NULL);
    err = err != 0 ? err : rpc_method(s, "/t.T/Long", RPC_UNARY, long_reply, NULL);
    err = err != 0 ? err : rpc_method(s, "/t.T/Chat", RPC_BIDI, chat, NULL);
    rpc_http(s, web, NULL);
    err = err != 0 ? err : rpc_listen(s, addr, NULL, RPC_LISTEN_ALL, 0, &addr->port, NULL);
    if (err != 0) {
        rpc_server_free(s);
        return err;
    }
    *ret_server = s;
    return 0;
}

/* ---- the scenario ---- */

static void start_calls(struct rpc_client *c, struct result *r)
{
    static const char large[20000] = "large";
    int err[CALLS];

    for (int i = 0; i < CALLS; i++) {
        result_init(&r[i]);
    }
    err[0] = rpc_client_unary(c, &r[0].call, "/t.T/Echo", view_str("small"), 0);
    err[1] = rpc_client_unary(c, &r[1].call, "/t.T/Echo", view_make(large, sizeof large), 5000);
    err[2] = rpc_client_unary(c, &r[2].call, "/t.T/Long", view_str(""), 0);
    err[3] = rpc_client_unary(c, &r[3].call, "/t.T/Nope", view_str(""), 0);
    err[4] = rpc_client_stream_start(c, &r[4].call, "/t.T/Chat", NULL, 0, 0);
    if (err[4] == 0) {
        for (int i = 0; i < 10; i++) {
            if (rpc_client_send(&r[4].call, view_make(large, 3000)) != 0) {
                break;
            }
        }
        rpc_client_half_close(&r[4].call);
    }
    for (int i = 0; i < CALLS; i++) {
        r[i].done = err[i] != 0; /* then on_done never runs */
    }
}

/* An answer, or the end of the connection: never silence. */
static void expect_web(struct fixture *f)
{
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    struct raw raw;

    if (!raw_try_open(f, &raw)) {
        return;
    }
    if (buf_reserve(&raw.received, 4096) != NULL &&
        (raw.closed || stream_write(raw.stream, request, sizeof request - 1) == 0)) {
        fixture_wait(f, raw_has(&raw, "\r\n\r\nweb") || raw_has(&raw, "\"code\":8") ||
                            raw_has(&raw, " 503 ") || raw.closed);
    }
    raw_close(f, &raw);
}

static void run_calls(struct fixture *f)
{
    struct rpc_client_options o = {.target = f->addr};
    struct result r[CALLS];
    struct rpc_client *c;

    if (rpc_client_new(f->loop, &o, &c) != 0) {
        return;
    }
    start_calls(c, r);
    for (int i = 0; i < CALLS; i++) {
        fixture_wait(f, r[i].done);
        result_fini(&r[i]);
    }
    rpc_client_free(c);
    expect_web(f);
}

/* What the failed allocation left behind works. */
static void expect_service(struct fixture *f)
{
    struct result r;

    fixture_client(f);
    fixture_call(f, &r, "/t.T/Echo", "again");
    assert_result(&r, RPC_OK, "");
    result_fini(&r);
    fixture_call(f, &r, "/t.T/Long", "");
    assert_int_equal(r.response.len, 600000);
    result_fini(&r);
}

static void scenario(void)
{
    struct fixture f = {0};

    if (loop_new(&f.loop) != 0) {
        return;
    }
    loop_timer_init(f.loop, &f.watchdog, fixture_watchdog);
    loop_timer_start(&f.watchdog, 20000);
    assert_int_equal(net_addr_parse("127.0.0.1:0", &f.addr), 0);
    if (make_server(f.loop, &f.server, &f.addr) == 0) {
        run_calls(&f);
        fail_at = 0;
        expect_service(&f);
    }
    fixture_fini(&f);
}

static void every_allocation_may_fail(void **state)
{
    size_t n = 0;

    (void)state;
    kvs_alloc_set(&counting);
    do {
        n_started = 0;
        n_closed = 0;
        n_allocations = 0;
        has_failed = false;
        fail_at = ++n;
        scenario();
        fail_at = 0;
        assert_int_equal(n_outstanding, 0);
        assert_int_equal(n_started, n_closed);
    } while (has_failed);
    kvs_alloc_set(NULL);
    print_message("%zu points of failure\n", n);
    assert_true(n > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
