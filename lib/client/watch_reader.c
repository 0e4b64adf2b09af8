/* A watch as a queue that a thread reads from. The callback fills it on the client's thread and
 * pauses the stream when it is full; the reader resumes it at half. */
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/mbox.h"
#include "client/client_int.h"
#include "client/watch_int.h"

enum { READER_QUEUE_DEFAULT = 64 };

struct reader_item {
    struct list node;
    const struct kvs_watch_resp *resp;
    struct kvs_error error;
};

struct kvs_watch_reader {
    struct kvs_client *client;
    struct kvs_watch *watch;
    struct mbox *mbox;
    size_t queue_max;
    atomic_size_t n_queued;
    atomic_bool resume_posted;
    atomic_uint refs; /* the owner's, the watch's until its end, and a task's on its way */
    struct client_task resume_task;
    /* The client's thread: */
    bool started_told;
    bool paused;
    bool over;
    struct reader_item end; /* never short of memory */
    /* The reader's thread: */
    struct list items;
    bool ended;
};

static void reader_unref(struct kvs_watch_reader *r)
{
    if (atomic_fetch_sub(&r->refs, 1) == 1) {
        watch_unref(r->watch);
        kvs_resp_free(r->end.resp);
        mbox_free(r->mbox);
        kvs_free(r);
    }
}

static void reader_push(struct kvs_watch_reader *r, struct reader_item *item)
{
    size_t n_queued = atomic_fetch_add(&r->n_queued, 1) + 1;

    mbox_post(r->mbox, &item->node);
    if (n_queued >= r->queue_max && !r->paused && !r->over) {
        r->paused = true;
        watch_pause(r->watch);
    }
}

static void reader_end(struct kvs_watch_reader *r,
                       const struct kvs_error *error,
                       const struct kvs_watch_resp *resp)
{
    r->over = true;
    r->end.error = *error;
    if (resp != NULL) {
        kvs_resp_keep(resp);
        r->end.resp = resp;
    }
    reader_push(r, &r->end);
    reader_unref(r);
}

static void reader_cb(void *ctx,
                      struct kvs_watch *watch,
                      enum kvs_watch_what what,
                      const struct kvs_error *error,
                      const struct kvs_watch_resp *resp)
{
    struct kvs_watch_reader *r = ctx;
    struct reader_item *item;

    if (what == KVS_WATCH_ENDED) {
        reader_end(r, error, resp);
        return;
    }
    if (what == KVS_WATCH_PAUSED || (what == KVS_WATCH_STARTED && r->started_told)) {
        return;
    }
    item = kvs_calloc(1, sizeof *item);
    if (item == NULL) {
        kvs_watch_close(watch); /* a gap must not go unnoticed: KVS_E_CANCELED follows */
        return;
    }
    r->started_told = true;
    kvs_resp_keep(resp);
    item->resp = resp;
    reader_push(r, item);
}

static void reader_resume_task(struct client_task *task)
{
    struct kvs_watch_reader *r = container_of(task, struct kvs_watch_reader, resume_task);

    atomic_store(&r->resume_posted, false);
    if (r->paused && !r->over) {
        r->paused = false;
        watch_resume(r->watch);
    }
    reader_unref(r);
}

static void reader_post_resume(struct kvs_watch_reader *r)
{
    if (atomic_exchange(&r->resume_posted, true)) {
        return;
    }
    (void)atomic_fetch_add(&r->refs, 1);
    if (client_submit(r->client, &r->resume_task) != 0) {
        reader_unref(r); /* the client has stopped: there is nothing to resume */
    }
}

int kvs_watch_reader_open(struct kvs_client *client,
                          const struct kvs_watch_create_req *req,
                          size_t queue_max,
                          struct kvs_watch_reader **ret_reader)
{
    struct kvs_watch_reader *r = kvs_calloc(1, sizeof *r);
    int err = KVS_E_NOMEM;

    if (r == NULL) {
        return KVS_E_NOMEM;
    }
    r->client = client;
    r->queue_max = queue_max > 0 ? queue_max : READER_QUEUE_DEFAULT;
    r->resume_task.run = reader_resume_task;
    list_init(&r->items);
    atomic_init(&r->refs, 2);
    r->mbox = mbox_new(NULL, NULL);
    if (r->mbox != NULL) {
        err = watch_open(client, req, reader_cb, r, 1, &r->watch);
    }
    if (err != 0) {
        if (r->mbox != NULL) {
            mbox_free(r->mbox);
        }
        kvs_free(r);
        return err;
    }
    *ret_reader = r;
    return 0;
}

static struct reader_item *reader_take(struct kvs_watch_reader *r)
{
    struct reader_item *item = list_entry(list_pop_front(&r->items), struct reader_item, node);
    size_t left = atomic_fetch_sub(&r->n_queued, 1) - 1;

    if (left == r->queue_max / 2) {
        reader_post_resume(r);
    }
    return item;
}

int kvs_watch_reader_next(struct kvs_watch_reader *reader,
                          uint32_t timeout_ms,
                          const struct kvs_watch_resp **ret_resp,
                          struct kvs_error *ret_error)
{
    struct reader_item *item;

    if (reader->ended) {
        return client_error_set(ret_error, reader->end.error.code, reader->end.error.msg);
    }
    if (list_empty(&reader->items)) {
        bool any = timeout_ms == KVS_NO_TIMEOUT
                       ? mbox_wait(reader->mbox, &reader->items)
                       : mbox_wait_timeout(reader->mbox, &reader->items, timeout_ms);

        if (!any) {
            return client_error_set(ret_error, KVS_E_TIMEOUT, "no response yet");
        }
    }
    item = reader_take(reader);
    if (item == &reader->end) {
        reader->ended = true;
        return client_error_set(ret_error, item->error.code, item->error.msg);
    }
    *ret_resp = item->resp;
    kvs_free(item);
    return 0;
}

const struct kvs_watch_resp *kvs_watch_reader_last_words(const struct kvs_watch_reader *reader)
{
    return reader->ended ? reader->end.resp : NULL;
}

void kvs_watch_reader_progress(struct kvs_watch_reader *reader)
{
    if (!reader->ended) {
        kvs_watch_progress(reader->watch);
    }
}

void kvs_watch_reader_close(struct kvs_watch_reader *reader)
{
    const struct kvs_watch_resp *resp;

    if (reader == NULL) {
        return;
    }
    kvs_assert(!client_on_thread(reader->client));
    if (!reader->ended) {
        kvs_watch_close(reader->watch);
    }
    while (!reader->ended) {
        if (kvs_watch_reader_next(reader, KVS_NO_TIMEOUT, &resp, NULL) == 0) {
            kvs_resp_free(resp);
        }
    }
    reader_unref(reader);
}
