/* Faults, and the operator who changes members, moves leadership and replaces what broke. Each life
 * has some kinds of faults and not others, so that each meets the other alone as well. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "node_world.h"

enum fault {
    FAULT_LOSS = 1 << 0,
    FAULT_DELAY = 1 << 1,
    FAULT_REORDER = 1 << 2,
    FAULT_CUT = 1 << 3,
    FAULT_PARTITION = 1 << 4,
    FAULT_POWER = 1 << 5,
    FAULT_KILL = 1 << 6,
    FAULT_ALL_DOWN = 1 << 7,
    FAULT_PAUSE = 1 << 8,
    FAULT_SLOW_DISK = 1 << 9,
    FAULT_DISK_ERROR = 1 << 10,
    FAULT_DISK_FULL = 1 << 11,
    FAULT_MEMBERS = 1 << 12,
    FAULT_TRANSFER = 1 << 13,
    FAULT_CLEAN_RESTART = 1 << 14,
    FAULT_COUNT = 15,
};

static struct sim_node *nemesis_victim(struct world *w)
{
    struct sim_node *leader = sim_leader(&w->sim);

    return leader != NULL && rng_percent(&w->sim.rng, 40) ? leader : world_pick(w);
}

/* --- network --- */

static void nemesis_cut(struct world *w)
{
    struct sim *s = &w->sim;
    unsigned from = (unsigned)rng_below(&s->rng, SIM_NODES_MAX);
    unsigned to = (unsigned)rng_below(&s->rng, SIM_NODES_MAX);

    s->cut[from][to] = true;
    s->cut_silent = rng_percent(&s->rng, 50);
    sim_trace(s, "cut %u -> %u", from, to);
}

static void nemesis_partition(struct world *w)
{
    struct sim *s = &w->sim;
    struct sim_node *alone = rng_percent(&s->rng, 50) ? nemesis_victim(w) : NULL;
    uint64_t sides = alone != NULL ? UINT64_C(1) << alone->at : rng_next(&s->rng);

    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        for (unsigned k = 0; k < SIM_NODES_MAX; k++) {
            s->cut[i][k] = ((sides >> i) & 1) != ((sides >> k) & 1);
        }
    }
    s->cut_silent = rng_percent(&s->rng, 50);
    sim_trace(s, "partition %" PRIx64, sides & 0x7f);
}

static void nemesis_network(struct world *w, enum fault fault)
{
    struct sim *s = &w->sim;

    switch ((int)fault) {
    case FAULT_LOSS:
        s->faults.drop_percent = (unsigned)rng_below(&s->rng, 30);
        s->faults.duplicate_percent = (unsigned)rng_below(&s->rng, 30);
        break;
    case FAULT_DELAY:
        s->faults.delay_us_max = 1000u << rng_below(&s->rng, 9);
        s->faults.slow_percent = (unsigned)rng_below(&s->rng, 10);
        break;
    case FAULT_REORDER:
        s->faults.reorder = rng_percent(&s->rng, 50);
        break;
    case FAULT_CUT:
        nemesis_cut(w);
        break;
    case FAULT_PARTITION:
        nemesis_partition(w);
        break;
    default:
        break;
    }
}

/* --- machines --- */

static void nemesis_all_down(struct world *w)
{
    enum sim_end how = rng_percent(&w->sim.rng, 70) ? SIM_END_POWER : SIM_END_KILL;

    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        if (w->sim.nodes[i].up && !w->sim.nodes[i].stopped) {
            sim_end(&w->sim.nodes[i], how);
        }
    }
}

static void nemesis_machine(struct world *w, enum fault fault)
{
    struct sim *s = &w->sim;
    struct sim_node *n = nemesis_victim(w);

    if (n == NULL) {
        return;
    }
    switch ((int)fault) {
    case FAULT_POWER:
        sim_end(n, SIM_END_POWER);
        break;
    case FAULT_KILL:
        sim_end(n, SIM_END_KILL);
        break;
    case FAULT_CLEAN_RESTART:
        sim_end(n, SIM_END_CLEAN);
        break;
    case FAULT_ALL_DOWN:
        if (rng_percent(&s->rng, 30)) {
            nemesis_all_down(w);
        }
        break;
    case FAULT_PAUSE:
        sim_pause(n, rng_between(&s->rng, 100000, 3000000));
        break;
    case FAULT_SLOW_DISK:
        n->disk_slowness = 1u << rng_below(&s->rng, 8);
        break;
    case FAULT_DISK_ERROR:
        sim_disk_fail_at(n->disk, rng_between(&s->rng, 1, 60), KVS_E_IO);
        break;
    case FAULT_DISK_FULL:
        sim_disk_fail_at(n->disk, rng_between(&s->rng, 1, 30), KVS_E_FULL);
        break;
    default:
        break;
    }
}

/* --- members --- */

static void nemesis_discard(struct sim *s, struct sim_event *e)
{
    struct sim_node *n = e->arg;

    (void)s;
    if (n->member && n->id == e->number) {
        if (n->up) {
            sim_end(n, SIM_END_KILL);
        }
        sim_wipe(n);
    }
}

static void nemesis_changed(struct node_change *change)
{
    struct nemesis *nm = container_of(change, struct nemesis, change);
    struct sim_node *of = nm->change_of;

    sim_trace(of->sim, "change %d of %" PRIx64 ": %s", change->type, change->member_id,
              change->status == 0 ? "done" : kvs_strerror(change->status));
    nm->changing = false;
    if (change->type == NODE_CHANGE_REMOVE && change->status == 0 &&
        rng_percent(&of->sim->rng, 50)) {
        /* Else it runs on until somebody tells it. */
        sim_at(of->sim, rng_below(&of->sim->rng, 2000000), nemesis_discard, NULL, of,
               change->member_id);
    }
}

static void nemesis_ask(struct world *w, enum node_change_type type, struct sim_node *of)
{
    struct nemesis *nm = &w->nemesis;
    int err;

    if (nm->change_at == NULL || of == NULL) {
        return;
    }
    nm->change_of = of;
    nm->change = (struct node_change){.cb = nemesis_changed, .type = type, .member_id = of->id};
    if (type == NODE_CHANGE_ADD || type == NODE_CHANGE_ADD_LEARNER) {
        nm->urls[0] = of->peer_url;
        nm->change.peer_urls = nm->urls;
        nm->change.n_peer_urls = 1;
    }
    err = node_change_members(nm->change_at->node, &nm->change);
    sim_trace(&w->sim, "change %d of node %u asked at node %u: %s", type, of->at, nm->change_at->at,
              err == 0 ? "ok" : kvs_strerror(err));
    if (err != 0) {
        return;
    }
    nm->changing = true;
    if (type == NODE_CHANGE_ADD || type == NODE_CHANGE_ADD_LEARNER) {
        sim_join(of, nm->change.member_id); /* whatever comes of it */
    }
}

static struct sim_node *nemesis_learner(struct world *w)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        struct sim_node *n = &w->sim.nodes[i];

        if (n->up && !n->stopped && node_is_learner(n->node)) {
            return n;
        }
    }
    return NULL;
}

static unsigned nemesis_members(const struct world *w)
{
    unsigned n = 0;

    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        n += w->sim.nodes[i].member;
    }
    return n;
}

static void nemesis_change(struct world *w)
{
    struct nemesis *nm = &w->nemesis;
    struct rng *rng = &w->sim.rng;
    unsigned members = nemesis_members(w);

    if (nm->changing) {
        return;
    }
    nm->change_at = world_pick(w);
    if (nemesis_learner(w) != NULL && rng_percent(rng, 60)) {
        nemesis_ask(w, NODE_CHANGE_PROMOTE, nemesis_learner(w));
    } else if (members < SIM_NODES_MAX && (members == 1 || rng_percent(rng, 45))) {
        nemesis_ask(w, rng_percent(rng, 50) ? NODE_CHANGE_ADD : NODE_CHANGE_ADD_LEARNER,
                    sim_spare(&w->sim));
    } else if (members > 1) {
        nemesis_ask(w, NODE_CHANGE_REMOVE, nemesis_victim(w));
    }
}

static void nemesis_transferred(struct replica_transfer *t)
{
    struct node_transfer *transfer = container_of(t, struct node_transfer, transfer);

    container_of(transfer, struct nemesis, transfer)->transferring = false;
}

static void nemesis_transfer(struct world *w)
{
    struct nemesis *nm = &w->nemesis;
    struct sim_node *leader = sim_leader(&w->sim);

    if (leader == NULL || !sim_is_running(leader) || nm->transferring) {
        return;
    }
    nm->transfer = (struct node_transfer){.transfer = {.cb = nemesis_transferred}};
    nm->transferring = node_move_leader(leader->node, 0, &nm->transfer) == 0;
    sim_trace(&w->sim, "leadership moves from node %u: %s", leader->at,
              nm->transferring ? "asked" : "refused");
}

/* --- in time --- */

static void nemesis_one(struct world *w)
{
    enum fault fault;

    do {
        fault = (enum fault)(1u << rng_below(&w->sim.rng, FAULT_COUNT));
    } while ((w->nemesis.faults & fault) == 0);
    if (fault <= FAULT_PARTITION) {
        nemesis_network(w, fault);
    } else if (fault == FAULT_MEMBERS) {
        nemesis_change(w);
    } else if (fault == FAULT_TRANSFER) {
        nemesis_transfer(w);
    } else {
        nemesis_machine(w, fault);
    }
}

static void nemesis_step(struct sim *s, struct sim_event *e)
{
    struct world *w = e->arg;

    if (!w->nemesis.on) {
        return;
    }
    if (rng_percent(&s->rng, 12)) {
        sim_trace(s, "calm");
        sim_calm(s);
    } else {
        nemesis_one(w);
    }
    sim_at(s, rng_below(&s->rng, 2 * w->nemesis.period_ms * 1000), nemesis_step, NULL, w, 0);
}

void nemesis_start(struct world *w)
{
    struct nemesis *nm = &w->nemesis;
    struct rng *rng = &w->sim.rng;

    nm->faults = (unsigned)(rng_next(rng) & (rng_percent(rng, 50) ? rng_next(rng) : UINT64_MAX));
    if (w->sim.n_founders <= 2 || rng_percent(rng, 30)) {
        nm->faults |= FAULT_MEMBERS;
    }
    nm->faults |= 1u << rng_below(rng, FAULT_COUNT);
    nm->period_ms = (unsigned)rng_between(rng, 100, 1200);
    nm->downtime_percent = (unsigned)rng_between(rng, 3, 40);
    nm->on = true;
    sim_at(&w->sim, 1500000, nemesis_step, NULL, w, 0);
}

/* --- the operator --- */

static void keeper_node(struct world *w, struct sim_node *n)
{
    struct sim *s = &w->sim;

    if (n->up && n->stopped) {
        bool removed = n->stop_code == KVS_E_MEMBER_NOT_FOUND;

        /* After a disk failure only what was synced can be relied on. */
        sim_end(n, removed ? SIM_END_CLEAN : SIM_END_POWER);
        if (removed) {
            sim_wipe(n);
        }
    } else if (!n->up && n->member && rng_percent(&s->rng, w->nemesis.downtime_percent)) {
        sim_restart(n);
    }
}

static void keeper_step(struct sim *s, struct sim_event *e)
{
    struct world *w = e->arg;

    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        keeper_node(w, &s->nodes[i]);
    }
    sim_at(s, 100000, keeper_step, NULL, w, 0);
}

void keeper_start(struct world *w)
{
    sim_at(&w->sim, 100000, keeper_step, NULL, w, 0);
}
