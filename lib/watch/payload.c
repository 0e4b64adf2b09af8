/* What is delivered: events, payloads that group them, and the list of effects. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "watch/hub.h"

/* Upper bounds of the protobuf framing of one KeyValue (two length-delimited fields, four
 * integers, its own header) and of one Event around it. */
#define KV_FRAME_BYTES    72
#define EVENT_FRAME_BYTES 16

static size_t kv_bytes(const struct kvs_kv *kv)
{
    return kv->key.len + kv->value.len;
}

/* Copies the bytes of `from` to `at`; returns where the next ones go. */
static uint8_t *kv_copy(struct kvs_kv *to, const struct kvs_kv *from, uint8_t *at)
{
    *to = *from;
    if (from->key.len > 0) {
        memcpy(at, from->key.data, from->key.len);
    }
    to->key.data = at;
    at += from->key.len;
    if (from->value.len > 0) {
        memcpy(at, from->value.data, from->value.len);
    }
    to->value.data = at;
    return at + from->value.len;
}

struct watch_event *watch_event_new(const struct kvs_event *from, bool with_prev)
{
    bool prev = with_prev && from->has_prev;
    size_t len = kv_bytes(&from->kv) + (prev ? kv_bytes(&from->prev_kv) : 0);
    struct watch_event *e = kvs_malloc(sizeof *e + len);
    uint8_t *at;

    if (e == NULL) {
        return NULL;
    }
    *e = (struct watch_event){.refs = 1};
    e->event.type = from->type;
    e->event.has_prev = prev;
    at = kv_copy(&e->event.kv, &from->kv, (uint8_t *)(e + 1));
    e->bytes[0] = kv_bytes(&from->kv) + KV_FRAME_BYTES + EVENT_FRAME_BYTES;
    e->bytes[1] = e->bytes[0];
    if (prev) {
        (void)kv_copy(&e->event.prev_kv, &from->prev_kv, at); /* nothing follows */
        e->bytes[1] += kv_bytes(&from->prev_kv) + KV_FRAME_BYTES;
    }
    return e;
}

void watch_event_unref(struct watch_event *e)
{
    kvs_assert(e->refs > 0);
    if (--e->refs == 0) {
        rcbuf_unref(e->encoded[0]);
        rcbuf_unref(e->encoded[1]);
        kvs_free(e);
    }
}

static bool event_is_wanted(const struct watch_event *e, unsigned options)
{
    unsigned unwanted = e->event.type == KVS_EVENT_PUT ? WATCH_FILTER_NOPUT : WATCH_FILTER_NODELETE;

    return (options & unwanted) == 0;
}

struct watch_payload *
watch_payload_new(struct watch_event **events, size_t n_events, unsigned options)
{
    struct watch_payload *p;
    bool prev_kv = (options & WATCH_CLASS_PREV_KV) != 0;

    p = kvs_malloc(sizeof *p + n_events * sizeof p->events[0]);
    if (p == NULL) {
        return NULL;
    }
    *p = (struct watch_payload){.refs = 1, .prev_kv = prev_kv};
    for (size_t i = 0; i < n_events; i++) {
        if (event_is_wanted(events[i], options)) {
            events[i]->refs++;
            p->bytes += events[i]->bytes[prev_kv];
            p->events[p->n_events++] = events[i];
        }
    }
    return p;
}

struct watch_payload *watch_payload_ref(struct watch_payload *p)
{
    p->refs++;
    return p;
}

void watch_payload_unref(struct watch_payload *p)
{
    if (p == NULL) {
        return;
    }
    kvs_assert(p->refs > 0);
    if (--p->refs > 0) {
        return;
    }
    for (size_t i = 0; i < p->n_events; i++) {
        watch_event_unref(p->events[i]);
    }
    rcbuf_unref(p->encoded);
    kvs_free(p);
}

void watch_effects_init(struct watch_effects *e)
{
    *e = (struct watch_effects){0};
}

void watch_effects_clear(struct watch_effects *e)
{
    for (size_t i = 0; i < e->len; i++) {
        watch_payload_unref(e->items[i].payload);
    }
    e->len = 0;
}

void watch_effects_fini(struct watch_effects *e)
{
    watch_effects_clear(e);
    kvs_free(e->items);
    watch_effects_init(e);
}

int watch_effects_reserve(struct watch_effects *e, size_t more)
{
    size_t capacity = e->capacity > 0 ? e->capacity : 16;
    struct watch_effect *items;

    while (capacity - e->len < more) {
        capacity *= 2;
    }
    if (capacity == e->capacity) {
        return 0;
    }
    items = kvs_realloc(e->items, capacity * sizeof *items);
    if (items == NULL) {
        return KVS_E_NOMEM;
    }
    e->items = items;
    e->capacity = capacity;
    return 0;
}

struct watch_effect *watch_effects_add(struct watch_effects *e, const struct watch_effect *effect)
{
    kvs_assert(e->len < e->capacity);
    e->items[e->len] = *effect;
    return &e->items[e->len++];
}
