/* Handing leadership over: asked for once, then watched. */
#include "base/assert.h"
#include "replica/replica_int.h"

static uint64_t transfer_choose(const struct replica *r)
{
    const struct core_conf *conf = core_conf(r->core);
    uint64_t best = CORE_NONE;
    uint64_t best_match = 0;

    for (uint32_t i = 0; i < conf->voters.n; i++) {
        struct core_peer_status peer;
        uint64_t id = conf->voters.ids[i];

        if (id == r->config.member_id || core_peer_status(r->core, id, &peer) != 0 ||
            !peer.active) {
            continue;
        }
        if (best == CORE_NONE || peer.match > best_match) {
            best = id;
            best_match = peer.match;
        }
    }
    return best;
}

int replica_transfer(struct replica *r,
                     uint64_t target,
                     unsigned timeout_ms,
                     struct replica_transfer *transfer)
{
    if (replica_stopped(r)) {
        return KVS_E_STOPPED;
    }
    if (r->status.role != CORE_LEADER) {
        return KVS_E_NOT_LEADER;
    }
    if (r->transfer != NULL) {
        return KVS_E_BUSY;
    }
    if (target == CORE_NONE) {
        target = transfer_choose(r);
    }
    if (target == CORE_NONE || !core_set_has(&core_conf(r->core)->voters, target)) {
        return KVS_E_BAD_LEADER_TRANSFEREE;
    }
    transfer->status = 0;
    transfer->target = target;
    transfer->deadline_ms = replica_now_ms(r) + timeout_ms;
    r->transfer = transfer;
    r->transfer_asked = false;
    replica_wake(r);
    return 0;
}

static void transfer_complete(struct replica *r, int status)
{
    struct replica_transfer *transfer = r->transfer;

    r->transfer = NULL;
    transfer->status = status;
    transfer->cb(transfer);
}

void replica_transfer_submit(struct replica *r)
{
    int rc;

    if (r->transfer == NULL || r->transfer_asked) {
        return;
    }
    r->transfer_asked = true;
    if (r->transfer->target == r->config.member_id) {
        transfer_complete(r, 0);
        return;
    }
    rc = core_transfer(r->core, r->transfer->target);
    if (replica_core_ok(r, rc) && rc != 0) {
        transfer_complete(r, rc);
    }
}

void replica_transfer_check(struct replica *r)
{
    if (r->transfer == NULL || !r->transfer_asked) {
        return;
    }
    if (r->status.leader == r->transfer->target) {
        transfer_complete(r, 0);
    } else if (r->status.leader != CORE_NONE && r->status.leader != r->config.member_id) {
        transfer_complete(r, KVS_E_LEADER_CHANGED);
    }
}

void replica_transfer_tick(struct replica *r, uint64_t now_ms)
{
    if (r->transfer == NULL || !r->transfer_asked) {
        return;
    }
    /* The core gives up after an election timeout, then we lead on. */
    if (now_ms >= r->transfer->deadline_ms ||
        (r->status.role == CORE_LEADER && r->status.transfer_to == CORE_NONE)) {
        transfer_complete(r, KVS_E_TIMEOUT_LEADER_TRANSFER);
    }
}

void replica_transfer_stop(struct replica *r)
{
    if (r->transfer != NULL) {
        transfer_complete(r, KVS_E_STOPPED);
    }
}
