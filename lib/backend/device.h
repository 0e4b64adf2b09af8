/* Where the store's writes are executed: a thread of its own, or, in the simulator and in tests,
 * whenever the owner says so (and never, after a crash).
 *
 * A job is a struct of the submitter with `struct backend_job` inside. run() is called once on the
 * backend's thread, in order of submission; then done() once on the owner's thread. Between submit
 * and done the job, and all that run() touches, belongs to the device. */
#ifndef BACKEND_DEVICE_H
#define BACKEND_DEVICE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/list.h"
#include "base/mbox.h"

struct backend_job {
    struct list link; /* the device's */
    int status;       /* what run() returned; KVS_E_CLOSED if it never ran */
    int (*run)(struct backend_job *job);
    void (*done)(struct backend_job *job);
};

struct backend_device {
    /* Takes the job; done() runs later, never inside. Owner's thread. */
    void (*submit)(struct backend_device *d, struct backend_job *job);
};

/* One thread that runs jobs in order. */
struct backend_thread;

/* Starts the thread. `wake` is called from it when completed jobs wait for backend_thread_poll.
 * KVS_E_NOMEM, KVS_E_AGAIN (no thread could be made). */
KVS_MUST_USE int backend_thread_new(mbox_wake_fn wake, void *ctx, struct backend_thread **ret);

/* Waits for the jobs submitted so far, delivers their done(), ends the thread; what a done()
 * submits then is reported as KVS_E_CLOSED without having run. NULL is allowed. */
void backend_thread_free(struct backend_thread *t);

struct backend_device *backend_thread_device(struct backend_thread *t);

/* Delivers done() of completed jobs. Owner's thread, when woken. */
void backend_thread_poll(struct backend_thread *t);

/* Runs jobs on the owner's thread, on demand. */
struct backend_inline {
    struct backend_device device;
    struct list jobs;
};

void backend_inline_init(struct backend_inline *d);

/* Runs the oldest job and its done(). False if there was none. */
bool backend_inline_step(struct backend_inline *d);

/* Until no job is left, those submitted by done() included. */
void backend_inline_drain(struct backend_inline *d);

/* As after a crash of the machine: no job runs; each done() sees KVS_E_CLOSED. */
void backend_inline_drop(struct backend_inline *d);

#endif
