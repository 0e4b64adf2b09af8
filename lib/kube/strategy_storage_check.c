/* What makes volumes, claims and classes of storage valid. */
#include <string.h>

#include "kube/strategy_check.h"

static const char *const access_modes[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
                                           "ReadWriteOncePod"};
static const char *const volume_modes[] = {"Block", "Filesystem"};

static void check_access_modes(const struct check *spec, const char *missing)
{
    struct kube_path path = kube_path_child(spec->path, "accessModes");
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(kube_json_get(spec->object, "accessModes"));
    yyjson_mut_val *mode;

    if (strategy_is_empty(kube_json_get(spec->object, "accessModes"))) {
        kube_errors_required(spec->errors, &path, missing);
    }
    while ((mode = yyjson_mut_arr_iter_next(&it)) != NULL) {
        bool known = false;

        for (size_t i = 0; i < ARRAY_LEN(access_modes); i++) {
            known = known || view_equal_str(kube_json_str(mode), access_modes[i]);
        }
        if (!known) {
            kube_errors_not_supported(spec->errors, &path, kube_bad_string(kube_json_str(mode)),
                                      access_modes, ARRAY_LEN(access_modes));
        }
    }
}

static void check_positive(const struct check *c, const struct kube_path *map, const char *name)
{
    struct kube_path path = kube_path_key(map, view_str(name));
    struct kvs_view text = kube_json_get_str(c->object, name);
    struct kube_quantity q;

    if (text.len > 0 && kube_quantity_parse(text, &q, NULL) == 0 && q.nano <= 0) {
        kube_errors_invalid(c->errors, &path, kube_bad_string(text), "must be greater than zero");
    }
}

void volume_validate(const struct kube_change *change,
                     yyjson_mut_val *object,
                     struct kube_errors *errors)
{
    static const char *const policies[] = {"Delete", "Recycle", "Retain"};
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};
    struct kube_path capacity_path;
    struct check capacity;

    check_access_modes(&spec, "");
    check_enter(&spec, "capacity", &capacity_path, &capacity);
    if (strategy_is_empty(capacity.object)) {
        check_need(&spec, "capacity", "");
    }
    check_positive(&capacity, &capacity_path, "storage");
    check_one_of(&spec, "persistentVolumeReclaimPolicy", policies, ARRAY_LEN(policies));
    check_one_of(&spec, "volumeMode", volume_modes, ARRAY_LEN(volume_modes));
    check_name(&spec, "storageClassName", kube_name_dns1123_subdomain);
}

void check_claim_spec(const struct check *spec)
{
    struct kube_path path;
    struct kube_path requests_path;
    struct check resources;
    struct check requests;
    struct kube_path storage;

    check_access_modes(spec, "at least 1 access mode is required");
    check_enter(spec, "resources", &path, &resources);
    check_enter(&resources, "requests", &requests_path, &requests);
    storage = kube_path_key(&path, view_str("storage"));
    if (kube_json_get_str(requests.object, "storage").len == 0) {
        kube_errors_required(spec->errors, &storage, "");
    }
    check_positive(&requests, &path, "storage");
    check_name(spec, "storageClassName", kube_name_dns1123_subdomain);
    check_one_of(spec, "volumeMode", volume_modes, ARRAY_LEN(volume_modes));
}

void claim_validate(const struct kube_change *change,
                    yyjson_mut_val *object,
                    struct kube_errors *errors)
{
    struct kube_path path = kube_path_root("spec");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};

    check_claim_spec(&spec);
}

static struct kvs_view claim_request(yyjson_mut_val *claim)
{
    yyjson_mut_val *resources = kube_json_get(kube_json_get(claim, "spec"), "resources");

    return kube_json_get_str(kube_json_get(resources, "requests"), "storage");
}

static bool is_less(struct kvs_view a_text, struct kvs_view b_text, bool or_equal)
{
    struct kube_quantity a;
    struct kube_quantity b;
    int order;

    if (kube_quantity_parse(a_text, &a, NULL) != 0 || kube_quantity_parse(b_text, &b, NULL) != 0) {
        return false;
    }
    order = kube_quantity_compare(&a, &b);
    return order < 0 || (or_equal && order == 0);
}

/* What was asked for may be taken back until the volume has it. */
static bool claim_shrinks(yyjson_mut_val *claim, yyjson_mut_val *old)
{
    yyjson_mut_val *capacity = kube_json_get(kube_json_get(old, "status"), "capacity");
    struct kvs_view request = claim_request(claim);

    return is_less(request, claim_request(old), false) &&
           is_less(request, kube_json_get_str(capacity, "storage"), true);
}

void claim_validate_update(const struct kube_change *change,
                           yyjson_mut_val *object,
                           yyjson_mut_val *old_object,
                           struct kube_errors *errors)
{
    static const char *const fixed[] = {"accessModes", "selector",   "storageClassName",
                                        "volumeMode",  "dataSource", "dataSourceRef"};
    struct kube_path path = kube_path_root("spec");
    struct kube_path resources = kube_path_child(&path, "resources");
    struct kube_path requests = kube_path_child(&resources, "requests");
    struct kube_path storage = kube_path_child(&requests, "storage");
    struct check spec = {
        .change = change, .errors = errors, .path = &path, .object = kube_json_get(object, "spec")};
    yyjson_mut_val *old = kube_json_get(old_object, "spec");
    bool bound = kube_json_get_str(old, "volumeName").len > 0;
    bool same = !bound || check_equal(&spec, kube_json_get(spec.object, "volumeName"),
                                      kube_json_get(old, "volumeName"));
    bool may_resize = strategy_is(kube_json_get(old_object, "status"), "phase", "Bound");

    if (!may_resize) {
        same = same && check_equal(&spec, kube_json_get(spec.object, "resources"),
                                   kube_json_get(old, "resources"));
    }
    /* A class that was not known at first may be filled in. */
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        yyjson_mut_val *before = kube_json_get(old, fixed[i]);

        if (strategy_is_set(before) || strcmp(fixed[i], "storageClassName") != 0) {
            same = same && check_equal(&spec, kube_json_get(spec.object, fixed[i]), before);
        }
    }
    if (!same) {
        kube_errors_forbidden(errors, &path,
                              "spec is immutable after creation except resources.requests and "
                              "volumeAttributesClassName for bound claims");
    }
    if (claim_shrinks(object, old_object)) {
        kube_errors_forbidden(errors, &storage, "field can not be less than status.capacity");
    }
}

void storage_class_validate(const struct kube_change *change,
                            yyjson_mut_val *object,
                            struct kube_errors *errors)
{
    static const char *const policies[] = {"Delete", "Retain"};
    static const char *const modes[] = {"Immediate", "WaitForFirstConsumer"};
    struct check root = {.change = change, .errors = errors, .object = object};

    if (check_required(&root, "provisioner")) {
        check_name(&root, "provisioner", kube_name_qualified);
    }
    check_required_one_of(&root, "reclaimPolicy", policies, ARRAY_LEN(policies));
    check_required_one_of(&root, "volumeBindingMode", modes, ARRAY_LEN(modes));
}

void storage_class_validate_update(const struct kube_change *change,
                                   yyjson_mut_val *object,
                                   yyjson_mut_val *old,
                                   struct kube_errors *errors)
{
    struct check root = {.change = change, .errors = errors, .object = object};

    if (!check_equal(&root, kube_json_get(object, "parameters"),
                     kube_json_get(old, "parameters"))) {
        check_forbid(&root, "parameters", "updates to parameters are forbidden.");
    }
    if (!check_equal(&root, kube_json_get(object, "provisioner"),
                     kube_json_get(old, "provisioner"))) {
        check_forbid(&root, "provisioner", "updates to provisioner are forbidden.");
    }
    check_immutable(&root, old, "reclaimPolicy");
    check_immutable(&root, old, "volumeBindingMode");
}
