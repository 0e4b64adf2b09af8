/* A client on a node of the same process. It talks to the node's own services over a socket pair,
 * so every answer, limit and error is that of a remote store; only the network is missing. */
#include "client/client_int.h"
#include "node/kvs_node.h"

static int dial_node(void *ctx)
{
    return kvs_node_dial(ctx);
}

struct node_arg {
    const struct kvs_client_options *options;
    struct kvs_node *node;
};

static int node_new_backend(struct kvs_client *c,
                            const void *arg,
                            struct client_backend **ret_backend,
                            struct kvs_error *ret_error)
{
    const struct node_arg *a = arg;
    const struct client_dialer dialer = {.dial = dial_node, .ctx = a->node};

    return client_remote_new(c, a->options, &dialer, ret_backend, ret_error);
}

int kvs_client_open_node(struct kvs_node *node,
                         struct kvs_client **ret_client,
                         struct kvs_error *ret_error)
{
    struct kvs_client_options options;
    struct node_arg arg = {&options, node};

    kvs_client_options_init(&options);
    options.endpoints = "in-process:1"; /* a name for messages; nothing is resolved */
    options.keepalive_time_ms = 0;      /* a process does not lose itself */
    return client_open_backend(&options, node_new_backend, &arg, ret_client, ret_error);
}
