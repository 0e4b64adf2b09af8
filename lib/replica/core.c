/* Construction, the events that belong to no other file, queries. */
#include "replica/core_int.h"

#include <string.h>

#include "base/alloc.h"

#ifdef KVS_SABOTAGE
enum core_mutant core_sabotage;
#endif

int core_grow(void **array, size_t *capacity, size_t size, size_t want)
{
    size_t n = *capacity > 0 ? *capacity : 8;
    void *bigger;

    kvs_assert(size > 0);
    if (want <= *capacity) {
        return 0;
    }
    while (n < want) {
        if (n > SIZE_MAX / 2 / size) {
            return KVS_E_NOMEM;
        }
        n *= 2;
    }
    bigger = kvs_realloc(*array, n * size);
    if (bigger == NULL) {
        return KVS_E_NOMEM;
    }
    *array = bigger;
    *capacity = n;
    return 0;
}

/* --- start ------------------------------------------------------------------------------------ */

void core_config_defaults(struct core_config *config)
{
    *config = (struct core_config){
        .election_ticks = 10,
        .heartbeat_ticks = 1,
        .max_append_entries = 4096,
        .max_append_bytes = UINT64_C(1) << 20,
        .max_inflight_msgs = 64,
        .max_inflight_bytes = UINT64_C(16) << 20,
        .max_uncommitted_bytes = UINT64_C(128) << 20,
        .max_reads = 4096,
        .pre_vote = true,
        .check_quorum = true,
    };
}

static bool config_is_sound(const struct core_config *config)
{
    return config->id != CORE_NONE && config->heartbeat_ticks > 0 &&
           config->election_ticks > config->heartbeat_ticks && config->max_append_entries > 0 &&
           config->max_append_bytes > 0 && config->max_inflight_msgs > 0 &&
           config->max_inflight_bytes > 0 && config->max_reads > 0;
}

/* True if the entries go on from the snapshot, or contain where it was taken. */
static bool start_connects(const struct core_start *start)
{
    uint64_t at = start->snapshot.index;

    if (start->n_entries == 0) {
        return false;
    }
    if (start->first_index > at) {
        return true;
    }
    return start->first_index + start->n_entries > at &&
           start->entries[at - start->first_index].term == start->snapshot.term;
}

static int start_check(const struct core_start *start)
{
    struct core_msg all = {
        .term = UINT64_MAX,
        .entries = (struct core_entry *)start->entries,
        .n_entries = start->n_entries,
    };

    if (start->n_entries == 0) {
        return 0;
    }
    if (start->first_index == 0 || start->first_index > start->snapshot.index + 1) {
        return KVS_E_DAMAGED;
    }
    if (start->first_index == start->snapshot.index + 1) {
        all.log_term = start->snapshot.term;
    }
    return core_entries_valid(&all) == 0 ? 0 : KVS_E_DAMAGED;
}

/* Entries from disk: those up to the snapshot are for followers only, so their configurations do
 * not matter; those after it are the log. */
static int start_log(struct core *c, const struct core_start *start)
{
    struct core_snapshot base = start->snapshot;
    size_t skip = 0;
    int rc = start_check(start);

    if (rc != 0 || !start_connects(start)) {
        c->reset_dirty = start->snapshot.index > 0;
        c->reset_index = start->snapshot.index;
        c->reset_term = start->snapshot.term;
        return rc != 0 ? rc : core_log_init(&c->log, &base);
    }
    if (start->first_index <= start->snapshot.index) {
        skip = start->first_index > 1; /* The first one tells the term before the second. */
        base.index = skip > 0 ? start->first_index : 0;
        base.term = skip > 0 ? start->entries[0].term : 0;
    }
    rc = core_log_init(&c->log, &base);
    if (rc != 0) {
        return rc;
    }
    c->log.marks[0].index = start->snapshot.index;
    rc = core_log_reserve(&c->log, start->n_entries, start->n_entries);
    for (size_t i = skip; i < start->n_entries && rc == 0; i++) {
        const struct core_entry *e = &start->entries[i];
        bool is_conf =
            e->type == CORE_ENTRY_CONFIG && start->first_index + i > start->snapshot.index;
        struct core_conf conf;

        if (is_conf) {
            rc = core_conf_entry_decode(e->data, &conf, NULL);
        }
        core_log_push(&c->log, e, is_conf && rc == 0 ? &conf : NULL);
    }
    return rc;
}

/* A founding member begins with an entry that all founders have. It is committed by their common
 * decision, and applied when it is on disk. */
static int start_bootstrap(struct core *c, const struct core_start *start)
{
    struct core_entry e = {.term = 1, .type = CORE_ENTRY_CONFIG};
    int rc = core_conf_entry_encode(&start->snapshot.conf, start->bootstrap_context, &e.owner);

    kvs_assert(core_last(c) == 0);
    if (rc != 0) {
        return rc;
    }
    e.data = rcbuf_view(e.owner);
    rc = core_log_reserve(&c->log, 1, 1);
    if (rc == 0) {
        core_log_push(&c->log, &e, &start->snapshot.conf);
        c->commit = 1;
        c->persisted = 0;
        c->unsaved_from = 1;
    }
    rcbuf_unref(e.owner);
    return rc;
}

static bool is_founding(const struct core_start *start)
{
    return start->snapshot.index == 0 && start->n_entries == 0 && start->snapshot.conf.voters.n > 0;
}

static int start_state(struct core *c, const struct core_start *start)
{
    uint64_t last = core_last(c);
    uint64_t term = is_founding(start) ? 1 : core_log_last_term(&c->log);

    c->term = start->hard.term;
    c->vote = start->hard.vote;
    if (term > c->term) {
        /* The term was not on disk, so nothing was said in it: no vote to remember. */
        c->term = term;
        c->vote = CORE_NONE;
        c->hard_dirty = true;
    }
    c->next_seq = 1;
    c->hard_seq = c->hard_dirty ? c->next_seq : 0;
    c->commit = start->hard.commit < last ? start->hard.commit : last;
    if (c->commit < start->snapshot.index) {
        c->commit = start->snapshot.index;
    }
    c->applied = start->snapshot.index;
    c->apply_given = start->snapshot.index;
    c->persisted = last;
    c->unsaved_from = last + 1;
    c->conf_changed = true;
    c->told.role = CORE_ROLE_COUNT; /* The first effects say where we are. */
    return is_founding(start) ? start_bootstrap(c, start) : 0;
}

int core_new(const struct core_config *config,
             const struct core_start *start,
             struct core **ret_core)
{
    static const struct core_start joining;
    struct core *c;
    int rc;

    if (!config_is_sound(config)) {
        return KVS_E_INVALID;
    }
    c = kvs_calloc(1, sizeof *c);
    if (c == NULL) {
        return KVS_E_NOMEM;
    }
    c->config = *config;
    rng_init(&c->rng, config->seed);
    c->reads = kvs_calloc(config->max_reads, sizeof *c->reads);
    start = start != NULL ? start : &joining;
    rc = c->reads != NULL ? start_log(c, start) : KVS_E_NOMEM;
    if (rc == 0) {
        rc = start_state(c, start);
    }
    if (rc == 0) {
        rc = core_peers_sync(c);
    }
    if (rc == 0) {
        rc = core_engine_start(c, &start->snapshot);
    }
    if (rc != 0) {
        core_free(c);
        return rc;
    }
    *ret_core = c;
    return 0;
}

void core_free(struct core *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->n_outs; i++) {
        core_msg_free_entries(&c->outs[i].msg);
    }
    for (size_t i = 0; i < c->n_ready; i++) {
        core_msg_free_entries(&c->ready[i]);
    }
    core_engine_stop(c);
    core_peers_free(c);
    core_log_fini(&c->log);
    kvs_free(c->reads);
    kvs_free(c->writes);
    kvs_free(c->outs);
    kvs_free(c->ready);
    kvs_free(c->scratch);
    kvs_free(c->answers);
    kvs_free(c->drops);
    kvs_free(c);
}

/* --- events ----------------------------------------------------------------------------------- */

int core_tick(struct core *c)
{
    int rc = core_event_begin(c);

    return rc != 0 ? rc : core_engine_tick(c);
}

int core_campaign(struct core *c)
{
    int rc = core_event_begin(c);

    return rc != 0 ? rc : core_engine_campaign(c);
}

/* No cluster lives long enough to reach it, so adding to what is below never overflows. */
static bool in_range(uint64_t term_or_index)
{
    return term_or_index < UINT64_C(1) << 62;
}

static int msg_check(const struct core *c, const struct core_msg *m)
{
    if (m->type >= CORE_MSG_TYPE_COUNT || m->from == CORE_NONE || m->from == c->config.id ||
        m->to != c->config.id || !in_range(m->term) || !in_range(m->index)) {
        return KVS_E_MALFORMED;
    }
    if (m->type == CORE_MSG_SNAPSHOT && (m->log_term > m->term || m->log_term == 0)) {
        return KVS_E_MALFORMED;
    }
    return m->type == CORE_MSG_APPEND ? core_entries_valid(m) : 0;
}

int core_step(struct core *c, const struct core_msg *m)
{
    int rc = msg_check(c, m);

    if (rc == 0) {
        rc = core_event_begin(c);
    }
    return rc != 0 ? rc : core_engine_step(c, m);
}

/* Messages that any engine leaves to the files around it. */
int core_step_request(struct core *c, const struct core_msg *m)
{
    switch (m->type) {
    case CORE_MSG_FORWARD_PROPOSE:
        return core_on_forward(c, m);
    case CORE_MSG_PROPOSE_DROPPED:
        core_drop(c, m->context, m->status != 0 ? m->status : KVS_E_UNKNOWN);
        return 0;
    case CORE_MSG_READ_INDEX:
        core_on_read_index(c, m);
        return 0;
    case CORE_MSG_READ_INDEX_REPLY:
        core_answer(c, m->context, m->index, m->status);
        return 0;
    case CORE_MSG_TRANSFER:
        return core_on_transfer(c, m);
    case CORE_MSG_PREVOTE:
    case CORE_MSG_PREVOTE_REPLY:
    case CORE_MSG_VOTE:
    case CORE_MSG_VOTE_REPLY:
    case CORE_MSG_APPEND:
    case CORE_MSG_APPEND_REPLY:
    case CORE_MSG_HEARTBEAT:
    case CORE_MSG_HEARTBEAT_REPLY:
    case CORE_MSG_SNAPSHOT:
    case CORE_MSG_TIMEOUT_NOW:
    case CORE_MSG_TYPE_COUNT:
        break;
    }
    return KVS_E_MALFORMED;
}

void core_applied(struct core *c, uint64_t index)
{
    kvs_assert(index <= c->apply_given);
    kvs_assert(index >= c->applied);
    c->applied = index;
}

void core_compact(struct core *c, uint64_t index)
{
    kvs_assert(index <= c->applied);
    if (index > c->log.base_index) {
        core_log_drop(&c->log, index);
        core_engine_compacted(c);
    }
}

/* --- queries ---------------------------------------------------------------------------------- */

void core_status(const struct core *c, struct core_status *ret_status)
{
    *ret_status = (struct core_status){
        .id = c->config.id,
        .role = c->role,
        .term = c->term,
        .vote = c->vote,
        .leader = c->leader,
        .first_index = c->log.base_index + 1,
        .last_index = core_last(c),
        .last_term = core_log_last_term(&c->log),
        .commit = c->commit,
        .persisted = c->persisted,
        .applied = c->applied,
        .conf_index = core_log_mark_last(&c->log)->index,
        .transfer_to = c->transfer_to,
        .own_term_committed = core_own_term_committed(c),
        .installing = c->installing,
    };
}

const struct core_conf *core_conf(const struct core *c)
{
    return core_conf_now(c);
}

const struct core_conf *core_conf_at(const struct core *c, uint64_t index)
{
    const struct core_conf_mark *mark = core_log_mark_at(&c->log, index);

    kvs_assert(index <= core_last(c));
    return mark != NULL && index >= c->log.base_index ? &mark->conf : NULL;
}

uint64_t core_conf_after(const struct core *c, uint64_t index)
{
    for (size_t i = 0; i < c->log.n_marks; i++) {
        /* The first mark may be that of a snapshot, which has no entry. */
        if (c->log.marks[i].index > index && c->log.marks[i].index > c->log.base_index) {
            return c->log.marks[i].index;
        }
    }
    return 0;
}

const struct core_entry *core_entry(const struct core *c, uint64_t index)
{
    return core_log_at(&c->log, index);
}

bool core_term_at(const struct core *c, uint64_t index, uint64_t *ret_term)
{
    return core_log_term(&c->log, index, ret_term);
}

int core_peer_status(const struct core *c, uint64_t id, struct core_peer_status *ret_status)
{
    const struct core_peer *p = core_peer_get((struct core *)c, id);

    if (c->role != CORE_LEADER) {
        return KVS_E_NOT_LEADER;
    }
    if (p == NULL || p->leaving) {
        return KVS_E_NOT_FOUND;
    }
    *ret_status = (struct core_peer_status){
        .id = id,
        .state = p->state,
        .match = id == c->config.id ? c->persisted : p->match,
        .next = p->next,
        .active = p->active || id == c->config.id,
        .learner = core_set_has(&core_conf_now(c)->learners, id),
    };
    return 0;
}

const char *core_msg_name(enum core_msg_type type)
{
    static const char *const names[] = {
        [CORE_MSG_PREVOTE] = "prevote",
        [CORE_MSG_PREVOTE_REPLY] = "prevote-reply",
        [CORE_MSG_VOTE] = "vote",
        [CORE_MSG_VOTE_REPLY] = "vote-reply",
        [CORE_MSG_APPEND] = "append",
        [CORE_MSG_APPEND_REPLY] = "append-reply",
        [CORE_MSG_HEARTBEAT] = "heartbeat",
        [CORE_MSG_HEARTBEAT_REPLY] = "heartbeat-reply",
        [CORE_MSG_SNAPSHOT] = "snapshot",
        [CORE_MSG_TIMEOUT_NOW] = "timeout-now",
        [CORE_MSG_FORWARD_PROPOSE] = "forward-propose",
        [CORE_MSG_PROPOSE_DROPPED] = "propose-dropped",
        [CORE_MSG_READ_INDEX] = "read-index",
        [CORE_MSG_READ_INDEX_REPLY] = "read-index-reply",
        [CORE_MSG_TRANSFER] = "transfer",
    };

    return type < CORE_MSG_TYPE_COUNT ? names[type] : "?";
}

const char *core_role_name(enum core_role role)
{
    static const char *const names[] = {
        [CORE_FOLLOWER] = "follower",
        [CORE_PRE_CANDIDATE] = "pre-candidate",
        [CORE_CANDIDATE] = "candidate",
        [CORE_LEADER] = "leader",
    };

    return role < CORE_ROLE_COUNT ? names[role] : "?";
}
