/* The object form of label selectors, metav1.LabelSelector. */
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/label_selector_int.h"
#include "kube/names.h"
#include "kube/quote.h"

static const struct {
    const char *name;
    enum kube_label_op op;
} label_object_ops[] = {
    {"In", KUBE_LABEL_IN},
    {"NotIn", KUBE_LABEL_NOT_IN},
    {"Exists", KUBE_LABEL_EXISTS},
    {"DoesNotExist", KUBE_LABEL_DOES_NOT_EXIST},
};

static struct kvs_view label_text_of(yyjson_mut_val *value)
{
    if (!yyjson_mut_is_str(value)) {
        return view_make("", 0);
    }
    return view_make(yyjson_mut_get_str(value), yyjson_mut_get_len(value));
}

static bool label_op_find(struct kvs_view name, enum kube_label_op *ret_op)
{
    for (size_t i = 0; i < ARRAY_LEN(label_object_ops); i++) {
        if (view_equal_str(name, label_object_ops[i].name)) {
            *ret_op = label_object_ops[i].op;
            return true;
        }
    }
    return false;
}

/* ---- reading ---- */

static int label_read_labels(struct kube_label_selector *s, yyjson_mut_val *labels, struct buf *why)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(labels);
    yyjson_mut_val *key;
    int err = 0;

    while (err == 0 && (key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kvs_view *value = arena_calloc(&s->arena, 1, sizeof *value);
        struct kvs_view name;

        if (value == NULL) {
            return KVS_E_NOMEM;
        }
        err = arena_copy(&s->arena, label_text_of(key), &name);
        if (err == 0) {
            err = arena_copy(&s->arena, label_text_of(yyjson_mut_obj_iter_get_val(key)), value);
        }
        if (err == 0) {
            err = label_selector_add(s, name, KUBE_LABEL_EQUALS, value, 1, why);
        }
    }
    return err;
}

static int
label_read_expression(struct kube_label_selector *s, yyjson_mut_val *expression, struct buf *why)
{
    yyjson_mut_val *list = yyjson_mut_obj_get(expression, "values");
    struct kvs_view name = label_text_of(yyjson_mut_obj_get(expression, "operator"));
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    size_t n_values = yyjson_mut_arr_size(list);
    struct kvs_view *values = arena_calloc(&s->arena, n_values, sizeof *values);
    enum kube_label_op op;
    struct kvs_view key;
    int err;

    if (!label_op_find(name, &op)) {
        if (why != NULL) {
            kube_quote(why, name);
            buf_append_str(why, " is not a valid label selector operator");
        }
        return KVS_E_INVALID;
    }
    if (values == NULL) {
        return KVS_E_NOMEM;
    }
    err = arena_copy(&s->arena, label_text_of(yyjson_mut_obj_get(expression, "key")), &key);
    for (size_t i = 0; err == 0 && i < n_values; i++) {
        err = arena_copy(&s->arena, label_text_of(yyjson_mut_arr_iter_next(&it)), &values[i]);
    }
    return err != 0 ? err : label_selector_add(s, key, op, values, n_values, why);
}

static int label_read_all(struct kube_label_selector *s, yyjson_mut_val *object, struct buf *why)
{
    yyjson_mut_val *list = yyjson_mut_obj_get(object, "matchExpressions");
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(list);
    yyjson_mut_val *expression;
    int err = label_read_labels(s, yyjson_mut_obj_get(object, "matchLabels"), why);

    while (err == 0 && (expression = yyjson_mut_arr_iter_next(&it)) != NULL) {
        err = label_read_expression(s, expression, why);
    }
    return err;
}

int kube_label_selector_read(yyjson_mut_val *object,
                             struct kube_label_selector *ret_selector,
                             struct buf *why)
{
    struct kube_label_selector s = {0};
    int err;

    kvs_assert(ret_selector != NULL);
    arena_init(&s.arena, 0);
    if (!yyjson_mut_is_obj(object)) {
        s.nothing = true;
        *ret_selector = s;
        return 0;
    }
    err = label_read_all(&s, object, why);
    if (err != 0) {
        arena_fini(&s.arena);
        return err;
    }
    label_selector_seal(&s);
    *ret_selector = s;
    return 0;
}

/* ---- validation ---- */

static void label_validate_expression(yyjson_mut_val *expression,
                                      bool any_values,
                                      const struct kube_path *path,
                                      struct kube_errors *errors)
{
    yyjson_mut_val *values = yyjson_mut_obj_get(expression, "values");
    struct kvs_view name = label_text_of(yyjson_mut_obj_get(expression, "operator"));
    struct kvs_view key = label_text_of(yyjson_mut_obj_get(expression, "key"));
    struct kube_path at_values = kube_path_child(path, "values");
    struct kube_path at_op = kube_path_child(path, "operator");
    struct kube_path at_key = kube_path_child(path, "key");
    size_t n_values = yyjson_mut_arr_size(values);
    yyjson_mut_arr_iter it = yyjson_mut_arr_iter_with(values);
    struct kube_name_messages messages;
    enum kube_label_op op;

    if (!label_op_find(name, &op)) {
        kube_errors_invalid(errors, &at_op, kube_bad_string(name), "not a valid selector operator");
    } else if (op == KUBE_LABEL_IN || op == KUBE_LABEL_NOT_IN) {
        if (n_values == 0) {
            kube_errors_required(errors, &at_values,
                                 "must be specified when `operator` is 'In' or 'NotIn'");
        }
    } else if (n_values > 0) {
        kube_errors_forbidden(errors, &at_values,
                              "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
    (void)kube_name_qualified(key, &messages); /* The messages say it. */
    kube_errors_names(errors, &at_key, key, &messages);
    for (size_t i = 0; !any_values && i < n_values; i++) {
        struct kvs_view value = label_text_of(yyjson_mut_arr_iter_next(&it));
        struct kube_path at = kube_path_index(&at_values, i);

        (void)kube_name_label_value(value, &messages);
        kube_errors_names(errors, &at, value, &messages);
    }
}

void kube_label_selector_validate(yyjson_mut_val *object,
                                  bool any_values,
                                  const struct kube_path *path,
                                  struct kube_errors *errors)
{
    yyjson_mut_val *labels = yyjson_mut_obj_get(object, "matchLabels");
    yyjson_mut_val *list = yyjson_mut_obj_get(object, "matchExpressions");
    struct kube_path at_labels = kube_path_child(path, "matchLabels");
    struct kube_path at_list = kube_path_child(path, "matchExpressions");
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(labels);
    yyjson_mut_arr_iter each = yyjson_mut_arr_iter_with(list);
    struct kube_name_messages messages;
    yyjson_mut_val *item;
    size_t i = 0;

    while ((item = yyjson_mut_obj_iter_next(&it)) != NULL) {
        struct kvs_view value = label_text_of(yyjson_mut_obj_iter_get_val(item));

        (void)kube_name_qualified(label_text_of(item), &messages);
        kube_errors_names(errors, &at_labels, label_text_of(item), &messages);
        (void)kube_name_label_value(value, &messages);
        kube_errors_names(errors, &at_labels, value, &messages);
    }
    while ((item = yyjson_mut_arr_iter_next(&each)) != NULL) {
        struct kube_path at = kube_path_index(&at_list, i++);

        label_validate_expression(item, any_values, &at, errors);
    }
}
