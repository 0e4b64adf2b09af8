/* Setting members of objects, with one look at failures at the end. */
#include "kube/strategy_int.h"

void edit_put(struct kube_edit *e, yyjson_mut_val *object, const char *name, yyjson_mut_val *value)
{
    if (object == NULL || value == NULL ||
        !yyjson_mut_obj_put(object, yyjson_mut_str(e->doc, name), value)) {
        e->failed = true;
    }
}

void edit_text(struct kube_edit *e, yyjson_mut_val *object, const char *name, struct kvs_view text)
{
    edit_put(e, object, name, yyjson_mut_strncpy(e->doc, text.len == 0 ? "" : text.data, text.len));
}

void edit_copy(struct kube_edit *e, yyjson_mut_val *object, const char *name, yyjson_mut_val *value)
{
    if (value == NULL) {
        (void)yyjson_mut_obj_remove_key(object, name);
    } else {
        edit_put(e, object, name, kube_json_copy(e->doc, value));
    }
}

void edit_map(struct kube_edit *e, yyjson_mut_val *map, struct kvs_view key, struct kvs_view value)
{
    yyjson_mut_val *text = yyjson_mut_strncpy(e->doc, value.len == 0 ? "" : value.data, value.len);

    if (map == NULL || text == NULL || kube_tree_set(e->doc, map, key, text) != 0) {
        e->failed = true;
    }
}

yyjson_mut_val *edit_object(struct kube_edit *e, yyjson_mut_val *object, const char *name)
{
    yyjson_mut_val *value = kube_json_get(object, name);

    if (yyjson_mut_is_obj(value)) {
        return value;
    }
    value = yyjson_mut_obj(e->doc);
    edit_put(e, object, name, value);
    return e->failed ? NULL : value;
}

static void edit_append(struct kube_edit *e, yyjson_mut_val *map, yyjson_mut_val *key)
{
    yyjson_mut_val *name = kube_json_copy(e->doc, key);
    yyjson_mut_val *value = kube_json_copy(e->doc, yyjson_mut_obj_iter_get_val(key));

    if (name == NULL || value == NULL || !yyjson_mut_obj_add(map, name, value)) {
        e->failed = true;
    }
}

void edit_fill(struct kube_edit *e, yyjson_mut_val *object, const char *to, const char *from)
{
    yyjson_mut_val *source = kube_json_get(object, from);
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(source);
    yyjson_mut_val *map;
    yyjson_mut_val *key;
    struct kube_tree_index index;

    if (strategy_is_empty(source)) {
        return;
    }
    map = edit_object(e, object, to);
    if (map == NULL || kube_tree_index_init(&index, map) != 0) {
        e->failed = true;
        return;
    }
    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        if (kube_tree_index_find(&index, kube_json_str(key)) == NULL) {
            edit_append(e, map, key);
        }
    }
    kube_tree_index_fini(&index);
}

void edit_default_text(struct kube_edit *e,
                       yyjson_mut_val *object,
                       const char *name,
                       const char *text)
{
    if (kube_json_get_str(object, name).len == 0) {
        edit_put(e, object, name, yyjson_mut_str(e->doc, text));
    }
}

void edit_default_pointer(struct kube_edit *e,
                          yyjson_mut_val *object,
                          const char *name,
                          const char *text)
{
    if (!strategy_is_set(kube_json_get(object, name))) {
        edit_put(e, object, name, yyjson_mut_str(e->doc, text));
    }
}

void edit_default_int(struct kube_edit *e, yyjson_mut_val *object, const char *name, int64_t number)
{
    if (!strategy_is_set(kube_json_get(object, name))) {
        edit_put(e, object, name, yyjson_mut_sint(e->doc, number));
    }
}

void edit_default_bool(struct kube_edit *e, yyjson_mut_val *object, const char *name, bool value)
{
    if (!strategy_is_set(kube_json_get(object, name))) {
        edit_put(e, object, name, yyjson_mut_bool(e->doc, value));
    }
}

void edit_default_list(struct kube_edit *e,
                       yyjson_mut_val *object,
                       const char *name,
                       const char *text)
{
    yyjson_mut_val *list;

    if (!strategy_is_empty(kube_json_get(object, name))) {
        return;
    }
    list = yyjson_mut_arr(e->doc);
    if (list == NULL || !yyjson_mut_arr_add_str(e->doc, list, text)) {
        e->failed = true;
        return;
    }
    edit_put(e, object, name, list);
}

void edit_each(struct kube_edit *e, yyjson_mut_val *object, const char *list, edit_fn *fn)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(kube_json_get(object, list));
    yyjson_mut_val *item;

    while ((item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        fn(e, item);
    }
}
