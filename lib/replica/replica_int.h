/* Inside of the driver. Who may touch the core when:
 *
 *   events of log device, transport:  core events (step, persisted, unreachable), then wake
 *   functions of replica.h:           only record, then wake
 *   replica_flush:                    submit what was recorded -> core_effects -> carry out ->
 * apply
 *
 * While effects are carried out (`in_effects`) the core is only queried. */
#ifndef REPLICA_REPLICA_INT_H
#define REPLICA_REPLICA_INT_H

#include "base/buf.h"
#include "base/log.h"
#include "base/rand.h"
#include "replica/peer_msg.h"
#include "replica/replica.h"

enum {
    REPLICA_BATCH_BYTES = 1 << 20, /* proposals in one core_propose */
    REPLICA_BATCH_ENTRIES = 4096,  /* likewise */
    REPLICA_APPLY_ENTRIES = 8192,  /* applied in one turn */
    REPLICA_APPLY_BYTES = 8 << 20, /* likewise */
    REPLICA_ENTRY_OVERHEAD = 64,   /* memory of an entry besides its data */
    REPLICA_READ_RETRY_MS = 500,   /* as etcd */
    REPLICA_READ_ROUNDS = 2,       /* unanswered at once; later reads share the next one */
    REPLICA_CORE_READS = 512,      /* rounds of all members, asked again ones included */
    REPLICA_FLUSH_ROUNDS = 8,      /* of effects in one flush */
    REPLICA_SENDS_MAX = 2,         /* snapshots sent at the same time */
    REPLICA_SEND_RETRY_MS = 1000,  /* after a snapshot that failed */
    REPLICA_SNAP_AGAIN = 20,
    REPLICA_SNAP_AGAIN_MS = 1000,
    REPLICA_SOLE_KEEP = 64,    /* entries kept for nobody in a cluster of one */
    REPLICA_CONF_ID_BYTES = 8, /* before the owner's context in a CONFIG entry */
};

/* Proposals on their way into one core_propose. */
struct replica_batch {
    struct list node;
    uint64_t id;
    struct core_entry *entries;
    size_t n;
    size_t capacity;
    size_t bytes;
};

/* Reads that share one question to the leader. */
struct replica_round {
    struct list node;
    struct list reads;
    uint64_t context;
    uint64_t index; /* valid if answered */
    uint64_t asked_ms;
    bool answered;
};

/* A change of members between replica_change_conf and the core. */
struct replica_conf_submit {
    struct list node;
    uint64_t id;
    size_t n_changes;
    struct core_change changes[CORE_CHANGES_MAX];
    struct buf bytes;
};

/* One persist batch at the log device; the entries' owners are referenced until it is done. */
struct replica_job {
    struct log_job job;
    struct replica *r;
    uint64_t seq; /* 0: a trim */
    size_t n;
    struct rcbuf **owners;
    struct wal_entry *entries;
};

enum snap_send_state {
    SNAP_SEND_WAITING, /* others are being sent */
    SNAP_SEND_OPENING, /* the owner makes it */
    SNAP_SEND_RUNNING,
    SNAP_SEND_OVER, /* reported to the core at report_ms, freed when idle */
};

/* A snapshot on its way to `peer` (replica_snap_send.c). */
struct snap_send {
    struct list node;
    struct replica *r;
    uint64_t peer;
    uint64_t id;
    enum snap_send_state state;
    struct replica_snapshot_open open;
    struct snapshot_source *source;
    uint64_t hold_index; /* entries after it are kept for the receiver */
    uint64_t read;       /* bytes given to the transport */
    uint64_t acked;
    uint64_t chain;
    struct rcbuf *frame; /* being read into */
    size_t frame_len;
    bool busy; /* the owner or the source works on it */
    bool read_done;
    int read_status;
    uint64_t progress_ms;
    bool ok;
    bool reported;
    uint64_t report_ms;
};

enum snap_recv_state {
    SNAP_RECV_OFFERED, /* the core has not said yet whether it wants it */
    SNAP_RECV_WRITING,
    SNAP_RECV_FINISHING, /* the state machine is being replaced */
    SNAP_RECV_FAILED,    /* freed when idle */
};

/* A snapshot on its way in (replica_snap_recv.c). */
struct snap_recv {
    struct replica *r;
    uint64_t from;
    uint64_t id;
    enum snap_recv_state state;
    struct core_snapshot snapshot;
    struct snapshot_meta meta; /* meta.conf points to snapshot.conf */
    struct snapshot_sink *sink;
    uint64_t chain;
    uint64_t received;
    uint64_t written;
    struct rcbuf **queue; /* chunks that wait, oldest at queue_at; ring of queue_capacity */
    size_t queue_capacity;
    size_t queue_at;
    size_t queue_n;
    bool busy; /* the sink works */
    bool done; /* ... has answered: */
    int done_status;
    int status; /* why it failed */
    uint64_t progress_ms;
};

/* That a snapshot was installed is said again for a while: the sender, which waits for minutes and
 * sends nothing else meanwhile, cannot know that the word was lost. */
struct snap_installed {
    uint64_t to;
    uint64_t transfer;
    uint64_t bytes;
    uint64_t due_ms;
    unsigned left;
};

struct replica {
    struct replica_config config;
    struct log *log;
    struct log_device *log_device;
    struct transport *transport;
    struct replica_owner owner;
    void *ctx;
    struct core *core;
    struct rng rng;

    bool started;
    bool failed;
    bool closing;
    bool in_effects;
    bool in_flush;
    bool dirty; /* the core has had an event since its effects were taken */
    bool removed_heard;
    bool removed_told;
    unsigned ticks_due;
    size_t n_async; /* log jobs and calls into sources, sinks and snapshot_open under way */
    replica_close_cb close_cb;
    void *close_ctx;

    struct core_status status; /* as of the last effects */
    uint64_t leader_seen;      /* last known leader and its term */
    uint64_t leader_seen_term;
    uint64_t apply_to;
    uint64_t applied;
    uint64_t stored;
    uint64_t next_id; /* of batches, rounds, changes: never 0 */

    struct list batches; /* last one is being filled */
    struct replica_batch *spare_batch;
    size_t batched_bytes;

    struct list reads_new;
    struct list rounds;
    size_t n_reads;

    struct list conf_submits;
    struct list conf_changes; /* struct replica_conf_change */
    bool conf_told;           /* conf_appended has been called */

    struct replica_transfer *transfer;
    bool transfer_asked;

    uint64_t kept_first; /* entries [kept_first, applied] are in memory */
    size_t kept_bytes;
    uint64_t trimmed;
    bool trimming;
    bool keep_due;

    struct list sends;
    struct snap_recv *recv;
    struct snap_installed installed;
    bool offer_unknown; /* an offer of the core that nobody waits for */

    struct peer_entries entries; /* scratch of decoding */

    uint64_t proposals_dropped;
    uint64_t leader_changes;
    uint64_t snapshots_sent;
    uint64_t snapshots_failed;
    uint64_t snapshots_installed;
};

/* replica.c */
void replica_wake(struct replica *r);
void replica_fail(struct replica *r, int code, const char *text);
/* After a core event: false (and the replica has failed) if `rc` is out of memory. */
bool replica_core_ok(struct replica *r, int rc);
void replica_maybe_closed(struct replica *r);
uint64_t replica_now_ms(const struct replica *r);
uint64_t replica_new_id(struct replica *r);

/* replica_request.c: what is recorded goes to the core, and completions. */
bool replica_stopped(const struct replica *r);
bool replica_requests_waiting(const struct replica *r);
void replica_submit_requests(struct replica *r);
void replica_requests_refused(struct replica *r, const struct core_dropped *dropped);
void replica_requests_tick(struct replica *r);
void replica_requests_stop(struct replica *r);

/* replica_propose.c */
void replica_proposals_submit(struct replica *r);
void replica_proposal_refused(struct replica *r, const struct core_dropped *dropped);
void replica_proposals_stop(struct replica *r);
void replica_batch_free(struct replica_batch *b);

/* replica_read.c */
void replica_reads_submit(struct replica *r);
bool replica_reads_waiting(const struct replica *r);
void replica_read_answer(struct replica *r, const struct core_read_state *answer);
void replica_reads_complete(struct replica *r);
void replica_reads_fail(struct replica *r, int status);
void replica_reads_tick(struct replica *r, uint64_t now_ms);

/* replica_conf.c */
void replica_conf_submit_all(struct replica *r);
void replica_conf_seen(struct replica *r,
                       uint64_t index,
                       const struct core_conf *conf,
                       uint64_t id);
/* False if it was no change of members. */
bool replica_conf_refused(struct replica *r, const struct core_dropped *dropped);
void replica_conf_stop(struct replica *r);

/* replica_transfer.c */
void replica_transfer_submit(struct replica *r);
void replica_transfer_check(struct replica *r);
void replica_transfer_tick(struct replica *r, uint64_t now_ms);
void replica_transfer_stop(struct replica *r);

/* replica_flush.c */
/* Splits the bytes of a CONFIG entry into the change's id and the owner's context. */
uint64_t replica_conf_id(struct kvs_view bytes, struct kvs_view *ret_context);

/* replica_keep.c */
void replica_keep_start(struct replica *r);
void replica_keep_applied(struct replica *r, const struct core_entry *entry);
void replica_keep(struct replica *r);

/* replica_snap_send.c */
void replica_send_start(struct replica *r, uint64_t peer);
void replica_sends_step(struct replica *r);
void replica_send_ack(struct replica *r, uint64_t from, const struct peer_snap_ack *ack);
void replica_send_lost(struct replica *r, uint64_t peer);
void replica_sends_stop(struct replica *r);
/* Entries up to here may be forgotten as far as running transfers are concerned. */
uint64_t replica_sends_hold(const struct replica *r);

/* replica_snap_recv.c */
int replica_recv_begin(struct replica *r, uint64_t from, struct kvs_view payload);
int replica_recv_chunk(struct replica *r,
                       uint64_t from,
                       struct rcbuf *frame,
                       struct kvs_view payload);
/* The core wants the snapshot that was announced. */
void replica_recv_offer(struct replica *r, uint64_t from, uint64_t index);
/* All effects of a turn are known: an announcement without an offer is not wanted. */
void replica_recv_settle(struct replica *r);
void replica_recv_step(struct replica *r);
void replica_recv_stop(struct replica *r);

#endif
