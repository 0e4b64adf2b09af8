/* The inside of the client: the connection (rpc_client.c) and calls (rpc_client_call.c). */
#ifndef RPC_RPC_CLIENT_INT_H
#define RPC_RPC_CLIENT_INT_H

#include "base/arena.h"
#include "base/rand.h"
#include "rpc/h2_wire.h"
#include "rpc/rpc_client.h"

enum {
    CLIENT_FIELDS_MAX = 32,
    CLIENT_STABLE_MS = 1000, /* a connection that lasted so long is worth an immediate new one */
};

struct client_field {
    struct kvs_view name;
    struct kvs_view value; /* as it goes over the wire */
};

struct client_fields {
    struct client_field at[CLIENT_FIELDS_MAX];
    size_t n;
};

struct rpc_client {
    struct loop *loop;
    struct rpc_client_options options;
    char authority[NET_TEXT_MAX];
    enum rpc_client_state state;
    char last_error[200];

    struct stream *stream; /* NULL: not connected, nor trying */
    struct h2_wire wire;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    struct rpc_pool *pool;
    bool settled; /* the server's SETTINGS came: it speaks HTTP/2 */
    bool goaway;  /* no new calls on this connection */
    bool closing; /* stream_close was called */
    bool freed;
    unsigned refs; /* the owner's, the stream's, the hook's while it runs */

    struct list waiting;   /* calls for the next connection */
    struct list active;    /* calls on the wire */
    struct list lingering; /* calls off the wire with messages that wait for a resume */
    struct list finished;  /* on_done is due */
    struct list ready;     /* on_writable or a resumed backlog is due */
    unsigned n_active;
    bool dirty;
    struct loop_hook flush;

    struct loop_timer connect_timer; /* connecting takes too long; backoff is over */
    struct loop_timer keepalive;
    struct loop_task begin;
    bool ping_waiting;
    uint64_t opened_at_ms;
    uint64_t received_at_ms;
    unsigned backoff_ms;
    bool retry_at_once; /* BACKOFF is a formality: the server asked us to reconnect */
    struct rng rng;

    struct arena metadata_arena;
    struct client_fields metadata;
};

/* Freed when it is off the wire and on_done has run. */
struct rpc_client_stream {
    struct h2_flow flow;
    struct list node;  /* in one of the client's first three lists */
    struct list done;  /* in client->finished */
    struct list ready; /* in client->ready */
    struct rpc_client *client;
    struct rpc_client_call *call; /* NULL: on_done has run */
    struct arena arena;
    const char *path;
    struct client_fields *fields; /* NULL: none */
    struct loop_timer deadline;
    uint64_t deadline_ms; /* 0: none */

    bool unary;
    bool over;      /* status decided */
    bool submitted; /* on the wire */
    bool reset;     /* RST_STREAM was asked for */
    bool paused;
    bool in_feed;
    bool was_high;
    bool has_status; /* grpc-status was seen */
    bool wants_writable;
    bool close_waits; /* off the wire, but the backlog is to be delivered first */
    uint32_t close_error;
    unsigned http_status;

    struct rpc_in in;
    struct buf backlog;
    struct buf response; /* unary: the message */
    bool got_message;
    enum rpc_status status;
    struct buf text;
};

/* ---- rpc_client_call.c ---- */

/* Submits to the session; if that fails, so has the call. */
void client_stream_submit(struct rpc_client_stream *s);

/* Decides the result; on_done follows from the hook. Off the wire it goes by itself. */
void client_stream_finish(struct rpc_client_stream *s, enum rpc_status status, const char *text);

void client_stream_header(struct rpc_client_stream *s, struct kvs_view name, struct kvs_view value);
void client_stream_data(struct rpc_client_stream *s, struct kvs_view data);

/* The wire is done with it; `error` is the HTTP/2 error code. */
void client_stream_closed(struct rpc_client_stream *s, uint32_t error);

/* Takes a call off the wire whose connection broke. */
void client_stream_lost(struct rpc_client_stream *s, const char *text);

/* Runs on_writable, resumed backlogs, on_done of all that are due. */
void client_run_ready(struct rpc_client *c);
void client_run_finished(struct rpc_client *c);

/* ---- rpc_client.c ---- */

void client_mark_dirty(struct rpc_client *c);

/* A new call wants a connection. */
void client_want(struct rpc_client *c);

/* Copies and encodes fields. KVS_E_NOMEM, KVS_E_TOO_LONG (more than CLIENT_FIELDS_MAX). */
KVS_MUST_USE int client_fields_copy(struct client_fields *to,
                                    struct arena *arena,
                                    const struct rpc_metadata *fields,
                                    size_t n_fields);

#endif
