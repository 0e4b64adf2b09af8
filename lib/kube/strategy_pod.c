/* Pods: defaults, the status of a new one, and its quality of service. */
#include <string.h>

#include "kube/quantity.h"
#include "kube/strategy_int.h"

/* --- containers ------------------------------------------------------------------------------- */

/* No tag and no digest is the tag latest, which is pulled always. */
static bool image_is_latest(struct kvs_view image)
{
    const char *text = image.data;
    size_t tag = image.len;

    for (size_t i = image.len; i > 0 && text[i - 1] != '/'; i--) {
        if (text[i - 1] == '@') {
            return false;
        }
        if (text[i - 1] == ':') {
            tag = i;
        }
    }
    return tag == image.len || view_equal_str(view_make(text + tag, image.len - tag), "latest");
}

static void http_get_default(struct kube_edit *e, yyjson_mut_val *action)
{
    if (yyjson_mut_is_obj(action)) {
        edit_default_text(e, action, "path", "/");
        edit_default_text(e, action, "scheme", "HTTP");
    }
}

/* Zero is Go's absence for numbers that are no pointers. */
static void default_number(struct kube_edit *e, yyjson_mut_val *object, const char *name, int64_t n)
{
    if (yyjson_mut_get_sint(kube_json_get(object, name)) == 0) {
        edit_put(e, object, name, yyjson_mut_sint(e->doc, n));
    }
}

static void probe_default(struct kube_edit *e, yyjson_mut_val *probe)
{
    yyjson_mut_val *grpc = kube_json_get(probe, "grpc");

    if (!yyjson_mut_is_obj(probe)) {
        return;
    }
    http_get_default(e, kube_json_get(probe, "httpGet"));
    if (yyjson_mut_is_obj(grpc)) {
        edit_default_pointer(e, grpc, "service", "");
    }
    default_number(e, probe, "timeoutSeconds", 1);
    default_number(e, probe, "periodSeconds", 10);
    default_number(e, probe, "successThreshold", 1);
    default_number(e, probe, "failureThreshold", 3);
}

static void port_default(struct kube_edit *e, yyjson_mut_val *port)
{
    edit_default_text(e, port, "protocol", "TCP");
}

static void env_default(struct kube_edit *e, yyjson_mut_val *env)
{
    yyjson_mut_val *ref = kube_json_get(kube_json_get(env, "valueFrom"), "fieldRef");

    if (yyjson_mut_is_obj(ref)) {
        edit_default_text(e, ref, "apiVersion", "v1");
    }
}

void container_default(struct kube_edit *e, yyjson_mut_val *container)
{
    yyjson_mut_val *lifecycle = kube_json_get(container, "lifecycle");

    if (kube_json_get_str(container, "imagePullPolicy").len == 0) {
        bool latest = image_is_latest(kube_json_get_str(container, "image"));

        edit_text(e, container, "imagePullPolicy", view_str(latest ? "Always" : "IfNotPresent"));
    }
    edit_default_text(e, container, "terminationMessagePath", "/dev/termination-log");
    edit_default_text(e, container, "terminationMessagePolicy", "File");
    edit_each(e, container, "ports", port_default);
    edit_each(e, container, "env", env_default);
    probe_default(e, kube_json_get(container, "livenessProbe"));
    probe_default(e, kube_json_get(container, "readinessProbe"));
    probe_default(e, kube_json_get(container, "startupProbe"));
    http_get_default(e, kube_json_get(kube_json_get(lifecycle, "postStart"), "httpGet"));
    http_get_default(e, kube_json_get(kube_json_get(lifecycle, "preStop"), "httpGet"));
}

/* What is limited is requested, unless a request says otherwise. */
static void requests_default(struct kube_edit *e, yyjson_mut_val *container)
{
    yyjson_mut_val *resources = kube_json_get(container, "resources");

    if (!strategy_is_empty(kube_json_get(resources, "limits"))) {
        edit_fill(e, resources, "requests", "limits");
    }
}

static void host_port_default(struct kube_edit *e, yyjson_mut_val *port)
{
    if (yyjson_mut_get_sint(kube_json_get(port, "hostPort")) == 0) {
        edit_copy(e, port, "hostPort", kube_json_get(port, "containerPort"));
    }
}

static void host_ports_default(struct kube_edit *e, yyjson_mut_val *container)
{
    edit_each(e, container, "ports", host_port_default);
}

/* --- volumes ---------------------------------------------------------------------------------- */

static void downward_item_default(struct kube_edit *e, yyjson_mut_val *item)
{
    yyjson_mut_val *ref = kube_json_get(item, "fieldRef");

    if (yyjson_mut_is_obj(ref)) {
        edit_default_text(e, ref, "apiVersion", "v1");
    }
}

static void projection_default(struct kube_edit *e, yyjson_mut_val *source)
{
    yyjson_mut_val *token = kube_json_get(source, "serviceAccountToken");
    yyjson_mut_val *downward = kube_json_get(source, "downwardAPI");

    if (yyjson_mut_is_obj(token)) {
        edit_default_int(e, token, "expirationSeconds", 3600);
    }
    edit_each(e, downward, "items", downward_item_default);
}

static void azure_disk_default(struct kube_edit *e, yyjson_mut_val *disk)
{
    edit_default_pointer(e, disk, "cachingMode", "ReadWrite");
    edit_default_pointer(e, disk, "kind", "Shared");
    edit_default_pointer(e, disk, "fsType", "ext4");
    edit_default_bool(e, disk, "readOnly", false);
}

/* The members of a volume beside its name: none of them set means an empty directory. */
static bool volume_has_source(yyjson_mut_val *volume)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(volume);
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        if (strcmp(yyjson_mut_get_str(key), "name") != 0 &&
            strategy_is_set(yyjson_mut_obj_iter_get_val(key))) {
            return true;
        }
    }
    return false;
}

void pod_volume_default(struct kube_edit *e, yyjson_mut_val *volume)
{
    static const char *const with_mode[] = {"secret", "configMap", "downwardAPI", "projected"};
    enum { MODE = 0644 };
    yyjson_mut_val *source;

    if (!volume_has_source(volume)) {
        (void)edit_object(e, volume, "emptyDir");
    }
    for (size_t i = 0; i < sizeof with_mode / sizeof with_mode[0]; i++) {
        source = kube_json_get(volume, with_mode[i]);
        if (yyjson_mut_is_obj(source)) {
            edit_default_int(e, source, "defaultMode", MODE);
        }
    }
    edit_each(e, kube_json_get(volume, "downwardAPI"), "items", downward_item_default);
    edit_each(e, kube_json_get(volume, "projected"), "sources", projection_default);
    source = kube_json_get(volume, "hostPath");
    if (yyjson_mut_is_obj(source)) {
        edit_default_pointer(e, source, "type", "");
    }
    source = kube_json_get(volume, "azureDisk");
    if (yyjson_mut_is_obj(source)) {
        azure_disk_default(e, source);
    }
    source = kube_json_get(kube_json_get(volume, "ephemeral"), "volumeClaimTemplate");
    source = kube_json_get(source, "spec");
    if (yyjson_mut_is_obj(source)) {
        claim_spec_default(e, source);
    }
}

/* --- the specification ------------------------------------------------------------------------ */

static void pod_only_default(struct kube_edit *e, yyjson_mut_val *spec)
{
    edit_each(e, spec, "containers", requests_default);
    edit_each(e, spec, "initContainers", requests_default);
    edit_default_bool(e, spec, "enableServiceLinks", true);
    if (strategy_flag(spec, "hostNetwork")) {
        edit_each(e, spec, "containers", host_ports_default);
        edit_each(e, spec, "initContainers", host_ports_default);
    }
}

void pod_spec_default(struct kube_edit *e, yyjson_mut_val *spec, bool is_pod)
{
    edit_default_text(e, spec, "dnsPolicy", "ClusterFirst");
    edit_default_text(e, spec, "restartPolicy", "Always");
    edit_default_text(e, spec, "schedulerName", "default-scheduler");
    edit_default_int(e, spec, "terminationGracePeriodSeconds", 30);
    (void)edit_object(e, spec, "securityContext");
    edit_each(e, spec, "volumes", pod_volume_default);
    edit_each(e, spec, "containers", container_default);
    edit_each(e, spec, "initContainers", container_default);
    edit_each(e, spec, "ephemeralContainers", container_default);
    if (is_pod) {
        pod_only_default(e, spec);
    }
}

void pod_default(struct kube_edit *e, yyjson_mut_val *pod)
{
    pod_spec_default(e, edit_object(e, pod, "spec"), true);
}

/* --- a new pod -------------------------------------------------------------------------------- */

struct qos_sum {
    bool any;        /* some request or limit of cpu or memory */
    bool guaranteed; /* every container limits both, and requests what it limits */
};

static bool quantity_of(yyjson_mut_val *list, const char *name, struct kube_quantity *ret)
{
    return kube_quantity_parse(kube_json_get_str(list, name), ret, NULL) == 0 && ret->nano > 0;
}

static void qos_add(struct qos_sum *sum, yyjson_mut_val *container)
{
    static const char *const counted[] = {"cpu", "memory"};
    yyjson_mut_val *resources = kube_json_get(container, "resources");
    yyjson_mut_val *requests = kube_json_get(resources, "requests");
    yyjson_mut_val *limits = kube_json_get(resources, "limits");

    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        struct kube_quantity request;
        struct kube_quantity limit;
        bool has_request = quantity_of(requests, counted[i], &request);
        bool has_limit = quantity_of(limits, counted[i], &limit);

        sum->any = sum->any || has_request || has_limit;
        if (!has_limit || (has_request && kube_quantity_compare(&request, &limit) != 0)) {
            sum->guaranteed = false;
        }
    }
}

static const char *pod_qos(yyjson_mut_val *spec)
{
    static const char *const lists[] = {"containers", "initContainers"};
    struct qos_sum sum = {.guaranteed = true};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(kube_json_get(spec, lists[i]));
        yyjson_mut_val *container;

        while ((container = yyjson_mut_arr_iter_next(&it)) != NULL) {
            qos_add(&sum, container);
        }
    }
    if (!sum.any) {
        return "BestEffort";
    }
    return sum.guaranteed ? "Guaranteed" : "Burstable";
}

void pod_prepare_create(struct kube_edit *e, yyjson_mut_val *pod)
{
    yyjson_mut_val *status = yyjson_mut_obj(e->doc);

    edit_put(e, pod, "status", status);
    edit_default_text(e, status, "phase", "Pending");
    edit_default_text(e, status, "qosClass", pod_qos(kube_json_get(pod, "spec")));
}

/* Ephemeral containers are added through their subresource only: an update may leave them out. */
void pod_prepare_update(struct kube_edit *e, yyjson_mut_val *pod, yyjson_mut_val *old)
{
    yyjson_mut_val *spec = kube_json_get(pod, "spec");

    if (e->change->sub == KUBE_SUB_NONE && spec != NULL) {
        edit_copy(e, spec, "ephemeralContainers",
                  kube_json_get(kube_json_get(old, "spec"), "ephemeralContainers"));
    }
}
