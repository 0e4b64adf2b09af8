#include "node/service.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"

/* A client that takes nothing of a long answer for so long. Meanwhile the store cannot reuse the
 * pages that the answer's view sees. */
#define SERVICE_RANGE_STALL_MS 60000

static bool service_requires_leader(struct rpc_call *call)
{
    struct kvs_view value;

    return rpc_call_header(call, "hasleader", &value) && view_equal_str(value, "true");
}

int service_check_leader(struct service *s, struct rpc_call *call)
{
    if (replica_leader(node_replica(s->node)) == 0 && service_requires_leader(call)) {
        return KVS_E_NO_LEADER;
    }
    return 0;
}

bool service_stream_start(struct service *s,
                          struct service_stream *stream,
                          struct rpc_call *call,
                          const struct rpc_stream_ops *ops)
{
    int err = service_check_leader(s, call);

    if (err != 0) {
        rpc_fail_err(call, err);
        return false;
    }
    stream->call = call;
    stream->require_leader = service_requires_leader(call);
    list_push_back(&s->streams, &stream->link);
    rpc_call_set_user(call, stream);
    rpc_stream_start(call, ops);
    return true;
}

void service_stream_end(struct service_stream *stream)
{
    list_remove(&stream->link);
}

void service_end_streams(struct service *s, int err, bool only_require_leader)
{
    LIST_FOREACH_SAFE(it, after, &s->streams)
    {
        struct service_stream *stream = list_entry(it, struct service_stream, link);

        if (stream->require_leader || !only_require_leader) {
            rpc_stream_finish(stream->call, (enum rpc_status)kvs_err_grpc_status(err),
                              kvs_strerror(err));
        }
    }
}

void service_tick(struct service *s)
{
    uint64_t now_ms = loop_now_ms(s->loop);
    uint64_t patience_ms = 3 * (uint64_t)node_config(s->node)->election_ms;

    if (now_ms > SERVICE_RANGE_STALL_MS) {
        service_end_ranges(s, now_ms - SERVICE_RANGE_STALL_MS);
    }
    if (replica_leader(node_replica(s->node)) != 0) {
        s->no_leader_since_ms = 0;
        return;
    }
    if (s->no_leader_since_ms == 0) {
        s->no_leader_since_ms = now_ms;
    } else if (now_ms - s->no_leader_since_ms >= patience_ms) {
        service_end_streams(s, KVS_E_NO_LEADER, true);
    }
}

int service_init(struct service *s, struct node *node, struct loop *loop, struct rpc_server *rpc)
{
    static int (*const parts[])(struct service *) = {
        service_kv_register,      service_watch_register,       service_lease_register,
        service_cluster_register, service_maintenance_register, service_health_register,
    };

    *s = (struct service){.node = node, .loop = loop, .rpc = rpc};
    list_init(&s->streams);
    list_init(&s->ranges);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        int err = parts[i](s);

        if (err != 0) {
            return err;
        }
    }
    service_http_register(s);
    return 0;
}
