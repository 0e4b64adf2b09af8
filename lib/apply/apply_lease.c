/* Leases. A leader's own proposals (expiry, checkpoints) carry its term and are void in any other:
 * a leader that was replaced while it slept must not end a lease that was renewed meanwhile. */
#include "apply/apply_int.h"
#include "base/assert.h"
#include "base/sabotage.h"

static bool term_is_void(const struct apply_input *input, uint64_t only_term)
{
    return only_term != 0 && only_term != input->term && !sabotaged(SABOTAGE_LEASE_OLD_LEADER);
}

int apply_lease_grant(struct apply *a,
                      const struct apply_input *input,
                      const struct apply_entry *entry,
                      struct apply_result *ret)
{
    const struct kvs_lease_grant_req *grant = &entry->u.lease_grant;
    struct lease_info info;
    int err = lease_grant(a->leases, grant->id, grant->ttl_s, input->now_ms);

    if (err == 0) {
        err = persist_lease(a, grant->id);
    }
    ret->status = err;
    if (err != 0) {
        return apply_is_result(err) ? 0 : err;
    }
    kvs_assert(lease_get(a->leases, grant->id, &info));
    ret->changed |= APPLY_CHANGED_LEASES;
    ret->u.lease_grant.header = apply_header(a, input);
    ret->u.lease_grant.id = info.id;
    ret->u.lease_grant.ttl_s = info.granted_ttl_s;
    return 0;
}

/* Deletes the lease's keys in sorted order, in one revision. */
static int lease_delete_keys(struct apply *a,
                             const struct apply_input *input,
                             kvs_lease_id id,
                             struct mvcc_commit *ret_commit)
{
    struct mvcc_read read;
    struct kvs_view *keys;
    size_t n_keys;
    int err;

    mvcc_read_begin(a->store, &read);
    err = mvcc_lease_keys(&read, id, &a->scratch, &keys, &n_keys);
    mvcc_read_end(&read);
    if (err != 0) {
        return err;
    }
    mvcc_txn_begin(a->store, input->index, input->term);
    n_keys -= sabotaged(SABOTAGE_LEASE_KEYS_LEFT) && n_keys > 1;
    for (size_t i = 0; i < n_keys && err == 0; i++) {
        struct kvs_delete_req del = {.key = keys[i]};

        kvs_dassert(i == 0 || keys[i - 1].len > 0);
        err = mvcc_txn_delete(a->store, &del, &a->scratch, NULL);
    }
    if (err == 0) {
        err = persist_lease_revoked(a, id);
    }
    mvcc_txn_end(a->store, ret_commit);
    kvs_assert(err != 0 || ret_commit->n_events == n_keys);
    return err;
}

int apply_lease_revoke(struct apply *a,
                       const struct apply_input *input,
                       const struct apply_entry *entry,
                       struct apply_result *ret)
{
    const struct apply_lease_revoke *revoke = &entry->u.lease_revoke;
    struct mvcc_commit commit;
    int err;

    if (term_is_void(input, revoke->only_term)) {
        ret->status = KVS_E_NOT_LEADER;
        return 0;
    }
    if (!lease_get(a->leases, revoke->id, NULL)) {
        ret->status = KVS_E_LEASE_NOT_FOUND;
        return 0;
    }
    err = lease_delete_keys(a, input, revoke->id, &commit);
    if (err == 0) {
        err = lease_revoke(a->leases, revoke->id);
    }
    if (err != 0) {
        return err;
    }
    ret->changed |= APPLY_CHANGED_LEASES;
    ret->events = commit.events;
    ret->n_events = commit.n_events;
    ret->u.lease_revoke.header = apply_header(a, input);
    return 0;
}

int apply_lease_checkpoint(struct apply *a,
                           const struct apply_input *input,
                           const struct apply_entry *entry,
                           struct apply_result *ret)
{
    const struct apply_lease_checkpoint *checkpoint = &entry->u.lease_checkpoint;

    if (term_is_void(input, checkpoint->only_term)) {
        ret->status = KVS_E_NOT_LEADER;
        return 0;
    }
    for (size_t i = 0; i < checkpoint->n_items; i++) {
        const struct lease_checkpoint *item = &checkpoint->items[i];
        int err;

        if (lease_checkpoint(a->leases, item->id, item->remaining_ttl_s) != 0) {
            continue; /* Revoked since it was proposed. */
        }
        err = persist_lease(a, item->id);
        if (err != 0) {
            return err;
        }
        ret->changed |= APPLY_CHANGED_LEASES;
    }
    return 0;
}
