/* The log device, with a thread and without: order, group commit, failure, close. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mbox.h"
#include "replica/log_inline.h"
#include "replica/log_thread.h"

enum { JOBS_MAX = 2000 };

/* The POSIX disk with a gate in front of sync: closed, syncs wait; broken, they fail. */
struct gate {
    struct disk disk;
    atomic_int syncs;
    atomic_bool closed;
    atomic_bool broken;
};

struct job {
    struct log_job job;
    struct wal_entry entries[4];
    struct fixture *fixture;
};

/* What the device's wake leaves for the loop. */
struct wake_message {
    struct list node;
};

/* `loop` stands in for the event loop: the device's wake posts to it. */
struct fixture {
    char root[64];
    char dir[80];
    struct gate gate;
    struct wal_options options;
    struct mbox *loop;
    struct list wake;
    struct log_device *device;
    struct job *jobs;
    size_t n_jobs;
    size_t n_done;
    const struct log_job *done[JOBS_MAX];
    bool closed;
    uint64_t delivered; /* entries at open */
};

static int gate_sync(void *ctx, struct disk_file *file)
{
    struct gate *g = ctx;

    while (atomic_load(&g->closed)) {
        (void)usleep(100); /* A slow disk; the test opens the gate. */
    }
    if (atomic_load(&g->broken)) {
        return KVS_E_IO;
    }
    (void)atomic_fetch_add(&g->syncs, 1);
    return disk_posix()->sync(NULL, file);
}

static int count_entry(void *ctx, const struct wal_entry *entry)
{
    struct fixture *f = ctx;

    f->delivered++;
    assert_int_equal(entry->index, f->delivered);
    return 0;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    (void)snprintf(f->root, sizeof f->root, "/tmp/kvs-log-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    (void)snprintf(f->dir, sizeof f->dir, "%s/wal", f->root);
    f->gate.disk = *disk_posix();
    f->gate.disk.sync = gate_sync;
    f->gate.disk.ctx = &f->gate;
    f->options = (struct wal_options){
        .dir = f->dir,
        .disk = &f->gate.disk,
        .segment_bytes_first = 64 * 1024,
        .segment_bytes_max = 128 * 1024,
        .on_entry = count_entry,
        .ctx = f,
    };
    f->loop = mbox_new(NULL, NULL);
    f->jobs = calloc(JOBS_MAX, sizeof *f->jobs);
    assert_true(f->loop != NULL && f->jobs != NULL);
    list_init(&f->wake);
    *state = f;
    return 0;
}

static int remove_name(void *ctx, const char *name)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s/%s", (const char *)ctx, name);
    return unlink(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct list messages;
    struct list *message;

    list_init(&messages);
    (void)mbox_take(f->loop, &messages);
    while ((message = list_pop_front(&messages)) != NULL) {
        free(list_entry(message, struct wake_message, node));
    }
    mbox_free(f->loop);
    (void)disk_posix()->list(NULL, f->dir, remove_name, f->dir);
    (void)rmdir(f->dir);
    (void)rmdir(f->root);
    free(f->jobs);
    free(f);
    return 0;
}

static struct wal *open_wal(struct fixture *f, struct wal_recovered *ret_recovered)
{
    struct wal *w;

    f->delivered = 0;
    assert_int_equal(wal_open(&f->options, ret_recovered, &w, NULL), 0);
    return w;
}

static void wake(void *ctx)
{
    struct fixture *f = ctx;
    struct wake_message *message = malloc(sizeof *message);

    if (message != NULL) {
        mbox_post(f->loop, &message->node);
    }
}

/* One turn of the loop: waits until the device has something. */
static void turn(struct fixture *f)
{
    struct list messages;
    struct list *message;

    list_init(&messages);
    assert_true(mbox_wait_timeout(f->loop, &messages, 20000));
    while ((message = list_pop_front(&messages)) != NULL) {
        free(list_entry(message, struct wake_message, node));
    }
    log_deliver(f->device);
}

static void start(struct fixture *f)
{
    struct wal_recovered recovered;

    assert_int_equal(log_thread_start(open_wal(f, &recovered), NULL, wake, f, &f->device), 0);
}

static void done_cb(struct log_job *log_job)
{
    struct job *job = container_of(log_job, struct job, job);
    struct fixture *f = job->fixture;

    f->done[f->n_done++] = log_job;
}

static struct job *job_new(struct fixture *f, enum log_job_type type)
{
    struct job *job = &f->jobs[f->n_jobs++];

    assert_true(f->n_jobs <= JOBS_MAX);
    job->fixture = f;
    job->job.type = type;
    job->job.status = 1;
    job->job.done_cb = done_cb;
    return job;
}

static void submit_entries(struct fixture *f, uint64_t first, size_t n)
{
    struct job *job = job_new(f, LOG_APPEND);

    for (size_t i = 0; i < n; i++) {
        job->entries[i] = (struct wal_entry){.index = first + i, .term = 1, .data = {"data", 4}};
    }
    job->job.entries = job->entries;
    job->job.n_entries = n;
    log_submit(f->device, &job->job);
}

static void closed_cb(void *ctx)
{
    struct fixture *f = ctx;

    assert_false(f->closed);
    f->closed = true;
}

static void close_device(struct fixture *f)
{
    log_close(f->device, closed_cb, f);
    while (!f->closed) {
        turn(f);
    }
}

static void check_order(const struct fixture *f, int status)
{
    assert_int_equal(f->n_done, f->n_jobs);
    for (size_t i = 0; i < f->n_jobs; i++) {
        assert_ptr_equal(f->done[i], &f->jobs[i].job);
        assert_int_equal(f->done[i]->status, status);
    }
}

/* --- with a thread -------------------------------------------------------------------------- */

static void test_thread_order(void **state)
{
    struct fixture *f = *state;
    struct wal_recovered recovered;

    start(f);
    for (uint64_t i = 0; i < 600; i++) {
        submit_entries(f, 1 + i * 2, 2);
        if (i % 50 == 0) {
            turn(f);
        }
    }
    while (f->n_done < f->n_jobs) {
        turn(f);
    }
    check_order(f, 0);
    assert_int_equal(f->device->stats.jobs, 600);
    assert_int_equal(f->device->stats.sync.count, f->device->stats.groups);
    assert_true(f->device->stats.bytes > 600 * 8);
    close_device(f);
    wal_abandon(open_wal(f, &recovered));
    assert_int_equal(f->delivered, 1200);
    assert_false(recovered.torn);
}

/* While one sync runs, everything that arrives waits for the next one, together. */
static void test_thread_group_commit(void **state)
{
    struct fixture *f = *state;
    int before;

    start(f);
    submit_entries(f, 1, 1);
    while (f->n_done < 1) {
        turn(f);
    }
    before = atomic_load(&f->gate.syncs);
    atomic_store(&f->gate.closed, true);
    for (uint64_t i = 2; i <= 101; i++) {
        submit_entries(f, i, 1);
    }
    atomic_store(&f->gate.closed, false);
    while (f->n_done < f->n_jobs) {
        turn(f);
    }
    check_order(f, 0);
    assert_in_range(atomic_load(&f->gate.syncs) - before, 1, 3);
    assert_in_range(f->device->stats.groups, 2, 3);
    close_device(f);
}

static void test_thread_failure(void **state)
{
    struct fixture *f = *state;

    start(f);
    submit_entries(f, 1, 1);
    while (f->n_done < 1) {
        turn(f);
    }
    assert_int_equal(f->done[0]->status, 0);
    f->n_done = 0;
    f->n_jobs = 0;
    atomic_store(&f->gate.broken, true);
    submit_entries(f, 2, 1);
    submit_entries(f, 3, 1);
    while (f->n_done < f->n_jobs) {
        turn(f);
    }
    atomic_store(&f->gate.broken, false); /* The disk says it is well; nobody believes it. */
    submit_entries(f, 4, 1);
    log_submit(f->device, &job_new(f, LOG_TRIM)->job);
    close_device(f);
    check_order(f, KVS_E_IO);
}

/* close completes what was submitted before. */
static void test_thread_close(void **state)
{
    struct fixture *f = *state;
    struct wal_recovered recovered;

    start(f);
    for (uint64_t i = 1; i <= 50; i++) {
        submit_entries(f, i, 1);
    }
    close_device(f);
    check_order(f, 0);
    wal_abandon(open_wal(f, &recovered));
    assert_int_equal(f->delivered, 50);
}

/* --- without -------------------------------------------------------------------------------- */

static void count_wake(void *ctx)
{
    (*(int *)ctx)++;
}

static void test_inline(void **state)
{
    struct fixture *f = *state;
    struct wal_recovered recovered;
    struct job *job;
    int wakes = 0;

    assert_int_equal(log_inline_new(open_wal(f, &recovered), NULL, count_wake, &wakes, &f->device),
                     0);
    submit_entries(f, 1, 2);
    submit_entries(f, 3, 2);
    submit_entries(f, 5, 2);
    assert_int_equal(wakes, 3);
    assert_int_equal(log_inline_waiting(f->device), 3);
    assert_int_equal(log_inline_run(f->device, 2), 2);
    assert_int_equal(f->n_done, 0);
    log_deliver(f->device);
    assert_int_equal(f->n_done, 2);
    assert_int_equal(f->device->stats.groups, 1);

    job = job_new(f, LOG_APPEND); /* hard state, reset, entries: all in one */
    job->job.has_hard = true;
    job->job.hard.term = 9;
    job->job.reset = true;
    job->job.index = 100;
    job->job.term = 8;
    job->entries[0] = (struct wal_entry){.index = 101, .term = 9};
    job->job.entries = job->entries;
    job->job.n_entries = 1;
    log_submit(f->device, &job->job);
    job = job_new(f, LOG_TRIM);
    job->job.index = 100;
    log_submit(f->device, &job->job);
    assert_int_equal(log_inline_run(f->device, 0), 3);
    log_deliver(f->device);
    check_order(f, 0);
    assert_int_equal(wal_base_index(log_inline_wal(f->device)), 100);
    assert_int_equal(wal_last_index(log_inline_wal(f->device)), 101);

    log_close(f->device, closed_cb, f);
    assert_false(f->closed);
    log_deliver(f->device);
    assert_true(f->closed);
    f->options.on_entry = NULL;
    wal_abandon(open_wal(f, &recovered));
    assert_int_equal(recovered.hard.term, 9);
    assert_int_equal(recovered.base_index, 100);
    assert_int_equal(recovered.last_index, 101);
}

static void test_inline_crash(void **state)
{
    struct fixture *f = *state;
    struct wal_recovered recovered;

    assert_int_equal(log_inline_new(open_wal(f, &recovered), NULL, NULL, NULL, &f->device), 0);
    submit_entries(f, 1, 2);
    assert_int_equal(log_inline_run(f->device, 0), 1);
    submit_entries(f, 3, 2);
    log_inline_crash(f->device);
    assert_int_equal(f->n_done, 0);
    wal_abandon(open_wal(f, &recovered));
    assert_int_equal(f->delivered, 2);
}

int main(void)
{
#define LOG_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_thread_order),   LOG_TEST(test_thread_group_commit),
        LOG_TEST(test_thread_failure), LOG_TEST(test_thread_close),
        LOG_TEST(test_inline),         LOG_TEST(test_inline_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
