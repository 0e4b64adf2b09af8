/* Disruption budgets and priority classes. */
#include "kube/intstr.h"
#include "kube/printer_int.h"

/* ---- disruption budgets ---- */

static const struct kube_column budget_columns[] = {
    PRINTER_NAME,
    {"Min Available", "string", "", 0,
     PRINTER_SAYS("The minimum number of pods that must be available.")},
    {"Max Unavailable", "string", "", 0,
     PRINTER_SAYS("The maximum number of pods that may be unavailable.")},
    {"Allowed Disruptions", "integer", "", 0,
     PRINTER_SAYS("Calculated number of pods that may be disrupted at this time.")},
    PRINTER_AGE,
};

static void budget_cell(struct kube_row *row, const char *path)
{
    struct kube_intstr value;
    struct buf text;

    buf_init(&text);
    if (kube_intstr_read(printer_at(row->object, path), &value) != 0) {
        buf_append_str(&text, "N/A");
    } else if (value.is_text) {
        buf_append_view(&text, value.text);
    } else {
        printer_append_int(&text, value.number);
    }
    kube_cell_buf(row, &text);
}

static void budget_cells(struct kube_row *row)
{
    kube_cell_name(row);
    budget_cell(row, "spec.minAvailable");
    budget_cell(row, "spec.maxUnavailable");
    printer_cell_int(row, "status.disruptionsAllowed");
    kube_cell_age(row);
}

/* ---- priority classes ---- */

static const struct kube_column priority_columns[] = {
    PRINTER_NAME,
    {"Value", "integer", "", 0, PRINTER_DOC("scheduling.v1.PriorityClass", "value")},
    {"Global-Default", "boolean", "", 0,
     PRINTER_DOC("scheduling.v1.PriorityClass", "globalDefault")},
    PRINTER_AGE,
    {"PreemptionPolicy", "string", "", 0,
     PRINTER_DOC("scheduling.v1.PriorityClass", "preemptionPolicy")},
};

static void priority_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_int(row, "value");
    kube_cell_bool(row, printer_true(row->object, "globalDefault"));
    kube_cell_age(row);
    printer_cell_str(row, "preemptionPolicy");
}

const struct kube_printer printers_policy[] = {
    PRINTER_OF("poddisruptionbudgets", budget_columns, budget_cells),
    PRINTER_OF("priorityclasses", priority_columns, priority_cells),
    {0},
};
