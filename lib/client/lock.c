/* Standing in line for a lock or a leadership.
 *
 *   create -> (owner is us) ---------------------------> owned
 *      |                                                   ^
 *      v                                                   |
 *     look <-> wait for the contender before us to go -----'
 *      |
 *      v  (any failure, deadline, or our key is gone)
 *   cleanup: delete our key -> failed
 *
 * Waiting for the one just before us, not for the owner, wakes one contender per release. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/mbox.h"
#include "base/view.h"
#include "client/lock_int.h"

enum { LEASE_HEX_MAX = 17 };

struct lock_try {
    struct client_task task;
    struct kvs_client *client;
    struct kvs_lock *lock;
    struct kvs_blob value;
    kvs_lock_cb cb;
    void *ctx;
    uint32_t timeout_ms; /* 0: none */
    struct loop_timer deadline;
    struct kvs_watch *watch; /* NULL: not waiting */
    bool created;            /* our key may exist */
    struct kvs_error error;  /* code 0: going on */
};

static void try_look(struct lock_try *t);

/* ---- the struct ---- */

struct kvs_lock *lock_new(struct kvs_client *c, struct kvs_view name, kvs_lease_id lease)
{
    size_t prefix_len = name.len + 1;
    struct kvs_lock *lock =
        kvs_calloc(1, sizeof *lock + 2 * prefix_len + prefix_len + LEASE_HEX_MAX);
    char *at = (char *)(lock + 1);
    int hex_len;

    if (lock == NULL) {
        return NULL;
    }
    lock->client = c;
    lock->lease = lease;
    if (name.len > 0) {
        memcpy(at, name.data, name.len);
    }
    at[name.len] = '/';
    lock->prefix = view_make(at, prefix_len);
    at += prefix_len;
    lock->prefix_end = view_make(at, kvs_prefix_end(lock->prefix, at));
    at += prefix_len;
    memcpy(at, lock->prefix.data, prefix_len);
    hex_len = snprintf(at + prefix_len, LEASE_HEX_MAX, "%" PRIx64, (uint64_t)lease);
    lock->key = view_make(at, prefix_len + (size_t)hex_len);
    return lock;
}

struct kvs_range_req lock_owner_req(struct kvs_view prefix, struct kvs_view prefix_end)
{
    return (struct kvs_range_req){
        .key = prefix,
        .range_end = prefix_end,
        .limit = 1,
        .sort_order = KVS_SORT_ASCEND,
        .sort_target = KVS_SORT_CREATE,
    };
}

struct kvs_compare lock_still_ours(const struct kvs_lock *lock)
{
    return (struct kvs_compare){
        .result = KVS_COMPARE_EQUAL,
        .target = KVS_COMPARE_CREATE,
        .key = lock->key,
        .number = lock->revision,
    };
}

/* ---- the ends ---- */

static void try_free(struct lock_try *t)
{
    loop_timer_stop(&t->deadline);
    kvs_free(t->value.data);
    kvs_free(t->lock);
    kvs_free(t);
}

static void try_owned(struct lock_try *t, const struct kvs_header *header)
{
    const struct kvs_error ok = {0};
    struct kvs_lock *lock = t->lock;

    lock->header = *header;
    t->lock = NULL;
    t->cb(t->ctx, &ok, lock);
    try_free(t);
}

static void try_failed(struct lock_try *t)
{
    t->cb(t->ctx, &t->error, NULL);
    try_free(t);
}

static void
try_cleaned_cb(void *ctx, const struct kvs_error *error, const struct kvs_delete_resp *resp)
{
    (void)error; /* the lease's end deletes the key anyway */
    (void)resp;
    try_failed(ctx);
}

static void try_cleanup(struct lock_try *t)
{
    struct kvs_delete_req req = {.key = t->lock->key};

    if (!t->created || kvs_delete(t->client, &req, NULL, try_cleaned_cb, t) != 0) {
        try_failed(t);
    }
}

static void try_fail(struct lock_try *t, int code, const char *text)
{
    if (t->error.code == 0) {
        (void)client_error_set(&t->error, code, text);
    }
    try_cleanup(t);
}

static void try_deadline_cb(struct loop_timer *timer)
{
    struct lock_try *t = container_of(timer, struct lock_try, deadline);

    (void)client_error_set(&t->error, KVS_E_DEADLINE_EXCEEDED, NULL);
    if (t->watch != NULL) {
        kvs_watch_close(t->watch);
    } /* else a call is out, whose end sees the error */
}

/* ---- waiting for the contender before us ---- */

static void try_watch_cb(void *ctx,
                         struct kvs_watch *watch,
                         enum kvs_watch_what what,
                         const struct kvs_error *error,
                         const struct kvs_watch_resp *resp)
{
    struct lock_try *t = ctx;

    (void)resp;
    if (what == KVS_WATCH_EVENTS) {
        kvs_watch_close(watch); /* deletions only are asked for: it has gone */
        return;
    }
    if (what != KVS_WATCH_ENDED) {
        return;
    }
    t->watch = NULL;
    if (t->error.code != 0) {
        try_cleanup(t);
    } else if (t->client->closing) {
        try_fail(t, KVS_E_CANCELED, NULL);
    } else if (error->code == KVS_E_CANCELED || error->code == KVS_E_COMPACTED) {
        try_look(t);
    } else {
        try_fail(t, error->code, error->msg);
    }
}

static void try_wait(struct lock_try *t, struct kvs_view before, kvs_revision revision)
{
    struct kvs_watch_create_req req = {
        .key = before,
        .start_revision = revision + 1,
        .filters = KVS_WATCH_NO_PUT,
    };
    int err = kvs_watch_open(t->client, &req, try_watch_cb, t, &t->watch);

    if (err != 0) {
        t->watch = NULL;
        try_fail(t, err, NULL);
    }
}

static void try_look_cb(void *ctx, const struct kvs_error *error, const struct kvs_txn_resp *resp)
{
    struct lock_try *t = ctx;
    const struct kvs_range_resp *ours;
    const struct kvs_range_resp *before;

    if (error->code != 0 || t->error.code != 0) {
        try_fail(t, error->code, error->msg);
        return;
    }
    if (resp->n_responses != 2 || resp->responses[0].type != KVS_OP_RANGE ||
        resp->responses[1].type != KVS_OP_RANGE) {
        try_fail(t, KVS_E_MALFORMED, NULL);
        return;
    }
    ours = &resp->responses[0].u.range;
    before = &resp->responses[1].u.range;
    if (ours->n_kvs == 0 || ours->kvs[0].create_revision != t->lock->revision) {
        try_fail(t, KVS_E_SESSION_EXPIRED, NULL);
    } else if (before->n_kvs == 0) {
        try_owned(t, &resp->header);
    } else {
        try_wait(t, before->kvs[0].key, resp->header.revision);
    }
}

/* In one revision: is our key still there, and who is before it. */
static void try_look(struct lock_try *t)
{
    struct kvs_op ops[2] = {{.type = KVS_OP_RANGE}, {.type = KVS_OP_RANGE}};
    struct kvs_txn_req req = {.success = ops, .n_success = 2};
    int err;

    ops[0].u.range.key = t->lock->key;
    ops[1].u.range = lock_owner_req(t->lock->prefix, t->lock->prefix_end);
    ops[1].u.range.sort_order = KVS_SORT_DESCEND;
    ops[1].u.range.max_create_revision = t->lock->revision - 1;
    err = kvs_txn(t->client, &req, NULL, try_look_cb, t);
    if (err != 0) {
        try_fail(t, err, NULL);
    }
}

/* ---- creating our key ---- */

static void try_create_cb(void *ctx, const struct kvs_error *error, const struct kvs_txn_resp *resp)
{
    struct lock_try *t = ctx;
    const struct kvs_range_resp *own;
    const struct kvs_op_resp *owner;

    if (error->code != 0 || t->error.code != 0) {
        try_fail(t, error->code, error->msg);
        return;
    }
    owner = resp->n_responses > 0 ? &resp->responses[resp->n_responses - 1] : NULL;
    if (owner == NULL || owner->type != KVS_OP_RANGE) {
        try_fail(t, KVS_E_MALFORMED, NULL);
        return;
    }
    own = resp->responses[0].type == KVS_OP_RANGE ? &resp->responses[0].u.range : NULL;
    if (!resp->succeeded && (own == NULL || own->n_kvs == 0)) {
        try_fail(t, KVS_E_MALFORMED, NULL);
        return;
    }
    t->lock->revision = resp->succeeded ? resp->header.revision : own->kvs[0].create_revision;
    if (owner->u.range.n_kvs > 0 && owner->u.range.kvs[0].create_revision == t->lock->revision) {
        try_owned(t, &resp->header);
    } else {
        try_look(t);
    }
}

/* If our key exists already (the same lease twice) it keeps its place; a candidate's new proposal
 * replaces the old one. */
static int try_create(struct lock_try *t)
{
    struct kvs_compare absent = lock_still_ours(t->lock);
    struct kvs_op put = {.type = KVS_OP_PUT,
                         .u.put = {.key = t->lock->key,
                                   .value = {t->value.data, t->value.len},
                                   .lease = t->lock->lease}};
    struct kvs_op get = {.type = KVS_OP_RANGE, .u.range = {.key = t->lock->key}};
    struct kvs_op owner = {.type = KVS_OP_RANGE,
                           .u.range = lock_owner_req(t->lock->prefix, t->lock->prefix_end)};
    struct kvs_op success[2] = {put, owner};
    struct kvs_op failure[3] = {get, owner};
    struct kvs_txn_req req = {.compares = &absent,
                              .n_compares = 1,
                              .success = success,
                              .n_success = 2,
                              .failure = failure,
                              .n_failure = 2};

    absent.number = 0;
    if (t->value.len > 0) {
        failure[1] = put;
        failure[2] = owner;
        req.n_failure = 3;
    }
    t->created = true;
    return kvs_txn(t->client, &req, NULL, try_create_cb, t);
}

static void try_task(struct client_task *task)
{
    struct lock_try *t = container_of(task, struct lock_try, task);
    int err;

    if (t->timeout_ms != 0) {
        loop_timer_start(&t->deadline, t->timeout_ms);
    }
    err = try_create(t);
    if (err != 0) {
        t->created = false;
        try_fail(t, err, NULL);
    }
}

/* ---- the public side ---- */

int kvs_lock_acquire(struct kvs_client *client,
                     struct kvs_view name,
                     kvs_lease_id lease,
                     struct kvs_view value,
                     const struct kvs_call_options *options,
                     kvs_lock_cb cb,
                     void *ctx)
{
    struct lock_try *t = kvs_calloc(1, sizeof *t);
    int err = KVS_E_NOMEM;

    if (t == NULL) {
        return KVS_E_NOMEM;
    }
    t->client = client;
    t->cb = cb;
    t->ctx = ctx;
    t->task.run = try_task;
    if (options != NULL && options->timeout_ms != KVS_NO_TIMEOUT) {
        t->timeout_ms = options->timeout_ms;
    }
    loop_timer_init(client->loop, &t->deadline, try_deadline_cb);
    t->lock = lock_new(client, name, lease);
    t->value.data = kvs_malloc(value.len);
    if (t->lock != NULL && t->value.data != NULL) {
        t->value.len = value.len;
        if (value.len > 0) {
            memcpy(t->value.data, value.data, value.len);
        }
        err = client_submit(client, &t->task);
    }
    if (err != 0) {
        try_free(t);
    }
    return err;
}

struct lock_wait {
    struct list node;
    struct mbox *mbox;
    struct kvs_lock *lock;
    struct kvs_error error;
};

static void lock_wait_cb(void *ctx, const struct kvs_error *error, struct kvs_lock *lock)
{
    struct lock_wait *w = ctx;

    w->lock = lock;
    w->error = *error;
    mbox_post(w->mbox, &w->node);
}

int kvs_lock_acquire_sync(struct kvs_client *client,
                          struct kvs_view name,
                          kvs_lease_id lease,
                          struct kvs_view value,
                          const struct kvs_call_options *options,
                          struct kvs_lock **ret_lock,
                          struct kvs_error *ret_error)
{
    struct lock_wait w = {.lock = NULL};
    struct list messages;
    int err;

    if (client_on_thread(client)) {
        return client_error_set(ret_error, KVS_E_INVALID, "blocking call on the client's thread");
    }
    w.mbox = mbox_new(NULL, NULL);
    if (w.mbox == NULL) {
        return client_error_set(ret_error, KVS_E_NOMEM, NULL);
    }
    err = kvs_lock_acquire(client, name, lease, value, options, lock_wait_cb, &w);
    if (err == 0) {
        list_init(&messages);
        kvs_assert(mbox_wait(w.mbox, &messages));
    } else {
        (void)client_error_set(&w.error, err, NULL);
    }
    mbox_free(w.mbox);
    if (w.error.code == 0) {
        *ret_lock = w.lock;
    }
    return client_error_set(ret_error, w.error.code, w.error.msg);
}

struct kvs_view kvs_lock_key(const struct kvs_lock *lock)
{
    return lock->key;
}

kvs_revision kvs_lock_revision(const struct kvs_lock *lock)
{
    return lock->revision;
}

struct kvs_header kvs_lock_header(const struct kvs_lock *lock)
{
    return lock->header;
}

void kvs_lock_forget(struct kvs_lock *lock)
{
    kvs_free(lock);
}

int kvs_lock_release_sync(struct kvs_lock *lock, struct kvs_error *ret_error)
{
    struct kvs_compare ours = lock_still_ours(lock);
    struct kvs_op op = {.type = KVS_OP_DELETE, .u.del = {.key = lock->key}};
    struct kvs_txn_req req = {.compares = &ours, .n_compares = 1, .success = &op, .n_success = 1};
    const struct kvs_txn_resp *resp;
    int err = kvs_txn_sync(lock->client, &req, NULL, &resp, ret_error);

    if (err == 0) {
        kvs_resp_free(resp);
    }
    kvs_free(lock);
    return err;
}
