/* Typed trees: whether a body fits its type. All that does not is collected, as upstream does. */
#include <stdarg.h>
#include <stdio.h>

#include "base/view.h"
#include "kube/tree.h"
#include "kube/typed_int.h"

enum { FINDINGS_MAX = 100 };

struct validation {
    const struct kube_typed *typed;
    struct buf path;
    struct buf found; /* "  .path: text\n" each */
    size_t n;
};

static void found(struct validation *v, const char *format, ...) KVS_PRINTF(2, 3);

static void found(struct validation *v, const char *format, ...)
{
    va_list args;
    char text[256];

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (v->n++ < FINDINGS_MAX) {
        buf_append_str(&v->found, v->found.len == 0 ? "" : "\n  ");
        buf_append_view(&v->found, buf_view(&v->path));
        buf_append_str(&v->found, v->path.len == 0 ? "" : ": ");
        buf_append_str(&v->found, text);
    }
}

/* A value as Go's %v has it, cut short. */
static void found_instead(struct validation *v, const char *wanted, yyjson_mut_val *value)
{
    struct buf text;

    buf_init(&text);
    if (kube_json_write(&text, value) != 0) {
        buf_append_str(&text, "?");
    }
    found(v, "expected %s, got &{%.*s}", wanted, (int)text.len, (const char *)text.data);
    buf_fini(&text);
}

static const char *go_type(yyjson_mut_val *value)
{
    if (yyjson_mut_is_str(value)) {
        return "string";
    }
    if (yyjson_mut_is_bool(value)) {
        return "bool";
    }
    return yyjson_mut_is_obj(value) ? "map[string]interface {}" : "[]interface {}";
}

static void check_scalar(struct validation *v, const struct kube_field *f, yyjson_mut_val *value)
{
    switch ((enum kube_type)f->type) {
    case KUBE_TYPE_BOOL:
        if (!yyjson_mut_is_bool(value)) {
            found_instead(v, "boolean", value);
        }
        break;
    case KUBE_TYPE_INT32:
    case KUBE_TYPE_INT64:
        if (!yyjson_mut_is_num(value)) {
            found(v, "expected numeric (int or float), got %s", go_type(value));
        }
        break;
    case KUBE_TYPE_STRING:
    case KUBE_TYPE_BYTES:
    case KUBE_TYPE_TIME:
    case KUBE_TYPE_MICRO_TIME:
        if (!yyjson_mut_is_str(value)) {
            found_instead(v, "string", value);
        }
        break;
    case KUBE_TYPE_QUANTITY:
    case KUBE_TYPE_INT_OR_STRING:
        if (yyjson_mut_is_ctn(value)) {
            found_instead(v, "any scalar", value);
        }
        break;
    case KUBE_TYPE_MESSAGE:
    case KUBE_TYPE_RAW:
    case KUBE_TYPE_FIELDS_V1:
    case KUBE_TYPE_ANY:
    case KUBE_TYPE_COUNT:
        break;
    }
}

static int check_struct(struct validation *v, const struct kube_message *m, yyjson_mut_val *value);

/* A value that is no list or map of its field's, or one of their elements. */
static int check_one(struct validation *v, const struct kube_field *f, yyjson_mut_val *value)
{
    const struct kube_message *m = kube_field_message(f);

    if (yyjson_mut_is_null(value)) {
        return 0;
    }
    if (m == NULL || (m->flags & KUBE_MESSAGE_IS_LIST) != 0) {
        check_scalar(v, f, value);
        return 0;
    }
    if (!yyjson_mut_is_obj(value)) {
        found_instead(v, "map", value);
        return 0;
    }
    return check_struct(v, m, value);
}

static int check_map(struct validation *v, const struct kube_field *f, yyjson_mut_val *map)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(map);
    size_t len = v->path.len;
    yyjson_mut_val *key;
    int err = 0;

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        const struct kube_element element = {.name = kube_json_str(key)};

        kube_element_print(&v->path, &element);
        err = check_one(v, f, yyjson_mut_obj_iter_get_val(key));
        v->path.len = len;
    }
    return err;
}

/* The item's place in the path; duplicates and missing keys are found. False: look no deeper. */
static int check_element(struct validation *v,
                         const struct typed_at *at,
                         yyjson_mut_val *item,
                         size_t place,
                         bool *ret_go)
{
    struct kube_element element;
    struct buf why;
    int err;

    *ret_go = true;
    if (!typed_is_list(at)) {
        buf_printf(&v->path, "[%zu]", place);
        return 0;
    }
    buf_init(&why);
    err = typed_element(v->typed, at, item, &element, &why);
    if (err == KVS_E_INVALID) {
        found(v, "element %zu: %.*s", place, (int)why.len, (const char *)why.data);
        *ret_go = false;
        err = 0;
    } else if (err == 0) {
        kube_element_print(&v->path, &element);
    }
    buf_fini(&why);
    return err;
}

static int check_unique(struct validation *v, const struct typed_at *at, yyjson_mut_val *list)
{
    struct typed_entries entries;
    struct buf text;
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *item;
    int err = typed_is_list(at) ? typed_entries_of(v->typed, at, list, &entries) : 0;
    size_t place = 0;

    buf_init(&text);
    while (err == 0 && typed_is_list(at) && (item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        struct kube_element element;
        const struct typed_entry *first;

        err = typed_element(v->typed, at, item, &element, NULL);
        first = err == 0 ? typed_entries_find(&entries, &element) : NULL;
        if (first != NULL && first->at != place) {
            buf_clear(&text);
            kube_element_print(&text, &element);
            found(v, "duplicate entries for key %.*s", (int)text.len, (const char *)text.data);
        }
        err = err == KVS_E_INVALID ? 0 : err;
        place++;
    }
    buf_fini(&text);
    return err;
}

static int check_list(struct validation *v, const struct typed_at *at, yyjson_mut_val *list)
{
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    size_t len = v->path.len;
    size_t place = 0;
    yyjson_mut_val *item;
    int err = check_unique(v, at, list);

    while (err == 0 && (item = yyjson_mut_arr_iter_next(&it)) != NULL) {
        bool go;

        err = check_element(v, at, item, place++, &go);
        if (err == 0 && go) {
            err = check_one(v, at->field, item);
        }
        v->path.len = len;
    }
    return err;
}

static int check_field(struct validation *v, const struct typed_at *at, yyjson_mut_val *value)
{
    const struct kube_field *f = at->field;

    if (f->shape == KUBE_SHAPE_ONE || yyjson_mut_is_null(value)) {
        return check_one(v, f, value);
    }
    if (f->shape == KUBE_SHAPE_MAP) {
        if (!yyjson_mut_is_obj(value)) {
            found_instead(v, "map", value);
            return 0;
        }
        return check_map(v, f, value);
    }
    if (!yyjson_mut_is_arr(value)) {
        found_instead(v, "list", value);
        return 0;
    }
    return check_list(v, at, value);
}

static int check_struct(struct validation *v, const struct kube_message *m, yyjson_mut_val *value)
{
    const struct typed_at at = typed_root(m);
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(value);
    size_t len = v->path.len;
    yyjson_mut_val *key;
    int err = 0;

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        const struct kube_element element = {.name = kube_json_str(key)};
        bool known;
        const struct typed_at below = typed_member(&at, element.name, &known);

        kube_element_print(&v->path, &element);
        if (!known) {
            found(v, "field not declared in schema");
        } else {
            err = check_field(v, &below, yyjson_mut_obj_iter_get_val(key));
        }
        v->path.len = len;
    }
    return err;
}

int kube_typed_validate(const struct kube_typed *t,
                        const struct kube_message *type,
                        yyjson_mut_val *object,
                        struct buf *why)
{
    struct validation v = {.typed = t};
    int err;

    if (!kube_tree_depth_within(object, KUBE_JSON_DEPTH_MAX, NULL)) {
        return KVS_E_TOO_LONG;
    }
    buf_init(&v.path);
    buf_init(&v.found);
    err = check_struct(&v, type, object);
    if (v.path.failed || v.found.failed) {
        err = KVS_E_NOMEM;
    }
    if (err == 0 && v.n > 0) {
        buf_append_str(why, v.n == 1 ? "" : "errors:\n  ");
        buf_append_view(why, buf_view(&v.found));
        err = KVS_E_INVALID;
    }
    buf_fini(&v.path);
    buf_fini(&v.found);
    return err;
}
