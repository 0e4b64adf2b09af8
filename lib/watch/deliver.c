/* From events to responses: selection by range, shared payloads, fragments; the live path. */
#include "base/alloc.h"
#include "base/assert.h"
#include "watch/hub.h"

#define SELECTIONS_KEEP 64 /* between commits */
#define SELECTED_KEEP   16 /* events that one of them keeps room for */

struct select_call {
    struct watch_hub *hub;
    const struct kvs_event *event;
    struct watch_event *copy; /* made for the first range that wants it */
    bool only_behind;
    int status;
};

static struct watch_event *hub_copy_event(struct watch_hub *h, const struct kvs_event *event)
{
    if (h->n_copies == h->copies_capacity) {
        size_t capacity = h->copies_capacity > 0 ? h->copies_capacity * 2 : 16;
        struct watch_event **copies = kvs_realloc(h->copies, capacity * sizeof *copies);

        if (copies == NULL) {
            return NULL;
        }
        h->copies = copies;
        h->copies_capacity = capacity;
    }
    h->copies[h->n_copies] = watch_event_new(event, h->n_prev_kv > 0);
    return h->copies[h->n_copies] != NULL ? h->copies[h->n_copies++] : NULL;
}

static struct watch_selection *selection_new(struct watch_hub *h)
{
    struct watch_selection *s = h->free_selections;

    if (s == NULL) {
        return kvs_calloc(1, sizeof *s);
    }
    h->free_selections = s->next;
    h->n_free_selections--;
    s->next = NULL;
    return s;
}

static void selection_free(struct watch_selection *s)
{
    kvs_free(s->events);
    kvs_free(s);
}

static void selection_end(struct watch_hub *h, struct watch_selection *s)
{
    for (size_t i = 0; i < WATCH_CLASS_COUNT; i++) {
        watch_payload_unref(s->shared[i]);
        s->shared[i] = NULL;
    }
    s->n_events = 0;
    if (s->capacity > SELECTED_KEEP || h->n_free_selections >= SELECTIONS_KEEP) {
        selection_free(s);
        return;
    }
    s->next = h->free_selections;
    h->free_selections = s;
    h->n_free_selections++;
}

void watch_selections_free(struct watch_hub *h)
{
    while (h->free_selections != NULL) {
        struct watch_selection *s = h->free_selections;

        h->free_selections = s->next;
        selection_free(s);
    }
    h->n_free_selections = 0;
}

static int selection_add(struct watch_selection *s, struct watch_event *event)
{
    if (s->n_events == s->capacity) {
        size_t capacity = s->capacity > 0 ? s->capacity * 2 : 1;
        struct watch_event **events = kvs_realloc(s->events, capacity * sizeof *events);

        if (events == NULL) {
            return KVS_E_NOMEM;
        }
        s->events = events;
        s->capacity = capacity;
    }
    s->events[s->n_events++] = event;
    return 0;
}

static int range_select(struct watch_hub *h, struct watch_range *r, struct watch_event *event)
{
    if (event == NULL) {
        return KVS_E_NOMEM;
    }
    if (r->selection == NULL) {
        r->selection = selection_new(h);
    }
    return r->selection != NULL ? selection_add(r->selection, event) : KVS_E_NOMEM;
}

static void select_visit(void *ctx, struct watch_range *r)
{
    struct select_call *call = ctx;

    if (call->only_behind && r->n_behind == 0) {
        return;
    }
    if (list_empty(&r->touched)) {
        list_push_back(&call->hub->touched, &r->touched);
    }
    if (call->copy == NULL) {
        call->copy = hub_copy_event(call->hub, call->event);
    }
    if (range_select(call->hub, r, call->copy) != 0) {
        r->lost = true;
        call->status = KVS_E_NOMEM;
    }
}

int watch_select(struct watch_hub *h, const struct kvs_event *event, bool only_behind)
{
    struct select_call call = {.hub = h, .event = event, .only_behind = only_behind};

    watch_index_find(&h->index, event->kv.key, select_visit, &call);
    return call.status;
}

static void range_select_end(struct watch_hub *h, struct watch_range *r)
{
    if (r->selection != NULL) {
        selection_end(h, r->selection);
        r->selection = NULL;
    }
    r->lost = false;
}

void watch_select_end(struct watch_hub *h)
{
    struct list *node;

    while ((node = list_pop_front(&h->touched)) != NULL) {
        range_select_end(h, list_entry(node, struct watch_range, touched));
    }
    for (size_t i = 0; i < h->n_copies; i++) {
        watch_event_unref(h->copies[i]);
    }
    h->n_copies = 0;
}

struct watch_payload *watch_range_payload(struct watch_range *r, unsigned options)
{
    struct watch_selection *s = r->selection;

    kvs_assert(options < WATCH_CLASS_COUNT && s != NULL && s->n_events > 0);
    if (s->shared[options] == NULL) {
        s->shared[options] = watch_payload_new(s->events, s->n_events, options);
    }
    return s->shared[options];
}

int watch_emit(struct watch_effects *effects,
               struct watch_stream *s,
               const struct watch_effect *effect)
{
    struct watch_effect *added;

    if (watch_effects_reserve(effects, 1) != 0) {
        return KVS_E_NOMEM;
    }
    added = watch_effects_add(effects, effect);
    added->stream = s;
    added->cost_bytes = WATCH_RESPONSE_BYTES;
    s->credit_bytes -= (int64_t)added->cost_bytes;
    return 0;
}

/* How many events from `first` on fit into `max_bytes`; at least one. */
static size_t
payload_fit(const struct watch_payload *p, size_t first, size_t max_bytes, size_t *ret_bytes)
{
    size_t n = 0;
    size_t sum = 0;

    while (first + n < p->n_events) {
        size_t bytes = p->events[first + n]->bytes[p->prev_kv];

        if (n > 0 && sum + bytes > max_bytes) {
            break;
        }
        sum += bytes;
        n++;
    }
    *ret_bytes = sum;
    return n;
}

int watch_emit_events(struct watch_hub *h,
                      struct watcher *w,
                      struct watch_payload *payload,
                      kvs_revision revision,
                      struct watch_effects *effects)
{
    size_t max_bytes = w->fragment ? h->config.fragment_bytes : SIZE_MAX;
    size_t n_before = effects->len;
    size_t cost = 0;

    for (size_t at = 0; at < payload->n_events;) {
        size_t bytes;
        size_t n = payload_fit(payload, at, max_bytes, &bytes);
        struct watch_effect effect = {
            .type = WATCH_EFFECT_EVENTS,
            .stream = w->stream,
            .watch_id = w->id,
            .revision = revision,
            .cost_bytes = bytes + WATCH_RESPONSE_BYTES,
            .payload = payload,
            .first = at,
            .n_events = n,
            .fragment = at + n < payload->n_events,
        };

        if (watch_effects_reserve(effects, 1) != 0) {
            effects->len = n_before; /* All fragments or none. */
            return KVS_E_NOMEM;
        }
        watch_effects_add(effects, &effect);
        cost += effect.cost_bytes;
        at += n;
    }
    for (size_t i = n_before; i < effects->len; i++) {
        watch_payload_ref(payload);
    }
    w->stream->credit_bytes -= (int64_t)cost;
    w->got_events = w->got_events || effects->len > n_before;
    h->n_events_sent += payload->n_events;
    return 0;
}

/* Delivers the present revision to one watcher, or leaves it behind. */
static void watcher_deliver(struct watch_hub *h, struct watcher *w, struct watch_effects *effects)
{
    struct watch_payload *payload;

    if (w->state != WATCHER_SYNCED || w->cursor > h->revision) {
        return;
    }
    if (!w->range->lost && watch_stream_has_room(w->stream)) {
        payload = watch_range_payload(w->range, w->options);
        if (payload != NULL && watch_emit_events(h, w, payload, h->revision, effects) == 0) {
            return;
        }
    }
    watcher_set_behind(h, w, h->revision);
}

void watch_on_commit(struct watch_hub *h,
                     kvs_revision revision,
                     const struct kvs_event *events,
                     size_t n_events,
                     struct watch_effects *effects)
{
    kvs_assert(revision == h->revision + 1);
    kvs_assert(n_events > 0);
    h->revision = revision;
    if (h->n_watchers == 0) {
        return;
    }
    for (size_t i = 0; i < n_events; i++) {
        /* What does not fit into memory marks its range as lost, which is looked at below. */
        (void)watch_select(h, &events[i], false);
    }
    LIST_FOREACH(at, &h->touched)
    {
        struct watch_range *r = list_entry(at, struct watch_range, touched);

        LIST_FOREACH(node, &r->watchers)
        {
            watcher_deliver(h, list_entry(node, struct watcher, in_range), effects);
        }
    }
    watch_select_end(h);
}
