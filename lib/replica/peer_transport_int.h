/* Inside of the socket transport.
 *
 *   peer_transport.c   the vtable, peers, closing
 *   peer_guest.c       peers that nobody has told us of
 *   peer_link.c        an outgoing connection: dialling, back-off, queue
 *   peer_conn.c        any connection: frames, handshake, pings
 *   peer_info.c        the question of a process that is no member yet
 *
 * A connection belongs to a link (outgoing) or to the transport's list of incoming ones; it loses
 * its peer when that is removed, and is freed in on_close only. */
#ifndef REPLICA_PEER_TRANSPORT_INT_H
#define REPLICA_PEER_TRANSPORT_INT_H

#include "base/list.h"
#include "base/log.h"
#include "base/rand.h"
#include "loop/stream.h"
#include "replica/peer_parser.h"
#include "replica/peer_transport.h"

enum {
    PEER_DIAL_MS_MIN = 100,
    PEER_DIAL_MS_MAX = 2000,
    PEER_HANDSHAKE_MS = 5000,
    PEER_PINGS_MISSED_MAX = 5,
    PEER_IDLE_MS = 60000,     /* of an incoming connection */
    PEER_STRANGERS_MAX = 128, /* connections that have not said who they are */
    PEER_LISTEN_MAX = 16,
    PEER_URLS_MAX = 16,
    PEER_REFUSED_LOG_MS = 60000,
};

struct peer_link;
struct peer;

struct peer_conn {
    struct list node; /* in transport->conns */
    struct peer_transport *t;
    struct stream *stream;
    struct peer *peer;      /* NULL: not known, or removed meanwhile */
    struct peer_link *link; /* outgoing only; NULL once it was given up */
    enum transport_stream kind;
    bool outgoing;
    bool introduced; /* outgoing: we have said where we can be reached */
    bool welcomed;   /* the handshake is done: frames may pass */
    bool closing;    /* what still arrives is ignored */
    struct peer_parser parser;
    uint64_t since_ms;
    uint64_t heard_ms;
};

enum peer_link_state {
    PEER_LINK_IDLE, /* snapshot link that nobody needs; or no URL */
    PEER_LINK_PAUSE,
    PEER_LINK_DIALLING, /* until the handshake is done */
    PEER_LINK_UP,
};

struct peer_frame_item {
    struct list node;
    struct rcbuf *frame;
};

struct peer_link {
    struct peer *peer;
    enum transport_stream kind;
    enum peer_link_state state;
    struct peer_conn *conn;
    struct loop_timer timer; /* of PAUSE */
    unsigned pause_ms;
    size_t url_at;
    struct list queue; /* of the snapshot link while it is dialling */
    size_t queue_bytes;
    bool lost;      /* frames were dropped: `unreachable` is due */
    bool introduce; /* the peer does not know us: the next HELLO says where we can be reached */
    int logged_err; /* the last failure that was logged, so that it is logged once */
};

struct peer {
    struct list node;
    struct peer_transport *t;
    uint64_t id;
    bool guest; /* by its own word; no set_peers has named it */
    struct net_addr *urls;
    size_t n_urls;
    struct peer_link links[TRANSPORT_STREAM_COUNT];
    struct peer_conn *incoming[TRANSPORT_STREAM_COUNT];
    struct transport_peer_stats stats;
};

struct peer_transport {
    struct transport base;
    struct loop *loop;
    uint64_t cluster_id;
    uint64_t member_id;
    struct log *log;
    struct rng rng;
    struct tls_context *server_tls;
    struct tls_context *client_tls;
    char *allowed_cn;
    char *allowed_hostname;
    size_t queue_bytes_max;
    unsigned ping_ms;
    void (*describe)(void *ctx, struct buf *out);
    void *describe_ctx;

    struct listener *listeners[PEER_LISTEN_MAX];
    size_t n_listeners;
    struct transport_events events;
    bool has_events;
    struct list peers;
    struct net_addr own[PEER_HELLO_URLS_MAX]; /* where we can be reached */
    size_t n_own;
    bool admits_guests;
    uint64_t *removed;
    size_t n_removed;
    struct list conns;
    size_t n_conns;
    size_t n_strangers;
    uint64_t refused_from; /* the last refusal that was logged */
    enum peer_refusal refused_why;
    uint64_t refused_ms;
    struct loop_timer timer; /* pings and time-outs of all connections */
    struct loop_task task;   /* delivers what was recorded inside a call */

    bool closing;
    peer_transport_close_cb close_cb;
    void *close_ctx;
};

/* peer_transport.c */
struct peer *peer_find(const struct peer_transport *t, uint64_t id);
bool peer_is_removed(const struct peer_transport *t, uint64_t id);
/* NULL if out of memory. It has no URL yet. */
struct peer *peer_new(struct peer_transport *t, uint64_t id);
/* Moves `urls` and connects. */
void peer_move_urls(struct peer *peer, struct net_addr *urls, size_t n_urls);
void peer_free(struct peer *peer);
void peer_transport_maybe_closed(struct peer_transport *t);

/* peer_guest.c */
/* Takes whoever introduces itself for a peer. NULL: it may not be, or there is no memory. */
struct peer *peer_guest_admit(struct peer_conn *c, const struct peer_hello *h);
/* Those that are removed by now, or all. */
void peer_guests_forget(struct peer_transport *t, bool all);
/* Ourselves, as set_peers names us. */
void peer_own_urls(struct peer_transport *t, const struct transport_peer *self);

/* peer_link.c */
void peer_link_init(struct peer_link *l, struct peer *peer, enum transport_stream kind);
/* Gives the connection up, drops the queue, and dials again (raft) or not. */
void peer_link_reset(struct peer_link *l);
void peer_link_fini(struct peer_link *l);
void peer_link_dial(struct peer_link *l);
/* The peer has just dialled us: it is there. */
void peer_link_hint(struct peer_link *l);
/* Moves `frame`. */
void peer_link_send(struct peer_link *l, struct rcbuf *frame);
void peer_link_up(struct peer_link *l);
void peer_link_down(struct peer_link *l, int err, const char *text);

/* peer_conn.c */
extern const struct stream_ops peer_conn_ops;
struct peer_conn *peer_conn_new(struct peer_transport *t);
void peer_conn_accept(void *ctx, struct stream *s);
/* What still arrives is ignored; freed when its stream has closed. */
void peer_conn_close(struct peer_conn *c);
/* Borrows `frame`. */
int peer_conn_write(struct peer_conn *c, struct rcbuf *frame);
void peer_conn_tick(struct peer_conn *c, uint64_t now_ms);

#endif
