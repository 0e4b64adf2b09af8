/* Sets of fields: reading, writing, algebra, paths; what writers own. */
#include "kube_json_text.h"

#include "kube/field_set.h"
#include "kube/managed_fields.h"
#include "kube/typed.h"
#include "kube_expect.h"

struct sets {
    struct arena arena;
    yyjson_mut_doc *doc;
};

static void sets_init(struct sets *s)
{
    arena_init(&s->arena, 0);
    s->doc = kube_json_new(kube_json_heap());
    assert_non_null(s->doc);
}

static void sets_fini(struct sets *s)
{
    yyjson_mut_doc_free(s->doc);
    arena_fini(&s->arena);
}

static yyjson_mut_val *tree_into(yyjson_mut_doc *doc, const char *quoted)
{
    struct kube_json_limits limits = kube_json_limits_default();
    struct buf text = text_of(quoted);
    yyjson_mut_val *value = NULL;

    assert_int_equal(kube_json_read_into(doc, buf_view(&text), &limits, &value, NULL), 0);
    buf_fini(&text);
    return value;
}

static const struct kube_field_set *set_of(struct sets *s, const char *quoted)
{
    const struct kube_field_set *set = NULL;

    assert_int_equal(kube_field_set_read(&s->arena, s->doc, tree_into(s->doc, quoted), &set), 0);
    return set;
}

static void assert_set(struct sets *s, const struct kube_field_set *set, const char *quoted)
{
    yyjson_mut_val *fields;

    assert_int_equal(kube_field_set_write(s->doc, set, &fields), 0);
    assert_json(fields, quoted);
}

static void read_and_written(void **state)
{
    static const struct {
        const char *text;
        const char *canonical;
    } cases[] = {
        {"{}", "{}"},
        {"{'f:a':{}}", "{'f:a':{}}"},
        {"{'f:b':{},'f:a':{}}", "{'f:a':{},'f:b':{}}"},
        {"{'f:a':{'.':{},'f:b':{}}}", "{'f:a':{'f:b':{},'.':{}}}"},
        {"{'f:a':{'.':{}}}", "{'f:a':{}}"},
        {"{'i:2':{},'i:10':{},'v:1':{},'f:z':{}}", "{'f:z':{},'v:1':{},'i:2':{},'i:10':{}}"},
        {"{'v:true':{},'v:null':{},'v:1.5':{},'v:1':{},'v:-3':{}}",
         "{'v:-3':{},'v:1':{},'v:1.5':{},'v:true':{},'v:null':{}}"},
        {"{'f:':{}}", "{'f:':{}}"},
        {"{'x:a':{},'f:a':{}}", "{'f:a':{}}"}, /* of a kind that nobody knows */
        {"{'f:a':{'x:b':{}}}", "{'f:a':{}}"},
        {"{'f:a':1}", "{'f:a':{}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sets s;

        print_message("%s\n", cases[i].text);
        sets_init(&s);
        assert_set(&s, set_of(&s, cases[i].text), cases[i].canonical);
        assert_set(&s, set_of(&s, cases[i].canonical), cases[i].canonical);
        sets_fini(&s);
    }
}

/* Keys in which quotes stand are beyond what the tests' quoting can say. */
static void keys_are_sorted(void **state)
{
    static const char text[] = "{\"k:{\\\"protocol\\\":\\\"TCP\\\",\\\"port\\\":80}\":{},"
                               "\"k:{\\\"port\\\":9,\\\"protocol\\\":\\\"TCP\\\"}\":{}}";
    static const char canonical[] = "{\"k:{\\\"port\\\":9,\\\"protocol\\\":\\\"TCP\\\"}\":{},"
                                    "\"k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{}}";
    struct kube_json_limits limits = kube_json_limits_default();
    const struct kube_field_set *set;
    yyjson_mut_val *fields;
    struct sets s;

    (void)state;
    sets_init(&s);
    assert_int_equal(kube_json_read_into(s.doc, view_str(text), &limits, &fields, NULL), 0);
    assert_int_equal(kube_field_set_read(&s.arena, s.doc, fields, &set), 0);
    assert_set(&s, set, canonical);
    sets_fini(&s);
}

static void malformed(void **state)
{
    static const char *const cases[] = {
        "{'a':{}}",  "{'f':{}}",   "{'k:':{}}",  "{'k:{}':{}}",  "{'k:1':{}}",
        "{'v:':{}}", "{'v:x':{}}", "{'i:x':{}}", "{'i:1.5':{}}", "{'f:a':{'':{}}}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct kube_field_set *set = NULL;
        struct sets s;

        print_message("%s\n", cases[i]);
        sets_init(&s);
        assert_int_equal(kube_field_set_read(&s.arena, s.doc, tree_into(s.doc, cases[i]), &set),
                         KVS_E_MALFORMED);
        sets_fini(&s);
    }
}

static void algebra(void **state)
{
    static const struct {
        const char *x, *y, *sum, *both, *rest, *recursive;
    } cases[] = {
        {"{}", "{}", "{}", "{}", "{}", "{}"},
        {"{'f:a':{}}", "{}", "{'f:a':{}}", "{}", "{'f:a':{}}", "{'f:a':{}}"},
        {"{}", "{'f:a':{}}", "{'f:a':{}}", "{}", "{}", "{}"},
        {"{'f:a':{}}", "{'f:a':{}}", "{'f:a':{}}", "{'f:a':{}}", "{}", "{}"},
        {"{'f:a':{},'f:c':{}}", "{'f:b':{},'f:c':{}}", "{'f:a':{},'f:b':{},'f:c':{}}", "{'f:c':{}}",
         "{'f:a':{}}", "{'f:a':{}}"},
        {"{'f:a':{'f:b':{},'.':{}}}", "{'f:a':{}}", "{'f:a':{'f:b':{},'.':{}}}", "{'f:a':{}}",
         "{'f:a':{'f:b':{}}}", "{}"},
        {"{'f:a':{'f:b':{},'f:c':{}}}", "{'f:a':{'f:c':{},'f:d':{}}}",
         "{'f:a':{'f:b':{},'f:c':{},'f:d':{}}}", "{'f:a':{'f:c':{}}}", "{'f:a':{'f:b':{}}}",
         "{'f:a':{'f:b':{}}}"},
        {"{'f:a':{'f:b':{}}}", "{'f:a':{'f:b':{}}}", "{'f:a':{'f:b':{}}}", "{'f:a':{'f:b':{}}}",
         "{}", "{}"},
        {"{'f:a':{}}", "{'f:a':{'f:b':{}}}", "{'f:a':{'f:b':{},'.':{}}}", "{}", "{'f:a':{}}",
         "{'f:a':{}}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct kube_field_set *set;
        const struct kube_field_set *x;
        const struct kube_field_set *y;
        struct sets s;

        print_message("%s, %s\n", cases[i].x, cases[i].y);
        sets_init(&s);
        x = set_of(&s, cases[i].x);
        y = set_of(&s, cases[i].y);
        assert_int_equal(kube_field_set_union(&s.arena, x, y, &set), 0);
        assert_set(&s, set, cases[i].sum);
        assert_int_equal(kube_field_set_intersection(&s.arena, x, y, &set), 0);
        assert_set(&s, set, cases[i].both);
        assert_int_equal(kube_field_set_difference(&s.arena, x, y, false, &set), 0);
        assert_set(&s, set, cases[i].rest);
        assert_int_equal(kube_field_set_difference(&s.arena, x, y, true, &set), 0);
        assert_set(&s, set, cases[i].recursive);
        assert_true(kube_field_set_equal(x, x));
        assert_int_equal(kube_field_set_equal(x, y), strcmp(cases[i].x, cases[i].y) == 0);
        sets_fini(&s);
    }
}

static void collect(void *ctx, struct kvs_view path)
{
    buf_append_view(ctx, path);
    buf_append_str(ctx, " ");
}

static void paths(void **state)
{
    struct sets s;
    struct buf text;

    (void)state;
    sets_init(&s);
    buf_init(&text);
    assert_int_equal(
        kube_field_set_each(
            set_of(&s, "{'f:a':{'.':{},'f:x.y':{}},'f:b':{'v:1':{},'i:3':{}},'f:c':{}}"), collect,
            &text),
        0);
    assert_text(&text, ".a .c .a.x.y .b[=1] .b[3] ");
    buf_fini(&text);
    sets_fini(&s);
}

/* ---- the fields of objects ---- */

static void fields_of_objects(void **state)
{
    static const struct {
        const char *type;
        const char *object;
        const char *paths;
    } cases[] = {
        {CORE "ConfigMap", "{'data':{'a':'1'}}", ".data.a "},
        {CORE "ConfigMap", "{'data':{}}", ".data "},
        {CORE "ConfigMap", "{'data':null}", ".data "},
        {CORE "PodSpec",
         "{'containers':[{'name':'c','ports':[{'containerPort':80}],'args':['x']}]}",
         ".containers[name=\"c\"] .containers[name=\"c\"].args .containers[name=\"c\"].name "
         ".containers[name=\"c\"].ports[containerPort=80,protocol=\"TCP\"] "
         ".containers[name=\"c\"].ports[containerPort=80,protocol=\"TCP\"].containerPort "},
        {META "ObjectMeta", "{'finalizers':['b','a']}", ".finalizers[=\"a\"] .finalizers[=\"b\"] "},
        {META "ObjectMeta", "{'ownerReferences':[{'uid':'u','name':'n'}]}",
         ".ownerReferences[uid=\"u\"] "}, /* an owner is one value */
        {"io.k8s.api.apps.v1.DeploymentSpec", "{'selector':{'matchLabels':{'a':'b'}}}",
         ".selector "},
        {CORE "PodSpec", "{'tolerations':[{'key':'k'}]}", ".tolerations "},
        {CORE "Volume", "{'name':'v','emptyDir':{}}", ".emptyDir .name "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct kube_field_set *set = NULL;
        struct kube_typed typed;
        struct sets s;
        struct buf text;

        print_message("%s\n", cases[i].object);
        sets_init(&s);
        buf_init(&text);
        typed = (struct kube_typed){&s.arena, s.doc};
        assert_int_equal(kube_typed_fields(&typed, message_of(cases[i].type),
                                           tree_into(s.doc, cases[i].object), &set),
                         0);
        assert_int_equal(kube_field_set_each(set, collect, &text), 0);
        assert_text(&text, cases[i].paths);
        buf_fini(&text);
        sets_fini(&s);
    }
}

/* ---- writers ---- */

static yyjson_mut_val *object_of(yyjson_mut_doc *doc, const char *type, const char *quoted)
{
    yyjson_mut_val *object = tree_into(doc, quoted);
    struct kube_report report;

    kube_report_init(&report, false);
    assert_int_equal(kube_decode(doc, message_of(type), object, &report), 0);
    kube_report_fini(&report);
    return object;
}

static struct kube_manager manager_of(yyjson_mut_doc *doc, const char *type, const char *name)
{
    return (struct kube_manager){.doc = doc,
                                 .type = message_of(type),
                                 .name = view_str(name),
                                 .api_version = VIEW_LITERAL("v1"),
                                 .subresource = "",
                                 .now_s = 1000000000,
                                 .has_status = true};
}

/* Each entry as "manager operation time: paths;". */
static void assert_owners(struct sets *s, yyjson_mut_val *object, const char *expected)
{
    yyjson_mut_val *list = kube_json_get(kube_json_get(object, "metadata"), "managedFields");
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *entry;
    struct buf text;

    buf_init(&text);
    while ((entry = yyjson_mut_arr_iter_next(&it)) != NULL) {
        const struct kube_field_set *set;

        buf_append_view(&text, kube_json_get_str(entry, "manager"));
        buf_append_str(&text, " ");
        buf_append_view(&text, kube_json_get_str(entry, "operation"));
        buf_append_str(&text, ": ");
        assert_int_equal(
            kube_field_set_read(&s->arena, s->doc, kube_json_get(entry, "fieldsV1"), &set), 0);
        assert_int_equal(kube_field_set_each(set, collect, &text), 0);
        buf_append_str(&text, "; ");
    }
    assert_text(&text, expected);
    buf_fini(&text);
}

/* What kubectl's first write of a Deployment owns upstream, but for what defaults add. */
static void a_creator_owns_all(void **state)
{
    static const char type[] = "io.k8s.api.apps.v1.Deployment";
    struct sets s;
    struct kube_manager manager;
    yyjson_mut_val *object;

    (void)state;
    sets_init(&s);
    manager = manager_of(s.doc, type, "kubectl-create");
    object = object_of(s.doc, type,
                       "{'metadata':{'name':'d','namespace':'n','labels':{'a':'b'}},'spec':{"
                       "'selector':{'matchLabels':{'a':'b'}},'strategy':{'rollingUpdate':{"
                       "'maxSurge':1}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{"
                       "'containers':[{'name':'c','image':'i'}]}}},'status':{'replicas':7}}");
    assert_int_equal(kube_managed_update(&manager, NULL, object), 0);
    assert_owners(&s, object,
                  "kubectl-create Update: .metadata.labels .metadata.labels.a .spec.selector "
                  ".spec.strategy.rollingUpdate .spec.strategy.rollingUpdate.maxSurge "
                  ".spec.template.metadata.labels .spec.template.metadata.labels.a "
                  ".spec.template.spec.containers[name=\"c\"] "
                  ".spec.template.spec.containers[name=\"c\"].image "
                  ".spec.template.spec.containers[name=\"c\"].name "
                  ".spec.template.spec.containers[name=\"c\"].resources ; ");
    sets_fini(&s);
}

static void changes_change_owners(void **state)
{
    static const char type[] = CORE "ConfigMap";
    struct sets s;
    struct kube_manager a;
    struct kube_manager b;
    yyjson_mut_val *v1;
    yyjson_mut_val *v2;
    yyjson_mut_val *v3;

    (void)state;
    sets_init(&s);
    a = manager_of(s.doc, type, "a");
    b = manager_of(s.doc, type, "b");
    v1 = object_of(s.doc, type, "{'metadata':{'name':'c','uid':'u'},'data':{'x':'1','y':'1'}}");
    v2 = object_of(s.doc, type, "{'metadata':{'name':'c','uid':'u'},'data':{'x':'2','z':'1'}}");
    v3 = object_of(s.doc, type, "{'metadata':{'name':'c','uid':'u'},'data':{'x':'2','z':'1'}}");
    assert_int_equal(kube_managed_update(&a, NULL, v1), 0);
    assert_owners(&s, v1, "a Update: .data .data.x .data.y ; ");
    assert_int_equal(kube_managed_update(&b, v1, v2), 0);
    assert_owners(&s, v2, "a Update: .data ; b Update: .data.x .data.z ; ");
    b.now_s++;
    assert_int_equal(kube_managed_update(&a, v2, v3), 0); /* no change, no owner, no time */
    assert_true(kube_json_equal(v2, v3));
    sets_fini(&s);
}

static void entries_are_capped(void **state)
{
    static const char type[] = CORE "ConfigMap";
    yyjson_mut_val *old = NULL;
    struct sets s;

    (void)state;
    sets_init(&s);
    for (int i = 0; i < KUBE_MANAGED_UPDATES_MAX + 3; i++) {
        char text[128];
        char name[16];
        struct kube_manager m;
        yyjson_mut_val *object;

        (void)snprintf(name, sizeof name, "m%d", i);
        (void)snprintf(text, sizeof text,
                       "{'metadata':{'name':'c','labels':{'k':'%d'}},'data':{'x':'%d'}}", i, i);
        m = manager_of(s.doc, type, name);
        m.now_s += i;
        object = object_of(s.doc, type, text);
        if (old != NULL) { /* each adds a field of its own */
            yyjson_mut_val *data = kube_json_copy(s.doc, kube_json_get(old, "data"));

            assert_true(yyjson_mut_obj_add(data, yyjson_mut_strcpy(s.doc, name),
                                           yyjson_mut_str(s.doc, "1")));
            assert_true(yyjson_mut_obj_put(object, yyjson_mut_str(s.doc, "data"), data));
        }
        assert_int_equal(kube_managed_update(&m, old, object), 0);
        old = object;
    }
    yyjson_mut_val *list = kube_json_get(kube_json_get(old, "metadata"), "managedFields");

    assert_int_equal(yyjson_mut_arr_size(list), KUBE_MANAGED_UPDATES_MAX);
    assert_true(view_equal_str(kube_json_get_str(yyjson_mut_arr_get_first(list), "manager"),
                               "ancient-changes"));
    sets_fini(&s);
}

static void only_times_differ(void **state)
{
    struct sets s;
    yyjson_mut_val *old;
    yyjson_mut_val *same;
    yyjson_mut_val *other;

    (void)state;
    sets_init(&s);
    old = tree_into(s.doc, "{'metadata':{'managedFields':[{'manager':'a','time':'1'}]},'x':1}");
    same = tree_into(s.doc, "{'metadata':{'managedFields':[{'manager':'a','time':'2'}]},'x':1}");
    other = tree_into(s.doc, "{'metadata':{'managedFields':[{'manager':'a','time':'2'}]},'x':2}");
    assert_true(kube_managed_only_times(s.doc, same, old));
    assert_true(kube_json_equal(same, old));
    assert_false(kube_managed_only_times(s.doc, other, old));
    assert_json(other, "{'metadata':{'managedFields':[{'manager':'a','time':'2'}]},'x':2}");
    sets_fini(&s);
}

static void agents(void **state)
{
    static const struct {
        const char *agent;
        const char *name;
    } cases[] = {
        {"kubectl/v1.32.0 (linux/amd64) kubernetes/abc", "kubectl"},
        {"curl", "curl"},
        {"/x", ""},
        {"", ""},
        {"a\tb\x7f/1", "ab"},
    };
    char long_name[2 * KUBE_MANAGER_NAME_MAX];
    char room[KUBE_MANAGER_NAME_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(
            view_equal_str(kube_manager_of_agent(view_str(cases[i].agent), room), cases[i].name));
    }
    memset(long_name, 'x', sizeof long_name);
    assert_int_equal(kube_manager_of_agent(view_make(long_name, sizeof long_name), room).len,
                     KUBE_MANAGER_NAME_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_and_written),
        cmocka_unit_test(keys_are_sorted),
        cmocka_unit_test(malformed),
        cmocka_unit_test(algebra),
        cmocka_unit_test(paths),
        cmocka_unit_test(fields_of_objects),
        cmocka_unit_test(a_creator_owns_all),
        cmocka_unit_test(changes_change_owners),
        cmocka_unit_test(entries_are_capped),
        cmocka_unit_test(only_times_differ),
        cmocka_unit_test(agents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
