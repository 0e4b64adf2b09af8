/* What the leader knows of each follower, and what a majority of them has reached.
 *
 * Invariants: `peers` holds each member of the configuration in force once, this server included,
 * and possibly some that are leaving; match < next, except for this server; the window never holds
 * more than max_inflight_msgs. */
#include "replica/core_int.h"

#include <string.h>

#include "base/alloc.h"

struct core_peer *core_peer_get(struct core *c, uint64_t id)
{
    for (size_t i = 0; i < c->n_peers; i++) {
        if (c->peers[i].id == id) {
            return &c->peers[i];
        }
    }
    return NULL;
}

static void peer_remove(struct core *c, struct core_peer *p)
{
    kvs_assert(p >= c->peers && p < c->peers + c->n_peers);
    kvs_free(p->flights);
    *p = c->peers[--c->n_peers];
    c->peers[c->n_peers] = (struct core_peer){0};
}

/* A leader keeps a removed server for a while; anyone else forgets it. */
static void peers_retire_others(struct core *c)
{
    const struct core_conf *conf = core_conf_now(c);

    for (size_t i = c->n_peers; i > 0; i--) {
        struct core_peer *p = &c->peers[i - 1];
        bool member = core_conf_is_member(conf, p->id);

        if (member) {
            p->leaving = false;
        } else if (c->role != CORE_LEADER || p->id == c->config.id) {
            peer_remove(c, p);
        } else if (!p->leaving) {
            p->leaving = true;
            p->leaving_ticks = 0;
        }
    }
}

/* Members come first: one that is leaving makes room. */
static void peers_make_room(struct core *c)
{
    for (size_t i = c->n_peers; c->n_peers == CORE_PEERS_MAX && i > 0; i--) {
        if (c->peers[i - 1].leaving) {
            peer_remove(c, &c->peers[i - 1]);
        }
    }
    kvs_assert(c->n_peers < CORE_PEERS_MAX);
}

static int peers_add(struct core *c, const struct core_set *set)
{
    for (uint32_t i = 0; i < set->n; i++) {
        struct core_flight *flights;
        struct core_peer *p;

        if (core_peer_get(c, set->ids[i]) != NULL) {
            continue;
        }
        flights = kvs_calloc(c->config.max_inflight_msgs, sizeof *flights);
        if (flights == NULL) {
            return KVS_E_NOMEM;
        }
        peers_make_room(c);
        p = &c->peers[c->n_peers++];
        *p = (struct core_peer){.id = set->ids[i], .flights = flights};
        core_peer_reset(p, core_last(c) + 1);
        p->active = true; /* Or the next quorum check would depose the leader that added it. */
    }
    return 0;
}

int core_peers_sync(struct core *c)
{
    const struct core_conf *conf = core_conf_now(c);
    int rc;

    peers_retire_others(c);
    rc = peers_add(c, &conf->voters);
    if (rc == 0) {
        rc = peers_add(c, &conf->outgoing);
    }
    if (rc == 0) {
        rc = peers_add(c, &conf->learners);
    }
    kvs_assert(rc != 0 || c->n_peers <= CORE_PEERS_MAX);
    return rc;
}

void core_peers_forget_leaving(struct core *c, uint32_t ticks)
{
    for (size_t i = c->n_peers; i > 0; i--) {
        if (c->peers[i - 1].leaving && c->peers[i - 1].leaving_ticks >= ticks) {
            peer_remove(c, &c->peers[i - 1]);
        }
    }
}

void core_peers_free(struct core *c)
{
    while (c->n_peers > 0) {
        peer_remove(c, &c->peers[c->n_peers - 1]);
    }
}

void core_peer_reset(struct core_peer *p, uint64_t next)
{
    kvs_assert(next > 0);
    p->match = 0;
    p->sent_commit = 0;
    p->round = 0;
    p->installed = 0;
    p->active = false;
    p->vote = CORE_VOTE_OPEN;
    core_peer_probe(p, next);
}

void core_peer_probe(struct core_peer *p, uint64_t next)
{
    kvs_assert(next > p->match);
    p->state = CORE_PEER_PROBE;
    p->next = next;
    p->paused = false;
    p->nudge = false;
    p->wants_snapshot = false;
    p->n_flights = 0;
    p->flight_bytes = 0;
}

void core_peer_replicate(struct core_peer *p)
{
    core_peer_probe(p, p->match + 1);
    p->state = CORE_PEER_REPLICATE;
}

bool core_peer_full(const struct core *c, const struct core_peer *p)
{
    return p->n_flights >= c->config.max_inflight_msgs ||
           p->flight_bytes >= c->config.max_inflight_bytes;
}

void core_peer_flight_add(struct core *c, struct core_peer *p, uint64_t last, uint64_t bytes)
{
    uint32_t slot = (p->flight_head + p->n_flights) % c->config.max_inflight_msgs;

    kvs_assert(!core_peer_full(c, p));
    kvs_assert(last > p->match);
    p->flights[slot] = (struct core_flight){.last = last, .bytes = bytes};
    p->n_flights++;
    p->flight_bytes += bytes;
}

void core_peer_flight_ack(struct core *c, struct core_peer *p, uint64_t index)
{
    while (p->n_flights > 0 && p->flights[p->flight_head].last <= index) {
        kvs_assert(p->flight_bytes >= p->flights[p->flight_head].bytes);
        p->flight_bytes -= p->flights[p->flight_head].bytes;
        p->flight_head = (p->flight_head + 1) % c->config.max_inflight_msgs;
        p->n_flights--;
    }
}

/* --- majorities ------------------------------------------------------------------------------- */

static uint64_t set_majority(const struct core *c, const struct core_set *set, core_value_fn value)
{
    uint64_t values[CORE_SET_MAX];

    kvs_assert(set->n > 0 && set->n <= CORE_SET_MAX);
    for (uint32_t n = 0; n < set->n; n++) {
        uint64_t v = value(c, core_peer_get((struct core *)c, set->ids[n]));
        uint32_t at = n;

        for (; at > 0 && values[at - 1] < v; at--) { /* descending */
            values[at] = values[at - 1];
        }
        values[at] = v;
    }
    return values[set->n / 2];
}

uint64_t core_quorum(const struct core *c, core_value_fn value)
{
    const struct core_conf *conf = core_conf_now(c);
    uint64_t reached;
    uint64_t old;

    if (conf->voters.n == 0) {
        return 0;
    }
    reached = set_majority(c, &conf->voters, value);
    if (!core_conf_is_joint(conf) || core_mutated(MUTANT_JOINT_IGNORES_OLD)) {
        return reached;
    }
    old = set_majority(c, &conf->outgoing, value);
    return reached < old ? reached : old;
}
