/* Label and field selectors: grammar, messages, matching, canonical text. */
#include "base/alloc.h"
#include "kube/field_selector.h"
#include "kube/label_selector.h"
#include "kube_expect.h"

static yyjson_mut_doc *tree(const char *json)
{
    yyjson_doc *read = yyjson_read(json, strlen(json), 0);
    yyjson_mut_doc *doc;

    assert_non_null(read);
    doc = yyjson_doc_mut_copy(read, NULL);
    yyjson_doc_free(read);
    return doc;
}

static void label_texts(void **state)
{
    static const struct {
        const char *text;
        const char *canonical;
    } cases[] = {
        {"", ""},
        {"  ", ""},
        {"x=a", "x=a"},
        {"x==a", "x==a"},
        {"x!=a", "x!=a"},
        {"x=", "x="},
        {"x=,z= ", "x=,z="},
        {"x= ", "x="},
        {"z,y,x", "x,y,z"},
        {"!x", "!x"},
        {"! x", "!x"},
        {"x in (a)", "x in (a)"},
        {"x in (b,a)", "x in (a,b)"},
        {"x in (a,a)", "x in (a)"},
        {"x in ()", "x in ()"},
        {"x in (,)", "x in ()"},
        {"x in (a,)", "x in (,a)"},
        {"x in (,a)", "x in (,a)"},
        {"x in (a,,b)", "x in (,a,b)"},
        {"x notin (a,b),y in (c)", "x notin (a,b),y in (c)"},
        {"x>1", "x>1"},
        {"x<7,x>1", "x<7,x>1"},
        {"in", "in"},
        {"notin in (in,notin)", "notin in (in,notin)"},
        {"x=in", "x=in"},
        {"example.com/x=a", "example.com/x=a"},
        {"\ta\n=\rb ", "a=b"},
        {"b=1,a=2,b!=3", "a=2,b=1,b!=3"},
    };
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_label_selector s;

        print_message("%s\n", cases[i].text);
        assert_int_equal(kube_label_selector_parse(view_str(cases[i].text), &s, &out), 0);
        assert_int_equal(out.len, 0);
        kube_label_selector_print(&s, &out);
        assert_text(&out, cases[i].canonical);
        assert_int_equal(kube_label_selector_is_everything(&s), cases[i].canonical[0] == '\0');
        kube_label_selector_fini(&s);
    }
    buf_fini(&out);
}

#define REQUIREMENT "unable to parse requirement: "

static void label_refusals(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"env in prod", REQUIREMENT "found 'prod' expected: '('"},
        {"a=b=c", "found '=', expected: ',' or 'end of string'"},
        {"=a", "found '=', expected: !, identifier, or 'end of string'"},
        {",", "found ',', expected: !, identifier, or 'end of string'"},
        {"a,", "found '', expected: identifier after ','"},
        {"a,,b", "found ',', expected: identifier after ','"},
        {"!", REQUIREMENT "found '', expected: identifier"},
        {"!!a", REQUIREMENT "found '!', expected: identifier"},
        {"!a in (b)", "found 'in', expected: ',' or 'end of string'"},
        {"a b", REQUIREMENT "found 'b', expected: in, notin, =, ==, !=, gt, lt"},
        {"a)", REQUIREMENT "found ')', expected: in, notin, =, ==, !=, gt, lt"},
        {"a=(b)", REQUIREMENT "found '(', expected: identifier"},
        {"a in", REQUIREMENT "found '' expected: '('"},
        {"a in (", REQUIREMENT "found '', expected: ',', ')' or identifier"},
        {"a in (=", REQUIREMENT "found '=', expected: ',', ')' or identifier"},
        {"a in (b", REQUIREMENT "found '', expected: ',' or ')'"},
        {"a in (b c)", REQUIREMENT "found 'c', expected: ',' or ')'"},
        {"a in (b,", REQUIREMENT "found '', expected: ',', or identifier"},
        {"a in (b,=)", REQUIREMENT "found '=', expected: ',', or identifier"},
        {"a>b",
         REQUIREMENT "values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be "
                     "an integer"},
        {"a>", REQUIREMENT "values[0]: Invalid value: \"\": for 'Gt', 'Lt' operators, the value "
                           "must be an integer"},
        {"a_/b=c", REQUIREMENT
         "<nil>: Invalid value: \"a_/b\": prefix part a lowercase RFC 1123 subdomain must consist "
         "of lower case alphanumeric characters, '-' or '.', and must start and end with an "
         "alphanumeric character (e.g. 'example.com', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
        {"a=b/c", REQUIREMENT
         "values[0][a]: Invalid value: \"b/c\": a valid label must be an empty string or consist "
         "of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
         "character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
         "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
    };
    struct buf why;

    (void)state;
    buf_init(&why);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_label_selector s;

        print_message("%s\n", cases[i].text);
        assert_int_equal(kube_label_selector_parse(view_str(cases[i].text), &s, &why),
                         KVS_E_INVALID);
        assert_text(&why, cases[i].why);
        assert_int_equal(kube_label_selector_parse(view_str(cases[i].text), &s, NULL),
                         KVS_E_INVALID);
    }
    buf_fini(&why);
}

static void label_matches(void **state)
{
    static const char labels_json[] =
        "{\"env\":\"prod\",\"tier\":\"front\",\"n\":\"5\",\"empty\":\"\",\"bad\":1}";
    static const struct kube_label labels[] = {
        {{"tier", 4}, {"front", 5}},
        {{"env", 3}, {"prod", 4}},
        {{"n", 1}, {"5", 1}},
        {{"empty", 5}, {"", 0}},
    };
    static const struct {
        const char *text;
        bool matches;
        bool matches_none; /* an object without labels */
    } cases[] = {
        {"", true, true},
        {"env=prod", true, false},
        {"env==prod", true, false},
        {"env=dev", false, false},
        {"env!=dev", true, true},
        {"env!=prod", false, true},
        {"env", true, false},
        {"!env", false, true},
        {"!other", true, true},
        {"env in (prod,dev)", true, false},
        {"env in (a,b)", false, false},
        {"env notin (prod)", false, true},
        {"other notin (prod)", true, true},
        {"env=prod,tier=front", true, false},
        {"env=prod,tier=back", false, false},
        {"n>4", true, false},
        {"n>5", false, false},
        {"n<6", true, false},
        {"n<5", false, false},
        {"env>1", false, false},
        {"empty=", true, false},
        {"other=", false, false},
        {"empty in ()", true, false},
        {"bad", false, false},
        {"env in (a1,a2,a3,a4,a5,a6,a7,a8,a9,prod)", true, false},
        {"env notin (a1,a2,a3,a4,a5,a6,a7,a8,a9,b)", true, true},
    };
    yyjson_mut_doc *doc = tree(labels_json);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_label_selector s;

        print_message("%s\n", cases[i].text);
        assert_int_equal(kube_label_selector_parse(view_str(cases[i].text), &s, NULL), 0);
        assert_int_equal(kube_label_selector_matches(&s, yyjson_mut_doc_get_root(doc)),
                         cases[i].matches);
        assert_int_equal(kube_label_selector_matches_labels(&s, labels, 4), cases[i].matches);
        assert_int_equal(kube_label_selector_matches(&s, NULL), cases[i].matches_none);
        assert_int_equal(kube_label_selector_matches_labels(&s, NULL, 0), cases[i].matches_none);
        kube_label_selector_fini(&s);
    }
    yyjson_mut_doc_free(doc);
}

static void label_objects(void **state)
{
    static const struct {
        const char *json;
        const char *canonical; /* or why not, after "?" */
    } cases[] = {
        {"{}", ""},
        {"{\"matchLabels\":{},\"matchExpressions\":[]}", ""},
        {"{\"matchLabels\":{\"b\":\"2\",\"a\":\"1\"}}", "a=1,b=2"},
        {"{\"matchExpressions\":[{\"key\":\"b\",\"operator\":\"In\",\"values\":[\"y\",\"x\"]},"
         "{\"key\":\"a\",\"operator\":\"DoesNotExist\"},{\"key\":\"c\",\"operator\":\"Exists\"},"
         "{\"key\":\"d\",\"operator\":\"NotIn\",\"values\":[\"z\"]}],\"matchLabels\":{\"e\":\"1\"}"
         "}",
         "!a,b in (x,y),c,d notin (z),e=1"},
        {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Gt\",\"values\":[\"1\"]}]}",
         "?\"Gt\" is not a valid label selector operator"},
        {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\"}]}",
         "?values: Invalid value: []string(nil): for 'in', 'notin' operators, values set can't be "
         "empty"},
        {"{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\",\"values\":[\"x\",\"y\"]}]"
         "}",
         "?values: Invalid value: []string{\"x\", \"y\"}: values set must be empty for exists and "
         "does not exist"},
    };
    struct kube_label_selector s;
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        yyjson_mut_doc *doc = tree(cases[i].json);
        int err = kube_label_selector_read(yyjson_mut_doc_get_root(doc), &s, &out);

        yyjson_mut_doc_free(doc); /* The selector has copies. */
        if (cases[i].canonical[0] == '?') {
            assert_int_equal(err, KVS_E_INVALID);
            assert_text(&out, cases[i].canonical + 1);
            continue;
        }
        assert_int_equal(err, 0);
        kube_label_selector_print(&s, &out);
        assert_text(&out, cases[i].canonical);
        kube_label_selector_fini(&s);
    }
    for (int i = 0; i < 3; i++) {
        static const char *const no_objects[] = {"null", "[]", "\"a=b\""};
        yyjson_mut_doc *doc = tree(no_objects[i]);

        assert_int_equal(kube_label_selector_read(yyjson_mut_doc_get_root(doc), &s, NULL), 0);
        assert_false(kube_label_selector_matches(&s, NULL));
        kube_label_selector_fini(&s);
        yyjson_mut_doc_free(doc);
    }
    assert_int_equal(kube_label_selector_read(NULL, &s, NULL), 0);
    assert_false(kube_label_selector_is_everything(&s));
    assert_false(kube_label_selector_matches(&s, NULL));
    kube_label_selector_fini(&s);
    buf_fini(&out);
}

static void label_index(void **state)
{
    struct kube_label_selector s;
    struct kvs_view value;
    size_t count;

    (void)state;
    assert_int_equal(
        kube_label_selector_parse(VIEW_LITERAL("b in (x),a=1,c in (x,y),d!=1,a!=2"), &s, NULL), 0);
    assert_true(kube_label_selector_exact(&s, view_str("a"), &value));
    assert_true(view_equal_str(value, "1"));
    assert_true(kube_label_selector_exact(&s, view_str("b"), &value));
    assert_true(view_equal_str(value, "x"));
    assert_false(kube_label_selector_exact(&s, view_str("c"), &value));
    assert_false(kube_label_selector_exact(&s, view_str("d"), &value));
    assert_false(kube_label_selector_exact(&s, view_str("e"), &value));
    assert_non_null(kube_label_selector_find(&s, view_str("a"), &count));
    assert_int_equal(count, 2);
    assert_null(kube_label_selector_find(&s, view_str("e"), &count));
    assert_int_equal(count, 0);
    kube_label_selector_fini(&s);
}

static void label_validation(void **state)
{
    static const char json[] = "{\"matchLabels\":{\"ok\":\"a\"},\"matchExpressions\":["
                               "{\"key\":\"a\",\"operator\":\"In\"},"
                               "{\"key\":\"a\",\"operator\":\"Exists\",\"values\":[\"x\"]},"
                               "{\"key\":\"a\",\"operator\":\"Gt\",\"values\":[\"x\"]},"
                               "{\"key\":\"a\",\"operator\":\"NotIn\",\"values\":[\"-\"]}]}";
    yyjson_mut_doc *doc = tree(json);
    struct kube_path path = kube_path_root("selector");
    struct kube_errors errors;
    struct buf out;

    (void)state;
    kube_errors_init(&errors);
    buf_init(&out);
    kube_label_selector_validate(yyjson_mut_doc_get_root(doc), true, &path, &errors);
    kube_errors_print(&errors, &out);
    assert_text(&out,
                "[selector.matchExpressions[0].values: Required value: must be specified when "
                "`operator` is 'In' or 'NotIn', selector.matchExpressions[1].values: Forbidden: "
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist', "
                "selector.matchExpressions[2].operator: Invalid value: \"Gt\": not a valid "
                "selector operator]");
    kube_label_selector_validate(yyjson_mut_doc_get_root(doc), false, &path, &errors);
    assert_string_equal(errors.items[errors.count - 1].field,
                        "selector.matchExpressions[3].values[0]");
    kube_label_selector_validate(NULL, false, &path, &errors);
    assert_int_equal(errors.count, 7);
    kube_errors_fini(&errors);
    buf_fini(&out);
    yyjson_mut_doc_free(doc);
}

/* ---- fields ---- */

static void field_texts(void **state)
{
    static const struct {
        const char *text;
        const char *result; /* canonical, or why not after "?" */
    } cases[] = {
        {"", ""},
        {"metadata.name=x", "metadata.name=x"},
        {"metadata.name==x", "metadata.name=x"},
        {"spec.nodeName!=y,metadata.name=x", "metadata.name=x,spec.nodeName!=y"},
        {"a=", "a="},
        {"a!=", "a!="},
        {"=", ""},
        {",a=b,", "a=b"},
        {"a=x\\,y\\=z\\\\", "a=x\\,y\\=z\\\\"},
        {"a= b ", "a= b "},
        {"a", "?invalid selector: 'a'; can't understand 'a'"},
        {"b=1,a", "?invalid selector: 'b=1,a'; can't understand 'a'"},
        {"a=b=c", "?invalid field selector: unescaped character in value: 61"},
        {"a===b", "?invalid field selector: unescaped character in value: 61"},
        {"a=\\x", "?invalid field selector: invalid escape sequence: \\x"},
        {"a=\\\xc3\xa9", "?invalid field selector: invalid escape sequence: \\\xc3\xa9"},
        {"a=\\", "?invalid field selector: invalid escape sequence: \\"},
    };
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_field_selector s;
        int err = kube_field_selector_parse(view_str(cases[i].text), &s, &out);

        print_message("%s\n", cases[i].text);
        if (cases[i].result[0] == '?') {
            assert_int_equal(err, KVS_E_INVALID);
            assert_text(&out, cases[i].result + 1);
            continue;
        }
        assert_int_equal(err, 0);
        kube_field_selector_print(&s, &out);
        assert_text(&out, cases[i].result);
        kube_field_selector_fini(&s);
    }
    buf_fini(&out);
}

static struct kvs_view field_of(void *ctx, struct kvs_view field)
{
    (void)ctx;
    return view_equal_str(field, "metadata.name") ? view_str("x,y") : view_str("");
}

static void field_matches(void **state)
{
    static const struct {
        const char *text;
        bool matches;
    } cases[] = {
        {"", true},
        {"metadata.name=x\\,y", true},
        {"metadata.name!=x\\,y", false},
        {"metadata.name=x", false},
        {"metadata.name!=x", true},
        {"spec.nodeName=", true},
        {"spec.nodeName!=", false},
        {"metadata.name=x\\,y,spec.nodeName!=", false},
    };
    struct kube_field_selector s;
    struct kvs_view value;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(kube_field_selector_parse(view_str(cases[i].text), &s, NULL), 0);
        assert_int_equal(kube_field_selector_matches(&s, field_of, NULL), cases[i].matches);
        kube_field_selector_fini(&s);
    }
    assert_int_equal(kube_field_selector_parse(VIEW_LITERAL("a!=1,b=x\\=y"), &s, NULL), 0);
    assert_false(kube_field_selector_exact(&s, view_str("a"), &value));
    assert_true(kube_field_selector_exact(&s, view_str("b"), &value));
    assert_true(view_equal_str(value, "x=y"));
    kube_field_selector_fini(&s);
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
    char text[4096];
    size_t len = 0;
    int n = 0;
    int err;

    (void)state;
    for (int i = 0; i < 100; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "k%02d in (a,b,c,d,e),", i);
    }
    kvs_alloc_set(&limited);
    do {
        struct kube_label_selector s;

        allocations_left = n++;
        err = kube_label_selector_parse(view_make(text, len - 1), &s, NULL);
        assert_true(err == 0 || err == KVS_E_NOMEM);
        if (err == 0) {
            kube_label_selector_fini(&s);
        }
    } while (err != 0);
    assert_true(n > 3);
    n = 0;
    do {
        struct kube_field_selector s;

        allocations_left = n++;
        err = kube_field_selector_parse(VIEW_LITERAL("a=b,c=d"), &s, NULL);
        assert_true(err == 0 || err == KVS_E_NOMEM);
        if (err == 0) {
            kube_field_selector_fini(&s);
        }
    } while (err != 0);
    kvs_alloc_set(NULL);
    assert_true(n > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_texts),    cmocka_unit_test(label_refusals),
        cmocka_unit_test(label_matches),  cmocka_unit_test(label_objects),
        cmocka_unit_test(label_index),    cmocka_unit_test(label_validation),
        cmocka_unit_test(field_texts),    cmocka_unit_test(field_matches),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
