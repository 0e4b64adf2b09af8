/* The state machine of the cluster: committed entries go in, in index order; answers, events and
 * effects come out. Every member that applies the same entries holds the same state, whatever its
 * flags, its clock, and the progress of its own storing and compaction.
 *
 *     entry --decode--> check alarms, leases, members --> mvcc, leases, members, alarms
 *                                      |                              |
 *                               result (replicated)            applied index, with the change
 *
 * All functions belong to the thread that owns the state. A negative return value that is not named
 * is fatal: the process has to stop, since going on without the entry would make it diverge. */
#ifndef APPLY_APPLY_H
#define APPLY_APPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apply/entry.h"
#include "base/arena.h"
#include "base/attr.h"
#include "kvstore/types.h"
#include "lease/lease.h"
#include "mvcc/mvcc.h"

struct apply;

/* Loads leases, members and alarms from `store`. Borrows `store`, which outlives the result.
 * KVS_E_NOMEM, KVS_E_IO, KVS_E_DAMAGED, KVS_E_VERSION. */
KVS_MUST_USE int apply_new(struct mvcc *store, uint64_t now_ms, struct apply **ret_apply);
void apply_free(struct apply *a); /* NULL is allowed */

/* After mvcc_install: forgets everything and loads it again. Leader or follower as before. Errors
 * as apply_new. */
KVS_MUST_USE int apply_reload(struct apply *a, uint64_t now_ms);

/* The state of a new cluster, equal on every first member: entry 1 of term 1 counts as applied.
 * `raft_conf` are the Raft core's bytes, kept as they are. Copies everything. Only on an empty
 * state. KVS_E_INVALID (state not empty, no members, one twice), KVS_E_PEER_URL_EXISTS. */
KVS_MUST_USE int apply_bootstrap(struct apply *a,
                                 uint64_t cluster_id,
                                 const struct kvs_member *members,
                                 size_t n_members,
                                 struct kvs_view raft_conf);

/* --- Applying --------------------------------------------------------------------------------- */

struct apply_input {
    uint64_t index; /* one more than the last */
    uint64_t term;
    uint64_t now_ms;     /* for deadlines of a leader's leases; never part of the state */
    struct arena *reply; /* receives the answer; NULL: nobody here waits, none is made */
    struct rcbuf *owner; /* what the entry's bytes lie in, so that values need no copy; or NULL */
};

enum apply_changed {
    APPLY_CHANGED_LEASES = 1 << 0,
    APPLY_CHANGED_ALARMS = 1 << 1,
    APPLY_CHANGED_MEMBERS = 1 << 2,
    APPLY_CHANGED_COMPACTION = 1 << 3, /* tell the watch hub: `compact_revision` */
};

struct apply_result {
    enum apply_kind kind; /* 0 for an entry without content */
    uint64_t request_id;
    int status; /* 0 or a KVS_E_* result, the same on every member */
    unsigned changed;
    kvs_revision compact_revision;

    /* For the watch hub if there are events; views live until the next call that applies or ticks.
     * `revision` is the store's after the entry in any case. */
    kvs_revision revision;
    const struct kvs_event *events;
    size_t n_events;

    /* If status is 0 and input.reply was given. Headers carry revision and term only. Everything
     * they show is in input.reply. Of member changes: see apply_members. */
    union {
        struct kvs_put_resp put;
        struct kvs_delete_resp del;
        struct kvs_txn_resp txn;
        struct kvs_compact_resp compact;
        struct kvs_lease_grant_resp lease_grant;
        struct kvs_lease_revoke_resp lease_revoke;
        struct kvs_alarm_list_resp alarm; /* the alarm that is set now or was cleared, if any */
    } u;
};

/* Applies one entry. Borrows `entry`. Empty bytes (a leader's first entry) only advance the index.
 * KVS_E_MALFORMED, KVS_E_VERSION: this program cannot apply the entry and has to stop. */
KVS_MUST_USE int apply_entry(struct apply *a,
                             const struct apply_input *input,
                             struct kvs_view entry,
                             struct apply_result *ret_result);

/* Applies a configuration change of Raft: `raft_conf` is kept with the index, `context` is an
 * encoded APPLY_MEMBER_CHANGE or empty. ret_result->status says if the member table changed:
 * a proposer that used apply_member_check with no other change under way gets 0. */
KVS_MUST_USE int apply_conf(struct apply *a,
                            const struct apply_input *input,
                            struct kvs_view raft_conf,
                            struct kvs_view context,
                            struct apply_result *ret_result);

/* --- State ------------------------------------------------------------------------------------ */

struct mvcc *apply_store(struct apply *a);
struct lease_table *apply_leases(struct apply *a);

/* 0 before apply_bootstrap or the first snapshot. */
uint64_t apply_cluster_id(const struct apply *a);

/* The Raft configuration as of the applied index. Borrowed until the next call that applies. */
struct kvs_view apply_raft_conf(const struct apply *a);

/* By id. Borrowed until the next call that applies. */
const struct kvs_member *apply_members(const struct apply *a, size_t *ret_n);

/* NULL if there is none. Borrowed likewise. */
const struct kvs_member *apply_member_find(const struct apply *a, uint64_t id);

/* True if a member of this id was removed: it may never come back. */
bool apply_member_was_removed(const struct apply *a, uint64_t id);

/* All of them, in order of removal. Borrowed until the next entry is applied. */
const uint64_t *apply_members_removed(const struct apply *a, size_t *ret_n);

/* The one that the last applied configuration removed, as it was, or NULL. It goes on voting until
 * Raft leaves the joint configuration, which is the next one. Borrowed likewise. */
const struct kvs_member *apply_member_leaving(const struct apply *a);

/* Whether the change could be applied now; done before it is proposed. `learners_max` is a setting
 * of the proposer, 0: no limit. KVS_E_MEMBER_EXISTS, KVS_E_PEER_URL_EXISTS,
 * KVS_E_MEMBER_NOT_FOUND, KVS_E_MEMBER_NOT_LEARNER, KVS_E_TOO_MANY_LEARNERS,
 * KVS_E_MEMBER_BAD_URLS (none given), KVS_E_TOO_LONG (APPLY_MEMBERS_MAX). */
KVS_MUST_USE int apply_member_check(const struct apply *a,
                                    const struct apply_member_change *change,
                                    size_t learners_max);

/* By type, then member. Borrowed until the next call that applies. */
const struct kvs_alarm *apply_alarms(const struct apply *a, size_t *ret_n);
bool apply_alarm_is_set(const struct apply *a, int type);

/* What an entry would be refused for because of an alarm: KVS_E_NO_SPACE, KVS_E_CORRUPT or 0. For
 * proposers that want to answer at once; applying decides. */
KVS_MUST_USE int apply_alarm_check(const struct apply *a, const struct apply_entry *entry);

/* Hash over the whole state: keys with their kept history, leases, members, alarms, applied index.
 * Equal on all members at the same applied index. Reads everything: for the simulator and tests.
 * KVS_E_NOMEM, KVS_E_IO. */
KVS_MUST_USE int apply_state_hash(struct apply *a, uint64_t *ret_hash);

/* Aborts if an invariant is broken. For tests. */
void apply_check(const struct apply *a);

#endif
