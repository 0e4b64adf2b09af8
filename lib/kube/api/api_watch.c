/* Watches: a cursor into the resource's cache, and a response that never ends by itself.
 *
 *   WAITING --the cache is there--> INITIAL --all sent--> FOLLOWING --> closed
 *      (resourceVersion)           (none or 0: what there is, as ADDED)
 *
 * A client that does not read is not buffered for: its cursor stays where it is, and when the
 * window has passed it, it is told 410 and has to list again. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/rand.h"
#include "base/view.h"
#include "kube/api/api_int.h"

enum {
    BOOKMARK_MS = 60 * 1000,
    TIMEOUT_LEAST_S = 1800, /* without timeoutSeconds: this to twice this, as kube-apiserver */
};

struct api_watch {
    struct list node; /* of the server */
    struct api_call *call;
    struct api_filter filter;
    struct api_fresh fresh;
    struct kube_cache *cache;
    struct kube_cache_watch watch;
    bool watching; /* the cursor is set */
    uint64_t revision;
    struct kube_item **items; /* of the beginning */
    size_t n;
    size_t at;
    bool initial_told; /* the bookmark that ends the beginning, if one was asked for */
    struct loop_timer bookmark;
    struct loop_timer timeout;
    bool closed;
};

static void api_watch_pump(struct api_watch *w);

/* --- frames -------------------------------------------------------------------------------------
 */

/* {"type":"ADDED","object":...}; false when nothing more is to be sent. */
static bool api_watch_frame(struct api_watch *w, const char *type, struct kvs_view object)
{
    struct rpc_call *call = w->call->call;
    char head[48];
    int len = snprintf(head, sizeof head, "{\"type\":\"%s\",\"object\":", type);

    return rpc_http_write(call, view_make(head, (size_t)len)) == 0 &&
           rpc_http_write(call, object) == 0 && rpc_http_write(call, view_str("}\n")) == 0;
}

static bool api_watch_object(struct api_watch *w, const char *type, struct kube_item *item)
{
    struct buf table;
    bool ok;

    if (w->call->format != API_TABLE) {
        return api_watch_frame(w, type, rcbuf_view(item->json));
    }
    buf_init(&table);
    api_table_write(w->call, &item, 1, item->revision, &table);
    ok = !table.failed && api_watch_frame(w, type, buf_view(&table));
    buf_fini(&table);
    return ok;
}

static bool api_watch_status(struct api_watch *w, const char *message)
{
    struct kube_status status;
    struct buf json;
    bool ok;

    kube_status_init(&status);
    buf_init(&json);
    kube_status_expired(&status, "%s", message);
    kube_status_write(&status, &json);
    ok = !json.failed && api_watch_frame(w, "ERROR", buf_view(&json));
    buf_fini(&json);
    kube_status_fini(&status);
    return ok;
}

static bool api_watch_send_bookmark(struct api_watch *w, bool initial)
{
    const struct kube_resource *r = w->call->route.resource;
    char text[384];
    int len =
        snprintf(text, sizeof text,
                 "{\"kind\":\"%s\",\"apiVersion\":\"%s%s%s\",\"metadata\":"
                 "{\"resourceVersion\":\"%" PRIu64 "\",\"creationTimestamp\":null%s}}",
                 r->kind, r->group, r->group[0] == '\0' ? "" : "/", r->version, w->cache->revision,
                 initial ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");

    return api_watch_frame(w, "BOOKMARK", view_make(text, (size_t)len));
}

/* --- events -------------------------------------------------------------------------------------
 */

/* What an event means to somebody who sees only what matches. NULL: nothing. */
static const char *api_watch_type(const struct api_watch *w, const struct kube_event *e)
{
    bool was = e->prev != NULL && api_filter_matches(&w->filter, e->prev);
    bool is = e->type != KUBE_EVENT_DELETED && api_filter_matches(&w->filter, e->item);

    return is ? (was ? "MODIFIED" : "ADDED") : was ? "DELETED" : NULL;
}

/* False when there is nothing to send now, or for good. */
static bool api_watch_next(struct api_watch *w)
{
    const struct kube_event *e = kube_cache_watch_next(w->cache, &w->watch);
    const char *type;

    if (e == NULL && kube_cache_watch_expired(w->cache, &w->watch)) {
        if (api_watch_status(w, "The resourceVersion for the provided watch is too old.")) {
            rpc_http_end(w->call->call);
        }
        return false;
    }
    if (e == NULL) {
        return false;
    }
    w->revision = e->revision;
    type = api_watch_type(w, e);
    return type == NULL || api_watch_object(w, type, e->item);
}

static bool api_watch_next_initial(struct api_watch *w)
{
    if (w->at < w->n) {
        return api_watch_object(w, "ADDED", w->items[w->at++]);
    }
    if (!w->initial_told) {
        w->initial_told = true;
        return api_watch_send_bookmark(w, true);
    }
    return api_watch_next(w);
}

static void api_watch_pump(struct api_watch *w)
{
    while (rpc_stream_queued(w->call->call) < RPC_QUEUE_HIGH) {
        if (!api_watch_next_initial(w)) {
            return;
        }
    }
}

static void api_watch_readable(struct kube_cache_watch *cursor)
{
    api_watch_pump(container_of(cursor, struct api_watch, watch));
}

static void api_watch_writable(struct rpc_call *call)
{
    api_watch_pump(rpc_call_user(call));
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void api_watch_free(struct api_watch *w)
{
    if (w->watching) {
        kube_cache_watch_close(&w->watch);
    }
    for (size_t i = 0; i < w->n; i++) {
        kube_item_unref(w->items[i]);
    }
    loop_timer_stop(&w->bookmark);
    loop_timer_stop(&w->timeout);
    list_remove(&w->node);
    api_filter_fini(&w->filter);
    kvs_free(w);
}

static void api_watch_closed(struct rpc_call *call, bool canceled)
{
    (void)canceled;
    api_watch_free(rpc_call_user(call));
}

static void api_watch_due_bookmark(struct loop_timer *t)
{
    struct api_watch *w = container_of(t, struct api_watch, bookmark);

    if (w->watch.waiting) { /* else events are on their way, and tell the revision */
        (void)api_watch_send_bookmark(w, false);
    }
}

static void api_watch_due_timeout(struct loop_timer *t)
{
    struct api_watch *w = container_of(t, struct api_watch, timeout);

    rpc_http_end(w->call->call);
}

static void api_watch_start_timers(struct api_watch *w)
{
    struct loop *l = w->call->api->loop;
    struct rng rng;
    uint64_t timeout_s = w->call->query.timeout_s;

    if (timeout_s == 0) {
        rng_init(&rng, loop_now_ms(l) ^ (uint64_t)(uintptr_t)w);
        timeout_s = TIMEOUT_LEAST_S + rng_below(&rng, TIMEOUT_LEAST_S);
    }
    loop_timer_start(&w->timeout, timeout_s * 1000);
    if (w->call->query.bookmarks) {
        loop_timer_start_repeat(&w->bookmark, BOOKMARK_MS, BOOKMARK_MS);
    }
}

static void api_watch_begin(struct api_watch *w)
{
    static const struct rpc_stream_ops ops = {.on_writable = api_watch_writable,
                                              .on_closed = api_watch_closed};
    static const struct rpc_http_field fields[] = {{"cache-control", "no-cache, private"}};

    rpc_call_set_user(w->call->call, w);
    rpc_http_begin(w->call->call, 200, "application/json", fields, 1, &ops);
    api_watch_start_timers(w);
    api_watch_pump(w);
}

static void api_watch_refuse(struct api_watch *w, struct kube_status *status)
{
    api_reply_status(w->call, status);
    api_watch_free(w);
}

/* The cache has seen the revision that was asked for. */
static void api_watch_fresh(struct api_fresh *f)
{
    struct api_watch *w = container_of(f, struct api_watch, fresh);
    bool all = w->revision == 0;
    struct kube_status status;
    int err = f->status;

    if (err == 0) {
        err = kube_cache_watch_open(w->cache, &w->watch, all ? w->cache->revision : w->revision,
                                    api_watch_readable);
        w->watching = err == 0;
    }
    if (err == 0 && all) {
        err = api_filter_collect(&w->filter, w->cache, w->call->arena, &w->items, &w->n);
    }
    if (err == 0) {
        api_watch_begin(w);
        return;
    }
    kube_status_init(&status);
    if (err == KVS_E_COMPACTED) {
        kube_status_expired(&status, "too old resource version: %" PRIu64 " (%" PRIu64 ")",
                            w->revision, w->cache->since);
    } else {
        kube_status_store(&status, err);
    }
    api_watch_refuse(w, &status);
    kube_status_fini(&status);
}

static void api_watch_start(struct api_watch *w)
{
    const struct kube_query *q = &w->call->query;
    bool any = q->resource_version.len > 0 && w->revision == 0;

    w->initial_told = !(q->send_initial_events && q->bookmarks);
    if (q->send_initial_events) {
        w->revision = 0;
    }
    api_fresh_start(&w->fresh, w->call->api->registry, w->cache,
                    any ? w->cache->since : w->revision, api_watch_fresh);
}

void api_watch(struct api_call *c)
{
    struct api_watch *w = kvs_calloc(1, sizeof *w);
    struct kube_status status;
    int err = KVS_E_NOMEM;

    kube_status_init(&status);
    if (w != NULL) {
        w->call = c;
        w->cache = kube_registry_cache(c->api->registry, c->route.resource);
        list_push_back(&c->api->watches, &w->node);
        loop_timer_init(c->api->loop, &w->bookmark, api_watch_due_bookmark);
        loop_timer_init(c->api->loop, &w->timeout, api_watch_due_timeout);
        err = api_filter_parse(c, &w->filter, &status);
    }
    if (err == 0) {
        err = api_revision_parse(c->query.resource_version, &w->revision, &status);
    }
    if (err == 0) {
        api_watch_start(w);
    } else {
        if (err == KVS_E_NOMEM) {
            kube_status_internal(&status, "out of memory");
        }
        if (w != NULL) {
            api_watch_refuse(w, &status);
        } else {
            api_reply_status(c, &status);
        }
    }
    kube_status_fini(&status);
}

void api_watch_stop(struct kube_api *api)
{
    struct list *node = api->watches.next;

    while (node != &api->watches) {
        struct api_watch *w = container_of(node, struct api_watch, node);

        node = node->next;
        if (w->watching) {
            rpc_http_end(w->call->call); /* on_closed comes later */
        }
    }
}
