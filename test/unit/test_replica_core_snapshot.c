/* Snapshots on both sides, and what a core makes of a disk at start. */
#include "core_drive.h"

/* --- sending ---------------------------------------------------------------------------------- */

static void leader_after_compaction(struct drive *d)
{
    struct core_config config = drive_config(1);
    struct core_conf conf = drive_conf(3, 0);

    drive_init(d, &config, &conf);
    drive_elect(d);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(drive_propose(d, 8), 0);
        drive_ack(d, 2, 2);
    }
    drive_ack(d, 2, 22);
    drive_drain(d);
    core_compact(d->core, 15);
    drive_forget(d);
}

static struct core_peer_status peer(const struct drive *d, uint64_t id)
{
    struct core_peer_status st;

    assert_int_equal(core_peer_status(d->core, id, &st), 0);
    return st;
}

static void alive(struct drive *d, uint64_t id)
{
    drive_step(d, (struct core_msg){
                      .type = CORE_MSG_HEARTBEAT_REPLY, .from = id, .term = drive_status(d).term});
}

static void test_compaction(void **state)
{
    struct drive d;

    (void)state;
    leader_after_compaction(&d);
    assert_int_equal(drive_status(&d).first_index, 16);
    assert_null(core_entry(d.core, 15));
    assert_non_null(core_entry(d.core, 16));
    assert_non_null(core_conf_at(d.core, 15));
    assert_null(core_conf_at(d.core, 14));
    drive_fini(&d);
}

static void test_snapshot_for_who_is_there(void **state)
{
    struct core_msg m;
    struct drive d;

    (void)state;
    leader_after_compaction(&d);
    drive_drain(&d);
    assert_int_equal(d.fx.n_snapshot_to, 0); /* 3 has never said anything */
    alive(&d, 3);
    assert_int_equal(d.fx.n_snapshot_to, 1);
    assert_int_equal(d.fx.snapshot_to[0], 3);
    assert_int_equal(peer(&d, 3).state, CORE_PEER_SNAPSHOT);
    assert_int_equal(core_snapshot_msg(d.core, 3, 20, 2, &m), 0);
    assert_int_equal(m.type, CORE_MSG_SNAPSHOT);
    assert_int_equal(m.term, drive_status(&d).term);
    alive(&d, 3);
    assert_int_equal(d.fx.n_snapshot_to, 0); /* once */
    core_snapshot_sent(d.core, 3, true, 20);
    assert_int_equal(peer(&d, 3).next, 21);
    drive_ack(&d, 3, 20);
    assert_int_equal(peer(&d, 3).state, CORE_PEER_REPLICATE);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND)->index, 20);
    drive_fini(&d);
}

static void test_failed_snapshot_is_tried_again_later(void **state)
{
    struct drive d;

    (void)state;
    leader_after_compaction(&d);
    alive(&d, 3);
    core_snapshot_sent(d.core, 3, false, 0);
    drive_drain(&d);
    assert_int_equal(d.fx.n_snapshot_to, 0); /* not at once, or a failure would spin */
    alive(&d, 3);
    assert_int_equal(d.fx.n_snapshot_to, 1);
    drive_fini(&d);
}

/* --- receiving -------------------------------------------------------------------------------- */

static void offer(struct drive *d, uint64_t index, uint64_t term)
{
    drive_step(
        d, (struct core_msg){
               .type = CORE_MSG_SNAPSHOT, .from = 2, .term = 5, .index = index, .log_term = term});
}

static void follower(struct drive *d)
{
    struct core_config config = drive_config(1);
    struct core_conf conf = drive_conf(3, 0);

    drive_init(d, &config, &conf);
    drive_append(d, 2, 5, 1, 1, 1, 4); /* 2 to 5 of term 5 */
    drive_forget(d);
}

static void test_install(void **state)
{
    struct core_snapshot at = {.index = 50, .term = 5, .conf = drive_conf(4, 0)};
    struct drive d;

    (void)state;
    follower(&d);
    offer(&d, 50, 5);
    assert_true(d.fx.offered);
    drive_append(&d, 2, 5, 5, 5, 5, 2); /* while data arrive the log may still grow */
    assert_int_equal(drive_status(&d).last_index, 7);
    assert_int_equal(core_snapshot_begin(d.core, &at), 0);
    drive_forget(&d);
    drive_append(&d, 2, 5, 7, 5, 7, 2);
    assert_int_equal(d.n_sent, 0); /* now it stands still */
    assert_int_equal(drive_status(&d).commit, 5);
    assert_int_equal(core_campaign(d.core), 0);
    assert_int_equal(drive_status(&d).role, CORE_FOLLOWER);
    assert_int_equal(core_snapshot_installed(d.core, &at), 0);
    assert_int_equal(core_effects(d.core, &d.fx), 0);
    assert_true(d.fx.persist.reset);
    assert_int_equal(d.fx.persist.reset_index, 50);
    assert_int_equal(d.fx.apply_to, 50);
    assert_true(d.fx.conf_changed);
    assert_int_equal(d.fx.messages[0].index, 50); /* acknowledged: the state is durable */
    assert_int_equal(core_conf(d.core)->voters.n, 4);
    assert_int_equal(drive_status(&d).first_index, 51);
    core_check(d.core);
    drive_fini(&d);
}

static void test_overtaken_by_the_log(void **state)
{
    struct core_snapshot at = {.index = 6, .term = 5, .conf = drive_conf(3, 0)};
    struct drive d;

    (void)state;
    follower(&d);
    offer(&d, 6, 5);
    assert_true(d.fx.offered);
    drive_append(&d, 2, 5, 5, 5, 7, 2);
    assert_int_equal(drive_status(&d).commit, 7);
    assert_int_equal(core_snapshot_begin(d.core, &at), KVS_E_AGAIN);
    offer(&d, 3, 5);
    assert_false(d.fx.offered);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND_REPLY)->index, 7);
    drive_fini(&d);
}

static void test_log_that_agrees_is_kept(void **state)
{
    struct core_snapshot at = {.index = 6, .term = 5, .conf = drive_conf(3, 0)};
    struct drive d;

    (void)state;
    follower(&d);
    offer(&d, 6, 5);
    drive_append(&d, 2, 5, 5, 5, 1, 4); /* 6 to 9, not known to be committed */
    assert_int_equal(core_snapshot_begin(d.core, &at), 0);
    assert_int_equal(core_snapshot_installed(d.core, &at), 0);
    drive_drain(&d);
    assert_false(d.fx.persist.reset);
    assert_int_equal(drive_status(&d).last_index, 9);
    assert_int_equal(drive_status(&d).commit, 6);
    drive_fini(&d);
}

/* It joins by a snapshot from before its addition, of which its log knows already. */
static void test_joining_is_not_being_removed(void **state)
{
    struct core_config config = drive_config(4);
    struct core_snapshot at = {.index = 1, .term = 5, .conf = drive_conf(3, 0)};
    struct core_conf joined = drive_conf(3, 1);
    struct core_entry entries_1_2[2] = {{.term = 5, .type = CORE_ENTRY_NOOP},
                                        {.term = 5, .type = CORE_ENTRY_CONFIG}};
    struct core_msg m = {
        .type = CORE_MSG_APPEND, .from = 2, .term = 5, .entries = entries_1_2, .n_entries = 2};
    struct drive d = {0};

    (void)state;
    assert_int_equal(core_conf_entry_encode(&joined, (struct kvs_view){0}, &entries_1_2[1].owner),
                     0);
    entries_1_2[1].data = rcbuf_view(entries_1_2[1].owner);
    assert_int_equal(core_new(&config, NULL, &d.core), 0);
    drive_drain(&d);
    offer(&d, 1, 5);
    drive_step(&d, m);
    assert_int_equal(core_snapshot_begin(d.core, &at), 0);
    assert_int_equal(core_snapshot_installed(d.core, &at), 0);
    drive_drain(&d);
    assert_false(d.fx.removed_self);
    assert_int_equal(drive_status(&d).last_index, 2);
    assert_true(core_conf_is_learner(core_conf(d.core), 4));
    rcbuf_unref(entries_1_2[1].owner);
    drive_fini(&d);
}

static void test_offer_that_failed(void **state)
{
    struct core_snapshot at = {.index = 50, .term = 5, .conf = drive_conf(3, 0)};
    struct drive d;

    (void)state;
    follower(&d);
    assert_int_equal(core_snapshot_begin(d.core, &at), KVS_E_AGAIN); /* without an offer */
    offer(&d, 50, 5);
    core_snapshot_failed(d.core);
    offer(&d, 60, 5);
    assert_true(d.fx.offered);
    assert_int_equal(core_snapshot_begin(d.core, &at), KVS_E_AGAIN); /* another one */
    drive_fini(&d);
}

/* --- start ------------------------------------------------------------------------------------ */

static struct core_entry entries[32];

static int start(struct drive *d, const struct core_start *from)
{
    struct core_config config = drive_config(1);
    int rc;

    *d = (struct drive){0};
    rc = core_new(&config, from, &d->core);
    if (rc == 0) {
        drive_drain(d);
    }
    return rc;
}

/* Ten entries of term 3 from `first`. */
static struct core_start disk(uint64_t first, uint64_t applied, uint64_t applied_term)
{
    for (size_t i = 0; i < 10; i++) {
        entries[i] = (struct core_entry){.term = 3, .type = CORE_ENTRY_NOOP};
    }
    return (struct core_start){
        .hard = {.term = 4, .vote = 2, .commit = 12},
        .snapshot = {.index = applied, .term = applied_term, .conf = drive_conf(3, 0)},
        .first_index = first,
        .entries = entries,
        .n_entries = 10,
    };
}

static void test_start_keeps_older_entries(void **state)
{
    struct core_start from = disk(5, 10, 3); /* 5 to 14 */
    struct drive d;

    (void)state;
    assert_int_equal(start(&d, &from), 0);
    assert_int_equal(drive_status(&d).first_index, 6); /* 5 tells only the term before 6 */
    assert_int_equal(drive_status(&d).last_index, 14);
    assert_int_equal(drive_status(&d).term, 4);
    assert_int_equal(drive_status(&d).vote, 2);
    assert_int_equal(drive_status(&d).commit, 12);
    assert_int_equal(drive_status(&d).applied, 12); /* given out again from 11 */
    drive_fini(&d);
}

static void test_start_right_after_the_snapshot(void **state)
{
    struct core_start from = disk(11, 10, 2);
    struct drive d;

    (void)state;
    assert_int_equal(start(&d, &from), 0);
    assert_int_equal(drive_status(&d).first_index, 11);
    assert_int_equal(drive_status(&d).last_index, 20);
    drive_fini(&d);
}

static void test_start_with_a_log_that_does_not_connect(void **state)
{
    struct core_start from = disk(5, 40, 3);
    struct core_config config = drive_config(1);
    struct drive d = {0};

    (void)state;
    assert_int_equal(core_new(&config, &from, &d.core), 0);
    assert_int_equal(core_effects(d.core, &d.fx), 0);
    assert_true(d.fx.persist.reset);
    assert_int_equal(d.fx.persist.reset_index, 40);
    assert_int_equal(drive_status(&d).last_index, 40);
    core_free(d.core);
    from = disk(5, 10, 2); /* there, but of another term */
    assert_int_equal(start(&d, &from), 0);
    assert_int_equal(drive_status(&d).last_index, 10);
    drive_fini(&d);
}

static void test_start_with_damage(void **state)
{
    struct core_start from = disk(12, 10, 3);
    struct drive d;

    (void)state;
    assert_int_equal(start(&d, &from), KVS_E_DAMAGED); /* 11 is missing */
    from = disk(11, 10, 7);
    assert_int_equal(start(&d, &from), KVS_E_DAMAGED); /* terms descend */
    from = disk(11, 10, 3);
    entries[4].term = 1;
    assert_int_equal(start(&d, &from), KVS_E_DAMAGED);
    from = disk(11, 10, 3);
    entries[4].type = CORE_ENTRY_CONFIG;
    assert_int_equal(start(&d, &from), KVS_E_DAMAGED);
}

static void test_start_after_a_torn_founding(void **state)
{
    struct core_start from = {.hard = {.term = 1}, .snapshot.conf = drive_conf(3, 0)};
    struct drive d;

    (void)state;
    assert_int_equal(start(&d, &from), 0);
    assert_int_equal(drive_status(&d).last_index, 1);
    assert_int_equal(drive_status(&d).commit, 1);
    drive_fini(&d);
}

static void test_start_of_a_joining_member(void **state)
{
    struct drive d;

    (void)state;
    assert_int_equal(start(&d, NULL), 0);
    drive_tick(&d, 200);
    assert_int_equal(drive_status(&d).role, CORE_FOLLOWER);
    assert_int_equal(drive_status(&d).term, 0);
    drive_fini(&d);
}

static void test_bad_config(void **state)
{
    struct core_config config = drive_config(1);
    struct core *core;

    (void)state;
    config.id = CORE_NONE;
    assert_int_equal(core_new(&config, NULL, &core), KVS_E_INVALID);
    config = drive_config(1);
    config.election_ticks = config.heartbeat_ticks;
    assert_int_equal(core_new(&config, NULL, &core), KVS_E_INVALID);
    config = drive_config(1);
    config.max_inflight_msgs = 0;
    assert_int_equal(core_new(&config, NULL, &core), KVS_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compaction),
        cmocka_unit_test(test_snapshot_for_who_is_there),
        cmocka_unit_test(test_failed_snapshot_is_tried_again_later),
        cmocka_unit_test(test_install),
        cmocka_unit_test(test_overtaken_by_the_log),
        cmocka_unit_test(test_log_that_agrees_is_kept),
        cmocka_unit_test(test_joining_is_not_being_removed),
        cmocka_unit_test(test_offer_that_failed),
        cmocka_unit_test(test_start_keeps_older_entries),
        cmocka_unit_test(test_start_right_after_the_snapshot),
        cmocka_unit_test(test_start_with_a_log_that_does_not_connect),
        cmocka_unit_test(test_start_with_damage),
        cmocka_unit_test(test_start_after_a_torn_founding),
        cmocka_unit_test(test_start_of_a_joining_member),
        cmocka_unit_test(test_bad_config),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
