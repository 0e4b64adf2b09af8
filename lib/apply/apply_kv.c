/* Keys: put, delete, transaction, compaction. All that can be refused is refused before anything is
 * written, on state that is the same on every member. */
#include "apply/apply_int.h"
#include "base/assert.h"

static bool lease_exists(void *ctx, kvs_lease_id id)
{
    const struct apply *a = ctx;

    return lease_get(a->leases, id, NULL);
}

/* Ends the store's transaction and reports what it changed. `err` is that of the operation. */
static int kv_end(struct apply *a, int err, struct apply_result *ret)
{
    struct mvcc_commit commit;

    mvcc_txn_end(a->store, &commit);
    if (err != 0 && !apply_is_result(err)) {
        return err;
    }
    kvs_assert(err == 0 || commit.n_events == 0);
    ret->status = err;
    ret->events = commit.events;
    ret->n_events = commit.n_events;
    return 0;
}

int apply_put(struct apply *a,
              const struct apply_input *input,
              const struct apply_entry *entry,
              struct apply_result *ret)
{
    const struct kvs_put_req *put = &entry->u.put;
    struct kvs_put_resp *resp = input->reply != NULL ? &ret->u.put : NULL;
    int err;

    ret->status = mvcc_put_check(put);
    if (ret->status == 0 && put->lease != 0 && !lease_exists(a, put->lease)) {
        ret->status = KVS_E_LEASE_NOT_FOUND;
    }
    if (ret->status != 0) {
        return 0;
    }
    mvcc_txn_begin(a->store, input->index, input->term);
    mvcc_txn_lend(a->store, input->owner);
    err = mvcc_txn_put(a->store, put, apply_arena(a, input), resp);
    err = kv_end(a, err, ret);
    ret->u.put.header = apply_header(a, input);
    return err;
}

int apply_delete(struct apply *a,
                 const struct apply_input *input,
                 const struct apply_entry *entry,
                 struct apply_result *ret)
{
    struct kvs_delete_resp *resp = input->reply != NULL ? &ret->u.del : NULL;
    int err;

    ret->status = mvcc_delete_check(&entry->u.del);
    if (ret->status != 0) {
        return 0;
    }
    mvcc_txn_begin(a->store, input->index, input->term);
    err = mvcc_txn_delete(a->store, &entry->u.del, apply_arena(a, input), resp);
    err = kv_end(a, err, ret);
    ret->u.del.header = apply_header(a, input);
    return err;
}

int apply_txn(struct apply *a,
              const struct apply_input *input,
              const struct apply_entry *entry,
              struct apply_result *ret)
{
    const struct kvs_txn_req *txn = &entry->u.txn;
    struct mvcc_leases leases = {lease_exists, a};
    struct kvs_txn_resp *resp = input->reply != NULL ? &ret->u.txn : NULL;
    int err = mvcc_txn_check(txn, APPLY_TXN_OPS_MAX);

    if (err != 0) {
        ret->status = err;
        return apply_is_result(err) ? 0 : err;
    }
    mvcc_txn_begin(a->store, input->index, input->term);
    mvcc_txn_lend(a->store, input->owner);
    err = mvcc_txn_execute(a->store, txn, &leases, apply_arena(a, input), resp);
    err = kv_end(a, err, ret);
    ret->u.txn.header = apply_header(a, input);
    return err;
}

int apply_compact(struct apply *a,
                  const struct apply_input *input,
                  const struct apply_entry *entry,
                  struct apply_result *ret)
{
    kvs_revision revision = entry->u.compact.revision;
    int err = mvcc_compact(a->store, revision, input->index, input->term);

    ret->status = err;
    if (err != 0) {
        return apply_is_result(err) ? 0 : err;
    }
    ret->changed |= APPLY_CHANGED_COMPACTION;
    ret->compact_revision = revision;
    ret->u.compact.header = apply_header(a, input);
    return 0;
}
