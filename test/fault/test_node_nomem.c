/* Every n-th allocation fails, for each thing that a node can be asked for: the request is refused
 * or answered, exactly once; the node goes on, or stops by itself with a fatal code and closes.
 * Nothing leaks, and what was acknowledged is there afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../unit/node_drive.h"

enum { TURNS = 24 };

struct counter {
    long left; /* allocations until the one that fails; below 0: none fails */
    bool failed;
    size_t n_outstanding;
};

static struct counter counter = {.left = -1};

static void *counted_realloc(void *ctx, void *old, size_t size)
{
    void *memory;

    (void)ctx;
    if (counter.left >= 0 && counter.left-- == 0) {
        counter.failed = true;
        return NULL;
    }
    memory = realloc(old, size);
    counter.n_outstanding += old == NULL && memory != NULL;
    return memory;
}

static void counted_free(void *ctx, void *memory)
{
    (void)ctx;
    counter.n_outstanding -= memory != NULL;
    free(memory);
}

static const struct kvs_allocator allocator = {counted_realloc, counted_free, NULL};

static void fail_at(long n)
{
    counter.left = n;
    counter.failed = false;
}

/* True if an allocation failed since fail_at. */
static bool failed(void)
{
    counter.left = -1;
    return counter.failed;
}

/* --- what is asked --- */

struct ask {
    struct drive *drive;
    unsigned n_calls;
    int status;
    struct drive_write write;
    struct node_read read;
    struct node_lease_op lease;
    struct node_change change;
    struct node_copy copy;
    struct node_hash hash;
    struct node_watch watch;
};

static void ask_answered(struct ask *a, int status)
{
    a->n_calls++;
    a->status = status;
}

static void ask_write_cb(struct node_write *w)
{
    ask_answered(container_of(w, struct ask, write.write), w->status);
}

static void ask_read_cb(struct node_read *r)
{
    ask_answered(container_of(r, struct ask, read), r->status);
}

static void ask_lease_cb(struct node_lease_op *op)
{
    ask_answered(container_of(op, struct ask, lease), op->status);
}

static void ask_change_cb(struct node_change *c)
{
    ask_answered(container_of(c, struct ask, change), c->status);
}

static void ask_copy_cb(struct node_copy *c)
{
    if (c->status == 0) {
        assert_int_equal(close(c->snapshot.fd), 0);
    }
    ask_answered(container_of(c, struct ask, copy), c->status);
}

static void ask_hash_cb(struct node_hash *h)
{
    ask_answered(container_of(h, struct ask, hash), h->status);
}

static void ask_watch_send(struct node_watch *w, const struct watch_effect *effect)
{
    (void)w;
    (void)effect;
}

static int ask_put(struct ask *a)
{
    return drive_put(a->drive, &a->write, "k", 3000);
}

static int ask_delete(struct ask *a)
{
    const struct kvs_delete_req req = {
        .key = VIEW_LITERAL("\0"), .range_end = VIEW_LITERAL("\0"), .prev_kv = true};

    return node_delete(a->drive->node, &req, &a->write.write);
}

static int ask_txn(struct ask *a)
{
    struct kvs_op ops[] = {
        {.type = KVS_OP_PUT, .u.put = {.key = VIEW_LITERAL("t"), .lease = 5, .prev_kv = true}},
        {.type = KVS_OP_RANGE,
         .u.range = {.key = VIEW_LITERAL("\0"), .range_end = VIEW_LITERAL("\0")}},
    };
    const struct kvs_txn_req req = {.success = ops, .n_success = ARRAY_LEN(ops)};

    return node_txn(a->drive->node, &req, &a->write.write);
}

static int ask_compact(struct ask *a)
{
    const struct kvs_compact_req req = {.revision = mvcc_revision(node_mvcc(a->drive->node)),
                                        .physical = true};

    return node_compact(a->drive->node, &req, &a->write.write);
}

static int ask_grant(struct ask *a)
{
    const struct kvs_lease_grant_req req = {.ttl_s = 5};

    return node_lease_grant(a->drive->node, &req, &a->write.write);
}

static int ask_alarm(struct ask *a)
{
    const struct kvs_alarm_req req = {.action = KVS_ALARM_DEACTIVATE, .type = KVS_ALARM_NOSPACE};

    return node_alarm(a->drive->node, &req, &a->write.write);
}

static int ask_read(struct ask *a)
{
    return node_read(a->drive->node, &a->read);
}

static int ask_keep_alive(struct ask *a)
{
    return node_lease_keepalive(a->drive->node, &a->lease);
}

static int ask_ttl(struct ask *a)
{
    return node_lease_ttl(a->drive->node, &a->lease);
}

static int ask_update(struct ask *a)
{
    static unsigned port = 2000;
    char url[32];
    struct kvs_view view;

    (void)snprintf(url, sizeof url, "http://drive:%u", port++);
    view = view_str(url);
    a->change.type = NODE_CHANGE_UPDATE;
    a->change.member_id = node_config(a->drive->node)->member_id;
    a->change.peer_urls = &view;
    a->change.n_peer_urls = 1;
    return node_change_members(a->drive->node, &a->change);
}

static int ask_add(struct ask *a)
{
    struct kvs_view url = VIEW_LITERAL("http://other:1");

    a->change.type = NODE_CHANGE_ADD_LEARNER;
    a->change.peer_urls = &url;
    a->change.n_peer_urls = 1;
    return node_change_members(a->drive->node, &a->change);
}

static int ask_copy(struct ask *a)
{
    return node_copy_store(a->drive->node, 0, &a->copy);
}

static int ask_hash(struct ask *a)
{
    return node_hash(a->drive->node, 0, &a->hash);
}

/* A watch from the beginning of history, and something to tell. */
static int ask_watch(struct ask *a)
{
    const struct kvs_watch_create_req req = {.key = VIEW_LITERAL("\0"),
                                             .range_end = VIEW_LITERAL("\0"),
                                             .start_revision = 1,
                                             .prev_kv = true};
    int err = node_watch_open(a->drive->node, 65536, &a->watch);

    if (err == 0) {
        err = node_watch_create(a->drive->node, &a->watch, &req);
        if (err != 0) {
            node_watch_close(a->drive->node, &a->watch);
        }
    }
    if (err == 0) {
        err = ask_put(a);
        if (err != 0) {
            node_watch_close(a->drive->node, &a->watch);
        }
    }
    return err;
}

static const struct {
    const char *name;
    int (*submit)(struct ask *a);
} asks[] = {
    {"put", ask_put},          {"delete", ask_delete},
    {"txn", ask_txn},          {"compact", ask_compact},
    {"grant", ask_grant},      {"alarm", ask_alarm},
    {"read", ask_read},        {"keep alive", ask_keep_alive},
    {"time to live", ask_ttl}, {"update", ask_update},
    {"add", ask_add},          {"copy", ask_copy},
    {"hash", ask_hash},        {"watch", ask_watch},
};

/* --- one failure --- */

static void ask_init(struct ask *a, struct drive *d)
{
    *a = (struct ask){.drive = d};
    drive_write_init(d, &a->write);
    a->write.write.cb = ask_write_cb;
    a->read.cb = ask_read_cb;
    a->lease = (struct node_lease_op){.cb = ask_lease_cb, .id = 5};
    a->change.cb = ask_change_cb;
    a->copy.cb = ask_copy_cb;
    a->hash.cb = ask_hash_cb;
    a->watch.send = ask_watch_send;
}

static void ready(struct drive *d)
{
    struct kvs_lease_grant_req req = {.id = 5, .ttl_s = 1000};
    struct drive_write w;

    assert_int_equal(drive_open(d), 0);
    DRIVE_UNTIL(d, node_is_ready(d->node));
    drive_write_init(d, &w);
    assert_int_equal(node_lease_grant(d->node, &req, &w.write), 0);
    DRIVE_UNTIL(d, w.n_calls == 1);
    drive_write_fini(&w);
    assert_int_equal(drive_put_wait(d, "first", 10), 0);
}

/* True if the n-th allocation was reached. */
static bool ask_failing(size_t what, long n)
{
    size_t before = counter.n_outstanding;
    struct drive d;
    struct ask a;
    bool any;
    int err;

    drive_init(&d);
    ready(&d);
    ask_init(&a, &d);
    fail_at(n);
    err = asks[what].submit(&a);
    for (unsigned i = 0; i < TURNS && d.n_stopped == 0; i++) {
        if (i % 4 == 3) {
            drive_tick(&d);
        } else {
            drive_turn(&d);
        }
    }
    any = failed();
    assert_true(err == 0 || (any && err == KVS_E_NOMEM));
    assert_int_equal(d.n_stopped > 0 && d.stop_code != KVS_E_NOMEM, 0);
    if (a.watch.stream != NULL) {
        node_watch_close(d.node, &a.watch);
    }
    if (d.n_stopped == 0) {
        if (err == 0) {
            DRIVE_UNTIL(&d, a.n_calls > 0); /* nothing is forgotten */
        }
        assert_int_equal(drive_put_wait(&d, "k", 1), 0); /* nobody else has suffered */
    }
    drive_close(&d);
    assert_int_equal(a.n_calls, err == 0 ? 1 : 0);
    drive_write_fini(&a.write);
    assert_int_equal(drive_open(&d), 0);
    DRIVE_UNTIL(&d, node_is_ready(d.node));
    assert_true(mvcc_revision(node_mvcc(d.node)) >= 2);
    drive_close(&d);
    drive_fini(&d);
    assert_int_equal(counter.n_outstanding, before);
    return any;
}

static void test_requests(void **state)
{
    long n_failures = 0;

    (void)state;
    for (size_t what = 0; what < ARRAY_LEN(asks); what++) {
        long n = 0;

        while (ask_failing(what, n)) {
            n += n < 20 ? 1 : 3; /* densely where the request is made, then a sample */
        }
        print_message("%s: %ld allocations\n", asks[what].name, n);
        assert_true(n > 0);
        n_failures += n;
    }
    assert_true(n_failures > 60);
}

static void test_opening(void **state)
{
    bool any = true;

    (void)state;
    for (long n = 0; any; n += n < 40 ? 1 : 3) {
        size_t before = counter.n_outstanding;
        struct drive d;
        int err;

        drive_init(&d);
        fail_at(n);
        err = drive_open(&d);
        any = failed();
        assert_true(err == 0 || (any && err == KVS_E_NOMEM));
        if (err == 0) {
            drive_close(&d);
        }
        ready(&d); /* what was left on disk is no obstacle */
        drive_close(&d);
        drive_fini(&d);
        assert_int_equal(counter.n_outstanding, before);
    }
}

/* What cannot be written out for lack of memory is in the log. */
static void test_closing_without_memory(void **state)
{
    bool any = true;

    (void)state;
    for (long n = 0; any; n++) {
        size_t before = counter.n_outstanding;
        struct drive d;

        drive_init(&d);
        ready(&d);
        fail_at(n);
        drive_close(&d);
        any = failed();
        drive_fini(&d);
        assert_int_equal(counter.n_outstanding, before);
    }
}

static int group_setup(void **state)
{
    (void)state;
    kvs_alloc_set(&allocator);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    kvs_alloc_set(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_opening),
        cmocka_unit_test(test_closing_without_memory),
    };

    return cmocka_run_group_tests_name("node_nomem", tests, group_setup, group_teardown);
}
