#include "lease/heap.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/assert.h"

void lease_heap_init(struct lease_heap *h, enum lease_due which)
{
    *h = (struct lease_heap){.which = which};
}

void lease_heap_fini(struct lease_heap *h)
{
    kvs_free(h->items);
    lease_heap_init(h, h->which);
}

int lease_heap_reserve(struct lease_heap *h)
{
    struct lease_timer **items;
    size_t capacity = h->capacity > 0 ? h->capacity * 2 : 16;

    if (h->len < h->capacity) {
        return 0;
    }
    if (capacity > UINT32_MAX) {
        return KVS_E_NOMEM;
    }
    items = kvs_realloc(h->items, capacity * sizeof *items);
    if (items == NULL) {
        return KVS_E_NOMEM;
    }
    h->items = items;
    h->capacity = capacity;
    return 0;
}

static void heap_set(struct lease_heap *h, size_t at, struct lease_timer *timer)
{
    h->items[at] = timer;
    timer->at[h->which] = (uint32_t)at;
}

static uint64_t heap_due(const struct lease_heap *h, size_t at)
{
    return h->items[at]->due_ms[h->which];
}

static void heap_rise(struct lease_heap *h, size_t at)
{
    struct lease_timer *timer = h->items[at];

    while (at > 0 && timer->due_ms[h->which] < heap_due(h, (at - 1) / 2)) {
        heap_set(h, at, h->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_set(h, at, timer);
}

static void heap_sink(struct lease_heap *h, size_t at)
{
    struct lease_timer *timer = h->items[at];

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < h->len && heap_due(h, child + 1) < heap_due(h, child)) {
            child++;
        }
        if (child >= h->len || heap_due(h, child) >= timer->due_ms[h->which]) {
            break;
        }
        heap_set(h, at, h->items[child]);
        at = child;
    }
    heap_set(h, at, timer);
}

void lease_heap_push(struct lease_heap *h, struct lease_timer *timer)
{
    kvs_assert(h->len < h->capacity);
    heap_set(h, h->len++, timer);
    heap_rise(h, h->len - 1);
}

void lease_heap_remove(struct lease_heap *h, struct lease_timer *timer)
{
    size_t at = timer->at[h->which];
    struct lease_timer *last = h->items[h->len - 1];

    kvs_assert(at < h->len && h->items[at] == timer);
    h->len--;
    if (last == timer) {
        return;
    }
    heap_set(h, at, last);
    heap_rise(h, at);
    heap_sink(h, last->at[h->which]);
}

void lease_heap_update(struct lease_heap *h, struct lease_timer *timer, uint64_t due_ms)
{
    kvs_assert(h->items[timer->at[h->which]] == timer);
    timer->due_ms[h->which] = due_ms;
    heap_rise(h, timer->at[h->which]);
    heap_sink(h, timer->at[h->which]);
}

static int heap_order(const void *a, const void *b, void *which)
{
    const struct lease_timer *left = *(struct lease_timer *const *)a;
    const struct lease_timer *right = *(struct lease_timer *const *)b;
    enum lease_due due = *(enum lease_due *)which;

    return left->due_ms[due] < right->due_ms[due] ? -1 : left->due_ms[due] > right->due_ms[due];
}

void lease_heap_sort(struct lease_heap *h)
{
    if (h->len == 0) {
        return;
    }
    /* A sorted array is a heap. */
    qsort_r(h->items, h->len, sizeof *h->items, heap_order, &h->which);
    for (size_t i = 0; i < h->len; i++) {
        h->items[i]->at[h->which] = (uint32_t)i;
    }
}

void lease_heap_check(const struct lease_heap *h)
{
    for (size_t i = 0; i < h->len; i++) {
        kvs_assert(h->items[i]->at[h->which] == i);
        kvs_assert(i == 0 || heap_due(h, (i - 1) / 2) <= heap_due(h, i));
    }
}
