#include "kube/duration.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/quote.h"

#define DURATION_US     INT64_C(1000)
#define DURATION_MS     (1000 * DURATION_US)
#define DURATION_SECOND (1000 * DURATION_MS)
#define DURATION_MINUTE (60 * DURATION_SECOND)
#define DURATION_HOUR   (60 * DURATION_MINUTE)
#define DURATION_LIMIT  (UINT64_C(1) << 63) /* magnitude of the least int64 */

/* ---- Go's text, parsed ---- */

static const struct duration_unit {
    const char *name;
    int64_t ns;
} duration_units[] = {
    {"ns", 1},
    {"us", DURATION_US},
    {"\xc2\xb5s", DURATION_US}, /* micro sign */
    {"\xce\xbcs", DURATION_US}, /* Greek letter */
    {"ms", DURATION_MS},
    {"s", DURATION_SECOND},
    {"m", DURATION_MINUTE},
    {"h", DURATION_HOUR},
};

static bool duration_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits before the point; false if they exceed what a duration can hold. */
static bool duration_whole(const char **at, const char *end, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (; *at < end && duration_is_digit(**at); (*at)++) {
        if (value > DURATION_LIMIT / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(**at - '0');
        if (value > DURATION_LIMIT) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

/* Digits after the point as a fraction; digits that no longer fit are dropped, as Go does. */
static double duration_part(const char **at, const char *end)
{
    uint64_t value = 0;
    double scale = 1;
    bool full = false;

    for (; *at < end && duration_is_digit(**at); (*at)++) {
        if (!full && value <= (uint64_t)INT64_MAX / 10) {
            value = value * 10 + (uint64_t)(**at - '0');
            scale *= 10;
        } else {
            full = true;
        }
    }
    return (double)value / scale;
}

static const struct duration_unit *duration_unit_find(struct kvs_view name)
{
    for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
        if (view_equal_str(name, duration_units[i].name)) {
            return &duration_units[i];
        }
    }
    return NULL;
}

static int
duration_refuse(struct kvs_view text, const char *what, struct kvs_view unit, struct buf *why)
{
    if (why != NULL) {
        buf_append_str(why, "time: ");
        buf_append_str(why, what);
        if (unit.len > 0) {
            kube_quote(why, unit);
            buf_append_str(why, " in duration ");
        }
        kube_quote(why, text);
    }
    return KVS_E_INVALID;
}

/* One number with its unit, added to *sum. */
static int duration_term(struct kvs_view text, const char **at, uint64_t *sum, struct buf *why)
{
    const char *end = (const char *)text.data + text.len;
    const char *start = *at;
    const struct duration_unit *unit;
    struct kvs_view name;
    uint64_t value;
    uint64_t part;
    double fraction = 0;
    bool has_digits;

    if (!duration_whole(at, end, &value)) {
        return duration_refuse(text, "invalid duration ", view_make(NULL, 0), why);
    }
    has_digits = *at > start;
    if (*at < end && **at == '.') {
        start = ++*at;
        fraction = duration_part(at, end);
        has_digits = has_digits || *at > start;
    }
    if (!has_digits) {
        return duration_refuse(text, "invalid duration ", view_make(NULL, 0), why);
    }
    for (start = *at; *at < end && **at != '.' && !duration_is_digit(**at); (*at)++) {
    }
    name = view_make(start, (size_t)(*at - start));
    unit = duration_unit_find(name);
    if (name.len == 0) {
        return duration_refuse(text, "missing unit in duration ", view_make(NULL, 0), why);
    }
    if (unit == NULL) {
        return duration_refuse(text, "unknown unit ", name, why);
    }
    if (value > DURATION_LIMIT / (uint64_t)unit->ns) {
        return duration_refuse(text, "invalid duration ", view_make(NULL, 0), why);
    }
    part = (uint64_t)(fraction * (double)unit->ns);
    *sum += value * (uint64_t)unit->ns + part;
    if (*sum > DURATION_LIMIT) {
        return duration_refuse(text, "invalid duration ", view_make(NULL, 0), why);
    }
    return 0;
}

int kube_duration_parse(struct kvs_view text, int64_t *ret_ns, struct buf *why)
{
    const char *at = text.len > 0 ? text.data : "";
    const char *end = at + text.len;
    bool negative = at < end && *at == '-';
    uint64_t sum = 0;
    int err = 0;

    kvs_assert(ret_ns != NULL);
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    if (end - at == 1 && *at == '0') {
        *ret_ns = 0;
        return 0;
    }
    if (at == end) {
        return duration_refuse(text, "invalid duration ", view_make(NULL, 0), why);
    }
    while (err == 0 && at < end) {
        err = duration_term(text, &at, &sum, why);
    }
    if (err == 0 && sum == DURATION_LIMIT && !negative) {
        err = duration_refuse(text, "invalid duration ", view_make(NULL, 0), why);
    }
    if (err == 0) {
        *ret_ns = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    }
    return err;
}

/* ---- Go's text, printed ---- */

/* `value` / `unit` with the fraction's trailing zeros dropped. */
static size_t duration_fraction(char *text, size_t size, uint64_t value, uint64_t unit)
{
    size_t n;
    uint64_t rest = value % unit;
    int digits = 0;

    for (uint64_t u = unit; u > 1; u /= 10) {
        digits++;
    }
    while (digits > 0 && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    n = (size_t)snprintf(text, size, "%llu", (unsigned long long)(value / unit));
    if (digits > 0) {
        n += (size_t)snprintf(text + n, size - n, ".%0*llu", digits, (unsigned long long)rest);
    }
    return n;
}

static size_t duration_append(char *text, size_t n, const char *suffix)
{
    size_t len = strlen(suffix);

    kvs_assert(n + len < KUBE_DURATION_TEXT_MAX);
    memcpy(text + n, suffix, len + 1);
    return n + len;
}

size_t kube_duration_print(int64_t ns, char ret_text[KUBE_DURATION_TEXT_MAX])
{
    uint64_t left = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    size_t n = 0;
    size_t size = KUBE_DURATION_TEXT_MAX;

    if (ns == 0) {
        return duration_append(ret_text, 0, "0s");
    }
    if (ns < 0) {
        ret_text[n++] = '-';
    }
    if (left < (uint64_t)DURATION_SECOND) {
        uint64_t unit = left < (uint64_t)DURATION_US ? 1 : DURATION_US;

        unit = left < (uint64_t)DURATION_MS ? unit : (uint64_t)DURATION_MS;
        n += duration_fraction(ret_text + n, size - n, left, unit);
        return duration_append(ret_text, n, unit == 1 ? "ns" : unit == 1000 ? "\xc2\xb5s" : "ms");
    }
    if (left >= (uint64_t)DURATION_HOUR) {
        n += (size_t)snprintf(ret_text + n, size - n, "%lluh",
                              (unsigned long long)(left / DURATION_HOUR));
    }
    if (left >= (uint64_t)DURATION_MINUTE) {
        n += (size_t)snprintf(ret_text + n, size - n, "%dm", (int)(left / DURATION_MINUTE % 60));
    }
    n += duration_fraction(ret_text + n, size - n, left % DURATION_MINUTE, DURATION_SECOND);
    return duration_append(ret_text, n, "s");
}

/* ---- kubectl's ages ---- */

/* `a` with its unit and, unless it is zero, `b` with its own. */
static size_t duration_pair(char *text, int64_t a, char a_unit, int64_t b, char b_unit)
{
    int n = b == 0 ? snprintf(text, KUBE_DURATION_TEXT_MAX, "%lld%c", (long long)a, a_unit)
                   : snprintf(text, KUBE_DURATION_TEXT_MAX, "%lld%c%lld%c", (long long)a, a_unit,
                              (long long)b, b_unit);

    kvs_assert(n > 0 && n < KUBE_DURATION_TEXT_MAX);
    return (size_t)n;
}

/* What both kinds say about the future and about now; 0 if neither applies. */
static size_t duration_recent(int64_t ns, char *text)
{
    int64_t seconds = ns / DURATION_SECOND; /* towards zero */

    if (seconds < -1) {
        return duration_append(text, 0, "<invalid>");
    }
    return seconds < 0 ? duration_append(text, 0, "0s") : 0;
}

size_t kube_duration_human(int64_t ns, char ret_text[KUBE_DURATION_TEXT_MAX])
{
    int64_t seconds = ns / DURATION_SECOND;
    int64_t minutes = seconds / 60;
    int64_t hours = minutes / 60;
    int64_t days = hours / 24;
    size_t n = duration_recent(ns, ret_text);

    if (n > 0) {
        return n;
    }
    if (seconds < 120) {
        return duration_pair(ret_text, seconds, 's', 0, 0);
    }
    if (minutes < 10) {
        return duration_pair(ret_text, minutes, 'm', seconds % 60, 's');
    }
    if (minutes < 180) {
        return duration_pair(ret_text, minutes, 'm', 0, 0);
    }
    if (hours < 8) {
        return duration_pair(ret_text, hours, 'h', minutes % 60, 'm');
    }
    if (hours < 48) {
        return duration_pair(ret_text, hours, 'h', 0, 0);
    }
    if (days < 8) {
        return duration_pair(ret_text, days, 'd', hours % 24, 'h');
    }
    if (days < 365 * 2) {
        return duration_pair(ret_text, days, 'd', 0, 0);
    }
    return duration_pair(ret_text, days / 365, 'y', days < 365 * 8 ? days % 365 : 0, 'd');
}

size_t kube_duration_human_short(int64_t ns, char ret_text[KUBE_DURATION_TEXT_MAX])
{
    int64_t seconds = ns / DURATION_SECOND;
    int64_t hours = seconds / 3600;
    size_t n = duration_recent(ns, ret_text);

    if (n > 0) {
        return n;
    }
    if (seconds < 60) {
        return duration_pair(ret_text, seconds, 's', 0, 0);
    }
    if (seconds < 3600) {
        return duration_pair(ret_text, seconds / 60, 'm', 0, 0);
    }
    if (hours < 24) {
        return duration_pair(ret_text, hours, 'h', 0, 0);
    }
    return hours < 24 * 365 ? duration_pair(ret_text, hours / 24, 'd', 0, 0)
                            : duration_pair(ret_text, hours / 24 / 365, 'y', 0, 0);
}
