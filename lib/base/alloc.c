#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *alloc_libc_realloc(void *ctx, void *old, size_t size)
{
    (void)ctx;
    return realloc(old, size);
}

static void alloc_libc_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

static const struct kvs_allocator alloc_libc = {alloc_libc_realloc, alloc_libc_free, NULL};

/* Process-wide by design: replaced only before anything is allocated. */
static struct kvs_allocator alloc_current = {alloc_libc_realloc, alloc_libc_free, NULL};

void kvs_alloc_set(const struct kvs_allocator *allocator)
{
    alloc_current = allocator != NULL ? *allocator : alloc_libc;
}

void *kvs_malloc(size_t size)
{
    return alloc_current.realloc(alloc_current.ctx, NULL, size > 0 ? size : 1);
}

void *kvs_calloc(size_t count, size_t size)
{
    void *memory;

    if (size > 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    memory = kvs_malloc(count * size);
    if (memory != NULL) {
        memset(memory, 0, count * size);
    }
    return memory;
}

void *kvs_realloc(void *old, size_t size)
{
    return alloc_current.realloc(alloc_current.ctx, old, size > 0 ? size : 1);
}

char *kvs_strndup(const char *text, size_t len)
{
    char *copy = kvs_malloc(len + 1);

    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

char *kvs_strdup(const char *text)
{
    return kvs_strndup(text, strlen(text));
}

void kvs_free(void *memory)
{
    if (memory != NULL) {
        alloc_current.free(alloc_current.ctx, memory);
    }
}
