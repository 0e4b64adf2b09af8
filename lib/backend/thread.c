/* The device of production: one thread that executes jobs in order. Two mailboxes, one each way;
 * a job is in exactly one of them, or with one of the two threads. */
#include <pthread.h>
#include <signal.h>

#include "backend/device.h"
#include "base/alloc.h"
#include "base/assert.h"

struct backend_thread {
    struct backend_device device;
    struct mbox *todo; /* to the thread */
    struct mbox *done; /* back to the owner */
    pthread_t thread;
};

static struct backend_job *backend_job_of(struct list *link)
{
    return container_of(link, struct backend_job, link);
}

static void *backend_thread_main(void *arg)
{
    struct backend_thread *t = arg;
    struct list jobs;
    struct list *link;

    list_init(&jobs);
    while (mbox_wait(t->todo, &jobs)) {
        while ((link = list_pop_front(&jobs)) != NULL) {
            struct backend_job *job = backend_job_of(link);

            job->status = job->run(job);
            mbox_post(t->done, &job->link);
        }
    }
    return NULL;
}

static void backend_thread_submit(struct backend_device *d, struct backend_job *job)
{
    struct backend_thread *t = container_of(d, struct backend_thread, device);

    list_init(&job->link);
    job->status = KVS_E_CLOSED;
    mbox_post(t->todo, &job->link);
}

/* Signals are for the owner's thread. */
static int backend_thread_start(struct backend_thread *t)
{
    sigset_t all;
    sigset_t before;
    int rc;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&t->thread, NULL, backend_thread_main, t);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? 0 : KVS_E_AGAIN;
}

int backend_thread_new(mbox_wake_fn wake, void *ctx, struct backend_thread **ret)
{
    struct backend_thread *t = kvs_calloc(1, sizeof *t);
    int err = KVS_E_NOMEM;

    if (t == NULL) {
        return KVS_E_NOMEM;
    }
    t->device.submit = backend_thread_submit;
    t->todo = mbox_new(NULL, NULL);
    if (t->todo == NULL) {
        goto free_thread;
    }
    t->done = mbox_new(wake, ctx);
    if (t->done == NULL) {
        goto free_todo;
    }
    err = backend_thread_start(t);
    if (err != 0) {
        goto free_done;
    }
    *ret = t;
    return 0;

free_done:
    mbox_free(t->done);
free_todo:
    mbox_free(t->todo);
free_thread:
    kvs_free(t);
    return err;
}

/* Jobs that a done() has submitted while the thread was ending: nobody runs them any more. */
static void backend_thread_refuse(struct backend_thread *t)
{
    struct list jobs;
    struct list *link;

    list_init(&jobs);
    while (mbox_take(t->todo, &jobs)) {
        while ((link = list_pop_front(&jobs)) != NULL) {
            struct backend_job *job = backend_job_of(link);

            job->done(job); /* its status is still KVS_E_CLOSED */
        }
    }
}

void backend_thread_free(struct backend_thread *t)
{
    if (t == NULL) {
        return;
    }
    mbox_stop(t->todo);
    (void)pthread_join(t->thread, NULL);
    backend_thread_poll(t);
    backend_thread_refuse(t);
    mbox_free(t->done);
    mbox_free(t->todo);
    kvs_free(t);
}

struct backend_device *backend_thread_device(struct backend_thread *t)
{
    return &t->device;
}

void backend_thread_poll(struct backend_thread *t)
{
    struct list jobs;
    struct list *link;

    list_init(&jobs);
    (void)mbox_take(t->done, &jobs);
    while ((link = list_pop_front(&jobs)) != NULL) {
        struct backend_job *job = backend_job_of(link);

        job->done(job);
    }
}
