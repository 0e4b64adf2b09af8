/* A generation: applied writes that are not in LMDB yet. One is active and takes writes; at most
 * one is frozen and being written out. Views pin generations, so one may outlive its storing.
 *
 *   keys: hash table (point lookups) and skip list (ranges)
 *           |
 *           v
 *      gen_key --newest--> gen_version --older--> gen_version ...
 *                               ^
 *   versions[]: all of them, in order of revision (history, storing)
 *
 * New keys enter the skip list in sorted bunches (gen_link), when a reader needs the order or
 * enough have gathered: a burst of writes then pays little for the order.
 *
 * Invariants:
 * 1. Nothing is ever removed or changed in place but the heads of version chains: a reader that
 *    ignores revisions above its own sees a constant picture while writes go on.
 * 2. A frozen generation is not written to at all; the backend thread reads it without locks.
 * 3. All keys of a frozen generation are in the skip list. */
#ifndef MVCC_GEN_H
#define MVCC_GEN_H

#include "backend/backend.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/rcbuf.h"
#include "mvcc/record.h"

#define GEN_HEIGHT_MAX 12

struct gen_key;

struct gen_version {
    struct record record; /* the key is in the arena, the value there or in one of `owners` */
    struct gen_version *older;
    struct gen_version *lease_next; /* attached to the same lease, earlier */
    kvs_lease_id replaced_lease;    /* of the version that this one replaced */
};

struct gen_key {
    struct kvs_view key;
    uint64_t hash;
    struct gen_version *newest;
    struct gen_key *pending; /* next key that is not in the skip list yet */
    unsigned height;
    bool ordered;   /* begins with the generation's prefix: `order` counts */
    uint64_t order; /* the eight bytes after that, big-endian, zeros after the end */
    struct gen_key *next[];
};

/* A record of another module, in order of writing; the last for a key counts. */
struct gen_meta {
    struct gen_meta *next;
    enum backend_table table;
    bool deleted;
    struct kvs_view key;
    struct kvs_view value;
};

struct gen {
    unsigned refs; /* loop thread only */
    bool frozen;
    bool dirty; /* holds anything that has to be stored, be it only the applied index */
    struct arena arena;

    struct gen_key **slots; /* open addressing, power of two */
    size_t n_slots;
    size_t n_keys;
    struct gen_key *head[GEN_HEIGHT_MAX];
    struct gen_key *pending;
    size_t n_pending;
    struct kvs_view prefix; /* of all keys of the first bunch */

    struct gen_version **versions;
    size_t n_versions;
    size_t versions_capacity;

    struct rcbuf **owners; /* of values that were not copied, one reference each */
    size_t n_owners;
    size_t owners_capacity;
    size_t shared_bytes; /* of those values */

    struct map leases; /* lease id -> newest gen_version attached to it */
    struct gen_meta *metas;
    struct gen_meta **metas_end;

    struct state_record state; /* of the store when it was frozen */
};

/* One reference. NULL if out of memory. */
KVS_MUST_USE struct gen *gen_new(void);
struct gen *gen_ref(struct gen *g);
void gen_unref(struct gen *g); /* NULL is allowed */

/* Bytes that it takes, about. */
size_t gen_bytes(const struct gen *g);

/* NULL if the key has no version here. `hash` is that of the key, the same for all generations. */
struct gen_key *gen_find(const struct gen *g, struct kvs_view key, uint64_t hash);

/* Adds a version of r->key, newer than all others. Copies the key; copies the value, or references
 * `owner` if it lies in there (`owner` may be NULL). `ret` is part of the generation.
 * KVS_E_NOMEM: nothing was added. */
KVS_MUST_USE int gen_add(struct gen *g,
                         const struct record *r,
                         uint64_t hash,
                         kvs_lease_id replaced_lease,
                         struct rcbuf *owner,
                         struct gen_version **ret_version);

KVS_MUST_USE int gen_add_meta(struct gen *g,
                              enum backend_table table,
                              struct kvs_view key,
                              struct kvs_view value,
                              bool deleted);

/* Newest version with main revision <= rev, or NULL. */
const struct gen_version *gen_version_at(const struct gen_key *k, kvs_revision rev);

/* The version of exactly `rev`, or NULL. */
const struct gen_version *gen_version_find(const struct gen *g, struct rev rev);

/* Index in versions[] of the first with main revision >= rev. */
size_t gen_version_lower_bound(const struct gen *g, kvs_revision rev);

/* Puts the pending keys into the skip list. */
void gen_link(struct gen *g);

/* First key >= `key` in the skip list; NULL if none. Pending keys are not seen. */
struct gen_key *gen_seek(const struct gen *g, struct kvs_view key);

/* Aborts if an invariant does not hold. */
void gen_check(const struct gen *g);

#endif
