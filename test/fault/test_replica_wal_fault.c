/* Each disk operation and each allocation of the write-ahead log fails in turn, from opening to
 * closing: an error comes out, nothing leaks, and what was synced is there afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "sim_disk.h"
#include "wal_model.h"

#define DIR "wal"

static struct wal_options options(struct sim_disk *disk)
{
    return (struct wal_options){
        .dir = DIR,
        .disk = sim_disk_vtable(disk),
        .segment_bytes_first = 64 * 1024,
        .segment_bytes_max = 128 * 1024,
    };
}

static int batch(struct wal_model *m, struct wal *w, size_t n, size_t bytes_max)
{
    int rv;

    wal_model_batch(m, wal_last_index(w) + 1, n, bytes_max);
    wal_model_appended(m);
    rv = wal_append(w, NULL, m->batch, n);
    rv = rv != 0 ? rv : wal_sync(w);
    if (rv == 0) {
        wal_model_synced(m);
    }
    return rv;
}

/* Everything once: rotation with and without a spare, large entries, mark, trim, reset. */
static int use(struct wal_model *m, struct wal *w)
{
    const struct wal_hard_state hard = {.term = m->now.hard.term + 1, .vote = 3};
    bool more;
    int rv;

    wal_model_hard(m, &hard);
    rv = wal_append(w, &hard, NULL, 0);
    for (int i = 0; rv == 0 && i < 12; i++) {
        rv = batch(m, w, 3, i == 5 ? 200000 : 9000);
        rv = rv != 0 ? rv : wal_prepare(w, &more);
        rv = rv != 0 || i % 4 != 0 ? rv : wal_mark(w);
    }
    if (rv != 0) {
        return rv;
    }
    wal_model_trimmed(m, wal_last_index(w));
    rv = wal_trim(w, wal_last_index(w));
    if (rv == 0) {
        wal_model_reset(m, wal_last_index(w) + 5, 50);
        wal_model_trimmed(m, wal_last_index(w) + 5);
        rv = wal_reset(w, wal_last_index(w) + 5, 50);
    }
    return rv != 0 ? rv : batch(m, w, 2, 100);
}

/* Two lives: create and use, then recover and use. */
static int two_lives(struct wal_model *m, struct sim_disk *disk)
{
    const struct wal_options o = options(disk);
    int rv = 0;

    for (int life = 0; rv == 0 && life < 2; life++) {
        struct wal_recovered recovered;
        struct kvs_error error;
        struct wal *w;

        rv = wal_model_open(m, &o, &recovered, &w, &error);
        if (rv != 0) {
            assert_int_equal(error.code, rv);
            assert_true(error.msg[0] != '\0');
            break;
        }
        wal_model_check(m, &recovered);
        rv = use(m, w);
        if (rv != 0) {
            assert_int_equal(wal_failed(w), rv);
            wal_abandon(w);
        } else {
            rv = wal_close(w);
        }
    }
    return rv;
}

static void check_after(struct wal_model *m, struct sim_disk *disk)
{
    const struct wal_options o = options(disk);
    struct wal_recovered recovered;
    struct kvs_error error;
    struct wal *w;

    if (wal_model_open(m, &o, &recovered, &w, &error) != 0) {
        fail_msg("%s", error.msg);
    }
    wal_model_check(m, &recovered);
    wal_abandon(w);
}

/* Returns whether the `nth` operation was reached. */
static bool fail_operation(uint64_t nth, int err, bool power_cut)
{
    struct sim_disk *disk = sim_disk_new(nth);
    struct wal_model m;
    bool reached;
    int rv;

    wal_model_init(&m, nth);
    if (err != 0) {
        sim_disk_fail_at(disk, nth, err);
    } else {
        sim_disk_cut_at(disk, nth);
    }
    rv = two_lives(&m, disk);
    reached = sim_disk_ops(disk) >= nth;
    /* A full disk is let pass while the spare is prepared. */
    assert_true(rv != 0 || !reached || err == KVS_E_FULL);
    assert_true(rv == 0 || rv == (err != 0 ? err : KVS_E_IO));
    sim_disk_fail_at(disk, 0, 0);
    sim_disk_cut_at(disk, 0);
    if (power_cut || sim_disk_is_off(disk)) {
        sim_disk_power_cycle(disk);
    }
    check_after(&m, disk);
    wal_model_fini(&m);
    sim_disk_free(disk);
    return reached;
}

static void test_operations(void **state)
{
    static const int errors[] = {KVS_E_IO, KVS_E_FULL, 0};

    (void)state;
    for (size_t e = 0; e < 3; e++) {
        for (unsigned power_cut = 0; power_cut < 2; power_cut++) {
            uint64_t nth = 1;

            while (fail_operation(nth, errors[e], power_cut == 1)) {
                nth++;
            }
            assert_true(nth > 100);
        }
    }
}

/* --- allocations ---------------------------------------------------------------------------- */

struct failing {
    uint64_t count;
    uint64_t fail_at;
    long live;
};

static void *failing_realloc(void *ctx, void *old, size_t size)
{
    struct failing *f = ctx;
    void *memory;

    if (++f->count == f->fail_at) {
        return NULL;
    }
    memory = realloc(old, size);
    f->live += old == NULL && memory != NULL;
    return memory;
}

static void failing_free(void *ctx, void *memory)
{
    struct failing *f = ctx;

    f->live -= memory != NULL;
    free(memory);
}

static bool fail_allocation(uint64_t nth)
{
    struct failing f = {.fail_at = nth};
    const struct kvs_allocator allocator = {failing_realloc, failing_free, &f};
    struct sim_disk *disk = sim_disk_new(nth);
    struct wal_model m;
    bool reached;
    int rv;

    wal_model_init(&m, nth);
    /* The model's own buffer is not what is tested. */
    assert_non_null(buf_reserve(&m.batch_data, 1024 * 1024));
    kvs_alloc_set(&allocator);
    rv = two_lives(&m, disk);
    reached = f.count >= nth;
    assert_int_equal(rv, reached ? KVS_E_NOMEM : 0);
    assert_int_equal(f.live, 0);
    kvs_alloc_set(NULL);
    sim_disk_power_cycle(disk);
    check_after(&m, disk);
    wal_model_fini(&m);
    sim_disk_free(disk);
    return reached;
}

static void test_allocations(void **state)
{
    uint64_t nth = 1;

    (void)state;
    while (fail_allocation(nth)) {
        nth++;
    }
    assert_true(nth > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
