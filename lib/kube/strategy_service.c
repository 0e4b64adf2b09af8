/* Services and what stands behind and before them: defaults. */
#include "kube/strategy_int.h"

static void port_default(struct kube_edit *e, yyjson_mut_val *port)
{
    yyjson_mut_val *target = kube_json_get(port, "targetPort");
    bool number_is_zero = yyjson_mut_is_int(target) && yyjson_mut_get_sint(target) == 0;
    bool text_is_empty = yyjson_mut_is_str(target) && yyjson_mut_get_len(target) == 0;

    edit_default_text(e, port, "protocol", "TCP");
    if (!strategy_is_set(target) || number_is_zero || text_is_empty) {
        edit_copy(e, port, "targetPort", kube_json_get(port, "port"));
    }
}

static void affinity_default(struct kube_edit *e, yyjson_mut_val *spec)
{
    enum { THREE_HOURS_S = 10800 };
    yyjson_mut_val *config;

    edit_default_text(e, spec, "sessionAffinity", "None");
    if (strategy_is(spec, "sessionAffinity", "None")) {
        (void)yyjson_mut_obj_remove_key(spec, "sessionAffinityConfig");
    } else if (strategy_is(spec, "sessionAffinity", "ClientIP")) {
        config = edit_object(e, spec, "sessionAffinityConfig");
        edit_default_int(e, edit_object(e, config, "clientIP"), "timeoutSeconds", THREE_HOURS_S);
    }
}

void service_default(struct kube_edit *e, yyjson_mut_val *service)
{
    yyjson_mut_val *spec = edit_object(e, service, "spec");
    bool balanced;

    affinity_default(e, spec);
    edit_default_text(e, spec, "type", "ClusterIP");
    edit_each(e, spec, "ports", port_default);
    balanced = strategy_is(spec, "type", "LoadBalancer");
    if (balanced || strategy_is(spec, "type", "NodePort")) {
        edit_default_text(e, spec, "externalTrafficPolicy", "Cluster");
    }
    if (!strategy_is(spec, "type", "ExternalName")) {
        edit_default_text(e, spec, "internalTrafficPolicy", "Cluster");
    }
    if (balanced) {
        edit_default_bool(e, spec, "allocateLoadBalancerNodePorts", true);
    }
}

static void protocol_default(struct kube_edit *e, yyjson_mut_val *port)
{
    edit_default_text(e, port, "protocol", "TCP");
}

static void subset_default(struct kube_edit *e, yyjson_mut_val *subset)
{
    edit_each(e, subset, "ports", protocol_default);
}

void endpoints_default(struct kube_edit *e, yyjson_mut_val *endpoints)
{
    edit_each(e, endpoints, "subsets", subset_default);
}

static void slice_port_default(struct kube_edit *e, yyjson_mut_val *port)
{
    edit_default_pointer(e, port, "name", "");
    edit_default_pointer(e, port, "protocol", "TCP");
}

void endpointslice_default(struct kube_edit *e, yyjson_mut_val *slice)
{
    edit_each(e, slice, "ports", slice_port_default);
}

void ingress_class_default(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *parameters = kube_json_get(kube_json_get(object, "spec"), "parameters");

    if (yyjson_mut_is_obj(parameters)) {
        edit_default_pointer(e, parameters, "scope", "Cluster");
    }
}

static void policy_rule_default(struct kube_edit *e, yyjson_mut_val *rule)
{
    edit_each(e, rule, "ports", protocol_default);
}

/* Rules for outgoing traffic make the policy one for both directions. */
void network_policy_default(struct kube_edit *e, yyjson_mut_val *policy)
{
    yyjson_mut_val *spec = edit_object(e, policy, "spec");
    bool had_types = !strategy_is_empty(kube_json_get(spec, "policyTypes"));

    edit_each(e, spec, "ingress", policy_rule_default);
    edit_each(e, spec, "egress", policy_rule_default);
    edit_default_list(e, spec, "policyTypes", "Ingress");
    if (!had_types && !strategy_is_empty(kube_json_get(spec, "egress")) && !e->failed &&
        !yyjson_mut_arr_add_str(e->doc, kube_json_get(spec, "policyTypes"), "Egress")) {
        e->failed = true;
    }
}
