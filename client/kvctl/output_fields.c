/* One line per field, `"Name" : value`: for eyes and for grep. */
#include <inttypes.h>
#include <stdio.h>

#include "output.h"
#include "quote.h"

static void field_u64(const char *name, uint64_t value)
{
    (void)printf("\"%s\" : %" PRIu64 "\n", name, value);
}

static void field_i64(const char *name, int64_t value)
{
    (void)printf("\"%s\" : %" PRId64 "\n", name, value);
}

static void field_bool(const char *name, bool value)
{
    (void)printf("\"%s\" : %s\n", name, value ? "true" : "false");
}

static void field_bytes(const char *name, struct kvs_view bytes)
{
    (void)printf("\"%s\" : ", name);
    quote_put(stdout, bytes);
    (void)fputc('\n', stdout);
}

static void header(const struct kvs_header *h)
{
    field_u64("ClusterID", h->cluster_id);
    field_u64("MemberID", h->member_id);
    field_i64("Revision", h->revision);
    field_u64("RaftTerm", h->raft_term);
}

/* `prefix` is "" or "Prev". */
static void kv(const char *prefix, const struct kvs_kv *item)
{
    (void)printf("\"%sKey\" : ", prefix);
    quote_put(stdout, item->key);
    (void)printf("\n\"%sCreateRevision\" : %" PRId64 "\n", prefix, item->create_revision);
    (void)printf("\"%sModRevision\" : %" PRId64 "\n", prefix, item->mod_revision);
    (void)printf("\"%sVersion\" : %" PRId64 "\n", prefix, item->version);
    (void)printf("\"%sValue\" : ", prefix);
    quote_put(stdout, item->value);
    (void)printf("\n\"%sLease\" : %" PRId64 "\n", prefix, item->lease);
}

static void fields_range(const struct ctl *ctl, const struct kvs_range_resp *resp)
{
    (void)ctl;
    header(&resp->header);
    for (size_t i = 0; i < resp->n_kvs; i++) {
        kv("", &resp->kvs[i]);
    }
    field_bool("More", resp->more);
    field_i64("Count", resp->count);
}

static void fields_put(const struct ctl *ctl, const struct kvs_put_resp *resp)
{
    (void)ctl;
    header(&resp->header);
    if (resp->has_prev) {
        kv("Prev", &resp->prev_kv);
    }
}

static void fields_del(const struct ctl *ctl, const struct kvs_delete_resp *resp)
{
    (void)ctl;
    header(&resp->header);
    field_i64("Deleted", resp->deleted);
    for (size_t i = 0; i < resp->n_prev_kvs; i++) {
        kv("Prev", &resp->prev_kvs[i]);
    }
}

static void fields_txn(const struct ctl *ctl, const struct kvs_txn_resp *resp)
{
    header(&resp->header);
    field_bool("Succeeded", resp->succeeded);
    for (size_t i = 0; i < resp->n_responses; i++) {
        const struct kvs_op_resp *op = &resp->responses[i];

        switch (op->type) {
        case KVS_OP_NONE:
            break;
        case KVS_OP_RANGE:
            fields_range(ctl, &op->u.range);
            break;
        case KVS_OP_PUT:
            fields_put(ctl, &op->u.put);
            break;
        case KVS_OP_DELETE:
            fields_del(ctl, &op->u.del);
            break;
        case KVS_OP_TXN:
            fields_txn(ctl, op->u.txn);
            break;
        }
    }
}

static void fields_watch(const struct ctl *ctl, const struct kvs_watch_resp *resp)
{
    (void)ctl;
    header(&resp->header);
    for (size_t i = 0; i < resp->n_events; i++) {
        const struct kvs_event *event = &resp->events[i];

        (void)printf("\"Type\" : %s\n", event->type == KVS_EVENT_PUT ? "PUT" : "DELETE");
        if (event->has_prev) {
            kv("Prev", &event->prev_kv);
        }
        kv("", &event->kv);
    }
}

static void fields_lease_grant(const struct ctl *ctl, const struct kvs_lease_grant_resp *resp)
{
    (void)ctl;
    header(&resp->header);
    field_i64("ID", resp->id);
    field_i64("TTL", resp->ttl_s);
}

static void fields_lease_revoke(const struct ctl *ctl,
                                kvs_lease_id id,
                                const struct kvs_lease_revoke_resp *resp)
{
    (void)ctl;
    (void)id;
    header(&resp->header);
}

static void
fields_lease_ttl(const struct ctl *ctl, const struct kvs_lease_ttl_resp *resp, bool keys)
{
    (void)ctl;
    (void)keys;
    header(&resp->header);
    field_i64("ID", resp->id);
    field_i64("TTL", resp->ttl_s);
    field_i64("GrantedTTL", resp->granted_ttl_s);
    for (size_t i = 0; i < resp->n_keys; i++) {
        field_bytes("Key", resp->keys[i]);
    }
}

static void fields_lease_list(const struct ctl *ctl, const struct kvs_lease_list_resp *resp)
{
    (void)ctl;
    header(&resp->header);
    for (size_t i = 0; i < resp->n_leases; i++) {
        field_i64("ID", resp->leases[i]);
    }
}

static void fields_lease_keepalive(const struct ctl *ctl,
                                   const struct kvs_lease_keepalive_resp *resp)
{
    (void)ctl;
    header(&resp->header);
    field_i64("ID", resp->id);
    field_i64("TTL", resp->ttl_s);
}

static void fields_member_list(const struct ctl *ctl, const struct kvs_member_list_resp *resp)
{
    (void)ctl;
    header(&resp->header);
    for (size_t i = 0; i < resp->n_members; i++) {
        const struct kvs_member *m = &resp->members[i];

        field_u64("ID", m->id);
        field_bytes("Name", m->name);
        for (size_t u = 0; u < m->n_peer_urls; u++) {
            field_bytes("PeerURL", m->peer_urls[u]);
        }
        for (size_t u = 0; u < m->n_client_urls; u++) {
            field_bytes("ClientURL", m->client_urls[u]);
        }
        field_bool("IsLearner", m->is_learner);
        (void)fputc('\n', stdout);
    }
}

static void fields_member_add(const struct ctl *ctl, const struct kvs_member_add_resp *resp)
{
    (void)ctl;
    header(&resp->header);
    field_u64("MemberID", resp->member.id);
    for (size_t u = 0; u < resp->member.n_peer_urls; u++) {
        field_bytes("PeerURL", resp->member.peer_urls[u]);
    }
    field_bool("IsLearner", resp->member.is_learner);
}

static void fields_member_change(const struct ctl *ctl,
                                 uint64_t id,
                                 const char *what,
                                 const struct kvs_member_list_resp *resp)
{
    (void)ctl;
    (void)id;
    (void)what;
    header(&resp->header);
}

static void fields_health(const struct ctl *ctl, const struct endpoint_health *list, size_t count)
{
    char took[TEXT_SIZE];

    (void)ctl;
    for (size_t i = 0; i < count; i++) {
        field_bytes("Endpoint", ctl_view(list[i].endpoint));
        field_bool("Health", list[i].healthy);
        (void)printf("\"Took\" : %s\n", text_duration(list[i].took_ns, took));
        (void)printf("\"Error\" : %s\n\n", list[i].error);
    }
}

static void fields_status(const struct ctl *ctl, const struct endpoint_status *list, size_t count)
{
    (void)ctl;
    for (size_t i = 0; i < count; i++) {
        const struct kvs_status_resp *s = list[i].resp;

        header(&s->header);
        field_bytes("Version", ctl_view(s->version != NULL ? s->version : ""));
        field_i64("DBSize", s->db_size_bytes);
        field_u64("Leader", s->leader);
        field_bool("IsLearner", s->is_learner);
        field_u64("RaftIndex", s->raft_index);
        field_u64("RaftTerm", s->raft_term);
        field_u64("RaftAppliedIndex", s->raft_applied_index);
        (void)printf("\"Errors\" : [");
        for (size_t e = 0; e < s->n_errors; e++) {
            (void)printf("%s", e > 0 ? " " : "");
            quote_put(stdout, ctl_view(s->errors[e]));
        }
        (void)printf("]\n");
        field_bytes("Endpoint", ctl_view(list[i].endpoint));
        (void)fputc('\n', stdout);
    }
}

static void fields_hash_kv(const struct ctl *ctl, const struct endpoint_hash *list, size_t count)
{
    (void)ctl;
    for (size_t i = 0; i < count; i++) {
        header(&list[i].resp->header);
        field_bytes("Endpoint", ctl_view(list[i].endpoint));
        field_u64("Hash", list[i].resp->hash);
        (void)fputc('\n', stdout);
    }
}

static void fields_alarms(const struct ctl *ctl, const struct kvs_alarm_list_resp *resp)
{
    (void)ctl;
    header(&resp->header);
    for (size_t i = 0; i < resp->n_alarms; i++) {
        field_u64("MemberID", resp->alarms[i].member_id);
        (void)printf("\"AlarmType\" : %s\n\n", text_alarm(resp->alarms[i].type));
    }
}

static void fields_snapshot(const struct ctl *ctl, const struct snapshot_info *info)
{
    (void)ctl;
    field_u64("Hash", info->hash);
    field_i64("Revision", info->revision);
    field_u64("Keys", info->n_keys);
    field_u64("Size", info->size_bytes);
}

const struct printer printer_fields = {
    .name = "fields",
    .range = fields_range,
    .put = fields_put,
    .del = fields_del,
    .txn = fields_txn,
    .watch = fields_watch,
    .lease_grant = fields_lease_grant,
    .lease_revoke = fields_lease_revoke,
    .lease_ttl = fields_lease_ttl,
    .lease_list = fields_lease_list,
    .lease_keepalive = fields_lease_keepalive,
    .member_list = fields_member_list,
    .member_add = fields_member_add,
    .member_change = fields_member_change,
    .health = fields_health,
    .status = fields_status,
    .hash_kv = fields_hash_kv,
    .alarms = fields_alarms,
    .snapshot = fields_snapshot,
};
