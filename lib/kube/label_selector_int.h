/* What the parser and the reader of label selectors share. */
#ifndef KUBE_LABEL_SELECTOR_INT_H
#define KUBE_LABEL_SELECTOR_INT_H

#include "kube/label_selector.h"

/* Validates one requirement and appends it; `values` (borrowed from the arena) are sorted in place.
 * KVS_E_INVALID with Kubernetes' text appended to `why`, KVS_E_NOMEM. */
KVS_MUST_USE int label_selector_add(struct kube_label_selector *s,
                                    struct kvs_view key,
                                    enum kube_label_op op,
                                    struct kvs_view *values,
                                    size_t n_values,
                                    struct buf *why);

/* Sorts the requirements by key: the last step of making a selector. */
void label_selector_seal(struct kube_label_selector *s);

/* Order of two views, for qsort. */
int label_selector_compare_views(const void *a, const void *b);

#endif
