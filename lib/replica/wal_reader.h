/* Reading a segment: a window over the file, the record at an offset, and the search through what
 * follows the last good record. */
#ifndef REPLICA_WAL_READER_H
#define REPLICA_WAL_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "replica/disk.h"
#include "replica/wal_format.h"

struct wal_reader {
    const struct disk *disk;
    struct disk_file *file; /* borrowed */
    uint64_t size;          /* of the file */
    uint64_t seed;
    uint8_t *window; /* bytes [at, at + len) of the file */
    size_t capacity;
    uint64_t at;
    size_t len;
};

void wal_reader_init(struct wal_reader *r, const struct disk *disk);
void wal_reader_fini(struct wal_reader *r);

/* Goes to another file. Records are found with `seed`, which is set once the header is known. */
void wal_reader_open(struct wal_reader *r, struct disk_file *file, uint64_t size);

/* `ret_bytes` NULL: the file ends before. Borrowed until the next call. KVS_E_IO, KVS_E_NOMEM. */
KVS_MUST_USE int
wal_reader_bytes(struct wal_reader *r, uint64_t offset, size_t len, const uint8_t **ret_bytes);

/* The record at `offset` that ends at or before `limit`; `ret_payload` NULL: there is none, or not
 * all of it. KVS_E_IO, KVS_E_NOMEM. */
KVS_MUST_USE int wal_reader_record(struct wal_reader *r,
                                   uint64_t offset,
                                   uint64_t limit,
                                   struct wal_record *ret_record,
                                   const uint8_t **ret_payload);

/* What follows the last good record. */
struct wal_tail {
    bool unfinished;      /* parts of records that were never synced */
    bool damaged;         /* a later record says that `offset` was on disk when it was written: */
    uint64_t witness;     /* ... the one here */
    uint64_t unclean_end; /* bytes from `offset` to here are to be cleared */
};

/* Looks at everything from `offset` (no record there) to the end. `recycled`: old bytes may follow,
 * only records of this segment count. KVS_E_IO, KVS_E_NOMEM. */
KVS_MUST_USE int
wal_reader_tail(struct wal_reader *r, uint64_t offset, bool recycled, struct wal_tail *ret_tail);

#endif
