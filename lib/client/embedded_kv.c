/* Keys and leases on the node of this process: what service_kv.c and service_lease.c do between
 * decoding and encoding. */
#include <string.h>

#include "base/assert.h"
#include "client/embedded_call_int.h"
#include "mvcc/range.h"
#include "rpc/etcd_pb.h"

/* ---- writes ---- */

/* X(name, response's struct, member of the result) */
#define WRITES(X)                                                                                  \
    X(put, struct kvs_put_resp, put)                                                               \
    X(delete, struct kvs_delete_resp, del)                                                         \
    X(txn, struct kvs_txn_resp, txn)                                                               \
    X(compact, struct kvs_compact_resp, compact)                                                   \
    X(lease_grant, struct kvs_lease_grant_resp, lease_grant)                                       \
    X(lease_revoke, struct kvs_lease_revoke_resp, lease_revoke)

#define X(name, type, member)                                                                      \
    _Static_assert(offsetof(type, header) == 0, "see call_write_init");                            \
    static void name##_take(const struct apply_result *result, void *resp)                         \
    {                                                                                              \
        memcpy(resp, &result->u.member, sizeof(type));                                             \
    }
WRITES(X)
#undef X

static int put_start(struct node_call *c, struct node *n)
{
    return call_later(c, node_put(n, c->req, call_write_init(c)));
}

static int delete_start(struct node_call *c, struct node *n)
{
    return call_later(c, node_delete(n, c->req, call_write_init(c)));
}

static int compact_start(struct node_call *c, struct node *n)
{
    return call_later(c, node_compact(n, c->req, call_write_init(c)));
}

static int lease_grant_start(struct node_call *c, struct node *n)
{
    return call_later(c, node_lease_grant(n, c->req, call_write_init(c)));
}

static int lease_revoke_start(struct node_call *c, struct node *n)
{
    const struct kvs_lease_revoke_req *req = c->req;

    return call_later(c, node_lease_revoke(n, req->id, call_write_init(c)));
}

/* ---- reads: each has an `answer`, now or when the read index is confirmed ---- */

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
    return req->serializable ? range_answer(c) : call_read_later(c, n, range_read_cb);
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
    return serializable ? txn_answer(c) : call_read_later(c, n, txn_read_cb);
}

static int txn_start(struct node_call *c, struct node *n)
{
    if (mvcc_txn_is_readonly(c->req)) {
        return txn_read_start(c, n);
    }
    return call_later(c, node_txn(n, c->req, call_write_init(c)));
}

static void txn_cancel(struct node_call *c)
{
    if (mvcc_txn_is_readonly(c->req)) {
        call_read_cancel(c);
    } else {
        call_write_cancel(c);
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

const struct call_type embedded_kv_types[CLIENT_WATCH] = {
    [CLIENT_RANGE] = {range_start, NULL, call_read_cancel},
    [CLIENT_PUT] = {put_start, put_take, call_write_cancel},
    [CLIENT_DELETE] = {delete_start, delete_take, call_write_cancel},
    [CLIENT_TXN] = {txn_start, txn_take, txn_cancel},
    [CLIENT_COMPACT] = {compact_start, compact_take, call_write_cancel},
    [CLIENT_LEASE_GRANT] = {lease_grant_start, lease_grant_take, call_write_cancel},
    [CLIENT_LEASE_REVOKE] = {lease_revoke_start, lease_revoke_take, call_write_cancel},
    [CLIENT_LEASE_TTL] = {lease_ttl_start, NULL, lease_cancel},
    [CLIENT_LEASE_LIST] = {lease_list_start, NULL, NULL},
    [CLIENT_LEASE_KEEPALIVE] = {lease_keepalive_start, NULL, lease_cancel},
};
