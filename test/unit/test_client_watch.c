/* A watch over streams that break: where it goes on, what it drops, when it ends. */
#include "client_script.h"

#define PUT_EVENT(rev)                                                                             \
    {                                                                                              \
        .kv = {.key = VIEW_LITERAL("k"), .mod_revision = (rev) }                                   \
    }
#define CREATED(rev)                                                                               \
    {                                                                                              \
        .header = {.revision = (rev)}, .created = true                                             \
    }
#define EVENTS(rev, list)                                                                          \
    {                                                                                              \
        .header = {.revision = (rev)}, .events = (list), .n_events = ARRAY_LEN(list)               \
    }
#define BROKEN .finish = true, .status = RPC_UNAVAILABLE, .text = "gone"

struct watching {
    struct script *script;
    struct kvs_client *client;
    struct kvs_watch_reader *reader;
};

static void watching_start(struct watching *w, struct script *s, kvs_revision start)
{
    const struct kvs_watch_create_req req = {.key = VIEW_LITERAL("k"), .start_revision = start};

    w->script = s;
    script_start(s);
    w->client = script_client(s->endpoint);
    assert_int_equal(kvs_watch_reader_open(w->client, &req, 4, &w->reader), 0);
}

static void watching_stop(struct watching *w)
{
    kvs_watch_reader_close(w->reader);
    kvs_client_close(w->client);
    script_stop(w->script);
}

/* The next response's events must be these revisions; none: created, or progress. */
static void expect(struct watching *w, size_t count, kvs_revision first)
{
    const struct kvs_watch_resp *resp;

    assert_int_equal(kvs_watch_reader_next(w->reader, 20000, &resp, NULL), 0);
    assert_int_equal(resp->n_events, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(resp->events[i].kv.mod_revision, first + (kvs_revision)i);
    }
    kvs_resp_free(resp);
}

static void expect_end(struct watching *w, int code)
{
    const struct kvs_watch_resp *resp;
    struct kvs_error error;

    assert_int_equal(kvs_watch_reader_next(w->reader, 20000, &resp, &error), code);
    assert_int_equal(kvs_watch_reader_next(w->reader, 20000, &resp, NULL), code); /* stays */
}

static void test_goes_on_behind_the_last_event(void **state)
{
    struct kvs_event first[] = {PUT_EVENT(5), PUT_EVENT(6)};
    struct kvs_event second[] = {PUT_EVENT(7)};
    struct script s = {
        .n_streams = 2,
        .streams = {{.responses = {CREATED(6), EVENTS(6, first)}, .n_responses = 2, BROKEN},
                    {.responses = {CREATED(7), EVENTS(7, second)}, .n_responses = 2}}};
    struct watching w;

    (void)state;
    watching_start(&w, &s, 5);
    expect(&w, 0, 0);
    expect(&w, 2, 5);
    expect(&w, 1, 7);
    watching_stop(&w);
    assert_int_equal(s.n_creates, 2);
    assert_int_equal(s.creates[0].start_revision, 5);
    assert_int_equal(s.creates[1].start_revision, 7);
}

/* Another member may answer from an older state: what was delivered is not delivered again. */
static void test_drops_what_was_delivered(void **state)
{
    struct kvs_event first[] = {PUT_EVENT(5), PUT_EVENT(6)};
    struct kvs_event again[] = {PUT_EVENT(5), PUT_EVENT(6)};
    struct kvs_event mixed[] = {PUT_EVENT(6), PUT_EVENT(7)};
    struct script s = {
        .n_streams = 2,
        .streams = {
            {.responses = {CREATED(6), EVENTS(6, first)}, .n_responses = 2, BROKEN},
            {.responses = {CREATED(6), EVENTS(6, again), EVENTS(7, mixed)}, .n_responses = 3}}};
    struct watching w;

    (void)state;
    watching_start(&w, &s, 5);
    expect(&w, 0, 0);
    expect(&w, 2, 5);
    expect(&w, 1, 7);
    watching_stop(&w);
}

/* From now on: "now" is the revision at which the watch was first registered. */
static void test_now_stays_what_it_was(void **state)
{
    struct kvs_event missed[] = {PUT_EVENT(8)};
    struct script s = {
        .n_streams = 3,
        .streams = {{BROKEN},
                    {.responses = {CREATED(7)}, .n_responses = 1, BROKEN},
                    {.responses = {CREATED(9), EVENTS(9, missed)}, .n_responses = 2}}};
    struct watching w;

    (void)state;
    watching_start(&w, &s, 0);
    expect(&w, 0, 0);
    expect(&w, 1, 8);
    watching_stop(&w);
    assert_int_equal(s.creates[1].start_revision, 0);
    assert_int_equal(s.creates[2].start_revision, 8);
}

static void test_only_its_own_progress_moves_it(void **state)
{
    struct script s = {
        .n_streams = 3,
        .streams = {{.responses = {CREATED(4), {.header = {.revision = 20}, .watch_id = 0}},
                     .n_responses = 2,
                     BROKEN},
                    {.responses = {CREATED(20), {.header = {.revision = 30}, .watch_id = -1}},
                     .n_responses = 2,
                     BROKEN},
                    {.responses = {CREATED(30), {.header = {.revision = 31}}}, .n_responses = 2}}};
    struct watching w;

    (void)state;
    watching_start(&w, &s, 5);
    for (int i = 0; i < 4; i++) {
        expect(&w, 0, 0); /* created, three times progress */
    }
    watching_stop(&w);
    assert_int_equal(s.creates[1].start_revision, 21);
    assert_int_equal(s.creates[2].start_revision, 21);
}

static void test_compaction_ends_it(void **state)
{
    struct script s = {
        .n_streams = 1,
        .streams = {
            {.responses = {CREATED(9),
                           {.header = {.revision = 9}, .canceled = true, .compact_revision = 8}},
             .n_responses = 2}}};
    struct watching w;

    (void)state;
    watching_start(&w, &s, 5);
    expect(&w, 0, 0);
    expect_end(&w, KVS_E_COMPACTED);
    assert_int_equal(kvs_watch_reader_last_words(w.reader)->compact_revision, 8);
    watching_stop(&w);
}

static void test_refusal_ends_it(void **state)
{
    struct script s = {
        .n_streams = 1,
        .streams = {{.responses = {{.created = true,
                                    .canceled = true,
                                    .watch_id = -1,
                                    .cancel_reason = VIEW_LITERAL("mvcc: watcher range is empty")}},
                     .n_responses = 1}}};
    struct watching w;

    (void)state;
    watching_start(&w, &s, 0);
    expect_end(&w, KVS_E_WATCH_EMPTY_RANGE);
    watching_stop(&w);
}

static void test_errors_that_last_end_it(void **state)
{
    struct script s = {
        .n_streams = 1,
        .streams = {{.finish = true, .status = RPC_PERMISSION_DENIED, .text = "no"}}};
    struct watching w;

    (void)state;
    watching_start(&w, &s, 0);
    expect_end(&w, KVS_E_PERMISSION);
    assert_null(kvs_watch_reader_last_words(w.reader));
    watching_stop(&w);
}

/* Many more responses than the queue takes: the stream is held back, and nothing is lost. */
static void test_slow_reader_gets_everything(void **state)
{
    enum { COUNT = 5000 };
    struct kvs_event first[] = {PUT_EVENT(10)};
    struct script s = {
        .n_streams = 1,
        .streams = {
            {.responses = {CREATED(10), EVENTS(10, first)}, .n_responses = 2, .repeat = COUNT}}};
    struct watching w;

    (void)state;
    watching_start(&w, &s, 10);
    expect(&w, 0, 0);
    for (int i = 0; i <= COUNT; i++) {
        expect(&w, 1, 10 + i);
    }
    watching_stop(&w);
}

static void test_close_in_the_middle(void **state)
{
    struct kvs_event first[] = {PUT_EVENT(10)};
    struct script s = {
        .n_streams = 1,
        .streams = {
            {.responses = {CREATED(10), EVENTS(10, first)}, .n_responses = 2, .repeat = 1000}}};
    struct watching w;

    (void)state;
    watching_start(&w, &s, 10);
    expect(&w, 0, 0);
    expect(&w, 1, 10);
    watching_stop(&w);
}

/* Nobody listens: it waits for somebody, and can be closed meanwhile. */
static void test_close_while_nobody_answers(void **state)
{
    const struct kvs_watch_create_req req = {.key = VIEW_LITERAL("k")};
    struct kvs_client *client = script_client("127.0.0.1:1");
    const struct kvs_watch_resp *resp;
    struct kvs_watch_reader *reader;

    (void)state;
    assert_int_equal(kvs_watch_reader_open(client, &req, 0, &reader), 0);
    assert_int_equal(kvs_watch_reader_next(reader, 50, &resp, NULL), KVS_E_TIMEOUT);
    kvs_watch_reader_close(reader);
    kvs_client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on_behind_the_last_event),
        cmocka_unit_test(test_drops_what_was_delivered),
        cmocka_unit_test(test_now_stays_what_it_was),
        cmocka_unit_test(test_only_its_own_progress_moves_it),
        cmocka_unit_test(test_compaction_ends_it),
        cmocka_unit_test(test_refusal_ends_it),
        cmocka_unit_test(test_errors_that_last_end_it),
        cmocka_unit_test(test_slow_reader_gets_everything),
        cmocka_unit_test(test_close_in_the_middle),
        cmocka_unit_test(test_close_while_nobody_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
