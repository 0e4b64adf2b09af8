/* The load generator's inside: what runs (load.c), unary calls (load_unary.c), streams
 * (load_watch.c, load_lease.c), flags (load_options.c), the result (load_report.c).
 *
 *   CONNECTING -> PREPARING -> WARMING -> MEASURING -> DRAINING -> DONE
 *
 * One thread, one loop. Only what ends in MEASURING (and, for watches, DRAINING) is counted. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/rand.h"
#include "hist.h"
#include "loop/loop.h"
#include "procs.h"
#include "rpc/rpc_client.h"

enum load_workload {
    LOAD_FILL,      /* every key once, in order */
    LOAD_PUT,       /* random keys */
    LOAD_GET,       /* random keys; --serializable */
    LOAD_MIXED,     /* --reads percent gets, the rest puts */
    LOAD_RANGE,     /* the whole prefix */
    LOAD_COMPACT,   /* puts while all revisions so far are compacted; ends with that */
    LOAD_WATCH,     /* --streams watchers of one prefix, puts at --rate */
    LOAD_IDLE,      /* --streams streams of --watchers watches each, nothing happens */
    LOAD_KEEPALIVE, /* a lease per client, kept alive without pause */
    LOAD_WORKLOAD_COUNT,
};

struct load_options {
    enum load_workload workload;
    const char *endpoints; /* comma-separated */
    const char *prefix;
    unsigned clients;     /* requests outstanding */
    unsigned connections; /* spread over the endpoints */
    unsigned rate;        /* requests a second, whatever the answers do; 0: as fast as they come */
    unsigned seconds;     /* measured */
    unsigned warmup_ms;
    uint64_t keys;
    unsigned value_bytes;
    unsigned reads; /* percent */
    unsigned streams;
    unsigned watchers; /* per stream */
    unsigned timeout_ms;
    uint64_t seed;
    bool serializable;
    bool json;
    struct procs servers;
};

enum load_phase {
    LOAD_CONNECTING,
    LOAD_PREPARING,
    LOAD_WARMING,
    LOAD_MEASURING,
    LOAD_DRAINING,
    LOAD_DONE,
};

/* One request outstanding, or one stream. */
struct load_op {
    struct rpc_client_call call;
    struct load *load;
    uint64_t begun_ns; /* when it was due (open loop) or sent (closed) */
    int64_t id;        /* lease */
    bool is_read;
    bool active;
    bool is_ready; /* stream: what it was opened for is set up */
};

struct load_result {
    struct hist latency_ns;
    uint64_t n_ok;
    uint64_t n_errors;
    uint64_t n_missed; /* reads that found nothing: the measurement is worth nothing */
    uint64_t n_events;
    uint64_t n_events_expected;
    uint64_t n_bytes; /* of the responses */
    uint64_t n_late;  /* open loop: sent more than two milliseconds after they were due */
    uint64_t compact_ms;
    uint64_t compact_p99_ns; /* of the puts while the compaction ran */
    char first_error[160];
};

struct load {
    struct load_options options;
    struct loop *loop;
    enum load_phase phase;
    int status; /* exit status */

    struct rpc_client **clients; /* connections */
    size_t n_clients;
    size_t n_connected;
    struct load_op *ops;
    size_t n_ops;
    struct load_op *free_op; /* open loop: where to look for one that is not active */
    struct load_op *streams;
    size_t n_streams;
    size_t n_ready; /* watches or leases that are set up */

    struct loop_timer phase_timer;
    struct loop_timer tick;   /* open loop */
    struct loop_timer sample; /* peak memory */
    uint64_t measure_begin_ns;
    uint64_t measure_end_ns;
    uint64_t due_ns; /* open loop: when the next request is due */
    uint64_t n_issued;

    struct rng rng;
    struct buf request;
    struct arena arena;
    uint8_t *value;
    char prefix_end[256];

    struct procs_sample before;
    struct procs_sample after;
    uint64_t rss_max_kb;
    uint64_t anon_max_kb;
    uint64_t own_cpu_us;
    struct hist compact_latency_ns;
    struct rpc_client_call compact_call;
    bool compacting;
    uint64_t compact_begin_ns;
    kvs_revision revision; /* latest seen in the answer of a put */
    struct load_result result;
};

/* ---- load_options.c ---- */

/* False: said why on stderr. */
bool load_options_parse(struct load_options *o, int argc, char **argv);

extern const char *const load_workload_names[LOAD_WORKLOAD_COUNT];

/* ---- load.c ---- */

uint64_t load_now_ns(const struct load *l);

/* Everything the workload needs is set up. */
void load_prepared(struct load *l);

/* Ends the measurement (or the draining after it) now. */
void load_finish(struct load *l);

/* Gives up: the set-up failed. */
void load_fail(struct load *l, const char *what, const char *why);

static inline bool load_is_counting(const struct load *l)
{
    return l->phase == LOAD_MEASURING || l->phase == LOAD_DRAINING;
}

void load_count_error(struct load *l, enum rpc_status status, const char *text);

/* Key number `number` under the prefix, into `text` (at least 300 bytes). */
struct kvs_view load_key(const struct load *l, uint64_t number, char *text);
struct kvs_view load_prefix(const struct load *l);
struct kvs_view load_prefix_end(struct load *l);

/* ---- load_unary.c ---- */

/* Begins to send, and goes on until the phase is DRAINING. */
void load_unary_start(struct load *l);

/* Sends one put that was due at `due_ns` over connection `client`; false if all ops are busy. */
bool load_unary_put(struct load *l, struct rpc_client *client, uint64_t due_ns);

/* Compacts at the latest revision while the puts go on. */
void load_compact(struct load *l);

/* ---- load_watch.c, load_lease.c ---- */

void load_watch_prepare(struct load *l);
void load_watch_start(struct load *l);
bool load_watch_is_drained(const struct load *l);
void load_lease_prepare(struct load *l);
void load_lease_start(struct load *l);

/* ---- load_report.c ---- */

void load_report(const struct load *l);

#endif
