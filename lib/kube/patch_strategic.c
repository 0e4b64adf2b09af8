/* Strategic merge patches: maps and their directives. */
#include "kube/patch_strategic.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/json.h"
#include "kube/patch_strategic_int.h"
#include "kube/tree.h"

#define DIRECTIVE   "$patch"
#define RETAIN_KEYS "$retainKeys"
#define DELETE_FROM "$deleteFromPrimitiveList"
#define SET_ORDER   "$setElementOrder"

/* Lists that are being merged: pointers only, several to an item and level. */
#define SCRATCH_MAX ((size_t)256 << 20)

static bool smp_has_prefix(struct kvs_view name, const char *prefix)
{
    size_t len = strlen(prefix);

    return name.len >= len && memcmp(name.data, prefix, len) == 0;
}

/* What follows "prefix/"; false if it is not of that form. */
static bool smp_strip(struct kvs_view name, const char *prefix, struct kvs_view *ret_name)
{
    size_t len = strlen(prefix);

    if (name.len <= len || ((const char *)name.data)[len] != '/') {
        return false;
    }
    *ret_name = view_make((const char *)name.data + len + 1, name.len - len - 1);
    return true;
}

int smp_count(struct smp *s, size_t n)
{
    s->steps += n;
    return s->steps > SMP_STEPS_MAX ? KVS_E_TOO_LONG : 0;
}

/* ---- what the types say ---- */

static struct smp_type smp_type_of(const struct kube_field *f, bool is_element)
{
    if (f->shape == KUBE_SHAPE_MAP && !is_element) {
        return (struct smp_type){SMP_MAP, NULL, f};
    }
    if (f->type == KUBE_TYPE_MESSAGE) {
        return (struct smp_type){SMP_STRUCT, kube_field_message(f), f};
    }
    return (struct smp_type){SMP_OTHER, NULL, f};
}

static int smp_look_up(struct smp *s,
                       const struct smp_type *type,
                       struct kvs_view name,
                       struct smp_rule *ret_rule)
{
    const struct kube_field *f = NULL;
    const struct kube_rule *rule;

    if (type->shape == SMP_MAP) {
        *ret_rule = (struct smp_rule){.type = smp_type_of(type->field, true)};
        return 0;
    }
    if (type->shape == SMP_STRUCT) {
        f = kube_field_named(type->message, name);
    }
    if (f == NULL) {
        buf_printf(s->why, "unable to find api field in struct %s for the json field \"%.*s\"",
                   type->shape == SMP_STRUCT ? kube_message_go_name(type->message) : "RawExtension",
                   (int)name.len, (const char *)name.data);
        return KVS_E_NOT_FOUND;
    }
    rule = kube_field_rule(f);
    *ret_rule = (struct smp_rule){.type = smp_type_of(f, f->shape == KUBE_SHAPE_LIST),
                                  .is_list = f->shape == KUBE_SHAPE_LIST,
                                  .merges = (rule->strategy & KUBE_PATCH_MERGE) != 0,
                                  .replaces = (rule->strategy & KUBE_PATCH_REPLACE) != 0,
                                  .key = view_str(kube_string(rule->merge_key))};
    return 0;
}

/* ---- directives ---- */

bool smp_drop_directives(yyjson_mut_val *value)
{
    yyjson_mut_obj_iter members = yyjson_mut_obj_iter_with(value);
    yyjson_mut_arr_iter items = yyjson_mut_arr_iter_with(value);
    yyjson_mut_val *at;

    if (yyjson_mut_is_obj(value) && kube_json_get(value, DIRECTIVE) != NULL) {
        return false;
    }
    while ((at = yyjson_mut_obj_iter_next(&members)) != NULL) {
        if (!smp_drop_directives(yyjson_mut_obj_iter_get_val(at))) {
            (void)yyjson_mut_obj_iter_remove(&members);
        }
    }
    while ((at = yyjson_mut_arr_iter_next(&items)) != NULL) {
        if (!smp_drop_directives(at)) {
            (void)yyjson_mut_arr_iter_remove(&items);
        }
    }
    return true;
}

/* What is new has no use for nulls. Those in lists stay. */
static void smp_drop_nulls(yyjson_mut_val *value)
{
    yyjson_mut_obj_iter members = yyjson_mut_obj_iter_with(value);
    yyjson_mut_arr_iter items = yyjson_mut_arr_iter_with(value);
    yyjson_mut_val *at;

    while ((at = yyjson_mut_obj_iter_next(&members)) != NULL) {
        if (yyjson_mut_is_null(yyjson_mut_obj_iter_get_val(at))) {
            (void)yyjson_mut_obj_iter_remove(&members);
        } else {
            smp_drop_nulls(yyjson_mut_obj_iter_get_val(at));
        }
    }
    while ((at = yyjson_mut_arr_iter_next(&items)) != NULL) {
        smp_drop_nulls(at);
    }
}

/* The map itself has one: the patch is all, or nothing is left. */
static int smp_whole_map(struct smp *s,
                         yyjson_mut_val *directive,
                         yyjson_mut_val *patch,
                         yyjson_mut_val **ret_object)
{
    if (view_equal_str(kube_tree_text(directive), "replace")) {
        (void)yyjson_mut_obj_remove_key(patch, DIRECTIVE);
        *ret_object = patch;
        return 0;
    }
    if (view_equal_str(kube_tree_text(directive), "delete")) {
        *ret_object = yyjson_mut_obj(s->doc);
        return *ret_object == NULL ? KVS_E_NOMEM : 0;
    }
    return smp_bad_directive(s, directive, patch);
}

/* ---- one map into another ---- */

/* The two maps. A slot of `original` that is used has to go, one of `patch` has been dealt with. */
struct smp_maps {
    yyjson_mut_val *object;
    struct kube_tree_index original;
    struct kube_tree_index patch;
};

static int smp_compare_text(const void *a, const void *b)
{
    return view_compare(*(const struct kvs_view *)a, *(const struct kvs_view *)b);
}

static int smp_sorted_texts(struct smp *s, yyjson_mut_val *list, struct kvs_view **ret_texts)
{
    size_t n = yyjson_mut_arr_size(list);
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    struct kvs_view *texts = arena_calloc(&s->scratch, n + 1, sizeof *texts);

    if (texts == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        texts[i] = kube_tree_text(yyjson_mut_arr_iter_next(&it));
    }
    qsort(texts, n, sizeof *texts, smp_compare_text);
    *ret_texts = texts;
    return 0;
}

static bool smp_is_in(struct kvs_view name, const struct kvs_view *sorted, size_t n)
{
    return bsearch(&name, sorted, n, sizeof *sorted, smp_compare_text) != NULL;
}

static int smp_malformed(struct smp *s, const char *what)
{
    buf_printf(s->why, "invalid patch format of %s", what);
    return KVS_E_MALFORMED;
}

/* Members of the original that the list does not have go; the patch may have no others. */
static int smp_retain_keys(struct smp *s, struct smp_maps *maps)
{
    struct kube_tree_slot *slot = kube_tree_index_find(&maps->patch, view_str(RETAIN_KEYS));
    yyjson_mut_val *list = slot == NULL ? NULL : kube_tree_slot_value(slot);
    struct kvs_view *names;
    size_t n = yyjson_mut_arr_size(list);
    int err;

    if (slot == NULL) {
        return 0;
    }
    slot->is_used = true;
    if (!yyjson_mut_is_arr(list)) {
        return smp_malformed(s, "retainKeys");
    }
    err = smp_sorted_texts(s, list, &names);
    for (size_t i = 0; err == 0 && i < maps->patch.count; i++) {
        struct kvs_view name = maps->patch.slots[i].name;

        if (&maps->patch.slots[i] != slot &&
            !yyjson_mut_is_null(kube_tree_slot_value(&maps->patch.slots[i])) &&
            !smp_has_prefix(name, DELETE_FROM) && !smp_has_prefix(name, SET_ORDER) &&
            !smp_is_in(name, names, n)) {
            err = smp_malformed(s, "retainKeys");
        }
    }
    for (size_t i = 0; err == 0 && i < maps->original.count; i++) {
        maps->original.slots[i].is_used = !smp_is_in(maps->original.slots[i].name, names, n);
    }
    return err;
}

static int
smp_add(struct smp *s, struct smp_maps *maps, struct kvs_view name, yyjson_mut_val *value)
{
    yyjson_mut_val *key = yyjson_mut_strncpy(s->doc, name.len == 0 ? "" : name.data, name.len);

    return key != NULL && yyjson_mut_obj_add(maps->object, key, value) ? 0 : KVS_E_NOMEM;
}

/* A member of `original` that is still there. */
static struct kube_tree_slot *smp_original(struct smp_maps *maps, struct kvs_view name)
{
    struct kube_tree_slot *slot = kube_tree_index_find(&maps->original, name);

    return slot == NULL || slot->is_used ? NULL : slot;
}

static int smp_list_of(struct smp *s, struct kube_tree_slot *slot, yyjson_mut_val **ret_list)
{
    *ret_list = slot == NULL ? NULL : kube_tree_slot_value(slot);
    return *ret_list == NULL || yyjson_mut_is_arr(*ret_list)
               ? 0
               : smp_bad_argument(s, "[]interface {}", *ret_list);
}

/* "$setElementOrder/NAME" and, if there is one, NAME itself. */
static int smp_set_order(struct smp *s,
                         struct smp_maps *maps,
                         struct kube_tree_slot *directive,
                         const struct smp_type *type)
{
    yyjson_mut_val *order = kube_tree_slot_value(directive);
    struct kube_tree_slot *slot;
    struct kube_tree_slot *patch_slot;
    yyjson_mut_val *original;
    yyjson_mut_val *patch;
    yyjson_mut_val *list = NULL;
    struct smp_rule rule;
    struct kvs_view name;
    int err;

    directive->is_used = true;
    if (!yyjson_mut_is_arr(order)) {
        return smp_bad_argument(s, "[]interface {}", order);
    }
    if (!smp_strip(directive->name, SET_ORDER, &name)) {
        return smp_malformed(s, "setElementOrder list");
    }
    slot = smp_original(maps, name);
    patch_slot = kube_tree_index_find(&maps->patch, name);
    err = smp_list_of(s, slot, &original);
    if (err == 0) {
        err = smp_list_of(s, patch_slot, &patch);
    }
    if (err == 0) {
        err = smp_look_up(s, type, name, &rule);
    }
    if (err == 0 && !rule.is_list) {
        buf_append_str(s->why, "expected slice or array type, but got: struct");
        err = KVS_E_NOT_FOUND;
    }
    if (err == 0) {
        err = smp_check_order(s, patch, order, rule.key);
    }
    if (err != 0 || (original == NULL && patch == NULL)) {
        return err;
    }
    err = smp_merge_ordered(s, original, patch, order, &rule, &list);
    if (patch_slot != NULL) {
        patch_slot->is_used = true;
    }
    return err == 0 && slot == NULL ? smp_add(s, maps, name, list) : err;
}

static int smp_set_orders(struct smp *s, struct smp_maps *maps, const struct smp_type *type)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < maps->patch.count; i++) {
        if (smp_has_prefix(maps->patch.slots[i].name, SET_ORDER)) {
            err = smp_set_order(s, maps, &maps->patch.slots[i], type);
        }
    }
    return err;
}

/* Into a member that is there, of the same kind. */
static int smp_merge_value(struct smp *s,
                           struct kube_tree_slot *slot,
                           yyjson_mut_val *patch,
                           const struct smp_rule *rule,
                           bool is_delete)
{
    yyjson_mut_val *original = kube_tree_slot_value(slot);
    yyjson_mut_val *value = patch;
    int err = 0;

    if (yyjson_mut_is_arr(patch) && (rule->merges || is_delete)) {
        return smp_merge_list(s, original, patch, rule, is_delete);
    }
    if (yyjson_mut_is_obj(patch) && !rule->replaces) {
        err = smp_merge_map(s, original, patch, &rule->type, &value);
    }
    if (err == 0 && value != original) {
        kube_tree_assign(original, value);
    }
    return err;
}

static int smp_merge_member(struct smp *s,
                            struct smp_maps *maps,
                            struct kvs_view name,
                            yyjson_mut_val *patch,
                            const struct smp_type *type,
                            bool is_delete)
{
    struct kube_tree_slot *slot = smp_original(maps, name);
    bool same_kind = slot != NULL && yyjson_mut_is_ctn(patch) &&
                     yyjson_mut_get_type(kube_tree_slot_value(slot)) == yyjson_mut_get_type(patch);
    struct smp_rule rule;
    int err;

    if (yyjson_mut_is_null(patch)) {
        if (slot != NULL) {
            slot->is_used = true;
        }
        return 0;
    }
    if (same_kind) {
        err = smp_look_up(s, type, name, &rule);
        return err != 0 ? err : smp_merge_value(s, slot, patch, &rule, is_delete);
    }
    if (is_delete) {
        return 0;
    }
    smp_drop_nulls(patch);
    if (!smp_drop_directives(patch)) {
        if (slot != NULL) {
            slot->is_used = true;
        }
        return 0;
    }
    if (slot == NULL) {
        return smp_add(s, maps, name, patch);
    }
    kube_tree_assign(kube_tree_slot_value(slot), patch);
    return 0;
}

/* First what goes from lists of scalars, then the rest: Go does this in any order. */
static int
smp_merge_members(struct smp *s, struct smp_maps *maps, const struct smp_type *type, bool is_delete)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < maps->patch.count; i++) {
        struct kube_tree_slot *slot = &maps->patch.slots[i];
        struct kvs_view name = slot->name;

        if (slot->is_used || smp_has_prefix(name, DELETE_FROM) != is_delete) {
            continue;
        }
        if (is_delete && !smp_strip(name, DELETE_FROM, &name)) {
            return smp_malformed(s, "primitive list");
        }
        err = smp_merge_member(s, maps, name, kube_tree_slot_value(slot), type, is_delete);
    }
    return err;
}

/* Members that have to go. Those that were added are not in the index. */
static void smp_sweep(struct smp_maps *maps)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(maps->object);
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kube_tree_slot *slot = kube_tree_index_find(&maps->original, kube_tree_text(key));

        if (slot != NULL && slot->is_used && slot->key == key) {
            (void)yyjson_mut_obj_iter_remove(&it);
        }
    }
}

static int smp_merge_indexed(struct smp *s, struct smp_maps *maps, const struct smp_type *type)
{
    int err = smp_retain_keys(s, maps);

    if (err == 0) {
        err = smp_set_orders(s, maps, type);
    }
    if (err == 0) {
        err = smp_merge_members(s, maps, type, true);
    }
    if (err == 0) {
        err = smp_merge_members(s, maps, type, false);
    }
    if (err == 0) {
        smp_sweep(maps);
    }
    return err;
}

int smp_merge_map(struct smp *s,
                  yyjson_mut_val *original,
                  yyjson_mut_val *patch,
                  const struct smp_type *type,
                  yyjson_mut_val **ret_object)
{
    yyjson_mut_val *directive = kube_json_get(patch, DIRECTIVE);
    struct smp_maps maps = {.object = original};
    int err;

    if (directive != NULL) {
        return smp_whole_map(s, directive, patch, ret_object);
    }
    err = smp_count(s, yyjson_mut_obj_size(original) + yyjson_mut_obj_size(patch));
    if (err != 0) {
        return err;
    }
    err = kube_tree_index_init(&maps.original, original);
    if (err == 0) {
        err = kube_tree_index_init(&maps.patch, patch);
        if (err == 0) {
            err = smp_merge_indexed(s, &maps, type);
        }
        kube_tree_index_fini(&maps.patch);
    }
    kube_tree_index_fini(&maps.original);
    *ret_object = original;
    return err;
}

/* ---- the whole ---- */

static int smp_start(struct smp *s,
                     const struct kube_message *type,
                     yyjson_mut_val *target,
                     yyjson_mut_val *patch,
                     yyjson_mut_val **ret_object)
{
    const struct smp_type root = {SMP_STRUCT, type, NULL};
    yyjson_mut_val *object;
    int err;

    arena_init(&s->scratch, SCRATCH_MAX);
    patch = kube_json_copy(s->doc, patch);
    err = patch == NULL ? KVS_E_NOMEM : kube_json_drop_duplicates(patch, NULL, NULL);
    if (err == 0) {
        err = smp_merge_map(s, target, patch, &root, &object);
    }
    if (err == 0) {
        *ret_object = object;
    }
    arena_fini(&s->scratch);
    return err;
}

int kube_patch_strategic(yyjson_mut_doc *doc,
                         const struct kube_message *type,
                         yyjson_mut_val *target,
                         yyjson_mut_val *patch,
                         yyjson_mut_val **ret_object,
                         struct buf *why)
{
    struct smp s = {.doc = doc};
    struct buf text;
    int err;

    kvs_assert(yyjson_mut_is_obj(target));
    if (patch == NULL || !kube_tree_depth_within(patch, KUBE_JSON_DEPTH_MAX, NULL)) {
        return patch == NULL ? KVS_E_MALFORMED : KVS_E_TOO_LONG;
    }
    buf_init(&text);
    s.why = &text;
    if (yyjson_mut_is_obj(patch)) {
        err = smp_start(&s, type, target, patch, ret_object);
    } else {
        buf_append_str(&text, "invalid JSON document");
        err = KVS_E_MALFORMED;
    }
    if (err != 0 && why != NULL) {
        buf_append_view(why, buf_view(&text));
    }
    buf_fini(&text);
    return err;
}
