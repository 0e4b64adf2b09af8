/* A store node inside this process: one member of a cluster, or a whole store of its own.
 *
 * kvstored is a command line around these calls. A program that embeds the store opens a node
 * without client URLs and talks to it through kvstore/client.h (kvs_client_open_node). */
#ifndef KVSTORE_NODE_H
#define KVSTORE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvstore/err.h"
#include "kvstore/types.h"

struct kvs_node;

/* Files in PEM. All NULL: no TLS. Read again when they change. */
struct kvs_tls_files {
    const char *cert_file;
    const char *key_file;
    const char *trusted_ca_file;
    bool client_cert_auth; /* refuse peers without a certificate that the CA signed */
};

enum kvs_log_level {
    KVS_LOG_DEBUG,
    KVS_LOG_INFO,
    KVS_LOG_WARN,
    KVS_LOG_ERROR,
};

/* One formatted log line with its newline. Called from any of the node's threads, one at a time. */
typedef void (*kvs_log_fn)(void *ctx, const char *line, size_t len);

/* The greatest max_request_bytes: an entry has to fit into a message between members. */
enum { KVS_NODE_REQUEST_BYTES_MAX = 32 * 1024 * 1024 };

/* Initialise with kvs_node_options_init, then change. Strings are borrowed until kvs_node_open
 * returns. Meaning and defaults are those of etcd's flags of the same name. */
struct kvs_node_options {
    size_t size; /* sizeof this struct, set by kvs_node_options_init */

    const char *name;
    const char *data_dir;
    const char *wal_dir; /* NULL: inside data_dir */

    /* Comma-separated URLs. listen_client_urls NULL: no client port (embedded).
     * listen_peer_urls NULL: no peer port (a store of one member that stays alone). */
    const char *listen_client_urls;
    const char *listen_peer_urls;
    const char *listen_metrics_urls;
    const char *advertise_client_urls;
    const char *initial_advertise_peer_urls;

    const char *initial_cluster; /* "a=http://h1:2380,b=http://h2:2380"; NULL: this member alone */
    const char *initial_cluster_token;
    bool initial_cluster_existing; /* join a running cluster */
    bool force_new_cluster;        /* refused: not supported */
    bool strict_reconfig_check;

    unsigned heartbeat_ms;
    unsigned election_ms;
    uint64_t snapshot_count;     /* entries kept for slow followers before they get a snapshot */
    int64_t quota_backend_bytes; /* 0: 2 GiB */
    uint32_t max_request_bytes;  /* at most KVS_NODE_REQUEST_BYTES_MAX */
    uint32_t max_txn_ops;
    uint32_t max_concurrent_streams;
    uint32_t max_learners;
    uint32_t watch_progress_notify_ms;
    uint32_t grpc_keepalive_min_ms;
    uint32_t grpc_keepalive_interval_ms;
    uint32_t grpc_keepalive_timeout_ms;
    bool pre_vote;

    /* "periodic" ("1h", "30m"; a bare number is hours) or "revision" (how many to keep).
     * Retention NULL, "" or "0": off. */
    const char *auto_compaction_mode;
    const char *auto_compaction_retention;

    struct kvs_tls_files client_tls;
    struct kvs_tls_files peer_tls;

    enum kvs_log_level log_level;
    bool log_console;  /* text instead of JSON */
    kvs_log_fn log_fn; /* NULL: standard error */
    void *log_ctx;
};

/* Fills in etcd's defaults. */
KVS_API void kvs_node_options_init(struct kvs_node_options *options);

/* Opens or creates the data directory, recovers, and starts the node's threads; returns when the
 * ports are open. The node may not have a leader yet (kvs_node_wait_ready).
 * `ret_error` says in words what went wrong; it may be NULL. Any thread; blocks for the recovery.
 * KVS_E_INVALID (options), KVS_E_LOCKED, KVS_E_DAMAGED, KVS_E_VERSION, KVS_E_IO, KVS_E_ADDRESS,
 * KVS_E_NOMEM. */
KVS_API KVS_MUST_USE int kvs_node_open(const struct kvs_node_options *options,
                                       struct kvs_node **ret_node,
                                       struct kvs_error *ret_error);

/* Blocks until the node knows a leader and serves, or `timeout_ms` has passed (KVS_E_TIMEOUT), or
 * it has stopped (KVS_E_STOPPED). Any thread but the node's own. */
KVS_API KVS_MUST_USE int kvs_node_wait_ready(struct kvs_node *node, unsigned timeout_ms);

/* Asks the node to stop: leadership is handed over, clients get GOAWAY, the store is written out.
 * Returns at once; async-signal-safe. */
KVS_API void kvs_node_stop(struct kvs_node *node);

/* Blocks until the node has stopped, for whatever reason. 0 after kvs_node_stop;
 * KVS_E_MEMBER_NOT_FOUND when it was removed from the cluster; a fatal code otherwise, with
 * words in `ret_error` (may be NULL). */
KVS_API int kvs_node_wait(struct kvs_node *node, struct kvs_error *ret_error);

/* Stops if needed, waits, and frees. NULL is allowed. Clients of kvs_client_open_node are closed
 * before; one that is not finds every call answered with KVS_E_STOPPED. Not from a callback. */
KVS_API void kvs_node_close(struct kvs_node *node);

struct kvs_snapshot_status {
    uint64_t size_bytes;   /* of the file */
    kvs_revision revision; /* of the last change in it */
    uint64_t n_records;    /* keys, their history, leases, members and the rest, all together */
};

/* Looks into a file that was filled by kvs_snapshot. The checksum at its end may be there or not
 * and is not looked at. Any thread; blocks.
 * KVS_E_IO, KVS_E_DAMAGED (not a snapshot of a store), KVS_E_VERSION, KVS_E_NOMEM; `ret_error` (may
 * be NULL) says it in words. */
KVS_API KVS_MUST_USE int kvs_snapshot_status(const char *path,
                                             struct kvs_snapshot_status *ret_status,
                                             struct kvs_error *ret_error);

/* Version of this library, e.g. "3.6.0": clients of etcd choose features by it. Static storage. */
KVS_API const char *kvs_version(void);

#endif
