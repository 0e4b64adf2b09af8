/* Read points. Reads of one turn wait together in a round, which is one question to the leader:
 *
 *   reads_new -> round asked (at most two at once) -> answered with an index -> applied ->
 * callbacks
 *                  `-- asked again with a new context, each 500 ms without an answer */
#include "base/alloc.h"
#include "base/assert.h"
#include "replica/replica_int.h"

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
    if (replica_stopped(r)) {
        return KVS_E_STOPPED;
    }
    if (r->status.leader == CORE_NONE) {
        return KVS_E_NO_LEADER;
    }
    return read_add(r, read, 0);
}

int replica_confirm_leader(struct replica *r, struct replica_read *read)
{
    if (replica_stopped(r)) {
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

void replica_reads_submit(struct replica *r)
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

void replica_reads_tick(struct replica *r, uint64_t now_ms)
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

bool replica_reads_waiting(const struct replica *r)
{
    return !list_empty(&r->reads_new) && rounds_unanswered(r) < REPLICA_READ_ROUNDS;
}
