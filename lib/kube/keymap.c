#include "kube/keymap.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"

enum { CHUNK_SLOTS = 128 };

struct keymap_slot {
    struct kvs_view key;
    void *value;
};

struct kube_keymap_chunk {
    size_t n;
    struct keymap_slot slots[CHUNK_SLOTS];
};

void kube_keymap_init(struct kube_keymap *m)
{
    *m = (struct kube_keymap){0};
}

void kube_keymap_fini(struct kube_keymap *m)
{
    for (size_t i = 0; i < m->n_chunks; i++) {
        kvs_free(m->chunks[i]);
    }
    kvs_free(m->chunks);
    kube_keymap_init(m);
}

/* The last chunk whose first key is <= `key`; 0 if none is. */
static size_t keymap_chunk_of(const struct kube_keymap *m, struct kvs_view key)
{
    size_t low = 0;
    size_t high = m->n_chunks;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (view_compare(m->chunks[middle]->slots[0].key, key) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The first slot whose key is >= `key`. */
static size_t keymap_slot_of(const struct kube_keymap_chunk *c, struct kvs_view key)
{
    size_t low = 0;
    size_t high = c->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (view_compare(c->slots[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool
keymap_find(const struct kube_keymap *m, struct kvs_view key, struct kube_keymap_at *ret_at)
{
    struct kube_keymap_at at = {keymap_chunk_of(m, key), 0};
    const struct kube_keymap_chunk *c;

    if (m->n_chunks == 0) {
        *ret_at = at;
        return false;
    }
    c = m->chunks[at.chunk];
    at.slot = keymap_slot_of(c, key);
    *ret_at = at;
    return at.slot < c->n && view_equal(c->slots[at.slot].key, key);
}

/* Makes room for an empty chunk at `at`. */
static int keymap_insert_chunk(struct kube_keymap *m, size_t at)
{
    struct kube_keymap_chunk *c;

    if (m->n_chunks == m->capacity) {
        size_t capacity = m->capacity == 0 ? 8 : m->capacity * 2;
        void *chunks = kvs_realloc(m->chunks, capacity * sizeof *m->chunks);

        if (chunks == NULL) {
            return KVS_E_NOMEM;
        }
        m->chunks = chunks;
        m->capacity = capacity;
    }
    c = kvs_malloc(sizeof *c);
    if (c == NULL) {
        return KVS_E_NOMEM;
    }
    c->n = 0;
    memmove(m->chunks + at + 1, m->chunks + at, (m->n_chunks - at) * sizeof *m->chunks);
    m->chunks[at] = c;
    m->n_chunks++;
    return 0;
}

/* Splits a full chunk. Keys that only ever grow fill chunks whole: the split is then at the end. */
static int keymap_split(struct kube_keymap *m, struct kube_keymap_at *at)
{
    struct kube_keymap_chunk *from = m->chunks[at->chunk];
    bool appends = at->slot == from->n && at->chunk + 1 == m->n_chunks;
    size_t keep = appends ? from->n : from->n / 2;
    struct kube_keymap_chunk *to;

    if (keymap_insert_chunk(m, at->chunk + 1) != 0) {
        return KVS_E_NOMEM;
    }
    to = m->chunks[at->chunk + 1];
    to->n = from->n - keep;
    memcpy(to->slots, from->slots + keep, to->n * sizeof to->slots[0]);
    from->n = keep;
    if (at->slot >= keep && (appends || at->slot > keep)) {
        at->chunk++;
        at->slot -= keep;
    }
    return 0;
}

int kube_keymap_put(struct kube_keymap *m, struct kvs_view key, void *value, void **ret_old)
{
    struct kube_keymap_at at;
    struct kube_keymap_chunk *c;

    kvs_assert(value != NULL);
    if (keymap_find(m, key, &at)) {
        struct keymap_slot *slot = &m->chunks[at.chunk]->slots[at.slot];

        *ret_old = slot->value;
        *slot = (struct keymap_slot){key, value};
        return 0;
    }
    if (m->n_chunks == 0 && keymap_insert_chunk(m, 0) != 0) {
        return KVS_E_NOMEM;
    }
    if (m->chunks[at.chunk]->n == CHUNK_SLOTS && keymap_split(m, &at) != 0) {
        return KVS_E_NOMEM;
    }
    c = m->chunks[at.chunk];
    memmove(c->slots + at.slot + 1, c->slots + at.slot, (c->n - at.slot) * sizeof c->slots[0]);
    c->slots[at.slot] = (struct keymap_slot){key, value};
    c->n++;
    m->count++;
    *ret_old = NULL;
    return 0;
}

void *kube_keymap_get(const struct kube_keymap *m, struct kvs_view key)
{
    struct kube_keymap_at at;

    return keymap_find(m, key, &at) ? m->chunks[at.chunk]->slots[at.slot].value : NULL;
}

void *kube_keymap_remove(struct kube_keymap *m, struct kvs_view key)
{
    struct kube_keymap_at at;
    struct kube_keymap_chunk *c;
    void *value;

    if (!keymap_find(m, key, &at)) {
        return NULL;
    }
    c = m->chunks[at.chunk];
    value = c->slots[at.slot].value;
    c->n--;
    memmove(c->slots + at.slot, c->slots + at.slot + 1, (c->n - at.slot) * sizeof c->slots[0]);
    m->count--;
    if (c->n == 0) {
        kvs_free(c);
        m->n_chunks--;
        memmove(m->chunks + at.chunk, m->chunks + at.chunk + 1,
                (m->n_chunks - at.chunk) * sizeof *m->chunks);
    }
    return value;
}

struct kube_keymap_at kube_keymap_seek(const struct kube_keymap *m, struct kvs_view key)
{
    struct kube_keymap_at at;

    (void)keymap_find(m, key, &at); /* whether it is there does not matter */
    return at;
}

void *
kube_keymap_next(const struct kube_keymap *m, struct kube_keymap_at *at, struct kvs_view *ret_key)
{
    const struct keymap_slot *slot;

    if (at->chunk < m->n_chunks && at->slot == m->chunks[at->chunk]->n) {
        at->chunk++;
        at->slot = 0;
    }
    if (at->chunk >= m->n_chunks) {
        return NULL;
    }
    slot = &m->chunks[at->chunk]->slots[at->slot++];
    if (ret_key != NULL) {
        *ret_key = slot->key;
    }
    return slot->value;
}

void kube_keymap_check(const struct kube_keymap *m)
{
    struct kvs_view last = {NULL, 0};
    size_t count = 0;

    for (size_t i = 0; i < m->n_chunks; i++) {
        const struct kube_keymap_chunk *c = m->chunks[i];

        kvs_assert(c->n > 0 && c->n <= CHUNK_SLOTS);
        for (size_t j = 0; j < c->n; j++) {
            kvs_assert(count == 0 || view_compare(last, c->slots[j].key) < 0);
            last = c->slots[j].key;
            count++;
        }
    }
    kvs_assert(count == m->count);
}
