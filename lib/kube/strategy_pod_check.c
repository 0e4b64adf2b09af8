/* What makes a pod valid, and what of it may change. In the order of Kubernetes' ValidatePodSpec,
 * which the order of errors shows. */
#include <string.h>

#include "kube/meta_validate.h"
#include "kube/strategy_check.h"

/* --- references of a specification ------------------------------------------------------------ */

static void check_security(const struct check *spec)
{
    struct kube_path path;
    struct check context;

    check_enter(spec, "securityContext", &path, &context);
    check_range(&context, "runAsUser", 0, INT32_MAX);
    check_range(&context, "runAsGroup", 0, INT32_MAX);
    check_range(&context, "fsGroup", 0, INT32_MAX);
}

static void check_dns(const struct check *spec)
{
    static const char *const policies[] = {"ClusterFirstWithHostNet", "ClusterFirst", "Default",
                                           "None"};
    yyjson_mut_val *config = kube_json_get(spec->object, "dnsConfig");
    struct kube_path path = kube_path_child(spec->path, "dnsConfig");

    check_required_one_of(spec, "dnsPolicy", policies, ARRAY_LEN(policies));
    if (strategy_is(spec->object, "dnsPolicy", "None") &&
        strategy_is_empty(kube_json_get(config, "nameservers"))) {
        if (strategy_is_set(config)) {
            struct kube_path servers = kube_path_child(&path, "nameservers");

            kube_errors_required(spec->errors, &servers,
                                 "must provide at least one DNS nameserver when `dnsPolicy` is "
                                 "None");
        } else {
            kube_errors_required(spec->errors, &path,
                                 "must provide `dnsConfig` when `dnsPolicy` is None");
        }
    }
}

void check_pod_spec(const struct check *spec, bool is_pod)
{
    static const char *const restarts[] = {"Always", "OnFailure", "Never"};
    struct kube_path selector = kube_path_child(spec->path, "nodeSelector");

    check_volumes(spec);
    check_containers(spec, is_pod);
    check_required_one_of(spec, "restartPolicy", restarts, ARRAY_LEN(restarts));
    check_dns(spec);
    kube_meta_validate_labels(kube_json_get(spec->object, "nodeSelector"), &selector, spec->errors);
    check_security(spec);
    check_scheduling(spec);
    check_name(spec, "serviceAccountName", kube_name_dns1123_subdomain);
    check_name(spec, "nodeName", kube_name_dns1123_subdomain);
    check_range(spec, "activeDeadlineSeconds", 1, INT32_MAX);
    check_name(spec, "hostname", kube_name_dns1123_label);
    check_name(spec, "subdomain", kube_name_dns1123_label);
    check_name(spec, "priorityClassName", kube_name_dns1123_subdomain);
    check_not_negative(spec, "terminationGracePeriodSeconds");
}

static struct check check_spec_of(const struct kube_change *change,
                                  yyjson_mut_val *object,
                                  struct kube_errors *errors,
                                  struct kube_path *path)
{
    *path = kube_path_root("spec");
    return (struct check){
        .change = change, .errors = errors, .path = path, .object = kube_json_get(object, "spec")};
}

void pod_validate(const struct kube_change *change, yyjson_mut_val *pod, struct kube_errors *errors)
{
    struct kube_path path;
    struct check spec = check_spec_of(change, pod, errors, &path);

    check_pod_spec(&spec, true);
}

/* --- changes ---------------------------------------------------------------------------------- */

static void check_deadline(const struct check *spec, yyjson_mut_val *old)
{
    static const char name[] = "activeDeadlineSeconds";
    yyjson_mut_val *value = kube_json_get(spec->object, name);
    yyjson_mut_val *before = kube_json_get(old, name);

    if (yyjson_mut_is_int(value) && yyjson_mut_is_int(before) &&
        yyjson_mut_get_sint(value) > yyjson_mut_get_sint(before)) {
        check_say(spec, name, kube_bad_int(yyjson_mut_get_sint(value)),
                  "must be less than or equal to previous value");
    } else if (!yyjson_mut_is_int(value) && yyjson_mut_is_int(before)) {
        check_say(spec, name, kube_bad_null(),
                  "must not update from a positive integer to nil value");
    }
}

/* All but how long it is tolerated. */
static bool toleration_equal(yyjson_mut_val *a, yyjson_mut_val *b)
{
    static const char *const fields[] = {"key", "operator", "value", "effect"};

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (!view_equal(kube_json_get_str(a, fields[i]), kube_json_get_str(b, fields[i]))) {
            return false;
        }
    }
    return true;
}

static bool toleration_kept(yyjson_mut_val *list, yyjson_mut_val *toleration)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;

    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        if (toleration_equal(item, toleration)) {
            return true;
        }
    }
    return false;
}

static void check_tolerations_kept(const struct check *spec, yyjson_mut_val *old)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(kube_json_get(old, "tolerations"));
    yyjson_mut_val *toleration;

    while ((toleration = yyjson_mut_arr_iter_next(&it)) != NULL) {
        if (!toleration_kept(kube_json_get(spec->object, "tolerations"), toleration)) {
            check_forbid(spec, "tolerations",
                         "existing toleration can not be modified except its tolerationSeconds");
            return;
        }
    }
}

static bool check_same_number(const struct check *spec, yyjson_mut_val *old, const char *list)
{
    if (yyjson_mut_arr_size(kube_json_get(spec->object, list)) ==
        yyjson_mut_arr_size(kube_json_get(old, list))) {
        return true;
    }
    check_forbid(spec, list, "pod updates may not add or remove containers");
    return false;
}

/* Images are as they were, so that only what may not change is left to compare. */
static void edit_images(struct kube_edit *e, yyjson_mut_val *list, yyjson_mut_val *old)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_arr_iter before = yyjson_mut_arr_iter_with(old);
    yyjson_mut_val *container;

    while ((container = yyjson_mut_arr_iter_next(&it)) != NULL) {
        edit_copy(e, container, "image", kube_json_get(yyjson_mut_arr_iter_next(&before), "image"));
    }
}

/* The specification with everything that may change as it was. */
static yyjson_mut_val *munge(struct kube_edit *e, yyjson_mut_val *spec, yyjson_mut_val *old)
{
    static const char grace[] = "terminationGracePeriodSeconds";
    yyjson_mut_val *munged = kube_json_copy(e->doc, spec);

    if (munged == NULL) {
        e->failed = true;
        return NULL;
    }
    edit_images(e, kube_json_get(munged, "containers"), kube_json_get(old, "containers"));
    edit_images(e, kube_json_get(munged, "initContainers"), kube_json_get(old, "initContainers"));
    edit_copy(e, munged, "activeDeadlineSeconds", kube_json_get(old, "activeDeadlineSeconds"));
    edit_copy(e, munged, "tolerations", kube_json_get(old, "tolerations"));
    if (yyjson_mut_get_sint(kube_json_get(old, grace)) < 0 &&
        yyjson_mut_get_sint(kube_json_get(munged, grace)) == 1) {
        edit_copy(e, munged, grace, kube_json_get(old, grace));
    }
    return munged;
}

static void print_side(struct buf *out, char sign, yyjson_mut_val *key, yyjson_mut_val *value)
{
    if (value == NULL) {
        return;
    }
    buf_printf(out, "%c \t%s: ", sign, yyjson_mut_get_str(key));
    if (kube_json_write(out, value) != 0) {
        out->failed = true;
    }
    buf_append_str(out, ",\n");
}

/* Members of `from` that `to` has otherwise; with `only_absent`, those that it does not have. */
static void print_differences(const struct check *c,
                              yyjson_mut_val *from,
                              yyjson_mut_val *to,
                              bool only_absent,
                              struct buf *out)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(from);
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        yyjson_mut_val *value = yyjson_mut_obj_iter_get_val(key);
        yyjson_mut_val *other = kube_json_get_view(to, kube_json_str(key));

        if (only_absent) {
            print_side(out, '+', key, other == NULL ? value : NULL);
        } else if (!check_equal(c, value, other)) {
            print_side(out, '-', key, value);
            print_side(out, '+', key, other);
        }
    }
}

/* Kubernetes shows a difference of Go structs here, whose layout its library does not promise; this
 * shows the members in JSON. */
static void say_not_updatable(const struct check *c, yyjson_mut_val *munged, yyjson_mut_val *old)
{
    struct buf text;

    buf_init(&text);
    buf_append_str(
        &text,
        "pod updates may not change fields other than `spec.containers[*].image`,"
        "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
        "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be "
        "set to 1 if it was previously negative)\n  core.PodSpec{\n");
    print_differences(c, old, munged, false, &text);
    print_differences(c, munged, old, true, &text);
    buf_append(&text, "  }\n", sizeof "  }\n");
    if (text.failed) {
        c->errors->failed = true;
    } else {
        kube_errors_forbidden(c->errors, c->path, (const char *)text.data);
    }
    buf_fini(&text);
}

void pod_validate_update(const struct kube_change *change,
                         yyjson_mut_val *pod,
                         yyjson_mut_val *old_pod,
                         struct kube_errors *errors)
{
    struct kube_path path;
    struct check spec = check_spec_of(change, pod, errors, &path);
    struct kube_edit e = {.doc = change->doc, .change = change};
    yyjson_mut_val *old = kube_json_get(old_pod, "spec");
    yyjson_mut_val *munged;

    if (change->sub == KUBE_SUB_EPHEMERALCONTAINERS ||
        !check_same_number(&spec, old, "containers") ||
        !check_same_number(&spec, old, "initContainers")) {
        return;
    }
    check_deadline(&spec, old);
    check_tolerations_kept(&spec, old);
    munged = munge(&e, spec.object, old);
    if (e.failed) {
        errors->failed = true;
    } else if (!check_equal(&spec, munged, old)) {
        say_not_updatable(&spec, munged, old);
    }
}
