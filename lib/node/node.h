/* Node: one member of a store, without sockets, files' names or threads. It glues replica, apply,
 * mvcc, leases and watches together and offers one request struct per kind of RPC; the services
 * (gRPC), the embedded client and the simulator all call the same functions.
 *
 *   request -> validated -> entry --replica--> apply -> reply        (node_write)
 *   request -> read index --replica--> read from mvcc -> reply       (node_read)
 *   commit  -> watch hub -> effects -> node_watch.send               (node_watch)
 *   keep-alive, member change -> leader, forwarded if need be        (node_lease_op, node_change)
 *
 * Contract of every request struct: caller-allocated; a submit function returns an error and the
 * callback never runs, or 0 and it runs exactly once, later, never from inside the submit; the
 * callback is the node's last use of the struct. Everything belongs to the loop thread. */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apply/apply.h"
#include "backend/device.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "kvstore/requests.h"
#include "kvstore/types.h"
#include "lease/lease.h"
#include "mvcc/mvcc.h"
#include "replica/disk.h"
#include "replica/log_device.h"
#include "replica/replica.h"
#include "replica/transport.h"
#include "watch/watch.h"

struct node;

/* Blocking work that must not run on the loop (copying a file, hashing the store). */
struct node_work {
    struct list link;                  /* the environment's */
    void (*run)(struct node_work *w);  /* elsewhere; touches only what it was given */
    void (*done)(struct node_work *w); /* on the loop, later; the last use of `w` */
};

/* What the node needs from outside; a vtable so that the simulator can own it. */
struct node_env {
    const struct clock *clock;
    uint64_t seed; /* election timeouts, request ids */
    struct log *log;
    struct backend_device *backend_device;
    struct log_device *log_device;
    struct transport *transport;
    /* Runs w->run off the loop, then w->done on it. KVS_E_NOMEM. */
    int (*submit_work)(void *ctx, struct node_work *w);
    /* Something happened that node_flush has to act on before the loop sleeps. */
    void (*wake)(void *ctx);
    /* The node has failed, was removed (KVS_E_MEMBER_NOT_FOUND), and does nothing any more.
     * Once. */
    void (*stopped)(void *ctx, int code, const char *text);
    void *ctx;
};

enum node_compaction {
    NODE_COMPACT_OFF = 0,
    NODE_COMPACT_PERIODIC = 1,
    NODE_COMPACT_REVISION = 2,
};

struct node_config {
    uint64_t cluster_id;
    uint64_t member_id;
    const char *name;                   /* published to the cluster; "" publishes nothing */
    const struct kvs_view *client_urls; /* likewise */
    size_t n_client_urls;
    const char *data_dir; /* of the store's file and of snapshots in transit */
    const char *cluster_token;
    unsigned tick_ms;
    unsigned heartbeat_ms;
    unsigned election_ms;
    uint64_t snapshot_count;
    struct replica_limits limits; /* zeros: the replica's own; keep_entries is snapshot_count */
    int64_t quota_bytes;
    uint32_t max_request_bytes;
    uint32_t max_txn_ops;
    uint32_t max_learners;
    uint32_t progress_notify_ms;
    bool strict_reconfig;
    enum node_compaction compaction_mode;
    uint64_t compaction_retention; /* milliseconds, or revisions */
    size_t store_batch_bytes;      /* a store job starts at this size ... */
    unsigned store_batch_delay_ms; /* ... or at this age */
};

/* Takes over `mvcc` (in any case). `config` strings are copied. KVS_E_NOMEM, KVS_E_DAMAGED. */
KVS_MUST_USE int node_new(const struct node_config *config,
                          const struct node_env *env,
                          struct mvcc *mvcc,
                          struct node **ret_node);

/* Joins in with what was found on disk (`state->applied` is filled in here, from the store).
 * Borrows `state`. KVS_E_DAMAGED if log and store do not fit together, KVS_E_NOMEM. */
KVS_MUST_USE int node_start(struct node *n, struct replica_state *state);

/* Fails what waits with KVS_E_STOPPED, writes the store out, frees; then `cb`, later. */
void node_close(struct node *n, void (*cb)(void *ctx), void *ctx);

/* The backend device has completed something: mvcc_options.progress, with the node as its context
 * from node_new on. */
void node_store_progress(void *node);

/* Each config.tick_ms. */
void node_tick(struct node *n);

/* At mvcc_deadline_ms, if that comes before the next tick. */
void node_store_tick(struct node *n);

/* Once at the end of each loop turn: proposals and reads of the turn go out as one batch, watch
 * events to their streams. */
void node_flush(struct node *n);

/* --- state ---------------------------------------------------------------------------------- */

struct mvcc *node_mvcc(struct node *n);
struct apply *node_apply(struct node *n);
struct replica *node_replica(struct node *n);
const struct node_config *node_config(const struct node *n);
struct watch_hub *node_watch_hub(struct node *n);
struct lease_table *node_leases(struct node *n);
bool node_is_learner(const struct node *n);

/* A header as of now. */
struct kvs_header node_header(const struct node *n);

/* A leader is known and this member has caught up with what was committed when it started. */
bool node_is_ready(const struct node *n);

/* --- writes --------------------------------------------------------------------------------- */

struct node_write {
    void (*cb)(struct node_write *w); /* in */
    struct arena *arena;              /* in: where the response goes; outlives the callback */
    int status; /* out: 0, or KVS_E_*: nothing (NO_SPACE among others) or an unknown outcome */
    struct apply_result result; /* out, when status is 0 */
    struct list link;           /* the node's, from here on */
    struct rcbuf *entry;        /* until it is applied: proposed again by a new leader */
    uint64_t id;
    uint64_t batch; /* of the replica */
    uint64_t term;  /* not before that in which it was proposed; 0: not known yet */
    uint64_t deadline_ms;
    kvs_revision physical; /* compaction: answered when the space is given back; 0: at once */
};

/* Errors of all: what the request deserves (etcd's texts), KVS_E_REQUEST_TOO_LARGE,
 * KVS_E_TOO_MANY_REQUESTS, KVS_E_NO_SPACE, KVS_E_NO_LEADER, KVS_E_NOT_SUPPORTED_FOR_LEARNER,
 * KVS_E_CORRUPT, KVS_E_STOPPED, KVS_E_NOMEM. Requests are encoded before the return: nothing of
 * them is kept. The first KVS_E_NO_SPACE comes as a status, when the alarm is set (node_quota.c).
 */
KVS_MUST_USE int node_put(struct node *n, const struct kvs_put_req *req, struct node_write *w);
KVS_MUST_USE int
node_delete(struct node *n, const struct kvs_delete_req *req, struct node_write *w);
KVS_MUST_USE int node_txn(struct node *n, const struct kvs_txn_req *req, struct node_write *w);
KVS_MUST_USE int
node_compact(struct node *n, const struct kvs_compact_req *req, struct node_write *w);
KVS_MUST_USE int
node_lease_grant(struct node *n, const struct kvs_lease_grant_req *req, struct node_write *w);
KVS_MUST_USE int node_lease_revoke(struct node *n, kvs_lease_id id, struct node_write *w);
KVS_MUST_USE int node_alarm(struct node *n, const struct kvs_alarm_req *req, struct node_write *w);

/* Forgets a write whose caller is gone: its callback will not run, the write may still happen. */
void node_write_cancel(struct node *n, struct node_write *w);

/* --- reads ---------------------------------------------------------------------------------- */

struct node_read {
    void (*cb)(struct node_read *r); /* in */
    int status;                      /* out: 0: read from node_mvcc now */
    struct list link;                /* the node's, from here on */
    struct replica_read barrier;
    struct node *node;
    uint64_t deadline_ms;
    bool waiting; /* in the replica; else for a leader */
};

/* Waits until what is read now is linearizable. Serializable reads need no waiting: read at once
 * after node_read_check. */
KVS_MUST_USE int node_read(struct node *n, struct node_read *r);
void node_read_cancel(struct node *n, struct node_read *r);

/* 0, or why this member may not answer a read: KVS_E_NOT_SUPPORTED_FOR_LEARNER (linearizable ones),
 * KVS_E_CORRUPT, KVS_E_STOPPED. */
KVS_MUST_USE int node_read_check(const struct node *n, bool serializable);

/* --- watches -------------------------------------------------------------------------------- */

/* One stream of watches; embedded in whoever carries its responses to the client. */
struct node_watch {
    /* One response to send. Called from node_flush and from the calls below. */
    void (*send)(struct node_watch *w, const struct watch_effect *effect);
    struct watch_stream *stream; /* the hub's */
    struct list link;            /* the node's */
    struct list dirty;           /* the node's */
};

/* `credit_bytes`: responses queued at the stream above which its watches fall behind. */
KVS_MUST_USE int node_watch_open(struct node *n, size_t credit_bytes, struct node_watch *w);
void node_watch_close(struct node *n, struct node_watch *w);

KVS_MUST_USE int
node_watch_create(struct node *n, struct node_watch *w, const struct kvs_watch_create_req *req);
KVS_MUST_USE int node_watch_cancel(struct node *n, struct node_watch *w, int64_t watch_id);
KVS_MUST_USE int node_watch_progress(struct node *n, struct node_watch *w);

/* `bytes` of what `send` was given (effect->cost_bytes) have left the stream's queue. */
void node_watch_drained(struct node *n, struct node_watch *w, size_t bytes);

/* --- leases --------------------------------------------------------------------------------- */

/* Keep-alive and time-to-live: answered by the leader, forwarded to it from other members. */
struct node_lease_op {
    void (*cb)(struct node_lease_op *op); /* in */
    kvs_lease_id id;                      /* in */
    int status; /* out: 0, KVS_E_LEASE_NOT_FOUND, or KVS_E_* why nobody could say */
    int64_t ttl_s;
    int64_t granted_ttl_s;
    struct list link; /* the node's, from here on */
    struct node *node;
    struct replica_read barrier;
    struct node_write clear; /* of a checkpoint, before the renewal is answered */
    int64_t renewed_ttl_s;
    uint64_t forward_id;
    uint64_t sent_ms;
    uint64_t deadline_ms;
    int state; /* enum lease_op_state */
    bool renew;
};

KVS_MUST_USE int node_lease_keepalive(struct node *n, struct node_lease_op *op);
KVS_MUST_USE int node_lease_ttl(struct node *n, struct node_lease_op *op);
void node_lease_op_cancel(struct node *n, struct node_lease_op *op);

/* --- cluster -------------------------------------------------------------------------------- */

enum node_change_type {
    NODE_CHANGE_ADD = 0,
    NODE_CHANGE_ADD_LEARNER = 1,
    NODE_CHANGE_REMOVE = 2,
    NODE_CHANGE_UPDATE = 3,
    NODE_CHANGE_PROMOTE = 4,
};

/* A change of the members: decided by the leader, wherever it is asked for; complete when it is
 * applied here. */
struct node_change {
    void (*cb)(struct node_change *c); /* in */
    enum node_change_type type;        /* in */
    uint64_t member_id;                /* in; ADD: out */
    struct kvs_view *peer_urls;        /* in: ADD, UPDATE; sorted in place; for the submit only */
    size_t n_peer_urls;
    int status;       /* out */
    struct list link; /* the node's, from here on */
    struct node *node;
    struct replica_conf_change conf;
    uint64_t deadline_ms;
};

KVS_MUST_USE int node_change_members(struct node *n, struct node_change *c);
void node_change_cancel(struct node *n, struct node_change *c);

/* Leader only; see replica.h. `cb` is the transfer's own. */
struct node_transfer {
    struct replica_transfer transfer;
};

/* Leader only. `target` 0: the member that has most of the log. */
KVS_MUST_USE int node_move_leader(struct node *n, uint64_t target, struct node_transfer *t);

/* --- maintenance ---------------------------------------------------------------------------- */

/* Strings and arrays live in `arena` or are static. KVS_E_NOMEM. */
KVS_MUST_USE int node_status(struct node *n, struct arena *arena, struct kvs_status_resp *ret_resp);

/* A copy of the store's file as of an entry at or after `index_min` (0: all that is applied now),
 * for a backup or another member. */
struct node_copy {
    void (*cb)(struct node_copy *c); /* in */
    int status;                      /* out */
    struct mvcc_snapshot snapshot;   /* out, when status is 0; the receiver closes its fd */
    struct list link;                /* the node's, from here on */
    struct node *node;
    struct node_work work;
    struct backend *backend;
    uint64_t index_min;
};

KVS_MUST_USE int node_copy_store(struct node *n, uint64_t index_min, struct node_copy *c);

/* The hash of the kept state as of `revision` (0: now). */
struct node_hash {
    void (*cb)(struct node_hash *h); /* in */
    int status;                      /* out */
    struct mvcc_hash_result result;  /* out */
    struct node *node;               /* the node's, from here on */
    struct node_work work;
    struct mvcc_hash *hash;
};

KVS_MUST_USE int node_hash(struct node *n, kvs_revision revision, struct node_hash *h);

struct node_stats {
    uint64_t puts, deletes, ranges, txns; /* applied or answered here */
    uint64_t proposals_failed;
    uint64_t proposals_pending;
    uint64_t read_indexes_failed;
    uint64_t leases_granted, leases_revoked, leases_renewed, leases_expired;
    uint64_t snapshots_sent, snapshots_installed;
    uint64_t health_success, health_failures;
};

struct node_stats *node_stats(struct node *n);
size_t node_pending_writes(const struct node *n);
const struct log_stats *node_log_stats(const struct node *n);

#endif
