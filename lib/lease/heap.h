/* Binary min-heap of leases by one of their two due times. Every lease is in both heaps, always, so
 * that only lease_grant needs memory. */
#ifndef LEASE_HEAP_H
#define LEASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum lease_due {
    LEASE_DUE_EXPIRY,     /* propose a revoke */
    LEASE_DUE_CHECKPOINT, /* propose a checkpoint */
    LEASE_DUE_COUNT,
};

#define LEASE_NEVER UINT64_MAX

/* Embedded in a lease. */
struct lease_timer {
    uint64_t due_ms[LEASE_DUE_COUNT]; /* LEASE_NEVER: not scheduled */
    uint32_t at[LEASE_DUE_COUNT];     /* position in each heap */
};

struct lease_heap {
    struct lease_timer **items;
    size_t len;
    size_t capacity;
    enum lease_due which;
};

void lease_heap_init(struct lease_heap *h, enum lease_due which);
void lease_heap_fini(struct lease_heap *h);

/* Makes room for one more. KVS_E_NOMEM leaves the heap as it was. */
KVS_MUST_USE int lease_heap_reserve(struct lease_heap *h);

/* After a successful reserve. */
void lease_heap_push(struct lease_heap *h, struct lease_timer *timer);
void lease_heap_remove(struct lease_heap *h, struct lease_timer *timer);

/* Changes a due time of a timer in the heap. */
void lease_heap_update(struct lease_heap *h, struct lease_timer *timer, uint64_t due_ms);

/* Restores order and positions after due times were changed in place. */
void lease_heap_sort(struct lease_heap *h);

/* NULL if empty. */
static inline struct lease_timer *lease_heap_top(const struct lease_heap *h)
{
    return h->len > 0 ? h->items[0] : NULL;
}

/* Aborts if order or positions are wrong. */
void lease_heap_check(const struct lease_heap *h);

#endif
