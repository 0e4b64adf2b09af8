/* Random commits, creations, cancellations, back-pressure, compactions, snapshots and allocation
 * failures against an oracle that knows the whole history: each watcher sees exactly the matching
 * events from its start on, in order, whole revisions, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/rand.h"
#include "watch_log.h"

#define STREAMS     5
#define WATCHERS    64 /* ids per stream */
#define STEPS       3000
#define CREDIT      3000
#define SEEDS       12
#define SLICE_BYTES 40

/* What a watcher has to have seen. */
struct oracle {
    bool alive;
    struct watch_create create;
    char key[LOG_KEY_BYTES];
    char end[LOG_KEY_BYTES];
    kvs_revision start;
    size_t next;       /* events of the log below this are seen or not for it */
    bool in_fragments; /* the last response was a fragment */
};

struct model {
    struct test_log log;
    struct watch_hub *hub;
    struct watch_effects effects;
    struct rng rng;
    struct watch_stream *streams[STREAMS];
    struct oracle oracles[STREAMS][WATCHERS];
    size_t queued[STREAMS]; /* cost of what was "sent" and not yet given back */
    size_t n_events;
    size_t n_canceled;
    size_t n_progress;
    unsigned fail_percent;
};

/* --- Allocation failures ---------------------------------------------------------------------- */

static void *failing_realloc(void *ctx, void *old, size_t size)
{
    struct model *m = ctx;

    if (m->fail_percent > 0 && rng_percent(&m->rng, m->fail_percent)) {
        return NULL;
    }
    return realloc(old, size);
}

static void failing_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

/* --- Oracle ----------------------------------------------------------------------------------- */

static bool oracle_wants(const struct oracle *o, const struct log_event *e)
{
    unsigned filter = e->type == KVS_EVENT_PUT ? WATCH_FILTER_NOPUT : WATCH_FILTER_NODELETE;

    return e->revision >= o->start && (o->create.filters & filter) == 0 &&
           view_in_range(view_str(e->key), o->create.key, o->create.range_end);
}

/* The first event from `o->next` on that the watcher wants; n_events if none. */
static size_t oracle_next(const struct model *m, const struct oracle *o)
{
    size_t at = o->next;

    while (at < m->log.n_events && !oracle_wants(o, &m->log.events[at])) {
        at++;
    }
    return at;
}

static void check_event(const struct model *m,
                        const struct oracle *o,
                        const struct watch_payload *payload,
                        const struct kvs_event *event)
{
    const struct log_event *e = &m->log.events[o->next];

    assert_true(view_equal_str(event->kv.key, e->key));
    assert_true(view_equal_str(event->kv.value, e->value));
    assert_int_equal(event->kv.mod_revision, e->revision);
    assert_int_equal(event->type, e->type);
    assert_int_equal(payload->prev_kv, o->create.prev_kv);
    if (o->create.prev_kv && e->has_prev && e->prev_revision >= m->log.compacted) {
        assert_true(event->has_prev);
        assert_true(view_equal_str(event->prev_kv.value, e->prev_value));
        assert_int_equal(event->prev_kv.mod_revision, e->prev_revision);
    }
}

static void check_events(struct model *m, struct oracle *o, const struct watch_effect *e)
{
    kvs_revision last = 0;

    assert_true(e->n_events > 0);
    for (size_t i = 0; i < e->n_events; i++) {
        o->next = oracle_next(m, o);
        assert_true(o->next < m->log.n_events);
        check_event(m, o, e->payload, &e->payload->events[e->first + i]->event);
        last = m->log.events[o->next].revision;
        o->next++;
        m->n_events++;
    }
    assert_true(last <= e->revision);
    assert_true(e->revision <= m->log.revision);
    assert_true(!e->fragment || o->create.fragment);
    o->in_fragments = e->fragment;
    if (!e->fragment) {
        /* Never a part of a revision. */
        size_t next = oracle_next(m, o);

        assert_true(next == m->log.n_events || m->log.events[next].revision > last);
    }
}

/* Nothing below `revision` is missing: what a progress response promises. */
static void check_caught_up(const struct model *m, const struct oracle *o, kvs_revision revision)
{
    size_t next = oracle_next(m, o);

    assert_false(o->in_fragments);
    assert_true(next == m->log.n_events || m->log.events[next].revision > revision);
}

static void check_progress(struct model *m, size_t stream, const struct watch_effect *e)
{
    for (size_t id = 0; id < WATCHERS; id++) {
        struct oracle *o = &m->oracles[stream][id];

        if (o->alive && (e->watch_id == WATCH_ID_NONE || e->watch_id == (int64_t)id)) {
            check_caught_up(m, o, e->revision);
        }
    }
    m->n_progress++;
}

static void check_canceled(struct model *m, struct oracle *o, const struct watch_effect *e)
{
    assert_true(o->alive);
    assert_false(o->in_fragments);
    if (e->compact_revision != 0) {
        /* Only if something that it has not seen may be gone. */
        size_t next = oracle_next(m, o);

        assert_int_equal(e->compact_revision, m->log.compacted);
        assert_true(o->start < m->log.compacted);
        assert_true(next == m->log.n_events || m->log.events[next].revision >= o->start);
        m->n_canceled++;
    }
    o->alive = false;
}

static void carry_out(struct model *m)
{
    for (size_t i = 0; i < m->effects.len; i++) {
        const struct watch_effect *e = &m->effects.items[i];
        size_t stream = (size_t)(uintptr_t)watch_stream_user(e->stream);
        struct oracle *o;

        m->queued[stream] += e->cost_bytes;
        if (e->type == WATCH_EFFECT_PROGRESS) {
            check_progress(m, stream, e);
            continue;
        }
        if (e->type == WATCH_EFFECT_CREATED) {
            continue; /* looked at where it was created */
        }
        assert_in_range(e->watch_id, 0, WATCHERS - 1);
        o = &m->oracles[stream][e->watch_id];
        assert_true(o->alive);
        if (e->type == WATCH_EFFECT_EVENTS) {
            check_events(m, o, e);
        } else {
            check_canceled(m, o, e);
        }
    }
    if (m->fail_percent > 0) {
        watch_effects_fini(&m->effects); /* The next ones have to be allocated, and may not be. */
    } else {
        watch_effects_clear(&m->effects);
    }
    watch_hub_check(m->hub);
}

/* --- Actions ---------------------------------------------------------------------------------- */

static void random_key(struct rng *rng, char *ret_key)
{
    size_t len = rng_between(rng, 1, 2);

    for (size_t i = 0; i < len; i++) {
        ret_key[i] = (char)('a' + rng_below(rng, 3));
    }
    ret_key[len] = 0;
}

static void append_revision(struct model *m)
{
    kvs_revision revision = m->log.revision + 1;
    size_t n = rng_between(&m->rng, 1, 4);
    char keys[4][LOG_KEY_BYTES];

    for (size_t i = 0; i < n; i++) {
        bool twice = false;
        char value[LOG_VALUE_BYTES];

        random_key(&m->rng, keys[i]);
        for (size_t j = 0; j < i; j++) {
            twice = twice || strcmp(keys[i], keys[j]) == 0;
        }
        if (twice) {
            continue;
        }
        (void)snprintf(value, sizeof value, "%u", (unsigned)rng_below(&m->rng, 1000));
        test_log_add(&m->log, revision, rng_percent(&m->rng, 70) ? KVS_EVENT_PUT : KVS_EVENT_DELETE,
                     keys[i], value);
    }
}

static void act_create(struct model *m)
{
    size_t stream = rng_below(&m->rng, STREAMS);
    size_t id = rng_below(&m->rng, WATCHERS);
    struct oracle *o = &m->oracles[stream][id];
    const struct watch_effect *e;

    if (o->alive || id == 0) {
        return;
    }
    *o = (struct oracle){.next = 0};
    random_key(&m->rng, o->key);
    o->create.key = view_str(o->key);
    if (rng_percent(&m->rng, 50)) {
        random_key(&m->rng, o->end);
        o->create.range_end = rng_percent(&m->rng, 30) ? view_make("", 1) : view_str(o->end);
    }
    o->create.watch_id = (int64_t)id;
    o->create.filters = (unsigned)rng_below(&m->rng, 3);
    o->create.prev_kv = rng_percent(&m->rng, 40);
    o->create.progress_notify = rng_percent(&m->rng, 40);
    o->create.fragment = rng_percent(&m->rng, 40);
    if (rng_percent(&m->rng, 50)) {
        o->create.start_revision = (kvs_revision)rng_below(&m->rng, (uint64_t)m->log.revision + 8);
    }
    o->start = o->create.start_revision > 0 ? o->create.start_revision : m->log.revision + 1;
    if (watch_create(m->hub, m->streams[stream], &o->create, &m->effects) != 0) {
        assert_int_equal(m->effects.len, 0);
        return;
    }
    e = &m->effects.items[0];
    assert_int_equal(e->type, WATCH_EFFECT_CREATED);
    assert_int_equal(e->revision, m->log.revision);
    o->alive = e->reason == 0;
    if (o->start < m->log.compacted && o->alive) {
        assert_int_equal(m->effects.len, 2);
        assert_int_equal(m->effects.items[1].type, WATCH_EFFECT_CANCELED);
    }
}

static void act_cancel(struct model *m)
{
    size_t stream = rng_below(&m->rng, STREAMS);

    /* Out of memory it stays, which the oracle sees by the missing response. */
    if (watch_cancel(m->hub, m->streams[stream], (int64_t)rng_below(&m->rng, WATCHERS),
                     &m->effects) != 0) {
        assert_int_equal(m->effects.len, 0);
    }
}

static void act_return(struct model *m)
{
    size_t stream = rng_below(&m->rng, STREAMS);
    size_t bytes = m->queued[stream] > 0 ? rng_between(&m->rng, 1, m->queued[stream]) : 0;

    m->queued[stream] -= bytes;
    watch_stream_return(m->hub, m->streams[stream], bytes);
}

static void act_compact(struct model *m)
{
    kvs_revision low = m->log.compacted + 1;
    kvs_revision high = m->log.revision;

    if (low > high || !rng_percent(&m->rng, 30)) {
        return;
    }
    m->log.compacted = (kvs_revision)rng_between(&m->rng, (uint64_t)low, (uint64_t)high);
    watch_on_compact(m->hub, m->log.compacted, &m->effects);
}

static void act_snapshot(struct model *m)
{
    size_t n = rng_between(&m->rng, 0, 5);

    if (!rng_percent(&m->rng, 20)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        append_revision(m);
    }
    watch_hub_reset(m->hub, m->log.revision, m->log.compacted, &m->effects);
}

static void act_catch_up(struct model *m)
{
    int err = watch_catch_up(m->hub, rng_between(&m->rng, 1, SLICE_BYTES), &m->effects);

    assert_true(err == 0 || (err == KVS_E_NOMEM && m->fail_percent > 0));
}

static void act_progress(struct model *m)
{
    size_t stream = rng_below(&m->rng, STREAMS);
    int err = rng_percent(&m->rng, 50)
                  ? watch_stream_progress(m->hub, m->streams[stream], &m->effects)
                  : watch_stream_tick(m->hub, m->streams[stream], &m->effects);

    assert_true(err == 0 || (err == KVS_E_NOMEM && m->fail_percent > 0));
}

static void act(struct model *m)
{
    uint64_t what = rng_below(&m->rng, 100);

    if (what < 35) {
        append_revision(m);
        test_log_commit(&m->log, m->hub, &m->effects);
    } else if (what < 50) {
        act_create(m);
    } else if (what < 55) {
        act_cancel(m);
    } else if (what < 70) {
        act_return(m);
    } else if (what < 85) {
        act_catch_up(m);
    } else if (what < 95) {
        act_progress(m);
    } else if (what < 98) {
        act_compact(m);
    } else {
        act_snapshot(m);
    }
    carry_out(m);
}

/* All queues are sent. False if there was nothing in them. */
static bool drain_queues(struct model *m)
{
    bool any = false;

    for (size_t stream = 0; stream < STREAMS; stream++) {
        any = any || m->queued[stream] > 0;
        watch_stream_return(m->hub, m->streams[stream], m->queued[stream]);
        m->queued[stream] = 0;
    }
    return any;
}

/* Everybody gets room and catches up; then nobody may miss anything. */
static void settle(struct model *m)
{
    m->fail_percent = 0;
    for (size_t i = 0; drain_queues(m) || watch_has_work(m->hub); i++) {
        assert_true(i < 100000);
        act_catch_up(m);
        carry_out(m);
    }
    for (size_t stream = 0; stream < STREAMS; stream++) {
        for (size_t id = 0; id < WATCHERS; id++) {
            if (m->oracles[stream][id].alive) {
                check_caught_up(m, &m->oracles[stream][id], m->log.revision);
            }
        }
    }
}

static void run(uint64_t seed, unsigned fail_percent)
{
    struct model *m = calloc(1, sizeof *m);
    struct kvs_allocator allocator = {failing_realloc, failing_free, m};
    struct watch_config config;

    assert_non_null(m);
    kvs_alloc_set(&allocator);
    printf("seed %llu, %u %% of allocations fail\n", (unsigned long long)seed, fail_percent);
    rng_init(&m->rng, seed);
    test_log_init(&m->log);
    watch_effects_init(&m->effects);
    config = test_log_config(&m->log);
    config.fragment_bytes = 300;
    m->hub = watch_hub_new(&config);
    assert_non_null(m->hub);
    for (size_t i = 0; i < STREAMS; i++) {
        m->streams[i] = watch_stream_open(m->hub, CREDIT, (void *)(uintptr_t)i);
        assert_non_null(m->streams[i]);
    }
    m->fail_percent = fail_percent;
    for (int i = 0; i < STEPS; i++) {
        act(m);
    }
    settle(m);
    assert_true(m->n_events > 50 && m->n_progress > 0);
    assert_true(m->n_canceled > 0 || fail_percent > 0);
    for (size_t i = 0; i < STREAMS; i++) {
        watch_stream_close(m->hub, m->streams[i]);
    }
    watch_effects_fini(&m->effects);
    watch_hub_free(m->hub);
    kvs_alloc_set(NULL);
    test_log_fini(&m->log);
    free(m);
}

static void test_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(seed, 0);
    }
}

static void test_model_without_memory(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(1000 + seed, (unsigned)seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_model_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
