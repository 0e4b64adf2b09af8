/* The handle: its thread, the way onto it, and the orderly end.
 *
 *   open -> running -> closing (calls, streams and closers end) -> stopped
 *
 * Invariants: the thread ends only when no call, stream or closer is left, so every callback has
 * run; a task submitted before `stopped` runs. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "client/client_int.h"

int client_error_set(struct kvs_error *error, int code, const char *text)
{
    if (error != NULL) {
        error->code = code;
        (void)snprintf(error->msg, sizeof error->msg, "%s",
                       text != NULL && *text != '\0' ? text : kvs_strerror(code));
    }
    return code;
}

bool client_on_thread(const struct kvs_client *c)
{
    return pthread_equal(pthread_self(), c->thread) != 0;
}

/* ---- tasks ---- */

int client_submit(struct kvs_client *c, struct client_task *task)
{
    if (atomic_load_explicit(&c->stopped, memory_order_acquire)) {
        return KVS_E_CLOSED;
    }
    loop_mbox_post(c->mbox, &task->node);
    return 0;
}

static void client_task_cb(void *ctx, struct list *message)
{
    struct client_task *task = list_entry(message, struct client_task, node);

    (void)ctx;
    list_init(message);
    task->run(task);
}

/* ---- the end ---- */

void client_closer_add(struct kvs_client *c, struct client_closer *closer)
{
    list_push_back(&c->closers, &closer->node);
    if (c->closing) {
        closer->close(closer);
    }
}

void client_closer_remove(struct kvs_client *c, struct client_closer *closer)
{
    list_remove(&closer->node);
    client_maybe_stop(c);
}

void client_maybe_stop(struct kvs_client *c)
{
    if (!c->closing || !list_empty(&c->calls) || !list_empty(&c->streams) ||
        !list_empty(&c->closers) || atomic_load(&c->stopped)) {
        return;
    }
    atomic_store_explicit(&c->stopped, true, memory_order_release);
    loop_stop(c->loop);
}

static void cancel_calls(struct kvs_client *c)
{
    struct list calls;

    list_init(&calls);
    list_splice_back(&calls, &c->calls);
    while (!list_empty(&calls)) {
        struct client_call *call = list_entry(calls.next, struct client_call, node);

        list_remove(&call->node);
        list_push_back(&c->calls, &call->node);
        c->backend->ops->call_cancel(c->backend, call);
    }
}

static void client_close_task(struct client_task *task)
{
    struct kvs_client *c = container_of(task, struct kvs_client, close_task);

    c->closing = true;
    LIST_FOREACH_SAFE(it, after, &c->closers)
    {
        struct client_closer *closer = list_entry(it, struct client_closer, node);

        closer->close(closer);
    }
    LIST_FOREACH(it, &c->streams)
    {
        client_stream_cancel(list_entry(it, struct client_stream, node));
    }
    cancel_calls(c);
    client_maybe_stop(c);
}

/* On the loop's owner: the client's thread, or the opener's if there is no thread yet. */
static void client_dismantle(struct kvs_client *c)
{
    if (c->mbox != NULL) {
        loop_mbox_free(c->mbox); /* runs what is in it: everything ends with KVS_E_CANCELED */
    }
    if (c->backend != NULL) {
        c->backend->ops->free(c->backend);
    }
    if (c->loop != NULL) {
        loop_free(c->loop);
    }
}

void kvs_client_close(struct kvs_client *client)
{
    if (client == NULL) {
        return;
    }
    kvs_assert(!client_on_thread(client));
    client->close_task.run = client_close_task;
    if (client_submit(client, &client->close_task) == 0) {
        (void)pthread_join(client->thread, NULL);
    }
    kvs_free(client);
}

/* ---- the beginning ---- */

static void *client_thread(void *ctx)
{
    struct kvs_client *c = ctx;

    loop_run(c->loop);
    client_dismantle(c);
    return NULL;
}

/* Signals are the program's business: the thread takes none. */
static int start_thread(struct kvs_client *c)
{
    sigset_t all;
    sigset_t before;
    int err;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&c->thread, NULL, client_thread, c);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err == 0 ? 0 : KVS_E_NOMEM;
}

int client_open_backend(const struct kvs_client_options *options,
                        client_backend_fn backend_new,
                        const void *arg,
                        struct kvs_client **ret_client,
                        struct kvs_error *ret_error)
{
    struct kvs_client *c = kvs_calloc(1, sizeof *c);
    int err = KVS_E_NOMEM;

    if (c == NULL) {
        return client_error_set(ret_error, KVS_E_NOMEM, NULL);
    }
    list_init(&c->calls);
    list_init(&c->streams);
    list_init(&c->closers);
    c->call_timeout_ms = options->call_timeout_ms;
    c->send_max_bytes = options->send_max_bytes;
    rng_init(&c->rng, clock_ns(clock_system()) ^ (uint64_t)(uintptr_t)c);
    (void)client_error_set(ret_error, KVS_E_NOMEM, NULL);
    err = loop_new(&c->loop);
    if (err == 0) {
        err = loop_mbox_new(c->loop, client_task_cb, c, &c->mbox);
    }
    if (err == 0) {
        err = backend_new(c, arg, &c->backend, ret_error);
    }
    if (err == 0) {
        err = start_thread(c);
    }
    if (err != 0) {
        client_dismantle(c);
        kvs_free(c);
        return err;
    }
    (void)client_error_set(ret_error, 0, "");
    *ret_client = c;
    return 0;
}

void kvs_client_options_init(struct kvs_client_options *options)
{
    *options = (struct kvs_client_options){
        .size = sizeof *options,
        .endpoints = "127.0.0.1:2379",
        .dial_timeout_ms = 2000,
        .call_timeout_ms = 5000,
        .keepalive_time_ms = 10000,
        .keepalive_timeout_ms = 6000,
        .send_max_bytes = 2u << 20,
        .recv_max_bytes = INT32_MAX,
    };
}

static int remote_new(struct kvs_client *c,
                      const void *arg,
                      struct client_backend **ret_backend,
                      struct kvs_error *ret_error)
{
    return client_remote_new(c, arg, ret_backend, ret_error);
}

int kvs_client_open(const struct kvs_client_options *options,
                    struct kvs_client **ret_client,
                    struct kvs_error *ret_error)
{
    if (options->size != sizeof *options || options->endpoints == NULL) {
        return client_error_set(ret_error, KVS_E_INVALID, "options are not initialised");
    }
    return client_open_backend(options, remote_new, options, ret_client, ret_error);
}
