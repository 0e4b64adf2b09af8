/* etcdserverpb.Lease. Grant and revoke are writes; keep-alive and time-to-live are answered by the
 * leader; the list is local. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "node/service.h"
#include "node/service_unary.h"
#include "rpc/etcd_pb.h"

/* --- LeaseGrant, LeaseRevoke --- */

static void lease_grant_done(struct node_write *w)
{
    struct service_call *c = container_of(w, struct service_call, u.write);

    if (service_write_ok(c)) {
        struct kvs_lease_grant_resp *resp = &w->result.u.lease_grant;

        service_fill_header(c, &resp->header);
        SERVICE_REPLY(c, lease_grant_resp, resp);
    }
}

static void lease_grant_handle(void *ctx, struct rpc_call *call)
{
    struct service_call *c = service_call_new(ctx, call);
    struct kvs_lease_grant_req req;

    if (c != NULL && SERVICE_DECODE(c, lease_grant_req, &req)) {
        service_write_submit(c, lease_grant_done,
                             node_lease_grant(c->service->node, &req, &c->u.write));
    }
}

static void lease_revoke_done(struct node_write *w)
{
    struct service_call *c = container_of(w, struct service_call, u.write);

    if (service_write_ok(c)) {
        struct kvs_lease_revoke_resp *resp = &w->result.u.lease_revoke;

        service_fill_header(c, &resp->header);
        SERVICE_REPLY(c, lease_revoke_resp, resp);
    }
}

static void lease_revoke_handle(void *ctx, struct rpc_call *call)
{
    struct service_call *c = service_call_new(ctx, call);
    struct kvs_lease_revoke_req req;

    if (c != NULL && SERVICE_DECODE(c, lease_revoke_req, &req)) {
        service_write_submit(c, lease_revoke_done,
                             node_lease_revoke(c->service->node, req.id, &c->u.write));
    }
}

/* --- LeaseTimeToLive --- */

static int lease_ttl_keys(struct service_call *c, struct kvs_lease_ttl_resp *resp)
{
    struct mvcc_read read;
    struct kvs_view *keys = NULL;
    size_t n = 0;
    int err;

    mvcc_read_begin(node_mvcc(c->service->node), &read);
    err = mvcc_lease_keys(&read, resp->id, rpc_call_arena(c->rpc), &keys, &n);
    mvcc_read_end(&read);
    resp->keys = keys;
    resp->n_keys = n;
    return err;
}

static void lease_ttl_done(struct node_lease_op *op)
{
    struct service_call *c = container_of(op, struct service_call, u.lease);
    const struct kvs_lease_ttl_req *req = c->request;
    struct kvs_lease_ttl_resp resp = {
        .header = node_header(c->service->node),
        .id = op->id,
        .ttl_s = op->ttl_s,
        .granted_ttl_s = op->granted_ttl_s,
    };
    int err = op->status;

    if (err == KVS_E_LEASE_NOT_FOUND) {
        resp.ttl_s = -1;
        resp.granted_ttl_s = 0;
        err = 0;
    } else if (err == 0 && req->keys) {
        err = lease_ttl_keys(c, &resp);
    }
    if (err != 0) {
        service_fail(c, err);
        return;
    }
    SERVICE_REPLY(c, lease_ttl_resp, &resp);
}

static void lease_ttl_handle(void *ctx, struct rpc_call *call)
{
    struct service_call *c = service_call_new(ctx, call);
    struct kvs_lease_ttl_req *req;
    int err;

    if (c == NULL) {
        return;
    }
    req = arena_calloc(rpc_call_arena(call), 1, sizeof *req);
    if (req == NULL) {
        service_fail(c, KVS_E_NOMEM);
        return;
    }
    if (!SERVICE_DECODE(c, lease_ttl_req, req)) {
        return;
    }
    c->request = req;
    c->u.lease.id = req->id;
    c->u.lease.cb = lease_ttl_done;
    err = node_lease_ttl(c->service->node, &c->u.lease);
    if (err != 0) {
        service_fail(c, err);
    }
}

/* --- LeaseLeases --- */

static void lease_list_handle(void *ctx, struct rpc_call *call)
{
    struct service_call *c = service_call_new(ctx, call);
    struct kvs_lease_list_resp resp = {0};
    const struct lease_table *leases;
    int err;

    if (c == NULL) {
        return;
    }
    err = node_read_check(c->service->node, false);
    if (err != 0) {
        service_fail(c, err);
        return;
    }
    leases = node_leases(c->service->node);
    resp.header = node_header(c->service->node);
    resp.leases = arena_calloc(rpc_call_arena(call), lease_count(leases), sizeof *resp.leases);
    if (resp.leases == NULL) {
        service_fail(c, KVS_E_NOMEM);
        return;
    }
    resp.n_leases = lease_count(leases);
    lease_list(leases, resp.leases);
    SERVICE_REPLY(c, lease_list_resp, &resp);
}

/* --- LeaseKeepAlive: a stream; each request gets one response, in any order ------------------- */

/* Bounds the keep-alives of one stream that wait for the leader; further ones push back. */
#define LEASE_KEEPALIVES_MAX 1024

struct lease_stream {
    struct service_stream stream;
    struct service *service;
    struct list ops; /* of struct lease_keepalive, waiting */
    size_t n_ops;
    bool half_closed;
};

struct lease_keepalive {
    struct list link;
    struct lease_stream *owner;
    struct node_lease_op op;
    struct kvs_header header; /* taken before the renewal: not above the revision of an expiry */
};

static struct lease_stream *lease_stream_of(struct rpc_call *call)
{
    return container_of(rpc_call_user(call), struct lease_stream, stream);
}

static void lease_keepalive_free(struct lease_keepalive *k)
{
    list_remove(&k->link);
    k->owner->n_ops--;
    kvs_free(k);
}

/* Answers one keep-alive; an unknown lease is a TTL of 0, not an error. */
static void lease_keepalive_answer(struct lease_keepalive *k)
{
    struct kvs_lease_keepalive_resp resp = {
        .header = k->header, .id = k->op.id, .ttl_s = k->op.status == 0 ? k->op.ttl_s : 0};
    struct rpc_call *call = k->owner->stream.call;
    struct buf b;
    int err;

    buf_init(&b);
    etcd_pb_encode_lease_keepalive_resp(&b, &resp);
    err = b.failed ? KVS_E_NOMEM : rpc_stream_send_copy(call, buf_view(&b));
    buf_fini(&b);
    if (err == KVS_E_NOMEM) {
        rpc_fail_err(call, err);
    }
}

static void lease_keepalive_done(struct node_lease_op *op)
{
    struct lease_keepalive *k = container_of(op, struct lease_keepalive, op);
    struct lease_stream *owner = k->owner;

    if (op->status == 0 || op->status == KVS_E_LEASE_NOT_FOUND) {
        lease_keepalive_answer(k);
        lease_keepalive_free(k);
        if (owner->n_ops < LEASE_KEEPALIVES_MAX) {
            rpc_stream_resume(owner->stream.call);
        }
        if (owner->half_closed && owner->n_ops == 0) {
            rpc_stream_finish(owner->stream.call, RPC_OK, NULL);
        }
        return;
    }
    lease_keepalive_free(k);
    rpc_fail_err(owner->stream.call, op->status);
}

static void lease_keepalive_start(struct lease_stream *owner, kvs_lease_id id)
{
    struct lease_keepalive *k = kvs_calloc(1, sizeof *k);
    int err;

    if (k == NULL) {
        rpc_fail_err(owner->stream.call, KVS_E_NOMEM);
        return;
    }
    k->owner = owner;
    k->op.id = id;
    k->op.cb = lease_keepalive_done;
    k->header = node_header(owner->service->node);
    list_push_back(&owner->ops, &k->link);
    owner->n_ops++;
    err = node_lease_keepalive(owner->service->node, &k->op);
    if (err != 0) {
        lease_keepalive_free(k);
        rpc_fail_err(owner->stream.call, err);
        return;
    }
    if (owner->n_ops >= LEASE_KEEPALIVES_MAX) {
        rpc_stream_pause(owner->stream.call);
    }
}

static void lease_on_message(struct rpc_call *call, struct kvs_view message)
{
    struct kvs_lease_keepalive_req req;
    struct arena arena;
    int err;

    arena_init(&arena, 4096);
    err = etcd_pb_decode_lease_keepalive_req(&arena, message, &req);
    arena_fini(&arena);
    if (err != 0) {
        rpc_fail(call, RPC_INTERNAL, "grpc: error while unmarshaling request");
        return;
    }
    lease_keepalive_start(lease_stream_of(call), req.id);
}

static void lease_on_half_close(struct rpc_call *call)
{
    struct lease_stream *s = lease_stream_of(call);

    s->half_closed = true;
    if (s->n_ops == 0) {
        rpc_stream_finish(call, RPC_OK, NULL);
    }
}

static void lease_on_closed(struct rpc_call *call, bool canceled)
{
    struct lease_stream *s = lease_stream_of(call);

    (void)canceled; /* the same is to be done either way */
    LIST_FOREACH_SAFE(it, after, &s->ops)
    {
        struct lease_keepalive *k = list_entry(it, struct lease_keepalive, link);

        node_lease_op_cancel(s->service->node, &k->op);
        lease_keepalive_free(k);
    }
    service_stream_end(&s->stream);
    kvs_free(s);
}

static const struct rpc_stream_ops lease_ops = {
    .on_message = lease_on_message,
    .on_half_close = lease_on_half_close,
    .on_closed = lease_on_closed,
};

static void lease_keepalive_handle(void *ctx, struct rpc_call *call)
{
    struct lease_stream *s = kvs_calloc(1, sizeof *s);
    int err;

    if (s == NULL) {
        rpc_fail_err(call, KVS_E_NOMEM);
        return;
    }
    s->service = ctx;
    list_init(&s->ops);
    err = node_read_check(s->service->node, false);
    if (err != 0) {
        kvs_free(s);
        rpc_fail_err(call, err);
        return;
    }
    if (!service_stream_start(s->service, &s->stream, call, &lease_ops)) {
        kvs_free(s);
    }
}

int service_lease_register(struct service *s)
{
    static const struct {
        const char *path;
        enum rpc_kind kind;
        rpc_handler handler;
    } methods[] = {
        {"/etcdserverpb.Lease/LeaseGrant", RPC_UNARY, lease_grant_handle},
        {"/etcdserverpb.Lease/LeaseRevoke", RPC_UNARY, lease_revoke_handle},
        {"/etcdserverpb.Lease/LeaseKeepAlive", RPC_BIDI, lease_keepalive_handle},
        {"/etcdserverpb.Lease/LeaseTimeToLive", RPC_UNARY, lease_ttl_handle},
        {"/etcdserverpb.Lease/LeaseLeases", RPC_UNARY, lease_list_handle},
    };

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        int err = rpc_method(s->rpc, methods[i].path, methods[i].kind, methods[i].handler, s);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}
