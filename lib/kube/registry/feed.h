/* Feeds watch caches from the store: one list of a prefix, at one revision, then one watch from
 * there on, for all resources below the prefix. After a gap (the history that the watch needed has
 * been compacted) it lists again.
 *
 *     LISTING --last page--> WATCHING --compacted--> LISTING
 *        |  ^                    `--ended--> PAUSED --timer--> LISTING
 *        v  |
 *      PAUSED (after an error)                        close: any --> CLOSED
 *
 * Loop thread. */
#ifndef KUBE_FEED_H
#define KUBE_FEED_H

#include "base/log.h"
#include "kube/cache.h"
#include "kube/registry/store.h"

struct kube_feed;

/* The cache that keeps objects whose keys begin with `prefix`. */
struct kube_feed_target {
    struct kvs_view prefix; /* "/registry/pods/" */
    struct kube_cache *cache;
};

/* Borrows store, `targets` (sorted by prefix, none a prefix of another) and the caches until the
 * feed is closed. Values below `prefix` that belong to no target are ignored. Values that cannot be
 * read are logged and left out. `log` may be NULL. KVS_E_NOMEM. */
KVS_MUST_USE int kube_feed_open(struct loop *l,
                                struct kube_store *store,
                                struct kvs_view prefix,
                                const struct kube_feed_target *targets,
                                size_t n_targets,
                                struct log *log,
                                struct kube_feed **ret_feed);

/* `cb` (may be NULL) runs once, when nothing is under way any more; at once if nothing was. */
void kube_feed_close(struct kube_feed *f, void (*cb)(void *ctx), void *ctx);

/* All caches are loaded and followed. */
bool kube_feed_is_ready(const struct kube_feed *f);

/* Runs when the feed becomes ready for the first time. */
void kube_feed_on_ready(struct kube_feed *f, void (*cb)(void *ctx), void *ctx);

/* A cache has got a new waiter (kube_cache_wait): asks the store how far it is. */
void kube_feed_hurry(struct kube_feed *f);

#endif
