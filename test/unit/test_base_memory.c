/* arena, buf, rcbuf and the allocator: limits, growth, and what happens when memory ends. */
#include "test_base.h"

#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/rcbuf.h"
#include "base/view.h"

/* An allocator that fails the n-th call and counts what is still held. */
struct counting {
    unsigned calls;
    unsigned fail_at; /* 0: never */
    unsigned held;
};

static void *counting_realloc(void *ctx, void *old, size_t size)
{
    struct counting *c = ctx;
    void *memory;

    c->calls++;
    if (c->calls == c->fail_at) {
        return NULL;
    }
    memory = realloc(old, size);
    c->held += memory != NULL && old == NULL;
    return memory;
}

static void counting_free(void *ctx, void *memory)
{
    struct counting *c = ctx;

    c->held--;
    free(memory);
}

static void counting_begin(struct counting *c, unsigned fail_at)
{
    struct kvs_allocator allocator = {counting_realloc, counting_free, c};

    *c = (struct counting){.fail_at = fail_at};
    kvs_alloc_set(&allocator);
}

static void counting_end(const struct counting *c)
{
    kvs_alloc_set(NULL);
    assert_int_equal(c->held, 0);
}

static void test_arena_gives_aligned_bytes_that_stay(void **state)
{
    struct arena a;
    uint8_t *parts[400];

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        parts[i] = arena_alloc(&a, i);
        assert_non_null(parts[i]);
        assert_int_equal((uintptr_t)parts[i] % 8, 0);
        memset(parts[i], (int)(i & 0xff), i);
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        for (size_t at = 0; at < i; at++) {
            assert_int_equal(parts[i][at], i & 0xff);
        }
    }
    arena_fini(&a);
}

static void test_arena_copies_nothing_into_something(void **state)
{
    struct arena a;
    struct kvs_view copy = {NULL, 7};

    (void)state;
    arena_init(&a, 0);
    assert_non_null(arena_alloc(&a, 0));
    arena_fini(&a);
    arena_init(&a, 0);
    assert_int_equal(arena_copy(&a, (struct kvs_view){NULL, 0}, &copy), 0);
    assert_int_equal(copy.len, 0);
    arena_fini(&a);
}

static void test_arena_keeps_its_limit(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 100);
    assert_non_null(arena_alloc(&a, 64));
    assert_null(arena_alloc(&a, 64));
    assert_non_null(arena_alloc(&a, 32));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 8));
    assert_null(arena_calloc(&a, SIZE_MAX / 2, 3));
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 96));
    arena_fini(&a);
}

static void test_arena_is_reused_after_reset(void **state)
{
    struct counting c;
    struct arena a;

    (void)state;
    counting_begin(&c, 0);
    arena_init(&a, 0);
    for (int round = 0; round < 100; round++) {
        assert_non_null(arena_alloc(&a, 1000));
        arena_reset(&a);
    }
    assert_int_equal(c.calls, 1);
    arena_fini(&a);
    counting_end(&c);
}

static void test_arena_survives_every_failed_allocation(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 6; n++) {
        struct counting c;
        struct arena a;
        unsigned failed = 0;

        counting_begin(&c, n);
        arena_init(&a, 0);
        for (int i = 0; i < 5; i++) {
            failed += arena_alloc(&a, 4096) == NULL;
        }
        assert_int_equal(failed, 1);
        arena_fini(&a);
        counting_end(&c);
    }
}

static void test_buf_appends_and_consumes(void **state)
{
    struct buf b;
    struct kvs_blob blob;

    (void)state;
    buf_init(&b);
    buf_append_str(&b, "abc");
    buf_append_u8(&b, 'd');
    buf_append(&b, NULL, 0);
    buf_append_view(&b, VIEW_LITERAL("ef"));
    buf_printf(&b, "-%d-%s", 42, "x");
    assert_true(view_equal_str(buf_view(&b), "abcdef-42-x"));
    buf_consume(&b, 3);
    assert_true(view_equal_str(buf_view(&b), "def-42-x"));
    buf_consume(&b, b.len);
    assert_int_equal(b.len, 0);
    buf_append_le32(&b, 0x01020304);
    buf_append_le64(&b, 0x1122334455667788);
    assert_int_equal(load_le32(b.data), 0x01020304);
    assert_int_equal(load_le64(b.data + 4), 0x1122334455667788);
    assert_int_equal(b.data[0], 4);
    blob = buf_take(&b);
    assert_int_equal(blob.len, 12);
    assert_null(b.data);
    kvs_free(blob.data);
    buf_fini(&b);
}

static void test_buf_grows_for_long_text(void **state)
{
    struct buf b;
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    buf_init(&b);
    for (int i = 0; i < 300; i++) {
        buf_printf(&b, "%s", text);
    }
    assert_int_equal(b.len, 300 * 999);
    assert_false(b.failed);
    buf_fini(&b);
}

static void test_buf_remembers_that_it_failed(void **state)
{
    struct counting c;
    struct buf b;

    (void)state;
    counting_begin(&c, 2);
    buf_init(&b);
    buf_append_str(&b, "kept");
    assert_null(buf_reserve(&b, 100000));
    buf_append_str(&b, "not appended");
    buf_append_u8(&b, 1);
    assert_true(b.failed);
    assert_int_equal(b.len, 4);
    buf_clear(&b);
    buf_append_str(&b, "again");
    assert_false(b.failed);
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
    buf_fini(&b);
    counting_end(&c);
}

static void test_rcbuf_is_freed_with_the_last_reference(void **state)
{
    struct counting c;
    struct rcbuf *b;

    (void)state;
    counting_begin(&c, 0);
    b = rcbuf_copy(VIEW_LITERAL("shared"));
    assert_ptr_equal(rcbuf_ref(b), b);
    rcbuf_unref(b);
    assert_int_equal(c.held, 1);
    assert_true(view_equal_str(rcbuf_view(b), "shared"));
    rcbuf_unref(b);
    rcbuf_unref(NULL);
    assert_null(rcbuf_new(SIZE_MAX));
    counting_end(&c);
}

static void test_alloc_refuses_overflow_and_knows_zero(void **state)
{
    void *nothing = kvs_malloc(0);
    char *text = kvs_strndup("abcdef", 3);

    (void)state;
    assert_non_null(nothing);
    assert_string_equal(text, "abc");
    assert_null(kvs_calloc(SIZE_MAX / 2, 3));
    kvs_free(nothing);
    kvs_free(text);
    kvs_free(NULL);
}

static void test_bytes_are_big_endian_in_keys(void **state)
{
    uint8_t low[8];
    uint8_t high[8];

    (void)state;
    store_be64(low, 0x00000000000000ff);
    store_be64(high, 0x0000000000000100);
    assert_true(memcmp(low, high, 8) < 0); /* numbers sort as their bytes do */
    assert_int_equal(load_be64(high), 0x100);
    store_be32(low, 0xa1b2c3d4);
    assert_int_equal(low[0], 0xa1);
    assert_int_equal(load_be32(low), 0xa1b2c3d4);
}

static void test_view_orders_as_the_store_does(void **state)
{
    (void)state;
    assert_true(view_compare(VIEW_LITERAL("a"), VIEW_LITERAL("ab")) < 0);
    assert_true(view_compare(VIEW_LITERAL("a\xff"), VIEW_LITERAL("b")) < 0);
    assert_true(view_compare(VIEW_LITERAL("\xff"), VIEW_LITERAL("a")) > 0);
    assert_int_equal(view_compare(view_make(NULL, 0), view_make("", 0)), 0);
    assert_true(view_is_open_end(view_make("\0", 1)));
    assert_false(view_is_open_end(view_make(NULL, 0)));
    assert_true(view_in_range(VIEW_LITERAL("k"), VIEW_LITERAL("k"), view_make(NULL, 0)));
    assert_false(view_in_range(VIEW_LITERAL("k1"), VIEW_LITERAL("k"), view_make(NULL, 0)));
    assert_true(view_in_range(VIEW_LITERAL("zz"), VIEW_LITERAL("k"), view_make("\0", 1)));
    assert_false(view_in_range(VIEW_LITERAL("b"), VIEW_LITERAL("a"), VIEW_LITERAL("b")));
    assert_false(view_in_range(VIEW_LITERAL("b"), VIEW_LITERAL("c"), VIEW_LITERAL("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_gives_aligned_bytes_that_stay),
        cmocka_unit_test(test_arena_copies_nothing_into_something),
        cmocka_unit_test(test_arena_keeps_its_limit),
        cmocka_unit_test(test_arena_is_reused_after_reset),
        cmocka_unit_test(test_arena_survives_every_failed_allocation),
        cmocka_unit_test(test_buf_appends_and_consumes),
        cmocka_unit_test(test_buf_grows_for_long_text),
        cmocka_unit_test(test_buf_remembers_that_it_failed),
        cmocka_unit_test(test_rcbuf_is_freed_with_the_last_reference),
        cmocka_unit_test(test_alloc_refuses_overflow_and_knows_zero),
        cmocka_unit_test(test_bytes_are_big_endian_in_keys),
        cmocka_unit_test(test_view_orders_as_the_store_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
