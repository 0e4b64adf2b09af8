/* etcdserverpb.Cluster: the members and their changes. Headers carry no revision (as etcd's). */
#include "base/assert.h"
#include "base/view.h"
#include "node/service.h"
#include "node/service_unary.h"
#include "rpc/etcd_pb.h"

static struct kvs_header cluster_header(struct service_call *c)
{
    struct kvs_header header = node_header(c->service->node);

    header.revision = 0;
    return header;
}

static void cluster_answer_list(struct service_call *c)
{
    struct kvs_member_list_resp resp = {.header = cluster_header(c)};
    const struct kvs_member *members = apply_members(node_apply(c->service->node), &resp.n_members);

    resp.members = (struct kvs_member *)members; /* only read */
    SERVICE_REPLY(c, member_list_resp, &resp);
}

/* --- MemberList --- */

static void member_list_read_cb(struct node_read *r)
{
    struct service_call *c = container_of(r, struct service_call, u.read);

    if (r->status != 0) {
        service_fail(c, r->status);
    } else {
        cluster_answer_list(c);
    }
}

static void member_list_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_member_list_req req;
    int err;

    if (c == NULL || !SERVICE_DECODE(c, member_list_req, &req)) {
        return;
    }
    if (!req.linearizable) {
        cluster_answer_list(c);
        return;
    }
    c->u.read.cb = member_list_read_cb;
    err = node_read(c->service->node, &c->u.read);
    if (err != 0) {
        service_fail(c, err);
    }
}

/* --- changes --- */

static void member_add_answer(struct service_call *c, uint64_t id)
{
    struct kvs_member_add_resp resp = {.header = cluster_header(c)};
    const struct kvs_member *members = apply_members(node_apply(c->service->node), &resp.n_members);
    const struct kvs_member *added = apply_member_find(node_apply(c->service->node), id);

    if (added == NULL) {
        service_fail(c, KVS_E_MEMBER_NOT_FOUND); /* removed again meanwhile */
        return;
    }
    resp.members = (struct kvs_member *)members; /* only read */
    resp.member = *added;
    SERVICE_REPLY(c, member_add_resp, &resp);
}

static void member_change_cb(struct node_change *change)
{
    struct service_call *c = container_of(change, struct service_call, u.change);

    if (change->status != 0) {
        service_fail(c, change->status);
    } else if (change->type == NODE_CHANGE_ADD || change->type == NODE_CHANGE_ADD_LEARNER) {
        member_add_answer(c, change->member_id);
    } else {
        cluster_answer_list(c);
    }
}

static void member_change_submit(struct service_call *c, enum node_change_type type)
{
    int err;

    c->u.change.type = type;
    c->u.change.cb = member_change_cb;
    err = node_change_members(c->service->node, &c->u.change);
    if (err != 0) {
        service_fail(c, err);
    }
}

static void member_add_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_member_add_req req;

    if (c != NULL && SERVICE_DECODE(c, member_add_req, &req)) {
        c->u.change.peer_urls = req.peer_urls;
        c->u.change.n_peer_urls = req.n_peer_urls;
        member_change_submit(c, req.is_learner ? NODE_CHANGE_ADD_LEARNER : NODE_CHANGE_ADD);
    }
}

static void member_remove_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_member_remove_req req;

    if (c != NULL && SERVICE_DECODE(c, member_remove_req, &req)) {
        c->u.change.member_id = req.id;
        member_change_submit(c, NODE_CHANGE_REMOVE);
    }
}

static void member_update_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_member_update_req req;

    if (c != NULL && SERVICE_DECODE(c, member_update_req, &req)) {
        c->u.change.member_id = req.id;
        c->u.change.peer_urls = req.peer_urls;
        c->u.change.n_peer_urls = req.n_peer_urls;
        member_change_submit(c, NODE_CHANGE_UPDATE);
    }
}

static void member_promote_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_member_promote_req req;

    if (c != NULL && SERVICE_DECODE(c, member_promote_req, &req)) {
        c->u.change.member_id = req.id;
        member_change_submit(c, NODE_CHANGE_PROMOTE);
    }
}

int service_cluster_register(struct service *s)
{
    static const struct {
        const char *path;
        rpc_handler handler;
    } methods[] = {
        {"/etcdserverpb.Cluster/MemberList", member_list_handle},
        {"/etcdserverpb.Cluster/MemberAdd", member_add_handle},
        {"/etcdserverpb.Cluster/MemberRemove", member_remove_handle},
        {"/etcdserverpb.Cluster/MemberUpdate", member_update_handle},
        {"/etcdserverpb.Cluster/MemberPromote", member_promote_handle},
    };

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        int err = rpc_method(s->rpc, methods[i].path, RPC_UNARY, methods[i].handler, s);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}
