/* A server that answers as it is told beforehand, on a thread of its own, so that the client's
 * blocking calls can be used against it. What it was asked is read after script_stop. */
#ifndef TEST_UNIT_CLIENT_SCRIPT_H
#define TEST_UNIT_CLIENT_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/list.h"
#include "base/view.h"
#include "kvstore/client.h"
#include "loop/loop.h"
#include "rpc/etcd_pb.h"
#include "rpc/rpc_server.h"

enum { SCRIPT_CALLS_MAX = 16, SCRIPT_STREAMS_MAX = 8, SCRIPT_WATCH_STEPS = 8 };

/* The answer to one unary call: an error, or an empty response; `hold` answers never. */
struct script_answer {
    enum rpc_status status;
    const char *text;
    bool hold;
};

/* What one watch stream does once it was asked for: these responses, then an end (or none). */
struct script_stream {
    struct kvs_watch_resp responses[SCRIPT_WATCH_STEPS];
    size_t n_responses;
    size_t repeat; /* the last response so often, with ascending revisions */
    bool finish;
    enum rpc_status status;
    const char *text;
};

struct script {
    /* set before script_start */
    struct script_answer answers[SCRIPT_CALLS_MAX]; /* behind the last one: success */
    size_t n_answers;
    struct script_stream streams[SCRIPT_STREAMS_MAX]; /* the last one serves all that follow */
    size_t n_streams;
    int64_t keepalive_ttls[SCRIPT_CALLS_MAX];
    /* read after script_stop */
    size_t n_calls;
    struct kvs_watch_create_req creates[SCRIPT_STREAMS_MAX]; /* numbers only */
    size_t n_creates;
    size_t n_keepalives;
    size_t n_unsent; /* the client had gone */
    /* inside */
    struct loop *loop;
    struct rpc_server *server;
    struct loop_mbox *mbox;
    struct list stop;
    pthread_t thread;
    struct rpc_call *held[SCRIPT_CALLS_MAX];
    size_t n_held;
    char endpoint[32];
};

static _Thread_local bool script_on_server_thread KVS_UNUSED;

static inline void script_unary(void *ctx, struct rpc_call *call)
{
    struct script *s = ctx;
    const struct script_answer success = {.status = RPC_OK};
    const struct script_answer *a = s->n_calls < s->n_answers ? &s->answers[s->n_calls] : &success;

    s->n_calls++;
    if (a->hold) {
        s->held[s->n_held++] = call;
    } else if (a->status != RPC_OK) {
        rpc_fail(call, a->status, a->text);
    } else {
        rpc_reply_copy(call, view_make("", 0)); /* every field absent */
    }
}

static inline void script_send(struct rpc_call *call, const struct kvs_watch_resp *resp)
{
    struct script *s = rpc_call_user(call);
    struct buf b;

    buf_init(&b);
    etcd_pb_encode_watch_resp(&b, resp);
    if (rpc_stream_send_copy(call, buf_view(&b)) != 0) {
        s->n_unsent++;
    }
    buf_fini(&b);
}

static inline void script_play(struct rpc_call *call, const struct script_stream *stream)
{
    for (size_t i = 0; i < stream->n_responses; i++) {
        script_send(call, &stream->responses[i]);
    }
    for (size_t i = 0; i < stream->repeat; i++) {
        struct kvs_watch_resp resp = stream->responses[stream->n_responses - 1];
        struct kvs_event event = resp.events[0];

        event.kv.mod_revision += (kvs_revision)i + 1;
        resp.events = &event;
        script_send(call, &resp);
    }
    if (stream->finish) {
        rpc_stream_finish(call, stream->status, stream->text);
    }
}

static inline void script_watch_message(struct rpc_call *call, struct kvs_view message)
{
    struct script *s = rpc_call_user(call);
    struct kvs_watch_req req;

    if (etcd_pb_decode_watch_req(rpc_call_arena(call), message, &req) != 0 ||
        req.type != KVS_WATCH_REQ_CREATE) {
        return;
    }
    if (s->n_creates < SCRIPT_STREAMS_MAX) {
        s->creates[s->n_creates++] = req.create;
    }
    if (s->n_streams > 0) {
        script_play(call,
                    &s->streams[(s->n_creates < s->n_streams ? s->n_creates : s->n_streams) - 1]);
    }
}

static inline void script_keepalive_message(struct rpc_call *call, struct kvs_view message)
{
    struct script *s = rpc_call_user(call);
    struct kvs_lease_keepalive_resp resp = {.id = 7};
    struct buf b;

    (void)message;
    resp.ttl_s = s->keepalive_ttls[s->n_keepalives++ % SCRIPT_CALLS_MAX];
    buf_init(&b);
    etcd_pb_encode_lease_keepalive_resp(&b, &resp);
    if (rpc_stream_send_copy(call, buf_view(&b)) != 0) {
        s->n_unsent++;
    }
    buf_fini(&b);
}

static inline void script_closed(struct rpc_call *call, bool canceled)
{
    (void)call;
    (void)canceled;
}

static inline void script_watch(void *ctx, struct rpc_call *call)
{
    static const struct rpc_stream_ops ops = {.on_message = script_watch_message,
                                              .on_closed = script_closed};

    rpc_call_set_user(call, ctx);
    rpc_stream_start(call, &ops);
}

static inline void script_keepalive(void *ctx, struct rpc_call *call)
{
    static const struct rpc_stream_ops ops = {.on_message = script_keepalive_message,
                                              .on_closed = script_closed};

    rpc_call_set_user(call, ctx);
    rpc_stream_start(call, &ops);
}

static inline void script_stop_cb(void *ctx, struct list *message)
{
    struct script *s = ctx;

    (void)message;
    loop_stop(s->loop);
}

static inline void *script_thread(void *ctx)
{
    struct script *s = ctx;

    script_on_server_thread = true;
    loop_run(s->loop);
    for (size_t i = 0; i < s->n_held; i++) {
        rpc_fail(s->held[i], RPC_CANCELED, NULL);
    }
    rpc_server_free(s->server);
    loop_free(s->loop);
    return NULL;
}

static inline void script_start(struct script *s)
{
    static const char *const unary[] = {"/etcdserverpb.KV/Range", "/etcdserverpb.KV/Put",
                                        "/etcdserverpb.KV/Txn"};
    struct net_addr addr;
    uint16_t port = 0;

    assert_int_equal(loop_new(&s->loop), 0);
    assert_int_equal(rpc_server_new(s->loop, NULL, NULL, &s->server), 0);
    assert_int_equal(net_addr_parse("127.0.0.1:0", &addr), 0);
    assert_int_equal(rpc_listen(s->server, &addr, NULL, RPC_LISTEN_ALL, 0, &port, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(unary); i++) {
        assert_int_equal(rpc_method(s->server, unary[i], RPC_UNARY, script_unary, s), 0);
    }
    assert_int_equal(rpc_method(s->server, "/etcdserverpb.Watch/Watch", RPC_BIDI, script_watch, s),
                     0);
    assert_int_equal(
        rpc_method(s->server, "/etcdserverpb.Lease/LeaseKeepAlive", RPC_BIDI, script_keepalive, s),
        0);
    assert_int_equal(loop_mbox_new(s->loop, script_stop_cb, s, &s->mbox), 0);
    list_init(&s->stop);
    (void)snprintf(s->endpoint, sizeof s->endpoint, "127.0.0.1:%u", port);
    assert_int_equal(pthread_create(&s->thread, NULL, script_thread, s), 0);
}

static inline void script_stop(struct script *s)
{
    loop_mbox_post(s->mbox, &s->stop);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
}

static inline struct kvs_client *script_client(const char *endpoints)
{
    struct kvs_client_options options;
    struct kvs_client *client;

    kvs_client_options_init(&options);
    options.endpoints = endpoints;
    assert_int_equal(kvs_client_open(&options, &client, NULL), 0);
    return client;
}

#endif
