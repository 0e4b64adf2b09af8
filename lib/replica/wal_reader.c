#include "replica/wal_reader.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

enum {
    READER_CHUNK_BYTES = 256 * 1024,
};

void wal_reader_init(struct wal_reader *r, const struct disk *disk)
{
    memset(r, 0, sizeof *r);
    r->disk = disk;
}

void wal_reader_fini(struct wal_reader *r)
{
    kvs_free(r->window);
    memset(r, 0, sizeof *r);
}

void wal_reader_open(struct wal_reader *r, struct disk_file *file, uint64_t size)
{
    r->file = file;
    r->size = size;
    r->seed = 0;
    r->at = 0;
    r->len = 0;
}

static int window_reserve(struct wal_reader *r, size_t bytes)
{
    uint8_t *grown;

    if (bytes <= r->capacity) {
        return 0;
    }
    grown = kvs_realloc(r->window, bytes);
    if (grown == NULL) {
        return KVS_E_NOMEM;
    }
    r->window = grown;
    r->capacity = bytes;
    return 0;
}

int wal_reader_bytes(struct wal_reader *r, uint64_t offset, size_t len, const uint8_t **ret_bytes)
{
    uint64_t left;
    size_t want;
    int rv;

    *ret_bytes = NULL;
    if (offset > r->size || len > r->size - offset) {
        return 0;
    }
    if (offset >= r->at && offset + len <= r->at + r->len) {
        *ret_bytes = r->window + (offset - r->at);
        return 0;
    }
    left = r->size - offset;
    want = len > READER_CHUNK_BYTES ? len : READER_CHUNK_BYTES;
    want = want < left ? want : (size_t)left;
    rv = window_reserve(r, want);
    if (rv != 0) {
        return rv;
    }
    r->len = 0;
    rv = r->disk->pread(r->disk->ctx, r->file, r->window, want, offset, &r->len);
    if (rv != 0) {
        r->len = 0;
        return rv;
    }
    r->at = offset;
    if (r->len >= len) {
        *ret_bytes = r->window;
    }
    return 0;
}

int wal_reader_record(struct wal_reader *r,
                      uint64_t offset,
                      uint64_t limit,
                      struct wal_record *ret_record,
                      const uint8_t **ret_payload)
{
    const uint8_t *head;
    int rv;

    *ret_payload = NULL;
    rv = wal_reader_bytes(r, offset, WAL_RECORD_HEAD_BYTES, &head);
    if (rv != 0 || head == NULL || !wal_record_decode(head, r->seed, offset, ret_record)) {
        return rv;
    }
    if (offset + wal_record_bytes(ret_record->len) > limit) {
        return 0;
    }
    rv = wal_reader_bytes(r, offset + WAL_RECORD_HEAD_BYTES, (size_t)wal_padded(ret_record->len),
                          ret_payload);
    if (rv == 0 && *ret_payload != NULL &&
        !wal_payload_valid(ret_record, r->seed, offset, *ret_payload)) {
        *ret_payload = NULL;
    }
    return rv;
}

/* --- the tail ------------------------------------------------------------------------------- */

static size_t nonzero_end(const uint8_t *bytes, size_t len)
{
    /* The usual case, at the speed of memory. */
    if (len > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0) {
        return 0;
    }
    while (len > 0 && bytes[len - 1] == 0) {
        len--;
    }
    return len;
}

/* A head of this segment behind `start`, where no good record is. */
static void tail_head(struct wal_tail *t,
                      const struct wal_record *record,
                      uint64_t start,
                      uint64_t offset,
                      uint64_t size)
{
    uint64_t end = offset + wal_record_bytes(record->len);

    end = end < size ? end : size;
    t->unfinished = true;
    t->unclean_end = end > t->unclean_end ? end : t->unclean_end;
    if (record->synced > start && !t->damaged) {
        t->damaged = true;
        t->witness = offset;
    }
}

/* Looks at the positions in [offset, offset + step) of which all bytes are at `bytes`. */
static void tail_chunk(struct wal_reader *r,
                       const uint8_t *bytes,
                       uint64_t start,
                       uint64_t offset,
                       size_t step,
                       struct wal_tail *t)
{
    struct wal_record record;

    for (size_t i = 0; i < step; i += WAL_ALIGN) {
        if (offset + i + WAL_RECORD_HEAD_BYTES > r->size) {
            return;
        }
        if (wal_record_decode(bytes + i, r->seed, offset + i, &record)) {
            tail_head(t, &record, start, offset + i, r->size);
        }
    }
}

int wal_reader_tail(struct wal_reader *r, uint64_t offset, bool recycled, struct wal_tail *ret_tail)
{
    struct wal_tail t = {.unclean_end = offset};
    uint64_t start = offset;

    kvs_assert(offset % WAL_ALIGN == 0);
    while (offset < r->size) {
        uint64_t left = r->size - offset;
        size_t len = left < READER_CHUNK_BYTES ? (size_t)left : READER_CHUNK_BYTES;
        /* Chunks overlap by a head, so that none is missed at their borders. */
        size_t step = len < left ? len - WAL_RECORD_HEAD_BYTES : len;
        const uint8_t *bytes;
        size_t used;
        int rv = wal_reader_bytes(r, offset, len, &bytes);

        if (rv != 0) {
            return rv;
        }
        if (bytes == NULL) {
            return KVS_E_IO; /* Shorter than it was a moment ago. */
        }
        used = nonzero_end(bytes, len);
        if (used > 0) {
            tail_chunk(r, bytes, start, offset, step, &t);
        }
        if (used > 0 && !recycled) {
            t.unfinished = true;
            t.unclean_end = offset + used > t.unclean_end ? offset + used : t.unclean_end;
        }
        offset += step;
    }
    *ret_tail = t;
    return 0;
}
