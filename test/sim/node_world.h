/* A simulated cluster with its clients, and the record of what they did and saw. See node_sim.h for
 * the files. Everything is kept until the end of the life: it is short. */
#ifndef NODE_WORLD_H
#define NODE_WORLD_H

#include "node_sim.h"

enum {
    KEYS_PLAIN = 16, /* "k/00".. */
    KEYS_MARK = 16,  /* "m/00"..: one a client, written by transactions that delete */
    KEYS_LEASE = 16, /* "t/00"..: only with a lease; numbers ascend as the keys do */
    KEY_MARK = KEYS_PLAIN,
    KEY_LEASE = KEYS_PLAIN + KEYS_MARK,
    KEYS = KEYS_PLAIN + KEYS_MARK + KEYS_LEASE,
    KEY_BYTES = 4,
    VALUE_BYTES_MAX = 16000,
    CLIENTS_MAX = 10,
    WATCHERS_MAX = 5,
    TXN_EVENTS_MAX = KEYS,
};

struct world;

/* --- what happened: a naive model of the store ------------------------------------------------ */

struct truth_kv {
    bool exists;
    uint64_t value; /* id of the operation that wrote it */
    kvs_revision create;
    kvs_revision mod;
    int64_t version;
    kvs_lease_id lease;
};

struct truth_event {
    unsigned key;
    bool is_delete;
    struct truth_kv kv; /* of a put */
};

struct truth_revision {
    uint64_t at_us; /* applied for the first time */
    size_t n_events;
    struct truth_event *events;
};

struct truth {
    struct truth_revision *revisions; /* [0] is revision 2: a store begins at 1 */
    size_t n;
    size_t capacity;
    struct truth_kv now[KEYS];
    struct arena arena;
};

static inline kvs_revision truth_last(const struct truth *t)
{
    return (kvs_revision)t->n + 1;
}

/* The node at which `events` of one revision arrived, complete and in order. */
void truth_observe(struct world *w,
                   const struct sim_node *n,
                   kvs_revision revision,
                   const struct kvs_event *events,
                   size_t n_events);

/* All that clients saw against what happened; fails the run. */
void truth_verdict(struct world *w);

/* The key-value state of a node that has applied everything. */
void truth_compare_node(struct world *w, struct sim_node *n);

struct kvs_view key_view(unsigned key); /* static storage */
unsigned key_number(const struct world *w, struct kvs_view key);

/* --- clients ------------------------------------------------------------------------------------
 */

enum op_kind {
    OP_PUT,
    OP_DELETE,      /* of one key: has no mark in the store */
    OP_DELETE_MANY, /* transaction: deletes a range and writes the mark */
    OP_PUT_MANY,    /* transaction: writes two keys */
    OP_CAS,         /* transaction: mod_revision as last seen? put : get */
    OP_READ,        /* linearizable */
    OP_READ_LOCAL,  /* serializable */
    OP_READ_OLD,    /* linearizable, of a revision in the past */
    OP_COMPACT,
    OP_GRANT,
    OP_ATTACH,
    OP_KEEP,
    OP_REVOKE,
    OP_KIND_COUNT,
};

struct lease_record {
    kvs_lease_id id;
    int64_t ttl_s;
    bool granted;      /* acknowledged */
    bool revoked;      /* asked for */
    uint64_t alive_us; /* must not end before */
    uint64_t ended_us; /* its keys went; 0: not yet */
    unsigned keys[2];
};

struct op {
    uint64_t id; /* its value in the store, too */
    enum op_kind kind;
    struct client *client;
    struct sim_node *node;
    unsigned key;
    unsigned key_end; /* ranges: exclusive */
    uint64_t asked_us;
    kvs_revision floor; /* had happened when it was asked */
    kvs_revision at;    /* READ_OLD, COMPACT: argument; CAS: expected mod_revision */
    struct lease_record *lease;

    bool answered;
    int status; /* submission or outcome; see `sure` */
    bool sure;  /* an error that says that nothing happened */
    kvs_revision revision;
    int64_t count; /* deleted, or keys in the range */
    bool succeeded;
    kvs_revision seen; /* in the truth; 0: not */
    bool matched;      /* OP_DELETE: with a revision of the truth */
    struct truth_event *items;
    size_t n_items;

    struct arena arena;
    struct node_write write;
    struct node_read read;
    struct node_lease_op lease_op;
};

struct client {
    struct world *world;
    unsigned at;
    struct sim_node *node;
    struct op *op; /* under way */
    kvs_revision seen_mod[KEYS_PLAIN];
    unsigned think_ms;
    /* Those that live with leases. */
    bool leases;
    struct lease_record *lease;
    unsigned keeps_left;
};

void client_start(struct client *c);
/* One put at `n`; nothing is under way. */
void client_put(struct client *c, struct sim_node *n, unsigned key);

/* --- watches ------------------------------------------------------------------------------------
 */

enum watched_kind {
    WATCHED_EVENT,
    WATCHED_PROGRESS, /* everything up to `revision` has been delivered */
    WATCHED_GAP,      /* history before `revision` was compacted */
};

struct watched {
    enum watched_kind kind;
    kvs_revision revision;
    unsigned key;
    bool is_delete;
    uint64_t value;
};

struct watcher {
    struct world *world;
    unsigned at;
    struct sim_node *node; /* NULL: not connected */
    struct node_watch watch;
    unsigned key;
    unsigned key_end;
    kvs_revision first; /* begins with this revision; 0: not known yet */
    kvs_revision next;
    size_t credit_bytes;
    size_t undrained_bytes;
    unsigned connection;
    int canceled; /* reason */
    kvs_revision compacted;
    struct watched *seen;
    size_t n_seen;
    size_t capacity;
};

/* One on each node, that sees everything: the source of the truth. */
struct observer {
    struct world *world;
    struct sim_node *node;
    struct node_watch watch;
    bool open;
    bool canceled;
};

void watcher_start(struct watcher *v);
void watcher_disconnect(struct watcher *v);
void watcher_verdict(struct watcher *v);

void observer_open(struct observer *o);
void observer_close(struct observer *o);

/* --- faults -------------------------------------------------------------------------------------
 */

struct nemesis {
    unsigned faults; /* which kinds this life has: bits of enum fault */
    unsigned period_ms;
    unsigned downtime_percent; /* chance to start again, each 100 ms */
    bool on;
    bool changing; /* a change of members is under way */
    struct sim_node *change_at;
    struct sim_node *change_of;
    struct node_change change;
    char url[64];
    struct kvs_view urls[1];
    bool transferring;
    struct node_transfer transfer;
};

void nemesis_start(struct world *w);
/* Ends what has failed and starts it again; from the beginning to the end. */
void keeper_start(struct world *w);

/* --- together -----------------------------------------------------------------------------------
 */

struct world {
    struct sim sim;
    struct truth truth;
    struct op **ops; /* [id - 1] */
    size_t n_ops;
    size_t ops_capacity;
    struct lease_record **leases;
    size_t n_leases;
    size_t leases_capacity;
    kvs_revision compacted; /* the highest revision that somebody asked to compact to */
    struct client clients[CLIENTS_MAX];
    unsigned n_clients;
    struct watcher watchers[WATCHERS_MAX];
    unsigned n_watchers;
    struct observer observers[SIM_NODES_MAX];
    struct nemesis nemesis;
    bool clients_on;
    size_t value_max; /* bytes of a few of the values */
};

struct world_result {
    uint64_t hash;
    uint64_t events;
    uint64_t virtual_us;
    uint64_t ops;
    uint64_t acknowledged;
    uint64_t revisions;
    uint64_t watched;
    uint64_t ends;
    uint64_t snapshots;
};

struct world_options {
    uint64_t seed;
    const char *scratch; /* folder for the nodes' files */
    bool trace;
};

/* One whole life; returns only if all went as it must. */
void world_run(const struct world_options *options, struct world_result *ret_result);

/* A member of the cluster that answers, at random; NULL if there is none. */
struct sim_node *world_pick(struct world *w);

#endif
