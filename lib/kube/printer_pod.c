/* Pods: one word for what all of a pod's containers and init containers are doing. */
#include <inttypes.h>

#include "kube/printer_int.h"

static const struct kube_column pod_columns[] = {
    PRINTER_NAME,
    {"Ready", "string", "", 0,
     PRINTER_SAYS("The aggregate readiness state of this pod for accepting traffic.")},
    {"Status", "string", "", 0,
     PRINTER_SAYS("The aggregate status of the containers in this pod.")},
    {"Restarts", "string", "", 0,
     PRINTER_SAYS("The number of times the containers in this pod have been restarted and when "
                  "the last container in this pod has restarted.")},
    PRINTER_AGE,
    {"IP", "string", "", 1, PRINTER_DOC("core.v1.PodStatus", "podIP")},
    {"Node", "string", "", 1, PRINTER_DOC("core.v1.PodSpec", "nodeName")},
    {"Nominated Node", "string", "", 1, PRINTER_DOC("core.v1.PodStatus", "nominatedNodeName")},
    {"Readiness Gates", "string", "", 1, PRINTER_DOC("core.v1.PodSpec", "readinessGates")},
};

/* What is known of a pod while its containers are looked at. */
struct pod_state {
    yyjson_mut_val *pod;
    struct printer_words sidecars; /* names of init containers that go on running, sorted */
    int64_t restarts;
    int64_t sidecar_restarts;
    int64_t last_restart_ns; /* INT64_MIN: none known */
    int64_t sidecar_last_restart_ns;
    size_t n_containers;
    size_t n_ready;
    bool is_initializing;
    bool has_running;
    struct buf reason;
};

static void pod_set(struct pod_state *s, const char *prefix, struct kvs_view reason)
{
    buf_clear(&s->reason);
    buf_append_str(&s->reason, prefix);
    buf_append_view(&s->reason, reason);
}

/* Why a container ended: its reason, or else the signal or exit code. */
static void pod_set_terminated(struct pod_state *s, const char *prefix, yyjson_mut_val *terminated)
{
    struct kvs_view reason = kube_json_get_str(terminated, "reason");
    int64_t signal = printer_int(terminated, "signal");

    pod_set(s, prefix, reason);
    if (reason.len == 0 && signal != 0) {
        buf_printf(&s->reason, "Signal:%" PRId64, signal);
    } else if (reason.len == 0) {
        buf_printf(&s->reason, "ExitCode:%" PRId64, printer_int(terminated, "exitCode"));
    }
}

static yyjson_mut_val *pod_object(yyjson_mut_val *status, const char *path)
{
    yyjson_mut_val *value = printer_at(status, path);

    return yyjson_mut_is_obj(value) ? value : NULL;
}

/* Counters are untrusted: they wrap rather than overflow. */
static int64_t pod_sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void pod_restarted(yyjson_mut_val *status, int64_t *restarts, int64_t *last_ns)
{
    int64_t at;

    *restarts = pod_sum(*restarts, printer_int(status, "restartCount"));
    if (printer_time(printer_str(status, "lastState.terminated.finishedAt"), &at) &&
        at > *last_ns) {
        *last_ns = at;
    }
}

/* ---- init containers ---- */

static void pod_find_sidecars(struct pod_state *s, yyjson_mut_val *containers)
{
    yyjson_mut_val *container;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(containers, i, n, container)
    {
        if (view_equal_str(kube_json_get_str(container, "restartPolicy"), "Always")) {
            printer_words_add(&s->sidecars, kube_json_get_str(container, "name"), NULL);
            s->n_containers++;
        }
    }
    printer_words_sort(&s->sidecars);
}

/* Sets the reason if this one holds the pod up. */
static void pod_init_reason(struct pod_state *s, yyjson_mut_val *status, size_t i)
{
    yyjson_mut_val *terminated = pod_object(status, "state.terminated");
    struct kvs_view waiting = printer_str(status, "state.waiting.reason");

    s->is_initializing = true;
    if (terminated != NULL) {
        pod_set_terminated(s, "Init:", terminated);
    } else if (waiting.len > 0 && !view_equal_str(waiting, "PodInitializing")) {
        pod_set(s, "Init:", waiting);
    } else {
        buf_clear(&s->reason);
        buf_printf(&s->reason, "Init:%zu/%zu", i,
                   yyjson_mut_arr_size(printer_at(s->pod, "spec.initContainers")));
    }
}

static bool pod_init_is_done(struct pod_state *s, yyjson_mut_val *status, bool is_sidecar)
{
    yyjson_mut_val *terminated = pod_object(status, "state.terminated");

    if (terminated != NULL && printer_int(terminated, "exitCode") == 0) {
        return true;
    }
    if (is_sidecar && printer_true(status, "started")) {
        s->n_ready += printer_true(status, "ready");
        return true;
    }
    return false;
}

static void pod_look_at_init(struct pod_state *s)
{
    yyjson_mut_val *status;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(printer_at(s->pod, "status.initContainerStatuses"), i, n, status)
    {
        bool is_sidecar = printer_words_has(&s->sidecars, kube_json_get_str(status, "name"));

        pod_restarted(status, &s->restarts, &s->last_restart_ns);
        if (is_sidecar) {
            pod_restarted(status, &s->sidecar_restarts, &s->sidecar_last_restart_ns);
        }
        if (!pod_init_is_done(s, status, is_sidecar)) {
            pod_init_reason(s, status, i);
            return;
        }
    }
}

/* ---- containers ---- */

static void pod_look_at(struct pod_state *s, yyjson_mut_val *status)
{
    struct kvs_view waiting = printer_str(status, "state.waiting.reason");
    yyjson_mut_val *terminated = pod_object(status, "state.terminated");

    pod_restarted(status, &s->restarts, &s->last_restart_ns);
    if (waiting.len > 0) {
        pod_set(s, "", waiting);
    } else if (terminated != NULL) {
        pod_set_terminated(s, "", terminated);
    } else if (printer_true(status, "ready") && pod_object(status, "state.running") != NULL) {
        s->has_running = true;
        s->n_ready++;
    }
}

/* The reason of the first container that has one stays, as kubectl has always shown it. The list is
 * gone through backwards: yyjson only knows the way forward, hence an array of its own. */
static void pod_look_at_all(struct pod_state *s)
{
    struct printer_words statuses = {0};
    yyjson_mut_val *status;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(printer_at(s->pod, "status.containerStatuses"), i, n, status)
    {
        printer_words_add(&statuses, view_make(NULL, 0), status);
    }
    s->restarts = s->sidecar_restarts;
    s->last_restart_ns = s->sidecar_last_restart_ns;
    for (i = statuses.count; i > 0; i--) {
        pod_look_at(s, statuses.items[i - 1].value);
    }
    s->reason.failed = s->reason.failed || statuses.failed;
    printer_words_fini(&statuses);
}

/* ---- the pod ---- */

static void pod_first_reason(struct pod_state *s)
{
    struct kvs_view reason = printer_str(s->pod, "status.reason");
    yyjson_mut_val *condition;
    size_t i;
    size_t n;

    pod_set(s, "", reason.len > 0 ? reason : printer_str(s->pod, "status.phase"));
    yyjson_mut_arr_foreach(printer_at(s->pod, "status.conditions"), i, n, condition)
    {
        if (view_equal_str(kube_json_get_str(condition, "type"), "PodScheduled") &&
            view_equal_str(kube_json_get_str(condition, "reason"), "SchedulingGated")) {
            pod_set(s, "", VIEW_LITERAL("SchedulingGated"));
        }
    }
}

/* Any of them, unlike a look at the first condition of a type. */
static bool pod_has_ready_condition(yyjson_mut_val *pod)
{
    yyjson_mut_val *condition;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(printer_at(pod, "status.conditions"), i, n, condition)
    {
        if (view_equal_str(kube_json_get_str(condition, "type"), "Ready") &&
            view_equal_str(kube_json_get_str(condition, "status"), "True")) {
            return true;
        }
    }
    return false;
}

static bool pod_is_over(yyjson_mut_val *pod)
{
    struct kvs_view phase = printer_str(pod, "status.phase");

    return view_equal_str(phase, "Failed") || view_equal_str(phase, "Succeeded");
}

static void pod_last_reason(struct pod_state *s)
{
    if (printer_str(s->pod, "metadata.deletionTimestamp").len == 0) {
        return;
    }
    if (view_equal_str(printer_str(s->pod, "status.reason"), "NodeLost")) {
        pod_set(s, "", VIEW_LITERAL("Unknown"));
    } else if (!pod_is_over(s->pod)) {
        pod_set(s, "", VIEW_LITERAL("Terminating"));
    }
}

static void pod_judge(struct pod_state *s)
{
    s->n_containers = yyjson_mut_arr_size(printer_at(s->pod, "spec.containers"));
    pod_first_reason(s);
    pod_find_sidecars(s, printer_at(s->pod, "spec.initContainers"));
    pod_look_at_init(s);
    if (!s->is_initializing ||
        printer_condition(printer_at(s->pod, "status.conditions"), "Initialized")) {
        pod_look_at_all(s);
        if (s->has_running && view_equal_str(buf_view(&s->reason), "Completed")) {
            pod_set(s, "", view_str(pod_has_ready_condition(s->pod) ? "Running" : "NotReady"));
        }
    }
    pod_last_reason(s);
    s->reason.failed = s->reason.failed || s->sidecars.failed;
}

static void pod_cell_restarts(struct kube_row *row, const struct pod_state *s)
{
    struct buf text;

    buf_init(&text);
    printer_append_int(&text, s->restarts);
    if (s->restarts != 0 && s->last_restart_ns != INT64_MIN) {
        buf_append_str(&text, " (");
        printer_append_span(&text, s->last_restart_ns, (int64_t)row->now_ns);
        buf_append_str(&text, " ago)");
    }
    kube_cell_buf(row, &text);
}

/* ---- wide ---- */

/* Where podIP and podIPs differ, podIP is what counts. */
static void pod_cell_ip(struct kube_row *row)
{
    struct kvs_view ip = printer_str(row->object, "status.podIP");

    if (ip.len == 0) {
        ip = printer_str(yyjson_mut_arr_get_first(printer_at(row->object, "status.podIPs")), "ip");
    }
    kube_cell_text_or(row, ip, "<none>");
}

/* Condition types that are True; of several conditions of a type the first counts. */
static size_t pod_count_true(yyjson_mut_val *gates, yyjson_mut_val *conditions, bool *failed)
{
    struct printer_words seen = {0};
    yyjson_mut_val *item;
    size_t count = 0;
    size_t i;
    size_t n;

    yyjson_mut_arr_foreach(conditions, i, n, item)
    {
        if (view_equal_str(kube_json_get_str(item, "status"), "True")) {
            printer_words_add(&seen, kube_json_get_str(item, "type"), NULL);
        }
    }
    printer_words_sort(&seen);
    yyjson_mut_arr_foreach(gates, i, n, item)
    {
        count += printer_words_has(&seen, kube_json_get_str(item, "conditionType"));
    }
    *failed = seen.failed;
    printer_words_fini(&seen);
    return count;
}

static void pod_cell_gates(struct kube_row *row)
{
    yyjson_mut_val *gates = printer_at(row->object, "spec.readinessGates");
    size_t n_gates = yyjson_mut_arr_size(gates);
    bool failed;
    size_t n_true;

    if (n_gates == 0) {
        kube_cell_text(row, VIEW_LITERAL("<none>"));
        return;
    }
    n_true = pod_count_true(gates, printer_at(row->object, "status.conditions"), &failed);
    row->to->failed = row->to->failed || failed;
    printer_cell_ratio(row, (int64_t)n_true, (int64_t)n_gates);
}

static void pod_cells(struct kube_row *row)
{
    struct pod_state s = {
        .pod = row->object,
        .last_restart_ns = INT64_MIN,
        .sidecar_last_restart_ns = INT64_MIN,
    };

    buf_init(&s.reason);
    pod_judge(&s);
    kube_cell_name(row);
    printer_cell_ratio(row, (int64_t)s.n_ready, (int64_t)s.n_containers);
    kube_cell_buf(row, &s.reason);
    pod_cell_restarts(row, &s);
    kube_cell_age(row);
    pod_cell_ip(row);
    printer_cell_str_or(row, "spec.nodeName", "<none>");
    printer_cell_str_or(row, "status.nominatedNodeName", "<none>");
    pod_cell_gates(row);
    printer_words_fini(&s.sidecars);
}

static const char *pod_conditions(yyjson_mut_val *pod)
{
    struct kvs_view phase = printer_str(pod, "status.phase");

    if (view_equal_str(phase, "Succeeded")) {
        return "[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"Succeeded\","
               "\"message\":\"The pod has completed successfully.\"}]";
    }
    if (view_equal_str(phase, "Failed")) {
        return "[{\"type\":\"Completed\",\"status\":\"True\",\"reason\":\"Failed\","
               "\"message\":\"The pod failed.\"}]";
    }
    return NULL;
}

const struct kube_printer printers_pod[] = {
    {"pods", pod_columns, sizeof pod_columns / sizeof pod_columns[0], pod_cells, pod_conditions},
    {0},
};
