#include "kube/quantity.h"

#include <string.h>

#include "base/assert.h"
#include "base/view.h"

#define QUANTITY_NANO    (-9)       /* finest power of ten that is kept */
#define QUANTITY_EXP_MAX 28         /* 10^28 is the limit of amounts */
#define QUANTITY_UNIT    1000000000 /* billionths in one */
#define QUANTITY_DIGITS  18         /* what Kubernetes' quick parser takes */
#define QUANTITY_EXP_FAR 100        /* exponents beyond it make no difference */

static __int128 quantity_pow10(int exponent)
{
    __int128 power = 1;

    kvs_assert(exponent >= 0 && exponent <= QUANTITY_EXP_MAX - QUANTITY_NANO);
    while (exponent-- > 0) {
        power *= 10;
    }
    return power;
}

static __int128 quantity_limit(void)
{
    return quantity_pow10(QUANTITY_EXP_MAX - QUANTITY_NANO);
}

static __int128 quantity_clamp(__int128 nano)
{
    __int128 limit = quantity_limit();

    return nano > limit ? limit : nano < -limit ? -limit : nano;
}

/* ---- suffixes ---- */

static const struct quantity_suffix {
    const char *text;
    int exponent; /* of 10, or of 2 */
    enum kube_quantity_format format;
} quantity_suffixes[] = {
    {"", 0, KUBE_QUANTITY_DECIMAL_SI},   {"n", -9, KUBE_QUANTITY_DECIMAL_SI},
    {"u", -6, KUBE_QUANTITY_DECIMAL_SI}, {"m", -3, KUBE_QUANTITY_DECIMAL_SI},
    {"k", 3, KUBE_QUANTITY_DECIMAL_SI},  {"M", 6, KUBE_QUANTITY_DECIMAL_SI},
    {"G", 9, KUBE_QUANTITY_DECIMAL_SI},  {"T", 12, KUBE_QUANTITY_DECIMAL_SI},
    {"P", 15, KUBE_QUANTITY_DECIMAL_SI}, {"E", 18, KUBE_QUANTITY_DECIMAL_SI},
    {"Ki", 10, KUBE_QUANTITY_BINARY_SI}, {"Mi", 20, KUBE_QUANTITY_BINARY_SI},
    {"Gi", 30, KUBE_QUANTITY_BINARY_SI}, {"Ti", 40, KUBE_QUANTITY_BINARY_SI},
    {"Pi", 50, KUBE_QUANTITY_BINARY_SI}, {"Ei", 60, KUBE_QUANTITY_BINARY_SI},
};

static const char *quantity_suffix_text(enum kube_quantity_format format, int exponent)
{
    if (exponent == 0) {
        return "";
    }
    for (size_t i = 0; i < ARRAY_LEN(quantity_suffixes); i++) {
        if (quantity_suffixes[i].format == format && quantity_suffixes[i].exponent == exponent) {
            return quantity_suffixes[i].text;
        }
    }
    kvs_assert(false); /* Callers bring the exponent into range. */
    return "";
}

static bool quantity_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number after e or E: a sign and digits, at least one. Large ones end at EXP_FAR. */
static bool quantity_exponent(struct kvs_view text, int *ret_exponent)
{
    const char *p = text.data;
    size_t i = text.len > 0 && (p[0] == '-' || p[0] == '+') ? 1 : 0;
    int exponent = 0;

    if (i == text.len) {
        return false;
    }
    for (; i < text.len; i++) {
        if (!quantity_is_digit(p[i])) {
            return false;
        }
        exponent = exponent * 10 + (p[i] - '0');
        exponent = exponent > QUANTITY_EXP_FAR ? QUANTITY_EXP_FAR : exponent;
    }
    *ret_exponent = p[0] == '-' ? -exponent : exponent;
    return true;
}

static bool quantity_suffix_parse(struct kvs_view text, struct quantity_suffix *ret_suffix)
{
    const char *p = text.data;

    for (size_t i = 0; i < ARRAY_LEN(quantity_suffixes); i++) {
        if (view_equal_str(text, quantity_suffixes[i].text)) {
            *ret_suffix = quantity_suffixes[i];
            return true;
        }
    }
    if (text.len < 2 || (p[0] != 'e' && p[0] != 'E')) {
        return false;
    }
    ret_suffix->text = NULL;
    ret_suffix->format = KUBE_QUANTITY_DECIMAL_EXPONENT;
    return quantity_exponent(view_make(p + 1, text.len - 1), &ret_suffix->exponent);
}

/* ---- parsing ---- */

/* The pieces of a text, found by position as Kubernetes' scanner does. */
struct quantity_parts {
    bool negative;
    struct kvs_view whole;    /* digits without leading zeros */
    struct kvs_view fraction; /* digits after the point */
    struct kvs_view suffix;
};

static size_t quantity_digits(const char *p, size_t at, size_t len)
{
    while (at < len && quantity_is_digit(p[at])) {
        at++;
    }
    return at;
}

static bool quantity_split(struct kvs_view text, struct quantity_parts *ret_parts)
{
    const char *p = text.data;
    size_t at = 0;
    size_t start;

    memset(ret_parts, 0, sizeof *ret_parts);
    if (text.len == 0) {
        return false;
    }
    if (p[0] == '-' || p[0] == '+') {
        ret_parts->negative = p[0] == '-';
        at = 1;
    }
    while (at < text.len && p[at] == '0') {
        at++;
    }
    start = at;
    at = quantity_digits(p, at, text.len);
    ret_parts->whole = view_make(p + start, at - start);
    if (at < text.len && p[at] == '.') {
        start = ++at;
        at = quantity_digits(p, at, text.len);
        ret_parts->fraction = view_make(p + start, at - start);
    }
    start = at;
    while (at < text.len && p[at] != '\0' && strchr("eEinumkKMGTP", p[at]) != NULL) {
        at++;
    }
    if (at < text.len && (p[at] == '-' || p[at] == '+')) {
        at++;
    }
    at = quantity_digits(p, at, text.len);
    ret_parts->suffix = view_make(p + start, text.len - start);
    return at == text.len;
}

/* A decimal number under construction: what lies below a billionth only raises `inexact`. */
struct quantity_sum {
    __int128 nano;
    bool inexact;
};

/* Adds `digits`, the last of which counts 10^`exponent`. */
static void quantity_sum_digits(struct quantity_sum *sum, struct kvs_view digits, long exponent)
{
    const char *p = digits.data;

    for (size_t i = 0; i < digits.len; i++) {
        long at = (long)(digits.len - 1 - i) + exponent;

        if (p[i] == '0') {
            continue;
        }
        if (at < QUANTITY_NANO) {
            sum->inexact = true;
        } else if (at >= QUANTITY_EXP_MAX) {
            sum->nano = quantity_limit();
        } else {
            sum->nano += (p[i] - '0') * quantity_pow10((int)at - QUANTITY_NANO);
        }
        sum->nano = quantity_clamp(sum->nano);
    }
}

/* The number times 2^shift. What lies below a billionth in the text may become visible by it, so
 * the fraction is multiplied before it is cut. */
static void
quantity_sum_binary(struct quantity_sum *sum, const struct quantity_parts *parts, int shift)
{
    const char *p = parts->fraction.data;
    __int128 remainder = 0;
    __int128 scale = (__int128)1 << shift;
    __int128 nano = 0;

    quantity_sum_digits(sum, parts->whole, 0);
    sum->nano = sum->nano > quantity_limit() / scale ? quantity_limit() : sum->nano * scale;
    /* Horner's rule from the last digit: x = (digit * scale + x) / 10, with nine more places. */
    for (size_t i = parts->fraction.len; i-- > 0;) {
        __int128 value = ((p[i] - '0') * scale * (__int128)QUANTITY_UNIT) + nano;

        remainder |= value % 10;
        nano = value / 10;
    }
    sum->inexact = sum->inexact || remainder != 0;
    sum->nano = quantity_clamp(sum->nano + nano);
}

/* True if Kubernetes keeps the text of this amount: its quick parser was used and takes it for
 * canonical (apimachinery's ParseQuantity). */
static bool quantity_is_kept(const struct quantity_parts *parts,
                             const struct quantity_suffix *suffix)
{
    size_t whole_len = parts->whole.len > 0 ? parts->whole.len : 1; /* "0" stands for nothing */
    long n_fraction = (long)parts->fraction.len;
    long n_digits = (long)whole_len + n_fraction;
    const char *last = n_fraction > 0 ? parts->fraction.data : parts->whole.data;
    size_t n_last = n_fraction > 0 ? parts->fraction.len : parts->whole.len;
    long scale = suffix->exponent - n_fraction;

    if (suffix->format == KUBE_QUANTITY_BINARY_SI) {
        unsigned value = 0; /* modulo 8: three digits decide */

        if (n_fraction > 0 || 15 - (long)whole_len - suffix->exponent * 3 / 10 - 1 < 0) {
            return false;
        }
        for (size_t i = 0; i < n_last; i++) {
            value = (value * 10 + (unsigned)(last[i] - '0')) & 7;
        }
        return value != 0;
    }
    if (n_digits > QUANTITY_DIGITS || scale < QUANTITY_NANO || scale % 3 != 0) {
        return false;
    }
    if (parts->whole.len == 0) {
        return false; /* shifted[0] is '0' */
    }
    if (n_fraction > 0 && n_fraction < 3) {
        /* The last three digits may straddle the point. */
        char joined[3] = {0};
        size_t n_whole = 3 - (size_t)n_fraction;

        if (parts->whole.len < n_whole) {
            return true;
        }
        memcpy(joined, (const char *)parts->whole.data + parts->whole.len - n_whole, n_whole);
        memcpy(joined + n_whole, parts->fraction.data, (size_t)n_fraction);
        return memcmp(joined, "000", 3) != 0;
    }
    return n_last < 3 || memcmp(last + n_last - 3, "000", 3) != 0;
}

static int quantity_fail(const char **ret_why, const char *why)
{
    if (ret_why != NULL) {
        *ret_why = why;
    }
    return KVS_E_INVALID;
}

static int quantity_read(struct kvs_view text,
                         struct quantity_parts *ret_parts,
                         struct quantity_suffix *ret_suffix,
                         const char **ret_why)
{
    if (!quantity_split(text, ret_parts)) {
        return quantity_fail(ret_why, KUBE_QUANTITY_BAD_FORMAT);
    }
    if (!quantity_suffix_parse(ret_parts->suffix, ret_suffix)) {
        return quantity_fail(ret_why, KUBE_QUANTITY_BAD_SUFFIX);
    }
    return 0;
}

static struct kube_quantity quantity_compute(const struct quantity_parts *parts,
                                             const struct quantity_suffix *suffix)
{
    struct quantity_sum sum = {0};
    struct kube_quantity q = {.format = suffix->format};
    int exponent = suffix->exponent;

    if (suffix->format == KUBE_QUANTITY_BINARY_SI) {
        __int128 max = (__int128)INT64_MAX * QUANTITY_UNIT;

        quantity_sum_binary(&sum, parts, exponent);
        sum.nano = sum.nano > max ? max : sum.nano; /* Kubernetes caps this format only. */
    } else {
        quantity_sum_digits(&sum, parts->whole, exponent);
        quantity_sum_digits(&sum, parts->fraction, exponent - (long)parts->fraction.len);
    }
    q.nano = quantity_clamp(sum.nano + (sum.inexact ? 1 : 0));
    if (q.format == KUBE_QUANTITY_BINARY_SI && q.nano > 0 && q.nano < QUANTITY_UNIT) {
        q.format = KUBE_QUANTITY_DECIMAL_SI;
    }
    q.nano = parts->negative ? -q.nano : q.nano;
    return q;
}

int kube_quantity_parse(struct kvs_view text,
                        struct kube_quantity *ret_quantity,
                        const char **ret_why)
{
    struct quantity_parts parts;
    struct quantity_suffix suffix;
    int err = quantity_read(text, &parts, &suffix, ret_why);

    kvs_assert(ret_quantity != NULL);
    if (err == 0) {
        *ret_quantity = quantity_compute(&parts, &suffix);
    }
    return err;
}

int kube_quantity_normalize(struct kvs_view text,
                            char ret_text[KUBE_QUANTITY_TEXT_MAX],
                            bool *ret_same,
                            const char **ret_why)
{
    struct quantity_parts parts;
    struct quantity_suffix suffix;
    struct kube_quantity q;
    size_t len;
    int err = quantity_read(text, &parts, &suffix, ret_why);

    if (err != 0) {
        return err;
    }
    *ret_same = view_equal_str(text, "0") || quantity_is_kept(&parts, &suffix);
    if (!*ret_same) {
        q = quantity_compute(&parts, &suffix);
        len = kube_quantity_print(&q, ret_text);
        *ret_same = view_equal(text, view_make(ret_text, len));
    }
    return 0;
}

/* ---- printing ---- */

static size_t quantity_write(char text[KUBE_QUANTITY_TEXT_MAX], __int128 number, const char *suffix)
{
    char digits[40];
    size_t n = 0;
    size_t len = 0;
    bool negative = number < 0;
    unsigned __int128 left = negative ? -(unsigned __int128)number : (unsigned __int128)number;

    do {
        digits[n++] = (char)('0' + (int)(left % 10));
        left /= 10;
    } while (left > 0);
    kvs_assert(n + strlen(suffix) + 2 <= KUBE_QUANTITY_TEXT_MAX);
    if (negative) {
        text[len++] = '-';
    }
    while (n > 0) {
        text[len++] = digits[--n];
    }
    memcpy(text + len, suffix, strlen(suffix) + 1);
    return len + strlen(suffix);
}

static size_t quantity_print_binary(__int128 whole, char text[KUBE_QUANTITY_TEXT_MAX])
{
    int exponent = 0;

    while (exponent < 60 && whole % 1024 == 0) {
        whole /= 1024;
        exponent += 10;
    }
    return quantity_write(text, whole, quantity_suffix_text(KUBE_QUANTITY_BINARY_SI, exponent));
}

static size_t quantity_print_decimal(__int128 nano,
                                     enum kube_quantity_format format,
                                     char text[KUBE_QUANTITY_TEXT_MAX])
{
    int max = format == KUBE_QUANTITY_DECIMAL_SI ? 18 : QUANTITY_EXP_MAX + 1;
    int exponent = QUANTITY_NANO;
    char suffix[8] = "";

    while (exponent + 3 <= max && nano % 1000 == 0) {
        nano /= 1000;
        exponent += 3;
    }
    if (format == KUBE_QUANTITY_DECIMAL_SI) {
        return quantity_write(text, nano, quantity_suffix_text(format, exponent));
    }
    if (exponent != 0) {
        int size = exponent < 0 ? -exponent : exponent;
        size_t n = 0;

        suffix[n++] = 'e';
        if (exponent < 0) {
            suffix[n++] = '-';
        }
        if (size >= 10) {
            suffix[n++] = (char)('0' + size / 10);
        }
        suffix[n] = (char)('0' + size % 10);
    }
    return quantity_write(text, nano, suffix);
}

size_t kube_quantity_print(const struct kube_quantity *q, char ret_text[KUBE_QUANTITY_TEXT_MAX])
{
    __int128 small = (__int128)1024 * QUANTITY_UNIT;

    kvs_assert(q->format < KUBE_QUANTITY_FORMAT_COUNT);
    if (q->nano == 0) {
        return quantity_write(ret_text, 0, "");
    }
    if (q->format != KUBE_QUANTITY_BINARY_SI) {
        return quantity_print_decimal(q->nano, q->format, ret_text);
    }
    /* Small or broken amounts would lose precision. */
    if ((q->nano > -small && q->nano < small) || q->nano % QUANTITY_UNIT != 0) {
        return quantity_print_decimal(q->nano, KUBE_QUANTITY_DECIMAL_SI, ret_text);
    }
    return quantity_print_binary(q->nano / QUANTITY_UNIT, ret_text);
}

/* ---- arithmetic ---- */

struct kube_quantity kube_quantity_make(int64_t value, int scale, enum kube_quantity_format format)
{
    struct kube_quantity q = {.format = format};

    kvs_assert(scale >= QUANTITY_NANO && scale <= 18 && format < KUBE_QUANTITY_FORMAT_COUNT);
    if (scale > QUANTITY_EXP_MAX - 19) {
        /* 2^63 * 10^18 billionths do not fit into 128 bits. */
        __int128 power = quantity_pow10(scale - QUANTITY_NANO);
        __int128 most = quantity_limit() / power;

        q.nano = value > most    ? quantity_limit()
                 : value < -most ? -quantity_limit()
                                 : value * power;
        return q;
    }
    q.nano = quantity_clamp(value * quantity_pow10(scale - QUANTITY_NANO));
    return q;
}

int kube_quantity_compare(const struct kube_quantity *a, const struct kube_quantity *b)
{
    return a->nano < b->nano ? -1 : a->nano > b->nano;
}

void kube_quantity_add(struct kube_quantity *q, const struct kube_quantity *other)
{
    if (q->nano == 0) {
        q->format = other->format;
    }
    q->nano = quantity_clamp(q->nano + other->nano); /* Limits leave room for one addition. */
}

void kube_quantity_sub(struct kube_quantity *q, const struct kube_quantity *other)
{
    if (q->nano == 0) {
        q->format = other->format;
    }
    q->nano = quantity_clamp(q->nano - other->nano);
}

int64_t kube_quantity_scaled(const struct kube_quantity *q, int scale)
{
    __int128 unit = quantity_pow10(scale - QUANTITY_NANO);
    __int128 value = q->nano / unit;
    __int128 rest = q->nano % unit;

    value += rest > 0 ? 1 : rest < 0 ? -1 : 0;
    return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

double kube_quantity_float(const struct kube_quantity *q)
{
    return (double)q->nano / QUANTITY_UNIT;
}
