/* Cuts a byte stream into frames. The frame is allocated once its header has been checked, and
 * filled in place: entries decoded from it are never copied again. Pure. */
#ifndef REPLICA_PEER_PARSER_H
#define REPLICA_PEER_PARSER_H

#include "replica/peer_frame.h"

/* Zero it. */
struct peer_parser {
    uint8_t header[PEER_FRAME_HEADER];
    size_t header_len;
    struct rcbuf *frame; /* being filled */
    size_t frame_len;
};

void peer_parser_fini(struct peer_parser *p);

/* Takes bytes from the front of `data` until a frame is whole (`*ret_frame`, the caller's
 * reference, checksum verified) or there are no more (`*ret_frame` NULL). `limit` bounds the
 * payload. KVS_E_MALFORMED, KVS_E_TOO_LONG, KVS_E_VERSION, KVS_E_NOMEM: cut the connection. */
KVS_MUST_USE int peer_parser_next(struct peer_parser *p,
                                  struct kvs_view *data,
                                  size_t limit,
                                  struct rcbuf **ret_frame);

#endif
