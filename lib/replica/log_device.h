/* The log device: where the replica's driver hands its disk work, and gets it back when it is
 * durable. Two implementations behind one vtable: log_thread.h (production: a thread of its own)
 * and log_inline.h (tests and simulator: runs when it is told to).
 *
 *   loop thread                         log thread
 *     log_submit(job) -- mailbox -->  all waiting jobs: append, one sync
 *     job->done_cb    <-- mailbox --  completed jobs, in order
 *     (inside log_deliver)
 *
 * Promises: done_cb runs exactly once, later, on the loop thread, only from log_deliver(). APPENDs
 * complete in the order of submission. A TRIM completes after everything submitted before it; later
 * APPENDs may overtake it. After the first failure every job, waiting or later, completes with that
 * same status: the disk can no longer be trusted, stop the process. */
#ifndef REPLICA_LOG_DEVICE_H
#define REPLICA_LOG_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "replica/wal.h"

struct log_device;
struct log_job;

/* The last thing the device does with the job. */
typedef void (*log_done_cb)(struct log_job *job);
typedef void (*log_close_cb)(void *ctx);

enum log_job_type {
    LOG_APPEND = 0, /* hard state, reset and entries: in this order, durable together */
    LOG_TRIM = 1,   /* wal_trim(index) */
    LOG_JOB_TYPE_COUNT,
};

/* Caller-allocated, not touched by the caller between log_submit and done_cb. `entries` and their
 * data are borrowed until then. Unused fields are 0. */
struct log_job {
    enum log_job_type type;
    bool has_hard;
    struct wal_hard_state hard;
    bool reset; /* first forget all entries: wal_reset(index, term) */
    uint64_t index;
    uint64_t term;
    const struct wal_entry *entries;
    size_t n_entries;
    log_done_cb done_cb;

    int status; /* out: 0 or the failure */

    struct list node;    /* the device's */
    uint64_t group_jobs; /* the device's: in the first job of a group, what the group took */
    uint64_t group_bytes;
    uint64_t write_ns;
    uint64_t sync_ns;
};

enum { LOG_BUCKETS = 15 };

/* Upper bounds 1 ms * 2^i for i < LOG_BUCKETS - 1 (etcd_disk_wal_fsync_duration_seconds); the last
 * one takes the rest. Not cumulative. */
struct log_histogram {
    uint64_t buckets[LOG_BUCKETS];
    uint64_t count;
    uint64_t sum_ns;
};

/* Loop thread; brought up to date by log_deliver. */
struct log_stats {
    uint64_t groups; /* syncs for jobs: groups < jobs is group commit at work */
    uint64_t jobs;
    uint64_t bytes;
    struct log_histogram write;
    struct log_histogram sync;
};

struct log_device {
    void (*submit)(struct log_device *d, struct log_job *job);
    void (*deliver)(struct log_device *d);
    void (*close)(struct log_device *d, log_close_cb cb, void *ctx);
    struct log_stats stats;
};

/* Hands `job` over. Loop thread; never fails, never calls back from inside. Not after log_close. */
static inline void log_submit(struct log_device *d, struct log_job *job)
{
    d->submit(d, job);
}

/* Runs the callbacks of what has completed; the loop calls it when the device has woken it. The
 * device may be gone afterwards (log_close). */
static inline void log_deliver(struct log_device *d)
{
    d->deliver(d);
}

/* Completes everything submitted, closes the log, frees the device; then `cb` runs, once, from
 * log_deliver. */
static inline void log_close(struct log_device *d, log_close_cb cb, void *ctx)
{
    d->close(d, cb, ctx);
}

#endif
