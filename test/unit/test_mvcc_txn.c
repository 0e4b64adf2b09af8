/* Transactions: what is refused before and at execution, compares, paths, revisions, events. */
#include "mvcc_fixture.h"

static struct kvs_op op_put(const char *key, const char *value)
{
    return (struct kvs_op){.type = KVS_OP_PUT,
                           .u.put = {.key = view_str(key), .value = view_str(value)}};
}

static struct kvs_op op_delete(const char *key, const char *end)
{
    return (struct kvs_op){.type = KVS_OP_DELETE,
                           .u.del = {.key = view_str(key), .range_end = view_str(end)}};
}

static struct kvs_op op_range(const char *key)
{
    return (struct kvs_op){.type = KVS_OP_RANGE, .u.range = {.key = view_str(key)}};
}

static struct kvs_op op_txn(struct kvs_txn_req *txn)
{
    return (struct kvs_op){.type = KVS_OP_TXN, .u.txn = txn};
}

static struct kvs_txn_req txn_of(struct kvs_op *ops, size_t n)
{
    return (struct kvs_txn_req){.success = ops, .n_success = n};
}

static bool lease_is_seven(void *ctx, kvs_lease_id id)
{
    (void)ctx;
    return id == 7;
}

static int execute(struct fixture *f, const struct kvs_txn_req *req, struct kvs_txn_resp *resp)
{
    const struct mvcc_leases leases = {lease_is_seven, NULL};
    int err;

    mvcc_txn_begin(f->m, ++f->index, 1);
    err = mvcc_txn_execute(f->m, req, &leases, &f->arena, resp);
    mvcc_txn_end(f->m, &f->commit);
    return err;
}

/* ---- Before proposing ----------------------------------------------------------------------- */

static int check_ops(struct kvs_op *ops, size_t n)
{
    struct kvs_txn_req success = txn_of(ops, n);
    struct kvs_txn_req failure = {.failure = ops, .n_failure = n};
    int err = mvcc_txn_check(&success, 128);

    assert_int_equal(mvcc_txn_check(&failure, 128), err);
    return err;
}

static void test_duplicates(void **state)
{
    struct kvs_op puts[] = {op_put("a", "1"), op_put("b", "1"), op_put("a", "2")};
    struct kvs_op mixed[] = {op_put("b", "1"), op_delete("a", "c")};
    struct kvs_op apart[] = {op_put("c", "1"), op_delete("a", "c"), op_delete("b", "bb")};
    struct kvs_op point[] = {op_delete("a", ""), op_put("a", "1")};
    struct kvs_op many[] = {op_delete("a", "b"), op_delete("x", ""), op_delete("c", "m"),
                            op_delete("d", "e"), op_put("g", "")};
    struct kvs_op open_end[] = {op_put("a", "1"), op_delete("a", "")};

    (void)state;
    open_end[1].u.del.range_end = VIEW_LITERAL("\0");
    assert_int_equal(check_ops(puts, 2), 0);
    assert_int_equal(check_ops(puts, 3), KVS_E_DUPLICATE_KEY);
    assert_int_equal(check_ops(mixed, 2), KVS_E_DUPLICATE_KEY);
    assert_int_equal(check_ops(apart, 3), 0);
    assert_int_equal(check_ops(point, 2), KVS_E_DUPLICATE_KEY);
    assert_int_equal(check_ops(many, 5), KVS_E_DUPLICATE_KEY);
    many[4] = op_put("n", "");
    assert_int_equal(check_ops(many, 5), 0);
    assert_int_equal(check_ops(open_end, 2), 0); /* as observed on etcd */
}

static void test_nested_duplicates(void **state)
{
    struct kvs_op put_a = op_put("a", "1");
    struct kvs_op del_a = op_delete("a", "");
    struct kvs_txn_req both = {
        .success = &put_a, .n_success = 1, .failure = &put_a, .n_failure = 1};
    struct kvs_txn_req puts = txn_of(&put_a, 1);
    struct kvs_txn_req dels = txn_of(&del_a, 1);
    struct kvs_op ops[2];

    (void)state;
    ops[0] = op_txn(&both); /* branches exclude each other */
    assert_int_equal(check_ops(ops, 1), 0);
    ops[1] = op_put("a", "2");
    assert_int_equal(check_ops(ops, 2), KVS_E_DUPLICATE_KEY);
    ops[1] = op_txn(&puts);
    assert_int_equal(check_ops(ops, 2), KVS_E_DUPLICATE_KEY);
    ops[1] = op_delete("a", "");
    assert_int_equal(check_ops(ops, 2), KVS_E_DUPLICATE_KEY);
    ops[0] = op_txn(&puts);
    ops[1] = op_txn(&dels); /* put, then deleted: allowed; the other way round not */
    assert_int_equal(check_ops(ops, 2), 0);
    ops[0] = op_txn(&dels);
    ops[1] = op_txn(&puts);
    assert_int_equal(check_ops(ops, 2), KVS_E_DUPLICATE_KEY);
}

static void test_form(void **state)
{
    struct kvs_op ops[4] = {op_range("a"), op_range("a"), op_range("a"), op_range("a")};
    struct kvs_txn_req inner = txn_of(ops, 2);
    struct kvs_op nested = op_txn(&inner);
    struct kvs_txn_req outer = txn_of(&nested, 1);
    struct kvs_compare compare = {0};
    struct kvs_txn_req req = txn_of(ops, 4);

    (void)state;
    assert_int_equal(mvcc_txn_check(&req, 4), 0);
    assert_int_equal(mvcc_txn_check(&req, 3), KVS_E_TOO_MANY_OPS);
    assert_int_equal(mvcc_txn_check(&outer, 3), 0);
    assert_int_equal(mvcc_txn_check(&outer, 2), KVS_E_TOO_MANY_OPS); /* the parent took one */
    req.compares = &compare;
    req.n_compares = 1;
    assert_int_equal(mvcc_txn_check(&req, 128), KVS_E_EMPTY_KEY);
    ops[0] = op_put("", "");
    assert_int_equal(check_ops(ops, 1), KVS_E_EMPTY_KEY);
    ops[0] = (struct kvs_op){.type = KVS_OP_NONE};
    assert_int_equal(check_ops(ops, 1), KVS_E_KEY_NOT_FOUND);
    ops[0] = op_put("a", "1");
    ops[0].u.put.ignore_value = true;
    assert_int_equal(check_ops(ops, 1), KVS_E_VALUE_PROVIDED);
    ops[0] = op_put("a", "1");
    ops[0].u.put.ignore_lease = true;
    ops[0].u.put.lease = 7;
    assert_int_equal(check_ops(ops, 1), KVS_E_LEASE_PROVIDED);
    ops[0] = op_range("a");
    ops[0].u.range.sort_target = 9;
    assert_int_equal(check_ops(ops, 1), KVS_E_INVALID_SORT);
}

static void test_depth_is_bounded(void **state)
{
    struct kvs_txn_req txns[300] = {0};
    struct kvs_op ops[300];

    (void)state;
    for (size_t i = 0; i < 299; i++) {
        ops[i] = op_txn(&txns[i + 1]);
        txns[i] = txn_of(&ops[i], 1);
    }
    assert_int_equal(mvcc_txn_check(&txns[0], UINT32_MAX), KVS_E_TOO_MANY_OPS);
    assert_int_equal(mvcc_txn_check(&txns[250], 128), 0);
}

static void test_readonly(void **state)
{
    struct kvs_op range = op_range("a");
    struct kvs_op put = op_put("a", "");
    struct kvs_txn_req inner = txn_of(&range, 1);
    struct kvs_op nested = op_txn(&inner);
    struct kvs_txn_req req = txn_of(&nested, 1);

    (void)state;
    assert_true(mvcc_txn_is_readonly(&req));
    assert_false(mvcc_txn_is_serializable(&req));
    range.u.range.serializable = true;
    assert_true(mvcc_txn_is_serializable(&req));
    inner.failure = &put;
    inner.n_failure = 1;
    assert_false(mvcc_txn_is_readonly(&req));
}

/* ---- Execution ------------------------------------------------------------------------------ */

static bool holds(struct fixture *f, struct kvs_compare compare)
{
    struct kvs_txn_req req = {.compares = &compare, .n_compares = 1};
    struct kvs_txn_resp resp;
    kvs_revision before = mvcc_revision(f->m);

    assert_int_equal(execute(f, &req, &resp), 0);
    assert_int_equal(mvcc_revision(f->m), before);
    assert_int_equal(resp.header.revision, before);
    return resp.succeeded;
}

static void test_compares(void **state)
{
    struct fixture *f = *state;
    struct kvs_compare c = {.key = VIEW_LITERAL("none"), .target = KVS_COMPARE_VERSION};

    fixture_put(f, "a", "1");
    fixture_put(f, "b", "2");
    fixture_put(f, "b", "3");
    assert_true(holds(f, c)); /* missing: version 0 */
    c.target = KVS_COMPARE_VALUE;
    c.result = KVS_COMPARE_NOT_EQUAL;
    assert_false(holds(f, c)); /* missing: no value to compare, not even unequal */
    c.key = VIEW_LITERAL("a");
    c.value = VIEW_LITERAL("0");
    assert_true(holds(f, c));
    c.result = KVS_COMPARE_GREATER;
    assert_true(holds(f, c));
    c.range_end = VIEW_LITERAL("c");
    assert_true(holds(f, c));
    c.value = VIEW_LITERAL("1");
    assert_false(holds(f, c)); /* not of every key */
    c.target = KVS_COMPARE_MOD;
    c.result = KVS_COMPARE_LESS;
    c.number = 4;
    assert_false(holds(f, c));
    c.number = 5;
    assert_true(holds(f, c));
    c.key = VIEW_LITERAL("x");
    c.range_end = VIEW_LITERAL("y");
    c.target = KVS_COMPARE_CREATE;
    c.result = KVS_COMPARE_EQUAL;
    c.number = 0;
    assert_true(holds(f, c)); /* an empty range is a missing key */
    c.target = 99;
    c.result = 99;
    assert_true(holds(f, c)); /* unknown: as etcd */
}

static void test_one_revision_and_own_writes(void **state)
{
    struct fixture *f = *state;
    struct kvs_op ops[] = {op_put("a", "1"), op_range("a"), op_put("b", "2"), op_delete("c", ""),
                           op_delete("x", "y")};
    struct kvs_txn_req req = txn_of(ops, ARRAY_LEN(ops));
    struct kvs_txn_resp resp;

    fixture_put(f, "c", "old");
    ops[3].u.del.prev_kv = true;
    assert_int_equal(execute(f, &req, &resp), 0);
    assert_int_equal(mvcc_revision(f->m), 3);
    assert_int_equal(resp.header.revision, 3);
    assert_true(resp.succeeded);
    assert_int_equal(resp.responses[0].u.put.header.revision, 3);
    assert_int_equal(resp.responses[1].u.range.count, 1);
    assert_int_equal(resp.responses[1].u.range.kvs[0].mod_revision, 3);
    assert_int_equal(resp.responses[3].u.del.deleted, 1);
    assert_memory_equal(resp.responses[3].u.del.prev_kvs[0].value.data, "old", 3);
    assert_int_equal(resp.responses[4].u.del.deleted, 0);
    assert_int_equal(f->commit.n_events, 3);
    assert_int_equal(f->commit.events[2].type, KVS_EVENT_DELETE);
    assert_int_equal(f->commit.events[2].kv.mod_revision, 3);
    assert_int_equal(f->commit.events[2].kv.create_revision, 0);
    assert_memory_equal(f->commit.events[2].prev_kv.value.data, "old", 3);
}

static void test_nothing_changed_no_revision(void **state)
{
    struct fixture *f = *state;
    struct kvs_op ops[] = {op_delete("x", "y"), op_range("a")};
    struct kvs_txn_req req = txn_of(ops, 2);
    struct kvs_txn_resp resp;

    assert_int_equal(execute(f, &req, &resp), 0);
    assert_int_equal(mvcc_revision(f->m), 1);
    assert_int_equal(resp.header.revision, 1);
    assert_int_equal(f->commit.n_events, 0);
    assert_int_equal(mvcc_applied_index(f->m), f->index);
}

/* A refusal on the chosen path refuses the whole; the other path does not matter. */
static void test_checks_before_any_write(void **state)
{
    struct fixture *f = *state;
    struct kvs_op ops[] = {op_put("a", "1"), op_put("b", "2")};
    struct kvs_txn_req req = txn_of(ops, 2);
    struct kvs_txn_resp resp;

    ops[1].u.put.lease = 8;
    assert_int_equal(execute(f, &req, &resp), KVS_E_LEASE_NOT_FOUND);
    ops[1] = op_put("b", "");
    ops[1].u.put.ignore_value = true;
    assert_int_equal(execute(f, &req, &resp), KVS_E_KEY_NOT_FOUND);
    ops[1] = op_range("a");
    ops[1].u.range.revision = 2;
    assert_int_equal(execute(f, &req, &resp), KVS_E_FUTURE_REV);
    assert_int_equal(mvcc_revision(f->m), 1);
    assert_null(fixture_get(f, "a", 0));
    req = (struct kvs_txn_req){.failure = ops, .n_failure = 2};
    assert_int_equal(execute(f, &req, &resp), 0);
    fixture_put(f, "a", "1");
    fixture_put(f, "a", "2");
    assert_int_equal(fixture_compact(f, 3), 0);
    req = txn_of(ops, 2);
    assert_int_equal(execute(f, &req, &resp), KVS_E_COMPACTED);
    ops[1].u.range.revision = -1; /* as etcd: checked as a number here */
    assert_int_equal(execute(f, &req, &resp), KVS_E_COMPACTED);
    assert_int_equal(mvcc_revision(f->m), 3);
}

/* The compares of a nested transaction see the state before the outer one's writes. */
static void test_nested_path_is_fixed_first(void **state)
{
    struct fixture *f = *state;
    struct kvs_compare absent = {.key = VIEW_LITERAL("a"), .target = KVS_COMPARE_VERSION};
    struct kvs_op inner_put = op_put("b", "inner");
    struct kvs_txn_req inner = {
        .compares = &absent, .n_compares = 1, .success = &inner_put, .n_success = 1};
    struct kvs_op ops[] = {op_put("a", "1"), op_txn(&inner)};
    struct kvs_txn_req req = txn_of(ops, 2);
    struct kvs_txn_resp resp;

    assert_int_equal(execute(f, &req, &resp), 0);
    assert_true(resp.responses[1].u.txn->succeeded);
    assert_int_equal(resp.responses[1].u.txn->header.revision, 0);
    assert_int_equal(resp.responses[1].u.txn->responses[0].u.put.header.revision, 2);
    assert_string_equal(fixture_get(f, "b", 0), "inner");
}

static void test_put_rules(void **state)
{
    struct fixture *f = *state;
    struct kvs_put_req put = {.key = VIEW_LITERAL("a"), .value = VIEW_LITERAL("1"), .lease = 7};
    struct kvs_put_resp resp;
    struct mvcc_read r;
    struct kvs_kv kv;

    put.prev_kv = true;
    assert_int_equal(fixture_put_req(f, &put, &resp), 0);
    assert_false(resp.has_prev);
    put = (struct kvs_put_req){.key = put.key, .ignore_value = true, .ignore_lease = true};
    put.prev_kv = true;
    assert_int_equal(fixture_put_req(f, &put, &resp), 0);
    assert_true(resp.has_prev);
    assert_int_equal(resp.prev_kv.version, 1);
    mvcc_read_begin(f->m, &r);
    assert_int_equal(mvcc_get(&r, put.key, 0, &kv), 0);
    assert_int_equal(kv.lease, 7);
    assert_int_equal(kv.version, 2);
    assert_int_equal(kv.create_revision, 2);
    assert_memory_equal(kv.value.data, "1", 1);
    mvcc_read_end(&r);
    put = (struct kvs_put_req){.key = put.key, .value = VIEW_LITERAL("2")};
    assert_int_equal(fixture_put_req(f, &put, &resp), 0); /* without a lease: detached */
    put = (struct kvs_put_req){.key = VIEW_LITERAL("b"), .ignore_lease = true};
    assert_int_equal(fixture_put_req(f, &put, &resp), KVS_E_KEY_NOT_FOUND);
    assert_int_equal(mvcc_revision(f->m), 4);
    assert_int_equal(fixture_delete(f, "a", ""), 1);
    fixture_put(f, "a", "3"); /* a new life: version 1, new create revision */
    mvcc_read_begin(f->m, &r);
    assert_int_equal(mvcc_get(&r, VIEW_LITERAL("a"), 0, &kv), 0);
    assert_int_equal(kv.version, 1);
    assert_int_equal(kv.create_revision, 6);
    assert_int_equal(kv.lease, 0);
    mvcc_read_end(&r);
    assert_false(f->commit.events[0].has_prev);
}

/* Put and deleted in one revision (allowed as in etcd when the deletion is open-ended). */
static void test_put_and_delete_in_one_revision(void **state)
{
    struct fixture *f = *state;
    struct kvs_op ops[] = {op_put("a", "1"), op_delete("a", ""), op_put("a", "")};
    struct kvs_txn_req req = txn_of(ops, 3);
    struct kvs_txn_resp resp;

    fixture_put(f, "a", "0");
    ops[1].u.del.range_end = VIEW_LITERAL("\0");
    ops[2].u.put.ignore_value = true; /* nothing left to keep */
    assert_int_equal(execute(f, &req, &resp), 0);
    assert_int_equal(f->commit.n_events, 2);
    for (int stored = 0; stored < 2; stored++) {
        assert_null(fixture_get(f, "a", 0));
        assert_string_equal(fixture_get(f, "a", 2), "0");
        fixture_store(f);
    }
}

static void test_read_txn_on_a_view(void **state)
{
    struct fixture *f = *state;
    struct kvs_compare exists = {
        .key = VIEW_LITERAL("a"), .target = KVS_COMPARE_VERSION, .result = KVS_COMPARE_GREATER};
    struct kvs_op ops[] = {op_range("a"), op_range("b")};
    struct kvs_txn_req req = {.compares = &exists, .n_compares = 1, .success = ops, .n_success = 2};
    struct kvs_txn_resp resp;
    struct mvcc_read r;

    fixture_put(f, "a", "1");
    mvcc_read_begin(f->m, &r);
    fixture_put(f, "b", "later");
    assert_int_equal(mvcc_read_txn(&r, &req, &f->arena, &resp), 0);
    assert_true(resp.succeeded);
    assert_int_equal(resp.header.revision, 2);
    assert_int_equal(resp.responses[0].u.range.count, 1);
    assert_int_equal(resp.responses[1].u.range.count, 0);
    ops[1].u.range.revision = 3;
    assert_int_equal(mvcc_read_txn(&r, &req, &f->arena, &resp), KVS_E_FUTURE_REV);
    mvcc_read_end(&r);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_nested_duplicates),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_readonly),
        WITH_STORE(test_compares),
        WITH_STORE(test_one_revision_and_own_writes),
        WITH_STORE(test_nothing_changed_no_revision),
        WITH_STORE(test_checks_before_any_write),
        WITH_STORE(test_nested_path_is_fixed_first),
        WITH_STORE(test_put_rules),
        WITH_STORE(test_put_and_delete_in_one_revision),
        WITH_STORE(test_read_txn_on_a_view),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
