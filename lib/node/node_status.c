/* Status of a member, as etcd's Maintenance.Status reports it. */
#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "kvstore/node.h"
#include "node/node_int.h"

const char *kvs_version(void)
{
    return "3.6.0";
}

struct kvs_header node_header(const struct node *n)
{
    return (struct kvs_header){
        .cluster_id = n->config.cluster_id,
        .member_id = n->config.member_id,
        .revision = mvcc_revision(n->mvcc),
        .raft_term = replica_term(n->replica),
    };
}

static const char *node_alarm_text(struct arena *arena, const struct kvs_alarm *alarm)
{
    char text[64];
    int len = snprintf(text, sizeof text, "memberID:%" PRIu64 " alarm:%s ", alarm->member_id,
                       alarm->type == KVS_ALARM_NOSPACE ? "NOSPACE" : "CORRUPT");

    kvs_assert(len > 0 && (size_t)len < sizeof text);
    return arena_strndup(arena, text, (size_t)len);
}

static int node_status_errors(struct node *n, struct arena *arena, struct kvs_status_resp *resp)
{
    size_t n_alarms;
    const struct kvs_alarm *alarms = apply_alarms(n->apply, &n_alarms);

    resp->errors = arena_calloc(arena, n_alarms + 1, sizeof *resp->errors);
    if (resp->errors == NULL) {
        return KVS_E_NOMEM;
    }
    if (resp->leader == 0) {
        resp->errors[resp->n_errors++] = kvs_strerror(KVS_E_NO_LEADER);
    }
    for (size_t i = 0; i < n_alarms; i++) {
        const char *text = node_alarm_text(arena, &alarms[i]);

        if (text == NULL) {
            return KVS_E_NOMEM;
        }
        resp->errors[resp->n_errors++] = text;
    }
    return 0;
}

int node_status(struct node *n, struct arena *arena, struct kvs_status_resp *ret_resp)
{
    struct backend_size file;
    size_t overlay_bytes;

    mvcc_get_size(n->mvcc, &file, &overlay_bytes);
    *ret_resp = (struct kvs_status_resp){
        .header = node_header(n),
        .version = kvs_version(),
        .db_size_bytes = (int64_t)file.file_bytes,
        .db_size_in_use_bytes = (int64_t)file.in_use_bytes,
        .db_size_quota_bytes = n->config.quota_bytes,
        .leader = replica_leader(n->replica),
        .raft_index = replica_commit(n->replica),
        .raft_applied_index = mvcc_applied_index(n->mvcc),
        .raft_term = replica_term(n->replica),
        .is_learner = node_is_learner(n),
    };
    return node_status_errors(n, arena, ret_resp);
}

struct node_stats *node_stats(struct node *n)
{
    return &n->stats;
}

size_t node_pending_writes(const struct node *n)
{
    return n->writes_by_id.count;
}

const struct log_stats *node_log_stats(const struct node *n)
{
    return &n->env.log_device->stats;
}

/* --- hash --- */

/* Records per step, so that a worker that is asked to stop does so soon. */
#define NODE_HASH_STEP 10000

static void node_hash_run(struct node_work *w)
{
    struct node_hash *h = container_of(w, struct node_hash, work);

    do {
        h->status = mvcc_hash_run(h->hash, NODE_HASH_STEP);
    } while (h->status == KVS_E_AGAIN && !atomic_load(&h->node->abandon_work));
}

static void node_hash_done(struct node_work *w)
{
    struct node_hash *h = container_of(w, struct node_hash, work);
    struct node *n = h->node;

    mvcc_hash_end(h->hash, &h->result);
    if (n->closing) {
        h->status = KVS_E_STOPPED;
    }
    h->cb(h);
    node_work_done(n);
}

int node_hash(struct node *n, kvs_revision revision, struct node_hash *h)
{
    int err = node_read_check(n, true);

    if (err == 0) {
        err = mvcc_hash_begin(n->mvcc, revision, &h->hash);
    }
    if (err != 0) {
        return err;
    }
    h->node = n;
    h->work = (struct node_work){.run = node_hash_run, .done = node_hash_done};
    err = node_work_submit(n, &h->work);
    if (err != 0) {
        mvcc_hash_end(h->hash, NULL);
    }
    return err;
}
