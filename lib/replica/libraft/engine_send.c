/* Messages of libraft become messages to peers.
 *
 * APPENDs wait until effects are collected: what libraft says entry by entry becomes one message
 * per peer and turn, cut where a configuration is [1] and where a limit is reached. */
#include "replica/libraft/engine_int.h"

#include "base/alloc.h"

/* --- what libraft wants ----------------------------------------------------------------------- */

/* Goes on where the last one to the same peer ended, or only says that the leader is there. */
static bool merge_append(struct core_engine *g, const struct engine_append *a)
{
    for (size_t i = g->n_appends; i > 0; i--) {
        struct engine_append *last = &g->appends[i - 1];

        if (last->to != a->to) {
            continue;
        }
        if (last->prev + last->n == a->prev) {
            last->n += a->n;
            return true;
        }
        if (last->prev == a->prev) {
            last->n = last->n > a->n ? last->n : a->n;
            return true;
        }
        return false;
    }
    return false;
}

static int queue_append(struct core *c, struct engine_append a)
{
    struct core_engine *g = c->engine;
    void *appends = g->appends;
    int rc;

    if (merge_append(g, &a)) {
        return 0;
    }
    rc = core_grow(&appends, &g->appends_capacity, sizeof *g->appends, g->n_appends + 1);
    g->appends = appends;
    if (rc == 0) {
        g->appends[g->n_appends++] = a;
    }
    return rc;
}

static void want_snapshot(struct core_peer *p)
{
    if (p->state != CORE_PEER_SNAPSHOT && p->active && !p->paused && !p->leaving) {
        core_peer_need_snapshot(p);
    }
}

/* A follower's rejection says where the logs may agree, a term at a time [10]. */
static void hint_rejection(struct core *c, struct core_msg *m)
{
    const struct core_msg *asked = c->engine->answering;
    uint64_t last = core_last(c);
    bool known;

    kvs_assert(asked != NULL);
    m->hint_index = core_log_agreeable(&c->log, m->index < last ? m->index : last, asked->log_term);
    known = core_log_term(&c->log, m->hint_index, &m->hint_term);
    kvs_assert(known);
}

static void send_result(struct core *c, uint64_t to, const struct raft_append_entries_result *r)
{
    struct core_msg m = {.type = CORE_MSG_APPEND_REPLY, .to = to};

    if (c->engine->mute || to == CORE_NONE || to == c->config.id) {
        return;
    }
    m.reject = r->rejected > 0;
    m.index = m.reject ? r->rejected : r->last_log_index;
    if (m.reject) {
        hint_rejection(c, &m);
    }
    core_send(c, m, m.reject ? 0 : core_seq_of(c, m.index));
}

static void send_vote_request(struct core *c, uint64_t to, const struct raft_request_vote *r)
{
    struct core_msg m = {
        .type = r->pre_vote ? CORE_MSG_PREVOTE : CORE_MSG_VOTE,
        .to = to,
        .term = r->term,
        .index = r->last_log_index,
        .log_term = r->last_log_term,
        .transfer = r->disrupt_leader,
    };

    core_send(c, m, 0);
}

/* A refusal carries our term, so that the best log with too low a term learns it [8]. */
static void send_vote(struct core *c, uint64_t to, const struct raft_request_vote_result *r)
{
    struct core_msg m = {
        .type = r->pre_vote ? CORE_MSG_PREVOTE_REPLY : CORE_MSG_VOTE_REPLY,
        .to = to,
        .term = r->vote_granted ? r->term : c->term,
        .reject = !r->vote_granted,
    };

    core_send(c, m, 0);
}

static int send_one(struct core *c, const struct raft_message *r)
{
    struct core_msg now = {.type = CORE_MSG_TIMEOUT_NOW, .to = r->server_id};
    struct core_peer *p;

    switch (r->type) {
    case RAFT_APPEND_ENTRIES:
        return queue_append(c, (struct engine_append){.to = r->server_id,
                                                      .prev = r->append_entries.prev_log_index,
                                                      .prev_term = r->append_entries.prev_log_term,
                                                      .n = r->append_entries.n_entries});
    case RAFT_APPEND_ENTRIES_RESULT:
        send_result(c, r->server_id, &r->append_entries_result);
        return 0;
    case RAFT_REQUEST_VOTE:
        send_vote_request(c, r->server_id, &r->request_vote);
        return 0;
    case RAFT_REQUEST_VOTE_RESULT:
        send_vote(c, r->server_id, &r->request_vote_result);
        return 0;
    case RAFT_INSTALL_SNAPSHOT:
        p = core_peer_get(c, r->server_id);
        if (p != NULL) {
            want_snapshot(p);
        }
        return 0;
    case RAFT_TIMEOUT_NOW:
        core_send(c, now, 0);
        return 0;
    }
    return 0;
}

int engine_send(struct core *c, const struct raft_update *update)
{
    int rc = 0;

    for (unsigned i = 0; i < update->messages.n && rc == 0; i++) {
        rc = send_one(c, &update->messages.batch[i]);
    }
    return rc;
}

/* --- APPENDs ---------------------------------------------------------------------------------- */

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

static int build_append(struct core *c, const struct engine_append *a)
{
    struct core_msg m = {
        .type = CORE_MSG_APPEND,
        .from = c->config.id,
        .to = a->to,
        .term = c->term,
        .index = a->prev,
        .log_term = a->prev_term,
        .commit = c->commit,
        .n_entries = (size_t)a->n,
    };
    int rc = reserve_append(c, m.n_entries);

    for (uint64_t i = 1; i <= a->n && rc == 0; i++) {
        c->scratch[c->n_scratch++] = *core_log_at(&c->log, a->prev + i);
    }
    if (rc == 0) {
        c->ready[c->n_ready++] = m;
    }
    return rc;
}

/* How many of the entries fit into one message; a configuration is the first or in none. */
static uint64_t part_of(const struct core *c, const struct engine_append *a)
{
    uint64_t bytes = 0;
    uint64_t n = 0;

    while (n < a->n && n < c->config.max_append_entries) {
        const struct core_entry *e = core_log_at(&c->log, a->prev + 1 + n);

        bytes += e->data.len;
        if (n > 0 && (e->type == CORE_ENTRY_CONFIG || bytes > c->config.max_append_bytes)) {
            break;
        }
        n++;
    }
    return n;
}

/* The entry that takes a server's vote reaches it when it is committed: else this server may have
 * the only log that can win, and no vote to win it with [9]. */
static uint64_t sendable(const struct core *c, const struct core_peer *p)
{
    const struct core_conf_mark *mark = core_log_mark_last(&c->log);
    const struct core_conf_mark *before = core_log_mark_at(&c->log, mark->index - 1);

    if (mark->index > c->commit && before != NULL && core_set_has(&before->conf.voters, p->id) &&
        !core_set_has(&mark->conf.voters, p->id)) {
        return mark->index - 1;
    }
    return core_last(c);
}

static int send_append(struct core *c, struct engine_append a)
{
    struct core_peer *p = core_peer_get(c, a.to);
    uint64_t limit;
    int rc = 0;

    if (p == NULL) {
        return 0;
    }
    if (a.prev < c->log.base_index && (a.n > 0 || a.prev == 0)) {
        want_snapshot(p); /* Also where libraft believes that entry 1 is still there [15]. */
        a.n = 0;
    }
    limit = sendable(c, p);
    if (p->state == CORE_PEER_SNAPSHOT || a.prev >= limit) {
        a.n = 0;
    } else if (a.prev + a.n > limit) {
        a.n = limit - a.prev;
    }
    do {
        struct engine_append part = a;

        part.n = part_of(c, &a);
        rc = build_append(c, &part);
        a.prev += part.n;
        a.n -= part.n;
        if (a.n > 0) {
            a.prev_term = core_log_at(&c->log, a.prev)->term;
        }
    } while (a.n > 0 && rc == 0);
    if (p->next <= a.prev) {
        p->next = a.prev + 1;
    }
    return rc;
}

int engine_send_appends(struct core *c)
{
    struct core_engine *g = c->engine;
    int rc = 0;

    kvs_assert(c->role == CORE_LEADER || g->n_appends == 0);
    for (size_t i = 0; i < g->n_appends && rc == 0; i++) {
        rc = send_append(c, g->appends[i]);
    }
    g->n_appends = 0;
    return rc;
}

int engine_tell_leaving(struct core *c)
{
    int rc = 0;

    if (core_log_mark_last(&c->log)->index > c->commit) {
        return 0;
    }
    for (size_t i = 0; i < c->n_peers && rc == 0; i++) {
        const struct core_peer *p = &c->peers[i];
        struct engine_append a = {.to = p->id, .prev = p->next - 1};

        if (p->leaving && core_log_term(&c->log, a.prev, &a.prev_term)) {
            a.n = core_last(c) - a.prev;
            rc = queue_append(c, a);
        }
    }
    return rc;
}
