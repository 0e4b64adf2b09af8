/* What was found on disk becomes a RAFT_START.
 *
 * A sole voter would be elected inside that event, in a term that it may have used before [4]. It
 * starts as a stand-by server (engine_conf_make), and is made a voter again before anything else
 * happens. */
#include "replica/libraft/engine_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* No configuration is without voters, unless engine_conf_make() has held one. */
static void start_restore(const struct core *c, struct raft_configuration *conf)
{
    unsigned voters = 0;

    for (unsigned i = 0; i < conf->n; i++) {
        voters += conf->servers[i].role == RAFT_VOTER;
    }
    for (unsigned i = 0; i < conf->n && voters == 0; i++) {
        if (conf->servers[i].id == c->config.id) {
            conf->servers[i].role = RAFT_VOTER;
        }
    }
}

static int start_entry(struct core *c,
                       uint64_t index,
                       const struct core_snapshot *snapshot,
                       struct raft_entry *ret)
{
    const struct core_entry *e = core_log_at(&c->log, index);
    struct core_conf conf;
    int rc;

    *ret = (struct raft_entry){.term = e->term, .type = RAFT_COMMAND};
    if (e->type != CORE_ENTRY_CONFIG || index <= snapshot->index) {
        return 0; /* The snapshot's configuration stands for older ones. */
    }
    rc = core_conf_entry_decode(e->data, &conf, NULL);
    if (rc == 0 && core_conf_is_joint(&conf)) {
        rc = KVS_E_UNSUPPORTED;
    }
    if (rc != 0) {
        return rc;
    }
    ret->type = RAFT_CHANGE;
    return engine_conf_encode(&conf, c->config.id, &ret->buf);
}

static int start_event(struct core *c, struct raft_event *e)
{
    struct core_engine *g = c->engine;
    struct raft_update update = {0};
    int rc;

    e->time = g->now;
    e->type = RAFT_START;
    rc = engine_error(raft_step(&g->raft, e, &update));
    kvs_assert(rc != 0 || (update.flags & (RAFT_UPDATE_ENTRIES)) == 0);
    return rc;
}

/* The log for libraft, and the entry before it if there is one, of which the term is known: see
 * core_engine_compacted(). Also after a failure the caller frees what `ret_n` entries hold. */
static int start_entries(struct core *c,
                         const struct core_snapshot *snapshot,
                         struct raft_entry *entries,
                         size_t *ret_n)
{
    bool before = c->log.base_index > 0 && c->log.base_index < snapshot->index;
    int rc = 0;

    *ret_n = 0;
    if (before) {
        entries[(*ret_n)++] = (struct raft_entry){.term = c->log.base_term, .type = RAFT_COMMAND};
    }
    for (size_t i = 0; i < c->log.n && rc == 0; i++) {
        rc = start_entry(c, c->log.base_index + 1 + i, snapshot, &entries[*ret_n]);
        *ret_n += rc == 0;
    }
    return rc;
}

static int start_feed(struct core *c, const struct core_snapshot *snapshot)
{
    struct raft_snapshot_metadata metadata = {
        .index = snapshot->index, .term = snapshot->term, .configuration_index = snapshot->index};
    struct raft_event e = {0};
    struct raft_entry *entries = kvs_calloc(c->log.n + 1, sizeof *entries);
    size_t n = 0;
    int rc = entries != NULL ? start_entries(c, snapshot, entries, &n) : KVS_E_NOMEM;

    e.start.term = c->term;
    e.start.voted_for = c->vote;
    if (rc == 0 && snapshot->index > 0) {
        rc = engine_conf_make(&snapshot->conf, c->config.id, &metadata.configuration);
        e.start.metadata = &metadata; /* libraft takes the configuration. */
    }
    if (rc == 0) {
        e.start.entries = entries;
        e.start.n_entries = (unsigned)n;
        e.start.start_index = core_last(c) + 1 - n;
        rc = start_event(c, &e);
        if (rc != 0) {
            return rc; /* It has freed the array. The process stops: no memory. */
        }
    }
    for (size_t i = 0; i < n; i++) {
        raft_free(entries[i].buf.base);
    }
    kvs_free(entries);
    return rc;
}

static void start_settings(struct core *c)
{
    struct core_engine *g = c->engine;
    uint64_t inflight = (uint64_t)c->config.max_append_entries * c->config.max_inflight_msgs;

    raft_seed(&g->raft, (unsigned)rng_next(&c->rng) | 1);
    raft_set_election_timeout(&g->raft, c->config.election_ticks);
    raft_set_heartbeat_timeout(&g->raft, c->config.heartbeat_ticks);
    /* The owner knows how its transfer goes; libraft asks again until it hears that it went well,
     * and would wait for an answer that never comes, had another been taken meanwhile [16]. */
    raft_set_install_snapshot_timeout(&g->raft, 2 * c->config.election_ticks);
    raft_set_pre_vote(&g->raft, c->config.pre_vote);
    raft_set_max_inflight_entries(&g->raft, inflight < INT32_MAX ? (unsigned)inflight : INT32_MAX);
}

int core_engine_start(struct core *c, const struct core_snapshot *snapshot)
{
    struct core_engine *g;
    char address[24];
    int rc;

    if (core_conf_is_joint(&snapshot->conf)) {
        return KVS_E_UNSUPPORTED;
    }
    engine_heap_use();
    g = kvs_calloc(1, sizeof *g);
    if (g == NULL) {
        return KVS_E_NOMEM;
    }
    c->engine = g;
    g->now = UINT64_C(1) << 20; /* so that timers can be set back */
    (void)snprintf(address, sizeof address, "%" PRIu64, c->config.id);
    rc = engine_error(raft_init(&g->raft, NULL, NULL, c->config.id, address));
    g->inited = rc == 0;
    if (rc != 0) {
        return rc;
    }
    start_settings(c);
    rc = start_feed(c, snapshot);
    if (rc != 0) {
        return rc;
    }
    start_restore(c, &g->raft.configuration);
    start_restore(c, &g->raft.configuration_committed);
    rc = core_event_begin(c);
    if (rc == 0) {
        rc = engine_mirror(c);
    }
    return rc == 0 ? engine_settle(c) : rc;
}

void core_engine_stop(struct core *c)
{
    struct core_engine *g = c->engine;

    if (g == NULL) {
        return;
    }
    if (g->inited) {
        raft_close(&g->raft, NULL);
    }
    rcbuf_unref(g->handover.changes);
    kvs_free(g->appends);
    kvs_free(g);
    c->engine = NULL;
}
