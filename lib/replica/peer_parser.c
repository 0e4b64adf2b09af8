/* See peer_parser.h: bytes in, verified frames out. */
#include "replica/peer_parser.h"

#include <string.h>

#include "base/assert.h"

void peer_parser_fini(struct peer_parser *p)
{
    rcbuf_unref(p->frame);
    *p = (struct peer_parser){0};
}

static size_t parser_take(void *to, size_t have, size_t want, struct kvs_view *data)
{
    size_t n = want - have < data->len ? want - have : data->len;

    if (n > 0) {
        memcpy((uint8_t *)to + have, data->data, n);
        data->data = (const uint8_t *)data->data + n;
        data->len -= n;
    }
    return have + n;
}

static int parser_begin(struct peer_parser *p, size_t limit)
{
    size_t len;
    int rc = peer_frame_header(p->header, limit, &len);

    if (rc != 0) {
        return rc;
    }
    p->frame = rcbuf_new(PEER_FRAME_HEADER + len);
    if (p->frame == NULL) {
        return KVS_E_NOMEM;
    }
    memcpy(p->frame->data, p->header, PEER_FRAME_HEADER);
    p->frame_len = PEER_FRAME_HEADER;
    return 0;
}

int peer_parser_next(struct peer_parser *p,
                     struct kvs_view *data,
                     size_t limit,
                     struct rcbuf **ret_frame)
{
    enum peer_frame_type type;
    struct kvs_view payload;
    int rc;

    *ret_frame = NULL;
    if (p->frame == NULL) {
        p->header_len = parser_take(p->header, p->header_len, PEER_FRAME_HEADER, data);
        if (p->header_len < PEER_FRAME_HEADER) {
            return 0;
        }
        rc = parser_begin(p, limit);
        if (rc != 0) {
            return rc;
        }
    }
    p->frame_len = parser_take(p->frame->data, p->frame_len, p->frame->len, data);
    if (p->frame_len < p->frame->len) {
        return 0;
    }
    rc = peer_frame_open(p->frame, &type, &payload);
    if (rc != 0) {
        return rc;
    }
    *ret_frame = p->frame;
    p->frame = NULL;
    p->header_len = 0;
    return 0;
}
