#include "kube/strategy.h"

#include <string.h>

#include "base/assert.h"
#include "base/attr.h"
#include "kube/decode.h"
#include "kube/strategy_int.h"

static const struct kube_strategy strategies[] = {
    {"pods", pod_default, pod_prepare_create, pod_prepare_update, pod_validate,
     pod_validate_update},
    {"podtemplates", pod_template_default, NULL, NULL, pod_template_validate, NULL},
    {"deployments", deployment_default, NULL, NULL, deployment_validate,
     deployment_validate_update},
    {"replicasets", replicaset_default, NULL, NULL, replicaset_validate,
     replicaset_validate_update},
    {"controllers", controller_default, NULL, NULL, controller_validate, NULL},
    {"daemonsets", daemonset_default, NULL, NULL, daemonset_validate, daemonset_validate_update},
    {"statefulsets", statefulset_default, NULL, NULL, statefulset_validate,
     statefulset_validate_update},
    {"jobs", job_default, job_prepare_create, NULL, job_validate, job_validate_update},
    {"cronjobs", cronjob_default, NULL, NULL, cronjob_validate, NULL},
    {"services/specs", service_default, NULL, NULL, service_validate, service_validate_update},
    {"services/endpoints", endpoints_default, NULL, NULL, endpoints_validate, NULL},
    {"endpointslices", endpointslice_default, NULL, NULL, endpointslice_validate, NULL},
    {"ingress", NULL, NULL, NULL, ingress_validate, NULL},
    {"ingressclasses", ingress_class_default, NULL, NULL, ingress_class_validate, NULL},
    {"networkpolicies", network_policy_default, NULL, NULL, network_policy_validate, NULL},
    {"configmaps", NULL, NULL, NULL, config_map_validate, config_map_validate_update},
    {"secrets", secret_default, NULL, NULL, secret_validate, secret_validate_update},
    {"namespaces", namespace_default, namespace_prepare_create, namespace_prepare_update,
     namespace_validate, NULL},
    {"minions", node_default, NULL, NULL, node_validate, node_validate_update},
    {"limitranges", limit_range_default, NULL, NULL, limit_range_validate, NULL},
    {"resourcequotas", NULL, NULL, NULL, quota_validate, NULL},
    {"persistentvolumes", volume_default, volume_prepare_create, NULL, volume_validate, NULL},
    {"persistentvolumeclaims", claim_default, claim_prepare_create, NULL, claim_validate,
     claim_validate_update},
    {"storageclasses", storage_class_default, NULL, NULL, storage_class_validate,
     storage_class_validate_update},
    {"csidrivers", csi_driver_default, NULL, NULL, NULL, NULL},
    {"horizontalpodautoscalers", autoscaler_default, NULL, NULL, autoscaler_validate, NULL},
    {"roles", NULL, NULL, NULL, role_validate, NULL},
    {"clusterroles", NULL, NULL, NULL, cluster_role_validate, NULL},
    {"rolebindings", role_binding_default, NULL, NULL, role_binding_validate,
     role_binding_validate_update},
    {"clusterrolebindings", role_binding_default, NULL, NULL, role_binding_validate,
     role_binding_validate_update},
    {"priorityclasses", priority_class_default, NULL, NULL, priority_class_validate,
     priority_class_validate_update},
    {"poddisruptionbudgets", NULL, NULL, NULL, disruption_budget_validate, NULL},
    {"leases", NULL, NULL, NULL, lease_validate, NULL},
    {"mutatingwebhookconfigurations", webhooks_default, NULL, NULL, NULL, NULL},
    {"validatingwebhookconfigurations", webhooks_default, NULL, NULL, NULL, NULL},
};

const struct kube_strategy *kube_strategy_find(const char *storage)
{
    for (size_t i = 0; i < ARRAY_LEN(strategies); i++) {
        if (strcmp(strategies[i].storage, storage) == 0) {
            return &strategies[i];
        }
    }
    return NULL;
}

static struct kube_edit edit_begin(const struct kube_change *change)
{
    return (struct kube_edit){.doc = change->doc, .change = change};
}

int kube_strategy_default(const struct kube_change *change, yyjson_mut_val *object)
{
    const struct kube_resource *r = change->resource;
    const struct kube_strategy *strategy = kube_strategy_find(r->storage);
    const struct kube_kind *kind =
        kube_kind_find(view_str(r->group), view_str(r->version), view_str(r->kind));
    struct kube_edit e = edit_begin(change);
    int err;

    if (strategy != NULL && strategy->defaults != NULL) {
        strategy->defaults(&e, object);
    }
    if (e.failed) {
        return KVS_E_NOMEM;
    }
    if (kind == NULL) {
        return 0;
    }
    err = kube_default(change->doc, kube_kind_message(kind), object);
    return err == KVS_E_TOO_LONG ? 0 : err; /* Decoding refuses what nests deeper. */
}

int kube_strategy_prepare_create(const struct kube_change *change, yyjson_mut_val *object)
{
    const struct kube_strategy *strategy = kube_strategy_find(change->resource->storage);
    struct kube_edit e = edit_begin(change);

    if (strategy != NULL && strategy->prepare_create != NULL) {
        strategy->prepare_create(&e, object);
    }
    return e.failed ? KVS_E_NOMEM : 0;
}

int kube_strategy_prepare_update(const struct kube_change *change,
                                 yyjson_mut_val *object,
                                 yyjson_mut_val *old)
{
    const struct kube_strategy *strategy = kube_strategy_find(change->resource->storage);
    struct kube_edit e = edit_begin(change);

    if (strategy != NULL && strategy->prepare_update != NULL) {
        strategy->prepare_update(&e, object, old);
    }
    return e.failed ? KVS_E_NOMEM : 0;
}

void kube_strategy_validate(const struct kube_change *change,
                            yyjson_mut_val *object,
                            struct kube_errors *errors)
{
    const struct kube_strategy *strategy = kube_strategy_find(change->resource->storage);

    if (strategy != NULL && strategy->validate != NULL) {
        strategy->validate(change, object, errors);
    }
}

/* A change of the status leaves the rest as it is, and that was valid when it was stored. */
void kube_strategy_validate_update(const struct kube_change *change,
                                   yyjson_mut_val *object,
                                   yyjson_mut_val *old,
                                   struct kube_errors *errors)
{
    const struct kube_strategy *strategy = kube_strategy_find(change->resource->storage);

    if (strategy == NULL || change->sub == KUBE_SUB_STATUS) {
        return;
    }
    if (strategy->validate != NULL) {
        strategy->validate(change, object, errors);
    }
    if (strategy->validate_update != NULL) {
        strategy->validate_update(change, object, old, errors);
    }
}
