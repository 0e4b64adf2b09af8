/* The members of the cluster as committed entries made them. In memory only; apply.c persists. */
#ifndef APPLY_MEMBERS_H
#define APPLY_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apply/entry.h"
#include "base/buf.h"
#include "kvstore/types.h"

struct member_table {
    uint64_t cluster_id; /* 0: none yet */
    struct kvs_blob raft_conf;
    struct kvs_member items[APPLY_MEMBERS_MAX]; /* by id; views are into `blocks` */
    void *blocks[APPLY_MEMBERS_MAX];            /* one allocation per member */
    size_t n_items;
    uint64_t *removed; /* in order of removal */
    size_t n_removed;
    size_t removed_capacity;
    struct kvs_member leaving; /* id 0: nobody; else the one removed last, as it was */
    void *leaving_block;       /* of its views */
};

void members_init(struct member_table *t);
void members_fini(struct member_table *t);

/* -1 if there is none. */
int members_find(const struct member_table *t, uint64_t id);
bool members_was_removed(const struct member_table *t, uint64_t id);

/* As apply_member_check. */
KVS_MUST_USE int members_check(const struct member_table *t,
                               const struct apply_member_change *change,
                               size_t learners_max);

/* Adds the member, or replaces the one with its id. Copies. KVS_E_NOMEM, KVS_E_TOO_LONG. */
KVS_MUST_USE int members_put(struct member_table *t, const struct kvs_member *member);

/* Remembers the id and takes the member, if there is one, out of the table: it is the one that is
 * leaving now. KVS_E_NOMEM. */
KVS_MUST_USE int members_remove(struct member_table *t, uint64_t id);

/* The one that is leaving, from its record. Copies. KVS_E_NOMEM. */
KVS_MUST_USE int members_set_leaving(struct member_table *t, const struct kvs_member *member);
void members_forget_leaving(struct member_table *t);

/* Replaces the Raft configuration. Copies. KVS_E_NOMEM. */
KVS_MUST_USE int members_set_raft_conf(struct member_table *t, struct kvs_view raft_conf);

/* A member's record on disk. KVS_E_TOO_LONG. */
KVS_MUST_USE int member_encode(const struct kvs_member *member, struct buf *to);

/* Views borrow from `record`, arrays are in `arena`. KVS_E_DAMAGED, KVS_E_VERSION, KVS_E_NOMEM. */
KVS_MUST_USE int member_decode(uint64_t id,
                               struct kvs_view record,
                               struct arena *arena,
                               struct kvs_member *ret_member);

/* Order, unique ids and URLs. Aborts. */
void members_verify(const struct member_table *t);

#endif
