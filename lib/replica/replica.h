/* Replica: the driver around the Raft core. It owns the core and moves its effects: entries to the
 * log device, messages to the transport, committed entries to the owner, snapshots between members.
 *
 *   proposals, reads --+                                    +--> log device (WAL thread)
 *   frames from peers -+--> replica --> core (pure) --> effects --> transport (peers)
 *   timer, log done ---+                                    +--> owner: apply, leader_changed, ...
 *
 * Everything runs on the loop thread; nothing here knows libuv, files or threads, so that a whole
 * cluster of replicas runs in one thread under the simulator. Owner callbacks come from inside
 * replica_flush, replica_tick, replica_close and events of log device and transport; an owner may
 * call any function but replica_flush and replica_close from inside them. */
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

struct replica_limits {
    size_t entry_bytes_max;       /* one proposal; 0: 8 MiB */
    size_t uncommitted_bytes_max; /* proposals refused above; 0: 64 MiB */
    size_t reads_max;             /* waiting replica_reads; 0: 1,000,000 */
    uint64_t keep_entries;        /* kept in memory behind the durable state; 0: 5,000 */
    uint64_t keep_entries_max;    /* ... even for a slow follower or a snapshot; 0: 100,000 */
    size_t keep_bytes_max;        /* ... and this many bytes; 0: 16 MiB */
    size_t snapshot_chunk_bytes;  /* 0: 256 KiB */
    unsigned snapshot_window;     /* unacknowledged chunks; 0: 8 */
    unsigned snapshot_timeout_ms; /* without progress; 0: 30,000 */
};

struct replica_config {
    uint64_t cluster_id;
    uint64_t member_id;
    unsigned tick_ms;         /* replica_tick is called this often; 0: 100 */
    unsigned election_ticks;  /* 0: 10 */
    unsigned heartbeat_ticks; /* 0: 1 */
    const struct clock *clock;
    uint64_t seed;
    struct log *log; /* may be NULL */
    struct replica_limits limits;
};

/* Asks for a snapshot of the owner's state; embedded in the driver's transfer. */
struct replica_snapshot_open {
    uint64_t to;        /* for the log only */
    uint64_t index_min; /* a snapshot below is of no use */
};

/* All of `ctx`'s functions must be set. Views and buffers are borrowed for the call. */
struct replica_owner {
    /* A committed and persisted entry, strictly in index order, without gaps. `type` is
     * CORE_ENTRY_NORMAL; the other kinds come as empty data so that the applied index is known.
     * `entry` may be referenced (rcbuf_ref of its owner) to keep the data. */
    void (*apply)(void *ctx, const struct core_entry *entry);
    /* After the last apply of a batch: the place to wake the backend and flush replies. */
    void (*apply_batch_end)(void *ctx);
    /* `leader` 0: none known. Called before anything of the new term is applied; reads and
     * transfers that the change failed have been completed before. */
    void (*leader_changed)(void *ctx, uint64_t leader, uint64_t term, bool we_lead);
    /* `conf` came into effect although its entry is not yet committed (or was rolled back to):
     * make its members reachable. `context` is what replica_change_conf was given. */
    void (*conf_appended)(void *ctx, const struct core_conf *conf, struct kvs_view context);
    /* The entry of `conf` is committed, at its place in the apply order, before `apply` of the
     * same index. Durable together with that index. */
    void (*conf_applied)(void *ctx,
                         uint64_t index,
                         const struct core_conf *conf,
                         struct kvs_view context);
    /* We are no member any more, by an applied configuration or by word of a peer. Once. */
    void (*removed)(void *ctx);
    /* The replica has stopped: disk failure or broken invariant. `text` lives for the call. Once.
     */
    void (*fatal)(void *ctx, int code, const char *text);
    /* A frame of replica_send_app. `frame` owns `data`; reference it to keep it. */
    void (*app_message)(void *ctx, uint64_t from, struct kvs_view data, struct rcbuf *frame);
    /* Starts making a snapshot at or after `request->index_min`, of a state that is durable or
     * will be in the copy. Answer with replica_snapshot_opened, exactly once, not from inside this
     * call. Non-zero: no snapshot now; it is asked for again later. */
    int (*snapshot_open)(void *ctx, struct replica_snapshot_open *request);
    /* A snapshot from the leader begins. While sink->finish runs and until `snapshot_installed`
     * nothing is applied. Non-zero refuses it. */
    int (*snapshot_begin)(void *ctx,
                          const struct snapshot_meta *meta,
                          struct snapshot_sink **ret_sink);
    /* The state is now `meta`'s; apply goes on after meta->index. */
    void (*snapshot_installed)(void *ctx, const struct snapshot_meta *meta);
};

/* What was found on disk. Moved by replica_start, which frees or keeps the entries. */
struct replica_state {
    struct core_hard_state hard;
    uint64_t applied_index; /* of the backend's last durable commit; 0: nothing */
    uint64_t applied_term;
    const struct core_conf *applied_conf; /* at applied_index; NULL: none (a joining member) */
    struct core_entry *entries;           /* from the log device, ascending; kvs_free'd array */
    size_t n_entries;
};

/* Borrows `config` (copied), log device and transport (both outlive the replica); `owner` is
 * copied. Attaches itself to the log device's and the transport's events. KVS_E_NOMEM,
 * KVS_E_INVALID. */
KVS_MUST_USE int replica_new(const struct replica_config *config,
                             struct log_device *log_device,
                             struct transport *transport,
                             const struct replica_owner *owner,
                             void *owner_ctx,
                             struct replica **ret_replica);

/* Starts from `state`. Not from inside an owner callback. KVS_E_DAMAGED if log and applied state
 * do not fit together. */
KVS_MUST_USE int replica_start(struct replica *r, struct replica_state *state);

/* The state of a member of a cluster that is being created: as if entry 1 of term 1, a
 * configuration of all `ids` as voters, were already committed and applied. Identical on every
 * member. The owner stores applied_index 1, term 1 and the configuration. `ret_conf` is the
 * caller's storage and is borrowed by `ret_state`. */
KVS_MUST_USE int replica_bootstrap(const uint64_t *ids,
                                   size_t n_ids,
                                   struct core_conf *ret_conf,
                                   struct replica_state *ret_state);

/* Stops: fails what waits with KVS_E_STOPPED, waits for the log device and for snapshot sources
 * and sinks, frees `r`, then calls `cb` (later, never from inside). */
typedef void (*replica_close_cb)(void *ctx);
void replica_close(struct replica *r, replica_close_cb cb, void *ctx);

/* Proposes one entry. Collected until replica_flush. 0 means handed to the leader, not committed:
 * the entry is applied, or it is lost with its leader, and no callback says so; the owner keeps a
 * time-out. Copies `data`.
 * KVS_E_NO_LEADER, KVS_E_TOO_MANY_REQUESTS (limit), KVS_E_BUSY (leadership is being transferred),
 * KVS_E_REQUEST_TOO_LARGE, KVS_E_STOPPED, KVS_E_NOMEM. */
KVS_MUST_USE int replica_propose(struct replica *r, struct kvs_view data);

/* As replica_propose without the copy. Moves `data` (only when 0 is returned). */
KVS_MUST_USE int replica_propose_buf(struct replica *r, struct rcbuf *data);

struct replica_read;
typedef void (*replica_read_cb)(struct replica_read *read);

/* Caller-allocated; not touched by the caller until `cb` has run. */
struct replica_read {
    replica_read_cb cb; /* in: called once, later; the last thing the replica does with it */
    int status;         /* out: 0, KVS_E_LEADER_CHANGED, KVS_E_STOPPED, KVS_E_TIMEOUT */
    uint64_t index;     /* out: the read index; applied >= index */
    struct list node;   /* the replica's */
};

/* A linearizable read point: completes when a majority has confirmed the leader after this call
 * and the state applied here has caught up. All reads of one turn share a round; a round is sent
 * again each 500 ms. KVS_E_NO_LEADER, KVS_E_TOO_MANY_REQUESTS, KVS_E_STOPPED. */
KVS_MUST_USE int replica_read(struct replica *r, struct replica_read *read);

/* As replica_read, and completes with KVS_E_NOT_LEADER unless this member leads, in the same term,
 * from the call to the completion: for acts that only a confirmed leader may do (lease expiry).
 * KVS_E_NOT_LEADER at once if it does not lead. */
KVS_MUST_USE int replica_confirm_leader(struct replica *r, struct replica_read *read);

/* Forgets a waiting read: its callback will not run. */
void replica_read_cancel(struct replica *r, struct replica_read *read);

struct replica_conf_change;
typedef void (*replica_conf_cb)(struct replica_conf_change *change);

struct replica_conf_change {
    replica_conf_cb cb;
    int status; /* 0 when applied here (joint phase left, too); KVS_E_LEADER_CHANGED: unknown */
    uint64_t index;
    struct list node;
};

/* Proposes the configuration `target` (joint consensus when needed). `context` travels with it to
 * every member's conf_applied. Copies both. Leader only; one at a time. The policy (what may
 * change) is the caller's. KVS_E_NOT_LEADER, KVS_E_BUSY, KVS_E_INVALID, KVS_E_STOPPED. */
KVS_MUST_USE int replica_change_conf(struct replica *r,
                                     const struct core_conf *target,
                                     struct kvs_view context,
                                     struct replica_conf_change *change);

struct replica_transfer;
typedef void (*replica_transfer_cb)(struct replica_transfer *transfer);

struct replica_transfer {
    replica_transfer_cb cb;
    int status; /* 0: `target` leads; KVS_E_TIMEOUT_LEADER_TRANSFER; KVS_E_LEADER_CHANGED */
    uint64_t target;
    uint64_t deadline_ms;
    bool waiting;
};

/* Hands leadership to `target` (0: the voter that has most of the log). One at a time.
 * KVS_E_NOT_LEADER, KVS_E_BAD_LEADER_TRANSFEREE, KVS_E_BUSY, KVS_E_STOPPED. */
KVS_MUST_USE int replica_transfer(struct replica *r,
                                  uint64_t target,
                                  unsigned timeout_ms,
                                  struct replica_transfer *transfer);

/* Sends `data` to the owner of member `to`: best effort, in order per peer. Copies.
 * KVS_E_TOO_LONG, KVS_E_NOMEM. */
KVS_MUST_USE int replica_send_app(struct replica *r, uint64_t to, struct kvs_view data);

/* Once at the end of each loop turn: submits what was proposed and read as one batch and carries
 * out the effects. Cheap when there is nothing to do. */
void replica_flush(struct replica *r);

/* Each config.tick_ms. */
void replica_tick(struct replica *r);

/* The backend has made everything up to `index` (of `term`) durable: decides what the log device
 * and the core may forget. */
void replica_stored(struct replica *r, uint64_t index, uint64_t term);

/* The owner's answer to snapshot_open. `status` 0: moves `source` (its meta.index must be >=
 * request->index_min). Not from inside snapshot_open. */
void replica_snapshot_opened(struct replica *r,
                             struct replica_snapshot_open *request,
                             int status,
                             struct snapshot_source *source);

struct replica_peer_status {
    uint64_t id;
    bool voter;
    bool active; /* heard of within an election timeout; leader only */
    uint64_t match;
    uint64_t next;
    enum core_progress progress;
    uint64_t rtt_ns;
    bool connected;
    uint64_t snapshot_sent_bytes; /* of a running transfer */
    uint64_t snapshot_size_bytes; /* 0: none runs */
};

struct replica_status {
    uint64_t member_id;
    uint64_t term;
    uint64_t leader; /* 0: none */
    enum core_role role;
    uint64_t commit;
    uint64_t applied;
    uint64_t persisted;
    uint64_t last;      /* last index in the log */
    uint64_t log_first; /* first index that is still in memory */
    size_t log_bytes;   /* of entries in memory */
    bool is_voter;
    bool conf_changing; /* a change is not yet applied, or joint */
    bool transferring;
    bool installing; /* a snapshot is being received */
    size_t reads_waiting;
    uint64_t proposals_failed; /* refused or dropped, in total */
    uint64_t leader_changes;   /* seen since start */
    size_t n_peers;            /* the others; leader only has match/next */
    struct replica_peer_status peers[CORE_MEMBERS_MAX];
};

void replica_status(const struct replica *r, struct replica_status *ret_status);

/* Cheap accessors. */
uint64_t replica_leader(const struct replica *r);
uint64_t replica_term(const struct replica *r);
uint64_t replica_applied(const struct replica *r);
uint64_t replica_commit(const struct replica *r);
bool replica_is_leader(const struct replica *r);

/* The configuration in effect (maybe not yet committed). Borrowed until the next call. */
const struct core_conf *replica_conf(const struct replica *r);

#endif
