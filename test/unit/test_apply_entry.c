/* The entry format: round trips, limits, and bytes that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "apply/entry.h"
#include "base/alloc.h"
#include "base/rand.h"
#include "base/view.h"

#define ROUNDS 3000

/* --- Random entries, in an arena ---------------------------------------------------------------
 */

struct gen {
    struct rng rng;
    struct arena arena;
};

static void *take(struct gen *g, size_t n, size_t size)
{
    void *memory = arena_calloc(&g->arena, n, size);

    assert_non_null(memory);
    return memory;
}

static int64_t any_int(struct gen *g)
{
    switch (rng_below(&g->rng, 4)) {
    case 0:
        return 0;
    case 1:
        return (int64_t)rng_below(&g->rng, 1000) - 500;
    case 2:
        return rng_percent(&g->rng, 50) ? INT64_MAX : INT64_MIN;
    default:
        return (int64_t)rng_next(&g->rng);
    }
}

static bool any_bool(struct gen *g)
{
    return rng_percent(&g->rng, 50);
}

static struct kvs_view any_bytes(struct gen *g, size_t max)
{
    size_t len = rng_below(&g->rng, max + 1);
    uint8_t *data = take(g, len + 1, 1);

    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)rng_next(&g->rng);
    }
    return view_make(data, len);
}

static struct kvs_view *any_urls(struct gen *g, size_t *ret_n)
{
    struct kvs_view *urls;

    *ret_n = rng_below(&g->rng, 4);
    urls = take(g, *ret_n + 1, sizeof *urls);
    for (size_t i = 0; i < *ret_n; i++) {
        urls[i] = any_bytes(g, 30);
    }
    return urls;
}

static struct kvs_put_req any_put(struct gen *g)
{
    return (struct kvs_put_req){
        .key = any_bytes(g, 20),
        .value = any_bytes(g, 200),
        .lease = any_int(g),
        .prev_kv = any_bool(g),
        .ignore_value = any_bool(g),
        .ignore_lease = any_bool(g),
    };
}

static struct kvs_delete_req any_delete(struct gen *g)
{
    return (struct kvs_delete_req){any_bytes(g, 20), any_bytes(g, 20), any_bool(g)};
}

static struct kvs_range_req any_range(struct gen *g)
{
    return (struct kvs_range_req){
        .key = any_bytes(g, 20),
        .range_end = any_bytes(g, 20),
        .limit = any_int(g),
        .revision = any_int(g),
        .sort_order = (int)(int32_t)any_int(g),
        .sort_target = (int)rng_below(&g->rng, 5),
        .serializable = any_bool(g),
        .keys_only = any_bool(g),
        .count_only = any_bool(g),
        .min_mod_revision = any_int(g),
        .max_mod_revision = any_int(g),
        .min_create_revision = any_int(g),
        .max_create_revision = any_int(g),
    };
}

static void any_txn(struct gen *g, unsigned depth, struct kvs_txn_req *ret_txn);

static struct kvs_op *any_ops(struct gen *g, unsigned depth, size_t *ret_n)
{
    struct kvs_op *ops;

    *ret_n = rng_below(&g->rng, 4);
    ops = take(g, *ret_n + 1, sizeof *ops);
    for (size_t i = 0; i < *ret_n; i++) {
        ops[i].type = (enum kvs_op_type)rng_between(&g->rng, KVS_OP_RANGE, depth > 0 ? 4 : 3);
        if (ops[i].type == KVS_OP_RANGE) {
            ops[i].u.range = any_range(g);
        } else if (ops[i].type == KVS_OP_PUT) {
            ops[i].u.put = any_put(g);
        } else if (ops[i].type == KVS_OP_DELETE) {
            ops[i].u.del = any_delete(g);
        } else {
            ops[i].u.txn = take(g, 1, sizeof *ops[i].u.txn);
            any_txn(g, depth - 1, ops[i].u.txn);
        }
    }
    return ops;
}

static void any_txn(struct gen *g, unsigned depth, struct kvs_txn_req *ret_txn)
{
    ret_txn->n_compares = rng_below(&g->rng, 4);
    ret_txn->compares = take(g, ret_txn->n_compares + 1, sizeof *ret_txn->compares);
    for (size_t i = 0; i < ret_txn->n_compares; i++) {
        ret_txn->compares[i] = (struct kvs_compare){
            .result = (int)rng_below(&g->rng, 4),
            .target = (int)rng_below(&g->rng, 5),
            .key = any_bytes(g, 20),
            .range_end = any_bytes(g, 3),
            .number = any_int(g),
            .value = any_bytes(g, 50),
        };
    }
    ret_txn->success = any_ops(g, depth, &ret_txn->n_success);
    ret_txn->failure = any_ops(g, depth, &ret_txn->n_failure);
}

static void any_checkpoint(struct gen *g, struct apply_lease_checkpoint *ret)
{
    ret->only_term = rng_below(&g->rng, 3);
    ret->n_items = rng_below(&g->rng, 5);
    ret->items = take(g, ret->n_items + 1, sizeof *ret->items);
    for (size_t i = 0; i < ret->n_items; i++) {
        ret->items[i] = (struct lease_checkpoint){any_int(g), any_int(g)};
    }
}

static void any_change(struct gen *g, struct apply_member_change *ret)
{
    ret->op = (enum apply_member_op)rng_between(&g->rng, 1, APPLY_MEMBER_OP_COUNT - 1);
    ret->id = rng_next(&g->rng);
    ret->is_learner = any_bool(g);
    ret->peer_urls = any_urls(g, &ret->n_peer_urls);
}

static void any_attributes(struct gen *g, struct apply_member_attributes *ret)
{
    ret->id = rng_next(&g->rng);
    ret->name = any_bytes(g, 10);
    ret->client_urls = any_urls(g, &ret->n_client_urls);
}

static struct apply_entry any_entry(struct gen *g)
{
    struct apply_entry e = {.request_id = (uint64_t)any_int(g)};

    e.kind = (enum apply_kind)rng_between(&g->rng, 1, APPLY_KIND_COUNT - 1);
    switch (e.kind) {
    case APPLY_PUT:
        e.u.put = any_put(g);
        break;
    case APPLY_DELETE:
        e.u.del = any_delete(g);
        break;
    case APPLY_TXN:
        any_txn(g, 3, &e.u.txn);
        break;
    case APPLY_COMPACT:
        e.u.compact.revision = any_int(g);
        break;
    case APPLY_LEASE_GRANT:
        e.u.lease_grant = (struct kvs_lease_grant_req){any_int(g), any_int(g)};
        break;
    case APPLY_LEASE_REVOKE:
        e.u.lease_revoke = (struct apply_lease_revoke){any_int(g), (uint64_t)any_int(g)};
        break;
    case APPLY_LEASE_CHECKPOINT:
        any_checkpoint(g, &e.u.lease_checkpoint);
        break;
    case APPLY_ALARM:
        e.u.alarm = (struct apply_alarm){any_bool(g), 1 + (int)any_bool(g), rng_next(&g->rng)};
        break;
    case APPLY_MEMBER_ATTRIBUTES:
        any_attributes(g, &e.u.attributes);
        break;
    case APPLY_MEMBER_CHANGE:
        any_change(g, &e.u.change);
        break;
    case APPLY_KIND_COUNT:
        break;
    }
    return e;
}

/* --- Comparison: field by field where bytes could hide a mistake that both directions make -----
 */

static void check_put(const struct kvs_put_req *a, const struct kvs_put_req *b)
{
    assert_true(view_equal(a->key, b->key) && view_equal(a->value, b->value));
    assert_int_equal(a->lease, b->lease);
    assert_int_equal(a->prev_kv, b->prev_kv);
    assert_int_equal(a->ignore_value, b->ignore_value);
    assert_int_equal(a->ignore_lease, b->ignore_lease);
}

static void check_delete(const struct kvs_delete_req *a, const struct kvs_delete_req *b)
{
    assert_true(view_equal(a->key, b->key) && view_equal(a->range_end, b->range_end));
    assert_int_equal(a->prev_kv, b->prev_kv);
}

static void check_range(const struct kvs_range_req *a, const struct kvs_range_req *b)
{
    assert_true(view_equal(a->key, b->key) && view_equal(a->range_end, b->range_end));
    assert_int_equal(a->limit, b->limit);
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->sort_order, b->sort_order);
    assert_int_equal(a->sort_target, b->sort_target);
    assert_int_equal(a->serializable, b->serializable);
    assert_int_equal(a->keys_only, b->keys_only);
    assert_int_equal(a->count_only, b->count_only);
    assert_int_equal(a->min_mod_revision, b->min_mod_revision);
    assert_int_equal(a->max_mod_revision, b->max_mod_revision);
    assert_int_equal(a->min_create_revision, b->min_create_revision);
    assert_int_equal(a->max_create_revision, b->max_create_revision);
}

static void check_txn(const struct kvs_txn_req *a, const struct kvs_txn_req *b);

static void check_ops(const struct kvs_op *a, size_t n_a, const struct kvs_op *b, size_t n_b)
{
    assert_int_equal(n_a, n_b);
    for (size_t i = 0; i < n_a; i++) {
        assert_int_equal(a[i].type, b[i].type);
        if (a[i].type == KVS_OP_RANGE) {
            check_range(&a[i].u.range, &b[i].u.range);
        } else if (a[i].type == KVS_OP_PUT) {
            check_put(&a[i].u.put, &b[i].u.put);
        } else if (a[i].type == KVS_OP_DELETE) {
            check_delete(&a[i].u.del, &b[i].u.del);
        } else {
            check_txn(a[i].u.txn, b[i].u.txn);
        }
    }
}

static void check_txn(const struct kvs_txn_req *a, const struct kvs_txn_req *b)
{
    assert_int_equal(a->n_compares, b->n_compares);
    for (size_t i = 0; i < a->n_compares; i++) {
        assert_int_equal(a->compares[i].result, b->compares[i].result);
        assert_int_equal(a->compares[i].target, b->compares[i].target);
        assert_int_equal(a->compares[i].number, b->compares[i].number);
        assert_true(view_equal(a->compares[i].key, b->compares[i].key));
        assert_true(view_equal(a->compares[i].range_end, b->compares[i].range_end));
        assert_true(view_equal(a->compares[i].value, b->compares[i].value));
    }
    check_ops(a->success, a->n_success, b->success, b->n_success);
    check_ops(a->failure, a->n_failure, b->failure, b->n_failure);
}

static void check_entry(const struct apply_entry *a, const struct apply_entry *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_true(a->request_id == b->request_id);
    if (a->kind == APPLY_PUT) {
        check_put(&a->u.put, &b->u.put);
    } else if (a->kind == APPLY_DELETE) {
        check_delete(&a->u.del, &b->u.del);
    } else if (a->kind == APPLY_TXN) {
        check_txn(&a->u.txn, &b->u.txn);
    } else if (a->kind == APPLY_LEASE_GRANT) {
        assert_int_equal(a->u.lease_grant.id, b->u.lease_grant.id);
        assert_int_equal(a->u.lease_grant.ttl_s, b->u.lease_grant.ttl_s);
    } else if (a->kind == APPLY_LEASE_REVOKE) {
        assert_int_equal(a->u.lease_revoke.id, b->u.lease_revoke.id);
        assert_true(a->u.lease_revoke.only_term == b->u.lease_revoke.only_term);
    }
}

static void encode(const struct apply_entry *e, struct buf *to)
{
    buf_clear(to);
    assert_int_equal(apply_encode(e, to), 0);
}

/* What decodes has to encode to the same bytes. */
static int decode_and_check(struct kvs_view bytes, struct arena *arena, struct apply_entry *ret)
{
    int err = apply_decode(bytes, arena, ret);
    struct buf again;

    if (err != 0) {
        assert_true(err == KVS_E_MALFORMED || err == KVS_E_VERSION || err == KVS_E_TOO_LONG);
        return err;
    }
    buf_init(&again);
    encode(ret, &again);
    assert_true(view_equal(buf_view(&again), bytes));
    buf_fini(&again);
    return 0;
}

static void gen_init(struct gen *g, uint64_t seed)
{
    printf("seed %llu\n", (unsigned long long)seed);
    rng_init(&g->rng, seed);
    arena_init(&g->arena, 0);
}

static void test_round_trip(void **state)
{
    struct buf bytes;
    struct gen g;

    (void)state;
    gen_init(&g, 31);
    buf_init(&bytes);
    for (int i = 0; i < ROUNDS; i++) {
        struct apply_entry e = any_entry(&g);
        struct apply_entry back;

        encode(&e, &bytes);
        assert_int_equal(decode_and_check(buf_view(&bytes), &g.arena, &back), 0);
        check_entry(&e, &back);
        arena_reset(&g.arena);
    }
    buf_fini(&bytes);
    arena_fini(&g.arena);
}

/* Truncations end in a copy of their own size, so that a read past the end is seen. */
static void test_truncations(void **state)
{
    struct buf bytes;
    struct gen g;

    (void)state;
    gen_init(&g, 32);
    buf_init(&bytes);
    for (int i = 0; i < 200; i++) {
        struct apply_entry e = any_entry(&g);
        struct apply_entry back;

        encode(&e, &bytes);
        for (size_t len = 0; len < bytes.len; len++) {
            uint8_t *copy = kvs_malloc(len);

            assert_non_null(copy);
            memcpy(copy, bytes.data, len);
            assert_int_equal(apply_decode(view_make(copy, len), &g.arena, &back), KVS_E_MALFORMED);
            kvs_free(copy);
        }
        buf_append_u8(&bytes, 0);
        assert_int_equal(apply_decode(buf_view(&bytes), &g.arena, &back), KVS_E_MALFORMED);
        arena_reset(&g.arena);
    }
    buf_fini(&bytes);
    arena_fini(&g.arena);
}

static void test_flips(void **state)
{
    struct buf bytes;
    struct gen g;
    size_t n_refused = 0;

    (void)state;
    gen_init(&g, 33);
    buf_init(&bytes);
    for (int i = 0; i < 200; i++) {
        struct apply_entry e = any_entry(&g);
        struct apply_entry back;

        encode(&e, &bytes);
        for (size_t bit = 0; bit < bytes.len * 8; bit++) {
            bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            n_refused += decode_and_check(buf_view(&bytes), &g.arena, &back) != 0;
            bytes.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
        arena_reset(&g.arena);
    }
    assert_true(n_refused > 0);
    buf_fini(&bytes);
    arena_fini(&g.arena);
}

static void test_versions(void **state)
{
    struct apply_entry e = {.kind = APPLY_COMPACT};
    struct apply_entry back;
    struct arena arena;
    struct buf bytes;

    (void)state;
    arena_init(&arena, 0);
    buf_init(&bytes);
    encode(&e, &bytes);
    bytes.data[0] = 2;
    assert_int_equal(apply_decode(buf_view(&bytes), &arena, &back), KVS_E_VERSION);
    bytes.data[0] = 1;
    bytes.data[1] = APPLY_KIND_COUNT;
    assert_int_equal(apply_decode(buf_view(&bytes), &arena, &back), KVS_E_VERSION);
    bytes.data[1] = 0;
    assert_int_equal(apply_decode(buf_view(&bytes), &arena, &back), KVS_E_VERSION);
    assert_int_equal(apply_decode(view_make(NULL, 0), &arena, &back), KVS_E_MALFORMED);
    buf_fini(&bytes);
    arena_fini(&arena);
}

static int encode_nested(unsigned depth, struct buf *to)
{
    struct kvs_txn_req txns[APPLY_TXN_DEPTH_MAX + 2] = {0};
    struct kvs_op ops[APPLY_TXN_DEPTH_MAX + 2] = {0};
    struct apply_entry e = {.kind = APPLY_TXN};

    for (unsigned i = 0; i + 1 < depth; i++) {
        ops[i] = (struct kvs_op){.type = KVS_OP_TXN, .u.txn = &txns[i + 1]};
        txns[i].success = &ops[i];
        txns[i].n_success = 1;
    }
    e.u.txn = txns[0];
    buf_clear(to);
    return apply_encode(&e, to);
}

static void test_limit_of_depth(void **state)
{
    struct apply_entry back;
    struct arena arena;
    struct buf bytes;
    uint8_t deep[1 << 12];
    size_t n = 0;

    (void)state;
    arena_init(&arena, 0);
    buf_init(&bytes);
    assert_int_equal(encode_nested(APPLY_TXN_DEPTH_MAX + 1, &bytes), KVS_E_TOO_LONG);
    assert_int_equal(bytes.len, 0);
    assert_int_equal(encode_nested(APPLY_TXN_DEPTH_MAX, &bytes), 0);
    assert_int_equal(apply_decode(buf_view(&bytes), &arena, &back), 0);
    /* By hand: each level says "no compares, one success operation: a transaction". */
    memcpy(deep, bytes.data, 10);
    n = 10;
    while (n + 3 <= sizeof deep) {
        deep[n++] = 0;
        deep[n++] = 1;
        deep[n++] = KVS_OP_TXN;
    }
    assert_int_equal(apply_decode(view_make(deep, n), &arena, &back), KVS_E_TOO_LONG);
    buf_fini(&bytes);
    arena_fini(&arena);
}

/* A count that the bytes cannot hold is refused before memory is asked for. */
static void test_limit_of_counts(void **state)
{
    struct apply_entry e = {.kind = APPLY_TXN};
    struct kvs_compare *compares = kvs_calloc(APPLY_TXN_OPS_MAX + 1, sizeof *compares);
    struct apply_entry back;
    struct arena arena;
    struct buf bytes;

    (void)state;
    assert_non_null(compares);
    arena_init(&arena, 64 * 1024);
    buf_init(&bytes);
    encode(&e, &bytes);
    bytes.len--;
    buf_append(&bytes, "\xff\xff\xff\xff\x0f", 5);
    assert_int_equal(apply_decode(buf_view(&bytes), &arena, &back), KVS_E_MALFORMED);
    assert_int_equal(arena.used_bytes, 0);
    e.u.txn.compares = compares;
    e.u.txn.n_compares = APPLY_TXN_OPS_MAX + 1;
    buf_clear(&bytes);
    assert_int_equal(apply_encode(&e, &bytes), KVS_E_TOO_LONG);
    buf_fini(&bytes);
    arena_fini(&arena);
    kvs_free(compares);
}

static void test_no_entry(void **state)
{
    struct kvs_op none = {.type = KVS_OP_NONE};
    struct apply_entry e = {.kind = APPLY_TXN, .u.txn = {.success = &none, .n_success = 1}};
    struct buf bytes;

    (void)state;
    buf_init(&bytes);
    buf_append_u8(&bytes, 7);
    assert_int_equal(apply_encode(&e, &bytes), KVS_E_INVALID);
    assert_int_equal(bytes.len, 1); /* as before */
    e = (struct apply_entry){.kind = APPLY_KIND_COUNT};
    assert_int_equal(apply_encode(&e, &bytes), KVS_E_INVALID);
    e = (struct apply_entry){.kind = APPLY_ALARM, .u.alarm = {.type = 3}};
    assert_int_equal(apply_encode(&e, &bytes), KVS_E_INVALID);
    assert_string_equal(apply_kind_name(APPLY_KIND_COUNT), "unknown");
    assert_string_equal(apply_kind_name(APPLY_PUT), "put");
    buf_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_flips),          cmocka_unit_test(test_versions),
        cmocka_unit_test(test_limit_of_depth), cmocka_unit_test(test_limit_of_counts),
        cmocka_unit_test(test_no_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
