/* Unary calls: puts, gets, ranges; as fast as N clients get their answers, or at a fixed rate. */
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "load.h"
#include "rpc/etcd_pb.h"

enum { LOAD_REVISION_EVERY = 64, LOAD_LATE_NS = 2000000 };

static const char path_put[] = "/etcdserverpb.KV/Put";
static const char path_range[] = "/etcdserverpb.KV/Range";
static const char path_compact[] = "/etcdserverpb.KV/Compact";

static void unary_next(struct load_op *op, struct rpc_client *client);

/* ---- requests ---- */

/* The first bytes say when it was sent: a watcher takes the latency of the event from there. */
static void encode_put(struct load *l, uint64_t number, uint64_t stamp_ns)
{
    char text[300];
    struct kvs_put_req req = {
        .key = load_key(l, number, text),
        .value = view_make(l->value, l->options.value_bytes),
    };

    memcpy(l->value, &stamp_ns, sizeof stamp_ns);
    etcd_pb_encode_put_req(&l->request, &req);
}

static void encode_range(struct load *l, uint64_t number)
{
    char text[300];
    struct kvs_range_req req = {.serializable = l->options.serializable};

    if (l->options.workload == LOAD_RANGE) {
        req.key = load_prefix(l);
        req.range_end = load_prefix_end(l);
    } else {
        req.key = load_key(l, number, text);
    }
    etcd_pb_encode_range_req(&l->request, &req);
}

static bool unary_is_read(struct load *l)
{
    enum load_workload w = l->options.workload;

    return w == LOAD_GET || w == LOAD_RANGE ||
           (w == LOAD_MIXED && rng_percent(&l->rng, l->options.reads));
}

static uint64_t unary_key(struct load *l)
{
    return l->options.workload == LOAD_FILL ? l->n_issued : rng_below(&l->rng, l->options.keys);
}

/* ---- answers ---- */

static void unary_count(struct load *l, struct load_op *op, size_t response_bytes)
{
    struct load_result *r = &l->result;
    uint64_t took_ns = load_now_ns(l) - op->begun_ns;

    r->n_ok++;
    r->n_bytes += response_bytes;
    /* A watch run measures from the put to the event. */
    if (l->options.workload != LOAD_WATCH) {
        hist_add(&r->latency_ns, took_ns);
    }
    if (l->compacting) {
        hist_add(&l->compact_latency_ns, took_ns);
    }
    if (op->is_read && response_bytes < l->options.value_bytes) {
        r->n_missed++;
    }
}

static void unary_learn_revision(struct load *l, struct kvs_view response)
{
    struct kvs_put_resp resp;

    arena_reset(&l->arena);
    if (l->options.workload == LOAD_COMPACT && l->result.n_ok % LOAD_REVISION_EVERY == 0 &&
        etcd_pb_decode_put_resp(&l->arena, response, &resp) == 0 &&
        resp.header.revision > l->revision) {
        l->revision = resp.header.revision;
    }
}

static void unary_done(struct rpc_client_call *call,
                       enum rpc_status status,
                       const char *text,
                       struct kvs_view response)
{
    struct load_op *op = container_of(call, struct load_op, call);
    struct load *l = op->load;

    op->active = false;
    if (l->phase == LOAD_DONE) {
        return;
    }
    if (load_is_counting(l) && status != RPC_OK) {
        load_count_error(l, status, text);
    } else if (load_is_counting(l) && op->begun_ns >= l->measure_begin_ns) {
        unary_count(l, op, response.len);
    }
    if (status == RPC_OK) {
        unary_learn_revision(l, response);
    }
    if (l->options.workload == LOAD_FILL &&
        l->result.n_ok + l->result.n_errors == l->options.keys) {
        load_finish(l);
    } else if (l->options.rate == 0 && l->phase != LOAD_DRAINING) {
        unary_next(op, call->client);
    }
}

/* ---- sending ---- */

static void unary_send(struct load_op *op, struct rpc_client *client, uint64_t due_ns)
{
    struct load *l = op->load;

    buf_clear(&l->request);
    op->begun_ns = due_ns;
    op->is_read = unary_is_read(l);
    if (op->is_read) {
        encode_range(l, unary_key(l));
    } else {
        encode_put(l, unary_key(l), due_ns);
    }
    l->n_issued++;
    op->active = true;
    if (l->request.failed ||
        rpc_client_unary(client, &op->call, op->is_read ? path_range : path_put,
                         buf_view(&l->request), l->options.timeout_ms) != 0) {
        load_fail(l, "send", "out of memory");
    }
}

static void unary_next(struct load_op *op, struct rpc_client *client)
{
    struct load *l = op->load;

    if (l->options.workload == LOAD_FILL && l->n_issued == l->options.keys) {
        return;
    }
    unary_send(op, client, load_now_ns(l));
}

static struct load_op *unary_free_op(struct load *l)
{
    for (size_t i = 0; i < l->n_ops; i++) {
        struct load_op *op = l->free_op;

        l->free_op = op + 1 == l->ops + l->n_ops ? l->ops : op + 1;
        if (!op->active) {
            return op;
        }
    }
    return NULL;
}

bool load_unary_put(struct load *l, struct rpc_client *client, uint64_t due_ns)
{
    struct load_op *op = unary_free_op(l);

    if (op == NULL) {
        return false;
    }
    unary_send(op, client, due_ns);
    return true;
}

/* A watch counts the events of the puts that were due within the measurement, no others. */
static void unary_count_due(struct load *l, uint64_t now_ns)
{
    if (load_is_counting(l) && l->due_ns >= l->measure_begin_ns) {
        l->result.n_late += now_ns - l->due_ns > LOAD_LATE_NS;
        l->result.n_events_expected += l->n_streams * l->options.watchers;
    }
}

/* Open loop: sends what is due. What finds no free op is sent later, its latency counting from
 * when it was due. */
static void unary_on_tick(struct loop_timer *t)
{
    struct load *l = container_of(t, struct load, tick);
    uint64_t now_ns = load_now_ns(l);
    uint64_t step_ns = 1000000000 / l->options.rate;

    while (l->due_ns <= now_ns && l->phase != LOAD_DRAINING && l->phase != LOAD_DONE) {
        /* Watches: the last connection is the writer's. */
        size_t i =
            l->options.workload == LOAD_WATCH ? l->n_clients - 1 : l->n_issued % l->n_clients;

        if (!load_unary_put(l, l->clients[i], l->due_ns)) {
            return;
        }
        unary_count_due(l, now_ns);
        l->due_ns += step_ns;
    }
}

void load_unary_start(struct load *l)
{
    l->free_op = l->ops;
    for (size_t i = 0; i < l->n_ops; i++) {
        l->ops[i].load = l;
        l->ops[i].call.on_done = unary_done;
    }
    if (l->options.rate > 0) {
        l->due_ns = load_now_ns(l);
        loop_timer_init(l->loop, &l->tick, unary_on_tick);
        loop_timer_start_repeat(&l->tick, 1, 1);
        return;
    }
    for (size_t i = 0; i < l->n_ops; i++) {
        unary_next(&l->ops[i], l->clients[i % l->n_clients]);
    }
}

/* ---- compaction ---- */

static void compact_done(struct rpc_client_call *call,
                         enum rpc_status status,
                         const char *text,
                         struct kvs_view response)
{
    struct load *l = container_of(call, struct load, compact_call);

    (void)response;
    l->compacting = false;
    l->result.compact_ms = (load_now_ns(l) - l->compact_begin_ns) / 1000000;
    l->result.compact_p99_ns = hist_at(&l->compact_latency_ns, 990);
    if (status != RPC_OK) {
        load_count_error(l, status, text);
    }
    load_finish(l);
}

void load_compact(struct load *l)
{
    struct kvs_compact_req req = {.revision = l->revision, .physical = true};

    buf_clear(&l->request);
    etcd_pb_encode_compact_req(&l->request, &req);
    l->compact_call.on_done = compact_done;
    l->compact_begin_ns = load_now_ns(l);
    l->compacting = true;
    if (rpc_client_unary(l->clients[0], &l->compact_call, path_compact, buf_view(&l->request), 0) !=
        0) {
        load_fail(l, "compact", "out of memory");
    }
}
