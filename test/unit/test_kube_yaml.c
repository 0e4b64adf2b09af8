/* YAML 1.1 as sigs.k8s.io/yaml makes JSON of it. */
#include "kube_json_text.h"

#include "kube/yaml.h"
#include "kube_expect.h"

static int read_into(yyjson_mut_doc *doc,
                     struct kvs_view text,
                     yyjson_mut_val **ret,
                     struct buf *duplicates,
                     struct kvs_error *error)
{
    struct kube_json_limits limits = kube_json_limits_default();

    return kube_yaml_read_into(doc, text, &limits, ret, duplicates, error);
}

static void values(void **state)
{
    static const struct {
        const char *yaml;
        const char *json;
    } cases[] = {
        {"", "null"},
        {"# nothing\n", "null"},
        {"a", "'a'"},
        {"~", "null"},
        {"a: b", "{'a':'b'}"},
        {"a:\n  b: 1\n  c: [x, 'y', \"z\"]", "{'a':{'b':1,'c':['x','y','z']}}"},
        {"- 1\n- 2\n", "[1,2]"},
        {"{\"a\": {\"b\": [1, true, null]}}", "{'a':{'b':[1,true,null]}}"},
        {"[null, Null, NULL, ~, nULL]", "[null,null,null,null,'nULL']"},
        {"[true, True, TRUE, yes, Yes, YES, on, On, ON, y, Y]",
         "[true,true,true,true,true,true,true,true,true,true,true]"},
        {"[false, no, off, n, N, Off, FALSE, oFF]",
         "[false,false,false,false,false,false,false,'oFF']"},
        {"['true', \"no\", !!str yes, ! 1]", "['true','no','yes','1']"},
        {"[0, 1, -1, +1, 010, 0o10, 0x1F, 0b11, 1_000, 08]", "[0,1,-1,1,8,8,31,3,1000,8.0]"},
        {"[18446744073709551615, -9223372036854775808]",
         "[18446744073709551615,-9223372036854775808]"},
        {"[1.5, -.5, 1., 1e3, 1.5E-1, .5]", "[1.5,-0.5,1.0,1000.0,0.15,0.5]"},
        {"[1.2.3, 1e, '1', 0x, 0xg, -, +, ., 1m, 100m, 1:30]",
         "['1.2.3','1e','1','0x','0xg','-','+','.','1m','100m','1:30']"},
        {"2001-12-14", "'2001-12-14'"},
        {"2001-12-14T21:59:43Z", "'2001-12-14T21:59:43Z'"},
        {"{1: a, true: b, 1.5: c, yes: d}", "{'1':'a','1.5':'c','true':'d'}"},
        {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{'a':'x\\ny\\n','b':'x y'}"},
        {"a: \"\\u00e4\\n\"", "{'a':'\xc3\xa4\\n'}"},
        {"a: &x {b: 1}\nc: *x", "{'a':{'b':1},'c':{'b':1}}"},
        {"a: &x 1\nb: &x 2\nc: *x", "{'a':1,'b':2,'c':2}"},
        {"a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", "{'a':{'b':1,'c':2},'d':{'c':3,'b':1}}"},
        {"a: &x {b: 1}\ne: &y {b: 2, f: 3}\nd: {<<: [*x, *y]}",
         "{'a':{'b':1},'e':{'b':2,'f':3},'d':{'b':1,'f':3}}"},
        {"a: {\"<<\": 1}", "{'a':{'<<':1}}"},
        {"a: 1\n---\nb: 2", "{'a':1}"},
        {"!!int \"12\"", "12"},
        {"!!binary aGk=", "'hi'"},
        {"!x y", "'y'"},
        {"a:\n", "{'a':null}"},
        {"a: 1\na: 2\n", "{'a':2}"},
        {"k: {port: 80, protocol: TCP}", "{'k':{'port':80,'protocol':'TCP'}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
        struct kvs_error error = {0};
        yyjson_mut_val *value = NULL;

        print_message("%s\n", cases[i].yaml);
        assert_int_equal(read_into(doc, view_str(cases[i].yaml), &value, NULL, &error), 0);
        assert_json(value, cases[i].json);
        yyjson_mut_doc_free(doc);
    }
}

static void refusals(void **state)
{
    static const struct {
        const char *yaml;
        int err;
        const char *text;
    } cases[] = {
        {"a: b: c", KVS_E_MALFORMED, "yaml: mapping values are not allowed in this context"},
        {"a: 1\nb: c: d\n", KVS_E_MALFORMED,
         "yaml: line 2: mapping values are not allowed in this context"},
        {"a: [b", KVS_E_MALFORMED, NULL},
        {"a: *x", KVS_E_MALFORMED, "yaml: unknown anchor 'x' referenced"},
        {"a: &x [*x]", KVS_E_MALFORMED, "yaml: unknown anchor 'x' referenced"},
        {"? [a]\n: b", KVS_E_MALFORMED, "yaml: line 1: invalid map key"},
        {"~: b", KVS_E_MALFORMED, "yaml: line 1: invalid map key"},
        {"a: {<<: 1}", KVS_E_MALFORMED,
         "yaml: map merge requires map or sequence of maps as the value"},
        {".inf", KVS_E_MALFORMED, NULL},
        {"1e999", KVS_E_MALFORMED, NULL},
        {"!!int x", KVS_E_MALFORMED, NULL},
        {"\x01", KVS_E_MALFORMED, NULL},
        {"a: \xff", KVS_E_MALFORMED, NULL},
        {"\ta: 1", KVS_E_MALFORMED, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
        struct kvs_error error = {0};
        yyjson_mut_val *value = NULL;

        print_message("%s\n", cases[i].yaml);
        assert_int_equal(read_into(doc, view_str(cases[i].yaml), &value, NULL, &error),
                         cases[i].err);
        assert_int_equal(error.code, cases[i].err);
        assert_memory_equal(error.msg, "yaml: ", 6);
        if (cases[i].text != NULL) {
            assert_string_equal(error.msg, cases[i].text);
        }
        yyjson_mut_doc_free(doc);
    }
}

static void duplicates(void **state)
{
    yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
    yyjson_mut_val *value;
    struct buf found;

    (void)state;
    buf_init(&found);
    assert_int_equal(read_into(doc, view_str("a: {b: 1, c: 2, b: 3}\nd: 1\ne: 1\nd: 2\nd: 3\n"),
                               &value, &found, NULL),
                     0);
    assert_json(value, "{'a':{'c':2,'b':3},'e':1,'d':3}");
    assert_text(&found,
                "\n  line 1: key \"b\" already set in map\n  line 4: key \"d\" already set in map"
                "\n  line 5: key \"d\" already set in map");
    buf_fini(&found);
    yyjson_mut_doc_free(doc);
}

/* Small texts that would become large trees, and deep ones. */
static void limits(void **state)
{
    static const char laughs[] = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                                 "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                                 "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                                 "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                                 "f: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    char deep[3 * KUBE_JSON_DEPTH_MAX];
    yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
    struct kvs_error error = {0};
    yyjson_mut_val *value;

    (void)state;
    assert_int_equal(read_into(doc, view_str(laughs), &value, NULL, &error), KVS_E_TOO_LONG);
    assert_string_equal(error.msg, "yaml: document contains excessive aliasing");
    memset(deep, '[', sizeof deep);
    assert_int_equal(read_into(doc, view_make(deep, sizeof deep), &value, NULL, &error),
                     KVS_E_TOO_LONG);
    memset(deep + KUBE_JSON_DEPTH_MAX, ']', KUBE_JSON_DEPTH_MAX);
    assert_int_equal(
        read_into(doc, view_make(deep, (size_t)2 * KUBE_JSON_DEPTH_MAX), &value, NULL, &error), 0);
    yyjson_mut_doc_free(doc);
}

static int fail_step(void)
{
    static const char text[] =
        "a: &x {b: [1, two], b: 3}\nc: {<<: *x, d: !!binary aGk=}\ne: *x\n1: f";
    yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
    yyjson_mut_val *value;
    int err = doc == NULL ? KVS_E_NOMEM : read_into(doc, view_str(text), &value, NULL, NULL);

    yyjson_mut_doc_free(doc);
    return err;
}

static void memory_runs_out(void **state)
{
    (void)state;
    fail_each_allocation(fail_step);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values), cmocka_unit_test(refusals),        cmocka_unit_test(duplicates),
        cmocka_unit_test(limits), cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
