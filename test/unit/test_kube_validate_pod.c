/* What makes a pod wrong. Texts are those of Kubernetes 1.32. */
#include "kube/strategy.h"

#include "kube_refused.h"

#define CONTAINER(more) "{'spec':{'containers':[{'name':'c'," more "}]}}"
#define POD(more)       "{'spec':{'containers':[{'name':'c','image':'i'}]," more "}}"
#define VOLUME(source)  POD("'volumes':[{'name':'v'," source "}]")
#define NODE_RULE(rule)                                                                            \
    POD("'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{"           \
        "'nodeSelectorTerms':[{'matchExpressions':[{" rule "}]}]}}}")
static const struct sample pods[] = {
    {"v1/pods", CONTAINER("'image':'i'"), NULL, ""},
    {"v1/pods", "{'spec':{}}", NULL, "spec.containers: Required value"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c'}]}}", NULL,
     "spec.containers[0].image: Required value"},
    {"v1/pods", "{'spec':{'containers':[{'image':'i'}]}}", NULL,
     "spec.containers[0].name: Required value"},
    {"v1/pods", "{'spec':{'containers':[{'name':'UP','image':'i'}]}}", NULL,
     "spec.containers[0].name: Invalid value: \"UP\": a lowercase RFC 1123 label must consist of "
     "lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
     "character (e.g. 'my-name',  or '123-abc', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"},
    {"v1/pods", "{'spec':{'containers':[{'name':'a','image':'i'},{'name':'a','image':'i'}]}}", NULL,
     "spec.containers[1].name: Duplicate value: \"a\""},
    {"v1/pods", CONTAINER("'image':'i','imagePullPolicy':'Often'"), NULL,
     "spec.containers[0].imagePullPolicy: Unsupported value: \"Often\": supported values: "
     "\"Always\", \"IfNotPresent\", \"Never\""},
    {"v1/pods", CONTAINER("'image':'i','terminationMessagePolicy':'X'"), NULL,
     "spec.containers[0].terminationMessagePolicy: Unsupported value: \"X\": supported values: "
     "\"FallbackToLogsOnError\", \"File\""},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'containerPort':0}]"), NULL,
     "spec.containers[0].ports[0].containerPort: Required value"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'containerPort':70000}]"), NULL,
     "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and "
     "65535, inclusive"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'containerPort':80,'hostPort':-1}]"), NULL,
     "spec.containers[0].ports[0].hostPort: Invalid value: -1: must be between 1 and 65535, "
     "inclusive"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'containerPort':80,'protocol':'ICMP'}]"), NULL,
     "spec.containers[0].ports[0].protocol: Unsupported value: \"ICMP\": supported values: "
     "\"SCTP\", \"TCP\", \"UDP\""},
    {"v1/pods",
     CONTAINER("'image':'i','ports':[{'name':'web','containerPort':80},{'name':'web','"
               "containerPort':81}]"),
     NULL, "spec.containers[0].ports[1].name: Duplicate value: \"web\""},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'name':'Web_Port','containerPort':80}]"), NULL,
     "spec.containers[0].ports[0].name: Invalid value: \"Web_Port\": must contain only "
     "alpha-numeric characters (a-z, 0-9), and hyphens (-)"},
    {"v1/pods",
     CONTAINER("'image':'i','ports':[{'containerPort':80,'hostPort':8},{'containerPort':81,'"
               "hostPort':8}]"),
     NULL, "spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//8\""},
    {"v1/pods",
     CONTAINER("'image':'i','ports':[{'containerPort':80,'hostPort':8},{'containerPort':81,'"
               "hostPort':8,'protocol':'UDP'}]"),
     NULL, ""},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':'A-b.c'}]"), NULL, ""},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':''}]"), NULL,
     "spec.containers[0].env[0].name: Required value"},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':'a=b'}]"), NULL,
     "spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name "
     "must consist only of printable ASCII characters other than '='"},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':'A','valueFrom':{}}]"), NULL,
     "spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, "
     "`resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"},
    {"v1/pods",
     CONTAINER("'image':'i','env':[{'name':'A','value':'x','valueFrom':{'secretKeyRef':{'name':'s',"
               "'key':'k'}}}]"),
     NULL,
     "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` "
     "is not empty"},
    {"v1/pods",
     CONTAINER("'image':'i','env':[{'name':'A','valueFrom':{'configMapKeyRef':{'name':'s','key':'a/"
               "b'}}}]"),
     NULL,
     "spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Invalid value: \"a/b\": a valid "
     "config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
     "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"},
    {"v1/pods",
     CONTAINER("'image':'i','env':[{'name':'A','valueFrom':{'configMapKeyRef':{'name':'s'}}}]"),
     NULL, "spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Required value"},
    {"v1/pods", CONTAINER("'image':'i','envFrom':[{}]"), NULL,
     "spec.containers[0].envFrom[0]: Invalid value: \"\": must specify one of: `configMapRef` or "
     "`secretRef`"},
    {"v1/pods", CONTAINER("'image':'i','volumeMounts':[{'name':'nov','mountPath':'/x'}]"), NULL,
     "spec.containers[0].volumeMounts[0].name: Not found: \"nov\""},
    {"v1/pods", CONTAINER("'image':'i','volumeMounts':[{'name':'nov'}]"), NULL,
     "[spec.containers[0].volumeMounts[0].name: Not found: \"nov\", "
     "spec.containers[0].volumeMounts[0].mountPath: Required value]"},
    {"v1/pods",
     "{'spec':{'volumes':[{'name':'v'}],'containers':[{'name':'c','image':'i','volumeMounts':[{'"
     "name':'v','mountPath':'/x'},{'name':'v','mountPath':'/x','subPath':'/"
     "abs'},{'name':'v','mountPath':'/y','subPath':'a/../b'}]}]}}",
     NULL,
     "[spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/x\": must be unique, "
     "spec.containers[0].volumeMounts[1].subPath: Invalid value: \"/abs\": must be a relative "
     "path, spec.containers[0].volumeMounts[2].subPath: Invalid value: \"a/../b\": must not "
     "contain '..']"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'requests':{'cpu':'2'},'limits':{'cpu':'1'}}"),
     NULL,
     "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to "
     "cpu limit of 1"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'requests':{'cpu':'-1'}}"), NULL,
     "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or "
     "equal to 0"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'requests':{'disk':'1'}}"), NULL,
     "spec.containers[0].resources.requests[disk]: Invalid value: \"disk\": must be a standard "
     "resource for containers"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'limits':{'example.com/gpu':'500m'}}"), NULL,
     "[spec.containers[0].resources.limits[example.com/gpu]: Invalid value: \"500m\": must be an "
     "integer, spec.containers[0].resources.requests[example.com/gpu]: Invalid value: \"500m\": "
     "must be an integer]"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'requests':{'example.com/gpu':'1'}}"), NULL,
     "spec.containers[0].resources.limits: Required value: Limit must be set for non "
     "overcommitable resources"},
    {"v1/pods",
     CONTAINER("'image':'i','resources':{'requests':{'example.com/gpu':'1'},'limits':{'example.com/"
               "gpu':'2'}}"),
     NULL,
     "spec.containers[0].resources.requests: Invalid value: \"1\": must be equal to "
     "example.com/gpu limit of 2"},
    {"v1/pods", CONTAINER("'image':'i','livenessProbe':{}"), NULL,
     "spec.containers[0].livenessProbe: Required value: must specify a handler type"},
    {"v1/pods", CONTAINER("'image':'i','livenessProbe':{'exec':{}}"), NULL,
     "spec.containers[0].livenessProbe.exec.command: Required value"},
    {"v1/pods", CONTAINER("'image':'i','livenessProbe':{'tcpSocket':{'port':0}}"), NULL,
     "spec.containers[0].livenessProbe.tcpSocket.port: Invalid value: 0: must be between 1 and "
     "65535, inclusive"},
    {"v1/pods", CONTAINER("'image':'i','readinessProbe':{'httpGet':{'port':'web','scheme':'FTP'}}"),
     NULL,
     "spec.containers[0].readinessProbe.httpGet.scheme: Unsupported value: \"FTP\": supported "
     "values: \"HTTP\", \"HTTPS\""},
    {"v1/pods",
     CONTAINER("'image':'i','livenessProbe':{'tcpSocket':{'port':1},'successThreshold':2}"), NULL,
     "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"},
    {"v1/pods",
     CONTAINER("'image':'i','readinessProbe':{'tcpSocket':{'port':1},'successThreshold':2,'"
               "periodSeconds':-1}"),
     NULL,
     "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or "
     "equal to 0"},
    {"v1/pods",
     CONTAINER("'image':'i','readinessProbe':{'tcpSocket':{'port':1},'exec':{'command':['x']}}"),
     NULL,
     "spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler "
     "type"},
    {"v1/pods", CONTAINER("'image':'i','lifecycle':{'preStop':{}}"), NULL,
     "spec.containers[0].lifecycle.preStop: Required value: must specify a handler type"},
    {"v1/pods", CONTAINER("'image':'i','restartPolicy':'Always'"), NULL,
     "spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers"},
    {"v1/pods", CONTAINER("'image':'i','securityContext':{'runAsUser':-1}"), NULL,
     "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and "
     "2147483647, inclusive"},
    {"v1/pods", POD("'restartPolicy':'Sometimes'"), NULL,
     "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", "
     "\"OnFailure\", \"Never\""},
    {"v1/pods", POD("'dnsPolicy':'Any'"), NULL,
     "spec.dnsPolicy: Unsupported value: \"Any\": supported values: \"ClusterFirstWithHostNet\", "
     "\"ClusterFirst\", \"Default\", \"None\""},
    {"v1/pods", POD("'dnsPolicy':'None'"), NULL,
     "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"},
    {"v1/pods", POD("'nodeSelector':{'a b':'c'}"), NULL,
     "spec.nodeSelector: Invalid value: \"a b\": name part must consist of alphanumeric "
     "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
     "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
     "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
    {"v1/pods", POD("'serviceAccountName':'A_b'"), NULL,
     "spec.serviceAccountName: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist "
     "of lower case alphanumeric characters, '-' or '.', and must start and end with an "
     "alphanumeric character (e.g. 'example.com', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    {"v1/pods", POD("'nodeName':'A_b'"), NULL,
     "spec.nodeName: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of lower "
     "case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
     "character (e.g. 'example.com', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    {"v1/pods", POD("'activeDeadlineSeconds':0"), NULL,
     "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"},
    {"v1/pods", POD("'hostname':'a.b'"), NULL,
     "spec.hostname: Invalid value: \"a.b\": must not contain dots"},
    {"v1/pods", POD("'priorityClassName':'A'"), NULL,
     "spec.priorityClassName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of "
     "lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
     "character (e.g. 'example.com', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    {"v1/pods", POD("'initContainers':[{'name':'c','image':'i'}]"), NULL,
     "spec.initContainers[0].name: Duplicate value: \"c\""},
    {"v1/pods",
     POD("'initContainers':[{'name':'d','image':'i','readinessProbe':{'exec':{'command':['x']}}}]"),
     NULL,
     "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without "
     "restartPolicy=Always"},
    {"v1/pods", POD("'initContainers':[{'name':'d','image':'i','restartPolicy':'Never'}]"), NULL,
     "spec.initContainers[0].restartPolicy: Unsupported value: \"Never\": supported values: "
     "\"Always\""},
    {"v1/pods",
     "{'spec':{'hostNetwork':true,'containers':[{'name':'c','image':'i','ports':[{'containerPort':"
     "80,'hostPort':81}]}]}}",
     NULL,
     "spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` when "
     "`hostNetwork` is true"},
    {"v1/pods", VOLUME("'hostPath':{'path':'/x'}"), NULL, ""},
    {"v1/pods", VOLUME("'hostPath':{'path':'','type':'Dir'}"), NULL,
     "[spec.volumes[0].hostPath.path: Required value, spec.volumes[0].hostPath.type: Unsupported "
     "value: \"Dir\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \"Directory\", "
     "\"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"]"},
    {"v1/pods", VOLUME("'emptyDir':{},'hostPath':{'path':'/x'}"), NULL,
     "spec.volumes[0].emptyDir: Forbidden: may not specify more than 1 volume type"},
    {"v1/pods", VOLUME("'secret':{}"), NULL, "spec.volumes[0].secret.secretName: Required value"},
    {"v1/pods", VOLUME("'configMap':{'name':'c','defaultMode':512}"), NULL,
     "spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and "
     "0777 (octal), both inclusive"},
    {"v1/pods", VOLUME("'persistentVolumeClaim':{}"), NULL,
     "spec.volumes[0].persistentVolumeClaim.claimName: Required value"},
    {"v1/pods", VOLUME("'nfs':{'server':'s','path':'rel'}"), NULL,
     "spec.volumes[0].nfs.path: Invalid value: \"rel\": must be an absolute path"},
    {"v1/pods", POD("'volumes':[{'name':'v'},{'name':'v'}]"), NULL,
     "spec.volumes[1].name: Duplicate value: \"v\""},
    {"v1/pods", POD("'volumes':[{'name':'V_'}]"), NULL,
     "spec.volumes[0].name: Invalid value: \"V_\": a lowercase RFC 1123 label must consist of "
     "lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
     "character (e.g. 'my-name',  or '123-abc', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"},
    {"v1/pods", POD("'volumes':[{}]"), NULL, "spec.volumes[0].name: Required value"},
    {"v1/pods", POD("'tolerations':[{'operator':'Equal'}]"), NULL,
     "spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` "
     "is empty, which means \"match all values and all keys\""},
    {"v1/pods", POD("'tolerations':[{'key':'a','operator':'Exists','value':'v'}]"), NULL,
     "spec.tolerations[0].operator: Invalid value: core.Toleration{Key:\"a\", Operator:\"Exists\", "
     "Value:\"v\", Effect:\"\", TolerationSeconds:(*int64)(nil)}: value must be empty when "
     "`operator` is 'Exists'"},
    {"v1/pods", POD("'tolerations':[{'key':'a','operator':'Near'}]"), NULL,
     "spec.tolerations[0].operator: Unsupported value: \"Near\": supported values: \"Equal\", "
     "\"Exists\""},
    {"v1/pods", POD("'tolerations':[{'key':'a','effect':'NoRun'}]"), NULL,
     "spec.tolerations[0].effect: Unsupported value: \"NoRun\": supported values: \"NoSchedule\", "
     "\"PreferNoSchedule\", \"NoExecute\""},
    {"v1/pods",
     POD("'tolerations':[{'key':'a','operator':'Exists','effect':'NoSchedule','tolerationSeconds':"
         "1}]"),
     NULL,
     "spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when "
     "`tolerationSeconds` is set"},
    {"v1/pods", POD("'tolerations':[{'operator':'Exists'}]"), NULL, ""},
    {"v1/pods",
     POD("'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'"
         "nodeSelectorTerms':[]}}}"),
     NULL,
     "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: "
     "Required value: must have at least one node selector term"},
    {"v1/pods", NODE_RULE("'key':'a','operator':'In'"), NULL,
     "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms["
     "0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or "
     "'NotIn'"},
    {"v1/pods", NODE_RULE("'key':'a','operator':'Exists','values':['b']"), NULL,
     "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms["
     "0].matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' "
     "or 'DoesNotExist'"},
    {"v1/pods", NODE_RULE("'key':'a','operator':'Gt'"), NULL,
     "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms["
     "0].matchExpressions[0].values: Required value: must be specified single value when "
     "`operator` is 'Lt' or 'Gt'"},
    {"v1/pods", NODE_RULE("'key':'a','operator':'Like','values':['b']"), NULL,
     "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms["
     "0].matchExpressions[0].operator: Invalid value: \"Like\": not a valid selector operator"},
    {"v1/pods", NODE_RULE("'key':'-','operator':'Exists'"), NULL,
     "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms["
     "0].matchExpressions[0].key: Invalid value: \"-\": name part must consist of alphanumeric "
     "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
     "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
     "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
    {"v1/pods",
     POD("'affinity':{'nodeAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'weight':"
         "0,'preference':{}}]}}"),
     NULL,
     "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: "
     "Invalid value: 0: must be in the range 1-100"},
    {"v1/pods",
     POD("'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{'"
         "labelSelector':{}}]}}"),
     NULL,
     "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: "
     "Required value: can not be empty"},
    {"v1/pods",
     POD("'affinity':{'podAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'weight':"
         "101,'podAffinityTerm':{'topologyKey':'zone'}}]}}"),
     NULL,
     "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid "
     "value: 101: must be in the range 1-100"},
    {"v1/pods",
     POD("'topologySpreadConstraints':[{'maxSkew':0,'topologyKey':'zone','whenUnsatisfiable':'Wait'"
         "}]"),
     NULL,
     "[spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero, "
     "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"Wait\": supported "
     "values: \"DoNotSchedule\", \"ScheduleAnyway\"]"},
};

static void test_pods(void **state)
{
    (void)state;
    run(pods, ARRAY_LEN(pods));
}

/* Ports of two containers on one port of the host. */
static void test_host_ports_of_all(void **state)
{
    static const struct sample sample = {
        "v1/pods",
        "{'spec':{'containers':[{'name':'a','image':'i','ports':[{'containerPort':1,'hostPort':8}]}"
        ","
        "{'name':'b','image':'i','ports':[{'containerPort':2,'hostPort':8}]}]}}",
        NULL, "spec.containers[1].ports[0].hostPort: Duplicate value: \"TCP//8\""};

    (void)state;
    check(&sample);
}

static int validate_pod(void)
{
    static const char text[] =
        "{\"spec\":{\"containers\":[{\"name\":\"c\",\"ports\":[{\"containerPort\":1,"
        "\"hostPort\":2}]}],\"volumes\":[{\"name\":\"v\"}],\"restartPolicy\":\"Never\"}}";
    struct kube_json_limits limits = kube_json_limits_default();
    struct kube_change change = {.resource = resource_of("v1/pods")};
    struct kube_errors errors;
    yyjson_mut_val *pod;
    yyjson_mut_val *old;
    int err = kube_json_read(view_str(text), &limits, kube_json_heap(), &change.doc, NULL);

    if (err != 0) {
        return err;
    }
    kube_errors_init(&errors);
    pod = yyjson_mut_doc_get_root(change.doc);
    old = kube_json_copy(change.doc, pod);
    err = old == NULL ? KVS_E_NOMEM : 0;
    if (err == 0) {
        (void)yyjson_mut_obj_remove_key(kube_json_get(old, "spec"), "restartPolicy");
        kube_strategy_validate_update(&change, pod, old, &errors);
        err = kube_errors_result(&errors) == KVS_E_INVALID ? 0 : KVS_E_NOMEM;
    }
    kube_errors_fini(&errors);
    yyjson_mut_doc_free(change.doc);
    return err;
}

static void test_no_memory(void **state)
{
    (void)state;
    fail_each_allocation(validate_pod);
}

/* As many ports as a request can hold are looked at in less than the test's time. */
static void test_many_ports(void **state)
{
    enum { MANY = 50000 };
    struct kube_json_limits limits = kube_json_limits_default();
    struct kube_change change = {.resource = resource_of("v1/pods"),
                                 .doc = kube_json_new(kube_json_heap())};
    struct kube_errors errors;
    struct buf text;
    yyjson_mut_val *pod;

    (void)state;
    buf_init(&text);
    buf_append_str(&text, "{\"spec\":{\"containers\":[{\"name\":\"c\",\"ports\":[");
    for (size_t i = 0; i < MANY; i++) {
        buf_printf(&text, "%s{\"name\":\"p%zu\",\"containerPort\":1,\"hostPort\":%zu}",
                   i == 0 ? "" : ",", i, i);
    }
    buf_append_str(&text, "]}]}}");
    assert_false(text.failed);
    assert_int_equal(kube_json_read_into(change.doc, buf_view(&text), &limits, &pod, NULL), 0);
    kube_errors_init(&errors);
    assert_int_equal(kube_strategy_default(&change, pod), 0);
    kube_strategy_validate(&change, pod, &errors);
    assert_int_equal(errors.count, 1); /* no image */
    kube_errors_fini(&errors);
    buf_fini(&text);
    yyjson_mut_doc_free(change.doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pods),
        cmocka_unit_test(test_host_ports_of_all),
        cmocka_unit_test(test_many_ports),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
