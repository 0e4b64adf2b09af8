/* Nodes and their clients in one process: a cluster of three, clients and nodes that go away while
 * calls are on their way, readers that fall behind, deadlines without a quorum. */
#include "local_store.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"

enum { MEMBERS = 3, PATIENCE_MS = 30000 };

/* ---- a cluster ---- */

struct cluster {
    struct local_store stores[MEMBERS];
    char peers[256];
};

static void cluster_start(struct cluster *c, int n_started)
{
    char urls[MEMBERS][64];
    char names[MEMBERS][16];
    size_t len = 0;

    for (int i = 0; i < MEMBERS; i++) {
        (void)snprintf(urls[i], sizeof urls[i], "http://127.0.0.1:%u", local_free_port());
        (void)snprintf(names[i], sizeof names[i], "n%d", i);
        len += (size_t)snprintf(c->peers + len, sizeof c->peers - len, "%s%s=%s", i > 0 ? "," : "",
                                names[i], urls[i]);
    }
    for (int i = 0; i < n_started; i++) {
        struct kvs_node_options options;

        kvs_node_options_init(&options);
        options.name = names[i];
        options.listen_peer_urls = urls[i];
        options.initial_advertise_peer_urls = urls[i];
        options.initial_cluster = c->peers;
        options.heartbeat_ms = 50;
        options.election_ms = 500;
        local_store_open(&c->stores[i], &options);
    }
}

static void assert_value(struct kvs_client *c, const char *key, const char *value)
{
    const struct kvs_range_req req = {.key = view_str(key)};
    const struct kvs_range_resp *resp;
    struct kvs_error error;

    if (kvs_range_sync(c, &req, NULL, &resp, &error) != 0) {
        fail_msg("range %s: %s", key, error.msg);
    }
    assert_int_equal(resp->n_kvs, 1);
    assert_true(view_equal_str(resp->kvs[0].value, value));
    kvs_resp_free(resp);
}

static struct kvs_status_resp status_of(struct kvs_client *c)
{
    const struct kvs_status_req req = {0};
    const struct kvs_status_resp *resp;
    struct kvs_status_resp copy;

    assert_int_equal(kvs_status_sync(c, &req, NULL, &resp, NULL), 0);
    copy = *resp; /* numbers only */
    kvs_resp_free(resp);
    return copy;
}

static void test_three_members_in_one_process(void **state)
{
    struct cluster c;
    const struct kvs_watch_create_req watch = {.key = VIEW_LITERAL("k"), .start_revision = 1};
    struct kvs_watch_reader *reader;
    const struct kvs_watch_resp *resp;
    const struct kvs_move_leader_resp *moved;
    struct kvs_move_leader_req move = {0};
    struct kvs_status_resp status[MEMBERS];
    kvs_revision last = 0;
    kvs_revision seen = 0;
    int leader = -1;
    char value[16];

    (void)state;
    cluster_start(&c, MEMBERS);
    for (int i = 0; i < MEMBERS; i++) {
        local_store_attach(&c.stores[i]);
    }
    assert_int_equal(kvs_watch_reader_open(c.stores[2].client, &watch, 0, &reader), 0);
    for (int i = 0; i < 30; i++) {
        (void)snprintf(value, sizeof value, "%d", i);
        last = local_put(c.stores[i % MEMBERS].client, "k", value);
        assert_value(c.stores[(i + 1) % MEMBERS].client, "k", value);
    }
    while (seen < last) {
        assert_int_equal(kvs_watch_reader_next(reader, PATIENCE_MS, &resp, NULL), 0);
        for (size_t i = 0; i < resp->n_events; i++) {
            assert_true(resp->events[i].kv.mod_revision > seen);
            seen = resp->events[i].kv.mod_revision;
        }
        kvs_resp_free(resp);
    }
    kvs_watch_reader_close(reader);

    for (int i = 0; i < MEMBERS; i++) {
        status[i] = status_of(c.stores[i].client);
        leader = status[i].leader == status[i].header.member_id ? i : leader;
    }
    assert_in_range(leader, 0, MEMBERS - 1);
    move.target_id = status[(leader + 1) % MEMBERS].header.member_id;
    assert_int_equal(kvs_move_leader_sync(c.stores[leader].client, &move, NULL, &moved, NULL), 0);
    kvs_resp_free(moved);
    assert_int_equal(status_of(c.stores[leader].client).leader, move.target_id);
    (void)local_put(c.stores[leader].client, "k", "after");
    assert_value(c.stores[(leader + 2) % MEMBERS].client, "k", "after");
    for (int i = 0; i < MEMBERS; i++) {
        local_store_stop(&c.stores[i]);
    }
}

/* ---- without a quorum ---- */

struct tally {
    atomic_int n_done;
    atomic_int last_error;
};

static void tally_put_cb(void *ctx, const struct kvs_error *error, const struct kvs_put_resp *resp)
{
    struct tally *t = ctx;

    assert_true((error->code == 0) == (resp != NULL));
    atomic_store(&t->last_error, error->code);
    atomic_fetch_add(&t->n_done, 1);
}

static uint64_t now_ms(void)
{
    return clock_ms(clock_system());
}

static void test_deadlines_and_close_without_a_quorum(void **state)
{
    const struct kvs_put_req req = {.key = VIEW_LITERAL("k")};
    const struct kvs_call_options brief = {.size = sizeof brief, .timeout_ms = 100};
    const struct kvs_put_resp *resp;
    struct tally t = {0};
    struct cluster c;
    uint64_t began_ms;

    (void)state;
    cluster_start(&c, 1);
    assert_int_equal(kvs_client_open_node(c.stores[0].node, &c.stores[0].client, NULL), 0);
    assert_int_equal(kvs_put_sync(c.stores[0].client, &req, &brief, &resp, NULL),
                     KVS_E_DEADLINE_EXCEEDED);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(kvs_put(c.stores[0].client, &req, NULL, tally_put_cb, &t), 0);
    }
    began_ms = now_ms();
    kvs_client_close(c.stores[0].client); /* does not wait for the node's own deadlines */
    c.stores[0].client = NULL;
    assert_true(now_ms() - began_ms < 3000);
    assert_int_equal(t.n_done, 100);
    assert_int_equal(t.last_error, KVS_E_CANCELED);
    local_store_stop(&c.stores[0]);
}

/* ---- stopping under load ---- */

/* Puts in flight at a time; each that succeeds is followed by another one. */
enum { IN_FLIGHT = 500, UNDER_LOAD = 1000 };

struct load {
    struct kvs_client *client;
    atomic_int n_started;
    atomic_int n_done;
    atomic_int n_ok;
    atomic_int last_error;
    atomic_int n_ended; /* watches */
    atomic_int end_code;
    atomic_int n_events;
};

static void load_watch_cb(void *ctx,
                          struct kvs_watch *watch,
                          enum kvs_watch_what what,
                          const struct kvs_error *error,
                          const struct kvs_watch_resp *resp)
{
    struct load *l = ctx;

    (void)watch;
    if (what == KVS_WATCH_EVENTS) {
        atomic_fetch_add(&l->n_events, (int)resp->n_events);
    } else if (what == KVS_WATCH_ENDED) {
        atomic_store(&l->end_code, error->code);
        atomic_fetch_add(&l->n_ended, 1);
    }
}

static void load_put(struct load *l);

static void load_put_cb(void *ctx, const struct kvs_error *error, const struct kvs_put_resp *resp)
{
    struct load *l = ctx;

    assert_true((error->code == 0) == (resp != NULL));
    if (error->code == 0) {
        atomic_fetch_add(&l->n_ok, 1);
        load_put(l);
    } else {
        atomic_store(&l->last_error, error->code);
    }
    atomic_fetch_add(&l->n_done, 1); /* after what follows it has been counted */
}

static void load_put(struct load *l)
{
    const struct kvs_put_req put = {.key = VIEW_LITERAL("load"), .value = VIEW_LITERAL("value")};

    atomic_fetch_add(&l->n_started, 1);
    assert_int_equal(kvs_put(l->client, &put, NULL, load_put_cb, l), 0);
}

static void load_begin(struct load *l, struct kvs_client *client)
{
    const struct kvs_watch_create_req req = {.key = VIEW_LITERAL("load"), .start_revision = 1};
    struct kvs_watch *watch;

    l->client = client;
    assert_int_equal(kvs_watch_open(client, &req, load_watch_cb, l, &watch), 0);
    for (int i = 0; i < IN_FLIGHT; i++) {
        load_put(l);
    }
}

static void wait_until(atomic_int *counter, int value)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    uint64_t until_ms = now_ms() + PATIENCE_MS;

    while (atomic_load(counter) < value) {
        assert_true(now_ms() < until_ms);
        (void)nanosleep(&pause, NULL);
    }
}

/* Every put that is followed by another one is counted after that, so equality is the end. */
static void wait_until_idle(struct load *l)
{
    int started;

    do {
        started = atomic_load(&l->n_started);
        wait_until(&l->n_done, started);
    } while (started != atomic_load(&l->n_started));
}

static void test_node_stops_under_load(void **state)
{
    struct kvs_call_options options = KVS_CALL_OPTIONS_INIT;
    const struct kvs_range_req range = {.key = VIEW_LITERAL("load")};
    const struct kvs_range_resp *resp;
    struct load l = {0};
    struct local_store s;

    (void)state;
    local_store_start(&s);
    load_begin(&l, s.client);
    wait_until(&l.n_ok, UNDER_LOAD);
    wait_until(&l.n_events, 1);
    kvs_node_stop(s.node);
    assert_int_equal(kvs_node_wait(s.node, NULL), 0);
    wait_until_idle(&l);
    wait_until(&l.n_ended, 1);
    assert_int_equal(l.last_error, KVS_E_STOPPED);
    assert_int_equal(l.end_code, KVS_E_STOPPED);
    options.timeout_ms = KVS_NO_TIMEOUT;
    assert_int_equal(kvs_range_sync(s.client, &range, &options, &resp, NULL), KVS_E_STOPPED);
    local_store_stop(&s);
    assert_int_equal(l.n_done, l.n_started); /* once each */
    assert_int_equal(l.n_ok + IN_FLIGHT, l.n_started);
    assert_int_equal(l.n_ended, 1);
}

static void test_client_closes_under_load(void **state)
{
    struct load l = {0};
    struct local_store s;
    struct kvs_client *other;

    (void)state;
    local_store_start(&s);
    load_begin(&l, s.client);
    wait_until(&l.n_ok, UNDER_LOAD);
    kvs_client_close(s.client);
    assert_int_equal(l.n_done, l.n_started);
    assert_int_equal(l.n_ok + IN_FLIGHT, l.n_started);
    assert_int_equal(l.last_error, KVS_E_CANCELED);
    assert_int_equal(l.n_ended, 1);
    assert_int_equal(l.end_code, KVS_E_CANCELED);
    assert_int_equal(kvs_client_open_node(s.node, &other, NULL), 0); /* the node lives on */
    (void)local_put(other, "k", "v");
    s.client = other;
    local_store_stop(&s);
}

/* A mistake of the caller's, but not a crash. */
static void test_node_closed_before_its_client(void **state)
{
    const struct kvs_put_req req = {.key = VIEW_LITERAL("k")};
    const struct kvs_put_resp *resp;
    struct kvs_client *client;
    struct local_store s;

    (void)state;
    local_store_start(&s);
    client = s.client;
    (void)local_put(client, "k", "v");
    s.client = NULL;
    local_store_stop(&s);
    assert_int_equal(kvs_put_sync(client, &req, NULL, &resp, NULL), KVS_E_STOPPED);
    kvs_client_close(client);
}

/* ---- a reader that falls behind ---- */

static void test_slow_reader_gets_everything(void **state)
{
    enum { EVENTS = 400, VALUE_BYTES = 32 * 1024 }; /* many times a stream's credit */
    const struct kvs_watch_create_req watch = {.key = VIEW_LITERAL("big"), .start_revision = 1};
    struct kvs_put_req put = {.key = VIEW_LITERAL("big")};
    struct kvs_watch_reader *reader;
    const struct kvs_watch_resp *resp;
    const struct kvs_put_resp *done;
    struct local_store s;
    char *value = malloc(VALUE_BYTES);
    kvs_revision seen = 1;

    (void)state;
    assert_non_null(value);
    local_store_start(&s);
    assert_int_equal(kvs_watch_reader_open(s.client, &watch, 2, &reader), 0);
    for (int i = 0; i < EVENTS; i++) {
        memset(value, 'a' + i % 26, VALUE_BYTES);
        put.value = view_make(value, VALUE_BYTES);
        assert_int_equal(kvs_put_sync(s.client, &put, NULL, &done, NULL), 0);
        kvs_resp_free(done);
    }
    while (seen < EVENTS + 1) {
        assert_int_equal(kvs_watch_reader_next(reader, PATIENCE_MS, &resp, NULL), 0);
        for (size_t i = 0; i < resp->n_events; i++) {
            const struct kvs_kv *kv = &resp->events[i].kv;

            assert_int_equal(kv->mod_revision, ++seen);
            assert_int_equal(kv->value.len, VALUE_BYTES);
            assert_int_equal(*(const char *)kv->value.data, 'a' + (int)(seen - 2) % 26);
        }
        kvs_resp_free(resp);
    }
    kvs_watch_reader_close(reader);
    local_store_stop(&s);
    free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_members_in_one_process),
        cmocka_unit_test(test_deadlines_and_close_without_a_quorum),
        cmocka_unit_test(test_node_stops_under_load),
        cmocka_unit_test(test_client_closes_under_load),
        cmocka_unit_test(test_node_closed_before_its_client),
        cmocka_unit_test(test_slow_reader_gets_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
