/* Messages of the leader become APPEND_ENTRIES of libraft.
 *
 * libraft sees a configuration only as the first of some entries [1], the one before it reported
 * [2], nothing from before its own snapshot [3], nothing of an old term [5], and of a snapshot only
 * the end [11]. */
#include "replica/libraft/engine_int.h"

#include "base/alloc.h"

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

    r.append_entries.version = ENGINE_MSG_VERSION;
    r.append_entries.term = m->term;
    if (m->term == c->term) {
        c->engine->standing = false;
    }
    rc = engine_feed(c, m->from, &r, entries);
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

int engine_from_leader(struct core *c, const struct core_msg *m)
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
