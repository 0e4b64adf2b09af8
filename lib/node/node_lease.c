/* Leases: only the leader knows when one ends. Keep-alive and time-to-live are answered there;
 * other members forward them as messages and wait.
 *
 *   LEASE_OP_IDLE      -- we lead -----> CONFIRMING --quorum--> (CLEARING) --> answered
 *        ^   `------- another leads ---> FORWARDED --reply------------------> answered
 *        '--- leader changed, no answer for a second ---'
 *
 * A leader acts only after a quorum has confirmed it, and what it proposes is bound to its term:
 * one that was stuck and has been replaced cannot end leases (etcd #15247). */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/sabotage.h"
#include "node/node_int.h"

enum lease_op_state {
    LEASE_OP_IDLE = 0,
    LEASE_OP_CONFIRMING = 1,
    LEASE_OP_CLEARING = 2,
    LEASE_OP_FORWARDED = 3,
};

#define LEASE_FORWARD_RETRY_MS 1000

/* Messages between members, little-endian: type, id of the asker, lease; then by type. */
enum lease_msg_type {
    LEASE_MSG_RENEW = 1,
    LEASE_MSG_TTL = 2,
    LEASE_MSG_REPLY = 3, /* status, ttl, granted ttl */
};

#define LEASE_MSG_HEAD_BYTES  17
#define LEASE_MSG_REPLY_BYTES (LEASE_MSG_HEAD_BYTES + 20)

/* One that another member asked for. */
struct lease_remote_op {
    struct node_lease_op op;
    uint64_t from;
    uint64_t id; /* the asker's */
};

static void lease_op_finish(struct node_lease_op *op, int status)
{
    list_remove(&op->link);
    op->status = status;
    op->cb(op);
}

static void lease_op_detach(struct node_lease_op *op)
{
    if (op->state == LEASE_OP_CONFIRMING) {
        replica_read_cancel(op->node->replica, &op->barrier);
    } else if (op->state == LEASE_OP_CLEARING) {
        node_write_cancel(op->node, &op->clear);
    }
    op->state = LEASE_OP_IDLE;
}

static void lease_op_cleared_cb(struct node_write *w)
{
    struct node_lease_op *op = container_of(w, struct node_lease_op, clear);

    op->state = LEASE_OP_IDLE;
    op->ttl_s = op->renewed_ttl_s;
    lease_op_finish(op, w->status != 0 ? w->status : w->result.status);
}

/* The checkpoint of a renewed lease is cleared before the client is told, so that a later leader
 * does not shorten what was promised. */
static void lease_op_clear(struct node *n, struct node_lease_op *op)
{
    struct lease_checkpoint item = {.id = op->id};
    struct apply_entry entry = {
        .kind = APPLY_LEASE_CHECKPOINT,
        .u.lease_checkpoint = {.items = &item, .n_items = 1},
    };
    int err;

    op->clear = (struct node_write){.cb = lease_op_cleared_cb};
    op->state = LEASE_OP_CLEARING;
    err = node_submit(n, &entry, &op->clear);
    if (err != 0) {
        op->state = LEASE_OP_IDLE;
        lease_op_finish(op, err);
    }
}

static void lease_op_renew(struct node *n, struct node_lease_op *op)
{
    struct lease_renewal renewal;
    int err = lease_renew(apply_leases(n->apply), op->id, node_now_ms(n), &renewal);

    if (err == KVS_E_AGAIN || err == KVS_E_NOT_LEADER) {
        return; /* ended but not yet revoked: the next tick asks again */
    }
    if (err != 0) {
        lease_op_finish(op, err);
        return;
    }
    n->stats.leases_renewed++;
    op->renewed_ttl_s = renewal.ttl_s;
    op->ttl_s = renewal.ttl_s;
    op->granted_ttl_s = renewal.ttl_s;
    if (renewal.clear_checkpoint) {
        lease_op_clear(n, op);
    } else {
        lease_op_finish(op, 0);
    }
}

static void lease_op_look(struct node *n, struct node_lease_op *op)
{
    struct lease_info info;
    int err = lease_time_to_live(apply_leases(n->apply), op->id, node_now_ms(n), &op->ttl_s);

    if (err == KVS_E_NOT_LEADER) {
        return;
    }
    if (err == 0 && lease_get(apply_leases(n->apply), op->id, &info)) {
        op->granted_ttl_s = info.granted_ttl_s;
    }
    lease_op_finish(op, err);
}

static void lease_op_confirmed_cb(struct replica_read *barrier)
{
    struct node_lease_op *op = container_of(barrier, struct node_lease_op, barrier);

    op->state = LEASE_OP_IDLE;
    if (barrier->status == KVS_E_STOPPED) {
        lease_op_finish(op, KVS_E_STOPPED);
    } else if (barrier->status == 0 && op->renew) {
        lease_op_renew(op->node, op);
    } else if (barrier->status == 0) {
        lease_op_look(op->node, op);
    }
}

static void lease_op_forward(struct node *n, struct node_lease_op *op, uint64_t leader)
{
    uint8_t message[LEASE_MSG_HEAD_BYTES];

    message[0] = op->renew ? LEASE_MSG_RENEW : LEASE_MSG_TTL;
    store_le64(message + 1, op->forward_id);
    store_le64(message + 9, (uint64_t)op->id);
    if (replica_send_app(n->replica, leader, (struct kvs_view){message, sizeof message}) == 0) {
        op->state = LEASE_OP_FORWARDED;
        op->sent_ms = node_now_ms(n);
        n->env.wake(n->env.ctx);
    }
}

/* Moves an idle operation on; without a leader it stays idle until the next tick. */
static void lease_op_step(struct node *n, struct node_lease_op *op)
{
    uint64_t leader = replica_leader(n->replica);

    if (op->state != LEASE_OP_IDLE || leader == 0) {
        return;
    }
    if (leader != n->config.member_id) {
        lease_op_forward(n, op, leader);
        return;
    }
    if (sabotaged(SABOTAGE_LEASE_UNCONFIRMED)) {
        lease_op_renew(n, op);
        return;
    }
    op->barrier = (struct replica_read){.cb = lease_op_confirmed_cb};
    if (replica_confirm_leader(n->replica, &op->barrier) == 0) {
        op->state = LEASE_OP_CONFIRMING;
        n->env.wake(n->env.ctx);
    }
}

static int lease_op_submit(struct node *n, struct node_lease_op *op, bool renew)
{
    int err = node_read_check(n, false);

    if (err != 0) {
        return err;
    }
    op->node = n;
    op->renew = renew;
    op->state = LEASE_OP_IDLE;
    op->forward_id = n->next_id++;
    op->deadline_ms = node_deadline_ms(n);
    list_push_back(&n->lease_ops, &op->link);
    lease_op_step(n, op);
    return 0;
}

int node_lease_keepalive(struct node *n, struct node_lease_op *op)
{
    return lease_op_submit(n, op, true);
}

int node_lease_ttl(struct node *n, struct node_lease_op *op)
{
    return lease_op_submit(n, op, false);
}

void node_lease_op_cancel(struct node *n, struct node_lease_op *op)
{
    kvs_assert(op->node == n);
    lease_op_detach(op);
    list_remove(&op->link);
}

/* Callbacks may cancel any other operation: nothing but the front of the list is held on to. */
static void lease_ops_finish_all(struct list *ops, int status)
{
    for (struct list *it = list_pop_front(ops); it != NULL; it = list_pop_front(ops)) {
        struct node_lease_op *op = list_entry(it, struct node_lease_op, link);

        lease_op_detach(op);
        lease_op_finish(op, status);
    }
}

void node_lease_ops_stop(struct node *n, int err)
{
    lease_ops_finish_all(&n->lease_ops, err);
    if (n->lease_confirming) {
        replica_read_cancel(n->replica, &n->lease_confirm);
        n->lease_confirming = false;
    }
}

/* --- messages --- */

static void lease_remote_done_cb(struct node_lease_op *op)
{
    struct lease_remote_op *r = container_of(op, struct lease_remote_op, op);
    uint8_t message[LEASE_MSG_REPLY_BYTES];

    message[0] = LEASE_MSG_REPLY;
    store_le64(message + 1, r->id);
    store_le64(message + 9, (uint64_t)op->id);
    store_le32(message + 17, (uint32_t)op->status);
    store_le64(message + 21, (uint64_t)op->ttl_s);
    store_le64(message + 29, (uint64_t)op->granted_ttl_s);
    if (replica_send_app(op->node->replica, r->from, (struct kvs_view){message, sizeof message}) ==
        0) {
        op->node->env.wake(op->node->env.ctx);
    } /* else: the asker asks again */
    kvs_free(r);
}

static void lease_remote_start(struct node *n, uint64_t from, struct kvs_view data)
{
    const uint8_t *bytes = data.data;
    struct lease_remote_op *r;

    if (!replica_is_leader(n->replica)) {
        return; /* the asker sees the new leader itself */
    }
    r = kvs_calloc(1, sizeof *r);
    if (r == NULL) {
        return;
    }
    r->from = from;
    r->id = load_le64(bytes + 1);
    r->op.id = (kvs_lease_id)load_le64(bytes + 9);
    r->op.cb = lease_remote_done_cb;
    if (lease_op_submit(n, &r->op, bytes[0] == LEASE_MSG_RENEW) != 0) {
        kvs_free(r);
    }
}

static void lease_reply(struct node *n, const uint8_t *bytes)
{
    uint64_t id = load_le64(bytes + 1);
    int status = (int32_t)load_le32(bytes + 17);

    LIST_FOREACH(it, &n->lease_ops)
    {
        struct node_lease_op *op = list_entry(it, struct node_lease_op, link);

        if (op->forward_id == id && op->state == LEASE_OP_FORWARDED) {
            op->ttl_s = (int64_t)load_le64(bytes + 21);
            op->granted_ttl_s = (int64_t)load_le64(bytes + 29);
            lease_op_finish(op, status);
            return;
        }
    }
}

void node_lease_message(struct node *n, uint64_t from, struct kvs_view data)
{
    const uint8_t *bytes = data.data;

    if (data.len == LEASE_MSG_REPLY_BYTES && bytes[0] == LEASE_MSG_REPLY) {
        lease_reply(n, bytes);
    } else if (data.len == LEASE_MSG_HEAD_BYTES &&
               (bytes[0] == LEASE_MSG_RENEW || bytes[0] == LEASE_MSG_TTL)) {
        lease_remote_start(n, from, data);
    } else {
        log_warn(n->env.log, "message of an unknown kind ignored", LOG_HEX("from", from));
    }
}

/* --- expiry and checkpoints --- */

static void lease_propose_expired(struct node *n)
{
    kvs_lease_id ids[LEASE_EXPIRED_SCAN_MAX];
    size_t n_ids = lease_expired(apply_leases(n->apply), node_now_ms(n), ids, ARRAY_LEN(ids));

    for (size_t i = 0; i < n_ids; i++) {
        struct apply_entry entry = {
            .kind = APPLY_LEASE_REVOKE,
            .u.lease_revoke = {.id = ids[i], .only_term = replica_term(n->replica)},
        };

        if (node_submit_quiet(n, &entry) == 0) {
            n->stats.leases_expired++;
        }
    }
}

static void lease_propose_checkpoints(struct node *n)
{
    struct lease_checkpoint items[64];
    struct apply_entry entry = {
        .kind = APPLY_LEASE_CHECKPOINT,
        .u.lease_checkpoint = {.items = items, .only_term = replica_term(n->replica)},
    };

    entry.u.lease_checkpoint.n_items =
        lease_checkpoints_due(apply_leases(n->apply), node_now_ms(n), items, ARRAY_LEN(items));
    if (entry.u.lease_checkpoint.n_items > 0 && node_submit_quiet(n, &entry) != 0) {
        log_debug(n->env.log, "checkpoints of leases were not proposed"); /* due again later */
    }
}

static void lease_confirmed_cb(struct replica_read *barrier)
{
    struct node *n = container_of(barrier, struct node, lease_confirm);

    n->lease_confirming = false;
    if (barrier->status == 0 && !n->closing) {
        lease_propose_expired(n);
        lease_propose_checkpoints(n);
    }
}

static void lease_scan(struct node *n, uint64_t now_ms)
{
    if (n->lease_confirming || !replica_is_leader(n->replica) ||
        lease_next_due_ms(apply_leases(n->apply)) > now_ms) {
        return;
    }
    if (sabotaged(SABOTAGE_LEASE_OLD_LEADER)) {
        lease_propose_expired(n);
        return;
    }
    n->lease_confirm = (struct replica_read){.cb = lease_confirmed_cb};
    if (replica_confirm_leader(n->replica, &n->lease_confirm) == 0) {
        n->lease_confirming = true;
        n->env.wake(n->env.ctx);
    }
}

void node_lease_leader_changed(struct node *n, bool we_lead)
{
    struct lease_table *leases = apply_leases(n->apply);

    if (!we_lead) {
        lease_demote(leases);
    } else if (!lease_is_leader(leases)) {
        lease_promote(leases, node_now_ms(n), n->config.election_ms);
    }
    LIST_FOREACH(it, &n->lease_ops)
    {
        struct node_lease_op *op = list_entry(it, struct node_lease_op, link);

        if (op->state == LEASE_OP_FORWARDED) {
            op->state = LEASE_OP_IDLE; /* the old leader's answer may never come */
        }
    }
}

void node_lease_tick(struct node *n, uint64_t now_ms)
{
    struct list due;

    list_init(&due);
    LIST_FOREACH_SAFE(it, after, &n->lease_ops)
    {
        struct node_lease_op *op = list_entry(it, struct node_lease_op, link);

        if (op->deadline_ms <= now_ms) {
            list_remove(&op->link);
            list_push_back(&due, &op->link);
            continue;
        }
        if (op->state == LEASE_OP_FORWARDED && now_ms - op->sent_ms >= LEASE_FORWARD_RETRY_MS) {
            op->state = LEASE_OP_IDLE;
        }
        lease_op_step(n, op);
    }
    lease_ops_finish_all(&due, KVS_E_TIMEOUT);
    if (now_ms >= n->lease_scan_due_ms) {
        n->lease_scan_due_ms = now_ms + LEASE_SCAN_INTERVAL_MS;
        lease_scan(n, now_ms);
    }
}
