/* Watches: who has to be told what of each committed revision.
 *
 *                 commit matches, stream full            compaction passes the cursor
 *   SYNCED ------------------------------------> BEHIND --------------------------> canceled
 *     ^  delivered everything up to now            |  reads history from its cursor
 *     '--------------------------------------------'
 *                 cursor reached the present
 *
 * A watcher has a cursor (the next revision it has to see), never a buffer. What is sent is shared:
 * all watchers of one range with the same options get the same watch_payload, and payloads of
 * different ranges point at the same watch_event, each of which has room for its encoding.
 *
 * The hub does no I/O: it appends effects, which the node carries out in order before its next
 * call. Everything belongs to the thread that owns the state machine. */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/rcbuf.h"
#include "kvstore/types.h"

struct watch_hub;
struct watch_stream;

#define WATCH_ID_NONE (-1)

/* --- What is delivered ------------------------------------------------------------------------ */

/* One event with its own copy of the bytes. Reference counted (by payloads). */
struct watch_event {
    uint32_t refs;
    struct kvs_event event;
    size_t bytes[2]; /* upper bound of the encoded size: without, with prev_kv */
    struct rcbuf
        *encoded[2]; /* NULL until somebody encodes: without, with prev_kv; freed with it */
};

/* Events for one or many watchers, in revision order, whole revisions only. Reference counted. */
struct watch_payload {
    uint32_t refs;
    bool prev_kv;          /* send prev_kv where the event has one */
    size_t bytes;          /* sum over `events` */
    struct rcbuf *encoded; /* for whoever encodes all events together; NULL until then */
    size_t n_events;
    struct watch_event *events[];
};

struct watch_payload *watch_payload_ref(struct watch_payload *p);
void watch_payload_unref(struct watch_payload *p); /* NULL is allowed */

enum watch_effect_type {
    WATCH_EFFECT_CREATED,  /* answer to create; if `reason` is not 0, canceled as well */
    WATCH_EFFECT_EVENTS,   /* payload->events[first .. first + n_events) */
    WATCH_EFFECT_PROGRESS, /* no events; watch_id WATCH_ID_NONE: answer to a progress request */
    WATCH_EFFECT_CANCELED, /* the last one of this watcher */
    WATCH_EFFECT_COUNT,
};

/* One response to send on `stream`. */
struct watch_effect {
    enum watch_effect_type type;
    struct watch_stream *stream;
    int64_t watch_id;
    kvs_revision revision; /* for the header */
    size_t cost_bytes;     /* give back with watch_stream_return when it has left the queue */
    struct watch_payload *payload;
    size_t first;
    size_t n_events;
    bool fragment; /* more of the same revision follows */
    int reason;    /* CREATED, CANCELED: KVS_E_*, its text is the cancel_reason; or 0 */
    kvs_revision compact_revision; /* CANCELED: set if compaction was the cause */
};

struct watch_effects {
    struct watch_effect *items;
    size_t len;
    size_t capacity;
};

void watch_effects_init(struct watch_effects *e);

/* Drops the payload references and keeps the memory. */
void watch_effects_clear(struct watch_effects *e);
void watch_effects_fini(struct watch_effects *e);

/* --- Hub -------------------------------------------------------------------------------------- */

/* Called for each event of a history read, in revision order. Borrows the event. Not 0 stops the
 * read and is returned by it. */
typedef int (*watch_history_fn)(void *ctx, const struct kvs_event *event);

/* Where watchers that are behind read from: the store's history (watch_source_mvcc). */
struct watch_source {
    /* Visits all events with from <= mod_revision < *ret_next, whole revisions only, stopping after
     * about `max_bytes` of them or at `until` (exclusive). At least one revision per call. */
    int (*read)(void *ctx,
                kvs_revision from,
                kvs_revision until,
                size_t max_bytes,
                bool prev_kv,
                watch_history_fn visit,
                void *visit_ctx,
                kvs_revision *ret_next);
    void *ctx;
};

struct watch_config {
    struct watch_source source;
    kvs_revision revision;  /* of the store, now */
    kvs_revision compacted; /* likewise */
    size_t fragment_bytes;  /* watchers that asked for it get responses up to this; 0: 1.5 MiB */
    size_t stream_watchers_max; /* 0: 100,000 */
    uint64_t seed;              /* makes the index's shape unpredictable to clients */
};

/* NULL if out of memory. */
KVS_MUST_USE struct watch_hub *watch_hub_new(const struct watch_config *config);

/* Streams must be closed. */
void watch_hub_free(struct watch_hub *h);

/* A stream with room for `credit_bytes` of queued responses; `user` is the node's. NULL if out of
 * memory. Every effect takes its cost from the credit; with none left, the stream's watchers fall
 * behind instead of queueing. One response may overdraw it. */
KVS_MUST_USE struct watch_stream *
watch_stream_open(struct watch_hub *h, size_t credit_bytes, void *user);

/* Cancels all of its watchers without a word. Effects that name it must have been carried out. */
void watch_stream_close(struct watch_hub *h, struct watch_stream *s);
void *watch_stream_user(const struct watch_stream *s);
size_t watch_stream_count(const struct watch_stream *s);

/* Responses that cost `bytes` have left the stream's queue. */
void watch_stream_return(struct watch_hub *h, struct watch_stream *s, size_t bytes);

/* Sends a progress response to each of the stream's watchers that asked for them at creation, is
 * synced and got no events since the last call. The node calls it at the progress interval.
 * KVS_E_NOMEM: some were left out. */
KVS_MUST_USE int
watch_stream_tick(struct watch_hub *h, struct watch_stream *s, struct watch_effects *effects);

/* A client's progress request: one PROGRESS with WATCH_ID_NONE if every watcher of the stream is
 * synced and has begun, after all events produced before; otherwise nothing, as etcd. */
KVS_MUST_USE int
watch_stream_progress(struct watch_hub *h, struct watch_stream *s, struct watch_effects *effects);

enum watch_filter {
    WATCH_FILTER_NOPUT = 1 << 0,
    WATCH_FILTER_NODELETE = 1 << 1,
};

struct watch_create {
    struct kvs_view key;         /* borrowed; empty: the least key */
    struct kvs_view range_end;   /* as in kvs_range_req */
    kvs_revision start_revision; /* 0: after now; in the future: waits */
    int64_t watch_id;            /* 0: the stream's next one, from 0 */
    unsigned filters;            /* of enum watch_filter */
    bool prev_kv;
    bool progress_notify;
    bool fragment;
};

/* Always answers with CREATED. A refused one (empty range, id in use, negative start, too many) has
 * watch_id WATCH_ID_NONE and a reason; a compacted start is created, then canceled. KVS_E_NOMEM:
 * nothing happened. */
KVS_MUST_USE int watch_create(struct watch_hub *h,
                              struct watch_stream *s,
                              const struct watch_create *create,
                              struct watch_effects *effects);

/* CANCELED, or nothing if the stream has no such watcher. KVS_E_NOMEM: nothing happened. */
KVS_MUST_USE int watch_cancel(struct watch_hub *h,
                              struct watch_stream *s,
                              int64_t watch_id,
                              struct watch_effects *effects);

/* The events of one revision were applied. `revision` is the hub's plus 1. Borrows the events until
 * it returns. Never fails: out of memory, a watcher falls behind and reads history later. */
void watch_on_commit(struct watch_hub *h,
                     kvs_revision revision,
                     const struct kvs_event *events,
                     size_t n_events,
                     struct watch_effects *effects);

/* History below `revision` is gone: watchers that would need it are canceled. Out of memory, the
 * rest follows with the next catch-up. */
void watch_on_compact(struct watch_hub *h, kvs_revision revision, struct watch_effects *effects);

/* The store was replaced by a snapshot: everybody reads on from its cursor. */
void watch_hub_reset(struct watch_hub *h,
                     kvs_revision revision,
                     kvs_revision compacted,
                     struct watch_effects *effects);

/* True if watch_catch_up has something to do: a watcher is behind and its stream has room. */
bool watch_has_work(const struct watch_hub *h);

/* Reads one slice of history of about `max_bytes` for all watchers that it concerns. 0, KVS_E_NOMEM
 * (nothing lost, try later), or what the source returned. */
KVS_MUST_USE int
watch_catch_up(struct watch_hub *h, size_t max_bytes, struct watch_effects *effects);

struct watch_stats {
    size_t n_streams;
    size_t n_watchers;
    size_t n_behind; /* etcd's "slow" watchers */
    size_t n_ranges; /* distinct */
    uint64_t n_events_sent;
};

void watch_stats(const struct watch_hub *h, struct watch_stats *ret_stats);

/* Aborts if an invariant is broken. For tests; O(watchers). */
void watch_hub_check(const struct watch_hub *h);

#endif
