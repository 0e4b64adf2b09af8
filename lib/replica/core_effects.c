/* What the owner is given, and what is held back until it is on disk.
 *
 * Each persist batch has a number; batches reach the disk in order. A queued message names the
 * batch that it needs. No message leaves at a term that is not durable, no vote before it is
 * recorded, no acknowledgement before the entries are synced.
 *
 * Invariants: persisted_seq < next_seq; persisted <= last index; writes ascend by seq; a batch's
 * `last` never exceeds the log. */
#include "replica/core_int.h"

#include <string.h>

#include "base/alloc.h"

enum {
    HELD_MAX = 16384,       /* messages that wait for a disk that does not answer */
    REPLIES_PER_EVENT = 16, /* besides broadcasts and answers to reads: in fact two or three */
};

int core_event_begin(struct core *c)
{
    void *outs = c->outs;
    void *answers = c->answers;
    void *drops = c->drops;
    size_t n_outs = c->n_outs + 2 * c->n_peers + c->n_reads + REPLIES_PER_EVENT;
    int rc;

    rc = core_grow(&outs, &c->outs_capacity, sizeof *c->outs, n_outs);
    c->outs = outs;
    if (rc != 0) {
        return rc;
    }
    rc = core_grow(&answers, &c->answers_capacity, sizeof *c->answers,
                   c->n_answers + c->n_reads + 1);
    c->answers = answers;
    if (rc != 0) {
        return rc;
    }
    rc = core_grow(&drops, &c->drops_capacity, sizeof *c->drops, c->n_drops + 1);
    c->drops = drops;
    return rc;
}

void core_send(struct core *c, struct core_msg m, uint64_t need)
{
    kvs_assert(c->n_outs < c->outs_capacity);
    kvs_assert(m.to != CORE_NONE && m.to != c->config.id);
    m.from = c->config.id;
    if (m.term == 0) {
        m.term = c->term;
    }
    if (need < c->hard_seq) {
        need = c->hard_seq;
    }
    if ((core_mutated(MUTANT_VOTE_BEFORE_PERSIST) && m.type == CORE_MSG_VOTE_REPLY) ||
        (core_mutated(MUTANT_ACK_BEFORE_PERSIST) && m.type == CORE_MSG_APPEND_REPLY)) {
        need = 0;
    }
    if (need > c->persisted_seq && c->n_outs >= HELD_MAX) {
        core_msg_free_entries(&m); /* As if the network had lost it. */
        return;
    }
    c->outs[c->n_outs++] = (struct core_out){.msg = m, .need = need};
}

uint64_t core_seq_of(const struct core *c, uint64_t index)
{
    kvs_assert(index <= core_last(c));
    if (index <= c->persisted) {
        return 0;
    }
    for (size_t i = 0; i < c->n_writes; i++) {
        if (c->writes[i].last >= index) {
            return c->writes[i].seq;
        }
    }
    return c->next_seq;
}

void core_hard_changed(struct core *c)
{
    c->hard_dirty = true;
    c->hard_seq = c->next_seq;
}

void core_msg_free_entries(struct core_msg *m)
{
    if (m->type != CORE_MSG_FORWARD_PROPOSE) {
        return;
    }
    for (size_t i = 0; i < m->n_entries; i++) {
        rcbuf_unref(m->entries[i].owner);
    }
    kvs_free(m->entries);
    m->entries = NULL;
    m->n_entries = 0;
}

void core_outs_drop_held(struct core *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->n_outs; i++) {
        if (c->outs[i].need <= c->persisted_seq) {
            c->outs[kept++] = c->outs[i];
        } else {
            core_msg_free_entries(&c->outs[i].msg);
        }
    }
    c->n_outs = kept;
}

void core_answer(struct core *c, uint64_t context, uint64_t index, int status)
{
    kvs_assert(c->n_answers < c->answers_capacity);
    c->answers[c->n_answers++] =
        (struct core_read_state){.context = context, .index = index, .status = status};
}

void core_drop(struct core *c, uint64_t context, int reason)
{
    kvs_assert(c->n_drops < c->drops_capacity);
    kvs_assert(reason != 0);
    c->drops[c->n_drops++] = (struct core_dropped){.context = context, .reason = reason};
}

void core_persist_cut(struct core *c, uint64_t from)
{
    kvs_assert(from > 0);
    if (c->persisted >= from) {
        c->persisted = from - 1;
    }
    if (c->unsaved_from > from) {
        c->unsaved_from = from;
    }
    for (size_t i = 0; i < c->n_writes; i++) {
        if (c->writes[i].last >= from) {
            c->writes[i].last = from - 1;
        }
    }
}

int core_persisted(struct core *c, uint64_t seq)
{
    size_t done = 0;
    int rc = core_event_begin(c);

    kvs_assert(seq < c->next_seq);
    if (rc != 0 || seq <= c->persisted_seq) {
        return rc;
    }
    for (; done < c->n_writes && c->writes[done].seq <= seq; done++) {
        if (c->writes[done].last > c->persisted) {
            c->persisted = c->writes[done].last;
        }
    }
    c->n_writes -= done;
    memmove(c->writes, c->writes + done, c->n_writes * sizeof *c->writes);
    c->persisted_seq = seq;
    kvs_assert(c->persisted <= core_last(c));
    return core_engine_persisted(c);
}

/* --- collecting ------------------------------------------------------------------------------- */

static int effects_persist(struct core *c, struct core_persist *ret)
{
    void *writes = c->writes;
    int rc;

    /* What is not on disk yet is no hint: a torn batch could leave other entries in its place. */
    ret->hard.term = c->term;
    ret->hard.vote = c->vote;
    ret->hard.commit = c->commit < c->persisted ? c->commit : c->persisted;
    ret->from = c->unsaved_from;
    ret->to = core_last(c);
    if (!c->hard_dirty && !c->reset_dirty && ret->from > ret->to) {
        return 0;
    }
    rc = core_grow(&writes, &c->writes_capacity, sizeof *c->writes, c->n_writes + 1);
    c->writes = writes;
    if (rc != 0) {
        return rc;
    }
    ret->seq = c->next_seq++;
    ret->hard_changed = c->hard_dirty;
    ret->reset = c->reset_dirty;
    ret->reset_index = c->reset_dirty ? c->reset_index : 0;
    ret->reset_term = c->reset_dirty ? c->reset_term : 0;
    c->writes[c->n_writes++] = (struct core_write){.seq = ret->seq, .last = ret->to};
    c->hard_dirty = false;
    c->reset_dirty = false;
    c->unsaved_from = ret->to + 1;
    return 0;
}

/* Acknowledgements that leave together say no more than the last of them. */
static bool effects_supersedes(const struct core_msg *newer, const struct core_msg *older)
{
    return newer->type == CORE_MSG_APPEND_REPLY && older->type == CORE_MSG_APPEND_REPLY &&
           newer->to == older->to && newer->term == older->term && !newer->reject &&
           !older->reject && newer->index >= older->index;
}

static int effects_release(struct core *c)
{
    void *ready = c->ready;
    size_t kept = 0;
    int rc = core_grow(&ready, &c->ready_capacity, sizeof *c->ready, c->n_ready + c->n_outs);

    c->ready = ready;
    if (rc != 0) {
        return rc;
    }
    for (size_t i = 0; i < c->n_outs; i++) {
        if (c->outs[i].need > c->persisted_seq) {
            c->outs[kept++] = c->outs[i];
            continue;
        }
        if (c->n_ready > 0 && effects_supersedes(&c->outs[i].msg, &c->ready[c->n_ready - 1])) {
            c->n_ready--;
        }
        c->ready[c->n_ready++] = c->outs[i].msg;
    }
    c->n_outs = kept;
    return 0;
}

/* The scratch array may have moved while it grew, so the pointers are set when it is complete. */
static void effects_link_entries(struct core *c)
{
    size_t at = 0;

    for (size_t i = 0; i < c->n_ready; i++) {
        if (c->ready[i].type == CORE_MSG_APPEND && c->ready[i].n_entries > 0) {
            c->ready[i].entries = c->scratch + at;
            at += c->ready[i].n_entries;
        }
    }
    kvs_assert(at == c->n_scratch);
}

/* Membership is over when the configuration without this server is applied. */
static void effects_watch_membership(struct core *c, uint64_t apply_to)
{
    const struct core_conf_mark *before = core_log_mark_at(&c->log, c->apply_given);
    const struct core_conf_mark *after = core_log_mark_at(&c->log, apply_to);

    if (before == NULL || after == NULL || before == after) {
        return;
    }
    for (const struct core_conf_mark *m = before; m < after; m++) {
        if (core_conf_is_member(&m->conf, c->config.id) &&
            !core_conf_is_member(&after->conf, c->config.id)) {
            c->removed = true;
        }
    }
}

static void effects_apply(struct core *c)
{
    uint64_t to = c->commit < c->persisted ? c->commit : c->persisted;

    if (core_mutated(MUTANT_APPLY_BEFORE_COMMIT)) {
        to = c->persisted;
    }
    if (c->installing || to <= c->apply_given) {
        return;
    }
    effects_watch_membership(c, to);
    c->apply_given = to;
}

static void effects_clear(struct core *c)
{
    for (size_t i = 0; i < c->n_ready; i++) {
        core_msg_free_entries(&c->ready[i]);
    }
    c->n_ready = 0;
    c->n_scratch = 0;
    c->n_answers -= c->answers_given;
    memmove(c->answers, c->answers + c->answers_given, c->n_answers * sizeof *c->answers);
    c->answers_given = 0;
    c->n_drops -= c->drops_given;
    memmove(c->drops, c->drops + c->drops_given, c->n_drops * sizeof *c->drops);
    c->drops_given = 0;
}

static void effects_status(struct core *c, struct core_effects *fx)
{
    fx->status_changed =
        c->told.role != c->role || c->told.term != c->term || c->told.leader != c->leader;
    c->told.role = c->role;
    c->told.term = c->term;
    c->told.leader = c->leader;
    fx->conf_changed = c->conf_changed;
    c->conf_changed = false;
    fx->removed_self = c->removed && !c->removed_told;
    c->removed_told = c->removed;
}

static void effects_snapshots(struct core *c, struct core_effects *fx)
{
    for (size_t i = 0; i < c->n_peers && c->role == CORE_LEADER; i++) {
        if (c->peers[i].wants_snapshot) {
            kvs_assert(c->peers[i].state == CORE_PEER_SNAPSHOT);
            c->peers[i].wants_snapshot = false;
            c->snapshot_to[fx->n_snapshot_to++] = c->peers[i].id;
        }
    }
    fx->snapshot_to = c->snapshot_to;
    fx->offered = c->offer_new;
    fx->offer_from = c->offer_from;
    fx->offer_index = c->offer_index;
    fx->offer_term = c->offer_term;
    c->offer_new = false;
}

int core_effects(struct core *c, struct core_effects *ret_effects)
{
    struct core_effects fx = {0};
    int rc;

    rc = core_event_begin(c);
    if (rc == 0) {
        effects_clear(c);
    }
    if (rc == 0) {
        rc = core_engine_collect(c);
    }
    if (rc == 0) {
        rc = effects_persist(c, &fx.persist);
    }
    if (rc == 0) {
        rc = effects_release(c);
    }
    if (rc != 0) {
        return rc;
    }
    effects_link_entries(c);
    effects_apply(c);
    effects_status(c, &fx);
    effects_snapshots(c, &fx);
    fx.messages = c->ready;
    fx.n_messages = c->n_ready;
    fx.apply_to = c->apply_given;
    fx.reads = c->answers;
    fx.n_reads = c->answers_given = c->n_answers;
    fx.dropped = c->drops;
    fx.n_dropped = c->drops_given = c->n_drops;
    *ret_effects = fx;
    return 0;
}
