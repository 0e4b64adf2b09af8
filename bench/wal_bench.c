/* How fast is the write-ahead log on this disk, and how should it prepare its segments?
 *
 *   wal_bench DIR [seconds]
 *
 * Appends batches of 1, 64 and 1000 entries of 256 bytes, one sync each, into segments of zeros and
 * into segments of reserved blocks, alternating, and prints one line for each. Preparation of the
 * next segment is part of the work, as it is in the log thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "replica/wal.h"

enum { ENTRY_BYTES = 256, BATCH_MAX = 1000, SAMPLES_MAX = 200000, ROUNDS = 2 };

struct bench {
    char dir[256];
    uint64_t *samples; /* ns of each batch */
    size_t n_samples;
};

static int compare_u64(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static double percentile_ms(struct bench *b, unsigned percent)
{
    return (double)b->samples[b->n_samples * percent / 100] / 1e6;
}

static void remove_dir(const char *dir)
{
    char command[320];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0) {
        (void)fprintf(stderr, "wal_bench: cannot remove %s\n", dir);
    }
}

/* Appends for `seconds`; 0 or an error. */
static int run(struct bench *b, enum wal_prealloc prealloc, size_t batch, double seconds)
{
    static uint8_t data[ENTRY_BYTES];
    static struct wal_entry entries[BATCH_MAX];
    const struct wal_options options = {.dir = b->dir, .disk = disk_posix(), .prealloc = prealloc};
    const struct clock *clock = clock_system();
    struct wal_recovered recovered;
    struct kvs_error error;
    struct wal_stats stats;
    struct wal *w;
    uint64_t index = 1;
    uint64_t start;
    uint64_t end;
    bool more;
    int rv = wal_open(&options, &recovered, &w, &error);

    if (rv != 0) {
        (void)fprintf(stderr, "wal_bench: %s\n", error.msg);
        return rv;
    }
    b->n_samples = 0;
    start = clock_ns(clock);
    end = start + (uint64_t)(seconds * 1e9);
    for (uint64_t now = start; rv == 0 && now < end && b->n_samples < SAMPLES_MAX;) {
        uint64_t after;

        for (size_t i = 0; i < batch; i++) {
            entries[i] =
                (struct wal_entry){.index = index++, .term = 1, .data = {data, ENTRY_BYTES}};
        }
        rv = wal_append(w, NULL, entries, batch);
        rv = rv != 0 ? rv : wal_sync(w);
        after = clock_ns(clock);
        b->samples[b->n_samples++] = after - now;
        rv = rv != 0 ? rv : wal_prepare(w, &more);
        if (b->n_samples % 512 == 0) {
            rv = rv != 0 ? rv : wal_trim(w, index - 1); /* As the state machine would. */
        }
        now = clock_ns(clock);
    }
    end = clock_ns(clock);
    wal_stats(w, &stats);
    if (rv == 0 && b->n_samples > 0) {
        qsort(b->samples, b->n_samples, sizeof *b->samples, compare_u64);
        (void)printf("%-8s %5zu entries/sync %9.0f entries/s  %7.1f MB/s  p50 %6.3f ms  p99 %7.3f "
                     "ms  max %7.3f ms  %llu rotations\n",
                     prealloc == WAL_PREALLOC_ZERO ? "zeros" : "reserve", batch,
                     (double)(index - 1) * 1e9 / (double)(end - start),
                     (double)stats.bytes_written * 1e3 / (double)(end - start),
                     percentile_ms(b, 50), percentile_ms(b, 99),
                     (double)b->samples[b->n_samples - 1] / 1e6,
                     (unsigned long long)stats.rotations);
        (void)fflush(stdout);
    }
    return rv != 0 ? rv : wal_close(w);
}

int main(int argc, char **argv)
{
    static const size_t batches[] = {1, 64, 1000};
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 2.0;
    struct bench b = {.samples = malloc(SAMPLES_MAX * sizeof(uint64_t))};
    int rv = 0;

    if (argc < 2 || b.samples == NULL) {
        (void)fprintf(stderr, "usage: wal_bench DIR [seconds]\n");
        free(b.samples);
        return 2;
    }
    (void)snprintf(b.dir, sizeof b.dir, "%s/wal_bench.%ld", argv[1], (long)getpid());
    for (size_t i = 0; rv == 0 && i < sizeof batches / sizeof batches[0]; i++) {
        for (int round = 0; rv == 0 && round < 2 * ROUNDS; round++) {
            rv = run(&b, round % 2 == 0 ? WAL_PREALLOC_ZERO : WAL_PREALLOC_RESERVE, batches[i],
                     seconds);
            remove_dir(b.dir);
        }
    }
    free(b.samples);
    return rv == 0 ? 0 : 1;
}
