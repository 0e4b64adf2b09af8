/* The watch cache: what it holds, what watches see of it, when they expire. */
#include "kube/cache.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/rand.h"
#include "base/view.h"

enum { WINDOW = 16, REPLAYED = 20 };

struct fixture {
    struct kube_cache cache;
    const struct kube_resource *pods;
};

static int set_up(void **state)
{
    static struct fixture f;

    f.pods = kube_resource_find(view_str(""), view_str("v1"), view_str("pods"));
    assert_int_equal(kube_cache_init(&f.cache, f.pods, WINDOW), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    kube_cache_check(&f->cache);
    kube_cache_fini(&f->cache);
    return 0;
}

static struct kube_item *
pod(struct fixture *f, const char *key, uint64_t revision, const char *node)
{
    struct kube_item *item;
    char json[256];
    const char *slash = strchr(key, '/');

    (void)snprintf(json, sizeof json,
                   "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%.*s\",\"uid\":\"u\","
                   "\"labels\":{\"b\":\"2\",\"a\":\"1\"}},\"spec\":{\"nodeName\":\"%s\"}}",
                   slash + 1, (int)(slash - key), key, node);
    assert_int_equal(kube_item_new(f->pods, view_str(key), view_str(json), revision, &item), 0);
    return item;
}

static void load(struct fixture *f, uint64_t revision)
{
    kube_cache_reset(&f->cache);
    kube_cache_loaded(&f->cache, revision);
}

static void put(struct fixture *f, const char *key, uint64_t revision)
{
    assert_int_equal(kube_cache_apply_put(&f->cache, pod(f, key, revision, "n")), 0);
}

static unsigned n_readable;

static void readable(struct kube_cache_watch *w)
{
    (void)w;
    n_readable++;
}

static void expect_event(struct fixture *f,
                         struct kube_cache_watch *w,
                         enum kube_event_type type,
                         const char *key,
                         uint64_t revision)
{
    const struct kube_event *e = kube_cache_watch_next(&f->cache, w);

    assert_non_null(e);
    assert_int_equal(e->type, type);
    assert_int_equal(e->revision, revision);
    assert_int_equal(e->item->revision, revision);
    assert_true(view_equal_str(e->item->key, key));
}

static void test_item(void **state)
{
    struct fixture *f = *state;
    struct kube_item *item = pod(f, "ns/p", 42, "node-7");
    struct kvs_view value;

    assert_true(view_equal_str(item->namespace, "ns"));
    assert_true(view_equal_str(item->name, "p"));
    assert_true(view_equal_str(rcbuf_view(item->json),
                               "{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"uid\":\"u\","
                               "\"resourceVersion\":\"42\",\"labels\":{\"b\":\"2\",\"a\":\"1\"}},"
                               "\"spec\":{\"nodeName\":\"node-7\"}}"));
    assert_true(kube_item_field(item, view_str("spec.nodeName"), &value));
    assert_true(view_equal_str(value, "node-7"));
    assert_true(kube_item_field(item, view_str("spec.hostNetwork"), &value));
    assert_true(view_equal_str(value, "false"));
    assert_false(kube_item_field(item, view_str("spec.nonsense"), &value));
    assert_int_equal(item->n_labels, 2);
    assert_true(kube_item_label(item, view_str("b"), &value));
    assert_true(view_equal_str(value, "2"));
    assert_false(kube_item_label(item, view_str("c"), &value));
    kube_item_unref(item);
}

static void test_item_malformed(void **state)
{
    static const char *const bad[] = {"", "{", "[]", "{}", "{\"metadata\":1}", "nul"};
    struct fixture *f = *state;
    struct kube_item *item;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(kube_item_new(f->pods, view_str("a/b"), view_str(bad[i]), 1, &item),
                         KVS_E_MALFORMED);
    }
}

static void test_events_in_order(void **state)
{
    struct fixture *f = *state;
    struct kube_cache_watch w;

    load(f, 10);
    assert_int_equal(kube_cache_watch_open(&f->cache, &w, 10, readable), 0);
    n_readable = 0;
    put(f, "ns/a", 11);
    put(f, "ns/a", 13);
    assert_int_equal(kube_cache_apply_delete(&f->cache, view_str("ns/a"), 15), 0);
    assert_int_equal(n_readable, 0); /* never from inside */
    kube_cache_wake(&f->cache);
    assert_int_equal(n_readable, 1);
    expect_event(f, &w, KUBE_EVENT_ADDED, "ns/a", 11);
    expect_event(f, &w, KUBE_EVENT_MODIFIED, "ns/a", 13);
    expect_event(f, &w, KUBE_EVENT_DELETED, "ns/a", 15);
    assert_null(kube_cache_watch_next(&f->cache, &w));
    assert_false(kube_cache_watch_expired(&f->cache, &w));
    assert_null(kube_cache_get(&f->cache, view_str("ns/a")));
    kube_cache_watch_close(&w);
}

static void test_start_in_the_past(void **state)
{
    struct fixture *f = *state;
    struct kube_cache_watch w;

    load(f, 10);
    put(f, "ns/a", 11);
    put(f, "ns/b", 12);
    assert_int_equal(kube_cache_watch_open(&f->cache, &w, 9, readable), KVS_E_COMPACTED);
    assert_int_equal(kube_cache_watch_open(&f->cache, &w, 13, readable), KVS_E_FUTURE_REV);
    assert_int_equal(kube_cache_watch_open(&f->cache, &w, 11, readable), 0);
    expect_event(f, &w, KUBE_EVENT_ADDED, "ns/b", 12);
    kube_cache_watch_close(&w);
}

static void test_slow_watch_expires(void **state)
{
    struct fixture *f = *state;
    struct kube_cache_watch w;

    load(f, 1);
    assert_int_equal(kube_cache_watch_open(&f->cache, &w, 1, readable), 0);
    for (uint64_t i = 0; i < WINDOW; i++) {
        put(f, "ns/a", 2 + i);
    }
    assert_false(kube_cache_watch_expired(&f->cache, &w));
    put(f, "ns/a", 2 + WINDOW);
    assert_true(kube_cache_watch_expired(&f->cache, &w));
    assert_null(kube_cache_watch_next(&f->cache, &w));
    kube_cache_watch_close(&w);
    assert_int_equal(kube_cache_watch_open(&f->cache, &w, 1, readable), KVS_E_COMPACTED);
    assert_int_equal(kube_cache_watch_open(&f->cache, &w, 2, readable), 0);
    expect_event(f, &w, KUBE_EVENT_MODIFIED, "ns/a", 3);
    kube_cache_watch_close(&w);
}

static void test_reset_expires(void **state)
{
    struct fixture *f = *state;
    struct kube_cache_watch w;

    load(f, 1);
    assert_int_equal(kube_cache_watch_open(&f->cache, &w, 1, readable), 0);
    n_readable = 0;
    kube_cache_reset(&f->cache);
    kube_cache_wake(&f->cache);
    assert_int_equal(n_readable, 1);
    assert_true(kube_cache_watch_expired(&f->cache, &w));
    kube_cache_watch_close(&w);
    assert_int_equal(kube_cache_watch_open(&f->cache, &w, 1, readable), KVS_E_FUTURE_REV);
    kube_cache_loaded(&f->cache, 5);
}

struct waiter {
    struct kube_cache_wait wait;
    unsigned order;
};

static unsigned n_waited;

static void waited(struct kube_cache_wait *w)
{
    container_of(w, struct waiter, wait)->order = ++n_waited;
}

static void test_waiters(void **state)
{
    struct fixture *f = *state;
    struct waiter w[4] = {0};
    static const uint64_t revisions[4] = {7, 5, 9, 6};

    load(f, 4);
    n_waited = 0;
    for (size_t i = 0; i < 4; i++) {
        w[i].wait.cb = waited;
        kube_cache_wait(&f->cache, &w[i].wait, revisions[i]);
    }
    assert_int_equal(kube_cache_wanted(&f->cache), 9);
    kube_cache_wake(&f->cache);
    assert_int_equal(n_waited, 0);
    put(f, "ns/a", 6);
    kube_cache_wake(&f->cache);
    assert_int_equal(n_waited, 2);
    assert_int_equal(w[1].order, 1);
    assert_int_equal(w[3].order, 2);
    kube_cache_wait_cancel(&w[2].wait);
    kube_cache_progress(&f->cache, 20);
    kube_cache_wake(&f->cache);
    assert_int_equal(n_waited, 3);
    assert_int_equal(w[0].order, 3);
    assert_int_equal(kube_cache_wanted(&f->cache), 0);
}

/* Takes up to `most` events. */
static void replay(struct fixture *f, struct kube_cache_watch *w, uint64_t *seen, unsigned most)
{
    const struct kube_event *e;

    for (unsigned i = 0; i < most && (e = kube_cache_watch_next(&f->cache, w)) != NULL; i++) {
        char name[16] = {0};
        unsigned which;

        memcpy(name, e->item->name.data, e->item->name.len);
        which = (unsigned)strtoul(name, NULL, 10);
        assert_true(which < REPLAYED);
        assert_int_equal(e->type == KUBE_EVENT_ADDED, seen[which] == 0);
        seen[which] = e->type == KUBE_EVENT_DELETED ? 0 : e->revision;
    }
    assert_false(kube_cache_watch_expired(&f->cache, w));
}

/* Random changes; a watcher that replays events has what the cache has. */
static void test_replay_is_the_cache(void **state)
{
    struct fixture *f = *state;
    struct kube_cache_watch w;
    uint64_t seen[REPLAYED] = {0};
    struct rng rng;
    char key[16];

    rng_init(&rng, 99);
    load(f, 1);
    assert_int_equal(kube_cache_watch_open(&f->cache, &w, 1, readable), 0);
    for (uint64_t revision = 2; revision < 4000; revision++) {
        unsigned which = (unsigned)rng_below(&rng, REPLAYED);

        (void)snprintf(key, sizeof key, "ns/%u", which);
        if (rng_percent(&rng, 60)) {
            put(f, key, revision);
        } else {
            assert_int_equal(kube_cache_apply_delete(&f->cache, view_str(key), revision), 0);
        }
        replay(f, &w, seen, (unsigned)rng_below(&rng, 4));
        if (f->cache.end - w.next > WINDOW - 2) {
            replay(f, &w, seen, UINT_MAX); /* never so slow that it expires */
        }
    }
    replay(f, &w, seen, UINT_MAX);
    kube_cache_watch_close(&w);
    for (unsigned i = 0; i < REPLAYED; i++) {
        const struct kube_item *item;

        (void)snprintf(key, sizeof key, "ns/%u", i);
        item = kube_cache_get(&f->cache, view_str(key));
        assert_int_equal(seen[i], item == NULL ? 0 : item->revision);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_item, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_item_malformed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_start_in_the_past, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_watch_expires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reset_expires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waiters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replay_is_the_cache, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
