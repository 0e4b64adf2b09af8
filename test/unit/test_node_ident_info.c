/* What a member tells those who want to join: it comes from the network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/view.h"
#include "node/ident_info.h"

static struct kvs_view some_urls[2] = {VIEW_LITERAL("http://a:1"), VIEW_LITERAL("http://b:2")};

static const struct kvs_member some_members[2] = {
    {.id = 7, .name = VIEW_LITERAL("seven"), .peer_urls = some_urls, .n_peer_urls = 2},
    {.id = 9,
     .name = VIEW_LITERAL(""),
     .peer_urls = some_urls,
     .n_peer_urls = 1,
     .is_learner = true},
};

static void test_round_trip(void **state)
{
    struct ident_cluster c = {0};
    struct arena arena;
    struct buf b;

    (void)state;
    arena_init(&arena, 0);
    buf_init(&b);
    ident_info_encode(&b, some_members, 2);
    assert_int_equal(ident_info_decode(buf_view(&b), &arena, &c), 0);
    buf_fini(&b); /* the decoded strings are copies */
    assert_int_equal(c.n_members, 2);
    assert_true(c.members[0].id == 7 && c.members[1].id == 9);
    assert_true(view_equal_str(c.members[0].name, "seven"));
    assert_true(c.members[1].is_learner && !c.members[0].is_learner);
    assert_int_equal(c.members[0].n_peer_urls, 2);
    assert_true(view_equal_str(c.members[0].peer_urls[1], "http://b:2"));
    assert_ptr_equal(ident_find_urls(&c, some_urls, 2), &c.members[0]);
    assert_ptr_equal(ident_find_urls(&c, some_urls, 1), &c.members[1]);
    assert_null(ident_find_urls(&c, some_urls + 1, 1));
    arena_fini(&arena);
}

static void test_every_cut_and_every_wrong_byte(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b);
    ident_info_encode(&b, some_members, 2);
    for (size_t len = 0; len < b.len; len++) {
        struct ident_cluster c;
        struct arena arena;

        arena_init(&arena, 0);
        assert_int_equal(ident_info_decode(view_make(b.data, len), &arena, &c), KVS_E_MALFORMED);
        arena_fini(&arena);
    }
    for (size_t at = 0; at < b.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct ident_cluster c;
            struct arena arena;
            uint8_t *bytes = (uint8_t *)b.data;
            int err;

            arena_init(&arena, 0);
            bytes[at] ^= (uint8_t)(1u << bit);
            err = ident_info_decode(buf_view(&b), &arena, &c);
            assert_true(err == 0 || err == KVS_E_MALFORMED);
            bytes[at] ^= (uint8_t)(1u << bit);
            arena_fini(&arena);
        }
    }
    buf_append_u8(&b, 0); /* more than there should be */
    {
        struct ident_cluster c;
        struct arena arena;

        arena_init(&arena, 0);
        assert_int_equal(ident_info_decode(buf_view(&b), &arena, &c), KVS_E_MALFORMED);
        arena_fini(&arena);
    }
    buf_fini(&b);
}

static void test_urls(void **state)
{
    static const struct {
        const char *url;
        bool valid;
    } rows[] = {
        {"http://h:1", true},
        {"https://[::1]:2380", true},
        {"unix://h:1", true},
        {"http://h", false},
        {"http://h:", false},
        {"http://:1", false},
        {"http://h:65536", false},
        {"http://h:1/", false},
        {"tcp://h:1", false},
        {"h:1", false},
        {"", false},
        {"http://h:-1", false},
        {"http://h:000001", false},
        {"http://", false},
    };
    char longest[IDENT_URL_BYTES_MAX + 2];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (ident_url_is_valid(view_str(rows[i].url)) != rows[i].valid) {
            fail_msg("%s", rows[i].url);
        }
    }
    assert_false(ident_url_is_valid(view_make("http://h\0:1", 11)));
    memset(longest, 'h', sizeof longest);
    memcpy(longest, "http://", 7);
    memcpy(longest + IDENT_URL_BYTES_MAX - 2, ":1", 2);
    assert_true(ident_url_is_valid(view_make(longest, IDENT_URL_BYTES_MAX)));
    memcpy(longest + IDENT_URL_BYTES_MAX - 2, "h:1", 3);
    assert_false(ident_url_is_valid(view_make(longest, IDENT_URL_BYTES_MAX + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_cut_and_every_wrong_byte),
        cmocka_unit_test(test_urls),
    };

    return cmocka_run_group_tests_name("node_ident_info", tests, NULL, NULL);
}
