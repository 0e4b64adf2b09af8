/* A client of the store: one handle, on remote endpoints or on a node inside this process.
 *
 * Threads. Every function may be called from any thread, and from callbacks, unless it says
 * otherwise. A client has one thread of its own; all callbacks run there, one at a time. They may
 * start further calls; they may not block, so the `_sync` functions and kvs_client_close are
 * refused there (KVS_E_INVALID, resp. an assertion).
 *
 * Calls. `kvs_x(client, request, options, cb, ctx)` copies the request and returns 0, and `cb`
 * runs exactly once, later; or it returns an error and `cb` never runs. `kvs_x_sync` does the same
 * and waits. `error` is never NULL in a callback; error->code is 0 or KVS_E_*, the message is
 * for people. `resp` is NULL on error.
 *
 * Results. A response and all that it points to is valid until its callback returns; from a
 * `_sync` call, until kvs_resp_free. kvs_resp_keep makes a callback's response yours.
 *
 * Retries. Reads are repeated on the next endpoint while the deadline allows it. Writes are
 * repeated only if they have surely not been sent. A write that fails with KVS_E_UNAVAILABLE,
 * KVS_E_TIMEOUT or KVS_E_DEADLINE_EXCEEDED may or may not have happened. */
#ifndef KVSTORE_CLIENT_H
#define KVSTORE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvstore/err.h"
#include "kvstore/requests.h"
#include "kvstore/types.h"

struct kvs_client;
struct kvs_node;

/* ------------------------------------------------------------------------------------------ */
/* The handle                                                                                 */

/* Files in PEM. All NULL with an http endpoint: no TLS. */
struct kvs_client_tls {
    const char *ca_file;   /* NULL: the system's */
    const char *cert_file; /* this client's identity; NULL: none */
    const char *key_file;
    const char *server_name; /* NULL: the endpoint's host */
    bool skip_verify;        /* accept any certificate; for experiments */
};

/* Set up with kvs_client_options_init, then change. Borrowed until kvs_client_open returns. */
struct kvs_client_options {
    size_t size;           /* sizeof this struct, set by kvs_client_options_init */
    const char *endpoints; /* comma-separated host:port or URLs */
    struct kvs_client_tls tls;
    bool use_tls; /* for endpoints without a scheme */
    uint32_t dial_timeout_ms;
    uint32_t call_timeout_ms;   /* default of kvs_call_options.timeout_ms; 0: none */
    uint32_t keepalive_time_ms; /* ping a silent connection; 0: never */
    uint32_t keepalive_timeout_ms;
    uint32_t send_max_bytes; /* largest request */
    uint32_t recv_max_bytes; /* largest response */
    bool require_leader;     /* streams (watch, snapshot) end on a member without a leader */
};

/* Fills in defaults: dial 2 s, call 5 s, keepalive 10 s / 6 s, 2 MiB sent, 2 GiB received. */
KVS_API void kvs_client_options_init(struct kvs_client_options *options);

/* Starts the client's thread. Does not wait for a connection: the first call does.
 * `ret_error` may be NULL. KVS_E_INVALID, KVS_E_ADDRESS, KVS_E_TLS, KVS_E_NOMEM. */
KVS_API KVS_MUST_USE int kvs_client_open(const struct kvs_client_options *options,
                                         struct kvs_client **ret_client,
                                         struct kvs_error *ret_error);

/* As kvs_client_open, on a node inside this process, which must outlive the client: without
 * sockets, for any node, with or without ports. It need not be ready yet. kvs_call_options.endpoint
 * is ignored. When the node stops, calls and watches end with KVS_E_STOPPED.
 * KVS_E_INVALID, KVS_E_NOMEM. */
KVS_API KVS_MUST_USE int kvs_client_open_node(struct kvs_node *node,
                                              struct kvs_client **ret_client,
                                              struct kvs_error *ret_error);

/* Ends all calls with KVS_E_CANCELED and all watches, runs their callbacks, stops the thread and
 * frees. Leases are not revoked. Readers, iterators and locks are closed before. NULL is allowed.
 * Not from a callback, nor while another call is entered. */
KVS_API void kvs_client_close(struct kvs_client *client);

/* Per call. NULL means all defaults. Borrowed until the call returns. */
struct kvs_call_options {
    size_t size;          /* sizeof this struct */
    uint32_t timeout_ms;  /* 0: the client's default; KVS_NO_TIMEOUT: none */
    const char *endpoint; /* this endpoint and no other; NULL: any */
};

#define KVS_NO_TIMEOUT UINT32_MAX
#define KVS_CALL_OPTIONS_INIT                                                                      \
    {                                                                                              \
        .size = sizeof(struct kvs_call_options)                                                    \
    }

/* Keeps a callback's response beyond its callback; then kvs_resp_free. Only there. */
KVS_API void kvs_resp_keep(const void *resp);

/* Frees a response of a `_sync` call, or a kept one. NULL is allowed. */
KVS_API void kvs_resp_free(const void *resp);

/* The struct of the same name, kvs_range_resp and so on. */
enum kvs_resp_type {
    KVS_RESP_RANGE,
    KVS_RESP_PUT,
    KVS_RESP_DELETE,
    KVS_RESP_TXN,
    KVS_RESP_COMPACT,
    KVS_RESP_WATCH,
    KVS_RESP_LEASE_GRANT,
    KVS_RESP_LEASE_REVOKE,
    KVS_RESP_LEASE_KEEPALIVE,
    KVS_RESP_LEASE_TTL,
    KVS_RESP_LEASE_LIST,
    KVS_RESP_MEMBER_LIST, /* also of remove, update and promote */
    KVS_RESP_MEMBER_ADD,
    KVS_RESP_STATUS,
    KVS_RESP_ALARM_LIST,
    KVS_RESP_HASH_KV,
    KVS_RESP_DEFRAGMENT,
    KVS_RESP_MOVE_LEADER,
    KVS_RESP_TYPE_COUNT,
};

/* How many bytes the response takes as etcd's protobuf message. `resp` is any struct of the type,
 * the caller's own as well; it is only read. Any thread. */
KVS_API size_t kvs_resp_size(enum kvs_resp_type type, const void *resp);

/* Writes those bytes to `to`, which has room for kvs_resp_size of them. */
KVS_API void kvs_resp_encode(enum kvs_resp_type type, const void *resp, void *to);

/* ------------------------------------------------------------------------------------------ */
/* Keys                                                                                       */

/* Writes the range_end that makes [prefix, end) the keys that begin with `prefix`; `ret_end` has
 * room for prefix.len bytes and at least one. Returns its length. */
KVS_API size_t kvs_prefix_end(struct kvs_view prefix, void *ret_end);

typedef void (*kvs_range_cb)(void *ctx,
                             const struct kvs_error *error,
                             const struct kvs_range_resp *resp);
typedef void (*kvs_put_cb)(void *ctx,
                           const struct kvs_error *error,
                           const struct kvs_put_resp *resp);
typedef void (*kvs_delete_cb)(void *ctx,
                              const struct kvs_error *error,
                              const struct kvs_delete_resp *resp);
typedef void (*kvs_txn_cb)(void *ctx,
                           const struct kvs_error *error,
                           const struct kvs_txn_resp *resp);
typedef void (*kvs_compact_cb)(void *ctx,
                               const struct kvs_error *error,
                               const struct kvs_compact_resp *resp);

/* Reads a key or a range. KVS_E_EMPTY_KEY, KVS_E_COMPACTED, KVS_E_FUTURE_REV, KVS_E_INVALID_SORT.
 * All calls here also end with what "Retries" above says, and KVS_E_NOMEM, KVS_E_CLOSED (the client
 * is closing), KVS_E_TOO_LONG (larger than send_max_bytes). */
KVS_API KVS_MUST_USE int kvs_range(struct kvs_client *client,
                                   const struct kvs_range_req *req,
                                   const struct kvs_call_options *options,
                                   kvs_range_cb cb,
                                   void *ctx);

/* Writes one key. KVS_E_EMPTY_KEY, KVS_E_LEASE_NOT_FOUND, KVS_E_KEY_NOT_FOUND (ignore_value or
 * ignore_lease without a key), KVS_E_NO_SPACE, KVS_E_REQUEST_TOO_LARGE, KVS_E_TOO_MANY_REQUESTS. */
KVS_API KVS_MUST_USE int kvs_put(struct kvs_client *client,
                                 const struct kvs_put_req *req,
                                 const struct kvs_call_options *options,
                                 kvs_put_cb cb,
                                 void *ctx);

/* Deletes a key or a range in one revision. KVS_E_EMPTY_KEY. */
KVS_API KVS_MUST_USE int kvs_delete(struct kvs_client *client,
                                    const struct kvs_delete_req *req,
                                    const struct kvs_call_options *options,
                                    kvs_delete_cb cb,
                                    void *ctx);

/* Compares, then does one of two lists of operations, in one revision. What kvs_range, kvs_put and
 * kvs_delete answer; KVS_E_TOO_MANY_OPS, KVS_E_DUPLICATE_KEY. */
KVS_API KVS_MUST_USE int kvs_txn(struct kvs_client *client,
                                 const struct kvs_txn_req *req,
                                 const struct kvs_call_options *options,
                                 kvs_txn_cb cb,
                                 void *ctx);

/* Forgets what is older than a revision. KVS_E_COMPACTED, KVS_E_FUTURE_REV. */
KVS_API KVS_MUST_USE int kvs_compact(struct kvs_client *client,
                                     const struct kvs_compact_req *req,
                                     const struct kvs_call_options *options,
                                     kvs_compact_cb cb,
                                     void *ctx);

/* Blocking. `*ret_resp` is yours (kvs_resp_free), set on success only; `ret_error` may be NULL. */
KVS_API KVS_MUST_USE int kvs_range_sync(struct kvs_client *client,
                                        const struct kvs_range_req *req,
                                        const struct kvs_call_options *options,
                                        const struct kvs_range_resp **ret_resp,
                                        struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_put_sync(struct kvs_client *client,
                                      const struct kvs_put_req *req,
                                      const struct kvs_call_options *options,
                                      const struct kvs_put_resp **ret_resp,
                                      struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_delete_sync(struct kvs_client *client,
                                         const struct kvs_delete_req *req,
                                         const struct kvs_call_options *options,
                                         const struct kvs_delete_resp **ret_resp,
                                         struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_txn_sync(struct kvs_client *client,
                                      const struct kvs_txn_req *req,
                                      const struct kvs_call_options *options,
                                      const struct kvs_txn_resp **ret_resp,
                                      struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_compact_sync(struct kvs_client *client,
                                          const struct kvs_compact_req *req,
                                          const struct kvs_call_options *options,
                                          const struct kvs_compact_resp **ret_resp,
                                          struct kvs_error *ret_error);

/* Pages through a range at one revision: that of the first page (or req->revision). */
struct kvs_range_iter;

/* Copies `req`; its limit is the number of keys of the whole walk, 0 for all. `page_size` 0: 1000.
 * KVS_E_INVALID if `req` sorts by anything but ascending keys. KVS_E_NOMEM. */
KVS_API KVS_MUST_USE int kvs_range_iter_open(struct kvs_client *client,
                                             const struct kvs_range_req *req,
                                             size_t page_size,
                                             struct kvs_range_iter **ret_iter);

/* Blocks. `*ret_kv` is the next key, or NULL at the end; valid until the next call. After an
 * error the iterator may be asked again. KVS_E_COMPACTED if the revision has gone meanwhile. */
KVS_API KVS_MUST_USE int kvs_range_iter_next(struct kvs_range_iter *iter,
                                             const struct kvs_kv **ret_kv,
                                             struct kvs_error *ret_error);

/* Header of the first page; zero before. Its revision + 1 is where a watch continues gaplessly. */
KVS_API struct kvs_header kvs_range_iter_header(const struct kvs_range_iter *iter);
KVS_API void kvs_range_iter_close(struct kvs_range_iter *iter);

/* Builds a transaction piece by piece; copies what it is given. A failed step is remembered, so
 * only kvs_txn_builder_req needs a check. One thread at a time. */
struct kvs_txn_builder;

KVS_API KVS_MUST_USE struct kvs_txn_builder *kvs_txn_builder_new(void);
KVS_API void kvs_txn_builder_if(struct kvs_txn_builder *b, const struct kvs_compare *compare);
KVS_API void kvs_txn_builder_then(struct kvs_txn_builder *b, const struct kvs_op *op);
KVS_API void kvs_txn_builder_else(struct kvs_txn_builder *b, const struct kvs_op *op);
/* Borrows from the builder; NULL if a step ran out of memory. */
KVS_API const struct kvs_txn_req *kvs_txn_builder_req(struct kvs_txn_builder *b);
KVS_API void kvs_txn_builder_free(struct kvs_txn_builder *b);

/* ------------------------------------------------------------------------------------------ */
/* Watch                                                                                      */

/* A watch follows a key or range from a revision on, for ever. Each watch has a stream of its own
 * and its own flow control. When the connection or the member goes away it resumes by itself on
 * another endpoint, behind the last revision it delivered whole: no revision is missed, repeated,
 * or delivered in part. */
struct kvs_watch;

enum kvs_watch_what {
    KVS_WATCH_STARTED,  /* the server has registered the watch; again after a resumption */
    KVS_WATCH_EVENTS,   /* resp->events, ascending revisions, whole revisions only */
    KVS_WATCH_PROGRESS, /* no events: everything up to resp->header.revision has been delivered */
    KVS_WATCH_PAUSED,   /* connection lost, resuming; error says why */
    KVS_WATCH_ENDED,    /* last callback. error: KVS_E_CANCELED after kvs_watch_close;
                         * KVS_E_COMPACTED: resp->compact_revision is the oldest that is left */
};

/* `resp` is NULL for PAUSED, and for ENDED unless the server ended it. */
typedef void (*kvs_watch_cb)(void *ctx,
                             struct kvs_watch *watch,
                             enum kvs_watch_what what,
                             const struct kvs_error *error,
                             const struct kvs_watch_resp *resp);

/* Copies `req`. req->watch_id and req->fragment are ignored. `ret_watch` is valid until its ENDED
 * callback returns. KVS_E_CLOSED, KVS_E_NOMEM. */
KVS_API KVS_MUST_USE int kvs_watch_open(struct kvs_client *client,
                                        const struct kvs_watch_create_req *req,
                                        kvs_watch_cb cb,
                                        void *ctx,
                                        struct kvs_watch **ret_watch);

/* Asks the server to say how far the watch is: a PROGRESS callback follows once it has delivered
 * everything (not while it is catching up). */
KVS_API void kvs_watch_progress(struct kvs_watch *watch);

/* Ends the watch; the ENDED callback comes later. */
KVS_API void kvs_watch_close(struct kvs_watch *watch);

/* Only from a watch's callback, ENDED included: the handle stays valid until kvs_watch_release, for
 * threads that may still call kvs_watch_progress or kvs_watch_close, which do nothing any more
 * after ENDED. Released before the client is closed. */
KVS_API void kvs_watch_keep(struct kvs_watch *watch);
KVS_API void kvs_watch_release(struct kvs_watch *watch);

/* The same with a queue of its own instead of a callback; reading stops while `queue_max` (0: 64)
 * responses wait, so a slow reader costs the server's history, not memory. */
struct kvs_watch_reader;

/* As kvs_watch_open. `ret_reader` is one thread's at a time; kvs_watch_reader_close. */
KVS_API KVS_MUST_USE int kvs_watch_reader_open(struct kvs_client *client,
                                               const struct kvs_watch_create_req *req,
                                               size_t queue_max,
                                               struct kvs_watch_reader **ret_reader);

/* Blocks for the next response: created, events, or progress (no events). Yours:
 * kvs_resp_free. KVS_E_TIMEOUT when `timeout_ms` passed; KVS_E_COMPACTED and others: ended. */
KVS_API KVS_MUST_USE int kvs_watch_reader_next(struct kvs_watch_reader *reader,
                                               uint32_t timeout_ms,
                                               const struct kvs_watch_resp **ret_resp,
                                               struct kvs_error *ret_error);
/* After the end: the response with which the server ended the watch (compact_revision), NULL if it
 * was not the server. The reader's. */
KVS_API const struct kvs_watch_resp *
kvs_watch_reader_last_words(const struct kvs_watch_reader *reader);
KVS_API void kvs_watch_reader_progress(struct kvs_watch_reader *reader);
KVS_API void kvs_watch_reader_close(struct kvs_watch_reader *reader);

/* ------------------------------------------------------------------------------------------ */
/* Leases                                                                                     */

typedef void (*kvs_lease_grant_cb)(void *ctx,
                                   const struct kvs_error *error,
                                   const struct kvs_lease_grant_resp *resp);
typedef void (*kvs_lease_revoke_cb)(void *ctx,
                                    const struct kvs_error *error,
                                    const struct kvs_lease_revoke_resp *resp);
typedef void (*kvs_lease_ttl_cb)(void *ctx,
                                 const struct kvs_error *error,
                                 const struct kvs_lease_ttl_resp *resp);
typedef void (*kvs_lease_list_cb)(void *ctx,
                                  const struct kvs_error *error,
                                  const struct kvs_lease_list_resp *resp);
/* resp->ttl_s 0: the lease does not exist. */
typedef void (*kvs_lease_keepalive_cb)(void *ctx,
                                       const struct kvs_error *error,
                                       const struct kvs_lease_keepalive_resp *resp);

/* Makes a lease. KVS_E_LEASE_EXISTS, KVS_E_LEASE_TTL_TOO_LARGE, KVS_E_NO_SPACE. */
KVS_API KVS_MUST_USE int kvs_lease_grant(struct kvs_client *client,
                                         const struct kvs_lease_grant_req *req,
                                         const struct kvs_call_options *options,
                                         kvs_lease_grant_cb cb,
                                         void *ctx);

/* Ends a lease and deletes its keys. KVS_E_LEASE_NOT_FOUND. */
KVS_API KVS_MUST_USE int kvs_lease_revoke(struct kvs_client *client,
                                          const struct kvs_lease_revoke_req *req,
                                          const struct kvs_call_options *options,
                                          kvs_lease_revoke_cb cb,
                                          void *ctx);

/* How long a lease still lives; ttl_s -1: there is none of that id. */
KVS_API KVS_MUST_USE int kvs_lease_ttl(struct kvs_client *client,
                                       const struct kvs_lease_ttl_req *req,
                                       const struct kvs_call_options *options,
                                       kvs_lease_ttl_cb cb,
                                       void *ctx);

/* All leases, the first to expire first. */
KVS_API KVS_MUST_USE int kvs_lease_list(struct kvs_client *client,
                                        const struct kvs_lease_list_req *req,
                                        const struct kvs_call_options *options,
                                        kvs_lease_list_cb cb,
                                        void *ctx);

/* Renews once. */
KVS_API KVS_MUST_USE int kvs_lease_keepalive(struct kvs_client *client,
                                             const struct kvs_lease_keepalive_req *req,
                                             const struct kvs_call_options *options,
                                             kvs_lease_keepalive_cb cb,
                                             void *ctx);

/* Blocking. */
KVS_API KVS_MUST_USE int kvs_lease_grant_sync(struct kvs_client *client,
                                              const struct kvs_lease_grant_req *req,
                                              const struct kvs_call_options *options,
                                              const struct kvs_lease_grant_resp **ret_resp,
                                              struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_lease_revoke_sync(struct kvs_client *client,
                                               const struct kvs_lease_revoke_req *req,
                                               const struct kvs_call_options *options,
                                               const struct kvs_lease_revoke_resp **ret_resp,
                                               struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_lease_ttl_sync(struct kvs_client *client,
                                            const struct kvs_lease_ttl_req *req,
                                            const struct kvs_call_options *options,
                                            const struct kvs_lease_ttl_resp **ret_resp,
                                            struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_lease_list_sync(struct kvs_client *client,
                                             const struct kvs_lease_list_req *req,
                                             const struct kvs_call_options *options,
                                             const struct kvs_lease_list_resp **ret_resp,
                                             struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_lease_keepalive_sync(struct kvs_client *client,
                                                  const struct kvs_lease_keepalive_req *req,
                                                  const struct kvs_call_options *options,
                                                  const struct kvs_lease_keepalive_resp **ret_resp,
                                                  struct kvs_error *ret_error);

/* Keeps a lease alive by renewing it at a third of its TTL, over reconnects, until it is stopped
 * or the lease is gone. */
struct kvs_lease_keeper;

/* error->code 0: renewed, resp says so. KVS_E_LEASE_NOT_FOUND: the lease is gone, or could not be
 * renewed for its whole TTL; KVS_E_CANCELED: stopped. After either of these the keeper is freed. */
typedef void (*kvs_lease_keeper_cb)(void *ctx,
                                    const struct kvs_error *error,
                                    const struct kvs_lease_keepalive_resp *resp);

/* The first renewal starts at once and tells the TTL. KVS_E_CLOSED, KVS_E_NOMEM. */
KVS_API KVS_MUST_USE int kvs_lease_keep(struct kvs_client *client,
                                        kvs_lease_id id,
                                        kvs_lease_keeper_cb cb,
                                        void *ctx,
                                        struct kvs_lease_keeper **ret_keeper);
KVS_API void kvs_lease_keeper_stop(struct kvs_lease_keeper *keeper);

/* ------------------------------------------------------------------------------------------ */
/* Lock and election: etcd's recipes, so they exclude etcd's own clients, too. Each contender has */
/* the key NAME/LEASE-IN-HEX; the oldest (create revision) owns. Keep the lease alive yourself.   */

struct kvs_lock;

typedef void (*kvs_lock_cb)(void *ctx, const struct kvs_error *error, struct kvs_lock *lock);

/* Waits in line for `name`; `value` is stored in the contender's key (an election's proposal;
 * empty for a lock). `cb` runs once the line's head is reached (`lock` is yours until
 * kvs_lock_release), or on failure (`lock` NULL, the key deleted): KVS_E_SESSION_EXPIRED if the
 * key vanished, i.e. the lease; KVS_E_DEADLINE_EXCEEDED after options->timeout_ms (default here:
 * none), and what kvs_txn and kvs_watch_open answer. */
KVS_API KVS_MUST_USE int kvs_lock_acquire(struct kvs_client *client,
                                          struct kvs_view name,
                                          kvs_lease_id lease,
                                          struct kvs_view value,
                                          const struct kvs_call_options *options,
                                          kvs_lock_cb cb,
                                          void *ctx);
KVS_API KVS_MUST_USE int kvs_lock_acquire_sync(struct kvs_client *client,
                                               struct kvs_view name,
                                               kvs_lease_id lease,
                                               struct kvs_view value,
                                               const struct kvs_call_options *options,
                                               struct kvs_lock **ret_lock,
                                               struct kvs_error *ret_error);

/* The owner's key and the revision that made it: compare them in transactions that must happen
 * only under the lock. The key is valid as long as `lock`. */
KVS_API struct kvs_view kvs_lock_key(const struct kvs_lock *lock);
KVS_API kvs_revision kvs_lock_revision(const struct kvs_lock *lock);
KVS_API struct kvs_header kvs_lock_header(const struct kvs_lock *lock);

/* Deletes the key if it is still ours, and frees `lock` in any case. Blocks. */
KVS_API int kvs_lock_release_sync(struct kvs_lock *lock, struct kvs_error *ret_error);
/* Frees `lock` and leaves the key. */
KVS_API void kvs_lock_forget(struct kvs_lock *lock);

/* Election: to campaign is kvs_lock_acquire with the proposal as `value`; to resign is
 * kvs_lock_release_sync. Proclaim changes the proposal; KVS_E_NOT_ELECTION_LEADER. */
KVS_API KVS_MUST_USE int kvs_election_proclaim_sync(struct kvs_lock *leadership,
                                                    struct kvs_view value,
                                                    struct kvs_error *ret_error);

/* The leader's kv is resp->kvs[0]. KVS_E_NO_ELECTION_LEADER. */
KVS_API KVS_MUST_USE int kvs_election_leader_sync(struct kvs_client *client,
                                                  struct kvs_view name,
                                                  const struct kvs_range_resp **ret_resp,
                                                  struct kvs_error *ret_error);

/* Follows who leads: a callback with the leader's kv at once (if there is one), and whenever
 * leader or proposal changes. The last callback has an error (KVS_E_CANCELED after stop). */
struct kvs_election_observer;
typedef void (*kvs_election_cb)(void *ctx,
                                const struct kvs_error *error,
                                const struct kvs_range_resp *leader);
KVS_API KVS_MUST_USE int kvs_election_observe(struct kvs_client *client,
                                              struct kvs_view name,
                                              kvs_election_cb cb,
                                              void *ctx,
                                              struct kvs_election_observer **ret_observer);
KVS_API void kvs_election_observer_stop(struct kvs_election_observer *observer);

/* ------------------------------------------------------------------------------------------ */
/* Cluster and maintenance                                                                    */

typedef void (*kvs_member_list_cb)(void *ctx,
                                   const struct kvs_error *error,
                                   const struct kvs_member_list_resp *resp);
typedef void (*kvs_member_add_cb)(void *ctx,
                                  const struct kvs_error *error,
                                  const struct kvs_member_add_resp *resp);
typedef void (*kvs_status_cb)(void *ctx,
                              const struct kvs_error *error,
                              const struct kvs_status_resp *resp);
typedef void (*kvs_alarm_cb)(void *ctx,
                             const struct kvs_error *error,
                             const struct kvs_alarm_list_resp *resp);
typedef void (*kvs_hash_kv_cb)(void *ctx,
                               const struct kvs_error *error,
                               const struct kvs_hash_kv_resp *resp);
typedef void (*kvs_defragment_cb)(void *ctx,
                                  const struct kvs_error *error,
                                  const struct kvs_defragment_resp *resp);
typedef void (*kvs_move_leader_cb)(void *ctx,
                                   const struct kvs_error *error,
                                   const struct kvs_move_leader_resp *resp);

/* The members of the cluster. */
KVS_API KVS_MUST_USE int kvs_member_list(struct kvs_client *client,
                                         const struct kvs_member_list_req *req,
                                         const struct kvs_call_options *options,
                                         kvs_member_list_cb cb,
                                         void *ctx);

/* Adds a member. KVS_E_MEMBER_BAD_URLS, KVS_E_PEER_URL_EXISTS, KVS_E_MEMBER_EXISTS,
 * KVS_E_TOO_MANY_LEARNERS, KVS_E_MEMBER_NOT_ENOUGH_STARTED, KVS_E_UNHEALTHY. */
KVS_API KVS_MUST_USE int kvs_member_add(struct kvs_client *client,
                                        const struct kvs_member_add_req *req,
                                        const struct kvs_call_options *options,
                                        kvs_member_add_cb cb,
                                        void *ctx);

/* Removes a member. KVS_E_MEMBER_NOT_FOUND, KVS_E_MEMBER_NOT_ENOUGH_STARTED, KVS_E_UNHEALTHY. */
KVS_API KVS_MUST_USE int kvs_member_remove(struct kvs_client *client,
                                           const struct kvs_member_remove_req *req,
                                           const struct kvs_call_options *options,
                                           kvs_member_list_cb cb,
                                           void *ctx);

/* Changes a member's peer URLs. KVS_E_MEMBER_NOT_FOUND, KVS_E_MEMBER_BAD_URLS,
 * KVS_E_PEER_URL_EXISTS. */
KVS_API KVS_MUST_USE int kvs_member_update(struct kvs_client *client,
                                           const struct kvs_member_update_req *req,
                                           const struct kvs_call_options *options,
                                           kvs_member_list_cb cb,
                                           void *ctx);

/* Gives a learner its vote. KVS_E_MEMBER_NOT_FOUND, KVS_E_MEMBER_NOT_LEARNER,
 * KVS_E_LEARNER_NOT_READY. */
KVS_API KVS_MUST_USE int kvs_member_promote(struct kvs_client *client,
                                            const struct kvs_member_promote_req *req,
                                            const struct kvs_call_options *options,
                                            kvs_member_list_cb cb,
                                            void *ctx);

/* State of the member that answers: name one with options->endpoint. */
KVS_API KVS_MUST_USE int kvs_status(struct kvs_client *client,
                                    const struct kvs_status_req *req,
                                    const struct kvs_call_options *options,
                                    kvs_status_cb cb,
                                    void *ctx);

/* Lists, raises or ends alarms. */
KVS_API KVS_MUST_USE int kvs_alarm(struct kvs_client *client,
                                   const struct kvs_alarm_req *req,
                                   const struct kvs_call_options *options,
                                   kvs_alarm_cb cb,
                                   void *ctx);

/* Hash of the answering member's keys; equal on all members at equal revisions.
 * KVS_E_COMPACTED, KVS_E_FUTURE_REV. */
KVS_API KVS_MUST_USE int kvs_hash_kv(struct kvs_client *client,
                                     const struct kvs_hash_kv_req *req,
                                     const struct kvs_call_options *options,
                                     kvs_hash_kv_cb cb,
                                     void *ctx);

/* Gives space back, where a store needs that. */
KVS_API KVS_MUST_USE int kvs_defragment(struct kvs_client *client,
                                        const struct kvs_defragment_req *req,
                                        const struct kvs_call_options *options,
                                        kvs_defragment_cb cb,
                                        void *ctx);

/* Hands leadership over; asked of the leader. KVS_E_NOT_LEADER, KVS_E_BAD_LEADER_TRANSFEREE,
 * KVS_E_TIMEOUT_LEADER_TRANSFER. */
KVS_API KVS_MUST_USE int kvs_move_leader(struct kvs_client *client,
                                         const struct kvs_move_leader_req *req,
                                         const struct kvs_call_options *options,
                                         kvs_move_leader_cb cb,
                                         void *ctx);

/* Blocking. */
KVS_API KVS_MUST_USE int kvs_member_list_sync(struct kvs_client *client,
                                              const struct kvs_member_list_req *req,
                                              const struct kvs_call_options *options,
                                              const struct kvs_member_list_resp **ret_resp,
                                              struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_member_add_sync(struct kvs_client *client,
                                             const struct kvs_member_add_req *req,
                                             const struct kvs_call_options *options,
                                             const struct kvs_member_add_resp **ret_resp,
                                             struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_member_remove_sync(struct kvs_client *client,
                                                const struct kvs_member_remove_req *req,
                                                const struct kvs_call_options *options,
                                                const struct kvs_member_list_resp **ret_resp,
                                                struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_member_update_sync(struct kvs_client *client,
                                                const struct kvs_member_update_req *req,
                                                const struct kvs_call_options *options,
                                                const struct kvs_member_list_resp **ret_resp,
                                                struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_member_promote_sync(struct kvs_client *client,
                                                 const struct kvs_member_promote_req *req,
                                                 const struct kvs_call_options *options,
                                                 const struct kvs_member_list_resp **ret_resp,
                                                 struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_status_sync(struct kvs_client *client,
                                         const struct kvs_status_req *req,
                                         const struct kvs_call_options *options,
                                         const struct kvs_status_resp **ret_resp,
                                         struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_alarm_sync(struct kvs_client *client,
                                        const struct kvs_alarm_req *req,
                                        const struct kvs_call_options *options,
                                        const struct kvs_alarm_list_resp **ret_resp,
                                        struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_hash_kv_sync(struct kvs_client *client,
                                          const struct kvs_hash_kv_req *req,
                                          const struct kvs_call_options *options,
                                          const struct kvs_hash_kv_resp **ret_resp,
                                          struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_defragment_sync(struct kvs_client *client,
                                             const struct kvs_defragment_req *req,
                                             const struct kvs_call_options *options,
                                             const struct kvs_defragment_resp **ret_resp,
                                             struct kvs_error *ret_error);
KVS_API KVS_MUST_USE int kvs_move_leader_sync(struct kvs_client *client,
                                              const struct kvs_move_leader_req *req,
                                              const struct kvs_call_options *options,
                                              const struct kvs_move_leader_resp **ret_resp,
                                              struct kvs_error *ret_error);

/* A snapshot of the whole store as a stream. `chunk` runs on the client's thread and may write to
 * a file: reading goes on when it returns; non-zero ends the stream with that code. The last 32
 * bytes are the SHA-256 of the rest. */
typedef int (*kvs_snapshot_chunk_fn)(void *ctx, struct kvs_view blob, uint64_t remaining_bytes);
typedef void (*kvs_done_cb)(void *ctx, const struct kvs_error *error);

/* `chunk` and `cb` as above; KVS_E_UNAVAILABLE also if the stream ended early. */
KVS_API KVS_MUST_USE int kvs_snapshot(struct kvs_client *client,
                                      const struct kvs_call_options *options,
                                      kvs_snapshot_chunk_fn chunk,
                                      kvs_done_cb cb,
                                      void *ctx);

/* Blocking; `chunk` still runs on the client's thread. */
KVS_API KVS_MUST_USE int kvs_snapshot_sync(struct kvs_client *client,
                                           const struct kvs_call_options *options,
                                           kvs_snapshot_chunk_fn chunk,
                                           void *ctx,
                                           struct kvs_error *ret_error);

#endif
