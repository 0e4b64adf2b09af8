/* The one allocator of the project. Tests replace it to fail the n-th allocation. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

#include "base/attr.h"

struct kvs_allocator {
    void *(*realloc)(void *ctx, void *old, size_t size); /* old NULL: allocate */
    void (*free)(void *ctx, void *memory);
    void *ctx;
};

/* Replaces the allocator. Before any other call of the project, or in tests while nothing is
 * allocated. NULL restores the C library's. */
void kvs_alloc_set(const struct kvs_allocator *allocator);

/* NULL when there is no memory (or `size` overflows). `size` 0 is treated as 1. Any thread. */
KVS_MUST_USE void *kvs_malloc(size_t size);
KVS_MUST_USE void *kvs_calloc(size_t count, size_t size);
KVS_MUST_USE void *kvs_realloc(void *old, size_t size);
/* NUL-terminated copies; strndup copies exactly `len` bytes, which `text` must have. */
KVS_MUST_USE char *kvs_strdup(const char *text);
KVS_MUST_USE char *kvs_strndup(const char *text, size_t len);
void kvs_free(void *memory);

#endif
