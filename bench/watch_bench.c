/* Watches without network: memory of 10,000 watchers, cost of an event for 1,000 watchers of one
 * key, and of a change that one of 10,000 prefix watchers wants. Counted bytes are those asked of
 * the allocator. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/view.h"
#include "watch/watch.h"

#define ROUNDS       20000
#define VALUE_BYTES  256
#define CREDIT_BYTES ((size_t)1 << 40)

static size_t allocated; /* of the process; one thread */

struct counted {
    size_t size;
    max_align_t data[];
};

static void *count_realloc(void *ctx, void *old, size_t size)
{
    struct counted *block = old != NULL ? container_of(old, struct counted, data) : NULL;
    size_t before = block != NULL ? block->size : 0;

    (void)ctx;
    block = realloc(block, sizeof *block + size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    allocated += size - before;
    return block->data;
}

static void count_free(void *ctx, void *memory)
{
    struct counted *block = container_of(memory, struct counted, data);

    (void)ctx;
    allocated -= block->size;
    free(block);
}

static struct watch_hub *hub_new(void)
{
    struct watch_config config = {.revision = 1, .seed = 1};
    struct watch_hub *hub = watch_hub_new(&config);

    kvs_assert(hub != NULL);
    return hub;
}

static void create(struct watch_hub *hub, struct watch_stream *s, const char *key, const char *end)
{
    struct watch_create req = {
        .key = view_str(key), .range_end = view_str(end), .prev_kv = true, .progress_notify = true};
    struct watch_effects effects;

    watch_effects_init(&effects);
    kvs_assert(watch_create(hub, s, &req, &effects) == 0 && effects.items[0].reason == 0);
    watch_effects_fini(&effects);
}

/* Nanoseconds per commit, each of one put of `key`. */
static uint64_t
commits(struct watch_hub *hub, const char *key, kvs_revision *revision, size_t expected)
{
    static char value[VALUE_BYTES];
    struct kvs_event event = {.kv = {.key = view_str(key), .value = {value, sizeof value}}};
    struct watch_effects effects;
    uint64_t start = clock_ns(clock_system());

    event.has_prev = true;
    event.prev_kv = event.kv;
    watch_effects_init(&effects);
    for (int i = 0; i < ROUNDS; i++) {
        event.kv.mod_revision = ++*revision;
        watch_on_commit(hub, *revision, &event, 1, &effects);
        kvs_assert(effects.len == expected);
        watch_effects_clear(&effects);
    }
    watch_effects_fini(&effects);
    return (clock_ns(clock_system()) - start) / ROUNDS;
}

static void bench_one_key(size_t n_watchers)
{
    struct watch_hub *hub = hub_new();
    struct watch_stream *s = watch_stream_open(hub, CREDIT_BYTES, NULL);
    kvs_revision revision = 1;
    uint64_t ns;

    kvs_assert(s != NULL);
    for (size_t i = 0; i < n_watchers; i++) {
        create(hub, s, "/registry/pods/default/one", "");
    }
    ns = commits(hub, "/registry/pods/default/one", &revision, n_watchers);
    printf("%zu watchers of one key: %" PRIu64 " ns per commit, %.1f ns per delivery\n", n_watchers,
           ns, (double)ns / (double)n_watchers);
    watch_stream_close(hub, s);
    watch_hub_free(hub);
}

static void bench_prefixes(size_t n_watchers)
{
    size_t before = allocated;
    struct watch_hub *hub = hub_new();
    struct watch_stream **streams = kvs_calloc(n_watchers, sizeof(struct watch_stream *));
    kvs_revision revision = 1;
    uint64_t ns;

    kvs_assert(streams != NULL);
    for (size_t i = 0; i < n_watchers; i++) {
        char key[64];
        char end[64];

        (void)snprintf(key, sizeof key, "/registry/pods/namespace-%05zu/", i);
        (void)snprintf(end, sizeof end, "/registry/pods/namespace-%05zu0", i);
        streams[i] = watch_stream_open(hub, CREDIT_BYTES, NULL);
        kvs_assert(streams[i] != NULL);
        create(hub, streams[i], key, end);
    }
    printf("%zu watchers of prefixes, each on a stream of its own: %zu bytes each\n", n_watchers,
           (allocated - before) / n_watchers);
    ns = commits(hub, "/registry/pods/namespace-04711/x", &revision, 1);
    printf("%zu watchers of prefixes, one wants it: %" PRIu64 " ns per commit\n", n_watchers, ns);
    ns = commits(hub, "/registry/secrets/x/y", &revision, 0);
    printf("%zu watchers of prefixes, none wants it: %" PRIu64 " ns per commit\n", n_watchers, ns);
    for (size_t i = 0; i < n_watchers; i++) {
        watch_stream_close(hub, streams[i]);
    }
    watch_hub_free(hub);
    kvs_free(streams);
}

int main(void)
{
    static const struct kvs_allocator counting = {count_realloc, count_free, NULL};

    kvs_alloc_set(&counting);
    bench_one_key(1);
    bench_one_key(1000);
    bench_prefixes(10000);
    kvs_alloc_set(NULL);
    return 0;
}
