#include "kube/selectable.h"

#include <string.h>

#define NAME                                                                                       \
    {                                                                                              \
        "metadata.name", NULL, ""                                                                  \
    }
#define NAMESPACE                                                                                  \
    {                                                                                              \
        "metadata.namespace", NULL, ""                                                             \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

static const struct kube_selectable cluster_fields[] = {NAME, END};
static const struct kube_selectable namespaced_fields[] = {NAME, NAMESPACE, END};

static const struct kube_selectable pod_fields[] = {
    NAME,
    NAMESPACE,
    {"spec.nodeName", NULL, ""},
    {"spec.restartPolicy", NULL, ""},
    {"spec.schedulerName", NULL, ""},
    {"spec.serviceAccountName", NULL, ""},
    {"spec.hostNetwork", NULL, "false"},
    {"status.phase", NULL, ""},
    {"status.podIP", NULL, ""},
    {"status.podIPs", "status.podIP", ""},
    {"status.nominatedNodeName", NULL, ""},
    END,
};

static const struct kube_selectable event_fields[] = {
    NAME,
    NAMESPACE,
    {"involvedObject.kind", NULL, ""},
    {"involvedObject.namespace", NULL, ""},
    {"involvedObject.name", NULL, ""},
    {"involvedObject.uid", NULL, ""},
    {"involvedObject.apiVersion", NULL, ""},
    {"involvedObject.resourceVersion", NULL, ""},
    {"involvedObject.fieldPath", NULL, ""},
    {"reason", NULL, ""},
    {"reportingComponent", NULL, ""},
    {"source", "source.component", ""},
    {"type", NULL, ""},
    END,
};

static const struct kube_selectable node_fields[] = {
    NAME,
    {"spec.unschedulable", NULL, "false"},
    END,
};

static const struct kube_selectable namespace_fields[] = {
    NAME,
    {"name", "metadata.name", ""},
    {"status.phase", NULL, ""},
    END,
};

static const struct kube_selectable secret_fields[] = {NAME, NAMESPACE, {"type", NULL, ""}, END};

static const struct kube_selectable replicas_fields[] = {
    NAME,
    NAMESPACE,
    {"status.replicas", NULL, "0"},
    END,
};

static const struct kube_selectable job_fields[] = {
    NAME,
    NAMESPACE,
    {"status.successful", "status.succeeded", "0"},
    END,
};

static const struct kube_selectable service_fields[] = {
    NAME, NAMESPACE, {"spec.clusterIP", NULL, ""}, {"spec.type", NULL, ""}, END,
};

static const struct kube_selectable signing_fields[] = {NAME, {"spec.signerName", NULL, ""}, END};

static const struct {
    const char *storage;
    const struct kube_selectable *fields;
} tables[] = {
    {"pods", pod_fields},
    {"events", event_fields},
    {"minions", node_fields},
    {"namespaces", namespace_fields},
    {"secrets", secret_fields},
    {"replicasets", replicas_fields},
    {"controllers", replicas_fields},
    {"jobs", job_fields},
    {"services/specs", service_fields},
    {"certificatesigningrequests", signing_fields},
};

const struct kube_selectable *kube_selectables(const struct kube_resource *r)
{
    for (size_t i = 0; r->storage != NULL && i < sizeof tables / sizeof tables[0]; i++) {
        if (strcmp(r->storage, tables[i].storage) == 0) {
            return tables[i].fields;
        }
    }
    return r->namespaced ? namespaced_fields : cluster_fields;
}
