/* The Raft core: a pure state machine. Events go in, effects come out; it does no I/O, reads no
 * clock and starts no thread, so that one seed replays a whole cluster.
 *
 *     event (tick, message, proposal, "it is on disk now", ...)
 *        |
 *        v            core_effects()
 *   +---------+   persist batch  -> WAL thread -> core_persisted(seq)
 *   |  core   |   messages       -> peers      -> core_step() over there
 *   +---------+   apply_to       -> state machine -> core_applied(index)
 *                 reads, role, snapshots, dropped proposals -> whoever waits
 *
 * The one rule for the owner: after one or more events call core_effects() and carry out what it
 * returns, in the order of the fields of struct core_effects. Everything that depends on a disk
 * write is held back inside until core_persisted(), so that the owner may send every message and
 * apply every entry that it is given at once. Batches go to disk in order of `seq`.
 *
 * All functions: owner's (loop) thread only, no callbacks except `conf_policy`. Where an event
 * returns KVS_E_NOMEM, the core may no longer be used except for core_free(); stop the process.
 *
 * The algorithm is that of Ongaro's dissertation (2014): pre-vote 9.6, leadership transfer 3.10,
 * joint consensus 4.3, read index 6.4. A configuration is in force from the moment that its entry
 * is in the log (4.1), not when it is applied.
 *
 * Built with KVS_RAFT_CORE=libraft, libraft decides in the place of our own engine. It has no joint
 * configurations: docs/decisions/011-libraft-oracle.md says what is refused (KVS_E_UNSUPPORTED). */
#ifndef REPLICA_CORE_H
#define REPLICA_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rcbuf.h"
#include "kvstore/err.h"
#include "kvstore/types.h"

struct core;

/* Ids of servers are never 0 and never used again after removal. */
#define CORE_NONE UINT64_C(0)

enum {
    CORE_SET_MAX = 32,   /* ids in one set of a configuration */
    CORE_PEERS_MAX = 64, /* distinct ids in a configuration, old and new voters together */
    CORE_CHANGES_MAX = 64,
    CORE_CONTEXT_MAX = 64 * 1024, /* bytes of context in a configuration change */
};

enum core_entry_type {
    CORE_ENTRY_NOOP = 0,   /* starts a term; nothing to apply */
    CORE_ENTRY_DATA = 1,   /* the owner's bytes */
    CORE_ENTRY_CONFIG = 2, /* core_conf_entry_decode(); in FORWARD_PROPOSE core_changes_decode() */
    CORE_ENTRY_TYPE_COUNT,
};

/* The index is given by the position. `data` points into `owner` (NULL when it is empty). */
struct core_entry {
    uint64_t term;
    enum core_entry_type type;
    struct kvs_view data;
    struct rcbuf *owner;
};

/* --- configurations ------------------------------------------------------------------------- */

/* A set of ids, ascending, without duplicates. */
struct core_set {
    uint32_t n;
    uint64_t ids[CORE_SET_MAX];
};

/* While `outgoing` is not empty the configuration is joint: every decision needs a majority of
 * `voters` and a majority of `outgoing`. No id is both a voter (old or new) and a learner. */
struct core_conf {
    struct core_set voters;        /* the new ones, or the only ones */
    struct core_set outgoing;      /* the old ones while joint */
    struct core_set learners;      /* receive entries, never count */
    struct core_set learners_next; /* old voters that become learners on leaving the joint state */
};

enum core_change_type {
    CORE_ADD_VOTER = 0,   /* a new server, or a learner is promoted */
    CORE_ADD_LEARNER = 1, /* a new server, or a voter is demoted */
    CORE_REMOVE = 2,
    CORE_UPDATE = 3, /* same place, only the context is new (addresses) */
    CORE_CHANGE_TYPE_COUNT,
};

struct core_change {
    enum core_change_type type;
    uint64_t id;
};

bool core_set_has(const struct core_set *set, uint64_t id);
bool core_conf_is_joint(const struct core_conf *conf);
bool core_conf_is_voter(const struct core_conf *conf, uint64_t id);   /* old or new */
bool core_conf_is_learner(const struct core_conf *conf, uint64_t id); /* now or next */
bool core_conf_is_member(const struct core_conf *conf, uint64_t id);

/* Adds to a configuration under construction (bootstrap). KVS_E_INVALID if the id is 0 or there
 * already, KVS_E_TOO_LONG if the set is full. */
KVS_MUST_USE int core_conf_add(struct core_conf *conf, enum core_change_type type, uint64_t id);

/* The configuration that `changes` make of `from` (not joint): joint if the voters differ.
 * KVS_E_INVALID: nothing would change, an id is named twice or is 0, a removed or updated id is no
 * member, or no voter would be left. KVS_E_TOO_LONG: too many members. */
KVS_MUST_USE int core_conf_change(const struct core_conf *from,
                                  const struct core_change *changes,
                                  size_t n_changes,
                                  struct core_conf *ret_conf);

/* The payload of a CONFIG entry: the whole configuration that is in force from that entry on, then
 * the proposer's context (empty in an entry that leaves a joint configuration). `ret_owner` has one
 * reference for the caller. KVS_E_NOMEM. */
KVS_MUST_USE int core_conf_entry_encode(const struct core_conf *conf,
                                        struct kvs_view context,
                                        struct rcbuf **ret_owner);
/* `ret_context` (may be NULL) points into `data`. KVS_E_MALFORMED for anything that encode would
 * not have produced. */
KVS_MUST_USE int core_conf_entry_decode(struct kvs_view data,
                                        struct core_conf *ret_conf,
                                        struct kvs_view *ret_context);

/* The same for a change on its way to the leader. `ret_changes` has room for CORE_CHANGES_MAX. */
KVS_MUST_USE int core_changes_encode(const struct core_change *changes,
                                     size_t n_changes,
                                     struct kvs_view context,
                                     struct rcbuf **ret_owner);
KVS_MUST_USE int core_changes_decode(struct kvs_view data,
                                     struct core_change *ret_changes,
                                     size_t *ret_n,
                                     struct kvs_view *ret_context);

/* --- messages ------------------------------------------------------------------------------- */

/* Which fields a type uses, besides type, from, to and term; the others are 0:
 *   PREVOTE, VOTE        index, log_term of the last entry; transfer (VOTE only)
 *   *VOTE_REPLY          reject
 *   APPEND               index, log_term of the entry before `entries`; commit; quiet; entries
 *   APPEND_REPLY         index = highest entry known to match, on disk; or reject, then index of
 *                        the APPEND that was refused, hint_index and hint_term where to look next
 *   HEARTBEAT            commit; context = round of reads, returned by HEARTBEAT_REPLY
 *   SNAPSHOT             index, log_term of the snapshot; sent by the owner ahead of the data
 *   TIMEOUT_NOW          start an election now: leadership is being handed over
 *   FORWARD_PROPOSE      entries (terms ignored); context = the proposer's
 *   PROPOSE_DROPPED      context; status = KVS_E_* reason
 *   READ_INDEX           context = the reader's
 *   READ_INDEX_REPLY     context; index, or status = KVS_E_* reason
 *   TRANSFER             index = the server that shall lead */
enum core_msg_type {
    CORE_MSG_PREVOTE = 0,
    CORE_MSG_PREVOTE_REPLY = 1,
    CORE_MSG_VOTE = 2,
    CORE_MSG_VOTE_REPLY = 3,
    CORE_MSG_APPEND = 4,
    CORE_MSG_APPEND_REPLY = 5,
    CORE_MSG_HEARTBEAT = 6,
    CORE_MSG_HEARTBEAT_REPLY = 7,
    CORE_MSG_SNAPSHOT = 8,
    CORE_MSG_TIMEOUT_NOW = 9,
    CORE_MSG_FORWARD_PROPOSE = 10,
    CORE_MSG_PROPOSE_DROPPED = 11,
    CORE_MSG_READ_INDEX = 12,
    CORE_MSG_READ_INDEX_REPLY = 13,
    CORE_MSG_TRANSFER = 14,
    CORE_MSG_TYPE_COUNT,
};

/* "append", "vote-reply", ...; "?" for a value out of range. Static storage. Any thread. */
const char *core_msg_name(enum core_msg_type type);

struct core_msg {
    enum core_msg_type type;
    uint64_t from;
    uint64_t to;
    uint64_t term; /* the sender's, or in PREVOTE and its grant the term it would start */
    uint64_t index;
    uint64_t log_term;
    uint64_t commit;
    uint64_t context;
    uint64_t hint_index;
    uint64_t hint_term;
    int32_t status;
    bool reject;
    bool quiet;    /* a success needs no reply: it only carries the commit index */
    bool transfer; /* the leader asked for this election */
    size_t n_entries;
    struct core_entry *entries; /* borrowed from whoever made the message */
};

/* --- start ---------------------------------------------------------------------------------- */

/* May the change be made? Sees the configuration in force; `context` as given by the proposer.
 * Called on the leader only, inside core_propose_conf() or core_step(). Any KVS_E_* refuses. It
 * must not call the core. */
typedef int (*core_conf_policy_fn)(void *ctx,
                                   const struct core_conf *conf,
                                   const struct core_change *changes,
                                   size_t n_changes,
                                   struct kvs_view context);

struct core_config {
    uint64_t id;
    uint64_t seed;                  /* of the election timeouts; different on every server */
    uint32_t election_ticks;        /* timeouts are drawn from [this, 2 * this) */
    uint32_t heartbeat_ticks;       /* less than election_ticks */
    uint32_t max_append_entries;    /* in one message */
    uint64_t max_append_bytes;      /* in one message; a larger single entry still goes alone */
    uint32_t max_inflight_msgs;     /* APPENDs to one follower without an answer */
    uint64_t max_inflight_bytes;    /* likewise */
    uint64_t max_uncommitted_bytes; /* proposals are dropped above this; 0: no limit */
    uint32_t max_reads;             /* reads waiting on the leader */
    bool pre_vote;
    bool check_quorum;               /* also leader stickiness */
    core_conf_policy_fn conf_policy; /* NULL: everything is allowed */
    void *conf_policy_ctx;
};

/* Fills everything but id and seed with values for a real cluster (10 and 1 ticks, 1 MiB). */
void core_config_defaults(struct core_config *config);

struct core_hard_state {
    uint64_t term;
    uint64_t vote;   /* CORE_NONE: nobody yet in this term */
    uint64_t commit; /* a hint; may lag */
};

/* What a state machine at `index` stands for. */
struct core_snapshot {
    uint64_t index;
    uint64_t term;
    struct core_conf conf; /* in force at `index` */
};

/* What was found on disk. First start of a founding member: all zero except snapshot.conf and
 * bootstrap_context, equal on all of them: the log begins with the same committed CONFIG entry
 * (index 1, term 1) everywhere, so that whoever joins later and replays the log knows the members,
 * too. First start of a joining member: all zero.
 * `entries` are consecutive from `first_index` and may begin before or at snapshot.index + 1:
 * older ones serve lagging followers. If they do not connect to the snapshot (it was installed and
 * the log not yet restarted) they are dropped and the first persist batch says `reset`. */
struct core_start {
    struct core_hard_state hard;
    struct core_snapshot snapshot;    /* what the state machine has: applied = snapshot.index */
    uint64_t first_index;             /* of entries[0] */
    const struct core_entry *entries; /* borrowed for the call; owners get a reference */
    size_t n_entries;
    struct kvs_view bootstrap_context; /* context of that first entry; else unused */
};

/* `start` NULL is all zero. KVS_E_NOMEM; KVS_E_INVALID for a bad config; KVS_E_DAMAGED if the
 * entries leave a gap after the snapshot, terms descend or a CONFIG entry cannot be decoded. */
KVS_MUST_USE int
core_new(const struct core_config *config, const struct core_start *start, struct core **ret_core);
void core_free(struct core *c); /* NULL is allowed */

/* --- events --------------------------------------------------------------------------------- */

/* Time passes. KVS_E_NOMEM. */
KVS_MUST_USE int core_tick(struct core *c);

/* Starts an election now, at pre-vote: for a sole voter that need not wait. Nothing happens on a
 * leader or on a server that is no voter. KVS_E_NOMEM. */
KVS_MUST_USE int core_campaign(struct core *c);

/* A message from a peer; borrows it (owners of accepted entries get a reference). Anything that
 * makes no sense is ignored. KVS_E_NOMEM; KVS_E_MALFORMED for a message that no correct peer sends
 * (nothing has happened, cut the connection). */
KVS_MUST_USE int core_step(struct core *c, const struct core_msg *m);

/* Proposes `n` DATA entries (their terms are ignored; borrows the array, takes references to the
 * owners). On a follower they are forwarded as one batch; should the leader refuse it, the effect
 * `dropped` names `context`, but a batch may also get lost. All or none are taken:
 * KVS_E_NO_LEADER; KVS_E_TOO_MANY_REQUESTS above max_uncommitted_bytes; KVS_E_BUSY while
 * leadership is being transferred; KVS_E_INVALID for another type or no entry; KVS_E_NOMEM. */
KVS_MUST_USE int
core_propose(struct core *c, const struct core_entry *entries, size_t n, uint64_t context);

/* Proposes a change of members; forwarded likewise. One at a time: KVS_E_BUSY until the previous
 * one is committed and left its joint state, and until the leader has committed an entry of its
 * own term. KVS_E_UNSUPPORTED for what the engine cannot do at once. Also what conf_policy,
 * core_conf_change() and core_propose() return. `bytes` are copied into the CONFIG entry for the
 * owner; at most CORE_CONTEXT_MAX (KVS_E_TOO_LONG). */
KVS_MUST_USE int core_propose_conf(struct core *c,
                                   const struct core_change *changes,
                                   size_t n_changes,
                                   struct kvs_view bytes,
                                   uint64_t context);

/* Asks for an index such that a state machine that has applied it contains every write
 * acknowledged before this call. Answered by the effect `reads` with the same context; on a
 * follower the question may get lost, so the owner asks again after a while with a NEW context.
 * KVS_E_NO_LEADER, KVS_E_TOO_MANY_REQUESTS, KVS_E_NOMEM. */
KVS_MUST_USE int core_read_index(struct core *c, uint64_t context);

/* Hands leadership to `target` (a voter), or asks the leader to. Given up after an election
 * timeout: look at core_status(). KVS_E_NO_LEADER, KVS_E_BAD_LEADER_TRANSFEREE, KVS_E_NOMEM. */
KVS_MUST_USE int core_transfer(struct core *c, uint64_t target);

/* Everything in the persist batches up to `seq` is on disk and synced. KVS_E_NOMEM. */
KVS_MUST_USE int core_persisted(struct core *c, uint64_t seq);

/* The state machine has applied (not: stored) everything up to `index`. */
void core_applied(struct core *c, uint64_t index);

/* Drops entries up to and including `index` from memory; at most what is applied. Followers that
 * need them get a snapshot: keep more than are written while one is installed. */
void core_compact(struct core *c, uint64_t index);

/* A message to `peer` was or may have been lost (its connection broke). */
void core_unreachable(struct core *c, uint64_t peer);

/* Sending side of a snapshot. After the effect `snapshot_to` the owner takes a snapshot, makes the
 * announcement with core_snapshot_msg(), sends it with the data, and says how it went: `index` is
 * that of the snapshot that was sent. */
void core_snapshot_sent(struct core *c, uint64_t peer, bool ok, uint64_t index);
/* KVS_E_NOT_LEADER if this is no longer the leader. */
KVS_MUST_USE int core_snapshot_msg(
    const struct core *c, uint64_t to, uint64_t index, uint64_t term, struct core_msg *ret_msg);

/* Receiving side. A SNAPSHOT message through core_step() yields the effect `snapshot_offer` if the
 * data are wanted; the owner receives and checks them, then
 *   core_snapshot_begin      before it touches the state machine. KVS_E_AGAIN: no longer wanted,
 *                            drop the data (the offer is over). From 0 on nothing is given out for
 *                            applying and nothing is appended;
 *   core_snapshot_installed  when the new state machine is durable; then apply from there;
 *   core_snapshot_failed     instead of either, at any time: the offer is over. */
KVS_MUST_USE int core_snapshot_begin(struct core *c, const struct core_snapshot *snapshot);
KVS_MUST_USE int core_snapshot_installed(struct core *c, const struct core_snapshot *snapshot);
void core_snapshot_failed(struct core *c);

/* --- effects -------------------------------------------------------------------------------- */

struct core_persist {
    uint64_t seq;                /* 0: nothing to write */
    bool hard_changed;           /* term or vote: write `hard` */
    struct core_hard_state hard; /* always filled */
    bool reset; /* first forget all entries: the log goes on after (reset_index, reset_term) */
    uint64_t reset_index;
    uint64_t reset_term;
    /* Write entries [from, to]; from > to: none. Entries on disk at or after `from` are no longer
     * part of the log. Read them with core_entry(). */
    uint64_t from;
    uint64_t to;
};

struct core_read_state {
    uint64_t context;
    uint64_t index;
    int status; /* 0, or KVS_E_LEADER_CHANGED, KVS_E_TOO_MANY_REQUESTS: ask again */
};

struct core_dropped {
    uint64_t context;
    int reason;
};

/* Pointers are valid until the next call with this core that is not a const query. */
struct core_effects {
    struct core_persist persist;
    const struct core_msg *messages; /* may be sent now; keep their order per peer */
    size_t n_messages;
    uint64_t apply_to; /* entries up to here may be applied; 0 or unchanged: nothing new */
    const struct core_read_state *reads;
    size_t n_reads;
    const struct core_dropped *dropped; /* proposals that the leader refused */
    size_t n_dropped;
    bool status_changed;         /* role, leader, term: core_status() */
    bool conf_changed;           /* core_conf(): connect to its members */
    bool removed_self;           /* committed: this server is no member any more; stop it */
    const uint64_t *snapshot_to; /* these followers need a snapshot */
    size_t n_snapshot_to;
    bool offered; /* receive this one: */
    uint64_t offer_from;
    uint64_t offer_index;
    uint64_t offer_term;
};

/* Collects what the events since the last call have led to; also builds the APPENDs, so that all
 * proposals between two calls share messages and disk writes. KVS_E_NOMEM. */
KVS_MUST_USE int core_effects(struct core *c, struct core_effects *ret_effects);

/* --- queries -------------------------------------------------------------------------------- */

enum core_role {
    CORE_FOLLOWER = 0,
    CORE_PRE_CANDIDATE = 1,
    CORE_CANDIDATE = 2,
    CORE_LEADER = 3,
    CORE_ROLE_COUNT,
};

const char *core_role_name(enum core_role role);

struct core_status {
    uint64_t id;
    enum core_role role;
    uint64_t term;
    uint64_t vote;
    uint64_t leader;      /* CORE_NONE: unknown */
    uint64_t first_index; /* of the entries in memory */
    uint64_t last_index;
    uint64_t last_term;
    uint64_t commit;
    uint64_t persisted; /* entries up to here are on this disk */
    uint64_t applied;
    uint64_t conf_index;     /* entry of core_conf(); 0 or below first_index: from before */
    uint64_t transfer_to;    /* CORE_NONE: no transfer runs */
    bool own_term_committed; /* leader: reads and membership changes are served */
    bool installing;         /* between core_snapshot_begin and _installed */
};

void core_status(const struct core *c, struct core_status *ret_status);

/* The configuration in force: the latest in the log. Borrowed until the next event. */
const struct core_conf *core_conf(const struct core *c);
/* The configuration in force at `index`, at most the last index: the snapshot's, for instance.
 * NULL if `index` is before what is in memory. */
const struct core_conf *core_conf_at(const struct core *c, uint64_t index);
/* Index of the first CONFIG entry above `index`; 0: there is none. */
uint64_t core_conf_after(const struct core *c, uint64_t index);

/* An entry in memory; NULL outside [first_index, last_index]. Borrowed until the next event; take
 * a reference to its owner to keep the bytes. */
const struct core_entry *core_entry(const struct core *c, uint64_t index);
/* Also for first_index - 1, the last one dropped. false if unknown. */
bool core_term_at(const struct core *c, uint64_t index, uint64_t *ret_term);

enum core_peer_state {
    CORE_PEER_PROBE = 0,
    CORE_PEER_REPLICATE = 1,
    CORE_PEER_SNAPSHOT = 2,
    CORE_PEER_STATE_COUNT,
};

struct core_peer_status {
    uint64_t id;
    enum core_peer_state state;
    uint64_t match;
    uint64_t next;
    bool active; /* heard from in the last one or two election timeouts */
    bool learner;
};

/* What the leader knows of a follower. KVS_E_NOT_LEADER, KVS_E_NOT_FOUND. */
KVS_MUST_USE int
core_peer_status(const struct core *c, uint64_t id, struct core_peer_status *ret_status);

/* Stops the process if an invariant is broken. Tests call it after every event; O(entries). */
void core_check(const struct core *c);

#endif
