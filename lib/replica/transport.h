/* Transport: how frames reach the other members, as a table of functions, so that the driver runs
 * unchanged over sockets (peer_transport.h) and inside the simulator.
 *
 * Guests. A member that was down while others were replaced may be led by one it has never heard
 * of. While its owner says so (admit_guests), an unknown member of the same cluster that is not
 * among the removed and says where it can be reached is taken for a peer: a guest. It becomes a
 * member by set_peers, and is forgotten by set_removed or when no guests are admitted any more. All
 * else is asked of it as of a member: cluster id, both member ids, the certificate.
 *
 * What every transport promises:
 *   1. Frames of one (peer, stream) arrive in the order they were sent, each at most once; the
 *      tail may be lost when a connection breaks. Different streams are not ordered.
 *   2. A frame is delivered only from a peer, or guest, whose cluster id and member id were
 * checked.
 *   3. No event is delivered from inside a call into the transport: they come from the loop.
 *      None of them may call set_peers.
 *   4. Bounded memory: what does not fit into a peer's queue is dropped and reported as
 *      `unreachable`; the sender is never blocked.
 * Everything here belongs to the loop thread. */
#ifndef REPLICA_TRANSPORT_H
#define REPLICA_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/rcbuf.h"
#include "kvstore/types.h"

/* Each is a connection of its own, so that snapshot data never delays a heartbeat. */
enum transport_stream {
    TRANSPORT_RAFT,     /* core messages, application messages, snapshot acknowledgements */
    TRANSPORT_SNAPSHOT, /* snapshot data; opened by the first frame, closed by reset_stream */
    TRANSPORT_STREAM_COUNT,
};

/* More are refused until one of them has gone. */
enum { TRANSPORT_GUESTS_MAX = 16 };

struct transport_peer {
    uint64_t id;
    const char *const *urls; /* http:// or https://, host:port; tried in turn */
    size_t n_urls;
};

struct transport_events {
    /* One whole frame (header included, checksum verified). Borrows `frame`: whoever keeps slices
     * takes a reference. Non-zero: no correct peer sends this; the transport cuts the connection.
     */
    int (*message)(void *ctx, uint64_t from, enum transport_stream stream, struct rcbuf *frame);
    /* Frames to `peer` on `stream` were lost: connection broken or queue full. */
    void (*unreachable)(void *ctx, uint64_t peer, enum transport_stream stream);
    /* The outgoing raft connection to `peer` is up. */
    void (*connected)(void *ctx, uint64_t peer);
    /* A member of the cluster says that we have been removed from it for good. */
    void (*removed)(void *ctx, uint64_t by);
    void *ctx;
};

/* Upper bounds 0.1 ms * 2^i, the last one takes the rest
 * (etcd_network_peer_round_trip_time_seconds). Not cumulative. */
enum { TRANSPORT_RTT_BUCKETS = 17 };

struct transport_peer_stats {
    uint64_t sent_bytes;
    uint64_t received_bytes;
    uint64_t sent_failures;     /* frames dropped: queue full or connection lost */
    uint64_t received_failures; /* connections closed because of what the peer sent */
    uint64_t rtt_ns;            /* smoothed; 0: not measured yet */
    uint64_t rtt_buckets[TRANSPORT_RTT_BUCKETS];
    uint64_t rtt_count;
    uint64_t rtt_sum_ns;
    uint64_t disconnects;
    uint64_t connected_since_ms; /* monotonic; 0: not connected */
    bool connected;
};

struct transport;

struct transport_ops {
    /* Where events go; `events` is copied; NULL stops them. */
    void (*set_events)(struct transport *t, const struct transport_events *events);
    /* The peers to talk to and to accept. Others are disconnected, except for guests. Ourselves
     * among them: the addresses that an unknown member is told. Copies. */
    int (*set_peers)(struct transport *t, const struct transport_peer *peers, size_t n_peers);
    /* Members that were removed for good: refused, and told so. Copies. */
    int (*set_removed)(struct transport *t, const uint64_t *ids, size_t n_ids);
    /* May there be guests? Not from the start. `false` disconnects those that are there. */
    void (*admit_guests)(struct transport *t, bool admit);
    /* Queues one whole frame. Moves `frame` in any case: delivery is best effort, losses come as
     * `unreachable`. */
    void (*send)(struct transport *t,
                 uint64_t to,
                 enum transport_stream stream,
                 struct rcbuf *frame);
    /* Writes what was queued, one write per connection. */
    void (*flush)(struct transport *t);
    /* Drops what is queued on the stream and closes its connection. */
    void (*reset_stream)(struct transport *t, uint64_t to, enum transport_stream stream);
    /* False if `peer` is unknown. */
    bool (*peer_stats)(struct transport *t, uint64_t peer, struct transport_peer_stats *ret_stats);
};

/* Embedded first in an implementation. */
struct transport {
    const struct transport_ops *ops;
};

static inline void
transport_send(struct transport *t, uint64_t to, enum transport_stream stream, struct rcbuf *frame)
{
    t->ops->send(t, to, stream, frame);
}

static inline void transport_flush(struct transport *t)
{
    t->ops->flush(t);
}

#endif
