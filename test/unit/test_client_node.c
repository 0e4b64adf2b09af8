/* A store inside this process: no port, no other thread of ours, the same calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/view.h"
#include "kvstore/client.h"
#include "kvstore/node.h"

enum { READY_MS = 30000 };

struct embedded {
    char dir[64];
    struct kvs_node *node;
    struct kvs_client *client;
};

static void discard_log(void *ctx, const char *line, size_t len)
{
    (void)ctx;
    (void)line;
    (void)len;
}

static void embedded_start(struct embedded *e)
{
    struct kvs_node_options options;
    struct kvs_error error = {0};

    kvs_node_options_init(&options);
    options.data_dir = e->dir;
    options.listen_client_urls = NULL;
    options.listen_peer_urls = NULL;
    options.log_fn = discard_log;
    if (kvs_node_open(&options, &e->node, &error) != 0) {
        fail_msg("%s", error.msg);
    }
    assert_int_equal(kvs_node_wait_ready(e->node, READY_MS), 0);
    assert_int_equal(kvs_client_open_node(e->node, &e->client, &error), 0);
}

static void embedded_stop(struct embedded *e)
{
    kvs_client_close(e->client);
    kvs_node_close(e->node);
}

static int setup(void **state)
{
    struct embedded *e = calloc(1, sizeof *e);

    assert_non_null(e);
    (void)snprintf(e->dir, sizeof e->dir, "/tmp/keelson-node-XXXXXX");
    assert_non_null(mkdtemp(e->dir));
    embedded_start(e);
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct embedded *e = *state;
    char command[128];

    if (e->node != NULL) {
        embedded_stop(e);
    }
    (void)snprintf(command, sizeof command, "rm -rf %s", e->dir);
    assert_int_equal(system(command), 0);
    free(e);
    return 0;
}

static kvs_revision put(struct embedded *e, const char *key, const char *value)
{
    const struct kvs_put_req req = {.key = view_str(key), .value = view_str(value)};
    const struct kvs_put_resp *resp;
    struct kvs_error error;
    kvs_revision revision;

    if (kvs_put_sync(e->client, &req, NULL, &resp, &error) != 0) {
        fail_msg("%s", error.msg);
    }
    revision = resp->header.revision;
    kvs_resp_free(resp);
    return revision;
}

static void assert_value(struct embedded *e, const char *key, const char *value)
{
    const struct kvs_range_req req = {.key = view_str(key)};
    const struct kvs_range_resp *resp;

    assert_int_equal(kvs_range_sync(e->client, &req, NULL, &resp, NULL), 0);
    assert_int_equal(resp->n_kvs, 1);
    assert_true(view_equal_str(resp->kvs[0].value, value));
    kvs_resp_free(resp);
}

static void test_what_was_put_is_there_after_a_restart(void **state)
{
    struct embedded *e = *state;

    assert_int_equal(put(e, "a", "1"), 2);
    assert_int_equal(put(e, "a", "2"), 3);
    assert_value(e, "a", "2");
    embedded_stop(e);
    embedded_start(e);
    assert_value(e, "a", "2");
    assert_int_equal(put(e, "a", "3"), 4);
}

static void test_watch_sees_every_put(void **state)
{
    enum { PUTS = 500 };
    struct embedded *e = *state;
    const struct kvs_watch_create_req req = {.key = VIEW_LITERAL("w"), .start_revision = 1};
    struct kvs_watch_reader *reader;
    const struct kvs_watch_resp *resp;
    kvs_revision seen = 1;

    assert_int_equal(kvs_watch_reader_open(e->client, &req, 0, &reader), 0);
    for (int i = 0; i < PUTS; i++) {
        (void)put(e, "w", "v");
    }
    while (seen < PUTS + 1) {
        assert_int_equal(kvs_watch_reader_next(reader, 20000, &resp, NULL), 0);
        for (size_t i = 0; i < resp->n_events; i++) {
            assert_int_equal(resp->events[i].kv.mod_revision, ++seen);
        }
        kvs_resp_free(resp);
    }
    kvs_watch_reader_close(reader);
}

static void test_pages_are_one_revision(void **state)
{
    struct embedded *e = *state;
    const struct kvs_range_req req = {.key = VIEW_LITERAL("p"), .range_end = VIEW_LITERAL("q")};
    struct kvs_range_iter *iter;
    const struct kvs_kv *kv;
    char key[16];
    int count = 0;

    for (int i = 0; i < 25; i++) {
        (void)snprintf(key, sizeof key, "p%02d", i);
        (void)put(e, key, "v");
    }
    assert_int_equal(kvs_range_iter_open(e->client, &req, 10, &iter), 0);
    while (kvs_range_iter_next(iter, &kv, NULL) == 0 && kv != NULL) {
        (void)snprintf(key, sizeof key, "p%02d", count++);
        assert_true(view_equal_str(kv->key, key));
        (void)put(e, "p99", "added while walking"); /* not in this walk's revision */
    }
    assert_null(kv);
    assert_int_equal(count, 25);
    assert_int_equal(kvs_range_iter_header(iter).revision, 26);
    kvs_range_iter_close(iter);
}

static void test_lock_excludes(void **state)
{
    struct embedded *e = *state;
    const struct kvs_lease_grant_req grant = {.ttl_s = 60};
    const struct kvs_call_options brief = {.size = sizeof brief, .timeout_ms = 300};
    const struct kvs_lease_grant_resp *one;
    const struct kvs_lease_grant_resp *two;
    struct kvs_lock *first;
    struct kvs_lock *second;
    struct kvs_view name = VIEW_LITERAL("lock");
    struct kvs_view none = {NULL, 0};

    assert_int_equal(kvs_lease_grant_sync(e->client, &grant, NULL, &one, NULL), 0);
    assert_int_equal(kvs_lease_grant_sync(e->client, &grant, NULL, &two, NULL), 0);
    assert_int_equal(kvs_lock_acquire_sync(e->client, name, one->id, none, NULL, &first, NULL), 0);
    assert_int_equal(kvs_lock_acquire_sync(e->client, name, two->id, none, &brief, &second, NULL),
                     KVS_E_DEADLINE_EXCEEDED);
    assert_int_equal(kvs_lock_release_sync(first, NULL), 0);
    assert_int_equal(kvs_lock_acquire_sync(e->client, name, two->id, none, NULL, &second, NULL), 0);
    assert_int_equal(kvs_lock_release_sync(second, NULL), 0);
    kvs_resp_free(one);
    kvs_resp_free(two);
}

static void test_leadership_is_proclaimed_and_observed(void **state)
{
    struct embedded *e = *state;
    const struct kvs_lease_grant_req grant = {.ttl_s = 60};
    const struct kvs_lease_grant_resp *lease;
    const struct kvs_range_resp *leader;
    struct kvs_view name = VIEW_LITERAL("election");
    struct kvs_lock *office;

    assert_int_equal(kvs_election_leader_sync(e->client, name, &leader, NULL),
                     KVS_E_NO_ELECTION_LEADER);
    assert_int_equal(kvs_lease_grant_sync(e->client, &grant, NULL, &lease, NULL), 0);
    assert_int_equal(
        kvs_lock_acquire_sync(e->client, name, lease->id, VIEW_LITERAL("me"), NULL, &office, NULL),
        0);
    assert_int_equal(kvs_election_proclaim_sync(office, VIEW_LITERAL("still me"), NULL), 0);
    assert_int_equal(kvs_election_leader_sync(e->client, name, &leader, NULL), 0);
    assert_true(view_equal_str(leader->kvs[0].value, "still me"));
    kvs_resp_free(leader);
    assert_int_equal(kvs_lock_release_sync(office, NULL), 0);
    kvs_resp_free(lease);
}

static void test_calls_after_the_node_has_stopped(void **state)
{
    struct embedded *e = *state;
    const struct kvs_range_req req = {.key = VIEW_LITERAL("k")};
    const struct kvs_range_resp *resp;

    kvs_node_stop(e->node);
    assert_int_equal(kvs_node_wait(e->node, NULL), 0);
    assert_int_not_equal(kvs_range_sync(e->client, &req, NULL, &resp, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_put_is_there_after_a_restart, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_watch_sees_every_put, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pages_are_one_revision, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock_excludes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leadership_is_proclaimed_and_observed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_calls_after_the_node_has_stopped, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
