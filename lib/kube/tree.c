#include "kube/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

/* ---- index ---- */

static int tree_compare_slots(const void *a, const void *b)
{
    const struct kube_tree_slot *x = a;
    const struct kube_tree_slot *y = b;
    int order = view_compare(x->name, y->name);

    return order != 0 ? order : x->order < y->order ? -1 : x->order > y->order;
}

int kube_tree_index_init(struct kube_tree_index *index, yyjson_mut_val *object)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(object);
    yyjson_mut_val *key;
    size_t n = yyjson_mut_obj_size(object);

    index->count = 0;
    index->slots = index->small;
    if (n > KUBE_TREE_SMALL) {
        index->slots = kvs_calloc(n, sizeof *index->slots);
        if (index->slots == NULL) {
            index->slots = index->small;
            return KVS_E_NOMEM;
        }
    }
    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        index->slots[index->count] =
            (struct kube_tree_slot){.name = kube_tree_text(key), .key = key, .order = index->count};
        index->count++;
    }
    kvs_assert(index->count == n);
    if (index->slots != index->small) {
        qsort(index->slots, n, sizeof *index->slots, tree_compare_slots);
    }
    return 0;
}

void kube_tree_index_fini(struct kube_tree_index *index)
{
    if (index->slots != index->small) {
        kvs_free(index->slots);
    }
    index->slots = index->small;
    index->count = 0;
}

struct kube_tree_slot *kube_tree_index_find(struct kube_tree_index *index, struct kvs_view name)
{
    size_t low = 0;
    size_t high = index->count;

    if (index->slots == index->small) {
        for (size_t i = index->count; i-- > 0;) {
            if (view_equal(index->slots[i].name, name)) {
                return &index->slots[i];
            }
        }
        return NULL;
    }
    while (low < high) { /* the first slot beyond `name` */
        size_t middle = low + (high - low) / 2;

        if (view_compare(index->slots[middle].name, name) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && view_equal(index->slots[low - 1].name, name) ? &index->slots[low - 1] : NULL;
}

/* ---- depth ---- */

static bool tree_depth(yyjson_mut_val *value, unsigned max, size_t *visited)
{
    yyjson_mut_obj_iter members;
    yyjson_mut_arr_iter items;
    yyjson_mut_val *child;

    (*visited)++;
    if (!yyjson_mut_is_ctn(value)) {
        return true;
    }
    if (max == 0) {
        return false;
    }
    if (yyjson_mut_is_obj(value)) {
        members = yyjson_mut_obj_iter_with(value);
        while ((child = yyjson_mut_obj_iter_next(&members)) != NULL) {
            if (!tree_depth(yyjson_mut_obj_iter_get_val(child), max - 1, visited)) {
                return false;
            }
        }
        return true;
    }
    items = yyjson_mut_arr_iter_with(value);
    while ((child = yyjson_mut_arr_iter_next(&items)) != NULL) {
        if (!tree_depth(child, max - 1, visited)) {
            return false;
        }
    }
    return true;
}

bool kube_tree_depth_within(yyjson_mut_val *value, unsigned max, size_t *visited)
{
    size_t ignored = 0;

    return value == NULL || tree_depth(value, max, visited != NULL ? visited : &ignored);
}

/* ---- equality ---- */

static int tree_equal(yyjson_mut_val *a, yyjson_mut_val *b, unsigned depth, bool *ret_equal);

static bool tree_numbers_equal(yyjson_mut_val *a, yyjson_mut_val *b)
{
    if (yyjson_mut_is_real(a) || yyjson_mut_is_real(b)) {
        return yyjson_mut_is_real(a) && yyjson_mut_is_real(b) &&
               yyjson_mut_get_real(a) == yyjson_mut_get_real(b);
    }
    if ((yyjson_mut_is_sint(a) && yyjson_mut_get_sint(a) < 0) !=
        (yyjson_mut_is_sint(b) && yyjson_mut_get_sint(b) < 0)) {
        return false;
    }
    return yyjson_mut_get_uint(a) == yyjson_mut_get_uint(b);
}

static int tree_lists_equal(yyjson_mut_val *a, yyjson_mut_val *b, unsigned depth, bool *ret_equal)
{
    yyjson_mut_arr_iter at_a = yyjson_mut_arr_iter_with(a);
    yyjson_mut_arr_iter at_b = yyjson_mut_arr_iter_with(b);
    yyjson_mut_val *item;
    int err = 0;

    *ret_equal = yyjson_mut_arr_size(a) == yyjson_mut_arr_size(b);
    while (err == 0 && *ret_equal && (item = yyjson_mut_arr_iter_next(&at_a)) != NULL) {
        err = tree_equal(item, yyjson_mut_arr_iter_next(&at_b), depth, ret_equal);
    }
    return err;
}

static int tree_objects_equal(yyjson_mut_val *a, yyjson_mut_val *b, unsigned depth, bool *ret_equal)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(a);
    struct kube_tree_index index;
    yyjson_mut_val *key;
    int err;

    *ret_equal = yyjson_mut_obj_size(a) == yyjson_mut_obj_size(b);
    if (!*ret_equal) {
        return 0;
    }
    err = kube_tree_index_init(&index, b);
    while (err == 0 && *ret_equal && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kube_tree_slot *slot = kube_tree_index_find(&index, kube_tree_text(key));

        if (slot == NULL) {
            *ret_equal = false;
        } else {
            err = tree_equal(yyjson_mut_obj_iter_get_val(key), kube_tree_slot_value(slot), depth,
                             ret_equal);
        }
    }
    kube_tree_index_fini(&index);
    return err;
}

static int tree_equal(yyjson_mut_val *a, yyjson_mut_val *b, unsigned depth, bool *ret_equal)
{
    yyjson_type type = yyjson_mut_get_type(a);

    if (depth == 0) {
        return KVS_E_TOO_LONG;
    }
    *ret_equal = type == yyjson_mut_get_type(b);
    if (!*ret_equal) {
        return 0;
    }
    switch (type) {
    case YYJSON_TYPE_OBJ:
        return tree_objects_equal(a, b, depth - 1, ret_equal);
    case YYJSON_TYPE_ARR:
        return tree_lists_equal(a, b, depth - 1, ret_equal);
    case YYJSON_TYPE_NUM:
        *ret_equal = tree_numbers_equal(a, b);
        return 0;
    case YYJSON_TYPE_BOOL:
        *ret_equal = yyjson_mut_get_bool(a) == yyjson_mut_get_bool(b);
        return 0;
    case YYJSON_TYPE_RAW:
        *ret_equal =
            yyjson_mut_get_len(a) == yyjson_mut_get_len(b) &&
            memcmp(yyjson_mut_get_raw(a), yyjson_mut_get_raw(b), yyjson_mut_get_len(a)) == 0;
        return 0;
    case YYJSON_TYPE_STR:
        *ret_equal = view_equal(kube_tree_text(a), kube_tree_text(b));
        return 0;
    default: /* null, or no value at all on both sides */
        return 0;
    }
}

int kube_tree_equal(yyjson_mut_val *a, yyjson_mut_val *b, bool *ret_equal)
{
    bool equal = false;
    int err = tree_equal(a, b, KUBE_TREE_DEPTH_MAX + 1, &equal);

    if (err == 0) {
        *ret_equal = equal;
    }
    return err;
}

/* ---- changes ---- */

void kube_tree_assign(yyjson_mut_val *to, yyjson_mut_val *from)
{
    kvs_assert(to != NULL && from != NULL);
    /* Children do not know their parent, so a value is its tag and its contents; `next` is the
     * place in the parent's ring and stays. */
    to->tag = from->tag;
    to->uni = from->uni;
}

int kube_tree_set(yyjson_mut_doc *doc,
                  yyjson_mut_val *object,
                  struct kvs_view name,
                  yyjson_mut_val *value)
{
    yyjson_mut_val *present = kube_tree_get(object, name);
    yyjson_mut_val *key;

    kvs_assert(yyjson_mut_is_obj(object));
    if (value == NULL) {
        return KVS_E_NOMEM; /* The caller could not make it. */
    }
    if (present != NULL) {
        kube_tree_assign(present, value);
        return 0;
    }
    key = yyjson_mut_strncpy(doc, name.len > 0 ? name.data : "", name.len);
    return key != NULL && yyjson_mut_obj_add(object, key, value) ? 0 : KVS_E_NOMEM;
}
