/* One loop with an RPC server, a client of ours, and raw connections to say anything at all. */
#ifndef TEST_UNIT_RPC_FIXTURE_H
#define TEST_UNIT_RPC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/view.h"
#include "rpc/rpc_client.h"
#include "rpc/rpc_server.h"

struct fixture {
    struct loop *loop;
    struct rpc_server *server;
    struct rpc_client *client;
    struct net_addr addr;
    struct loop_timer watchdog;
};

static inline void fixture_watchdog(struct loop_timer *t)
{
    (void)t;
    (void)fprintf(stderr, "the awaited event did not come\n");
    abort();
}

static inline void
fixture_init(struct fixture *f, const struct rpc_limits *limits, struct tls_context *tls)
{
    memset(f, 0, sizeof *f);
    assert_int_equal(loop_new(&f->loop), 0);
    assert_int_equal(rpc_server_new(f->loop, limits, NULL, &f->server), 0);
    assert_int_equal(net_addr_parse("127.0.0.1:0", &f->addr), 0);
    assert_int_equal(rpc_listen(f->server, &f->addr, tls, RPC_LISTEN_ALL, 7, &f->addr.port, NULL),
                     0);
    f->addr.tls = tls != NULL;
    loop_timer_init(f->loop, &f->watchdog, fixture_watchdog);
    loop_timer_start(&f->watchdog, 60000);
}

static inline void fixture_client(struct fixture *f)
{
    struct rpc_client_options o = {.target = f->addr};

    assert_int_equal(rpc_client_new(f->loop, &o, &f->client), 0);
}

static inline void fixture_fini(struct fixture *f)
{
    rpc_client_free(f->client);
    rpc_server_free(f->server);
    loop_timer_stop(&f->watchdog);
    loop_free(f->loop);
}

#define fixture_wait(f, condition)                                                                 \
    do {                                                                                           \
        while (!(condition)) {                                                                     \
            assert_true(loop_turn((f)->loop, true));                                               \
        }                                                                                          \
    } while (0)

/* Lets `ms` pass while everything goes on. */
static inline void fixture_sleep_cb(struct loop_timer *t)
{
    (void)t;
}

static inline void fixture_sleep(struct fixture *f, unsigned ms)
{
    struct loop_timer t;

    loop_timer_init(f->loop, &t, fixture_sleep_cb);
    loop_timer_start(&t, ms);
    fixture_wait(f, !t.active);
}

/* ---- a unary call and its result ---- */

struct result {
    struct rpc_client_call call;
    bool done;
    enum rpc_status status;
    char text[300];
    struct buf response;
    struct buf messages; /* of a stream: each with a newline */
    unsigned n_messages;
};

static inline void result_done(struct rpc_client_call *call,
                               enum rpc_status status,
                               const char *text,
                               struct kvs_view response)
{
    struct result *r = (struct result *)(void *)call;

    assert_false(r->done);
    r->done = true;
    r->status = status;
    (void)snprintf(r->text, sizeof r->text, "%s", text);
    buf_append_view(&r->response, response);
}

static inline void result_message(struct rpc_client_call *call, struct kvs_view message)
{
    struct result *r = (struct result *)(void *)call;

    r->n_messages++;
    buf_append_view(&r->messages, message);
    buf_append_u8(&r->messages, '\n');
}

static inline void result_init(struct result *r)
{
    memset(r, 0, sizeof *r);
    r->call.on_done = result_done;
    r->call.on_message = result_message;
}

static inline void result_fini(struct result *r)
{
    buf_fini(&r->response);
    buf_fini(&r->messages);
}

static inline void
fixture_call(struct fixture *f, struct result *r, const char *path, const char *request)
{
    result_init(r);
    assert_int_equal(rpc_client_unary(f->client, &r->call, path, view_str(request), 0), 0);
    assert_false(r->done); /* never inside the call */
    fixture_wait(f, r->done);
}

#define assert_result(r, wanted_status, wanted_text)                                               \
    do {                                                                                           \
        assert_int_equal((r)->status, wanted_status);                                              \
        assert_string_equal((r)->text, wanted_text);                                               \
    } while (0)

/* ---- raw connections ---- */

struct raw {
    struct stream *stream;
    struct buf received;
    bool open;
    bool closed;
};

static inline void raw_on_open(void *ctx)
{
    ((struct raw *)ctx)->open = true;
}

static inline void raw_on_data(void *ctx, struct kvs_view data)
{
    struct raw *r = ctx;

    buf_append_view(&r->received, data);
    buf_append_u8(&r->received, 0);
    r->received.len--; /* always terminated, for strstr */
}

static inline void raw_on_close(void *ctx, int err, const char *text)
{
    (void)err;
    (void)text;
    ((struct raw *)ctx)->closed = true;
}

/* False if there is no memory. */
static inline bool raw_try_open(struct fixture *f, struct raw *r)
{
    static const struct stream_ops ops = {
        .on_open = raw_on_open, .on_data = raw_on_data, .on_close = raw_on_close};

    memset(r, 0, sizeof *r);
    buf_init(&r->received);
    if (stream_connect(f->loop, &f->addr, NULL, NULL, &ops, r, &r->stream) != 0) {
        return false;
    }
    fixture_wait(f, r->open || r->closed);
    return r->open;
}

static inline void raw_open(struct fixture *f, struct raw *r)
{
    assert_true(raw_try_open(f, r));
}

static inline void raw_send(struct raw *r, const void *data, size_t len)
{
    assert_int_equal(stream_write(r->stream, data, len), 0);
}

static inline void raw_say(struct raw *r, const char *text)
{
    raw_send(r, text, strlen(text));
}

static inline bool raw_has(const struct raw *r, const char *text)
{
    return r->received.len > 0 &&
           memmem(r->received.data, r->received.len, text, strlen(text)) != NULL;
}

static inline void raw_close(struct fixture *f, struct raw *r)
{
    if (!r->closed) {
        stream_close(r->stream);
        fixture_wait(f, r->closed);
    }
    buf_fini(&r->received);
}

/* ---- raw HTTP/2 ---- */

enum {
    FRAME_DATA = 0,
    FRAME_HEADERS = 1,
    FRAME_PRIORITY = 2,
    FRAME_RST_STREAM = 3,
    FRAME_SETTINGS = 4,
    FRAME_PING = 6,
    FRAME_GOAWAY = 7,
    FRAME_CONTINUATION = 9,
    END_STREAM = 1,
    END_HEADERS = 4,
};

static inline void raw_frame(
    struct raw *r, uint8_t type, uint8_t flags, uint32_t stream_id, const void *payload, size_t len)
{
    uint8_t head[9];

    store_be32(head, (uint32_t)len << 8);
    head[3] = type;
    head[4] = flags;
    store_be32(head + 5, stream_id);
    raw_send(r, head, sizeof head);
    if (len > 0) {
        raw_send(r, payload, len);
    }
}

static inline void raw_preface(struct raw *r)
{
    raw_say(r, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    raw_frame(r, FRAME_SETTINGS, 0, 0, NULL, 0);
}

/* A literal field without indexing; names and values shorter than 127 bytes. */
static inline size_t raw_field(uint8_t *to, const char *name, const char *value)
{
    size_t n = strlen(name);
    size_t v = strlen(value);

    to[0] = 0;
    to[1] = (uint8_t)n;
    memcpy(to + 2, name, n);
    to[2 + n] = (uint8_t)v;
    memcpy(to + 3 + n, value, v);
    return 3 + n + v;
}

static inline size_t raw_grpc_headers(uint8_t *to, const char *path)
{
    size_t n = 0;

    n += raw_field(to + n, ":method", "POST");
    n += raw_field(to + n, ":scheme", "http");
    n += raw_field(to + n, ":path", path);
    n += raw_field(to + n, ":authority", "x");
    n += raw_field(to + n, "content-type", "application/grpc");
    n += raw_field(to + n, "te", "trailers");
    return n;
}

/* Opens a gRPC call; `extra` field may be NULL. */
static inline void raw_call(
    struct raw *r, uint32_t stream_id, const char *path, const char *extra, const char *extra_value)
{
    uint8_t block[600];
    size_t n = raw_grpc_headers(block, path);

    if (extra != NULL) {
        n += raw_field(block + n, extra, extra_value);
    }
    raw_frame(r, FRAME_HEADERS, END_HEADERS, stream_id, block, n);
}

/* The payload of the first received frame of `type` (and error code for GOAWAY, RST_STREAM). */
static inline bool raw_find_frame(const struct raw *r, uint8_t type, struct kvs_view *ret_payload)
{
    const uint8_t *at = r->received.data;
    size_t left = r->received.len;

    while (left >= 9) {
        size_t len = load_be32(at) >> 8;

        if (left < 9 + len) {
            return false;
        }
        if (at[3] == type) {
            *ret_payload = view_make(at + 9, len);
            return true;
        }
        at += 9 + len;
        left -= 9 + len;
    }
    return false;
}

static inline void
raw_expect_goaway(struct fixture *f, struct raw *r, uint32_t code, const char *text)
{
    struct kvs_view payload = {0};

    fixture_wait(f, r->closed);
    assert_true(raw_find_frame(r, FRAME_GOAWAY, &payload));
    assert_int_equal(load_be32((const uint8_t *)payload.data + 4), code);
    if (text != NULL) {
        assert_int_equal(payload.len, 8 + strlen(text));
        assert_memory_equal((const uint8_t *)payload.data + 8, text, strlen(text));
    }
}

#endif
