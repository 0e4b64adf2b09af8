/* Leases: which exist (replicated, changed by committed entries only) and when they run out (the
 * leader's own business, never part of the replicated state).
 *
 *   replicated    id, granted TTL, remaining TTL of the last checkpoint
 *   local         deadline and checkpoint time; valid between lease_promote and lease_demote
 *
 * Which keys a lease holds is the store's knowledge (mvcc), not ours. All functions belong to the
 * thread that owns the state machine. `now_ms` is a monotonic clock of this process. */
#ifndef LEASE_LEASE_H
#define LEASE_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "kvstore/types.h"

struct lease_table;

#define LEASE_TTL_MAX_S INT64_C(9000000000)

/* etcd's pace: one scan each 500 ms, at most 500 leases a scan, a revoke that did not happen is
 * proposed again after 3 s. */
#define LEASE_SCAN_INTERVAL_MS   500
#define LEASE_EXPIRED_SCAN_MAX   500
#define LEASE_REVOKE_RETRY_MS    3000
#define LEASE_CHECKPOINT_MS      (5 * 60 * 1000)
#define LEASE_CHECKPOINT_MAX     1000
#define LEASE_PROMOTE_PER_SECOND 750

/* The replicated part of one lease. */
struct lease_info {
    kvs_lease_id id;
    int64_t granted_ttl_s;   /* 1..LEASE_TTL_MAX_S */
    int64_t remaining_ttl_s; /* of the last checkpoint; 0: none, the full TTL counts */
};

struct lease_checkpoint {
    kvs_lease_id id;
    int64_t remaining_ttl_s; /* 0 clears the checkpoint */
};

struct lease_renewal {
    int64_t ttl_s;         /* the granted TTL */
    bool clear_checkpoint; /* a checkpoint of 0 has to be committed before the client is told */
};

/* The least TTL that is granted: ceil(1.5 * election timeout), in seconds, at least 1. */
int64_t lease_ttl_min_s(uint64_t election_timeout_ms);

/* The TTL to propose when a client asks for `asked_s`: 0, negative and small ones are raised to
 * `min_s`. KVS_E_LEASE_TTL_TOO_LARGE. Done by the proposer, since `min_s` is a member's setting and
 * members may differ: the entry holds the result. */
KVS_MUST_USE int lease_ttl_adjust(int64_t asked_s, int64_t min_s, int64_t *ret_ttl_s);

/* An empty table of a follower. NULL if out of memory. */
KVS_MUST_USE struct lease_table *lease_table_new(void);
void lease_table_free(struct lease_table *t);

/* Forgets every lease (before a snapshot is loaded); leader or follower as before. */
void lease_table_clear(struct lease_table *t);

/* --- Replicated part: called while applying entries or loading ------------------------------- */

/* Adds a lease; on a leader its deadline starts at `now_ms`. KVS_E_LEASE_EXISTS,
 * KVS_E_LEASE_TTL_TOO_LARGE, KVS_E_LEASE_NOT_FOUND for id 0 (as etcd), KVS_E_NOMEM. */
KVS_MUST_USE int
lease_grant(struct lease_table *t, kvs_lease_id id, int64_t ttl_s, uint64_t now_ms);

/* Adds a lease as it was persisted. Errors as lease_grant. */
KVS_MUST_USE int
lease_restore(struct lease_table *t, const struct lease_info *info, uint64_t now_ms);

/* Removes a lease. Its keys are deleted by the caller. KVS_E_LEASE_NOT_FOUND. */
KVS_MUST_USE int lease_revoke(struct lease_table *t, kvs_lease_id id);

/* Records the remaining TTL, which is what a new leader starts from; clamped to the granted TTL,
 * 0 or less clears. Deadlines of the present leader do not move. KVS_E_LEASE_NOT_FOUND. */
KVS_MUST_USE int lease_checkpoint(struct lease_table *t, kvs_lease_id id, int64_t remaining_ttl_s);

/* False if there is no such lease; `ret_info` may be NULL. */
bool lease_get(const struct lease_table *t, kvs_lease_id id, struct lease_info *ret_info);
size_t lease_count(const struct lease_table *t);

/* Order-independent hash over the replicated part: equal on all members at one applied index. */
uint64_t lease_hash(const struct lease_table *t);

/* --- Leader's part ----------------------------------------------------------------------------
 * What these return is only meaningful if this member is still leader: the caller confirms that
 * with a quorum first, and proposes with the term in which it asked. */

/* This member became leader: each lease gets its checkpointed (or full) TTL plus `extend_ms`
 * (the election timeout), and at most LEASE_PROMOTE_PER_SECOND end in one second. */
void lease_promote(struct lease_table *t, uint64_t now_ms, uint64_t extend_ms);

/* No longer leader: all deadlines are void. */
void lease_demote(struct lease_table *t);
bool lease_is_leader(const struct lease_table *t);

/* Keep-alive. KVS_E_LEASE_NOT_FOUND (the client is told TTL 0); KVS_E_NOT_LEADER; KVS_E_AGAIN if it
 * has run out and is not yet revoked: the caller waits for the revoke and answers TTL 0. */
KVS_MUST_USE int lease_renew(struct lease_table *t,
                             kvs_lease_id id,
                             uint64_t now_ms,
                             struct lease_renewal *ret_renewal);

/* Whole seconds left (0 if it has run out). KVS_E_LEASE_NOT_FOUND, KVS_E_NOT_LEADER. */
KVS_MUST_USE int lease_time_to_live(const struct lease_table *t,
                                    kvs_lease_id id,
                                    uint64_t now_ms,
                                    int64_t *ret_remaining_s);

/* Writes at most `max` ids of leases that have run out, the oldest first, and returns how many.
 * Each is reported again after LEASE_REVOKE_RETRY_MS if it still exists. 0 on a follower. */
size_t lease_expired(struct lease_table *t, uint64_t now_ms, kvs_lease_id *ret_ids, size_t max);

/* Writes at most `max` checkpoints that are due and returns how many; each lease's next one is due
 * LEASE_CHECKPOINT_MS later. Leases with a TTL below that interval have none. 0 on a follower. */
size_t lease_checkpoints_due(struct lease_table *t,
                             uint64_t now_ms,
                             struct lease_checkpoint *ret_checkpoints,
                             size_t max);

/* When lease_expired or lease_checkpoints_due will next have something; UINT64_MAX: never. */
uint64_t lease_next_due_ms(const struct lease_table *t);

/* Writes all ids, on a leader by deadline, on a follower by id. `ret_ids` has room for lease_count
 * ids. */
void lease_list(const struct lease_table *t, kvs_lease_id *ret_ids);

/* As lease_list, always by id: the order in which state is persisted and hashed. */
void lease_list_by_id(const struct lease_table *t, kvs_lease_id *ret_ids);

/* Aborts if an invariant is broken. For tests. */
void lease_check(const struct lease_table *t);

#endif
