/* JSON patches and merge patches: results, refusals, limits. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "kube/patch_json.h"
#include "kube/patch_merge.h"
#include "kube/tree.h"
#include "kube_expect.h"

static yyjson_mut_doc *tree_of(const char *json, size_t len)
{
    yyjson_doc *read = yyjson_read(json, len, 0);
    yyjson_mut_doc *doc;

    assert_non_null(read);
    doc = yyjson_doc_mut_copy(read, NULL);
    yyjson_doc_free(read);
    return doc;
}

static yyjson_mut_doc *tree(const char *json)
{
    return tree_of(json, strlen(json));
}

static void assert_json(yyjson_mut_val *value, const char *expected)
{
    char *json = yyjson_mut_val_write(value, 0, NULL);

    assert_non_null(json);
    assert_string_equal(json, expected);
    free(json);
}

/* ---- merge ---- */

/* The table of RFC 7386 and more. Targets that are no objects are the caller's business. */
static void merge_patches(void **state)
{
    static const struct {
        const char *target;
        const char *patch;
        const char *result;
    } cases[] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
        {"{\"a\":1}", "{\"a\":{\"b\":null,\"c\":2}}", "{\"a\":{\"c\":2}}"},
        {"{\"a\":1}", "{}", "{\"a\":1}"},
        {"{\"a\":1}", "{\"b\":null}", "{\"a\":1}"},
        {"{}", "{\"a\":[null,{\"b\":null}]}", "{\"a\":[null,{\"b\":null}]}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "{\"a\":null,\"c\":null}", "{\"b\":2}"},
        {"{\"a\":1,\"b\":2}", "{\"a\":null,\"b\":null}", "{}"},
        {"{}", "{\"a\":1,\"a\":2}", "{\"a\":2}"},
        {"{\"a\":{\"x\":1}}", "{\"a\":{\"y\":{\"z\":true}}}",
         "{\"a\":{\"x\":1,\"y\":{\"z\":true}}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        yyjson_mut_doc *doc = tree(cases[i].target);
        yyjson_mut_doc *patch = tree(cases[i].patch);
        yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);

        print_message("%s + %s\n", cases[i].target, cases[i].patch);
        assert_int_equal(kube_patch_merge(doc, root, yyjson_mut_doc_get_root(patch), NULL), 0);
        yyjson_mut_doc_free(patch); /* Nothing of it may be referred to. */
        assert_json(root, cases[i].result);
        yyjson_mut_doc_free(doc);
    }
}

static void merge_refusals(void **state)
{
    static const struct {
        const char *patch;
        const char *why;
    } cases[] = {
        {"[]", "error decoding patch: json: cannot unmarshal array into Go value of type "
               "map[string]interface {}"},
        {"\"x\"", "error decoding patch: json: cannot unmarshal string into Go value of type "
                  "map[string]interface {}"},
        {"1", "error decoding patch: json: cannot unmarshal number into Go value of type "
              "map[string]interface {}"},
        {"true", "error decoding patch: json: cannot unmarshal bool into Go value of type "
                 "map[string]interface {}"},
    };
    yyjson_mut_doc *doc = tree("{}");
    struct buf why;

    (void)state;
    buf_init(&why);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        yyjson_mut_doc *patch = tree(cases[i].patch);

        assert_int_equal(kube_patch_merge(doc, yyjson_mut_doc_get_root(doc),
                                          yyjson_mut_doc_get_root(patch), &why),
                         KVS_E_MALFORMED);
        assert_text(&why, cases[i].why);
        yyjson_mut_doc_free(patch);
    }
    buf_fini(&why);
    yyjson_mut_doc_free(doc);
}

static void merge_diffs(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        const char *patch;
    } cases[] = {
        {"{}", "{}", "{}"},
        {"{\"a\":1}", "{\"a\":1}", "{}"},
        {"{\"a\":1}", "{\"a\":2}", "{\"a\":2}"},
        {"{\"a\":1}", "{}", "{\"a\":null}"},
        {"{}", "{\"a\":1}", "{\"a\":1}"},
        {"{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":3}}", "{\"a\":{\"c\":3}}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":{}}", "{\"a\":{\"b\":null}}"},
        {"{\"a\":[1,2]}", "{\"a\":[1,2,3]}", "{\"a\":[1,2,3]}"},
        {"{\"a\":{\"b\":1}}", "{\"a\":5}", "{\"a\":5}"},
        {"{\"a\":5}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", "{}"},
        {"{\"a\":1}", "{\"a\":null}", "{\"a\":null}"},
        {"{\"a\":1}", "{\"a\":1.0}", "{\"a\":1.0}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        yyjson_mut_doc *from = tree(cases[i].from);
        yyjson_mut_doc *to = tree(cases[i].to);
        yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
        yyjson_mut_val *patch = NULL;

        assert_int_equal(kube_patch_merge_diff(doc, yyjson_mut_doc_get_root(from),
                                               yyjson_mut_doc_get_root(to), &patch),
                         0);
        assert_json(patch, cases[i].patch);
        yyjson_mut_doc_free(from);
        yyjson_mut_doc_free(to);
        yyjson_mut_doc_free(doc);
    }
}

/* Many members on both sides: the time must not grow with their product. */
static void merge_large(void **state)
{
    enum { N = 100000 };
    size_t size = (size_t)N * 20 + 16;
    char *json = malloc(size);
    char *json2 = malloc(size);
    size_t n = 0;
    size_t n2 = 0;
    yyjson_mut_doc *doc;
    yyjson_mut_doc *patch;
    bool equal = false;

    (void)state;
    for (int i = 0; i < N; i++) {
        n += (size_t)snprintf(json + n, size - n, "%c\"k%d\":%d", i == 0 ? '{' : ',', i, i);
        n2 += (size_t)snprintf(json2 + n2, size - n2, "%c\"k%d\":%d", i == 0 ? '{' : ',', N - 1 - i,
                               N - 1 - i);
    }
    json[n++] = '}';
    json2[n2++] = '}';
    doc = tree_of(json, n);
    patch = tree_of(json2, n2);
    assert_int_equal(
        kube_tree_equal(yyjson_mut_doc_get_root(doc), yyjson_mut_doc_get_root(patch), &equal), 0);
    assert_true(equal);
    assert_int_equal(
        kube_patch_merge(doc, yyjson_mut_doc_get_root(doc), yyjson_mut_doc_get_root(patch), NULL),
        0);
    assert_int_equal(yyjson_mut_obj_size(yyjson_mut_doc_get_root(doc)), N);
    yyjson_mut_doc_free(doc);
    yyjson_mut_doc_free(patch);
    free(json);
    free(json2);
}

/* ---- JSON patch ---- */

static void json_patches(void **state)
{
    static const struct {
        const char *target;
        const char *patch;
        const char *result;
    } cases[] = {
        {"{\"a\":1}", "[]", "{\"a\":1}"},
        {"{\"a\":1}", "null", "{\"a\":1}"},
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
         "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
        {"{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
         "{\"foo\":[\"bar\",\"qux\",\"baz\"]}"},
        {"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":2}]", "{\"foo\":[1,2]}"},
        {"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[2]}]",
         "{\"foo\":[1,[2]]}"},
        {"{\"foo\":[1,2]}", "[{\"op\":\"add\",\"path\":\"/foo/-1\",\"value\":3}]",
         "{\"foo\":[1,2,3]}"},
        {"{\"foo\":[1,2]}", "[{\"op\":\"add\",\"path\":\"/foo/-3\",\"value\":3}]",
         "{\"foo\":[3,1,2]}"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":{\"b\":2}}]",
         "{\"a\":{\"b\":2}}"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\"}]", "{\"a\":1,\"b\":null}"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/\",\"value\":2}]", "{\"a\":1,\"\":2}"},
        {"{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]",
         "{\"foo\":\"bar\"}"},
        {"{\"foo\":[\"a\",\"b\",\"c\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
         "{\"foo\":[\"a\",\"c\"]}"},
        {"{\"foo\":[\"a\",\"b\",\"c\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/-1\"}]",
         "{\"foo\":[\"a\",\"b\"]}"},
        {"{\"a\":null}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{}"},
        {"{\"baz\":\"qux\"}", "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
         "{\"baz\":\"boo\"}"},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":2}]", "{\"a\":1,\"b\":2}"},
        {"{\"a\":[1,2]}", "[{\"op\":\"replace\",\"path\":\"/a/-1\",\"value\":{}}]",
         "{\"a\":[1,{}]}"},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"b\":2}}]", "{\"b\":2}"},
        {"{\"a\":1}",
         "[{\"op\":\"replace\",\"path\":\"\",\"value\":[1]},{\"op\":\"add\",\"path\":\"/0\","
         "\"value\":2}]",
         "[2,1]"},
        {"{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
         "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
         "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}"},
        {"{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
         "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
         "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}"},
        {"{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/c\"}]",
         "{\"a\":{\"b\":1,\"c\":{\"b\":1}}}"},
        {"{\"a\":1}", "[{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/b\"}]",
         "{\"a\":1,\"b\":null}"},
        {"{\"a/b\":1,\"m~n\":2}",
         "[{\"op\":\"remove\",\"path\":\"/a~1b\"},{\"op\":\"add\",\"path\":\"/m~0n\",\"value\":3},"
         "{\"op\":\"add\",\"path\":\"/~01\",\"value\":4}]",
         "{\"m~n\":3,\"~1\":4}"},
        {"{\"a\":{\"b\":[1,{\"c\":2}]}}",
         "[{\"op\":\"test\",\"path\":\"/a/b/1/c\",\"value\":2},{\"op\":\"test\",\"path\":\"/a\","
         "\"value\":{\"b\":[1,{\"c\":2}]}},{\"op\":\"test\",\"path\":\"\",\"value\":{\"a\":{\"b\":"
         "[1,{\"c\":2}]}}},{\"op\":\"test\",\"path\":\"/x\",\"value\":null},{\"op\":\"test\","
         "\"path\":\"/x\"}]",
         "{\"a\":{\"b\":[1,{\"c\":2}]}}"},
        {"{\"a\":{\"x\":1,\"y\":2}}",
         "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"y\":2,\"x\":1}}]",
         "{\"a\":{\"x\":1,\"y\":2}}"},
        {"{\"metadata\":{}}",
         "[{\"op\":\"add\",\"path\":\"/metadata/labels\",\"value\":{}},{\"op\":\"add\",\"path\":"
         "\"/metadata/labels/example.com~1x\",\"value\":\"y\"}]",
         "{\"metadata\":{\"labels\":{\"example.com/x\":\"y\"}}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        yyjson_mut_doc *doc = tree(cases[i].target);
        yyjson_mut_doc *patch = tree(cases[i].patch);
        yyjson_mut_val *root = NULL;
        struct buf why;

        buf_init(&why);
        print_message("%s + %s\n", cases[i].target, cases[i].patch);
        assert_int_equal(kube_patch_json(doc, yyjson_mut_doc_get_root(doc),
                                         yyjson_mut_doc_get_root(patch), &root, &why),
                         0);
        assert_int_equal(why.len, 0);
        yyjson_mut_doc_free(patch);
        assert_json(root, cases[i].result);
        yyjson_mut_doc_free(doc);
        buf_fini(&why);
    }
}

static void json_refusals(void **state)
{
    static const struct {
        const char *patch; /* of {"a":{"b":1},"l":[1,2],"s":"x"} */
        int err;
        const char *why;
    } cases[] = {
        {"{\"spec\":1}", KVS_E_MALFORMED,
         "json: cannot unmarshal object into Go value of type jsonpatch.Patch"},
        {"\"x\"", KVS_E_MALFORMED,
         "json: cannot unmarshal string into Go value of type jsonpatch.Patch"},
        {"[1]", KVS_E_MALFORMED,
         "json: cannot unmarshal number into Go value of type jsonpatch.Operation"},
        {"[{\"op\":\"fly\",\"path\":\"/spec\"}]", KVS_E_INVALID, "Unexpected kind: fly"},
        {"[{\"path\":\"/spec\"}]", KVS_E_INVALID, "Unexpected kind: unknown"},
        {"[null]", KVS_E_INVALID, "Unexpected kind: unknown"},
        {"[{\"op\":\"test\",\"path\":\"/a/b\",\"value\":9}]", KVS_E_INVALID,
         "testing value /a/b failed: test failed"},
        {"[{\"op\":\"test\",\"path\":\"/a/b\",\"value\":1.0}]", KVS_E_INVALID,
         "testing value /a/b failed: test failed"},
        {"[{\"op\":\"test\",\"path\":\"/a/x\",\"value\":9}]", KVS_E_INVALID,
         "testing value /a/x failed: test failed"},
        {"[{\"op\":\"test\",\"path\":\"\",\"value\":{}}]", KVS_E_INVALID,
         "testing value  failed: test failed"},
        {"[{\"op\":\"test\",\"path\":\"/l/2\",\"value\":9}]", KVS_E_INVALID,
         "error in test for path: '/l/2': Unable to access invalid index: 2: invalid index "
         "referenced"},
        {"[{\"op\":\"test\",\"path\":\"/x/y\",\"value\":9}]", KVS_E_INVALID,
         "test operation does not apply: is missing path: /x/y: missing value"},
        {"[{\"op\":\"remove\",\"path\":\"/spec/nosuch\"}]", KVS_E_INVALID,
         "remove operation does not apply: doc is missing path: \"/spec/nosuch\": missing value"},
        {"[{\"op\":\"remove\",\"path\":\"/a/nosuch\"}]", KVS_E_INVALID,
         "error in remove for path: '/a/nosuch': Unable to remove nonexistent key: nosuch: missing "
         "value"},
        {"[{\"op\":\"remove\",\"path\":\"/l/-3\"}]", KVS_E_INVALID,
         "error in remove for path: '/l/-3': Unable to access invalid index: -3: invalid index "
         "referenced"},
        {"[{\"op\":\"remove\",\"path\":\"/l/x\"}]", KVS_E_INVALID,
         "error in remove for path: '/l/x': strconv.Atoi: parsing \"x\": invalid syntax"},
        {"[{\"op\":\"remove\",\"path\":\"\"}]", KVS_E_INVALID,
         "remove operation does not apply: doc is missing path: \"\": missing value"},
        {"[{\"op\":\"remove\",\"path\":\"/s/x\"}]", KVS_E_INVALID,
         "remove operation does not apply: doc is missing path: \"/s/x\": missing value"},
        {"[{\"op\":\"add\",\"path\":\"/l/3\",\"value\":1}]", KVS_E_INVALID,
         "error in add for path: '/l/3': Unable to access invalid index: 3: invalid index "
         "referenced"},
        {"[{\"op\":\"add\",\"path\":\"/l/x\",\"value\":1}]", KVS_E_INVALID,
         "error in add for path: '/l/x': value was not a proper array index: 'x': strconv.Atoi: "
         "parsing \"x\": invalid syntax"},
        {"[{\"op\":\"add\",\"path\":\"/x/y\",\"value\":1}]", KVS_E_INVALID,
         "add operation does not apply: doc is missing path: \"/x/y\": missing value"},
        {"[{\"op\":\"add\",\"value\":1}]", KVS_E_INVALID,
         "add operation failed to decode path: missing value"},
        {"[{\"op\":\"replace\",\"value\":1}]", KVS_E_INVALID,
         "replace operation failed to decode path: operation missing path field: missing value"},
        {"[{\"op\":\"replace\",\"path\":1,\"value\":1}]", KVS_E_INVALID,
         "replace operation failed to decode path: json: cannot unmarshal number into Go value of "
         "type string"},
        {"[{\"op\":\"replace\",\"path\":\"/l/5\",\"value\":1}]", KVS_E_INVALID,
         "replace operation does not apply: doc is missing key: /l/5: missing value"},
        {"[{\"op\":\"replace\",\"path\":\"/x/y\",\"value\":1}]", KVS_E_INVALID,
         "replace operation does not apply: doc is missing path: /x/y: missing value"},
        {"[{\"op\":\"move\",\"path\":\"/x\"}]", KVS_E_INVALID,
         "move operation failed to decode from: operation, missing from field: missing value"},
        {"[{\"op\":\"move\",\"from\":\"/q/r\",\"path\":\"/x\"}]", KVS_E_INVALID,
         "move operation does not apply: doc is missing from path: /q/r: missing value"},
        {"[{\"op\":\"move\",\"from\":\"/q\",\"path\":\"/x\"}]", KVS_E_INVALID,
         "error in move for path: 'q': Unable to remove nonexistent key: q: missing value"},
        {"[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/c\"}]", KVS_E_INVALID,
         "move operation does not apply: doc is missing destination path: /a/c: missing value"},
        {"[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/x/y\"}]", KVS_E_INVALID,
         "copy operation does not apply: doc is missing destination path: /x/y: missing value"},
        {"[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/l/9\"}]", KVS_E_INVALID,
         "error while adding value during copy: Unable to access invalid index: 9: invalid index "
         "referenced"},
        {"[{\"op\":\"replace\",\"path\":\"\",\"value\":1}]", KVS_E_INVALID,
         "replace operation value must be object or array"},
    };
    struct buf why;

    (void)state;
    buf_init(&why);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        yyjson_mut_doc *doc = tree("{\"a\":{\"b\":1},\"l\":[1,2],\"s\":\"x\"}");
        yyjson_mut_doc *patch = tree(cases[i].patch);
        yyjson_mut_val *root = NULL;

        print_message("%s\n", cases[i].patch);
        assert_int_equal(kube_patch_json(doc, yyjson_mut_doc_get_root(doc),
                                         yyjson_mut_doc_get_root(patch), &root, &why),
                         cases[i].err);
        assert_text(&why, cases[i].why);
        assert_null(root);
        yyjson_mut_doc_free(patch);
        yyjson_mut_doc_free(doc);
    }
    buf_fini(&why);
}

/* `n` times the same operation against a document. */
static int repeat(const char *target, const char *op, int n, struct buf *why)
{
    yyjson_mut_doc *doc = tree(target);
    yyjson_mut_doc *patch = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc *one = tree(op);
    yyjson_mut_val *list = yyjson_mut_arr(patch);
    yyjson_mut_val *root;
    int err;

    for (int i = 0; i < n; i++) {
        yyjson_mut_val *copy = yyjson_mut_val_mut_copy(patch, yyjson_mut_doc_get_root(one));

        assert_true(yyjson_mut_arr_append(list, copy));
    }
    err = kube_patch_json(doc, yyjson_mut_doc_get_root(doc), list, &root, why);
    if (err == 0) {
        assert_true(kube_tree_depth_within(root, KUBE_TREE_DEPTH_MAX, NULL));
    }
    yyjson_mut_doc_free(doc);
    yyjson_mut_doc_free(patch);
    yyjson_mut_doc_free(one);
    return err;
}

static void json_limits(void **state)
{
    static const char test_op[] = "{\"op\":\"test\",\"path\":\"/a\",\"value\":1}";
    static const char copy_op[] = "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}";
    char big[1201];
    char op[1400];
    struct buf why;

    (void)state;
    buf_init(&why);
    assert_int_equal(repeat("{\"a\":1}", test_op, KUBE_PATCH_JSON_OPS_MAX, &why), 0);
    assert_int_equal(repeat("{\"a\":1}", test_op, KUBE_PATCH_JSON_OPS_MAX + 1, &why),
                     KVS_E_TOO_LONG);
    assert_text(&why, "The allowed maximum operations in a JSON patch is 10000, got 10001");

    /* Each copy doubles the list and nests it once more: the bytes run out first. */
    assert_int_equal(repeat("{\"a\":[1]}", copy_op, 40, &why), KVS_E_INVALID);
    assert_memory_equal(why.data, "Unable to complete the copy, the accumulated size", 49);
    buf_clear(&why);

    /* Deep values are refused wherever they would go. */
    memset(big, '[', 600);
    memset(big + 600, ']', 600);
    big[1200] = '\0';
    (void)snprintf(op, sizeof op, "{\"op\":\"add\",\"path\":\"/x\",\"value\":%s}", big);
    assert_int_equal(repeat("{}", op, 1, &why), KVS_E_TOO_LONG);
    assert_text(&why, "The patched object is nested too deeply");
    buf_fini(&why);
}

/* Adding one level at a time does not get around the limit. */
static void json_depth_by_steps(void **state)
{
    yyjson_mut_doc *doc = tree("{}");
    char path[2 * KUBE_TREE_DEPTH_MAX + 64] = "";
    int levels = 0;
    int err;

    (void)state;
    do {
        yyjson_mut_doc *patch;
        yyjson_mut_val *root;
        char op[2 * KUBE_TREE_DEPTH_MAX + 128];

        strncat(path, "/a", sizeof path - strlen(path) - 1);
        (void)snprintf(op, sizeof op, "[{\"op\":\"add\",\"path\":\"%s\",\"value\":{}}]", path);
        patch = tree(op);
        err = kube_patch_json(doc, yyjson_mut_doc_get_root(doc), yyjson_mut_doc_get_root(patch),
                              &root, NULL);
        yyjson_mut_doc_free(patch);
        levels += err == 0;
    } while (err == 0 && levels < 2 * KUBE_TREE_DEPTH_MAX);
    assert_int_equal(err, KVS_E_TOO_LONG);
    assert_true(kube_tree_depth_within(yyjson_mut_doc_get_root(doc), KUBE_TREE_DEPTH_MAX, NULL));
    assert_int_equal(levels, KUBE_TREE_DEPTH_MAX - 1); /* and the root */
    yyjson_mut_doc_free(doc);
}

/* ---- trees ---- */

static void equality(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } cases[] = {
        {"null", "null", true},
        {"null", "false", false},
        {"true", "false", false},
        {"1", "1", true},
        {"1", "-1", false},
        {"1", "1.0", false},
        {"1.5", "1.5", true},
        {"18446744073709551615", "-1", false},
        {"\"a\"", "\"a\"", true},
        {"\"a\"", "\"b\"", false},
        {"[1,2]", "[1,2]", true},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,1]", false},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":1}", "{\"a\":1,\"b\":1}", false},
        {"{}", "[]", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        yyjson_mut_doc *a = tree(cases[i].a);
        yyjson_mut_doc *b = tree(cases[i].b);
        bool equal = !cases[i].equal;

        assert_int_equal(
            kube_tree_equal(yyjson_mut_doc_get_root(a), yyjson_mut_doc_get_root(b), &equal), 0);
        assert_int_equal(equal, cases[i].equal);
        assert_int_equal(
            kube_tree_equal(yyjson_mut_doc_get_root(b), yyjson_mut_doc_get_root(a), &equal), 0);
        assert_int_equal(equal, cases[i].equal);
        yyjson_mut_doc_free(a);
        yyjson_mut_doc_free(b);
    }
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

static void *limited_tree_malloc(void *ctx, size_t size)
{
    return limited_realloc(ctx, NULL, size);
}

static void *limited_tree_realloc(void *ctx, void *old, size_t old_size, size_t size)
{
    (void)old_size;
    return limited_realloc(ctx, old, size);
}

/* Patches a copy of `target` in a document whose memory and ours are limited. */
static int patch_limited(yyjson_mut_val *target, yyjson_mut_val *patch, bool is_merge, int limit)
{
    static const yyjson_alc alc = {limited_tree_malloc, limited_tree_realloc, limited_free, NULL};
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    yyjson_mut_val *changed;
    int err;

    allocations_left = INT32_MAX;
    doc = yyjson_mut_doc_new(&alc);
    assert_true(yyjson_mut_doc_set_val_pool_size(doc, 1));
    assert_true(yyjson_mut_doc_set_str_pool_size(doc, 1));
    root = yyjson_mut_val_mut_copy(doc, target);
    allocations_left = limit;
    err = is_merge ? kube_patch_merge(doc, root, patch, NULL)
                   : kube_patch_json(doc, root, patch, &changed, NULL);
    allocations_left = 0;
    yyjson_mut_doc_free(doc);
    return err;
}

static void without_memory(void **state)
{
    static const struct kvs_allocator limited = {limited_realloc, limited_free, NULL};
    yyjson_mut_doc *target = tree("{\"a\":{\"b\":1},\"l\":[1,2,3]}");
    yyjson_mut_doc *merge = tree(
        "{\"k00\":1,\"k01\":{\"x\":1},\"k02\":1,\"k03\":1,\"k04\":1,\"k05\":1,\"k06\":1,\"k07\":1,"
        "\"k08\":1,\"k09\":1,\"k10\":1,\"k11\":1,\"k12\":1,\"k13\":1,\"k14\":1,\"k15\":1,\"k16\":1,"
        "\"a\":{\"c\":\"text\"}}");
    yyjson_mut_doc *json = tree(
        "[{\"op\":\"add\",\"path\":\"/a/c\",\"value\":{\"d\":\"text\"}},{\"op\":\"copy\",\"from\":"
        "\"/a\",\"path\":\"/e\"},{\"op\":\"move\",\"from\":\"/l/0\",\"path\":\"/l/-\"},{\"op\":"
        "\"test\",\"path\":\"/a/b\",\"value\":1},{\"op\":\"replace\",\"path\":\"/"
        "l\",\"value\":[]}]");

    (void)state;
    kvs_alloc_set(&limited);
    for (int is_merge = 0; is_merge < 2; is_merge++) {
        yyjson_mut_val *patch = yyjson_mut_doc_get_root(is_merge ? merge : json);
        int n = 0;
        int err;

        do {
            err = patch_limited(yyjson_mut_doc_get_root(target), patch, is_merge != 0, n++);
            assert_true(err == 0 || err == KVS_E_NOMEM);
        } while (err != 0);
        assert_true(n > 3);
    }
    kvs_alloc_set(NULL);
    yyjson_mut_doc_free(target);
    yyjson_mut_doc_free(merge);
    yyjson_mut_doc_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_patches), cmocka_unit_test(merge_refusals),
        cmocka_unit_test(merge_diffs),   cmocka_unit_test(merge_large),
        cmocka_unit_test(json_patches),  cmocka_unit_test(json_refusals),
        cmocka_unit_test(json_limits),   cmocka_unit_test(json_depth_by_steps),
        cmocka_unit_test(equality),      cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
