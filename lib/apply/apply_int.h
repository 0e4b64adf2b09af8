/* Inside of the state machine: what its files share. */
#ifndef APPLY_APPLY_INT_H
#define APPLY_APPLY_INT_H

#include "apply/alarms.h"
#include "apply/apply.h"
#include "apply/members.h"
#include "base/buf.h"

struct apply {
    struct mvcc *store; /* borrowed */
    struct lease_table *leases;
    struct member_table members;
    struct alarm_table alarms;
    struct arena scratch; /* of the entry that is being applied */
    struct buf record;    /* of the record that is being written */
};

/* Result codes are part of the answer and the same on every member; everything else that goes wrong
 * while applying is fatal. They are the first block of KVS_ERR_MAP. */
static inline bool apply_is_result(int err)
{
    return err <= KVS_E_EMPTY_KEY;
}

/* Where an answer is made. */
static inline struct arena *apply_arena(struct apply *a, const struct apply_input *input)
{
    return input->reply != NULL ? input->reply : &a->scratch;
}

/* persist.c: writing through mvcc, reading at start. Fatal errors only. */
KVS_MUST_USE int persist_load(struct apply *a, uint64_t now_ms);
KVS_MUST_USE int persist_cluster(struct apply *a);
KVS_MUST_USE int persist_member(struct apply *a, const struct kvs_member *member);
/* `leaving`: what is kept of it until the next configuration, or NULL. */
KVS_MUST_USE int
persist_member_removed(struct apply *a, uint64_t id, const struct kvs_member *leaving);
KVS_MUST_USE int persist_lease(struct apply *a, kvs_lease_id id);
KVS_MUST_USE int persist_lease_revoked(struct apply *a, kvs_lease_id id);
KVS_MUST_USE int persist_alarm(struct apply *a, const struct kvs_alarm *alarm, bool set);

/* One per kind: sets ret->status and the answer; returns fatal errors only. What does not open a
 * transaction of the store leaves advancing the applied index to the caller. */
typedef int (*apply_fn)(struct apply *a,
                        const struct apply_input *input,
                        const struct apply_entry *entry,
                        struct apply_result *ret);

/* apply_kv.c */
int apply_put(struct apply *a,
              const struct apply_input *input,
              const struct apply_entry *entry,
              struct apply_result *ret);
int apply_delete(struct apply *a,
                 const struct apply_input *input,
                 const struct apply_entry *entry,
                 struct apply_result *ret);
int apply_txn(struct apply *a,
              const struct apply_input *input,
              const struct apply_entry *entry,
              struct apply_result *ret);
int apply_compact(struct apply *a,
                  const struct apply_input *input,
                  const struct apply_entry *entry,
                  struct apply_result *ret);

/* apply_lease.c */
int apply_lease_grant(struct apply *a,
                      const struct apply_input *input,
                      const struct apply_entry *entry,
                      struct apply_result *ret);
int apply_lease_revoke(struct apply *a,
                       const struct apply_input *input,
                       const struct apply_entry *entry,
                       struct apply_result *ret);
int apply_lease_checkpoint(struct apply *a,
                           const struct apply_input *input,
                           const struct apply_entry *entry,
                           struct apply_result *ret);

/* apply_cluster.c */
int apply_alarm(struct apply *a,
                const struct apply_input *input,
                const struct apply_entry *entry,
                struct apply_result *ret);
int apply_attributes(struct apply *a,
                     const struct apply_input *input,
                     const struct apply_entry *entry,
                     struct apply_result *ret);
/* A configuration comes: nobody of the one before is leaving any more. */
int apply_member_left(struct apply *a);
int apply_member_change(struct apply *a,
                        const struct apply_member_change *change,
                        struct apply_result *ret);

/* The header of an answer, once the store's revision is known. */
struct kvs_header apply_header(const struct apply *a, const struct apply_input *input);

#endif
