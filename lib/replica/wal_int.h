/* Inside of the write-ahead log, shared by wal.c (append), wal_segment.c (files), wal_open.c and
 * wal_recover.c. */
#ifndef REPLICA_WAL_INT_H
#define REPLICA_WAL_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "replica/wal.h"
#include "replica/wal_format.h"
#include "replica/wal_state.h"

#define WAL_LOCK_NAME  "lock"
#define WAL_SPARE_NAME "spare"

enum {
    WAL_SLICE_BYTES = 1024 * 1024, /* of preparation, between two batches */
};

/* A segment on disk. The last one of `segments` is written to. */
struct wal_segment {
    uint64_t number;
    uint64_t prev_index; /* the log's last entry when it began */
    uint64_t bytes;
};

/* The next segment. It is no part of the log until it has a header and a name. */
struct wal_spare {
    struct disk_file *file; /* NULL: not open */
    bool on_disk;           /* a file of that name exists */
    bool recycled;
    bool synced;    /* complete and on disk */
    bool given_up;  /* the disk is full: try again when it is needed */
    uint64_t bytes; /* prepared so far */
};

/* The current segment's bytes:
 *
 *   0 ... header ... records on disk ... | written, not synced | gathered | prepared ...
 *                                      synced              written
 */
struct wal {
    const struct disk *disk;
    struct disk_lock *lock;
    struct wal_options options; /* `dir` is ours */
    char *dir;
    char *path;    /* scratch: dir + '/' + name */
    char *path_to; /* scratch: target of a rename */
    int failed;    /* first fatal error; then nothing is touched any more */
    bool marked;   /* the last record is a mark */

    struct wal_state state; /* includes what is gathered */

    struct wal_segment *segments;
    size_t n_segments;
    size_t segments_capacity;

    struct disk_file *file; /* the last segment */
    uint64_t seed;
    uint64_t written;
    uint64_t synced;
    uint8_t *batch; /* gathered records, go to `written` */
    size_t batch_len;
    size_t batch_capacity;

    struct wal_spare spare;
    struct wal_stats stats;
};

/* --- wal.c ---------------------------------------------------------------------------------- */

/* Remembers the first error; returns it. */
int wal_fail(struct wal *w, int err);

/* Room for a record with `len` bytes of payload at the end of the log, rotating if necessary;
 * returns where its payload goes, NULL if the log has failed. Then wal_record_end. */
uint8_t *wal_record_begin(struct wal *w, uint64_t len);
void wal_record_end(struct wal *w, enum wal_record_type type, uint64_t len, uint32_t count);

static inline uint64_t wal_end(const struct wal *w)
{
    return w->written + w->batch_len;
}

static inline struct wal_segment *wal_current(const struct wal *w)
{
    return &w->segments[w->n_segments - 1];
}

/* --- wal_segment.c -------------------------------------------------------------------------- */

/* "<dir>/<name>" in w->path; borrowed until the next call. */
const char *wal_path(struct wal *w, const char *name);
const char *wal_path_segment(struct wal *w, uint64_t number);

/* KVS_E_NOMEM. */
KVS_MUST_USE int wal_segment_add(struct wal *w, const struct wal_segment *segment);

/* Ends the current segment, if there is one, and begins the next, with room for a record of
 * `need` bytes. All records are written. Final errors are the caller's to record. */
KVS_MUST_USE int wal_rotate(struct wal *w, uint64_t need);

/* --- wal_recover.c -------------------------------------------------------------------------- */

/* Reads the segments that `w` has listed, makes the last one ready for writing. */
KVS_MUST_USE int
wal_recover(struct wal *w, struct wal_recovered *ret_recovered, struct kvs_error *ret_error);

/* --- wal_open.c ----------------------------------------------------------------------------- */

/* Fills `ret_error` (may be NULL); returns `code`. */
int wal_error(struct kvs_error *ret_error, int code, const char *format, ...) KVS_PRINTF(3, 4);

#endif
