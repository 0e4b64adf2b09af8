/* What makes configuration, secrets, nodes and limits valid. */
#include <stdio.h>
#include <string.h>

#include "kube/quote.h"
#include "kube/strategy_check.h"

/* --- configuration and secrets ---------------------------------------------------------------- */

enum { DATA_MAX_BYTES = 1 << 20 };

/* Bytes behind base64 with padding. */
static size_t decoded_size(struct kvs_view text)
{
    size_t padding = 0;

    while (padding < text.len && ((const char *)text.data)[text.len - 1 - padding] == '=') {
        padding++;
    }
    return text.len / 4 * 3 - (text.len >= 4 ? padding : 0);
}

/* Checks the keys of `name`, which may not be in `other`, too; returns the size of the values. */
static size_t
check_data(const struct check *root, const char *name, const char *other, bool is_binary)
{
    struct kube_path path = kube_path_root(name);
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(kube_json_get(root->object, name));
    yyjson_mut_val *others = other == NULL ? NULL : kube_json_get(root->object, other);
    struct kube_tree_index index;
    yyjson_mut_val *member;
    char why[64];
    size_t size = 0;

    if (kube_tree_index_init(&index, others) != 0) {
        root->errors->failed = true;
        return 0;
    }
    while ((member = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kvs_view key = kube_json_str(member);
        struct kvs_view value = kube_json_str(yyjson_mut_obj_iter_get_val(member));
        struct kube_path at = kube_path_key(&path, key);
        struct kube_name_messages messages;

        if (!kube_name_config_key(key, &messages)) {
            kube_errors_names(root->errors, &at, key, &messages);
        }
        if (kube_tree_index_find(&index, key) != NULL) {
            (void)snprintf(why, sizeof why, "duplicate of key present in %s", other);
            kube_errors_invalid(root->errors, &at, kube_bad_string(key), why);
        }
        size += is_binary ? decoded_size(value) : value.len;
    }
    kube_tree_index_fini(&index);
    return size;
}

static void check_size(const struct check *root, size_t size, const char *field)
{
    struct kube_path path = kube_path_root(field);

    if (size > DATA_MAX_BYTES) {
        kube_errors_too_long(root->errors, &path, DATA_MAX_BYTES);
    }
}

void config_map_validate(const struct kube_change *change,
                         yyjson_mut_val *object,
                         struct kube_errors *errors)
{
    struct check root = {.change = change, .errors = errors, .object = object};
    size_t size = check_data(&root, "data", "binaryData", false);

    size += check_data(&root, "binaryData", NULL, true);
    check_size(&root, size, "");
}

static void check_fixed(const struct check *root, yyjson_mut_val *old, const char *name)
{
    if (!check_equal(root, kube_json_get(root->object, name), kube_json_get(old, name))) {
        check_forbid(root, name, "field is immutable when `immutable` is set");
    }
}

static void check_frozen(const struct check *root, yyjson_mut_val *old)
{
    if (!strategy_flag(old, "immutable")) {
        return;
    }
    if (!strategy_flag(root->object, "immutable")) {
        check_forbid(root, "immutable", "field is immutable when `immutable` is set");
    }
    check_fixed(root, old, "data");
    check_fixed(root, old, "binaryData");
}

void config_map_validate_update(const struct kube_change *change,
                                yyjson_mut_val *object,
                                yyjson_mut_val *old,
                                struct kube_errors *errors)
{
    struct check root = {.change = change, .errors = errors, .object = object};

    check_frozen(&root, old);
}

static void check_secret_key(const struct check *root, const char *key)
{
    struct kube_path path = kube_path_root("data");
    struct kube_path at = kube_path_key(&path, view_str(key));

    if (kube_json_get(kube_json_get(root->object, "data"), key) == NULL) {
        kube_errors_required(root->errors, &at, "");
    }
}

static void check_token_secret(const struct check *root)
{
    static const char key[] = "kubernetes.io/service-account.name";
    struct kube_path metadata = kube_path_root("metadata");
    struct kube_path path = kube_path_child(&metadata, "annotations");
    struct kube_path at = kube_path_key(&path, view_str(key));
    yyjson_mut_val *annotations =
        kube_json_get(kube_json_get(root->object, "metadata"), "annotations");

    if (kube_json_get_str(annotations, key).len == 0) {
        kube_errors_required(root->errors, &at, "");
    }
}

static void check_secret_type(const struct check *root)
{
    static const struct {
        const char *type;
        const char *keys[2];
    } types[] = {
        {"kubernetes.io/tls", {"tls.crt", "tls.key"}},
        {"kubernetes.io/ssh-auth", {"ssh-privatekey", NULL}},
        {"kubernetes.io/dockercfg", {".dockercfg", NULL}},
        {"kubernetes.io/dockerconfigjson", {".dockerconfigjson", NULL}},
    };
    yyjson_mut_val *data = kube_json_get(root->object, "data");

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strategy_is(root->object, "type", types[i].type)) {
            check_secret_key(root, types[i].keys[0]);
            if (types[i].keys[1] != NULL) {
                check_secret_key(root, types[i].keys[1]);
            }
        }
    }
    if (strategy_is(root->object, "type", "kubernetes.io/service-account-token")) {
        check_token_secret(root);
    }
    if (strategy_is(root->object, "type", "kubernetes.io/basic-auth") &&
        kube_json_get(data, "username") == NULL && kube_json_get(data, "password") == NULL) {
        check_secret_key(root, "username");
        check_secret_key(root, "password");
    }
}

void secret_validate(const struct kube_change *change,
                     yyjson_mut_val *object,
                     struct kube_errors *errors)
{
    struct check root = {.change = change, .errors = errors, .object = object};

    check_size(&root, check_data(&root, "data", NULL, true), "data");
    check_secret_type(&root);
}

void secret_validate_update(const struct kube_change *change,
                            yyjson_mut_val *object,
                            yyjson_mut_val *old,
                            struct kube_errors *errors)
{
    struct check root = {.change = change, .errors = errors, .object = object};

    check_immutable(&root, old, "type");
    check_frozen(&root, old);
}

/* --- namespaces and nodes --------------------------------------------------------------------- */

void namespace_validate(const struct kube_change *change,
                        yyjson_mut_val *object,
                        struct kube_errors *errors)
{
    struct kube_path spec = kube_path_root("spec");
    struct kube_path path = kube_path_child(&spec, "finalizers");
    yyjson_mut_arr_iter it =
        yyjson_mut_arr_iter_with(kube_json_get(kube_json_get(object, "spec"), "finalizers"));
    yyjson_mut_val *item;
    struct kube_name_messages messages;

    (void)change;
    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        if (!kube_name_qualified(kube_json_str(item), &messages)) {
            kube_errors_names(errors, &path, kube_json_str(item), &messages);
        }
    }
}

static bool taint_seen(const struct check *taint)
{
    struct buf text;
    bool seen;

    buf_init(&text);
    buf_append_view(&text, kube_json_get_str(taint->object, "key"));
    buf_append_u8(&text, ' ');
    buf_append_view(&text, kube_json_get_str(taint->object, "effect"));
    taint->errors->failed = taint->errors->failed || text.failed;
    seen = !text.failed && check_seen_text(taint, buf_view(&text));
    buf_fini(&text);
    return seen;
}

static void say_taint_twice(const struct check *taint)
{
    struct buf text;

    buf_init(&text);
    buf_append_str(&text, "core.Taint{Key:");
    kube_quote(&text, kube_json_get_str(taint->object, "key"));
    buf_append_str(&text, ", Value:");
    kube_quote(&text, kube_json_get_str(taint->object, "value"));
    buf_append_str(&text, ", Effect:");
    kube_quote(&text, kube_json_get_str(taint->object, "effect"));
    buf_append_str(&text, ", TimeAdded:<nil>}");
    if (text.failed) {
        taint->errors->failed = true;
    } else {
        kube_errors_add(taint->errors, KUBE_ERROR_DUPLICATE, taint->path,
                        kube_bad_text(buf_view(&text)),
                        "taints must be unique by key and effect pair");
    }
    buf_fini(&text);
}

static void check_taint(const struct check *taint, void *ctx)
{
    (void)ctx;
    check_key(taint, "key");
    check_name(taint, "value", kube_name_label_value);
    check_taint_effect(taint, true);
    if (taint_seen(taint)) {
        say_taint_twice(taint);
    }
}

void node_validate(const struct kube_change *change,
                   yyjson_mut_val *object,
                   struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};

    check_each(&spec, "taints", check_taint, NULL);
}

void node_validate_update(const struct kube_change *change,
                          yyjson_mut_val *object,
                          yyjson_mut_val *old_object,
                          struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};
    yyjson_mut_val *old = kube_json_get(old_object, "spec");

    if (!strategy_is_empty(kube_json_get(old, "podCIDRs")) &&
        !check_equal(&spec, kube_json_get(spec.object, "podCIDRs"),
                     kube_json_get(old, "podCIDRs"))) {
        check_forbid(&spec, "podCIDRs",
                     "node updates may not change podCIDR except from \"\" to valid");
    }
    if (kube_json_get_str(old, "providerID").len > 0 &&
        !check_equal(&spec, kube_json_get(spec.object, "providerID"),
                     kube_json_get(old, "providerID"))) {
        check_forbid(&spec, "providerID",
                     "node updates may not change providerID except from \"\" to valid");
    }
}

/* --- limits and quotas ------------------------------------------------------------------------ */

/* Every amount under `low` is at most the one under `high`. The value is shown as text: Go shows
 * the inside of its Quantity. */
static void check_order(const struct check *limit, const char *low, const char *high)
{
    struct kube_path path = kube_path_child(limit->path, low);
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(kube_json_get(limit->object, low));
    yyjson_mut_val *upper = kube_json_get(limit->object, high);
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kvs_view a_text = kube_json_str(yyjson_mut_obj_iter_get_val(key));
        struct kvs_view b_text = kube_json_str(kube_json_get_view(upper, kube_json_str(key)));
        struct kube_path at = kube_path_key(&path, kube_json_str(key));
        struct kube_quantity a;
        struct kube_quantity b;
        char why[160];

        if (b_text.len == 0 || kube_quantity_parse(a_text, &a, NULL) != 0 ||
            kube_quantity_parse(b_text, &b, NULL) != 0 || kube_quantity_compare(&a, &b) <= 0) {
            continue;
        }
        (void)snprintf(why, sizeof why, "%s value %.*s is greater than %s value %.*s",
                       strcmp(low, "defaultRequest") == 0 ? "default request" : low,
                       (int)a_text.len, (const char *)a_text.data, high, (int)b_text.len,
                       (const char *)b_text.data);
        kube_errors_invalid(limit->errors, &at, kube_bad_string(a_text), why);
    }
}

static void check_limit(const struct check *limit, void *ctx)
{
    static const char *const pairs[][2] = {{"min", "max"},
                                           {"min", "defaultRequest"},
                                           {"defaultRequest", "max"},
                                           {"defaultRequest", "default"},
                                           {"default", "max"}};
    struct kvs_view type = kube_json_get_str(limit->object, "type");
    struct kube_path path = kube_path_child(limit->path, "type");

    (void)ctx;
    check_name(limit, "type", kube_name_qualified);
    if (check_seen(limit, "type")) {
        kube_errors_duplicate(limit->errors, &path, kube_bad_string(type));
    }
    if (view_equal_str(type, "Pod")) {
        if (!strategy_is_empty(kube_json_get(limit->object, "default"))) {
            check_forbid(limit, "default", "may not be specified when `type` is 'Pod'");
        }
        if (!strategy_is_empty(kube_json_get(limit->object, "defaultRequest"))) {
            check_forbid(limit, "defaultRequest", "may not be specified when `type` is 'Pod'");
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        check_order(limit, pairs[i][0], pairs[i][1]);
    }
}

void limit_range_validate(const struct kube_change *change,
                          yyjson_mut_val *object,
                          struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};

    check_each(&spec, "limits", check_limit, NULL);
}

/* Resources that are no object counts have to be known. */
static void check_quota_name(const struct check *map, struct kvs_view name)
{
    static const char *const known[] = {
        "cpu",
        "memory",
        "ephemeral-storage",
        "requests.cpu",
        "requests.memory",
        "requests.storage",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "persistentvolumeclaims",
        "configmaps",
        "services.nodeports",
        "services.loadbalancers",
    };
    struct kube_path path = kube_path_key(map->path, name);
    struct kube_name_messages messages;

    if (!kube_name_qualified(name, &messages)) {
        kube_errors_names(map->errors, &path, name, &messages);
        return;
    }
    if (memchr(name.data, '/', name.len) != NULL ||
        (name.len > 10 && memcmp(name.data, "hugepages-", 10) == 0) ||
        (name.len > 19 && memcmp(name.data, "requests.hugepages-", 19) == 0)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (view_equal_str(name, known[i])) {
            return;
        }
    }
    kube_errors_invalid(map->errors, &path, kube_bad_string(name),
                        "must be a standard resource for quotas");
}

void quota_validate(const struct kube_change *change,
                    yyjson_mut_val *object,
                    struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};

    check_quantities(&spec, "hard", check_quota_name);
}
