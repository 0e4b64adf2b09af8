/* The range index against a list of ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/assert.h"
#include "base/rand.h"
#include "base/view.h"
#include "watch/index.h"

#define RANGES_MAX 300
#define STEPS      6000

struct naive {
    char key[4];
    char end[4];
    struct watch_range *range;
    bool seen;
};

static struct naive ranges[RANGES_MAX];
static size_t n_ranges;

static void random_key(struct rng *rng, char *ret_key)
{
    size_t len = rng_between(rng, 1, 3);

    for (size_t i = 0; i < len; i++) {
        ret_key[i] = (char)('a' + rng_below(rng, 4));
    }
    ret_key[len] = 0;
}

static struct kvs_view end_view(const struct naive *n)
{
    return n->end[0] == '*' ? view_make("", 1) : view_str(n->end);
}

static struct naive *naive_find(const struct watch_range *range)
{
    for (size_t i = 0; i < n_ranges; i++) {
        if (ranges[i].range == range) {
            return &ranges[i];
        }
    }
    return NULL;
}

static void visit(void *ctx, struct watch_range *range)
{
    struct naive *n = naive_find(range);

    (void)ctx;
    assert_non_null(n);
    assert_false(n->seen); /* once */
    n->seen = true;
}

static void check_lookup(const struct watch_index *index, const char *key)
{
    watch_index_find(index, view_str(key), visit, NULL);
    for (size_t i = 0; i < n_ranges; i++) {
        bool wanted = view_in_range(view_str(key), view_str(ranges[i].key), end_view(&ranges[i]));

        assert_int_equal(ranges[i].seen, wanted);
        ranges[i].seen = false;
    }
}

static void add_range(struct watch_index *index, struct rng *rng)
{
    struct naive n = {.key = ""};

    random_key(rng, n.key);
    if (rng_percent(rng, 60)) {
        random_key(rng, n.end);
        if (rng_percent(rng, 10)) {
            n.end[0] = '*';
        } else if (view_compare(view_str(n.key), view_str(n.end)) >= 0) {
            return;
        }
    }
    n.range = watch_index_get(index, view_str(n.key), end_view(&n));
    assert_non_null(n.range);
    /* Equal ranges are one object. */
    if (naive_find(n.range) == NULL) {
        ranges[n_ranges++] = n;
    }
}

static void remove_range(struct watch_index *index, struct rng *rng)
{
    size_t at = rng_below(rng, n_ranges);

    watch_index_remove(index, ranges[at].range);
    ranges[at] = ranges[--n_ranges];
}

static void test_against_list(void **state)
{
    uint64_t seed = 977;
    struct watch_index index;
    struct rng rng;

    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed);
    watch_index_init(&index, 1);
    for (int i = 0; i < STEPS; i++) {
        char key[4];
        bool shrink = n_ranges > 0 && rng_percent(&rng, 50);

        if (!shrink && n_ranges < RANGES_MAX) {
            add_range(&index, &rng);
        } else {
            remove_range(&index, &rng);
        }
        random_key(&rng, key);
        check_lookup(&index, key);
        watch_index_check(&index);
        assert_int_equal(index.n_keys + index.n_ranges, n_ranges);
    }
    while (n_ranges > 0) {
        remove_range(&index, &rng);
    }
    watch_index_fini(&index);
}

static void count_visit(void *ctx, struct watch_range *range)
{
    (void)range;
    (*(size_t *)ctx)++;
}

static void test_ten_thousand_prefixes(void **state)
{
    static struct watch_range *made[10000];
    struct watch_index index;
    size_t n = 0;

    (void)state;
    watch_index_init(&index, 7);
    for (size_t i = 0; i < 10000; i++) {
        char key[32];
        char end[32];

        (void)snprintf(key, sizeof key, "/registry/%05zu/", i);
        (void)snprintf(end, sizeof end, "/registry/%05zu0", i); /* '/' + 1 */
        made[i] = watch_index_get(&index, view_str(key), view_str(end));
        assert_non_null(made[i]);
    }
    watch_index_check(&index);
    for (size_t i = 0; i < 10000; i++) {
        char key[32];

        (void)snprintf(key, sizeof key, "/registry/%05zu/x", i);
        watch_index_find(&index, view_str(key), count_visit, &n);
    }
    assert_int_equal(n, 10000);
    for (size_t i = 0; i < 10000; i++) {
        watch_index_remove(&index, made[i]);
    }
    watch_index_fini(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_list),
        cmocka_unit_test(test_ten_thousand_prefixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
