/* The text of schedules: robfig/cron's grammar and messages.
 *
 *   spec  = ["TZ=" zone " "] (minute hour day month weekday | "@" descriptor)
 *   field = range {"," range}
 *   range = ("*" | "?" | value ["-" value]) ["/" step] */
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/cron_int.h"
#include "kube/duration.h"
#include "kube/quote.h"

#define CRON_FIELDS 5
#define CRON_PIECES 3 /* one more than a range may have */

struct cron_bounds {
    unsigned min;
    unsigned max;
    const char *const *names; /* of `min` and on; NULL: none */
};

static const char *const cron_months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const cron_weekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static const struct cron_bounds cron_fields[CRON_FIELDS] = {
    {0, 59, NULL}, {0, 23, NULL}, {1, 31, NULL}, {1, 12, cron_months}, {0, 6, cron_weekdays},
};

/* ---- texts ---- */

static bool cron_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct kvs_view cron_trim(struct kvs_view text)
{
    const char *p = text.data;
    size_t start = 0;

    while (start < text.len && cron_is_blank(p[start])) {
        start++;
    }
    while (text.len > start && cron_is_blank(p[text.len - 1])) {
        text.len--;
    }
    return view_make(p + start, text.len - start);
}

/* Cuts at each `c`; returns the number of pieces, of which the first `max` are given. */
static size_t cron_split(struct kvs_view text, char c, struct kvs_view *pieces, size_t max)
{
    const char *p = text.data;
    size_t start = 0;
    size_t n = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && p[i] != c) {
            continue;
        }
        if (n < max) {
            pieces[n] = view_make(p + start, i - start);
        }
        n++;
        start = i + 1;
    }
    return n;
}

static int cron_refuse(struct buf *why, const char *what, struct kvs_view text)
{
    if (why != NULL) {
        buf_append_str(why, what);
        buf_append_view(why, text);
    }
    return KVS_E_INVALID;
}

/* ---- numbers ---- */

static int cron_refuse_number(struct buf *why, struct kvs_view text, const char *reason)
{
    if (why != NULL) {
        buf_append_str(why, "failed to parse int from ");
        buf_append_view(why, text);
        buf_append_str(why, ": strconv.Atoi: parsing ");
        kube_quote(why, text);
        buf_append_str(why, reason);
    }
    return KVS_E_INVALID;
}

static int cron_number(struct kvs_view text, uint64_t *ret_number, struct buf *why)
{
    const char *p = text.data;
    size_t i = text.len > 0 && p[0] == '+' ? 1 : 0;
    uint64_t value = 0;
    bool fits = true;

    if (i == text.len) {
        return cron_refuse_number(why, text, ": invalid syntax");
    }
    for (; i < text.len; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return cron_refuse_number(why, text, ": invalid syntax");
        }
        fits = fits && value <= (uint64_t)(INT64_MAX - 9) / 10;
        value = fits ? value * 10 + (uint64_t)(p[i] - '0') : 0;
    }
    if (!fits) {
        return cron_refuse_number(why, text, ": value out of range");
    }
    *ret_number = value;
    return 0;
}

static int cron_value(struct kvs_view text,
                      const struct cron_bounds *bounds,
                      uint64_t *ret_value,
                      struct buf *why)
{
    for (unsigned i = 0; bounds->names != NULL && i <= bounds->max - bounds->min; i++) {
        if (text.len == 3 && strncasecmp(text.data, bounds->names[i], 3) == 0) {
            *ret_value = bounds->min + i;
            return 0;
        }
    }
    return cron_number(text, ret_value, why);
}

/* ---- ranges ---- */

struct cron_range {
    uint64_t start;
    uint64_t end;
    uint64_t step;
    bool is_star;
};

static int
cron_refuse_range(struct buf *why, const char *format, uint64_t a, uint64_t b, struct kvs_view text)
{
    if (why != NULL) {
        buf_printf(why, "%s (%llu) ", format, (unsigned long long)a);
        buf_append_str(why, format[0] == 'e' ? "above maximum"
                            : a > b          ? "beyond end of range"
                                             : "below minimum");
        buf_printf(why, " (%llu): ", (unsigned long long)b);
        buf_append_view(why, text);
    }
    return KVS_E_INVALID;
}

static int cron_check_range(const struct cron_range *r,
                            const struct cron_bounds *bounds,
                            struct kvs_view text,
                            struct buf *why)
{
    if (r->start < bounds->min) {
        return cron_refuse_range(why, "beginning of range", r->start, bounds->min, text);
    }
    if (r->end > bounds->max) {
        return cron_refuse_range(why, "end of range", r->end, bounds->max, text);
    }
    if (r->start > r->end) {
        return cron_refuse_range(why, "beginning of range", r->start, r->end, text);
    }
    if (r->step == 0) {
        return cron_refuse(why, "step of range should be a positive number: ", text);
    }
    return 0;
}

static int cron_read_ends(struct kvs_view text,
                          struct kvs_view whole,
                          const struct cron_bounds *bounds,
                          struct cron_range *r,
                          struct buf *why)
{
    struct kvs_view ends[CRON_PIECES];
    size_t n = cron_split(text, '-', ends, CRON_PIECES);
    int err;

    if (view_equal_str(ends[0], "*") || view_equal_str(ends[0], "?")) {
        r->start = bounds->min;
        r->end = bounds->max;
        r->is_star = true;
        return 0;
    }
    err = cron_value(ends[0], bounds, &r->start, why);
    if (err != 0) {
        return err;
    }
    if (n > 2) {
        return cron_refuse(why, "too many hyphens: ", whole);
    }
    r->end = r->start;
    return n == 2 ? cron_value(ends[1], bounds, &r->end, why) : 0;
}

static int cron_parse_range(struct kvs_view text,
                            const struct cron_bounds *bounds,
                            uint64_t *ret_bits,
                            struct buf *why)
{
    struct kvs_view parts[CRON_PIECES];
    size_t n = cron_split(text, '/', parts, CRON_PIECES);
    struct cron_range r = {.step = 1};
    int err = cron_read_ends(parts[0], text, bounds, &r, why);

    if (err == 0 && n > 2) {
        err = cron_refuse(why, "too many slashes: ", text);
    }
    if (err == 0 && n == 2) {
        err = cron_number(parts[1], &r.step, why);
        /* "5/15" runs on to the end. */
        if (parts[0].len == 0 || memchr(parts[0].data, '-', parts[0].len) == NULL) {
            r.end = bounds->max;
        }
        r.is_star = r.is_star && r.step <= 1;
    }
    if (err == 0) {
        err = cron_check_range(&r, bounds, text, why);
    }
    if (err != 0) {
        return err;
    }
    *ret_bits |= r.is_star ? CRON_STAR : 0;
    for (uint64_t i = r.start; i <= r.end; i += r.step) {
        *ret_bits |= UINT64_C(1) << i;
    }
    return 0;
}

static int cron_parse_field(struct kvs_view text,
                            const struct cron_bounds *bounds,
                            uint64_t *ret_bits,
                            struct buf *why)
{
    const char *p = text.data;
    size_t start = 0;
    int err = 0;

    *ret_bits = 0;
    for (size_t i = 0; err == 0 && i <= text.len; i++) {
        if (i == text.len || p[i] == ',') {
            err = i > start
                      ? cron_parse_range(view_make(p + start, i - start), bounds, ret_bits, why)
                      : 0;
            start = i + 1;
        }
    }
    return err;
}

/* ---- the whole ---- */

static int cron_refuse_count(struct kvs_view spec, size_t n, struct buf *why)
{
    const char *p = spec.data;
    bool in_field = false;
    bool any = false;

    if (why == NULL) {
        return KVS_E_INVALID;
    }
    buf_printf(why, "expected exactly %d fields, found %zu: [", CRON_FIELDS, n);
    for (size_t i = 0; i < spec.len; i++) {
        if (cron_is_blank(p[i])) {
            in_field = false;
            continue;
        }
        buf_append_str(why, !in_field && any ? " " : "");
        buf_append_u8(why, (uint8_t)p[i]);
        in_field = true;
        any = true;
    }
    buf_append_u8(why, ']');
    return KVS_E_INVALID;
}

static int cron_parse_fields(struct kvs_view spec, struct kube_cron *cron, struct buf *why)
{
    uint64_t *sets[CRON_FIELDS] = {&cron->minute, &cron->hour, &cron->day, &cron->month,
                                   &cron->weekday};
    struct kvs_view fields[CRON_FIELDS];
    const char *p = spec.data;
    size_t n = 0;
    int err = 0;

    for (size_t i = 0; i < spec.len;) {
        size_t start = i;

        while (i < spec.len && !cron_is_blank(p[i])) {
            i++;
        }
        if (i > start && n < CRON_FIELDS) {
            fields[n] = view_make(p + start, i - start);
        }
        n += i > start;
        i += i == start;
    }
    if (n != CRON_FIELDS) {
        return cron_refuse_count(spec, n, why);
    }
    for (size_t i = 0; err == 0 && i < CRON_FIELDS; i++) {
        err = cron_parse_field(fields[i], &cron_fields[i], sets[i], why);
    }
    return err;
}

static int cron_parse_every(struct kvs_view spec, struct kube_cron *cron, struct buf *why)
{
    size_t skip = strlen("@every ");
    struct kvs_view text = view_make((const char *)spec.data + skip, spec.len - skip);
    size_t before = why != NULL ? why->len : 0;
    int64_t ns;
    int err;

    if (why != NULL) {
        buf_append_str(why, "failed to parse duration ");
        buf_append_view(why, text);
        buf_append_str(why, ": ");
    }
    err = kube_duration_parse(text, &ns, why);
    if (err != 0) {
        return err;
    }
    if (why != NULL) {
        why->len = before;
    }
    cron->every_seconds = ns / 1000000000 > 1 ? ns / 1000000000 : 1;
    return 0;
}

static int cron_parse_descriptor(struct kvs_view spec, struct kube_cron *cron, struct buf *why)
{
    static const struct {
        const char *name;
        const char *fields;
    } descriptors[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
    };

    for (size_t i = 0; i < ARRAY_LEN(descriptors); i++) {
        if (view_equal_str(spec, descriptors[i].name)) {
            return cron_parse_fields(view_str(descriptors[i].fields), cron, why);
        }
    }
    if (spec.len >= 7 && memcmp(spec.data, "@every ", 7) == 0) {
        return cron_parse_every(spec, cron, why);
    }
    return cron_refuse(why, "unrecognized descriptor: ", spec);
}

/* Takes "TZ=zone " off the front. */
static int cron_parse_zone(struct kvs_view *spec, struct kube_cron *cron, struct buf *why)
{
    const char *p = spec->data;
    const char *blank = memchr(p, ' ', spec->len);
    size_t start = spec->len > 3 && memcmp(p, "TZ=", 3) == 0        ? 3
                   : spec->len > 8 && memcmp(p, "CRON_TZ=", 8) == 0 ? 8
                                                                    : 0;
    size_t end = blank != NULL ? (size_t)(blank - p) : spec->len;
    size_t before = why != NULL ? why->len : 0;
    struct kvs_view name = view_make(p + start, end - start);
    int err;

    if (start == 0) {
        return 0;
    }
    if (why != NULL) {
        buf_append_str(why, "provided bad location ");
        buf_append_view(why, name);
        buf_append_str(why, ": ");
    }
    err = kube_zone_open(name, &cron->zone, why);
    if (err != 0) {
        return err;
    }
    if (why != NULL) {
        why->len = before;
    }
    *spec = cron_trim(view_make(p + end, spec->len - end));
    return 0;
}

int kube_cron_parse(struct kvs_view spec, struct kube_cron *ret_cron, struct buf *why)
{
    struct kube_cron cron = {0};
    int err;

    kvs_assert(ret_cron != NULL);
    if (spec.len == 0) {
        return cron_refuse(why, "empty spec string", spec);
    }
    err = cron_parse_zone(&spec, &cron, why);
    if (err == 0) {
        err = spec.len > 0 && *(const char *)spec.data == '@'
                  ? cron_parse_descriptor(spec, &cron, why)
                  : cron_parse_fields(spec, &cron, why);
    }
    if (err != 0) {
        kube_zone_close(cron.zone);
        return err;
    }
    *ret_cron = cron;
    return 0;
}
