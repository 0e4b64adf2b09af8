/* Who manages which fields: managedFields of what a request writes, and server-side apply. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/apply.h"
#include "kube/field_error.h"
#include "kube/managed_fields.h"
#include "kube/registry/registry_int.h"
#include "kube/yaml.h"

/* ---- options ---- */

/* NULL: the request writes nothing of which anybody is the manager. */
static const char *options_kind(const struct kube_request *q)
{
    if (q->route->action == KUBE_ACTION_CREATE) {
        return "CreateOptions";
    }
    if (q->route->action == KUBE_ACTION_PATCH) {
        return "PatchOptions";
    }
    return q->route->action == KUBE_ACTION_UPDATE ? "UpdateOptions" : NULL;
}

int request_check_options(struct kube_request *q)
{
    const struct kube_resource options = {.group = "meta.k8s.io", .kind = options_kind(q)};
    struct kube_path manager = kube_path_root("fieldManager");
    struct kube_path force = kube_path_root("force");
    bool is_apply = q->media == KUBE_MEDIA_APPLY_PATCH;
    struct kube_errors errors;
    int err;

    if (options.kind == NULL) {
        return 0;
    }
    kube_errors_init(&errors);
    if (is_apply && q->query->field_manager.len == 0) {
        kube_errors_required(&errors, &manager, "is required for apply patch");
    }
    if (!is_apply && q->query->force) {
        kube_errors_forbidden(&errors, &force, "may not be specified for non-apply patch");
    }
    if (q->query->field_manager.len > KUBE_MANAGER_NAME_MAX) {
        kube_errors_too_long(&errors, &manager, KUBE_MANAGER_NAME_MAX);
    }
    err = kube_errors_result(&errors);
    if (err == KVS_E_INVALID) {
        kube_status_invalid(&q->status, &options, view_make("", 0), &errors);
    }
    kube_errors_fini(&errors);
    return err;
}

/* ---- the manager ---- */

/* What a manager borrows. */
struct request_manager {
    struct kube_manager manager;
    char agent[KUBE_MANAGER_NAME_MAX];
    char api_version[128];
};

static void request_manager(struct kube_request *q, struct request_manager *m)
{
    const struct kube_resource *r = q->route->resource;
    const struct clock *clock = q->registry->clock;
    int len = snprintf(m->api_version, sizeof m->api_version, "%s%s%s", r->group,
                       r->group[0] == '\0' ? "" : "/", r->version);

    m->manager = (struct kube_manager){
        .doc = q->doc,
        .type = kube_kind_message(request_kind(q)),
        .name = q->query->field_manager,
        .api_version = view_make(m->api_version, (size_t)len),
        .subresource = q->route->sub == KUBE_SUB_NONE ? "" : kube_subresource_name(q->route->sub),
        .now_s = (int64_t)(clock->wall_ns(clock->ctx) / 1000000000),
        .has_status = (r->subresources & KUBE_SUB_STATUS) != 0};
    if (m->manager.name.len == 0) {
        m->manager.name = kube_manager_of_agent(q->user_agent, m->agent);
    }
}

int request_manage(struct kube_request *q, yyjson_mut_val *old)
{
    struct request_manager m;
    int err;

    if (q->media == KUBE_MEDIA_APPLY_PATCH) {
        return 0; /* The apply did it. */
    }
    request_manager(q, &m);
    err = kube_managed_update(&m.manager, old, q->object);
    if (err == KVS_E_TOO_LONG) {
        kube_status_too_large(&q->status, KUBE_JSON_BYTES_MAX);
        err = KVS_E_INVALID;
    }
    return err;
}

/* ---- apply ---- */

static int request_bad_yaml(struct kube_request *q, int err, const struct kvs_error *error)
{
    if (err == KVS_E_TOO_LONG || err == KVS_E_MALFORMED) {
        kube_status_bad_request(
            &q->status, "error decoding YAML: error converting YAML to JSON: %s", error->msg);
        return KVS_E_INVALID;
    }
    return err;
}

/* Keys that are there twice: refused, warned of, or left alone. */
static int request_judge_yaml(struct kube_request *q, const struct buf *duplicates)
{
    struct buf text;
    int err = 0;

    if (duplicates->len == 0 || q->query->validation == KUBE_VALIDATION_IGNORE) {
        return 0;
    }
    buf_init(&text);
    buf_append_str(&text, "error converting YAML to JSON: yaml: unmarshal errors:");
    buf_append_view(&text, buf_view(duplicates));
    if (q->query->validation == KUBE_VALIDATION_STRICT) {
        kube_status_bad_request(&q->status, "error strict decoding YAML: %.*s", (int)text.len,
                                (const char *)text.data);
        err = KVS_E_INVALID;
    } else {
        buf_append_u8(&text, 0);
        buf_append_view(&q->warnings, buf_view(&text));
    }
    buf_fini(&text);
    return err;
}

/* JSON is YAML, too. */
static int request_read_apply(struct kube_request *q, yyjson_mut_val **ret_patch)
{
    const struct kube_json_limits limits = kube_json_limits_default();
    struct kvs_error error = {0};
    struct buf duplicates;
    int err;

    buf_init(&duplicates);
    err = kube_yaml_read_into(q->doc, q->body, &limits, ret_patch, &duplicates, &error);
    if (err != 0) {
        err = request_bad_yaml(q, err, &error);
    } else {
        err = request_judge_yaml(q, &duplicates);
    }
    buf_fini(&duplicates);
    if (err == 0 && yyjson_mut_is_null(*ret_patch)) {
        *ret_patch = yyjson_mut_obj(q->doc);
        err = *ret_patch == NULL ? KVS_E_NOMEM : 0;
    }
    if (err == 0 && !yyjson_mut_is_obj(*ret_patch)) {
        kube_status_bad_request(
            &q->status,
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot "
            "unmarshal %s into Go value of type map[string]interface {}",
            yyjson_mut_is_arr(*ret_patch)   ? "array"
            : yyjson_mut_is_str(*ret_patch) ? "string"
            : yyjson_mut_is_num(*ret_patch) ? "number"
                                            : "bool");
        err = KVS_E_INVALID;
    }
    return err;
}

int request_apply(struct kube_request *q, yyjson_mut_val *old, yyjson_mut_val **ret_object)
{
    struct request_manager m;
    struct kube_apply apply = {
        .kind = q->route->resource->kind, .force = q->query->force, .status = &q->status};
    yyjson_mut_val *patch;
    int err = request_read_apply(q, &patch);

    if (err == 0) {
        request_manager(q, &m);
        apply.manager = &m.manager;
        err = kube_apply(&apply, old, patch, ret_object);
    }
    if (err == KVS_E_TOO_LONG) {
        kube_status_too_large(&q->status, KUBE_JSON_BYTES_MAX);
        err = KVS_E_INVALID;
    }
    return err;
}

/* An apply makes an object that is not there: it is the one that the URL names. */
int request_check_applied_name(struct kube_request *q)
{
    struct kvs_view name = kube_json_get_str(kube_json_get(q->object, "metadata"), "name");

    if (view_equal(name, q->route->name)) {
        return 0;
    }
    kube_status_bad_request(&q->status,
                            "the name of the object (%.*s) does not match the name on the URL "
                            "(%.*s)",
                            (int)name.len, name.len == 0 ? "" : (const char *)name.data,
                            (int)q->route->name.len, (const char *)q->route->name.data);
    return KVS_E_INVALID;
}
