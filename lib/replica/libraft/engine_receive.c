/* Messages of peers become events of libraft, in the form in which it takes them safely; those of
 * the leader in engine_append.c. */
#include "replica/libraft/engine_int.h"

#include <inttypes.h>
#include <stdio.h>

int engine_feed(struct core *c,
                uint64_t from,
                struct raft_message *m,
                const struct engine_entries *entries)
{
    struct raft_event e = {.type = RAFT_RECEIVE};
    char address[24];

    (void)snprintf(address, sizeof address, "%" PRIu64, from);
    m->server_id = from;
    m->server_address = address;
    e.receive.message = m;
    return engine_event(c, &e, entries);
}

/* --- elections -------------------------------------------------------------------------------- */

static int on_vote_request(struct core *c, const struct core_msg *m)
{
    struct core_engine *g = c->engine;
    struct raft_message r = {.type = RAFT_REQUEST_VOTE};
    int rc;

    r.request_vote = (struct raft_request_vote){
        .version = ENGINE_MSG_VERSION,
        .term = m->term,
        .candidate_id = m->from,
        .last_log_index = m->index,
        .last_log_term = m->log_term,
        .disrupt_leader = m->transfer,
        .pre_vote = m->type == CORE_MSG_PREVOTE,
    };
    g->lends_vote = !core_set_has(&core_conf_now(c)->voters, c->config.id);
    rc = engine_feed(c, m->from, &r, NULL);
    g->lends_vote = false;
    return rc;
}

static int on_vote_reply(struct core *c, const struct core_msg *m)
{
    struct raft_message r = {.type = RAFT_REQUEST_VOTE_RESULT};
    bool pre = m->type == CORE_MSG_PREVOTE_REPLY;

    if (!m->reject && m->term != c->term + pre) {
        return 0; /* to an earlier question; libraft would count it */
    }
    r.request_vote_result = (struct raft_request_vote_result){
        .version = ENGINE_MSG_VERSION,
        .term = m->term,
        .vote_granted = !m->reject,
        .pre_vote = pre,
    };
    return engine_feed(c, m->from, &r, NULL);
}

static int on_timeout_now(struct core *c, const struct core_msg *m)
{
    struct raft_message r = {.type = RAFT_TIMEOUT_NOW};

    if (c->installing || engine_conf_is_sole(core_conf_now(c), c->config.id)) {
        return 0; /* libraft would lead in a term that it may have used [4]. */
    }
    r.timeout_now = (struct raft_timeout_now){
        .term = m->term,
        .last_log_index = core_last(c),
        .last_log_term = core_log_last_term(&c->log),
    };
    return engine_feed(c, m->from, &r, NULL);
}

/* --- from followers --------------------------------------------------------------------------- */

/* libraft has forgotten it. */
static int on_leaving_reply(struct core_peer *p, const struct core_msg *m)
{
    uint64_t hint = m->hint_index < m->index ? m->hint_index : m->index - 1;

    if (!m->reject && m->index > p->match) {
        p->match = m->index;
        p->next = p->next > p->match ? p->next : p->match + 1;
    } else if (m->reject && m->index > p->match) {
        p->next = (hint > p->match ? hint : p->match) + 1;
    }
    return 0;
}

static uint64_t hint_of(const struct core *c, const struct core_peer *p, const struct core_msg *m)
{
    uint64_t hint = m->hint_index < m->index ? m->hint_index : m->index - 1;

    if (hint > c->log.base_index) {
        hint = core_log_agreeable(&c->log, hint, m->hint_term);
    }
    return hint > p->match ? hint : p->match;
}

static int on_append_reply(struct core *c, const struct core_msg *m)
{
    struct raft_message r = {.type = RAFT_APPEND_ENTRIES_RESULT};
    struct core_peer *p = core_peer_get(c, m->from);
    bool stale;

    if (p == NULL || c->role != CORE_LEADER || p->id == c->config.id) {
        return 0;
    }
    if (m->term == c->term && m->index > core_last(c)) {
        return KVS_E_MALFORMED;
    }
    p->active = true;
    if (p->leaving && m->term == c->term) {
        return on_leaving_reply(p, m);
    }
    /* A rejection from before the logs agreed would push `next` below `match` [12]. */
    stale = m->reject && m->index <= p->match;
    r.append_entries_result = (struct raft_append_entries_result){
        .version = ENGINE_MSG_VERSION,
        .term = m->term,
        .rejected = m->reject && !stale ? m->index : 0,
        .last_log_index = stale ? p->match : m->index,
    };
    if (m->reject && !stale) {
        r.append_entries_result.last_log_index = hint_of(c, p, m);
        if (p->state == CORE_PEER_REPLICATE) {
            core_peer_probe(p, p->match + 1);
        }
    }
    return engine_feed(c, m->from, &r, NULL);
}

/* What the owner says of a snapshot is as good as the follower's own word, which may come later
 * than libraft's next wish to send one. It is committed, so that nothing is counted by it. */
int engine_snapshots_installed(struct core *c)
{
    int rc = 0;

    for (size_t i = 0; i < c->n_peers && rc == 0 && c->role == CORE_LEADER; i++) {
        struct core_peer *p = &c->peers[i];
        struct raft_message r = {.type = RAFT_APPEND_ENTRIES_RESULT};
        uint64_t index = p->installed;

        p->installed = 0;
        if (index <= p->match || p->leaving) {
            continue;
        }
        kvs_assert(index <= c->commit);
        r.append_entries_result = (struct raft_append_entries_result){
            .version = ENGINE_MSG_VERSION, .term = c->term, .last_log_index = index};
        rc = engine_feed(c, p->id, &r, NULL);
    }
    return rc;
}

static int on_heartbeat_reply(struct core *c, const struct core_msg *m)
{
    struct core_peer *p = core_peer_get(c, m->from);

    if (p == NULL || c->role != CORE_LEADER || p->id == c->config.id || m->term != c->term) {
        return 0;
    }
    if (m->context > c->round) {
        return KVS_E_MALFORMED;
    }
    p->active = true;
    if (m->context > p->round) {
        p->round = m->context;
        core_reads_confirm(c);
    }
    return 0;
}

int core_engine_step(struct core *c, const struct core_msg *m)
{
    switch (m->type) {
    case CORE_MSG_APPEND:
    case CORE_MSG_HEARTBEAT:
    case CORE_MSG_SNAPSHOT:
        return engine_from_leader(c, m);
    case CORE_MSG_PREVOTE:
    case CORE_MSG_VOTE:
        return on_vote_request(c, m);
    case CORE_MSG_PREVOTE_REPLY:
    case CORE_MSG_VOTE_REPLY:
        return on_vote_reply(c, m);
    case CORE_MSG_APPEND_REPLY:
        return m->term < c->term ? 0 : on_append_reply(c, m);
    case CORE_MSG_HEARTBEAT_REPLY:
        return on_heartbeat_reply(c, m);
    case CORE_MSG_TIMEOUT_NOW:
        return m->term < c->term ? 0 : on_timeout_now(c, m);
    case CORE_MSG_FORWARD_PROPOSE:
    case CORE_MSG_PROPOSE_DROPPED:
    case CORE_MSG_READ_INDEX:
    case CORE_MSG_READ_INDEX_REPLY:
    case CORE_MSG_TRANSFER:
    case CORE_MSG_TYPE_COUNT:
        break;
    }
    return m->term < c->term ? 0 : core_step_request(c, m);
}
