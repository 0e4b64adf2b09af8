/* Where a pod may run and what it mounts there: volumes, affinity, spreading, tolerations. */
#include <string.h>

#include "kube/label_selector.h"
#include "kube/quote.h"
#include "kube/strategy_check.h"

/* --- volumes ---------------------------------------------------------------------------------- */

static void check_mode(const struct check *source, const char *name)
{
    enum { MODE_MAX = 0777 };
    yyjson_mut_val *mode = kube_json_get(source->object, name);
    int64_t number = yyjson_mut_get_sint(mode);

    if (yyjson_mut_is_int(mode) && (number < 0 || number > MODE_MAX)) {
        check_say(source, name, kube_bad_int(number),
                  "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

static void check_key_to_path(const struct check *item, void *ctx)
{
    (void)ctx;
    (void)check_required(item, "key");
    (void)check_required(item, "path");
    check_mode(item, "mode");
}

static void check_host_path(const struct check *source)
{
    static const char *const types[] = {
        "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
        "File", "FileOrCreate", "Socket"};

    (void)check_required(source, "path");
    check_one_of(source, "type", types, ARRAY_LEN(types));
}

static void check_nfs(const struct check *source)
{
    struct kvs_view path = kube_json_get_str(source->object, "path");

    (void)check_required(source, "server");
    if (check_required(source, "path") && ((const char *)path.data)[0] != '/') {
        check_say(source, "path", kube_bad_string(path), "must be an absolute path");
    }
}

static void check_source(const struct check *source, const char *type)
{
    if (strcmp(type, "hostPath") == 0) {
        check_host_path(source);
    } else if (strcmp(type, "secret") == 0) {
        (void)check_required(source, "secretName");
        check_mode(source, "defaultMode");
        check_each(source, "items", check_key_to_path, NULL);
    } else if (strcmp(type, "configMap") == 0) {
        (void)check_required(source, "name");
        check_mode(source, "defaultMode");
        check_each(source, "items", check_key_to_path, NULL);
    } else if (strcmp(type, "persistentVolumeClaim") == 0) {
        (void)check_required(source, "claimName");
    } else if (strcmp(type, "nfs") == 0) {
        check_nfs(source);
    }
}

static void check_volume(const struct check *volume, void *ctx)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(volume->object);
    struct kube_path name_path = kube_path_child(volume->path, "name");
    yyjson_mut_val *key;
    size_t n = 0;

    (void)ctx;
    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        const char *type = yyjson_mut_get_str(key);
        struct kube_path path;
        struct check source;

        check_enter(volume, type, &path, &source);
        if (strcmp(type, "name") == 0 || !strategy_is_set(source.object)) {
            continue;
        }
        if (n++ > 0) {
            kube_errors_forbidden(volume->errors, &path, "may not specify more than 1 volume type");
        } else {
            check_source(&source, type);
        }
    }
    if (n == 0) {
        kube_errors_required(volume->errors, volume->path, "must specify a volume type");
    }
    if (check_required(volume, "name")) {
        check_name(volume, "name", kube_name_dns1123_label);
    }
    if (check_seen(volume, "name")) {
        kube_errors_duplicate(volume->errors, &name_path,
                              kube_bad_string(kube_json_get_str(volume->object, "name")));
    }
}

void check_volumes(const struct check *spec)
{
    check_each(spec, "volumes", check_volume, NULL);
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void check_node_requirement(const struct check *rule, void *ctx)
{
    struct kvs_view op = kube_json_get_str(rule->object, "operator");
    size_t n = yyjson_mut_arr_size(kube_json_get(rule->object, "values"));

    (void)ctx;
    if (view_equal_str(op, "In") || view_equal_str(op, "NotIn")) {
        if (n == 0) {
            check_need(rule, "values", "must be specified when `operator` is 'In' or 'NotIn'");
        }
    } else if (view_equal_str(op, "Exists") || view_equal_str(op, "DoesNotExist")) {
        if (n > 0) {
            check_forbid(rule, "values",
                         "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
    } else if (view_equal_str(op, "Gt") || view_equal_str(op, "Lt")) {
        if (n != 1) {
            check_need(rule, "values",
                       "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
    } else {
        check_say(rule, "operator", kube_bad_string(op), "not a valid selector operator");
    }
    check_key(rule, "key");
}

static void check_node_term(const struct check *term, void *ctx)
{
    check_each(term, "matchExpressions", check_node_requirement, ctx);
}

static void check_weight(const struct check *term)
{
    enum { WEIGHT_MAX = 100 };
    int64_t weight = yyjson_mut_get_sint(kube_json_get(term->object, "weight"));

    if (weight < 1 || weight > WEIGHT_MAX) {
        check_say(term, "weight", kube_bad_int(weight), "must be in the range 1-100");
    }
}

static void check_node_preference(const struct check *term, void *ctx)
{
    struct kube_path path;
    struct check preference;

    check_weight(term);
    check_enter(term, "preference", &path, &preference);
    check_node_term(&preference, ctx);
}

static void check_node_affinity(const struct check *affinity)
{
    static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution";
    struct kube_path path;
    struct check terms;

    check_enter(affinity, required, &path, &terms);
    if (yyjson_mut_is_obj(terms.object)) {
        if (strategy_is_empty(kube_json_get(terms.object, "nodeSelectorTerms"))) {
            check_need(&terms, "nodeSelectorTerms", "must have at least one node selector term");
        }
        check_each(&terms, "nodeSelectorTerms", check_node_term, NULL);
    }
    check_each(affinity, "preferredDuringSchedulingIgnoredDuringExecution", check_node_preference,
               NULL);
}

/* --- other pods ------------------------------------------------------------------------------- */

static void check_topology_key(const struct check *c)
{
    if (kube_json_get_str(c->object, "topologyKey").len == 0) {
        check_need(c, "topologyKey", "can not be empty");
    } else {
        check_key(c, "topologyKey");
    }
}

static void check_label_selector(const struct check *c, const char *name)
{
    struct kube_path path = kube_path_child(c->path, name);

    kube_label_selector_validate(kube_json_get(c->object, name), false, &path, c->errors);
}

static void check_pod_term(const struct check *term, void *ctx)
{
    (void)ctx;
    check_label_selector(term, "labelSelector");
    check_label_selector(term, "namespaceSelector");
    check_topology_key(term);
}

static void check_pod_preference(const struct check *term, void *ctx)
{
    struct kube_path path;
    struct check inner;

    check_weight(term);
    check_enter(term, "podAffinityTerm", &path, &inner);
    check_pod_term(&inner, ctx);
}

static void check_pod_affinity(const struct check *affinity)
{
    check_each(affinity, "requiredDuringSchedulingIgnoredDuringExecution", check_pod_term, NULL);
    check_each(affinity, "preferredDuringSchedulingIgnoredDuringExecution", check_pod_preference,
               NULL);
}

static void check_affinity(const struct check *spec)
{
    struct kube_path path;
    struct kube_path part_path;
    struct check affinity;
    struct check part;

    check_enter(spec, "affinity", &path, &affinity);
    check_enter(&affinity, "nodeAffinity", &part_path, &part);
    check_node_affinity(&part);
    check_enter(&affinity, "podAffinity", &part_path, &part);
    check_pod_affinity(&part);
    check_enter(&affinity, "podAntiAffinity", &part_path, &part);
    check_pod_affinity(&part);
}

static void check_spread(const struct check *constraint, void *ctx)
{
    static const char *const actions[] = {"DoNotSchedule", "ScheduleAnyway"};
    int64_t skew = yyjson_mut_get_sint(kube_json_get(constraint->object, "maxSkew"));

    (void)ctx;
    if (skew <= 0) {
        check_say(constraint, "maxSkew", kube_bad_int(skew), "must be greater than zero");
    }
    check_topology_key(constraint);
    check_required_one_of(constraint, "whenUnsatisfiable", actions, ARRAY_LEN(actions));
    check_label_selector(constraint, "labelSelector");
}

/* --- tolerations ------------------------------------------------------------------------------ */

void check_taint_effect(const struct check *c, bool required)
{
    static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute"};

    if (required) {
        check_required_one_of(c, "effect", effects, ARRAY_LEN(effects));
    } else {
        check_one_of(c, "effect", effects, ARRAY_LEN(effects));
    }
}

static void print_member(struct buf *out, const char *label, yyjson_mut_val *o, const char *name)
{
    buf_append_str(out, label);
    kube_quote(out, kube_json_get_str(o, name));
}

static void say_value_with_exists(const struct check *toleration)
{
    yyjson_mut_val *seconds = kube_json_get(toleration->object, "tolerationSeconds");
    struct buf text;

    buf_init(&text);
    print_member(&text, "core.Toleration{Key:", toleration->object, "key");
    print_member(&text, ", Operator:", toleration->object, "operator");
    print_member(&text, ", Value:", toleration->object, "value");
    print_member(&text, ", Effect:", toleration->object, "effect");
    buf_append_str(&text, ", TolerationSeconds:(*int64)");
    buf_append_str(&text, yyjson_mut_is_int(seconds) ? "<PTR>}" : "(nil)}");
    check_say_text(toleration, "operator", &text,
                   "value must be empty when `operator` is 'Exists'");
}

static void check_operator(const struct check *toleration)
{
    static const char *const operators[] = {"Equal", "Exists"};
    struct kvs_view op = kube_json_get_str(toleration->object, "operator");

    if (op.len == 0 || view_equal_str(op, "Equal")) {
        struct kvs_view value = kube_json_get_str(toleration->object, "value");

        if (value.len > 0) {
            check_text(toleration, "operator", value, kube_name_label_value);
        }
    } else if (!view_equal_str(op, "Exists")) {
        check_one_of(toleration, "operator", operators, ARRAY_LEN(operators));
    } else if (kube_json_get_str(toleration->object, "value").len > 0) {
        say_value_with_exists(toleration);
    }
}

static void check_toleration(const struct check *toleration, void *ctx)
{
    struct kvs_view op = kube_json_get_str(toleration->object, "operator");
    struct kvs_view effect = kube_json_get_str(toleration->object, "effect");

    (void)ctx;
    check_name(toleration, "key", kube_name_qualified);
    if (kube_json_get_str(toleration->object, "key").len == 0 && !view_equal_str(op, "Exists")) {
        check_say(toleration, "operator", kube_bad_string(op),
                  "operator must be Exists when `key` is empty, which means \"match all values and "
                  "all keys\"");
    }
    if (strategy_is_set(kube_json_get(toleration->object, "tolerationSeconds")) &&
        !view_equal_str(effect, "NoExecute")) {
        check_say(toleration, "effect", kube_bad_string(effect),
                  "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    check_operator(toleration);
    check_taint_effect(toleration, false);
}

void check_scheduling(const struct check *spec)
{
    check_affinity(spec);
    check_each(spec, "topologySpreadConstraints", check_spread, NULL);
    check_each(spec, "tolerations", check_toleration, NULL);
}
