/* The recipes' common parts: contender keys NAME/LEASE-IN-HEX, the oldest of which owns. */
#ifndef CLIENT_LOCK_INT_H
#define CLIENT_LOCK_INT_H

#include "client/client_int.h"

struct kvs_lock {
    struct kvs_client *client;
    kvs_lease_id lease;
    kvs_revision revision; /* that created the key */
    struct kvs_header header;
    struct kvs_view prefix; /* "NAME/" */
    struct kvs_view prefix_end;
    struct kvs_view key; /* "NAME/LEASE"; all three are behind this struct */
};

/* NULL if out of memory. kvs_free. */
KVS_MUST_USE struct kvs_lock *
lock_new(struct kvs_client *c, struct kvs_view name, kvs_lease_id lease);

/* The range that finds the owner: the contender with the least create revision. */
struct kvs_range_req lock_owner_req(struct kvs_view prefix, struct kvs_view prefix_end);

/* The comparison that holds while the key is still the one of `lock`. */
struct kvs_compare lock_still_ours(const struct kvs_lock *lock);

#endif
