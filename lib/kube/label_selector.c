#include "kube/label_selector.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/label_selector_int.h"
#include "kube/names.h"
#include "kube/quote.h"

#define LABEL_SELECTOR_FIRST  8 /* requirements of the first allocation */
#define LABEL_SELECTOR_LINEAR 8 /* values up to which a scan is as quick as a search */

/* Text before the values, and what surrounds them. */
static const struct label_op_text {
    const char *infix;
    bool in_parentheses;
} label_op_texts[] = {
    [KUBE_LABEL_EQUALS] = {"=", false},        [KUBE_LABEL_DOUBLE_EQUALS] = {"==", false},
    [KUBE_LABEL_NOT_EQUALS] = {"!=", false},   [KUBE_LABEL_IN] = {" in ", true},
    [KUBE_LABEL_NOT_IN] = {" notin ", true},   [KUBE_LABEL_EXISTS] = {"", false},
    [KUBE_LABEL_DOES_NOT_EXIST] = {"", false}, [KUBE_LABEL_GREATER] = {">", false},
    [KUBE_LABEL_LESS] = {"<", false},
};
_Static_assert(ARRAY_LEN(label_op_texts) == KUBE_LABEL_OP_COUNT, "each operator has a text");

int label_selector_compare_views(const void *a, const void *b)
{
    return view_compare(*(const struct kvs_view *)a, *(const struct kvs_view *)b);
}

/* Go's strconv.ParseInt with base 10 and 64 bits. */
static bool label_parse_int(struct kvs_view text, int64_t *ret_number)
{
    const char *p = text.data;
    size_t i = text.len > 0 && (p[0] == '-' || p[0] == '+') ? 1 : 0;
    __int128 value = 0;

    if (i == text.len) {
        return false;
    }
    for (; i < text.len; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return false;
        }
        value = value * 10 + (p[i] - '0');
        if (value > (__int128)INT64_MAX + 1) {
            return false;
        }
    }
    value = p[0] == '-' ? -value : value;
    if (value > INT64_MAX) {
        return false;
    }
    *ret_number = (int64_t)value;
    return true;
}

/* ---- making ---- */

void kube_label_selector_fini(struct kube_label_selector *s)
{
    arena_fini(&s->arena);
    memset(s, 0, sizeof *s);
}

/* One error of all messages joined, as apimachinery's labels package makes it. */
static void label_say(struct kube_errors *errors,
                      const struct kube_path *path,
                      struct kvs_view value,
                      const struct kube_name_messages *messages)
{
    struct buf joined;

    if (messages->count == 0) {
        return;
    }
    buf_init(&joined);
    for (size_t i = 0; i < messages->count; i++) {
        buf_append_str(&joined, i > 0 ? "; " : "");
        buf_append_str(&joined, messages->text[i]);
    }
    buf_append_u8(&joined, '\0');
    if (joined.failed) {
        errors->failed = true;
    } else {
        kube_errors_invalid(errors, path, kube_bad_string(value), (const char *)joined.data);
    }
    buf_fini(&joined);
}

static void label_say_list(struct kube_errors *errors,
                           const struct kube_path *path,
                           const struct kvs_view *values,
                           size_t n_values,
                           const char *detail)
{
    struct buf list;

    buf_init(&list);
    kube_quote_strings(&list, values, n_values);
    if (list.failed) {
        errors->failed = true;
    } else {
        kube_errors_invalid(errors, path, kube_bad_text(buf_view(&list)), detail);
    }
    buf_fini(&list);
}

static void label_check_count(struct kube_errors *errors,
                              const struct kube_path *path,
                              const struct kube_label_requirement *r)
{
    const char *detail = NULL;

    switch (r->op) {
    case KUBE_LABEL_IN:
    case KUBE_LABEL_NOT_IN:
        detail = r->n_values == 0 ? "for 'in', 'notin' operators, values set can't be empty" : NULL;
        break;
    case KUBE_LABEL_EQUALS:
    case KUBE_LABEL_DOUBLE_EQUALS:
    case KUBE_LABEL_NOT_EQUALS:
        detail = r->n_values != 1 ? "exact-match compatibility requires one single value" : NULL;
        break;
    case KUBE_LABEL_EXISTS:
    case KUBE_LABEL_DOES_NOT_EXIST:
        detail = r->n_values != 0 ? "values set must be empty for exists and does not exist" : NULL;
        break;
    case KUBE_LABEL_GREATER:
    case KUBE_LABEL_LESS:
        detail =
            r->n_values != 1 ? "for 'Gt', 'Lt' operators, exactly one value is required" : NULL;
        break;
    case KUBE_LABEL_OP_COUNT:
        kvs_assert(false);
    }
    if (detail != NULL) {
        label_say_list(errors, path, r->values, r->n_values, detail);
    }
}

static void label_check(struct kube_errors *errors, struct kube_label_requirement *r)
{
    struct kube_path key = kube_path_root("key");
    struct kube_path values = kube_path_root("values");
    struct kube_name_messages messages;

    (void)kube_name_qualified(r->key, &messages); /* The messages say it. */
    label_say(errors, &key, r->key, &messages);
    label_check_count(errors, &values, r);
    for (size_t i = 0; i < r->n_values; i++) {
        struct kube_path at = kube_path_index(&values, i);

        if ((r->op == KUBE_LABEL_GREATER || r->op == KUBE_LABEL_LESS) &&
            !label_parse_int(r->values[i], &r->number)) {
            kube_errors_invalid(errors, &at, kube_bad_string(r->values[i]),
                                "for 'Gt', 'Lt' operators, the value must be an integer");
        }
    }
    for (size_t i = 0; i < r->n_values; i++) {
        struct kube_path at = kube_path_index(&values, i);
        struct kube_path label = kube_path_key(&at, r->key);

        (void)kube_name_label_value(r->values[i], &messages);
        label_say(errors, &label, r->values[i], &messages);
    }
}

static int label_reserve(struct kube_label_selector *s)
{
    size_t capacity = s->capacity > 0 ? s->capacity * 2 : LABEL_SELECTOR_FIRST;
    struct kube_label_requirement *items;

    if (s->count < s->capacity) {
        return 0;
    }
    items = arena_calloc(&s->arena, capacity, sizeof *items);
    if (items == NULL) {
        return KVS_E_NOMEM;
    }
    if (s->count > 0) {
        memcpy(items, s->items, s->count * sizeof *items);
    }
    s->items = items;
    s->capacity = capacity;
    return 0;
}

int label_selector_add(struct kube_label_selector *s,
                       struct kvs_view key,
                       enum kube_label_op op,
                       struct kvs_view *values,
                       size_t n_values,
                       struct buf *why)
{
    struct kube_label_requirement r = {
        .key = key, .op = op, .values = values, .n_values = n_values, .order = s->count};
    struct kube_errors errors;
    int err = label_reserve(s);

    kvs_assert(op < KUBE_LABEL_OP_COUNT);
    if (err != 0) {
        return err;
    }
    kube_errors_init(&errors);
    label_check(&errors, &r);
    err = kube_errors_result(&errors);
    if (err == KVS_E_INVALID && why != NULL) {
        kube_errors_print(&errors, why);
    }
    kube_errors_fini(&errors);
    if (err != 0) {
        return err;
    }
    if (n_values > 1) {
        qsort(values, n_values, sizeof *values, label_selector_compare_views);
    }
    s->items[s->count++] = r;
    return 0;
}

static int label_compare_requirements(const void *a, const void *b)
{
    const struct kube_label_requirement *x = a;
    const struct kube_label_requirement *y = b;
    int order = view_compare(x->key, y->key);

    return order != 0 ? order : x->order < y->order ? -1 : x->order > y->order;
}

void label_selector_seal(struct kube_label_selector *s)
{
    if (s->count > 1) {
        qsort(s->items, s->count, sizeof *s->items, label_compare_requirements);
    }
}

/* ---- matching ---- */

static bool label_has_value(const struct kube_label_requirement *r, struct kvs_view value)
{
    if (r->n_values > LABEL_SELECTOR_LINEAR) {
        return bsearch(&value, r->values, r->n_values, sizeof *r->values,
                       label_selector_compare_views) != NULL;
    }
    for (size_t i = 0; i < r->n_values; i++) {
        if (view_equal(r->values[i], value)) {
            return true;
        }
    }
    return false;
}

/* `value` is NULL if the object does not have the label. */
static bool label_requirement_matches(const struct kube_label_requirement *r,
                                      const struct kvs_view *value)
{
    int64_t number;

    switch (r->op) {
    case KUBE_LABEL_EQUALS:
    case KUBE_LABEL_DOUBLE_EQUALS:
    case KUBE_LABEL_IN:
        return value != NULL && label_has_value(r, *value);
    case KUBE_LABEL_NOT_EQUALS:
    case KUBE_LABEL_NOT_IN:
        return value == NULL || !label_has_value(r, *value);
    case KUBE_LABEL_EXISTS:
        return value != NULL;
    case KUBE_LABEL_DOES_NOT_EXIST:
        return value == NULL;
    case KUBE_LABEL_GREATER:
        return value != NULL && label_parse_int(*value, &number) && number > r->number;
    case KUBE_LABEL_LESS:
        return value != NULL && label_parse_int(*value, &number) && number < r->number;
    case KUBE_LABEL_OP_COUNT:
        break;
    }
    kvs_assert(false);
    return false;
}

bool kube_label_selector_matches(const struct kube_label_selector *s, yyjson_mut_val *labels)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct kube_label_requirement *r = &s->items[i];
        yyjson_mut_val *found = yyjson_mut_obj_getn(labels, r->key.data, r->key.len);
        struct kvs_view value;

        if (yyjson_mut_is_str(found)) {
            value = view_make(yyjson_mut_get_str(found), yyjson_mut_get_len(found));
        } else {
            found = NULL;
        }
        if (!label_requirement_matches(r, found != NULL ? &value : NULL)) {
            return false;
        }
    }
    return !s->nothing;
}

bool kube_label_selector_matches_labels(const struct kube_label_selector *s,
                                        const struct kube_label *labels,
                                        size_t n_labels)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct kvs_view *value = NULL;

        for (size_t n = 0; n < n_labels && value == NULL; n++) {
            value = view_equal(labels[n].key, s->items[i].key) ? &labels[n].value : NULL;
        }
        if (!label_requirement_matches(&s->items[i], value)) {
            return false;
        }
    }
    return !s->nothing;
}

const struct kube_label_requirement *kube_label_selector_find(const struct kube_label_selector *s,
                                                              struct kvs_view key,
                                                              size_t *ret_count)
{
    const struct kube_label_requirement *first = NULL;

    *ret_count = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (view_equal(s->items[i].key, key)) {
            first = first == NULL ? &s->items[i] : first;
            (*ret_count)++;
        }
    }
    return first;
}

bool kube_label_selector_exact(const struct kube_label_selector *s,
                               struct kvs_view key,
                               struct kvs_view *ret_value)
{
    size_t count;
    const struct kube_label_requirement *r = kube_label_selector_find(s, key, &count);

    if (r == NULL || r->n_values != 1 ||
        (r->op != KUBE_LABEL_EQUALS && r->op != KUBE_LABEL_DOUBLE_EQUALS &&
         r->op != KUBE_LABEL_IN)) {
        return false;
    }
    *ret_value = r->values[0];
    return true;
}

/* ---- printing ---- */

void kube_label_selector_print(const struct kube_label_selector *s, struct buf *out)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct kube_label_requirement *r = &s->items[i];
        const struct label_op_text *text = &label_op_texts[r->op];

        buf_append_str(out, i > 0 ? "," : "");
        buf_append_str(out, r->op == KUBE_LABEL_DOES_NOT_EXIST ? "!" : "");
        buf_append_view(out, r->key);
        buf_append_str(out, text->infix);
        buf_append_str(out, text->in_parentheses ? "(" : "");
        for (size_t n = 0; n < r->n_values; n++) {
            buf_append_str(out, n > 0 ? "," : "");
            buf_append_view(out, r->values[n]);
        }
        buf_append_str(out, text->in_parentheses ? ")" : "");
    }
}
