/* Mailboxes whose receiver is a loop: one eventfd wakes the loop for all of them. */
#include "base/mbox.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "loop/loop_int.h"

struct loop_mbox {
    struct list node;
    struct loop *loop;
    struct mbox *mbox;
    loop_mbox_cb cb;
    void *ctx;
};

static void loop_mbox_wake(void *ctx)
{
    struct loop_mbox *m = ctx;

    uint64_t one = 1;
    ssize_t put = write(m->loop->wake_fd, &one, sizeof one);

    (void)put; /* fails only when the count is full: then the loop is about to wake anyway */
}

int loop_mbox_new(struct loop *l, loop_mbox_cb cb, void *ctx, struct loop_mbox **ret_mbox)
{
    struct loop_mbox *m;

    loop_assert_owner(l);
    m = kvs_calloc(1, sizeof *m);
    if (m == NULL) {
        return KVS_E_NOMEM;
    }
    m->mbox = mbox_new(loop_mbox_wake, m);
    if (m->mbox == NULL) {
        kvs_free(m);
        return KVS_E_NOMEM;
    }
    m->loop = l;
    m->cb = cb;
    m->ctx = ctx;
    if (list_empty(&l->mboxes)) {
        uv_ref((uv_handle_t *)&l->wake); /* somebody may post: that is an event to wait for */
    }
    list_push_back(&l->mboxes, &m->node);
    *ret_mbox = m;
    return 0;
}

static void loop_mbox_deliver(struct loop_mbox *m)
{
    struct list messages;

    list_init(&messages);
    if (!mbox_take(m->mbox, &messages)) {
        return;
    }
    for (struct list *message = list_pop_front(&messages); message != NULL;
         message = list_pop_front(&messages)) {
        m->cb(m->ctx, message);
    }
}

void loop_deliver_messages(struct loop *l)
{
    LIST_FOREACH_SAFE(it, after, &l->mboxes)
    {
        loop_mbox_deliver(list_entry(it, struct loop_mbox, node));
    }
}

void loop_mbox_free(struct loop_mbox *m)
{
    if (m == NULL) {
        return;
    }
    loop_assert_owner(m->loop);
    loop_mbox_deliver(m);
    list_remove(&m->node);
    if (list_empty(&m->loop->mboxes)) {
        uv_unref((uv_handle_t *)&m->loop->wake);
    }
    mbox_free(m->mbox);
    kvs_free(m);
}

void loop_mbox_post(struct loop_mbox *m, struct list *message)
{
    mbox_post(m->mbox, message);
}

void loop_mboxes_fini(struct loop *l)
{
    while (!list_empty(&l->mboxes)) {
        loop_mbox_free(list_entry(l->mboxes.next, struct loop_mbox, node));
    }
}
