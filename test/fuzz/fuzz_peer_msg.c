/* What a peer may send, on arbitrary bytes. The first byte chooses: a byte stream through the
 * parser as it comes from a socket, or one payload in a rightly sealed frame, so that the decoders
 * are reached behind the checksum. What decodes must encode to the same bytes again. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/view.h"
#include "replica/peer_msg.h"
#include "replica/peer_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct rcbuf *a, struct rcbuf *b)
{
    kvs_assert(b != NULL && view_equal(rcbuf_view(a), rcbuf_view(b)));
    rcbuf_unref(b);
}

static void fuzz_payload(struct rcbuf *frame, enum peer_frame_type type, struct kvs_view payload)
{
    struct peer_entries entries = {0};
    struct peer_snap_begin begin;
    struct peer_snap_chunk chunk;
    struct peer_snap_ack ack;
    struct peer_hello hello;
    enum peer_refusal why;
    struct core_msg msg;
    struct rcbuf *again;
    uint64_t stamp;

    if (type == PEER_FRAME_RAFT && peer_msg_decode(frame, payload, &entries, &msg) == 0) {
        same(frame, peer_msg_encode(&msg));
    }
    peer_entries_fini(&entries);
    if (type == PEER_FRAME_SNAP_BEGIN && peer_snap_begin_decode(payload, &begin) == 0) {
        kvs_assert(peer_snap_begin_encode(&begin, &again) == 0);
        same(frame, again);
    }
    if (type == PEER_FRAME_SNAP_ACK && peer_snap_ack_decode(payload, &ack) == 0) {
        same(frame, peer_snap_ack_encode(&ack));
    }
    if (type == PEER_FRAME_SNAP_CHUNK && peer_snap_chunk_decode(payload, &chunk) == 0) {
        kvs_assert(chunk.data.len == payload.len - PEER_SNAP_CHUNK_FIXED);
    }
    if ((type == PEER_FRAME_HELLO || type == PEER_FRAME_WELCOME) &&
        peer_hello_decode(payload, &hello) == 0 && hello.protocol <= PEER_PROTOCOL_INTRODUCTION &&
        hello.protocol > 0) {
        same(frame, peer_hello_encode(type, &hello));
    }
    if (type == PEER_FRAME_REFUSED && peer_refused_decode(payload, &why) == 0) {
        same(frame, peer_refused_encode(why));
    }
    if (type == PEER_FRAME_PING && peer_ping_decode(payload, &stamp) == 0) {
        same(frame, peer_ping_encode(type, stamp));
    }
}

static void fuzz_frame(struct rcbuf *frame)
{
    enum peer_frame_type type;
    struct kvs_view payload;

    if (peer_frame_open(frame, &type, &payload) == 0) {
        fuzz_payload(frame, type, payload);
    }
}

static void fuzz_stream(struct kvs_view data)
{
    struct peer_parser parser = {0};
    struct rcbuf *frame;

    while (peer_parser_next(&parser, &data, 1 << 20, &frame) == 0 && frame != NULL) {
        fuzz_frame(frame);
        rcbuf_unref(frame);
    }
    peer_parser_fini(&parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rcbuf *frame;

    if (size == 0) {
        return 0;
    }
    if (data[0] == 0 || data[0] >= PEER_FRAME_TYPE_COUNT) {
        fuzz_stream(view_make(data + 1, size - 1));
        return 0;
    }
    frame = peer_frame_copy((enum peer_frame_type)data[0], view_make(data + 1, size - 1));
    if (frame != NULL) {
        fuzz_frame(frame);
        rcbuf_unref(frame);
    }
    return 0;
}
