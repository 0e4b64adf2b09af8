/* Reads, leases, watches, members, copies and hashes through a whole node. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

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

static void open_alone(struct drive *d)
{
    assert_int_equal(drive_open(d), 0);
    DRIVE_UNTIL(d, node_is_ready(d->node));
}

/* --- reads --- */

struct read {
    struct node_read read;
    unsigned n_calls;
    struct drive *drive;
    struct read *victim;
};

static void read_cb(struct node_read *read)
{
    struct read *r = container_of(read, struct read, read);

    r->n_calls++;
    if (r->victim != NULL) {
        node_read_cancel(r->drive->node, &r->victim->read);
    }
}

static struct read read_make(struct drive *d)
{
    return (struct read){.read = {.cb = read_cb}, .drive = d};
}

static void test_a_read_waits_for_its_barrier(void **state)
{
    struct drive *d = *state;
    struct read r = read_make(d);

    open_alone(d);
    assert_int_equal(node_read(d->node, &r.read), 0);
    assert_int_equal(r.n_calls, 0);
    DRIVE_UNTIL(d, r.n_calls == 1);
    assert_int_equal(r.read.status, 0);
}

static void test_reads_without_a_leader_time_out_and_may_cancel(void **state)
{
    struct drive *d = *state;
    struct read a = read_make(d);
    struct read b = read_make(d);
    struct read c = read_make(d);

    d->n_members = 2;
    assert_int_equal(drive_open(d), 0);
    assert_int_equal(node_read_check(d->node, true), 0);
    assert_int_equal(node_read(d->node, &a.read), 0);
    assert_int_equal(node_read(d->node, &b.read), 0);
    assert_int_equal(node_read(d->node, &c.read), 0);
    a.victim = &b;
    drive_pass_ms(d, 7100);
    assert_int_equal(a.n_calls, 1);
    assert_int_equal(a.read.status, KVS_E_TIMEOUT);
    assert_int_equal(b.n_calls, 0);
    assert_int_equal(c.n_calls, 1);
    assert_int_equal(node_stats(d->node)->read_indexes_failed, 2);
}

/* --- leases --- */

struct op {
    struct node_lease_op op;
    unsigned n_calls;
};

static void op_cb(struct node_lease_op *op)
{
    container_of(op, struct op, op)->n_calls++;
}

static int keep_alive(struct drive *d, kvs_lease_id id, int64_t *ret_ttl_s)
{
    struct op o = {.op = {.cb = op_cb, .id = id}};

    assert_int_equal(node_lease_keepalive(d->node, &o.op), 0);
    assert_int_equal(o.n_calls, 0);
    DRIVE_UNTIL(d, o.n_calls == 1);
    *ret_ttl_s = o.op.ttl_s;
    return o.op.status;
}

static int time_to_live(struct drive *d, kvs_lease_id id, int64_t *ret_ttl_s)
{
    struct op o = {.op = {.cb = op_cb, .id = id}};

    assert_int_equal(node_lease_ttl(d->node, &o.op), 0);
    DRIVE_UNTIL(d, o.n_calls == 1);
    *ret_ttl_s = o.op.ttl_s;
    return o.op.status;
}

static kvs_lease_id grant(struct drive *d, kvs_lease_id id, int64_t ttl_s, int status)
{
    struct kvs_lease_grant_req req = {.id = id, .ttl_s = ttl_s};
    struct drive_write w;

    drive_write_init(d, &w);
    assert_int_equal(node_lease_grant(d->node, &req, &w.write), 0);
    DRIVE_UNTIL(d, w.n_calls == 1);
    assert_int_equal(w.write.status, 0);
    assert_int_equal(w.write.result.status, status);
    if (status == 0) {
        assert_true(id == 0 || w.write.result.u.lease_grant.id == id);
        id = w.write.result.u.lease_grant.id;
    }
    drive_write_fini(&w);
    return id;
}

static bool key_exists(struct drive *d, const char *key)
{
    struct mvcc_read read;
    struct kvs_kv kv;
    int err;

    mvcc_read_begin(node_mvcc(d->node), &read);
    err = mvcc_get(&read, view_str(key), 0, &kv);
    mvcc_read_end(&read);
    assert_true(err == 0 || err == KVS_E_NOT_FOUND);
    return err == 0;
}

static void test_a_lease_lives_as_long_as_it_is_kept_alive(void **state)
{
    struct drive *d = *state;
    struct kvs_put_req put = {.key = VIEW_LITERAL("k"), .lease = 77};
    struct drive_write w;
    int64_t ttl_s;

    open_alone(d);
    assert_int_equal(grant(d, 77, 10, 0), 77);
    (void)grant(d, 77, 10, KVS_E_LEASE_EXISTS);
    assert_true(grant(d, 0, 10, 0) != 0);
    drive_write_init(d, &w);
    assert_int_equal(node_put(d->node, &put, &w.write), 0);
    DRIVE_UNTIL(d, w.n_calls == 1);
    for (int i = 0; i < 4; i++) {
        drive_pass_ms(d, 6000);
        assert_int_equal(time_to_live(d, 77, &ttl_s), 0);
        assert_in_range(ttl_s, 2, 5);
        assert_int_equal(keep_alive(d, 77, &ttl_s), 0);
        assert_int_equal(ttl_s, 10);
    }
    assert_true(key_exists(d, "k"));
    drive_pass_ms(d, 12000);
    assert_false(key_exists(d, "k"));
    assert_int_equal(keep_alive(d, 77, &ttl_s), KVS_E_LEASE_NOT_FOUND);
    assert_int_equal(time_to_live(d, 77, &ttl_s), KVS_E_LEASE_NOT_FOUND);
    assert_int_equal(node_stats(d->node)->leases_expired, 2);
    drive_write_fini(&w);
}

static void test_keepalives_without_a_leader_time_out(void **state)
{
    struct drive *d = *state;
    struct op o = {.op = {.cb = op_cb, .id = 7}};
    struct op cancelled = {.op = {.cb = op_cb, .id = 7}};

    d->n_members = 2;
    assert_int_equal(drive_open(d), 0);
    assert_int_equal(node_lease_keepalive(d->node, &o.op), 0);
    assert_int_equal(node_lease_keepalive(d->node, &cancelled.op), 0);
    node_lease_op_cancel(d->node, &cancelled.op);
    drive_pass_ms(d, 7100);
    assert_int_equal(o.n_calls, 1);
    assert_int_equal(o.op.status, KVS_E_TIMEOUT);
    assert_int_equal(cancelled.n_calls, 0);
}

/* --- watches --- */

struct watcher {
    struct node_watch watch;
    unsigned n_created;
    unsigned n_events;
    unsigned n_progress;
    unsigned n_canceled;
    size_t owed_bytes;
    kvs_revision last;
    const struct drive_write *write; /* or NULL */
    unsigned n_answers;              /* of `write`, when the last event came */
};

static void watcher_send(struct node_watch *watch, const struct watch_effect *effect)
{
    struct watcher *w = container_of(watch, struct watcher, watch);

    w->owed_bytes += effect->cost_bytes;
    w->n_created += effect->type == WATCH_EFFECT_CREATED;
    w->n_progress += effect->type == WATCH_EFFECT_PROGRESS;
    w->n_canceled += effect->type == WATCH_EFFECT_CANCELED;
    for (size_t i = 0; effect->type == WATCH_EFFECT_EVENTS && i < effect->n_events; i++) {
        kvs_revision at = effect->payload->events[effect->first + i]->event.kv.mod_revision;

        assert_true(at == w->last + 1); /* none left out, none twice */
        w->last = at;
        w->n_events++;
        w->n_answers = w->write != NULL ? w->write->n_calls : 0;
    }
}

/* docs/ordering.md, 12. */
static void test_events_come_before_the_answer_of_the_write(void **state)
{
    struct drive *d = *state;
    struct drive_write put;
    struct watcher w = {.watch = {.send = watcher_send}, .last = 1, .write = &put};
    struct kvs_watch_create_req create = {.key = VIEW_LITERAL("k")};

    open_alone(d);
    assert_int_equal(node_watch_open(d->node, 4096, &w.watch), 0);
    assert_int_equal(node_watch_create(d->node, &w.watch, &create), 0);
    drive_write_init(d, &put);
    assert_int_equal(drive_put(d, &put, "k", 1), 0);
    DRIVE_UNTIL(d, put.n_calls > 0);
    drive_write_fini(&put);
    node_watch_close(d->node, &w.watch);
    assert_int_equal(w.n_events, 1);
    assert_int_equal(w.n_answers, 0);
}

static void test_a_stream_without_credit_reads_on_later(void **state)
{
    struct drive *d = *state;
    struct watcher w = {.watch = {.send = watcher_send}, .last = 1};
    struct kvs_watch_create_req create = {
        .key = VIEW_LITERAL("\0"), .range_end = VIEW_LITERAL("\0"), .progress_notify = true};
    unsigned seen;

    open_alone(d);
    assert_int_equal(node_watch_open(d->node, 4096, &w.watch), 0);
    assert_int_equal(node_watch_create(d->node, &w.watch, &create), 0);
    assert_int_equal(w.n_created, 1);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(drive_put_wait(d, "k", 1000), 0);
    }
    seen = w.n_events;
    assert_in_range(seen, 1, 10); /* the credit, and one response above it */
    for (int i = 0; i < 100 && w.n_events < 50; i++) {
        size_t owed = w.owed_bytes;

        w.owed_bytes = 0;
        node_watch_drained(d->node, &w.watch, owed);
        drive_turn(d);
    }
    assert_int_equal(w.n_events, 50);
    node_watch_drained(d->node, &w.watch, w.owed_bytes);
    w.owed_bytes = 0;
    assert_int_equal(w.n_progress, 0);
    drive_pass_ms(d, 2500);
    assert_in_range(w.n_progress, 1, 3);
    assert_int_equal(node_watch_progress(d->node, &w.watch), 0);
    assert_int_equal(node_watch_cancel(d->node, &w.watch, 99), 0); /* unknown: ignored */
    assert_int_equal(w.n_canceled, 0);
    assert_int_equal(node_watch_cancel(d->node, &w.watch, 0), 0);
    assert_int_equal(w.n_canceled, 1);
    node_watch_close(d->node, &w.watch);
}

/* --- members --- */

struct change {
    struct node_change change;
    unsigned n_calls;
};

static void change_cb(struct node_change *change)
{
    container_of(change, struct change, change)->n_calls++;
}

static int change_members(struct drive *d, struct change *c)
{
    int err;

    c->change.cb = change_cb;
    c->n_calls = 0;
    err = node_change_members(d->node, &c->change);
    if (err == 0) {
        assert_int_equal(c->n_calls, 0);
        DRIVE_UNTIL(d, c->n_calls == 1);
        err = c->change.status;
    }
    return err;
}

static void test_members_come_and_go(void **state)
{
    struct drive *d = *state;
    struct kvs_view urls[IDENT_URLS_MAX + 1];
    struct change c = {.change = {.type = NODE_CHANGE_ADD_LEARNER, .peer_urls = urls}};
    struct change wrong = {.change = {.type = NODE_CHANGE_REMOVE, .member_id = 12345}};
    size_t n_members;
    uint64_t id;

    open_alone(d);
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        urls[i] = VIEW_LITERAL("http://other:1");
    }
    c.change.n_peer_urls = 0;
    assert_int_equal(change_members(d, &c), KVS_E_MEMBER_BAD_URLS);
    c.change.n_peer_urls = ARRAY_LEN(urls);
    assert_int_equal(change_members(d, &c), KVS_E_MEMBER_BAD_URLS);
    c.change.n_peer_urls = 1;
    assert_int_equal(change_members(d, &c), 0);
    id = c.change.member_id;
    (void)apply_members(node_apply(d->node), &n_members);
    assert_int_equal(n_members, 2); /* seen as soon as it is answered */
    assert_true(apply_member_find(node_apply(d->node), id)->is_learner);
    drive_pass_ms(d, 1000); /* the time is part of the id */
    assert_int_equal(change_members(d, &c), KVS_E_PEER_URL_EXISTS);
    assert_int_equal(change_members(d, &wrong), KVS_E_MEMBER_NOT_FOUND);
    c.change.type = NODE_CHANGE_PROMOTE;
    c.change.member_id = id;
    c.change.n_peer_urls = 0;
    assert_int_equal(change_members(d, &c), KVS_E_LEARNER_NOT_READY);
    c.change.type = NODE_CHANGE_UPDATE;
    urls[0] = VIEW_LITERAL("ftp://other");
    c.change.n_peer_urls = 1;
    assert_int_equal(change_members(d, &c), KVS_E_MEMBER_BAD_URLS);
    c.change.type = NODE_CHANGE_REMOVE;
    assert_int_equal(change_members(d, &c), 0);
    (void)apply_members(node_apply(d->node), &n_members);
    assert_int_equal(n_members, 1);
    assert_int_equal(drive_put_wait(d, "k", 1), 0);
}

static void transfer_cb(struct replica_transfer *transfer)
{
    (void)transfer;
    fail_msg("there is nobody to lead instead");
}

static void test_leadership_has_nowhere_to_go(void **state)
{
    struct drive *d = *state;
    struct node_transfer t = {.transfer = {.cb = transfer_cb}};

    open_alone(d);
    assert_int_equal(node_move_leader(d->node, 0, &t), KVS_E_BAD_LEADER_TRANSFEREE);
    assert_int_equal(node_move_leader(d->node, 99, &t), KVS_E_BAD_LEADER_TRANSFEREE);
}

/* --- maintenance --- */

struct copy {
    struct node_copy copy;
    unsigned n_calls;
};

static void copy_cb(struct node_copy *copy)
{
    container_of(copy, struct copy, copy)->n_calls++;
}

struct hash {
    struct node_hash hash;
    unsigned n_calls;
};

static void hash_cb(struct node_hash *hash)
{
    container_of(hash, struct hash, hash)->n_calls++;
}

static void test_a_copy_has_what_was_applied_when_it_was_asked_for(void **state)
{
    struct drive *d = *state;
    struct copy c = {.copy = {.cb = copy_cb}};
    struct stat st;

    open_alone(d);
    assert_int_equal(drive_put_wait(d, "k", 1000), 0);
    assert_int_equal(node_copy_store(d->node, 0, &c.copy), 0);
    assert_int_equal(c.n_calls, 0);
    DRIVE_UNTIL(d, c.n_calls == 1);
    assert_int_equal(c.copy.status, 0);
    assert_int_equal(c.copy.snapshot.revision, 2);
    assert_int_equal(fstat(c.copy.snapshot.fd, &st), 0);
    assert_int_equal(st.st_size, c.copy.snapshot.size_bytes);
    assert_int_equal(close(c.copy.snapshot.fd), 0);
}

static void test_a_copy_without_memory_is_an_error(void **state)
{
    struct drive *d = *state;
    struct copy c = {.copy = {.cb = copy_cb}};

    open_alone(d);
    d->refuse_works = true;
    assert_int_equal(node_copy_store(d->node, 0, &c.copy), 0);
    DRIVE_UNTIL(d, c.n_calls == 1);
    assert_int_equal(c.copy.status, KVS_E_NOMEM);
    assert_int_equal(d->n_stopped, 0);
}

static void test_hashes_are_of_a_revision(void **state)
{
    struct drive *d = *state;
    struct hash h = {.hash = {.cb = hash_cb}};
    uint64_t first;

    open_alone(d);
    assert_int_equal(drive_put_wait(d, "k", 1), 0);
    assert_int_equal(node_hash(d->node, 0, &h.hash), 0);
    DRIVE_UNTIL(d, h.n_calls == 1);
    assert_int_equal(h.hash.status, 0);
    assert_int_equal(h.hash.result.revision, 2);
    first = h.hash.result.hash;
    assert_int_equal(drive_put_wait(d, "k", 2), 0);
    assert_int_equal(node_hash(d->node, 2, &h.hash), 0);
    DRIVE_UNTIL(d, h.n_calls == 2);
    assert_true(h.hash.result.hash == first);
    assert_int_equal(h.hash.result.current_revision, 3);
    assert_int_equal(node_hash(d->node, 99, &h.hash), KVS_E_FUTURE_REV);
}

static void test_status_names_what_is_wrong(void **state)
{
    struct drive *d = *state;
    struct kvs_alarm_req alarm = {.action = KVS_ALARM_ACTIVATE, .type = KVS_ALARM_CORRUPT};
    struct kvs_status_resp resp;
    struct drive_write w;

    open_alone(d);
    assert_int_equal(node_status(d->node, &d->arena, &resp), 0);
    assert_int_equal(resp.n_errors, 0);
    assert_true(resp.leader == resp.header.member_id);
    assert_false(resp.is_learner);
    drive_write_init(d, &w);
    alarm.member_id = resp.header.member_id;
    assert_int_equal(node_alarm(d->node, &alarm, &w.write), 0);
    DRIVE_UNTIL(d, w.n_calls == 1);
    assert_int_equal(node_status(d->node, &d->arena, &resp), 0);
    assert_int_equal(resp.n_errors, 1);
    assert_non_null(strstr(resp.errors[0], "CORRUPT"));
    assert_int_equal(node_read_check(d->node, true), KVS_E_CORRUPT);
    assert_int_equal(drive_put_wait(d, "k", 1), KVS_E_CORRUPT);
    drive_write_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_read_waits_for_its_barrier, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reads_without_a_leader_time_out_and_may_cancel, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_lease_lives_as_long_as_it_is_kept_alive, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_keepalives_without_a_leader_time_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events_come_before_the_answer_of_the_write, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_stream_without_credit_reads_on_later, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_members_come_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leadership_has_nowhere_to_go, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_copy_has_what_was_applied_when_it_was_asked_for,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_copy_without_memory_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hashes_are_of_a_revision, setup, teardown),
        cmocka_unit_test_setup_teardown(test_status_names_what_is_wrong, setup, teardown),
    };

    return cmocka_run_group_tests_name("node_requests", tests, NULL, NULL);
}
