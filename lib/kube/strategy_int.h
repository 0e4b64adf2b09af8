/* Inside of the strategies: each file serves some kinds, strategy.c has the table of them. */
#ifndef KUBE_STRATEGY_INT_H
#define KUBE_STRATEGY_INT_H

#include "base/view.h"
#include "kube/strategy.h"
#include "kube/tree.h"

/* An object being changed. A failure sticks: whoever began looks once, at the end. */
struct kube_edit {
    yyjson_mut_doc *doc;
    const struct kube_change *change;
    bool failed; /* out of memory */
};

/* Sets a member, copying `name` never: a literal. NULL for `value` is a failure. */
void edit_put(struct kube_edit *e, yyjson_mut_val *object, const char *name, yyjson_mut_val *value);
void edit_text(struct kube_edit *e, yyjson_mut_val *object, const char *name, struct kvs_view text);
/* A copy of `value` (NULL removes the member). */
void edit_copy(struct kube_edit *e,
               yyjson_mut_val *object,
               const char *name,
               yyjson_mut_val *value);
/* Copies text into a map under a key that is no literal. */
void edit_map(struct kube_edit *e, yyjson_mut_val *map, struct kvs_view key, struct kvs_view value);

/* Copies into the map `to` what the map `from` has and `to` lacks; both are members of `object`. */
void edit_fill(struct kube_edit *e, yyjson_mut_val *object, const char *to, const char *from);

/* The member as an object, made if it is absent or null. NULL after a failure, which
 * everything here takes for an object that nothing is set in. */
yyjson_mut_val *edit_object(struct kube_edit *e, yyjson_mut_val *object, const char *name);

/* Set what is absent or null; texts also what is empty, as Go cannot tell. */
void edit_default_text(struct kube_edit *e,
                       yyjson_mut_val *object,
                       const char *name,
                       const char *text);
void edit_default_int(struct kube_edit *e,
                      yyjson_mut_val *object,
                      const char *name,
                      int64_t number);
void edit_default_bool(struct kube_edit *e, yyjson_mut_val *object, const char *name, bool value);
/* Absent only: for pointers to texts, where "" is a value. */
void edit_default_pointer(struct kube_edit *e,
                          yyjson_mut_val *object,
                          const char *name,
                          const char *text);
/* A list of one text, where there is none or it is empty. */
void edit_default_list(struct kube_edit *e,
                       yyjson_mut_val *object,
                       const char *name,
                       const char *text);

static inline bool strategy_is_set(yyjson_mut_val *value)
{
    return value != NULL && !yyjson_mut_is_null(value);
}

/* True for absent, null, and objects and lists without members. */
static inline bool strategy_is_empty(yyjson_mut_val *value)
{
    return !strategy_is_set(value) ||
           (yyjson_mut_is_ctn(value) && unsafe_yyjson_get_len(value) == 0);
}

/* A text member equals `text`. */
static inline bool strategy_is(yyjson_mut_val *object, const char *name, const char *text)
{
    return view_equal_str(kube_json_get_str(object, name), text);
}

static inline bool strategy_flag(yyjson_mut_val *object, const char *name)
{
    return yyjson_mut_get_bool(kube_json_get(object, name));
}

/* Calls `fn` for each item of a list member. */
typedef void edit_fn(struct kube_edit *e, yyjson_mut_val *object);
void edit_each(struct kube_edit *e, yyjson_mut_val *object, const char *list, edit_fn *fn);

/* ---- kinds ---- */

typedef void strategy_edit_fn(struct kube_edit *e, yyjson_mut_val *object);
typedef void strategy_carry_fn(struct kube_edit *e, yyjson_mut_val *object, yyjson_mut_val *old);
typedef void strategy_check_fn(const struct kube_change *change,
                               yyjson_mut_val *object,
                               struct kube_errors *errors);
typedef void strategy_check_update_fn(const struct kube_change *change,
                                      yyjson_mut_val *object,
                                      yyjson_mut_val *old,
                                      struct kube_errors *errors);

/* A row of the table; what a kind has nothing for is NULL. */
struct kube_strategy {
    const char *storage;
    strategy_edit_fn *defaults;
    strategy_edit_fn *prepare_create;
    strategy_carry_fn *prepare_update;
    strategy_check_fn *validate;
    strategy_check_update_fn *validate_update; /* besides `validate` of the new object */
};

/* NULL if the kind adds nothing. */
const struct kube_strategy *kube_strategy_find(const char *storage);

strategy_edit_fn pod_default, pod_prepare_create;
strategy_carry_fn pod_prepare_update;
strategy_check_fn pod_validate;
strategy_check_update_fn pod_validate_update;

strategy_edit_fn deployment_default, replicaset_default, controller_default, daemonset_default,
    statefulset_default, job_default, job_prepare_create, cronjob_default, pod_template_default;
strategy_check_fn deployment_validate, replicaset_validate, controller_validate, daemonset_validate,
    statefulset_validate, job_validate, cronjob_validate, pod_template_validate;
strategy_check_update_fn deployment_validate_update, replicaset_validate_update,
    daemonset_validate_update, statefulset_validate_update, job_validate_update;

strategy_edit_fn service_default, endpoints_default, endpointslice_default, ingress_class_default,
    network_policy_default;
strategy_check_fn service_validate, endpoints_validate, endpointslice_validate, ingress_validate,
    ingress_class_validate, network_policy_validate;
strategy_check_update_fn service_validate_update;

strategy_edit_fn secret_default, namespace_default, namespace_prepare_create, node_default,
    limit_range_default;
strategy_carry_fn namespace_prepare_update;
strategy_check_fn config_map_validate, secret_validate, namespace_validate, node_validate,
    limit_range_validate, quota_validate;
strategy_check_update_fn config_map_validate_update, secret_validate_update, node_validate_update;

strategy_edit_fn volume_default, volume_prepare_create, claim_default, claim_prepare_create,
    storage_class_default, csi_driver_default;
strategy_check_fn volume_validate, claim_validate, storage_class_validate;
strategy_check_update_fn claim_validate_update, storage_class_validate_update;

strategy_edit_fn autoscaler_default, role_binding_default, priority_class_default, webhooks_default;
strategy_check_fn autoscaler_validate, role_validate, cluster_role_validate, role_binding_validate,
    priority_class_validate, disruption_budget_validate, lease_validate;
strategy_check_update_fn role_binding_validate_update, priority_class_validate_update;

/* ---- parts that several kinds have ---- */

/* `is_pod`: what a pod has and a template has not. */
void pod_spec_default(struct kube_edit *e, yyjson_mut_val *spec, bool is_pod);
void claim_spec_default(struct kube_edit *e, yyjson_mut_val *spec);
void container_default(struct kube_edit *e, yyjson_mut_val *container);
void pod_volume_default(struct kube_edit *e, yyjson_mut_val *volume);

#endif
