/* Typed trees: what is where, and how items of lists are found. */
#include "kube/typed.h"

#include <stdlib.h>
#include <string.h>

#include "base/view.h"
#include "kube/json_int.h"
#include "kube/typed_int.h"

/* ---- types ---- */

static struct typed_at typed_value(const struct kube_field *f)
{
    const struct kube_message *m = kube_field_message(f);

    if (m == NULL || (m->flags & (KUBE_MESSAGE_ATOMIC | KUBE_MESSAGE_IS_LIST)) != 0) {
        return (struct typed_at){TYPED_LEAF, m, f};
    }
    return (struct typed_at){TYPED_STRUCT, m, f};
}

static struct typed_at typed_field(const struct kube_field *f)
{
    const struct kube_rule *rule = kube_field_rule(f);
    struct typed_at at = {TYPED_LEAF, kube_field_message(f), f};

    if (rule->list_type == KUBE_LIST_ATOMIC) {
        return at;
    }
    if (f->shape == KUBE_SHAPE_ONE) {
        return typed_value(f);
    }
    if (f->shape == KUBE_SHAPE_MAP) {
        at.shape = TYPED_MAP;
    } else if (rule->list_type == KUBE_LIST_SET) {
        at.shape = TYPED_SET;
    } else if (rule->list_type == KUBE_LIST_MAP) {
        at.shape = TYPED_KEYED;
    }
    return at;
}

struct typed_at typed_member(const struct typed_at *at, struct kvs_view name, bool *ret_known)
{
    const struct kube_field *f = NULL;

    if (at->shape == TYPED_MAP) {
        *ret_known = true;
        return typed_value(at->field);
    }
    if (at->shape == TYPED_STRUCT) {
        f = kube_field_named(at->message, name);
    }
    *ret_known = f != NULL;
    return f == NULL ? (struct typed_at){TYPED_LEAF, NULL, NULL} : typed_field(f);
}

struct typed_at typed_item(const struct typed_at *at)
{
    return typed_value(at->field);
}

struct typed_at typed_below(const struct typed_at *at, const struct kube_element *element)
{
    bool known;

    return typed_is_list(at) ? typed_item(at) : typed_member(at, element->name, &known);
}

/* ---- elements ---- */

/* A key's value, or what the type says it is when it is left out. */
static int typed_key(const struct kube_typed *t,
                     const struct typed_at *list,
                     yyjson_mut_val *item,
                     struct kvs_view key,
                     yyjson_mut_val **ret_value)
{
    const struct kube_json_limits limits = kube_json_limits_default();
    const struct kube_field *f =
        list->message == NULL ? NULL : kube_field_named(list->message, key);
    const char *text = f == NULL ? NULL : kube_field_default(f);
    yyjson_mut_val *value = kube_json_get_view(item, key);

    if (value != NULL) {
        *ret_value = kube_json_copy(t->doc, value);
        return *ret_value == NULL ? KVS_E_NOMEM : 0;
    }
    if (text == NULL) {
        return KVS_E_INVALID;
    }
    return kube_json_read_into(t->doc, view_str(text), &limits, ret_value, NULL);
}

static int typed_keyed_element(const struct kube_typed *t,
                               const struct typed_at *list,
                               yyjson_mut_val *item,
                               struct kube_element *ret_element,
                               struct buf *why)
{
    yyjson_mut_val *keys = yyjson_mut_obj(t->doc);
    struct kvs_view key;
    int err = keys == NULL ? KVS_E_NOMEM : 0;

    for (size_t n = 0; err == 0 && kube_rule_key(kube_field_rule(list->field), n, &key); n++) {
        yyjson_mut_val *value;

        err = typed_key(t, list, item, key, &value);
        if (err == KVS_E_INVALID && why != NULL) {
            buf_printf(why,
                       "associative list with keys has an element that omits key field \"%.*s\" "
                       "(and doesn't have default value)",
                       (int)key.len, (const char *)key.data);
        }
        if (err == 0 &&
            !yyjson_mut_obj_add(keys, yyjson_mut_strncpy(t->doc, key.data, key.len), value)) {
            err = KVS_E_NOMEM;
        }
    }
    if (err == 0) {
        err = kube_json_sort_members(keys, false, NULL, NULL, NULL);
    }
    *ret_element = (struct kube_element){.kind = KUBE_ELEMENT_KEY, .value = keys};
    return err;
}

int typed_element(const struct kube_typed *t,
                  const struct typed_at *list,
                  yyjson_mut_val *item,
                  struct kube_element *ret_element,
                  struct buf *why)
{
    if (list->shape == TYPED_KEYED) {
        if (!yyjson_mut_is_obj(item)) {
            if (why != NULL) {
                buf_append_str(why, "associative list with keys may not have non-map elements");
            }
            return KVS_E_INVALID;
        }
        return typed_keyed_element(t, list, item, ret_element, why);
    }
    if (yyjson_mut_is_ctn(item) || yyjson_mut_is_null(item)) {
        if (why != NULL) {
            buf_printf(why, "associative list without keys has an element that's %s type",
                       yyjson_mut_is_obj(item)   ? "a map"
                       : yyjson_mut_is_arr(item) ? "a list"
                                                 : "an explicit null");
        }
        return KVS_E_INVALID;
    }
    /* A copy: the item may be changed or moved while the set lives on. */
    *ret_element =
        (struct kube_element){.kind = KUBE_ELEMENT_VALUE, .value = kube_json_copy(t->doc, item)};
    return ret_element->value == NULL ? KVS_E_NOMEM : 0;
}

/* ---- entries ---- */

static int entry_compare(const void *a, const void *b)
{
    const struct typed_entry *x = a;
    const struct typed_entry *y = b;
    int order = kube_element_compare(&x->element, &y->element);

    return order != 0 ? order : x->at < y->at ? -1 : x->at > y->at;
}

static int entries_of_list(const struct kube_typed *t,
                           const struct typed_at *at,
                           yyjson_mut_val *list,
                           struct typed_entries *to)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;
    size_t place = 0;

    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        struct typed_entry entry = {.value = item, .at = place++};
        int err = typed_element(t, at, item, &entry.element, NULL);

        if (err != 0 && err != KVS_E_INVALID) {
            return err;
        }
        if (err == 0) {
            to->at[to->n++] = entry;
        }
    }
    return 0;
}

static void entries_of_map(yyjson_mut_val *map, struct typed_entries *to)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(map);
    yyjson_mut_val *key;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        to->at[to->n] = (struct typed_entry){.element.name = kube_json_str(key),
                                             .value = yyjson_mut_obj_iter_get_val(key),
                                             .at = to->n};
        to->n++;
    }
}

int typed_entries_of(const struct kube_typed *t,
                     const struct typed_at *at,
                     yyjson_mut_val *value,
                     struct typed_entries *ret_entries)
{
    bool fits = typed_is_list(at) ? yyjson_mut_is_arr(value) : yyjson_mut_is_obj(value);
    size_t room = fits ? yyjson_mut_get_len(value) : 0;
    size_t kept = 0;
    int err = 0;

    *ret_entries =
        (struct typed_entries){arena_calloc(t->arena, room + 1, sizeof *ret_entries->at), 0};
    if (ret_entries->at == NULL) {
        return KVS_E_NOMEM;
    }
    if (fits && typed_is_list(at)) {
        err = entries_of_list(t, at, value, ret_entries);
    } else if (fits) {
        entries_of_map(value, ret_entries);
    }
    qsort(ret_entries->at, ret_entries->n, sizeof *ret_entries->at, entry_compare);
    for (size_t i = 0; i < ret_entries->n; i++) {
        if (kept == 0 || kube_element_compare(&ret_entries->at[kept - 1].element,
                                              &ret_entries->at[i].element) != 0) {
            ret_entries->at[kept++] = ret_entries->at[i];
        }
    }
    ret_entries->n = kept;
    return err;
}

struct typed_entry *typed_entries_find(const struct typed_entries *entries,
                                       const struct kube_element *element)
{
    size_t low = 0;
    size_t high = entries->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = kube_element_compare(&entries->at[middle].element, element);

        if (order == 0) {
            return &entries->at[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}
