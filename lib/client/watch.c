/* A watch that outlives its connections.
 *
 *   opening -> started -> (stream lost) -> paused -> opening ...      any -> ended
 *
 * Invariants
 *   1. `next` is the first revision that has not been delivered. A new stream starts there, and
 *      events below it are dropped: no revision is missed or repeated.
 *   2. A revision's events come in one response (fragments are not asked for), so `next` never
 *      points into one.
 *   3. ENDED is the last callback, once; the storage lives until no task refers to it. */
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "client/client_int.h"
#include "client/watch_int.h"

enum { RETRY_MIN_MS = 50, RETRY_MAX_MS = 1000 };

struct kvs_watch {
    struct kvs_client *client;
    kvs_watch_cb cb;
    void *ctx;
    struct kvs_watch_create_req req; /* its bytes are behind this struct */
    atomic_uint refs;                /* one for life, one for each task on its way */
    struct client_task open_task;
    struct client_task close_task;
    struct client_task progress_task;
    atomic_bool close_posted;
    atomic_bool progress_posted;
    /* The client's thread only: */
    struct client_closer closer;
    struct client_stream stream;
    bool streaming; /* `stream` is open */
    bool started;   /* the server has registered the watch on it */
    bool closing;
    bool ended;
    bool paused;        /* the reader wants no more for now */
    bool told_paused;   /* PAUSED was the last word */
    bool want_progress; /* asked for while there was no stream */
    kvs_revision next;  /* 0: from now on, not known yet */
    unsigned delay_ms;
    struct loop_timer retry;
    struct kvs_error why;              /* of the last lost stream */
    struct kvs_watch_resp *last_words; /* with which the server ended the watch, or NULL */
};

static void watch_stream_open(struct kvs_watch *w);

void watch_unref(struct kvs_watch *w)
{
    if (atomic_fetch_sub(&w->refs, 1) == 1) {
        kvs_free(w);
    }
}

static void watch_tell(struct kvs_watch *w,
                       enum kvs_watch_what what,
                       const struct kvs_error *error,
                       const struct kvs_watch_resp *resp)
{
    static const struct kvs_error ok = {0};

    w->cb(w->ctx, w, what, error != NULL ? error : &ok, resp);
}

static void watch_end(struct kvs_watch *w, int code, const char *text)
{
    struct kvs_client *c = w->client;
    struct kvs_error error;

    kvs_assert(!w->ended && !w->streaming);
    w->ended = true;
    loop_timer_stop(&w->retry);
    (void)client_error_set(&error, code, text);
    watch_tell(w, KVS_WATCH_ENDED, &error, w->last_words);
    kvs_resp_free(w->last_words);
    client_closer_remove(c, &w->closer);
    watch_unref(w);
}

/* ---- what the server says ---- */

static void text_copy(char *to, size_t size, struct kvs_view from)
{
    size_t len = from.len < size - 1 ? from.len : size - 1;

    if (len > 0) {
        memcpy(to, from.data, len);
    }
    to[len] = '\0';
}

/* Refused, cancelled, or compacted. The stream is of no use any more: its end ends the watch. */
static void watch_on_canceled(struct kvs_watch *w, struct kvs_watch_resp *resp)
{
    int code = KVS_E_WATCH_CANCELED;

    if (resp->compact_revision != 0) {
        (void)client_error_set(&w->why, KVS_E_COMPACTED, NULL);
    } else {
        text_copy(w->why.msg, sizeof w->why.msg, resp->cancel_reason);
        code = kvs_err_from_text(w->why.msg);
        w->why.code = code == KVS_E_UNKNOWN ? KVS_E_WATCH_CANCELED : code;
    }
    kvs_resp_keep(resp);
    w->last_words = resp;
    w->closing = true;
    client_stream_cancel(&w->stream);
}

static void watch_send_progress(struct kvs_watch *w)
{
    struct kvs_watch_req req = {.type = KVS_WATCH_REQ_PROGRESS};

    w->want_progress = false;
    client_stream_send(&w->stream, &req);
}

static void watch_on_created(struct kvs_watch *w, const struct kvs_watch_resp *resp)
{
    w->started = true;
    w->told_paused = false;
    w->delay_ms = 0;
    if (w->next == 0) {
        w->next = resp->header.revision + 1;
    }
    watch_tell(w, KVS_WATCH_STARTED, NULL, resp);
    if (w->want_progress && w->streaming && !w->closing) {
        watch_send_progress(w);
    }
}

static void watch_on_events(struct kvs_watch *w, struct kvs_watch_resp *resp)
{
    while (resp->n_events > 0 && resp->events[0].kv.mod_revision < w->next) {
        resp->events++;
        resp->n_events--;
    }
    if (resp->n_events == 0) {
        return;
    }
    w->next = resp->events[resp->n_events - 1].kv.mod_revision + 1;
    watch_tell(w, KVS_WATCH_EVENTS, NULL, resp);
}

/* Answers to kvs_watch_progress carry the id -1. etcd before 3.4.25 and 3.5.8 may send them ahead
 * of events (its issue 15220), so they do not move the point of resumption. */
static void watch_on_progress(struct kvs_watch *w, const struct kvs_watch_resp *resp)
{
    if (resp->watch_id >= 0 && resp->header.revision >= w->next) {
        w->next = resp->header.revision + 1;
    }
    watch_tell(w, KVS_WATCH_PROGRESS, NULL, resp);
}

static void watch_message_cb(struct client_stream *s, void *message)
{
    struct kvs_watch *w = container_of(s, struct kvs_watch, stream);
    struct kvs_watch_resp *resp = message;

    if (w->closing) {
        kvs_resp_free(resp);
        return;
    }
    if (resp->canceled) {
        watch_on_canceled(w, resp);
    } else if (resp->created) {
        watch_on_created(w, resp);
    } else if (resp->n_events > 0) {
        watch_on_events(w, resp);
    } else {
        watch_on_progress(w, resp);
    }
    kvs_resp_free(resp);
}

/* ---- losing and finding streams ---- */

/* The codes after which another member, or the same one later, may serve the watch. */
static bool is_passing(int code)
{
    int status = kvs_err_grpc_status(code);

    return code == 0 || status == 14 || (status == 13 && code != KVS_E_MALFORMED);
}

static void watch_retry_cb(struct loop_timer *t)
{
    watch_stream_open(container_of(t, struct kvs_watch, retry));
}

static void watch_retry_later(struct kvs_watch *w)
{
    w->delay_ms = w->delay_ms == 0 ? RETRY_MIN_MS : w->delay_ms * 2;
    if (w->delay_ms > RETRY_MAX_MS) {
        w->delay_ms = RETRY_MAX_MS;
    }
    loop_timer_start(&w->retry, w->delay_ms / 2 + rng_below(&w->client->rng, w->delay_ms));
}

static void watch_end_cb(struct client_stream *s, int code, const char *text)
{
    struct kvs_watch *w = container_of(s, struct kvs_watch, stream);

    w->streaming = false;
    w->started = false;
    if (w->closing) {
        watch_end(w, w->why.code, w->why.msg);
        return;
    }
    if (!is_passing(code) || w->client->backend->gone) {
        watch_end(w, code, text);
        return;
    }
    (void)client_error_set(&w->why, code == 0 ? KVS_E_UNAVAILABLE : code, text);
    if (!w->told_paused) {
        w->told_paused = true;
        watch_tell(w, KVS_WATCH_PAUSED, &w->why, NULL);
    }
    watch_retry_later(w);
}

static void watch_stream_open(struct kvs_watch *w)
{
    struct kvs_watch_req req = {.type = KVS_WATCH_REQ_CREATE, .create = w->req};
    int err;

    req.create.start_revision = w->next;
    w->stream = (struct client_stream){
        .method = client_method(CLIENT_WATCH),
        .on_message = watch_message_cb,
        .on_end = watch_end_cb,
    };
    w->streaming = true;
    err = client_stream_open(w->client, &w->stream, &req);
    if (err != 0) {
        w->streaming = false;
        watch_end(w, err, NULL);
        return;
    }
    if (w->paused) {
        client_stream_pause(&w->stream);
    }
}

/* ---- the public side ---- */

static void watch_close_now(struct kvs_watch *w)
{
    if (w->ended || w->closing) {
        return;
    }
    w->closing = true;
    (void)client_error_set(&w->why, KVS_E_CANCELED, NULL);
    if (w->streaming) {
        client_stream_cancel(&w->stream);
    } else {
        watch_end(w, KVS_E_CANCELED, NULL);
    }
}

static void watch_closer(struct client_closer *closer)
{
    watch_close_now(container_of(closer, struct kvs_watch, closer));
}

static void watch_open_task(struct client_task *task)
{
    struct kvs_watch *w = container_of(task, struct kvs_watch, open_task);

    if (w->client->closing) {
        watch_end(w, KVS_E_CANCELED, NULL);
    } else {
        client_closer_add(w->client, &w->closer);
        watch_stream_open(w);
    }
    watch_unref(w);
}

static void watch_close_task(struct client_task *task)
{
    struct kvs_watch *w = container_of(task, struct kvs_watch, close_task);

    watch_close_now(w);
    watch_unref(w);
}

static void watch_progress_task(struct client_task *task)
{
    struct kvs_watch *w = container_of(task, struct kvs_watch, progress_task);

    atomic_store(&w->progress_posted, false);
    if (w->streaming && w->started && !w->closing) {
        watch_send_progress(w);
    } else {
        w->want_progress = true;
    }
    watch_unref(w);
}

static void watch_submit(struct kvs_watch *w, struct client_task *task)
{
    (void)atomic_fetch_add(&w->refs, 1);
    if (client_submit(w->client, task) != 0) {
        watch_unref(w); /* the client has stopped, so the watch has ended */
    }
}

void kvs_watch_close(struct kvs_watch *watch)
{
    if (!atomic_exchange(&watch->close_posted, true)) {
        watch_submit(watch, &watch->close_task);
    }
}

void kvs_watch_keep(struct kvs_watch *watch)
{
    (void)atomic_fetch_add(&watch->refs, 1);
}

void kvs_watch_release(struct kvs_watch *watch)
{
    watch_unref(watch);
}

void kvs_watch_progress(struct kvs_watch *watch)
{
    if (!atomic_exchange(&watch->progress_posted, true)) {
        watch_submit(watch, &watch->progress_task);
    }
}

void watch_pause(struct kvs_watch *w)
{
    w->paused = true;
    if (w->streaming) {
        client_stream_pause(&w->stream);
    }
}

void watch_resume(struct kvs_watch *w)
{
    w->paused = false;
    if (w->streaming) {
        client_stream_resume(&w->stream);
    }
}

static struct kvs_view copy_behind(uint8_t *at, struct kvs_view from)
{
    if (from.len > 0) {
        memcpy(at, from.data, from.len);
    }
    return view_make(at, from.len);
}

int watch_open(struct kvs_client *client,
               const struct kvs_watch_create_req *req,
               kvs_watch_cb cb,
               void *ctx,
               unsigned n_refs,
               struct kvs_watch **ret_watch)
{
    struct kvs_watch *w = kvs_calloc(1, sizeof *w + req->key.len + req->range_end.len);
    uint8_t *bytes = (uint8_t *)(w + 1);
    int err;

    if (w == NULL) {
        return KVS_E_NOMEM;
    }
    w->client = client;
    w->cb = cb;
    w->ctx = ctx;
    w->req = *req;
    w->req.key = copy_behind(bytes, req->key);
    w->req.range_end = copy_behind(bytes + req->key.len, req->range_end);
    w->req.watch_id = 0;
    w->req.fragment = false;
    w->next = req->start_revision;
    atomic_init(&w->refs, 2 + n_refs); /* life, and the task that opens */
    w->open_task.run = watch_open_task;
    w->close_task.run = watch_close_task;
    w->progress_task.run = watch_progress_task;
    w->closer.close = watch_closer;
    list_init(&w->closer.node);
    loop_timer_init(client->loop, &w->retry, watch_retry_cb);
    *ret_watch = w; /* before the first callback can run */
    err = client_submit(client, &w->open_task);
    if (err != 0) {
        kvs_free(w);
    }
    return err;
}

int kvs_watch_open(struct kvs_client *client,
                   const struct kvs_watch_create_req *req,
                   kvs_watch_cb cb,
                   void *ctx,
                   struct kvs_watch **ret_watch)
{
    return watch_open(client, req, cb, ctx, 0, ret_watch);
}
