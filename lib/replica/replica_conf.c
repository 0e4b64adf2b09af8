/* Changes of members. The change's id travels in the CONFIG entry, before the owner's context: that
 * is how the member that asked recognises its own when it is applied. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "replica/replica_int.h"

static void conf_submit_free(struct replica_conf_submit *s)
{
    buf_fini(&s->bytes);
    kvs_free(s);
}

int replica_change_conf(struct replica *r,
                        const struct core_change *changes,
                        size_t n_changes,
                        struct kvs_view context,
                        struct replica_conf_change *change)
{
    struct replica_conf_submit *s;

    if (replica_stopped(r)) {
        return KVS_E_STOPPED;
    }
    if (r->status.leader == CORE_NONE) {
        return KVS_E_NO_LEADER;
    }
    if (n_changes > CORE_CHANGES_MAX || context.len > CORE_CONTEXT_MAX - REPLICA_CONF_ID_BYTES) {
        return KVS_E_TOO_LONG;
    }
    s = kvs_calloc(1, sizeof *s);
    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    buf_init(&s->bytes);
    s->id = replica_new_id(r);
    s->n_changes = n_changes;
    if (n_changes > 0) {
        memcpy(s->changes, changes, n_changes * sizeof *changes);
    }
    buf_append_le64(&s->bytes, s->id);
    buf_append_view(&s->bytes, context);
    if (s->bytes.failed) {
        conf_submit_free(s);
        return KVS_E_NOMEM;
    }
    list_push_back(&r->conf_submits, &s->node);
    change->id = s->id;
    change->status = 0;
    change->index = 0;
    list_push_back(&r->conf_changes, &change->node);
    replica_wake(r);
    return 0;
}

void replica_conf_cancel(struct replica *r, struct replica_conf_change *change)
{
    (void)r;
    list_remove(&change->node);
}

static struct replica_conf_change *conf_find(struct replica *r, uint64_t id)
{
    LIST_FOREACH(it, &r->conf_changes)
    {
        struct replica_conf_change *change = list_entry(it, struct replica_conf_change, node);

        if (change->id == id) {
            return change;
        }
    }
    return NULL;
}

static void conf_complete(struct replica_conf_change *change, int status)
{
    list_remove(&change->node);
    change->status = status;
    change->cb(change);
}

void replica_conf_submit_all(struct replica *r)
{
    struct list *node;

    while (!r->failed && (node = list_pop_front(&r->conf_submits)) != NULL) {
        struct replica_conf_submit *s = list_entry(node, struct replica_conf_submit, node);
        struct replica_conf_change *change;
        uint64_t id = s->id;
        int rc = core_propose_conf(r->core, s->changes, s->n_changes, buf_view(&s->bytes), s->id);

        conf_submit_free(s);
        if (!replica_core_ok(r, rc)) {
            return;
        }
        change = conf_find(r, id);
        if (rc != 0 && change != NULL) {
            conf_complete(change, rc);
        }
    }
}

/* A committed configuration: with the change's own entry it is made, unless that one is joint;
 * then the entry that leaves the joint state completes it. */
void replica_conf_seen(struct replica *r, uint64_t index, const struct core_conf *conf, uint64_t id)
{
    struct replica_conf_change *change = id != 0 ? conf_find(r, id) : NULL;
    struct list done;

    if (change != NULL) {
        change->index = index;
    }
    if (core_conf_is_joint(conf)) {
        return;
    }
    list_init(&done);
    LIST_FOREACH_SAFE(it, after, &r->conf_changes)
    {
        if (list_entry(it, struct replica_conf_change, node)->index != 0) {
            list_remove(it);
            list_push_back(&done, it);
        }
    }
    while (!list_empty(&done)) {
        conf_complete(list_entry(done.next, struct replica_conf_change, node), 0);
    }
}

bool replica_conf_refused(struct replica *r, const struct core_dropped *dropped)
{
    struct replica_conf_change *change = conf_find(r, dropped->context);

    if (change == NULL) {
        return false;
    }
    conf_complete(change, dropped->reason);
    return true;
}

void replica_conf_stop(struct replica *r)
{
    struct list *node;

    while (!list_empty(&r->conf_changes)) {
        conf_complete(list_entry(r->conf_changes.next, struct replica_conf_change, node),
                      KVS_E_STOPPED);
    }
    while ((node = list_pop_front(&r->conf_submits)) != NULL) {
        conf_submit_free(list_entry(node, struct replica_conf_submit, node));
    }
}
