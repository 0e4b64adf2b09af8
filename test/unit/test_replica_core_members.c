/* Membership changes on a leader: jointly, one at a time, and what a removed server does. */
#include "core_drive.h"

static int refuse_nine(void *ctx,
                       const struct core_conf *conf,
                       const struct core_change *changes,
                       size_t n_changes,
                       struct kvs_view context)
{
    (void)ctx;
    assert_true(conf->voters.n > 0);
    assert_int_equal(context.len, 3);
    return n_changes > 0 && changes[0].id == 9 ? KVS_E_MEMBER_EXISTS : 0;
}

static void leader(struct drive *d, unsigned voters)
{
    struct core_config config = drive_config(1);
    struct core_conf conf = drive_conf(voters, 0);

    config.conf_policy = refuse_nine;
    drive_init(d, &config, &conf);
    if (voters > 1) {
        drive_elect(d);
    } else {
        assert_int_equal(core_campaign(d->core), 0);
        drive_drain(d);
    }
    drive_forget(d);
}

static int change(struct drive *d, enum core_change_type type, uint64_t id)
{
    struct core_change one = {type, id};
    int rc = core_propose_conf(d->core, &one, 1, (struct kvs_view){"ctx", 3}, 1);

    drive_drain(d);
    return rc;
}

static void test_one_at_a_time(void **state)
{
    struct drive d;

    (void)state;
    leader(&d, 3);
    assert_int_equal(change(&d, CORE_ADD_LEARNER, 4), KVS_E_BUSY); /* no entry of its term yet */
    drive_ack(&d, 2, 2);
    assert_int_equal(change(&d, CORE_ADD_LEARNER, 9), KVS_E_MEMBER_EXISTS);
    assert_int_equal(change(&d, CORE_REMOVE, 8), KVS_E_INVALID);
    assert_int_equal(change(&d, CORE_ADD_LEARNER, 4), 0);
    assert_true(core_conf_is_learner(core_conf(d.core), 4)); /* in force at once */
    assert_int_equal(change(&d, CORE_ADD_LEARNER, 5), KVS_E_BUSY);
    drive_ack(&d, 2, 3);
    assert_int_equal(change(&d, CORE_ADD_LEARNER, 5), 0);
    drive_fini(&d);
}

static void test_joint_needs_both_majorities_and_is_left(void **state)
{
    struct core_change changes[] = {
        {CORE_ADD_VOTER, 4}, {CORE_ADD_VOTER, 5}, {CORE_REMOVE, 2}, {CORE_REMOVE, 3}};
    struct drive d;

    (void)state;
    leader(&d, 3);
    drive_ack(&d, 2, 2);
    assert_int_equal(core_propose_conf(d.core, changes, 4, (struct kvs_view){"ctx", 3}, 1), 0);
    drive_drain(&d);
    assert_true(core_conf_is_joint(core_conf(d.core)));
    drive_ack(&d, 2, 3);
    assert_int_equal(drive_status(&d).commit, 2); /* 1 and 2 of the old, 1 of the new */
    drive_ack(&d, 4, 3);
    assert_int_equal(drive_status(&d).commit, 3);
    assert_false(core_conf_is_joint(core_conf(d.core))); /* left by itself */
    assert_int_equal(drive_status(&d).conf_index, 4);
    drive_ack(&d, 2, 4);
    drive_ack(&d, 3, 4);
    assert_int_equal(drive_status(&d).commit, 3); /* the old ones have no say any more */
    drive_ack(&d, 5, 4);
    assert_int_equal(drive_status(&d).commit, 4);
    assert_int_equal(core_conf(d.core)->voters.n, 3);
    drive_fini(&d);
}

static void test_context_reaches_the_entry(void **state)
{
    struct core_conf conf;
    struct kvs_view context;
    struct drive d;

    (void)state;
    leader(&d, 1);
    assert_int_equal(change(&d, CORE_ADD_VOTER, 2), 0);
    assert_int_equal(core_conf_entry_decode(core_entry(d.core, 3)->data, &conf, &context), 0);
    assert_int_equal(context.len, 3);
    assert_memory_equal(context.data, "ctx", 3);
    assert_true(core_conf_is_joint(&conf));
    drive_fini(&d);
}

static void test_removed_leader_retires(void **state)
{
    struct drive d;

    (void)state;
    leader(&d, 2);
    drive_ack(&d, 2, 2);
    assert_int_equal(change(&d, CORE_REMOVE, 1), 0);
    drive_ack(&d, 2, 3);
    assert_int_equal(drive_status(&d).role, CORE_LEADER); /* until its removal is committed */
    assert_int_equal(drive_propose(&d, 8), 0);
    drive_ack(&d, 2, 5);
    assert_int_equal(drive_status(&d).role, CORE_FOLLOWER);
    assert_int_equal(drive_last(&d, CORE_MSG_TIMEOUT_NOW)->to, 2);
    assert_true(d.fx.removed_self);
    drive_fini(&d);
}

static void test_removed_server_hears_of_it(void **state)
{
    struct core_peer_status peer;
    struct drive d;

    (void)state;
    leader(&d, 3);
    drive_ack(&d, 2, 2);
    drive_ack(&d, 3, 2);
    assert_int_equal(change(&d, CORE_REMOVE, 3), 0);
    drive_ack(&d, 2, 3);
    drive_forget(&d);
    drive_ack(&d, 3, 3);
    drive_ack(&d, 2, 4); /* committed: 3 is out */
    assert_int_equal(core_peer_status(d.core, 3, &peer), KVS_E_NOT_FOUND);
    drive_ack(&d, 3, 4);
    drive_tick(&d, 1);
    assert_int_equal(drive_last(&d, CORE_MSG_HEARTBEAT)->to, 3); /* it is still told */
    assert_int_equal(drive_last(&d, CORE_MSG_HEARTBEAT)->commit, 4);
    for (unsigned i = 0; i < 12; i++) {
        drive_tick(&d, 1);
        drive_ack(&d, 2, 4);
    }
    drive_forget(&d);
    drive_tick(&d, 1);
    assert_int_equal(drive_count(&d, CORE_MSG_HEARTBEAT), 1); /* but not for ever */
    drive_fini(&d);
}

static void test_follower_learns_of_its_removal(void **state)
{
    struct core_config config = drive_config(1);
    struct core_conf first = drive_conf(3, 0);
    struct core_conf without = {0};
    struct core_entry e = {.term = 2, .type = CORE_ENTRY_CONFIG};
    struct core_msg m = {.type = CORE_MSG_APPEND,
                         .from = 2,
                         .term = 2,
                         .index = 1,
                         .log_term = 1,
                         .commit = 1,
                         .entries = &e,
                         .n_entries = 1};
    struct drive d;

    (void)state;
    drive_init(&d, &config, &first);
    assert_int_equal(core_conf_add(&without, CORE_ADD_VOTER, 2), 0);
    assert_int_equal(core_conf_entry_encode(&without, (struct kvs_view){0}, &e.owner), 0);
    e.data = rcbuf_view(e.owner);
    drive_step(&d, m);
    assert_false(d.fx.removed_self);
    m.commit = 2;
    d.slow_disk = true;
    drive_step(&d, m);
    assert_true(d.fx.removed_self); /* as soon as it is committed and on this disk */
    rcbuf_unref(e.owner);
    drive_fini(&d);
}

static void test_forwarded_change(void **state)
{
    struct core_change one = {CORE_ADD_LEARNER, 4};
    struct core_entry e = {.type = CORE_ENTRY_CONFIG};
    struct core_msg m = {.type = CORE_MSG_FORWARD_PROPOSE,
                         .from = 2,
                         .term = 2,
                         .context = 6,
                         .entries = &e,
                         .n_entries = 1};
    struct drive d;

    (void)state;
    leader(&d, 3);
    assert_int_equal(core_changes_encode(&one, 1, (struct kvs_view){"abc", 3}, &e.owner), 0);
    e.data = rcbuf_view(e.owner);
    drive_step(&d, m);
    assert_int_equal(drive_last(&d, CORE_MSG_PROPOSE_DROPPED)->status, KVS_E_BUSY);
    drive_ack(&d, 2, 2);
    drive_step(&d, m);
    assert_true(core_conf_is_learner(core_conf(d.core), 4));
    e.data.len = 5;
    m.to = 1;
    assert_int_equal(core_step(d.core, &m), KVS_E_MALFORMED);
    rcbuf_unref(e.owner);
    drive_fini(&d);
}

static void test_learner_does_not_count(void **state)
{
    struct core_peer_status peer;
    struct drive d;

    (void)state;
    leader(&d, 2);
    drive_ack(&d, 2, 2);
    assert_int_equal(change(&d, CORE_ADD_LEARNER, 3), 0);
    drive_ack(&d, 3, 3);
    assert_int_equal(drive_status(&d).commit, 2);
    drive_ack(&d, 2, 3);
    assert_int_equal(drive_status(&d).commit, 3);
    assert_int_equal(core_peer_status(d.core, 3, &peer), 0);
    assert_true(peer.learner);
    assert_int_equal(peer.match, 3);
    drive_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_joint_needs_both_majorities_and_is_left),
        cmocka_unit_test(test_context_reaches_the_entry),
        cmocka_unit_test(test_removed_leader_retires),
        cmocka_unit_test(test_removed_server_hears_of_it),
        cmocka_unit_test(test_follower_learns_of_its_removal),
        cmocka_unit_test(test_forwarded_change),
        cmocka_unit_test(test_learner_does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
