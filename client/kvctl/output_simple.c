/* The default format: for people and for shell pipes. Lines are etcdctl's. */
#include <inttypes.h>
#include <stdio.h>

#include "output.h"
#include "quote.h"

static void put_bytes(const struct ctl *ctl, struct kvs_view bytes)
{
    if (ctl->hex) {
        quote_put_hex(stdout, bytes);
    } else if (bytes.len > 0) {
        (void)fwrite(bytes.data, 1, bytes.len, stdout);
    }
    (void)fputc('\n', stdout);
}

static void put_kv(const struct ctl *ctl, const struct kvs_kv *kv)
{
    put_bytes(ctl, kv->key);
    put_bytes(ctl, kv->value);
}

static void simple_range(const struct ctl *ctl, const struct kvs_range_resp *resp)
{
    bool is_get = flags_find(&ctl->flags, "print-value-only") != NULL;

    if (is_get && ctl_bool(ctl, "count-only")) {
        (void)printf("%" PRId64 "\n", resp->count);
        return;
    }
    for (size_t i = 0; i < resp->n_kvs; i++) {
        if (is_get && ctl_bool(ctl, "print-value-only")) {
            put_bytes(ctl, resp->kvs[i].value);
        } else {
            put_kv(ctl, &resp->kvs[i]);
        }
    }
}

static void simple_put(const struct ctl *ctl, const struct kvs_put_resp *resp)
{
    (void)puts("OK");
    if (resp->has_prev) {
        put_kv(ctl, &resp->prev_kv);
    }
}

static void simple_del(const struct ctl *ctl, const struct kvs_delete_resp *resp)
{
    (void)printf("%" PRId64 "\n", resp->deleted);
    for (size_t i = 0; i < resp->n_prev_kvs; i++) {
        put_kv(ctl, &resp->prev_kvs[i]);
    }
}

static void simple_txn(const struct ctl *ctl, const struct kvs_txn_resp *resp)
{
    (void)puts(resp->succeeded ? "SUCCESS" : "FAILURE");
    for (size_t i = 0; i < resp->n_responses; i++) {
        const struct kvs_op_resp *op = &resp->responses[i];

        (void)fputc('\n', stdout);
        switch (op->type) {
        case KVS_OP_NONE:
            break;
        case KVS_OP_RANGE:
            simple_range(ctl, &op->u.range);
            break;
        case KVS_OP_PUT:
            simple_put(ctl, &op->u.put);
            break;
        case KVS_OP_DELETE:
            simple_del(ctl, &op->u.del);
            break;
        case KVS_OP_TXN:
            simple_txn(ctl, op->u.txn);
            break;
        }
    }
}

static void simple_watch(const struct ctl *ctl, const struct kvs_watch_resp *resp)
{
    for (size_t i = 0; i < resp->n_events; i++) {
        const struct kvs_event *event = &resp->events[i];

        (void)puts(event->type == KVS_EVENT_PUT ? "PUT" : "DELETE");
        if (event->has_prev) {
            put_kv(ctl, &event->prev_kv);
        }
        put_kv(ctl, &event->kv);
    }
}

static void simple_lease_grant(const struct ctl *ctl, const struct kvs_lease_grant_resp *resp)
{
    (void)ctl;
    (void)printf("lease %016" PRIx64 " granted with TTL(%" PRId64 "s)\n", (uint64_t)resp->id,
                 resp->ttl_s);
}

static void simple_lease_revoke(const struct ctl *ctl,
                                kvs_lease_id id,
                                const struct kvs_lease_revoke_resp *resp)
{
    (void)ctl;
    (void)resp;
    (void)printf("lease %016" PRIx64 " revoked\n", (uint64_t)id);
}

static void
simple_lease_ttl(const struct ctl *ctl, const struct kvs_lease_ttl_resp *resp, bool keys)
{
    (void)ctl;
    if (resp->granted_ttl_s == 0 && resp->ttl_s == -1) {
        (void)printf("lease %016" PRIx64 " already expired\n", (uint64_t)resp->id);
        return;
    }
    (void)printf("lease %016" PRIx64 " granted with TTL(%" PRId64 "s), remaining(%" PRId64 "s)",
                 (uint64_t)resp->id, resp->granted_ttl_s, resp->ttl_s);
    if (keys) {
        (void)printf(", attached keys([");
        for (size_t i = 0; i < resp->n_keys; i++) {
            (void)printf("%s%.*s", i > 0 ? " " : "", (int)resp->keys[i].len,
                         (const char *)resp->keys[i].data);
        }
        (void)printf("])");
    }
    (void)fputc('\n', stdout);
}

static void simple_lease_list(const struct ctl *ctl, const struct kvs_lease_list_resp *resp)
{
    (void)ctl;
    (void)printf("found %zu leases\n", resp->n_leases);
    for (size_t i = 0; i < resp->n_leases; i++) {
        (void)printf("%016" PRIx64 "\n", (uint64_t)resp->leases[i]);
    }
}

static void simple_lease_keepalive(const struct ctl *ctl,
                                   const struct kvs_lease_keepalive_resp *resp)
{
    (void)ctl;
    if (resp->ttl_s == 0) {
        (void)printf("lease %016" PRIx64 " expired or revoked.\n", (uint64_t)resp->id);
        return;
    }
    (void)printf("lease %016" PRIx64 " keepalived with TTL(%" PRId64 ")\n", (uint64_t)resp->id,
                 resp->ttl_s);
}

static void simple_member_list(const struct ctl *ctl, const struct kvs_member_list_resp *resp)
{
    (void)ctl;
    for (size_t i = 0; i < resp->n_members; i++) {
        const struct kvs_member *m = &resp->members[i];
        char *peers = text_join(m->peer_urls, m->n_peer_urls);
        char *clients = text_join(m->client_urls, m->n_client_urls);

        (void)printf("%" PRIx64 ", %s, %.*s, %s, %s, %s\n", m->id,
                     m->name.len == 0 ? "unstarted" : "started", (int)m->name.len,
                     m->name.len > 0 ? (const char *)m->name.data : "", peers, clients,
                     m->is_learner ? "true" : "false");
        ctl_free(peers);
        ctl_free(clients);
    }
}

static void simple_member_add(const struct ctl *ctl, const struct kvs_member_add_resp *resp)
{
    (void)ctl;
    (void)printf("Member %16" PRIx64 " added to cluster %16" PRIx64 "\n", resp->member.id,
                 resp->header.cluster_id);
}

static void simple_member_change(const struct ctl *ctl,
                                 uint64_t id,
                                 const char *what,
                                 const struct kvs_member_list_resp *resp)
{
    (void)ctl;
    (void)printf("Member %16" PRIx64 " %s cluster %16" PRIx64 "\n", id, what,
                 resp->header.cluster_id);
}

/* Health lines go to standard error, as etcdctl's do: the exit code is the answer. */
static void simple_health(const struct ctl *ctl, const struct endpoint_health *list, size_t count)
{
    char took[TEXT_SIZE];

    (void)ctl;
    for (size_t i = 0; i < count; i++) {
        (void)text_duration(list[i].took_ns, took);
        if (list[i].healthy) {
            (void)fprintf(stderr, "%s is healthy: successfully committed proposal: took = %s\n",
                          list[i].endpoint, took);
        } else {
            (void)fprintf(stderr, "%s is unhealthy: failed to commit proposal: %s\n",
                          list[i].endpoint, list[i].error);
        }
    }
}

static void simple_status(const struct ctl *ctl, const struct endpoint_status *list, size_t count)
{
    char size[TEXT_SIZE];

    (void)ctl;
    for (size_t i = 0; i < count; i++) {
        const struct kvs_status_resp *s = list[i].resp;

        (void)printf("%s, %" PRIx64 ", %s, %s, %s, %s, %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", ",
                     list[i].endpoint, s->header.member_id, s->version != NULL ? s->version : "",
                     text_size((uint64_t)s->db_size_bytes, size),
                     s->leader == s->header.member_id ? "true" : "false",
                     s->is_learner ? "true" : "false", s->raft_term, s->raft_index,
                     s->raft_applied_index);
        for (size_t e = 0; e < s->n_errors; e++) {
            (void)printf("%s%s", e > 0 ? ", " : "", s->errors[e]);
        }
        (void)fputc('\n', stdout);
    }
}

static void simple_hash_kv(const struct ctl *ctl, const struct endpoint_hash *list, size_t count)
{
    (void)ctl;
    for (size_t i = 0; i < count; i++) {
        (void)printf("%s, %" PRIu32 "\n", list[i].endpoint, list[i].resp->hash);
    }
}

static void simple_alarms(const struct ctl *ctl, const struct kvs_alarm_list_resp *resp)
{
    (void)ctl;
    for (size_t i = 0; i < resp->n_alarms; i++) {
        (void)printf("memberID:%" PRIu64 " alarm:%s \n", resp->alarms[i].member_id,
                     text_alarm(resp->alarms[i].type));
    }
}

static void simple_snapshot(const struct ctl *ctl, const struct snapshot_info *info)
{
    char size[TEXT_SIZE];

    (void)ctl;
    (void)printf("%" PRIx32 ", %" PRId64 ", %" PRIu64 ", %s\n", info->hash, info->revision,
                 info->n_keys, text_size(info->size_bytes, size));
}

const struct printer printer_simple = {
    .name = "simple",
    .range = simple_range,
    .put = simple_put,
    .del = simple_del,
    .txn = simple_txn,
    .watch = simple_watch,
    .lease_grant = simple_lease_grant,
    .lease_revoke = simple_lease_revoke,
    .lease_ttl = simple_lease_ttl,
    .lease_list = simple_lease_list,
    .lease_keepalive = simple_lease_keepalive,
    .member_list = simple_member_list,
    .member_add = simple_member_add,
    .member_change = simple_member_change,
    .health = simple_health,
    .status = simple_status,
    .hash_kv = simple_hash_kv,
    .alarms = simple_alarms,
    .snapshot = simple_snapshot,
};
