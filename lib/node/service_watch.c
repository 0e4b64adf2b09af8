/* etcdserverpb.Watch: one bidirectional stream carries many watches.
 *
 *   WatchRequest  -> node_watch_create / cancel / progress
 *   watch_effect  -> WatchResponse: a small prefix of this stream (header, watch id, flags) and
 *                    the events, encoded once and shared by all streams that get them
 *
 * What is queued at the stream is charged against its credit in the hub, so that a slow client's
 * watches fall back to reading history instead of piling up here. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "node/service.h"
#include "rpc/etcd_pb.h"

/* Above RPC_QUEUE_HIGH: whenever the credit is used up, on_writable is sure to come. */
#define WATCH_CREDIT_BYTES (4 * RPC_QUEUE_HIGH)

struct watch_call {
    struct service_stream stream;
    struct service *service;
    struct node_watch watch;
    struct arena arena;   /* of the request being decoded */
    size_t charged_bytes; /* taken from the credit and not given back */
};

static struct watch_call *watch_call_of(struct rpc_call *call)
{
    return container_of(rpc_call_user(call), struct watch_call, stream);
}

/* Gives back what has left the queue. */
static void watch_call_settle(struct watch_call *c)
{
    size_t queued = rpc_stream_queued(c->stream.call);
    size_t gone = c->charged_bytes > queued ? c->charged_bytes - queued : 0;

    if (gone > 0) {
        c->charged_bytes -= gone;
        node_watch_drained(c->service->node, &c->watch, gone);
    }
}

static void watch_response_init(struct watch_call *c,
                                const struct watch_effect *effect,
                                struct kvs_watch_resp *ret_resp)
{
    *ret_resp = (struct kvs_watch_resp){
        .header = node_header(c->service->node),
        .watch_id = effect->watch_id,
        .created = effect->type == WATCH_EFFECT_CREATED,
        .canceled = effect->type == WATCH_EFFECT_CANCELED || effect->reason != 0,
        .fragment = effect->fragment,
        .compact_revision = effect->compact_revision,
    };
    ret_resp->header.revision = effect->revision;
    if (effect->reason != 0 && effect->compact_revision == 0) {
        ret_resp->cancel_reason = view_str(kvs_strerror(effect->reason));
    }
}

static struct rcbuf *watch_encode_events(const struct watch_payload *p, size_t first, size_t n)
{
    size_t bytes = 0;
    struct rcbuf *encoded;
    uint8_t *at;

    for (size_t i = first; i < first + n; i++) {
        bytes += etcd_pb_event_size(&p->events[i]->event, p->prev_kv);
    }
    encoded = rcbuf_new(bytes);
    if (encoded == NULL) {
        return NULL;
    }
    at = encoded->data;
    for (size_t i = first; i < first + n; i++) {
        at = etcd_pb_event_put(at, &p->events[i]->event, p->prev_kv);
    }
    kvs_assert(at == encoded->data + bytes);
    return encoded;
}

/* The events of an effect with one reference for the caller; encoded once per payload unless it
 * is sent in fragments. */
static struct rcbuf *watch_effect_events(const struct watch_effect *effect)
{
    struct watch_payload *p = effect->payload;

    if (effect->first != 0 || effect->n_events != p->n_events) {
        return watch_encode_events(p, effect->first, effect->n_events);
    }
    if (p->encoded == NULL) {
        p->encoded = watch_encode_events(p, 0, p->n_events);
    }
    return p->encoded != NULL ? rcbuf_ref(p->encoded) : NULL;
}

static int watch_send_events(struct watch_call *c, const struct watch_effect *effect)
{
    uint8_t prefix[ETCD_PB_WATCH_PREFIX_MAX];
    struct kvs_watch_resp resp;
    struct rcbuf *events = watch_effect_events(effect);
    uint8_t *end;
    int err;

    if (events == NULL) {
        return KVS_E_NOMEM;
    }
    watch_response_init(c, effect, &resp);
    kvs_assert(etcd_pb_watch_prefix_size(&resp) <= sizeof prefix);
    end = etcd_pb_watch_prefix_put(prefix, &resp);
    err = rpc_stream_send(c->stream.call, view_make(prefix, (size_t)(end - prefix)), events);
    rcbuf_unref(events);
    return err;
}

static int watch_send_notice(struct watch_call *c, const struct watch_effect *effect)
{
    struct kvs_watch_resp resp;
    struct buf b;
    int err;

    watch_response_init(c, effect, &resp);
    buf_init(&b);
    etcd_pb_encode_watch_resp(&b, &resp);
    err = b.failed ? KVS_E_NOMEM : rpc_stream_send_copy(c->stream.call, buf_view(&b));
    buf_fini(&b);
    return err;
}

/* A response that cannot be queued breaks the stream: the client resumes where it was, whereas a
 * response left out would be a gap. */
static void watch_call_send(struct node_watch *w, const struct watch_effect *effect)
{
    struct watch_call *c = container_of(w, struct watch_call, watch);
    int err = effect->type == WATCH_EFFECT_EVENTS ? watch_send_events(c, effect)
                                                  : watch_send_notice(c, effect);

    c->charged_bytes += effect->cost_bytes;
    if (err == KVS_E_NOMEM || err == KVS_E_TOO_LONG) {
        rpc_fail_err(c->stream.call, KVS_E_NOMEM);
        return;
    }
    watch_call_settle(c);
}

static int watch_call_request(struct watch_call *c, const struct kvs_watch_req *req)
{
    struct node *node = c->service->node;

    switch (req->type) {
    case KVS_WATCH_REQ_CREATE:
        return node_watch_create(node, &c->watch, &req->create);
    case KVS_WATCH_REQ_CANCEL:
        return node_watch_cancel(node, &c->watch, req->cancel_id);
    case KVS_WATCH_REQ_PROGRESS:
        return node_watch_progress(node, &c->watch);
    case KVS_WATCH_REQ_NONE:
        break;
    }
    return 0; /* etcd ignores a request with nothing in it, too */
}

static void watch_on_message(struct rpc_call *call, struct kvs_view message)
{
    struct watch_call *c = watch_call_of(call);
    struct kvs_watch_req req;
    int err;

    err = etcd_pb_decode_watch_req(&c->arena, message, &req);
    if (err == 0) {
        err = watch_call_request(c, &req);
    }
    arena_fini(&c->arena); /* requests are rare: an idle stream keeps no memory for the next */
    if (err != 0) {
        rpc_fail_err(call, err);
    }
}

static void watch_on_half_close(struct rpc_call *call)
{
    rpc_stream_finish(call, RPC_OK, NULL);
}

static void watch_on_writable(struct rpc_call *call)
{
    watch_call_settle(watch_call_of(call));
}

static void watch_on_closed(struct rpc_call *call, bool canceled)
{
    struct watch_call *c = watch_call_of(call);

    (void)canceled; /* the same is to be done either way */
    node_watch_close(c->service->node, &c->watch);
    service_stream_end(&c->stream);
    arena_fini(&c->arena);
    kvs_free(c);
}

static const struct rpc_stream_ops watch_ops = {
    .on_message = watch_on_message,
    .on_half_close = watch_on_half_close,
    .on_writable = watch_on_writable,
    .on_closed = watch_on_closed,
};

static void watch_handle(void *ctx, struct rpc_call *call)
{
    struct service *s = ctx;
    struct watch_call *c = kvs_calloc(1, sizeof *c);
    int err;

    if (c == NULL) {
        rpc_fail_err(call, KVS_E_NOMEM);
        return;
    }
    c->service = s;
    c->watch.send = watch_call_send;
    arena_init(&c->arena, node_config(s->node)->max_request_bytes * 2);
    err = node_watch_open(s->node, WATCH_CREDIT_BYTES, &c->watch);
    if (err != 0) {
        kvs_free(c);
        rpc_fail_err(call, err);
        return;
    }
    if (!service_stream_start(s, &c->stream, call, &watch_ops)) {
        node_watch_close(s->node, &c->watch);
        kvs_free(c);
    }
}

int service_watch_register(struct service *s)
{
    return rpc_method(s->rpc, "/etcdserverpb.Watch/Watch", RPC_BIDI, watch_handle, s);
}
