/* What storage drivers and volumes' attachments say of themselves. */
#include "kube/printer_int.h"

/* ---- drivers ---- */

#define DRIVER "storage.v1.CSIDriverSpec"

static const struct kube_column driver_columns[] = {
    PRINTER_NAME,
    {"AttachRequired", "boolean", "", 0, PRINTER_DOC(DRIVER, "attachRequired")},
    {"PodInfoOnMount", "boolean", "", 0, PRINTER_DOC(DRIVER, "podInfoOnMount")},
    {"StorageCapacity", "boolean", "", 0, PRINTER_DOC(DRIVER, "storageCapacity")},
    {"TokenRequests", "string", "", 0, PRINTER_DOC(DRIVER, "tokenRequests")},
    {"RequiresRepublish", "boolean", "", 0, PRINTER_DOC(DRIVER, "requiresRepublish")},
    {"Modes", "string", "", 0, PRINTER_DOC(DRIVER, "volumeLifecycleModes")},
    PRINTER_AGE,
};

static void driver_cell_tokens(struct kube_row *row)
{
    yyjson_mut_val *requests = printer_at(row->object, "spec.tokenRequests");
    struct printer_words audiences = {0};
    yyjson_mut_val *request;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(requests, i, n, request)
    {
        printer_words_add(&audiences, kube_json_get_str(request, "audience"), NULL);
    }
    printer_cell_words(row, &audiences, ",", yyjson_mut_is_arr(requests) ? "" : "<unset>");
}

static void driver_cells(struct kube_row *row)
{
    struct printer_words modes = {0};

    kube_cell_name(row);
    kube_cell_bool(row, !yyjson_mut_is_false(printer_at(row->object, "spec.attachRequired")));
    kube_cell_bool(row, printer_true(row->object, "spec.podInfoOnMount"));
    kube_cell_bool(row, printer_true(row->object, "spec.storageCapacity"));
    driver_cell_tokens(row);
    kube_cell_bool(row, printer_true(row->object, "spec.requiresRepublish"));
    printer_words_add_list(&modes, printer_at(row->object, "spec.volumeLifecycleModes"));
    printer_cell_words(row, &modes, ",", "<none>");
    kube_cell_age(row);
}

/* ---- drivers of a node ---- */

static const struct kube_column node_columns[] = {
    PRINTER_NAME,
    {"Drivers", "integer", "", 0,
     PRINTER_SAYS("Drivers indicates the number of CSI drivers registered on the node")},
    PRINTER_AGE,
};

static void node_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_count(row, "spec.drivers");
    kube_cell_age(row);
}

/* ---- capacities ---- */

#define CAPACITY "storage.v1.CSIStorageCapacity"

static const struct kube_column capacity_columns[] = {
    PRINTER_NAME,
    {"StorageClassName", "string", "", 0, PRINTER_DOC(CAPACITY, "storageClassName")},
    {"Capacity", "string", "", 0, PRINTER_DOC(CAPACITY, "capacity")},
};

static void capacity_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_str(row, "storageClassName");
    printer_cell_str_or(row, "capacity", "<unset>");
}

/* ---- attachments ---- */

static const struct kube_column attachment_columns[] = {
    PRINTER_NAME,
    {"Attacher", "string", "name", 0, PRINTER_DOC("storage.v1.VolumeAttachmentSpec", "attacher")},
    {"PV", "string", "", 0,
     PRINTER_DOC("storage.v1.VolumeAttachmentSource", "persistentVolumeName")},
    {"Node", "string", "", 0, PRINTER_DOC("storage.v1.VolumeAttachmentSpec", "nodeName")},
    {"Attached", "boolean", "", 0, PRINTER_DOC("storage.v1.VolumeAttachmentStatus", "attached")},
    PRINTER_AGE,
};

static void attachment_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_str(row, "spec.attacher");
    printer_cell_str(row, "spec.source.persistentVolumeName");
    printer_cell_str(row, "spec.nodeName");
    kube_cell_bool(row, printer_true(row->object, "status.attached"));
    kube_cell_age(row);
}

const struct kube_printer printers_csi[] = {
    PRINTER_OF("csidrivers", driver_columns, driver_cells),
    PRINTER_OF("csinodes", node_columns, node_cells),
    PRINTER_OF("csistoragecapacities", capacity_columns, capacity_cells),
    PRINTER_OF("volumeattachments", attachment_columns, attachment_cells),
    {0},
};
