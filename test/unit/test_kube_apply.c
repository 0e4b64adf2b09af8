/* Server-side apply: histories of applies and updates, with what is left and who owns it. */
#include "kube_json_text.h"

#include "kube/apply.h"
#include "kube/field_set.h"
#include "kube_expect.h"

#define CONFIGMAP "'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c'}"
#define POD       "'apiVersion':'v1','kind':'Pod','metadata':{'name':'p'}"

enum { STEPS_MAX = 5 };

struct step {
    const char *manager;
    const char *body;
    bool force;
    bool update; /* the whole object by a plain write */
    unsigned code;
    const char *message; /* of a refusal */
};

struct history {
    const char *kind;
    struct step steps[STEPS_MAX];
    const char *result; /* the object without its metadata */
    const char *owners; /* "manager operation: paths; " each */
};

struct world {
    yyjson_mut_doc *doc;
    yyjson_mut_val *object; /* NULL: not there */
    const struct kube_kind *kind;
    int64_t now_s;
};

static void normalise(struct world *w, yyjson_mut_val *object)
{
    struct kube_report report;

    kube_report_init(&report, false);
    assert_int_equal(kube_decode(w->doc, kube_kind_message(w->kind), object, &report), 0);
    kube_report_fini(&report);
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

static void run_step(struct world *w, const struct step *step)
{
    struct kube_manager manager = {.doc = w->doc,
                                   .type = kube_kind_message(w->kind),
                                   .name = view_str(step->manager),
                                   .api_version = VIEW_LITERAL("v1"),
                                   .subresource = "",
                                   .now_s = w->now_s++,
                                   .has_status = true};
    struct kube_status status;
    struct kube_apply apply = {&manager, kube_string(w->kind->kind), step->force, &status};
    yyjson_mut_val *body = tree_into(w->doc, step->body);
    yyjson_mut_val *object = body;
    int err;

    kube_status_init(&status);
    if (step->update) {
        normalise(w, body);
        err = kube_managed_update(&manager, w->object, body);
    } else {
        err = kube_apply(&apply, w->object, body, &object);
    }
    assert_int_equal(err, step->code == 0 ? 0 : KVS_E_INVALID);
    if (err == 0) {
        normalise(w, object);
        w->object = object;
    } else {
        assert_int_equal(status.code, step->code);
        assert_text(&status.message, step->message);
    }
    kube_status_fini(&status);
}

static void collect(void *ctx, struct kvs_view path)
{
    buf_append_view(ctx, path);
    buf_append_str(ctx, " ");
}

static void print_owners(yyjson_mut_doc *doc, yyjson_mut_val *object, struct buf *to)
{
    yyjson_mut_val *list = kube_json_get(kube_json_get(object, "metadata"), "managedFields");
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *entry;
    struct arena arena;

    arena_init(&arena, 0);
    while ((entry = yyjson_mut_arr_iter_next(&it)) != NULL) {
        const struct kube_field_set *set;

        buf_append_view(to, kube_json_get_str(entry, "manager"));
        buf_append_str(to, " ");
        buf_append_view(to, kube_json_get_str(entry, "operation"));
        buf_append_str(to, ": ");
        assert_int_equal(kube_field_set_read(&arena, doc, kube_json_get(entry, "fieldsV1"), &set),
                         0);
        assert_int_equal(kube_field_set_each(set, collect, to), 0);
        buf_append_str(to, "; ");
    }
    arena_fini(&arena);
}

static void check_history(const struct history *h)
{
    struct world w = {.doc = kube_json_new(kube_json_heap()), .now_s = 1000000000};
    yyjson_mut_val *shown;
    struct buf owners;

    w.kind = kube_kind_find_api(view_str("v1"), view_str(h->kind));
    for (size_t i = 0; i < STEPS_MAX && h->steps[i].manager != NULL; i++) {
        print_message("%s: %s\n", h->steps[i].manager, h->steps[i].body);
        run_step(&w, &h->steps[i]);
    }
    buf_init(&owners);
    print_owners(w.doc, w.object, &owners);
    assert_text(&owners, h->owners);
    buf_fini(&owners);
    shown = kube_json_copy(w.doc, w.object);
    (void)yyjson_mut_obj_remove_key(shown, "metadata");
    (void)yyjson_mut_obj_remove_key(shown, "kind");
    (void)yyjson_mut_obj_remove_key(shown, "apiVersion");
    (void)yyjson_mut_obj_remove_key(shown, "status");
    assert_json(shown, h->result);
    yyjson_mut_doc_free(w.doc);
}

static void check_histories(const struct history *histories, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        print_message("---- %zu\n", i);
        check_history(&histories[i]);
    }
}

#define DATA(text) "{" CONFIGMAP ",'data':" text "}"

static void maps(void **state)
{
    static const struct history histories[] = {
        {"ConfigMap",
         {{.manager = "a", .body = DATA("{'x':'1','y':'2'}")}},
         "{'data':{'x':'1','y':'2'}}",
         "a Apply: .data.x .data.y ; "},
        /* what is no longer applied goes */
        {"ConfigMap",
         {{.manager = "a", .body = DATA("{'x':'1','y':'2'}")},
          {.manager = "a", .body = DATA("{'x':'1'}")}},
         "{'data':{'x':'1'}}",
         "a Apply: .data.x ; "},
        {"ConfigMap",
         {{.manager = "a", .body = DATA("{'x':'1'}")}, {.manager = "a", .body = "{" CONFIGMAP "}"}},
         "{}",
         ""},
        /* ... but not if somebody else applies it, too */
        {"ConfigMap",
         {{.manager = "a", .body = DATA("{'x':'1','y':'2'}")},
          {.manager = "b", .body = DATA("{'y':'2'}")},
          {.manager = "a", .body = DATA("{'x':'1'}")}},
         "{'data':{'x':'1','y':'2'}}",
         "b Apply: .data.y ; a Apply: .data.x ; "},
        /* ... nor if somebody set it by a write */
        {"ConfigMap",
         {{.manager = "a", .body = DATA("{'x':'1'}")},
          {.manager = "w", .body = DATA("{'x':'1','y':'2'}"), .update = true},
          {.manager = "a", .body = DATA("{}")}},
         "{'data':{'y':'2'}}",
         "a Apply: .data ; w Update: .data.y ; "},
        /* conflicts */
        {"ConfigMap",
         {{.manager = "a", .body = DATA("{'x':'1'}")},
          {.manager = "b",
           .body = DATA("{'x':'2'}"),
           .code = 409,
           .message = "Apply failed with 1 conflict: conflict with \"a\": .data.x"}},
         "{'data':{'x':'1'}}",
         "a Apply: .data.x ; "},
        {"ConfigMap",
         {{.manager = "a", .body = DATA("{'x':'1','y':'1'}")},
          {.manager = "b",
           .body = DATA("{'x':'2','y':'2','z':'2'}"),
           .code = 409,
           .message =
               "Apply failed with 2 conflicts: conflicts with \"a\":\n- .data.x\n- .data.y"}},
         "{'data':{'x':'1','y':'1'}}",
         "a Apply: .data.x .data.y ; "},
        {"ConfigMap",
         {{.manager = "b", .body = DATA("{'x':'1'}")},
          {.manager = "a", .body = DATA("{'y':'1'}")},
          {.manager = "w", .body = DATA("{'x':'1','y':'1','z':'1'}"), .update = true},
          {.manager = "c",
           .body = DATA("{'x':'2','y':'2','z':'2'}"),
           .code = 409,
           .message =
               "Apply failed with 3 conflicts: conflicts with \"a\":\n- .data.y\n"
               "conflicts with \"b\":\n- .data.x\nconflicts with \"w\" using v1:\n- .data.z"}},
         "{'data':{'x':'1','y':'1','z':'1'}}",
         "b Apply: .data.x ; a Apply: .data.y ; w Update: .data.z ; "},
        {"ConfigMap",
         {{.manager = "a", .body = DATA("{'x':'1','y':'1'}")},
          {.manager = "b", .body = DATA("{'x':'2'}"), .force = true}},
         "{'data':{'x':'2','y':'1'}}",
         "a Apply: .data.y ; b Apply: .data.x ; "},
        /* an update takes without asking */
        {"ConfigMap",
         {{.manager = "a", .body = DATA("{'x':'1'}")},
          {.manager = "w", .body = DATA("{'x':'2'}"), .update = true},
          {.manager = "a",
           .body = DATA("{'x':'1'}"),
           .code = 409,
           .message = "Apply failed with 1 conflict: conflict with \"w\" using v1: .data.x"},
          {.manager = "a", .body = DATA("{'x':'1'}"), .force = true}},
         "{'data':{'x':'1'}}",
         "a Apply: .data.x ; "},
        /* an object that nobody tracked */
        {"ConfigMap",
         {{.manager = "w",
           .body =
               "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c','managedFields':[{}]},"
               "'data':{'x':'1'}}",
           .update = true},
          {.manager = "w",
           .body =
               "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c','managedFields':[{}]},"
               "'data':{'x':'1'}}",
           .update = true},
          {.manager = "a",
           .body = DATA("{'x':'2'}"),
           .code = 409,
           .message =
               "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: "
               ".data.x"},
          {.manager = "a", .body = DATA("{'y':'2'}")}},
         "{'data':{'x':'1','y':'2'}}",
         "a Apply: .data.y ; before-first-apply Update: .data .data.x ; "},
    };

    (void)state;
    check_histories(histories, ARRAY_LEN(histories));
}

#define CONTAINERS(text) "{" POD ",'spec':{'containers':[" text "]}}"

static void lists(void **state)
{
    static const struct history histories[] = {
        {"Pod",
         {{.manager = "a", .body = CONTAINERS("{'name':'x','image':'1'}")},
          {.manager = "b", .body = CONTAINERS("{'name':'y','image':'2'}")}},
         "{'spec':{'containers':[{'name':'x','image':'1','resources':{}},"
         "{'name':'y','image':'2','resources':{}}]}}",
         "a Apply: .spec.containers[name=\"x\"] .spec.containers[name=\"x\"].image "
         ".spec.containers[name=\"x\"].name ; b Apply: .spec.containers[name=\"y\"] "
         ".spec.containers[name=\"y\"].image .spec.containers[name=\"y\"].name ; "},
        {"Pod",
         {{.manager = "a", .body = CONTAINERS("{'name':'x','image':'1'},{'name':'y','image':'2'}")},
          {.manager = "a", .body = CONTAINERS("{'name':'y','image':'2'}")}},
         "{'spec':{'containers':[{'name':'y','image':'2','resources':{}}]}}",
         "a Apply: .spec.containers[name=\"y\"] .spec.containers[name=\"y\"].image "
         ".spec.containers[name=\"y\"].name ; "},
        /* the order of who applies last */
        {"Pod",
         {{.manager = "a", .body = CONTAINERS("{'name':'x'},{'name':'y'}")},
          {.manager = "b", .body = CONTAINERS("{'name':'y'},{'name':'x'}")}},
         "{'spec':{'containers':[{'name':'y','resources':{}},{'name':'x','resources':{}}]}}",
         "a Apply: .spec.containers[name=\"x\"] .spec.containers[name=\"y\"] "
         ".spec.containers[name=\"x\"].name .spec.containers[name=\"y\"].name ; "
         "b Apply: .spec.containers[name=\"x\"] .spec.containers[name=\"y\"] "
         ".spec.containers[name=\"x\"].name .spec.containers[name=\"y\"].name ; "},
        /* an atomic list is one value */
        {"Pod",
         {{.manager = "a",
           .body = "{" POD ",'spec':{'tolerations':[{'key':'k'}],'containers':[{'name':'x'}]}}"},
          {.manager = "b",
           .body = "{" POD ",'spec':{'tolerations':[{'key':'l'}]}}",
           .code = 409,
           .message = "Apply failed with 1 conflict: conflict with \"a\": .spec.tolerations"},
          {.manager = "b",
           .body = "{" POD ",'spec':{'tolerations':[{'key':'l'}]}}",
           .force = true}},
         "{'spec':{'containers':[{'name':'x','resources':{}}],'tolerations':[{'key':'l'}]}}",
         "a Apply: .spec.containers[name=\"x\"] .spec.containers[name=\"x\"].name ; "
         "b Apply: .spec.tolerations ; "},
        /* ports by number and protocol, which has a default */
        {"Pod",
         {{.manager = "a", .body = CONTAINERS("{'name':'x','ports':[{'containerPort':80}]}")},
          {.manager = "b",
           .body = CONTAINERS("{'name':'x','ports':[{'containerPort':80,'protocol':'UDP'}]}")}},
         "{'spec':{'containers':[{'name':'x','ports':[{'containerPort':80},"
         "{'containerPort':80,'protocol':'UDP'}],'resources':{}}]}}",
         "a Apply: .spec.containers[name=\"x\"] .spec.containers[name=\"x\"].name "
         ".spec.containers[name=\"x\"].ports[containerPort=80,protocol=\"TCP\"] "
         ".spec.containers[name=\"x\"].ports[containerPort=80,protocol=\"TCP\"].containerPort ; "
         "b Apply: .spec.containers[name=\"x\"] .spec.containers[name=\"x\"].name "
         ".spec.containers[name=\"x\"].ports[containerPort=80,protocol=\"UDP\"] "
         ".spec.containers[name=\"x\"].ports[containerPort=80,protocol=\"UDP\"].containerPort "
         ".spec.containers[name=\"x\"].ports[containerPort=80,protocol=\"UDP\"].protocol ; "},
        /* the status is nobody's here */
        {"Pod",
         {{.manager = "a",
           .body = "{" POD ",'spec':{'nodeName':'n'},'status':{'phase':'Running'}}"}},
         "{'spec':{'containers':null,'nodeName':'n'}}",
         "a Apply: .spec.nodeName ; "},
    };

    (void)state;
    check_histories(histories, ARRAY_LEN(histories));
}

#define WRONG_TYPE(text) "failed to create typed patch object (/p; v1, Kind=Pod): " text

static void refusals(void **state)
{
    static const struct history histories[] = {
        {"Pod",
         {{.manager = "a", .body = "{" POD "}"},
          {.manager = "a",
           .body = "{'apiVersion':'v1','kind':'Node'}",
           .code = 400,
           .message = "invalid object type: v1, Kind=Node"},
          {.manager = "a", .body = "{}", .code = 400, .message = "invalid object type: /, Kind="},
          {.manager = "a",
           .body = "{'apiVersion':'v1','kind':'Pod','metadata':{'managedFields':[]}}",
           .code = 400,
           .message = "metadata.managedFields must be nil"}},
         "{'spec':{'containers':null}}",
         ""},
        {"Pod",
         {{.manager = "a", .body = "{" POD "}"},
          {.manager = "a",
           .body = "{" POD ",'spec':{'x':1}}",
           .code = 500,
           .message = WRONG_TYPE(".spec.x: field not declared in schema")},
          {.manager = "a",
           .body = "{" POD ",'x':1,'y':2}",
           .code = 500,
           .message = WRONG_TYPE("errors:\n  .x: field not declared in schema\n  .y: field not "
                                 "declared in schema")},
          {.manager = "a",
           .body = CONTAINERS("{'image':'i'}"),
           .code = 500,
           .message = WRONG_TYPE(".spec.containers: element 0: associative list with keys has an "
                                 "element that omits key field \"name\" (and doesn't have default "
                                 "value)")},
          {.manager = "a",
           .body = CONTAINERS("{'name':'c'},{'name':'c'}"),
           .code = 500,
           .message = WRONG_TYPE(".spec.containers: duplicate entries for key [name=\"c\"]")}},
         "{'spec':{'containers':null}}",
         ""},
        {"Pod",
         {{.manager = "a", .body = "{" POD "}"},
          {.manager = "a",
           .body = "{" POD ",'spec':{'priority':'x'}}",
           .code = 500,
           .message = WRONG_TYPE(".spec.priority: expected numeric (int or float), got string")}},
         "{'spec':{'containers':null}}",
         ""},
    };

    (void)state;
    check_histories(histories, ARRAY_LEN(histories));
}

/* kubectl's server-side apply takes over from its client-side apply without force. */
static void client_side_apply_is_taken_over(void **state)
{
    static const char created[] =
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\","
        "\"annotations\":"
        "{\"kubectl.kubernetes.io/last-applied-configuration\":\"{\\\"apiVersion\\\":\\\"v1\\\","
        "\\\"kind\\\":\\\"ConfigMap\\\",\\\"metadata\\\":{\\\"name\\\":\\\"c\\\"},\\\"data\\\":"
        "{\\\"x\\\":\\\"1\\\"}}\"}},\"data\":{\"x\":\"1\",\"y\":\"1\"}}";
    struct world w = {.doc = kube_json_new(kube_json_heap()), .now_s = 1000000000};
    const struct step steps[] = {
        {.manager = "kubectl-client-side-apply", .body = created, .update = true},
        {.manager = "kubectl",
         .body = DATA("{'x':'2','y':'2'}"),
         .code = 409,
         .message =
             "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\" using "
             "v1: .data.y"},
        {.manager = "kubectl", .body = DATA("{'x':'2'}")},
    };
    yyjson_mut_val *annotations;

    (void)state;
    w.kind = kube_kind_find_api(view_str("v1"), view_str("ConfigMap"));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        run_step(&w, &steps[i]);
    }
    annotations = kube_json_get(kube_json_get(w.object, "metadata"), "annotations");
    assert_true(view_equal_str(
        kube_json_get_str(annotations, "kubectl.kubernetes.io/last-applied-configuration"),
        "{\"apiVersion\":\"v1\",\"data\":{\"x\":\"2\"},\"kind\":\"ConfigMap\",\"metadata\":"
        "{\"name\":\"c\"}}\n"));
    yyjson_mut_doc_free(w.doc);
}

static struct buf fail_texts[2];

static int fail_step(void)
{
    struct kube_json_limits limits = kube_json_limits_default();
    struct kube_manager manager = {.doc = kube_json_new(kube_json_heap()),
                                   .type = message_of(CORE "Pod"),
                                   .name = VIEW_LITERAL("a"),
                                   .api_version = VIEW_LITERAL("v1"),
                                   .subresource = ""};
    struct kube_status status;
    struct kube_apply apply = {&manager, "Pod", false, &status};
    yyjson_mut_val *object = NULL;
    int err = manager.doc == NULL ? KVS_E_NOMEM : 0;

    kube_status_init(&status);
    for (size_t i = 0; err == 0 && i < 2; i++) {
        yyjson_mut_val *patch;

        err = kube_json_read_into(manager.doc, buf_view(&fail_texts[i]), &limits, &patch, NULL);
        if (err == 0) {
            err = kube_apply(&apply, object, patch, &object);
        }
    }
    kube_status_fini(&status);
    yyjson_mut_doc_free(manager.doc);
    return err;
}

static void memory_runs_out(void **state)
{
    (void)state;
    fail_texts[0] = text_of(CONTAINERS("{'name':'x','image':'1'},{'name':'y'}"));
    fail_texts[1] = text_of(CONTAINERS("{'name':'y','image':'2'}"));
    fail_each_allocation(fail_step);
    buf_fini(&fail_texts[0]);
    buf_fini(&fail_texts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps),
        cmocka_unit_test(lists),
        cmocka_unit_test(refusals),
        cmocka_unit_test(client_side_apply_is_taken_over),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
