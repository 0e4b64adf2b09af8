/* Members and maintenance on the node of this process: what service_cluster.c and
 * service_maintenance.c do between decoding and encoding. */
#include <string.h>

#include "base/assert.h"
#include "client/embedded_call_int.h"
#include "rpc/etcd_pb.h"

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

    return req->linearizable ? call_read_later(c, n, member_list_read_cb) : member_list_answer(c);
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
    return call_later(c, node_alarm(n, req, call_write_init(c)));
}

_Static_assert(offsetof(struct kvs_alarm_list_resp, header) == 0, "see call_write_init");

static void alarm_take(const struct apply_result *result, void *resp)
{
    memcpy(resp, &result->u.alarm, sizeof result->u.alarm);
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

const struct call_type embedded_cluster_types[CLIENT_WATCH] = {
    [CLIENT_MEMBER_LIST] = {member_list_start, NULL, call_read_cancel},
    [CLIENT_MEMBER_ADD] = {member_add_start, NULL, change_cancel},
    [CLIENT_MEMBER_REMOVE] = {member_remove_start, NULL, change_cancel},
    [CLIENT_MEMBER_UPDATE] = {member_update_start, NULL, change_cancel},
    [CLIENT_MEMBER_PROMOTE] = {member_promote_start, NULL, change_cancel},
    [CLIENT_STATUS] = {status_start, NULL, NULL},
    [CLIENT_ALARM] = {alarm_start, alarm_take, call_write_cancel},
    [CLIENT_HASH_KV] = {hash_kv_start, NULL, NULL},
    [CLIENT_DEFRAGMENT] = {defragment_start, NULL, NULL},
    [CLIENT_MOVE_LEADER] = {move_leader_start, NULL, NULL},
};
