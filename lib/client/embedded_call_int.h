/* A call as the files of the embedded backend see it: its storage, and what a method has to do on
 * the node's thread. */
#ifndef CLIENT_EMBEDDED_CALL_INT_H
#define CLIENT_EMBEDDED_CALL_INT_H

#include "client/embedded_int.h"

/* What `start` answers besides 0 (the response is filled) and KVS_E_*. */
enum { CALL_LATER = 1 };

struct node_call {
    struct embedded_msg msg;
    struct embedded_msg cancel;
    /* The client's thread: */
    struct client_call *call; /* NULL: has been answered */
    struct loop_timer timeout;
    unsigned n_out; /* of `msg` and `cancel` */
    /* Whose the message is: */
    const struct call_type *type;
    struct arena arena; /* of the request */
    const void *req;
    void *resp;
    /* The node's thread: */
    struct node *node;
    struct kvs_header header;
    bool pending; /* a callback will come */
    union {
        struct node_write write;
        struct node_read read;
        struct node_lease_op lease;
        struct node_change change;
        struct node_transfer transfer;
        struct node_hash hash;
    } u;
};

struct call_type {
    int (*start)(struct node_call *c, struct node *n);
    /* The write's answer into the response. */
    void (*take)(const struct apply_result *result, void *resp);
    /* NULL: cannot be cancelled, only awaited. */
    void (*cancel)(struct node_call *c);
};

/* By enum client_method_id; the methods of the other file have no `start`. */
extern const struct call_type embedded_kv_types[CLIENT_WATCH];
extern const struct call_type embedded_cluster_types[CLIENT_WATCH];

/* The node's thread, once per call: the response is filled, or `status` is an error. */
void call_return(struct node_call *c, int status);

/* What a submit to the node answered, as a `start`'s answer. */
int call_later(struct node_call *c, int err);

/* Of a call whose u.write is the node's: the callback fills the response by `take`. */
struct node_write *call_write_init(struct node_call *c);
void call_write_cancel(struct node_call *c);

/* The linearizable read: `cb` follows. */
int call_read_later(struct node_call *c, struct node *n, void (*cb)(struct node_read *r));
void call_read_cancel(struct node_call *c);

#endif
