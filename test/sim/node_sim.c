#include "node_sim.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/checksum.h"
#include "base/view.h"
#include "replica/core.h"
#include "replica/log_inline.h"
#include "replica/wal.h"

/* --- verdicts --- */

void sim_fail(const struct sim *s, const char *format, ...)
{
    va_list args;

    (void)fflush(stdout);
    (void)fprintf(stderr, "seed %" PRIu64 ", %" PRIu64 " us: ", s->seed, s->now_us);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\n");
    abort();
}

void sim_trace(const struct sim *s, const char *format, ...)
{
    va_list args;

    if (!s->trace) {
        return;
    }
    printf("%9.3f ", (double)s->now_us / 1000.0);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    printf("\n");
    (void)fflush(stdout);
}

/* --- events --- */

static bool sim_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void sim_push(struct sim *s, struct sim_event *e)
{
    size_t i;

    if (s->heap_len == s->heap_capacity) {
        s->heap_capacity = s->heap_capacity > 0 ? s->heap_capacity * 2 : 1024;
        s->heap = kvs_realloc(s->heap, s->heap_capacity * sizeof(struct sim_event *));
        kvs_assert(s->heap != NULL);
    }
    i = s->heap_len++;
    while (i > 0 && sim_before(e, s->heap[(i - 1) / 2])) {
        s->heap[i] = s->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    s->heap[i] = e;
}

static struct sim_event *sim_pop(struct sim *s)
{
    struct sim_event *top = s->heap[0];
    struct sim_event *last = s->heap[--s->heap_len];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= s->heap_len) {
            break;
        }
        if (child + 1 < s->heap_len && sim_before(s->heap[child + 1], s->heap[child])) {
            child++;
        }
        if (!sim_before(s->heap[child], last)) {
            break;
        }
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = last;
    return top;
}

void sim_at(
    struct sim *s, uint64_t after_us, sim_fn fn, struct sim_node *node, void *arg, uint64_t number)
{
    struct sim_event *e = kvs_malloc(sizeof *e);

    kvs_assert(e != NULL);
    *e = (struct sim_event){
        .at_us = s->now_us + after_us,
        .order = s->order++,
        .fn = fn,
        .node = node,
        .life = node != NULL ? node->life : 0,
        .arg = arg,
        .number = number,
    };
    sim_push(s, e);
}

void sim_note(struct sim *s, uint64_t fact)
{
    const uint64_t both[2] = {s->hash, fact};

    s->hash = checksum64(both, sizeof both, 0);
}

static uint64_t sim_clock_ns(void *ctx)
{
    return ((struct sim *)ctx)->now_us * 1000;
}

static uint64_t sim_wall_ns(void *ctx)
{
    return UINT64_C(1700000000000000000) + sim_clock_ns(ctx);
}

/* --- disks --- */

static uint64_t sim_disk_us(struct sim_node *n)
{
    return (50 + rng_below(&n->sim->rng, n->sim->faults.disk_us_max + 1)) * n->disk_slowness;
}

static bool sim_is_paused(const struct sim_node *n)
{
    return n->paused_until_us > n->sim->now_us;
}

bool sim_is_running(const struct sim_node *n)
{
    return n->up && !n->stopped && !sim_is_paused(n);
}

/* The end of a loop turn. A real loop takes all that is ready before it flushes: what came while
 * the node was paused, and now and then events that are close together. */
static void sim_settle(struct sim_node *n)
{
    const struct sim *s = n->sim;

    if (s->heap_len > 0 && s->heap[0]->node == n && s->heap[0]->at_us <= s->now_us) {
        return;
    }
    if (n->up && n->woken && rng_percent(&n->sim->rng, 10)) {
        return; /* after the next event, whosever it is */
    }
    if (n->up && n->woken && n->node != NULL && !sim_is_paused(n)) {
        n->woken = false;
        node_flush(n->node);
    }
}

static void sim_log_submitted(void *ctx);

static void sim_log_done(struct sim *s, struct sim_event *e)
{
    (void)s;
    log_deliver(e->node->log);
}

/* What is durable and what is known to be are two moments: a crash may come between them. */
static void sim_run_log(struct sim *s, struct sim_event *e)
{
    struct sim_node *n = e->node;

    n->log_scheduled = false;
    (void)log_inline_run(n->log, rng_percent(&s->rng, 25) ? 1 : 0);
    sim_at(s, 1 + rng_below(&s->rng, 100), sim_log_done, n, NULL, 0);
    if (log_inline_waiting(n->log) > 0) {
        sim_log_submitted(n);
    }
}

static void sim_log_submitted(void *ctx)
{
    struct sim_node *n = ctx;

    if (!n->log_scheduled) {
        n->log_scheduled = true;
        sim_at(n->sim, sim_disk_us(n), sim_run_log, n, NULL, 0);
    }
}

static void sim_run_backend(struct sim *s, struct sim_event *e)
{
    struct sim_node *n = e->node;

    n->backend_scheduled = false;
    (void)backend_inline_step(&n->backend);
    if (!list_empty(&n->backend.jobs)) {
        n->backend_scheduled = true;
        sim_at(s, 10 * sim_disk_us(n), sim_run_backend, n, NULL, 0);
    }
}

static void sim_run_works(struct sim *s, struct sim_event *e);

static void sim_schedule_works(struct sim_node *n)
{
    if (!n->works_scheduled && !list_empty(&n->works)) {
        n->works_scheduled = true;
        sim_at(n->sim, sim_disk_us(n), sim_run_works, n, NULL, 0);
    }
}

static void sim_run_works(struct sim *s, struct sim_event *e)
{
    struct sim_node *n = e->node;
    struct list *it = list_pop_front(&n->works);

    (void)s;
    n->works_scheduled = false;
    if (it != NULL) {
        struct node_work *w = list_entry(it, struct node_work, link);

        w->run(w);
        w->done(w);
    }
    sim_schedule_works(n);
}

static int sim_submit_work(void *ctx, struct node_work *w)
{
    struct sim_node *n = ctx;

    list_push_back(&n->works, &w->link);
    sim_schedule_works(n);
    return 0;
}

static void sim_schedule_backend(struct sim_node *n)
{
    if (n->up && !n->backend_scheduled && !list_empty(&n->backend.jobs)) {
        n->backend_scheduled = true;
        sim_at(n->sim, 10 * sim_disk_us(n), sim_run_backend, n, NULL, 0);
    }
}

/* --- a node's life --- */

static void sim_wake(void *ctx)
{
    ((struct sim_node *)ctx)->woken = true;
}

static void sim_stopped(void *ctx, int code, const char *text)
{
    struct sim_node *n = ctx;

    sim_trace(n->sim, "node %u stopped: %s", n->at, text);
    n->stopped = true;
    n->stop_code = code;
}

static void sim_progress(void *ctx)
{
    struct sim_node *n = ctx;

    if (n->node != NULL) {
        node_store_progress(n->node);
    }
}

static void sim_tick(struct sim *s, struct sim_event *e)
{
    struct sim_node *n = e->node;

    if (n->up && n->life == e->life) {
        node_tick(n->node);
        sim_at(s, SIM_TICK_MS * 1000, sim_tick, n, NULL, 0);
    }
}

static struct mvcc *sim_open_store(struct sim_node *n)
{
    struct kvs_error error = {0};
    struct mvcc_options options;
    struct mvcc *mvcc;
    int err;

    mvcc_options_init(&options);
    options.dir = n->dir;
    options.map_bytes = 64 * 1024 * 1024;
    options.device = &n->backend.device;
    options.freeze_bytes = n->sim->store_batch_bytes;
    options.freeze_ms = 1000;
    options.compact_step = 50;
    options.hash_seed = n->sim->seed;
    options.progress = sim_progress;
    options.progress_ctx = n;
    err = mvcc_open(&options, &mvcc, &error);
    if (err != 0) {
        sim_fail(n->sim, "node %u does not start: %s", n->at, error.msg);
    }
    return mvcc;
}

static struct wal *sim_open_wal(struct sim_node *n,
                                uint64_t stored,
                                struct replica_state *state,
                                struct wal_recovered *found)
{
    struct kvs_error error = {0};
    const struct wal_options options = {
        .dir = "wal",
        .disk = sim_disk_vtable(n->disk),
        .cluster_id = n->sim->cluster.cluster_id,
        .member_id = n->id,
        .segment_bytes_first = WAL_SEGMENT_BYTES_MIN,
        .segment_bytes_max = WAL_SEGMENT_BYTES_MIN,
        .from_index = stored > n->sim->snapshot_count ? stored - n->sim->snapshot_count : 0,
        .on_entry = replica_state_entry,
        .ctx = state,
    };
    struct wal *wal;
    int err = wal_open(&options, found, &wal, &error);

    if (err != 0) {
        sim_fail(n->sim, "node %u does not start: %s", n->at, error.msg);
    }
    state->hard = (struct core_hard_state){found->hard.term, found->hard.vote, found->hard.commit};
    return wal;
}

static void sim_must(struct sim *s, int err, const char *what)
{
    if (err != 0) {
        sim_fail(s, "%s: %s", what, kvs_strerror(err));
    }
}

static void sim_new_node(struct sim_node *n, struct mvcc *mvcc)
{
    struct sim *s = n->sim;
    const struct node_config config = {
        .cluster_id = s->cluster.cluster_id,
        .member_id = n->id,
        .name = "sim",
        .data_dir = n->dir,
        .cluster_token = "sim",
        .tick_ms = SIM_TICK_MS,
        .heartbeat_ms = SIM_TICK_MS,
        .election_ms = SIM_ELECTION_MS,
        .snapshot_count = s->snapshot_count,
        .limits = s->limits,
        .quota_bytes = INT64_C(1) << 40,
        .max_request_bytes = 1572864,
        .max_txn_ops = 128,
        .progress_notify_ms = 5000,
        .strict_reconfig = s->strict_reconfig,
    };
    const struct node_env env = {
        .clock = &s->clock,
        .seed = s->seed * 31 + n->at + 977 * n->life,
        .log = s->log,
        .backend_device = &n->backend.device,
        .log_device = n->log,
        .transport = &n->transport,
        .submit_work = sim_submit_work,
        .wake = sim_wake,
        .stopped = sim_stopped,
        .ctx = n,
    };

    sim_must(s, node_new(&config, &env, mvcc, &n->node), "node_new");
}

static void sim_bootstrap(struct sim_node *n, struct wal *wal, struct replica_state *state)
{
    const struct wal_hard_state hard = {.term = 1};

    sim_must(n->sim, wal_reset(wal, 1, 1), "bootstrap");
    sim_must(n->sim, wal_append(wal, &hard, NULL, 0), "bootstrap");
    sim_must(n->sim, wal_sync(wal), "bootstrap");
    state->hard = (struct core_hard_state){.term = 1, .commit = 1};
}

static void sim_bootstrap_store(struct sim_node *n)
{
    struct sim *s = n->sim;
    uint64_t ids[SIM_NODES_MAX];
    struct replica_state first;
    struct rcbuf *conf;

    for (size_t i = 0; i < s->cluster.n_members; i++) {
        ids[i] = s->cluster.members[i].id;
    }
    sim_must(s, replica_bootstrap(ids, s->cluster.n_members, &first), "bootstrap");
    sim_must(s, core_conf_entry_encode(&first.applied.conf, (struct kvs_view){0}, &conf),
             "bootstrap");
    sim_must(s,
             apply_bootstrap(node_apply(n->node), s->cluster.cluster_id, s->cluster.members,
                             s->cluster.n_members, rcbuf_view(conf)),
             "bootstrap");
    rcbuf_unref(conf);
    mvcc_flush(node_mvcc(n->node));
    backend_inline_drain(&n->backend);
}

static void sim_start(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct replica_state state = {0};
    struct wal_recovered found;
    struct wal *wal;
    struct mvcc *mvcc;
    bool new_cluster;

    backend_inline_init(&n->backend);
    list_init(&n->works);
    sim_net_start(n);
    n->paused_until_us = 0;
    n->seen_commit = n->seen_applied = 0;
    n->log_scheduled = n->backend_scheduled = n->works_scheduled = false;
    n->stopped = false;
    n->closed = false;
    mvcc = sim_open_store(n);
    wal = sim_open_wal(n, mvcc_stored_index(mvcc), &state, &found);
    new_cluster = n->founder && mvcc_applied_index(mvcc) == 0 && found.last_index <= 1;
    if (new_cluster && found.last_index == 0) {
        sim_bootstrap(n, wal, &state);
    }
    sim_must(s, log_inline_new(wal, &s->clock, sim_log_submitted, n, &n->log), "log");
    sim_new_node(n, mvcc);
    if (new_cluster) {
        sim_bootstrap_store(n);
    }
    n->up = true;
    sim_must(s, node_start(n->node, &state), "start");
    replica_state_fini(&state);
    n->woken = true;
    sim_at(s, 1000 + rng_below(&s->rng, SIM_TICK_MS * 1000), sim_tick, n, NULL, 0);
    if (s->hooks.started != NULL) {
        s->hooks.started(s->hooks.ctx, n);
    }
}

static void sim_node_closed(void *ctx)
{
    struct sim_node *n = ctx;

    n->closed = true;
    n->node = NULL;
}

static void sim_log_closed(void *ctx)
{
    ((struct sim_node *)ctx)->log = NULL;
}

/* Lets all that the node waits for come to its end: on a dead disk, or on a good one. */
static void sim_close(struct sim_node *n)
{
    if (n->sim->hooks.closing != NULL) {
        n->sim->hooks.closing(n->sim->hooks.ctx, n);
    }
    n->up = false;
    n->life++;
    n->has_events = false;
    node_close(n->node, sim_node_closed, n);
    while (!n->closed) {
        struct list *it;

        (void)log_inline_run(n->log, 0);
        log_deliver(n->log);
        if (sim_disk_is_off(n->disk)) {
            backend_inline_drop(&n->backend);
        } else {
            backend_inline_drain(&n->backend);
        }
        it = list_pop_front(&n->works);
        if (it != NULL) {
            struct node_work *w = list_entry(it, struct node_work, link);

            w->run(w);
            w->done(w);
        }
    }
    log_close(n->log, sim_log_closed, n);
    while (n->log != NULL) {
        (void)log_inline_run(n->log, 0);
        log_deliver(n->log);
    }
    n->life++; /* what closing has scheduled is void, too */
}

static void sim_resume(struct sim *s, struct sim_event *e)
{
    (void)s;
    e->node->woken = true;
}

void sim_end(struct sim_node *n, enum sim_end how)
{
    static const char *const names[] = {"loses power", "is killed", "ends"};
    struct sim_disk *left = NULL;

    kvs_assert(n->up);
    n->sim->crashes++;
    sim_trace(n->sim, "node %u %s", n->at, names[how]);
    sim_note(n->sim, 0xdead0000 + n->at * 16 + (uint64_t)how);
    if (how == SIM_END_KILL) {
        left = sim_disk_clone(n->disk, rng_next(&n->sim->rng));
    }
    if (how != SIM_END_CLEAN) {
        sim_disk_cut_at(n->disk, 1);
    }
    sim_close(n);
    if (left != NULL) {
        sim_disk_free(n->disk);
        n->disk = left;
    } else if (how == SIM_END_POWER) {
        sim_disk_power_cycle(n->disk);
    }
    sim_disk_fail_at(n->disk, 0, 0);
    sim_disk_set_capacity(n->disk, 0);
}

void sim_restart(struct sim_node *n)
{
    kvs_assert(!n->up && n->member);
    sim_trace(n->sim, "node %u starts", n->at);
    sim_note(n->sim, 0xbeef0000 + n->at);
    sim_start(n);
}

void sim_pause(struct sim_node *n, uint64_t for_us)
{
    sim_trace(n->sim, "node %u pauses for %" PRIu64 " us", n->at, for_us);
    n->paused_until_us = n->sim->now_us + for_us;
    /* Something has to flush it afterwards. */
    sim_at(n->sim, for_us, sim_resume, n, NULL, 0);
}

/* --- the cluster --- */

static const struct sim_faults sim_no_faults = {.delay_us_max = 2000, .disk_us_max = 1000};

static int sim_remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void sim_remove_tree(const char *path)
{
    (void)nftw(path, sim_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void sim_new_disk(struct sim_node *n)
{
    n->disk = sim_disk_new(n->sim->seed * 7 + n->at + n->life * UINT64_C(1009));
}

void sim_wipe(struct sim_node *n)
{
    kvs_assert(!n->up && n->member);
    sim_trace(n->sim, "node %u is wiped", n->at);
    sim_remove_tree(n->dir);
    sim_disk_free(n->disk);
    sim_new_disk(n);
    n->member = false;
    n->founder = false;
    n->seen_stored = n->led_term = 0;
    n->id = 0;
}

static void sim_make_node(struct sim *s, unsigned at)
{
    struct sim_node *n = &s->nodes[at];
    char url[64];

    n->sim = s;
    n->at = at;
    (void)snprintf(n->dir, sizeof n->dir, "%s/%u", s->root, at);
    (void)snprintf(url, sizeof url, "http://sim:%u", 1000 + at);
    n->peer_url = view_str(arena_strndup(&s->arena, url, strlen(url)));
    n->disk_slowness = 1;
    sim_new_disk(n);
}

static void sim_make_cluster(struct sim *s)
{
    char text[1024] = "";
    struct kvs_error error;

    for (unsigned i = 0; i < s->n_founders; i++) {
        size_t len = strlen(text);

        (void)snprintf(text + len, sizeof text - len, "%sn%u=http://sim:%u", i > 0 ? "," : "", i,
                       1000 + i);
    }
    sim_must(s, ident_parse_cluster(text, "sim", &s->arena, &s->cluster, &error), "cluster");
    for (unsigned i = 0; i < s->n_founders; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "n%u", i);
        s->nodes[i].id = ident_find_name(&s->cluster, name)->id;
        s->nodes[i].member = s->nodes[i].founder = true;
    }
}

void sim_init(struct sim *s, uint64_t seed, unsigned n_founders, const char *scratch, bool trace)
{
    kvs_assert(n_founders >= 1 && n_founders <= SIM_NODES_MAX);
    *s = (struct sim){.seed = seed, .n_founders = n_founders, .trace = trace};
    rng_init(&s->rng, seed);
    arena_init(&s->arena, 0);
    s->clock = (struct clock){sim_clock_ns, sim_wall_ns, s};
    s->now_us = 1000000;
    s->faults = sim_no_faults;
    s->strict_reconfig = true;
    s->snapshot_count = 64;
    s->store_batch_bytes = 16 * 1024;
    s->log = trace ? log_new(LOG_INFO, LOG_FORMAT_CONSOLE, NULL, NULL) : NULL;
    (void)snprintf(s->root, sizeof s->root, "%s/%" PRIu64, scratch, seed);
    kvs_assert(mkdir(s->root, 0700) == 0);
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        sim_make_node(s, i);
    }
    sim_make_cluster(s);
}

void sim_start_founders(struct sim *s)
{
    for (unsigned i = 0; i < s->n_founders; i++) {
        sim_start(&s->nodes[i]);
    }
}

static void sim_free_events(struct sim *s)
{
    for (size_t i = 0; i < s->heap_len; i++) {
        if (s->heap[i]->fn == sim_deliver) {
            struct sim_frame *f = s->heap[i]->arg;

            rcbuf_unref(f->frame);
            kvs_free(f);
        }
        kvs_free(s->heap[i]);
    }
    kvs_free(s->heap);
}

void sim_fini(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        if (s->nodes[i].up) {
            sim_close(&s->nodes[i]);
        }
        sim_disk_free(s->nodes[i].disk);
    }
    sim_free_events(s);
    kvs_free(s->entry_terms);
    kvs_free(s->term_leaders);
    log_free(s->log);
    arena_fini(&s->arena);
    sim_remove_tree(s->root);
}

bool sim_run(struct sim *s, uint64_t for_us, bool (*done)(struct sim *s, void *ctx), void *ctx)
{
    uint64_t until_us = s->now_us + for_us;

    while (s->heap_len > 0 && s->heap[0]->at_us <= until_us) {
        struct sim_event *e = sim_pop(s);
        bool stale = e->node != NULL && e->life != e->node->life && e->fn != sim_deliver;

        kvs_assert(e->at_us >= s->now_us);
        s->now_us = e->at_us;
        if (++s->events > SIM_EVENTS_MAX) {
            sim_fail(s, "too much happens: nodes keep each other busy");
        }
        if (!stale && e->node != NULL && e->node->up && e->at_us < e->node->paused_until_us) {
            e->at_us = e->node->paused_until_us; /* in the order in which it came */
            sim_push(s, e);
            continue;
        }
        if (!stale) {
            e->fn(s, e);
        }
        kvs_free(e);
        for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
            sim_settle(&s->nodes[i]);
            sim_schedule_backend(&s->nodes[i]);
        }
        sim_check_step(s);
        if (done != NULL && done(s, ctx)) {
            return true;
        }
    }
    s->now_us = until_us;
    return done == NULL || done(s, ctx);
}

void sim_calm(struct sim *s)
{
    memset(s->cut, 0, sizeof s->cut);
    s->faults = sim_no_faults;
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        s->nodes[i].disk_slowness = 1;
        s->nodes[i].paused_until_us = 0;
        sim_disk_fail_at(s->nodes[i].disk, 0, 0);
        sim_disk_set_capacity(s->nodes[i].disk, 0);
    }
}

void sim_heal(struct sim *s)
{
    sim_trace(s, "all is well again");
    sim_calm(s);
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        if (s->nodes[i].member && !s->nodes[i].up) {
            sim_restart(&s->nodes[i]);
        }
    }
}

struct sim_node *sim_leader(struct sim *s)
{
    struct sim_node *leader = NULL;

    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        struct sim_node *n = &s->nodes[i];

        if (n->up && !n->stopped && replica_is_leader(node_replica(n->node)) &&
            (leader == NULL ||
             replica_term(node_replica(n->node)) > replica_term(node_replica(leader->node)))) {
            leader = n;
        }
    }
    return leader;
}

struct sim_node *sim_spare(struct sim *s)
{
    for (unsigned i = 0; i < SIM_NODES_MAX; i++) {
        if (!s->nodes[i].member) {
            return &s->nodes[i];
        }
    }
    return NULL;
}

void sim_join(struct sim_node *n, uint64_t id)
{
    kvs_assert(!n->member);
    sim_trace(n->sim, "node %u joins as %" PRIx64, n->at, id);
    n->id = id;
    n->member = n->joining = true;
    sim_start(n);
}
