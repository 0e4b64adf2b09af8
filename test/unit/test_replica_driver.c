/* The driver: proposals, reads, restarts, members, transfers and snapshots on a cluster of replicas
 * in one thread. */
#include "replica_cluster.h"

static void test_sole_member_leads_at_once(void **state)
{
    struct cluster *c = cluster_new(1, NULL);

    (void)state;
    CLUSTER_UNTIL(c, c->members[1].leads, 6 * TURN_MS); /* No election timeout is waited for. */
    cluster_propose(c, 1, "alone", 10);
    CLUSTER_UNTIL(c, c->members[1].live.n_data == 10, 100);
    cluster_free(c);
}

static void test_propose_on_leader_and_follower(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    uint64_t leader;
    struct replica_status status;

    (void)state;
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 10000);
    leader = cluster_leader(c);
    CLUSTER_UNTIL(c, c->members[leader % 3 + 1].leader == leader, 1000);
    cluster_propose(c, leader, "by the leader", 100);
    cluster_propose(c, leader % 3 + 1, "by a follower", 100);
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[1].live.n_data == 200, 1000);
    assert_int_equal(replica_propose(c->members[leader].r, (struct kvs_view){0}, NULL),
                     KVS_E_REQUEST_TOO_LARGE);
    assert_int_equal(replica_propose(c->members[leader].r,
                                     (struct kvs_view){"", (size_t)REPLICA_ENTRY_BYTES_MAX + 1},
                                     NULL),
                     KVS_E_REQUEST_TOO_LARGE);
    replica_status(c->members[leader].r, &status);
    assert_int_equal(status.n_peers, 2);
    assert_true(status.is_voter && status.peers[0].voter && status.peers[0].active);
    assert_true(status.peers[0].match == status.core.last_index);
    cluster_free(c);
}

static void test_big_batches(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    char *big = kvs_malloc(300000);
    uint64_t leader;

    (void)state;
    assert_non_null(big);
    memset(big, 'x', 300000);
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 10000);
    leader = cluster_leader(c);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(replica_propose(c->members[leader].r, view_make(big, 300000), NULL), 0);
        assert_int_equal(replica_propose(c->members[leader].r, view_make(big, 3), NULL), 0);
    }
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[1].live.n_data == 40, 5000);
    kvs_free(big);
    cluster_free(c);
}

/* ---- reads ---- */

struct read_seen {
    struct replica_read read;
    int calls;
    const struct member *member; /* or NULL */
    uint64_t leader;             /* whom `member` had heard of when the read completed */
};

static void read_seen_cb(struct replica_read *read)
{
    struct read_seen *seen = container_of(read, struct read_seen, read);

    seen->calls++;
    seen->leader = seen->member != NULL ? seen->member->leader : CORE_NONE;
}

static void test_reads_everywhere(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    struct read_seen reads[300] = {0};
    uint64_t leader;
    uint64_t written;

    (void)state;
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 10000);
    leader = cluster_leader(c);
    CLUSTER_UNTIL(c, c->members[leader % 3 + 1].leader == leader, 1000);
    CLUSTER_UNTIL(c, c->members[(leader + 1) % 3 + 1].leader == leader, 1000);
    cluster_propose(c, leader, "w", 5);
    CLUSTER_UNTIL(c, c->members[leader].live.n_data == 5, 1000);
    written = c->members[leader].live.index;
    for (size_t i = 0; i < ARRAY_LEN(reads); i++) {
        reads[i].read.cb = read_seen_cb;
        assert_int_equal(replica_read(c->members[i % 3 + 1].r, &reads[i].read), 0);
        assert_int_equal(reads[i].calls, 0); /* Never from inside. */
    }
    replica_read_cancel(c->members[1].r, &reads[0].read);
    for (size_t i = 1; i < ARRAY_LEN(reads); i++) {
        CLUSTER_UNTIL(c, reads[i].calls == 1, 1000);
        assert_int_equal(reads[i].read.status, 0);
        assert_true(reads[i].read.index >= written);
        assert_true(c->members[i % 3 + 1].live.index >= reads[i].read.index);
    }
    cluster_run(c, 1000);
    assert_int_equal(reads[0].calls, 0);
    for (size_t i = 1; i < ARRAY_LEN(reads); i++) {
        assert_int_equal(reads[i].calls, 1);
    }
    cluster_free(c);
}

/* A leader that is cut off confirms nothing; its reads fail when it hears of the next one, and
 * before its owner does (docs/ordering.md, 16). */
static void test_read_of_a_deposed_leader(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    struct read_seen read = {.read = {.cb = read_seen_cb}};
    struct read_seen confirm = {.read = {.cb = read_seen_cb}};
    uint64_t old;

    (void)state;
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 10000);
    old = cluster_leader(c);
    cluster_run(c, 500);
    assert_int_equal(replica_confirm_leader(c->members[old].r, &confirm.read), 0);
    CLUSTER_UNTIL(c, confirm.calls == 1, 1000);
    assert_int_equal(confirm.read.status, 0);
    assert_int_equal(replica_confirm_leader(c->members[old % 3 + 1].r, &confirm.read),
                     KVS_E_NOT_LEADER);

    cluster_cut(c, old, true);
    assert_int_equal(replica_read(c->members[old].r, &read.read), 0);
    assert_int_equal(replica_confirm_leader(c->members[old].r, &confirm.read), 0);
    CLUSTER_UNTIL(c, cluster_leader(c) != old, 20000);
    cluster_run(c, 3000);
    assert_int_equal(read.calls, 0);
    assert_int_equal(confirm.calls, 1);
    cluster_cut(c, old, false);
    read.member = &c->members[old];
    confirm.member = &c->members[old];
    CLUSTER_UNTIL(c, read.calls == 1 && confirm.calls == 2, 10000);
    assert_int_equal(c->members[old].leader, cluster_leader(c));
    assert_int_not_equal(read.leader, c->members[old].leader);
    assert_int_not_equal(confirm.leader, c->members[old].leader);
    assert_int_equal(read.read.status, KVS_E_LEADER_CHANGED);
    assert_int_equal(confirm.read.status, KVS_E_LEADER_CHANGED);
    cluster_free(c);
}

/* A question that was lost is asked again. */
static void test_lost_read_is_asked_again(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    struct read_seen read = {.read = {.cb = read_seen_cb}};
    uint64_t leader;
    uint64_t other;

    (void)state;
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 10000);
    leader = cluster_leader(c);
    other = leader % 3 + 1;
    CLUSTER_UNTIL(c, c->members[other].leader == leader, 1000);
    c->cut[other][leader] = true;
    assert_int_equal(replica_read(c->members[other].r, &read.read), 0);
    cluster_run(c, 200);
    c->cut[other][leader] = false;
    assert_int_equal(read.calls, 0);
    CLUSTER_UNTIL(c, read.calls == 1, 1500);
    assert_int_equal(read.read.status, 0);
    cluster_free(c);
}

static void test_no_leader(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    struct read_seen read = {.read = {.cb = read_seen_cb}};

    (void)state;
    assert_int_equal(replica_propose(c->members[1].r, view_str("x"), NULL), KVS_E_NO_LEADER);
    assert_int_equal(replica_read(c->members[1].r, &read.read), KVS_E_NO_LEADER);
    cluster_free(c);
}

/* ---- restart ---- */

static void test_restart(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    uint64_t sum;

    (void)state;
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 10000);
    cluster_propose(c, cluster_leader(c), "stored", 50);
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[1].live.n_data == 50, 1000);
    cluster_store(c);
    cluster_propose(c, cluster_leader(c), "in the log only", 50);
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[1].live.n_data == 100, 1000);
    sum = c->members[1].live.sum;
    for (size_t i = 1; i <= 3; i++) {
        member_stop(&c->members[i]);
    }
    for (size_t i = 1; i <= 3; i++) {
        member_start(&c->members[i], 0);
        assert_int_equal(c->members[i].live.n_data, 50);
    }
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 10000);
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[1].live.n_data == 100, 5000);
    assert_true(c->members[1].live.sum == sum);
    cluster_propose(c, cluster_leader(c), "afterwards", 1);
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[1].live.n_data == 101, 5000);
    cluster_free(c);
}

static void test_rolling_restarts_under_load(void **state)
{
    struct cluster *c = cluster_new(3, NULL);

    (void)state;
    for (unsigned round = 0; round < 9; round++) {
        struct member *m = &c->members[round % 3 + 1];

        CLUSTER_UNTIL(c, cluster_leader(c) != 0, 20000);
        for (int i = 0; i < 20; i++) {
            cluster_propose(c, cluster_leader(c), "load", 1);
            cluster_turn(c);
        }
        if (round % 2 == 0) {
            m->durable = m->live;
            replica_stored(m->r, m->live.index);
        }
        member_stop(m);
        cluster_run(c, 300);
        member_start(m, 0);
    }
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 20000);
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[1].live.n_data > 50, 20000);
    cluster_free(c);
}

/* ---- members ---- */

struct conf_seen {
    struct replica_conf_change change;
    int calls;
};

static void conf_seen_cb(struct replica_conf_change *change)
{
    container_of(change, struct conf_seen, change)->calls++;
}

static void change(struct cluster *c,
                   uint64_t on,
                   enum core_change_type type,
                   uint64_t id,
                   const char *context,
                   int expected)
{
    struct conf_seen seen = {.change = {.cb = conf_seen_cb}};
    struct core_change one = {type, id};

    assert_int_equal(
        replica_change_conf(c->members[on].r, &one, 1, view_str(context), &seen.change), 0);
    CLUSTER_UNTIL(c, seen.calls == 1, 20000);
    assert_int_equal(seen.change.status, expected);
    assert_true((seen.change.index != 0) == (expected == 0));
}

static void test_members_come_and_go(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    uint64_t leader;

    (void)state;
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 10000);
    leader = cluster_leader(c);
    cluster_propose(c, leader, "before", 20);
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[1].live.n_data == 20, 1000);
    change(c, leader, CORE_ADD_LEARNER, 4, "forbidden", KVS_E_MEMBER_EXISTS);
    assert_false(replica_learner_ready(c->members[leader].r, 4));
    change(c, leader, CORE_ADD_LEARNER, 4, "four", 0);
    assert_string_equal(c->members[leader].context, "four");
    /* It starts with nothing: entry 1 is in no log, so it gets a snapshot first. */
    member_start(&c->members[4], 0);
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[4].n_installed == 1, 20000);
    CLUSTER_UNTIL(c, replica_learner_ready(c->members[leader].r, 4), 1000);
    assert_true(core_conf_is_learner(replica_conf(c->members[4].r), 4));
    /* Asked for on a follower. */
    change(c, leader % 3 + 1, CORE_ADD_VOTER, 4, "promoted", 0);
    assert_true(core_conf_is_voter(replica_conf(c->members[leader].r), 4));
    assert_false(core_conf_is_joint(replica_conf(c->members[leader].r)));
    CLUSTER_UNTIL(c, cluster_same(c), 5000);
    assert_string_equal(c->members[4].context, "promoted");
    /* The leader goes itself. */
    change(c, leader, CORE_REMOVE, leader, "gone", 0);
    CLUSTER_UNTIL(c, c->members[leader].removed, 5000);
    assert_int_equal(replica_propose(c->members[leader].r, view_str("x"), NULL), KVS_E_STOPPED);
    member_stop(&c->members[leader]);
    c->members[leader].leads = false;
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 20000);
    cluster_propose(c, cluster_leader(c), "after", 20);
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[4].live.n_data == 40, 5000);
    cluster_free(c);
}

static void test_grow_from_one(void **state)
{
    struct cluster *c = cluster_new(1, NULL);

    (void)state;
    CLUSTER_UNTIL(c, c->members[1].leads, 1000);
    cluster_propose(c, 1, "alone", 200);
    CLUSTER_UNTIL(c, c->members[1].live.n_data == 200, 1000);
    cluster_store(c);
    cluster_turn(c);
    for (uint64_t id = 2; id <= 3; id++) {
        change(c, 1, CORE_ADD_LEARNER, id, "learner", 0);
        member_start(&c->members[id], 0);
        CLUSTER_UNTIL(c, cluster_same(c), 20000);
        change(c, 1, CORE_ADD_VOTER, id, "voter", 0);
    }
    member_stop(&c->members[1]);
    c->members[1].leads = false;
    CLUSTER_UNTIL(c, cluster_leader(c) > 1, 20000);
    cluster_propose(c, cluster_leader(c), "without the first", 1);
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[2].live.n_data == 201, 5000);
    cluster_free(c);
}

/* ---- transfer ---- */

struct transfer_seen {
    struct replica_transfer transfer;
    int calls;
};

static void transfer_seen_cb(struct replica_transfer *transfer)
{
    container_of(transfer, struct transfer_seen, transfer)->calls++;
}

static void test_transfer(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    struct transfer_seen seen = {.transfer = {.cb = transfer_seen_cb}};
    struct transfer_seen second = {.transfer = {.cb = transfer_seen_cb}};
    uint64_t leader;
    uint64_t target;

    (void)state;
    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 10000);
    leader = cluster_leader(c);
    target = leader % 3 + 1;
    cluster_run(c, 500);
    assert_int_equal(replica_transfer(c->members[target].r, leader, 1000, &seen.transfer),
                     KVS_E_NOT_LEADER);
    assert_int_equal(replica_transfer(c->members[leader].r, 9, 1000, &seen.transfer),
                     KVS_E_BAD_LEADER_TRANSFEREE);
    assert_int_equal(replica_transfer(c->members[leader].r, target, 1000, &seen.transfer), 0);
    assert_int_equal(replica_transfer(c->members[leader].r, target, 1000, &second.transfer),
                     KVS_E_BUSY);
    assert_int_equal(replica_propose(c->members[leader].r, view_str("x"), NULL), KVS_E_BUSY);
    CLUSTER_UNTIL(c, seen.calls == 1, 1000);
    assert_int_equal(seen.transfer.status, 0);
    assert_true(c->members[target].leads);

    /* To a member that does not answer: it is given up, and the leader leads on. */
    cluster_run(c, 500);
    cluster_cut(c, leader, true);
    assert_int_equal(replica_transfer(c->members[target].r, leader, 3000, &seen.transfer), 0);
    CLUSTER_UNTIL(c, seen.calls == 2, 2000);
    assert_int_equal(seen.transfer.status, KVS_E_TIMEOUT_LEADER_TRANSFER);
    cluster_cut(c, leader, false);
    CLUSTER_UNTIL(c, c->members[leader].leader == target, 5000);

    /* To whoever has most. */
    cluster_run(c, 2000);
    assert_int_equal(replica_transfer(c->members[target].r, 0, 1000, &seen.transfer), 0);
    CLUSTER_UNTIL(c, seen.calls == 3, 2000);
    assert_int_equal(seen.transfer.status, 0);
    assert_true(cluster_leader(c) != target);
    cluster_free(c);
}

/* ---- snapshots and what is kept ---- */

static const struct replica_limits tight = {
    .keep_entries = 10,
    .keep_entries_max = 20,
    .keep_bytes_max = 4096,
    .snapshot_chunk_bytes = 64 << 10,
    .snapshot_window = 3,
    .snapshot_timeout_ms = 3000,
};

/* `lagging` misses so many entries that only a snapshot helps. */
static struct cluster *lagging_cluster(uint64_t *ret_leader, uint64_t *ret_lagging)
{
    struct cluster *c = cluster_new(3, &tight);
    uint64_t leader;

    CLUSTER_UNTIL(c, cluster_leader(c) != 0, 10000);
    leader = cluster_leader(c);
    *ret_leader = leader;
    *ret_lagging = leader % 3 + 1;
    member_stop(&c->members[*ret_lagging]);
    cluster_run(c, 3000); /* Until it no longer counts as active. */
    for (int i = 0; i < 40; i++) {
        cluster_propose(c, leader, "while one was away", 10);
        cluster_run(c, 50);
        cluster_store(c);
    }
    cluster_run(c, 100);
    return c;
}

static void test_log_is_bounded(void **state)
{
    uint64_t leader;
    uint64_t lagging;
    struct cluster *c = lagging_cluster(&leader, &lagging);
    struct replica_status status;

    (void)state;
    replica_status(c->members[leader].r, &status);
    assert_true(status.core.last_index > 400);
    assert_true(status.core.last_index - status.core.first_index < 100);
    assert_true(status.log_bytes <= tight.keep_bytes_max * 4);
    cluster_free(c);
}

static void test_snapshot_to_a_lagging_follower(void **state)
{
    uint64_t leader;
    uint64_t lagging;
    struct cluster *c = lagging_cluster(&leader, &lagging);
    struct replica_status status;

    (void)state;
    member_start(&c->members[lagging], 0);
    for (int i = 0; i < 100; i++) { /* Writes go on meanwhile. */
        cluster_propose(c, leader, "meanwhile", 1);
        cluster_turn(c);
        cluster_store(c);
    }
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[leader].live.n_data == 500, 20000);
    assert_int_equal(c->members[lagging].n_installed, 1);
    assert_true(c->chunks_seen >= 16);
    replica_status(c->members[leader].r, &status);
    assert_int_equal(status.snapshots_sent, 1);
    assert_int_equal(status.snapshots_failed, 0);
    /* What was installed is there after a restart. */
    member_stop(&c->members[lagging]);
    member_start(&c->members[lagging], 0);
    CLUSTER_UNTIL(c, cluster_same(c), 5000);
    assert_int_equal(c->members[lagging].n_installed, 1);
    cluster_free(c);
}

static void test_snapshot_with_a_wrong_byte(void **state)
{
    uint64_t leader;
    uint64_t lagging;
    struct cluster *c = lagging_cluster(&leader, &lagging);
    struct replica_status status;

    (void)state;
    c->flip_chunk = 5;
    member_start(&c->members[lagging], 0);
    CLUSTER_UNTIL(c, c->members[lagging].n_installed == 1, 60000);
    CLUSTER_UNTIL(c, cluster_same(c), 5000);
    cluster_run(c, 100);
    replica_status(c->members[leader].r, &status);
    assert_int_equal(status.snapshots_failed, 1);
    assert_int_equal(status.snapshots_sent, 1);
    cluster_free(c);
}

static void test_snapshot_over_a_broken_connection(void **state)
{
    uint64_t leader;
    uint64_t lagging;
    struct cluster *c = lagging_cluster(&leader, &lagging);

    (void)state;
    c->cut_chunk = 7;
    member_start(&c->members[lagging], 0);
    CLUSTER_UNTIL(c, c->members[lagging].n_installed == 1, 60000);
    CLUSTER_UNTIL(c, cluster_same(c), 5000);
    cluster_free(c);
}

static void test_snapshot_that_cannot_be_made(void **state)
{
    uint64_t leader;
    uint64_t lagging;
    struct cluster *c = lagging_cluster(&leader, &lagging);
    struct replica_status status;

    (void)state;
    c->members[leader].snapshots_refused = true;
    member_start(&c->members[lagging], 0);
    cluster_run(c, 10000);
    assert_int_equal(c->members[lagging].n_installed, 0);
    replica_status(c->members[leader].r, &status);
    assert_true(status.snapshots_failed >= 2 && status.snapshots_failed <= 11);
    c->members[leader].snapshots_refused = false;
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[lagging].n_installed == 1, 20000);
    cluster_free(c);
}

/* The sender dies in the middle; the next leader sends its own. */
static void test_snapshot_from_a_leader_that_dies(void **state)
{
    uint64_t leader;
    uint64_t lagging;
    struct cluster *c = lagging_cluster(&leader, &lagging);

    (void)state;
    member_start(&c->members[lagging], 0);
    CLUSTER_UNTIL(c, c->chunks_seen == 5, 20000);
    member_stop(&c->members[leader]);
    c->members[leader].leads = false;
    CLUSTER_UNTIL(c, cluster_same(c) && c->members[lagging].n_installed == 1, 60000);
    cluster_free(c);
}

/* ---- the rest ---- */

static void test_app_messages(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    char *big = kvs_calloc(1, (size_t)REPLICA_ENTRY_BYTES_MAX + 1);

    (void)state;
    assert_non_null(big);
    assert_int_equal(replica_send_app(c->members[1].r, 2, view_str("hello")), 0);
    CLUSTER_UNTIL(c, c->members[2].app_from == 1, 100);
    assert_string_equal(c->members[2].app, "hello");
    assert_int_equal(
        replica_send_app(c->members[1].r, 2, view_make(big, (size_t)REPLICA_ENTRY_BYTES_MAX + 1)),
        KVS_E_TOO_LONG);
    kvs_free(big);
    cluster_free(c);
}

static struct rcbuf *forged(enum peer_frame_type type, uint64_t from, uint64_t to)
{
    struct core_msg m = {.type = CORE_MSG_HEARTBEAT, .from = from, .to = to, .term = 1000};
    struct rcbuf *frame = peer_frame_new(type, 88);

    assert_non_null(frame);
    memset(peer_frame_payload(frame), 0, 88);
    peer_frame_payload(frame)[0] = (uint8_t)m.type;
    store_le64(peer_frame_payload(frame) + 8, m.from);
    store_le64(peer_frame_payload(frame) + 16, m.to);
    store_le64(peer_frame_payload(frame) + 24, m.term);
    peer_frame_seal(frame);
    return frame;
}

/* A peer that speaks for somebody else, to somebody else, or nonsense. */
static void test_bad_frames_are_refused(void **state)
{
    struct cluster *c = cluster_new(3, NULL);
    struct member *m = &c->members[1];
    struct rcbuf *bad[] = {
        forged(PEER_FRAME_RAFT, 3, 1),       forged(PEER_FRAME_RAFT, 2, 3),
        forged(PEER_FRAME_SNAP_CHUNK, 2, 1), forged(PEER_FRAME_HELLO, 2, 1),
        forged(PEER_FRAME_SNAP_ACK, 2, 1),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(m->events.message(m->events.ctx, 2, TRANSPORT_RAFT, bad[i]),
                         KVS_E_MALFORMED);
        rcbuf_unref(bad[i]);
    }
    cluster_turn(c);
    assert_true(replica_term(m->r) < 1000);
    cluster_free(c);
}

/* Closing at any moment leaves nothing behind (the sanitizer watches) and completes what waits. */
static void test_close_at_every_turn(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 60; turns += 3) {
        uint64_t leader;
        uint64_t lagging;
        struct cluster *c = lagging_cluster(&leader, &lagging);
        struct read_seen read = {.read = {.cb = read_seen_cb}};
        struct conf_seen conf = {.change = {.cb = conf_seen_cb}};
        struct core_change one = {CORE_ADD_LEARNER, 5};
        int asked;

        member_start(&c->members[lagging], 0);
        cluster_run(c, turns * TURN_MS);
        asked = replica_read(c->members[leader].r, &read.read);
        assert_int_equal(
            replica_change_conf(c->members[leader].r, &one, 1, (struct kvs_view){0}, &conf.change),
            0);
        member_stop(&c->members[leader]);
        assert_int_equal(read.calls, asked == 0 ? 1 : 0);
        assert_int_equal(read.read.status, KVS_E_STOPPED);
        assert_int_equal(conf.calls, 1);
        assert_int_equal(conf.change.status, KVS_E_STOPPED);
        cluster_free(c);
    }
}

/* ---- what cannot be mended ---- */

static void test_disk_failure_is_final(void **state)
{
    struct cluster *c = cluster_new(1, NULL);
    struct read_seen read = {.read = {.cb = read_seen_cb}};

    (void)state;
    CLUSTER_UNTIL(c, c->members[1].leads, 1000);
    cluster_propose(c, 1, "lost", 1);
    cluster_sync_fails = true;
    CLUSTER_UNTIL(c, c->members[1].fatal == KVS_E_IO, 1000);
    cluster_sync_fails = false;
    cluster_run(c, 1000);
    assert_int_equal(c->members[1].live.n_data, 0); /* Never synced, never applied. */
    assert_int_equal(replica_propose(c->members[1].r, view_str("x"), NULL), KVS_E_STOPPED);
    assert_int_equal(replica_read(c->members[1].r, &read.read), KVS_E_STOPPED);
    cluster_free(c);
}

/* One life of a member in a cluster that needs snapshots, with memory that ends somewhere. */
static bool starved_run(unsigned left)
{
    uint64_t leader;
    uint64_t lagging;
    struct cluster *c = lagging_cluster(&leader, &lagging);
    struct member *m = &c->members[lagging];
    bool starved;

    member_start(m, 0);
    cluster_alloc.left = left;
    cluster_alloc.failed = 0;
    for (int i = 0; i < 200 && m->fatal == 0; i++) {
        struct replica *leading = c->members[leader].r;

        cluster_alloc.armed = true;
        if (replica_propose(leading, view_str("under pressure"), NULL) == KVS_E_NOMEM) {
            cluster_alloc.left = 3; /* Refused, and nothing is broken: some memory came back. */
        }
        cluster_turn(c);
        cluster_alloc.armed = false;
    }
    starved = cluster_alloc.failed > 0;
    for (size_t i = 1; i <= 3; i++) {
        assert_true(c->members[i].fatal == 0 || c->members[i].fatal == KVS_E_NOMEM);
    }
    cluster_free(c);
    return starved;
}

static void test_memory_ends_anywhere(void **state)
{
    static const struct kvs_allocator failing = {
        .realloc = cluster_realloc,
        .free = cluster_release,
    };
    unsigned left = 0;

    (void)state;
    kvs_alloc_set(&failing);
    while (starved_run(left)) {
        left += left < 100 ? 7 : 97;
        assert_true(left < 100000);
    }
    assert_true(left > 200);
    kvs_alloc_set(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sole_member_leads_at_once),
        cmocka_unit_test(test_propose_on_leader_and_follower),
        cmocka_unit_test(test_big_batches),
        cmocka_unit_test(test_reads_everywhere),
        cmocka_unit_test(test_read_of_a_deposed_leader),
        cmocka_unit_test(test_lost_read_is_asked_again),
        cmocka_unit_test(test_no_leader),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_rolling_restarts_under_load),
        cmocka_unit_test(test_members_come_and_go),
        cmocka_unit_test(test_grow_from_one),
        cmocka_unit_test(test_transfer),
        cmocka_unit_test(test_log_is_bounded),
        cmocka_unit_test(test_snapshot_to_a_lagging_follower),
        cmocka_unit_test(test_snapshot_with_a_wrong_byte),
        cmocka_unit_test(test_snapshot_over_a_broken_connection),
        cmocka_unit_test(test_snapshot_that_cannot_be_made),
        cmocka_unit_test(test_snapshot_from_a_leader_that_dies),
        cmocka_unit_test(test_app_messages),
        cmocka_unit_test(test_bad_frames_are_refused),
        cmocka_unit_test(test_close_at_every_turn),
        cmocka_unit_test(test_disk_failure_is_final),
        cmocka_unit_test(test_memory_ends_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
