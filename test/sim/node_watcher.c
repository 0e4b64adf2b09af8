/* Watches: clients that disconnect and resume, slow ones among them, and one observer a node. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/view.h"
#include "node_world.h"

static struct watched *watcher_add(struct watcher *v, enum watched_kind kind, kvs_revision revision)
{
    if (v->n_seen == v->capacity) {
        v->capacity = v->capacity > 0 ? v->capacity * 2 : 64;
        v->seen = kvs_realloc(v->seen, v->capacity * sizeof *v->seen);
        kvs_assert(v->seen != NULL);
    }
    v->seen[v->n_seen] = (struct watched){.kind = kind, .revision = revision};
    return &v->seen[v->n_seen++];
}

static void watcher_events(struct watcher *v, const struct watch_effect *effect)
{
    for (size_t i = effect->first; i < effect->first + effect->n_events; i++) {
        const struct kvs_event *e = &effect->payload->events[i]->event;
        struct watched *seen = watcher_add(v, WATCHED_EVENT, e->kv.mod_revision);

        seen->key = key_number(v->world, e->kv.key);
        seen->is_delete = e->type == KVS_EVENT_DELETE;
        seen->value = seen->is_delete ? 0 : load_le64(e->kv.value.data);
        if (e->kv.mod_revision < v->next) {
            sim_fail(&v->world->sim, "watcher %u got revision %" PRId64 " again", v->at,
                     e->kv.mod_revision);
        }
    }
    /* A response has whole revisions. */
    v->next = effect->payload->events[effect->first + effect->n_events - 1]->event.kv.mod_revision;
    v->next += effect->fragment ? 0 : 1;
}

static void watcher_drained(struct sim *s, struct sim_event *e)
{
    struct watcher *v = e->arg;

    (void)s;
    if (v->node != NULL && v->connection == e->number && v->undrained_bytes > 0) {
        size_t bytes = v->undrained_bytes;

        v->undrained_bytes = 0;
        node_watch_drained(v->node->node, &v->watch, bytes);
    }
}

static void watcher_send(struct node_watch *watch, const struct watch_effect *effect)
{
    struct watcher *v = container_of(watch, struct watcher, watch);
    struct sim *s = &v->world->sim;

    switch (effect->type) {
    case WATCH_EFFECT_CREATED:
        if (effect->reason != 0) {
            sim_fail(s, "watcher %u was refused: %s", v->at, kvs_strerror(effect->reason));
        }
        if (v->next == 0) {
            v->next = v->first = effect->revision + 1;
        }
        break;
    case WATCH_EFFECT_EVENTS:
        watcher_events(v, effect);
        break;
    case WATCH_EFFECT_PROGRESS:
        (void)watcher_add(v, WATCHED_PROGRESS, effect->revision);
        if (effect->revision >= v->next) {
            v->next = effect->revision + 1;
        }
        break;
    case WATCH_EFFECT_CANCELED:
        v->canceled = effect->reason != 0 ? effect->reason : KVS_E_WATCH_CANCELED;
        v->compacted = effect->compact_revision;
        break;
    case WATCH_EFFECT_COUNT:
    default:
        break;
    }
    if (v->undrained_bytes == 0) {
        sim_at(s, 100 + rng_below(&s->rng, 50000), watcher_drained, v->node, v, v->connection);
    }
    v->undrained_bytes += effect->cost_bytes;
}

void watcher_disconnect(struct watcher *v)
{
    if (v->node != NULL) {
        if (v->watch.stream != NULL) {
            node_watch_close(v->node->node, &v->watch);
        }
        v->node = NULL;
        v->connection++;
        v->undrained_bytes = 0;
    }
}

/* History from `next` on is gone: a real client would list again, from there on. */
static void watcher_skip(struct watcher *v)
{
    if (v->compacted == 0 || v->compacted <= v->next || v->compacted > v->world->compacted) {
        sim_fail(&v->world->sim,
                 "watcher %u at %" PRId64 " was canceled (%s) for a compaction to %" PRId64, v->at,
                 v->next, kvs_strerror(v->canceled), v->compacted);
    }
    (void)watcher_add(v, WATCHED_GAP, v->compacted);
    v->next = v->compacted;
    v->canceled = 0;
}

static void watcher_connect(struct watcher *v)
{
    struct sim_node *n = world_pick(v->world);
    const struct kvs_watch_create_req req = {
        .key = key_view(v->key),
        .range_end = v->key_end < KEYS ? key_view(v->key_end) : view_make("", 1),
        .start_revision = v->next,
        .progress_notify = true,
        .prev_kv = v->at % 2 == 0,
    };
    int err;

    if (n == NULL || node_watch_open(n->node, v->credit_bytes, &v->watch) != 0) {
        return;
    }
    v->node = n;
    err = node_watch_create(n->node, &v->watch, &req);
    if (err != 0) {
        sim_fail(&v->world->sim, "watcher %u: %s", v->at, kvs_strerror(err));
    }
}

static void watcher_step(struct sim *s, struct sim_event *e)
{
    struct watcher *v = e->arg;

    if (v->node != NULL && !sim_is_running(v->node)) {
        /* Waits for it, or for its end. */
    } else if (v->canceled != 0) {
        watcher_disconnect(v);
        watcher_skip(v);
    } else if (v->node == NULL) {
        watcher_connect(v);
    } else if (rng_percent(&s->rng, 10) && v->world->clients_on) {
        watcher_disconnect(v);
    } else if (rng_percent(&s->rng, 30) && node_watch_progress(v->node->node, &v->watch) != 0) {
        sim_fail(s, "watcher %u: no progress can be asked for", v->at);
    }
    sim_at(s, 20000 + rng_below(&s->rng, 300000), watcher_step, NULL, v, 0);
}

void watcher_start(struct watcher *v)
{
    struct rng *rng = &v->world->sim.rng;

    v->watch.send = watcher_send;
    v->key = rng_percent(rng, 50) ? 0 : (unsigned)rng_below(rng, KEYS - 1);
    v->key_end = v->key + 1 + (unsigned)rng_below(rng, KEYS - v->key);
    v->next = v->first = rng_percent(rng, 50) ? 1 : 0;
    v->credit_bytes = rng_percent(rng, 50) ? 256 : 1 << 20;
    sim_at(&v->world->sim, rng_below(rng, 3000000), watcher_step, NULL, v, 0);
}

/* --- the verdict --- */

struct verdict_at {
    kvs_revision revision;
    size_t event;
};

/* The next event of the truth that the watcher had to get, before `until`; NULL: none. */
static const struct truth_event *
watcher_expected(const struct watcher *v, struct verdict_at *at, kvs_revision until)
{
    const struct truth *t = &v->world->truth;

    while (at->revision < until && at->revision <= truth_last(t)) {
        const struct truth_revision *r = at->revision >= 2 ? &t->revisions[at->revision - 2] : NULL;

        while (r != NULL && at->event < r->n_events) {
            const struct truth_event *e = &r->events[at->event];

            if (e->key >= v->key && e->key < v->key_end) {
                return e;
            }
            at->event++;
        }
        at->revision++;
        at->event = 0;
    }
    return NULL;
}

static void
watcher_verdict_one(const struct watcher *v, struct verdict_at *at, const struct watched *seen)
{
    const struct sim *s = &v->world->sim;
    const struct truth_event *e;

    switch (seen->kind) {
    case WATCHED_GAP:
        if (seen->revision > at->revision) {
            *at = (struct verdict_at){seen->revision, 0};
        }
        break;
    case WATCHED_PROGRESS:
        if (watcher_expected(v, at, seen->revision + 1) != NULL) {
            sim_fail(s, "watcher %u was told progress to %" PRId64 " without revision %" PRId64,
                     v->at, seen->revision, at->revision);
        }
        break;
    case WATCHED_EVENT:
    default:
        e = watcher_expected(v, at, INT64_MAX);
        if (e == NULL || at->revision != seen->revision || e->key != seen->key ||
            e->is_delete != seen->is_delete || (!e->is_delete && e->kv.value != seen->value)) {
            sim_fail(s, "watcher %u got revision %" PRId64 " key %u, should get %" PRId64 " key %u",
                     v->at, seen->revision, seen->key, at->revision, e != NULL ? e->key : 0);
        }
        at->event++;
        break;
    }
}

void watcher_verdict(struct watcher *v)
{
    struct verdict_at at = {v->first, 0};

    for (size_t i = 0; i < v->n_seen; i++) {
        watcher_verdict_one(v, &at, &v->seen[i]);
    }
    if (v->first != 0 && watcher_expected(v, &at, INT64_MAX) != NULL) {
        sim_fail(&v->world->sim, "watcher %u never got revision %" PRId64, v->at, at.revision);
    }
}

/* --- observers --- */

static void observer_watch(struct observer *o);

static void observer_again(struct sim *s, struct sim_event *e)
{
    struct observer *o = e->arg;

    (void)s;
    if (o->open && o->canceled) {
        o->canceled = false;
        observer_watch(o);
    }
}

static void observer_events(struct observer *o, const struct watch_effect *effect)
{
    struct kvs_event events[TXN_EVENTS_MAX];
    size_t n = 0;

    for (size_t i = effect->first; i < effect->first + effect->n_events; i++) {
        const struct kvs_event *e = &effect->payload->events[i]->event;

        if (n > 0 && events[0].kv.mod_revision != e->kv.mod_revision) {
            truth_observe(o->world, o->node, events[0].kv.mod_revision, events, n);
            n = 0;
        }
        kvs_assert(n < ARRAY_LEN(events));
        events[n++] = *e;
    }
    truth_observe(o->world, o->node, events[0].kv.mod_revision, events, n);
}

static void observer_send(struct node_watch *watch, const struct watch_effect *effect)
{
    struct observer *o = container_of(watch, struct observer, watch);

    if (effect->type == WATCH_EFFECT_EVENTS) {
        observer_events(o, effect);
    } else if (effect->type == WATCH_EFFECT_CANCELED) {
        o->canceled = true; /* a snapshot skipped what is compacted now */
        sim_at(&o->world->sim, 0, observer_again, o->node, o, 0);
    }
}

static void observer_watch(struct observer *o)
{
    const struct kvs_watch_create_req req = {.key = view_make("", 1),
                                             .range_end = view_make("", 1)};

    if (node_watch_create(o->node->node, &o->watch, &req) != 0) {
        sim_fail(&o->world->sim, "node %u cannot be observed", o->node->at);
    }
}

void observer_open(struct observer *o)
{
    /* Past node_watch_open, which refuses learners. */
    o->watch.send = observer_send;
    o->watch.stream = watch_stream_open(node_watch_hub(o->node->node), (size_t)1 << 40, &o->watch);
    kvs_assert(o->watch.stream != NULL);
    o->open = true;
    o->canceled = false;
    observer_watch(o);
}

void observer_close(struct observer *o)
{
    if (o->open) {
        watch_stream_close(node_watch_hub(o->node->node), o->watch.stream);
        o->open = false;
    }
}
