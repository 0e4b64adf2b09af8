/* When entries are no longer in memory: metadata only, the owner moves the data.
 *
 * Invariants: one snapshot is received at a time; a log that already agrees with it is kept; while
 * the state machine is being replaced nothing is appended or applied and no election is started. */
#include "replica/core_int.h"

void core_peer_need_snapshot(struct core_peer *p)
{
    kvs_assert(p->state != CORE_PEER_SNAPSHOT);
    core_peer_probe(p, p->next);
    p->state = CORE_PEER_SNAPSHOT;
    p->wants_snapshot = true;
}

int core_snapshot_msg(
    const struct core *c, uint64_t to, uint64_t index, uint64_t term, struct core_msg *ret_msg)
{
    kvs_assert(index <= c->applied && term <= c->term);
    if (c->role != CORE_LEADER) {
        return KVS_E_NOT_LEADER;
    }
    *ret_msg = (struct core_msg){
        .type = CORE_MSG_SNAPSHOT,
        .from = c->config.id,
        .to = to,
        .term = c->term,
        .index = index,
        .log_term = term,
    };
    return 0;
}

void core_snapshot_sent(struct core *c, uint64_t peer, bool ok, uint64_t index)
{
    struct core_peer *p = core_peer_get(c, peer);

    if (c->role != CORE_LEADER || p == NULL || p->state != CORE_PEER_SNAPSHOT) {
        return;
    }
    kvs_assert(!ok || index <= c->applied);
    core_peer_probe(p, (ok && index > p->match ? index : p->match) + 1);
    p->installed = ok ? index : 0;
    p->paused = true; /* until it answers a heartbeat, so that failures do not spin */
}

/* --- receiving -------------------------------------------------------------------------------- */

void core_acknowledge(struct core *c, uint64_t index)
{
    struct core_msg m = {.type = CORE_MSG_APPEND_REPLY, .to = c->leader, .index = index};

    if (c->leader != CORE_NONE && c->role == CORE_FOLLOWER) {
        core_send(c, m, core_seq_of(c, index));
    }
}

void core_on_snapshot(struct core *c, const struct core_msg *m)
{
    kvs_assert(c->role == CORE_FOLLOWER && c->leader == m->from);
    if (c->offered) {
        return; /* The owner has one under way; the sender will come again if it fails. */
    }
    if (core_log_matches(&c->log, m->index, m->log_term)) {
        core_commit_to(c, m->index); /* A snapshot is of what is committed. */
    }
    if (m->index <= c->commit) {
        core_acknowledge(c, c->commit);
        return;
    }
    c->offered = true;
    c->offer_new = true;
    c->offer_from = m->from;
    c->offer_index = m->index;
    c->offer_term = m->log_term;
}

void core_snapshot_failed(struct core *c)
{
    c->offered = false;
    c->offer_new = false;
    c->installing = false;
}

int core_snapshot_begin(struct core *c, const struct core_snapshot *snapshot)
{
    kvs_assert(!c->installing);
    if (!c->offered || c->role != CORE_FOLLOWER || snapshot->index <= c->commit ||
        snapshot->index != c->offer_index || snapshot->term != c->offer_term) {
        core_snapshot_failed(c);
        return KVS_E_AGAIN;
    }
    c->installing = true;
    return 0;
}

static void replace_log(struct core *c, const struct core_snapshot *snapshot)
{
    core_persist_cut(c, snapshot->index + 1);
    core_log_reset(&c->log, snapshot);
    c->persisted = snapshot->index;
    c->unsaved_from = snapshot->index + 1;
    c->reset_dirty = true;
    c->reset_index = snapshot->index;
    c->reset_term = snapshot->term;
    c->conf_changed = true;
}

int core_snapshot_installed(struct core *c, const struct core_snapshot *snapshot)
{
    /* What was applied decides: the log may know of a later configuration than the snapshot. */
    const struct core_conf_mark *before = core_log_mark_at(&c->log, c->applied);
    bool was_member = before != NULL && core_conf_is_member(&before->conf, c->config.id);
    bool replaced = !core_log_matches(&c->log, snapshot->index, snapshot->term);
    int rc = core_event_begin(c);

    kvs_assert(c->installing && snapshot->index > c->applied);
    if (rc != 0) {
        return rc;
    }
    if (replaced) {
        replace_log(c, snapshot);
        rc = core_peers_sync(c);
    }
    core_snapshot_failed(c); /* the offer is over */
    if (c->persisted < snapshot->index) {
        c->persisted = snapshot->index; /* The state machine stands for them. */
    }
    core_commit_to(c, snapshot->index);
    c->applied = snapshot->index;
    c->apply_given = snapshot->index;
    if (was_member && !core_conf_is_member(&snapshot->conf, c->config.id)) {
        c->removed = true;
    }
    return rc != 0 ? rc : core_engine_installed(c, snapshot, replaced);
}
