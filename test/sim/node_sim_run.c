/* One life of a cluster: chaos, healing, and the verdict. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "node_world.h"

enum {
    CHAOS_US_MIN = 4000000,
    CHAOS_US_MAX = 16000000,
    HEAL_US = 30000000, /* within this everything works again */
};

struct sim_node *world_pick(struct world *w)
{
    struct sim_node *running[SIM_NODES_MAX];
    size_t n = 0;

    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        if (sim_is_running(&w->sim.nodes[i])) {
            running[n++] = &w->sim.nodes[i];
        }
    }
    return n > 0 ? running[rng_below(&w->sim.rng, n)] : NULL;
}

static void world_started(void *ctx, struct sim_node *n)
{
    struct world *w = ctx;

    observer_open(&w->observers[n->at]);
}

static void world_closing(void *ctx, struct sim_node *n)
{
    struct world *w = ctx;

    observer_close(&w->observers[n->at]);
    for (unsigned i = 0; i < w->n_watchers; i++) {
        if (w->watchers[i].node == n) {
            watcher_disconnect(&w->watchers[i]);
        }
    }
}

static void world_people(struct world *w)
{
    struct rng *rng = &w->sim.rng;

    w->n_clients = (unsigned)rng_between(rng, 3, CLIENTS_MAX);
    w->n_watchers = (unsigned)rng_between(rng, 1, WATCHERS_MAX);
    w->clients_on = true;
    for (unsigned i = 0; i < w->n_clients; i++) {
        w->clients[i] = (struct client){.world = w, .at = i, .leases = i % 4 == 3};
        client_start(&w->clients[i]);
    }
    for (unsigned i = 0; i < w->n_watchers; i++) {
        w->watchers[i] = (struct watcher){.world = w, .at = i};
        watcher_start(&w->watchers[i]);
    }
}

/* In half of the lives little is kept, so that those that lag need snapshots. */
static void world_limits(struct world *w, struct rng *dice)
{
    bool small = rng_percent(dice, 60);

    w->sim.snapshot_count = small ? rng_between(dice, 2, 30) : 500;
    if (small) {
        w->sim.limits = (struct replica_limits){
            .keep_entries_max = w->sim.snapshot_count,
            .keep_bytes_max = 4096,
            .hold_bytes_max = rng_percent(dice, 50) ? 4096 : 65536,
            .snapshot_chunk_bytes = 8192,
            .snapshot_window = 2,
            .snapshot_timeout_ms = 2000,
        };
    }
    w->value_max = 600;
    if (rng_percent(dice, 25)) {
        /* Many segments of the log, and a store that lags behind it. */
        w->value_max = VALUE_BYTES_MAX;
        w->sim.store_batch_bytes = (size_t)1 << 20;
    }
    if (rng_percent(dice, 20)) {
        w->sim.limits.uncommitted_bytes_max = 400;
    }
}

static void world_init(struct world *w, const struct world_options *o)
{
    static const unsigned founders[] = {1, 2, 3, 3, 3, 3, 4, 5, 5, 7};
    struct rng dice;

    rng_init(&dice, o->seed ^ 0x5eed);
    *w = (struct world){.n_ops = 0};
    arena_init(&w->truth.arena, 0);
    sim_init(&w->sim, o->seed, founders[rng_below(&dice, ARRAY_LEN(founders))], o->scratch,
             o->trace);
    w->sim.strict_reconfig = rng_percent(&dice, 70);
    world_limits(w, &dice);
    w->sim.hooks = (struct sim_hooks){world_closing, world_started, w};
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        w->observers[i] = (struct observer){.world = w, .node = &w->sim.nodes[i]};
    }
    sim_start_founders(&w->sim);
}

static void world_fini(struct world *w)
{
    sim_fini(&w->sim);
    for (size_t i = 0; i < w->n_ops; i++) {
        kvs_free(w->ops[i]);
    }
    kvs_free(w->ops);
    for (size_t i = 0; i < w->n_leases; i++) {
        kvs_free(w->leases[i]);
    }
    kvs_free(w->leases);
    for (unsigned i = 0; i < w->n_watchers; i++) {
        kvs_free(w->watchers[i].seen);
    }
    kvs_free(w->truth.revisions);
    arena_fini(&w->truth.arena);
}

/* --- healing --- */

static bool world_is_idle(struct sim *s, void *ctx)
{
    struct world *w = ctx;

    (void)s;
    for (unsigned i = 0; i < w->n_clients; i++) {
        if (w->clients[i].op != NULL) {
            return false;
        }
    }
    return !w->nemesis.changing;
}

static bool world_no_leases(struct sim *s, void *ctx)
{
    struct world *w = ctx;
    struct sim_node *leader = sim_leader(s);

    (void)w;
    return leader != NULL && lease_count(node_leases(leader->node)) == 0;
}

/* Everybody who is a member is there and has applied what the leader has. */
static bool world_is_level(struct sim *s, void *ctx)
{
    struct sim_node *leader = sim_leader(s);
    const struct core_conf *conf;
    uint32_t level = 0;

    (void)ctx;
    if (leader == NULL) {
        return false;
    }
    conf = replica_conf(node_replica(leader->node));
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        struct sim_node *n = &s->nodes[i];

        if (!n->member) {
            continue;
        }
        if (!sim_is_running(n) || replica_leader(node_replica(n->node)) != leader->id ||
            mvcc_applied_index(node_mvcc(n->node)) != mvcc_applied_index(node_mvcc(leader->node)) ||
            replica_commit(node_replica(n->node)) != mvcc_applied_index(node_mvcc(n->node))) {
            return false;
        }
        level++;
    }
    return !core_conf_is_joint(conf) && level == conf->voters.n + conf->learners.n;
}

static void world_who_waits(const struct replica *r)
{
    struct replica_status status;

    replica_status(r, &status);
    for (size_t i = 0; replica_is_leader(r) && i < status.n_peers; i++) {
        const struct replica_peer_status *p = &status.peers[i];

        (void)fprintf(stderr,
                      "    peer %" PRIx64 ": state %d match %" PRIu64 " next %" PRIu64
                      " active %d snapshot %" PRIu64 " of %" PRIu64 "\n",
                      p->id, (int)p->state, p->match, p->next, p->active, p->snapshot_sent_bytes,
                      p->snapshot_size_bytes);
    }
}

static void world_who_lags(const struct world *w)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        const struct sim_node *n = &w->sim.nodes[i];

        if (n->up) {
            const struct replica *r = node_replica(n->node);

            (void)fprintf(
                stderr,
                "  node %u id %" PRIx64 ": stopped %d leader %" PRIx64 " term %" PRIu64
                " commit %" PRIu64 " applied %" PRIu64 " voters %u learners %u joint %d\n",
                i, n->id, n->stopped, replica_leader(r), replica_term(r), replica_commit(r),
                mvcc_applied_index(node_mvcc(n->node)), replica_conf(r)->voters.n,
                replica_conf(r)->learners.n, core_conf_is_joint(replica_conf(r)));
            world_who_waits(r);
        } else if (n->member) {
            (void)fprintf(stderr, "  node %u id %" PRIx64 ": down\n", i, n->id);
        }
    }
}

static void world_await(struct world *w, bool (*done)(struct sim *s, void *ctx), const char *what)
{
    if (!sim_run(&w->sim, HEAL_US, done, w)) {
        world_who_lags(w);
        sim_fail(&w->sim, "not within %d s of calm: %s", HEAL_US / 1000000, what);
    }
}

static bool world_has_leader(struct sim *s, void *ctx)
{
    struct sim_node *leader = sim_leader(s);

    (void)ctx;
    return leader != NULL && node_is_ready(leader->node);
}

/* Nodes that were to be added and were not, or were removed and not told. */
static void world_drop_strangers(struct world *w)
{
    struct sim_node *leader = sim_leader(&w->sim);
    const struct core_conf *conf = replica_conf(node_replica(leader->node));

    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        struct sim_node *n = &w->sim.nodes[i];

        if (n->member && !core_set_has(&conf->voters, n->id) &&
            !core_set_has(&conf->learners, n->id) && !core_conf_is_joint(conf)) {
            if (n->up) {
                sim_end(n, SIM_END_KILL);
            }
            sim_wipe(n);
        }
    }
}

static int world_write_at(struct world *w, struct sim_node *n)
{
    size_t op = w->n_ops;

    client_put(&w->clients[0], n, 0);
    world_await(w, world_is_idle, "a write is answered");
    return w->ops[op]->status;
}

/* Each voter takes a write; it may say once or twice that it has too much to do. */
static void world_write_everywhere(struct world *w)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        struct sim_node *n = &w->sim.nodes[i];
        int err = KVS_E_TOO_MANY_REQUESTS;

        if (!n->up || node_is_learner(n->node)) {
            continue;
        }
        for (unsigned tries = 0; tries < 10 && err == KVS_E_TOO_MANY_REQUESTS; tries++) {
            (void)sim_run(&w->sim, 200000, NULL, NULL);
            err = world_write_at(w, n);
        }
        if (err != 0) {
            sim_fail(&w->sim, "node %u cannot write after healing: %s", i, kvs_strerror(err));
        }
    }
}

static void world_heal(struct world *w)
{
    w->nemesis.on = false;
    sim_heal(&w->sim);
    world_await(w, world_has_leader, "there is a leader");
    (void)sim_run(&w->sim, 3000000, NULL, NULL); /* clients go on for a while */
    w->clients_on = false;
    world_await(w, world_is_idle, "all requests are answered");
    world_await(w, world_has_leader, "there is a leader");
    (void)sim_run(&w->sim, 1000000, NULL, NULL);
    world_await(w, world_has_leader, "there is a leader");
    world_drop_strangers(w);
    world_await(w, world_no_leases, "all leases have ended");
    world_await(w, world_is_level, "all members are level");
    world_write_everywhere(w);
    world_await(w, world_is_level, "all members are level");
    (void)sim_run(&w->sim, 3000000, NULL, NULL); /* watchers catch up */
    world_await(w, world_is_level, "all members are level");
}

static void world_check_nodes(struct world *w)
{
    sim_check(&w->sim);
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        if (w->sim.nodes[i].up) {
            truth_compare_node(w, &w->sim.nodes[i]);
        }
    }
}

static void world_count(const struct world *w, struct world_result *r)
{
    *r = (struct world_result){
        .hash = w->sim.hash,
        .events = w->sim.events,
        .virtual_us = w->sim.now_us,
        .ops = w->n_ops,
        .revisions = (uint64_t)truth_last(&w->truth),
        .ends = w->sim.crashes,
    };
    for (size_t i = 0; i < w->n_ops; i++) {
        r->acknowledged += w->ops[i]->status == 0;
    }
    for (unsigned i = 0; i < w->n_watchers; i++) {
        r->watched += w->watchers[i].n_seen;
    }
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        if (w->sim.nodes[i].up) {
            r->snapshots += node_stats(w->sim.nodes[i].node)->snapshots_installed;
        }
    }
}

void world_run(const struct world_options *options, struct world_result *ret_result)
{
    struct world *w = kvs_calloc(1, sizeof *w);
    uint64_t chaos_us;

    kvs_assert(w != NULL);
    world_init(w, options);
    keeper_start(w);
    world_people(w);
    nemesis_start(w);
    chaos_us = rng_between(&w->sim.rng, CHAOS_US_MIN, CHAOS_US_MAX);
    for (unsigned i = 0; i < 4; i++) {
        (void)sim_run(&w->sim, chaos_us / 4, NULL, NULL);
        sim_check(&w->sim);
    }
    world_heal(w);
    world_check_nodes(w);
    truth_verdict(w);
    world_count(w, ret_result);
    world_fini(w);
    kvs_free(w);
}
