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
static yyjson_mut_val *
object_of(const struct kube_change *change, const char *quoted, bool create)
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
    fprintf(stderr, "%s\x01%s\x02", s->expected + 1, got.data);
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
    {"v1/pods", CONTAINER("'image':'i'"), NULL, "?0"},
    {"v1/pods", "{'spec':{}}", NULL, "?1"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c'}]}}", NULL, "?2"},
    {"v1/pods", "{'spec':{'containers':[{'image':'i'}]}}", NULL, "?3"},
    {"v1/pods", "{'spec':{'containers':[{'name':'UP','image':'i'}]}}", NULL, "?4"},
    {"v1/pods", "{'spec':{'containers':[{'name':'a','image':'i'},{'name':'a','image':'i'}]}}", NULL, "?5"},
    {"v1/pods", CONTAINER("'image':'i','imagePullPolicy':'Often'"), NULL, "?6"},
    {"v1/pods", CONTAINER("'image':'i','terminationMessagePolicy':'X'"), NULL, "?7"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'containerPort':0}]"), NULL, "?8"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'containerPort':70000}]"), NULL, "?9"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'containerPort':80,'hostPort':-1}]"), NULL, "?10"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'containerPort':80,'protocol':'ICMP'}]"), NULL, "?11"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'name':'web','containerPort':80},{'name':'web','containerPort':81}]"), NULL, "?12"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'name':'Web_Port','containerPort':80}]"), NULL, "?13"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'containerPort':80,'hostPort':8},{'containerPort':81,'hostPort':8}]"), NULL, "?14"},
    {"v1/pods", CONTAINER("'image':'i','ports':[{'containerPort':80,'hostPort':8},{'containerPort':81,'hostPort':8,'protocol':'UDP'}]"), NULL, "?15"},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':'A-b.c'}]"), NULL, "?16"},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':''}]"), NULL, "?17"},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':'a=b'}]"), NULL, "?18"},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':'A','valueFrom':{}}]"), NULL, "?19"},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':'A','value':'x','valueFrom':{'secretKeyRef':{'name':'s','key':'k'}}}]"), NULL, "?20"},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':'A','valueFrom':{'configMapKeyRef':{'name':'s','key':'a/b'}}}]"), NULL, "?21"},
    {"v1/pods", CONTAINER("'image':'i','env':[{'name':'A','valueFrom':{'configMapKeyRef':{'name':'s'}}}]"), NULL, "?22"},
    {"v1/pods", CONTAINER("'image':'i','envFrom':[{}]"), NULL, "?23"},
    {"v1/pods", CONTAINER("'image':'i','volumeMounts':[{'name':'nov','mountPath':'/x'}]"), NULL, "?24"},
    {"v1/pods", CONTAINER("'image':'i','volumeMounts':[{'name':'nov'}]"), NULL, "?25"},
    {"v1/pods", "{'spec':{'volumes':[{'name':'v'}],'containers':[{'name':'c','image':'i','volumeMounts':[{'name':'v','mountPath':'/x'},{'name':'v','mountPath':'/x','subPath':'/abs'},{'name':'v','mountPath':'/y','subPath':'a/../b'}]}]}}", NULL, "?26"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'requests':{'cpu':'2'},'limits':{'cpu':'1'}}"), NULL, "?27"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'requests':{'cpu':'-1'}}"), NULL, "?28"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'requests':{'disk':'1'}}"), NULL, "?29"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'limits':{'example.com/gpu':'500m'}}"), NULL, "?30"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'requests':{'example.com/gpu':'1'}}"), NULL, "?31"},
    {"v1/pods", CONTAINER("'image':'i','resources':{'requests':{'example.com/gpu':'1'},'limits':{'example.com/gpu':'2'}}"), NULL, "?32"},
    {"v1/pods", CONTAINER("'image':'i','livenessProbe':{}"), NULL, "?33"},
    {"v1/pods", CONTAINER("'image':'i','livenessProbe':{'exec':{}}"), NULL, "?34"},
    {"v1/pods", CONTAINER("'image':'i','livenessProbe':{'tcpSocket':{'port':0}}"), NULL, "?35"},
    {"v1/pods", CONTAINER("'image':'i','readinessProbe':{'httpGet':{'port':'web','scheme':'FTP'}}"), NULL, "?36"},
    {"v1/pods", CONTAINER("'image':'i','livenessProbe':{'tcpSocket':{'port':1},'successThreshold':2}"), NULL, "?37"},
    {"v1/pods", CONTAINER("'image':'i','readinessProbe':{'tcpSocket':{'port':1},'successThreshold':2,'periodSeconds':-1}"), NULL, "?38"},
    {"v1/pods", CONTAINER("'image':'i','readinessProbe':{'tcpSocket':{'port':1},'exec':{'command':['x']}}"), NULL, "?39"},
    {"v1/pods", CONTAINER("'image':'i','lifecycle':{'preStop':{}}"), NULL, "?40"},
    {"v1/pods", CONTAINER("'image':'i','restartPolicy':'Always'"), NULL, "?41"},
    {"v1/pods", CONTAINER("'image':'i','securityContext':{'runAsUser':-1}"), NULL, "?42"},
    {"v1/pods", POD("'restartPolicy':'Sometimes'"), NULL, "?43"},
    {"v1/pods", POD("'dnsPolicy':'Any'"), NULL, "?44"},
    {"v1/pods", POD("'dnsPolicy':'None'"), NULL, "?45"},
    {"v1/pods", POD("'nodeSelector':{'a b':'c'}"), NULL, "?46"},
    {"v1/pods", POD("'serviceAccountName':'A_b'"), NULL, "?47"},
    {"v1/pods", POD("'nodeName':'A_b'"), NULL, "?48"},
    {"v1/pods", POD("'activeDeadlineSeconds':0"), NULL, "?49"},
    {"v1/pods", POD("'hostname':'a.b'"), NULL, "?50"},
    {"v1/pods", POD("'priorityClassName':'A'"), NULL, "?51"},
    {"v1/pods", POD("'initContainers':[{'name':'c','image':'i'}]"), NULL, "?52"},
    {"v1/pods", POD("'initContainers':[{'name':'d','image':'i','readinessProbe':{'exec':{'command':['x']}}}]"), NULL, "?53"},
    {"v1/pods", POD("'initContainers':[{'name':'d','image':'i','restartPolicy':'Never'}]"), NULL, "?54"},
    {"v1/pods", "{'spec':{'hostNetwork':true,'containers':[{'name':'c','image':'i','ports':[{'containerPort':80,'hostPort':81}]}]}}", NULL, "?55"},
    {"v1/pods", VOLUME("'hostPath':{'path':'/x'}"), NULL, "?56"},
    {"v1/pods", VOLUME("'hostPath':{'path':'','type':'Dir'}"), NULL, "?57"},
    {"v1/pods", VOLUME("'emptyDir':{},'hostPath':{'path':'/x'}"), NULL, "?58"},
    {"v1/pods", VOLUME("'secret':{}"), NULL, "?59"},
    {"v1/pods", VOLUME("'configMap':{'name':'c','defaultMode':512}"), NULL, "?60"},
    {"v1/pods", VOLUME("'persistentVolumeClaim':{}"), NULL, "?61"},
    {"v1/pods", VOLUME("'nfs':{'server':'s','path':'rel'}"), NULL, "?62"},
    {"v1/pods", POD("'volumes':[{'name':'v'},{'name':'v'}]"), NULL, "?63"},
    {"v1/pods", POD("'volumes':[{'name':'V_'}]"), NULL, "?64"},
    {"v1/pods", POD("'volumes':[{}]"), NULL, "?65"},
    {"v1/pods", POD("'tolerations':[{'operator':'Equal'}]"), NULL, "?66"},
    {"v1/pods", POD("'tolerations':[{'key':'a','operator':'Exists','value':'v'}]"), NULL, "?67"},
    {"v1/pods", POD("'tolerations':[{'key':'a','operator':'Near'}]"), NULL, "?68"},
    {"v1/pods", POD("'tolerations':[{'key':'a','effect':'NoRun'}]"), NULL, "?69"},
    {"v1/pods", POD("'tolerations':[{'key':'a','operator':'Exists','effect':'NoSchedule','tolerationSeconds':1}]"), NULL, "?70"},
    {"v1/pods", POD("'tolerations':[{'operator':'Exists'}]"), NULL, "?71"},
    {"v1/pods", POD("'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[]}}}"), NULL, "?72"},
    {"v1/pods", NODE_RULE("'key':'a','operator':'In'"), NULL, "?73"},
    {"v1/pods", NODE_RULE("'key':'a','operator':'Exists','values':['b']"), NULL, "?74"},
    {"v1/pods", NODE_RULE("'key':'a','operator':'Gt'"), NULL, "?75"},
    {"v1/pods", NODE_RULE("'key':'a','operator':'Like','values':['b']"), NULL, "?76"},
    {"v1/pods", NODE_RULE("'key':'-','operator':'Exists'"), NULL, "?77"},
    {"v1/pods", POD("'affinity':{'nodeAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'weight':0,'preference':{}}]}}"), NULL, "?78"},
    {"v1/pods", POD("'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{'labelSelector':{}}]}}"), NULL, "?79"},
    {"v1/pods", POD("'affinity':{'podAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'weight':101,'podAffinityTerm':{'topologyKey':'zone'}}]}}"), NULL, "?80"},
    {"v1/pods", POD("'topologySpreadConstraints':[{'maxSkew':0,'topologyKey':'zone','whenUnsatisfiable':'Wait'}]"), NULL, "?81"},
};

static const struct sample workloads[] = {
    {"apps/v1/deployments", DEPLOYMENT("'replicas':1"), NULL, "?82"},
    {"apps/v1/deployments", DEPLOYMENT("'replicas':-1"), NULL, "?83"},
    {"apps/v1/deployments", "{'spec':{'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?84"},
    {"apps/v1/deployments", "{'spec':{'selector':{},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?85"},
    {"apps/v1/deployments", "{'spec':{'selector':{'matchLabels':{'x':'y'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?86"},
    {"apps/v1/deployments", "{'spec':{'selector':{'matchExpressions':[{'key':'a','operator':'Near'}]},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?87"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'type':'Slow'}"), NULL, "?88"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'type':'Recreate','rollingUpdate':{'maxSurge':1}}"), NULL, "?89"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':0,'maxUnavailable':0}}"), NULL, "?90"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':0,'maxUnavailable':'0%'}}"), NULL, "?91"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':'x'}}"), NULL, "?92"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxUnavailable':'101%'}}"), NULL, "?93"},
    {"apps/v1/deployments", DEPLOYMENT("'strategy':{'rollingUpdate':{'maxSurge':-1}}"), NULL, "?94"},
    {"apps/v1/deployments", DEPLOYMENT("'minReadySeconds':600"), NULL, "?95"},
    {"apps/v1/deployments", DEPLOYMENT("'revisionHistoryLimit':-1"), NULL, "?96"},
    {"apps/v1/deployments", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'restartPolicy':'Never','activeDeadlineSeconds':5,'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?97"},
    {"apps/v1/deployments", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b','-':'c'}},'spec':{'containers':[]}}}}", NULL, "?98"},
    {"apps/v1/replicasets", "{'spec':{'replicas':-2,'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?99"},
    {"v1/replicationcontrollers", "{'spec':{'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?100"},
    {"v1/replicationcontrollers", "{'spec':{'selector':{'x':'y'},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?101"},
    {"v1/replicationcontrollers", "{'spec':{'template':{'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?102"},
    {"apps/v1/daemonsets", "{'spec':{'selector':{'matchLabels':{'a':'c'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?103"},
    {"apps/v1/daemonsets", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'rollingUpdate':{'maxUnavailable':1,'maxSurge':1}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?104"},
    {"apps/v1/daemonsets", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'rollingUpdate':{'maxUnavailable':0}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?105"},
    {"apps/v1/daemonsets", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'type':'Now'},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?106"},
    {"apps/v1/statefulsets", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'podManagementPolicy':'Any','template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?107"},
    {"apps/v1/statefulsets", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'updateStrategy':{'rollingUpdate':{'partition':-1}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?108"},
    {"apps/v1/statefulsets", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'persistentVolumeClaimRetentionPolicy':{'whenDeleted':'Keep'},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?109"},
    {"batch/v1/jobs", "{'metadata':{'name':'j','uid':'u'},'spec':{'completions':-1,'template':{'spec':{'containers':[{'name':'c','image':'i'}]}}}}", NULL, "?110"},
    {"batch/v1/jobs", "{'metadata':{'name':'j','uid':'u'},'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}", NULL, "?111"},
    {"batch/v1/jobs", "{'metadata':{'name':'j','uid':'u'},'spec':{'manualSelector':true,'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}", NULL, "?112"},
    {"batch/v1/jobs", "{'metadata':{'name':'j','uid':'u'},'spec':{'completionMode':'Indexed','parallelism':1,'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}", NULL, "?113"},
    {"batch/v1/cronjobs", "{'spec':{'schedule':'* * * * *','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}", NULL, "?114"},
    {"batch/v1/cronjobs", "{'spec':{'schedule':'nonsense','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}", NULL, "?115"},
    {"batch/v1/cronjobs", "{'spec':{'schedule':'','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}", NULL, "?116"},
    {"batch/v1/cronjobs", "{'spec':{'schedule':'61 * * * *','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}", NULL, "?117"},
    {"batch/v1/cronjobs", "{'spec':{'schedule':'TZ=UTC * * * * *','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}", NULL, "?118"},
    {"batch/v1/cronjobs", "{'spec':{'schedule':'@daily','timeZone':'Mars/Base','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}", NULL, "?119"},
    {"batch/v1/cronjobs", "{'spec':{'schedule':'@daily','concurrencyPolicy':'Some','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}", NULL, "?120"},
    {"batch/v1/cronjobs", "{'spec':{'schedule':'@daily','failedJobsHistoryLimit':-1,'jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}", NULL, "?121"},
    {"batch/v1/cronjobs", "{'metadata':{'name':'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'},'spec':{'schedule':'@daily','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}}", NULL, "?122"},
};

static const struct sample services[] = {
    {"v1/services", "{'spec':{'ports':[{'port':80}]}}", NULL, "?123"},
    {"v1/services", "{'spec':{'selector':{'a':'b'}}}", NULL, "?124"},
    {"v1/services", "{'spec':{'clusterIP':'None'}}", NULL, "?125"},
    {"v1/services", "{'spec':{'ports':[{'port':0},{'port':80}]}}", NULL, "?126"},
    {"v1/services", "{'spec':{'type':'Weird','ports':[{'port':80}]}}", NULL, "?127"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'name':'A'}]}}", NULL, "?128"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'name':'a'},{'port':81,'name':'a'}]}}", NULL, "?129"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'name':'a'},{'port':80,'name':'b'}]}}", NULL, "?130"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'targetPort':'Bad_'}]}}", NULL, "?131"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'targetPort':70000}]}}", NULL, "?132"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'protocol':'X'}]}}", NULL, "?133"},
    {"v1/services", "{'spec':{'ports':[{'port':80,'nodePort':30000}]}}", NULL, "?134"},
    {"v1/services", "{'spec':{'type':'NodePort','ports':[{'port':80,'nodePort':80}]}}", NULL, "?135"},
    {"v1/services", "{'spec':{'type':'NodePort','ports':[{'port':80,'name':'a','nodePort':30001},{'port':81,'name':'b','nodePort':30001}]}}", NULL, "?136"},
    {"v1/services", "{'spec':{'type':'ExternalName'}}", NULL, "?137"},
    {"v1/services", "{'spec':{'type':'ExternalName','externalName':'Bad_'}}", NULL, "?138"},
    {"v1/services", "{'spec':{'type':'ExternalName','externalName':'a.b.'}}", NULL, "?139"},
    {"v1/services", "{'spec':{'type':'NodePort','clusterIP':'None','ports':[{'port':80}]}}", NULL, "?140"},
    {"v1/services", "{'spec':{'sessionAffinity':'Cookie','ports':[{'port':80}]}}", NULL, "?141"},
    {"v1/services", "{'spec':{'sessionAffinity':'ClientIP','sessionAffinityConfig':{'clientIP':{'timeoutSeconds':90000}},'ports':[{'port':80}]}}", NULL, "?142"},
    {"v1/services", "{'spec':{'selector':{'-':'b'},'ports':[{'port':80}]}}", NULL, "?143"},
    {"v1/endpoints", "{'subsets':[{'addresses':[{'ip':'10.0.0.1'}],'ports':[{'port':80}]}]}", NULL, "?144"},
    {"v1/endpoints", "{'subsets':[{'ports':[{'port':80}]}]}", NULL, "?145"},
    {"v1/endpoints", "{'subsets':[{'addresses':[{'ip':'ten'}],'ports':[{'port':0},{'port':1,'name':'a'}]}]}", NULL, "?146"},
    {"discovery.k8s.io/v1/endpointslices", "{'addressType':'IPv5','endpoints':[{'addresses':[]}]}", NULL, "?147"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/','pathType':'Prefix','backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}", NULL, "?148"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'nolead','pathType':'Exact','backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}", NULL, "?149"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/','backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}", NULL, "?150"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/','pathType':'Some','backend':{'service':{'name':'s','port':{'number':80}}}}]}}]}}", NULL, "?151"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/','pathType':'Exact','backend':{'service':{'name':'s'}}}]}}]}}", NULL, "?152"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'a.b','http':{'paths':[{'path':'/','pathType':'Exact','backend':{}}]}}]}}", NULL, "?153"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'a.b','http':{'paths':[]}}]}}", NULL, "?154"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{}}", NULL, "?155"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'bad_host'}]}}", NULL, "?156"},
    {"networking.k8s.io/v1/ingresses", "{'spec':{'rules':[{'host':'10.0.0.1'}]}}", NULL, "?157"},
    {"networking.k8s.io/v1/networkpolicies", "{'spec':{'podSelector':{},'ingress':[{'ports':[{'protocol':'X','port':0}]}]}}", NULL, "?158"},
};

static const struct sample others[] = {
    {"v1/configmaps", "{'data':{'a':'b'}}", NULL, "?159"},
    {"v1/configmaps", "{'data':{'a/b':'c'}}", NULL, "?160"},
    {"v1/configmaps", "{'data':{'a':'b'},'binaryData':{'a':'Yg=='}}", NULL, "?161"},
    {"v1/secrets", "{'data':{'..':'Yg=='}}", NULL, "?162"},
    {"v1/secrets", "{'type':'kubernetes.io/tls','data':{'k':'YQ=='}}", NULL, "?163"},
    {"v1/secrets", "{'type':'kubernetes.io/basic-auth'}", NULL, "?164"},
    {"v1/secrets", "{'type':'kubernetes.io/ssh-auth'}", NULL, "?165"},
    {"v1/secrets", "{'type':'kubernetes.io/dockerconfigjson'}", NULL, "?166"},
    {"v1/secrets", "{'type':'kubernetes.io/service-account-token'}", NULL, "?167"},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a','effect':'NoSchedule'}]}}", NULL, "?168"},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a'}]}}", NULL, "?169"},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a','effect':'Bad'}]}}", NULL, "?170"},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a','value':'a b','effect':'NoExecute'}]}}", NULL, "?171"},
    {"v1/nodes", "{'spec':{'taints':[{'key':'a','effect':'NoSchedule'},{'key':'a','value':'x','effect':'NoSchedule'}]}}", NULL, "?172"},
    {"v1/limitranges", "{'spec':{'limits':[{'type':'Container','min':{'cpu':'2'},'max':{'cpu':'1'},'defaultRequest':{'cpu':'2'},'default':{'cpu':'2'}}]}}", NULL, "?173"},
    {"v1/limitranges", "{'spec':{'limits':[{'type':'Pod','default':{'cpu':'1'}}]}}", NULL, "?174"},
    {"v1/limitranges", "{'spec':{'limits':[{'type':'Pod'},{'type':'Pod'}]}}", NULL, "?175"},
    {"v1/resourcequotas", "{'spec':{'hard':{'pods':'1'}}}", NULL, "?176"},
    {"v1/resourcequotas", "{'spec':{'hard':{'pods':'-1'}}}", NULL, "?177"},
    {"v1/resourcequotas", "{'spec':{'hard':{'count/jobs.batch':'5'}}}", NULL, "?178"},
    {"v1/resourcequotas", "{'spec':{'hard':{'fish':'1'}}}", NULL, "?179"},
    {"v1/persistentvolumes", "{'spec':{'hostPath':{'path':'/x'}}}", NULL, "?180"},
    {"v1/persistentvolumeclaims", "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}", NULL, "?181"},
    {"v1/persistentvolumeclaims", "{'spec':{}}", NULL, "?182"},
    {"v1/persistentvolumeclaims", "{'spec':{'accessModes':['Any'],'resources':{'requests':{'storage':'0'}}}}", NULL, "?183"},
    {"storage.k8s.io/v1/storageclasses", "{'provisioner':''}", NULL, "?184"},
    {"storage.k8s.io/v1/storageclasses", "{'provisioner':'p','reclaimPolicy':'Keep'}", NULL, "?185"},
    {"autoscaling/v2/horizontalpodautoscalers", "{'spec':{'scaleTargetRef':{'kind':'D','name':'d'},'maxReplicas':0}}", NULL, "?186"},
    {"autoscaling/v2/horizontalpodautoscalers", "{'spec':{'scaleTargetRef':{'kind':'D','name':'d'},'minReplicas':0,'maxReplicas':1}}", NULL, "?187"},
    {"autoscaling/v2/horizontalpodautoscalers", "{'spec':{'scaleTargetRef':{'kind':'D','name':'d'},'minReplicas':3,'maxReplicas':2}}", NULL, "?188"},
    {"rbac.authorization.k8s.io/v1/roles", "{'rules':[{'verbs':['get'],'apiGroups':[''],'resources':['pods']}]}", NULL, "?189"},
    {"rbac.authorization.k8s.io/v1/roles", "{'rules':[{}]}", NULL, "?190"},
    {"rbac.authorization.k8s.io/v1/roles", "{'rules':[{'verbs':['get'],'nonResourceURLs':['/x']}]}", NULL, "?191"},
    {"rbac.authorization.k8s.io/v1/clusterroles", "{'rules':[{'verbs':['get'],'nonResourceURLs':['/x']}]}", NULL, "?192"},
    {"rbac.authorization.k8s.io/v1/clusterroles", "{'rules':[{'verbs':['get'],'nonResourceURLs':['/x'],'apiGroups':['']}]}", NULL, "?193"},
    {"rbac.authorization.k8s.io/v1/rolebindings", "{'roleRef':{'kind':'Role','name':'r'}}", NULL, "?194"},
    {"rbac.authorization.k8s.io/v1/rolebindings", "{'roleRef':{'kind':'Pod','name':''}}", NULL, "?195"},
    {"rbac.authorization.k8s.io/v1/rolebindings", "{'roleRef':{'kind':'Role','name':'r'},'subjects':[{'kind':'Robot','name':'x'}]}", NULL, "?196"},
    {"rbac.authorization.k8s.io/v1/clusterrolebindings", "{'roleRef':{'kind':'Role','name':'r'}}", NULL, "?197"},
    {"rbac.authorization.k8s.io/v1/clusterrolebindings", "{'roleRef':{'kind':'ClusterRole','name':'r'},'subjects':[{'kind':'ServiceAccount','name':'x'}]}", NULL, "?198"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'p'},'value':1000000001}", NULL, "?199"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'system-x'},'value':1}", NULL, "?200"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'system-node-critical'},'value':2000001000}", NULL, "?201"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'p'},'preemptionPolicy':'Maybe'}", NULL, "?202"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'minAvailable':1}}", NULL, "?203"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'minAvailable':'x%'}}", NULL, "?204"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'minAvailable':-1}}", NULL, "?205"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'maxUnavailable':'101%'}}", NULL, "?206"},
    {"policy/v1/poddisruptionbudgets", "{'spec':{'unhealthyPodEvictionPolicy':'Maybe'}}", NULL, "?207"},
    {"coordination.k8s.io/v1/leases", "{'spec':{'leaseDurationSeconds':0,'leaseTransitions':-1}}", NULL, "?208"},
};

static const struct sample changes[] = {
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "?209"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'b'}]}}", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "?210"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':''}]}}", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "?211"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'restartPolicy':'Never'}}", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "?212"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'nodeSelector':{'a':'b'}}}", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "?213"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'},{'name':'d','image':'i'}]}}", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "?214"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':5}}", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "?215"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':5}}", "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':4}}", "?216"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "{'spec':{'containers':[{'name':'c','image':'i'}],'activeDeadlineSeconds':4}}", "?217"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}],'tolerations':[{'key':'a','operator':'Exists'}]}}", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "?218"},
    {"v1/pods", "{'spec':{'containers':[{'name':'c','image':'i'}]}}", "{'spec':{'containers':[{'name':'c','image':'i'}],'tolerations':[{'key':'a','operator':'Exists'}]}}", "?219"},
    {"apps/v1/deployments", "{'spec':{'selector':{'matchLabels':{'app':'web','x':'y'}},'template':{'metadata':{'labels':{'app':'web','x':'y'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", DEPLOYMENT("'replicas':1"), "?220"},
    {"apps/v1/deployments", DEPLOYMENT("'replicas':3"), DEPLOYMENT("'replicas':1"), "?221"},
    {"apps/v1/statefulsets", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'serviceName':'b','template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'serviceName':'a','template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", "?222"},
    {"apps/v1/statefulsets", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'replicas':2,'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}}", "?223"},
    {"batch/v1/jobs", "{'spec':{'completions':2,'parallelism':1,'manualSelector':true,'selector':{},'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}", "{'spec':{'completions':1,'parallelism':1,'manualSelector':true,'selector':{},'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}", "?224"},
    {"v1/services", "{'spec':{'clusterIP':'10.96.200.1','ports':[{'port':80}]}}", "{'spec':{'clusterIP':'10.96.0.9','ports':[{'port':80}]}}", "?225"},
    {"v1/configmaps", "{'immutable':true,'data':{'k':'w'}}", "{'immutable':true,'data':{'k':'v'}}", "?226"},
    {"v1/configmaps", "{'immutable':false,'data':{'k':'v'}}", "{'immutable':true,'data':{'k':'v'}}", "?227"},
    {"v1/secrets", "{'type':'other'}", "{'type':'Opaque'}", "?228"},
    {"v1/nodes", "{'spec':{'podCIDRs':['10.1.0.0/24'],'providerID':'b'}}", "{'spec':{'podCIDRs':['10.0.0.0/24'],'providerID':'a'}}", "?229"},
    {"v1/persistentvolumeclaims", "{'spec':{'accessModes':['ReadWriteMany'],'resources':{'requests':{'storage':'1Gi'}}}}", "{'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}}", "?230"},
    {"storage.k8s.io/v1/storageclasses", "{'provisioner':'b','reclaimPolicy':'Retain','parameters':{'a':'b'}}", "{'provisioner':'a'}", "?231"},
    {"rbac.authorization.k8s.io/v1/rolebindings", "{'roleRef':{'kind':'Role','name':'b'}}", "{'roleRef':{'kind':'Role','name':'a'}}", "?232"},
    {"scheduling.k8s.io/v1/priorityclasses", "{'metadata':{'name':'p'},'value':2}", "{'metadata':{'name':'p'},'value':1}", "?233"},
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
    assert_string_equal(errors.items[0].body, "Too long: must have at most 1048576 bytes");
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
        cmocka_unit_test(test_pods),
        cmocka_unit_test(test_workloads),
        cmocka_unit_test(test_services),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
