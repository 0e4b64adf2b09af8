/* Calls against a server that fails on purpose: what is repeated, what is not, what the caller is
 * told, and that every call ends exactly once. */
#include "client_script.h"

#include <stdatomic.h>

#include "base/mbox.h"

static int get(struct kvs_client *c, const struct kvs_call_options *options, struct kvs_error *e)
{
    const struct kvs_range_req req = {.key = VIEW_LITERAL("k")};
    const struct kvs_range_resp *resp = NULL;
    int err = kvs_range_sync(c, &req, options, &resp, e);

    kvs_resp_free(resp);
    return err;
}

static int put(struct kvs_client *c, struct kvs_error *e)
{
    const struct kvs_put_req req = {.key = VIEW_LITERAL("k")};
    const struct kvs_put_resp *resp = NULL;
    int err = kvs_put_sync(c, &req, NULL, &resp, e);

    kvs_resp_free(resp);
    return err;
}

static int txn(struct kvs_client *c, enum kvs_op_type type)
{
    struct kvs_op op = {.type = type};
    const struct kvs_txn_req req = {.success = &op, .n_success = 1};
    const struct kvs_txn_resp *resp = NULL;
    int err = kvs_txn_sync(c, &req, NULL, &resp, NULL);

    kvs_resp_free(resp);
    return err;
}

#define UNAVAILABLE                                                                                \
    {                                                                                              \
        .status = RPC_UNAVAILABLE, .text = "etcdserver: leader changed"                            \
    }

static void test_reads_are_repeated(void **state)
{
    struct script s = {.answers = {UNAVAILABLE, UNAVAILABLE}, .n_answers = 2};
    struct kvs_client *c;

    (void)state;
    script_start(&s);
    c = script_client(s.endpoint);
    assert_int_equal(get(c, NULL, NULL), 0);
    kvs_client_close(c);
    script_stop(&s);
    assert_int_equal(s.n_calls, 3);
}

static void test_writes_are_not_repeated(void **state)
{
    struct script s = {.answers = {UNAVAILABLE}, .n_answers = 1};
    struct kvs_client *c;
    struct kvs_error error;

    (void)state;
    script_start(&s);
    c = script_client(s.endpoint);
    assert_int_equal(put(c, &error), KVS_E_LEADER_CHANGED);
    assert_int_equal(error.code, KVS_E_LEADER_CHANGED);
    assert_string_equal(error.msg, "etcdserver: leader changed");
    kvs_client_close(c);
    script_stop(&s);
    assert_int_equal(s.n_calls, 1);
}

static void test_only_transactions_of_reads_are_repeated(void **state)
{
    struct script s = {.answers = {UNAVAILABLE, {.status = RPC_OK}, UNAVAILABLE}, .n_answers = 3};
    struct kvs_client *c;

    (void)state;
    script_start(&s);
    c = script_client(s.endpoint);
    assert_int_equal(txn(c, KVS_OP_RANGE), 0);
    assert_int_equal(txn(c, KVS_OP_DELETE), KVS_E_LEADER_CHANGED);
    kvs_client_close(c);
    script_stop(&s);
    assert_int_equal(s.n_calls, 3);
}

static void test_errors_are_told_by_text_then_by_status(void **state)
{
    struct script s = {
        .answers = {{.status = RPC_OUT_OF_RANGE,
                     .text = "etcdserver: mvcc: required revision has been compacted"},
                    {.status = RPC_PERMISSION_DENIED, .text = "words nobody knows"}},
        .n_answers = 2};
    struct kvs_client *c;
    struct kvs_error error;

    (void)state;
    script_start(&s);
    c = script_client(s.endpoint);
    assert_int_equal(get(c, NULL, NULL), KVS_E_COMPACTED);
    assert_int_equal(get(c, NULL, &error), KVS_E_PERMISSION);
    assert_string_equal(error.msg, "words nobody knows");
    kvs_client_close(c);
    script_stop(&s);
    assert_int_equal(s.n_calls, 2);
}

static void test_deadline(void **state)
{
    struct script s = {.answers = {{.hold = true}}, .n_answers = 1};
    const struct kvs_call_options options = {.size = sizeof options, .timeout_ms = 50};
    struct kvs_client *c;

    (void)state;
    script_start(&s);
    c = script_client(s.endpoint);
    assert_int_equal(get(c, &options, NULL), KVS_E_DEADLINE_EXCEEDED);
    kvs_client_close(c);
    script_stop(&s);
}

static void test_dead_endpoints_are_passed_over(void **state)
{
    struct script s = {.n_answers = 0};
    char endpoints[80];
    struct kvs_client *c;

    (void)state;
    script_start(&s);
    (void)snprintf(endpoints, sizeof endpoints, "127.0.0.1:1,%s,127.0.0.1:2", s.endpoint);
    c = script_client(endpoints);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(get(c, NULL, NULL), 0);
        assert_int_equal(put(c, NULL), 0);
    }
    kvs_client_close(c);
    script_stop(&s);
    assert_int_equal(s.n_calls, 8);
}

static void test_a_named_endpoint_fails_fast(void **state)
{
    struct script s = {.n_answers = 0};
    const struct kvs_call_options options = {.size = sizeof options, .endpoint = "127.0.0.1:1"};
    struct kvs_client *c;
    struct kvs_error error;

    (void)state;
    script_start(&s);
    c = script_client(s.endpoint);
    assert_int_equal(get(c, &options, &error), KVS_E_UNAVAILABLE);
    assert_non_null(strstr(error.msg, "127.0.0.1:1"));
    kvs_client_close(c);
    script_stop(&s);
    assert_int_equal(s.n_calls, 0);
}

static void test_bad_options(void **state)
{
    struct kvs_client_options options;
    struct kvs_client *client;
    struct kvs_error error;

    (void)state;
    kvs_client_options_init(&options);
    options.endpoints = "nonsense";
    assert_int_equal(kvs_client_open(&options, &client, &error), KVS_E_ADDRESS);
    assert_non_null(strstr(error.msg, "nonsense"));
    options.endpoints = "";
    assert_int_equal(kvs_client_open(&options, &client, NULL), KVS_E_ADDRESS);
    options.size = 1;
    assert_int_equal(kvs_client_open(&options, &client, NULL), KVS_E_INVALID);
}

static void test_too_large_a_request_is_refused_here(void **state)
{
    static uint8_t value[3 << 20];
    struct script s = {.n_answers = 0};
    const struct kvs_put_req req = {.key = VIEW_LITERAL("k"), .value = {value, sizeof value}};
    const struct kvs_put_resp *resp;
    struct kvs_client *c;

    (void)state;
    script_start(&s);
    c = script_client(s.endpoint);
    assert_int_equal(kvs_put_sync(c, &req, NULL, &resp, NULL), KVS_E_TOO_LONG);
    kvs_client_close(c);
    script_stop(&s);
    assert_int_equal(s.n_calls, 0);
}

/* ---- callbacks ---- */

struct heard {
    struct kvs_client *client;
    atomic_int n_calls;
    int code;
    int sync_code; /* of a blocking call from the callback */
    const struct kvs_range_resp *kept;
    struct mbox *mbox;
    struct list node;
};

static void heard_cb(void *ctx, const struct kvs_error *error, const struct kvs_range_resp *resp)
{
    struct heard *h = ctx;

    h->code = error->code;
    h->sync_code = get(h->client, NULL, NULL);
    if (resp != NULL) {
        kvs_resp_keep(resp);
        h->kept = resp;
    }
    atomic_fetch_add(&h->n_calls, 1);
    mbox_post(h->mbox, &h->node);
}

static void test_callbacks_may_keep_but_not_block(void **state)
{
    struct script s = {.n_answers = 0};
    const struct kvs_range_req req = {.key = VIEW_LITERAL("k")};
    struct heard h = {.mbox = mbox_new(NULL, NULL)};
    struct list messages;

    (void)state;
    script_start(&s);
    h.client = script_client(s.endpoint);
    assert_int_equal(kvs_range(h.client, &req, NULL, heard_cb, &h), 0);
    list_init(&messages);
    assert_true(mbox_wait(h.mbox, &messages));
    kvs_client_close(h.client);
    script_stop(&s);
    assert_int_equal(h.code, 0);
    assert_int_equal(h.sync_code, KVS_E_INVALID);
    assert_int_equal(h.kept->n_kvs, 0); /* still there */
    kvs_resp_free(h.kept);
    mbox_free(h.mbox);
}

static void test_close_ends_what_is_left(void **state)
{
    enum { CALLS = 5 };
    struct script s = {.n_answers = CALLS};
    const struct kvs_range_req req = {.key = VIEW_LITERAL("k")};
    struct heard h[CALLS];
    struct kvs_client *c;
    struct mbox *mbox = mbox_new(NULL, NULL);
    struct list messages;

    (void)state;
    for (int i = 0; i < CALLS; i++) {
        s.answers[i].hold = true;
    }
    script_start(&s);
    c = script_client(s.endpoint);
    for (int i = 0; i < CALLS; i++) {
        h[i] = (struct heard){.client = c, .mbox = mbox};
        assert_int_equal(kvs_range(c, &req, NULL, heard_cb, &h[i]), 0);
    }
    kvs_client_close(c);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(atomic_load(&h[i].n_calls), 1);
        assert_int_equal(h[i].code, KVS_E_CANCELED);
        assert_null(h[i].kept);
    }
    list_init(&messages);
    assert_true(mbox_take(mbox, &messages));
    mbox_free(mbox);
    script_stop(&s);
}

/* ---- leases ---- */

static void
keeper_cb(void *ctx, const struct kvs_error *error, const struct kvs_lease_keepalive_resp *resp)
{
    struct heard *h = ctx;

    if (resp != NULL) {
        atomic_fetch_add(&h->n_calls, 1);
        return;
    }
    h->code = error->code;
    mbox_post(h->mbox, &h->node);
}

static void test_keeper_renews_until_the_lease_is_gone(void **state)
{
    struct script s = {.keepalive_ttls = {1, 1, 1, 0}};
    struct heard h = {.mbox = mbox_new(NULL, NULL)};
    struct kvs_lease_keeper *keeper;
    struct list messages;

    (void)state;
    script_start(&s);
    h.client = script_client(s.endpoint);
    assert_int_equal(kvs_lease_keep(h.client, 7, keeper_cb, &h, &keeper), 0);
    list_init(&messages);
    assert_true(mbox_wait(h.mbox, &messages));
    kvs_client_close(h.client);
    script_stop(&s);
    assert_int_equal(h.code, KVS_E_LEASE_NOT_FOUND);
    assert_int_equal(atomic_load(&h.n_calls), 3);
    assert_int_equal(s.n_keepalives, 4);
    mbox_free(h.mbox);
}

static void test_keeper_stops(void **state)
{
    struct script s = {.keepalive_ttls = {60}};
    struct heard h = {.mbox = mbox_new(NULL, NULL)};
    struct kvs_lease_keeper *keeper;
    struct list messages;

    (void)state;
    script_start(&s);
    h.client = script_client(s.endpoint);
    assert_int_equal(kvs_lease_keep(h.client, 7, keeper_cb, &h, &keeper), 0);
    kvs_lease_keeper_stop(keeper);
    list_init(&messages);
    assert_true(mbox_wait(h.mbox, &messages));
    assert_int_equal(h.code, KVS_E_CANCELED);
    kvs_client_close(h.client);
    script_stop(&s);
    mbox_free(h.mbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_are_repeated),
        cmocka_unit_test(test_writes_are_not_repeated),
        cmocka_unit_test(test_only_transactions_of_reads_are_repeated),
        cmocka_unit_test(test_errors_are_told_by_text_then_by_status),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_dead_endpoints_are_passed_over),
        cmocka_unit_test(test_a_named_endpoint_fails_fast),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_too_large_a_request_is_refused_here),
        cmocka_unit_test(test_callbacks_may_keep_but_not_block),
        cmocka_unit_test(test_close_ends_what_is_left),
        cmocka_unit_test(test_keeper_renews_until_the_lease_is_gone),
        cmocka_unit_test(test_keeper_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
