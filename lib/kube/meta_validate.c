#include "kube/meta_validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "kube/object_meta.h"
#include "kube/quote.h"
#include "kube/tree.h"

#define META_ANNOTATIONS_MAX (256 * 1024)
#define META_MANAGER_MAX     128
#define META_SUBRESOURCE_MAX 256
#define META_KEY_MAX         1024 /* no valid key is longer */
#define META_NAME_MAX        512  /* no valid name is longer */
#define META_IMMUTABLE       "field is immutable"

/* ---- names ---- */

static const struct {
    const char *group;
    const char *kind;
    enum kube_name_rule rule;
} meta_name_rules[] = {
    {"", "Namespace", KUBE_NAME_LABEL},
    {"", "Service", KUBE_NAME_DNS1035},
    {"rbac.authorization.k8s.io", "ClusterRole", KUBE_NAME_PATH_SEGMENT},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", KUBE_NAME_PATH_SEGMENT},
    {"rbac.authorization.k8s.io", "Role", KUBE_NAME_PATH_SEGMENT},
    {"rbac.authorization.k8s.io", "RoleBinding", KUBE_NAME_PATH_SEGMENT},
};

enum kube_name_rule kube_name_rule_of(struct kvs_view group, struct kvs_view kind)
{
    for (size_t i = 0; i < ARRAY_LEN(meta_name_rules); i++) {
        if (view_equal_str(kind, meta_name_rules[i].kind) &&
            view_equal_str(group, meta_name_rules[i].group)) {
            return meta_name_rules[i].rule;
        }
    }
    return KUBE_NAME_SUBDOMAIN;
}

bool kube_name_check(enum kube_name_rule rule,
                     struct kvs_view name,
                     bool is_prefix,
                     struct kube_name_messages *ret_messages)
{
    static const kube_name_fn checks[] = {
        [KUBE_NAME_SUBDOMAIN] = kube_name_dns1123_subdomain,
        [KUBE_NAME_LABEL] = kube_name_dns1123_label,
        [KUBE_NAME_DNS1035] = kube_name_dns1035_label,
        [KUBE_NAME_PATH_SEGMENT] = kube_name_path_segment,
    };
    const char *p = name.data;
    char masked[META_NAME_MAX];

    kvs_assert(rule < KUBE_NAME_RULE_COUNT);
    if (is_prefix && rule == KUBE_NAME_PATH_SEGMENT) {
        return kube_name_path_segment_prefix(name, ret_messages);
    }
    /* The dash will be followed by a letter; Kubernetes puts one in place of it and of the
     * character before it. */
    if (is_prefix && name.len > 1 && name.len <= sizeof masked && p[name.len - 1] == '-') {
        memcpy(masked, p, name.len - 2);
        masked[name.len - 2] = 'a';
        name = view_make(masked, name.len - 1);
    }
    return checks[rule](name, ret_messages);
}

static void meta_validate_name(yyjson_mut_val *object,
                               const struct kube_meta_rules *rules,
                               const struct kube_path *path,
                               struct kube_errors *errors)
{
    struct kube_path at_generate = kube_path_child(path, "generateName");
    struct kube_path at_name = kube_path_child(path, "name");
    struct kvs_view generate = kube_meta_text(object, "generateName");
    struct kvs_view name = kube_meta_name(object);
    struct kube_name_messages messages;

    if (generate.len > 0) {
        (void)kube_name_check(rules->name, generate, true, &messages); /* The messages say it. */
        kube_errors_names(errors, &at_generate, generate, &messages);
    }
    if (name.len == 0) {
        kube_errors_required(errors, &at_name, "name or generateName is required");
        return;
    }
    (void)kube_name_check(rules->name, name, false, &messages);
    kube_errors_names(errors, &at_name, name, &messages);
}

static void meta_validate_namespace(yyjson_mut_val *object,
                                    const struct kube_meta_rules *rules,
                                    const struct kube_path *path,
                                    struct kube_errors *errors)
{
    struct kube_path at = kube_path_child(path, "namespace");
    struct kvs_view name = kube_meta_namespace(object);
    struct kube_name_messages messages;

    if (rules->is_namespaced && name.len == 0) {
        kube_errors_required(errors, &at, "");
    } else if (rules->is_namespaced) {
        (void)kube_name_dns1123_label(name, &messages); /* The messages say it. */
        kube_errors_names(errors, &at, name, &messages);
    } else if (name.len > 0) {
        kube_errors_forbidden(errors, &at, "not allowed on this type");
    }
}

/* ---- labels and annotations ---- */

void kube_meta_validate_labels(yyjson_mut_val *labels,
                               const struct kube_path *path,
                               struct kube_errors *errors)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(labels);
    struct kube_name_messages messages;
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kvs_view value = kube_tree_text(yyjson_mut_obj_iter_get_val(key));

        if (!kube_name_qualified(kube_tree_text(key), &messages)) {
            kube_errors_names(errors, path, kube_tree_text(key), &messages);
        }
        if (!kube_name_label_value(value, &messages)) {
            kube_errors_names(errors, path, value, &messages);
        }
    }
}

/* Case does not matter in the keys of annotations. */
static bool meta_check_annotation(struct kvs_view key, struct kube_name_messages *ret_messages)
{
    char lower[META_KEY_MAX];

    if (key.len > sizeof lower) {
        return kube_name_qualified(key, ret_messages);
    }
    for (size_t i = 0; i < key.len; i++) {
        char c = ((const char *)key.data)[i];

        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return kube_name_qualified(view_make(lower, key.len), ret_messages);
}

void kube_meta_validate_annotations(yyjson_mut_val *annotations,
                                    const struct kube_path *path,
                                    struct kube_errors *errors)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(annotations);
    struct kube_name_messages messages;
    yyjson_mut_val *key;
    size_t total = 0;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kvs_view name = kube_tree_text(key);

        if (!meta_check_annotation(name, &messages)) {
            kube_errors_names(errors, path, name, &messages);
        }
        total += name.len + kube_tree_text(yyjson_mut_obj_iter_get_val(key)).len;
    }
    if (total > META_ANNOTATIONS_MAX) {
        kube_errors_too_long(errors, path, META_ANNOTATIONS_MAX);
    }
}

/* ---- owners ---- */

static void meta_quote_bool(struct buf *out, yyjson_mut_val *value)
{
    /* Go prints the address of what a pointer leads to; nobody can compare that. */
    buf_append_str(out, !yyjson_mut_is_bool(value)   ? "(*bool)(nil)"
                        : yyjson_mut_get_bool(value) ? "(*bool)(true)"
                                                     : "(*bool)(false)");
}

static void meta_quote_owner(struct buf *out, yyjson_mut_val *owner)
{
    static const struct {
        const char *title;
        const char *field;
    } texts[] = {
        {"v1.OwnerReference{APIVersion:", "apiVersion"},
        {", Kind:", "kind"},
        {", Name:", "name"},
        {", UID:", "uid"},
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        buf_append_str(out, texts[i].title);
        kube_quote(out, kube_tree_text(yyjson_mut_obj_get(owner, texts[i].field)));
    }
    buf_append_str(out, ", Controller:");
    meta_quote_bool(out, yyjson_mut_obj_get(owner, "controller"));
    buf_append_str(out, ", BlockOwnerDeletion:");
    meta_quote_bool(out, yyjson_mut_obj_get(owner, "blockOwnerDeletion"));
    buf_append_u8(out, '}');
}

/* Adds an Invalid error with a value and a detail that were put together in buffers. */
static void meta_invalid(struct kube_errors *errors,
                         const struct kube_path *path,
                         const struct buf *value,
                         struct buf *detail)
{
    buf_append_u8(detail, '\0');
    if (value->failed || detail->failed) {
        errors->failed = true;
        return;
    }
    kube_errors_invalid(errors, path, kube_bad_text(buf_view(value)), (const char *)detail->data);
}

/* An Event comes and goes by itself: it cannot own. */
static void
meta_refuse_event(yyjson_mut_val *owner, const struct kube_path *path, struct kube_errors *errors)
{
    struct buf value;
    struct buf detail;

    buf_init(&value);
    buf_init(&detail);
    meta_quote_owner(&value, owner);
    buf_append_str(&detail, "/v1, Kind=Event is disallowed from being an owner");
    meta_invalid(errors, path, &value, &detail);
    buf_fini(&value);
    buf_fini(&detail);
}

/* True if "group/version" names a version. */
static bool meta_has_version(struct kvs_view api_version)
{
    const char *p = api_version.data;
    size_t n_slashes = 0;

    for (size_t i = 0; i < api_version.len; i++) {
        n_slashes += p[i] == '/';
    }
    return api_version.len > 0 && n_slashes <= 1 && p[api_version.len - 1] != '/';
}

static void
meta_validate_owner(yyjson_mut_val *owner, const struct kube_path *path, struct kube_errors *errors)
{
    static const struct {
        const char *field;
        const char *detail;
    } needed[] = {
        {"kind", "kind must not be empty"},
        {"name", "name must not be empty"},
        {"uid", "uid must not be empty"},
    };
    struct kvs_view version = kube_tree_text(yyjson_mut_obj_get(owner, "apiVersion"));
    struct kvs_view kind = kube_tree_text(yyjson_mut_obj_get(owner, "kind"));
    struct kube_path at = kube_path_child(path, "apiVersion");

    if (!meta_has_version(version)) {
        kube_errors_invalid(errors, &at, kube_bad_string(version), "version must not be empty");
    }
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        struct kvs_view text = kube_tree_text(yyjson_mut_obj_get(owner, needed[i].field));

        at = kube_path_child(path, needed[i].field);
        if (text.len == 0) {
            kube_errors_invalid(errors, &at, kube_bad_string(text), needed[i].detail);
        }
    }
    if (view_equal_str(version, "v1") && view_equal_str(kind, "Event")) {
        meta_refuse_event(owner, path, errors);
    }
}

static void meta_refuse_second(yyjson_mut_val *owners,
                               yyjson_mut_val *first,
                               yyjson_mut_val *second,
                               const struct kube_path *path,
                               struct kube_errors *errors)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(owners);
    yyjson_mut_val *pair[] = {first, second};
    yyjson_mut_val *owner;
    struct buf value;
    struct buf detail;
    size_t n = 0;

    buf_init(&value);
    buf_init(&detail);
    buf_append_str(&value, "[]v1.OwnerReference{");
    while ((owner = yyjson_mut_arr_iter_next(&it)) != NULL) {
        buf_append_str(&value, n++ > 0 ? ", " : "");
        meta_quote_owner(&value, owner);
    }
    buf_append_u8(&value, '}');
    buf_append_str(&detail, "Only one reference can have Controller set to true. Found \"true\" in "
                            "references for ");
    for (size_t i = 0; i < 2; i++) {
        buf_append_str(&detail, i > 0 ? " and " : "");
        buf_append_view(&detail, kube_tree_text(yyjson_mut_obj_get(pair[i], "kind")));
        buf_append_u8(&detail, '/');
        buf_append_view(&detail, kube_tree_text(yyjson_mut_obj_get(pair[i], "name")));
    }
    meta_invalid(errors, path, &value, &detail);
    buf_fini(&value);
    buf_fini(&detail);
}

static void meta_validate_owners(yyjson_mut_val *object,
                                 const struct kube_path *path,
                                 struct kube_errors *errors)
{
    struct kube_path at = kube_path_child(path, "ownerReferences");
    yyjson_mut_val *owners = kube_meta_owner_references(object);
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(owners);
    yyjson_mut_val *first = NULL;
    yyjson_mut_val *owner;
    bool has_second = false;

    while ((owner = yyjson_mut_arr_iter_next(&it)) != NULL) {
        meta_validate_owner(owner, &at, errors);
        if (!yyjson_mut_get_bool(yyjson_mut_obj_get(owner, "controller"))) {
            continue;
        }
        if (first == NULL) {
            first = owner;
        } else if (!has_second) {
            has_second = true; /* Once: the error quotes the whole list. */
            meta_refuse_second(owners, first, owner, &at, errors);
        }
    }
}

/* ---- finalizers ---- */

/* Appends a list of texts as Go prints it. */
static void meta_quote_list(struct buf *out, yyjson_mut_val *list)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;
    size_t n = 0;

    buf_append_str(out, "[]string{");
    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        buf_append_str(out, n++ > 0 ? ", " : "");
        kube_quote(out, kube_tree_text(item));
    }
    buf_append_u8(out, '}');
}

static void meta_validate_finalizers(yyjson_mut_val *object,
                                     const struct kube_path *path,
                                     struct kube_errors *errors)
{
    struct kube_path at = kube_path_child(path, "finalizers");
    yyjson_mut_val *list = kube_meta_finalizers(object);
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    struct kube_name_messages messages;
    yyjson_mut_val *item;
    struct buf value;

    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        (void)kube_name_qualified(kube_tree_text(item), &messages); /* The messages say it. */
        kube_errors_names(errors, &at, kube_tree_text(item), &messages);
    }
    if (kube_meta_has_finalizer(object, VIEW_LITERAL("orphan")) &&
        kube_meta_has_finalizer(object, VIEW_LITERAL("foregroundDeletion"))) {
        buf_init(&value);
        meta_quote_list(&value, list);
        errors->failed = errors->failed || value.failed;
        kube_errors_invalid(errors, &at, kube_bad_text(buf_view(&value)),
                            "finalizer orphan and foregroundDeletion cannot be both set");
        buf_fini(&value);
    }
}

/* Finalizers of built-in kinds are Kubernetes' own or have a domain. */
static void meta_validate_standard(yyjson_mut_val *object,
                                   const struct kube_path *path,
                                   struct kube_errors *errors)
{
    struct kube_path at_list = kube_path_child(path, "finalizers");
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(kube_meta_finalizers(object));
    yyjson_mut_val *item;
    size_t i = 0;

    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        struct kvs_view name = kube_tree_text(item);
        struct kube_path at = kube_path_index(&at_list, i++);

        if ((name.len == 0 || memchr(name.data, '/', name.len) == NULL) &&
            !view_equal_str(name, "kubernetes") && !view_equal_str(name, "orphan") &&
            !view_equal_str(name, "foregroundDeletion")) {
            kube_errors_invalid(errors, &at, kube_bad_string(name),
                                "name is neither a standard finalizer name nor is it fully "
                                "qualified");
        }
    }
}

static int meta_compare_views(const void *a, const void *b)
{
    return view_compare(*(const struct kvs_view *)a, *(const struct kvs_view *)b);
}

/* Puts the finalizers that `old` does not have into `ret_extra`, sorted, each once. */
static size_t
meta_new_finalizers(yyjson_mut_val *object, yyjson_mut_val *old, struct kvs_view *ret_extra)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(kube_meta_finalizers(object));
    yyjson_mut_val *item;
    size_t n = 0;
    size_t kept = 0;

    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        if (!kube_meta_has_finalizer(old, kube_tree_text(item))) {
            ret_extra[n++] = kube_tree_text(item);
        }
    }
    if (n > 1) {
        qsort(ret_extra, n, sizeof *ret_extra, meta_compare_views);
    }
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !view_equal(ret_extra[kept - 1], ret_extra[i])) {
            ret_extra[kept++] = ret_extra[i];
        }
    }
    return kept;
}

static void meta_refuse_new_finalizers(yyjson_mut_val *object,
                                       yyjson_mut_val *old,
                                       const struct kube_path *path,
                                       struct kube_errors *errors)
{
    struct kube_path at = kube_path_child(path, "finalizers");
    size_t n = yyjson_mut_arr_size(kube_meta_finalizers(object));
    struct kvs_view *extra = arena_calloc(&errors->arena, n, sizeof *extra);
    struct buf detail;

    if (extra == NULL) {
        errors->failed = true;
        return;
    }
    n = meta_new_finalizers(object, old, extra);
    if (n == 0) {
        return;
    }
    buf_init(&detail);
    buf_append_str(&detail,
                   "no new finalizers can be added if the object is being deleted, found new "
                   "finalizers ");
    kube_quote_strings(&detail, extra, n);
    buf_append_u8(&detail, '\0');
    if (detail.failed) {
        errors->failed = true;
    } else {
        kube_errors_forbidden(errors, &at, (const char *)detail.data);
    }
    buf_fini(&detail);
}

/* ---- managed fields ---- */

static void meta_validate_manager(struct kvs_view manager,
                                  const struct kube_path *path,
                                  struct kube_errors *errors)
{
    const unsigned char *p = manager.data;
    char detail[80];

    if (manager.len > META_MANAGER_MAX) {
        kube_errors_too_long(errors, path, META_MANAGER_MAX);
    }
    for (size_t i = 0; i < manager.len; i++) {
        if (p[i] < 0x20 || p[i] == 0x7f) {
            (void)snprintf(detail, sizeof detail, "invalid character U+%04X (at position %zu)",
                           p[i], i);
            kube_errors_invalid(errors, path, kube_bad_string(manager), detail);
        }
    }
}

static void meta_validate_managed(yyjson_mut_val *object,
                                  const struct kube_path *path,
                                  struct kube_errors *errors)
{
    struct kube_path at_list = kube_path_child(path, "managedFields");
    yyjson_mut_val *list = yyjson_mut_obj_get(kube_meta_get(object), "managedFields");
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;
    size_t i = 0;

    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        struct kube_path at = kube_path_index(&at_list, i++);
        struct kube_path field = kube_path_child(&at, "operation");
        struct kvs_view text = kube_tree_text(yyjson_mut_obj_get(item, "operation"));

        if (!view_equal_str(text, "Apply") && !view_equal_str(text, "Update")) {
            kube_errors_invalid(errors, &field, kube_bad_string(text),
                                "must be `Apply` or `Update`");
        }
        text = kube_tree_text(yyjson_mut_obj_get(item, "fieldsType"));
        field = kube_path_child(&at, "fieldsType");
        if (text.len > 0 && !view_equal_str(text, "FieldsV1")) {
            kube_errors_invalid(errors, &field, kube_bad_string(text), "must be `FieldsV1`");
        }
        field = kube_path_child(&at, "manager");
        meta_validate_manager(kube_tree_text(yyjson_mut_obj_get(item, "manager")), &field, errors);
        field = kube_path_child(&at, "subresource");
        if (kube_tree_text(yyjson_mut_obj_get(item, "subresource")).len > META_SUBRESOURCE_MAX) {
            kube_errors_too_long(errors, &field, META_SUBRESOURCE_MAX);
        }
    }
}

/* ---- the whole ---- */

/* What new objects and updates have in common. */
static void meta_validate_common(yyjson_mut_val *object,
                                 const struct kube_path *path,
                                 struct kube_errors *errors)
{
    struct kube_path labels = kube_path_child(path, "labels");
    struct kube_path annotations = kube_path_child(path, "annotations");

    kube_meta_validate_labels(kube_meta_labels(object), &labels, errors);
    kube_meta_validate_annotations(kube_meta_annotations(object), &annotations, errors);
    meta_validate_owners(object, path, errors);
}

void kube_meta_validate(yyjson_mut_val *object,
                        const struct kube_meta_rules *rules,
                        const struct kube_path *path,
                        struct kube_errors *errors)
{
    struct kube_path generation = kube_path_child(path, "generation");

    kvs_assert(errors != NULL && rules != NULL);
    meta_validate_name(object, rules, path, errors);
    meta_validate_namespace(object, rules, path, errors);
    if (kube_meta_generation(object) < 0) {
        kube_errors_invalid(errors, &generation, kube_bad_int(kube_meta_generation(object)),
                            "must be greater than or equal to 0");
    }
    meta_validate_common(object, path, errors);
    meta_validate_finalizers(object, path, errors);
    meta_validate_managed(object, path, errors);
    if (!rules->is_custom) {
        meta_validate_standard(object, path, errors);
    }
}

/* A time as Go prints it, 2026-11-28 20:15:00 +0000 UTC; "null" if there is none and `is_pointer`,
 * else the zero time. */
static void meta_immutable_time(yyjson_mut_val *object,
                                yyjson_mut_val *old,
                                const char *field,
                                const struct kube_path *path,
                                struct kube_errors *errors)
{
    struct kube_path at = kube_path_child(path, field);
    struct kvs_view text = kube_meta_text(object, field);
    bool is_pointer = field[0] == 'd';
    char now[KUBE_TIME_TEXT_MAX] = "0001-01-01T00:00:00Z";
    char printed[KUBE_TIME_TEXT_MAX + 16];
    struct kube_time t = {0};
    struct kube_time before = {0};
    bool has = kube_time_parse(text, &t, NULL) == 0;
    bool had = kube_time_parse(kube_meta_text(old, field), &before, NULL) == 0;

    if (has == had && t.seconds == before.seconds) {
        return;
    }
    if (!has && is_pointer) {
        kube_errors_invalid(errors, &at, kube_bad_null(), META_IMMUTABLE);
        return;
    }
    if (has) {
        (void)kube_time_print(t, now); /* The length is not needed. */
    }
    (void)snprintf(printed, sizeof printed, "%.10s %.8s +0000 UTC", now, now + 11);
    kube_errors_invalid(errors, &at, kube_bad_text(view_str(printed)), META_IMMUTABLE);
}

static void meta_immutable_text(yyjson_mut_val *object,
                                yyjson_mut_val *old,
                                const char *field,
                                const struct kube_path *path,
                                struct kube_errors *errors)
{
    struct kube_path at = kube_path_child(path, field);
    struct kvs_view text = kube_meta_text(object, field);

    if (!view_equal(text, kube_meta_text(old, field))) {
        kube_errors_invalid(errors, &at, kube_bad_string(text), META_IMMUTABLE);
    }
}

static void meta_validate_immutable(yyjson_mut_val *object,
                                    yyjson_mut_val *old,
                                    const struct kube_path *path,
                                    struct kube_errors *errors)
{
    struct kube_path at = kube_path_child(path, "deletionGracePeriodSeconds");
    int64_t grace = 0;
    int64_t before = 0;
    bool has = kube_meta_number(object, "deletionGracePeriodSeconds", &grace);
    bool had = kube_meta_number(old, "deletionGracePeriodSeconds", &before);

    meta_immutable_text(object, old, "name", path, errors);
    meta_immutable_text(object, old, "namespace", path, errors);
    meta_immutable_text(object, old, "uid", path, errors);
    meta_immutable_time(object, old, "creationTimestamp", path, errors);
    meta_immutable_time(object, old, "deletionTimestamp", path, errors);
    if (has != had || grace != before) {
        kube_errors_invalid(errors, &at, has ? kube_bad_int(grace) : kube_bad_null(),
                            META_IMMUTABLE);
    }
}

void kube_meta_validate_update(yyjson_mut_val *object,
                               yyjson_mut_val *old,
                               const struct kube_meta_rules *rules,
                               const struct kube_path *path,
                               struct kube_errors *errors)
{
    struct kube_path at_version = kube_path_child(path, "resourceVersion");
    struct kube_path at_generation = kube_path_child(path, "generation");
    struct kvs_view version = kube_meta_resource_version(object);

    kvs_assert(errors != NULL && rules != NULL);
    if (kube_meta_is_deleting(old)) {
        meta_refuse_new_finalizers(object, old, path, errors);
    }
    if (version.len == 0) {
        kube_errors_invalid(errors, &at_version, kube_bad_string(version),
                            "must be specified for an update");
    }
    if (kube_meta_generation(object) < kube_meta_generation(old)) {
        kube_errors_invalid(errors, &at_generation, kube_bad_int(kube_meta_generation(object)),
                            "must not be decremented");
    }
    meta_validate_immutable(object, old, path, errors);
    meta_validate_common(object, path, errors);
    meta_validate_managed(object, path, errors);
    if (!rules->is_custom) {
        meta_validate_standard(object, path, errors);
    }
}
