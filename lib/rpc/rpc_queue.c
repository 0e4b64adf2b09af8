/* Pieces and their pool; reassembly of messages. The rules are in the header. */
#include "rpc/rpc_queue.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/view.h"

struct rpc_pool {
    struct rpc_piece *free;
    unsigned n_free;
    unsigned n_used;
    bool abandoned; /* by its owner: goes with the last piece */
};

struct rpc_pool *rpc_pool_new(void)
{
    return kvs_calloc(1, sizeof(struct rpc_pool));
}

static void pool_free_if_unused(struct rpc_pool *p)
{
    if (!p->abandoned || p->n_used > 0) {
        return;
    }
    while (p->free != NULL) {
        struct rpc_piece *piece = p->free;

        p->free = piece->next;
        kvs_free(piece);
    }
    kvs_free(p);
}

void rpc_pool_unref(struct rpc_pool *p)
{
    if (p != NULL) {
        kvs_assert(!p->abandoned);
        p->abandoned = true;
        pool_free_if_unused(p);
    }
}

static struct rpc_piece *piece_new(struct rpc_pool *p, size_t head_len)
{
    struct rpc_piece *piece = NULL;
    bool pooled = head_len <= RPC_PIECE_HEAD;

    if (pooled && p->free != NULL) {
        piece = p->free;
        p->free = piece->next;
        p->n_free--;
    } else {
        piece = kvs_malloc(sizeof *piece + (pooled ? RPC_PIECE_HEAD : head_len));
    }
    if (piece == NULL) {
        return NULL;
    }
    *piece = (struct rpc_piece){.pool = p, .refs = 1, .pooled = pooled, .head_len = head_len};
    p->n_used++;
    return piece;
}

static void piece_unref(void *owner)
{
    struct rpc_piece *piece = owner;
    struct rpc_pool *p = piece->pool;

    if (--piece->refs > 0) {
        return;
    }
    rcbuf_unref(piece->shared);
    kvs_free(piece->owned);
    if (piece->pooled && p->n_free < RPC_PIECES_FREE_MAX && !p->abandoned) {
        piece->next = p->free;
        p->free = piece;
        p->n_free++;
    } else {
        kvs_free(piece);
    }
    p->n_used--;
    pool_free_if_unused(p);
}

static void out_count(struct rpc_out *out, size_t bytes)
{
    if (out->total != NULL) {
        *out->total = *out->total - out->bytes + bytes;
    }
    out->bytes = bytes;
}

struct rpc_piece *
rpc_out_push(struct rpc_out *out, struct rpc_pool *pool, size_t head_len, size_t payload_len)
{
    struct rpc_piece *piece = piece_new(pool, head_len);

    kvs_dassert(!out->finished);
    if (piece == NULL) {
        return NULL;
    }
    piece->payload_len = payload_len;
    if (out->last != NULL) {
        out->last->next = piece;
    } else {
        out->first = piece;
    }
    out->last = piece;
    out_count(out, out->bytes + head_len + payload_len);
    return piece;
}

static void out_pop(struct rpc_out *out)
{
    struct rpc_piece *piece = out->first;

    out->first = piece->next;
    if (out->first == NULL) {
        out->last = NULL;
    }
    out->at = 0;
    piece_unref(piece);
}

void rpc_out_clear(struct rpc_out *out)
{
    while (out->first != NULL) {
        out_pop(out);
    }
    out_count(out, 0);
}

static int out_write_payload(struct rpc_piece *piece, struct stream *s, size_t at, size_t len)
{
    int err;

    if (len <= RPC_COPY_MAX) {
        return stream_write(s, piece->payload + at, len);
    }
    err = stream_write_owned(s, piece->payload + at, len, piece_unref, piece);
    if (err == 0) {
        piece->refs++;
    }
    return err;
}

int rpc_out_write(struct rpc_out *out, struct stream *s, size_t len)
{
    kvs_assert(len <= out->bytes);
    out_count(out, out->bytes - len);
    while (len > 0) {
        struct rpc_piece *piece = out->first;
        bool in_head = out->at < piece->head_len;
        size_t left = (in_head ? piece->head_len : piece->head_len + piece->payload_len) - out->at;
        size_t n = len < left ? len : left;
        int err;

        if (in_head) {
            err = stream_write(s, piece->head + out->at, n);
        } else {
            err = out_write_payload(piece, s, out->at - piece->head_len, n);
        }
        if (err != 0) {
            return err;
        }
        out->at += n;
        len -= n;
        if (out->at == piece->head_len + piece->payload_len) {
            out_pop(out);
        }
    }
    return 0;
}

void rpc_out_prefix(uint8_t *to, uint32_t len)
{
    to[0] = 0;
    store_be32(to + 1, len);
}

int rpc_out_message(struct rpc_out *out,
                    struct rpc_pool *pool,
                    struct kvs_view head,
                    struct rcbuf *shared)
{
    size_t payload_len = shared != NULL ? shared->len : 0;
    struct rpc_piece *piece;

    if (head.len > UINT32_MAX || payload_len > UINT32_MAX - head.len) {
        return KVS_E_TOO_LONG;
    }
    piece = rpc_out_push(out, pool, RPC_FRAME_PREFIX + head.len, payload_len);
    if (piece == NULL) {
        return KVS_E_NOMEM;
    }
    rpc_out_prefix(piece->head, (uint32_t)(head.len + payload_len));
    if (head.len > 0) {
        memcpy(piece->head + RPC_FRAME_PREFIX, head.data, head.len);
    }
    if (shared != NULL) {
        piece->shared = rcbuf_ref(shared);
        piece->payload = shared->data;
    }
    return 0;
}

int rpc_out_copy(struct rpc_out *out, struct rpc_pool *pool, struct kvs_view data)
{
    struct rpc_piece *piece;

    if (data.len == 0) {
        return 0;
    }
    piece = rpc_out_push(out, pool, data.len, 0);
    if (piece == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(piece->head, data.data, data.len);
    return 0;
}

int rpc_out_shared(struct rpc_out *out, struct rpc_pool *pool, struct rcbuf *shared)
{
    struct rpc_piece *piece;

    if (shared->len == 0) {
        return 0;
    }
    piece = rpc_out_push(out, pool, 0, shared->len);
    if (piece == NULL) {
        return KVS_E_NOMEM;
    }
    piece->shared = rcbuf_ref(shared);
    piece->payload = shared->data;
    return 0;
}

int rpc_out_blob(struct rpc_out *out, struct rpc_pool *pool, struct kvs_blob blob, bool prefix)
{
    struct rpc_piece *piece = NULL;
    int err = KVS_E_TOO_LONG;

    if (blob.len <= UINT32_MAX) {
        piece = rpc_out_push(out, pool, prefix ? RPC_FRAME_PREFIX : 0, blob.len);
        err = piece != NULL ? 0 : KVS_E_NOMEM;
    }
    if (err != 0) {
        kvs_free(blob.data);
        return err;
    }
    if (prefix) {
        rpc_out_prefix(piece->head, (uint32_t)blob.len);
    }
    piece->owned = blob.data;
    piece->payload = blob.data;
    return 0;
}

/* ---- arriving ---- */

void rpc_in_init(struct rpc_in *in, size_t message_max, size_t *held, size_t held_max)
{
    *in = (struct rpc_in){.message_max = message_max, .held = held, .held_max = held_max};
    buf_init(&in->part);
}

static void in_count(struct rpc_in *in, size_t bytes)
{
    if (in->held != NULL) {
        *in->held = *in->held - in->counted + bytes;
        in->counted = bytes;
    }
}

void rpc_in_fini(struct rpc_in *in)
{
    in_count(in, 0);
    buf_fini(&in->part);
}

bool rpc_in_is_partial(const struct rpc_in *in)
{
    return !in->done && (in->prefix_len > 0 || in->part.len > 0);
}

enum rpc_in_result rpc_in_append(struct rpc_in *in, struct kvs_view data)
{
    if (in->held != NULL && (*in->held > in->held_max || data.len > in->held_max - *in->held)) {
        return RPC_IN_FULL;
    }
    buf_append_view(&in->part, data);
    if (in->part.failed) {
        return RPC_IN_NOMEM;
    }
    in_count(in, in->part.len);
    return RPC_IN_MORE;
}

static struct kvs_view in_take(struct kvs_view *data, size_t len)
{
    struct kvs_view taken = {data->data, len};

    *data = view_make((const uint8_t *)data->data + len, data->len - len);
    return taken;
}

/* Starts the next message: what the last one used is given back if it was much. */
static void in_next(struct rpc_in *in)
{
    in->done = false;
    in->prefix_len = 0;
    in_count(in, 0);
    if (in->part.capacity > 16384) {
        buf_fini(&in->part);
        buf_init(&in->part);
    } else {
        buf_clear(&in->part);
    }
}

static enum rpc_in_result in_check_prefix(struct rpc_in *in)
{
    in->message_len = load_be32(in->prefix + 1);
    if (in->prefix[0] > 1) {
        return RPC_IN_MALFORMED;
    }
    if (in->prefix[0] == 1) {
        return RPC_IN_COMPRESSED;
    }
    return in->message_len > in->message_max ? RPC_IN_TOO_LONG : RPC_IN_MORE;
}

enum rpc_in_result
rpc_in_feed(struct rpc_in *in, struct kvs_view *data, struct kvs_view *ret_message)
{
    enum rpc_in_result result;
    size_t missing;

    if (in->done) {
        in_next(in);
    }
    while (in->prefix_len < RPC_FRAME_PREFIX) {
        if (data->len == 0) {
            return RPC_IN_MORE;
        }
        in->prefix[in->prefix_len++] = *(const uint8_t *)in_take(data, 1).data;
        result = in->prefix_len == RPC_FRAME_PREFIX ? in_check_prefix(in) : RPC_IN_MORE;
        if (result != RPC_IN_MORE) {
            return result;
        }
    }
    missing = in->message_len - in->part.len;
    if (in->part.len == 0 && data->len >= missing) {
        *ret_message = in_take(data, missing);
        in->done = true;
        return RPC_IN_MESSAGE;
    }
    result = rpc_in_append(in, in_take(data, data->len < missing ? data->len : missing));
    if (result != RPC_IN_MORE || in->part.len < in->message_len) {
        return result;
    }
    *ret_message = buf_view(&in->part);
    in->done = true;
    return RPC_IN_MESSAGE;
}
