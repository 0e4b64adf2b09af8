/* Replication: what a follower accepts and says, how much a leader sends, what it commits. */
#include "core_drive.h"

static void follower(struct drive *d)
{
    struct core_config config = drive_config(1);
    struct core_conf conf = drive_conf(3, 0);

    drive_init(d, &config, &conf);
    drive_forget(d);
}

static void leader(struct drive *d, struct core_config *config)
{
    struct core_conf conf = drive_conf(3, 0);

    drive_init(d, config, &conf);
    drive_elect(d);
    drive_ack(d, 2, 2);
    drive_ack(d, 3, 2);
    drive_forget(d);
}

static void test_acknowledges_what_is_on_disk(void **state)
{
    struct drive d;

    (void)state;
    follower(&d);
    drive_append(&d, 2, 2, 1, 1, 1, 0); /* the term is on disk */
    drive_forget(&d);
    d.slow_disk = true;
    drive_append(&d, 2, 2, 1, 1, 1, 3);
    assert_int_equal(d.n_sent, 0);
    assert_int_equal(d.fx.persist.from, 2);
    assert_int_equal(d.fx.persist.to, 4);
    drive_append(&d, 2, 2, 4, 2, 4, 0); /* commits what is not yet on this disk */
    assert_int_equal(drive_status(&d).commit, 4);
    assert_int_equal(d.fx.apply_to, 1);
    drive_disk(&d);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND_REPLY)->index, 4);
    assert_int_equal(drive_count(&d, CORE_MSG_APPEND_REPLY), 1); /* one for both */
    assert_int_equal(d.fx.apply_to, 4);
    drive_fini(&d);
}

/* What was written for one leader and cut off by the next is not "persisted" when it finishes. */
static void test_cut_off_while_being_written(void **state)
{
    struct drive d;
    uint64_t first;

    (void)state;
    follower(&d);
    d.slow_disk = true;
    drive_append(&d, 2, 2, 1, 1, 1, 5);
    first = d.unfinished;
    drive_append(&d, 3, 3, 2, 2, 1, 1); /* cuts 3 to 6, writes another 3 */
    assert_int_equal(d.fx.persist.from, 3);
    assert_int_equal(core_persisted(d.core, first), 0);
    drive_drain(&d);
    assert_int_equal(drive_status(&d).persisted, 2);
    assert_int_equal(d.n_sent, 0); /* the first leader is not answered any more */
    drive_disk(&d);
    assert_int_equal(drive_status(&d).persisted, 3);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND_REPLY)->to, 3);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND_REPLY)->index, 3);
    drive_fini(&d);
}

static void test_conflict_hints_go_back_by_term(void **state)
{
    const struct core_msg *reply;
    struct drive d;

    (void)state;
    follower(&d);
    drive_append(&d, 2, 2, 1, 1, 1, 5);  /* 2 to 6 of term 2 */
    drive_append(&d, 2, 4, 6, 2, 1, 10); /* 7 to 16 of term 4 */
    drive_append(&d, 3, 5, 16, 3, 1, 0); /* there of term 3 */
    reply = drive_last(&d, CORE_MSG_APPEND_REPLY);
    assert_true(reply->reject);
    assert_int_equal(reply->index, 16);
    assert_int_equal(reply->hint_index, 6);
    assert_int_equal(reply->hint_term, 2);
    drive_append(&d, 3, 5, 99, 5, 1, 0); /* beyond the end */
    reply = drive_last(&d, CORE_MSG_APPEND_REPLY);
    assert_int_equal(reply->hint_index, 16);
    assert_int_equal(reply->hint_term, 4);
    drive_fini(&d);
}

static void test_old_append_cuts_nothing(void **state)
{
    struct drive d;

    (void)state;
    follower(&d);
    drive_append(&d, 2, 2, 1, 1, 1, 10);
    drive_append(&d, 2, 2, 3, 2, 1, 2);
    assert_int_equal(drive_status(&d).last_index, 11);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND_REPLY)->index, 5);
    drive_fini(&d);
}

static void refuse(struct drive *d, const struct core_msg *m)
{
    struct core_status before = drive_status(d);
    struct core_status after;

    assert_int_equal(core_step(d->core, m), KVS_E_MALFORMED);
    drive_drain(d);
    after = drive_status(d);
    assert_int_equal(after.term, before.term);
    assert_int_equal(after.leader, before.leader);
    assert_int_equal(after.last_index, before.last_index);
}

static void test_malformed(void **state)
{
    struct core_entry e = {.term = 2, .type = CORE_ENTRY_NOOP};
    struct core_msg good = {.type = CORE_MSG_APPEND,
                            .from = 2,
                            .to = 1,
                            .term = 2,
                            .index = 1,
                            .log_term = 1,
                            .entries = &e,
                            .n_entries = 1};
    struct core_msg m = good;
    struct drive d;

    (void)state;
    follower(&d);
    m.type = CORE_MSG_TYPE_COUNT;
    refuse(&d, &m);
    m = good;
    m.from = CORE_NONE;
    refuse(&d, &m);
    m.from = 1;
    refuse(&d, &m);
    m = good;
    m.to = 2;
    refuse(&d, &m);
    m = good;
    m.entries = NULL;
    refuse(&d, &m);
    m = good;
    m.index = UINT64_MAX;
    refuse(&d, &m);
    e.term = 3; /* from the future */
    refuse(&d, &good);
    e.term = 0; /* before its predecessor */
    refuse(&d, &good);
    e = (struct core_entry){.term = 2, .type = CORE_ENTRY_TYPE_COUNT};
    refuse(&d, &good);
    e.type = CORE_ENTRY_CONFIG; /* without a configuration */
    refuse(&d, &good);
    e = (struct core_entry){.term = 2, .type = CORE_ENTRY_DATA, .data = {"x", 1}};
    refuse(&d, &good); /* without an owner */
    drive_fini(&d);
}

static void test_window_bounds_what_is_unanswered(void **state)
{
    struct core_config config = drive_config(1);
    struct drive d;

    (void)state;
    config.max_append_entries = 1;
    config.max_inflight_msgs = 4;
    leader(&d, &config);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(drive_propose(&d, 8), 0);
    }
    assert_int_equal(drive_count(&d, CORE_MSG_APPEND), 8); /* 4 to each */
    drive_forget(&d);
    drive_ack(&d, 2, 4); /* two of them */
    assert_true(drive_count(&d, CORE_MSG_APPEND) >= 2);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND)->to, 3); /* only the commit index */
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND)->n_entries, 0);
    assert_true(drive_last(&d, CORE_MSG_APPEND)->quiet);
    drive_fini(&d);
}

static void test_window_in_bytes(void **state)
{
    struct core_config config = drive_config(1);
    struct drive d;

    (void)state;
    config.max_append_bytes = 1000;
    config.max_inflight_bytes = 2500;
    leader(&d, &config);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(drive_propose(&d, 900), 0);
    }
    assert_int_equal(drive_count(&d, CORE_MSG_APPEND), 6); /* 3 to each: the third crosses */
    drive_fini(&d);
}

static void test_proposals_between_drains_share_a_message(void **state)
{
    struct core_config config = drive_config(1);
    struct core_entry e = {.type = CORE_ENTRY_DATA};
    struct drive d;

    (void)state;
    leader(&d, &config);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(core_propose(d.core, &e, 1, 0), 0);
    }
    assert_int_equal(core_effects(d.core, &d.fx), 0);
    assert_int_equal(d.fx.n_messages, 2);
    assert_int_equal(d.fx.messages[0].n_entries, 20);
    assert_int_equal(d.fx.persist.to - d.fx.persist.from, 19);
    drive_fini(&d);
}

static void test_probe_sends_one_at_a_time(void **state)
{
    struct core_msg m = {.type = CORE_MSG_HEARTBEAT_REPLY, .from = 3, .term = 2};
    struct core_config config = drive_config(1);
    struct core_peer_status peer;
    struct drive d;

    (void)state;
    leader(&d, &config);
    core_unreachable(d.core, 3);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(drive_propose(&d, 8), 0);
    }
    assert_int_equal(drive_count(&d, CORE_MSG_APPEND), 6); /* 5 to server 2, 1 to 3 */
    assert_int_equal(core_peer_status(d.core, 3, &peer), 0);
    assert_int_equal(peer.state, CORE_PEER_PROBE);
    drive_forget(&d);
    drive_step(&d, m); /* it is there: ask again */
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND)->n_entries, 5);
    drive_ack(&d, 3, 7);
    assert_int_equal(core_peer_status(d.core, 3, &peer), 0);
    assert_int_equal(peer.state, CORE_PEER_REPLICATE);
    drive_fini(&d);
}

static void test_lost_append_is_found_out(void **state)
{
    struct core_msg alive = {.type = CORE_MSG_HEARTBEAT_REPLY, .from = 3, .term = 2};
    struct core_msg reject = {.type = CORE_MSG_APPEND_REPLY,
                              .from = 3,
                              .term = 2,
                              .reject = true,
                              .index = 3,
                              .hint_index = 2,
                              .hint_term = 2};
    struct core_config config = drive_config(1);
    struct drive d;

    (void)state;
    leader(&d, &config);
    assert_int_equal(drive_propose(&d, 8), 0); /* gets lost on the way to 3 */
    drive_forget(&d);
    drive_step(&d, alive);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND)->index, 3);
    assert_false(drive_last(&d, CORE_MSG_APPEND)->quiet);
    drive_step(&d, reject);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND)->index, 2);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND)->n_entries, 1);
    drive_fini(&d);
}

static void test_leader_sends_before_its_own_disk(void **state)
{
    struct core_config config = drive_config(1);
    struct drive d;

    (void)state;
    leader(&d, &config);
    d.slow_disk = true;
    assert_int_equal(drive_propose(&d, 8), 0);
    assert_int_equal(drive_count(&d, CORE_MSG_APPEND), 2);
    drive_ack(&d, 2, 3);
    assert_int_equal(drive_status(&d).commit, 2); /* one disk of three */
    drive_ack(&d, 3, 3);
    assert_int_equal(drive_status(&d).commit, 3); /* two, without the leader's */
    assert_int_equal(d.fx.apply_to, 2);
    drive_disk(&d);
    assert_int_equal(d.fx.apply_to, 3);
    drive_fini(&d);
}

static void test_uncommitted_bytes_are_bounded(void **state)
{
    struct core_config config = drive_config(1);
    struct drive d;

    (void)state;
    config.max_uncommitted_bytes = 100;
    leader(&d, &config);
    assert_int_equal(drive_propose(&d, 500), 0); /* alone it may be large */
    assert_int_equal(drive_propose(&d, 1), KVS_E_TOO_MANY_REQUESTS);
    drive_ack(&d, 2, 3);
    assert_int_equal(drive_propose(&d, 60), 0);
    assert_int_equal(drive_propose(&d, 60), KVS_E_TOO_MANY_REQUESTS);
    assert_int_equal(drive_propose(&d, 40), 0);
    drive_fini(&d);
}

static void test_forwarding(void **state)
{
    struct core_entry e = {.type = CORE_ENTRY_DATA};
    struct core_msg dropped = {
        .type = CORE_MSG_PROPOSE_DROPPED, .from = 2, .term = 2, .context = 5, .status = KVS_E_BUSY};
    struct drive d;

    (void)state;
    follower(&d);
    assert_int_equal(core_propose(d.core, &e, 1, 5), KVS_E_NO_LEADER);
    drive_append(&d, 2, 2, 1, 1, 1, 0);
    assert_int_equal(core_propose(d.core, &e, 1, 5), 0);
    drive_drain(&d);
    assert_int_equal(drive_last(&d, CORE_MSG_FORWARD_PROPOSE)->to, 2);
    assert_int_equal(drive_last(&d, CORE_MSG_FORWARD_PROPOSE)->context, 5);
    drive_step(&d, dropped);
    assert_int_equal(d.fx.n_dropped, 1);
    assert_int_equal(d.fx.dropped[0].context, 5);
    assert_int_equal(d.fx.dropped[0].reason, KVS_E_BUSY);
    e.type = CORE_ENTRY_NOOP;
    assert_int_equal(core_propose(d.core, &e, 1, 5), KVS_E_INVALID);
    drive_fini(&d);
}

static void test_forwarded_to_the_wrong_server(void **state)
{
    struct core_entry e = {.type = CORE_ENTRY_DATA};
    struct core_msg m = {.type = CORE_MSG_FORWARD_PROPOSE,
                         .from = 3,
                         .term = 1,
                         .context = 9,
                         .entries = &e,
                         .n_entries = 1};
    struct drive d;

    (void)state;
    follower(&d);
    drive_step(&d, m);
    assert_int_equal(drive_last(&d, CORE_MSG_PROPOSE_DROPPED)->status, KVS_E_NOT_LEADER);
    assert_int_equal(drive_last(&d, CORE_MSG_PROPOSE_DROPPED)->context, 9);
    drive_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acknowledges_what_is_on_disk),
        cmocka_unit_test(test_cut_off_while_being_written),
        cmocka_unit_test(test_conflict_hints_go_back_by_term),
        cmocka_unit_test(test_old_append_cuts_nothing),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_window_bounds_what_is_unanswered),
        cmocka_unit_test(test_window_in_bytes),
        cmocka_unit_test(test_proposals_between_drains_share_a_message),
        cmocka_unit_test(test_probe_sends_one_at_a_time),
        cmocka_unit_test(test_lost_append_is_found_out),
        cmocka_unit_test(test_leader_sends_before_its_own_disk),
        cmocka_unit_test(test_uncommitted_bytes_are_bounded),
        cmocka_unit_test(test_forwarding),
        cmocka_unit_test(test_forwarded_to_the_wrong_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
