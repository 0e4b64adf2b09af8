/* The remote backend: a set of endpoints, and the calls and streams that run on them. */
#ifndef CLIENT_REMOTE_INT_H
#define CLIENT_REMOTE_INT_H

#include "client/client_int.h"
#include "loop/tls.h"
#include "rpc/rpc_client.h"

enum {
    REMOTE_ENDPOINTS_MAX = 256,
    REMOTE_NAME_MAX = NET_TEXT_MAX,
};

struct remote;

/* One address with its connection, which keeps itself up. */
struct endpoint {
    struct remote *remote;
    struct net_addr addr;
    struct rpc_client *rpc;
    bool shared; /* serves any call; false: only calls that name it */
};

struct remote {
    struct client_backend base;
    struct tls_context *tls; /* NULL: none needed so far */
    struct endpoint *endpoints[REMOTE_ENDPOINTS_MAX];
    size_t n_endpoints;
    size_t next;           /* round robin */
    struct list waiters;   /* of struct endpoint_wait */
    struct loop_task wake; /* an endpoint became ready or failed */
    bool use_tls;
    bool require_leader;
    uint32_t dial_timeout_ms;
    uint32_t keepalive_time_ms;
    uint32_t keepalive_timeout_ms;
    uint32_t recv_max_bytes;
    struct kvs_error last; /* why the last connection attempt failed */
};

/* ---- endpoint.c ---- */

/* Adds `name`, or finds it. `*ret_endpoint` belongs to `r`. KVS_E_ADDRESS, KVS_E_TLS,
 * KVS_E_TOO_LONG, KVS_E_NOMEM. */
KVS_MUST_USE int endpoint_get(struct remote *r,
                              const char *name,
                              bool shared,
                              struct endpoint **ret_endpoint,
                              struct kvs_error *ret_error);

/* A connected endpoint (`only` not NULL: that one), in turn; NULL if there is none. */
struct endpoint *endpoint_pick(struct remote *r, struct endpoint *only);

/* Waits for one. Caller's storage. Exactly one of the two callbacks follows, later. */
struct endpoint_wait {
    struct list node; /* in remote.waiters; on its own when not waiting */
    struct remote *remote;
    struct endpoint *only;
    struct loop_timer timer;
    void (*ready)(struct endpoint_wait *w, struct endpoint *ep);
    void (*failed)(struct endpoint_wait *w, int code, const char *text);
};

void endpoint_wait_init(struct remote *r, struct endpoint_wait *w);
void endpoint_wait_start(struct endpoint_wait *w, struct endpoint *only, uint64_t timeout_ms);
bool endpoint_wait_active(const struct endpoint_wait *w);
void endpoint_wait_stop(struct endpoint_wait *w); /* no callback afterwards */

void endpoint_free_all(struct remote *r);

/* ---- remote_call.c, remote_stream.c ---- */

void remote_call(struct client_backend *b, struct client_call *call);
void remote_call_cancel(struct client_backend *b, struct client_call *call);

int remote_stream_open(struct client_backend *b, struct client_stream *s, const void *first);
void remote_stream_send(struct client_backend *b, struct client_stream *s, const void *req);
void remote_stream_pause(struct client_backend *b, struct client_stream *s);
void remote_stream_resume(struct client_backend *b, struct client_stream *s);
void remote_stream_cancel(struct client_backend *b, struct client_stream *s);

/* The code for a gRPC end: by etcd's text if it is one of etcd's, else by the status. */
int remote_code(enum rpc_status status, const char *text);

#endif
