/* Keeps one lease alive: a renewal at each third of its TTL, repeated at once when it fails, until
 * the lease is gone or a whole TTL has passed without one. */
#include <stdatomic.h>

#include "base/alloc.h"
#include "client/client_int.h"

enum {
    RETRY_MS = 300,
    FIRST_TTL_MS = 5000, /* before the server has told the TTL; etcd's client waits as long */
};

struct kvs_lease_keeper {
    struct kvs_client *client;
    kvs_lease_id id;
    kvs_lease_keeper_cb cb;
    void *ctx;
    atomic_uint refs; /* life, and one for each task on its way */
    struct client_task start_task;
    struct client_task stop_task;
    atomic_bool stop_posted;
    /* The client's thread only: */
    struct client_closer closer;
    struct loop_timer timer;
    bool renewing;
    bool stopping;
    bool ended;
    uint64_t lost_ms; /* when the lease must be taken for gone */
};

static void keeper_unref(struct kvs_lease_keeper *k)
{
    if (atomic_fetch_sub(&k->refs, 1) == 1) {
        kvs_free(k);
    }
}

static void keeper_end(struct kvs_lease_keeper *k, int code)
{
    struct kvs_client *c = k->client;
    struct kvs_error error;

    k->ended = true;
    loop_timer_stop(&k->timer);
    (void)client_error_set(&error, code, NULL);
    k->cb(k->ctx, &error, NULL);
    client_closer_remove(c, &k->closer);
    keeper_unref(k);
}

static void keeper_renewed(struct kvs_lease_keeper *k, const struct kvs_lease_keepalive_resp *resp)
{
    const struct kvs_error ok = {0};
    uint64_t ttl_ms = (uint64_t)resp->ttl_s * 1000;

    k->lost_ms = loop_now_ms(k->client->loop) + ttl_ms;
    loop_timer_start(&k->timer, ttl_ms / 3);
    k->cb(k->ctx, &ok, resp);
}

static void keeper_renew_cb(void *ctx,
                            const struct kvs_error *error,
                            const struct kvs_lease_keepalive_resp *resp)
{
    struct kvs_lease_keeper *k = ctx;

    k->renewing = false;
    if (k->stopping) {
        keeper_end(k, KVS_E_CANCELED);
    } else if (error->code == 0 && resp->ttl_s > 0) {
        keeper_renewed(k, resp);
    } else if (error->code == 0 || loop_now_ms(k->client->loop) >= k->lost_ms) {
        keeper_end(k, KVS_E_LEASE_NOT_FOUND);
    } else {
        loop_timer_start(&k->timer, RETRY_MS);
    }
}

static void keeper_timer_cb(struct loop_timer *t)
{
    struct kvs_lease_keeper *k = container_of(t, struct kvs_lease_keeper, timer);
    struct kvs_lease_keepalive_req req = {.id = k->id};

    if (kvs_lease_keepalive(k->client, &req, NULL, keeper_renew_cb, k) == 0) {
        k->renewing = true;
    } else {
        loop_timer_start(&k->timer, RETRY_MS);
    }
}

static void keeper_stop_now(struct kvs_lease_keeper *k)
{
    if (k->ended || k->stopping) {
        return;
    }
    k->stopping = true;
    if (!k->renewing) {
        keeper_end(k, KVS_E_CANCELED);
    }
}

static void keeper_closer(struct client_closer *closer)
{
    keeper_stop_now(container_of(closer, struct kvs_lease_keeper, closer));
}

static void keeper_start_task(struct client_task *task)
{
    struct kvs_lease_keeper *k = container_of(task, struct kvs_lease_keeper, start_task);

    k->lost_ms = loop_now_ms(k->client->loop) + FIRST_TTL_MS;
    client_closer_add(k->client, &k->closer);
    if (!k->ended) {
        keeper_timer_cb(&k->timer);
    }
    keeper_unref(k);
}

static void keeper_stop_task(struct client_task *task)
{
    struct kvs_lease_keeper *k = container_of(task, struct kvs_lease_keeper, stop_task);

    keeper_stop_now(k);
    keeper_unref(k);
}

int kvs_lease_keep(struct kvs_client *client,
                   kvs_lease_id id,
                   kvs_lease_keeper_cb cb,
                   void *ctx,
                   struct kvs_lease_keeper **ret_keeper)
{
    struct kvs_lease_keeper *k = kvs_calloc(1, sizeof *k);
    int err;

    if (k == NULL) {
        return KVS_E_NOMEM;
    }
    k->client = client;
    k->id = id;
    k->cb = cb;
    k->ctx = ctx;
    atomic_init(&k->refs, 2);
    k->start_task.run = keeper_start_task;
    k->stop_task.run = keeper_stop_task;
    k->closer.close = keeper_closer;
    list_init(&k->closer.node);
    loop_timer_init(client->loop, &k->timer, keeper_timer_cb);
    *ret_keeper = k; /* before the first callback can run */
    err = client_submit(client, &k->start_task);
    if (err != 0) {
        kvs_free(k);
    }
    return err;
}

void kvs_lease_keeper_stop(struct kvs_lease_keeper *keeper)
{
    if (atomic_exchange(&keeper->stop_posted, true)) {
        return;
    }
    (void)atomic_fetch_add(&keeper->refs, 1);
    if (client_submit(keeper->client, &keeper->stop_task) != 0) {
        keeper_unref(keeper); /* the client has stopped, and the keeper with it */
    }
}
