/* The rules of the state machine, one by one, on a real store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "apply_drive.h"

static int setup(void **state)
{
    struct member *m = calloc(1, sizeof *m);

    assert_non_null(m);
    member_init(m);
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct member *m = *state;

    apply_check(m->apply);
    member_fini(m);
    free(m);
    return 0;
}

static void test_put_and_answer(void **state)
{
    struct member *m = *state;
    struct apply_entry e = {.kind = APPLY_PUT, .request_id = 77};

    assert_int_equal(member_put(m, "a", "1", 0), 0);
    assert_int_equal(m->result.revision, 2);
    e.u.put = (struct kvs_put_req){view_str("a"), view_str("2"), 0, true, false, false};
    assert_int_equal(member_apply(m, &e), 0);
    assert_true(m->result.request_id == 77);
    assert_int_equal(m->result.kind, APPLY_PUT);
    assert_int_equal(m->result.u.put.header.revision, 3);
    assert_true(m->result.u.put.header.raft_term == 1);
    assert_true(m->result.u.put.has_prev);
    assert_true(view_equal_str(m->result.u.put.prev_kv.value, "1"));
    assert_int_equal(m->result.n_events, 1);
    assert_int_equal(m->result.events[0].kv.mod_revision, 3);
    assert_true(m->result.events[0].has_prev);
    /* Empty: only the index. */
    assert_int_equal(member_apply_bytes(m, view_make(NULL, 0)), 0);
    assert_int_equal(m->result.revision, 3);
    assert_int_equal(m->result.n_events, 0);
}

/* Nobody waits here: no answer, the same change. */
static void test_without_reply(void **state)
{
    struct member *m = *state;
    struct kvs_op ops[2] = {{.type = KVS_OP_PUT, .u.put = {.key = view_str("k")}},
                            {.type = KVS_OP_RANGE, .u.range = {.key = view_str("k")}}};
    struct apply_entry e = {.kind = APPLY_TXN, .u.txn = {.success = ops, .n_success = 2}};
    struct apply_input input = member_input(m);

    assert_int_equal(apply_encode(&e, &m->bytes), 0);
    input.reply = NULL;
    assert_int_equal(apply_entry(m->apply, &input, buf_view(&m->bytes), &m->result), 0);
    assert_int_equal(m->result.status, 0);
    assert_int_equal(m->result.n_events, 1);
    assert_int_equal(m->result.u.txn.n_responses, 0);
}

static void test_refusals_change_nothing(void **state)
{
    struct member *m = *state;
    struct apply_entry e = {.kind = APPLY_PUT};

    e.u.put = (struct kvs_put_req){.key = view_str("a"), .ignore_value = true};
    assert_int_equal(member_apply(m, &e), KVS_E_KEY_NOT_FOUND);
    e.u.put = (struct kvs_put_req){.value = view_str("a")};
    assert_int_equal(member_apply(m, &e), KVS_E_EMPTY_KEY);
    assert_int_equal(member_put(m, "a", "1", 5), KVS_E_LEASE_NOT_FOUND);
    e = (struct apply_entry){.kind = APPLY_DELETE};
    assert_int_equal(member_apply(m, &e), KVS_E_EMPTY_KEY);
    e = (struct apply_entry){.kind = APPLY_COMPACT, .u.compact.revision = 2};
    assert_int_equal(member_apply(m, &e), KVS_E_FUTURE_REV);
    assert_int_equal(m->result.revision, 1);
    assert_int_equal(m->result.n_events, 0);
    assert_int_equal(m->result.changed, 0);
}

/* Everything on the chosen path is validated before anything is written. */
static void test_txn_is_all_or_nothing(void **state)
{
    struct member *m = *state;
    struct kvs_op ops[2] = {{.type = KVS_OP_PUT, .u.put = {.key = view_str("a")}}, {0}};
    struct apply_entry e = {.kind = APPLY_TXN, .u.txn = {.success = ops, .n_success = 2}};

    ops[1] = (struct kvs_op){.type = KVS_OP_PUT, .u.put = {.key = view_str("b"), .lease = 9}};
    assert_int_equal(member_apply(m, &e), KVS_E_LEASE_NOT_FOUND);
    ops[1] =
        (struct kvs_op){.type = KVS_OP_RANGE, .u.range = {.key = view_str("b"), .revision = 1000}};
    assert_int_equal(member_apply(m, &e), KVS_E_FUTURE_REV);
    ops[1] = (struct kvs_op){.type = KVS_OP_PUT, .u.put = {.key = view_str("a")}};
    assert_int_equal(member_apply(m, &e), KVS_E_DUPLICATE_KEY);
    assert_false(member_has_key(m, "a"));
    assert_int_equal(mvcc_revision(m->store), 1);
    ops[1].u.put.key = view_str("b");
    assert_int_equal(member_apply(m, &e), 0);
    assert_int_equal(m->result.revision, 2);
    assert_int_equal(m->result.n_events, 2);
    assert_true(m->result.u.txn.succeeded);
    assert_int_equal(m->result.u.txn.header.revision, 2);
    assert_int_equal(m->result.u.txn.n_responses, 2);
}

/* A write transaction that reads an old revision: whether that is compacted is the same on a member
 * that has removed the history and on one that has not. */
static void test_txn_at_compacted_revision(void **state)
{
    struct member *m = *state;
    struct kvs_op ops[2] = {
        {.type = KVS_OP_PUT, .u.put = {.key = view_str("z")}},
        {.type = KVS_OP_RANGE, .u.range = {.key = view_str("a"), .revision = 3}}};
    struct apply_entry e = {.kind = APPLY_TXN, .u.txn = {.success = ops, .n_success = 2}};
    struct apply_entry compact = {.kind = APPLY_COMPACT, .u.compact.revision = 5};

    for (int i = 0; i < 8; i++) {
        assert_int_equal(member_put(m, "a", "x", 0), 0);
    }
    assert_int_equal(member_apply(m, &e), 0);
    assert_int_equal(member_apply(m, &compact), 0);
    assert_int_equal(m->result.changed, APPLY_CHANGED_COMPACTION);
    assert_int_equal(m->result.compact_revision, 5);
    assert_int_equal(member_apply(m, &e), KVS_E_COMPACTED);
    member_store(m);
    assert_int_equal(member_apply(m, &e), KVS_E_COMPACTED);
    assert_int_equal(member_apply(m, &compact), KVS_E_COMPACTED);
    ops[1].u.range.revision = 5;
    assert_int_equal(member_apply(m, &e), 0);
}

static void test_lease_revoke_deletes_keys(void **state)
{
    struct member *m = *state;

    assert_int_equal(member_grant(m, 7, 60), 0);
    assert_int_equal(m->result.u.lease_grant.id, 7);
    assert_int_equal(m->result.u.lease_grant.ttl_s, 60);
    assert_int_equal(m->result.changed, APPLY_CHANGED_LEASES);
    assert_int_equal(member_grant(m, 7, 60), KVS_E_LEASE_EXISTS);
    assert_int_equal(member_put(m, "c", "1", 7), 0);
    assert_int_equal(member_put(m, "a", "1", 7), 0);
    member_store(m); /* one part in the file, one in memory */
    assert_int_equal(member_put(m, "b", "1", 7), 0);
    assert_int_equal(member_put(m, "other", "1", 0), 0);
    assert_int_equal(member_put(m, "c", "1", 0), 0); /* detached by a put without lease */
    assert_int_equal(member_put(m, "c2", "1", 7), 0);
    assert_int_equal(member_revoke(m, 7, 0), 0);
    assert_int_equal(m->result.n_events, 3);
    assert_true(view_equal_str(m->result.events[0].kv.key, "a"));
    assert_true(view_equal_str(m->result.events[1].kv.key, "b"));
    assert_true(view_equal_str(m->result.events[2].kv.key, "c2"));
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(m->result.events[i].type, KVS_EVENT_DELETE);
        assert_int_equal(m->result.events[i].kv.mod_revision, m->result.revision);
    }
    assert_int_equal(m->result.u.lease_revoke.header.revision, m->result.revision);
    assert_true(member_has_key(m, "c"));
    assert_int_equal(member_revoke(m, 7, 0), KVS_E_LEASE_NOT_FOUND);
    assert_int_equal(member_put(m, "d", "1", 7), KVS_E_LEASE_NOT_FOUND);
}

static void test_lease_without_keys(void **state)
{
    struct member *m = *state;
    kvs_revision revision = mvcc_revision(m->store);

    assert_int_equal(member_grant(m, 7, -1), 0);
    assert_int_equal(m->result.u.lease_grant.ttl_s, 1);
    assert_int_equal(member_grant(m, 8, LEASE_TTL_MAX_S + 1), KVS_E_LEASE_TTL_TOO_LARGE);
    assert_int_equal(member_grant(m, 0, 10), KVS_E_LEASE_NOT_FOUND);
    assert_int_equal(member_revoke(m, 7, 0), 0);
    assert_int_equal(m->result.revision, revision);
    assert_int_equal(m->result.n_events, 0);
}

/* The revoke of a leader that was replaced is void: the lease may have been renewed since. */
static void test_revoke_of_an_old_leader(void **state)
{
    struct member *m = *state;
    struct lease_checkpoint item = {7, 30};
    struct apply_entry e = {.kind = APPLY_LEASE_CHECKPOINT, .u.lease_checkpoint = {&item, 1, 1}};
    struct lease_info info;

    assert_int_equal(member_grant(m, 7, 60), 0);
    m->term = 2;
    assert_int_equal(member_revoke(m, 7, 1), KVS_E_NOT_LEADER);
    assert_int_equal(member_apply(m, &e), KVS_E_NOT_LEADER);
    assert_true(lease_get(apply_leases(m->apply), 7, &info));
    assert_int_equal(info.remaining_ttl_s, 0);
    e.u.lease_checkpoint.only_term = 2;
    assert_int_equal(member_apply(m, &e), 0);
    assert_true(lease_get(apply_leases(m->apply), 7, &info));
    assert_int_equal(info.remaining_ttl_s, 30);
    assert_int_equal(member_revoke(m, 7, 2), 0);
}

static void test_alarms(void **state)
{
    struct member *m = *state;
    struct kvs_op put = {.type = KVS_OP_PUT, .u.put = {.key = view_str("a")}};
    struct kvs_op range = {.type = KVS_OP_RANGE, .u.range = {.key = view_str("a")}};
    struct kvs_txn_req inner = {.failure = &put, .n_failure = 1};
    struct kvs_op nested = {.type = KVS_OP_TXN, .u.txn = &inner};
    struct apply_entry txn = {.kind = APPLY_TXN, .u.txn = {.failure = &nested, .n_failure = 1}};
    struct apply_entry del = {.kind = APPLY_DELETE, .u.del.key = view_str("a")};
    size_t n;

    assert_int_equal(member_put(m, "a", "1", 0), 0);
    assert_int_equal(member_alarm(m, false, KVS_ALARM_NOSPACE, 1), 0);
    assert_int_equal(m->result.u.alarm.n_alarms, 0); /* absent: empty list */
    assert_int_equal(member_alarm(m, true, KVS_ALARM_NOSPACE, 1), 0);
    assert_int_equal(m->result.u.alarm.n_alarms, 1);
    assert_int_equal(m->result.changed, APPLY_CHANGED_ALARMS);
    assert_int_equal(member_alarm(m, true, KVS_ALARM_NOSPACE, 1), 0);
    assert_int_equal(m->result.u.alarm.n_alarms, 1);
    assert_int_equal(m->result.changed, 0);
    assert_int_equal(member_put(m, "a", "1", 0), KVS_E_NO_SPACE);
    assert_int_equal(member_grant(m, 1, 60), KVS_E_NO_SPACE);
    assert_int_equal(member_apply(m, &txn), KVS_E_NO_SPACE);
    txn.u.txn.failure = &range;
    assert_int_equal(member_apply(m, &txn), 0);
    assert_int_equal(member_apply(m, &del), 0);
    assert_int_equal(member_alarm(m, true, KVS_ALARM_CORRUPT, 2), 0);
    assert_int_equal(member_apply(m, &del), KVS_E_CORRUPT);
    assert_int_equal(member_revoke(m, 3, 0), KVS_E_CORRUPT);
    assert_int_equal(apply_alarms(m->apply, &n)[0].type, KVS_ALARM_NOSPACE);
    assert_int_equal(n, 2);
    member_store(m);
    member_crash(m);
    assert_true(apply_alarm_is_set(m->apply, KVS_ALARM_CORRUPT));
    assert_int_equal(member_alarm(m, false, KVS_ALARM_CORRUPT, 2), 0);
    assert_int_equal(member_alarm(m, false, KVS_ALARM_NOSPACE, 1), 0);
    assert_int_equal(m->result.u.alarm.n_alarms, 1);
    assert_int_equal(member_put(m, "a", "1", 0), 0);
}

static void test_alarms_are_bounded(void **state)
{
    struct member *m = *state;

    for (uint64_t id = 1; id <= 256; id++) {
        assert_int_equal(member_alarm(m, true, KVS_ALARM_NOSPACE, id), 0);
    }
    assert_int_equal(member_alarm(m, true, KVS_ALARM_NOSPACE, 1000), KVS_E_TOO_MANY_REQUESTS);
    assert_int_equal(m->result.u.alarm.n_alarms, 0);
    assert_int_equal(member_alarm(m, true, KVS_ALARM_NOSPACE, 256), 0);
}

/* --- Members ---------------------------------------------------------------------------------- */

static struct kvs_view url_a = {"http://a:2380", 13};
static struct kvs_view url_b = {"http://b:2380", 13};
static struct kvs_view url_c = {"http://c:2380", 13};

static void bootstrap(struct member *m)
{
    struct kvs_member members[2] = {
        {.id = 20, .name = view_str("b"), .peer_urls = &url_b, .n_peer_urls = 1},
        {.id = 10, .name = view_str("a"), .peer_urls = &url_a, .n_peer_urls = 1},
    };

    assert_int_equal(apply_bootstrap(m->apply, 99, members, 2, view_str("conf1")), 0);
    m->index = 1;
    assert_true(mvcc_applied_index(m->store) == 1);
}

static void test_bootstrap(void **state)
{
    struct member *m = *state;
    struct kvs_member twice[2] = {{.id = 1, .peer_urls = &url_a, .n_peer_urls = 1},
                                  {.id = 1, .peer_urls = &url_b, .n_peer_urls = 1}};
    size_t n;

    assert_int_equal(apply_bootstrap(m->apply, 0, twice, 1, view_str("")), KVS_E_INVALID);
    assert_int_equal(apply_bootstrap(m->apply, 5, twice, 0, view_str("")), KVS_E_INVALID);
    bootstrap(m);
    assert_true(apply_cluster_id(m->apply) == 99);
    assert_true(apply_members(m->apply, &n)[0].id == 10);
    assert_int_equal(n, 2);
    assert_int_equal(apply_bootstrap(m->apply, 5, twice, 1, view_str("")), KVS_E_INVALID);
    member_store(m);
    member_crash(m);
    assert_true(apply_cluster_id(m->apply) == 99);
    assert_true(view_equal_str(apply_raft_conf(m->apply), "conf1"));
    assert_true(view_equal_str(apply_member_find(m->apply, 20)->name, "b"));
    assert_true(view_equal(apply_member_find(m->apply, 20)->peer_urls[0], url_b));
}

static struct apply_member_change
change_of(enum apply_member_op op, uint64_t id, struct kvs_view *url)
{
    return (struct apply_member_change){
        .op = op, .id = id, .peer_urls = url, .n_peer_urls = url != NULL ? 1 : 0};
}

static void test_member_rules(void **state)
{
    struct member *m = *state;
    struct apply_member_change c;

    bootstrap(m);
    c = change_of(APPLY_MEMBER_ADD, 10, &url_c);
    assert_int_equal(apply_member_check(m->apply, &c, 1), KVS_E_MEMBER_EXISTS);
    c = change_of(APPLY_MEMBER_ADD, 30, &url_a);
    assert_int_equal(apply_member_check(m->apply, &c, 1), KVS_E_PEER_URL_EXISTS);
    c = change_of(APPLY_MEMBER_ADD, 30, NULL);
    assert_int_equal(apply_member_check(m->apply, &c, 1), KVS_E_MEMBER_BAD_URLS);
    c = change_of(APPLY_MEMBER_REMOVE, 30, NULL);
    assert_int_equal(apply_member_check(m->apply, &c, 1), KVS_E_MEMBER_NOT_FOUND);
    c = change_of(APPLY_MEMBER_PROMOTE, 10, NULL);
    assert_int_equal(apply_member_check(m->apply, &c, 1), KVS_E_MEMBER_NOT_LEARNER);
    c = change_of(APPLY_MEMBER_UPDATE, 10, &url_b);
    assert_int_equal(apply_member_check(m->apply, &c, 1), KVS_E_PEER_URL_EXISTS);
    c = change_of(APPLY_MEMBER_UPDATE, 10, &url_a); /* its own */
    assert_int_equal(apply_member_check(m->apply, &c, 1), 0);
}

static void test_member_life(void **state)
{
    struct member *m = *state;
    struct apply_entry publish = {.kind = APPLY_MEMBER_ATTRIBUTES};
    struct apply_member_change c = change_of(APPLY_MEMBER_ADD, 30, &url_c);
    struct apply_member_change other = c;
    struct kvs_view client = view_str("http://c:2379");

    bootstrap(m);
    c.is_learner = true;
    assert_int_equal(member_apply_conf(m, "conf2", &c), 0);
    assert_int_equal(m->result.changed, APPLY_CHANGED_MEMBERS);
    assert_true(m->result.request_id == 9);
    assert_true(apply_member_find(m->apply, 30)->is_learner);
    assert_int_equal(apply_member_find(m->apply, 30)->name.len, 0);
    other.id = 40;
    other.is_learner = true;
    other.peer_urls = &client;
    assert_int_equal(apply_member_check(m->apply, &other, 1), KVS_E_TOO_MANY_LEARNERS);
    assert_int_equal(apply_member_check(m->apply, &other, 0), 0);
    publish.u.attributes = (struct apply_member_attributes){30, view_str("c"), &client, 1};
    assert_int_equal(member_apply(m, &publish), 0);
    c = change_of(APPLY_MEMBER_PROMOTE, 30, NULL);
    assert_int_equal(member_apply_conf(m, "conf3", &c), 0);
    member_store(m);
    member_crash(m);
    assert_true(view_equal_str(apply_raft_conf(m->apply), "conf3"));
    assert_false(apply_member_find(m->apply, 30)->is_learner);
    assert_true(view_equal(apply_member_find(m->apply, 30)->client_urls[0], client));
    c = change_of(APPLY_MEMBER_REMOVE, 30, NULL);
    assert_int_equal(member_apply_conf(m, "conf4", &c), 0);
    assert_null(apply_member_find(m->apply, 30));
    assert_true(apply_member_was_removed(m->apply, 30));
    c = change_of(APPLY_MEMBER_ADD, 30, &url_c); /* ids never come back */
    assert_int_equal(apply_member_check(m->apply, &c, 1), KVS_E_MEMBER_NOT_FOUND);
    assert_int_equal(member_apply(m, &publish), KVS_E_MEMBER_NOT_FOUND);
    member_store(m);
    member_crash(m);
    assert_true(apply_member_was_removed(m->apply, 30));
}

static void check_leaving(struct member *m, bool is_leaving)
{
    const struct kvs_member *leaving = apply_member_leaving(m->apply);

    apply_check(m->apply);
    assert_true((leaving != NULL) == is_leaving);
    if (is_leaving) {
        assert_true(leaving->id == 20);
        assert_int_equal(leaving->n_peer_urls, 1);
        assert_true(view_equal(leaving->peer_urls[0], url_b));
    }
    assert_null(apply_member_find(m->apply, 20));
    assert_true(apply_member_was_removed(m->apply, 20));
}

/* Between the two entries of a joint removal it votes, and has to be reached: also after a restart,
 * and whatever else was removed before. */
static void test_leaving_member(void **state)
{
    struct member *m = *state;
    struct apply_member_change c = change_of(APPLY_MEMBER_ADD, 5, &url_c);
    struct apply_input input;
    uint64_t before;
    uint64_t after;

    bootstrap(m);
    assert_int_equal(member_apply_conf(m, "conf2", &c), 0);
    c = change_of(APPLY_MEMBER_REMOVE, 5, NULL);
    assert_int_equal(member_apply_conf(m, "conf3", &c), 0);
    assert_true(apply_member_leaving(m->apply)->id == 5);
    c = change_of(APPLY_MEMBER_REMOVE, 20, NULL);
    assert_int_equal(member_apply_conf(m, "joint", &c), 0);
    check_leaving(m, true);
    assert_int_equal(apply_state_hash(m->apply, &before), 0);
    member_store(m);
    member_crash(m);
    check_leaving(m, true);
    assert_int_equal(apply_state_hash(m->apply, &after), 0);
    assert_true(before == after);
    assert_int_equal(apply_reload(m->apply, m->now_ms), 0);
    check_leaving(m, true);
    input = member_input(m);
    assert_int_equal(
        apply_conf(m->apply, &input, view_str("left"), (struct kvs_view){0}, &m->result), 0);
    check_leaving(m, false);
    member_store(m);
    member_crash(m);
    check_leaving(m, false);
    assert_true(apply_member_was_removed(m->apply, 5));
}

/* The change is only allowed where Raft's configuration comes with it. */
static void test_bad_entries_stop(void **state)
{
    struct member *m = *state;
    struct apply_entry e = {.kind = APPLY_MEMBER_CHANGE,
                            .u.change = change_of(APPLY_MEMBER_REMOVE, 1, NULL)};
    struct apply_input input = member_input(m);

    assert_int_equal(apply_encode(&e, &m->bytes), 0);
    assert_int_equal(apply_entry(m->apply, &input, buf_view(&m->bytes), &m->result),
                     KVS_E_MALFORMED);
    assert_int_equal(apply_entry(m->apply, &input, view_str("\x02xxxxxxxxxxxx"), &m->result),
                     KVS_E_VERSION);
    assert_int_equal(apply_entry(m->apply, &input, view_str("\x01"), &m->result), KVS_E_MALFORMED);
    m->index--; /* none was applied */
    assert_true(mvcc_applied_index(m->store) == m->index);
}

static void test_leases_survive(void **state)
{
    struct member *m = *state;
    struct lease_info info;
    uint64_t hash;
    int64_t left = 0;

    assert_int_equal(member_grant(m, 7, 60), 0);
    assert_int_equal(member_grant(m, INT64_MAX, 600), 0);
    assert_int_equal(member_put(m, "a", "1", 7), 0);
    assert_int_equal(member_grant(m, 8, 60), 0);
    assert_int_equal(member_revoke(m, 8, 0), 0);
    hash = member_hash(m);
    member_store(m);
    assert_true(member_hash(m) == hash);
    m->now_ms = 5000;
    member_crash(m);
    assert_true(member_hash(m) == hash);
    assert_true(lease_get(apply_leases(m->apply), INT64_MAX, &info));
    assert_int_equal(info.granted_ttl_s, 600);
    assert_false(lease_get(apply_leases(m->apply), 8, NULL));
    lease_promote(apply_leases(m->apply), m->now_ms, 1000);
    assert_int_equal(lease_time_to_live(apply_leases(m->apply), 7, m->now_ms, &left), 0);
    assert_int_equal(left, 61);
    assert_int_equal(member_revoke(m, 7, 0), 0);
    assert_int_equal(m->result.n_events, 1);
}

static void test_reload(void **state)
{
    struct member *m = *state;
    uint64_t hash;

    bootstrap(m);
    assert_int_equal(member_grant(m, 7, 60), 0);
    assert_int_equal(member_alarm(m, true, KVS_ALARM_NOSPACE, 10), 0);
    member_store(m);
    hash = member_hash(m);
    assert_int_equal(apply_reload(m->apply, 0), 0);
    assert_true(member_hash(m) == hash);
    apply_check(m->apply);
}

int main(void)
{
#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        RULE(test_put_and_answer),
        RULE(test_without_reply),
        RULE(test_refusals_change_nothing),
        RULE(test_txn_is_all_or_nothing),
        RULE(test_txn_at_compacted_revision),
        RULE(test_lease_revoke_deletes_keys),
        RULE(test_lease_without_keys),
        RULE(test_revoke_of_an_old_leader),
        RULE(test_alarms),
        RULE(test_alarms_are_bounded),
        RULE(test_bootstrap),
        RULE(test_member_rules),
        RULE(test_member_life),
        RULE(test_leaving_member),
        RULE(test_bad_entries_stop),
        RULE(test_leases_survive),
        RULE(test_reload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
