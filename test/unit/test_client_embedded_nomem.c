/* Every allocation of the embedded client fails once: nothing crashes, hangs or leaks, and each
 * call works all the same or says so. The node's threads are spared: a member that cannot apply
 * stops, which is another test's subject. */
#include "local_store.h"

#include <stdatomic.h>

#include "base/alloc.h"

enum { ALLOCATIONS_MAX = 2000 };

static atomic_long until_failure; /* below 0: never */
static atomic_bool failed;
static atomic_bool warming_up; /* threads that show up now are the node's */
static _Thread_local enum { UNSEEN, SPARED, MEANT } thread_kind;

static void *failing_realloc(void *ctx, void *old, size_t size)
{
    (void)ctx;
    if (thread_kind == UNSEEN) {
        thread_kind = atomic_load(&warming_up) ? SPARED : MEANT;
    }
    if (thread_kind == MEANT && atomic_load(&until_failure) >= 0 &&
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

static void use_calls(struct kvs_client *client)
{
    const struct kvs_range_req range = {.key = VIEW_LITERAL("\0"), .range_end = VIEW_LITERAL("\0")};
    const struct kvs_put_req put = {.key = VIEW_LITERAL("k"), .value = VIEW_LITERAL("v")};
    struct kvs_op ops[] = {{.type = KVS_OP_PUT, .u.put = put}};
    const struct kvs_txn_req txn = {.success = ops, .n_success = 1};
    const struct kvs_member_list_req list = {0};
    const struct kvs_range_resp *range_resp = NULL;
    const struct kvs_put_resp *put_resp = NULL;
    const struct kvs_txn_resp *txn_resp = NULL;
    const struct kvs_member_list_resp *list_resp = NULL;

    (void)!kvs_range_sync(client, &range, NULL, &range_resp, NULL);
    (void)!kvs_put_sync(client, &put, NULL, &put_resp, NULL);
    (void)!kvs_txn_sync(client, &txn, NULL, &txn_resp, NULL);
    (void)!kvs_member_list_sync(client, &list, NULL, &list_resp, NULL);
    kvs_resp_free(range_resp);
    kvs_resp_free(put_resp);
    kvs_resp_free(txn_resp);
    kvs_resp_free(list_resp);
}

static void use_watch(struct kvs_client *client)
{
    const struct kvs_watch_create_req req = {.key = VIEW_LITERAL("k"), .start_revision = 1};
    const struct kvs_watch_resp *resp;
    struct kvs_watch_reader *reader;

    if (kvs_watch_reader_open(client, &req, 0, &reader) != 0) {
        return;
    }
    kvs_watch_reader_progress(reader);
    for (int i = 0; i < 2; i++) { /* created, events */
        resp = NULL;
        (void)!kvs_watch_reader_next(reader, 2000, &resp, NULL);
        kvs_resp_free(resp);
    }
    kvs_watch_reader_close(reader);
}

static int ignore_chunk(void *ctx, struct kvs_view blob, uint64_t remaining_bytes)
{
    (void)ctx;
    (void)blob;
    (void)remaining_bytes;
    return 0;
}

static void use_snapshot(struct kvs_client *client)
{
    (void)!kvs_snapshot_sync(client, NULL, ignore_chunk, NULL, NULL);
}

static void fail_each_allocation(void (*use)(struct kvs_client *client))
{
    struct kvs_client *client;
    struct local_store s;
    long n = 0;

    thread_kind = MEANT;
    atomic_store(&until_failure, -1);
    atomic_store(&warming_up, true);
    kvs_alloc_set(&failing);
    local_store_start(&s);
    use_calls(s.client);
    use_watch(s.client);
    use_snapshot(s.client);
    atomic_store(&warming_up, false);
    do {
        assert_true(n < ALLOCATIONS_MAX);
        atomic_store(&failed, false);
        atomic_store(&until_failure, n++);
        if (kvs_client_open_node(s.node, &client, NULL) == 0) {
            use(client);
            kvs_client_close(client);
        }
    } while (atomic_load(&failed));
    atomic_store(&until_failure, -1);
    (void)local_put(s.client, "k", "the node is as it was");
    local_store_stop(&s);
    kvs_alloc_set(NULL);
    assert_true(n > 5); /* something was allocated, and failed */
}

static void test_calls(void **state)
{
    (void)state;
    fail_each_allocation(use_calls);
}

static void test_watch(void **state)
{
    (void)state;
    fail_each_allocation(use_watch);
}

static void test_snapshot(void **state)
{
    (void)state;
    fail_each_allocation(use_snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
