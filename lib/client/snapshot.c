/* The snapshot stream, chunk by chunk. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/mbox.h"
#include "client/client_int.h"

struct snapshot {
    struct kvs_client *client;
    struct client_task start_task;
    struct client_stream stream;
    char *endpoint;
    kvs_snapshot_chunk_fn chunk;
    kvs_done_cb cb;
    void *ctx;
    int refused;    /* what `chunk` answered */
    bool last_seen; /* remaining_bytes came down to 0 */
};

static void snapshot_end(struct snapshot *s, int code, const char *text)
{
    struct kvs_error error;

    if (code == 0 && !s->last_seen) {
        code = KVS_E_UNAVAILABLE;
        text = "the snapshot ended before its last chunk";
    }
    (void)client_error_set(&error, code, text);
    s->cb(s->ctx, &error);
    kvs_free(s->endpoint);
    kvs_free(s);
}

static void snapshot_message_cb(struct client_stream *stream, void *message)
{
    struct snapshot *s = container_of(stream, struct snapshot, stream);
    const struct kvs_snapshot_resp *resp = message;

    if (s->refused == 0) {
        s->refused = s->chunk(s->ctx, resp->blob, resp->remaining_bytes);
        s->last_seen = resp->remaining_bytes == 0;
        if (s->refused != 0) {
            client_stream_cancel(stream);
        }
    }
    kvs_resp_free(message);
}

static void snapshot_end_cb(struct client_stream *stream, int code, const char *text)
{
    struct snapshot *s = container_of(stream, struct snapshot, stream);

    if (s->refused != 0) {
        snapshot_end(s, s->refused, NULL);
    } else {
        snapshot_end(s, code, text);
    }
}

static void snapshot_start_task(struct client_task *task)
{
    static const struct kvs_snapshot_req req;
    struct snapshot *s = container_of(task, struct snapshot, start_task);
    int err = KVS_E_CANCELED;

    s->stream.method = client_method(CLIENT_SNAPSHOT);
    s->stream.endpoint = s->endpoint;
    s->stream.on_message = snapshot_message_cb;
    s->stream.on_end = snapshot_end_cb;
    if (!s->client->closing) {
        err = client_stream_open(s->client, &s->stream, &req);
    }
    if (err != 0) {
        snapshot_end(s, err, NULL);
    }
}

int kvs_snapshot(struct kvs_client *client,
                 const struct kvs_call_options *options,
                 kvs_snapshot_chunk_fn chunk,
                 kvs_done_cb cb,
                 void *ctx)
{
    struct snapshot *s = kvs_calloc(1, sizeof *s);
    int err = 0;

    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    s->client = client;
    s->chunk = chunk;
    s->cb = cb;
    s->ctx = ctx;
    s->start_task.run = snapshot_start_task;
    if (options != NULL && options->endpoint != NULL) {
        s->endpoint = kvs_strdup(options->endpoint);
        err = s->endpoint == NULL ? KVS_E_NOMEM : 0;
    }
    if (err == 0) {
        err = client_submit(client, &s->start_task);
    }
    if (err != 0) {
        kvs_free(s->endpoint);
        kvs_free(s);
    }
    return err;
}

struct snapshot_wait {
    struct list node;
    struct mbox *mbox;
    kvs_snapshot_chunk_fn chunk;
    void *ctx;
    struct kvs_error error;
};

static int wait_chunk(void *ctx, struct kvs_view blob, uint64_t remaining_bytes)
{
    struct snapshot_wait *w = ctx;

    return w->chunk(w->ctx, blob, remaining_bytes);
}

static void wait_done(void *ctx, const struct kvs_error *error)
{
    struct snapshot_wait *w = ctx;

    w->error = *error;
    mbox_post(w->mbox, &w->node);
}

int kvs_snapshot_sync(struct kvs_client *client,
                      const struct kvs_call_options *options,
                      kvs_snapshot_chunk_fn chunk,
                      void *ctx,
                      struct kvs_error *ret_error)
{
    struct snapshot_wait w = {.chunk = chunk, .ctx = ctx};
    struct list messages;
    int err;

    if (client_on_thread(client)) {
        return client_error_set(ret_error, KVS_E_INVALID, "blocking call on the client's thread");
    }
    w.mbox = mbox_new(NULL, NULL);
    if (w.mbox == NULL) {
        return client_error_set(ret_error, KVS_E_NOMEM, NULL);
    }
    err = kvs_snapshot(client, options, wait_chunk, wait_done, &w);
    if (err == 0) {
        list_init(&messages);
        kvs_assert(mbox_wait(w.mbox, &messages));
        err = w.error.code;
    }
    mbox_free(w.mbox);
    return client_error_set(ret_error, err, err == w.error.code ? w.error.msg : NULL);
}
