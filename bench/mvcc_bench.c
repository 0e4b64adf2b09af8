/* CPU per operation of the store alone: apply, store, get, range, count, start, compaction.
 *
 *   mvcc_bench [keys] [value bytes] [directory]
 *
 * One thread; the device is inline, so that "store" is what the backend thread would spend. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/rand.h"
#include "base/view.h"
#include "mvcc/mvcc.h"

struct bench {
    struct backend_inline device;
    struct mvcc *m;
    uint64_t index;
    uint64_t keys;
    char value[4096];
    size_t value_len;
    const char *dir;
    double store_cpu;
};

static double clock_of(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void report(const char *what, double seconds, uint64_t n)
{
    printf("%-44s %10.3f us each  (%llu)\n", what, seconds * 1e6 / (double)n,
           (unsigned long long)n);
    fflush(stdout);
}

static void open_store(struct bench *b)
{
    struct mvcc_options options;
    int err;

    mvcc_options_init(&options);
    options.dir = b->dir;
    options.device = &b->device.device;
    options.hash_seed = 7;
    backend_inline_init(&b->device);
    err = mvcc_open(&options, &b->m, NULL);
    kvs_assert(err == 0);
    b->index = mvcc_applied_index(b->m);
}

static size_t key_of(uint64_t number, char *key)
{
    return (size_t)snprintf(key, 64, "/registry/pods/namespace-%02llu/pod-%010llu",
                            (unsigned long long)(number % 50), (unsigned long long)number);
}

static void store_if_due(struct bench *b, bool now)
{
    double start = cpu_s();

    if (now) {
        mvcc_flush(b->m);
    } else {
        mvcc_tick(b->m, 1);
    }
    backend_inline_drain(&b->device);
    b->store_cpu += cpu_s() - start;
}

static void put(struct bench *b, uint64_t number)
{
    char key[64];
    struct kvs_put_req req = {.key = {key, key_of(number, key)}, .value = {b->value, b->value_len}};
    struct mvcc_commit commit;
    int err;

    mvcc_txn_begin(b->m, ++b->index, 1);
    err = mvcc_txn_put(b->m, &req, NULL, NULL);
    kvs_assert(err == 0);
    mvcc_txn_end(b->m, &commit);
}

/* Puts in random order; `fresh`: each key once, in key order. */
static void bench_puts(struct bench *b, const char *what, uint64_t n, bool fresh)
{
    char line[64];
    struct rng rng;
    double start = cpu_s();

    rng_init(&rng, 1);
    b->store_cpu = 0;
    for (uint64_t i = 0; i < n; i++) {
        put(b, fresh ? i : rng_below(&rng, b->keys));
        if (i % 256 == 0) {
            store_if_due(b, false);
        }
    }
    store_if_due(b, true);
    snprintf(line, sizeof line, "%s: apply", what);
    report(line, cpu_s() - start - b->store_cpu, n);
    snprintf(line, sizeof line, "%s: store", what);
    report(line, b->store_cpu, n);
}

static void bench_get(struct bench *b, const char *what, uint64_t n)
{
    struct rng rng;
    double start = cpu_s();

    rng_init(&rng, 2);
    for (uint64_t i = 0; i < n; i++) {
        char key[64];
        struct mvcc_read r;
        struct kvs_kv kv;
        int err;

        mvcc_read_begin(b->m, &r);
        err = mvcc_get(&r, view_make(key, key_of(rng_below(&rng, b->keys), key)), 0, &kv);
        kvs_assert(err == 0);
        mvcc_read_end(&r);
    }
    report(what, cpu_s() - start, n);
}

static void bench_iter(struct bench *b, const char *what, kvs_revision rev)
{
    double start = cpu_s();
    struct mvcc_iter *it;
    struct mvcc_read r;
    struct kvs_kv kv;
    uint64_t n = 0;
    int err;

    mvcc_read_begin(b->m, &r);
    err = mvcc_iter_open(&r, VIEW_LITERAL("/"), VIEW_LITERAL("0"), rev, &it);
    kvs_assert(err == 0);
    while (mvcc_iter_next(it, &kv) == 0) {
        n++;
    }
    mvcc_iter_close(it);
    mvcc_read_end(&r);
    report(what, cpu_s() - start, n);
}

static void bench_count(struct bench *b, const char *what, kvs_revision rev)
{
    double start = cpu_s();
    struct mvcc_read r;
    int64_t n;
    int err;

    mvcc_read_begin(b->m, &r);
    err = mvcc_count(&r, VIEW_LITERAL("/"), VIEW_LITERAL("0"), rev, &n);
    kvs_assert(err == 0);
    mvcc_read_end(&r);
    report(what, cpu_s() - start, (uint64_t)n);
}

static void bench_history(struct bench *b, kvs_revision from)
{
    double start = cpu_s();
    struct mvcc_history *h;
    struct kvs_event event;
    struct mvcc_read r;
    uint64_t n = 0;
    int err;

    mvcc_read_begin(b->m, &r);
    err = mvcc_history_open(&r, from, 0, &h);
    kvs_assert(err == 0);
    while (mvcc_history_next(h, &event) == 0) {
        n++;
    }
    mvcc_history_close(h);
    mvcc_read_end(&r);
    report("history", cpu_s() - start, n);
}

static void bench_hash(struct bench *b)
{
    double start = cpu_s();
    struct mvcc_hash *h;
    uint64_t n = 0;
    int err = mvcc_hash_begin(b->m, 0, &h);

    kvs_assert(err == 0);
    while (mvcc_hash_run(h, 1000) == KVS_E_AGAIN) {
        n += 1000;
    }
    mvcc_hash_end(h, NULL);
    report("hash, per record", cpu_s() - start, n + 1);
}

static void bench_compaction(struct bench *b)
{
    kvs_revision before = mvcc_physical_revision(b->m);
    double longest = 0;
    double start = cpu_s();
    uint64_t now_ms = 1000;
    int err = mvcc_compact(b->m, mvcc_revision(b->m), ++b->index, 1);

    kvs_assert(err == 0);
    mvcc_flush(b->m);
    while (mvcc_physical_revision(b->m) < mvcc_compact_revision(b->m)) {
        double step = clock_of(CLOCK_MONOTONIC);

        now_ms += 100;
        mvcc_tick(b->m, now_ms);
        (void)backend_inline_step(&b->device);
        step = clock_of(CLOCK_MONOTONIC) - step;
        longest = step > longest ? step : longest;
    }
    report("compaction, per revision", cpu_s() - start,
           (uint64_t)(mvcc_physical_revision(b->m) - before));
    printf("%-44s %10.3f ms\n", "longest step of the compaction (wall)", longest * 1e3);
}

static void bench_start(struct bench *b)
{
    double start;

    mvcc_close(b->m);
    start = clock_of(CLOCK_MONOTONIC);
    open_store(b);
    printf("%-44s %10.3f ms (wall)\n", "start", (clock_of(CLOCK_MONOTONIC) - start) * 1e3);
}

static void print_size(struct bench *b)
{
    struct backend_size size;
    size_t overlay;

    mvcc_get_size(b->m, &size, &overlay);
    printf("%-44s %10.1f MB, in use %.1f MB\n", "file", (double)size.file_bytes / 1e6,
           (double)size.in_use_bytes / 1e6);
}

int main(int argc, char **argv)
{
    struct bench b = {.keys = 100000, .value_len = 256};
    char dir[] = "/tmp/mvcc_bench.XXXXXX";
    char file[600];

    b.keys = argc > 1 ? strtoull(argv[1], NULL, 10) : b.keys;
    b.value_len = argc > 2 ? strtoull(argv[2], NULL, 10) : b.value_len;
    kvs_assert(b.keys > 0 && b.value_len <= sizeof b.value);
    b.dir = argc > 3 ? argv[3] : mkdtemp(dir);
    memset(b.value, 'v', sizeof b.value);
    open_store(&b);
    bench_puts(&b, "put of new keys", b.keys, true);
    print_size(&b);
    bench_start(&b);
    bench_puts(&b, "put of existing keys", b.keys, false);
    print_size(&b);
    bench_get(&b, "get, from the file", 200000);
    bench_iter(&b, "range, per key", 0);
    bench_iter(&b, "range at an old revision, per key", mvcc_revision(b.m) - (int64_t)b.keys / 2);
    bench_count(&b, "count, per key", 0);
    bench_count(&b, "count at an old revision, per key", mvcc_revision(b.m) - (int64_t)b.keys / 2);
    bench_history(&b, mvcc_revision(b.m) - (int64_t)b.keys / 2);
    bench_hash(&b);
    for (uint64_t i = 0; i < b.keys && i < 20000; i++) {
        put(&b, i);
    }
    bench_get(&b, "get, with an overlay of 20,000 keys", 200000);
    bench_iter(&b, "range, with the overlay, per key", 0);
    bench_compaction(&b);
    print_size(&b);
    backend_inline_drop(&b.device);
    mvcc_close(b.m);
    snprintf(file, sizeof file, "%s/data.mdb", b.dir);
    (void)unlink(file);
    snprintf(file, sizeof file, "%s/lock.mdb", b.dir);
    (void)unlink(file);
    (void)rmdir(b.dir);
    return 0;
}
