/* The rules of etcd's watch, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "watch_log.h"

#define CREDIT 4000000

struct fixture {
    struct test_log log;
    struct watch_hub *hub;
    struct watch_stream *stream;
    struct watch_effects effects;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct watch_config config;

    assert_non_null(f);
    test_log_init(&f->log);
    config = test_log_config(&f->log);
    config.fragment_bytes = 400;
    f->hub = watch_hub_new(&config);
    assert_non_null(f->hub);
    f->stream = watch_stream_open(f->hub, CREDIT, f);
    assert_non_null(f->stream);
    watch_effects_init(&f->effects);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    watch_effects_fini(&f->effects);
    watch_stream_close(f->hub, f->stream);
    watch_hub_free(f->hub);
    test_log_fini(&f->log);
    free(f);
    return 0;
}

/* Forgets the effects and pretends that they were sent. */
static void sent(struct fixture *f)
{
    for (size_t i = 0; i < f->effects.len; i++) {
        watch_stream_return(f->hub, f->effects.items[i].stream, f->effects.items[i].cost_bytes);
    }
    watch_effects_clear(&f->effects);
    watch_hub_check(f->hub);
}

static void put(struct fixture *f, const char *key, const char *value)
{
    test_log_add(&f->log, f->log.revision + 1, KVS_EVENT_PUT, key, value);
    test_log_commit(&f->log, f->hub, &f->effects);
    watch_hub_check(f->hub);
}

static void del(struct fixture *f, const char *key)
{
    test_log_add(&f->log, f->log.revision + 1, KVS_EVENT_DELETE, key, "");
    test_log_commit(&f->log, f->hub, &f->effects);
    watch_hub_check(f->hub);
}

static struct watch_create on_key(const char *key)
{
    return (struct watch_create){.key = view_str(key)};
}

static const struct watch_effect *create(struct fixture *f, const struct watch_create *req)
{
    assert_int_equal(watch_create(f->hub, f->stream, req, &f->effects), 0);
    watch_hub_check(f->hub);
    assert_true(f->effects.len > 0);
    return &f->effects.items[0];
}

static const struct watch_effect *
effect_at(const struct fixture *f, size_t i, enum watch_effect_type type)
{
    assert_true(i < f->effects.len);
    assert_int_equal(f->effects.items[i].type, type);
    return &f->effects.items[i];
}

static const struct kvs_event *event_at(const struct watch_effect *e, size_t i)
{
    assert_true(i < e->n_events);
    return &e->payload->events[e->first + i]->event;
}

static void expect_refused(struct fixture *f, const struct watch_create *req, int reason)
{
    const struct watch_effect *e = create(f, req);

    assert_int_equal(e->type, WATCH_EFFECT_CREATED);
    assert_int_equal(e->watch_id, WATCH_ID_NONE);
    assert_int_equal(e->reason, reason);
    assert_int_equal(f->effects.len, 1);
    sent(f);
}

static void test_ids(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");

    assert_int_equal(create(f, &req)->watch_id, 0); /* the first one is 0 */
    sent(f);
    req.watch_id = 1;
    assert_int_equal(create(f, &req)->watch_id, 1);
    sent(f);
    expect_refused(f, &req, KVS_E_WATCH_DUPLICATE_ID);
    req.watch_id = 0;
    assert_int_equal(create(f, &req)->watch_id, 2); /* skips the one in use */
    assert_int_equal(f->effects.items[0].revision, 1);
    sent(f);
    assert_int_equal(watch_stream_count(f->stream), 3);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("b");

    req.range_end = view_str("a");
    expect_refused(f, &req, KVS_E_WATCH_EMPTY_RANGE);
    req.range_end = view_str("b");
    expect_refused(f, &req, KVS_E_WATCH_EMPTY_RANGE);
    req.range_end = view_make("", 1);
    assert_int_equal(create(f, &req)->reason, 0);
    sent(f);
    req.start_revision = -1;
    expect_refused(f, &req, KVS_E_COMPACTED);
}

static void test_live_events(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");
    const struct watch_effect *e;

    (void)create(f, &req);
    sent(f);
    put(f, "b", "1");
    assert_int_equal(f->effects.len, 0);
    put(f, "a", "1");
    e = effect_at(f, 0, WATCH_EFFECT_EVENTS);
    assert_int_equal(e->revision, 3);
    assert_int_equal(e->watch_id, 0);
    assert_false(e->fragment);
    assert_true(view_equal_str(event_at(e, 0)->kv.key, "a"));
    assert_true(view_equal_str(event_at(e, 0)->kv.value, "1"));
    assert_false(event_at(e, 0)->has_prev);
}

static void test_whole_key_space(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = {.range_end = view_make("", 1)};

    (void)create(f, &req);
    sent(f);
    put(f, "a", "1");
    put(f, "zz", "1");
    assert_int_equal(f->effects.len, 2);
}

static void test_filters(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");

    req.filters = WATCH_FILTER_NOPUT;
    (void)create(f, &req);
    req.filters = WATCH_FILTER_NODELETE;
    (void)create(f, &req);
    sent(f);
    put(f, "a", "1");
    assert_int_equal(f->effects.len, 1);
    assert_int_equal(f->effects.items[0].watch_id, 1);
    sent(f);
    del(f, "a");
    assert_int_equal(f->effects.len, 1);
    assert_int_equal(f->effects.items[0].watch_id, 0);
    assert_int_equal(event_at(&f->effects.items[0], 0)->type, KVS_EVENT_DELETE);
}

static void test_prev_kv(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");

    (void)create(f, &req);
    req.prev_kv = true;
    (void)create(f, &req);
    sent(f);
    put(f, "a", "1");
    sent(f);
    del(f, "a");
    assert_int_equal(f->effects.len, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct watch_effect *e = &f->effects.items[i];

        assert_int_equal(e->payload->prev_kv, e->watch_id == 1);
        assert_true(event_at(e, 0)->has_prev); /* one event for both */
    }
    assert_ptr_equal(event_at(&f->effects.items[0], 0), event_at(&f->effects.items[1], 0));
}

/* A thousand watchers of one key share one payload, and ranges around it the event. */
static void test_sharing(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");
    const struct watch_payload *shared;

    for (size_t i = 0; i < 1000; i++) {
        (void)create(f, &req);
        sent(f);
    }
    req.range_end = view_str("c");
    (void)create(f, &req);
    sent(f);
    put(f, "a", "1");
    assert_int_equal(f->effects.len, 1001);
    shared = f->effects.items[0].payload;
    assert_int_equal(shared->refs, 1000);
    assert_ptr_equal(f->effects.items[999].payload, shared);
    assert_ptr_not_equal(f->effects.items[1000].payload, shared);
    assert_ptr_equal(f->effects.items[1000].payload->events[0], shared->events[0]);
}

static void test_start_in_the_past(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");
    const struct watch_effect *e;

    put(f, "a", "1");
    put(f, "b", "1");
    put(f, "a", "2");
    del(f, "a");
    req.start_revision = 3;
    req.prev_kv = true;
    assert_int_equal(create(f, &req)->revision, 5);
    assert_true(watch_has_work(f->hub));
    sent(f);
    assert_int_equal(watch_catch_up(f->hub, 1 << 20, &f->effects), 0);
    assert_false(watch_has_work(f->hub));
    e = effect_at(f, 0, WATCH_EFFECT_EVENTS);
    assert_int_equal(f->effects.len, 1);
    assert_int_equal(e->n_events, 2);
    assert_int_equal(e->revision, 5); /* the store's, not the event's */
    assert_int_equal(event_at(e, 0)->kv.mod_revision, 4);
    assert_true(view_equal_str(event_at(e, 0)->prev_kv.value, "1"));
    assert_true(view_equal_str(event_at(e, 1)->prev_kv.value, "2"));
    sent(f);
    put(f, "a", "3");
    assert_int_equal(effect_at(f, 0, WATCH_EFFECT_EVENTS)->revision, 6);
}

static void test_start_in_the_future(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");

    req.start_revision = 4;
    (void)create(f, &req);
    sent(f);
    put(f, "a", "1");
    put(f, "a", "2");
    assert_int_equal(watch_stream_progress(f->hub, f->stream, &f->effects), 0);
    assert_int_equal(f->effects.len, 1); /* The next revision is its first: it has begun. */
    sent(f);
    put(f, "a", "3");
    assert_int_equal(effect_at(f, 0, WATCH_EFFECT_EVENTS)->revision, 4);
}

static void test_future_start_has_no_progress(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");

    req.start_revision = 10;
    req.progress_notify = true;
    (void)create(f, &req);
    sent(f);
    assert_int_equal(watch_stream_progress(f->hub, f->stream, &f->effects), 0);
    assert_int_equal(watch_stream_tick(f->hub, f->stream, &f->effects), 0);
    assert_int_equal(f->effects.len, 0);
}

static void compact(struct fixture *f, kvs_revision revision)
{
    f->log.compacted = revision;
    watch_on_compact(f->hub, revision, &f->effects);
    watch_hub_check(f->hub);
}

static void test_compacted_start(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");
    const struct watch_effect *e;

    put(f, "a", "1");
    put(f, "a", "2");
    put(f, "a", "3");
    compact(f, 3);
    req.start_revision = 2;
    e = create(f, &req);
    assert_int_equal(e->type, WATCH_EFFECT_CREATED);
    assert_int_equal(e->reason, 0); /* created first */
    e = effect_at(f, 1, WATCH_EFFECT_CANCELED);
    assert_int_equal(e->watch_id, 0);
    assert_int_equal(e->compact_revision, 3);
    assert_int_equal(e->reason, 0);
    sent(f);
    assert_int_equal(watch_stream_count(f->stream), 0);
    req.start_revision = 3; /* at the compacted revision is allowed */
    (void)create(f, &req);
    sent(f);
    assert_int_equal(watch_catch_up(f->hub, 1 << 20, &f->effects), 0);
    assert_int_equal(effect_at(f, 0, WATCH_EFFECT_EVENTS)->n_events, 2);
}

/* Fills the stream with refusals until it has no credit left. */
static void use_up_credit(struct fixture *f)
{
    struct watch_create refused = {.key = view_str("b"), .range_end = view_str("a")};
    size_t cost = 0;

    for (size_t i = 0; cost < CREDIT; i++) {
        assert_int_equal(watch_create(f->hub, f->stream, &refused, &f->effects), 0);
        cost += f->effects.items[f->effects.len - 1].cost_bytes;
    }
}

static void test_back_pressure(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");
    struct watch_stats stats;
    size_t n_before;

    (void)create(f, &req);
    use_up_credit(f);
    n_before = f->effects.len;
    put(f, "a", "1");
    put(f, "a", "2");
    assert_int_equal(f->effects.len, n_before); /* nothing is queued for a full stream */
    watch_stats(f->hub, &stats);
    assert_int_equal(stats.n_behind, 1);
    assert_false(watch_has_work(f->hub));
    assert_int_equal(watch_stream_progress(f->hub, f->stream, &f->effects), 0);
    assert_int_equal(f->effects.len, n_before);
    sent(f);
    assert_true(watch_has_work(f->hub));
    assert_int_equal(watch_stream_progress(f->hub, f->stream, &f->effects), 0);
    assert_int_equal(f->effects.len, 0); /* not before the events */
    assert_int_equal(watch_catch_up(f->hub, 1 << 20, &f->effects), 0);
    assert_int_equal(effect_at(f, 0, WATCH_EFFECT_EVENTS)->n_events, 2);
    assert_int_equal(watch_stream_progress(f->hub, f->stream, &f->effects), 0);
    assert_int_equal(effect_at(f, 1, WATCH_EFFECT_PROGRESS)->watch_id, WATCH_ID_NONE);
    assert_int_equal(f->effects.items[1].revision, 3);
}

static void test_compaction_passes_the_slow(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");
    size_t n_before;

    (void)create(f, &req);
    use_up_credit(f);
    put(f, "a", "1");
    put(f, "a", "2");
    n_before = f->effects.len;
    compact(f, 2);
    assert_int_equal(f->effects.len, n_before); /* its cursor is at 2 */
    compact(f, 3);
    assert_int_equal(effect_at(f, n_before, WATCH_EFFECT_CANCELED)->compact_revision, 3);
    sent(f);
    assert_false(watch_has_work(f->hub));
}

static void test_progress(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");

    assert_int_equal(watch_stream_progress(f->hub, f->stream, &f->effects), 0);
    assert_int_equal(f->effects.len, 1); /* no watcher: nobody is behind */
    assert_int_equal(effect_at(f, 0, WATCH_EFFECT_PROGRESS)->watch_id, WATCH_ID_NONE);
    sent(f);
    (void)create(f, &req);
    req.progress_notify = true;
    (void)create(f, &req);
    sent(f);
    assert_int_equal(watch_stream_tick(f->hub, f->stream, &f->effects), 0);
    assert_int_equal(effect_at(f, 0, WATCH_EFFECT_PROGRESS)->watch_id, 1);
    assert_int_equal(f->effects.len, 1);
    sent(f);
    put(f, "a", "1");
    sent(f);
    assert_int_equal(watch_stream_tick(f->hub, f->stream, &f->effects), 0);
    assert_int_equal(f->effects.len, 0); /* it got events since the last tick */
    put(f, "b", "1");
    assert_int_equal(watch_stream_tick(f->hub, f->stream, &f->effects), 0);
    assert_int_equal(effect_at(f, 0, WATCH_EFFECT_PROGRESS)->revision, 3);
}

static void test_fragments(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = {.key = view_str("a"), .range_end = view_str("b")};
    size_t n = 0;

    (void)create(f, &req);
    req.fragment = true;
    (void)create(f, &req);
    sent(f);
    for (int i = 0; i < 20; i++) {
        char key[16];

        (void)snprintf(key, sizeof key, "a%d", i);
        test_log_add(&f->log, 2, KVS_EVENT_PUT, key, "value");
    }
    test_log_commit(&f->log, f->hub, &f->effects);
    assert_int_equal(effect_at(f, 0, WATCH_EFFECT_EVENTS)->n_events, 20);
    assert_false(f->effects.items[0].fragment);
    assert_true(f->effects.len > 3);
    for (size_t i = 1; i < f->effects.len; i++) {
        const struct watch_effect *e = &f->effects.items[i];

        assert_int_equal(e->watch_id, 1);
        assert_int_equal(e->first, n);
        assert_int_equal(e->fragment, i + 1 < f->effects.len);
        n += e->n_events;
    }
    assert_int_equal(n, 20);
}

static void test_cancel(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");

    (void)create(f, &req);
    sent(f);
    put(f, "a", "1");
    assert_int_equal(watch_cancel(f->hub, f->stream, 5, &f->effects), 0);
    assert_int_equal(f->effects.len, 1); /* unknown: nothing */
    assert_int_equal(watch_cancel(f->hub, f->stream, 0, &f->effects), 0);
    assert_int_equal(effect_at(f, 1, WATCH_EFFECT_CANCELED)->compact_revision, 0);
    sent(f);
    put(f, "a", "2");
    assert_int_equal(f->effects.len, 0);
}

static void test_reset(void **state)
{
    struct fixture *f = *state;
    struct watch_create req = on_key("a");
    struct watch_create future = on_key("a");

    put(f, "a", "1");
    (void)create(f, &req);
    future.start_revision = 100;
    (void)create(f, &future);
    sent(f);
    /* A snapshot brings revisions that this member never applied. */
    test_log_add(&f->log, 3, KVS_EVENT_PUT, "a", "2");
    test_log_add(&f->log, 4, KVS_EVENT_PUT, "a", "3");
    watch_hub_reset(f->hub, 4, 0, &f->effects);
    watch_hub_check(f->hub);
    assert_int_equal(f->effects.len, 0);
    assert_int_equal(watch_catch_up(f->hub, 1 << 20, &f->effects), 0);
    assert_int_equal(f->effects.len, 1);
    assert_int_equal(effect_at(f, 0, WATCH_EFFECT_EVENTS)->n_events, 2);
    sent(f);
    put(f, "a", "4");
    assert_int_equal(event_at(effect_at(f, 0, WATCH_EFFECT_EVENTS), 0)->kv.mod_revision, 5);
    /* One that is compacted beyond what we had seen cancels. */
    for (kvs_revision r = 6; r <= 9; r++) {
        test_log_add(&f->log, r, KVS_EVENT_PUT, "a", "5");
    }
    sent(f);
    f->log.compacted = 8;
    watch_hub_reset(f->hub, 9, 8, &f->effects);
    assert_int_equal(effect_at(f, 0, WATCH_EFFECT_CANCELED)->watch_id, 0);
    assert_int_equal(watch_stream_count(f->stream), 1);
}

static void test_limit_of_watchers(void **state)
{
    struct fixture *f = *state;
    struct watch_config config = test_log_config(&f->log);
    struct watch_create req = on_key("a");
    struct watch_hub *hub;
    struct watch_stream *s;

    config.stream_watchers_max = 2;
    hub = watch_hub_new(&config);
    s = watch_stream_open(hub, CREDIT, NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(watch_create(hub, s, &req, &f->effects), 0);
    }
    assert_int_equal(f->effects.items[1].reason, 0);
    assert_int_equal(f->effects.items[2].reason, KVS_E_TOO_MANY_REQUESTS);
    watch_effects_clear(&f->effects);
    watch_stream_close(hub, s);
    watch_hub_free(hub);
}

/* Many cursors in one history: it is read about once, not once per watcher. */
static void test_catch_up_reads_once(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 200; i++) {
        put(f, "a", "1");
    }
    for (int i = 0; i < 100; i++) {
        struct watch_create req = on_key("a");

        req.start_revision = 2 + i;
        (void)create(f, &req);
        sent(f);
    }
    f->log.n_reads = 0;
    for (int i = 0; watch_has_work(f->hub); i++) {
        assert_true(i < 1000);
        assert_int_equal(watch_catch_up(f->hub, 1 << 20, &f->effects), 0);
        sent(f);
    }
    assert_true(f->log.n_reads <= 2);
}

int main(void)
{
#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        RULE(test_ids),
        RULE(test_refused),
        RULE(test_live_events),
        RULE(test_whole_key_space),
        RULE(test_filters),
        RULE(test_prev_kv),
        RULE(test_sharing),
        RULE(test_start_in_the_past),
        RULE(test_start_in_the_future),
        RULE(test_future_start_has_no_progress),
        RULE(test_compacted_start),
        RULE(test_back_pressure),
        RULE(test_compaction_passes_the_slow),
        RULE(test_progress),
        RULE(test_fragments),
        RULE(test_cancel),
        RULE(test_reset),
        RULE(test_limit_of_watchers),
        RULE(test_catch_up_reads_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
