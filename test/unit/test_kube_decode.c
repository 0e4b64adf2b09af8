/* What Kubernetes' Go types make of JSON: the normal form, the errors, unknown and duplicate
 * fields. Expectations are what kube-apiserver shows for the same input. */
#include "kube_json_text.h"

#include <stdio.h>

#include "base/attr.h"

struct decoded {
    yyjson_mut_doc *doc;
    struct kube_report report;
    int err;
};

static struct decoded decode(const char *message, const char *json)
{
    struct decoded d = {.doc = doc_of(json)};

    kube_report_init(&d.report, true);
    d.err = kube_decode(d.doc, message_of(message), yyjson_mut_doc_get_root(d.doc), &d.report);
    return d;
}

static void decoded_free(struct decoded *d)
{
    kube_report_fini(&d->report);
    yyjson_mut_doc_free(d->doc);
}

static void test_normal_form(void **state)
{
    static const struct {
        const char *message, *json, *want;
    } cases[] = {
        /* Struct order; what may not be missing is there. */
        {CORE "ConfigMap", "{'data':{'b':'2','a':'1'},'kind':'ConfigMap','apiVersion':'v1'}",
         "{'kind':'ConfigMap','apiVersion':'v1','metadata':{'creationTimestamp':null},"
         "'data':{'a':'1','b':'2'}}"},
        {CORE "Pod", "{}",
         "{'metadata':{'creationTimestamp':null},'spec':{'containers':null},'status':{}}"},
        {CORE "Pod", "null",
         "{'metadata':{'creationTimestamp':null},'spec':{'containers':null},'status':{}}"},
        {CORE "PodSpec", "{'containers':[]}", "{'containers':[]}"},
        {CORE "PodSpec", "{'containers':[{}]}", "{'containers':[{'name':'','resources':{}}]}"},
        {CORE "PodSpec", "{'containers':[null]}", "{'containers':[{'name':'','resources':{}}]}"},
        /* Empty and omitempty: gone. A pointer to zero: not. */
        {CORE "PodSpec",
         "{'containers':[],'volumes':[],'nodeName':'','hostNetwork':false,'nodeSelector':{},"
         "'priority':0,'terminationGracePeriodSeconds':0,'securityContext':{}}",
         "{'containers':[],'terminationGracePeriodSeconds':0,'securityContext':{},'priority':0}"},
        /* Null: absent for pointers and lists, zero for scalars. */
        {CORE "ContainerPort", "{'containerPort':null,'hostPort':null,'protocol':null}",
         "{'containerPort':0}"},
        {CORE "PodSpec",
         "{'containers':null,'priority':null,'volumes':null,'securityContext':null}",
         "{'containers':null}"},
        {CORE "ConfigMap", "{'data':{'a':null}}",
         "{'metadata':{'creationTimestamp':null},'data':{'a':''}}"},
        {META "ObjectMeta", "{'finalizers':['a',null],'creationTimestamp':null}",
         "{'creationTimestamp':null,'finalizers':['a','']}"},
        /* Embedded structs are flat. */
        {CORE "Volume", "{'emptyDir':{},'name':'v'}", "{'name':'v','emptyDir':{}}"},
        {CORE "Probe", "{'timeoutSeconds':1,'httpGet':{'port':'web','path':'/'}}",
         "{'httpGet':{'path':'/','port':'web'},'timeoutSeconds':1}"},
        {CORE "HTTPGetAction", "{}", "{'port':0}"},
        {CORE "HTTPGetAction", "{'port':null}", "{'port':0}"},
        /* Texts of their own. */
        {META "ObjectMeta", "{'creationTimestamp':'2024-02-29T23:30:00.25+01:30'}",
         "{'creationTimestamp':'2024-02-29T22:00:00Z'}"},
        {"io.k8s.api.coordination.v1.LeaseSpec", "{'renewTime':'2024-01-01T00:00:00.000001-00:30'}",
         "{'renewTime':'2024-01-01T00:30:00.000001Z'}"},
        {CORE "ResourceRequirements", "{'limits':{'memory':'1Gi','cpu':2}}",
         "{'limits':{'cpu':'2','memory':'1Gi'}}"},
        {CORE "Secret", "{'data':{'a':'aGVs\\nbG8=','b':null,'c':''}}",
         "{'metadata':{'creationTimestamp':null},'data':{'a':'aGVsbG8=','b':null,'c':''}}"},
        /* Free-form values stay as they are. */
        {"io.k8s.api.apps.v1.ControllerRevision", "{'data':{'z':1,'a':[{'y':null,'b':{}}]}}",
         "{'metadata':{'creationTimestamp':null},'data':{'z':1,'a':[{'y':null,'b':{}}]},"
         "'revision':0}"},
        {"io.k8s.api.apps.v1.ControllerRevision", "{}",
         "{'metadata':{'creationTimestamp':null},'data':null,'revision':0}"},
        /* Lists with a name of their own. */
        {META "APIResource", "{'name':'pods','verbs':['get']}",
         "{'name':'pods','singularName':'','namespaced':false,'kind':'','verbs':['get']}"},
        {META "APIResource", "{}",
         "{'name':'','singularName':'','namespaced':false,'kind':'','verbs':null}"},
        {"io.k8s.api.authentication.v1.UserInfo", "{'extra':{'b':['x'],'a':null}}",
         "{'extra':{'a':null,'b':['x']}}"},
        {"io.k8s.api.rbac.v1.Role", "{}", "{'metadata':{'creationTimestamp':null},'rules':null}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decoded d = decode(cases[i].message, cases[i].json);

        if (d.err != 0) {
            fail_msg("%s: %.*s", cases[i].json, (int)d.report.error.len, d.report.error.data);
        }
        assert_int_equal(d.report.n_findings, 0);
        assert_json(yyjson_mut_doc_get_root(d.doc), cases[i].want);
        /* Once normal, always normal. */
        assert_int_equal(kube_decode(d.doc, message_of(cases[i].message),
                                     yyjson_mut_doc_get_root(d.doc), &d.report),
                         0);
        assert_json(yyjson_mut_doc_get_root(d.doc), cases[i].want);
        decoded_free(&d);
    }
}

static void test_values_that_do_not_fit(void **state)
{
    static const struct {
        const char *message, *json, *error;
    } cases[] = {
        {CORE "Pod", "{'spec':{'containers':[{'ports':[{'containerPort':'eighty'}]}]}}",
         "json: cannot unmarshal string into Go struct field "
         "ContainerPort.spec.containers.ports.containerPort of type int32"},
        {CORE "ConfigMap", "{'data':{'a':1}}",
         "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"},
        {CORE "Pod", "{'spec':[]}",
         "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec"},
        {CORE "Pod", "{'spec':{'containers':{}}}",
         "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type "
         "[]v1.Container"},
        {CORE "Pod", "{'spec':{'containers':['x']}}",
         "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type "
         "v1.Container"},
        {CORE "Pod", "{'metadata':{'labels':['x']}}",
         "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type "
         "map[string]string"},
        {CORE "Pod", "[]", "json: cannot unmarshal array into Go value of type v1.Pod"},
        {CORE "PodSpec", "{'hostNetwork':'true'}",
         "json: cannot unmarshal string into Go struct field PodSpec.hostNetwork of type bool"},
        {CORE "PodSpec", "{'priority':1.5}",
         "json: cannot unmarshal number 1.5 into Go struct field PodSpec.priority of type int32"},
        {CORE "PodSpec", "{'priority':2147483648}",
         "json: cannot unmarshal number 2147483648 into Go struct field PodSpec.priority of type "
         "int32"},
        {CORE "PodSpec", "{'activeDeadlineSeconds':9223372036854775808}",
         "json: cannot unmarshal number 9223372036854775808 into Go struct field "
         "PodSpec.activeDeadlineSeconds of type int64"},
        {CORE "HTTPGetAction", "{'port':true}",
         "json: cannot unmarshal bool into Go value of type int32"},
        {CORE "HTTPGetAction", "{'port':2147483648}",
         "json: cannot unmarshal number 2147483648 into Go value of type int32"},
        {CORE "ResourceRequirements", "{'limits':{'cpu':'abc'}}",
         "quantities must match the regular expression "
         "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {CORE "Secret", "{'data':{'k':'not base64!'}}", "illegal base64 data at input byte 3"},
        {CORE "Secret", "{'data':{'k':'aGVsbG8'}}", "illegal base64 data at input byte 7"},
        {META "ObjectMeta", "{'creationTimestamp':5}",
         "json: cannot unmarshal number into Go value of type string"},
        {META "ObjectMeta", "{'creationTimestamp':'2023-02-29T00:00:00Z'}",
         "parsing time \"2023-02-29T00:00:00Z\" as \"2006-01-02T15:04:05Z07:00\": cannot parse "
         "\"2023-02-29T00:00:00Z\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decoded d = decode(cases[i].message, cases[i].json);

        assert_int_equal(d.err, KVS_E_INVALID);
        buf_append_u8(&d.report.error, 0);
        assert_string_equal((char *)d.report.error.data, cases[i].error);
        decoded_free(&d);
    }
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        bool plain, micro;
    } cases[] = {
        {"2024-01-01T00:00:00Z", true, false},       {"2024-01-01T00:00:00.123456Z", true, true},
        {"2024-01-01T00:00:00.12345Z", true, false}, {"2024-01-01T00:00:00+23:59", true, false},
        {"2024-01-01T00:00:00", false, false},       {"2024-01-01 00:00:00Z", false, false},
        {"2024-13-01T00:00:00Z", false, false},      {"2024-00-01T00:00:00Z", false, false},
        {"2024-01-00T00:00:00Z", false, false},      {"2024-01-32T00:00:00Z", false, false},
        {"2024-01-01T24:00:00Z", false, false},      {"2024-01-01T00:60:00Z", false, false},
        {"2024-01-01T00:00:60Z", false, false},      {"2024-01-01T00:00:00.Z", false, false},
        {"2024-01-01T00:00:00Zx", false, false},     {"", false, false},
    };
    char json[128];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decoded d;

        (void)snprintf(json, sizeof json, "{'creationTimestamp':'%s'}", cases[i].text);
        d = decode(META "ObjectMeta", json);
        assert_int_equal(d.err, cases[i].plain ? 0 : KVS_E_INVALID);
        decoded_free(&d);
        (void)snprintf(json, sizeof json, "{'renewTime':'%s'}", cases[i].text);
        d = decode("io.k8s.api.coordination.v1.LeaseSpec", json);
        assert_int_equal(d.err, cases[i].micro ? 0 : KVS_E_INVALID);
        decoded_free(&d);
    }
}

static void test_unknown_and_duplicate_fields(void **state)
{
    static const char *const want[] = {
        "unknown field \"Kind\"",
        "unknown field \"spec.containers[1].imagePolicy\"",
        "unknown field \"spec.containers[1].a\\\"\\n\"",
        "duplicate field \"spec.nodeName\"",
        "unknown field \"spec.nodeSelectr\"",
        "duplicate field \"metadata.labels.a\"",
    };
    struct decoded d = decode(
        CORE "Pod", "{'Kind':'Pod','spec':{'containers':[{'name':'a'},{'name':'b',"
                    "'imagePolicy':'x','a\\\"\\n':1,'imagePolicy':'y'}],'nodeName':'m',"
                    "'nodeName':'n','nodeSelectr':{}},'metadata':{'labels':{'a':'1','a':'2'}}}");
    struct buf strict;

    (void)state;
    assert_int_equal(d.err, 0);
    assert_int_equal(d.report.n_findings, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_string_equal(kube_report_finding(&d.report, i), want[i]);
    }
    assert_null(kube_report_finding(&d.report, ARRAY_LEN(want)));
    assert_json(yyjson_mut_doc_get_root(d.doc),
                "{'metadata':{'creationTimestamp':null,'labels':{'a':'2'}},'spec':{'containers':"
                "[{'name':'a','resources':{}},{'name':'b','resources':{}}],'nodeName':'n'},"
                "'status':{}}");
    buf_init(&strict);
    kube_report_strict(&d.report, &strict);
    assert_memory_equal(strict.data,
                        "strict decoding error: unknown field \"Kind\", unknown field \"spec.", 65);
    buf_fini(&strict);
    decoded_free(&d);
}

static void test_findings_are_bounded_or_not_wanted(void **state)
{
    struct buf json;
    struct decoded d;

    (void)state;
    buf_init(&json);
    buf_append_u8(&json, '{');
    for (int i = 0; i < 300; i++) {
        buf_printf(&json, "'x%d':1,", i);
    }
    buf_append_str(&json, "'kind':'Pod'}");
    buf_append_u8(&json, 0);
    d = decode(CORE "Pod", (char *)json.data);
    assert_int_equal(d.err, 0);
    assert_int_equal(d.report.n_findings, KUBE_FINDINGS_MAX);
    assert_int_equal(d.report.n_dropped, 200);
    decoded_free(&d);

    d.doc = doc_of((char *)json.data);
    kube_report_init(&d.report, false);
    assert_int_equal(
        kube_decode(d.doc, message_of(CORE "Pod"), yyjson_mut_doc_get_root(d.doc), &d.report), 0);
    assert_int_equal(d.report.n_findings, 0);
    decoded_free(&d);
    buf_fini(&json);
}

static void test_large_maps(void **state)
{
    struct buf json;
    struct decoded d;
    yyjson_mut_val *data;

    (void)state;
    buf_init(&json);
    buf_append_str(&json, "{'data':{");
    for (int i = 50000; i > 0; i--) {
        buf_printf(&json, "'key-%d':'v',", i);
    }
    buf_append_str(&json, "'key-1':'w'}}");
    buf_append_u8(&json, 0);
    d = decode(CORE "ConfigMap", (char *)json.data);
    assert_int_equal(d.err, 0);
    data = kube_json_get(yyjson_mut_doc_get_root(d.doc), "data");
    assert_int_equal(yyjson_mut_obj_size(data), 50000);
    assert_string_equal(yyjson_mut_get_str(kube_json_get(data, "key-1")), "w");
    assert_string_equal(kube_report_finding(&d.report, 0), "duplicate field \"data.key-1\"");
    decoded_free(&d);
    buf_fini(&json);
}

static void test_defaults_of_the_schema(void **state)
{
    struct decoded d =
        decode(CORE "PodSpec", "{'containers':[{'name':'a','ports':[{'containerPort':1},"
                               "{'containerPort':2,'protocol':'UDP'}]}],'volumes':[{'name':'v',"
                               "'iscsi':{'targetPortal':'t','iqn':'i','lun':0}}]}");

    (void)state;
    assert_int_equal(d.err, 0);
    assert_int_equal(
        kube_default(d.doc, message_of(CORE "PodSpec"), yyjson_mut_doc_get_root(d.doc)), 0);
    assert_json(yyjson_mut_doc_get_root(d.doc),
                "{'volumes':[{'name':'v','iscsi':{'targetPortal':'t','iqn':'i','lun':0,"
                "'iscsiInterface':'default'}}],'containers':[{'name':'a','ports':["
                "{'containerPort':1,'protocol':'TCP'},{'containerPort':2,'protocol':'UDP'}],"
                "'resources':{}}]}");
    decoded_free(&d);
}

static int decode_and_default(void)
{
    static const char json[] =
        "{\"spec\":{\"containers\":[{\"x\":1,\"ports\":[{\"containerPort\":80}],\"resources\":"
        "{\"limits\":{\"memory\":5,\"cpu\":1.5}}}]},\"metadata\":{\"creationTimestamp\":"
        "\"2024-01-01T00:00:00+01:00\",\"labels\":{\"b\":\"1\",\"a\":\"2\"}},\"y\":2}";
    struct kube_json_limits limits = kube_json_limits_default();
    const struct kube_message *pod = message_of(CORE "Pod");
    struct kube_report report;
    yyjson_mut_doc *doc;
    int err = kube_json_read(VIEW_LITERAL(json), &limits, kube_json_heap(), &doc, NULL);

    if (err != 0) {
        return err;
    }
    kube_report_init(&report, true);
    err = kube_decode(doc, pod, yyjson_mut_doc_get_root(doc), &report);
    if (err == 0) {
        err = kube_default(doc, pod, yyjson_mut_doc_get_root(doc));
    }
    kube_report_fini(&report);
    yyjson_mut_doc_free(doc);
    return err;
}

static int refuse(void)
{
    struct kube_json_limits limits = kube_json_limits_default();
    struct kube_report report;
    yyjson_mut_doc *doc;
    int err = kube_json_read(VIEW_LITERAL("{\"spec\":{\"priority\":1.5}}"), &limits,
                             kube_json_heap(), &doc, NULL);

    if (err != 0) {
        return err;
    }
    kube_report_init(&report, true);
    err = kube_decode(doc, message_of(CORE "Pod"), yyjson_mut_doc_get_root(doc), &report);
    kube_report_fini(&report);
    yyjson_mut_doc_free(doc);
    return err == KVS_E_INVALID ? 0 : err;
}

static void test_no_memory(void **state)
{
    (void)state;
    fail_each_allocation(decode_and_default);
    fail_each_allocation(refuse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal_form),
        cmocka_unit_test(test_values_that_do_not_fit),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_unknown_and_duplicate_fields),
        cmocka_unit_test(test_findings_are_bounded_or_not_wanted),
        cmocka_unit_test(test_large_maps),
        cmocka_unit_test(test_defaults_of_the_schema),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
