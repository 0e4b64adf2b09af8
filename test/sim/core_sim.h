/* A cluster of Raft cores in one thread, on virtual time, from one seed.
 *
 * Every server has a core, a disk and a state machine. Messages are delayed, lost, doubled and
 * reordered; links are cut in one direction or both; writes take time, and a crash keeps only those
 * that were finished, perhaps some that were not, perhaps half of one. The state machine is a hash
 * over what was applied. core_sim_check.c knows everything and is asked after every event.
 *
 *   core_sim_main.c       command line, seeds, mutants
 *   core_sim_random.c     a random life of a cluster, then healing
 *   core_sim_scenarios.c  the fourteen failures of docs, each by name
 *   core_sim.c            event queue, network
 *   core_sim_node.c       one server: what the owner of a core has to do
 *   core_sim_disk.c       its disk
 *   core_sim_check.c      invariants */
#ifndef TEST_SIM_CORE_SIM_H
#define TEST_SIM_CORE_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/rand.h"
#include "replica/core.h"

enum {
    SIM_NODES_MAX = 40, /* ids 1..40, never used again */
    SIM_TICK = 10,      /* units of time in a tick */
};

/* What a state machine is at `index`. */
struct sim_image {
    struct core_snapshot at;
    uint64_t hash;
};

struct sim_batch {
    struct sim_batch *next;
    struct core_persist what;
    uint64_t done_at;
    size_t n;
    struct core_entry entries[];
};

struct sim_disk {
    struct core_hard_state hard;
    uint64_t first; /* index of entries[0] */
    size_t n;
    size_t capacity;
    struct core_entry *entries;
    struct sim_image image;    /* the stored state machine */
    struct sim_batch *pending; /* oldest first */
    struct sim_batch **pending_end;
};

struct sim_node {
    uint64_t id;
    bool exists;
    bool up;
    bool gone;      /* removed, and knows it */
    bool retired;   /* its removal was proposed: it may not be added again */
    unsigned lives; /* counts starts: events of an earlier life are void */
    struct core *core;
    struct sim_disk disk;
    uint64_t apply_to;
    struct sim_image now; /* the running state machine; `at.conf` is not kept up to date */
    struct sim_image incoming;
    uint64_t incoming_from; /* 0: no snapshot is being received */
    bool drain_later;
    bool isolated_disk; /* writes do not finish while set */
    /* as last seen by the checks */
    uint64_t seen_commit;
    uint64_t seen_term;
    uint64_t seen_last;
    enum core_role seen_role;
};

struct sim_params {
    unsigned n_nodes;
    unsigned delay_max;
    unsigned loss_percent;
    unsigned double_percent;
    unsigned disk_max; /* units until a write is on disk */
    unsigned trailing; /* entries kept in memory and on disk behind the stored state machine */
    unsigned store_percent;
    unsigned crash_permille; /* per tick */
    unsigned cut_permille;
    unsigned conf_permille;
    unsigned transfer_permille;
    unsigned propose_percent;
    unsigned burst; /* proposals at a time */
    unsigned read_percent;
    unsigned drain_later_percent;
    unsigned chaos_ticks;
    bool found_by_state; /* founders start from a common state at index 1, not from an entry */
    bool in_order;       /* links deliver in order, as TCP does */
    bool pre_vote;
    bool check_quorum;
    uint32_t max_append_entries;
    uint32_t max_inflight_msgs;
    uint64_t max_uncommitted_bytes;
};

enum sim_event_type {
    SIM_TICK_NODE,
    SIM_DELIVER,
    SIM_DISK_DONE,
    SIM_SNAPSHOT_DATA,
    SIM_SNAPSHOT_DONE,
    SIM_SNAPSHOT_SENT,
    SIM_RESTART,
};

struct sim_event {
    uint64_t at;
    uint64_t order;
    enum sim_event_type type;
    uint64_t node;
    unsigned life; /* of the node; 0: any */
    bool ok;
    uint64_t peer;
    uint64_t index;
    struct core_msg msg; /* owns its entries */
    struct sim_image image;
};

struct sim_applied {
    uint64_t term;
    uint64_t chain; /* hash of the state machine after it */
};

struct sim_check {
    struct sim_applied *applied; /* [i]: entry i + 1, as the first server applied it */
    size_t n_applied;
    size_t applied_capacity;
    uint64_t *leaders; /* by term */
    size_t leaders_capacity;
    struct map entries; /* (index, term) -> hash of the entry and the term before it */
    uint64_t *reads;    /* by context: the index that the answer must reach */
    size_t reads_capacity;
    uint64_t n_elections;
    uint64_t n_reads_done;
    uint64_t n_snapshots;
    uint64_t n_restarts;
    uint64_t n_conf_changes;
};

struct sim {
    uint64_t seed;
    struct rng rng;
    struct sim_params params;
    uint64_t now;
    uint64_t next_order;
    uint64_t n_now; /* events at this time: too many are a loop */
    struct sim_event **heap;
    size_t n_heap;
    size_t heap_capacity;
    struct sim_node nodes[SIM_NODES_MAX + 1]; /* by id */
    uint64_t last_id;
    bool cut[SIM_NODES_MAX + 1][SIM_NODES_MAX + 1]; /* from, to */
    uint64_t link_last[SIM_NODES_MAX + 1][SIM_NODES_MAX + 1];
    bool lossy;
    bool by_hand; /* acknowledgements come from disks that do not exist */
    /* A scenario may look at, change or refuse (false) every message before it is sent. */
    bool (*filter)(struct sim *s, const struct core_msg *m);
    uint64_t n_sent[CORE_MSG_TYPE_COUNT];
    uint64_t n_rejects;        /* of them APPEND_REPLY with reject */
    struct core_msg last_sent; /* without entries */
    uint64_t next_op;
    uint64_t next_read;
    uint64_t trace_hash;
    bool trace;
    struct sim_check check;
};

/* --- core_sim.c ------------------------------------------------------------------------------- */

void sim_init(struct sim *s, uint64_t seed, const struct sim_params *params);
void sim_fini(struct sim *s);
void sim_calm_params(struct sim_params *params, unsigned n_nodes); /* nothing goes wrong */

/* Prints seed, time and reason, and ends the process. */
_Noreturn void sim_fail(const struct sim *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sim_note(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_hash(struct sim *s, uint64_t value);

struct sim_event *
sim_schedule(struct sim *s, uint64_t delay, enum sim_event_type type, uint64_t node);
void sim_send(struct sim *s, const struct core_msg *m);
bool sim_step(struct sim *s); /* one event; false if there is none */
void sim_run(struct sim *s, unsigned ticks);
/* Runs until `until` holds; fails the simulation after `ticks`. */
void sim_run_until(struct sim *s, bool (*until)(struct sim *s), unsigned ticks, const char *what);

void sim_cut(struct sim *s, uint64_t from, uint64_t to, bool cut); /* one direction */
void sim_isolate(struct sim *s, uint64_t id, bool cut);            /* both, to everybody */
void sim_heal(struct sim *s);

void sim_msg_copy(struct core_msg *to, const struct core_msg *from);
void sim_msg_free(struct core_msg *m);

/* --- core_sim_node.c -------------------------------------------------------------------------- */

struct sim_node *sim_node(struct sim *s, uint64_t id);
/* Starts a new server: a founder of `founded`, or one that joins if that is NULL. */
uint64_t sim_add_node(struct sim *s, const struct sim_image *founded);
void sim_crash(struct sim *s, uint64_t id);
void sim_start(struct sim *s, uint64_t id);
void sim_drain(struct sim *s, struct sim_node *n);
/* Hands a message to its receiver now, and waits until its disk is done. */
void sim_inject(struct sim *s, const struct core_msg *m);
void sim_node_event(struct sim *s, struct sim_event *e);
uint64_t sim_leader(struct sim *s); /* with the highest term; 0: none is up */
int sim_propose(struct sim *s, uint64_t id);
int sim_read(struct sim *s, uint64_t id);
int sim_change(struct sim *s, uint64_t id, const struct core_change *changes, size_t n);
int sim_transfer(struct sim *s, uint64_t id, uint64_t target);
void sim_store(struct sim *s, struct sim_node *n); /* stores the state machine, trims the log */
uint64_t sim_entry_hash(const struct core_entry *e);
void sim_rc(const struct sim *s, int rc); /* fails on an error that must not be */

/* --- core_sim_disk.c -------------------------------------------------------------------------- */

void sim_disk_init(struct sim_disk *d, const struct sim_image *founded);
void sim_disk_fini(struct sim_disk *d);
void sim_disk_push(struct sim_disk *d,
                   const struct core *c,
                   const struct core_persist *what,
                   uint64_t done_at);
/* Finishes the batches that are due; returns the last one's seq, or 0. */
uint64_t sim_disk_finish(struct sim_disk *d, uint64_t now);
/* Of what was not finished some may be there after all, the last of it in part. */
void sim_disk_crash(struct sim_disk *d, struct rng *rng);
void sim_disk_trim(struct sim_disk *d, uint64_t keep_from);
/* True if the entry is stored, or the stored state machine stands for it. */
bool sim_disk_has(const struct sim_disk *d, uint64_t index, uint64_t term);

/* --- core_sim_check.c ------------------------------------------------------------------------- */

void sim_check_init(struct sim *s);
void sim_check_fini(struct sim *s);
/* A state at index 1 that all founders start from. */
void sim_check_founded(struct sim *s, const struct sim_image *founded);
void sim_check_node(struct sim *s, struct sim_node *n);
void sim_check_persist(struct sim *s, struct sim_node *n, const struct core_persist *what);
void sim_check_applied(struct sim *s,
                       struct sim_node *n,
                       uint64_t index,
                       const struct core_entry *e);
void sim_check_installed(struct sim *s, struct sim_node *n);
void sim_check_read_asked(struct sim *s, uint64_t context);
void sim_check_read_answered(struct sim *s, const struct core_read_state *r);
/* True if all members have applied the same, everything, and there is a leader. */
bool sim_converged(struct sim *s);

/* --- core_sim_random.c, core_sim_scenarios.c ---------------------------------------------------
 */

/* A random life from the seed; returns the hash of all that happened. */
uint64_t sim_random(uint64_t seed, bool trace, bool verbose);
/* NULL at the end of the list. */
const char *sim_scenario_name(size_t i);
bool sim_scenario_run(const char *name, uint64_t seed, bool trace);

#endif
