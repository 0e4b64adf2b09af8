/* Whom a node can reach after a restart, when its log knows more than its store; and whom it lets
 * in. The log is written by hand: what a leader would have sent before the node went down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node_drive.h"

static int setup(void **state)
{
    static struct drive drive;

    drive_init(&drive);
    *state = &drive;
    return 0;
}

static int teardown(void **state)
{
    struct drive *d = *state;

    if (d->node != NULL) {
        drive_close(d);
    }
    drive_fini(d);
    return 0;
}

/* --- the log --- */

#define NEW_ID  UINT64_C(0x77)
#define NEW_URL "http://new:2380"

/* What is to be appended behind the log that a closed node has left. */
struct tail {
    struct core_conf confs[4];
    struct apply_member_change changes[4]; /* id 0: no context */
    size_t n;
    uint64_t n_committed;
};

static struct kvs_view new_url = {NEW_URL, sizeof NEW_URL - 1};

static struct core_set set_of(uint64_t a, uint64_t b)
{
    struct core_set set = {.n = b != 0 ? 2 : 1, .ids = {a < b || b == 0 ? a : b, a < b ? b : a}};

    if (b == 0) {
        set.ids[1] = 0;
    }
    return set;
}

static void
tail_add(struct tail *t, const struct core_conf *conf, const struct apply_member_change *change)
{
    assert_true(t->n < ARRAY_LEN(t->confs));
    t->confs[t->n] = *conf;
    t->changes[t->n] =
        change != NULL ? *change : (struct apply_member_change){.op = APPLY_MEMBER_ADD};
    t->n++;
}

/* The entry as the replica writes it: configuration, id of the change, context. */
static struct rcbuf *tail_entry(const struct tail *t, size_t at)
{
    const struct apply_entry entry = {.kind = APPLY_MEMBER_CHANGE, .u.change = t->changes[at]};
    struct rcbuf *owner = NULL;
    struct buf bytes;

    buf_init(&bytes);
    if (entry.u.change.id != 0) {
        buf_append_le64(&bytes, 1234);
        assert_int_equal(apply_encode(&entry, &bytes), 0);
    }
    assert_int_equal(core_conf_entry_encode(&t->confs[at], buf_view(&bytes), &owner), 0);
    buf_fini(&bytes);
    return owner;
}

static void tail_write(struct drive *d, const struct tail *t)
{
    struct replica_state state = {0};
    struct wal_recovered found;
    struct wal *wal;

    assert_null(d->node);
    assert_int_equal(drive_open_wal(d, 1, &state, &found, &wal), 0);
    replica_state_fini(&state);
    for (size_t i = 0; i < t->n; i++) {
        struct rcbuf *owner = tail_entry(t, i);
        const struct wal_entry entry = {
            .index = found.last_index + 1 + i,
            .term = found.last_term,
            .type = CORE_ENTRY_CONFIG,
            .data = rcbuf_view(owner),
        };
        struct wal_hard_state hard = found.hard;

        hard.commit = found.last_index + (i + 1 < t->n_committed ? i + 1 : t->n_committed);
        assert_int_equal(wal_append(wal, t->n_committed > 0 ? &hard : NULL, &entry, 1), 0);
        rcbuf_unref(owner);
    }
    assert_int_equal(wal_sync(wal), 0);
    assert_int_equal(wal_close(wal), 0);
}

/* --- what the transport knows --- */

static const char *url_of(const struct drive *d, uint64_t id)
{
    for (size_t i = 0; i < d->n_peers; i++) {
        if (d->peers[i].id == id) {
            return d->peers[i].url;
        }
    }
    return NULL;
}

static bool is_told_removed(const struct drive *d, uint64_t id)
{
    for (size_t i = 0; i < d->n_removed; i++) {
        if (d->removed[i] == id) {
            return true;
        }
    }
    return false;
}

static uint64_t self(const struct drive *d)
{
    return d->cluster.members[0].id;
}

static void reopen(struct drive *d)
{
    assert_int_equal(drive_open(d), 0);
    drive_turn(d);
}

/* --- members that only the log knows --- */

/* One voter becomes two: a learner comes, the joint configuration that makes it a voter, the one
 * that leaves that. The last of them, which is in force, says nothing of addresses. */
static void tail_grow(struct drive *d, struct tail *t)
{
    const struct core_conf learner = {.voters = set_of(self(d), 0), .learners = set_of(NEW_ID, 0)};
    const struct core_conf joint = {.voters = set_of(self(d), NEW_ID),
                                    .outgoing = set_of(self(d), 0)};
    const struct core_conf both = {.voters = set_of(self(d), NEW_ID)};
    const struct apply_member_change add = {
        .op = APPLY_MEMBER_ADD, .id = NEW_ID, .peer_urls = &new_url, .n_peer_urls = 1};
    const struct apply_member_change promote = {.op = APPLY_MEMBER_PROMOTE, .id = NEW_ID};

    *t = (struct tail){.n = 0};
    tail_add(t, &learner, &add);
    tail_add(t, &joint, &promote);
    tail_add(t, &both, NULL);
}

static void test_unapplied_member_is_reached(void **state)
{
    struct drive *d = *state;
    struct tail t;

    assert_int_equal(drive_open(d), 0);
    DRIVE_UNTIL(d, node_is_ready(d->node));
    assert_int_equal(d->n_peers, 1); /* itself: what it tells who does not know it */
    assert_string_equal(url_of(d, self(d)), "http://drive:1000");
    drive_close(d);
    tail_grow(d, &t);
    tail_write(d, &t);
    reopen(d);
    assert_string_equal(url_of(d, NEW_ID), NEW_URL);
    assert_null(apply_member_find(node_apply(d->node), NEW_ID));
    drive_pass_ms(d, 5 * DRIVE_ELECTION_MS);
    assert_false(node_is_ready(d->node)); /* for want of the other's vote, not of its address */
    assert_string_equal(url_of(d, NEW_ID), NEW_URL);
}

/* What is applied in between takes nothing away of what comes after it. */
static void test_applying_keeps_later_members(void **state)
{
    struct drive *d = *state;
    struct core_conf second;
    struct tail t;
    static struct kvs_view other_url = {"http://other:2380", 17};
    const struct apply_member_change add = {
        .op = APPLY_MEMBER_ADD, .id = 0x99, .peer_urls = &other_url, .n_peer_urls = 1};

    assert_int_equal(drive_open(d), 0);
    DRIVE_UNTIL(d, node_is_ready(d->node));
    drive_close(d);
    tail_grow(d, &t);
    second = (struct core_conf){.voters = set_of(self(d), NEW_ID), .learners = set_of(0x99, 0)};
    tail_add(&t, &second, &add);
    t.n_committed = 3;
    tail_write(d, &t);
    reopen(d);
    DRIVE_UNTIL(d, apply_member_find(node_apply(d->node), NEW_ID) != NULL);
    drive_pass_ms(d, DRIVE_ELECTION_MS);
    assert_null(apply_member_find(node_apply(d->node), 0x99));
    assert_string_equal(url_of(d, NEW_ID), NEW_URL);
    assert_string_equal(url_of(d, 0x99), "http://other:2380");
}

/* --- one that leaves --- */

static void check_leaving(struct drive *d, uint64_t id)
{
    DRIVE_UNTIL(d, apply_member_find(node_apply(d->node), id) == NULL);
    assert_non_null(url_of(d, id));
    assert_true(view_equal_str(d->cluster.members[1].peer_urls[0], url_of(d, id)));
    assert_false(is_told_removed(d, id));
}

/* A restart between the two entries of a joint removal. */
static void test_leaving_member_is_reached(void **state)
{
    struct drive *d = *state;
    struct tail t = {.n_committed = 1};
    struct core_conf joint;
    struct core_conf alone;
    uint64_t other;
    struct apply_member_change remove = {.op = APPLY_MEMBER_REMOVE};

    d->n_members = 2;
    reopen(d);
    other = d->cluster.members[1].id;
    drive_close(d);
    remove.id = other;
    joint = (struct core_conf){.voters = set_of(self(d), 0), .outgoing = set_of(self(d), other)};
    alone = (struct core_conf){.voters = set_of(self(d), 0)};
    tail_add(&t, &joint, &remove);
    tail_write(d, &t);
    reopen(d);
    check_leaving(d, other);
    drive_close(d); /* now the store has it, and the address is nowhere in the log */
    reopen(d);
    check_leaving(d, other);
    assert_false(node_is_ready(d->node));
    drive_close(d);

    t = (struct tail){.n_committed = 1};
    tail_add(&t, &alone, NULL);
    tail_write(d, &t);
    reopen(d);
    DRIVE_UNTIL(d, node_is_ready(d->node));
    assert_null(url_of(d, other));
    assert_true(is_told_removed(d, other));
    drive_close(d);
    reopen(d);
    assert_null(url_of(d, other));
    assert_true(is_told_removed(d, other));
}

/* --- guests --- */

static void test_guests_until_it_knows_the_members(void **state)
{
    struct drive *d = *state;

    assert_int_equal(drive_open(d), 0);
    assert_true(d->admits_guests); /* before anything was received */
    DRIVE_UNTIL(d, node_is_ready(d->node));
    drive_tick(d);
    assert_false(d->admits_guests);
    drive_close(d);
    reopen(d);
    assert_true(d->admits_guests);
}

static void test_guests_while_there_is_no_leader(void **state)
{
    struct drive *d = *state;

    d->n_members = 3;
    reopen(d);
    drive_pass_ms(d, 5 * DRIVE_ELECTION_MS);
    assert_true(d->admits_guests);
    assert_int_equal(d->n_peers, 3);
}

#define PEERS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEERS_TEST(test_unapplied_member_is_reached),
        PEERS_TEST(test_applying_keeps_later_members),
        PEERS_TEST(test_leaving_member_is_reached),
        PEERS_TEST(test_guests_until_it_knows_the_members),
        PEERS_TEST(test_guests_while_there_is_no_leader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
