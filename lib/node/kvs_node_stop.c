/* The way down, one step after the other; each step's end starts the next:
 *
 *   hand over leadership -> clients: streams end, GOAWAY -> node: requests fail, store written
 *   -> log closed -> transport closed -> loop stops -> memory freed (tear_down) */
#include "base/alloc.h"
#include "base/assert.h"
#include "node/kvs_node.h"

/* What a client that does not close its connection gets. */
#define STOP_GRACE_MS 500

static void stop_done(struct kvs_node *k)
{
    k->down = true;
    loop_stop(k->loop);
}

static void stop_transport_closed(void *ctx)
{
    struct kvs_node *k = ctx;

    k->transport = NULL;
    stop_done(k);
}

static void stop_transport(struct kvs_node *k)
{
    if (k->transport != NULL) {
        peer_transport_close(k->transport, stop_transport_closed, k);
    } else {
        stop_done(k);
    }
}

static void stop_log_closed(void *ctx)
{
    struct kvs_node *k = ctx;

    k->log_device = NULL;
    stop_transport(k);
}

static void stop_log(struct kvs_node *k)
{
    if (k->log_device != NULL) {
        log_close(k->log_device, stop_log_closed, k);
    } else {
        stop_transport(k);
    }
}

static void stop_node_closed(void *ctx)
{
    struct kvs_node *k = ctx;

    k->node = NULL;
    if (k->exit_code == 0) {
        k->exit_code = k->failed; /* on the way down: the store could not be written out */
    }
    stop_log(k);
}

static void stop_clients_gone(void *ctx)
{
    struct kvs_node *k = ctx;

    loop_timer_stop(&k->tick);
    loop_timer_stop(&k->store_due);
    loop_hook_fini(&k->flush);
    if (k->rpc != NULL) {
        service_end_ranges(&k->service, UINT64_MAX);
    }
    kvs_node_end_local_streams(k);
    if (k->node != NULL) {
        node_close(k->node, stop_node_closed, k);
    } else {
        stop_log(k);
    }
}

static void stop_clients(struct kvs_node *k)
{
    if (k->rpc == NULL) {
        stop_clients_gone(k);
        return;
    }
    service_end_streams(&k->service, KVS_E_STOPPED, false);
    rpc_drain(k->rpc, STOP_GRACE_MS, stop_clients_gone, k);
}

static void stop_next_cb(struct loop_task *t)
{
    stop_clients(container_of(t, struct kvs_node, stop_next));
}

static void stop_transferred_cb(struct replica_transfer *transfer)
{
    struct kvs_node *k = container_of(transfer, struct kvs_node, transfer.transfer);

    if (!k->transferring) {
        return; /* the node has failed meanwhile */
    }
    k->transferring = false;
    if (transfer->status != 0) {
        log_warn(k->log, "leadership was not handed over",
                 LOG_STR("reason", kvs_strerror(transfer->status)));
    }
    /* Called from within a flush of the replica, which must not be closed there. */
    loop_task_init(&k->stop_next, stop_next_cb);
    loop_task_post(k->loop, &k->stop_next);
}

void kvs_node_begin_stop(struct kvs_node *k, int code)
{
    if (k->stopping) {
        if (code != 0 && k->transferring) {
            /* A failed node hands nothing over any more. */
            k->transferring = false;
            k->exit_code = code;
            stop_clients(k);
        }
        return;
    }
    k->stopping = true;
    k->exit_code = code;
    if (code == 0) {
        log_info(k->log, "stopping");
        k->transfer.transfer.cb = stop_transferred_cb;
        k->transferring = node_move_leader(k->node, 0, &k->transfer) == 0;
    }
    if (!k->transferring) {
        stop_clients(k);
    }
}

void kvs_node_tear_down(struct kvs_node *k)
{
    kvs_assert(k->node == NULL && k->log_device == NULL);
    rpc_server_free(k->rpc);
    k->rpc = NULL;
    backend_thread_free(k->backend);
    k->backend = NULL;
    if (k->loop != NULL) {
        loop_free(k->loop);
        k->loop = NULL;
    }
    if (k->lock != NULL) {
        disk_posix()->unlock(disk_posix()->ctx, k->lock);
        k->lock = NULL;
    }
    tls_context_free(k->client_tls);
    tls_context_free(k->peer_server_tls);
    tls_context_free(k->peer_client_tls);
}
