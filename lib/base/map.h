/* Hash map from 64-bit ids to pointers: open addressing, power-of-two size. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct map_slot {
    uint64_t id;
    void *value; /* NULL: free */
};

struct map {
    struct map_slot *slots;
    size_t capacity; /* power of two, or 0 */
    size_t count;
};

void map_init(struct map *m);
void map_fini(struct map *m); /* frees the table, not the values */

/* Adds or replaces. `value` is not NULL. KVS_E_NOMEM leaves the map as it was. */
KVS_MUST_USE int map_put(struct map *m, uint64_t id, void *value);

/* NULL if absent. */
void *map_get(const struct map *m, uint64_t id);

/* Returns the value that was removed, or NULL. */
void *map_remove(struct map *m, uint64_t id);

/* Iteration in no particular order: start with *at = 0; NULL at the end. Not while changing it. */
void *map_next(const struct map *m, size_t *at);

#endif
