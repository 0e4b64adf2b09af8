/* list and map against the plainest models there are; random numbers are what they promise. */
#include "test_base.h"

#include <stdio.h>
#include <time.h>

#include "base/list.h"
#include "base/map.h"
#include "base/rand.h"

struct item {
    int n;
    struct list link;
};

static void assert_list(struct list *head, const int *expected, size_t n)
{
    size_t i = 0;

    LIST_FOREACH(it, head)
    {
        assert_true(i < n);
        assert_int_equal(list_entry(it, struct item, link)->n, expected[i]);
        i++;
    }
    assert_int_equal(i, n);
    for (struct list *it = head->prev; it != head; it = it->prev) {
        assert_int_equal(list_entry(it, struct item, link)->n, expected[--i]);
    }
}

static void test_list_keeps_order(void **state)
{
    struct list head;
    struct list other;
    struct item items[6];

    (void)state;
    list_init(&head);
    list_init(&other);
    assert_true(list_empty(&head));
    assert_null(list_pop_front(&head));
    for (int i = 0; i < 6; i++) {
        items[i].n = i;
        list_init(&items[i].link);
    }
    list_push_back(&head, &items[1].link);
    list_push_back(&head, &items[2].link);
    list_push_front(&head, &items[0].link);
    assert_list(&head, (int[]){0, 1, 2}, 3);
    list_remove(&items[1].link);
    list_remove(&items[1].link); /* harmless */
    assert_list(&head, (int[]){0, 2}, 2);
    list_insert_before(&items[2].link, &items[1].link);
    list_push_back(&other, &items[3].link);
    list_push_back(&other, &items[4].link);
    list_splice_back(&head, &other);
    assert_true(list_empty(&other));
    list_splice_back(&head, &other);
    assert_list(&head, (int[]){0, 1, 2, 3, 4}, 5);
    assert_ptr_equal(list_pop_front(&head), &items[0].link);
    LIST_FOREACH_SAFE(it, after, &head)
    {
        if (list_entry(it, struct item, link)->n % 2 == 0) {
            list_remove(it);
        }
    }
    assert_list(&head, (int[]){1, 3}, 2);
}

#define MODEL_IDS 257

/* Different ids that differ in few bits, in places that a bad hash ignores. */
static uint64_t model_id(size_t n)
{
    static const unsigned shifts[] = {0, 4, 32, 56};

    return (uint64_t)(n / 4 + 1) << shifts[n % 4] | (uint64_t)(n % 4) << 20;
}

static void check_map(const struct map *m, void *const *model)
{
    size_t at = 0;
    size_t seen = 0;
    size_t expected = 0;

    for (size_t n = 1; n < MODEL_IDS; n++) {
        assert_ptr_equal(map_get(m, model_id(n)), model[n]);
        expected += model[n] != NULL;
    }
    while (map_next(m, &at) != NULL) {
        seen++;
    }
    assert_int_equal(seen, expected);
    assert_int_equal(m->count, expected);
}

static void test_map_agrees_with_a_table(void **state)
{
    uint64_t seed = (uint64_t)time(NULL);
    void *model[MODEL_IDS] = {NULL};
    static char values[16];
    struct map m;
    struct rng r;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&r, seed);
    map_init(&m);
    assert_null(map_get(&m, 1));
    assert_null(map_remove(&m, 1));
    for (int step = 0; step < 60000; step++) {
        size_t n = 1 + rng_below(&r, MODEL_IDS - 1);
        unsigned grow = step / 10000 % 2 == 0 ? 70 : 30; /* fills, then empties, again and again */

        if (rng_percent(&r, grow)) {
            model[n] = &values[rng_below(&r, sizeof values)];
            assert_int_equal(map_put(&m, model_id(n), model[n]), 0);
        } else {
            assert_ptr_equal(map_remove(&m, model_id(n)), model[n]);
            model[n] = NULL;
        }
        if (step % 500 == 0) {
            check_map(&m, model);
        }
    }
    check_map(&m, model);
    map_fini(&m);
}

static void test_map_takes_any_id(void **state)
{
    struct map m;
    int a;
    int b;

    (void)state;
    map_init(&m);
    assert_int_equal(map_put(&m, 0, &a), 0);
    assert_int_equal(map_put(&m, UINT64_MAX, &b), 0);
    assert_int_equal(map_put(&m, 0, &b), 0);
    assert_ptr_equal(map_get(&m, 0), &b);
    assert_ptr_equal(map_get(&m, UINT64_MAX), &b);
    assert_int_equal(m.count, 2);
    assert_ptr_equal(map_remove(&m, 0), &b);
    assert_null(map_get(&m, 0));
    map_fini(&m);
}

static void test_rand_is_seeded_and_bounded(void **state)
{
    struct rng a;
    struct rng b;
    unsigned counts[10] = {0};
    unsigned hits = 0;

    (void)state;
    rng_init(&a, 7);
    rng_init(&b, 7);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(rng_next(&a), rng_next(&b));
    }
    for (int i = 0; i < 100000; i++) {
        uint64_t n = rng_below(&a, 10);
        uint64_t m = rng_between(&a, 5, 7);

        assert_true(n < 10);
        assert_true(m >= 5 && m <= 7);
        counts[n]++;
        hits += rng_percent(&a, 25);
    }
    for (int i = 0; i < 10; i++) {
        assert_in_range(counts[i], 9000, 11000);
    }
    assert_in_range(hits, 24000, 26000);
    assert_int_equal(rng_below(&a, 1), 0);
    assert_false(rng_percent(&a, 0));
    assert_true(rng_percent(&a, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_keeps_order),
        cmocka_unit_test(test_map_agrees_with_a_table),
        cmocka_unit_test(test_map_takes_any_id),
        cmocka_unit_test(test_rand_is_seeded_and_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
