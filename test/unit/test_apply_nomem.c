/* Every n-th allocation fails, once: loading says so and leaks nothing; a grant leaves the table as
 * it was; applying an entry either works or stops the process, and what a restart brings back is
 * the state before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "apply_drive.h"
#include "base/alloc.h"

#define N_MAX 2000

static size_t countdown; /* 0: nothing fails */

static void *failing_realloc(void *ctx, void *old, size_t size)
{
    (void)ctx;
    if (countdown > 0 && --countdown == 0) {
        return NULL;
    }
    return realloc(old, size);
}

static void failing_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

static const struct kvs_allocator failing = {failing_realloc, failing_free, NULL};

static int setup(void **state)
{
    (void)state;
    countdown = 0;
    kvs_alloc_set(&failing);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kvs_alloc_set(NULL);
    return 0;
}

static void test_load(void **state)
{
    struct kvs_view url = view_str("http://a");
    struct kvs_member first = {.id = 1, .peer_urls = &url, .n_peer_urls = 1};
    struct member m;
    size_t n;

    (void)state;
    member_init(&m);
    assert_int_equal(apply_bootstrap(m.apply, 5, &first, 1, view_str("conf")), 0);
    m.index = 1;
    for (kvs_lease_id id = 1; id <= 20; id++) {
        assert_int_equal(member_grant(&m, id, 60), 0);
    }
    assert_int_equal(member_alarm(&m, true, KVS_ALARM_NOSPACE, 1), 0);
    member_store(&m);
    for (n = 1; n < N_MAX; n++) {
        struct apply *again = NULL;
        int err;

        countdown = n;
        err = apply_new(m.store, 0, &again);
        if (countdown > 0) {
            assert_int_equal(err, 0);
            apply_free(again);
            break;
        }
        if (err == 0) {
            apply_free(again); /* one that the store can do without */
        } else {
            assert_int_equal(err, KVS_E_NOMEM);
            assert_null(again);
        }
    }
    countdown = 0;
    assert_in_range(n, 10, N_MAX - 1);
    member_fini(&m);
}

static void test_grant(void **state)
{
    struct lease_table *t = lease_table_new();
    kvs_lease_id id = 1;
    size_t n_failed = 0;

    (void)state;
    assert_non_null(t);
    while (id <= 100) {
        size_t before = lease_count(t);

        countdown = 1 + (size_t)id % 4;
        if (lease_grant(t, id, 60, 0) != 0) {
            assert_int_equal(lease_count(t), before);
            assert_false(lease_get(t, id, NULL));
            n_failed++;
        }
        countdown = 0;
        lease_check(t);
        id++;
    }
    assert_true(n_failed > 20);
    lease_table_free(t);
}

/* One entry of each sort that needs memory. True if it was applied. */
static bool apply_one(struct member *m, int which)
{
    struct kvs_op ops[2] = {{.type = KVS_OP_PUT, .u.put = {.key = view_str("t1")}},
                            {.type = KVS_OP_DELETE, .u.del = {view_str("a"), view_str("z"), true}}};
    struct apply_entry e = {.kind = APPLY_TXN, .u.txn = {.success = ops, .n_success = 1}};
    struct apply_input input;
    int err;

    if (which == 1) {
        e = (struct apply_entry){.kind = APPLY_LEASE_REVOKE, .u.lease_revoke = {1, 0}};
    } else if (which == 2) {
        e = (struct apply_entry){.kind = APPLY_DELETE, .u.del = ops[1].u.del};
    } else if (which == 3) {
        e = (struct apply_entry){.kind = APPLY_LEASE_GRANT, .u.lease_grant = {60, 77}};
    } else if (which == 4) {
        e = (struct apply_entry){.kind = APPLY_ALARM, .u.alarm = {true, KVS_ALARM_CORRUPT, 3}};
    }
    buf_clear(&m->bytes);
    if (apply_encode(&e, &m->bytes) != 0) {
        return false;
    }
    input = member_input(m);
    err = apply_entry(m->apply, &input, buf_view(&m->bytes), &m->result);
    assert_true(err == 0 || err == KVS_E_NOMEM);
    assert_true(err != 0 || m->result.status == 0);
    return err == 0;
}

static void test_apply_entry(void **state)
{
    struct member m;
    uint64_t hash;

    (void)state;
    member_init(&m);
    assert_int_equal(member_grant(&m, 1, 60), 0);
    assert_int_equal(member_put(&m, "a", "1", 1), 0);
    assert_int_equal(member_put(&m, "b", "1", 1), 0);
    member_store(&m);
    hash = member_hash(&m);
    for (int which = 0; which < 5; which++) {
        size_t n_failed = 0;

        for (size_t n = 1; n < N_MAX; n++) {
            bool done;

            countdown = n;
            done = apply_one(&m, which);
            n_failed += !done;
            if (countdown > 0) {
                assert_true(done);
                n = N_MAX;
            }
            countdown = 0;
            buf_fini(&m.bytes);
            arena_fini(&m.reply);
            member_crash(&m); /* what a process does that cannot go on */
            assert_true(member_hash(&m) == hash);
        }
        assert_true(n_failed > 0);
    }
    member_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_load, setup, teardown),
        cmocka_unit_test_setup_teardown(test_grant, setup, teardown),
        cmocka_unit_test_setup_teardown(test_apply_entry, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
