/* What is refused: each case is an object as a client sends it, for a change also what it was
 * before, and the errors, as kubectl shows them ("": none). Texts are those of Kubernetes 1.32. */
#include "kube/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "kube_json_text.h"

struct sample {
    const char *resource; /* "version/plural" or "group/version/plural" */
    const char *object;
    const char *old; /* NULL: it is created */
    const char *expected;
};

static const struct kube_resource *resource_of(const char *text)
{
    const char *plural = strrchr(text, '/') + 1;
    const char *slash = strchr(text, '/');
    bool core = slash + 1 == plural;
    struct kvs_view group = view_make(text, core ? 0 : (size_t)(slash - text));
    const char *version = core ? text : slash + 1;
    const struct kube_resource *r = kube_resource_find(
        group, view_make(version, (size_t)(plural - 1 - version)), view_str(plural));

    assert_non_null(r);
    return r;
}

/* As a request has it when it comes to validation. */
static yyjson_mut_val *object_of(const struct kube_change *change, const char *quoted, bool create)
{
    struct kube_json_limits limits = kube_json_limits_default();
    const struct kube_resource *r = change->resource;
    const struct kube_kind *kind =
        kube_kind_find(view_str(r->group), view_str(r->version), view_str(r->kind));
    struct buf text = text_of(quoted);
    struct kube_report report;
    yyjson_mut_val *object;

    assert_int_equal(kube_json_read_into(change->doc, buf_view(&text), &limits, &object, NULL), 0);
    kube_report_init(&report, false);
    assert_int_equal(kube_decode(change->doc, kube_kind_message(kind), object, &report), 0);
    kube_report_fini(&report);
    assert_int_equal(kube_strategy_default(change, object), 0);
    if (create) {
        assert_int_equal(kube_strategy_prepare_create(change, object), 0);
    }
    buf_fini(&text);
    return object;
}

static void check(const struct sample *s)
{
    struct kube_change change = {.resource = resource_of(s->resource),
                                 .doc = kube_json_new(kube_json_heap())};
    struct kube_errors errors;
    struct buf got;
    yyjson_mut_val *object;

    assert_non_null(change.doc);
    object = object_of(&change, s->object, s->old == NULL);
    kube_errors_init(&errors);
    buf_init(&got);
    if (s->old == NULL) {
        kube_strategy_validate(&change, object, &errors);
    } else {
        kube_strategy_validate_update(&change, object, object_of(&change, s->old, false), &errors);
    }
    assert_false(errors.failed);
    if (errors.count > 0) {
        kube_errors_print(&errors, &got);
    }
    buf_append_u8(&got, 0);
    if (strcmp((const char *)got.data, s->expected) != 0) {
        fail_msg("%s %s:\n%s\nnot\n%s", s->resource, s->object, got.data, s->expected);
    }
    buf_fini(&got);
    kube_errors_fini(&errors);
    yyjson_mut_doc_free(change.doc);
}

static void run(const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check(&samples[i]);
    }
}

#define CONTAINER(more) "{'spec':{'containers':[{'name':'c'," more "}]}}"
#define POD(more)       "{'spec':{'containers':[{'name':'c','image':'i'}]," more "}}"
#define VOLUME(source)  POD("'volumes':[{'name':'v'," source "}]")
#define NODE_RULE(rule)                                                                            \
    POD("'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{"           \
        "'nodeSelectorTerms':[{'matchExpressions':[{" rule "}]}]}}}")
#define DEPLOYMENT(more)                                                                           \
    "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},"   \
    "'spec':{'containers':[{'name':'c','image':'i'}]}}," more "}}"

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

static const struct sample workloads[] = {
    {"apps/v1/deployments", DEPLOYMENT("'replicas':1"), NULL, ""},
    {"apps/v1/deployments", DEPLOYMENT("'replicas':-1"), NULL,
     "spec.replicas: Invalid value: -1: must be greater than or equal to 0"},
    {"apps/v1/deployments",
     "{'spec':{'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','"
     "image':'i'}]}}}}",
     NULL,
     "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: "
     "map[string]string{\"a\":\"b\"}: `selector` does not match template `labels`]"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'"
     "name':'c','image':'i'}]}}}}",
     NULL,
     "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
     "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for "
     "deployment"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{'matchLabels':{'x':'y'}},'template':{'metadata':{'labels':{'a':'b'}},'"
     "spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.template.metadata.labels: Invalid value: map[string]string{\"a\":\"b\"}: `selector` "
     "does not match template `labels`"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{'matchExpressions':[{'key':'a','operator':'Near'}]},'template':{'"
     "metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.selector.matchExpressions[0].operator: Invalid value: \"Near\": not a valid selector "
     "operator"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'type':'Slow'}"), NULL,
     "spec.strategy.type: Unsupported value: \"Slow\": supported values: \"Recreate\", "
     "\"RollingUpdate\""},
    {"apps/v1/deployments",
     DEPLOYMENT("'strategy':{'type':'Recreate','rollingUpdate':{'maxSurge':1}}"), NULL,
     "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is "
     "'Recreate'"},
    {"apps/v1/deployments",
     DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':0,'maxUnavailable':0}}"), NULL,
     "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, "
     "IntVal:0, StrVal:\"\"}: may not be 0 when `maxSurge` is 0"},
    {"apps/v1/deployments",
     DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':0,'maxUnavailable':'0%'}}"), NULL,
     "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, "
     "IntVal:0, StrVal:\"0%\"}: may not be 0 when `maxSurge` is 0"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':'x'}}"), NULL,
     "spec.strategy.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:1, IntVal:0, "
     "StrVal:\"x\"}: a valid percent string must be a numeric string followed by an ending '%' "
     "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxUnavailable':'101%'}}"),
     NULL,
     "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, "
     "IntVal:0, StrVal:\"101%\"}: must not be greater than 100%"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':-1}}"), NULL,
     "spec.strategy.rollingUpdate.maxSurge: Invalid value: -1: must be greater than or equal to 0"},
    {"apps/v1/deployments", DEPLOYMENT("'minReadySeconds':600"), NULL,
     "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"},
    {"apps/v1/deployments", DEPLOYMENT("'revisionHistoryLimit':-1"), NULL,
     "spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'"
     "spec':{'restartPolicy':'Never','activeDeadlineSeconds':5,'containers':[{'name':'c','image':'"
     "i'}]}}}}",
     NULL,
     "[spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: "
     "\"Always\", spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in "
     "ReplicaSet is not Supported]"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b','-':'"
     "c'}},'spec':{'containers':[]}}}}",
     NULL,
     "[spec.template.labels: Invalid value: \"-\": name part must consist of alphanumeric "
     "characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
     "'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
     "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), spec.template.spec.containers: Required value]"},
    {"apps/v1/replicasets",
     "{'spec':{'replicas':-2,'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'"
     "name':'c','image':'i'}]}}}}",
     NULL,
     "[spec.replicas: Invalid value: -2: must be greater than or equal to 0, spec.selector: "
     "Required value, spec.template.metadata.labels: Invalid value: "
     "map[string]string{\"a\":\"b\"}: `selector` does not match template `labels`]"},
    {"v1/replicationcontrollers",
     "{'spec':{'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','"
     "image':'i'}]}}}}",
     NULL, ""},
    {"v1/replicationcontrollers",
     "{'spec':{'selector':{'x':'y'},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'"
     "containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.template.metadata.labels: Invalid value: map[string]string{\"a\":\"b\"}: `selector` "
     "does not match template `labels`"},
    {"v1/replicationcontrollers",
     "{'spec':{'template':{'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL,
     "spec.selector: Required value"},
    {"apps/v1/daemonsets",
     "{'spec':{'selector':{'matchLabels':{'a':'c'}},'template':{'metadata':{'labels':{'a':'b'}},'"
     "spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.template.metadata.labels: Invalid value: map[string]string{\"a\":\"b\"}: `selector` "
     "does not match template `labels`"},
    {"apps/v1/daemonsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'rollingUpdate':{'"
     "maxUnavailable':1,'maxSurge':1}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'"
     "containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:0, "
     "IntVal:1, StrVal:\"\"}: may not be set when maxUnavailable is non-zero"},
    {"apps/v1/daemonsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'rollingUpdate':{'"
     "maxUnavailable':0}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name'"
     ":'c','image':'i'}]}}}}",
     NULL,
     "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge "
     "is 0"},
    {"apps/v1/daemonsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'type':'Now'},'template':{'"
     "metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.updateStrategy.type: Unsupported value: \"Now\": supported values: \"RollingUpdate\", "
     "\"OnDelete\""},
    {"apps/v1/statefulsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'podManagementPolicy':'Any','template':{'"
     "metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'"},
    {"apps/v1/statefulsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'rollingUpdate':{'partition':"
     "-1}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'"
     "i'}]}}}}",
     NULL,
     "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or "
     "equal to 0"},
    {"apps/v1/statefulsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'persistentVolumeClaimRetentionPolicy':{'"
     "whenDeleted':'Keep'},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'"
     "name':'c','image':'i'}]}}}}",
     NULL,
     "spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: \"Keep\": "
     "supported values: \"Retain\", \"Delete\""},
    {"batch/v1/jobs",
     "{'metadata':{'name':'j','uid':'u'},'spec':{'completions':-1,'template':{'spec':{'containers':"
     "[{'name':'c','image':'i'}]}}}}",
     NULL,
     "[spec.completions: Invalid value: -1: must be greater than or equal to 0, "
     "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"]"},
    {"batch/v1/jobs",
     "{'metadata':{'name':'j','uid':'u'},'spec':{'template':{'spec':{'restartPolicy':'Never','"
     "containers':[{'name':'c','image':'i'}]}}}}",
     NULL, ""},
    {"batch/v1/jobs",
     "{'metadata':{'name':'j','uid':'u'},'spec':{'manualSelector':true,'template':{'spec':{'"
     "restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}",
     NULL,
     "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: "
     "map[string]string(nil): `selector` does not match template `labels`]"},
    {"batch/v1/jobs",
     "{'metadata':{'name':'j','uid':'u'},'spec':{'completionMode':'Indexed','parallelism':1,'"
     "template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}",
     NULL, "spec.completions: Required value: when completion mode is Indexed"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'* * * * "
     "*','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'"
     "c','image':'i'}]}}}}}}",
     NULL, ""},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'nonsense','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'"
     "Never','containers':[{'name':'c','image':'i'}]}}}}}}",
     NULL,
     "spec.schedule: Invalid value: \"nonsense\": expected exactly 5 fields, found 1: [nonsense]"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','"
     "containers':[{'name':'c','image':'i'}]}}}}}}",
     NULL, "spec.schedule: Required value"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'61 * * * "
     "*','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'"
     "c','image':'i'}]}}}}}}",
     NULL,
     "spec.schedule: Invalid value: \"61 * * * *\": end of range (61) above maximum (59): 61"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'TZ=UTC * * * * "
     "*','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'"
     "c','image':'i'}]}}}}}}",
     NULL,
     "spec.schedule: Invalid value: \"TZ=UTC * * * * *\": cannot use TZ or CRON_TZ in schedule, "
     "use timeZone field instead"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'@daily','timeZone':'Mars/"
     "Base','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'"
     "name':'c','image':'i'}]}}}}}}",
     NULL, "spec.timeZone: Invalid value: \"Mars/Base\": unknown time zone Mars/Base"},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'@daily','concurrencyPolicy':'Some','jobTemplate':{'spec':{'template':{'"
     "spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}",
     NULL,
     "spec.concurrencyPolicy: Unsupported value: \"Some\": supported values: \"Allow\", "
     "\"Forbid\", \"Replace\""},
    {"batch/v1/cronjobs",
     "{'spec':{'schedule':'@daily','failedJobsHistoryLimit':-1,'jobTemplate':{'spec':{'template':{'"
     "spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}",
     NULL, "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0"},
    {"batch/v1/cronjobs",
     "{'metadata':{'name':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'},'spec':{'"
     "schedule':'@daily','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','"
     "containers':[{'name':'c','image':'i'}]}}}}}}",
     NULL,
     "metadata.name: Invalid value: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": "
     "must be no more than 52 characters"},
};

static const struct sample services[] = {
    {"v1/services", "{'spec':{'ports':[{'port':80}]}}", NULL, ""},
    {"v1/services", "{'spec':{'selector':{'a':'b'}}}", NULL, "spec.ports: Required value"},
    {"v1/services", "{'spec':{'clusterIP':'None'}}", NULL, ""},
    {"v1/services", "{'spec':{'ports':[{'port':0},{'port':80}]}}", NULL,
     "[spec.ports[0].name: Required value, spec.ports[0].port: Invalid value: 0: must be between 1 "
     "and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 0: must be between 1 and "
     "65535, inclusive, spec.ports[1].name: Required value]"},
    {"v1/services", "{'spec':{'type':'Weird','ports':[{'port':80}]}}", NULL,
     "spec.type: Unsupported value: \"Weird\": supported values: \"ClusterIP\", \"ExternalName\", "
     "\"LoadBalancer\", \"NodePort\""},
    {"v1/services", "{'spec':{'ports':[{'port':80,'name':'A'}]}}", NULL,
     "spec.ports[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower "
     "case alphanumeric characters or '-', and must start and end with an alphanumeric character "
     "(e.g. 'my-name',  or '123-abc', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'name':'a'},{'port':81,'name':'a'}]}}", NULL,
     "spec.ports[1].name: Duplicate value: \"a\""},
    {"v1/services", "{'spec':{'ports':[{'port':80,'name':'a'},{'port':80,'name':'b'}]}}", NULL,
     "spec.ports[1]: Duplicate value: core.ServicePort{Name:\"\", Protocol:\"TCP\", "
     "AppProtocol:(*string)(nil), Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, "
     "StrVal:\"\"}, NodePort:0}"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'targetPort':'Bad_'}]}}", NULL,
     "spec.ports[0].targetPort: Invalid value: \"Bad_\": must contain only alpha-numeric "
     "characters (a-z, 0-9), and hyphens (-)"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'targetPort':70000}]}}", NULL,
     "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'protocol':'X'}]}}", NULL,
     "spec.ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", "
     "\"UDP\""},
    {"v1/services", "{'spec':{'ports':[{'port':80,'nodePort':30000}]}}", NULL,
     "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"},
    {"v1/services", "{'spec':{'type':'NodePort','ports':[{'port':80,'nodePort':80}]}}", NULL,
     "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The "
     "range of valid ports is 30000-32767"},
    {"v1/services",
     "{'spec':{'type':'NodePort','ports':[{'port':80,'name':'a','nodePort':30001},{'port':81,'name'"
     ":'b','nodePort':30001}]}}",
     NULL, "spec.ports[1].nodePort: Duplicate value: 30001"},
    {"v1/services", "{'spec':{'type':'ExternalName'}}", NULL, "spec.externalName: Required value"},
    {"v1/services", "{'spec':{'type':'ExternalName','externalName':'Bad_'}}", NULL,
     "spec.externalName: Invalid value: \"Bad_\": a lowercase RFC 1123 subdomain must consist of "
     "lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
     "character (e.g. 'example.com', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    {"v1/services", "{'spec':{'type':'ExternalName','externalName':'a.b.'}}", NULL, ""},
    {"v1/services", "{'spec':{'type':'NodePort','clusterIP':'None','ports':[{'port':80}]}}", NULL,
     "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"},
    {"v1/services", "{'spec':{'sessionAffinity':'Cookie','ports':[{'port':80}]}}", NULL,
     "spec.sessionAffinity: Unsupported value: \"Cookie\": supported values: \"ClientIP\", "
     "\"None\""},
    {"v1/services",
     "{'spec':{'sessionAffinity':'ClientIP','sessionAffinityConfig':{'clientIP':{'timeoutSeconds':"
     "90000}},'ports':[{'port':80}]}}",
     NULL,
     "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater "
     "than 0 and less than 86400"},
    {"v1/services", "{'spec':{'selector':{'-':'b'},'ports':[{'port':80}]}}", NULL,
     "spec.selector: Invalid value: \"-\": name part must consist of alphanumeric characters, '-', "
     "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
     "'my.name',  or '123-abc', regex used for validation is "
     "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
    {"v1/endpoints", "{'subsets':[{'addresses':[{'ip':'10.0.0.1'}],'ports':[{'port':80}]}]}", NULL,
     ""},
    {"v1/endpoints", "{'subsets':[{'ports':[{'port':80}]}]}", NULL,
     "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"},
    {"v1/endpoints",
     "{'subsets':[{'addresses':[{'ip':'ten'}],'ports':[{'port':0},{'port':1,'name':'a'}]}]}", NULL,
     "[subsets[0].addresses[0].ip: Invalid value: \"ten\": must be a valid IP address, (e.g. "
     "10.9.8.7 or 2001:db8::ffff), subsets[0].ports[0].name: Required value, "
     "subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive]"},
    {"discovery.k8s.io/v1/endpointslices", "{'addressType':'IPv5','endpoints':[{'addresses':[]}]}",
     NULL,
     "[addressType: Unsupported value: \"IPv5\": supported values: \"FQDN\", \"IPv4\", \"IPv6\", "
     "endpoints[0].addresses: Required value: must contain at least 1 address]"},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/"
     "','pathType':'Prefix','backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}",
     NULL, ""},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'nolead','pathType':'Exact','"
     "backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}",
     NULL, "spec.rules[0].http.paths[0].path: Invalid value: \"nolead\": must be an absolute path"},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/"
     "','backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}",
     NULL, "spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/"
     "','pathType':'Some','backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}",
     NULL,
     "spec.rules[0].http.paths[0].pathType: Unsupported value: \"Some\": supported values: "
     "\"Exact\", \"ImplementationSpecific\", \"Prefix\""},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/"
     "','pathType':'Exact','backend':{'service':{'name':'s'}}}]}}]}}",
     NULL, "spec.rules[0].http.paths[0].backend: Required value: port name or number is required"},
    {"networking.k8s.io/v1/ingresses",
     "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/"
     "','pathType':'Exact','backend':{}}]}}]}}",
     NULL,
     "spec.rules[0].http.paths[0].backend: Invalid value: \"\": resource or service backend is "
     "required"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'a.b','http':{'paths':[]}}]}}",
     NULL, "spec.rules[0].http.paths: Required value"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{}}", NULL,
     "spec: Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must "
     "be specified"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'bad_host'}]}}", NULL,
     "spec.rules[0].host: Invalid value: \"bad_host\": a lowercase RFC 1123 subdomain must consist "
     "of lower case alphanumeric characters, '-' or '.', and must start and end with an "
     "alphanumeric character (e.g. 'example.com', regex used for validation is "
     "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'10.0.0.1'}]}}", NULL,
     "spec.rules[0].host: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address"},
    {"networking.k8s.io/v1/networkpolicies",
     "{'spec':{'podSelector':{},'ingress':[{'ports':[{'protocol':'X','port':0}]}]}}", NULL,
     "[spec.ingress[0].ports[0].protocol: Unsupported value: \"X\": supported values: \"SCTP\", "
     "\"TCP\", \"UDP\", spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and "
     "65535, inclusive]"},
};

static const struct sample others[] = {
    {"v1/configmaps", "{'data':{'a':'b'}}", NULL, ""},
    {"v1/configmaps", "{'data':{'a/b':'c'}}", NULL,
     "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric "
     "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for "
     "validation is '[-._a-zA-Z0-9]+')"},
    {"v1/configmaps", "{'data':{'a':'b'},'binaryData':{'a':'Yg=='}}", NULL,
     "data[a]: Invalid value: \"a\": duplicate of key present in binaryData"},
    {"v1/secrets", "{'data':{'..':'Yg=='}}", NULL,
     "data[..]: Invalid value: \"..\": must not be '..'"},
    {"v1/secrets", "{'type':'kubernetes.io/tls','data':{'k':'YQ=='}}", NULL,
     "[data[tls.crt]: Required value, data[tls.key]: Required value]"},
    {"v1/secrets", "{'type':'kubernetes.io/basic-auth'}", NULL,
     "[data[username]: Required value, data[password]: Required value]"},
    {"v1/secrets", "{'type':'kubernetes.io/ssh-auth'}", NULL,
     "data[ssh-privatekey]: Required value"},
    {"v1/secrets", "{'type':'kubernetes.io/dockerconfigjson'}", NULL,
     "data[.dockerconfigjson]: Required value"},
    {"v1/secrets", "{'type':'kubernetes.io/service-account-token'}", NULL,
     "metadata.annotations[kubernetes.io/service-account.name]: Required value"},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a','effect':'NoSchedule'}]}}", NULL, ""},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a'}]}}", NULL,
     "spec.taints[0].effect: Required value"},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a','effect':'Bad'}]}}", NULL,
     "spec.taints[0].effect: Unsupported value: \"Bad\": supported values: \"NoSchedule\", "
     "\"PreferNoSchedule\", \"NoExecute\""},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a','value':'a b','effect':'NoExecute'}]}}", NULL,
     "spec.taints[0].value: Invalid value: \"a b\": a valid label must be an empty string or "
     "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
     "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
     "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
    {"v1/nodes",
     "{'spec':{'taints':[{'key':'a','effect':'NoSchedule'},{'key':'a','value':'x','effect':'"
     "NoSchedule'}]}}",
     NULL,
     "spec.taints[1]: Duplicate value: core.Taint{Key:\"a\", Value:\"x\", Effect:\"NoSchedule\", "
     "TimeAdded:<nil>}: taints must be unique by key and effect pair"},
    {"v1/limitranges",
     "{'spec':{'limits':[{'type':'Container','min':{'cpu':'2'},'max':{'cpu':'1'},'defaultRequest':{"
     "'cpu':'2'},'default':{'cpu':'2'}}]}}",
     NULL,
     "[spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1, "
     "spec.limits[0].defaultRequest[cpu]: Invalid value: \"2\": default request value 2 is greater "
     "than max value 1, spec.limits[0].default[cpu]: Invalid value: \"2\": default value 2 is "
     "greater than max value 1]"},
    {"v1/limitranges", "{'spec':{'limits':[{'type':'Pod','default':{'cpu':'1'}}]}}", NULL,
     "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"},
    {"v1/limitranges", "{'spec':{'limits':[{'type':'Pod'},{'type':'Pod'}]}}", NULL,
     "spec.limits[1].type: Duplicate value: \"Pod\""},
    {"v1/resourcequotas", "{'spec':{'hard':{'pods':'1'}}}", NULL, ""},
    {"v1/resourcequotas", "{'spec':{'hard':{'pods':'-1'}}}", NULL,
     "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0"},
    {"v1/resourcequotas", "{'spec':{'hard':{'count/jobs.batch':'5'}}}", NULL, ""},
    {"v1/resourcequotas", "{'spec':{'hard':{'fish':'1'}}}", NULL,
     "spec.hard[fish]: Invalid value: \"fish\": must be a standard resource for quotas"},
    {"v1/persistentvolumes", "{'spec':{'hostPath':{'path':'/x'}}}", NULL,
     "[spec.accessModes: Required value, spec.capacity: Required value]"},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}", NULL,
     ""},
    {"v1/persistentvolumeclaims", "{'spec':{}}", NULL,
     "[spec.accessModes: Required value: at least 1 access mode is required, "
     "spec.resources[storage]: Required value]"},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['Any'],'resources':{'requests':{'storage':'0'}}}}", NULL,
     "[spec.accessModes: Unsupported value: \"Any\": supported values: \"ReadOnlyMany\", "
     "\"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\", spec.resources[storage]: Invalid "
     "value: \"0\": must be greater than zero]"},
    {"storage.k8s.io/v1/storageclasses", "{'provisioner':''}", NULL, "provisioner: Required value"},
    {"storage.k8s.io/v1/storageclasses", "{'provisioner':'p','reclaimPolicy':'Keep'}", NULL,
     "reclaimPolicy: Unsupported value: \"Keep\": supported values: \"Delete\", \"Retain\""},
    {"autoscaling/v2/horizontalpodautoscalers",
     "{'spec':{'scaleTargetRef':{'kind':'D','name':'d'},'maxReplicas':0}}", NULL,
     "[spec.maxReplicas: Invalid value: 0: must be greater than 0, spec.maxReplicas: Invalid "
     "value: 0: must be greater than or equal to `minReplicas`]"},
    {"autoscaling/v2/horizontalpodautoscalers",
     "{'spec':{'scaleTargetRef':{'kind':'D','name':'d'},'minReplicas':0,'maxReplicas':1}}", NULL,
     "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"},
    {"autoscaling/v2/horizontalpodautoscalers",
     "{'spec':{'scaleTargetRef':{'kind':'D','name':'d'},'minReplicas':3,'maxReplicas':2}}", NULL,
     "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`"},
    {"rbac.authorization.k8s.io/v1/roles",
     "{'rules':[{'verbs':['get'],'apiGroups':[''],'resources':['pods']}]}", NULL, ""},
    {"rbac.authorization.k8s.io/v1/roles", "{'rules':[{}]}", NULL,
     "[rules[0].verbs: Required value: verbs must contain at least one value, rules[0].apiGroups: "
     "Required value: resource rules must supply at least one api group, rules[0].resources: "
     "Required value: resource rules must supply at least one resource]"},
    {"rbac.authorization.k8s.io/v1/roles", "{'rules':[{'verbs':['get'],'nonResourceURLs':['/x']}]}",
     NULL,
     "rules[0].nonResourceURLs: Invalid value: []string{\"/x\"}: namespaced rules cannot apply to "
     "non-resource URLs"},
    {"rbac.authorization.k8s.io/v1/clusterroles",
     "{'rules':[{'verbs':['get'],'nonResourceURLs':['/x']}]}", NULL, ""},
    {"rbac.authorization.k8s.io/v1/clusterroles",
     "{'rules':[{'verbs':['get'],'nonResourceURLs':['/x'],'apiGroups':['']}]}", NULL,
     "rules[0].nonResourceURLs: Invalid value: []string{\"/x\"}: rules cannot apply to both "
     "regular resources and non-resource URLs"},
    {"rbac.authorization.k8s.io/v1/rolebindings", "{'roleRef':{'kind':'Role','name':'r'}}", NULL,
     ""},
    {"rbac.authorization.k8s.io/v1/rolebindings", "{'roleRef':{'kind':'Pod','name':''}}", NULL,
     "[roleRef.kind: Unsupported value: \"Pod\": supported values: \"Role\", \"ClusterRole\", "
     "roleRef.name: Required value]"},
    {"rbac.authorization.k8s.io/v1/rolebindings",
     "{'roleRef':{'kind':'Role','name':'r'},'subjects':[{'kind':'Robot','name':'x'}]}", NULL,
     "subjects[0].kind: Unsupported value: \"Robot\": supported values: \"ServiceAccount\", "
     "\"User\", \"Group\""},
    {"rbac.authorization.k8s.io/v1/clusterrolebindings", "{'roleRef':{'kind':'Role','name':'r'}}",
     NULL, "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\""},
    {"rbac.authorization.k8s.io/v1/clusterrolebindings",
     "{'roleRef':{'kind':'ClusterRole','name':'r'},'subjects':[{'kind':'ServiceAccount','name':'x'}"
     "]}",
     NULL, "subjects[0].namespace: Required value"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'p'},'value':1000000001}", NULL,
     "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'system-x'},'value':1}", NULL,
     "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system "
     "use only. error: it is not a known system priority class"},
    {"scheduling.k8s.io/v1/priorityclasses",
     "{'metadata':{'name':'system-node-critical'},'value':2000001000}", NULL, ""},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'p'},'preemptionPolicy':'Maybe'}",
     NULL,
     "preemptionPolicy: Unsupported value: \"Maybe\": supported values: \"Never\", "
     "\"PreemptLowerPriority\""},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'minAvailable':1}}", NULL, ""},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'minAvailable':'x%'}}", NULL,
     "spec.minAvailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"x%\"}: a "
     "valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
     "'93%', regex used for validation is '[0-9]+%')"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'minAvailable':-1}}", NULL,
     "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'maxUnavailable':'101%'}}", NULL,
     "spec.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"101%\"}: "
     "must not be greater than 100%"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'unhealthyPodEvictionPolicy':'Maybe'}}", NULL,
     "spec.unhealthyPodEvictionPolicy: Unsupported value: \"Maybe\": supported values: "
     "\"AlwaysAllow\", \"IfHealthyBudget\""},
    {"coordination.k8s.io/v1/leases", "{'spec':{'leaseDurationSeconds':0,'leaseTransitions':-1}}",
     NULL,
     "[spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0, spec.leaseTransitions: "
     "Invalid value: -1: must be greater than or equal to 0]"},
};

static const struct sample changes[] = {
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}", ""},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'b'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}", ""},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':''}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "spec.containers[0].image: Required value"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'restartPolicy':'Never'}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "spec: Forbidden: pod updates may not change fields other than "
     "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec."
     "tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
     "(allow it to be set to 1 if it was previously negative)\n  core.PodSpec{\n- \trestartPolicy: "
     "\"Always\",\n+ \trestartPolicy: \"Never\",\n  }\n"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'nodeSelector':{'a':'b'}}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "spec: Forbidden: pod updates may not change fields other than "
     "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec."
     "tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
     "(allow it to be set to 1 if it was previously negative)\n  core.PodSpec{\n+ \tnodeSelector: "
     "{\"a\":\"b\"},\n  }\n"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'},{'name':'d','image':'i'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "spec.containers: Forbidden: pod updates may not add or remove containers"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':5}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}", ""},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':5}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':4}}",
     "spec.activeDeadlineSeconds: Invalid value: 5: must be less than or equal to previous value"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':4}}",
     "spec.activeDeadlineSeconds: Invalid value: \"null\": must not update from a positive integer "
     "to nil value"},
    {"v1/pods",
     "{'spec':{'containers':[{'name':'c','image':'i'}],'tolerations':[{'key':'a','operator':'"
     "Exists'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}]}}", ""},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'i'}],'tolerations':[{'key':'a','operator':'"
     "Exists'}]}}",
     "spec.tolerations: Forbidden: existing toleration can not be modified except its "
     "tolerationSeconds"},
    {"apps/v1/deployments",
     "{'spec':{'selector':{'matchLabels':{'app':'web','x':'y'}},'template':{'metadata':{'labels':{'"
     "app':'web','x':'y'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     DEPLOYMENT("'replicas':1"),
     "spec.selector: Invalid value: "
     "v1.LabelSelector{MatchLabels:map[string]string{\"app\":\"web\", \"x\":\"y\"}, "
     "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable"},
    {"apps/v1/deployments", DEPLOYMENT("'replicas':3"), DEPLOYMENT("'replicas':1"), ""},
    {"apps/v1/statefulsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'serviceName':'b','template':{'metadata':{'"
     "labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'serviceName':'a','template':{'metadata':{'"
     "labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
     "'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' "
     "are forbidden"},
    {"apps/v1/statefulsets",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'replicas':2,'template':{'metadata':{'labels':{"
     "'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'"
     "spec':{'containers':[{'name':'c','image':'i'}]}}}}",
     ""},
    {"batch/v1/jobs",
     "{'spec':{'completions':2,'parallelism':1,'manualSelector':true,'selector':{},'template':{'"
     "spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}",
     "{'spec':{'completions':1,'parallelism':1,'manualSelector':true,'selector':{},'template':{'"
     "spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}",
     "spec.completions: Invalid value: 2: field is immutable"},
    {"v1/services", "{'spec':{'clusterIP':'10.96.200.1','ports':[{'port':80}]}}",
     "{'spec':{'clusterIP':'10.96.0.9','ports':[{'port':80}]}}",
     "spec.clusterIPs[0]: Invalid value: []string{\"10.96.200.1\"}: may not change once set"},
    {"v1/configmaps", "{'immutable':true,'data':{'k':'w'}}", "{'immutable':true,'data':{'k':'v'}}",
     "data: Forbidden: field is immutable when `immutable` is set"},
    {"v1/configmaps", "{'immutable':false,'data':{'k':'v'}}", "{'immutable':true,'data':{'k':'v'}}",
     "immutable: Forbidden: field is immutable when `immutable` is set"},
    {"v1/secrets", "{'type':'other'}", "{'type':'Opaque'}",
     "type: Invalid value: \"other\": field is immutable"},
    {"v1/nodes", "{'spec':{'podCIDRs':['10.1.0.0/24'],'providerID':'b'}}",
     "{'spec':{'podCIDRs':['10.0.0.0/24'],'providerID':'a'}}",
     "[spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid, "
     "spec.providerID: Forbidden: node updates may not change providerID except from \"\" to "
     "valid]"},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['ReadWriteMany'],'resources':{'requests':{'storage':'1Gi'}}}}",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}",
     "spec: Forbidden: spec is immutable after creation except resources.requests and "
     "volumeAttributesClassName for bound claims"},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'2Gi'}}}}",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}",
     "spec: Forbidden: spec is immutable after creation except resources.requests and "
     "volumeAttributesClassName for bound claims"},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'2Gi'}}}}",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}},'status'"
     ":{'phase':'Bound'}}",
     ""},
    {"v1/persistentvolumeclaims",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}",
     "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'2Gi'}}},'status'"
     ":{'phase':'Bound','capacity':{'storage':'2Gi'}}}",
     "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"},
    {"storage.k8s.io/v1/storageclasses",
     "{'provisioner':'b','reclaimPolicy':'Retain','parameters':{'a':'b'}}", "{'provisioner':'a'}",
     "[parameters: Forbidden: updates to parameters are forbidden., provisioner: Forbidden: "
     "updates to provisioner are forbidden., reclaimPolicy: Invalid value: \"Retain\": field is "
     "immutable]"},
    {"rbac.authorization.k8s.io/v1/rolebindings", "{'roleRef':{'kind':'Role','name':'b'}}",
     "{'roleRef':{'kind':'Role','name':'a'}}",
     "roleRef: Invalid value: rbac.RoleRef{APIGroup:\"rbac.authorization.k8s.io\", Kind:\"Role\", "
     "Name:\"b\"}: cannot change roleRef"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'p'},'value':2}",
     "{'metadata':{'name':'p'},'value':1}", "value: Forbidden: may not be changed in an update."},
};

static void test_pods(void **state)
{
    (void)state;
    run(pods, ARRAY_LEN(pods));
}

static void test_workloads(void **state)
{
    (void)state;
    run(workloads, ARRAY_LEN(workloads));
}

static void test_services(void **state)
{
    (void)state;
    run(services, ARRAY_LEN(services));
}

static void test_others(void **state)
{
    (void)state;
    run(others, ARRAY_LEN(others));
}

static void test_changes(void **state)
{
    (void)state;
    run(changes, ARRAY_LEN(changes));
}

/* More than an object may hold: a value of a mebibyte and a byte. */
static void test_size(void **state)
{
    enum { TOO_MUCH = (1 << 20) + 1 };
    struct kube_change change = {.resource = resource_of("v1/configmaps"),
                                 .doc = kube_json_new(kube_json_heap())};
    yyjson_mut_val *object = object_of(&change, "{'data':{'a':''}}", true);
    yyjson_mut_val *data = kube_json_get(object, "data");
    struct kube_errors errors;
    struct buf text;

    (void)state;
    buf_init(&text);
    for (size_t i = 0; i < TOO_MUCH; i++) {
        buf_append_u8(&text, 'x');
    }
    kube_errors_init(&errors);
    assert_true(yyjson_mut_obj_put(data, yyjson_mut_str(change.doc, "a"),
                                   yyjson_mut_strn(change.doc, (char *)text.data, text.len)));
    kube_strategy_validate(&change, object, &errors);
    assert_int_equal(errors.count, 1);
    assert_string_equal(errors.items[0].field, "[]");
    assert_string_equal(errors.items[0].body, "Too long: may not be more than 1048576 bytes");
    kube_errors_fini(&errors);
    buf_fini(&text);
    yyjson_mut_doc_free(change.doc);
}

/* A change of the status leaves alone what is wrong elsewhere. */
static void test_status(void **state)
{
    struct kube_change change = {.resource = resource_of("v1/pods"),
                                 .sub = KUBE_SUB_STATUS,
                                 .doc = kube_json_new(kube_json_heap())};
    yyjson_mut_val *object = object_of(&change, "{'spec':{}}", false);
    struct kube_errors errors;

    (void)state;
    kube_errors_init(&errors);
    kube_strategy_validate_update(&change, object, object, &errors);
    assert_int_equal(errors.count, 0);
    change.sub = KUBE_SUB_NONE;
    kube_strategy_validate_update(&change, object, object, &errors);
    assert_int_equal(errors.count, 1);
    kube_errors_fini(&errors);
    yyjson_mut_doc_free(change.doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pods),     cmocka_unit_test(test_workloads),
        cmocka_unit_test(test_services), cmocka_unit_test(test_others),
        cmocka_unit_test(test_changes),  cmocka_unit_test(test_size),
        cmocka_unit_test(test_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
