/* Tables: objects in, rows of cells out, as Kubernetes 1.32 prints them. */
#include "kube/printer.h"

#include "kube_json_text.h"
#include "kube_printer_rows.h"

/* Ten minutes after objects were made: 2026-01-01T00:10:00Z. */
#define NOW_NS (1767226200ull * 1000000000)

static const struct kube_printer *printer_of(const char *plural)
{
    for (size_t i = 0; i < kube_resource_count(); i++) {
        if (strcmp(kube_resource_at(i)->plural, plural) == 0) {
            return kube_printer_find(kube_resource_at(i));
        }
    }
    fail_msg("no resource %s", plural);
    return NULL;
}

static void assert_row(const struct kube_printer *p, const char *object, const char *cells)
{
    char quoted[8192];
    struct buf got;
    struct buf want = text_of(cells);
    yyjson_mut_doc *doc;

    assert_true(snprintf(quoted, sizeof quoted, "{%s}", object) < (int)sizeof quoted);
    doc = doc_of(quoted);
    buf_init(&got);
    kube_printer_write(p, yyjson_mut_doc_get_root(doc), NOW_NS, &got);
    buf_append_u8(&got, 0);
    assert_false(got.failed);
    if (strcmp((char *)got.data, (char *)want.data) != 0) {
        fail_msg("%s\n  gives %s\n  not   %s", object, (char *)got.data, (char *)want.data);
    }
    buf_fini(&got);
    buf_fini(&want);
    yyjson_mut_doc_free(doc);
}

static void assert_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_row(printer_of(rows[i].plural), rows[i].object, rows[i].cells);
    }
}

/* ---- pods ---- */

static void assert_pod(const char *meta, const struct pod *pod)
{
    char object[4096];
    char cells[512];

    (void)snprintf(object, sizeof object, "%s,%s", meta, pod->object);
    (void)snprintf(cells, sizeof cells,
                   "'x','%s','%s','%s','10m','<none>','<none>','<none>','<none>'", pod->ready,
                   pod->status, pod->restarts);
    assert_row(printer_of("pods"), object, cells);
}

static void pods_in_one_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pods / sizeof pods[0]; i++) {
        assert_pod(MADE, &pods[i]);
    }
}

static void pods_that_go(void **state)
{
    static const struct pod cases[] = {
        {ONE ",'status':{'phase':'Running','containerStatuses':[{" UP "}]}", "1/1", "Terminating",
         "0"},
        {ONE ",'status':{'phase':'Pending'}", "0/1", "Terminating", "0"},
        {ONE ",'status':{'phase':'Running','reason':'NodeLost'}", "0/1", "Unknown", "0"},
        {ONE ",'status':{'phase':'Succeeded','containerStatuses':[{" DONE "}]}", "0/1", "Completed",
         "0"},
        {ONE ",'status':{'phase':'Failed'}", "0/1", "Failed", "0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_pod(GOING, &cases[i]);
    }
}

static void pods_wide(void **state)
{
    static const struct row rows[] = {
        {"pods",
         MADE ",'spec':{'nodeName':'n','containers':[{}]},'status':{'phase':'Running','podIP':"
              "'10.0.0.1','podIPs':[{'ip':'10.0.0.1'},{'ip':'::1'}],'nominatedNodeName':'m'}",
         "'x','0/1','Running','0','10m','10.0.0.1','n','m','<none>'"},
        {"pods", MADE ",'status':{'podIPs':[{'ip':'::1'}]}",
         "'x','0/0','','0','10m','::1','<none>','<none>','<none>'"},
        {"pods",
         MADE ",'spec':{'readinessGates':[{'conditionType':'a'},{'conditionType':'b'},"
              "{'conditionType':'c'}]},'status':{'conditions':[{'type':'b','status':'True'},"
              "{'type':'a','status':'False'}]}",
         "'x','0/0','','0','10m','<none>','<none>','<none>','1/3'"},
    };

    (void)state;
    assert_rows(rows, sizeof rows / sizeof rows[0]);
}

static void finished_pods_have_conditions(void **state)
{
    const struct kube_printer *p = printer_of("pods");
    yyjson_mut_doc *doc = doc_of("{'status':{'phase':'Succeeded'}}");

    (void)state;
    assert_string_equal(p->conditions(yyjson_mut_doc_get_root(doc)),
                        "[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"Succeeded\","
                        "\"message\":\"The pod has completed successfully.\"}]");
    yyjson_mut_doc_free(doc);
    doc = doc_of("{'status':{'phase':'Failed'}}");
    assert_string_equal(p->conditions(yyjson_mut_doc_get_root(doc)),
                        "[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"Failed\","
                        "\"message\":\"The pod failed.\"}]");
    yyjson_mut_doc_free(doc);
    doc = doc_of("{'status':{'phase':'Running'}}");
    assert_null(p->conditions(yyjson_mut_doc_get_root(doc)));
    yyjson_mut_doc_free(doc);
}

/* ---- other kinds ---- */

static void workloads(void **state)
{
    (void)state;
    assert_rows(workload_rows, sizeof workload_rows / sizeof workload_rows[0]);
}

static void core(void **state)
{
    (void)state;
    assert_rows(core_rows, sizeof core_rows / sizeof core_rows[0]);
}

static void network(void **state)
{
    (void)state;
    assert_rows(network_rows, sizeof network_rows / sizeof network_rows[0]);
}

static void storage(void **state)
{
    (void)state;
    assert_rows(storage_rows, sizeof storage_rows / sizeof storage_rows[0]);
}

static void policy(void **state)
{
    (void)state;
    assert_rows(policy_rows, sizeof policy_rows / sizeof policy_rows[0]);
}

static void scale(void **state)
{
    (void)state;
    assert_row(kube_printer_scale(), MADE ",'spec':{'replicas':3},'status':{'replicas':2}",
               "'x',3,2,'10m'");
}

static void ages(void **state)
{
    static const struct row rows[] = {
        {"namespaces", "'metadata':{'creationTimestamp':'2025-12-31T22:10:00Z'}", "'','','120m'"},
        {"namespaces", "'metadata':{'creationTimestamp':'2025-12-20T00:10:00Z'}", "'','','12d'"},
        {"namespaces", "'metadata':{'creationTimestamp':'2026-01-01T01:10:00+01:00'}",
         "'','','0s'"},
        {"namespaces", "'metadata':{'creationTimestamp':'2026-01-02T00:00:00Z'}",
         "'','','<invalid>'"},
        {"namespaces", "'metadata':{'creationTimestamp':'0001-01-01T00:00:00Z'}",
         "'','','<unknown>'"},
        {"namespaces", "'metadata':{'creationTimestamp':'soon'}", "'','','<unknown>'"},
        {"namespaces", "'metadata':{'creationTimestamp':17}", "'','','<unknown>'"},
        {"namespaces", "'metadata':'x'", "'','','<unknown>'"},
    };

    (void)state;
    assert_rows(rows, sizeof rows / sizeof rows[0]);
}

/* ---- all printers ---- */

static size_t cells_of(const struct kube_printer *p, yyjson_mut_val *object)
{
    struct kube_json_limits limits = kube_json_limits_default();
    yyjson_mut_doc *row;
    struct buf cells;
    size_t n;

    buf_init(&cells);
    buf_append_str(&cells, "[");
    kube_printer_write(p, object, NOW_NS, &cells);
    buf_append_str(&cells, "]");
    assert_false(cells.failed);
    assert_int_equal(kube_json_read(buf_view(&cells), &limits, kube_json_heap(), &row, NULL), 0);
    n = yyjson_mut_arr_size(yyjson_mut_doc_get_root(row));
    yyjson_mut_doc_free(row);
    buf_fini(&cells);
    return n;
}

/* Objects without anything, and with everything of the wrong type. */
static const char *const odd_objects[] = {
    "{}",
    "[]",
    "null",
    "7",
    "{'metadata':[],'spec':[],'status':[],'data':7,'subsets':{},'subjects':{},'conditions':7}",
    "{'metadata':{'name':{},'labels':[],'annotations':7,'ownerReferences':{}},"
    "'spec':{'containers':7,'selector':[],'rules':'x','ports':{},'metrics':{},'limited':[],"
    "'paramRef':[],'paramKind':3,'claimRef':3,'template':{'spec':[]}},"
    "'status':{'conditions':{},'hard':[],'addresses':'x','loadBalancer':{'ingress':{}}}}",
    "{'spec':{'containers':[7],'rules':[7],'ports':[7],'metrics':[7],'tls':[7],'externalIPs':[7]},"
    "'status':{'conditions':[7,[],'x'],'addresses':[7],'hard':{'a':7,'limits.b':[]},"
    "'containerStatuses':[7],'initContainerStatuses':[7],'currentMetrics':[7],"
    "'loadBalancer':{'ingress':[7]}},'subsets':[7],'endpoints':[7],'ports':[7],'subjects':[7]}",
};

static void a_cell_for_each_column(void **state)
{
    (void)state;
    for (size_t i = 0; i < kube_resource_count(); i++) {
        const struct kube_printer *p = kube_printer_find(kube_resource_at(i));

        for (size_t j = 0; j < sizeof odd_objects / sizeof odd_objects[0]; j++) {
            yyjson_mut_doc *doc = doc_of(odd_objects[j]);

            if (cells_of(p, yyjson_mut_doc_get_root(doc)) != p->n_columns) {
                fail_msg("%s: %s", kube_resource_at(i)->plural, odd_objects[j]);
            }
            yyjson_mut_doc_free(doc);
        }
    }
}

/* ---- any value of the wrong type ---- */

enum { N_WRONG = 6 };

static void make_wrong(yyjson_mut_val *value, size_t how)
{
    static const char *const texts[] = {"x", ""};

    switch (how) {
    case 0:
        yyjson_mut_set_null(value);
        break;
    case 1:
        yyjson_mut_set_sint(value, INT64_MIN);
        break;
    case 2:
        yyjson_mut_set_arr(value);
        break;
    case 3:
        yyjson_mut_set_obj(value);
        break;
    default:
        yyjson_mut_set_str(value, texts[how - 4]);
        break;
    }
}

/* The value that is the `*at`th below this one, itself first; NULL if there are fewer. */
static yyjson_mut_val *value_at(yyjson_mut_val *value, size_t *at)
{
    yyjson_mut_val *found = NULL;
    yyjson_mut_val *key;
    yyjson_mut_val *item;
    size_t i;
    size_t n;

    if ((*at)-- == 0) {
        return value;
    }
    yyjson_mut_arr_foreach(value, i, n, item)
    {
        if (found == NULL) {
            found = value_at(item, at);
        }
    }
    yyjson_mut_obj_foreach(value, i, n, key, item)
    {
        if (found == NULL) {
            found = value_at(item, at);
        }
    }
    return found;
}

/* False if there are not so many values in it. */
static bool
stands_one_wrong(const struct kube_printer *p, const char *quoted, size_t at, size_t how)
{
    yyjson_mut_doc *doc = doc_of(quoted);
    yyjson_mut_val *value = value_at(yyjson_mut_doc_get_root(doc), &at);
    bool is_there = value != NULL;

    if (is_there) {
        make_wrong(value, how);
        assert_int_equal(cells_of(p, yyjson_mut_doc_get_root(doc)), p->n_columns);
    }
    yyjson_mut_doc_free(doc);
    return is_there;
}

static size_t stands_wrong_values(const char *plural, const char *meta, const char *object)
{
    const struct kube_printer *p = printer_of(plural);
    char quoted[8192];
    size_t count = 0;

    assert_true(snprintf(quoted, sizeof quoted, "{%s%s}", meta, object) < (int)sizeof quoted);
    for (size_t how = 0; how < N_WRONG; how++) {
        for (size_t at = 0; stands_one_wrong(p, quoted, at, how); at++) {
            count++;
        }
    }
    return count;
}

static void wrong_types_leave_a_row(void **state)
{
    static const struct {
        const struct row *rows;
        size_t n;
    } all[] = {
        {workload_rows, ARRAY_LEN(workload_rows)}, {core_rows, ARRAY_LEN(core_rows)},
        {network_rows, ARRAY_LEN(network_rows)},   {storage_rows, ARRAY_LEN(storage_rows)},
        {policy_rows, ARRAY_LEN(policy_rows)},
    };
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (size_t j = 0; j < all[i].n; j++) {
            count += stands_wrong_values(all[i].rows[j].plural, "", all[i].rows[j].object);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
        count += stands_wrong_values("pods", MADE ",", pods[i].object);
    }
    assert_true(count > 5000);
}

static bool shows_creation(const char *plural)
{
    static const char *const plurals[] = {"limitranges", "roles", "clusterroles"};

    for (size_t i = 0; i < sizeof plurals / sizeof plurals[0]; i++) {
        if (strcmp(plural, plurals[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Only kinds that Kubernetes does not know how to print either. */
static void stored_kinds_have_their_own(void **state)
{
    const struct kube_resource none = {.plural = "nothing"};
    const struct kube_printer *any = kube_printer_find(&none);

    (void)state;
    for (size_t i = 0; i < kube_resource_count(); i++) {
        const struct kube_resource *r = kube_resource_at(i);

        if (r->storage != NULL && (kube_printer_find(r) == any) != shows_creation(r->plural)) {
            fail_msg("%s", r->plural);
        }
    }
    assert_string_equal(any->columns[1].name, "Created At");
    assert_string_equal(any->columns[1].type, "date");
}

static void columns_are_described(void **state)
{
    (void)state;
    for (size_t i = 0; i < kube_resource_count(); i++) {
        const struct kube_printer *p = kube_printer_find(kube_resource_at(i));

        for (size_t j = 0; j < p->n_columns; j++) {
            const char *text = kube_column_description(&p->columns[j]);

            /* Kubernetes looks for the handler's in the wrong place, and finds nothing. */
            if ((text[0] == '\0') != (strcmp(p->columns[j].name, "Handler") == 0)) {
                fail_msg("%s %s", kube_resource_at(i)->plural, p->columns[j].name);
            }
        }
    }
}

static void column_names(void **state)
{
    static const struct {
        const char *plural;
        const char *names;
    } cases[] = {
        {"pods", "Name Ready Status Restarts Age [IP] [Node] [Nominated Node] [Readiness Gates] "},
        {"deployments", "Name Ready Up-to-date Available Age [Containers] [Images] [Selector] "},
        {"events", "Last Seen Type Reason Object [Subobject] [Source] Message [First Seen] [Count] "
                   "[Name] "},
        {"nodes", "Name Status Roles Age Version [Internal-IP] [External-IP] [OS-Image] "
                  "[Kernel-Version] [Container-Runtime] "},
        {"jobs", "Name Status Completions Duration Age [Containers] [Images] [Selector] "},
        {"cronjobs",
         "Name Schedule Timezone Suspend Active Last Schedule Age [Containers] [Images] "
         "[Selector] "},
        {"services", "Name Type Cluster-IP External-IP Port(s) Age [Selector] "},
        {"persistentvolumeclaims", "Name Status Volume Capacity Access Modes StorageClass "
                                   "VolumeAttributesClass Age [VolumeMode] "},
    };
    struct buf names;

    (void)state;
    buf_init(&names);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct kube_printer *p = printer_of(cases[i].plural);

        for (size_t j = 0; j < p->n_columns; j++) {
            buf_printf(&names, p->columns[j].priority > 0 ? "[%s] " : "%s ", p->columns[j].name);
        }
        buf_append_u8(&names, 0);
        assert_string_equal((char *)names.data, cases[i].names);
        buf_clear(&names);
    }
    buf_fini(&names);
}

/* ---- memory ---- */

static const struct row *failing_row;

/* Without memory of its own, unlike text_of. */
static void double_quotes(char *text)
{
    for (; *text != '\0'; text++) {
        *text = *text == '\'' ? '"' : *text;
    }
}

static int print_with_failures(void)
{
    struct kube_json_limits limits = kube_json_limits_default();
    char quoted[4096];
    char want[1024];
    struct buf cells;
    yyjson_mut_doc *doc;
    int err;

    (void)snprintf(quoted, sizeof quoted, "{%s}", failing_row->object);
    (void)snprintf(want, sizeof want, "%s", failing_row->cells);
    double_quotes(quoted);
    double_quotes(want);
    err = kube_json_read(view_str(quoted), &limits, kube_json_heap(), &doc, NULL);
    if (err != 0) {
        return err;
    }
    buf_init(&cells);
    kube_printer_write(printer_of(failing_row->plural), yyjson_mut_doc_get_root(doc), NOW_NS,
                       &cells);
    err = cells.failed ? KVS_E_NOMEM : 0;
    if (err == 0) {
        assert_int_equal(cells.len, strlen(want));
        assert_memory_equal(cells.data, want, cells.len);
    }
    buf_fini(&cells);
    yyjson_mut_doc_free(doc);
    return err;
}

/* A row is whole, or it is said not to be. */
static void without_memory(void **state)
{
    static const struct row rows[] = {
        {"resourcequotas", MADE ",'status':{'hard':{'pods':'1','limits.cpu':'1'},'used':{}}",
         "'x','10m','pods: 0/1','limits.cpu: 0/1'"},
        {"nodes", "'metadata':{'name':'x','labels':{'node-role.kubernetes.io/a':''}}",
         "'x','Unknown','a','<unknown>','','<none>','<none>','<unknown>','<unknown>','<unknown>'"},
        {"networkpolicies", MADE ",'spec':{'podSelector':{'matchLabels':{'a':'b'}}}",
         "'x','a=b','10m'"},
        {"pods",
         MADE "," WITH_SIDECAR ",'status':{'phase':'Running','initContainerStatuses':[{'name':'i',"
              "'started':true,'ready':true}],'containerStatuses':[{" UP "}]}",
         "'x','2/2','Running','0','10m','<none>','<none>','<none>','<none>'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        failing_row = &rows[i];
        fail_each_allocation(print_with_failures);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pods_in_one_word),
        cmocka_unit_test(pods_that_go),
        cmocka_unit_test(pods_wide),
        cmocka_unit_test(finished_pods_have_conditions),
        cmocka_unit_test(workloads),
        cmocka_unit_test(core),
        cmocka_unit_test(network),
        cmocka_unit_test(storage),
        cmocka_unit_test(policy),
        cmocka_unit_test(scale),
        cmocka_unit_test(ages),
        cmocka_unit_test(a_cell_for_each_column),
        cmocka_unit_test(wrong_types_leave_a_row),
        cmocka_unit_test(stored_kinds_have_their_own),
        cmocka_unit_test(columns_are_described),
        cmocka_unit_test(column_names),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
