#include "mvcc/gen.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"

#define GEN_CHUNK_BYTES    ((size_t)256 << 10)
#define GEN_FIRST_SLOTS    256
#define GEN_PENDING_MAX    4096
#define GEN_FIRST_VERSIONS 256
#define GEN_SHARE_MIN      64 /* a shorter value is cheaper to copy */

struct gen *gen_new(void)
{
    struct gen *g = kvs_calloc(1, sizeof *g);

    if (g == NULL) {
        return NULL;
    }
    g->slots = kvs_calloc(GEN_FIRST_SLOTS, sizeof *g->slots);
    if (g->slots == NULL) {
        kvs_free(g);
        return NULL;
    }
    g->refs = 1;
    g->n_slots = GEN_FIRST_SLOTS;
    arena_init(&g->arena, 0);
    arena_set_chunk(&g->arena, GEN_CHUNK_BYTES);
    map_init(&g->leases);
    g->metas_end = &g->metas;
    return g;
}

struct gen *gen_ref(struct gen *g)
{
    g->refs++;
    return g;
}

void gen_unref(struct gen *g)
{
    if (g == NULL || --g->refs > 0) {
        return;
    }
    for (size_t i = 0; i < g->n_owners; i++) {
        rcbuf_unref(g->owners[i]);
    }
    kvs_free(g->owners);
    map_fini(&g->leases);
    arena_fini(&g->arena);
    kvs_free(g->versions);
    kvs_free(g->slots);
    kvs_free(g);
}

size_t gen_bytes(const struct gen *g)
{
    return g->arena.used_bytes + g->shared_bytes +
           (g->n_slots + g->versions_capacity + g->owners_capacity) * sizeof(void *);
}

/* Where `key` is, or the free slot where it would go. */
static struct gen_key **
gen_slot(struct gen_key **slots, size_t n_slots, struct kvs_view key, uint64_t hash)
{
    size_t mask = n_slots - 1;
    size_t i = (size_t)hash & mask;

    while (slots[i] != NULL && (slots[i]->hash != hash || !view_equal(slots[i]->key, key))) {
        i = (i + 1) & mask;
    }
    return &slots[i];
}

struct gen_key *gen_find(const struct gen *g, struct kvs_view key, uint64_t hash)
{
    return g->n_keys > 0 ? *gen_slot(g->slots, g->n_slots, key, hash) : NULL;
}

static int gen_grow_slots(struct gen *g)
{
    size_t n = g->n_slots * 2;
    struct gen_key **slots = kvs_calloc(n, sizeof *slots);

    if (slots == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < g->n_slots; i++) {
        if (g->slots[i] != NULL) {
            *gen_slot(slots, n, g->slots[i]->key, g->slots[i]->hash) = g->slots[i];
        }
    }
    kvs_free(g->slots);
    g->slots = slots;
    g->n_slots = n;
    return 0;
}

static int gen_grow_versions(struct gen *g)
{
    size_t n = g->versions_capacity > 0 ? g->versions_capacity * 2 : GEN_FIRST_VERSIONS;
    struct gen_version **versions = kvs_realloc(g->versions, n * sizeof *versions);

    if (versions == NULL) {
        return KVS_E_NOMEM;
    }
    g->versions = versions;
    g->versions_capacity = n;
    return 0;
}

static int gen_grow_owners(struct gen *g)
{
    size_t n = g->owners_capacity > 0 ? g->owners_capacity * 2 : GEN_FIRST_VERSIONS;
    struct rcbuf **owners = kvs_realloc(g->owners, n * sizeof *owners);

    if (owners == NULL) {
        return KVS_E_NOMEM;
    }
    g->owners = owners;
    g->owners_capacity = n;
    return 0;
}

/* Levels of a key in the skip list: one more with probability 1/4 each, drawn from its hash, whose
 * low bits choose the slot. */
static unsigned gen_height(uint64_t hash)
{
    unsigned height = 1;

    for (hash >>= 32; (hash & 3) == 0 && height < GEN_HEIGHT_MAX; hash >>= 2) {
        height++;
    }
    return height;
}

static struct gen_key *gen_key_new(struct gen *g, struct kvs_view key, uint64_t hash)
{
    unsigned height = gen_height(hash);
    struct gen_key *k = arena_alloc(&g->arena, sizeof *k + height * sizeof k->next[0] + key.len);
    char *bytes;

    if (k == NULL) {
        return NULL;
    }
    bytes = (char *)&k->next[height];
    memcpy(bytes, key.data, key.len);
    *k = (struct gen_key){.key = {bytes, key.len}, .hash = hash, .height = height};
    return k;
}

/* Memory for everything that adding a version may need, so that adding cannot fail half-way. */
static int gen_reserve(struct gen *g)
{
    if ((g->n_keys + 1) * 2 > g->n_slots && gen_grow_slots(g) != 0) {
        return KVS_E_NOMEM;
    }
    if (g->n_versions == g->versions_capacity && gen_grow_versions(g) != 0) {
        return KVS_E_NOMEM;
    }
    if (g->n_owners == g->owners_capacity && gen_grow_owners(g) != 0) {
        return KVS_E_NOMEM;
    }
    return 0;
}

static bool gen_lies_in(struct kvs_view value, const struct rcbuf *owner)
{
    uintptr_t begin = (uintptr_t)value.data;

    return owner != NULL && begin >= (uintptr_t)owner->data &&
           begin + value.len <= (uintptr_t)owner->data + owner->len;
}

/* The log has the entry in memory for as long as it is not stored: a second copy of a large value
 * would be a waste. Values of one entry come one after the other. */
static int gen_keep_value(struct gen *g, struct rcbuf *owner, struct kvs_view *value)
{
    if (value->len < GEN_SHARE_MIN || !gen_lies_in(*value, owner)) {
        return arena_copy(&g->arena, *value, value);
    }
    if (g->n_owners == 0 || g->owners[g->n_owners - 1] != owner) {
        g->owners[g->n_owners++] = rcbuf_ref(owner);
    }
    g->shared_bytes += value->len;
    return 0;
}

static int gen_attach_lease(struct gen *g, struct gen_version *v)
{
    kvs_lease_id lease = v->record.lease;

    if (lease == 0) {
        return 0;
    }
    v->lease_next = map_get(&g->leases, (uint64_t)lease);
    return map_put(&g->leases, (uint64_t)lease, v);
}

static void gen_add_key(struct gen *g, struct gen_key **slot, struct gen_key *k)
{
    *slot = k;
    g->n_keys++;
    k->pending = g->pending;
    g->pending = k;
    if (++g->n_pending >= GEN_PENDING_MAX) {
        gen_link(g);
    }
}

int gen_add(struct gen *g,
            const struct record *r,
            uint64_t hash,
            kvs_lease_id replaced_lease,
            struct rcbuf *owner,
            struct gen_version **ret_version)
{
    struct gen_key **slot;
    struct gen_version *v;
    struct gen_key *k;

    kvs_assert(!g->frozen && r->mod.main > 0);
    if (gen_reserve(g) != 0) {
        return KVS_E_NOMEM;
    }
    slot = gen_slot(g->slots, g->n_slots, r->key, hash);
    k = *slot != NULL ? *slot : gen_key_new(g, r->key, hash);
    v = arena_alloc(&g->arena, sizeof *v);
    if (k == NULL || v == NULL) {
        return KVS_E_NOMEM;
    }
    *v = (struct gen_version){.record = *r, .older = k->newest, .replaced_lease = replaced_lease};
    v->record.key = k->key;
    if (gen_keep_value(g, owner, &v->record.value) != 0 || gen_attach_lease(g, v) != 0) {
        return KVS_E_NOMEM;
    }
    k->newest = v;
    if (*slot == NULL) {
        gen_add_key(g, slot, k);
    }
    g->versions[g->n_versions++] = v;
    g->dirty = true;
    *ret_version = v;
    return 0;
}

int gen_add_meta(struct gen *g,
                 enum backend_table table,
                 struct kvs_view key,
                 struct kvs_view value,
                 bool deleted)
{
    struct gen_meta *meta = arena_alloc(&g->arena, sizeof *meta);

    kvs_assert(!g->frozen);
    if (meta == NULL) {
        return KVS_E_NOMEM;
    }
    *meta = (struct gen_meta){.table = table, .deleted = deleted};
    if (arena_copy(&g->arena, key, &meta->key) != 0 ||
        arena_copy(&g->arena, value, &meta->value) != 0) {
        return KVS_E_NOMEM;
    }
    *g->metas_end = meta;
    g->metas_end = &meta->next;
    g->dirty = true;
    return 0;
}

const struct gen_version *gen_version_at(const struct gen_key *k, kvs_revision rev)
{
    const struct gen_version *v = k->newest;

    while (v != NULL && v->record.mod.main > rev) {
        v = v->older;
    }
    return v;
}

size_t gen_version_lower_bound(const struct gen *g, kvs_revision rev)
{
    size_t low = 0;
    size_t high = g->n_versions;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (g->versions[mid]->record.mod.main < rev) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

const struct gen_version *gen_version_find(const struct gen *g, struct rev rev)
{
    size_t at = gen_version_lower_bound(g, rev.main);

    /* The subs of one main revision are 0, 1, 2 ... and never split between generations. */
    if (at < g->n_versions && rev.sub < g->n_versions - at &&
        rev_equal(g->versions[at + rev.sub]->record.mod, rev)) {
        return g->versions[at + rev.sub];
    }
    return NULL;
}
