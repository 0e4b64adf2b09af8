/* Streams without sockets, for fuzzing what lies on top of them: the fuzzer hands over received
 * bytes itself, and what is sent is counted and thrown away. Defines the functions of
 * loop/stream.h, so that the real ones are not linked. */
#ifndef TEST_FUZZ_FAKE_STREAM_H
#define TEST_FUZZ_FAKE_STREAM_H

#include <stdlib.h>

#include "base/assert.h"
#include "loop/loop_int.h"
#include "loop/stream.h"

struct stream {
    const struct stream_ops *ops;
    void *ctx;
    bool closing;
    bool deaf; /* the peer reads nothing: what is sent stays queued */
    size_t queued;
    struct stream_peer peer;
};

struct listener {
    listener_cb accept;
    void *ctx;
};

static struct listener fake_listener;

void loop_flush_streams(struct loop *l)
{
    (void)l;
}

void loop_free_chunks(struct loop *l)
{
    (void)l;
}

int stream_listen(struct loop *l,
                  const struct net_addr *addr,
                  struct tls_context *tls,
                  const char *alpn,
                  listener_cb accept,
                  void *ctx,
                  struct listener **ret_listener,
                  struct kvs_error *error)
{
    (void)l;
    (void)addr;
    (void)tls;
    (void)alpn;
    (void)error;
    fake_listener = (struct listener){accept, ctx};
    *ret_listener = &fake_listener;
    return 0;
}

uint16_t listener_port(const struct listener *l)
{
    (void)l;
    return 1;
}

void listener_close(struct listener *l)
{
    (void)l;
}

int stream_connect(struct loop *l,
                   const struct net_addr *addr,
                   struct tls_context *tls,
                   const char *alpn,
                   const struct stream_ops *ops,
                   void *ctx,
                   struct stream **ret_stream)
{
    (void)l;
    (void)addr;
    (void)tls;
    (void)alpn;
    (void)ops;
    (void)ctx;
    (void)ret_stream;
    return KVS_E_UNSUPPORTED;
}

int stream_adopt(struct loop *l, int fd, struct stream **ret_stream)
{
    (void)l;
    (void)fd;
    (void)ret_stream;
    return KVS_E_UNSUPPORTED;
}

void stream_set_ops(struct stream *s, const struct stream_ops *ops, void *ctx)
{
    s->ops = ops;
    s->ctx = ctx;
}

static int fake_write(struct stream *s, size_t len)
{
    if (s->closing) {
        return KVS_E_CLOSED;
    }
    s->queued += len;
    return 0;
}

int stream_write(struct stream *s, const void *data, size_t len)
{
    /* Reads every byte, so that a sanitizer sees what is not ours to send. */
    volatile uint8_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum = (uint8_t)(sum + ((const uint8_t *)data)[i]);
    }
    return fake_write(s, len);
}

int stream_write_owned(
    struct stream *s, const void *data, size_t len, stream_release_fn release, void *owner)
{
    int err = stream_write(s, data, len);

    if (err == 0) {
        release(owner);
    }
    return err;
}

size_t stream_queued(const struct stream *s)
{
    return s->queued;
}

void stream_pause(struct stream *s)
{
    (void)s;
}

void stream_resume(struct stream *s)
{
    (void)s;
}

void stream_close(struct stream *s)
{
    s->closing = true;
}

void stream_close_flush(struct stream *s)
{
    s->closing = true;
}

const struct stream_peer *stream_peer(const struct stream *s)
{
    return &s->peer;
}

/* ---- for the fuzzer ---- */

static void fake_accept(struct stream *s)
{
    *s = (struct stream){.peer = {.address = "fuzz:1", .alpn = ""}};
    fake_listener.accept(fake_listener.ctx, s);
}

/* Delivers a copy, so that a view kept too long is seen; then ends the turn. */
static void fake_receive(struct loop *l, struct stream *s, const uint8_t *data, size_t len)
{
    if (!s->closing && len > 0) {
        uint8_t *copy = malloc(len);

        kvs_assert(copy != NULL);
        memcpy(copy, data, len);
        s->ops->on_data(s->ctx, (struct kvs_view){copy, len});
        free(copy);
    }
    (void)loop_turn(l, false);
    if (!s->deaf && !s->closing && s->queued > 0) {
        s->queued = 0;
        s->ops->on_writable(s->ctx);
        (void)loop_turn(l, false);
    }
}

static void fake_end(struct loop *l, struct stream *s)
{
    s->ops->on_close(s->ctx, 0, "");
    (void)loop_turn(l, false);
}

#endif
