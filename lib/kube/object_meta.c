#include "kube/object_meta.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "kube/tree.h"

/* A generated name has at most 63 characters, so that it is a label, too. */
#define META_GENERATED_BASE_MAX 58
#define META_GENERATED_RANDOM   5

/* ---- reading ---- */

yyjson_mut_val *kube_meta_get(yyjson_mut_val *object)
{
    yyjson_mut_val *meta = yyjson_mut_obj_get(object, "metadata");

    return yyjson_mut_is_obj(meta) ? meta : NULL;
}

struct kvs_view kube_meta_text(yyjson_mut_val *object, const char *field)
{
    return kube_tree_text(yyjson_mut_obj_get(kube_meta_get(object), field));
}

bool kube_meta_number(yyjson_mut_val *object, const char *field, int64_t *ret_number)
{
    yyjson_mut_val *value = yyjson_mut_obj_get(kube_meta_get(object), field);

    if (!yyjson_mut_is_int(value) ||
        (yyjson_mut_is_uint(value) && yyjson_mut_get_uint(value) > INT64_MAX)) {
        return false;
    }
    *ret_number = yyjson_mut_get_sint(value);
    return true;
}

int64_t kube_meta_generation(yyjson_mut_val *object)
{
    int64_t generation = 0;

    (void)kube_meta_number(object, "generation", &generation); /* Absent: 0. */
    return generation;
}

static yyjson_mut_val *meta_object(yyjson_mut_val *object, const char *field)
{
    yyjson_mut_val *value = yyjson_mut_obj_get(kube_meta_get(object), field);

    return yyjson_mut_is_obj(value) ? value : NULL;
}

static yyjson_mut_val *meta_list(yyjson_mut_val *object, const char *field)
{
    yyjson_mut_val *value = yyjson_mut_obj_get(kube_meta_get(object), field);

    return yyjson_mut_is_arr(value) ? value : NULL;
}

yyjson_mut_val *kube_meta_labels(yyjson_mut_val *object)
{
    return meta_object(object, "labels");
}

yyjson_mut_val *kube_meta_annotations(yyjson_mut_val *object)
{
    return meta_object(object, "annotations");
}

yyjson_mut_val *kube_meta_owner_references(yyjson_mut_val *object)
{
    return meta_list(object, "ownerReferences");
}

yyjson_mut_val *kube_meta_finalizers(yyjson_mut_val *object)
{
    return meta_list(object, "finalizers");
}

static bool meta_entry(yyjson_mut_val *map, struct kvs_view key, struct kvs_view *ret_value)
{
    yyjson_mut_val *value = kube_tree_get(map, key);

    if (!yyjson_mut_is_str(value)) {
        return false;
    }
    *ret_value = kube_tree_text(value);
    return true;
}

bool kube_meta_label(yyjson_mut_val *object, struct kvs_view key, struct kvs_view *ret_value)
{
    return meta_entry(kube_meta_labels(object), key, ret_value);
}

bool kube_meta_annotation(yyjson_mut_val *object, struct kvs_view key, struct kvs_view *ret_value)
{
    return meta_entry(kube_meta_annotations(object), key, ret_value);
}

bool kube_meta_has_finalizer(yyjson_mut_val *object, struct kvs_view name)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(kube_meta_finalizers(object));
    yyjson_mut_val *item;

    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        if (yyjson_mut_is_str(item) && view_equal(kube_tree_text(item), name)) {
            return true;
        }
    }
    return false;
}

yyjson_mut_val *kube_meta_controller(yyjson_mut_val *object)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(kube_meta_owner_references(object));
    yyjson_mut_val *owner;

    while ((owner = yyjson_mut_arr_iter_next(&it)) != NULL) {
        if (yyjson_mut_get_bool(yyjson_mut_obj_get(owner, "controller"))) {
            return owner;
        }
    }
    return NULL;
}

/* ---- writing ---- */

/* A member object of `parent`, made if it is not there. NULL without memory. */
static yyjson_mut_val *
meta_require(yyjson_mut_doc *doc, yyjson_mut_val *parent, const char *name, bool is_list)
{
    yyjson_mut_val *value = yyjson_mut_obj_get(parent, name);

    kvs_assert(yyjson_mut_is_obj(parent));
    if (is_list ? yyjson_mut_is_arr(value) : yyjson_mut_is_obj(value)) {
        return value;
    }
    value = is_list ? yyjson_mut_arr(doc) : yyjson_mut_obj(doc);
    if (value == NULL || kube_tree_set(doc, parent, view_str(name), value) != 0) {
        return NULL;
    }
    return yyjson_mut_obj_get(parent, name);
}

static int
meta_set(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *field, yyjson_mut_val *value)
{
    yyjson_mut_val *meta = meta_require(doc, object, "metadata", false);

    return meta == NULL ? KVS_E_NOMEM : kube_tree_set(doc, meta, view_str(field), value);
}

void kube_meta_remove(yyjson_mut_val *object, const char *field)
{
    (void)yyjson_mut_obj_remove_key(kube_meta_get(object), field); /* It may not be there. */
}

int kube_meta_set_text(yyjson_mut_doc *doc,
                       yyjson_mut_val *object,
                       const char *field,
                       struct kvs_view text)
{
    if (text.len == 0) {
        kube_meta_remove(object, field);
        return 0;
    }
    return meta_set(doc, object, field, yyjson_mut_strncpy(doc, text.data, text.len));
}

int kube_meta_set_number(yyjson_mut_doc *doc,
                         yyjson_mut_val *object,
                         const char *field,
                         int64_t number)
{
    return meta_set(doc, object, field,
                    number >= 0 ? yyjson_mut_uint(doc, (uint64_t)number)
                                : yyjson_mut_sint(doc, number));
}

int kube_meta_set_time(yyjson_mut_doc *doc,
                       yyjson_mut_val *object,
                       const char *field,
                       struct kube_time t)
{
    char text[KUBE_TIME_TEXT_MAX];
    size_t len = kube_time_print(t, text);

    return kube_meta_set_text(doc, object, field, view_make(text, len));
}

static int meta_set_entry(yyjson_mut_doc *doc,
                          yyjson_mut_val *object,
                          const char *field,
                          struct kvs_view key,
                          const struct kvs_view *value)
{
    yyjson_mut_val *map = meta_object(object, field);

    if (value == NULL) {
        (void)yyjson_mut_obj_remove_keyn(map, key.data, key.len); /* It may not be there. */
        if (map != NULL && yyjson_mut_obj_size(map) == 0) {
            kube_meta_remove(object, field);
        }
        return 0;
    }
    map = meta_require(doc, object, "metadata", false);
    map = map == NULL ? NULL : meta_require(doc, map, field, false);
    if (map == NULL) {
        return KVS_E_NOMEM;
    }
    return kube_tree_set(doc, map, key,
                         yyjson_mut_strncpy(doc, value->len > 0 ? value->data : "", value->len));
}

int kube_meta_set_label(yyjson_mut_doc *doc,
                        yyjson_mut_val *object,
                        struct kvs_view key,
                        const struct kvs_view *value)
{
    return meta_set_entry(doc, object, "labels", key, value);
}

int kube_meta_set_annotation(yyjson_mut_doc *doc,
                             yyjson_mut_val *object,
                             struct kvs_view key,
                             const struct kvs_view *value)
{
    return meta_set_entry(doc, object, "annotations", key, value);
}

int kube_meta_add_finalizer(yyjson_mut_doc *doc, yyjson_mut_val *object, struct kvs_view name)
{
    yyjson_mut_val *list = meta_require(doc, object, "metadata", false);

    if (kube_meta_has_finalizer(object, name)) {
        return 0;
    }
    list = list == NULL ? NULL : meta_require(doc, list, "finalizers", true);
    if (list == NULL ||
        !yyjson_mut_arr_append(list, yyjson_mut_strncpy(doc, name.data, name.len))) {
        return KVS_E_NOMEM;
    }
    return 0;
}

bool kube_meta_remove_finalizer(yyjson_mut_val *object, struct kvs_view name)
{
    yyjson_mut_val *list = kube_meta_finalizers(object);
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;
    bool found = false;

    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        if (yyjson_mut_is_str(item) && view_equal(kube_tree_text(item), name)) {
            (void)yyjson_mut_arr_iter_remove(&it); /* It stays in the document. */
            found = true;
        }
    }
    if (list != NULL && yyjson_mut_arr_size(list) == 0) {
        kube_meta_remove(object, "finalizers");
    }
    return found;
}

/* ---- new objects, and updates ---- */

void kube_uid_print(const uint8_t random[16], char ret_text[KUBE_UID_TEXT_MAX])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;

    for (int i = 0; i < 16; i++) {
        unsigned byte = random[i];

        byte = i == 6 ? (byte & 0x0f) | 0x40 : byte; /* version 4 */
        byte = i == 8 ? (byte & 0x3f) | 0x80 : byte; /* variant of RFC 9562 */
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            ret_text[n++] = '-';
        }
        ret_text[n++] = digits[byte >> 4];
        ret_text[n++] = digits[byte & 15];
    }
    ret_text[n] = '\0';
    kvs_assert(n + 1 == KUBE_UID_TEXT_MAX);
}

size_t kube_name_generate(struct kvs_view base, struct rng *rng, char ret_text[KUBE_NAME_TEXT_MAX])
{
    /* No vowels and nothing that looks like one: no words come out. */
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    size_t n = base.len < META_GENERATED_BASE_MAX ? base.len : META_GENERATED_BASE_MAX;

    if (n > 0) {
        memcpy(ret_text, base.data, n);
    }
    for (int i = 0; i < META_GENERATED_RANDOM; i++) {
        ret_text[n++] = alphabet[rng_below(rng, sizeof alphabet - 1)];
    }
    ret_text[n] = '\0';
    return n;
}

int kube_meta_prepare_create(yyjson_mut_doc *doc,
                             yyjson_mut_val *object,
                             struct kube_time now,
                             const uint8_t random[16],
                             struct rng *rng)
{
    struct kvs_view base = kube_meta_text(object, "generateName");
    char name[KUBE_NAME_TEXT_MAX];
    char uid[KUBE_UID_TEXT_MAX];
    int err = 0;

    if (kube_meta_name(object).len == 0 && base.len > 0) {
        size_t len = kube_name_generate(base, rng, name);

        err = kube_meta_set_text(doc, object, "name", view_make(name, len));
    }
    if (err == 0) {
        kube_uid_print(random, uid);
        err = kube_meta_set_text(doc, object, "uid", view_str(uid));
    }
    if (err == 0) {
        err = kube_meta_set_time(doc, object, "creationTimestamp", now);
    }
    kube_meta_remove(object, "deletionTimestamp");
    kube_meta_remove(object, "deletionGracePeriodSeconds");
    kube_meta_remove(object, "selfLink");
    return err;
}

int kube_meta_prepare_update(yyjson_mut_doc *doc, yyjson_mut_val *object, yyjson_mut_val *old)
{
    struct kvs_view created = kube_meta_text(old, "creationTimestamp");
    struct kvs_view deleted = kube_meta_deletion_timestamp(old);
    int64_t grace;
    int err = 0;

    if (kube_meta_uid(object).len == 0) {
        err = kube_meta_set_text(doc, object, "uid", kube_meta_uid(old));
    }
    if (err == 0 && created.len > 0) {
        err = kube_meta_set_text(doc, object, "creationTimestamp", created);
    }
    if (err == 0 && deleted.len > 0) {
        err = kube_meta_set_text(doc, object, "deletionTimestamp", deleted);
    }
    if (err == 0 && kube_meta_number(old, "deletionGracePeriodSeconds", &grace)) {
        int64_t wanted = 0; /* What a client did not leave out is for validation. */

        if (!kube_meta_number(object, "deletionGracePeriodSeconds", &wanted)) {
            err = kube_meta_set_number(doc, object, "deletionGracePeriodSeconds", grace);
        }
    }
    return err;
}
