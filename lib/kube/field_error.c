#include "kube/field_error.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "kube/quote.h"

#define FIELD_ERROR_FIRST 4 /* items of the first allocation */

static const struct error_kind {
    const char *reason;
    const char *title;
    bool has_value;
} error_kinds[] = {
    [KUBE_ERROR_NOT_FOUND] = {"FieldValueNotFound", "Not found", true},
    [KUBE_ERROR_REQUIRED] = {"FieldValueRequired", "Required value", false},
    [KUBE_ERROR_DUPLICATE] = {"FieldValueDuplicate", "Duplicate value", true},
    [KUBE_ERROR_INVALID] = {"FieldValueInvalid", "Invalid value", true},
    [KUBE_ERROR_NOT_SUPPORTED] = {"FieldValueNotSupported", "Unsupported value", true},
    [KUBE_ERROR_FORBIDDEN] = {"FieldValueForbidden", "Forbidden", false},
    [KUBE_ERROR_TOO_LONG] = {"FieldValueTooLong", "Too long", false},
    [KUBE_ERROR_TOO_MANY] = {"FieldValueTooMany", "Too many", true},
    [KUBE_ERROR_INTERNAL] = {"InternalError", "Internal error", false},
    [KUBE_ERROR_TYPE_INVALID] = {"FieldValueTypeInvalid", "Invalid value", true},
};
_Static_assert(ARRAY_LEN(error_kinds) == KUBE_ERROR_TYPE_COUNT, "each type has a row");

const char *kube_error_reason(enum kube_error_type type)
{
    kvs_assert(type < KUBE_ERROR_TYPE_COUNT);
    return error_kinds[type].reason;
}

/* ---- paths ---- */

void kube_path_print(const struct kube_path *path, struct buf *out)
{
    if (path == NULL) {
        buf_append_str(out, "<nil>");
        return;
    }
    if (path->parent != NULL) {
        kube_path_print(path->parent, out); /* As deep as the validators nest. */
    }
    if (path->is_index) {
        buf_printf(out, "[%zu]", path->index);
    } else if (path->is_subscript || path->name.len == 0) {
        buf_append_u8(out, '[');
        buf_append_view(out, path->name);
        buf_append_u8(out, ']');
    } else {
        buf_append_str(out, path->parent != NULL ? "." : "");
        buf_append_view(out, path->name);
    }
}

/* ---- the list ---- */

void kube_errors_init(struct kube_errors *errors)
{
    memset(errors, 0, sizeof *errors);
    arena_init(&errors->arena, 0);
}

void kube_errors_fini(struct kube_errors *errors)
{
    arena_fini(&errors->arena);
    kvs_free(errors->items);
    memset(errors, 0, sizeof *errors);
}

static struct kube_error *errors_next(struct kube_errors *errors)
{
    if (errors->count == errors->capacity) {
        size_t capacity = errors->capacity > 0 ? errors->capacity * 2 : FIELD_ERROR_FIRST;
        struct kube_error *items = kvs_realloc(errors->items, capacity * sizeof *items);

        if (items == NULL) {
            return NULL;
        }
        errors->items = items;
        errors->capacity = capacity;
    }
    return &errors->items[errors->count];
}

static void errors_print_value(struct kube_bad_value value, struct buf *out)
{
    switch (value.kind) {
    case KUBE_BAD_OMITTED:
        return;
    case KUBE_BAD_STRING:
        buf_append_str(out, ": ");
        kube_quote(out, value.text);
        return;
    case KUBE_BAD_INT:
        buf_printf(out, ": %lld", (long long)value.number);
        return;
    case KUBE_BAD_BOOL:
        buf_append_str(out, value.number != 0 ? ": true" : ": false");
        return;
    case KUBE_BAD_TEXT:
        buf_append_str(out, ": ");
        buf_append_view(out, value.text);
        return;
    }
}

void kube_errors_add(struct kube_errors *errors,
                     enum kube_error_type type,
                     const struct kube_path *path,
                     struct kube_bad_value value,
                     const char *detail)
{
    struct kube_error *item;
    struct buf text;
    size_t field_len;

    kvs_assert(type < KUBE_ERROR_TYPE_COUNT && detail != NULL);
    if (errors->count >= KUBE_ERRORS_MAX) {
        return;
    }
    buf_init(&text);
    kube_path_print(path, &text);
    field_len = text.len;
    buf_append_str(&text, error_kinds[type].title);
    if (error_kinds[type].has_value) {
        errors_print_value(value, &text);
    }
    if (detail[0] != '\0') {
        buf_append_str(&text, ": ");
        buf_append_str(&text, detail);
    }
    item = text.failed ? NULL : errors_next(errors);
    if (item != NULL) {
        const char *data = (const char *)text.data;

        item->type = type;
        item->field = arena_strndup(&errors->arena, data, field_len);
        item->body = arena_strndup(&errors->arena, data + field_len, text.len - field_len);
    }
    if (item == NULL || item->field == NULL || item->body == NULL) {
        errors->failed = true;
    } else {
        errors->count++;
    }
    buf_fini(&text);
}

void kube_errors_invalid(struct kube_errors *errors,
                         const struct kube_path *path,
                         struct kube_bad_value value,
                         const char *detail)
{
    kube_errors_add(errors, KUBE_ERROR_INVALID, path, value, detail);
}

void kube_errors_required(struct kube_errors *errors,
                          const struct kube_path *path,
                          const char *detail)
{
    kube_errors_add(errors, KUBE_ERROR_REQUIRED, path, kube_bad_omitted(), detail);
}

void kube_errors_forbidden(struct kube_errors *errors,
                           const struct kube_path *path,
                           const char *detail)
{
    kube_errors_add(errors, KUBE_ERROR_FORBIDDEN, path, kube_bad_omitted(), detail);
}

void kube_errors_duplicate(struct kube_errors *errors,
                           const struct kube_path *path,
                           struct kube_bad_value value)
{
    kube_errors_add(errors, KUBE_ERROR_DUPLICATE, path, value, "");
}

void kube_errors_not_found(struct kube_errors *errors,
                           const struct kube_path *path,
                           struct kube_bad_value value)
{
    kube_errors_add(errors, KUBE_ERROR_NOT_FOUND, path, value, "");
}

void kube_errors_not_supported(struct kube_errors *errors,
                               const struct kube_path *path,
                               struct kube_bad_value value,
                               const char *const *supported,
                               size_t n_supported)
{
    struct buf detail;

    buf_init(&detail);
    for (size_t i = 0; i < n_supported; i++) {
        buf_append_str(&detail, i == 0 ? "supported values: " : ", ");
        kube_quote(&detail, view_str(supported[i]));
    }
    buf_append_u8(&detail, '\0');
    if (detail.failed) {
        errors->failed = true;
    } else {
        kube_errors_add(errors, KUBE_ERROR_NOT_SUPPORTED, path, value, (const char *)detail.data);
    }
    buf_fini(&detail);
}

void kube_errors_too_long(struct kube_errors *errors, const struct kube_path *path, int max_bytes)
{
    char detail[64] = "value is too long";

    if (max_bytes >= 0) {
        (void)snprintf(detail, sizeof detail, "may not be more than %d bytes", max_bytes);
    }
    kube_errors_add(errors, KUBE_ERROR_TOO_LONG, path, kube_bad_omitted(), detail);
}

void kube_errors_too_many(struct kube_errors *errors,
                          const struct kube_path *path,
                          int actual,
                          int max)
{
    char detail[64] = "has too many items";

    if (max >= 0) {
        (void)snprintf(detail, sizeof detail, "must have at most %d items", max);
    }
    kube_errors_add(errors, KUBE_ERROR_TOO_MANY, path,
                    actual >= 0 ? kube_bad_int(actual) : kube_bad_omitted(), detail);
}

void kube_errors_names(struct kube_errors *errors,
                       const struct kube_path *path,
                       struct kvs_view value,
                       const struct kube_name_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        kube_errors_invalid(errors, path, kube_bad_string(value), messages->text[i]);
    }
}

int kube_errors_result(const struct kube_errors *errors)
{
    if (errors->failed) {
        return KVS_E_NOMEM;
    }
    return errors->count > 0 ? KVS_E_INVALID : 0;
}

/* ---- printing ---- */

static bool errors_is_repeat(const struct kube_errors *errors, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(errors->items[i].field, errors->items[at].field) == 0 &&
            strcmp(errors->items[i].body, errors->items[at].body) == 0) {
            return true;
        }
    }
    return false;
}

void kube_errors_print(const struct kube_errors *errors, struct buf *out)
{
    size_t start = out->len;
    size_t n = 0;

    for (size_t i = 0; i < errors->count; i++) {
        if (errors_is_repeat(errors, i)) {
            continue;
        }
        buf_append_str(out, n++ == 0 ? "[" : ", ");
        buf_append_str(out, errors->items[i].field);
        buf_append_str(out, ": ");
        buf_append_str(out, errors->items[i].body);
    }
    if (n > 1) {
        buf_append_u8(out, ']');
    } else if (n == 1 && !out->failed) {
        memmove(out->data + start, out->data + start + 1, out->len - start - 1);
        out->len--;
    }
}

void kube_errors_print_invalid(const struct kube_errors *errors,
                               struct kvs_view group,
                               struct kvs_view kind,
                               struct kvs_view name,
                               struct buf *out)
{
    buf_append_view(out, kind);
    if (group.len > 0) {
        buf_append_u8(out, '.');
        buf_append_view(out, group);
    }
    buf_append_u8(out, ' ');
    kube_quote(out, name);
    buf_append_str(out, " is invalid");
    if (errors->count > 0) {
        buf_append_str(out, ": ");
        kube_errors_print(errors, out);
    }
}
