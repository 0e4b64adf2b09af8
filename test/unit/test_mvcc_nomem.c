/* Every n-th allocation fails, for each thing the store does: reads and opening answer
 * KVS_E_NOMEM and nothing is harmed; storing waits; applying makes the store stop for good, and a
 * restart has everything that was stored. */
#include "mvcc_fixture.h"

#include <stdlib.h>

struct counter {
    long left; /* allocations until the one that fails; < 0: none fails */
    bool failed;
};

static void *counted_realloc(void *ctx, void *old, size_t size)
{
    struct counter *c = ctx;

    if (c->left >= 0 && c->left-- == 0) {
        c->failed = true;
        return NULL;
    }
    return realloc(old, size);
}

static void counted_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

static struct counter counter = {.left = -1};
static const struct kvs_allocator allocator = {counted_realloc, counted_free, &counter};

static void fail_at(long n)
{
    counter = (struct counter){.left = n};
}

/* True if an allocation failed since fail_at. */
static bool failed(void)
{
    counter.left = -1;
    return counter.failed;
}

static int setup(void **state)
{
    counter.left = -1;
    kvs_alloc_set(&allocator);
    return fixture_setup(state);
}

static int teardown(void **state)
{
    int err;

    counter.left = -1;
    err = fixture_teardown(state);
    kvs_alloc_set(NULL);
    return err;
}

static char long_key[700];

static void fill(struct fixture *f)
{
    memset(long_key, 'l', sizeof long_key - 1);
    for (int i = 0; i < 40; i++) {
        char key[16];
        struct kvs_put_req req = {.value = VIEW_LITERAL("value"), .lease = 1 + i % 2};

        snprintf(key, sizeof key, "k%d", i % 20);
        req.key = i % 7 == 0 ? view_str(long_key) : view_str(key);
        assert_int_equal(fixture_put_req(f, &req, NULL), 0);
        long_key[650] = (char)('a' + i % 5);
        if (i == 25) {
            fixture_store(f);
        }
    }
}

static int ask_range(struct fixture *f, kvs_revision rev)
{
    struct kvs_range_req req = {.key = VIEW_LITERAL("\0"), .range_end = VIEW_LITERAL("\0")};
    struct kvs_range_resp resp;
    struct mvcc_read r;
    struct arena arena;
    int err;

    req.revision = rev;
    arena_init(&arena, 0);
    mvcc_read_begin(f->m, &r);
    err = mvcc_range(&r, &req, &arena, &resp);
    if (err == 0) {
        assert_int_equal(resp.count, resp.n_kvs);
        assert_true(resp.count > 15);
    }
    mvcc_read_end(&r);
    arena_fini(&arena);
    return err;
}

static int ask_iter(struct fixture *f)
{
    struct mvcc_iter *it;
    struct mvcc_read r;
    struct kvs_kv kv;
    int n = 0;
    int err;

    mvcc_read_begin(f->m, &r);
    err = mvcc_iter_open(&r, VIEW_LITERAL("a"), VIEW_LITERAL("z"), 0, &it);
    if (err == 0) {
        while ((err = mvcc_iter_next(it, &kv)) == 0) {
            n++;
        }
        mvcc_iter_close(it);
        assert_true(err == KVS_E_NOMEM || n > 15);
    }
    mvcc_read_end(&r);
    return err == KVS_E_NOT_FOUND ? 0 : err;
}

static int ask_history(struct fixture *f)
{
    struct mvcc_history *h;
    struct kvs_event event;
    struct kvs_kv prev;
    struct mvcc_read r;
    int err;

    mvcc_read_begin(f->m, &r);
    err = mvcc_history_open(&r, 1, 0, &h);
    if (err == 0) {
        while ((err = mvcc_history_next(h, &event)) == 0) {
            assert_int_equal(mvcc_history_prev(h, &prev), event.has_prev ? 0 : KVS_E_NOT_FOUND);
        }
        mvcc_history_close(h);
    }
    mvcc_read_end(&r);
    return err == KVS_E_NOT_FOUND ? 0 : err;
}

static int ask_leases(struct fixture *f)
{
    struct mvcc_read r;
    struct arena arena;
    struct kvs_view *keys;
    size_t n;
    int err;

    arena_init(&arena, 0);
    mvcc_read_begin(f->m, &r);
    err = mvcc_lease_keys(&r, 1, &arena, &keys, &n);
    assert_true(err != 0 || n > 5);
    mvcc_read_end(&r);
    arena_fini(&arena);
    return err;
}

static int ask_hash(struct fixture *f)
{
    struct mvcc_hash *h;
    int err = mvcc_hash_begin(f->m, 0, &h);

    if (err == 0) {
        err = mvcc_hash_run(h, 1000);
        mvcc_hash_end(h, NULL);
    }
    return err;
}

static int ask_check(struct fixture *f)
{
    struct kvs_op ops[2] = {{.type = KVS_OP_PUT, .u.put.key = VIEW_LITERAL("a")},
                            {.type = KVS_OP_DELETE, .u.del.key = VIEW_LITERAL("b")}};
    struct kvs_txn_req req = {.success = ops, .n_success = 2};

    (void)f;
    return mvcc_txn_check(&req, 128);
}

static int ask(struct fixture *f, int what)
{
    switch (what) {
    case 0:
        return ask_range(f, 0);
    case 1:
        return ask_range(f, 22);
    case 2:
        return ask_iter(f);
    case 3:
        return ask_history(f);
    case 4:
        return ask_leases(f);
    case 5:
        return ask_hash(f);
    default:
        return ask_check(f);
    }
}

static void test_reads(void **state)
{
    struct fixture *f = *state;
    long n_failures = 0;

    fill(f);
    for (int what = 0; what < 7; what++) {
        bool any = true;

        for (long n = 0; any; n++) {
            int err;

            fail_at(n);
            err = ask(f, what);
            any = failed();
            n_failures += any;
            assert_int_equal(err, any ? KVS_E_NOMEM : 0);
            assert_int_equal(ask(f, what), 0);
        }
    }
    assert_true(n_failures > 20);
}

static void test_open(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);
    bool any = true;

    fill(f);
    fixture_store(f);
    fixture_close(f);
    for (long n = 0; any; n++) {
        int err;

        fail_at(n);
        err = mvcc_open(&options, &f->m, NULL);
        any = failed();
        assert_int_equal(err, any ? KVS_E_NOMEM : 0);
    }
    assert_int_equal(mvcc_applied_index(f->m), 40);
}

/* Whatever fails while a generation is frozen and written: either it is only later, or the store
 * has stopped and a restart finds the state before. */
static void test_storing(void **state)
{
    struct fixture *f = *state;
    bool any = true;

    fill(f);
    for (long n = 0; any; n++) {
        uint64_t stored = mvcc_stored_index(f->m);
        uint64_t applied;

        fixture_put(f, "again", "value");
        (void)fixture_compact(f, mvcc_revision(f->m) - 1);
        applied = mvcc_applied_index(f->m);
        fail_at(n);
        mvcc_flush(f->m);
        backend_inline_drain(&f->device);
        any = failed();
        mvcc_check(f->m);
        if (mvcc_failure(f->m) != 0) {
            assert_int_equal(mvcc_failure(f->m), KVS_E_NOMEM);
            fixture_close(f);
            fixture_open(f);
            /* The commit may have succeeded before the failure. */
            assert_true(mvcc_stored_index(f->m) == stored || mvcc_stored_index(f->m) == applied);
        } else {
            fixture_store(f);
        }
    }
    assert_int_equal(ask_range(f, 0), 0);
}

static void test_applying(void **state)
{
    struct fixture *f = *state;
    struct kvs_op ops[3] = {{.type = KVS_OP_PUT, .u.put.key = VIEW_LITERAL("new")},
                            {.type = KVS_OP_RANGE, .u.range.key = VIEW_LITERAL("k3")},
                            {.type = KVS_OP_DELETE}};
    struct kvs_txn_req req = {.success = ops, .n_success = 3};
    bool any = true;

    ops[2].u.del = (struct kvs_delete_req){
        .key = VIEW_LITERAL("k"), .range_end = VIEW_LITERAL("l"), .prev_kv = true};
    fill(f);
    fixture_store(f);
    for (long n = 0; any; n++) {
        struct kvs_txn_resp resp;
        struct arena arena;
        int err;

        arena_init(&arena, 0);
        fail_at(n);
        mvcc_txn_begin(f->m, 100, 1);
        err = mvcc_txn_execute(f->m, &req, NULL, &arena, &resp);
        any = failed();
        mvcc_txn_end(f->m, &f->commit);
        arena_fini(&arena);
        assert_int_equal(err, any ? KVS_E_NOMEM : 0);
        assert_int_equal(mvcc_failure(f->m), err);
        if (any) {
            f->index = 100;
            assert_int_equal(fixture_put_req(f, &ops[0].u.put, NULL), KVS_E_NOMEM);
            mvcc_flush(f->m);
            assert_false(mvcc_is_storing(f->m)); /* half an entry is never stored */
            fixture_close(f);
            fixture_open(f);
            assert_int_equal(mvcc_applied_index(f->m), 40);
        }
    }
    assert_int_equal(f->commit.n_events, 21);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(test_reads),
        WITH_STORE(test_open),
        WITH_STORE(test_storing),
        WITH_STORE(test_applying),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
