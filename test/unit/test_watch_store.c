/* The hub on the real store: history that lies in the file, in memory, or in both, with prev_kv and
 * compaction; and live events as the store reports them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "backend/device.h"
#include "base/assert.h"
#include "base/view.h"
#include "mvcc/mvcc.h"
#include "watch/source_mvcc.h"

struct fixture {
    char dir[64];
    struct backend_inline device;
    struct mvcc *store;
    struct watch_hub *hub;
    struct watch_stream *stream;
    struct watch_effects effects;
    uint64_t index;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct mvcc_options options;
    struct kvs_error error;
    struct watch_config config = {.revision = 1};

    assert_non_null(f);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/watch.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    mvcc_options_init(&options);
    options.dir = f->dir;
    options.map_bytes = (size_t)64 << 20;
    options.device = &f->device.device;
    backend_inline_init(&f->device);
    assert_int_equal(mvcc_open(&options, &f->store, &error), 0);
    config.source = watch_source_mvcc(f->store);
    f->hub = watch_hub_new(&config);
    assert_non_null(f->hub);
    f->stream = watch_stream_open(f->hub, 1 << 30, NULL);
    assert_non_null(f->stream);
    watch_effects_init(&f->effects);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char path[80];

    watch_effects_fini(&f->effects);
    watch_stream_close(f->hub, f->stream);
    watch_hub_free(f->hub);
    backend_inline_drop(&f->device);
    mvcc_close(f->store);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", f->dir, i == 0 ? "data.mdb" : "lock.mdb");
        (void)unlink(path);
    }
    (void)rmdir(f->dir);
    free(f);
    return 0;
}

static void change(struct fixture *f, const char *key, const char *value)
{
    struct kvs_put_req put = {.key = view_str(key)};
    struct kvs_delete_req del = {.key = view_str(key)};
    struct mvcc_commit commit;
    struct arena arena;

    arena_init(&arena, 0);
    mvcc_txn_begin(f->store, ++f->index, 1);
    if (value != NULL) {
        put.value = view_str(value);
        assert_int_equal(mvcc_txn_put(f->store, &put, &arena, NULL), 0);
    } else {
        assert_int_equal(mvcc_txn_delete(f->store, &del, &arena, NULL), 0);
    }
    mvcc_txn_end(f->store, &commit);
    watch_on_commit(f->hub, commit.revision, commit.events, commit.n_events, &f->effects);
    arena_fini(&arena);
}

static void store(struct fixture *f)
{
    for (int i = 0; i < 1000 && !(mvcc_is_clean(f->store) && !mvcc_is_storing(f->store)); i++) {
        mvcc_flush(f->store);
        mvcc_tick(f->store, 0);
        backend_inline_drain(&f->device);
    }
    assert_true(mvcc_is_clean(f->store));
}

/* Catches up in tiny slices; checks that the events of all of them are those of [from, now]. */
static void expect_history(struct fixture *f, kvs_revision from, const char *prev_of_first)
{
    kvs_revision next = from;

    watch_effects_clear(&f->effects);
    while (watch_has_work(f->hub)) {
        assert_int_equal(watch_catch_up(f->hub, 1, &f->effects), 0);
    }
    for (size_t i = 0; i < f->effects.len; i++) {
        const struct watch_effect *e = &f->effects.items[i];

        assert_int_equal(e->type, WATCH_EFFECT_EVENTS);
        for (size_t j = 0; j < e->n_events; j++) {
            const struct kvs_event *event = &e->payload->events[e->first + j]->event;

            assert_int_equal(event->kv.mod_revision, next);
            if (next == from) {
                assert_int_equal(event->has_prev, prev_of_first != NULL);
            }
            if (next == from && prev_of_first != NULL) {
                assert_true(view_equal_str(event->prev_kv.value, prev_of_first));
            }
            next++;
        }
    }
    assert_int_equal(next, mvcc_revision(f->store) + 1);
    watch_effects_clear(&f->effects);
}

static void create(struct fixture *f, kvs_revision start)
{
    struct watch_create req = {
        .range_end = view_make("", 1), .start_revision = start, .prev_kv = true};

    watch_effects_clear(&f->effects);
    assert_int_equal(watch_create(f->hub, f->stream, &req, &f->effects), 0);
    assert_int_equal(f->effects.items[0].reason, 0);
}

static void test_history_of_the_store(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 10; i++) {
        change(f, "a", i % 3 == 2 ? NULL : "in the file");
    }
    store(f);
    for (int i = 0; i < 10; i++) {
        change(f, "a", "in memory");
    }
    create(f, 2);
    expect_history(f, 2, NULL);
    create(f, 3);
    expect_history(f, 3, "in the file");
    create(f, 13);
    expect_history(f, 13, "in memory");
    create(f, 21);
    expect_history(f, 21, "in memory");
}

static void test_live_event_has_prev(void **state)
{
    struct fixture *f = *state;
    const struct kvs_event *event;

    create(f, 0);
    watch_effects_clear(&f->effects);
    change(f, "a", "1");
    store(f);
    watch_effects_clear(&f->effects);
    change(f, "a", NULL);
    assert_int_equal(f->effects.len, 1);
    event = &f->effects.items[0].payload->events[0]->event;
    assert_int_equal(event->type, KVS_EVENT_DELETE);
    assert_true(event->has_prev);
    assert_true(view_equal_str(event->prev_kv.value, "1"));
}

/* A watch that starts at the compacted revision is served, without the state before it. */
static void test_start_at_compacted(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 10; i++) {
        change(f, "a", "1");
    }
    assert_int_equal(mvcc_compact(f->store, 6, ++f->index, 1), 0);
    watch_on_compact(f->hub, 6, &f->effects);
    create(f, 6);
    store(f);
    expect_history(f, 6, NULL);
    create(f, 5);
    assert_int_equal(f->effects.len, 2);
    assert_int_equal(f->effects.items[1].compact_revision, 6);
}

int main(void)
{
#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        RULE(test_history_of_the_store),
        RULE(test_live_event_has_prev),
        RULE(test_start_at_compacted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
