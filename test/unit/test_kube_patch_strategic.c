/* Strategic merge patches: cases after apimachinery's own, and what its texts say. */
#include "kube_json_text.h"

#include "kube/patch_strategic.h"
#include "kube_expect.h"

static int apply(
    yyjson_mut_doc *doc, const char *type, const char *patch, yyjson_mut_val **ret, struct buf *why)
{
    yyjson_mut_doc *from = doc_of(patch);
    int err = kube_patch_strategic(doc, message_of(type), yyjson_mut_doc_get_root(doc),
                                   yyjson_mut_doc_get_root(from), ret, why);

    yyjson_mut_doc_free(from); /* Nothing of it may be referred to. */
    return err;
}

#define POD        CORE "Pod"
#define SPEC       CORE "PodSpec"
#define DEPLOYMENT "io.k8s.api.apps.v1.Deployment"

struct strategic_case {
    const char *type;
    const char *target;
    const char *patch;
    const char *result;
};

static void check_results(const struct strategic_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        yyjson_mut_doc *doc = doc_of(cases[i].target);
        yyjson_mut_val *result = NULL;
        struct buf why;

        print_message("%s + %s\n", cases[i].target, cases[i].patch);
        buf_init(&why);
        assert_int_equal(apply(doc, cases[i].type, cases[i].patch, &result, &why), 0);
        assert_json(result, cases[i].result);
        assert_int_equal(why.len, 0);
        buf_fini(&why);
        yyjson_mut_doc_free(doc);
    }
}

static void maps_merge(void **state)
{
    static const struct strategic_case cases[] = {
        {POD, "{}", "{}", "{}"},
        {POD, "{'kind':'Pod'}", "{'kind':null}", "{}"},
        {POD, "{}", "{'kind':null}", "{}"},
        {POD, "{'spec':{'a':1}}", "{'spec':'x'}", "{'spec':'x'}"},
        {POD, "{'metadata':{'labels':{'a':'1','b':'2'}}}",
         "{'metadata':{'labels':{'a':null,'c':'3'}}}", "{'metadata':{'labels':{'b':'2','c':'3'}}}"},
        {POD, "{}", "{'metadata':{'labels':{'a':null,'b':'1'}}}",
         "{'metadata':{'labels':{'b':'1'}}}"},
        {POD, "{'metadata':{'labels':{'a':'1'}}}",
         "{'metadata':{'labels':{'$patch':'replace','b':'2'}}}",
         "{'metadata':{'labels':{'b':'2'}}}"},
        {POD, "{'metadata':{'labels':{'a':'1'}}}", "{'metadata':{'labels':{'$patch':'delete'}}}",
         "{'metadata':{'labels':{}}}"},
        {POD, "{'metadata':{'name':'a'}}", "{'$patch':'delete'}", "{}"},
        {POD, "{'metadata':{'name':'a'}}", "{'$patch':'replace','kind':'P'}", "{'kind':'P'}"},
        {POD, "{'kind':'a'}", "{'metadata':{'$patch':'delete'}}", "{'kind':'a'}"},
        {POD, "{'kind':'a'}", "{'kind':'b','kind':'c'}", "{'kind':'c'}"},
        {POD, "{'kind':'a'}", "{'metadata':{'labels':{'$patch':'replace','x':'y'}}}",
         "{'kind':'a','metadata':{}}"},
    };

    (void)state;
    check_results(cases, ARRAY_LEN(cases));
}

static void lists_merge_by_key(void **state)
{
    static const struct strategic_case cases[] = {
        {SPEC, "{'containers':[{'name':'a','image':'1'},{'name':'b','image':'2'}]}",
         "{'containers':[{'name':'b','image':'3'}]}",
         "{'containers':[{'name':'a','image':'1'},{'name':'b','image':'3'}]}"},
        {SPEC, "{'containers':[{'name':'a','image':'1'}]}",
         "{'containers':[{'name':'c','image':'3'}]}",
         "{'containers':[{'name':'c','image':'3'},{'name':'a','image':'1'}]}"},
        {SPEC, "{'containers':[{'name':'a','image':'1'},{'name':'b','image':'2'}]}",
         "{'containers':[{'name':'a','$patch':'delete'}]}",
         "{'containers':[{'name':'b','image':'2'}]}"},
        {SPEC, "{'containers':[{'name':'a'},{'name':'b'}]}",
         "{'containers':[{'$patch':'replace'},{'name':'c'}]}", "{'containers':[{'name':'c'}]}"},
        {SPEC,
         "{'containers':[{'name':'a','env':[{'name':'x','value':'1'},{'name':'y','value':'2'}]}]}",
         "{'containers':[{'name':'a','env':[{'name':'y','value':'3'},{'name':'z','value':'4'}]}]}",
         "{'containers':[{'name':'a','env':[{'name':'x','value':'1'},{'name':'y','value':'3'},"
         "{'name':'z','value':'4'}]}]}"},
        /* ports merge by containerPort, a number */
        {SPEC, "{'containers':[{'name':'a','ports':[{'containerPort':80,'name':'x'}]}]}",
         "{'containers':[{'name':'a','ports':[{'containerPort':80,'name':'y'},"
         "{'containerPort':81}]}]}",
         "{'containers':[{'name':'a','ports':[{'containerPort':80,'name':'y'},"
         "{'containerPort':81}]}]}"},
        /* without a strategy a list is replaced */
        {SPEC, "{'tolerations':[{'key':'a'}]}", "{'tolerations':[{'key':'b'}]}",
         "{'tolerations':[{'key':'b'}]}"},
        {SPEC, "{'containers':[{'name':'a','command':['x','y']}]}",
         "{'containers':[{'name':'a','command':['z']}]}",
         "{'containers':[{'name':'a','command':['z']}]}"},
        {SPEC, "{}", "{'containers':[{'name':'a','$patch':'delete'},{'name':'b'}]}",
         "{'containers':[{'name':'b'}]}"},
        {SPEC, "{'containers':[]}", "{'containers':[]}", "{'containers':[]}"},
        {SPEC, "{'containers':[{'name':'a'}]}", "{'containers':[]}",
         "{'containers':[{'name':'a'}]}"},
        {SPEC, "{'containers':[{'name':'a'}]}", "{'containers':null}", "{}"},
        /* the same key twice: the second goes into the first */
        {SPEC, "{'containers':[{'name':'b'}]}",
         "{'containers':[{'name':'a','image':'1'},{'name':'a','image':'2'}]}",
         "{'containers':[{'name':'a','image':'2'},{'name':'b'}]}"},
    };

    (void)state;
    check_results(cases, ARRAY_LEN(cases));
}

static void lists_of_scalars(void **state)
{
    static const struct strategic_case cases[] = {
        {POD, "{'metadata':{'finalizers':['a','b']}}", "{'metadata':{'finalizers':['c','a']}}",
         "{'metadata':{'finalizers':['c','a','b']}}"},
        {POD, "{'metadata':{'finalizers':['a','b','c']}}",
         "{'metadata':{'$deleteFromPrimitiveList/finalizers':['b']}}",
         "{'metadata':{'finalizers':['a','c']}}"},
        {POD, "{'metadata':{'finalizers':['a','b']}}",
         "{'metadata':{'$deleteFromPrimitiveList/finalizers':['b'],'finalizers':['d'],"
         "'$setElementOrder/finalizers':['a','d']}}",
         "{'metadata':{'finalizers':['a','d']}}"},
        {POD, "{'metadata':{'finalizers':['a','b','c']}}",
         "{'metadata':{'$setElementOrder/finalizers':['c','b','a']}}",
         "{'metadata':{'finalizers':['c','b','a']}}"},
        {POD, "{'metadata':{}}", "{'metadata':{'$deleteFromPrimitiveList/finalizers':['b']}}",
         "{'metadata':{}}"},
        {POD, "{'metadata':{'finalizers':['a']}}",
         "{'metadata':{'$deleteFromPrimitiveList/finalizers':null}}", "{'metadata':{}}"},
        {POD, "{'metadata':{'finalizers':['a']}}", "{'metadata':{'finalizers':['b','b']}}",
         "{'metadata':{'finalizers':['b','a']}}"},
    };

    (void)state;
    check_results(cases, ARRAY_LEN(cases));
}

static void orders(void **state)
{
    static const struct strategic_case cases[] = {
        {SPEC, "{'containers':[{'name':'a'},{'name':'b'},{'name':'c'}]}",
         "{'$setElementOrder/containers':[{'name':'c'},{'name':'a'}]}",
         "{'containers':[{'name':'b'},{'name':'c'},{'name':'a'}]}"},
        {SPEC, "{'containers':[{'name':'a','image':'1'},{'name':'b'}]}",
         "{'$setElementOrder/containers':[{'name':'b'},{'name':'x'},{'name':'a'}],"
         "'containers':[{'name':'x'},{'name':'a','image':'2'}]}",
         "{'containers':[{'name':'b'},{'name':'x'},{'name':'a','image':'2'}]}"},
        {SPEC, "{}",
         "{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}],"
         "'containers':[{'name':'b'},{'name':'a'}]}",
         "{'containers':[{'name':'b'},{'name':'a'}]}"},
        {SPEC, "{}", "{'$setElementOrder/containers':[{'name':'b'}]}", "{}"},
        {SPEC, "{'containers':[{'name':'a'},{'name':'b'}]}",
         "{'$setElementOrder/"
         "containers':[{'name':'b'}],'containers':[{'name':'a','$patch':'delete'}]}",
         "{'containers':[{'name':'b'}]}"},
        /* replaced lists are put into the order, too */
        {SPEC, "{'tolerations':[{'key':'a'}]}", "{'tolerations':[{'key':'b'}]}",
         "{'tolerations':[{'key':'b'}]}"},
    };

    (void)state;
    check_results(cases, ARRAY_LEN(cases));
}

static void retained_keys(void **state)
{
    static const struct strategic_case cases[] = {
        {DEPLOYMENT,
         "{'spec':{'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':1}}}}",
         "{'spec':{'strategy':{'$retainKeys':['type'],'type':'Recreate'}}}",
         "{'spec':{'strategy':{'type':'Recreate'}}}"},
        {SPEC, "{'volumes':[{'name':'v','emptyDir':{}},{'name':'w','emptyDir':{}}]}",
         "{'volumes':[{'name':'v','$retainKeys':['name','hostPath'],'hostPath':{'path':'/x'}}]}",
         "{'volumes':[{'name':'v','hostPath':{'path':'/x'}},{'name':'w','emptyDir':{}}]}"},
        {DEPLOYMENT, "{'spec':{'strategy':{'type':'a','rollingUpdate':{}}}}",
         "{'spec':{'strategy':{'$retainKeys':['type'],'rollingUpdate':null}}}",
         "{'spec':{'strategy':{'type':'a'}}}"},
    };

    (void)state;
    check_results(cases, ARRAY_LEN(cases));
}

static void refusals(void **state)
{
    static const struct {
        const char *type;
        const char *target;
        const char *patch;
        int err;
        const char *why;
    } cases[] = {
        {POD, "{}", "[]", KVS_E_MALFORMED, "invalid JSON document"},
        {POD, "{}", "null", KVS_E_MALFORMED, "invalid JSON document"},
        {SPEC, "{'containers':[{'name':'a'}]}",
         "{'containers':[{'image':'x','args':['p','q'],'tty':true,'stdin':null}]}", KVS_E_NOT_FOUND,
         "map: map[args:[p q] image:x stdin:<nil> tty:true] does not contain declared merge key: "
         "name"},
        {SPEC, "{'containers':[{'name':'a'}]}", "{'containers':[{'$patch':'delete'}]}",
         KVS_E_NOT_FOUND, "map: map[$patch:delete] does not contain declared merge key: name"},
        {SPEC, "{'containers':[{'name':'a'}]}", "{'containers':[{'name':'a','$patch':'x'}]}",
         KVS_E_NOT_FOUND, "unknown patch type: x in map: map[$patch:x name:a]"},
        {SPEC, "{'containers':[{'name':'a'}]}", "{'containers':[{'name':'a','$patch':'merge'}]}",
         KVS_E_NOT_FOUND, "merging lists cannot yet be specified in the patch"},
        {SPEC, "{}", "{'$patch':'x'}", KVS_E_NOT_FOUND,
         "unknown patch type: x in map: map[$patch:x]"},
        {SPEC, "{'containers':[{'name':'a'}]}", "{'containers':['a']}", KVS_E_NOT_FOUND,
         "list element types are not identical: [[map[name:a]] [a]]"},
        {SPEC, "{'containers':[]}", "{'containers':[['a']]}", KVS_E_INVALID, ""},
        {SPEC, "{}", "{'$setElementOrder/nosuch':[]}", KVS_E_NOT_FOUND,
         "unable to find api field in struct PodSpec for the json field \"nosuch\""},
        {SPEC, "{}", "{'$setElementOrder':[]}", KVS_E_MALFORMED,
         "invalid patch format of setElementOrder list"},
        {SPEC, "{}", "{'$setElementOrder/containers':{}}", KVS_E_NOT_FOUND,
         "expected a []interface {}, but received a map[string]interface {}"},
        {SPEC, "{}", "{'$deleteFromPrimitiveList':[]}", KVS_E_MALFORMED,
         "invalid patch format of primitive list"},
        {SPEC, "{}", "{'$retainKeys':'x'}", KVS_E_MALFORMED, "invalid patch format of retainKeys"},
        {DEPLOYMENT, "{'spec':{'strategy':{'type':'a'}}}",
         "{'spec':{'strategy':{'$retainKeys':['rollingUpdate'],'type':'b'}}}", KVS_E_MALFORMED,
         "invalid patch format of retainKeys"},
        {SPEC, "{'containers':[{'name':'a'}]}",
         "{'$setElementOrder/containers':[{'name':'b'}],'containers':[{'name':'a'}]}",
         KVS_E_NOT_FOUND,
         "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n"
         "[map[name:b]]\n"},
        {SPEC, "{'containers':[{'name':'a'}]}",
         "{'$setElementOrder/containers':[{'x':'b'}],'containers':[{'name':'a'}]}", KVS_E_NOT_FOUND,
         "map: map[x:b] does not contain declared merge key: name"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        yyjson_mut_doc *doc = doc_of(cases[i].target);
        yyjson_mut_val *result = NULL;
        struct buf why;

        print_message("%s + %s\n", cases[i].target, cases[i].patch);
        buf_init(&why);
        assert_int_equal(apply(doc, cases[i].type, cases[i].patch, &result, &why), cases[i].err);
        assert_text(&why, cases[i].why);
        assert_null(result);
        buf_fini(&why);
        yyjson_mut_doc_free(doc);
    }
}

/* A small patch cannot make for much work: each of its items would index a large map. */
static void work_is_bounded(void **state)
{
    struct buf target;
    struct buf patch;
    yyjson_mut_doc *doc;
    yyjson_mut_val *result;

    (void)state;
    buf_init(&target);
    buf_init(&patch);
    buf_append_str(&target, "{'containers':[{'name':'a','resources':{'limits':{");
    for (int i = 0; i < 2000; i++) {
        buf_printf(&target, "%s'%d':'1'", i == 0 ? "" : ",", i);
    }
    buf_append(&target, "}}}]}", sizeof "}}}]}");
    buf_append_str(&patch, "{'containers':[");
    for (int i = 0; i < 15000; i++) {
        buf_append_str(&patch, i == 0 ? "" : ",");
        buf_append_str(&patch, "{'name':'a','resources':{'limits':{}}}");
    }
    buf_append(&patch, "]}", sizeof "]}");
    doc = doc_of((const char *)target.data);
    assert_int_equal(apply(doc, SPEC, (const char *)patch.data, &result, NULL), KVS_E_TOO_LONG);
    yyjson_mut_doc_free(doc);
    buf_fini(&target);
    buf_fini(&patch);
}

static struct buf fail_texts[2];

static int fail_step(void)
{
    struct kube_json_limits limits = kube_json_limits_default();
    yyjson_mut_doc *docs[2] = {NULL, NULL};
    yyjson_mut_val *result;
    int err = 0;

    for (size_t i = 0; err == 0 && i < 2; i++) {
        err = kube_json_read(buf_view(&fail_texts[i]), &limits, kube_json_heap(), &docs[i], NULL);
    }
    if (err == 0) {
        err = kube_patch_strategic(docs[0], message_of(SPEC), yyjson_mut_doc_get_root(docs[0]),
                                   yyjson_mut_doc_get_root(docs[1]), &result, NULL);
    }
    yyjson_mut_doc_free(docs[0]);
    yyjson_mut_doc_free(docs[1]);
    return err;
}

static void memory_runs_out(void **state)
{
    (void)state;
    fail_texts[0] = text_of("{'containers':[{'name':'a','image':'1'},{'name':'b','env':"
                            "[{'name':'x','value':'1'}]}],'volumes':[{'name':'v'}]}");
    fail_texts[1] = text_of("{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}],"
                            "'containers':[{'name':'b','env':[{'name':'y','value':'2'}]}],"
                            "'volumes':[{'name':'w'},{'name':'v','$patch':'delete'}]}");
    fail_each_allocation(fail_step);
    buf_fini(&fail_texts[0]);
    buf_fini(&fail_texts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_merge),       cmocka_unit_test(lists_merge_by_key),
        cmocka_unit_test(lists_of_scalars), cmocka_unit_test(orders),
        cmocka_unit_test(retained_keys),    cmocka_unit_test(refusals),
        cmocka_unit_test(work_is_bounded),  cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
