/* OpenAPI documents: references, kinds, the words that clients look for; and v2's protobuf, read
 * here with gnostic's field numbers once more. */
#include "kube_json_text.h"

#include "base/pb_wire.h"
#include "kube/openapi_v2.h"
#include "kube/openapi_v3.h"
#include "kube/resource.h"

static yyjson_mut_doc *read_text(const struct buf *text)
{
    const struct kube_json_limits limits = {.bytes_max = 8u << 20, .depth_max = 64};
    struct kvs_error error = {0};
    yyjson_mut_doc *doc;

    if (kube_json_read(buf_view(text), &limits, kube_json_heap(), &doc, &error) != 0) {
        fail_msg("%s", error.msg);
    }
    return doc;
}

static yyjson_mut_doc *read_v3(const char *name)
{
    size_t n = kube_openapi_v3_find(view_str(name));
    yyjson_mut_doc *doc;
    struct buf text;

    assert_true(n < kube_openapi_v3_count());
    buf_init(&text);
    assert_int_equal(kube_openapi_v3_write(n, &text), 0);
    doc = read_text(&text);
    buf_fini(&text);
    return doc;
}

/* A member of a member of ...; NULL ends the names. */
static yyjson_mut_val *at(yyjson_mut_val *value, const char *const *names)
{
    for (; *names != NULL; names++) {
        yyjson_mut_val *next = kube_json_get(value, *names);

        if (next == NULL) {
            fail_msg("no %s", *names);
        }
        value = next;
    }
    return value;
}

#define AT(value, ...) at(value, (const char *const[]){__VA_ARGS__, NULL})

/* ---- references ---- */

static size_t check_refs(yyjson_mut_val *value, yyjson_mut_val *schemas, const char *prefix)
{
    struct kvs_view ref = kube_json_get_str(value, "$ref");
    yyjson_mut_val *key;
    yyjson_mut_val *child;
    size_t found = 0;
    size_t i;
    size_t n;

    if (ref.len > 0) {
        assert_true(ref.len > strlen(prefix) && memcmp(ref.data, prefix, strlen(prefix)) == 0);
        assert_non_null(kube_json_get_view(
            schemas, view_make(ref.data + strlen(prefix), ref.len - strlen(prefix))));
        return 1;
    }
    if (yyjson_mut_is_obj(value)) {
        yyjson_mut_obj_foreach(value, i, n, key, child)
        {
            found += check_refs(child, schemas, prefix);
        }
    } else if (yyjson_mut_is_arr(value)) {
        yyjson_mut_arr_foreach(value, i, n, child)
        {
            found += check_refs(child, schemas, prefix);
        }
    }
    return found;
}

static void test_v3_references(void **state)
{
    char name[128];

    (void)state;
    for (size_t n = 0; n < kube_openapi_v3_count(); n++) {
        yyjson_mut_doc *doc;
        yyjson_mut_val *schemas;

        kube_openapi_v3_name(n, name, sizeof name);
        assert_int_equal(kube_openapi_v3_find(view_str(name)), n);
        doc = read_v3(name);
        schemas = AT(doc->root, "components", "schemas");
        assert_true(check_refs(doc->root, schemas, "#/components/schemas/") > 0);
        assert_true(yyjson_mut_obj_size(AT(doc->root, "paths")) > 0);
        yyjson_mut_doc_free(doc);
    }
    assert_int_equal(kube_openapi_v3_find(view_str("apis/nothing")), kube_openapi_v3_count());
}

static void test_v2_references(void **state)
{
    yyjson_mut_doc *doc;
    struct buf text;

    (void)state;
    buf_init(&text);
    assert_int_equal(kube_openapi_v2_json(&text), 0);
    buf_append_u8(&text, 0);
    text.len--;
    assert_null(strstr((char *)text.data, "\"default\":{}")); /* v3's words only */
    assert_null(strstr((char *)text.data, "\"default\":\"\""));
    assert_null(strstr((char *)text.data, "\"allOf\":"));
    assert_null(strstr((char *)text.data, "\"oneOf\":"));
    doc = read_text(&text);
    assert_true(check_refs(doc->root, AT(doc->root, "definitions"), "#/definitions/") > 1000);
    yyjson_mut_doc_free(doc);
    buf_fini(&text);
}

/* ---- kinds ---- */

static bool is_gvk(yyjson_mut_val *gvk, const char *group, const char *version, const char *kind)
{
    return view_equal_str(kube_json_get_str(gvk, "group"), group) &&
           view_equal_str(kube_json_get_str(gvk, "version"), version) &&
           view_equal_str(kube_json_get_str(gvk, "kind"), kind);
}

static bool has_gvk(yyjson_mut_val *schema, const struct kube_resource *r)
{
    yyjson_mut_val *gvk;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(kube_json_get(schema, "x-kubernetes-group-version-kind"), i, n, gvk)
    {
        if (is_gvk(gvk, r->group, r->version, r->kind)) {
            return true;
        }
    }
    return false;
}

static bool has_parameter(yyjson_mut_val *operation, const char *name)
{
    yyjson_mut_val *parameter;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(kube_json_get(operation, "parameters"), i, n, parameter)
    {
        if (view_equal_str(kube_json_get_str(parameter, "name"), name)) {
            return true;
        }
    }
    return false;
}

/* What kubectl asks before it sends anything. */
static void check_patch(yyjson_mut_val *item, const struct kube_resource *r)
{
    yyjson_mut_val *patch = AT(item, "patch");
    yyjson_mut_val *content = AT(patch, "requestBody", "content");

    assert_true(
        is_gvk(AT(patch, "x-kubernetes-group-version-kind"), r->group, r->version, r->kind));
    assert_true(has_parameter(patch, "fieldValidation"));
    assert_true(has_parameter(patch, "dryRun"));
    assert_true(has_parameter(patch, "force"));
    assert_non_null(kube_json_get(content, "application/json-patch+json"));
    assert_non_null(kube_json_get(content, "application/merge-patch+json"));
    assert_non_null(kube_json_get(content, "application/strategic-merge-patch+json"));
    assert_non_null(kube_json_get(content, "application/apply-patch+yaml"));
}

static void check_resource(yyjson_mut_val *root, const char *doc, const struct kube_resource *r)
{
    const struct kube_kind *kind =
        kube_kind_find(view_str(r->group), view_str(r->version), view_str(r->kind));
    const char *name = kube_message_name(kube_kind_message(kind));
    char path[256];

    assert_true(has_gvk(AT(root, "components", "schemas", name), r));
    (void)snprintf(path, sizeof path, "/%s/%s%s/{name}", doc,
                   r->namespaced ? "namespaces/{namespace}/" : "", r->plural);
    if ((r->verbs & KUBE_VERB_PATCH) != 0) {
        check_patch(AT(root, "paths", path), r);
    } else {
        assert_true((r->verbs & KUBE_VERB_GET) != 0 ||
                    kube_json_get(AT(root, "paths"), path) == NULL);
    }
}

static void test_every_kind(void **state)
{
    char name[128];

    (void)state;
    for (size_t i = 0; i < kube_resource_count(); i++) {
        const struct kube_resource *r = kube_resource_at(i);
        yyjson_mut_doc *doc;

        (void)snprintf(name, sizeof name, "%s%s/%s", r->group[0] == '\0' ? "api" : "apis/",
                       r->group, r->version);
        doc = read_v3(name);
        check_resource(doc->root, name, r);
        yyjson_mut_doc_free(doc);
    }
}

/* ---- words ---- */

#define SCHEMA "#/components/schemas/io.k8s."

static void test_words(void **state)
{
    static const struct {
        const char *message;
        const char *property; /* NULL: the definition itself, without what it says of properties */
        const char *want;     /* but for the description */
    } table[] = {
        {CORE "PodSpec", "volumes",
         "{'type':'array','items':{'allOf':[{'$ref':'" SCHEMA "api.core.v1.Volume'}],'default':{}},"
         "'x-kubernetes-list-type':'map','x-kubernetes-list-map-keys':['name'],"
         "'x-kubernetes-patch-strategy':'merge,retainKeys','x-kubernetes-patch-merge-key':'name'}"},
        {CORE "PodSpec", "nodeSelector",
         "{'type':'object','additionalProperties':{'type':'string','default':''},"
         "'x-kubernetes-map-type':'atomic'}"},
        {CORE "PodSpec", "restartPolicy",
         "{'type':'string','enum':['Always','Never','OnFailure']}"},
        {CORE "PodSpec", "securityContext",
         "{'allOf':[{'$ref':'" SCHEMA "api.core.v1.PodSecurityContext'}]}"},
        {CORE "Pod", "spec", "{'allOf':[{'$ref':'" SCHEMA "api.core.v1.PodSpec'}],'default':{}}"},
        {CORE "Container", "name", "{'type':'string','default':''}"},
        {CORE "ContainerPort", "protocol",
         "{'type':'string','enum':['SCTP','TCP','UDP'],'default':'TCP'}"},
        {CORE "ContainerPort", "containerPort", "{'type':'integer','format':'int32','default':0}"},
        {CORE "ServicePort", "targetPort",
         "{'allOf':[{'$ref':'" SCHEMA "apimachinery.pkg.util.intstr.IntOrString'}]}"},
        {CORE "Secret", "data",
         "{'type':'object','additionalProperties':{'type':'string','format':'byte'}}"},
        {CORE "ResourceRequirements", "limits",
         "{'type':'object','additionalProperties':{'$ref':'" SCHEMA
         "apimachinery.pkg.api.resource.Quantity'}}"},
        {META "ObjectMeta", "creationTimestamp",
         "{'allOf':[{'$ref':'" SCHEMA "apimachinery.pkg.apis.meta.v1.Time'}]}"},
        {META "ObjectMeta", "finalizers",
         "{'type':'array','items':{'type':'string','default':''},'x-kubernetes-list-type':'set',"
         "'x-kubernetes-patch-strategy':'merge'}"},
        {META "Time", NULL, "{'type':'string','format':'date-time'}"},
        {"io.k8s.apimachinery.pkg.api.resource.Quantity", NULL,
         "{'oneOf':[{'type':'string'},{'type':'number'}]}"},
        {"io.k8s.apimachinery.pkg.util.intstr.IntOrString", NULL,
         "{'format':'int-or-string','oneOf':[{'type':'integer'},{'type':'string'}]}"},
        {CORE "Container", NULL, "{'type':'object','required':['name']}"},
        {CORE "ObjectReference", NULL, "{'type':'object','x-kubernetes-map-type':'atomic'}"},
        {CORE "Pod", NULL,
         "{'type':'object','x-kubernetes-group-version-kind':"
         "[{'group':'','version':'v1','kind':'Pod'}]}"},
    };
    yyjson_mut_doc *doc = read_v3("api/v1");

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        yyjson_mut_val *value = AT(doc->root, "components", "schemas", table[i].message);

        if (table[i].property != NULL) {
            value = AT(value, "properties", table[i].property);
        }
        assert_non_null(yyjson_mut_obj_remove_key(value, "description"));
        if (table[i].property == NULL) {
            (void)yyjson_mut_obj_remove_key(value, "properties");
        }
        assert_json(value, table[i].want);
    }
    yyjson_mut_doc_free(doc);
}

static void test_index(void **state)
{
    uint64_t hashes[64] = {0};
    yyjson_mut_doc *doc;
    struct buf text;

    (void)state;
    assert_true(kube_openapi_v3_count() <= 64);
    hashes[kube_openapi_v3_find(view_str("apis/apps/v1"))] = 0xabcdef;
    buf_init(&text);
    kube_openapi_v3_index(hashes, &text);
    doc = read_text(&text);
    assert_int_equal(yyjson_mut_obj_size(AT(doc->root, "paths")), kube_openapi_v3_count());
    assert_json(AT(doc->root, "paths", "apis/apps/v1"),
                "{'serverRelativeURL':'/openapi/v3/apis/apps/v1?hash=0000000000ABCDEF'}");
    yyjson_mut_doc_free(doc);
    buf_fini(&text);
}

/* ---- protobuf ---- */

/* The message in a field that is the only one of its message. */
static struct kvs_view unwrap(struct kvs_view message, uint32_t number)
{
    struct pb_reader r = pb_reader_make(message);
    struct kvs_view inner = {0};
    uint32_t got = 0;
    unsigned type = 0;

    assert_true(pb_read_tag(&r, &got, &type) && got == number && type == PB_WIRE_LEN);
    assert_true(pb_read_bytes(&r, &inner));
    assert_ptr_equal(r.at, r.end);
    return inner;
}

/* name = 1, value = 2 */
static struct kvs_view named(struct kvs_view message, struct kvs_view *ret_value)
{
    struct pb_reader r = pb_reader_make(message);
    struct kvs_view name;
    uint32_t number = 0;
    unsigned type = 0;

    assert_true(pb_read_tag(&r, &number, &type) && number == 1 && type == PB_WIRE_LEN);
    assert_true(pb_read_bytes(&r, &name));
    assert_true(pb_read_tag(&r, &number, &type) && number == 2 && type == PB_WIRE_LEN);
    assert_true(pb_read_bytes(&r, ret_value));
    assert_ptr_equal(r.at, r.end);
    return name;
}

static void same_text(struct kvs_view got, yyjson_mut_val *want)
{
    assert_true(view_equal(got, kube_json_str(want)));
}

/* Any: YAML, of which JSON is some, in field 2. */
static void same_any(struct kvs_view any, yyjson_mut_val *want)
{
    struct kvs_view yaml = unwrap(any, 2);
    const struct buf text = {.data = (uint8_t *)(uintptr_t)yaml.data, .len = yaml.len};
    yyjson_mut_doc *doc = read_text(&text);

    assert_non_null(want);
    assert_true(kube_json_equal(doc->root, want));
    yyjson_mut_doc_free(doc);
}

static void same_schema(struct kvs_view message, yyjson_mut_val *want);

static void same_properties(struct kvs_view message, yyjson_mut_val *want)
{
    struct pb_reader r = pb_reader_make(message);
    struct kvs_view property;
    struct kvs_view value;
    uint32_t number = 0;
    unsigned type = 0;
    size_t n = 0;

    for (; r.at < r.end; n++) {
        assert_true(pb_read_tag(&r, &number, &type) && number == 1 && type == PB_WIRE_LEN);
        assert_true(pb_read_bytes(&r, &property));
        property = named(property, &value);
        same_schema(value, kube_json_get_view(want, property));
    }
    assert_int_equal(n, yyjson_mut_obj_size(want));
}

struct seen {
    size_t members; /* of the JSON that a field was found for */
    size_t required;
    size_t values; /* of an enum */
};

static void
same_schema_field(uint32_t number, struct kvs_view bytes, yyjson_mut_val *want, struct seen *seen)
{
    struct kvs_view name;
    struct kvs_view value;

    seen->members++;
    switch (number) {
    case 1:
        same_text(bytes, kube_json_get(want, "$ref"));
        break;
    case 2:
        same_text(bytes, kube_json_get(want, "format"));
        break;
    case 4:
        same_text(bytes, kube_json_get(want, "description"));
        break;
    case 19:
        seen->members -= seen->required > 0;
        same_text(bytes, yyjson_mut_arr_get(kube_json_get(want, "required"), seen->required++));
        break;
    case 20:
        seen->members -= seen->values > 0;
        same_any(bytes, yyjson_mut_arr_get(kube_json_get(want, "enum"), seen->values++));
        break;
    case 21:
        same_schema(unwrap(bytes, 1), kube_json_get(want, "additionalProperties"));
        break;
    case 22:
        same_text(unwrap(bytes, 1), kube_json_get(want, "type"));
        break;
    case 23:
        same_schema(unwrap(bytes, 1), kube_json_get(want, "items"));
        break;
    case 25:
        same_properties(bytes, kube_json_get(want, "properties"));
        break;
    case 31:
        name = named(bytes, &value);
        same_any(value, kube_json_get_view(want, name));
        break;
    default:
        fail_msg("field %u of a schema", number);
    }
}

static void same_schema(struct kvs_view message, yyjson_mut_val *want)
{
    struct pb_reader r = pb_reader_make(message);
    struct seen seen = {0};
    struct kvs_view bytes = {0};
    uint32_t number = 0;
    unsigned type = 0;

    assert_non_null(want);
    while (r.at < r.end) {
        assert_true(pb_read_tag(&r, &number, &type) && type == PB_WIRE_LEN);
        assert_true(pb_read_bytes(&r, &bytes));
        same_schema_field(number, bytes, want, &seen);
    }
    assert_int_equal(seen.members, yyjson_mut_obj_size(want));
    assert_int_equal(seen.required, yyjson_mut_arr_size(kube_json_get(want, "required")));
    assert_int_equal(seen.values, yyjson_mut_arr_size(kube_json_get(want, "enum")));
}

/* The n-th field of a number in a message; false if there are not so many. */
static bool field_of(struct kvs_view message, uint32_t wanted, size_t n, struct kvs_view *ret_bytes)
{
    struct pb_reader r = pb_reader_make(message);
    uint32_t number = 0;
    unsigned type = 0;

    while (r.at < r.end) {
        assert_true(pb_read_tag(&r, &number, &type));
        if (number != wanted || n-- > 0) {
            assert_true(pb_skip(&r, type));
        } else {
            assert_int_equal(type, PB_WIRE_LEN);
            assert_true(pb_read_bytes(&r, ret_bytes));
            return true;
        }
    }
    return false;
}

static void same_field(struct kvs_view message, uint32_t number, yyjson_mut_val *want)
{
    struct kvs_view bytes = {0};

    assert_true(field_of(message, number, 0, &bytes));
    same_text(bytes, want);
}

/* {1: {1: body | 2: {3: query | 4: path}}}: where it is, and its name. */
static void same_parameter(struct kvs_view item, yyjson_mut_val *want)
{
    struct kvs_view where = kube_json_get_str(want, "in");
    struct kvs_view parameter = unwrap(item, 1);

    if (view_equal_str(where, "body")) {
        parameter = unwrap(parameter, 1);
        same_field(parameter, 2, kube_json_get(want, "name"));
        assert_true(field_of(parameter, 5, 0, &parameter));
        same_schema(parameter, kube_json_get(want, "schema"));
        return;
    }
    parameter = unwrap(unwrap(parameter, 2), view_equal_str(where, "query") ? 3 : 4);
    same_field(parameter, 2, kube_json_get(want, "in"));
    same_field(parameter, 3, kube_json_get(want, "description"));
    same_field(parameter, 4, kube_json_get(want, "name"));
    same_field(parameter, view_equal_str(where, "query") ? 6 : 5, kube_json_get(want, "type"));
}

static void same_parameters(struct kvs_view message, uint32_t number, yyjson_mut_val *want)
{
    struct kvs_view bytes = {0};
    yyjson_mut_val *parameter;
    size_t i;
    size_t n;

    assert_non_null(want);
    yyjson_mut_arr_foreach(want, i, n, parameter)
    {
        assert_true(field_of(message, number, i, &bytes));
        same_parameter(bytes, parameter);
    }
    assert_false(field_of(message, number, n, &bytes));
}

static void same_operation(struct kvs_view message, yyjson_mut_val *want)
{
    struct kvs_view bytes = {0};
    struct kvs_view name;
    struct kvs_view value;

    same_field(message, 5, kube_json_get(want, "operationId"));
    if (kube_json_get(want, "parameters") != NULL) {
        same_parameters(message, 8, kube_json_get(want, "parameters"));
    }
    for (size_t i = 0; field_of(message, 13, i, &bytes); i++) {
        name = named(bytes, &value);
        same_any(value, kube_json_get_view(want, name));
    }
    assert_true(field_of(message, 9, 0, &bytes) && field_of(bytes, 1, 0, &bytes));
    name = named(bytes, &value);
    value = unwrap(value, 1);
    want = AT(want, "responses");
    assert_true(field_of(value, 2, 0, &bytes));
    same_schema(unwrap(bytes, 1), kube_json_get(kube_json_get_view(want, name), "schema"));
}

static void same_path(struct kvs_view message, yyjson_mut_val *want)
{
    static const struct {
        const char *method;
        uint32_t number;
    } methods[] = {{"get", 2}, {"put", 3}, {"post", 4}, {"delete", 5}, {"patch", 8}};
    struct kvs_view bytes = {0};

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        bool there = field_of(message, methods[i].number, 0, &bytes);

        assert_int_equal(there, kube_json_get(want, methods[i].method) != NULL);
        if (there) {
            same_operation(bytes, kube_json_get(want, methods[i].method));
        }
    }
    if (kube_json_get(want, "parameters") != NULL) {
        same_parameters(message, 9, kube_json_get(want, "parameters"));
    }
}

/* All named ones in a field of the document. */
static void same_named(struct kvs_view message,
                       uint32_t number,
                       yyjson_mut_val *want,
                       void (*same)(struct kvs_view message, yyjson_mut_val *want))
{
    struct pb_reader r = pb_reader_make(message);
    struct kvs_view bytes = {0};
    struct kvs_view value;
    uint32_t got = 0;
    unsigned type = 0;
    size_t n = 0;

    for (; r.at < r.end; n++) {
        assert_true(pb_read_tag(&r, &got, &type) && got == number && type == PB_WIRE_LEN);
        assert_true(pb_read_bytes(&r, &bytes));
        bytes = named(bytes, &value);
        assert_non_null(kube_json_get_view(want, bytes));
        same(value, kube_json_get_view(want, bytes));
    }
    assert_int_equal(n, yyjson_mut_obj_size(want));
}

static void test_v2_protobuf(void **state)
{
    struct kvs_view bytes = {0};
    yyjson_mut_doc *doc;
    struct buf text;
    struct buf proto;

    (void)state;
    buf_init(&text);
    buf_init(&proto);
    assert_int_equal(kube_openapi_v2_json(&text), 0);
    assert_int_equal(kube_openapi_v2_proto(&proto), 0);
    doc = read_text(&text);
    same_field(buf_view(&proto), 1, AT(doc->root, "swagger"));
    assert_true(field_of(buf_view(&proto), 2, 0, &bytes));
    same_field(bytes, 2, AT(doc->root, "info", "version"));
    assert_true(field_of(buf_view(&proto), 8, 0, &bytes));
    same_named(bytes, 2, AT(doc->root, "paths"), same_path);
    assert_true(field_of(buf_view(&proto), 9, 0, &bytes));
    same_named(bytes, 1, AT(doc->root, "definitions"), same_schema);
    yyjson_mut_doc_free(doc);
    buf_fini(&text);
    buf_fini(&proto);
}

/* ---- out of memory ---- */

static int write_group(void)
{
    struct buf text;
    int err;

    buf_init(&text);
    err = kube_openapi_v3_write(kube_openapi_v3_find(view_str("apis/apps")), &text);
    buf_fini(&text);
    return err;
}

/* Every so many allocations only: each try takes long. */
static void fail_some(int (*write)(struct buf *to))
{
    static const struct kvs_allocator failing = {countdown_realloc, countdown_free, NULL};
    int err = KVS_E_NOMEM;
    size_t n = 1;

    kvs_alloc_set(&failing);
    for (; err != 0; n += 211) {
        struct buf text;

        buf_init(&text);
        alloc_countdown = n;
        err = write(&text);
        assert_true(err == 0 || err == KVS_E_NOMEM);
        buf_fini(&text);
    }
    assert_true(alloc_countdown > 0);
    assert_true(n > 3 * 211);
    alloc_countdown = 0;
    kvs_alloc_set(NULL);
}

static void test_no_memory(void **state)
{
    (void)state;
    fail_each_allocation(write_group);
    fail_some(kube_openapi_v2_json);
    fail_some(kube_openapi_v2_proto);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v3_references), cmocka_unit_test(test_v2_references),
        cmocka_unit_test(test_every_kind),    cmocka_unit_test(test_words),
        cmocka_unit_test(test_index),         cmocka_unit_test(test_v2_protobuf),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
