/* Writes through a whole node: what is refused at once, what waits, what gives up, and what a full
 * store or a broken disk does to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node_drive.h"

static int setup(void **state)
{
    static struct drive drive;

    drive_init(&drive);
    *state = &drive;
    return 0;
}

static int teardown(void **state)
{
    struct drive *d = *state;

    if (d->node != NULL) {
        drive_close(d);
    }
    drive_fini(d);
    return 0;
}

static void open_alone(struct drive *d)
{
    assert_int_equal(drive_open(d), 0);
    DRIVE_UNTIL(d, node_is_ready(d->node));
}

static void test_a_put_is_answered_and_kept(void **state)
{
    struct drive *d = *state;
    struct drive_write w;

    open_alone(d);
    drive_write_init(d, &w);
    assert_int_equal(drive_put(d, &w, "k", 3), 0);
    assert_int_equal(w.n_calls, 0); /* never from inside */
    assert_int_equal(node_pending_writes(d->node), 1);
    DRIVE_UNTIL(d, w.n_calls == 1);
    assert_int_equal(w.write.status, 0);
    assert_int_equal(w.write.result.u.put.header.revision, 2);
    assert_int_equal(node_pending_writes(d->node), 0);
    drive_write_fini(&w);
    drive_close(d);
    open_alone(d);
    assert_int_equal(mvcc_revision(node_mvcc(d->node)), 2);
}

static void test_what_is_wrong_is_refused_at_once(void **state)
{
    struct drive *d = *state;
    struct kvs_compact_req compact = {.revision = 100};
    struct kvs_lease_grant_req grant = {.ttl_s = INT64_MAX};
    struct kvs_alarm_req alarm = {.action = 77};
    struct kvs_txn_req txn = {0};
    struct kvs_op ops[129];
    struct drive_write w;

    d->max_request_bytes = 1000;
    open_alone(d);
    drive_write_init(d, &w);
    assert_int_equal(drive_put(d, &w, "", 0), KVS_E_EMPTY_KEY);
    assert_int_equal(drive_put(d, &w, "k", 1000), KVS_E_REQUEST_TOO_LARGE);
    assert_int_equal(node_lease_grant(d->node, &grant, &w.write), KVS_E_LEASE_TTL_TOO_LARGE);
    assert_int_equal(node_alarm(d->node, &alarm, &w.write), KVS_E_INVALID);
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        ops[i] = (struct kvs_op){.type = KVS_OP_PUT, .u.put.key = VIEW_LITERAL("k")};
    }
    txn.success = ops;
    txn.n_success = 2;
    assert_int_equal(node_txn(d->node, &txn, &w.write), KVS_E_DUPLICATE_KEY);
    txn.n_success = ARRAY_LEN(ops);
    assert_int_equal(node_txn(d->node, &txn, &w.write), KVS_E_TOO_MANY_OPS);
    assert_int_equal(node_pending_writes(d->node), 0);
    /* The state machine's own refusals are results. */
    assert_int_equal(node_compact(d->node, &compact, &w.write), 0);
    DRIVE_UNTIL(d, w.n_calls == 1);
    assert_int_equal(w.write.status, 0);
    assert_int_equal(w.write.result.status, KVS_E_FUTURE_REV);
    drive_write_fini(&w);
}

static void test_without_a_leader_writes_wait_and_time_out(void **state)
{
    struct drive *d = *state;
    struct drive_write w;

    d->n_members = 2;
    assert_int_equal(drive_open(d), 0);
    drive_write_init(d, &w);
    assert_int_equal(drive_put(d, &w, "k", 1), 0);
    drive_pass_ms(d, 6900);
    assert_int_equal(w.n_calls, 0);
    drive_pass_ms(d, 200); /* 5 s and two election time-outs */
    assert_int_equal(w.n_calls, 1);
    assert_int_equal(w.write.status, KVS_E_TIMEOUT);
    assert_int_equal(node_pending_writes(d->node), 0);
    drive_write_fini(&w);
}

/* A callback may cancel whichever write comes next. */
static void test_a_callback_may_cancel_the_next(void **state)
{
    struct drive *d = *state;
    struct drive_write w[4];

    d->n_members = 2;
    assert_int_equal(drive_open(d), 0);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < ARRAY_LEN(w); i++) {
            drive_write_init(d, &w[i]);
            assert_int_equal(drive_put(d, &w[i], "k", 1), 0);
        }
        w[0].victim = &w[1];
        w[2].victim = &w[3];
        w[2].again = true;
        if (round == 0) {
            drive_pass_ms(d, 7100);
            assert_int_equal(w[2].again_err, 0);
            node_write_cancel(d->node, &w[2].write);
        } else {
            drive_close(d);
            assert_int_equal(w[0].write.status, KVS_E_STOPPED);
            assert_int_equal(w[2].again_err, KVS_E_STOPPED); /* not taken, not forgotten */
        }
        assert_int_equal(w[0].n_calls + w[2].n_calls, 2);
        assert_int_equal(w[1].n_calls + w[3].n_calls, 0);
        for (size_t i = 0; i < ARRAY_LEN(w); i++) {
            drive_write_fini(&w[i]);
        }
    }
}

static void wait_for_alarm(struct drive *d, bool set)
{
    DRIVE_UNTIL(d, apply_alarm_is_set(node_apply(d->node), KVS_ALARM_NOSPACE) == set);
}

/* The operator's way out: delete, compact, disarm. */
static void test_a_full_store_takes_no_puts_until_it_is_disarmed(void **state)
{
    struct drive *d = *state;
    struct kvs_delete_req all = {.key = VIEW_LITERAL("\0"), .range_end = VIEW_LITERAL("\0")};
    struct kvs_alarm_req disarm = {.action = KVS_ALARM_DEACTIVATE, .type = KVS_ALARM_NOSPACE};
    struct kvs_compact_req compact = {.physical = true};
    struct drive_write w;
    char key[16];
    int err = 0;

    d->quota_bytes = 512 * 1024;
    open_alone(d);
    for (int i = 0; i < 200 && err == 0; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        err = drive_put_wait(d, key, 8192);
    }
    assert_int_equal(err, KVS_E_NO_SPACE);
    assert_true(apply_alarm_is_set(node_apply(d->node), KVS_ALARM_NOSPACE));
    assert_int_equal(drive_put_wait(d, "k", 1), KVS_E_NO_SPACE);
    drive_write_init(d, &w);
    assert_int_equal(node_delete(d->node, &all, &w.write), 0);
    DRIVE_UNTIL(d, w.n_calls == 1);
    assert_int_equal(w.write.result.status, 0);
    compact.revision = mvcc_revision(node_mvcc(d->node));
    assert_int_equal(node_compact(d->node, &compact, &w.write), 0);
    DRIVE_UNTIL(d, w.n_calls == 2);
    assert_int_equal(w.write.result.status, 0);
    assert_true(mvcc_physical_revision(node_mvcc(d->node)) >= compact.revision);
    assert_int_equal(drive_put_wait(d, "k", 1), KVS_E_NO_SPACE); /* still alarmed */
    disarm.member_id = node_config(d->node)->member_id;
    assert_int_equal(node_alarm(d->node, &disarm, &w.write), 0);
    DRIVE_UNTIL(d, w.n_calls == 3);
    wait_for_alarm(d, false);
    assert_int_equal(drive_put_wait(d, "k", 1), 0);
    drive_write_fini(&w);
}

/* The first write over quota brings the alarm; all that come before it is there wait for it. */
static void test_the_refused_find_the_alarm(void **state)
{
    struct drive *d = *state;
    const struct kvs_lease_grant_req grant = {.ttl_s = 60};
    struct drive_write w[3];

    d->quota_bytes = 1;
    open_alone(d);
    for (size_t i = 0; i < ARRAY_LEN(w); i++) {
        drive_write_init(d, &w[i]);
    }
    w[0].again = true; /* from its callback: refused at once by then */
    assert_int_equal(drive_put(d, &w[0], "k", 1), 0);
    assert_int_equal(node_lease_grant(d->node, &grant, &w[1].write), 0);
    assert_int_equal(drive_put(d, &w[2], "k", 1), 0);
    node_write_cancel(d->node, &w[2].write);
    assert_false(apply_alarm_is_set(node_apply(d->node), KVS_ALARM_NOSPACE));
    while (w[0].n_calls == 0) {
        assert_false(apply_alarm_is_set(node_apply(d->node), KVS_ALARM_NOSPACE));
        drive_turn(d);
    }
    assert_true(apply_alarm_is_set(node_apply(d->node), KVS_ALARM_NOSPACE));
    assert_int_equal(w[0].write.status, KVS_E_NO_SPACE);
    assert_int_equal(w[0].again_err, KVS_E_NO_SPACE);
    assert_int_equal(w[1].n_calls, 1);
    assert_int_equal(w[1].write.status, KVS_E_NO_SPACE);
    assert_int_equal(w[2].n_calls, 0);
    assert_int_equal(node_pending_writes(d->node), 0);
    assert_int_equal(drive_put(d, &w[2], "k", 1), KVS_E_NO_SPACE); /* waits for nothing */
    for (size_t i = 0; i < ARRAY_LEN(w); i++) {
        drive_write_fini(&w[i]);
    }
}

/* Nobody can raise the alarm: the refusal comes all the same. */
static void test_without_a_leader_the_refusal_is_bounded(void **state)
{
    struct drive *d = *state;
    struct drive_write w;

    d->n_members = 2;
    d->quota_bytes = 1;
    assert_int_equal(drive_open(d), 0);
    drive_write_init(d, &w);
    for (int round = 1; round <= 2; round++) {
        assert_int_equal(drive_put(d, &w, "k", 1), 0);
        drive_pass_ms(d, 6900);
        assert_int_equal(w.n_calls, round - 1);
        drive_pass_ms(d, 200);
        assert_int_equal(w.n_calls, round);
        assert_int_equal(w.write.status, KVS_E_NO_SPACE);
    }
    assert_int_equal(drive_put(d, &w, "k", 1), 0);
    drive_close(d);
    assert_int_equal(w.n_calls, 3);
    assert_int_equal(w.write.status, KVS_E_STOPPED);
    drive_write_fini(&w);
}

static void test_a_failing_log_stops_the_node(void **state)
{
    struct drive *d = *state;
    struct drive_write w;

    open_alone(d);
    drive_write_init(d, &w);
    sim_disk_set_capacity(d->disk, 1);
    for (int i = 0; i < 200 && d->n_stopped == 0; i++) {
        if (drive_put(d, &w, "k", 60000) != 0) {
            break;
        }
        for (int turn = 0; turn < 10 && w.n_calls == 0; turn++) {
            drive_tick(d);
        }
        if (w.n_calls == 0) {
            break;
        }
        w.n_calls = 0;
    }
    assert_int_equal(d->n_stopped, 1);
    assert_int_equal(d->stop_code, KVS_E_FULL);
    assert_true(kvs_err_is_fatal(d->stop_code));
    drive_tick(d);
    assert_int_equal(d->n_stopped, 1);
    drive_close(d); /* the write that waited is told */
    assert_int_equal(w.n_calls, 1);
    assert_int_equal(w.write.status, KVS_E_STOPPED);
    drive_write_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_put_is_answered_and_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_wrong_is_refused_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_a_leader_writes_wait_and_time_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_callback_may_cancel_the_next, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_store_takes_no_puts_until_it_is_disarmed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_refused_find_the_alarm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_a_leader_the_refusal_is_bounded, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_failing_log_stops_the_node, setup, teardown),
    };

    return cmocka_run_group_tests_name("node_write", tests, NULL, NULL);
}
