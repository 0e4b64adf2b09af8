#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"

#define BUF_FIRST_BYTES 256

void buf_init(struct buf *b)
{
    *b = (struct buf){0};
}

void buf_fini(struct buf *b)
{
    kvs_free(b->data);
    buf_init(b);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

uint8_t *buf_reserve(struct buf *b, size_t more)
{
    size_t capacity = b->capacity > 0 ? b->capacity : BUF_FIRST_BYTES;
    uint8_t *grown;

    if (b->failed) {
        return NULL;
    }
    if (b->capacity - b->len >= more && b->data != NULL) {
        return b->data + b->len;
    }
    if (more > SIZE_MAX / 2 - b->len) {
        b->failed = true;
        return NULL;
    }
    while (capacity < b->len + more) {
        capacity *= 2;
    }
    grown = kvs_realloc(b->data, capacity);
    if (grown == NULL) {
        b->failed = true;
        return NULL;
    }
    b->data = grown;
    b->capacity = capacity;
    return b->data + b->len;
}

void buf_append(struct buf *b, const void *data, size_t len)
{
    uint8_t *to;

    if (len == 0) {
        return;
    }
    to = buf_reserve(b, len);
    if (to != NULL) {
        memcpy(to, data, len);
        b->len += len;
    }
}

void buf_append_view(struct buf *b, struct kvs_view view)
{
    buf_append(b, view.data, view.len);
}

void buf_append_str(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

void buf_append_u8(struct buf *b, uint8_t value)
{
    buf_append(b, &value, 1);
}

void buf_append_le32(struct buf *b, uint32_t value)
{
    uint8_t bytes[4];

    store_le32(bytes, value);
    buf_append(b, bytes, sizeof bytes);
}

void buf_append_le64(struct buf *b, uint64_t value)
{
    uint8_t bytes[8];

    store_le64(bytes, value);
    buf_append(b, bytes, sizeof bytes);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    kvs_assert(len >= 0);
    if (buf_reserve(b, (size_t)len + 1) == NULL) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf((char *)b->data + b->len, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
}

void buf_consume(struct buf *b, size_t len)
{
    kvs_assert(len <= b->len);
    if (len > 0) {
        memmove(b->data, b->data + len, b->len - len);
        b->len -= len;
    }
}

struct kvs_blob buf_take(struct buf *b)
{
    struct kvs_blob blob = {b->data, b->len};

    kvs_assert(!b->failed);
    buf_init(b);
    return blob;
}
