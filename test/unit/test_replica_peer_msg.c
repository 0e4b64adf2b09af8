/* Frames and messages between members: what is encoded comes back; nothing else is accepted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/rand.h"
#include "base/view.h"
#include "replica/peer_msg.h"
#include "replica/peer_parser.h"
#include "replica/replica.h"

enum { SEED = 20261123 };

static struct core_msg
random_msg(struct rng *r, struct core_entry *entries, size_t n_max, struct rcbuf *bytes)
{
    struct core_msg m = {
        .type = (enum core_msg_type)rng_below(r, CORE_MSG_TYPE_COUNT),
        .from = rng_next(r) | 1,
        .to = rng_next(r) | 1,
        .term = rng_next(r),
        .index = rng_next(r),
        .log_term = rng_next(r),
        .commit = rng_next(r),
        .context = rng_next(r),
        .hint_index = rng_next(r),
        .hint_term = rng_next(r),
        .status = -(int32_t)rng_below(r, 200),
        .reject = rng_percent(r, 50),
        .quiet = rng_percent(r, 50),
        .transfer = rng_percent(r, 50),
    };

    if (m.type == CORE_MSG_APPEND || m.type == CORE_MSG_FORWARD_PROPOSE) {
        m.n_entries = (size_t)rng_below(r, n_max + 1);
        m.entries = entries;
    }
    for (size_t i = 0; i < m.n_entries; i++) {
        size_t at = (size_t)rng_below(r, bytes->len);
        size_t len = (size_t)rng_below(r, bytes->len - at + 1);

        entries[i] = (struct core_entry){
            .term = rng_next(r),
            .type = (enum core_entry_type)rng_below(r, CORE_ENTRY_TYPE_COUNT),
            .data = {len > 0 ? bytes->data + at : NULL, len},
            .owner = len > 0 ? bytes : NULL,
        };
    }
    return m;
}

static void check_same(const struct core_msg *a, const struct core_msg *b, struct rcbuf *frame)
{
    assert_int_equal(a->type, b->type);
    assert_true(a->from == b->from && a->to == b->to && a->term == b->term);
    assert_true(a->index == b->index && a->log_term == b->log_term && a->commit == b->commit);
    assert_true(a->context == b->context && a->hint_index == b->hint_index);
    assert_true(a->hint_term == b->hint_term && a->status == b->status);
    assert_true(a->reject == b->reject && a->quiet == b->quiet && a->transfer == b->transfer);
    assert_int_equal(a->n_entries, b->n_entries);
    for (size_t i = 0; i < a->n_entries; i++) {
        assert_true(a->entries[i].term == b->entries[i].term);
        assert_int_equal(a->entries[i].type, b->entries[i].type);
        assert_true(view_equal(a->entries[i].data, b->entries[i].data));
        if (b->entries[i].data.len > 0) { /* A slice of the frame, not a copy. */
            const uint8_t *at = b->entries[i].data.data;

            assert_ptr_equal(b->entries[i].owner, frame);
            assert_true(at > frame->data && at < frame->data + frame->len);
        }
    }
}

static void test_round_trip(void **state)
{
    struct rcbuf *bytes = rcbuf_new(500);
    struct peer_entries scratch = {0};
    struct core_entry entries[40];
    struct rng r;

    (void)state;
    printf("seed %d\n", SEED);
    rng_init(&r, SEED);
    assert_non_null(bytes);
    for (size_t i = 0; i < bytes->len; i++) {
        bytes->data[i] = (uint8_t)rng_next(&r);
    }
    for (int n = 0; n < 2000; n++) {
        struct core_msg m = random_msg(&r, entries, 40, bytes);
        struct rcbuf *frame = peer_msg_encode(&m);
        enum peer_frame_type type;
        struct kvs_view payload;
        struct core_msg got;

        assert_non_null(frame);
        assert_int_equal(peer_frame_open(frame, &type, &payload), 0);
        assert_int_equal(type, PEER_FRAME_RAFT);
        assert_int_equal(peer_msg_decode(frame, payload, &scratch, &got), 0);
        check_same(&m, &got, frame);
        rcbuf_unref(frame);
    }
    peer_entries_fini(&scratch);
    rcbuf_unref(bytes);
}

/* Frames of every kind, small enough to try every byte of them. */
static struct rcbuf *sample(int which)
{
    static const uint8_t text[] = "some bytes of an entry";
    struct core_conf conf = {.voters = {.n = 3, .ids = {1, 2, 3}}};
    struct core_entry entries[2] = {
        {.term = 7, .type = CORE_ENTRY_DATA, .data = {text, sizeof text}},
        {.term = 8, .type = CORE_ENTRY_NOOP},
    };
    struct core_msg append = {
        .type = CORE_MSG_APPEND,
        .from = 1,
        .to = 2,
        .term = 8,
        .n_entries = 2,
        .entries = entries,
    };
    struct peer_snap_begin begin = {
        .transfer = 9,
        .size_bytes = 1 << 20,
        .msg = {.type = CORE_MSG_SNAPSHOT, .from = 1, .to = 2, .term = 8, .index = 50},
        .conf = conf,
    };
    struct peer_snap_ack ack = {.transfer = 9, .offset = 77, .status = KVS_E_BUSY};
    struct peer_hello hello = {
        .protocol = PEER_PROTOCOL,
        .kind = PEER_STREAM_RAFT,
        .cluster_id = 5,
        .from = 6,
        .to = 7,
    };
    struct rcbuf *frame = NULL;
    uint8_t *data;

    switch (which) {
    case 0:
        return peer_msg_encode(&append);
    case 1:
        assert_int_equal(peer_snap_begin_encode(&begin, &frame), 0);
        return frame;
    case 2:
        frame = peer_snap_chunk_new(9, 100, 10, &data);
        memcpy(data, "0123456789", 10);
        (void)peer_snap_chunk_seal(frame, 1234);
        return frame;
    case 3:
        return peer_snap_ack_encode(&ack);
    case 4:
        return peer_hello_encode(PEER_FRAME_HELLO, &hello);
    case 5:
        return peer_refused_encode(PEER_REFUSED_REMOVED);
    case 6:
        return peer_ping_encode(PEER_FRAME_PING, 99);
    case 7:
        hello.protocol = PEER_PROTOCOL_INTRODUCTION;
        hello.urls[0] = view_str("https://a:2380");
        hello.urls[1] = view_str("https://[::1]:2380");
        hello.n_urls = 2;
        return peer_hello_encode(PEER_FRAME_HELLO, &hello);
    default:
        return NULL;
    }
}

enum { SAMPLES = 8 };

static int decode(struct rcbuf *frame, enum peer_frame_type type, struct kvs_view payload)
{
    struct peer_entries entries = {0};
    struct peer_snap_begin begin;
    struct peer_snap_chunk chunk;
    struct peer_snap_ack ack;
    struct peer_hello hello;
    enum peer_refusal why;
    struct core_msg msg;
    uint64_t stamp;
    int rc = KVS_E_MALFORMED;

    switch ((int)type) {
    case PEER_FRAME_RAFT:
        rc = peer_msg_decode(frame, payload, &entries, &msg);
        peer_entries_fini(&entries);
        return rc;
    case PEER_FRAME_SNAP_BEGIN:
        return peer_snap_begin_decode(payload, &begin);
    case PEER_FRAME_SNAP_CHUNK:
        return peer_snap_chunk_decode(payload, &chunk);
    case PEER_FRAME_SNAP_ACK:
        return peer_snap_ack_decode(payload, &ack);
    case PEER_FRAME_HELLO:
        return peer_hello_decode(payload, &hello);
    case PEER_FRAME_REFUSED:
        return peer_refused_decode(payload, &why);
    case PEER_FRAME_PING:
        return peer_ping_decode(payload, &stamp);
    default:
        return rc;
    }
}

/* 0 if the bytes are one whole, right frame, as a connection would see them. */
static int receive(const uint8_t *bytes, size_t len)
{
    struct peer_parser parser = {0};
    struct kvs_view data = {bytes, len};
    enum peer_frame_type type;
    struct kvs_view payload;
    struct rcbuf *frame;
    int rc = peer_parser_next(&parser, &data, PEER_FRAME_BYTES_MAX, &frame);

    if (rc == 0 && frame == NULL) {
        rc = KVS_E_AGAIN;
    }
    if (rc == 0) {
        assert_int_equal(peer_frame_open(frame, &type, &payload), 0);
        rc = decode(frame, type, payload);
        rcbuf_unref(frame);
    }
    peer_parser_fini(&parser);
    return rc;
}

static void test_every_flipped_bit(void **state)
{
    (void)state;
    for (int s = 0; s < SAMPLES; s++) {
        struct rcbuf *frame = sample(s);
        uint8_t *bytes = kvs_malloc(frame->len);

        assert_non_null(bytes);
        memcpy(bytes, frame->data, frame->len);
        assert_int_equal(receive(bytes, frame->len), 0);
        for (size_t i = 0; i < frame->len * 8; i++) {
            bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
            assert_int_not_equal(receive(bytes, frame->len), 0);
            bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
        }
        kvs_free(bytes);
        rcbuf_unref(frame);
    }
}

static void test_every_truncation(void **state)
{
    (void)state;
    for (int s = 0; s < SAMPLES; s++) {
        struct rcbuf *frame = sample(s);
        size_t payload_len = frame->len - PEER_FRAME_HEADER;

        for (size_t len = 0; len < frame->len; len++) {
            assert_int_equal(receive(frame->data, len), KVS_E_AGAIN);
        }
        /* A shorter payload behind a right checksum; a chunk may have less data. */
        for (size_t len = 0; len < payload_len; len++) {
            struct kvs_view cut = {frame->data + PEER_FRAME_HEADER, len};
            enum peer_frame_type type = (enum peer_frame_type)frame->data[4];
            struct rcbuf *f = peer_frame_copy(type, cut);
            struct kvs_view payload;

            assert_non_null(f);
            assert_int_equal(peer_frame_open(f, &type, &payload), 0);
            if (type != PEER_FRAME_SNAP_CHUNK || len < PEER_SNAP_CHUNK_FIXED) {
                assert_int_equal(decode(f, type, payload), KVS_E_MALFORMED);
            }
            rcbuf_unref(f);
        }
        rcbuf_unref(frame);
    }
}

static void test_trailing_bytes(void **state)
{
    (void)state;
    for (int s = 0; s < SAMPLES; s++) {
        struct rcbuf *frame = sample(s);
        size_t len = frame->len - PEER_FRAME_HEADER;
        enum peer_frame_type type = (enum peer_frame_type)frame->data[4];
        struct rcbuf *f = peer_frame_new(type, len + 1);
        struct kvs_view payload;

        memcpy(peer_frame_payload(f), frame->data + PEER_FRAME_HEADER, len);
        peer_frame_payload(f)[len] = 0;
        peer_frame_seal(f);
        assert_int_equal(peer_frame_open(f, &type, &payload), 0);
        if (type != PEER_FRAME_SNAP_CHUNK) {
            assert_int_equal(decode(f, type, payload), KVS_E_MALFORMED);
        }
        rcbuf_unref(f);
        rcbuf_unref(frame);
    }
}

static int decode_hello(uint8_t *bytes, size_t len, struct peer_hello *ret_hello)
{
    struct kvs_view payload = {bytes, len};

    return peer_hello_decode(payload, ret_hello);
}

/* Introductions say where; any other HELLO has nothing more; of a protocol that is not known only
 * what all have in common is read, so that it can be refused with a reason. */
static void test_introduction(void **state)
{
    enum { FIXED = 36, FIRST = FIXED + 8 };
    struct rcbuf *frame = sample(7);
    uint8_t *bytes = peer_frame_payload(frame);
    size_t len = frame->len - PEER_FRAME_HEADER;
    struct peer_hello h;

    (void)state;
    assert_int_equal(decode_hello(bytes, len, &h), 0);
    assert_int_equal(h.n_urls, 2);
    assert_true(view_equal_str(h.urls[0], "https://a:2380"));
    assert_true(view_equal_str(h.urls[1], "https://[::1]:2380"));
    assert_true(h.cluster_id == 5 && h.from == 6 && h.to == 7);
    bytes[FIRST] = ' ';
    assert_int_equal(decode_hello(bytes, len, &h), KVS_E_MALFORMED);
    bytes[FIRST] = 0;
    assert_int_equal(decode_hello(bytes, len, &h), KVS_E_MALFORMED);
    bytes[FIRST] = 'h';
    store_le32(bytes + FIXED, 0);
    assert_int_equal(decode_hello(bytes, len, &h), KVS_E_MALFORMED);
    store_le32(bytes + FIXED, PEER_HELLO_URLS_MAX + 1);
    assert_int_equal(decode_hello(bytes, len, &h), KVS_E_MALFORMED);
    store_le32(bytes + FIXED, 2);
    store_le32(bytes + FIXED + 4, UINT32_MAX);
    assert_int_equal(decode_hello(bytes, len, &h), KVS_E_MALFORMED);
    store_le32(bytes + 4, PEER_PROTOCOL);
    assert_int_equal(decode_hello(bytes, len, &h), KVS_E_MALFORMED);
    assert_int_equal(decode_hello(bytes, FIXED, &h), 0);
    assert_int_equal(h.n_urls, 0);
    store_le32(bytes + 4, PEER_PROTOCOL_INTRODUCTION + 1);
    assert_int_equal(decode_hello(bytes, len, &h), 0);
    assert_int_equal(h.protocol, PEER_PROTOCOL_INTRODUCTION + 1);
    assert_int_equal(h.n_urls, 0);
    rcbuf_unref(frame);
}

/* A count of entries that the bytes cannot hold must not cost memory. */
static void test_huge_counts(void **state)
{
    struct core_msg m = {.type = CORE_MSG_APPEND, .from = 1, .to = 2};
    struct rcbuf *frame = peer_msg_encode(&m);
    struct peer_entries entries = {0};
    struct core_msg got;
    uint8_t header[PEER_FRAME_HEADER];
    size_t len;

    (void)state;
    assert_non_null(frame);
    store_le32(peer_frame_payload(frame) + 80, UINT32_MAX);
    assert_int_equal(peer_msg_decode(frame,
                                     (struct kvs_view){peer_frame_payload(frame), PEER_MSG_FIXED},
                                     &entries, &got),
                     KVS_E_MALFORMED);
    assert_null(entries.items);
    memcpy(header, frame->data, sizeof header);
    store_le32(header, UINT32_MAX);
    assert_int_equal(peer_frame_header(header, SIZE_MAX, &len), KVS_E_TOO_LONG);
    store_le32(header, PEER_HELLO_BYTES_MAX + 1);
    assert_int_equal(peer_frame_header(header, PEER_HELLO_BYTES_MAX, &len), KVS_E_TOO_LONG);
    header[5] = PEER_FRAME_VERSION + 1;
    assert_int_equal(peer_frame_header(header, PEER_HELLO_BYTES_MAX, &len), KVS_E_VERSION);
    rcbuf_unref(frame);
}

/* The largest entry that a replica takes passes; one that fills a frame has no room for its head.
 */
static void test_largest_entry(void **state)
{
    struct rcbuf *bytes = rcbuf_new(PEER_FRAME_BYTES_MAX);
    struct peer_entries scratch = {0};
    struct core_entry entry = {.term = 1, .type = CORE_ENTRY_DATA, .owner = bytes};
    struct core_msg m = {
        .type = CORE_MSG_FORWARD_PROPOSE, .from = 1, .to = 2, .entries = &entry, .n_entries = 1};
    struct peer_parser parser = {0};
    struct kvs_view stream;
    struct core_msg got;
    struct rcbuf *frame;
    struct rcbuf *parsed;
    enum peer_frame_type type;
    struct kvs_view payload;

    (void)state;
    assert_non_null(bytes);
    memset(bytes->data, 'x', bytes->len);
    entry.data = (struct kvs_view){bytes->data, REPLICA_ENTRY_BYTES_MAX};
    frame = peer_msg_encode(&m);
    assert_non_null(frame);
    stream = rcbuf_view(frame);
    assert_int_equal(peer_parser_next(&parser, &stream, PEER_FRAME_BYTES_MAX, &parsed), 0);
    assert_non_null(parsed);
    assert_int_equal(peer_frame_open(parsed, &type, &payload), 0);
    assert_int_equal(peer_msg_decode(parsed, payload, &scratch, &got), 0);
    check_same(&m, &got, parsed);
    entry.data.len = PEER_FRAME_BYTES_MAX;
    assert_null(peer_msg_encode(&m));
    rcbuf_unref(parsed);
    rcbuf_unref(frame);
    peer_parser_fini(&parser);
    peer_entries_fini(&scratch);
    rcbuf_unref(bytes);
}

/* Many frames in pieces of every size give the same frames. */
static void test_parser_in_pieces(void **state)
{
    struct rcbuf *all[SAMPLES];
    uint8_t stream[2048];
    size_t len = 0;

    (void)state;
    for (int s = 0; s < SAMPLES; s++) {
        all[s] = sample(s);
        assert_true(len + all[s]->len <= sizeof stream);
        memcpy(stream + len, all[s]->data, all[s]->len);
        len += all[s]->len;
    }
    for (size_t piece = 1; piece <= len; piece++) {
        struct peer_parser parser = {0};
        int seen = 0;

        for (size_t at = 0; at < len; at += piece) {
            struct kvs_view data = {stream + at, len - at < piece ? len - at : piece};
            struct rcbuf *frame;

            do {
                assert_int_equal(peer_parser_next(&parser, &data, PEER_FRAME_BYTES_MAX, &frame), 0);
                if (frame != NULL) {
                    assert_true(view_equal(rcbuf_view(frame), rcbuf_view(all[seen])));
                    seen++;
                    rcbuf_unref(frame);
                }
            } while (frame != NULL);
            assert_int_equal(data.len, 0);
        }
        assert_int_equal(seen, SAMPLES);
        peer_parser_fini(&parser);
    }
    for (int s = 0; s < SAMPLES; s++) {
        rcbuf_unref(all[s]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),       cmocka_unit_test(test_every_flipped_bit),
        cmocka_unit_test(test_every_truncation), cmocka_unit_test(test_trailing_bytes),
        cmocka_unit_test(test_huge_counts),      cmocka_unit_test(test_parser_in_pieces),
        cmocka_unit_test(test_introduction),
        cmocka_unit_test(test_largest_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
