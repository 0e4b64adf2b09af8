/* The query form of label selectors: apimachinery's grammar with its error texts, which clients
 * see. One token of lookahead is enough:
 *
 *   selector    = requirement {"," requirement} | nothing
 *   requirement = ["!"] key [operator (value | set)]
 *   set         = "(" [value] {"," [value]} ")" */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/label_selector_int.h"
#include "kube/names.h"
#include "kube/quote.h"

enum label_token {
    LABEL_TOKEN_END,
    LABEL_TOKEN_WORD,
    LABEL_TOKEN_IN, /* the words "in" and "notin" are keys and values as well */
    LABEL_TOKEN_NOTIN,
    LABEL_TOKEN_OPEN,
    LABEL_TOKEN_CLOSE,
    LABEL_TOKEN_COMMA,
    LABEL_TOKEN_NOT,
    LABEL_TOKEN_EQUALS,
    LABEL_TOKEN_DOUBLE_EQUALS,
    LABEL_TOKEN_NOT_EQUALS,
    LABEL_TOKEN_GREATER,
    LABEL_TOKEN_LESS,
};

struct label_parse {
    const char *at;
    const char *end;
    enum label_token token; /* the next one, not yet consumed */
    struct kvs_view literal;
    struct kube_label_selector *selector;
    struct kvs_view *values; /* of the requirement at hand, in the arena */
    size_t n_values;
    size_t values_max;
    struct buf *why; /* may be NULL */
};

/* ---- tokens ---- */

static bool label_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool label_is_special(char c)
{
    return c != '\0' && strchr("=!(),><", c) != NULL;
}

static const struct {
    const char *text; /* the longer first */
    enum label_token token;
} label_symbols[] = {
    {"==", LABEL_TOKEN_DOUBLE_EQUALS}, {"!=", LABEL_TOKEN_NOT_EQUALS},
    {"=", LABEL_TOKEN_EQUALS},         {"!", LABEL_TOKEN_NOT},
    {"(", LABEL_TOKEN_OPEN},           {")", LABEL_TOKEN_CLOSE},
    {",", LABEL_TOKEN_COMMA},          {">", LABEL_TOKEN_GREATER},
    {"<", LABEL_TOKEN_LESS},
};

static void label_scan_symbol(struct label_parse *p)
{
    for (size_t i = 0; i < ARRAY_LEN(label_symbols); i++) {
        size_t len = strlen(label_symbols[i].text);

        if ((size_t)(p->end - p->at) >= len && memcmp(p->at, label_symbols[i].text, len) == 0) {
            p->token = label_symbols[i].token;
            p->literal = view_make(p->at, len);
            p->at += len;
            return;
        }
    }
    kvs_assert(false); /* Each special character is a symbol. */
}

static void label_scan_word(struct label_parse *p)
{
    const char *start = p->at;

    while (p->at < p->end && !label_is_blank(*p->at) && !label_is_special(*p->at)) {
        p->at++;
    }
    p->literal = view_make(start, (size_t)(p->at - start));
    p->token = view_equal_str(p->literal, "in")      ? LABEL_TOKEN_IN
               : view_equal_str(p->literal, "notin") ? LABEL_TOKEN_NOTIN
                                                     : LABEL_TOKEN_WORD;
}

static void label_advance(struct label_parse *p)
{
    while (p->at < p->end && label_is_blank(*p->at)) {
        p->at++;
    }
    if (p->at == p->end) {
        p->token = LABEL_TOKEN_END;
        p->literal = view_make("", 0);
    } else if (label_is_special(*p->at)) {
        label_scan_symbol(p);
    } else {
        label_scan_word(p);
    }
}

static bool label_next_is_word(const struct label_parse *p)
{
    return p->token == LABEL_TOKEN_WORD || p->token == LABEL_TOKEN_IN ||
           p->token == LABEL_TOKEN_NOTIN;
}

/* "found 'x'" and what was expected instead. */
static int label_refuse(struct label_parse *p, const char *expected)
{
    if (p->why != NULL) {
        buf_append_str(p->why, "found '");
        buf_append_view(p->why, p->literal);
        buf_append_str(p->why, "'");
        buf_append_str(p->why, expected);
    }
    return KVS_E_INVALID;
}

/* ---- values ---- */

static int label_value_add(struct label_parse *p, struct kvs_view value)
{
    if (p->n_values == p->values_max) {
        size_t max = p->values_max > 0 ? p->values_max * 2 : 4;
        struct kvs_view *values = arena_calloc(&p->selector->arena, max, sizeof *values);

        if (values == NULL) {
            return KVS_E_NOMEM;
        }
        if (p->n_values > 0) {
            memcpy(values, p->values, p->n_values * sizeof *values);
        }
        p->values = values;
        p->values_max = max;
    }
    p->values[p->n_values++] = value;
    return 0;
}

/* What stands in parentheses is a set. */
static void label_values_unique(struct label_parse *p)
{
    size_t n = 0;

    if (p->n_values < 2) {
        return;
    }
    qsort(p->values, p->n_values, sizeof *p->values, label_selector_compare_views);
    for (size_t i = 0; i < p->n_values; i++) {
        if (n == 0 || !view_equal(p->values[n - 1], p->values[i])) {
            p->values[n++] = p->values[i];
        }
    }
    p->n_values = n;
}

/* After "(": words and commas up to, not including, ")". A missing word is an empty value. */
static int label_parse_list(struct label_parse *p)
{
    struct kvs_view empty = view_make("", 0);
    int err = 0;

    while (err == 0) {
        if (label_next_is_word(p)) {
            err = label_value_add(p, p->literal);
            label_advance(p);
            if (p->token == LABEL_TOKEN_CLOSE) {
                return err;
            }
            if (p->token != LABEL_TOKEN_COMMA) {
                return err != 0 ? err : label_refuse(p, ", expected: ',' or ')'");
            }
            continue;
        }
        if (p->token != LABEL_TOKEN_COMMA) {
            return label_refuse(p, ", expected: ',', or identifier");
        }
        label_advance(p);
        if (p->n_values == 0) {
            err = label_value_add(p, empty);
        }
        if (p->token == LABEL_TOKEN_CLOSE) {
            return err != 0 ? err : label_value_add(p, empty);
        }
        if (err == 0 && p->token == LABEL_TOKEN_COMMA) {
            label_advance(p);
            err = label_value_add(p, empty);
        }
    }
    return err;
}

static int label_parse_set(struct label_parse *p)
{
    int err;

    if (p->token != LABEL_TOKEN_OPEN) {
        return label_refuse(p, " expected: '('");
    }
    label_advance(p);
    if (p->token == LABEL_TOKEN_CLOSE) {
        label_advance(p);
        return label_value_add(p, view_make("", 0));
    }
    if (!label_next_is_word(p) && p->token != LABEL_TOKEN_COMMA) {
        return label_refuse(p, ", expected: ',', ')' or identifier");
    }
    err = label_parse_list(p);
    if (err == 0) {
        label_advance(p); /* over ")" */
        label_values_unique(p);
    }
    return err;
}

static int label_parse_exact(struct label_parse *p)
{
    struct kvs_view value = p->literal;

    if (p->token == LABEL_TOKEN_END || p->token == LABEL_TOKEN_COMMA) {
        return label_value_add(p, view_make("", 0));
    }
    if (!label_next_is_word(p)) {
        return label_refuse(p, ", expected: identifier");
    }
    label_advance(p);
    return label_value_add(p, value);
}

/* ---- requirements ---- */

static int label_parse_key(struct label_parse *p, struct kvs_view *ret_key)
{
    struct kube_name_messages messages;

    if (!label_next_is_word(p)) {
        return label_refuse(p, ", expected: identifier");
    }
    if (!kube_name_qualified(p->literal, &messages)) {
        if (p->why != NULL) {
            buf_append_str(p->why, "<nil>: Invalid value: ");
            kube_quote(p->why, p->literal);
            for (size_t i = 0; i < messages.count; i++) {
                buf_append_str(p->why, i > 0 ? "; " : ": ");
                buf_append_str(p->why, messages.text[i]);
            }
        }
        return KVS_E_INVALID;
    }
    *ret_key = p->literal;
    label_advance(p);
    return 0;
}

static int label_parse_op(struct label_parse *p, enum kube_label_op *ret_op)
{
    static const enum kube_label_op ops[] = {
        [LABEL_TOKEN_IN] = KUBE_LABEL_IN,
        [LABEL_TOKEN_NOTIN] = KUBE_LABEL_NOT_IN,
        [LABEL_TOKEN_EQUALS] = KUBE_LABEL_EQUALS,
        [LABEL_TOKEN_DOUBLE_EQUALS] = KUBE_LABEL_DOUBLE_EQUALS,
        [LABEL_TOKEN_NOT_EQUALS] = KUBE_LABEL_NOT_EQUALS,
        [LABEL_TOKEN_GREATER] = KUBE_LABEL_GREATER,
        [LABEL_TOKEN_LESS] = KUBE_LABEL_LESS,
    };

    if (p->token != LABEL_TOKEN_IN && p->token != LABEL_TOKEN_NOTIN &&
        p->token < LABEL_TOKEN_EQUALS) {
        return label_refuse(p, ", expected: in, notin, =, ==, !=, gt, lt");
    }
    *ret_op = ops[p->token];
    label_advance(p);
    return 0;
}

static int label_parse_requirement(struct label_parse *p)
{
    enum kube_label_op op = KUBE_LABEL_EXISTS;
    struct kvs_view key;
    bool negated = p->token == LABEL_TOKEN_NOT;
    int err;

    p->values = NULL;
    p->n_values = 0;
    p->values_max = 0;
    if (negated) {
        op = KUBE_LABEL_DOES_NOT_EXIST;
        label_advance(p);
    }
    err = label_parse_key(p, &key);
    if (err == 0 && !negated && p->token != LABEL_TOKEN_END && p->token != LABEL_TOKEN_COMMA) {
        err = label_parse_op(p, &op);
        if (err == 0) {
            err = op == KUBE_LABEL_IN || op == KUBE_LABEL_NOT_IN ? label_parse_set(p)
                                                                 : label_parse_exact(p);
        }
    }
    if (err != 0) {
        return err;
    }
    return label_selector_add(p->selector, key, op, p->values, p->n_values, p->why);
}

/* The words before the reason go in first, and out again if there is none. */
static int label_parse_one(struct label_parse *p)
{
    size_t before = p->why != NULL ? p->why->len : 0;
    int err;

    if (p->why != NULL) {
        buf_append_str(p->why, "unable to parse requirement: ");
    }
    err = label_parse_requirement(p);
    if (err != KVS_E_INVALID && p->why != NULL) {
        p->why->len = before;
    }
    return err;
}

static int label_parse_all(struct label_parse *p)
{
    label_advance(p);
    if (p->token == LABEL_TOKEN_END) {
        return 0;
    }
    if (!label_next_is_word(p) && p->token != LABEL_TOKEN_NOT) {
        return label_refuse(p, ", expected: !, identifier, or 'end of string'");
    }
    for (;;) {
        int err = label_parse_one(p);

        if (err != 0 || p->token == LABEL_TOKEN_END) {
            return err;
        }
        if (p->token != LABEL_TOKEN_COMMA) {
            return label_refuse(p, ", expected: ',' or 'end of string'");
        }
        label_advance(p);
        if (!label_next_is_word(p) && p->token != LABEL_TOKEN_NOT) {
            return label_refuse(p, ", expected: identifier after ','");
        }
    }
}

int kube_label_selector_parse(struct kvs_view text,
                              struct kube_label_selector *ret_selector,
                              struct buf *why)
{
    struct kube_label_selector s = {0};
    struct label_parse p = {.selector = &s, .why = why};
    struct kvs_view copy;
    const char *nul;
    int err;

    kvs_assert(ret_selector != NULL);
    arena_init(&s.arena, 0);
    err = arena_copy(&s.arena, text, &copy);
    if (err == 0) {
        nul = copy.len > 0 ? memchr(copy.data, '\0', copy.len) : NULL;
        p.at = copy.len > 0 ? copy.data : "";
        p.end = nul != NULL ? nul : p.at + copy.len; /* As Kubernetes' scanner does. */
        err = label_parse_all(&p);
    }
    if (err != 0) {
        arena_fini(&s.arena);
        return err;
    }
    label_selector_seal(&s);
    *ret_selector = s;
    return 0;
}
