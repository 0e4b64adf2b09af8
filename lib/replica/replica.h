/* Replica: the driver around the Raft core. It owns the core and moves its effects: entries to the
 * log device, messages to the transport, committed entries to the owner, snapshots between members.
 *
 *   proposals, reads --+                                    +--> log device (WAL thread)
 *   frames from peers -+--> replica --> core (pure) --> effects --> transport (peers)
 *   timer, log done ---+                                    +--> owner: apply, leader_changed, ...
 *
 * Loop thread only; nothing here knows libuv, files or threads, so that a whole cluster of replicas
 * runs in one thread under the simulator. Everything that is asked of a replica is only recorded;
 * replica_flush(), once at the end of a loop turn, submits it as one batch and carries out the
 * effects. Owner callbacks and completions come from replica_flush() (and replica_close()) alone,
 * except `wake` and `fatal` (from anywhere) and `app_message` (from an event of the transport).
 * From inside a callback the owner may call everything but replica_flush, replica_close and
 * replica_start. */
#ifndef REPLICA_REPLICA_H
#define REPLICA_REPLICA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/rcbuf.h"
#include "kvstore/types.h"
#include "replica/core.h"
#include "replica/log_device.h"
#include "replica/snapshot.h"
#include "replica/transport.h"

struct log;
struct replica;

/* The largest entry that any replica takes, from its owner or from another member. One in a
 * message of its own has to fit into a frame (PEER_FRAME_BYTES_MAX) with room to spare. */
enum { REPLICA_ENTRY_BYTES_MAX = 32 << 20 };

/* 0: the default that is named. */
struct replica_limits {
    size_t entry_bytes_max;         /* one proposal; REPLICA_ENTRY_BYTES_MAX, which is the most */
    uint64_t uncommitted_bytes_max; /* proposals are refused above; 64 MiB */
    size_t reads_max;               /* waiting reads; 1,000,000 */
    uint64_t keep_entries;          /* kept in memory behind the durable state; 5,000 */
    uint64_t keep_entries_max;      /* ... if they are small; 100,000 */
    size_t keep_bytes_max;          /* ... in bytes, four times that for keep_entries; 8 MiB */
    size_t hold_bytes_max; /* for a follower that is being served, or gets a snapshot; 256 MiB */
    size_t snapshot_chunk_bytes;  /* 256 KiB */
    unsigned snapshot_window;     /* unacknowledged chunks; 8 */
    unsigned snapshot_timeout_ms; /* without progress; 30,000 */
};

struct replica_config {
    uint64_t cluster_id;
    uint64_t member_id;
    unsigned tick_ms;          /* replica_tick is called this often; 0: 100 */
    unsigned election_ticks;   /* 0: 10 */
    unsigned heartbeat_ticks;  /* 0: 1 */
    bool no_pre_vote;          /* as etcd's --pre-vote=false */
    const struct clock *clock; /* borrowed */
    uint64_t seed;
    struct log *log; /* borrowed; may be NULL */
    struct replica_limits limits;
};

/* A request for a snapshot of the owner's state. Lives in the replica until it is answered. */
struct replica_snapshot_open {
    uint64_t to;        /* the member that needs it */
    uint64_t index_min; /* a snapshot of an older state is of no use */
};

/* All are set. Views and buffers are borrowed for the call. */
struct replica_owner {
    /* There is something to do: call replica_flush at the end of this loop turn. Cheap, may be
     * called many times, also from inside replica_flush (then: one more turn). */
    void (*wake)(void *ctx);

    /* A committed and persisted entry: strictly in index order, without gaps. `entry->type` is
     * CORE_ENTRY_DATA, or NOOP or CONFIG (then there is nothing to do but to count the index).
     * Reference entry->owner to keep the bytes. */
    void (*apply)(void *ctx, uint64_t index, const struct core_entry *entry);
    /* After the last apply of a batch: the place to hand the batch on. */
    void (*apply_batch_end)(void *ctx);

    /* `leader` 0: none known. What the change has failed was completed before. */
    void (*leader_changed)(void *ctx, uint64_t leader, uint64_t term, bool we_lead);
    /* Proposals of `batch` (replica_propose) were refused, here or by the leader. Best effort: a
     * batch may also be lost without a word. */
    void (*proposal_dropped)(void *ctx, uint64_t batch, int reason);

    /* Leader only: may this change be made? Any KVS_E_* refuses. Must not call the replica. */
    int (*conf_policy)(void *ctx,
                       const struct core_conf *conf,
                       const struct core_change *changes,
                       size_t n_changes,
                       struct kvs_view context);
    /* `conf` is in force although its entry is not yet committed (or an older one is again): make
     * its members reachable (transport set_peers), with what replica_conf_next knows of those that
     * are not applied. Also from the first flush, unless there is none yet. */
    void (*conf_appended)(void *ctx, const struct core_conf *conf);
    /* The entry at `index` with `conf` is committed; comes before `apply` of the same index. To be
     * made durable together with that index: replica_state.applied.conf after a restart. */
    void (*conf_applied)(void *ctx,
                         uint64_t index,
                         const struct core_conf *conf,
                         struct kvs_view context);
    /* We are no member any more, by an applied configuration or by a peer's word. Once. */
    void (*removed)(void *ctx);

    /* A disk failure or a broken invariant: the replica does nothing any more; stop the process.
     * `text` lives for the call. Once. */
    void (*fatal)(void *ctx, int code, const char *text);

    /* What another member gave to replica_send_app. Reference `frame` to keep `data`. */
    void (*app_message)(void *ctx, uint64_t from, struct kvs_view data, struct rcbuf *frame);

    /* Begin to make a snapshot of a state at or after request->index_min. Answer with
     * replica_snapshot_opened, exactly once, later. Non-zero: not now (asked again later). */
    int (*snapshot_open)(void *ctx, struct replica_snapshot_open *request);
    /* A snapshot from the leader begins; the answer is a sink, or non-zero to refuse. */
    int (*snapshot_begin)(void *ctx, const struct snapshot_meta *meta, struct snapshot_sink **ret);
    /* sink->finish has succeeded: the state is now `meta`'s, apply goes on after meta->index.
     * Nothing is applied between the call of finish and this one. */
    void (*snapshot_installed)(void *ctx, const struct snapshot_meta *meta);
};

/* ---- start ---- */

/* What was found on disk. A joining member: all zero. */
struct replica_state {
    struct core_hard_state hard;
    struct core_snapshot applied; /* of the backend's last durable commit */
    uint64_t first_index;         /* of entries[0] */
    struct core_entry *entries;   /* replica_state_entry() fills these */
    size_t n_entries;
    size_t capacity;
};

/* A wal_entry_fn for wal_open with a zeroed struct replica_state as `ctx`: copies the entry. More
 * than keep_entries before the applied index are of little use: set wal_options.from_index. */
KVS_MUST_USE int replica_state_entry(void *ctx, const struct wal_entry *entry);

/* Frees the entries. replica_start takes references, so the caller always does this. */
void replica_state_fini(struct replica_state *state);

/* The state of a member of a cluster that is being created: as if entry 1 of term 1, a
 * configuration with all `ids` as voters, were committed, applied and durable. Identical on every
 * member. Before replica_start the caller makes it durable: wal_reset(1, 1) with the hard state,
 * and the backend with applied index 1, term 1 and the configuration.
 * KVS_E_INVALID: an id is 0 or twice there; KVS_E_TOO_LONG. */
KVS_MUST_USE int
replica_bootstrap(const uint64_t *ids, size_t n_ids, struct replica_state *ret_state);

/* `config` and `owner` are copied; log device and transport are borrowed and outlive the replica,
 * which takes the transport's events. KVS_E_NOMEM, KVS_E_INVALID. */
KVS_MUST_USE int replica_new(const struct replica_config *config,
                             struct log_device *log_device,
                             struct transport *transport,
                             const struct replica_owner *owner,
                             void *owner_ctx,
                             struct replica **ret_replica);

/* Starts from `state` (borrowed for the call). A member that is the only voter becomes leader
 * without waiting. KVS_E_DAMAGED if log and applied state do not fit together; KVS_E_INVALID,
 * KVS_E_NOMEM. After an error only replica_close may be called. */
KVS_MUST_USE int replica_start(struct replica *r, const struct replica_state *state);

typedef void (*replica_close_cb)(void *ctx);

/* Completes what waits with KVS_E_STOPPED, waits for its log jobs and snapshot calls, lets go of
 * the transport's events and frees `r`; then `cb` runs: from the last log_deliver or snapshot
 * callback, or from inside if nothing is under way. */
void replica_close(struct replica *r, replica_close_cb cb, void *ctx);

/* ---- per turn ---- */

/* Once at the end of each loop turn in which `wake` was called. */
void replica_flush(struct replica *r);

/* Every config.tick_ms. */
void replica_tick(struct replica *r);

/* The backend has made everything up to `index` durable: decides what the log device and the core
 * may forget. */
void replica_stored(struct replica *r, uint64_t index);

/* ---- requests ---- */

/* Proposes one entry; all of one turn go to the core, or to the leader, as one batch. 0 means that
 * it is on its way, not that it is committed: it is applied, or lost with its leader without a
 * word, so the owner keeps a time-out. `ret_batch` (may be NULL): see proposal_dropped. Copies.
 * KVS_E_NO_LEADER, KVS_E_TOO_MANY_REQUESTS, KVS_E_BUSY (leadership is being handed over),
 * KVS_E_REQUEST_TOO_LARGE, KVS_E_STOPPED, KVS_E_NOMEM. */
KVS_MUST_USE int replica_propose(struct replica *r, struct kvs_view data, uint64_t *ret_batch);

/* The same without a copy: moves `data` when 0 is returned. */
KVS_MUST_USE int replica_propose_buf(struct replica *r, struct rcbuf *data, uint64_t *ret_batch);

struct replica_read;
typedef void (*replica_read_cb)(struct replica_read *read);

/* Caller-allocated; not touched by the caller until `cb` has run or it was cancelled. */
struct replica_read {
    replica_read_cb cb; /* in: runs once, later, as the last thing done with the request */
    int status;         /* out: 0, KVS_E_LEADER_CHANGED, KVS_E_NOT_LEADER, KVS_E_STOPPED */
    uint64_t index;     /* out: applied >= index */
    uint64_t term;      /* the replica's */
    struct list node;   /* the replica's */
};

/* A linearizable read point: completes once a majority has confirmed the leader after this call
 * and the state here has caught up. Reads of one turn share a round. A round without an answer is
 * asked again each 500 ms, so the owner keeps a time-out and cancels.
 * KVS_E_NO_LEADER, KVS_E_TOO_MANY_REQUESTS, KVS_E_STOPPED, KVS_E_NOMEM. */
KVS_MUST_USE int replica_read(struct replica *r, struct replica_read *read);

/* As replica_read, and succeeds only if this member leads in one and the same term from the call
 * to the completion: for acts that only a confirmed leader may do (lease expiry).
 * KVS_E_NOT_LEADER at once if it does not lead. */
KVS_MUST_USE int replica_confirm_leader(struct replica *r, struct replica_read *read);

/* Forgets a waiting read: its callback does not run. */
void replica_read_cancel(struct replica *r, struct replica_read *read);

struct replica_conf_change;
typedef void (*replica_conf_cb)(struct replica_conf_change *change);

/* Caller-allocated, as replica_read. */
struct replica_conf_change {
    replica_conf_cb cb;
    int status;     /* out: 0 when applied here, joint state left; the policy's or core's refusal;
                     * KVS_E_STOPPED */
    uint64_t index; /* out: of the entry, if status is 0 */
    uint64_t id;    /* the replica's */
    struct list node;
};

/* Proposes a change of members, on any member; `context` (copied) travels with it to everybody's
 * conf_policy, replica_conf_next and conf_applied. Like a proposal it may be lost with its leader:
 * the owner keeps a time-out and cancels. Refusals come by `status` (KVS_E_BUSY: another one runs,
 * or the leader is too new). KVS_E_TOO_LONG, KVS_E_NO_LEADER, KVS_E_STOPPED, KVS_E_NOMEM. */
KVS_MUST_USE int replica_change_conf(struct replica *r,
                                     const struct core_change *changes,
                                     size_t n_changes,
                                     struct kvs_view context,
                                     struct replica_conf_change *change);

/* Its callback does not run; the change may still be made. */
void replica_conf_cancel(struct replica *r, struct replica_conf_change *change);

struct replica_transfer;
typedef void (*replica_transfer_cb)(struct replica_transfer *transfer);

/* Caller-allocated, as replica_read. */
struct replica_transfer {
    replica_transfer_cb cb;
    int status; /* out: 0: `target` leads; KVS_E_TIMEOUT_LEADER_TRANSFER, KVS_E_LEADER_CHANGED
                 * (somebody else leads), KVS_E_BAD_LEADER_TRANSFEREE, KVS_E_STOPPED */
    uint64_t target;
    uint64_t deadline_ms; /* the replica's */
};

/* Hands leadership to `target`; 0: the voter that has most of the log. One at a time. The core
 * gives up after an election timeout; with a shorter `timeout_ms` leadership may still move
 * afterwards. KVS_E_NOT_LEADER, KVS_E_BAD_LEADER_TRANSFEREE, KVS_E_BUSY, KVS_E_STOPPED. */
KVS_MUST_USE int replica_transfer(struct replica *r,
                                  uint64_t target,
                                  unsigned timeout_ms,
                                  struct replica_transfer *transfer);

/* Sends `data` to the owner of member `to`: in order, best effort. Copies. KVS_E_TOO_LONG,
 * KVS_E_NOMEM, KVS_E_STOPPED. */
KVS_MUST_USE int replica_send_app(struct replica *r, uint64_t to, struct kvs_view data);

/* The owner's answer to snapshot_open. `status` 0: moves `source`, whose meta.index is at least
 * request->index_min; else `source` is NULL. Not from inside snapshot_open. */
void replica_snapshot_opened(struct replica *r,
                             struct replica_snapshot_open *request,
                             int status,
                             struct snapshot_source *source);

/* ---- queries ---- */

struct replica_peer_status {
    uint64_t id;
    bool voter;
    /* On the leader only, else 0: */
    bool active; /* heard from within the last election timeouts */
    uint64_t match;
    uint64_t next;
    enum core_peer_state state;
    uint64_t snapshot_sent_bytes; /* of a transfer that runs */
    uint64_t snapshot_size_bytes; /* 0: none runs */
    /* Of the transport: */
    struct transport_peer_stats net;
};

struct replica_status {
    struct core_status core; /* id, role, term, leader, commit, applied, persisted, ... */
    bool is_voter;
    bool is_learner;
    bool transferring;
    bool receiving_snapshot;
    uint64_t applied; /* as the owner sees it */
    uint64_t stored;
    size_t reads_waiting;
    size_t log_bytes; /* of applied entries in memory */
    uint64_t proposals_dropped;
    uint64_t leader_changes;
    uint64_t snapshots_sent;
    uint64_t snapshots_failed;
    uint64_t snapshots_installed;
    size_t n_peers;
    struct replica_peer_status peers[CORE_PEERS_MAX];
};

void replica_status(const struct replica *r, struct replica_status *ret_status);

uint64_t replica_leader(const struct replica *r); /* 0: none known */
uint64_t replica_term(const struct replica *r);
uint64_t replica_applied(const struct replica *r);
uint64_t replica_commit(const struct replica *r);
bool replica_is_leader(const struct replica *r);

/* Leader: does learner `id` have at least nine tenths of our log (etcd's rule for a promotion)? */
bool replica_learner_ready(const struct replica *r, uint64_t id);

/* The configuration in force, maybe not yet committed. Borrowed until the next call. */
const struct core_conf *replica_conf(const struct replica *r);

/* The configurations that the log has above `after`, one by one: returns the index of the first
 * (0: there is none) and the context of its change, empty if it had none. The one in force is only
 * the last of them: what it says of its members may stand in any of those not yet applied.
 * Borrowed until the next call. */
uint64_t replica_conf_next(const struct replica *r, uint64_t after, struct kvs_view *ret_context);

#endif
