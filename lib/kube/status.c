#include "kube/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/view.h"
#include "kube/json.h"

void kube_status_init(struct kube_status *s)
{
    *s = (struct kube_status){0};
    buf_init(&s->message);
    arena_init(&s->arena, 0);
}

void kube_status_fini(struct kube_status *s)
{
    buf_fini(&s->message);
    arena_fini(&s->arena);
}

static void status_set(struct kube_status *s, unsigned code, const char *reason)
{
    struct buf message = s->message;
    struct arena arena = s->arena;

    buf_clear(&message);
    arena_reset(&arena);
    *s = (struct kube_status){.code = code, .reason = reason, .message = message, .arena = arena};
}

/* vsnprintf twice: messages are short, and errors are rare. */
static void status_vprintf(struct kube_status *s, const char *format, va_list args)
{
    va_list again;
    int len;
    uint8_t *to;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    to = len < 0 ? NULL : buf_reserve(&s->message, (size_t)len + 1);
    if (to != NULL) {
        (void)vsnprintf((char *)to, (size_t)len + 1, format, args);
        s->message.len += (size_t)len;
    }
}

void kube_resource_write_qualified(const struct kube_resource *r, struct buf *to)
{
    buf_append_str(to, r->plural);
    if (r->group[0] != '\0') {
        buf_printf(to, ".%s", r->group);
    }
}

/* details and the beginning of the message: deployments.apps "web" */
static void status_about(struct kube_status *s, const struct kube_resource *r, struct kvs_view name)
{
    s->has_details = true;
    s->name = name;
    s->group = r->group;
    s->kind = r->plural;
    kube_resource_write_qualified(r, &s->message);
    buf_append_str(&s->message, " \"");
    buf_append_view(&s->message, name);
    buf_append_str(&s->message, "\"");
}

void kube_status_bad_request(struct kube_status *s, const char *format, ...)
{
    va_list args;

    status_set(s, 400, "BadRequest");
    va_start(args, format);
    status_vprintf(s, format, args);
    va_end(args);
}

void kube_status_unauthorized(struct kube_status *s)
{
    status_set(s, 401, "Unauthorized");
    buf_append_str(&s->message, "Unauthorized");
}

void kube_status_forbidden(struct kube_status *s,
                           const struct kube_resource *r,
                           struct kvs_view name,
                           const char *format,
                           ...)
{
    va_list args;

    status_set(s, 403, "Forbidden");
    if (r != NULL && name.len > 0) {
        status_about(s, r, name);
    } else if (r != NULL) {
        s->has_details = true;
        s->group = r->group;
        s->kind = r->plural;
        kube_resource_write_qualified(r, &s->message);
    } else {
        s->has_details = true;
        buf_append_str(&s->message, "forbidden");
    }
    buf_append_str(&s->message, r == NULL ? ": " : " is forbidden: ");
    va_start(args, format);
    status_vprintf(s, format, args);
    va_end(args);
}

void kube_status_no_path(struct kube_status *s)
{
    status_set(s, 404, "NotFound");
    s->has_details = true;
    buf_append_str(&s->message, "the server could not find the requested resource");
}

void kube_status_not_found(struct kube_status *s,
                           const struct kube_resource *r,
                           struct kvs_view name)
{
    status_set(s, 404, "NotFound");
    status_about(s, r, name);
    buf_append_str(&s->message, " not found");
}

void kube_status_no_method(struct kube_status *s, const struct kube_resource *r, const char *verb)
{
    status_set(s, 405, "MethodNotAllowed");
    s->has_details = true;
    if (r == NULL) {
        buf_append_str(&s->message,
                       "the server does not allow this method on the requested resource");
        return;
    }
    s->group = r->group;
    s->kind = r->plural;
    buf_printf(&s->message, "%s is not supported on resources of kind \"", verb);
    kube_resource_write_qualified(r, &s->message);
    buf_append_str(&s->message, "\"");
}

void kube_status_not_acceptable(struct kube_status *s, const char *accepted)
{
    status_set(s, 406, "NotAcceptable");
    buf_printf(&s->message, "only the following media types are accepted: %s", accepted);
}

void kube_status_already_exists(struct kube_status *s,
                                const struct kube_resource *r,
                                struct kvs_view name)
{
    status_set(s, 409, "AlreadyExists");
    status_about(s, r, name);
    buf_append_str(&s->message, " already exists");
}

void kube_status_conflict(struct kube_status *s,
                          const struct kube_resource *r,
                          struct kvs_view name,
                          const char *format,
                          ...)
{
    va_list args;

    status_set(s, 409, "Conflict");
    buf_append_str(&s->message, "Operation cannot be fulfilled on ");
    status_about(s, r, name);
    buf_append_str(&s->message, ": ");
    va_start(args, format);
    status_vprintf(s, format, args);
    va_end(args);
}

void kube_status_modified(struct kube_status *s,
                          const struct kube_resource *r,
                          struct kvs_view name)
{
    kube_status_conflict(s, r, name,
                         "the object has been modified; please apply your changes to the latest "
                         "version and try again");
}

void kube_status_expired(struct kube_status *s, const char *format, ...)
{
    va_list args;

    status_set(s, 410, "Expired");
    va_start(args, format);
    status_vprintf(s, format, args);
    va_end(args);
}

void kube_status_too_large(struct kube_status *s, size_t limit_bytes)
{
    status_set(s, 413, "RequestEntityTooLarge");
    buf_printf(&s->message, "Request entity too large: limit is %zu", limit_bytes);
}

void kube_status_unsupported_media(struct kube_status *s, const char *accepted)
{
    status_set(s, 415, "UnsupportedMediaType");
    buf_printf(
        &s->message,
        "the body of the request was in an unknown format - accepted media types include: %s",
        accepted);
}

/* Field, reason and text of each error. Out of memory: the message is there, causes are missing. */
static void status_add_causes(struct kube_status *s, const struct kube_errors *errors)
{
    s->causes = arena_calloc(&s->arena, errors->count, sizeof *s->causes);
    for (size_t i = 0; s->causes != NULL && i < errors->count; i++) {
        const struct kube_error *e = &errors->items[i];
        const char *message = arena_strndup(&s->arena, e->body, strlen(e->body));
        const char *field = arena_strndup(&s->arena, e->field, strlen(e->field));

        if (message == NULL || field == NULL) {
            return;
        }
        s->causes[s->n_causes++] =
            (struct kube_cause){kube_error_reason(e->type), view_str(message), view_str(field)};
    }
}

void kube_status_invalid(struct kube_status *s,
                         const struct kube_resource *r,
                         struct kvs_view name,
                         const struct kube_errors *errors)
{
    status_set(s, 422, "Invalid");
    s->has_details = true;
    s->name = name;
    s->group = r->group;
    s->kind = r->kind;
    kube_errors_print_invalid(errors, view_str(r->group), view_str(r->kind), name, &s->message);
    status_add_causes(s, errors);
}

void kube_status_unprocessable(struct kube_status *s)
{
    status_set(s, 422, "Invalid");
    s->has_details = true;
    buf_append_str(&s->message, "the server rejected our request due to an error in our request");
}

void kube_status_internal(struct kube_status *s, const char *format, ...)
{
    va_list args;

    status_set(s, 500, "InternalError");
    buf_append_str(&s->message, "Internal error occurred: ");
    va_start(args, format);
    status_vprintf(s, format, args);
    va_end(args);
}

void kube_status_apply_conflict(struct kube_status *s,
                                struct kvs_view text,
                                const struct kube_cause *causes,
                                size_t n)
{
    status_set(s, 409, "Conflict");
    s->has_details = true;
    buf_append_view(&s->message, text);
    s->causes = arena_calloc(&s->arena, n, sizeof *s->causes);
    for (size_t i = 0; s->causes != NULL && i < n; i++) {
        struct kube_cause *to = &s->causes[s->n_causes];

        to->reason = causes[i].reason;
        if (arena_copy(&s->arena, causes[i].message, &to->message) != 0 ||
            arena_copy(&s->arena, causes[i].field, &to->field) != 0) {
            return;
        }
        s->n_causes++;
    }
}

void kube_status_plain(struct kube_status *s, unsigned code, struct kvs_view text)
{
    status_set(s, code, "");
    buf_append_view(&s->message, text);
}

void kube_status_store(struct kube_status *s, int err)
{
    switch (err) {
    case KVS_E_TIMEOUT:
    case KVS_E_DEADLINE_EXCEEDED:
    case KVS_E_UNAVAILABLE:
    case KVS_E_NO_LEADER:
        status_set(s, 504, "Timeout");
        buf_printf(&s->message, "Timeout: request did not complete within requested timeout - %s",
                   kvs_strerror(err));
        s->has_details = true;
        return;
    case KVS_E_TOO_MANY_REQUESTS:
        status_set(s, 429, "TooManyRequests");
        buf_append_str(&s->message, "The store is busy, please try again later");
        s->has_details = true;
        s->retry_after_s = 1;
        return;
    case KVS_E_REQUEST_TOO_LARGE:
    case KVS_E_TOO_LONG:
        status_set(s, 413, "RequestEntityTooLarge");
        buf_printf(&s->message, "Request entity too large: %s", kvs_strerror(err));
        return;
    default:
        kube_status_internal(s, "%s", kvs_strerror(err));
    }
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void status_quote(struct buf *to, struct kvs_view text)
{
    yyjson_mut_val value = {0};

    (void)yyjson_mut_set_strn(&value, text.len == 0 ? "" : text.data, text.len);
    if (kube_json_write(to, &value) != 0) {
        buf_append_str(to, "\"\"");
    }
}

static void status_member(struct buf *to, bool *first, const char *name, struct kvs_view text)
{
    if (text.len == 0) {
        return;
    }
    buf_printf(to, "%s\"%s\":", *first ? "" : ",", name);
    status_quote(to, text);
    *first = false;
}

static void status_write_causes(const struct kube_status *s, struct buf *to, bool first)
{
    buf_append_str(to, first ? "\"causes\":[" : ",\"causes\":[");
    for (size_t i = 0; i < s->n_causes; i++) {
        bool none = true;

        buf_append_str(to, i == 0 ? "{" : ",{");
        status_member(to, &none, "reason", view_str(s->causes[i].reason));
        status_member(to, &none, "message", s->causes[i].message);
        status_member(to, &none, "field", s->causes[i].field);
        buf_append_str(to, "}");
    }
    buf_append_str(to, "]");
}

static void status_write_details(const struct kube_status *s, struct buf *to)
{
    bool first = true;

    buf_append_str(to, ",\"details\":{");
    status_member(to, &first, "name", s->name);
    status_member(to, &first, "group", view_str(s->group == NULL ? "" : s->group));
    status_member(to, &first, "kind", view_str(s->kind == NULL ? "" : s->kind));
    status_member(to, &first, "uid", s->uid);
    if (s->n_causes > 0) {
        status_write_causes(s, to, first);
        first = false;
    }
    if (s->retry_after_s > 0) {
        buf_printf(to, "%s\"retryAfterSeconds\":%u", first ? "" : ",", s->retry_after_s);
    }
    buf_append_str(to, "}");
}

void kube_status_write(const struct kube_status *s, struct buf *to)
{
    buf_append_str(to, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                       "\"status\":\"Failure\",\"message\":");
    status_quote(to, buf_view(&s->message));
    if (s->reason[0] != '\0') {
        buf_printf(to, ",\"reason\":\"%s\"", s->reason);
    }
    if (s->has_details) {
        status_write_details(s, to);
    }
    buf_printf(to, ",\"code\":%u}", s->code);
}

void kube_status_write_deleted(const struct kube_resource *r,
                               struct kvs_view name,
                               struct kvs_view uid,
                               struct buf *to)
{
    struct kube_status s = {.name = name, .group = r->group, .kind = r->plural, .uid = uid};

    buf_append_str(to, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
                       "\"status\":\"Success\"");
    status_write_details(&s, to);
    buf_append_str(to, "}");
}
