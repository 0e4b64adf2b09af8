/* Envelope and handshake of peer connections. Nothing that comes from the wire is trusted: length
 * before memory is taken, checksum before contents are looked at. */
#include "replica/peer_frame.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/checksum.h"

enum {
    FRAME_TYPE_AT = 4,
    FRAME_VERSION_AT = 5,
    FRAME_RESERVED_AT = 6,
    FRAME_SUM_AT = 8,
    HELLO_BYTES = 36,
    REFUSED_BYTES = 4,
    PING_BYTES = 8,
};

#define HELLO_MAGIC UINT32_C(0x5053564b) /* "KVSP" */

_Static_assert(FRAME_SUM_AT + 8 == PEER_FRAME_HEADER, "the checksum ends the header");
_Static_assert(HELLO_BYTES + 4 + PEER_HELLO_URLS_MAX * (4 + PEER_HELLO_URL_BYTES_MAX) <=
                   PEER_HELLO_BYTES_MAX,
               "an introduction fits into what is read of a stranger");

struct rcbuf *peer_frame_new(enum peer_frame_type type, size_t len)
{
    struct rcbuf *frame;

    kvs_assert(type > 0 && type < PEER_FRAME_TYPE_COUNT);
    if (len > PEER_FRAME_BYTES_MAX) {
        return NULL;
    }
    frame = rcbuf_new(PEER_FRAME_HEADER + len);
    if (frame == NULL) {
        return NULL;
    }
    store_le32(frame->data, (uint32_t)len);
    frame->data[FRAME_TYPE_AT] = (uint8_t)type;
    frame->data[FRAME_VERSION_AT] = PEER_FRAME_VERSION;
    memset(frame->data + FRAME_RESERVED_AT, 0, PEER_FRAME_HEADER - FRAME_RESERVED_AT);
    return frame;
}

static uint64_t frame_sum(const uint8_t *frame, size_t payload_len)
{
    return checksum64(frame + PEER_FRAME_HEADER, payload_len, load_le64(frame));
}

void peer_frame_seal(struct rcbuf *frame)
{
    kvs_assert(frame->len >= PEER_FRAME_HEADER);
    kvs_assert(load_le32(frame->data) == frame->len - PEER_FRAME_HEADER);
    store_le64(frame->data + FRAME_SUM_AT, frame_sum(frame->data, frame->len - PEER_FRAME_HEADER));
}

struct rcbuf *peer_frame_copy(enum peer_frame_type type, struct kvs_view payload)
{
    struct rcbuf *frame = peer_frame_new(type, payload.len);

    if (frame == NULL) {
        return NULL;
    }
    if (payload.len > 0) {
        memcpy(peer_frame_payload(frame), payload.data, payload.len);
    }
    peer_frame_seal(frame);
    return frame;
}

int peer_frame_header(const uint8_t header[PEER_FRAME_HEADER], size_t limit, size_t *ret_len)
{
    uint32_t len = load_le32(header);
    uint8_t type = header[FRAME_TYPE_AT];

    if (header[FRAME_VERSION_AT] != PEER_FRAME_VERSION) {
        return KVS_E_VERSION;
    }
    if (type == 0 || type >= PEER_FRAME_TYPE_COUNT || header[FRAME_RESERVED_AT] != 0 ||
        header[FRAME_RESERVED_AT + 1] != 0) {
        return KVS_E_MALFORMED;
    }
    if (len > limit || len > PEER_FRAME_BYTES_MAX) {
        return KVS_E_TOO_LONG;
    }
    *ret_len = len;
    return 0;
}

int peer_frame_open(const struct rcbuf *frame,
                    enum peer_frame_type *ret_type,
                    struct kvs_view *ret_payload)
{
    size_t len;
    int rc;

    if (frame->len < PEER_FRAME_HEADER) {
        return KVS_E_MALFORMED;
    }
    rc = peer_frame_header(frame->data, PEER_FRAME_BYTES_MAX, &len);
    if (rc != 0) {
        return rc == KVS_E_TOO_LONG ? KVS_E_MALFORMED : rc;
    }
    if (len != frame->len - PEER_FRAME_HEADER ||
        load_le64(frame->data + FRAME_SUM_AT) != frame_sum(frame->data, len)) {
        return KVS_E_MALFORMED;
    }
    *ret_type = (enum peer_frame_type)frame->data[FRAME_TYPE_AT];
    *ret_payload = (struct kvs_view){frame->data + PEER_FRAME_HEADER, len};
    return 0;
}

void peer_frame_split(const struct rcbuf *frame,
                      enum peer_frame_type *ret_type,
                      struct kvs_view *ret_payload)
{
    kvs_assert(frame->len >= PEER_FRAME_HEADER);
    *ret_type = (enum peer_frame_type)frame->data[FRAME_TYPE_AT];
    *ret_payload =
        (struct kvs_view){frame->data + PEER_FRAME_HEADER, frame->len - PEER_FRAME_HEADER};
}

static size_t hello_bytes(const struct peer_hello *hello)
{
    size_t len = HELLO_BYTES;

    kvs_assert(hello->n_urls <= PEER_HELLO_URLS_MAX);
    kvs_assert((hello->protocol == PEER_PROTOCOL_INTRODUCTION) == (hello->n_urls > 0));
    if (hello->n_urls > 0) {
        len += 4;
    }
    for (size_t i = 0; i < hello->n_urls; i++) {
        len += 4 + hello->urls[i].len;
    }
    return len;
}

static void hello_encode_urls(const struct peer_hello *hello, uint8_t *to)
{
    store_le32(to, (uint32_t)hello->n_urls);
    to += 4;
    for (size_t i = 0; i < hello->n_urls; i++) {
        const struct kvs_view *url = &hello->urls[i];

        kvs_assert(url->len > 0 && url->len <= PEER_HELLO_URL_BYTES_MAX);
        store_le32(to, (uint32_t)url->len);
        memcpy(to + 4, url->data, url->len);
        to += 4 + url->len;
    }
}

struct rcbuf *peer_hello_encode(enum peer_frame_type type, const struct peer_hello *hello)
{
    struct rcbuf *frame = peer_frame_new(type, hello_bytes(hello));
    uint8_t *to;

    if (frame == NULL) {
        return NULL;
    }
    to = peer_frame_payload(frame);
    store_le32(to, HELLO_MAGIC);
    store_le32(to + 4, hello->protocol);
    store_le32(to + 8, (uint32_t)hello->kind);
    store_le64(to + 12, hello->cluster_id);
    store_le64(to + 20, hello->from);
    store_le64(to + 28, hello->to);
    if (hello->n_urls > 0) {
        hello_encode_urls(hello, to + HELLO_BYTES);
    }
    peer_frame_seal(frame);
    return frame;
}

static bool hello_url_is_text(struct kvs_view url)
{
    const uint8_t *bytes = url.data;

    for (size_t i = 0; i < url.len; i++) {
        if (bytes[i] <= ' ' || bytes[i] > '~') {
            return false;
        }
    }
    return url.len > 0 && url.len <= PEER_HELLO_URL_BYTES_MAX;
}

/* `at`, `left`: what follows the fixed part. */
static int hello_decode_urls(const uint8_t *at, size_t left, struct peer_hello *hello)
{
    uint32_t n = left >= 4 ? load_le32(at) : 0;

    if (n == 0 || n > PEER_HELLO_URLS_MAX) {
        return KVS_E_MALFORMED;
    }
    at += 4;
    left -= 4;
    for (uint32_t i = 0; i < n; i++) {
        size_t len = left >= 4 ? load_le32(at) : left;

        if (left < 4 || len > left - 4) {
            return KVS_E_MALFORMED;
        }
        hello->urls[i] = (struct kvs_view){at + 4, len};
        if (!hello_url_is_text(hello->urls[i])) {
            return KVS_E_MALFORMED;
        }
        at += 4 + len;
        left -= 4 + len;
    }
    hello->n_urls = n;
    return left == 0 ? 0 : KVS_E_MALFORMED;
}

int peer_hello_decode(struct kvs_view payload, struct peer_hello *ret_hello)
{
    const uint8_t *from = payload.data;
    struct peer_hello h = {.n_urls = 0};
    uint32_t kind;
    int rc = 0;

    if (payload.len < HELLO_BYTES || load_le32(from) != HELLO_MAGIC) {
        return KVS_E_MALFORMED;
    }
    kind = load_le32(from + 8);
    if (kind < PEER_STREAM_RAFT || kind > PEER_STREAM_INFO) {
        return KVS_E_MALFORMED;
    }
    h.protocol = load_le32(from + 4);
    h.kind = (enum peer_stream_kind)kind;
    h.cluster_id = load_le64(from + 12);
    h.from = load_le64(from + 20);
    h.to = load_le64(from + 28);
    if (h.protocol == PEER_PROTOCOL && payload.len != HELLO_BYTES) {
        rc = KVS_E_MALFORMED;
    } else if (h.protocol == PEER_PROTOCOL_INTRODUCTION) {
        rc = hello_decode_urls(from + HELLO_BYTES, payload.len - HELLO_BYTES, &h);
    }
    if (rc == 0) {
        *ret_hello = h;
    }
    return rc;
}

struct rcbuf *peer_refused_encode(enum peer_refusal why)
{
    uint8_t code[REFUSED_BYTES];

    store_le32(code, (uint32_t)why);
    return peer_frame_copy(PEER_FRAME_REFUSED, (struct kvs_view){code, sizeof code});
}

int peer_refused_decode(struct kvs_view payload, enum peer_refusal *ret_why)
{
    uint32_t why;

    if (payload.len != REFUSED_BYTES) {
        return KVS_E_MALFORMED;
    }
    why = load_le32(payload.data);
    if (why == 0 || why >= PEER_REFUSED_COUNT) {
        return KVS_E_MALFORMED;
    }
    *ret_why = (enum peer_refusal)why;
    return 0;
}

struct rcbuf *peer_ping_encode(enum peer_frame_type type, uint64_t stamp)
{
    uint8_t bytes[PING_BYTES];

    store_le64(bytes, stamp);
    return peer_frame_copy(type, (struct kvs_view){bytes, sizeof bytes});
}

int peer_ping_decode(struct kvs_view payload, uint64_t *ret_stamp)
{
    if (payload.len != PING_BYTES) {
        return KVS_E_MALFORMED;
    }
    *ret_stamp = load_le64(payload.data);
    return 0;
}

const char *peer_refusal_text(enum peer_refusal why)
{
    switch (why) {
    case PEER_REFUSED_VERSION:
        return "protocol version not supported";
    case PEER_REFUSED_CLUSTER:
        return "cluster ID mismatch";
    case PEER_REFUSED_TARGET:
        return "another member listens there";
    case PEER_REFUSED_UNKNOWN:
        return "member is not known to the peer";
    case PEER_REFUSED_REMOVED:
        return "member was removed from the cluster";
    case PEER_REFUSED_COUNT:
        break;
    }
    return "unknown refusal";
}
