/* Read index: which reads are answered, when, and with what. */
#include "core_drive.h"

static void leader(struct drive *d)
{
    struct core_config config = drive_config(1);
    struct core_conf conf = drive_conf(3, 0);

    config.max_reads = 4;
    drive_init(d, &config, &conf);
    drive_elect(d);
    drive_forget(d);
}

static void confirm(struct drive *d, uint64_t from, uint64_t round)
{
    drive_step(d, (struct core_msg){.type = CORE_MSG_HEARTBEAT_REPLY,
                                    .from = from,
                                    .term = drive_status(d).term,
                                    .context = round});
}

static void test_waits_for_an_entry_of_the_own_term(void **state)
{
    struct drive d;

    (void)state;
    leader(&d);
    assert_int_equal(core_read_index(d.core, 7), 0);
    drive_drain(&d);
    assert_int_equal(drive_count(&d, CORE_MSG_HEARTBEAT), 0);
    drive_ack(&d, 2, 2);
    assert_int_equal(drive_count(&d, CORE_MSG_HEARTBEAT), 2);
    confirm(&d, 2, 1);
    assert_int_equal(d.fx.n_reads, 1);
    assert_int_equal(d.fx.reads[0].context, 7);
    assert_int_equal(d.fx.reads[0].index, 2);
    drive_fini(&d);
}

static void test_reads_share_rounds(void **state)
{
    struct drive d;

    (void)state;
    leader(&d);
    drive_ack(&d, 2, 2);
    drive_forget(&d);
    assert_int_equal(core_read_index(d.core, 1), 0);
    assert_int_equal(core_read_index(d.core, 2), 0);
    drive_drain(&d);
    assert_int_equal(drive_count(&d, CORE_MSG_HEARTBEAT), 2); /* one round for both */
    assert_int_equal(core_read_index(d.core, 3), 0);
    assert_int_equal(core_read_index(d.core, 4), 0);
    drive_drain(&d);
    assert_int_equal(drive_count(&d, CORE_MSG_HEARTBEAT), 2); /* the next one has to wait */
    assert_int_equal(core_read_index(d.core, 5), KVS_E_TOO_MANY_REQUESTS);
    confirm(&d, 3, 1);
    assert_int_equal(d.fx.n_reads, 2);
    assert_int_equal(drive_count(&d, CORE_MSG_HEARTBEAT), 4);
    confirm(&d, 3, 1); /* an old answer confirms nothing new */
    assert_int_equal(d.fx.n_reads, 0);
    confirm(&d, 2, 2);
    assert_int_equal(d.fx.n_reads, 2);
    assert_int_equal(d.fx.reads[1].context, 4);
    drive_fini(&d);
}

static void test_index_is_that_of_the_question(void **state)
{
    struct drive d;

    (void)state;
    leader(&d);
    drive_ack(&d, 2, 2);
    assert_int_equal(core_read_index(d.core, 1), 0);
    drive_drain(&d);
    assert_int_equal(drive_propose(&d, 8), 0);
    drive_ack(&d, 2, 3);
    confirm(&d, 2, 1);
    assert_int_equal(d.fx.reads[0].index, 2);
    drive_fini(&d);
}

static void test_unanswerable_round(void **state)
{
    struct core_msg m = {
        .type = CORE_MSG_HEARTBEAT_REPLY, .from = 2, .to = 1, .term = 2, .context = 99};
    struct drive d;

    (void)state;
    leader(&d);
    assert_int_equal(core_step(d.core, &m), KVS_E_MALFORMED);
    drive_fini(&d);
}

static void test_lost_leadership_fails_reads(void **state)
{
    struct drive d;

    (void)state;
    leader(&d);
    drive_ack(&d, 2, 2);
    assert_int_equal(core_read_index(d.core, 1), 0);
    drive_drain(&d);
    drive_append(&d, 3, 9, 1, 1, 1, 0);
    assert_int_equal(drive_status(&d).role, CORE_FOLLOWER);
    drive_fini(&d);

    leader(&d);
    assert_int_equal(core_read_index(d.core, 1), 0);
    for (unsigned i = 0; i < 25 && drive_status(&d).role == CORE_LEADER; i++) {
        drive_tick(&d, 1);
    }
    assert_int_equal(d.fx.n_reads, 1);
    assert_int_equal(d.fx.reads[0].status, KVS_E_LEADER_CHANGED);
    drive_fini(&d);
}

static void test_sole_voter_needs_nobody(void **state)
{
    struct core_config config = drive_config(1);
    struct core_conf conf = drive_conf(1, 1);
    struct drive d;

    (void)state;
    drive_init(&d, &config, &conf);
    assert_int_equal(core_campaign(d.core), 0);
    drive_drain(&d);
    assert_int_equal(core_read_index(d.core, 1), 0);
    drive_drain(&d);
    assert_int_equal(d.fx.n_reads, 1);
    assert_int_equal(d.fx.reads[0].index, 2);
    drive_fini(&d);
}

static void test_followers_ask_the_leader(void **state)
{
    struct core_config config = drive_config(1);
    struct core_conf conf = drive_conf(3, 0);
    struct core_msg reply = {
        .type = CORE_MSG_READ_INDEX_REPLY, .from = 2, .term = 2, .context = 5, .index = 1};
    struct drive d;

    (void)state;
    drive_init(&d, &config, &conf);
    assert_int_equal(core_read_index(d.core, 5), KVS_E_NO_LEADER);
    drive_append(&d, 2, 2, 1, 1, 1, 0);
    assert_int_equal(core_read_index(d.core, 5), 0);
    drive_drain(&d);
    assert_int_equal(drive_last(&d, CORE_MSG_READ_INDEX)->to, 2);
    drive_step(&d, reply);
    assert_int_equal(d.fx.n_reads, 1);
    assert_int_equal(d.fx.reads[0].context, 5);
    drive_fini(&d);
}

static void test_leader_answers_followers(void **state)
{
    struct core_msg ask = {.type = CORE_MSG_READ_INDEX, .from = 3, .term = 2, .context = 11};
    struct drive d;

    (void)state;
    leader(&d);
    drive_ack(&d, 2, 2);
    drive_step(&d, ask);
    confirm(&d, 2, 1);
    assert_int_equal(drive_last(&d, CORE_MSG_READ_INDEX_REPLY)->to, 3);
    assert_int_equal(drive_last(&d, CORE_MSG_READ_INDEX_REPLY)->context, 11);
    assert_int_equal(drive_last(&d, CORE_MSG_READ_INDEX_REPLY)->index, 2);
    drive_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_for_an_entry_of_the_own_term),
        cmocka_unit_test(test_reads_share_rounds),
        cmocka_unit_test(test_index_is_that_of_the_question),
        cmocka_unit_test(test_unanswerable_round),
        cmocka_unit_test(test_lost_leadership_fails_reads),
        cmocka_unit_test(test_sole_voter_needs_nobody),
        cmocka_unit_test(test_followers_ask_the_leader),
        cmocka_unit_test(test_leader_answers_followers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
