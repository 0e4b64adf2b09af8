/* Nodes, and the leases by which they tell that they live. */
#include <string.h>

#include "kube/printer_int.h"

#define ROLE_PREFIX "node-role.kubernetes.io/"
#define ROLE_LABEL  "kubernetes.io/role"

static const struct kube_column node_columns[] = {
    PRINTER_NAME,
    {"Status", "string", "", 0, PRINTER_SAYS("The status of the node")},
    {"Roles", "string", "", 0, PRINTER_SAYS("The roles of the node")},
    PRINTER_AGE,
    {"Version", "string", "", 0, PRINTER_DOC("core.v1.NodeSystemInfo", "kubeletVersion")},
    {"Internal-IP", "string", "", 1, PRINTER_DOC("core.v1.NodeStatus", "addresses")},
    {"External-IP", "string", "", 1, PRINTER_DOC("core.v1.NodeStatus", "addresses")},
    {"OS-Image", "string", "", 1, PRINTER_DOC("core.v1.NodeSystemInfo", "osImage")},
    {"Kernel-Version", "string", "", 1, PRINTER_DOC("core.v1.NodeSystemInfo", "kernelVersion")},
    {"Container-Runtime", "string", "", 1,
     PRINTER_DOC("core.v1.NodeSystemInfo", "containerRuntimeVersion")},
};

/* Of several conditions of a type the last counts here. */
static yyjson_mut_val *node_ready_condition(yyjson_mut_val *node)
{
    yyjson_mut_val *last = NULL;
    yyjson_mut_val *condition;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(printer_at(node, "status.conditions"), i, n, condition)
    {
        if (view_equal_str(kube_json_get_str(condition, "type"), "Ready")) {
            last = condition;
        }
    }
    return last;
}

static void node_cell_status(struct kube_row *row)
{
    yyjson_mut_val *ready = node_ready_condition(row->object);
    struct buf text;

    buf_init(&text);
    if (ready == NULL) {
        buf_append_str(&text, "Unknown");
    } else {
        bool is_true = view_equal_str(kube_json_get_str(ready, "status"), "True");

        buf_append_str(&text, is_true ? "Ready" : "NotReady");
    }
    if (printer_true(row->object, "spec.unschedulable")) {
        buf_append_str(&text, ",SchedulingDisabled");
    }
    kube_cell_buf(row, &text);
}

static struct kvs_view node_role(struct kvs_view label, yyjson_mut_val *value)
{
    const size_t prefix_len = sizeof ROLE_PREFIX - 1;

    if (label.len > prefix_len && memcmp(label.data, ROLE_PREFIX, prefix_len) == 0) {
        return view_make((const char *)label.data + prefix_len, label.len - prefix_len);
    }
    return view_equal_str(label, ROLE_LABEL) ? kube_json_str(value) : view_make(NULL, 0);
}

static void node_cell_roles(struct kube_row *row)
{
    struct printer_words roles = {0};
    yyjson_mut_val *key;
    yyjson_mut_val *value;
    size_t i;
    size_t n;

    yyjson_mut_obj_foreach(printer_at(row->object, "metadata.labels"), i, n, key, value)
    {
        struct kvs_view role = node_role(kube_json_str(key), value);

        if (role.len > 0) {
            printer_words_add(&roles, role, NULL);
        }
    }
    printer_words_sort_unique(&roles);
    printer_cell_words(row, &roles, ",", "<none>");
}

static void node_cell_address(struct kube_row *row, const char *type)
{
    yyjson_mut_val *address =
        printer_with(printer_at(row->object, "status.addresses"), "type", type);

    if (address == NULL) {
        kube_cell_text(row, VIEW_LITERAL("<none>"));
    } else {
        kube_cell_text(row, kube_json_get_str(address, "address"));
    }
}

static void node_cells(struct kube_row *row)
{
    kube_cell_name(row);
    node_cell_status(row);
    node_cell_roles(row);
    kube_cell_age(row);
    printer_cell_str(row, "status.nodeInfo.kubeletVersion");
    node_cell_address(row, "InternalIP");
    node_cell_address(row, "ExternalIP");
    printer_cell_str_or(row, "status.nodeInfo.osImage", "<unknown>");
    printer_cell_str_or(row, "status.nodeInfo.kernelVersion", "<unknown>");
    printer_cell_str_or(row, "status.nodeInfo.containerRuntimeVersion", "<unknown>");
}

/* ---- leases ---- */

static const struct kube_column lease_columns[] = {
    PRINTER_NAME,
    {"Holder", "string", "", 0, PRINTER_DOC("coordination.v1.LeaseSpec", "holderIdentity")},
    PRINTER_AGE,
};

static void lease_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_str(row, "spec.holderIdentity");
    kube_cell_age(row);
}

/* ---- runtime classes ---- */

static const struct kube_column runtime_class_columns[] = {
    PRINTER_NAME,
    {"Handler", "string", "", 0, PRINTER_SAYS("")},
    PRINTER_AGE,
};

static void runtime_class_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_str(row, "handler");
    kube_cell_age(row);
}

const struct kube_printer printers_node[] = {
    PRINTER_OF("minions", node_columns, node_cells),
    PRINTER_OF("leases", lease_columns, lease_cells),
    PRINTER_OF("runtimeclasses", runtime_class_columns, runtime_class_cells),
    {0},
};
