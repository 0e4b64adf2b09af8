#include "kube/cache.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/attr.h"

int kube_cache_init(struct kube_cache *c, const struct kube_resource *r, size_t window_size)
{
    kvs_assert(window_size > 0 && (window_size & (window_size - 1)) == 0);
    *c = (struct kube_cache){.resource = r, .window_size = window_size};
    c->window = kvs_calloc(window_size, sizeof *c->window);
    if (c->window == NULL) {
        return KVS_E_NOMEM;
    }
    kube_keymap_init(&c->objects);
    list_init(&c->watches);
    list_init(&c->waiters);
    return 0;
}

static struct kube_event *cache_slot(const struct kube_cache *c, uint64_t sequence)
{
    return &c->window[sequence & (c->window_size - 1)];
}

static void cache_drop_oldest(struct kube_cache *c)
{
    struct kube_event *e = cache_slot(c, c->first);

    c->since = e->revision;
    kube_item_unref(e->item);
    kube_item_unref(e->prev);
    c->first++;
}

static void cache_forget(struct kube_cache *c)
{
    struct kube_keymap_at at = {0, 0};
    struct kube_item *item;

    while (c->first != c->end) {
        cache_drop_oldest(c);
    }
    while ((item = kube_keymap_next(&c->objects, &at, NULL)) != NULL) {
        kube_item_unref(item);
    }
    kube_keymap_fini(&c->objects);
}

void kube_cache_fini(struct kube_cache *c)
{
    kvs_assert(list_empty(&c->watches) && list_empty(&c->waiters));
    cache_forget(c);
    kvs_free(c->window);
}

/* --- feeding ---------------------------------------------------------------------------------- */

void kube_cache_reset(struct kube_cache *c)
{
    cache_forget(c);
    c->loaded = false;
    c->generation++;
    c->wake_needed = true;
}

int kube_cache_put(struct kube_cache *c, struct kube_item *item)
{
    void *old;
    int err = kube_keymap_put(&c->objects, item->key, item, &old);

    kvs_assert(!c->loaded);
    if (err != 0) {
        return err;
    }
    kube_item_unref(old);
    return 0;
}

void kube_cache_loaded(struct kube_cache *c, uint64_t revision)
{
    kvs_assert(!c->loaded);
    c->loaded = true;
    c->since = revision;
    c->revision = revision;
    c->wake_needed = true;
}

/* Takes over the references. */
static void
cache_record(struct kube_cache *c, enum kube_event_type type, struct kube_item *item, void *prev)
{
    if (c->end - c->first == c->window_size) {
        cache_drop_oldest(c);
    }
    *cache_slot(c, c->end++) =
        (struct kube_event){.type = type, .revision = item->revision, .item = item, .prev = prev};
    c->revision = item->revision;
    c->wake_needed = true;
}

int kube_cache_apply_put(struct kube_cache *c, struct kube_item *item)
{
    void *old;
    int err;

    kvs_assert(c->loaded && item->revision >= c->revision);
    err = kube_keymap_put(&c->objects, item->key, item, &old);
    if (err != 0) {
        kube_item_unref(item);
        return err;
    }
    cache_record(c, old == NULL ? KUBE_EVENT_ADDED : KUBE_EVENT_MODIFIED, kube_item_ref(item), old);
    return 0;
}

int kube_cache_apply_delete(struct kube_cache *c, struct kvs_view key, uint64_t revision)
{
    struct kube_item *prev = kube_keymap_get(&c->objects, key);
    struct kube_item *last;
    int err;

    kvs_assert(c->loaded && revision >= c->revision);
    if (prev == NULL) {
        kube_cache_progress(c, revision);
        return 0;
    }
    err = kube_item_at_revision(c->resource, prev, revision, &last);
    if (err != 0) {
        return err;
    }
    (void)kube_keymap_remove(&c->objects, key); /* it is `prev` */
    cache_record(c, KUBE_EVENT_DELETED, last, prev);
    return 0;
}

void kube_cache_progress(struct kube_cache *c, uint64_t revision)
{
    if (revision > c->revision) {
        c->revision = revision;
        c->wake_needed = true;
    }
}

/* Callbacks may remove any watch or waiter, so lists are detached first. */
static void cache_wake_waiters(struct kube_cache *c)
{
    struct list due;

    list_init(&due);
    while (!list_empty(&c->waiters)) {
        struct kube_cache_wait *w = container_of(c->waiters.next, struct kube_cache_wait, node);

        if (w->revision > c->revision) {
            break;
        }
        list_remove(&w->node);
        list_push_back(&due, &w->node);
    }
    while (!list_empty(&due)) {
        struct kube_cache_wait *w = container_of(due.next, struct kube_cache_wait, node);

        list_remove(&w->node);
        list_init(&w->node);
        w->cb(w);
    }
}

static void cache_wake_watches(struct kube_cache *c)
{
    struct list all;

    list_init(&all);
    list_splice_back(&all, &c->watches);
    while (!list_empty(&all)) {
        struct kube_cache_watch *w = container_of(all.next, struct kube_cache_watch, node);

        list_remove(&w->node);
        list_push_back(&c->watches, &w->node);
        if (w->waiting && (w->next != c->end || kube_cache_watch_expired(c, w))) {
            w->waiting = false;
            w->readable(w);
        }
    }
}

void kube_cache_wake(struct kube_cache *c)
{
    if (!c->wake_needed) {
        return;
    }
    c->wake_needed = false;
    if (c->loaded) {
        cache_wake_waiters(c);
    }
    cache_wake_watches(c);
}

/* --- reading ---------------------------------------------------------------------------------- */

struct kube_item *kube_cache_get(const struct kube_cache *c, struct kvs_view key)
{
    return kube_keymap_get(&c->objects, key);
}

void kube_cache_wait(struct kube_cache *c, struct kube_cache_wait *w, uint64_t revision)
{
    struct list *at = c->waiters.prev;

    w->revision = revision;
    while (at != &c->waiters &&
           container_of(at, struct kube_cache_wait, node)->revision > revision) {
        at = at->prev;
    }
    list_insert_before(at->next, &w->node);
    c->wake_needed = true;
}

void kube_cache_wait_cancel(struct kube_cache_wait *w)
{
    list_remove(&w->node);
    list_init(&w->node);
}

uint64_t kube_cache_wanted(const struct kube_cache *c)
{
    if (list_empty(&c->waiters)) {
        return 0;
    }
    return container_of(c->waiters.prev, struct kube_cache_wait, node)->revision;
}

/* The first event after `revision`. */
static uint64_t cache_after(const struct kube_cache *c, uint64_t revision)
{
    uint64_t low = c->first;
    uint64_t high = c->end;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (cache_slot(c, middle)->revision <= revision) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int kube_cache_watch_open(struct kube_cache *c,
                          struct kube_cache_watch *w,
                          uint64_t revision,
                          void (*readable)(struct kube_cache_watch *w))
{
    if (!c->loaded || revision > c->revision) {
        return KVS_E_FUTURE_REV;
    }
    if (revision < c->since) {
        return KVS_E_COMPACTED;
    }
    *w = (struct kube_cache_watch){.next = cache_after(c, revision),
                                   .generation = c->generation,
                                   .readable = readable,
                                   .waiting = true};
    list_push_back(&c->watches, &w->node);
    c->wake_needed = true;
    return 0;
}

void kube_cache_watch_close(struct kube_cache_watch *w)
{
    list_remove(&w->node);
    list_init(&w->node);
}

bool kube_cache_watch_expired(const struct kube_cache *c, const struct kube_cache_watch *w)
{
    return w->generation != c->generation || w->next < c->first;
}

const struct kube_event *kube_cache_watch_next(struct kube_cache *c, struct kube_cache_watch *w)
{
    if (kube_cache_watch_expired(c, w)) {
        return NULL;
    }
    if (w->next == c->end) {
        w->waiting = true;
        return NULL;
    }
    return cache_slot(c, w->next++);
}

void kube_cache_check(const struct kube_cache *c)
{
    struct kube_keymap_at at = {0, 0};
    const struct kube_item *item;
    uint64_t last = c->since;

    kube_keymap_check(&c->objects);
    kvs_assert(c->end - c->first <= c->window_size);
    for (uint64_t i = c->first; i != c->end; i++) {
        kvs_assert(cache_slot(c, i)->revision >= last);
        last = cache_slot(c, i)->revision;
    }
    kvs_assert(!c->loaded || last <= c->revision);
    while ((item = kube_keymap_next(&c->objects, &at, NULL)) != NULL) {
        kvs_assert(!c->loaded || item->revision <= c->revision);
    }
}
