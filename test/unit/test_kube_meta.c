/* Metadata: accessors, what the server fills in, validation with its messages. */
#include <stdio.h>
#include <stdlib.h>

#include "kube/meta_validate.h"
#include "kube/object_meta.h"
#include "kube/tree.h"
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

static void assert_json(yyjson_mut_val *value, const char *expected)
{
    char *json = yyjson_mut_val_write(value, 0, NULL);

    assert_non_null(json);
    assert_string_equal(json, expected);
    free(json);
}

static void reading(void **state)
{
    yyjson_mut_doc *doc =
        tree("{\"metadata\":{\"name\":\"n\",\"namespace\":\"ns\",\"uid\":\"u\",\"resourceVersion\":"
             "\"7\","
             "\"generation\":3,\"labels\":{\"a\":\"1\"},\"annotations\":{\"b\":\"2\",\"c\":3},"
             "\"finalizers\":[\"x/y\"],\"ownerReferences\":[{\"uid\":\"p\"},{\"uid\":\"q\","
             "\"controller\":true}],\"deletionTimestamp\":\"2026-01-01T00:00:00Z\","
             "\"deletionGracePeriodSeconds\":30}}");
    yyjson_mut_doc *empty = tree("{\"metadata\":{\"name\":1,\"labels\":[],\"generation\":\"x\"}}");
    yyjson_mut_doc *none = tree("[]");
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    struct kvs_view value;
    int64_t number;

    (void)state;
    assert_true(view_equal_str(kube_meta_name(root), "n"));
    assert_true(view_equal_str(kube_meta_namespace(root), "ns"));
    assert_true(view_equal_str(kube_meta_uid(root), "u"));
    assert_true(view_equal_str(kube_meta_resource_version(root), "7"));
    assert_int_equal(kube_meta_generation(root), 3);
    assert_true(kube_meta_is_deleting(root));
    assert_true(kube_meta_number(root, "deletionGracePeriodSeconds", &number));
    assert_int_equal(number, 30);
    assert_true(kube_meta_label(root, view_str("a"), &value));
    assert_true(view_equal_str(value, "1"));
    assert_false(kube_meta_label(root, view_str("b"), &value));
    assert_true(kube_meta_annotation(root, view_str("b"), &value));
    assert_false(kube_meta_annotation(root, view_str("c"), &value));
    assert_true(kube_meta_has_finalizer(root, view_str("x/y")));
    assert_false(kube_meta_has_finalizer(root, view_str("x")));
    assert_true(
        view_equal_str(kube_tree_text(yyjson_mut_obj_get(kube_meta_controller(root), "uid")), "q"));

    root = yyjson_mut_doc_get_root(empty);
    assert_int_equal(kube_meta_name(root).len, 0);
    assert_null(kube_meta_labels(root));
    assert_int_equal(kube_meta_generation(root), 0);
    assert_false(kube_meta_is_deleting(root));
    assert_null(kube_meta_controller(root));
    assert_int_equal(kube_meta_name(yyjson_mut_doc_get_root(none)).len, 0);
    assert_int_equal(kube_meta_name(NULL).len, 0);
    yyjson_mut_doc_free(doc);
    yyjson_mut_doc_free(empty);
    yyjson_mut_doc_free(none);
}

static void writing(void **state)
{
    yyjson_mut_doc *doc = tree("{}");
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    struct kvs_view one = VIEW_LITERAL("1");
    struct kvs_view nothing = {"", 0};

    (void)state;
    assert_int_equal(kube_meta_set_text(doc, root, "name", view_str("n")), 0);
    assert_int_equal(kube_meta_set_text(doc, root, "name", view_str("m")), 0);
    assert_int_equal(kube_meta_set_number(doc, root, "generation", 2), 0);
    assert_int_equal(kube_meta_set_label(doc, root, view_str("a"), &one), 0);
    assert_int_equal(kube_meta_set_label(doc, root, view_str("b"), &nothing), 0);
    assert_int_equal(kube_meta_set_annotation(doc, root, view_str("c"), &one), 0);
    assert_int_equal(kube_meta_add_finalizer(doc, root, view_str("x/y")), 0);
    assert_int_equal(kube_meta_add_finalizer(doc, root, view_str("x/y")), 0);
    assert_json(root,
                "{\"metadata\":{\"name\":\"m\",\"generation\":2,\"labels\":{\"a\":\"1\",\"b\":"
                "\"\"},\"annotations\":{\"c\":\"1\"},\"finalizers\":[\"x/y\"]}}");
    assert_int_equal(kube_meta_set_label(doc, root, view_str("a"), NULL), 0);
    assert_int_equal(kube_meta_set_label(doc, root, view_str("b"), NULL), 0);
    assert_int_equal(kube_meta_set_annotation(doc, root, view_str("zz"), NULL), 0);
    assert_true(kube_meta_remove_finalizer(root, view_str("x/y")));
    assert_false(kube_meta_remove_finalizer(root, view_str("x/y")));
    assert_int_equal(kube_meta_set_text(doc, root, "name", view_str("")), 0);
    assert_json(root, "{\"metadata\":{\"generation\":2,\"annotations\":{\"c\":\"1\"}}}");
    assert_int_equal(kube_meta_set_time(doc, root, "creationTimestamp", (struct kube_time){0}), 0);
    assert_true(view_equal_str(kube_meta_text(root, "creationTimestamp"), "1970-01-01T00:00:00Z"));
    yyjson_mut_doc_free(doc);
}

static void ids(void **state)
{
    static const uint8_t zeros[16];
    static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255};
    char uid[KUBE_UID_TEXT_MAX];
    char name[KUBE_NAME_TEXT_MAX];
    char other[KUBE_NAME_TEXT_MAX];
    char base[100];
    struct rng rng;

    (void)state;
    kube_uid_print(zeros, uid);
    assert_string_equal(uid, "00000000-0000-4000-8000-000000000000");
    kube_uid_print(ones, uid);
    assert_string_equal(uid, "ffffffff-ffff-4fff-bfff-ffffffffffff");

    rng_init(&rng, 1);
    assert_int_equal(kube_name_generate(view_str("web-"), &rng, name), 9);
    assert_memory_equal(name, "web-", 4);
    assert_int_equal(strspn(name + 4, "bcdfghjklmnpqrstvwxz2456789"), 5);
    assert_int_equal(kube_name_generate(view_str("web-"), &rng, other), 9);
    assert_string_not_equal(name, other);
    memset(base, 'a', sizeof base);
    assert_int_equal(kube_name_generate(view_make(base, sizeof base), &rng, name), 63);
    assert_memory_equal(name, base, 58);
    assert_int_equal(kube_name_generate(view_make(NULL, 0), &rng, name), 5);
}

static void preparing(void **state)
{
    static const uint8_t random[16];
    yyjson_mut_doc *doc =
        tree("{\"metadata\":{\"generateName\":\"w-\",\"uid\":\"mine\",\"selfLink\":\"x\","
             "\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}");
    yyjson_mut_doc *old =
        tree("{\"metadata\":{\"name\":\"n\",\"uid\":\"u\",\"creationTimestamp\":"
             "\"2026-01-01T00:00:00Z\",\"deletionTimestamp\":\"2026-02-01T00:00:00Z\","
             "\"deletionGracePeriodSeconds\":30}}");
    yyjson_mut_doc *update = tree("{\"metadata\":{\"name\":\"n\",\"creationTimestamp\":null}}");
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    struct kube_time now = {.seconds = 86400};
    struct rng rng;

    (void)state;
    rng_init(&rng, 1);
    assert_int_equal(kube_meta_prepare_create(doc, root, now, random, &rng), 0);
    assert_int_equal(kube_meta_name(root).len, 7);
    assert_true(view_equal_str(kube_meta_uid(root), "00000000-0000-4000-8000-000000000000"));
    assert_true(view_equal_str(kube_meta_text(root, "creationTimestamp"), "1970-01-02T00:00:00Z"));
    assert_false(kube_meta_is_deleting(root));
    assert_int_equal(kube_meta_text(root, "selfLink").len, 0);

    root = yyjson_mut_doc_get_root(update);
    assert_int_equal(kube_meta_prepare_update(update, root, yyjson_mut_doc_get_root(old)), 0);
    assert_json(root,
                "{\"metadata\":{\"name\":\"n\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\","
                "\"uid\":\"u\",\"deletionTimestamp\":\"2026-02-01T00:00:00Z\","
                "\"deletionGracePeriodSeconds\":30}}");
    yyjson_mut_doc_free(doc);
    yyjson_mut_doc_free(old);
    yyjson_mut_doc_free(update);
}

/* ---- validation ---- */

#define SUBDOMAIN                                                                                  \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
#define NAME_PART                                                                                  \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "         \
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
#define OK "\"name\":\"n\",\"namespace\":\"ns\""

static void created(void **state)
{
    static const struct {
        const char *meta;
        const char *errors;
        bool is_cluster;
        bool is_custom;
    } cases[] = {
        {OK, "", false, false},
        {OK ",\"generateName\":\"web-\"", "", false, false},
        {OK ",\"labels\":{\"a\":\"\",\"x.y/z\":\"B_c\"},\"annotations\":{\"X/Y\":\"any thing\"}",
         "", false, false},
        {"\"name\":\"n\"", "", true, false},
        {"\"namespace\":\"ns\"", "metadata.name: Required value: name or generateName is required",
         false, false},
        {"\"name\":\"n\"", "metadata.namespace: Required value", false, false},
        {OK, "metadata.namespace: Forbidden: not allowed on this type", true, false},
        {"\"name\":\"Bad_Name\"", "metadata.name: Invalid value: \"Bad_Name\": " SUBDOMAIN, true,
         false},
        {OK ",\"generateName\":\"Web-\"",
         "metadata.generateName: Invalid value: \"Web-\": " SUBDOMAIN, false, false},
        {"\"name\":\"n\",\"namespace\":\"a.b\"",
         "metadata.namespace: Invalid value: \"a.b\": must not contain dots", false, false},
        {OK ",\"generation\":-1",
         "metadata.generation: Invalid value: -1: must be greater than or equal to 0", false,
         false},
        {OK ",\"labels\":{\"bad key\":\"x\"}",
         "metadata.labels: Invalid value: \"bad key\": name part " NAME_PART, false, false},
        {OK ",\"annotations\":{\"bad/key/x\":\"1\"}",
         "metadata.annotations: Invalid value: \"bad/key/x\": a qualified name " NAME_PART
         " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
         false, false},
        {OK ",\"ownerReferences\":[{\"apiVersion\":\"\",\"kind\":\"\",\"name\":\"\",\"uid\":\"\"}]",
         "[metadata.ownerReferences.apiVersion: Invalid value: \"\": version must not be empty, "
         "metadata.ownerReferences.kind: Invalid value: \"\": kind must not be empty, "
         "metadata.ownerReferences.name: Invalid value: \"\": name must not be empty, "
         "metadata.ownerReferences.uid: Invalid value: \"\": uid must not be empty]",
         false, false},
        {OK ",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"name\":\"e\","
            "\"uid\":\"1\"}]",
         "metadata.ownerReferences: Invalid value: v1.OwnerReference{APIVersion:\"v1\", "
         "Kind:\"Event\", Name:\"e\", UID:\"1\", Controller:(*bool)(nil), "
         "BlockOwnerDeletion:(*bool)(nil)}: /v1, Kind=Event is disallowed from being an owner",
         false, false},
        {OK ",\"ownerReferences\":[{\"apiVersion\":\"a/v1\",\"kind\":\"A\",\"name\":\"a\",\"uid\":"
            "\"1\",\"controller\":true},{\"apiVersion\":\"v1\",\"kind\":\"B\",\"name\":\"b\","
            "\"uid\":\"2\",\"controller\":true}]",
         "metadata.ownerReferences: Invalid value: []v1.OwnerReference{v1.OwnerReference{"
         "APIVersion:\"a/v1\", Kind:\"A\", Name:\"a\", UID:\"1\", Controller:(*bool)(true), "
         "BlockOwnerDeletion:(*bool)(nil)}, v1.OwnerReference{APIVersion:\"v1\", Kind:\"B\", "
         "Name:\"b\", UID:\"2\", Controller:(*bool)(true), BlockOwnerDeletion:(*bool)(nil)}}: Only "
         "one reference can have Controller set to true. Found \"true\" in references for A/a and "
         "B/b",
         false, false},
        {OK ",\"finalizers\":[\"kubernetes\",\"orphan\",\"example.com/x\"]", "", false, false},
        {OK ",\"finalizers\":[\"mine\"]",
         "metadata.finalizers[0]: Invalid value: \"mine\": name is neither a standard finalizer "
         "name nor is it fully qualified",
         false, false},
        {OK ",\"finalizers\":[\"mine\"]", "", false, true},
        {OK ",\"finalizers\":[\"orphan\",\"foregroundDeletion\"]",
         "metadata.finalizers: Invalid value: []string{\"orphan\", \"foregroundDeletion\"}: "
         "finalizer orphan and foregroundDeletion cannot be both set",
         false, false},
        {OK
         ",\"managedFields\":[{\"manager\":\"a\\nb\",\"operation\":\"Do\",\"fieldsType\":\"F2\"}]",
         "[metadata.managedFields[0].operation: Invalid value: \"Do\": must be `Apply` or "
         "`Update`, "
         "metadata.managedFields[0].fieldsType: Invalid value: \"F2\": must be `FieldsV1`, "
         "metadata.managedFields[0].manager: Invalid value: \"a\\nb\": invalid character U+000A "
         "(at position 1)]",
         false, false},
    };
    struct kube_path path = kube_path_root("metadata");
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_meta_rules rules = {.is_namespaced = !cases[i].is_cluster,
                                        .is_custom = cases[i].is_custom};
        struct kube_errors errors;
        yyjson_mut_doc *doc;
        char json[1000];

        print_message("%s\n", cases[i].meta);
        (void)snprintf(json, sizeof json, "{\"metadata\":{%s}}", cases[i].meta);
        doc = tree(json);
        kube_errors_init(&errors);
        kube_meta_validate(yyjson_mut_doc_get_root(doc), &rules, &path, &errors);
        assert_false(errors.failed);
        kube_errors_print(&errors, &out);
        assert_text(&out, cases[i].errors);
        kube_errors_fini(&errors);
        yyjson_mut_doc_free(doc);
    }
    buf_fini(&out);
}

static void annotations_in_total(void **state)
{
    static const int sizes[] = {256 * 1024 - 1, 256 * 1024};
    struct kube_path path = kube_path_root("metadata");
    char *value = malloc(256 * 1024);

    (void)state;
    memset(value, 'x', 256 * 1024);
    for (int i = 0; i < 2; i++) {
        struct kube_meta_rules rules = {.is_namespaced = false};
        yyjson_mut_doc *doc = tree("{\"metadata\":{\"name\":\"n\"}}");
        yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
        struct kvs_view text = view_make(value, (size_t)sizes[i]);
        struct kube_errors errors;

        kube_errors_init(&errors);
        assert_int_equal(kube_meta_set_annotation(doc, root, view_str("a"), &text), 0);
        kube_meta_validate(root, &rules, &path, &errors);
        assert_int_equal(errors.count, i);
        if (i == 1) {
            assert_string_equal(errors.items[0].field, "metadata.annotations");
            assert_string_equal(errors.items[0].body,
                                "Too long: may not be more than 262144 bytes");
        }
        kube_errors_fini(&errors);
        yyjson_mut_doc_free(doc);
    }
    free(value);
}

#define RV ",\"resourceVersion\":\"1\""

static void updated(void **state)
{
    static const struct {
        const char *old;
        const char *meta;
        const char *errors;
    } cases[] = {
        {OK RV, OK RV, ""},
        {OK RV, OK,
         "metadata.resourceVersion: Invalid value: \"\": must be specified for an update"},
        {OK RV ",\"generation\":2", OK RV ",\"generation\":1",
         "metadata.generation: Invalid value: 1: must not be decremented"},
        {OK RV ",\"uid\":\"a\"", OK RV ",\"uid\":\"x\"",
         "metadata.uid: Invalid value: \"x\": field is immutable"},
        {OK RV, "\"name\":\"m\",\"namespace\":\"o\"" RV,
         "[metadata.name: Invalid value: \"m\": field is immutable, metadata.namespace: Invalid "
         "value: \"o\": field is immutable]"},
        {OK RV ",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"",
         OK RV ",\"creationTimestamp\":\"2026-01-02T03:04:05Z\"",
         "metadata.creationTimestamp: Invalid value: 2026-01-02 03:04:05 +0000 UTC: field is "
         "immutable"},
        {OK RV ",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"",
         OK RV ",\"creationTimestamp\":\"2026-01-01T01:00:00+01:00\"", ""},
        {OK RV, OK RV ",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\"",
         "metadata.deletionTimestamp: Invalid value: 2026-01-02 03:04:05 +0000 UTC: field is "
         "immutable"},
        {OK RV ",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\"", OK RV,
         "metadata.deletionTimestamp: Invalid value: \"null\": field is immutable"},
        {OK RV, OK RV ",\"deletionGracePeriodSeconds\":5",
         "metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable"},
        {OK RV ",\"deletionGracePeriodSeconds\":0", OK RV,
         "metadata.deletionGracePeriodSeconds: Invalid value: \"null\": field is immutable"},
        {OK RV ",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\",\"finalizers\":[\"a/a\"]",
         OK RV ",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\",\"finalizers\":[\"c/c\",\"a/a\","
               "\"b/b\"]",
         "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
         "deleted, found new finalizers []string{\"b/b\", \"c/c\"}"},
        {OK RV ",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\",\"finalizers\":[\"a/a\"]",
         OK RV ",\"deletionTimestamp\":\"2026-01-02T03:04:05Z\"", ""},
        {OK RV, OK RV ",\"labels\":{\"a\":\"-\"}",
         "metadata.labels: Invalid value: \"-\": a valid label must be an empty string or consist "
         "of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
         "character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
         "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
    };
    struct kube_path path = kube_path_root("metadata");
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_meta_rules rules = {.is_namespaced = true};
        struct kube_errors errors;
        yyjson_mut_doc *old;
        yyjson_mut_doc *doc;
        char json[1000];

        print_message("%s\n", cases[i].meta);
        (void)snprintf(json, sizeof json, "{\"metadata\":{%s}}", cases[i].old);
        old = tree(json);
        (void)snprintf(json, sizeof json, "{\"metadata\":{%s}}", cases[i].meta);
        doc = tree(json);
        kube_errors_init(&errors);
        kube_meta_validate_update(yyjson_mut_doc_get_root(doc), yyjson_mut_doc_get_root(old),
                                  &rules, &path, &errors);
        assert_false(errors.failed);
        kube_errors_print(&errors, &out);
        assert_text(&out, cases[i].errors);
        kube_errors_fini(&errors);
        yyjson_mut_doc_free(doc);
        yyjson_mut_doc_free(old);
    }
    buf_fini(&out);
}

static void names_by_kind(void **state)
{
    static const struct {
        const char *group;
        const char *kind;
        const char *good;
        const char *bad;
    } cases[] = {
        {"", "Pod", "a.b", "A"},
        {"", "Namespace", "a-b", "a.b"},
        {"", "Service", "svc", "1svc"},
        {"rbac.authorization.k8s.io", "ClusterRole", "system:Node", "a/b"},
        {"example.com", "Service", "1svc", "A"},
    };
    struct kube_name_messages messages;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum kube_name_rule rule =
            kube_name_rule_of(view_str(cases[i].group), view_str(cases[i].kind));

        assert_true(kube_name_check(rule, view_str(cases[i].good), false, &messages));
        assert_false(kube_name_check(rule, view_str(cases[i].bad), false, &messages));
    }
    assert_true(kube_name_check(KUBE_NAME_SUBDOMAIN, view_str("a-"), true, &messages));
    assert_false(kube_name_check(KUBE_NAME_SUBDOMAIN, view_str("a-"), false, &messages));
    assert_false(kube_name_check(KUBE_NAME_SUBDOMAIN, view_str("-"), true, &messages));
    assert_true(kube_name_check(KUBE_NAME_PATH_SEGMENT, view_str(".."), true, &messages));
    assert_false(kube_name_check(KUBE_NAME_PATH_SEGMENT, view_str(".."), false, &messages));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading), cmocka_unit_test(writing),
        cmocka_unit_test(ids),     cmocka_unit_test(preparing),
        cmocka_unit_test(created), cmocka_unit_test(annotations_in_total),
        cmocka_unit_test(updated), cmocka_unit_test(names_by_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
