/* The node's own types; see node.h for the picture. One file per concern:
 *   node.c          life, tick, flush, the replica's callbacks
 *   node_write.c    proposals and their answers
 *   node_read.c     read index
 *   node_watch.c    watch streams and the hub's effects
 *   node_lease.c    keep-alive, time-to-live, expiry, checkpoints; messages between members
 *   node_member.c   membership: policy, promotion, publication of our attributes
 *   node_peers.c    who can be reached, who may come in
 *   node_compactor.c compaction by itself
 *   node_snapshot.c snapshots to and from other members
 *   node_status.c   status and figures */
#ifndef NODE_NODE_INT_H
#define NODE_NODE_INT_H

#include <stdatomic.h>

#include "base/map.h"
#include "base/rand.h"
#include "node/node.h"

/* etcd's request time-out: 5 s for the disk's sake, and two elections. */
#define NODE_REQUEST_BASE_MS 5000

/* Proposals in flight above which new ones are refused (etcd: 5,000 entries not yet applied). */
#define NODE_WRITES_MAX 16384
#define NODE_READS_MAX  65536

/* A slice of history for watches that are behind, per turn. */
#define NODE_CATCH_UP_BYTES (1024 * 1024)

#define NODE_PUBLISH_RETRY_MS 2000

/* The term of a write of which no later term tells that it was lost. */
#define NODE_TERM_NEVER_LOST UINT64_MAX

/* A configuration and where it came into force, for snapshots of a state a little back. */
struct node_conf {
    uint64_t index;
    struct core_conf conf;
};

#define NODE_CONFS 4

/* Revisions noted over time, in a ring. An hour of retention is ten notes an hour. */
#define NODE_COMPACTOR_NOTES 1024

struct node_compactor_note {
    uint64_t at_ms;
    kvs_revision revision;
};

struct node_compactor {
    uint64_t due_ms;      /* next note, or next compaction by revision */
    uint64_t round_ms;    /* not before: next compaction by time */
    kvs_revision waiting; /* due, but the round is not over */
    size_t first;
    size_t n_notes;
    struct node_compactor_note notes[NODE_COMPACTOR_NOTES];
};

struct node {
    struct node_config config; /* strings in `arena` */
    struct node_env env;
    struct arena arena;
    struct mvcc *mvcc;
    struct apply *apply;
    struct replica *replica;
    struct watch_hub *hub;
    struct rng rng;

    bool started;
    bool closing;
    int failed;                /* KVS_E_*: nothing is accepted any more */
    unsigned n_working;        /* jobs at submit_work, and those below */
    struct list works_refused; /* no memory: completed, with an error, when the node closes */
    atomic_bool abandon_work;  /* long work off the loop looks at it: the node is closing */
    void (*close_cb)(void *ctx);
    void *close_ctx;
    bool replica_closed;

    /* Writes: by id, and in order of deadline. */
    struct map writes_by_id;
    struct list writes;
    struct list fresh;    /* proposed in this turn */
    struct list flushing; /* being handed to the core */
    struct list unsent;   /* no leader when they came */
    struct list physical; /* compactions that wait for their space */
    struct list refused;  /* for lack of space; wait for the alarm */
    uint64_t next_id;
    uint64_t applied_term; /* of the last entry */
    struct buf scratch;    /* encoding of one entry */

    struct list reads;      /* in the replica */
    struct list reads_idle; /* no leader to ask */

    struct list watches;
    struct watch_effects effects;
    struct watch_effects effects_spare; /* empty; its memory is used again */
    bool draining_effects;
    uint64_t progress_due_ms;

    struct list lease_ops;
    uint64_t lease_scan_due_ms;
    struct replica_read lease_confirm; /* before leases are expired */
    bool lease_confirming;

    struct list changes;
    struct list changes_made; /* committed; answered at the end of the batch */
    /* Of a new voter that has caught up, by the leader (node_promote_caught_up). */
    struct replica_conf_change promotion;
    bool promoting;
    uint64_t promotion_deadline_ms;
    uint64_t publish_due_ms;
    struct node_conf confs[NODE_CONFS]; /* newest first */
    size_t n_confs;
    bool admits_guests; /* what the transport was told */
    /* The configuration that the entry being applied carries. */
    struct core_conf applying_conf;
    uint64_t applying_conf_index;
    struct kvs_view applying_context;

    struct list copies; /* that wait for the store */
    struct node_copy snapshot_copy;
    struct replica_snapshot_open *snapshot_request; /* NULL: none is being made */
    bool alarm_raised;                              /* NOSPACE proposed and not yet applied */

    struct node_compactor compactor;
    struct node_stats stats;
};

static inline uint64_t node_now_ms(const struct node *n)
{
    return clock_ms(n->env.clock);
}

uint64_t node_deadline_ms(const struct node *n);

/* Stops everything with a fatal code. Safe to call more than once. */
void node_fail(struct node *n, int code, const char *text);

/* node_write.c */
KVS_MUST_USE int node_submit(struct node *n, const struct apply_entry *entry, struct node_write *w);
/* A write of the node's own: nobody waits for the answer. */
KVS_MUST_USE int node_submit_quiet(struct node *n, struct apply_entry *entry);
void node_write_applied(struct node *n, struct node_write *w, const struct apply_result *result);
void node_writes_flush_begin(struct node *n);
void node_writes_flush_end(struct node *n);
void node_writes_dropped(struct node *n, uint64_t batch, int reason);
void node_writes_snapshot(struct node *n);
void node_writes_new_term(struct node *n, uint64_t term);
void node_writes_send_unsent(struct node *n);
void node_writes_tick(struct node *n, uint64_t now_ms);
void node_writes_physical(struct node *n);
void node_writes_stop(struct node *n, int err);
/* Callbacks may cancel any other write: nothing but the front of the list is held on to. */
void node_writes_finish_all(struct node *n, struct list *writes, int status);
/* Moves those whose deadline has passed to `ret_due`. */
void node_writes_take_due(struct list *writes, uint64_t now_ms, struct list *ret_due);

/* node_quota.c */
bool node_has_space(struct node *n, size_t cost_bytes);
/* 0: answered with KVS_E_NO_SPACE when the alarm is set. KVS_E_NO_SPACE: it is. */
KVS_MUST_USE int node_refuse(struct node *n, struct node_write *w);
/* The alarm may be set now: answers what waits for it. */
void node_refused_answer(struct node *n);
void node_refused_tick(struct node *n, uint64_t now_ms);
void node_alarm_settle(struct node *n);

/* node_read.c */
void node_reads_tick(struct node *n, uint64_t now_ms);
void node_reads_retry(struct node *n);
void node_reads_stop(struct node *n, int err);

/* node_watch.c */
KVS_MUST_USE int node_watch_init(struct node *n);
void node_watch_drain(struct node *n);
void node_watch_catch_up(struct node *n);
void node_watch_tick(struct node *n, uint64_t now_ms);

/* node_lease.c */
void node_lease_leader_changed(struct node *n, bool we_lead);
void node_lease_tick(struct node *n, uint64_t now_ms);
void node_lease_message(struct node *n, uint64_t from, struct kvs_view data);
void node_lease_ops_stop(struct node *n, int err);

/* node_member.c */
int node_conf_policy(void *ctx,
                     const struct core_conf *conf,
                     const struct core_change *changes,
                     size_t n_changes,
                     struct kvs_view context);
void node_conf_remember(struct node *n, uint64_t index, const struct core_conf *conf);
/* NULL if it is not known any more. */
const struct core_conf *node_conf_at(const struct node *n, uint64_t index);
void node_member_tick(struct node *n, uint64_t now_ms);
void node_changes_applied(struct node *n);
void node_changes_stop(struct node *n, int err);

/* node_peers.c */
/* Members or configuration have changed: tells the transport. */
void node_peers_update(struct node *n);
void node_conf_appended(void *ctx, const struct core_conf *conf);
/* Whether this member knows the others may have changed. */
void node_guests_update(struct node *n);

/* node_compactor.c */
void node_compactor_tick(struct node *n, uint64_t now_ms);

/* node_snapshot.c */
int node_snapshot_open(void *ctx, struct replica_snapshot_open *request);
int node_snapshot_begin(void *ctx, const struct snapshot_meta *meta, struct snapshot_sink **ret);
void node_snapshot_installed(void *ctx, const struct snapshot_meta *meta);
void node_copies_progress(struct node *n);
void node_copies_stop(struct node *n, int err);

/* Runs `w` at the environment and keeps count, so that close waits for it. */
KVS_MUST_USE int node_work_submit(struct node *n, struct node_work *w);
/* For work that somebody waits for and that cannot be refused any more. Out of memory stops the
 * node, and `done` runs when it closes without `run` having run: set a status beforehand. */
void node_work_submit_must(struct node *n, struct node_work *w);
/* First thing in every done callback. */
void node_work_done(struct node *n);
void node_maybe_closed(struct node *n);

#endif
