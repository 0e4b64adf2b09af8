#include "base/rcbuf.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

struct rcbuf *rcbuf_new(size_t len)
{
    struct rcbuf *b;

    if (len > SIZE_MAX - sizeof *b) {
        return NULL;
    }
    b = kvs_malloc(sizeof *b + len);
    if (b != NULL) {
        atomic_init(&b->refs, 1);
        b->len = len;
    }
    return b;
}

struct rcbuf *rcbuf_copy(struct kvs_view from)
{
    struct rcbuf *b = rcbuf_new(from.len);

    if (b != NULL && from.len > 0) {
        memcpy(b->data, from.data, from.len);
    }
    return b;
}

struct rcbuf *rcbuf_ref(struct rcbuf *b)
{
    unsigned before = atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);

    kvs_assert(before > 0);
    return b;
}

void rcbuf_unref(struct rcbuf *b)
{
    if (b == NULL) {
        return;
    }
    if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1) {
        kvs_free(b);
    }
}
