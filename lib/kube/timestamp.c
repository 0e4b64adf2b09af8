#include "kube/timestamp.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/quote.h"

#define TIMESTAMP_LAYOUT       "2006-01-02T15:04:05Z07:00"
#define TIMESTAMP_LAYOUT_MICRO "2006-01-02T15:04:05.000000Z07:00"

/* A text being parsed, element by element of Go's layout. */
struct timestamp_scan {
    struct kvs_view text;
    const char *at;
    const char *end;
    const char *layout;
    const char *failed_as;    /* element that did not match; the text from `at` did not */
    const char *out_of_range; /* element that was too large */
};

static bool timestamp_digit(const struct timestamp_scan *s, size_t ahead)
{
    return (size_t)(s->end - s->at) > ahead && s->at[ahead] >= '0' && s->at[ahead] <= '9';
}

static bool timestamp_literal(struct timestamp_scan *s, char c, const char *name)
{
    if (s->failed_as != NULL || s->at == s->end || *s->at != c) {
        s->failed_as = s->failed_as == NULL ? name : s->failed_as;
        return false;
    }
    s->at++;
    return true;
}

/* From `least` to `most` digits, the number within its range. */
static int timestamp_number(struct timestamp_scan *s, size_t least, size_t most, const char *name)
{
    size_t n = 0;
    int value = 0;

    if (s->failed_as != NULL || s->out_of_range != NULL) {
        return 0;
    }
    while (n < most && timestamp_digit(s, n)) {
        value = value * 10 + (s->at[n++] - '0');
    }
    if (n < least) {
        s->failed_as = name;
        return 0;
    }
    s->at += n;
    return value;
}

static void timestamp_range(struct timestamp_scan *s, bool fits, const char *name)
{
    if (!fits && s->failed_as == NULL && s->out_of_range == NULL) {
        s->out_of_range = name;
    }
}

/* Digits after a point, the tenth and later ones dropped. */
static int32_t timestamp_fraction(struct timestamp_scan *s, bool micro)
{
    int32_t nanos = 0;
    size_t n = 0;

    if (s->failed_as != NULL || s->out_of_range != NULL) {
        return 0;
    }
    if (micro) {
        for (n = 1; n <= 6 && timestamp_digit(s, n); n++) {
        }
        if (s->at == s->end || (*s->at != '.' && *s->at != ',') || n != 7 ||
            timestamp_digit(s, 7)) {
            s->failed_as = ".000000";
            return 0;
        }
        n = 0;
    } else if (s->at == s->end || (*s->at != '.' && *s->at != ',') || !timestamp_digit(s, 1)) {
        return 0;
    }
    for (s->at++; timestamp_digit(s, 0); s->at++, n++) {
        nanos = n < 9 ? nanos * 10 + (*s->at - '0') : nanos;
    }
    for (; n < 9; n++) {
        nanos *= 10;
    }
    return nanos;
}

/* "Z" or a sign, hours and minutes; in seconds east of Greenwich. */
static int timestamp_offset(struct timestamp_scan *s)
{
    const char *name = "Z07:00";
    const char *before = s->at;
    int hours;
    int minutes;
    int sign;

    if (s->failed_as != NULL || s->out_of_range != NULL) {
        return 0;
    }
    if (s->at < s->end && *s->at == 'Z') {
        s->at++;
        return 0;
    }
    if (s->at == s->end || (*s->at != '+' && *s->at != '-')) {
        s->failed_as = name;
        return 0;
    }
    sign = *s->at++ == '-' ? -1 : 1;
    hours = timestamp_number(s, 2, 2, name);
    (void)timestamp_literal(s, ':', name); /* Remembered in the scan. */
    minutes = timestamp_number(s, 2, 2, name);
    if (s->failed_as != NULL) {
        s->at = before;
    }
    timestamp_range(s, hours <= 24, "time zone offset hour");
    timestamp_range(s, minutes <= 60, "time zone offset minute");
    return sign * (hours * 3600 + minutes * 60);
}

static int timestamp_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) {
        return 29;
    }
    return month >= 1 && month <= 12 ? days[month - 1] : 0;
}

static void timestamp_scan_all(struct timestamp_scan *s, bool micro, struct kube_time *ret_time)
{
    struct tm tm = {0};
    int year = timestamp_number(s, 4, 4, "2006");
    int offset;

    (void)timestamp_literal(s, '-', "-"); /* Each failure is remembered in the scan. */
    tm.tm_mon = timestamp_number(s, 2, 2, "01");
    timestamp_range(s, tm.tm_mon >= 1 && tm.tm_mon <= 12, "month");
    (void)timestamp_literal(s, '-', "-");
    tm.tm_mday = timestamp_number(s, 2, 2, "02");
    (void)timestamp_literal(s, 'T', "T");
    tm.tm_hour = timestamp_number(s, 1, 2, "15");
    timestamp_range(s, tm.tm_hour < 24, "hour");
    (void)timestamp_literal(s, ':', ":");
    tm.tm_min = timestamp_number(s, 2, 2, "04");
    timestamp_range(s, tm.tm_min < 60, "minute");
    (void)timestamp_literal(s, ':', ":");
    tm.tm_sec = timestamp_number(s, 2, 2, "05");
    timestamp_range(s, tm.tm_sec < 60, "second");
    ret_time->nanos = timestamp_fraction(s, micro);
    offset = timestamp_offset(s);
    if (s->failed_as == NULL && s->out_of_range == NULL && s->at == s->end) {
        timestamp_range(s, tm.tm_mday >= 1 && tm.tm_mday <= timestamp_days(year, tm.tm_mon), "day");
    }
    tm.tm_year = year - 1900;
    tm.tm_mon -= 1;
    ret_time->seconds = timegm(&tm) - offset;
}

static void timestamp_explain(const struct timestamp_scan *s, struct buf *why)
{
    struct kvs_view rest = view_make(s->at, (size_t)(s->end - s->at));

    if (why == NULL) {
        return;
    }
    buf_append_str(why, "parsing time ");
    kube_quote(why, s->text);
    if (s->out_of_range != NULL) {
        buf_printf(why, ": %s out of range", s->out_of_range);
    } else if (s->failed_as != NULL) {
        buf_printf(why, " as \"%s\": cannot parse ", s->layout);
        kube_quote(why, rest);
        buf_printf(why, " as \"%s\"", s->failed_as);
    } else {
        buf_append_str(why, ": extra text: ");
        kube_quote(why, rest);
    }
}

static int
timestamp_parse(struct kvs_view text, bool micro, struct kube_time *ret_time, struct buf *why)
{
    const char *at = text.len > 0 ? text.data : "";
    struct timestamp_scan s = {.text = text,
                               .at = at,
                               .end = at + text.len,
                               .layout = micro ? TIMESTAMP_LAYOUT_MICRO : TIMESTAMP_LAYOUT};
    struct kube_time t = {0};

    kvs_assert(ret_time != NULL);
    timestamp_scan_all(&s, micro, &t);
    if (s.failed_as != NULL || s.out_of_range != NULL || s.at != s.end) {
        timestamp_explain(&s, why);
        return KVS_E_INVALID;
    }
    *ret_time = t;
    return 0;
}

int kube_time_parse(struct kvs_view text, struct kube_time *ret_time, struct buf *why)
{
    return timestamp_parse(text, false, ret_time, why);
}

int kube_time_parse_micro(struct kvs_view text, struct kube_time *ret_time, struct buf *why)
{
    return timestamp_parse(text, true, ret_time, why);
}

/* Years beyond what libc's calendar holds do not come out of the parser. */
static size_t timestamp_date(int64_t seconds, char text[KUBE_TIME_TEXT_MAX])
{
    time_t at = (time_t)seconds;
    struct tm tm;
    int n;

    if (gmtime_r(&at, &tm) == NULL) {
        memset(&tm, 0, sizeof tm);
        tm.tm_mday = 1;
    }
    n = snprintf(text, KUBE_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    kvs_assert(n > 0 && n + 10 < KUBE_TIME_TEXT_MAX);
    return (size_t)n;
}

size_t kube_time_print(struct kube_time t, char ret_text[KUBE_TIME_TEXT_MAX])
{
    size_t n = timestamp_date(t.seconds, ret_text);

    memcpy(ret_text + n, "Z", 2);
    return n + 1;
}

size_t kube_time_print_micro(struct kube_time t, char ret_text[KUBE_TIME_TEXT_MAX])
{
    size_t n = timestamp_date(t.seconds, ret_text);
    unsigned micros = (unsigned)(t.nanos / 1000) % 1000000;

    kvs_assert(t.nanos >= 0);
    (void)snprintf(ret_text + n, KUBE_TIME_TEXT_MAX - n, ".%06uZ", micros); /* Room was checked. */
    return n + 8;
}
