/* One turn of the replica: what was recorded goes to the core, the core's effects go where they
 * belong. The order inside a round of effects:
 *
 *   persist -> messages -> answers of reads, refusals -> role -> configuration -> snapshots ->
 * apply
 *
 * The core holds back whatever depends on a disk write, so a message may leave before the batch of
 * the same round is on disk. Apply comes last because core_applied() ends the life of the effects.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "replica/replica_int.h"

/* ---- persist ---- */

static void job_free(struct replica_job *job)
{
    for (size_t i = 0; i < job->n; i++) {
        rcbuf_unref(job->owners[i]);
    }
    kvs_free(job);
}

static void job_done_cb(struct log_job *log_job)
{
    struct replica_job *job = container_of(log_job, struct replica_job, job);
    struct replica *r = job->r;
    uint64_t seq = job->seq;
    int status = log_job->status;

    job_free(job);
    r->n_async--;
    if (r->closing) {
        replica_maybe_closed(r);
        return;
    }
    if (status != 0) {
        replica_fail(r, status, "the write-ahead log failed");
        return;
    }
    if (!r->failed && replica_core_ok(r, core_persisted(r->core, seq))) {
        replica_wake(r);
    }
}

/* One allocation: the job, its entries and their owners. */
static struct replica_job *job_new(struct replica *r, size_t n)
{
    struct replica_job *job =
        kvs_malloc(sizeof *job + n * (sizeof *job->entries + sizeof *job->owners));

    if (job == NULL) {
        return NULL;
    }
    *job = (struct replica_job){.r = r, .n = n};
    job->entries = (struct wal_entry *)(job + 1);
    job->owners = (struct rcbuf **)(job->entries + n);
    return job;
}

static void job_add(struct replica_job *job, size_t at, uint64_t index, const struct core_entry *e)
{
    kvs_assert(e != NULL);
    job->entries[at] = (struct wal_entry){
        .index = index,
        .term = e->term,
        .type = (uint8_t)e->type,
        .data = e->data,
    };
    job->owners[at] = e->owner != NULL ? rcbuf_ref(e->owner) : NULL;
}

static void flush_persist(struct replica *r, const struct core_persist *p)
{
    size_t n = p->from <= p->to && p->from != 0 ? (size_t)(p->to - p->from + 1) : 0;
    struct replica_job *job;

    if (p->seq == 0) {
        return;
    }
    job = job_new(r, n);
    if (job == NULL) {
        replica_fail(r, KVS_E_NOMEM, "out of memory for a log batch");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        job_add(job, i, p->from + i, core_entry(r->core, p->from + i));
    }
    job->seq = p->seq;
    job->job.type = LOG_APPEND;
    job->job.has_hard = p->hard_changed;
    job->job.hard = (struct wal_hard_state){p->hard.term, p->hard.vote, p->hard.commit};
    job->job.reset = p->reset;
    job->job.index = p->reset ? p->reset_index : 0;
    job->job.term = p->reset ? p->reset_term : 0;
    job->job.entries = job->entries;
    job->job.n_entries = n;
    job->job.done_cb = job_done_cb;
    r->n_async++;
    log_submit(r->log_device, &job->job);
}

/* ---- messages ---- */

static void flush_messages(struct replica *r, const struct core_effects *e)
{
    for (size_t i = 0; i < e->n_messages; i++) {
        struct rcbuf *frame = peer_msg_encode(&e->messages[i]);

        if (frame == NULL) {
            /* As if the network had lost it: the core repeats what matters. */
            log_warn(r->log, "message to peer dropped",
                     LOG_STR("type", core_msg_name(e->messages[i].type)),
                     LOG_HEX("peer-id", e->messages[i].to));
            continue;
        }
        transport_send(r->transport, e->messages[i].to, TRANSPORT_RAFT, frame);
    }
}

/* ---- role ---- */

static void flush_leader(struct replica *r, const struct core_status *before)
{
    const struct core_status *now = &r->status;

    if (now->leader == before->leader && now->term == before->term && now->role == before->role) {
        return;
    }
    log_info(r->log, "raft state", LOG_STR("role", core_role_name(now->role)),
             LOG_HEX("member-id", r->config.member_id), LOG_U64("term", now->term),
             LOG_HEX("leader", now->leader));
    if (now->leader != CORE_NONE &&
        (now->leader != r->leader_seen || now->term != r->leader_seen_term)) {
        if (r->leader_seen != CORE_NONE) {
            replica_reads_fail(r, KVS_E_LEADER_CHANGED);
        }
        r->leader_changes += now->leader != r->leader_seen ? 1 : 0;
        r->leader_seen = now->leader;
        r->leader_seen_term = now->term;
    }
    replica_transfer_check(r);
    if (now->leader != before->leader || now->term != before->term ||
        (now->role == CORE_LEADER) != (before->role == CORE_LEADER)) {
        r->owner.leader_changed(r->ctx, now->leader, now->term, now->role == CORE_LEADER);
    }
}

static void flush_status(struct replica *r)
{
    struct core_status before = r->status;

    core_status(r->core, &r->status);
    flush_leader(r, &before);
    if (r->status.role != CORE_LEADER && before.role == CORE_LEADER) {
        LIST_FOREACH(it, &r->sends)
        {
            replica_send_lost(r, list_entry(it, struct snap_send, node)->peer);
        }
    }
}

/* ---- configuration ---- */

uint64_t replica_conf_id(struct kvs_view bytes, struct kvs_view *ret_context)
{
    if (bytes.len < REPLICA_CONF_ID_BYTES) {
        *ret_context = (struct kvs_view){0};
        return 0;
    }
    *ret_context = (struct kvs_view){(const uint8_t *)bytes.data + REPLICA_CONF_ID_BYTES,
                                     bytes.len - REPLICA_CONF_ID_BYTES};
    return load_le64(bytes.data);
}

/* Of the CONFIG entry at `index`; empty if it is not in memory or has none. */
static struct kvs_view conf_context(const struct replica *r, uint64_t index)
{
    const struct core_entry *e = core_entry(r->core, index);
    struct kvs_view context = {0};
    struct kvs_view bytes;
    struct core_conf conf;

    if (e != NULL && e->type == CORE_ENTRY_CONFIG &&
        core_conf_entry_decode(e->data, &conf, &bytes) == 0) {
        (void)replica_conf_id(bytes, &context);
    }
    return context;
}

uint64_t replica_conf_next(const struct replica *r, uint64_t after, struct kvs_view *ret_context)
{
    uint64_t index;

    kvs_assert(r->core != NULL);
    index = core_conf_after(r->core, after);
    *ret_context = index != 0 ? conf_context(r, index) : (struct kvs_view){0};
    return index;
}

static void flush_conf(struct replica *r)
{
    r->conf_told = true;
    if (core_conf(r->core)->voters.n == 0) {
        return; /* A joining member that has heard nothing yet. */
    }
    r->owner.conf_appended(r->ctx, core_conf(r->core));
}

static void apply_conf(struct replica *r, uint64_t index, const struct core_entry *e)
{
    struct core_conf conf;
    struct kvs_view bytes;
    struct kvs_view context;
    uint64_t id;

    if (core_conf_entry_decode(e->data, &conf, &bytes) != 0) {
        replica_fail(r, KVS_E_DAMAGED, "a committed configuration cannot be decoded");
        return;
    }
    id = replica_conf_id(bytes, &context);
    r->owner.conf_applied(r->ctx, index, &conf, context);
    r->owner.apply(r->ctx, index, e);
    /* Last: whoever asked for the change finds it made. */
    replica_conf_seen(r, index, &conf, id);
}

/* ---- apply ---- */

static bool flush_may_apply(const struct replica *r)
{
    return !r->failed && r->applied < r->apply_to &&
           (r->recv == NULL || r->recv->state != SNAP_RECV_FINISHING);
}

/* A bounded piece, so that catching up does not keep heartbeats waiting. */
static void flush_apply(struct replica *r)
{
    size_t bytes = 0;
    size_t n = 0;

    if (!flush_may_apply(r)) {
        return;
    }
    while (flush_may_apply(r) && n < REPLICA_APPLY_ENTRIES && bytes < REPLICA_APPLY_BYTES) {
        uint64_t index = r->applied + 1;
        const struct core_entry *e = core_entry(r->core, index);

        kvs_assert(e != NULL);
        if (e->type == CORE_ENTRY_CONFIG) {
            apply_conf(r, index, e);
        } else {
            r->owner.apply(r->ctx, index, e);
        }
        if (r->failed) {
            break;
        }
        r->applied = index;
        replica_keep_applied(r, e);
        bytes += e->data.len;
        n++;
    }
    r->owner.apply_batch_end(r->ctx);
}

/* ---- the round ---- */

static void flush_removed(struct replica *r)
{
    if (!r->removed_told) {
        r->removed_told = true;
        r->owner.removed(r->ctx);
    }
}

static void flush_effects(struct replica *r, const struct core_effects *e)
{
    flush_persist(r, &e->persist);
    flush_messages(r, e);
    for (size_t i = 0; i < e->n_reads; i++) {
        replica_read_answer(r, &e->reads[i]);
    }
    for (size_t i = 0; i < e->n_dropped; i++) {
        replica_requests_refused(r, &e->dropped[i]);
    }
    flush_status(r);
    if (e->conf_changed || !r->conf_told) {
        flush_conf(r);
    }
    for (size_t i = 0; i < e->n_snapshot_to; i++) {
        replica_send_start(r, e->snapshot_to[i]);
    }
    if (e->offered) {
        replica_recv_offer(r, e->offer_from, e->offer_index);
    }
    if (e->removed_self) {
        r->removed_heard = true;
    }
    if (e->apply_to > r->apply_to) {
        r->apply_to = e->apply_to;
    }
    flush_apply(r);
}

static void flush_round(struct replica *r)
{
    uint64_t applied = r->applied;
    struct core_effects e;
    int rc;

    r->dirty = false;
    rc = core_effects(r->core, &e);
    if (rc != 0) {
        replica_fail(r, rc, "out of memory in the Raft core");
        return;
    }
    r->in_effects = true;
    flush_effects(r, &e);
    r->in_effects = false;
    if (r->failed) {
        return;
    }
    if (r->applied > applied) {
        core_applied(r->core, r->applied);
        r->dirty = true;
    }
    replica_recv_settle(r);
    replica_reads_complete(r);
}

static void flush_ticks(struct replica *r)
{
    unsigned due = r->ticks_due;

    /* After a stall (or a suspended machine) time is not made up for: an election would start
     * before the heartbeats that wait in the sockets are read. */
    r->ticks_due = 0;
    if (due == 0) {
        return;
    }
    if (!replica_core_ok(r, core_tick(r->core))) {
        return;
    }
    replica_requests_tick(r);
    r->keep_due = r->kept_first <= r->stored; /* A follower may have caught up. */
}

void replica_flush(struct replica *r)
{
    if (!r->started || r->failed || r->closing) {
        return;
    }
    kvs_assert(!r->in_flush);
    r->in_flush = true;
    flush_ticks(r);
    replica_sends_step(r);
    replica_recv_step(r);
    for (int i = 0; i < REPLICA_FLUSH_ROUNDS && !r->failed; i++) {
        if (r->keep_due && !r->failed) {
            replica_keep(r);
        }
        replica_submit_requests(r);
        if (r->failed || (!r->dirty && !flush_may_apply(r))) {
            break;
        }
        flush_round(r);
    }
    if (r->removed_heard && !r->failed) {
        flush_removed(r);
    }
    transport_flush(r->transport);
    r->in_flush = false;
    if (r->dirty || r->keep_due || flush_may_apply(r) || replica_requests_waiting(r)) {
        replica_wake(r);
    }
}
