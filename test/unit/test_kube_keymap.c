/* The ordered map against a sorted array: random puts, removals, look-ups and scans. */
#include "kube/keymap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/view.h"
#include "kvstore/err.h"

enum { KEYS = 3000, STEPS = 40000, KEY_LEN = 8 };

struct entry {
    char key[KEY_LEN + 1];
    bool there;
};

static struct entry entries[KEYS];

static struct kvs_view key_of(const struct entry *e)
{
    return view_str(e->key);
}

/* Entries are in the order of their keys, so the model's scan is the array's. */
static void make_entries(void)
{
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(entries[i].key, sizeof entries[i].key, "k%05u", i);
        entries[i].there = false;
    }
}

static void check_scan(const struct kube_keymap *m, size_t from)
{
    struct kube_keymap_at at = kube_keymap_seek(m, key_of(&entries[from]));
    struct kvs_view key;

    for (size_t i = from; i < KEYS; i++) {
        if (entries[i].there) {
            assert_ptr_equal(kube_keymap_next(m, &at, &key), &entries[i]);
            assert_true(view_equal(key, key_of(&entries[i])));
        }
    }
    assert_null(kube_keymap_next(m, &at, NULL));
}

static void step(struct kube_keymap *m, struct rng *rng, unsigned put_percent)
{
    struct entry *e = &entries[rng_below(rng, KEYS)];
    void *old = NULL;

    if (rng_percent(rng, put_percent)) {
        assert_int_equal(kube_keymap_put(m, key_of(e), e, &old), 0);
        assert_ptr_equal(old, e->there ? e : NULL);
        e->there = true;
    } else {
        assert_ptr_equal(kube_keymap_remove(m, key_of(e)), e->there ? e : NULL);
        e->there = false;
    }
    assert_ptr_equal(kube_keymap_get(m, key_of(e)), e->there ? e : NULL);
}

static void test_random(void **state)
{
    struct kube_keymap m;
    struct rng rng;

    (void)state;
    make_entries();
    rng_init(&rng, 7);
    kube_keymap_init(&m);
    for (unsigned i = 0; i < STEPS; i++) {
        step(&m, &rng, i < STEPS / 2 ? 80 : 20);
        if (i % 1000 == 0) {
            kube_keymap_check(&m);
            check_scan(&m, rng_below(&rng, KEYS));
        }
    }
    kube_keymap_check(&m);
    check_scan(&m, 0);
    kube_keymap_fini(&m);
}

/* Keys that only grow fill the arrays: what a cache that is loaded from a list does. */
static void test_ascending_is_dense(void **state)
{
    struct kube_keymap m;
    void *old;

    (void)state;
    make_entries();
    kube_keymap_init(&m);
    for (unsigned i = 0; i < KEYS; i++) {
        assert_int_equal(kube_keymap_put(&m, key_of(&entries[i]), &entries[i], &old), 0);
        entries[i].there = true;
    }
    assert_true(m.n_chunks <= KEYS / 128 + 1);
    kube_keymap_check(&m);
    check_scan(&m, 1234);
    kube_keymap_fini(&m);
}

static void test_empty(void **state)
{
    struct kube_keymap m;
    struct kube_keymap_at at;

    (void)state;
    kube_keymap_init(&m);
    at = kube_keymap_seek(&m, view_str("x"));
    assert_null(kube_keymap_next(&m, &at, NULL));
    assert_null(kube_keymap_get(&m, view_str("x")));
    assert_null(kube_keymap_remove(&m, view_str("x")));
    kube_keymap_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_ascending_is_dense),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
