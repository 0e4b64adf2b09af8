/* Borrowed bytes: construction and comparison. A view never owns what it points to. */
#ifndef BASE_VIEW_H
#define BASE_VIEW_H

#include <stdbool.h>
#include <string.h>

#include "kvstore/types.h"

#define VIEW_LITERAL(text) ((struct kvs_view){(text), sizeof(text) - 1})

static inline struct kvs_view view_make(const void *data, size_t len)
{
    return (struct kvs_view){data, len};
}

static inline struct kvs_view view_str(const char *text)
{
    return (struct kvs_view){text, strlen(text)};
}

/* Bytewise order, a prefix before its extensions: the store's key order. */
static inline int view_compare(struct kvs_view a, struct kvs_view b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n > 0 ? memcmp(a.data, b.data, n) : 0;

    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

static inline bool view_equal(struct kvs_view a, struct kvs_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool view_equal_str(struct kvs_view a, const char *text)
{
    return view_equal(a, view_str(text));
}

/* True if `end` is the single 0 byte that means "to the end of the key space". */
static inline bool view_is_open_end(struct kvs_view end)
{
    return end.len == 1 && *(const unsigned char *)end.data == 0;
}

/* True if `key` lies in the range that etcd's (key, range_end) pair names. */
static inline bool view_in_range(struct kvs_view key, struct kvs_view begin, struct kvs_view end)
{
    if (end.len == 0) {
        return view_equal(key, begin);
    }
    if (view_compare(key, begin) < 0) {
        return false;
    }
    return view_is_open_end(end) || view_compare(key, end) < 0;
}

#endif
