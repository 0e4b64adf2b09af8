/* What is filled in: each case is an object as a client sends it, a JSON pointer, and what stands
 * there afterwards ("-": nothing). */
#include "kube/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "kube/tree.h"
#include "kube_json_text.h"

struct sample {
    const char *resource; /* "version/plural" or "group/version/plural" */
    const char *object;
    const char *pointer;
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

static void normalise(yyjson_mut_doc *doc, const struct kube_resource *r, yyjson_mut_val *object)
{
    struct kube_report report;
    const struct kube_kind *kind =
        kube_kind_find(view_str(r->group), view_str(r->version), view_str(r->kind));

    kube_report_init(&report, false);
    assert_non_null(kind);
    assert_int_equal(kube_decode(doc, kube_kind_message(kind), object, &report), 0);
    kube_report_fini(&report);
}

static void check(const struct sample *s, yyjson_mut_val *object)
{
    yyjson_mut_val *found = yyjson_mut_ptr_get(object, s->pointer);
    struct buf want = text_of(s->expected);
    struct buf got;

    buf_init(&got);
    if (found == NULL) {
        buf_append_u8(&got, '-');
    } else {
        assert_int_equal(kube_json_write(&got, found), 0);
    }
    buf_append_u8(&got, 0);
    if (strcmp((const char *)got.data, (const char *)want.data) != 0) {
        fail_msg("%s %s %s: %s, not %s", s->resource, s->object, s->pointer, got.data, want.data);
    }
    buf_fini(&got);
    buf_fini(&want);
}

/* Everything is set once: doing it again changes nothing. */
static void run(const struct sample *samples, size_t n, bool create)
{
    for (size_t i = 0; i < n; i++) {
        yyjson_mut_doc *doc = doc_of(samples[i].object);
        yyjson_mut_val *object = yyjson_mut_doc_get_root(doc);
        struct kube_change change = {.resource = resource_of(samples[i].resource),
                                     .doc = doc,
                                     .now = view_str("2026-01-02T03:04:05Z")};
        yyjson_mut_val *again;
        bool same;

        normalise(doc, change.resource, object);
        assert_int_equal(kube_strategy_default(&change, object), 0);
        if (create) {
            (void)yyjson_mut_obj_remove_key(object, "status");
            assert_int_equal(kube_strategy_prepare_create(&change, object), 0);
        }
        normalise(doc, change.resource, object);
        check(&samples[i], object);
        again = kube_json_copy(doc, object);
        assert_non_null(again);
        assert_int_equal(kube_strategy_default(&change, again), 0);
        normalise(doc, change.resource, again);
        assert_int_equal(kube_tree_equal(object, again, &same), 0);
        assert_true(same);
        yyjson_mut_doc_free(doc);
    }
}

#define POD(spec)       "{'spec':{'containers':[{'name':'c','image':'nginx'}]," spec "}}"
#define CONTAINER(more) "{'spec':{'containers':[{'name':'c'," more "}]}}"
#define VOLUME(source)  "{'spec':{'containers':[],'volumes':[{'name':'v'" source "}]}}"

static const struct sample pods[] = {
    {"v1/pods", POD("'nodeName':''"), "/spec/restartPolicy", "'Always'"},
    {"v1/pods", POD("'restartPolicy':'Never'"), "/spec/restartPolicy", "'Never'"},
    {"v1/pods", POD("'nodeName':''"), "/spec/dnsPolicy", "'ClusterFirst'"},
    {"v1/pods", POD("'nodeName':''"), "/spec/schedulerName", "'default-scheduler'"},
    {"v1/pods", POD("'nodeName':''"), "/spec/terminationGracePeriodSeconds", "30"},
    {"v1/pods", POD("'terminationGracePeriodSeconds':0"), "/spec/terminationGracePeriodSeconds",
     "0"},
    {"v1/pods", POD("'nodeName':''"), "/spec/securityContext", "{}"},
    {"v1/pods", POD("'nodeName':''"), "/spec/enableServiceLinks", "true"},
    {"v1/pods", POD("'enableServiceLinks':false"), "/spec/enableServiceLinks", "false"},
    {"v1/pods", CONTAINER("'image':'nginx'"), "/spec/containers/0/imagePullPolicy", "'Always'"},
    {"v1/pods", CONTAINER("'image':'nginx:1.25'"), "/spec/containers/0/imagePullPolicy",
     "'IfNotPresent'"},
    {"v1/pods", CONTAINER("'image':'nginx:latest'"), "/spec/containers/0/imagePullPolicy",
     "'Always'"},
    {"v1/pods", CONTAINER("'image':'host:5000/nginx'"), "/spec/containers/0/imagePullPolicy",
     "'Always'"},
    {"v1/pods", CONTAINER("'image':'host:5000/nginx:2'"), "/spec/containers/0/imagePullPolicy",
     "'IfNotPresent'"},
    {"v1/pods", CONTAINER("'image':'nginx@sha256:00'"), "/spec/containers/0/imagePullPolicy",
     "'IfNotPresent'"},
    {"v1/pods", CONTAINER("'image':'a','imagePullPolicy':'Never'"),
     "/spec/containers/0/imagePullPolicy", "'Never'"},
    {"v1/pods", CONTAINER("'image':'a'"), "/spec/containers/0/terminationMessagePath",
     "'/dev/termination-log'"},
    {"v1/pods", CONTAINER("'image':'a'"), "/spec/containers/0/terminationMessagePolicy", "'File'"},
    {"v1/pods", CONTAINER("'ports':[{'containerPort':80}]"), "/spec/containers/0/ports/0",
     "{'containerPort':80,'protocol':'TCP'}"},
    {"v1/pods",
     "{'spec':{'hostNetwork':true,'containers':[{'name':'c','ports':[{'containerPort':80}]}]}}",
     "/spec/containers/0/ports/0/hostPort", "80"},
    {"v1/pods", CONTAINER("'livenessProbe':{'httpGet':{'port':80}}"),
     "/spec/containers/0/livenessProbe",
     "{'httpGet':{'path':'/','port':80,'scheme':'HTTP'},'timeoutSeconds':1,'periodSeconds':10,"
     "'successThreshold':1,'failureThreshold':3}"},
    {"v1/pods", CONTAINER("'readinessProbe':{'grpc':{'port':80},'periodSeconds':2}"),
     "/spec/containers/0/readinessProbe",
     "{'grpc':{'port':80,'service':''},'timeoutSeconds':1,'periodSeconds':2,"
     "'successThreshold':1,'failureThreshold':3}"},
    {"v1/pods", CONTAINER("'lifecycle':{'preStop':{'httpGet':{'port':'web'}}}"),
     "/spec/containers/0/lifecycle/preStop/httpGet", "{'path':'/','port':'web','scheme':'HTTP'}"},
    {"v1/pods",
     CONTAINER("'resources':{'limits':{'cpu':'1','memory':'1Gi'},'requests':{'cpu':"
               "'500m'}}"),
     "/spec/containers/0/resources/requests", "{'cpu':'500m','memory':'1Gi'}"},
    {"v1/pods",
     CONTAINER("'env':[{'name':'A','valueFrom':{'fieldRef':{'fieldPath':'spec.nodeName'}"
               "}}]"),
     "/spec/containers/0/env/0/valueFrom/fieldRef/apiVersion", "'v1'"},
    {"v1/pods", VOLUME(""), "/spec/volumes/0", "{'name':'v','emptyDir':{}}"},
    {"v1/pods", VOLUME(",'secret':{'secretName':'s'}"), "/spec/volumes/0/secret/defaultMode",
     "420"},
    {"v1/pods", VOLUME(",'configMap':{'name':'s'}"), "/spec/volumes/0/configMap/defaultMode",
     "420"},
    {"v1/pods", VOLUME(",'downwardAPI':{}"), "/spec/volumes/0/downwardAPI/defaultMode", "420"},
    {"v1/pods", VOLUME(",'hostPath':{'path':'/x'}"), "/spec/volumes/0/hostPath",
     "{'path':'/x','type':''}"},
    {"v1/pods", VOLUME(",'projected':{'sources':[{'serviceAccountToken':{'path':'t'}}]}"),
     "/spec/volumes/0/projected",
     "{'sources':[{'serviceAccountToken':{'expirationSeconds':3600,'path':'t'}}],'defaultMode':"
     "420}"},
    {"v1/pods", "{'spec':{'containers':[],'initContainers':[{'name':'i','image':'a:1'}]}}",
     "/spec/initContainers/0/imagePullPolicy", "'IfNotPresent'"},
};

#define TEMPLATE "'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[]}}"

static const struct sample workloads[] = {
    {"apps/v1/deployments", "{'spec':{" TEMPLATE "}}", "/spec/replicas", "1"},
    {"apps/v1/deployments", "{'spec':{'replicas':0," TEMPLATE "}}", "/spec/replicas", "0"},
    {"apps/v1/deployments", "{'spec':{" TEMPLATE "}}", "/spec/strategy",
     "{'type':'RollingUpdate','rollingUpdate':{'maxUnavailable':'25%','maxSurge':'25%'}}"},
    {"apps/v1/deployments", "{'spec':{'strategy':{'rollingUpdate':{'maxSurge':0}}," TEMPLATE "}}",
     "/spec/strategy/rollingUpdate", "{'maxUnavailable':'25%','maxSurge':0}"},
    {"apps/v1/deployments", "{'spec':{'strategy':{'type':'Recreate'}," TEMPLATE "}}",
     "/spec/strategy", "{'type':'Recreate'}"},
    {"apps/v1/deployments", "{'spec':{" TEMPLATE "}}", "/spec/revisionHistoryLimit", "10"},
    {"apps/v1/deployments", "{'spec':{" TEMPLATE "}}", "/spec/progressDeadlineSeconds", "600"},
    {"apps/v1/deployments", "{'spec':{" TEMPLATE "}}", "/spec/template/spec/dnsPolicy",
     "'ClusterFirst'"},
    {"apps/v1/deployments", "{'spec':{" TEMPLATE "}}", "/spec/template/spec/enableServiceLinks",
     "-"},
    {"apps/v1/deployments", "{'spec':{" TEMPLATE "}}", "/metadata/labels", "-"},
    {"apps/v1/replicasets", "{'spec':{" TEMPLATE "}}", "/spec/replicas", "1"},
    {"v1/replicationcontrollers", "{'spec':{" TEMPLATE "}}", "/spec/selector", "{'a':'b'}"},
    {"v1/replicationcontrollers", "{'spec':{" TEMPLATE "}}", "/metadata/labels", "{'a':'b'}"},
    {"v1/replicationcontrollers", "{'metadata':{'labels':{'x':'y'}},'spec':{" TEMPLATE "}}",
     "/metadata/labels", "{'x':'y'}"},
    {"apps/v1/daemonsets", "{'spec':{" TEMPLATE "}}", "/spec/updateStrategy",
     "{'type':'RollingUpdate','rollingUpdate':{'maxUnavailable':1,'maxSurge':0}}"},
    {"apps/v1/daemonsets", "{'spec':{" TEMPLATE "}}", "/spec/revisionHistoryLimit", "10"},
    {"apps/v1/statefulsets", "{'spec':{" TEMPLATE "}}", "/spec/updateStrategy",
     "{'type':'RollingUpdate','rollingUpdate':{'partition':0}}"},
    {"apps/v1/statefulsets", "{'spec':{" TEMPLATE "}}", "/spec/podManagementPolicy",
     "'OrderedReady'"},
    {"apps/v1/statefulsets", "{'spec':{" TEMPLATE "}}",
     "/spec/persistentVolumeClaimRetentionPolicy",
     "{'whenDeleted':'Retain','whenScaled':'Retain'}"},
    {"apps/v1/statefulsets",
     "{'spec':{'volumeClaimTemplates':[{'metadata':{'name':'d'}}]," TEMPLATE "}}",
     "/spec/volumeClaimTemplates/0/kind", "'PersistentVolumeClaim'"},
    {"batch/v1/jobs", "{'spec':{" TEMPLATE "}}", "/spec/completions", "1"},
    {"batch/v1/jobs", "{'spec':{" TEMPLATE "}}", "/spec/parallelism", "1"},
    {"batch/v1/jobs", "{'spec':{'parallelism':2," TEMPLATE "}}", "/spec/completions", "-"},
    {"batch/v1/jobs", "{'spec':{" TEMPLATE "}}", "/spec/backoffLimit", "6"},
    {"batch/v1/jobs", "{'spec':{'backoffLimitPerIndex':1," TEMPLATE "}}", "/spec/backoffLimit",
     "2147483647"},
    {"batch/v1/jobs", "{'spec':{" TEMPLATE "}}", "/spec/completionMode", "'NonIndexed'"},
    {"batch/v1/jobs", "{'spec':{" TEMPLATE "}}", "/spec/suspend", "false"},
    {"batch/v1/jobs", "{'spec':{" TEMPLATE "}}", "/spec/podReplacementPolicy",
     "'TerminatingOrFailed'"},
    {"batch/v1/jobs", "{'spec':{'podFailurePolicy':{'rules':[]}," TEMPLATE "}}",
     "/spec/podReplacementPolicy", "'Failed'"},
    {"batch/v1/cronjobs", "{'spec':{'jobTemplate':{'spec':{" TEMPLATE "}}}}",
     "/spec/concurrencyPolicy", "'Allow'"},
    {"batch/v1/cronjobs", "{'spec':{'jobTemplate':{'spec':{" TEMPLATE "}}}}",
     "/spec/successfulJobsHistoryLimit", "3"},
    {"batch/v1/cronjobs", "{'spec':{'jobTemplate':{'spec':{" TEMPLATE "}}}}",
     "/spec/jobTemplate/spec/template/spec/restartPolicy", "'Always'"},
    {"batch/v1/cronjobs", "{'spec':{'jobTemplate':{'spec':{" TEMPLATE "}}}}",
     "/spec/jobTemplate/spec/backoffLimit", "-"},
};

static const struct sample services[] = {
    {"v1/services", "{'spec':{'ports':[{'port':80}]}}", "/spec",
     "{'ports':[{'protocol':'TCP','port':80,'targetPort':80}],'type':'ClusterIP',"
     "'sessionAffinity':'None','internalTrafficPolicy':'Cluster'}"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'targetPort':'web'}]}}",
     "/spec/ports/0/targetPort", "'web'"},
    {"v1/services", "{'spec':{'type':'NodePort'}}", "/spec/externalTrafficPolicy", "'Cluster'"},
    {"v1/services", "{'spec':{'type':'LoadBalancer'}}", "/spec/allocateLoadBalancerNodePorts",
     "true"},
    {"v1/services", "{'spec':{'type':'ExternalName','externalName':'x.y'}}",
     "/spec/internalTrafficPolicy", "-"},
    {"v1/services", "{'spec':{'sessionAffinity':'ClientIP'}}", "/spec/sessionAffinityConfig",
     "{'clientIP':{'timeoutSeconds':10800}}"},
    {"v1/endpoints", "{'subsets':[{'ports':[{'port':1}]}]}", "/subsets/0/ports/0/protocol",
     "'TCP'"},
    {"discovery.k8s.io/v1/endpointslices", "{'addressType':'IPv4','ports':[{'port':1}]}",
     "/ports/0", "{'name':'','protocol':'TCP','port':1}"},
    {"networking.k8s.io/v1/networkpolicies", "{'spec':{'podSelector':{}}}", "/spec/policyTypes",
     "['Ingress']"},
    {"networking.k8s.io/v1/networkpolicies",
     "{'spec':{'podSelector':{},'egress':[{'ports':[{'port':53}]}]}}", "/spec",
     "{'podSelector':{},'egress':[{'ports':[{'protocol':'TCP','port':53}]}],'policyTypes':"
     "['Ingress','Egress']}"},
};

static const struct sample others[] = {
    {"v1/secrets", "{'data':{'a':'Yg=='}}", "/type", "'Opaque'"},
    {"v1/secrets", "{'data':{'a':'Yg=='},'stringData':{'b':'hello','a':''}}", "/data",
     "{'a':'','b':'aGVsbG8='}"},
    {"v1/secrets", "{'stringData':{'b':'hello'}}", "/stringData", "-"},
    {"v1/namespaces", "{'metadata':{'name':'n'}}", "/metadata/labels",
     "{'kubernetes.io/metadata.name':'n'}"},
    {"v1/namespaces", "{'metadata':{'name':'n'}}", "/status/phase", "'Active'"},
    {"v1/nodes", "{'status':{'capacity':{'cpu':'4'}}}", "/status/allocatable", "{'cpu':'4'}"},
    {"v1/persistentvolumes", "{'spec':{'hostPath':{'path':'/x'}}}",
     "/spec/persistentVolumeReclaimPolicy", "'Retain'"},
    {"v1/persistentvolumes", "{'spec':{}}", "/spec/volumeMode", "'Filesystem'"},
    {"v1/persistentvolumeclaims", "{'spec':{}}", "/spec/volumeMode", "'Filesystem'"},
    {"v1/persistentvolumeclaims", "{'spec':{}}", "/status/phase", "'Pending'"},
    {"v1/limitranges",
     "{'spec':{'limits':[{'type':'Container','max':{'cpu':'2'},'min':{'memory':'1Mi'}}]}}",
     "/spec/limits/0",
     "{'type':'Container','max':{'cpu':'2'},'min':{'memory':'1Mi'},'default':{'cpu':'2'},"
     "'defaultRequest':{'cpu':'2','memory':'1Mi'}}"},
    {"autoscaling/v2/horizontalpodautoscalers", "{'spec':{'maxReplicas':3}}", "/spec/metrics",
     "[{'type':'Resource','resource':{'name':'cpu','target':{'type':'Utilization',"
     "'averageUtilization':80}}}]"},
    {"autoscaling/v1/horizontalpodautoscalers", "{'spec':{'maxReplicas':3}}", "/spec/minReplicas",
     "1"},
    {"autoscaling/v2/horizontalpodautoscalers", "{'spec':{'behavior':{'scaleUp':{}}}}",
     "/spec/behavior/scaleDown",
     "{'selectPolicy':'Max','policies':[{'type':'Percent','value':100,'periodSeconds':15}]}"},
    {"rbac.authorization.k8s.io/v1/rolebindings",
     "{'roleRef':{'kind':'Role','name':'r'},'subjects':[{'kind':'User','name':'u'}]}",
     "/subjects/0/apiGroup", "'rbac.authorization.k8s.io'"},
    {"rbac.authorization.k8s.io/v1/rolebindings",
     "{'roleRef':{'kind':'Role','name':'r'},'subjects':[{'kind':'ServiceAccount','name':'u'}]}",
     "/subjects/0/apiGroup", "-"},
    {"rbac.authorization.k8s.io/v1/clusterrolebindings",
     "{'roleRef':{'kind':'ClusterRole','name':'r'}}", "/roleRef/apiGroup",
     "'rbac.authorization.k8s.io'"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'value':1}", "/preemptionPolicy",
     "'PreemptLowerPriority'"},
    {"storage.k8s.io/v1/storageclasses", "{'provisioner':'p'}", "/volumeBindingMode",
     "'Immediate'"},
    {"storage.k8s.io/v1/csidrivers", "{}", "/spec/volumeLifecycleModes", "['Persistent']"},
    {"admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
     "{'webhooks':[{'name':'w'}]}", "/webhooks/0/timeoutSeconds", "10"},
    {"coordination.k8s.io/v1/leases", "{'spec':{}}", "/spec", "{}"},
};

#define LIMITED(request)                                                                           \
    CONTAINER("'resources':{'limits':{'cpu':'1','memory':'1Gi'},'requests':{" request "}}")

static const struct sample created[] = {
    {"v1/pods", CONTAINER("'image':'a'"), "/status", "{'phase':'Pending','qosClass':'BestEffort'}"},
    {"v1/pods", LIMITED(""), "/status/qosClass", "'Guaranteed'"},
    {"v1/pods", LIMITED("'cpu':'1000m'"), "/status/qosClass", "'Guaranteed'"},
    {"v1/pods", LIMITED("'cpu':'999m'"), "/status/qosClass", "'Burstable'"},
    {"v1/pods", CONTAINER("'resources':{'limits':{'cpu':'1'}}"), "/status/qosClass", "'Burstable'"},
    {"apps/v1/deployments", "{'spec':{" TEMPLATE "}}", "/status", "{}"},
    {"v1/services", "{'spec':{}}", "/status", "{'loadBalancer':{}}"},
    {"v1/replicationcontrollers", "{'spec':{" TEMPLATE "}}", "/status", "{'replicas':0}"},
    {"v1/namespaces", "{'metadata':{'name':'n'}}", "/spec/finalizers", "['kubernetes']"},
    {"v1/namespaces", "{'metadata':{'name':'n'},'spec':{'finalizers':['a/b']}}", "/spec/finalizers",
     "['a/b','kubernetes']"},
    {"v1/namespaces", "{'metadata':{'name':'n'}}", "/status", "{'phase':'Active'}"},
    {"v1/persistentvolumes", "{'spec':{}}", "/status",
     "{'phase':'Pending','lastPhaseTransitionTime':'2026-01-02T03:04:05Z'}"},
    {"v1/persistentvolumeclaims", "{'spec':{}}", "/status", "{'phase':'Pending'}"},
    {"batch/v1/jobs", "{'metadata':{'name':'j','uid':'u'},'spec':{'template':{}}}",
     "/spec/selector", "{'matchLabels':{'batch.kubernetes.io/controller-uid':'u'}}"},
    {"batch/v1/jobs", "{'metadata':{'name':'j','uid':'u'},'spec':{'template':{}}}",
     "/spec/template/metadata/labels",
     "{'batch.kubernetes.io/controller-uid':'u','batch.kubernetes.io/job-name':'j',"
     "'controller-uid':'u','job-name':'j'}"},
    {"batch/v1/jobs", "{'metadata':{'name':'j','uid':'u'},'spec':{" TEMPLATE "}}",
     "/metadata/labels",
     "{'a':'b','batch.kubernetes.io/controller-uid':'u','batch.kubernetes.io/job-name':'j',"
     "'controller-uid':'u','job-name':'j'}"},
    {"batch/v1/jobs",
     "{'metadata':{'name':'j','uid':'u','labels':{'x':'y'}},'spec':{" TEMPLATE "}}",
     "/metadata/labels", "{'x':'y'}"},
    {"batch/v1/jobs",
     "{'metadata':{'name':'j','uid':'u'},'spec':{'manualSelector':true," TEMPLATE "}}",
     "/spec/selector", "-"},
};

static void test_pods(void **state)
{
    (void)state;
    run(pods, ARRAY_LEN(pods), false);
}

static void test_workloads(void **state)
{
    (void)state;
    run(workloads, ARRAY_LEN(workloads), false);
}

static void test_services(void **state)
{
    (void)state;
    run(services, ARRAY_LEN(services), false);
}

static void test_others(void **state)
{
    (void)state;
    run(others, ARRAY_LEN(others), false);
}

static void test_created(void **state)
{
    (void)state;
    run(created, ARRAY_LEN(created), true);
}

/* Ephemeral containers and a namespace's finalizers have subresources: an update keeps them. */
static void test_carried(void **state)
{
    yyjson_mut_doc *doc = doc_of("[{'spec':{}},{'spec':{'finalizers':['kubernetes']}}]");
    yyjson_mut_val *object = yyjson_mut_arr_get(yyjson_mut_doc_get_root(doc), 0);
    yyjson_mut_val *old = yyjson_mut_arr_get(yyjson_mut_doc_get_root(doc), 1);
    struct kube_change change = {.resource = resource_of("v1/namespaces"), .doc = doc};

    (void)state;
    change.sub = KUBE_SUB_FINALIZE;
    assert_int_equal(kube_strategy_prepare_update(&change, object, old), 0);
    assert_json(object, "{'spec':{}}");
    change.sub = KUBE_SUB_NONE;
    assert_int_equal(kube_strategy_prepare_update(&change, object, old), 0);
    assert_json(object, "{'spec':{'finalizers':['kubernetes']}}");
    yyjson_mut_doc_free(doc);
}

static int default_pod(void)
{
    static const char text[] =
        "{\"spec\":{\"containers\":[{\"name\":\"c\",\"livenessProbe\":{\"httpGet\":{\"port\":1}},"
        "\"resources\":{\"limits\":{\"cpu\":\"1\"}}}],\"volumes\":[{\"name\":\"v\"}]}}";
    struct kube_json_limits limits = kube_json_limits_default();
    struct kube_change change = {.resource = resource_of("v1/pods")};
    int err = kube_json_read(view_str(text), &limits, kube_json_heap(), &change.doc, NULL);

    if (err != 0) {
        return err;
    }
    err = kube_strategy_default(&change, yyjson_mut_doc_get_root(change.doc));
    if (err == 0) {
        err = kube_strategy_prepare_create(&change, yyjson_mut_doc_get_root(change.doc));
    }
    yyjson_mut_doc_free(change.doc);
    return err;
}

static void test_no_memory(void **state)
{
    (void)state;
    fail_each_allocation(default_pod);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pods),      cmocka_unit_test(test_workloads),
        cmocka_unit_test(test_services),  cmocka_unit_test(test_others),
        cmocka_unit_test(test_created),   cmocka_unit_test(test_carried),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
