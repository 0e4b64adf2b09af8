/* The response as the bytes of etcd's protobuf message, nothing before or after it: for programs.
 * As in etcdctl, what asks several endpoints has no such form. */
#include <stdio.h>

#include "output.h"

static void message(enum kvs_resp_type type, const void *resp)
{
    size_t len = kvs_resp_size(type, resp);
    void *bytes = ctl_alloc(len + 1);

    kvs_resp_encode(type, resp, bytes);
    (void)fwrite(bytes, 1, len, stdout);
    ctl_free(bytes);
}

static void protobuf_range(const struct ctl *ctl, const struct kvs_range_resp *resp)
{
    (void)ctl;
    message(KVS_RESP_RANGE, resp);
}

static void protobuf_put(const struct ctl *ctl, const struct kvs_put_resp *resp)
{
    (void)ctl;
    message(KVS_RESP_PUT, resp);
}

static void protobuf_del(const struct ctl *ctl, const struct kvs_delete_resp *resp)
{
    (void)ctl;
    message(KVS_RESP_DELETE, resp);
}

static void protobuf_txn(const struct ctl *ctl, const struct kvs_txn_resp *resp)
{
    (void)ctl;
    message(KVS_RESP_TXN, resp);
}

/* One watch, so its id says nothing; etcdctl leaves it out, and the words of a cancellation, which
 * go to standard error. */
static void protobuf_watch(const struct ctl *ctl, const struct kvs_watch_resp *resp)
{
    struct kvs_watch_resp shown = *resp;

    (void)ctl;
    shown.watch_id = 0;
    shown.fragment = false;
    shown.cancel_reason = (struct kvs_view){NULL, 0};
    message(KVS_RESP_WATCH, &shown);
}

static void protobuf_lease_grant(const struct ctl *ctl, const struct kvs_lease_grant_resp *resp)
{
    (void)ctl;
    message(KVS_RESP_LEASE_GRANT, resp);
}

static void protobuf_lease_revoke(const struct ctl *ctl,
                                  kvs_lease_id id,
                                  const struct kvs_lease_revoke_resp *resp)
{
    (void)ctl;
    (void)id;
    message(KVS_RESP_LEASE_REVOKE, resp);
}

static void
protobuf_lease_ttl(const struct ctl *ctl, const struct kvs_lease_ttl_resp *resp, bool keys)
{
    (void)ctl;
    (void)keys; /* the server was asked for them or not */
    message(KVS_RESP_LEASE_TTL, resp);
}

static void protobuf_lease_list(const struct ctl *ctl, const struct kvs_lease_list_resp *resp)
{
    (void)ctl;
    message(KVS_RESP_LEASE_LIST, resp);
}

static void protobuf_lease_keepalive(const struct ctl *ctl,
                                     const struct kvs_lease_keepalive_resp *resp)
{
    (void)ctl;
    message(KVS_RESP_LEASE_KEEPALIVE, resp);
}

static void protobuf_member_list(const struct ctl *ctl, const struct kvs_member_list_resp *resp)
{
    (void)ctl;
    message(KVS_RESP_MEMBER_LIST, resp);
}

static void protobuf_member_add(const struct ctl *ctl, const struct kvs_member_add_resp *resp)
{
    (void)ctl;
    message(KVS_RESP_MEMBER_ADD, resp);
}

static void protobuf_member_change(const struct ctl *ctl,
                                   uint64_t id,
                                   const char *what,
                                   const struct kvs_member_list_resp *resp)
{
    (void)ctl;
    (void)id;
    (void)what;
    message(KVS_RESP_MEMBER_LIST, resp);
}

static void protobuf_alarms(const struct ctl *ctl, const struct kvs_alarm_list_resp *resp)
{
    (void)ctl;
    message(KVS_RESP_ALARM_LIST, resp);
}

const struct printer printer_protobuf = {
    .name = "protobuf",
    .range = protobuf_range,
    .put = protobuf_put,
    .del = protobuf_del,
    .txn = protobuf_txn,
    .watch = protobuf_watch,
    .lease_grant = protobuf_lease_grant,
    .lease_revoke = protobuf_lease_revoke,
    .lease_ttl = protobuf_lease_ttl,
    .lease_list = protobuf_lease_list,
    .lease_keepalive = protobuf_lease_keepalive,
    .member_list = protobuf_member_list,
    .member_add = protobuf_member_add,
    .member_change = protobuf_member_change,
    .alarms = protobuf_alarms,
};
