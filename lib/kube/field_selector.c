#include "kube/field_selector.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"

struct field_parse {
    struct kvs_view text;
    struct kube_field_selector *selector;
    struct buf *why; /* may be NULL */
};

static int field_compare_views(const void *a, const void *b)
{
    return view_compare(*(const struct kvs_view *)a, *(const struct kvs_view *)b);
}

/* ---- escapes ---- */

static bool field_is_escaped(char c)
{
    return c == '\\' || c == ',' || c == '=';
}

static int field_refuse_escape(struct field_parse *p, const char *sequence, size_t len)
{
    if (p->why != NULL) {
        buf_append_str(p->why, "invalid field selector: invalid escape sequence: ");
        buf_append(p->why, sequence, len);
    }
    return KVS_E_INVALID;
}

/* Length of the UTF-8 character that follows a backslash, for the message. */
static size_t field_character_len(const char *at, size_t len)
{
    size_t n = 1;

    while (n < len && ((unsigned char)at[n] & 0xc0) == 0x80) {
        n++;
    }
    return n;
}

static int field_unescape(struct field_parse *p, struct kvs_view value, struct kvs_view *ret_value)
{
    const char *from = value.data;
    char *to = arena_alloc(&p->selector->arena, value.len);
    size_t n = 0;

    if (to == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (from[i] == '\\') {
            if (i + 1 == value.len) {
                return field_refuse_escape(p, "\\", 1);
            }
            if (!field_is_escaped(from[i + 1])) {
                size_t len = field_character_len(from + i + 1, value.len - i - 1);

                return field_refuse_escape(p, from + i, len + 1);
            }
            i++;
        } else if (field_is_escaped(from[i])) {
            if (p->why != NULL) {
                buf_printf(p->why, "invalid field selector: unescaped character in value: %d",
                           from[i]); /* Go prints the number. */
            }
            return KVS_E_INVALID;
        }
        to[n++] = from[i];
    }
    *ret_value = view_make(to, n);
    return 0;
}

/* ---- terms ---- */

/* Cuts `text` at commas that are not escaped; with `parts` NULL it only counts. */
static size_t field_split(struct kvs_view text, struct kvs_view *parts)
{
    const char *p = text.data;
    size_t start = 0;
    size_t n = 0;
    bool escaped = false;

    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || (p[i] == ',' && !escaped)) {
            if (parts != NULL) {
                parts[n] = view_make(p + start, i - start);
            }
            n++;
            start = i + 1;
        } else {
            escaped = !escaped && p[i] == '\\';
        }
    }
    return n;
}

/* Splits at the first operator. */
static bool field_split_term(struct kvs_view part, struct kube_field_term *ret_term)
{
    const char *p = part.data;

    for (size_t i = 0; i < part.len; i++) {
        bool doubled = i + 1 < part.len && p[i + 1] == '=';
        size_t len = p[i] == '=' ? 1 + (size_t)doubled : p[i] == '!' && doubled ? 2 : 0;

        if (len > 0) {
            ret_term->field = view_make(p, i);
            ret_term->value = view_make(p + i + len, part.len - i - len);
            ret_term->is_negated = p[i] == '!';
            return true;
        }
    }
    return false;
}

static int field_parse_term(struct field_parse *p, struct kvs_view part)
{
    struct kube_field_term term;
    int err;

    if (!field_split_term(part, &term)) {
        if (p->why != NULL) {
            buf_append_str(p->why, "invalid selector: '");
            buf_append_view(p->why, p->text);
            buf_append_str(p->why, "'; can't understand '");
            buf_append_view(p->why, part);
            buf_append_str(p->why, "'");
        }
        return KVS_E_INVALID;
    }
    err = field_unescape(p, term.value, &term.value);
    /* "=" alone says nothing, and Kubernetes drops it. */
    if (err == 0 && (term.field.len > 0 || term.value.len > 0)) {
        p->selector->items[p->selector->count++] = term;
    }
    return err;
}

static int field_parse_all(struct field_parse *p)
{
    size_t n_parts = p->text.len > 0 ? field_split(p->text, NULL) : 0;
    struct kvs_view *parts = arena_calloc(&p->selector->arena, n_parts, sizeof *parts);
    int err = 0;

    p->selector->items = arena_calloc(&p->selector->arena, n_parts, sizeof *p->selector->items);
    if (parts == NULL || p->selector->items == NULL) {
        return KVS_E_NOMEM;
    }
    if (n_parts > 0) {
        (void)field_split(p->text, parts); /* The count is known. */
        qsort(parts, n_parts, sizeof *parts, field_compare_views);
    }
    for (size_t i = 0; err == 0 && i < n_parts; i++) {
        err = parts[i].len > 0 ? field_parse_term(p, parts[i]) : 0;
    }
    return err;
}

int kube_field_selector_parse(struct kvs_view text,
                              struct kube_field_selector *ret_selector,
                              struct buf *why)
{
    struct kube_field_selector s = {0};
    struct field_parse p = {.selector = &s, .why = why};
    int err;

    kvs_assert(ret_selector != NULL);
    arena_init(&s.arena, 0);
    err = arena_copy(&s.arena, text, &p.text);
    if (err == 0) {
        err = field_parse_all(&p);
    }
    if (err != 0) {
        arena_fini(&s.arena);
        return err;
    }
    *ret_selector = s;
    return 0;
}

void kube_field_selector_fini(struct kube_field_selector *s)
{
    arena_fini(&s->arena);
    memset(s, 0, sizeof *s);
}

/* ---- use ---- */

bool kube_field_selector_matches(const struct kube_field_selector *s, kube_field_fn get, void *ctx)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct kube_field_term *term = &s->items[i];

        if (view_equal(get(ctx, term->field), term->value) == term->is_negated) {
            return false;
        }
    }
    return true;
}

bool kube_field_selector_exact(const struct kube_field_selector *s,
                               struct kvs_view field,
                               struct kvs_view *ret_value)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!s->items[i].is_negated && view_equal(s->items[i].field, field)) {
            *ret_value = s->items[i].value;
            return true;
        }
    }
    return false;
}

void kube_field_selector_print(const struct kube_field_selector *s, struct buf *out)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct kube_field_term *term = &s->items[i];
        const char *value = term->value.data;

        buf_append_str(out, i > 0 ? "," : "");
        buf_append_view(out, term->field);
        buf_append_str(out, term->is_negated ? "!=" : "=");
        for (size_t n = 0; n < term->value.len; n++) {
            buf_append_str(out, field_is_escaped(value[n]) ? "\\" : "");
            buf_append_u8(out, (uint8_t)value[n]);
        }
    }
}
