/* One store in a directory of its own, with the device in the test's hand, and short ways to write
 * and ask. */
#ifndef TEST_MVCC_FIXTURE_H
#define TEST_MVCC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/view.h"
#include "mvcc/mvcc.h"

struct fixture {
    char dir[64];
    struct backend_inline device;
    struct mvcc *m;
    struct arena arena;
    uint64_t index;
    struct mvcc_commit commit; /* of the last write */
    int progress;
};

static inline void fixture_progress(void *ctx)
{
    struct fixture *f = ctx;

    f->progress++;
}

static inline struct mvcc_options fixture_options(struct fixture *f)
{
    struct mvcc_options options;

    mvcc_options_init(&options);
    options.dir = f->dir;
    options.map_bytes = (size_t)256 << 20;
    options.device = &f->device.device;
    options.freeze_ms = 1000;
    options.compact_step = 3;
    options.progress = fixture_progress;
    options.progress_ctx = f;
    return options;
}

static inline void fixture_open(struct fixture *f)
{
    struct mvcc_options options = fixture_options(f);

    backend_inline_init(&f->device);
    assert_int_equal(mvcc_open(&options, &f->m, NULL), 0);
    f->index = mvcc_applied_index(f->m);
}

static inline void fixture_close(struct fixture *f)
{
    backend_inline_drop(&f->device);
    mvcc_close(f->m);
    f->m = NULL;
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f); /* not cmocka's: a test may set up again */

    assert_non_null(f);
    snprintf(f->dir, sizeof f->dir, "/tmp/mvcc.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    arena_init(&f->arena, 0);
    fixture_open(f);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    char path[128];

    if (f->m != NULL) {
        fixture_close(f);
    }
    snprintf(path, sizeof path, "%s/data.mdb", f->dir);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/lock.mdb", f->dir);
    (void)unlink(path);
    assert_int_equal(rmdir(f->dir), 0);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

/* Stores everything. */
static inline void fixture_store(struct fixture *f)
{
    mvcc_flush(f->m);
    backend_inline_drain(&f->device);
    assert_true(mvcc_is_clean(f->m));
}

static inline int
fixture_put_req(struct fixture *f, const struct kvs_put_req *req, struct kvs_put_resp *resp)
{
    int err;

    mvcc_txn_begin(f->m, ++f->index, 1);
    err = mvcc_txn_put(f->m, req, &f->arena, resp);
    mvcc_txn_end(f->m, &f->commit);
    return err;
}

static inline void fixture_put(struct fixture *f, const char *key, const char *value)
{
    struct kvs_put_req req = {.key = view_str(key), .value = view_str(value)};

    assert_int_equal(fixture_put_req(f, &req, NULL), 0);
}

static inline int64_t fixture_delete(struct fixture *f, const char *key, const char *end)
{
    struct kvs_delete_req req = {.key = view_str(key), .range_end = view_str(end)};
    struct kvs_delete_resp resp;

    mvcc_txn_begin(f->m, ++f->index, 1);
    assert_int_equal(mvcc_txn_delete(f->m, &req, &f->arena, &resp), 0);
    mvcc_txn_end(f->m, &f->commit);
    return resp.deleted;
}

static inline int fixture_compact(struct fixture *f, kvs_revision rev)
{
    return mvcc_compact(f->m, rev, ++f->index, 1);
}

/* Runs the steps of the compaction to the end. */
static inline void fixture_compact_physically(struct fixture *f)
{
    static uint64_t now_ms = 1000000;

    fixture_store(f);
    for (int i = 0; mvcc_physical_revision(f->m) < mvcc_compact_revision(f->m); i++) {
        assert_true(i < 10000);
        now_ms += 1000;
        mvcc_tick(f->m, now_ms);
        backend_inline_drain(&f->device);
    }
}

static inline struct mvcc_hash_result fixture_hash(struct fixture *f, kvs_revision rev)
{
    struct mvcc_hash_result result;
    struct mvcc_hash *h;
    int err;

    assert_int_equal(mvcc_hash_begin(f->m, rev, &h), 0);
    while ((err = mvcc_hash_run(h, 2)) == KVS_E_AGAIN) {
    }
    assert_int_equal(err, 0);
    mvcc_hash_end(h, &result);
    return result;
}

/* Records in hist; idx has as many unless a compaction is under way. */
static inline uint64_t fixture_hist_count(struct fixture *f)
{
    struct backend *b = mvcc_backend_ref(f->m);
    struct backend_txn *txn;
    uint64_t count;

    assert_int_equal(backend_read_begin(b, &txn), 0);
    count = backend_count(txn, BACKEND_HIST);
    assert_int_equal(backend_count(txn, BACKEND_IDX), count);
    backend_end(txn);
    backend_unref(b);
    return count;
}

static inline int
fixture_range(struct fixture *f, const struct kvs_range_req *req, struct kvs_range_resp *resp)
{
    struct mvcc_read r;
    int err;

    mvcc_read_begin(f->m, &r);
    err = mvcc_range(&r, req, &f->arena, resp);
    mvcc_read_end(&r); /* the snapshot stays open: the store still has it */
    return err;
}

/* The keys of a response in one string: "a b c". */
static inline const char *fixture_keys(struct fixture *f, const struct kvs_range_resp *resp)
{
    char *text = arena_alloc(&f->arena, 1000);
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < resp->n_kvs; i++) {
        at += (size_t)snprintf(text + at, 1000 - at, "%s%.*s", i > 0 ? " " : "",
                               (int)resp->kvs[i].key.len, (const char *)resp->kvs[i].key.data);
    }
    return text;
}

/* The value of `key` as of `rev`, or NULL. */
static inline const char *fixture_get(struct fixture *f, const char *key, kvs_revision rev)
{
    struct kvs_kv kv;
    struct mvcc_read r;
    const char *value = NULL;
    int err;

    mvcc_read_begin(f->m, &r);
    err = mvcc_get(&r, view_str(key), rev, &kv);
    if (err == 0) {
        value = arena_strndup(&f->arena, kv.value.data, kv.value.len);
    } else {
        assert_int_equal(err, KVS_E_NOT_FOUND);
    }
    mvcc_read_end(&r);
    return value;
}

#endif
