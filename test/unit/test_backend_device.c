/* Devices: every job runs at most once, in order, and is reported exactly once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>

#include "backend/device.h"

struct job {
    struct backend_job job;
    struct backend_device *again; /* submit once more from done() */
    int number;
    pthread_t thread;
};

static int ran[16];
static int n_ran;
static int reported[16];
static int n_reported;

static int run(struct backend_job *job)
{
    struct job *j = container_of(job, struct job, job);

    j->thread = pthread_self();
    ran[n_ran++] = j->number;
    return -j->number;
}

static void done(struct backend_job *job)
{
    struct job *j = container_of(job, struct job, job);
    struct backend_device *again = j->again;

    reported[n_reported++] = job->status;
    j->again = NULL;
    if (again != NULL) {
        again->submit(again, job);
    }
}

static struct job job_of(int number)
{
    return (struct job){.job = {.run = run, .done = done}, .number = number};
}

static int reset(void **state)
{
    (void)state;
    n_ran = 0;
    n_reported = 0;
    return 0;
}

static void test_inline(void **state)
{
    struct backend_inline d;
    struct job a = job_of(1);
    struct job b = job_of(2);

    (void)state;
    backend_inline_init(&d);
    assert_false(backend_inline_step(&d));
    a.again = &d.device;
    d.device.submit(&d.device, &a.job);
    d.device.submit(&d.device, &b.job);
    assert_int_equal(n_ran, 0);
    assert_true(backend_inline_step(&d));
    assert_int_equal(n_reported, 1);
    backend_inline_drain(&d);
    assert_int_equal(n_ran, 3);
    assert_int_equal(ran[1], 2);
    assert_int_equal(ran[2], 1);
    assert_int_equal(reported[1], -2);
}

static void test_inline_drop(void **state)
{
    struct backend_inline d;
    struct job a = job_of(1);

    (void)state;
    backend_inline_init(&d);
    d.device.submit(&d.device, &a.job);
    backend_inline_drop(&d);
    assert_int_equal(n_ran, 0);
    assert_int_equal(n_reported, 1);
    assert_int_equal(reported[0], KVS_E_CLOSED);
}

static void wake(void *ctx)
{
    sem_post(ctx);
}

static void test_thread(void **state)
{
    struct backend_thread *t;
    struct job jobs[10];
    sem_t woken;

    (void)state;
    assert_int_equal(sem_init(&woken, 0, 0), 0);
    assert_int_equal(backend_thread_new(wake, &woken, &t), 0);
    for (int i = 0; i < 10; i++) {
        struct backend_device *d = backend_thread_device(t);

        jobs[i] = job_of(i);
        d->submit(d, &jobs[i].job);
    }
    while (n_reported < 5) {
        sem_wait(&woken);
        backend_thread_poll(t);
    }
    backend_thread_free(t); /* the rest is run and reported */
    assert_int_equal(n_reported, 10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ran[i], i);
        assert_int_equal(reported[i], -i);
        assert_false(pthread_equal(jobs[i].thread, pthread_self()));
    }
    sem_destroy(&woken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_inline, reset),
        cmocka_unit_test_setup(test_inline_drop, reset),
        cmocka_unit_test_setup(test_thread, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
