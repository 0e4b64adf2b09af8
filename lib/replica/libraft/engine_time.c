/* Ticks are libraft's milliseconds. It is told that time has passed when a timer has run out, after
 * what is wrong with its timers has been put right.
 *
 * A sole voter is elected here: term and vote first, libraft when they are on disk [4].
 *
 *   follower --timer--> standing --on disk--> leader
 *       ^------ higher term, leader ---'                */
#include "replica/libraft/engine_int.h"

static bool is_voter(const struct core *c)
{
    return core_set_has(&core_conf_now(c)->voters, c->config.id);
}

static int run_out(struct core *c)
{
    struct raft_event e = {.type = RAFT_TIMEOUT};

    return engine_event(c, &e, NULL);
}

/* The election timer is over, whatever it was set to. */
static int run_out_now(struct core *c)
{
    c->engine->raft.election_timer_start = c->engine->now - 4 * (uint64_t)c->config.election_ticks;
    return run_out(c);
}

/* --- elections -------------------------------------------------------------------------------- */

int engine_stand(struct core *c)
{
    struct core_engine *g = c->engine;
    int rc;

    if (g->standing || g->raft.state != RAFT_FOLLOWER) {
        return 0;
    }
    g->raft.current_term++;
    g->raft.voted_for = c->config.id;
    rc = engine_mirror(c);
    g->standing = true;
    return rc == 0 ? engine_mirror(c) : rc;
}

int engine_stand_persisted(struct core *c)
{
    struct core_engine *g = c->engine;

    if (!g->standing || c->hard_seq > c->persisted_seq || g->raft.last_stored < core_last(c)) {
        return 0;
    }
    kvs_assert(engine_conf_is_sole(core_conf_now(c), c->config.id));
    g->standing = false;
    return run_out_now(c);
}

/* It stays a candidate, and would never return to pre-vote [13]. */
static void candidate_starts_again(struct core *c)
{
    struct raft *r = &c->engine->raft;

    if (r->state == RAFT_CANDIDATE) {
        r->candidate_state.in_pre_vote = r->pre_vote;
        r->candidate_state.disrupt_leader = false;
    }
}

int core_engine_campaign(struct core *c)
{
    if (c->role == CORE_LEADER || c->installing || !is_voter(c)) {
        return 0;
    }
    if (engine_conf_is_sole(core_conf_now(c), c->config.id)) {
        return engine_stand(c);
    }
    candidate_starts_again(c);
    return run_out_now(c);
}

static int election_tick(struct core *c)
{
    struct raft *r = &c->engine->raft;

    c->election_elapsed++;
    if (c->installing || c->engine->now < raft_timeout(r)) {
        return 0;
    }
    if (!is_voter(c)) { /* libraft would believe in its leader for ever [7]. */
        c->leader = CORE_NONE;
        if (r->state == RAFT_FOLLOWER) {
            r->follower_state.current_leader.id = 0;
        }
    } else if (engine_conf_is_sole(core_conf_now(c), c->config.id)) {
        return engine_stand(c);
    }
    candidate_starts_again(c);
    return run_out(c);
}

/* --- leader ----------------------------------------------------------------------------------- */

void core_broadcast_heartbeat(struct core *c)
{
    kvs_assert(c->role == CORE_LEADER);
    for (size_t i = 0; i < c->n_peers; i++) {
        struct core_msg m = {.type = CORE_MSG_HEARTBEAT, .to = c->peers[i].id, .context = c->round};

        if (m.to != c->config.id) {
            core_send(c, m, 0);
        }
    }
}

static void leaving_tick(struct core *c)
{
    if (core_log_mark_last(&c->log)->index > c->commit) {
        return;
    }
    for (size_t i = 0; i < c->n_peers; i++) {
        c->peers[i].leaving_ticks += c->peers[i].leaving;
    }
    core_peers_forget_leaving(c, c->config.election_ticks);
}

static int leader_tick(struct core *c)
{
    bool forget = ++c->election_elapsed >= c->config.election_ticks;
    int rc = 0;

    leaving_tick(c);
    for (size_t i = 0; i < c->n_peers; i++) {
        c->peers[i].paused = false;
        c->peers[i].active = c->peers[i].active && !forget;
    }
    c->election_elapsed = forget ? 0 : c->election_elapsed;
    if (++c->heartbeat_elapsed >= c->config.heartbeat_ticks) {
        c->heartbeat_elapsed = 0;
        if (c->n_reads > 0) {
            core_broadcast_heartbeat(c);
        }
        rc = engine_tell_leaving(c);
    }
    if (rc == 0 && c->engine->now >= raft_timeout(&c->engine->raft)) {
        rc = run_out(c);
    }
    return rc;
}

int core_engine_tick(struct core *c)
{
    c->engine->now++;
    engine_handover_tick(c);
    return c->role == CORE_LEADER ? leader_tick(c) : election_tick(c);
}
