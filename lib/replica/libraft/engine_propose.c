/* Entries, changes of members, transfers of leadership.
 *
 * libraft changes one server at a time. A leader that shall lose its own vote hands leadership over
 * first, and the next leader makes the change: libraft's would lead on, and a cluster of two or an
 * even one can be left with a log that nobody may stand for [9].
 *
 *   leader: change kept --transfer--> follower of a leader that has committed in its term:
 * forwarded
 *                       `-- given up: refused */
#include "replica/libraft/engine_int.h"

int core_leader_push(struct core *c, const struct core_entry *e, const struct core_conf *conf)
{
    struct raft_entry entry = {.term = e->term, .type = RAFT_COMMAND, .batch = &engine_batch};
    struct engine_entries entries = {.entries = &entry, .from = e};
    struct raft_event event = {.type = RAFT_SUBMIT};
    int rc = 0;

    kvs_assert(c->role == CORE_LEADER && e->term == c->term);
    if (conf != NULL) {
        entry.type = RAFT_CHANGE;
        rc = engine_conf_encode(conf, CORE_NONE, &entry.buf);
    }
    if (rc != 0) {
        return rc;
    }
    event.submit.entries = &entry;
    event.submit.n = 1;
    rc = engine_event(c, &event, &entries);
    raft_free(entry.buf.base);
    return rc;
}

/* --- changes ---------------------------------------------------------------------------------- */

static int place_of(const struct core_conf *conf, uint64_t id)
{
    return core_set_has(&conf->voters, id) ? 2 : core_set_has(&conf->learners, id);
}

/* One server is added, removed, promoted or demoted, or none. */
static bool changes_one(const struct core_conf *from, const struct core_conf *to)
{
    uint64_t seen = CORE_NONE;
    const struct core_set *sets[] = {&from->voters, &from->learners, &to->voters, &to->learners};

    for (size_t s = 0; s < 4; s++) {
        for (uint32_t i = 0; i < sets[s]->n; i++) {
            uint64_t id = sets[s]->ids[i];

            if (place_of(from, id) != place_of(to, id)) {
                if (seen != CORE_NONE && seen != id) {
                    return false;
                }
                seen = id;
            }
        }
    }
    return true;
}

int core_engine_admit(struct core *c, struct core_conf *conf)
{
    struct core_conf joint = *conf;

    if (core_conf_is_joint(conf)) {
        core_conf_leave(&joint, conf);
    }
    return changes_one(core_conf_now(c), conf) ? 0 : KVS_E_UNSUPPORTED;
}

/* The voter that will miss least. */
static uint64_t successor(struct core *c, const struct core_conf *conf)
{
    const struct core_peer *best = NULL;

    for (uint32_t i = 0; i < conf->voters.n; i++) {
        const struct core_peer *p = core_peer_get(c, conf->voters.ids[i]);

        if (p != NULL && p->active && p->id != c->config.id &&
            (best == NULL || p->match > best->match)) {
            best = p;
        }
    }
    return best != NULL ? best->id : CORE_NONE;
}

int core_engine_defer(struct core *c,
                      const struct core_conf *conf,
                      struct core_request request,
                      bool *ret_deferred)
{
    struct engine_handover *h = &c->engine->handover;
    struct rcbuf *changes;
    uint64_t to;
    int rc;

    *ret_deferred = false;
    if (core_set_has(&conf->voters, c->config.id)) {
        return 0;
    }
    to = successor(c, conf);
    if (h->changes != NULL || to == CORE_NONE) {
        return h->changes != NULL ? KVS_E_BUSY : KVS_E_UNHEALTHY;
    }
    rc = core_changes_encode(request.changes, request.n_changes, request.bytes, &changes);
    if (rc != 0) {
        return rc;
    }
    rc = core_engine_transfer(c, to);
    if (rc != 0) {
        rcbuf_unref(changes);
        return rc;
    }
    *h = (struct engine_handover){
        .changes = changes, .from = request.from, .context = request.context};
    *ret_deferred = true;
    return 0;
}

static void handover_end(struct core *c)
{
    rcbuf_unref(c->engine->handover.changes);
    c->engine->handover = (struct engine_handover){0};
}

void engine_handover_drop(struct core *c, int reason)
{
    const struct engine_handover *h = &c->engine->handover;
    struct core_msg m = {
        .type = CORE_MSG_PROPOSE_DROPPED, .to = h->from, .context = h->context, .status = reason};

    if (h->from == c->config.id) {
        core_drop(c, h->context, reason);
    } else {
        core_send(c, m, 0);
    }
    handover_end(c);
}

int engine_handover_step(struct core *c)
{
    const struct engine_handover *h = &c->engine->handover;
    struct core_entry e = {.type = CORE_ENTRY_CONFIG, .owner = h->changes};
    uint64_t term;
    int rc;

    if (h->changes == NULL || c->leader == CORE_NONE) {
        return 0;
    }
    if (c->role == CORE_LEADER) {
        if (c->transfer_to == CORE_NONE) {
            engine_handover_drop(c, KVS_E_TIMEOUT_LEADER_TRANSFER);
        }
        return 0;
    }
    if (!core_log_term(&c->log, c->commit, &term) || term != c->term) {
        return 0; /* It would be refused. */
    }
    e.data = rcbuf_view(h->changes);
    /* Another server's number means nothing coming from here. */
    rc = core_forward(c, &e, 1, h->from == c->config.id ? h->context : 0);
    handover_end(c);
    return rc;
}

void engine_handover_tick(struct core *c)
{
    struct engine_handover *h = &c->engine->handover;

    if (h->changes != NULL && ++h->ticks > 4 * c->config.election_ticks) {
        engine_handover_drop(c, KVS_E_NO_LEADER);
    }
}

/* --- transfer --------------------------------------------------------------------------------- */

int core_engine_transfer(struct core *c, uint64_t target)
{
    struct raft_event e = {.type = RAFT_TRANSFER};

    kvs_assert(c->role == CORE_LEADER);
    if (!core_set_has(&core_conf_now(c)->voters, target)) {
        return KVS_E_BAD_LEADER_TRANSFEREE;
    }
    if (target == c->config.id || target == c->transfer_to) {
        return 0;
    }
    if (c->transfer_to != CORE_NONE) {
        return KVS_E_BUSY;
    }
    e.transfer.server_id = target;
    return engine_event(c, &e, NULL);
}
