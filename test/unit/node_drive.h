/* For tests of lib/node: one whole node without threads. Its disk jobs and its time move only when
 * the test says so; the log is on a virtual disk, the store in a temporary folder. With `n_members`
 * above 1 the others never answer, so that there is no leader. */
#ifndef TEST_UNIT_NODE_DRIVE_H
#define TEST_UNIT_NODE_DRIVE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "node/ident.h"
#include "node/node.h"
#include "replica/log_inline.h"
#include "replica/wal.h"
#include "sim_disk.h"

enum {
    DRIVE_TICK_MS = 100,
    DRIVE_ELECTION_MS = 1000,
    DRIVE_TURNS_MAX = 2000,
    DRIVE_PEERS_MAX = 32,
};

struct drive_peer {
    uint64_t id;
    char url[64]; /* the first */
};

struct drive {
    /* Before drive_open. */
    unsigned n_members;  /* 0: 1 */
    int64_t quota_bytes; /* 0: plenty */
    uint32_t max_request_bytes;

    char dir[64];
    struct sim_disk *disk;
    struct ident_cluster cluster;
    struct arena arena;
    struct backend_inline backend;
    struct log_device *log;
    struct transport transport;
    struct clock clock;
    uint64_t now_ns;
    struct node *node;
    struct list works;
    bool refuse_works; /* as without memory */
    bool hold_works;
    bool woken;
    bool closed;
    unsigned n_stopped;
    int stop_code;

    /* What the transport was told. */
    struct drive_peer peers[DRIVE_PEERS_MAX];
    size_t n_peers;
    uint64_t removed[DRIVE_PEERS_MAX];
    size_t n_removed;
    bool admits_guests;
};

/* --- what the node needs --- */

static inline uint64_t drive_clock_ns(void *ctx)
{
    return ((struct drive *)ctx)->now_ns;
}

static inline uint64_t drive_wall_ns(void *ctx)
{
    return UINT64_C(1700000000000000000) + drive_clock_ns(ctx);
}

static inline void drive_wake(void *ctx)
{
    ((struct drive *)ctx)->woken = true;
}

static inline void drive_stopped(void *ctx, int code, const char *text)
{
    struct drive *d = ctx;

    kvs_assert(*text != '\0');
    d->n_stopped++;
    d->stop_code = code;
}

static inline int drive_submit_work(void *ctx, struct node_work *w)
{
    struct drive *d = ctx;

    if (d->refuse_works) {
        return KVS_E_NOMEM;
    }
    list_push_back(&d->works, &w->link);
    return 0;
}

static inline void drive_progress(void *ctx)
{
    struct drive *d = ctx;

    if (d->node != NULL) {
        node_store_progress(d->node);
    }
}

static inline void drive_set_events(struct transport *t, const struct transport_events *events)
{
    (void)t;
    (void)events;
}

static inline int
drive_set_peers(struct transport *t, const struct transport_peer *peers, size_t n_peers)
{
    struct drive *d = container_of(t, struct drive, transport);

    kvs_assert(n_peers <= DRIVE_PEERS_MAX);
    d->n_peers = n_peers;
    for (size_t i = 0; i < n_peers; i++) {
        int n = snprintf(d->peers[i].url, sizeof d->peers[i].url, "%s",
                         peers[i].n_urls > 0 ? peers[i].urls[0] : "");

        kvs_assert(n >= 0 && (size_t)n < sizeof d->peers[i].url);
        d->peers[i].id = peers[i].id;
    }
    return 0;
}

static inline int drive_set_removed(struct transport *t, const uint64_t *ids, size_t n_ids)
{
    struct drive *d = container_of(t, struct drive, transport);

    kvs_assert(n_ids <= DRIVE_PEERS_MAX);
    d->n_removed = n_ids;
    if (n_ids > 0) {
        memcpy(d->removed, ids, n_ids * sizeof *ids);
    }
    return 0;
}

static inline void drive_admit_guests(struct transport *t, bool admit)
{
    container_of(t, struct drive, transport)->admits_guests = admit;
}

static inline void
drive_send(struct transport *t, uint64_t to, enum transport_stream stream, struct rcbuf *frame)
{
    (void)t;
    (void)to;
    (void)stream;
    rcbuf_unref(frame);
}

static inline void drive_flush(struct transport *t)
{
    (void)t;
}

static inline void
drive_reset_stream(struct transport *t, uint64_t to, enum transport_stream stream)
{
    (void)t;
    (void)to;
    (void)stream;
}

static inline bool
drive_peer_stats(struct transport *t, uint64_t peer, struct transport_peer_stats *ret_stats)
{
    (void)t;
    (void)peer;
    (void)ret_stats;
    return false;
}

static const struct transport_ops drive_transport = {
    .set_events = drive_set_events,
    .set_peers = drive_set_peers,
    .set_removed = drive_set_removed,
    .admit_guests = drive_admit_guests,
    .send = drive_send,
    .flush = drive_flush,
    .reset_stream = drive_reset_stream,
    .peer_stats = drive_peer_stats,
};

/* --- turns --- */

static inline bool drive_run_work(struct drive *d)
{
    struct list *it = list_pop_front(&d->works);

    if (it == NULL) {
        return false;
    }
    struct node_work *w = list_entry(it, struct node_work, link);

    w->run(w);
    w->done(w);
    return true;
}

/* What one turn of a loop may bring. */
static inline void drive_turn(struct drive *d)
{
    (void)log_inline_run(d->log, 0);
    log_deliver(d->log);
    (void)backend_inline_step(&d->backend);
    if (!d->hold_works) {
        (void)drive_run_work(d);
    }
    if (d->woken) {
        d->woken = false;
        node_flush(d->node);
    }
}

static inline void drive_tick(struct drive *d)
{
    d->now_ns += (uint64_t)DRIVE_TICK_MS * 1000000;
    node_tick(d->node);
    drive_turn(d);
    drive_turn(d);
}

static inline void drive_pass_ms(struct drive *d, unsigned ms)
{
    for (unsigned at = 0; at < ms; at += DRIVE_TICK_MS) {
        drive_tick(d);
    }
}

/* Ticks until `cond`; aborts if it does not come. */
#define DRIVE_UNTIL(d, cond)                                                                       \
    do {                                                                                           \
        for (unsigned turn_ = 0; !(cond); turn_++) {                                               \
            kvs_assert(turn_ < DRIVE_TURNS_MAX);                                                   \
            drive_tick(d);                                                                         \
        }                                                                                          \
    } while (0)

/* --- life --- */

static inline void drive_init(struct drive *d)
{
    const char *tmp = getenv("TMPDIR");
    int n;

    *d = (struct drive){.now_ns = 1000000000};
    d->clock = (struct clock){drive_clock_ns, drive_wall_ns, d};
    d->transport.ops = &drive_transport;
    d->disk = sim_disk_new(42);
    arena_init(&d->arena, 0);
    list_init(&d->works);
    n = snprintf(d->dir, sizeof d->dir, "%s/node.XXXXXX",
                 tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
    kvs_assert(n > 0 && mkdtemp(d->dir) != NULL);
}

static inline int drive_open_wal(struct drive *d,
                                 uint64_t stored,
                                 struct replica_state *state,
                                 struct wal_recovered *found,
                                 struct wal **ret_wal)
{
    struct kvs_error error = {0};
    const struct wal_options options = {
        .dir = "wal",
        .disk = sim_disk_vtable(d->disk),
        .cluster_id = d->cluster.cluster_id,
        .member_id = d->cluster.members[0].id,
        .segment_bytes_first = WAL_SEGMENT_BYTES_MIN,
        .segment_bytes_max = 4 * WAL_SEGMENT_BYTES_MIN,
        .from_index = stored > 100 ? stored - 100 : 0,
        .on_entry = replica_state_entry,
        .ctx = state,
    };
    const struct wal_hard_state hard = {.term = 1};
    int err = wal_open(&options, found, ret_wal, &error);

    if (err != 0) {
        return err;
    }
    state->hard = (struct core_hard_state){found->hard.term, found->hard.vote, found->hard.commit};
    if (stored == 0 && found->last_index == 0) {
        state->hard = (struct core_hard_state){.term = 1, .commit = 1};
        err = wal_reset(*ret_wal, 1, 1);
        err = err != 0 ? err : wal_append(*ret_wal, &hard, NULL, 0);
        err = err != 0 ? err : wal_sync(*ret_wal);
    }
    if (err != 0) {
        (void)wal_close(*ret_wal);
    }
    return err;
}

static inline int drive_bootstrap(struct drive *d)
{
    uint64_t ids[IDENT_MEMBERS_MAX];
    struct replica_state first;
    struct rcbuf *conf = NULL;
    int err;

    for (size_t i = 0; i < d->cluster.n_members; i++) {
        ids[i] = d->cluster.members[i].id;
    }
    err = replica_bootstrap(ids, d->cluster.n_members, &first);
    if (err == 0) {
        err = core_conf_entry_encode(&first.applied.conf, (struct kvs_view){0}, &conf);
    }
    if (err == 0) {
        err = apply_bootstrap(node_apply(d->node), d->cluster.cluster_id, d->cluster.members,
                              d->cluster.n_members, rcbuf_view(conf));
    }
    rcbuf_unref(conf);
    if (err == 0) {
        mvcc_flush(node_mvcc(d->node));
        backend_inline_drain(&d->backend);
        err = mvcc_failure(node_mvcc(d->node));
    }
    return err == 0 && !mvcc_is_clean(node_mvcc(d->node)) ? KVS_E_NOMEM : err;
}

static inline int drive_new_node(struct drive *d, struct mvcc *mvcc)
{
    const struct node_config config = {
        .cluster_id = d->cluster.cluster_id,
        .member_id = d->cluster.members[0].id,
        .name = "drive",
        .data_dir = d->dir,
        .cluster_token = "drive",
        .tick_ms = DRIVE_TICK_MS,
        .heartbeat_ms = DRIVE_TICK_MS,
        .election_ms = DRIVE_ELECTION_MS,
        .snapshot_count = 100,
        .quota_bytes = d->quota_bytes != 0 ? d->quota_bytes : INT64_C(1) << 40,
        .max_request_bytes = d->max_request_bytes != 0 ? d->max_request_bytes : 1572864,
        .max_txn_ops = 128,
        .max_learners = 1,
        .progress_notify_ms = 1000,
        .strict_reconfig = true,
    };
    const struct node_env env = {
        .clock = &d->clock,
        .seed = 7,
        .backend_device = &d->backend.device,
        .log_device = d->log,
        .transport = &d->transport,
        .submit_work = drive_submit_work,
        .wake = drive_wake,
        .stopped = drive_stopped,
        .ctx = d,
    };

    return node_new(&config, &env, mvcc, &d->node);
}

static inline int drive_open_store(struct drive *d, struct mvcc **ret_mvcc)
{
    struct kvs_error error = {0};
    struct mvcc_options options;

    mvcc_options_init(&options);
    options.dir = d->dir;
    options.map_bytes = 64 * 1024 * 1024;
    options.device = &d->backend.device;
    options.freeze_bytes = 16 * 1024;
    options.freeze_ms = 300;
    options.compact_step = 50;
    options.hash_seed = 42;
    options.progress = drive_progress;
    options.progress_ctx = d;
    return mvcc_open(&options, ret_mvcc, &error);
}

static inline void drive_log_closed(void *ctx)
{
    ((struct drive *)ctx)->log = NULL;
}

static inline void drive_node_closed(void *ctx)
{
    struct drive *d = ctx;

    d->closed = true;
    d->node = NULL;
}

static inline void drive_close_log(struct drive *d)
{
    if (d->log == NULL) {
        return;
    }
    log_close(d->log, drive_log_closed, d);
    while (d->log != NULL) {
        (void)log_inline_run(d->log, 0);
        log_deliver(d->log);
    }
}

static inline void drive_begin_close(struct drive *d)
{
    d->closed = false;
    node_close(d->node, drive_node_closed, d);
}

/* Lets what the node waits for come to its end. */
static inline void drive_finish_close(struct drive *d)
{
    for (unsigned turn = 0; !d->closed; turn++) {
        kvs_assert(turn < DRIVE_TURNS_MAX);
        (void)log_inline_run(d->log, 0);
        log_deliver(d->log);
        (void)backend_inline_step(&d->backend);
        (void)drive_run_work(d);
    }
    drive_close_log(d);
}

static inline void drive_close(struct drive *d)
{
    drive_begin_close(d);
    drive_finish_close(d);
}

static inline int drive_make_cluster(struct drive *d)
{
    char text[256] = "n0=http://drive:1000";
    struct kvs_error error;

    for (unsigned i = 1; i < d->n_members; i++) {
        size_t len = strlen(text);

        (void)snprintf(text + len, sizeof text - len, ",n%u=http://drive:%u", i, 1000 + i);
    }
    return ident_parse_cluster(text, "drive", &d->arena, &d->cluster, &error);
}

/* A failure leaves nothing behind but what is on disk. */
static inline int drive_open(struct drive *d)
{
    struct replica_state state = {0};
    struct wal_recovered found;
    struct mvcc *mvcc = NULL;
    struct wal *wal = NULL;
    bool fresh;
    int err;

    backend_inline_init(&d->backend);
    d->n_stopped = 0;
    d->stop_code = 0;
    d->n_peers = d->n_removed = 0;
    d->admits_guests = false;
    err = drive_make_cluster(d);
    err = err != 0 ? err : drive_open_store(d, &mvcc);
    if (err != 0) {
        return err;
    }
    fresh = mvcc_stored_index(mvcc) == 0;
    err = drive_open_wal(d, mvcc_stored_index(mvcc), &state, &found, &wal);
    if (err == 0) {
        err = log_inline_new(wal, &d->clock, NULL, NULL, &d->log);
        if (err != 0) {
            (void)wal_close(wal);
        }
    }
    if (err != 0) {
        replica_state_fini(&state);
        mvcc_close(mvcc);
        return err;
    }
    err = drive_new_node(d, mvcc);
    if (err == 0) {
        err = fresh ? drive_bootstrap(d) : 0;
        err = err != 0 ? err : node_start(d->node, &state);
        d->woken = true;
        if (err != 0) {
            drive_close(d);
        }
    } else {
        drive_close_log(d);
    }
    replica_state_fini(&state);
    return err;
}

static inline void drive_fini(struct drive *d)
{
    DIR *dir = opendir(d->dir);
    struct dirent *entry;
    char path[512];

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        (void)snprintf(path, sizeof path, "%s/%s", d->dir, entry->d_name);
        (void)unlink(path);
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)rmdir(d->dir);
    sim_disk_free(d->disk);
    arena_fini(&d->arena);
}

/* --- requests --- */

struct drive_write {
    struct node_write write;
    struct arena arena;
    unsigned n_calls;
    struct drive *drive;
    struct drive_write *victim; /* cancelled from inside the callback */
    bool again;                 /* asks once more from inside the callback */
    int again_err;
};

static inline int drive_put(struct drive *d, struct drive_write *w, const char *key, size_t len);

static inline void drive_write_cb(struct node_write *write)
{
    struct drive_write *w = container_of(write, struct drive_write, write);

    w->n_calls++;
    if (w->victim != NULL) {
        node_write_cancel(w->drive->node, &w->victim->write);
        w->victim = NULL;
    }
    if (w->again) {
        struct node_write *next = &w->write;
        const struct kvs_put_req req = {.key = VIEW_LITERAL("again")};

        w->again = false;
        w->again_err = node_put(w->drive->node, &req, next);
    }
}

static inline void drive_write_init(struct drive *d, struct drive_write *w)
{
    *w = (struct drive_write){.drive = d};
    arena_init(&w->arena, 0);
    w->write.cb = drive_write_cb;
    w->write.arena = &w->arena;
}

static inline void drive_write_fini(struct drive_write *w)
{
    arena_fini(&w->arena);
}

static inline int drive_put(struct drive *d, struct drive_write *w, const char *key, size_t len)
{
    static const char zeros[65536];
    const struct kvs_put_req req = {.key = view_str(key), .value = view_make(zeros, len)};

    kvs_assert(len <= sizeof zeros);
    return node_put(d->node, &req, &w->write);
}

/* Puts and waits; the status of the answer. */
static inline int drive_put_wait(struct drive *d, const char *key, size_t len)
{
    struct drive_write w;
    int err;

    drive_write_init(d, &w);
    err = drive_put(d, &w, key, len);
    if (err == 0) {
        DRIVE_UNTIL(d, w.n_calls > 0);
        err = w.write.status != 0 ? w.write.status : w.write.result.status;
    }
    drive_write_fini(&w);
    return err;
}

#endif
