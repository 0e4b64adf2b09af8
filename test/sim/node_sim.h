/* Whole nodes under simulation: each has its real state machine, store, log and driver; time,
 * network, disks and their failures come from one seed, and everything runs in one thread.
 *
 *   heap of events (virtual time): frames, ticks, disk jobs, client calls, faults
 *
 *   node_sim.c          time, disks, a node's life
 *   node_sim_net.c      network
 *   node_sim_check.c    what must hold after each event
 *   node_truth.c        what the cluster did, as a naive model, and what clients saw of it
 *   node_client.c       clients: writes, reads, transactions, leases
 *   node_watcher.c      clients: watches that resume
 *   node_nemesis.c      faults and changes of members
 *   node_sim_run.c      one life: chaos, healing, verdict
 *
 * The store's file is a real LMDB environment in a scratch folder; its jobs run whole or, at a
 * crash, not at all, which is what LMDB promises of a commit. The log is on a virtual disk
 * (sim_disk.h), which loses what was not synced. */
#ifndef NODE_SIM_H
#define NODE_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/device.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/list.h"
#include "base/rand.h"
#include "node/ident.h"
#include "node/node.h"
#include "sim_disk.h"

enum {
    SIM_NODES_MAX = 7,
    SIM_TICK_MS = 50,
    SIM_ELECTION_MS = 500,
    SIM_PATH_MAX = 512,
    SIM_REMOVED_MAX = 256,
    SIM_EVENTS_MAX = 1000000, /* of one life: some 30,000 are usual */
};

struct sim;
struct sim_node;

/* --- events --- */

struct sim_event;
typedef void (*sim_fn)(struct sim *s, struct sim_event *e);

/* Heap-allocated by sim_at, freed after it ran. */
struct sim_event {
    uint64_t at_us;
    uint64_t order; /* of scheduling: ties are settled by it */
    sim_fn fn;
    struct sim_node *node; /* NULL: the cluster's */
    unsigned life;         /* of the node when it was scheduled: an older one's event is dropped */
    void *arg;
    uint64_t number;
};

/* --- a node --- */

struct sim_frame {
    uint64_t from;
    enum transport_stream stream;
    struct rcbuf *frame; /* NULL: `from` became unreachable */
};

struct sim_node {
    struct sim *sim;
    unsigned at; /* in sim->nodes */
    unsigned life;
    bool member; /* part of the cluster's history: has a disk */
    bool founder;
    bool joining; /* starts for the first time */
    bool up;
    bool woken;
    bool stopped; /* said so itself: removed or failed */
    int stop_code;
    bool closed;
    uint64_t id;
    struct kvs_view peer_url;
    char dir[SIM_PATH_MAX + 16];
    struct sim_disk *disk;
    struct node *node;
    struct log_device *log;
    struct backend_inline backend;
    struct transport transport;
    struct transport_events events;
    bool has_events;
    uint64_t peers[2 * CORE_PEERS_MAX]; /* whom it connects to and accepts */
    size_t n_peers;
    bool knows_itself; /* its own address, for introductions */
    bool admits_guests;
    uint64_t guests[TRANSPORT_GUESTS_MAX];
    size_t n_guests;
    uint64_t removed[SIM_REMOVED_MAX]; /* who gets an answer that says so */
    size_t n_removed;
    struct list works; /* of struct node_work */
    bool log_scheduled;
    bool backend_scheduled;
    bool works_scheduled;
    uint64_t paused_until_us; /* stopped as by SIGSTOP: nothing runs, the clock does */
    unsigned disk_slowness;   /* times; 1: healthy */
    uint64_t frame_due_us[SIM_NODES_MAX][TRANSPORT_STREAM_COUNT]; /* of the last one, by receiver */
    /* What must not go back; see node_sim_check.c. */
    uint64_t seen_commit;
    uint64_t seen_applied;
    uint64_t seen_stored; /* over all lives */
    uint64_t led_term;    /* likewise: in which it was leader, so durable */
};

/* --- the cluster --- */

struct sim_faults {
    unsigned drop_percent;
    unsigned duplicate_percent;
    unsigned delay_us_max;
    unsigned slow_percent; /* of frames: ten times the delay */
    unsigned disk_us_max;
    bool reorder; /* frames of a stream overtake each other, which no connection does */
};

/* How a node goes down. */
enum sim_end {
    SIM_END_POWER, /* what is not synced is lost */
    SIM_END_KILL,  /* the process only: the machine keeps what was written */
    SIM_END_CLEAN, /* as by SIGTERM */
};

/* Who has to know of lives: called before a node closes and after it has started. */
struct sim_hooks {
    void (*closing)(void *ctx, struct sim_node *n);
    void (*started)(void *ctx, struct sim_node *n);
    void *ctx;
};

struct sim {
    uint64_t seed;
    struct rng rng;
    uint64_t now_us;
    struct clock clock;
    struct sim_event **heap;
    size_t heap_len;
    size_t heap_capacity;
    uint64_t order;
    struct arena arena;
    struct sim_node nodes[SIM_NODES_MAX];
    unsigned n_founders;
    struct ident_cluster cluster;
    struct sim_hooks hooks;
    bool strict_reconfig;
    uint64_t snapshot_count;
    size_t store_batch_bytes; /* of one transaction of the store */
    struct replica_limits limits;
    bool cut[SIM_NODES_MAX][SIM_NODES_MAX]; /* from, to */
    bool cut_silent;                        /* losses by cuts are not noticed by the sender */
    struct sim_faults faults;
    uint64_t hash; /* of everything that happened: equal seeds, equal hashes */
    bool trace;
    struct log *log;
    char root[SIM_PATH_MAX];
    uint64_t frames_sent;
    uint64_t events;
    uint64_t crashes;
    /* By index and by term: the term of the entry, the leader. 0: not seen. */
    uint64_t *entry_terms;
    size_t n_entry_terms;
    uint64_t *term_leaders;
    size_t n_term_leaders;
};

/* A cluster of `n_founders` nodes that are up, with nothing written yet. Aborts the test program
 * when the machine fails it. */
void sim_init(struct sim *s, uint64_t seed, unsigned n_founders, const char *scratch, bool trace);
/* The nodes of the founders come up. */
void sim_start_founders(struct sim *s);
void sim_fini(struct sim *s);

/* An invariant is broken: says so with the seed, and ends the program. */
KVS_NORETURN void sim_fail(const struct sim *s, const char *format, ...) KVS_PRINTF(2, 3);
/* One line, if the run is traced. */
void sim_trace(const struct sim *s, const char *format, ...) KVS_PRINTF(2, 3);

void sim_at(
    struct sim *s, uint64_t after_us, sim_fn fn, struct sim_node *node, void *arg, uint64_t number);

/* Runs events until the virtual time, or until `done` (may be NULL) says so; true if it did. */
bool sim_run(struct sim *s, uint64_t for_us, bool (*done)(struct sim *s, void *ctx), void *ctx);

void sim_end(struct sim_node *n, enum sim_end how);
void sim_restart(struct sim_node *n); /* of one that is down */
void sim_heal(struct sim *s);         /* no cuts, no loss; those that are down come back */
void sim_calm(struct sim *s);         /* the same without restarts */
void sim_pause(struct sim_node *n, uint64_t for_us);
void sim_wipe(struct sim_node *n);             /* down, and no member any more: the slot is free */
bool sim_is_running(const struct sim_node *n); /* up, not stopped, not paused */

/* The leader that a majority of the running nodes agree on, or NULL. */
struct sim_node *sim_leader(struct sim *s);

/* Before a node starts: it knows nobody yet, or, joining, whom it has asked. */
void sim_net_start(struct sim_node *n);
/* The event of a frame's arrival; its `arg` is a struct sim_frame. */
void sim_deliver(struct sim *s, struct sim_event *e);

void sim_remove_tree(const char *path);

/* Mixes a fact into the hash of the run. */
void sim_note(struct sim *s, uint64_t fact);

/* After each event: one leader a term, nothing goes back, one entry at an index. */
void sim_check_step(struct sim *s);

/* Reads everything: equal state at equal applied index, the modules' own invariants. */
void sim_check(struct sim *s);

/* A new member's node, not yet started: give its URL to a member change, then sim_join. */
struct sim_node *sim_spare(struct sim *s);
void sim_join(struct sim_node *n, uint64_t id);

#endif
