/* All kinds of requests together: in which order they are submitted, and how they end. */
#include "replica/replica_int.h"

bool replica_stopped(const struct replica *r)
{
    return !r->started || r->failed || r->closing || r->removed_told;
}

bool replica_requests_waiting(const struct replica *r)
{
    return !list_empty(&r->conf_submits) || !list_empty(&r->batches) ||
           (r->transfer != NULL && !r->transfer_asked) || replica_reads_waiting(r);
}

void replica_submit_requests(struct replica *r)
{
    replica_conf_submit_all(r);
    replica_proposals_submit(r);
    if (!r->failed) {
        replica_transfer_submit(r);
    }
    if (!r->failed) {
        replica_reads_submit(r);
    }
}

void replica_requests_refused(struct replica *r, const struct core_dropped *dropped)
{
    if (!replica_conf_refused(r, dropped)) {
        replica_proposal_refused(r, dropped);
    }
}

void replica_requests_tick(struct replica *r)
{
    uint64_t now_ms = replica_now_ms(r);

    replica_reads_tick(r, now_ms);
    replica_transfer_tick(r, now_ms);
}

void replica_requests_stop(struct replica *r)
{
    replica_reads_fail(r, KVS_E_STOPPED);
    replica_transfer_stop(r);
    replica_conf_stop(r);
    replica_proposals_stop(r);
}
