/* The bytes of the write-ahead log (docs/format.md, "Write-ahead log"): encoding and decoding of
 * segment headers and records. No I/O and no state, so that all of it can be fuzzed.
 *
 * A record's checksums are seeded with its segment and its offset: bytes that an earlier life of
 * the file left behind are never taken for a record. */
#ifndef REPLICA_WAL_FORMAT_H
#define REPLICA_WAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "replica/wal.h"

#define WAL_MAGIC "KVSWAL\r\n"

/* Of indexes and segment numbers: whatever is added to one does not wrap. */
#define WAL_NUMBER_MAX ((uint64_t)INT64_MAX)

enum {
    WAL_VERSION = 1,
    WAL_HEADER_BYTES = 4096, /* a page of its own: records never share it */
    WAL_RECORD_HEAD_BYTES = 40,
    WAL_ALIGN = 8,
    WAL_ENTRIES_HEAD_BYTES = 16,
    WAL_ENTRY_HEAD_BYTES = 16,
    WAL_SEAL_BYTES = WAL_RECORD_HEAD_BYTES + 8,
    /* A batch is split into records of about this size, so memory is bounded. */
    WAL_RECORD_BYTES = 512 * 1024,
    WAL_NAME_BYTES = 21, /* 16 hex digits, ".wal", NUL */
};

enum wal_record_type {
    WAL_HARD = 1,    /* term, vote, commit */
    WAL_ENTRIES = 2, /* first index, previous term, entries */
    WAL_RESET = 3,   /* index, term */
    WAL_MARK = 4,    /* nothing: its `synced` is what matters */
    WAL_SEAL = 5,    /* number of the next segment, which exists */
    WAL_RECORD_TYPE_END,
};

enum {
    WAL_FLAG_RECYCLED = 1, /* bytes of an older segment may follow the records */
};

struct wal_header {
    uint64_t segment; /* its number */
    uint64_t segment_bytes;
    uint64_t cluster_id;
    uint64_t member_id;
    uint64_t prev_index; /* the log's last entry when the segment began */
    uint64_t prev_term;
    struct wal_hard_state hard; /* likewise, so that older segments are not needed for it */
    uint64_t prev_end;          /* where the records of the previous segment end; 0: none */
    uint32_t flags;
};

struct wal_record {
    enum wal_record_type type;
    uint32_t len;    /* of the payload without padding */
    uint32_t count;  /* entries */
    uint64_t synced; /* the segment's bytes below were on disk when this was written */
    uint64_t payload_sum;
};

/* Writes WAL_HEADER_BYTES; returns the seed of the segment's records. */
uint64_t wal_header_encode(const struct wal_header *h, uint8_t *to);

/* KVS_E_DAMAGED, KVS_E_VERSION. */
KVS_MUST_USE int
wal_header_decode(const uint8_t *from, struct wal_header *ret_header, uint64_t *ret_seed);

/* Bytes that a payload of `len` takes, and a record of it. */
static inline uint64_t wal_padded(uint64_t len)
{
    return (len + WAL_ALIGN - 1) & ~(uint64_t)(WAL_ALIGN - 1);
}

static inline uint64_t wal_record_bytes(uint64_t len)
{
    return WAL_RECORD_HEAD_BYTES + wal_padded(len);
}

/* Fills head and padding of a record whose payload of `r->len` bytes is at `to` +
 * WAL_RECORD_HEAD_BYTES. `offset` is where the record goes in the segment. */
void wal_record_encode(const struct wal_record *r, uint64_t seed, uint64_t offset, uint8_t *to);

/* False unless `from` (WAL_RECORD_HEAD_BYTES) is the head of a record at `offset` of this segment.
 * Says nothing about the payload. */
bool wal_record_decode(const uint8_t *from,
                       uint64_t seed,
                       uint64_t offset,
                       struct wal_record *ret_record);

/* True if the padded payload is what was written. */
bool wal_payload_valid(const struct wal_record *r,
                       uint64_t seed,
                       uint64_t offset,
                       const uint8_t *payload);

/* Payloads. The decoders take what wal_payload_valid has accepted and still trust nothing:
 * KVS_E_DAMAGED. */
enum { WAL_HARD_BYTES = 24, WAL_RESET_BYTES = 16 };
void wal_reset_encode(uint64_t index, uint64_t term, uint8_t *to);
KVS_MUST_USE int
wal_reset_decode(const uint8_t *payload, uint32_t len, uint64_t *ret_index, uint64_t *ret_term);
void wal_hard_encode(const struct wal_hard_state *hard, uint8_t *to);
KVS_MUST_USE int
wal_hard_decode(const uint8_t *payload, uint32_t len, struct wal_hard_state *ret_hard);

uint64_t wal_entries_bytes(const struct wal_entry *entries, size_t n);
void wal_entries_encode(const struct wal_entry *entries, size_t n, uint64_t prev_term, uint8_t *to);

/* An ENTRIES payload, being read. */
struct wal_entries {
    uint64_t first_index;
    uint64_t prev_term; /* of the entry before the first; 0: not known */
    uint32_t count;
    const uint8_t *heads;
    const uint8_t *data;
};

/* Checks all lengths; `ret_entries` borrows the payload. */
KVS_MUST_USE int
wal_entries_decode(const uint8_t *payload, const struct wal_record *r, struct wal_entries *ret);
/* Entry `i`, asked for in order 0, 1, ...: `data` of the next one follows that of this one. */
void wal_entries_next(struct wal_entries *e, uint32_t i, struct wal_entry *ret_entry);

/* "0000000000000007.wal". */
void wal_segment_name(uint64_t segment, char name[WAL_NAME_BYTES]);
/* False for any other name. Number 0 is none. */
bool wal_segment_parse(const char *name, uint64_t *ret_segment);

#endif
