/* What makes workloads valid: templates that their selectors select, counts, ways to update. */
#include <stdio.h>

#include "kube/label_selector.h"
#include "kube/meta_validate.h"
#include "kube/strategy_check.h"

#define NO_MATCH "`selector` does not match template `labels`"

static struct check enter_spec(const struct kube_change *change,
                               yyjson_mut_val *object,
                               struct kube_errors *errors,
                               struct kube_path *path)
{
    *path = kube_path_root("spec");
    return (struct check){
        .change = change, .errors = errors, .path = path, .object = kube_json_get(object, "spec")};
}

/* --- templates -------------------------------------------------------------------------------- */

void check_template(const struct check *template)
{
    struct kube_path labels = kube_path_child(template->path, "labels");
    struct kube_path annotations = kube_path_child(template->path, "annotations");
    yyjson_mut_val *metadata = kube_json_get(template->object, "metadata");
    struct kube_path path;
    struct check spec;

    kube_meta_validate_labels(kube_json_get(metadata, "labels"), &labels, template->errors);
    kube_meta_validate_annotations(kube_json_get(metadata, "annotations"), &annotations,
                                   template->errors);
    check_enter(template, "spec", &path, &spec);
    check_pod_spec(&spec, false);
}

void pod_template_validate(const struct kube_change *change,
                           yyjson_mut_val *object,
                           struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("template");
    struct check template = {.change = change,
                             .errors = errors,
                             .path = &path,
                             .object = kube_json_get(object, "template")};

    check_template(&template);
}

static void say_no_match(const struct check *spec, yyjson_mut_val *labels)
{
    struct kube_path path;
    struct kube_path metadata_path;
    struct check template;
    struct check metadata;
    struct buf text;

    check_enter(spec, "template", &path, &template);
    check_enter(&template, "metadata", &metadata_path, &metadata);
    buf_init(&text);
    check_print_map(&text, labels);
    check_say_text(&metadata, "labels", &text, NO_MATCH);
}

/* Selectors that cannot be read are wrong for other reasons, and said to be so elsewhere. */
void check_selector_matches(const struct check *spec, yyjson_mut_val *selector)
{
    yyjson_mut_val *template = kube_json_get(spec->object, "template");
    yyjson_mut_val *labels = kube_json_get(kube_json_get(template, "metadata"), "labels");
    struct kube_label_selector parsed;
    int err = kube_label_selector_read(selector, &parsed, NULL);

    if (err == KVS_E_NOMEM) {
        spec->errors->failed = true;
    }
    if (err != 0) {
        return;
    }
    if (!kube_label_selector_matches(&parsed, labels)) {
        say_no_match(spec, labels);
    }
    kube_label_selector_fini(&parsed);
}

/* A template whose pods run for ever. `kind` as messages have it. */
static void check_lasting(const struct check *spec, const char *kind)
{
    static const char *const always[] = {"Always"};
    struct kube_path template_path;
    struct kube_path path;
    struct check template;
    struct check pod;
    char why[80];

    check_enter(spec, "template", &template_path, &template);
    check_template(&template);
    check_enter(&template, "spec", &path, &pod);
    check_one_of(&pod, "restartPolicy", always, ARRAY_LEN(always));
    if (strategy_is_set(kube_json_get(pod.object, "activeDeadlineSeconds"))) {
        (void)snprintf(why, sizeof why, "activeDeadlineSeconds in %s is not Supported", kind);
        check_forbid(&pod, "activeDeadlineSeconds", why);
    }
}

static bool selects_all(yyjson_mut_val *selector)
{
    return strategy_is_empty(kube_json_get(selector, "matchLabels")) &&
           strategy_is_empty(kube_json_get(selector, "matchExpressions"));
}

static void say_empty_selector(const struct check *spec, const char *why)
{
    struct buf text;

    buf_init(&text);
    check_print_selector(&text, kube_json_get(spec->object, "selector"));
    check_say_text(spec, "selector", &text, why);
}

static void check_selector(const struct check *spec, bool required, const char *empty)
{
    struct kube_path path = kube_path_child(spec->path, "selector");
    yyjson_mut_val *selector = kube_json_get(spec->object, "selector");

    if (!strategy_is_set(selector)) {
        if (required) {
            check_need(spec, "selector", "");
        }
        return;
    }
    kube_label_selector_validate(selector, false, &path, spec->errors);
    if (selects_all(selector)) {
        say_empty_selector(spec, empty);
    }
}

/* --- deployments and replica sets ------------------------------------------------------------- */

static void check_rolling(const struct check *rolling)
{
    yyjson_mut_val *unavailable = kube_json_get(rolling->object, "maxUnavailable");
    yyjson_mut_val *surge = kube_json_get(rolling->object, "maxSurge");
    struct buf text;

    check_int_or_percent(rolling, "maxUnavailable");
    check_int_or_percent(rolling, "maxSurge");
    if (check_int_or_percent_value(unavailable) == 0 && check_int_or_percent_value(surge) == 0) {
        buf_init(&text);
        check_print_int_or_string(&text, unavailable);
        check_say_text(rolling, "maxUnavailable", &text, "may not be 0 when `maxSurge` is 0");
    }
    check_at_most_all(rolling, "maxUnavailable");
}

static void check_deployment_strategy(const struct check *spec)
{
    static const char *const types[] = {"Recreate", "RollingUpdate"};
    struct kube_path path;
    struct kube_path rolling_path;
    struct check strategy;
    struct check rolling;

    check_enter(spec, "strategy", &path, &strategy);
    check_enter(&strategy, "rollingUpdate", &rolling_path, &rolling);
    check_required_one_of(&strategy, "type", types, ARRAY_LEN(types));
    if (strategy_is(strategy.object, "type", "RollingUpdate")) {
        check_rolling(&rolling);
    } else if (strategy_is(strategy.object, "type", "Recreate") &&
               strategy_is_set(rolling.object)) {
        check_forbid(&strategy, "rollingUpdate",
                     "may not be specified when strategy `type` is 'Recreate'");
    }
}

static void check_progress(const struct check *spec)
{
    yyjson_mut_val *deadline = kube_json_get(spec->object, "progressDeadlineSeconds");
    int64_t ready = yyjson_mut_get_sint(kube_json_get(spec->object, "minReadySeconds"));

    check_not_negative(spec, "progressDeadlineSeconds");
    if (yyjson_mut_is_int(deadline) && yyjson_mut_get_sint(deadline) <= ready) {
        check_say(spec, "progressDeadlineSeconds", kube_bad_int(yyjson_mut_get_sint(deadline)),
                  "must be greater than minReadySeconds");
    }
}

void deployment_validate(const struct kube_change *change,
                         yyjson_mut_val *object,
                         struct kube_errors *errors)
{
    struct kube_path path;
    struct check spec = enter_spec(change, object, errors, &path);

    check_not_negative(&spec, "replicas");
    check_selector(&spec, true, "empty selector is invalid for deployment");
    check_selector_matches(&spec, kube_json_get(spec.object, "selector"));
    check_lasting(&spec, "ReplicaSet");
    check_deployment_strategy(&spec);
    check_not_negative(&spec, "minReadySeconds");
    check_not_negative(&spec, "revisionHistoryLimit");
    check_progress(&spec);
}

/* The selector of what owns pods stays: it decides which are owned. */
static void selector_validate_update(const struct kube_change *change,
                                     yyjson_mut_val *object,
                                     yyjson_mut_val *old,
                                     struct kube_errors *errors)
{
    struct kube_path path;
    struct check spec = enter_spec(change, object, errors, &path);

    check_immutable(&spec, kube_json_get(old, "spec"), "selector");
}

void deployment_validate_update(const struct kube_change *change,
                                yyjson_mut_val *object,
                                yyjson_mut_val *old,
                                struct kube_errors *errors)
{
    selector_validate_update(change, object, old, errors);
}

void replicaset_validate(const struct kube_change *change,
                         yyjson_mut_val *object,
                         struct kube_errors *errors)
{
    struct kube_path path;
    struct check spec = enter_spec(change, object, errors, &path);

    check_not_negative(&spec, "replicas");
    check_not_negative(&spec, "minReadySeconds");
    check_selector(&spec, true, "empty selector is invalid for deployment");
    check_selector_matches(&spec, kube_json_get(spec.object, "selector"));
    check_lasting(&spec, "ReplicaSet");
}

void replicaset_validate_update(const struct kube_change *change,
                                yyjson_mut_val *object,
                                yyjson_mut_val *old,
                                struct kube_errors *errors)
{
    selector_validate_update(change, object, old, errors);
}

/* --- replication controllers ------------------------------------------------------------------ */

/* Its selector is a plain map. */
static bool map_selects(yyjson_mut_val *selector, yyjson_mut_val *labels)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(selector);
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        yyjson_mut_val *value = kube_json_get_view(labels, kube_json_str(key));

        if (value == NULL ||
            !view_equal(kube_json_str(value), kube_json_str(yyjson_mut_obj_iter_get_val(key)))) {
            return false;
        }
    }
    return true;
}

void controller_validate(const struct kube_change *change,
                         yyjson_mut_val *object,
                         struct kube_errors *errors)
{
    struct kube_path path;
    struct check spec = enter_spec(change, object, errors, &path);
    yyjson_mut_val *selector = kube_json_get(spec.object, "selector");
    yyjson_mut_val *template = kube_json_get(spec.object, "template");
    yyjson_mut_val *labels = kube_json_get(kube_json_get(template, "metadata"), "labels");

    check_not_negative(&spec, "minReadySeconds");
    if (strategy_is_empty(selector)) {
        check_need(&spec, "selector", "");
    }
    check_not_negative(&spec, "replicas");
    if (!map_selects(selector, labels)) {
        say_no_match(&spec, labels);
    }
    check_lasting(&spec, "ReplicationController");
}

/* --- daemon sets ------------------------------------------------------------------------------ */

static void check_daemon_rolling(const struct check *rolling)
{
    yyjson_mut_val *surge = kube_json_get(rolling->object, "maxSurge");
    bool has_unavailable =
        check_int_or_percent_value(kube_json_get(rolling->object, "maxUnavailable")) != 0;
    bool has_surge = check_int_or_percent_value(surge) != 0;
    struct buf text;

    check_int_or_percent(rolling, "maxUnavailable");
    check_int_or_percent(rolling, "maxSurge");
    if (has_unavailable && has_surge) {
        buf_init(&text);
        check_print_int_or_string(&text, surge);
        check_say_text(rolling, "maxSurge", &text,
                       "may not be set when maxUnavailable is non-zero");
    } else if (!has_unavailable && !has_surge) {
        check_need(rolling, "maxUnavailable", "cannot be 0 when maxSurge is 0");
    }
    check_at_most_all(rolling, "maxUnavailable");
    check_at_most_all(rolling, "maxSurge");
}

void daemonset_validate(const struct kube_change *change,
                        yyjson_mut_val *object,
                        struct kube_errors *errors)
{
    static const char *const types[] = {"RollingUpdate", "OnDelete"};
    struct kube_path path;
    struct check spec = enter_spec(change, object, errors, &path);
    struct kube_path strategy_path;
    struct kube_path rolling_path;
    struct check strategy;
    struct check rolling;

    check_selector_matches(&spec, kube_json_get(spec.object, "selector"));
    check_selector(&spec, false, "empty selector is invalid for daemonset");
    check_lasting(&spec, "DaemonSet");
    check_not_negative(&spec, "minReadySeconds");
    check_enter(&spec, "updateStrategy", &strategy_path, &strategy);
    check_one_of(&strategy, "type", types, ARRAY_LEN(types));
    check_enter(&strategy, "rollingUpdate", &rolling_path, &rolling);
    if (strategy_is(strategy.object, "type", "RollingUpdate")) {
        check_daemon_rolling(&rolling);
    }
    check_not_negative(&spec, "revisionHistoryLimit");
}

void daemonset_validate_update(const struct kube_change *change,
                               yyjson_mut_val *object,
                               yyjson_mut_val *old,
                               struct kube_errors *errors)
{
    selector_validate_update(change, object, old, errors);
}

/* --- stateful sets ---------------------------------------------------------------------------- */

static void check_stateful_strategy(const struct check *spec)
{
    struct kvs_view management = kube_json_get_str(spec->object, "podManagementPolicy");
    struct kube_path path;
    struct kube_path rolling_path;
    struct check strategy;
    struct check rolling;

    if (!view_equal_str(management, "OrderedReady") && !view_equal_str(management, "Parallel")) {
        check_say(spec, "podManagementPolicy", kube_bad_string(management),
                  "must be 'OrderedReady' or 'Parallel'");
    }
    check_enter(spec, "updateStrategy", &path, &strategy);
    check_enter(&strategy, "rollingUpdate", &rolling_path, &rolling);
    if (strategy_is(strategy.object, "type", "RollingUpdate")) {
        check_not_negative(&rolling, "partition");
    } else if (!strategy_is(strategy.object, "type", "OnDelete")) {
        check_say(spec, "updateStrategy",
                  kube_bad_string(kube_json_get_str(strategy.object, "type")),
                  "must be 'RollingUpdate' or 'OnDelete'");
    }
}

void statefulset_validate(const struct kube_change *change,
                          yyjson_mut_val *object,
                          struct kube_errors *errors)
{
    static const char *const retentions[] = {"Retain", "Delete"};
    struct kube_path path;
    struct check spec = enter_spec(change, object, errors, &path);
    struct kube_path retention_path;
    struct check retention;

    check_stateful_strategy(&spec);
    check_enter(&spec, "persistentVolumeClaimRetentionPolicy", &retention_path, &retention);
    check_one_of(&retention, "whenDeleted", retentions, ARRAY_LEN(retentions));
    check_one_of(&retention, "whenScaled", retentions, ARRAY_LEN(retentions));
    check_not_negative(&spec, "replicas");
    check_not_negative(&spec, "minReadySeconds");
    check_selector(&spec, true, "empty selector is invalid for statefulset");
    check_selector_matches(&spec, kube_json_get(spec.object, "selector"));
    check_lasting(&spec, "StatefulSet");
}

void statefulset_validate_update(const struct kube_change *change,
                                 yyjson_mut_val *object,
                                 yyjson_mut_val *old_object,
                                 struct kube_errors *errors)
{
    static const char *const fixed[] = {"serviceName", "selector", "volumeClaimTemplates",
                                        "podManagementPolicy", "revisionHistoryLimit"};
    struct kube_path path;
    struct check spec = enter_spec(change, object, errors, &path);
    yyjson_mut_val *old = kube_json_get(old_object, "spec");

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        if (!check_equal(&spec, kube_json_get(spec.object, fixed[i]),
                         kube_json_get(old, fixed[i]))) {
            kube_errors_forbidden(
                errors, &path,
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                "'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and "
                "'minReadySeconds' are forbidden");
            return;
        }
    }
}
