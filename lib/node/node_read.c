/* Linearizable reads: a read waits until a majority has confirmed the leader and this member has
 * applied what was committed then. While the leader changes it waits on and asks the new one. */
#include "base/assert.h"
#include "base/sabotage.h"
#include "node/node_int.h"

int node_read_check(const struct node *n, bool serializable)
{
    if (n->failed != 0 || n->closing || !n->started) {
        return KVS_E_STOPPED;
    }
    if (!serializable && node_is_learner(n)) {
        return KVS_E_NOT_SUPPORTED_FOR_LEARNER;
    }
    return apply_alarm_is_set(n->apply, KVS_ALARM_CORRUPT) ? KVS_E_CORRUPT : 0;
}

static void node_read_finish(struct node_read *r, int status)
{
    list_remove(&r->link);
    r->status = status;
    r->cb(r);
}

static void node_read_barrier_cb(struct replica_read *barrier)
{
    struct node_read *r = container_of(barrier, struct node_read, barrier);

    r->waiting = false;
    if (barrier->status == KVS_E_LEADER_CHANGED || barrier->status == KVS_E_NO_LEADER) {
        list_remove(&r->link);
        list_push_back(&r->node->reads_idle, &r->link); /* node_reads_retry asks again */
        return;
    }
    node_read_finish(r, barrier->status);
}

static int node_read_ask(struct node *n, struct node_read *r)
{
    int err;

    r->barrier = (struct replica_read){.cb = node_read_barrier_cb};
    err = replica_read(n->replica, &r->barrier);
    if (err != 0 && err != KVS_E_NO_LEADER) {
        return err;
    }
    if (sabotaged(SABOTAGE_READ_WITHOUT_BARRIER) && err == 0) {
        replica_read_cancel(n->replica, &r->barrier);
        r->barrier.status = 0;
        list_push_back(&n->reads, &r->link);
        node_read_finish(r, 0);
        return 0;
    }
    r->waiting = err == 0;
    list_push_back(r->waiting ? &n->reads : &n->reads_idle, &r->link);
    n->env.wake(n->env.ctx);
    return 0;
}

int node_read(struct node *n, struct node_read *r)
{
    int err = node_read_check(n, false);

    if (err != 0) {
        return err;
    }
    r->node = n;
    r->waiting = false;
    r->deadline_ms = node_deadline_ms(n);
    return node_read_ask(n, r);
}

void node_read_cancel(struct node *n, struct node_read *r)
{
    if (r->waiting) {
        replica_read_cancel(n->replica, &r->barrier);
    }
    list_remove(&r->link);
}

void node_reads_retry(struct node *n)
{
    struct list idle;

    if (list_empty(&n->reads_idle) || replica_leader(n->replica) == 0) {
        return;
    }
    list_init(&idle);
    list_splice_back(&idle, &n->reads_idle);
    for (struct list *it = list_pop_front(&idle); it != NULL; it = list_pop_front(&idle)) {
        struct node_read *r = list_entry(it, struct node_read, link);
        int err = node_read_ask(n, r);

        if (err != 0) {
            node_read_finish(r, err);
        }
    }
}

/* Callbacks may cancel any other read: nothing but the front of the list is held on to. */
static unsigned node_reads_finish_all(struct node *n, struct list *reads, int status)
{
    unsigned finished = 0;

    for (struct list *it = list_pop_front(reads); it != NULL; it = list_pop_front(reads)) {
        struct node_read *r = list_entry(it, struct node_read, link);

        if (r->waiting) {
            replica_read_cancel(n->replica, &r->barrier);
            r->waiting = false;
        }
        node_read_finish(r, status);
        finished++;
    }
    return finished;
}

static void node_reads_expire(struct node *n, struct list *reads, uint64_t now_ms)
{
    struct list due;

    list_init(&due);
    LIST_FOREACH_SAFE(it, after, reads)
    {
        struct node_read *r = list_entry(it, struct node_read, link);

        if (r->deadline_ms <= now_ms) {
            list_remove(&r->link);
            list_push_back(&due, &r->link);
        }
    }
    n->stats.read_indexes_failed += node_reads_finish_all(n, &due, KVS_E_TIMEOUT);
}

void node_reads_tick(struct node *n, uint64_t now_ms)
{
    node_reads_expire(n, &n->reads, now_ms);
    node_reads_expire(n, &n->reads_idle, now_ms);
    node_reads_retry(n);
}

void node_reads_stop(struct node *n, int err)
{
    (void)node_reads_finish_all(n, &n->reads, err); /* how many is of no interest any more */
    (void)node_reads_finish_all(n, &n->reads_idle, err);
}
