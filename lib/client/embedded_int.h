/* Inside of the embedded backend: a client of a node in the same process, without sockets or
 * encodings. Requests are copied once, on the caller's thread; they cross to the node's thread and
 * come back with the response, which was made there in the response's own memory.
 *
 *   client's thread   embedded_send --local_post--> there()          node's thread
 *                     back()  <---- home mailbox -- embedded_return
 *
 * Invariants
 *   1. What is sent comes back, exactly once: from the node, or at once if the node has gone
 *      (status KVS_E_STOPPED). The backend is freed when nothing is away.
 *   2. Between send and back a message belongs to the node's thread, otherwise to the client's;
 *      but for atomics, no field is touched by both at a time.
 *   3. Messages of one client keep their order in each direction. */
#ifndef CLIENT_EMBEDDED_INT_H
#define CLIENT_EMBEDDED_INT_H

#include "client/client_int.h"
#include "node/local.h"

struct embedded {
    struct client_backend base;
    struct kvs_node *node;  /* a reference on its handle */
    struct loop_mbox *home; /* what comes back */
    size_t n_away;
};

struct embedded_msg {
    struct local_task task;
    struct embedded *owner;
    /* The node's thread: does what is asked, calls embedded_return now or later. */
    void (*there)(struct embedded_msg *m, struct node *n);
    /* The client's thread; the last use of the message until it is sent again. */
    void (*back)(struct embedded_msg *m);
    int status; /* set by embedded_return */
    bool away;
};

/* The client's thread. */
void embedded_send(struct embedded *e, struct embedded_msg *m);

/* The node's thread. */
void embedded_return(struct embedded_msg *m, int status);

/* A message that begins on the node's thread: `back` runs at home. */
void embedded_report(struct embedded *e, struct embedded_msg *m);

/* The operations: embedded_call.c, embedded_watch.c, embedded_snapshot.c. */
void embedded_call(struct client_backend *b, struct client_call *call);
void embedded_call_cancel(struct client_backend *b, struct client_call *call);

KVS_MUST_USE int
embedded_watch_open(struct embedded *e, struct client_stream *s, const void *first);
void embedded_watch_send(struct client_stream *s, const void *req);
void embedded_watch_pause(struct client_stream *s);
void embedded_watch_resume(struct client_stream *s);
void embedded_watch_cancel(struct client_stream *s);

KVS_MUST_USE int embedded_snapshot_open(struct embedded *e, struct client_stream *s);
void embedded_snapshot_pause(struct client_stream *s);
void embedded_snapshot_resume(struct client_stream *s);
void embedded_snapshot_cancel(struct client_stream *s);

#endif
