/* Requests and responses beside the key-value core of types.h: watch streams, cluster,
 * maintenance, health. Same rules: views borrow, semantics are etcd's. */
#ifndef KVSTORE_REQUESTS_H
#define KVSTORE_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvstore/types.h"

/* Watch: one stream carries many watches, told apart by watch_id. */

enum kvs_watch_filter {
    KVS_WATCH_NO_PUT = 1u << 0,
    KVS_WATCH_NO_DELETE = 1u << 1,
};

struct kvs_watch_create_req {
    struct kvs_view key; /* empty: from the first key */
    struct kvs_view range_end;
    kvs_revision start_revision; /* 0: after now; below 0 is refused */
    int64_t watch_id;            /* 0: the server chooses */
    uint32_t filters;            /* enum kvs_watch_filter, or-ed */
    bool progress_notify;
    bool prev_kv;
    bool fragment; /* a revision too large for one message comes in several */
};

enum kvs_watch_req_type {
    KVS_WATCH_REQ_NONE = 0,
    KVS_WATCH_REQ_CREATE = 1,
    KVS_WATCH_REQ_CANCEL = 2,
    KVS_WATCH_REQ_PROGRESS = 3,
};

struct kvs_watch_req {
    enum kvs_watch_req_type type;
    struct kvs_watch_create_req create;
    int64_t cancel_id;
};

struct kvs_watch_resp {
    struct kvs_header header;
    int64_t watch_id; /* -1: refused, or the progress of the whole stream */
    bool created;
    bool canceled;
    bool fragment;                 /* more events of the same revision follow */
    kvs_revision compact_revision; /* not 0: canceled, history before it is gone */
    struct kvs_view cancel_reason;
    struct kvs_event *events;
    size_t n_events;
};

struct kvs_lease_keepalive_req {
    kvs_lease_id id;
};

struct kvs_lease_list_req {
    char unused;
};

/* Cluster. The other responses are a struct kvs_member_list_resp. */

struct kvs_member_add_req {
    struct kvs_view *peer_urls;
    size_t n_peer_urls;
    bool is_learner;
};

struct kvs_member_add_resp {
    struct kvs_header header;
    struct kvs_member member;
    struct kvs_member *members;
    size_t n_members;
};

struct kvs_member_remove_req {
    uint64_t id;
};

struct kvs_member_update_req {
    uint64_t id;
    struct kvs_view *peer_urls;
    size_t n_peer_urls;
};

struct kvs_member_list_req {
    bool linearizable;
};

struct kvs_member_promote_req {
    uint64_t id;
};

/* Maintenance. */

enum kvs_alarm_action {
    KVS_ALARM_GET = 0,
    KVS_ALARM_ACTIVATE = 1,
    KVS_ALARM_DEACTIVATE = 2,
};

struct kvs_alarm_req {
    int action; /* enum kvs_alarm_action; from the wire, so not yet trusted */
    uint64_t member_id;
    int type; /* enum kvs_alarm_type; likewise */
};

struct kvs_status_req {
    char unused;
};

struct kvs_defragment_req {
    char unused;
};

struct kvs_defragment_resp {
    struct kvs_header header; /* all zero: absent, as etcd answers */
};

struct kvs_hash_req {
    char unused;
};

struct kvs_hash_resp {
    struct kvs_header header;
    uint32_t hash;
};

struct kvs_hash_kv_req {
    kvs_revision revision; /* 0: now */
};

struct kvs_hash_kv_resp {
    struct kvs_header header;
    uint32_t hash;
    kvs_revision compact_revision;
    kvs_revision hash_revision;
};

struct kvs_snapshot_req {
    char unused;
};

struct kvs_snapshot_resp {
    struct kvs_header header;
    uint64_t remaining_bytes;
    struct kvs_view blob;
    struct kvs_view version;
};

struct kvs_move_leader_req {
    uint64_t target_id;
};

struct kvs_move_leader_resp {
    struct kvs_header header; /* all zero: absent, as etcd answers */
};

/* grpc.health.v1 */

enum kvs_health_status {
    KVS_HEALTH_UNKNOWN = 0,
    KVS_HEALTH_SERVING = 1,
    KVS_HEALTH_NOT_SERVING = 2,
    KVS_HEALTH_SERVICE_UNKNOWN = 3, /* only on the Watch method */
};

struct kvs_health_check_req {
    struct kvs_view service;
};

struct kvs_health_check_resp {
    int status; /* enum kvs_health_status */
};

#endif
