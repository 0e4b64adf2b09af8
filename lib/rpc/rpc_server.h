/* gRPC over HTTP/2, and HTTP for everything else, on one port.
 *
 * A `struct rpc_call` is one request in progress: a unary RPC, a stream, or an HTTP request. The
 * server collects what arrives, calls the handler, and sends what the handler hands over; bytes
 * leave once per loop turn, all calls of a connection together.
 *
 * Who ends what:
 *   unary    the handler's side calls rpc_reply*, or rpc_fail, EXACTLY ONCE, at any later time,
 *            also when the client is gone (on_cancel tells; the result is then dropped). The call,
 *            its arena and request live until then and not longer.
 *   stream   lives until on_closed has returned; on_closed comes exactly once, whether our side
 *            finished it, the client cancelled, the deadline passed or the connection broke.
 *   http     as unary (rpc_http_reply), or as a stream (rpc_http_begin .. rpc_http_end, on_closed).
 *
 * Every function: the loop's thread; allowed inside handlers and callbacks. Handlers and callbacks
 * may be entered from within the processing of received bytes, never from within a function that
 * the handler's side calls (except rpc_server_free). */
#ifndef RPC_RPC_SERVER_H
#define RPC_RPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/rcbuf.h"
#include "kvstore/types.h"
#include "loop/loop.h"
#include "loop/stream.h"
#include "rpc/rpc_status.h"

struct rpc_server;
struct rpc_call;

/* What a peer may use. Zero means the default in brackets. */
struct rpc_limits {
    size_t recv_message_max;    /* bytes of one gRPC message [2 MiB] */
    size_t recv_total_max;      /* bytes of messages that are not complete yet [256 MiB] */
    size_t send_total_max;      /* bytes of replies that a connection has not taken yet; above,
                                   its new calls are refused [64 MiB] */
    size_t http_body_max;       /* bytes of an HTTP request's body [2 MiB] */
    size_t header_max;          /* bytes of a request's headers, 32 per field added [16 KiB] */
    size_t arena_max;           /* bytes that a call's arena hands out [64 MiB] */
    unsigned connections_max;   /* further ones are closed at once [10000] */
    unsigned streams_max;       /* concurrent calls of a connection [10000] */
    unsigned resets_burst;      /* RST_STREAM of a client: at once [1000] ... */
    unsigned resets_per_s;      /* ... and in the long run [100]; above: GOAWAY */
    unsigned control_burst;     /* frames without use (PRIORITY, SETTINGS, empty DATA) [1000] */
    unsigned control_per_s;     /* [100] */
    unsigned header_timeout_ms; /* first request, or half a header block [10 s] */
    unsigned body_timeout_ms;   /* no progress in a request's body [30 s] */
    unsigned idle_timeout_ms;   /* HTTP/1.1 between requests [120 s] */
    unsigned
        ping_min_interval_ms;  /* keepalive pings of clients closer than that are strikes [5 s] */
    unsigned ping_interval_ms; /* ours, on a silent connection [2 h] */
    unsigned ping_timeout_ms;  /* [20 s] */
    bool ping_without_stream;  /* allow keepalive pings without calls [false] */
};

enum rpc_kind {
    RPC_UNARY,         /* one request, one response */
    RPC_SERVER_STREAM, /* one request (rpc_call_request), then rpc_stream_send */
    RPC_BIDI,          /* also for client streams */
    RPC_HTTP,
};

/* Called for a new call; borrowed `call` as above. Unary and server stream: the request is
 * complete. Streams: call rpc_stream_start here, or rpc_fail. */
typedef void (*rpc_handler)(void *ctx, struct rpc_call *call);

/* ---- the server ---- */

/* `limits` is copied (NULL: defaults); `log` may be NULL. KVS_E_NOMEM. */
KVS_MUST_USE int rpc_server_new(struct loop *l,
                                const struct rpc_limits *limits,
                                struct log *log,
                                struct rpc_server **ret_server);

/* Serves `path` ("/etcdserverpb.KV/Range", copied). Before or while serving. KVS_E_NOMEM,
 * KVS_E_INVALID (path known already or not "/service/method"). */
KVS_MUST_USE int rpc_method(
    struct rpc_server *s, const char *path, enum rpc_kind kind, rpc_handler handler, void *ctx);

/* Handles every request that is not gRPC, body included. Without it: 404. */
void rpc_http(struct rpc_server *s, rpc_handler handler, void *ctx);

enum rpc_listen_flags {
    RPC_LISTEN_GRPC = 1, /* gRPC calls are served (else: HTTP only, as --listen-client-http-urls) */
    RPC_LISTEN_HTTP = 2, /* HTTP requests are served */
    RPC_LISTEN_ALL = 3,
};

/* May be called several times; `tls` (NULL: clear) is borrowed until the server is freed. `tag`
 * comes back from rpc_call_listener_tag, for ports that serve a part only (metrics). Errors as
 * stream_listen. */
KVS_MUST_USE int rpc_listen(struct rpc_server *s,
                            const struct net_addr *addr,
                            struct tls_context *tls,
                            unsigned flags,
                            unsigned tag,
                            uint16_t *ret_port,
                            struct kvs_error *error);

/* Stops listening, tells clients to go (GOAWAY), lets calls end, closes; what is left after
 * `grace_ms` is cut. `done` (may be NULL) runs once, later, when no connection is left; it may
 * call rpc_server_free. Long-lived streams should be finished by their owner. */
void rpc_drain(struct rpc_server *s, unsigned grace_ms, void (*done)(void *ctx), void *ctx);

/* Cuts what is still connected (streams get on_closed from within); unary calls that are not
 * answered yet may still be answered and are freed then. Not from a handler or callback of the
 * server, except `done`. NULL is allowed. */
void rpc_server_free(struct rpc_server *s);

/* ---- any call ---- */

enum rpc_kind rpc_call_kind(const struct rpc_call *c);

/* For the owner: whatever it wants to find again in callbacks. NULL at first. */
void rpc_call_set_user(struct rpc_call *c, void *user);
void *rpc_call_user(const struct rpc_call *c);

/* The call's own arena: what is allocated here dies with the call; what the handler of an RPC_BIDI
 * call has allocated, and the headers, die when the handler returns. */
struct arena *rpc_call_arena(struct rpc_call *c);

/* The request message (unary, server stream) or body (http); lives as long as the call. */
struct kvs_view rpc_call_request(const struct rpc_call *c);

/* "/service/method" or the path without the query. */
struct kvs_view rpc_call_path(const struct rpc_call *c);

/* The first value of header or metadata `name` (lower case; "host" also for HTTP/2's authority);
 * false if absent. "-bin" metadata comes decoded. Lives as long as the call; RPC_BIDI: in the
 * handler only. */
bool rpc_call_header(struct rpc_call *c, const char *name, struct kvs_view *ret_value);

/* Iterates over all headers in order of arrival: start with *at = 0; false at the end. */
bool rpc_call_header_next(const struct rpc_call *c,
                          size_t *at,
                          struct kvs_view *ret_name,
                          struct kvs_view *ret_value);

/* Address and certificate of the client. NULL once the connection is gone. */
const struct stream_peer *rpc_call_peer(const struct rpc_call *c);

/* As given to rpc_listen. */
unsigned rpc_call_listener_tag(const struct rpc_call *c);

/* Milliseconds of loop_now_ms at which the client gives up; 0: never. */
uint64_t rpc_call_deadline_ms(const struct rpc_call *c);

/* The client is gone, cancelled, or its deadline passed. */
bool rpc_call_is_canceled(const struct rpc_call *c);

/* Unary and http: `on_cancel` runs at most once, when the call becomes cancelled before its
 * completion. It may complete the call. */
void rpc_call_on_cancel(struct rpc_call *c, void (*on_cancel)(struct rpc_call *c));

/* ---- unary ---- */

/* Completes with status OK; the call is gone afterwards. Moves `response` (kvs_free) always. */
void rpc_reply(struct rpc_call *c, struct kvs_blob response);

/* As rpc_reply; copies. Cheapest for small responses. */
void rpc_reply_copy(struct rpc_call *c, struct kvs_view response);

/* As rpc_reply; takes over the caller's reference. */
void rpc_reply_rcbuf(struct rpc_call *c, struct rcbuf *response);

/* Completes any kind of call with a status other than OK and a text (UTF-8, copied, NULL: "").
 * Streams: same as rpc_stream_finish. HTTP: a JSON error body as etcd's gateway. After
 * rpc_reply_begin or rpc_http_begin it cuts the reply short, visibly to the client. */
void rpc_fail(struct rpc_call *c, enum rpc_status status, const char *text);

/* rpc_fail with the status and text of a KVS_E_*. */
void rpc_fail_err(struct rpc_call *c, int err);

/* A response of `total_len` bytes that is produced piece by piece. `on_writable` (from a later
 * turn) asks for more: write until rpc_reply_queued exceeds RPC_QUEUE_HIGH. The call is complete,
 * and gone, when all bytes have been written (at once if there are none); if it is cancelled
 * before, writes are dropped, so carry on or call rpc_fail. */
void rpc_reply_begin(struct rpc_call *c,
                     uint64_t total_len,
                     void (*on_writable)(struct rpc_call *c));

/* Copies. KVS_E_NOMEM: nothing was taken, call rpc_fail. KVS_E_TOO_LONG: beyond total_len. */
KVS_MUST_USE int rpc_reply_write(struct rpc_call *c, struct kvs_view data);

/* As rpc_reply_write; takes a reference of its own. */
KVS_MUST_USE int rpc_reply_write_rcbuf(struct rpc_call *c, struct rcbuf *data);

size_t rpc_reply_queued(const struct rpc_call *c);

/* ---- streams ---- */

enum {
    RPC_QUEUE_HIGH = 64 * 1024, /* advice: stop sending when rpc_*_queued is above */
    RPC_QUEUE_LOW = 16 * 1024,  /* on_writable comes below, if it was above HIGH before */
    RPC_PREFIX_MAX = 192,       /* per-stream bytes before a shared payload */
};

struct rpc_stream_ops {
    /* One message (RPC_BIDI only). `message` dies with the callback. */
    void (*on_message)(struct rpc_call *c, struct kvs_view message);
    /* The client sends no more messages. Optional. */
    void (*on_half_close)(struct rpc_call *c);
    /* The send queue fell below RPC_QUEUE_LOW. Optional. */
    void (*on_writable)(struct rpc_call *c);
    /* The last callback: the call is gone afterwards. `canceled`: not by rpc_stream_finish. */
    void (*on_closed)(struct rpc_call *c, bool canceled);
};

/* In the handler. `ops` stays valid for the life of the stream. */
void rpc_stream_start(struct rpc_call *c, const struct rpc_stream_ops *ops);

/* Queues one message: `prefix` (copied, at most RPC_PREFIX_MAX bytes) followed by the bytes of
 * `payload` (NULL: none; takes a reference of its own), so that one encoded event serves many
 * streams. Never sends at once. KVS_E_NOMEM, KVS_E_TOO_LONG, KVS_E_CLOSED (finished or cancelled:
 * stop sending; on_closed tells the rest). */
KVS_MUST_USE int rpc_stream_send(struct rpc_call *c, struct kvs_view prefix, struct rcbuf *payload);

/* As rpc_stream_send; copies the whole message. */
KVS_MUST_USE int rpc_stream_send_copy(struct rpc_call *c, struct kvs_view message);

/* Bytes queued here, not counting what the connection has taken over. */
size_t rpc_stream_queued(const struct rpc_call *c);

/* No on_message while paused; the client is held back by its flow-control window. */
void rpc_stream_pause(struct rpc_call *c);
void rpc_stream_resume(struct rpc_call *c);

/* Ends the stream after what is queued; on_closed follows. `text` NULL: "". */
void rpc_stream_finish(struct rpc_call *c, enum rpc_status status, const char *text);

/* ---- http ---- */

/* "GET", "POST", ... */
struct kvs_view rpc_http_method(const struct rpc_call *c);

/* After the "?", not decoded; empty if none. */
struct kvs_view rpc_http_query(const struct rpc_call *c);

/* A field of the response; names in lower case. Copied. One with a line end in it is left out. */
struct rpc_http_field {
    const char *name;
    const char *value;
};

/* Completes. `content_type` NULL: none. Copies all; moves `body` always. */
void rpc_http_reply(struct rpc_call *c,
                    unsigned status,
                    const char *content_type,
                    const struct rpc_http_field *fields,
                    size_t n_fields,
                    struct kvs_blob body);

/* A response of unknown length (chunked in HTTP/1.1). `ops`: on_writable and on_closed only;
 * on_closed as for streams. */
void rpc_http_begin(struct rpc_call *c,
                    unsigned status,
                    const char *content_type,
                    const struct rpc_http_field *fields,
                    size_t n_fields,
                    const struct rpc_stream_ops *ops);

/* Copies. KVS_E_NOMEM, KVS_E_CLOSED. Queue as with streams (rpc_stream_queued). */
KVS_MUST_USE int rpc_http_write(struct rpc_call *c, struct kvs_view data);

/* Ends the response after what is queued; on_closed follows. */
void rpc_http_end(struct rpc_call *c);

/* ---- figures ---- */

struct rpc_method_figures {
    const char *path;
    enum rpc_kind kind;
    uint64_t started;
    uint64_t handled[RPC_STATUS_COUNT]; /* by status */
    uint64_t messages_received;
    uint64_t messages_sent;
};

struct rpc_server_figures {
    uint64_t received_bytes; /* gRPC messages */
    uint64_t sent_bytes;
    unsigned connections; /* now */
    unsigned calls;       /* gRPC, now */
    uint64_t connections_accepted;
    uint64_t connections_refused;  /* over connections_max */
    uint64_t connections_punished; /* floods, too many pings */
    uint64_t calls_unknown;        /* no such method */
};

const struct rpc_server_figures *rpc_server_figures(const struct rpc_server *s);

/* Iterates over methods in order of registration: start with *at = 0; NULL at the end. */
const struct rpc_method_figures *rpc_method_figures_next(const struct rpc_server *s, size_t *at);

#endif
