/* The log device without a thread, for tests and the simulator: jobs wait until log_inline_run()
 * executes them, and their completions until log_deliver(). What happens in between is the
 * caller's: virtual time, or a crash. See log_device.h. */
#ifndef REPLICA_LOG_INLINE_H
#define REPLICA_LOG_INLINE_H

#include "base/clock.h"
#include "base/mbox.h"
#include "replica/log_device.h"

/* Moves `wal` (when 0 is returned). `submitted` (may be NULL) is called at each log_submit and
 * log_close: the simulator schedules a run. Borrows `clock` (NULL: durations are 0). KVS_E_NOMEM.
 */
KVS_MUST_USE int log_inline_new(struct wal *wal,
                                const struct clock *clock,
                                mbox_wake_fn submitted,
                                void *ctx,
                                struct log_device **ret_device);

/* Executes up to `jobs_max` (0: all) waiting jobs as one group: append, one sync. Returns how many;
 * they wait for log_deliver() now. */
size_t log_inline_run(struct log_device *d, size_t jobs_max);

/* Jobs that wait for log_inline_run. */
size_t log_inline_waiting(const struct log_device *d);

/* Power is gone: frees the device and abandons its log; no callback runs, the jobs are the
 * caller's again. */
void log_inline_crash(struct log_device *d);

/* The log below, for assertions of tests. */
struct wal *log_inline_wal(struct log_device *d);

#endif
