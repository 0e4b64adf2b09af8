/* Receiving entries and commit indexes from the leader of the term.
 *
 * Invariants: nothing at or below the commit index is ever removed; the commit index never goes
 * back and never passes what is known to match the leader's log; an acknowledgement leaves when the
 * entries it names are on disk. */
#include "replica/core_int.h"

static void reject_append(struct core *c, const struct core_msg *m)
{
    uint64_t last = core_last(c);
    uint64_t from = m->index < last ? m->index : last;
    struct core_msg reply = {
        .type = CORE_MSG_APPEND_REPLY,
        .to = m->from,
        .index = m->index,
        .reject = true,
    };
    bool known;

    /* Skip all entries of terms that the leader's log cannot have here: a round per term. */
    reply.hint_index = core_log_agreeable(&c->log, from, m->log_term);
    known = core_log_term(&c->log, reply.hint_index, &reply.hint_term);
    kvs_assert(known);
    core_send(c, reply, 0);
}

/* The log matches at `prev`; makes it match through entries[n - 1]. */
static int merge_entries(struct core *c, uint64_t prev, const struct core_entry *entries, size_t n)
{
    size_t same = 0;
    int rc = 0;

    while (same < n && core_log_matches(&c->log, prev + 1 + same, entries[same].term)) {
        same++;
    }
    if (core_mutated(MUTANT_TRUNCATE_ALWAYS) && prev + n < core_last(c)) {
        same = n;
        rc = core_entries_cut(c, prev + n + 1);
    }
    if (same == n) {
        return rc; /* Perhaps an old message: what follows stays. */
    }
    if (prev + 1 + same <= core_last(c)) {
        rc = core_entries_cut(c, prev + 1 + same);
    }
    return rc == 0 ? core_entries_append(c, entries + same, n - same) : rc;
}

int core_on_append(struct core *c, const struct core_msg *m)
{
    const struct core_entry *entries = m->entries;
    uint64_t prev = m->index;
    size_t n = m->n_entries;
    uint64_t match;
    uint64_t term;
    int rc;

    kvs_assert(c->role == CORE_FOLLOWER && c->leader == m->from);
    if (c->installing) {
        return 0; /* The log is about to be replaced. The leader will ask again. */
    }
    if (prev > core_last(c) ||
        (prev > c->commit && !core_log_matches(&c->log, prev, m->log_term))) {
        reject_append(c, m);
        return 0;
    }
    if (prev < c->commit && !core_mutated(MUTANT_TRUNCATE_ALWAYS)) {
        /* What is committed is the same everywhere, and part of it may be gone from memory. */
        size_t skip = c->commit - prev < n ? (size_t)(c->commit - prev) : n;

        entries += skip;
        prev += skip;
        n -= skip;
    }
    if (n > 0 && core_log_term(&c->log, prev, &term) && entries[0].term < term) {
        return KVS_E_MALFORMED; /* It would contradict what is committed. */
    }
    rc = n > 0 ? merge_entries(c, prev, entries, n) : 0;
    if (rc != 0) {
        return rc;
    }
    match = prev + n;
    core_commit_to(c, m->commit < match ? m->commit : match);
    if (core_mutated(MUTANT_FOLLOWER_COMMITS_UNMATCHED)) {
        core_commit_to(c, m->commit < core_last(c) ? m->commit : core_last(c));
    }
    if (!m->quiet) {
        struct core_msg reply = {.type = CORE_MSG_APPEND_REPLY, .to = m->from, .index = match};

        core_send(c, reply, core_seq_of(c, match));
    }
    return 0;
}

void core_on_heartbeat(struct core *c, const struct core_msg *m)
{
    struct core_msg reply = {
        .type = CORE_MSG_HEARTBEAT_REPLY,
        .to = m->from,
        .context = m->context,
    };

    kvs_assert(c->role == CORE_FOLLOWER && c->leader == m->from);
    /* The leader sends at most what we acknowledged; more means that this disk has lost entries. */
    if (!c->installing && m->commit <= core_last(c)) {
        core_commit_to(c, m->commit);
    }
    core_send(c, reply, 0);
}
