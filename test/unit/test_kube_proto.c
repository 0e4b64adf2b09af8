/* Protobuf by the tables, where the golden objects (test/codec/test_kube_golden.c) do not go:
 * absent and zero values, other spellings, damage, lack of memory. */
#include "kube_json_text.h"

#include "base/attr.h"
#include "kube/proto.h"

struct bytes {
    const char *data;
    size_t len;
};

#define BYTES(text)                                                                                \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static struct buf encode(const char *message, const char *json)
{
    yyjson_mut_doc *doc = doc_of(json);
    struct buf b;

    buf_init(&b);
    assert_int_equal(
        kube_proto_encode_message(&b, message_of(message), yyjson_mut_doc_get_root(doc)), 0);
    yyjson_mut_doc_free(doc);
    return b;
}

static int decode(const char *message, struct kvs_view bytes, yyjson_mut_doc **ret_doc)
{
    yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
    yyjson_mut_val *value;
    int err = kube_proto_decode_message(doc, message_of(message), bytes, &value);

    if (err != 0) {
        yyjson_mut_doc_free(doc);
        return err;
    }
    yyjson_mut_doc_set_root(doc, value);
    *ret_doc = doc;
    return 0;
}

/* Normal JSON to bytes and back. */
static void test_both_ways(void **state)
{
    static const struct {
        const char *message, *json;
        struct bytes bytes;
    } cases[] = {
        {META "Preconditions", "{}", BYTES("")},
        {META "Preconditions", "{'uid':''}", BYTES("\x0a\x00")},
        {CORE "LocalObjectReference", "{}", BYTES("\x0a\x00")},
        {CORE "LocalObjectReference", "{'name':'a'}",
         BYTES("\x0a\x01"
               "a")},
        /* Embedded: the reference is a message of its own here, and one object in JSON. */
        {CORE "SecretKeySelector", "{'name':'n','key':'k','optional':false}",
         BYTES("\x0a\x03\x0a\x01n\x12\x01k\x18\x00")},
        {CORE "HTTPGetAction", "{'port':-1}",
         BYTES("\x0a\x00\x12\x0f\x08\x00\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x00"
               "\x1a\x00\x22\x00")},
        {CORE "HTTPGetAction", "{'port':'web'}",
         BYTES("\x0a\x00\x12\x09\x08\x01\x10\x00\x1a\x03web\x1a\x00\x22\x00")},
        {CORE "ResourceRequirements", "{'limits':{'cpu':'1','memory':'2Gi'}}",
         BYTES("\x0a\x0a\x0a\x03"
               "cpu\x12\x03\x0a\x01"
               "1\x0a\x0f\x0a\x06memory\x12\x05\x0a\x03"
               "2Gi")},
        {META "APIResource",
         "{'name':'','singularName':'','namespaced':false,'kind':'','verbs':['get','put']}",
         BYTES("\x0a\x00\x10\x00\x1a\x00\x22\x0a\x0a\x03get\x0a\x03put\x32\x00\x42\x00\x4a\x00"
               "\x52\x00")},
        {"io.k8s.api.authentication.v1.UserInfo", "{'extra':{'a':['x'],'b':[]}}",
         BYTES("\x0a\x00\x12\x00\x22\x08\x0a\x01"
               "a\x12\x03\x0a\x01x\x22\x05\x0a\x01"
               "b\x12\x00")},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf got;
        yyjson_mut_doc *doc;

        got = encode(cases[i].message, cases[i].json);
        if (got.len != cases[i].bytes.len) {
            fail_msg("%s: %zu bytes, not %zu", cases[i].json, got.len, cases[i].bytes.len);
        }
        assert_memory_equal(got.data, cases[i].bytes.data, got.len);
        assert_int_equal(decode(cases[i].message, buf_view(&got), &doc), 0);
        assert_json(yyjson_mut_doc_get_root(doc), cases[i].json);
        yyjson_mut_doc_free(doc);
        buf_fini(&got);
    }
}

/* Spellings that upstream does not write, but reads. */
static void test_other_spellings(void **state)
{
    static const struct {
        const char *message;
        struct bytes bytes;
        const char *json;
    } cases[] = {
        {CORE "Pod", BYTES(""),
         "{'metadata':{'creationTimestamp':null},'spec':{'containers':null},'status':{}}"},
        /* Packed numbers, and one by one. */
        {CORE "PodSecurityContext", BYTES("\x22\x02\x01\x02\x20\x03"),
         "{'supplementalGroups':[1,2,3]}"},
        /* Fields that nobody knows, of all wire types. */
        {CORE "LocalObjectReference",
         BYTES("\xf8\x07\x01\xfa\x07\x02xy\xfd\x07"
               "abcd\xf9\x07"
               "abcdefgh\x0a\x01z"),
         "{'name':'z'}"},
        /* The last one counts; keys of maps come sorted and once. */
        {CORE "LocalObjectReference", BYTES("\x0a\x01z\x0a\x01y"), "{'name':'y'}"},
        {META "LabelSelector",
         BYTES("\x0a\x06\x0a\x01"
               "b\x12\x01"
               "1\x0a\x06\x0a\x01"
               "a\x12\x01"
               "2\x0a\x03\x0a\x01"
               "c\x0a\x06\x12\x01"
               "3\x0a\x01"
               "b"),
         "{'matchLabels':{'a':'2','b':'3','c':''}}"},
        /* A time of no bytes is none. Nanoseconds are not for metav1.Time. */
        {META "ObjectMeta", BYTES("\x42\x00"), "{'creationTimestamp':null}"},
        {META "ObjectMeta", BYTES("\x42\x04\x08\x01\x10\x05"),
         "{'creationTimestamp':'1970-01-01T00:00:01Z'}"},
        {META "ObjectMeta", BYTES("\x42\x02\x10\x05"),
         "{'creationTimestamp':'1970-01-01T00:00:00Z'}"},
        /* No text at all in a RawExtension; FieldsV1 likewise. */
        {"io.k8s.api.apps.v1.ControllerRevision", BYTES("\x12\x00\x18\x07"),
         "{'metadata':{'creationTimestamp':null},'data':null,'revision':7}"},
        {META "ManagedFieldsEntry", BYTES("\x3a\x00"), "{}"},
        {CORE "ResourceRequirements",
         BYTES("\x0a\x05\x0a\x03"
               "cpu"),
         "{'limits':{'cpu':'0'}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        yyjson_mut_doc *doc;

        assert_int_equal(
            decode(cases[i].message, view_make(cases[i].bytes.data, cases[i].bytes.len), &doc), 0);
        assert_json(yyjson_mut_doc_get_root(doc), cases[i].json);
        yyjson_mut_doc_free(doc);
    }
}

static void test_damage_is_refused(void **state)
{
    static const struct {
        const char *message;
        struct bytes bytes;
    } cases[] = {
        {CORE "LocalObjectReference", BYTES("\x0a")},
        {CORE "LocalObjectReference", BYTES("\x0a\x05"
                                            "abc")},
        {CORE "LocalObjectReference", BYTES("\x08\x01")},     /* a number */
        {CORE "LocalObjectReference", BYTES("\x0a\x01\xff")}, /* not UTF-8 */
        {CORE "LocalObjectReference", BYTES("\x0b\x0c")},     /* a group */
        {CORE "LocalObjectReference", BYTES("\x02\x00")},     /* field 0 */
        {CORE "LocalObjectReference", BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
        {META "ObjectMeta", BYTES("\x42\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f")}, /* year */
        {META "ObjectMeta", BYTES("\x42\x01\x08")},
        {"io.k8s.api.coordination.v1.LeaseSpec",
         BYTES("\x22\x08\x08\x01\x10\xff\xff\xff\xff\x0f")}, /* nanoseconds */
        {"io.k8s.api.apps.v1.ControllerRevision", BYTES("\x12\x03\x0a\x01{")},
        {META "LabelSelector", BYTES("\x0a\x02\x08\x01")}, /* a key that is a number */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        yyjson_mut_doc *doc;

        if (decode(cases[i].message, view_make(cases[i].bytes.data, cases[i].bytes.len), &doc) !=
            KVS_E_MALFORMED) {
            fail_msg("case %zu was accepted", i);
        }
    }
}

static const char pod_json[] =
    "{'kind':'Pod','apiVersion':'v1','metadata':{'name':'p','creationTimestamp':"
    "'2024-01-01T00:00:00Z','labels':{'a':'b','c':'\xc3\xa9'}},'spec':{'volumes':[{'name':'v',"
    "'hostPath':{'path':'/'}}],'containers':[{'name':'c','ports':[{'containerPort':80}],"
    "'resources':{'limits':{'cpu':'1'}},'livenessProbe':{'httpGet':{'port':'web'}}}]},"
    "'status':{}}";

static struct buf pod_bytes(void)
{
    yyjson_mut_doc *doc = doc_of(pod_json);
    struct buf b;

    buf_init(&b);
    assert_int_equal(kube_proto_encode(&b, message_of(CORE "Pod"), yyjson_mut_doc_get_root(doc)),
                     0);
    yyjson_mut_doc_free(doc);
    return b;
}

static void test_envelope(void **state)
{
    struct buf b = pod_bytes();
    yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
    const struct kube_kind *kind;
    struct kube_envelope e;
    yyjson_mut_val *root;

    (void)state;
    assert_true(kube_proto_is_envelope(buf_view(&b)));
    assert_int_equal(kube_proto_open(buf_view(&b), &e), 0);
    assert_true(view_equal_str(e.api_version, "v1") && view_equal_str(e.kind, "Pod"));
    assert_int_equal(kube_proto_decode(doc, buf_view(&b), &kind, &root), 0);
    assert_ptr_equal(kind, kube_kind_find_api(VIEW_LITERAL("v1"), VIEW_LITERAL("Pod")));
    assert_json(root, pod_json);
    yyjson_mut_doc_free(doc);
    buf_fini(&b);
}

static void test_envelopes_that_cannot_be_read(void **state)
{
    static const struct {
        struct bytes bytes;
        int err;
    } cases[] = {
        {BYTES(""), KVS_E_MALFORMED},
        {BYTES("k8s"), KVS_E_MALFORMED},
        {BYTES("{\"a\":1}"), KVS_E_MALFORMED},
        {BYTES("k8s\0"), KVS_E_NOT_FOUND},
        {BYTES("k8s\0\x0a\x09\x0a\x02v1\x12\x03Pox"), KVS_E_NOT_FOUND},
        {BYTES("k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x1a\x04gzip"), KVS_E_UNSUPPORTED},
        {BYTES("k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x22\x01x"), KVS_E_UNSUPPORTED},
        {BYTES("k8s\0\x0a\x09\x0a\x02v1\x12\x03Po"), KVS_E_MALFORMED},
        {BYTES("k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod"), 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
        const struct kube_kind *kind;
        yyjson_mut_val *root;

        assert_int_equal(kube_proto_decode(doc, view_make(cases[i].bytes.data, cases[i].bytes.len),
                                           &kind, &root),
                         cases[i].err);
        yyjson_mut_doc_free(doc);
    }
}

/* A RawExtension may hold an object in protobuf; objects in objects have an end. */
static void test_envelopes_in_each_other(void **state)
{
    struct buf inner = pod_bytes();
    unsigned nested = 0;
    int err = 0;

    (void)state;
    while (err == 0) {
        yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
        const struct kube_kind *kind;
        yyjson_mut_val *root;
        struct buf outer;

        /* RawExtension's raw (1), List's items (2), Unknown's raw (2). */
        buf_init(&outer);
        buf_append(&outer, "k8s\0\x0a\x0a\x0a\x02v1\x12\x04List", 16);
        for (unsigned i = 0; i < 3; i++) {
            struct buf wrapped;
            static const char tags[] = {0x0a, 0x12, 0x12};
            size_t len = inner.len;

            buf_init(&wrapped);
            buf_append(&wrapped, &tags[i], 1);
            while (len >= 0x80) {
                buf_append_u8(&wrapped, (uint8_t)(len | 0x80));
                len >>= 7;
            }
            buf_append_u8(&wrapped, (uint8_t)len);
            buf_append_view(&wrapped, buf_view(&inner));
            buf_fini(&inner);
            inner = wrapped;
        }
        buf_append_view(&outer, buf_view(&inner));
        buf_fini(&inner);
        inner = outer;
        nested++;
        err = kube_proto_decode(doc, buf_view(&inner), &kind, &root);
        if (err == 0) {
            for (unsigned i = 0; i < nested; i++) {
                root = yyjson_mut_arr_get_first(kube_json_get(root, "items"));
            }
            assert_json(root, pod_json);
        }
        yyjson_mut_doc_free(doc);
    }
    assert_int_equal(err, KVS_E_TOO_LONG);
    assert_true(nested > 5 && nested < 100);
    buf_fini(&inner);
}

static void test_what_is_not_normal_is_not_encoded(void **state)
{
    static const struct {
        const char *message, *json;
    } cases[] = {
        {CORE "Pod", "[]"},
        {CORE "Pod", "{'spek':{}}"},
        {CORE "Pod", "{'spec':[]}"},
        {CORE "PodSpec", "{'containers':{}}"},
        {CORE "PodSpec", "{'nodeName':1}"},
        {CORE "PodSpec", "{'priority':'1'}"},
        {CORE "PodSpec", "{'hostNetwork':1}"},
        {CORE "PodSpec", "{'nodeSelector':[]}"},
        {CORE "HTTPGetAction", "{'port':{}}"},
        {CORE "ResourceRequirements", "{'limits':{'cpu':1}}"},
        {CORE "Secret", "{'data':{'a':'*'}}"},
        {CORE "Secret", "{'data':{'a':5}}"},
        {META "ObjectMeta", "{'creationTimestamp':'now'}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        yyjson_mut_doc *doc = doc_of(cases[i].json);
        struct buf b;

        buf_init(&b);
        if (kube_proto_encode_message(&b, message_of(cases[i].message),
                                      yyjson_mut_doc_get_root(doc)) != KVS_E_INVALID) {
            fail_msg("%s was encoded", cases[i].json);
        }
        buf_fini(&b);
        yyjson_mut_doc_free(doc);
    }
}

/* No beginning of an object is taken for a whole one that reads further than it goes. */
static void test_every_prefix(void **state)
{
    const size_t meta_end = sizeof "k8s" + 2 + 9; /* without a body it is an empty pod */
    struct buf b = pod_bytes();

    (void)state;
    for (size_t len = 0; len < b.len; len++) {
        /* Of its own size, so that reading behind the end is seen. */
        uint8_t *prefix = test_malloc(len + 1);
        yyjson_mut_doc *doc = kube_json_new(kube_json_heap());
        const struct kube_kind *kind;
        yyjson_mut_val *root;
        int err;

        memcpy(prefix + 1, b.data, len);
        err = kube_proto_decode(doc, view_make(prefix + 1, len), &kind, &root);
        assert_true(err == KVS_E_MALFORMED || err == KVS_E_NOT_FOUND || len == meta_end ||
                    len + 4 >= b.len);
        test_free(prefix);
        yyjson_mut_doc_free(doc);
    }
    buf_fini(&b);
}

static int there_and_back(void)
{
    static const char text[] = "{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":"
                               "\"\xc3\xa9\",\"creationTimestamp\":\"2024-01-01T00:00:00Z\"},"
                               "\"data\":{\"b\":\"aGVsbG8=\",\"a\":\"aGVsbG8=\"}}";
    struct kube_json_limits limits = kube_json_limits_default();
    const struct kube_kind *kind;
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    struct buf b;
    int err = kube_json_read(VIEW_LITERAL(text), &limits, kube_json_heap(), &doc, NULL);

    if (err != 0) {
        return err;
    }
    buf_init(&b);
    err = kube_proto_encode(&b, message_of(CORE "Secret"), yyjson_mut_doc_get_root(doc));
    if (err == 0) {
        err = kube_proto_decode(doc, buf_view(&b), &kind, &root);
    }
    buf_fini(&b);
    yyjson_mut_doc_free(doc);
    return err;
}

static void test_no_memory(void **state)
{
    (void)state;
    fail_each_allocation(there_and_back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_other_spellings),
        cmocka_unit_test(test_damage_is_refused),
        cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_envelopes_that_cannot_be_read),
        cmocka_unit_test(test_envelopes_in_each_other),
        cmocka_unit_test(test_what_is_not_normal_is_not_encoded),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
