#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CONFIG_FLAGS_MAX 160

struct config_table {
    struct flag flags[CONFIG_FLAGS_MAX];
    size_t n;
};

static void config_add(struct config_table *t,
                       const char *section,
                       const char *name,
                       enum flag_type type,
                       void *target,
                       const char *default_text,
                       const char *help)
{
    if (t->n < CONFIG_FLAGS_MAX) {
        t->flags[t->n++] = (struct flag){section, name, type, target, default_text, help};
    }
}

static void config_add_member(struct config_table *t, struct config *c)
{
    struct kvs_node_options *o = &c->node;

    config_add(t, "Member", "name", FLAG_STRING, &o->name, "default", "name of this member");
    config_add(t, NULL, "data-dir", FLAG_STRING, &o->data_dir, "${name}.etcd",
               "where data is kept");
    config_add(t, NULL, "wal-dir", FLAG_STRING, &o->wal_dir, "", "a place of its own for the log");
    config_add(t, NULL, "snapshot-count", FLAG_U64, &o->snapshot_count, "10000",
               "entries kept for followers that lag; further behind they get a snapshot");
    config_add(t, NULL, "heartbeat-interval", FLAG_UINT, &o->heartbeat_ms, "100",
               "milliseconds between a leader's heartbeats");
    config_add(t, NULL, "election-timeout", FLAG_UINT, &o->election_ms, "1000",
               "milliseconds without a leader before an election");
    config_add(t, NULL, "listen-peer-urls", FLAG_STRING, &o->listen_peer_urls,
               "http://localhost:2380", "where other members connect");
    config_add(t, NULL, "listen-client-urls", FLAG_STRING, &o->listen_client_urls,
               "http://localhost:2379", "where clients connect (gRPC and HTTP)");
    config_add(t, NULL, "quota-backend-bytes", FLAG_I64, &o->quota_backend_bytes, "0",
               "size of the store that raises the NOSPACE alarm; 0 is 2 GiB");
    config_add(t, NULL, "max-txn-ops", FLAG_U32, &o->max_txn_ops, "128",
               "operations allowed in one transaction");
    config_add(t, NULL, "max-request-bytes", FLAG_U32, &o->max_request_bytes, "1572864",
               "largest request taken from a client");
    config_add(t, NULL, "max-concurrent-streams", FLAG_U32, &o->max_concurrent_streams,
               "4294967295", "streams that one connection may have open");
    config_add(t, NULL, "grpc-keepalive-min-time", FLAG_DURATION_MS, &o->grpc_keepalive_min_ms,
               "5s", "shortest time between a client's pings");
    config_add(t, NULL, "grpc-keepalive-interval", FLAG_DURATION_MS, &o->grpc_keepalive_interval_ms,
               "2h", "time between the server's pings; 0: none");
    config_add(t, NULL, "grpc-keepalive-timeout", FLAG_DURATION_MS, &o->grpc_keepalive_timeout_ms,
               "20s", "time that a client has to answer a ping");
}

static void config_add_cluster(struct config_table *t, struct config *c)
{
    struct kvs_node_options *o = &c->node;

    config_add(t, "Clustering", "initial-advertise-peer-urls", FLAG_STRING,
               &o->initial_advertise_peer_urls, "http://localhost:2380",
               "this member's peer URLs as the others see them");
    config_add(t, NULL, "initial-cluster", FLAG_STRING, &o->initial_cluster,
               "default=http://localhost:2380", "the members that form the cluster: name=url,...");
    config_add(t, NULL, "initial-cluster-state", FLAG_STRING, &c->initial_cluster_state, "new",
               "'new', or 'existing' to join a running cluster");
    config_add(t, NULL, "initial-cluster-token", FLAG_STRING, &o->initial_cluster_token,
               "etcd-cluster", "keeps clusters apart that have the same members");
    config_add(t, NULL, "advertise-client-urls", FLAG_STRING, &o->advertise_client_urls,
               "http://localhost:2379", "this member's client URLs as clients see them");
    config_add(t, NULL, "strict-reconfig-check", FLAG_BOOL, &o->strict_reconfig_check, "true",
               "refuse membership changes that would cost the quorum");
    config_add(t, NULL, "pre-vote", FLAG_BOOL, &o->pre_vote, "true",
               "ask before an election, so that a member that returns does not disturb");
    config_add(t, NULL, "force-new-cluster", FLAG_BOOL, &o->force_new_cluster, "false",
               "not supported: refused with a word on what to do instead");
    config_add(t, NULL, "max-learners", FLAG_U32, &o->max_learners, "1",
               "learners that the cluster may have");
    config_add(t, NULL, "auto-compaction-mode", FLAG_STRING, &o->auto_compaction_mode, "periodic",
               "'periodic' or 'revision': what the retention means");
    config_add(t, NULL, "auto-compaction-retention", FLAG_STRING, &o->auto_compaction_retention,
               "0", "history that is kept: '1h', or a number of revisions; 0: all");
}

static void config_add_tls(struct config_table *t, struct config *c)
{
    struct kvs_tls_files *client = &c->node.client_tls;
    struct kvs_tls_files *peer = &c->node.peer_tls;

    config_add(t, "Security", "cert-file", FLAG_STRING, &client->cert_file, "",
               "certificate shown to clients");
    config_add(t, NULL, "key-file", FLAG_STRING, &client->key_file, "", "its key");
    config_add(t, NULL, "trusted-ca-file", FLAG_STRING, &client->trusted_ca_file, "",
               "CA of the clients' certificates");
    config_add(t, NULL, "client-cert-auth", FLAG_BOOL, &client->client_cert_auth, "false",
               "refuse clients without a certificate");
    config_add(t, NULL, "peer-cert-file", FLAG_STRING, &peer->cert_file, "",
               "certificate shown to other members");
    config_add(t, NULL, "peer-key-file", FLAG_STRING, &peer->key_file, "", "its key");
    config_add(t, NULL, "peer-trusted-ca-file", FLAG_STRING, &peer->trusted_ca_file, "",
               "CA of the members' certificates");
    config_add(t, NULL, "peer-client-cert-auth", FLAG_BOOL, &peer->client_cert_auth, "false",
               "refuse members without a certificate");
}

static void config_add_operation(struct config_table *t, struct config *c)
{
    struct kvs_node_options *o = &c->node;

    config_add(t, "Monitoring and logging", "listen-metrics-urls", FLAG_STRING,
               &o->listen_metrics_urls, "", "extra URLs for /metrics and /health");
    config_add(t, NULL, "watch-progress-notify-interval", FLAG_DURATION_MS,
               &o->watch_progress_notify_ms, "10m", "time between progress notices to watchers");
    config_add(t, NULL, "experimental-watch-progress-notify-interval", FLAG_DURATION_MS,
               &o->watch_progress_notify_ms, "10m", "older name of the same");
    config_add(t, NULL, "log-level", FLAG_STRING, &c->log_level, "info",
               "debug, info, warn, error, panic or fatal");
    config_add(t, NULL, "log-format", FLAG_STRING, &c->log_format, "json", "json or console");
    config_add(t, NULL, "version", FLAG_BOOL, &c->version, "false", "print the version and exit");
    config_add(t, NULL, "help", FLAG_BOOL, &c->help, "false", "print this text and exit");
    config_add(t, NULL, "h", FLAG_BOOL, &c->help, "false", "print this text and exit");
}

/* Flags that scripts and kubeadm pass to etcd and that change nothing here. */
static void config_add_without_effect(struct config_table *t, struct config *c)
{
    static const char *const with_value[] = {"max-snapshots",
                                             "max-wals",
                                             "backend-bbolt-freelist-type",
                                             "backend-batch-interval",
                                             "backend-batch-limit",
                                             "feature-gates",
                                             "logger",
                                             "log-outputs",
                                             "metrics",
                                             "corrupt-check-time",
                                             "compact-hash-check-time",
                                             "compaction-batch-limit",
                                             "compaction-sleep-interval",
                                             "warning-apply-duration",
                                             "warning-unary-request-duration",
                                             "snapshot-catchup-entries",
                                             "experimental-compaction-batch-limit",
                                             "experimental-corrupt-check-time",
                                             "experimental-warning-apply-duration",
                                             "raft-read-timeout",
                                             "raft-write-timeout",
                                             "v2-deprecation"};
    static const char *const boolean[] = {"enable-pprof",
                                          "enable-v2",
                                          "enable-grpc-gateway",
                                          "initial-election-tick-advance",
                                          "experimental-initial-corrupt-check",
                                          "experimental-compact-hash-check-enabled",
                                          "experimental-enable-lease-checkpoint",
                                          "socket-reuse-port",
                                          "socket-reuse-address"};

    for (size_t i = 0; i < sizeof with_value / sizeof with_value[0]; i++) {
        config_add(t, i == 0 ? "Accepted without effect" : NULL, with_value[i], FLAG_NO_EFFECT,
                   &c->ignored, "", "see docs/compatibility.md");
    }
    for (size_t i = 0; i < sizeof boolean / sizeof boolean[0]; i++) {
        config_add(t, NULL, boolean[i], FLAG_NO_EFFECT_BOOL, &c->ignored, "",
                   "see docs/compatibility.md");
    }
}

static void config_table_init(struct config_table *t, struct config *c)
{
    t->n = 0;
    config_add_member(t, c);
    config_add_cluster(t, c);
    config_add_tls(t, c);
    config_add_operation(t, c);
    config_add_without_effect(t, c);
}

static int config_fail(struct kvs_error *ret_error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int config_fail(struct kvs_error *ret_error, const char *format, ...)
{
    va_list args;

    ret_error->code = KVS_E_INVALID;
    va_start(args, format);
    (void)vsnprintf(ret_error->msg, sizeof ret_error->msg, format, args);
    va_end(args);
    return KVS_E_INVALID;
}

static int config_apply_log(struct config *c, struct kvs_error *ret_error)
{
    static const char *const levels[] = {"debug", "info", "warn", "error", "panic", "fatal"};

    for (unsigned i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(c->log_level, levels[i]) == 0) {
            c->node.log_level = i < KVS_LOG_ERROR ? (enum kvs_log_level)i : KVS_LOG_ERROR;
            c->node.log_console = strcmp(c->log_format, "console") == 0;
            if (!c->node.log_console && strcmp(c->log_format, "json") != 0) {
                return config_fail(ret_error, "unknown log format \"%s\"", c->log_format);
            }
            return 0;
        }
    }
    return config_fail(ret_error, "unrecognized level: \"%s\"", c->log_level);
}

static int config_apply(struct config *c, struct kvs_error *ret_error)
{
    struct kvs_node_options *o = &c->node;
    int len;

    if (o->data_dir == NULL || *o->data_dir == '\0') {
        len = snprintf(c->data_dir, sizeof c->data_dir, "%s.etcd", o->name);
        if (len < 0 || (size_t)len >= sizeof c->data_dir) {
            return config_fail(ret_error, "the name is too long");
        }
        o->data_dir = c->data_dir;
    }
    if (strcmp(c->initial_cluster_state, "existing") == 0) {
        o->initial_cluster_existing = true;
    } else if (strcmp(c->initial_cluster_state, "new") != 0) {
        return config_fail(ret_error, "unknown initial-cluster-state \"%s\"",
                           c->initial_cluster_state);
    }
    return config_apply_log(c, ret_error);
}

int config_load(struct config *c,
                int argc,
                char **argv,
                flags_warn_fn warn,
                void *warn_ctx,
                struct kvs_error *ret_error)
{
    static const char default_clients[] = "http://localhost:2379";
    static const char default_peers[] = "http://localhost:2380";
    struct config_table t;
    struct flags f = {t.flags, 0, "ETCD_", warn, warn_ctx};
    bool custom_listen;
    int err;

    *c = (struct config){.initial_cluster_state = "new", .log_level = "info", .log_format = "json"};
    kvs_node_options_init(&c->node);
    c->node.data_dir = NULL;
    c->node.listen_client_urls = default_clients;
    c->node.listen_peer_urls = default_peers;
    config_table_init(&t, c);
    f.n = t.n;
    err = flags_parse(&f, argc, argv, ret_error);
    if (err != 0 || c->version || c->help) {
        return err;
    }
    custom_listen = c->node.listen_client_urls != default_clients;
    if (custom_listen && c->node.advertise_client_urls == NULL) {
        return config_fail(ret_error,
                           "--advertise-client-urls is required when --listen-client-urls is set "
                           "explicitly");
    }
    if (c->node.advertise_client_urls == NULL) {
        c->node.advertise_client_urls = default_clients;
    }
    if (c->node.initial_advertise_peer_urls == NULL) {
        c->node.initial_advertise_peer_urls = default_peers;
    }
    return config_apply(c, ret_error);
}

void config_usage(struct config *c)
{
    struct config_table t;
    struct flags f = {t.flags, 0, "ETCD_", NULL, NULL};

    (void)printf("Usage:\n\n  kvstored [flags]\n      Start a store node.\n");
    config_table_init(&t, c);
    f.n = t.n;
    flags_print(&f);
}
