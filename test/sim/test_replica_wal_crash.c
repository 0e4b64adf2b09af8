/* The write-ahead log on a virtual disk that loses power, fails and fills up at random: what was
 * synced survives, nothing is invented, and what failed once fails for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_disk.h"
#include "wal_model.h"

#define DIR "node/wal"

static struct wal_options options(struct sim_disk *disk)
{
    return (struct wal_options){
        .dir = DIR,
        .disk = sim_disk_vtable(disk),
        .cluster_id = 7,
        .member_id = 9,
        .segment_bytes_first = 64 * 1024,
        .segment_bytes_max = 256 * 1024,
    };
}

static void make_parent(struct sim_disk *disk)
{
    const struct disk *d = sim_disk_vtable(disk);

    assert_int_equal(d->make_dir(d->ctx, "node"), 0);
    assert_int_equal(d->sync_dir(d->ctx, "/"), 0);
}

/* Opens until it succeeds; power may go again while the log recovers. */
static struct wal *reopen(struct wal_model *m, struct sim_disk *disk, const struct wal_options *o)
{
    struct wal_recovered recovered;
    struct kvs_error error;
    struct wal *w = NULL;

    for (int tries = 0; w == NULL; tries++) {
        int rv;

        if (tries < 3 && rng_percent(&m->rng, 40)) {
            sim_disk_cut_at(disk, 1 + rng_below(&m->rng, 25));
        }
        rv = wal_model_open(m, o, &recovered, &w, &error);
        if (rv != 0 && !sim_disk_is_off(disk)) {
            (void)fprintf(stderr, "seed %llu: refused: %s\n", (unsigned long long)m->seed,
                          error.msg);
        }
        if (rv != 0) {
            assert_true(sim_disk_is_off(disk));
            sim_disk_power_cycle(disk);
        }
    }
    sim_disk_cut_at(disk, 0);
    wal_model_check(m, &recovered);
    return w;
}

/* After its first failure the log touches nothing and says the same thing. */
static void check_sticky(struct wal_model *m, struct wal *w, struct sim_disk *disk, int err)
{
    const struct wal_hard_state hard = {.term = 1000000};
    uint64_t ops = sim_disk_ops(disk);
    bool more;

    wal_model_batch(m, wal_last_index(w) + 1, 1, 10);
    assert_int_equal(wal_failed(w), err);
    assert_int_equal(wal_append(w, &hard, m->batch, 1), err);
    assert_int_equal(wal_write(w), err);
    assert_int_equal(wal_flush(w), err);
    assert_int_equal(wal_sync(w), err);
    assert_int_equal(wal_mark(w), err);
    assert_int_equal(wal_prepare(w, &more), err);
    assert_int_equal(wal_trim(w, UINT64_MAX), err);
    assert_int_equal(wal_reset(w, 1, 1), err);
    assert_int_equal(sim_disk_ops(disk), ops);
}

static void arm(struct wal_model *m, struct sim_disk *disk)
{
    uint64_t nth = 1 + rng_below(&m->rng, 60);

    switch (rng_below(&m->rng, 4)) {
    case 0:
        sim_disk_fail_at(disk, nth, KVS_E_IO);
        break;
    case 1:
        sim_disk_fail_at(disk, nth, KVS_E_FULL);
        break;
    default:
        sim_disk_cut_at(disk, nth);
        break;
    }
}

/* One life: from an open log to a crash, a kill or a clean end. */
static void live(struct wal_model *m, struct sim_disk *disk, struct wal *w)
{
    size_t calls = 1 + (size_t)rng_below(&m->rng, 80);
    int rv = 0;

    if (rng_percent(&m->rng, 70)) {
        arm(m, disk);
    }
    for (size_t i = 0; i < calls && rv == 0; i++) {
        rv = wal_model_random_call(m, w);
        if (rv == 0) {
            wal_check(w);
        }
    }
    if (rv != 0) {
        check_sticky(m, w, disk, rv);
    }
    sim_disk_fail_at(disk, 0, 0);
    if (rv == 0 && rng_percent(&m->rng, 30)) {
        if (wal_close(w) == 0) {
            wal_model_synced(m);
        }
        return;
    }
    wal_abandon(w);
    /* A process that is killed or stops loses nothing, but what a failed sync left in memory. */
    if (sim_disk_is_off(disk) || rng_percent(&m->rng, 70)) {
        sim_disk_power_cycle(disk);
    }
}

static void run(uint64_t seed)
{
    struct sim_disk *disk = sim_disk_new(seed);
    struct wal_options o = options(disk);
    struct wal_model model;
    size_t lives;

    wal_model_init(&model, seed);
    sim_disk_set_sector(disk, rng_percent(&model.rng, 50) ? 512 : 4096);
    o.prealloc = rng_percent(&model.rng, 50) ? WAL_PREALLOC_ZERO : WAL_PREALLOC_RESERVE;
    make_parent(disk);
    lives = 2 + (size_t)rng_below(&model.rng, 12);
    for (size_t i = 0; i < lives; i++) {
        live(&model, disk, reopen(&model, disk, &o));
    }
    wal_abandon(reopen(&model, disk, &o));
    wal_model_fini(&model);
    sim_disk_free(disk);
}

static void test_crashes(void **state)
{
    const char *rounds = getenv("KVS_ROUNDS");
    uint64_t n = rounds != NULL ? strtoull(rounds, NULL, 0) : 300;
    uint64_t seed = wal_model_seed("wal_crash");

    (void)state;
    for (uint64_t i = 0; i < n; i++) {
        run(seed + i);
    }
}

/* A full disk is no failure until a segment is needed; space given back in time heals it. */
static void test_full(void **state)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct wal_options o = options(disk);
    struct wal_recovered recovered;
    struct wal_model model;
    struct wal *w;
    bool more = true;
    int rv = 0;

    (void)state;
    wal_model_init(&model, 1);
    make_parent(disk);
    sim_disk_set_capacity(disk, 100 * 1024);
    w = reopen(&model, disk, &o);
    for (size_t i = 0; i < 40; i++) {
        wal_model_batch(&model, wal_last_index(w) + 1, 1, 1000);
        assert_int_equal(wal_append(w, NULL, model.batch, 1), 0);
        wal_model_appended(&model);
        assert_int_equal(wal_sync(w), 0);
        wal_model_synced(&model);
        assert_int_equal(wal_prepare(w, &more), 0);
    }
    while (rv == 0) {
        wal_model_batch(&model, wal_last_index(w) + 1, 1, 4000);
        rv = wal_append(w, NULL, model.batch, 1);
        wal_model_appended(&model);
        rv = rv != 0 ? rv : wal_sync(w);
        if (rv == 0) {
            wal_model_synced(&model);
        }
    }
    assert_int_equal(rv, KVS_E_FULL);
    check_sticky(&model, w, disk, KVS_E_FULL);
    wal_abandon(w);
    sim_disk_set_capacity(disk, 0);
    assert_int_equal(wal_model_open(&model, &o, &recovered, &w, NULL), 0);
    wal_model_check(&model, &recovered);
    wal_abandon(w);
    wal_model_fini(&model);
    sim_disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
