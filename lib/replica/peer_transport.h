/* The transport over sockets: TCP or TLS streams of lib/loop between the members of one cluster.
 *
 *   A --- raft connection, dialled by A ---------> B     frames A -> B; B answers only pings
 *   A <-- raft connection, dialled by B ---------- B
 *   A --- snapshot connection, while one is sent -> B
 *
 * The dialling side sends HELLO, the accepting side answers WELCOME or REFUSED; no frame is
 * delivered and none is sent before that. Whoever dials, writes: a connection that breaks loses
 * frames of one direction only. Queues are bounded; a connection that was lost is dialled again
 * after 100 ms to 2 s (doubling, with jitter), each URL in turn. Loop thread only. */
#ifndef REPLICA_PEER_TRANSPORT_H
#define REPLICA_PEER_TRANSPORT_H

#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "loop/addr.h"
#include "loop/loop.h"
#include "loop/tls.h"
#include "replica/transport.h"

struct log;
struct peer_transport;

struct peer_transport_options {
    struct loop *loop;
    uint64_t cluster_id;
    uint64_t member_id;
    struct log *log; /* may be NULL */
    uint64_t seed;
    const struct net_addr *listen; /* copied; .tls picks TLS */
    size_t n_listen;
    struct tls_context *server_tls; /* borrowed; needed if a listen address has tls; with */
    struct tls_context *client_tls; /* require_peer_cert the authentication is mutual */
    const char *allowed_cn;         /* common name that a peer's certificate must have; NULL: any */
    const char *allowed_hostname;   /* likewise one of its alternative names */
    size_t queue_bytes_max;         /* per peer and stream; 0: 128 MiB */
    unsigned ping_ms;               /* 0: 1,000; without an answer for five of them: reconnect */
    /* Appends what a process that wants to join shall know (bytes of the owner). May be NULL. */
    void (*describe)(void *ctx, struct buf *out);
    void *ctx;
};

/* Listens at once and refuses everybody until set_peers. `error` (may be NULL) says what failed.
 * KVS_E_ADDRESS, KVS_E_INVALID, KVS_E_NOMEM. */
KVS_MUST_USE int peer_transport_new(const struct peer_transport_options *options,
                                    struct peer_transport **ret_transport,
                                    struct kvs_error *error);

/* The vtable's side. Borrowed; dies with the transport. */
struct transport *peer_transport_base(struct peer_transport *p);

/* The port of the first listener: for tests that listen on port 0. */
uint16_t peer_transport_port(const struct peer_transport *p);

typedef void (*peer_transport_close_cb)(void *ctx);

/* Closes listeners and connections, frees `p`, then calls `cb`: later, once. No events come any
 * more. */
void peer_transport_close(struct peer_transport *p, peer_transport_close_cb cb, void *ctx);

/* ---- asking a member of an existing cluster, before one has an identity ---- */

struct peer_info_request;
typedef void (*peer_info_cb)(struct peer_info_request *request);

/* Caller-allocated; not touched until `cb` has run. */
struct peer_info_request {
    peer_info_cb cb;      /* in: runs once, later */
    int status;           /* out: 0, KVS_E_CONNECT, KVS_E_TLS, KVS_E_TIMEOUT, KVS_E_MALFORMED */
    uint64_t cluster_id;  /* out */
    uint64_t member_id;   /* out: whom we spoke to */
    struct kvs_view info; /* out: what its `describe` wrote; dies with the callback */
    char text[128];       /* out: of an error */
    void *state;          /* the transport's */
};

/* Asks the member at `addr` for its cluster's description. `tls` for an address with tls; borrowed
 * until `cb`. KVS_E_NOMEM. */
KVS_MUST_USE int peer_info_fetch(struct loop *loop,
                                 const struct net_addr *addr,
                                 struct tls_context *tls,
                                 unsigned timeout_ms,
                                 struct peer_info_request *request);

#endif
