/* Every allocation of the client fails once: nothing crashes, hangs or leaks, a call ends exactly
 * once, and it either worked all the same or says so. The server's thread is spared. */
#include "client_script.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { ALLOCATIONS_MAX = 2000 };

static atomic_long until_failure; /* below 0: never */
static atomic_bool failed;
static atomic_int n_owed; /* last callbacks that have not come yet */

static void *failing_realloc(void *ctx, void *old, size_t size)
{
    (void)ctx;
    if (!script_on_server_thread && atomic_load(&until_failure) >= 0 &&
        atomic_fetch_sub(&until_failure, 1) == 0) {
        atomic_store(&failed, true);
        return NULL;
    }
    return realloc(old, size);
}

static void failing_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

static const struct kvs_allocator failing = {.realloc = failing_realloc, .free = failing_free};

/* One use of the library from open to close, at the scripted server `s`. */
typedef void (*use_fn)(struct kvs_client *client);

static void use_once(const char *endpoint, use_fn use)
{
    struct kvs_client_options options;
    struct kvs_client *client;

    kvs_client_options_init(&options);
    options.endpoints = endpoint;
    options.dial_timeout_ms = 1000;
    options.call_timeout_ms = 2000;
    if (kvs_client_open(&options, &client, NULL) != 0) {
        return;
    }
    use(client);
    kvs_client_close(client);
}

static void fail_each_allocation(use_fn use)
{
    static struct script s;
    long n = 0;

    memset(&s, 0, sizeof s);
    s.keepalive_ttls[0] = 60;
    s.n_streams = 1;
    s.streams[0].responses[0] = (struct kvs_watch_resp){.header = {.revision = 5}, .created = true};
    s.streams[0].n_responses = 1;
    atomic_store(&until_failure, -1);
    kvs_alloc_set(&failing);
    script_start(&s);
    do {
        assert_true(n < ALLOCATIONS_MAX);
        atomic_store(&failed, false);
        atomic_store(&until_failure, n++);
        use_once(s.endpoint, use);
        assert_int_equal(atomic_load(&n_owed), 0);
    } while (atomic_load(&failed));
    atomic_store(&until_failure, -1);
    script_stop(&s);
    kvs_alloc_set(NULL);
    assert_true(n > 5); /* something was allocated, and failed */
}

static void use_calls(struct kvs_client *client)
{
    const struct kvs_range_req range = {.key = VIEW_LITERAL("k")};
    const struct kvs_put_req put = {.key = VIEW_LITERAL("k"), .value = VIEW_LITERAL("v")};
    const struct kvs_range_resp *range_resp = NULL;
    const struct kvs_put_resp *put_resp = NULL;

    (void)!kvs_range_sync(client, &range, NULL, &range_resp, NULL);
    (void)!kvs_put_sync(client, &put, NULL, &put_resp, NULL);
    kvs_resp_free(range_resp);
    kvs_resp_free(put_resp);
}

static void use_txn(struct kvs_client *client)
{
    const struct kvs_compare compare = {.key = VIEW_LITERAL("k")};
    const struct kvs_op op = {.type = KVS_OP_DELETE, .u.del = {.key = VIEW_LITERAL("k")}};
    struct kvs_txn_builder *b = kvs_txn_builder_new();
    const struct kvs_txn_resp *resp = NULL;

    if (b == NULL) {
        return;
    }
    for (int i = 0; i < 20; i++) {
        kvs_txn_builder_if(b, &compare);
        kvs_txn_builder_then(b, &op);
    }
    if (kvs_txn_builder_req(b) != NULL) {
        (void)!kvs_txn_sync(client, kvs_txn_builder_req(b), NULL, &resp, NULL);
    }
    kvs_resp_free(resp);
    kvs_txn_builder_free(b);
}

static void use_watch(struct kvs_client *client)
{
    const struct kvs_watch_create_req req = {.key = VIEW_LITERAL("k")};
    struct kvs_watch_reader *reader;
    const struct kvs_watch_resp *resp = NULL;

    if (kvs_watch_reader_open(client, &req, 0, &reader) != 0) {
        return;
    }
    (void)!kvs_watch_reader_next(reader, 2000, &resp, NULL);
    kvs_watch_reader_progress(reader);
    kvs_resp_free(resp);
    kvs_watch_reader_close(reader);
}

static void
keeper_cb(void *ctx, const struct kvs_error *error, const struct kvs_lease_keepalive_resp *resp)
{
    (void)ctx;
    (void)error;
    if (resp == NULL) {
        atomic_fetch_sub(&n_owed, 1);
    }
}

static void use_keeper(struct kvs_client *client)
{
    struct kvs_lease_keeper *keeper;

    atomic_fetch_add(&n_owed, 1);
    if (kvs_lease_keep(client, 7, keeper_cb, NULL, &keeper) != 0) {
        atomic_fetch_sub(&n_owed, 1);
        return;
    }
    kvs_lease_keeper_stop(keeper);
}

static void test_calls(void **state)
{
    (void)state;
    fail_each_allocation(use_calls);
}

static void test_txn(void **state)
{
    (void)state;
    fail_each_allocation(use_txn);
}

static void test_watch(void **state)
{
    (void)state;
    fail_each_allocation(use_watch);
}

static void test_keeper(void **state)
{
    (void)state;
    fail_each_allocation(use_keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_txn),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_keeper),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
