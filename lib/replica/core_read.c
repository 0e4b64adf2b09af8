/* Read index: proof that this is still the leader, shared by all reads that wait (6.4).
 *
 *   asked -> (own-term entry committed: index = commit) -> in a round -> majority answered -> index
 *
 * Heartbeats carry the number of the latest round and the followers return it. One round is under
 * way at a time; reads that come meanwhile share the next one, so load makes rounds larger instead
 * of more frequent. A lost heartbeat is made up for by the next regular one. */
#include "replica/core_int.h"

#include "base/alloc.h"

static int read_add(struct core *c, uint64_t from, uint64_t context)
{
    struct core_read *r;
    bool ready = core_own_term_committed(c) || core_mutated(MUTANT_READ_BEFORE_OWN_TERM);

    kvs_assert(c->role == CORE_LEADER);
    if (c->n_reads == c->config.max_reads) {
        return KVS_E_TOO_MANY_REQUESTS;
    }
    r = &c->reads[c->n_reads++];
    *r = (struct core_read){.from = from, .context = context, .index = ready ? c->commit : 0};
    return 0;
}

int core_read_index(struct core *c, uint64_t context)
{
    struct core_msg m = {.type = CORE_MSG_READ_INDEX, .to = c->leader, .context = context};
    int rc = core_event_begin(c);

    if (rc != 0) {
        return rc;
    }
    if (c->role == CORE_LEADER) {
        return read_add(c, c->config.id, context);
    }
    if (c->leader == CORE_NONE) {
        return KVS_E_NO_LEADER;
    }
    core_send(c, m, 0);
    return 0;
}

static void reply_read(struct core *c, uint64_t to, uint64_t context, uint64_t index, int status)
{
    struct core_msg m = {
        .type = CORE_MSG_READ_INDEX_REPLY,
        .to = to,
        .context = context,
        .index = index,
        .status = status,
    };

    if (to == c->config.id) {
        core_answer(c, context, index, status);
    } else {
        core_send(c, m, 0);
    }
}

void core_on_read_index(struct core *c, const struct core_msg *m)
{
    int rc = c->role == CORE_LEADER ? read_add(c, m->from, m->context) : KVS_E_LEADER_CHANGED;

    kvs_assert(m->from != c->config.id);
    if (rc != 0) {
        reply_read(c, m->from, m->context, 0, rc);
    }
}

static uint64_t peer_round(const struct core *c, const struct core_peer *p)
{
    return p->id == c->config.id ? c->round : p->round;
}

void core_reads_start(struct core *c)
{
    bool any = false;

    kvs_assert(c->role == CORE_LEADER);
    /* The one whose answer was awaited may have been removed: nobody else will speak up then. */
    if (c->n_reads > 0 && c->reads[0].round != 0 &&
        c->reads[0].round <= core_quorum(c, peer_round)) {
        core_reads_confirm(c);
    }
    if (c->n_reads == 0 || c->reads[0].round != 0) {
        return; /* The queue is in order: if one is in a round, the first is. */
    }
    for (size_t i = 0; i < c->n_reads; i++) {
        if (c->reads[i].index != 0 || core_mutated(MUTANT_READ_BEFORE_OWN_TERM)) {
            c->reads[i].round = c->round + 1;
            any = true;
        }
    }
    if (any) {
        c->round++;
        core_broadcast_heartbeat(c);
        core_reads_confirm(c); /* A sole voter is its own majority. */
    }
}

void core_reads_confirm(struct core *c)
{
    uint64_t confirmed = core_quorum(c, peer_round);
    size_t kept = 0;

    kvs_assert(c->role == CORE_LEADER);
    if (core_mutated(MUTANT_READ_WITHOUT_QUORUM)) {
        confirmed = c->round;
    }
    for (size_t i = 0; i < c->n_reads; i++) {
        const struct core_read *r = &c->reads[i];

        if (r->round != 0 && r->round <= confirmed) {
            reply_read(c, r->from, r->context, r->index, 0);
        } else {
            c->reads[kept++] = *r;
        }
    }
    c->n_reads = kept;
}

void core_reads_fail(struct core *c)
{
    for (size_t i = 0; i < c->n_reads; i++) {
        if (c->reads[i].from == c->config.id) {
            core_answer(c, c->reads[i].context, 0, KVS_E_LEADER_CHANGED);
        }
    }
    c->n_reads = 0;
}
