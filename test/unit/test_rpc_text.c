/* The text forms of gRPC's headers, and the reassembly of messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/rand.h"
#include "base/view.h"
#include "rpc/rpc_queue.h"
#include "rpc/rpc_status.h"
#include "rpc/rpc_text.h"

static void timeouts_parse(void **state)
{
    static const struct {
        const char *text;
        int err;
        uint64_t ms;
    } rows[] = {
        {"1H", 0, 3600000},
        {"2M", 0, 120000},
        {"3S", 0, 3000},
        {"250m", 0, 250},
        {"1500u", 0, 2},
        {"1n", 0, 1},
        {"0S", 0, 1},
        {"99999999H", 0, UINT64_C(99999999) * 3600000},
        {"100000000S", KVS_E_MALFORMED, 0},
        {"S", KVS_E_MALFORMED, 0},
        {"5", KVS_E_MALFORMED, 0},
        {"", KVS_E_MALFORMED, 0},
        {"-1S", KVS_E_MALFORMED, 0},
        {"1 S", KVS_E_MALFORMED, 0},
        {"1s", KVS_E_MALFORMED, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t ms = 0;

        assert_int_equal(rpc_timeout_parse(view_str(rows[i].text), &ms), rows[i].err);
        assert_int_equal(ms, rows[i].ms);
    }
}

static void timeouts_survive_the_way(void **state)
{
    static const uint64_t values[] = {1, 999, 99999999, 100000000, 5000000000, UINT64_MAX};
    char text[RPC_TIMEOUT_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        uint64_t ms;
        size_t n = rpc_timeout_format(values[i], text);

        assert_true(n <= 9);
        assert_int_equal(rpc_timeout_parse(view_make(text, n), &ms), 0);
        assert_true(ms <= values[i]);
        assert_true(i > 2 || ms == values[i]);
    }
}

static void messages_are_percent_encoded(void **state)
{
    static const char raw[] = "50% \xc3\xa9\n~ ok";
    static const char wire[] = "50%25 %C3%A9%0A~ ok";
    char text[64];
    size_t n;

    (void)state;
    n = rpc_percent_encode(view_str(raw), text);
    assert_int_equal(n, strlen(wire));
    assert_memory_equal(text, wire, n);
    n = rpc_percent_decode(view_str(wire), text);
    assert_int_equal(n, strlen(raw));
    assert_memory_equal(text, raw, n);
    n = rpc_percent_decode(view_str("%zz%4"), text);
    assert_int_equal(n, 5);
    assert_memory_equal(text, "%zz%4", 5);
}

static void binary_metadata_is_base64(void **state)
{
    static const struct {
        const char *raw;
        const char *text;
    } rows[] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"}};
    uint8_t back[16];
    char text[16];
    size_t len;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n = rpc_base64_encode(view_str(rows[i].raw), text);

        assert_int_equal(n, strlen(rows[i].text));
        assert_memory_equal(text, rows[i].text, n);
        assert_int_equal(rpc_base64_decode(view_make(text, n), back, &len), 0);
        assert_int_equal(len, strlen(rows[i].raw));
        assert_memory_equal(back, rows[i].raw, len);
    }
    assert_int_equal(rpc_base64_decode(VIEW_LITERAL("Zg=="), back, &len), 0);
    assert_int_equal(len, 1);
    assert_int_equal(rpc_base64_decode(VIEW_LITERAL("Z"), back, &len), KVS_E_MALFORMED);
    assert_int_equal(rpc_base64_decode(VIEW_LITERAL("Z-8"), back, &len), KVS_E_MALFORMED);
}

static void content_types_are_told_apart(void **state)
{
    (void)state;
    assert_true(rpc_is_grpc_content_type(VIEW_LITERAL("application/grpc")));
    assert_true(rpc_is_grpc_content_type(VIEW_LITERAL("application/grpc+proto")));
    assert_true(rpc_is_grpc_content_type(VIEW_LITERAL("application/grpc;x=y")));
    assert_false(rpc_is_grpc_content_type(VIEW_LITERAL("application/grpc-web")));
    assert_false(rpc_is_grpc_content_type(VIEW_LITERAL("application/json")));
    assert_false(rpc_is_grpc_content_type(VIEW_LITERAL("")));
}

static void status_names_are_those_of_grpc(void **state)
{
    (void)state;
    assert_string_equal(rpc_status_name(RPC_DEADLINE_EXCEEDED), "DeadlineExceeded");
    assert_string_equal(rpc_status_name(99), "Unknown");
    assert_int_equal(rpc_status_http(RPC_OUT_OF_RANGE), 400);
    assert_int_equal(rpc_status_http(RPC_UNAVAILABLE), 503);
}

/* A row of messages, cut at random places, comes out as it went in. */
static void messages_are_put_together(void **state)
{
    static uint8_t wire[100000];
    struct rng rng;
    size_t held = 0;

    (void)state;
    print_message("seed 11\n");
    rng_init(&rng, 11);
    for (int round = 0; round < 200; round++) {
        struct rpc_in in;
        size_t total = 0;
        size_t at = 0;
        unsigned n_sent = 0;
        unsigned n_got = 0;

        while (total < 60000) {
            size_t len = rng_percent(&rng, 20) ? rng_below(&rng, 20000) : rng_below(&rng, 100);

            rpc_out_prefix(wire + total, (uint32_t)len);
            memset(wire + total + 5, (int)(n_sent & 0xff), len);
            total += 5 + len;
            n_sent++;
        }
        rpc_in_init(&in, 20000, &held, 1 << 20);
        while (at < total) {
            size_t n = 1 + rng_below(&rng, rng_percent(&rng, 50) ? 7 : 9000);
            struct kvs_view data;
            struct kvs_view message;

            n = n < total - at ? n : total - at;
            data = view_make(wire + at, n);
            at += n;
            while (rpc_in_feed(&in, &data, &message) == RPC_IN_MESSAGE) {
                for (size_t i = 0; i < message.len; i++) {
                    assert_int_equal(((const uint8_t *)message.data)[i], n_got & 0xff);
                }
                n_got++;
            }
            assert_int_equal(data.len, 0);
        }
        assert_int_equal(n_got, n_sent);
        assert_false(rpc_in_is_partial(&in));
        rpc_in_fini(&in);
        assert_int_equal(held, 0);
    }
}

static void bad_messages_are_refused(void **state)
{
    static const struct {
        uint8_t prefix[5];
        enum rpc_in_result result;
    } rows[] = {
        {{0, 0, 0, 0, 101}, RPC_IN_TOO_LONG}, {{0, 255, 255, 255, 255}, RPC_IN_TOO_LONG},
        {{1, 0, 0, 0, 1}, RPC_IN_COMPRESSED}, {{2, 0, 0, 0, 1}, RPC_IN_MALFORMED},
        {{0, 0, 0, 0, 100}, RPC_IN_MORE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kvs_view data = {rows[i].prefix, 5};
        struct kvs_view message;
        struct rpc_in in;

        rpc_in_init(&in, 100, NULL, 0);
        assert_int_equal(rpc_in_feed(&in, &data, &message), rows[i].result);
        rpc_in_fini(&in);
    }
}

static void unfinished_messages_are_bounded_together(void **state)
{
    static const uint8_t start[65] = {0, 0, 0, 0, 100};
    struct rpc_in in[3];
    size_t held = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct kvs_view data = {start, sizeof start};
        struct kvs_view message;

        rpc_in_init(&in[i], 100, &held, 150);
        assert_int_equal(rpc_in_feed(&in[i], &data, &message), i < 2 ? RPC_IN_MORE : RPC_IN_FULL);
    }
    assert_int_equal(held, 120);
    for (int i = 0; i < 3; i++) {
        rpc_in_fini(&in[i]);
    }
    assert_int_equal(held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeouts_parse),
        cmocka_unit_test(timeouts_survive_the_way),
        cmocka_unit_test(messages_are_percent_encoded),
        cmocka_unit_test(binary_metadata_is_base64),
        cmocka_unit_test(content_types_are_told_apart),
        cmocka_unit_test(status_names_are_those_of_grpc),
        cmocka_unit_test(messages_are_put_together),
        cmocka_unit_test(bad_messages_are_refused),
        cmocka_unit_test(unfinished_messages_are_bounded_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
