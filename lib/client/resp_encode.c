/* Responses as etcd's protobuf messages, for who passes them on or stores them. */
#include "base/assert.h"
#include "kvstore/client.h"
#include "rpc/etcd_pb.h"

static const struct pb_message *resp_message(enum kvs_resp_type type)
{
    static const struct pb_message *const messages[KVS_RESP_TYPE_COUNT] = {
        [KVS_RESP_RANGE] = &etcd_pb_range_resp,
        [KVS_RESP_PUT] = &etcd_pb_put_resp,
        [KVS_RESP_DELETE] = &etcd_pb_delete_resp,
        [KVS_RESP_TXN] = &etcd_pb_txn_resp,
        [KVS_RESP_COMPACT] = &etcd_pb_compact_resp,
        [KVS_RESP_WATCH] = &etcd_pb_watch_resp,
        [KVS_RESP_LEASE_GRANT] = &etcd_pb_lease_grant_resp,
        [KVS_RESP_LEASE_REVOKE] = &etcd_pb_lease_revoke_resp,
        [KVS_RESP_LEASE_KEEPALIVE] = &etcd_pb_lease_keepalive_resp,
        [KVS_RESP_LEASE_TTL] = &etcd_pb_lease_ttl_resp,
        [KVS_RESP_LEASE_LIST] = &etcd_pb_lease_list_resp,
        [KVS_RESP_MEMBER_LIST] = &etcd_pb_member_list_resp,
        [KVS_RESP_MEMBER_ADD] = &etcd_pb_member_add_resp,
        [KVS_RESP_STATUS] = &etcd_pb_status_resp,
        [KVS_RESP_ALARM_LIST] = &etcd_pb_alarm_resp,
        [KVS_RESP_HASH_KV] = &etcd_pb_hash_kv_resp,
        [KVS_RESP_DEFRAGMENT] = &etcd_pb_defragment_resp,
        [KVS_RESP_MOVE_LEADER] = &etcd_pb_move_leader_resp,
    };

    kvs_assert((unsigned)type < KVS_RESP_TYPE_COUNT);
    return messages[type];
}

size_t kvs_resp_size(enum kvs_resp_type type, const void *resp)
{
    return pb_size(resp_message(type), resp);
}

void kvs_resp_encode(enum kvs_resp_type type, const void *resp, void *to)
{
    (void)pb_put(to, resp_message(type), resp);
}
