/* Messages of peers become events of libraft, in the form in which it takes them safely. */
#include "replica/libraft/engine_int.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"

enum {
    MSG_VERSION = 2, /* of libraft's messages: with pre-vote in its answers */
};

static int
feed(struct core *c, uint64_t from, struct raft_message *m, const struct engine_entries *entries)
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
        .version = MSG_VERSION,
        .term = m->term,
        .candidate_id = m->from,
        .last_log_index = m->index,
        .last_log_term = m->log_term,
        .disrupt_leader = m->transfer,
        .pre_vote = m->type == CORE_MSG_PREVOTE,
    };
    g->lends_vote = !core_set_has(&core_conf_now(c)->voters, c->config.id);
    rc = feed(c, m->from, &r, NULL);
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
        .version = MSG_VERSION,
        .term = m->term,
        .vote_granted = !m->reject,
        .pre_vote = pre,
    };
    return feed(c, m->from, &r, NULL);
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
    return feed(c, m->from, &r, NULL);
}

/* --- from the leader -------------------------------------------------------------------------- */

static int answer_old_term(struct core *c, const struct core_msg *m)
{
    struct core_msg reply = {.type = CORE_MSG_APPEND_REPLY, .to = m->from, .reject = true};

    core_send(c, reply, 0); /* libraft would put an unset index into it [5]. */
    return 0;
}

static int feed_append(struct core *c,
                       const struct core_msg *m,
                       struct raft_append_entries append,
                       const struct engine_entries *entries)
{
    struct raft_message r = {.type = RAFT_APPEND_ENTRIES, .append_entries = append};
    int rc;

    r.append_entries.version = MSG_VERSION;
    r.append_entries.term = m->term;
    if (m->term == c->term) {
        c->engine->standing = false;
    }
    rc = feed(c, m->from, &r, entries);
    if (rc == 0 && c->role == CORE_FOLLOWER && m->term == c->term) {
        c->leader = m->from;
        c->election_elapsed = 0;
    }
    return rc;
}

/* Without entries, where the logs agree for sure. */
static int hear_leader(struct core *c, const struct core_msg *m)
{
    const struct raft_trail *trail = &c->engine->raft.trail;
    struct raft_append_entries append = {
        .prev_log_index = trail->snapshot.index,
        .prev_log_term = trail->snapshot.term,
    };
    int rc;

    c->engine->mute = true;
    rc = feed_append(c, m, append, NULL);
    c->engine->mute = false;
    return rc;
}

/* A change comes while libraft does not know yet that the one before it is committed. That it is
 * follows from the new one, if the logs agree up to here [2]. */
static int report_before(struct core *c, uint64_t prev, uint64_t prev_term)
{
    uint64_t pending = c->engine->raft.configuration_uncommitted_index;

    if (pending == 0 || pending > prev || !core_log_matches(&c->log, prev, prev_term)) {
        return 0;
    }
    return engine_report_conf(c);
}

static int make_entry(const struct core_entry *e, struct raft_entry *ret)
{
    struct core_conf conf;
    int rc;

    *ret = (struct raft_entry){.term = e->term, .type = RAFT_COMMAND};
    if (e->type != CORE_ENTRY_CONFIG) {
        return 0;
    }
    rc = core_conf_entry_decode(e->data, &conf, NULL);
    kvs_assert(rc == 0); /* core_entries_valid() */
    ret->type = RAFT_CHANGE;
    return engine_conf_encode(&conf, CORE_NONE, &ret->buf);
}

/* A configuration is the first of the entries or is not among them. */
static int feed_part(struct core *c,
                     const struct core_msg *m,
                     struct raft_append_entries append,
                     const struct core_entry *from)
{
    size_t n = append.n_entries;
    struct engine_entries entries = {
        .entries = kvs_calloc(n + 1, sizeof *entries.entries),
        .from = from,
    };
    int rc = entries.entries != NULL ? 0 : KVS_E_NOMEM;

    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = make_entry(&from[i], &entries.entries[i]);
        entries.entries[i].batch = &engine_batch;
    }
    if (rc == 0 && n > 0 && from[0].type == CORE_ENTRY_CONFIG) {
        rc = report_before(c, append.prev_log_index, append.prev_log_term);
    }
    if (rc == 0) {
        append.entries = entries.entries;
        rc = feed_append(c, m, append, &entries);
    }
    if (entries.entries != NULL && n > 0) {
        raft_free(entries.entries[0].buf.base);
    }
    kvs_free(entries.entries);
    return rc;
}

static int feed_parts(struct core *c,
                      const struct core_msg *m,
                      const struct core_entry *entries,
                      struct raft_append_entries append)
{
    size_t left = append.n_entries;
    int rc;

    do {
        size_t n = left > 0;

        while (n < left && entries[n].type != CORE_ENTRY_CONFIG) {
            n++;
        }
        append.n_entries = (unsigned)n;
        rc = feed_part(c, m, append, entries);
        if (n > 0) {
            append.prev_log_index += n;
            append.prev_log_term = entries[n - 1].term;
            entries += n;
            left -= n;
        }
    } while (left > 0 && rc == 0 &&
             core_log_matches(&c->log, append.prev_log_index, append.prev_log_term));
    return rc;
}

/* Nothing committed may be contradicted, and nobody may be joint: what no leader of this cluster
 * sends. */
static int check_append(const struct core *c, const struct core_msg *m)
{
    uint64_t term;

    if (m->index <= c->commit && core_log_term(&c->log, m->index, &term) && m->index > 0 &&
        term != m->log_term) {
        return KVS_E_MALFORMED;
    }
    for (size_t i = 0; i < m->n_entries; i++) {
        const struct core_entry *e = &m->entries[i];
        struct core_conf conf;

        if (m->index + 1 + i <= c->commit && core_log_term(&c->log, m->index + 1 + i, &term) &&
            term != e->term) {
            return KVS_E_MALFORMED;
        }
        if (e->type == CORE_ENTRY_CONFIG &&
            (core_conf_entry_decode(e->data, &conf, NULL) != 0 || core_conf_is_joint(&conf))) {
            return KVS_E_MALFORMED;
        }
    }
    return 0;
}

static int on_append(struct core *c, const struct core_msg *m)
{
    const struct raft_trail *trail = &c->engine->raft.trail;
    uint64_t base = trail->snapshot.index;
    const struct core_entry *entries = m->entries;
    struct raft_append_entries append = {
        .prev_log_index = m->index,
        .prev_log_term = m->log_term,
        .leader_commit = m->commit,
        .n_entries = (unsigned)m->n_entries,
    };
    int rc = check_append(c, m);

    if (rc != 0) {
        return rc;
    }
    if (c->installing) {
        return hear_leader(c, m); /* The log is about to be replaced. */
    }
    if (m->index < base) { /* libraft would append it in the wrong place [3]. */
        uint64_t skip = base - m->index < m->n_entries ? base - m->index : m->n_entries;

        entries += skip;
        append.n_entries -= (unsigned)skip;
        append.prev_log_index = base;
        append.prev_log_term = trail->snapshot.term;
    }
    c->engine->answering = m;
    rc = feed_parts(c, m, entries, append);
    c->engine->answering = NULL;
    return rc;
}

/* The rounds of reads are ours; libraft hears that the leader is there. */
static int on_heartbeat(struct core *c, const struct core_msg *m)
{
    struct core_msg reply = {
        .type = CORE_MSG_HEARTBEAT_REPLY, .to = m->from, .context = m->context};
    int rc = hear_leader(c, m);

    if (rc == 0 && m->term == c->term) {
        core_send(c, reply, 0);
    }
    return rc;
}

/* libraft would drop its log at once. It hears of the snapshot when that is installed. */
static int on_snapshot(struct core *c, const struct core_msg *m)
{
    int rc = hear_leader(c, m);

    if (rc != 0 || c->role != CORE_FOLLOWER || c->leader != m->from) {
        return rc;
    }
    core_on_snapshot(c, m);
    return engine_settle(c);
}

static int from_leader(struct core *c, const struct core_msg *m)
{
    if (m->term < c->term) {
        return answer_old_term(c, m);
    }
    if (m->term == c->term &&
        (c->role == CORE_LEADER || (c->leader != CORE_NONE && c->leader != m->from))) {
        return KVS_E_MALFORMED; /* two leaders in one term */
    }
    if (m->type == CORE_MSG_APPEND) {
        return on_append(c, m);
    }
    return m->type == CORE_MSG_HEARTBEAT ? on_heartbeat(c, m) : on_snapshot(c, m);
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
        .version = MSG_VERSION,
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
    return feed(c, m->from, &r, NULL);
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
            .version = MSG_VERSION, .term = c->term, .last_log_index = index};
        rc = feed(c, p->id, &r, NULL);
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
        return from_leader(c, m);
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
