/* Terms, votes and timeouts.
 *
 *              timeout, or TIMEOUT_NOW (skips pre-vote)
 *   FOLLOWER ------------> PRE_CANDIDATE --majority--> CANDIDATE --majority--> LEADER
 *      ^                        |  ^                      |                      |
 *      |                        |  '------- timeout ------'                      |
 *      '-- higher term, leader of this term, majority refuses, no quorum --------'
 *
 * Invariants: a vote, also the own one, counts only when it is on disk; a candidate whose time is
 * over starts again at pre-vote; a server votes whatever its own configuration says about the
 * candidate or itself, since a configuration in force may not have reached it. */
#include "replica/core_int.h"

void core_timer_reset(struct core *c)
{
    uint32_t base = c->config.election_ticks;

    kvs_assert(base > 0);
    c->election_elapsed = 0;
    c->heartbeat_elapsed = 0;
    c->timeout_ticks = base + (uint32_t)rng_below(&c->rng, base);
}

static void set_term(struct core *c, uint64_t term, uint64_t vote)
{
    kvs_assert(term > c->term);
    core_outs_drop_held(c);
    c->term = term;
    c->vote = vote;
    core_hard_changed(c);
}

static void leave_leadership(struct core *c)
{
    if (c->role != CORE_LEADER) {
        return;
    }
    core_reads_fail(c);
    c->transfer_to = CORE_NONE;
    c->uncommitted_bytes = 0;
    core_peers_forget_leaving(c, 0);
}

void core_become_follower(struct core *c, uint64_t term, uint64_t leader)
{
    kvs_assert(term >= c->term);
    kvs_assert(leader != c->config.id);
    leave_leadership(c);
    if (term > c->term) {
        set_term(c, term, CORE_NONE);
    }
    c->role = CORE_FOLLOWER;
    c->leader = leader;
    core_timer_reset(c);
}

/* While a leader was heard within the shortest election timeout no other is helped to the office:
 * a server that was cut off or removed cannot disturb. */
bool core_in_lease(const struct core *c)
{
    if (!c->config.check_quorum || c->leader == CORE_NONE) {
        return false;
    }
    return c->role == CORE_LEADER || c->election_elapsed < c->config.election_ticks;
}

/* A voter of the configuration in force; also of one that an uncommitted entry replaces: if the
 * leader that appended it is gone, this server may be the only one whose log the new voters need
 * (dissertation 4.2.2). It does not count itself then, and retires when the entry is committed. */
static bool may_campaign(const struct core *c)
{
    if (c->role == CORE_LEADER || c->installing) {
        return false;
    }
    for (size_t i = c->log.n_marks; i > 0; i--) {
        const struct core_conf_mark *mark = &c->log.marks[i - 1];

        if (core_conf_is_voter(&mark->conf, c->config.id)) {
            return true;
        }
        if (mark->index <= c->commit) {
            break;
        }
    }
    return false;
}

/* --- counting votes --------------------------------------------------------------------------- */

static uint64_t vote_granted(const struct core *c, const struct core_peer *p)
{
    (void)c;
    return p->vote == CORE_VOTE_GRANTED;
}

static uint64_t vote_possible(const struct core *c, const struct core_peer *p)
{
    (void)c;
    return p->vote != CORE_VOTE_REFUSED;
}

static int become_leader(struct core *c)
{
    struct core_entry noop = {.term = c->term, .type = CORE_ENTRY_NOOP};
    uint64_t last = core_last(c);
    int rc = core_log_reserve(&c->log, 1, 0);

    kvs_assert(c->role == CORE_CANDIDATE);
    kvs_assert(c->hard_seq <= c->persisted_seq || core_mutated(MUTANT_SELF_VOTE_BEFORE_PERSIST));
    if (rc != 0) {
        return rc;
    }
    c->role = CORE_LEADER;
    c->leader = c->config.id;
    c->transfer_to = CORE_NONE;
    core_timer_reset(c);
    for (size_t i = 0; i < c->n_peers; i++) {
        core_peer_reset(&c->peers[i], last + 1);
    }
    c->uncommitted_bytes = 0;
    for (uint64_t i = c->commit + 1; i <= last; i++) {
        c->uncommitted_bytes += core_log_at(&c->log, i)->data.len;
    }
    c->term_start = last + 1;
    rc = core_leader_push(c, &noop, NULL);
    return rc != 0 ? rc : core_advance_commit(c);
}

static int become_candidate(struct core *c, bool transfer);

static int tally(struct core *c)
{
    if (core_quorum(c, vote_granted) != 0) {
        return c->role == CORE_PRE_CANDIDATE ? become_candidate(c, false) : become_leader(c);
    }
    if (core_quorum(c, vote_possible) == 0) {
        core_become_follower(c, c->term, CORE_NONE);
    }
    return 0;
}

static void ask_for_votes(struct core *c, enum core_msg_type type, uint64_t term, bool transfer)
{
    struct core_msg m = {
        .type = type,
        .term = term,
        .index = core_last(c),
        .log_term = core_log_last_term(&c->log),
        .transfer = transfer,
    };

    for (size_t i = 0; i < c->n_peers; i++) {
        c->peers[i].vote = CORE_VOTE_OPEN;
        if (c->peers[i].id != c->config.id &&
            core_conf_is_voter(core_conf_now(c), c->peers[i].id)) {
            m.to = c->peers[i].id;
            core_send(c, m, 0);
        }
    }
}

static int vote_for_self(struct core *c)
{
    struct core_peer *self = core_peer_get(c, c->config.id);

    if (self == NULL) {
        return 0; /* no member any more: only the others count */
    }
    self->vote = CORE_VOTE_GRANTED;
    return tally(c);
}

static int become_candidate(struct core *c, bool transfer)
{
    kvs_assert(may_campaign(c));
    c->role = CORE_CANDIDATE;
    c->leader = CORE_NONE;
    core_timer_reset(c);
    if (core_mutated(MUTANT_CANDIDATE_REUSES_TERM) && c->term > 0 && c->vote == CORE_NONE) {
        c->vote = c->config.id;
        core_hard_changed(c);
    } else {
        set_term(c, c->term + 1, c->config.id);
    }
    ask_for_votes(c, CORE_MSG_VOTE, c->term, transfer);
    /* The own vote waits for the disk: core_election_persisted(). */
    return core_mutated(MUTANT_SELF_VOTE_BEFORE_PERSIST) ? vote_for_self(c) : 0;
}

static int become_pre_candidate(struct core *c)
{
    kvs_assert(may_campaign(c));
    c->role = CORE_PRE_CANDIDATE;
    c->leader = CORE_NONE;
    core_timer_reset(c);
    ask_for_votes(c, CORE_MSG_PREVOTE, c->term + 1, false);
    return vote_for_self(c); /* A pre-vote promises nothing, so it needs no disk. */
}

int core_campaign_start(struct core *c, bool transfer)
{
    if (!may_campaign(c)) {
        return 0;
    }
    return c->config.pre_vote && !transfer ? become_pre_candidate(c)
                                           : become_candidate(c, transfer);
}

int core_election_persisted(struct core *c)
{
    struct core_peer *self = core_peer_get(c, c->config.id);

    if (c->role != CORE_CANDIDATE || c->hard_seq > c->persisted_seq || self == NULL ||
        self->vote != CORE_VOTE_OPEN) {
        return 0;
    }
    kvs_assert(c->vote == c->config.id);
    return vote_for_self(c);
}

int core_election_tick(struct core *c)
{
    kvs_assert(c->role != CORE_LEADER);
    if (++c->election_elapsed < c->timeout_ticks) {
        return 0;
    }
    core_timer_reset(c);
    if (!may_campaign(c)) {
        c->leader = CORE_NONE; /* Not heard for a whole timeout: do not forward to it. */
        return 0;
    }
    return core_campaign_start(c, false);
}

/* --- requests --------------------------------------------------------------------------------- */

static bool candidate_is_up_to_date(const struct core *c, const struct core_msg *m)
{
    uint64_t term = core_log_last_term(&c->log);

    return core_mutated(MUTANT_VOTE_IGNORES_LOG) || m->log_term > term ||
           (m->log_term == term && m->index >= core_last(c));
}

static void reply_vote(struct core *c, const struct core_msg *m, bool grant)
{
    bool pre = m->type == CORE_MSG_PREVOTE;
    struct core_msg reply = {
        .type = pre ? CORE_MSG_PREVOTE_REPLY : CORE_MSG_VOTE_REPLY,
        .to = m->from,
        /* A refusal carries our term, so that the best log with too low a term learns it. */
        .term = pre && grant ? m->term : c->term,
        .reject = !grant,
    };

    core_send(c, reply, 0); /* The term and vote have to be durable, nothing else. */
}

int core_on_vote_request(struct core *c, const struct core_msg *m)
{
    bool pre = m->type == CORE_MSG_PREVOTE;
    bool free_to_vote;

    kvs_assert(pre || m->term <= c->term);
    if (m->term < c->term || (pre && m->term == c->term)) {
        reply_vote(c, m, false);
        return 0;
    }
    free_to_vote = pre || c->vote == m->from || (c->vote == CORE_NONE && c->leader == CORE_NONE) ||
                   core_mutated(MUTANT_VOTE_TWICE);
    if (!free_to_vote || !candidate_is_up_to_date(c, m)) {
        reply_vote(c, m, false);
        return 0;
    }
    if (!pre) {
        if (c->vote != m->from) {
            c->vote = m->from;
            core_hard_changed(c);
        }
        c->election_elapsed = 0;
    }
    reply_vote(c, m, true);
    return 0;
}

int core_on_vote_reply(struct core *c, const struct core_msg *m)
{
    bool pre = m->type == CORE_MSG_PREVOTE_REPLY;
    struct core_peer *p = core_peer_get(c, m->from);

    if (p == NULL || c->role != (pre ? CORE_PRE_CANDIDATE : CORE_CANDIDATE)) {
        return 0;
    }
    if (m->term != (pre && !m->reject ? c->term + 1 : c->term)) {
        return 0; /* to an earlier question */
    }
    if (p->id == c->config.id || p->vote == CORE_VOTE_GRANTED) {
        return 0;
    }
    p->vote = m->reject ? CORE_VOTE_REFUSED : CORE_VOTE_GRANTED;
    return tally(c);
}
