/* A snapshot of the node of this process: the node makes a copy of its file, the client's thread
 * reads it, one blob a turn, so that other callbacks get their turn and a slow receiver holds back
 * nobody but itself. The last blob is the SHA-256 of the rest. */
#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "client/embedded_int.h"
#include "kvstore/node.h"
#include "node/digest.h"

#define SNAPSHOT_BLOB_BYTES (64 * 1024)

struct node_snapshot {
    struct client_stream *stream;
    struct embedded_msg msg;
    struct loop_task pump;
    struct node_copy copy; /* the node's while `msg` is away */
    struct kvs_header header;
    struct digest *digest;
    int fd; /* -1: not there yet */
    uint64_t size_bytes;
    uint64_t at;
    int end_code; /* not 0: ended as soon as possible */
    bool paused;
    bool done; /* the sum has been delivered */
};

/* ---- the node's thread ---- */

static void snapshot_copied_cb(struct node_copy *copy)
{
    struct node_snapshot *ns = container_of(copy, struct node_snapshot, copy);

    embedded_return(&ns->msg, copy->status);
}

static void snapshot_there(struct embedded_msg *m, struct node *n)
{
    struct node_snapshot *ns = container_of(m, struct node_snapshot, msg);
    int err;

    ns->header = node_header(n);
    ns->copy = (struct node_copy){.cb = snapshot_copied_cb};
    err = node_copy_store(n, 0, &ns->copy);
    if (err != 0) {
        embedded_return(m, err);
    }
}

/* ---- the client's thread ---- */

static void snapshot_end(struct node_snapshot *ns, int code)
{
    struct client_stream *s = ns->stream;

    loop_task_cancel(&ns->pump);
    if (ns->fd >= 0) {
        (void)close(ns->fd); /* only read from */
    }
    digest_free(ns->digest);
    kvs_free(ns);
    s->backend = NULL;
    client_stream_ended(s, code, NULL);
}

static void snapshot_pump_later(struct node_snapshot *ns)
{
    loop_task_post(ns->stream->client->loop, &ns->pump);
}

static struct kvs_snapshot_resp *
snapshot_resp_new(const struct node_snapshot *ns, size_t size, uint8_t **ret_blob)
{
    struct kvs_snapshot_resp *resp = client_resp_new(sizeof *resp);

    if (resp == NULL) {
        return NULL;
    }
    *ret_blob = arena_alloc(client_resp_arena(resp), size);
    if (*ret_blob == NULL) {
        kvs_resp_free(resp);
        return NULL;
    }
    resp->header = ns->header;
    resp->version = view_str(kvs_version());
    resp->blob = view_make(*ret_blob, size);
    return resp;
}

static int snapshot_deliver_sum(struct node_snapshot *ns)
{
    uint8_t *sum;
    struct kvs_snapshot_resp *resp = snapshot_resp_new(ns, DIGEST_SHA256_BYTES, &sum);

    if (resp == NULL) {
        return KVS_E_NOMEM;
    }
    digest_final(ns->digest, sum);
    ns->done = true;
    ns->stream->on_message(ns->stream, resp);
    return 0;
}

static int snapshot_deliver_blob(struct node_snapshot *ns)
{
    uint64_t left = ns->size_bytes - ns->at;
    size_t want = left < SNAPSHOT_BLOB_BYTES ? (size_t)left : SNAPSHOT_BLOB_BYTES;
    uint8_t *blob;
    struct kvs_snapshot_resp *resp = snapshot_resp_new(ns, want, &blob);
    ssize_t n;

    if (resp == NULL) {
        return KVS_E_NOMEM;
    }
    do {
        n = pread(ns->fd, blob, want, (off_t)ns->at);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        kvs_resp_free(resp);
        return KVS_E_IO;
    }
    ns->at += (uint64_t)n;
    digest_update(ns->digest, blob, (size_t)n);
    resp->blob.len = (size_t)n;
    resp->remaining_bytes = ns->size_bytes - ns->at;
    ns->stream->on_message(ns->stream, resp);
    return 0;
}

static void snapshot_pump_task(struct loop_task *t)
{
    struct node_snapshot *ns = container_of(t, struct node_snapshot, pump);
    int err = ns->end_code;

    if (err == 0 && !ns->done && !ns->paused) {
        err = ns->at < ns->size_bytes ? snapshot_deliver_blob(ns) : snapshot_deliver_sum(ns);
        err = err != 0 ? err : ns->end_code; /* cancelled from within */
    }
    if (err != 0 || ns->done) {
        snapshot_end(ns, err);
    } else if (!ns->paused) {
        snapshot_pump_later(ns);
    }
}

static void snapshot_back(struct embedded_msg *m)
{
    struct node_snapshot *ns = container_of(m, struct node_snapshot, msg);

    if (m->status == 0) {
        ns->fd = ns->copy.snapshot.fd;
        ns->size_bytes = ns->copy.snapshot.size_bytes;
    } else if (ns->end_code == 0) {
        ns->end_code = m->status;
    }
    snapshot_pump_later(ns);
}

int embedded_snapshot_open(struct embedded *e, struct client_stream *s)
{
    struct node_snapshot *ns = kvs_calloc(1, sizeof *ns);

    if (ns == NULL) {
        return KVS_E_NOMEM;
    }
    ns->digest = digest_sha256_new();
    if (ns->digest == NULL) {
        kvs_free(ns);
        return KVS_E_NOMEM;
    }
    ns->stream = s;
    ns->fd = -1;
    ns->msg = (struct embedded_msg){.there = snapshot_there, .back = snapshot_back};
    loop_task_init(&ns->pump, snapshot_pump_task);
    s->backend = ns;
    embedded_send(e, &ns->msg);
    return 0;
}

void embedded_snapshot_pause(struct client_stream *s)
{
    struct node_snapshot *ns = s->backend;

    if (ns != NULL) {
        ns->paused = true;
    }
}

void embedded_snapshot_resume(struct client_stream *s)
{
    struct node_snapshot *ns = s->backend;

    if (ns != NULL && ns->paused) {
        ns->paused = false;
        if (!ns->msg.away) {
            snapshot_pump_later(ns);
        }
    }
}

/* A copy that is being made is awaited. */
void embedded_snapshot_cancel(struct client_stream *s)
{
    struct node_snapshot *ns = s->backend;

    if (ns != NULL && ns->end_code == 0) {
        ns->end_code = KVS_E_CANCELED;
        if (!ns->msg.away) {
            snapshot_pump_later(ns);
        }
    }
}
