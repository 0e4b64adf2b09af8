/* Containers of a pod: names, ports, environment, mounts, probes, amounts. */
#include <stdio.h>
#include <string.h>

#include "kube/strategy_check.h"

static const char *const protocols[] = {"SCTP", "TCP", "UDP"};

/* --- ports ------------------------------------------------------------------------------------ */

static void check_container_port(const struct check *port, void *ctx)
{
    struct kvs_view name = kube_json_get_str(port->object, "name");
    struct kube_path path = kube_path_child(port->path, "name");
    struct kube_name_messages messages;
    yyjson_mut_val *number = kube_json_get(port->object, "containerPort");

    (void)ctx;
    if (name.len > 0 && !kube_name_port(name, &messages)) {
        kube_errors_names(port->errors, &path, name, &messages);
    } else if (name.len > 0 && check_seen(port, "name")) {
        kube_errors_duplicate(port->errors, &path, kube_bad_string(name));
    }
    if (yyjson_mut_get_sint(number) == 0) {
        check_need(port, "containerPort", "");
    } else {
        check_range(port, "containerPort", 1, UINT16_MAX);
    }
    if (yyjson_mut_get_sint(kube_json_get(port->object, "hostPort")) != 0) {
        check_range(port, "hostPort", 1, UINT16_MAX);
    }
    check_required_one_of(port, "protocol", protocols, ARRAY_LEN(protocols));
}

/* `container`: what its list has seen is of all the pod. */
static void check_host_port(const struct check *port, void *container)
{
    int64_t number = yyjson_mut_get_sint(kube_json_get(port->object, "hostPort"));
    struct kube_path path = kube_path_child(port->path, "hostPort");
    struct kvs_view protocol = kube_json_get_str(port->object, "protocol");
    struct kvs_view ip = kube_json_get_str(port->object, "hostIP");
    char text[128];

    if (number == 0) {
        return;
    }
    (void)snprintf(text, sizeof text, "%.*s/%.*s/%lld", (int)protocol.len,
                   protocol.len == 0 ? "" : (const char *)protocol.data, (int)ip.len,
                   ip.len == 0 ? "" : (const char *)ip.data, (long long)number);
    if (check_seen_text(container, view_str(text))) {
        kube_errors_duplicate(port->errors, &path, kube_bad_string(view_str(text)));
    }
}

static void check_host_ports(const struct check *container, void *ctx)
{
    struct check all = *container;

    (void)ctx;
    check_each(container, "ports", check_host_port, &all);
}

static void check_network_port(const struct check *port, void *ctx)
{
    int64_t host = yyjson_mut_get_sint(kube_json_get(port->object, "hostPort"));
    int64_t inner = yyjson_mut_get_sint(kube_json_get(port->object, "containerPort"));

    (void)ctx;
    if (host != inner) {
        check_say(port, "containerPort", kube_bad_int(inner),
                  "must match `hostPort` when `hostNetwork` is true");
    }
}

static void check_network_ports(const struct check *container, void *ctx)
{
    check_each(container, "ports", check_network_port, ctx);
}

/* --- environment ------------------------------------------------------------------------------ */

static void check_key_ref(const struct check *ref)
{
    (void)check_required(ref, "name");
    if (check_required(ref, "key")) {
        check_name(ref, "key", kube_name_config_key);
    }
}

static void check_value_from(const struct check *env)
{
    static const char *const sources[] = {"fieldRef", "resourceFieldRef", "configMapKeyRef",
                                          "secretKeyRef"};
    enum { FIRST_KEY = 2 };
    size_t n = 0;
    struct kube_path path;
    struct check from;

    check_enter(env, "valueFrom", &path, &from);
    if (!yyjson_mut_is_obj(from.object)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        struct kube_path ref_path;
        struct check ref;

        check_enter(&from, sources[i], &ref_path, &ref);
        n += yyjson_mut_is_obj(ref.object) ? 1 : 0;
        if (yyjson_mut_is_obj(ref.object) && i >= FIRST_KEY) {
            check_key_ref(&ref);
        }
    }
    if (n == 0) {
        kube_errors_invalid(env->errors, &path, kube_bad_string(view_str("")),
                            "must specify one of: `fieldRef`, `resourceFieldRef`, "
                            "`configMapKeyRef` or `secretKeyRef`");
    } else if (kube_json_get_str(env->object, "value").len > 0) {
        kube_errors_invalid(env->errors, &path, kube_bad_string(view_str("")),
                            "may not be specified when `value` is not empty");
    } else if (n > 1) {
        kube_errors_invalid(env->errors, &path, kube_bad_string(view_str("")),
                            "may not have more than one field specified at a time");
    }
}

static void check_env(const struct check *env, void *ctx)
{
    (void)ctx;
    if (check_required(env, "name")) {
        check_name(env, "name", kube_name_env_var_relaxed);
    }
    check_value_from(env);
}

static void check_env_from(const struct check *env, void *ctx)
{
    yyjson_mut_val *map = kube_json_get(env->object, "configMapRef");
    yyjson_mut_val *secret = kube_json_get(env->object, "secretRef");
    struct kube_path path;
    struct check ref;

    (void)ctx;
    check_name(env, "prefix", kube_name_env_var_relaxed);
    check_enter(env, yyjson_mut_is_obj(map) ? "configMapRef" : "secretRef", &path, &ref);
    if (yyjson_mut_is_obj(ref.object)) {
        (void)check_required(&ref, "name");
    }
    if (!yyjson_mut_is_obj(map) && !yyjson_mut_is_obj(secret)) {
        kube_errors_invalid(env->errors, env->path, kube_bad_string(view_str("")),
                            "must specify one of: `configMapRef` or `secretRef`");
    } else if (yyjson_mut_is_obj(map) && yyjson_mut_is_obj(secret)) {
        kube_errors_invalid(env->errors, env->path, kube_bad_string(view_str("")),
                            "may not have more than one field specified at a time");
    }
}

/* --- mounts ----------------------------------------------------------------------------------- */

static bool has_dotdot(struct kvs_view path)
{
    const char *text = path.data;
    size_t start = 0;

    for (size_t i = 0; i <= path.len; i++) {
        if (i == path.len || text[i] == '/') {
            if (view_equal_str(view_make(text + start, i - start), "..")) {
                return true;
            }
            start = i + 1;
        }
    }
    return false;
}

static void check_sub_path(const struct check *mount, const char *name)
{
    struct kvs_view path = kube_json_get_str(mount->object, name);

    if (path.len == 0) {
        return;
    }
    if (((const char *)path.data)[0] == '/') {
        check_say(mount, name, kube_bad_string(path), "must be a relative path");
    }
    if (has_dotdot(path)) {
        check_say(mount, name, kube_bad_string(path), "must not contain '..'");
    }
}

static void check_mount(const struct check *mount, void *volumes)
{
    struct kvs_view name = kube_json_get_str(mount->object, "name");
    struct kvs_view at = kube_json_get_str(mount->object, "mountPath");
    struct kube_path path = kube_path_child(mount->path, "name");

    (void)check_required(mount, "name");
    if (name.len == 0 || kube_keymap_get(volumes, name) == NULL) {
        kube_errors_not_found(mount->errors, &path,
                              kube_bad_string(name.len == 0 ? view_str("") : name));
    }
    (void)check_required(mount, "mountPath");
    if (check_seen(mount, "mountPath")) {
        check_say(mount, "mountPath", kube_bad_string(at), "must be unique");
    }
    check_sub_path(mount, "subPath");
    check_sub_path(mount, "subPathExpr");
}

/* --- probes ----------------------------------------------------------------------------------- */

static void check_http_get(const struct check *action)
{
    static const char *const schemes[] = {"HTTP", "HTTPS"};

    (void)check_required(action, "path");
    check_port(action, "port");
    check_one_of(action, "scheme", schemes, ARRAY_LEN(schemes));
}

static void check_action(const struct check *handler, const char *name)
{
    struct kube_path path;
    struct check action;

    check_enter(handler, name, &path, &action);
    if (strcmp(name, "exec") == 0) {
        if (strategy_is_empty(kube_json_get(action.object, "command"))) {
            check_need(&action, "command", "");
        }
    } else if (strcmp(name, "httpGet") == 0) {
        check_http_get(&action);
    } else if (strcmp(name, "tcpSocket") == 0) {
        check_port(&action, "port");
    } else if (strcmp(name, "grpc") == 0) {
        check_range(&action, "port", 1, UINT16_MAX);
    }
}

static void check_handler(const struct check *handler)
{
    static const char *const actions[] = {"exec", "httpGet", "tcpSocket", "grpc", "sleep"};
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (!yyjson_mut_is_obj(kube_json_get(handler->object, actions[i]))) {
            continue;
        }
        if (n > 0) {
            check_forbid(handler, actions[i], "may not specify more than 1 handler type");
        } else {
            check_action(handler, actions[i]);
        }
        n++;
    }
    if (n == 0) {
        kube_errors_required(handler->errors, handler->path, "must specify a handler type");
    }
}

static void check_probe(const struct check *container, const char *name, bool succeeds_once)
{
    static const char *const numbers[] = {"initialDelaySeconds", "timeoutSeconds", "periodSeconds",
                                          "successThreshold", "failureThreshold"};
    struct kube_path path;
    struct check probe;
    int64_t successes;

    check_enter(container, name, &path, &probe);
    if (!yyjson_mut_is_obj(probe.object)) {
        return;
    }
    check_handler(&probe);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        check_not_negative(&probe, numbers[i]);
    }
    successes = yyjson_mut_get_sint(kube_json_get(probe.object, "successThreshold"));
    if (succeeds_once && successes != 1) {
        check_say(&probe, "successThreshold", kube_bad_int(successes), "must be 1");
    }
}

static void check_hook(const struct check *lifecycle, const char *name)
{
    struct kube_path path;
    struct check hook;

    check_enter(lifecycle, name, &path, &hook);
    if (yyjson_mut_is_obj(hook.object)) {
        check_handler(&hook);
    }
}

static void check_running(const struct check *container)
{
    struct kube_path path;
    struct check lifecycle;

    check_enter(container, "lifecycle", &path, &lifecycle);
    check_hook(&lifecycle, "postStart");
    check_hook(&lifecycle, "preStop");
    check_probe(container, "livenessProbe", true);
    check_probe(container, "readinessProbe", false);
    check_probe(container, "startupProbe", true);
}

/* --- amounts ---------------------------------------------------------------------------------- */

static bool is_huge_pages(struct kvs_view name)
{
    static const char prefix[] = "hugepages-";

    return name.len > sizeof prefix - 1 && memcmp(name.data, prefix, sizeof prefix - 1) == 0;
}

static void check_resource_name(const struct check *map, struct kvs_view name)
{
    struct kube_path path = kube_path_key(map->path, name);
    struct kube_name_messages messages;

    if (!kube_name_qualified(name, &messages)) {
        kube_errors_names(map->errors, &path, name, &messages);
    } else if (memchr(name.data, '/', name.len) == NULL && !view_equal_str(name, "cpu") &&
               !view_equal_str(name, "memory") && !view_equal_str(name, "ephemeral-storage") &&
               !is_huge_pages(name)) {
        kube_errors_invalid(map->errors, &path, kube_bad_string(name),
                            "must be a standard resource for containers");
    }
}

static void check_request(const struct check *resources,
                          struct kvs_view name,
                          struct kvs_view request,
                          struct kvs_view limit)
{
    bool exact = check_is_extended(name) || is_huge_pages(name);
    struct kube_quantity a;
    struct kube_quantity b;
    char why[256];
    int order;

    if (limit.len == 0) {
        if (exact) {
            check_need(resources, "limits", "Limit must be set for non overcommitable resources");
        }
        return;
    }
    if (kube_quantity_parse(request, &a, NULL) != 0 || kube_quantity_parse(limit, &b, NULL) != 0) {
        return;
    }
    order = kube_quantity_compare(&a, &b);
    if (exact ? order != 0 : order > 0) {
        (void)snprintf(why, sizeof why, "must be %s %.*s limit of %.*s",
                       exact ? "equal to" : "less than or equal to", (int)name.len,
                       (const char *)name.data, (int)limit.len, (const char *)limit.data);
        check_say(resources, "requests", kube_bad_string(request), why);
    }
}

static void check_resources(const struct check *container)
{
    struct kube_path path;
    struct check resources;
    struct kube_tree_index limits;
    yyjson_mut_obj_iter it;
    yyjson_mut_val *key;

    check_enter(container, "resources", &path, &resources);
    check_quantities(&resources, "limits", check_resource_name);
    check_quantities(&resources, "requests", check_resource_name);
    if (kube_tree_index_init(&limits, kube_json_get(resources.object, "limits")) != 0) {
        container->errors->failed = true;
        return;
    }
    it = yyjson_mut_obj_iter_with(kube_json_get(resources.object, "requests"));
    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kube_tree_slot *limit = kube_tree_index_find(&limits, kube_json_str(key));

        check_request(
            &resources, kube_json_str(key), kube_json_str(yyjson_mut_obj_iter_get_val(key)),
            limit == NULL ? view_make("", 0) : kube_json_str(kube_tree_slot_value(limit)));
    }
    kube_tree_index_fini(&limits);
}

/* --- the container ---------------------------------------------------------------------------- */

static void check_common(const struct check *container, struct kube_keymap *volumes)
{
    static const char *const ends[] = {"FallbackToLogsOnError", "File"};
    static const char *const pulls[] = {"Always", "IfNotPresent", "Never"};
    struct kube_path path;
    struct check context;

    if (check_required(container, "name")) {
        check_name(container, "name", kube_name_dns1123_label);
    }
    (void)check_required(container, "image");
    check_required_one_of(container, "terminationMessagePolicy", ends, ARRAY_LEN(ends));
    check_each(container, "ports", check_container_port, NULL);
    check_each(container, "env", check_env, NULL);
    check_each(container, "envFrom", check_env_from, NULL);
    check_each(container, "volumeMounts", check_mount, volumes);
    check_required_one_of(container, "imagePullPolicy", pulls, ARRAY_LEN(pulls));
    check_resources(container);
    check_enter(container, "securityContext", &path, &context);
    check_range(&context, "runAsUser", 0, INT32_MAX);
    check_range(&context, "runAsGroup", 0, INT32_MAX);
}

/* What containers refer to, and may not be called. */
struct names {
    struct kube_keymap *volumes;
    struct kube_keymap *containers;
};

static void say_duplicate(const struct check *container)
{
    struct kube_path path = kube_path_child(container->path, "name");

    kube_errors_duplicate(container->errors, &path,
                          kube_bad_string(kube_json_get_str(container->object, "name")));
}

static void check_container(const struct check *container, void *ctx)
{
    const struct names *names = ctx;

    check_common(container, names->volumes);
    if (check_seen(container, "name")) {
        say_duplicate(container);
    }
    check_running(container);
    if (strategy_is_set(kube_json_get(container->object, "restartPolicy"))) {
        check_forbid(container, "restartPolicy", "may not be set for non-init containers");
    }
}

/* What starts before the others and ends has no probes, unless it goes on as a sidecar. */
static void check_init_container(const struct check *container, void *ctx)
{
    const struct names *names = ctx;
    static const char *const restarts[] = {"Always"};
    static const char *const running[] = {"lifecycle", "livenessProbe", "readinessProbe",
                                          "startupProbe"};
    struct kvs_view name = kube_json_get_str(container->object, "name");

    check_common(container, names->volumes);
    check_one_of(container, "restartPolicy", restarts, ARRAY_LEN(restarts));
    if (name.len > 0 &&
        (kube_keymap_get(names->containers, name) != NULL || check_seen(container, "name"))) {
        say_duplicate(container);
    }
    if (strategy_is(container->object, "restartPolicy", "Always")) {
        check_running(container);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(running); i++) {
        if (strategy_is_set(kube_json_get(container->object, running[i]))) {
            check_forbid(container, running[i],
                         "may not be set for init containers without restartPolicy=Always");
        }
    }
}

void check_containers(const struct check *spec, bool is_pod)
{
    struct kube_keymap volumes;
    struct kube_keymap containers;
    struct names names = {&volumes, &containers};

    check_index(spec, "volumes", "name", &volumes);
    check_index(spec, "containers", "name", &containers);
    if (strategy_is_empty(kube_json_get(spec->object, "containers"))) {
        check_need(spec, "containers", "");
    }
    check_each(spec, "containers", check_container, &names);
    check_each(spec, "containers", check_host_ports, NULL);
    check_each(spec, "initContainers", check_init_container, &names);
    if (is_pod && strategy_flag(spec->object, "hostNetwork")) {
        check_each(spec, "containers", check_network_ports, NULL);
    }
    kube_keymap_fini(&volumes);
    kube_keymap_fini(&containers);
}
