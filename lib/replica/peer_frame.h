/* Frames between members: the envelope of everything that is sent on a peer connection.
 *
 *     0        4      5         6          8            16
 *     | length | type | version | reserved | checksum64 | payload (length bytes)
 *
 * Integers are little-endian. The checksum covers the payload and, as its seed, the first eight
 * bytes, so that no byte of a frame can change unseen. A frame is one rcbuf: entries decoded from
 * it are slices of it. Pure functions, any thread. */
#ifndef REPLICA_PEER_FRAME_H
#define REPLICA_PEER_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/rcbuf.h"
#include "kvstore/types.h"

enum {
    PEER_FRAME_HEADER = 16,
    PEER_FRAME_VERSION = 1,
    PEER_FRAME_BYTES_MAX = 64 << 20, /* of payload: more than any batch of entries */
    PEER_HELLO_BYTES_MAX = 4096,     /* before the peer is known */
};

enum peer_frame_type {
    PEER_FRAME_HELLO = 1, /* handshake, dialling side */
    PEER_FRAME_WELCOME,   /* handshake, accepting side */
    PEER_FRAME_REFUSED,   /* handshake failed; the connection is closed after it */
    PEER_FRAME_PING,
    PEER_FRAME_PONG,
    PEER_FRAME_INFO, /* answer to a HELLO that asks who is there */
    PEER_FRAME_RAFT, /* a message of the core */
    PEER_FRAME_APP,  /* a message of the owner */
    PEER_FRAME_SNAP_BEGIN,
    PEER_FRAME_SNAP_CHUNK,
    PEER_FRAME_SNAP_ACK,
    PEER_FRAME_TYPE_COUNT,
};

/* A frame with `len` payload bytes to be filled in (peer_frame_payload), then sealed. NULL if out
 * of memory. */
KVS_MUST_USE struct rcbuf *peer_frame_new(enum peer_frame_type type, size_t len);

static inline uint8_t *peer_frame_payload(struct rcbuf *frame)
{
    return frame->data + PEER_FRAME_HEADER;
}

/* Writes the checksum; afterwards the frame is not written to. */
void peer_frame_seal(struct rcbuf *frame);

/* Copies `payload` into a sealed frame. NULL if out of memory. */
KVS_MUST_USE struct rcbuf *peer_frame_copy(enum peer_frame_type type, struct kvs_view payload);

/* Reads the first PEER_FRAME_HEADER bytes of a frame: how many bytes of payload follow.
 * KVS_E_MALFORMED; KVS_E_TOO_LONG above `limit`; KVS_E_VERSION. */
KVS_MUST_USE int
peer_frame_header(const uint8_t header[PEER_FRAME_HEADER], size_t limit, size_t *ret_len);

/* Verifies a whole frame. `ret_payload` borrows from it. KVS_E_MALFORMED, KVS_E_VERSION. */
KVS_MUST_USE int peer_frame_open(const struct rcbuf *frame,
                                 enum peer_frame_type *ret_type,
                                 struct kvs_view *ret_payload);

/* The same for a frame that has been verified (as all that a transport delivers have been). */
void peer_frame_split(const struct rcbuf *frame,
                      enum peer_frame_type *ret_type,
                      struct kvs_view *ret_payload);

/* What both sides tell each other before anything else. */
enum peer_stream_kind {
    PEER_STREAM_RAFT = 1,
    PEER_STREAM_SNAPSHOT,
    PEER_STREAM_INFO, /* no member yet: asks for the cluster's description */
};

enum peer_refusal {
    PEER_REFUSED_VERSION = 1,
    PEER_REFUSED_CLUSTER, /* another cluster id */
    PEER_REFUSED_TARGET,  /* we are not the member that was dialled */
    PEER_REFUSED_UNKNOWN, /* the dialling member is not known here (yet) */
    PEER_REFUSED_REMOVED, /* the dialling member was removed for good */
    PEER_REFUSED_COUNT,
};

/* Protocol 1 is what every version speaks. A HELLO of protocol 2 is an introduction: the same, and
 * where `from` can be reached. It follows only upon PEER_REFUSED_UNKNOWN, so that members of older
 * versions are met as ever; they know no introductions and stay with their refusal. */
enum {
    PEER_PROTOCOL = 1,
    PEER_PROTOCOL_INTRODUCTION = 2,
};

enum {
    PEER_HELLO_URLS_MAX = 8,
    PEER_HELLO_URL_BYTES_MAX = 280,
};

struct peer_hello {
    uint32_t protocol;
    enum peer_stream_kind kind;
    uint64_t cluster_id;
    uint64_t from;
    uint64_t to;
    /* Of an introduction, else none: one at least, printable ASCII. Borrowed. */
    struct kvs_view urls[PEER_HELLO_URLS_MAX];
    size_t n_urls;
};

/* Sealed frames; NULL if out of memory. A WELCOME has the accepting side's view, in protocol 1. */
KVS_MUST_USE struct rcbuf *peer_hello_encode(enum peer_frame_type type,
                                             const struct peer_hello *hello);
KVS_MUST_USE struct rcbuf *peer_refused_encode(enum peer_refusal why);
KVS_MUST_USE struct rcbuf *peer_ping_encode(enum peer_frame_type type, uint64_t stamp);

/* KVS_E_MALFORMED. `ret_hello` borrows from `payload`. Of an unknown protocol nothing is read but
 * what all have in common. */
KVS_MUST_USE int peer_hello_decode(struct kvs_view payload, struct peer_hello *ret_hello);
KVS_MUST_USE int peer_refused_decode(struct kvs_view payload, enum peer_refusal *ret_why);
KVS_MUST_USE int peer_ping_decode(struct kvs_view payload, uint64_t *ret_stamp);

/* "cluster id mismatch" and so on. Static. */
const char *peer_refusal_text(enum peer_refusal why);

#endif
