/* Inside of the watch module: what hub.c, deliver.c and catch_up.c share. */
#ifndef WATCH_HUB_H
#define WATCH_HUB_H

#include "base/list.h"
#include "base/map.h"
#include "watch/index.h"
#include "watch/watch.h"

#define WATCH_CLASS_PREV_KV  (1u << 2) /* beside the filters */
#define WATCH_CLASS_COUNT    8         /* watchers that receive the same bytes */
#define WATCH_RESPONSE_BYTES 64        /* of a response besides its events */

/* The events of one commit or history slice that a range contains. */
struct watch_selection {
    struct watch_selection *next; /* in the hub's list of free ones */
    struct watch_event **events;  /* borrowed from the hub's copies, in revision order */
    size_t n_events;
    size_t capacity;
    struct watch_payload *shared[WATCH_CLASS_COUNT]; /* of all of them */
};

enum watcher_state {
    WATCHER_SYNCED, /* has everything up to the hub's revision, from its cursor on */
    WATCHER_BEHIND, /* has everything below its cursor, which is <= the hub's revision */
};

struct watcher {
    struct list in_range;
    struct list in_stream;
    struct list in_behind; /* BEHIND: the hub's `behind`, or `parked` of its stream */
    struct watch_range *range;
    struct watch_stream *stream;
    int64_t id;
    kvs_revision cursor; /* nothing below this is delivered; exact when BEHIND */
    uint8_t state;       /* enum watcher_state */
    uint8_t options;     /* filters and WATCH_CLASS_PREV_KV: index of a shared payload */
    bool progress_notify;
    bool fragment;
    bool got_events; /* since the last tick */
};

struct watch_stream {
    struct list in_hub;
    struct list watchers;
    struct list parked; /* BEHIND, waiting for credit */
    struct map by_id;
    int64_t id_next;
    int64_t credit_bytes;
    void *user;
};

struct watch_hub {
    struct watch_config config;
    struct watch_index index;
    struct list streams;
    struct list behind; /* BEHIND, to be served; the first one is next */
    kvs_revision revision;
    kvs_revision compacted;
    size_t n_watchers;
    size_t n_behind;
    size_t n_prev_kv; /* watchers that want it */
    size_t n_streams;
    uint64_t n_events_sent;

    /* Of the commit or slice that is being delivered. */
    struct list touched; /* ranges with a selection, or one that was lost */
    struct watch_selection *free_selections;
    size_t n_free_selections;
    struct watch_event **copies;
    size_t n_copies;
    size_t copies_capacity;
};

/* payload.c */
KVS_MUST_USE struct watch_event *watch_event_new(const struct kvs_event *from, bool with_prev);
void watch_event_unref(struct watch_event *e);

/* The events that `options` let through; maybe none. NULL: out of memory. */
KVS_MUST_USE struct watch_payload *
watch_payload_new(struct watch_event **events, size_t n_events, unsigned options);
KVS_MUST_USE int watch_effects_reserve(struct watch_effects *e, size_t more);

/* After a successful reserve. */
struct watch_effect *watch_effects_add(struct watch_effects *e, const struct watch_effect *effect);

/* deliver.c */

/* Adds the event to the selection of each range that contains its key (`only_behind`: and has a
 * watcher that is behind). KVS_E_NOMEM: some ranges are marked as lost. */
int watch_select(struct watch_hub *h, const struct kvs_event *event, bool only_behind);

/* Drops selections and copies. */
void watch_select_end(struct watch_hub *h);

/* What is kept from commit to commit. */
void watch_selections_free(struct watch_hub *h);

/* The whole selection of a range as `options` see it, made once. Borrowed. NULL: no memory. */
struct watch_payload *watch_range_payload(struct watch_range *r, unsigned options);

/* One EVENTS response, or several if it has to be split. KVS_E_NOMEM: none. */
KVS_MUST_USE int watch_emit_events(struct watch_hub *h,
                                   struct watcher *w,
                                   struct watch_payload *payload,
                                   kvs_revision revision,
                                   struct watch_effects *effects);

/* Any other response; takes its cost from the stream. KVS_E_NOMEM: none. */
int watch_emit(struct watch_effects *effects,
               struct watch_stream *s,
               const struct watch_effect *effect);

/* hub.c */
void watcher_set_behind(struct watch_hub *h, struct watcher *w, kvs_revision cursor);
void watcher_set_synced(struct watch_hub *h, struct watcher *w, kvs_revision cursor);
void watcher_free(struct watch_hub *h, struct watcher *w);

/* CANCELED because the watcher's cursor is below the compacted revision. KVS_E_NOMEM: it stays. */
int watcher_cancel_compacted(struct watch_hub *h, struct watcher *w, struct watch_effects *effects);

static inline bool watch_stream_has_room(const struct watch_stream *s)
{
    return s->credit_bytes > 0;
}

#endif
