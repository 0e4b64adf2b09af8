/* The leader's side: sending entries, counting acknowledgements.
 *
 * Invariants: only entries of the leader's own term are committed by counting (dissertation 3.6.2);
 * the leader's own disk is one acknowledgement like any other; a window bounds what is unanswered.
 */
#include "replica/core_int.h"

enum {
    ENTRY_OVERHEAD_BYTES = 24, /* counted per entry besides its data */
};

static uint64_t entry_bytes(const struct core_entry *e)
{
    return e->data.len + ENTRY_OVERHEAD_BYTES;
}

int core_leader_push(struct core *c, const struct core_entry *e, const struct core_conf *conf)
{
    kvs_assert(c->role == CORE_LEADER);
    kvs_assert(e->term == c->term);
    core_log_push(&c->log, e, conf);
    c->uncommitted_bytes += e->data.len;
    return 0;
}

/* --- commit ----------------------------------------------------------------------------------- */

static uint64_t peer_match(const struct core *c, const struct core_peer *p)
{
    if (p->id == c->config.id) {
        return core_mutated(MUTANT_OWN_DISK_COUNTS_EARLY) ? core_last(c) : c->persisted;
    }
    return p->match;
}

int core_advance_commit(struct core *c)
{
    uint64_t reached = core_quorum(c, peer_match);

    kvs_assert(c->role == CORE_LEADER);
    kvs_assert(reached <= core_last(c));
    if (reached <= c->commit ||
        (reached < c->term_start && !core_mutated(MUTANT_COMMIT_OLD_TERM))) {
        return 0;
    }
    core_leader_commit(c, reached);
    return core_maybe_leave_joint(c);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* How many entries from `p->next` fit into one message. */
static size_t batch_size(const struct core *c, const struct core_peer *p, uint64_t *ret_bytes)
{
    uint64_t bytes = 0;
    size_t n = 0;

    while (p->next + n <= core_last(c) && n < c->config.max_append_entries) {
        uint64_t more = entry_bytes(core_log_at(&c->log, p->next + n));

        if (n > 0 && bytes + more > c->config.max_append_bytes) {
            break;
        }
        bytes += more;
        n++;
    }
    *ret_bytes = bytes;
    return n;
}

static int reserve_append(struct core *c, size_t n)
{
    void *ready = c->ready;
    void *scratch = c->scratch;
    int rc = core_grow(&ready, &c->ready_capacity, sizeof *c->ready, c->n_ready + 1);

    c->ready = ready;
    if (rc == 0) {
        rc = core_grow(&scratch, &c->scratch_capacity, sizeof *c->scratch, c->n_scratch + n);
        c->scratch = scratch;
    }
    return rc;
}

/* Straight into the effects: a leader's term is on disk, so nothing holds it back. */
static int send_append(struct core *c, struct core_peer *p, size_t n, bool quiet)
{
    struct core_msg m = {
        .type = CORE_MSG_APPEND,
        .from = c->config.id,
        .to = p->id,
        .term = c->term,
        .index = p->next - 1,
        .commit = c->commit,
        .quiet = quiet,
        .n_entries = n,
    };
    int rc = reserve_append(c, n);
    bool known;

    if (rc != 0) {
        return rc;
    }
    known = core_log_term(&c->log, m.index, &m.log_term);
    kvs_assert(known);
    for (size_t i = 0; i < n; i++) {
        c->scratch[c->n_scratch++] = *core_log_at(&c->log, p->next + i);
    }
    c->ready[c->n_ready++] = m;
    p->sent_commit = c->commit;
    return 0;
}

static int probe_peer(struct core *c, struct core_peer *p)
{
    uint64_t bytes;
    int rc;

    if (p->paused) {
        return 0;
    }
    rc = send_append(c, p, batch_size(c, p, &bytes), false);
    p->paused = true;
    return rc;
}

static int stream_to_peer(struct core *c, struct core_peer *p)
{
    bool sent = false;
    int rc = 0;

    while (rc == 0 && p->next <= core_last(c) && !core_peer_full(c, p)) {
        uint64_t bytes;
        size_t n = batch_size(c, p, &bytes);

        rc = send_append(c, p, n, false);
        p->next += n;
        core_peer_flight_add(c, p, p->next - 1, bytes);
        sent = true;
    }
    if (rc == 0 && !sent && (p->nudge || p->sent_commit < c->commit)) {
        rc = send_append(c, p, 0, !p->nudge);
    }
    p->nudge = false;
    return rc;
}

static int replicate_to(struct core *c, struct core_peer *p)
{
    kvs_assert(p->next > p->match);
    if (p->state == CORE_PEER_SNAPSHOT) {
        return 0;
    }
    if (p->next <= c->log.base_index) {
        /* Unless it is not there, or only to hear that it is removed: a snapshot is expensive. */
        if (p->active && !p->paused && !p->leaving) {
            core_peer_need_snapshot(p);
        }
        return 0;
    }
    return p->state == CORE_PEER_PROBE ? probe_peer(c, p) : stream_to_peer(c, p);
}

int core_replicate(struct core *c)
{
    int rc = 0;

    kvs_assert(c->role == CORE_LEADER);
    kvs_assert(c->hard_seq <= c->persisted_seq || core_mutated(MUTANT_SELF_VOTE_BEFORE_PERSIST));
    for (size_t i = 0; i < c->n_peers && rc == 0; i++) {
        if (c->peers[i].id != c->config.id) {
            rc = replicate_to(c, &c->peers[i]);
        }
    }
    return rc;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void on_accept(struct core *c, struct core_peer *p, uint64_t index)
{
    if (index > p->match) {
        p->match = index;
    }
    core_peer_flight_ack(c, p, index);
    switch (p->state) {
    case CORE_PEER_PROBE:
        core_peer_replicate(p);
        break;
    case CORE_PEER_SNAPSHOT:
        if (p->match >= c->log.base_index) {
            core_peer_replicate(p);
        }
        break;
    case CORE_PEER_REPLICATE:
    case CORE_PEER_STATE_COUNT:
        break;
    }
    if (p->next <= p->match) {
        p->next = p->match + 1;
    }
}

static void on_reject(struct core *c, struct core_peer *p, const struct core_msg *m)
{
    uint64_t hint;

    if (p->state == CORE_PEER_SNAPSHOT || m->index <= p->match) {
        return; /* from before it agreed */
    }
    if (p->state == CORE_PEER_REPLICATE) {
        core_peer_probe(p, p->match + 1); /* An APPEND got lost; so far they are known to agree. */
        return;
    }
    if (p->next - 1 != m->index) {
        return; /* to an earlier question */
    }
    hint = m->hint_index < m->index ? m->hint_index : m->index - 1;
    if (hint > c->log.base_index) {
        hint = core_log_agreeable(&c->log, hint, m->hint_term);
    }
    core_peer_probe(p, (hint > p->match ? hint : p->match) + 1);
}

int core_on_append_reply(struct core *c, const struct core_msg *m)
{
    struct core_peer *p = core_peer_get(c, m->from);

    if (p == NULL || c->role != CORE_LEADER || p->id == c->config.id) {
        return 0;
    }
    if (m->index > core_last(c)) {
        return KVS_E_MALFORMED; /* A correct follower names only what this leader has sent. */
    }
    p->active = true;
    if (m->reject) {
        on_reject(c, p, m);
        return 0;
    }
    on_accept(c, p, m->index);
    core_transfer_progress(c, p);
    return core_advance_commit(c);
}

int core_on_heartbeat_reply(struct core *c, const struct core_msg *m)
{
    struct core_peer *p = core_peer_get(c, m->from);

    if (p == NULL || c->role != CORE_LEADER || p->id == c->config.id) {
        return 0;
    }
    if (m->context > c->round) {
        return KVS_E_MALFORMED;
    }
    p->active = true;
    p->paused = false;
    p->nudge = p->match < core_last(c); /* It is there, yet behind: perhaps an APPEND got lost. */
    if (m->context > p->round) {
        p->round = m->context;
        core_reads_confirm(c);
    }
    return 0;
}

/* --- time ------------------------------------------------------------------------------------- */

void core_broadcast_heartbeat(struct core *c)
{
    kvs_assert(c->role == CORE_LEADER);
    for (size_t i = 0; i < c->n_peers; i++) {
        const struct core_peer *p = &c->peers[i];
        struct core_msg m = {
            .type = CORE_MSG_HEARTBEAT,
            .to = p->id,
            .commit = p->match < c->commit ? p->match : c->commit,
            .context = c->round,
        };

        if (p->id != c->config.id) {
            core_send(c, m, 0);
        }
    }
}

static uint64_t peer_active(const struct core *c, const struct core_peer *p)
{
    return p->active || p->id == c->config.id;
}

/* A leader that no majority has answered for an election timeout steps down: another may have been
 * elected, and its clients should not wait here. */
static void check_quorum(struct core *c)
{
    bool heard = core_quorum(c, peer_active) != 0;

    for (size_t i = 0; i < c->n_peers; i++) {
        c->peers[i].active = false;
    }
    if (c->config.check_quorum && !heard) {
        core_become_follower(c, c->term, CORE_NONE);
    }
}

/* Once the removal is committed a removed server gets one more election timeout to learn of it. */
static void leaving_tick(struct core *c)
{
    if (core_log_mark_last(&c->log)->index > c->commit) {
        return;
    }
    for (size_t i = 0; i < c->n_peers; i++) {
        struct core_peer *p = &c->peers[i];

        p->leaving_ticks += p->leaving;
    }
    core_peers_forget_leaving(c, c->config.election_ticks);
}

int core_leader_tick(struct core *c)
{
    kvs_assert(c->role == CORE_LEADER);
    leaving_tick(c);
    core_transfer_tick(c);
    if (++c->heartbeat_elapsed >= c->config.heartbeat_ticks) {
        c->heartbeat_elapsed = 0;
        core_broadcast_heartbeat(c);
    }
    if (++c->election_elapsed >= c->config.election_ticks) {
        c->election_elapsed = 0;
        check_quorum(c);
    }
    return 0;
}
