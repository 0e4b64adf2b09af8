/* Range as etcd answers it: order, limits, filters, counts, revisions. Each test runs on the
 * overlay, then on LMDB, then on both mixed: the answer may not depend on where a version lives. */
#include "mvcc_fixture.h"

enum place { IN_MEMORY, IN_FILE, MIXED, PLACE_COUNT };

/* Revisions 2..6: a b c d e, values 5 4 3 2 1; 7: b again; 8: d deleted; 9: f. */
static void fill(struct fixture *f, enum place place)
{
    fixture_put(f, "a", "5");
    fixture_put(f, "b", "4");
    fixture_put(f, "c", "3");
    fixture_put(f, "d", "2");
    if (place != IN_MEMORY) {
        fixture_store(f);
    }
    fixture_put(f, "e", "1");
    fixture_put(f, "b", "6");
    assert_int_equal(fixture_delete(f, "d", ""), 1);
    fixture_put(f, "f", "0");
    if (place == IN_FILE) {
        fixture_store(f);
    }
    assert_int_equal(mvcc_revision(f->m), 9);
}

static void
expect(struct fixture *f, struct kvs_range_req req, const char *keys, int64_t count, bool more)
{
    struct kvs_range_resp resp;

    if (req.key.len == 0) {
        req.key = VIEW_LITERAL("a");
        req.range_end = VIEW_LITERAL("z");
    }
    assert_int_equal(fixture_range(f, &req, &resp), 0);
    assert_string_equal(fixture_keys(f, &resp), keys);
    assert_int_equal(resp.count, count);
    assert_int_equal(resp.more, more);
    assert_int_equal(resp.header.revision, mvcc_revision(f->m));
}

static void check_all(struct fixture *f)
{
    struct kvs_range_req req;

    expect(f, (struct kvs_range_req){0}, "a b c e f", 5, false);
    expect(f, (struct kvs_range_req){.limit = 2}, "a b", 5, true);
    expect(f, (struct kvs_range_req){.limit = 5}, "a b c e f", 5, false);
    expect(f, (struct kvs_range_req){.limit = -3}, "a b c e f", 5, false);
    expect(f, (struct kvs_range_req){.count_only = true, .limit = 2}, "", 5, false);
    expect(f, (struct kvs_range_req){.sort_order = KVS_SORT_DESCEND, .limit = 2}, "f e", 5, true);
    expect(f,
           (struct kvs_range_req){
               .sort_target = KVS_SORT_VALUE, .sort_order = KVS_SORT_ASCEND, .limit = 3},
           "f e c", 5, true);
    /* Order NONE with another target sorts what the limit (and one more) let through. */
    expect(f, (struct kvs_range_req){.sort_target = KVS_SORT_VALUE, .limit = 2}, "c a", 5, true);
    expect(f, (struct kvs_range_req){.sort_target = KVS_SORT_MOD}, "a c e b f", 5, false);
    expect(f,
           (struct kvs_range_req){
               .sort_target = KVS_SORT_VERSION, .sort_order = KVS_SORT_DESCEND, .limit = 1},
           "b", 5, true);
    expect(f, (struct kvs_range_req){.min_mod_revision = 6}, "b e f", 5, false);
    expect(f, (struct kvs_range_req){.max_mod_revision = 6, .limit = 2}, "a c", 5, true);
    expect(f, (struct kvs_range_req){.min_create_revision = 3, .max_create_revision = 6}, "b c e",
           5, false);
    expect(f, (struct kvs_range_req){.revision = 7}, "a b c d e", 5, false);
    expect(f, (struct kvs_range_req){.revision = 3, .limit = 1}, "a", 2, true);
    expect(f, (struct kvs_range_req){.revision = 1}, "", 0, false);
    req = (struct kvs_range_req){.key = VIEW_LITERAL("c"), .range_end = VIEW_LITERAL("\0")};
    expect(f, req, "c e f", 3, false);
    req.range_end = VIEW_LITERAL("b");
    expect(f, req, "", 0, false);
    req.range_end = (struct kvs_view){0};
    expect(f, req, "c", 1, false);
    req.count_only = true;
    expect(f, req, "", 1, false);
    req = (struct kvs_range_req){.key = VIEW_LITERAL("\0"), .range_end = VIEW_LITERAL("\0")};
    expect(f, req, "a b c e f", 5, false);
}

static void test_rules(void **state)
{
    struct fixture *f = *state;

    for (int place = 0; place < PLACE_COUNT; place++) {
        fixture_teardown(state);
        fixture_setup(state);
        f = *state;
        fill(f, (enum place)place);
        check_all(f);
    }
}

static void test_keys_only_keeps_the_rest(void **state)
{
    struct fixture *f = *state;
    struct kvs_range_req req = {.key = VIEW_LITERAL("b"), .keys_only = true};
    struct kvs_range_resp resp;

    fill(f, MIXED);
    assert_int_equal(fixture_range(f, &req, &resp), 0);
    assert_int_equal(resp.kvs[0].value.len, 0);
    assert_int_equal(resp.kvs[0].create_revision, 3);
    assert_int_equal(resp.kvs[0].mod_revision, 7);
    assert_int_equal(resp.kvs[0].version, 2);
}

static void test_revision_bounds(void **state)
{
    struct fixture *f = *state;
    struct kvs_range_req req = {.key = VIEW_LITERAL("a"), .range_end = VIEW_LITERAL("z")};
    struct kvs_range_resp resp;

    fill(f, MIXED);
    req.revision = 10;
    assert_int_equal(fixture_range(f, &req, &resp), KVS_E_FUTURE_REV);
    assert_int_equal(fixture_compact(f, 7), 0);
    for (int physical = 0; physical < 2; physical++) {
        req.revision = 6;
        assert_int_equal(fixture_range(f, &req, &resp), KVS_E_COMPACTED);
        req.revision = 7; /* the compacted revision itself can be read */
        assert_int_equal(fixture_range(f, &req, &resp), 0);
        assert_string_equal(fixture_keys(f, &resp), "a b c d e");
        fixture_compact_physically(f);
        assert_int_equal(mvcc_physical_revision(f->m), 7);
    }
    assert_string_equal(fixture_get(f, "b", 7), "6");
}

static void test_bad_requests_are_refused(void **state)
{
    struct kvs_range_req req = {0};

    (void)state;
    assert_int_equal(mvcc_range_check(&req), KVS_E_EMPTY_KEY);
    req.key = VIEW_LITERAL("a");
    assert_int_equal(mvcc_range_check(&req), 0);
    req.sort_order = 3;
    assert_int_equal(mvcc_range_check(&req), KVS_E_INVALID_SORT);
    req.sort_order = 0;
    req.sort_target = 5;
    assert_int_equal(mvcc_range_check(&req), KVS_E_INVALID_SORT);
    req.sort_target = -1;
    assert_int_equal(mvcc_range_check(&req), KVS_E_INVALID_SORT);
}

/* Long keys that differ only behind what LMDB can hold, next to short ones with their prefix. */
static void test_long_keys_keep_the_order(void **state)
{
    struct fixture *f = *state;
    struct kvs_range_req req = {.key = VIEW_LITERAL("k"), .range_end = VIEW_LITERAL("l")};
    struct kvs_range_resp resp;
    char key[2000];

    memset(key, 'k', sizeof key);
    key[1999] = '\0';
    for (int i = 9; i >= 0; i--) {
        key[600] = (char)('0' + i);
        fixture_put(f, key, "v");
        if (i % 3 == 0) {
            fixture_store(f);
        }
    }
    key[480] = '\0';
    fixture_put(f, key, "480");
    key[480] = 'k';
    key[481] = '\0';
    fixture_put(f, key, "481");
    fixture_store(f);
    assert_int_equal(fixture_range(f, &req, &resp), 0);
    assert_int_equal(resp.n_kvs, 12);
    for (size_t i = 1; i < resp.n_kvs; i++) {
        assert_true(view_compare(resp.kvs[i - 1].key, resp.kvs[i].key) < 0);
    }
    key[481] = 'k';
    key[600] = '3';
    req.key = view_make(key, 601);
    key[1000] = 'x'; /* behind all keys with '3' */
    assert_int_equal(fixture_range(f, &req, &resp), 0);
    assert_int_equal(resp.count, 7);
    assert_int_equal(((const char *)resp.kvs[0].key.data)[600], '3');
    req.range_end = view_make(key, 1001);
    assert_int_equal(fixture_range(f, &req, &resp), 0);
    assert_int_equal(resp.count, 1);
}

static void test_stream_is_stable_under_writes(void **state)
{
    struct fixture *f = *state;
    struct mvcc_iter *it;
    struct mvcc_read r;
    struct kvs_kv kv;
    char seen[8];
    size_t n = 0;

    fill(f, MIXED);
    mvcc_read_begin(f->m, &r);
    assert_int_equal(mvcc_iter_open(&r, VIEW_LITERAL("a"), VIEW_LITERAL("z"), 0, &it), 0);
    while (mvcc_iter_next(it, &kv) == 0) {
        seen[n++] = *(const char *)kv.key.data;
        fixture_delete(f, "a", "z");
        fixture_put(f, "aa", "new");
        fixture_put(f, "e", "new");
        fixture_store(f);
    }
    mvcc_iter_close(it);
    mvcc_read_end(&r);
    assert_int_equal(n, 5);
    assert_memory_equal(seen, "abcef", 5);
}

/* As kubectl pages: each page at the first one's revision, with the exact rest in its count. */
static void test_pages_count_what_is_left(void **state)
{
    struct fixture *f = *state;
    struct kvs_range_req req = {
        .key = VIEW_LITERAL("k"), .range_end = VIEW_LITERAL("l"), .limit = 70};
    struct kvs_range_resp resp;
    int64_t left = 1000;
    char key[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%03d", i);
        fixture_put(f, key, "v");
    }
    for (int page = 0; left > 0; page++) {
        assert_int_equal(fixture_range(f, &req, &resp), 0);
        assert_int_equal(resp.count, left);
        assert_int_equal(resp.n_kvs, left < 70 ? left : 70);
        assert_int_equal(resp.more, left > 70);
        if (page == 0) {
            req.revision = resp.header.revision;
        }
        left -= (int64_t)resp.n_kvs;
        snprintf(key, sizeof key, "%.4s", (const char *)resp.kvs[resp.n_kvs - 1].key.data);
        req.key = view_make(key, 5); /* the last key and a 0 byte */
        fixture_put(f, "k500", "changed");
        assert_int_equal(fixture_delete(f, "k9", "k91"), page == 0 ? 10 : 0);
        if (page == 4) {
            fixture_store(f);
        }
    }
    req = (struct kvs_range_req){.key = VIEW_LITERAL("k"), .range_end = req.range_end};
    req.count_only = true;
    assert_int_equal(fixture_range(f, &req, &resp), 0);
    assert_int_equal(resp.count, 990);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rules, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_keys_only_keeps_the_rest, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_revision_bounds, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_bad_requests_are_refused),
        cmocka_unit_test_setup_teardown(test_pages_count_what_is_left, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_long_keys_keep_the_order, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_stream_is_stable_under_writes, fixture_setup,
                                        fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
