#include "node/kvs_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "node/local.h"

/* How long kvs_node_wait_ready sleeps at a time when asked to wait for ever. */
#define KVS_NODE_WAIT_SLICE_MS 60000

/* Other members read the name when they join. */
#define OPTIONS_NAME_MAX 1024

void kvs_node_options_init(struct kvs_node_options *options)
{
    *options = (struct kvs_node_options){
        .size = sizeof *options,
        .name = "default",
        .initial_cluster_token = "etcd-cluster",
        .heartbeat_ms = 100,
        .election_ms = 1000,
        .snapshot_count = 10000,
        .max_request_bytes = 1572864,
        .max_txn_ops = 128,
        .max_concurrent_streams = UINT32_MAX,
        .max_learners = 1,
        .watch_progress_notify_ms = 600000,
        .grpc_keepalive_min_ms = 5000,
        .grpc_keepalive_interval_ms = 7200000,
        .grpc_keepalive_timeout_ms = 20000,
        .strict_reconfig_check = true,
        .pre_vote = true,
        .log_level = KVS_LOG_INFO,
    };
}

int kvs_node_error(struct kvs_error *ret_error, int code, const char *format, ...)
{
    va_list args;

    if (ret_error != NULL) {
        ret_error->code = code;
        va_start(args, format);
        (void)vsnprintf(ret_error->msg, sizeof ret_error->msg, format, args);
        va_end(args);
    }
    return code;
}

/* --- options --- */

static int options_copy_string(struct kvs_node *k, const char **text)
{
    if (*text == NULL || **text == '\0') {
        *text = NULL; /* as with etcd's flags: empty is not given */
        return 0;
    }
    *text = arena_strndup(&k->arena, *text, strlen(*text));
    return *text != NULL ? 0 : KVS_E_NOMEM;
}

static int options_copy(struct kvs_node *k, const struct kvs_node_options *options)
{
    struct kvs_node_options *o = &k->options;
    const char **const strings[] = {
        &o->name,
        &o->data_dir,
        &o->wal_dir,
        &o->listen_client_urls,
        &o->listen_peer_urls,
        &o->listen_metrics_urls,
        &o->advertise_client_urls,
        &o->initial_advertise_peer_urls,
        &o->initial_cluster,
        &o->initial_cluster_token,
        &o->auto_compaction_mode,
        &o->auto_compaction_retention,
        &o->client_tls.cert_file,
        &o->client_tls.key_file,
        &o->client_tls.trusted_ca_file,
        &o->peer_tls.cert_file,
        &o->peer_tls.key_file,
        &o->peer_tls.trusted_ca_file,
    };

    *o = *options;
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        int err = options_copy_string(k, strings[i]);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}

static bool options_is_empty(const char *text)
{
    return text == NULL || *text == '\0';
}

static int options_check(const struct kvs_node_options *o, struct kvs_error *ret_error)
{
    if (o->size != sizeof *o) {
        return kvs_node_error(ret_error, KVS_E_INVALID, "options of another version");
    }
    if (options_is_empty(o->data_dir)) {
        return kvs_node_error(ret_error, KVS_E_INVALID, "no data directory is given");
    }
    if (options_is_empty(o->name) || strlen(o->name) > OPTIONS_NAME_MAX) {
        return kvs_node_error(ret_error, KVS_E_INVALID, "the name is empty or too long");
    }
    if (options_is_empty(o->initial_cluster_token)) {
        return kvs_node_error(ret_error, KVS_E_INVALID, "--initial-cluster-token is empty");
    }
    if ((unsigned)o->log_level > KVS_LOG_ERROR) {
        return kvs_node_error(ret_error, KVS_E_INVALID, "no such log level: %d", (int)o->log_level);
    }
    if (o->force_new_cluster) {
        return kvs_node_error(ret_error, KVS_E_INVALID,
                              "--force-new-cluster is not supported: restore a snapshot instead");
    }
    if (o->heartbeat_ms == 0 || o->election_ms < 5 * o->heartbeat_ms) {
        return kvs_node_error(ret_error, KVS_E_INVALID,
                              "--election-timeout[%ums] should be at least as 5 times as "
                              "--heartbeat-interval[%ums]",
                              o->election_ms, o->heartbeat_ms);
    }
    if (o->election_ms > 50000) {
        return kvs_node_error(ret_error, KVS_E_INVALID,
                              "--election-timeout[%ums] is too long, and should be set less than "
                              "50000ms",
                              o->election_ms);
    }
    if (o->max_request_bytes > KVS_NODE_REQUEST_BYTES_MAX) {
        return kvs_node_error(ret_error, KVS_E_INVALID,
                              "--max-request-bytes[%u] is above the largest entry that members "
                              "exchange, %d bytes",
                              (unsigned)o->max_request_bytes, KVS_NODE_REQUEST_BYTES_MAX);
    }
    if (o->watch_progress_notify_ms < 100) {
        return kvs_node_error(ret_error, KVS_E_INVALID,
                              "--watch-progress-notify-interval is below 100ms");
    }
    return 0;
}

/* --- life --- */

static void *kvs_node_main(void *arg)
{
    struct kvs_node *k = arg;

    loop_run(k->loop);
    kvs_node_shut_door(k);
    kvs_node_tear_down(k); /* here: what hangs on the loop belongs to this thread */
    atomic_store(&k->state, KVS_NODE_STOPPED);
    mbox_post(k->news, &k->news_stopped);
    return NULL;
}

/* From a client's thread, under the mailbox's lock, so the loop is there. */
static void kvs_node_wake_tasks(void *ctx)
{
    struct kvs_node *k = ctx;

    loop_mbox_post(k->wakes, &k->wake_local);
}

static struct kvs_node *kvs_node_new(const struct kvs_node_options *options)
{
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    struct kvs_node *k = kvs_calloc(1, sizeof *k);

    if (k == NULL) {
        return NULL;
    }
    arena_init(&k->arena, 0);
    atomic_init(&k->refs, 1);
    list_init(&k->local_streams);
    k->news = mbox_new(NULL, NULL);
    k->tasks = mbox_new(kvs_node_wake_tasks, k);
    k->log = log_new(levels[options->log_level],
                     options->log_console ? LOG_FORMAT_CONSOLE : LOG_FORMAT_JSON, options->log_fn,
                     options->log_ctx);
    if (k->news == NULL || k->tasks == NULL || k->log == NULL || options_copy(k, options) != 0) {
        mbox_free(k->news);
        mbox_free(k->tasks);
        log_free(k->log);
        arena_fini(&k->arena);
        kvs_free(k);
        return NULL;
    }
    return k;
}

void local_ref(struct kvs_node *k)
{
    (void)atomic_fetch_add(&k->refs, 1);
}

void local_unref(struct kvs_node *k)
{
    struct list left;

    if (atomic_fetch_sub(&k->refs, 1) > 1) {
        return;
    }
    list_init(&left);
    (void)mbox_take(k->news, &left);
    mbox_free(k->news);
    mbox_free(k->tasks);
    log_free(k->log);
    arena_fini(&k->arena);
    kvs_free(k);
}

int kvs_node_open(const struct kvs_node_options *options,
                  struct kvs_node **ret_node,
                  struct kvs_error *ret_error)
{
    struct kvs_node *k;
    int err = options_check(options, ret_error);

    if (err != 0) {
        return err;
    }
    k = kvs_node_new(options);
    if (k == NULL) {
        return kvs_node_error(ret_error, KVS_E_NOMEM, "out of memory");
    }
    err = kvs_node_bring_up(k, ret_error);
    if (err == 0 && pthread_create(&k->thread, NULL, kvs_node_main, k) != 0) {
        /* The loop is ours until a thread runs it: take the orderly way down on this one. */
        kvs_node_begin_stop(k, KVS_E_AGAIN);
        loop_run(k->loop);
        err = kvs_node_error(ret_error, KVS_E_AGAIN, "no thread could be started");
    }
    if (err != 0) {
        kvs_node_tear_down(k);
        local_unref(k);
        return err;
    }
    k->thread_runs = true;
    *ret_node = k;
    return 0;
}

int kvs_node_wait_ready(struct kvs_node *k, unsigned timeout_ms)
{
    uint64_t until_ms = clock_ms(clock_system()) + timeout_ms;
    struct list news;

    list_init(&news);
    while (atomic_load(&k->state) == KVS_NODE_STARTING) {
        uint64_t now_ms = clock_ms(clock_system());
        uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;

        if (left_ms == 0) {
            return KVS_E_TIMEOUT;
        }
        (void)mbox_wait_timeout(k->news, &news,
                                left_ms < KVS_NODE_WAIT_SLICE_MS ? (unsigned)left_ms
                                                                 : KVS_NODE_WAIT_SLICE_MS);
    }
    return atomic_load(&k->state) == KVS_NODE_READY ? 0 : KVS_E_STOPPED;
}

void kvs_node_stop(struct kvs_node *k)
{
    atomic_store(&k->stop_requested, true); /* seen by the next tick */
}

int kvs_node_wait(struct kvs_node *k, struct kvs_error *ret_error)
{
    if (k->thread_runs) {
        int err = pthread_join(k->thread, NULL);

        kvs_assert(err == 0);
        k->thread_runs = false;
    }
    if (k->exit_code != 0) {
        return kvs_node_error(ret_error, k->exit_code, "%s", k->exit_text);
    }
    return 0;
}

void kvs_node_close(struct kvs_node *k)
{
    if (k == NULL) {
        return;
    }
    kvs_node_stop(k);
    (void)kvs_node_wait(k, NULL); /* whoever wants to know has asked before */
    local_unref(k);
}
