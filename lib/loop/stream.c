/* Streams: reading, the one write per turn, and the way to their end. */
#include "loop/stream.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "loop/stream_int.h"

struct stream *stream_alloc(struct loop *l, const struct stream_ops *ops, void *ctx)
{
    struct stream *s = kvs_calloc(1, sizeof *s);

    if (s == NULL) {
        return NULL;
    }
    s->loop = l;
    s->ops = ops;
    s->ctx = ctx;
    s->peer.alpn = "";
    list_init(&s->dirty);
    (void)uv_tcp_init(&l->uv, &s->tcp); /* makes no socket yet, so cannot fail */
    l->n_streams++;
    return s;
}

/* ---- the end ---- */

void stream_closed_cb(uv_handle_t *handle)
{
    struct stream *s = container_of((uv_tcp_t *)handle, struct stream, tcp);
    const struct stream_ops *ops = s->ops;

    stream_queue_fini(&s->out);
    if (ops != NULL) {
        ops->on_close(s->ctx, s->err, s->text);
    }
    stream_tls_free(s);
    s->loop->n_streams--;
    kvs_free(s);
}

void stream_fail(struct stream *s, int err, const char *text)
{
    if (s->state == STREAM_CLOSING) {
        return;
    }
    s->err = err;
    (void)snprintf(s->text, sizeof s->text, "%s", text);
    s->state = STREAM_CLOSING;
    list_remove(&s->dirty);
    loop_timer_stop(&s->timer);
    stream_connect_cancel(s);
    if (!uv_is_closing((uv_handle_t *)&s->tcp)) { /* else between two addresses: connect.c */
        uv_close((uv_handle_t *)&s->tcp, stream_closed_cb);
    }
}

void stream_close(struct stream *s)
{
    loop_assert_owner(s->loop);
    stream_fail(s, 0, "closed");
}

static void stream_timeout_cb(struct loop_timer *t)
{
    struct stream *s = container_of(t, struct stream, timer);

    if (s->state == STREAM_HANDSHAKE) {
        stream_fail(s, KVS_E_TIMEOUT, "TLS handshake timed out");
    } else {
        stream_fail(s, 0, "closed");
    }
}

void stream_close_flush(struct stream *s)
{
    loop_assert_owner(s->loop);
    if (s->state != STREAM_READY) {
        stream_close(s);
        return;
    }
    s->state = STREAM_ENDING;
    loop_timer_init(s->loop, &s->timer, stream_timeout_cb);
    loop_timer_start(&s->timer, CLOSE_FLUSH_TIMEOUT_MS);
    stream_mark_dirty(s);
}

/* ---- reading ---- */

static void stream_alloc_cb(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
    struct stream *s = container_of((uv_tcp_t *)handle, struct stream, tcp);

    (void)hint;
    *buf = uv_buf_init((char *)s->loop->read_buffer, READ_BUFFER_BYTES);
}

static void stream_read_cb(uv_stream_t *uv, ssize_t n, const uv_buf_t *buf)
{
    struct stream *s = container_of((uv_tcp_t *)uv, struct stream, tcp);

    if (n == 0 || s->state == STREAM_CLOSING) {
        return;
    }
    if (n < 0) {
        stream_fail(s, n == UV_EOF ? 0 : KVS_E_CLOSED, uv_strerror((int)n));
        return;
    }
    s->loop->totals.received_bytes += (uint64_t)n;
    if (s->state == STREAM_ENDING) {
        return; /* nobody listens any more */
    }
    if (s->tls != NULL) {
        stream_tls_input(s, (const uint8_t *)buf->base, (size_t)n);
    } else {
        s->ops->on_data(s->ctx, view_make(buf->base, (size_t)n));
    }
}

static void stream_read_start(struct stream *s)
{
    int err;

    if (s->reading || s->state == STREAM_CLOSING) {
        return;
    }
    err = uv_read_start((uv_stream_t *)&s->tcp, stream_alloc_cb, stream_read_cb);
    if (err != 0) {
        stream_fail(s, KVS_E_CLOSED, uv_strerror(err));
        return;
    }
    s->reading = true;
}

void stream_pause(struct stream *s)
{
    s->paused = true;
    if (s->reading && s->state == STREAM_READY) {
        (void)uv_read_stop((uv_stream_t *)&s->tcp);
        s->reading = false;
    }
}

void stream_resume(struct stream *s)
{
    s->paused = false;
    if (s->state == STREAM_READY) {
        stream_read_start(s);
    }
}

/* ---- writing ---- */

void stream_mark_dirty(struct stream *s)
{
    if (s->state != STREAM_CLOSING && list_empty(&s->dirty)) {
        list_push_back(&s->loop->dirty_streams, &s->dirty);
    }
}

static bool stream_may_write(const struct stream *s)
{
    return s->state != STREAM_CLOSING && s->state != STREAM_ENDING;
}

static void stream_written(struct stream *s, size_t len)
{
    if (s->tls != NULL) {
        buf_consume(&s->tls->cipher, len);
    } else {
        stream_queue_consume(&s->out, len);
    }
    s->loop->totals.sent_bytes += len;
}

static void stream_write_cb(uv_write_t *req, int status)
{
    struct stream *s = container_of(req, struct stream, write);
    size_t len = s->write_len;

    s->write_len = 0;
    if (s->state == STREAM_CLOSING) {
        return;
    }
    if (status != 0) {
        stream_fail(s, KVS_E_CLOSED, uv_strerror(status));
        return;
    }
    stream_written(s, len);
    stream_mark_dirty(s);
}

static unsigned stream_bufs(const struct stream *s, uv_buf_t *bufs)
{
    if (s->tls == NULL) {
        return stream_queue_peek(&s->out, bufs, FLUSH_BUFS_MAX);
    }
    if (s->tls->cipher.len == 0) {
        return 0;
    }
    bufs[0] = uv_buf_init((char *)s->tls->cipher.data, (unsigned)s->tls->cipher.len);
    return 1;
}

/* Leaves the rest to libuv, which waits until the socket takes it. */
static void stream_write_rest(struct stream *s, const uv_buf_t *bufs, unsigned n)
{
    int err;

    s->write_len = 0;
    for (unsigned i = 0; i < n; i++) {
        s->write_len += bufs[i].len;
    }
    s->loop->totals.n_writes++;
    err = uv_write(&s->write, (uv_stream_t *)&s->tcp, bufs, n, stream_write_cb);
    if (err != 0) {
        s->write_len = 0;
        stream_fail(s, err == UV_ENOMEM ? KVS_E_NOMEM : KVS_E_CLOSED, uv_strerror(err));
    }
}

/* Returns true if it wrote something and there may be more. */
static bool stream_write_some(struct stream *s)
{
    uv_buf_t bufs[FLUSH_BUFS_MAX];
    unsigned n;
    int written;

    if (s->tls != NULL && !stream_tls_fill(s)) {
        return false;
    }
    n = stream_bufs(s, bufs);
    if (n == 0) {
        return false;
    }
    s->loop->totals.n_writes++;
    written = uv_try_write((uv_stream_t *)&s->tcp, bufs, n);
    if (written == UV_EAGAIN) {
        stream_write_rest(s, bufs, n);
        return false;
    }
    if (written < 0) {
        stream_fail(s, KVS_E_CLOSED, uv_strerror(written));
        return false;
    }
    stream_written(s, (size_t)written);
    return true;
}

static void stream_shutdown_cb(uv_shutdown_t *req, int status)
{
    (void)status;
    kvs_free(req);
}

/* All is written: ends our direction, then waits for the peer's end, so that unread input does not
 * turn our last bytes into a reset. */
static void stream_end(struct stream *s)
{
    uv_shutdown_t *req;

    if (s->shutting_down) {
        return;
    }
    s->shutting_down = true;
    req = kvs_malloc(sizeof *req);
    if (req == NULL || uv_shutdown(req, (uv_stream_t *)&s->tcp, stream_shutdown_cb) != 0) {
        kvs_free(req);
        stream_close(s);
        return;
    }
    stream_read_start(s);
}

static void stream_flush(struct stream *s)
{
    if (s->state < STREAM_HANDSHAKE || s->write_len > 0) {
        return;
    }
    while (stream_write_some(s)) {
    }
    if (s->state == STREAM_CLOSING || s->write_len > 0) {
        return;
    }
    if (s->state != STREAM_ENDING || stream_queued(s) > 0) {
        return;
    }
    if (s->tls != NULL && stream_tls_shutdown(s)) {
        stream_mark_dirty(s); /* the goodbye itself has to leave */
        return;
    }
    stream_end(s);
}

void loop_flush_streams(struct loop *l)
{
    struct list dirty;

    list_init(&dirty);
    list_splice_back(&dirty, &l->dirty_streams);
    for (struct list *node = list_pop_front(&dirty); node != NULL; node = list_pop_front(&dirty)) {
        struct stream *s = list_entry(node, struct stream, dirty);

        s->was_high = s->was_high || stream_queued(s) >= STREAM_QUEUE_HIGH;
        stream_flush(s);
        if (s->was_high && s->state == STREAM_READY && stream_queued(s) < STREAM_QUEUE_LOW) {
            s->was_high = false;
            if (s->ops->on_writable != NULL) {
                s->ops->on_writable(s->ctx);
            }
        }
    }
}

int stream_write(struct stream *s, const void *data, size_t len)
{
    int err;

    if (!stream_may_write(s)) {
        return KVS_E_CLOSED;
    }
    err = len > 0 ? stream_queue_copy(&s->out, s->loop, data, len) : 0;
    stream_mark_dirty(s);
    return err;
}

int stream_write_owned(
    struct stream *s, const void *data, size_t len, stream_release_fn release, void *owner)
{
    int err;

    if (!stream_may_write(s)) {
        return KVS_E_CLOSED;
    }
    err = stream_queue_owned(&s->out, data, len, release, owner);
    stream_mark_dirty(s);
    return err;
}

static void stream_release_rcbuf(void *owner)
{
    rcbuf_unref(owner);
}

int stream_write_ref(struct stream *s, struct rcbuf *owner, const void *data, size_t len)
{
    int err = stream_write_owned(s, data, len, stream_release_rcbuf, owner);

    if (err == 0) {
        (void)rcbuf_ref(owner);
    }
    return err;
}

int stream_write_blob(struct stream *s, struct kvs_blob blob)
{
    return stream_write_owned(s, blob.data, blob.len, kvs_free, blob.data);
}

size_t stream_queued(const struct stream *s)
{
    return s->out.bytes + (s->tls != NULL ? s->tls->cipher.len : 0);
}

/* ---- the beginning ---- */

static void stream_fill_address(struct stream *s)
{
    struct sockaddr_storage addr;
    int len = sizeof addr;
    char host[INET6_ADDRSTRLEN];

    if (uv_tcp_getpeername(&s->tcp, (struct sockaddr *)&addr, &len) != 0) {
        return;
    }
    if (addr.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&addr;

        (void)uv_ip6_name(in6, host, sizeof host);
        (void)snprintf(s->peer.address, sizeof s->peer.address, "[%s]:%u", host,
                       (unsigned)ntohs(in6->sin6_port));
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&addr;

        (void)uv_ip4_name(in, host, sizeof host);
        (void)snprintf(s->peer.address, sizeof s->peer.address, "%s:%u", host,
                       (unsigned)ntohs(in->sin_port));
    }
}

void stream_opened(struct stream *s)
{
    s->state = STREAM_READY;
    loop_timer_stop(&s->timer);
    if (s->out.bytes > 0) {
        stream_mark_dirty(s);
    }
    if (s->ops->on_open != NULL) {
        s->ops->on_open(s->ctx);
    }
    if (s->paused && s->state == STREAM_READY) {
        stream_pause(s);
    }
}

/* The socket is connected: starts reading, and TLS if there is any. */
static void stream_begin(struct stream *s)
{
    (void)uv_tcp_nodelay(&s->tcp, 1);
    stream_fill_address(s);
    if (s->tls == NULL) {
        stream_opened(s);
        if (s->state == STREAM_READY && !s->paused) {
            stream_read_start(s);
        }
        return;
    }
    s->state = STREAM_HANDSHAKE;
    loop_timer_init(s->loop, &s->timer, stream_timeout_cb);
    loop_timer_start(&s->timer, TLS_HANDSHAKE_TIMEOUT_MS);
    stream_read_start(s);
    if (s->state == STREAM_HANDSHAKE) {
        stream_tls_handshake(s);
    }
}

void stream_connected(struct stream *s)
{
    stream_begin(s);
}

int stream_accepted(struct stream *s, struct tls_context *tls, const char *alpn)
{
    int err = 0;

    s->state = STREAM_CONNECTING;
    if (tls != NULL) {
        err = stream_tls_start(s, tls, alpn, NULL);
    }
    if (err != 0) {
        stream_fail(s, err, "out of memory");
    }
    return err;
}

void stream_set_ops(struct stream *s, const struct stream_ops *ops, void *ctx)
{
    loop_assert_owner(s->loop);
    kvs_assert(s->ops == NULL && ops->on_data != NULL && ops->on_close != NULL);
    s->ops = ops;
    s->ctx = ctx;
    if (s->state != STREAM_CLOSING) {
        stream_begin(s);
    }
}

int stream_connect(struct loop *l,
                   const struct net_addr *addr,
                   struct tls_context *tls,
                   const char *alpn,
                   const struct stream_ops *ops,
                   void *ctx,
                   struct stream **ret_stream)
{
    struct stream *s;
    int err = 0;

    loop_assert_owner(l);
    kvs_assert(ops->on_data != NULL && ops->on_close != NULL);
    s = stream_alloc(l, NULL, NULL);
    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    if (tls != NULL) {
        err = stream_tls_start(s, tls, alpn, addr->host);
    }
    if (err == 0) {
        err = stream_connect_start(s, addr);
    }
    if (err != 0) {
        stream_fail(s, err, "out of memory"); /* without ops: nobody is told */
        return err;
    }
    s->ops = ops;
    s->ctx = ctx;
    *ret_stream = s;
    return 0;
}

const struct stream_peer *stream_peer(const struct stream *s)
{
    return &s->peer;
}

const struct stream_totals *loop_stream_totals(const struct loop *l)
{
    return &l->totals;
}
