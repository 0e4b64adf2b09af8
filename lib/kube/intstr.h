/* IntOrString: a number or a text such as "25%", and what rolling updates compute from it. */
#ifndef KUBE_INTSTR_H
#define KUBE_INTSTR_H

#include <stdbool.h>
#include <stdint.h>

#include <yyjson.h>

#include "base/attr.h"
#include "base/buf.h"

struct kube_intstr {
    bool is_text;
    int32_t number;
    struct kvs_view text; /* borrowed from where it was read */
};

/* Reads a tree's value; `ret` borrows from it. KVS_E_INVALID if it is neither text nor a number of
 * 32 bits. Any thread, as all of this file. */
KVS_MUST_USE int kube_intstr_read(yyjson_mut_val *value, struct kube_intstr *ret);

static inline struct kube_intstr kube_intstr_number(int32_t number)
{
    return (struct kube_intstr){.number = number};
}

static inline struct kube_intstr kube_intstr_text(struct kvs_view text)
{
    return (struct kube_intstr){.is_text = true, .text = text};
}

/* The number itself, or the percentage of `total`, rounded up or down. KVS_E_INVALID with
 * Kubernetes' text appended to `why` (may be NULL) for a text that is no percentage. */
KVS_MUST_USE int kube_intstr_scaled(
    const struct kube_intstr *value, int total, bool round_up, int *ret_scaled, struct buf *why);

/* How many more and how many fewer pods than `desired` a rolling update may have: surge rounds up,
 * unavailable down, and if both come to nothing one pod may be missing. Errors as for scaled. */
KVS_MUST_USE int kube_intstr_fenceposts(const struct kube_intstr *max_surge,
                                        const struct kube_intstr *max_unavailable,
                                        int desired,
                                        int *ret_surge,
                                        int *ret_unavailable);

#endif
