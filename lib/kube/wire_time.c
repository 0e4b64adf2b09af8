/* Times as text: metav1.Time (whole seconds) and metav1.MicroTime, RFC 3339 both. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kube/json_int.h"

struct scan {
    const char *at;
    const char *end;
};

static bool scan_number(struct scan *s, int digits, int *ret_value)
{
    int value = 0;

    if (s->end - s->at < digits) {
        return false;
    }
    for (int i = 0; i < digits; i++, s->at++) {
        if (*s->at < '0' || *s->at > '9') {
            return false;
        }
        value = value * 10 + (*s->at - '0');
    }
    *ret_value = value;
    return true;
}

static bool scan_char(struct scan *s, char c)
{
    if (s->at == s->end || *s->at != c) {
        return false;
    }
    s->at++;
    return true;
}

static bool scan_date(struct scan *s, struct tm *tm)
{
    if (!scan_number(s, 4, &tm->tm_year) || !scan_char(s, '-') || !scan_number(s, 2, &tm->tm_mon) ||
        !scan_char(s, '-') || !scan_number(s, 2, &tm->tm_mday) || !scan_char(s, 'T')) {
        return false;
    }
    tm->tm_year -= 1900;
    tm->tm_mon -= 1;
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday > 0;
}

static bool scan_clock(struct scan *s, struct tm *tm)
{
    return scan_number(s, 2, &tm->tm_hour) && scan_char(s, ':') && scan_number(s, 2, &tm->tm_min) &&
           scan_char(s, ':') && scan_number(s, 2, &tm->tm_sec) && tm->tm_hour < 24 &&
           tm->tm_min < 60 && tm->tm_sec < 60;
}

/* Digits after the point, as nanoseconds; beyond nine they are cut off. */
static bool scan_fraction(struct scan *s, bool micro, int32_t *ret_nanos)
{
    int digits = 0;
    int32_t nanos = 0;
    int value;

    *ret_nanos = 0;
    if (!micro && (s->at == s->end || *s->at != '.')) {
        return true;
    }
    if (!scan_char(s, '.')) {
        return false;
    }
    for (; scan_number(s, 1, &value); digits++) {
        nanos = digits < 9 ? nanos * 10 + value : nanos;
    }
    for (int i = digits; i < 9; i++) {
        nanos *= 10;
    }
    *ret_nanos = nanos;
    return micro ? digits == 6 : digits > 0;
}

/* "Z" or "+hh:mm": seconds to take off. */
static bool scan_offset(struct scan *s, int64_t *ret_offset)
{
    int hours;
    int minutes;
    int sign;

    *ret_offset = 0;
    if (scan_char(s, 'Z')) {
        return true;
    }
    sign = scan_char(s, '+') ? 1 : scan_char(s, '-') ? -1 : 0;
    if (sign == 0 || !scan_number(s, 2, &hours) || !scan_char(s, ':') ||
        !scan_number(s, 2, &minutes) || hours > 24 || minutes >= 60) {
        return false;
    }
    *ret_offset = sign * (hours * INT64_C(3600) + minutes * INT64_C(60));
    return true;
}

bool kube_wire_time_parse(struct kvs_view text,
                          bool micro,
                          int64_t *ret_seconds,
                          int32_t *ret_nanos)
{
    struct scan s = {text.data, (const char *)text.data + text.len};
    struct tm tm = {0};
    int64_t offset;
    int32_t nanos;
    int day;
    time_t seconds;

    if (!scan_date(&s, &tm) || !scan_clock(&s, &tm) || !scan_fraction(&s, micro, &nanos) ||
        !scan_offset(&s, &offset) || s.at != s.end) {
        return false;
    }
    day = tm.tm_mday;
    seconds = timegm(&tm);
    if (tm.tm_mday != day) {
        return false; /* the 30th of February */
    }
    *ret_seconds = (int64_t)seconds - offset;
    *ret_nanos = nanos;
    return true;
}

size_t
kube_wire_time_print(char to[KUBE_WIRE_TIME_TEXT_MAX], bool micro, int64_t seconds, int32_t nanos)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    int n;

    if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
        return 0;
    }
    n = snprintf(to, KUBE_WIRE_TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (micro) {
        n += snprintf(to + n, KUBE_WIRE_TIME_TEXT_MAX - (size_t)n, ".%06d",
                      (int)(nanos / 1000) % 1000000);
    }
    to[n++] = 'Z';
    to[n] = '\0';
    return (size_t)n;
}
