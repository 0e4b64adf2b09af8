/* Inside of lib/client: one handle, its thread, its calls, and the interface to what carries them
 * out (remote endpoints or a node in this process).
 *
 * Everything below happens on the client's thread, except client_submit. Other threads hand work
 * over as tasks (client_submit), which is how each public function begins. */
#ifndef CLIENT_CLIENT_INT_H
#define CLIENT_CLIENT_INT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/list.h"
#include "base/rand.h"
#include "kvstore/client.h"
#include "loop/loop.h"
#include "rpc/pb.h"

/* ---- methods ---- */

enum client_method_id {
    CLIENT_RANGE,
    CLIENT_PUT,
    CLIENT_DELETE,
    CLIENT_TXN,
    CLIENT_COMPACT,
    CLIENT_LEASE_GRANT,
    CLIENT_LEASE_REVOKE,
    CLIENT_LEASE_TTL,
    CLIENT_LEASE_LIST,
    CLIENT_LEASE_KEEPALIVE,
    CLIENT_MEMBER_LIST,
    CLIENT_MEMBER_ADD,
    CLIENT_MEMBER_REMOVE,
    CLIENT_MEMBER_UPDATE,
    CLIENT_MEMBER_PROMOTE,
    CLIENT_STATUS,
    CLIENT_ALARM,
    CLIENT_HASH_KV,
    CLIENT_DEFRAGMENT,
    CLIENT_MOVE_LEADER,
    CLIENT_WATCH,    /* stream */
    CLIENT_SNAPSHOT, /* stream */
    CLIENT_METHOD_COUNT,
};

struct client_method {
    const char *path; /* gRPC's */
    const struct pb_message *req;
    const struct pb_message *resp;
    bool repeatable; /* doing it twice is doing it once: retried on any endpoint */
    bool one_shot;   /* a stream on the wire, used for one request and one response */
};

const struct client_method *client_method(enum client_method_id id);

/* ---- responses: an arena and a struct, one allocation's worth of lifetime ---- */

/* A response of `message`'s struct, decoded from a copy of `bytes`. Freed with kvs_resp_free.
 * KVS_E_MALFORMED, KVS_E_NOMEM. */
KVS_MUST_USE int
client_resp_decode(const struct pb_message *message, struct kvs_view bytes, void **ret_resp);

/* An empty one of `size` bytes, for backends that fill it themselves from the response's arena.
 * NULL if out of memory. */
KVS_MUST_USE void *client_resp_new(size_t size);
struct arena *client_resp_arena(const void *resp);

/* ---- tasks: the way onto the client's thread ---- */

struct client_task {
    struct list node;
    void (*run)(struct client_task *task);
};

/* Any thread. KVS_E_CLOSED once the client has stopped: then `run` never runs. */
KVS_MUST_USE int client_submit(struct kvs_client *c, struct client_task *task);

/* ---- calls ---- */

typedef void (*client_fn)(void); /* a typed callback, between the API and its finisher */

struct client_call {
    struct client_task task;
    struct list node; /* in client.calls, from arrival to the end */
    struct kvs_client *client;
    const struct client_method *method;
    struct kvs_blob req; /* encoded; empty in the node's process */
    struct arena arena;  /* there: of the copy */
    void *request;       /* there: a copy of the request */
    bool repeatable;
    char *endpoint;       /* NULL: any */
    uint32_t timeout_ms;  /* 0: none */
    uint64_t deadline_ms; /* of the loop's clock; 0: none */
    void *backend;        /* the backend's state of this call */
    void (*finish)(struct client_call *call, const struct kvs_error *error, const void *resp);
    client_fn fn;
    void *ctx;
};

/* Encodes `req` (a struct of the method) and hands the call over. Any thread.
 * KVS_E_NOMEM, KVS_E_CLOSED, KVS_E_TOO_LONG (send_max_bytes). */
KVS_MUST_USE int client_call_start(struct kvs_client *c,
                                   enum client_method_id method,
                                   const void *req,
                                   const struct kvs_call_options *options,
                                   void (*finish)(struct client_call *call,
                                                  const struct kvs_error *error,
                                                  const void *resp),
                                   client_fn fn,
                                   void *ctx);

/* The same, waiting for the end. `*ret_resp` is the caller's. Not on the client's thread. */
KVS_MUST_USE int client_call_sync(struct kvs_client *c,
                                  enum client_method_id method,
                                  const void *req,
                                  const struct kvs_call_options *options,
                                  void **ret_resp,
                                  struct kvs_error *ret_error);

/* From the backend, once per call: runs the callback and frees the call. Moves `resp` (NULL on
 * error). */
void client_call_done(struct client_call *call, int code, const char *text, void *resp);

/* ---- streams: watch and snapshot ---- */

struct client_stream {
    struct list node; /* in client.streams while open */
    struct kvs_client *client;
    const struct client_method *method;
    const char *endpoint; /* NULL: any; borrowed */
    void *backend;
    /* Moves `resp`, a struct of the method's response. */
    void (*on_message)(struct client_stream *s, void *resp);
    /* The last callback; later than client_stream_open. The storage may be freed inside. */
    void (*on_end)(struct client_stream *s, int code, const char *text);
};

/* Opens and sends the first message. Caller's storage with method, endpoint and callbacks set.
 * on_end follows exactly once if 0 is returned. KVS_E_NOMEM. */
KVS_MUST_USE int
client_stream_open(struct kvs_client *c, struct client_stream *s, const void *first);

/* One more request. Errors are reported by on_end. */
void client_stream_send(struct client_stream *s, const void *req);
void client_stream_pause(struct client_stream *s);
void client_stream_resume(struct client_stream *s);

/* on_end(KVS_E_CANCELED) follows, later. Harmless twice. */
void client_stream_cancel(struct client_stream *s);

/* From the backend, once per stream: runs on_end. `s` may be gone afterwards. */
void client_stream_ended(struct client_stream *s, int code, const char *text);

/* ---- what carries calls out ---- */

struct client_backend;

struct client_backend_ops {
    /* Ends with client_call_done, later. */
    void (*call)(struct client_backend *b, struct client_call *call);
    /* Hastens the end of a call: client_call_done(KVS_E_CANCELED), maybe from within. */
    void (*call_cancel)(struct client_backend *b, struct client_call *call);
    int (*stream_open)(struct client_backend *b, struct client_stream *s, const void *first);
    void (*stream_send)(struct client_backend *b, struct client_stream *s, const void *req);
    void (*stream_pause)(struct client_backend *b, struct client_stream *s);
    void (*stream_resume)(struct client_backend *b, struct client_stream *s);
    void (*stream_cancel)(struct client_backend *b, struct client_stream *s);
    /* Frees; no call or stream is left. */
    void (*free)(struct client_backend *b);
};

struct client_backend {
    const struct client_backend_ops *ops;
    struct kvs_client *client;
    bool in_process; /* calls bring a copy of the request instead of its encoding */
    bool gone;       /* nothing can be carried out any more: do not try again */
};

/* Remote endpoints. Before the client's thread runs. */
KVS_MUST_USE int client_remote_new(struct kvs_client *c,
                                   const struct kvs_client_options *options,
                                   struct client_backend **ret_backend,
                                   struct kvs_error *ret_error);

/* ---- the handle ---- */

/* Long-lived things (watches, keepers, locks) that close with the client. */
struct client_closer {
    struct list node; /* in client.closers */
    void (*close)(struct client_closer *closer);
};

struct kvs_client {
    struct loop *loop;
    struct loop_mbox *mbox;
    pthread_t thread;
    struct client_backend *backend;
    struct rng rng; /* jitter of retries */
    uint32_t call_timeout_ms;
    uint32_t send_max_bytes;
    atomic_bool stopped; /* submissions are refused */
    /* The client's thread only: */
    bool closing;
    struct list calls;
    struct list streams;
    struct list closers;
    struct client_task close_task;
};

/* A client on `backend_new`'s backend; shared by kvs_client_open and kvs_client_open_node. */
typedef int (*client_backend_fn)(struct kvs_client *c,
                                 const void *arg,
                                 struct client_backend **ret_backend,
                                 struct kvs_error *ret_error);
KVS_MUST_USE int client_open_backend(const struct kvs_client_options *options,
                                     client_backend_fn backend_new,
                                     const void *arg,
                                     struct kvs_client **ret_client,
                                     struct kvs_error *ret_error);

/* True on the client's own thread. */
bool client_on_thread(const struct kvs_client *c);

/* Adds to what kvs_client_close closes. `close` may be called at once if the client is closing. */
void client_closer_add(struct kvs_client *c, struct client_closer *closer);
void client_closer_remove(struct kvs_client *c, struct client_closer *closer);

/* Called whenever a call, stream or closer has gone: ends the thread when nothing is left. */
void client_maybe_stop(struct kvs_client *c);

/* Fills `error` (may be NULL); text NULL: the code's own. Returns `code`. */
int client_error_set(struct kvs_error *error, int code, const char *text);

#endif
