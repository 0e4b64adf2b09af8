/* Snapshots between members: a copy of the store's file in one direction, its installation in the
 * other. All file work happens off the loop; nothing is ever held in memory whole.
 *
 *   copy     asked -> stored up to index_min -> copied on a worker -> callback
 *   send     copy -> source -> closed
 *   receive  begin -> sink: writes to <data-dir>/snapshot.part -> finish: sync, swap, reload */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/sabotage.h"
#include "node/node_int.h"

#define SNAPSHOT_PATH_MAX 4096

/* --- sending --- */

struct node_source {
    struct snapshot_source base; /* first: see snapshot.h */
    struct node *node;
    struct core_conf conf;
    int fd;
    /* The read under way. */
    struct node_work work;
    uint64_t offset;
    void *to;
    size_t len;
    snapshot_cb cb;
    void *cb_ctx;
    int status;
};

static void source_read_run(struct node_work *w)
{
    struct node_source *s = container_of(w, struct node_source, work);
    size_t done = 0;

    s->status = 0;
    while (done < s->len && s->status == 0) {
        ssize_t n = pread(s->fd, (char *)s->to + done, s->len - done, (off_t)(s->offset + done));

        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            s->status = KVS_E_IO;
        }
    }
}

static void source_read_done(struct node_work *w)
{
    struct node_source *s = container_of(w, struct node_source, work);
    struct node *n = s->node;

    s->cb(s->cb_ctx, s->status);
    node_work_done(n);
}

static void source_read(
    struct snapshot_source *base, uint64_t offset, void *to, size_t len, snapshot_cb cb, void *ctx)
{
    struct node_source *s = container_of(base, struct node_source, base);

    s->offset = offset;
    s->to = to;
    s->len = len;
    s->cb = cb;
    s->cb_ctx = ctx;
    s->status = KVS_E_NOMEM; /* unless it runs */
    s->work = (struct node_work){.run = source_read_run, .done = source_read_done};
    node_work_submit_must(s->node, &s->work);
}

static void source_close(struct snapshot_source *base)
{
    struct node_source *s = container_of(base, struct node_source, base);

    (void)close(s->fd);
    kvs_free(s);
}

static const struct snapshot_source_ops source_ops = {source_read, source_close};

/* --- copies of the store's file --- */

static void copy_run(struct node_work *w)
{
    struct node_copy *c = container_of(w, struct node_copy, work);

    c->status = mvcc_snapshot_take(c->backend, c->node->config.data_dir, &c->snapshot);
}

static void copy_done(struct node_work *w)
{
    struct node_copy *c = container_of(w, struct node_copy, work);
    struct node *n = c->node;

    backend_unref(c->backend);
    c->cb(c);
    node_work_done(n);
}

static void copy_start(struct node *n, struct node_copy *c)
{
    c->backend = mvcc_backend_ref(n->mvcc);
    c->work = (struct node_work){.run = copy_run, .done = copy_done};
    if (node_work_submit(n, &c->work) != 0) {
        backend_unref(c->backend);
        c->status = KVS_E_NOMEM;
        c->cb(c);
    }
}

void node_copies_progress(struct node *n)
{
    struct list ready;

    list_init(&ready);
    LIST_FOREACH_SAFE(it, after, &n->copies)
    {
        struct node_copy *c = list_entry(it, struct node_copy, link);

        if (mvcc_stored_index(n->mvcc) >= c->index_min) {
            list_remove(&c->link);
            list_push_back(&ready, &c->link);
        } else {
            mvcc_flush(n->mvcc);
        }
    }
    for (struct list *it = list_pop_front(&ready); it != NULL; it = list_pop_front(&ready)) {
        copy_start(n, list_entry(it, struct node_copy, link));
    }
}

void node_copies_stop(struct node *n, int err)
{
    for (struct list *it = list_pop_front(&n->copies); it != NULL;
         it = list_pop_front(&n->copies)) {
        struct node_copy *c = list_entry(it, struct node_copy, link);

        c->status = err;
        c->cb(c);
    }
}

int node_copy_store(struct node *n, uint64_t index_min, struct node_copy *c)
{
    if (n->closing || n->failed != 0) {
        return KVS_E_STOPPED;
    }
    c->node = n;
    c->index_min = index_min != 0 ? index_min : mvcc_applied_index(n->mvcc);
    list_push_back(&n->copies, &c->link);
    if (mvcc_stored_index(n->mvcc) < c->index_min) {
        mvcc_flush(n->mvcc);
    }
    n->env.wake(n->env.ctx); /* node_flush starts it: not from inside */
    return 0;
}

/* --- sending, continued --- */

static int source_new(struct node *n, const struct node_copy *c, struct snapshot_source **ret)
{
    const struct core_conf *conf = sabotaged(SABOTAGE_SNAPSHOT_OLD_CONF)
                                       ? &n->confs[n->n_confs - 1].conf
                                       : node_conf_at(n, c->snapshot.index);
    struct node_source *s = conf != NULL ? kvs_calloc(1, sizeof *s) : NULL;

    if (s == NULL) {
        return conf == NULL ? KVS_E_AGAIN : KVS_E_NOMEM;
    }
    s->node = n;
    s->fd = c->snapshot.fd;
    s->conf = *conf;
    s->base = (struct snapshot_source){
        .ops = &source_ops,
        .meta = {.index = c->snapshot.index,
                 .term = c->snapshot.term,
                 .size_bytes = c->snapshot.size_bytes,
                 .conf = &s->conf},
    };
    *ret = &s->base;
    return 0;
}

static void source_copied_cb(struct node_copy *c)
{
    struct node *n = c->node;
    struct replica_snapshot_open *request = n->snapshot_request;
    struct snapshot_source *source = NULL;
    int err = c->status;

    if (err == 0) {
        err = source_new(n, c, &source);
        if (err != 0) {
            (void)close(c->snapshot.fd);
        }
    }
    if (err != 0) {
        log_warn(n->env.log, "failed to make a snapshot", LOG_STR("error", kvs_strerror(err)));
    } else {
        n->stats.snapshots_sent++;
    }
    n->snapshot_request = NULL;
    replica_snapshot_opened(n->replica, request, err, source);
}

int node_snapshot_open(void *ctx, struct replica_snapshot_open *request)
{
    struct node *n = ctx;
    int err;

    if (n->snapshot_request != NULL) {
        return KVS_E_BUSY;
    }
    n->snapshot_copy = (struct node_copy){.cb = source_copied_cb};
    err = node_copy_store(n, request->index_min, &n->snapshot_copy);
    if (err == 0) {
        n->snapshot_request = request;
    }
    return err;
}

/* --- receiving --- */

struct node_sink {
    struct snapshot_sink base; /* first: see snapshot.h */
    struct node *node;
    char path[SNAPSHOT_PATH_MAX];
    int fd;
    /* The write, or the final sync, under way. */
    struct node_work work;
    struct kvs_view data;
    snapshot_cb cb;
    void *cb_ctx;
    int status;
};

static void sink_free(struct node_sink *s)
{
    if (s->fd >= 0) {
        (void)close(s->fd);
    }
    (void)unlink(s->path); /* gone already when it was installed */
    kvs_free(s);
}

static void sink_write_run(struct node_work *w)
{
    struct node_sink *s = container_of(w, struct node_sink, work);
    const char *at = s->data.data;
    size_t left = s->data.len;

    s->status = 0;
    while (left > 0 && s->status == 0) {
        ssize_t n = write(s->fd, at, left);

        if (n >= 0) {
            at += n;
            left -= (size_t)n;
        } else if (errno != EINTR) {
            s->status = errno == ENOSPC ? KVS_E_FULL : KVS_E_IO;
        }
    }
}

static void sink_write_done(struct node_work *w)
{
    struct node_sink *s = container_of(w, struct node_sink, work);
    struct node *n = s->node;

    s->cb(s->cb_ctx, s->status);
    node_work_done(n);
}

static void sink_submit(struct node_sink *s, snapshot_cb cb, void *ctx)
{
    s->cb = cb;
    s->cb_ctx = ctx;
    s->status = KVS_E_NOMEM; /* unless it runs */
    node_work_submit_must(s->node, &s->work);
}

static void sink_write(struct snapshot_sink *base, struct kvs_view data, snapshot_cb cb, void *ctx)
{
    struct node_sink *s = container_of(base, struct node_sink, base);

    s->data = data;
    s->work = (struct node_work){.run = sink_write_run, .done = sink_write_done};
    sink_submit(s, cb, ctx);
}

static void sink_sync_run(struct node_work *w)
{
    struct node_sink *s = container_of(w, struct node_sink, work);

    s->status = fsync(s->fd) == 0 ? 0 : KVS_E_IO;
}

/* Nothing to do off the loop: comes back when the store may have finished its job. */
static void sink_wait_run(struct node_work *w)
{
    struct node_sink *s = container_of(w, struct node_sink, work);

    s->status = 0;
}

static void sink_install_done(struct node_work *w)
{
    struct node_sink *s = container_of(w, struct node_sink, work);
    struct node *n = s->node;
    int err = s->status;

    if (err == 0) {
        err = mvcc_install(n->mvcc, s->path);
    }
    if (err == KVS_E_BUSY) {
        s->work = (struct node_work){.run = sink_wait_run, .done = sink_install_done};
        if (node_work_submit(n, &s->work) == 0) {
            node_work_done(n);
            return;
        }
        err = KVS_E_NOMEM;
    }
    if (err == 0 && !sabotaged(SABOTAGE_SNAPSHOT_NO_RELOAD)) {
        err = apply_reload(n->apply, node_now_ms(n));
    }
    s->cb(s->cb_ctx, err);
    sink_free(s);
    node_work_done(n);
}

static void sink_finish(struct snapshot_sink *base, snapshot_cb cb, void *ctx)
{
    struct node_sink *s = container_of(base, struct node_sink, base);

    s->work = (struct node_work){.run = sink_sync_run, .done = sink_install_done};
    sink_submit(s, cb, ctx);
}

static void sink_abort(struct snapshot_sink *base)
{
    sink_free(container_of(base, struct node_sink, base));
}

static const struct snapshot_sink_ops sink_ops = {sink_write, sink_finish, sink_abort};

int node_snapshot_begin(void *ctx, const struct snapshot_meta *meta, struct snapshot_sink **ret)
{
    struct node *n = ctx;
    struct node_sink *s = kvs_calloc(1, sizeof *s);
    int len;

    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    s->base.ops = &sink_ops;
    s->node = n;
    len = snprintf(s->path, sizeof s->path, "%s/snapshot.part", n->config.data_dir);
    s->fd = len > 0 && (size_t)len < sizeof s->path
                ? open(s->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                : -1;
    if (s->fd < 0) {
        kvs_free(s);
        return KVS_E_IO;
    }
    log_info(n->env.log, "receiving a snapshot", LOG_U64("index", meta->index),
             LOG_U64("bytes", meta->size_bytes));
    *ret = &s->base;
    return 0;
}

void node_snapshot_installed(void *ctx, const struct snapshot_meta *meta)
{
    struct node *n = ctx;

    kvs_assert(mvcc_applied_index(n->mvcc) == meta->index);
    n->stats.snapshots_installed++;
    n->applied_term = meta->term;
    node_writes_snapshot(n);
    n->n_confs = 0;
    node_conf_remember(n, meta->index, meta->conf);
    if (!sabotaged(SABOTAGE_WATCH_NOT_RESET)) {
        watch_hub_reset(n->hub, mvcc_revision(n->mvcc), mvcc_compact_revision(n->mvcc),
                        &n->effects);
    }
    node_watch_drain(n);
    node_peers_update(n);
    log_info(n->env.log, "applied a snapshot", LOG_U64("index", meta->index));
    n->env.wake(n->env.ctx);
}
