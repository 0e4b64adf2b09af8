/* Which change makes which configuration, and what their decoders refuse. */
#include "test_base.h"

#include <stdio.h>

#include "base/rand.h"
#include "base/view.h"
#include "core_drive.h"
#include "replica/core_int.h"

static int
change(const struct core_conf *from, enum core_change_type type, uint64_t id, struct core_conf *ret)
{
    return core_conf_change(from, &(struct core_change){type, id}, 1, ret);
}

static void test_voters_change_jointly(void **state)
{
    struct core_conf from = drive_conf(3, 1); /* learner 4 */
    struct core_conf conf;
    struct core_conf after;

    (void)state;
    assert_int_equal(change(&from, CORE_ADD_VOTER, 4, &conf), 0);
    assert_true(core_conf_is_joint(&conf));
    assert_int_equal(conf.voters.n, 4);
    assert_int_equal(conf.outgoing.n, 3);
    assert_int_equal(conf.learners.n, 0);
    core_conf_leave(&conf, &after);
    assert_false(core_conf_is_joint(&after));
    assert_int_equal(after.voters.n, 4);
    assert_int_equal(change(&conf, CORE_REMOVE, 1, &after), KVS_E_INVALID); /* one at a time */
}

static void test_demoted_voter_keeps_its_say(void **state)
{
    struct core_conf from = drive_conf(3, 0);
    struct core_conf conf;
    struct core_conf after;

    (void)state;
    assert_int_equal(change(&from, CORE_ADD_LEARNER, 2, &conf), 0);
    assert_true(core_conf_is_voter(&conf, 2));
    assert_int_equal(conf.learners.n, 0);
    assert_true(core_set_has(&conf.learners_next, 2));
    core_conf_leave(&conf, &after);
    assert_false(core_conf_is_voter(&after, 2));
    assert_true(core_conf_is_learner(&after, 2));
}

static void test_learners_need_one_step(void **state)
{
    struct core_conf from = drive_conf(1, 0);
    struct core_conf conf;

    (void)state;
    assert_int_equal(change(&from, CORE_ADD_LEARNER, 9, &conf), 0);
    assert_false(core_conf_is_joint(&conf));
    assert_int_equal(change(&conf, CORE_UPDATE, 9, &conf), 0);
    assert_int_equal(change(&conf, CORE_REMOVE, 9, &conf), 0);
    assert_false(core_conf_is_member(&conf, 9));
}

static void test_any_set_to_any_set(void **state)
{
    struct core_conf from = drive_conf(3, 0);
    struct core_change changes[] = {{CORE_REMOVE, 1},    {CORE_REMOVE, 2},
                                    {CORE_REMOVE, 3},    {CORE_ADD_VOTER, 7},
                                    {CORE_ADD_VOTER, 8}, {CORE_ADD_LEARNER, 9}};
    struct core_conf conf;

    (void)state;
    assert_int_equal(core_conf_change(&from, changes, 6, &conf), 0);
    assert_int_equal(conf.voters.n, 2);
    assert_int_equal(conf.outgoing.n, 3);
    assert_int_equal(conf.learners.n, 1);
}

static void test_refused_changes(void **state)
{
    struct core_change twice[] = {{CORE_ADD_VOTER, 4}, {CORE_REMOVE, 4}};
    struct core_conf from = drive_conf(2, 1);
    struct core_conf one = drive_conf(1, 0);
    struct core_conf conf;

    (void)state;
    assert_int_equal(change(&from, CORE_ADD_VOTER, 1, &conf), KVS_E_INVALID);
    assert_int_equal(change(&from, CORE_ADD_LEARNER, 3, &conf), KVS_E_INVALID);
    assert_int_equal(change(&from, CORE_REMOVE, 4, &conf), KVS_E_INVALID);
    assert_int_equal(change(&from, CORE_UPDATE, 4, &conf), KVS_E_INVALID);
    assert_int_equal(change(&from, CORE_ADD_VOTER, 0, &conf), KVS_E_INVALID);
    assert_int_equal(change(&one, CORE_REMOVE, 1, &conf), KVS_E_INVALID);
    assert_int_equal(change(&one, CORE_ADD_LEARNER, 1, &conf), KVS_E_INVALID);
    assert_int_equal(core_conf_change(&from, twice, 2, &conf), KVS_E_INVALID);
    assert_int_equal(core_conf_change(&from, twice, 0, &conf), KVS_E_INVALID);
    for (uint64_t id = 10; id < 10 + CORE_SET_MAX - 1; id++) {
        assert_int_equal(core_conf_add(&one, CORE_ADD_VOTER, id), 0);
    }
    assert_int_equal(core_conf_add(&one, CORE_ADD_VOTER, 99), KVS_E_TOO_LONG);
    assert_int_equal(change(&one, CORE_ADD_VOTER, 99, &conf), KVS_E_TOO_LONG);
}

static void test_entry_bytes(void **state)
{
    struct core_conf from = drive_conf(3, 2);
    struct core_conf conf;
    struct core_conf back;
    struct kvs_view context;
    struct rcbuf *owner;

    (void)state;
    assert_int_equal(change(&from, CORE_ADD_LEARNER, 3, &conf), 0);
    assert_int_equal(core_conf_entry_encode(&conf, view_str("names"), &owner), 0);
    assert_int_equal(core_conf_entry_decode(rcbuf_view(owner), &back, &context), 0);
    assert_memory_equal(&conf, &back, sizeof conf);
    assert_true(view_equal_str(context, "names"));
    for (size_t len = 0; len < owner->len - 5; len++) { /* without any part of the sets */
        struct kvs_view cut = {owner->data, len};

        assert_int_equal(core_conf_entry_decode(cut, &back, NULL), KVS_E_MALFORMED);
    }
    rcbuf_unref(owner);
    owner = rcbuf_new(CORE_CONTEXT_MAX + 1);
    assert_int_equal(core_conf_entry_encode(&conf, rcbuf_view(owner), &owner), KVS_E_TOO_LONG);
    rcbuf_unref(owner);
}

static void test_entry_bytes_refused(void **state)
{
    static const struct {
        uint8_t bytes[48];
        size_t len;
        const char *why;
    } cases[] = {
        {{2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 13, "version"},
        {{1, 0, 0, 0, 0}, 5, "no voter"},
        {{1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 13, "id 0"},
        {{1, 33}, 2, "too many"},
        {{1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 21, "order"},
        {{1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 21, "twice"},
        {{1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 21, "both"},
        {{1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0}, 21, "next, not old"},
    };
    struct core_conf conf;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kvs_view data = {cases[i].bytes, cases[i].len};

        if (core_conf_entry_decode(data, &conf, NULL) != KVS_E_MALFORMED) {
            fail_msg("accepted: %s", cases[i].why);
        }
    }
}

static void test_change_bytes(void **state)
{
    struct core_change changes[] = {{CORE_ADD_VOTER, 4}, {CORE_REMOVE, UINT64_MAX}};
    struct core_change back[CORE_CHANGES_MAX];
    struct kvs_view context;
    struct rcbuf *owner;
    size_t n;

    (void)state;
    assert_int_equal(core_changes_encode(changes, 2, view_str("c"), &owner), 0);
    assert_int_equal(core_changes_decode(rcbuf_view(owner), back, &n, &context), 0);
    assert_int_equal(n, 2);
    assert_int_equal(back[1].type, CORE_REMOVE);
    assert_true(back[1].id == UINT64_MAX);
    assert_true(view_equal_str(context, "c"));
    for (size_t len = 0; len < owner->len - 1; len++) {
        struct kvs_view cut = {owner->data, len};

        assert_int_equal(core_changes_decode(cut, back, &n, &context), KVS_E_MALFORMED);
    }
    owner->data[2] = CORE_CHANGE_TYPE_COUNT;
    assert_int_equal(core_changes_decode(rcbuf_view(owner), back, &n, &context), KVS_E_MALFORMED);
    rcbuf_unref(owner);
    assert_int_equal(core_changes_encode(changes, 0, view_str(""), &owner), KVS_E_INVALID);
}

/* Whatever decodes must encode to the same bytes. */
static void test_random_bytes(void **state)
{
    struct rng r;
    unsigned accepted = 0;

    (void)state;
    printf("seed 3\n");
    rng_init(&r, 3);
    for (unsigned i = 0; i < 50000; i++) {
        uint8_t bytes[64] = {1, (uint8_t)rng_below(&r, 3)};
        size_t len = (size_t)rng_below(&r, sizeof bytes);
        struct kvs_view data = {bytes, len};
        struct kvs_view context;
        struct core_conf conf;
        struct rcbuf *owner;

        for (size_t at = 2; at < len; at++) {
            bytes[at] = (uint8_t)rng_below(&r, 3) & (uint8_t)rng_next(&r);
        }
        if (core_conf_entry_decode(data, &conf, &context) != 0) {
            continue;
        }
        accepted++;
        assert_int_equal(core_conf_entry_encode(&conf, context, &owner), 0);
        assert_true(view_equal(rcbuf_view(owner), data));
        rcbuf_unref(owner);
    }
    assert_true(accepted > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_voters_change_jointly),
        cmocka_unit_test(test_demoted_voter_keeps_its_say),
        cmocka_unit_test(test_learners_need_one_step),
        cmocka_unit_test(test_any_set_to_any_set),
        cmocka_unit_test(test_refused_changes),
        cmocka_unit_test(test_entry_bytes),
        cmocka_unit_test(test_entry_bytes_refused),
        cmocka_unit_test(test_change_bytes),
        cmocka_unit_test(test_random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
