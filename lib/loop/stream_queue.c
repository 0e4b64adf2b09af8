/* The send queue of a stream: small writes are gathered in pooled chunks, large ones referenced. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "loop/stream_int.h"

static struct chunk *chunk_get(struct loop *l)
{
    struct chunk *c = l->free_chunks;

    if (c != NULL) {
        l->free_chunks = c->next;
        l->n_free_chunks--;
    } else {
        c = kvs_malloc(sizeof *c);
        if (c == NULL) {
            return NULL;
        }
    }
    c->next = NULL;
    c->loop = l;
    c->refs = 1;
    c->len = 0;
    return c;
}

static void chunk_unref(void *owner)
{
    struct chunk *c = owner;
    struct loop *l = c->loop;

    kvs_dassert(c->refs > 0);
    if (--c->refs > 0) {
        return;
    }
    if (l->n_free_chunks >= FREE_CHUNKS_MAX) {
        kvs_free(c);
        return;
    }
    c->next = l->free_chunks;
    l->free_chunks = c;
    l->n_free_chunks++;
}

void loop_free_chunks(struct loop *l)
{
    while (l->free_chunks != NULL) {
        struct chunk *c = l->free_chunks;

        l->free_chunks = c->next;
        kvs_free(c);
    }
    l->n_free_chunks = 0;
}

static struct segment *queue_at(const struct stream_queue *q, unsigned i)
{
    return &q->ring[(q->head + i) & (q->capacity - 1)];
}

static int queue_grow(struct stream_queue *q)
{
    unsigned capacity = q->capacity == 0 ? 8 : q->capacity * 2;
    struct segment *ring = kvs_malloc(capacity * sizeof *ring);

    if (ring == NULL) {
        return KVS_E_NOMEM;
    }
    for (unsigned i = 0; i < q->count; i++) {
        ring[i] = *queue_at(q, i);
    }
    kvs_free(q->ring);
    q->ring = ring;
    q->capacity = capacity;
    q->head = 0;
    return 0;
}

static int queue_push(struct stream_queue *q, struct segment segment)
{
    if (q->count == q->capacity && queue_grow(q) != 0) {
        return KVS_E_NOMEM;
    }
    q->count++;
    *queue_at(q, q->count - 1) = segment;
    q->bytes += segment.len;
    return 0;
}

void stream_queue_fini(struct stream_queue *q)
{
    stream_queue_consume(q, q->bytes);
    kvs_free(q->ring);
    *q = (struct stream_queue){0};
}

static void queue_drop_tail(struct stream_queue *q)
{
    if (q->tail != NULL) {
        chunk_unref(q->tail);
        q->tail = NULL;
    }
}

/* Extends the last segment if it ends where the tail chunk goes on. */
static int queue_append_tail(struct stream_queue *q, const uint8_t *data, size_t len)
{
    struct chunk *c = q->tail;
    struct segment *last = q->count > 0 ? queue_at(q, q->count - 1) : NULL;
    uint8_t *to = c->data + c->len;

    if (last != NULL && last->owner == c && last->data + last->len == to) {
        last->len += len;
        q->bytes += len;
    } else {
        if (queue_push(q, (struct segment){to, len, chunk_unref, c}) != 0) {
            return KVS_E_NOMEM;
        }
        c->refs++;
    }
    memcpy(to, data, len);
    c->len += (uint32_t)len;
    return 0;
}

/* All or nothing, so that a frame never leaves in part: room is made first. */
int stream_queue_copy(struct stream_queue *q, struct loop *l, const uint8_t *data, size_t len)
{
    size_t room = q->tail != NULL ? CHUNK_BYTES - q->tail->len : 0;
    size_t first = len < room ? len : room;
    struct chunk *c = NULL;
    int err;

    if (len > CHUNK_BYTES) {
        void *copy = kvs_malloc(len);

        if (copy == NULL) {
            return KVS_E_NOMEM;
        }
        memcpy(copy, data, len);
        err = stream_queue_owned(q, copy, len, kvs_free, copy);
        if (err != 0) {
            kvs_free(copy);
        }
        return err;
    }
    while (q->count + 2 > q->capacity) {
        if (queue_grow(q) != 0) {
            return KVS_E_NOMEM;
        }
    }
    if (first < len) {
        c = chunk_get(l);
        if (c == NULL) {
            return KVS_E_NOMEM;
        }
    }
    err = first > 0 ? queue_append_tail(q, data, first) : 0;
    kvs_assert(err == 0);
    if (c != NULL) {
        queue_drop_tail(q);
        q->tail = c;
        err = queue_append_tail(q, data + first, len - first);
        kvs_assert(err == 0);
    }
    return 0;
}

int stream_queue_owned(
    struct stream_queue *q, const uint8_t *data, size_t len, stream_release_fn release, void *owner)
{
    return queue_push(q, (struct segment){data, len, release, owner});
}

unsigned stream_queue_peek(const struct stream_queue *q, uv_buf_t *bufs, unsigned max)
{
    unsigned n = q->count < max ? q->count : max;

    for (unsigned i = 0; i < n; i++) {
        const struct segment *s = queue_at(q, i);

        bufs[i] = uv_buf_init((char *)(uintptr_t)s->data, (unsigned)s->len);
    }
    return n;
}

void stream_queue_consume(struct stream_queue *q, size_t len)
{
    kvs_assert(len <= q->bytes);
    q->bytes -= len;
    while (q->count > 0) {
        struct segment *s = queue_at(q, 0);

        if (len < s->len) {
            s->data += len;
            s->len -= len;
            return;
        }
        len -= s->len;
        q->head = (q->head + 1) & (q->capacity - 1);
        q->count--;
        if (s->release != NULL) {
            s->release(s->owner);
        }
    }
    queue_drop_tail(q); /* an idle stream holds no chunk */
    if (q->capacity > 64) {
        kvs_free(q->ring);
        q->ring = NULL;
        q->capacity = 0;
    }
}

size_t stream_queue_take(struct stream_queue *q, uint8_t *to, size_t max)
{
    size_t taken = 0;

    for (unsigned i = 0; i < q->count && taken < max; i++) {
        const struct segment *s = queue_at(q, i);
        size_t n = s->len < max - taken ? s->len : max - taken;

        memcpy(to + taken, s->data, n);
        taken += n;
    }
    stream_queue_consume(q, taken);
    return taken;
}
