#include "apply/codec.h"

#include "apply/entry.h"
#include "base/bytes.h"

#define VARINT_BYTES_MAX 10

void reader_init(struct reader *r, struct kvs_view bytes)
{
    r->at = bytes.len > 0 ? bytes.data : (const uint8_t *)"";
    r->end = r->at + bytes.len;
    r->err = 0;
}

void reader_fail(struct reader *r, int err)
{
    if (r->err == 0) {
        r->err = err;
    }
    r->at = r->end;
}

uint8_t read_u8(struct reader *r)
{
    if (r->at == r->end) {
        reader_fail(r, KVS_E_MALFORMED);
        return 0;
    }
    return *r->at++;
}

uint64_t read_le64(struct reader *r)
{
    uint64_t value;

    if (reader_left(r) < sizeof value) {
        reader_fail(r, KVS_E_MALFORMED);
        return 0;
    }
    value = load_le64(r->at);
    r->at += sizeof value;
    return value;
}

uint64_t read_varint(struct reader *r)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        uint8_t byte = read_u8(r);

        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            bool overlong = i > 0 && byte == 0;
            bool overflow = i == VARINT_BYTES_MAX - 1 && byte > 1;

            if (overlong || overflow) {
                break;
            }
            return value;
        }
    }
    reader_fail(r, KVS_E_MALFORMED);
    return 0;
}

int64_t read_signed(struct reader *r)
{
    uint64_t value = read_varint(r);

    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

int read_int(struct reader *r)
{
    int64_t value = read_signed(r);

    if (value < INT32_MIN || value > INT32_MAX) {
        reader_fail(r, KVS_E_MALFORMED);
        return 0;
    }
    return (int)value;
}

struct kvs_view read_bytes(struct reader *r, size_t max)
{
    uint64_t len = read_varint(r);
    struct kvs_view bytes = {r->at, 0};

    if (len > reader_left(r)) {
        reader_fail(r, KVS_E_MALFORMED);
        return bytes;
    }
    if (len > max) {
        reader_fail(r, KVS_E_TOO_LONG);
        return bytes;
    }
    bytes.len = (size_t)len;
    r->at += bytes.len;
    return bytes;
}

unsigned read_flags(struct reader *r, unsigned known)
{
    unsigned flags = read_u8(r);

    if ((flags & ~known) != 0) {
        reader_fail(r, KVS_E_MALFORMED);
        return 0;
    }
    return flags;
}

size_t read_count(struct reader *r, size_t max, size_t bytes_each)
{
    uint64_t n = read_varint(r);

    if (n > reader_left(r) / bytes_each) {
        reader_fail(r, KVS_E_MALFORMED);
        return 0;
    }
    if (n > max) {
        reader_fail(r, KVS_E_TOO_LONG);
        return 0;
    }
    return (size_t)n;
}

struct kvs_view *read_urls(struct reader *r, struct arena *arena, size_t *ret_n)
{
    size_t n = read_count(r, APPLY_URLS_MAX, 1);
    struct kvs_view *urls = NULL;

    *ret_n = 0;
    if (n == 0) {
        return NULL;
    }
    urls = arena_calloc(arena, n, sizeof *urls);
    if (urls == NULL) {
        reader_fail(r, KVS_E_NOMEM);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        urls[i] = read_bytes(r, APPLY_URL_BYTES_MAX);
    }
    *ret_n = n;
    return urls;
}

int reader_finish(const struct reader *r)
{
    if (r->err != 0) {
        return r->err;
    }
    return r->at == r->end ? 0 : KVS_E_MALFORMED;
}

void write_varint(struct buf *to, uint64_t value)
{
    while (value >= 0x80) {
        buf_append_u8(to, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    buf_append_u8(to, (uint8_t)value);
}

void write_signed(struct buf *to, int64_t value)
{
    write_varint(to, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

void write_bytes(struct buf *to, struct kvs_view bytes)
{
    write_varint(to, bytes.len);
    buf_append_view(to, bytes);
}

int write_urls(struct buf *to, const struct kvs_view *urls, size_t n)
{
    if (n > APPLY_URLS_MAX) {
        return KVS_E_TOO_LONG;
    }
    write_varint(to, n);
    for (size_t i = 0; i < n; i++) {
        if (urls[i].len > APPLY_URL_BYTES_MAX) {
            return KVS_E_TOO_LONG;
        }
        write_bytes(to, urls[i]);
    }
    return 0;
}
