/* Encoding is one allocation and one pass; decoding checks before it believes. */
#include "replica/peer_msg.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "base/checksum.h"

enum {
    MSG_REJECT = 1 << 0,
    MSG_QUIET = 1 << 1,
    MSG_TRANSFER = 1 << 2,
    MSG_FLAGS = MSG_REJECT | MSG_QUIET | MSG_TRANSFER,
    BEGIN_FIXED = 16 + PEER_MSG_FIXED,
    ACK_BYTES = 24,
    ACK_INSTALLED = 1,
};

void peer_entries_fini(struct peer_entries *e)
{
    kvs_free(e->items);
    *e = (struct peer_entries){0};
}

/* ---- messages of the core ---- */

static void msg_put_fixed(uint8_t *to, const struct core_msg *m)
{
    uint8_t flags = (uint8_t)((m->reject ? MSG_REJECT : 0) | (m->quiet ? MSG_QUIET : 0) |
                              (m->transfer ? MSG_TRANSFER : 0));

    to[0] = (uint8_t)m->type;
    to[1] = flags;
    to[2] = 0;
    to[3] = 0;
    store_le32(to + 4, (uint32_t)m->status);
    store_le64(to + 8, m->from);
    store_le64(to + 16, m->to);
    store_le64(to + 24, m->term);
    store_le64(to + 32, m->index);
    store_le64(to + 40, m->log_term);
    store_le64(to + 48, m->commit);
    store_le64(to + 56, m->context);
    store_le64(to + 64, m->hint_index);
    store_le64(to + 72, m->hint_term);
    store_le32(to + 80, (uint32_t)m->n_entries);
    store_le32(to + 84, 0);
}

_Static_assert(PEER_MSG_FIXED == 88, "msg_put_fixed writes 88 bytes");

struct rcbuf *peer_msg_encode(const struct core_msg *msg)
{
    size_t len = PEER_MSG_FIXED;
    struct rcbuf *frame;
    uint8_t *to;

    if (msg->n_entries > PEER_MSG_ENTRIES_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < msg->n_entries; i++) {
        len += PEER_MSG_ENTRY_FIXED + msg->entries[i].data.len;
    }
    frame = peer_frame_new(PEER_FRAME_RAFT, len);
    if (frame == NULL) {
        return NULL;
    }
    to = peer_frame_payload(frame);
    msg_put_fixed(to, msg);
    to += PEER_MSG_FIXED;
    for (size_t i = 0; i < msg->n_entries; i++) {
        const struct core_entry *e = &msg->entries[i];

        store_le64(to, e->term);
        store_le32(to + 8, (uint32_t)e->data.len);
        store_le32(to + 12, (uint32_t)e->type);
        if (e->data.len > 0) {
            memcpy(to + PEER_MSG_ENTRY_FIXED, e->data.data, e->data.len);
        }
        to += PEER_MSG_ENTRY_FIXED + e->data.len;
    }
    kvs_assert(to == frame->data + frame->len);
    peer_frame_seal(frame);
    return frame;
}

static int msg_get_fixed(const uint8_t *from, struct core_msg *ret)
{
    uint8_t type = from[0];
    uint8_t flags = from[1];

    if (type >= CORE_MSG_TYPE_COUNT || (flags & ~MSG_FLAGS) != 0 || from[2] != 0 || from[3] != 0 ||
        load_le32(from + 84) != 0) {
        return KVS_E_MALFORMED;
    }
    *ret = (struct core_msg){
        .type = (enum core_msg_type)type,
        .status = (int32_t)load_le32(from + 4),
        .from = load_le64(from + 8),
        .to = load_le64(from + 16),
        .term = load_le64(from + 24),
        .index = load_le64(from + 32),
        .log_term = load_le64(from + 40),
        .commit = load_le64(from + 48),
        .context = load_le64(from + 56),
        .hint_index = load_le64(from + 64),
        .hint_term = load_le64(from + 72),
        .n_entries = load_le32(from + 80),
        .reject = (flags & MSG_REJECT) != 0,
        .quiet = (flags & MSG_QUIET) != 0,
        .transfer = (flags & MSG_TRANSFER) != 0,
    };
    if (ret->status > 0 || ret->from == CORE_NONE || ret->to == CORE_NONE) {
        return KVS_E_MALFORMED;
    }
    return 0;
}

static int entries_reserve(struct peer_entries *e, size_t n)
{
    struct core_entry *items;

    if (n <= e->capacity) {
        return 0;
    }
    items = kvs_realloc(e->items, n * sizeof *items);
    if (items == NULL) {
        return KVS_E_NOMEM;
    }
    e->items = items;
    e->capacity = n;
    return 0;
}

static int
entry_get(struct rcbuf *frame, const uint8_t **at, const uint8_t *end, struct core_entry *ret)
{
    size_t left = (size_t)(end - *at);
    uint32_t len;
    uint32_t type;

    if (left < PEER_MSG_ENTRY_FIXED) {
        return KVS_E_MALFORMED;
    }
    len = load_le32(*at + 8);
    type = load_le32(*at + 12);
    if (len > left - PEER_MSG_ENTRY_FIXED || type >= CORE_ENTRY_TYPE_COUNT) {
        return KVS_E_MALFORMED;
    }
    *ret = (struct core_entry){.term = load_le64(*at), .type = (enum core_entry_type)type};
    if (len > 0) {
        ret->data = (struct kvs_view){*at + PEER_MSG_ENTRY_FIXED, len};
        ret->owner = frame;
    }
    *at += PEER_MSG_ENTRY_FIXED + len;
    return 0;
}

int peer_msg_decode(struct rcbuf *frame,
                    struct kvs_view payload,
                    struct peer_entries *entries,
                    struct core_msg *ret_msg)
{
    const uint8_t *at = payload.data;
    const uint8_t *end = at + payload.len;
    struct core_msg m;
    int rc;

    if (payload.len < PEER_MSG_FIXED) {
        return KVS_E_MALFORMED;
    }
    rc = msg_get_fixed(at, &m);
    if (rc != 0) {
        return rc;
    }
    at += PEER_MSG_FIXED;
    /* Each entry takes bytes: a count that does not fit costs no memory. */
    if (m.n_entries > PEER_MSG_ENTRIES_MAX ||
        m.n_entries > (payload.len - PEER_MSG_FIXED) / PEER_MSG_ENTRY_FIXED) {
        return KVS_E_MALFORMED;
    }
    if (m.n_entries > 0 && m.type != CORE_MSG_APPEND && m.type != CORE_MSG_FORWARD_PROPOSE) {
        return KVS_E_MALFORMED;
    }
    rc = entries_reserve(entries, m.n_entries);
    for (size_t i = 0; rc == 0 && i < m.n_entries; i++) {
        rc = entry_get(frame, &at, end, &entries->items[i]);
    }
    if (rc == 0 && at != end) {
        rc = KVS_E_MALFORMED;
    }
    if (rc != 0) {
        return rc;
    }
    m.entries = m.n_entries > 0 ? entries->items : NULL;
    *ret_msg = m;
    return 0;
}

/* ---- snapshots ---- */

int peer_snap_begin_encode(const struct peer_snap_begin *begin, struct rcbuf **ret_frame)
{
    struct rcbuf *conf;
    struct rcbuf *frame;
    uint8_t *to;
    int rc = core_conf_entry_encode(&begin->conf, (struct kvs_view){0}, &conf);

    if (rc != 0) {
        return rc;
    }
    kvs_assert(begin->msg.type == CORE_MSG_SNAPSHOT && begin->msg.n_entries == 0);
    frame = peer_frame_new(PEER_FRAME_SNAP_BEGIN, BEGIN_FIXED + conf->len);
    if (frame == NULL) {
        rcbuf_unref(conf);
        return KVS_E_NOMEM;
    }
    to = peer_frame_payload(frame);
    store_le64(to, begin->transfer);
    store_le64(to + 8, begin->size_bytes);
    msg_put_fixed(to + 16, &begin->msg);
    memcpy(to + BEGIN_FIXED, conf->data, conf->len);
    rcbuf_unref(conf);
    peer_frame_seal(frame);
    *ret_frame = frame;
    return 0;
}

int peer_snap_begin_decode(struct kvs_view payload, struct peer_snap_begin *ret_begin)
{
    const uint8_t *from = payload.data;
    struct peer_snap_begin b;
    struct kvs_view context;
    int rc;

    if (payload.len <= BEGIN_FIXED) {
        return KVS_E_MALFORMED;
    }
    b.transfer = load_le64(from);
    b.size_bytes = load_le64(from + 8);
    rc = msg_get_fixed(from + 16, &b.msg);
    if (rc != 0) {
        return rc;
    }
    if (b.msg.type != CORE_MSG_SNAPSHOT || b.msg.n_entries != 0 || b.transfer == 0) {
        return KVS_E_MALFORMED;
    }
    rc = core_conf_entry_decode((struct kvs_view){from + BEGIN_FIXED, payload.len - BEGIN_FIXED},
                                &b.conf, &context);
    if (rc != 0) {
        return rc;
    }
    if (context.len != 0) {
        return KVS_E_MALFORMED;
    }
    *ret_begin = b;
    return 0;
}

struct rcbuf *
peer_snap_chunk_new(uint64_t transfer, uint64_t offset, size_t len, uint8_t **ret_data)
{
    struct rcbuf *frame = peer_frame_new(PEER_FRAME_SNAP_CHUNK, PEER_SNAP_CHUNK_FIXED + len);
    uint8_t *to;

    if (frame == NULL) {
        return NULL;
    }
    to = peer_frame_payload(frame);
    store_le64(to, transfer);
    store_le64(to + 8, offset);
    store_le64(to + 16, 0);
    *ret_data = to + PEER_SNAP_CHUNK_FIXED;
    return frame;
}

uint64_t peer_snap_chunk_seal(struct rcbuf *frame, uint64_t chain)
{
    uint8_t *payload = peer_frame_payload(frame);
    uint64_t next = checksum64(payload + PEER_SNAP_CHUNK_FIXED,
                               frame->len - PEER_FRAME_HEADER - PEER_SNAP_CHUNK_FIXED, chain);

    store_le64(payload + 16, next);
    peer_frame_seal(frame);
    return next;
}

int peer_snap_chunk_decode(struct kvs_view payload, struct peer_snap_chunk *ret_chunk)
{
    const uint8_t *from = payload.data;

    if (payload.len < PEER_SNAP_CHUNK_FIXED) {
        return KVS_E_MALFORMED;
    }
    *ret_chunk = (struct peer_snap_chunk){
        .transfer = load_le64(from),
        .offset = load_le64(from + 8),
        .chain = load_le64(from + 16),
        .data = {from + PEER_SNAP_CHUNK_FIXED, payload.len - PEER_SNAP_CHUNK_FIXED},
    };
    return 0;
}

struct rcbuf *peer_snap_ack_encode(const struct peer_snap_ack *ack)
{
    struct rcbuf *frame = peer_frame_new(PEER_FRAME_SNAP_ACK, ACK_BYTES);
    uint8_t *to;

    if (frame == NULL) {
        return NULL;
    }
    to = peer_frame_payload(frame);
    store_le64(to, ack->transfer);
    store_le64(to + 8, ack->offset);
    store_le32(to + 16, (uint32_t)ack->status);
    store_le32(to + 20, ack->installed ? ACK_INSTALLED : 0);
    peer_frame_seal(frame);
    return frame;
}

int peer_snap_ack_decode(struct kvs_view payload, struct peer_snap_ack *ret_ack)
{
    const uint8_t *from = payload.data;
    struct peer_snap_ack ack;

    if (payload.len != ACK_BYTES || load_le32(from + 20) > ACK_INSTALLED) {
        return KVS_E_MALFORMED;
    }
    ack.transfer = load_le64(from);
    ack.offset = load_le64(from + 8);
    ack.status = (int32_t)load_le32(from + 16);
    ack.installed = load_le32(from + 20) == ACK_INSTALLED;
    if (ack.status > 0 || (ack.installed && ack.status != 0)) {
        return KVS_E_MALFORMED;
    }
    *ret_ack = ack;
    return 0;
}
