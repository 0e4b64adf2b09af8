/* The invariants that hold after every event, in one place. */
#include "replica/core_int.h"

static void check_log(const struct core *c)
{
    uint64_t term = c->log.base_term;

    for (uint64_t i = c->log.base_index + 1; i <= core_last(c); i++) {
        const struct core_entry *e = core_log_at(&c->log, i);

        kvs_assert(e->term >= term);
        kvs_assert(e->type < CORE_ENTRY_TYPE_COUNT);
        kvs_assert(e->data.len == 0 || e->owner != NULL);
        term = e->term;
    }
    kvs_assert(term <= c->term);
    kvs_assert(c->log.n_marks > 0);
    for (size_t i = 1; i < c->log.n_marks; i++) {
        kvs_assert(c->log.marks[i].index > c->log.marks[i - 1].index);
        kvs_assert(c->log.marks[i].index > c->log.base_index);
    }
}

static void check_indexes(const struct core *c)
{
    uint64_t last = core_last(c);

    kvs_assert(c->log.base_index <= c->applied);
    kvs_assert(c->applied <= c->apply_given);
    kvs_assert(c->apply_given <= c->commit);
    kvs_assert(c->apply_given <= c->persisted);
    kvs_assert(c->commit <= last);
    kvs_assert(c->persisted <= last);
    kvs_assert(core_log_mark_last(&c->log)->index <= last);
}

static void check_disk(const struct core *c)
{
    kvs_assert(c->persisted_seq < c->next_seq);
    kvs_assert(c->hard_seq <= c->next_seq);
    kvs_assert(c->hard_dirty == (c->hard_seq == c->next_seq));
    kvs_assert(c->unsaved_from <= core_last(c) + 1);
    for (size_t i = 0; i < c->n_writes; i++) {
        kvs_assert(c->writes[i].seq > c->persisted_seq && c->writes[i].seq < c->next_seq);
        kvs_assert(i == 0 || c->writes[i].seq > c->writes[i - 1].seq);
        kvs_assert(c->writes[i].last <= core_last(c));
        kvs_assert(c->writes[i].last < c->unsaved_from);
    }
}

static void check_peers(const struct core *c)
{
    const struct core_conf *conf = core_conf_now(c);
    size_t members = 0;

    for (size_t i = 0; i < c->n_peers; i++) {
        const struct core_peer *p = &c->peers[i];

        kvs_assert(p->leaving != core_conf_is_member(conf, p->id));
        kvs_assert(!p->leaving || c->role == CORE_LEADER || p->id != c->config.id);
        kvs_assert(p->n_flights <= c->config.max_inflight_msgs);
        kvs_assert(p->next > p->match);
        kvs_assert(c->role != CORE_LEADER || p->match <= core_last(c));
        members += !p->leaving;
    }
    for (uint32_t i = 0; i < conf->voters.n; i++) {
        kvs_assert(core_peer_get((struct core *)c, conf->voters.ids[i]) != NULL);
    }
    kvs_assert(members >= conf->voters.n && c->n_peers <= CORE_PEERS_MAX);
}

static void check_role(const struct core *c)
{
    kvs_assert((c->role == CORE_LEADER) == (c->leader == c->config.id));
    kvs_assert(c->role != CORE_CANDIDATE || c->vote == c->config.id);
    kvs_assert(c->role != CORE_LEADER || (c->vote == c->config.id && c->term > 0));
    kvs_assert(c->role == CORE_LEADER || c->n_reads == 0);
    kvs_assert(c->role == CORE_LEADER || c->transfer_to == CORE_NONE);
    kvs_assert(c->role == CORE_FOLLOWER || !c->installing);
    kvs_assert(c->offered || !c->installing);
}

void core_check(const struct core *c)
{
    check_log(c);
    check_indexes(c);
    check_disk(c);
    check_peers(c);
    check_role(c);
    core_engine_check(c);
}
