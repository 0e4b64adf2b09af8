/* What a server's and a client's HTTP/2 connection have in common: an nghttp2 session over a
 * stream. Bytes come in through h2_wire_feed, go out through h2_wire_flush; nothing is sent from
 * inside a callback of the session, and the session is deleted outside of all. */
#ifndef RPC_H2_WIRE_H
#define RPC_H2_WIRE_H

#include <nghttp2/nghttp2.h>

#include "loop/stream.h"
#include "rpc/rpc_queue.h"

enum {
    H2_STREAM_WINDOW = 256 * 1024,
    H2_CONNECTION_WINDOW = 1024 * 1024,
};

/* The session's user data. */
struct h2_wire {
    struct stream *stream;
    nghttp2_session *session; /* NULL before the preface, and at the end */
    bool inside; /* nghttp2 is on the call stack: no send, no delete */
    bool broken; /* out of memory or protocol error: close */
};

/* The sending half of one HTTP/2 stream; the data source's pointer. */
struct h2_flow {
    struct h2_wire *wire; /* NULL when the stream is closed */
    int32_t stream_id;
    struct rpc_out out;
    bool deferred; /* nghttp2 was told that there is nothing to send; resume when there is */
    /* At the end of a finished queue: submits trailers, or NULL to end with the data. Returns
     * nghttp2's error. */
    int (*trailers)(struct h2_flow *f);
    /* Bytes were moved to the connection. */
    void (*drained)(struct h2_flow *f);
};

/* Callbacks with the sending ones set; NULL if out of memory. */
KVS_MUST_USE nghttp2_session_callbacks *h2_callbacks_new(void);

/* The allocator to give to sessions. */
nghttp2_mem *h2_mem(void);

/* Reads from f->out. */
nghttp2_data_provider h2_flow_source(struct h2_flow *f);

/* f->out has grown or is finished: makes nghttp2 look again. */
void h2_flow_wake(struct h2_flow *f);

/* Processes received bytes. False: the connection is to be closed (after a flush, so that a GOAWAY
 * gets out). */
bool h2_wire_feed(struct h2_wire *w, struct kvs_view data);

/* Hands everything that may be sent to the stream, at most up to STREAM_QUEUE_HIGH. False: close.
 */
bool h2_wire_flush(struct h2_wire *w);

/* Deletes the session. Its stream-close callbacks do not run: free flows first. */
void h2_wire_fini(struct h2_wire *w);

/* A field whose name is a literal; the value is copied by nghttp2. */
nghttp2_nv h2_field(const char *name, const char *value, size_t value_len);

#endif
