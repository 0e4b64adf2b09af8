/* The typed faces of client_call_start, two per method: asynchronous and blocking. They differ in
 * nothing but types, so they come from one table. */
#include "client/client_int.h"

/* X(name, method, request, response, callback type) */
#define CLIENT_CALL_MAP(X)                                                                         \
    X(range, RANGE, struct kvs_range_req, struct kvs_range_resp, kvs_range_cb)                     \
    X(put, PUT, struct kvs_put_req, struct kvs_put_resp, kvs_put_cb)                               \
    X(delete, DELETE, struct kvs_delete_req, struct kvs_delete_resp, kvs_delete_cb)                \
    X(txn, TXN, struct kvs_txn_req, struct kvs_txn_resp, kvs_txn_cb)                               \
    X(compact, COMPACT, struct kvs_compact_req, struct kvs_compact_resp, kvs_compact_cb)           \
    X(lease_grant, LEASE_GRANT, struct kvs_lease_grant_req, struct kvs_lease_grant_resp,           \
      kvs_lease_grant_cb)                                                                          \
    X(lease_revoke, LEASE_REVOKE, struct kvs_lease_revoke_req, struct kvs_lease_revoke_resp,       \
      kvs_lease_revoke_cb)                                                                         \
    X(lease_ttl, LEASE_TTL, struct kvs_lease_ttl_req, struct kvs_lease_ttl_resp, kvs_lease_ttl_cb) \
    X(lease_list, LEASE_LIST, struct kvs_lease_list_req, struct kvs_lease_list_resp,               \
      kvs_lease_list_cb)                                                                           \
    X(lease_keepalive, LEASE_KEEPALIVE, struct kvs_lease_keepalive_req,                            \
      struct kvs_lease_keepalive_resp, kvs_lease_keepalive_cb)                                     \
    X(member_list, MEMBER_LIST, struct kvs_member_list_req, struct kvs_member_list_resp,           \
      kvs_member_list_cb)                                                                          \
    X(member_add, MEMBER_ADD, struct kvs_member_add_req, struct kvs_member_add_resp,               \
      kvs_member_add_cb)                                                                           \
    X(member_remove, MEMBER_REMOVE, struct kvs_member_remove_req, struct kvs_member_list_resp,     \
      kvs_member_list_cb)                                                                          \
    X(member_update, MEMBER_UPDATE, struct kvs_member_update_req, struct kvs_member_list_resp,     \
      kvs_member_list_cb)                                                                          \
    X(member_promote, MEMBER_PROMOTE, struct kvs_member_promote_req, struct kvs_member_list_resp,  \
      kvs_member_list_cb)                                                                          \
    X(status, STATUS, struct kvs_status_req, struct kvs_status_resp, kvs_status_cb)                \
    X(alarm, ALARM, struct kvs_alarm_req, struct kvs_alarm_list_resp, kvs_alarm_cb)                \
    X(hash_kv, HASH_KV, struct kvs_hash_kv_req, struct kvs_hash_kv_resp, kvs_hash_kv_cb)           \
    X(defragment, DEFRAGMENT, struct kvs_defragment_req, struct kvs_defragment_resp,               \
      kvs_defragment_cb)                                                                           \
    X(move_leader, MOVE_LEADER, struct kvs_move_leader_req, struct kvs_move_leader_resp,           \
      kvs_move_leader_cb)

#define X(name, method, req_type, resp_type, cb_type)                                              \
    static void name##_finish(struct client_call *call, const struct kvs_error *error,             \
                              const void *resp)                                                    \
    {                                                                                              \
        ((cb_type)call->fn)(call->ctx, error, resp);                                               \
    }                                                                                              \
    int kvs_##name(struct kvs_client *client, const req_type *req,                                 \
                   const struct kvs_call_options *options, cb_type cb, void *ctx)                  \
    {                                                                                              \
        return client_call_start(client, CLIENT_##method, req, options, name##_finish,             \
                                 (client_fn)cb, ctx);                                              \
    }                                                                                              \
    int kvs_##name##_sync(struct kvs_client *client, const req_type *req,                          \
                          const struct kvs_call_options *options, const resp_type **ret_resp,      \
                          struct kvs_error *ret_error)                                             \
    {                                                                                              \
        void *resp;                                                                                \
        int err = client_call_sync(client, CLIENT_##method, req, options, &resp, ret_error);       \
                                                                                                   \
        if (err == 0) {                                                                            \
            *ret_resp = resp;                                                                      \
        }                                                                                          \
        return err;                                                                                \
    }
CLIENT_CALL_MAP(X)
#undef X
