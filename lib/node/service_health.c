/* grpc.health.v1.Health: the whole server is one service, named "". */
#include "base/alloc.h"
#include "base/view.h"
#include "node/service.h"
#include "node/service_unary.h"
#include "rpc/etcd_pb.h"

static void health_check_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_health_check_req req;
    struct kvs_health_check_resp resp = {.status = KVS_HEALTH_SERVING};

    if (c == NULL || !SERVICE_DECODE(c, health_check_req, &req)) {
        return;
    }
    if (req.service.len != 0) {
        rpc_fail(rpc, RPC_NOT_FOUND, "unknown service");
        return;
    }
    SERVICE_REPLY(c, health_check_resp, &resp);
}

static void health_watch_on_closed(struct rpc_call *rpc, bool canceled)
{
    struct service_stream *stream = rpc_call_user(rpc);

    (void)canceled; /* the same is to be done either way */
    service_stream_end(stream);
    kvs_free(stream);
}

static const struct rpc_stream_ops health_watch_ops = {.on_closed = health_watch_on_closed};

/* Tells the state once; it does not change until the server stops, which ends the stream. */
static void health_watch_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_stream *stream = kvs_calloc(1, sizeof *stream);
    struct kvs_health_check_resp resp = {.status = KVS_HEALTH_SERVING};
    struct kvs_health_check_req req;
    struct buf b;

    if (stream == NULL) {
        rpc_fail_err(rpc, KVS_E_NOMEM);
        return;
    }
    if (etcd_pb_decode_health_check_req(rpc_call_arena(rpc), rpc_call_request(rpc), &req) != 0 ||
        req.service.len != 0) {
        resp.status = KVS_HEALTH_SERVICE_UNKNOWN;
    }
    if (!service_stream_start(ctx, stream, rpc, &health_watch_ops)) {
        kvs_free(stream);
        return;
    }
    buf_init(&b);
    etcd_pb_encode_health_check_resp(&b, &resp);
    if (b.failed || rpc_stream_send_copy(rpc, buf_view(&b)) != 0) {
        rpc_fail_err(rpc, KVS_E_NOMEM);
    }
    buf_fini(&b);
}

int service_health_register(struct service *s)
{
    int err = rpc_method(s->rpc, "/grpc.health.v1.Health/Check", RPC_UNARY, health_check_handle, s);

    if (err != 0) {
        return err;
    }
    return rpc_method(s->rpc, "/grpc.health.v1.Health/Watch", RPC_SERVER_STREAM,
                      health_watch_handle, s);
}
