/* A server with handlers that do everything a handler may do, for the two RPC fuzzers. */
#ifndef TEST_FUZZ_RPC_SERVICE_H
#define TEST_FUZZ_RPC_SERVICE_H

#include "base/view.h"
#include "fake_stream.h"
#include "rpc/rpc_server.h"

enum { PARKED_MAX = 64 };

static struct loop *service_loop;
static struct rpc_server *service;
static struct rpc_call *parked[PARKED_MAX];
static unsigned n_parked;
static unsigned n_open; /* streams started and not closed */

static void service_echo(void *ctx, struct rpc_call *c)
{
    struct kvs_view value;
    size_t at = 0;
    struct kvs_view name;

    (void)ctx;
    (void)rpc_call_header(c, "x-bin", &value);
    while (rpc_call_header_next(c, &at, &name, &value)) {
    }
    rpc_reply_copy(c, rpc_call_request(c));
}

static void service_park(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    if (n_parked < PARKED_MAX) {
        parked[n_parked++] = c;
    } else {
        rpc_fail(c, RPC_RESOURCE_EXHAUSTED, "too many \x01 % \xff");
    }
}

/* Completes what was parked, in different ways. */
static void service_unpark(void)
{
    while (n_parked > 0) {
        struct rpc_call *c = parked[--n_parked];

        if (n_parked % 2 == 0) {
            rpc_reply_copy(c, view_make("parked", 6));
        } else {
            rpc_fail_err(c, KVS_E_TIMEOUT);
        }
    }
}

static void service_long_write(struct rpc_call *c)
{
    static const uint8_t block[5000];

    for (int i = 0; i < 4; i++) {
        uintptr_t left = (uintptr_t)rpc_call_user(c); /* a count, not a pointer */
        bool last = left == 1;

        rpc_call_set_user(c, (void *)(left - 1));
        kvs_assert(rpc_reply_write(c, view_make(block, sizeof block)) == 0);
        if (last) {
            return;
        }
    }
}

static void service_long(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    rpc_call_set_user(c, (void *)30);
    rpc_reply_begin(c, 30 * 5000, service_long_write);
}

static void service_message(struct rpc_call *c, struct kvs_view message)
{
    struct rcbuf *b = rcbuf_copy(message);

    kvs_assert(b != NULL);
    if (message.len == 3) {
        rpc_stream_pause(c);
    } else if (message.len == 4) {
        rpc_stream_finish(c, RPC_ABORTED, "four");
    }
    (void)rpc_stream_send(c, view_make("re", 2), b);
    rcbuf_unref(b);
    if (message.len == 3) {
        rpc_stream_resume(c);
    }
}

static void service_half_close(struct rpc_call *c)
{
    rpc_stream_finish(c, RPC_OK, NULL);
}

static void service_closed(struct rpc_call *c, bool canceled)
{
    (void)c;
    (void)canceled;
    n_open--;
}

static const struct rpc_stream_ops service_ops = {.on_message = service_message,
                                                  .on_half_close = service_half_close,
                                                  .on_closed = service_closed};

static void service_stream(void *ctx, struct rpc_call *c)
{
    (void)ctx;
    n_open++;
    rpc_stream_start(c, &service_ops);
}

static void service_server_stream(void *ctx, struct rpc_call *c)
{
    service_stream(ctx, c);
    for (int i = 0; i < 3; i++) {
        (void)rpc_stream_send_copy(c, rpc_call_request(c));
    }
    rpc_stream_finish(c, RPC_OK, "");
}

static void service_http(void *ctx, struct rpc_call *c)
{
    struct kvs_view path = rpc_call_path(c);
    struct kvs_blob body = {NULL, 0};

    (void)ctx;
    if (path.len > 1 && ((const char *)path.data)[1] == 's') {
        n_open++;
        rpc_http_begin(c, 200, "text/plain", NULL, 0, &service_ops);
        (void)rpc_http_write(c, rpc_call_request(c));
        (void)rpc_http_write(c, rpc_http_query(c));
        rpc_http_end(c);
    } else if (path.len > 1 && ((const char *)path.data)[1] == 'p') {
        service_park(NULL, c);
        if (n_parked > 0 && parked[n_parked - 1] == c) {
            n_parked--;
            rpc_fail(c, RPC_NOT_FOUND, "\"\n");
        }
    } else {
        rpc_http_reply(c, 200, NULL, NULL, 0, body);
    }
}

static void service_init(void)
{
    static const struct {
        const char *path;
        enum rpc_kind kind;
        rpc_handler handler;
    } methods[] = {
        {"/t.T/A", RPC_UNARY, service_echo},
        {"/t.T/B", RPC_UNARY, service_park},
        {"/t.T/C", RPC_UNARY, service_long},
        {"/t.T/D", RPC_BIDI, service_stream},
        {"/t.T/E", RPC_SERVER_STREAM, service_server_stream},
    };
    struct rpc_limits limits = {.recv_message_max = 4096,
                                .http_body_max = 2048,
                                .header_max = 1024,
                                .recv_total_max = 32768,
                                .streams_max = 50};
    struct net_addr addr = {.port = 1};

    if (service != NULL) {
        return;
    }
    kvs_assert(loop_new(&service_loop) == 0);
    kvs_assert(rpc_server_new(service_loop, &limits, NULL, &service) == 0);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        kvs_assert(
            rpc_method(service, methods[i].path, methods[i].kind, methods[i].handler, NULL) == 0);
    }
    rpc_http(service, service_http, NULL);
    kvs_assert(rpc_listen(service, &addr, NULL, RPC_LISTEN_ALL, 0, NULL, NULL) == 0);
}

/* Some turns after a connection's end nothing of it may be left. */
static void service_check_idle(void)
{
    service_unpark();
    for (int i = 0; i < 20; i++) {
        (void)loop_turn(service_loop, false); /* long replies write to their end */
    }
    kvs_assert(n_open == 0);
    kvs_assert(rpc_server_figures(service)->calls == 0);
    kvs_assert(rpc_server_figures(service)->connections == 0);
}

#endif
