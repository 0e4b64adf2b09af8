/* The way up: what is on disk, who we are, and what is started in which order.
 *
 *   loop, backend thread -> store -> log (recovered) -> identity -> transport -> node -> clients
 *
 * Identity, in this order: the log's header (a restart); the cluster's answer (joining); the
 * initial cluster's flags (a new cluster, which is made durable before anything is started).
 *
 *   <data-dir>/store   the LMDB environment
 *   <data-dir>/wal     the log, unless --wal-dir names another place */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "node/ident_info.h"
#include "node/kvs_node.h"
#include "replica/log_thread.h"

#define OPEN_PATH_MAX        4096
#define OPEN_JOIN_TIMEOUT_MS 2000
#define OPEN_TICK_MS_MAX     100
#define OPEN_QUOTA_BYTES     (INT64_C(2) * 1024 * 1024 * 1024)
#define OPEN_REQUEST_BYTES   (10u * 1024 * 1024) /* above, a warning: as etcd */

struct open_paths {
    char store[OPEN_PATH_MAX];
    char wal[OPEN_PATH_MAX];
};

/* --- callbacks of the parts --- */

static void open_on_wake(void *ctx, struct list *message)
{
    struct kvs_node *k = ctx;

    if (message == &k->wake_log) {
        if (k->log_device != NULL) {
            log_deliver(k->log_device);
        }
    } else if (message == &k->wake_local) {
        kvs_node_run_tasks(k);
    } else if (k->backend != NULL) {
        backend_thread_poll(k->backend);
    }
}

/* Called once per change from empty to full, and each delivery empties: one message suffices. */
static void open_wake_log(void *ctx)
{
    struct kvs_node *k = ctx;

    loop_mbox_post(k->wakes, &k->wake_log);
}

static void open_wake_backend(void *ctx)
{
    struct kvs_node *k = ctx;

    loop_mbox_post(k->wakes, &k->wake_backend);
}

static void open_on_store_due(struct loop_timer *timer)
{
    struct kvs_node *k = container_of(timer, struct kvs_node, store_due);

    if (k->node != NULL) {
        node_store_tick(k->node);
    }
}

/* The store's pauses are shorter than a tick. */
static void open_store_schedule(struct kvs_node *k)
{
    uint64_t due_ms = mvcc_deadline_ms(node_mvcc(k->node));
    uint64_t now_ms = clock_ms(loop_clock(k->loop));

    if (due_ms != UINT64_MAX && !k->stopping) {
        loop_timer_start(&k->store_due, due_ms > now_ms ? due_ms - now_ms : 1);
    }
}

static void open_store_progress(void *ctx)
{
    struct kvs_node *k = ctx;

    if (k->node != NULL) {
        open_store_schedule(k);
        node_store_progress(k->node); /* last: the node may be gone */
    }
}

static void open_env_wake(void *ctx)
{
    struct kvs_node *k = ctx;

    if (k->flush.loop != NULL) {
        loop_hook_mark(&k->flush);
    }
}

/* Comes from deep inside the node: the way down begins with the next tick. */
static void open_env_stopped(void *ctx, int code, const char *text)
{
    struct kvs_node *k = ctx;

    k->failed = code;
    (void)snprintf(k->exit_text, sizeof k->exit_text, "%s: %s", text, kvs_strerror(code));
}

struct open_work {
    struct loop_work loop;
    struct node_work *node;
};

static void open_work_run(struct loop_work *w)
{
    struct open_work *o = container_of(w, struct open_work, loop);

    o->node->run(o->node);
}

static void open_work_done(struct loop_work *w)
{
    struct open_work *o = container_of(w, struct open_work, loop);
    struct node_work *work = o->node;

    kvs_free(o);
    work->done(work);
}

static int open_env_submit_work(void *ctx, struct node_work *work)
{
    struct kvs_node *k = ctx;
    struct open_work *o = kvs_malloc(sizeof *o);
    int err;

    if (o == NULL) {
        return KVS_E_NOMEM;
    }
    *o = (struct open_work){{open_work_run, open_work_done}, work};
    err = loop_work_submit(k->loop, &o->loop);
    if (err != 0) {
        kvs_free(o);
    }
    return err;
}

static void open_check_ready(struct kvs_node *k)
{
    if (atomic_load(&k->state) == KVS_NODE_STARTING && node_is_ready(k->node)) {
        log_info(k->log, "ready to serve client requests");
        atomic_store(&k->state, KVS_NODE_READY);
        mbox_post(k->news, &k->news_ready);
    }
}

static void open_on_flush(struct loop_hook *hook)
{
    struct kvs_node *k = container_of(hook, struct kvs_node, flush);

    if (k->node != NULL) {
        node_flush(k->node);
        open_check_ready(k);
    }
}

static void open_on_tick(struct loop_timer *timer)
{
    struct kvs_node *k = container_of(timer, struct kvs_node, tick);

    if (k->failed != 0) {
        kvs_node_begin_stop(k, k->failed);
    } else if (atomic_load(&k->stop_requested)) {
        kvs_node_begin_stop(k, 0);
    }
    if (k->node == NULL) {
        return;
    }
    node_tick(k->node);
    if (k->rpc != NULL && !k->stopping) {
        service_tick(&k->service);
    }
}

static void open_describe(void *ctx, struct buf *out)
{
    struct kvs_node *k = ctx;
    size_t n_members;
    const struct kvs_member *members;

    if (k->node != NULL) {
        members = apply_members(node_apply(k->node), &n_members);
        ident_info_encode(out, members, n_members);
    }
}

/* --- disk --- */

/* With the directories above it. Nobody else needs to look inside. */
static int open_make_dir(struct kvs_node *k, const char *path, struct kvs_error *ret_error)
{
    char parent[OPEN_PATH_MAX];
    struct stat st;

    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t len = (size_t)(slash - path);

        memcpy(parent, path, len);
        parent[len] = '\0';
        (void)mkdir(parent, 0700); /* the last one tells */
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return kvs_node_error(ret_error, KVS_E_IO, "cannot make directory %s: %s", path,
                              strerror(errno));
    }
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return kvs_node_error(ret_error, KVS_E_IO, "%s is not a directory", path);
    }
    if ((st.st_mode & 077) != 0) {
        log_warn(k->log, "others may look into the data directory; mode 0700 is recommended",
                 LOG_STR("path", path));
    }
    return 0;
}

static int open_paths_make(struct kvs_node *k, struct open_paths *p, struct kvs_error *ret_error)
{
    const struct kvs_node_options *o = &k->options;
    int len = snprintf(p->store, sizeof p->store, "%s/store", o->data_dir);
    int err;

    if (len < 0 || (size_t)len >= sizeof p->store) {
        return kvs_node_error(ret_error, KVS_E_INVALID, "the data directory's name is too long");
    }
    if (o->wal_dir != NULL && *o->wal_dir != '\0') {
        len = snprintf(p->wal, sizeof p->wal, "%s", o->wal_dir);
    } else {
        len = snprintf(p->wal, sizeof p->wal, "%s/wal", o->data_dir);
    }
    if (len < 0 || (size_t)len >= sizeof p->wal) {
        return kvs_node_error(ret_error, KVS_E_INVALID, "the log directory's name is too long");
    }
    err = open_make_dir(k, o->data_dir, ret_error);
    return err != 0 ? err : open_make_dir(k, p->wal, ret_error);
}

/* Before anything in the directory is touched: another process may be at work there. */
static int open_lock(struct kvs_node *k, struct kvs_error *ret_error)
{
    const struct disk *disk = disk_posix();
    char path[OPEN_PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/lock", k->options.data_dir);
    int err = len > 0 && (size_t)len < sizeof path ? disk->lock(disk->ctx, path, &k->lock)
                                                   : KVS_E_INVALID;

    if (err == KVS_E_LOCKED) {
        return kvs_node_error(ret_error, err, "%s is in use by another process",
                              k->options.data_dir);
    }
    return err == 0 ? 0
                    : kvs_node_error(ret_error, err, "cannot lock %s: %s", path, kvs_strerror(err));
}

static int
open_store(struct kvs_node *k, const char *dir, struct mvcc **ret_mvcc, struct kvs_error *ret_error)
{
    struct mvcc_options options;

    mvcc_options_init(&options);
    options.dir = dir;
    options.device = backend_thread_device(k->backend);
    options.hash_seed = k->seed;
    options.clock = loop_clock(k->loop);
    options.progress = open_store_progress;
    options.progress_ctx = k;
    return mvcc_open(&options, ret_mvcc, ret_error);
}

/* --- identity --- */

static int open_find_self(struct kvs_node *k, struct kvs_error *ret_error)
{
    const struct kvs_node_options *o = &k->options;
    const struct kvs_member *self;
    struct kvs_view *urls = NULL;
    size_t n_urls = 0;

    if (o->initial_cluster_existing || o->initial_advertise_peer_urls != NULL) {
        const char *peers = o->initial_advertise_peer_urls;

        if (peers == NULL || ident_parse_urls(peers, &k->arena, &urls, &n_urls) != 0) {
            return kvs_node_error(ret_error, KVS_E_INVALID, "bad --initial-advertise-peer-urls");
        }
    }
    self = o->initial_cluster_existing ? ident_find_urls(&k->cluster, urls, n_urls)
                                       : ident_find_name(&k->cluster, o->name);
    if (self == NULL) {
        return kvs_node_error(ret_error, KVS_E_INVALID,
                              "couldn't find local name \"%s\" in the initial cluster "
                              "configuration",
                              o->name);
    }
    if (n_urls > 0 && !o->initial_cluster_existing && !ident_has_urls(self, urls, n_urls)) {
        return kvs_node_error(ret_error, KVS_E_INVALID,
                              "--initial-cluster has other URLs for \"%s\" than "
                              "--initial-advertise-peer-urls=%s",
                              o->name, o->initial_advertise_peer_urls);
    }
    k->member_id = self->id;
    return 0;
}

/* A store of its own: one member that nobody connects to still needs an address for its id. */
static const char *open_initial_cluster(struct kvs_node *k)
{
    const struct kvs_node_options *o = &k->options;
    const char *peer = o->initial_advertise_peer_urls != NULL ? o->initial_advertise_peer_urls
                                                              : "http://localhost:2380";
    size_t len = strlen(o->name) + strlen(peer) + 2;
    char *text;

    if (o->initial_cluster != NULL && *o->initial_cluster != '\0') {
        return o->initial_cluster;
    }
    text = arena_alloc(&k->arena, len);
    if (text != NULL) {
        (void)snprintf(text, len, "%s=%s", o->name, peer);
    }
    return text;
}

static int open_identify_new(struct kvs_node *k, struct kvs_error *ret_error)
{
    const char *text = open_initial_cluster(k);
    struct kvs_error error = {0};
    int err = text == NULL ? KVS_E_NOMEM
                           : ident_parse_cluster(text, k->options.initial_cluster_token, &k->arena,
                                                 &k->cluster, &error);

    if (err != 0) {
        return kvs_node_error(ret_error, err, "%s", error.msg);
    }
    k->cluster_id = k->cluster.cluster_id;
    return open_find_self(k, ret_error);
}

struct open_join {
    struct kvs_node *k;
    struct peer_info_request request;
    bool done;
    int status;
};

static void open_join_cb(struct peer_info_request *request)
{
    struct open_join *j = container_of(request, struct open_join, request);

    j->done = true;
    j->status = request->status;
    if (j->status == 0) {
        j->status = ident_info_decode(request->info, &j->k->arena, &j->k->cluster);
        j->k->cluster_id = request->cluster_id;
    }
}

static int open_join_ask(struct kvs_node *k, struct kvs_view url)
{
    struct open_join j = {.k = k, .request = {.cb = open_join_cb}};
    char text[NET_TEXT_MAX];
    struct net_addr addr;
    int err;

    if (url.len >= sizeof text) {
        return KVS_E_ADDRESS;
    }
    memcpy(text, url.data, url.len);
    text[url.len] = '\0';
    err = net_addr_parse(text, &addr);
    if (err == 0) {
        err = peer_info_fetch(k->loop, &addr, k->peer_client_tls, OPEN_JOIN_TIMEOUT_MS, &j.request);
    }
    while (err == 0 && !j.done) {
        (void)loop_turn(k->loop, true);
    }
    return err != 0 ? err : j.status;
}

/* Asks the members named on the command line, ourselves left out, until one answers. */
static int open_identify_joining(struct kvs_node *k, struct kvs_error *ret_error)
{
    struct ident_cluster named;
    const struct kvs_member *self;
    struct kvs_error error = {0};
    const char *text = open_initial_cluster(k);
    int err = text == NULL ? KVS_E_NOMEM : ident_parse_cluster(text, "", &k->arena, &named, &error);

    if (err != 0) {
        return kvs_node_error(ret_error, err, "%s", error.msg);
    }
    self = ident_find_name(&named, k->options.name);
    err = KVS_E_CONNECT;
    for (size_t i = 0; i < named.n_members && err != 0; i++) {
        for (size_t u = 0; u < named.members[i].n_peer_urls && err != 0; u++) {
            if (&named.members[i] != self) {
                err = open_join_ask(k, named.members[i].peer_urls[u]);
            }
        }
    }
    if (err != 0) {
        return kvs_node_error(ret_error, err, "no member of the cluster answered: %s",
                              kvs_strerror(err));
    }
    return open_find_self(k, ret_error);
}

static bool open_wal_exists(const char *dir)
{
    char path[OPEN_PATH_MAX + 32];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s/lock", dir);
    return stat(path, &st) == 0;
}

struct open_log {
    struct wal *wal;
    struct wal_recovered found;
    struct replica_state state;
};

/* Log and store belong together: neither may have been lost or replaced without the other. */
static int
open_log_check(const struct open_log *log, uint64_t stored_index, struct kvs_error *ret_error)
{
    if (log->found.created && stored_index > 0) {
        return kvs_node_error(ret_error, KVS_E_DAMAGED,
                              "the store has entries up to %" PRIu64 ", but there is no log",
                              stored_index);
    }
    if (log->found.base_index > stored_index && log->found.base_index > 1) {
        return kvs_node_error(ret_error, KVS_E_DAMAGED,
                              "the log begins after entry %" PRIu64
                              ", the store ends with entry %" PRIu64,
                              log->found.base_index, stored_index);
    }
    return 0;
}

static int open_log(struct kvs_node *k,
                    const char *dir,
                    uint64_t stored_index,
                    struct open_log *log,
                    struct kvs_error *ret_error)
{
    uint64_t keep = k->options.snapshot_count;
    const struct wal_options options = {
        .dir = dir,
        .disk = disk_posix(),
        .log = k->log,
        .cluster_id = k->cluster_id,
        .member_id = k->member_id,
        .from_index = stored_index > keep ? stored_index - keep : 0,
        .on_entry = replica_state_entry,
        .ctx = &log->state,
    };
    int err = wal_open(&options, &log->found, &log->wal, ret_error);

    if (err != 0) {
        return err;
    }
    err = open_log_check(log, stored_index, ret_error);
    if (err != 0) {
        return err;
    }
    k->cluster_id = log->found.cluster_id;
    k->member_id = log->found.member_id;
    log->state.hard = (struct core_hard_state){
        .term = log->found.hard.term,
        .vote = log->found.hard.vote,
        .commit = log->found.hard.commit,
    };
    return 0;
}

/* A new cluster's first entry is the same everywhere, so that it need not be agreed upon. */
static int open_bootstrap_log(struct open_log *log)
{
    const struct wal_hard_state hard = {.term = 1};
    int err = wal_reset(log->wal, 1, 1);

    if (err == 0) {
        err = wal_append(log->wal, &hard, NULL, 0);
    }
    if (err == 0) {
        err = wal_sync(log->wal);
    }
    log->state.hard = (struct core_hard_state){.term = 1, .commit = 1};
    return err;
}

static int open_bootstrap_store(struct kvs_node *k)
{
    uint64_t ids[IDENT_MEMBERS_MAX];
    struct replica_state first;
    struct rcbuf *conf = NULL;
    int err;

    for (size_t i = 0; i < k->cluster.n_members; i++) {
        ids[i] = k->cluster.members[i].id;
    }
    err = replica_bootstrap(ids, k->cluster.n_members, &first);
    if (err == 0) {
        err = core_conf_entry_encode(&first.applied.conf, (struct kvs_view){0}, &conf);
    }
    if (err == 0) {
        err = apply_bootstrap(node_apply(k->node), k->cluster_id, k->cluster.members,
                              k->cluster.n_members, rcbuf_view(conf));
        rcbuf_unref(conf);
    }
    if (err == 0) {
        mvcc_flush(node_mvcc(k->node));
        err = mvcc_is_storing(node_mvcc(k->node)) ? 0 : KVS_E_NOMEM;
    }
    while (err == 0 && !mvcc_is_clean(node_mvcc(k->node))) {
        (void)loop_turn(k->loop, true);
        err = mvcc_failure(node_mvcc(k->node));
    }
    return err;
}

/* --- parts --- */

static int open_tls(struct kvs_node *k, struct kvs_error *ret_error)
{
    const struct kvs_tls_files *client = &k->options.client_tls;
    const struct kvs_tls_files *peer = &k->options.peer_tls;
    struct tls_options options = {
        .cert_file = client->cert_file,
        .key_file = client->key_file,
        .ca_file = client->trusted_ca_file,
        .require_peer_cert = client->client_cert_auth,
    };
    int err = 0;

    if (client->cert_file != NULL) {
        err = tls_context_new_server(&options, &k->client_tls, ret_error);
    }
    if (err == 0 && peer->cert_file != NULL) {
        options = (struct tls_options){
            .cert_file = peer->cert_file,
            .key_file = peer->key_file,
            .ca_file = peer->trusted_ca_file,
            .require_peer_cert = peer->client_cert_auth,
        };
        err = tls_context_new_server(&options, &k->peer_server_tls, ret_error);
        if (err == 0) {
            err = tls_context_new_client(&options, &k->peer_client_tls, ret_error);
        }
    }
    return err;
}

/* Parses a comma-separated list of URLs into addresses. */
static int open_addresses(const char *urls,
                          struct net_addr *addresses,
                          size_t *ret_n,
                          struct kvs_error *ret_error)
{
    size_t n = 0;

    while (urls != NULL && *urls != '\0') {
        size_t len = strcspn(urls, ",");
        char one[NET_TEXT_MAX];

        if (n == KVS_NODE_LISTENERS_MAX || len >= sizeof one) {
            return kvs_node_error(ret_error, KVS_E_ADDRESS, "too many or too long URLs: %s", urls);
        }
        memcpy(one, urls, len);
        one[len] = '\0';
        if (net_addr_parse(one, &addresses[n++]) != 0) {
            return kvs_node_error(ret_error, KVS_E_ADDRESS, "bad URL \"%s\"", one);
        }
        urls += len + (urls[len] == ',' ? 1 : 0);
    }
    *ret_n = n;
    return 0;
}

static int open_transport(struct kvs_node *k, struct kvs_error *ret_error)
{
    struct net_addr listen[KVS_NODE_LISTENERS_MAX];
    struct peer_transport_options options = {
        .loop = k->loop,
        .cluster_id = k->cluster_id,
        .member_id = k->member_id,
        .log = k->log,
        .seed = k->seed,
        .listen = listen,
        .server_tls = k->peer_server_tls,
        .client_tls = k->peer_client_tls,
        .describe = open_describe,
        .ctx = k,
    };
    int err = open_addresses(k->options.listen_peer_urls, listen, &options.n_listen, ret_error);

    return err != 0 ? err : peer_transport_new(&options, &k->transport, ret_error);
}

/* The largest tick that both intervals are multiples of. */
static unsigned open_tick_ms(const struct kvs_node_options *o)
{
    unsigned a = o->election_ms;
    unsigned b = o->heartbeat_ms;

    while (b != 0) {
        unsigned rest = a % b;

        a = b;
        b = rest;
    }
    return a < OPEN_TICK_MS_MAX ? a : OPEN_TICK_MS_MAX;
}

static int open_advertised(struct kvs_node *k, struct kvs_error *ret_error)
{
    if (k->options.advertise_client_urls == NULL) {
        return 0;
    }
    if (ident_parse_urls(k->options.advertise_client_urls, &k->arena, &k->advertised,
                         &k->n_advertised) != 0) {
        return kvs_node_error(ret_error, KVS_E_INVALID, "bad --advertise-client-urls");
    }
    return 0;
}

static int64_t open_quota_bytes(const struct kvs_node_options *o)
{
    if (o->quota_backend_bytes < 0) {
        return INT64_MAX; /* as in etcd: no quota */
    }
    return o->quota_backend_bytes > 0 ? o->quota_backend_bytes : OPEN_QUOTA_BYTES;
}

/* "90m" and the like in milliseconds; a bare number counts `unit_ms`. */
static int open_duration(const char *text, uint64_t unit_ms, uint64_t *ret_ms)
{
    static const struct {
        char unit;
        uint64_t ms;
    } units[] = {{'h', 3600000}, {'m', 60000}, {'s', 1000}};
    uint64_t total = 0;

    do {
        char *end;
        unsigned long number;

        errno = 0;
        number = strtoul(text, &end, 10);
        if (end == text || *text == '-' || errno != 0 || number > UINT32_MAX) {
            return KVS_E_INVALID;
        }
        if (*end == '\0') {
            *ret_ms = total + number * unit_ms;
            return 0;
        }
        for (size_t i = 0; i < ARRAY_LEN(units); i++) {
            if (*end == units[i].unit) {
                total += number * units[i].ms;
                end++;
                break;
            }
            if (i + 1 == ARRAY_LEN(units)) {
                return KVS_E_INVALID;
            }
        }
        text = end;
    } while (*text != '\0');
    *ret_ms = total;
    return 0;
}

static int open_compaction(const struct kvs_node_options *o,
                           struct node_config *config,
                           struct kvs_error *ret_error)
{
    const char *mode = o->auto_compaction_mode != NULL ? o->auto_compaction_mode : "periodic";
    const char *retention = o->auto_compaction_retention;
    bool periodic = strcmp(mode, "periodic") == 0;

    if (!periodic && strcmp(mode, "revision") != 0) {
        return kvs_node_error(ret_error, KVS_E_INVALID, "unknown --auto-compaction-mode \"%s\"",
                              mode);
    }
    if (retention == NULL || *retention == '\0') {
        return 0;
    }
    if (open_duration(retention, periodic ? 3600000 : 1, &config->compaction_retention) != 0) {
        return kvs_node_error(ret_error, KVS_E_INVALID, "bad --auto-compaction-retention \"%s\"",
                              retention);
    }
    if (config->compaction_retention > 0) {
        config->compaction_mode = periodic ? NODE_COMPACT_PERIODIC : NODE_COMPACT_REVISION;
    }
    return 0;
}

static int
open_node(struct kvs_node *k, struct mvcc *mvcc, const char *store_dir, struct kvs_error *ret_error)
{
    const struct kvs_node_options *o = &k->options;
    struct node_config config = {
        .cluster_id = k->cluster_id,
        .member_id = k->member_id,
        .name = o->name,
        .client_urls = k->advertised,
        .n_client_urls = k->n_advertised,
        .data_dir = store_dir,
        .cluster_token = o->initial_cluster_token,
        .tick_ms = open_tick_ms(o),
        .heartbeat_ms = o->heartbeat_ms,
        .election_ms = o->election_ms,
        .snapshot_count = o->snapshot_count,
        .quota_bytes = open_quota_bytes(o),
        .max_request_bytes = o->max_request_bytes,
        .max_txn_ops = o->max_txn_ops,
        .max_learners = o->max_learners,
        .progress_notify_ms = o->watch_progress_notify_ms,
        .strict_reconfig = o->strict_reconfig_check,
    };
    const struct node_env env = {
        .clock = loop_clock(k->loop),
        .seed = k->seed ^ k->member_id,
        .log = k->log,
        .backend_device = backend_thread_device(k->backend),
        .log_device = k->log_device,
        .transport = peer_transport_base(k->transport),
        .submit_work = open_env_submit_work,
        .wake = open_env_wake,
        .stopped = open_env_stopped,
        .ctx = k,
    };

    int err = open_compaction(o, &config, ret_error);

    if (err != 0) {
        mvcc_close(mvcc);
        return err;
    }
    return node_new(&config, &env, mvcc, &k->node);
}

/* A joining member has no member table yet: it knows who was asked, itself among them. */
static int open_join_peers(struct kvs_node *k)
{
    struct transport_peer peers[IDENT_MEMBERS_MAX];
    const char *urls[IDENT_MEMBERS_MAX][IDENT_URLS_MAX];
    struct transport *t = peer_transport_base(k->transport);

    for (size_t i = 0; i < k->cluster.n_members; i++) {
        const struct kvs_member *m = &k->cluster.members[i];

        for (size_t u = 0; u < m->n_peer_urls; u++) {
            urls[i][u] = arena_strndup(&k->arena, m->peer_urls[u].data, m->peer_urls[u].len);
            if (urls[i][u] == NULL) {
                return KVS_E_NOMEM;
            }
        }
        peers[i] = (struct transport_peer){m->id, urls[i], m->n_peer_urls};
    }
    return t->ops->set_peers(t, peers, k->cluster.n_members);
}

/* --- clients --- */

static int
open_listen(struct kvs_node *k, const char *urls, unsigned flags, struct kvs_error *ret_error)
{
    struct net_addr addresses[KVS_NODE_LISTENERS_MAX];
    size_t n = 0;
    int err = open_addresses(urls, addresses, &n, ret_error);

    for (size_t i = 0; i < n && err == 0; i++) {
        struct tls_context *tls = addresses[i].tls ? k->client_tls : NULL;
        uint16_t port = 0;

        if (addresses[i].tls && tls == NULL) {
            return kvs_node_error(ret_error, KVS_E_INVALID,
                                  "an https URL needs --cert-file and --key-file");
        }
        err = rpc_listen(k->rpc, &addresses[i], tls, flags, 0, &port, ret_error);
        if (err == 0 && k->client_port == 0) {
            k->client_port = port;
        }
        if (err == 0 && tls == NULL) {
            log_info(k->log, "serving client traffic insecurely; this is strongly discouraged!");
        }
    }
    return err;
}

static int open_clients(struct kvs_node *k, struct kvs_error *ret_error)
{
    const struct kvs_node_options *o = &k->options;
    const struct rpc_limits limits = {
        .recv_message_max = (size_t)o->max_request_bytes + 512 * 1024,
        .http_body_max = (size_t)o->max_request_bytes + 512 * 1024,
        .streams_max = o->max_concurrent_streams,
        .ping_min_interval_ms = o->grpc_keepalive_min_ms,
        .ping_interval_ms = o->grpc_keepalive_interval_ms,
        .ping_timeout_ms = o->grpc_keepalive_timeout_ms,
    };
    int err;

    if (o->max_request_bytes > OPEN_REQUEST_BYTES) {
        log_warn(k->log, "exceeded recommended request limit",
                 LOG_U64("max-request-bytes", o->max_request_bytes),
                 LOG_U64("recommended-request-bytes", OPEN_REQUEST_BYTES));
    }
    if (o->listen_client_urls == NULL && o->listen_metrics_urls == NULL) {
        return 0;
    }
    err = rpc_server_new(k->loop, &limits, k->log, &k->rpc);
    if (err == 0) {
        err = service_init(&k->service, k->node, k->loop, k->rpc);
    }
    if (err == 0) {
        err = open_listen(k, o->listen_client_urls, RPC_LISTEN_ALL, ret_error);
    }
    if (err == 0) {
        err = open_listen(k, o->listen_metrics_urls, RPC_LISTEN_HTTP, ret_error);
    }
    return err;
}

/* --- order --- */

static int open_loop(struct kvs_node *k)
{
    int err = loop_new(&k->loop);

    if (err != 0) {
        return err;
    }
    list_init(&k->wake_log);
    list_init(&k->wake_backend);
    list_init(&k->wake_local);
    loop_timer_init(k->loop, &k->store_due, open_on_store_due);
    if (getrandom(&k->seed, sizeof k->seed, 0) != (ssize_t)sizeof k->seed) {
        k->seed = loop_clock(k->loop)->wall_ns(NULL);
    }
    err = loop_mbox_new(k->loop, open_on_wake, k, &k->wakes);
    if (err == 0) {
        err = backend_thread_new(open_wake_backend, k, &k->backend);
    }
    return err;
}

static int open_identify(struct kvs_node *k, const char *wal_dir, struct kvs_error *ret_error)
{
    if (open_wal_exists(wal_dir)) {
        return 0; /* the log says who we are */
    }
    return k->options.initial_cluster_existing ? open_identify_joining(k, ret_error)
                                               : open_identify_new(k, ret_error);
}

static int open_start(struct kvs_node *k, struct open_log *log, bool new_cluster)
{
    int err = new_cluster ? open_bootstrap_store(k) : 0;

    if (err == 0 && k->cluster.n_members > 0 && !new_cluster) {
        err = open_join_peers(k);
    }
    return err != 0 ? err : node_start(k->node, &log->state);
}

static int open_log_thread(struct kvs_node *k, struct open_log *log)
{
    int err = log_thread_start(log->wal, loop_clock(k->loop), open_wake_log, k, &k->log_device);

    if (err == 0) {
        log->wal = NULL; /* the thread's now */
    }
    return err;
}

/* From a recovered log on; `mvcc` is taken over. */
static int open_running(struct kvs_node *k,
                        struct open_log *log,
                        struct mvcc *mvcc,
                        const char *store_dir,
                        struct kvs_error *ret_error)
{
    /* Nothing stored, and the log is empty or has only been reset: the cluster is (still) to be
     * made. */
    bool new_cluster = mvcc_applied_index(mvcc) == 0 && !k->options.initial_cluster_existing &&
                       log->found.last_index <= 1;
    int err = 0;

    if (new_cluster && k->cluster.n_members == 0) {
        err = open_identify_new(k, ret_error);
    }
    if (err == 0 && new_cluster && log->found.last_index == 0) {
        err = open_bootstrap_log(log);
    }
    if (err == 0) {
        err = open_transport(k, ret_error);
    }
    if (err == 0) {
        err = open_log_thread(k, log);
    }
    if (err != 0) {
        mvcc_close(mvcc);
        return err;
    }
    err = open_node(k, mvcc, store_dir, ret_error);
    if (err == 0) {
        loop_hook_init(k->loop, &k->flush, LOOP_PHASE_WORK, open_on_flush);
        err = open_start(k, log, new_cluster);
    }
    return err;
}

static int open_all(struct kvs_node *k, struct open_log *log, struct kvs_error *ret_error)
{
    struct open_paths paths;
    struct mvcc *mvcc = NULL;
    int err = open_loop(k);

    if (err == 0) {
        err = open_paths_make(k, &paths, ret_error);
    }
    if (err == 0) {
        err = open_tls(k, ret_error);
    }
    if (err == 0) {
        err = open_advertised(k, ret_error);
    }
    if (err == 0) {
        err = open_identify(k, paths.wal, ret_error);
    }
    if (err != 0) {
        return err;
    }
    err = open_lock(k, ret_error);
    if (err != 0) {
        return err;
    }
    err = open_store(k, paths.store, &mvcc, ret_error);
    if (err == 0) {
        err = open_log(k, paths.wal, mvcc_stored_index(mvcc), log, ret_error);
        if (err != 0) {
            mvcc_close(mvcc);
        }
    }
    return err != 0 ? err : open_running(k, log, mvcc, paths.store, ret_error);
}

int kvs_node_bring_up(struct kvs_node *k, struct kvs_error *ret_error)
{
    struct open_log log = {0};
    struct kvs_error error = {0};
    int err = open_all(k, &log, &error);

    if (err == 0) {
        err = open_clients(k, &error);
    }
    replica_state_fini(&log.state);
    if (log.wal != NULL) {
        (void)wal_close(log.wal); /* the first error is the one to report */
    }
    if (err != 0) {
        if (k->loop != NULL) {
            kvs_node_begin_stop(k, err);
            if (!k->down) {
                loop_run(k->loop); /* the rest of stopping takes turns */
            }
        }
        return kvs_node_error(ret_error, err, "%s",
                              error.msg[0] != '\0' ? error.msg : kvs_strerror(err));
    }
    loop_timer_init(k->loop, &k->tick, open_on_tick);
    loop_timer_start_repeat(&k->tick, 1, node_config(k->node)->tick_ms);
    log_info(k->log, "started", LOG_STR("name", k->options.name),
             LOG_HEX("local-member-id", k->member_id), LOG_HEX("cluster-id", k->cluster_id));
    return 0;
}
