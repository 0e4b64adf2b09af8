/* What all unary handlers share: the call with its node request embedded, decoding, answering. */
#ifndef NODE_SERVICE_UNARY_H
#define NODE_SERVICE_UNARY_H

#include "base/buf.h"
#include "node/service.h"
#include "rpc/etcd_pb.h"

/* Lives in the rpc call's arena, so it goes with the answer. A client that goes away does not end
 * it: the node completes the request, and the answer is dropped. */
struct service_call {
    struct service *service;
    struct rpc_call *rpc;
    union {
        struct node_write write;
        struct node_read read;
        struct node_lease_op lease;
        struct node_change change;
        struct node_transfer transfer;
        struct node_hash hash;
    } u;
    void *request; /* the decoded request, where it is needed after the submit */
};

/* NULL: out of memory or no leader although the client asks for one; the call has been answered. */
struct service_call *service_call_new(struct service *s, struct rpc_call *rpc);

/* Answers with an error; the call is gone. */
void service_fail(struct service_call *c, int err);

/* Cluster, member and term of now; the revision stays what the operation said. */
void service_fill_header(const struct service_call *c, struct kvs_header *header);

/* Finishes a submit: sets what the callback needs or answers with the error. The callback never
 * runs inside the submit, so setting it afterwards is in time. */
void service_write_submit(struct service_call *c, void (*cb)(struct node_write *w), int err);

/* True if the write has a result to encode; else the call has been answered. */
bool service_write_ok(struct service_call *c);

/* Moves the encoding into the answer. */
void service_reply_buf(struct service_call *c, struct buf *b);

/* Decodes the request message into `*ret_req`; false: malformed, and answered. */
#define SERVICE_DECODE(call, name, ret_req)                                                        \
    service_decoded((call), etcd_pb_decode_##name(rpc_call_arena((call)->rpc),                     \
                                                  rpc_call_request((call)->rpc), (ret_req)))
bool service_decoded(struct service_call *c, int err);

#define SERVICE_REPLY(call, name, resp)                                                            \
    do {                                                                                           \
        struct buf reply_;                                                                         \
        buf_init(&reply_);                                                                         \
        etcd_pb_encode_##name(&reply_, (resp));                                                    \
        service_reply_buf((call), &reply_);                                                        \
    } while (0)

#endif
