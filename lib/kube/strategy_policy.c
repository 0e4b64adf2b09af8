/* Autoscalers, bindings of roles, classes of priority, webhooks: defaults. */
#include <string.h>

#include "kube/strategy_int.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

/* --- autoscalers ------------------------------------------------------------------------------ */

/* Without metrics: four fifths of the processors that the pods request. */
static void metrics_default(struct kube_edit *e, yyjson_mut_val *spec)
{
    enum { PERCENT = 80 };
    yyjson_mut_val *list = yyjson_mut_arr(e->doc);
    yyjson_mut_val *metric = list == NULL ? NULL : yyjson_mut_arr_add_obj(e->doc, list);
    yyjson_mut_val *resource = edit_object(e, metric, "resource");
    yyjson_mut_val *target = edit_object(e, resource, "target");

    edit_default_text(e, metric, "type", "Resource");
    edit_default_text(e, resource, "name", "cpu");
    edit_default_text(e, target, "type", "Utilization");
    edit_default_int(e, target, "averageUtilization", PERCENT);
    edit_put(e, spec, "metrics", list);
}

static void add_policy(
    struct kube_edit *e, yyjson_mut_val *list, const char *type, int64_t value, int64_t period_s)
{
    yyjson_mut_val *policy = list == NULL ? NULL : yyjson_mut_arr_add_obj(e->doc, list);

    edit_default_text(e, policy, "type", type);
    edit_default_int(e, policy, "value", value);
    edit_default_int(e, policy, "periodSeconds", period_s);
}

static void behavior_default(struct kube_edit *e, yyjson_mut_val *behavior)
{
    enum { PERIOD_S = 15, PODS = 4, ALL = 100 };
    yyjson_mut_val *up = edit_object(e, behavior, "scaleUp");
    yyjson_mut_val *down = edit_object(e, behavior, "scaleDown");

    edit_default_pointer(e, up, "selectPolicy", "Max");
    edit_default_pointer(e, down, "selectPolicy", "Max");
    edit_default_int(e, up, "stabilizationWindowSeconds", 0);
    if (strategy_is_empty(kube_json_get(up, "policies"))) {
        yyjson_mut_val *list = yyjson_mut_arr(e->doc);

        add_policy(e, list, "Pods", PODS, PERIOD_S);
        add_policy(e, list, "Percent", ALL, PERIOD_S);
        edit_put(e, up, "policies", list);
    }
    if (strategy_is_empty(kube_json_get(down, "policies"))) {
        yyjson_mut_val *list = yyjson_mut_arr(e->doc);

        add_policy(e, list, "Percent", ALL, PERIOD_S);
        edit_put(e, down, "policies", list);
    }
}

void autoscaler_default(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *spec = edit_object(e, object, "spec");
    yyjson_mut_val *behavior = kube_json_get(spec, "behavior");

    edit_default_int(e, spec, "minReplicas", 1);
    if (strcmp(e->change->resource->version, "v1") == 0) {
        return;
    }
    if (strategy_is_empty(kube_json_get(spec, "metrics"))) {
        metrics_default(e, spec);
    }
    if (yyjson_mut_is_obj(behavior)) {
        behavior_default(e, behavior);
    }
}

/* --- roles ------------------------------------------------------------------------------------ */

static void subject_default(struct kube_edit *e, yyjson_mut_val *subject)
{
    if (strategy_is(subject, "kind", "User") || strategy_is(subject, "kind", "Group")) {
        edit_default_text(e, subject, "apiGroup", RBAC_GROUP);
    }
}

void role_binding_default(struct kube_edit *e, yyjson_mut_val *binding)
{
    edit_default_text(e, edit_object(e, binding, "roleRef"), "apiGroup", RBAC_GROUP);
    edit_each(e, binding, "subjects", subject_default);
}

/* --- others ----------------------------------------------------------------------------------- */

void priority_class_default(struct kube_edit *e, yyjson_mut_val *object)
{
    edit_default_pointer(e, object, "preemptionPolicy", "PreemptLowerPriority");
}

static void webhook_rule_default(struct kube_edit *e, yyjson_mut_val *rule)
{
    edit_default_pointer(e, rule, "scope", "*");
}

static void webhook_default(struct kube_edit *e, yyjson_mut_val *webhook)
{
    enum { TIMEOUT_S = 10, HTTPS = 443 };
    yyjson_mut_val *service = kube_json_get(kube_json_get(webhook, "clientConfig"), "service");

    edit_default_pointer(e, webhook, "failurePolicy", "Fail");
    edit_default_pointer(e, webhook, "matchPolicy", "Equivalent");
    (void)edit_object(e, webhook, "namespaceSelector");
    (void)edit_object(e, webhook, "objectSelector");
    edit_default_int(e, webhook, "timeoutSeconds", TIMEOUT_S);
    edit_each(e, webhook, "rules", webhook_rule_default);
    if (strcmp(e->change->resource->plural, "mutatingwebhookconfigurations") == 0) {
        edit_default_pointer(e, webhook, "reinvocationPolicy", "Never");
    }
    if (yyjson_mut_is_obj(service)) {
        edit_default_int(e, service, "port", HTTPS);
    }
}

void webhooks_default(struct kube_edit *e, yyjson_mut_val *object)
{
    edit_each(e, object, "webhooks", webhook_default);
}
