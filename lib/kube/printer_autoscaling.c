/* Horizontal pod autoscalers: for each metric what is, and what shall be. */
#include <inttypes.h>

#include "kube/printer_int.h"

#define AUTOSCALER_SPEC "autoscaling.v2.HorizontalPodAutoscalerSpec"

static const struct kube_column autoscaler_columns[] = {
    PRINTER_NAME,
    {"Reference", "string", "", 0, PRINTER_DOC(AUTOSCALER_SPEC, "scaleTargetRef")},
    {"Targets", "string", "", 0, PRINTER_DOC(AUTOSCALER_SPEC, "metrics")},
    {"MinPods", "string", "", 0, PRINTER_DOC(AUTOSCALER_SPEC, "minReplicas")},
    {"MaxPods", "string", "", 0, PRINTER_DOC(AUTOSCALER_SPEC, "maxReplicas")},
    {"Replicas", "string", "", 0,
     PRINTER_DOC("autoscaling.v2.HorizontalPodAutoscalerStatus", "currentReplicas")},
    PRINTER_AGE,
};

enum { METRICS_MAX = 2 };

/* An amount, or `absent`. */
static void metric_append(struct buf *to, yyjson_mut_val *of, const char *path, const char *absent)
{
    struct kvs_view amount = printer_str(of, path);

    buf_append_view(to, amount.len > 0 ? amount : view_str(absent));
}

/* A percentage, or `absent`. */
static void
metric_append_percent(struct buf *to, yyjson_mut_val *of, const char *path, const char *absent)
{
    int64_t percent;

    if (printer_number(of, path, &percent)) {
        buf_printf(to, "%" PRId64 "%%", percent);
    } else {
        buf_append_str(to, absent);
    }
}

/* Of an external metric or an object: its average if one is aimed at, else its value. Go says
 * "<nil>" for an amount that ought to be there. */
static void metric_append_value(struct buf *to, yyjson_mut_val *spec, yyjson_mut_val *status)
{
    bool is_average = printer_str(spec, "target.averageValue").len > 0;

    if (is_average) {
        metric_append(to, status, "current.averageValue", "<unknown>");
        buf_append_str(to, "/");
        metric_append(to, spec, "target.averageValue", "");
        buf_append_str(to, " (avg)");
        return;
    }
    metric_append(to, status, "current.value", status == NULL ? "<unknown>" : "<nil>");
    buf_append_str(to, "/");
    metric_append(to, spec, "target.value", "<nil>");
}

static void metric_append_pods(struct buf *to, yyjson_mut_val *spec, yyjson_mut_val *status)
{
    metric_append(to, status, "current.averageValue", status == NULL ? "<unknown>" : "<nil>");
    buf_append_str(to, "/");
    metric_append(to, spec, "target.averageValue", "<nil>");
}

/* Of the pods' resource, or that of one of their containers. */
static void metric_append_resource(struct buf *to, yyjson_mut_val *spec, yyjson_mut_val *status)
{
    buf_append_view(to, kube_json_get_str(spec, "name"));
    buf_append_str(to, ": ");
    if (printer_str(spec, "target.averageValue").len > 0) {
        metric_append_pods(to, spec, status);
        return;
    }
    metric_append_percent(to, status, "current.averageUtilization", "<unknown>");
    buf_append_str(to, "/");
    metric_append_percent(to, spec, "target.averageUtilization", "<auto>");
}

static const struct {
    const char *type;
    const char *field;
    void (*append)(struct buf *to, yyjson_mut_val *spec, yyjson_mut_val *status);
} metric_types[] = {
    {"External", "external", metric_append_value},
    {"Pods", "pods", metric_append_pods},
    {"Object", "object", metric_append_value},
    {"Resource", "resource", metric_append_resource},
    {"ContainerResource", "containerResource", metric_append_resource},
};

/* The status has the same type of metric under the same field. */
static void metric_append_any(struct buf *to, yyjson_mut_val *spec, yyjson_mut_val *status)
{
    struct kvs_view type = kube_json_get_str(spec, "type");

    for (size_t i = 0; i < sizeof metric_types / sizeof metric_types[0]; i++) {
        if (view_equal_str(type, metric_types[i].type)) {
            yyjson_mut_val *current = kube_json_get(status, metric_types[i].field);

            metric_types[i].append(to, kube_json_get(spec, metric_types[i].field),
                                   yyjson_mut_is_obj(current) ? current : NULL);
            return;
        }
    }
    buf_append_str(to, "<unknown type>");
}

static void autoscaler_append_metrics(struct buf *to, yyjson_mut_val *metrics, yyjson_mut_val *all)
{
    yyjson_mut_val *spec;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(metrics, i, n, spec)
    {
        if (i == METRICS_MAX) {
            buf_printf(to, " + %zu more...", n - METRICS_MAX);
            return;
        }
        buf_append_str(to, i == 0 ? "" : ", ");
        metric_append_any(to, spec, yyjson_mut_arr_get(all, i));
    }
}

/* In autoscaling/v1 the only metric is the share of the requested CPU time. */
static void autoscaler_cell_targets(struct kube_row *row)
{
    yyjson_mut_val *metrics = printer_at(row->object, "spec.metrics");
    int64_t percent;
    struct buf text;

    buf_init(&text);
    if (yyjson_mut_arr_size(metrics) > 0) {
        autoscaler_append_metrics(&text, metrics, printer_at(row->object, "status.currentMetrics"));
    } else if (printer_number(row->object, "spec.targetCPUUtilizationPercentage", &percent)) {
        buf_append_str(&text, "cpu: ");
        metric_append_percent(&text, row->object, "status.currentCPUUtilizationPercentage",
                              "<unknown>");
        buf_printf(&text, "/%" PRId64 "%%", percent);
    } else {
        buf_append_str(&text, "<none>");
    }
    kube_cell_buf(row, &text);
}

static void autoscaler_cell_reference(struct kube_row *row)
{
    struct buf text;

    buf_init(&text);
    buf_append_view(&text, printer_str(row->object, "spec.scaleTargetRef.kind"));
    buf_append_str(&text, "/");
    buf_append_view(&text, printer_str(row->object, "spec.scaleTargetRef.name"));
    kube_cell_buf(row, &text);
}

/* The least number is a text, as it may be unset; the other numbers are numbers. */
static void autoscaler_cell_min(struct kube_row *row)
{
    int64_t min;
    struct buf text;

    buf_init(&text);
    if (printer_number(row->object, "spec.minReplicas", &min)) {
        printer_append_int(&text, min);
    } else {
        buf_append_str(&text, "<unset>");
    }
    kube_cell_buf(row, &text);
}

static void autoscaler_cells(struct kube_row *row)
{
    kube_cell_name(row);
    autoscaler_cell_reference(row);
    autoscaler_cell_targets(row);
    autoscaler_cell_min(row);
    printer_cell_int(row, "spec.maxReplicas");
    printer_cell_int(row, "status.currentReplicas");
    kube_cell_age(row);
}

const struct kube_printer printers_autoscaling[] = {
    PRINTER_OF("horizontalpodautoscalers", autoscaler_columns, autoscaler_cells),
    {0},
};
