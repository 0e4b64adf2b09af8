/* The environment: records, cursors, snapshots, failures, copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/backend.h"
#include "base/view.h"

struct env {
    char dir[64];
    struct backend *b;
    struct backend_txn *w;
};

static void env_open(struct env *e, size_t map_bytes, unsigned readers_max)
{
    struct backend_options options = {
        .dir = e->dir, .map_bytes = map_bytes, .readers_max = readers_max};
    struct kvs_error error;

    assert_int_equal(backend_open(&options, &e->b, &error), 0);
}

static int setup(void **state)
{
    struct env *e = test_calloc(1, sizeof *e);

    snprintf(e->dir, sizeof e->dir, "/tmp/backend.XXXXXX");
    assert_non_null(mkdtemp(e->dir));
    env_open(e, 64 << 20, 4);
    *state = e;
    return 0;
}

static void remove_file(const struct env *e, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", e->dir, name);
    (void)unlink(path);
}

static int teardown(void **state)
{
    struct env *e = *state;

    backend_unref(e->b);
    remove_file(e, "data.mdb");
    remove_file(e, "lock.mdb");
    assert_int_equal(rmdir(e->dir), 0);
    test_free(e);
    return 0;
}

static void put(struct env *e, enum backend_table table, const char *key, const char *value)
{
    assert_int_equal(backend_put(e->w, table, view_str(key), view_str(value)), 0);
}

static void begin(struct env *e)
{
    assert_int_equal(backend_write_begin(e->b, &e->w), 0);
}

static void commit(struct env *e)
{
    assert_int_equal(backend_commit(e->w), 0);
}

static void test_records(void **state)
{
    struct env *e = *state;
    struct backend_txn *before;
    struct backend_txn *after;
    struct kvs_view value;

    assert_int_equal(backend_read_begin(e->b, &before), 0);
    begin(e);
    put(e, BACKEND_CUR, "a", "1");
    put(e, BACKEND_CUR, "a", "2");
    put(e, BACKEND_META, "a", "other table");
    assert_int_equal(backend_delete(e->w, BACKEND_CUR, view_str("x")), KVS_E_NOT_FOUND);
    commit(e);
    assert_int_equal(backend_read_begin(e->b, &after), 0);
    assert_int_equal(backend_get(before, BACKEND_CUR, view_str("a"), &value), KVS_E_NOT_FOUND);
    assert_int_equal(backend_get(after, BACKEND_CUR, view_str("a"), &value), 0);
    assert_true(view_equal_str(value, "2"));
    assert_int_equal(backend_count(after, BACKEND_CUR), 1);
    backend_end(before);
    backend_end(after);
}

static void test_abort_leaves_nothing(void **state)
{
    struct env *e = *state;
    struct backend_txn *r;
    struct kvs_view value;

    begin(e);
    put(e, BACKEND_CUR, "a", "1");
    backend_end(e->w);
    assert_int_equal(backend_read_begin(e->b, &r), 0);
    assert_int_equal(backend_get(r, BACKEND_CUR, view_str("a"), &value), KVS_E_NOT_FOUND);
    backend_end(r);
}

static void test_cursor(void **state)
{
    struct env *e = *state;
    struct backend_txn *r;
    struct backend_cursor *c;
    struct kvs_view key;
    struct kvs_view value;

    begin(e);
    put(e, BACKEND_CUR, "b", "2");
    put(e, BACKEND_CUR, "d", "4");
    put(e, BACKEND_CUR, "c", "3");
    commit(e);
    assert_int_equal(backend_read_begin(e->b, &r), 0);
    assert_int_equal(backend_cursor_open(r, BACKEND_CUR, &c), 0);
    assert_int_equal(backend_seek(c, (struct kvs_view){0}, &key, &value), 0);
    assert_true(view_equal_str(key, "b"));
    assert_int_equal(backend_next(c, &key, &value), 0);
    assert_true(view_equal_str(key, "c") && view_equal_str(value, "3"));
    assert_int_equal(backend_seek(c, view_str("cc"), &key, &value), 0);
    assert_true(view_equal_str(key, "d"));
    assert_int_equal(backend_next(c, &key, &value), KVS_E_NOT_FOUND);
    assert_int_equal(backend_seek(c, view_str("e"), &key, &value), KVS_E_NOT_FOUND);
    assert_int_equal(backend_last(c, &key, &value), 0);
    assert_true(view_equal_str(key, "d"));
    backend_cursor_close(c);
    assert_int_equal(backend_cursor_open(r, BACKEND_LEASES, &c), 0);
    assert_int_equal(backend_seek(c, (struct kvs_view){0}, &key, &value), KVS_E_NOT_FOUND);
    assert_int_equal(backend_last(c, &key, &value), KVS_E_NOT_FOUND);
    backend_cursor_close(c);
    backend_end(r);
}

static void test_duplicates(void **state)
{
    struct env *e = *state;
    struct backend_cursor *c;
    struct kvs_view key;
    struct kvs_view value;

    begin(e);
    put(e, BACKEND_IDX, "k", "v3");
    put(e, BACKEND_IDX, "k", "v1");
    put(e, BACKEND_IDX, "k", "v1"); /* again: the same one */
    put(e, BACKEND_IDX, "k", "v5");
    put(e, BACKEND_IDX, "m", "v0");
    assert_int_equal(backend_count(e->w, BACKEND_IDX), 4);
    assert_int_equal(backend_cursor_open(e->w, BACKEND_IDX, &c), 0);
    assert_int_equal(backend_seek_dup(c, view_str("k"), view_str("v2"), &value), 0);
    assert_true(view_equal_str(value, "v3"));
    assert_int_equal(backend_next_dup(c, &value), 0);
    assert_true(view_equal_str(value, "v5"));
    assert_int_equal(backend_next_dup(c, &value), KVS_E_NOT_FOUND);
    assert_int_equal(backend_seek_dup(c, view_str("k"), view_str("v6"), &value), KVS_E_NOT_FOUND);
    assert_int_equal(backend_seek_dup(c, view_str("l"), view_str("v0"), &value), KVS_E_NOT_FOUND);
    assert_int_equal(backend_seek(c, view_str("k"), &key, &value), 0);
    assert_true(view_equal_str(value, "v1"));
    assert_int_equal(backend_next(c, &key, &value), 0); /* past the other values of k */
    assert_true(view_equal_str(key, "m"));
    backend_cursor_close(c);
    assert_int_equal(backend_delete_dup(e->w, BACKEND_IDX, view_str("k"), view_str("v3")), 0);
    assert_int_equal(backend_delete_dup(e->w, BACKEND_IDX, view_str("k"), view_str("v3")),
                     KVS_E_NOT_FOUND);
    assert_int_equal(backend_count(e->w, BACKEND_IDX), 3);
    commit(e);
}

static void test_append_out_of_order_is_damage(void **state)
{
    struct env *e = *state;

    begin(e);
    assert_int_equal(backend_append(e->w, BACKEND_HIST, view_str("b"), view_str("")), 0);
    assert_int_equal(backend_append(e->w, BACKEND_HIST, view_str("a"), view_str("")),
                     KVS_E_DAMAGED);
    backend_end(e->w);
    assert_int_equal(backend_failure(e->b), KVS_E_DAMAGED);
    assert_int_equal(backend_write_begin(e->b, &e->w), KVS_E_DAMAGED); /* sticky */
}

static void test_full_map_is_sticky(void **state)
{
    struct env *e = *state;
    struct backend_txn *r;
    char value[8192] = {0};
    int err = 0;

    backend_unref(e->b);
    env_open(e, 1 << 20, 4);
    begin(e);
    for (uint32_t i = 0; err == 0 && i < 1000; i++) {
        err = backend_put(e->w, BACKEND_CUR, view_make(&i, sizeof i), view_make(value, 8192));
    }
    assert_int_equal(err, KVS_E_FULL);
    backend_end(e->w);
    assert_int_equal(backend_failure(e->b), KVS_E_FULL);
    assert_int_equal(backend_read_begin(e->b, &r), KVS_E_FULL);
    assert_true(kvs_err_is_fatal(KVS_E_FULL));
}

static void test_too_many_readers(void **state)
{
    struct env *e = *state;
    struct backend_txn *r[64];
    size_t n = 0;
    int err = 0;

    while (n < ARRAY_LEN(r) && (err = backend_read_begin(e->b, &r[n])) == 0) {
        n++;
    }
    assert_int_equal(err, KVS_E_TOO_LONG);
    assert_int_equal(backend_failure(e->b), 0);
    backend_end(r[--n]);
    assert_int_equal(backend_read_begin(e->b, &r[n]), 0);
    do {
        backend_end(r[n]);
    } while (n-- > 0);
}

static void test_directory(void **state)
{
    struct env *e = *state;
    struct backend_options options = {.dir = "/nonexistent/x"};
    struct kvs_error error = {0};
    char dir[80];
    char path[160];
    struct backend *b;
    struct stat st;

    assert_int_equal(backend_open(&options, &b, &error), KVS_E_IO);
    assert_int_equal(error.code, KVS_E_IO);
    assert_true(strlen(error.msg) > 0);
    snprintf(dir, sizeof dir, "%s/new", e->dir);
    options = (struct backend_options){.dir = dir, .map_bytes = 1 << 20};
    assert_int_equal(backend_open(&options, &b, NULL), 0);
    backend_unref(b);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(pwrite(open(path, O_WRONLY | O_CLOEXEC), "garbage", 7, 16), 7);
    assert_int_equal(backend_open(&options, &b, &error), KVS_E_DAMAGED);
    remove_file(e, "new/data.mdb");
    remove_file(e, "new/lock.mdb");
    assert_int_equal(rmdir(dir), 0);
}

static void test_size(void **state)
{
    struct env *e = *state;
    struct backend_size full;
    struct backend_size empty;
    char value[4000] = {0};

    begin(e);
    for (uint32_t i = 0; i < 500; i++) {
        assert_int_equal(
            backend_put(e->w, BACKEND_CUR, view_make(&i, sizeof i), view_make(value, 4000)), 0);
    }
    commit(e);
    assert_int_equal(backend_get_size(e->b, &full), 0);
    begin(e);
    for (uint32_t i = 0; i < 500; i++) {
        assert_int_equal(backend_delete(e->w, BACKEND_CUR, view_make(&i, sizeof i)), 0);
    }
    commit(e);
    assert_int_equal(backend_get_size(e->b, &empty), 0);
    assert_true(full.in_use_bytes > 500 * 4000);
    assert_true(empty.in_use_bytes < full.in_use_bytes / 4);
    assert_true(empty.file_bytes >= full.file_bytes);
}

static void test_copy_and_replace(void **state)
{
    struct env *e = *state;
    struct backend_txn *old;
    struct backend_txn *r;
    struct backend *copy;
    struct kvs_view value;
    char from[64];
    char path[128];
    uint64_t bytes;
    int fd;

    begin(e);
    put(e, BACKEND_CUR, "a", "copied");
    commit(e);
    assert_int_equal(backend_copy(e->b, e->dir, &fd, &bytes), 0);
    assert_true(bytes > 0);
    begin(e);
    put(e, BACKEND_CUR, "a", "later");
    commit(e);

    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    assert_int_equal(backend_copy_open(from, &copy, &r), 0);
    assert_int_equal(backend_get(r, BACKEND_CUR, view_str("a"), &value), 0);
    assert_true(view_equal_str(value, "copied"));
    backend_copy_close(copy, r);

    snprintf(path, sizeof path, "%s/incoming", e->dir);
    assert_int_equal(linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW), 0);
    close(fd);
    assert_int_equal(backend_read_begin(e->b, &old), 0);
    assert_int_equal(backend_replace(e->dir, path), 0);
    copy = e->b;
    env_open(e, 64 << 20, 4);
    assert_int_equal(backend_read_begin(e->b, &r), 0);
    assert_int_equal(backend_get(r, BACKEND_CUR, view_str("a"), &value), 0);
    assert_true(view_equal_str(value, "copied"));
    /* An open snapshot of the old file goes on as if nothing had happened. */
    assert_int_equal(backend_get(old, BACKEND_CUR, view_str("a"), &value), 0);
    assert_true(view_equal_str(value, "later"));
    backend_end(old);
    backend_unref(copy);
    backend_end(r);
    begin(e); /* and the new one can be written */
    put(e, BACKEND_CUR, "a", "new");
    commit(e);
}

static void test_copy_open_refuses_other_files(void **state)
{
    struct env *e = *state;
    char path[128];
    struct backend *b;
    struct backend_txn *txn;
    char bytes[9000];
    int fd;

    assert_int_equal(backend_copy_open("/nonexistent", &b, &txn), KVS_E_IO);
    snprintf(path, sizeof path, "%s/junk", e->dir);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(write(fd, bytes, sizeof bytes), sizeof bytes);
    close(fd);
    assert_int_equal(backend_copy_open(path, &b, &txn), KVS_E_DAMAGED);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_not_equal(backend_copy_open(path, &b, &txn), 0);
    remove_file(e, "junk");
}

#define WITH_ENV(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ENV(test_records),
        WITH_ENV(test_abort_leaves_nothing),
        WITH_ENV(test_cursor),
        WITH_ENV(test_duplicates),
        WITH_ENV(test_append_out_of_order_is_damage),
        WITH_ENV(test_full_map_is_sticky),
        WITH_ENV(test_too_many_readers),
        WITH_ENV(test_directory),
        WITH_ENV(test_size),
        WITH_ENV(test_copy_and_replace),
        WITH_ENV(test_copy_open_refuses_other_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
