/* Determinism: members that apply the same entries hold the same state, although one of them is the
 * leader, stores often, crashes and replays, and the other hardly ever stores; with different
 * clocks and at different stages of compaction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "apply_drive.h"
#include "base/alloc.h"
#include "base/checksum.h"
#include "base/rand.h"

#define STEPS     1500
#define SEEDS     4
#define KEYS      12
#define LEASES    6
#define LOG_MAX   (STEPS + 10)
#define HASH_STEP 25

struct logged {
    struct kvs_blob bytes;
    bool is_conf;
    char raft_conf[16];
    uint64_t term;
    uint64_t outcome; /* sum over what applying returned */
    uint64_t hash;    /* of the state afterwards; 0: not taken */
};

struct run {
    struct rng rng;
    struct member a;
    struct member b;
    struct logged log[LOG_MAX]; /* of index i + 2: the first entry is the bootstrap */
    size_t n_log;
    uint64_t n_members;
};

/* --- Random entries --------------------------------------------------------------------------- */

static const char *const keys[KEYS] = {"a",      "b",      "c",      "aa", "ab", "ba",
                                       "pods/1", "pods/2", "pods/3", "x",  "y",  "z"};
static const char *const values[4] = {"1", "22", "333", ""};

static struct kvs_view any_key(struct run *r)
{
    return view_str(keys[rng_below(&r->rng, KEYS)]);
}

static struct kvs_view any_end(struct run *r)
{
    switch (rng_below(&r->rng, 3)) {
    case 0:
        return view_make(NULL, 0);
    case 1:
        return view_make("", 1);
    default:
        return any_key(r);
    }
}

static struct kvs_put_req any_put(struct run *r)
{
    struct kvs_put_req put = {
        .key = any_key(r),
        .value = view_str(values[rng_below(&r->rng, 4)]),
        .prev_kv = rng_percent(&r->rng, 50),
    };

    if (rng_percent(&r->rng, 40)) {
        put.lease = (kvs_lease_id)rng_below(&r->rng, LEASES + 1);
    }
    if (rng_percent(&r->rng, 10)) {
        put.ignore_value = true;
        put.value = view_make(NULL, 0);
    }
    if (put.lease == 0 && rng_percent(&r->rng, 10)) {
        put.ignore_lease = true;
    }
    return put;
}

static kvs_revision any_revision(struct run *r)
{
    int64_t now = mvcc_revision(r->b.store);

    return (kvs_revision)rng_below(&r->rng, (uint64_t)now + 2);
}

static void any_op(struct run *r, struct kvs_op *ret_op)
{
    uint64_t what = rng_below(&r->rng, 3);

    *ret_op = (struct kvs_op){.type = KVS_OP_PUT};
    if (what == 0) {
        ret_op->u.put = any_put(r);
    } else if (what == 1) {
        ret_op->type = KVS_OP_DELETE;
        ret_op->u.del = (struct kvs_delete_req){any_key(r), any_end(r), true};
    } else {
        ret_op->type = KVS_OP_RANGE;
        ret_op->u.range = (struct kvs_range_req){.key = any_key(r), .range_end = any_end(r)};
        ret_op->u.range.revision = rng_percent(&r->rng, 30) ? any_revision(r) : 0;
    }
}

struct any_txn {
    struct kvs_compare compare;
    struct kvs_op outer[2];
    struct kvs_op inner[2];
    struct kvs_txn_req nested;
};

static void any_txn(struct run *r, struct any_txn *t, struct kvs_txn_req *ret_txn)
{
    t->compare = (struct kvs_compare){
        .result = (int)rng_below(&r->rng, 4),
        .target = (int)rng_below(&r->rng, 5),
        .key = any_key(r),
        .number = (int64_t)rng_below(&r->rng, 5),
        .value = view_str(values[rng_below(&r->rng, 4)]),
    };
    for (size_t i = 0; i < 2; i++) {
        any_op(r, &t->outer[i]);
        any_op(r, &t->inner[i]);
    }
    t->nested = (struct kvs_txn_req){&t->compare, 1, &t->inner[0], 1, &t->inner[1], 1};
    *ret_txn = (struct kvs_txn_req){&t->compare, 1, t->outer, 2, NULL, 0};
    if (rng_percent(&r->rng, 40)) {
        t->outer[1] = (struct kvs_op){.type = KVS_OP_TXN, .u.txn = &t->nested};
        ret_txn->failure = &t->outer[1];
        ret_txn->n_failure = 1;
    }
}

static void any_lease(struct run *r, struct apply_entry *e, struct lease_checkpoint *item)
{
    kvs_lease_id id = (kvs_lease_id)rng_below(&r->rng, LEASES + 1);
    uint64_t only_term = rng_percent(&r->rng, 50) ? rng_between(&r->rng, 1, r->a.term) : 0;
    int64_t ttl = (int64_t)rng_between(&r->rng, 1, 1000);

    switch (rng_below(&r->rng, 3)) {
    case 0:
        e->kind = APPLY_LEASE_GRANT;
        e->u.lease_grant = (struct kvs_lease_grant_req){ttl, id};
        return;
    case 1:
        e->kind = APPLY_LEASE_REVOKE;
        e->u.lease_revoke = (struct apply_lease_revoke){id, only_term};
        return;
    default:
        *item = (struct lease_checkpoint){id, ttl};
        e->kind = APPLY_LEASE_CHECKPOINT;
        e->u.lease_checkpoint = (struct apply_lease_checkpoint){item, 1, only_term};
        return;
    }
}

static struct kvs_view urls[8] = {
    {"http://0", 8}, {"http://1", 8}, {"http://2", 8}, {"http://3", 8},
    {"http://4", 8}, {"http://5", 8}, {"http://6", 8}, {"http://7", 8},
};

static void any_change(struct run *r, struct apply_member_change *ret_change)
{
    *ret_change = (struct apply_member_change){
        .op = (enum apply_member_op)rng_between(&r->rng, 1, APPLY_MEMBER_OP_COUNT - 1),
        .id = rng_between(&r->rng, 1, 20),
        .is_learner = rng_percent(&r->rng, 50),
        .peer_urls = &urls[rng_below(&r->rng, 8)],
        .n_peer_urls = 1,
    };
}

/* Encodes something random as the next entry of the log. */
static struct logged *log_random(struct run *r)
{
    struct logged *l = &r->log[r->n_log++];
    struct apply_entry e = {.request_id = r->n_log};
    struct lease_checkpoint item;
    struct any_txn txn;
    struct buf bytes;
    uint64_t what = rng_below(&r->rng, 100);

    *l = (struct logged){.term = r->a.term};
    if (what < 35) {
        e.kind = APPLY_PUT;
        e.u.put = any_put(r);
    } else if (what < 45) {
        e.kind = APPLY_DELETE;
        e.u.del = (struct kvs_delete_req){any_key(r), any_end(r), rng_percent(&r->rng, 50)};
    } else if (what < 65) {
        e.kind = APPLY_TXN;
        any_txn(r, &txn, &e.u.txn);
    } else if (what < 70) {
        e.kind = APPLY_COMPACT;
        e.u.compact.revision = any_revision(r);
    } else if (what < 85) {
        any_lease(r, &e, &item);
    } else if (what < 88) {
        e.kind = APPLY_ALARM;
        e.u.alarm = (struct apply_alarm){rng_percent(&r->rng, 30), KVS_ALARM_NOSPACE, 1};
    } else if (what < 92) {
        e.kind = APPLY_MEMBER_ATTRIBUTES;
        e.u.attributes = (struct apply_member_attributes){rng_between(&r->rng, 1, 20), any_key(r),
                                                          &urls[rng_below(&r->rng, 8)], 1};
    } else if (what < 97) {
        e.kind = APPLY_MEMBER_CHANGE;
        any_change(r, &e.u.change);
        l->is_conf = true;
        (void)snprintf(l->raft_conf, sizeof l->raft_conf, "conf %zu", r->n_log);
    } else {
        return l; /* empty: a new leader's first */
    }
    buf_init(&bytes);
    assert_int_equal(apply_encode(&e, &bytes), 0);
    l->bytes = buf_take(&bytes);
    return l;
}

/* --- Applying --------------------------------------------------------------------------------- */

/* A sum over what an entry did: events and status. */
static uint64_t outcome_of(const struct apply_result *result)
{
    uint64_t sum = (uint64_t)(int64_t)result->status + (uint64_t)result->revision * 31;

    sum += result->changed * UINT64_C(1000003);
    for (size_t i = 0; i < result->n_events; i++) {
        const struct kvs_event *e = &result->events[i];

        sum = sum * 31 + checksum64(e->kv.key.data, e->kv.key.len, (uint64_t)e->type);
        sum = sum * 31 + checksum64(e->kv.value.data, e->kv.value.len, e->has_prev);
        sum = sum * 31 + (uint64_t)e->kv.version + (uint64_t)e->prev_kv.mod_revision;
    }
    return sum;
}

static uint64_t member_step(struct member *m, const struct logged *l, bool with_reply)
{
    struct rcbuf *entry = rcbuf_copy((struct kvs_view){l->bytes.data, l->bytes.len});
    struct kvs_view bytes = rcbuf_view(entry);
    struct apply_input input = member_input(m);

    input.term = l->term;
    input.owner = with_reply ? entry : NULL; /* one member shares the values, the other copies */
    input.reply = with_reply ? &m->reply : NULL;
    if (l->is_conf) {
        assert_int_equal(apply_conf(m->apply, &input, view_str(l->raft_conf), bytes, &m->result),
                         0);
    } else {
        assert_int_equal(apply_entry(m->apply, &input, bytes, &m->result), 0);
    }
    apply_check(m->apply);
    rcbuf_unref(entry);
    return outcome_of(&m->result);
}

/* After a crash the log brings back what was not stored, with the same outcome. */
static void member_replay(struct run *r, struct member *m)
{
    if (m->index == 0) {
        return;
    }
    while (m->index < r->n_log + 1) {
        const struct logged *l = &r->log[m->index - 1];

        assert_true(member_step(m, l, false) == l->outcome);
        if (l->hash != 0) {
            assert_true(member_hash(m) == l->hash);
        }
    }
}

static void bootstrap(struct member *m)
{
    struct kvs_member first = {.id = 1, .peer_urls = &urls[0], .n_peer_urls = 1};

    assert_int_equal(apply_bootstrap(m->apply, 5, &first, 1, view_str("conf")), 0);
    m->index = 1;
}

/* The restless member: ticks, stores, crashes, gains and loses leadership. */
static void trouble(struct run *r, struct member *m)
{
    uint64_t what = rng_below(&r->rng, 100);

    m->now_ms += rng_below(&r->rng, 500);
    if (what < 30) {
        mvcc_tick(m->store, m->now_ms);
    } else if (what < 50) {
        (void)backend_inline_step(&m->device);
    } else if (what < 55) {
        member_store(m);
    } else if (what < 58) {
        bool stored = mvcc_stored_index(m->store) > 0;

        if (stored) {
            member_crash(m);
            member_replay(r, m);
        }
    } else if (what < 62) {
        lease_promote(apply_leases(m->apply), m->now_ms, 1000);
    } else if (what < 64) {
        lease_demote(apply_leases(m->apply));
    } else if (what < 66) {
        r->a.term++;
    }
}

static void run_seed(uint64_t seed)
{
    struct run *r = calloc(1, sizeof *r);

    assert_non_null(r);
    printf("seed %llu\n", (unsigned long long)seed);
    rng_init(&r->rng, seed);
    member_init(&r->a);
    member_init(&r->b);
    bootstrap(&r->a);
    bootstrap(&r->b);
    for (int i = 0; i < STEPS; i++) {
        struct logged *l = log_random(r);

        l->outcome = member_step(&r->b, l, false);
        assert_true(member_step(&r->a, l, true) == l->outcome);
        if (i % HASH_STEP == 0) {
            l->hash = member_hash(&r->b);
            assert_true(member_hash(&r->a) == l->hash);
        }
        trouble(r, &r->a);
    }
    assert_true(member_hash(&r->a) == member_hash(&r->b));
    member_store(&r->a);
    member_store(&r->b);
    assert_true(member_hash(&r->a) == member_hash(&r->b));
    assert_true(mvcc_revision(r->a.store) > 100);
    member_fini(&r->a);
    member_fini(&r->b);
    for (size_t i = 0; i < r->n_log; i++) {
        kvs_free(r->log[i].bytes.data);
    }
    free(r);
}

static void test_equal_state(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
