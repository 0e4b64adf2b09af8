/* Validation errors: how paths, values and lists print. */
#include "kube/field_error.h"

#include "base/alloc.h"
#include "kube/quote.h"
#include "kube_expect.h"

static void paths(void **state)
{
    struct kube_path spec = kube_path_root("spec");
    struct kube_path containers = kube_path_child(&spec, "containers");
    struct kube_path second = kube_path_index(&containers, 1);
    struct kube_path resources = kube_path_child(&second, "resources");
    struct kube_path requests = kube_path_key(&resources, VIEW_LITERAL("example.com/gpu"));
    struct kube_path empty = kube_path_root("");
    struct kube_path index = kube_path_index(NULL, 3);
    struct buf out;

    (void)state;
    buf_init(&out);
    kube_path_print(&spec, &out);
    assert_text(&out, "spec");
    kube_path_print(&requests, &out);
    assert_text(&out, "spec.containers[1].resources[example.com/gpu]");
    kube_path_print(&empty, &out);
    assert_text(&out, "[]");
    kube_path_print(&index, &out);
    assert_text(&out, "[3]");
    kube_path_print(NULL, &out);
    assert_text(&out, "<nil>");
    buf_fini(&out);
}

static void bodies(void **state)
{
    static const char *const policies[] = {"Always", "OnFailure", "Never"};
    static const struct {
        const char *reason;
        const char *body;
    } expected[] = {
        {"FieldValueInvalid", "Invalid value: -1: must be greater than or equal to 0"},
        {"FieldValueInvalid", "Invalid value: \"a\\\"b\": bad"},
        {"FieldValueInvalid",
         "Invalid value: map[string]string{\"app\":\"b\"}: `selector` does not match template "
         "`labels`"},
        {"FieldValueRequired", "Required value"},
        {"FieldValueRequired", "Required value: name or generateName is required"},
        {"FieldValueForbidden", "Forbidden: not allowed on this type"},
        {"FieldValueDuplicate", "Duplicate value: \"x\""},
        {"FieldValueNotFound", "Not found: \"nov\""},
        {"FieldValueNotSupported",
         "Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", "
         "\"Never\""},
        {"FieldValueTooLong", "Too long: may not be more than 262144 bytes"},
        {"FieldValueTooLong", "Too long: value is too long"},
        {"FieldValueTooMany", "Too many: 9: must have at most 8 items"},
        {"FieldValueTooMany", "Too many: has too many items"},
        {"FieldValueTypeInvalid", "Invalid value: true: must be a string"},
        {"InternalError", "Internal error: broken"},
        {"FieldValueInvalid", "Invalid value: \"null\": must be set"},
    };
    struct kube_path path = kube_path_root("f");
    struct kube_errors e;

    (void)state;
    kube_errors_init(&e);
    assert_int_equal(kube_errors_result(&e), 0);
    kube_errors_invalid(&e, &path, kube_bad_int(-1), "must be greater than or equal to 0");
    kube_errors_invalid(&e, &path, kube_bad_string(VIEW_LITERAL("a\"b")), "bad");
    kube_errors_invalid(&e, &path, kube_bad_text(VIEW_LITERAL("map[string]string{\"app\":\"b\"}")),
                        "`selector` does not match template `labels`");
    kube_errors_required(&e, &path, "");
    kube_errors_required(&e, &path, "name or generateName is required");
    kube_errors_forbidden(&e, &path, "not allowed on this type");
    kube_errors_duplicate(&e, &path, kube_bad_string(VIEW_LITERAL("x")));
    kube_errors_not_found(&e, &path, kube_bad_string(VIEW_LITERAL("nov")));
    kube_errors_not_supported(&e, &path, kube_bad_string(VIEW_LITERAL("Sometimes")), policies, 3);
    kube_errors_too_long(&e, &path, 262144);
    kube_errors_too_long(&e, &path, -1);
    kube_errors_too_many(&e, &path, 9, 8);
    kube_errors_too_many(&e, &path, -1, -1);
    kube_errors_add(&e, KUBE_ERROR_TYPE_INVALID, &path, kube_bad_bool(true), "must be a string");
    kube_errors_add(&e, KUBE_ERROR_INTERNAL, &path, kube_bad_omitted(), "broken");
    kube_errors_invalid(&e, &path, kube_bad_null(), "must be set");

    assert_int_equal(kube_errors_result(&e), KVS_E_INVALID);
    assert_int_equal(e.count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < e.count; i++) {
        assert_string_equal(e.items[i].field, "f");
        assert_string_equal(e.items[i].body, expected[i].body);
        assert_string_equal(kube_error_reason(e.items[i].type), expected[i].reason);
    }
    kube_errors_fini(&e);
}

static void lists(void **state)
{
    struct kube_path a = kube_path_root("a");
    struct kube_path b = kube_path_root("b");
    struct kube_errors e;
    struct buf out;

    (void)state;
    kube_errors_init(&e);
    buf_init(&out);
    kube_errors_print_invalid(&e, view_str(""), view_str("Pod"), view_str("p"), &out);
    assert_text(&out, "Pod \"p\" is invalid");
    kube_errors_required(&e, &b, "");
    kube_errors_required(&e, &b, "");
    buf_append_str(&out, "> ");
    kube_errors_print(&e, &out);
    assert_text(&out, "> b: Required value");
    kube_errors_required(&e, &a, "x");
    kube_errors_required(&e, &b, "");
    kube_errors_print_invalid(&e, view_str("apps"), view_str("Deployment"), view_str("web"), &out);
    assert_text(&out,
                "Deployment.apps \"web\" is invalid: [b: Required value, a: Required value: x]");
    for (int i = 0; i < KUBE_ERRORS_MAX + 10; i++) {
        kube_errors_required(&e, &a, "");
    }
    assert_int_equal(e.count, KUBE_ERRORS_MAX);
    buf_fini(&out);
    kube_errors_fini(&e);
}

/* What Go's strconv.Quote prints. */
static void quoted(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *quoted;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\a\b\f\n\r\t\v", 7, "\"\\a\\b\\f\\n\\r\\t\\v\""},
        {"\0\x01\x7f", 3, "\"\\x00\\x01\\x7f\""},
        {"caf\xc3\xa9", 5, "\"caf\xc3\xa9\""},
        {"\xe6\x97\xa5", 3, "\"\xe6\x97\xa5\""},
        {"\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\""},
        {"\xff", 1, "\"\\xff\""},
        {"\xc3", 1, "\"\\xc3\""},
        {"\xc3(", 2, "\"\\xc3(\""},
        {"\xc2\xa0", 2, "\"\\u00a0\""},
        {"\xc2\xad", 2, "\"\\u00ad\""},
        {"\xe2\x80\x8b", 3, "\"\\u200b\""},
        {"\xc2\x80", 2, "\"\\u0080\""},
        {"\xed\xa0\x80", 3, "\"\\xed\\xa0\\x80\""},
    };
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        kube_quote(&out, view_make(cases[i].text, cases[i].len));
        assert_text(&out, cases[i].quoted);
    }
    buf_fini(&out);
}

/* ---- no memory ---- */

static int allocations_left;

static void *limited_realloc(void *ctx, void *old, size_t size)
{
    (void)ctx;
    return allocations_left-- > 0 ? test_realloc(old, size) : NULL;
}

static void limited_free(void *ctx, void *memory)
{
    (void)ctx;
    test_free(memory);
}

static void without_memory(void **state)
{
    static const struct kvs_allocator limited = {limited_realloc, limited_free, NULL};
    struct kube_path path = kube_path_root("f");
    int n = 0;
    int err;

    (void)state;
    kvs_alloc_set(&limited);
    do {
        struct kube_errors e;

        allocations_left = n++;
        kube_errors_init(&e);
        for (int i = 0; i < 6; i++) {
            kube_errors_required(&e, &path, "detail");
        }
        err = kube_errors_result(&e);
        assert_true(err == KVS_E_NOMEM || (err == KVS_E_INVALID && e.count == 6));
        kube_errors_fini(&e);
    } while (err == KVS_E_NOMEM);
    kvs_alloc_set(NULL);
    assert_true(n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),  cmocka_unit_test(bodies),         cmocka_unit_test(lists),
        cmocka_unit_test(quoted), cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
