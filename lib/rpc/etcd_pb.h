/* etcd's v3 protobuf messages <-> the structs of kvstore/types.h and kvstore/requests.h.
 *
 * Every message has three functions, generated from the one table below:
 *
 *   size_t etcd_pb_size_NAME(const T *m);
 *   void   etcd_pb_encode_NAME(struct buf *b, const T *m);
 *   int    etcd_pb_decode_NAME(struct arena *a, struct kvs_view bytes, T *ret_m);
 *
 * encode appends; out of memory marks the buffer (buf.failed). decode zeroes `ret_m` first.
 * Byte fields of a decoded message BORROW from `bytes`; arrays and C strings live in `a`: so both
 * have to outlive the message. A server copies the request into the call's arena once if the
 * transport does not keep it, and decodes from the copy.
 *
 * decode answers KVS_E_MALFORMED for anything that is not the message, KVS_E_TOO_LONG when the
 * arena's limit is reached, KVS_E_TOO_MANY_OPS for transactions nested deeper than
 * ETCD_PB_TXN_DEPTH_MAX (found before descending, so stack use is bounded). Unknown fields are
 * skipped, never kept.
 *
 * The hot answers (Range, Watch) have writers of their own at the end of this file, so that they
 * go from the store's cursor to the wire without an intermediate struct. All functions: any
 * thread, no shared state. */
#ifndef RPC_ETCD_PB_H
#define RPC_ETCD_PB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "kvstore/requests.h"
#include "kvstore/types.h"
#include "rpc/pb.h"

/* etcd counts each nested transaction against --max-txn-ops (128 by default), so a deeper one
 * would be refused there with the same text. */
#define ETCD_PB_TXN_DEPTH_MAX 128

/* X(name, struct) */
#define ETCD_PB_MESSAGES(X)                                                                        \
    /* KV */                                                                                       \
    X(range_req, struct kvs_range_req)                                                             \
    X(range_resp, struct kvs_range_resp)                                                           \
    X(put_req, struct kvs_put_req)                                                                 \
    X(put_resp, struct kvs_put_resp)                                                               \
    X(delete_req, struct kvs_delete_req)                                                           \
    X(delete_resp, struct kvs_delete_resp)                                                         \
    X(txn_req, struct kvs_txn_req)                                                                 \
    X(txn_resp, struct kvs_txn_resp)                                                               \
    X(compact_req, struct kvs_compact_req)                                                         \
    X(compact_resp, struct kvs_compact_resp)                                                       \
    /* Watch */                                                                                    \
    X(watch_req, struct kvs_watch_req)                                                             \
    X(watch_resp, struct kvs_watch_resp)                                                           \
    /* Lease */                                                                                    \
    X(lease_grant_req, struct kvs_lease_grant_req)                                                 \
    X(lease_grant_resp, struct kvs_lease_grant_resp)                                               \
    X(lease_revoke_req, struct kvs_lease_revoke_req)                                               \
    X(lease_revoke_resp, struct kvs_lease_revoke_resp)                                             \
    X(lease_keepalive_req, struct kvs_lease_keepalive_req)                                         \
    X(lease_keepalive_resp, struct kvs_lease_keepalive_resp)                                       \
    X(lease_ttl_req, struct kvs_lease_ttl_req)                                                     \
    X(lease_ttl_resp, struct kvs_lease_ttl_resp)                                                   \
    X(lease_list_req, struct kvs_lease_list_req)                                                   \
    X(lease_list_resp, struct kvs_lease_list_resp)                                                 \
    /* Cluster; update, remove, promote answer with member_list_resp */                            \
    X(member_add_req, struct kvs_member_add_req)                                                   \
    X(member_add_resp, struct kvs_member_add_resp)                                                 \
    X(member_remove_req, struct kvs_member_remove_req)                                             \
    X(member_update_req, struct kvs_member_update_req)                                             \
    X(member_list_req, struct kvs_member_list_req)                                                 \
    X(member_list_resp, struct kvs_member_list_resp)                                               \
    X(member_promote_req, struct kvs_member_promote_req)                                           \
    /* Maintenance */                                                                              \
    X(alarm_req, struct kvs_alarm_req)                                                             \
    X(alarm_resp, struct kvs_alarm_list_resp)                                                      \
    X(status_req, struct kvs_status_req)                                                           \
    X(status_resp, struct kvs_status_resp)                                                         \
    X(defragment_req, struct kvs_defragment_req)                                                   \
    X(defragment_resp, struct kvs_defragment_resp)                                                 \
    X(hash_req, struct kvs_hash_req)                                                               \
    X(hash_resp, struct kvs_hash_resp)                                                             \
    X(hash_kv_req, struct kvs_hash_kv_req)                                                         \
    X(hash_kv_resp, struct kvs_hash_kv_resp)                                                       \
    X(snapshot_req, struct kvs_snapshot_req)                                                       \
    X(snapshot_resp, struct kvs_snapshot_resp)                                                     \
    X(move_leader_req, struct kvs_move_leader_req)                                                 \
    X(move_leader_resp, struct kvs_move_leader_resp)                                               \
    /* grpc.health.v1 */                                                                           \
    X(health_check_req, struct kvs_health_check_req)                                               \
    X(health_check_resp, struct kvs_health_check_resp)

#define X(name, type)                                                                              \
    extern const struct pb_message etcd_pb_##name;                                                 \
    static inline size_t etcd_pb_size_##name(const type *m)                                        \
    {                                                                                              \
        return pb_size(&etcd_pb_##name, m);                                                        \
    }                                                                                              \
    static inline void etcd_pb_encode_##name(struct buf *b, const type *m)                         \
    {                                                                                              \
        pb_encode(b, &etcd_pb_##name, m);                                                          \
    }                                                                                              \
    static inline KVS_MUST_USE int etcd_pb_decode_##name(struct arena *a, struct kvs_view bytes,   \
                                                         type *ret_m)                              \
    {                                                                                              \
        return pb_decode(a, bytes, &etcd_pb_##name, ret_m);                                        \
    }
ETCD_PB_MESSAGES(X)
#undef X

/* Record writers. `..._size` is exact; `..._put` writes that many bytes and returns the end. */

/* One mvccpb.KeyValue, bare. */
size_t etcd_pb_kv_size(const struct kvs_kv *kv);
uint8_t *etcd_pb_kv_put(uint8_t *at, const struct kvs_kv *kv);

/* A RangeResponse in pieces: head, then any number of kvs, then tail. gRPC wants the length of
 * the message first: sum the sizes in one pass of the cursor, write in a second, as slowly as the
 * stream's window allows. */
size_t etcd_pb_range_head_size(const struct kvs_header *header);
uint8_t *etcd_pb_range_head_put(uint8_t *at, const struct kvs_header *header);
size_t etcd_pb_range_kv_size(const struct kvs_kv *kv); /* with its field tag and length */
uint8_t *etcd_pb_range_kv_put(uint8_t *at, const struct kvs_kv *kv);
size_t etcd_pb_range_tail_size(bool more, int64_t count);
uint8_t *etcd_pb_range_tail_put(uint8_t *at, bool more, int64_t count);

/* A WatchResponse in two pieces: a small prefix that belongs to one watch (header, watch_id,
 * flags: fields 1 to 7), and the events (field 11), encoded once and shared by every stream that
 * gets them. `with_prev` false leaves prev_kv out, for watches that did not ask for it. */
size_t etcd_pb_event_size(const struct kvs_event *event, bool with_prev); /* with tag and length */
uint8_t *etcd_pb_event_put(uint8_t *at, const struct kvs_event *event, bool with_prev);

/* The most that a prefix without cancel_reason takes, for callers with a fixed buffer. */
#define ETCD_PB_WATCH_PREFIX_MAX 96

/* Everything of `resp` but its events. */
size_t etcd_pb_watch_prefix_size(const struct kvs_watch_resp *resp);
uint8_t *etcd_pb_watch_prefix_put(uint8_t *at, const struct kvs_watch_resp *resp);

#endif
