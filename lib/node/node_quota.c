/* A store over its quota: writes that need space are refused, and the NOSPACE alarm stops them on
 * every member.
 *
 *   over quota -> refused --alarm applied here, or deadline--> answered KVS_E_NO_SPACE
 *
 * The first one proposes the alarm. It and those that come meanwhile are answered when the alarm is
 * there, so that who was refused finds it, as in etcd; once it is there, refusals wait for nothing.
 * Without a leader no alarm can be raised: the refusal comes at the deadline of a write. */
#include "base/assert.h"
#include "base/view.h"
#include "node/node_int.h"

/* `cost_bytes`: etcd's estimate of what a write will cost the store. */
bool node_has_space(struct node *n, size_t cost_bytes)
{
    struct backend_size file;
    size_t overlay;

    if (node_read_check(n, false) == KVS_E_STOPPED || node_is_learner(n)) {
        return true; /* who may not write at all is told so by node_submit */
    }
    mvcc_get_size(n->mvcc, &file, &overlay);
    return file.in_use_bytes + overlay + cost_bytes < (uint64_t)n->config.quota_bytes;
}

static bool node_alarm_is_set(const struct node *n)
{
    return apply_alarm_is_set(n->apply, KVS_ALARM_NOSPACE);
}

/* What is known of the alarm now; if it was only proposed, it is proposed again when needed. */
void node_alarm_settle(struct node *n)
{
    n->alarm_raised = node_alarm_is_set(n);
}

/* Several members may do so at a time; the alarm is set once. */
static void node_alarm_raise(struct node *n)
{
    struct apply_entry alarm = {
        .kind = APPLY_ALARM,
        .u.alarm = {.activate = true, .type = KVS_ALARM_NOSPACE, .member_id = n->config.member_id},
    };

    if (!n->alarm_raised && node_submit_quiet(n, &alarm) == 0) {
        n->alarm_raised = true;
        log_warn(n->env.log, "database space exceeded, raising the NOSPACE alarm");
    }
}

int node_refuse(struct node *n, struct node_write *w)
{
    if (node_alarm_is_set(n) || n->writes_by_id.count >= NODE_WRITES_MAX) {
        return KVS_E_NO_SPACE;
    }
    w->id = n->next_id++; /* of no entry */
    w->entry = NULL;
    w->deadline_ms = node_deadline_ms(n);
    list_init(&w->link);
    if (map_put(&n->writes_by_id, w->id, w) != 0) {
        return KVS_E_NO_SPACE;
    }
    list_push_back(&n->refused, &w->link);
    node_alarm_raise(n);
    return 0;
}

void node_refused_answer(struct node *n)
{
    if (node_alarm_is_set(n)) {
        node_writes_finish_all(n, &n->refused, KVS_E_NO_SPACE);
    }
}

void node_refused_tick(struct node *n, uint64_t now_ms)
{
    struct list due;

    if (list_empty(&n->refused)) {
        return;
    }
    node_refused_answer(n); /* a snapshot may have brought the alarm */
    node_writes_take_due(&n->refused, now_ms, &due);
    if (!list_empty(&due)) {
        node_alarm_settle(n); /* a proposal that took so long is lost */
        node_writes_finish_all(n, &due, KVS_E_NO_SPACE);
    }
    if (!list_empty(&n->refused)) {
        node_alarm_raise(n);
    }
}
