/* Which printer a resource has, and the default one. */
#include "kube/printer.h"

#include <string.h>

#include "kube/printer_int.h"
#include "kube/schema.h"
#include "kube/timestamp.h"

/* ---- any kind ---- */

static const struct kube_column any_columns[] = {
    PRINTER_NAME,
    {"Created At", "date", "", 0, PRINTER_META("ObjectMeta"), "creationTimestamp"},
};

static void any_cells(struct kube_row *row)
{
    struct kvs_view text = printer_str(row->object, "metadata.creationTimestamp");
    struct kube_time at;
    char created[KUBE_TIME_TEXT_MAX];
    size_t len;

    kube_cell_name(row);
    if (text.len == 0 || kube_time_parse(text, &at, NULL) != 0) {
        kube_cell_text(row, VIEW_LITERAL("0001-01-01T00:00:00Z")); /* Go's zero time */
        return;
    }
    len = kube_time_print(at, created);
    kube_cell_text(row, view_make(created, len));
}

static const struct kube_printer any_printer = PRINTER_OF(NULL, any_columns, any_cells);

/* ---- scale ---- */

static const struct kube_column scale_columns[] = {
    {"Name", "string", "", 0, PRINTER_META("ObjectMeta"), "name"},
    {"Desired", "integer", "", 0, PRINTER_DOC("autoscaling.v1.ScaleSpec", "replicas")},
    {"Available", "integer", "", 0, PRINTER_DOC("autoscaling.v1.ScaleStatus", "replicas")},
    PRINTER_AGE,
};

static void scale_cells(struct kube_row *row)
{
    kube_cell_name(row);
    printer_cell_int(row, "spec.replicas");
    printer_cell_int(row, "status.replicas");
    kube_cell_age(row);
}

static const struct kube_printer scale_printer = PRINTER_OF(NULL, scale_columns, scale_cells);

const struct kube_printer *kube_printer_scale(void)
{
    return &scale_printer;
}

/* ---- all ---- */

static const struct kube_printer *const printers[] = {
    printers_pod,     printers_workload,  printers_batch,       printers_core,
    printers_node,    printers_event,     printers_network,     printers_endpoints,
    printers_storage, printers_csi,       printers_policy,      printers_flow,
    printers_access,  printers_admission, printers_autoscaling,
};

const struct kube_printer *kube_printer_find(const struct kube_resource *r)
{
    const char *name = r->storage != NULL ? r->storage : r->plural;

    for (size_t i = 0; i < sizeof printers / sizeof printers[0]; i++) {
        for (const struct kube_printer *p = printers[i]; p->storage != NULL; p++) {
            if (strcmp(p->storage, name) == 0) {
                return p;
            }
        }
    }
    return &any_printer;
}

void kube_printer_write(const struct kube_printer *p,
                        yyjson_mut_val *object,
                        uint64_t now_ns,
                        struct buf *to)
{
    struct kube_row row = {object, now_ns, to, 0};

    p->cells(&row);
}

const char *kube_column_description(const struct kube_column *c)
{
    const struct kube_message *m;
    const struct kube_field *f;

    if (c->field == NULL) {
        return c->description;
    }
    m = kube_message_find(view_str(c->description));
    f = m == NULL ? NULL : kube_field_named(m, view_str(c->field));
    return f == NULL ? "" : kube_field_doc(f);
}
