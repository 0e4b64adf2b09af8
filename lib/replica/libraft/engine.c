/* libraft behind the functions that the files around an engine call. */
#include "replica/libraft/engine_int.h"

int core_engine_persisted(struct core *c)
{
    struct raft *r = &c->engine->raft;
    struct raft_event e = {.type = RAFT_PERSISTED_ENTRIES};
    int rc = 0;

    if (r->state != RAFT_CANDIDATE && c->persisted > r->last_stored) {
        e.persisted_entries.index = c->persisted;
        rc = engine_event(c, &e, NULL);
    }
    return rc == 0 ? engine_stand_persisted(c) : rc;
}

int core_engine_collect(struct core *c)
{
    int rc = engine_handover_step(c);

    if (rc == 0) {
        rc = engine_snapshots_installed(c);
    }
    if (rc != 0 || c->role != CORE_LEADER) {
        return rc;
    }
    core_reads_start(c);
    return engine_send_appends(c);
}

/* libraft drops the terms that the log has dropped, but for the last: it would not know the term
 * before the first entry otherwise, and send a snapshot where that entry would do. */
void core_engine_compacted(struct core *c)
{
    struct core_engine *g = c->engine;
    struct raft_update update = {0};
    struct raft_event e = {.type = RAFT_SNAPSHOT, .time = g->now};
    int code;

    if (c->applied == g->raft.trail.snapshot.index) {
        return;
    }
    e.snapshot.metadata.index = c->applied;
    e.snapshot.trailing = (unsigned)(c->applied - c->log.base_index) + 1;
    code = raft_step(&g->raft, &e, &update);
    kvs_assert(code == 0);
}

/* libraft finds out by itself, from the next rejection. */
void core_unreachable(struct core *c, uint64_t peer)
{
    (void)c;
    (void)peer;
}

/* --- snapshots -------------------------------------------------------------------------------- */

/* Two events that libraft would have had in the course of an installation, at its end. */
static int install(struct core *c, const struct core_snapshot *snapshot)
{
    struct core_engine *g = c->engine;
    struct raft_message m = {
        .type = RAFT_INSTALL_SNAPSHOT, .server_id = c->leader, .server_address = g->raft.address};
    struct raft_event e = {.type = RAFT_RECEIVE};
    struct raft_event done = {.type = RAFT_PERSISTED_SNAPSHOT};
    int rc = engine_conf_make(&snapshot->conf, CORE_NONE, &m.install_snapshot.conf);

    if (rc != 0) {
        return rc;
    }
    m.install_snapshot.term = c->term;
    m.install_snapshot.last_index = snapshot->index;
    m.install_snapshot.last_term = snapshot->term;
    m.install_snapshot.conf_index = snapshot->index;
    e.receive.message = &m;
    done.persisted_snapshot.metadata = (struct raft_snapshot_metadata){
        .index = snapshot->index,
        .term = snapshot->term,
        .configuration = m.install_snapshot.conf,
        .configuration_index = snapshot->index,
    };
    done.persisted_snapshot.last = true;
    rc = engine_step(c, &e, NULL); /* Half-way nothing can be settled. */
    return rc == 0 ? engine_event(c, &done, NULL) : rc;
}

int core_engine_installed(struct core *c, const struct core_snapshot *snapshot, bool replaced)
{
    int rc;

    if (!replaced) { /* The log goes on; the state machine stands for what is not on disk. */
        rc = core_engine_persisted(c);
        core_acknowledge(c, snapshot->index);
        return rc == 0 ? engine_settle(c) : rc;
    }
    c->engine->mute = c->leader == CORE_NONE;
    rc = install(c, snapshot);
    c->engine->mute = false;
    return rc;
}

/* --- checks ----------------------------------------------------------------------------------- */

void core_engine_check(const struct core *c)
{
    struct raft *r = &c->engine->raft;

    kvs_assert(r->current_term == c->term && r->voted_for == c->vote);
    kvs_assert(raft_last_index(r) == core_last(c));
    kvs_assert(r->commit_index <= c->commit);
    kvs_assert((r->state == RAFT_LEADER) == (c->role == CORE_LEADER));
    kvs_assert(engine_conf_equals(&r->configuration, core_conf_now(c)));
    kvs_assert(c->role == CORE_LEADER || c->engine->n_appends == 0);
}
