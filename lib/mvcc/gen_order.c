/* The order of a generation's keys: a skip list that grows by sorted bunches.
 *
 * Keys of one store begin alike, so most comparisons would pass over the same bytes to reach the
 * few that differ, which are seldom in a cache. Those few are kept as a number beside the links. */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/view.h"
#include "mvcc/gen.h"

static bool gen_has_prefix(const struct gen *g, struct kvs_view key)
{
    return key.len >= g->prefix.len &&
           (g->prefix.len == 0 || memcmp(key.data, g->prefix.data, g->prefix.len) == 0);
}

/* The prefix is chosen once: numbers of different offsets could not be compared. */
static void gen_choose_prefix(struct gen *g)
{
    const struct gen_key *first = g->pending;
    size_t len = first->key.len;

    for (const struct gen_key *k = first->pending; k != NULL; k = k->pending) {
        size_t i = 0;

        len = k->key.len < len ? k->key.len : len;
        while (i < len &&
               ((const uint8_t *)k->key.data)[i] == ((const uint8_t *)first->key.data)[i]) {
            i++;
        }
        len = i;
    }
    g->prefix = view_make(first->key.data, len);
}

static void gen_number(const struct gen *g, struct gen_key *k)
{
    uint8_t bytes[8] = {0};
    size_t left;

    k->ordered = gen_has_prefix(g, k->key);
    if (k->ordered) {
        left = k->key.len - g->prefix.len;
        memcpy(bytes, (const uint8_t *)k->key.data + g->prefix.len, left < 8 ? left : 8);
        k->order = load_be64(bytes);
    }
}

/* As view_compare of the keys. */
static int gen_compare(const struct gen_key *a, const struct gen_key *b)
{
    if (a->ordered && b->ordered && a->order != b->order) {
        return a->order < b->order ? -1 : 1;
    }
    return view_compare(a->key, b->key);
}

/* Merges two sorted chains of pending keys. */
static struct gen_key *gen_merge(struct gen_key *a, struct gen_key *b)
{
    struct gen_key *first = NULL;
    struct gen_key **end = &first;

    while (a != NULL && b != NULL) {
        struct gen_key **least = gen_compare(a, b) < 0 ? &a : &b;

        *end = *least;
        end = &(*end)->pending;
        *least = *end;
    }
    *end = a != NULL ? a : b;
    return first;
}

/* Merge sort bottom up: sorted[i] holds 2^i keys, or none. */
static struct gen_key *gen_sort(struct gen_key *keys)
{
    struct gen_key *sorted[32] = {NULL};
    struct gen_key *result = NULL;

    while (keys != NULL) {
        struct gen_key *run = keys;
        size_t i = 0;

        keys = keys->pending;
        run->pending = NULL;
        for (; sorted[i] != NULL; i++) {
            kvs_assert(i + 1 < ARRAY_LEN(sorted));
            run = gen_merge(sorted[i], run);
            sorted[i] = NULL;
        }
        sorted[i] = run;
    }
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        result = gen_merge(sorted[i], result);
    }
    return result;
}

/* Moves each level's link forward to where `key` belongs. links[i] points at the pointer of level
 * i that leads past all lesser keys; it starts at the head or at an earlier, lesser key. */
static void gen_advance(struct gen_key **links[GEN_HEIGHT_MAX], const struct gen_key *key)
{
    for (unsigned level = GEN_HEIGHT_MAX; level-- > 0;) {
        struct gen_key **link = links[level];

        while (*link != NULL && gen_compare(*link, key) < 0) {
            struct gen_key *k = *link;

            /* Lower levels need not start before a key that this level has passed. */
            for (unsigned below = 0; below <= level; below++) {
                links[below] = &k->next[below];
            }
            link = links[level];
        }
    }
}

void gen_link(struct gen *g)
{
    struct gen_key **links[GEN_HEIGHT_MAX];
    struct gen_key *k;

    if (g->pending == NULL) {
        return;
    }
    kvs_assert(!g->frozen);
    for (unsigned level = 0; level < GEN_HEIGHT_MAX; level++) {
        links[level] = &g->head[level];
    }
    if (g->head[0] == NULL) {
        gen_choose_prefix(g);
    }
    for (k = g->pending; k != NULL; k = k->pending) {
        gen_number(g, k);
    }
    k = gen_sort(g->pending);
    g->pending = NULL;
    g->n_pending = 0;
    while (k != NULL) {
        struct gen_key *after = k->pending;

        k->pending = NULL;
        gen_advance(links, k);
        for (unsigned level = 0; level < k->height; level++) {
            k->next[level] = *links[level];
            *links[level] = k;
        }
        k = after;
    }
}

struct gen_key *gen_seek(const struct gen *g, struct kvs_view key)
{
    struct gen_key *const *links = g->head;
    struct gen_key *k = NULL;

    for (unsigned level = GEN_HEIGHT_MAX; level-- > 0;) {
        while ((k = links[level]) != NULL && view_compare(k->key, key) < 0) {
            links = k->next;
        }
    }
    return k;
}

static void gen_check_key(const struct gen *g, const struct gen_key *k)
{
    const struct gen_version *v = k->newest;

    kvs_assert(v != NULL && k->key.len > 0 && gen_find(g, k->key, k->hash) == k);
    for (; v != NULL; v = v->older) {
        kvs_assert(v->record.key.data == k->key.data);
        kvs_assert(v->older == NULL || v->older->record.mod.main < v->record.mod.main ||
                   (v->older->record.mod.main == v->record.mod.main &&
                    v->older->record.mod.sub < v->record.mod.sub));
        kvs_assert(gen_version_find(g, v->record.mod) == v);
    }
}

void gen_check(const struct gen *g)
{
    size_t n = g->n_pending;

    kvs_assert(g->refs > 0 && (!g->frozen || g->pending == NULL));
    for (const struct gen_key *k = g->head[0]; k != NULL; k = k->next[0]) {
        gen_check_key(g, k);
        kvs_assert(k->next[0] == NULL || view_compare(k->key, k->next[0]->key) < 0);
        n++;
    }
    kvs_assert(n == g->n_keys && n <= g->n_versions);
}
