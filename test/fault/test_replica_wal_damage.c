/* Damage to the write-ahead log: each byte changed, each end lost, each file gone. What was written
 * is either recovered whole, refused, or cut where an unfinished write could have been; wrong
 * entries never come out. A log that was closed in order loses nothing: it is whole or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_disk.h"
#include "replica/wal_format.h"
#include "wal_model.h"

#define DIR    "wal"
#define FIRST  DIR "/0000000000000001.wal"
#define SECOND DIR "/0000000000000002.wal"
#define THIRD  DIR "/0000000000000003.wal"

static struct wal_options options(struct sim_disk *disk)
{
    return (struct wal_options){
        .dir = DIR,
        .disk = sim_disk_vtable(disk),
        .segment_bytes_first = 64 * 1024,
        .segment_bytes_max = 64 * 1024,
    };
}

static struct wal *create(struct wal_model *m, struct sim_disk *disk)
{
    const struct wal_options o = options(disk);
    struct wal_recovered recovered;
    struct wal *w;

    assert_int_equal(wal_model_open(m, &o, &recovered, &w, NULL), 0);
    return w;
}

static void append(struct wal_model *m, struct wal *w, size_t n, size_t bytes_max, bool sync)
{
    wal_model_batch(m, wal_last_index(w) + 1, n, bytes_max);
    wal_model_appended(m);
    assert_int_equal(wal_append(w, NULL, m->batch, n), 0);
    assert_int_equal(sync ? wal_sync(w) : wal_write(w), 0);
}

static void hard(struct wal_model *m, struct wal *w, uint64_t term)
{
    const struct wal_hard_state h = {.term = term, .vote = term + 1};

    wal_model_hard(m, &h);
    assert_int_equal(wal_append(w, &h, NULL, 0), 0);
    assert_int_equal(wal_sync(w), 0);
}

/* A few batches, hard states and a rotation: small, since each byte of it is changed. */
static struct wal *fill(struct wal_model *m, struct sim_disk *disk)
{
    struct wal *w = create(m, disk);
    struct wal_stats stats;

    hard(m, w, 1);
    append(m, w, 3, 60, true);
    append(m, w, 1, 30, true);
    hard(m, w, 2);
    append(m, w, 1, 0, true);
    do {
        append(m, w, 1, 30000, true);
        wal_stats(w, &stats);
    } while (stats.segments < 2);
    append(m, w, 4, 40, true);
    hard(m, w, 5);
    append(m, w, 2, 100, true);
    return w;
}

/* Opens a copy of the disk. Returns the error, or 0 and how many steps were found. */
static int open_copy(const struct wal_model *m, struct sim_disk *disk, size_t *ret_steps)
{
    const struct wal_options o = options(disk);
    struct wal_recovered recovered;
    struct wal_model copy;
    struct wal *w;
    int rv;

    wal_model_copy(&copy, m);
    rv = wal_model_open(&copy, &o, &recovered, &w, NULL);
    if (rv == 0) {
        *ret_steps = wal_model_check_any(&copy, &recovered);
        wal_abandon(w);
    }
    wal_model_fini(&copy);
    return rv;
}

struct outcome {
    size_t whole;
    size_t cut;
    size_t refused;
};

static void flip_one(const struct wal_model *m,
                     const struct sim_disk *disk,
                     const char *path,
                     uint64_t offset,
                     uint8_t mask,
                     struct outcome *o)
{
    struct sim_disk *copy = sim_disk_clone(disk, 1);
    size_t steps = 0;
    int rv;

    sim_disk_flip(copy, path, offset, mask);
    rv = open_copy(m, copy, &steps);
    if (rv != 0) {
        assert_true(rv == KVS_E_DAMAGED || rv == KVS_E_VERSION);
        o->refused++;
    } else if (steps == m->n_steps) {
        o->whole++;
    } else {
        o->cut++;
    }
    sim_disk_free(copy);
}

/* Each byte that means something, and samples of the rest. */
static void flip_file(struct wal_model *m,
                      const struct sim_disk *disk,
                      const char *path,
                      uint64_t every_until,
                      struct outcome *o)
{
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    struct kvs_view contents;
    uint64_t step;

    assert_true(sim_disk_contents(disk, path, &contents));
    for (uint64_t at = 0; at < contents.len; at += step) {
        bool dense = at < 128 || (at >= WAL_HEADER_BYTES && at < every_until);

        flip_one(m, disk, path, at, masks[rng_below(&m->rng, 3)], o);
        step = dense ? 1 : 1 + rng_below(&m->rng, 1500);
    }
}

/* Where the records end. */
static uint64_t used(const struct sim_disk *disk, const char *path)
{
    struct kvs_view contents;
    size_t end;

    assert_true(sim_disk_contents(disk, path, &contents));
    for (end = contents.len; end > 0 && ((const uint8_t *)contents.data)[end - 1] == 0; end--) {
    }
    return end;
}

static void test_flip_closed(void **state)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct outcome o = {0};
    struct wal_model m;

    (void)state;
    wal_model_init(&m, wal_model_seed("wal_damage"));
    assert_int_equal(wal_close(fill(&m, disk)), 0);
    flip_file(&m, disk, FIRST, WAL_HEADER_BYTES + 700, &o);
    flip_file(&m, disk, SECOND, used(disk, SECOND) + 16, &o);
    assert_int_equal(o.cut, 0);
    assert_true(o.refused > 500);
    assert_true(o.whole > 0); /* behind the records */
    wal_model_fini(&m);
    sim_disk_free(disk);
}

static void test_flip_open(void **state)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct outcome o = {0};
    struct wal_model m;
    uint64_t end;
    uint64_t last;

    (void)state;
    wal_model_init(&m, wal_model_seed("wal_damage"));
    wal_abandon(fill(&m, disk));
    end = used(disk, SECOND);
    flip_file(&m, disk, FIRST, WAL_HEADER_BYTES + 700, &o);
    assert_int_equal(o.cut, 0); /* another segment follows */
    flip_file(&m, disk, SECOND, end + 16, &o);
    /* Only the last sync's bytes can be taken for an unfinished write. */
    assert_true(o.cut > 0);
    last = wal_record_bytes(wal_entries_bytes(m.batch, m.n_batch));
    assert_true(o.cut <= last);
    wal_model_fini(&m);
    sim_disk_free(disk);
}

/* The end of the last segment was never written, from each position on. */
static void test_lost_end(void **state)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct wal_model m;
    uint64_t end;
    size_t before = 0;

    (void)state;
    wal_model_init(&m, wal_model_seed("wal_damage"));
    wal_abandon(fill(&m, disk));
    end = used(disk, SECOND);
    for (uint64_t at = WAL_HEADER_BYTES; at <= end; at++) {
        struct sim_disk *copy = sim_disk_clone(disk, 1);
        size_t steps = 0;

        sim_disk_zero(copy, SECOND, at, end - at);
        assert_int_equal(open_copy(&m, copy, &steps), 0);
        assert_true(steps >= before);
        before = steps;
        sim_disk_free(copy);
    }
    assert_int_equal(before, m.n_steps);
    wal_model_fini(&m);
    sim_disk_free(disk);
}

/* No crash shortens a file that was complete before it got its name. */
static void test_short_file(void **state)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct wal_model m;
    size_t steps;

    (void)state;
    wal_model_init(&m, wal_model_seed("wal_damage"));
    wal_abandon(fill(&m, disk));
    for (uint64_t size = 0; size < 64 * 1024; size += 1 + rng_below(&m.rng, 800)) {
        struct sim_disk *copy = sim_disk_clone(disk, 1);

        sim_disk_cut_file(copy, rng_percent(&m.rng, 70) ? SECOND : FIRST, size);
        assert_int_equal(open_copy(&m, copy, &steps), KVS_E_DAMAGED);
        sim_disk_free(copy);
    }
    wal_model_fini(&m);
    sim_disk_free(disk);
}

static int refused(struct sim_disk *disk, struct kvs_error *error)
{
    const struct wal_options o = options(disk);
    struct wal_recovered recovered;
    struct wal *w;
    int rv = wal_open(&o, &recovered, &w, error);

    if (rv == 0) {
        wal_abandon(w);
    }
    return rv;
}

static void test_missing_segment(void **state)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct wal_recovered recovered;
    struct wal_options o;
    struct sim_disk *copy;
    struct kvs_error error;
    struct wal_model m;
    struct wal *w;

    (void)state;
    wal_model_init(&m, 1);
    w = fill(&m, disk);
    append(&m, w, 1, 0, true);
    for (int i = 0; i < 4; i++) {
        append(&m, w, 1, 50000, true);
    }
    assert_int_equal(wal_close(w), 0);

    copy = sim_disk_clone(disk, 1);
    sim_disk_remove(copy, SECOND);
    assert_int_equal(refused(copy, &error), KVS_E_DAMAGED);
    assert_non_null(strstr(error.msg, "0000000000000002.wal"));
    sim_disk_free(copy);

    /* Whatever is gone at the end, the segment before is sealed. */
    copy = sim_disk_clone(disk, 1);
    sim_disk_remove(copy, THIRD);
    for (uint64_t i = 4; i < 10; i++) {
        struct kvs_view contents;
        char path[64];

        (void)snprintf(path, sizeof path, DIR "/%016llx.wal", (unsigned long long)i);
        if (sim_disk_contents(copy, path, &contents)) {
            sim_disk_remove(copy, path);
        }
    }
    assert_int_equal(refused(copy, &error), KVS_E_DAMAGED);
    assert_non_null(strstr(error.msg, "0000000000000002.wal"));
    assert_non_null(strstr(error.msg, "missing"));
    sim_disk_free(copy);

    /* The first one may have been trimmed: the caller sees the base. */
    copy = sim_disk_clone(disk, 1);
    sim_disk_remove(copy, FIRST);
    o = options(copy);
    assert_int_equal(wal_open(&o, &recovered, &w, NULL), 0);
    assert_true(recovered.base_index > 0);
    wal_abandon(w);
    sim_disk_free(copy);

    wal_model_fini(&m);
    sim_disk_free(disk);
}

/* A segment of another log, or another number, under a name of this one. */
static void test_foreign_segment(void **state)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct kvs_error error;
    struct kvs_view contents;
    struct wal_model m;

    (void)state;
    wal_model_init(&m, 1);
    assert_int_equal(wal_close(fill(&m, disk)), 0);
    assert_true(sim_disk_contents(disk, FIRST, &contents));
    sim_disk_write(disk, SECOND, contents);
    assert_int_equal(refused(disk, &error), KVS_E_DAMAGED);
    assert_non_null(strstr(error.msg, "another segment"));
    wal_model_fini(&m);
    sim_disk_free(disk);
}

/* Appends one entry of 8 bytes. */
static void append_fixed(struct wal *w, uint64_t index, uint64_t term, const char *data)
{
    const struct wal_entry entry = {.index = index, .term = term, .data = {data, 8}};

    assert_int_equal(wal_append(w, NULL, &entry, 1), 0);
}

struct last {
    size_t n;
    char data[8];
};

static int see_last(void *ctx, const struct wal_entry *entry)
{
    struct last *last = ctx;

    last->n++;
    assert_int_equal(entry->data.len, 8);
    memcpy(last->data, entry->data.data, 8);
    return 0;
}

/* Two records were on their way; the second arrived, the first did not. A new record of the first
 * one's size must not connect to the old second one. */
static void test_old_tail_stays_dead(void **state)
{
    struct sim_disk *disk = sim_disk_new(1);
    struct wal_options o = options(disk);
    struct wal_recovered recovered;
    struct last last = {0};
    struct wal_model m;
    struct wal *w;

    (void)state;
    wal_model_init(&m, 1);
    w = create(&m, disk);
    append_fixed(w, 1, 1, "one.....");
    assert_int_equal(wal_write(w), 0);
    append_fixed(w, 2, 1, "two.....");
    assert_int_equal(wal_write(w), 0);
    wal_abandon(w);
    sim_disk_zero(disk, FIRST, WAL_HEADER_BYTES + 8, 8);

    assert_int_equal(wal_open(&o, &recovered, &w, NULL), 0);
    assert_true(recovered.torn);
    assert_int_equal(recovered.torn_segment, 1);
    assert_int_equal(recovered.torn_offset, WAL_HEADER_BYTES);
    assert_int_equal(recovered.last_index, 0);
    append_fixed(w, 1, 1, "new.....");
    assert_int_equal(wal_close(w), 0);

    o.on_entry = see_last;
    o.ctx = &last;
    assert_int_equal(wal_open(&o, &recovered, &w, NULL), 0);
    assert_false(recovered.torn);
    assert_int_equal(last.n, 1);
    assert_memory_equal(last.data, "new.....", 8);
    wal_abandon(w);
    wal_model_fini(&m);
    sim_disk_free(disk);
}

/* The same damage with a mark behind it is no unfinished write. */
static void test_mark_tells(void **state)
{
    for (int marked = 0; marked < 2; marked++) {
        struct sim_disk *disk = sim_disk_new(1);
        struct kvs_error error;
        struct wal_model m;
        struct wal *w;

        (void)state;
        wal_model_init(&m, 1);
        w = create(&m, disk);
        append_fixed(w, 1, 1, "one.....");
        assert_int_equal(wal_sync(w), 0);
        if (marked == 1) {
            assert_int_equal(wal_mark(w), 0);
        }
        wal_abandon(w);
        sim_disk_flip(disk, FIRST, WAL_HEADER_BYTES + 60, 1);
        assert_int_equal(refused(disk, &error), marked == 1 ? KVS_E_DAMAGED : 0);
        if (marked == 1) {
            assert_non_null(strstr(error.msg, "0000000000000001.wal: offset 4096: bad record"));
        }
        wal_model_fini(&m);
        sim_disk_free(disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flip_closed),
        cmocka_unit_test(test_flip_open),
        cmocka_unit_test(test_lost_end),
        cmocka_unit_test(test_short_file),
        cmocka_unit_test(test_missing_segment),
        cmocka_unit_test(test_foreign_segment),
        cmocka_unit_test(test_old_tail_stays_dead),
        cmocka_unit_test(test_mark_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
