/* What makes autoscalers, roles, classes of priority, budgets and leases valid. */
#include <stdio.h>
#include <string.h>

#include "kube/label_selector.h"
#include "kube/quote.h"
#include "kube/strategy_check.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

/* --- autoscalers ------------------------------------------------------------------------------ */

void autoscaler_validate(const struct kube_change *change,
                         yyjson_mut_val *object,
                         struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};
    yyjson_mut_val *min = kube_json_get(spec.object, "minReplicas");
    int64_t least = yyjson_mut_get_sint(min);
    int64_t most = yyjson_mut_get_sint(kube_json_get(spec.object, "maxReplicas"));
    struct kube_path target_path;
    struct check target;

    if (yyjson_mut_is_int(min) && least < 1) {
        check_say(&spec, "minReplicas", kube_bad_int(least), "must be greater than or equal to 1");
    }
    if (most < 1) {
        check_say(&spec, "maxReplicas", kube_bad_int(most), "must be greater than 0");
    }
    if (yyjson_mut_is_int(min) && most < least) {
        check_say(&spec, "maxReplicas", kube_bad_int(most),
                  "must be greater than or equal to `minReplicas`");
    }
    check_enter(&spec, "scaleTargetRef", &target_path, &target);
    (void)check_required(&target, "kind");
    (void)check_required(&target, "name");
}

/* --- roles ------------------------------------------------------------------------------------ */

static void say_urls(const struct check *rule, const char *why)
{
    struct buf text;

    buf_init(&text);
    check_print_list(&text, kube_json_get(rule->object, "nonResourceURLs"));
    check_say_text(rule, "nonResourceURLs", &text, why);
}

static bool has_none(const struct check *c, const char *list)
{
    return strategy_is_empty(kube_json_get(c->object, list));
}

/* `ctx`: the rule is of a namespace. */
static void check_rule(const struct check *rule, void *ctx)
{
    if (has_none(rule, "verbs")) {
        check_need(rule, "verbs", "verbs must contain at least one value");
    }
    if (!has_none(rule, "nonResourceURLs")) {
        if (ctx != NULL) {
            say_urls(rule, "namespaced rules cannot apply to non-resource URLs");
        }
        if (!has_none(rule, "apiGroups") || !has_none(rule, "resources") ||
            !has_none(rule, "resourceNames")) {
            say_urls(rule, "rules cannot apply to both regular resources and non-resource URLs");
        }
        return;
    }
    if (has_none(rule, "apiGroups")) {
        check_need(rule, "apiGroups", "resource rules must supply at least one api group");
    }
    if (has_none(rule, "resources")) {
        check_need(rule, "resources", "resource rules must supply at least one resource");
    }
}

void role_validate(const struct kube_change *change,
                   yyjson_mut_val *object,
                   struct kube_errors *errors)
{
    struct check root = {.change = change, .errors = errors, .object = object};

    check_each(&root, "rules", check_rule, object);
}

void cluster_role_validate(const struct kube_change *change,
                           yyjson_mut_val *object,
                           struct kube_errors *errors)
{
    struct check root = {.change = change, .errors = errors, .object = object};

    check_each(&root, "rules", check_rule, NULL);
}

/* --- bindings --------------------------------------------------------------------------------- */

static void check_subject(const struct check *subject, void *ctx)
{
    static const char *const kinds[] = {"ServiceAccount", "User", "Group"};
    static const char *const none[] = {""};
    static const char *const rbac[] = {RBAC_GROUP};
    const bool *namespaced = ctx;
    bool is_account = strategy_is(subject->object, "kind", "ServiceAccount");
    bool is_known = is_account || strategy_is(subject->object, "kind", "User") ||
                    strategy_is(subject->object, "kind", "Group");

    (void)check_required(subject, "name");
    if (is_account) {
        check_name(subject, "name", kube_name_dns1123_subdomain);
        check_one_of(subject, "apiGroup", none, ARRAY_LEN(none));
        if (!*namespaced) {
            (void)check_required(subject, "namespace");
        }
    } else if (is_known) {
        check_one_of(subject, "apiGroup", rbac, ARRAY_LEN(rbac));
    } else {
        struct kube_path path = kube_path_child(subject->path, "kind");
        struct kvs_view kind = kube_json_get_str(subject->object, "kind");

        kube_errors_not_supported(subject->errors, &path,
                                  kube_bad_string(kind.data == NULL ? view_str("") : kind), kinds,
                                  ARRAY_LEN(kinds));
    }
}

void role_binding_validate(const struct kube_change *change,
                           yyjson_mut_val *object,
                           struct kube_errors *errors)
{
    static const char *const groups[] = {RBAC_GROUP};
    static const char *const both[] = {"Role", "ClusterRole"};
    bool namespaced = change->resource->namespaced;
    const char *const *kinds = namespaced ? both : both + 1;
    struct check root = {.change = change, .errors = errors, .object = object};
    struct kube_path path;
    struct check ref;

    check_enter(&root, "roleRef", &path, &ref);
    check_one_of(&ref, "apiGroup", groups, ARRAY_LEN(groups));
    if (kube_json_get_str(ref.object, "kind").len == 0) {
        struct kube_path kind = kube_path_child(&path, "kind");

        kube_errors_not_supported(errors, &kind, kube_bad_string(view_str("")), kinds,
                                  namespaced ? 2 : 1);
    }
    check_one_of(&ref, "kind", kinds, namespaced ? 2 : 1);
    if (check_required(&ref, "name")) {
        check_name(&ref, "name", kube_name_path_segment);
    }
    check_each(&root, "subjects", check_subject, &namespaced);
}

void role_binding_validate_update(const struct kube_change *change,
                                  yyjson_mut_val *object,
                                  yyjson_mut_val *old,
                                  struct kube_errors *errors)
{
    struct check root = {.change = change, .errors = errors, .object = object};
    yyjson_mut_val *ref = kube_json_get(object, "roleRef");
    struct buf text;

    if (check_equal(&root, ref, kube_json_get(old, "roleRef"))) {
        return;
    }
    buf_init(&text);
    buf_append_str(&text, "rbac.RoleRef{APIGroup:");
    kube_quote(&text, kube_json_get_str(ref, "apiGroup"));
    buf_append_str(&text, ", Kind:");
    kube_quote(&text, kube_json_get_str(ref, "kind"));
    buf_append_str(&text, ", Name:");
    kube_quote(&text, kube_json_get_str(ref, "name"));
    buf_append_u8(&text, '}');
    check_say_text(&root, "roleRef", &text, "cannot change roleRef");
}

/* --- priorities ------------------------------------------------------------------------------- */

static bool is_system_class(struct kvs_view name, int64_t value)
{
    return (view_equal_str(name, "system-cluster-critical") && value == 2000000000) ||
           (view_equal_str(name, "system-node-critical") && value == 2000001000);
}

void priority_class_validate(const struct kube_change *change,
                             yyjson_mut_val *object,
                             struct kube_errors *errors)
{
    static const char *const policies[] = {"Never", "PreemptLowerPriority"};
    static const char reserved[] = "system-";
    enum { USER_MAX = 1000000000 };
    struct check root = {.change = change, .errors = errors, .object = object};
    struct kvs_view name = kube_json_get_str(kube_json_get(object, "metadata"), "name");
    int64_t value = yyjson_mut_get_sint(kube_json_get(object, "value"));
    struct kube_path path;
    struct check metadata;

    if (name.len >= sizeof reserved - 1 && memcmp(name.data, reserved, sizeof reserved - 1) == 0) {
        if (!is_system_class(name, value)) {
            check_enter(&root, "metadata", &path, &metadata);
            check_forbid(&metadata, "name",
                         "priority class names with 'system-' prefix are reserved for system use "
                         "only. error: it is not a known system priority class");
        }
    } else if (value > USER_MAX) {
        check_forbid(&root, "value",
                     "maximum allowed value of a user defined priority is 1000000000");
    }
    check_one_of(&root, "preemptionPolicy", policies, ARRAY_LEN(policies));
}

void priority_class_validate_update(const struct kube_change *change,
                                    yyjson_mut_val *object,
                                    yyjson_mut_val *old,
                                    struct kube_errors *errors)
{
    struct check root = {.change = change, .errors = errors, .object = object};

    if (!check_equal(&root, kube_json_get(object, "value"), kube_json_get(old, "value"))) {
        check_forbid(&root, "value", "may not be changed in an update.");
    }
    check_immutable(&root, old, "preemptionPolicy");
}

/* --- budgets and leases ----------------------------------------------------------------------- */

void disruption_budget_validate(const struct kube_change *change,
                                yyjson_mut_val *object,
                                struct kube_errors *errors)
{
    static const char *const evictions[] = {"AlwaysAllow", "IfHealthyBudget"};
    struct kube_path path = kube_path_root("spec");
    struct kube_path selector = kube_path_child(&path, "selector");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};
    struct buf text;

    if (strategy_is_set(kube_json_get(spec.object, "minAvailable")) &&
        strategy_is_set(kube_json_get(spec.object, "maxUnavailable"))) {
        buf_init(&text);
        if (kube_json_write(&text, spec.object) != 0 || text.failed) {
            errors->failed = true;
        } else {
            kube_errors_invalid(errors, &path, kube_bad_text(buf_view(&text)),
                                "minAvailable and maxUnavailable cannot be both set");
        }
        buf_fini(&text);
    }
    check_int_or_percent(&spec, "minAvailable");
    check_at_most_all(&spec, "minAvailable");
    check_int_or_percent(&spec, "maxUnavailable");
    check_at_most_all(&spec, "maxUnavailable");
    kube_label_selector_validate(kube_json_get(spec.object, "selector"), false, &selector, errors);
    check_one_of(&spec, "unhealthyPodEvictionPolicy", evictions, ARRAY_LEN(evictions));
}

void lease_validate(const struct kube_change *change,
                    yyjson_mut_val *object,
                    struct kube_errors *errors)
{
    static const char duration[] = "leaseDurationSeconds";
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};
    yyjson_mut_val *seconds = kube_json_get(spec.object, duration);

    if (yyjson_mut_is_int(seconds) && yyjson_mut_get_sint(seconds) <= 0) {
        check_say(&spec, duration, kube_bad_int(yyjson_mut_get_sint(seconds)),
                  "must be greater than 0");
    }
    check_not_negative(&spec, "leaseTransitions");
}
