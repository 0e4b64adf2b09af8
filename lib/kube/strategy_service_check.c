/* What makes services, endpoints, ingresses and network policies valid. */
#include <stdio.h>
#include <string.h>

#include "kube/label_selector.h"
#include "kube/meta_validate.h"
#include "kube/quote.h"
#include "kube/strategy_check.h"

static const char *const protocols[] = {"SCTP", "TCP", "UDP"};

/* --- ports of services ------------------------------------------------------------------------ */

/* The range that node ports are given out from, kube-apiserver's default. */
enum { NODE_PORT_MIN = 30000, NODE_PORT_MAX = 32767 };

static void check_port_name(const struct check *port, yyjson_mut_val *list)
{
    struct kvs_view name = kube_json_get_str(port->object, "name");
    struct kube_path path = kube_path_child(port->path, "name");

    if (name.len == 0) {
        if (yyjson_mut_arr_size(list) > 1) {
            kube_errors_required(port->errors, &path, "");
        }
        return;
    }
    check_name(port, "name", kube_name_dns1123_label);
    if (check_seen(port, "name")) {
        kube_errors_duplicate(port->errors, &path, kube_bad_string(name));
    }
}

static void check_service_port(const struct check *port, void *list)
{
    check_port_name(port, list);
    check_range(port, "port", 1, UINT16_MAX);
    check_required_one_of(port, "protocol", protocols, ARRAY_LEN(protocols));
    check_port(port, "targetPort");
    check_name(port, "appProtocol", kube_name_qualified);
}

static bool port_seen(const struct check *port, const char *number)
{
    struct kvs_view protocol = kube_json_get_str(port->object, "protocol");
    char text[64];

    (void)snprintf(text, sizeof text, "%.*s/%lld", (int)protocol.len,
                   protocol.len == 0 ? "" : (const char *)protocol.data,
                   (long long)yyjson_mut_get_sint(kube_json_get(port->object, number)));
    return check_seen_text(port, view_str(text));
}

static void check_node_port(const struct check *port, void *service)
{
    yyjson_mut_val *spec = service;
    int64_t number = yyjson_mut_get_sint(kube_json_get(port->object, "nodePort"));
    struct kube_path path = kube_path_child(port->path, "nodePort");

    if (number == 0) {
        return;
    }
    if (strategy_is(spec, "type", "ClusterIP")) {
        kube_errors_forbidden(port->errors, &path, "may not be used when `type` is 'ClusterIP'");
        return;
    }
    if (port_seen(port, "nodePort")) {
        kube_errors_duplicate(port->errors, &path, kube_bad_int(number));
    }
    if (number < NODE_PORT_MIN || number > NODE_PORT_MAX) {
        kube_errors_invalid(port->errors, &path, kube_bad_int(number),
                            "provided port is not in the valid range. The range of valid ports is "
                            "30000-32767");
    }
}

static void check_port_twice(const struct check *port, void *ctx)
{
    struct buf text;

    (void)ctx;
    if (!port_seen(port, "port")) {
        return;
    }
    buf_init(&text);
    buf_append_str(&text, "core.ServicePort{Name:\"\", Protocol:");
    kube_quote(&text, kube_json_get_str(port->object, "protocol"));
    buf_printf(&text,
               ", AppProtocol:(*string)(nil), Port:%lld, TargetPort:intstr.IntOrString{Type:0, "
               "IntVal:0, StrVal:\"\"}, NodePort:0}",
               (long long)yyjson_mut_get_sint(kube_json_get(port->object, "port")));
    if (text.failed) {
        port->errors->failed = true;
    } else {
        kube_errors_duplicate(port->errors, port->path, kube_bad_text(buf_view(&text)));
    }
    buf_fini(&text);
}

/* --- services --------------------------------------------------------------------------------- */

static void check_external_name(const struct check *spec)
{
    struct kvs_view name = kube_json_get_str(spec->object, "externalName");

    if (strategy_is_set(kube_json_get(spec->object, "clusterIPs"))) {
        check_forbid(spec, "clusterIPs", "may not be set for ExternalName services");
    }
    if (name.len > 0 && ((const char *)name.data)[name.len - 1] == '.') {
        name.len--;
    }
    if (name.len == 0) {
        check_need(spec, "externalName", "");
    } else {
        check_text(spec, "externalName", name, kube_name_dns1123_subdomain);
    }
}

static void check_headless(const struct check *spec)
{
    struct kube_path path = kube_path_child(spec->path, "clusterIPs");
    struct kube_path first = kube_path_index(&path, 0);
    bool balanced = strategy_is(spec->object, "type", "LoadBalancer");

    if (balanced || strategy_is(spec->object, "type", "NodePort")) {
        kube_errors_invalid(spec->errors, &first, kube_bad_string(view_str("None")),
                            balanced ? "may not be set to 'None' for LoadBalancer services"
                                     : "may not be set to 'None' for NodePort services");
    }
}

static void check_session(const struct check *spec)
{
    static const char *const affinities[] = {"ClientIP", "None"};
    enum { DAY_S = 86400 };
    struct kube_path path;
    struct kube_path client_path;
    struct check config;
    struct check client;
    int64_t seconds;

    check_required_one_of(spec, "sessionAffinity", affinities, ARRAY_LEN(affinities));
    if (!strategy_is(spec->object, "sessionAffinity", "ClientIP")) {
        return;
    }
    check_enter(spec, "sessionAffinityConfig", &path, &config);
    check_enter(&config, "clientIP", &client_path, &client);
    seconds = yyjson_mut_get_sint(kube_json_get(client.object, "timeoutSeconds"));
    if (seconds <= 0 || seconds > DAY_S) {
        check_say(&client, "timeoutSeconds", kube_bad_int(seconds),
                  "must be greater than 0 and less than 86400");
    }
}

static void check_service_spec(const struct check *spec)
{
    static const char *const types[] = {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"};
    static const char *const policies[] = {"Cluster", "Local"};
    struct kube_path selector = kube_path_child(spec->path, "selector");
    yyjson_mut_val *ports = kube_json_get(spec->object, "ports");
    bool headless = strategy_is(spec->object, "clusterIP", "None");

    if (strategy_is_empty(ports) && !headless &&
        !strategy_is(spec->object, "type", "ExternalName")) {
        check_need(spec, "ports", "");
    }
    if (headless) {
        check_headless(spec);
    }
    if (strategy_is(spec->object, "type", "ExternalName")) {
        check_external_name(spec);
    }
    check_each(spec, "ports", check_service_port, ports);
    kube_meta_validate_labels(kube_json_get(spec->object, "selector"), &selector, spec->errors);
    check_session(spec);
    check_required_one_of(spec, "type", types, ARRAY_LEN(types));
    check_each(spec, "ports", check_node_port, spec->object);
    check_each(spec, "ports", check_port_twice, NULL);
    check_one_of(spec, "externalTrafficPolicy", policies, ARRAY_LEN(policies));
    check_one_of(spec, "internalTrafficPolicy", policies, ARRAY_LEN(policies));
}

void service_validate(const struct kube_change *change,
                      yyjson_mut_val *object,
                      struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};

    check_service_spec(&spec);
}

/* An address that was given out stays, as long as the service has one at all. */
void service_validate_update(const struct kube_change *change,
                             yyjson_mut_val *object,
                             yyjson_mut_val *old_object,
                             struct kube_errors *errors)
{
    struct kube_path spec_path = kube_path_root("spec");
    struct kube_path path = kube_path_child(&spec_path, "clusterIPs");
    struct kube_path first = kube_path_index(&path, 0);
    yyjson_mut_val *spec = kube_json_get(object, "spec");
    yyjson_mut_val *old = kube_json_get(old_object, "spec");
    struct kvs_view ip = kube_json_get_str(spec, "clusterIP");
    struct kvs_view before = kube_json_get_str(old, "clusterIP");
    struct buf text;

    (void)change;
    if (strategy_is(spec, "type", "ExternalName") || strategy_is(old, "type", "ExternalName") ||
        before.len == 0 || ip.len == 0 || view_equal(ip, before)) {
        return;
    }
    buf_init(&text);
    buf_append_str(&text, "[]string{");
    kube_quote(&text, ip);
    buf_append_u8(&text, '}');
    if (text.failed) {
        errors->failed = true;
    } else {
        kube_errors_invalid(errors, &first, kube_bad_text(buf_view(&text)),
                            "may not change once set");
    }
    buf_fini(&text);
}

/* --- endpoints -------------------------------------------------------------------------------- */

static void check_address(const struct check *address, void *ctx)
{
    struct kvs_view ip = kube_json_get_str(address->object, "ip");

    (void)ctx;
    check_text(address, "ip", ip.data == NULL ? view_str("") : ip, kube_name_ip);
    check_name(address, "hostname", kube_name_dns1123_label);
}

static void check_endpoint_port(const struct check *port, void *list)
{
    if (yyjson_mut_arr_size(list) > 1) {
        (void)check_required(port, "name");
    }
    check_name(port, "name", kube_name_dns1123_label);
    check_range(port, "port", 1, UINT16_MAX);
    check_required_one_of(port, "protocol", protocols, ARRAY_LEN(protocols));
}

static void check_subset(const struct check *subset, void *ctx)
{
    if (strategy_is_empty(kube_json_get(subset->object, "addresses")) &&
        strategy_is_empty(kube_json_get(subset->object, "notReadyAddresses"))) {
        kube_errors_required(subset->errors, subset->path,
                             "must specify `addresses` or `notReadyAddresses`");
    }
    check_each(subset, "addresses", check_address, ctx);
    check_each(subset, "notReadyAddresses", check_address, ctx);
    check_each(subset, "ports", check_endpoint_port, kube_json_get(subset->object, "ports"));
}

void endpoints_validate(const struct kube_change *change,
                        yyjson_mut_val *object,
                        struct kube_errors *errors)
{
    struct check root = {.change = change, .errors = errors, .object = object};

    check_each(&root, "subsets", check_subset, NULL);
}

static void check_slice_port(const struct check *port, void *ctx)
{
    struct kube_path path = kube_path_child(port->path, "name");

    (void)ctx;
    check_name(port, "name", kube_name_dns1123_label);
    if (check_seen(port, "name")) {
        kube_errors_duplicate(port->errors, &path,
                              kube_bad_string(kube_json_get_str(port->object, "name")));
    }
    check_one_of(port, "protocol", protocols, ARRAY_LEN(protocols));
}

static void check_slice_endpoint(const struct check *endpoint, void *ctx)
{
    enum { ADDRESSES_MAX = 100 };
    size_t n = yyjson_mut_arr_size(kube_json_get(endpoint->object, "addresses"));
    struct kube_path path = kube_path_child(endpoint->path, "addresses");

    (void)ctx;
    if (n == 0) {
        kube_errors_required(endpoint->errors, &path, "must contain at least 1 address");
    } else if (n > ADDRESSES_MAX) {
        kube_errors_too_many(endpoint->errors, &path, (int)n, ADDRESSES_MAX);
    }
}

void endpointslice_validate(const struct kube_change *change,
                            yyjson_mut_val *object,
                            struct kube_errors *errors)
{
    static const char *const types[] = {"FQDN", "IPv4", "IPv6"};
    struct check root = {.change = change, .errors = errors, .object = object};

    check_required_one_of(&root, "addressType", types, ARRAY_LEN(types));
    check_each(&root, "endpoints", check_slice_endpoint, NULL);
    check_each(&root, "ports", check_slice_port, NULL);
}

/* --- ingresses -------------------------------------------------------------------------------- */

static void check_backend_service(const struct check *backend, const struct check *service)
{
    yyjson_mut_val *port = kube_json_get(service->object, "port");
    bool has_name = kube_json_get_str(port, "name").len > 0;
    bool has_number = yyjson_mut_get_sint(kube_json_get(port, "number")) != 0;
    struct kube_path path;
    struct check at;

    if (check_required(service, "name")) {
        check_name(service, "name", kube_name_dns1035_label);
    }
    check_enter(service, "port", &path, &at);
    if (has_name && has_number) {
        kube_errors_invalid(backend->errors, backend->path, kube_bad_string(view_str("")),
                            "cannot set both port name & port number");
    } else if (has_name) {
        check_name(&at, "name", kube_name_port);
    } else if (has_number) {
        check_range(&at, "number", 1, UINT16_MAX);
    } else {
        kube_errors_required(backend->errors, backend->path, "port name or number is required");
    }
}

static void check_backend(const struct check *owner, const char *name)
{
    struct kube_path path;
    struct kube_path service_path;
    struct check backend;
    struct check service;
    bool has_resource;

    check_enter(owner, name, &path, &backend);
    check_enter(&backend, "service", &service_path, &service);
    has_resource = strategy_is_set(kube_json_get(backend.object, "resource"));
    if (has_resource && strategy_is_set(service.object)) {
        kube_errors_invalid(owner->errors, &path, kube_bad_string(view_str("")),
                            "cannot set both resource and service backends");
    } else if (strategy_is_set(service.object)) {
        check_backend_service(&backend, &service);
    } else if (!has_resource) {
        kube_errors_invalid(owner->errors, &path, kube_bad_string(view_str("")),
                            "resource or service backend is required");
    }
}

static void check_http_path(const struct check *at, void *ctx)
{
    static const char *const types[] = {"Exact", "ImplementationSpecific", "Prefix"};
    struct kvs_view path = kube_json_get_str(at->object, "path");
    bool specific = strategy_is(at->object, "pathType", "ImplementationSpecific");
    bool absolute = path.len > 0 && ((const char *)path.data)[0] == '/';

    (void)ctx;
    if (kube_json_get_str(at->object, "pathType").len == 0) {
        check_need(at, "pathType", "pathType must be specified");
    } else {
        check_one_of(at, "pathType", types, ARRAY_LEN(types));
        if (!absolute && !(specific && path.len == 0)) {
            check_say(at, "path", kube_bad_string(path.data == NULL ? view_str("") : path),
                      "must be an absolute path");
        }
    }
    check_backend(at, "backend");
}

static void check_ingress_rule(const struct check *rule, void *ctx)
{
    struct kvs_view host = kube_json_get_str(rule->object, "host");
    struct kube_name_messages messages;
    struct kube_path path;
    struct check http;

    if (host.len > 0 && kube_name_ip(host, &messages)) {
        check_say(rule, "host", kube_bad_string(host), "must be a DNS name, not an IP address");
    } else if (host.len > 0) {
        check_name(rule, "host",
                   memchr(host.data, '*', host.len) != NULL ? kube_name_wildcard_subdomain
                                                            : kube_name_dns1123_subdomain);
    }
    check_enter(rule, "http", &path, &http);
    if (yyjson_mut_is_obj(http.object)) {
        if (strategy_is_empty(kube_json_get(http.object, "paths"))) {
            check_need(&http, "paths", "");
        }
        check_each(&http, "paths", check_http_path, ctx);
    }
}

void ingress_validate(const struct kube_change *change,
                      yyjson_mut_val *object,
                      struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};
    bool has_backend = strategy_is_set(kube_json_get(spec.object, "defaultBackend"));

    if (strategy_is_empty(kube_json_get(spec.object, "rules")) && !has_backend) {
        kube_errors_invalid(errors, &path, kube_bad_text(view_str("[]networking.IngressRule(nil)")),
                            "either `defaultBackend` or `rules` must be specified");
    }
    if (has_backend) {
        check_backend(&spec, "defaultBackend");
    }
    check_each(&spec, "rules", check_ingress_rule, NULL);
    check_name(&spec, "ingressClassName", kube_name_dns1123_subdomain);
}

void ingress_class_validate(const struct kube_change *change,
                            yyjson_mut_val *object,
                            struct kube_errors *errors)
{
    enum { CONTROLLER_MAX_BYTES = 250 };
    struct kube_path path = kube_path_root("spec");
    struct kube_path controller = kube_path_child(&path, "controller");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};

    if (kube_json_get_str(spec.object, "controller").len > CONTROLLER_MAX_BYTES) {
        kube_errors_too_long(errors, &controller, CONTROLLER_MAX_BYTES);
    }
}

/* --- network policies ------------------------------------------------------------------------- */

static void check_policy_port(const struct check *port, void *ctx)
{
    (void)ctx;
    check_one_of(port, "protocol", protocols, ARRAY_LEN(protocols));
    if (strategy_is_set(kube_json_get(port->object, "port"))) {
        check_port(port, "port");
    }
}

static void check_policy_rule(const struct check *rule, void *ctx)
{
    check_each(rule, "ports", check_policy_port, ctx);
}

void network_policy_validate(const struct kube_change *change,
                             yyjson_mut_val *object,
                             struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("spec");
    struct kube_path selector = kube_path_child(&path, "podSelector");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};

    kube_label_selector_validate(kube_json_get(spec.object, "podSelector"), false, &selector,
                                 errors);
    check_each(&spec, "ingress", check_policy_rule, NULL);
    check_each(&spec, "egress", check_policy_rule, NULL);
}
