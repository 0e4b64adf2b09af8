/* Jobs, and what makes them. */
#include <inttypes.h>

#include "kube/printer_int.h"

/* ---- jobs ---- */

static const struct kube_column job_columns[] = {
    PRINTER_NAME,
    {"Status", "string", "", 0, PRINTER_SAYS("Status of the job.")},
    {"Completions", "string", "", 0, PRINTER_DOC("batch.v1.JobStatus", "succeeded")},
    {"Duration", "string", "", 0, PRINTER_SAYS("Time required to complete the job.")},
    PRINTER_AGE,
    PRINTER_CONTAINERS(1),
    PRINTER_IMAGES(1),
    {"Selector", "string", "", 1, PRINTER_DOC("batch.v1.JobSpec", "selector")},
};

static const char *job_status(yyjson_mut_val *job)
{
    yyjson_mut_val *conditions = printer_at(job, "status.conditions");

    if (printer_condition(conditions, "Complete")) {
        return "Complete";
    }
    if (printer_condition(conditions, "Failed")) {
        return "Failed";
    }
    if (printer_str(job, "metadata.deletionTimestamp").len > 0) {
        return "Terminating";
    }
    if (printer_condition(conditions, "Suspended")) {
        return "Suspended";
    }
    return printer_condition(conditions, "FailureTarget") ? "FailureTarget" : "Running";
}

static void cell_completions(struct kube_row *row)
{
    int64_t succeeded = printer_int(row->object, "status.succeeded");
    int64_t parallelism = printer_int(row->object, "spec.parallelism");
    int64_t completions;
    struct buf text;

    if (printer_number(row->object, "spec.completions", &completions)) {
        printer_cell_ratio(row, succeeded, completions);
        return;
    }
    buf_init(&text);
    buf_printf(&text, "%" PRId64 "/1", succeeded);
    if (parallelism > 1) {
        buf_printf(&text, " of %" PRId64, parallelism);
    }
    kube_cell_buf(row, &text);
}

static void cell_duration(struct kube_row *row)
{
    int64_t end = (int64_t)row->now_ns;
    int64_t start;
    struct buf text;

    buf_init(&text);
    if (printer_time(printer_str(row->object, "status.startTime"), &start)) {
        int64_t completion;

        if (printer_time(printer_str(row->object, "status.completionTime"), &completion)) {
            end = completion;
        }
        printer_append_span(&text, start, end);
    }
    kube_cell_buf(row, &text);
}

static void job_cells(struct kube_row *row)
{
    kube_cell_name(row);
    kube_cell_text(row, view_str(job_status(row->object)));
    cell_completions(row);
    cell_duration(row);
    kube_cell_age(row);
    printer_cell_containers(row, "spec.template.spec.containers");
    printer_cell_selector(row, "spec.selector", "<none>", "<error>");
}

/* ---- cron jobs ---- */

static const struct kube_column cron_job_columns[] = {
    PRINTER_NAME,
    {"Schedule", "string", "", 0, PRINTER_DOC("batch.v1.CronJobSpec", "schedule")},
    {"Timezone", "string", "", 0, PRINTER_DOC("batch.v1.CronJobSpec", "timeZone")},
    {"Suspend", "boolean", "", 0, PRINTER_DOC("batch.v1.CronJobSpec", "suspend")},
    {"Active", "integer", "", 0, PRINTER_DOC("batch.v1.CronJobStatus", "active")},
    {"Last Schedule", "string", "", 0, PRINTER_DOC("batch.v1.CronJobStatus", "lastScheduleTime")},
    PRINTER_AGE,
    PRINTER_CONTAINERS(1),
    PRINTER_IMAGES(1),
    {"Selector", "string", "", 1, PRINTER_DOC("batch.v1.JobSpec", "selector")},
};

/* A text, although the column calls itself boolean. */
static void cell_suspend(struct kube_row *row)
{
    yyjson_mut_val *suspend = printer_at(row->object, "spec.suspend");

    if (yyjson_mut_is_bool(suspend)) {
        kube_cell_text(row, view_str(yyjson_mut_get_bool(suspend) ? "True" : "False"));
    } else {
        kube_cell_text(row, VIEW_LITERAL("<unset>"));
    }
}

static void cron_job_cells(struct kube_row *row)
{
    struct kvs_view last = printer_str(row->object, "status.lastScheduleTime");
    yyjson_mut_val *zone = printer_at(row->object, "spec.timeZone");

    kube_cell_name(row);
    printer_cell_str(row, "spec.schedule");
    kube_cell_text(row, yyjson_mut_is_str(zone) ? kube_json_str(zone) : VIEW_LITERAL("<none>"));
    cell_suspend(row);
    printer_cell_count(row, "status.active");
    if (last.len == 0) {
        kube_cell_text(row, VIEW_LITERAL("<none>"));
    } else {
        kube_cell_since(row, last);
    }
    kube_cell_age(row);
    printer_cell_containers(row, "spec.jobTemplate.spec.template.spec.containers");
    printer_cell_selector(row, "spec.jobTemplate.spec.selector", "<none>", "<error>");
}

const struct kube_printer printers_batch[] = {
    PRINTER_OF("jobs", job_columns, job_cells),
    PRINTER_OF("cronjobs", cron_job_columns, cron_job_cells),
    {0},
};
