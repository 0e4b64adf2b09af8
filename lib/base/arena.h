/* Bump allocator with one lifetime: one arena per request, freed at its single completion. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/attr.h"
#include "kvstore/types.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    char *at;                   /* next free byte of the newest chunk */
    char *end;
    size_t used_bytes;  /* handed out since init or reset */
    size_t max_bytes;   /* 0: no limit */
    size_t chunk_bytes; /* least size of the next chunk */
};

/* `max_bytes` bounds what may be handed out; 0 for no bound. Allocates nothing yet. */
void arena_init(struct arena *a, size_t max_bytes);

/* For an arena that will be large: memory is taken in pieces of at least `chunk_bytes`. */
void arena_set_chunk(struct arena *a, size_t chunk_bytes);

/* Frees everything; the arena is as after init. */
void arena_fini(struct arena *a);

/* Forgets everything handed out but keeps the newest chunk for reuse. */
void arena_reset(struct arena *a);

/* 8-byte aligned, uninitialised; never NULL for `size` 0 but for lack of memory. NULL if out of
 * memory or over the limit. */
KVS_MUST_USE void *arena_alloc(struct arena *a, size_t size);

/* Zeroed array; NULL also if count * size overflows. */
KVS_MUST_USE void *arena_calloc(struct arena *a, size_t count, size_t size);

/* Copies `from`; on success `ret_copy` borrows from the arena. */
KVS_MUST_USE int arena_copy(struct arena *a, struct kvs_view from, struct kvs_view *ret_copy);

/* NUL-terminated copy; NULL if out of memory. */
KVS_MUST_USE char *arena_strndup(struct arena *a, const char *text, size_t len);

#endif
