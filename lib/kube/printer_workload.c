/* What makes pods and keeps them. */
#include "kube/printer_int.h"

#define TEMPLATE_CONTAINERS "spec.template.spec.containers"

/* ---- pod templates ---- */

static const struct kube_column pod_template_columns[] = {
    PRINTER_NAME,
    PRINTER_CONTAINERS(0),
    PRINTER_IMAGES(0),
    {"Pod Labels", "string", "", 0, PRINTER_SAYS("The labels for the pod template.")},
};

static void pod_template_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_containers(row, "template.spec.containers");
    printer_cell_labels(row, "template.metadata.labels");
}

/* ---- replication controllers and replica sets ---- */

static const struct kube_column replication_controller_columns[] = {
    PRINTER_NAME,
    {"Desired", "integer", "", 0, PRINTER_DOC("core.v1.ReplicationControllerSpec", "replicas")},
    {"Current", "integer", "", 0, PRINTER_DOC("core.v1.ReplicationControllerStatus", "replicas")},
    {"Ready", "integer", "", 0,
     PRINTER_DOC("core.v1.ReplicationControllerStatus", "readyReplicas")},
    PRINTER_AGE,
    PRINTER_CONTAINERS(1),
    PRINTER_IMAGES(1),
    {"Selector", "string", "", 1, PRINTER_DOC("core.v1.ReplicationControllerSpec", "selector")},
};

static const struct kube_column replica_set_columns[] = {
    PRINTER_NAME,
    {"Desired", "integer", "", 0, PRINTER_DOC("apps.v1.ReplicaSetSpec", "replicas")},
    {"Current", "integer", "", 0, PRINTER_DOC("apps.v1.ReplicaSetStatus", "replicas")},
    {"Ready", "integer", "", 0, PRINTER_DOC("apps.v1.ReplicaSetStatus", "readyReplicas")},
    PRINTER_AGE,
    PRINTER_CONTAINERS(1),
    PRINTER_IMAGES(1),
    {"Selector", "string", "", 1, PRINTER_DOC("apps.v1.ReplicaSetSpec", "selector")},
};

static void replica_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_int(row, "spec.replicas");
    printer_cell_int(row, "status.replicas");
    printer_cell_int(row, "status.readyReplicas");
    kube_cell_age(row);
    printer_cell_containers(row, TEMPLATE_CONTAINERS);
}

static void replication_controller_cells(struct kube_row *row)
{
    replica_cells(row);
    printer_cell_labels(row, "spec.selector");
}

static void replica_set_cells(struct kube_row *row)
{
    replica_cells(row);
    printer_cell_selector(row, "spec.selector", "<none>", "<error>");
}

/* ---- deployments ---- */

static const struct kube_column deployment_columns[] = {
    PRINTER_NAME,
    {"Ready", "string", "", 0, PRINTER_SAYS("Number of the pod with ready state")},
    {"Up-to-date", "string", "", 0, PRINTER_DOC("apps.v1.DeploymentStatus", "updatedReplicas")},
    {"Available", "string", "", 0, PRINTER_DOC("apps.v1.DeploymentStatus", "availableReplicas")},
    PRINTER_AGE,
    PRINTER_CONTAINERS(1),
    PRINTER_IMAGES(1),
    {"Selector", "string", "", 1, PRINTER_DOC("apps.v1.DeploymentSpec", "selector")},
};

static void cell_ready(struct kube_row *row)
{
    printer_cell_ratio(row, printer_int(row->object, "status.readyReplicas"),
                       printer_int(row->object, "spec.replicas"));
}

static void deployment_cells(struct kube_row *row)
{
    kube_cell_name(row);
    cell_ready(row);
    printer_cell_int(row, "status.updatedReplicas");
    printer_cell_int(row, "status.availableReplicas");
    kube_cell_age(row);
    printer_cell_containers(row, TEMPLATE_CONTAINERS);
    printer_cell_selector(row, "spec.selector", "", "<invalid>");
}

/* ---- daemon sets ---- */

static const struct kube_column daemon_set_columns[] = {
    PRINTER_NAME,
    {"Desired", "integer", "", 0, PRINTER_DOC("apps.v1.DaemonSetStatus", "desiredNumberScheduled")},
    {"Current", "integer", "", 0, PRINTER_DOC("apps.v1.DaemonSetStatus", "currentNumberScheduled")},
    {"Ready", "integer", "", 0, PRINTER_DOC("apps.v1.DaemonSetStatus", "numberReady")},
    {"Up-to-date", "integer", "", 0,
     PRINTER_DOC("apps.v1.DaemonSetStatus", "updatedNumberScheduled")},
    {"Available", "integer", "", 0, PRINTER_DOC("apps.v1.DaemonSetStatus", "numberAvailable")},
    {"Node Selector", "string", "", 0, PRINTER_DOC("core.v1.PodSpec", "nodeSelector")},
    PRINTER_AGE,
    PRINTER_CONTAINERS(1),
    PRINTER_IMAGES(1),
    {"Selector", "string", "", 1, PRINTER_DOC("apps.v1.DaemonSetSpec", "selector")},
};

static void daemon_set_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_int(row, "status.desiredNumberScheduled");
    printer_cell_int(row, "status.currentNumberScheduled");
    printer_cell_int(row, "status.numberReady");
    printer_cell_int(row, "status.updatedNumberScheduled");
    printer_cell_int(row, "status.numberAvailable");
    printer_cell_labels(row, "spec.template.spec.nodeSelector");
    kube_cell_age(row);
    printer_cell_containers(row, TEMPLATE_CONTAINERS);
    printer_cell_selector(row, "spec.selector", "<none>", "<error>");
}

/* ---- stateful sets ---- */

static const struct kube_column stateful_set_columns[] = {
    PRINTER_NAME,
    {"Ready", "string", "", 0, PRINTER_SAYS("Number of the pod with ready state")},
    PRINTER_AGE,
    PRINTER_CONTAINERS(1),
    PRINTER_IMAGES(1),
};

static void stateful_set_cells(struct kube_row *row)
{
    kube_cell_name(row);
    cell_ready(row);
    kube_cell_age(row);
    printer_cell_containers(row, TEMPLATE_CONTAINERS);
}

/* ---- controller revisions ---- */

static const struct kube_column controller_revision_columns[] = {
    PRINTER_NAME,
    {"Controller", "string", "", 0, PRINTER_SAYS("Controller of the object")},
    {"Revision", "string", "", 0, PRINTER_DOC("apps.v1.ControllerRevision", "revision")},
    PRINTER_AGE,
};

static yyjson_mut_val *owner_that_controls(yyjson_mut_val *object)
{
    yyjson_mut_val *owner;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(printer_at(object, "metadata.ownerReferences"), i, n, owner)
    {
        if (printer_true(owner, "controller")) {
            return owner;
        }
    }
    return NULL;
}

/* "daemonset.apps/fluentd": the group is what stands before the version. */
static void cell_controller(struct kube_row *row)
{
    yyjson_mut_val *owner = owner_that_controls(row->object);
    struct kvs_view api = kube_json_get_str(owner, "apiVersion");
    struct kvs_view kind = kube_json_get_str(owner, "kind");
    const char *slash = api.len == 0 ? NULL : memchr(api.data, '/', api.len);
    size_t group_len = slash == NULL ? 0 : (size_t)(slash - (const char *)api.data);
    struct buf text;

    buf_init(&text);
    if (owner == NULL) {
        buf_append_str(&text, "<none>");
    } else {
        printer_append_lower(&text, kind);
        buf_append_str(&text, group_len > 0 ? "." : "");
        printer_append_lower(&text, view_make(api.data, group_len));
        buf_append_str(&text, kind.len + group_len > 0 ? "/" : "");
        buf_append_view(&text, kube_json_get_str(owner, "name"));
    }
    kube_cell_buf(row, &text);
}

static void controller_revision_cells(struct kube_row *row)
{
    kube_cell_name(row);
    cell_controller(row);
    printer_cell_int(row, "revision");
    kube_cell_age(row);
}

const struct kube_printer printers_workload[] = {
    PRINTER_OF("podtemplates", pod_template_columns, pod_template_cells),
    PRINTER_OF("controllers", replication_controller_columns, replication_controller_cells),
    PRINTER_OF("replicasets", replica_set_columns, replica_set_cells),
    PRINTER_OF("deployments", deployment_columns, deployment_cells),
    PRINTER_OF("daemonsets", daemon_set_columns, daemon_set_cells),
    PRINTER_OF("statefulsets", stateful_set_columns, stateful_set_cells),
    PRINTER_OF("controllerrevisions", controller_revision_columns, controller_revision_cells),
    {0},
};
