/* Growable byte buffer. A failed append marks the buffer and later appends do nothing, so that a
 * long encoding needs one check at its end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "kvstore/types.h"

struct buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
    bool failed; /* out of memory: the contents are not complete */
};

void buf_init(struct buf *b);
void buf_fini(struct buf *b);

/* Empties the buffer and keeps its memory. */
void buf_clear(struct buf *b);

/* Makes room for `more` bytes after `len` and returns where they go; NULL (and `failed`) if there
 * is no memory. The caller adds to `len` what it wrote. */
uint8_t *buf_reserve(struct buf *b, size_t more);

void buf_append(struct buf *b, const void *data, size_t len);
void buf_append_view(struct buf *b, struct kvs_view view);
void buf_append_str(struct buf *b, const char *text);
void buf_append_u8(struct buf *b, uint8_t value);
void buf_append_le32(struct buf *b, uint32_t value);
void buf_append_le64(struct buf *b, uint64_t value);
void buf_printf(struct buf *b, const char *format, ...) KVS_PRINTF(2, 3);

/* Removes the first `len` bytes. */
void buf_consume(struct buf *b, size_t len);

/* Gives the memory away and leaves the buffer empty. The receiver frees it with kvs_free. */
struct kvs_blob buf_take(struct buf *b);

static inline struct kvs_view buf_view(const struct buf *b)
{
    return (struct kvs_view){b->data, b->len};
}

#endif
