#include "node/local.h"

#include "base/assert.h"
#include "node/kvs_node.h"

bool local_post(struct kvs_node *k, struct local_task *t)
{
    return mbox_offer(k->tasks, &t->link);
}

void local_stream_add(struct kvs_node *k, struct local_stream *s)
{
    loop_assert_owner(k->loop);
    list_push_back(&k->local_streams, &s->link);
}

void local_stream_remove(struct local_stream *s)
{
    list_remove(&s->link);
}

void kvs_node_run_tasks(struct kvs_node *k)
{
    struct list tasks;

    list_init(&tasks);
    (void)mbox_take(k->tasks, &tasks);
    for (struct list *it = list_pop_front(&tasks); it != NULL; it = list_pop_front(&tasks)) {
        struct local_task *t = list_entry(it, struct local_task, link);

        t->run(t, k->local_closed ? NULL : k->node);
    }
}

void kvs_node_end_local_streams(struct kvs_node *k)
{
    k->local_closed = true;
    for (struct list *it = list_pop_front(&k->local_streams); it != NULL;
         it = list_pop_front(&k->local_streams)) {
        struct local_stream *s = list_entry(it, struct local_stream, link);

        s->end(s, k->node);
    }
}

void kvs_node_shut_door(struct kvs_node *k)
{
    kvs_assert(k->node == NULL && list_empty(&k->local_streams));
    mbox_stop(k->tasks);
    kvs_node_run_tasks(k);
}
