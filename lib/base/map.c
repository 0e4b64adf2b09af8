#include "base/map.h"

#include "base/alloc.h"
#include "base/assert.h"

#define MAP_FIRST_CAPACITY 2 /* most maps of an idle server hold one value */

static size_t map_hash(uint64_t id)
{
    id ^= id >> 32;
    id *= UINT64_C(0x9e3779b97f4a7c15);
    id ^= id >> 29;
    return (size_t)id;
}

void map_init(struct map *m)
{
    *m = (struct map){0};
}

void map_fini(struct map *m)
{
    kvs_free(m->slots);
    map_init(m);
}

/* The slot that holds `id`, or the free one where it would go. */
static struct map_slot *map_slot_of(struct map_slot *slots, size_t capacity, uint64_t id)
{
    size_t mask = capacity - 1;
    size_t i = map_hash(id) & mask;

    while (slots[i].value != NULL && slots[i].id != id) {
        i = (i + 1) & mask;
    }
    return &slots[i];
}

static int map_grow(struct map *m)
{
    size_t capacity = m->capacity > 0 ? m->capacity * 2 : MAP_FIRST_CAPACITY;
    struct map_slot *slots = kvs_calloc(capacity, sizeof *slots);

    if (slots == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < m->capacity; i++) {
        if (m->slots[i].value != NULL) {
            *map_slot_of(slots, capacity, m->slots[i].id) = m->slots[i];
        }
    }
    kvs_free(m->slots);
    m->slots = slots;
    m->capacity = capacity;
    return 0;
}

int map_put(struct map *m, uint64_t id, void *value)
{
    struct map_slot *slot;

    kvs_assert(value != NULL);
    if ((m->count + 1) * 4 > m->capacity * 3 && map_grow(m) != 0) {
        return KVS_E_NOMEM;
    }
    slot = map_slot_of(m->slots, m->capacity, id);
    if (slot->value == NULL) {
        m->count++;
    }
    *slot = (struct map_slot){id, value};
    return 0;
}

void *map_get(const struct map *m, uint64_t id)
{
    if (m->count == 0) {
        return NULL;
    }
    return map_slot_of(m->slots, m->capacity, id)->value;
}

void *map_remove(struct map *m, uint64_t id)
{
    struct map_slot *slot;
    size_t mask = m->capacity - 1;
    size_t hole;
    void *value;

    if (m->count == 0) {
        return NULL;
    }
    slot = map_slot_of(m->slots, m->capacity, id);
    value = slot->value;
    if (value == NULL) {
        return NULL;
    }
    /* Close the hole: move back each follower whose home is not after the hole. */
    hole = (size_t)(slot - m->slots);
    for (size_t i = (hole + 1) & mask; m->slots[i].value != NULL; i = (i + 1) & mask) {
        size_t home = map_hash(m->slots[i].id) & mask;

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].value = NULL;
    m->count--;
    return value;
}

void *map_next(const struct map *m, size_t *at)
{
    while (*at < m->capacity) {
        void *value = m->slots[(*at)++].value;

        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}
