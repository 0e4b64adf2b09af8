/* What makes jobs and their schedules valid. */
#include <stdio.h>
#include <string.h>

#include "kube/cron.h"
#include "kube/label_selector.h"
#include "kube/strategy_check.h"
#include "kube/zone.h"

static void check_job_restarts(const struct check *template)
{
    static const char *const restarts[] = {"OnFailure", "Never"};
    struct kube_path path;
    struct check pod;

    check_enter(template, "spec", &path, &pod);
    if (strategy_is(pod.object, "restartPolicy", "Always")) {
        check_need(&pod, "restartPolicy", "valid values: \"OnFailure\", \"Never\"");
    } else {
        check_one_of(&pod, "restartPolicy", restarts, ARRAY_LEN(restarts));
    }
}

static void check_job_spec(const struct check *spec)
{
    static const char *const counts[] = {"parallelism",
                                         "completions",
                                         "activeDeadlineSeconds",
                                         "backoffLimit",
                                         "ttlSecondsAfterFinished",
                                         "backoffLimitPerIndex"};
    static const char *const modes[] = {"Indexed", "NonIndexed"};
    struct kube_path path;
    struct check template;

    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        check_not_negative(spec, counts[i]);
    }
    check_one_of(spec, "completionMode", modes, ARRAY_LEN(modes));
    if (strategy_is(spec->object, "completionMode", "Indexed") &&
        !strategy_is_set(kube_json_get(spec->object, "completions"))) {
        check_need(spec, "completions", "when completion mode is Indexed");
    }
    check_enter(spec, "template", &path, &template);
    check_template(&template);
    check_job_restarts(&template);
}

void job_validate(const struct kube_change *change,
                  yyjson_mut_val *object,
                  struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("spec");
    struct kube_path selector_path = kube_path_child(&path, "selector");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};
    yyjson_mut_val *selector = kube_json_get(spec.object, "selector");

    check_job_spec(&spec);
    if (!strategy_is_set(selector)) {
        check_need(&spec, "selector", "");
    }
    kube_label_selector_validate(selector, false, &selector_path, errors);
    check_selector_matches(&spec, selector);
}

/* The template is shown in JSON, not as Go's structs. */
void job_validate_update(const struct kube_change *change,
                         yyjson_mut_val *object,
                         yyjson_mut_val *old_object,
                         struct kube_errors *errors)
{
    static const char *const fixed[] = {"completions", "selector", "template", "completionMode"};
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};
    yyjson_mut_val *old = kube_json_get(old_object, "spec");
    bool elastic = strategy_is(spec.object, "completionMode", "Indexed") &&
                   check_equal(&spec, kube_json_get(spec.object, "completions"),
                               kube_json_get(spec.object, "parallelism"));

    for (size_t i = elastic ? 1 : 0; i < ARRAY_LEN(fixed); i++) {
        check_immutable(&spec, old, fixed[i]);
    }
}

/* --- schedules -------------------------------------------------------------------------------- */

static bool contains(struct kvs_view text, const char *part)
{
    size_t len = strlen(part);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp((const char *)text.data + i, part, len) == 0) {
            return true;
        }
    }
    return false;
}

static void check_schedule(const struct check *spec)
{
    struct kvs_view schedule = kube_json_get_str(spec->object, "schedule");
    struct kube_cron cron;
    struct buf why;
    int err;

    if (!check_required(spec, "schedule")) {
        return;
    }
    buf_init(&why);
    err = kube_cron_parse(schedule, &cron, &why);
    if (err == 0) {
        kube_cron_fini(&cron);
    } else if (err == KVS_E_INVALID) {
        buf_append_u8(&why, 0);
    }
    if (why.failed || err == KVS_E_NOMEM) {
        spec->errors->failed = true;
    } else if (err != 0) {
        check_say(spec, "schedule", kube_bad_string(schedule), (const char *)why.data);
    }
    buf_fini(&why);
    if (contains(schedule, "TZ")) {
        check_say(spec, "schedule", kube_bad_string(schedule),
                  "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    }
}

static void check_time_zone(const struct check *spec)
{
    yyjson_mut_val *value = kube_json_get(spec->object, "timeZone");
    struct kvs_view name = kube_json_str(value);
    struct kube_zone *zone = NULL;
    char why[160];
    int err;

    if (!yyjson_mut_is_str(value)) {
        return;
    }
    if (name.len == 0) {
        check_say(spec, "timeZone", kube_bad_string(view_str("")),
                  "timeZone must be nil or non-empty string");
        return;
    }
    err = kube_zone_open(name, &zone, NULL);
    if (err == KVS_E_NOMEM) {
        spec->errors->failed = true;
    } else if (err != 0) {
        (void)snprintf(why, sizeof why, "unknown time zone %.*s", (int)name.len,
                       (const char *)name.data);
        check_say(spec, "timeZone", kube_bad_string(name), why);
    }
    kube_zone_close(zone);
}

void cronjob_validate(const struct kube_change *change,
                      yyjson_mut_val *object,
                      struct kube_errors *errors)
{
    static const char *const policies[] = {"Allow", "Forbid", "Replace"};
    enum { NAME_MAX_BYTES = 52 };
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};
    struct kvs_view name = kube_json_get_str(kube_json_get(object, "metadata"), "name");
    struct kube_path metadata = kube_path_root("metadata");
    struct kube_path name_path = kube_path_child(&metadata, "name");
    struct kube_path template_path;
    struct kube_path job_path;
    struct check template;
    struct check job;

    check_schedule(&spec);
    check_not_negative(&spec, "startingDeadlineSeconds");
    check_time_zone(&spec);
    check_required_one_of(&spec, "concurrencyPolicy", policies, ARRAY_LEN(policies));
    check_enter(&spec, "jobTemplate", &template_path, &template);
    check_enter(&template, "spec", &job_path, &job);
    check_job_spec(&job);
    check_not_negative(&spec, "successfulJobsHistoryLimit");
    check_not_negative(&spec, "failedJobsHistoryLimit");
    if (name.len > NAME_MAX_BYTES) {
        kube_errors_invalid(errors, &name_path, kube_bad_string(name),
                            "must be no more than 52 characters");
    }
}
