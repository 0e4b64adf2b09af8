/* Watches: many streams on one prefix with puts at a fixed rate, or many that hear nothing. */
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "load.h"
#include "rpc/etcd_pb.h"

static const char path_watch[] = "/etcdserverpb.Watch/Watch";

static void watch_count(struct load *l, const struct kvs_event *event, uint64_t now_ns)
{
    uint64_t sent_ns;

    if (event->kv.value.len < sizeof sent_ns) {
        l->result.n_missed++;
        return;
    }
    memcpy(&sent_ns, event->kv.value.data, sizeof sent_ns);
    if (load_is_counting(l) && sent_ns >= l->measure_begin_ns) {
        l->result.n_events++;
        hist_add(&l->result.latency_ns, now_ns > sent_ns ? now_ns - sent_ns : 0);
    }
}

static void watch_message(struct rpc_client_call *call, struct kvs_view message)
{
    struct load_op *stream = container_of(call, struct load_op, call);
    struct load *l = stream->load;
    struct kvs_watch_resp resp;
    uint64_t now_ns = load_now_ns(l);

    arena_reset(&l->arena);
    if (etcd_pb_decode_watch_resp(&l->arena, message, &resp) != 0 || resp.canceled) {
        load_fail(l, "watch", "refused, canceled, or not a response");
        return;
    }
    l->result.n_bytes += load_is_counting(l) ? message.len : 0;
    for (size_t i = 0; i < resp.n_events; i++) {
        watch_count(l, &resp.events[i], now_ns);
    }
    if (resp.created && ++l->n_ready == l->n_streams * l->options.watchers) {
        load_prepared(l);
    }
    if (l->phase == LOAD_DRAINING && load_watch_is_drained(l)) {
        load_finish(l);
    }
}

static void watch_done(struct rpc_client_call *call,
                       enum rpc_status status,
                       const char *text,
                       struct kvs_view response)
{
    struct load *l = container_of(call, struct load_op, call)->load;

    (void)response;
    if (l->phase != LOAD_DONE) {
        load_count_error(l, status, text);
        load_fail(l, "watch stream ended", l->result.first_error);
    }
}

/* An idle watcher has a key of its own; the others share the prefix. */
static bool watch_create(struct load *l, struct load_op *stream, uint64_t number)
{
    char text[300];
    struct kvs_watch_req req = {.type = KVS_WATCH_REQ_CREATE};

    if (l->options.workload == LOAD_IDLE) {
        req.create.key = load_key(l, number, text);
    } else {
        req.create.key = load_prefix(l);
        req.create.range_end = load_prefix_end(l);
    }
    buf_clear(&l->request);
    etcd_pb_encode_watch_req(&l->request, &req);
    return rpc_client_send(&stream->call, buf_view(&l->request)) == 0;
}

static bool watch_open(struct load *l, size_t i, size_t n_clients)
{
    struct load_op *stream = &l->streams[i];

    stream->load = l;
    stream->call.on_message = watch_message;
    stream->call.on_done = watch_done;
    if (rpc_client_stream_start(l->clients[i % n_clients], &stream->call, path_watch, NULL, 0, 0) !=
        0) {
        return false;
    }
    for (uint64_t w = 0; w < l->options.watchers; w++) {
        if (!watch_create(l, stream, i * l->options.watchers + w)) {
            return false;
        }
    }
    return true;
}

void load_watch_prepare(struct load *l)
{
    bool has_writer = l->options.workload == LOAD_WATCH && l->n_clients > 1;

    for (size_t i = 0; i < l->n_streams; i++) {
        if (!watch_open(l, i, has_writer ? l->n_clients - 1 : l->n_clients)) {
            load_fail(l, "watch", "out of memory");
            return;
        }
    }
}

void load_watch_start(struct load *l)
{
    if (l->options.rate == 0) {
        load_fail(l, "watch", "needs --rate");
        return;
    }
    load_unary_start(l);
}

bool load_watch_is_drained(const struct load *l)
{
    return l->result.n_events >= l->result.n_events_expected;
}
