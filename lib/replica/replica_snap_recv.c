/* Receiving a snapshot. One at a time; chunks wait in a bounded queue while the sink writes.
 *
 *   OFFERED (does the core want it?) -> WRITING -> FINISHING -> freed
 *      `---------------------------------`----------`---> FAILED -> freed when idle
 *
 * Nothing of the old state is touched before FINISHING, which begins only when every byte is there
 * and the chain of checksums was right. From then until it ends nothing is applied. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/checksum.h"
#include "replica/replica_int.h"

static void recv_ack(struct snap_recv *v, int status, bool installed)
{
    struct peer_snap_ack ack = {
        .transfer = v->id,
        .offset = v->written,
        .status = status,
        .installed = installed,
    };
    struct rcbuf *frame = peer_snap_ack_encode(&ack);

    if (frame != NULL) { /* Else the sender runs into its time-out. */
        transport_send(v->r->transport, v->from, TRANSPORT_RAFT, frame);
    }
}

static void recv_remember(const struct snap_recv *v)
{
    v->r->installed = (struct snap_installed){
        .to = v->from,
        .transfer = v->id,
        .bytes = v->written,
        .due_ms = replica_now_ms(v->r) + REPLICA_SNAP_AGAIN_MS,
        .left = REPLICA_SNAP_AGAIN,
    };
}

static void recv_say_again(struct replica *r)
{
    struct snap_installed *i = &r->installed;
    struct snap_recv v = {.r = r, .from = i->to, .id = i->transfer, .written = i->bytes};

    if (i->left > 0 && replica_now_ms(r) >= i->due_ms) {
        i->left--;
        i->due_ms += REPLICA_SNAP_AGAIN_MS;
        recv_ack(&v, 0, true);
    }
}

static void recv_refuse(struct replica *r, uint64_t from, uint64_t id, int status)
{
    struct snap_recv v = {.r = r, .from = from, .id = id};

    recv_ack(&v, status, false);
    replica_wake(r);
}

static void recv_free(struct snap_recv *v)
{
    kvs_assert(!v->busy);
    for (size_t i = 0; i < v->queue_n; i++) {
        rcbuf_unref(v->queue[(v->queue_at + i) % v->queue_capacity]);
    }
    if (v->sink != NULL) {
        v->sink->ops->abort(v->sink);
    }
    v->r->recv = NULL;
    kvs_free(v->queue);
    kvs_free(v);
}

static void recv_fail(struct snap_recv *v, int status)
{
    if (v->state != SNAP_RECV_FAILED && v->state != SNAP_RECV_FINISHING) {
        v->state = SNAP_RECV_FAILED;
        v->status = status;
        replica_wake(v->r);
    }
}

/* ---- events ---- */

static struct snap_recv *
recv_new(struct replica *r, uint64_t from, const struct peer_snap_begin *begin)
{
    struct snap_recv *v = kvs_calloc(1, sizeof *v);

    if (v == NULL) {
        return NULL;
    }
    /* The sender's window may be configured differently: room for more than ours. */
    v->queue_capacity = (size_t)r->config.limits.snapshot_window * 4;
    v->queue = kvs_calloc(v->queue_capacity, sizeof *v->queue);
    if (v->queue == NULL) {
        kvs_free(v);
        return NULL;
    }
    v->r = r;
    v->from = from;
    v->id = begin->transfer;
    v->state = SNAP_RECV_OFFERED;
    v->snapshot = (struct core_snapshot){
        .index = begin->msg.index,
        .term = begin->msg.log_term,
        .conf = begin->conf,
    };
    v->meta = (struct snapshot_meta){
        .index = begin->msg.index,
        .term = begin->msg.log_term,
        .size_bytes = begin->size_bytes,
        .conf = &v->snapshot.conf,
    };
    v->chain = v->id;
    v->progress_ms = replica_now_ms(r);
    return v;
}

int replica_recv_begin(struct replica *r, uint64_t from, struct kvs_view payload)
{
    struct peer_snap_begin begin;
    int rc = peer_snap_begin_decode(payload, &begin);

    if (rc != 0) {
        return rc == KVS_E_NOMEM ? 0 : rc;
    }
    if (begin.msg.from != from || begin.msg.to != r->config.member_id) {
        return KVS_E_MALFORMED;
    }
    if (r->recv != NULL) {
        /* The sender has given the old one up; it comes again after a pause. */
        if (r->recv->from == from && r->recv->id != begin.transfer) {
            recv_fail(r->recv, KVS_E_CANCELED);
        }
        recv_refuse(r, from, begin.transfer, KVS_E_BUSY);
        return 0;
    }
    r->recv = recv_new(r, from, &begin);
    if (r->recv == NULL) {
        recv_refuse(r, from, begin.transfer, KVS_E_NOMEM);
        return 0;
    }
    rc = core_step(r->core, &begin.msg);
    if (!replica_core_ok(r, rc)) {
        return 0;
    }
    if (rc != 0) {
        recv_free(r->recv);
    }
    replica_wake(r);
    return rc;
}

int replica_recv_chunk(struct replica *r,
                       uint64_t from,
                       struct rcbuf *frame,
                       struct kvs_view payload)
{
    struct snap_recv *v = r->recv;
    struct peer_snap_chunk chunk;
    int rc = peer_snap_chunk_decode(payload, &chunk);

    if (rc != 0) {
        return rc;
    }
    if (v == NULL || v->from != from || v->id != chunk.transfer || v->state > SNAP_RECV_WRITING) {
        return 0; /* Of a transfer that is over. */
    }
    v->chain = checksum64(chunk.data.data, chunk.data.len, v->chain);
    if (chunk.offset != v->received || chunk.chain != v->chain || chunk.data.len == 0 ||
        chunk.data.len > v->meta.size_bytes - v->received || v->queue_n == v->queue_capacity) {
        log_warn(r->log, "snapshot data are not what they should be", LOG_HEX("from", from),
                 LOG_U64("offset", chunk.offset));
        recv_fail(v, KVS_E_MALFORMED);
        return KVS_E_MALFORMED;
    }
    v->queue[(v->queue_at + v->queue_n++) % v->queue_capacity] = rcbuf_ref(frame);
    v->received += chunk.data.len;
    v->progress_ms = replica_now_ms(r);
    replica_wake(r);
    return 0;
}

static void recv_sink_cb(void *ctx, int status)
{
    struct snap_recv *v = ctx;
    struct replica *r = v->r;

    v->busy = false;
    r->n_async--;
    if (r->closing) {
        recv_free(v);
        replica_maybe_closed(r);
        return;
    }
    v->done = true;
    v->done_status = status;
    replica_wake(r);
}

/* ---- in the flush ---- */

void replica_recv_offer(struct replica *r, uint64_t from, uint64_t index)
{
    struct snap_recv *v = r->recv;

    if (v == NULL || v->state != SNAP_RECV_OFFERED || v->from != from ||
        v->snapshot.index != index) {
        r->offer_unknown = true;
        return;
    }
    if (r->owner.snapshot_begin(r->ctx, &v->meta, &v->sink) != 0) {
        v->sink = NULL;
        recv_fail(v, KVS_E_UNAVAILABLE);
        return;
    }
    log_info(r->log, "receiving snapshot", LOG_HEX("from", from), LOG_U64("index", index),
             LOG_U64("bytes", v->meta.size_bytes));
    v->state = SNAP_RECV_WRITING;
    replica_wake(r);
}

void replica_recv_settle(struct replica *r)
{
    struct snap_recv *v = r->recv;

    if (r->offer_unknown) {
        r->offer_unknown = false;
        core_snapshot_failed(r->core);
        r->dirty = true;
    }
    if (v != NULL && v->state == SNAP_RECV_OFFERED) {
        recv_ack(v, KVS_E_AGAIN, false);
        recv_free(v);
    }
}

static void recv_write(struct snap_recv *v)
{
    struct rcbuf *frame = v->queue[v->queue_at];
    struct peer_snap_chunk chunk;
    enum peer_frame_type type;
    struct kvs_view payload;
    int rc;

    peer_frame_split(frame, &type, &payload);
    rc = peer_snap_chunk_decode(payload, &chunk);
    kvs_assert(rc == 0); /* It was right when it came. */
    v->busy = true;
    v->r->n_async++;
    v->sink->ops->write(v->sink, chunk.data, recv_sink_cb, v);
}

static void recv_written(struct snap_recv *v)
{
    struct rcbuf *frame = v->queue[v->queue_at];

    v->written += frame->len - PEER_FRAME_HEADER - PEER_SNAP_CHUNK_FIXED;
    v->queue_at = (v->queue_at + 1) % v->queue_capacity;
    v->queue_n--;
    rcbuf_unref(frame);
    recv_ack(v, 0, false);
}

static void recv_finish(struct snap_recv *v)
{
    struct replica *r = v->r;
    struct snapshot_sink *sink = v->sink;
    int rc = core_snapshot_begin(r->core, &v->snapshot);

    if (!replica_core_ok(r, rc)) {
        return;
    }
    if (rc != 0) { /* Entries have caught up meanwhile: the offer is over. */
        recv_ack(v, KVS_E_AGAIN, false);
        recv_free(v);
        return;
    }
    v->state = SNAP_RECV_FINISHING;
    v->sink = NULL; /* finish frees it */
    v->busy = true;
    r->n_async++;
    sink->ops->finish(sink, recv_sink_cb, v);
}

static void recv_installed(struct snap_recv *v)
{
    struct replica *r = v->r;
    int rc = core_snapshot_installed(r->core, &v->snapshot);

    if (!replica_core_ok(r, rc)) {
        return;
    }
    if (rc != 0) {
        replica_fail(r, rc, "the core refuses an installed snapshot");
        return;
    }
    kvs_assert(v->snapshot.index >= r->applied);
    r->applied = v->snapshot.index;
    r->stored = v->snapshot.index;
    if (r->apply_to < r->applied) {
        r->apply_to = r->applied;
    }
    r->snapshots_installed++;
    replica_keep_start(r);
    log_info(r->log, "installed snapshot", LOG_U64("index", r->applied));
    r->owner.snapshot_installed(r->ctx, &v->meta);
    recv_ack(v, 0, true);
    recv_remember(v);
    recv_free(v);
}

static void recv_finished(struct snap_recv *v)
{
    struct replica *r = v->r;

    if (v->done_status == 0) {
        recv_installed(v);
        return;
    }
    core_snapshot_failed(r->core);
    r->dirty = true;
    if (kvs_err_is_fatal(v->done_status)) {
        replica_fail(r, v->done_status, "a snapshot could not be installed");
        return;
    }
    recv_ack(v, v->done_status, false);
    recv_free(v);
}

static void recv_failed(struct snap_recv *v)
{
    struct replica *r = v->r;

    log_warn(r->log, "snapshot not received", LOG_HEX("from", v->from),
             LOG_U64("bytes", v->written), LOG_STR("error", kvs_strerror(v->status)));
    core_snapshot_failed(r->core);
    r->dirty = true;
    recv_ack(v, v->status, false);
    recv_free(v);
}

void replica_recv_step(struct replica *r)
{
    struct snap_recv *v = r->recv;

    recv_say_again(r);
    if (v == NULL || v->busy) {
        return;
    }
    if (v->done) {
        v->done = false;
        if (v->state == SNAP_RECV_FINISHING) {
            recv_finished(v);
            return;
        }
        recv_written(v);
        if (v->done_status != 0) {
            recv_fail(v, v->done_status);
        }
    }
    if (replica_now_ms(r) - v->progress_ms >= r->config.limits.snapshot_timeout_ms) {
        recv_fail(v, KVS_E_TIMEOUT);
    }
    if (v->state == SNAP_RECV_FAILED) {
        recv_failed(v);
    } else if (v->state == SNAP_RECV_WRITING && v->queue_n > 0) {
        recv_write(v);
    } else if (v->state == SNAP_RECV_WRITING && v->written == v->meta.size_bytes) {
        recv_finish(v);
    }
}

void replica_recv_stop(struct replica *r)
{
    if (r->recv != NULL && !r->recv->busy) {
        recv_free(r->recv);
    }
}
