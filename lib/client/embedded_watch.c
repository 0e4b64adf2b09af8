/* A watch on the node of this process. Events travel as they are: one copy from the hub's shared
 * payload into the response that the callback gets.
 *
 *   open -> created, events ... -> close sent -> close back: ended
 *              `-- lost (the node stops, out of memory): the client closes
 *
 * A delivered event goes back to the node as its receipt, which gives its cost back to the stream:
 * a reader that pauses holds at most WATCH_CREDIT_BYTES and one response, and its watch falls back
 * to history. Receipts may be on their way when the stream ends, so the storage is counted. */
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "client/embedded_int.h"
#include "mvcc/range.h"
#include "rpc/etcd_pb.h"

#define WATCH_CREDIT_BYTES (1024 * 1024)

struct node_stream {
    atomic_uint refs; /* the client's, and one for each event or receipt */
    struct embedded *owner;
    /* The client's thread: */
    struct client_stream *stream;
    struct list waiting; /* of struct node_event: arrived while paused */
    struct loop_task deliver;
    bool paused;
    bool closing; /* `close` has been sent */
    int end_code;
    struct embedded_msg open;
    struct embedded_msg progress;
    struct embedded_msg close;
    bool want_progress; /* asked again while the last one is away */
    /* The node's thread: */
    struct arena arena; /* of `create` until it is sent */
    struct kvs_watch_create_req create;
    struct node *node;
    struct node_watch watch;
    struct local_stream local;
    bool is_open;
    bool lost_sent;
    struct embedded_msg lost;
};

struct node_event {
    struct embedded_msg msg; /* there: a receipt */
    struct node_stream *stream;
    struct kvs_watch_resp *resp;
    size_t cost_bytes;
};

static void stream_unref(struct node_stream *ns)
{
    if (atomic_fetch_sub(&ns->refs, 1) == 1) {
        arena_fini(&ns->arena);
        kvs_free(ns);
    }
}

static void event_free(struct node_event *e)
{
    struct node_stream *ns = e->stream;

    kvs_resp_free(e->resp);
    kvs_free(e);
    stream_unref(ns);
}

/* ---- the node's thread ---- */

/* The client has to know, and closes. */
static void stream_lose(struct node_stream *ns, int code)
{
    if (!ns->lost_sent) {
        ns->lost_sent = true;
        ns->lost.status = code;
        embedded_report(ns->owner, &ns->lost);
    }
}

static void stream_let_go(struct node_stream *ns)
{
    if (ns->is_open) {
        ns->is_open = false;
        local_stream_remove(&ns->local);
        node_watch_close(ns->node, &ns->watch);
    }
}

static void stream_node_ends(struct local_stream *local, struct node *n)
{
    struct node_stream *ns = container_of(local, struct node_stream, local);

    (void)n; /* the same as at the beginning */
    stream_let_go(ns);
    stream_lose(ns, KVS_E_STOPPED);
}

static void receipt_run(struct local_task *t, struct node *n)
{
    struct node_event *e = container_of(t, struct node_event, msg.task);

    if (n != NULL && e->stream->is_open) {
        node_watch_drained(n, &e->stream->watch, e->cost_bytes);
    }
    event_free(e);
}

static int
event_copy(struct arena *a, const struct kvs_event *from, bool prev_kv, struct kvs_event *to)
{
    int err;

    *to = *from;
    to->has_prev = from->has_prev && prev_kv;
    err = range_copy_kv(a, &to->kv);
    if (to->has_prev) {
        return err != 0 ? err : range_copy_kv(a, &to->prev_kv);
    }
    to->prev_kv = (struct kvs_kv){0};
    return err;
}

static int events_copy(struct kvs_watch_resp *resp, const struct watch_effect *effect)
{
    const struct watch_payload *p = effect->payload;
    struct arena *a = client_resp_arena(resp);
    int err = 0;

    resp->events = arena_calloc(a, effect->n_events, sizeof *resp->events);
    if (resp->events == NULL) {
        return KVS_E_NOMEM;
    }
    resp->n_events = effect->n_events;
    for (size_t i = 0; i < effect->n_events && err == 0; i++) {
        err = event_copy(a, &p->events[effect->first + i]->event, p->prev_kv, &resp->events[i]);
    }
    return err;
}

static struct kvs_watch_resp *watch_resp_new(const struct node_stream *ns,
                                             const struct watch_effect *effect)
{
    struct kvs_watch_resp *resp = client_resp_new(sizeof *resp);

    if (resp == NULL) {
        return NULL;
    }
    resp->header = node_header(ns->node);
    resp->header.revision = effect->revision;
    resp->watch_id = effect->watch_id;
    resp->created = effect->type == WATCH_EFFECT_CREATED;
    resp->canceled = effect->type == WATCH_EFFECT_CANCELED || effect->reason != 0;
    resp->fragment = effect->fragment;
    resp->compact_revision = effect->compact_revision;
    if (effect->reason != 0 && effect->compact_revision == 0) {
        resp->cancel_reason = view_str(kvs_strerror(effect->reason));
    }
    if (effect->type == WATCH_EFFECT_EVENTS && events_copy(resp, effect) != 0) {
        kvs_resp_free(resp);
        return NULL;
    }
    return resp;
}

static void event_back(struct embedded_msg *m);

static void stream_send_effect(struct node_watch *w, const struct watch_effect *effect)
{
    struct node_stream *ns = container_of(w, struct node_stream, watch);
    struct node_event *e = ns->lost_sent ? NULL : kvs_calloc(1, sizeof *e);

    if (e != NULL) {
        e->resp = watch_resp_new(ns, effect);
    }
    if (e == NULL || e->resp == NULL) {
        kvs_free(e);
        stream_lose(ns, KVS_E_NOMEM); /* an event left out would be a gap */
        return;
    }
    e->stream = ns;
    e->cost_bytes = effect->cost_bytes;
    e->msg.back = event_back;
    e->msg.task.run = receipt_run;
    (void)atomic_fetch_add(&ns->refs, 1);
    embedded_report(ns->owner, &e->msg);
}

static void stream_open_there(struct embedded_msg *m, struct node *n)
{
    struct node_stream *ns = container_of(m, struct node_stream, open);
    int err;

    ns->node = n;
    ns->watch.send = stream_send_effect;
    err = node_watch_open(n, WATCH_CREDIT_BYTES, &ns->watch);
    if (err == 0) {
        ns->is_open = true;
        ns->local.end = stream_node_ends;
        local_stream_add(ns->owner->node, &ns->local);
        err = node_watch_create(n, &ns->watch, &ns->create);
    }
    if (err != 0) {
        stream_let_go(ns);
    }
    embedded_return(m, err);
}

static void stream_progress_there(struct embedded_msg *m, struct node *n)
{
    struct node_stream *ns = container_of(m, struct node_stream, progress);

    embedded_return(m, ns->is_open ? node_watch_progress(n, &ns->watch) : 0);
}

static void stream_close_there(struct embedded_msg *m, struct node *n)
{
    (void)n;
    stream_let_go(container_of(m, struct node_stream, close));
    embedded_return(m, 0);
}

/* ---- the client's thread ---- */

static void stream_close(struct node_stream *ns, int code)
{
    if (ns->closing) {
        return;
    }
    ns->closing = true;
    ns->end_code = code;
    loop_task_cancel(&ns->deliver);
    while (!list_empty(&ns->waiting)) {
        struct list *first = list_pop_front(&ns->waiting);

        event_free(list_entry(first, struct node_event, msg.task.link));
    }
    embedded_send(ns->owner, &ns->close);
}

static void event_deliver(struct node_stream *ns, struct node_event *e)
{
    struct kvs_watch_resp *resp = e->resp;

    e->resp = NULL;
    ns->stream->on_message(ns->stream, resp);
    if (!local_post(ns->owner->node, &e->msg.task)) {
        event_free(e);
    }
}

static void event_back(struct embedded_msg *m)
{
    struct node_event *e = container_of(m, struct node_event, msg);
    struct node_stream *ns = e->stream;

    if (ns->closing) {
        event_free(e);
    } else if (ns->paused || !list_empty(&ns->waiting)) {
        list_push_back(&ns->waiting, &e->msg.task.link);
    } else {
        event_deliver(ns, e);
    }
}

static void stream_deliver_task(struct loop_task *t)
{
    struct node_stream *ns = container_of(t, struct node_stream, deliver);

    while (!ns->paused && !list_empty(&ns->waiting)) {
        struct list *first = list_pop_front(&ns->waiting);

        event_deliver(ns, list_entry(first, struct node_event, msg.task.link));
    }
}

static void stream_lost_back(struct embedded_msg *m)
{
    stream_close(container_of(m, struct node_stream, lost), m->status);
}

static void stream_open_back(struct embedded_msg *m)
{
    if (m->status != 0) {
        stream_close(container_of(m, struct node_stream, open), m->status);
    }
}

static void stream_progress_back(struct embedded_msg *m)
{
    struct node_stream *ns = container_of(m, struct node_stream, progress);

    if (m->status != 0) {
        stream_close(ns, m->status);
    } else if (ns->want_progress && !ns->closing) {
        ns->want_progress = false;
        embedded_send(ns->owner, m);
    }
}

/* Nothing of the node comes after this. */
static void stream_close_back(struct embedded_msg *m)
{
    struct node_stream *ns = container_of(m, struct node_stream, close);
    struct client_stream *s = ns->stream;
    int code = ns->end_code;

    kvs_assert(!ns->open.away && !ns->progress.away);
    s->backend = NULL;
    stream_unref(ns);
    client_stream_ended(s, code, NULL);
}

int embedded_watch_open(struct embedded *e, struct client_stream *s, const void *first)
{
    const struct kvs_watch_req *req = first;
    struct node_stream *ns = kvs_calloc(1, sizeof *ns);
    struct kvs_watch_req copy = *req;
    int err;

    kvs_assert(req->type == KVS_WATCH_REQ_CREATE);
    if (ns == NULL) {
        return KVS_E_NOMEM;
    }
    arena_init(&ns->arena, 0);
    err = pb_own(&ns->arena, &etcd_pb_watch_req, &copy);
    if (err != 0) {
        arena_fini(&ns->arena);
        kvs_free(ns);
        return err;
    }
    atomic_init(&ns->refs, 1);
    ns->owner = e;
    ns->stream = s;
    ns->create = copy.create;
    list_init(&ns->waiting);
    loop_task_init(&ns->deliver, stream_deliver_task);
    ns->open = (struct embedded_msg){.there = stream_open_there, .back = stream_open_back};
    ns->progress =
        (struct embedded_msg){.there = stream_progress_there, .back = stream_progress_back};
    ns->close = (struct embedded_msg){.there = stream_close_there, .back = stream_close_back};
    ns->lost = (struct embedded_msg){.back = stream_lost_back};
    s->backend = ns;
    embedded_send(e, &ns->open);
    return 0;
}

void embedded_watch_send(struct client_stream *s, const void *req)
{
    const struct kvs_watch_req *r = req;
    struct node_stream *ns = s->backend;

    kvs_assert(r->type == KVS_WATCH_REQ_PROGRESS); /* a watch has its stream for itself */
    if (ns == NULL || ns->closing) {
        return;
    }
    if (ns->progress.away) {
        ns->want_progress = true;
    } else {
        embedded_send(ns->owner, &ns->progress);
    }
}

void embedded_watch_pause(struct client_stream *s)
{
    struct node_stream *ns = s->backend;

    if (ns != NULL) {
        ns->paused = true;
    }
}

void embedded_watch_resume(struct client_stream *s)
{
    struct node_stream *ns = s->backend;

    if (ns != NULL && ns->paused && !ns->closing) {
        ns->paused = false;
        loop_task_post(s->client->loop, &ns->deliver);
    }
}

void embedded_watch_cancel(struct client_stream *s)
{
    if (s->backend != NULL) {
        stream_close(s->backend, KVS_E_CANCELED);
    }
}
