/* etcdserverpb.Maintenance: what operators do to one member. */
#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "kvstore/node.h"
#include "node/digest.h"
#include "node/service.h"
#include "node/service_unary.h"
#include "rpc/etcd_pb.h"

/* --- Status, Defragment --- */

static void status_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_status_resp resp;
    int err;

    if (c == NULL) {
        return;
    }
    err = node_status(c->service->node, rpc_call_arena(rpc), &resp);
    if (err != 0) {
        service_fail(c, err);
        return;
    }
    SERVICE_REPLY(c, status_resp, &resp);
}

/* Free pages are reused as they are: there is nothing to be done. */
static void defragment_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_defragment_resp resp = {0};

    if (c != NULL) {
        SERVICE_REPLY(c, defragment_resp, &resp);
    }
}

/* --- Alarm --- */

static void alarm_done(struct node_write *w)
{
    struct service_call *c = container_of(w, struct service_call, u.write);

    if (service_write_ok(c)) {
        service_fill_header(c, &w->result.u.alarm.header);
        SERVICE_REPLY(c, alarm_resp, &w->result.u.alarm);
    }
}

static void alarm_get(struct service_call *c, const struct kvs_alarm_req *req)
{
    struct kvs_alarm_list_resp resp = {.header = node_header(c->service->node)};
    size_t n_alarms;
    const struct kvs_alarm *alarms = apply_alarms(node_apply(c->service->node), &n_alarms);

    resp.alarms = arena_calloc(rpc_call_arena(c->rpc), n_alarms, sizeof *resp.alarms);
    if (resp.alarms == NULL) {
        service_fail(c, KVS_E_NOMEM);
        return;
    }
    for (size_t i = 0; i < n_alarms; i++) {
        bool wanted = (req->type == KVS_ALARM_NONE || req->type == alarms[i].type) &&
                      (req->member_id == 0 || req->member_id == alarms[i].member_id);

        if (wanted) {
            resp.alarms[resp.n_alarms++] = alarms[i];
        }
    }
    SERVICE_REPLY(c, alarm_resp, &resp);
}

static void alarm_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_alarm_req req;

    if (c == NULL || !SERVICE_DECODE(c, alarm_req, &req)) {
        return;
    }
    if (req.action == KVS_ALARM_GET) {
        alarm_get(c, &req);
        return;
    }
    c->u.write.arena = rpc_call_arena(rpc);
    service_write_submit(c, alarm_done, node_alarm(c->service->node, &req, &c->u.write));
}

/* --- Hash, HashKV --- */

/* The protocol has room for 32 bits. */
static uint32_t hash_fold(uint64_t hash)
{
    return (uint32_t)(hash ^ (hash >> 32));
}

static void hash_cb(struct node_hash *h)
{
    struct service_call *c = container_of(h, struct service_call, u.hash);
    struct kvs_hash_resp resp = {.hash = hash_fold(h->result.hash)};

    if (h->status != 0) {
        service_fail(c, h->status);
        return;
    }
    resp.header = node_header(c->service->node);
    SERVICE_REPLY(c, hash_resp, &resp);
}

static void hash_kv_cb(struct node_hash *h)
{
    struct service_call *c = container_of(h, struct service_call, u.hash);
    struct kvs_hash_kv_resp resp = {
        .hash = hash_fold(h->result.hash),
        /* As etcd says that nothing was compacted yet. */
        .compact_revision = h->result.compact_revision > 0 ? h->result.compact_revision : -1,
        .hash_revision = h->result.revision,
    };

    if (h->status != 0) {
        service_fail(c, h->status);
        return;
    }
    resp.header = node_header(c->service->node);
    resp.header.revision = h->result.current_revision;
    SERVICE_REPLY(c, hash_kv_resp, &resp);
}

static void
hash_submit(struct service_call *c, kvs_revision revision, void (*cb)(struct node_hash *h))
{
    int err;

    c->u.hash.cb = cb;
    err = node_hash(c->service->node, revision, &c->u.hash);
    if (err != 0) {
        service_fail(c, err);
    }
}

static void hash_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);

    if (c != NULL) {
        hash_submit(c, 0, hash_cb);
    }
}

static void hash_kv_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_hash_kv_req req;

    if (c != NULL && SERVICE_DECODE(c, hash_kv_req, &req)) {
        hash_submit(c, req.revision, hash_kv_cb);
    }
}

/* --- MoveLeader --- */

static void move_leader_cb(struct replica_transfer *transfer)
{
    struct service_call *c = container_of(transfer, struct service_call, u.transfer.transfer);
    struct kvs_move_leader_resp resp = {0};

    if (transfer->status != 0) {
        service_fail(c, transfer->status);
        return;
    }
    SERVICE_REPLY(c, move_leader_resp, &resp);
}

static void move_leader_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_move_leader_req req;
    int err;

    if (c == NULL || !SERVICE_DECODE(c, move_leader_req, &req)) {
        return;
    }
    c->u.transfer.transfer.cb = move_leader_cb;
    if (req.target_id == 0) {
        err = replica_is_leader(node_replica(c->service->node)) ? KVS_E_BAD_LEADER_TRANSFEREE
                                                                : KVS_E_NOT_LEADER;
    } else {
        err = node_move_leader(c->service->node, req.target_id, &c->u.transfer);
    }
    if (err != 0) {
        service_fail(c, err);
    }
}

/* --- Snapshot: the file in blobs, then the SHA-256 of all of it --- */

#define SNAPSHOT_BLOB_BYTES (32 * 1024)

struct snapshot_stream {
    struct service_stream stream;
    struct service *service;
    struct node_copy copy;
    struct digest *digest;
    struct buf message;
    bool copying; /* the copy's callback has not run */
    bool closed;  /* the stream is gone */
    int fd;       /* -1: not there yet */
    uint64_t size_bytes;
    uint64_t at;
    uint8_t blob[SNAPSHOT_BLOB_BYTES];
};

static struct snapshot_stream *snapshot_stream_of(struct rpc_call *rpc)
{
    return container_of(rpc_call_user(rpc), struct snapshot_stream, stream);
}

static void snapshot_stream_free(struct snapshot_stream *s)
{
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    digest_free(s->digest);
    buf_fini(&s->message);
    kvs_free(s);
}

static int snapshot_send_blob(struct snapshot_stream *s, struct kvs_view blob, uint64_t remaining)
{
    struct kvs_snapshot_resp resp = {
        .header = node_header(s->service->node),
        .remaining_bytes = remaining,
        .blob = blob,
        .version = view_str(kvs_version()),
    };

    buf_clear(&s->message);
    etcd_pb_encode_snapshot_resp(&s->message, &resp);
    return s->message.failed ? KVS_E_NOMEM
                             : rpc_stream_send_copy(s->stream.call, buf_view(&s->message));
}

static int snapshot_send_next(struct snapshot_stream *s)
{
    uint64_t left = s->size_bytes - s->at;
    size_t want = left < SNAPSHOT_BLOB_BYTES ? (size_t)left : SNAPSHOT_BLOB_BYTES;
    ssize_t n = pread(s->fd, s->blob, want, (off_t)s->at);

    if (n <= 0) {
        return n < 0 && errno == EINTR ? 0 : KVS_E_IO;
    }
    s->at += (uint64_t)n;
    digest_update(s->digest, s->blob, (size_t)n);
    return snapshot_send_blob(s, view_make(s->blob, (size_t)n), s->size_bytes - s->at);
}

static void snapshot_pump(struct snapshot_stream *s)
{
    uint8_t sum[DIGEST_SHA256_BYTES];
    int err = 0;

    while (err == 0 && s->at < s->size_bytes &&
           rpc_stream_queued(s->stream.call) <= RPC_QUEUE_HIGH) {
        err = snapshot_send_next(s);
    }
    if (err == 0 && s->at == s->size_bytes) {
        digest_final(s->digest, sum);
        err = snapshot_send_blob(s, view_make(sum, sizeof sum), 0);
        if (err == 0) {
            rpc_stream_finish(s->stream.call, RPC_OK, NULL);
            s->size_bytes = UINT64_MAX; /* complete: no further pump */
            return;
        }
    }
    if (err != 0 && err != KVS_E_CLOSED) {
        rpc_fail_err(s->stream.call, err);
    }
}

static void snapshot_copied_cb(struct node_copy *copy)
{
    struct snapshot_stream *s = container_of(copy, struct snapshot_stream, copy);

    s->copying = false;
    if (copy->status == 0) {
        s->fd = copy->snapshot.fd;
        s->size_bytes = copy->snapshot.size_bytes;
    }
    if (s->closed) {
        snapshot_stream_free(s);
    } else if (copy->status != 0) {
        rpc_fail_err(s->stream.call, copy->status);
    } else {
        snapshot_pump(s);
    }
}

static void snapshot_on_writable(struct rpc_call *rpc)
{
    struct snapshot_stream *s = snapshot_stream_of(rpc);

    if (!s->copying && s->size_bytes != UINT64_MAX) {
        snapshot_pump(s);
    }
}

static void snapshot_on_closed(struct rpc_call *rpc, bool canceled)
{
    struct snapshot_stream *s = snapshot_stream_of(rpc);

    (void)canceled; /* the same is to be done either way */
    service_stream_end(&s->stream);
    s->closed = true;
    if (!s->copying) {
        snapshot_stream_free(s);
    }
}

static const struct rpc_stream_ops snapshot_ops = {
    .on_writable = snapshot_on_writable,
    .on_closed = snapshot_on_closed,
};

static void snapshot_handle(void *ctx, struct rpc_call *rpc)
{
    struct snapshot_stream *s = kvs_calloc(1, sizeof *s);
    int err;

    if (s == NULL) {
        rpc_fail_err(rpc, KVS_E_NOMEM);
        return;
    }
    s->service = ctx;
    s->fd = -1;
    s->copy.cb = snapshot_copied_cb;
    buf_init(&s->message);
    s->digest = digest_sha256_new();
    err = s->digest == NULL ? KVS_E_NOMEM : 0;
    if (err == 0) {
        err = node_copy_store(s->service->node, 0, &s->copy);
    }
    if (err != 0) {
        snapshot_stream_free(s);
        rpc_fail_err(rpc, err);
        return;
    }
    s->copying = true;
    if (!service_stream_start(s->service, &s->stream, rpc, &snapshot_ops)) {
        s->closed = true; /* freed by the copy's callback */
    }
}

int service_maintenance_register(struct service *s)
{
    static const struct {
        const char *path;
        enum rpc_kind kind;
        rpc_handler handler;
    } methods[] = {
        {"/etcdserverpb.Maintenance/Alarm", RPC_UNARY, alarm_handle},
        {"/etcdserverpb.Maintenance/Status", RPC_UNARY, status_handle},
        {"/etcdserverpb.Maintenance/Defragment", RPC_UNARY, defragment_handle},
        {"/etcdserverpb.Maintenance/Hash", RPC_UNARY, hash_handle},
        {"/etcdserverpb.Maintenance/HashKV", RPC_UNARY, hash_kv_handle},
        {"/etcdserverpb.Maintenance/Snapshot", RPC_SERVER_STREAM, snapshot_handle},
        {"/etcdserverpb.Maintenance/MoveLeader", RPC_UNARY, move_leader_handle},
    };

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        int err = rpc_method(s->rpc, methods[i].path, methods[i].kind, methods[i].handler, s);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}
