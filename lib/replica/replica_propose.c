/* Proposals: gathered into batches by replica_propose(), one core_propose() per batch. */
#include "base/alloc.h"
#include "base/assert.h"
#include "replica/replica_int.h"

void replica_batch_free(struct replica_batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        rcbuf_unref(b->entries[i].owner);
    }
    kvs_free(b->entries);
    kvs_free(b);
}

static struct replica_batch *batch_new(struct replica *r)
{
    struct replica_batch *b = r->spare_batch;

    r->spare_batch = NULL;
    if (b == NULL) {
        b = kvs_calloc(1, sizeof *b);
    }
    if (b != NULL) {
        b->id = replica_new_id(r);
        list_push_back(&r->batches, &b->node);
    }
    return b;
}

/* The batch that takes one more entry of `len` bytes. */
static struct replica_batch *batch_for(struct replica *r, size_t len)
{
    struct replica_batch *b = NULL;

    if (!list_empty(&r->batches)) {
        b = list_entry(r->batches.prev, struct replica_batch, node);
    }
    if (b == NULL || b->n >= REPLICA_BATCH_ENTRIES ||
        (b->n > 0 && b->bytes + len > REPLICA_BATCH_BYTES)) {
        b = batch_new(r);
    }
    if (b != NULL && b->n == b->capacity) {
        size_t capacity = b->capacity > 0 ? b->capacity * 2 : 16;
        struct core_entry *entries = kvs_realloc(b->entries, capacity * sizeof *entries);

        if (entries == NULL) {
            return NULL;
        }
        b->entries = entries;
        b->capacity = capacity;
    }
    return b;
}

static int propose_check(const struct replica *r, size_t len)
{
    if (replica_stopped(r)) {
        return KVS_E_STOPPED;
    }
    if (len == 0 || len > r->config.limits.entry_bytes_max) {
        return KVS_E_REQUEST_TOO_LARGE;
    }
    if (r->status.leader == CORE_NONE) {
        return KVS_E_NO_LEADER;
    }
    if (r->transfer != NULL) {
        return KVS_E_BUSY;
    }
    if (r->batched_bytes + len > r->config.limits.uncommitted_bytes_max) {
        return KVS_E_TOO_MANY_REQUESTS;
    }
    return 0;
}

int replica_propose_buf(struct replica *r, struct rcbuf *data, uint64_t *ret_batch)
{
    struct replica_batch *b;
    int rc = propose_check(r, data->len);

    if (rc != 0) {
        return rc;
    }
    b = batch_for(r, data->len);
    if (b == NULL) {
        return KVS_E_NOMEM;
    }
    b->entries[b->n++] = (struct core_entry){
        .type = CORE_ENTRY_DATA,
        .data = rcbuf_view(data),
        .owner = data,
    };
    b->bytes += data->len;
    r->batched_bytes += data->len;
    if (ret_batch != NULL) {
        *ret_batch = b->id;
    }
    if (!r->in_flush) {
        replica_wake(r);
    }
    return 0;
}

int replica_propose(struct replica *r, struct kvs_view data, uint64_t *ret_batch)
{
    struct rcbuf *copy;
    int rc = propose_check(r, data.len);

    if (rc != 0) {
        return rc;
    }
    copy = rcbuf_copy(data);
    if (copy == NULL) {
        return KVS_E_NOMEM;
    }
    rc = replica_propose_buf(r, copy, ret_batch);
    if (rc != 0) {
        rcbuf_unref(copy);
    }
    return rc;
}

static void batch_recycle(struct replica *r, struct replica_batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        rcbuf_unref(b->entries[i].owner);
    }
    b->n = 0;
    b->bytes = 0;
    if (r->spare_batch == NULL && b->capacity <= REPLICA_BATCH_ENTRIES) {
        r->spare_batch = b;
    } else {
        replica_batch_free(b);
    }
}

void replica_proposals_submit(struct replica *r)
{
    struct list *node;

    while (!r->failed && (node = list_pop_front(&r->batches)) != NULL) {
        struct replica_batch *b = list_entry(node, struct replica_batch, node);
        int rc = core_propose(r->core, b->entries, b->n, b->id);
        uint64_t id = b->id;
        size_t n = b->n;

        r->batched_bytes -= b->bytes;
        batch_recycle(r, b);
        if (replica_core_ok(r, rc) && rc != 0) {
            r->proposals_dropped += n;
            r->owner.proposal_dropped(r->ctx, id, rc);
        }
    }
}

void replica_proposal_refused(struct replica *r, const struct core_dropped *dropped)
{
    r->proposals_dropped++;
    r->owner.proposal_dropped(r->ctx, dropped->context, dropped->reason);
}

void replica_proposals_stop(struct replica *r)
{
    struct list *node;

    while ((node = list_pop_front(&r->batches)) != NULL) {
        replica_batch_free(list_entry(node, struct replica_batch, node));
    }
}
