/* Requests of the owner: proposals, reads, changes of members, transfers. Each is recorded by its
 * function of replica.h and submitted by replica_flush(); each completes at most once. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "replica/replica_int.h"

static bool request_stopped(const struct replica *r)
{
    return !r->started || r->failed || r->closing || r->removed_told;
}

/* ---- proposals ---- */

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
    if (request_stopped(r)) {
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

static void proposals_submit(struct replica *r)
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

/* ---- reads ---- */

static int read_add(struct replica *r, struct replica_read *read, uint64_t term)
{
    if (r->n_reads >= r->config.limits.reads_max) {
        return KVS_E_TOO_MANY_REQUESTS;
    }
    read->status = 0;
    read->index = 0;
    read->term = term;
    list_push_back(&r->reads_new, &read->node);
    r->n_reads++;
    if (!r->in_flush) {
        replica_wake(r);
    }
    return 0;
}

int replica_read(struct replica *r, struct replica_read *read)
{
    if (request_stopped(r)) {
        return KVS_E_STOPPED;
    }
    if (r->status.leader == CORE_NONE) {
        return KVS_E_NO_LEADER;
    }
    return read_add(r, read, 0);
}

int replica_confirm_leader(struct replica *r, struct replica_read *read)
{
    if (request_stopped(r)) {
        return KVS_E_STOPPED;
    }
    if (r->status.role != CORE_LEADER) {
        return KVS_E_NOT_LEADER;
    }
    return read_add(r, read, r->status.term);
}

void replica_read_cancel(struct replica *r, struct replica_read *read)
{
    kvs_assert(r->n_reads > 0);
    list_remove(&read->node);
    r->n_reads--;
}

static void read_complete(struct replica *r, struct replica_read *read, int status, uint64_t index)
{
    kvs_assert(r->n_reads > 0 && (status != 0 || index <= r->applied));
    list_remove(&read->node);
    r->n_reads--;
    read->status = status;
    read->index = index;
    if (status == 0 && read->term != 0 &&
        (r->status.role != CORE_LEADER || r->status.term != read->term)) {
        read->status = KVS_E_NOT_LEADER;
    }
    read->cb(read);
}

static void reads_finish(struct replica *r, struct list *reads, int status, uint64_t index)
{
    /* A callback may cancel others or add new ones: always take the first of a list that only
     * shrinks. */
    while (!list_empty(reads)) {
        read_complete(r, list_entry(reads->next, struct replica_read, node), status, index);
    }
}

static void round_ask(struct replica *r, struct replica_round *round)
{
    int rc;

    round->context = replica_new_id(r);
    round->asked_ms = replica_now_ms(r);
    rc = core_read_index(r->core, round->context);
    /* Any refusal (no leader just now, too many) is asked again by the tick. */
    (void)replica_core_ok(r, rc);
}

static size_t rounds_unanswered(const struct replica *r)
{
    size_t n = 0;

    LIST_FOREACH(it, &r->rounds)
    {
        n += list_entry(it, struct replica_round, node)->answered ? 0 : 1;
    }
    return n;
}

static void reads_submit(struct replica *r)
{
    struct replica_round *round;

    if (list_empty(&r->reads_new) || rounds_unanswered(r) >= REPLICA_READ_ROUNDS) {
        return;
    }
    round = kvs_calloc(1, sizeof *round);
    if (round == NULL) {
        return; /* They wait for the next turn. */
    }
    list_init(&round->reads);
    list_splice_back(&round->reads, &r->reads_new);
    list_push_back(&r->rounds, &round->node);
    round_ask(r, round);
}

void replica_read_answer(struct replica *r, const struct core_read_state *answer)
{
    LIST_FOREACH(it, &r->rounds)
    {
        struct replica_round *round = list_entry(it, struct replica_round, node);

        if (round->context != answer->context || round->answered) {
            continue;
        }
        if (answer->status == 0) {
            round->answered = true;
            round->index = answer->index;
        }
        /* Else: asked again by the tick, or failed when the new leader is known. */
        return;
    }
}

void replica_reads_complete(struct replica *r)
{
    struct list ready;

    list_init(&ready);
    LIST_FOREACH_SAFE(it, after, &r->rounds)
    {
        struct replica_round *round = list_entry(it, struct replica_round, node);

        if (round->answered && round->index <= r->applied) {
            list_remove(&round->node);
            list_push_back(&ready, &round->node);
        }
    }
    while (!list_empty(&ready)) {
        struct replica_round *round =
            list_entry(list_pop_front(&ready), struct replica_round, node);

        reads_finish(r, &round->reads, 0, round->index);
        kvs_free(round);
    }
}

void replica_reads_fail(struct replica *r, int status)
{
    struct list reads;
    struct list *node;

    list_init(&reads);
    while ((node = list_pop_front(&r->rounds)) != NULL) {
        struct replica_round *round = list_entry(node, struct replica_round, node);

        list_splice_back(&reads, &round->reads);
        kvs_free(round);
    }
    list_splice_back(&reads, &r->reads_new);
    reads_finish(r, &reads, status, 0);
}

static void reads_tick(struct replica *r, uint64_t now_ms)
{
    LIST_FOREACH_SAFE(it, after, &r->rounds)
    {
        struct replica_round *round = list_entry(it, struct replica_round, node);

        if (round->answered || now_ms - round->asked_ms < REPLICA_READ_RETRY_MS) {
            continue;
        }
        if (list_empty(&round->reads)) { /* All were cancelled. */
            list_remove(&round->node);
            kvs_free(round);
        } else if (!r->failed) {
            round_ask(r, round);
        }
    }
}

/* ---- changes of members ---- */

static void conf_submit_free(struct replica_conf_submit *s)
{
    buf_fini(&s->bytes);
    kvs_free(s);
}

int replica_change_conf(struct replica *r,
                        const struct core_change *changes,
                        size_t n_changes,
                        struct kvs_view context,
                        struct replica_conf_change *change)
{
    struct replica_conf_submit *s;

    if (request_stopped(r)) {
        return KVS_E_STOPPED;
    }
    if (r->status.leader == CORE_NONE) {
        return KVS_E_NO_LEADER;
    }
    if (n_changes > CORE_CHANGES_MAX || context.len > CORE_CONTEXT_MAX - REPLICA_CONF_ID_BYTES) {
        return KVS_E_TOO_LONG;
    }
    s = kvs_calloc(1, sizeof *s);
    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    buf_init(&s->bytes);
    s->id = replica_new_id(r);
    s->n_changes = n_changes;
    if (n_changes > 0) {
        memcpy(s->changes, changes, n_changes * sizeof *changes);
    }
    buf_append_le64(&s->bytes, s->id);
    buf_append_view(&s->bytes, context);
    if (s->bytes.failed) {
        conf_submit_free(s);
        return KVS_E_NOMEM;
    }
    list_push_back(&r->conf_submits, &s->node);
    change->id = s->id;
    change->status = 0;
    change->index = 0;
    list_push_back(&r->conf_changes, &change->node);
    replica_wake(r);
    return 0;
}

void replica_conf_cancel(struct replica *r, struct replica_conf_change *change)
{
    (void)r;
    list_remove(&change->node);
}

static struct replica_conf_change *conf_find(struct replica *r, uint64_t id)
{
    LIST_FOREACH(it, &r->conf_changes)
    {
        struct replica_conf_change *change = list_entry(it, struct replica_conf_change, node);

        if (change->id == id) {
            return change;
        }
    }
    return NULL;
}

static void conf_complete(struct replica_conf_change *change, int status)
{
    list_remove(&change->node);
    change->status = status;
    change->cb(change);
}

static void conf_submit(struct replica *r)
{
    struct list *node;

    while (!r->failed && (node = list_pop_front(&r->conf_submits)) != NULL) {
        struct replica_conf_submit *s = list_entry(node, struct replica_conf_submit, node);
        struct replica_conf_change *change;
        uint64_t id = s->id;
        int rc = core_propose_conf(r->core, s->changes, s->n_changes, buf_view(&s->bytes), s->id);

        conf_submit_free(s);
        if (!replica_core_ok(r, rc)) {
            return;
        }
        change = conf_find(r, id);
        if (rc != 0 && change != NULL) {
            conf_complete(change, rc);
        }
    }
}

/* A committed configuration: with the change's own entry it is made, unless that one is joint;
 * then the entry that leaves the joint state completes it. */
void replica_conf_seen(struct replica *r, uint64_t index, const struct core_conf *conf, uint64_t id)
{
    struct replica_conf_change *change = id != 0 ? conf_find(r, id) : NULL;
    struct list done;

    if (change != NULL) {
        change->index = index;
    }
    if (core_conf_is_joint(conf)) {
        return;
    }
    list_init(&done);
    LIST_FOREACH_SAFE(it, after, &r->conf_changes)
    {
        if (list_entry(it, struct replica_conf_change, node)->index != 0) {
            list_remove(it);
            list_push_back(&done, it);
        }
    }
    while (!list_empty(&done)) {
        conf_complete(list_entry(done.next, struct replica_conf_change, node), 0);
    }
}

void replica_proposal_refused(struct replica *r, const struct core_dropped *dropped)
{
    struct replica_conf_change *change = conf_find(r, dropped->context);

    if (change != NULL) {
        conf_complete(change, dropped->reason);
        return;
    }
    r->proposals_dropped++;
    r->owner.proposal_dropped(r->ctx, dropped->context, dropped->reason);
}

/* ---- transfer ---- */

static uint64_t transfer_choose(const struct replica *r)
{
    const struct core_conf *conf = core_conf(r->core);
    uint64_t best = CORE_NONE;
    uint64_t best_match = 0;

    for (uint32_t i = 0; i < conf->voters.n; i++) {
        struct core_peer_status peer;
        uint64_t id = conf->voters.ids[i];

        if (id == r->config.member_id || core_peer_status(r->core, id, &peer) != 0 ||
            !peer.active) {
            continue;
        }
        if (best == CORE_NONE || peer.match > best_match) {
            best = id;
            best_match = peer.match;
        }
    }
    return best;
}

int replica_transfer(struct replica *r,
                     uint64_t target,
                     unsigned timeout_ms,
                     struct replica_transfer *transfer)
{
    if (request_stopped(r)) {
        return KVS_E_STOPPED;
    }
    if (r->status.role != CORE_LEADER) {
        return KVS_E_NOT_LEADER;
    }
    if (r->transfer != NULL) {
        return KVS_E_BUSY;
    }
    if (target == CORE_NONE) {
        target = transfer_choose(r);
    }
    if (target == CORE_NONE || !core_set_has(&core_conf(r->core)->voters, target)) {
        return KVS_E_BAD_LEADER_TRANSFEREE;
    }
    transfer->status = 0;
    transfer->target = target;
    transfer->deadline_ms = replica_now_ms(r) + timeout_ms;
    r->transfer = transfer;
    r->transfer_asked = false;
    replica_wake(r);
    return 0;
}

static void transfer_complete(struct replica *r, int status)
{
    struct replica_transfer *transfer = r->transfer;

    r->transfer = NULL;
    transfer->status = status;
    transfer->cb(transfer);
}

static void transfer_submit(struct replica *r)
{
    int rc;

    if (r->transfer == NULL || r->transfer_asked) {
        return;
    }
    r->transfer_asked = true;
    if (r->transfer->target == r->config.member_id) {
        transfer_complete(r, 0);
        return;
    }
    rc = core_transfer(r->core, r->transfer->target);
    if (replica_core_ok(r, rc) && rc != 0) {
        transfer_complete(r, rc);
    }
}

void replica_transfer_check(struct replica *r)
{
    if (r->transfer == NULL || !r->transfer_asked) {
        return;
    }
    if (r->status.leader == r->transfer->target) {
        transfer_complete(r, 0);
    } else if (r->status.leader != CORE_NONE && r->status.leader != r->config.member_id) {
        transfer_complete(r, KVS_E_LEADER_CHANGED);
    }
}

static void transfer_tick(struct replica *r, uint64_t now_ms)
{
    if (r->transfer == NULL || !r->transfer_asked) {
        return;
    }
    /* The core gives up after an election timeout, then we lead on. */
    if (now_ms >= r->transfer->deadline_ms ||
        (r->status.role == CORE_LEADER && r->status.transfer_to == CORE_NONE)) {
        transfer_complete(r, KVS_E_TIMEOUT_LEADER_TRANSFER);
    }
}

/* ---- together ---- */

bool replica_requests_waiting(const struct replica *r)
{
    return !list_empty(&r->conf_submits) || !list_empty(&r->batches) ||
           (r->transfer != NULL && !r->transfer_asked) ||
           (!list_empty(&r->reads_new) && rounds_unanswered(r) < REPLICA_READ_ROUNDS);
}

void replica_submit_requests(struct replica *r)
{
    conf_submit(r);
    proposals_submit(r);
    if (!r->failed) {
        transfer_submit(r);
    }
    if (!r->failed) {
        reads_submit(r);
    }
}

void replica_requests_tick(struct replica *r)
{
    uint64_t now_ms = replica_now_ms(r);

    reads_tick(r, now_ms);
    transfer_tick(r, now_ms);
}

void replica_requests_stop(struct replica *r)
{
    struct list *node;

    replica_reads_fail(r, KVS_E_STOPPED);
    if (r->transfer != NULL) {
        transfer_complete(r, KVS_E_STOPPED);
    }
    while (!list_empty(&r->conf_changes)) {
        conf_complete(list_entry(r->conf_changes.next, struct replica_conf_change, node),
                      KVS_E_STOPPED);
    }
    while ((node = list_pop_front(&r->conf_submits)) != NULL) {
        conf_submit_free(list_entry(node, struct replica_conf_submit, node));
    }
    while ((node = list_pop_front(&r->batches)) != NULL) {
        replica_batch_free(list_entry(node, struct replica_batch, node));
    }
}
