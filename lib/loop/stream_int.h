/* The inside of a stream, shared by stream*.c and listener.c. */
#ifndef LOOP_STREAM_INT_H
#define LOOP_STREAM_INT_H

#include <netinet/in.h>

#include "base/buf.h"
#include "loop/loop_int.h"

typedef struct ssl_st SSL;
typedef struct bio_st BIO;

enum {
    CHUNK_BYTES = 16 * 1024 - 32,
    FREE_CHUNKS_MAX = 128,
    FLUSH_BUFS_MAX = 64,
    CONNECT_ADDRS_MAX = 8,
    TLS_HANDSHAKE_TIMEOUT_MS = 10000,
    CLOSE_FLUSH_TIMEOUT_MS = 5000,
};

/* Where small writes are copied to; shared by the segments that lie in it. */
struct chunk {
    struct chunk *next; /* in the free list */
    struct loop *loop;
    unsigned refs;
    uint32_t len;
    uint8_t data[CHUNK_BYTES];
};

struct segment {
    const uint8_t *data;
    size_t len;
    stream_release_fn release;
    void *owner;
};

/* Bytes on their way out: a ring of segments. */
struct stream_queue {
    struct segment *ring;
    unsigned capacity; /* power of two or 0 */
    unsigned head;
    unsigned count;
    size_t bytes;
    struct chunk *tail; /* the chunk that takes the next copied bytes; NULL */
};

void stream_queue_fini(struct stream_queue *q);
KVS_MUST_USE int
stream_queue_copy(struct stream_queue *q, struct loop *l, const uint8_t *data, size_t len);
KVS_MUST_USE int stream_queue_owned(struct stream_queue *q,
                                    const uint8_t *data,
                                    size_t len,
                                    stream_release_fn release,
                                    void *owner);

/* Describes the first bytes in at most `max` pieces; returns how many. */
unsigned stream_queue_peek(const struct stream_queue *q, uv_buf_t *bufs, unsigned max);

/* Copies up to `max` first bytes to `to` and removes them. */
size_t stream_queue_take(struct stream_queue *q, uint8_t *to, size_t max);

/* Removes the first `len` bytes and releases owners. */
void stream_queue_consume(struct stream_queue *q, size_t len);

/* A stream's life. READY is the only state with data in both directions.
 *
 *   RESOLVING -> CONNECTING -> HANDSHAKE -> READY -> ENDING -> CLOSING (uv_close called) -> freed
 *        accepted: ------------^ (TLS) ------^ (clear)
 */
enum stream_state {
    STREAM_RESOLVING,
    STREAM_CONNECTING,
    STREAM_HANDSHAKE,
    STREAM_READY,
    STREAM_ENDING, /* close_flush: what is queued still leaves */
    STREAM_CLOSING,
};

struct stream_connect; /* what is needed only until connected */

struct stream {
    uv_tcp_t tcp;
    struct loop *loop;
    const struct stream_ops *ops; /* NULL until set */
    void *ctx;
    enum stream_state state;
    struct list dirty; /* in loop->dirty_streams */

    struct stream_queue out;
    uv_write_t write; /* used when the kernel took less than all */
    size_t write_len; /* bytes of the pending uv_write; 0: none */
    bool was_high;
    bool reading;
    bool paused;
    bool shutting_down;

    struct tls_session *tls; /* NULL: in the clear */
    struct stream_connect *connect;
    struct loop_timer timer; /* handshake, close_flush */

    int err;
    char text[160];
    struct stream_peer peer;
};

struct stream *stream_alloc(struct loop *l, const struct stream_ops *ops, void *ctx);

/* An accepted socket is in s->tcp: address, TLS if asked for. Closes on failure. */
KVS_MUST_USE int stream_accepted(struct stream *s, struct tls_context *tls, const char *alpn);

/* The socket is closed: reports it and frees the stream. */
void stream_closed_cb(uv_handle_t *handle);

void stream_mark_dirty(struct stream *s);

/* Closes with a reason; the first one counts. */
void stream_fail(struct stream *s, int err, const char *text);

/* The bytes may flow: tells the owner. */
void stream_opened(struct stream *s);

/* connect.c: resolves and connects; ends in stream_connected or stream_fail. */
KVS_MUST_USE int stream_connect_start(struct stream *s, const struct net_addr *addr);
void stream_connect_cancel(struct stream *s);
void stream_connected(struct stream *s);

/* stream_tls.c: everything that knows OpenSSL's stream side. */
struct tls_session {
    SSL *ssl;
    BIO *in;            /* ciphertext from the peer; owned by ssl */
    BIO *out;           /* ciphertext for the peer; owned by ssl */
    struct buf cipher;  /* taken from `out`, being written; not moved while a write is pending */
    char alpn_wire[64]; /* length-prefixed names */
    unsigned alpn_wire_len;
    char alpn[16]; /* what was negotiated */
    char *common_name;
    char **organizations;
    char **dns_names;
};

KVS_MUST_USE int stream_tls_start(struct stream *s,
                                  struct tls_context *t,
                                  const char *alpn,
                                  const char *host); /* NULL: server */
void stream_tls_free(struct stream *s);

/* Goes on with the handshake. */
void stream_tls_handshake(struct stream *s);

/* Bytes from the network. */
void stream_tls_input(struct stream *s, const uint8_t *data, size_t len);

/* Encrypts queued bytes into `cipher` (while no write of it is pending). False on failure. */
bool stream_tls_fill(struct stream *s);

/* Says goodbye (close_notify) into the output. False if that was done before. */
bool stream_tls_shutdown(struct stream *s);

#endif
