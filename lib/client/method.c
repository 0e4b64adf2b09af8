/* The methods of etcd's API that a client uses. */
#include "base/assert.h"
#include "client/client_int.h"
#include "rpc/etcd_pb.h"

#define METHOD(service, name, request, response)                                                   \
    .path = "/etcdserverpb." service "/" name, .req = &etcd_pb_##request,                          \
    .resp = &etcd_pb_##response

static const struct client_method methods[CLIENT_METHOD_COUNT] = {
    [CLIENT_RANGE] = {METHOD("KV", "Range", range_req, range_resp), .repeatable = true},
    [CLIENT_PUT] = {METHOD("KV", "Put", put_req, put_resp)},
    [CLIENT_DELETE] = {METHOD("KV", "DeleteRange", delete_req, delete_resp)},
    [CLIENT_TXN] = {METHOD("KV", "Txn", txn_req, txn_resp)},
    [CLIENT_COMPACT] = {METHOD("KV", "Compact", compact_req, compact_resp)},
    [CLIENT_LEASE_GRANT] = {METHOD("Lease", "LeaseGrant", lease_grant_req, lease_grant_resp)},
    [CLIENT_LEASE_REVOKE] = {METHOD("Lease", "LeaseRevoke", lease_revoke_req, lease_revoke_resp)},
    [CLIENT_LEASE_TTL] = {METHOD("Lease", "LeaseTimeToLive", lease_ttl_req, lease_ttl_resp),
                          .repeatable = true},
    [CLIENT_LEASE_LIST] = {METHOD("Lease", "LeaseLeases", lease_list_req, lease_list_resp),
                           .repeatable = true},
    [CLIENT_LEASE_KEEPALIVE] =
        {METHOD("Lease", "LeaseKeepAlive", lease_keepalive_req, lease_keepalive_resp),
         .repeatable = true, .one_shot = true},
    [CLIENT_MEMBER_LIST] = {METHOD("Cluster", "MemberList", member_list_req, member_list_resp),
                            .repeatable = true},
    [CLIENT_MEMBER_ADD] = {METHOD("Cluster", "MemberAdd", member_add_req, member_add_resp)},
    [CLIENT_MEMBER_REMOVE] = {METHOD(
        "Cluster", "MemberRemove", member_remove_req, member_list_resp)},
    [CLIENT_MEMBER_UPDATE] = {METHOD(
        "Cluster", "MemberUpdate", member_update_req, member_list_resp)},
    [CLIENT_MEMBER_PROMOTE] = {METHOD(
        "Cluster", "MemberPromote", member_promote_req, member_list_resp)},
    [CLIENT_STATUS] = {METHOD("Maintenance", "Status", status_req, status_resp),
                       .repeatable = true},
    [CLIENT_ALARM] = {METHOD("Maintenance", "Alarm", alarm_req, alarm_resp)},
    [CLIENT_HASH_KV] = {METHOD("Maintenance", "HashKV", hash_kv_req, hash_kv_resp),
                        .repeatable = true},
    [CLIENT_DEFRAGMENT] = {METHOD("Maintenance", "Defragment", defragment_req, defragment_resp)},
    [CLIENT_MOVE_LEADER] = {METHOD("Maintenance", "MoveLeader", move_leader_req, move_leader_resp)},
    [CLIENT_WATCH] = {METHOD("Watch", "Watch", watch_req, watch_resp)},
    [CLIENT_SNAPSHOT] = {METHOD("Maintenance", "Snapshot", snapshot_req, snapshot_resp)},
};

const struct client_method *client_method(enum client_method_id id)
{
    kvs_assert((unsigned)id < CLIENT_METHOD_COUNT);
    return &methods[id];
}
