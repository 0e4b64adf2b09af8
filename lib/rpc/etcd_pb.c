/* The tables of etcd's messages: numbers from proto/rpc.proto on one side, places in the structs
 * of kvstore/ on the other. */
#include "rpc/etcd_pb.h"

#include "base/view.h"
#include "rpc/etcd_pb_int.h"
#include "base/pb_wire.h"

#define AT(type, member) (uint16_t) offsetof(type, member)

#define VALUE(num, k, type, member)                                                                \
    {                                                                                              \
        .number = (num), .kind = (k), .at = AT(type, member), .has_at = PB_ABSENT                  \
    }
#define EMBED(num, type, member, msg)                                                              \
    {                                                                                              \
        .number = (num), .kind = PB_MSG, .at = AT(type, member), .has_at = PB_ABSENT,              \
        .message = &(msg)                                                                          \
    }
/* Written even if all its fields are zero. */
#define EMBED_ALWAYS(num, type, member, msg)                                                       \
    {                                                                                              \
        .number = (num), .kind = PB_MSG, .at = AT(type, member), .has_at = PB_ALWAYS,              \
        .message = &(msg)                                                                          \
    }
#define OPTIONAL(num, type, member, has, msg)                                                      \
    {                                                                                              \
        .number = (num), .kind = PB_MSG, .at = AT(type, member), .has_at = AT(type, has),          \
        .message = &(msg)                                                                          \
    }
#define LIST_OF(num, k, type, member, count, msg)                                                  \
    {                                                                                              \
        .number = (num), .kind = (k), .at = AT(type, member), .count_at = AT(type, count),         \
        .has_at = PB_ABSENT, .message = (msg)                                                      \
    }
/* A member of a oneof, written while the case field is `selected`. */
#define CASE(num, k, type, member, selected, msg)                                                  \
    {                                                                                              \
        .number = (num), .kind = (k), .at = AT(type, member), .has_at = PB_ABSENT,                 \
        .one_of = (uint16_t)(selected) + 1, .message = (msg)                                       \
    }

#define MESSAGE_FULL(id, type, case_offset, depth, decode_fn)                                      \
    const struct pb_message etcd_pb_##id = {.name = #id,                                           \
                                            .fields = id##_fields,                                 \
                                            .n_fields = ARRAY_LEN(id##_fields),                    \
                                            .size_bytes = sizeof(type),                            \
                                            .case_at = (case_offset),                              \
                                            .depth_max = (depth),                                  \
                                            .decode = (decode_fn)}
#define MESSAGE(id, type) MESSAGE_FULL(id, type, PB_ABSENT, 0, NULL)
#define MESSAGE_EMPTY(id, type)                                                                    \
    const struct pb_message etcd_pb_##id = {                                                       \
        .name = #id, .size_bytes = sizeof(type), .case_at = PB_ABSENT}

/* A response that is nothing but its header. */
#define MESSAGE_HEADER_ONLY(id, type)                                                              \
    static const struct pb_field id##_fields[] = {EMBED(1, type, header, etcd_pb_header)};         \
    MESSAGE(id, type)

_Static_assert(sizeof(enum kvs_op_type) == sizeof(int), "case fields are read as int");
_Static_assert(sizeof(enum kvs_watch_req_type) == sizeof(int), "case fields are read as int");
_Static_assert(sizeof(enum kvs_event_type) == sizeof(int), "enums are read as int");

/* ---- records ---- */

static const struct pb_field header_fields[] = {
    VALUE(1, PB_U64, struct kvs_header, cluster_id),
    VALUE(2, PB_U64, struct kvs_header, member_id),
    VALUE(3, PB_I64, struct kvs_header, revision),
    VALUE(4, PB_U64, struct kvs_header, raft_term),
};
MESSAGE(header, struct kvs_header);

static const struct pb_field kv_fields[] = {
    VALUE(1, PB_BYTES, struct kvs_kv, key),        VALUE(2, PB_I64, struct kvs_kv, create_revision),
    VALUE(3, PB_I64, struct kvs_kv, mod_revision), VALUE(4, PB_I64, struct kvs_kv, version),
    VALUE(5, PB_BYTES, struct kvs_kv, value),      VALUE(6, PB_I64, struct kvs_kv, lease),
};
MESSAGE(kv, struct kvs_kv);

static const struct pb_field event_fields[] = {
    VALUE(1, PB_I32, struct kvs_event, type),
    EMBED(2, struct kvs_event, kv, etcd_pb_kv),
    OPTIONAL(3, struct kvs_event, prev_kv, has_prev, etcd_pb_kv),
};
MESSAGE(event, struct kvs_event);

/* ---- KV ---- */

static const struct pb_field range_req_fields[] = {
    VALUE(1, PB_BYTES, struct kvs_range_req, key),
    VALUE(2, PB_BYTES, struct kvs_range_req, range_end),
    VALUE(3, PB_I64, struct kvs_range_req, limit),
    VALUE(4, PB_I64, struct kvs_range_req, revision),
    VALUE(5, PB_I32, struct kvs_range_req, sort_order),
    VALUE(6, PB_I32, struct kvs_range_req, sort_target),
    VALUE(7, PB_BOOL, struct kvs_range_req, serializable),
    VALUE(8, PB_BOOL, struct kvs_range_req, keys_only),
    VALUE(9, PB_BOOL, struct kvs_range_req, count_only),
    VALUE(10, PB_I64, struct kvs_range_req, min_mod_revision),
    VALUE(11, PB_I64, struct kvs_range_req, max_mod_revision),
    VALUE(12, PB_I64, struct kvs_range_req, min_create_revision),
    VALUE(13, PB_I64, struct kvs_range_req, max_create_revision),
};
MESSAGE(range_req, struct kvs_range_req);

static const struct pb_field range_resp_fields[] = {
    EMBED(1, struct kvs_range_resp, header, etcd_pb_header),
    LIST_OF(2, PB_MSG_LIST, struct kvs_range_resp, kvs, n_kvs, &etcd_pb_kv),
    VALUE(3, PB_BOOL, struct kvs_range_resp, more),
    VALUE(4, PB_I64, struct kvs_range_resp, count),
};
MESSAGE(range_resp, struct kvs_range_resp);

static const struct pb_field put_req_fields[] = {
    VALUE(1, PB_BYTES, struct kvs_put_req, key),
    VALUE(2, PB_BYTES, struct kvs_put_req, value),
    VALUE(3, PB_I64, struct kvs_put_req, lease),
    VALUE(4, PB_BOOL, struct kvs_put_req, prev_kv),
    VALUE(5, PB_BOOL, struct kvs_put_req, ignore_value),
    VALUE(6, PB_BOOL, struct kvs_put_req, ignore_lease),
};
MESSAGE(put_req, struct kvs_put_req);

static const struct pb_field put_resp_fields[] = {
    EMBED(1, struct kvs_put_resp, header, etcd_pb_header),
    OPTIONAL(2, struct kvs_put_resp, prev_kv, has_prev, etcd_pb_kv),
};
MESSAGE(put_resp, struct kvs_put_resp);

static const struct pb_field delete_req_fields[] = {
    VALUE(1, PB_BYTES, struct kvs_delete_req, key),
    VALUE(2, PB_BYTES, struct kvs_delete_req, range_end),
    VALUE(3, PB_BOOL, struct kvs_delete_req, prev_kv),
};
MESSAGE(delete_req, struct kvs_delete_req);

static const struct pb_field delete_resp_fields[] = {
    EMBED(1, struct kvs_delete_resp, header, etcd_pb_header),
    VALUE(2, PB_I64, struct kvs_delete_resp, deleted),
    LIST_OF(3, PB_MSG_LIST, struct kvs_delete_resp, prev_kvs, n_prev_kvs, &etcd_pb_kv),
};
MESSAGE(delete_resp, struct kvs_delete_resp);

/* Compare's operand is a oneof beside the target, and may disagree with it: then etcd compares
 * with zero. The table writes what belongs to the target; reading needs code. */

enum { COMPARE_OPERAND_FIRST = 4 }; /* field number of target 0; the others follow in order */

struct compare_operand {
    uint32_t field; /* 0: none */
    int64_t number;
    struct kvs_view bytes;
};

static bool compare_read_field(struct pb_reader *r,
                               uint32_t field,
                               unsigned type,
                               struct kvs_compare *c,
                               struct compare_operand *operand)
{
    bool is_bytes = field == 3 || field == 7 || field == 64;
    uint64_t number = 0;
    struct kvs_view bytes = {NULL, 0};

    if (type != (is_bytes ? PB_WIRE_LEN : PB_WIRE_VARINT)) {
        return false;
    }
    if (is_bytes ? !pb_read_bytes(r, &bytes) : !pb_read_varint(r, &number)) {
        return false;
    }
    switch (field) {
    case 1:
        c->result = (int)(uint32_t)number;
        break;
    case 2:
        c->target = (int)(uint32_t)number;
        break;
    case 3:
        c->key = bytes;
        break;
    case 64:
        c->range_end = bytes;
        break;
    default:
        *operand = (struct compare_operand){field, (int64_t)number, bytes};
        break;
    }
    return true;
}

static int compare_decode(struct kvs_view bytes, void *ret_m)
{
    struct kvs_compare *c = ret_m;
    struct compare_operand operand = {0};
    struct pb_reader r = pb_reader_make(bytes);

    while (r.at < r.end) {
        uint32_t field;
        unsigned type;
        bool ok;

        if (!pb_read_tag(&r, &field, &type)) {
            return KVS_E_MALFORMED;
        }
        ok = field <= 8 || field == 64 ? compare_read_field(&r, field, type, c, &operand)
                                       : pb_skip(&r, type);
        if (!ok) {
            return KVS_E_MALFORMED;
        }
    }
    if (c->target >= 0 && operand.field == (uint32_t)c->target + COMPARE_OPERAND_FIRST) {
        c->number = operand.number;
        c->value = operand.bytes;
    }
    return 0;
}

static const struct pb_field compare_fields[] = {
    VALUE(1, PB_I32, struct kvs_compare, result),
    VALUE(2, PB_I32, struct kvs_compare, target),
    VALUE(3, PB_BYTES, struct kvs_compare, key),
    CASE(4, PB_I64, struct kvs_compare, number, KVS_COMPARE_VERSION, NULL),
    CASE(5, PB_I64, struct kvs_compare, number, KVS_COMPARE_CREATE, NULL),
    CASE(6, PB_I64, struct kvs_compare, number, KVS_COMPARE_MOD, NULL),
    CASE(7, PB_BYTES, struct kvs_compare, value, KVS_COMPARE_VALUE, NULL),
    CASE(8, PB_I64, struct kvs_compare, number, KVS_COMPARE_LEASE, NULL),
    VALUE(64, PB_BYTES, struct kvs_compare, range_end),
};
MESSAGE_FULL(compare, struct kvs_compare, AT(struct kvs_compare, target), 0, compare_decode);

static const struct pb_field op_fields[] = {
    CASE(1, PB_MSG, struct kvs_op, u.range, KVS_OP_RANGE, &etcd_pb_range_req),
    CASE(2, PB_MSG, struct kvs_op, u.put, KVS_OP_PUT, &etcd_pb_put_req),
    CASE(3, PB_MSG, struct kvs_op, u.del, KVS_OP_DELETE, &etcd_pb_delete_req),
    CASE(4, PB_MSG_PTR, struct kvs_op, u.txn, KVS_OP_TXN, &etcd_pb_txn_req),
};
MESSAGE_FULL(op, struct kvs_op, AT(struct kvs_op, type), 0, NULL);

static const struct pb_field txn_req_fields[] = {
    LIST_OF(1, PB_MSG_LIST, struct kvs_txn_req, compares, n_compares, &etcd_pb_compare),
    LIST_OF(2, PB_MSG_LIST, struct kvs_txn_req, success, n_success, &etcd_pb_op),
    LIST_OF(3, PB_MSG_LIST, struct kvs_txn_req, failure, n_failure, &etcd_pb_op),
};
MESSAGE_FULL(txn_req, struct kvs_txn_req, PB_ABSENT, ETCD_PB_TXN_DEPTH_MAX, NULL);

static const struct pb_field op_resp_fields[] = {
    CASE(1, PB_MSG, struct kvs_op_resp, u.range, KVS_OP_RANGE, &etcd_pb_range_resp),
    CASE(2, PB_MSG, struct kvs_op_resp, u.put, KVS_OP_PUT, &etcd_pb_put_resp),
    CASE(3, PB_MSG, struct kvs_op_resp, u.del, KVS_OP_DELETE, &etcd_pb_delete_resp),
    CASE(4, PB_MSG_PTR, struct kvs_op_resp, u.txn, KVS_OP_TXN, &etcd_pb_txn_resp),
};
MESSAGE_FULL(op_resp, struct kvs_op_resp, AT(struct kvs_op_resp, type), 0, NULL);

static const struct pb_field txn_resp_fields[] = {
    /* A nested transaction has an empty header on the wire (observed on etcd 3.4). */
    EMBED_ALWAYS(1, struct kvs_txn_resp, header, etcd_pb_header),
    VALUE(2, PB_BOOL, struct kvs_txn_resp, succeeded),
    LIST_OF(3, PB_MSG_LIST, struct kvs_txn_resp, responses, n_responses, &etcd_pb_op_resp),
};
MESSAGE_FULL(txn_resp, struct kvs_txn_resp, PB_ABSENT, ETCD_PB_TXN_DEPTH_MAX, NULL);

static const struct pb_field compact_req_fields[] = {
    VALUE(1, PB_I64, struct kvs_compact_req, revision),
    VALUE(2, PB_BOOL, struct kvs_compact_req, physical),
};
MESSAGE(compact_req, struct kvs_compact_req);
MESSAGE_HEADER_ONLY(compact_resp, struct kvs_compact_resp);

/* ---- Watch ---- */

static const struct pb_field watch_create_fields[] = {
    VALUE(1, PB_BYTES, struct kvs_watch_create_req, key),
    VALUE(2, PB_BYTES, struct kvs_watch_create_req, range_end),
    VALUE(3, PB_I64, struct kvs_watch_create_req, start_revision),
    VALUE(4, PB_BOOL, struct kvs_watch_create_req, progress_notify),
    VALUE(5, PB_ENUM_SET, struct kvs_watch_create_req, filters),
    VALUE(6, PB_BOOL, struct kvs_watch_create_req, prev_kv),
    VALUE(7, PB_I64, struct kvs_watch_create_req, watch_id),
    VALUE(8, PB_BOOL, struct kvs_watch_create_req, fragment),
};
static MESSAGE(watch_create, struct kvs_watch_create_req);

struct id_only {
    int64_t id;
};
static const struct pb_field id_only_fields[] = {VALUE(1, PB_I64, struct id_only, id)};
static MESSAGE(id_only, struct id_only);
static MESSAGE_EMPTY(nothing, struct id_only);

static const struct pb_field watch_req_fields[] = {
    CASE(1, PB_MSG, struct kvs_watch_req, create, KVS_WATCH_REQ_CREATE, &etcd_pb_watch_create),
    CASE(2, PB_MSG, struct kvs_watch_req, cancel_id, KVS_WATCH_REQ_CANCEL, &etcd_pb_id_only),
    CASE(3, PB_MSG, struct kvs_watch_req, cancel_id, KVS_WATCH_REQ_PROGRESS, &etcd_pb_nothing),
};
MESSAGE_FULL(watch_req, struct kvs_watch_req, AT(struct kvs_watch_req, type), 0, NULL);

static const struct pb_field watch_resp_fields[] = {
    EMBED(1, struct kvs_watch_resp, header, etcd_pb_header),
    VALUE(2, PB_I64, struct kvs_watch_resp, watch_id),
    VALUE(3, PB_BOOL, struct kvs_watch_resp, created),
    VALUE(4, PB_BOOL, struct kvs_watch_resp, canceled),
    VALUE(5, PB_I64, struct kvs_watch_resp, compact_revision),
    VALUE(6, PB_BYTES, struct kvs_watch_resp, cancel_reason),
    VALUE(7, PB_BOOL, struct kvs_watch_resp, fragment),
    LIST_OF(11, PB_MSG_LIST, struct kvs_watch_resp, events, n_events, &etcd_pb_event),
};
MESSAGE(watch_resp, struct kvs_watch_resp);

/* ---- Lease ---- */

static const struct pb_field lease_grant_req_fields[] = {
    VALUE(1, PB_I64, struct kvs_lease_grant_req, ttl_s),
    VALUE(2, PB_I64, struct kvs_lease_grant_req, id),
};
MESSAGE(lease_grant_req, struct kvs_lease_grant_req);

static const struct pb_field lease_grant_resp_fields[] = {
    EMBED(1, struct kvs_lease_grant_resp, header, etcd_pb_header),
    VALUE(2, PB_I64, struct kvs_lease_grant_resp, id),
    VALUE(3, PB_I64, struct kvs_lease_grant_resp, ttl_s),
};
MESSAGE(lease_grant_resp, struct kvs_lease_grant_resp);

static const struct pb_field lease_revoke_req_fields[] = {
    VALUE(1, PB_I64, struct kvs_lease_revoke_req, id),
};
MESSAGE(lease_revoke_req, struct kvs_lease_revoke_req);
MESSAGE_HEADER_ONLY(lease_revoke_resp, struct kvs_lease_revoke_resp);

static const struct pb_field lease_keepalive_req_fields[] = {
    VALUE(1, PB_I64, struct kvs_lease_keepalive_req, id),
};
MESSAGE(lease_keepalive_req, struct kvs_lease_keepalive_req);

static const struct pb_field lease_keepalive_resp_fields[] = {
    EMBED(1, struct kvs_lease_keepalive_resp, header, etcd_pb_header),
    VALUE(2, PB_I64, struct kvs_lease_keepalive_resp, id),
    VALUE(3, PB_I64, struct kvs_lease_keepalive_resp, ttl_s),
};
MESSAGE(lease_keepalive_resp, struct kvs_lease_keepalive_resp);

static const struct pb_field lease_ttl_req_fields[] = {
    VALUE(1, PB_I64, struct kvs_lease_ttl_req, id),
    VALUE(2, PB_BOOL, struct kvs_lease_ttl_req, keys),
};
MESSAGE(lease_ttl_req, struct kvs_lease_ttl_req);

static const struct pb_field lease_ttl_resp_fields[] = {
    EMBED(1, struct kvs_lease_ttl_resp, header, etcd_pb_header),
    VALUE(2, PB_I64, struct kvs_lease_ttl_resp, id),
    VALUE(3, PB_I64, struct kvs_lease_ttl_resp, ttl_s),
    VALUE(4, PB_I64, struct kvs_lease_ttl_resp, granted_ttl_s),
    LIST_OF(5, PB_BYTES_LIST, struct kvs_lease_ttl_resp, keys, n_keys, NULL),
};
MESSAGE(lease_ttl_resp, struct kvs_lease_ttl_resp);

MESSAGE_EMPTY(lease_list_req, struct kvs_lease_list_req);

/* LeaseStatus is a message of one id, so the list's elements are plain ids. */
_Static_assert(sizeof(struct id_only) == sizeof(kvs_lease_id), "an array of ids");
static const struct pb_field lease_list_resp_fields[] = {
    EMBED(1, struct kvs_lease_list_resp, header, etcd_pb_header),
    LIST_OF(2, PB_MSG_LIST, struct kvs_lease_list_resp, leases, n_leases, &etcd_pb_id_only),
};
MESSAGE(lease_list_resp, struct kvs_lease_list_resp);

/* ---- Cluster ---- */

static const struct pb_field member_fields[] = {
    VALUE(1, PB_U64, struct kvs_member, id),
    VALUE(2, PB_BYTES, struct kvs_member, name),
    LIST_OF(3, PB_BYTES_LIST, struct kvs_member, peer_urls, n_peer_urls, NULL),
    LIST_OF(4, PB_BYTES_LIST, struct kvs_member, client_urls, n_client_urls, NULL),
    VALUE(5, PB_BOOL, struct kvs_member, is_learner),
};
static MESSAGE(member, struct kvs_member);

static const struct pb_field member_add_req_fields[] = {
    LIST_OF(1, PB_BYTES_LIST, struct kvs_member_add_req, peer_urls, n_peer_urls, NULL),
    VALUE(2, PB_BOOL, struct kvs_member_add_req, is_learner),
};
MESSAGE(member_add_req, struct kvs_member_add_req);

static const struct pb_field member_add_resp_fields[] = {
    EMBED(1, struct kvs_member_add_resp, header, etcd_pb_header),
    EMBED(2, struct kvs_member_add_resp, member, etcd_pb_member),
    LIST_OF(3, PB_MSG_LIST, struct kvs_member_add_resp, members, n_members, &etcd_pb_member),
};
MESSAGE(member_add_resp, struct kvs_member_add_resp);

static const struct pb_field member_remove_req_fields[] = {
    VALUE(1, PB_U64, struct kvs_member_remove_req, id),
};
MESSAGE(member_remove_req, struct kvs_member_remove_req);

static const struct pb_field member_update_req_fields[] = {
    VALUE(1, PB_U64, struct kvs_member_update_req, id),
    LIST_OF(2, PB_BYTES_LIST, struct kvs_member_update_req, peer_urls, n_peer_urls, NULL),
};
MESSAGE(member_update_req, struct kvs_member_update_req);

static const struct pb_field member_list_req_fields[] = {
    VALUE(1, PB_BOOL, struct kvs_member_list_req, linearizable),
};
MESSAGE(member_list_req, struct kvs_member_list_req);

static const struct pb_field member_list_resp_fields[] = {
    EMBED(1, struct kvs_member_list_resp, header, etcd_pb_header),
    LIST_OF(2, PB_MSG_LIST, struct kvs_member_list_resp, members, n_members, &etcd_pb_member),
};
MESSAGE(member_list_resp, struct kvs_member_list_resp);

static const struct pb_field member_promote_req_fields[] = {
    VALUE(1, PB_U64, struct kvs_member_promote_req, id),
};
MESSAGE(member_promote_req, struct kvs_member_promote_req);

/* ---- Maintenance ---- */

static const struct pb_field alarm_fields[] = {
    VALUE(1, PB_U64, struct kvs_alarm, member_id),
    VALUE(2, PB_I32, struct kvs_alarm, type),
};
static MESSAGE(alarm, struct kvs_alarm);

static const struct pb_field alarm_req_fields[] = {
    VALUE(1, PB_I32, struct kvs_alarm_req, action),
    VALUE(2, PB_U64, struct kvs_alarm_req, member_id),
    VALUE(3, PB_I32, struct kvs_alarm_req, type),
};
MESSAGE(alarm_req, struct kvs_alarm_req);

static const struct pb_field alarm_resp_fields[] = {
    EMBED(1, struct kvs_alarm_list_resp, header, etcd_pb_header),
    LIST_OF(2, PB_MSG_LIST, struct kvs_alarm_list_resp, alarms, n_alarms, &etcd_pb_alarm),
};
MESSAGE(alarm_resp, struct kvs_alarm_list_resp);

MESSAGE_EMPTY(status_req, struct kvs_status_req);

static const struct pb_field status_resp_fields[] = {
    EMBED(1, struct kvs_status_resp, header, etcd_pb_header),
    VALUE(2, PB_CSTR, struct kvs_status_resp, version),
    VALUE(3, PB_I64, struct kvs_status_resp, db_size_bytes),
    VALUE(4, PB_U64, struct kvs_status_resp, leader),
    VALUE(5, PB_U64, struct kvs_status_resp, raft_index),
    VALUE(6, PB_U64, struct kvs_status_resp, raft_term),
    VALUE(7, PB_U64, struct kvs_status_resp, raft_applied_index),
    LIST_OF(8, PB_CSTR_LIST, struct kvs_status_resp, errors, n_errors, NULL),
    VALUE(9, PB_I64, struct kvs_status_resp, db_size_in_use_bytes),
    VALUE(10, PB_BOOL, struct kvs_status_resp, is_learner),
    VALUE(11, PB_CSTR, struct kvs_status_resp, storage_version),
    VALUE(12, PB_I64, struct kvs_status_resp, db_size_quota_bytes),
};
MESSAGE(status_resp, struct kvs_status_resp);

MESSAGE_EMPTY(defragment_req, struct kvs_defragment_req);
MESSAGE_HEADER_ONLY(defragment_resp, struct kvs_defragment_resp);

MESSAGE_EMPTY(hash_req, struct kvs_hash_req);

static const struct pb_field hash_resp_fields[] = {
    EMBED(1, struct kvs_hash_resp, header, etcd_pb_header),
    VALUE(2, PB_U32, struct kvs_hash_resp, hash),
};
MESSAGE(hash_resp, struct kvs_hash_resp);

static const struct pb_field hash_kv_req_fields[] = {
    VALUE(1, PB_I64, struct kvs_hash_kv_req, revision),
};
MESSAGE(hash_kv_req, struct kvs_hash_kv_req);

static const struct pb_field hash_kv_resp_fields[] = {
    EMBED(1, struct kvs_hash_kv_resp, header, etcd_pb_header),
    VALUE(2, PB_U32, struct kvs_hash_kv_resp, hash),
    VALUE(3, PB_I64, struct kvs_hash_kv_resp, compact_revision),
    VALUE(4, PB_I64, struct kvs_hash_kv_resp, hash_revision),
};
MESSAGE(hash_kv_resp, struct kvs_hash_kv_resp);

MESSAGE_EMPTY(snapshot_req, struct kvs_snapshot_req);

static const struct pb_field snapshot_resp_fields[] = {
    EMBED(1, struct kvs_snapshot_resp, header, etcd_pb_header),
    VALUE(2, PB_U64, struct kvs_snapshot_resp, remaining_bytes),
    VALUE(3, PB_BYTES, struct kvs_snapshot_resp, blob),
    VALUE(4, PB_BYTES, struct kvs_snapshot_resp, version),
};
MESSAGE(snapshot_resp, struct kvs_snapshot_resp);

static const struct pb_field move_leader_req_fields[] = {
    VALUE(1, PB_U64, struct kvs_move_leader_req, target_id),
};
MESSAGE(move_leader_req, struct kvs_move_leader_req);
MESSAGE_HEADER_ONLY(move_leader_resp, struct kvs_move_leader_resp);

/* ---- grpc.health.v1 ---- */

static const struct pb_field health_check_req_fields[] = {
    VALUE(1, PB_BYTES, struct kvs_health_check_req, service),
};
MESSAGE(health_check_req, struct kvs_health_check_req);

static const struct pb_field health_check_resp_fields[] = {
    VALUE(1, PB_I32, struct kvs_health_check_resp, status),
};
MESSAGE(health_check_resp, struct kvs_health_check_resp);
