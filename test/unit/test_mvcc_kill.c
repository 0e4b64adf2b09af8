/* A process that writes with the real thread is killed: what is stored is one consistent moment,
 * not older than what the process had seen reported. */
#include "mvcc_fixture.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define KEYS      37
#define AHEAD_MAX 1000 /* entries that are not stored yet */

static void wake(void *ctx)
{
    (void)ctx;
}

/* Entry i puts key i % KEYS with the value i, so revision and index determine everything. */
static void put_number(struct fixture *f, uint64_t i)
{
    char key[16];
    char value[32];

    snprintf(key, sizeof key, "k%llu", (unsigned long long)(i % KEYS));
    snprintf(value, sizeof value, "%llu", (unsigned long long)i);
    fixture_put(f, key, value);
}

/* Never returns. Tells the parent what is stored. */
static void write_until_killed(struct fixture *f, int to_parent)
{
    struct mvcc_options options = fixture_options(f);
    struct backend_thread *t;
    uint64_t told;

    if (backend_thread_new(wake, NULL, &t) != 0) {
        _exit(2);
    }
    options.device = backend_thread_device(t);
    if (mvcc_open(&options, &f->m, NULL) != 0) {
        _exit(3);
    }
    f->index = mvcc_applied_index(f->m);
    told = f->index;
    for (uint64_t now_ms = 0;; now_ms += 20) {
        for (int i = 0; i < 20 && f->index < told + AHEAD_MAX; i++) {
            put_number(f, f->index + 1);
        }
        backend_thread_poll(t);
        mvcc_flush(f->m);
        mvcc_tick(f->m, now_ms);
        if (mvcc_stored_index(f->m) > told) {
            told = mvcc_stored_index(f->m);
            if (write(to_parent, &told, sizeof told) != sizeof told) {
                _exit(4);
            }
        }
    }
}

static void check_everything(struct fixture *f, uint64_t index)
{
    assert_int_equal(mvcc_revision(f->m), (kvs_revision)index + 1);
    for (uint64_t k = 0; k < KEYS && k < index; k++) {
        uint64_t last = index - (index - k) % KEYS;
        char key[16];
        char value[32];

        if (last == 0) {
            continue;
        }
        snprintf(key, sizeof key, "k%llu", (unsigned long long)k);
        snprintf(value, sizeof value, "%llu", (unsigned long long)last);
        assert_string_equal(fixture_get(f, key, 0), value);
        if (last > KEYS) {
            snprintf(value, sizeof value, "%llu", (unsigned long long)(last - KEYS));
            assert_string_equal(fixture_get(f, key, (kvs_revision)last), value);
        }
    }
}

static void run_and_kill(struct fixture *f, int reports)
{
    uint64_t told = 0;
    int pipes[2];
    int status;
    pid_t child;

    fixture_close(f);
    assert_int_equal(pipe(pipes), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        write_until_killed(f, pipes[1]);
    }
    close(pipes[1]);
    for (int i = 0; i < reports; i++) {
        assert_int_equal(read(pipes[0], &told, sizeof told), sizeof told);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    close(pipes[0]);
    fixture_open(f);
    assert_true(mvcc_applied_index(f->m) >= told);
    check_everything(f, mvcc_applied_index(f->m));
}

static void test_killed_while_writing(void **state)
{
    struct fixture *f = *state;

    for (int round = 1; round <= 8; round++) {
        run_and_kill(f, round);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_killed_while_writing, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
