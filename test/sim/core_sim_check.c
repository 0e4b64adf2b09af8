/* What must hold, whatever happens:
 *   - one leader per term; it only appends; its log holds everything that was ever applied;
 *   - (index, term) names one entry, and one entry before it, in all logs (log matching);
 *   - all servers apply the same entries in the same order, snapshots included;
 *   - what a leader calls committed is on the disks of a majority;
 *   - a commit index never goes back while the server lives;
 *   - a read sees all that any server had applied when it was asked. */
#include "core_sim.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

void sim_check_init(struct sim *s)
{
    map_init(&s->check.entries);
}

void sim_check_fini(struct sim *s)
{
    map_fini(&s->check.entries);
    kvs_free(s->check.applied);
    kvs_free(s->check.leaders);
    kvs_free(s->check.reads);
}

static uint64_t *numbers_reach(uint64_t **numbers, size_t *capacity, size_t index)
{
    while (index >= *capacity) {
        size_t n = *capacity > 0 ? *capacity * 2 : 64;

        *numbers = kvs_realloc(*numbers, n * sizeof **numbers);
        kvs_assert(*numbers != NULL);
        memset(*numbers + *capacity, 0, (n - *capacity) * sizeof **numbers);
        *capacity = n;
    }
    return &(*numbers)[index];
}

/* --- logs ------------------------------------------------------------------------------------- */

void sim_check_persist(struct sim *s, struct sim_node *n, const struct core_persist *what)
{
    struct core_status st;

    core_status(n->core, &st);
    if (st.role == CORE_LEADER && n->seen_role == CORE_LEADER && st.term == n->seen_term &&
        (what->from <= n->seen_last || what->reset)) {
        sim_fail(s, "leader %" PRIu64 " rewrites its log at %" PRIu64, n->id, what->from);
    }
    for (uint64_t i = what->from; i <= what->to; i++) {
        const struct core_entry *e = core_entry(n->core, i);
        uint64_t id = i << 24 | e->term;
        uint64_t before = 0;
        uintptr_t print;
        void *known = map_get(&s->check.entries, id);

        if (!core_term_at(n->core, i - 1, &before)) {
            sim_fail(s, "node %" PRIu64 " does not know the term of %" PRIu64, n->id, i - 1);
        }
        print = (uintptr_t)(sim_entry_hash(e) ^ before * 31) | 1;
        if (known == NULL) {
            sim_rc(s, map_put(&s->check.entries, id, (void *)print));
        } else if (known != (void *)print) {
            sim_fail(s, "node %" PRIu64 ": logs differ at %" PRIu64, n->id, i);
        }
    }
}

static void check_leader_complete(struct sim *s, const struct sim_node *n)
{
    struct core_status st;

    core_status(n->core, &st);
    if (st.last_index < s->check.n_applied) {
        sim_fail(s, "leader %" PRIu64 " ends at %" PRIu64 ", applied elsewhere: %zu", n->id,
                 st.last_index, s->check.n_applied);
    }
    for (uint64_t i = st.first_index; i <= s->check.n_applied; i++) {
        if (core_entry(n->core, i)->term != s->check.applied[i - 1].term) {
            sim_fail(s, "leader %" PRIu64 " has lost entry %" PRIu64, n->id, i);
        }
    }
}

static void check_election(struct sim *s, const struct sim_node *n, const struct core_status *st)
{
    uint64_t *leader =
        numbers_reach(&s->check.leaders, &s->check.leaders_capacity, (size_t)st->term);

    if (*leader != 0 && *leader != n->id) {
        sim_fail(s, "two leaders in term %" PRIu64 ": %" PRIu64 " and %" PRIu64, st->term, *leader,
                 n->id);
    }
    if (*leader == 0 || n->seen_role != CORE_LEADER) {
        *leader = n->id;
        s->check.n_elections++;
        sim_note(s, "%" PRIu64 " leads term %" PRIu64, n->id, st->term);
        check_leader_complete(s, n);
    }
}

/* --- disks ------------------------------------------------------------------------------------ */

static bool majority_has(struct sim *s, const struct core_set *set, uint64_t index, uint64_t term)
{
    unsigned have = 0;

    for (uint32_t i = 0; i < set->n; i++) {
        have += sim_disk_has(&s->nodes[set->ids[i]].disk, index, term);
    }
    return have > set->n / 2;
}

static bool
durable_under(struct sim *s, const struct core_conf *conf, uint64_t index, uint64_t term)
{
    return majority_has(s, &conf->voters, index, term) &&
           (!core_conf_is_joint(conf) || majority_has(s, &conf->outgoing, index, term));
}

/* The configuration by which the leader counted is the latest now, or the one at the entry: there
 * may have been a change between the counting and this look. */
static void check_durable(struct sim *s, const struct sim_node *n, const struct core_status *st)
{
    const struct core_conf *then = core_conf_at(n->core, st->commit);
    uint64_t term;

    if (!core_term_at(n->core, st->commit, &term) || st->commit == 0 || s->by_hand) {
        return;
    }
    if (!durable_under(s, core_conf(n->core), st->commit, term) &&
        (then == NULL || !durable_under(s, then, st->commit, term))) {
        sim_fail(s, "leader %" PRIu64 " commits %" PRIu64 ", which no majority has on disk", n->id,
                 st->commit);
    }
}

void sim_check_node(struct sim *s, struct sim_node *n)
{
    struct core_status st;

    core_check(n->core);
    core_status(n->core, &st);
    if (st.commit < n->seen_commit || st.term < n->seen_term) {
        sim_fail(s, "node %" PRIu64 ": commit index or term went back", n->id);
    }
    if (st.role == CORE_LEADER) {
        check_election(s, n, &st);
        if (st.commit > n->seen_commit) {
            check_durable(s, n, &st);
        }
    }
    n->seen_commit = st.commit;
    n->seen_term = st.term;
    n->seen_last = st.last_index;
    n->seen_role = st.role;
    sim_hash(s, st.term << 32 ^ st.commit << 8 ^ (uint64_t)st.role);
}

/* --- state machines --------------------------------------------------------------------------- */

static void applied_push(struct sim_check *k, uint64_t term, uint64_t hash)
{
    if (k->n_applied == k->applied_capacity) {
        k->applied_capacity = k->applied_capacity > 0 ? k->applied_capacity * 2 : 64;
        k->applied = kvs_realloc(k->applied, k->applied_capacity * sizeof *k->applied);
        kvs_assert(k->applied != NULL);
    }
    k->applied[k->n_applied++] = (struct sim_applied){term, hash};
}

void sim_check_founded(struct sim *s, const struct sim_image *founded)
{
    kvs_assert(s->check.n_applied == 0 && founded->at.index == 1);
    applied_push(&s->check, founded->at.term, founded->hash);
}

void sim_check_applied(struct sim *s,
                       struct sim_node *n,
                       uint64_t index,
                       const struct core_entry *e)
{
    struct sim_check *k = &s->check;

    kvs_assert(index > 0);
    if (index > k->n_applied + 1) {
        sim_fail(s, "node %" PRIu64 " applies %" PRIu64 " before anything else", n->id, index);
    }
    if (index == k->n_applied + 1) {
        applied_push(k, e->term, n->now.hash);
        return;
    }
    if (k->applied[index - 1].term != e->term || k->applied[index - 1].chain != n->now.hash) {
        sim_fail(s, "node %" PRIu64 " applies another entry at %" PRIu64, n->id, index);
    }
}

void sim_check_installed(struct sim *s, struct sim_node *n)
{
    const struct sim_image *image = &n->now;

    s->check.n_snapshots++;
    if (image->at.index == 0 || image->at.index > s->check.n_applied ||
        s->check.applied[image->at.index - 1].chain != image->hash) {
        sim_fail(s, "node %" PRIu64 " installs a wrong state", n->id);
    }
}

/* --- reads ------------------------------------------------------------------------------------ */

void sim_check_read_asked(struct sim *s, uint64_t context)
{
    *numbers_reach(&s->check.reads, &s->check.reads_capacity, (size_t)context) = s->check.n_applied;
}

void sim_check_read_answered(struct sim *s, const struct core_read_state *r)
{
    if (r->status != 0) {
        return;
    }
    s->check.n_reads_done++;
    if (r->context >= s->check.reads_capacity || r->index < s->check.reads[r->context]) {
        sim_fail(s, "read %" PRIu64 " is stale: index %" PRIu64, r->context, r->index);
    }
}

/* --- the end ---------------------------------------------------------------------------------- */

bool sim_converged(struct sim *s)
{
    uint64_t leader = sim_leader(s);
    const struct core_conf *conf;
    struct core_status st;

    if (leader == 0) {
        return false;
    }
    conf = core_conf(s->nodes[leader].core);
    core_status(s->nodes[leader].core, &st);
    if (!st.own_term_committed || core_conf_is_joint(conf) || st.commit != st.last_index) {
        return false;
    }
    for (uint64_t id = 1; id <= s->last_id; id++) {
        const struct sim_node *n = &s->nodes[id];

        if (core_conf_is_member(conf, id) && (!n->up || n->now.at.index != st.last_index ||
                                              n->now.hash != s->nodes[leader].now.hash)) {
            return false;
        }
    }
    return true;
}
