/* The inside of the server: connections, calls, and who may free them.
 *
 *   accept -> SNIFF -> H2: many calls, each one nghttp2 stream
 *                  `-> H1: one call at a time
 *
 * A call is freed when neither the wire (conn != NULL) nor the handler's side (`held`) needs it. */
#ifndef RPC_RPC_SERVER_INT_H
#define RPC_RPC_SERVER_INT_H

#include "base/list.h"
#include "rpc/h2_wire.h"
#include "rpc/rpc_server.h"

struct h1;

enum {
    CONN_PREFACE_BYTES = 24,
    CALLS_FREE_MAX = 4096,
    CALL_LINGER_MS = 5000,   /* for an HTTP client to end a request that was answered early */
    CALL_CHUNK_BYTES = 1000, /* of a call's arena before its handler runs, and from then on */
    HANDLER_CHUNK_BYTES = 4000,
    ARENA_KEEP_MAX = 16 * 1024, /* a pooled call keeps no arena that gave out more */
    METHOD_BUCKETS = 256,
    PING_STRIKES_MAX = 2, /* as grpc-go */
    PING_IDLE_INTERVAL_MS = 2 * 60 * 60 * 1000,
};

struct rpc_method {
    struct rpc_method *next; /* in its bucket */
    struct list node;        /* in registration order */
    uint32_t hash;
    size_t path_len;
    rpc_handler handler;
    void *ctx;
    struct rpc_method_figures figures;
    char path[];
};

/* Tokens for a burst, refilled by time. */
struct rpc_rate {
    uint64_t tokens_milli;
    uint64_t at_ms;
};

struct rpc_server {
    struct loop *loop;
    struct log *log;
    struct rpc_limits limits;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    struct rpc_pool *pool;

    struct rpc_method *buckets[METHOD_BUCKETS];
    struct list methods;
    rpc_handler http_handler;
    void *http_ctx;

    struct list listeners;
    struct list conns;
    struct list dirty;    /* conns with something to send */
    struct list writable; /* calls whose queue has drained */
    struct list resumed;  /* calls that hold back bytes no longer */
    struct list closing;  /* streams whose on_closed is due */
    struct loop_hook flush;

    struct rpc_call *free_calls;
    unsigned n_free_calls;
    unsigned n_orphans; /* calls without a connection that the handler's side holds */
    unsigned n_streams; /* transport streams not yet reported closed */
    size_t held_bytes;  /* of messages received in part */

    struct rpc_server_figures figures;

    bool draining;
    bool freed; /* waits for orphans and streams */
    struct loop_timer grace;
    struct loop_task drained;
    struct loop_task close_task; /* runs `closing` */
    void (*drain_done)(void *ctx);
    void *drain_ctx;
};

struct rpc_listener {
    struct list node;
    struct rpc_server *server;
    struct listener *listener;
    unsigned flags;
    unsigned tag;
};

enum conn_kind {
    CONN_SNIFF,
    CONN_H2,
    CONN_H1,
};

struct rpc_conn {
    struct list node; /* in server->conns */
    struct rpc_server *server;
    struct stream *stream;
    enum conn_kind kind;
    unsigned flags; /* of the listener */
    unsigned tag;
    bool closing;     /* stream_close was called: no more input, nothing may be sent */
    bool close_after; /* close when the queue is empty */

    struct h2_wire wire;
    struct h1 *h1;
    struct list dirty;
    struct list calls;
    unsigned n_calls;
    size_t out_bytes; /* queued in calls */

    uint8_t sniffed[CONN_PREFACE_BYTES];
    unsigned n_sniffed;

    struct loop_timer header_timer; /* preface, header block, HTTP/1.1 idle */
    struct loop_timer ping_timer;
    bool in_headers;
    bool ping_waiting;
    bool goaway_final; /* the second GOAWAY of a drain was sent */
    uint64_t received_at_ms;
    uint64_t client_ping_at_ms;
    unsigned ping_strikes;
    bool pinged;          /* client_ping_at_ms is valid */
    bool sent_since_ping; /* data or headers went out: strikes are forgiven */
    struct rpc_rate resets;
    struct rpc_rate controls;
};

struct call_field {
    struct kvs_view name;
    struct kvs_view value;
};

struct rpc_call {
    struct h2_flow flow; /* H1 uses flow.out only */
    struct list node;    /* in conn->calls; in the free list: next */
    struct list ready;   /* in server->writable or closing */
    struct list resume;  /* in server->resumed */
    struct rpc_server *server;
    struct rpc_conn *conn; /* NULL: off the wire */
    enum rpc_kind kind;
    struct rpc_method *method; /* gRPC only */
    unsigned tag;
    void *user;

    /* what arrived */
    struct arena arena;
    struct call_field *fields;
    size_t n_fields;
    size_t fields_capacity;
    size_t header_bytes;
    size_t discarded_bytes; /* of the body, after the answer */
    struct kvs_view path;
    struct kvs_view query;
    struct kvs_view http_method;
    struct rpc_in in;
    struct kvs_view request;
    struct buf backlog; /* bytes that came while paused; bounded by the stream's window */
    uint64_t deadline_ms;
    struct loop_timer deadline;
    struct loop_timer body_timer;

    bool header_too_big;
    bool malformed;         /* HTTP/2 only, as what follows: reset, nothing else happens */
    bool fields_begun;      /* no pseudo-header may follow */
    unsigned pseudo_seen;   /* bits of h2_server.c */
    uint64_t body_expected; /* content-length; UINT64_MAX: not said */
    uint64_t body_bytes;
    bool is_grpc;
    bool body_over;   /* the client has ended its side */
    bool got_message; /* unary: the one message is here */
    bool rejected;    /* answered without a handler: ignore the rest */
    bool paused;
    bool in_feed; /* messages are being delivered */

    /* the handler's side */
    bool held;     /* a handler was called, and has not completed the call */
    bool started;  /* it is a stream: ops are set */
    bool answered; /* status decided, nothing may be added */
    bool canceled;
    bool was_high;
    bool head_request; /* HTTP HEAD: no body goes out */
    bool replying;     /* rpc_reply_begin */
    uint64_t reply_left;
    const struct rpc_stream_ops *ops;
    void (*on_cancel)(struct rpc_call *c);
    void (*on_writable)(struct rpc_call *c);
    enum rpc_status status;
    struct kvs_view message; /* of the status, percent-encoded, in the arena */
    bool headers_sent;
};

/* ---- call.c ---- */

/* A call on the wire; NULL if out of memory. */
struct rpc_call *call_new(struct rpc_conn *conn, int32_t stream_id);

/* Adds a header (copied into the arena); counts it and marks the call when it is too much.
 * KVS_E_NOMEM. */
KVS_MUST_USE int call_add_field(struct rpc_call *c, struct kvs_view name, struct kvs_view value);

/* Splits ":path" into path and query. KVS_E_NOMEM. */
KVS_MUST_USE int call_set_path(struct rpc_call *c, struct kvs_view path);

/* All headers are here: finds out what it is, refuses what is not served. */
void call_route(struct rpc_call *c);

/* Bytes of the body; the end of the body. */
void call_body(struct rpc_call *c, struct kvs_view data);
void call_body_end(struct rpc_call *c);

/* The wire is gone: the client cancelled, the stream ended, or the connection broke. */
void call_off_wire(struct rpc_call *c);

/* Takes a status on the call without a handler's doing; `text` is copied. */
void call_reject(struct rpc_call *c, enum rpc_status status, const char *text);
void call_reject_http(struct rpc_call *c, unsigned http_status, const char *text);

/* Something was queued: the connection has to look. */
void call_wake(struct rpc_call *c);

/* The queue has drained somewhat: asks for more if it is time. */
void call_drained(struct rpc_call *c);

/* Deliver what was collected for these lists. */
void server_run_writable(struct rpc_server *s);
void server_run_resumed(struct rpc_server *s);
void server_run_closing(struct rpc_server *s);

/* ---- h2_server.c ---- */

KVS_MUST_USE int h2_server_init(struct rpc_server *s);
KVS_MUST_USE int h2_conn_start(struct rpc_conn *c);
void h2_conn_data(struct rpc_conn *c, struct kvs_view data);
void h2_conn_flush(struct rpc_conn *c);
void h2_conn_drain(struct rpc_conn *c);

/* Response headers, with f->out as the body; or, `end`, headers only (trailers-only). */
void h2_call_headers(struct rpc_call *c, const nghttp2_nv *fields, size_t n_fields, bool end);
void h2_call_reset(struct rpc_call *c, uint32_t error);

/* Bytes of the stream's window are free again. */
void h2_call_consumed(struct rpc_call *c, size_t len);

/* GOAWAY with a debug text, then the end. */
void h2_conn_punish(struct rpc_conn *c, const char *why);

/* ---- h1.c ---- */

KVS_MUST_USE int h1_conn_start(struct rpc_conn *c);
void h1_conn_data(struct rpc_conn *c, struct kvs_view data);
void h1_conn_flush(struct rpc_conn *c);
void h1_conn_drain(struct rpc_conn *c);
void h1_conn_free(struct rpc_conn *c);

/* Status line and fields; the body is flow.out: `length` bytes, or chunks (SIZE_MAX). */
void h1_call_headers(struct rpc_call *c,
                     unsigned status,
                     const char *content_type,
                     const struct rpc_http_field *fields,
                     size_t n_fields,
                     size_t length);
/* The reply cannot be completed: the client sees the connection break. */
void h1_call_abort(struct rpc_call *c);

/* ---- rpc_http.c ---- */

/* Headers of an HTTP response on either protocol. */
void http_send_headers(struct rpc_call *c,
                       unsigned status,
                       const char *content_type,
                       const struct rpc_http_field *fields,
                       size_t n_fields,
                       size_t length);

/* No line ends inside. Others are left out of the response. */
bool http_field_is_safe(const struct rpc_http_field *field);

/* ---- rpc_server.c ---- */

void conn_mark_dirty(struct rpc_conn *c);
void conn_close(struct rpc_conn *c);

/* Closes once what is queued has left. */
void conn_close_after_flush(struct rpc_conn *c);

/* A call has left the wire. */
void conn_call_ended(struct rpc_conn *c);

void server_free_if_unused(struct rpc_server *s);
struct rpc_method *server_find_method(const struct rpc_server *s, struct kvs_view path);
void call_free_pooled(struct rpc_server *s);

/* Takes one token; false if there is none. */
bool rpc_rate_take(struct rpc_rate *r, unsigned burst, unsigned per_s, uint64_t now_ms);

#endif
