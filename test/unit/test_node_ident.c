/* Ids of members and clusters: the values that etcd 3.4 and 3.5 print for the same options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/view.h"
#include "node/ident.h"

static void test_default_cluster_has_etcds_ids(void **state)
{
    struct ident_cluster c;
    struct kvs_error error;
    struct arena arena;

    (void)state;
    arena_init(&arena, 0);
    assert_int_equal(
        ident_parse_cluster("default=http://localhost:2380", "etcd-cluster", &arena, &c, &error),
        0);
    assert_int_equal(c.n_members, 1);
    assert_true(c.members[0].id == UINT64_C(0x8e9e05c52164694d));
    assert_true(c.cluster_id == UINT64_C(0xcdf818194e3a8c32));
    assert_non_null(ident_find_name(&c, "default"));
    assert_null(ident_find_name(&c, "other"));
    arena_fini(&arena);
}

static void test_bad_clusters_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "a",
                                      "a=",
                                      "=http://h:1",
                                      "a=http://h",
                                      "a=ftp://h:1",
                                      "a=http://h:1/path",
                                      "a=http://h:99999",
                                      "a=http://:1",
                                      "a=http://h:x"};
    struct ident_cluster c;
    struct kvs_error error;
    struct arena arena;

    (void)state;
    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(ident_parse_cluster(bad[i], "t", &arena, &c, &error), KVS_E_INVALID);
        assert_true(error.msg[0] != '\0');
    }
    arena_fini(&arena);
}

static void test_a_name_may_have_several_urls(void **state)
{
    struct ident_cluster c;
    struct kvs_error error;
    struct arena arena;

    (void)state;
    arena_init(&arena, 0);
    assert_int_equal(
        ident_parse_cluster(
            "a=http://h:1,b=https://[::1]:2,a=http://g:3", "t", &arena, &c, &error),
        0);
    assert_int_equal(c.n_members, 2);
    assert_int_equal(ident_find_name(&c, "a")->n_peer_urls, 2);
    /* Sorted, since the id is made from the sorted list. */
    assert_true(view_equal_str(ident_find_name(&c, "a")->peer_urls[0], "http://g:3"));
    assert_true(c.members[0].id < c.members[1].id);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_cluster_has_etcds_ids),
        cmocka_unit_test(test_bad_clusters_are_refused),
        cmocka_unit_test(test_a_name_may_have_several_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
