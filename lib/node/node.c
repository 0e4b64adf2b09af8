/* The node's life: made, started, ticked, flushed, closed; and what the replica tells it. */
#include "node/node_int.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"

/* --- the replica's callbacks --- */

static void node_wake(void *ctx)
{
    struct node *n = ctx;

    n->env.wake(n->env.ctx);
}

static void node_count_applied(struct node *n, const struct apply_result *result)
{
    switch (result->kind) {
    case APPLY_PUT:
        n->stats.puts++;
        break;
    case APPLY_DELETE:
        n->stats.deletes++;
        break;
    case APPLY_TXN:
        n->stats.txns++;
        break;
    case APPLY_LEASE_GRANT:
        n->stats.leases_granted++;
        break;
    case APPLY_LEASE_REVOKE:
        n->stats.leases_revoked++;
        break;
    case APPLY_COMPACT:
    case APPLY_LEASE_CHECKPOINT:
    case APPLY_ALARM:
    case APPLY_MEMBER_ATTRIBUTES:
    case APPLY_MEMBER_CHANGE:
    case APPLY_KIND_COUNT:
    default:
        break;
    }
}

static void node_applied(struct node *n, const struct apply_result *result)
{
    node_count_applied(n, result);
    if (result->n_events > 0) {
        watch_on_commit(n->hub, result->revision, result->events, result->n_events, &n->effects);
        node_watch_drain(n);
    }
    if ((result->changed & APPLY_CHANGED_COMPACTION) != 0) {
        watch_on_compact(n->hub, result->compact_revision, &n->effects);
        node_watch_drain(n);
    }
    if ((result->changed & APPLY_CHANGED_ALARMS) != 0) {
        node_alarm_settle(n);
        node_refused_answer(n);
    }
}

/* Whether a reply has to be made must be known before the entry is applied. */
static struct node_write *node_write_of(struct node *n, struct kvs_view entry)
{
    uint64_t id = apply_entry_request_id(entry);

    return id != 0 ? map_get(&n->writes_by_id, id) : NULL;
}

static void node_apply_data(struct node *n, uint64_t index, const struct core_entry *entry)
{
    struct node_write *w = node_write_of(n, entry->data);
    const struct apply_input input = {
        .index = index,
        .term = entry->term,
        .now_ms = node_now_ms(n),
        .reply = w != NULL ? w->arena : NULL,
        .owner = entry->owner,
    };
    struct apply_result result;
    int err = apply_entry(n->apply, &input, entry->data, &result);

    if (err != 0) {
        node_fail(n, err, "an entry cannot be applied");
        return;
    }
    node_applied(n, &result);
    if (w != NULL) {
        node_write_applied(n, w, &result);
    }
}

static void node_apply_conf(struct node *n, uint64_t index, const struct core_entry *entry)
{
    const struct apply_input input = {
        .index = index, .term = entry->term, .now_ms = node_now_ms(n)};
    struct apply_result result;
    struct rcbuf *conf = NULL;
    int err = core_conf_entry_encode(&n->applying_conf, (struct kvs_view){0}, &conf);

    kvs_assert(n->applying_conf_index == index);
    if (err == 0) {
        err = apply_conf(n->apply, &input, rcbuf_view(conf), n->applying_context, &result);
    }
    rcbuf_unref(conf);
    if (err != 0) {
        node_fail(n, err, "a configuration cannot be applied");
        return;
    }
    node_conf_remember(n, index, &n->applying_conf);
    node_applied(n, &result);
    node_peers_update(n);
    if ((result.changed & APPLY_CHANGED_MEMBERS) != 0) {
        log_info(n->env.log, "applied a membership change", LOG_U64("index", index));
    }
}

static void node_on_apply(void *ctx, uint64_t index, const struct core_entry *entry)
{
    struct node *n = ctx;

    if (n->failed != 0) {
        return;
    }
    if (entry->term > n->applied_term) {
        n->applied_term = entry->term;
        node_writes_new_term(n, entry->term);
    }
    if (entry->type == CORE_ENTRY_CONFIG) {
        node_apply_conf(n, index, entry);
    } else {
        node_apply_data(n, index, entry);
    }
}

static void node_on_apply_batch_end(void *ctx)
{
    struct node *n = ctx;

    node_changes_applied(n);
    mvcc_tick(n->mvcc, node_now_ms(n));
}

static void node_on_leader_changed(void *ctx, uint64_t leader, uint64_t term, bool we_lead)
{
    struct node *n = ctx;

    log_info(n->env.log, we_lead ? "became leader" : "leader changed",
             LOG_HEX("local-member-id", n->config.member_id), LOG_HEX("leader", leader),
             LOG_U64("term", term));
    node_lease_leader_changed(n, we_lead);
    node_alarm_settle(n); /* one that was proposed may be lost with the old leader */
    n->env.wake(n->env.ctx);
}

static void node_on_proposal_dropped(void *ctx, uint64_t batch, int reason)
{
    struct node *n = ctx;

    n->stats.proposals_failed++;
    node_writes_dropped(n, batch, reason);
    node_alarm_settle(n);
    log_debug(n->env.log, "proposals dropped", LOG_STR("reason", kvs_strerror(reason)));
}

static void node_on_conf_applied(void *ctx,
                                 uint64_t index,
                                 const struct core_conf *conf,
                                 struct kvs_view context)
{
    struct node *n = ctx;

    /* Kept for the apply call of the same index, which follows at once. */
    n->applying_conf = *conf;
    n->applying_conf_index = index;
    n->applying_context = context;
}

static void node_on_removed(void *ctx)
{
    struct node *n = ctx;

    log_warn(n->env.log, "the member has been permanently removed from the cluster",
             LOG_HEX("member-id", n->config.member_id));
    node_fail(n, KVS_E_MEMBER_NOT_FOUND, "removed from the cluster");
}

static void node_on_fatal(void *ctx, int code, const char *text)
{
    node_fail(ctx, code, text);
}

static void node_on_app_message(void *ctx, uint64_t from, struct kvs_view data, struct rcbuf *frame)
{
    struct node *n = ctx;

    (void)frame; /* nothing of it is kept */
    if (n->failed == 0 && n->started) {
        node_lease_message(n, from, data);
    }
}

static const struct replica_owner node_owner = {
    .wake = node_wake,
    .apply = node_on_apply,
    .apply_batch_end = node_on_apply_batch_end,
    .leader_changed = node_on_leader_changed,
    .proposal_dropped = node_on_proposal_dropped,
    .conf_policy = node_conf_policy,
    .conf_appended = node_conf_appended,
    .conf_applied = node_on_conf_applied,
    .removed = node_on_removed,
    .fatal = node_on_fatal,
    .app_message = node_on_app_message,
    .snapshot_open = node_snapshot_open,
    .snapshot_begin = node_snapshot_begin,
    .snapshot_installed = node_snapshot_installed,
};

/* --- life --- */

static int node_copy_config(struct node *n, const struct node_config *config)
{
    struct kvs_view *urls;

    n->config = *config;
    n->config.name = arena_strndup(&n->arena, config->name, strlen(config->name));
    n->config.data_dir = arena_strndup(&n->arena, config->data_dir, strlen(config->data_dir));
    n->config.cluster_token =
        arena_strndup(&n->arena, config->cluster_token, strlen(config->cluster_token));
    urls = arena_calloc(&n->arena, config->n_client_urls, sizeof *urls);
    if (n->config.name == NULL || n->config.data_dir == NULL || n->config.cluster_token == NULL ||
        urls == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < config->n_client_urls; i++) {
        if (arena_copy(&n->arena, config->client_urls[i], &urls[i]) != 0) {
            return KVS_E_NOMEM;
        }
    }
    n->config.client_urls = urls;
    return 0;
}

static int node_new_replica(struct node *n)
{
    struct replica_config config = {
        .cluster_id = n->config.cluster_id,
        .member_id = n->config.member_id,
        .tick_ms = n->config.tick_ms,
        .election_ticks = n->config.election_ms / n->config.tick_ms,
        .heartbeat_ticks = n->config.heartbeat_ms / n->config.tick_ms,
        .clock = n->env.clock,
        .seed = rng_next(&n->rng),
        .log = n->env.log,
        .limits = n->config.limits,
    };

    config.limits.keep_entries = n->config.snapshot_count;
    return replica_new(&config, n->env.log_device, n->env.transport, &node_owner, n, &n->replica);
}

static void node_free(struct node *n)
{
    if (n->hub != NULL) {
        watch_effects_fini(&n->effects);
        watch_effects_fini(&n->effects_spare);
        watch_hub_free(n->hub);
    }
    apply_free(n->apply);
    mvcc_close(n->mvcc);
    map_fini(&n->writes_by_id);
    buf_fini(&n->scratch);
    arena_fini(&n->arena);
    kvs_free(n);
}

static void node_init_lists(struct node *n)
{
    list_init(&n->writes);
    list_init(&n->fresh);
    list_init(&n->flushing);
    list_init(&n->unsent);
    list_init(&n->physical);
    list_init(&n->refused);
    list_init(&n->reads);
    list_init(&n->reads_idle);
    list_init(&n->watches);
    list_init(&n->lease_ops);
    list_init(&n->changes);
    list_init(&n->changes_made);
    list_init(&n->copies);
    list_init(&n->works_refused);
    map_init(&n->writes_by_id);
    buf_init(&n->scratch);
    arena_init(&n->arena, 0);
}

int node_new(const struct node_config *config,
             const struct node_env *env,
             struct mvcc *mvcc,
             struct node **ret_node)
{
    struct node *n = kvs_calloc(1, sizeof *n);
    int err;

    if (n == NULL) {
        mvcc_close(mvcc);
        return KVS_E_NOMEM;
    }
    node_init_lists(n);
    n->env = *env;
    n->mvcc = mvcc;
    rng_init(&n->rng, env->seed);
    n->next_id = rng_next(&n->rng) | 1;
    err = node_copy_config(n, config);
    if (err == 0) {
        err = apply_new(mvcc, clock_ms(env->clock), &n->apply);
    }
    if (err == 0) {
        err = node_watch_init(n);
    }
    if (err == 0) {
        err = node_new_replica(n);
    }
    if (err != 0) {
        node_free(n);
        return err;
    }
    *ret_node = n;
    return 0;
}

/* What the store has applied, in the replica's terms. */
static int node_load_applied(struct node *n, struct core_snapshot *ret_applied)
{
    struct kvs_view conf = apply_raft_conf(n->apply);
    struct kvs_view context;

    *ret_applied = (struct core_snapshot){
        .index = mvcc_applied_index(n->mvcc),
        .term = mvcc_applied_term(n->mvcc),
    };
    if (conf.len == 0) {
        return ret_applied->index == 0 ? 0 : KVS_E_DAMAGED;
    }
    return core_conf_entry_decode(conf, &ret_applied->conf, &context) == 0 ? 0 : KVS_E_DAMAGED;
}

int node_start(struct node *n, struct replica_state *state)
{
    int err = node_load_applied(n, &state->applied);

    if (err == 0) {
        n->applied_term = state->applied.term;
        if (state->applied.index > 0) {
            node_conf_remember(n, state->applied.index, &state->applied.conf);
        }
        n->progress_due_ms = node_now_ms(n) + n->config.progress_notify_ms;
        err = replica_start(n->replica, state);
    }
    n->started = err == 0;
    if (n->started) {
        node_guests_update(n);
    }
    return err;
}

/* Their callbacks may ask for more, which is refused: the node is closing. */
static void node_stop_requests(struct node *n, int err)
{
    node_writes_stop(n, err);
    node_reads_stop(n, err);
    node_lease_ops_stop(n, err);
    node_changes_stop(n, err);
    node_copies_stop(n, err);
}

static void node_report(struct node *n, int code, const char *text)
{
    if (n->failed != 0) {
        return;
    }
    n->failed = code;
    if (code != KVS_E_MEMBER_NOT_FOUND) {
        log_error(n->env.log, text, LOG_STR("error", kvs_strerror(code)));
    }
    n->env.stopped(n->env.ctx, code, text);
}

void node_fail(struct node *n, int code, const char *text)
{
    if (!n->closing) {
        node_report(n, code, text);
    }
}

int node_work_submit(struct node *n, struct node_work *w)
{
    int err = n->env.submit_work(n->env.ctx, w);

    if (err == 0) {
        n->n_working++;
    }
    return err;
}

void node_work_submit_must(struct node *n, struct node_work *w)
{
    if (node_work_submit(n, w) != 0) {
        n->n_working++;
        list_push_back(&n->works_refused, &w->link);
        node_fail(n, KVS_E_NOMEM, "out of memory while moving a snapshot");
    }
}

static void node_works_refused_done(struct list *works)
{
    for (struct list *it = list_pop_front(works); it != NULL; it = list_pop_front(works)) {
        struct node_work *w = list_entry(it, struct node_work, link);

        w->done(w);
    }
}

void node_work_done(struct node *n)
{
    kvs_assert(n->n_working > 0);
    n->n_working--;
    node_maybe_closed(n);
}

void node_maybe_closed(struct node *n)
{
    void (*cb)(void *ctx) = n->close_cb;
    void *ctx = n->close_ctx;

    if (!n->closing || !n->replica_closed || n->n_working > 0 || cb == NULL) {
        return;
    }
    /* What was never started has nothing worth keeping: half of a new cluster, for instance. */
    if (n->started && mvcc_failure(n->mvcc) == 0 && !mvcc_is_clean(n->mvcc)) {
        mvcc_flush(n->mvcc); /* without memory it does nothing: the log has it all */
    }
    if (mvcc_is_storing(n->mvcc)) {
        return; /* node_store_progress comes back here */
    }
    n->close_cb = NULL; /* once, even if re-entered */
    node_free(n);
    cb(ctx); /* last: the owner may free what the node was made of */
}

static void node_replica_closed(void *ctx)
{
    struct node *n = ctx;

    n->replica_closed = true;
    n->replica = NULL;
    node_maybe_closed(n);
}

void node_close(struct node *n, void (*cb)(void *ctx), void *ctx)
{
    struct list refused;

    kvs_assert(!n->closing);
    n->closing = true;
    atomic_store(&n->abandon_work, true);
    node_stop_requests(n, KVS_E_STOPPED);
    n->close_cb = cb;
    n->close_ctx = ctx;
    list_init(&refused);
    list_splice_back(&refused, &n->works_refused);
    replica_close(n->replica, node_replica_closed, n); /* `n` may be gone, if none was refused */
    node_works_refused_done(&refused);
}

void node_store_progress(void *node)
{
    struct node *n = node;
    int err = mvcc_failure(n->mvcc);

    if (err != 0) {
        node_report(n, err, "the store cannot be written");
    }
    if (n->closing) {
        node_maybe_closed(n);
        return;
    }
    if (!n->started || n->failed != 0) {
        return;
    }
    replica_stored(n->replica, mvcc_stored_index(n->mvcc));
    node_writes_physical(n);
    n->env.wake(n->env.ctx);
}

void node_tick(struct node *n)
{
    uint64_t now_ms = node_now_ms(n);

    if (n->closing || n->failed != 0 || !n->started) {
        return;
    }
    replica_tick(n->replica);
    mvcc_tick(n->mvcc, now_ms);
    node_writes_tick(n, now_ms);
    node_reads_tick(n, now_ms);
    node_lease_tick(n, now_ms);
    node_member_tick(n, now_ms);
    node_guests_update(n);
    node_watch_tick(n, now_ms);
    node_compactor_tick(n, now_ms);
    n->env.wake(n->env.ctx);
}

void node_store_tick(struct node *n)
{
    if (!n->closing && n->failed == 0 && n->started) {
        mvcc_tick(n->mvcc, node_now_ms(n));
    }
}

void node_flush(struct node *n)
{
    if (n->closing || n->failed != 0 || !n->started) {
        return;
    }
    if (replica_leader(n->replica) != 0) {
        if (!list_empty(&n->unsent)) {
            node_writes_send_unsent(n);
        }
        node_reads_retry(n);
    }
    node_copies_progress(n);
    node_writes_flush_begin(n);
    replica_flush(n->replica);
    node_writes_flush_end(n);
    node_watch_catch_up(n);
}

/* --- accessors --- */

struct mvcc *node_mvcc(struct node *n)
{
    return n->mvcc;
}

struct apply *node_apply(struct node *n)
{
    return n->apply;
}

struct replica *node_replica(struct node *n)
{
    return n->replica;
}

const struct node_config *node_config(const struct node *n)
{
    return &n->config;
}

struct watch_hub *node_watch_hub(struct node *n)
{
    return n->hub;
}

struct lease_table *node_leases(struct node *n)
{
    return apply_leases(n->apply);
}

bool node_is_learner(const struct node *n)
{
    /* A member that has not yet heard of its own place is none of the voters either. */
    return !core_conf_is_voter(replica_conf(n->replica), n->config.member_id);
}

bool node_is_ready(const struct node *n)
{
    return n->started && n->failed == 0 && !n->closing && replica_leader(n->replica) != 0 &&
           replica_term(n->replica) == n->applied_term;
}

int node_move_leader(struct node *n, uint64_t target, struct node_transfer *t)
{
    unsigned timeout_ms = 5 * n->config.election_ms;
    int err = n->failed != 0 || n->closing
                  ? KVS_E_STOPPED
                  : replica_transfer(n->replica, target, timeout_ms, &t->transfer);

    if (err == 0) {
        n->env.wake(n->env.ctx);
    }
    return err;
}
