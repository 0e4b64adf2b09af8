/* What must hold between any two events, seen from outside the nodes. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "node_sim.h"

/* table[at], grown with zeros. */
static uint64_t *sim_slot(uint64_t **table, size_t *n, uint64_t at)
{
    if (at >= *n) {
        size_t grown = (size_t)at * 2 + 64;

        *table = kvs_realloc(*table, grown * sizeof **table);
        kvs_assert(*table != NULL);
        memset(*table + *n, 0, (grown - *n) * sizeof **table);
        *n = grown;
    }
    return &(*table)[at];
}

static void sim_check_leader(struct sim *s, struct sim_node *n)
{
    uint64_t *leader =
        sim_slot(&s->term_leaders, &s->n_term_leaders, replica_term(node_replica(n->node)));

    if (*leader != 0 && *leader != n->id) {
        sim_fail(s, "term %" PRIu64 " has two leaders: %" PRIx64 " and %" PRIx64,
                 replica_term(node_replica(n->node)), *leader, n->id);
    }
    *leader = n->id;
    n->led_term = replica_term(node_replica(n->node));
}

static void sim_check_entry(struct sim *s, const struct sim_node *n)
{
    const struct mvcc *m = node_mvcc(n->node);
    uint64_t *term = sim_slot(&s->entry_terms, &s->n_entry_terms, mvcc_applied_index(m));

    if (*term != 0 && *term != mvcc_applied_term(m)) {
        sim_fail(s,
                 "node %u applied an entry of term %" PRIu64 " at index %" PRIu64
                 ", another node one of term %" PRIu64,
                 n->at, mvcc_applied_term(m), mvcc_applied_index(m), *term);
    }
    *term = mvcc_applied_term(m);
}

static void sim_check_monotonic(struct sim *s, struct sim_node *n)
{
    const struct replica *r = node_replica(n->node);
    const struct mvcc *m = node_mvcc(n->node);
    uint64_t applied = mvcc_applied_index(m);
    uint64_t stored = mvcc_stored_index(m);

    if (replica_term(r) < n->led_term) {
        sim_fail(s, "node %u: term went back to %" PRIu64 ", it has led in %" PRIu64, n->at,
                 replica_term(r), n->led_term);
    }
    if (replica_commit(r) < n->seen_commit) {
        sim_fail(s, "node %u: commit went back from %" PRIu64 " to %" PRIu64, n->at, n->seen_commit,
                 replica_commit(r));
    }
    if (applied < n->seen_applied) {
        sim_fail(s, "node %u: applied went back from %" PRIu64 " to %" PRIu64, n->at,
                 n->seen_applied, applied);
    }
    if (stored < n->seen_stored) {
        sim_fail(s, "node %u: stored went back from %" PRIu64 " to %" PRIu64, n->at, n->seen_stored,
                 stored);
    }
    if (stored > applied || replica_applied(r) > applied) {
        sim_fail(s, "node %u: stored %" PRIu64 ", applied %" PRIu64 ", replica %" PRIu64, n->at,
                 stored, applied, replica_applied(r));
    }
    n->seen_commit = replica_commit(r);
    n->seen_applied = applied;
    n->seen_stored = stored;
}

void sim_check_step(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        struct sim_node *n = &s->nodes[i];

        if (!n->up || n->stopped) {
            continue;
        }
        if (replica_is_leader(node_replica(n->node))) {
            sim_check_leader(s, n);
        }
        sim_check_monotonic(s, n);
        sim_check_entry(s, n);
    }
}

void sim_check(struct sim *s)
{
    uint64_t hashes[SIM_NODES_MAX] = {0};

    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        struct sim_node *n = &s->nodes[i];

        if (!n->up || n->stopped) {
            continue;
        }
        apply_check(node_apply(n->node));
        mvcc_check(node_mvcc(n->node));
        watch_hub_check(node_watch_hub(n->node));
        if (apply_state_hash(node_apply(n->node), &hashes[i]) != 0) {
            sim_fail(s, "node %u cannot be hashed", i);
        }
        for (unsigned k = 0; k < i; k++) {
            struct sim_node *other = &s->nodes[k];

            if (other->up && !other->stopped &&
                mvcc_applied_index(node_mvcc(n->node)) ==
                    mvcc_applied_index(node_mvcc(other->node)) &&
                hashes[i] != hashes[k]) {
                sim_fail(s, "nodes %u and %u differ at index %" PRIu64, k, i,
                         mvcc_applied_index(node_mvcc(n->node)));
            }
        }
    }
}
