/* The hub: streams, watchers and their states. Invariants:
 * 1. A SYNCED watcher was given every event of its range in [cursor, hub revision].
 * 2. A BEHIND watcher was given nothing at or above its cursor, which is <= the hub's revision, and
 *    is in exactly one of the hub's `behind` and its stream's `parked`.
 * 3. Every range of the index has a watcher. */
#include "watch/hub.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/sabotage.h"
#include "base/view.h"

#define FRAGMENT_BYTES_DEFAULT  ((size_t)1536 * 1024)
#define STREAM_WATCHERS_DEFAULT 100000

struct watch_hub *watch_hub_new(const struct watch_config *config)
{
    struct watch_hub *h = kvs_calloc(1, sizeof *h);

    if (h == NULL) {
        return NULL;
    }
    h->config = *config;
    if (h->config.fragment_bytes == 0) {
        h->config.fragment_bytes = FRAGMENT_BYTES_DEFAULT;
    }
    if (h->config.stream_watchers_max == 0) {
        h->config.stream_watchers_max = STREAM_WATCHERS_DEFAULT;
    }
    h->revision = config->revision;
    h->compacted = config->compacted;
    watch_index_init(&h->index, config->seed);
    list_init(&h->streams);
    list_init(&h->behind);
    list_init(&h->touched);
    return h;
}

void watch_hub_free(struct watch_hub *h)
{
    if (h == NULL) {
        return;
    }
    kvs_assert(list_empty(&h->streams));
    watch_index_fini(&h->index);
    watch_selections_free(h);
    kvs_free(h->copies);
    kvs_free(h);
}

/* --- Streams ---------------------------------------------------------------------------------- */

struct watch_stream *watch_stream_open(struct watch_hub *h, size_t credit_bytes, void *user)
{
    struct watch_stream *s = kvs_calloc(1, sizeof *s);

    if (s == NULL) {
        return NULL;
    }
    kvs_assert(credit_bytes > 0 && credit_bytes <= INT64_MAX);
    s->credit_bytes = (int64_t)credit_bytes;
    s->user = user;
    map_init(&s->by_id);
    list_init(&s->watchers);
    list_init(&s->parked);
    list_push_back(&h->streams, &s->in_hub);
    h->n_streams++;
    return s;
}

void watch_stream_close(struct watch_hub *h, struct watch_stream *s)
{
    LIST_FOREACH_SAFE(at, after, &s->watchers)
    {
        watcher_free(h, list_entry(at, struct watcher, in_stream));
    }
    kvs_assert(list_empty(&s->parked) && s->by_id.count == 0);
    list_remove(&s->in_hub);
    h->n_streams--;
    map_fini(&s->by_id);
    kvs_free(s);
}

void *watch_stream_user(const struct watch_stream *s)
{
    return s->user;
}

size_t watch_stream_count(const struct watch_stream *s)
{
    return s->by_id.count;
}

void watch_stream_return(struct watch_hub *h, struct watch_stream *s, size_t bytes)
{
    s->credit_bytes += (int64_t)bytes;
    if (watch_stream_has_room(s)) {
        list_splice_back(&h->behind, &s->parked);
    }
}

static bool watcher_is_current(const struct watch_hub *h, const struct watcher *w)
{
    return w->state == WATCHER_SYNCED && w->cursor <= h->revision + 1;
}

int watch_stream_tick(struct watch_hub *h, struct watch_stream *s, struct watch_effects *effects)
{
    LIST_FOREACH(at, &s->watchers)
    {
        struct watcher *w = list_entry(at, struct watcher, in_stream);
        struct watch_effect effect = {
            .type = WATCH_EFFECT_PROGRESS, .watch_id = w->id, .revision = h->revision};

        if (w->progress_notify && !w->got_events && watcher_is_current(h, w) &&
            watch_stream_has_room(s)) {
            int err = watch_emit(effects, s, &effect);

            if (err != 0) {
                return err;
            }
        }
        w->got_events = false;
    }
    return 0;
}

int watch_stream_progress(struct watch_hub *h,
                          struct watch_stream *s,
                          struct watch_effects *effects)
{
    struct watch_effect effect = {
        .type = WATCH_EFFECT_PROGRESS, .watch_id = WATCH_ID_NONE, .revision = h->revision};

    if (!watch_stream_has_room(s)) {
        return 0;
    }
    LIST_FOREACH(at, &s->watchers)
    {
        if (!watcher_is_current(h, list_entry(at, struct watcher, in_stream))) {
            return 0;
        }
    }
    return watch_emit(effects, s, &effect);
}

/* --- Watchers --------------------------------------------------------------------------------- */

void watcher_set_behind(struct watch_hub *h, struct watcher *w, kvs_revision cursor)
{
    struct watch_stream *s = w->stream;

    kvs_assert(w->state == WATCHER_SYNCED && cursor <= h->revision);
    kvs_assert(cursor >= w->cursor);
    w->state = WATCHER_BEHIND;
    w->cursor = cursor;
    w->range->n_behind++;
    h->n_behind++;
    list_push_back(watch_stream_has_room(s) ? &h->behind : &s->parked, &w->in_behind);
}

static void watcher_leave_behind(struct watch_hub *h, struct watcher *w)
{
    list_remove(&w->in_behind);
    w->range->n_behind--;
    h->n_behind--;
}

void watcher_set_synced(struct watch_hub *h, struct watcher *w, kvs_revision cursor)
{
    kvs_assert(w->state == WATCHER_BEHIND && cursor == h->revision + 1);
    watcher_leave_behind(h, w);
    w->state = WATCHER_SYNCED;
    w->cursor = cursor;
}

void watcher_free(struct watch_hub *h, struct watcher *w)
{
    struct watch_range *r = w->range;

    if (w->state == WATCHER_BEHIND) {
        watcher_leave_behind(h, w);
    }
    if ((w->options & WATCH_CLASS_PREV_KV) != 0) {
        h->n_prev_kv--;
    }
    h->n_watchers--;
    list_remove(&w->in_range);
    list_remove(&w->in_stream);
    kvs_assert(map_remove(&w->stream->by_id, (uint64_t)w->id) == w);
    r->n_watchers--;
    if (r->n_watchers == 0) {
        watch_index_remove(&h->index, r);
    }
    kvs_free(w);
}

int watcher_cancel_compacted(struct watch_hub *h, struct watcher *w, struct watch_effects *effects)
{
    /* Without a revision in the header, as etcd. */
    struct watch_effect effect = {
        .type = WATCH_EFFECT_CANCELED, .watch_id = w->id, .compact_revision = h->compacted};
    int err = watch_emit(effects, w->stream, &effect);

    if (err == 0) {
        watcher_free(h, w);
    }
    return err;
}

/* 0, or why the request is refused. */
static int create_check(const struct watch_hub *h,
                        const struct watch_stream *s,
                        const struct watch_create *create,
                        struct kvs_view key)
{
    bool bounded = create->range_end.len > 0 && !view_is_open_end(create->range_end);

    if (create->start_revision < 0) {
        return KVS_E_COMPACTED;
    }
    if (bounded && view_compare(key, create->range_end) >= 0) {
        return KVS_E_WATCH_EMPTY_RANGE;
    }
    if (create->watch_id != 0 && map_get(&s->by_id, (uint64_t)create->watch_id) != NULL) {
        return KVS_E_WATCH_DUPLICATE_ID;
    }
    if (s->by_id.count >= h->config.stream_watchers_max) {
        return KVS_E_TOO_MANY_REQUESTS;
    }
    return 0;
}

static int64_t stream_choose_id(struct watch_stream *s, int64_t asked)
{
    if (asked != 0) {
        return asked;
    }
    while (map_get(&s->by_id, (uint64_t)s->id_next) != NULL) {
        s->id_next++;
    }
    return s->id_next;
}

/* Links a new watcher, SYNCED from its first revision on. NULL: out of memory, nothing changed. */
static struct watcher *watcher_new(struct watch_hub *h,
                                   struct watch_stream *s,
                                   const struct watch_create *create,
                                   struct kvs_view key)
{
    struct watcher *w = kvs_calloc(1, sizeof *w);
    struct watch_range *r;

    if (w == NULL) {
        return NULL;
    }
    r = watch_index_get(&h->index, key, create->range_end);
    if (r == NULL) {
        goto err_free;
    }
    w->range = r;
    w->stream = s;
    w->id = stream_choose_id(s, create->watch_id);
    w->cursor = create->start_revision > 0 ? create->start_revision : h->revision + 1;
    w->options = (uint8_t)(create->filters & (WATCH_FILTER_NOPUT | WATCH_FILTER_NODELETE));
    w->progress_notify = create->progress_notify;
    w->fragment = create->fragment;
    if (map_put(&s->by_id, (uint64_t)w->id, w) != 0) {
        goto err_range;
    }
    if (create->watch_id == 0) {
        s->id_next = w->id + 1;
    }
    if (create->prev_kv) {
        w->options |= WATCH_CLASS_PREV_KV;
        h->n_prev_kv++;
    }
    list_init(&w->in_behind);
    list_push_back(&s->watchers, &w->in_stream);
    list_push_back(&r->watchers, &w->in_range);
    r->n_watchers++;
    h->n_watchers++;
    return w;

err_range:
    if (r->n_watchers == 0) {
        watch_index_remove(&h->index, r);
    }
err_free:
    kvs_free(w);
    return NULL;
}

int watch_create(struct watch_hub *h,
                 struct watch_stream *s,
                 const struct watch_create *create,
                 struct watch_effects *effects)
{
    struct kvs_view key = create->key.len > 0 ? create->key : view_make("", 1);
    struct watch_effect created = {
        .type = WATCH_EFFECT_CREATED, .watch_id = WATCH_ID_NONE, .revision = h->revision};
    struct watcher *w;

    if (watch_effects_reserve(effects, 2) != 0) {
        return KVS_E_NOMEM;
    }
    created.reason = create_check(h, s, create, key);
    if (created.reason != 0) {
        return watch_emit(effects, s, &created);
    }
    w = watcher_new(h, s, create, key);
    if (w == NULL) {
        return KVS_E_NOMEM;
    }
    created.watch_id = w->id;
    (void)watch_emit(effects, s, &created); /* room was reserved, for a cancellation as well */
    if (w->cursor < h->compacted + sabotaged(SABOTAGE_WATCH_COMPACTED_EARLY)) {
        (void)watcher_cancel_compacted(h, w, effects);
    } else if (w->cursor <= h->revision) {
        watcher_set_behind(h, w, w->cursor + sabotaged(SABOTAGE_WATCH_RESUMED_LATE));
    }
    return 0;
}

int watch_cancel(struct watch_hub *h,
                 struct watch_stream *s,
                 int64_t watch_id,
                 struct watch_effects *effects)
{
    struct watcher *w = map_get(&s->by_id, (uint64_t)watch_id);
    struct watch_effect effect = {
        .type = WATCH_EFFECT_CANCELED, .watch_id = watch_id, .revision = h->revision};
    int err;

    if (w == NULL) {
        return 0;
    }
    err = watch_emit(effects, s, &effect);
    if (err == 0) {
        watcher_free(h, w);
    }
    return err;
}

/* --- The store's other news ------------------------------------------------------------------- */

void watch_on_compact(struct watch_hub *h, kvs_revision revision, struct watch_effects *effects)
{
    kvs_assert(revision >= h->compacted);
    h->compacted = revision;
    if (h->n_behind == 0) {
        return;
    }
    LIST_FOREACH(stream, &h->streams)
    {
        struct watch_stream *s = list_entry(stream, struct watch_stream, in_hub);

        LIST_FOREACH_SAFE(at, after, &s->watchers)
        {
            struct watcher *w = list_entry(at, struct watcher, in_stream);

            if (w->state == WATCHER_BEHIND && w->cursor < revision) {
                /* Without memory it stays, and catching up comes to the same end. */
                (void)watcher_cancel_compacted(h, w, effects);
            }
        }
    }
}

/* A SYNCED watcher has seen all of the old state; it continues where that ended. */
static void watcher_reset(struct watch_hub *h, struct watcher *w, kvs_revision seen)
{
    kvs_revision next = w->cursor > seen ? w->cursor : seen + 1;

    if (w->state == WATCHER_SYNCED && next <= h->revision) {
        watcher_set_behind(h, w, next);
    }
}

void watch_hub_reset(struct watch_hub *h,
                     kvs_revision revision,
                     kvs_revision compacted,
                     struct watch_effects *effects)
{
    kvs_revision seen = h->revision;

    kvs_assert(revision >= seen && compacted >= h->compacted && compacted <= revision);
    h->revision = revision;
    LIST_FOREACH(stream, &h->streams)
    {
        struct watch_stream *s = list_entry(stream, struct watch_stream, in_hub);

        LIST_FOREACH(at, &s->watchers)
        {
            watcher_reset(h, list_entry(at, struct watcher, in_stream), seen);
        }
    }
    watch_on_compact(h, compacted, effects);
}

void watch_stats(const struct watch_hub *h, struct watch_stats *ret_stats)
{
    *ret_stats = (struct watch_stats){
        .n_streams = h->n_streams,
        .n_watchers = h->n_watchers,
        .n_behind = h->n_behind,
        .n_ranges = h->index.n_keys + h->index.n_ranges,
        .n_events_sent = h->n_events_sent,
    };
}

static void watcher_check(const struct watch_hub *h, const struct watcher *w)
{
    kvs_assert(map_get(&w->stream->by_id, (uint64_t)w->id) == w);
    kvs_assert(w->options < WATCH_CLASS_COUNT);
    if (w->state == WATCHER_BEHIND) {
        kvs_assert(w->cursor <= h->revision && !list_empty(&w->in_behind));
    } else {
        kvs_assert(list_empty(&w->in_behind));
    }
}

void watch_hub_check(const struct watch_hub *h)
{
    size_t n_watchers = 0;
    size_t n_behind = 0;

    watch_index_check(&h->index);
    kvs_assert(h->n_copies == 0 && list_empty(&h->touched));
    LIST_FOREACH(stream, &h->streams)
    {
        const struct watch_stream *s = list_entry(stream, struct watch_stream, in_hub);

        LIST_FOREACH(at, &s->watchers)
        {
            const struct watcher *w = list_entry(at, struct watcher, in_stream);

            kvs_assert(w->stream == s);
            watcher_check(h, w);
            n_watchers++;
            n_behind += w->state == WATCHER_BEHIND;
        }
    }
    kvs_assert(n_watchers == h->n_watchers && n_behind == h->n_behind);
}
