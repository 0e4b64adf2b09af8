/* A cluster of replicas in one thread for the driver's tests: virtual time, a network of queues
 * that can be cut, real write-ahead logs on an inline device, and a state machine that is a running
 * checksum, so that equal state means equal history.
 *
 * A snapshot is the state blown up to `snapshot_bytes`; sources and sinks answer one turn later. */
#ifndef TEST_REPLICA_CLUSTER_H
#define TEST_REPLICA_CLUSTER_H

#include "test_base.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/view.h"
#include "replica/log_inline.h"
#include "replica/peer_frame.h"
#include "replica/replica.h"

enum { OPENS_MAX = 8, MEMBERS_MAX = 7, TICK_MS = 100, TURN_MS = 5 };

struct cluster;

/* What the state machine is worth at an index. */
struct machine {
    uint64_t index;
    uint64_t term;
    uint64_t sum;
    uint64_t n_data; /* DATA entries applied */
    struct core_conf conf;
};

struct net_item {
    struct list node;
    uint64_t from;
    uint64_t to;
    enum transport_stream stream;
    struct rcbuf *frame; /* NULL: `to` hears that `from` is unreachable */
};

/* A source or sink that waits for its answer. */
struct pending {
    struct list node;
    snapshot_cb cb;
    void *ctx;
    int status;
};

struct member {
    struct cluster *cluster;
    uint64_t id;
    bool up;
    char dir[160];
    struct replica *r;
    struct log_device *device;
    struct transport transport;
    struct transport_events events;
    bool has_events;

    struct machine live;    /* applied */
    struct machine durable; /* survives a restart */
    bool woken;
    bool removed;
    bool closed;
    int fatal;
    uint64_t leader;
    uint64_t term;
    bool leads;
    unsigned n_leader_changes;
    unsigned n_dropped;
    int dropped_reason;
    unsigned n_conf_applied;
    char context[64]; /* of the last configuration */
    char app[64];     /* last application message */
    uint64_t app_from;
    struct list pending;
    struct replica_snapshot_open *opens[OPENS_MAX];
    size_t n_opens;
    bool snapshots_refused;
    unsigned n_installed;
    unsigned n_sources;
};

struct cluster {
    uint64_t now_ms;
    struct clock clock;
    struct member members[MEMBERS_MAX + 1]; /* by id */
    size_t n;
    bool cut[MEMBERS_MAX + 1][MEMBERS_MAX + 1];
    struct list net;
    uint64_t seed;
    struct replica_limits limits;
    uint64_t snapshot_bytes;
    uint64_t chunks_seen;
    uint64_t flip_chunk; /* the n-th chunk (from 1) arrives with other data; 0: none */
    uint64_t cut_chunk;  /* before the n-th chunk its connection breaks; 0: none */
    char root[128];
    struct disk disk;
};

/* ---- failures ---- */

/* While `armed`, the allocation after `left` others fails, and all later ones do. */
static struct {
    bool armed;
    unsigned left;
    unsigned failed;
} cluster_alloc;

static KVS_UNUSED void *cluster_realloc(void *ctx, void *old, size_t size)
{
    (void)ctx;
    if (cluster_alloc.armed) {
        if (cluster_alloc.left == 0) {
            cluster_alloc.failed++;
            return NULL;
        }
        cluster_alloc.left--;
    }
    return realloc(old, size);
}

static KVS_UNUSED void cluster_release(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

/* The harness's own memory never fails. */
static void *own_alloc(size_t size)
{
    bool armed = cluster_alloc.armed;
    void *memory;

    cluster_alloc.armed = false;
    memory = kvs_calloc(1, size);
    cluster_alloc.armed = armed;
    assert_non_null(memory);
    return memory;
}

static bool cluster_sync_fails;

/* ---- clock ---- */

static uint64_t cluster_ns(void *ctx)
{
    return ((struct cluster *)ctx)->now_ms * 1000000;
}

/* ---- network ---- */

static void net_push(struct cluster *c,
                     uint64_t from,
                     uint64_t to,
                     enum transport_stream stream,
                     struct rcbuf *frame)
{
    struct net_item *item = own_alloc(sizeof *item);

    *item = (struct net_item){.from = from, .to = to, .stream = stream, .frame = frame};
    list_push_back(&c->net, &item->node);
}

static void net_set_events(struct transport *t, const struct transport_events *events)
{
    struct member *m = container_of(t, struct member, transport);

    m->has_events = events != NULL;
    if (events != NULL) {
        m->events = *events;
    }
}

static int net_set_peers(struct transport *t, const struct transport_peer *peers, size_t n)
{
    (void)t;
    (void)peers;
    (void)n;
    return 0;
}

static void net_admit_guests(struct transport *t, bool admit)
{
    (void)t;
    (void)admit;
}

static int net_set_removed(struct transport *t, const uint64_t *ids, size_t n)
{
    (void)t;
    (void)ids;
    (void)n;
    return 0;
}

static void
net_send(struct transport *t, uint64_t to, enum transport_stream stream, struct rcbuf *frame)
{
    struct member *m = container_of(t, struct member, transport);

    assert_true(to >= 1 && to <= MEMBERS_MAX && to != m->id);
    net_push(m->cluster, m->id, to, stream, frame);
}

static void net_flush(struct transport *t)
{
    (void)t;
}

static void net_reset(struct transport *t, uint64_t to, enum transport_stream stream)
{
    struct member *m = container_of(t, struct member, transport);

    LIST_FOREACH_SAFE(it, after, &m->cluster->net)
    {
        struct net_item *item = list_entry(it, struct net_item, node);

        if (item->frame != NULL && item->from == m->id && item->to == to &&
            item->stream == stream) {
            list_remove(it);
            rcbuf_unref(item->frame);
            kvs_free(item);
        }
    }
}

static bool net_stats(struct transport *t, uint64_t id, struct transport_peer_stats *ret)
{
    (void)t;
    (void)id;
    *ret = (struct transport_peer_stats){0};
    return true;
}

static const struct transport_ops net_ops = {
    .set_events = net_set_events,
    .set_peers = net_set_peers,
    .set_removed = net_set_removed,
    .admit_guests = net_admit_guests,
    .send = net_send,
    .flush = net_flush,
    .reset_stream = net_reset,
    .peer_stats = net_stats,
};

static bool net_is_chunk(const struct rcbuf *frame)
{
    return frame->data[4] == PEER_FRAME_SNAP_CHUNK;
}

/* A chunk whose data differ although its frame is sealed rightly: only the chain can tell. */
static struct rcbuf *net_flip(struct rcbuf *frame)
{
    struct rcbuf *copy = rcbuf_copy(rcbuf_view(frame));

    assert_non_null(copy);
    copy->data[copy->len - 1] ^= 1;
    peer_frame_seal(copy);
    rcbuf_unref(frame);
    return copy;
}

static void net_deliver(struct cluster *c, struct net_item *item)
{
    struct member *to = &c->members[item->to];
    bool cut = c->cut[item->from][item->to] || !to->up;

    if (item->frame == NULL) {
        if (to->up && to->has_events) {
            to->events.unreachable(to->events.ctx, item->from, item->stream);
        }
        return;
    }
    if (net_is_chunk(item->frame)) {
        c->chunks_seen++;
        cut = cut || c->chunks_seen == c->cut_chunk;
        if (c->chunks_seen == c->flip_chunk) {
            item->frame = net_flip(item->frame);
        }
    }
    if (cut) {
        net_push(c, item->to, item->from, item->stream, NULL);
    } else if (to->has_events) {
        int rc = to->events.message(to->events.ctx, item->from, item->stream, item->frame);

        if (rc != 0) { /* The connection is cut: its sender hears that. */
            net_push(c, item->to, item->from, item->stream, NULL);
        }
    }
    rcbuf_unref(item->frame);
}

static void net_run(struct cluster *c)
{
    struct list now;
    struct list *node;

    list_init(&now);
    list_splice_back(&now, &c->net);
    while ((node = list_pop_front(&now)) != NULL) {
        struct net_item *item = list_entry(node, struct net_item, node);

        net_deliver(c, item);
        kvs_free(item);
    }
}

/* ---- snapshots ---- */

static void pending_add(struct member *m, snapshot_cb cb, void *ctx, int status)
{
    struct pending *p = own_alloc(sizeof *p);

    *p = (struct pending){.cb = cb, .ctx = ctx, .status = status};
    list_push_back(&m->pending, &p->node);
}

/* The bytes at `offset` of the snapshot of `machine`: its struct, then a pattern of its sum. */
static void snapshot_bytes(const struct machine *machine, uint64_t offset, uint8_t *to, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t at = offset + i;

        if (at < sizeof *machine) {
            to[i] = ((const uint8_t *)machine)[at];
        } else {
            to[i] = (uint8_t)(((machine->sum >> (at % 57)) + at) & 0xff);
        }
    }
}

struct mem_source {
    struct snapshot_source base;
    struct member *m;
    struct machine machine;
};

static void source_read(
    struct snapshot_source *s, uint64_t offset, void *to, size_t len, snapshot_cb cb, void *ctx)
{
    struct mem_source *src = container_of(s, struct mem_source, base);

    snapshot_bytes(&src->machine, offset, to, len);
    pending_add(src->m, cb, ctx, 0);
}

static void source_close(struct snapshot_source *s)
{
    struct mem_source *src = container_of(s, struct mem_source, base);

    src->m->n_sources--;
    kvs_free(src);
}

static const struct snapshot_source_ops source_ops = {.read = source_read, .close = source_close};

struct mem_sink {
    struct snapshot_sink base;
    struct member *m;
    uint64_t size;
    uint8_t *data;
    uint64_t len;
};

static void sink_write(struct snapshot_sink *s, struct kvs_view data, snapshot_cb cb, void *ctx)
{
    struct mem_sink *sink = container_of(s, struct mem_sink, base);

    assert_true(data.len <= sink->size - sink->len);
    memcpy(sink->data + sink->len, data.data, data.len);
    sink->len += data.len;
    pending_add(sink->m, cb, ctx, 0);
}

static void sink_free(struct mem_sink *sink)
{
    kvs_free(sink->data);
    kvs_free(sink);
}

static void sink_finish(struct snapshot_sink *s, snapshot_cb cb, void *ctx)
{
    struct mem_sink *sink = container_of(s, struct mem_sink, base);
    struct member *m = sink->m;
    struct machine machine;
    uint8_t byte;

    assert_true(sink->len == sink->size && sink->size >= sizeof machine);
    memcpy(&machine, sink->data, sizeof machine);
    for (uint64_t i = sizeof machine; i < sink->size; i++) {
        snapshot_bytes(&machine, i, &byte, 1);
        assert_int_equal(byte, sink->data[i]);
    }
    m->live = machine;
    m->durable = machine;
    sink_free(sink);
    pending_add(m, cb, ctx, 0);
}

static void sink_abort(struct snapshot_sink *s)
{
    sink_free(container_of(s, struct mem_sink, base));
}

static const struct snapshot_sink_ops sink_ops = {
    .write = sink_write,
    .finish = sink_finish,
    .abort = sink_abort,
};

/* ---- owner ---- */

static void own_wake(void *ctx)
{
    ((struct member *)ctx)->woken = true;
}

static void own_apply(void *ctx, uint64_t index, const struct core_entry *entry)
{
    struct member *m = ctx;

    assert_true(index == m->live.index + 1);
    m->live.index = index;
    m->live.term = entry->term;
    if (entry->type == CORE_ENTRY_DATA) {
        m->live.sum = checksum64(entry->data.data, entry->data.len, m->live.sum);
        m->live.n_data++;
    }
}

static void own_batch_end(void *ctx)
{
    (void)ctx;
}

static void own_leader_changed(void *ctx, uint64_t leader, uint64_t term, bool we_lead)
{
    struct member *m = ctx;

    assert_true(term >= m->term);
    assert_true(we_lead == (leader == m->id));
    m->leader = leader;
    m->term = term;
    m->leads = we_lead;
    m->n_leader_changes++;
}

static void own_dropped(void *ctx, uint64_t batch, int reason)
{
    struct member *m = ctx;

    (void)batch;
    m->n_dropped++;
    m->dropped_reason = reason;
}

static int own_policy(void *ctx,
                      const struct core_conf *conf,
                      const struct core_change *changes,
                      size_t n_changes,
                      struct kvs_view context)
{
    (void)ctx;
    (void)conf;
    (void)changes;
    (void)n_changes;
    return view_equal_str(context, "forbidden") ? KVS_E_MEMBER_EXISTS : 0;
}

static void own_conf_appended(void *ctx, const struct core_conf *conf)
{
    (void)ctx;
    assert_true(conf->voters.n > 0);
}

static void
own_conf_applied(void *ctx, uint64_t index, const struct core_conf *conf, struct kvs_view context)
{
    struct member *m = ctx;

    assert_true(index == m->live.index + 1);
    m->live.conf = *conf;
    m->n_conf_applied++;
    if (context.len > 0 && context.len < sizeof m->context) {
        memcpy(m->context, context.data, context.len);
        m->context[context.len] = '\0';
    }
}

static void own_removed(void *ctx)
{
    struct member *m = ctx;

    assert_false(m->removed);
    m->removed = true;
}

static void own_fatal(void *ctx, int code, const char *text)
{
    (void)text;
    ((struct member *)ctx)->fatal = code;
}

static void own_app(void *ctx, uint64_t from, struct kvs_view data, struct rcbuf *frame)
{
    struct member *m = ctx;

    (void)frame;
    assert_true(data.len < sizeof m->app);
    memcpy(m->app, data.data, data.len);
    m->app[data.len] = '\0';
    m->app_from = from;
}

static int own_snapshot_open(void *ctx, struct replica_snapshot_open *request)
{
    struct member *m = ctx;

    if (m->snapshots_refused) {
        return KVS_E_UNAVAILABLE;
    }
    assert_true(m->n_opens < OPENS_MAX);
    m->opens[m->n_opens++] = request;
    return 0;
}

static void answer_open(struct member *m)
{
    struct replica_snapshot_open *request = m->opens[--m->n_opens];
    struct mem_source *s;

    s = own_alloc(sizeof *s);
    s->base.ops = &source_ops;
    s->m = m;
    m->durable = m->live; /* The copy is synced before it is sent. */
    s->machine = m->live;
    assert_true(s->machine.index >= request->index_min);
    s->base.meta = (struct snapshot_meta){
        .index = s->machine.index,
        .term = s->machine.term,
        .size_bytes = sizeof s->machine + m->cluster->snapshot_bytes,
        .conf = &s->machine.conf,
    };
    m->n_sources++;
    replica_snapshot_opened(m->r, request, 0, &s->base);
}

static int
own_snapshot_begin(void *ctx, const struct snapshot_meta *meta, struct snapshot_sink **ret)
{
    struct mem_sink *s = own_alloc(sizeof *s);

    s->base.ops = &sink_ops;
    s->m = ctx;
    s->size = meta->size_bytes;
    s->data = own_alloc(s->size);
    *ret = &s->base;
    return 0;
}

static void own_snapshot_installed(void *ctx, const struct snapshot_meta *meta)
{
    struct member *m = ctx;

    assert_true(m->live.index == meta->index && m->live.term == meta->term);
    m->n_installed++;
}

static const struct replica_owner owner_calls = {
    .wake = own_wake,
    .apply = own_apply,
    .apply_batch_end = own_batch_end,
    .leader_changed = own_leader_changed,
    .proposal_dropped = own_dropped,
    .conf_policy = own_policy,
    .conf_appended = own_conf_appended,
    .conf_applied = own_conf_applied,
    .removed = own_removed,
    .fatal = own_fatal,
    .app_message = own_app,
    .snapshot_open = own_snapshot_open,
    .snapshot_begin = own_snapshot_begin,
    .snapshot_installed = own_snapshot_installed,
};

/* ---- members ---- */

static int no_sync(void *ctx, struct disk_file *file)
{
    (void)ctx;
    (void)file;
    return cluster_sync_fails ? KVS_E_IO : 0;
}

static int no_sync_dir(void *ctx, const char *path)
{
    (void)ctx;
    (void)path;
    return 0;
}

/* The machine's disk without waiting for it: members stop, the machine does not. */
static const struct disk *cluster_disk(struct cluster *c)
{
    c->disk = *disk_posix();
    c->disk.sync = no_sync;
    c->disk.sync_dir = no_sync_dir;
    return &c->disk;
}

static void member_open_log(struct member *m, struct replica_state *state, struct wal **ret_wal)
{
    struct wal_recovered found;
    struct kvs_error error;
    struct wal_options o = {
        .dir = m->dir,
        .disk = cluster_disk(m->cluster),
        .cluster_id = 77,
        .member_id = m->id,
        .segment_bytes_first = WAL_SEGMENT_BYTES_MIN,
        .segment_bytes_max = WAL_SEGMENT_BYTES_MIN,
        .on_entry = replica_state_entry,
        .ctx = state,
    };

    assert_int_equal(wal_open(&o, &found, ret_wal, &error), 0);
    state->hard = (struct core_hard_state){found.hard.term, found.hard.vote, found.hard.commit};
}

/* `founders` 0: as it is on disk, or joining. */
static void member_start(struct member *m, size_t founders)
{
    struct cluster *c = m->cluster;
    struct replica_config config = {
        .cluster_id = 77,
        .member_id = m->id,
        .tick_ms = TICK_MS,
        .clock = &c->clock,
        .seed = c->seed + m->id,
        .limits = c->limits,
    };
    struct replica_state state = {0};
    struct wal *wal;

    member_open_log(m, &state, &wal);
    if (founders > 0) {
        uint64_t ids[MEMBERS_MAX];
        struct wal_hard_state hard = {.term = 1, .commit = 1};

        for (size_t i = 0; i < founders; i++) {
            ids[i] = i + 1;
        }
        assert_int_equal(replica_bootstrap(ids, founders, &state), 0);
        assert_int_equal(wal_reset(wal, 1, 1), 0);
        assert_int_equal(wal_append(wal, &hard, NULL, 0), 0);
        assert_int_equal(wal_sync(wal), 0);
        m->durable = (struct machine){.index = 1, .term = 1, .conf = state.applied.conf};
    }
    m->live = m->durable;
    state.applied = (struct core_snapshot){
        .index = m->durable.index,
        .term = m->durable.term,
        .conf = m->durable.conf,
    };
    m->transport.ops = &net_ops;
    m->leader = 0;
    m->term = 0;
    m->leads = false;
    m->fatal = 0;
    m->removed = false;
    list_init(&m->pending);
    assert_int_equal(log_inline_new(wal, NULL, NULL, NULL, &m->device), 0);
    assert_int_equal(replica_new(&config, m->device, &m->transport, &owner_calls, m, &m->r), 0);
    assert_int_equal(replica_start(m->r, &state), 0);
    replica_state_fini(&state);
    m->up = true;
}

static void member_closed_cb(void *ctx)
{
    ((struct member *)ctx)->closed = true;
}

static void member_answer(struct member *m)
{
    struct list now;
    struct list *node;

    list_init(&now);
    list_splice_back(&now, &m->pending);
    while (m->n_opens > 0) {
        answer_open(m);
    }
    while ((node = list_pop_front(&now)) != NULL) {
        struct pending *p = list_entry(node, struct pending, node);
        snapshot_cb cb = p->cb;
        void *p_ctx = p->ctx;
        int status = p->status;

        kvs_free(p);
        cb(p_ctx, status);
    }
}

static void member_stop(struct member *m)
{
    m->closed = false;
    replica_close(m->r, member_closed_cb, m);
    for (int i = 0; i < 10 && !m->closed; i++) {
        (void)log_inline_run(m->device, 0);
        log_deliver(m->device);
        if (!m->closed) {
            member_answer(m);
        }
    }
    assert_true(m->closed);
    assert_int_equal(m->n_sources, 0);
    m->r = NULL;
    m->up = false;
    m->has_events = false;
    log_inline_crash(m->device); /* As after a power cut: what was synced is there. */
    m->device = NULL;
}

static void member_turn(struct member *m, bool tick)
{
    if (!m->up) {
        return;
    }
    (void)log_inline_run(m->device, 0);
    log_deliver(m->device);
    member_answer(m);
    if (tick) {
        replica_tick(m->r);
    }
    if (m->woken) {
        m->woken = false;
        replica_flush(m->r);
    }
}

/* ---- cluster ---- */

static void cluster_turn(struct cluster *c)
{
    bool tick;

    c->now_ms += TURN_MS;
    net_run(c);
    for (size_t i = 1; i <= MEMBERS_MAX; i++) {
        tick = (c->now_ms / TURN_MS + i) % (TICK_MS / TURN_MS) == 0;
        member_turn(&c->members[i], tick);
    }
}

static KVS_UNUSED void cluster_run(struct cluster *c, unsigned ms)
{
    for (unsigned i = 0; i < ms / TURN_MS; i++) {
        cluster_turn(c);
    }
}

#define CLUSTER_UNTIL(c, condition, ms)                                                            \
    do {                                                                                           \
        unsigned left_ = (ms) / TURN_MS;                                                           \
        while (!(condition) && left_-- > 0) {                                                      \
            cluster_turn(c);                                                                       \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

static struct cluster *
cluster_new_seeded(size_t n, const struct replica_limits *limits, uint64_t seed)
{
    struct cluster *c = own_alloc(sizeof *c);

    c->now_ms = 1000;
    c->clock = (struct clock){.monotonic_ns = cluster_ns, .wall_ns = cluster_ns, .ctx = c};
    c->seed = seed;
    c->n = n;
    c->snapshot_bytes = 1 << 20;
    if (limits != NULL) {
        c->limits = *limits;
    }
    list_init(&c->net);
    (void)snprintf(c->root, sizeof c->root, "/tmp/kvs-replica-XXXXXX");
    assert_non_null(mkdtemp(c->root));
    for (size_t i = 1; i <= MEMBERS_MAX; i++) {
        c->members[i].id = i;
        c->members[i].cluster = c;
        list_init(&c->members[i].pending);
        (void)snprintf(c->members[i].dir, sizeof c->members[i].dir, "%s/%zu", c->root, i);
    }
    printf("seed %llu\n", (unsigned long long)c->seed);
    for (size_t i = 1; i <= n; i++) {
        member_start(&c->members[i], n);
    }
    return c;
}

static KVS_UNUSED struct cluster *cluster_new(size_t n, const struct replica_limits *limits)
{
    return cluster_new_seeded(n, limits, 42);
}

static int cluster_unlink_cb(void *ctx, const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", (const char *)ctx, name);
    (void)unlink(path);
    return 0;
}

static void cluster_free(struct cluster *c)
{
    struct list *node;

    for (size_t i = 1; i <= MEMBERS_MAX; i++) {
        struct member *m = &c->members[i];

        if (m->up) {
            member_stop(m);
        }
        if (disk_posix()->list(disk_posix()->ctx, m->dir, cluster_unlink_cb, m->dir) == 0) {
            (void)rmdir(m->dir);
        }
    }
    assert_int_equal(rmdir(c->root), 0);
    while ((node = list_pop_front(&c->net)) != NULL) {
        rcbuf_unref(list_entry(node, struct net_item, node)->frame);
        kvs_free(list_entry(node, struct net_item, node));
    }
    kvs_free(c);
}

/* 0 unless exactly one member that is up leads in the highest term. */
static KVS_UNUSED uint64_t cluster_leader(struct cluster *c)
{
    uint64_t leader = 0;
    uint64_t term = 0;

    for (size_t i = 1; i <= MEMBERS_MAX; i++) {
        struct member *m = &c->members[i];

        if (m->up && m->leads && m->term >= term) {
            leader = m->id;
            term = m->term;
        }
    }
    return leader;
}

static KVS_UNUSED bool cluster_same(struct cluster *c)
{
    const struct machine *first = NULL;

    for (size_t i = 1; i <= MEMBERS_MAX; i++) {
        const struct member *m = &c->members[i];

        if (!m->up || m->removed) {
            continue;
        }
        if (first == NULL) {
            first = &m->live;
        } else if (first->index != m->live.index || first->sum != m->live.sum ||
                   first->n_data != m->live.n_data) {
            return false;
        }
    }
    return true;
}

static KVS_UNUSED void cluster_cut(struct cluster *c, uint64_t id, bool cut)
{
    for (size_t i = 1; i <= MEMBERS_MAX; i++) {
        c->cut[id][i] = cut;
        c->cut[i][id] = cut;
    }
}

static KVS_UNUSED void cluster_propose(struct cluster *c, uint64_t id, const char *text, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(replica_propose(c->members[id].r, view_str(text), NULL), 0);
    }
}

/* The backend of every member stores what is applied. */
static KVS_UNUSED void cluster_store(struct cluster *c)
{
    for (size_t i = 1; i <= MEMBERS_MAX; i++) {
        struct member *m = &c->members[i];

        if (m->up && m->live.index == replica_applied(m->r)) {
            m->durable = m->live;
            replica_stored(m->r, m->live.index);
        }
    }
}

#endif
