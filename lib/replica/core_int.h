/* What the files of the Raft core share. One file per part of the protocol:
 *
 *   core.c            construction, queries
 *   core_effects.c    what the owner is given, and what is held back until it is on disk
 *   core_entries.c    entries are appended, cut off, committed
 *   core_log.c        entries in memory and the configurations among them
 *   core_conf.c       sets of servers: changes, encoding
 *   core_peer.c       what the leader knows of each follower; majorities
 *   core_propose.c    proposals and membership changes
 *   core_read.c       read index
 *   core_transfer.c   requests to hand leadership over
 *   core_snapshot.c   when entries are no longer in memory
 *   core_check.c      invariants
 *
 * They surround an engine, which decides who leads, which entries are taken and what is committed:
 * our own (core_engine.c names its files) or libraft behind the same functions (libraft/). */
#ifndef REPLICA_CORE_INT_H
#define REPLICA_CORE_INT_H

#include "base/assert.h"
#include "base/attr.h"
#include "base/rand.h"
#include "replica/core.h"

/* --- sabotage --------------------------------------------------------------------------------
 * Deliberate faults for the test that proves that the simulator would see them. They exist only in
 * the library that test/sim builds for itself with KVS_SABOTAGE. */
enum core_mutant {
    MUTANT_NONE = 0,
    MUTANT_VOTE_BEFORE_PERSIST,
    MUTANT_ACK_BEFORE_PERSIST,
    MUTANT_SELF_VOTE_BEFORE_PERSIST,
    MUTANT_OWN_DISK_COUNTS_EARLY,
    MUTANT_COMMIT_OLD_TERM,
    MUTANT_APPLY_BEFORE_COMMIT,
    MUTANT_FOLLOWER_COMMITS_UNMATCHED,
    MUTANT_READ_WITHOUT_QUORUM,
    MUTANT_READ_BEFORE_OWN_TERM,
    MUTANT_TRUNCATE_ALWAYS,
    MUTANT_JOINT_IGNORES_OLD,
    MUTANT_VOTE_IGNORES_LOG,
    MUTANT_CONF_NOT_ROLLED_BACK,
    MUTANT_LEAVE_JOINT_EARLY,
    MUTANT_VOTE_TWICE,
    MUTANT_NO_JOINT,
    MUTANT_CANDIDATE_REUSES_TERM,
    MUTANT_COUNT,
};

#ifdef KVS_SABOTAGE
extern enum core_mutant core_sabotage;

static inline bool core_mutated(enum core_mutant mutant)
{
    return core_sabotage == mutant;
}
#else
static inline bool core_mutated(enum core_mutant mutant)
{
    (void)mutant;
    return false;
}
#endif

/* --- the log -------------------------------------------------------------------------------- */

/* A configuration is in force from the entry at `index` up to the next one in the log. */
struct core_conf_mark {
    uint64_t index;
    struct core_conf conf;
};

/* Entries base_index + 1 .. base_index + n in a ring, and the configurations in force over them. */
struct core_log {
    struct core_entry *ring;
    size_t capacity; /* power of two, or 0 */
    size_t head;     /* slot of the first entry */
    size_t n;
    uint64_t base_index; /* the last entry that was dropped */
    uint64_t base_term;
    struct core_conf_mark *marks; /* ascending; marks[0] is in force where memory begins */
    size_t n_marks;
    size_t marks_capacity;
};

/* An empty log after `snapshot`. KVS_E_NOMEM. */
KVS_MUST_USE int core_log_init(struct core_log *log, const struct core_snapshot *snapshot);
void core_log_fini(struct core_log *log);
/* Empty again, after `snapshot`; cannot fail. */
void core_log_reset(struct core_log *log, const struct core_snapshot *snapshot);

static inline uint64_t core_log_last(const struct core_log *log)
{
    return log->base_index + log->n;
}

const struct core_entry *core_log_at(const struct core_log *log, uint64_t index);
bool core_log_term(const struct core_log *log, uint64_t index, uint64_t *ret_term);
uint64_t core_log_last_term(const struct core_log *log);
/* True if an entry of that term is known to be at `index`. */
bool core_log_matches(const struct core_log *log, uint64_t index, uint64_t term);

/* Room for `n` more entries, `n_marks` of them configurations, so that appending cannot fail. */
KVS_MUST_USE int core_log_reserve(struct core_log *log, size_t n, size_t n_marks);
/* Appends into reserved room; takes a reference to the owner. `conf` for a CONFIG entry, except
 * one that a snapshot's configuration has replaced already. */
void core_log_push(struct core_log *log, const struct core_entry *e, const struct core_conf *conf);
/* Removes the entries at and after `from`. */
void core_log_truncate(struct core_log *log, uint64_t from);
/* Drops the entries up to and including `index`. */
void core_log_drop(struct core_log *log, uint64_t index);
const struct core_conf_mark *core_log_mark_at(const struct core_log *log, uint64_t index);
const struct core_conf_mark *core_log_mark_last(const struct core_log *log);
/* The last index up to `index` whose term is at most `term`: where two logs may still agree. Stops
 * at the base, whose predecessors are unknown. */
uint64_t core_log_agreeable(const struct core_log *log, uint64_t index, uint64_t term);

/* --- followers, as seen by the leader --------------------------------------------------------- */

enum core_vote {
    CORE_VOTE_OPEN = 0,
    CORE_VOTE_GRANTED,
    CORE_VOTE_REFUSED,
};

struct core_flight {
    uint64_t last; /* index of the last entry in the message */
    uint64_t bytes;
};

/*   PROBE      one APPEND at a time, to find where the logs agree
 *   REPLICATE  they agree: entries are sent ahead of the answers, within a window
 *   SNAPSHOT   the entries are gone; nothing is sent until the owner reports
 * A peer that is no longer in the configuration stays for a while as `leaving`, so that it hears
 * of its removal; it counts for nothing. */
struct core_peer {
    uint64_t id;
    enum core_peer_state state;
    enum core_vote vote;
    uint64_t match;       /* highest entry known to be on its disk */
    uint64_t next;        /* the entry to send next */
    uint64_t sent_commit; /* highest commit index in an APPEND */
    uint64_t round;       /* highest round of reads it has answered */
    bool paused;          /* PROBE: a message is out */
    bool nudge;           /* REPLICATE: ask where it is, an APPEND may have been lost */
    bool active;          /* heard from since the last check */
    bool wants_snapshot;  /* not yet told to the owner */
    uint64_t installed;   /* the snapshot that the owner has told to be there; for libraft/ */
    bool leaving;
    uint32_t leaving_ticks;
    struct core_flight *flights; /* ring of max_inflight_msgs */
    uint32_t flight_head;
    uint32_t n_flights;
    uint64_t flight_bytes;
};

/* --- what is held back ------------------------------------------------------------------------ */

/* A message that may leave once the persist batch `need` is on disk. FORWARD_PROPOSE owns its
 * entries, no other queued message has any. */
struct core_out {
    struct core_msg msg;
    uint64_t need;
};

/* A persist batch that the owner has taken. `last`: entries up to here are then on disk; lowered
 * when the log is truncated, since what is behind is no longer part of it. */
struct core_write {
    uint64_t seq;
    uint64_t last;
};

/* A read on the leader: waits for an entry of its term to be committed, then for a round. */
struct core_read {
    uint64_t from; /* who asked */
    uint64_t context;
    uint64_t index; /* commit when it was asked; 0: before an entry of this term was committed */
    uint64_t round; /* 0: not yet in one */
};

struct core {
    struct core_config config;
    struct rng rng;
    struct core_log log;

    uint64_t term;
    uint64_t vote;
    uint64_t leader;
    enum core_role role;
    uint64_t commit;
    uint64_t applied;
    uint64_t apply_given; /* given to the owner for applying */

    uint32_t election_elapsed; /* ticks; leader: since the last quorum check */
    uint32_t heartbeat_elapsed;
    uint32_t timeout_ticks; /* drawn anew whenever the election clock starts again */

    struct core_peer peers[CORE_PEERS_MAX];
    size_t n_peers;

    /* leader only */
    uint64_t term_start; /* index of the NOOP of this term */
    uint64_t uncommitted_bytes;
    uint64_t transfer_to;
    uint32_t transfer_elapsed;
    uint64_t round; /* of reads; never goes back */
    struct core_read *reads;
    size_t n_reads;

    /* disk */
    uint64_t next_seq;      /* of the batch that is being collected */
    uint64_t persisted_seq; /* every batch up to here is on disk */
    uint64_t hard_seq;      /* the batch with the current term and vote */
    bool hard_dirty;
    bool reset_dirty;
    uint64_t reset_index;
    uint64_t reset_term;
    uint64_t unsaved_from; /* entries from here are in no batch yet */
    uint64_t persisted;    /* entries of the log up to here are on disk */
    struct core_write *writes;
    size_t n_writes;
    size_t writes_capacity;

    /* snapshot being received */
    bool offered;   /* an offer is open */
    bool offer_new; /* not yet told to the owner */
    bool installing;
    uint64_t offer_from;
    uint64_t offer_index;
    uint64_t offer_term;

    /* effects */
    struct core_out *outs;
    size_t n_outs;
    size_t outs_capacity;
    struct core_msg *ready;
    size_t n_ready;
    size_t ready_capacity;
    struct core_entry *scratch; /* entries of the APPENDs in `ready`, borrowed from the log */
    size_t n_scratch;
    size_t scratch_capacity;
    struct core_read_state *answers;
    size_t n_answers;
    size_t answers_given; /* of them handed out by the last core_effects */
    size_t answers_capacity;
    struct core_dropped *drops;
    size_t n_drops;
    size_t drops_given;
    size_t drops_capacity;
    uint64_t snapshot_to[CORE_PEERS_MAX];
    bool conf_changed;
    bool removed; /* committed: not a member any more */
    bool removed_told;
    struct {
        enum core_role role;
        uint64_t term;
        uint64_t leader;
    } told; /* as of the last core_effects */

    struct core_engine *engine; /* of libraft/; our own has no state besides */
};

/* A change of members on the leader. `context` names it on `from`. */
struct core_request {
    uint64_t from;
    uint64_t context;
    const struct core_change *changes;
    size_t n_changes;
    struct kvs_view bytes;
};

/* --- core.c ----------------------------------------------------------------------------------- */

static inline const struct core_conf *core_conf_now(const struct core *c)
{
    return &core_log_mark_last(&c->log)->conf;
}

static inline uint64_t core_last(const struct core *c)
{
    return core_log_last(&c->log);
}

static inline bool core_own_term_committed(const struct core *c)
{
    return c->role == CORE_LEADER && c->commit >= c->term_start;
}

/* Grows `*array` of elements of `size` bytes to hold at least `want`. KVS_E_NOMEM. */
KVS_MUST_USE int core_grow(void **array, size_t *capacity, size_t size, size_t want);
/* A proposal, read or transfer of another server, or an answer to one of ours. */
KVS_MUST_USE int core_step_request(struct core *c, const struct core_msg *m);

/* --- the engine: core_engine.c, or libraft/ ----------------------------------------------------
 */

/* The log and the state of `c` are as found on disk; `snapshot` is what the state machine has.
 * KVS_E_NOMEM; KVS_E_UNSUPPORTED for a log that this engine cannot go on with. */
KVS_MUST_USE int core_engine_start(struct core *c, const struct core_snapshot *snapshot);
void core_engine_stop(struct core *c); /* also after a start that failed */
KVS_MUST_USE int core_engine_tick(struct core *c);
KVS_MUST_USE int core_engine_campaign(struct core *c);
KVS_MUST_USE int core_engine_step(struct core *c, const struct core_msg *m);
/* `persisted` and `persisted_seq` have moved on. */
KVS_MUST_USE int core_engine_persisted(struct core *c);
/* Effects are being collected: the last moment to build messages. */
KVS_MUST_USE int core_engine_collect(struct core *c);
void core_engine_compacted(struct core *c);
/* The snapshot is installed; `replaced`: the log did not contain it and begins after it. */
KVS_MUST_USE int
core_engine_installed(struct core *c, const struct core_snapshot *snapshot, bool replaced);
KVS_MUST_USE int core_engine_transfer(struct core *c, uint64_t target);
/* May turn `conf`, as core_conf_change() made it, into one that the engine can do.
 * KVS_E_UNSUPPORTED. */
KVS_MUST_USE int core_engine_admit(struct core *c, struct core_conf *conf);
/* Sets `ret_deferred` if the engine has kept the change for later. KVS_E_*: refused. */
KVS_MUST_USE int core_engine_defer(struct core *c,
                                   const struct core_conf *conf,
                                   struct core_request request,
                                   bool *ret_deferred);
void core_engine_check(const struct core *c);

/* --- core_effects.c --------------------------------------------------------------------------- */

/* Every event starts here: room for what it may queue, so that it does not fail half-way. */
KVS_MUST_USE int core_event_begin(struct core *c);
/* Queues a message at the current term, to leave when batch `need` is on disk (and the term). */
void core_send(struct core *c, struct core_msg m, uint64_t need);
/* The batch after which the entry at `index` is on disk; 0 if it is. */
uint64_t core_seq_of(const struct core *c, uint64_t index);
void core_hard_changed(struct core *c);
/* Forgets queued messages that were waiting for the disk: their term is over. */
void core_outs_drop_held(struct core *c);
void core_answer(struct core *c, uint64_t context, uint64_t index, int status);
void core_drop(struct core *c, uint64_t context, int reason);
void core_msg_free_entries(struct core_msg *m);
/* The log was cut at `from`: what is on disk behind it no longer counts. */
void core_persist_cut(struct core *c, uint64_t from);

/* --- core_conf.c ------------------------------------------------------------------------------ */

/* The configuration after `joint`: the old voters have no say any more. */
void core_conf_leave(const struct core_conf *joint, struct core_conf *ret_conf);

/* --- core_peer.c ------------------------------------------------------------------------------ */

struct core_peer *core_peer_get(struct core *c, uint64_t id);
/* Makes `peers` follow the configuration in force. KVS_E_NOMEM. */
KVS_MUST_USE int core_peers_sync(struct core *c);
void core_peers_free(struct core *c);
/* Forgets removed servers that have been leaving for `ticks` or longer. */
void core_peers_forget_leaving(struct core *c, uint32_t ticks);
void core_peer_reset(struct core_peer *p, uint64_t next);
void core_peer_probe(struct core_peer *p, uint64_t next);
void core_peer_replicate(struct core_peer *p);
bool core_peer_full(const struct core *c, const struct core_peer *p);
void core_peer_flight_add(struct core *c, struct core_peer *p, uint64_t last, uint64_t bytes);
void core_peer_flight_ack(struct core *c, struct core_peer *p, uint64_t index);

typedef uint64_t (*core_value_fn)(const struct core *c, const struct core_peer *p);
/* The highest value that a majority of the voters has reached; of both majorities while joint. */
uint64_t core_quorum(const struct core *c, core_value_fn value);

/* --- core_election.c -------------------------------------------------------------------------- */

void core_timer_reset(struct core *c);
void core_become_follower(struct core *c, uint64_t term, uint64_t leader);
KVS_MUST_USE int core_campaign_start(struct core *c, bool transfer);
KVS_MUST_USE int core_election_persisted(struct core *c);
KVS_MUST_USE int core_on_vote_request(struct core *c, const struct core_msg *m);
KVS_MUST_USE int core_on_vote_reply(struct core *c, const struct core_msg *m);
bool core_in_lease(const struct core *c);
KVS_MUST_USE int core_election_tick(struct core *c);

/* --- core_append.c ---------------------------------------------------------------------------- */

KVS_MUST_USE int core_on_append(struct core *c, const struct core_msg *m);
void core_on_heartbeat(struct core *c, const struct core_msg *m);

/* --- core_entries.c --------------------------------------------------------------------------- */

KVS_MUST_USE int core_entries_valid(const struct core_msg *m);
uint64_t core_entries_bytes(const struct core_entry *entries, size_t n);
/* The first of them belongs at last + 1. */
KVS_MUST_USE int core_entries_append(struct core *c, const struct core_entry *entries, size_t n);
/* Entries at and after `from` are no longer part of the log. */
KVS_MUST_USE int core_entries_cut(struct core *c, uint64_t from);
void core_commit_to(struct core *c, uint64_t index);
/* Leader: everything up to `reached` is committed. */
void core_leader_commit(struct core *c, uint64_t reached);

/* --- core_replicate.c ------------------------------------------------------------------------- */

KVS_MUST_USE int core_on_append_reply(struct core *c, const struct core_msg *m);
KVS_MUST_USE int core_on_heartbeat_reply(struct core *c, const struct core_msg *m);
void core_broadcast_heartbeat(struct core *c);
/* Leader: appends to the own log; the terms are set. Room must be there. */
KVS_MUST_USE int
core_leader_push(struct core *c, const struct core_entry *e, const struct core_conf *conf);
/* Leader: counts acknowledgements again. */
KVS_MUST_USE int core_advance_commit(struct core *c);
/* Leader: builds the APPENDs for everything that is new. */
KVS_MUST_USE int core_replicate(struct core *c);
KVS_MUST_USE int core_leader_tick(struct core *c);

/* --- core_propose.c --------------------------------------------------------------------------- */

KVS_MUST_USE int
core_forward(struct core *c, const struct core_entry *entries, size_t n, uint64_t context);
KVS_MUST_USE int core_on_forward(struct core *c, const struct core_msg *m);
/* Leader: a committed joint configuration is left by an entry of the leader's own. */
KVS_MUST_USE int core_maybe_leave_joint(struct core *c);
KVS_MUST_USE int
core_push_conf(struct core *c, const struct core_conf *conf, struct kvs_view context);

/* --- core_read.c ------------------------------------------------------------------------------ */

void core_on_read_index(struct core *c, const struct core_msg *m);
void core_reads_start(struct core *c);   /* puts waiting reads into a round */
void core_reads_confirm(struct core *c); /* answers those whose round a majority confirmed */
void core_reads_fail(struct core *c);    /* no longer the leader */

/* --- core_transfer.c -------------------------------------------------------------------------- */

KVS_MUST_USE int core_on_transfer(struct core *c, const struct core_msg *m);

/* --- core_handover.c -------------------------------------------------------------------------- */

KVS_MUST_USE int core_on_timeout_now(struct core *c, const struct core_msg *m);
void core_transfer_progress(struct core *c, const struct core_peer *p);
void core_transfer_tick(struct core *c);
/* A leader that is no voter any more, and whose removal is committed, hands over and retires. */
void core_maybe_retire(struct core *c);

/* --- core_snapshot.c -------------------------------------------------------------------------- */

void core_on_snapshot(struct core *c, const struct core_msg *m);
/* Tells the leader that the log matches up to `index`, when that is on disk. */
void core_acknowledge(struct core *c, uint64_t index);
void core_peer_need_snapshot(struct core_peer *p);

#endif
