/* The log thread: takes all that waits, one write and one sync for it, then the next. While nothing
 * waits it prepares the next segment in small pieces and, after a quiet second, writes the mark
 * that tells damage from an unfinished write.
 *
 * Owned by the log thread: `exec` with its wal. By the loop thread: the rest. Shared: only the two
 * mailboxes. Their length is bounded by the replica, which limits what is not yet committed. */
#include "replica/log_thread.h"

#include <pthread.h>
#include <signal.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "replica/log_exec.h"

enum {
    MARK_AFTER_MS = 1000,
};

struct log_thread {
    struct log_device device;
    struct mbox *submitted;
    struct mbox *completed;
    pthread_t thread;
    struct log_exec exec;
    struct list closed; /* the thread's last message */
    bool closing;
    log_close_cb close_cb;
    void *close_ctx;
};

/* --- log thread ----------------------------------------------------------------------------- */

static void thread_post(struct log_thread *t, struct list *done)
{
    struct list *job;

    while ((job = list_pop_front(done)) != NULL) {
        mbox_post(t->completed, job);
    }
}

/* Waits for jobs; false when the mailbox is stopped and empty. `more`: there is preparation to go
 * on with. `unmarked`: there was a sync since the last mark. */
static bool thread_wait(struct log_thread *t, struct list *jobs, bool more, bool *unmarked)
{
    if (more && mbox_take(t->submitted, jobs)) {
        return true;
    }
    if (more) {
        return true; /* Nothing waits: the next piece. */
    }
    if (*unmarked) {
        if (mbox_wait_timeout(t->submitted, jobs, MARK_AFTER_MS)) {
            return true;
        }
        *unmarked = false;
        log_exec_mark(&t->exec);
    }
    return mbox_wait(t->submitted, jobs);
}

static void *thread_run(void *ctx)
{
    struct log_thread *t = ctx;
    struct list jobs;
    struct list done;
    bool more = false;
    bool unmarked = false;

    list_init(&jobs);
    list_init(&done);
    while (thread_wait(t, &jobs, more, &unmarked)) {
        unmarked = true;
        log_exec_appends(&t->exec, &jobs, &done);
        thread_post(t, &done); /* Before the trims: removing files takes its time. */
        log_exec_trims(&t->exec, &jobs, &done);
        thread_post(t, &done);
        kvs_assert(list_empty(&jobs));
        more = log_exec_prepare(&t->exec);
    }
    (void)wal_close(t->exec.wal); /* All jobs have been told their status. */
    mbox_post(t->completed, &t->closed);
    return NULL;
}

/* --- loop thread ---------------------------------------------------------------------------- */

static void thread_submit(struct log_device *d, struct log_job *job)
{
    struct log_thread *t = container_of(d, struct log_thread, device);

    kvs_assert(!t->closing && job->type < LOG_JOB_TYPE_COUNT);
    job->group_jobs = 0;
    mbox_post(t->submitted, &job->node);
}

static void thread_free(struct log_thread *t)
{
    mbox_free(t->completed);
    mbox_free(t->submitted);
    kvs_free(t);
}

static void thread_deliver(struct log_device *d)
{
    struct log_thread *t = container_of(d, struct log_thread, device);
    log_close_cb close_cb = t->close_cb;
    void *close_ctx = t->close_ctx;
    struct list messages;
    struct list *message;
    bool closed = false;

    list_init(&messages);
    (void)mbox_take(t->completed, &messages);
    while ((message = list_pop_front(&messages)) != NULL) {
        if (message == &t->closed) {
            closed = true;
            continue;
        }
        log_exec_complete(d, list_entry(message, struct log_job, node));
    }
    if (closed) {
        (void)pthread_join(t->thread, NULL);
        thread_free(t);
        close_cb(close_ctx);
    }
}

static void thread_close(struct log_device *d, log_close_cb cb, void *ctx)
{
    struct log_thread *t = container_of(d, struct log_thread, device);

    kvs_assert(!t->closing && cb != NULL);
    t->closing = true;
    t->close_cb = cb;
    t->close_ctx = ctx;
    mbox_stop(t->submitted);
}

/* Signals are the loop's. */
static int thread_create(struct log_thread *t)
{
    sigset_t all;
    sigset_t before;
    int err;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&t->thread, NULL, thread_run, t);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err == 0 ? 0 : KVS_E_AGAIN;
}

int log_thread_start(struct wal *wal,
                     const struct clock *clock,
                     mbox_wake_fn wake,
                     void *wake_ctx,
                     struct log_device **ret_device)
{
    struct log_thread *t = kvs_calloc(1, sizeof *t);
    int rv = KVS_E_NOMEM;

    if (t == NULL) {
        return KVS_E_NOMEM;
    }
    t->device.submit = thread_submit;
    t->device.deliver = thread_deliver;
    t->device.close = thread_close;
    t->exec.wal = wal;
    t->exec.clock = clock != NULL ? clock : clock_system();
    list_init(&t->closed);
    t->submitted = mbox_new(NULL, NULL);
    if (t->submitted == NULL) {
        goto free_thread;
    }
    t->completed = mbox_new(wake, wake_ctx);
    if (t->completed == NULL) {
        goto free_submitted;
    }
    rv = thread_create(t);
    if (rv != 0) {
        goto free_completed;
    }
    *ret_device = &t->device;
    return 0;

free_completed:
    mbox_free(t->completed);
free_submitted:
    mbox_free(t->submitted);
free_thread:
    kvs_free(t);
    return rv;
}
