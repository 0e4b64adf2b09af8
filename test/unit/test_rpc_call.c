/* Calls from our client to our server: unary, streams, deadlines, cancelling, back-pressure,
 * the end of the server. */
#include "rpc_fixture.h"
#include "tls_files.h"

/* ---- the server's methods ---- */

static struct rpc_call *parked; /* /t.T/Park keeps its call here */
static unsigned n_canceled;
static unsigned n_closed;
static bool last_canceled;
static struct fixture fx;

static void echo(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    rpc_reply_copy(c, rpc_call_request(c));
}

static void fail_method(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    rpc_fail(c, RPC_OUT_OF_RANGE, "100% \xc3\xa9 \"wrong\"\n");
}

static void fail_err(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    rpc_fail_err(c, KVS_E_COMPACTED);
}

static void park_canceled(struct rpc_call *c)
{
    n_canceled++;
    assert_true(rpc_call_is_canceled(c));
}

static void park(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    parked = c;
    rpc_call_on_cancel(c, park_canceled);
}

/* Replies with what it knows of the call. */
static void whoami(void *ctx, struct rpc_call *c)
{
    const struct stream_peer *peer = rpc_call_peer(c);
    struct kvs_view token = VIEW_LITERAL("-");
    struct kvs_view binary = VIEW_LITERAL("-");
    struct kvs_view host = VIEW_LITERAL("-");
    struct buf b;

    (void)ctx;
    (void)rpc_call_header(c, "token", &token);
    (void)rpc_call_header(c, "x-bin", &binary);
    (void)rpc_call_header(c, "host", &host);
    buf_init(&b);
    buf_printf(&b, "%.*s %.*s cn=%s verified=%d deadline=%d tag=%u", (int)token.len,
               (const char *)token.data, (int)binary.len, (const char *)binary.data,
               peer->common_name != NULL ? peer->common_name : "", peer->verified,
               rpc_call_deadline_ms(c) != 0, rpc_call_listener_tag(c));
    rpc_reply(c, buf_take(&b));
}

static uint64_t big_left;
static size_t big_queued_max;

static void big_write(struct rpc_call *c)
{
    static uint8_t block[10000];

    while (big_left > 0 && rpc_reply_queued(c) <= RPC_QUEUE_HIGH) {
        size_t n = big_left < sizeof block ? (size_t)big_left : sizeof block;

        memset(block, (int)(big_left % 251), n);
        big_left -= n;
        assert_int_equal(rpc_reply_write(c, view_make(block, n)), 0);
        if (big_left > 0 && rpc_reply_queued(c) > big_queued_max) {
            big_queued_max = rpc_reply_queued(c);
        }
    }
}

static void big(void *ctx, struct rpc_call *c)
{
    char text[24] = "";

    (void)ctx;
    memcpy(text, rpc_call_request(c).data, rpc_call_request(c).len);
    big_left = strtoull(text, NULL, 10);
    big_queued_max = 0;
    rpc_reply_begin(c, big_left, big_write);
}

static void chat_tell_what_is_left(struct rpc_call *c)
{
    struct kvs_view path = rpc_call_path(c);
    struct kvs_view token = VIEW_LITERAL("-");
    size_t at = 0;
    struct buf b;

    (void)rpc_call_header(c, "token", &token);
    assert_false(rpc_call_header_next(c, &at, &token, &token));
    buf_init(&b);
    buf_printf(&b, "%.*s token=%.*s arena=%zu", (int)path.len, (const char *)path.data,
               (int)token.len, (const char *)token.data, rpc_call_arena(c)->used_bytes);
    assert_int_equal(rpc_stream_send_copy(c, buf_view(&b)), 0);
    buf_fini(&b);
}

static void chat_message(struct rpc_call *c, struct kvs_view message)
{
    if (view_equal_str(message, "end")) {
        rpc_stream_finish(c, RPC_ABORTED, "as you wish");
    } else if (view_equal_str(message, "pause")) {
        rpc_stream_pause(c);
        parked = c;
    } else if (view_equal_str(message, "what is left")) {
        chat_tell_what_is_left(c);
    } else {
        struct rcbuf *payload = rcbuf_copy(message);

        assert_int_equal(rpc_stream_send(c, VIEW_LITERAL("re:"), payload), 0);
        rcbuf_unref(payload);
    }
}

static void chat_half_close(struct rpc_call *c)
{
    rpc_stream_finish(c, RPC_OK, NULL);
}

static void chat_closed(struct rpc_call *c, bool canceled)
{
    (void)c;
    n_closed++;
    last_canceled = canceled;
}

static const struct rpc_stream_ops chat_ops = {
    .on_message = chat_message, .on_half_close = chat_half_close, .on_closed = chat_closed};

static void chat(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    rpc_stream_start(c, &chat_ops);
}

static void refuse_stream(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    rpc_fail(c, RPC_UNAUTHENTICATED, "who are you");
}

/* Counts down: sends N messages as fast as the queue allows. */
static unsigned countdown_left;
static size_t countdown_queued_max;

static void countdown_send(struct rpc_call *c)
{
    static uint8_t filler[2000];

    while (countdown_left > 0 && rpc_stream_queued(c) <= RPC_QUEUE_HIGH) {
        assert_int_equal(rpc_stream_send_copy(c, view_make(filler, sizeof filler)), 0);
        countdown_left--;
        if (rpc_stream_queued(c) > countdown_queued_max) {
            countdown_queued_max = rpc_stream_queued(c);
        }
    }
    if (countdown_left == 0) {
        rpc_stream_finish(c, RPC_OK, NULL);
    }
}

static const struct rpc_stream_ops countdown_ops = {.on_writable = countdown_send,
                                                    .on_closed = chat_closed};

static void countdown(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    assert_int_equal(rpc_call_request(c).len, 2);
    countdown_left = 5000;
    countdown_queued_max = 0;
    rpc_stream_start(c, &countdown_ops);
    countdown_send(c);
}

static void register_methods(struct rpc_server *s)
{
    assert_int_equal(rpc_method(s, "/t.T/Echo", RPC_UNARY, echo, NULL), 0);
    assert_int_equal(rpc_method(s, "/t.T/Fail", RPC_UNARY, fail_method, NULL), 0);
    assert_int_equal(rpc_method(s, "/t.T/FailErr", RPC_UNARY, fail_err, NULL), 0);
    assert_int_equal(rpc_method(s, "/t.T/Park", RPC_UNARY, park, NULL), 0);
    assert_int_equal(rpc_method(s, "/t.T/Who", RPC_UNARY, whoami, NULL), 0);
    assert_int_equal(rpc_method(s, "/t.T/Big", RPC_UNARY, big, NULL), 0);
    assert_int_equal(rpc_method(s, "/t.T/Chat", RPC_BIDI, chat, NULL), 0);
    assert_int_equal(rpc_method(s, "/t.T/Refuse", RPC_BIDI, refuse_stream, NULL), 0);
    assert_int_equal(rpc_method(s, "/t.T/Countdown", RPC_SERVER_STREAM, countdown, NULL), 0);
    assert_int_equal(rpc_method(s, "/t.T/Echo", RPC_UNARY, echo, NULL), KVS_E_INVALID);
    assert_int_equal(rpc_method(s, "nonsense", RPC_UNARY, echo, NULL), KVS_E_INVALID);
}

static int setup(void **state)
{
    (void)state;
    parked = NULL;
    n_canceled = 0;
    n_closed = 0;
    fixture_init(&fx, NULL, NULL);
    register_methods(fx.server);
    fixture_client(&fx);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_fini(&fx);
    return 0;
}

/* ---- unary ---- */

static void unary_calls_answer(void **state)
{
    struct result r;

    (void)state;
    fixture_call(&fx, &r, "/t.T/Echo", "hello");
    assert_result(&r, RPC_OK, "");
    assert_int_equal(r.response.len, 5);
    assert_memory_equal(r.response.data, "hello", 5);
    result_fini(&r);
    fixture_call(&fx, &r, "/t.T/Echo", "");
    assert_result(&r, RPC_OK, "");
    assert_int_equal(r.response.len, 0);
    result_fini(&r);
    fixture_call(&fx, &r, "/t.T/Fail", "x");
    assert_result(&r, RPC_OUT_OF_RANGE, "100% \xc3\xa9 \"wrong\"\n");
    result_fini(&r);
    fixture_call(&fx, &r, "/t.T/FailErr", "x");
    assert_result(&r, RPC_OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted");
    result_fini(&r);
}

static void unknown_methods_are_unimplemented(void **state)
{
    struct result r;

    (void)state;
    fixture_call(&fx, &r, "/t.T/Nope", "x");
    assert_result(&r, RPC_UNIMPLEMENTED, "unknown method Nope for service t.T");
    result_fini(&r);
    assert_int_equal(rpc_server_figures(fx.server)->calls_unknown, 1);
}

static void messages_of_every_size_pass(void **state)
{
    static const size_t sizes[] = {1, 203, 204, 4096, 16379, 16384, 65531, 262144, 2 * 1024 * 1024};
    static char bytes[2 * 1024 * 1024 + 1];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(i * 7 + i / 1000);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct result r;

        result_init(&r);
        assert_int_equal(
            rpc_client_unary(fx.client, &r.call, "/t.T/Echo", view_make(bytes, sizes[i]), 0), 0);
        fixture_wait(&fx, r.done);
        assert_result(&r, RPC_OK, "");
        assert_int_equal(r.response.len, sizes[i]);
        assert_memory_equal(r.response.data, bytes, sizes[i]);
        result_fini(&r);
    }
}

static void too_long_messages_are_refused_as_grpc_go_does(void **state)
{
    static char bytes[2 * 1024 * 1024 + 1];
    struct result r;

    (void)state;
    result_init(&r);
    assert_int_equal(
        rpc_client_unary(fx.client, &r.call, "/t.T/Echo", view_make(bytes, sizeof bytes), 0), 0);
    fixture_wait(&fx, r.done);
    assert_result(&r, RPC_RESOURCE_EXHAUSTED,
                  "grpc: received message larger than max (2097153 vs. 2097152)");
    result_fini(&r);
}

static void metadata_and_peer_reach_the_handler(void **state)
{
    static const struct rpc_metadata fields[] = {
        {"token", {"secret", 6}},
        {"x-bin", {"\x41\x42\x43!", 4}},
    };
    struct result r;

    (void)state;
    assert_int_equal(rpc_client_set_metadata(fx.client, fields, 2), 0);
    result_init(&r);
    assert_int_equal(rpc_client_unary(fx.client, &r.call, "/t.T/Who", view_make("", 0), 5000), 0);
    fixture_wait(&fx, r.done);
    assert_result(&r, RPC_OK, "");
    buf_append_u8(&r.response, 0);
    assert_string_equal(r.response.data, "secret ABC! cn= verified=0 deadline=1 tag=7");
    result_fini(&r);
}

static void figures_count(void **state)
{
    struct result r;
    const struct rpc_method_figures *m;
    size_t at = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        fixture_call(&fx, &r, "/t.T/Echo", "12345");
        result_fini(&r);
    }
    fixture_call(&fx, &r, "/t.T/Fail", "1");
    result_fini(&r);
    m = rpc_method_figures_next(fx.server, &at);
    assert_string_equal(m->path, "/t.T/Echo");
    assert_int_equal(m->started, 3);
    assert_int_equal(m->handled[RPC_OK], 3);
    assert_int_equal(m->messages_received, 3);
    assert_int_equal(m->messages_sent, 3);
    m = rpc_method_figures_next(fx.server, &at);
    assert_int_equal(m->handled[RPC_OUT_OF_RANGE], 1);
    assert_int_equal(rpc_server_figures(fx.server)->received_bytes, 16);
    assert_int_equal(rpc_server_figures(fx.server)->sent_bytes, 15);
    assert_int_equal(rpc_server_figures(fx.server)->calls, 0);
    assert_int_equal(rpc_server_figures(fx.server)->connections, 1);
    while (rpc_method_figures_next(fx.server, &at) != NULL) {
    }
    assert_int_equal(at, 9);
}

/* ---- deadlines and cancelling ---- */

static void a_deadline_ends_the_call_on_both_sides(void **state)
{
    struct result r;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_unary(fx.client, &r.call, "/t.T/Park", view_make("", 0), 1000), 0);
    fixture_wait(&fx, r.done);
    assert_result(&r, RPC_DEADLINE_EXCEEDED, "context deadline exceeded");
    fixture_wait(&fx, n_canceled == 1);
    rpc_reply_copy(parked, view_make("late", 4)); /* still exactly once, and harmless */
    result_fini(&r);
    fixture_call(&fx, &r, "/t.T/Echo", "alive");
    assert_result(&r, RPC_OK, "");
    result_fini(&r);
}

/* The server's own timer, with a client that does not give up by itself. */
static void the_server_keeps_the_deadline(void **state)
{
    static const uint8_t empty[5] = {0};
    struct kvs_view answer;
    struct raw raw;

    (void)state;
    raw_open(&fx, &raw);
    raw_preface(&raw);
    raw_call(&raw, 1, "/t.T/Park", "grpc-timeout", "50m");
    raw_frame(&raw, FRAME_DATA, END_STREAM, 1, empty, 5);
    fixture_wait(&fx, n_canceled == 1);
    fixture_wait(&fx, raw_find_frame(&raw, FRAME_HEADERS, &answer));
    rpc_fail(parked, RPC_INTERNAL, "late");
    raw_close(&fx, &raw);
}

static void a_cancelled_call_tells_its_handler(void **state)
{
    struct result r;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_unary(fx.client, &r.call, "/t.T/Park", view_make("", 0), 0), 0);
    fixture_wait(&fx, parked != NULL);
    rpc_client_cancel(&r.call);
    assert_false(r.done);
    fixture_wait(&fx, r.done && n_canceled == 1);
    assert_int_equal(r.status, RPC_CANCELED);
    assert_null(rpc_call_peer(parked));
    rpc_reply_copy(parked, view_make("", 0));
    result_fini(&r);
}

static void a_broken_connection_cancels(void **state)
{
    struct result r;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_unary(fx.client, &r.call, "/t.T/Park", view_make("", 0), 0), 0);
    fixture_wait(&fx, parked != NULL);
    rpc_client_free(fx.client);
    fx.client = NULL;
    assert_true(r.done); /* from within, as promised */
    assert_int_equal(r.status, RPC_UNAVAILABLE);
    fixture_wait(&fx, n_canceled == 1);
    rpc_fail(parked, RPC_CANCELED, NULL);
    result_fini(&r);
}

static void a_call_may_outlive_its_server(void **state)
{
    struct result r;
    struct rpc_call *call;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_unary(fx.client, &r.call, "/t.T/Park", view_make("", 0), 0), 0);
    fixture_wait(&fx, parked != NULL);
    call = parked;
    rpc_server_free(fx.server);
    fx.server = NULL;
    assert_int_equal(n_canceled, 1);
    fixture_wait(&fx, r.done);
    rpc_reply_copy(call, view_make("late", 4));
    result_fini(&r);
}

/* ---- back-pressure ---- */

static void a_long_reply_needs_only_the_window(void **state)
{
    struct result r;

    (void)state;
    fixture_call(&fx, &r, "/t.T/Big", "30000000");
    assert_result(&r, RPC_OK, "");
    assert_int_equal(r.response.len, 30000000);
    assert_true(big_queued_max <= RPC_QUEUE_HIGH + 10000);
    for (size_t i = 0; i < r.response.len; i += 10000) {
        assert_int_equal(((uint8_t *)r.response.data)[i], (30000000 - i) % 251);
    }
    result_fini(&r);
}

static void a_long_reply_can_be_cancelled(void **state)
{
    struct result r;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_unary(fx.client, &r.call, "/t.T/Big", VIEW_LITERAL("300000000"), 0),
                     0);
    fixture_wait(&fx, big_left > 0 && big_left < 299000000);
    rpc_client_cancel(&r.call);
    fixture_wait(&fx, r.done);
    fixture_wait(&fx, big_left == 0); /* the writer runs dry: what it writes is dropped */
    result_fini(&r);
}

static void an_empty_long_reply(void **state)
{
    struct result r;

    (void)state;
    fixture_call(&fx, &r, "/t.T/Big", "0");
    assert_result(&r, RPC_OK, "");
    assert_int_equal(r.response.len, 0);
    result_fini(&r);
}

static void a_server_stream_is_held_back_by_a_paused_client(void **state)
{
    struct result r;
    unsigned left;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_stream_start(fx.client, &r.call, "/t.T/Countdown", NULL, 0, 0), 0);
    assert_int_equal(rpc_client_send(&r.call, VIEW_LITERAL("go")), 0);
    rpc_client_half_close(&r.call);
    assert_int_equal(rpc_client_send(&r.call, VIEW_LITERAL("no")), KVS_E_CLOSED);
    fixture_wait(&fx, r.n_messages > 10);
    rpc_client_pause(&r.call);
    do { /* what is under way fills the window, then the queue */
        left = countdown_left;
        fixture_sleep(&fx, 50);
    } while (countdown_left != left);
    assert_true(left > 4000);
    assert_true(countdown_queued_max <= RPC_QUEUE_HIGH + 3000);
    rpc_client_resume(&r.call);
    fixture_wait(&fx, r.done);
    assert_result(&r, RPC_OK, "");
    assert_int_equal(r.n_messages, 5000);
    fixture_wait(&fx, n_closed == 1);
    assert_false(last_canceled);
    result_fini(&r);
}

static void a_paused_server_holds_its_client_back(void **state)
{
    static char filler[1000];
    struct result r;
    unsigned n_sent = 0;

    (void)state;
    memset(filler, 'x', sizeof filler);
    result_init(&r);
    assert_int_equal(rpc_client_stream_start(fx.client, &r.call, "/t.T/Chat", NULL, 0, 0), 0);
    assert_int_equal(rpc_client_send(&r.call, VIEW_LITERAL("pause")), 0);
    fixture_wait(&fx, parked != NULL);
    for (int turn = 0; turn < 200; turn++) {
        while (rpc_client_queued(&r.call) < RPC_CLIENT_QUEUE_HIGH) {
            assert_int_equal(rpc_client_send(&r.call, view_make(filler, sizeof filler)), 0);
            n_sent++;
        }
        (void)loop_turn(fx.loop, false);
    }
    assert_true(n_sent < 400); /* a stream's window of 256 KiB and the queue of 64 KiB */
    assert_int_equal(r.n_messages, 0);
    rpc_client_half_close(&r.call);
    rpc_stream_resume(parked);
    fixture_wait(&fx, r.done);
    assert_result(&r, RPC_OK, "");
    assert_int_equal(r.n_messages, n_sent);
    result_fini(&r);
}

/* A big reply under way does not make others wait for its end. */
static void small_calls_overtake_a_long_reply(void **state)
{
    struct result r;
    struct result small;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_unary(fx.client, &r.call, "/t.T/Big", VIEW_LITERAL("200000000"), 0),
                     0);
    fixture_wait(&fx, big_left > 0 && big_left < 199000000);
    fixture_call(&fx, &small, "/t.T/Echo", "quick");
    assert_result(&small, RPC_OK, "");
    assert_true(big_left > 150000000);
    result_fini(&small);
    rpc_client_cancel(&r.call);
    fixture_wait(&fx, r.done && big_left == 0);
    result_fini(&r);
}

/* ---- streams ---- */

static void thousands_of_messages_come_back_in_order(void **state)
{
    enum { N = 20000 };
    struct result r;
    struct buf expected;

    (void)state;
    buf_init(&expected);
    result_init(&r);
    assert_int_equal(rpc_client_stream_start(fx.client, &r.call, "/t.T/Chat", NULL, 0, 0), 0);
    for (int i = 0; i < N; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "message %d", i);

        assert_int_equal(rpc_client_send(&r.call, view_make(text, (size_t)n)), 0);
        buf_printf(&expected, "re:%s\n", text);
    }
    rpc_client_half_close(&r.call);
    fixture_wait(&fx, r.done);
    assert_result(&r, RPC_OK, "");
    assert_int_equal(r.n_messages, N);
    assert_int_equal(r.messages.len, expected.len);
    assert_memory_equal(r.messages.data, expected.data, expected.len);
    assert_true(loop_stream_totals(fx.loop)->n_writes < 500); /* many messages share a write */
    buf_fini(&expected);
    result_fini(&r);
}

static void a_stream_ends_with_a_status(void **state)
{
    struct result r;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_stream_start(fx.client, &r.call, "/t.T/Chat", NULL, 0, 0), 0);
    assert_int_equal(rpc_client_send(&r.call, VIEW_LITERAL("one")), 0);
    assert_int_equal(rpc_client_send(&r.call, VIEW_LITERAL("end")), 0);
    assert_int_equal(rpc_client_send(&r.call, VIEW_LITERAL("two")), 0);
    fixture_wait(&fx, r.done && n_closed == 1);
    assert_result(&r, RPC_ABORTED, "as you wish");
    assert_int_equal(r.n_messages, 1);
    assert_memory_equal(r.messages.data, "re:one\n", 7);
    assert_false(last_canceled);
    result_fini(&r);
    result_init(&r);
    assert_int_equal(rpc_client_stream_start(fx.client, &r.call, "/t.T/Refuse", NULL, 0, 0), 0);
    fixture_wait(&fx, r.done);
    assert_result(&r, RPC_UNAUTHENTICATED, "who are you");
    assert_int_equal(n_closed, 1); /* never started: no on_closed */
    result_fini(&r);
}

/* What an idle stream holds on to is paid by every watcher there is. */
static void a_stream_gives_its_headers_back(void **state)
{
    static const char left[] = "/t.T/Chat token=- arena=0\n";
    const struct rpc_metadata token = {"token", {"secret", 6}};
    struct result r;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_stream_start(fx.client, &r.call, "/t.T/Chat", &token, 1, 0), 0);
    assert_int_equal(rpc_client_send(&r.call, VIEW_LITERAL("what is left")), 0);
    assert_int_equal(rpc_client_send(&r.call, VIEW_LITERAL("end")), 0);
    fixture_wait(&fx, r.done && n_closed == 1);
    assert_result(&r, RPC_ABORTED, "as you wish"); /* whose text needs the arena again */
    assert_int_equal(r.n_messages, 1);
    assert_memory_equal(r.messages.data, left, sizeof left - 1);
    result_fini(&r);
}

static void a_cancelled_stream_is_closed_once(void **state)
{
    struct result r;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_stream_start(fx.client, &r.call, "/t.T/Chat", NULL, 0, 0), 0);
    assert_int_equal(rpc_client_send(&r.call, VIEW_LITERAL("one")), 0);
    fixture_wait(&fx, r.n_messages == 1);
    rpc_client_cancel(&r.call);
    rpc_client_cancel(&r.call);
    fixture_wait(&fx, r.done && n_closed == 1);
    assert_true(last_canceled);
    assert_int_equal(r.status, RPC_CANCELED);
    result_fini(&r);
}

static void a_stream_keeps_its_deadline(void **state)
{
    struct result r;

    (void)state;
    result_init(&r);
    assert_int_equal(rpc_client_stream_start(fx.client, &r.call, "/t.T/Chat", NULL, 0, 50), 0);
    fixture_wait(&fx, r.done && n_closed == 1);
    assert_int_equal(r.status, RPC_DEADLINE_EXCEEDED);
    assert_true(last_canceled);
    result_fini(&r);
}

static void a_thousand_streams_share_a_connection(void **state)
{
    enum { N = 1000 };
    static struct result r[N];
    unsigned n_done = 0;

    (void)state;
    for (int i = 0; i < N; i++) {
        result_init(&r[i]);
        assert_int_equal(rpc_client_stream_start(fx.client, &r[i].call, "/t.T/Chat", NULL, 0, 0),
                         0);
        assert_int_equal(rpc_client_send(&r[i].call, VIEW_LITERAL("hello")), 0);
    }
    for (int i = 0; i < N; i++) {
        fixture_wait(&fx, r[i].n_messages == 1);
    }
    assert_int_equal(rpc_server_figures(fx.server)->calls, N);
    assert_int_equal(rpc_server_figures(fx.server)->connections, 1);
    for (int i = 0; i < N; i += 2) {
        rpc_client_cancel(&r[i].call);
    }
    for (int i = 1; i < N; i += 2) {
        rpc_client_half_close(&r[i].call);
    }
    fixture_wait(&fx, n_closed == N);
    for (int i = 0; i < N; i++) {
        fixture_wait(&fx, r[i].done);
        n_done += r[i].status == RPC_OK;
        result_fini(&r[i]);
    }
    assert_int_equal(n_done, N / 2);
}

/* ---- the end of the server; the client's connection ---- */

static bool drained;

static void on_drained(void *ctx)
{
    (void)ctx;
    drained = true;
}

static enum rpc_client_state states[32];
static unsigned n_states;

static void on_state(void *ctx, enum rpc_client_state s, const char *text)
{
    (void)ctx;
    (void)text;
    if (n_states < ARRAY_LEN(states)) {
        states[n_states++] = s;
    }
}

static void drain_waits_for_calls_in_progress(void **state)
{
    struct result r;
    struct result late;

    (void)state;
    drained = false;
    result_init(&r);
    assert_int_equal(rpc_client_unary(fx.client, &r.call, "/t.T/Park", view_make("", 0), 0), 0);
    fixture_wait(&fx, parked != NULL);
    rpc_drain(fx.server, 5000, on_drained, NULL);
    fixture_sleep(&fx, 50);
    assert_false(drained);
    result_init(&late);
    assert_int_equal(rpc_client_unary(fx.client, &late.call, "/t.T/Echo", view_make("", 0), 0), 0);
    fixture_sleep(&fx, 20);
    assert_false(late.done); /* after GOAWAY it waits for another connection */
    rpc_reply_copy(parked, view_make("done", 4));
    fixture_wait(&fx, r.done && drained);
    assert_result(&r, RPC_OK, "");
    fixture_wait(&fx, late.done);
    assert_int_equal(late.status, RPC_UNAVAILABLE);
    result_fini(&r);
    result_fini(&late);
}

static void drain_cuts_what_outlives_the_grace(void **state)
{
    struct result r;

    (void)state;
    drained = false;
    result_init(&r);
    assert_int_equal(rpc_client_stream_start(fx.client, &r.call, "/t.T/Chat", NULL, 0, 0), 0);
    assert_int_equal(rpc_client_send(&r.call, VIEW_LITERAL("one")), 0);
    fixture_wait(&fx, r.n_messages == 1);
    rpc_drain(fx.server, 50, on_drained, NULL);
    fixture_wait(&fx, drained && r.done);
    assert_int_equal(n_closed, 1);
    assert_true(last_canceled);
    assert_int_equal(r.status, RPC_UNAVAILABLE);
    result_fini(&r);
}

static void the_client_comes_back_by_itself(void **state)
{
    struct rpc_client_options o = {
        .target = fx.addr, .on_state = on_state, .backoff_min_ms = 10, .backoff_max_ms = 20};
    struct rpc_client *c;
    struct result r;

    (void)state;
    n_states = 0;
    rpc_server_free(fx.server);
    fx.server = NULL;
    assert_int_equal(rpc_client_new(fx.loop, &o, &c), 0);
    fixture_wait(&fx, n_states >= 4);
    assert_int_equal(states[0], RPC_CLIENT_CONNECTING);
    assert_int_equal(states[1], RPC_CLIENT_BACKOFF);
    assert_int_equal(states[2], RPC_CLIENT_CONNECTING);
    assert_non_null(strstr(rpc_client_last_error(c), "connection refused"));
    fixture_wait(&fx, rpc_client_state(c) == RPC_CLIENT_BACKOFF);
    result_init(&r);
    assert_int_equal(rpc_client_unary(c, &r.call, "/t.T/Echo", view_make("", 0), 0), 0);
    fixture_wait(&fx, r.done);
    assert_int_equal(r.status, RPC_UNAVAILABLE);
    assert_non_null(strstr(r.text, "connection refused"));
    result_fini(&r);
    assert_int_equal(rpc_server_new(fx.loop, NULL, NULL, &fx.server), 0);
    register_methods(fx.server);
    assert_int_equal(rpc_listen(fx.server, &fx.addr, NULL, RPC_LISTEN_ALL, 7, NULL, NULL), 0);
    fixture_wait(&fx, rpc_client_state(c) == RPC_CLIENT_READY);
    result_init(&r);
    assert_int_equal(rpc_client_unary(c, &r.call, "/t.T/Echo", view_make("x", 1), 0), 0);
    fixture_wait(&fx, r.done);
    assert_result(&r, RPC_OK, "");
    result_fini(&r);
    rpc_client_free(c);
}

/* Accepts, answers SETTINGS so that the client is at ease, and says nothing more. */
static struct stream *mute;

static void mute_data(void *ctx, struct kvs_view data)
{
    (void)ctx;
    (void)data;
}

static void mute_close(void *ctx, int err, const char *text)
{
    (void)ctx;
    (void)err;
    (void)text;
    mute = NULL;
}

static void mute_accept(void *ctx, struct stream *s)
{
    static const struct stream_ops ops = {.on_data = mute_data, .on_close = mute_close};

    (void)ctx;
    if (mute != NULL) {
        stream_close(s);
        return;
    }
    mute = s;
    stream_set_ops(s, &ops, NULL);
    assert_int_equal(stream_write(s, "\0\0\0\4\0\0\0\0\0", 9), 0);
}

static void a_silent_server_is_noticed_by_keepalive(void **state)
{
    struct rpc_client_options o = {.keepalive_interval_ms = 20, .keepalive_timeout_ms = 30};
    struct listener *listener;
    struct rpc_client *c;
    struct result r;

    (void)state;
    assert_int_equal(net_addr_parse("127.0.0.1:0", &o.target), 0);
    assert_int_equal(
        stream_listen(fx.loop, &o.target, NULL, NULL, mute_accept, NULL, &listener, NULL), 0);
    o.target.port = listener_port(listener);
    assert_int_equal(rpc_client_new(fx.loop, &o, &c), 0);
    result_init(&r);
    assert_int_equal(rpc_client_unary(c, &r.call, "/t.T/Echo", view_make("", 0), 0), 0);
    fixture_wait(&fx, r.done);
    assert_result(&r, RPC_UNAVAILABLE, "keepalive ping was not answered in time");
    result_fini(&r);
    rpc_client_free(c);
    listener_close(listener);
    fixture_wait(&fx, mute == NULL);
}

static void tls_calls_know_the_client(void **state)
{
    struct tls_files files;
    struct tls_options so = {0};
    struct tls_options co = {0};
    struct tls_context *server_tls;
    struct tls_context *client_tls;
    struct rpc_client_options o = {.connect_timeout_ms = 60000};
    struct fixture f;
    struct result r;

    (void)state;
    tls_files_init(&files);
    so.cert_file = files.cert;
    so.key_file = files.key;
    so.ca_file = files.ca;
    so.require_peer_cert = true;
    co.cert_file = files.client_cert;
    co.key_file = files.client_key;
    co.ca_file = files.ca;
    assert_int_equal(tls_context_new_server(&so, &server_tls, NULL), 0);
    assert_int_equal(tls_context_new_client(&co, &client_tls, NULL), 0);
    fixture_init(&f, NULL, server_tls);
    register_methods(f.server);
    o.target = f.addr;
    assert_int_equal(rpc_client_new(f.loop, &o, &f.client), KVS_E_INVALID); /* https needs TLS */
    o.tls = client_tls;
    assert_int_equal(rpc_client_new(f.loop, &o, &f.client), 0);
    fixture_call(&f, &r, "/t.T/Who", "");
    assert_result(&r, RPC_OK, "");
    buf_append_u8(&r.response, 0);
    assert_string_equal(r.response.data, "- - cn=alice verified=1 deadline=0 tag=7");
    result_fini(&r);
    fixture_call(&f, &r, "/t.T/Big", "5000000");
    assert_int_equal(r.response.len, 5000000);
    result_fini(&r);
    fixture_fini(&f);
    tls_context_free(server_tls);
    tls_context_free(client_tls);
    tls_files_fini(&files);
}

#define call_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        call_test(unary_calls_answer),
        call_test(unknown_methods_are_unimplemented),
        call_test(messages_of_every_size_pass),
        call_test(too_long_messages_are_refused_as_grpc_go_does),
        call_test(metadata_and_peer_reach_the_handler),
        call_test(figures_count),
        call_test(a_deadline_ends_the_call_on_both_sides),
        call_test(the_server_keeps_the_deadline),
        call_test(a_cancelled_call_tells_its_handler),
        call_test(a_broken_connection_cancels),
        call_test(a_call_may_outlive_its_server),
        call_test(a_long_reply_needs_only_the_window),
        call_test(a_long_reply_can_be_cancelled),
        call_test(an_empty_long_reply),
        call_test(a_server_stream_is_held_back_by_a_paused_client),
        call_test(a_paused_server_holds_its_client_back),
        call_test(small_calls_overtake_a_long_reply),
        call_test(thousands_of_messages_come_back_in_order),
        call_test(a_stream_ends_with_a_status),
        call_test(a_stream_gives_its_headers_back),
        call_test(a_cancelled_stream_is_closed_once),
        call_test(a_stream_keeps_its_deadline),
        call_test(a_thousand_streams_share_a_connection),
        call_test(drain_waits_for_calls_in_progress),
        call_test(drain_cuts_what_outlives_the_grace),
        call_test(the_client_comes_back_by_itself),
        call_test(a_silent_server_is_noticed_by_keepalive),
        cmocka_unit_test(tls_calls_know_the_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
