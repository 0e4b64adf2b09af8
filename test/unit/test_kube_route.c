/* Paths and queries of the API, taken apart; and the table that they lead to. */
#include "kube/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/view.h"
#include "kube/discovery.h"
#include "kube/json.h"
#include "kube/query.h"
#include "kube/schema.h"

struct parsed {
    struct arena arena;
    struct kube_route route;
    struct kube_query query;
    struct kube_status status;
    int err;
};

static void parse(struct parsed *p, const char *method, const char *path, const char *query)
{
    arena_init(&p->arena, 0);
    kube_status_init(&p->status);
    p->err = kube_route_parse(&p->arena, view_str(method), view_str(path), view_str(query),
                              &p->route, &p->query, &p->status);
}

static void done(struct parsed *p)
{
    kube_status_fini(&p->status);
    arena_fini(&p->arena);
}

static void test_paths(void **state)
{
    static const struct {
        const char *method, *path, *query;
        const char *plural, *namespace, *name;
        enum kube_subresource sub;
        enum kube_action action;
    } cases[] = {
        {"GET", "/api/v1/namespaces/ns/pods", "", "pods", "ns", "", 0, KUBE_ACTION_LIST},
        {"GET", "/api/v1/pods", "watch=true", "pods", "", "", 0, KUBE_ACTION_WATCH},
        {"GET", "/api/v1/namespaces/ns/pods/p", "", "pods", "ns", "p", 0, KUBE_ACTION_GET},
        {"PUT", "/api/v1/namespaces/ns/pods/p/status", "", "pods", "ns", "p", KUBE_SUB_STATUS,
         KUBE_ACTION_UPDATE},
        {"GET", "/api/v1/namespaces", "", "namespaces", "", "", 0, KUBE_ACTION_LIST},
        {"GET", "/api/v1/namespaces/ns", "", "namespaces", "", "ns", 0, KUBE_ACTION_GET},
        {"PUT", "/api/v1/namespaces/ns/finalize", "", "namespaces", "", "ns", KUBE_SUB_FINALIZE,
         KUBE_ACTION_UPDATE},
        {"PATCH", "/api/v1/namespaces/ns/status", "", "namespaces", "", "ns", KUBE_SUB_STATUS,
         KUBE_ACTION_PATCH},
        {"POST", "/apis/apps/v1/namespaces/a/deployments", "", "deployments", "a", "", 0,
         KUBE_ACTION_CREATE},
        {"PATCH", "/apis/apps/v1/namespaces/a/deployments/d/scale", "", "deployments", "a", "d",
         KUBE_SUB_SCALE, KUBE_ACTION_PATCH},
        {"DELETE", "/api/v1/nodes/n", "", "nodes", "", "n", 0, KUBE_ACTION_DELETE},
        {"DELETE", "/api/v1/nodes", "", "nodes", "", "", 0, KUBE_ACTION_DELETECOLLECTION},
        {"POST", "/api/v1/namespaces/ns/pods/p/binding", "", "pods", "ns", "p", KUBE_SUB_BINDING,
         KUBE_ACTION_CREATE},
        {"GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode", "", "clusterroles",
         "", "system:node", 0, KUBE_ACTION_GET},
        {"GET", "//api//v1/pods/", "", "pods", "", "", 0, KUBE_ACTION_LIST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;

        parse(&p, cases[i].method, cases[i].path, cases[i].query);
        assert_int_equal(p.err, 0);
        assert_int_equal(p.route.kind, KUBE_ROUTE_RESOURCE);
        assert_string_equal(p.route.resource->plural, cases[i].plural);
        assert_true(view_equal_str(p.route.namespace, cases[i].namespace));
        assert_true(view_equal_str(p.route.name, cases[i].name));
        assert_int_equal(p.route.sub, cases[i].sub);
        assert_int_equal(p.route.action, cases[i].action);
        done(&p);
    }
}

static void test_discovery_paths(void **state)
{
    static const struct {
        const char *path;
        enum kube_route_kind kind;
    } cases[] = {
        {"/api", KUBE_ROUTE_VERSIONS},
        {"/apis", KUBE_ROUTE_GROUPS},
        {"/apis/", KUBE_ROUTE_GROUPS},
        {"/apis/apps", KUBE_ROUTE_GROUP},
        {"/apis/apps/v1", KUBE_ROUTE_LIST},
        {"/api/v1", KUBE_ROUTE_LIST},
        {"/version", KUBE_ROUTE_OTHER},
        {"/", KUBE_ROUTE_OTHER},
        {"", KUBE_ROUTE_OTHER},
        {"/openapi/v2", KUBE_ROUTE_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;

        parse(&p, "GET", cases[i].path, "");
        assert_int_equal(p.err, 0);
        assert_int_equal(p.route.kind, cases[i].kind);
        done(&p);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *method, *path, *query;
        unsigned code;
    } cases[] = {
        {"GET", "/api/v2", "", 404},
        {"GET", "/api/v1/nosuch", "", 404},
        {"GET", "/apis/nosuch/v1/pods", "", 404},
        {"GET", "/apis/apps/v2/deployments", "", 404},
        /* A namespaced path is not a way to a cluster's resource, nor the other way round. */
        {"GET", "/api/v1/namespaces/ns/nodes/n", "", 404},
        {"GET", "/api/v1/pods/p", "", 404},
        {"GET", "/api/v1/namespaces/ns/configmaps/c/status", "", 404},
        {"GET", "/api/v1/namespaces/ns/pods/p/nosuch", "", 404},
        {"GET", "/api/v1/namespaces/ns/pods/p/status/more", "", 404},
        {"GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r", "", 404},
        {"POST", "/api/v1/namespaces/ns/pods/p", "", 405},
        {"PUT", "/api/v1/namespaces/ns/pods", "", 405},
        {"BREW", "/api/v1/pods", "", 405},
        {"GET", "/api/v1/pods%", "", 400},
        {"GET", "/api/v1/pods%2", "", 400},
        {"GET", "/api/v1/pods%zz", "", 400},
        {"GET", "/api/v1/pods", "limit=x", 400},
        {"GET", "/api/v1/pods", "limit=-1", 400},
        {"GET", "/api/v1/pods", "limit=99999999999999999999", 400},
        {"GET", "/api/v1/pods", "timeoutSeconds=soon", 400},
        {"GET", "/api/v1/pods", "labelSelector=%g1", 400},
        {"POST", "/api/v1/namespaces/ns/pods", "dryRun=Some", 400},
        {"POST", "/api/v1/namespaces/ns/pods", "fieldValidation=strict", 400},
        {"DELETE", "/api/v1/nodes/n", "propagationPolicy=Sideways", 400},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parsed p;

        parse(&p, cases[i].method, cases[i].path, cases[i].query);
        assert_int_equal(p.err, KVS_E_INVALID);
        assert_int_equal(p.status.code, cases[i].code);
        done(&p);
    }
}

static void test_query(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p, "GET", "/api/v1/pods",
          "labelSelector=a%3Db%2Cc+in+%28d%29&fieldSelector=spec.nodeName%3Dn1&limit=500&watch&"
          "allowWatchBookmarks=true&resourceVersion=17&timeout=32s&unknown=1&force=false&"
          "gracePeriodSeconds=0&propagationPolicy=Orphan&fieldValidation=Strict");
    assert_int_equal(p.err, 0);
    assert_true(view_equal_str(p.query.label_selector, "a=b,c in (d)"));
    assert_true(view_equal_str(p.query.field_selector, "spec.nodeName=n1"));
    assert_true(view_equal_str(p.query.resource_version, "17"));
    assert_int_equal(p.query.limit, 500);
    assert_int_equal(p.query.timeout_s, 32);
    assert_int_equal(p.query.grace_period_s, 0);
    assert_int_equal(p.query.propagation, KUBE_PROPAGATION_ORPHAN);
    assert_int_equal(p.query.validation, KUBE_VALIDATION_STRICT);
    assert_true(p.query.watch && p.query.bookmarks && !p.query.force && !p.query.dry_run);
    done(&p);
    parse(&p, "GET", "/api/v1/pods", "");
    assert_int_equal(p.query.grace_period_s, -1);
    done(&p);
}

/* What is stored has a type, and no two resources have the same name or storage by accident. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < kube_resource_count(); i++) {
        const struct kube_resource *r = kube_resource_at(i);

        assert_non_null(
            kube_kind_find(view_str(r->group), view_str(r->version), view_str(r->kind)));
        assert_ptr_equal(
            kube_resource_find(view_str(r->group), view_str(r->version), view_str(r->plural)), r);
        assert_ptr_equal(
            kube_resource_by_kind(view_str(r->group), view_str(r->version), view_str(r->kind)), r);
        assert_true(r->group[0] == '\0' || kube_group_find(view_str(r->group)) != NULL);
        assert_int_equal(r->storage == NULL, (r->verbs & KUBE_VERB_WATCH) == 0);
    }
}

static size_t count_json(const struct buf *json, const char *list)
{
    const struct kube_json_limits limits = {SIZE_MAX, KUBE_JSON_DEPTH_MAX};
    yyjson_mut_doc *doc;
    size_t n;

    assert_false(json->failed);
    assert_int_equal(kube_json_read(buf_view(json), &limits, kube_json_heap(), &doc, NULL), 0);
    n = yyjson_mut_arr_size(kube_json_get(yyjson_mut_doc_get_root(doc), list));
    yyjson_mut_doc_free(doc);
    return n;
}

static void test_discovery_documents(void **state)
{
    struct buf json;
    size_t subs = 0;
    size_t core = 0;

    (void)state;
    for (size_t i = 0; i < kube_resource_count(); i++) {
        const struct kube_resource *r = kube_resource_at(i);

        if (r->group[0] == '\0') {
            core++;
            subs += (size_t)__builtin_popcount(r->subresources);
        }
    }
    buf_init(&json);
    kube_discovery_groups(&json);
    assert_int_equal(count_json(&json, "groups"), kube_group_count());
    buf_clear(&json);
    kube_discovery_resources(view_str(""), view_str("v1"), &json);
    assert_int_equal(count_json(&json, "resources"), core + subs);
    buf_clear(&json);
    kube_discovery_aggregated(false, "v2", &json);
    assert_int_equal(count_json(&json, "items"), kube_group_count());
    buf_clear(&json);
    kube_discovery_aggregated(true, "v2beta1", &json);
    assert_int_equal(count_json(&json, "items"), 1);
    buf_clear(&json);
    kube_discovery_versions(view_str("h:1"), &json);
    assert_int_equal(count_json(&json, "versions"), 1);
    buf_clear(&json);
    kube_discovery_group(kube_group_find(view_str("autoscaling")), &json);
    assert_int_equal(count_json(&json, "versions"), 2);
    buf_fini(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),   cmocka_unit_test(test_discovery_paths),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_query),
        cmocka_unit_test(test_table),   cmocka_unit_test(test_discovery_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
