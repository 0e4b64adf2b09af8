/* Turns, hooks, tasks, timers, mailboxes, workers, addresses. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "loop/addr.h"
#include "loop/loop.h"
#include "loop/loop_int.h"

static char trace[256];

static void note(char c)
{
    size_t n = strlen(trace);

    assert_true(n + 1 < sizeof trace);
    trace[n] = c;
    trace[n + 1] = '\0';
}

static struct loop *fixture_loop(void)
{
    struct loop *l;

    trace[0] = '\0';
    assert_int_equal(loop_new(&l), 0);
    return l;
}

/* ---- hooks and tasks ---- */

static struct loop_hook work_hook;
static struct loop_hook flush_hook;
static struct loop_task task;
static struct loop *the_loop;

static void work_fn(struct loop_hook *h)
{
    (void)h;
    note('w');
    loop_hook_mark(&flush_hook);
}

static void flush_fn(struct loop_hook *h)
{
    (void)h;
    note('f');
}

static void task_fn(struct loop_task *t)
{
    (void)t;
    note('t');
    loop_hook_mark(&work_hook);
}

static void hooks_run_in_phase_order_once_per_turn(void **state)
{
    struct loop *l = fixture_loop();

    (void)state;
    /* Registered in the wrong order on purpose: the phase decides. */
    loop_hook_init(l, &flush_hook, LOOP_PHASE_FLUSH, flush_fn);
    loop_hook_init(l, &work_hook, LOOP_PHASE_WORK, work_fn);
    loop_task_init(&task, task_fn);
    loop_task_post(l, &task);
    loop_task_post(l, &task);
    loop_hook_mark(&work_hook);
    loop_run(l);
    assert_string_equal(trace, "twf");
    loop_hook_fini(&work_hook);
    loop_hook_fini(&flush_hook);
    loop_free(l);
}

static int remarks;

static void remark_fn(struct loop_hook *h)
{
    if (++remarks < 5) {
        loop_hook_mark(h);
    } else {
        loop_stop(h->loop);
    }
}

static void a_hook_that_marks_itself_runs_next_turn(void **state)
{
    struct loop *l = fixture_loop();

    (void)state;
    remarks = 0;
    loop_hook_init(l, &work_hook, LOOP_PHASE_WORK, remark_fn);
    loop_hook_mark(&work_hook);
    loop_run(l);
    assert_int_equal(remarks, 5);
    loop_hook_fini(&work_hook);
    loop_free(l);
}

/* ---- timers ---- */

enum { N_TIMERS = 500 };

static struct {
    struct loop_timer timer;
    uint64_t due_ms; /* 0: stopped */
    unsigned fired;
} model[N_TIMERS];

static uint64_t fired_until;
static uint64_t fire_limit;

static void model_fn(struct loop_timer *t)
{
    size_t i = (size_t)((char *)t - (char *)model) / sizeof model[0];

    assert_true(model[i].due_ms != 0);
    assert_int_equal(model[i].due_ms, the_loop->wheel.now_ms);
    assert_true(model[i].due_ms >= fired_until && model[i].due_ms <= fire_limit);
    fired_until = model[i].due_ms;
    model[i].due_ms = 0;
    model[i].fired++;
}

/* The wheel against a plain table, with time under control. */
static void wheel_fires_in_order_and_exactly_once(void **state)
{
    struct loop *l = fixture_loop();
    struct rng rng;
    uint64_t now;
    unsigned total = 0;

    (void)state;
    print_message("seed 7\n");
    rng_init(&rng, 7);
    the_loop = l;
    memset(model, 0, sizeof model);
    for (size_t i = 0; i < N_TIMERS; i++) {
        loop_timer_init(l, &model[i].timer, model_fn);
    }
    now = l->wheel.now_ms;
    for (int round = 0; round < 3000; round++) {
        size_t i = rng_below(&rng, N_TIMERS);
        uint64_t after = UINT64_C(1) << rng_below(&rng, 26);

        after = rng_between(&rng, 1, after);
        if (rng_percent(&rng, 20)) {
            loop_timer_stop(&model[i].timer);
            model[i].due_ms = 0;
        } else {
            /* uv's clock stands still; the wheel's is ahead of it */
            loop_timer_start(&model[i].timer, after);
            model[i].due_ms = model[i].timer.due_ms;
            assert_int_equal(model[i].due_ms, now + after);
        }
        if (rng_percent(&rng, 30)) {
            uint64_t next;

            now += rng_below(&rng, UINT64_C(1) << rng_below(&rng, 24));
            fired_until = 0;
            fire_limit = now;
            timer_wheel_advance(&l->wheel, now);
            for (size_t k = 0; k < N_TIMERS; k++) {
                assert_true(model[k].due_ms == 0 || model[k].due_ms > now);
                assert_int_equal(model[k].timer.active, model[k].due_ms != 0);
            }
            if (timer_wheel_next(&l->wheel, &next)) {
                assert_true(next > now);
                for (size_t k = 0; k < N_TIMERS; k++) {
                    assert_true(model[k].due_ms == 0 || model[k].due_ms >= next);
                }
            }
        }
    }
    for (size_t i = 0; i < N_TIMERS; i++) {
        total += model[i].fired;
        loop_timer_stop(&model[i].timer);
    }
    assert_true(total > 500);
    loop_free(l);
}

static struct loop_timer timers[3];

static void repeat_fn(struct loop_timer *t)
{
    note('r');
    if (strlen(trace) == 3) {
        loop_timer_stop(t);
    }
}

static void stopper_fn(struct loop_timer *t)
{
    (void)t;
    note('s');
    loop_timer_stop(&timers[1]);
}

static void timers_repeat_and_stop_each_other(void **state)
{
    struct loop *l = fixture_loop();

    (void)state;
    loop_timer_init(l, &timers[0], repeat_fn);
    loop_timer_start_repeat(&timers[0], 1, 2);
    loop_run(l); /* ends by itself: nothing is left to wait for */
    assert_string_equal(trace, "rrr");
    trace[0] = '\0';
    loop_timer_init(l, &timers[0], stopper_fn);
    loop_timer_init(l, &timers[1], repeat_fn);
    loop_timer_start(&timers[0], 5);
    loop_timer_start(&timers[1], 5); /* same slot, later in it */
    loop_run(l);
    assert_string_equal(trace, "s");
    loop_free(l);
}

/* ---- mailboxes and workers ---- */

enum { N_MESSAGES = 20000, N_SENDERS = 3 };

struct message {
    struct list node;
    unsigned sender;
    unsigned number;
};

static struct loop_mbox *the_mbox;
static struct message messages[N_SENDERS][N_MESSAGES];
static unsigned next_number[N_SENDERS];
static unsigned n_received;

static void message_cb(void *ctx, struct list *node)
{
    struct message *m = list_entry(node, struct message, node);

    loop_assert_owner(ctx);
    assert_int_equal(m->number, next_number[m->sender]);
    next_number[m->sender]++;
    if (++n_received == N_MESSAGES * N_SENDERS) {
        loop_stop(ctx);
    }
}

static void *sender_main(void *arg)
{
    unsigned sender = (unsigned)(uintptr_t)arg;

    for (unsigned i = 0; i < N_MESSAGES; i++) {
        messages[sender][i] = (struct message){.sender = sender, .number = i};
        loop_mbox_post(the_mbox, &messages[sender][i].node);
    }
    return NULL;
}

static void messages_arrive_in_order(void **state)
{
    struct loop *l = fixture_loop();
    pthread_t threads[N_SENDERS];

    (void)state;
    assert_int_equal(loop_mbox_new(l, message_cb, l, &the_mbox), 0);
    for (unsigned i = 0; i < N_SENDERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, sender_main, (void *)(uintptr_t)i), 0);
    }
    loop_run(l);
    for (unsigned i = 0; i < N_SENDERS; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_int_equal(next_number[i], N_MESSAGES);
    }
    loop_free(l);
}

static struct loop_work works[10];
static unsigned n_done;
static pthread_t loop_thread;

static void run_fn(struct loop_work *w)
{
    (void)w;
    assert_false(pthread_equal(pthread_self(), loop_thread));
}

static void done_fn(struct loop_work *w)
{
    (void)w;
    assert_true(pthread_equal(pthread_self(), loop_thread));
    n_done++;
}

static void workers_run_elsewhere_and_finish_here(void **state)
{
    struct loop *l = fixture_loop();

    (void)state;
    loop_thread = pthread_self();
    for (size_t i = 0; i < ARRAY_LEN(works); i++) {
        works[i] = (struct loop_work){.run = run_fn, .done = done_fn};
        assert_int_equal(loop_work_submit(l, &works[i]), 0);
    }
    loop_run(l);
    assert_int_equal(n_done, ARRAY_LEN(works));
    loop_free(l);
}

static void raise_fn(struct loop_timer *t)
{
    (void)t;
    (void)raise(SIGUSR1);
    loop_timer_start(&timers[1], 1000); /* keeps the loop alive until the signal is seen */
}

static void signal_cb(void *ctx, int signum)
{
    assert_int_equal(signum, SIGUSR1);
    note('S');
    loop_timer_stop(&timers[1]);
    loop_stop(ctx);
}

static void signals_reach_the_loop(void **state)
{
    struct loop *l = fixture_loop();

    (void)state;
    assert_int_equal(loop_signal(l, SIGUSR1, signal_cb, l), 0);
    assert_int_equal(loop_signal(l, 4000, signal_cb, l), KVS_E_INVALID);
    loop_timer_init(l, &timers[0], raise_fn);
    loop_timer_init(l, &timers[1], repeat_fn);
    loop_timer_start(&timers[0], 1);
    loop_run(l);
    assert_string_equal(trace, "S");
    loop_free(l);
}

/* ---- addresses ---- */

static void addresses_parse(void **state)
{
    static const struct {
        const char *url;
        const char *again; /* NULL: refused */
    } rows[] = {
        {"http://localhost:2379", "http://localhost:2379"},
        {"https://127.0.0.1:2380/", "https://127.0.0.1:2380"},
        {"0.0.0.0:1", "http://0.0.0.0:1"},
        {"http://:2379", "http://:2379"},
        {"http://[::1]:65535", "http://[::1]:65535"},
        {"[fe80::1%eth0]:0", "http://[fe80::1%eth0]:0"},
        {"http://host", NULL},
        {"http://host:", NULL},
        {"http://host:65536", NULL},
        {"http://host:123456", NULL},
        {"http://host:1/path", NULL},
        {"http://host:1x", NULL},
        {"http://[::1:2379", NULL},
        {"http://[]:2379", NULL},
        {"http://user@host:2379", NULL},
        {"unix://sock:1", NULL},
        {"", NULL},
    };
    struct net_addr addr;
    char text[NET_TEXT_MAX];
    char longest[400];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int err = net_addr_parse(rows[i].url, &addr);

        if (rows[i].again == NULL) {
            assert_int_equal(err, KVS_E_ADDRESS);
        } else {
            assert_int_equal(err, 0);
            assert_string_equal(net_addr_url(&addr, text), rows[i].again);
        }
    }
    memset(longest, 'a', sizeof longest);
    memcpy(longest + sizeof longest - 4, ":80", 4);
    assert_int_equal(net_addr_parse(longest, &addr), KVS_E_ADDRESS);
    assert_int_equal(net_addr_parse(longest + sizeof longest - 4 - (NET_HOST_MAX - 1), &addr), 0);
    assert_int_equal(strlen(net_addr_url(&addr, text)), 7 + NET_HOST_MAX - 1 + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_run_in_phase_order_once_per_turn),
        cmocka_unit_test(a_hook_that_marks_itself_runs_next_turn),
        cmocka_unit_test(wheel_fires_in_order_and_exactly_once),
        cmocka_unit_test(timers_repeat_and_stop_each_other),
        cmocka_unit_test(messages_arrive_in_order),
        cmocka_unit_test(workers_run_elsewhere_and_finish_here),
        cmocka_unit_test(signals_reach_the_loop),
        cmocka_unit_test(addresses_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
