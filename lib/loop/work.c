/* Blocking work on libuv's worker threads, and signals. */
#include "base/alloc.h"
#include "base/assert.h"
#include "loop/loop_int.h"

/* libuv's part of a loop_work: the public struct cannot hold it without <uv.h>. */
struct work_req {
    uv_work_t uv;
    struct loop *loop;
    struct loop_work *work;
};

struct loop_signal_handle {
    uv_signal_t uv;
    struct list node;
    loop_signal_cb cb;
    void *ctx;
};

static void work_run_cb(uv_work_t *uv)
{
    struct loop_work *w = container_of(uv, struct work_req, uv)->work;

    w->run(w);
}

static void work_done_cb(uv_work_t *uv, int status)
{
    struct work_req *req = container_of(uv, struct work_req, uv);
    struct loop_work *w = req->work;

    kvs_assert(status == 0); /* never cancelled */
    req->loop->n_work--;
    kvs_free(req);
    w->done(w);
}

int loop_work_submit(struct loop *l, struct loop_work *w)
{
    struct work_req *req;

    loop_assert_owner(l);
    kvs_assert(w->run != NULL && w->done != NULL);
    req = kvs_calloc(1, sizeof *req);
    if (req == NULL) {
        return KVS_E_NOMEM;
    }
    req->loop = l;
    req->work = w;
    if (uv_queue_work(&l->uv, &req->uv, work_run_cb, work_done_cb) != 0) {
        kvs_free(req);
        return KVS_E_NOMEM;
    }
    l->n_work++;
    return 0;
}

static void signal_cb(uv_signal_t *uv, int signum)
{
    struct loop_signal_handle *h = container_of(uv, struct loop_signal_handle, uv);

    h->cb(h->ctx, signum);
}

static void signal_close_cb(uv_handle_t *handle)
{
    kvs_free(container_of((uv_signal_t *)handle, struct loop_signal_handle, uv));
}

int loop_signal(struct loop *l, int signum, loop_signal_cb cb, void *ctx)
{
    struct loop_signal_handle *h;

    loop_assert_owner(l);
    h = kvs_calloc(1, sizeof *h);
    if (h == NULL) {
        return KVS_E_NOMEM;
    }
    h->cb = cb;
    h->ctx = ctx;
    list_init(&h->node);
    if (uv_signal_init(&l->uv, &h->uv) != 0) {
        kvs_free(h);
        return KVS_E_NOMEM;
    }
    if (uv_signal_start(&h->uv, signal_cb, signum) != 0) {
        uv_close((uv_handle_t *)&h->uv, signal_close_cb);
        return KVS_E_INVALID;
    }
    uv_unref((uv_handle_t *)&h->uv);
    list_push_back(&l->signals, &h->node);
    return 0;
}

void loop_signals_fini(struct loop *l)
{
    for (struct list *node = list_pop_front(&l->signals); node != NULL;
         node = list_pop_front(&l->signals)) {
        struct loop_signal_handle *h = list_entry(node, struct loop_signal_handle, node);

        uv_close((uv_handle_t *)&h->uv, signal_close_cb);
    }
}
