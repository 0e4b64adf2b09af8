/* Shared immutable bytes with a reference count: one encoded entry or event serves many readers
 * on many threads. Written only while the creator holds the one reference. */
#ifndef BASE_RCBUF_H
#define BASE_RCBUF_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "kvstore/types.h"

struct rcbuf {
    atomic_uint refs;
    size_t len;
    uint8_t data[];
};

/* `len` uninitialised bytes with one reference. NULL if out of memory. Any thread. */
KVS_MUST_USE struct rcbuf *rcbuf_new(size_t len);

/* As rcbuf_new, filled with a copy of `from`. */
KVS_MUST_USE struct rcbuf *rcbuf_copy(struct kvs_view from);

/* One more reference; returns `b`. Any thread. */
struct rcbuf *rcbuf_ref(struct rcbuf *b);

/* Frees with the last reference. NULL is allowed. Any thread. */
void rcbuf_unref(struct rcbuf *b);

static inline struct kvs_view rcbuf_view(const struct rcbuf *b)
{
    return (struct kvs_view){b->data, b->len};
}

#endif
