/* Votes, terms and timeouts of one server. */
#include "core_drive.h"

static void follower(struct drive *d)
{
    struct core_config config = drive_config(1);
    struct core_conf conf = drive_conf(3, 0);

    drive_init(d, &config, &conf);
    drive_forget(d);
}

static struct core_msg vote(enum core_msg_type type, uint64_t from, uint64_t term)
{
    return (struct core_msg){.type = type, .from = from, .term = term, .index = 1, .log_term = 1};
}

static void test_founders_share_an_entry(void **state)
{
    struct drive d;
    struct core_conf conf;

    (void)state;
    follower(&d);
    assert_int_equal(drive_status(&d).term, 1);
    assert_int_equal(drive_status(&d).commit, 1);
    assert_int_equal(d.fx.apply_to, 1);
    assert_int_equal(core_entry(d.core, 1)->type, CORE_ENTRY_CONFIG);
    assert_int_equal(core_conf_entry_decode(core_entry(d.core, 1)->data, &conf, NULL), 0);
    assert_int_equal(conf.voters.n, 3);
    drive_fini(&d);
}

static void test_election_at_the_timeout(void **state)
{
    struct drive d;
    unsigned ticks = 0;

    (void)state;
    follower(&d);
    while (drive_status(&d).role == CORE_FOLLOWER) {
        drive_tick(&d, 1);
        ticks++;
    }
    assert_in_range(ticks, 10, 19);
    assert_int_equal(drive_status(&d).role, CORE_PRE_CANDIDATE);
    assert_int_equal(drive_status(&d).term, 1); /* nothing is raised by asking */
    assert_int_equal(drive_count(&d, CORE_MSG_PREVOTE), 2);
    assert_int_equal(drive_last(&d, CORE_MSG_PREVOTE)->term, 2);
    drive_fini(&d);
}

static void test_candidate_counts_itself_when_it_is_on_disk(void **state)
{
    struct core_msg m = {.type = CORE_MSG_PREVOTE_REPLY, .from = 2, .term = 2};
    struct drive d;

    (void)state;
    follower(&d);
    assert_int_equal(core_campaign(d.core), 0);
    drive_drain(&d);
    d.slow_disk = true;
    drive_step(&d, m);
    assert_int_equal(drive_status(&d).role, CORE_CANDIDATE);
    assert_int_equal(drive_count(&d, CORE_MSG_VOTE), 0); /* not before the term is on disk */
    assert_true(d.fx.persist.hard_changed);
    assert_int_equal(d.fx.persist.hard.vote, 1);
    drive_disk(&d);
    assert_int_equal(drive_count(&d, CORE_MSG_VOTE), 2);
    m.type = CORE_MSG_VOTE_REPLY;
    drive_step(&d, m);
    assert_int_equal(drive_status(&d).role, CORE_LEADER);
    assert_int_equal(core_entry(d.core, 2)->type, CORE_ENTRY_NOOP);
    drive_fini(&d);
}

static void test_candidate_starts_again_at_pre_vote(void **state)
{
    struct core_msg m = {.type = CORE_MSG_PREVOTE_REPLY, .from = 2, .term = 2};
    struct drive d;

    (void)state;
    follower(&d);
    assert_int_equal(core_campaign(d.core), 0);
    drive_drain(&d);
    drive_step(&d, m);
    assert_int_equal(drive_status(&d).role, CORE_CANDIDATE);
    drive_tick(&d, 20);
    assert_int_equal(drive_status(&d).role, CORE_PRE_CANDIDATE);
    drive_tick(&d, 200);
    assert_int_equal(drive_status(&d).term, 2);
    drive_fini(&d);
}

static void test_one_vote_a_term_and_durable(void **state)
{
    struct drive d;

    (void)state;
    follower(&d);
    d.slow_disk = true;
    drive_step(&d, vote(CORE_MSG_VOTE, 2, 2));
    assert_null(drive_last(&d, CORE_MSG_VOTE_REPLY));
    drive_disk(&d);
    assert_false(drive_last(&d, CORE_MSG_VOTE_REPLY)->reject);
    drive_step(&d, vote(CORE_MSG_VOTE, 3, 2));
    assert_true(drive_last(&d, CORE_MSG_VOTE_REPLY)->reject);
    drive_step(&d, vote(CORE_MSG_VOTE, 2, 2));
    assert_false(drive_last(&d, CORE_MSG_VOTE_REPLY)->reject);
    drive_fini(&d);
}

static void test_shorter_logs_get_no_vote(void **state)
{
    struct core_msg m = vote(CORE_MSG_VOTE, 3, 9);
    struct drive d;

    (void)state;
    follower(&d);
    drive_append(&d, 2, 3, 1, 1, 1, 2); /* last is 3 of term 3 */
    drive_tick(&d, 10);
    m.index = 50;
    m.log_term = 2;
    drive_step(&d, m);
    assert_true(drive_last(&d, CORE_MSG_VOTE_REPLY)->reject);
    m.index = 2;
    m.log_term = 3;
    drive_step(&d, m);
    assert_true(drive_last(&d, CORE_MSG_VOTE_REPLY)->reject);
    m.index = 3;
    drive_step(&d, m);
    assert_false(drive_last(&d, CORE_MSG_VOTE_REPLY)->reject);
    drive_fini(&d);
}

static void test_no_help_against_a_living_leader(void **state)
{
    struct core_msg forced = vote(CORE_MSG_VOTE, 3, 8);
    struct drive d;

    (void)state;
    follower(&d);
    drive_append(&d, 2, 2, 1, 1, 1, 0);
    drive_forget(&d);
    drive_step(&d, vote(CORE_MSG_VOTE, 3, 5));
    drive_step(&d, vote(CORE_MSG_PREVOTE, 3, 5));
    assert_int_equal(d.n_sent, 0);
    assert_int_equal(drive_status(&d).term, 2);
    drive_step(&d, vote(CORE_MSG_PREVOTE, 3, 2)); /* it may learn the term all the same */
    assert_true(drive_last(&d, CORE_MSG_PREVOTE_REPLY)->reject);
    assert_int_equal(drive_last(&d, CORE_MSG_PREVOTE_REPLY)->term, 2);
    forced.transfer = true; /* the leader itself has asked for it */
    drive_step(&d, forced);
    assert_false(drive_last(&d, CORE_MSG_VOTE_REPLY)->reject);
    drive_fini(&d);
}

static void test_refusal_teaches_the_term(void **state)
{
    struct core_msg m = {.type = CORE_MSG_PREVOTE_REPLY, .from = 2, .term = 40, .reject = true};
    struct drive d;

    (void)state;
    follower(&d);
    assert_int_equal(core_campaign(d.core), 0);
    drive_drain(&d);
    drive_step(&d, m);
    assert_int_equal(drive_status(&d).term, 40);
    assert_int_equal(drive_status(&d).role, CORE_FOLLOWER);
    drive_fini(&d);
}

static void test_the_past_is_told_the_term(void **state)
{
    struct core_msg m = {.type = CORE_MSG_HEARTBEAT, .from = 2, .term = 2};
    struct drive d;

    (void)state;
    follower(&d);
    drive_append(&d, 3, 7, 1, 1, 1, 0);
    drive_step(&d, m);
    assert_true(drive_last(&d, CORE_MSG_APPEND_REPLY)->reject);
    assert_int_equal(drive_last(&d, CORE_MSG_APPEND_REPLY)->term, 7);
    assert_int_equal(drive_status(&d).leader, 3);
    drive_fini(&d);
}

static void test_two_leaders_in_a_term_cannot_be(void **state)
{
    struct core_msg m = {.type = CORE_MSG_HEARTBEAT, .from = 3, .to = 1, .term = 2};
    struct drive d;

    (void)state;
    follower(&d);
    drive_append(&d, 2, 2, 1, 1, 1, 0);
    assert_int_equal(core_step(d.core, &m), KVS_E_MALFORMED);
    assert_int_equal(drive_status(&d).leader, 2);
    drive_fini(&d);
}

static void test_leader_without_quorum_steps_down(void **state)
{
    struct drive d;

    (void)state;
    follower(&d);
    drive_elect(&d);
    drive_ack(&d, 2, 2);
    drive_tick(&d, 10); /* 2 has just been heard */
    assert_int_equal(drive_status(&d).role, CORE_LEADER);
    drive_tick(&d, 10);
    assert_int_equal(drive_status(&d).role, CORE_FOLLOWER);
    assert_int_equal(drive_status(&d).term, 2);
    drive_fini(&d);
}

static void test_sole_voter_leads_when_its_disk_says_so(void **state)
{
    struct core_config config = drive_config(1);
    struct core_conf conf = drive_conf(1, 0);
    struct drive d;

    (void)state;
    drive_init(&d, &config, &conf);
    d.slow_disk = true;
    assert_int_equal(core_campaign(d.core), 0);
    drive_drain(&d);
    assert_int_equal(drive_status(&d).role, CORE_CANDIDATE);
    drive_disk(&d);
    assert_int_equal(drive_status(&d).role, CORE_LEADER);
    assert_int_equal(drive_status(&d).term, 2);
    assert_false(drive_status(&d).own_term_committed);
    drive_disk(&d); /* its first entry */
    assert_true(drive_status(&d).own_term_committed);
    drive_fini(&d);
}

static void test_learner_never_stands(void **state)
{
    struct core_config config = drive_config(4);
    struct core_conf conf = drive_conf(3, 1);
    struct core_msg m = {.type = CORE_MSG_TIMEOUT_NOW, .from = 1, .term = 1};
    struct drive d;

    (void)state;
    drive_init(&d, &config, &conf);
    drive_tick(&d, 100);
    drive_step(&d, m);
    assert_int_equal(core_campaign(d.core), 0);
    drive_drain(&d);
    assert_int_equal(drive_status(&d).role, CORE_FOLLOWER);
    drive_step(&d, vote(CORE_MSG_VOTE, 2, 5)); /* but it votes if it is asked */
    assert_false(drive_last(&d, CORE_MSG_VOTE_REPLY)->reject);
    drive_fini(&d);
}

static void test_transfer(void **state)
{
    struct drive d;

    (void)state;
    follower(&d);
    drive_elect(&d);
    drive_ack(&d, 2, 2);
    assert_int_equal(core_transfer(d.core, 9), KVS_E_BAD_LEADER_TRANSFEREE);
    assert_int_equal(core_transfer(d.core, 3), 0);
    drive_drain(&d);
    assert_null(drive_last(&d, CORE_MSG_TIMEOUT_NOW)); /* 3 is behind */
    assert_int_equal(drive_propose(&d, 8), KVS_E_BUSY);
    drive_ack(&d, 3, 2);
    assert_int_equal(drive_last(&d, CORE_MSG_TIMEOUT_NOW)->to, 3);
    drive_tick(&d, 10);
    drive_ack(&d, 2, 2);
    assert_int_equal(drive_status(&d).transfer_to, CORE_NONE); /* given up */
    assert_int_equal(drive_propose(&d, 8), 0);
    drive_fini(&d);
}

static void test_transfer_target_skips_pre_vote(void **state)
{
    struct core_msg m = {.type = CORE_MSG_TIMEOUT_NOW, .from = 2, .term = 2};
    struct drive d;

    (void)state;
    follower(&d);
    drive_append(&d, 2, 2, 1, 1, 1, 0);
    drive_step(&d, m);
    assert_int_equal(drive_status(&d).role, CORE_CANDIDATE);
    assert_true(drive_last(&d, CORE_MSG_VOTE)->transfer);
    drive_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_founders_share_an_entry),
        cmocka_unit_test(test_election_at_the_timeout),
        cmocka_unit_test(test_candidate_counts_itself_when_it_is_on_disk),
        cmocka_unit_test(test_candidate_starts_again_at_pre_vote),
        cmocka_unit_test(test_one_vote_a_term_and_durable),
        cmocka_unit_test(test_shorter_logs_get_no_vote),
        cmocka_unit_test(test_no_help_against_a_living_leader),
        cmocka_unit_test(test_refusal_teaches_the_term),
        cmocka_unit_test(test_the_past_is_told_the_term),
        cmocka_unit_test(test_two_leaders_in_a_term_cannot_be),
        cmocka_unit_test(test_leader_without_quorum_steps_down),
        cmocka_unit_test(test_sole_voter_leads_when_its_disk_says_so),
        cmocka_unit_test(test_learner_never_stands),
        cmocka_unit_test(test_transfer),
        cmocka_unit_test(test_transfer_target_skips_pre_vote),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
