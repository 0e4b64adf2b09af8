#include "kube/strategy.h"

#include <string.h>

#include "base/assert.h"
#include "base/attr.h"
#include "kube/decode.h"
#include "kube/strategy_int.h"

static const struct kube_strategy strategies[] = {
    {"pods", pod_default, pod_prepare_create, pod_prepare_update, NULL, NULL},
    {"podtemplates", pod_template_default, NULL, NULL, NULL, NULL},
    {"deployments", deployment_default, NULL, NULL, NULL, NULL},
    {"replicasets", replicaset_default, NULL, NULL, NULL, NULL},
    {"controllers", controller_default, NULL, NULL, NULL, NULL},
    {"daemonsets", daemonset_default, NULL, NULL, NULL, NULL},
    {"statefulsets", statefulset_default, NULL, NULL, NULL, NULL},
    {"jobs", job_default, job_prepare_create, NULL, NULL, NULL},
    {"cronjobs", cronjob_default, NULL, NULL, NULL, NULL},
    {"services/specs", service_default, NULL, NULL, NULL, NULL},
    {"services/endpoints", endpoints_default, NULL, NULL, NULL, NULL},
    {"endpointslices", endpointslice_default, NULL, NULL, NULL, NULL},
    {"ingress", NULL, NULL, NULL, NULL, NULL},
    {"ingressclasses", ingress_class_default, NULL, NULL, NULL, NULL},
    {"networkpolicies", network_policy_default, NULL, NULL, NULL, NULL},
    {"configmaps", NULL, NULL, NULL, NULL, NULL},
    {"secrets", secret_default, NULL, NULL, NULL, NULL},
    {"namespaces", namespace_default, namespace_prepare_create, namespace_prepare_update, NULL,
     NULL},
    {"minions", node_default, NULL, NULL, NULL, NULL},
    {"limitranges", limit_range_default, NULL, NULL, NULL, NULL},
    {"resourcequotas", NULL, NULL, NULL, NULL, NULL},
    {"persistentvolumes", volume_default, volume_prepare_create, NULL, NULL, NULL},
    {"persistentvolumeclaims", claim_default, claim_prepare_create, NULL, NULL, NULL},
    {"storageclasses", storage_class_default, NULL, NULL, NULL, NULL},
    {"csidrivers", csi_driver_default, NULL, NULL, NULL, NULL},
    {"horizontalpodautoscalers", autoscaler_default, NULL, NULL, NULL, NULL},
    {"roles", NULL, NULL, NULL, NULL, NULL},
    {"clusterroles", NULL, NULL, NULL, NULL, NULL},
    {"rolebindings", role_binding_default, NULL, NULL, NULL, NULL},
    {"clusterrolebindings", role_binding_default, NULL, NULL, NULL, NULL},
    {"priorityclasses", priority_class_default, NULL, NULL, NULL, NULL},
    {"poddisruptionbudgets", NULL, NULL, NULL, NULL, NULL},
    {"leases", NULL, NULL, NULL, NULL, NULL},
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
