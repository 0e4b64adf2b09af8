/* resource.Quantity: amounts such as 250m, 1536Mi or 12e6, exact and never floating point.
 *
 * Kubernetes keeps nothing finer than a billionth (the parser rounds away from zero), so a 128-bit
 * count of billionths holds every amount exactly up to 10^28. Beyond that amounts stick to the
 * limit; Kubernetes' own notes promise no more than 2^63-1. */
#ifndef KUBE_QUANTITY_H
#define KUBE_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "kvstore/types.h"

/* The kind of suffix that an amount was written with, and that it is printed with. */
enum kube_quantity_format {
    KUBE_QUANTITY_DECIMAL_SI,       /* 12M */
    KUBE_QUANTITY_BINARY_SI,        /* 12Mi */
    KUBE_QUANTITY_DECIMAL_EXPONENT, /* 12e6 */
    KUBE_QUANTITY_FORMAT_COUNT,
};

struct kube_quantity {
    __int128 nano; /* count of 10^-9 */
    enum kube_quantity_format format;
};

/* Longest canonical text with its NUL. */
#define KUBE_QUANTITY_TEXT_MAX 48

/* Why an amount could not be parsed, in Kubernetes' words. */
#define KUBE_QUANTITY_BAD_FORMAT                                                                   \
    "quantities must match the regular expression "                                                \
    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
#define KUBE_QUANTITY_BAD_NUMBER "unable to parse numeric part of quantity"
#define KUBE_QUANTITY_BAD_SUFFIX "unable to parse quantity's suffix"

/* Parses `text` as Kubernetes does. KVS_E_INVALID with `ret_why` (may be NULL) one of the texts
 * above, static. Borrows `text` for the call. Any thread, as all of this file. */
KVS_MUST_USE int
kube_quantity_parse(struct kvs_view text, struct kube_quantity *ret_quantity, const char **ret_why);

/* The canonical text: largest suffix without a fraction (1000m is "1", 1.5Gi "1536Mi"). Returns its
 * length without the NUL. */
size_t kube_quantity_print(const struct kube_quantity *q, char ret_text[KUBE_QUANTITY_TEXT_MAX]);

/* What an API server stores for an amount that a client wrote as `text`: canonical, but a text
 * that it takes for canonical stays as it is ("1.500", "+1", "1E3"), for which `ret_same` is true
 * and nothing is written. KVS_E_INVALID as for parse. */
KVS_MUST_USE int kube_quantity_normalize(struct kvs_view text,
                                         char ret_text[KUBE_QUANTITY_TEXT_MAX],
                                         bool *ret_same,
                                         const char **ret_why);

/* `value` * 10^`scale`; scale from -9 to 18. */
struct kube_quantity kube_quantity_make(int64_t value, int scale, enum kube_quantity_format format);

static inline bool kube_quantity_is_zero(const struct kube_quantity *q)
{
    return q->nano == 0;
}

/* Less than, equal to or greater than 0, as a is to b; the format does not matter. */
int kube_quantity_compare(const struct kube_quantity *a, const struct kube_quantity *b);

/* Adds or subtracts in place. An amount of zero takes the format of `other`. */
void kube_quantity_add(struct kube_quantity *q, const struct kube_quantity *other);
void kube_quantity_sub(struct kube_quantity *q, const struct kube_quantity *other);

/* In units of 10^`scale` (0: value, -3: milli value), rounded away from zero; what does not fit
 * is INT64_MAX or INT64_MIN. */
int64_t kube_quantity_scaled(const struct kube_quantity *q, int scale);

static inline int64_t kube_quantity_value(const struct kube_quantity *q)
{
    return kube_quantity_scaled(q, 0);
}

static inline int64_t kube_quantity_milli(const struct kube_quantity *q)
{
    return kube_quantity_scaled(q, -3);
}

/* Nearest floating point number, for metrics. */
double kube_quantity_float(const struct kube_quantity *q);

#endif
