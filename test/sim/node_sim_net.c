/* The network between nodes: who knows whom, frames that are late, lost, doubled or overtaken. A
 * connection is not simulated as such: what the handshake decides (transport.h) is decided for each
 * frame. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "node_sim.h"
#include "replica/core.h"
#include "replica/peer_frame.h"

static struct sim_node *sim_node_of(struct sim *s, uint64_t id)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        if (s->nodes[i].member && s->nodes[i].id == id) {
            return &s->nodes[i];
        }
    }
    return NULL;
}

static bool sim_is_among(const uint64_t *ids, size_t n_ids, uint64_t id)
{
    for (size_t i = 0; i < n_ids; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

static bool sim_knows(const struct sim_node *n, uint64_t id)
{
    return sim_is_among(n->peers, n->n_peers, id) || sim_is_among(n->guests, n->n_guests, id);
}

/* As the handshake does: an unknown sender that says where it can be reached is taken for a peer
 * while guests are admitted. */
static bool sim_admits(struct sim_node *n, uint64_t from)
{
    const struct sim_node *sender = sim_node_of(n->sim, from);

    if (sim_knows(n, from)) {
        return true;
    }
    if (!n->admits_guests || n->n_guests == TRANSPORT_GUESTS_MAX || sender == NULL ||
        !sender->knows_itself) {
        return false;
    }
    sim_trace(n->sim, "node %u admits %" PRIx64 " as a guest", n->at, from);
    n->guests[n->n_guests++] = from;
    return true;
}

static void sim_say_removed(struct sim *s, struct sim_event *e)
{
    struct sim_node *n = e->node;

    (void)s;
    if (n->id == e->number && n->has_events) {
        n->events.removed(n->events.ctx, n->id);
    }
}

/* A removed member that still sends is told, as it would be when it connects. */
static bool sim_was_removed(struct sim *s, const struct sim_node *to, uint64_t from)
{
    struct sim_node *sender = sim_node_of(s, from);

    if (!sim_is_among(to->removed, to->n_removed, from)) {
        return false;
    }
    if (sender != NULL && sender->up && !s->cut[to->at][sender->at]) {
        sim_at(s, 1000, sim_say_removed, sender, NULL, from);
    }
    return true;
}

void sim_deliver(struct sim *s, struct sim_event *e)
{
    struct sim_frame *f = e->arg;
    struct sim_node *to = e->node;

    if (to->up && e->life == to->life && to->has_events && !sim_was_removed(s, to, f->from) &&
        sim_admits(to, f->from)) {
        sim_note(s, to->id ^ f->from ^ (f->frame != NULL ? f->frame->len : 0));
        if (f->frame != NULL) {
            to->events.message(to->events.ctx, f->from, f->stream, f->frame);
        } else {
            to->events.unreachable(to->events.ctx, f->from, f->stream);
        }
    }
    rcbuf_unref(f->frame);
    kvs_free(f);
}

static void sim_frame_at(struct sim *s,
                         uint64_t after_us,
                         struct sim_node *to,
                         uint64_t from,
                         enum transport_stream stream,
                         struct rcbuf *frame)
{
    struct sim_frame *f = kvs_malloc(sizeof *f);

    kvs_assert(f != NULL);
    *f = (struct sim_frame){from, stream, frame != NULL ? rcbuf_ref(frame) : NULL};
    sim_at(s, after_us, sim_deliver, to, f, 0);
}

/* A connection keeps the order of its frames. */
static uint64_t
sim_delay_us(struct sim *s, struct sim_node *from, unsigned to, enum transport_stream stream)
{
    uint64_t delay = 100 + rng_below(&s->rng, s->faults.delay_us_max + 1);
    uint64_t *due_us = &from->frame_due_us[to][stream];

    if (rng_percent(&s->rng, s->faults.slow_percent)) {
        delay *= 10;
    }
    if (stream == TRANSPORT_SNAPSHOT || !s->faults.reorder) {
        if (s->now_us + delay < *due_us) {
            delay = *due_us - s->now_us;
        }
        *due_us = s->now_us + delay;
    }
    return delay;
}

/* A proposal on its way to the leader must not arrive twice: that is promised by every transport
 * (transport.h, 1) and nothing behind it could tell. All else may. */
static bool sim_may_duplicate(const struct rcbuf *frame)
{
    enum peer_frame_type type;
    struct kvs_view payload;

    peer_frame_split(frame, &type, &payload);
    return type == PEER_FRAME_RAFT && payload.len > 0 &&
           *(const uint8_t *)payload.data != CORE_MSG_FORWARD_PROPOSE;
}

static void
sim_send(struct transport *t, uint64_t to, enum transport_stream stream, struct rcbuf *frame)
{
    struct sim_node *n = container_of(t, struct sim_node, transport);
    struct sim *s = n->sim;
    struct sim_node *peer = sim_node_of(s, to);

    s->frames_sent++;
    if (!sim_knows(n, to)) {
        rcbuf_unref(frame);
        return; /* nobody knows where it is */
    }
    if (peer == NULL || !peer->up || s->cut[n->at][peer->at] ||
        rng_percent(&s->rng, s->faults.drop_percent)) {
        if (peer == NULL || !s->cut[n->at][peer->at] || !s->cut_silent) {
            sim_frame_at(s, 1000, n, to, stream, NULL);
        }
    } else {
        sim_frame_at(s, sim_delay_us(s, n, peer->at, stream), peer, n->id, stream, frame);
        if (s->faults.reorder && sim_may_duplicate(frame) &&
            rng_percent(&s->rng, s->faults.duplicate_percent)) {
            sim_frame_at(s, sim_delay_us(s, n, peer->at, stream), peer, n->id, stream, frame);
        }
    }
    rcbuf_unref(frame);
}

static void sim_set_events(struct transport *t, const struct transport_events *events)
{
    struct sim_node *n = container_of(t, struct sim_node, transport);

    n->has_events = events != NULL;
    if (events != NULL) {
        n->events = *events;
    }
}

static int sim_set_peers(struct transport *t, const struct transport_peer *peers, size_t n_peers)
{
    struct sim_node *n = container_of(t, struct sim_node, transport);

    kvs_assert(n_peers <= ARRAY_LEN(n->peers));
    n->n_peers = n_peers;
    n->knows_itself = false;
    for (size_t i = 0; i < n_peers; i++) {
        n->peers[i] = peers[i].id;
        n->knows_itself = n->knows_itself || peers[i].id == n->id;
    }
    return 0;
}

/* Keeps those that `gone` does not say. */
static void sim_forget_guests(struct sim_node *n, const uint64_t *gone, size_t n_gone)
{
    size_t kept = 0;

    for (size_t i = 0; i < n->n_guests; i++) {
        if (!sim_is_among(gone, n_gone, n->guests[i])) {
            n->guests[kept++] = n->guests[i];
        }
    }
    n->n_guests = kept;
}

static int sim_set_removed(struct transport *t, const uint64_t *ids, size_t n_ids)
{
    struct sim_node *n = container_of(t, struct sim_node, transport);

    kvs_assert(n_ids <= ARRAY_LEN(n->removed));
    n->n_removed = n_ids;
    memcpy(n->removed, ids, n_ids * sizeof *ids);
    sim_forget_guests(n, ids, n_ids);
    return 0;
}

static void sim_admit_guests(struct transport *t, bool admit)
{
    struct sim_node *n = container_of(t, struct sim_node, transport);

    n->admits_guests = admit;
    if (!admit) {
        n->n_guests = 0;
    }
}

static void sim_flush(struct transport *t)
{
    (void)t;
}

static void sim_reset_stream(struct transport *t, uint64_t to, enum transport_stream stream)
{
    (void)t; /* what is on its way arrives late, as from a socket's buffers */
    (void)to;
    (void)stream;
}

static bool
sim_peer_stats(struct transport *t, uint64_t peer, struct transport_peer_stats *ret_stats)
{
    (void)t;
    (void)peer;
    *ret_stats = (struct transport_peer_stats){.connected = true};
    return true;
}

static const struct transport_ops sim_transport_ops = {
    .set_events = sim_set_events,
    .set_peers = sim_set_peers,
    .set_removed = sim_set_removed,
    .admit_guests = sim_admit_guests,
    .send = sim_send,
    .flush = sim_flush,
    .reset_stream = sim_reset_stream,
    .peer_stats = sim_peer_stats,
};

/* Of one that has no log yet: it asks a member of the cluster, which names them all. */
static void sim_ask_members(struct sim_node *n)
{
    struct sim *s = n->sim;

    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        if (s->nodes[i].member) {
            n->peers[n->n_peers++] = s->nodes[i].id;
        }
    }
    n->knows_itself = true;
}

void sim_net_start(struct sim_node *n)
{
    n->transport.ops = &sim_transport_ops;
    n->n_peers = n->n_guests = n->n_removed = 0;
    n->knows_itself = n->admits_guests = false;
    if (n->joining) {
        sim_ask_members(n);
        n->joining = false;
    }
}
