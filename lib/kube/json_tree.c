/* JSON trees: members by name, copies, comparison, members that are there twice. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "kube/json.h"
#include "kube/json_int.h"

struct kvs_view kube_json_str(yyjson_mut_val *value)
{
    if (!yyjson_mut_is_str(value)) {
        return (struct kvs_view){NULL, 0};
    }
    return view_make(yyjson_mut_get_str(value), yyjson_mut_get_len(value));
}

yyjson_mut_val *kube_json_get_view(yyjson_mut_val *object, struct kvs_view name)
{
    return yyjson_mut_obj_getn(object, name.data, name.len);
}

yyjson_mut_val *kube_json_get(yyjson_mut_val *object, const char *name)
{
    return kube_json_get_view(object, view_str(name));
}

struct kvs_view kube_json_get_str(yyjson_mut_val *object, const char *name)
{
    return kube_json_str(kube_json_get(object, name));
}

yyjson_mut_val *kube_json_copy(yyjson_mut_doc *doc, yyjson_mut_val *value)
{
    return yyjson_mut_val_mut_copy(doc, value);
}

/* ---- comparison ---- */

static bool numbers_equal(yyjson_mut_val *a, yyjson_mut_val *b)
{
    if (yyjson_mut_is_real(a) || yyjson_mut_is_real(b)) {
        double x = yyjson_mut_get_num(a);
        double y = yyjson_mut_get_num(b);

        return x <= y && x >= y;
    }
    if (yyjson_mut_is_sint(a) != yyjson_mut_is_sint(b) &&
        (yyjson_mut_get_sint(a) < 0 || yyjson_mut_get_sint(b) < 0)) {
        return false; /* a negative number has the bits of a large positive one */
    }
    return yyjson_mut_get_uint(a) == yyjson_mut_get_uint(b);
}

static bool arrays_equal(yyjson_mut_val *a, yyjson_mut_val *b)
{
    yyjson_mut_arr_iter x = yyjson_mut_arr_iter_with(a);
    yyjson_mut_arr_iter y = yyjson_mut_arr_iter_with(b);
    yyjson_mut_val *value;

    while ((value = yyjson_mut_arr_iter_next(&x)) != NULL) {
        if (!kube_json_equal(value, yyjson_mut_arr_iter_next(&y))) {
            return false;
        }
    }
    return true;
}

/* Trees are mostly in the same order: the search goes on behind the last hit. */
static bool objects_equal(yyjson_mut_val *a, yyjson_mut_val *b)
{
    yyjson_mut_obj_iter x = yyjson_mut_obj_iter_with(a);
    yyjson_mut_obj_iter y = yyjson_mut_obj_iter_with(b);
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&x)) != NULL) {
        yyjson_mut_val *other =
            yyjson_mut_obj_iter_getn(&y, yyjson_mut_get_str(key), yyjson_mut_get_len(key));

        if (other == NULL || !kube_json_equal(yyjson_mut_obj_iter_get_val(key), other)) {
            return false;
        }
    }
    return true;
}

bool kube_json_equal(yyjson_mut_val *a, yyjson_mut_val *b)
{
    if (a == NULL || b == NULL || yyjson_mut_get_type(a) != yyjson_mut_get_type(b)) {
        return a == b;
    }
    switch (yyjson_mut_get_type(a)) {
    case YYJSON_TYPE_NUM:
        return numbers_equal(a, b);
    case YYJSON_TYPE_BOOL:
        return yyjson_mut_get_bool(a) == yyjson_mut_get_bool(b);
    case YYJSON_TYPE_STR:
        return view_equal(kube_json_str(a), kube_json_str(b));
    case YYJSON_TYPE_ARR:
        return yyjson_mut_arr_size(a) == yyjson_mut_arr_size(b) && arrays_equal(a, b);
    case YYJSON_TYPE_OBJ:
        return yyjson_mut_obj_size(a) == yyjson_mut_obj_size(b) && objects_equal(a, b);
    default:
        return true;
    }
}

/* ---- members by order ---- */

struct kvs_view kube_member_name(const struct kube_member *m)
{
    return kube_json_str(m->key);
}

static int compare_members(const void *a, const void *b)
{
    const struct kube_member *x = a;
    const struct kube_member *y = b;
    int order = view_compare(kube_member_name(x), kube_member_name(y));

    if (order != 0) {
        return order;
    }
    return x->at < y->at ? -1 : 1;
}

static int compare_places(const void *a, const void *b)
{
    const struct kube_member *x = a;
    const struct kube_member *y = b;

    return x->at < y->at ? -1 : x->at > y->at;
}

static bool members_ascend(yyjson_mut_val *object)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(object);
    yyjson_mut_val *before = yyjson_mut_obj_iter_next(&it);
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        if (view_compare(kube_json_str(before), kube_json_str(key)) >= 0) {
            return false;
        }
        before = key;
    }
    return true;
}

static void members_take(yyjson_mut_val *object, struct kube_member *members)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(object);
    yyjson_mut_val *key;
    size_t n = 0;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        members[n] = (struct kube_member){key, yyjson_mut_obj_iter_get_val(key), n};
        n++;
    }
}

/* Sorted members, equal names in the order of the text; the last of each stays. */
static size_t members_unique(struct kube_member *members,
                             size_t n,
                             const struct kube_json_path *path,
                             kube_json_found_fn *found,
                             void *ctx)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n &&
            view_equal(kube_member_name(&members[i]), kube_member_name(&members[i + 1]))) {
            struct kube_json_path at = {path, KUBE_JSON_KEY, kube_member_name(&members[i]), 0};

            if (found != NULL) {
                found(ctx, &at);
            }
            continue;
        }
        members[kept++] = members[i];
    }
    return kept;
}

int kube_json_sort_members(yyjson_mut_val *object,
                           bool keep_order,
                           const struct kube_json_path *path,
                           kube_json_found_fn *found,
                           void *ctx)
{
    size_t n = yyjson_mut_obj_size(object);
    struct kube_member *members;
    size_t kept;

    if (n < 2 || members_ascend(object)) {
        return 0;
    }
    members = kvs_calloc(n, sizeof *members);
    if (members == NULL) {
        return KVS_E_NOMEM;
    }
    members_take(object, members);
    qsort(members, n, sizeof *members, compare_members);
    kept = members_unique(members, n, path, found, ctx);
    if (keep_order) {
        qsort(members, kept, sizeof *members, compare_places);
    }
    if (!keep_order || kept < n) {
        (void)yyjson_mut_obj_clear(object);
        for (size_t i = 0; i < kept; i++) {
            (void)yyjson_mut_obj_add(object, members[i].key, members[i].value);
        }
    }
    kvs_free(members);
    return 0;
}

struct duplicates {
    kube_json_found_fn *found;
    void *ctx;
};

static int
drop_below(yyjson_mut_val *value, const struct kube_json_path *path, const struct duplicates *d)
{
    struct kube_json_path at = {path, KUBE_JSON_INDEX, {NULL, 0}, 0};
    yyjson_mut_arr_iter elements = yyjson_mut_arr_iter_with(value);
    yyjson_mut_obj_iter members;
    yyjson_mut_val *next;
    int err = 0;

    while (err == 0 && (next = yyjson_mut_arr_iter_next(&elements)) != NULL) {
        err = drop_below(next, &at, d);
        at.index++;
    }
    if (!yyjson_mut_is_obj(value)) {
        return err;
    }
    err = kube_json_sort_members(value, true, path, d->found, d->ctx);
    members = yyjson_mut_obj_iter_with(value);
    at.step = KUBE_JSON_KEY;
    while (err == 0 && (next = yyjson_mut_obj_iter_next(&members)) != NULL) {
        at.name = kube_json_str(next);
        err = drop_below(yyjson_mut_obj_iter_get_val(next), &at, d);
    }
    return err;
}

int kube_json_drop_duplicates(yyjson_mut_val *value, kube_json_found_fn *found, void *ctx)
{
    struct duplicates d = {found, ctx};

    return drop_below(value, NULL, &d);
}
