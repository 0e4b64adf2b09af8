/* Watchers that are behind. History is read in slices, each one once for all watchers whose cursor
 * lies in it, whatever their ranges: the cost is that of the history, not of the watchers times the
 * history. Cursors that meet in a slice stay together afterwards. */
#include "base/assert.h"
#include "watch/hub.h"

static struct watcher *behind_watcher(struct list *node)
{
    return list_entry(node, struct watcher, in_behind);
}

/* Takes out who cannot be served: streams without room, cursors that compaction has passed. */
static int behind_sift(struct watch_hub *h, struct watch_effects *effects)
{
    LIST_FOREACH_SAFE(at, after, &h->behind)
    {
        struct watcher *w = behind_watcher(at);

        if (w->cursor < h->compacted) {
            int err = watcher_cancel_compacted(h, w, effects);

            if (err != 0) {
                return err;
            }
        } else if (!watch_stream_has_room(w->stream)) {
            list_remove(&w->in_behind);
            list_push_back(&w->stream->parked, &w->in_behind);
        }
    }
    return 0;
}

static int slice_visit(void *ctx, const struct kvs_event *event)
{
    return watch_select(ctx, event, true);
}

/* The part of its range's selection that the watcher has not yet seen. Owned reference in
 * `ret_payload`, NULL if there is nothing for it. */
static int slice_payload(struct watcher *w, struct watch_payload **ret_payload)
{
    const struct watch_selection *s = w->range->selection;
    size_t first = 0;
    struct watch_payload *p;

    *ret_payload = NULL;
    if (s == NULL || s->n_events == 0) {
        return 0;
    }
    while (first < s->n_events && s->events[first]->event.kv.mod_revision < w->cursor) {
        first++;
    }
    if (first == 0) {
        p = watch_range_payload(w->range, w->options);
        *ret_payload = p != NULL ? watch_payload_ref(p) : NULL;
    } else {
        p = watch_payload_new(s->events + first, s->n_events - first, w->options);
        *ret_payload = p;
    }
    return p != NULL ? 0 : KVS_E_NOMEM;
}

/* Gives the watcher what the slice [.., next) has for it and moves its cursor. */
static int slice_deliver(struct watch_hub *h,
                         struct watcher *w,
                         kvs_revision next,
                         struct watch_effects *effects)
{
    struct watch_payload *payload;
    int err = slice_payload(w, &payload);

    if (err == 0 && payload != NULL) {
        err = watch_emit_events(h, w, payload, h->revision, effects);
        watch_payload_unref(payload);
    }
    if (err != 0) {
        return err;
    }
    if (next > h->revision) {
        watcher_set_synced(h, w, next);
    } else {
        w->cursor = next;
        list_remove(&w->in_behind);
        list_push_back(&h->behind, &w->in_behind); /* The others first. */
    }
    return 0;
}

static int slice_deliver_all(struct watch_hub *h,
                             kvs_revision from,
                             kvs_revision next,
                             struct watch_effects *effects)
{
    struct list waiting;
    int err = 0;

    list_init(&waiting);
    list_splice_back(&waiting, &h->behind);
    LIST_FOREACH_SAFE(at, after, &waiting)
    {
        struct watcher *w = behind_watcher(at);
        bool concerned = w->cursor >= from && w->cursor < next;

        /* Earlier deliveries of this slice may have filled the stream. */
        if (err == 0 && concerned && watch_stream_has_room(w->stream)) {
            err = slice_deliver(h, w, next, effects);
        }
    }
    /* Those left were not served: they come before those that were. */
    list_splice_back(&waiting, &h->behind);
    list_splice_back(&h->behind, &waiting);
    return err;
}

bool watch_has_work(const struct watch_hub *h)
{
    return !list_empty(&h->behind);
}

int watch_catch_up(struct watch_hub *h, size_t max_bytes, struct watch_effects *effects)
{
    kvs_revision until = h->revision + 1;
    kvs_revision next = 0;
    kvs_revision from;
    int err = behind_sift(h, effects);

    if (err != 0 || list_empty(&h->behind)) {
        return err;
    }
    from = behind_watcher(h->behind.next)->cursor;
    kvs_assert(from < until);
    err = h->config.source.read(h->config.source.ctx, from, until, max_bytes, h->n_prev_kv > 0,
                                slice_visit, h, &next);
    if (err == 0) {
        kvs_assert(next > from && next <= until);
        err = slice_deliver_all(h, from, next, effects);
    }
    watch_select_end(h);
    return err;
}
