/* An HTTP/2 connection: arbitrary bytes behind the preface, or a recipe of well-formed frames, so
 * that what lies behind HPACK and framing is reached. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "rpc_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t take(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->at++;
}

static void send_frame(
    struct stream *s, uint8_t type, uint8_t flags, uint32_t id, const uint8_t *payload, size_t len)
{
    uint8_t frame[9 + 4200];

    store_be32(frame, (uint32_t)len << 8);
    frame[3] = type;
    frame[4] = flags;
    store_be32(frame + 5, id);
    if (len > 0) {
        memcpy(frame + 9, payload, len);
    }
    fake_receive(service_loop, s, frame, 9 + len);
}

static size_t put_field(uint8_t *to, const char *name, const char *value, size_t value_len)
{
    size_t n = strlen(name);

    to[0] = 0;
    to[1] = (uint8_t)n;
    memcpy(to + 2, name, n);
    to[2 + n] = (uint8_t)value_len;
    memcpy(to + 3 + n, value, value_len);
    return 3 + n + value_len;
}

static void send_headers(struct stream *s, struct input *in, uint32_t id, uint8_t flags)
{
    static const char *const extras[] = {"grpc-timeout", "grpc-encoding", "x-bin", "token"};
    uint8_t choice = take(in);
    char path[] = "/t.T/A";
    uint8_t block[400];
    char value[60];
    size_t len = take(in) % sizeof value;
    size_t n = 0;

    path[5] = (char)('A' + choice % 6);
    for (size_t i = 0; i < len; i++) {
        value[i] = (char)(' ' + take(in) % 95);
    }
    n += put_field(block + n, ":method", choice & 0x80 ? "GET" : "POST", choice & 0x80 ? 3 : 4);
    n += put_field(block + n, ":scheme", "http", 4);
    n += put_field(block + n, ":path", path, sizeof path - 1);
    n += put_field(block + n, ":authority", "fuzz", 4);
    if ((choice & 0x40) == 0) {
        n += put_field(block + n, "content-type", "application/grpc", 16);
    }
    n += put_field(block + n, extras[choice % 4], value, len);
    send_frame(s, 1, flags | 4, id, block, n);
}

/* A body whose first bytes look like the prefix of a message. */
static void send_data(struct stream *s, struct input *in, uint32_t id, uint8_t flags)
{
    uint8_t body[4200] = {0};
    size_t len = take(in);
    size_t n = take(in);

    n = n >= 250 ? 4200 : n;
    store_be32(body + 1, (uint32_t)len * ((len & 1) + 1));
    for (size_t i = 5; i < n && in->left > 0 && i < 20; i++) {
        body[i] = take(in);
    }
    body[0] = len == 200 ? 1 : 0;
    send_frame(s, 0, flags, id, body, n);
}

static void recipe(struct stream *s, struct input *in)
{
    uint32_t next_id = 1;

    while (in->left > 0 && !s->closing) {
        uint8_t op = take(in);
        uint32_t id = op & 0x80 ? (uint32_t)(take(in) % 32) * 2 + 1 : next_id;
        uint8_t word[8] = {0};

        switch (op % 12) {
        case 0:
        case 1:
        case 2:
            send_headers(s, in, next_id, op & 1);
            next_id += 2;
            break;
        case 3:
        case 4:
        case 5:
            send_data(s, in, id > 2 && (op & 0x80) == 0 ? id - 2 : id, (op >> 4) & 1);
            break;
        case 6:
            word[3] = 8;
            send_frame(s, 3, 0, id, word, 4);
            break;
        case 7:
            send_frame(s, 6, op >> 4 & 1, 0, word, 8);
            break;
        case 8:
            word[1] = take(in);
            word[3] = 1;
            send_frame(s, 8, 0, op & 0x40 ? id : 0, word, 4);
            break;
        case 9: /* SETTINGS: initial window, small and large */
            word[1] = 4;
            word[3] = op & 0x40 ? 1 : 0;
            word[4] = take(in);
            send_frame(s, 4, 0, 0, word, 6);
            break;
        case 10:
            s->deaf = !s->deaf;
            break;
        default:
            service_unpark();
            fake_receive(service_loop, s, NULL, 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    struct input in = {data, size};
    struct stream s;
    uint8_t mode = take(&in);

    service_init();
    fake_accept(&s);
    if (mode < 250) {
        fake_receive(service_loop, &s, preface, sizeof preface - 1);
    }
    if (mode % 2 == 0) {
        recipe(&s, &in);
    } else {
        size_t piece = (size_t)take(&in) * 8 + 1;

        while (in.left > 0) {
            size_t n = piece < in.left ? piece : in.left;

            fake_receive(service_loop, &s, in.at, n);
            in.at += n;
            in.left -= n;
        }
    }
    fake_end(service_loop, &s);
    service_check_idle();
    return 0;
}
