/* Writes: a request becomes an entry, the entry is proposed, and when it is applied here its
 * request is found again by id and answered.
 *
 *   submit -> unsent --leader--> fresh --flush--> proposed --applied--> answered
 *                ^                                   |  `--(compact physical)--> answered later
 *                '------- new term, refused ---------'  `--deadline--> outcome unknown
 *
 * A write waits while there is no leader. It is proposed again, so that clients do not notice a
 * change of leader, when it is surely lost: it was refused, or an entry of a later term than that
 * of its proposal has been applied. The latter holds because terms in a log never descend, and a
 * proposal travels to the leader with its term, so that a leader of a later one drops it.
 *
 * What was proposed before a snapshot is installed may be part of it: such a write is never
 * proposed again.
 *
 * The term of a proposal is known only after the flush that handed it to the core, as an upper
 * bound: `fresh` writes have none yet. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/sabotage.h"
#include "base/view.h"
#include "node/node_int.h"

uint64_t node_deadline_ms(const struct node *n)
{
    return node_now_ms(n) + NODE_REQUEST_BASE_MS + 2 * (uint64_t)n->config.election_ms;
}

static void node_write_forget(struct node *n, struct node_write *w)
{
    (void)map_remove(&n->writes_by_id, w->id);
    list_remove(&w->link);
    rcbuf_unref(w->entry);
    w->entry = NULL;
}

static void node_write_finish(struct node *n, struct node_write *w, int status)
{
    node_write_forget(n, w);
    w->status = status;
    w->cb(w);
}

void node_writes_finish_all(struct node *n, struct list *writes, int status)
{
    for (struct list *it = list_pop_front(writes); it != NULL; it = list_pop_front(writes)) {
        node_write_finish(n, list_entry(it, struct node_write, link), status);
    }
}

/* Hands the entry to the replica; a write that finds no leader waits for one. */
static int node_write_propose(struct node *n, struct node_write *w)
{
    struct rcbuf *entry = rcbuf_ref(w->entry);
    int err = replica_propose_buf(n->replica, entry, &w->batch);

    list_remove(&w->link);
    w->term = 0;
    if (err == 0) {
        list_push_back(&n->fresh, &w->link);
        return 0;
    }
    rcbuf_unref(entry);
    if (err == KVS_E_NO_LEADER || err == KVS_E_BUSY) {
        list_push_back(&n->unsent, &w->link);
        return 0;
    }
    return err;
}

static int node_write_check(struct node *n, const struct apply_entry *entry)
{
    if (n->failed != 0 || n->closing || !n->started) {
        return KVS_E_STOPPED;
    }
    if (node_is_learner(n)) {
        return KVS_E_NOT_SUPPORTED_FOR_LEARNER;
    }
    if (n->writes_by_id.count >= NODE_WRITES_MAX || mvcc_is_busy(n->mvcc)) {
        return KVS_E_TOO_MANY_REQUESTS;
    }
    return apply_alarm_check(n->apply, entry);
}

int node_submit(struct node *n, const struct apply_entry *entry, struct node_write *w)
{
    struct apply_entry numbered = *entry;
    int err = node_write_check(n, entry);

    if (err != 0) {
        return err;
    }
    numbered.request_id = n->next_id++;
    buf_clear(&n->scratch);
    err = apply_encode(&numbered, &n->scratch);
    if (err != 0) {
        return err;
    }
    if (n->scratch.len > n->config.max_request_bytes) {
        return KVS_E_REQUEST_TOO_LARGE;
    }
    w->entry = rcbuf_copy(buf_view(&n->scratch));
    if (w->entry == NULL) {
        return KVS_E_NOMEM;
    }
    w->id = numbered.request_id;
    w->deadline_ms = node_deadline_ms(n);
    list_init(&w->link);
    err = map_put(&n->writes_by_id, w->id, w);
    if (err == 0) {
        err = node_write_propose(n, w);
    }
    if (err != 0) {
        node_write_forget(n, w);
        return err;
    }
    n->env.wake(n->env.ctx);
    return 0;
}

int node_submit_quiet(struct node *n, struct apply_entry *entry)
{
    int err;

    entry->request_id = 0;
    buf_clear(&n->scratch);
    err = apply_encode(entry, &n->scratch);
    if (err == 0) {
        err = replica_propose(n->replica, buf_view(&n->scratch), NULL);
    }
    if (err == 0) {
        n->env.wake(n->env.ctx);
    }
    return err;
}

void node_write_applied(struct node *n, struct node_write *w, const struct apply_result *result)
{
    w->result = *result;
    if (w->physical != 0 && result->status == 0 && mvcc_physical_revision(n->mvcc) < w->physical) {
        list_remove(&w->link);
        list_push_back(&n->physical, &w->link);
        return;
    }
    node_write_finish(n, w, 0);
}

void node_writes_physical(struct node *n)
{
    struct list done;

    list_init(&done);
    LIST_FOREACH_SAFE(it, after, &n->physical)
    {
        struct node_write *w = list_entry(it, struct node_write, link);

        if (mvcc_physical_revision(n->mvcc) >= w->physical) {
            list_remove(&w->link);
            list_push_back(&done, &w->link);
        }
    }
    node_writes_finish_all(n, &done, 0);
}

void node_writes_flush_begin(struct node *n)
{
    kvs_assert(list_empty(&n->flushing));
    list_splice_back(&n->flushing, &n->fresh);
}

void node_writes_flush_end(struct node *n)
{
    LIST_FOREACH(it, &n->flushing)
    {
        list_entry(it, struct node_write, link)->term = replica_term(n->replica);
    }
    list_splice_back(&n->writes, &n->flushing);
}

static void node_writes_dropped_in(struct node *n, struct list *writes, uint64_t batch, int reason)
{
    struct list refused;

    list_init(&refused);
    LIST_FOREACH_SAFE(it, after, writes)
    {
        struct node_write *w = list_entry(it, struct node_write, link);

        if (w->batch == batch) {
            list_remove(&w->link);
            list_push_back(reason == KVS_E_TOO_MANY_REQUESTS ? &refused : &n->unsent, &w->link);
        }
    }
    node_writes_finish_all(n, &refused, reason);
}

void node_writes_dropped(struct node *n, uint64_t batch, int reason)
{
    node_writes_dropped_in(n, &n->flushing, batch, reason);
    node_writes_dropped_in(n, &n->writes, batch, reason);
}

void node_writes_new_term(struct node *n, uint64_t term)
{
    LIST_FOREACH_SAFE(it, after, &n->writes)
    {
        struct node_write *w = list_entry(it, struct node_write, link);

        if (w->term < term || sabotaged(SABOTAGE_WRITE_RETRIED_BLINDLY)) {
            list_remove(&w->link);
            list_push_back(&n->unsent, &w->link);
        }
    }
}

/* A snapshot may hold what was proposed before it, without saying so: such a write can be answered
 * any more only if it comes after it, and must never be proposed again. */
void node_writes_snapshot(struct node *n)
{
    LIST_FOREACH(it, &n->writes)
    {
        if (sabotaged(SABOTAGE_WRITE_RETRIED_AFTER_SNAPSHOT)) {
            break;
        }
        list_entry(it, struct node_write, link)->term = NODE_TERM_NEVER_LOST;
    }
}

void node_writes_send_unsent(struct node *n)
{
    struct list waiting;

    list_init(&waiting);
    list_splice_back(&waiting, &n->unsent);
    for (struct list *it = list_pop_front(&waiting); it != NULL; it = list_pop_front(&waiting)) {
        struct node_write *w = list_entry(it, struct node_write, link);
        int err = node_write_propose(n, w);

        if (err != 0) {
            node_write_finish(n, w, err);
        }
    }
}

void node_writes_take_due(struct list *writes, uint64_t now_ms, struct list *ret_due)
{
    list_init(ret_due);
    LIST_FOREACH_SAFE(it, after, writes)
    {
        struct node_write *w = list_entry(it, struct node_write, link);

        if (w->deadline_ms <= now_ms) {
            list_remove(&w->link);
            list_push_back(ret_due, &w->link);
        }
    }
}

static void node_writes_expire(struct node *n, struct list *writes, uint64_t now_ms)
{
    struct list due;

    node_writes_take_due(writes, now_ms, &due);
    for (struct list *it = list_pop_front(&due); it != NULL; it = list_pop_front(&due)) {
        struct node_write *w = list_entry(it, struct node_write, link);
        bool lost_leader = w->term != 0 &&
                           (w->term != replica_term(n->replica) || replica_leader(n->replica) == 0);

        node_write_finish(n, w, lost_leader ? KVS_E_TIMEOUT_LEADER_FAIL : KVS_E_TIMEOUT);
    }
}

void node_writes_tick(struct node *n, uint64_t now_ms)
{
    if (!list_empty(&n->unsent)) {
        node_writes_send_unsent(n);
    }
    node_writes_expire(n, &n->writes, now_ms);
    node_writes_expire(n, &n->fresh, now_ms);
    node_writes_expire(n, &n->unsent, now_ms);
    node_refused_tick(n, now_ms);
}

void node_writes_stop(struct node *n, int err)
{
    kvs_assert(list_empty(&n->flushing)); /* never from inside a flush */
    node_writes_finish_all(n, &n->writes, err);
    node_writes_finish_all(n, &n->fresh, err);
    node_writes_finish_all(n, &n->unsent, err);
    node_writes_finish_all(n, &n->physical, err);
    node_writes_finish_all(n, &n->refused, err);
}

void node_write_cancel(struct node *n, struct node_write *w)
{
    node_write_forget(n, w);
}

int node_put(struct node *n, const struct kvs_put_req *req, struct node_write *w)
{
    struct apply_entry entry = {.kind = APPLY_PUT, .u.put = *req};
    int err = mvcc_put_check(req);

    w->physical = 0;
    if (err == 0 && !node_has_space(n, 256 + req->key.len + req->value.len)) {
        return node_refuse(n, w);
    }
    return err != 0 ? err : node_submit(n, &entry, w);
}

int node_delete(struct node *n, const struct kvs_delete_req *req, struct node_write *w)
{
    struct apply_entry entry = {.kind = APPLY_DELETE, .u.del = *req};
    int err = mvcc_delete_check(req);

    w->physical = 0;
    return err != 0 ? err : node_submit(n, &entry, w);
}

static size_t node_txn_cost(const struct kvs_txn_req *req);

static size_t node_ops_cost(const struct kvs_op *ops, size_t n_ops)
{
    size_t cost = 0;

    for (size_t i = 0; i < n_ops; i++) {
        if (ops[i].type == KVS_OP_PUT) {
            cost += 256 + ops[i].u.put.key.len + ops[i].u.put.value.len;
        } else if (ops[i].type == KVS_OP_TXN) {
            cost += node_txn_cost(ops[i].u.txn);
        }
    }
    return cost;
}

/* The dearer branch; depth was bounded when the request was checked. */
static size_t node_txn_cost(const struct kvs_txn_req *req)
{
    size_t success = node_ops_cost(req->success, req->n_success);
    size_t failure = node_ops_cost(req->failure, req->n_failure);

    return success > failure ? success : failure;
}

int node_txn(struct node *n, const struct kvs_txn_req *req, struct node_write *w)
{
    struct apply_entry entry = {.kind = APPLY_TXN, .u.txn = *req};
    int err = mvcc_txn_check(req, n->config.max_txn_ops);
    size_t cost = err == 0 ? node_txn_cost(req) : 0;

    w->physical = 0;
    if (cost > 0 && !node_has_space(n, cost)) {
        return node_refuse(n, w);
    }
    return err != 0 ? err : node_submit(n, &entry, w);
}

int node_compact(struct node *n, const struct kvs_compact_req *req, struct node_write *w)
{
    struct apply_entry entry = {.kind = APPLY_COMPACT, .u.compact = *req};

    w->physical = req->physical ? req->revision : 0;
    return node_submit(n, &entry, w);
}

int node_lease_grant(struct node *n, const struct kvs_lease_grant_req *req, struct node_write *w)
{
    struct apply_entry entry = {.kind = APPLY_LEASE_GRANT, .u.lease_grant = *req};
    int err = lease_ttl_adjust(req->ttl_s, lease_ttl_min_s(n->config.election_ms),
                               &entry.u.lease_grant.ttl_s);

    w->physical = 0;
    if (err == 0 && !node_has_space(n, 64)) {
        return node_refuse(n, w);
    }
    while (entry.u.lease_grant.id == 0 ||
           (req->id == 0 && lease_get(apply_leases(n->apply), entry.u.lease_grant.id, NULL))) {
        entry.u.lease_grant.id = (kvs_lease_id)(rng_next(&n->rng) >> 1);
    }
    return err != 0 ? err : node_submit(n, &entry, w);
}

int node_lease_revoke(struct node *n, kvs_lease_id id, struct node_write *w)
{
    struct apply_entry entry = {.kind = APPLY_LEASE_REVOKE, .u.lease_revoke = {.id = id}};

    w->physical = 0;
    return node_submit(n, &entry, w);
}

int node_alarm(struct node *n, const struct kvs_alarm_req *req, struct node_write *w)
{
    struct apply_entry entry = {
        .kind = APPLY_ALARM,
        .u.alarm = {.activate = req->action == KVS_ALARM_ACTIVATE,
                    .type = req->type,
                    .member_id = req->member_id},
    };

    if (req->action != KVS_ALARM_ACTIVATE && req->action != KVS_ALARM_DEACTIVATE) {
        return KVS_E_INVALID;
    }
    w->physical = 0;
    return node_submit(n, &entry, w);
}
