/* Watch streams: the hub decides who gets what; its effects are carried out here, in order, before
 * the hub is called again. */
#include "base/assert.h"
#include "node/node_int.h"
#include "watch/source_mvcc.h"

int node_watch_init(struct node *n)
{
    const struct watch_config config = {
        .source = watch_source_mvcc(n->mvcc),
        .revision = mvcc_revision(n->mvcc),
        .compacted = mvcc_compact_revision(n->mvcc),
        .fragment_bytes = n->config.max_request_bytes,
        .seed = rng_next(&n->rng),
    };

    watch_effects_init(&n->effects);
    watch_effects_init(&n->effects_spare);
    n->hub = watch_hub_new(&config);
    return n->hub != NULL ? 0 : KVS_E_NOMEM;
}

/* --- effects --- */

void node_watch_drain(struct node *n)
{
    struct watch_effects now;

    /* Two lists change places, so that their memory is kept. A send may give credit back, which is
     * a call into the hub that yields effects of its own: those are taken in the next round. */
    if (n->draining_effects) {
        return;
    }
    n->draining_effects = true;
    while (n->effects.len > 0) {
        now = n->effects;
        n->effects = n->effects_spare;
        for (size_t i = 0; i < now.len; i++) {
            struct node_watch *w = watch_stream_user(now.items[i].stream);

            w->send(w, &now.items[i]);
        }
        watch_effects_clear(&now);
        n->effects_spare = now;
    }
    n->draining_effects = false;
}

void node_watch_catch_up(struct node *n)
{
    int err;

    if (!watch_has_work(n->hub)) {
        return;
    }
    err = watch_catch_up(n->hub, NODE_CATCH_UP_BYTES, &n->effects);
    node_watch_drain(n);
    if (err != 0 && kvs_err_is_fatal(err)) {
        node_fail(n, err, "history cannot be read");
    } else if (watch_has_work(n->hub)) {
        n->env.wake(n->env.ctx);
    }
}

void node_watch_tick(struct node *n, uint64_t now_ms)
{
    if (now_ms < n->progress_due_ms) {
        return;
    }
    n->progress_due_ms = now_ms + n->config.progress_notify_ms;
    LIST_FOREACH_SAFE(it, after, &n->watches)
    {
        struct node_watch *w = list_entry(it, struct node_watch, link);

        if (watch_stream_tick(n->hub, w->stream, &n->effects) != 0) {
            log_warn(n->env.log, "out of memory: progress notices left out until the next time");
        }
        node_watch_drain(n);
    }
}

/* --- streams --- */

int node_watch_open(struct node *n, size_t credit_bytes, struct node_watch *w)
{
    int err = node_read_check(n, false);

    if (err != 0) {
        return err;
    }
    w->stream = watch_stream_open(n->hub, credit_bytes, w);
    if (w->stream == NULL) {
        return KVS_E_NOMEM;
    }
    list_push_back(&n->watches, &w->link);
    return 0;
}

void node_watch_close(struct node *n, struct node_watch *w)
{
    kvs_assert(!n->draining_effects);
    list_remove(&w->link);
    watch_stream_close(n->hub, w->stream);
    w->stream = NULL;
}

int node_watch_create(struct node *n, struct node_watch *w, const struct kvs_watch_create_req *req)
{
    const struct watch_create create = {
        .key = req->key,
        .range_end = req->range_end,
        .start_revision = req->start_revision,
        .watch_id = req->watch_id,
        .filters = ((req->filters & KVS_WATCH_NO_PUT) != 0 ? WATCH_FILTER_NOPUT : 0u) |
                   ((req->filters & KVS_WATCH_NO_DELETE) != 0 ? WATCH_FILTER_NODELETE : 0u),
        .prev_kv = req->prev_kv,
        .progress_notify = req->progress_notify,
        .fragment = req->fragment,
    };
    int err = watch_create(n->hub, w->stream, &create, &n->effects);

    node_watch_drain(n);
    if (watch_has_work(n->hub)) {
        n->env.wake(n->env.ctx);
    }
    return err;
}

int node_watch_cancel(struct node *n, struct node_watch *w, int64_t watch_id)
{
    int err = watch_cancel(n->hub, w->stream, watch_id, &n->effects);

    node_watch_drain(n);
    return err;
}

int node_watch_progress(struct node *n, struct node_watch *w)
{
    int err = watch_stream_progress(n->hub, w->stream, &n->effects);

    node_watch_drain(n);
    return err;
}

void node_watch_drained(struct node *n, struct node_watch *w, size_t bytes)
{
    watch_stream_return(n->hub, w->stream, bytes);
    if (watch_has_work(n->hub)) {
        n->env.wake(n->env.ctx);
    }
}
