/* Error codes of libkvstore: one table gives code, gRPC status and the text on the wire.
 *
 * Functions return 0 or a negative KVS_E_*. Three kinds exist:
 *   result       the client's fault; part of the reply, identical on every replica
 *   operational  try again, or surface it to the user
 *   fatal        disk or invariant; the process has to stop (kvs_err_is_fatal)
 *
 * Clients of etcd map errors by the exact text, so the texts are wire contract
 * (etcd v3.6 api/v3rpc/rpctypes/error.go). */
#ifndef KVSTORE_ERR_H
#define KVSTORE_ERR_H

#include <stdbool.h>

#define KVS_API __attribute__((visibility("default")))
#define KVS_MUST_USE __attribute__((warn_unused_result))

/* X(name, code, gRPC status, text) */
#define KVS_ERR_MAP(X)                                                                             \
    /* result: validation of requests */                                                           \
    X(EMPTY_KEY, -100, 3, "etcdserver: key is not provided")                                       \
    X(KEY_NOT_FOUND, -101, 3, "etcdserver: key not found")                                         \
    X(VALUE_PROVIDED, -102, 3, "etcdserver: value is provided")                                    \
    X(LEASE_PROVIDED, -103, 3, "etcdserver: lease is provided")                                    \
    X(TOO_MANY_OPS, -104, 3, "etcdserver: too many operations in txn request")                     \
    X(DUPLICATE_KEY, -105, 3, "etcdserver: duplicate key given in txn request")                    \
    X(INVALID_SORT, -106, 3, "etcdserver: invalid sort option")                                    \
    X(COMPACTED, -107, 11, "etcdserver: mvcc: required revision has been compacted")               \
    X(FUTURE_REV, -108, 11, "etcdserver: mvcc: required revision is a future revision")            \
    X(NO_SPACE, -109, 8, "etcdserver: mvcc: database space exceeded")                              \
    X(LEASE_NOT_FOUND, -110, 5, "etcdserver: requested lease not found")                           \
    X(LEASE_EXISTS, -111, 9, "etcdserver: lease already exists")                                   \
    X(LEASE_TTL_TOO_LARGE, -112, 11, "etcdserver: too large lease TTL")                            \
    X(WATCH_CANCELED, -113, 1, "etcdserver: watch canceled")                                       \
    X(MEMBER_EXISTS, -114, 9, "etcdserver: member ID already exist")                               \
    X(PEER_URL_EXISTS, -115, 9, "etcdserver: Peer URLs already exists")                            \
    X(MEMBER_NOT_ENOUGH_STARTED, -116, 9,                                                          \
      "etcdserver: re-configuration failed due to not enough started members")                     \
    X(MEMBER_BAD_URLS, -117, 3, "etcdserver: given member URLs are invalid")                       \
    X(MEMBER_NOT_FOUND, -118, 5, "etcdserver: member not found")                                   \
    X(MEMBER_NOT_LEARNER, -119, 9, "etcdserver: can only promote a learner member")                \
    X(LEARNER_NOT_READY, -120, 9,                                                                  \
      "etcdserver: can only promote a learner member which is in sync with leader")                \
    X(TOO_MANY_LEARNERS, -121, 9, "etcdserver: too many learner members in cluster")               \
    X(CLUSTER_ID_MISMATCH, -122, 9, "etcdserver: cluster ID mismatch")                             \
    X(REQUEST_TOO_LARGE, -123, 3, "etcdserver: request is too large")                              \
    X(TOO_MANY_REQUESTS, -124, 8, "etcdserver: too many requests")                                 \
    X(NO_LEADER, -125, 14, "etcdserver: no leader")                                                \
    X(NOT_LEADER, -126, 9, "etcdserver: not leader")                                               \
    X(LEADER_CHANGED, -127, 14, "etcdserver: leader changed")                                      \
    X(NOT_CAPABLE, -128, 9, "etcdserver: not capable")                                             \
    X(STOPPED, -129, 14, "etcdserver: server stopped")                                             \
    X(TIMEOUT, -130, 14, "etcdserver: request timed out")                                          \
    X(TIMEOUT_LEADER_FAIL, -131, 14,                                                               \
      "etcdserver: request timed out, possibly due to previous leader failure")                    \
    X(TIMEOUT_CONNECTION_LOST, -132, 14,                                                           \
      "etcdserver: request timed out, possibly due to connection lost")                            \
    X(TIMEOUT_LEADER_TRANSFER, -133, 2,                                                            \
      "etcdserver: request timed out, leader transfer took too long")                              \
    X(UNHEALTHY, -134, 14, "etcdserver: unhealthy cluster")                                        \
    X(CORRUPT, -135, 15, "etcdserver: corrupt cluster")                                            \
    X(NOT_SUPPORTED_FOR_LEARNER, -136, 9, "etcdserver: rpc not supported for learner")             \
    X(BAD_LEADER_TRANSFEREE, -137, 9, "etcdserver: bad leader transferee")                         \
    X(UNKNOWN_METHOD, -138, 12, "etcdserver: unknown method")                                      \
    X(CANCELED, -139, 1, "etcdserver: request canceled")                                           \
    X(DEADLINE_EXCEEDED, -140, 4, "context deadline exceeded")                                     \
    X(WATCH_EMPTY_RANGE, -141, 3, "mvcc: watcher range is empty")                                  \
    X(WATCH_DUPLICATE_ID, -142, 3, "mvcc: duplicate watch ID provided on the WatchStream")         \
    X(NO_ELECTION_LEADER, -143, 2, "election: no leader")                                          \
    X(NOT_ELECTION_LEADER, -144, 2, "election: not leader")                                        \
    X(SESSION_EXPIRED, -145, 2, "mutex: session is expired")                                       \
    X(LOCK_HELD, -146, 2, "mutex: Locked by another session")                                      \
    /* operational: this process or its surroundings */                                            \
    X(NOMEM, -1, 8, "out of memory")                                                               \
    X(INVALID, -2, 3, "invalid argument")                                                          \
    X(MALFORMED, -3, 13, "malformed data")                                                         \
    X(TOO_LONG, -4, 8, "limit exceeded")                                                           \
    X(NOT_FOUND, -5, 5, "not found")                                                               \
    X(AGAIN, -6, 14, "try again")                                                                  \
    X(BUSY, -7, 14, "busy")                                                                        \
    X(CLOSED, -8, 14, "closed")                                                                    \
    X(CONNECT, -9, 14, "connection failed")                                                        \
    X(TLS, -10, 14, "TLS failure")                                                                 \
    X(ADDRESS, -11, 3, "bad address")                                                              \
    X(UNAVAILABLE, -12, 14, "unavailable")                                                         \
    X(INTERNAL, -13, 13, "internal error")                                                         \
    X(PERMISSION, -14, 7, "permission denied")                                                     \
    X(UNSUPPORTED, -15, 12, "not supported")                                                       \
    X(UNKNOWN, -16, 2, "unknown error")                                                            \
    /* fatal: stop the process */                                                                  \
    X(IO, -50, 15, "input/output error")                                                           \
    X(FULL, -51, 8, "no space left on device")                                                     \
    X(DAMAGED, -52, 15, "stored data is damaged")                                                  \
    X(VERSION, -53, 15, "stored data has an unknown version")                                      \
    X(LOCKED, -54, 9, "data directory is in use by another process")

enum kvs_err {
    KVS_OK = 0,
#define X(name, code, grpc, text) KVS_E_##name = code,
    KVS_ERR_MAP(X)
#undef X
};

/* Text for the operator, filled at module edges only. Owned by the caller. */
struct kvs_error {
    int code; /* 0 or KVS_E_* */
    char msg[256];
};

/* The text that etcd's clients expect for `code`; "unknown error" for a code not in the table.
 * Static storage. Any thread. */
KVS_API const char *kvs_strerror(int code);

/* Name of the code without the prefix, e.g. "COMPACTED". Static storage. Any thread. */
KVS_API const char *kvs_err_name(int code);

/* gRPC status (0..16) for `code`. Any thread. */
KVS_API int kvs_err_grpc_status(int code);

/* The code whose text is `text` (etcd's clients compare texts, so do ours); KVS_E_UNKNOWN if none.
 * Any thread. */
KVS_API int kvs_err_from_text(const char *text);

/* True if the process has to stop: a disk or invariant failure that no retry can mend. */
KVS_API bool kvs_err_is_fatal(int code);

#endif
