/* The table, in the order in which `kubectl api-resources` of 1.32 lists it. */
#include "kube/resource.h"

#include <string.h>

#include "base/assert.h"
#include "base/view.h"

#define READ_ONLY (KUBE_VERB_GET | KUBE_VERB_LIST)
#define ALL       KUBE_VERB_ALL
#define REVIEW    KUBE_VERB_CREATE

#define ADMISSION      "admissionregistration.k8s.io", "v1"
#define APPS           "apps", "v1"
#define AUTHENTICATION "authentication.k8s.io", "v1"
#define AUTHORIZATION  "authorization.k8s.io", "v1"
#define AUTOSCALING    "autoscaling"
#define BATCH          "batch", "v1"
#define CERTIFICATES   "certificates.k8s.io", "v1"
#define COORDINATION   "coordination.k8s.io", "v1"
#define CORE           "", "v1"
#define DISCOVERY      "discovery.k8s.io", "v1"
#define EVENTS         "events.k8s.io", "v1"
#define FLOWCONTROL    "flowcontrol.apiserver.k8s.io", "v1"
#define NETWORKING     "networking.k8s.io", "v1"
#define NODE           "node.k8s.io", "v1"
#define POLICY         "policy", "v1"
#define RBAC           "rbac.authorization.k8s.io", "v1"
#define SCHEDULING     "scheduling.k8s.io", "v1"
#define STORAGE        "storage.k8s.io", "v1"

/* group and version, kind, plural, singular, short names, categories, storage, verbs,
 * subresources, namespaced, graceful */
static const struct kube_resource resources[] = {
    {CORE, "Binding", "bindings", "binding", "", "", NULL, REVIEW, 0, true, false},
    {CORE, "ComponentStatus", "componentstatuses", "componentstatus", "cs", "", NULL, READ_ONLY, 0,
     false, false},
    {CORE, "ConfigMap", "configmaps", "configmap", "cm", "", "configmaps", ALL, 0, true, false},
    {CORE, "Endpoints", "endpoints", "endpoints", "ep", "", "services/endpoints", ALL, 0, true,
     false},
    {CORE, "Event", "events", "event", "ev", "", "events", ALL, 0, true, false},
    {CORE, "LimitRange", "limitranges", "limitrange", "limits", "", "limitranges", ALL, 0, true,
     false},
    {CORE, "Namespace", "namespaces", "namespace", "ns", "", "namespaces",
     ALL & ~KUBE_VERB_DELETECOLLECTION, KUBE_SUB_STATUS | KUBE_SUB_FINALIZE, false, false},
    {CORE, "Node", "nodes", "node", "no,nod", "", "minions", ALL, KUBE_SUB_STATUS, false, false},
    {CORE, "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaim", "pvc", "",
     "persistentvolumeclaims", ALL, KUBE_SUB_STATUS, true, false},
    {CORE, "PersistentVolume", "persistentvolumes", "persistentvolume", "pv", "",
     "persistentvolumes", ALL, KUBE_SUB_STATUS, false, false},
    {CORE, "Pod", "pods", "pod", "po", "all", "pods", ALL,
     KUBE_SUB_STATUS | KUBE_SUB_BINDING | KUBE_SUB_EVICTION | KUBE_SUB_EPHEMERALCONTAINERS, true,
     true},
    {CORE, "PodTemplate", "podtemplates", "podtemplate", "", "", "podtemplates", ALL, 0, true,
     false},
    {CORE, "ReplicationController", "replicationcontrollers", "replicationcontroller", "rc", "all",
     "controllers", ALL, KUBE_SUB_STATUS | KUBE_SUB_SCALE, true, false},
    {CORE, "ResourceQuota", "resourcequotas", "resourcequota", "quota", "", "resourcequotas", ALL,
     KUBE_SUB_STATUS, true, false},
    {CORE, "Secret", "secrets", "secret", "", "", "secrets", ALL, 0, true, false},
    {CORE, "ServiceAccount", "serviceaccounts", "serviceaccount", "sa", "", "serviceaccounts", ALL,
     KUBE_SUB_TOKEN, true, false},
    {CORE, "Service", "services", "service", "svc", "all", "services/specs", ALL, KUBE_SUB_STATUS,
     true, false},
    {ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations",
     "mutatingwebhookconfiguration", "", "api-extensions", "mutatingwebhookconfigurations", ALL, 0,
     false, false},
    {ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies",
     "validatingadmissionpolicy", "", "api-extensions", "validatingadmissionpolicies", ALL,
     KUBE_SUB_STATUS, false, false},
    {ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings",
     "validatingadmissionpolicybinding", "", "api-extensions", "validatingadmissionpolicybindings",
     ALL, 0, false, false},
    {ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations",
     "validatingwebhookconfiguration", "", "api-extensions", "validatingwebhookconfigurations", ALL,
     0, false, false},
    {APPS, "ControllerRevision", "controllerrevisions", "controllerrevision", "", "",
     "controllerrevisions", ALL, 0, true, false},
    {APPS, "DaemonSet", "daemonsets", "daemonset", "ds", "all", "daemonsets", ALL, KUBE_SUB_STATUS,
     true, false},
    {APPS, "Deployment", "deployments", "deployment", "deploy", "all", "deployments", ALL,
     KUBE_SUB_STATUS | KUBE_SUB_SCALE, true, false},
    {APPS, "ReplicaSet", "replicasets", "replicaset", "rs", "all", "replicasets", ALL,
     KUBE_SUB_STATUS | KUBE_SUB_SCALE, true, false},
    {APPS, "StatefulSet", "statefulsets", "statefulset", "sts", "all", "statefulsets", ALL,
     KUBE_SUB_STATUS | KUBE_SUB_SCALE, true, false},
    {AUTHENTICATION, "SelfSubjectReview", "selfsubjectreviews", "selfsubjectreview", "", "", NULL,
     REVIEW, 0, false, false},
    {AUTHENTICATION, "TokenReview", "tokenreviews", "tokenreview", "", "", NULL, REVIEW, 0, false,
     false},
    {AUTHORIZATION, "LocalSubjectAccessReview", "localsubjectaccessreviews",
     "localsubjectaccessreview", "", "", NULL, REVIEW, 0, true, false},
    {AUTHORIZATION, "SelfSubjectAccessReview", "selfsubjectaccessreviews",
     "selfsubjectaccessreview", "", "", NULL, REVIEW, 0, false, false},
    {AUTHORIZATION, "SelfSubjectRulesReview", "selfsubjectrulesreviews", "selfsubjectrulesreview",
     "", "", NULL, REVIEW, 0, false, false},
    {AUTHORIZATION, "SubjectAccessReview", "subjectaccessreviews", "subjectaccessreview", "", "",
     NULL, REVIEW, 0, false, false},
    {AUTOSCALING, "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers",
     "horizontalpodautoscaler", "hpa", "all", "horizontalpodautoscalers", ALL, KUBE_SUB_STATUS,
     true, false},
    {AUTOSCALING, "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers",
     "horizontalpodautoscaler", "hpa", "all", "horizontalpodautoscalers", ALL, KUBE_SUB_STATUS,
     true, false},
    {BATCH, "CronJob", "cronjobs", "cronjob", "cj", "all", "cronjobs", ALL, KUBE_SUB_STATUS, true,
     false},
    {BATCH, "Job", "jobs", "job", "", "all", "jobs", ALL, KUBE_SUB_STATUS, true, false},
    {CERTIFICATES, "CertificateSigningRequest", "certificatesigningrequests",
     "certificatesigningrequest", "csr", "", "certificatesigningrequests", ALL,
     KUBE_SUB_STATUS | KUBE_SUB_APPROVAL, false, false},
    {COORDINATION, "Lease", "leases", "lease", "", "", "leases", ALL, 0, true, false},
    {DISCOVERY, "EndpointSlice", "endpointslices", "endpointslice", "", "", "endpointslices", ALL,
     0, true, false},
    {EVENTS, "Event", "events", "event", "ev", "", "events", ALL, 0, true, false},
    {FLOWCONTROL, "FlowSchema", "flowschemas", "flowschema", "", "", "flowschemas", ALL,
     KUBE_SUB_STATUS, false, false},
    {FLOWCONTROL, "PriorityLevelConfiguration", "prioritylevelconfigurations",
     "prioritylevelconfiguration", "", "", "prioritylevelconfigurations", ALL, KUBE_SUB_STATUS,
     false, false},
    {NETWORKING, "IngressClass", "ingressclasses", "ingressclass", "", "", "ingressclasses", ALL, 0,
     false, false},
    {NETWORKING, "Ingress", "ingresses", "ingress", "ing", "", "ingress", ALL, KUBE_SUB_STATUS,
     true, false},
    {NETWORKING, "NetworkPolicy", "networkpolicies", "networkpolicy", "netpol", "",
     "networkpolicies", ALL, 0, true, false},
    {NODE, "RuntimeClass", "runtimeclasses", "runtimeclass", "", "", "runtimeclasses", ALL, 0,
     false, false},
    {POLICY, "PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudget", "pdb", "",
     "poddisruptionbudgets", ALL, KUBE_SUB_STATUS, true, false},
    {RBAC, "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", "", "",
     "clusterrolebindings", ALL, 0, false, false},
    {RBAC, "ClusterRole", "clusterroles", "clusterrole", "", "", "clusterroles", ALL, 0, false,
     false},
    {RBAC, "RoleBinding", "rolebindings", "rolebinding", "", "", "rolebindings", ALL, 0, true,
     false},
    {RBAC, "Role", "roles", "role", "", "", "roles", ALL, 0, true, false},
    {SCHEDULING, "PriorityClass", "priorityclasses", "priorityclass", "pc", "", "priorityclasses",
     ALL, 0, false, false},
    {STORAGE, "CSIDriver", "csidrivers", "csidriver", "", "", "csidrivers", ALL, 0, false, false},
    {STORAGE, "CSINode", "csinodes", "csinode", "", "", "csinodes", ALL, 0, false, false},
    {STORAGE, "CSIStorageCapacity", "csistoragecapacities", "csistoragecapacity", "", "",
     "csistoragecapacities", ALL, 0, true, false},
    {STORAGE, "StorageClass", "storageclasses", "storageclass", "sc", "", "storageclasses", ALL, 0,
     false, false},
    {STORAGE, "VolumeAttachment", "volumeattachments", "volumeattachment", "", "",
     "volumeattachments", ALL, KUBE_SUB_STATUS, false, false},
};

enum { N_RESOURCES = sizeof resources / sizeof resources[0] };

/* In the order of kube-apiserver's priorities. */
static const struct kube_group groups[] = {
    {"apps", {"v1"}},
    {"events.k8s.io", {"v1"}},
    {"authentication.k8s.io", {"v1"}},
    {"authorization.k8s.io", {"v1"}},
    {"autoscaling", {"v2", "v1"}},
    {"batch", {"v1"}},
    {"certificates.k8s.io", {"v1"}},
    {"networking.k8s.io", {"v1"}},
    {"policy", {"v1"}},
    {"rbac.authorization.k8s.io", {"v1"}},
    {"storage.k8s.io", {"v1"}},
    {"admissionregistration.k8s.io", {"v1"}},
    {"scheduling.k8s.io", {"v1"}},
    {"coordination.k8s.io", {"v1"}},
    {"node.k8s.io", {"v1"}},
    {"discovery.k8s.io", {"v1"}},
    {"flowcontrol.apiserver.k8s.io", {"v1"}},
};

static const char *const subresource_names[KUBE_SUB_COUNT] = {
    "status", "scale", "binding", "eviction", "ephemeralcontainers", "finalize", "approval",
    "token",  "log",   "exec",    "attach",   "portforward",         "proxy",
};

size_t kube_resource_count(void)
{
    return N_RESOURCES;
}

const struct kube_resource *kube_resource_at(size_t i)
{
    kvs_assert(i < N_RESOURCES);
    return &resources[i];
}

static bool
resource_in(const struct kube_resource *r, struct kvs_view group, struct kvs_view version)
{
    return view_equal_str(group, r->group) && view_equal_str(version, r->version);
}

const struct kube_resource *
kube_resource_find(struct kvs_view group, struct kvs_view version, struct kvs_view plural)
{
    for (size_t i = 0; i < N_RESOURCES; i++) {
        if (view_equal_str(plural, resources[i].plural) &&
            resource_in(&resources[i], group, version)) {
            return &resources[i];
        }
    }
    return NULL;
}

const struct kube_resource *
kube_resource_by_kind(struct kvs_view group, struct kvs_view version, struct kvs_view kind)
{
    for (size_t i = 0; i < N_RESOURCES; i++) {
        if (view_equal_str(kind, resources[i].kind) && resource_in(&resources[i], group, version)) {
            return &resources[i];
        }
    }
    return NULL;
}

size_t kube_resource_index(const struct kube_resource *r)
{
    kvs_assert(r >= resources && r < resources + N_RESOURCES);
    return (size_t)(r - resources);
}

size_t kube_group_count(void)
{
    return sizeof groups / sizeof groups[0];
}

const struct kube_group *kube_group_at(size_t i)
{
    kvs_assert(i < kube_group_count());
    return &groups[i];
}

const struct kube_group *kube_group_find(struct kvs_view name)
{
    for (size_t i = 0; i < kube_group_count(); i++) {
        if (view_equal_str(name, groups[i].name)) {
            return &groups[i];
        }
    }
    return NULL;
}

const char *kube_subresource_name(enum kube_subresource sub)
{
    for (unsigned i = 0; i < KUBE_SUB_COUNT; i++) {
        if (sub == 1u << i) {
            return subresource_names[i];
        }
    }
    return NULL;
}

enum kube_subresource kube_subresource_find(struct kvs_view name)
{
    for (unsigned i = 0; i < KUBE_SUB_COUNT; i++) {
        if (view_equal_str(name, subresource_names[i])) {
            return (enum kube_subresource)(1u << i);
        }
    }
    return KUBE_SUB_NONE;
}
