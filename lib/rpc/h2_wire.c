/* nghttp2 over a stream: what goes in, what comes out, and DATA without copies. */
#include "rpc/h2_wire.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"

static void *h2_malloc(size_t size, void *ctx)
{
    (void)ctx;
    return kvs_malloc(size);
}

static void h2_free(void *memory, void *ctx)
{
    (void)ctx;
    kvs_free(memory);
}

static void *h2_calloc(size_t count, size_t size, void *ctx)
{
    (void)ctx;
    return kvs_calloc(count, size);
}

static void *h2_realloc(void *old, size_t size, void *ctx)
{
    (void)ctx;
    return kvs_realloc(old, size);
}

nghttp2_mem *h2_mem(void)
{
    static nghttp2_mem mem = {NULL, h2_malloc, h2_free, h2_calloc, h2_realloc};

    return &mem;
}

nghttp2_nv h2_field(const char *name, const char *value, size_t value_len)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        value_len, NGHTTP2_NV_FLAG_NO_COPY_NAME};
}

static ssize_t flow_read_cb(nghttp2_session *session,
                            int32_t stream_id,
                            uint8_t *buf,
                            size_t length,
                            uint32_t *data_flags,
                            nghttp2_data_source *source,
                            void *user_data)
{
    struct h2_flow *f = source->ptr;
    size_t n = length < f->out.bytes ? length : f->out.bytes;

    (void)session;
    (void)stream_id;
    (void)buf;
    (void)user_data;
    if (n == 0 && !f->out.finished) {
        f->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *data_flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n == f->out.bytes && f->out.finished) {
        *data_flags |= NGHTTP2_DATA_FLAG_EOF;
        if (f->trailers != NULL) {
            if (f->trailers(f) != 0) {
                return NGHTTP2_ERR_CALLBACK_FAILURE;
            }
            *data_flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        }
    }
    return (ssize_t)n;
}

/* Frame header and payload go straight into the stream's queue. */
static int flow_send_cb(nghttp2_session *session,
                        nghttp2_frame *frame,
                        const uint8_t *framehd,
                        size_t length,
                        nghttp2_data_source *source,
                        void *user_data)
{
    struct h2_wire *w = user_data;
    struct h2_flow *f = source->ptr;

    (void)session;
    kvs_assert(frame->data.padlen == 0);
    if (stream_queued(w->stream) >= STREAM_QUEUE_HIGH) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    if (stream_write(w->stream, framehd, 9) != 0 ||
        rpc_out_write(&f->out, w->stream, length) != 0) {
        w->broken = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (length > 0 && f->drained != NULL) {
        f->drained(f);
    }
    return 0;
}

nghttp2_session_callbacks *h2_callbacks_new(void)
{
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return NULL;
    }
    nghttp2_session_callbacks_set_send_data_callback(callbacks, flow_send_cb);
    return callbacks;
}

nghttp2_data_provider h2_flow_source(struct h2_flow *f)
{
    return (nghttp2_data_provider){.source = {.ptr = f}, .read_callback = flow_read_cb};
}

void h2_flow_wake(struct h2_flow *f)
{
    if (f->wire == NULL || !f->deferred) {
        return;
    }
    f->deferred = false;
    if (nghttp2_session_resume_data(f->wire->session, f->stream_id) == NGHTTP2_ERR_NOMEM) {
        f->wire->broken = true;
    }
}

bool h2_wire_feed(struct h2_wire *w, struct kvs_view data)
{
    ssize_t n;

    kvs_assert(!w->inside);
    w->inside = true;
    n = nghttp2_session_mem_recv(w->session, data.data, data.len);
    w->inside = false;
    if (n < 0) {
        w->broken = w->broken || n <= NGHTTP2_ERR_FATAL;
        return false;
    }
    return !w->broken;
}

bool h2_wire_flush(struct h2_wire *w)
{
    const uint8_t *data;
    ssize_t n = 0;

    kvs_assert(!w->inside);
    w->inside = true;
    while (!w->broken && stream_queued(w->stream) < STREAM_QUEUE_HIGH) {
        n = nghttp2_session_mem_send(w->session, &data);
        if (n <= 0) {
            break;
        }
        if (stream_write(w->stream, data, (size_t)n) != 0) {
            w->broken = true;
        }
    }
    w->inside = false;
    return n >= 0 && !w->broken;
}

void h2_wire_fini(struct h2_wire *w)
{
    kvs_assert(!w->inside);
    nghttp2_session_del(w->session);
    w->session = NULL;
}
