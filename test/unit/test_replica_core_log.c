/* The log in memory against a plain array, and the configurations among its entries. */
#include "test_base.h"

#include <stdio.h>

#include "base/rand.h"
#include "core_drive.h"
#include "replica/core_int.h"

static void push(struct core_log *log, uint64_t term, const struct core_conf *conf)
{
    struct core_entry e = {.term = term,
                           .type = conf != NULL ? CORE_ENTRY_CONFIG : CORE_ENTRY_NOOP};

    assert_int_equal(core_log_reserve(log, 1, conf != NULL), 0);
    core_log_push(log, &e, conf);
}

static void test_positions(void **state)
{
    struct core_snapshot base = {.index = 10, .term = 3, .conf = drive_conf(3, 0)};
    struct core_log log;
    uint64_t term;

    (void)state;
    assert_int_equal(core_log_init(&log, &base), 0);
    assert_int_equal(core_log_last(&log), 10);
    assert_int_equal(core_log_last_term(&log), 3);
    push(&log, 3, NULL);
    push(&log, 5, NULL);
    assert_int_equal(core_log_last(&log), 12);
    assert_null(core_log_at(&log, 10));
    assert_null(core_log_at(&log, 13));
    assert_int_equal(core_log_at(&log, 12)->term, 5);
    assert_true(core_log_term(&log, 10, &term));
    assert_int_equal(term, 3);
    assert_false(core_log_term(&log, 9, &term));
    assert_true(core_log_matches(&log, 12, 5));
    assert_false(core_log_matches(&log, 12, 4));
    assert_false(core_log_matches(&log, 13, 5));
    core_log_drop(&log, 12);
    assert_int_equal(core_log_last(&log), 12);
    assert_int_equal(core_log_last_term(&log), 5);
    core_log_fini(&log);
}

static void test_configurations_follow_the_entries(void **state)
{
    struct core_snapshot base = {.conf = drive_conf(1, 0)};
    struct core_conf two = drive_conf(2, 0);
    struct core_conf three = drive_conf(3, 0);
    struct core_log log;

    (void)state;
    assert_int_equal(core_log_init(&log, &base), 0);
    push(&log, 1, NULL);
    push(&log, 1, &two);   /* 2 */
    push(&log, 1, NULL);   /* 3 */
    push(&log, 1, &three); /* 4 */
    assert_int_equal(core_log_mark_at(&log, 1)->conf.voters.n, 1);
    assert_int_equal(core_log_mark_at(&log, 3)->conf.voters.n, 2);
    assert_int_equal(core_log_mark_last(&log)->conf.voters.n, 3);
    core_log_truncate(&log, 4);
    assert_int_equal(core_log_mark_last(&log)->conf.voters.n, 2);
    push(&log, 2, &three);
    core_log_drop(&log, 3); /* what is in force at the new base stays known */
    assert_int_equal(core_log_mark_at(&log, 3)->conf.voters.n, 2);
    assert_int_equal(core_log_mark_last(&log)->index, 4);
    core_log_truncate(&log, 4);
    assert_int_equal(core_log_mark_last(&log)->conf.voters.n, 2);
    core_log_fini(&log);
}

static void test_agreeable_skips_terms(void **state)
{
    struct core_snapshot base = {.index = 100, .term = 2, .conf = drive_conf(1, 0)};
    static const uint64_t terms[] = {2, 2, 4, 4, 4, 7, 7};
    struct core_log log;

    (void)state;
    assert_int_equal(core_log_init(&log, &base), 0);
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
        push(&log, terms[i], NULL);
    }
    assert_int_equal(core_log_agreeable(&log, 107, 9), 107);
    assert_int_equal(core_log_agreeable(&log, 107, 7), 107);
    assert_int_equal(core_log_agreeable(&log, 107, 6), 105);
    assert_int_equal(core_log_agreeable(&log, 104, 4), 104);
    assert_int_equal(core_log_agreeable(&log, 107, 3), 102);
    assert_int_equal(core_log_agreeable(&log, 107, 1), 100); /* unknown behind the base */
    assert_int_equal(core_log_agreeable(&log, 50, 1), 50);
    core_log_fini(&log);
}

enum {
    MODEL_MAX = 4096,
};

static void test_random_against_model(void **state)
{
    static uint64_t terms[MODEL_MAX]; /* by index */
    struct core_snapshot base = {.conf = drive_conf(1, 0)};
    uint64_t first = 1;
    uint64_t last = 0;
    uint64_t term = 1;
    struct core_log log;
    struct rng r;

    (void)state;
    printf("seed 7\n");
    rng_init(&r, 7);
    assert_int_equal(core_log_init(&log, &base), 0);
    for (unsigned step = 0; step < 20000 && last + 1 < MODEL_MAX; step++) {
        uint64_t choice = rng_below(&r, 10);

        if (choice < 6) {
            term += rng_percent(&r, 10);
            push(&log, term, NULL);
            terms[++last] = term;
        } else if (choice < 8 && last >= first) {
            last = rng_between(&r, first, last) - 1;
            core_log_truncate(&log, last + 1);
        } else if (last >= first && rng_percent(&r, 20)) {
            first = rng_between(&r, first, last) + 1;
            core_log_drop(&log, first - 1);
        }
        assert_int_equal(core_log_last(&log), last);
        for (uint64_t i = first; i <= last; i++) {
            assert_int_equal(core_log_at(&log, i)->term, terms[i]);
        }
    }
    core_log_fini(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_configurations_follow_the_entries),
        cmocka_unit_test(test_agreeable_skips_terms),
        cmocka_unit_test(test_random_against_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
