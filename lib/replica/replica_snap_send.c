/* Sending a snapshot to a follower whose entries are gone.
 *
 *   WAITING -> OPENING -> RUNNING -> OVER (told to the core after a pause if it failed) -> freed
 *      `-----------`---------`--------^
 *
 * Data go chunk by chunk over a connection of their own. At most `window` chunks are unacknowledged
 * and one is being read, which bounds the memory on both sides; Raft's messages do not wait behind
 * them. Every step is taken by replica_sends_step() in the flush; events only record. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "replica/replica_int.h"

enum { SNAP_INSTALL_PATIENCE = 10 };

static void send_over(struct snap_send *s, bool ok)
{
    uint64_t now = replica_now_ms(s->r);

    if (s->state == SNAP_SEND_OVER) {
        return;
    }
    s->state = SNAP_SEND_OVER;
    s->ok = ok;
    /* A failure is told later: the core would ask for the next one at once. */
    s->report_ms = ok ? now : now + REPLICA_SEND_RETRY_MS;
    if (ok) {
        s->r->snapshots_sent++;
        log_info(s->r->log, "sent snapshot", LOG_HEX("to", s->peer), LOG_U64("bytes", s->acked));
    } else {
        s->r->snapshots_failed++;
        log_warn(s->r->log, "snapshot not sent", LOG_HEX("to", s->peer),
                 LOG_U64("bytes", s->acked));
    }
    s->r->transport->ops->reset_stream(s->r->transport, s->peer, TRANSPORT_SNAPSHOT);
}

static void send_free(struct snap_send *s)
{
    kvs_assert(!s->busy);
    list_remove(&s->node);
    if (s->source != NULL) {
        s->source->ops->close(s->source);
    }
    rcbuf_unref(s->frame);
    kvs_free(s);
}

static struct snap_send *send_find(struct replica *r, uint64_t peer)
{
    LIST_FOREACH(it, &r->sends)
    {
        struct snap_send *s = list_entry(it, struct snap_send, node);

        if (s->peer == peer && s->state != SNAP_SEND_OVER) {
            return s;
        }
    }
    return NULL;
}

/* The core's effect; only recorded. */
void replica_send_start(struct replica *r, uint64_t peer)
{
    struct snap_send *s;

    if (send_find(r, peer) != NULL) {
        return;
    }
    s = kvs_calloc(1, sizeof *s);
    if (s == NULL) {
        replica_fail(r, KVS_E_NOMEM, "out of memory for a snapshot transfer");
        return;
    }
    s->r = r;
    s->peer = peer;
    s->id = replica_new_id(r);
    s->state = SNAP_SEND_WAITING;
    s->hold_index = r->stored;
    list_push_back(&r->sends, &s->node);
    replica_wake(r);
}

/* ---- opening ---- */

static bool send_slot_free(const struct replica *r)
{
    unsigned n = 0;

    LIST_FOREACH(it, &r->sends)
    {
        const struct snap_send *s = list_entry(it, struct snap_send, node);

        n += s->busy || s->state == SNAP_SEND_RUNNING ? 1 : 0;
    }
    return n < REPLICA_SENDS_MAX;
}

static void send_open(struct snap_send *s)
{
    struct replica *r = s->r;

    s->state = SNAP_SEND_OPENING;
    s->progress_ms = replica_now_ms(r);
    s->hold_index = r->stored;
    s->open = (struct replica_snapshot_open){.to = s->peer, .index_min = r->kept_first - 1};
    if (r->owner.snapshot_open(r->ctx, &s->open) != 0) {
        send_over(s, false);
        return;
    }
    s->busy = true;
    r->n_async++;
}

void replica_snapshot_opened(struct replica *r,
                             struct replica_snapshot_open *request,
                             int status,
                             struct snapshot_source *source)
{
    struct snap_send *s = container_of(request, struct snap_send, open);

    kvs_assert(s->r == r && s->busy && (status == 0) == (source != NULL));
    s->busy = false;
    r->n_async--;
    s->source = source;
    if (r->closing) {
        send_free(s);
        replica_maybe_closed(r);
        return;
    }
    s->read_done = true;
    s->read_status = status;
    replica_wake(r);
}

static void send_begin(struct snap_send *s)
{
    struct replica *r = s->r;
    const struct snapshot_meta *meta = &s->source->meta;
    struct peer_snap_begin begin = {
        .transfer = s->id,
        .size_bytes = meta->size_bytes,
        .conf = *meta->conf,
    };
    struct rcbuf *frame;

    if (meta->index < s->open.index_min ||
        core_snapshot_msg(r->core, s->peer, meta->index, meta->term, &begin.msg) != 0 ||
        peer_snap_begin_encode(&begin, &frame) != 0) {
        send_over(s, false);
        return;
    }
    log_info(r->log, "sending snapshot", LOG_HEX("to", s->peer), LOG_U64("index", meta->index),
             LOG_U64("bytes", meta->size_bytes));
    transport_send(r->transport, s->peer, TRANSPORT_SNAPSHOT, frame);
    s->state = SNAP_SEND_RUNNING;
    s->hold_index = meta->index;
    s->chain = s->id;
    s->progress_ms = replica_now_ms(r);
}

/* ---- running ---- */

static void send_read_cb(void *ctx, int status)
{
    struct snap_send *s = ctx;
    struct replica *r = s->r;

    s->busy = false;
    r->n_async--;
    if (r->closing) {
        send_free(s);
        replica_maybe_closed(r);
        return;
    }
    s->read_done = true;
    s->read_status = status;
    replica_wake(r);
}

static void send_chunk(struct snap_send *s)
{
    s->chain = peer_snap_chunk_seal(s->frame, s->chain);
    transport_send(s->r->transport, s->peer, TRANSPORT_SNAPSHOT, s->frame);
    s->frame = NULL;
    s->read += s->frame_len;
}

static void send_read(struct snap_send *s)
{
    const struct replica_limits *l = &s->r->config.limits;
    uint64_t left = s->source->meta.size_bytes - s->read;
    uint64_t window = (uint64_t)l->snapshot_chunk_bytes * l->snapshot_window;
    uint8_t *to;

    if (left == 0 || s->read - s->acked + l->snapshot_chunk_bytes > window) {
        return;
    }
    s->frame_len = left < l->snapshot_chunk_bytes ? (size_t)left : l->snapshot_chunk_bytes;
    s->frame = peer_snap_chunk_new(s->id, s->read, s->frame_len, &to);
    if (s->frame == NULL) {
        send_over(s, false);
        return;
    }
    s->busy = true;
    s->r->n_async++;
    s->source->ops->read(s->source, s->read, to, s->frame_len, send_read_cb, s);
}

void replica_send_ack(struct replica *r, uint64_t from, const struct peer_snap_ack *ack)
{
    struct snap_send *s = send_find(r, from);

    if (s == NULL || s->id != ack->transfer || s->state != SNAP_SEND_RUNNING ||
        ack->offset > s->read || ack->offset < s->acked) {
        return; /* Of an earlier transfer. */
    }
    s->acked = ack->offset;
    s->progress_ms = replica_now_ms(r);
    if (ack->installed || ack->status != 0) {
        send_over(s, ack->installed && ack->status == 0);
    }
    replica_wake(r);
}

void replica_send_lost(struct replica *r, uint64_t peer)
{
    struct snap_send *s = send_find(r, peer);

    if (s != NULL && s->state != SNAP_SEND_OPENING) {
        send_over(s, false);
        replica_wake(r);
    }
}

/* ---- steps ---- */

static void send_answered(struct snap_send *s)
{
    s->read_done = false;
    if (s->state == SNAP_SEND_OVER) {
        return;
    }
    if (s->read_status != 0) {
        log_warn(s->r->log, "snapshot cannot be read", LOG_HEX("to", s->peer),
                 LOG_STR("error", kvs_strerror(s->read_status)));
        send_over(s, false);
    } else if (s->state == SNAP_SEND_OPENING) {
        send_begin(s);
    } else {
        send_chunk(s);
    }
}

static void send_report(struct snap_send *s)
{
    struct replica *r = s->r;

    if (!s->reported && replica_now_ms(r) >= s->report_ms) {
        s->reported = true;
        core_snapshot_sent(r->core, s->peer, s->ok, s->source != NULL ? s->source->meta.index : 0);
        r->dirty = true;
    }
    if (s->reported && !s->busy) {
        send_free(s);
    }
}

/* Once all is there the receiver syncs and installs it, which takes longer than a chunk. */
static bool send_timed_out(const struct snap_send *s)
{
    uint64_t patience_ms = s->r->config.limits.snapshot_timeout_ms;

    if (s->state != SNAP_SEND_RUNNING) {
        return false;
    }
    if (s->acked == s->source->meta.size_bytes) {
        patience_ms *= SNAP_INSTALL_PATIENCE;
    }
    return replica_now_ms(s->r) - s->progress_ms >= patience_ms;
}

void replica_sends_step(struct replica *r)
{
    LIST_FOREACH_SAFE(it, after, &r->sends)
    {
        struct snap_send *s = list_entry(it, struct snap_send, node);

        if (s->read_done) {
            send_answered(s);
        }
        if (s->state == SNAP_SEND_WAITING && send_slot_free(r)) {
            send_open(s);
        }
        if (send_timed_out(s) || (s->state != SNAP_SEND_OVER && s->state != SNAP_SEND_OPENING &&
                                  r->status.role != CORE_LEADER)) {
            send_over(s, false);
        }
        if (s->state == SNAP_SEND_RUNNING && !s->busy) {
            send_read(s);
        }
        if (s->state == SNAP_SEND_OVER) {
            send_report(s);
        }
    }
}

uint64_t replica_sends_hold(const struct replica *r)
{
    uint64_t hold = UINT64_MAX;

    LIST_FOREACH(it, &r->sends)
    {
        const struct snap_send *s = list_entry(it, struct snap_send, node);

        if (s->hold_index < hold) {
            hold = s->hold_index;
        }
    }
    return hold;
}

void replica_sends_stop(struct replica *r)
{
    LIST_FOREACH_SAFE(it, after, &r->sends)
    {
        struct snap_send *s = list_entry(it, struct snap_send, node);

        if (!s->busy) {
            send_free(s);
        }
    }
}
