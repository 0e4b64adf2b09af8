/* The watch cache of one resource: its objects in the order of lists, and a window of its latest
 * events. It is fed by whoever lists and watches the source (cache_feed.h, or the HTTPS
 * transport), and serves lists and watches from memory.
 *
 *     reset, put ..., loaded(revision)      a list; also after a gap
 *     apply(event), progress(revision)      then the watch, in order of revisions
 *            |
 *            v                       window: [oldest ... newest]
 *     objects by key  <--- events ----------^------^
 *                                        cursor  cursor    one per watch
 *
 * A watch is a cursor into the window, not a queue: a slow one costs nothing until the window has
 * passed it, and then it has expired, which its client knows as 410 Gone.
 *
 * Invariants, kube_cache_check():
 * 1. `revision` never goes back while loaded.
 * 2. Events in the window ascend by revision; none is newer than `revision`.
 * 3. Every object's revision is at most `revision`.
 *
 * One thread. Callbacks run in kube_cache_wake only, never inside the other calls. */
#ifndef KUBE_CACHE_H
#define KUBE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "kube/item.h"
#include "kube/keymap.h"

enum kube_event_type {
    KUBE_EVENT_ADDED,
    KUBE_EVENT_MODIFIED,
    KUBE_EVENT_DELETED,
    KUBE_EVENT_TYPE_COUNT,
};

struct kube_event {
    enum kube_event_type type;
    uint64_t revision;
    struct kube_item *item; /* of a deletion: the last state, at the deletion's revision */
    struct kube_item *prev; /* NULL for ADDED */
};

struct kube_cache {
    const struct kube_resource *resource;
    struct kube_keymap objects; /* values: struct kube_item, one reference each */
    struct kube_event *window;  /* ring of `window_size`, a power of two */
    size_t window_size;
    uint64_t first; /* sequence numbers: window[first & mask] .. window[(end - 1) & mask] */
    uint64_t end;
    uint64_t since;    /* events after this revision are in the window, if there were any */
    uint64_t revision; /* everything up to here is in */
    bool loaded;
    uint64_t generation; /* counts loads: an older watch has expired */
    struct list watches; /* struct kube_cache_watch.node */
    struct list waiters; /* struct kube_cache_wait.node, by revision */
    bool wake_needed;
};

/* `window_size`: events kept, a power of two. KVS_E_NOMEM. */
KVS_MUST_USE int
kube_cache_init(struct kube_cache *c, const struct kube_resource *r, size_t window_size);
/* Watches and waiters have been removed before. */
void kube_cache_fini(struct kube_cache *c);

/* --- feeding ---------------------------------------------------------------------------------- */

/* Forgets all: a list follows. Watches expire, waiters wait on. */
void kube_cache_reset(struct kube_cache *c);
/* An object of the list. Moves `item`. KVS_E_NOMEM. */
KVS_MUST_USE int kube_cache_put(struct kube_cache *c, struct kube_item *item);
/* The list was complete as of `revision`. */
void kube_cache_loaded(struct kube_cache *c, uint64_t revision);

/* `item` was written at its revision, which is above all before. Moves `item`, also on error.
 * KVS_E_NOMEM: the cache is what it was, and has to be reset. */
KVS_MUST_USE int kube_cache_apply_put(struct kube_cache *c, struct kube_item *item);
/* The object at `key` was deleted. One that is not there is no event. KVS_E_NOMEM as above. */
KVS_MUST_USE int
kube_cache_apply_delete(struct kube_cache *c, struct kvs_view key, uint64_t revision);
/* Nothing else happened up to `revision`. */
void kube_cache_progress(struct kube_cache *c, uint64_t revision);

/* Runs the callbacks of watches that have something to read and of waiters whose revision has
 * come. Once after one or more of the calls above. */
void kube_cache_wake(struct kube_cache *c);

/* --- reading ---------------------------------------------------------------------------------- */

/* NULL if absent; borrowed until the next change. */
struct kube_item *kube_cache_get(const struct kube_cache *c, struct kvs_view key);

/* Waits until the cache has seen everything up to a revision. */
struct kube_cache_wait {
    struct list node;
    uint64_t revision;
    void (*cb)(struct kube_cache_wait *w); /* once, from kube_cache_wake */
};

void kube_cache_wait(struct kube_cache *c, struct kube_cache_wait *w, uint64_t revision);
/* Harmless if it has run. */
void kube_cache_wait_cancel(struct kube_cache_wait *w);

/* The greatest revision that anyone waits for; 0 if nobody does: whoever feeds asks its source how
 * far it is. */
uint64_t kube_cache_wanted(const struct kube_cache *c);

struct kube_cache_watch {
    struct list node;
    uint64_t next; /* sequence number */
    uint64_t generation;
    void (*readable)(struct kube_cache_watch *w); /* from kube_cache_wake */
    bool waiting;                                 /* has read everything */
};

/* Follows events after `revision`. KVS_E_COMPACTED if the window no longer has them all;
 * KVS_E_FUTURE_REV if the cache is not there yet (wait first). */
KVS_MUST_USE int kube_cache_watch_open(struct kube_cache *c,
                                       struct kube_cache_watch *w,
                                       uint64_t revision,
                                       void (*readable)(struct kube_cache_watch *w));
void kube_cache_watch_close(struct kube_cache_watch *w);

/* The next event, borrowed until the cache changes; NULL: none now, `readable` will run. It is
 * also NULL, for good, once the watch has expired. */
const struct kube_event *kube_cache_watch_next(struct kube_cache *c, struct kube_cache_watch *w);
bool kube_cache_watch_expired(const struct kube_cache *c, const struct kube_cache_watch *w);

/* Stops the process if an invariant is broken. For tests. */
void kube_cache_check(const struct kube_cache *c);

#endif
