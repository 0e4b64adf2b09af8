/* A random life: everything goes wrong for a while, then it is mended and must recover. */
#include "core_sim.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"

enum {
    HEAL_TICKS = 1200, /* to recover from anything: some elections and some snapshots */
    HEAL_ROUNDS_MAX = 20,
};

static unsigned between(struct rng *r, unsigned low, unsigned high)
{
    return (unsigned)rng_between(r, low, high);
}

static void draw_params(struct rng *r, struct sim_params *p)
{
    *p = (struct sim_params){
        .n_nodes = between(r, 1, 7),
        .delay_max = rng_percent(r, 70) ? between(r, 1, 8) : between(r, 8, 60),
        .loss_percent = rng_percent(r, 50) ? 0 : between(r, 1, 25),
        .double_percent = rng_percent(r, 60) ? 0 : between(r, 1, 20),
        .disk_max = rng_percent(r, 70) ? between(r, 1, 10) : between(r, 10, 100),
        .trailing = between(r, 0, 30),
        .store_percent = between(r, 0, 30),
        .crash_permille = rng_percent(r, 70) ? between(r, 0, rng_percent(r, 70) ? 20 : 80) : 0,
        .cut_permille = rng_percent(r, 70) ? between(r, 0, rng_percent(r, 70) ? 40 : 150) : 0,
        .conf_permille = rng_percent(r, 60) ? between(r, 1, 60) : 0,
        .transfer_permille = rng_percent(r, 50) ? between(r, 1, 20) : 0,
        .propose_percent = between(r, 5, 90),
        .read_percent = between(r, 0, 50),
        .drain_later_percent = rng_percent(r, 50) ? between(r, 1, 60) : 0,
        .burst = rng_percent(r, 70) ? 1 : between(r, 2, 30),
        .chaos_ticks = between(r, 100, rng_percent(r, 80) ? 400 : 1500),
        .found_by_state = rng_percent(r, 50),
        .in_order = rng_percent(r, 60),
        .pre_vote = true,
        .check_quorum = true,
        .max_append_entries = rng_percent(r, 50) ? between(r, 1, 4) : 64,
        .max_inflight_msgs = rng_percent(r, 50) ? between(r, 1, 3) : 32,
        .max_uncommitted_bytes = rng_percent(r, 30) ? between(r, 60, 1000) : 1 << 20,
    };
    if (p->burst > 1) {
        p->max_append_entries = 64; /* Or a small window is all that would be tested. */
    }
    if (rng_percent(r, 15)) {
        /* Safety may not depend on either; without them a removed server may disturb for ever. */
        p->pre_vote = rng_percent(r, 50);
        p->check_quorum = rng_percent(r, 50);
        p->conf_permille = 0;
    }
}

/* --- what goes wrong -------------------------------------------------------------------------- */

static uint64_t random_up(struct sim *s)
{
    uint64_t at = 1 + rng_below(&s->rng, s->last_id);

    for (uint64_t i = 0; i < s->last_id; i++) {
        uint64_t id = 1 + (at + i) % s->last_id;

        if (s->nodes[id].up) {
            return id;
        }
    }
    return 0;
}

static void random_crash(struct sim *s)
{
    uint64_t id = random_up(s);

    if (id != 0) {
        sim_crash(s, id);
        s->check.n_restarts++;
        sim_schedule(s, 1 + rng_below(&s->rng, 60 * SIM_TICK), SIM_RESTART, id);
    }
}

static void random_cut(struct sim *s)
{
    uint64_t id = 1 + rng_below(&s->rng, s->last_id);
    uint64_t other = 1 + rng_below(&s->rng, s->last_id);

    switch (rng_below(&s->rng, 5)) {
    case 0:
        sim_cut(s, id, other, true);
        break;
    case 1:
        sim_isolate(s, id, true);
        break;
    case 2: /* two halves */
        for (uint64_t a = 1; a <= s->last_id; a++) {
            for (uint64_t b = 1; b <= s->last_id; b++) {
                s->cut[a][b] = (a <= id) != (b <= id);
            }
        }
        break;
    default:
        for (uint64_t a = 1; a <= s->last_id; a++) {
            sim_isolate(s, a, false);
        }
        break;
    }
}

/* A server that waits to be a member, or a new one. 0: there have been enough. */
static uint64_t spare_node(struct sim *s, const struct core_conf *conf)
{
    for (uint64_t id = s->params.n_nodes + 1; id <= s->last_id; id++) {
        if (s->nodes[id].up && !core_conf_is_member(conf, id) && s->nodes[id].seen_last == 0) {
            return id;
        }
    }
    return s->last_id < SIM_NODES_MAX - 1 ? sim_add_node(s, NULL) : 0;
}

static size_t random_changes(struct sim *s, const struct core_conf *conf, struct core_change *ret)
{
    size_t n = 0;
    bool many = rng_percent(&s->rng, 25);

    for (uint32_t i = 0; i < conf->voters.n; i++) {
        if (rng_percent(&s->rng, many ? 40 : 15)) {
            ret[n++] = (struct core_change){
                rng_percent(&s->rng, 80) ? CORE_REMOVE : CORE_ADD_LEARNER, conf->voters.ids[i]};
        }
    }
    for (uint32_t i = 0; i < conf->learners.n; i++) {
        if (rng_percent(&s->rng, 40)) {
            ret[n++] = (struct core_change){rng_percent(&s->rng, 80) ? CORE_ADD_VOTER : CORE_REMOVE,
                                            conf->learners.ids[i]};
        }
    }
    for (unsigned i = 0; i < (many ? 3 : 1) && conf->voters.n < 7; i++) {
        uint64_t id = rng_percent(&s->rng, 50) ? spare_node(s, conf) : 0;

        if (id != 0 && (n == 0 || ret[n - 1].id != id)) {
            ret[n++] = (struct core_change){
                rng_percent(&s->rng, 50) ? CORE_ADD_VOTER : CORE_ADD_LEARNER, id};
        }
    }
    return many || n < 2 ? n : 1;
}

static void random_change(struct sim *s)
{
    struct core_change changes[3 * CORE_SET_MAX];
    uint64_t id = rng_percent(&s->rng, 80) ? sim_leader(s) : random_up(s);
    size_t n;

    if (id == 0) {
        return;
    }
    n = random_changes(s, core_conf(s->nodes[id].core), changes);
    if (n > 0) {
        (void)sim_change(s, id, changes, n);
    }
}

static void chaos(struct sim *s)
{
    const struct sim_params *p = &s->params;
    uint64_t id = random_up(s);

    if (id != 0 && rng_percent(&s->rng, p->propose_percent)) {
        for (unsigned i = 0; i < p->burst && s->nodes[id].up; i++) {
            (void)sim_propose(s, id);
        }
    }
    id = random_up(s);
    if (id != 0 && rng_percent(&s->rng, p->read_percent)) {
        (void)sim_read(s, id);
    }
    id = random_up(s);
    if (id != 0 && rng_below(&s->rng, 1000) < p->transfer_permille) {
        (void)sim_transfer(s, id, 1 + rng_below(&s->rng, s->last_id));
    }
    if (rng_below(&s->rng, 1000) < p->conf_permille) {
        random_change(s);
    }
    if (rng_below(&s->rng, 1000) < p->crash_permille) {
        random_crash(s);
    }
    if (rng_below(&s->rng, 1000) < p->cut_permille) {
        random_cut(s);
    }
    if (rng_below(&s->rng, 1000) < p->cut_permille && random_up(s) != 0) {
        core_unreachable(s->nodes[random_up(s)].core, 1 + rng_below(&s->rng, s->last_id));
    }
}

/* --- recovery --------------------------------------------------------------------------------- */

/* Of all that run: grows as long as something is being settled. */
static uint64_t sum_of_commits(const struct sim *s)
{
    uint64_t sum = 0;

    for (uint64_t id = 1; id <= s->last_id; id++) {
        if (s->nodes[id].up) {
            sum += s->nodes[id].seen_commit;
        }
    }
    return sum;
}

/* A life that sends one entry in a message, one message at a time, needs longer for what has piled
 * up; but it gets on with it. What must not happen is that nothing moves. */
static void settle(struct sim *s, const char *what)
{
    for (unsigned rounds = 1; rounds < HEAL_ROUNDS_MAX; rounds++) {
        uint64_t before = sum_of_commits(s);

        for (unsigned i = 0; i < HEAL_TICKS; i++) {
            if (sim_converged(s)) {
                return;
            }
            sim_run(s, 1);
        }
        if (sum_of_commits(s) <= before) {
            break;
        }
    }
    sim_run_until(s, sim_converged, 1, what);
}

/* Everything works again: what was accepted must be settled, and new proposals accepted. */
static void recover(struct sim *s)
{
    uint64_t done;

    sim_heal(s);
    s->params.delay_max = s->params.delay_max < 8 ? s->params.delay_max : 8;
    s->params.disk_max = s->params.disk_max < 8 ? s->params.disk_max : 8;
    s->params.trailing = 50;
    for (uint64_t id = 1; id <= s->last_id; id++) {
        if (!s->nodes[id].up && !s->nodes[id].gone) {
            sim_start(s, id);
        }
    }
    settle(s, "all members agree");
    done = s->check.n_applied;
    for (unsigned i = 0; i < 50 && s->check.n_applied == done; i++) {
        uint64_t leader = sim_leader(s);

        if (leader != 0) {
            (void)sim_propose(s, leader);
        }
        sim_run(s, 5);
    }
    if (s->check.n_applied == done) {
        sim_fail(s, "nothing can be proposed");
    }
    settle(s, "all members agree again");
}

uint64_t sim_random(uint64_t seed, bool trace, bool verbose)
{
    static struct sim s; /* large */
    struct sim_params params;
    struct rng r;
    uint64_t hash;

    rng_init(&r, seed * 7919 + 1);
    draw_params(&r, &params);
    sim_init(&s, seed, &params);
    s.trace = trace;
    s.lossy = true;
    for (unsigned i = 0; i < params.chaos_ticks; i++) {
        chaos(&s);
        sim_run(&s, 1);
    }
    recover(&s);
    if (verbose) {
        printf("seed %" PRIu64 ": %u nodes, %zu entries, %" PRIu64 " elections, %" PRIu64
               " reads, %" PRIu64 " snapshots, %" PRIu64 " crashes, %" PRIu64
               " changes, hash %016" PRIx64 "\n",
               seed, params.n_nodes, s.check.n_applied, s.check.n_elections, s.check.n_reads_done,
               s.check.n_snapshots, s.check.n_restarts, s.check.n_conf_changes, s.trace_hash);
    }
    hash = s.trace_hash;
    sim_fini(&s);
    return hash;
}
