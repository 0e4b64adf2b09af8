/* One event of libraft, and what `struct core` has to learn from it.
 *
 * Order matters: the term before everything that is said in it; the role before the entries, since
 * a new leader's first entry starts its term; messages last. */
#include "replica/libraft/engine_int.h"

/* --- copying ---------------------------------------------------------------------------------- */

static void mirror_term(struct core *c)
{
    const struct raft *r = &c->engine->raft;

    kvs_assert(r->current_term >= c->term);
    if (r->current_term > c->term) {
        core_outs_drop_held(c);
        c->term = r->current_term;
        c->vote = r->voted_for;
        c->leader = CORE_NONE;
        c->engine->standing = false;
        core_hard_changed(c);
    } else if (r->voted_for != c->vote) {
        c->vote = r->voted_for;
        core_hard_changed(c);
    }
}

static enum core_role role_of(const struct core_engine *g)
{
    switch (g->raft.state) {
    case RAFT_LEADER:
        return CORE_LEADER;
    case RAFT_CANDIDATE:
        return g->raft.candidate_state.in_pre_vote ? CORE_PRE_CANDIDATE : CORE_CANDIDATE;
    default:
        return g->standing ? CORE_CANDIDATE : CORE_FOLLOWER;
    }
}

static void leave_leadership(struct core *c)
{
    core_reads_fail(c);
    c->transfer_to = CORE_NONE;
    c->uncommitted_bytes = 0;
    c->engine->n_appends = 0;
    core_peers_forget_leaving(c, 0);
}

static void enter_leadership(struct core *c)
{
    uint64_t last = core_last(c);

    kvs_assert(c->hard_seq <= c->persisted_seq);
    c->election_elapsed = 0;
    c->heartbeat_elapsed = 0;
    for (size_t i = 0; i < c->n_peers; i++) {
        core_peer_reset(&c->peers[i], last + 1);
    }
    c->uncommitted_bytes = 0;
    for (uint64_t i = c->commit + 1; i <= last; i++) {
        c->uncommitted_bytes += core_log_at(&c->log, i)->data.len;
    }
    c->term_start = last + 1;
}

static void mirror_role(struct core *c)
{
    enum core_role role = role_of(c->engine);

    if (role == c->role) {
        if (role == CORE_LEADER) {
            c->leader = c->config.id;
        }
        return;
    }
    if (c->role == CORE_LEADER) {
        leave_leadership(c);
    }
    c->role = role;
    if (role == CORE_LEADER) {
        c->leader = c->config.id;
        enter_leadership(c);
    } else if (role != CORE_FOLLOWER || c->leader == c->config.id) {
        c->leader = CORE_NONE;
    }
}

/* libraft's own may go back [6]. */
static void mirror_commit(struct core *c)
{
    uint64_t reached = c->engine->raft.commit_index;

    if (reached > core_last(c)) {
        reached = core_last(c);
    }
    if (reached <= c->commit) {
        return;
    }
    if (c->role == CORE_LEADER) {
        core_leader_commit(c, reached);
    } else {
        core_commit_to(c, reached);
    }
}

static void mirror_progress(struct core *c)
{
    if (c->role != CORE_LEADER) {
        return;
    }
    c->transfer_to = raft_transferee(&c->engine->raft);
    for (size_t i = 0; i < c->n_peers; i++) {
        struct core_peer *p = &c->peers[i];
        raft_index match;

        if (p->id == c->config.id || raft_match_index(&c->engine->raft, p->id, &match) != 0 ||
            match <= p->match) {
            continue;
        }
        p->match = match;
        if (p->state == CORE_PEER_PROBE ||
            (p->state == CORE_PEER_SNAPSHOT && match >= c->log.base_index)) {
            core_peer_replicate(p);
        }
        if (p->next <= match) {
            p->next = match + 1;
        }
    }
}

int engine_mirror(struct core *c)
{
    mirror_term(c);
    mirror_role(c);
    mirror_commit(c);
    mirror_progress(c);
    return 0;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* libraft has appended an entry of its own: a new leader with old entries not known to be
 * committed. */
static int take_barrier(struct core *c)
{
    struct core_entry noop = {.term = c->term, .type = CORE_ENTRY_NOOP};

    kvs_assert(c->role == CORE_LEADER && core_last(c) + 1 == c->term_start);
    raft_free(c->engine->raft.barrier.buf.base);
    c->engine->raft.barrier = (struct raft_entry){0};
    return core_entries_append(c, &noop, 1);
}

static int
take_entries(struct core *c, const struct raft_update *update, const struct engine_entries *entries)
{
    uint64_t index = update->entries.index;
    const struct core_entry *from;
    int rc = 0;

    if (update->entries.batch == &c->engine->raft.barrier) {
        return take_barrier(c);
    }
    kvs_assert(entries != NULL && update->entries.batch >= entries->entries);
    from = entries->from + (update->entries.batch - entries->entries);
    if (index <= core_last(c)) {
        rc = core_entries_cut(c, index);
    }
    kvs_assert(rc != 0 || index == core_last(c) + 1);
    if (rc == 0) {
        rc = core_entries_append(c, from, update->entries.n);
    }
    if (rc == 0 && c->role == CORE_LEADER) {
        c->uncommitted_bytes += core_entries_bytes(from, update->entries.n);
    }
    return rc;
}

/* --- events ----------------------------------------------------------------------------------- */

/* A server whose own configuration does not make it a voter lends its vote all the same: the
 * candidate's may know better [7]. */
static int step_lending(struct raft *r, struct raft_event *e, struct raft_update *update)
{
    struct raft_server self = {.id = r->id, .address = r->address, .role = RAFT_VOTER};
    struct raft_configuration own = r->configuration;
    int code;

    r->configuration = (struct raft_configuration){.servers = &self, .n = 1};
    code = raft_step(r, e, update);
    r->configuration = own;
    return code;
}

int engine_step(struct core *c, struct raft_event *e, const struct engine_entries *entries)
{
    struct core_engine *g = c->engine;
    struct raft_update update = {0};
    int rc = core_event_begin(c);

    if (rc != 0) {
        return rc;
    }
    e->time = g->now;
    rc = engine_error(g->lends_vote ? step_lending(&g->raft, e, &update)
                                    : raft_step(&g->raft, e, &update));
    if (rc == KVS_E_NOMEM) {
        return rc;
    }
    mirror_term(c);
    mirror_role(c);
    if (rc == 0 && (update.flags & (RAFT_UPDATE_ENTRIES)) != 0) {
        rc = take_entries(c, &update, entries);
    }
    if (rc != 0) {
        return rc;
    }
    mirror_commit(c);
    mirror_progress(c);
    return engine_send(c, &update);
}

/* libraft starts a term with an entry only if there are old ones [14]. */
static int settle_noop(struct core *c)
{
    struct core_entry noop = {.term = c->term, .type = CORE_ENTRY_NOOP};
    struct raft_entry entry = {.term = c->term, .type = RAFT_BARRIER, .batch = &engine_batch};
    struct raft_event e = {.type = RAFT_SUBMIT};
    struct engine_entries entries = {.entries = &entry, .from = &noop};

    e.submit.entries = &entry;
    e.submit.n = 1;
    return engine_step(c, &e, &entries);
}

int engine_report_conf(struct core *c)
{
    uint64_t index = c->engine->raft.configuration_uncommitted_index;
    const struct core_conf_mark *mark = core_log_mark_at(&c->log, index);
    struct raft_event e = {.type = RAFT_CONFIGURATION};
    int rc;

    kvs_assert(mark != NULL && mark->index == index);
    rc = engine_conf_make(&mark->conf, CORE_NONE, &e.configuration.conf);
    if (rc != 0) {
        return rc;
    }
    e.configuration.index = index;
    return engine_step(c, &e, NULL);
}

int engine_settle(struct core *c)
{
    const struct raft *r = &c->engine->raft;
    int rc = 0;

    while (rc == 0) {
        if (c->role == CORE_LEADER && core_last(c) < c->term_start) {
            rc = settle_noop(c);
        } else if (r->configuration_uncommitted_index != 0 &&
                   r->configuration_uncommitted_index <= c->commit) {
            rc = engine_report_conf(c);
        } else {
            break;
        }
    }
    return rc;
}

int engine_event(struct core *c, struct raft_event *e, const struct engine_entries *entries)
{
    int rc = engine_step(c, e, entries);

    return rc == 0 ? engine_settle(c) : rc;
}
