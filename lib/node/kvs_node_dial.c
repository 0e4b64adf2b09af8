/* Connections from inside the process: a client of the same process gets one end of a socket pair,
 * the node's RPC server the other. So an embedded store answers exactly as a remote one does, with
 * the same limits and flow control, and needs no port.
 *
 * A client may dial at any moment, also while the node stops: `dialers` counts the threads that
 * are between the look at `dial_open` and their post, and the way down waits for them. */
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "node/kvs_node.h"

struct dial {
    struct list node;
    int fd; /* the server's end */
};

static void dial_cb(void *ctx, struct list *message)
{
    struct kvs_node *k = ctx;
    struct dial *d = list_entry(message, struct dial, node);

    if (k->rpc == NULL || k->stopping) {
        (void)close(d->fd);
    } else if (rpc_adopt(k->rpc, d->fd, 0) != 0) {
        log_warn(k->log, "an embedded client was refused", LOG_STR("reason", "out of memory"));
    }
    kvs_free(d);
}

int kvs_node_dial_open(struct kvs_node *k)
{
    int err = loop_mbox_new(k->loop, dial_cb, k, &k->dials);

    atomic_store(&k->dial_open, err == 0);
    return err;
}

void kvs_node_dial_close(struct kvs_node *k)
{
    atomic_store(&k->dial_open, false);
    while (atomic_load(&k->dialers) > 0) {
        (void)sched_yield(); /* they have a message to post, nothing more */
    }
    if (k->dials != NULL) {
        loop_mbox_free(k->dials); /* closes what is in it: the server has gone */
        k->dials = NULL;
    }
}

static int dial_post(struct kvs_node *k)
{
    struct dial *d = kvs_malloc(sizeof *d);
    int ends[2];

    if (d == NULL) {
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        kvs_free(d);
        return -1;
    }
    d->fd = ends[0];
    loop_mbox_post(k->dials, &d->node);
    return ends[1];
}

int kvs_node_dial(struct kvs_node *k)
{
    int fd = -1;

    atomic_fetch_add(&k->dialers, 1);
    if (atomic_load(&k->dial_open)) {
        fd = dial_post(k);
    }
    atomic_fetch_sub(&k->dialers, 1);
    return fd;
}
