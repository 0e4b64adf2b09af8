/* The state machine. Invariants:
 * 1. Entries are applied in index order, each exactly once; the index advances with the change.
 * 2. Nothing that differs between members decides what an entry does: no clock, flag, or progress
 *    of storing and compaction.
 * 3. A refused entry changes nothing but the applied index. */
#include "apply/apply.h"

#include "apply/apply_int.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/checksum.h"

#define SCRATCH_KEEP_BYTES ((size_t)1024 * 1024) /* more is given back after the entry */
#define HASH_STEP_RECORDS  4096

static const apply_fn apply_table[APPLY_KIND_COUNT] = {
    [APPLY_PUT] = apply_put,
    [APPLY_DELETE] = apply_delete,
    [APPLY_TXN] = apply_txn,
    [APPLY_COMPACT] = apply_compact,
    [APPLY_LEASE_GRANT] = apply_lease_grant,
    [APPLY_LEASE_REVOKE] = apply_lease_revoke,
    [APPLY_LEASE_CHECKPOINT] = apply_lease_checkpoint,
    [APPLY_ALARM] = apply_alarm,
    [APPLY_MEMBER_ATTRIBUTES] = apply_attributes,
};

int apply_new(struct mvcc *store, uint64_t now_ms, struct apply **ret_apply)
{
    struct apply *a = kvs_calloc(1, sizeof *a);
    int err;

    if (a == NULL) {
        return KVS_E_NOMEM;
    }
    a->store = store;
    members_init(&a->members);
    arena_init(&a->scratch, 0);
    buf_init(&a->record);
    a->leases = lease_table_new();
    err = a->leases != NULL ? persist_load(a, now_ms) : KVS_E_NOMEM;
    if (err != 0) {
        apply_free(a);
        return err;
    }
    *ret_apply = a;
    return 0;
}

void apply_free(struct apply *a)
{
    if (a == NULL) {
        return;
    }
    lease_table_free(a->leases);
    members_fini(&a->members);
    arena_fini(&a->scratch);
    buf_fini(&a->record);
    kvs_free(a);
}

int apply_reload(struct apply *a, uint64_t now_ms)
{
    lease_table_clear(a->leases);
    members_fini(&a->members);
    a->alarms.n_items = 0;
    return persist_load(a, now_ms);
}

struct kvs_header apply_header(const struct apply *a, const struct apply_input *input)
{
    return (struct kvs_header){.revision = mvcc_revision(a->store), .raft_term = input->term};
}

/* Before an entry: nothing of the last one is left. */
static void apply_begin(struct apply *a, const struct apply_input *input, struct apply_result *ret)
{
    kvs_assert(input->index == mvcc_applied_index(a->store) + 1);
    kvs_assert(input->term >= mvcc_applied_term(a->store));
    if (a->scratch.used_bytes > SCRATCH_KEEP_BYTES) {
        arena_fini(&a->scratch);
    } else {
        arena_reset(&a->scratch);
    }
    *ret = (struct apply_result){0};
}

static void apply_end(struct apply *a, const struct apply_input *input, struct apply_result *ret)
{
    if (mvcc_applied_index(a->store) != input->index) {
        mvcc_set_applied(a->store, input->index, input->term);
    }
    ret->revision = mvcc_revision(a->store);
    kvs_assert(ret->n_events == 0 || ret->status == 0);
}

int apply_entry(struct apply *a,
                const struct apply_input *input,
                struct kvs_view bytes,
                struct apply_result *ret_result)
{
    struct apply_entry entry;
    int err;

    apply_begin(a, input, ret_result);
    if (bytes.len > 0) {
        err = apply_decode(bytes, &a->scratch, &entry);
        if (err != 0) {
            return err;
        }
        if (apply_table[entry.kind] == NULL) {
            return KVS_E_MALFORMED; /* Only as context of a configuration change. */
        }
        ret_result->kind = entry.kind;
        ret_result->request_id = entry.request_id;
        ret_result->status = apply_alarm_check(a, &entry);
        if (ret_result->status == 0) {
            err = apply_table[entry.kind](a, input, &entry, ret_result);
            if (err != 0) {
                return err;
            }
        }
    }
    apply_end(a, input, ret_result);
    return 0;
}

int apply_conf(struct apply *a,
               const struct apply_input *input,
               struct kvs_view raft_conf,
               struct kvs_view context,
               struct apply_result *ret_result)
{
    struct apply_entry entry;
    int err;

    apply_begin(a, input, ret_result);
    err = apply_member_left(a);
    if (err != 0) {
        return err;
    }
    if (context.len > 0) {
        err = apply_decode(context, &a->scratch, &entry);
        if (err != 0) {
            return err;
        }
        if (entry.kind != APPLY_MEMBER_CHANGE) {
            return KVS_E_MALFORMED;
        }
        ret_result->kind = entry.kind;
        ret_result->request_id = entry.request_id;
        err = apply_member_change(a, &entry.u.change, ret_result);
        if (err != 0) {
            return err;
        }
    }
    err = members_set_raft_conf(&a->members, raft_conf);
    if (err == 0) {
        err = persist_cluster(a);
    }
    if (err == 0) {
        apply_end(a, input, ret_result);
    }
    return err;
}

struct mvcc *apply_store(struct apply *a)
{
    return a->store;
}

struct lease_table *apply_leases(struct apply *a)
{
    return a->leases;
}

/* --- Hash ------------------------------------------------------------------------------------- */

static int hash_store(struct apply *a, struct buf *to)
{
    struct mvcc_hash_result result;
    struct mvcc_hash *hash;
    int err = mvcc_hash_begin(a->store, 0, &hash);

    if (err != 0) {
        return err;
    }
    do {
        err = mvcc_hash_run(hash, HASH_STEP_RECORDS);
    } while (err == KVS_E_AGAIN);
    mvcc_hash_end(hash, &result);
    buf_append_le64(to, result.hash);
    buf_append_le64(to, (uint64_t)result.revision);
    buf_append_le64(to, (uint64_t)result.compact_revision);
    return err;
}

static int hash_members(const struct apply *a, struct buf *to)
{
    const struct member_table *t = &a->members;
    uint64_t removed = 0;
    int err = 0;

    buf_append_le64(to, t->cluster_id);
    buf_append_le64(to, t->n_items);
    for (size_t i = 0; i < t->n_items && err == 0; i++) {
        buf_append_le64(to, t->items[i].id);
        err = member_encode(&t->items[i], to);
    }
    buf_append_le64(to, t->leaving.id);
    if (err == 0 && t->leaving.id != 0) {
        err = member_encode(&t->leaving, to);
    }
    /* A sum: a member that loaded them from disk has them in another order. */
    for (size_t i = 0; i < t->n_removed; i++) {
        removed += checksum64(&t->removed[i], sizeof t->removed[i], 0);
    }
    buf_append_le64(to, removed);
    buf_append_view(to, apply_raft_conf(a));
    return err;
}

int apply_state_hash(struct apply *a, uint64_t *ret_hash)
{
    struct buf *to = &a->record;
    int err;

    buf_clear(to);
    buf_append_le64(to, mvcc_applied_index(a->store));
    buf_append_le64(to, mvcc_applied_term(a->store));
    buf_append_le64(to, lease_hash(a->leases));
    for (size_t i = 0; i < a->alarms.n_items; i++) {
        buf_append_le64(to, a->alarms.items[i].member_id);
        buf_append_le64(to, (uint64_t)a->alarms.items[i].type);
    }
    err = hash_members(a, to);
    if (err == 0) {
        err = hash_store(a, to);
    }
    if (err == 0 && to->failed) {
        err = KVS_E_NOMEM;
    }
    if (err == 0) {
        *ret_hash = checksum64(to->data, to->len, 0);
    }
    return err;
}

void apply_check(const struct apply *a)
{
    members_verify(&a->members);
    lease_check(a->leases);
    mvcc_check(a->store);
    kvs_assert(a->members.n_items == 0 || a->members.cluster_id != 0);
}
