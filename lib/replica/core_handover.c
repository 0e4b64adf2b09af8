/* Our engine gives leadership away: on request (dissertation 3.10), and when it was removed.
 *
 * While a transfer runs nothing new is proposed, so that the target can catch up; it is given up
 * after an election timeout. TIMEOUT_NOW may come late or twice: it only starts an election. */
#include "replica/core_int.h"

static void send_timeout_now(struct core *c, uint64_t to)
{
    struct core_msg m = {.type = CORE_MSG_TIMEOUT_NOW, .to = to};

    kvs_assert(c->role == CORE_LEADER);
    core_send(c, m, 0);
}

int core_engine_transfer(struct core *c, uint64_t target)
{
    const struct core_peer *p = core_peer_get(c, target);

    kvs_assert(c->role == CORE_LEADER);
    if (p == NULL || !core_set_has(&core_conf_now(c)->voters, target)) {
        return KVS_E_BAD_LEADER_TRANSFEREE;
    }
    if (target == c->config.id || target == c->transfer_to) {
        return 0;
    }
    c->transfer_to = target;
    c->transfer_elapsed = 0;
    core_transfer_progress(c, p);
    return 0;
}

void core_transfer_progress(struct core *c, const struct core_peer *p)
{
    kvs_assert(c->role == CORE_LEADER);
    if (p->id == c->transfer_to && p->match == core_last(c)) {
        send_timeout_now(c, p->id);
    }
}

void core_transfer_tick(struct core *c)
{
    if (c->transfer_to != CORE_NONE && ++c->transfer_elapsed >= c->config.election_ticks) {
        c->transfer_to = CORE_NONE;
    }
}

int core_on_timeout_now(struct core *c, const struct core_msg *m)
{
    kvs_assert(m->term == c->term);
    return c->role == CORE_FOLLOWER ? core_campaign_start(c, true) : 0;
}

void core_maybe_retire(struct core *c)
{
    const struct core_conf_mark *mark = core_log_mark_last(&c->log);

    if (c->role != CORE_LEADER || mark->index > c->commit || core_conf_is_joint(&mark->conf) ||
        core_set_has(&mark->conf.voters, c->config.id) || !core_own_term_committed(c)) {
        return;
    }
    for (size_t i = 0; i < c->n_peers; i++) {
        const struct core_peer *p = &c->peers[i];

        if (core_set_has(&mark->conf.voters, p->id) && p->match == core_last(c)) {
            send_timeout_now(c, p->id); /* The others need not wait for a timeout. */
            break;
        }
    }
    core_become_follower(c, c->term, CORE_NONE);
}
