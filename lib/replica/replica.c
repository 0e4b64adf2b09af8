/* The replica's life: new, start, close; and what others may ask about it. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "replica/replica_int.h"
#include "replica/wal.h"

/* ---- small things for the other files ---- */

uint64_t replica_now_ms(const struct replica *r)
{
    return clock_ms(r->config.clock);
}

uint64_t replica_new_id(struct replica *r)
{
    if (++r->next_id == 0) {
        r->next_id = 1;
    }
    return r->next_id;
}

void replica_wake(struct replica *r)
{
    if (!r->closing && !r->failed) {
        r->owner.wake(r->ctx);
    }
}

void replica_fail(struct replica *r, int code, const char *text)
{
    if (r->failed || r->closing) {
        return;
    }
    r->failed = true;
    log_error(r->log, "replica stopped", LOG_STR("reason", text),
              LOG_STR("error", kvs_strerror(code)));
    r->owner.fatal(r->ctx, code, text);
}

bool replica_core_ok(struct replica *r, int rc)
{
    kvs_assert(!r->in_effects);
    r->dirty = true;
    if (rc == KVS_E_NOMEM) {
        replica_fail(r, rc, "out of memory in the Raft core");
        return false;
    }
    return true;
}

/* ---- events of the transport ---- */

static int
replica_on_raft(struct replica *r, uint64_t from, struct rcbuf *frame, struct kvs_view payload)
{
    struct core_msg msg;
    int rc = peer_msg_decode(frame, payload, &r->entries, &msg);

    if (rc == KVS_E_NOMEM) {
        replica_fail(r, rc, "out of memory for a peer's message");
        return 0;
    }
    if (rc != 0) {
        return rc;
    }
    /* SNAPSHOT comes with its data only; the connection vouches for `from`. */
    if (msg.from != from || msg.to != r->config.member_id || msg.type == CORE_MSG_SNAPSHOT) {
        return KVS_E_MALFORMED;
    }
    rc = core_step(r->core, &msg);
    if (!replica_core_ok(r, rc)) {
        return 0;
    }
    replica_wake(r);
    return rc;
}

static int replica_on_ack(struct replica *r, uint64_t from, struct kvs_view payload)
{
    struct peer_snap_ack ack;
    int rc = peer_snap_ack_decode(payload, &ack);

    if (rc == 0) {
        replica_send_ack(r, from, &ack);
    }
    return rc;
}

static int
replica_on_message(void *ctx, uint64_t from, enum transport_stream stream, struct rcbuf *frame)
{
    struct replica *r = ctx;
    enum peer_frame_type type;
    struct kvs_view payload;

    if (!r->started || r->failed || r->closing) {
        return 0;
    }
    peer_frame_split(frame, &type, &payload);
    if (stream == TRANSPORT_SNAPSHOT) {
        switch ((int)type) {
        case PEER_FRAME_SNAP_BEGIN:
            return replica_recv_begin(r, from, payload);
        case PEER_FRAME_SNAP_CHUNK:
            return replica_recv_chunk(r, from, frame, payload);
        default:
            return KVS_E_MALFORMED;
        }
    }
    switch ((int)type) {
    case PEER_FRAME_RAFT:
        return replica_on_raft(r, from, frame, payload);
    case PEER_FRAME_APP:
        r->owner.app_message(r->ctx, from, payload, frame);
        return 0;
    case PEER_FRAME_SNAP_ACK:
        return replica_on_ack(r, from, payload);
    default:
        return KVS_E_MALFORMED;
    }
}

static void replica_on_unreachable(void *ctx, uint64_t peer, enum transport_stream stream)
{
    struct replica *r = ctx;

    if (!r->started || r->failed || r->closing) {
        return;
    }
    if (stream == TRANSPORT_SNAPSHOT) {
        replica_send_lost(r, peer);
    } else {
        core_unreachable(r->core, peer);
        r->dirty = true;
    }
    replica_wake(r);
}

static void replica_on_connected(void *ctx, uint64_t peer)
{
    struct replica *r = ctx;

    log_debug(r->log, "peer connected", LOG_HEX("peer-id", peer));
}

static void replica_on_removed(void *ctx, uint64_t by)
{
    struct replica *r = ctx;

    if (!r->removed_heard) {
        log_warn(r->log, "a peer says that this member was removed", LOG_HEX("peer-id", by));
        r->removed_heard = true;
        replica_wake(r);
    }
}

/* ---- start ---- */

int replica_state_entry(void *ctx, const struct wal_entry *entry)
{
    struct replica_state *s = ctx;
    struct core_entry *e;

    if (entry->type >= CORE_ENTRY_TYPE_COUNT) {
        return KVS_E_DAMAGED;
    }
    if (s->n_entries == s->capacity) {
        size_t capacity = s->capacity > 0 ? s->capacity * 2 : 256;
        struct core_entry *entries = kvs_realloc(s->entries, capacity * sizeof *entries);

        if (entries == NULL) {
            return KVS_E_NOMEM;
        }
        s->entries = entries;
        s->capacity = capacity;
    }
    if (s->n_entries == 0) {
        s->first_index = entry->index;
    } else if (entry->index != s->first_index + s->n_entries) {
        return KVS_E_DAMAGED;
    }
    e = &s->entries[s->n_entries];
    *e = (struct core_entry){.term = entry->term, .type = (enum core_entry_type)entry->type};
    if (entry->data.len > 0) {
        e->owner = rcbuf_copy(entry->data);
        if (e->owner == NULL) {
            return KVS_E_NOMEM;
        }
        e->data = rcbuf_view(e->owner);
    }
    s->n_entries++;
    return 0;
}

void replica_state_fini(struct replica_state *state)
{
    for (size_t i = 0; i < state->n_entries; i++) {
        rcbuf_unref(state->entries[i].owner);
    }
    kvs_free(state->entries);
    *state = (struct replica_state){0};
}

int replica_bootstrap(const uint64_t *ids, size_t n_ids, struct replica_state *ret_state)
{
    struct replica_state s = {
        .hard = {.term = 1, .commit = 1},
        .applied = {.index = 1, .term = 1},
    };

    if (n_ids == 0) {
        return KVS_E_INVALID;
    }
    for (size_t i = 0; i < n_ids; i++) {
        int rc = core_conf_add(&s.applied.conf, CORE_ADD_VOTER, ids[i]);

        if (rc != 0) {
            return rc;
        }
    }
    *ret_state = s;
    return 0;
}

#define REPLICA_DEFAULT(field, value)                                                              \
    if ((field) == 0) {                                                                            \
        (field) = (value);                                                                         \
    }

static void replica_config_fill(struct replica_config *c)
{
    struct replica_limits *l = &c->limits;

    REPLICA_DEFAULT(c->tick_ms, 100)
    REPLICA_DEFAULT(c->election_ticks, 10)
    REPLICA_DEFAULT(c->heartbeat_ticks, 1)
    REPLICA_DEFAULT(l->entry_bytes_max, (size_t)REPLICA_ENTRY_BYTES_MAX)
    REPLICA_DEFAULT(l->uncommitted_bytes_max, UINT64_C(64) << 20)
    REPLICA_DEFAULT(l->reads_max, 1000000)
    REPLICA_DEFAULT(l->keep_entries, 5000)
    REPLICA_DEFAULT(l->keep_entries_max, 100000)
    REPLICA_DEFAULT(l->keep_bytes_max, (size_t)8 << 20)
    REPLICA_DEFAULT(l->hold_bytes_max, (size_t)256 << 20)
    REPLICA_DEFAULT(l->snapshot_chunk_bytes, (size_t)256 << 10)
    REPLICA_DEFAULT(l->snapshot_window, 8)
    REPLICA_DEFAULT(l->snapshot_timeout_ms, 30000)
}

_Static_assert((int)REPLICA_ENTRY_BYTES_MAX <= PEER_FRAME_BYTES_MAX / 2,
               "an entry and a batch that is not full fit into a frame");
_Static_assert((int)REPLICA_ENTRY_BYTES_MAX <= (int)WAL_ENTRY_BYTES_MAX,
               "what is taken can be logged");

static bool replica_config_ok(const struct replica_config *c)
{
    return c->member_id != 0 && c->cluster_id != 0 && c->clock != NULL &&
           c->limits.entry_bytes_max <= REPLICA_ENTRY_BYTES_MAX &&
           c->limits.snapshot_chunk_bytes <= PEER_FRAME_BYTES_MAX / 2 &&
           c->limits.snapshot_window <= 1024 && c->heartbeat_ticks < c->election_ticks;
}

int replica_new(const struct replica_config *config,
                struct log_device *log_device,
                struct transport *transport,
                const struct replica_owner *owner,
                void *owner_ctx,
                struct replica **ret_replica)
{
    struct replica *r = kvs_calloc(1, sizeof *r);

    if (r == NULL) {
        return KVS_E_NOMEM;
    }
    r->config = *config;
    replica_config_fill(&r->config);
    if (!replica_config_ok(&r->config)) {
        kvs_free(r);
        return KVS_E_INVALID;
    }
    r->log = config->log;
    r->log_device = log_device;
    r->transport = transport;
    r->owner = *owner;
    r->ctx = owner_ctx;
    rng_init(&r->rng, config->seed ^ config->member_id);
    /* Not used again after a restart: an answer to an old question is recognised as such. */
    r->next_id = rng_next(&r->rng) ^ config->clock->wall_ns(config->clock->ctx);
    list_init(&r->batches);
    list_init(&r->reads_new);
    list_init(&r->rounds);
    list_init(&r->conf_submits);
    list_init(&r->conf_changes);
    list_init(&r->sends);
    *ret_replica = r;
    return 0;
}

static int replica_conf_policy(void *ctx,
                               const struct core_conf *conf,
                               const struct core_change *changes,
                               size_t n_changes,
                               struct kvs_view bytes)
{
    struct replica *r = ctx;
    struct kvs_view context;

    (void)replica_conf_id(bytes, &context);
    return r->owner.conf_policy(r->ctx, conf, changes, n_changes, context);
}

static void replica_core_config(struct replica *r, struct core_config *ret_config)
{
    core_config_defaults(ret_config);
    ret_config->id = r->config.member_id;
    ret_config->seed = rng_next(&r->rng);
    ret_config->election_ticks = r->config.election_ticks;
    ret_config->heartbeat_ticks = r->config.heartbeat_ticks;
    ret_config->max_uncommitted_bytes = r->config.limits.uncommitted_bytes_max;
    ret_config->max_reads = REPLICA_CORE_READS;
    ret_config->pre_vote = !r->config.no_pre_vote;
    ret_config->conf_policy = replica_conf_policy;
    ret_config->conf_policy_ctx = r;
}

int replica_start(struct replica *r, const struct replica_state *state)
{
    static const struct transport_events events = {
        .message = replica_on_message,
        .unreachable = replica_on_unreachable,
        .connected = replica_on_connected,
        .removed = replica_on_removed,
    };
    struct transport_events mine = events;
    struct core_start start = {
        .hard = state->hard,
        .snapshot = state->applied,
        .first_index = state->first_index,
        .entries = state->entries,
        .n_entries = state->n_entries,
    };
    const struct core_conf *conf;
    struct core_config config;
    int rc;

    kvs_assert(!r->started && r->core == NULL);
    replica_core_config(r, &config);
    rc = core_new(&config, &start, &r->core);
    if (rc != 0) {
        return rc;
    }
    r->applied = state->applied.index;
    r->apply_to = r->applied;
    r->stored = r->applied;
    core_status(r->core, &r->status);
    replica_keep_start(r);
    mine.ctx = r;
    r->transport->ops->set_events(r->transport, &mine);
    conf = core_conf(r->core);
    if (conf->voters.n == 1 && !core_conf_is_joint(conf) &&
        core_set_has(&conf->voters, r->config.member_id)) {
        rc = core_campaign(r->core);
        if (rc != 0) {
            return rc;
        }
    }
    r->started = true;
    r->dirty = true;
    replica_wake(r);
    return 0;
}

/* ---- close ---- */

void replica_maybe_closed(struct replica *r)
{
    replica_close_cb cb = r->close_cb;
    void *ctx = r->close_ctx;

    if (!r->closing || r->n_async > 0) {
        return;
    }
    kvs_assert(list_empty(&r->sends) && r->recv == NULL);
    core_free(r->core);
    if (r->spare_batch != NULL) {
        replica_batch_free(r->spare_batch);
    }
    peer_entries_fini(&r->entries);
    kvs_free(r);
    cb(ctx);
}

void replica_close(struct replica *r, replica_close_cb cb, void *ctx)
{
    kvs_assert(!r->closing && !r->in_flush);
    r->close_cb = cb;
    r->close_ctx = ctx;
    r->closing = true;
    if (r->core != NULL) {
        r->transport->ops->set_events(r->transport, NULL);
    }
    r->n_async++; /* Nothing below completes the close before all of it was started. */
    replica_requests_stop(r);
    replica_sends_stop(r);
    replica_recv_stop(r);
    r->n_async--;
    replica_maybe_closed(r);
}

/* ---- per turn ---- */

void replica_tick(struct replica *r)
{
    r->ticks_due++;
    replica_wake(r);
}

void replica_stored(struct replica *r, uint64_t index)
{
    /* Above what was applied here: a snapshot that is being installed, see recv_installed(). */
    if (index > r->stored && index <= r->applied) {
        r->stored = index;
        r->keep_due = true;
        replica_wake(r);
    }
}

int replica_send_app(struct replica *r, uint64_t to, struct kvs_view data)
{
    struct rcbuf *frame;

    if (r->closing || r->failed || !r->started) {
        return KVS_E_STOPPED;
    }
    if (data.len > r->config.limits.entry_bytes_max) {
        return KVS_E_TOO_LONG;
    }
    frame = peer_frame_copy(PEER_FRAME_APP, data);
    if (frame == NULL) {
        return KVS_E_NOMEM;
    }
    transport_send(r->transport, to, TRANSPORT_RAFT, frame);
    replica_wake(r);
    return 0;
}

/* ---- queries ---- */

uint64_t replica_leader(const struct replica *r)
{
    return r->status.leader;
}

uint64_t replica_term(const struct replica *r)
{
    return r->status.term;
}

uint64_t replica_applied(const struct replica *r)
{
    return r->applied;
}

uint64_t replica_commit(const struct replica *r)
{
    return r->status.commit;
}

bool replica_is_leader(const struct replica *r)
{
    return r->status.role == CORE_LEADER;
}

const struct core_conf *replica_conf(const struct replica *r)
{
    kvs_assert(r->core != NULL);
    return core_conf(r->core);
}

bool replica_learner_ready(const struct replica *r, uint64_t id)
{
    struct core_peer_status peer;

    if (r->core == NULL || core_peer_status(r->core, id, &peer) != 0) {
        return false;
    }
    return peer.active && peer.match >= r->status.persisted - r->status.persisted / 10;
}

static void
replica_status_peer(const struct replica *r, uint64_t id, struct replica_peer_status *ret)
{
    struct core_peer_status peer;

    *ret = (struct replica_peer_status){.id = id};
    ret->voter = core_conf_is_voter(core_conf(r->core), id);
    if (core_peer_status(r->core, id, &peer) == 0) {
        ret->active = peer.active;
        ret->match = peer.match;
        ret->next = peer.next;
        ret->state = peer.state;
    }
    LIST_FOREACH(it, &r->sends)
    {
        const struct snap_send *s = list_entry(it, struct snap_send, node);

        if (s->peer == id && s->state == SNAP_SEND_RUNNING) {
            ret->snapshot_sent_bytes = s->acked;
            ret->snapshot_size_bytes = s->source->meta.size_bytes;
        }
    }
    (void)r->transport->ops->peer_stats(r->transport, id, &ret->net); /* Unknown: all zero. */
}

static void
replica_status_set(const struct replica *r, const struct core_set *set, struct replica_status *ret)
{
    for (uint32_t i = 0; i < set->n; i++) {
        bool seen = set->ids[i] == r->config.member_id;

        for (size_t k = 0; k < ret->n_peers && !seen; k++) {
            seen = ret->peers[k].id == set->ids[i];
        }
        if (!seen && ret->n_peers < CORE_PEERS_MAX) {
            replica_status_peer(r, set->ids[i], &ret->peers[ret->n_peers++]);
        }
    }
}

void replica_status(const struct replica *r, struct replica_status *ret_status)
{
    const struct core_conf *conf;
    struct replica_status *s = ret_status;

    *s = (struct replica_status){.core = r->status, .applied = r->applied, .stored = r->stored};
    s->core.id = r->config.member_id;
    s->reads_waiting = r->n_reads;
    s->log_bytes = r->kept_bytes;
    s->proposals_dropped = r->proposals_dropped;
    s->leader_changes = r->leader_changes;
    s->snapshots_sent = r->snapshots_sent;
    s->snapshots_failed = r->snapshots_failed;
    s->snapshots_installed = r->snapshots_installed;
    s->transferring = r->transfer != NULL;
    s->receiving_snapshot = r->recv != NULL;
    if (r->core == NULL) {
        return;
    }
    conf = core_conf(r->core);
    s->is_voter = core_conf_is_voter(conf, r->config.member_id);
    s->is_learner = core_conf_is_learner(conf, r->config.member_id);
    replica_status_set(r, &conf->voters, s);
    replica_status_set(r, &conf->outgoing, s);
    replica_status_set(r, &conf->learners, s);
    replica_status_set(r, &conf->learners_next, s);
}
