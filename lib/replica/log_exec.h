/* Executing jobs on a log: what the thread and the inline device have in common. */
#ifndef REPLICA_LOG_EXEC_H
#define REPLICA_LOG_EXEC_H

#include "base/clock.h"
#include "base/list.h"
#include "replica/log_device.h"

struct log_exec {
    struct wal *wal;
    const struct clock *clock; /* NULL: durations are 0 */
    int failed;                /* first failure; every later job gets it */
};

/* Executes the APPENDs of `jobs` as one group with one sync, in order, and moves them to the end of
 * `done`, each with its status. The wal's thread. */
void log_exec_appends(struct log_exec *x, struct list *jobs, struct list *done);

/* Likewise the TRIMs. */
void log_exec_trims(struct log_exec *x, struct list *jobs, struct list *done);

/* What is done between jobs: wal_prepare() and wal_mark(). A failure is told to the next job. */
bool log_exec_prepare(struct log_exec *x); /* true: there is more to do */
void log_exec_mark(struct log_exec *x);

/* Adds a completed job's group, if it is the first of one, and calls its callback. Loop thread. */
void log_exec_complete(struct log_device *d, struct log_job *job);

#endif
