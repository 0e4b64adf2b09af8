/* The embedded backend's beginning and end, and the way to the node's thread and back. */
#include "base/alloc.h"
#include "base/assert.h"
#include "client/embedded_int.h"

/* ---- there and back ---- */

static void embedded_task_run(struct local_task *t, struct node *n)
{
    struct embedded_msg *m = container_of(t, struct embedded_msg, task);

    if (n == NULL) {
        embedded_return(m, KVS_E_STOPPED);
    } else {
        m->there(m, n);
    }
}

void embedded_send(struct embedded *e, struct embedded_msg *m)
{
    kvs_assert(!m->away);
    m->owner = e;
    m->task.run = embedded_task_run;
    m->away = true;
    e->n_away++;
    if (!local_post(e->node, &m->task)) {
        embedded_return(m, KVS_E_STOPPED); /* comes back later all the same */
    }
}

void embedded_return(struct embedded_msg *m, int status)
{
    m->status = status;
    loop_mbox_post(m->owner->home, &m->task.link);
}

void embedded_report(struct embedded *e, struct embedded_msg *m)
{
    loop_mbox_post(e->home, &m->task.link);
}

static void embedded_home_cb(void *ctx, struct list *message)
{
    struct embedded *e = ctx;
    struct embedded_msg *m =
        container_of(list_entry(message, struct local_task, link), struct embedded_msg, task);

    if (m->away) {
        m->away = false;
        e->n_away--;
    }
    if (m->status == KVS_E_STOPPED) {
        e->base.gone = true; /* a node that has stopped does not start again */
    }
    m->back(m);
}

/* ---- streams are watches or snapshots ---- */

static bool is_watch(const struct client_stream *s)
{
    return s->method == client_method(CLIENT_WATCH);
}

static int stream_open(struct client_backend *b, struct client_stream *s, const void *first)
{
    struct embedded *e = container_of(b, struct embedded, base);

    return is_watch(s) ? embedded_watch_open(e, s, first) : embedded_snapshot_open(e, s);
}

static void stream_send(struct client_backend *b, struct client_stream *s, const void *req)
{
    (void)b;
    if (is_watch(s)) {
        embedded_watch_send(s, req);
    }
}

static void stream_pause(struct client_backend *b, struct client_stream *s)
{
    (void)b;
    if (is_watch(s)) {
        embedded_watch_pause(s);
    } else {
        embedded_snapshot_pause(s);
    }
}

static void stream_resume(struct client_backend *b, struct client_stream *s)
{
    (void)b;
    if (is_watch(s)) {
        embedded_watch_resume(s);
    } else {
        embedded_snapshot_resume(s);
    }
}

static void stream_cancel(struct client_backend *b, struct client_stream *s)
{
    (void)b;
    if (is_watch(s)) {
        embedded_watch_cancel(s);
    } else {
        embedded_snapshot_cancel(s);
    }
}

/* ---- life ---- */

/* Calls have been answered already; the node may still hold what was cancelled. */
static void embedded_free(struct client_backend *b)
{
    struct embedded *e = container_of(b, struct embedded, base);

    while (e->n_away > 0) {
        (void)loop_turn(b->client->loop, true);
    }
    loop_mbox_free(e->home);
    local_unref(e->node);
    kvs_free(e);
}

static const struct client_backend_ops embedded_ops = {
    .call = embedded_call,
    .call_cancel = embedded_call_cancel,
    .stream_open = stream_open,
    .stream_send = stream_send,
    .stream_pause = stream_pause,
    .stream_resume = stream_resume,
    .stream_cancel = stream_cancel,
    .free = embedded_free,
};

static int embedded_new(struct kvs_client *c,
                        const void *arg,
                        struct client_backend **ret_backend,
                        struct kvs_error *ret_error)
{
    struct embedded *e = kvs_calloc(1, sizeof *e);
    int err;

    if (e == NULL) {
        return client_error_set(ret_error, KVS_E_NOMEM, NULL);
    }
    e->base = (struct client_backend){.ops = &embedded_ops, .client = c, .in_process = true};
    e->node = (struct kvs_node *)(uintptr_t)arg;
    err = loop_mbox_new(c->loop, embedded_home_cb, e, &e->home);
    if (err != 0) {
        kvs_free(e);
        return client_error_set(ret_error, err, NULL);
    }
    local_ref(e->node);
    *ret_backend = &e->base;
    return 0;
}

int kvs_client_open_node(struct kvs_node *node,
                         struct kvs_client **ret_client,
                         struct kvs_error *ret_error)
{
    struct kvs_client_options options;

    if (node == NULL) {
        return client_error_set(ret_error, KVS_E_INVALID, "no node is given");
    }
    kvs_client_options_init(&options);
    return client_open_backend(&options, embedded_new, node, ret_client, ret_error);
}
