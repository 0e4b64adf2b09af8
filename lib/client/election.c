/* Elections: a leadership is a lock whose key carries the proposal (lock.c); here are the calls
 * around it. */
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/view.h"
#include "client/lock_int.h"

int kvs_election_proclaim_sync(struct kvs_lock *leadership,
                               struct kvs_view value,
                               struct kvs_error *ret_error)
{
    struct kvs_compare ours = lock_still_ours(leadership);
    struct kvs_op op = {
        .type = KVS_OP_PUT,
        .u.put = {.key = leadership->key, .value = value, .lease = leadership->lease}};
    struct kvs_txn_req req = {.compares = &ours, .n_compares = 1, .success = &op, .n_success = 1};
    const struct kvs_txn_resp *resp;
    int err = kvs_txn_sync(leadership->client, &req, NULL, &resp, ret_error);

    if (err != 0) {
        return err;
    }
    if (!resp->succeeded) {
        err = client_error_set(ret_error, KVS_E_NOT_ELECTION_LEADER, NULL);
    } else {
        leadership->header = resp->header;
    }
    kvs_resp_free(resp);
    return err;
}

int kvs_election_leader_sync(struct kvs_client *client,
                             struct kvs_view name,
                             const struct kvs_range_resp **ret_resp,
                             struct kvs_error *ret_error)
{
    struct kvs_lock *place = lock_new(client, name, 0);
    const struct kvs_range_resp *resp;
    struct kvs_range_req req;
    int err;

    if (place == NULL) {
        return client_error_set(ret_error, KVS_E_NOMEM, NULL);
    }
    req = lock_owner_req(place->prefix, place->prefix_end);
    err = kvs_range_sync(client, &req, NULL, &resp, ret_error);
    kvs_lock_forget(place);
    if (err != 0) {
        return err;
    }
    if (resp->n_kvs == 0) {
        kvs_resp_free(resp);
        return client_error_set(ret_error, KVS_E_NO_ELECTION_LEADER, NULL);
    }
    *ret_resp = resp;
    return 0;
}

/* ---- observe: a watch over the contenders says when to look who leads ---- */

struct kvs_election_observer {
    struct kvs_client *client;
    struct kvs_lock *place; /* for its prefix */
    kvs_election_cb cb;
    void *ctx;
    struct kvs_watch *watch;
    atomic_bool stop_called;
    /* The client's thread only: */
    bool looking;
    bool look_again; /* something changed while looking */
    bool watch_over;
    kvs_revision told_create; /* of the leader that was told last */
    kvs_revision told_mod;
    struct kvs_error end;
};

static void observer_look(struct kvs_election_observer *o);

static void observer_end(struct kvs_election_observer *o)
{
    o->cb(o->ctx, &o->end, NULL);
    kvs_lock_forget(o->place);
    kvs_free(o);
}

static void observer_tell(struct kvs_election_observer *o, const struct kvs_range_resp *resp)
{
    const struct kvs_error ok = {0};
    const struct kvs_kv *leader = resp->n_kvs > 0 ? &resp->kvs[0] : NULL;

    if (leader == NULL ||
        (leader->create_revision == o->told_create && leader->mod_revision == o->told_mod)) {
        return;
    }
    o->told_create = leader->create_revision;
    o->told_mod = leader->mod_revision;
    o->cb(o->ctx, &ok, resp);
}

static void
observer_look_cb(void *ctx, const struct kvs_error *error, const struct kvs_range_resp *resp)
{
    struct kvs_election_observer *o = ctx;

    o->looking = false;
    if (o->watch_over) {
        observer_end(o);
        return;
    }
    if (error->code == 0) {
        observer_tell(o, resp);
    }
    if (o->look_again || error->code != 0) {
        observer_look(o);
    }
}

static void observer_look(struct kvs_election_observer *o)
{
    struct kvs_range_req req = lock_owner_req(o->place->prefix, o->place->prefix_end);

    o->look_again = o->looking;
    if (o->looking) {
        return;
    }
    o->looking = kvs_range(o->client, &req, NULL, observer_look_cb, o) == 0;
    if (!o->looking) {
        kvs_watch_close(o->watch); /* out of memory: the last callback says so */
    }
}

static void observer_watch_cb(void *ctx,
                              struct kvs_watch *watch,
                              enum kvs_watch_what what,
                              const struct kvs_error *error,
                              const struct kvs_watch_resp *resp)
{
    struct kvs_election_observer *o = ctx;

    (void)watch;
    (void)resp;
    switch (what) {
    case KVS_WATCH_STARTED:
    case KVS_WATCH_EVENTS:
        observer_look(o);
        break;
    case KVS_WATCH_PROGRESS:
    case KVS_WATCH_PAUSED:
        break;
    case KVS_WATCH_ENDED:
        o->watch_over = true;
        o->end = *error;
        if (!o->looking) {
            observer_end(o);
        }
        break;
    }
}

int kvs_election_observe(struct kvs_client *client,
                         struct kvs_view name,
                         kvs_election_cb cb,
                         void *ctx,
                         struct kvs_election_observer **ret_observer)
{
    struct kvs_election_observer *o = kvs_calloc(1, sizeof *o);
    struct kvs_watch_create_req req = {0};
    int err = KVS_E_NOMEM;

    if (o == NULL) {
        return KVS_E_NOMEM;
    }
    o->client = client;
    o->cb = cb;
    o->ctx = ctx;
    o->place = lock_new(client, name, 0);
    if (o->place != NULL) {
        req.key = o->place->prefix;
        req.range_end = o->place->prefix_end;
        *ret_observer = o; /* before the first callback can run */
        err = kvs_watch_open(client, &req, observer_watch_cb, o, &o->watch);
    }
    if (err != 0) {
        kvs_free(o->place);
        kvs_free(o);
    }
    return err;
}

void kvs_election_observer_stop(struct kvs_election_observer *observer)
{
    if (!atomic_exchange(&observer->stop_called, true)) {
        kvs_watch_close(observer->watch);
    }
}
