/* The door into a node for clients in the same process: tasks that run on its loop, and streams
 * that end before the node closes.
 *
 *   client's thread -- local_post --> node's thread: task->run(task, node)
 *
 * A task that was taken runs exactly once; after the node has closed it runs with `node` NULL, so
 * that whoever waits for it gets an answer. A task that was refused is the caller's. */
#ifndef NODE_LOCAL_H
#define NODE_LOCAL_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/list.h"
#include "node/node.h"

struct kvs_node;

/* Keeps the handle's memory (not the node) until local_unref. Any thread. */
void local_ref(struct kvs_node *k);
void local_unref(struct kvs_node *k);

/* Caller's storage; the node's until `run`, whose own it is. */
struct local_task {
    struct list link;
    /* The node's thread. `n` NULL: the node has closed. */
    void (*run)(struct local_task *t, struct node *n);
};

/* False: the node's thread has ended, `run` never runs. Any thread. */
KVS_MUST_USE bool local_post(struct kvs_node *k, struct local_task *t);

/* Something open on the node. `end` is called once, on the node's thread, when the node is about
 * to close: the stream lets go of the node and has been removed. */
struct local_stream {
    struct list link;
    void (*end)(struct local_stream *s, struct node *n);
};

/* The node's thread. */
void local_stream_add(struct kvs_node *k, struct local_stream *s);
void local_stream_remove(struct local_stream *s);

#endif
