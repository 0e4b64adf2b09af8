/* Leases: the replicated part by the rules of grant, revoke and checkpoint; the leader's part by
 * its clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/rand.h"
#include "lease/lease.h"

#define SECOND UINT64_C(1000)

static struct lease_table *table_new(bool leader)
{
    struct lease_table *t = lease_table_new();

    assert_non_null(t);
    if (leader) {
        lease_promote(t, 0, 0);
    }
    return t;
}

static void grant(struct lease_table *t, kvs_lease_id id, int64_t ttl_s, uint64_t now_ms)
{
    assert_int_equal(lease_grant(t, id, ttl_s, now_ms), 0);
    lease_check(t);
}

static int64_t time_left(const struct lease_table *t, kvs_lease_id id, uint64_t now_ms)
{
    int64_t left = -100;

    assert_int_equal(lease_time_to_live(t, id, now_ms, &left), 0);
    return left;
}

static void test_ttl_rules(void **state)
{
    int64_t ttl = 0;

    (void)state;
    assert_int_equal(lease_ttl_min_s(1000), 2); /* etcd's default */
    assert_int_equal(lease_ttl_min_s(100), 1);
    assert_int_equal(lease_ttl_min_s(2000), 3);
    assert_int_equal(lease_ttl_min_s(2001), 4);
    assert_int_equal(lease_ttl_min_s(0), 1);
    assert_int_equal(lease_ttl_adjust(0, 2, &ttl), 0);
    assert_int_equal(ttl, 2);
    assert_int_equal(lease_ttl_adjust(-5, 2, &ttl), 0);
    assert_int_equal(ttl, 2);
    assert_int_equal(lease_ttl_adjust(60, 2, &ttl), 0);
    assert_int_equal(ttl, 60);
    assert_int_equal(lease_ttl_adjust(LEASE_TTL_MAX_S, 2, &ttl), 0);
    assert_int_equal(ttl, LEASE_TTL_MAX_S);
    assert_int_equal(lease_ttl_adjust(LEASE_TTL_MAX_S + 1, 2, &ttl), KVS_E_LEASE_TTL_TOO_LARGE);
}

static void test_grant_and_revoke(void **state)
{
    struct lease_table *t = table_new(false);
    struct lease_info info;

    (void)state;
    grant(t, 7, 60, 0);
    assert_int_equal(lease_grant(t, 7, 60, 0), KVS_E_LEASE_EXISTS);
    assert_int_equal(lease_grant(t, 0, 60, 0), KVS_E_LEASE_NOT_FOUND);
    assert_int_equal(lease_grant(t, 8, LEASE_TTL_MAX_S + 1, 0), KVS_E_LEASE_TTL_TOO_LARGE);
    grant(t, 9, -3, 0);
    assert_true(lease_get(t, 9, &info));
    assert_int_equal(info.granted_ttl_s, 1);
    grant(t, INT64_MIN, LEASE_TTL_MAX_S, UINT32_MAX);
    assert_int_equal(lease_count(t), 3);
    assert_int_equal(lease_revoke(t, 7), 0);
    assert_int_equal(lease_revoke(t, 7), KVS_E_LEASE_NOT_FOUND);
    assert_false(lease_get(t, 7, NULL));
    lease_check(t);
    lease_table_free(t);
}

static void test_follower_has_no_deadlines(void **state)
{
    struct lease_table *t = table_new(false);
    struct lease_renewal renewal;
    kvs_lease_id id;
    int64_t left;

    (void)state;
    grant(t, 1, 1, 0);
    assert_int_equal(lease_expired(t, UINT64_MAX - 1, &id, 1), 0);
    assert_int_equal(lease_renew(t, 1, 0, &renewal), KVS_E_NOT_LEADER);
    assert_int_equal(lease_time_to_live(t, 1, 0, &left), KVS_E_NOT_LEADER);
    assert_true(lease_next_due_ms(t) == UINT64_MAX);
    lease_table_free(t);
}

static void test_expiry_and_retry(void **state)
{
    struct lease_table *t = table_new(true);
    kvs_lease_id ids[4];

    (void)state;
    grant(t, 1, 10, 0);
    grant(t, 2, 5, 0);
    grant(t, 3, 60, 0);
    assert_true(lease_next_due_ms(t) == 5 * SECOND);
    assert_int_equal(lease_expired(t, 5 * SECOND - 1, ids, 4), 0);
    assert_int_equal(lease_expired(t, 10 * SECOND, ids, 4), 2);
    assert_int_equal(ids[0], 2);
    assert_int_equal(ids[1], 1);
    /* Not again at once, but if the revoke was lost. */
    assert_int_equal(lease_expired(t, 10 * SECOND + 1, ids, 4), 0);
    assert_int_equal(lease_revoke(t, 2), 0);
    assert_int_equal(lease_expired(t, 10 * SECOND + LEASE_REVOKE_RETRY_MS, ids, 4), 1);
    assert_int_equal(ids[0], 1);
    lease_check(t);
    lease_table_free(t);
}

static void test_expired_is_bounded(void **state)
{
    struct lease_table *t = table_new(true);
    kvs_lease_id ids[LEASE_EXPIRED_SCAN_MAX];

    (void)state;
    for (kvs_lease_id id = 1; id <= 1200; id++) {
        assert_int_equal(lease_grant(t, id, 2, 0), 0);
    }
    assert_int_equal(lease_expired(t, 2 * SECOND, ids, LEASE_EXPIRED_SCAN_MAX), 500);
    assert_int_equal(lease_expired(t, 2 * SECOND, ids, LEASE_EXPIRED_SCAN_MAX), 500);
    assert_int_equal(lease_expired(t, 2 * SECOND, ids, LEASE_EXPIRED_SCAN_MAX), 200);
    assert_int_equal(lease_expired(t, 2 * SECOND, ids, LEASE_EXPIRED_SCAN_MAX), 0);
    lease_check(t);
    lease_table_free(t);
}

static void test_renew(void **state)
{
    struct lease_table *t = table_new(true);
    struct lease_renewal renewal;
    kvs_lease_id id;

    (void)state;
    grant(t, 1, 10, 0);
    assert_int_equal(lease_renew(t, 1, 9 * SECOND, &renewal), 0);
    assert_int_equal(renewal.ttl_s, 10);
    assert_false(renewal.clear_checkpoint);
    assert_int_equal(time_left(t, 1, 9 * SECOND + 1), 9); /* floor */
    assert_int_equal(lease_expired(t, 19 * SECOND - 1, &id, 1), 0);
    assert_int_equal(lease_renew(t, 2, 0, &renewal), KVS_E_LEASE_NOT_FOUND);
    /* It has run out: the client must not be told that it lives. */
    assert_int_equal(lease_renew(t, 1, 19 * SECOND, &renewal), KVS_E_AGAIN);
    assert_int_equal(time_left(t, 1, 25 * SECOND), 0);
    assert_int_equal(lease_expired(t, 19 * SECOND, &id, 1), 1);
    lease_table_free(t);
}

static void test_promotion_extends(void **state)
{
    struct lease_table *t = table_new(false);
    kvs_lease_id id;

    (void)state;
    grant(t, 1, 10, 0);
    grant(t, 2, 1000, 0);
    assert_int_equal(lease_checkpoint(t, 2, 400), 0);
    lease_promote(t, 100 * SECOND, 1 * SECOND);
    lease_check(t);
    assert_int_equal(time_left(t, 1, 100 * SECOND), 11);
    assert_int_equal(time_left(t, 2, 100 * SECOND), 401);
    lease_demote(t);
    lease_check(t);
    assert_int_equal(lease_expired(t, 200 * SECOND, &id, 1), 0);
    lease_promote(t, 300 * SECOND, 1 * SECOND);
    assert_int_equal(time_left(t, 1, 300 * SECOND), 11);
    lease_table_free(t);
}

static void test_promotion_spreads(void **state)
{
    struct lease_table *t = table_new(false);
    kvs_lease_id *ids = kvs_calloc(4000, sizeof *ids);
    size_t n = 0;

    (void)state;
    assert_non_null(ids);
    for (kvs_lease_id id = 1; id <= 4000; id++) {
        assert_int_equal(lease_grant(t, id, 5, 0), 0);
    }
    lease_promote(t, 0, 0);
    lease_check(t);
    for (uint64_t second = 5; second < 11; second++) {
        size_t now = lease_expired(t, second * SECOND, ids, 4000);

        assert_true(now <= LEASE_PROMOTE_PER_SECOND);
        for (size_t i = 0; i < now; i++) {
            assert_int_equal(lease_revoke(t, ids[i]), 0);
        }
        n += now;
    }
    assert_int_equal(n, 4000);
    kvs_free(ids);
    lease_table_free(t);
}

static void test_checkpoints(void **state)
{
    struct lease_table *t = table_new(true);
    struct lease_checkpoint due[4];
    struct lease_renewal renewal;
    uint64_t at = LEASE_CHECKPOINT_MS;

    (void)state;
    grant(t, 1, 1000, 0);
    grant(t, 2, 300, 0); /* not longer than the interval: none */
    assert_int_equal(lease_checkpoints_due(t, at - 1, due, 4), 0);
    assert_int_equal(lease_checkpoints_due(t, at, due, 4), 1);
    assert_int_equal(due[0].id, 1);
    assert_int_equal(due[0].remaining_ttl_s, 700);
    assert_int_equal(lease_checkpoints_due(t, at, due, 4), 0);
    /* A renewal while the checkpoint is on its way has to clear it, too. */
    assert_int_equal(lease_renew(t, 1, at, &renewal), 0);
    assert_true(renewal.clear_checkpoint);
    assert_int_equal(lease_checkpoint(t, 1, 700), 0);
    assert_int_equal(lease_renew(t, 1, at, &renewal), 0);
    assert_true(renewal.clear_checkpoint);
    assert_int_equal(lease_checkpoint(t, 1, 0), 0);
    assert_int_equal(lease_renew(t, 1, at, &renewal), 0);
    assert_false(renewal.clear_checkpoint);
    assert_int_equal(lease_checkpoints_due(t, 2 * at, due, 4), 1);
    assert_int_equal(due[0].remaining_ttl_s, 700);
    assert_int_equal(lease_checkpoint(t, 5, 1), KVS_E_LEASE_NOT_FOUND);
    lease_check(t);
    lease_table_free(t);
}

static void test_checkpoint_is_clamped(void **state)
{
    struct lease_table *t = table_new(false);
    struct lease_info info;

    (void)state;
    grant(t, 1, 1000, 0);
    assert_int_equal(lease_checkpoint(t, 1, 5000), 0);
    assert_true(lease_get(t, 1, &info));
    assert_int_equal(info.remaining_ttl_s, 1000);
    assert_int_equal(lease_checkpoint(t, 1, -5), 0);
    assert_true(lease_get(t, 1, &info));
    assert_int_equal(info.remaining_ttl_s, 0);
    lease_table_free(t);
}

static void test_list_order(void **state)
{
    struct lease_table *t = table_new(true);
    kvs_lease_id ids[3];

    (void)state;
    lease_list(t, ids); /* of none: touches nothing */
    grant(t, 5, 30, 0);
    grant(t, 6, 10, 0);
    grant(t, 4, 20, 0);
    lease_list(t, ids);
    assert_int_equal(ids[0], 6);
    assert_int_equal(ids[1], 4);
    assert_int_equal(ids[2], 5);
    lease_demote(t);
    lease_list(t, ids);
    assert_int_equal(ids[0], 4);
    assert_int_equal(ids[2], 6);
    lease_table_free(t);
}

/* Two members with different clocks and roles that applied the same hash alike. */
static void test_hash_ignores_the_local_part(void **state)
{
    struct lease_table *a = table_new(true);
    struct lease_table *b = table_new(false);
    uint64_t seed = 20261;
    struct rng rng;

    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed);
    for (int i = 0; i < 5000; i++) {
        kvs_lease_id id = (kvs_lease_id)rng_between(&rng, 1, 300);
        int64_t ttl = (int64_t)rng_between(&rng, 1, 2000);
        uint64_t action = rng_below(&rng, 4);
        struct lease_renewal renewal;

        if (action == 0) {
            assert_int_equal(lease_revoke(a, id), lease_revoke(b, id));
        } else if (action == 1) {
            assert_int_equal(lease_checkpoint(a, id, ttl), lease_checkpoint(b, id, ttl));
        } else if (action == 2) {
            assert_int_equal(lease_grant(a, id, ttl, (uint64_t)i * 100),
                             lease_grant(b, id, ttl, 0));
        } else {
            (void)!lease_renew(a, id, (uint64_t)i * 100, &renewal);
        }
        assert_true(lease_hash(a) == lease_hash(b));
        if (i % 100 == 0) {
            lease_check(a);
            lease_check(b);
        }
    }
    assert_true(lease_count(a) > 0);
    lease_table_clear(a);
    assert_true(lease_hash(a) != lease_hash(b));
    lease_table_free(a);
    lease_table_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ttl_rules),
        cmocka_unit_test(test_grant_and_revoke),
        cmocka_unit_test(test_follower_has_no_deadlines),
        cmocka_unit_test(test_expiry_and_retry),
        cmocka_unit_test(test_expired_is_bounded),
        cmocka_unit_test(test_renew),
        cmocka_unit_test(test_promotion_extends),
        cmocka_unit_test(test_promotion_spreads),
        cmocka_unit_test(test_checkpoints),
        cmocka_unit_test(test_checkpoint_is_clamped),
        cmocka_unit_test(test_list_order),
        cmocka_unit_test(test_hash_ignores_the_local_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
