/* Proposals and membership changes.
 *
 * Invariants: at most one change of configuration is under way, from its proposal until its last
 * entry (the one that leaves the joint state) is committed; none starts before the leader has
 * committed an entry of its own term. */
#include "replica/core_int.h"

#include "base/alloc.h"

/* --- on the leader ---------------------------------------------------------------------------- */

static int may_propose(const struct core *c, uint64_t bytes)
{
    uint64_t limit = c->config.max_uncommitted_bytes;

    kvs_assert(c->role == CORE_LEADER);
    if (c->transfer_to != CORE_NONE) {
        return KVS_E_BUSY;
    }
    /* A single large one passes when nothing else waits. */
    if (limit > 0 && c->uncommitted_bytes > 0 &&
        (bytes > limit || c->uncommitted_bytes > limit - bytes)) {
        return KVS_E_TOO_MANY_REQUESTS;
    }
    return 0;
}

static int leader_propose(struct core *c, const struct core_entry *entries, size_t n)
{
    int rc = may_propose(c, core_entries_bytes(entries, n));

    if (rc == 0) {
        rc = core_log_reserve(&c->log, n, 0);
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct core_entry e = entries[i];

        kvs_assert(e.type == CORE_ENTRY_DATA);
        e.term = c->term;
        rc = core_leader_push(c, &e, NULL);
    }
    return rc;
}

int core_push_conf(struct core *c, const struct core_conf *conf, struct kvs_view context)
{
    struct core_entry e = {.term = c->term, .type = CORE_ENTRY_CONFIG};
    int rc = core_conf_entry_encode(conf, context, &e.owner);

    if (rc != 0) {
        return rc;
    }
    e.data = rcbuf_view(e.owner);
    rc = core_log_reserve(&c->log, 1, 1);
    if (rc == 0) {
        rc = core_leader_push(c, &e, conf);
    }
    if (rc == 0) {
        c->conf_changed = true;
        rc = core_peers_sync(c);
    }
    rcbuf_unref(e.owner);
    return rc;
}

static bool change_under_way(const struct core *c)
{
    const struct core_conf_mark *mark = core_log_mark_last(&c->log);

    return mark->index > c->commit || core_conf_is_joint(&mark->conf);
}

static int leader_propose_conf(struct core *c, struct core_request request)
{
    struct core_conf conf;
    bool deferred = false;
    int rc = may_propose(c, request.bytes.len);

    if (rc != 0) {
        return rc;
    }
    if (!core_own_term_committed(c) || change_under_way(c)) {
        return KVS_E_BUSY;
    }
    rc = core_conf_change(core_conf_now(c), request.changes, request.n_changes, &conf);
    if (rc == 0) {
        rc = core_engine_admit(c, &conf);
    }
    if (rc == 0 && c->config.conf_policy != NULL) {
        rc = c->config.conf_policy(c->config.conf_policy_ctx, core_conf_now(c), request.changes,
                                   request.n_changes, request.bytes);
    }
    if (rc == 0) {
        rc = core_engine_defer(c, &conf, request, &deferred);
    }
    return rc != 0 || deferred ? rc : core_push_conf(c, &conf, request.bytes);
}

int core_maybe_leave_joint(struct core *c)
{
    const struct core_conf_mark *mark = core_log_mark_last(&c->log);
    struct core_conf conf;

    kvs_assert(c->role == CORE_LEADER);
    if (!core_conf_is_joint(&mark->conf) || !core_own_term_committed(c) ||
        (mark->index > c->commit && !core_mutated(MUTANT_LEAVE_JOINT_EARLY))) {
        return 0;
    }
    core_conf_leave(&mark->conf, &conf);
    return core_push_conf(c, &conf, (struct kvs_view){0});
}

/* --- on the way to the leader ------------------------------------------------------------------
 */

int core_forward(struct core *c, const struct core_entry *entries, size_t n, uint64_t context)
{
    struct core_msg m = {
        .type = CORE_MSG_FORWARD_PROPOSE,
        .to = c->leader,
        .context = context,
        .n_entries = n,
    };

    kvs_assert(c->role != CORE_LEADER);
    if (c->leader == CORE_NONE) {
        return KVS_E_NO_LEADER;
    }
    m.entries = kvs_calloc(n, sizeof *m.entries);
    if (m.entries == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        m.entries[i] = entries[i];
        m.entries[i].term = c->term;
        if (entries[i].owner != NULL) {
            rcbuf_ref(entries[i].owner);
        }
    }
    core_send(c, m, 0);
    return 0;
}

static bool all_data(const struct core_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (entries[i].type != CORE_ENTRY_DATA ||
            (entries[i].data.len > 0 && entries[i].owner == NULL)) {
            return false;
        }
    }
    return n > 0;
}

int core_propose(struct core *c, const struct core_entry *entries, size_t n, uint64_t context)
{
    int rc;

    if (!all_data(entries, n)) {
        return KVS_E_INVALID;
    }
    rc = core_event_begin(c);
    if (rc != 0) {
        return rc;
    }
    return c->role == CORE_LEADER ? leader_propose(c, entries, n)
                                  : core_forward(c, entries, n, context);
}

static int forward_conf(struct core *c,
                        const struct core_change *changes,
                        size_t n_changes,
                        struct kvs_view bytes,
                        uint64_t context)
{
    struct core_entry e = {.type = CORE_ENTRY_CONFIG};
    int rc = core_changes_encode(changes, n_changes, bytes, &e.owner);

    if (rc != 0) {
        return rc;
    }
    e.data = rcbuf_view(e.owner);
    rc = core_forward(c, &e, 1, context);
    rcbuf_unref(e.owner);
    return rc;
}

int core_propose_conf(struct core *c,
                      const struct core_change *changes,
                      size_t n_changes,
                      struct kvs_view bytes,
                      uint64_t context)
{
    int rc = core_event_begin(c);

    if (rc != 0) {
        return rc;
    }
    if (n_changes == 0 || n_changes > CORE_CHANGES_MAX) {
        return KVS_E_INVALID;
    }
    if (bytes.len > CORE_CONTEXT_MAX) {
        return KVS_E_TOO_LONG;
    }
    if (c->role == CORE_LEADER) {
        return leader_propose_conf(c, (struct core_request){.from = c->config.id,
                                                            .context = context,
                                                            .changes = changes,
                                                            .n_changes = n_changes,
                                                            .bytes = bytes});
    }
    return forward_conf(c, changes, n_changes, bytes, context);
}

/* --- from a follower ----------------------------------------------------------------------------
 */

static int propose_forwarded_conf(struct core *c, const struct core_msg *m)
{
    struct core_change changes[CORE_CHANGES_MAX];
    struct core_request request = {.from = m->from, .context = m->context, .changes = changes};
    int rc = core_changes_decode(m->entries[0].data, changes, &request.n_changes, &request.bytes);

    return rc != 0 ? rc : leader_propose_conf(c, request);
}

int core_on_forward(struct core *c, const struct core_msg *m)
{
    bool data = all_data(m->entries, m->n_entries);
    int rc;

    if (!data && (m->n_entries != 1 || m->entries[0].type != CORE_ENTRY_CONFIG)) {
        return KVS_E_MALFORMED;
    }
    if (c->role != CORE_LEADER) {
        rc = KVS_E_NOT_LEADER;
    } else if (data) {
        rc = leader_propose(c, m->entries, m->n_entries);
    } else {
        rc = propose_forwarded_conf(c, m);
    }
    if (rc == KVS_E_NOMEM || rc == KVS_E_MALFORMED) {
        return rc;
    }
    if (rc != 0) {
        struct core_msg reply = {
            .type = CORE_MSG_PROPOSE_DROPPED,
            .to = m->from,
            .context = m->context,
            .status = rc,
        };

        core_send(c, reply, 0);
    }
    return 0;
}
