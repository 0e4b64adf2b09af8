/* Hand-written writers of the records that make up the large answers: key-values, range chunks
 * and watch events. A table walk per record costs several times the copy of its bytes; these
 * cost little more than the copy. They must write what the tables of etcd_pb.c describe
 * (test_rpc_etcd_pb compares the two). */
#include "rpc/etcd_pb.h"

#include "rpc/etcd_pb_int.h"
#include "base/pb_wire.h"

enum {
    KV_KEY = 1,
    KV_CREATE = 2,
    KV_MOD = 3,
    KV_VERSION = 4,
    KV_VALUE = 5,
    KV_LEASE = 6,
    RANGE_HEADER = 1,
    RANGE_KVS = 2,
    RANGE_MORE = 3,
    RANGE_COUNT = 4,
    EVENT_TYPE = 1,
    EVENT_KV = 2,
    EVENT_PREV = 3,
    WATCH_EVENTS = 11,
};

size_t etcd_pb_kv_size(const struct kvs_kv *kv)
{
    return pb_bytes_size(KV_KEY, kv->key) +
           pb_number_size(KV_CREATE, (uint64_t)kv->create_revision) +
           pb_number_size(KV_MOD, (uint64_t)kv->mod_revision) +
           pb_number_size(KV_VERSION, (uint64_t)kv->version) + pb_bytes_size(KV_VALUE, kv->value) +
           pb_number_size(KV_LEASE, (uint64_t)kv->lease);
}

uint8_t *etcd_pb_kv_put(uint8_t *at, const struct kvs_kv *kv)
{
    at = pb_put_bytes(at, KV_KEY, kv->key);
    at = pb_put_number(at, KV_CREATE, (uint64_t)kv->create_revision);
    at = pb_put_number(at, KV_MOD, (uint64_t)kv->mod_revision);
    at = pb_put_number(at, KV_VERSION, (uint64_t)kv->version);
    at = pb_put_bytes(at, KV_VALUE, kv->value);
    return pb_put_number(at, KV_LEASE, (uint64_t)kv->lease);
}

/* ---- RangeResponse ---- */

size_t etcd_pb_range_head_size(const struct kvs_header *header)
{
    return pb_len_field_size(RANGE_HEADER, pb_size(&etcd_pb_header, header));
}

uint8_t *etcd_pb_range_head_put(uint8_t *at, const struct kvs_header *header)
{
    at = pb_put_len(at, RANGE_HEADER, pb_size(&etcd_pb_header, header));
    return pb_put(at, &etcd_pb_header, header);
}

size_t etcd_pb_range_kv_size(const struct kvs_kv *kv)
{
    return pb_len_field_size(RANGE_KVS, etcd_pb_kv_size(kv));
}

uint8_t *etcd_pb_range_kv_put(uint8_t *at, const struct kvs_kv *kv)
{
    at = pb_put_len(at, RANGE_KVS, etcd_pb_kv_size(kv));
    return etcd_pb_kv_put(at, kv);
}

size_t etcd_pb_range_tail_size(bool more, int64_t count)
{
    return pb_number_size(RANGE_MORE, more ? 1 : 0) + pb_number_size(RANGE_COUNT, (uint64_t)count);
}

uint8_t *etcd_pb_range_tail_put(uint8_t *at, bool more, int64_t count)
{
    at = pb_put_number(at, RANGE_MORE, more ? 1 : 0);
    return pb_put_number(at, RANGE_COUNT, (uint64_t)count);
}

/* ---- WatchResponse ---- */

static size_t event_body_size(const struct kvs_event *event, bool with_prev)
{
    size_t size = pb_number_size(EVENT_TYPE, (uint64_t)event->type) +
                  pb_len_field_size(EVENT_KV, etcd_pb_kv_size(&event->kv));

    if (with_prev && event->has_prev) {
        size += pb_len_field_size(EVENT_PREV, etcd_pb_kv_size(&event->prev_kv));
    }
    return size;
}

size_t etcd_pb_event_size(const struct kvs_event *event, bool with_prev)
{
    return pb_len_field_size(WATCH_EVENTS, event_body_size(event, with_prev));
}

uint8_t *etcd_pb_event_put(uint8_t *at, const struct kvs_event *event, bool with_prev)
{
    at = pb_put_len(at, WATCH_EVENTS, event_body_size(event, with_prev));
    at = pb_put_number(at, EVENT_TYPE, (uint64_t)event->type);
    at = pb_put_len(at, EVENT_KV, etcd_pb_kv_size(&event->kv));
    at = etcd_pb_kv_put(at, &event->kv);
    if (with_prev && event->has_prev) {
        at = pb_put_len(at, EVENT_PREV, etcd_pb_kv_size(&event->prev_kv));
        at = etcd_pb_kv_put(at, &event->prev_kv);
    }
    return at;
}

/* The prefix is the message without its events, so the table can write it. */
size_t etcd_pb_watch_prefix_size(const struct kvs_watch_resp *resp)
{
    struct kvs_watch_resp prefix = *resp;

    prefix.n_events = 0;
    return pb_size(&etcd_pb_watch_resp, &prefix);
}

uint8_t *etcd_pb_watch_prefix_put(uint8_t *at, const struct kvs_watch_resp *resp)
{
    struct kvs_watch_resp prefix = *resp;

    prefix.n_events = 0;
    return pb_put(at, &etcd_pb_watch_resp, &prefix);
}
