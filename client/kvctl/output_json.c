/* One JSON object per response, in the shape that etcdctl's has: names and omissions are those of
 * its Go structs, bytes are base64. */
#include <stdio.h>

#include "json.h"
#include "output.h"

static struct json begin(void)
{
    return (struct json){.out = stdout};
}

static void end(struct json *j)
{
    json_close(j, '}');
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
}

static void header_fields(struct json *j, const struct kvs_header *h)
{
    json_u64_opt(j, "cluster_id", h->cluster_id);
    json_u64_opt(j, "member_id", h->member_id);
    json_i64_opt(j, "revision", h->revision);
    json_u64_opt(j, "raft_term", h->raft_term);
}

static void header(struct json *j, const char *key, const struct kvs_header *h)
{
    if (h->cluster_id == 0 && h->member_id == 0 && h->revision == 0 && h->raft_term == 0) {
        return; /* the response had none */
    }
    json_open(j, key, '{');
    header_fields(j, h);
    json_close(j, '}');
}

static void kv(struct json *j, const char *key, const struct kvs_kv *item)
{
    json_open(j, key, '{');
    json_bytes_opt(j, "key", item->key);
    json_i64_opt(j, "create_revision", item->create_revision);
    json_i64_opt(j, "mod_revision", item->mod_revision);
    json_i64_opt(j, "version", item->version);
    json_bytes_opt(j, "value", item->value);
    json_i64_opt(j, "lease", item->lease);
    json_close(j, '}');
}

static void kv_list(struct json *j, const char *key, const struct kvs_kv *kvs, size_t count)
{
    if (count == 0) {
        return;
    }
    json_open(j, key, '[');
    for (size_t i = 0; i < count; i++) {
        kv(j, NULL, &kvs[i]);
    }
    json_close(j, ']');
}

/* ---- keys ---- */

static void range_fields(struct json *j, const struct kvs_range_resp *resp)
{
    header(j, "header", &resp->header);
    kv_list(j, "kvs", resp->kvs, resp->n_kvs);
    json_bool_opt(j, "more", resp->more);
    json_i64_opt(j, "count", resp->count);
}

static void put_fields(struct json *j, const struct kvs_put_resp *resp)
{
    header(j, "header", &resp->header);
    if (resp->has_prev) {
        kv(j, "prev_kv", &resp->prev_kv);
    }
}

static void del_fields(struct json *j, const struct kvs_delete_resp *resp)
{
    header(j, "header", &resp->header);
    json_i64_opt(j, "deleted", resp->deleted);
    kv_list(j, "prev_kvs", resp->prev_kvs, resp->n_prev_kvs);
}

static void txn_fields(struct json *j, const struct kvs_txn_resp *resp);

static void op_response(struct json *j, const struct kvs_op_resp *op)
{
    static const char *const names[] = {
        [KVS_OP_NONE] = "ResponseNone", [KVS_OP_RANGE] = "ResponseRange",
        [KVS_OP_PUT] = "ResponsePut",   [KVS_OP_DELETE] = "ResponseDeleteRange",
        [KVS_OP_TXN] = "ResponseTxn",
    };

    json_open(j, NULL, '{');
    json_open(j, "Response", '{');
    json_open(j, names[op->type], '{');
    switch (op->type) {
    case KVS_OP_NONE:
        break;
    case KVS_OP_RANGE:
        range_fields(j, &op->u.range);
        break;
    case KVS_OP_PUT:
        put_fields(j, &op->u.put);
        break;
    case KVS_OP_DELETE:
        del_fields(j, &op->u.del);
        break;
    case KVS_OP_TXN:
        txn_fields(j, op->u.txn);
        break;
    }
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
}

static void txn_fields(struct json *j, const struct kvs_txn_resp *resp)
{
    header(j, "header", &resp->header);
    json_bool_opt(j, "succeeded", resp->succeeded);
    if (resp->n_responses == 0) {
        return;
    }
    json_open(j, "responses", '[');
    for (size_t i = 0; i < resp->n_responses; i++) {
        op_response(j, &resp->responses[i]);
    }
    json_close(j, ']');
}

static void json_print_range(const struct ctl *ctl, const struct kvs_range_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    range_fields(&j, resp);
    end(&j);
}

static void json_print_put(const struct ctl *ctl, const struct kvs_put_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    put_fields(&j, resp);
    end(&j);
}

static void json_print_del(const struct ctl *ctl, const struct kvs_delete_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    del_fields(&j, resp);
    end(&j);
}

static void json_print_txn(const struct ctl *ctl, const struct kvs_txn_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    txn_fields(&j, resp);
    end(&j);
}

static void json_print_watch(const struct ctl *ctl, const struct kvs_watch_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    header(&j, "Header", &resp->header);
    json_open(&j, "Events", '[');
    for (size_t i = 0; i < resp->n_events; i++) {
        json_open(&j, NULL, '{');
        json_i64_opt(&j, "type", resp->events[i].type);
        kv(&j, "kv", &resp->events[i].kv);
        if (resp->events[i].has_prev) {
            kv(&j, "prev_kv", &resp->events[i].prev_kv);
        }
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_i64(&j, "CompactRevision", resp->compact_revision);
    json_bool(&j, "Canceled", resp->canceled);
    json_bool(&j, "Created", resp->created);
    end(&j);
}

/* ---- leases: flat objects, with names of their own ---- */

static void json_print_lease_grant(const struct ctl *ctl, const struct kvs_lease_grant_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    header_fields(&j, &resp->header);
    json_i64(&j, "ID", resp->id);
    json_i64(&j, "TTL", resp->ttl_s);
    json_text(&j, "Error", (struct kvs_view){"", 0});
    end(&j);
}

static void json_print_lease_revoke(const struct ctl *ctl,
                                    kvs_lease_id id,
                                    const struct kvs_lease_revoke_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    (void)id;
    json_open(&j, NULL, '{');
    header(&j, "header", &resp->header);
    end(&j);
}

static void
json_print_lease_ttl(const struct ctl *ctl, const struct kvs_lease_ttl_resp *resp, bool keys)
{
    struct json j = begin();

    (void)ctl;
    (void)keys;
    json_open(&j, NULL, '{');
    header_fields(&j, &resp->header);
    json_i64(&j, "id", resp->id);
    json_i64(&j, "ttl", resp->ttl_s);
    json_i64(&j, "granted-ttl", resp->granted_ttl_s);
    if (resp->n_keys == 0) {
        json_null(&j, "keys");
    } else {
        json_open(&j, "keys", '[');
        for (size_t i = 0; i < resp->n_keys; i++) {
            json_bytes(&j, NULL, resp->keys[i]);
        }
        json_close(&j, ']');
    }
    end(&j);
}

static void json_print_lease_list(const struct ctl *ctl, const struct kvs_lease_list_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    header_fields(&j, &resp->header);
    json_open(&j, "leases", '[');
    for (size_t i = 0; i < resp->n_leases; i++) {
        json_open(&j, NULL, '{');
        json_i64(&j, "id", resp->leases[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    end(&j);
}

static void json_print_lease_keepalive(const struct ctl *ctl,
                                       const struct kvs_lease_keepalive_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    header_fields(&j, &resp->header);
    json_i64(&j, "ID", resp->id);
    json_i64(&j, "TTL", resp->ttl_s);
    end(&j);
}

/* ---- cluster ---- */

static void text_list(struct json *j, const char *key, const struct kvs_view *list, size_t count)
{
    if (count == 0) {
        return;
    }
    json_open(j, key, '[');
    for (size_t i = 0; i < count; i++) {
        json_text(j, NULL, list[i]);
    }
    json_close(j, ']');
}

static void member(struct json *j, const char *key, const struct kvs_member *m)
{
    json_open(j, key, '{');
    json_u64_opt(j, "ID", m->id);
    json_text_opt(j, "name", m->name);
    text_list(j, "peerURLs", m->peer_urls, m->n_peer_urls);
    text_list(j, "clientURLs", m->client_urls, m->n_client_urls);
    json_bool_opt(j, "isLearner", m->is_learner);
    json_close(j, '}');
}

static void member_list(struct json *j, const struct kvs_member *members, size_t count)
{
    if (count == 0) {
        return;
    }
    json_open(j, "members", '[');
    for (size_t i = 0; i < count; i++) {
        member(j, NULL, &members[i]);
    }
    json_close(j, ']');
}

static void json_print_member_list(const struct ctl *ctl, const struct kvs_member_list_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    header(&j, "header", &resp->header);
    member_list(&j, resp->members, resp->n_members);
    end(&j);
}

static void json_print_member_add(const struct ctl *ctl, const struct kvs_member_add_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    header(&j, "header", &resp->header);
    member(&j, "member", &resp->member);
    member_list(&j, resp->members, resp->n_members);
    end(&j);
}

static void json_print_member_change(const struct ctl *ctl,
                                     uint64_t id,
                                     const char *what,
                                     const struct kvs_member_list_resp *resp)
{
    (void)id;
    (void)what;
    json_print_member_list(ctl, resp);
}

/* ---- endpoints ---- */

static struct kvs_view view_of(const char *text)
{
    return ctl_view(text != NULL ? text : "");
}

static void list_end(struct json *j)
{
    json_close(j, ']');
    (void)fputc('\n', stdout);
}

static void
json_print_health(const struct ctl *ctl, const struct endpoint_health *list, size_t count)
{
    struct json j = begin();
    char took[TEXT_SIZE];

    (void)ctl;
    json_open(&j, NULL, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&j, NULL, '{');
        json_text(&j, "endpoint", view_of(list[i].endpoint));
        json_bool(&j, "health", list[i].healthy);
        json_text(&j, "took", view_of(text_duration(list[i].took_ns, took)));
        json_text_opt(&j, "error", view_of(list[i].error));
        json_close(&j, '}');
    }
    list_end(&j);
}

static void status_fields(struct json *j, const struct kvs_status_resp *s)
{
    header(j, "header", &s->header);
    json_text_opt(j, "version", view_of(s->version));
    json_i64_opt(j, "dbSize", s->db_size_bytes);
    json_u64_opt(j, "leader", s->leader);
    json_u64_opt(j, "raftIndex", s->raft_index);
    json_u64_opt(j, "raftTerm", s->raft_term);
    json_u64_opt(j, "raftAppliedIndex", s->raft_applied_index);
    if (s->n_errors > 0) {
        json_open(j, "errors", '[');
        for (size_t i = 0; i < s->n_errors; i++) {
            json_text(j, NULL, view_of(s->errors[i]));
        }
        json_close(j, ']');
    }
    json_i64_opt(j, "dbSizeInUse", s->db_size_in_use_bytes);
    json_bool_opt(j, "isLearner", s->is_learner);
    json_text_opt(j, "storageVersion", view_of(s->storage_version));
    json_i64_opt(j, "dbSizeQuota", s->db_size_quota_bytes);
}

static void
json_print_status(const struct ctl *ctl, const struct endpoint_status *list, size_t count)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&j, NULL, '{');
        json_text(&j, "Endpoint", view_of(list[i].endpoint));
        json_open(&j, "Status", '{');
        status_fields(&j, list[i].resp);
        json_close(&j, '}');
        json_close(&j, '}');
    }
    list_end(&j);
}

static void
json_print_hash_kv(const struct ctl *ctl, const struct endpoint_hash *list, size_t count)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '[');
    for (size_t i = 0; i < count; i++) {
        const struct kvs_hash_kv_resp *resp = list[i].resp;

        json_open(&j, NULL, '{');
        json_text(&j, "Endpoint", view_of(list[i].endpoint));
        json_open(&j, "HashKV", '{');
        header(&j, "header", &resp->header);
        json_u64_opt(&j, "hash", resp->hash);
        json_i64_opt(&j, "compact_revision", resp->compact_revision);
        json_i64_opt(&j, "hash_revision", resp->hash_revision);
        json_close(&j, '}');
        json_close(&j, '}');
    }
    list_end(&j);
}

static void json_print_alarms(const struct ctl *ctl, const struct kvs_alarm_list_resp *resp)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    header(&j, "header", &resp->header);
    if (resp->n_alarms > 0) {
        json_open(&j, "alarms", '[');
        for (size_t i = 0; i < resp->n_alarms; i++) {
            json_open(&j, NULL, '{');
            json_u64_opt(&j, "memberID", resp->alarms[i].member_id);
            json_i64_opt(&j, "alarm", resp->alarms[i].type);
            json_close(&j, '}');
        }
        json_close(&j, ']');
    }
    end(&j);
}

static void json_print_snapshot(const struct ctl *ctl, const struct snapshot_info *info)
{
    struct json j = begin();

    (void)ctl;
    json_open(&j, NULL, '{');
    json_u64(&j, "hash", info->hash);
    json_i64(&j, "revision", info->revision);
    json_u64(&j, "totalKey", info->n_keys);
    json_u64(&j, "totalSize", info->size_bytes);
    end(&j);
}

const struct printer printer_json = {
    .name = "json",
    .range = json_print_range,
    .put = json_print_put,
    .del = json_print_del,
    .txn = json_print_txn,
    .watch = json_print_watch,
    .lease_grant = json_print_lease_grant,
    .lease_revoke = json_print_lease_revoke,
    .lease_ttl = json_print_lease_ttl,
    .lease_list = json_print_lease_list,
    .lease_keepalive = json_print_lease_keepalive,
    .member_list = json_print_member_list,
    .member_add = json_print_member_add,
    .member_change = json_print_member_change,
    .health = json_print_health,
    .status = json_print_status,
    .hash_kv = json_print_hash_kv,
    .alarms = json_print_alarms,
    .snapshot = json_print_snapshot,
};
