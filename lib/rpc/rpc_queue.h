/* Messages on their way through a stream: pieces to send, and the reassembly of what arrives. */
#ifndef RPC_RPC_QUEUE_H
#define RPC_RPC_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/rcbuf.h"
#include "kvstore/types.h"
#include "loop/stream.h"

enum {
    RPC_FRAME_PREFIX = 5, /* compressed flag, 32-bit big-endian length */
    RPC_PIECE_HEAD = 208, /* bytes inside a pooled piece */
    RPC_PIECES_FREE_MAX = 4096,
    RPC_COPY_MAX = 4096, /* payload up to here is copied into the stream, above referenced */
};

/* Pieces for reuse. Counted, because a closing stream may hold pieces longer than their server. */
struct rpc_pool;

/* NULL if out of memory. */
KVS_MUST_USE struct rpc_pool *rpc_pool_new(void);
void rpc_pool_unref(struct rpc_pool *p); /* NULL is allowed */

/* One queued unit: head bytes (copied) and then payload bytes (owned, shared, or none). */
struct rpc_piece {
    struct rpc_piece *next;
    struct rpc_pool *pool;
    unsigned refs; /* the queue's, and one per slice that a stream still holds */
    bool pooled;
    struct rcbuf *shared;
    void *owned;
    const uint8_t *payload;
    size_t payload_len;
    size_t head_len;
    uint8_t head[];
};

struct rpc_out {
    struct rpc_piece *first;
    struct rpc_piece *last;
    size_t at;     /* bytes of `first` already sent */
    size_t bytes;  /* not yet sent */
    bool finished; /* nothing more will come */
    size_t *total; /* sum of `bytes` over all queues of a connection; NULL: not counted */
};

/* Room for `head_len` bytes in a new last piece; the caller fills piece->head. NULL if out of
 * memory. */
KVS_MUST_USE struct rpc_piece *
rpc_out_push(struct rpc_out *out, struct rpc_pool *pool, size_t head_len, size_t payload_len);
void rpc_out_clear(struct rpc_out *out);

/* Moves exactly `len` (<= bytes) of the queue to the stream. KVS_E_NOMEM, KVS_E_CLOSED: the stream
 * is to be closed, bytes may be missing. */
KVS_MUST_USE int rpc_out_write(struct rpc_out *out, struct stream *s, size_t len);

/* Queues one gRPC message: prefix, `head` (copied), `shared` (a reference of its own; NULL).
 * KVS_E_NOMEM, KVS_E_TOO_LONG (4 GiB). */
KVS_MUST_USE int rpc_out_message(struct rpc_out *out,
                                 struct rpc_pool *pool,
                                 struct kvs_view head,
                                 struct rcbuf *shared);

/* The prefix of a message of `len` bytes. */
void rpc_out_prefix(uint8_t *to, uint32_t len);

/* Queues raw bytes without a prefix. */
KVS_MUST_USE int rpc_out_copy(struct rpc_out *out, struct rpc_pool *pool, struct kvs_view data);
KVS_MUST_USE int rpc_out_shared(struct rpc_out *out, struct rpc_pool *pool, struct rcbuf *shared);

/* Moves `blob`, on failure, too. With `prefix`: as one gRPC message. */
KVS_MUST_USE int
rpc_out_blob(struct rpc_out *out, struct rpc_pool *pool, struct kvs_blob blob, bool prefix);

/* ---- arriving ---- */

struct rpc_in {
    struct buf part; /* of a message that did not come in one piece */
    uint8_t prefix[RPC_FRAME_PREFIX];
    uint8_t prefix_len;
    bool done;            /* `part` belongs to the message returned last */
    uint32_t message_len; /* valid when the prefix is complete */
    size_t message_max;
    size_t *held; /* sum over all of a server's parts; NULL: not counted */
    size_t held_max;
    size_t counted; /* our share of *held */
};

void rpc_in_init(struct rpc_in *in, size_t message_max, size_t *held, size_t held_max);
void rpc_in_fini(struct rpc_in *in);

enum rpc_in_result {
    RPC_IN_MORE,     /* everything used; the message is not complete */
    RPC_IN_MESSAGE,  /* *ret_message is one; bytes after it were not used */
    RPC_IN_TOO_LONG, /* message_len > message_max */
    RPC_IN_COMPRESSED,
    RPC_IN_MALFORMED, /* prefix[0] is neither 0 nor 1 */
    RPC_IN_FULL,      /* over held_max */
    RPC_IN_NOMEM,
};

/* Takes bytes from the front of `*data`. A message is a view of `data` if it lies in it whole,
 * else of `part`, and dies with the next call. */
KVS_MUST_USE enum rpc_in_result
rpc_in_feed(struct rpc_in *in, struct kvs_view *data, struct kvs_view *ret_message);

/* Appends raw bytes (an HTTP body) to `part`, counted as above. RPC_IN_MORE if it went well. */
KVS_MUST_USE enum rpc_in_result rpc_in_append(struct rpc_in *in, struct kvs_view data);

/* True between the first and the last byte of a message. */
bool rpc_in_is_partial(const struct rpc_in *in);

#endif
