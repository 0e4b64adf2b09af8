/* gRPC client: one HTTP/2 connection to one address, kept up by itself.
 *
 *   IDLE -> CONNECTING -> READY -> (lost) -> BACKOFF -> CONNECTING ...
 *
 * Calls started while connecting wait (at most until their deadline); in BACKOFF they fail at once
 * with UNAVAILABLE, so that a caller with several endpoints can go to the next, unless the client
 * was told to wait. Loop's thread throughout; callbacks run later, never inside a call of ours,
 * except that rpc_client_free ends everything from within. */
#ifndef RPC_RPC_CLIENT_H
#define RPC_RPC_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/rcbuf.h"
#include "kvstore/types.h"
#include "loop/loop.h"
#include "loop/stream.h"
#include "rpc/rpc_status.h"

struct rpc_client;
struct rpc_client_stream; /* inner part of a call */

enum rpc_client_state {
    RPC_CLIENT_IDLE,
    RPC_CLIENT_CONNECTING,
    RPC_CLIENT_READY,
    RPC_CLIENT_BACKOFF,
    RPC_CLIENT_STATE_COUNT,
};

/* Zero means the default in brackets. */
struct rpc_client_options {
    struct net_addr target;
    struct tls_context *tls;        /* borrowed; NULL: clear, unless target.tls, which is refused */
    const char *authority;          /* NULL: the target */
    size_t recv_message_max;        /* [2 GiB - 1, as etcd's client] */
    unsigned connect_timeout_ms;    /* [5 s] */
    unsigned backoff_min_ms;        /* [100 ms], doubled up to ... */
    unsigned backoff_max_ms;        /* ... [2 s] */
    unsigned keepalive_interval_ms; /* ping after silence while calls are open [0: never] */
    unsigned keepalive_timeout_ms;  /* [6 s] */
    bool wait_for_ready;            /* calls wait in BACKOFF, too */
    bool lazy;                      /* connect with the first call instead of at once */
    /* Every change of state; `text` says why after a failure. Optional. */
    void (*on_state)(void *ctx, enum rpc_client_state state, const char *text);
    void *ctx;
};

/* A field of the request's metadata. Names in lower case; "-bin" values are encoded for you. */
struct rpc_metadata {
    const char *name;
    struct kvs_view value;
};

/* Copies `options`. KVS_E_NOMEM, KVS_E_INVALID. */
KVS_MUST_USE int rpc_client_new(struct loop *l,
                                const struct rpc_client_options *options,
                                struct rpc_client **ret_client);

/* Ends all calls with UNAVAILABLE (their callbacks run from within), closes. Allowed in on_done and
 * on_state, not in on_message. NULL is allowed. */
void rpc_client_free(struct rpc_client *c);

enum rpc_client_state rpc_client_state(const struct rpc_client *c);

/* The text of the last failure to connect; "" if none. */
const char *rpc_client_last_error(const struct rpc_client *c);

/* In BACKOFF or IDLE: tries now. */
void rpc_client_connect_now(struct rpc_client *c);

/* Metadata that goes with every further call (replaces what was set; copied). KVS_E_NOMEM. */
KVS_MUST_USE int
rpc_client_set_metadata(struct rpc_client *c, const struct rpc_metadata *fields, size_t n_fields);

/* ---- calls ---- */

/* Caller's storage, zeroed by the caller before its first use; from a successful start until
 * `on_done` is entered it belongs to the client. Fill in the callbacks, then start. */
struct rpc_client_call {
    /* The end, exactly once: the storage may be freed or used again inside. Unary with RPC_OK:
     * `response` is the message; else empty. Both die with the callback. */
    void (*on_done)(struct rpc_client_call *call,
                    enum rpc_status status,
                    const char *text,
                    struct kvs_view response);
    /* Streams: one message; dies with the callback. */
    void (*on_message)(struct rpc_client_call *call, struct kvs_view message);
    /* Streams: the send queue fell below RPC_CLIENT_QUEUE_LOW. Optional. */
    void (*on_writable)(struct rpc_client_call *call);
    void *ctx; /* the owner's */

    struct rpc_client *client; /* private from here */
    struct rpc_client_stream *stream;
};

enum { RPC_CLIENT_QUEUE_HIGH = 64 * 1024, RPC_CLIENT_QUEUE_LOW = 16 * 1024 };

/* Starts a unary call. `path` and `request` are copied. `timeout_ms` 0: none; it is also told to
 * the server. If non-zero is returned on_done never runs. KVS_E_NOMEM. */
KVS_MUST_USE int rpc_client_unary(struct rpc_client *c,
                                  struct rpc_client_call *call,
                                  const char *path,
                                  struct kvs_view request,
                                  unsigned timeout_ms);

/* Starts a stream (both directions; a server stream is send + half_close). on_message must be
 * set. `fields` are copied. KVS_E_NOMEM. */
KVS_MUST_USE int rpc_client_stream_start(struct rpc_client *c,
                                         struct rpc_client_call *call,
                                         const char *path,
                                         const struct rpc_metadata *fields,
                                         size_t n_fields,
                                         unsigned timeout_ms);

/* Queues one message (copied). KVS_E_NOMEM, KVS_E_CLOSED (half-closed, cancelled or over). */
KVS_MUST_USE int rpc_client_send(struct rpc_client_call *call, struct kvs_view message);

/* As rpc_client_send without the copy; takes a reference of its own. */
KVS_MUST_USE int rpc_client_send_rcbuf(struct rpc_client_call *call, struct rcbuf *message);

/* No more messages from us. */
void rpc_client_half_close(struct rpc_client_call *call);

size_t rpc_client_queued(const struct rpc_client_call *call);

/* No on_message while paused; the server is held back by its window. */
void rpc_client_pause(struct rpc_client_call *call);
void rpc_client_resume(struct rpc_client_call *call);

/* Gives the call up: RST_STREAM; on_done(RPC_CANCELED) follows, later. Harmless if over. */
void rpc_client_cancel(struct rpc_client_call *call);

#endif
