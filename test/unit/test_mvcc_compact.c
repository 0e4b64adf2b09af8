/* Compaction: its answers, what it deletes, its steps and their bounds, crashes between them. */
#include "mvcc_fixture.h"

#include "base/clock.h"

/* Time goes on by one millisecond whenever somebody looks. */
static uint64_t ticking_ns(void *ctx)
{
    uint64_t *now_ns = ctx;

    *now_ns += 1000000;
    return *now_ns;
}

static void reopen(struct fixture *f, const struct mvcc_options *options)
{
    fixture_close(f);
    backend_inline_init(&f->device);
    assert_int_equal(mvcc_open(options, &f->m, NULL), 0);
    f->index = mvcc_applied_index(f->m);
}

static bool is_finished(struct fixture *f)
{
    return mvcc_physical_revision(f->m) == mvcc_compact_revision(f->m);
}

static void test_answers(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fixture_compact(f, -1), KVS_E_COMPACTED);
    assert_int_equal(fixture_compact(f, 0), 0); /* once, as observed on etcd */
    assert_int_equal(fixture_compact(f, 0), KVS_E_COMPACTED);
    fixture_put(f, "a", "1");
    assert_int_equal(fixture_compact(f, 3), KVS_E_FUTURE_REV);
    assert_int_equal(fixture_compact(f, 2), 0); /* the current revision is legal */
    assert_int_equal(fixture_compact(f, 2), KVS_E_COMPACTED);
    assert_int_equal(mvcc_compact_revision(f->m), 2);
    assert_int_equal(mvcc_applied_index(f->m), f->index);
}

/* ---- Crashes -----------------------------------------------------------------------------------
 */

/* Twenty versions of a and b, b deleted at 22, c; compacted to 22 and stored, nothing deleted. */
static void write_history(struct fixture *f)
{
    for (int i = 0; i < 20; i++) {
        fixture_put(f, i % 2 == 0 ? "a" : "b", "v");
    }
    assert_int_equal(fixture_delete(f, "b", ""), 1); /* revision 22 */
    fixture_put(f, "c", "v");
    fixture_store(f);
    assert_int_equal(fixture_hist_count(f), 22);
    assert_int_equal(fixture_compact(f, 22), 0);
    mvcc_flush(f->m);
    assert_true(backend_inline_step(&f->device)); /* the generation with the compaction */
    assert_true(mvcc_is_storing(f->m));           /* the first step: nobody writes */
}

/* `n` steps, then a crash. The sum of the state is the same all the way. False: it took less. */
static bool crash_after_steps(struct fixture *f, int n)
{
    uint64_t hash = fixture_hash(f, 0).hash;

    for (int i = 0; i < n && !is_finished(f); i++) {
        assert_true(backend_inline_step(&f->device));
        assert_int_equal(fixture_hash(f, 0).hash, hash);
    }
    if (is_finished(f)) {
        return false;
    }
    fixture_put(f, "d", "lost");
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(fixture_hash(f, 0).hash, hash);
    assert_int_equal(mvcc_compact_revision(f->m), 22);
    mvcc_tick(f->m, 1);
    return true;
}

static void check_history(struct fixture *f)
{
    fixture_compact_physically(f);
    assert_int_equal(fixture_hist_count(f), 3); /* a, the deletion of b exactly at 22, c */
    assert_int_equal(fixture_compact(f, 23), 0);
    fixture_compact_physically(f);
    assert_int_equal(fixture_hist_count(f), 2); /* now that deletion is gone, too */
    assert_null(fixture_get(f, "b", 0));
    assert_non_null(fixture_get(f, "a", 0));
}

static void test_goes_on_after_a_crash(void **state)
{
    int n = 1;

    for (bool crashed = true; crashed; n++) {
        struct fixture *f = *state;

        write_history(f);
        crashed = crash_after_steps(f, n);
        check_history(f);
        assert_int_equal(fixture_teardown(state), 0);
        assert_int_equal(fixture_setup(state), 0);
    }
    assert_true(n > 10); /* it was many steps */
}

/* A window that was finished is not done again: with windows of one key each, a store that crashes
 * after every few steps comes to its end nevertheless. */
static void test_every_window_is_progress(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);
    int crashes = 0;

    options.compact_window_bytes = 1;
    options.compact_step = 8;
    reopen(f, &options);
    write_history(f);
    while (!is_finished(f)) {
        assert_true(crashes++ < 100);
        for (int i = 0; i < 3 && !is_finished(f); i++) {
            assert_true(backend_inline_step(&f->device));
        }
        reopen(f, &options);
        mvcc_tick(f->m, 1);
    }
    assert_true(crashes > 3);
    check_history(f);
}

/* More versions of one key than are deleted at a time, the newest of them a deletion: none that is
 * older may be taken for the one to keep. */
static void test_many_versions_of_a_deleted_key(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);

    options.compact_step = 100;
    reopen(f, &options);
    for (int i = 0; i < 1000; i++) {
        fixture_put(f, "a", "v");
    }
    assert_int_equal(fixture_delete(f, "a", ""), 1);
    fixture_put(f, "b", "v");
    assert_int_equal(fixture_compact(f, mvcc_revision(f->m)), 0);
    fixture_compact_physically(f);
    assert_int_equal(fixture_hist_count(f), 1);
}

/* ---- Bounds ------------------------------------------------------------------------------------
 */

enum { N_VERSIONS = 2000, RECORDS_PER_LOOK = 32 };

/* Steps that a compaction of N_VERSIONS takes. */
static int count_steps(struct fixture *f, const struct mvcc_options *options)
{
    int steps = 0;

    reopen(f, options);
    for (int i = 0; i < N_VERSIONS; i++) {
        fixture_put(f, i % 2 == 0 ? "a" : "b", "v");
    }
    fixture_store(f);
    assert_int_equal(fixture_compact(f, mvcc_revision(f->m)), 0);
    mvcc_flush(f->m);
    assert_true(backend_inline_step(&f->device));
    for (; !is_finished(f); steps++) {
        assert_true(backend_inline_step(&f->device)); /* without a tick: nobody waits */
    }
    assert_int_equal(fixture_hist_count(f), 2);
    return steps;
}

static void test_step_ends_with_its_time(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);
    uint64_t now_ns = 0;
    const struct clock clock = {.monotonic_ns = ticking_ns, .ctx = &now_ns};
    int n;

    options.compact_step = 1000000;
    assert_int_equal(count_steps(f, &options), 1); /* no clock, no bound that counts */
    options.clock = &clock;
    options.compact_step_ms = 1000000;
    assert_int_equal(count_steps(f, &options), 1);
    options.compact_step_ms = 5;
    n = count_steps(f, &options);
    /* Gathered, deleted from idx, from hist; five looks at the clock a step. */
    assert_in_range(n, 3 * N_VERSIONS / (5 * RECORDS_PER_LOOK),
                    3 * N_VERSIONS / (4 * RECORDS_PER_LOOK));
    options.compact_step_ms = 0; /* goes on all the same */
    n = count_steps(f, &options);
    assert_in_range(n, 3 * N_VERSIONS / RECORDS_PER_LOOK - 10,
                    3 * N_VERSIONS / RECORDS_PER_LOOK + 10);
}

static void test_step_ends_with_its_records(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);
    int n;

    options.compact_step = 100;
    n = count_steps(f, &options);
    assert_in_range(n, 3 * N_VERSIONS / 100 - 2, 3 * N_VERSIONS / 100 + 2);
}

/* While there are writes, the next step begins after a multiple of what the last one took. */
static void test_step_is_followed_by_a_pause(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);
    uint64_t clock_ns = 0;
    const struct clock clock = {.monotonic_ns = ticking_ns, .ctx = &clock_ns};
    uint64_t took_ms;

    options.clock = &clock;
    options.compact_step = 1000000;
    options.compact_step_ms = 20;
    reopen(f, &options);
    for (int i = 0; i < N_VERSIONS; i++) {
        fixture_put(f, "a", "v");
    }
    assert_int_equal(fixture_compact(f, mvcc_revision(f->m)), 0);
    mvcc_flush(f->m);
    fixture_put(f, "a", "v");
    mvcc_tick(f->m, 500);
    assert_true(backend_inline_step(&f->device)); /* the generation */
    clock_ns = 0;
    assert_true(backend_inline_step(&f->device)); /* a step */
    took_ms = clock_ns / 1000000 - 1;             /* from the first look to the last */
    assert_true(took_ms >= 20);
    assert_false(mvcc_is_storing(f->m));
    assert_int_equal(mvcc_deadline_ms(f->m), 500 + 2 * took_ms);
    mvcc_tick(f->m, 500 + 2 * took_ms - 1);
    assert_false(mvcc_is_storing(f->m));
    mvcc_tick(f->m, 500 + 2 * took_ms);
    assert_true(mvcc_is_storing(f->m));
}

static void test_storing_and_compacting_take_turns(void **state)
{
    struct fixture *f = *state;
    uint64_t now_ms = 0;
    int stored = 0;

    for (int i = 0; i < 60; i++) {
        fixture_put(f, "a", "v");
    }
    assert_int_equal(fixture_compact(f, 61), 0);
    mvcc_flush(f->m);
    fixture_put(f, "b", "v");
    for (int i = 0; mvcc_physical_revision(f->m) < 61; i++) {
        uint64_t before = mvcc_stored_index(f->m);

        assert_true(i < 1000);
        assert_true(backend_inline_step(&f->device));
        stored += mvcc_stored_index(f->m) > before;
        fixture_put(f, "b", "v");
        now_ms += 5000;
        mvcc_tick(f->m, now_ms);
        mvcc_flush(f->m);
    }
    assert_true(stored >= 10);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(test_answers),
        WITH_STORE(test_goes_on_after_a_crash),
        WITH_STORE(test_every_window_is_progress),
        WITH_STORE(test_many_versions_of_a_deleted_key),
        WITH_STORE(test_step_ends_with_its_time),
        WITH_STORE(test_step_ends_with_its_records),
        WITH_STORE(test_step_is_followed_by_a_pause),
        WITH_STORE(test_storing_and_compacting_take_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
