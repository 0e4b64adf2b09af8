/* Lease keepalives: a lease and a stream per client; each answer is followed by the next ping. */
#include "base/assert.h"
#include "load.h"
#include "rpc/etcd_pb.h"

enum { LEASE_TTL_S = 600 };

static const char path_grant[] = "/etcdserverpb.Lease/LeaseGrant";
static const char path_keepalive[] = "/etcdserverpb.Lease/LeaseKeepAlive";

static void lease_ping(struct load_op *op)
{
    struct load *l = op->load;
    struct kvs_lease_keepalive_req req = {.id = op->id};

    buf_clear(&l->request);
    etcd_pb_encode_lease_keepalive_req(&l->request, &req);
    op->begun_ns = load_now_ns(l);
    if (rpc_client_send(&op->call, buf_view(&l->request)) != 0) {
        load_fail(l, "keepalive", "cannot send");
    }
}

static void lease_message(struct rpc_client_call *call, struct kvs_view message)
{
    struct load_op *op = container_of(call, struct load_op, call);
    struct load *l = op->load;
    struct kvs_lease_keepalive_resp resp;

    arena_reset(&l->arena);
    if (etcd_pb_decode_lease_keepalive_resp(&l->arena, message, &resp) != 0 || resp.ttl_s <= 0) {
        load_fail(l, "keepalive", "the lease has gone");
        return;
    }
    if (l->phase == LOAD_MEASURING && op->begun_ns >= l->measure_begin_ns) {
        l->result.n_ok++;
        hist_add(&l->result.latency_ns, load_now_ns(l) - op->begun_ns);
    }
    if (l->phase != LOAD_DONE) {
        lease_ping(op);
    }
}

static void lease_stream_done(struct rpc_client_call *call,
                              enum rpc_status status,
                              const char *text,
                              struct kvs_view response)
{
    struct load *l = container_of(call, struct load_op, call)->load;

    (void)response;
    if (l->phase != LOAD_DONE) {
        load_count_error(l, status, text);
        load_fail(l, "keepalive stream ended", l->result.first_error);
    }
}

static void lease_granted(struct rpc_client_call *call,
                          enum rpc_status status,
                          const char *text,
                          struct kvs_view response)
{
    struct load_op *op = container_of(call, struct load_op, call);
    struct load *l = op->load;
    struct rpc_client *client = call->client;
    struct kvs_lease_grant_resp resp;

    arena_reset(&l->arena);
    if (status != RPC_OK || etcd_pb_decode_lease_grant_resp(&l->arena, response, &resp) != 0) {
        load_fail(l, "grant", text);
        return;
    }
    op->id = resp.id;
    op->call = (struct rpc_client_call){.on_message = lease_message, .on_done = lease_stream_done};
    if (rpc_client_stream_start(client, &op->call, path_keepalive, NULL, 0, 0) != 0) {
        load_fail(l, "keepalive", "out of memory");
        return;
    }
    if (++l->n_ready == l->n_streams) {
        load_prepared(l);
    }
}

void load_lease_prepare(struct load *l)
{
    struct kvs_lease_grant_req req = {.ttl_s = LEASE_TTL_S};

    buf_clear(&l->request);
    etcd_pb_encode_lease_grant_req(&l->request, &req);
    for (size_t i = 0; i < l->n_streams; i++) {
        struct load_op *op = &l->streams[i];

        op->load = l;
        op->call.on_done = lease_granted;
        if (rpc_client_unary(l->clients[i % l->n_clients], &op->call, path_grant,
                             buf_view(&l->request), 0) != 0) {
            load_fail(l, "grant", "out of memory");
            return;
        }
    }
}

void load_lease_start(struct load *l)
{
    for (size_t i = 0; i < l->n_streams; i++) {
        lease_ping(&l->streams[i]);
    }
}
