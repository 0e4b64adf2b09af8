/* Field selectors: `metadata.name=x,spec.nodeName!=y`. Only = == and != exist; "\", "," and "=" in
 * values are escaped with "\". Which fields a kind has is its registry's business. */
#ifndef KUBE_FIELD_SELECTOR_H
#define KUBE_FIELD_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"

struct kube_field_term {
    struct kvs_view field;
    struct kvs_view value;
    bool is_negated; /* != */
};

struct kube_field_selector {
    struct arena arena;
    struct kube_field_term *items; /* `count` of them, in the order of their texts */
    size_t count;
};

/* The value of `field` of the object at hand; "" if it has none. Borrowed for the call. */
typedef struct kvs_view (*kube_field_fn)(void *ctx, struct kvs_view field);

/* Copies `text`; on success the caller ends `ret_selector` with fini. KVS_E_INVALID with
 * Kubernetes' text appended to `why` (may be NULL), KVS_E_NOMEM. Any thread. */
KVS_MUST_USE int kube_field_selector_parse(struct kvs_view text,
                                           struct kube_field_selector *ret_selector,
                                           struct buf *why);

void kube_field_selector_fini(struct kube_field_selector *s);

/* True if all terms hold. Any number of threads at a time. */
bool kube_field_selector_matches(const struct kube_field_selector *s, kube_field_fn get, void *ctx);

/* True if the field has to be exactly `ret_value`: a list of one object by name, for instance.
 * Borrowed from `s`. */
bool kube_field_selector_exact(const struct kube_field_selector *s,
                               struct kvs_view field,
                               struct kvs_view *ret_value);

/* Appends the canonical text. */
void kube_field_selector_print(const struct kube_field_selector *s, struct buf *out);

#endif
