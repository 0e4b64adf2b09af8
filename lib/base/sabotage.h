/* Deliberate faults of whole nodes, for the test that proves that the simulator would see them
 * (test/sim/node_mutants.c). They exist only in what test/sim builds for itself with KVS_SABOTAGE;
 * in the product sabotaged() is false at compile time. The Raft core has its own in core_int.h. */
#ifndef BASE_SABOTAGE_H
#define BASE_SABOTAGE_H

#include <stdbool.h>

/* X(name, what is said of it) */
#define SABOTAGE_MAP(X)                                                                            \
    X(WAL_NO_SYNC, "wal-sync-dropped")                                                             \
    X(WAL_NO_HARD_STATE, "wal-vote-and-term-dropped")                                              \
    X(STORE_INDEX_APART, "applied-index-outside-transaction")                                      \
    X(TRIM_BEYOND_STORED, "log-trimmed-beyond-stored")                                             \
    X(WRITE_RETRIED_BLINDLY, "write-proposed-again-without-term-check")                            \
    X(WRITE_RETRIED_AFTER_SNAPSHOT, "write-proposed-again-after-snapshot")                         \
    X(READ_WITHOUT_BARRIER, "read-without-barrier")                                                \
    X(SNAPSHOT_OLD_CONF, "snapshot-without-its-configuration")                                     \
    X(SNAPSHOT_NO_RELOAD, "snapshot-without-leases-and-members")                                   \
    X(LEASE_OLD_LEADER, "lease-ended-by-old-leader")                                               \
    X(LEASE_UNCONFIRMED, "lease-renewed-by-old-leader")                                            \
    X(LEASE_NOT_EXTENDED, "lease-deadline-forgotten-in-elections")                                 \
    X(LEASE_KEYS_LEFT, "lease-leaves-a-key")                                                       \
    X(WATCH_COMPACTED_EARLY, "watch-off-by-one-at-compaction")                                     \
    X(WATCH_RESUMED_LATE, "watch-off-by-one-at-start")                                             \
    X(WATCH_NOT_RESET, "watch-not-told-of-snapshot")                                               \
    X(MEMBER_CUT_OFF_EARLY, "leaving-member-cut-off-early")                                        \
    X(MEMBER_NO_GUESTS, "leader-never-heard-of-refused")

enum sabotage {
    SABOTAGE_NONE,
#define X(name, text) SABOTAGE_##name,
    SABOTAGE_MAP(X)
#undef X
        SABOTAGE_COUNT,
};

#ifdef KVS_SABOTAGE
extern enum sabotage sabotage_now;

static inline bool sabotaged(enum sabotage fault)
{
    return sabotage_now == fault;
}
#else
static inline bool sabotaged(enum sabotage fault)
{
    (void)fault;
    return false;
}
#endif

#endif
