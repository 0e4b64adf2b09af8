/* What holds for every kind: creation, optimistic concurrency, generation, status, deletion. */
#include "kube/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/view.h"
#include "kube/object_meta.h"
#include "kube_json_text.h"

/* 2026-01-02T03:04:05Z */
#define NOW_NS (UINT64_C(1767323045) * 1000000000)

struct fixture {
    struct kube_route route;
    struct kube_query query;
    struct kube_status status;
    struct kube_rules rules;
    struct rng rng;
    yyjson_mut_doc *doc;
};

static void begin(struct fixture *f, const char *group, const char *plural, const char *name)
{
    *f = (struct fixture){0};
    f->route.kind = KUBE_ROUTE_RESOURCE;
    f->route.resource = kube_resource_find(view_str(group), view_str("v1"), view_str(plural));
    assert_non_null(f->route.resource);
    f->route.namespace = view_str(f->route.resource->namespaced ? "ns" : "");
    f->route.name = view_str(name);
    f->query.grace_period_s = -1;
    kube_status_init(&f->status);
    rng_init(&f->rng, 1);
    f->doc = kube_json_new(kube_json_heap());
    assert_non_null(f->doc);
    f->rules = (struct kube_rules){.route = &f->route,
                                   .query = &f->query,
                                   .doc = f->doc,
                                   .now_ns = NOW_NS,
                                   .rng = &f->rng,
                                   .status = &f->status};
}

static void end(struct fixture *f)
{
    kube_status_fini(&f->status);
    yyjson_mut_doc_free(f->doc);
}

/* Single quotes stand for double ones. */
static yyjson_mut_val *object(struct fixture *f, const char *quoted)
{
    struct kube_json_limits limits = kube_json_limits_default();
    struct buf text = text_of(quoted);
    yyjson_mut_val *value;

    assert_int_equal(kube_json_read_into(f->doc, buf_view(&text), &limits, &value, NULL), 0);
    buf_fini(&text);
    return value;
}

static void assert_refused(struct fixture *f, int err, unsigned code, const char *text)
{
    assert_int_equal(err, KVS_E_INVALID);
    assert_int_equal(f->status.code, code);
    buf_append_u8(&f->status.message, 0);
    assert_non_null(strstr((const char *)f->status.message.data, text));
}

static void test_create(void **state)
{
    struct fixture f;
    yyjson_mut_val *o;

    (void)state;
    begin(&f, "policy", "poddisruptionbudgets", "");
    o = object(&f, "{'metadata':{'generateName':'web-','generation':9,'deletionTimestamp':"
                   "'2020-01-01T00:00:00Z','uid':'mine'},'spec':{},'status':{'replicas':3}}");
    assert_int_equal(kube_rules_create(&f.rules, o), 0);
    assert_int_equal(kube_meta_name(o).len, 9);
    assert_true(view_equal_str(kube_meta_namespace(o), "ns"));
    assert_int_equal(kube_meta_uid(o).len, 36);
    assert_int_equal(kube_meta_generation(o), 1);
    assert_false(kube_meta_is_deleting(o));
    assert_true(view_equal_str(kube_meta_text(o, "creationTimestamp"), "2026-01-02T03:04:05Z"));
    assert_null(kube_json_get(o, "status"));
    end(&f);
}

static void test_create_refused(void **state)
{
    static const struct {
        const char *object;
        unsigned code;
        const char *text;
    } cases[] = {
        {"{'metadata':{'name':'a','resourceVersion':'1'}}", 400,
         "resourceVersion should not be set"},
        {"{'metadata':{'name':'a','namespace':'other'}}", 400, "does not match the namespace"},
        {"{'metadata':{}}", 422, "metadata.name: Required value: name or generateName is required"},
        {"{'metadata':{'name':'A'}}", 422, "RFC 1123 subdomain"},
        {"{'metadata':{'name':'a','labels':{'x':'-'}}}", 422, "metadata.labels: Invalid value"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;

        begin(&f, "", "configmaps", "");
        assert_refused(&f, kube_rules_create(&f.rules, object(&f, cases[i].object)), cases[i].code,
                       cases[i].text);
        end(&f);
    }
}

#define OLD                                                                                        \
    "{'metadata':{'name':'d','namespace':'ns','uid':'u','resourceVersion':'7','generation':2,"     \
    "'creationTimestamp':'2020-01-01T00:00:00Z'},'spec':{'replicas':1},'status':{'replicas':1}}"

static int update(struct fixture *f, yyjson_mut_val *o, bool *ret_same, bool *ret_gone)
{
    return kube_rules_update(&f->rules, o, object(f, OLD), ret_same, ret_gone);
}

static void test_update(void **state)
{
    struct fixture f;
    yyjson_mut_val *o;
    bool same;
    bool gone;

    (void)state;
    begin(&f, "policy", "poddisruptionbudgets", "d");
    o = object(&f, "{'metadata':{'name':'d'},'spec':{'replicas':5},'status':{'replicas':9}}");
    assert_int_equal(update(&f, o, &same, &gone), 0);
    assert_false(same || gone);
    assert_int_equal(kube_meta_generation(o), 3);
    assert_true(view_equal_str(kube_meta_uid(o), "u"));
    assert_json(kube_json_get(o, "status"), "{'replicas':1}");
    o = object(&f, OLD);
    assert_int_equal(update(&f, o, &same, &gone), 0);
    assert_true(same);
    assert_int_equal(kube_meta_generation(o), 2);
    f.route.sub = KUBE_SUB_STATUS;
    o = object(&f, "{'metadata':{'name':'d'},'spec':{'replicas':5},'status':{'replicas':9}}");
    assert_int_equal(update(&f, o, &same, &gone), 0);
    assert_json(kube_json_get(o, "spec"), "{'replicas':1}");
    assert_json(kube_json_get(o, "status"), "{'replicas':9}");
    assert_int_equal(kube_meta_generation(o), 2);
    end(&f);
}

static void test_update_refused(void **state)
{
    static const struct {
        const char *object;
        unsigned code;
        const char *text;
    } cases[] = {
        {"{'metadata':{'name':'e'}}", 400, "does not match the name on the URL"},
        {"{'metadata':{'name':'d','uid':'v'}}", 409,
         "UID in precondition: v, UID in object meta: u"},
        {"{'metadata':{'name':'d','resourceVersion':'6'}}", 409, "the object has been modified"},
        {"{'metadata':{'name':'d','namespace':'x'}}", 400, "does not match the namespace"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        bool same;
        bool gone;

        begin(&f, "policy", "poddisruptionbudgets", "d");
        assert_refused(&f, update(&f, object(&f, cases[i].object), &same, &gone), cases[i].code,
                       cases[i].text);
        end(&f);
    }
}

static int delete_with(struct fixture *f,
                       yyjson_mut_val *o,
                       struct kube_delete_options options,
                       bool *ret_same,
                       bool *ret_gone)
{
    return kube_rules_delete(&f->rules, &options, o, ret_same, ret_gone);
}

static void test_delete_pod(void **state)
{
    static const struct {
        const char *rest;
        int64_t asked;
        bool gone;
        int64_t grace;
    } cases[] = {
        {"'spec':{'nodeName':'n'}", -1, false, 30},
        {"'spec':{'nodeName':'n','terminationGracePeriodSeconds':5}", -1, false, 5},
        {"'spec':{'nodeName':'n'}", 3, false, 3},
        {"'spec':{'nodeName':'n'}", 0, true, 0},
        {"'spec':{}", -1, true, 0},
        {"'spec':{'nodeName':'n'},'status':{'phase':'Succeeded'}", -1, true, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct kube_delete_options options = {.grace_period_s = cases[i].asked};
        struct fixture f;
        char text[256];
        yyjson_mut_val *o;
        int64_t grace = -1;
        bool same;
        bool gone;

        begin(&f, "", "pods", "p");
        (void)snprintf(text, sizeof text, "{'metadata':{'name':'p'},%s}", cases[i].rest);
        o = object(&f, text);
        assert_int_equal(delete_with(&f, o, options, &same, &gone), 0);
        assert_int_equal(gone, cases[i].gone);
        assert_int_equal(kube_meta_is_deleting(o), !cases[i].gone);
        if (!gone) {
            assert_true(kube_meta_number(o, "deletionGracePeriodSeconds", &grace));
            assert_int_equal(grace, cases[i].grace);
            assert_int_equal(delete_with(&f, o, options, &same, &gone), 0);
            assert_true(same); /* once more: nothing new */
        }
        end(&f);
    }
}

static void test_delete_waits_for_finalizers(void **state)
{
    struct kube_delete_options options = {.grace_period_s = -1,
                                          .propagation = KUBE_PROPAGATION_FOREGROUND};
    struct fixture f;
    yyjson_mut_val *o;
    bool same;
    bool gone;

    (void)state;
    begin(&f, "", "configmaps", "d");
    o = object(&f, "{'metadata':{'name':'d','uid':'u','finalizers':['orphan']}}");
    assert_int_equal(delete_with(&f, o, options, &same, &gone), 0);
    assert_false(same || gone);
    assert_true(kube_meta_has_finalizer(o, view_str("foregroundDeletion")));
    assert_false(kube_meta_has_finalizer(o, view_str("orphan")));
    options.uid = view_str("x");
    assert_refused(&f, delete_with(&f, o, options, &same, &gone), 409, "UID in precondition: x");
    end(&f);
}

/* The last finalizer of an object that is being deleted goes: so does the object. */
static void test_last_finalizer(void **state)
{
    struct fixture f;
    yyjson_mut_val *o;
    yyjson_mut_val *old;
    bool same;
    bool gone;

    (void)state;
    begin(&f, "", "configmaps", "d");
    old = object(&f, "{'metadata':{'name':'d','namespace':'ns','uid':'u','resourceVersion':'7',"
                     "'creationTimestamp':'2020-01-01T00:00:00Z',"
                     "'deletionTimestamp':'2020-01-01T00:00:00Z','deletionGracePeriodSeconds':0,"
                     "'finalizers':['a.b/c']}}");
    o = object(&f, "{'metadata':{'name':'d'}}");
    assert_int_equal(kube_rules_update(&f.rules, o, old, &same, &gone), 0);
    assert_true(gone);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),         cmocka_unit_test(test_create_refused),
        cmocka_unit_test(test_update),         cmocka_unit_test(test_update_refused),
        cmocka_unit_test(test_delete_pod),     cmocka_unit_test(test_delete_waits_for_finalizers),
        cmocka_unit_test(test_last_finalizer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
