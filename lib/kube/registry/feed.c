#include "kube/registry/feed.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/attr.h"
#include "base/view.h"

enum {
    PAGE_KEYS = 1000,
    RETRY_MS = 500,
    HURRY_MS = 2, /* between two questions how far the store is */
};

enum feed_state {
    FEED_LISTING,
    FEED_WATCHING,
    FEED_PAUSED,
    FEED_CLOSED,
};

/* One response of the watch, on its way to the loop. */
struct feed_message {
    struct kube_store_message message;
    struct kube_feed *feed;
    enum kvs_watch_what what;
    const struct kvs_watch_resp *resp; /* ours */
};

struct kube_feed {
    struct loop *loop;
    struct kube_store *store;
    struct log *log;
    struct kvs_view prefix;
    struct kvs_view end;
    const struct kube_feed_target *targets;
    size_t n_targets;
    enum feed_state state;
    struct loop_timer retry;
    struct loop_timer hurry;
    /* the page that is being read */
    struct kube_store_message page;
    bool page_under_way;
    int page_status;
    const struct kvs_range_resp *page_resp;
    struct kvs_blob from;  /* where the next page begins */
    kvs_revision revision; /* of the list */
    /* the watch */
    struct kvs_watch *watch;
    struct kube_store_message ended;
    int ended_code;
    bool asked; /* how far the store is; no answer yet */
    bool ready;
    void (*ready_cb)(void *ctx);
    void *ready_ctx;
    void (*close_cb)(void *ctx);
    void *close_ctx;
};

static void feed_list(struct kube_feed *f);

/* --- objects ---------------------------------------------------------------------------------- */

static const struct kube_feed_target *feed_target(const struct kube_feed *f, struct kvs_view key)
{
    size_t low = 0;
    size_t high = f->n_targets;

    while (low < high) { /* the last target whose prefix is <= key */
        size_t middle = low + (high - low) / 2;

        if (view_compare(f->targets[middle].prefix, key) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return NULL;
    }
    low--;
    if (key.len <= f->targets[low].prefix.len ||
        memcmp(key.data, f->targets[low].prefix.data, f->targets[low].prefix.len) != 0) {
        return NULL;
    }
    return &f->targets[low];
}

static struct kvs_view feed_key(const struct kube_feed_target *t, struct kvs_view key)
{
    return view_make((const char *)key.data + t->prefix.len, key.len - t->prefix.len);
}

/* NULL for what is not ours or cannot be read. KVS_E_NOMEM. */
static int feed_item(struct kube_feed *f,
                     const struct kvs_kv *kv,
                     const struct kube_feed_target **ret_target,
                     struct kube_item **ret_item)
{
    const struct kube_feed_target *t = feed_target(f, kv->key);
    int err;

    *ret_item = NULL;
    *ret_target = t;
    if (t == NULL) {
        return 0;
    }
    err = kube_item_new(t->cache->resource, feed_key(t, kv->key), kv->value,
                        (uint64_t)kv->mod_revision, ret_item);
    if (err == KVS_E_MALFORMED) {
        log_error(f->log, "a stored object cannot be read",
                  LOG_STR("resource", t->cache->resource->plural),
                  LOG_I64("revision", kv->mod_revision));
        return 0;
    }
    return err;
}

static void feed_wake(struct kube_feed *f)
{
    for (size_t i = 0; i < f->n_targets; i++) {
        kube_cache_wake(f->targets[i].cache);
    }
}

/* --- states ----------------------------------------------------------------------------------- */

static void feed_pause(struct kube_feed *f)
{
    f->state = FEED_PAUSED;
    loop_timer_start(&f->retry, RETRY_MS);
}

static void feed_retry(struct loop_timer *t)
{
    feed_list(container_of(t, struct kube_feed, retry));
}

static void feed_maybe_closed(struct kube_feed *f)
{
    void (*cb)(void *ctx) = f->close_cb;
    void *ctx = f->close_ctx;

    if (f->state != FEED_CLOSED || f->page_under_way || f->watch != NULL) {
        return;
    }
    kvs_free(f->from.data);
    kvs_free(f);
    if (cb != NULL) {
        cb(ctx);
    }
}

/* --- the watch -------------------------------------------------------------------------------- */

static int feed_apply(struct kube_feed *f, const struct kvs_event *e)
{
    const struct kube_feed_target *t;
    struct kube_item *item;
    int err;

    if (e->type == KVS_EVENT_DELETE) {
        t = feed_target(f, e->kv.key);
        return t == NULL ? 0
                         : kube_cache_apply_delete(t->cache, feed_key(t, e->kv.key),
                                                   (uint64_t)e->kv.mod_revision);
    }
    err = feed_item(f, &e->kv, &t, &item);
    return err != 0 || item == NULL ? err : kube_cache_apply_put(t->cache, item);
}

static void feed_progress(struct kube_feed *f, kvs_revision revision)
{
    for (size_t i = 0; i < f->n_targets; i++) {
        kube_cache_progress(f->targets[i].cache, (uint64_t)revision);
    }
}

/* The waiter of any cache that is furthest ahead of the store's last word. */
static bool feed_is_wanted(const struct kube_feed *f)
{
    for (size_t i = 0; i < f->n_targets; i++) {
        const struct kube_cache *c = f->targets[i].cache;

        if (kube_cache_wanted(c) > c->revision) {
            return true;
        }
    }
    return false;
}

void kube_feed_hurry(struct kube_feed *f)
{
    if (f->state == FEED_WATCHING && f->watch != NULL && !f->asked) {
        f->asked = true;
        kvs_watch_progress(f->watch);
    }
}

static void feed_hurry_again(struct loop_timer *t)
{
    kube_feed_hurry(container_of(t, struct kube_feed, hurry));
}

/* Everything of a revision comes in one response, so all caches may say: up to here. */
static void feed_on_events(struct kube_feed *f, const struct kvs_watch_resp *resp)
{
    for (size_t i = 0; i < resp->n_events; i++) {
        if (feed_apply(f, &resp->events[i]) != 0) {
            log_warn(f->log, "watch cache is out of memory and starts again");
            kvs_watch_close(f->watch);
            return;
        }
    }
    if (resp->n_events > 0) {
        feed_progress(f, resp->events[resp->n_events - 1].kv.mod_revision);
    }
}

static void feed_deliver(struct kube_store_message *m)
{
    struct feed_message *message = container_of(m, struct feed_message, message);
    struct kube_feed *f = message->feed;

    if (f->state == FEED_WATCHING) {
        if (message->what == KVS_WATCH_EVENTS) {
            feed_on_events(f, message->resp);
        } else if (message->what == KVS_WATCH_PROGRESS) {
            f->asked = false;
            feed_progress(f, message->resp->header.revision);
        }
        feed_wake(f);
        if (!f->asked && feed_is_wanted(f)) {
            loop_timer_start(&f->hurry, HURRY_MS);
        }
    }
    kvs_resp_free(message->resp);
    kvs_free(message);
}

static void feed_ended(struct kube_store_message *m)
{
    struct kube_feed *f = container_of(m, struct kube_feed, ended);

    kvs_watch_release(f->watch);
    f->watch = NULL;
    f->asked = false;
    loop_timer_stop(&f->hurry);
    if (f->state == FEED_CLOSED) {
        feed_maybe_closed(f);
        return;
    }
    log_info(f->log, "watch of the store ended", LOG_STR("reason", kvs_strerror(f->ended_code)));
    if (f->ended_code == KVS_E_COMPACTED) {
        feed_list(f);
    } else {
        feed_pause(f);
    }
}

/* On the client's thread. */
static void feed_watch_cb(void *ctx,
                          struct kvs_watch *watch,
                          enum kvs_watch_what what,
                          const struct kvs_error *error,
                          const struct kvs_watch_resp *resp)
{
    struct kube_feed *f = ctx;
    struct feed_message *message;

    if (what == KVS_WATCH_ENDED) {
        kvs_watch_keep(watch); /* the loop does not know yet, and may still use it */
        f->ended_code = error->code;
        kube_store_post(f->store, &f->ended);
        return;
    }
    if (what != KVS_WATCH_EVENTS && what != KVS_WATCH_PROGRESS) {
        return;
    }
    message = kvs_malloc(sizeof *message);
    if (message == NULL) {
        kvs_watch_close(watch); /* ENDED follows; then from a list again */
        return;
    }
    kvs_resp_keep(resp);
    *message = (struct feed_message){
        .message = {.deliver = feed_deliver}, .feed = f, .what = what, .resp = resp};
    kube_store_post(f->store, &message->message);
}

static void feed_watch(struct kube_feed *f)
{
    struct kvs_watch_create_req req = {.key = f->prefix,
                                       .range_end = f->end,
                                       .start_revision = f->revision + 1,
                                       .progress_notify = true};
    int err = kvs_watch_open(kube_store_client(f->store), &req, feed_watch_cb, f, &f->watch);

    if (err != 0) {
        f->watch = NULL;
        feed_pause(f);
        return;
    }
    f->state = FEED_WATCHING;
    if (!f->ready) {
        f->ready = true;
        if (f->ready_cb != NULL) {
            f->ready_cb(f->ready_ctx);
        }
    }
    feed_wake(f);
    if (feed_is_wanted(f)) {
        kube_feed_hurry(f);
    }
}

/* --- the list --------------------------------------------------------------------------------- */

/* On the client's thread. */
static void
feed_page_cb(void *ctx, const struct kvs_error *error, const struct kvs_range_resp *resp)
{
    struct kube_feed *f = ctx;

    f->page_status = error->code;
    f->page_resp = resp;
    if (resp != NULL) {
        kvs_resp_keep(resp);
    }
    kube_store_post(f->store, &f->page);
}

static void feed_read_page(struct kube_feed *f)
{
    struct kvs_range_req req = {.key = f->from.len == 0 ? f->prefix
                                                        : view_make(f->from.data, f->from.len),
                                .range_end = f->end,
                                .limit = PAGE_KEYS,
                                .revision = f->revision};

    if (kvs_range(kube_store_client(f->store), &req, NULL, feed_page_cb, f) != 0) {
        feed_pause(f);
        return;
    }
    f->page_under_way = true;
}

/* The next page begins behind `key`: at the key with a 0 byte added. */
static int feed_advance(struct kube_feed *f, struct kvs_view key)
{
    char *from = kvs_realloc(f->from.data, key.len + 1);

    if (from == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(from, key.data, key.len);
    from[key.len] = '\0';
    f->from = (struct kvs_blob){from, key.len + 1};
    return 0;
}

static int feed_take_page(struct kube_feed *f, const struct kvs_range_resp *resp)
{
    for (size_t i = 0; i < resp->n_kvs; i++) {
        const struct kube_feed_target *t;
        struct kube_item *item;
        int err = feed_item(f, &resp->kvs[i], &t, &item);

        if (err == 0 && item != NULL) {
            err = kube_cache_put(t->cache, item);
            if (err != 0) {
                kube_item_unref(item);
            }
        }
        if (err != 0) {
            return err;
        }
    }
    if (f->revision == 0) {
        f->revision = resp->header.revision;
    }
    return resp->n_kvs == 0 ? 0 : feed_advance(f, resp->kvs[resp->n_kvs - 1].key);
}

static void feed_page(struct kube_store_message *m)
{
    struct kube_feed *f = container_of(m, struct kube_feed, page);
    const struct kvs_range_resp *resp = f->page_resp;
    int err = f->page_status;
    bool more = false;

    f->page_under_way = false;
    f->page_resp = NULL;
    if (f->state == FEED_LISTING && err == 0) {
        err = feed_take_page(f, resp);
        more = resp->more;
    }
    kvs_resp_free(resp);
    if (f->state == FEED_CLOSED) {
        feed_maybe_closed(f);
    } else if (err != 0) {
        log_warn(f->log, "cannot list the store", LOG_STR("reason", kvs_strerror(err)));
        feed_pause(f);
    } else if (more) {
        feed_read_page(f);
    } else {
        for (size_t i = 0; i < f->n_targets; i++) {
            kube_cache_loaded(f->targets[i].cache, (uint64_t)f->revision);
        }
        feed_watch(f);
    }
}

static void feed_list(struct kube_feed *f)
{
    for (size_t i = 0; i < f->n_targets; i++) {
        kube_cache_reset(f->targets[i].cache);
    }
    f->state = FEED_LISTING;
    f->revision = 0;
    f->from.len = 0;
    feed_read_page(f);
    feed_wake(f);
}

/* --- the face --------------------------------------------------------------------------------- */

int kube_feed_open(struct loop *l,
                   struct kube_store *store,
                   struct kvs_view prefix,
                   const struct kube_feed_target *targets,
                   size_t n_targets,
                   struct log *log,
                   struct kube_feed **ret_feed)
{
    struct kube_feed *f = kvs_calloc(1, sizeof *f + 2 * prefix.len + 1);
    char *text;

    if (f == NULL) {
        return KVS_E_NOMEM;
    }
    text = (char *)(f + 1);
    memcpy(text, prefix.data, prefix.len);
    f->prefix = view_make(text, prefix.len);
    f->end = view_make(text + prefix.len, kvs_prefix_end(prefix, text + prefix.len));
    f->loop = l;
    f->store = store;
    f->log = log;
    f->targets = targets;
    f->n_targets = n_targets;
    f->page.deliver = feed_page;
    f->ended.deliver = feed_ended;
    loop_timer_init(l, &f->retry, feed_retry);
    loop_timer_init(l, &f->hurry, feed_hurry_again);
    feed_list(f);
    *ret_feed = f;
    return 0;
}

void kube_feed_close(struct kube_feed *f, void (*cb)(void *ctx), void *ctx)
{
    f->close_cb = cb;
    f->close_ctx = ctx;
    f->state = FEED_CLOSED;
    loop_timer_stop(&f->retry);
    loop_timer_stop(&f->hurry);
    if (f->watch != NULL) {
        kvs_watch_close(f->watch);
    }
    feed_maybe_closed(f);
}

bool kube_feed_is_ready(const struct kube_feed *f)
{
    return f->ready;
}

void kube_feed_on_ready(struct kube_feed *f, void (*cb)(void *ctx), void *ctx)
{
    f->ready_cb = cb;
    f->ready_ctx = ctx;
}
