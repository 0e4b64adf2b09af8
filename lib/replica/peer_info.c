/* The question of a process that wants to join: HELLO with kind INFO, one INFO frame back. It knows
 * no ids yet, so none are checked; TLS says whether the other side is to be believed. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "replica/peer_transport_int.h"

enum { INFO_FIXED = 16, INFO_BYTES_MAX = 4 << 20 };

struct info_state {
    struct peer_info_request *request;
    struct stream *stream;
    struct peer_parser parser;
    struct loop_timer timer;
    struct rcbuf *answer;
    int status;
};

static void info_end(struct info_state *s, int status)
{
    s->status = status;
    stream_close(s->stream);
}

static void info_timer_cb(struct loop_timer *timer)
{
    info_end(container_of(timer, struct info_state, timer), KVS_E_TIMEOUT);
}

static void info_on_open(void *ctx)
{
    struct info_state *s = ctx;
    struct peer_hello hello = {.protocol = PEER_PROTOCOL, .kind = PEER_STREAM_INFO};
    struct rcbuf *frame = peer_hello_encode(PEER_FRAME_HELLO, &hello);

    if (frame == NULL || stream_write_ref(s->stream, frame, frame->data, frame->len) != 0) {
        info_end(s, KVS_E_NOMEM);
    }
    rcbuf_unref(frame);
}

static void info_on_data(void *ctx, struct kvs_view data)
{
    struct info_state *s = ctx;
    enum peer_frame_type type;
    struct kvs_view payload;
    struct rcbuf *frame;
    int rc;

    if (s->answer != NULL || s->status != 0) {
        return;
    }
    rc = peer_parser_next(&s->parser, &data, INFO_BYTES_MAX, &frame);
    if (rc == 0 && frame == NULL) {
        return;
    }
    if (rc == 0) {
        rc = peer_frame_open(frame, &type, &payload);
        s->answer = frame;
    }
    if (rc == 0 && (type != PEER_FRAME_INFO || payload.len < INFO_FIXED)) {
        rc = KVS_E_MALFORMED;
    }
    info_end(s, rc);
}

static void info_answer(struct info_state *s)
{
    struct peer_info_request *q = s->request;
    const uint8_t *payload = s->answer->data + PEER_FRAME_HEADER;
    size_t len = s->answer->len - PEER_FRAME_HEADER;

    q->cluster_id = load_le64(payload);
    q->member_id = load_le64(payload + 8);
    q->info = (struct kvs_view){payload + INFO_FIXED, len - INFO_FIXED};
}

static void info_on_close(void *ctx, int err, const char *text)
{
    struct info_state *s = ctx;
    struct peer_info_request *q = s->request;
    struct rcbuf *answer = s->answer;

    loop_timer_stop(&s->timer);
    q->status = s->status != 0 ? s->status : err;
    if (q->status == 0 && answer == NULL) {
        q->status = KVS_E_CONNECT;
    }
    if (q->status == 0) {
        info_answer(s);
    } else {
        (void)snprintf(q->text, sizeof q->text, "%s",
                       s->status == 0 && text != NULL ? text : kvs_strerror(q->status));
    }
    q->state = NULL;
    peer_parser_fini(&s->parser);
    kvs_free(s);
    q->cb(q);
    rcbuf_unref(answer);
}

static const struct stream_ops info_ops = {
    .on_open = info_on_open,
    .on_data = info_on_data,
    .on_close = info_on_close,
};

int peer_info_fetch(struct loop *loop,
                    const struct net_addr *addr,
                    struct tls_context *tls,
                    unsigned timeout_ms,
                    struct peer_info_request *request)
{
    struct info_state *s = kvs_calloc(1, sizeof *s);
    int rc;

    if (s == NULL) {
        return KVS_E_NOMEM;
    }
    s->request = request;
    request->status = 0;
    request->info = (struct kvs_view){0};
    request->text[0] = '\0';
    request->state = s;
    loop_timer_init(loop, &s->timer, info_timer_cb);
    rc = stream_connect(loop, addr, addr->tls ? tls : NULL, NULL, &info_ops, s, &s->stream);
    if (rc != 0) {
        kvs_free(s);
        return rc;
    }
    loop_timer_start(&s->timer, timeout_ms);
    return 0;
}
