/* The words of protobuf's wire format: tags, varints, lengths. Shared by the table engines of rpc
 * and kube, and by the hand-written record writers. */
#ifndef BASE_PB_WIRE_H
#define BASE_PB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kvstore/types.h"

enum pb_wire_type {
    PB_WIRE_VARINT = 0,
    PB_WIRE_I64 = 1,
    PB_WIRE_LEN = 2,
    PB_WIRE_I32 = 5,
};

/* ---- writing: sizes first, then bytes; the caller made room ---- */

static inline size_t pb_varint_size(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);

    return (bits + 6) / 7;
}

static inline uint8_t *pb_put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline uint64_t pb_tag(unsigned number, enum pb_wire_type type)
{
    return (uint64_t)number << 3 | (uint64_t)type;
}

static inline size_t pb_len_field_size(unsigned number, size_t len)
{
    return pb_varint_size(pb_tag(number, PB_WIRE_LEN)) + pb_varint_size(len) + len;
}

static inline uint8_t *pb_put_len(uint8_t *at, unsigned number, size_t len)
{
    at = pb_put_varint(at, pb_tag(number, PB_WIRE_LEN));
    return pb_put_varint(at, len);
}

static inline uint8_t *pb_put_raw(uint8_t *at, const void *data, size_t len)
{
    if (len > 0) {
        memcpy(at, data, len);
    }
    return at + len;
}

/* Number fields of proto3: zero is not written. */

static inline size_t pb_number_size(unsigned number, uint64_t value)
{
    return value == 0 ? 0 : pb_varint_size(pb_tag(number, PB_WIRE_VARINT)) + pb_varint_size(value);
}

static inline uint8_t *pb_put_number(uint8_t *at, unsigned number, uint64_t value)
{
    if (value == 0) {
        return at;
    }
    at = pb_put_varint(at, pb_tag(number, PB_WIRE_VARINT));
    return pb_put_varint(at, value);
}

static inline size_t pb_bytes_size(unsigned number, struct kvs_view bytes)
{
    return bytes.len == 0 ? 0 : pb_len_field_size(number, bytes.len);
}

static inline uint8_t *pb_put_bytes(uint8_t *at, unsigned number, struct kvs_view bytes)
{
    if (bytes.len == 0) {
        return at;
    }
    at = pb_put_len(at, number, bytes.len);
    return pb_put_raw(at, bytes.data, bytes.len);
}

/* ---- reading: every function checks its bounds and answers false for malformed input ---- */

struct pb_reader {
    const uint8_t *at;
    const uint8_t *end;
};

static inline struct pb_reader pb_reader_make(struct kvs_view bytes)
{
    static const uint8_t nothing[1];
    const uint8_t *at = bytes.len > 0 ? bytes.data : nothing;

    return (struct pb_reader){at, at + bytes.len};
}

static inline bool pb_read_varint(struct pb_reader *r, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        uint8_t byte = *r->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static inline bool pb_read_tag(struct pb_reader *r, uint32_t *ret_number, unsigned *ret_type)
{
    uint64_t tag;

    if (!pb_read_varint(r, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
        return false;
    }
    *ret_number = (uint32_t)(tag >> 3);
    *ret_type = (unsigned)(tag & 7);
    return true;
}

static inline bool pb_read_bytes(struct pb_reader *r, struct kvs_view *ret_bytes)
{
    uint64_t len;

    if (!pb_read_varint(r, &len) || len > (uint64_t)(r->end - r->at)) {
        return false;
    }
    *ret_bytes = (struct kvs_view){r->at, (size_t)len};
    r->at += len;
    return true;
}

/* Skips the value of a field nobody asked for. Groups (deprecated) are refused. */
static inline bool pb_skip(struct pb_reader *r, unsigned type)
{
    uint64_t number;
    struct kvs_view bytes;
    size_t fixed = type == PB_WIRE_I64 ? 8 : 4;

    switch (type) {
    case PB_WIRE_VARINT:
        return pb_read_varint(r, &number);
    case PB_WIRE_LEN:
        return pb_read_bytes(r, &bytes);
    case PB_WIRE_I64:
    case PB_WIRE_I32:
        if ((size_t)(r->end - r->at) < fixed) {
            return false;
        }
        r->at += fixed;
        return true;
    default:
        return false;
    }
}

#endif
