#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

#define ARENA_CHUNK_BYTES 4096

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* bytes after this header */
    max_align_t data[];
};

void arena_init(struct arena *a, size_t max_bytes)
{
    *a = (struct arena){.max_bytes = max_bytes, .chunk_bytes = ARENA_CHUNK_BYTES};
}

void arena_set_chunk(struct arena *a, size_t chunk_bytes)
{
    a->chunk_bytes = chunk_bytes;
}

void arena_fini(struct arena *a)
{
    struct arena_chunk *chunk = a->chunks;

    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;

        kvs_free(chunk);
        chunk = older;
    }
    arena_init(a, a->max_bytes);
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *keep = a->chunks;

    if (keep == NULL) {
        return;
    }
    a->chunks = keep->older;
    keep->older = NULL;
    for (struct arena_chunk *chunk = a->chunks; chunk != NULL;) {
        struct arena_chunk *older = chunk->older;

        kvs_free(chunk);
        chunk = older;
    }
    a->chunks = keep;
    a->at = (char *)keep->data;
    a->end = a->at + keep->size;
    a->used_bytes = 0;
}

static bool arena_grow(struct arena *a, size_t size)
{
    size_t want = size > a->chunk_bytes ? size : a->chunk_bytes;
    struct arena_chunk *chunk;

    if (want > SIZE_MAX - sizeof *chunk) {
        return false;
    }
    chunk = kvs_malloc(sizeof *chunk + want);
    if (chunk == NULL) {
        return false;
    }
    chunk->older = a->chunks;
    chunk->size = want;
    a->chunks = chunk;
    a->at = (char *)chunk->data;
    a->end = a->at + want;
    return true;
}

void *arena_alloc(struct arena *a, size_t size)
{
    char *memory;

    if (size > SIZE_MAX - 15) {
        return NULL;
    }
    size = size > 0 ? (size + 7) & ~(size_t)7 : 8; /* nothing, too, has an address of its own */
    if (a->max_bytes > 0 && size > a->max_bytes - a->used_bytes) {
        return NULL;
    }
    if ((size_t)(a->end - a->at) < size && !arena_grow(a, size)) {
        return NULL;
    }
    memory = a->at;
    a->at += size;
    a->used_bytes += size;
    return memory;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
    void *memory;

    if (size > 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    memory = arena_alloc(a, count * size);
    if (memory != NULL) {
        memset(memory, 0, count * size);
    }
    return memory;
}

int arena_copy(struct arena *a, struct kvs_view from, struct kvs_view *ret_copy)
{
    void *memory = arena_alloc(a, from.len);

    if (memory == NULL) {
        return KVS_E_NOMEM;
    }
    if (from.len > 0) {
        memcpy(memory, from.data, from.len);
    }
    *ret_copy = (struct kvs_view){memory, from.len};
    return 0;
}

char *arena_strndup(struct arena *a, const char *text, size_t len)
{
    char *copy = arena_alloc(a, len + 1);

    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}
