/* The write-ahead log on a real folder: append, reopen, rotate, trim, reset, refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "replica/wal.h"
#include "replica/wal_format.h"

struct seen {
    struct wal_entry entries[4096];
    char text[4096][16];
    size_t n;
};

struct fixture {
    char root[64];
    char dir[80];
    struct wal *wal;
    struct wal_recovered recovered;
    struct kvs_error error;
    struct wal_options options;
    struct seen *seen;
};

static int see(void *ctx, const struct wal_entry *entry)
{
    struct seen *seen = ctx;
    size_t len = entry->data.len < 15 ? entry->data.len : 15;

    assert_true(seen->n < 4096);
    seen->entries[seen->n] = *entry;
    if (len > 0) {
        memcpy(seen->text[seen->n], entry->data.data, len);
    }
    seen->text[seen->n][len] = '\0';
    seen->n++;
    return 0;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    (void)snprintf(f->root, sizeof f->root, "/tmp/kvs-wal-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    (void)snprintf(f->dir, sizeof f->dir, "%s/wal", f->root);
    f->seen = calloc(1, sizeof *f->seen);
    assert_non_null(f->seen);
    f->options = (struct wal_options){
        .dir = f->dir,
        .disk = disk_posix(),
        .cluster_id = 0xc1,
        .member_id = 0x3e,
        .segment_bytes_first = 64 * 1024,
        .segment_bytes_max = 128 * 1024,
        .on_entry = see,
        .ctx = f->seen,
    };
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

    wal_abandon(f->wal);
    (void)disk_posix()->list(NULL, f->dir, remove_name, f->dir);
    (void)rmdir(f->dir);
    (void)rmdir(f->root);
    free(f->seen);
    free(f);
    return 0;
}

static int try_open(struct fixture *f)
{
    f->seen->n = 0;
    f->wal = NULL;
    return wal_open(&f->options, &f->recovered, &f->wal, &f->error);
}

static void reopen(struct fixture *f)
{
    assert_int_equal(wal_close(f->wal), 0);
    if (try_open(f) != 0) {
        fail_msg("%s", f->error.msg);
    }
    wal_check(f->wal);
}

/* Entry `index` with its index as text. */
static void append(struct fixture *f, uint64_t index, uint64_t term)
{
    char text[16];
    struct wal_entry entry = {.index = index, .term = term, .type = 1, .data.data = text};

    entry.data.len = (size_t)snprintf(text, sizeof text, "e%llu", (unsigned long long)index);
    assert_int_equal(wal_append(f->wal, NULL, &entry, 1), 0);
    wal_check(f->wal);
}

static void append_big(struct fixture *f, uint64_t index, size_t len)
{
    struct wal_entry entry = {.index = index, .term = 1, .data.len = len};

    entry.data.data = calloc(1, len);
    assert_non_null(entry.data.data);
    assert_int_equal(wal_append(f->wal, NULL, &entry, 1), 0);
    assert_int_equal(wal_sync(f->wal), 0);
    free((void *)(uintptr_t)entry.data.data);
    wal_check(f->wal);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void test_empty(void **state)
{
    struct fixture *f = *state;
    uint64_t term = 1;

    assert_int_equal(try_open(f), 0);
    assert_true(f->recovered.created);
    assert_int_equal(f->recovered.last_index, 0);
    assert_true(wal_term_at(f->wal, 0, &term));
    assert_int_equal(term, 0);
    assert_false(wal_term_at(f->wal, 1, &term));
    reopen(f);
    assert_false(f->recovered.created);
    assert_false(f->recovered.torn);
    assert_int_equal(f->recovered.cluster_id, 0xc1);
    assert_int_equal(f->recovered.member_id, 0x3e);
    assert_int_equal(f->seen->n, 0);
}

static void test_reopen(void **state)
{
    struct fixture *f = *state;
    const struct wal_hard_state hard = {.term = 3, .vote = 2, .commit = 1};
    const struct wal_entry empty = {.index = 3, .term = 3, .type = 2};
    uint64_t term;

    assert_int_equal(try_open(f), 0);
    assert_int_equal(wal_append(f->wal, &hard, NULL, 0), 0);
    append(f, 1, 1);
    append(f, 2, 1);
    assert_int_equal(wal_append(f->wal, NULL, &empty, 1), 0);
    assert_int_equal(wal_sync(f->wal), 0);
    reopen(f);
    assert_int_equal(f->recovered.hard.term, 3);
    assert_int_equal(f->recovered.hard.vote, 2);
    assert_int_equal(f->recovered.hard.commit, 1);
    assert_int_equal(f->recovered.base_index, 0);
    assert_int_equal(f->recovered.last_index, 3);
    assert_int_equal(f->recovered.last_term, 3);
    assert_int_equal(f->seen->n, 3);
    assert_string_equal(f->seen->text[1], "e2");
    assert_int_equal(f->seen->entries[1].type, 1);
    assert_int_equal(f->seen->entries[2].type, 2);
    assert_int_equal(f->seen->entries[2].data.len, 0);
    assert_true(wal_term_at(f->wal, 2, &term) && term == 1);
    assert_true(wal_term_at(f->wal, 3, &term) && term == 3);
}

static void test_overwrite(void **state)
{
    struct fixture *f = *state;
    uint64_t term;

    assert_int_equal(try_open(f), 0);
    for (uint64_t i = 1; i <= 10; i++) {
        append(f, i, 1);
    }
    append(f, 5, 2);
    append(f, 6, 2);
    append(f, 6, 4);
    assert_int_equal(wal_last_index(f->wal), 6);
    assert_true(wal_term_at(f->wal, 5, &term) && term == 2);
    reopen(f);
    assert_int_equal(f->seen->n, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(f->seen->entries[i].index, i + 1);
        assert_int_equal(f->seen->entries[i].term, i < 4 ? 1 : i == 4 ? 2 : 4);
    }
}

static void test_from_index(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(try_open(f), 0);
    for (uint64_t i = 1; i <= 2000; i++) {
        append(f, i, 1 + i / 700);
        if (i % 100 == 0) {
            append(f, i - 3, 1 + i / 700);
            append(f, i - 2, 1 + i / 700);
            append(f, i - 1, 1 + i / 700);
            append(f, i, 1 + i / 700);
        }
    }
    f->options.from_index = 1500;
    reopen(f);
    assert_int_equal(f->seen->n, 501);
    assert_int_equal(f->seen->entries[0].index, 1500);
    assert_int_equal(f->seen->entries[500].index, 2000);
    assert_string_equal(f->seen->text[500], "e2000");
    f->options.from_index = 2001;
    reopen(f);
    assert_int_equal(f->seen->n, 0);
    assert_int_equal(f->recovered.last_index, 2000);
}

static void test_rotate_and_trim(void **state)
{
    struct fixture *f = *state;
    const struct wal_hard_state hard = {.term = 1, .vote = 7};
    struct wal_stats stats;
    bool more;
    uint64_t index = 1;
    uint64_t term;

    assert_int_equal(try_open(f), 0);
    assert_int_equal(wal_append(f->wal, &hard, NULL, 0), 0);
    for (; index <= 100; index++) {
        append_big(f, index, 10000);
        do {
            assert_int_equal(wal_prepare(f->wal, &more), 0);
        } while (more);
    }
    wal_stats(f->wal, &stats);
    assert_in_range(stats.segments, 8, 14);
    assert_int_equal(stats.rotations, stats.segments - 1);

    assert_int_equal(wal_trim(f->wal, 50), 0);
    wal_check(f->wal);
    assert_in_range(wal_base_index(f->wal), 35, 50);
    assert_true(wal_term_at(f->wal, wal_base_index(f->wal), &term) && term == 1);
    assert_false(wal_term_at(f->wal, wal_base_index(f->wal) - 1, &term));
    reopen(f);
    assert_in_range(f->recovered.base_index, 35, 50);
    assert_int_equal(f->recovered.base_term, 1);
    assert_int_equal(f->recovered.hard.vote, 7); /* its record is gone */
    assert_int_equal(f->seen->n, 100 - f->recovered.base_index);
    assert_int_equal(f->seen->entries[0].index, f->recovered.base_index + 1);

    /* Everything may go but the last segment; old ones are used again. */
    assert_int_equal(wal_trim(f->wal, 100), 0);
    wal_stats(f->wal, &stats);
    assert_int_equal(stats.segments, 1);
    for (; index <= 140; index++) {
        append_big(f, index, 10000);
    }
    reopen(f);
    assert_false(f->recovered.torn);
    assert_int_equal(f->recovered.last_index, 140);
}

static void test_reset(void **state)
{
    struct fixture *f = *state;
    uint64_t term;

    assert_int_equal(try_open(f), 0);
    for (uint64_t i = 1; i <= 10; i++) {
        append(f, i, 1);
    }
    assert_int_equal(wal_reset(f->wal, 500, 9), 0);
    assert_int_equal(wal_base_index(f->wal), 500);
    reopen(f);
    assert_int_equal(f->recovered.base_index, 500);
    assert_int_equal(f->recovered.base_term, 9);
    assert_int_equal(f->recovered.last_index, 500);
    assert_int_equal(f->recovered.last_term, 9);
    assert_int_equal(f->seen->n, 0);
    append(f, 501, 9);
    append(f, 502, 10);
    reopen(f);
    assert_int_equal(f->seen->n, 2);
    assert_string_equal(f->seen->text[0], "e501");
    assert_true(wal_term_at(f->wal, 500, &term) && term == 9);
    assert_true(wal_term_at(f->wal, 502, &term) && term == 10);
}

/* An entry larger than a record, than a segment, and too large. */
static void test_large(void **state)
{
    struct fixture *f = *state;
    struct wal_entry entry = {.index = 5, .term = 1};

    assert_int_equal(try_open(f), 0);
    append_big(f, 1, 60000);
    append_big(f, 2, 700 * 1024);
    append_big(f, 3, 3 * 1024 * 1024);
    append_big(f, 4, (size_t)32 * 1024 * 1024); /* the most that a replica takes */
    entry.data = (struct kvs_view){&entry, (size_t)WAL_ENTRY_BYTES_MAX + 1};
    assert_int_equal(wal_append(f->wal, NULL, &entry, 1), KVS_E_TOO_LONG);
    append(f, 5, 1);
    reopen(f);
    assert_int_equal(f->seen->n, 5);
    assert_int_equal(f->seen->entries[2].data.len, 3 * 1024 * 1024);
}

static void test_locked(void **state)
{
    struct fixture *f = *state;
    struct wal_recovered recovered;
    struct wal *second;

    assert_int_equal(try_open(f), 0);
    assert_int_equal(wal_open(&f->options, &recovered, &second, &f->error), KVS_E_LOCKED);
    assert_int_equal(f->error.code, KVS_E_LOCKED);
    reopen(f);
}

/* Changes bytes of the first segment. */
static void patch(struct fixture *f, uint64_t offset, const void *bytes, size_t len)
{
    const struct disk *d = disk_posix();
    struct disk_file *file;
    char path[128];

    (void)snprintf(path, sizeof path, "%s/0000000000000001.wal", f->dir);
    assert_int_equal(d->open(NULL, path, DISK_OPEN, &file), 0);
    assert_int_equal(d->pwrite(NULL, file, bytes, len, offset), 0);
    d->close(NULL, file);
}

static void test_version(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(try_open(f), 0);
    assert_int_equal(wal_close(f->wal), 0);
    patch(f, 8, "\x02", 1);
    assert_int_equal(try_open(f), KVS_E_VERSION);
    assert_non_null(strstr(f->error.msg, "0000000000000001.wal"));
}

static void test_ids(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(try_open(f), 0);
    assert_int_equal(wal_close(f->wal), 0);
    f->options.member_id = 0x3f;
    assert_int_equal(try_open(f), KVS_E_DAMAGED);
    assert_non_null(strstr(f->error.msg, "member 3e of cluster c1"));
    f->options.member_id = 0;
    f->options.cluster_id = 0;
    assert_int_equal(try_open(f), 0);
    assert_int_equal(f->recovered.member_id, 0x3e);
}

static void test_options(void **state)
{
    struct fixture *f = *state;

    f->options.segment_bytes_first = 1000;
    assert_int_equal(try_open(f), KVS_E_INVALID);
    f->options.segment_bytes_first = 256 * 1024; /* above max */
    assert_int_equal(try_open(f), KVS_E_INVALID);
    f->options.segment_bytes_first = 0;
    f->options.segment_bytes_max = 0;
    f->options.dir = "/tmp/kvs-no-such-folder/wal";
    assert_int_equal(try_open(f), KVS_E_NOT_FOUND);
}

static int refuse(void *ctx, const struct wal_entry *entry)
{
    (void)ctx;
    return entry->index == 2 ? KVS_E_MALFORMED : 0;
}

static void test_entry_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(try_open(f), 0);
    append(f, 1, 1);
    append(f, 2, 1);
    assert_int_equal(wal_close(f->wal), 0);
    f->options.on_entry = refuse;
    assert_int_equal(try_open(f), KVS_E_MALFORMED);
}

/* The bytes are a contract: docs/format.md. */
static void test_format(void **state)
{
    struct fixture *f = *state;
    const struct wal_hard_state hard = {.term = 0x1122, .vote = 0x33, .commit = 0x44};
    const struct wal_entry entry = {.index = 1, .term = 0x55, .type = 6, .data = {"seven", 5}};
    uint8_t bytes[4096 + 256];
    char path[128];
    FILE *file;

    assert_int_equal(try_open(f), 0);
    assert_int_equal(wal_append(f->wal, &hard, &entry, 1), 0);
    assert_int_equal(wal_sync(f->wal), 0);
    (void)snprintf(path, sizeof path, "%s/0000000000000001.wal", f->dir);
    file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    (void)fclose(file);

    assert_memory_equal(bytes, "KVSWAL\r\n", 8);
    assert_int_equal(load_le32(bytes + 8), 1);
    assert_int_equal(load_le64(bytes + 16), 1);
    assert_int_equal(load_le64(bytes + 24), 64 * 1024);
    assert_int_equal(load_le64(bytes + 32), 0xc1);
    assert_int_equal(load_le64(bytes + 40), 0x3e);

    assert_int_equal(load_le64(bytes + 4096 + 16), 4096); /* synced */
    assert_int_equal(load_le32(bytes + 4096 + 24), 24);   /* length */
    assert_int_equal(bytes[4096 + 32], 1);                /* HARD */
    assert_int_equal(load_le64(bytes + 4136), 0x1122);
    assert_int_equal(load_le64(bytes + 4144), 0x33);
    assert_int_equal(load_le64(bytes + 4152), 0x44);

    assert_int_equal(load_le32(bytes + 4160 + 24), 16 + 16 + 5);
    assert_int_equal(load_le32(bytes + 4160 + 28), 1);
    assert_int_equal(bytes[4160 + 32], 2); /* ENTRIES */
    assert_int_equal(load_le64(bytes + 4200), 1);
    assert_int_equal(load_le64(bytes + 4208), 0);
    assert_int_equal(load_le64(bytes + 4216), 0x55);
    assert_int_equal(load_le32(bytes + 4224), 5);
    assert_int_equal(bytes[4228], 6);
    assert_memory_equal(bytes + 4232, "seven\0\0\0", 8);
}

int main(void)
{
#define WAL_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        WAL_TEST(test_empty),      WAL_TEST(test_reopen),          WAL_TEST(test_overwrite),
        WAL_TEST(test_from_index), WAL_TEST(test_rotate_and_trim), WAL_TEST(test_reset),
        WAL_TEST(test_large),      WAL_TEST(test_locked),          WAL_TEST(test_version),
        WAL_TEST(test_ids),        WAL_TEST(test_options),         WAL_TEST(test_entry_refused),
        WAL_TEST(test_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
