/* Alarms and members. */
#include "apply/apply_int.h"
#include "base/assert.h"

/* --- Alarms ----------------------------------------------------------------------------------- */

static int alarm_answer(const struct kvs_alarm *alarm,
                        struct arena *reply,
                        struct kvs_alarm_list_resp *ret_resp)
{
    ret_resp->alarms = arena_calloc(reply, 1, sizeof *ret_resp->alarms);
    if (ret_resp->alarms == NULL) {
        return KVS_E_NOMEM;
    }
    ret_resp->alarms[0] = *alarm;
    ret_resp->n_alarms = 1;
    return 0;
}

int apply_alarm(struct apply *a,
                const struct apply_input *input,
                const struct apply_entry *entry,
                struct apply_result *ret)
{
    const struct apply_alarm *req = &entry->u.alarm;
    struct kvs_alarm alarm = {.member_id = req->member_id, .type = req->type};
    size_t n_before = a->alarms.n_items;
    bool report = true;
    int err;

    if (req->activate) {
        ret->status = alarms_add(&a->alarms, &alarm);
        report = ret->status == 0;
    } else {
        report = alarms_remove(&a->alarms, &alarm);
    }
    if (a->alarms.n_items != n_before) {
        ret->changed |= APPLY_CHANGED_ALARMS;
        err = persist_alarm(a, &alarm, req->activate);
        if (err != 0) {
            return err;
        }
    }
    ret->u.alarm.header = apply_header(a, input);
    return report && input->reply != NULL ? alarm_answer(&alarm, input->reply, &ret->u.alarm) : 0;
}

const struct kvs_alarm *apply_alarms(const struct apply *a, size_t *ret_n)
{
    *ret_n = a->alarms.n_items;
    return a->alarms.items;
}

bool apply_alarm_is_set(const struct apply *a, int type)
{
    return alarms_has_type(&a->alarms, type);
}

static bool ops_have_put(const struct kvs_op *ops, size_t n);

/* Recursion is bounded by the codec's limit of depth. */
static bool txn_has_put(const struct kvs_txn_req *txn)
{
    return ops_have_put(txn->success, txn->n_success) || ops_have_put(txn->failure, txn->n_failure);
}

static bool ops_have_put(const struct kvs_op *ops, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ops[i].type == KVS_OP_PUT || (ops[i].type == KVS_OP_TXN && txn_has_put(ops[i].u.txn))) {
            return true;
        }
    }
    return false;
}

int apply_alarm_check(const struct apply *a, const struct apply_entry *entry)
{
    /* The client's requests; what keeps the cluster going is none of them. */
    bool is_request = entry->kind >= APPLY_PUT && entry->kind <= APPLY_LEASE_REVOKE;
    bool needs_space = entry->kind == APPLY_PUT || entry->kind == APPLY_LEASE_GRANT ||
                       (entry->kind == APPLY_TXN && txn_has_put(&entry->u.txn));

    if (is_request && apply_alarm_is_set(a, KVS_ALARM_CORRUPT)) {
        return KVS_E_CORRUPT;
    }
    return needs_space && apply_alarm_is_set(a, KVS_ALARM_NOSPACE) ? KVS_E_NO_SPACE : 0;
}

/* --- Members ---------------------------------------------------------------------------------- */

/* Both copies: memory and record. `member` may borrow from the table's present one, which is gone
 * afterwards. */
static int member_store(struct apply *a, const struct kvs_member *member)
{
    int err = persist_member(a, member);

    return err != 0 ? err : members_put(&a->members, member);
}

static int member_drop(struct apply *a, uint64_t id)
{
    int err = members_remove(&a->members, id);

    return err != 0 ? err : persist_member_removed(a, id, &a->members.leaving);
}

int apply_member_left(struct apply *a)
{
    uint64_t id = a->members.leaving.id;

    if (id == 0) {
        return 0;
    }
    members_forget_leaving(&a->members);
    return persist_member_removed(a, id, NULL);
}

const struct kvs_member *apply_member_leaving(const struct apply *a)
{
    return a->members.leaving.id != 0 ? &a->members.leaving : NULL;
}

int apply_attributes(struct apply *a,
                     const struct apply_input *input,
                     const struct apply_entry *entry,
                     struct apply_result *ret)
{
    const struct apply_member_attributes *attributes = &entry->u.attributes;
    int at = members_find(&a->members, attributes->id);
    struct kvs_member member;

    (void)input;
    if (at < 0) {
        ret->status = KVS_E_MEMBER_NOT_FOUND; /* Removed since it published. */
        return 0;
    }
    member = a->members.items[at];
    member.name = attributes->name;
    member.client_urls = attributes->client_urls;
    member.n_client_urls = attributes->n_client_urls;
    ret->changed |= APPLY_CHANGED_MEMBERS;
    return member_store(a, &member);
}

int apply_member_change(struct apply *a,
                        const struct apply_member_change *change,
                        struct apply_result *ret)
{
    struct kvs_member member = {.id = change->id};
    int at = members_find(&a->members, change->id);

    ret->status = members_check(&a->members, change, 0);
    if (ret->status != 0) {
        return 0;
    }
    ret->changed |= APPLY_CHANGED_MEMBERS;
    if (at >= 0) {
        member = a->members.items[at];
    }
    switch (change->op) {
    case APPLY_MEMBER_REMOVE:
        return member_drop(a, change->id);
    case APPLY_MEMBER_PROMOTE:
        member.is_learner = false;
        return member_store(a, &member);
    case APPLY_MEMBER_ADD:
        member.is_learner = change->is_learner;
        break;
    case APPLY_MEMBER_UPDATE:
        break;
    case APPLY_MEMBER_OP_COUNT:
        return KVS_E_MALFORMED;
    }
    member.peer_urls = change->peer_urls;
    member.n_peer_urls = change->n_peer_urls;
    return member_store(a, &member);
}

/* KVS_E_INVALID unless these could be the first members. */
static int
bootstrap_check(const struct apply *a, const struct kvs_member *members, size_t n_members)
{
    bool empty =
        a->members.cluster_id == 0 && a->members.n_items == 0 && mvcc_applied_index(a->store) == 0;

    if (!empty || n_members == 0 || n_members > APPLY_MEMBERS_MAX) {
        return KVS_E_INVALID;
    }
    for (size_t i = 0; i < n_members; i++) {
        if (members[i].is_learner) {
            return KVS_E_INVALID;
        }
    }
    return 0;
}

static int bootstrap_member(struct apply *a, const struct kvs_member *member)
{
    struct apply_member_change change = {
        .op = APPLY_MEMBER_ADD,
        .id = member->id,
        .peer_urls = member->peer_urls,
        .n_peer_urls = member->n_peer_urls,
    };
    int err = members_check(&a->members, &change, 0);

    if (err == KVS_E_MEMBER_EXISTS || err == KVS_E_MEMBER_NOT_FOUND) {
        return KVS_E_INVALID;
    }
    return err != 0 ? err : member_store(a, member);
}

int apply_bootstrap(struct apply *a,
                    uint64_t cluster_id,
                    const struct kvs_member *members,
                    size_t n_members,
                    struct kvs_view raft_conf)
{
    int err = cluster_id != 0 ? bootstrap_check(a, members, n_members) : KVS_E_INVALID;

    for (size_t i = 0; i < n_members && err == 0; i++) {
        err = bootstrap_member(a, &members[i]);
    }
    if (err == 0) {
        a->members.cluster_id = cluster_id;
        err = members_set_raft_conf(&a->members, raft_conf);
    }
    if (err == 0) {
        err = persist_cluster(a);
    }
    if (err == 0) {
        mvcc_set_applied(a->store, 1, 1);
    }
    return err;
}

uint64_t apply_cluster_id(const struct apply *a)
{
    return a->members.cluster_id;
}

struct kvs_view apply_raft_conf(const struct apply *a)
{
    return (struct kvs_view){a->members.raft_conf.data, a->members.raft_conf.len};
}

const struct kvs_member *apply_members(const struct apply *a, size_t *ret_n)
{
    *ret_n = a->members.n_items;
    return a->members.items;
}

const struct kvs_member *apply_member_find(const struct apply *a, uint64_t id)
{
    int at = members_find(&a->members, id);

    return at >= 0 ? &a->members.items[at] : NULL;
}

const uint64_t *apply_members_removed(const struct apply *a, size_t *ret_n)
{
    *ret_n = a->members.n_removed;
    return a->members.removed;
}

bool apply_member_was_removed(const struct apply *a, uint64_t id)
{
    return members_was_removed(&a->members, id);
}

int apply_member_check(const struct apply *a,
                       const struct apply_member_change *change,
                       size_t learners_max)
{
    return members_check(&a->members, change, learners_max);
}
