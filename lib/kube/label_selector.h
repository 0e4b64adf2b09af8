/* Label selectors: parsed from a query (`a=b,c in (x,y),!d`) or read from a metav1.LabelSelector,
 * then matched against many objects. Requirements are sorted by key, their values sorted, so that
 * a match is a look-up for each requirement and allocates nothing. */
#ifndef KUBE_LABEL_SELECTOR_H
#define KUBE_LABEL_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "kube/field_error.h"

enum kube_label_op {
    KUBE_LABEL_EQUALS,
    KUBE_LABEL_DOUBLE_EQUALS,
    KUBE_LABEL_NOT_EQUALS,
    KUBE_LABEL_IN,
    KUBE_LABEL_NOT_IN,
    KUBE_LABEL_EXISTS,
    KUBE_LABEL_DOES_NOT_EXIST,
    KUBE_LABEL_GREATER,
    KUBE_LABEL_LESS,
    KUBE_LABEL_OP_COUNT,
};

struct kube_label_requirement {
    struct kvs_view key;
    enum kube_label_op op;
    struct kvs_view *values; /* sorted bytewise; none for exists and does-not-exist */
    size_t n_values;
    int64_t number; /* of greater and less */
    size_t order;   /* as written: keeps requirements on one key in order */
};

struct kube_label_selector {
    struct arena arena; /* of all below */
    struct kube_label_requirement *items;
    size_t count;
    size_t capacity;
    bool nothing; /* matches no object; without requirements and not this: matches all */
};

/* One label of an object that keeps them decoded. */
struct kube_label {
    struct kvs_view key;
    struct kvs_view value;
};

/* Parses a query. Copies `text`; on success the caller ends `ret_selector` with fini. KVS_E_INVALID
 * with Kubernetes' text appended to `why` (may be NULL), KVS_E_NOMEM. Any thread. */
KVS_MUST_USE int kube_label_selector_parse(struct kvs_view text,
                                           struct kube_label_selector *ret_selector,
                                           struct buf *why);

/* Reads a metav1.LabelSelector: what is no object selects nothing, an empty one everything. Copies;
 * otherwise as parse. */
KVS_MUST_USE int kube_label_selector_read(yyjson_mut_val *object,
                                          struct kube_label_selector *ret_selector,
                                          struct buf *why);

void kube_label_selector_fini(struct kube_label_selector *s);

/* True if it selects every object. */
static inline bool kube_label_selector_is_everything(const struct kube_label_selector *s)
{
    return !s->nothing && s->count == 0;
}

/* True if the labels match. `labels` is metadata.labels of an object, or NULL if it has none. Any
 * number of threads at a time. */
bool kube_label_selector_matches(const struct kube_label_selector *s, yyjson_mut_val *labels);

/* The same over decoded labels, in any order. */
bool kube_label_selector_matches_labels(const struct kube_label_selector *s,
                                        const struct kube_label *labels,
                                        size_t n_labels);

/* The requirements on `key`, for an index: returns the first and sets `ret_count`; NULL if none.
 * Borrowed from `s`. */
const struct kube_label_requirement *kube_label_selector_find(const struct kube_label_selector *s,
                                                              struct kvs_view key,
                                                              size_t *ret_count);

/* True if an object has to have exactly `ret_value` under `key`. Borrowed from `s`. */
bool kube_label_selector_exact(const struct kube_label_selector *s,
                               struct kvs_view key,
                               struct kvs_view *ret_value);

/* Appends the canonical text: `a=b,c in (x,y),!d`. */
void kube_label_selector_print(const struct kube_label_selector *s, struct buf *out);

/* Validates a metav1.LabelSelector that stands at `path`. With `any_values` label values are not
 * looked at (an update of an object that already has bad ones). NULL is valid. */
void kube_label_selector_validate(yyjson_mut_val *object,
                                  bool any_values,
                                  const struct kube_path *path,
                                  struct kube_errors *errors);

#endif
