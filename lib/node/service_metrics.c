#include "node/service_metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "kvstore/node.h"
#include "node/metrics.h"

#define METRICS_LABELS_MAX 256

static void metrics_server(struct buf *b, struct node *n, const struct replica_status *r)
{
    const struct node_config *config = node_config(n);
    struct node_stats *stats = node_stats(n);
    char labels[METRICS_LABELS_MAX];

    metrics_gauge(b, "etcd_server_has_leader", "1 if a leader is known.", r->core.leader != 0);
    metrics_gauge(b, "etcd_server_is_leader", "1 if this member leads.",
                  r->core.role == CORE_LEADER);
    metrics_gauge(b, "etcd_server_is_learner", "1 if this member is a learner.", r->is_learner);
    metrics_counter(b, "etcd_server_leader_changes_seen_total", "Changes of leader seen.",
                    r->leader_changes);
    metrics_gauge(b, "etcd_server_proposals_committed_total", "Index of the last committed entry.",
                  r->core.commit);
    metrics_gauge(b, "etcd_server_proposals_applied_total", "Index of the last applied entry.",
                  mvcc_applied_index(node_mvcc(n)));
    metrics_gauge(b, "etcd_server_proposals_pending", "Proposals that wait to be applied.",
                  node_pending_writes(n));
    metrics_counter(b, "etcd_server_proposals_failed_total", "Proposals that were refused or lost.",
                    stats->proposals_failed + r->proposals_dropped);
    metrics_counter(b, "etcd_server_read_indexes_failed_total",
                    "Linearizable reads that timed out.", stats->read_indexes_failed);
    metrics_gauge(b, "etcd_server_quota_backend_bytes",
                  "Size of the store that raises the NOSPACE alarm.",
                  (uint64_t)config->quota_bytes);
    metrics_counter(b, "etcd_server_health_success", "Good health checks.", stats->health_success);
    metrics_counter(b, "etcd_server_health_failures", "Bad health checks.", stats->health_failures);
    metrics_head(b, "etcd_server_version", "gauge", "The version, as a label.");
    (void)snprintf(labels, sizeof labels, "server_version=\"%s\"", kvs_version());
    metrics_u64(b, "etcd_server_version", labels, 1);
    metrics_head(b, "etcd_cluster_version", "gauge", "The cluster's version, as a label.");
    metrics_u64(b, "etcd_cluster_version", "cluster_version=\"3.6\"", 1);
    metrics_head(b, "etcd_server_id", "gauge", "This member's id, as a label.");
    (void)snprintf(labels, sizeof labels, "server_id=\"%" PRIx64 "\"", config->member_id);
    metrics_u64(b, "etcd_server_id", labels, 1);
}

static void metrics_store(struct buf *b, struct node *n)
{
    struct node_stats *stats = node_stats(n);
    struct backend_size file;
    struct watch_stats watch;
    size_t overlay_bytes;

    mvcc_get_size(node_mvcc(n), &file, &overlay_bytes);
    watch_stats(node_watch_hub(n), &watch);
    metrics_gauge(b, "etcd_mvcc_db_total_size_in_bytes", "Size of the store's file.",
                  file.file_bytes);
    metrics_gauge(b, "etcd_mvcc_db_total_size_in_use_in_bytes", "Bytes of it that hold data.",
                  file.in_use_bytes);
    metrics_gauge(b, "kvstore_overlay_bytes",
                  "Applied writes in memory, not yet in the store's file.", overlay_bytes);
    metrics_counter(b, "etcd_mvcc_put_total", "Puts applied.", stats->puts);
    metrics_counter(b, "etcd_mvcc_delete_total", "Deletions applied.", stats->deletes);
    metrics_counter(b, "etcd_mvcc_range_total", "Ranges answered.", stats->ranges);
    metrics_counter(b, "etcd_mvcc_txn_total", "Transactions applied.", stats->txns);
    metrics_gauge(b, "etcd_debugging_mvcc_current_revision", "Revision of the store.",
                  (uint64_t)mvcc_revision(node_mvcc(n)));
    metrics_gauge(b, "etcd_debugging_mvcc_compact_revision", "Revision of the last compaction.",
                  (uint64_t)mvcc_compact_revision(node_mvcc(n)));
    metrics_gauge(b, "etcd_debugging_mvcc_watch_stream_total", "Watch streams.", watch.n_streams);
    metrics_gauge(b, "etcd_debugging_mvcc_watcher_total", "Watches.", watch.n_watchers);
    metrics_gauge(b, "etcd_debugging_mvcc_slow_watcher_total", "Watches that read history.",
                  watch.n_behind);
    metrics_counter(b, "etcd_debugging_mvcc_events_total", "Events sent to watches.",
                    watch.n_events_sent);
    metrics_counter(b, "etcd_debugging_lease_granted_total", "Leases granted.",
                    stats->leases_granted);
    metrics_counter(b, "etcd_debugging_lease_revoked_total", "Leases revoked.",
                    stats->leases_revoked);
    metrics_counter(b, "etcd_debugging_lease_renewed_total", "Leases renewed.",
                    stats->leases_renewed);
    metrics_counter(b, "etcd_debugging_server_lease_expired_total", "Leases that have run out.",
                    stats->leases_expired);
}

static void metrics_log_histogram(struct buf *b,
                                  const char *name,
                                  const char *help,
                                  const struct log_histogram *h)
{
    struct metrics_histogram m = {.count = h->count, .sum_s = (double)h->sum_ns / 1e9};

    _Static_assert(LOG_BUCKETS == METRICS_BUCKETS + 1, "the same buckets");
    memcpy(m.counts, h->buckets, sizeof m.counts);
    metrics_histogram(b, name, help, &m);
}

static void metrics_disk(struct buf *b, const struct log_stats *log)
{
    metrics_log_histogram(b, "etcd_disk_wal_fsync_duration_seconds",
                          "Time that a sync of the log takes.", &log->sync);
    metrics_log_histogram(b, "etcd_disk_wal_write_duration_seconds",
                          "Time that a write to the log takes.", &log->write);
    metrics_gauge(b, "etcd_disk_wal_write_bytes_total", "Bytes written to the log.", log->bytes);
}

static void metrics_peers(struct buf *b, const struct replica_status *r)
{
    static const struct {
        const char *name;
        const char *label;
        const char *help;
        size_t at;
    } rows[] = {
        {"etcd_network_peer_sent_bytes_total", "To", "Bytes sent to a member.",
         offsetof(struct transport_peer_stats, sent_bytes)},
        {"etcd_network_peer_received_bytes_total", "From", "Bytes received from a member.",
         offsetof(struct transport_peer_stats, received_bytes)},
        {"etcd_network_peer_sent_failures_total", "To", "Frames lost on the way to a member.",
         offsetof(struct transport_peer_stats, sent_failures)},
        {"etcd_network_peer_received_failures_total", "From", "Bad frames from a member.",
         offsetof(struct transport_peer_stats, received_failures)},
    };
    char labels[METRICS_LABELS_MAX];

    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        metrics_head(b, rows[row].name, "counter", rows[row].help);
        for (size_t i = 0; i < r->n_peers; i++) {
            const char *net = (const char *)&r->peers[i].net;
            uint64_t value;

            memcpy(&value, net + rows[row].at, sizeof value);
            (void)snprintf(labels, sizeof labels, "%s=\"%" PRIx64 "\"", rows[row].label,
                           r->peers[i].id);
            metrics_u64(b, rows[row].name, labels, value);
        }
    }
}

static const char *metrics_grpc_type(enum rpc_kind kind)
{
    switch (kind) {
    case RPC_SERVER_STREAM:
        return "server_stream";
    case RPC_BIDI:
        return "bidi_stream";
    case RPC_UNARY:
    case RPC_HTTP:
        break;
    }
    return "unary";
}

/* "/package.Service/Method" as the labels of go-grpc-prometheus. */
static void metrics_grpc_labels(const struct rpc_method_figures *m, char *labels)
{
    const char *slash = strrchr(m->path, '/');

    kvs_assert(slash != NULL && slash > m->path);
    (void)snprintf(labels, METRICS_LABELS_MAX,
                   "grpc_type=\"%s\",grpc_service=\"%.*s\",grpc_method=\"%s\"",
                   metrics_grpc_type(m->kind), (int)(slash - m->path - 1), m->path + 1, slash + 1);
}

static void
metrics_grpc_handled(struct buf *b, const struct rpc_method_figures *m, const char *labels)
{
    char with_code[METRICS_LABELS_MAX + 64];

    for (unsigned code = 0; code < RPC_STATUS_COUNT; code++) {
        if (m->handled[code] > 0) {
            (void)snprintf(with_code, sizeof with_code, "%s,grpc_code=\"%s\"", labels,
                           rpc_status_name(code));
            metrics_u64(b, "grpc_server_handled_total", with_code, m->handled[code]);
        }
    }
}

static void metrics_grpc(struct buf *b, const struct rpc_server *rpc)
{
    const struct rpc_server_figures *figures = rpc_server_figures(rpc);
    const struct rpc_method_figures *m;
    char labels[METRICS_LABELS_MAX];
    size_t at = 0;

    metrics_counter(b, "etcd_network_client_grpc_received_bytes_total",
                    "Bytes received from gRPC clients.", figures->received_bytes);
    metrics_counter(b, "etcd_network_client_grpc_sent_bytes_total", "Bytes sent to gRPC clients.",
                    figures->sent_bytes);
    metrics_head(b, "grpc_server_started_total", "counter", "Calls started.");
    while ((m = rpc_method_figures_next(rpc, &at)) != NULL) {
        metrics_grpc_labels(m, labels);
        metrics_u64(b, "grpc_server_started_total", labels, m->started);
    }
    metrics_head(b, "grpc_server_handled_total", "counter", "Calls completed, by code.");
    for (at = 0; (m = rpc_method_figures_next(rpc, &at)) != NULL;) {
        metrics_grpc_labels(m, labels);
        metrics_grpc_handled(b, m, labels);
    }
}

void service_metrics_write(struct service *s, struct buf *b)
{
    struct replica_status *status = kvs_calloc(1, sizeof *status);

    if (status == NULL) {
        b->failed = true;
        return;
    }
    replica_status(node_replica(s->node), status);
    metrics_server(b, s->node, status);
    metrics_store(b, s->node);
    metrics_disk(b, node_log_stats(s->node));
    metrics_peers(b, status);
    metrics_grpc(b, s->rpc);
    metrics_process(b);
    kvs_free(status);
}
