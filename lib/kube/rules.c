#include "kube/rules.h"

#include <string.h>

#include "base/view.h"
#include "kube/field_error.h"
#include "kube/meta_validate.h"
#include "kube/object_meta.h"
#include "kube/strategy.h"
#include "kube/tree.h"

enum { POD_GRACE_S = 30 };

/* --- members ---------------------------------------------------------------------------------- */

static bool
rules_put(struct kube_rules *rules, yyjson_mut_val *object, const char *name, yyjson_mut_val *value)
{
    return value != NULL && yyjson_mut_obj_put(object, yyjson_mut_str(rules->doc, name), value);
}

static bool rules_put_str(struct kube_rules *rules,
                          yyjson_mut_val *object,
                          const char *name,
                          struct kvs_view text)
{
    return rules_put(rules, object, name, yyjson_mut_strncpy(rules->doc, text.data, text.len));
}

/* A copy of `from`'s member, or none if it has none. */
static bool
rules_carry(struct kube_rules *rules, yyjson_mut_val *to, yyjson_mut_val *from, const char *name)
{
    yyjson_mut_val *value = kube_json_get(from, name);

    if (value == NULL) {
        (void)yyjson_mut_obj_remove_key(to, name);
        return true;
    }
    return rules_put(rules, to, name, kube_json_copy(rules->doc, value));
}

static struct kube_time rules_time(uint64_t at_ns)
{
    return (struct kube_time){.seconds = (int64_t)(at_ns / 1000000000),
                              .nanos = (int32_t)(at_ns % 1000000000)};
}

/* --- creation --------------------------------------------------------------------------------- */

static int rules_check_namespace(struct kube_rules *rules, yyjson_mut_val *metadata)
{
    struct kvs_view given = kube_json_get_str(metadata, "namespace");

    if (given.len > 0 && !view_equal(given, rules->route->namespace)) {
        kube_status_bad_request(rules->status,
                                "the namespace of the provided object does not match the namespace "
                                "sent on the request");
        return KVS_E_INVALID;
    }
    if (rules->route->namespace.len > 0 &&
        !rules_put_str(rules, metadata, "namespace", rules->route->namespace)) {
        return KVS_E_NOMEM;
    }
    return 0;
}

/* Kinds whose metadata counts changes of the specification. */
static bool rules_counts_generations(const struct kube_resource *r)
{
    static const char *const counted[] = {
        "daemonsets",
        "deployments",
        "replicasets",
        "statefulsets",
        "controllers",
        "jobs",
        "cronjobs",
        "ingress",
        "ingressclasses",
        "networkpolicies",
        "poddisruptionbudgets",
        "priorityclasses",
        "endpointslices",
        "flowschemas",
        "prioritylevelconfigurations",
        "mutatingwebhookconfigurations",
        "validatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
    };

    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        if (strcmp(r->storage, counted[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A client may not say what the server observes; a kubelet registers its node with a status. */
static bool rules_clears_status(const struct kube_resource *r)
{
    return (r->subresources & KUBE_SUB_STATUS) != 0 && strcmp(r->storage, "minions") != 0;
}

static void rules_random(struct kube_rules *rules, uint8_t to[16])
{
    uint64_t words[2] = {rng_next(rules->rng), rng_next(rules->rng)};

    memcpy(to, words, sizeof words);
}

static struct kube_meta_rules rules_of_metadata(const struct kube_resource *r)
{
    return (struct kube_meta_rules){.name =
                                        kube_name_rule_of(view_str(r->group), view_str(r->kind)),
                                    .is_namespaced = r->namespaced};
}

/* 0, or the status says what is invalid. Ends `errors`. */
static int
rules_conclude(struct kube_rules *rules, yyjson_mut_val *object, struct kube_errors *errors)
{
    int err = kube_errors_result(errors);

    if (err == KVS_E_INVALID) {
        kube_status_invalid(rules->status, rules->route->resource, kube_meta_name(object), errors);
    }
    kube_errors_fini(errors);
    return err;
}

static struct kube_change rules_change(const struct kube_rules *rules)
{
    return (struct kube_change){
        .resource = rules->route->resource, .sub = rules->route->sub, .doc = rules->doc};
}

static int rules_validate(struct kube_rules *rules, yyjson_mut_val *object)
{
    const struct kube_change change = rules_change(rules);
    const struct kube_meta_rules meta = rules_of_metadata(rules->route->resource);
    struct kube_path path = kube_path_root("metadata");
    struct kube_errors errors;

    kube_errors_init(&errors);
    kube_meta_validate(object, &meta, &path, &errors);
    kube_strategy_validate(&change, object, &errors);
    return rules_conclude(rules, object, &errors);
}

static int
rules_validate_update(struct kube_rules *rules, yyjson_mut_val *object, yyjson_mut_val *old)
{
    const struct kube_change change = rules_change(rules);
    const struct kube_meta_rules meta = rules_of_metadata(rules->route->resource);
    struct kube_path path = kube_path_root("metadata");
    struct kube_errors errors;

    kube_errors_init(&errors);
    kube_meta_validate_update(object, old, &meta, &path, &errors);
    kube_strategy_validate_update(&change, object, old, &errors);
    return rules_conclude(rules, object, &errors);
}

static int rules_prepare_create(struct kube_rules *rules, yyjson_mut_val *object)
{
    struct kube_change change = rules_change(rules);

    change.now = kube_meta_text(object, "creationTimestamp");
    return kube_strategy_prepare_create(&change, object);
}

static int
rules_prepare_update(struct kube_rules *rules, yyjson_mut_val *object, yyjson_mut_val *old)
{
    struct kube_change change = rules_change(rules);

    return kube_strategy_prepare_update(&change, object, old);
}

int kube_rules_create(struct kube_rules *rules, yyjson_mut_val *object)
{
    const struct kube_resource *r = rules->route->resource;
    yyjson_mut_val *metadata = kube_json_get(object, "metadata");
    uint8_t random[16];
    int err;

    if (kube_json_get_str(metadata, "resourceVersion").len > 0) {
        kube_status_bad_request(rules->status,
                                "resourceVersion should not be set on objects to be created");
        return KVS_E_INVALID;
    }
    err = rules_check_namespace(rules, metadata);
    if (err != 0) {
        return err;
    }
    (void)yyjson_mut_obj_remove_key(metadata, "generation");
    if (rules_clears_status(r)) {
        (void)yyjson_mut_obj_remove_key(object, "status");
    }
    rules_random(rules, random);
    err =
        kube_meta_prepare_create(rules->doc, object, rules_time(rules->now_ns), random, rules->rng);
    if (err == 0 && rules_counts_generations(r)) {
        err = kube_meta_set_number(rules->doc, object, "generation", 1);
    }
    if (err == 0) {
        err = rules_prepare_create(rules, object);
    }
    return err != 0 ? err : rules_validate(rules, object);
}

/* --- changes ---------------------------------------------------------------------------------- */

static int rules_check_identity(struct kube_rules *rules,
                                yyjson_mut_val *metadata,
                                yyjson_mut_val *old_metadata)
{
    struct kvs_view name = kube_json_get_str(metadata, "name");
    struct kvs_view uid = kube_json_get_str(metadata, "uid");
    struct kvs_view old_uid = kube_json_get_str(old_metadata, "uid");
    struct kvs_view version = kube_json_get_str(metadata, "resourceVersion");

    if (!view_equal(name, rules->route->name)) {
        kube_status_bad_request(rules->status,
                                "the name of the object (%.*s) does not match the name on the URL "
                                "(%.*s)",
                                (int)name.len, name.len == 0 ? "" : (const char *)name.data,
                                (int)rules->route->name.len, (const char *)rules->route->name.data);
        return KVS_E_INVALID;
    }
    if (uid.len > 0 && !view_equal(uid, old_uid)) {
        kube_status_conflict(rules->status, rules->route->resource, rules->route->name,
                             "Precondition failed: UID in precondition: %.*s, UID in object meta: "
                             "%.*s",
                             (int)uid.len, (const char *)uid.data, (int)old_uid.len,
                             old_uid.len == 0 ? "" : (const char *)old_uid.data);
        return KVS_E_INVALID;
    }
    if (version.len > 0 &&
        !view_equal(version, kube_json_get_str(old_metadata, "resourceVersion"))) {
        kube_status_modified(rules->status, rules->route->resource, rules->route->name);
        return KVS_E_INVALID;
    }
    return rules_check_namespace(rules, metadata);
}

static bool
rules_carry_metadata(struct kube_rules *rules, yyjson_mut_val *metadata, yyjson_mut_val *old)
{
    static const char *const carried[] = {
        "generateName",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    };

    for (size_t i = 0; i < sizeof carried / sizeof carried[0]; i++) {
        if (!rules_carry(rules, metadata, old, carried[i])) {
            return false;
        }
    }
    return true;
}

/* All members but these are the specification: "spec" of most, "webhooks", "rules" of some. */
static int rules_spec_changed(yyjson_mut_val *object, yyjson_mut_val *old, bool *ret_changed)
{
    yyjson_mut_obj_iter iter;
    yyjson_mut_val *key;

    *ret_changed = false;
    yyjson_mut_obj_iter_init(object, &iter);
    while (!*ret_changed && (key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        struct kvs_view name = kube_json_str(key);
        yyjson_mut_val *before = kube_json_get_view(old, name);
        bool equal = false;
        int err = 0;

        if (view_equal_str(name, "metadata") || view_equal_str(name, "status")) {
            continue;
        }
        if (before != NULL) {
            err = kube_tree_equal(yyjson_mut_obj_iter_get_val(key), before, &equal);
        }
        if (err != 0) {
            return err;
        }
        *ret_changed = !equal;
    }
    return 0;
}

/* A change of the status alone: everything else is as it was, but for what a kubelet says about
 * its pods and its node. */
static bool
rules_keep_status_only(struct kube_rules *rules, yyjson_mut_val *object, yyjson_mut_val *old)
{
    const char *storage = rules->route->resource->storage;
    bool kubelet = strcmp(storage, "pods") == 0 || strcmp(storage, "minions") == 0;
    yyjson_mut_val *metadata = kube_json_get(object, "metadata");
    yyjson_mut_val *old_metadata = kube_json_get(old, "metadata");
    yyjson_mut_obj_iter iter;
    yyjson_mut_val *key;

    yyjson_mut_obj_iter_init((yyjson_mut_val *)(uintptr_t)old, &iter);
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        const char *name = yyjson_mut_get_str(key);

        if (strcmp(name, "status") != 0 && strcmp(name, "metadata") != 0 &&
            !rules_carry(rules, object, old, name)) {
            return false;
        }
    }
    return rules_carry(rules, metadata, old_metadata, "ownerReferences") &&
           (kubelet || (rules_carry(rules, metadata, old_metadata, "labels") &&
                        rules_carry(rules, metadata, old_metadata, "annotations")));
}

static bool rules_count(struct kube_rules *rules, yyjson_mut_val *object)
{
    return kube_meta_set_number(rules->doc, object, "generation",
                                kube_meta_generation(object) + 1) == 0;
}

static bool rules_is_finished(yyjson_mut_val *metadata)
{
    return kube_json_get_str(metadata, "deletionTimestamp").len > 0 &&
           yyjson_mut_arr_size(kube_json_get(metadata, "finalizers")) == 0 &&
           yyjson_mut_get_sint(kube_json_get(metadata, "deletionGracePeriodSeconds")) == 0;
}

/* A namespace's own finalizers stand in its spec. */
static bool rules_has_spec_finalizers(const struct kube_resource *r, yyjson_mut_val *object)
{
    return strcmp(r->storage, "namespaces") == 0 &&
           yyjson_mut_arr_size(kube_json_get(kube_json_get(object, "spec"), "finalizers")) > 0;
}

int kube_rules_update(struct kube_rules *rules,
                      yyjson_mut_val *object,
                      yyjson_mut_val *old,
                      bool *ret_same,
                      bool *ret_gone)
{
    const struct kube_resource *r = rules->route->resource;
    yyjson_mut_val *metadata = kube_json_get(object, "metadata");
    yyjson_mut_val *old_metadata = kube_json_get(old, "metadata");
    bool changed = false;
    bool ok;
    int err = rules_check_identity(rules, metadata, old_metadata);

    if (err != 0) {
        return err;
    }
    ok = rules_carry_metadata(rules, metadata, old_metadata);
    if (ok && rules->route->sub == KUBE_SUB_STATUS) {
        ok = rules_keep_status_only(rules, object, old);
    } else if (ok && (r->subresources & KUBE_SUB_STATUS) != 0) {
        ok = rules_carry(rules, object, old, "status");
    }
    err = ok ? rules_prepare_update(rules, object, old) : KVS_E_NOMEM;
    if (err == 0) {
        err = rules_spec_changed(object, old, &changed);
    }
    if (err == 0 && changed && rules_counts_generations(r) && !rules_count(rules, object)) {
        err = KVS_E_NOMEM;
    }
    if (err == 0) {
        err = kube_tree_equal(object, old, ret_same);
    }
    *ret_gone = rules_is_finished(metadata) && !rules_has_spec_finalizers(r, object);
    return err == 0 ? rules_validate_update(rules, object, old) : err;
}

/* --- deletion --------------------------------------------------------------------------------- */

static int rules_check_preconditions(struct kube_rules *rules,
                                     const struct kube_delete_options *options,
                                     yyjson_mut_val *metadata)
{
    struct kvs_view uid = kube_json_get_str(metadata, "uid");
    struct kvs_view version = kube_json_get_str(metadata, "resourceVersion");
    bool uid_differs = options->uid.len > 0 && !view_equal(options->uid, uid);
    const char *what = uid_differs ? "UID" : "ResourceVersion";
    struct kvs_view wanted = uid_differs ? options->uid : options->resource_version;
    struct kvs_view found = uid_differs ? uid : version;

    if (!uid_differs &&
        (options->resource_version.len == 0 || view_equal(options->resource_version, version))) {
        return 0;
    }
    kube_status_conflict(rules->status, rules->route->resource, rules->route->name,
                         "Precondition failed: %s in precondition: %.*s, %s in object meta: %.*s",
                         what, (int)wanted.len, (const char *)wanted.data, what, (int)found.len,
                         found.len == 0 ? "" : (const char *)found.data);
    return KVS_E_INVALID;
}

/* Propagation is remembered as a finalizer that the garbage collector removes. */
static bool
rules_set_finalizer(struct kube_rules *rules, yyjson_mut_val *object, const char *name, bool wanted)
{
    if (!wanted) {
        (void)kube_meta_remove_finalizer(object, view_str(name));
        return true;
    }
    return kube_meta_add_finalizer(rules->doc, object, view_str(name)) == 0;
}

static bool rules_set_propagation(struct kube_rules *rules,
                                  const struct kube_delete_options *options,
                                  yyjson_mut_val *object)
{
    if (options->propagation == KUBE_PROPAGATION_DEFAULT) {
        return true;
    }
    return rules_set_finalizer(rules, object, "orphan",
                               options->propagation == KUBE_PROPAGATION_ORPHAN) &&
           rules_set_finalizer(rules, object, "foregroundDeletion",
                               options->propagation == KUBE_PROPAGATION_FOREGROUND);
}

/* How long a kubelet has to stop the pod; 0 if no kubelet has it, or it has ended. */
static int64_t rules_pod_grace(const struct kube_delete_options *options, yyjson_mut_val *pod)
{
    yyjson_mut_val *spec = kube_json_get(pod, "spec");
    struct kvs_view phase = kube_json_get_str(kube_json_get(pod, "status"), "phase");
    yyjson_mut_val *own = kube_json_get(spec, "terminationGracePeriodSeconds");

    if (kube_json_get_str(spec, "nodeName").len == 0 || view_equal_str(phase, "Succeeded") ||
        view_equal_str(phase, "Failed")) {
        return 0;
    }
    if (options->grace_period_s >= 0) {
        return options->grace_period_s;
    }
    return own == NULL ? POD_GRACE_S : yyjson_mut_get_sint(own);
}

static bool rules_mark(struct kube_rules *rules, yyjson_mut_val *object, int64_t grace_s)
{
    uint64_t at_ns = rules->now_ns + (uint64_t)grace_s * 1000000000;

    return kube_meta_set_time(rules->doc, object, "deletionTimestamp", rules_time(at_ns)) == 0 &&
           kube_meta_set_number(rules->doc, object, "deletionGracePeriodSeconds", grace_s) == 0 &&
           (!rules_counts_generations(rules->route->resource) || rules_count(rules, object));
}

static bool rules_terminate_namespace(struct kube_rules *rules, yyjson_mut_val *namespace)
{
    yyjson_mut_val *status = kube_json_get(namespace, "status");

    if (strcmp(rules->route->resource->storage, "namespaces") != 0) {
        return true;
    }
    if (status == NULL) {
        status = yyjson_mut_obj(rules->doc);
        if (!rules_put(rules, namespace, "status", status)) {
            return false;
        }
    }
    return rules_put_str(rules, status, "phase", view_str("Terminating"));
}

int kube_rules_delete(struct kube_rules *rules,
                      const struct kube_delete_options *options,
                      yyjson_mut_val *object,
                      bool *ret_same,
                      bool *ret_gone)
{
    const struct kube_resource *r = rules->route->resource;
    yyjson_mut_val *metadata = kube_json_get(object, "metadata");
    bool pending = kube_json_get_str(metadata, "deletionTimestamp").len > 0;
    int64_t before = yyjson_mut_get_sint(kube_json_get(metadata, "deletionGracePeriodSeconds"));
    int64_t grace = r->graceful ? rules_pod_grace(options, object) : 0;
    int err = rules_check_preconditions(rules, options, metadata);
    bool waits;

    if (err != 0) {
        return err;
    }
    if (!rules_set_propagation(rules, options, object)) {
        return KVS_E_NOMEM;
    }
    waits = yyjson_mut_arr_size(kube_json_get(metadata, "finalizers")) > 0 ||
            rules_has_spec_finalizers(r, object);
    *ret_gone = !waits && grace == 0;
    *ret_same = pending && !*ret_gone && grace >= before;
    if (*ret_gone || *ret_same) {
        return 0;
    }
    return rules_mark(rules, object, grace) && rules_terminate_namespace(rules, object)
               ? 0
               : KVS_E_NOMEM;
}
