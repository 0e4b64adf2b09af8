#include "node/service_unary.h"

#include "base/assert.h"

struct service_call *service_call_new(struct service *s, struct rpc_call *rpc)
{
    int err = service_check_leader(s, rpc);
    struct service_call *c;

    if (err != 0) {
        rpc_fail_err(rpc, err);
        return NULL;
    }
    c = arena_calloc(rpc_call_arena(rpc), 1, sizeof *c);
    if (c == NULL) {
        rpc_fail_err(rpc, KVS_E_NOMEM);
        return NULL;
    }
    c->service = s;
    c->rpc = rpc;
    return c;
}

void service_fail(struct service_call *c, int err)
{
    kvs_assert(err != 0);
    rpc_fail_err(c->rpc, err);
}

void service_fill_header(const struct service_call *c, struct kvs_header *header)
{
    kvs_revision revision = header->revision;

    *header = node_header(c->service->node);
    header->revision = revision;
}

void service_write_submit(struct service_call *c, void (*cb)(struct node_write *w), int err)
{
    if (err != 0) {
        service_fail(c, err);
        return;
    }
    c->u.write.cb = cb;
}

bool service_write_ok(struct service_call *c)
{
    int err = c->u.write.status != 0 ? c->u.write.status : c->u.write.result.status;

    if (err != 0) {
        service_fail(c, err);
        return false;
    }
    return true;
}

bool service_decoded(struct service_call *c, int err)
{
    if (err == 0) {
        return true;
    }
    if (err == KVS_E_MALFORMED) {
        /* The words of a gRPC server in Go that cannot unmarshal a request. */
        rpc_fail(c->rpc, RPC_INTERNAL, "grpc: error while unmarshaling request");
    } else {
        service_fail(c, err);
    }
    return false;
}

void service_reply_buf(struct service_call *c, struct buf *b)
{
    if (b->failed) {
        buf_fini(b);
        service_fail(c, KVS_E_NOMEM);
        return;
    }
    rpc_reply(c->rpc, buf_take(b));
}
