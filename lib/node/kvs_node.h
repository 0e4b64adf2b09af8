/* A node with everything it needs in a process: a loop on a thread of its own, log and backend
 * threads, sockets. The struct behind kvstore/node.h.
 *
 *   kvs_node.c        options, thread, waiting; the public calls
 *   kvs_node_open.c   what is on disk, who we are, what is started in which order
 *   kvs_node_stop.c   the way down: leadership, clients, node, log, transport, loop
 *   local.c           the door for clients in this process */
#ifndef NODE_KVS_NODE_H
#define NODE_KVS_NODE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/mbox.h"
#include "kvstore/node.h"
#include "loop/loop.h"
#include "loop/tls.h"
#include "node/ident.h"
#include "node/node.h"
#include "node/service.h"
#include "replica/peer_transport.h"
#include "replica/wal.h"

#define KVS_NODE_LISTENERS_MAX 16

enum kvs_node_state {
    KVS_NODE_STARTING,
    KVS_NODE_READY,
    KVS_NODE_STOPPED,
};

struct kvs_node {
    struct kvs_node_options options; /* strings in `arena` */
    struct arena arena;
    struct log *log;
    struct disk_lock *lock; /* of the data directory */
    uint64_t seed;

    /* Other threads look at these. */
    atomic_bool stop_requested;
    _Atomic enum kvs_node_state state;
    struct mbox *news;      /* to whoever waits: posted when `state` changes */
    struct list news_ready; /* the two messages */
    struct list news_stopped;
    struct mbox *tasks; /* of clients in this process; stopped when the loop ends */
    atomic_uint refs;   /* the opener, and each of those clients */
    pthread_t thread;
    bool thread_runs; /* not joined yet; the opener's side */

    /* The loop's side. */
    struct loop *loop;
    struct loop_timer tick;
    struct loop_timer store_due; /* when the store has something to do between two ticks */
    struct loop_hook flush;
    struct loop_mbox *wakes; /* from the log and backend threads */
    struct list wake_log;
    struct list wake_backend;
    struct list wake_local;
    struct list local_streams; /* of struct local_stream */
    bool local_closed;         /* tasks find no node any more */
    struct backend_thread *backend;
    struct log_device *log_device;
    struct peer_transport *transport;
    struct node *node;
    struct rpc_server *rpc;
    struct service service;
    struct tls_context *client_tls;
    struct tls_context *peer_server_tls;
    struct tls_context *peer_client_tls;

    /* Who we are. */
    uint64_t cluster_id;
    uint64_t member_id;
    struct ident_cluster cluster; /* new or joined cluster; empty on a restart */
    struct kvs_view *advertised;  /* client URLs */
    size_t n_advertised;
    uint16_t client_port; /* of the first listener */

    /* The way down. */
    bool stopping;
    bool transferring; /* its callback starts the next step */
    bool down;         /* the last step of stopping is done */
    int failed;        /* the node's word that it cannot go on */
    struct node_transfer transfer;
    struct loop_task stop_next;
    int exit_code;
    char exit_text[256];
};

/* kvs_node_open.c: from options to a started node; on failure everything is undone. */
KVS_MUST_USE int kvs_node_bring_up(struct kvs_node *k, struct kvs_error *ret_error);

/* kvs_node_stop.c. Loop thread; `code` 0: on request. When already stopping, a failure hastens it.
 */
void kvs_node_begin_stop(struct kvs_node *k, int code);
/* After loop_run has returned, or when bring_up failed: frees what is left. */
void kvs_node_tear_down(struct kvs_node *k);

/* local.c. From now on tasks are refused; those that were posted before run without a node. The
 * node's thread, after its loop. */
void kvs_node_shut_door(struct kvs_node *k);
void kvs_node_run_tasks(struct kvs_node *k);
void kvs_node_end_local_streams(struct kvs_node *k);

/* Writes `format` into `ret_error` (may be NULL) and returns `code`. */
int kvs_node_error(struct kvs_error *ret_error, int code, const char *format, ...) KVS_PRINTF(3, 4);

#endif
