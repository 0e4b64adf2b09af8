/* Bytes of entries and of persisted records: canonical varints and length-prefixed views.
 *
 * A reader's first error sticks and every later read yields zeros, so that a body is read straight
 * through and checked once at its end. */
#ifndef APPLY_CODEC_H
#define APPLY_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "kvstore/types.h"

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    int err; /* 0 or KVS_E_* */
};

void reader_init(struct reader *r, struct kvs_view bytes);
void reader_fail(struct reader *r, int err);

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

uint8_t read_u8(struct reader *r);
uint64_t read_le64(struct reader *r);

/* LEB128; an encoding that could be shorter is refused. */
uint64_t read_varint(struct reader *r);

/* Zigzag. */
int64_t read_signed(struct reader *r);
int read_int(struct reader *r); /* fails outside of 32 bits */

/* Borrows from the reader's bytes; at most `max` bytes long. */
struct kvs_view read_bytes(struct reader *r, size_t max);

/* Fails if a bit outside of `known` is set. */
unsigned read_flags(struct reader *r, unsigned known);

/* A count of things that take at least `bytes_each` bytes of what is left. */
size_t read_count(struct reader *r, size_t max, size_t bytes_each);

/* A count and that many views, in an array from `arena`. */
struct kvs_view *read_urls(struct reader *r, struct arena *arena, size_t *ret_n);

/* The error, or KVS_E_MALFORMED if bytes are left. */
int reader_finish(const struct reader *r);

void write_varint(struct buf *to, uint64_t value);
void write_signed(struct buf *to, int64_t value);
void write_bytes(struct buf *to, struct kvs_view bytes);

/* KVS_E_TOO_LONG if there are too many or one is too long. */
int write_urls(struct buf *to, const struct kvs_view *urls, size_t n);

#endif
