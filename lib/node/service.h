/* The gRPC services and HTTP endpoints of a node: each file decodes a request, calls node.h, and
 * encodes the answer. Nothing is decided here.
 *
 * One `struct service` per rpc_server; it outlives the server. Loop thread. */
#ifndef NODE_SERVICE_H
#define NODE_SERVICE_H

#include "base/list.h"
#include "loop/loop.h"
#include "node/node.h"
#include "rpc/rpc_server.h"

struct service {
    struct node *node;
    struct loop *loop;
    struct rpc_server *rpc;
    struct list streams;         /* of struct service_stream: long-lived ones, ended at shutdown */
    struct list ranges;          /* of struct range_stream: long answers, which hold a view */
    uint64_t no_leader_since_ms; /* 0: there is one */
};

/* Embedded in each long-lived stream. */
struct service_stream {
    struct list link;
    struct rpc_call *call;
    bool require_leader; /* metadata "hasleader: true": ended when there is no leader for long */
};

/* Registers every service on `rpc`. KVS_E_NOMEM. */
KVS_MUST_USE int
service_init(struct service *s, struct node *node, struct loop *loop, struct rpc_server *rpc);

/* Ends all streams with `err`'s text: shutdown, or no leader. */
void service_end_streams(struct service *s, int err, bool only_require_leader);

/* Long answers to Range: cuts those that have made no progress since `before_ms`. The node cannot
 * close while there are any (UINT64_MAX: all). */
void service_end_ranges(struct service *s, uint64_t before_ms);

/* Each tick: streams that require a leader end after three election timeouts without one. */
void service_tick(struct service *s);

/* The parts, called by service_init. */
KVS_MUST_USE int service_kv_register(struct service *s);
KVS_MUST_USE int service_watch_register(struct service *s);
KVS_MUST_USE int service_lease_register(struct service *s);
KVS_MUST_USE int service_cluster_register(struct service *s);
KVS_MUST_USE int service_maintenance_register(struct service *s);
KVS_MUST_USE int service_health_register(struct service *s);
void service_http_register(struct service *s);

/* Adds and removes a stream; start reads the metadata. False: refused (no leader), and ended. */
bool service_stream_start(struct service *s,
                          struct service_stream *stream,
                          struct rpc_call *call,
                          const struct rpc_stream_ops *ops);
void service_stream_end(struct service_stream *stream);

/* 0, or KVS_E_NO_LEADER for a call with "hasleader: true" while there is none. */
KVS_MUST_USE int service_check_leader(struct service *s, struct rpc_call *call);

#endif
