/* The table codec against protobuf-c: what one writes the other reads, byte for byte, for every
 * message; names and numbers agree; damaged input is refused, never followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "health.pb-c.h"
#include "kv.pb-c.h"
#include "rpc.pb-c.h"

#include "base/alloc.h"
#include "base/view.h"
#include "random_message.h"
#include "rpc/etcd_pb.h"
#include "rpc/etcd_pb_int.h"

enum { ROUNDS = 300, STRUCT_MAX = 512, SEED_DEFAULT = 20261123 };

struct pair {
    const struct pb_message *ours;
    const ProtobufCMessageDescriptor *theirs;
};

static const struct pair pairs[] = {
    {&etcd_pb_range_req, &etcdserverpb__range_request__descriptor},
    {&etcd_pb_range_resp, &etcdserverpb__range_response__descriptor},
    {&etcd_pb_put_req, &etcdserverpb__put_request__descriptor},
    {&etcd_pb_put_resp, &etcdserverpb__put_response__descriptor},
    {&etcd_pb_delete_req, &etcdserverpb__delete_range_request__descriptor},
    {&etcd_pb_delete_resp, &etcdserverpb__delete_range_response__descriptor},
    {&etcd_pb_txn_req, &etcdserverpb__txn_request__descriptor},
    {&etcd_pb_txn_resp, &etcdserverpb__txn_response__descriptor},
    {&etcd_pb_compact_req, &etcdserverpb__compaction_request__descriptor},
    {&etcd_pb_compact_resp, &etcdserverpb__compaction_response__descriptor},
    {&etcd_pb_watch_req, &etcdserverpb__watch_request__descriptor},
    {&etcd_pb_watch_resp, &etcdserverpb__watch_response__descriptor},
    {&etcd_pb_lease_grant_req, &etcdserverpb__lease_grant_request__descriptor},
    {&etcd_pb_lease_grant_resp, &etcdserverpb__lease_grant_response__descriptor},
    {&etcd_pb_lease_revoke_req, &etcdserverpb__lease_revoke_request__descriptor},
    {&etcd_pb_lease_revoke_resp, &etcdserverpb__lease_revoke_response__descriptor},
    {&etcd_pb_lease_keepalive_req, &etcdserverpb__lease_keep_alive_request__descriptor},
    {&etcd_pb_lease_keepalive_resp, &etcdserverpb__lease_keep_alive_response__descriptor},
    {&etcd_pb_lease_ttl_req, &etcdserverpb__lease_time_to_live_request__descriptor},
    {&etcd_pb_lease_ttl_resp, &etcdserverpb__lease_time_to_live_response__descriptor},
    {&etcd_pb_lease_list_req, &etcdserverpb__lease_leases_request__descriptor},
    {&etcd_pb_lease_list_resp, &etcdserverpb__lease_leases_response__descriptor},
    {&etcd_pb_member_add_req, &etcdserverpb__member_add_request__descriptor},
    {&etcd_pb_member_add_resp, &etcdserverpb__member_add_response__descriptor},
    {&etcd_pb_member_remove_req, &etcdserverpb__member_remove_request__descriptor},
    {&etcd_pb_member_update_req, &etcdserverpb__member_update_request__descriptor},
    {&etcd_pb_member_list_req, &etcdserverpb__member_list_request__descriptor},
    {&etcd_pb_member_list_resp, &etcdserverpb__member_list_response__descriptor},
    {&etcd_pb_member_list_resp, &etcdserverpb__member_update_response__descriptor},
    {&etcd_pb_member_list_resp, &etcdserverpb__member_remove_response__descriptor},
    {&etcd_pb_member_list_resp, &etcdserverpb__member_promote_response__descriptor},
    {&etcd_pb_member_promote_req, &etcdserverpb__member_promote_request__descriptor},
    {&etcd_pb_alarm_req, &etcdserverpb__alarm_request__descriptor},
    {&etcd_pb_alarm_resp, &etcdserverpb__alarm_response__descriptor},
    {&etcd_pb_status_req, &etcdserverpb__status_request__descriptor},
    {&etcd_pb_status_resp, &etcdserverpb__status_response__descriptor},
    {&etcd_pb_defragment_req, &etcdserverpb__defragment_request__descriptor},
    {&etcd_pb_defragment_resp, &etcdserverpb__defragment_response__descriptor},
    {&etcd_pb_hash_req, &etcdserverpb__hash_request__descriptor},
    {&etcd_pb_hash_resp, &etcdserverpb__hash_response__descriptor},
    {&etcd_pb_hash_kv_req, &etcdserverpb__hash_kvrequest__descriptor},
    {&etcd_pb_hash_kv_resp, &etcdserverpb__hash_kvresponse__descriptor},
    {&etcd_pb_snapshot_req, &etcdserverpb__snapshot_request__descriptor},
    {&etcd_pb_snapshot_resp, &etcdserverpb__snapshot_response__descriptor},
    {&etcd_pb_move_leader_req, &etcdserverpb__move_leader_request__descriptor},
    {&etcd_pb_move_leader_resp, &etcdserverpb__move_leader_response__descriptor},
    {&etcd_pb_health_check_req, &grpc__health__v1__health_check_request__descriptor},
    {&etcd_pb_health_check_resp, &grpc__health__v1__health_check_response__descriptor},
};

static uint64_t seed;

/* ---- what protobuf-c thinks of bytes ---- */

static void assert_all_known(const ProtobufCMessage *m);

static void assert_field_known(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const uint8_t *at = (const uint8_t *)m + f->offset;
    size_t count = 1;

    if (f->type != PROTOBUF_C_TYPE_MESSAGE) {
        return;
    }
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        count = *(const size_t *)(const void *)((const uint8_t *)m + f->quantifier_offset);
        at = *(uint8_t *const *)(const void *)at;
    } else if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
               *(const uint32_t *)(const void *)((const uint8_t *)m + f->quantifier_offset) !=
                   f->id) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessage *inner = ((ProtobufCMessage *const *)(const void *)at)[i];

        if (inner != NULL) {
            assert_all_known(inner);
        }
    }
}

static void assert_all_known(const ProtobufCMessage *m)
{
    assert_int_equal(m->n_unknown_fields, 0);
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        assert_field_known(m, &m->descriptor->fields[i]);
    }
}

static void assert_oracle_agrees(const struct pair *p, struct kvs_view bytes)
{
    ProtobufCMessage *m =
        protobuf_c_message_unpack(p->theirs, NULL, bytes.len, bytes.len ? bytes.data : NULL);
    uint8_t *packed = kvs_malloc(bytes.len + 1);

    assert_non_null(m);
    assert_non_null(packed);
    assert_all_known(m);
    assert_int_equal(protobuf_c_message_get_packed_size(m), bytes.len);
    assert_int_equal(protobuf_c_message_pack(m, packed), bytes.len);
    assert_true(view_equal(view_make(packed, bytes.len), bytes));
    kvs_free(packed);
    protobuf_c_message_free_unpacked(m, NULL);
}

static void assert_round_trip(const struct pair *p, struct kvs_view bytes)
{
    union {
        uint8_t bytes[STRUCT_MAX];
        max_align_t align;
    } decoded;
    struct arena a;
    struct buf again;

    arena_init(&a, 0);
    buf_init(&again);
    assert_int_equal(pb_decode(&a, bytes, p->ours, &decoded), 0);
    pb_encode(&again, p->ours, &decoded);
    assert_true(view_equal(buf_view(&again), bytes));
    buf_fini(&again);
    arena_fini(&a);
}

static void test_every_message_agrees_with_the_oracle(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, seed);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        for (int round = 0; round < ROUNDS; round++) {
            union {
                uint8_t bytes[STRUCT_MAX];
                max_align_t align;
            } m = {{0}};
            struct arena a;
            struct buf b;

            assert_true(pairs[i].ours->size_bytes <= STRUCT_MAX);
            arena_init(&a, 0);
            buf_init(&b);
            random_message(&r, &a, pairs[i].ours, &m, 0);
            pb_encode(&b, pairs[i].ours, &m);
            assert_false(b.failed);
            assert_oracle_agrees(&pairs[i], buf_view(&b));
            assert_round_trip(&pairs[i], buf_view(&b));
            buf_fini(&b);
            arena_fini(&a);
        }
    }
}

/* What was copied says the same when the memory of the original is gone. */
static void test_owned_messages_need_nothing_else(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, seed + 2);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        for (int round = 0; round < ROUNDS; round++) {
            union {
                uint8_t bytes[STRUCT_MAX];
                max_align_t align;
            } m = {{0}};
            struct arena original;
            struct arena own;
            struct buf before;
            struct buf after;

            arena_init(&original, 0);
            arena_init(&own, 0);
            buf_init(&before);
            buf_init(&after);
            random_message(&r, &original, pairs[i].ours, &m, 0);
            pb_encode(&before, pairs[i].ours, &m);
            assert_int_equal(pb_own(&own, pairs[i].ours, &m), 0);
            arena_fini(&original);
            pb_encode(&after, pairs[i].ours, &m);
            assert_false(before.failed || after.failed);
            assert_true(view_equal(buf_view(&before), buf_view(&after)));
            buf_fini(&before);
            buf_fini(&after);
            arena_fini(&own);
        }
    }
}

static void test_owning_too_deep_is_refused(void **state)
{
    enum { DEPTH = ETCD_PB_TXN_DEPTH_MAX + 1 };
    struct kvs_txn_req txns[DEPTH] = {{0}};
    struct kvs_op ops[DEPTH];
    struct kvs_txn_req copy;
    struct arena a;

    (void)state;
    for (int i = 0; i + 1 < DEPTH; i++) {
        ops[i] = (struct kvs_op){.type = KVS_OP_TXN, .u.txn = &txns[i + 1]};
        txns[i].success = &ops[i];
        txns[i].n_success = 1;
    }
    arena_init(&a, 0);
    copy = txns[1]; /* one less */
    assert_int_equal(pb_own(&a, &etcd_pb_txn_req, &copy), 0);
    copy = txns[0];
    assert_int_equal(pb_own(&a, &etcd_pb_txn_req, &copy), KVS_E_TOO_MANY_OPS);
    arena_fini(&a);
}

/* Decodes a copy of exactly `len` bytes, so that the sanitizer sees a byte read too far. */
static void decode_copy(const struct pb_message *message, const uint8_t *data, size_t len)
{
    union {
        uint8_t bytes[STRUCT_MAX];
        max_align_t align;
    } m;
    uint8_t *copy = kvs_malloc(len);
    struct arena a;
    int err;

    assert_non_null(copy);
    memcpy(copy, data, len);
    arena_init(&a, 1 << 20);
    err = pb_decode(&a, view_make(copy, len), message, &m);
    assert_true(err == 0 || err == KVS_E_MALFORMED || err == KVS_E_TOO_LONG ||
                err == KVS_E_TOO_MANY_OPS);
    arena_fini(&a);
    kvs_free(copy);
}

static void test_damaged_messages_are_refused_or_harmless(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, seed + 1);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        for (int round = 0; round < 10; round++) {
            union {
                uint8_t bytes[STRUCT_MAX];
                max_align_t align;
            } m = {{0}};
            struct arena a;
            struct buf b;

            arena_init(&a, 0);
            buf_init(&b);
            random_message(&r, &a, pairs[i].ours, &m, 6);
            pb_encode(&b, pairs[i].ours, &m);
            for (size_t len = 0; len <= b.len && len < 600; len++) {
                decode_copy(pairs[i].ours, b.data, len);
            }
            for (size_t flip = 0; flip < 300 && b.len > 0; flip++) {
                size_t at = rng_below(&r, b.len);
                uint8_t bit = (uint8_t)(1u << rng_below(&r, 8));

                b.data[at] ^= bit;
                decode_copy(pairs[i].ours, b.data, b.len);
                b.data[at] ^= bit;
            }
            buf_fini(&b);
            arena_fini(&a);
        }
    }
}

/* ---- the limits ---- */

/* A transaction whose only operation is a transaction, `depth` deep, from the inside out. */
static struct kvs_blob nested_txn(unsigned depth)
{
    size_t room = (size_t)depth * 12 + 16;
    uint8_t *from = kvs_malloc(room);
    uint8_t *at = from + room;
    struct kvs_blob blob;
    struct buf b;

    assert_non_null(from);
    for (unsigned i = 1; i < depth; i++) {
        const uint8_t tags[] = {4 << 3 | 2, 2 << 3 | 2}; /* RequestOp.request_txn, .success */

        for (size_t t = 0; t < 2; t++) {
            size_t len = (size_t)(from + room - at);
            uint8_t varint[8];
            size_t n = 0;

            do {
                varint[n++] = (uint8_t)((len & 0x7f) | (len > 0x7f ? 0x80 : 0));
                len >>= 7;
            } while (len > 0);
            at -= n;
            memcpy(at, varint, n);
            *--at = tags[t];
        }
    }
    buf_init(&b);
    buf_append(&b, at, (size_t)(from + room - at));
    kvs_free(from);
    blob = buf_take(&b);
    return blob;
}

static int decode_nested(unsigned depth)
{
    struct kvs_blob blob = nested_txn(depth);
    struct kvs_txn_req req;
    struct arena a;
    int err;

    arena_init(&a, 0);
    err = etcd_pb_decode_txn_req(&a, view_make(blob.data, blob.len), &req);
    arena_fini(&a);
    kvs_free(blob.data);
    return err;
}

static void test_deep_transactions_are_refused(void **state)
{
    (void)state;
    assert_int_equal(decode_nested(2), 0);
    assert_int_equal(decode_nested(ETCD_PB_TXN_DEPTH_MAX), 0);
    assert_int_equal(decode_nested(ETCD_PB_TXN_DEPTH_MAX + 1), KVS_E_TOO_MANY_OPS);
    assert_int_equal(decode_nested(20000), KVS_E_TOO_MANY_OPS);
}

static void test_arena_limit_bounds_what_a_message_costs(void **state)
{
    uint8_t empty_kvs[2000];
    struct kvs_range_resp resp;
    struct arena a;

    (void)state;
    for (size_t i = 0; i < sizeof empty_kvs; i += 2) {
        empty_kvs[i] = 2 << 3 | 2; /* kvs, of no bytes: 2 bytes become a whole struct */
        empty_kvs[i + 1] = 0;
    }
    arena_init(&a, 16 * 1024);
    assert_int_equal(etcd_pb_decode_range_resp(&a, view_make(empty_kvs, sizeof empty_kvs), &resp),
                     KVS_E_TOO_LONG);
    arena_fini(&a);
    arena_init(&a, 0);
    assert_int_equal(etcd_pb_decode_range_resp(&a, view_make(empty_kvs, sizeof empty_kvs), &resp),
                     0);
    assert_int_equal(resp.n_kvs, 1000);
    arena_fini(&a);
}

static void test_unknown_fields_are_dropped(void **state)
{
    const uint8_t bytes[] = {0x0a, 1, 'k', 0x7a, 3, 'x', 'y', 'z', 0xf8, 0x07, 5, 0x18, 7};
    struct kvs_range_req req;
    struct arena a;
    struct buf b;

    (void)state;
    arena_init(&a, 0);
    buf_init(&b);
    assert_int_equal(etcd_pb_decode_range_req(&a, view_make(bytes, sizeof bytes), &req), 0);
    assert_true(view_equal_str(req.key, "k"));
    assert_int_equal(req.limit, 7);
    etcd_pb_encode_range_req(&b, &req);
    assert_int_equal(b.len, 5);
    buf_fini(&b);
    arena_fini(&a);
}

/* ---- names: the right number in the right member ---- */

static void test_range_request_members(void **state)
{
    struct kvs_range_req req = {.key = VIEW_LITERAL("k"),
                                .range_end = VIEW_LITERAL("e"),
                                .limit = 3,
                                .revision = 4,
                                .sort_order = KVS_SORT_DESCEND,
                                .sort_target = KVS_SORT_MOD,
                                .serializable = true,
                                .keys_only = true,
                                .count_only = true,
                                .min_mod_revision = 10,
                                .max_mod_revision = 11,
                                .min_create_revision = 12,
                                .max_create_revision = 13};
    Etcdserverpb__RangeRequest *m;
    struct buf b;

    (void)state;
    buf_init(&b);
    etcd_pb_encode_range_req(&b, &req);
    m = etcdserverpb__range_request__unpack(NULL, b.len, b.data);
    assert_non_null(m);
    assert_int_equal(m->key.data[0], 'k');
    assert_int_equal(m->range_end.data[0], 'e');
    assert_int_equal(m->limit, 3);
    assert_int_equal(m->revision, 4);
    assert_int_equal(m->sort_order, ETCDSERVERPB__RANGE_REQUEST__SORT_ORDER__DESCEND);
    assert_int_equal(m->sort_target, ETCDSERVERPB__RANGE_REQUEST__SORT_TARGET__MOD);
    assert_true(m->serializable && m->keys_only && m->count_only);
    assert_int_equal(m->min_mod_revision, 10);
    assert_int_equal(m->max_mod_revision, 11);
    assert_int_equal(m->min_create_revision, 12);
    assert_int_equal(m->max_create_revision, 13);
    etcdserverpb__range_request__free_unpacked(m, NULL);
    buf_fini(&b);
}

static void test_status_response_members(void **state)
{
    struct kvs_status_resp resp = {.version = "3.6.0",
                                   .db_size_bytes = 3,
                                   .leader = 4,
                                   .raft_index = 5,
                                   .raft_term = 6,
                                   .raft_applied_index = 7,
                                   .db_size_in_use_bytes = 9,
                                   .is_learner = true,
                                   .storage_version = "3.6.1",
                                   .db_size_quota_bytes = 12};
    Etcdserverpb__StatusResponse *m;
    struct buf b;

    (void)state;
    buf_init(&b);
    etcd_pb_encode_status_resp(&b, &resp);
    m = etcdserverpb__status_response__unpack(NULL, b.len, b.data);
    assert_non_null(m);
    assert_string_equal(m->version, "3.6.0");
    assert_int_equal(m->dbsize, 3);
    assert_int_equal(m->leader, 4);
    assert_int_equal(m->raftindex, 5);
    assert_int_equal(m->raftterm, 6);
    assert_int_equal(m->raftappliedindex, 7);
    assert_int_equal(m->dbsizeinuse, 9);
    assert_true(m->islearner);
    assert_string_equal(m->storageversion, "3.6.1");
    assert_int_equal(m->dbsizequota, 12);
    assert_null(m->header);
    etcdserverpb__status_response__free_unpacked(m, NULL);
    buf_fini(&b);
}

static void test_watch_create_members(void **state)
{
    struct kvs_watch_req req = {.type = KVS_WATCH_REQ_CREATE,
                                .create = {.key = VIEW_LITERAL("k"),
                                           .range_end = VIEW_LITERAL("e"),
                                           .start_revision = 3,
                                           .progress_notify = true,
                                           .filters = KVS_WATCH_NO_DELETE,
                                           .watch_id = 7}};
    Etcdserverpb__WatchRequest *m;
    struct buf b;

    (void)state;
    buf_init(&b);
    etcd_pb_encode_watch_req(&b, &req);
    m = etcdserverpb__watch_request__unpack(NULL, b.len, b.data);
    assert_non_null(m);
    assert_int_equal(m->request_union_case,
                     ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST);
    assert_int_equal(m->create_request->start_revision, 3);
    assert_true(m->create_request->progress_notify);
    assert_int_equal(m->create_request->n_filters, 1);
    assert_int_equal(m->create_request->filters[0],
                     ETCDSERVERPB__WATCH_CREATE_REQUEST__FILTER_TYPE__NODELETE);
    assert_false(m->create_request->prev_kv);
    assert_int_equal(m->create_request->watch_id, 7);
    etcdserverpb__watch_request__free_unpacked(m, NULL);
    buf_fini(&b);
}

static struct kvs_compare decode_one_compare(const uint8_t *bytes, size_t len)
{
    struct kvs_txn_req req;
    struct arena a;
    struct kvs_compare compare;

    arena_init(&a, 0);
    assert_int_equal(etcd_pb_decode_txn_req(&a, view_make(bytes, len), &req), 0);
    assert_int_equal(req.n_compares, 1);
    compare = req.compares[0];
    arena_fini(&a);
    return compare;
}

/* An operand of another kind than the target compares with zero, wherever the target stands. */
static void test_compare_operand_must_match_its_target(void **state)
{
    const uint8_t match_first[] = {0x0a, 4, 0x30, 9, 0x10, 2}; /* mod_revision 9, target MOD */
    const uint8_t mismatch[] = {0x0a, 4, 0x10, 2, 0x20, 9};    /* target MOD, version 9 */
    const uint8_t value[] = {0x0a, 5, 0x10, 3, 0x3a, 1, 'v'};  /* target VALUE, value v */

    (void)state;
    assert_int_equal(decode_one_compare(match_first, sizeof match_first).number, 9);
    assert_int_equal(decode_one_compare(mismatch, sizeof mismatch).number, 0);
    assert_true(view_equal_str(decode_one_compare(value, sizeof value).value, "v"));
}

/* ---- the record writers write what the tables describe ---- */

static void test_range_in_pieces_is_the_whole_message(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, seed + 2);
    for (int round = 0; round < ROUNDS; round++) {
        struct kvs_range_resp resp = {0};
        struct arena a;
        struct buf whole;
        uint8_t *pieces, *at;

        arena_init(&a, 0);
        buf_init(&whole);
        random_message(&r, &a, &etcd_pb_range_resp, &resp, 0);
        resp.header.revision = round + 1;
        etcd_pb_encode_range_resp(&whole, &resp);
        pieces = at = kvs_malloc(whole.len);
        assert_non_null(pieces);
        at = etcd_pb_range_head_put(at, &resp.header);
        assert_int_equal(at - pieces, etcd_pb_range_head_size(&resp.header));
        for (size_t i = 0; i < resp.n_kvs; i++) {
            uint8_t *end = etcd_pb_range_kv_put(at, &resp.kvs[i]);

            assert_int_equal(end - at, etcd_pb_range_kv_size(&resp.kvs[i]));
            at = end;
        }
        at = etcd_pb_range_tail_put(at, resp.more, resp.count);
        assert_true(view_equal(view_make(pieces, (size_t)(at - pieces)), buf_view(&whole)));
        kvs_free(pieces);
        buf_fini(&whole);
        arena_fini(&a);
    }
}

static void test_watch_prefix_and_events_are_the_whole_message(void **state)
{
    struct rng r;

    (void)state;
    rng_init(&r, seed + 3);
    for (int round = 0; round < ROUNDS; round++) {
        struct kvs_watch_resp resp = {0};
        struct arena a;
        struct buf whole;
        uint8_t *pieces, *at;

        arena_init(&a, 0);
        buf_init(&whole);
        random_message(&r, &a, &etcd_pb_watch_resp, &resp, 0);
        for (size_t i = 0; i < resp.n_events; i++) {
            resp.events[i].kv.mod_revision = round + 1; /* as every event has */
            resp.events[i].type = (enum kvs_event_type)(round & 1);
        }
        etcd_pb_encode_watch_resp(&whole, &resp);
        pieces = at = kvs_malloc(whole.len);
        assert_non_null(pieces);
        at = etcd_pb_watch_prefix_put(at, &resp);
        assert_int_equal(at - pieces, etcd_pb_watch_prefix_size(&resp));
        if (resp.cancel_reason.len == 0) {
            assert_true(at - pieces <= ETCD_PB_WATCH_PREFIX_MAX);
        }
        for (size_t i = 0; i < resp.n_events; i++) {
            uint8_t *end = etcd_pb_event_put(at, &resp.events[i], true);

            assert_int_equal(end - at, etcd_pb_event_size(&resp.events[i], true));
            at = end;
        }
        assert_true(view_equal(view_make(pieces, (size_t)(at - pieces)), buf_view(&whole)));
        kvs_free(pieces);
        buf_fini(&whole);
        arena_fini(&a);
    }
}

static void test_event_without_prev(void **state)
{
    struct kvs_event event = {.type = KVS_EVENT_DELETE,
                              .has_prev = true,
                              .kv = {.key = VIEW_LITERAL("k"), .mod_revision = 9},
                              .prev_kv = {.key = VIEW_LITERAL("k"), .mod_revision = 8}};
    size_t with = etcd_pb_event_size(&event, true);

    (void)state;
    assert_true(etcd_pb_event_size(&event, false) < with);
    event.has_prev = false;
    assert_true(etcd_pb_event_size(&event, true) < with);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_message_agrees_with_the_oracle),
        cmocka_unit_test(test_owned_messages_need_nothing_else),
        cmocka_unit_test(test_owning_too_deep_is_refused),
        cmocka_unit_test(test_damaged_messages_are_refused_or_harmless),
        cmocka_unit_test(test_deep_transactions_are_refused),
        cmocka_unit_test(test_arena_limit_bounds_what_a_message_costs),
        cmocka_unit_test(test_unknown_fields_are_dropped),
        cmocka_unit_test(test_range_request_members),
        cmocka_unit_test(test_status_response_members),
        cmocka_unit_test(test_watch_create_members),
        cmocka_unit_test(test_compare_operand_must_match_its_target),
        cmocka_unit_test(test_range_in_pieces_is_the_whole_message),
        cmocka_unit_test(test_watch_prefix_and_events_are_the_whole_message),
        cmocka_unit_test(test_event_without_prev),
    };

    seed = argc > 1 ? strtoull(argv[1], NULL, 0) : SEED_DEFAULT;
    print_message("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
