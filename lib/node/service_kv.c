/* etcdserverpb.KV. A write waits to be applied; a linearizable read waits for its read index.
 *
 * A Range answer of ordinary size is encoded at once. A larger one is sent piece by piece straight
 * from the store's cursor: one pass adds up the size, since gRPC wants it first, a second one over
 * the same view writes as much as the stream takes. Memory is the send window, not the result. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "node/service.h"
#include "node/service_unary.h"
#include "rpc/etcd_pb.h"

/* Up to here an answer is made in one piece. */
#define KV_RANGE_WHOLE_BYTES (256 * 1024)

/* --- Range: streamed ------------------------------------------------------------------------- */

struct range_stream {
    struct list link; /* in service->ranges, once it is sent in pieces */
    struct service *service;
    uint64_t progress_ms;
    struct rpc_call *rpc;
    struct node *node;
    struct mvcc_read read;
    struct mvcc_iter *it;
    struct kvs_range_req req; /* its bytes live in the call */
    struct kvs_header header;
    int64_t count; /* in the range */
    int64_t n_kvs; /* that are sent */
    int64_t n_sent;
    uint64_t bytes;
    bool head_sent;
    struct buf piece;
};

static void range_stream_free(struct range_stream *s)
{
    list_remove(&s->link);
    mvcc_iter_close(s->it);
    mvcc_read_end(&s->read);
    buf_fini(&s->piece);
    kvs_free(s);
}

static void range_stream_view(const struct range_stream *s, struct kvs_kv *kv)
{
    if (s->req.keys_only) {
        kv->value = (struct kvs_view){0};
    }
}

/* Pass one: how many, how large. */
static int range_stream_measure(struct range_stream *s)
{
    struct kvs_kv kv;
    int err;

    while ((err = mvcc_iter_next(s->it, &kv)) == 0) {
        if (s->req.limit <= 0 || s->n_kvs < s->req.limit) {
            range_stream_view(s, &kv);
            s->bytes += etcd_pb_range_kv_size(&kv);
            s->n_kvs++;
        }
        s->count++;
    }
    if (err != KVS_E_NOT_FOUND) {
        return err;
    }
    s->bytes += etcd_pb_range_head_size(&s->header);
    s->bytes += etcd_pb_range_tail_size(s->n_kvs < s->count, s->count);
    return 0;
}

static int range_stream_rewind(struct range_stream *s)
{
    mvcc_iter_close(s->it);
    s->it = NULL;
    return mvcc_iter_open(&s->read, s->req.key, s->req.range_end, s->req.revision, &s->it);
}

static int range_stream_head(struct range_stream *s)
{
    size_t size = etcd_pb_range_head_size(&s->header);
    uint8_t *at = buf_reserve(&s->piece, size);

    if (at == NULL) {
        return KVS_E_NOMEM;
    }
    (void)etcd_pb_range_head_put(at, &s->header);
    s->piece.len += size;
    s->head_sent = true;
    return 0;
}

static int range_stream_tail(struct range_stream *s)
{
    bool more = s->n_kvs < s->count;
    size_t size = etcd_pb_range_tail_size(more, s->count);
    uint8_t *at = buf_reserve(&s->piece, size);

    if (at == NULL) {
        return KVS_E_NOMEM;
    }
    (void)etcd_pb_range_tail_put(at, more, s->count);
    s->piece.len += size;
    return 0;
}

static int range_stream_kv(struct range_stream *s)
{
    struct kvs_kv kv;
    size_t size;
    uint8_t *at;
    int err = mvcc_iter_next(s->it, &kv);

    if (err != 0) {
        return err == KVS_E_NOT_FOUND ? KVS_E_INTERNAL : err; /* the view has not changed */
    }
    range_stream_view(s, &kv);
    size = etcd_pb_range_kv_size(&kv);
    at = buf_reserve(&s->piece, size);
    if (at == NULL) {
        return KVS_E_NOMEM;
    }
    (void)etcd_pb_range_kv_put(at, &kv);
    s->piece.len += size;
    s->n_sent++;
    return 0;
}

/* Pass two: fills one piece. */
static int range_stream_fill(struct range_stream *s)
{
    int err = s->head_sent ? 0 : range_stream_head(s);

    while (err == 0 && s->n_sent < s->n_kvs && s->piece.len < RPC_QUEUE_HIGH) {
        err = range_stream_kv(s);
    }
    if (err == 0 && s->n_sent == s->n_kvs) {
        err = range_stream_tail(s);
    }
    return err;
}

static void range_stream_on_writable(struct rpc_call *rpc)
{
    struct range_stream *s = rpc_call_user(rpc);
    int err = 0;

    s->progress_ms = loop_now_ms(s->service->loop);
    while (err == 0 && rpc_reply_queued(rpc) <= RPC_QUEUE_HIGH) {
        bool last;

        if (rpc_call_is_canceled(rpc)) {
            err = KVS_E_CANCELED;
            break;
        }
        buf_clear(&s->piece);
        err = range_stream_fill(s);
        last = err == 0 && s->n_sent == s->n_kvs;
        if (last) {
            struct buf piece = s->piece;

            /* Writing the last byte ends the call: what hangs on it goes first. */
            buf_init(&s->piece);
            range_stream_free(s);
            if (rpc_reply_write(rpc, buf_view(&piece)) != 0) {
                rpc_fail_err(rpc, KVS_E_NOMEM);
            }
            buf_fini(&piece);
            return;
        }
        if (err == 0) {
            err = rpc_reply_write(rpc, buf_view(&s->piece));
        }
    }
    if (err != 0) {
        range_stream_free(s);
        rpc_fail_err(rpc, err);
    }
}

void service_end_ranges(struct service *service, uint64_t before_ms)
{
    LIST_FOREACH_SAFE(it, after, &service->ranges)
    {
        struct range_stream *s = list_entry(it, struct range_stream, link);
        struct rpc_call *rpc = s->rpc;

        if (s->progress_ms < before_ms) {
            range_stream_free(s);
            rpc_fail_err(rpc, KVS_E_TIMEOUT); /* calls nothing of ours */
        }
    }
}

/* Sorting and filtering need the result as a whole. */
static bool range_can_stream(const struct kvs_range_req *req)
{
    return req->sort_order != KVS_SORT_DESCEND && req->sort_target == KVS_SORT_KEY &&
           req->min_mod_revision == 0 && req->max_mod_revision == 0 &&
           req->min_create_revision == 0 && req->max_create_revision == 0 && !req->count_only;
}

static int range_stream_whole(struct range_stream *s, struct buf *ret)
{
    int err = 0;

    if (buf_reserve(&s->piece, (size_t)s->bytes) == NULL) {
        return KVS_E_NOMEM;
    }
    err = range_stream_head(s);
    while (err == 0 && s->n_sent < s->n_kvs) {
        err = range_stream_kv(s);
    }
    if (err == 0) {
        err = range_stream_tail(s);
    }
    if (err == 0) {
        kvs_assert(s->piece.len == s->bytes);
        *ret = s->piece;
        buf_init(&s->piece);
    }
    return err;
}

static int range_stream_open(struct service_call *c,
                             const struct kvs_range_req *req,
                             struct range_stream **ret_stream)
{
    struct range_stream *s = kvs_calloc(1, sizeof *s);
    int err;

    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    list_init(&s->link);
    s->service = c->service;
    s->rpc = c->rpc;
    s->node = c->service->node;
    s->req = *req;
    s->header = node_header(s->node);
    buf_init(&s->piece);
    mvcc_read_begin(node_mvcc(s->node), &s->read);
    err = range_stream_rewind(s);
    if (err == 0) {
        err = range_stream_measure(s);
    }
    if (err == 0) {
        err = range_stream_rewind(s);
    }
    if (err != 0) {
        range_stream_free(s);
        return err;
    }
    *ret_stream = s;
    return 0;
}

static void range_answer_stream(struct service_call *c, const struct kvs_range_req *req)
{
    struct range_stream *s;
    struct rpc_call *rpc = c->rpc;
    struct buf whole;
    int err = range_stream_open(c, req, &s);

    if (err != 0) {
        service_fail(c, err);
        return;
    }
    if (s->bytes > KV_RANGE_WHOLE_BYTES) {
        s->progress_ms = loop_now_ms(s->service->loop);
        list_push_back(&s->service->ranges, &s->link);
        rpc_call_set_user(rpc, s);
        rpc_reply_begin(rpc, s->bytes, range_stream_on_writable);
        return;
    }
    err = range_stream_whole(s, &whole);
    range_stream_free(s);
    if (err != 0) {
        service_fail(c, err);
    } else {
        service_reply_buf(c, &whole);
    }
}

/* --- Range: at once -------------------------------------------------------------------------- */

static void range_answer_whole(struct service_call *c, const struct kvs_range_req *req)
{
    struct kvs_range_resp resp;
    struct mvcc_read read;
    struct buf b;
    int err;

    mvcc_read_begin(node_mvcc(c->service->node), &read);
    err = mvcc_range(&read, req, rpc_call_arena(c->rpc), &resp);
    buf_init(&b);
    if (err == 0) {
        service_fill_header(c, &resp.header);
        etcd_pb_encode_range_resp(&b, &resp);
    }
    mvcc_read_end(&read); /* the answer is encoded: nothing points into the store any more */
    if (err != 0) {
        service_fail(c, err);
    } else {
        service_reply_buf(c, &b);
    }
}

/* One key by name: the hot path. */
static void range_answer_key(struct service_call *c, const struct kvs_range_req *req)
{
    struct kvs_header header = node_header(c->service->node);
    struct mvcc_read read;
    struct kvs_kv kv;
    struct buf b;
    int64_t n;
    int err;

    mvcc_read_begin(node_mvcc(c->service->node), &read);
    err = mvcc_get(&read, req->key, req->revision, &kv);
    buf_init(&b);
    if (err == 0 || err == KVS_E_NOT_FOUND) {
        size_t head = etcd_pb_range_head_size(&header);
        size_t body;
        uint8_t *at;

        n = err == 0 ? 1 : 0;
        if (req->keys_only) {
            kv.value = (struct kvs_view){0};
        }
        body = n > 0 ? etcd_pb_range_kv_size(&kv) : 0;
        at = buf_reserve(&b, head + body + etcd_pb_range_tail_size(false, n));
        if (at != NULL) {
            uint8_t *begin = at;

            at = etcd_pb_range_head_put(at, &header);
            at = n > 0 ? etcd_pb_range_kv_put(at, &kv) : at;
            at = etcd_pb_range_tail_put(at, false, n);
            b.len = (size_t)(at - begin);
        }
        err = 0;
    }
    mvcc_read_end(&read);
    if (err != 0) {
        service_fail(c, err);
        return;
    }
    service_reply_buf(c, &b);
}

static void range_answer(struct service_call *c, const struct kvs_range_req *req)
{
    node_stats(c->service->node)->ranges++;
    if (!range_can_stream(req)) {
        range_answer_whole(c, req);
    } else if (req->range_end.len == 0) {
        range_answer_key(c, req);
    } else {
        range_answer_stream(c, req);
    }
}

static void range_read_cb(struct node_read *r)
{
    struct service_call *c = container_of(r, struct service_call, u.read);

    if (r->status != 0) {
        service_fail(c, r->status);
    } else if (rpc_call_is_canceled(c->rpc)) {
        service_fail(c, KVS_E_CANCELED); /* nobody is there to read it */
    } else {
        range_answer(c, c->request);
    }
}

static void range_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_range_req *req;
    int err;

    if (c == NULL) {
        return;
    }
    req = arena_alloc(rpc_call_arena(rpc), sizeof *req);
    if (req == NULL) {
        service_fail(c, KVS_E_NOMEM);
        return;
    }
    if (!SERVICE_DECODE(c, range_req, req)) {
        return;
    }
    err = mvcc_range_check(req);
    if (err == 0) {
        err = node_read_check(c->service->node, req->serializable);
    }
    if (err == 0 && req->serializable) {
        range_answer(c, req);
        return;
    }
    if (err == 0) {
        c->request = req;
        c->u.read.cb = range_read_cb;
        err = node_read(c->service->node, &c->u.read);
    }
    if (err != 0) {
        service_fail(c, err);
    }
}

/* --- Put, DeleteRange, Compact --------------------------------------------------------------- */

static void put_done(struct node_write *w)
{
    struct service_call *c = container_of(w, struct service_call, u.write);

    if (service_write_ok(c)) {
        service_fill_header(c, &w->result.u.put.header);
        SERVICE_REPLY(c, put_resp, &w->result.u.put);
    }
}

static void put_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_put_req req;

    if (c != NULL && SERVICE_DECODE(c, put_req, &req)) {
        c->u.write.arena = rpc_call_arena(rpc);
        service_write_submit(c, put_done, node_put(c->service->node, &req, &c->u.write));
    }
}

static void delete_done(struct node_write *w)
{
    struct service_call *c = container_of(w, struct service_call, u.write);

    if (service_write_ok(c)) {
        service_fill_header(c, &w->result.u.del.header);
        SERVICE_REPLY(c, delete_resp, &w->result.u.del);
    }
}

static void delete_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_delete_req req;

    if (c != NULL && SERVICE_DECODE(c, delete_req, &req)) {
        c->u.write.arena = rpc_call_arena(rpc);
        service_write_submit(c, delete_done, node_delete(c->service->node, &req, &c->u.write));
    }
}

static void compact_done(struct node_write *w)
{
    struct service_call *c = container_of(w, struct service_call, u.write);

    if (service_write_ok(c)) {
        service_fill_header(c, &w->result.u.compact.header);
        SERVICE_REPLY(c, compact_resp, &w->result.u.compact);
    }
}

static void compact_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_compact_req req;

    if (c != NULL && SERVICE_DECODE(c, compact_req, &req)) {
        c->u.write.arena = rpc_call_arena(rpc);
        service_write_submit(c, compact_done, node_compact(c->service->node, &req, &c->u.write));
    }
}

/* --- Txn ------------------------------------------------------------------------------------- */

static void txn_done(struct node_write *w)
{
    struct service_call *c = container_of(w, struct service_call, u.write);

    if (service_write_ok(c)) {
        service_fill_header(c, &w->result.u.txn.header);
        SERVICE_REPLY(c, txn_resp, &w->result.u.txn);
    }
}

static void txn_answer_read(struct service_call *c, const struct kvs_txn_req *req)
{
    struct kvs_txn_resp resp;
    struct mvcc_read read;
    struct buf b;
    int err;

    mvcc_read_begin(node_mvcc(c->service->node), &read);
    err = mvcc_read_txn(&read, req, rpc_call_arena(c->rpc), &resp);
    buf_init(&b);
    if (err == 0) {
        service_fill_header(c, &resp.header);
        etcd_pb_encode_txn_resp(&b, &resp);
    }
    mvcc_read_end(&read);
    if (err != 0) {
        service_fail(c, err);
    } else {
        service_reply_buf(c, &b);
    }
}

static void txn_read_cb(struct node_read *r)
{
    struct service_call *c = container_of(r, struct service_call, u.read);

    if (r->status != 0) {
        service_fail(c, r->status);
    } else if (rpc_call_is_canceled(c->rpc)) {
        service_fail(c, KVS_E_CANCELED);
    } else {
        txn_answer_read(c, c->request);
    }
}

/* A transaction that cannot write is no proposal: it is answered like a range. */
static void txn_read(struct service_call *c, struct kvs_txn_req *req)
{
    struct node *node = c->service->node;
    bool serializable = mvcc_txn_is_serializable(req);
    int err = mvcc_txn_check(req, node_config(node)->max_txn_ops);

    if (err == 0) {
        err = node_read_check(node, serializable);
    }
    if (err == 0 && serializable) {
        txn_answer_read(c, req);
        return;
    }
    if (err == 0) {
        c->request = req;
        c->u.read.cb = txn_read_cb;
        err = node_read(node, &c->u.read);
    }
    if (err != 0) {
        service_fail(c, err);
    }
}

static void txn_handle(void *ctx, struct rpc_call *rpc)
{
    struct service_call *c = service_call_new(ctx, rpc);
    struct kvs_txn_req *req;

    if (c == NULL) {
        return;
    }
    req = arena_alloc(rpc_call_arena(rpc), sizeof *req);
    if (req == NULL) {
        service_fail(c, KVS_E_NOMEM);
        return;
    }
    if (!SERVICE_DECODE(c, txn_req, req)) {
        return;
    }
    if (mvcc_txn_is_readonly(req)) {
        txn_read(c, req);
        return;
    }
    c->u.write.arena = rpc_call_arena(rpc);
    service_write_submit(c, txn_done, node_txn(c->service->node, req, &c->u.write));
}

int service_kv_register(struct service *s)
{
    static const struct {
        const char *path;
        rpc_handler handler;
    } methods[] = {
        {"/etcdserverpb.KV/Range", range_handle},        {"/etcdserverpb.KV/Put", put_handle},
        {"/etcdserverpb.KV/DeleteRange", delete_handle}, {"/etcdserverpb.KV/Txn", txn_handle},
        {"/etcdserverpb.KV/Compact", compact_handle},
    };

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        int err = rpc_method(s->rpc, methods[i].path, RPC_UNARY, methods[i].handler, s);

        if (err != 0) {
            return err;
        }
    }
    return 0;
}
