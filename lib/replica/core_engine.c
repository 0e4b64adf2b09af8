/* Our own engine: dispatch of messages, and what the files around it ask of an engine.
 *
 *   core_engine.c     this one
 *   core_election.c   terms, votes, timeouts
 *   core_append.c     receiving entries
 *   core_replicate.c  sending entries, commit
 *   core_handover.c   leadership goes to another server */
#include "replica/core_int.h"

int core_engine_start(struct core *c, const struct core_snapshot *snapshot)
{
    (void)snapshot;
    core_timer_reset(c);
    return 0;
}

void core_engine_stop(struct core *c)
{
    (void)c;
}

void core_engine_check(const struct core *c)
{
    (void)c;
}

void core_engine_compacted(struct core *c)
{
    (void)c;
}

int core_engine_tick(struct core *c)
{
    return c->role == CORE_LEADER ? core_leader_tick(c) : core_election_tick(c);
}

int core_engine_campaign(struct core *c)
{
    return core_campaign_start(c, false);
}

int core_engine_persisted(struct core *c)
{
    int rc = core_election_persisted(c);

    return rc == 0 && c->role == CORE_LEADER ? core_advance_commit(c) : rc;
}

int core_engine_collect(struct core *c)
{
    int rc;

    if (c->role != CORE_LEADER) {
        return 0;
    }
    core_reads_start(c);
    rc = core_replicate(c);
    core_maybe_retire(c);
    return rc;
}

int core_engine_installed(struct core *c, const struct core_snapshot *snapshot, bool replaced)
{
    (void)replaced;
    core_acknowledge(c, snapshot->index);
    return 0;
}

/* Any set of voters may follow any other, the leader's own removal included. */
int core_engine_admit(struct core *c, struct core_conf *conf)
{
    (void)c;
    (void)conf;
    return 0;
}

int core_engine_defer(struct core *c,
                      const struct core_conf *conf,
                      struct core_request request,
                      bool *ret_deferred)
{
    (void)c;
    (void)conf;
    (void)request;
    *ret_deferred = false;
    return 0;
}

/* --- messages --------------------------------------------------------------------------------- */

static bool from_leader(enum core_msg_type type)
{
    return type == CORE_MSG_APPEND || type == CORE_MSG_HEARTBEAT || type == CORE_MSG_SNAPSHOT;
}

static bool is_vote_request(enum core_msg_type type)
{
    return type == CORE_MSG_PREVOTE || type == CORE_MSG_VOTE;
}

/* Somebody lives in the past: tell it our term. Else a server that has once raised its term, and
 * now refuses its leader, would stay alone for ever. */
static int answer_old_term(struct core *c, const struct core_msg *m)
{
    struct core_msg reply = {
        .type = CORE_MSG_APPEND_REPLY,
        .to = m->from,
        .reject = true,
    };

    kvs_assert(m->term < c->term);
    if (is_vote_request(m->type)) {
        return core_on_vote_request(c, m);
    }
    if (from_leader(m->type)) {
        core_send(c, reply, 0);
    }
    return 0;
}

/* Moves to the term of `m` if that is newer and the message has the right to say so. Sets
 * `ret_ignore` if it has not. */
static void meet_term(struct core *c, const struct core_msg *m, bool *ret_ignore)
{
    *ret_ignore = false;
    if (m->term <= c->term) {
        return;
    }
    if (is_vote_request(m->type) && !m->transfer && core_in_lease(c)) {
        *ret_ignore = true;
        return;
    }
    if (m->type == CORE_MSG_PREVOTE || (m->type == CORE_MSG_PREVOTE_REPLY && !m->reject)) {
        return; /* a term that nobody has entered yet */
    }
    core_become_follower(c, m->term, from_leader(m->type) ? m->from : CORE_NONE);
}

/* A message from the leader of this term. Two leaders in one term cannot be. */
static int meet_leader(struct core *c, const struct core_msg *m)
{
    kvs_assert(m->term == c->term);
    if (c->role == CORE_LEADER || (c->leader != CORE_NONE && c->leader != m->from)) {
        return KVS_E_MALFORMED;
    }
    if (c->role != CORE_FOLLOWER) {
        core_become_follower(c, c->term, m->from);
    }
    c->leader = m->from;
    c->election_elapsed = 0;
    return 0;
}

static int dispatch(struct core *c, const struct core_msg *m)
{
    int rc = from_leader(m->type) ? meet_leader(c, m) : 0;

    if (rc != 0) {
        return rc;
    }
    switch (m->type) {
    case CORE_MSG_PREVOTE:
    case CORE_MSG_VOTE:
        return core_on_vote_request(c, m);
    case CORE_MSG_PREVOTE_REPLY:
    case CORE_MSG_VOTE_REPLY:
        return core_on_vote_reply(c, m);
    case CORE_MSG_APPEND:
        return core_on_append(c, m);
    case CORE_MSG_APPEND_REPLY:
        return core_on_append_reply(c, m);
    case CORE_MSG_HEARTBEAT:
        core_on_heartbeat(c, m);
        return 0;
    case CORE_MSG_HEARTBEAT_REPLY:
        return core_on_heartbeat_reply(c, m);
    case CORE_MSG_SNAPSHOT:
        core_on_snapshot(c, m);
        return 0;
    case CORE_MSG_TIMEOUT_NOW:
        return core_on_timeout_now(c, m);
    case CORE_MSG_FORWARD_PROPOSE:
    case CORE_MSG_PROPOSE_DROPPED:
    case CORE_MSG_READ_INDEX:
    case CORE_MSG_READ_INDEX_REPLY:
    case CORE_MSG_TRANSFER:
    case CORE_MSG_TYPE_COUNT:
        break;
    }
    return core_step_request(c, m);
}

int core_engine_step(struct core *c, const struct core_msg *m)
{
    bool ignore;

    if (m->term < c->term) {
        return answer_old_term(c, m);
    }
    meet_term(c, m, &ignore);
    return ignore ? 0 : dispatch(c, m);
}

void core_unreachable(struct core *c, uint64_t peer)
{
    struct core_peer *p = core_peer_get(c, peer);

    if (c->role == CORE_LEADER && p != NULL && p->state == CORE_PEER_REPLICATE) {
        core_peer_probe(p, p->match + 1);
    }
}
