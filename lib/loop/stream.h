/* Byte streams over TCP, with or without TLS, on a loop.
 *
 * Reading: all streams of a loop share one buffer; on_data lends a view of it. Writing: bytes are
 * collected (small ones copied, large ones referenced) and leave in one system call per stream at
 * the end of the turn. With TLS, on_open comes after the handshake (at most 10 s).
 *
 * open -> (stream_close or error) -> on_close, exactly once and never inside a call of ours;
 * after on_close the stream is gone. */
#ifndef LOOP_STREAM_H
#define LOOP_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rcbuf.h"
#include "kvstore/types.h"
#include "loop/addr.h"
#include "loop/loop.h"
#include "loop/tls.h"

struct stream;
struct listener;

enum {
    STREAM_QUEUE_HIGH = 256 * 1024, /* stop producing above (stream_queued) */
    STREAM_QUEUE_LOW = 64 * 1024,   /* on_writable below, if it was above HIGH before */
};

struct stream_ops {
    /* Connected, and the TLS handshake is done. Optional. */
    void (*on_open)(void *ctx);
    /* `data` dies with the callback. */
    void (*on_data)(void *ctx, struct kvs_view data);
    /* The queue fell below STREAM_QUEUE_LOW after it had been above STREAM_QUEUE_HIGH. Optional. */
    void (*on_writable)(void *ctx);
    /* The last callback. `err`: 0 closed by us or the peer, KVS_E_CONNECT, KVS_E_TLS,
     * KVS_E_CLOSED (reset), KVS_E_TIMEOUT (handshake), KVS_E_NOMEM; `text` says more. */
    void (*on_close)(void *ctx, int err, const char *text);
};

struct stream_peer {
    char address[80]; /* "127.0.0.1:1234", "[::1]:1234" */
    bool tls;
    bool verified;                    /* a certificate was presented and checked against the CA */
    const char *common_name;          /* of the certificate's subject; NULL if none */
    const char *const *organizations; /* likewise, all of them in order */
    size_t n_organizations;
    const char *const *dns_names; /* subject alternative names: DNS, then addresses as text */
    size_t n_dns_names;
    const char *alpn; /* what was negotiated, "" if nothing */
};

/* `accept` gets each new stream: it either calls stream_set_ops and owns it from there, or calls
 * stream_close. It runs before any TLS handshake. */
typedef void (*listener_cb)(void *ctx, struct stream *s);

/* Listens on every address the host resolves to (the first of them if port is 0). `tls` NULL: in
 * the clear; it is borrowed until the listener is closed. `alpn` is a comma-separated list in
 * order of preference, NULL for none. KVS_E_ADDRESS (in use, unknown), KVS_E_NOMEM; `error` (may
 * be NULL) says more. */
KVS_MUST_USE int stream_listen(struct loop *l,
                               const struct net_addr *addr,
                               struct tls_context *tls,
                               const char *alpn,
                               listener_cb accept,
                               void *ctx,
                               struct listener **ret_listener,
                               struct kvs_error *error);

/* The port in use, also when 0 was asked for. */
uint16_t listener_port(const struct listener *l);

/* No `accept` afterwards; frees. NULL is allowed. */
void listener_close(struct listener *l);

/* Connects; on_open or on_close follows, later. `tls` NULL: in the clear; borrowed until on_open
 * or on_close. Copies `ops`' pointer, which must stay valid. KVS_E_NOMEM. */
KVS_MUST_USE int stream_connect(struct loop *l,
                                const struct net_addr *addr,
                                struct tls_context *tls,
                                const char *alpn,
                                const struct stream_ops *ops,
                                void *ctx,
                                struct stream **ret_stream);

/* Takes over an accepted stream; reading starts. `ops` must stay valid. */
void stream_set_ops(struct stream *s, const struct stream_ops *ops, void *ctx);

/* Copies `len` bytes to the end of the queue. KVS_E_NOMEM, KVS_E_CLOSED (closing: drop it). */
KVS_MUST_USE int stream_write(struct stream *s, const void *data, size_t len);

/* Queues `len` bytes at `data`, which lie inside `owner`; takes a reference of its own. Errors as
 * stream_write. */
KVS_MUST_USE int
stream_write_ref(struct stream *s, struct rcbuf *owner, const void *data, size_t len);

/* Queues owned bytes; moves `blob` (freed with kvs_free). Errors as stream_write. */
KVS_MUST_USE int stream_write_blob(struct stream *s, struct kvs_blob blob);

/* As stream_write_ref for any kind of owner: `release(owner)` is called once the bytes are not
 * needed any more (not on error). */
typedef void (*stream_release_fn)(void *owner);
KVS_MUST_USE int stream_write_owned(
    struct stream *s, const void *data, size_t len, stream_release_fn release, void *owner);

/* Bytes accepted and not yet taken by the kernel. */
size_t stream_queued(const struct stream *s);

/* Flow control towards the peer: no on_data while paused (nor notice of its end). */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);

/* Closes without sending what is queued. on_close follows, later. Twice is harmless. */
void stream_close(struct stream *s);

/* Sends what is queued, ends our side, then closes (at most 5 s later). */
void stream_close_flush(struct stream *s);

/* Borrowed from the stream. Complete from on_open on. */
const struct stream_peer *stream_peer(const struct stream *s);

struct stream_totals {
    uint64_t received_bytes;
    uint64_t sent_bytes;
    uint64_t n_writes; /* system calls */
};

/* Sums over all streams of the loop, closed ones included. */
const struct stream_totals *loop_stream_totals(const struct loop *l);

#endif
