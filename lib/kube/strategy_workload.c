/* Workloads: what a deployment, a set or a controller is unless its client says otherwise. */
#include "kube/strategy_int.h"

static yyjson_mut_val *template_default(struct kube_edit *e, yyjson_mut_val *spec)
{
    yyjson_mut_val *template = edit_object(e, spec, "template");

    pod_spec_default(e, edit_object(e, template, "spec"), false);
    return template;
}

void pod_template_default(struct kube_edit *e, yyjson_mut_val *object)
{
    (void)template_default(e, object);
}

/* `rolling` counts for the type RollingUpdate only. */
static yyjson_mut_val *
rolling_default(struct kube_edit *e, yyjson_mut_val *spec, const char *strategy_name)
{
    yyjson_mut_val *strategy = edit_object(e, spec, strategy_name);

    edit_default_text(e, strategy, "type", "RollingUpdate");
    return strategy_is(strategy, "type", "RollingUpdate")
               ? edit_object(e, strategy, "rollingUpdate")
               : NULL;
}

void deployment_default(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *spec = edit_object(e, object, "spec");
    yyjson_mut_val *rolling = rolling_default(e, spec, "strategy");

    edit_default_int(e, spec, "replicas", 1);
    if (rolling != NULL) {
        edit_default_pointer(e, rolling, "maxUnavailable", "25%");
        edit_default_pointer(e, rolling, "maxSurge", "25%");
    }
    edit_default_int(e, spec, "revisionHistoryLimit", 10);
    edit_default_int(e, spec, "progressDeadlineSeconds", 600);
    (void)template_default(e, spec);
}

void replicaset_default(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *spec = edit_object(e, object, "spec");

    edit_default_int(e, spec, "replicas", 1);
    (void)template_default(e, spec);
}

/* Labels of the object are the template's if it has none of its own. */
static void labels_default(struct kube_edit *e, yyjson_mut_val *object, yyjson_mut_val *labels)
{
    yyjson_mut_val *metadata = kube_json_get(object, "metadata");

    if (!strategy_is_empty(labels) && strategy_is_empty(kube_json_get(metadata, "labels"))) {
        edit_copy(e, edit_object(e, object, "metadata"), "labels", labels);
    }
}

void controller_default(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *spec = edit_object(e, object, "spec");
    yyjson_mut_val *labels;

    edit_default_int(e, spec, "replicas", 1);
    labels = kube_json_get(kube_json_get(template_default(e, spec), "metadata"), "labels");
    if (!strategy_is_empty(labels) && strategy_is_empty(kube_json_get(spec, "selector"))) {
        edit_copy(e, spec, "selector", labels);
    }
    labels_default(e, object, labels);
}

void daemonset_default(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *spec = edit_object(e, object, "spec");
    yyjson_mut_val *rolling = rolling_default(e, spec, "updateStrategy");

    if (rolling != NULL) {
        edit_default_int(e, rolling, "maxUnavailable", 1);
        edit_default_int(e, rolling, "maxSurge", 0);
    }
    edit_default_int(e, spec, "revisionHistoryLimit", 10);
    (void)template_default(e, spec);
}

static void claim_template_default(struct kube_edit *e, yyjson_mut_val *claim)
{
    edit_default_text(e, claim, "apiVersion", "v1");
    edit_default_text(e, claim, "kind", "PersistentVolumeClaim");
    claim_default(e, claim);
}

void statefulset_default(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *spec = edit_object(e, object, "spec");
    yyjson_mut_val *rolling = rolling_default(e, spec, "updateStrategy");
    yyjson_mut_val *retention = edit_object(e, spec, "persistentVolumeClaimRetentionPolicy");

    edit_default_text(e, spec, "podManagementPolicy", "OrderedReady");
    if (rolling != NULL) {
        edit_default_int(e, rolling, "partition", 0);
    }
    edit_default_text(e, retention, "whenDeleted", "Retain");
    edit_default_text(e, retention, "whenScaled", "Retain");
    edit_default_int(e, spec, "replicas", 1);
    edit_default_int(e, spec, "revisionHistoryLimit", 10);
    edit_each(e, spec, "volumeClaimTemplates", claim_template_default);
    (void)template_default(e, spec);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static void condition_default(struct kube_edit *e, yyjson_mut_val *condition)
{
    edit_default_text(e, condition, "status", "True");
}

static void failure_rule_default(struct kube_edit *e, yyjson_mut_val *rule)
{
    edit_each(e, rule, "onPodConditions", condition_default);
}

static void job_spec_default(struct kube_edit *e, yyjson_mut_val *spec)
{
    bool per_index = strategy_is_set(kube_json_get(spec, "backoffLimitPerIndex"));
    yyjson_mut_val *policy = kube_json_get(spec, "podFailurePolicy");

    if (!strategy_is_set(kube_json_get(spec, "parallelism"))) {
        if (!strategy_is_set(kube_json_get(spec, "completions"))) {
            edit_default_int(e, spec, "completions", 1);
        }
        edit_default_int(e, spec, "parallelism", 1);
    }
    edit_default_int(e, spec, "backoffLimit", per_index ? INT32_MAX : 6);
    edit_default_text(e, spec, "completionMode", "NonIndexed");
    edit_default_bool(e, spec, "suspend", false);
    edit_default_bool(e, spec, "manualSelector", false);
    edit_default_text(e, spec, "podReplacementPolicy",
                      strategy_is_set(policy) ? "Failed" : "TerminatingOrFailed");
    edit_each(e, policy, "rules", failure_rule_default);
}

void job_default(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *spec = edit_object(e, object, "spec");
    yyjson_mut_val *template = template_default(e, spec);

    job_spec_default(e, spec);
    labels_default(e, object, kube_json_get(kube_json_get(template, "metadata"), "labels"));
}

static void job_label(struct kube_edit *e,
                      yyjson_mut_val *labels,
                      const char *key,
                      const char *legacy_key,
                      struct kvs_view value)
{
    edit_map(e, labels, view_str(key), value);
    edit_map(e, labels, view_str(legacy_key), value);
}

/* The selector of a job is its uid, and its pods are labelled with that. What labels the job has
 * from its template, it has of these, too. */
void job_prepare_create(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *metadata = kube_json_get(object, "metadata");
    yyjson_mut_val *spec = kube_json_get(object, "spec");
    yyjson_mut_val *own = kube_json_get(metadata, "labels");
    struct kvs_view uid = kube_json_get_str(metadata, "uid");
    yyjson_mut_val *labels;
    yyjson_mut_val *selector;
    bool inherited = strategy_is_empty(own);

    if (strategy_flag(spec, "manualSelector")) {
        return;
    }
    labels = edit_object(e, edit_object(e, edit_object(e, spec, "template"), "metadata"), "labels");
    inherited = inherited || kube_json_equal(own, labels);
    job_label(e, labels, "batch.kubernetes.io/controller-uid", "controller-uid", uid);
    job_label(e, labels, "batch.kubernetes.io/job-name", "job-name",
              kube_json_get_str(metadata, "name"));
    selector = edit_object(e, edit_object(e, spec, "selector"), "matchLabels");
    edit_map(e, selector, view_str("batch.kubernetes.io/controller-uid"), uid);
    if (inherited && labels != NULL) {
        edit_copy(e, metadata, "labels", labels);
    }
}

void cronjob_default(struct kube_edit *e, yyjson_mut_val *object)
{
    yyjson_mut_val *spec = edit_object(e, object, "spec");
    yyjson_mut_val *job = edit_object(e, edit_object(e, spec, "jobTemplate"), "spec");

    edit_default_text(e, spec, "concurrencyPolicy", "Allow");
    edit_default_bool(e, spec, "suspend", false);
    edit_default_int(e, spec, "successfulJobsHistoryLimit", 3);
    edit_default_int(e, spec, "failedJobsHistoryLimit", 1);
    (void)template_default(e, job);
}
