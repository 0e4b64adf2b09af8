/* Byte codec of what members tell each other, inside the frames of peer_frame.h: messages of the
 * core with their entries, and the three frames that carry a snapshot.
 *
 * Entries of a decoded message are slices of the received frame: the core references the frame, no
 * byte is copied. Whatever encode would not have produced is KVS_E_MALFORMED. Pure functions. */
#ifndef REPLICA_PEER_MSG_H
#define REPLICA_PEER_MSG_H

#include "base/attr.h"
#include "replica/core.h"
#include "replica/peer_frame.h"

enum {
    PEER_MSG_FIXED = 88,          /* bytes of a message without entries */
    PEER_MSG_ENTRY_FIXED = 16,    /* bytes before an entry's data */
    PEER_MSG_ENTRIES_MAX = 65536, /* in one message */
    PEER_SNAP_CHUNK_FIXED = 24,
};

/* Where the entries of a decoded message are put; kept from message to message. Zero it. */
struct peer_entries {
    struct core_entry *items;
    size_t capacity;
};

void peer_entries_fini(struct peer_entries *e);

/* A sealed PEER_FRAME_RAFT. NULL if out of memory or above PEER_FRAME_BYTES_MAX. Copies. */
KVS_MUST_USE struct rcbuf *peer_msg_encode(const struct core_msg *msg);

/* Decodes the payload of `frame` (which has been opened). `ret_msg` borrows from `entries` and
 * `frame`. KVS_E_MALFORMED, KVS_E_NOMEM. */
KVS_MUST_USE int peer_msg_decode(struct rcbuf *frame,
                                 struct kvs_view payload,
                                 struct peer_entries *entries,
                                 struct core_msg *ret_msg);

/* A snapshot begins: the core's announcement, size and configuration. */
struct peer_snap_begin {
    uint64_t transfer; /* names this transfer in the frames that follow */
    uint64_t size_bytes;
    struct core_msg msg; /* CORE_MSG_SNAPSHOT */
    struct core_conf conf;
};

KVS_MUST_USE int peer_snap_begin_encode(const struct peer_snap_begin *begin,
                                        struct rcbuf **ret_frame);
KVS_MUST_USE int peer_snap_begin_decode(struct kvs_view payload, struct peer_snap_begin *ret_begin);

/* A piece. `chain` is the checksum of its data seeded with the chain of the piece before (the
 * transfer's id for the first): the last one vouches for all of them and their order. */
struct peer_snap_chunk {
    uint64_t transfer;
    uint64_t offset;
    uint64_t chain;
    struct kvs_view data;
};

/* An unsealed frame with room for `len` bytes of data, which start at `*ret_data`. NULL if out of
 * memory. */
KVS_MUST_USE struct rcbuf *
peer_snap_chunk_new(uint64_t transfer, uint64_t offset, size_t len, uint8_t **ret_data);

/* Once the data are there: computes the chain after `chain` and seals. Returns the new chain. */
uint64_t peer_snap_chunk_seal(struct rcbuf *frame, uint64_t chain);

KVS_MUST_USE int peer_snap_chunk_decode(struct kvs_view payload, struct peer_snap_chunk *ret_chunk);

/* The receiver's word: how much it has written, or how it ended. Sent on the raft stream. */
struct peer_snap_ack {
    uint64_t transfer;
    uint64_t offset; /* bytes taken so far */
    int32_t status;  /* 0, or why the transfer is over */
    bool installed;
};

KVS_MUST_USE struct rcbuf *peer_snap_ack_encode(const struct peer_snap_ack *ack);
KVS_MUST_USE int peer_snap_ack_decode(struct kvs_view payload, struct peer_snap_ack *ret_ack);

#endif
