/* A unary call on the node of this process: what the gRPC services do between decoding and
 * encoding, with the same calls into lib/node.
 *
 *   sent -> there: started --(callback)--> returned -> back: done
 *             `-- canceled, or too late: the client is answered at once, the rest is dropped
 *
 * The message and its cancellation each come back; the storage goes with the later one. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "client/embedded_int.h"
#include "mvcc/range.h"
#include "rpc/etcd_pb.h"

/* What `start` answers besides 0 (the response is filled) and KVS_E_*. */
enum { CALL_LATER = 1 };

struct node_call {
    struct embedded_msg msg;
    struct embedded_msg cancel;
    /* The client's thread: */
    struct client_call *call; /* NULL: has been answered */
    struct loop_timer timeout;
    unsigned n_out; /* of `msg` and `cancel` */
    /* Whose the message is: */
    const struct call_type *type;
    struct arena arena; /* of the request */
    const void *req;
    void *resp;
    /* The node's thread: */
    struct node *node;
    struct kvs_header header;
    bool pending; /* a callback will come */
    union {
        struct node_write write;
        struct node_read read;
        struct node_lease_op lease;
        struct node_change change;
        struct node_transfer transfer;
        struct node_hash hash;
    } u;
};

struct call_type {
    int (*start)(struct node_call *c, struct node *n);
    /* The write's answer into the response. */
    void (*take)(const struct apply_result *result, void *resp);
    /* NULL: cannot be cancelled, only awaited. */
    void (*cancel)(struct node_call *c);
};

static void call_return(struct node_call *c, int status)
{
    c->pending = false;
    embedded_return(&c->msg, status);
}

static int call_later(struct node_call *c, int err)
{
    c->pending = err == 0;
    return err != 0 ? err : CALL_LATER;
}

/* ---- writes ---- */

static void write_cb(struct node_write *w)
{
    struct node_call *c = container_of(w, struct node_call, u.write);
    int err = w->status != 0 ? w->status : w->result.status;

    if (err == 0) {
        /* Every response begins with its header: the revision is the operation's. */
        struct kvs_header *header = c->resp;
        kvs_revision revision;

        c->type->take(&w->result, c->resp);
        revision = header->revision;
        *header = node_header(c->node);
        header->revision = revision;
    }
    call_return(c, err);
}

static struct node_write *write_init(struct node_call *c)
{
    c->u.write = (struct node_write){.cb = write_cb, .arena = client_resp_arena(c->resp)};
    return &c->u.write;
}

static void write_cancel(struct node_call *c)
{
    node_write_cancel(c->node, &c->u.write);
}

/* X(name, response's struct, member of the result) */
#define WRITES(X)                                                                                  \
    X(put, struct kvs_put_resp, put)                                                               \
    X(delete, struct kvs_delete_resp, del)                                                         \
    X(txn, struct kvs_txn_resp, txn)                                                               \
    X(compact, struct kvs_compact_resp, compact)                                                   \
    X(lease_grant, struct kvs_lease_grant_resp, lease_grant)                                       \
    X(lease_revoke, struct kvs_lease_revoke_resp, lease_revoke)                                    \
    X(alarm, struct kvs_alarm_list_resp, alarm)

#define X(name, type, member)                                                                      \
    _Static_assert(offsetof(type, header) == 0, "write_cb fills the header in");                   \
    static void name##_take(const struct apply_result *result, void *resp)                         \
    {                                                                                              \
        memcpy(resp, &result->u.member, sizeof(type));                                             \
    }
WRITES(X)
#undef X

static int put_start(struct node_call *c, struct node *n)
{
    return call_later(c, node_put(n, c->req, write_init(c)));
}

static int delete_start(struct node_call *c, struct node *n)
{
    return call_later(c, node_delete(n, c->req, write_init(c)));
}

static int compact_start(struct node_call *c, struct node *n)
{
    return call_later(c, node_compact(n, c->req, write_init(c)));
}

static int lease_grant_start(struct node_call *c, struct node *n)
{
    return call_later(c, node_lease_grant(n, c->req, write_init(c)));
}

static int lease_revoke_start(struct node_call *c, struct node *n)
{
    const struct kvs_lease_revoke_req *req = c->req;

    return call_later(c, node_lease_revoke(n, req->id, write_init(c)));
}

/* ---- reads: each has an `answer`, now or when the read index is confirmed ---- */

static void read_cancel(struct node_call *c)
{
    node_read_cancel(c->node, &c->u.read);
}

static int read_later(struct node_call *c, struct node *n, void (*cb)(struct node_read *r))
{
    c->u.read = (struct node_read){.cb = cb};
    return call_later(c, node_read(n, &c->u.read));
}

static int range_answer(struct node_call *c)
{
    struct kvs_range_resp *resp = c->resp;
    struct mvcc_read read;
    int err;

    node_stats(c->node)->ranges++;
    mvcc_read_begin(node_mvcc(c->node), &read);
    err = mvcc_range(&read, c->req, client_resp_arena(resp), resp);
    if (err == 0) {
        err = range_copy_bytes(client_resp_arena(resp), resp);
    }
    mvcc_read_end(&read);
    resp->header = node_header(c->node);
    return err;
}

static void range_read_cb(struct node_read *r)
{
    struct node_call *c = container_of(r, struct node_call, u.read);

    call_return(c, r->status != 0 ? r->status : range_answer(c));
}

static int range_start(struct node_call *c, struct node *n)
{
    const struct kvs_range_req *req = c->req;
    int err = mvcc_range_check(req);

    if (err == 0) {
        err = node_read_check(n, req->serializable);
    }
    if (err != 0) {
        return err;
    }
    return req->serializable ? range_answer(c) : read_later(c, n, range_read_cb);
}

static int txn_answer(struct node_call *c)
{
    struct kvs_txn_resp *resp = c->resp;
    struct mvcc_read read;
    kvs_revision revision;
    int err;

    mvcc_read_begin(node_mvcc(c->node), &read);
    err = mvcc_read_txn(&read, c->req, client_resp_arena(resp), resp);
    if (err == 0) {
        err = pb_own(client_resp_arena(resp), &etcd_pb_txn_resp, resp);
    }
    mvcc_read_end(&read);
    revision = resp->header.revision;
    resp->header = node_header(c->node);
    resp->header.revision = revision;
    return err;
}

static void txn_read_cb(struct node_read *r)
{
    struct node_call *c = container_of(r, struct node_call, u.read);

    call_return(c, r->status != 0 ? r->status : txn_answer(c));
}

/* A transaction that cannot write is no proposal: it is answered like a range. */
static int txn_read_start(struct node_call *c, struct node *n)
{
    bool serializable = mvcc_txn_is_serializable(c->req);
    int err = mvcc_txn_check(c->req, node_config(n)->max_txn_ops);

    if (err == 0) {
        err = node_read_check(n, serializable);
    }
    if (err != 0) {
        return err;
    }
    return serializable ? txn_answer(c) : read_later(c, n, txn_read_cb);
}

static int txn_start(struct node_call *c, struct node *n)
{
    if (mvcc_txn_is_readonly(c->req)) {
        return txn_read_start(c, n);
    }
    return call_later(c, node_txn(n, c->req, write_init(c)));
}

static void txn_cancel(struct node_call *c)
{
    if (mvcc_txn_is_readonly(c->req)) {
        read_cancel(c);
    } else {
        write_cancel(c);
    }
}

/* ---- leases ---- */

static void lease_cancel(struct node_call *c)
{
    node_lease_op_cancel(c->node, &c->u.lease);
}

static int lease_ttl_keys(struct node_call *c, struct kvs_lease_ttl_resp *resp)
{
    struct mvcc_read read;
    int err;

    mvcc_read_begin(node_mvcc(c->node), &read);
    err = mvcc_lease_keys(&read, resp->id, client_resp_arena(resp), &resp->keys, &resp->n_keys);
    mvcc_read_end(&read);
    return err;
}

static void lease_ttl_cb(struct node_lease_op *op)
{
    struct node_call *c = container_of(op, struct node_call, u.lease);
    const struct kvs_lease_ttl_req *req = c->req;
    struct kvs_lease_ttl_resp *resp = c->resp;
    int err = op->status;

    if (err == 0 || err == KVS_E_LEASE_NOT_FOUND) {
        resp->header = node_header(c->node);
        resp->id = op->id;
        resp->ttl_s = err == 0 ? op->ttl_s : -1;
        resp->granted_ttl_s = err == 0 ? op->granted_ttl_s : 0;
        err = err == 0 && req->keys ? lease_ttl_keys(c, resp) : 0;
    }
    call_return(c, err);
}

static int lease_ttl_start(struct node_call *c, struct node *n)
{
    const struct kvs_lease_ttl_req *req = c->req;

    c->u.lease = (struct node_lease_op){.cb = lease_ttl_cb, .id = req->id};
    return call_later(c, node_lease_ttl(n, &c->u.lease));
}

/* An unknown lease is a TTL of 0, not an error. */
static void lease_keepalive_cb(struct node_lease_op *op)
{
    struct node_call *c = container_of(op, struct node_call, u.lease);
    struct kvs_lease_keepalive_resp *resp = c->resp;

    resp->header = c->header; /* of before: not above the revision of an expiry */
    resp->id = op->id;
    resp->ttl_s = op->status == 0 ? op->ttl_s : 0;
    call_return(c, op->status == KVS_E_LEASE_NOT_FOUND ? 0 : op->status);
}

static int lease_keepalive_start(struct node_call *c, struct node *n)
{
    const struct kvs_lease_keepalive_req *req = c->req;
    int err = node_read_check(n, false);

    if (err != 0) {
        return err;
    }
    c->header = node_header(n);
    c->u.lease = (struct node_lease_op){.cb = lease_keepalive_cb, .id = req->id};
    return call_later(c, node_lease_keepalive(n, &c->u.lease));
}

static int lease_list_start(struct node_call *c, struct node *n)
{
    struct kvs_lease_list_resp *resp = c->resp;
    const struct lease_table *leases = node_leases(n);
    int err = node_read_check(n, false);

    if (err != 0) {
        return err;
    }
    resp->header = node_header(n);
    resp->leases = arena_calloc(client_resp_arena(resp), lease_count(leases), sizeof *resp->leases);
    if (resp->leases == NULL) {
        return KVS_E_NOMEM;
    }
    resp->n_leases = lease_count(leases);
    lease_list(leases, resp->leases);
    return 0;
}

/* ---- members ---- */

static struct kvs_header cluster_header(const struct node *n)
{
    struct kvs_header header = node_header(n);

    header.revision = 0; /* as etcd's */
    return header;
}

static int member_list_answer(struct node_call *c)
{
    struct kvs_member_list_resp *resp = c->resp;

    resp->header = cluster_header(c->node);
    resp->members =
        (struct kvs_member *)(uintptr_t)apply_members(node_apply(c->node), &resp->n_members);
    return pb_own(client_resp_arena(resp), &etcd_pb_member_list_resp, resp);
}

static void member_list_read_cb(struct node_read *r)
{
    struct node_call *c = container_of(r, struct node_call, u.read);

    call_return(c, r->status != 0 ? r->status : member_list_answer(c));
}

static int member_list_start(struct node_call *c, struct node *n)
{
    const struct kvs_member_list_req *req = c->req;

    return req->linearizable ? read_later(c, n, member_list_read_cb) : member_list_answer(c);
}

static int member_add_answer(struct node_call *c)
{
    struct kvs_member_add_resp *resp = c->resp;
    const struct kvs_member *added = apply_member_find(node_apply(c->node), c->u.change.member_id);

    if (added == NULL) {
        return KVS_E_MEMBER_NOT_FOUND; /* removed again meanwhile */
    }
    resp->header = cluster_header(c->node);
    resp->member = *added;
    resp->members =
        (struct kvs_member *)(uintptr_t)apply_members(node_apply(c->node), &resp->n_members);
    return pb_own(client_resp_arena(resp), &etcd_pb_member_add_resp, resp);
}

static void change_cb(struct node_change *change)
{
    struct node_call *c = container_of(change, struct node_call, u.change);

    if (change->status != 0) {
        call_return(c, change->status);
    } else if (change->type == NODE_CHANGE_ADD || change->type == NODE_CHANGE_ADD_LEARNER) {
        call_return(c, member_add_answer(c));
    } else {
        call_return(c, member_list_answer(c));
    }
}

static void change_cancel(struct node_call *c)
{
    node_change_cancel(c->node, &c->u.change);
}

static int change_start(struct node_call *c,
                        struct node *n,
                        enum node_change_type type,
                        uint64_t member_id,
                        struct kvs_view *peer_urls,
                        size_t n_peer_urls)
{
    c->u.change = (struct node_change){
        .cb = change_cb,
        .type = type,
        .member_id = member_id,
        .peer_urls = peer_urls,
        .n_peer_urls = n_peer_urls,
    };
    return call_later(c, node_change_members(n, &c->u.change));
}

static int member_add_start(struct node_call *c, struct node *n)
{
    const struct kvs_member_add_req *req = c->req;

    return change_start(c, n, req->is_learner ? NODE_CHANGE_ADD_LEARNER : NODE_CHANGE_ADD, 0,
                        req->peer_urls, req->n_peer_urls);
}

static int member_remove_start(struct node_call *c, struct node *n)
{
    const struct kvs_member_remove_req *req = c->req;

    return change_start(c, n, NODE_CHANGE_REMOVE, req->id, NULL, 0);
}

static int member_update_start(struct node_call *c, struct node *n)
{
    const struct kvs_member_update_req *req = c->req;

    return change_start(c, n, NODE_CHANGE_UPDATE, req->id, req->peer_urls, req->n_peer_urls);
}

static int member_promote_start(struct node_call *c, struct node *n)
{
    const struct kvs_member_promote_req *req = c->req;

    return change_start(c, n, NODE_CHANGE_PROMOTE, req->id, NULL, 0);
}

/* ---- maintenance ---- */

static int status_start(struct node_call *c, struct node *n)
{
    struct kvs_status_resp *resp = c->resp;
    int err = node_status(n, client_resp_arena(resp), resp);

    return err != 0 ? err : pb_own(client_resp_arena(resp), &etcd_pb_status_resp, resp);
}

static int alarm_get(struct node_call *c, struct node *n, const struct kvs_alarm_req *req)
{
    struct kvs_alarm_list_resp *resp = c->resp;
    size_t n_alarms;
    const struct kvs_alarm *alarms = apply_alarms(node_apply(n), &n_alarms);

    resp->header = node_header(n);
    resp->alarms = arena_calloc(client_resp_arena(resp), n_alarms, sizeof *resp->alarms);
    if (resp->alarms == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < n_alarms; i++) {
        if ((req->type == KVS_ALARM_NONE || req->type == alarms[i].type) &&
            (req->member_id == 0 || req->member_id == alarms[i].member_id)) {
            resp->alarms[resp->n_alarms++] = alarms[i];
        }
    }
    return 0;
}

static int alarm_start(struct node_call *c, struct node *n)
{
    const struct kvs_alarm_req *req = c->req;

    if (req->action == KVS_ALARM_GET) {
        return alarm_get(c, n, req);
    }
    return call_later(c, node_alarm(n, req, write_init(c)));
}

static void hash_cb(struct node_hash *h)
{
    struct node_call *c = container_of(h, struct node_call, u.hash);
    struct kvs_hash_kv_resp *resp = c->resp;

    resp->header = c->header; /* of the beginning: the node may be closing */
    resp->header.revision = h->result.current_revision;
    resp->hash = (uint32_t)(h->result.hash ^ (h->result.hash >> 32));
    resp->compact_revision = h->result.compact_revision;
    resp->hash_revision = h->result.revision;
    call_return(c, h->status);
}

static int hash_kv_start(struct node_call *c, struct node *n)
{
    const struct kvs_hash_kv_req *req = c->req;

    c->header = node_header(n);
    c->u.hash = (struct node_hash){.cb = hash_cb};
    return call_later(c, node_hash(n, req->revision, &c->u.hash));
}

/* Free pages are reused as they are: there is nothing to be done. */
static int defragment_start(struct node_call *c, struct node *n)
{
    (void)c;
    (void)n;
    return 0;
}

static void transfer_cb(struct replica_transfer *transfer)
{
    struct node_call *c = container_of(transfer, struct node_call, u.transfer.transfer);

    call_return(c, transfer->status);
}

static int move_leader_start(struct node_call *c, struct node *n)
{
    const struct kvs_move_leader_req *req = c->req;

    if (req->target_id == 0) {
        return replica_is_leader(node_replica(n)) ? KVS_E_BAD_LEADER_TRANSFEREE : KVS_E_NOT_LEADER;
    }
    c->u.transfer = (struct node_transfer){.transfer.cb = transfer_cb};
    return call_later(c, node_move_leader(n, req->target_id, &c->u.transfer));
}

static const struct call_type call_types[CLIENT_WATCH] = {
    [CLIENT_RANGE] = {range_start, NULL, read_cancel},
    [CLIENT_PUT] = {put_start, put_take, write_cancel},
    [CLIENT_DELETE] = {delete_start, delete_take, write_cancel},
    [CLIENT_TXN] = {txn_start, txn_take, txn_cancel},
    [CLIENT_COMPACT] = {compact_start, compact_take, write_cancel},
    [CLIENT_LEASE_GRANT] = {lease_grant_start, lease_grant_take, write_cancel},
    [CLIENT_LEASE_REVOKE] = {lease_revoke_start, lease_revoke_take, write_cancel},
    [CLIENT_LEASE_TTL] = {lease_ttl_start, NULL, lease_cancel},
    [CLIENT_LEASE_LIST] = {lease_list_start, NULL, NULL},
    [CLIENT_LEASE_KEEPALIVE] = {lease_keepalive_start, NULL, lease_cancel},
    [CLIENT_MEMBER_LIST] = {member_list_start, NULL, read_cancel},
    [CLIENT_MEMBER_ADD] = {member_add_start, NULL, change_cancel},
    [CLIENT_MEMBER_REMOVE] = {member_remove_start, NULL, change_cancel},
    [CLIENT_MEMBER_UPDATE] = {member_update_start, NULL, change_cancel},
    [CLIENT_MEMBER_PROMOTE] = {member_promote_start, NULL, change_cancel},
    [CLIENT_STATUS] = {status_start, NULL, NULL},
    [CLIENT_ALARM] = {alarm_start, alarm_take, write_cancel},
    [CLIENT_HASH_KV] = {hash_kv_start, NULL, NULL},
    [CLIENT_DEFRAGMENT] = {defragment_start, NULL, NULL},
    [CLIENT_MOVE_LEADER] = {move_leader_start, NULL, NULL},
};

/* ---- there ---- */

static void call_there(struct embedded_msg *m, struct node *n)
{
    struct node_call *c = container_of(m, struct node_call, msg);
    int err;

    c->node = n;
    err = c->type->start(c, n);
    if (err != CALL_LATER) {
        call_return(c, err);
    }
}

static void call_cancel_there(struct embedded_msg *m, struct node *n)
{
    struct node_call *c = container_of(m, struct node_call, cancel);

    (void)n;
    if (c->pending && c->type->cancel != NULL) {
        c->type->cancel(c);
        call_return(c, KVS_E_CANCELED);
    }
    embedded_return(m, 0);
}

/* ---- here ---- */

static void call_unref(struct node_call *c)
{
    if (--c->n_out > 0) {
        return;
    }
    kvs_assert(c->call == NULL);
    kvs_resp_free(c->resp);
    arena_fini(&c->arena);
    kvs_free(c);
}

/* The client is answered; what the node still says is dropped. */
static void call_answer(struct node_call *c, int code, void *resp)
{
    struct client_call *call = c->call;

    c->call = NULL;
    loop_timer_stop(&c->timeout);
    client_call_done(call, code, NULL, resp);
}

static void call_back(struct embedded_msg *m)
{
    struct node_call *c = container_of(m, struct node_call, msg);

    if (c->call != NULL && m->status == 0) {
        void *resp = c->resp;

        c->resp = NULL;
        call_answer(c, 0, resp);
    } else if (c->call != NULL) {
        call_answer(c, m->status, NULL);
    }
    call_unref(c);
}

static void call_cancel_back(struct embedded_msg *m)
{
    call_unref(container_of(m, struct node_call, cancel));
}

static void call_give_up(struct node_call *c, int code)
{
    struct embedded *e = c->msg.owner;

    c->n_out++;
    embedded_send(e, &c->cancel);
    call_answer(c, code, NULL);
}

static void call_timeout_cb(struct loop_timer *t)
{
    call_give_up(container_of(t, struct node_call, timeout), KVS_E_DEADLINE_EXCEEDED);
}

void embedded_call_cancel(struct client_backend *b, struct client_call *call)
{
    (void)b;
    call_give_up(call->backend, KVS_E_CANCELED);
}

void embedded_call(struct client_backend *b, struct client_call *call)
{
    struct embedded *e = container_of(b, struct embedded, base);
    size_t id = (size_t)(call->method - client_method(CLIENT_RANGE)); /* the first of the table */
    struct node_call *c = kvs_calloc(1, sizeof *c);
    void *resp = client_resp_new(call->method->resp->size_bytes);

    kvs_assert(id < CLIENT_WATCH);
    if (c == NULL || resp == NULL) {
        kvs_free(c);
        kvs_resp_free(resp);
        client_call_done(call, KVS_E_NOMEM, NULL, NULL);
        return;
    }
    c->msg = (struct embedded_msg){.there = call_there, .back = call_back};
    c->cancel = (struct embedded_msg){.there = call_cancel_there, .back = call_cancel_back};
    c->call = call;
    c->type = &call_types[id];
    c->req = call->request;
    c->arena = call->arena; /* moved: the call may end before the node has */
    arena_init(&call->arena, 0);
    c->resp = resp;
    c->n_out = 1;
    call->backend = c;
    loop_timer_init(b->client->loop, &c->timeout, call_timeout_cb);
    if (call->timeout_ms != 0) {
        loop_timer_start(&c->timeout, call->timeout_ms);
    }
    embedded_send(e, &c->msg);
}
