/* Reading within limits, writing, comparing; members that are there twice; no memory. */
#include "kube_json_text.h"

#include <math.h>
#include <stdio.h>

static int
read_with(const char *text, size_t bytes_max, unsigned depth_max, struct kvs_error *error)
{
    struct kube_json_limits limits = {bytes_max, depth_max};
    yyjson_mut_doc *doc;
    int err = kube_json_read(view_str(text), &limits, kube_json_heap(), &doc, error);

    if (err == 0) {
        yyjson_mut_doc_free(doc);
    }
    return err;
}

static void test_round_trip(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "'a'",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "1.5",
        "[]",
        "{}",
        "[1,[2,{'a':[]}],'x']",
        "{'b':1,'a':{'c':null,'d':[false]}}",
        "'\\u0001\\n\\\\'",
        "'\xc3\xa9'",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        yyjson_mut_doc *doc = doc_of(texts[i]);

        assert_json(yyjson_mut_doc_get_root(doc), texts[i]);
        yyjson_mut_doc_free(doc);
    }
}

static void test_integers_stay_integers(void **state)
{
    yyjson_mut_doc *doc = doc_of("[5,-5,5.0,12345678901234567890123]");
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);

    (void)state;
    assert_true(yyjson_mut_is_uint(yyjson_mut_arr_get(root, 0)));
    assert_true(yyjson_mut_is_sint(yyjson_mut_arr_get(root, 1)));
    assert_true(yyjson_mut_is_real(yyjson_mut_arr_get(root, 2)));
    assert_true(yyjson_mut_is_real(yyjson_mut_arr_get(root, 3)));
    yyjson_mut_doc_free(doc);
}

static void test_limits(void **state)
{
    struct kvs_error error;

    (void)state;
    assert_int_equal(read_with("[[[]]]", 6, 3, NULL), 0);
    assert_int_equal(read_with("[[[]]]", 5, 3, &error), KVS_E_TOO_LONG);
    assert_int_equal(read_with("[[[]]]", 6, 2, &error), KVS_E_TOO_LONG);
    assert_string_equal(error.msg, "exceeded max depth of 2");
    assert_int_equal(read_with("[[[1]]]", 9, 3, &error), KVS_E_TOO_LONG);
    assert_int_equal(read_with("[[1],[1],{\"a\":1}]", 99, 3, NULL), 0);
    assert_int_equal(read_with("[[1],[1],{\"a\":[1]}]", 99, 3, NULL), KVS_E_TOO_LONG);
    assert_int_equal(read_with("1", 9, 1, NULL), 0);
}

static void test_deep_nesting_is_refused_without_recursion(void **state)
{
    static char text[2000001];
    struct kvs_error error;

    (void)state;
    memset(text, '[', 1000000);
    memset(text + 1000000, ']', 1000000);
    assert_int_equal(read_with(text, sizeof text, KUBE_JSON_DEPTH_MAX, &error), KVS_E_TOO_LONG);
    text[1000000 + KUBE_JSON_DEPTH_MAX] = '\0';
    assert_int_equal(
        read_with(text + 1000000 - KUBE_JSON_DEPTH_MAX, sizeof text, KUBE_JSON_DEPTH_MAX, &error),
        0);
}

static void test_syntax_errors_are_worded_as_in_go(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "unexpected end of JSON input"},
        {"{", "unexpected end of JSON input"},
        {"{\"a\":1", "unexpected end of JSON input"},
        {"just text", "invalid character 'j' looking for beginning of value"},
        {"{} x", "invalid character 'x' after top-level value"},
        {"'a'", "invalid character '\\'' looking for beginning of value"},
    };
    struct kvs_error error;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memset(&error, 0, sizeof error);
        assert_int_equal(read_with(cases[i].text, 99, 9, &error), KVS_E_MALFORMED);
        assert_string_equal(error.msg, cases[i].error);
        assert_int_equal(error.code, KVS_E_MALFORMED);
    }
    assert_int_equal(read_with("\"\xff\"", 99, 9, &error), KVS_E_MALFORMED);
    assert_int_equal(read_with("{\"a\":01}", 99, 9, NULL), KVS_E_MALFORMED);
    assert_int_equal(read_with("{\"a\":NaN}", 99, 9, NULL), KVS_E_MALFORMED);
}

static void test_equality(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"{'a':1,'b':[1,2]}", "{'b':[1,2],'a':1}", true},
        {"{'a':1}", "{'a':1,'b':null}", false},
        {"{'a':1}", "{'b':1}", false},
        {"[1,2]", "[2,1]", false},
        {"[1,2]", "[1]", false},
        {"1", "1.0", true},
        {"-1", "18446744073709551615", false},
        {"-1", "-1", true},
        {"'1'", "1", false},
        {"null", "false", false},
        {"true", "false", false},
        {"{'a':{'b':'c'}}", "{'a':{'b':'d'}}", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        yyjson_mut_doc *a = doc_of(cases[i].a);
        yyjson_mut_doc *b = doc_of(cases[i].b);
        yyjson_mut_val *copy;

        assert_int_equal(kube_json_equal(yyjson_mut_doc_get_root(a), yyjson_mut_doc_get_root(b)),
                         cases[i].equal);
        copy = kube_json_copy(b, yyjson_mut_doc_get_root(a));
        assert_true(kube_json_equal(copy, yyjson_mut_doc_get_root(a)));
        yyjson_mut_doc_free(a);
        yyjson_mut_doc_free(b);
    }
}

static void note_path(void *ctx, const struct kube_json_path *path)
{
    kube_json_path_write(ctx, path, false);
    buf_append_u8(ctx, ' ');
}

static void test_duplicates_go_and_are_told(void **state)
{
    yyjson_mut_doc *doc =
        doc_of("{'b':1,'a':[{'c':1},{'c':1,'d':2,'c':3,'c':4}],'b':{'x':1,'x':2}}");
    struct buf told;

    (void)state;
    buf_init(&told);
    assert_int_equal(kube_json_drop_duplicates(yyjson_mut_doc_get_root(doc), note_path, &told), 0);
    assert_json(yyjson_mut_doc_get_root(doc), "{'a':[{'c':1},{'d':2,'c':4}],'b':{'x':2}}");
    buf_append_u8(&told, 0);
    assert_string_equal((char *)told.data, "b a[1].c a[1].c b.x ");
    buf_fini(&told);
    yyjson_mut_doc_free(doc);
}

static void test_many_duplicates_take_no_square(void **state)
{
    struct buf text;
    struct kube_json_limits limits = kube_json_limits_default();
    yyjson_mut_doc *doc;

    (void)state;
    buf_init(&text);
    buf_append_u8(&text, '{');
    for (unsigned i = 0; i < 100000; i++) {
        buf_printf(&text, "\"key%u\":%u,", i % 50000 * 7919 % 50000, i);
    }
    buf_append_str(&text, "\"z\":1}");
    assert_int_equal(kube_json_read(buf_view(&text), &limits, kube_json_heap(), &doc, NULL), 0);
    assert_int_equal(kube_json_drop_duplicates(yyjson_mut_doc_get_root(doc), NULL, NULL), 0);
    assert_int_equal(yyjson_mut_obj_size(yyjson_mut_doc_get_root(doc)), 50001);
    assert_int_equal(yyjson_mut_get_uint(kube_json_get(yyjson_mut_doc_get_root(doc), "key0")),
                     50000);
    yyjson_mut_doc_free(doc);
    buf_fini(&text);
}

static void test_members(void **state)
{
    yyjson_mut_doc *doc = doc_of("{'a':'x','b':{'c':1}}");
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);

    (void)state;
    assert_true(view_equal_str(kube_json_get_str(root, "a"), "x"));
    assert_null(kube_json_get_str(root, "b").data);
    assert_null(kube_json_get(root, "z"));
    assert_null(kube_json_get(NULL, "z"));
    assert_non_null(kube_json_get_view(kube_json_get(root, "b"), VIEW_LITERAL("c")));
    yyjson_mut_doc_free(doc);
}

static void test_arena_documents(void **state)
{
    struct kube_json_limits limits = kube_json_limits_default();
    struct arena arena;
    yyjson_mut_doc *doc;
    yyjson_alc alc;

    (void)state;
    arena_init(&arena, 0);
    alc = kube_json_arena(&arena);
    assert_int_equal(kube_json_read(VIEW_LITERAL("{\"a\":[1,2,3]}"), &limits, &alc, &doc, NULL), 0);
    assert_true(yyjson_mut_obj_add_str(doc, yyjson_mut_doc_get_root(doc), "b", "c"));
    assert_json(yyjson_mut_doc_get_root(doc), "{'a':[1,2,3],'b':'c'}");
    yyjson_mut_doc_free(doc);
    arena_fini(&arena);
    /* An arena's limit is as lack of memory. */
    arena_init(&arena, 64);
    alc = kube_json_arena(&arena);
    assert_int_equal(kube_json_read(VIEW_LITERAL("{\"a\":[1,2,3]}"), &limits, &alc, &doc, NULL),
                     KVS_E_NOMEM);
    arena_fini(&arena);
}

static void test_what_json_cannot_say_is_not_written(void **state)
{
    yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
    yyjson_mut_val *bad = yyjson_mut_str(doc, "\xff\xfe");
    yyjson_mut_val *infinite = yyjson_mut_real(doc, (double)INFINITY);
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_append_str(&b, "x");
    assert_int_equal(kube_json_write(&b, bad), KVS_E_MALFORMED);
    assert_int_equal(kube_json_write(&b, infinite), KVS_E_MALFORMED);
    assert_int_equal(b.len, 1);
    assert_int_equal(kube_json_write_pretty(&b, yyjson_mut_arr(doc)), 0);
    assert_int_equal(b.len, 3);
    buf_fini(&b);
    yyjson_mut_doc_free(doc);
}

static int read_and_write(void)
{
    struct kube_json_limits limits = kube_json_limits_default();
    yyjson_mut_doc *doc;
    struct buf b;
    int err;

    err = kube_json_read(VIEW_LITERAL("{\"a\":[1,\"x\"],\"b\":1,\"a\":2}"), &limits,
                         kube_json_heap(), &doc, NULL);
    if (err != 0) {
        return err;
    }
    buf_init(&b);
    err = kube_json_drop_duplicates(yyjson_mut_doc_get_root(doc), NULL, NULL);
    if (err == 0) {
        err = kube_json_write(&b, yyjson_mut_doc_get_root(doc));
    }
    buf_fini(&b);
    yyjson_mut_doc_free(doc);
    return err;
}

static void test_no_memory(void **state)
{
    (void)state;
    fail_each_allocation(read_and_write);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_integers_stay_integers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_deep_nesting_is_refused_without_recursion),
        cmocka_unit_test(test_syntax_errors_are_worded_as_in_go),
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_duplicates_go_and_are_told),
        cmocka_unit_test(test_many_duplicates_take_no_square),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_arena_documents),
        cmocka_unit_test(test_what_json_cannot_say_is_not_written),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
