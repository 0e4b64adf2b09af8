/* Strategic merge patches: lists. Items are found by their merge key, scalars by their value, both
 * through sorted indexes. Where items end up:
 *
 *   those that the patch (or $setElementOrder) names, in its order;
 *   the others in the order that they had;
 *   both lists merged so that of two neighbours the one that was first in the original comes first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/json.h"
#include "kube/patch_strategic_int.h"
#include "kube/tree.h"

#define DIRECTIVE "$patch"

/* ---- texts ---- */

static int smp_compare_members(const void *a, const void *b)
{
    yyjson_mut_val *const *x = a;
    yyjson_mut_val *const *y = b;

    return view_compare(kube_tree_text(*x), kube_tree_text(*y));
}

static void smp_print_map(struct buf *to, yyjson_mut_val *map)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(map);
    size_t n = 0;
    struct buf keys;
    yyjson_mut_val **at;
    yyjson_mut_val *key;

    buf_init(&keys);
    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        buf_append(&keys, &key, sizeof key);
        n++;
    }
    at = (yyjson_mut_val **)(void *)keys.data;
    if (!keys.failed && n > 0) {
        qsort(at, n, sizeof *at, smp_compare_members);
    }
    buf_append_str(to, "map[");
    for (size_t i = 0; !keys.failed && i < n; i++) {
        buf_append_str(to, i == 0 ? "" : " ");
        buf_append_view(to, kube_tree_text(at[i]));
        buf_append_u8(to, ':');
        smp_print(to, yyjson_mut_obj_iter_get_val(at[i]));
    }
    buf_append_u8(to, ']');
    buf_fini(&keys);
}

void smp_print(struct buf *to, yyjson_mut_val *value)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(value);
    yyjson_mut_val *item;
    const char *between = "";

    if (yyjson_mut_is_obj(value)) {
        smp_print_map(to, value);
    } else if (yyjson_mut_is_arr(value)) {
        buf_append_u8(to, '[');
        while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
            buf_append_str(to, between);
            smp_print(to, item);
            between = " ";
        }
        buf_append_u8(to, ']');
    } else if (yyjson_mut_is_str(value)) {
        buf_append_view(to, kube_tree_text(value));
    } else if (value == NULL || yyjson_mut_is_null(value)) {
        buf_append_str(to, "<nil>");
    } else if (kube_json_write(to, value) != 0) { /* numbers and booleans look the same */
        buf_append_u8(to, '?');
    }
}

static const char *smp_go_type(yyjson_mut_val *value)
{
    if (yyjson_mut_is_obj(value)) {
        return "map[string]interface {}";
    }
    if (yyjson_mut_is_arr(value)) {
        return "[]interface {}";
    }
    if (yyjson_mut_is_str(value)) {
        return "string";
    }
    if (yyjson_mut_is_bool(value)) {
        return "bool";
    }
    return yyjson_mut_is_real(value)  ? "float64"
           : yyjson_mut_is_int(value) ? "int64"
                                      : "%!s(<nil>)";
}

int smp_bad_argument(struct smp *s, const char *wanted, yyjson_mut_val *given)
{
    buf_printf(s->why, "expected a %s, but received a %s", wanted, smp_go_type(given));
    return KVS_E_NOT_FOUND;
}

int smp_no_key(struct smp *s, yyjson_mut_val *item, struct kvs_view key)
{
    buf_append_str(s->why, "map: ");
    smp_print(s->why, item);
    buf_append_str(s->why, " does not contain declared merge key: ");
    buf_append_view(s->why, key);
    return KVS_E_NOT_FOUND;
}

int smp_bad_directive(struct smp *s, yyjson_mut_val *directive, yyjson_mut_val *map)
{
    buf_append_str(s->why, "unknown patch type: ");
    smp_print(s->why, directive);
    buf_append_str(s->why, " in map: ");
    smp_print(s->why, map);
    return KVS_E_NOT_FOUND;
}

/* ---- items by key ---- */

/* Scalars in some order in which equal ones, of one type, are neighbours. */
static int smp_compare_scalars(yyjson_mut_val *a, yyjson_mut_val *b)
{
    const char *x = smp_go_type(a);
    const char *y = smp_go_type(b);
    int order = strcmp(x, y);

    if (order != 0) {
        return order;
    }
    if (yyjson_mut_is_str(a)) {
        return view_compare(kube_tree_text(a), kube_tree_text(b));
    }
    if (yyjson_mut_is_real(a)) {
        double p = yyjson_mut_get_real(a);
        double q = yyjson_mut_get_real(b);

        return p < q ? -1 : p > q;
    }
    if (yyjson_mut_is_int(a)) {
        int64_t p = yyjson_mut_get_sint(a);
        int64_t q = yyjson_mut_get_sint(b);

        return p < q ? -1 : p > q;
    }
    if (yyjson_mut_is_bool(a)) {
        return (int)yyjson_mut_get_bool(a) - (int)yyjson_mut_get_bool(b);
    }
    return 0;
}

struct smp_slot {
    yyjson_mut_val *key;
    size_t at; /* place in the list */
};

struct smp_index {
    struct smp_slot *slots;
    size_t n;
};

static int smp_compare_slots(const void *a, const void *b)
{
    const struct smp_slot *x = a;
    const struct smp_slot *y = b;
    int order = smp_compare_scalars(x->key, y->key);

    return order != 0 ? order : x->at < y->at ? -1 : x->at > y->at;
}

/* What an item is found by: itself, or the member that is its merge key. */
static yyjson_mut_val *smp_key(yyjson_mut_val *item, struct kvs_view key)
{
    return key.len == 0 ? item : kube_json_get_view(item, key);
}

static int smp_index_items(struct smp *s,
                           const struct smp_items *items,
                           struct kvs_view key,
                           struct smp_index *ret_index)
{
    struct smp_slot *slots = arena_calloc(&s->scratch, items->n + 1, sizeof *slots);

    if (slots == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < items->n; i++) {
        slots[i] = (struct smp_slot){smp_key(items->at[i], key), i};
        if (key.len > 0 && !yyjson_mut_is_obj(items->at[i])) {
            return smp_bad_argument(s, "map[string]interface {}", items->at[i]);
        }
        if (slots[i].key == NULL) {
            return smp_no_key(s, items->at[i], key);
        }
    }
    qsort(slots, items->n, sizeof *slots, smp_compare_slots);
    *ret_index = (struct smp_index){slots, items->n};
    return smp_count(s, items->n);
}

/* Place of the first item with this key, SIZE_MAX if there is none. Containers equal nothing. */
static size_t smp_find(const struct smp_index *index, yyjson_mut_val *key)
{
    size_t low = 0;
    size_t high = index->n;

    if (yyjson_mut_is_ctn(key)) {
        return SIZE_MAX;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (smp_compare_scalars(index->slots[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < index->n && smp_compare_scalars(index->slots[low].key, key) == 0
               ? index->slots[low].at
               : SIZE_MAX;
}

/* ---- lists outside of the tree ---- */

static int smp_take_items(struct smp *s, yyjson_mut_val *list, struct smp_items *ret)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;

    ret->n = 0;
    ret->at = arena_calloc(&s->scratch, yyjson_mut_arr_size(list) + 1, sizeof *ret->at);
    if (ret->at == NULL) {
        return KVS_E_NOMEM;
    }
    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        ret->at[ret->n++] = item;
    }
    return smp_count(s, ret->n);
}

/* The items are all that the list has from here on. */
static int smp_put_items(yyjson_mut_val *list, const struct smp_items *items)
{
    (void)yyjson_mut_arr_clear(list);
    for (size_t i = 0; i < items->n; i++) {
        if (!yyjson_mut_arr_append(list, items->at[i])) {
            return KVS_E_NOMEM;
        }
    }
    return 0;
}

static void smp_print_items(struct buf *to, const struct smp_items *items)
{
    buf_append_u8(to, '[');
    for (size_t i = 0; i < items->n; i++) {
        buf_append_str(to, i == 0 ? "" : " ");
        smp_print(to, items->at[i]);
    }
    buf_append_u8(to, ']');
}

/* Every item is of one type, and none is a list. */
static int
smp_check_types(struct smp *s, const struct smp_items *a, const struct smp_items *b, bool *ret_maps)
{
    const char *type = NULL;

    for (size_t i = 0; i < a->n + b->n; i++) {
        yyjson_mut_val *item = i < a->n ? a->at[i] : b->at[i - a->n];

        if (type == NULL && yyjson_mut_is_arr(item)) {
            return KVS_E_INVALID;
        }
        if (type != NULL && strcmp(type, smp_go_type(item)) != 0) {
            buf_append_str(s->why, "list element types are not identical: [");
            smp_print_items(s->why, a);
            buf_append_u8(s->why, ' ');
            smp_print_items(s->why, b);
            buf_append_u8(s->why, ']');
            return KVS_E_NOT_FOUND;
        }
        type = smp_go_type(item);
        *ret_maps = yyjson_mut_is_obj(item);
    }
    if (type == NULL) {
        buf_append_str(s->why, "no elements in any of the given slices");
        return KVS_E_NOT_FOUND;
    }
    return 0;
}

/* ---- order ---- */

struct smp_place {
    yyjson_mut_val *item;
    size_t rank; /* in the list that gives the order */
    size_t at;   /* where it was */
};

static int smp_compare_places(const void *a, const void *b)
{
    const struct smp_place *x = a;
    const struct smp_place *y = b;

    return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : x->at < y->at ? -1 : x->at > y->at;
}

/* Two lists of places into one: of the heads the one that was first in the original, as far as it
 * knows both, else the patch's. */
static void smp_interleave(struct smp_items *items,
                           const struct smp_place *patch,
                           size_t n_patch,
                           const struct smp_place *others,
                           const struct smp_index *original,
                           struct kvs_view key)
{
    size_t n_others = items->n - n_patch;
    size_t i = 0;
    size_t j = 0;

    for (size_t k = 0; k < items->n; k++) {
        bool other = j == n_patch;

        if (i < n_others && j < n_patch) {
            size_t left = smp_find(original, smp_key(others[i].item, key));
            size_t right = smp_find(original, smp_key(patch[j].item, key));

            other = left != SIZE_MAX && right != SIZE_MAX && left < right;
        }
        items->at[k] = other ? others[i++].item : patch[j++].item;
    }
}

/* `items`, merged, into the order of `order` (a list's index) and of `original`. */
static int smp_arrange(struct smp *s,
                       struct smp_items *items,
                       const struct smp_index *order,
                       const struct smp_index *original,
                       struct kvs_view key)
{
    struct smp_place *places = arena_calloc(&s->scratch, items->n + 1, 2 * sizeof *places);
    struct smp_place *others = places == NULL ? NULL : places + items->n;
    size_t n_patch = 0;
    size_t n_others = 0;

    if (places == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < items->n; i++) {
        yyjson_mut_val *found_by = smp_key(items->at[i], key);
        size_t rank;

        if (found_by == NULL) {
            return smp_no_key(s, items->at[i], key);
        }
        rank = smp_find(order, found_by);
        if (rank != SIZE_MAX) {
            places[n_patch++] = (struct smp_place){items->at[i], rank, i};
        } else {
            others[n_others++] = (struct smp_place){items->at[i], smp_find(original, found_by), i};
        }
    }
    qsort(places, n_patch, sizeof *places, smp_compare_places);
    qsort(others, n_others, sizeof *others, smp_compare_places);
    smp_interleave(items, places, n_patch, others, original, key);
    return smp_count(s, items->n);
}

/* ---- merging ---- */

static int smp_merge_scalars(struct smp *s,
                             struct smp_items *original,
                             const struct smp_items *patch,
                             bool is_delete)
{
    struct smp_items all = {arena_calloc(&s->scratch, original->n + patch->n + 1, sizeof *all.at),
                            0};
    const struct kvs_view itself = {NULL, 0};
    struct smp_index index;
    size_t n = 0;
    int err;

    if (all.at == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(all.at, original->at, original->n * sizeof *all.at);
    all.n = original->n;
    if (!is_delete) {
        memcpy(all.at + all.n, patch->at, patch->n * sizeof *all.at);
        all.n += patch->n;
    }
    err = smp_index_items(s, is_delete ? patch : &all, itself, &index);
    for (size_t i = 0; err == 0 && i < all.n; i++) {
        size_t found = smp_find(&index, all.at[i]);

        if (is_delete ? found == SIZE_MAX : found == i) { /* of equal ones the first stays */
            all.at[n++] = all.at[i];
        }
    }
    *original = (struct smp_items){all.at, n};
    return err;
}

/* Takes the items of these keys out. */
static int smp_delete_keys(struct smp *s,
                           struct smp_items *original,
                           struct smp_items *keys,
                           struct kvs_view key)
{
    const struct kvs_view itself = {NULL, 0};
    struct smp_index index;
    size_t n = 0;
    int err = keys->n == 0 ? 0 : smp_index_items(s, keys, itself, &index);

    if (err != 0 || keys->n == 0) {
        return err;
    }
    for (size_t i = 0; i < original->n; i++) {
        yyjson_mut_val *value = smp_key(original->at[i], key);

        if (value == NULL || smp_find(&index, value) == SIZE_MAX) {
            original->at[n++] = original->at[i];
        }
    }
    original->n = n;
    return 0;
}

/* Items with directives: what goes from `original` goes, and they go from `patch`. */
static int smp_special_items(struct smp *s,
                             struct smp_items *original,
                             struct smp_items *patch,
                             struct kvs_view key)
{
    struct smp_items keys = {arena_calloc(&s->scratch, patch->n + 1, sizeof *keys.at), 0};
    bool replace = false;
    size_t n = 0;

    if (keys.at == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < patch->n; i++) {
        yyjson_mut_val *item = patch->at[i];
        yyjson_mut_val *directive = kube_json_get(item, DIRECTIVE);
        struct kvs_view what = kube_tree_text(directive);

        if (directive == NULL) {
            patch->at[n++] = item;
        } else if (view_equal_str(what, "delete")) {
            if (kube_json_get_view(item, key) == NULL) {
                return smp_no_key(s, item, key);
            }
            keys.at[keys.n++] = kube_json_get_view(item, key);
        } else if (view_equal_str(what, "replace")) {
            replace = true;
        } else if (view_equal_str(what, "merge")) {
            buf_append_str(s->why, "merging lists cannot yet be specified in the patch");
            return KVS_E_NOT_FOUND;
        } else {
            return smp_bad_directive(s, directive, item);
        }
    }
    patch->n = n;
    if (replace) {
        *original = *patch;
        *patch = (struct smp_items){patch->at, 0};
        return 0;
    }
    return smp_delete_keys(s, original, &keys, key);
}

/* Items of a key that the original has are merged into the first that has it, others appended. */
static int smp_merge_items(struct smp *s,
                           struct smp_items *original,
                           const struct smp_items *patch,
                           const struct smp_rule *rule)
{
    struct smp_items all = {arena_calloc(&s->scratch, original->n + patch->n + 1, sizeof *all.at),
                            0};
    struct smp_index index;
    int err;

    if (all.at == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(all.at, original->at, original->n * sizeof *all.at);
    memcpy(all.at + original->n, patch->at, patch->n * sizeof *all.at);
    all.n = original->n + patch->n;
    err = smp_index_items(s, &all, rule->key, &index);
    all.n = original->n;
    for (size_t i = 0; err == 0 && i < patch->n; i++) {
        size_t found = smp_find(&index, smp_key(patch->at[i], rule->key));

        if (found >= original->n + i) { /* itself: the first of its key */
            all.at[all.n++] = patch->at[i];
            continue;
        }
        /* Into an item of the original, or one that the patch brought before. It stays the same
         * value, so the index and the list go on holding. */
        yyjson_mut_val *into =
            found < original->n ? original->at[found] : patch->at[found - original->n];
        yyjson_mut_val *merged = into;

        err = smp_merge_map(s, into, patch->at[i], &rule->type, &merged);
        if (err == 0 && merged != into) {
            kube_tree_assign(into, merged);
        }
    }
    *original = all;
    return err;
}

/* Merges `patch` into `original`, both outside of the tree. */
static int smp_merge_taken(struct smp *s,
                           struct smp_items *original,
                           struct smp_items *patch,
                           const struct smp_rule *rule,
                           bool is_delete)
{
    bool maps = false;
    int err = smp_check_types(s, original, patch, &maps);

    if (err != 0) {
        return err;
    }
    if (!maps) {
        return smp_merge_scalars(s, original, patch, is_delete);
    }
    if (rule->key.len == 0) {
        buf_append_str(s->why, "cannot merge lists without merge key for struct");
        return KVS_E_NOT_FOUND;
    }
    err = smp_special_items(s, original, patch, rule->key);
    return err != 0 ? err : smp_merge_items(s, original, patch, rule);
}

/* After merging: as `order` has it. */
static int smp_finish(struct smp *s,
                      struct smp_items *merged,
                      const struct smp_items *order,
                      const struct smp_items *before,
                      struct kvs_view key)
{
    struct smp_index order_index;
    struct smp_index before_index;
    int err = smp_index_items(s, order, key, &order_index);

    if (err == 0) {
        err = smp_index_items(s, before, key, &before_index);
    }
    return err != 0 ? err : smp_arrange(s, merged, &order_index, &before_index, key);
}

static int smp_copy_items(struct smp *s, const struct smp_items *items, struct smp_items *ret_copy)
{
    ret_copy->n = items->n;
    ret_copy->at = arena_calloc(&s->scratch, items->n + 1, sizeof *ret_copy->at);
    if (ret_copy->at == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(ret_copy->at, items->at, items->n * sizeof *ret_copy->at);
    return 0;
}

int smp_merge_list(struct smp *s,
                   yyjson_mut_val *original,
                   yyjson_mut_val *patch,
                   const struct smp_rule *rule,
                   bool is_delete)
{
    struct smp_items items;
    struct smp_items patches;
    struct smp_items before;
    int err = smp_take_items(s, original, &items);

    if (err == 0) {
        err = smp_take_items(s, patch, &patches);
    }
    if (err != 0 || items.n + patches.n == 0) {
        return err;
    }
    err = smp_copy_items(s, &items, &before);
    if (err == 0) {
        err = smp_merge_taken(s, &items, &patches, rule, is_delete);
    }
    /* What was taken out keeps its order; scalars of a delete list are found by themselves. */
    if (err == 0 && !is_delete) {
        err = smp_finish(s, &items, &patches, &before, rule->key);
    }
    return err != 0 ? err : smp_put_items(original, &items);
}

int smp_merge_ordered(struct smp *s,
                      yyjson_mut_val *original,
                      yyjson_mut_val *patch,
                      yyjson_mut_val *order,
                      const struct smp_rule *rule,
                      yyjson_mut_val **ret_list)
{
    struct smp_items items;
    struct smp_items patches;
    struct smp_items orders;
    struct smp_items before;
    int err = smp_take_items(s, order, &orders);
    bool maps = false;

    *ret_list = original != NULL ? original : patch;
    if (original == NULL) {
        (void)smp_drop_directives(patch);
    }
    if (err == 0) {
        err = smp_take_items(s, original, &before);
    }
    if (err == 0) {
        err = smp_take_items(s, patch, &patches);
    }
    if (err == 0) {
        err = smp_check_types(s, &before, &patches, &maps);
    }
    if (err == 0 && original != NULL && patch != NULL) {
        if (rule->merges) {
            err = smp_merge_list(s, original, patch, rule, false);
        } else {
            err = smp_put_items(original, &patches);
        }
    }
    if (err == 0) {
        err = smp_take_items(s, *ret_list, &items);
    }
    if (err == 0) {
        err = smp_finish(s, &items, &orders, &before, rule->key);
    }
    return err != 0 ? err : smp_put_items(*ret_list, &items);
}

/* ---- the order against the patch ---- */

static bool smp_is_deleted(yyjson_mut_val *item)
{
    return kube_json_get(item, DIRECTIVE) != NULL;
}

static int smp_bad_order(struct smp *s, yyjson_mut_val *patch, yyjson_mut_val *order)
{
    buf_append_str(s->why, "The order in patch list:\n");
    smp_print(s->why, patch);
    buf_append_str(s->why, "\n doesn't match $setElementOrder list:\n");
    smp_print(s->why, order);
    buf_append_str(s->why, "\n");
    return KVS_E_NOT_FOUND;
}

/* Keys of both; an item without one, or that is no map, is an error. */
static int smp_keys_equal(
    struct smp *s, yyjson_mut_val *a, yyjson_mut_val *b, struct kvs_view key, bool *ret_equal)
{
    yyjson_mut_val *x = smp_key(a, key);
    yyjson_mut_val *y = smp_key(b, key);

    if (key.len > 0 && !(yyjson_mut_is_obj(a) && yyjson_mut_is_obj(b))) {
        return smp_bad_argument(s, "map[string]interface {}", yyjson_mut_is_obj(a) ? b : a);
    }
    if (x == NULL || y == NULL) {
        return smp_no_key(s, x == NULL ? a : b, key);
    }
    *ret_equal = !yyjson_mut_is_ctn(x) && smp_compare_scalars(x, y) == 0;
    return 0;
}

int smp_check_order(struct smp *s,
                    yyjson_mut_val *patch,
                    yyjson_mut_val *order,
                    struct kvs_view key)
{
    yyjson_mut_arr_iter items = yyjson_mut_arr_iter_with(patch);
    yyjson_mut_arr_iter orders = yyjson_mut_arr_iter_with(order);
    yyjson_mut_val *item = yyjson_mut_arr_iter_next(&items);
    yyjson_mut_val *named;
    bool equal = false;

    if (yyjson_mut_arr_size(order) == 0 || item == NULL) {
        return 0;
    }
    while (item != NULL) {
        if (smp_is_deleted(item)) {
            item = yyjson_mut_arr_iter_next(&items);
            continue;
        }
        named = yyjson_mut_arr_iter_next(&orders);
        if (named == NULL) {
            return smp_bad_order(s, patch, order);
        }
        if (smp_keys_equal(s, item, named, key, &equal) != 0) {
            return KVS_E_NOT_FOUND;
        }
        item = equal ? yyjson_mut_arr_iter_next(&items) : item;
    }
    return 0;
}
