#include "kube/registry/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "kube/registry/registry_int.h"

enum { WINDOW_DEFAULT = 1024 };

/* --- caches ----------------------------------------------------------------------------------- */

static int registry_target_order(const void *a, const void *b)
{
    return view_compare(((const struct kube_feed_target *)a)->prefix,
                        ((const struct kube_feed_target *)b)->prefix);
}

/* The target of a resource whose storage another version of it has already. */
static struct kube_cache *registry_shared(const struct kube_registry *r, size_t index)
{
    const struct kube_resource *wanted = kube_resource_at(index);

    for (size_t i = 0; i < index; i++) {
        const struct kube_resource *other = kube_resource_at(i);

        if (other->storage != NULL && strcmp(other->storage, wanted->storage) == 0) {
            return r->by_resource[i];
        }
    }
    return NULL;
}

static int registry_add_target(struct kube_registry *r, size_t index, size_t window)
{
    const struct kube_resource *resource = kube_resource_at(index);
    struct kube_feed_target *t = &r->targets[r->n_targets];
    struct kube_cache *cache = kvs_malloc(sizeof *cache);
    struct buf prefix;
    struct kvs_blob text;

    buf_init(&prefix);
    buf_printf(&prefix, "%s%s/", r->prefix, resource->storage);
    if (cache == NULL || prefix.failed || kube_cache_init(cache, resource, window) != 0) {
        buf_fini(&prefix);
        kvs_free(cache);
        return KVS_E_NOMEM;
    }
    text = buf_take(&prefix);
    t->prefix = view_make(text.data, text.len);
    t->cache = cache;
    r->by_resource[index] = cache;
    r->n_targets++;
    return 0;
}

static int registry_add_targets(struct kube_registry *r, size_t window)
{
    for (size_t i = 0; i < kube_resource_count(); i++) {
        if (kube_resource_at(i)->storage == NULL) {
            continue;
        }
        r->by_resource[i] = registry_shared(r, i);
        if (r->by_resource[i] == NULL && registry_add_target(r, i, window) != 0) {
            return KVS_E_NOMEM;
        }
    }
    qsort(r->targets, r->n_targets, sizeof *r->targets, registry_target_order);
    return 0;
}

static void registry_free(struct kube_registry *r)
{
    for (size_t i = 0; i < r->n_targets; i++) {
        kube_cache_fini(r->targets[i].cache);
        kvs_free(r->targets[i].cache);
        kvs_free((void *)(uintptr_t)r->targets[i].prefix.data);
    }
    kvs_free(r->targets);
    kvs_free(r->by_resource);
    kvs_free(r->prefix);
    kvs_free(r);
}

int kube_registry_open(const struct kube_registry_options *options,
                       struct kube_registry **ret_registry)
{
    struct kube_registry *r = kvs_calloc(1, sizeof *r);
    int err = KVS_E_NOMEM;

    if (r == NULL) {
        return KVS_E_NOMEM;
    }
    r->loop = options->loop;
    r->store = options->store;
    r->clock = options->clock;
    r->log = options->log;
    rng_init(&r->rng, options->seed);
    r->prefix = kvs_strdup(options->prefix == NULL ? "/registry/" : options->prefix);
    r->targets = kvs_calloc(kube_resource_count(), sizeof *r->targets);
    r->by_resource = kvs_calloc(kube_resource_count(), sizeof(struct kube_cache *));
    if (r->prefix != NULL && r->targets != NULL && r->by_resource != NULL) {
        err = registry_add_targets(r, options->window == 0 ? WINDOW_DEFAULT : options->window);
    }
    if (err == 0) {
        err = kube_feed_open(r->loop, r->store, view_str(r->prefix), r->targets, r->n_targets,
                             r->log, &r->feed);
    }
    if (err != 0) {
        registry_free(r);
        return err;
    }
    *ret_registry = r;
    return 0;
}

static void registry_closed(void *ctx)
{
    struct kube_registry *r = ctx;
    void (*cb)(void *ctx) = r->close_cb;
    void *close_ctx = r->close_ctx;

    registry_free(r);
    if (cb != NULL) {
        cb(close_ctx);
    }
}

void kube_registry_close(struct kube_registry *r, void (*cb)(void *ctx), void *ctx)
{
    r->close_cb = cb;
    r->close_ctx = ctx;
    kube_feed_close(r->feed, registry_closed, r);
}

bool kube_registry_is_ready(const struct kube_registry *r)
{
    return kube_feed_is_ready(r->feed);
}

void kube_registry_on_ready(struct kube_registry *r, void (*cb)(void *ctx), void *ctx)
{
    kube_feed_on_ready(r->feed, cb, ctx);
}

struct kube_cache *kube_registry_cache(struct kube_registry *r,
                                       const struct kube_resource *resource)
{
    return r->by_resource[kube_resource_index(resource)];
}

void kube_registry_wait(struct kube_registry *r,
                        struct kube_cache *c,
                        struct kube_cache_wait *w,
                        uint64_t revision)
{
    kube_cache_wait(c, w, revision);
    if (revision <= c->revision && c->loaded) {
        kube_cache_wake(c);
    } else {
        kube_feed_hurry(r->feed);
    }
}

struct kube_store *kube_registry_store(struct kube_registry *r)
{
    return r->store;
}
