/* How pods are reached: services, ingresses, network policies. */
#include <inttypes.h>

#include "kube/printer_int.h"

/* ---- services ---- */

static const struct kube_column service_columns[] = {
    PRINTER_NAME,
    {"Type", "string", "", 0, PRINTER_DOC("core.v1.ServiceSpec", "type")},
    {"Cluster-IP", "string", "", 0, PRINTER_DOC("core.v1.ServiceSpec", "clusterIP")},
    {"External-IP", "string", "", 0, PRINTER_DOC("core.v1.ServiceSpec", "externalIPs")},
    {"Port(s)", "string", "", 0, PRINTER_DOC("core.v1.ServiceSpec", "ports")},
    PRINTER_AGE,
    {"Selector", "string", "", 1, PRINTER_DOC("core.v1.ServiceSpec", "selector")},
};

/* Addresses, or else names, of a load balancer: sorted, each once. Never shortened, as the wide
 * form is what a server gives. */
static void balancer_words(struct printer_words *to, yyjson_mut_val *object)
{
    yyjson_mut_val *ingress;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(printer_at(object, "status.loadBalancer.ingress"), i, n, ingress)
    {
        struct kvs_view ip = kube_json_get_str(ingress, "ip");
        struct kvs_view name = ip.len > 0 ? ip : kube_json_get_str(ingress, "hostname");

        if (name.len > 0) {
            printer_words_add(to, name, NULL);
        }
    }
    printer_words_sort_unique(to);
}

static void service_cell_external(struct kube_row *row)
{
    struct kvs_view type = printer_str(row->object, "spec.type");
    bool is_balancer = view_equal_str(type, "LoadBalancer");
    struct printer_words words = {0};

    if (view_equal_str(type, "ExternalName")) {
        printer_cell_str(row, "spec.externalName");
        return;
    }
    if (!is_balancer && !view_equal_str(type, "ClusterIP") && !view_equal_str(type, "NodePort")) {
        kube_cell_text(row, VIEW_LITERAL("<unknown>"));
        return;
    }
    if (is_balancer) {
        balancer_words(&words, row->object);
    }
    printer_words_add_list(&words, printer_at(row->object, "spec.externalIPs"));
    printer_cell_words(row, &words, ",", is_balancer ? "<pending>" : "<none>");
}

static void service_cell_ports(struct kube_row *row)
{
    yyjson_mut_val *port;
    size_t i;
    size_t n;
    struct buf text;

    buf_init(&text);
    yyjson_mut_arr_foreach(printer_at(row->object, "spec.ports"), i, n, port)
    {
        int64_t node_port = printer_int(port, "nodePort");

        buf_printf(&text, "%s%" PRId64, i == 0 ? "" : ",", printer_int(port, "port"));
        if (node_port > 0) {
            buf_printf(&text, ":%" PRId64, node_port);
        }
        buf_append_str(&text, "/");
        buf_append_view(&text, kube_json_get_str(port, "protocol"));
    }
    buf_append_str(&text, text.len == 0 ? "<none>" : "");
    kube_cell_buf(row, &text);
}

/* Services written before there were two families have only the one address. */
static void service_cell_ip(struct kube_row *row)
{
    yyjson_mut_val *ips = printer_at(row->object, "spec.clusterIPs");

    if (yyjson_mut_arr_size(ips) > 0) {
        kube_cell_text(row, kube_json_str(yyjson_mut_arr_get_first(ips)));
    } else {
        printer_cell_str_or(row, "spec.clusterIP", "<none>");
    }
}

static void service_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_str(row, "spec.type");
    service_cell_ip(row);
    service_cell_external(row);
    service_cell_ports(row);
    kube_cell_age(row);
    printer_cell_labels(row, "spec.selector");
}

/* ---- ingresses ---- */

static const struct kube_column ingress_columns[] = {
    PRINTER_NAME,
    {"Class", "string", "", 0,
     PRINTER_SAYS("The name of the IngressClass resource that should be used for additional "
                  "configuration")},
    {"Hosts", "string", "", 0,
     PRINTER_SAYS("Hosts that incoming requests are matched against before the ingress rule")},
    {"Address", "string", "", 0,
     PRINTER_SAYS("Address is a list containing ingress points for the load-balancer")},
    {"Ports", "string", "", 0, PRINTER_SAYS("Ports of TLS configurations that open")},
    PRINTER_AGE,
};

enum { HOSTS_MAX = 3 };

/* Three hosts; the number of the rest counts all rules, also those without a host. */
static void ingress_cell_hosts(struct kube_row *row)
{
    yyjson_mut_val *rules = printer_at(row->object, "spec.rules");
    yyjson_mut_val *rule;
    size_t n_hosts = 0;
    size_t i;
    size_t n;
    bool has_more = false;
    struct buf text;

    buf_init(&text);
    yyjson_mut_arr_foreach(rules, i, n, rule)
    {
        struct kvs_view host = kube_json_get_str(rule, "host");

        has_more = has_more || n_hosts == HOSTS_MAX;
        if (!has_more && host.len > 0) {
            buf_append_str(&text, n_hosts++ == 0 ? "" : ",");
            buf_append_view(&text, host);
        }
    }
    buf_append_str(&text, n_hosts == 0 ? "*" : "");
    if (has_more) {
        buf_printf(&text, " + %zu more...", yyjson_mut_arr_size(rules) - HOSTS_MAX);
    }
    kube_cell_buf(row, &text);
}

static void ingress_cells(struct kube_row *row)
{
    yyjson_mut_val *class = printer_at(row->object, "spec.ingressClassName");
    struct printer_words addresses = {0};
    bool has_tls = yyjson_mut_arr_size(printer_at(row->object, "spec.tls")) > 0;

    kube_cell_name(row);
    kube_cell_text(row, yyjson_mut_is_str(class) ? kube_json_str(class) : VIEW_LITERAL("<none>"));
    ingress_cell_hosts(row);
    balancer_words(&addresses, row->object);
    printer_cell_words(row, &addresses, ",", "");
    kube_cell_text(row, view_str(has_tls ? "80, 443" : "80"));
    kube_cell_age(row);
}

/* ---- ingress classes ---- */

static const struct kube_column ingress_class_columns[] = {
    PRINTER_NAME,
    {"Controller", "string", "", 0,
     PRINTER_SAYS("Controller that is responsible for handling this class")},
    {"Parameters", "string", "", 0,
     PRINTER_SAYS("A reference to a resource with additional parameters")},
    PRINTER_AGE,
};

static void ingress_class_cells(struct kube_row *row)
{
    yyjson_mut_val *parameters = printer_at(row->object, "spec.parameters");
    yyjson_mut_val *group = kube_json_get(parameters, "apiGroup");
    struct buf text;

    buf_init(&text);
    if (!yyjson_mut_is_obj(parameters)) {
        buf_append_str(&text, "<none>");
    } else {
        buf_append_view(&text, kube_json_get_str(parameters, "kind"));
        buf_append_str(&text, yyjson_mut_is_str(group) ? "." : "");
        buf_append_view(&text, kube_json_str(group));
        buf_append_str(&text, "/");
        buf_append_view(&text, kube_json_get_str(parameters, "name"));
    }
    kube_cell_name(row);
    printer_cell_str(row, "spec.controller");
    kube_cell_buf(row, &text);
    kube_cell_age(row);
}

/* ---- network policies ---- */

static const struct kube_column network_policy_columns[] = {
    PRINTER_NAME,
    {"Pod-Selector", "string", "", 0,
     PRINTER_DOC("networking.v1.NetworkPolicySpec", "podSelector")},
    PRINTER_AGE,
};

static void network_policy_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_selector(row, "spec.podSelector", "<none>", "<error>");
    kube_cell_age(row);
}

const struct kube_printer printers_network[] = {
    PRINTER_OF("services/specs", service_columns, service_cells),
    PRINTER_OF("ingress", ingress_columns, ingress_cells),
    PRINTER_OF("ingressclasses", ingress_class_columns, ingress_class_cells),
    PRINTER_OF("networkpolicies", network_policy_columns, network_policy_cells),
    {0},
};
