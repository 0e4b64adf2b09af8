#include "kube/query.h"

#include <string.h>

#include "base/view.h"

enum { PAIRS_MAX = 64 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int kube_percent_decode(struct arena *arena,
                        struct kvs_view text,
                        bool plus,
                        struct kvs_view *ret_text)
{
    const char *from = text.data;
    char *to = arena_alloc(arena, text.len);
    size_t len = 0;

    if (to == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = from[i];

        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(from[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(from[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return KVS_E_INVALID;
            }
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        to[len++] = c;
    }
    *ret_text = view_make(to, len);
    return 0;
}

/* --- values ----------------------------------------------------------------------------------- */

static bool query_bool(struct kvs_view text)
{
    return text.len == 0 || view_equal_str(text, "true") || view_equal_str(text, "1") ||
           view_equal_str(text, "True") || view_equal_str(text, "TRUE") ||
           view_equal_str(text, "t") || view_equal_str(text, "T");
}

static bool query_number(struct kvs_view text, uint64_t *ret_number)
{
    const char *digits = text.data;
    uint64_t number = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (digits[i] < '0' || digits[i] > '9' || number > (INT64_MAX - 9) / 10) {
            return false;
        }
        number = number * 10 + (uint64_t)(digits[i] - '0');
    }
    *ret_number = number;
    return text.len > 0;
}

/* kubectl says timeout=32s beside timeoutSeconds: whole seconds, minutes and hours are enough. */
static bool query_timeout(struct kvs_view text, uint64_t *ret_s)
{
    char last = text.len == 0 ? '\0' : ((const char *)text.data)[text.len - 1];
    uint64_t unit = last == 's' ? 1 : last == 'm' ? 60 : last == 'h' ? 3600 : 0;

    if (unit == 0 || !query_number(view_make(text.data, text.len - 1), ret_s)) {
        return false;
    }
    *ret_s *= unit;
    return true;
}

static bool query_validation(struct kvs_view text, enum kube_validation *ret_validation)
{
    static const char *const names[] = {"", "Ignore", "Warn", "Strict"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (view_equal_str(text, names[i])) {
            *ret_validation = (enum kube_validation)i;
            return true;
        }
    }
    return false;
}

bool kube_propagation_parse(struct kvs_view text, enum kube_propagation *ret_propagation)
{
    static const char *const names[] = {"", "Orphan", "Background", "Foreground"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (view_equal_str(text, names[i])) {
            *ret_propagation = (enum kube_propagation)i;
            return true;
        }
    }
    return false;
}

/* --- options ---------------------------------------------------------------------------------- */

/* Options that are kept as they are. */
static struct kvs_view *query_text(struct kube_query *q, struct kvs_view name)
{
    const struct {
        const char *name;
        struct kvs_view *to;
    } texts[] = {
        {"labelSelector", &q->label_selector},
        {"fieldSelector", &q->field_selector},
        {"resourceVersion", &q->resource_version},
        {"resourceVersionMatch", &q->resource_version_match},
        {"continue", &q->continue_token},
        {"fieldManager", &q->field_manager},
        {"includeObject", &q->include_object},
        {"pretty", &q->pretty},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (view_equal_str(name, texts[i].name)) {
            return texts[i].to;
        }
    }
    return NULL;
}

static bool *query_flag(struct kube_query *q, struct kvs_view name)
{
    const struct {
        const char *name;
        bool *to;
    } flags[] = {
        {"watch", &q->watch},
        {"allowWatchBookmarks", &q->bookmarks},
        {"sendInitialEvents", &q->send_initial_events},
        {"force", &q->force},
    };

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (view_equal_str(name, flags[i].name)) {
            return flags[i].to;
        }
    }
    return NULL;
}

/* False: the value is not one of the option's. */
static bool query_value(struct kube_query *q, struct kvs_view name, struct kvs_view value)
{
    uint64_t number;

    if (view_equal_str(name, "limit")) {
        return query_number(value, &q->limit);
    }
    if (view_equal_str(name, "timeoutSeconds")) {
        return query_number(value, &q->timeout_s);
    }
    if (view_equal_str(name, "timeout")) {
        return query_timeout(value, &q->timeout_s);
    }
    if (view_equal_str(name, "gracePeriodSeconds")) {
        if (!query_number(value, &number)) {
            return false;
        }
        q->grace_period_s = (int64_t)number;
        return true;
    }
    if (view_equal_str(name, "fieldValidation")) {
        return query_validation(value, &q->validation);
    }
    if (view_equal_str(name, "propagationPolicy")) {
        return kube_propagation_parse(value, &q->propagation);
    }
    if (view_equal_str(name, "dryRun")) {
        q->dry_run = view_equal_str(value, "All");
        return q->dry_run;
    }
    return true;
}

static bool query_option(struct kube_query *q, struct kvs_view name, struct kvs_view value)
{
    struct kvs_view *text = query_text(q, name);
    bool *flag = query_flag(q, name);

    if (text != NULL) {
        *text = value;
        return true;
    }
    if (flag != NULL) {
        *flag = query_bool(value);
        return true;
    }
    return query_value(q, name, value);
}

static int query_pair(struct arena *arena,
                      struct kvs_view pair,
                      struct kube_query *q,
                      struct kube_status *status)
{
    const char *equals = pair.len == 0 ? NULL : memchr(pair.data, '=', pair.len);
    size_t name_len = equals == NULL ? pair.len : (size_t)(equals - (const char *)pair.data);
    struct kvs_view name;
    struct kvs_view value = {NULL, 0};
    int err = kube_percent_decode(arena, view_make(pair.data, name_len), true, &name);

    if (err == 0 && equals != NULL) {
        err = kube_percent_decode(arena, view_make(equals + 1, pair.len - name_len - 1), true,
                                  &value);
    }
    if (err == KVS_E_INVALID) {
        kube_status_bad_request(status, "invalid URL escape in query");
        return err;
    }
    if (err == 0 && !query_option(q, name, value)) {
        kube_status_bad_request(status, "invalid value for option \"%.*s\": \"%.*s\"",
                                (int)name.len, (const char *)name.data, (int)value.len,
                                (const char *)value.data);
        return KVS_E_INVALID;
    }
    return err;
}

int kube_query_parse(struct arena *arena,
                     struct kvs_view query,
                     struct kube_query *ret_query,
                     struct kube_status *status)
{
    const char *from = query.len == 0 ? "" : query.data;
    const char *end = from + query.len;

    *ret_query = (struct kube_query){.grace_period_s = -1};
    for (unsigned n = 0; from < end; n++) {
        const char *ampersand = memchr(from, '&', (size_t)(end - from));
        size_t len = (size_t)((ampersand == NULL ? end : ampersand) - from);
        int err;

        if (n == PAIRS_MAX) {
            kube_status_bad_request(status, "too many options in the query");
            return KVS_E_INVALID;
        }
        err = query_pair(arena, view_make(from, len), ret_query, status);
        if (err != 0) {
            return err;
        }
        from += len + 1;
    }
    return 0;
}
