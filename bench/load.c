/* Load generator for any server of etcd's v3 API: the phases of a run, the same for all workloads.
 * It is on the raw RPC client, so that it costs less than what it measures. */
#include "load.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "loop/addr.h"

enum { LOAD_SAMPLE_MS = 20, LOAD_SETTLE_MS = 2000, LOAD_DRAIN_MS = 5000, LOAD_SETUP_MS = 60000 };

uint64_t load_now_ns(const struct load *l)
{
    return clock_ns(loop_clock(l->loop));
}

struct kvs_view load_key(const struct load *l, uint64_t number, char *text)
{
    int len = snprintf(text, 300, "%s%08" PRIu64, l->options.prefix, number);

    return view_make(text, (size_t)len);
}

struct kvs_view load_prefix(const struct load *l)
{
    return view_str(l->options.prefix);
}

/* Prefixes are text, so the last byte can be counted up. */
struct kvs_view load_prefix_end(struct load *l)
{
    size_t len = strlen(l->options.prefix);

    memcpy(l->prefix_end, l->options.prefix, len);
    l->prefix_end[len - 1]++;
    return view_make(l->prefix_end, len);
}

void load_count_error(struct load *l, enum rpc_status status, const char *text)
{
    struct load_result *r = &l->result;

    if (r->n_errors++ == 0) {
        (void)snprintf(r->first_error, sizeof r->first_error, "%s: %s", rpc_status_name(status),
                       text);
        for (char *at = r->first_error; *at != '\0'; at++) {
            if (*at == '"' || *at == '\\' || iscntrl((unsigned char)*at)) {
                *at = '\''; /* It goes into JSON. */
            }
        }
    }
}

/* ---- phases ---- */

static uint64_t own_cpu_us(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void load_on_sample(struct loop_timer *t)
{
    struct load *l = container_of(t, struct load, sample);
    struct procs_sample now = procs_sample(&l->options.servers);

    l->rss_max_kb = now.rss_kb > l->rss_max_kb ? now.rss_kb : l->rss_max_kb;
    l->anon_max_kb = now.anon_kb > l->anon_max_kb ? now.anon_kb : l->anon_max_kb;
}

static void load_end(struct load *l)
{
    l->phase = LOAD_DONE;
    l->measure_end_ns = load_now_ns(l);
    l->after = procs_sample(&l->options.servers);
    l->own_cpu_us = own_cpu_us() - l->own_cpu_us;
    load_on_sample(&l->sample);
    loop_stop(l->loop);
}

void load_finish(struct load *l)
{
    bool drains = l->options.workload == LOAD_WATCH;

    if (l->phase == LOAD_MEASURING && drains && !load_watch_is_drained(l)) {
        l->phase = LOAD_DRAINING;
        loop_timer_start(&l->phase_timer, LOAD_DRAIN_MS);
    } else if (load_is_counting(l)) {
        load_end(l);
    }
}

void load_fail(struct load *l, const char *what, const char *why)
{
    if (l->phase != LOAD_DONE) {
        (void)fprintf(stderr, "kvsbench: %s: %s\n", what, why);
    }
    l->status = 1;
    l->phase = LOAD_DONE;
    loop_stop(l->loop);
}

static void load_measure(struct load *l)
{
    l->phase = LOAD_MEASURING;
    l->own_cpu_us = own_cpu_us();
    l->measure_begin_ns = load_now_ns(l);
    if (l->options.workload != LOAD_IDLE) {
        l->before = procs_sample(&l->options.servers);
    }
    loop_timer_start_repeat(&l->sample, 1, LOAD_SAMPLE_MS);
    if (l->options.workload != LOAD_FILL) {
        loop_timer_start(&l->phase_timer, (uint64_t)l->options.seconds * 1000);
    }
}

/* What a workload sets up before the clock runs, and what it then does. NULL: nothing. */
static const struct {
    void (*prepare)(struct load *l); /* calls load_prepared when done */
    void (*start)(struct load *l);
} load_steps[LOAD_WORKLOAD_COUNT] = {
    [LOAD_FILL] = {NULL, load_unary_start},
    [LOAD_PUT] = {NULL, load_unary_start},
    [LOAD_GET] = {NULL, load_unary_start},
    [LOAD_MIXED] = {NULL, load_unary_start},
    [LOAD_RANGE] = {NULL, load_unary_start},
    [LOAD_COMPACT] = {NULL, load_unary_start},
    [LOAD_WATCH] = {load_watch_prepare, load_watch_start},
    [LOAD_IDLE] = {load_watch_prepare, NULL},
    [LOAD_KEEPALIVE] = {load_lease_prepare, load_lease_start},
};

void load_prepared(struct load *l)
{
    uint64_t warmup_ms = l->options.warmup_ms;

    l->phase = LOAD_WARMING;
    if (l->options.workload == LOAD_FILL) {
        load_measure(l); /* Counts all that it does. */
    } else {
        loop_timer_start(&l->phase_timer, warmup_ms > 0 ? warmup_ms : 1);
    }
    if (load_steps[l->options.workload].start != NULL) {
        load_steps[l->options.workload].start(l);
    }
}

static void load_on_phase(struct loop_timer *t)
{
    struct load *l = container_of(t, struct load, phase_timer);

    switch (l->phase) {
    case LOAD_CONNECTING:
    case LOAD_PREPARING:
        load_fail(l, "set-up", "takes more than a minute");
        break;
    case LOAD_WARMING:
        load_measure(l);
        if (l->options.workload == LOAD_COMPACT) {
            load_compact(l);
        }
        break;
    case LOAD_MEASURING:
    case LOAD_DRAINING:
        load_finish(l);
        break;
    case LOAD_DONE:
        break;
    }
}

static void load_prepare(struct load *l)
{
    l->phase = LOAD_PREPARING;
    if (l->options.workload == LOAD_IDLE) {
        l->before = procs_sample(&l->options.servers); /* With connections, without watches. */
    }
    if (load_steps[l->options.workload].prepare != NULL) {
        load_steps[l->options.workload].prepare(l);
    } else {
        load_prepared(l);
    }
}

static void load_on_settled(struct loop_timer *t)
{
    load_prepare(container_of(t, struct load, tick));
}

static void load_on_state(void *ctx, enum rpc_client_state state, const char *text)
{
    struct load *l = ctx;

    if (state == RPC_CLIENT_BACKOFF && l->phase == LOAD_CONNECTING) {
        load_fail(l, "cannot connect", text);
    }
    if (state != RPC_CLIENT_READY || ++l->n_connected != l->n_clients) {
        return;
    }
    if (l->options.workload == LOAD_IDLE) {
        loop_timer_init(l->loop, &l->tick, load_on_settled);
        loop_timer_start(&l->tick, LOAD_SETTLE_MS);
    } else {
        load_prepare(l);
    }
}

/* ---- set-up ---- */

/* Connection i goes to endpoint i modulo their number. */
static bool load_connect_one(struct load *l, size_t i)
{
    struct rpc_client_options o = {.on_state = load_on_state, .ctx = l, .wait_for_ready = true};
    const char *at = l->options.endpoints;
    char url[NET_TEXT_MAX];
    size_t n = 1;

    for (const char *c = at; *c != '\0'; c++) {
        n += *c == ',';
    }
    for (size_t skip = i % n; skip > 0; skip--) {
        at = strchr(at, ',') + 1;
    }
    (void)snprintf(url, sizeof url, "%.*s", (int)strcspn(at, ","), at);
    return net_addr_parse(url, &o.target) == 0 && rpc_client_new(l->loop, &o, &l->clients[i]) == 0;
}

static bool load_connect(struct load *l)
{
    /* Set before the first of them may be ready: none is, within this turn. */
    l->n_clients = l->options.connections;
    for (size_t i = 0; i < l->n_clients; i++) {
        if (!load_connect_one(l, i)) {
            (void)fprintf(stderr, "kvsbench: bad endpoints: %s\n", l->options.endpoints);
            return false;
        }
    }
    return true;
}

static bool load_init(struct load *l)
{
    const struct load_options *o = &l->options;
    bool has_streams =
        o->workload == LOAD_WATCH || o->workload == LOAD_IDLE || o->workload == LOAD_KEEPALIVE;

    rng_init(&l->rng, o->seed);
    buf_init(&l->request);
    arena_init(&l->arena, 0);
    l->n_ops = o->clients;
    l->n_streams = !has_streams ? 0 : o->workload == LOAD_KEEPALIVE ? o->clients : o->streams;
    l->clients = kvs_calloc(o->connections, sizeof(*l->clients));
    l->ops = kvs_calloc(l->n_ops, sizeof(*l->ops));
    l->streams = kvs_calloc(l->n_streams + 1, sizeof(*l->streams));
    l->value = kvs_malloc(o->value_bytes);
    if (l->clients == NULL || l->ops == NULL || l->streams == NULL || l->value == NULL ||
        loop_new(&l->loop) != 0) {
        (void)fprintf(stderr, "kvsbench: out of memory\n");
        return false;
    }
    for (unsigned i = 0; i < o->value_bytes; i++) {
        l->value[i] = (uint8_t)rng_next(&l->rng);
    }
    loop_timer_init(l->loop, &l->phase_timer, load_on_phase);
    loop_timer_init(l->loop, &l->sample, load_on_sample);
    loop_timer_start(&l->phase_timer, LOAD_SETUP_MS);
    return load_connect(l);
}

/* A descriptor per connection: as many as the system allows. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct load *l;

    raise_limits();
    l = kvs_calloc(1, sizeof *l);
    if (l == NULL || !load_options_parse(&l->options, argc, argv) || !load_init(l)) {
        return 2;
    }
    loop_run(l->loop);
    if (l->status == 0) {
        load_report(l);
    }
    /* The process ends here: unwinding 10,000 streams would only delay the next measurement. */
    return l->status;
}
