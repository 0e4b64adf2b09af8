/* Event queue and network of the simulated cluster. */
#include "core_sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

/* --- reports ---------------------------------------------------------------------------------- */

static void print_nodes(const struct sim *s)
{
    for (uint64_t id = 1; id <= s->last_id; id++) {
        const struct sim_node *n = &s->nodes[id];
        struct core_status st;

        if (!n->up) {
            fprintf(stderr, "  node %" PRIu64 ": %s\n", id, n->gone ? "removed" : "down");
            continue;
        }
        core_status(n->core, &st);
        fprintf(stderr,
                "  node %" PRIu64 ": %s term %" PRIu64 " leader %" PRIu64 " log [%" PRIu64
                ", %" PRIu64 "] commit %" PRIu64 " persisted %" PRIu64 " applied %" PRIu64
                " voters %u+%u learners %u%s\n",
                id, core_role_name(st.role), st.term, st.leader, st.first_index, st.last_index,
                st.commit, st.persisted, st.applied, core_conf(n->core)->voters.n,
                core_conf(n->core)->outgoing.n, core_conf(n->core)->learners.n,
                core_conf_is_member(core_conf(n->core), id) ? "" : " (no member)");
    }
}

void sim_fail(const struct sim *s, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "FAILED seed %" PRIu64 " at time %" PRIu64 ": ", s->seed, s->now);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    print_nodes(s);
    fflush(stderr);
    _Exit(1);
}

void sim_note(struct sim *s, const char *format, ...)
{
    va_list args;

    if (!s->trace) {
        return;
    }
    printf("%7" PRIu64 " ", s->now);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

void sim_hash(struct sim *s, uint64_t value)
{
    s->trace_hash = (s->trace_hash ^ value) * UINT64_C(0x100000001b3);
    s->trace_hash ^= s->trace_hash >> 29;
}

/* --- event queue: a binary heap by (at, order) -------------------------------------------------
 */

static bool event_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void heap_push(struct sim *s, struct sim_event *e)
{
    size_t at = s->n_heap++;

    if (s->n_heap > s->heap_capacity) {
        s->heap_capacity = s->heap_capacity > 0 ? s->heap_capacity * 2 : 256;
        s->heap = kvs_realloc(s->heap, s->heap_capacity * sizeof(struct sim_event *));
        kvs_assert(s->heap != NULL);
    }
    for (; at > 0 && event_before(e, s->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        s->heap[at] = s->heap[(at - 1) / 2];
    }
    s->heap[at] = e;
}

static struct sim_event *heap_pop(struct sim *s)
{
    struct sim_event *top = s->heap[0];
    struct sim_event *last = s->heap[--s->n_heap];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < s->n_heap && event_before(s->heap[child + 1], s->heap[child])) {
            child++;
        }
        if (child >= s->n_heap || !event_before(s->heap[child], last)) {
            break;
        }
        s->heap[at] = s->heap[child];
        at = child;
    }
    if (s->n_heap > 0) {
        s->heap[at] = last;
    }
    return top;
}

struct sim_event *
sim_schedule(struct sim *s, uint64_t delay, enum sim_event_type type, uint64_t node)
{
    struct sim_event *e = kvs_calloc(1, sizeof *e);

    kvs_assert(e != NULL && node <= SIM_NODES_MAX);
    e->at = s->now + delay;
    e->order = s->next_order++;
    e->type = type;
    e->node = node;
    heap_push(s, e);
    return e;
}

static void event_free(struct sim_event *e)
{
    sim_msg_free(&e->msg);
    kvs_free(e);
}

/* --- messages --------------------------------------------------------------------------------- */

void sim_msg_copy(struct core_msg *to, const struct core_msg *from)
{
    *to = *from;
    to->entries = NULL;
    if (from->n_entries == 0) {
        return;
    }
    to->entries = kvs_calloc(from->n_entries, sizeof *to->entries);
    kvs_assert(to->entries != NULL);
    for (size_t i = 0; i < from->n_entries; i++) {
        to->entries[i] = from->entries[i];
        if (to->entries[i].owner != NULL) {
            rcbuf_ref(to->entries[i].owner);
        }
    }
}

void sim_msg_free(struct core_msg *m)
{
    for (size_t i = 0; i < m->n_entries; i++) {
        rcbuf_unref(m->entries[i].owner);
    }
    kvs_free(m->entries);
    m->entries = NULL;
    m->n_entries = 0;
}

static void post(struct sim *s, const struct core_msg *m)
{
    uint64_t delay = 1 + rng_below(&s->rng, s->params.delay_max);
    uint64_t *last = &s->link_last[m->from][m->to];
    struct sim_event *e;

    if (s->params.in_order && s->now + delay < *last) {
        delay = *last - s->now;
    }
    *last = s->now + delay;
    e = sim_schedule(s, delay, SIM_DELIVER, m->to);
    sim_msg_copy(&e->msg, m);
}

void sim_send(struct sim *s, const struct core_msg *m)
{
    kvs_assert(m->to >= 1 && m->to <= SIM_NODES_MAX && m->from != m->to);
    s->n_sent[m->type]++;
    s->n_rejects += m->type == CORE_MSG_APPEND_REPLY && m->reject;
    s->last_sent = *m;
    s->last_sent.entries = NULL;
    sim_note(s,
             "%" PRIu64 " -> %" PRIu64 " %s term %" PRIu64 " index %" PRIu64 "/%" PRIu64
             " commit %" PRIu64 " n %zu%s hint %" PRIu64 "/%" PRIu64 "%s",
             m->from, m->to, core_msg_name(m->type), m->term, m->index, m->log_term, m->commit,
             m->n_entries, m->reject ? " reject" : "", m->hint_index, m->hint_term,
             s->cut[m->from][m->to] ? " (cut)" : "");
    if (s->filter != NULL && !s->filter(s, m)) {
        return;
    }
    if (s->cut[m->from][m->to]) {
        return;
    }
    if (s->lossy && rng_percent(&s->rng, s->params.loss_percent)) {
        return;
    }
    post(s, m);
    if (s->lossy && rng_percent(&s->rng, s->params.double_percent)) {
        post(s, m);
    }
}

void sim_cut(struct sim *s, uint64_t from, uint64_t to, bool cut)
{
    s->cut[from][to] = cut;
}

void sim_isolate(struct sim *s, uint64_t id, bool cut)
{
    for (uint64_t other = 1; other <= SIM_NODES_MAX; other++) {
        s->cut[id][other] = cut;
        s->cut[other][id] = cut;
    }
}

void sim_heal(struct sim *s)
{
    memset(s->cut, 0, sizeof s->cut);
    s->lossy = false;
}

/* --- life ------------------------------------------------------------------------------------- */

void sim_calm_params(struct sim_params *params, unsigned n_nodes)
{
    *params = (struct sim_params){
        .n_nodes = n_nodes,
        .delay_max = 3,
        .disk_max = 2,
        .trailing = 1000,
        .in_order = true,
        .pre_vote = true,
        .check_quorum = true,
        .max_append_entries = 64,
        .max_inflight_msgs = 16,
        .max_uncommitted_bytes = 1 << 20,
    };
}

void sim_init(struct sim *s, uint64_t seed, const struct sim_params *params)
{
    struct sim_image founded = {0};

    *s = (struct sim){.seed = seed, .params = *params, .trace_hash = seed};
    rng_init(&s->rng, seed);
    sim_check_init(s);
    for (unsigned i = 1; i <= params->n_nodes; i++) {
        sim_rc(s, core_conf_add(&founded.at.conf, CORE_ADD_VOTER, i));
    }
    if (params->found_by_state) {
        founded.at.index = 1;
        founded.at.term = 1;
        founded.hash = seed;
        sim_check_founded(s, &founded);
    }
    for (unsigned i = 1; i <= params->n_nodes; i++) {
        (void)sim_add_node(s, &founded);
    }
}

void sim_fini(struct sim *s)
{
    while (s->n_heap > 0) {
        event_free(heap_pop(s));
    }
    kvs_free(s->heap);
    for (uint64_t id = 1; id <= s->last_id; id++) {
        core_free(s->nodes[id].core);
        sim_disk_fini(&s->nodes[id].disk);
    }
    sim_check_fini(s);
}

bool sim_step(struct sim *s)
{
    struct sim_event *e;

    if (s->n_heap == 0) {
        return false;
    }
    e = heap_pop(s);
    kvs_assert(e->at >= s->now);
    s->n_now = e->at == s->now ? s->n_now + 1 : 0;
    if (s->n_now > 200000) {
        sim_fail(s, "time stands still");
    }
    s->now = e->at;
    sim_hash(s, e->at * 8 + e->type);
    sim_hash(s, e->node ^ e->msg.term << 8 ^ e->msg.index << 24);
    sim_node_event(s, e);
    event_free(e);
    return true;
}

void sim_run(struct sim *s, unsigned ticks)
{
    uint64_t end = s->now + (uint64_t)ticks * SIM_TICK;

    while (s->n_heap > 0 && s->heap[0]->at <= end) {
        (void)sim_step(s);
    }
    s->now = end;
}

void sim_run_until(struct sim *s, bool (*until)(struct sim *s), unsigned ticks, const char *what)
{
    for (unsigned i = 0; i < ticks; i++) {
        if (until(s)) {
            return;
        }
        sim_run(s, 1);
    }
    if (!until(s)) {
        sim_fail(s, "after %u ticks still not: %s", ticks, what);
    }
}
