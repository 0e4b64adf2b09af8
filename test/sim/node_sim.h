/* Whole nodes under simulation: each has its real state machine, store, log and driver; time,
 * network, disks and their failures come from one seed, and everything runs in one thread.
 *
 *   heap of events (virtual time): frames, ticks, disk jobs, client calls, faults
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
    bool up;
    bool woken;
    bool stopped; /* said so itself: removed or failed */
    int stop_code;
    bool closed;
    uint64_t id;
    struct kvs_view peer_url;
    char dir[SIM_PATH_MAX];
    struct sim_disk *disk;
    struct node *node;
    struct log_device *log;
    struct backend_inline backend;
    struct transport transport;
    struct transport_events events;
    bool has_events;
    uint64_t peers[CORE_PEERS_MAX];
    size_t n_peers;
    struct list works; /* of struct node_work */
    bool log_scheduled;
    bool backend_scheduled;
    bool works_scheduled;
};

/* --- the cluster --- */

struct sim_faults {
    unsigned drop_percent;
    unsigned duplicate_percent;
    unsigned delay_us_max;
    unsigned slow_percent; /* of frames: ten times the delay */
    unsigned disk_us_max;
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
    bool cut[SIM_NODES_MAX][SIM_NODES_MAX]; /* from, to */
    struct sim_faults faults;
    uint64_t hash; /* of everything that happened: equal seeds, equal hashes */
    bool trace;
    struct log *log;
    char root[SIM_PATH_MAX];
    uint64_t frames_sent;
    uint64_t crashes;
};

/* A cluster of `n_founders` nodes that are up, with nothing written yet. Aborts the test program
 * when the machine fails it. */
void sim_init(struct sim *s, uint64_t seed, unsigned n_founders, bool trace);
void sim_fini(struct sim *s);

void sim_at(
    struct sim *s, uint64_t after_us, sim_fn fn, struct sim_node *node, void *arg, uint64_t number);

/* Runs events until the virtual time, or until `done` (may be NULL) says so; true if it did. */
bool sim_run(struct sim *s, uint64_t for_us, bool (*done)(struct sim *s, void *ctx), void *ctx);

void sim_crash(struct sim_node *n);   /* power off: what is not synced is lost */
void sim_restart(struct sim_node *n); /* of a crashed one */
void sim_heal(struct sim *s);         /* no cuts, no loss; crashed ones come back */

/* The leader that a majority of the running nodes agree on, or NULL. */
struct sim_node *sim_leader(struct sim *s);

/* Mixes a fact into the hash of the run. */
void sim_note(struct sim *s, uint64_t fact);

/* Aborts if an invariant of the cluster is broken: equal state at equal applied index, among
 * others. */
void sim_check(struct sim *s);

/* A new member's node, not yet started: give its URL to a member change, then sim_join. */
struct sim_node *sim_spare(struct sim *s);
void sim_join(struct sim_node *n, uint64_t id);

#endif
