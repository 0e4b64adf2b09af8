/* What a request carries: an object, a patch or options, decoded and checked against the resource
 * that it was sent to. Texts as kube-apiserver's handlers have them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/decode.h"
#include "kube/patch_json.h"
#include "kube/patch_merge.h"
#include "kube/patch_strategic.h"
#include "kube/proto.h"
#include "kube/registry/registry_int.h"
#include "kube/yaml.h"

static const char accepted_objects[] =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf";
static const char accepted_patches[] = "application/json-patch+json, application/merge-patch+json, "
                                       "application/strategic-merge-patch+json, "
                                       "application/apply-patch+yaml";

enum kube_media kube_media_parse(struct kvs_view content_type)
{
    static const struct {
        const char *name;
        enum kube_media media;
    } names[] = {
        {"application/json", KUBE_MEDIA_JSON},
        {"application/vnd.kubernetes.protobuf", KUBE_MEDIA_PROTOBUF},
        {"application/yaml", KUBE_MEDIA_YAML},
        {"application/json-patch+json", KUBE_MEDIA_JSON_PATCH},
        {"application/merge-patch+json", KUBE_MEDIA_MERGE_PATCH},
        {"application/strategic-merge-patch+json", KUBE_MEDIA_STRATEGIC_PATCH},
        {"application/apply-patch+yaml", KUBE_MEDIA_APPLY_PATCH},
    };
    size_t len = 0;

    while (len < content_type.len && ((const char *)content_type.data)[len] != ';' &&
           ((const char *)content_type.data)[len] != ' ') {
        len++;
    }
    if (len == 0) {
        return KUBE_MEDIA_NONE;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (view_equal_str(view_make(content_type.data, len), names[i].name)) {
            return names[i].media;
        }
    }
    return KUBE_MEDIA_UNKNOWN;
}

/* --- objects ------------------------------------------------------------------------------------
 */

const struct kube_kind *request_kind(const struct kube_request *q)
{
    const struct kube_resource *r = q->route->resource;
    const struct kube_kind *kind =
        kube_kind_find(view_str(r->group), view_str(r->version), view_str(r->kind));

    kvs_assert(kind != NULL); /* test_kube_resource: the tables fit together */
    return kind;
}

static int request_parse_failed(struct kube_request *q, const struct kvs_error *error)
{
    if (error->code == KVS_E_TOO_LONG) {
        kube_status_too_large(&q->status, KUBE_JSON_BYTES_MAX);
    } else {
        kube_status_bad_request(&q->status,
                                "the object provided is unrecognized (must be of type %s): "
                                "couldn't get version/kind; json parse error: %s",
                                q->route->resource->kind, error->msg);
    }
    return KVS_E_INVALID;
}

static int request_read_json(struct kube_request *q, yyjson_mut_val **ret_value)
{
    const struct kube_json_limits limits = kube_json_limits_default();
    struct kvs_error error = {0};
    int err = kube_json_read_into(q->doc, q->body, &limits, ret_value, &error);

    return err == 0 || err == KVS_E_NOMEM ? err : request_parse_failed(q, &error);
}

static int request_read_proto(struct kube_request *q, yyjson_mut_val **ret_value)
{
    const struct kube_kind *kind;
    int err = kube_proto_decode(q->doc, q->body, &kind, ret_value);

    if (err == 0 || err == KVS_E_NOMEM) {
        return err;
    }
    kube_status_bad_request(&q->status,
                            "the object provided is unrecognized (must be of type %s): %s",
                            q->route->resource->kind, kvs_strerror(err));
    return KVS_E_INVALID;
}

static int request_read_yaml(struct kube_request *q, yyjson_mut_val **ret_value)
{
    const struct kube_json_limits limits = kube_json_limits_default();
    struct kvs_error error = {0};
    int err = kube_yaml_read_into(q->doc, q->body, &limits, ret_value, NULL, &error);

    if (err == 0 || err == KVS_E_NOMEM) {
        return err;
    }
    kube_status_bad_request(&q->status,
                            "the object provided is unrecognized (must be of type %s): error "
                            "converting YAML to JSON: %s",
                            q->route->resource->kind,
                            error.msg);
    return KVS_E_INVALID;
}

static int request_read(struct kube_request *q, yyjson_mut_val **ret_value)
{
    if (q->media == KUBE_MEDIA_YAML) {
        return request_read_yaml(q, ret_value);
    }
    if (q->media == KUBE_MEDIA_NONE || q->media == KUBE_MEDIA_JSON) {
        return request_read_json(q, ret_value);
    }
    if (q->media == KUBE_MEDIA_PROTOBUF) {
        return request_read_proto(q, ret_value);
    }
    kube_status_unsupported_media(&q->status, accepted_objects);
    return KVS_E_INVALID;
}

/* apiVersion and kind may be left out; if they are there they are the resource's. */
static int request_check_kind(struct kube_request *q, yyjson_mut_val *object)
{
    const struct kube_resource *r = q->route->resource;
    struct kvs_view api_version = kube_json_get_str(object, "apiVersion");
    struct kvs_view kind = kube_json_get_str(object, "kind");
    char expected[128];

    (void)snprintf(expected, sizeof expected, "%s%s%s", r->group, r->group[0] == '\0' ? "" : "/",
                   r->version);
    if (api_version.len > 0 && !view_equal_str(api_version, expected)) {
        kube_status_bad_request(
            &q->status,
            "the API version in the data (%.*s) does not match the expected API "
            "version (%s)",
            (int)api_version.len, (const char *)api_version.data, expected);
        return KVS_E_INVALID;
    }
    if (kind.len > 0 && !view_equal_str(kind, r->kind)) {
        kube_status_bad_request(&q->status,
                                "%.*s in version \"%s\" cannot be handled as a %s: the kind in the "
                                "data does not match the resource",
                                (int)kind.len, (const char *)kind.data, expected, r->kind);
        return KVS_E_INVALID;
    }
    if (!yyjson_mut_obj_put(object, yyjson_mut_str(q->doc, "apiVersion"),
                            yyjson_mut_strcpy(q->doc, expected)) ||
        !yyjson_mut_obj_put(object, yyjson_mut_str(q->doc, "kind"),
                            yyjson_mut_str(q->doc, r->kind))) {
        return KVS_E_NOMEM;
    }
    return 0;
}

static int request_cannot_be(struct kube_request *q, const char *what, struct kvs_view why)
{
    const struct kube_resource *r = q->route->resource;

    kube_status_bad_request(&q->status, "%s in version \"%s\" cannot be handled as a %s: %s%.*s",
                            r->kind, r->version, r->kind, what, (int)why.len,
                            why.len == 0 ? "" : (const char *)why.data);
    return KVS_E_INVALID;
}

/* What fieldValidation makes of findings. */
static int request_judge(struct kube_request *q, const struct kube_report *report)
{
    struct buf text;

    if (kube_report_finding(report, 0) == NULL) {
        return 0;
    }
    if (q->query->validation == KUBE_VALIDATION_STRICT) {
        buf_init(&text);
        kube_report_strict(report, &text);
        (void)request_cannot_be(q, "", buf_view(&text));
        buf_fini(&text);
        return KVS_E_INVALID;
    }
    for (size_t i = 0; kube_report_finding(report, i) != NULL; i++) {
        const char *finding = kube_report_finding(report, i);

        buf_append(&q->warnings, finding, strlen(finding) + 1);
    }
    return 0;
}

static int request_typed(struct kube_request *q, yyjson_mut_val *object, bool judge)
{
    struct kube_report report;
    int err;

    kube_report_init(&report, judge && q->query->validation != KUBE_VALIDATION_IGNORE);
    err = kube_decode(q->doc, kube_kind_message(request_kind(q)), object, &report);
    if (err == KVS_E_INVALID) {
        err = request_cannot_be(q, "", buf_view(&report.error));
    } else if (err == KVS_E_TOO_LONG) {
        err = request_cannot_be(q, "exceeded max depth", view_make(NULL, 0));
    } else if (err == 0 && judge) {
        err = request_judge(q, &report);
    }
    kube_report_fini(&report);
    return err;
}

int request_decode(struct kube_request *q, yyjson_mut_val **ret_object)
{
    int err = request_read(q, ret_object);

    if (err == 0 && !yyjson_mut_is_obj(*ret_object)) {
        err = request_cannot_be(q, "the body is not an object", view_make(NULL, 0));
    }
    if (err == 0) {
        err = request_check_kind(q, *ret_object);
    }
    return err == 0 ? request_typed(q, *ret_object, true) : err;
}

/* --- stored objects -----------------------------------------------------------------------------
 */

int request_decode_stored(struct kube_request *q,
                          struct kvs_view value,
                          uint64_t revision,
                          yyjson_mut_val **ret_object)
{
    const struct kube_json_limits limits = {KUBE_JSON_BYTES_MAX * 8, KUBE_JSON_DEPTH_MAX};
    const struct kube_kind *kind;
    char text[24];
    int err = kube_proto_is_envelope(value)
                  ? kube_proto_decode(q->doc, value, &kind, ret_object)
                  : kube_json_read_into(q->doc, value, &limits, ret_object, NULL);
    yyjson_mut_val *metadata;
    yyjson_mut_val *version;

    if (err != 0) {
        return err == KVS_E_NOMEM ? err : KVS_E_MALFORMED;
    }
    metadata = kube_json_get(*ret_object, "metadata");
    (void)snprintf(text, sizeof text, "%" PRIu64, revision);
    version = yyjson_mut_strcpy(q->doc, text);
    if (!yyjson_mut_is_obj(metadata)) {
        return KVS_E_MALFORMED;
    }
    if (version == NULL ||
        !yyjson_mut_obj_put(metadata, yyjson_mut_str(q->doc, "resourceVersion"), version)) {
        return KVS_E_NOMEM;
    }
    err = request_typed(q, *ret_object, false);
    return err == KVS_E_INVALID ? KVS_E_MALFORMED : err;
}

/* --- patches ------------------------------------------------------------------------------------
 */

/* What a patch that does not apply is called: by the code of the answer. */
static int request_patch_failed(struct kube_request *q, int err, const struct buf *why)
{
    if (err == KVS_E_NOMEM) {
        return err;
    }
    if (err == KVS_E_TOO_LONG) {
        kube_status_too_large(&q->status, KUBE_JSON_BYTES_MAX);
    } else if (err == KVS_E_INVALID) {
        kube_status_unprocessable(&q->status);
    } else if (err == KVS_E_NOT_FOUND) {
        kube_status_plain(&q->status, 500, buf_view(why));
    } else {
        kube_status_bad_request(&q->status, "%.*s", (int)why->len, (const char *)why->data);
    }
    return KVS_E_INVALID;
}

static int
request_apply_patch(struct kube_request *q, yyjson_mut_val **target, yyjson_mut_val *patch)
{
    struct buf why;
    int err;

    buf_init(&why);
    if (q->media == KUBE_MEDIA_JSON_PATCH) {
        err = kube_patch_json(q->doc, *target, patch, target, &why);
    } else if (q->media == KUBE_MEDIA_STRATEGIC_PATCH) {
        err = kube_patch_strategic(
            q->doc, kube_kind_message(request_kind(q)), *target, patch, target, &why);
    } else {
        err = kube_patch_merge(q->doc, *target, patch, &why);
    }
    if (err != 0) {
        err = request_patch_failed(q, err, &why);
    }
    buf_fini(&why);
    return err;
}

static int
request_patch_copy(struct kube_request *q, yyjson_mut_val *old, yyjson_mut_val **ret_object)
{
    yyjson_mut_val *target = kube_json_copy(q->doc, old);
    yyjson_mut_val *patch;
    int err;

    if (target == NULL) {
        return KVS_E_NOMEM;
    }
    if (q->media != KUBE_MEDIA_MERGE_PATCH && q->media != KUBE_MEDIA_JSON_PATCH &&
        q->media != KUBE_MEDIA_STRATEGIC_PATCH) {
        kube_status_unsupported_media(&q->status, accepted_patches);
        return KVS_E_INVALID;
    }
    err = request_read_json(q, &patch);
    if (err == 0) {
        err = request_apply_patch(q, &target, patch);
    }
    if (err == 0 && !yyjson_mut_is_obj(target)) {
        kube_status_unprocessable(&q->status);
        err = KVS_E_INVALID;
    }
    *ret_object = target;
    return err;
}

int request_patch(struct kube_request *q, yyjson_mut_val *old, yyjson_mut_val **ret_object)
{
    bool is_apply = q->media == KUBE_MEDIA_APPLY_PATCH;
    int err = is_apply ? request_apply(q, old, ret_object) : request_patch_copy(q, old, ret_object);

    if (err == 0) {
        err = request_check_kind(q, *ret_object);
    }
    return err == 0 ? request_typed(q, *ret_object, !is_apply) : err;
}

/* --- options of a deletion ----------------------------------------------------------------------
 */

static int
request_read_options(struct kube_request *q, struct kube_delete_options *o, yyjson_mut_val *options)
{
    yyjson_mut_val *grace = kube_json_get(options, "gracePeriodSeconds");
    yyjson_mut_val *orphan = kube_json_get(options, "orphanDependents");
    yyjson_mut_val *conditions = kube_json_get(options, "preconditions");
    struct kvs_view propagation = kube_json_get_str(options, "propagationPolicy");

    if (yyjson_mut_is_int(grace)) {
        o->grace_period_s = yyjson_mut_get_sint(grace);
    }
    if (yyjson_mut_is_bool(orphan)) {
        o->propagation =
            yyjson_mut_get_bool(orphan) ? KUBE_PROPAGATION_ORPHAN : KUBE_PROPAGATION_BACKGROUND;
    }
    if (propagation.len > 0 && !kube_propagation_parse(propagation, &o->propagation)) {
        kube_status_bad_request(&q->status, "invalid propagation policy \"%.*s\"",
                                (int)propagation.len, (const char *)propagation.data);
        return KVS_E_INVALID;
    }
    o->uid = kube_json_get_str(conditions, "uid");
    o->resource_version = kube_json_get_str(conditions, "resourceVersion");
    return 0;
}

int request_delete_options(struct kube_request *q, struct kube_delete_options *ret_options)
{
    yyjson_mut_val *options;
    int err;

    *ret_options = (struct kube_delete_options){.grace_period_s = q->query->grace_period_s,
                                                .propagation = q->query->propagation,
                                                .dry_run = q->query->dry_run};
    if (q->body.len == 0) {
        return 0;
    }
    err = request_read(q, &options);
    return err != 0 ? err : request_read_options(q, ret_options, options);
}

/* --- admission: the namespace's life ------------------------------------------------------------
 */

int request_check_namespace(struct kube_request *q)
{
    struct kvs_view name = q->route->namespace;
    const struct kube_resource *namespaces =
        kube_resource_find(view_str(""), view_str("v1"), view_str("namespaces"));
    const struct kube_item *item;
    struct kvs_view phase;

    if (name.len == 0) {
        return 0;
    }
    item = kube_cache_get(kube_registry_cache(q->registry, namespaces), name);
    if (item == NULL) {
        kube_status_not_found(&q->status, namespaces, name);
        return KVS_E_INVALID;
    }
    if (kube_item_field(item, view_str("status.phase"), &phase) &&
        view_equal_str(phase, "Terminating")) {
        kube_status_forbidden(&q->status, q->route->resource,
                              kube_json_get_str(kube_json_get(q->object, "metadata"), "name"),
                              "unable to create new content in namespace %.*s because it is being "
                              "terminated",
                              (int)name.len, (const char *)name.data);
        return KVS_E_INVALID;
    }
    return 0;
}
