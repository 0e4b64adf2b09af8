/* IntOrString and the arithmetic of rolling updates. */
#include "kube/intstr.h"

#include "kube_expect.h"

static void scaled(void **state)
{
    static const struct {
        const char *text;
        int total;
        int up;
        int down;
    } cases[] = {
        {"0%", 10, 0, 0},
        {"25%", 10, 3, 2},
        {"50%", 10, 5, 5},
        {"100%", 7, 7, 7},
        {"1%", 1, 1, 0},
        {"150%", 3, 5, 4},
        {"+25%", 4, 1, 1},
        {"-25%", 10, -2, -3},
        {"025%", 4, 1, 1},
        {"33%", 100, 33, 33},
        {"29%", 100, 29, 29},
        {"25%", 0, 0, 0},
        {"99999999999%", 100, INT32_MAX, INT32_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_intstr v = kube_intstr_text(view_str(cases[i].text));
        int result = -1;

        assert_int_equal(kube_intstr_scaled(&v, cases[i].total, true, &result, NULL), 0);
        assert_int_equal(result, cases[i].up);
        assert_int_equal(kube_intstr_scaled(&v, cases[i].total, false, &result, NULL), 0);
        assert_int_equal(result, cases[i].down);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"25", "invalid value for IntOrString: invalid type: string is not a percentage"},
        {"", "invalid value for IntOrString: invalid type: string is not a percentage"},
        {"%",
         "invalid value for IntOrString: invalid value \"%\": strconv.Atoi: parsing \"\": invalid "
         "syntax"},
        {"a%", "invalid value for IntOrString: invalid value \"a%\": strconv.Atoi: parsing \"a\": "
               "invalid syntax"},
        {"99999999999999999999%",
         "invalid value for IntOrString: invalid value \"99999999999999999999%\": strconv.Atoi: "
         "parsing \"99999999999999999999\": value out of range"},
    };
    struct buf why;

    (void)state;
    buf_init(&why);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_intstr v = kube_intstr_text(view_str(cases[i].text));
        int result = -1;

        assert_int_equal(kube_intstr_scaled(&v, 10, true, &result, &why), KVS_E_INVALID);
        assert_text(&why, cases[i].why);
        assert_int_equal(result, -1);
    }
    buf_fini(&why);
}

static void fenceposts(void **state)
{
    static const struct {
        const char *surge;
        const char *unavailable;
        int desired;
        int ret_surge;
        int ret_unavailable;
    } cases[] = {
        {"25%", "25%", 10, 3, 2}, {"25%", "25%", 1, 1, 0}, {"0%", "25%", 1, 0, 1},
        {"0%", "0%", 10, 0, 1},   {"25%", "25%", 0, 0, 1}, {"100%", "0%", 3, 3, 0},
    };
    struct kube_intstr one = kube_intstr_number(1);
    struct kube_intstr zero = kube_intstr_number(0);
    struct kube_intstr bad = kube_intstr_text(VIEW_LITERAL("x"));
    int surge;
    int unavailable;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_intstr a = kube_intstr_text(view_str(cases[i].surge));
        struct kube_intstr b = kube_intstr_text(view_str(cases[i].unavailable));

        assert_int_equal(kube_intstr_fenceposts(&a, &b, cases[i].desired, &surge, &unavailable), 0);
        assert_int_equal(surge, cases[i].ret_surge);
        assert_int_equal(unavailable, cases[i].ret_unavailable);
    }
    assert_int_equal(kube_intstr_fenceposts(&one, &zero, 5, &surge, &unavailable), 0);
    assert_int_equal(surge, 1);
    assert_int_equal(unavailable, 0);
    assert_int_equal(kube_intstr_fenceposts(&one, &bad, 5, &surge, &unavailable), KVS_E_INVALID);
}

static void read_from_trees(void **state)
{
    static const char json[] = "[1,-2,\"25%\",2147483648,-2147483649,1.5,null,true]";
    yyjson_doc *read = yyjson_read(json, strlen(json), 0);
    yyjson_mut_doc *doc = yyjson_doc_mut_copy(read, NULL);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    struct kube_intstr v;

    (void)state;
    assert_int_equal(kube_intstr_read(yyjson_mut_arr_get(root, 0), &v), 0);
    assert_int_equal(v.number, 1);
    assert_int_equal(kube_intstr_read(yyjson_mut_arr_get(root, 1), &v), 0);
    assert_int_equal(v.number, -2);
    assert_int_equal(kube_intstr_read(yyjson_mut_arr_get(root, 2), &v), 0);
    assert_true(v.is_text && view_equal_str(v.text, "25%"));
    for (size_t i = 3; i < 8; i++) {
        assert_int_equal(kube_intstr_read(yyjson_mut_arr_get(root, i), &v), KVS_E_INVALID);
    }
    assert_int_equal(kube_intstr_read(NULL, &v), KVS_E_INVALID);
    yyjson_mut_doc_free(doc);
    yyjson_doc_free(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scaled),
        cmocka_unit_test(refused),
        cmocka_unit_test(fenceposts),
        cmocka_unit_test(read_from_trees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
