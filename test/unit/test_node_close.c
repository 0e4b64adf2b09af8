/* A node is closed after each turn of a scenario, with all kinds of requests under way: each
 * callback has run exactly once, nothing leaks, and what was acknowledged is there after a restart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/node_int.h"
#include "node_drive.h"

enum { KINDS_OF_REQUESTS = 9 };

struct requests {
    struct drive_write put;
    struct drive_write compact;
    struct drive_write grant;
    struct node_read read;
    struct node_lease_op keep_alive;
    struct node_lease_op ttl;
    struct node_change change;
    struct node_copy copy;
    struct node_hash hash;
    struct node_watch watch;
    struct node *node;
    unsigned n_taken;
    unsigned n_calls;
    unsigned n_stopped;
    kvs_revision acknowledged;
};

static void count(struct requests *r, int status)
{
    r->n_calls++;
    r->n_stopped += status == KVS_E_STOPPED;
}

static void write_cb(struct requests *r, struct node_write *w)
{
    count(r, w->status);
    if (w == &r->put.write && w->status == 0) {
        r->acknowledged = w->result.revision;
    }
}

static void put_cb(struct node_write *w)
{
    write_cb(container_of(w, struct requests, put.write), w);
}

static void compact_cb(struct node_write *w)
{
    write_cb(container_of(w, struct requests, compact.write), w);
}

static void grant_cb(struct node_write *w)
{
    write_cb(container_of(w, struct requests, grant.write), w);
}

static void read_cb(struct node_read *read)
{
    count(container_of(read, struct requests, read), read->status);
}

static void keep_alive_cb(struct node_lease_op *op)
{
    count(container_of(op, struct requests, keep_alive), op->status);
}

static void ttl_cb(struct node_lease_op *op)
{
    count(container_of(op, struct requests, ttl), op->status);
}

static void change_cb(struct node_change *change)
{
    count(container_of(change, struct requests, change), change->status);
}

static void copy_cb(struct node_copy *copy)
{
    count(container_of(copy, struct requests, copy), copy->status);
    if (copy->status == 0) {
        assert_int_equal(close(copy->snapshot.fd), 0);
    }
}

static void hash_cb(struct node_hash *hash)
{
    struct requests *r = container_of(hash, struct requests, hash);

    count(r, hash->status);
    if (hash->status == 0) {
        (void)node_header(r->node); /* as who answers does: the node must still be whole */
    }
}

static void watch_send(struct node_watch *watch, const struct watch_effect *effect)
{
    (void)watch;
    (void)effect;
}

static void requests_submit(struct drive *d, struct requests *r)
{
    struct kvs_view url = VIEW_LITERAL("http://other:1");
    const struct kvs_watch_create_req all = {.key = VIEW_LITERAL("\0"),
                                             .range_end = VIEW_LITERAL("\0")};
    const struct kvs_compact_req compact = {.revision = mvcc_revision(node_mvcc(d->node)),
                                            .physical = true};
    const struct kvs_lease_grant_req grant = {.ttl_s = 10};

    *r = (struct requests){.node = d->node};
    drive_write_init(d, &r->put);
    drive_write_init(d, &r->compact);
    drive_write_init(d, &r->grant);
    r->put.write.cb = put_cb;
    r->compact.write.cb = compact_cb;
    r->grant.write.cb = grant_cb;
    r->read.cb = read_cb;
    r->keep_alive = (struct node_lease_op){.cb = keep_alive_cb, .id = 5};
    r->ttl = (struct node_lease_op){.cb = ttl_cb, .id = 5};
    r->change = (struct node_change){
        .cb = change_cb, .type = NODE_CHANGE_ADD_LEARNER, .peer_urls = &url, .n_peer_urls = 1};
    r->copy.cb = copy_cb;
    r->hash.cb = hash_cb;
    r->watch.send = watch_send;
    r->n_taken += drive_put(d, &r->put, "k", 100) == 0;
    r->n_taken += node_compact(d->node, &compact, &r->compact.write) == 0;
    r->n_taken += node_lease_grant(d->node, &grant, &r->grant.write) == 0;
    r->n_taken += node_read(d->node, &r->read) == 0;
    r->n_taken += node_lease_keepalive(d->node, &r->keep_alive) == 0;
    r->n_taken += node_lease_ttl(d->node, &r->ttl) == 0;
    r->n_taken += node_change_members(d->node, &r->change) == 0;
    r->n_taken += node_copy_store(d->node, 0, &r->copy) == 0;
    r->n_taken += node_hash(d->node, 0, &r->hash) == 0;
    assert_int_equal(node_watch_open(d->node, 65536, &r->watch), 0);
    assert_int_equal(node_watch_create(d->node, &r->watch, &all), 0);
}

static void requests_fini(struct requests *r)
{
    drive_write_fini(&r->put);
    drive_write_fini(&r->compact);
    drive_write_fini(&r->grant);
}

/* Closes `turns` turns after everything was asked for. The requests that were told "stopped". */
static unsigned close_after(unsigned turns, unsigned n_members, bool hold_works)
{
    struct drive d;
    struct requests r;
    unsigned expected = n_members == 1 ? KINDS_OF_REQUESTS : KINDS_OF_REQUESTS - 1;

    drive_init(&d);
    d.n_members = n_members;
    assert_int_equal(drive_open(&d), 0);
    if (n_members == 1) {
        DRIVE_UNTIL(&d, node_is_ready(d.node));
        assert_int_equal(drive_put_wait(&d, "first", 100), 0);
    }
    d.hold_works = hold_works;
    requests_submit(&d, &r);
    assert_in_range(r.n_taken, expected, KINDS_OF_REQUESTS);
    for (unsigned i = 0; i < turns; i++) {
        if (i % 4 == 3) {
            drive_tick(&d);
        } else {
            drive_turn(&d);
        }
    }
    node_watch_close(d.node, &r.watch);
    drive_close(&d);
    assert_int_equal(r.n_calls, r.n_taken);
    d.n_members = n_members;
    assert_int_equal(drive_open(&d), 0);
    DRIVE_UNTIL(&d, n_members > 1 || node_is_ready(d.node));
    assert_true(mvcc_revision(node_mvcc(d.node)) >= r.acknowledged);
    drive_close(&d);
    requests_fini(&r);
    drive_fini(&d);
    return r.n_stopped;
}

static void test_after_each_turn(void **state)
{
    unsigned least = KINDS_OF_REQUESTS;

    (void)state;
    for (unsigned turns = 0; turns < 24; turns++) {
        unsigned stopped = close_after(turns, 1, false);

        least = stopped < least ? stopped : least;
    }
    assert_int_equal(least, 0); /* the scenario was long enough to end by itself */
}

static void test_after_each_turn_without_a_leader(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 6; turns++) {
        assert_true(close_after(turns, 2, false) > 4);
    }
}

/* The copy and the hash end only after the close has begun. */
static void test_with_work_under_way(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 12; turns++) {
        assert_true(close_after(turns, 1, true) > 0);
    }
}

static void test_a_closed_node_takes_nothing(void **state)
{
    struct drive d;
    struct requests r = {0};
    const struct kvs_put_req put = {.key = VIEW_LITERAL("k")};

    (void)state;
    drive_init(&d);
    assert_int_equal(drive_open(&d), 0);
    DRIVE_UNTIL(&d, node_is_ready(d.node));
    assert_int_equal(drive_put_wait(&d, "k", 100), 0); /* the close has something to store */
    drive_begin_close(&d);
    assert_false(d.closed);
    assert_int_equal(node_put(d.node, &put, &r.put.write), KVS_E_STOPPED);
    assert_int_equal(node_read(d.node, &r.read), KVS_E_STOPPED);
    assert_int_equal(node_lease_keepalive(d.node, &r.keep_alive), KVS_E_STOPPED);
    assert_int_equal(node_copy_store(d.node, 0, &r.copy), KVS_E_STOPPED);
    assert_int_equal(node_hash(d.node, 0, &r.hash), KVS_E_STOPPED);
    assert_int_equal(node_watch_open(d.node, 1, &r.watch), KVS_E_STOPPED);
    assert_false(node_is_ready(d.node));
    drive_finish_close(&d);
    drive_fini(&d);
}

struct chunk {
    struct snapshot_sink *sink;
    unsigned n_calls;
    int status;
};

static void chunk_cb(void *ctx, int status)
{
    struct chunk *c = ctx;

    c->n_calls++;
    c->status = status;
    c->sink->ops->abort(c->sink);
}

/* Somebody waits for the write of a snapshot's bytes: the answer comes, at the latest when the node
 * closes, or closing would wait for ever. */
static void test_work_that_could_not_be_started_is_answered(void **state)
{
    const struct snapshot_meta meta = {.index = 100, .term = 1, .size_bytes = 5};
    struct chunk c = {0};
    struct drive d;

    (void)state;
    drive_init(&d);
    assert_int_equal(drive_open(&d), 0);
    DRIVE_UNTIL(&d, node_is_ready(d.node));
    assert_int_equal(node_snapshot_begin(d.node, &meta, &c.sink), 0);
    d.refuse_works = true;
    c.sink->ops->write(c.sink, VIEW_LITERAL("bytes"), chunk_cb, &c);
    assert_int_equal(d.n_stopped, 1);
    assert_int_equal(d.stop_code, KVS_E_NOMEM);
    assert_int_equal(c.n_calls, 0); /* never from inside */
    drive_close(&d);
    assert_int_equal(c.n_calls, 1);
    assert_int_equal(c.status, KVS_E_NOMEM);
    drive_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_after_each_turn),
        cmocka_unit_test(test_after_each_turn_without_a_leader),
        cmocka_unit_test(test_with_work_under_way),
        cmocka_unit_test(test_a_closed_node_takes_nothing),
        cmocka_unit_test(test_work_that_could_not_be_started_is_answered),
    };

    return cmocka_run_group_tests_name("node_close", tests, NULL, NULL);
}
