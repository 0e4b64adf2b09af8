/* The log device with a thread of its own: production. See log_device.h. */
#ifndef REPLICA_LOG_THREAD_H
#define REPLICA_LOG_THREAD_H

#include "base/clock.h"
#include "base/mbox.h"
#include "replica/log_device.h"

/* Starts the thread. Moves `wal` (when 0 is returned): the thread is its owner from now on and
 * log_close() closes it. `wake` is called from the log thread when there is something for
 * log_deliver(): it makes the loop call that soon (uv_async_send). Borrows `clock` (NULL: the
 * machine's).
 * KVS_E_NOMEM, KVS_E_AGAIN (no thread). */
KVS_MUST_USE int log_thread_start(struct wal *wal,
                                  const struct clock *clock,
                                  mbox_wake_fn wake,
                                  void *wake_ctx,
                                  struct log_device **ret_device);

#endif
