/* Linearizable reads: a read waits until a majority has confirmed the leader and this member has
 * applied what was committed then. While the leader changes it waits on and asks the new one. */
#include "base/assert.h"
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

static void node_reads_expire(struct node *n, struct list *reads, uint64_t now_ms)
{
    LIST_FOREACH_SAFE(it, after, reads)
    {
        struct node_read *r = list_entry(it, struct node_read, link);

        if (r->deadline_ms > now_ms) {
            continue;
        }
        if (r->waiting) {
            replica_read_cancel(n->replica, &r->barrier);
        }
        n->stats.read_indexes_failed++;
        node_read_finish(r, KVS_E_TIMEOUT);
    }
}

void node_reads_tick(struct node *n, uint64_t now_ms)
{
    node_reads_expire(n, &n->reads, now_ms);
    node_reads_expire(n, &n->reads_idle, now_ms);
    node_reads_retry(n);
}

static void node_reads_stop_list(struct node *n, struct list *reads, int err)
{
    LIST_FOREACH_SAFE(it, after, reads)
    {
        struct node_read *r = list_entry(it, struct node_read, link);

        if (r->waiting) {
            replica_read_cancel(n->replica, &r->barrier);
        }
        node_read_finish(r, err);
    }
}

void node_reads_stop(struct node *n, int err)
{
    node_reads_stop_list(n, &n->reads, err);
    node_reads_stop_list(n, &n->reads_idle, err);
}
