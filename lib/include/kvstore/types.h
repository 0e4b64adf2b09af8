/* Requests, responses and records of the store, shared by the embedded node and remote clients.
 *
 * Semantics are those of etcd's v3 API (rpc.proto, kv.proto). Views borrow: a request borrows the
 * caller's bytes until its callback has run; a response's bytes live as long as its header says. */
#ifndef KVSTORE_TYPES_H
#define KVSTORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t kvs_revision;
typedef int64_t kvs_lease_id;

/* Borrowed bytes. `data` may be NULL when `len` is 0. */
struct kvs_view {
    const void *data;
    size_t len;
};

/* Owned bytes. */
struct kvs_blob {
    void *data;
    size_t len;
};

struct kvs_kv {
    struct kvs_view key;
    struct kvs_view value;
    kvs_revision create_revision;
    kvs_revision mod_revision;
    int64_t version; /* 1 after creation; 0 in a deletion */
    kvs_lease_id lease;
};

enum kvs_event_type {
    KVS_EVENT_PUT = 0,
    KVS_EVENT_DELETE = 1,
};

struct kvs_event {
    enum kvs_event_type type;
    bool has_prev;
    struct kvs_kv kv; /* of a deletion: key and mod_revision only */
    struct kvs_kv prev_kv;
};

struct kvs_header {
    uint64_t cluster_id;
    uint64_t member_id;
    kvs_revision revision;
    uint64_t raft_term;
};

enum kvs_sort_order {
    KVS_SORT_NONE = 0,
    KVS_SORT_ASCEND = 1,
    KVS_SORT_DESCEND = 2,
};

enum kvs_sort_target {
    KVS_SORT_KEY = 0,
    KVS_SORT_VERSION = 1,
    KVS_SORT_CREATE = 2,
    KVS_SORT_MOD = 3,
    KVS_SORT_VALUE = 4,
};

/* Ranges: `range_end` empty = the one key; a single 0 byte = all keys >= key; else [key, end). */
struct kvs_range_req {
    struct kvs_view key;
    struct kvs_view range_end;
    int64_t limit;         /* 0 or less: no limit */
    kvs_revision revision; /* 0 or less: now */
    int sort_order;        /* enum kvs_sort_order; from the wire, so not yet trusted */
    int sort_target;       /* enum kvs_sort_target; likewise */
    bool serializable;
    bool keys_only;
    bool count_only;
    kvs_revision min_mod_revision;
    kvs_revision max_mod_revision;
    kvs_revision min_create_revision;
    kvs_revision max_create_revision;
};

struct kvs_range_resp {
    struct kvs_header header;
    struct kvs_kv *kvs;
    size_t n_kvs;
    bool more;     /* `limit` cut the result */
    int64_t count; /* keys in the range at that revision, whatever limit and filters say */
};

struct kvs_put_req {
    struct kvs_view key;
    struct kvs_view value;
    kvs_lease_id lease;
    bool prev_kv;
    bool ignore_value;
    bool ignore_lease;
};

struct kvs_put_resp {
    struct kvs_header header;
    bool has_prev;
    struct kvs_kv prev_kv;
};

struct kvs_delete_req {
    struct kvs_view key;
    struct kvs_view range_end;
    bool prev_kv;
};

struct kvs_delete_resp {
    struct kvs_header header;
    int64_t deleted;
    struct kvs_kv *prev_kvs;
    size_t n_prev_kvs;
};

enum kvs_compare_result {
    KVS_COMPARE_EQUAL = 0,
    KVS_COMPARE_GREATER = 1,
    KVS_COMPARE_LESS = 2,
    KVS_COMPARE_NOT_EQUAL = 3,
};

enum kvs_compare_target {
    KVS_COMPARE_VERSION = 0,
    KVS_COMPARE_CREATE = 1,
    KVS_COMPARE_MOD = 2,
    KVS_COMPARE_VALUE = 3,
    KVS_COMPARE_LEASE = 4,
};

struct kvs_compare {
    int result; /* enum kvs_compare_result */
    int target; /* enum kvs_compare_target */
    struct kvs_view key;
    struct kvs_view range_end; /* every key of the range must satisfy */
    int64_t number;            /* VERSION, CREATE, MOD, LEASE */
    struct kvs_view value;     /* VALUE */
};

enum kvs_op_type {
    KVS_OP_NONE = 0, /* an operation with nothing in it: refused as etcd does */
    KVS_OP_RANGE = 1,
    KVS_OP_PUT = 2,
    KVS_OP_DELETE = 3,
    KVS_OP_TXN = 4,
};

struct kvs_txn_req;
struct kvs_txn_resp;

struct kvs_op {
    enum kvs_op_type type;
    union {
        struct kvs_range_req range;
        struct kvs_put_req put;
        struct kvs_delete_req del;
        struct kvs_txn_req *txn;
    } u;
};

struct kvs_txn_req {
    struct kvs_compare *compares;
    size_t n_compares;
    struct kvs_op *success;
    size_t n_success;
    struct kvs_op *failure;
    size_t n_failure;
};

/* Inner headers carry only the revision (observed on etcd). */
struct kvs_op_resp {
    enum kvs_op_type type;
    union {
        struct kvs_range_resp range;
        struct kvs_put_resp put;
        struct kvs_delete_resp del;
        struct kvs_txn_resp *txn;
    } u;
};

struct kvs_txn_resp {
    struct kvs_header header;
    bool succeeded;
    struct kvs_op_resp *responses;
    size_t n_responses;
};

struct kvs_compact_req {
    kvs_revision revision;
    bool physical; /* answer only when the space has been given back */
};

struct kvs_compact_resp {
    struct kvs_header header;
};

struct kvs_lease_grant_req {
    int64_t ttl_s;
    kvs_lease_id id; /* 0: the server chooses */
};

struct kvs_lease_grant_resp {
    struct kvs_header header;
    kvs_lease_id id;
    int64_t ttl_s;
};

struct kvs_lease_revoke_req {
    kvs_lease_id id;
};

struct kvs_lease_revoke_resp {
    struct kvs_header header;
};

struct kvs_lease_keepalive_resp {
    struct kvs_header header;
    kvs_lease_id id;
    int64_t ttl_s; /* 0: no such lease */
};

struct kvs_lease_ttl_req {
    kvs_lease_id id;
    bool keys;
};

struct kvs_lease_ttl_resp {
    struct kvs_header header;
    kvs_lease_id id;
    int64_t ttl_s; /* seconds left; -1: no such lease */
    int64_t granted_ttl_s;
    struct kvs_view *keys;
    size_t n_keys;
};

struct kvs_lease_list_resp {
    struct kvs_header header;
    kvs_lease_id *leases;
    size_t n_leases;
};

struct kvs_member {
    uint64_t id;
    struct kvs_view name; /* empty: not started yet */
    struct kvs_view *peer_urls;
    size_t n_peer_urls;
    struct kvs_view *client_urls;
    size_t n_client_urls;
    bool is_learner;
};

struct kvs_member_list_resp {
    struct kvs_header header;
    struct kvs_member *members;
    size_t n_members;
};

enum kvs_alarm_type {
    KVS_ALARM_NONE = 0,
    KVS_ALARM_NOSPACE = 1,
    KVS_ALARM_CORRUPT = 2,
};

struct kvs_alarm {
    uint64_t member_id;
    int type; /* enum kvs_alarm_type */
};

struct kvs_alarm_list_resp {
    struct kvs_header header;
    struct kvs_alarm *alarms;
    size_t n_alarms;
};

struct kvs_status_resp {
    struct kvs_header header;
    const char *version;
    int64_t db_size_bytes;
    int64_t db_size_in_use_bytes;
    int64_t db_size_quota_bytes;
    uint64_t leader; /* 0: none */
    uint64_t raft_index;
    uint64_t raft_applied_index;
    uint64_t raft_term;
    bool is_learner;
    const char **errors;
    size_t n_errors;
    const char *storage_version; /* NULL or "": not told */
};

#endif
