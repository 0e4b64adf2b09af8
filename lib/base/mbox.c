#include "base/mbox.h"

#include <pthread.h>
#include <time.h>

#include "base/alloc.h"
#include "base/assert.h"

struct mbox {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct list messages;
    bool stopped;
    mbox_wake_fn wake;
    void *ctx;
};

struct mbox *mbox_new(mbox_wake_fn wake, void *ctx)
{
    struct mbox *m = kvs_calloc(1, sizeof *m);
    pthread_condattr_t attr;

    if (m == NULL) {
        return NULL;
    }
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&m->arrived, &attr);
    (void)pthread_condattr_destroy(&attr);
    list_init(&m->messages);
    m->wake = wake;
    m->ctx = ctx;
    return m;
}

void mbox_free(struct mbox *m)
{
    if (m == NULL) {
        return;
    }
    kvs_assert(list_empty(&m->messages));
    (void)pthread_cond_destroy(&m->arrived);
    (void)pthread_mutex_destroy(&m->lock);
    kvs_free(m);
}

/* With the lock held. */
static void mbox_add(struct mbox *m, struct list *message)
{
    bool was_empty = list_empty(&m->messages);

    list_push_back(&m->messages, message);
    if (was_empty) {
        (void)pthread_cond_signal(&m->arrived);
    }
    /* Under the lock: the receiver cannot take the message and free the mailbox in between. */
    if (was_empty && m->wake != NULL) {
        m->wake(m->ctx);
    }
}

void mbox_post(struct mbox *m, struct list *message)
{
    (void)pthread_mutex_lock(&m->lock);
    mbox_add(m, message);
    (void)pthread_mutex_unlock(&m->lock);
}

bool mbox_offer(struct mbox *m, struct list *message)
{
    bool taken;

    (void)pthread_mutex_lock(&m->lock);
    taken = !m->stopped;
    if (taken) {
        mbox_add(m, message);
    }
    (void)pthread_mutex_unlock(&m->lock);
    return taken;
}

bool mbox_take(struct mbox *m, struct list *ret_messages)
{
    bool any;

    (void)pthread_mutex_lock(&m->lock);
    any = !list_empty(&m->messages);
    list_splice_back(ret_messages, &m->messages);
    (void)pthread_mutex_unlock(&m->lock);
    return any;
}

bool mbox_wait(struct mbox *m, struct list *ret_messages)
{
    bool any;

    (void)pthread_mutex_lock(&m->lock);
    while (list_empty(&m->messages) && !m->stopped) {
        (void)pthread_cond_wait(&m->arrived, &m->lock);
    }
    any = !list_empty(&m->messages);
    list_splice_back(ret_messages, &m->messages);
    (void)pthread_mutex_unlock(&m->lock);
    return any;
}

bool mbox_wait_timeout(struct mbox *m, struct list *ret_messages, unsigned timeout_ms)
{
    struct timespec until;
    bool any;
    int err = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&m->lock);
    while (list_empty(&m->messages) && !m->stopped && err == 0) {
        err = pthread_cond_timedwait(&m->arrived, &m->lock, &until);
    }
    any = !list_empty(&m->messages);
    list_splice_back(ret_messages, &m->messages);
    (void)pthread_mutex_unlock(&m->lock);
    return any;
}

void mbox_stop(struct mbox *m)
{
    (void)pthread_mutex_lock(&m->lock);
    m->stopped = true;
    (void)pthread_cond_broadcast(&m->arrived);
    (void)pthread_mutex_unlock(&m->lock);
}
