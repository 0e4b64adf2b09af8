/* Recovery of the log. It reads all segments twice: first to check every byte and to learn what
 * the log says, then, from where the caller wants it, to deliver the entries that are still part
 * of it. In between it clears what an unfinished write has left.
 *
 * What is an unfinished write, and what is damage? Records are written in order but reach the disk
 * in any order until they are synced. So the first bad record of the last segment is the end of
 * the log if nothing says otherwise. What says otherwise: a later record that was written after a
 * sync of that place (wal_record.synced), a seal, a next segment, or a file shorter than its header
 * says. Then nothing is cut and the log is refused. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "replica/wal_int.h"
#include "replica/wal_reader.h"

/* A segment while it is being recovered; parallel to wal.segments. */
struct found {
    struct wal_header header;
    uint64_t seed;
    uint64_t first_ordinal; /* of its records, counted over the whole log */
    uint64_t end;           /* of its good records */
    uint64_t synced;        /* what they say was on disk */
};

/* Record `ordinal` replaced all earlier entries from `index` on. */
struct replacement {
    uint64_t ordinal;
    uint64_t index;
};

struct recovery {
    struct wal *w;
    struct kvs_error *error;
    struct found *found;
    struct wal_reader reader;
    struct disk_file *file; /* being read */
    size_t segment;         /* its place in `found` */
    uint64_t ordinal;       /* of the record being read */
    bool base_loose;        /* no reset so far: the base is only what the oldest header says */
    struct replacement *replaced;
    size_t n_replaced;
    size_t replaced_capacity;
    size_t replaced_at; /* delivery: first one after `ordinal` */
};

typedef int (*record_fn)(struct recovery *v,
                         const struct wal_record *record,
                         const uint8_t *payload,
                         uint64_t offset);

static const char *segment_path(struct recovery *v)
{
    return wal_path_segment(v->w, v->w->segments[v->segment].number);
}

static int damaged(struct recovery *v, uint64_t offset, const char *what)
{
    return wal_error(v->error, KVS_E_DAMAGED, "%s: offset %llu: %s", segment_path(v),
                     (unsigned long long)offset, what);
}

static int failed(struct recovery *v, int err, const char *what)
{
    return wal_error(v->error, err, "%s: %s: %s", segment_path(v), what, kvs_strerror(err));
}

/* --- first pass: what each record says ------------------------------------------------------ */

static int replaced_add(struct recovery *v, uint64_t index)
{
    if (v->n_replaced == v->replaced_capacity) {
        size_t capacity = v->replaced_capacity == 0 ? 16 : v->replaced_capacity * 2;
        struct replacement *grown = kvs_realloc(v->replaced, capacity * sizeof *grown);

        if (grown == NULL) {
            return failed(v, KVS_E_NOMEM, "read");
        }
        v->replaced = grown;
        v->replaced_capacity = capacity;
    }
    v->replaced[v->n_replaced++] = (struct replacement){v->ordinal, index};
    return 0;
}

/* Makes the log end just before the first of `e`, or finds that it cannot. */
static int learn_connect(struct recovery *v, const struct wal_entries *e, uint64_t offset)
{
    struct wal_state *s = &v->w->state;
    uint64_t before = e->first_index - 1;
    uint64_t term;
    int rv = 0;

    if (before > s->last_index) {
        return damaged(v, offset, "entries are missing before this record");
    }
    if (before < s->last_index) {
        rv = replaced_add(v, e->first_index);
    }
    if (before >= s->base_index) {
        wal_state_truncate(s, before);
        if (rv == 0 && e->prev_term != 0 && wal_state_term(s, before, &term) &&
            term != e->prev_term) {
            return damaged(v, offset, "the term before this record is another one");
        }
    } else if (v->base_loose) {
        /* What this replaces was trimmed with its segment. */
        wal_state_reset(s, before, e->prev_term);
    } else {
        return damaged(v, offset, "entries from before the log's start");
    }
    return rv;
}

static int learn_entries(struct recovery *v,
                         const struct wal_record *record,
                         const uint8_t *payload,
                         uint64_t offset)
{
    struct wal_state *s = &v->w->state;
    struct wal_entries e;
    int rv;

    if (wal_entries_decode(payload, record, &e) != 0) {
        return damaged(v, offset, "malformed entries");
    }
    rv = learn_connect(v, &e, offset);
    for (uint32_t i = 0; rv == 0 && i < e.count; i++) {
        struct wal_entry entry;

        wal_entries_next(&e, i, &entry);
        if (entry.term == 0 || entry.term < wal_state_last_term(s)) {
            return damaged(v, offset, "terms of entries descend");
        }
        if (wal_state_reserve(s, 1) != 0) {
            return failed(v, KVS_E_NOMEM, "read");
        }
        wal_state_push(s, entry.term);
    }
    return rv;
}

static int learn_record(struct recovery *v,
                        const struct wal_record *record,
                        const uint8_t *payload,
                        uint64_t offset)
{
    struct wal_state *s = &v->w->state;
    struct wal_hard_state hard;
    uint64_t index;
    uint64_t term;

    switch (record->type) {
    case WAL_HARD:
        if (wal_hard_decode(payload, record->len, &hard) != 0 || hard.term < s->hard.term) {
            return damaged(v, offset, "malformed hard state");
        }
        s->hard = hard;
        return 0;
    case WAL_ENTRIES:
        return learn_entries(v, record, payload, offset);
    case WAL_RESET:
        if (wal_reset_decode(payload, record->len, &index, &term) != 0) {
            return damaged(v, offset, "malformed reset");
        }
        wal_state_reset(s, index, term);
        v->base_loose = false;
        return replaced_add(v, 0);
    case WAL_MARK:
        return 0;
    case WAL_SEAL:
        return damaged(v, offset, "the segment after this one is missing");
    case WAL_RECORD_TYPE_END:
        break;
    }
    return damaged(v, offset, "unknown kind of record");
}

/* --- second pass: entries ------------------------------------------------------------------- */

/* Entries of the current record from here on were replaced later. */
static uint64_t replaced_from(struct recovery *v)
{
    while (v->replaced_at < v->n_replaced && v->replaced[v->replaced_at].ordinal <= v->ordinal) {
        v->replaced_at++;
    }
    return v->replaced_at < v->n_replaced ? v->replaced[v->replaced_at].index : UINT64_MAX;
}

static int deliver_record(struct recovery *v,
                          const struct wal_record *record,
                          const uint8_t *payload,
                          uint64_t offset)
{
    const struct wal_options *options = &v->w->options;
    uint64_t end = replaced_from(v);
    struct wal_entries e;

    if (record->type != WAL_ENTRIES) {
        return 0;
    }
    if (wal_entries_decode(payload, record, &e) != 0) {
        return damaged(v, offset, "changed while it was read");
    }
    for (uint32_t i = 0; i < e.count; i++) {
        struct wal_entry entry;
        int rv;

        wal_entries_next(&e, i, &entry);
        if (entry.index < options->from_index || entry.index >= end) {
            continue;
        }
        rv = options->on_entry(options->ctx, &entry);
        if (rv != 0) {
            return failed(v, rv, "entry refused");
        }
    }
    return 0;
}

/* --- segments ------------------------------------------------------------------------------- */

static void segment_close(struct recovery *v)
{
    if (v->file != NULL) {
        v->w->disk->close(v->w->disk->ctx, v->file);
        v->file = NULL;
    }
}

static int segment_open(struct recovery *v, size_t i)
{
    const struct disk *disk = v->w->disk;
    uint64_t size;
    int rv;

    segment_close(v);
    v->segment = i;
    rv = disk->open(disk->ctx, segment_path(v), DISK_OPEN, &v->file);
    if (rv != 0) {
        return failed(v, rv, "open");
    }
    rv = disk->size(disk->ctx, v->file, &size);
    if (rv != 0) {
        return failed(v, rv, "size");
    }
    wal_reader_open(&v->reader, v->file, size);
    v->reader.seed = v->found[i].seed;
    return 0;
}

static int header_check(struct recovery *v, const struct wal_header *h)
{
    const struct wal_options *options = &v->w->options;

    if (h->segment != v->w->segments[v->segment].number) {
        return damaged(v, 0, "the header is that of another segment");
    }
    if (v->segment > 0 && (h->cluster_id != v->found[0].header.cluster_id ||
                           h->member_id != v->found[0].header.member_id)) {
        return damaged(v, 0, "ids differ from those of the segment before");
    }
    if ((options->cluster_id != 0 && options->cluster_id != h->cluster_id) ||
        (options->member_id != 0 && options->member_id != h->member_id)) {
        return wal_error(v->error, KVS_E_DAMAGED, "%s: belongs to member %llx of cluster %llx",
                         segment_path(v), (unsigned long long)h->member_id,
                         (unsigned long long)h->cluster_id);
    }
    if (h->segment_bytes != v->reader.size) {
        return damaged(v, v->reader.size, "the file is not as long as its header says");
    }
    return 0;
}

static int header_read(struct recovery *v, size_t i)
{
    struct found *f = &v->found[i];
    const uint8_t *bytes;
    int rv = segment_open(v, i);

    if (rv == 0) {
        rv = wal_reader_bytes(&v->reader, 0, WAL_HEADER_BYTES, &bytes);
        if (rv != 0) {
            return failed(v, rv, "read");
        }
        if (bytes == NULL) {
            return damaged(v, v->reader.size, "the file ends inside its header");
        }
        rv = wal_header_decode(bytes, &f->header, &f->seed);
        if (rv == KVS_E_VERSION) {
            return failed(v, rv, "header");
        }
        rv = rv != 0 ? damaged(v, 0, "bad header") : header_check(v, &f->header);
    }
    if (rv == 0) {
        v->w->segments[i].prev_index = f->header.prev_index;
        v->w->segments[i].bytes = f->header.segment_bytes;
    }
    return rv;
}

/* Calls `each` for all records up to `limit` or the first that is none; `f->end` is where. */
static int segment_walk(struct recovery *v, uint64_t limit, record_fn each)
{
    struct found *f = &v->found[v->segment];

    f->end = WAL_HEADER_BYTES;
    f->synced = WAL_HEADER_BYTES;
    while (f->end < limit) {
        struct wal_record record;
        const uint8_t *payload;
        int rv = wal_reader_record(&v->reader, f->end, limit, &record, &payload);

        if (rv != 0) {
            return failed(v, rv, "read");
        }
        if (payload == NULL) {
            return 0;
        }
        rv = each(v, &record, payload, f->end);
        if (rv != 0) {
            return rv;
        }
        f->end += wal_record_bytes(record.len);
        f->synced = record.synced > f->synced ? record.synced : f->synced;
        v->ordinal++;
    }
    return 0;
}

/* Is the state at the end of the segment before what this one's header says? */
static int header_connect(struct recovery *v, const struct wal_header *h)
{
    const struct wal_state *s = &v->w->state;

    if (h->prev_index != s->last_index || h->prev_term != wal_state_last_term(s) ||
        memcmp(&h->hard, &s->hard, sizeof h->hard) != 0) {
        return damaged(v, 0, "does not continue the segment before");
    }
    return 0;
}

static int segment_learn(struct recovery *v, size_t i)
{
    bool last = i + 1 == v->w->n_segments;
    const struct wal_header *h = &v->found[i].header;
    uint64_t limit;
    int rv = segment_open(v, i);

    if (rv != 0) {
        return rv;
    }
    if (i == 0) {
        v->w->state.hard = h->hard;
        wal_state_reset(&v->w->state, h->prev_index, h->prev_term);
    } else {
        rv = header_connect(v, h);
        if (rv != 0) {
            return rv;
        }
    }
    limit = last ? v->reader.size : v->found[i + 1].header.prev_end;
    if (!last && (limit < WAL_HEADER_BYTES || limit > v->reader.size - WAL_SEAL_BYTES)) {
        v->segment = i + 1;
        return damaged(v, 0, "bad end of the segment before");
    }
    v->found[i].first_ordinal = v->ordinal;
    rv = segment_walk(v, limit, learn_record);
    if (rv == 0 && !last && v->found[i].end != limit) {
        return damaged(v, v->found[i].end, "bad record, and the log goes on after it");
    }
    if (rv == 0 && v->found[i].end > v->reader.size - WAL_SEAL_BYTES) {
        return damaged(v, v->found[i].end, "a record where only the seal goes");
    }
    return rv;
}

/* --- the end of the log --------------------------------------------------------------------- */

static int clear(struct recovery *v, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[4096];
    const struct disk *disk = v->w->disk;

    while (from < to) {
        size_t len = to - from < sizeof zeros ? (size_t)(to - from) : sizeof zeros;
        int rv = disk->pwrite(disk->ctx, v->file, zeros, len, from);

        if (rv != 0) {
            return failed(v, rv, "clear the unfinished write");
        }
        from += len;
    }
    return 0;
}

/* Writes again what no later record calls synced. It was read from memory, perhaps: a process whose
 * sync had failed leaves pages there that are not on disk and no longer dirty, so that a sync alone
 * would do nothing. */
static int rewrite(struct recovery *v, uint64_t from, uint64_t to)
{
    const struct disk *disk = v->w->disk;

    while (from < to) {
        size_t len = to - from < WAL_SLICE_BYTES ? (size_t)(to - from) : WAL_SLICE_BYTES;
        const uint8_t *bytes;
        int rv = wal_reader_bytes(&v->reader, from, len, &bytes);

        if (rv == 0 && bytes == NULL) {
            rv = KVS_E_IO;
        }
        if (rv == 0) {
            rv = disk->pwrite(disk->ctx, v->file, bytes, len, from);
        }
        if (rv != 0) {
            return failed(v, rv, "write the last records again");
        }
        from += len;
    }
    return 0;
}

/* The last segment is open. What follows its good records is cleared: new records would otherwise
 * one day connect to old ones behind them. */
static int end_mend(struct recovery *v, struct wal_recovered *ret)
{
    const struct disk *disk = v->w->disk;
    struct found *f = &v->found[v->segment];
    struct wal_tail tail;
    int rv;

    rv = wal_reader_tail(&v->reader, f->end, (f->header.flags & WAL_FLAG_RECYCLED) != 0, &tail);
    if (rv != 0) {
        return failed(v, rv, "read");
    }
    if (tail.damaged) {
        return wal_error(v->error, KVS_E_DAMAGED,
                         "%s: offset %llu: bad record; it was synced before the one at %llu was "
                         "written",
                         segment_path(v), (unsigned long long)f->end,
                         (unsigned long long)tail.witness);
    }
    if (tail.unfinished) {
        ret->torn = true;
        ret->torn_segment = f->header.segment;
        ret->torn_offset = f->end;
        rv = clear(v, f->end, tail.unclean_end);
        if (rv != 0) {
            return rv;
        }
        log_warn(v->w->options.log, "cut an unfinished write at the end of the log",
                 LOG_STR("file", segment_path(v)), LOG_U64("offset", f->end),
                 LOG_U64("bytes", tail.unclean_end - f->end));
    }
    rv = rewrite(v, f->synced, f->end);
    if (rv != 0) {
        return rv;
    }
    rv = disk->sync(disk->ctx, v->file);
    if (rv != 0) {
        return failed(v, rv, "sync");
    }
    rv = disk->sync_dir(disk->ctx, v->w->dir);
    return rv != 0 ? failed(v, rv, "sync the folder") : 0;
}

/* Moves the open file to the log: appending goes on at its end. */
static void end_take(struct recovery *v)
{
    struct wal *w = v->w;
    const struct found *f = &v->found[v->segment];

    w->file = v->file;
    v->file = NULL;
    w->seed = f->seed;
    w->written = f->end;
    w->synced = f->end;
    w->options.cluster_id = f->header.cluster_id;
    w->options.member_id = f->header.member_id;
}

/* --- all together --------------------------------------------------------------------------- */

static int learn(struct recovery *v, struct wal_recovered *ret)
{
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < v->w->n_segments; i++) {
        rv = header_read(v, i);
    }
    for (size_t i = 0; rv == 0 && i < v->w->n_segments; i++) {
        rv = segment_learn(v, i);
    }
    if (rv == 0) {
        rv = end_mend(v, ret);
    }
    if (rv == 0) {
        end_take(v);
    }
    return rv;
}

static int deliver(struct recovery *v)
{
    struct wal *w = v->w;
    int rv = 0;

    if (w->options.on_entry == NULL) {
        return 0;
    }
    /* Of several replacements after a record, the lowest index counts. */
    for (size_t i = v->n_replaced; i > 1; i--) {
        if (v->replaced[i - 1].index < v->replaced[i - 2].index) {
            v->replaced[i - 2].index = v->replaced[i - 1].index;
        }
    }
    for (size_t i = 0; rv == 0 && i < w->n_segments; i++) {
        uint64_t end = v->found[i].end;

        /* What a segment holds above the next one's start was replaced. */
        if (i + 1 < w->n_segments && v->found[i + 1].header.prev_index < w->options.from_index) {
            continue;
        }
        rv = segment_open(v, i);
        if (rv == 0) {
            v->ordinal = v->found[i].first_ordinal;
            rv = segment_walk(v, end, deliver_record);
        }
        if (rv == 0 && v->found[i].end != end) {
            rv = damaged(v, v->found[i].end, "changed while it was read");
        }
    }
    return rv;
}

int wal_recover(struct wal *w, struct wal_recovered *ret_recovered, struct kvs_error *ret_error)
{
    struct recovery v = {.w = w, .error = ret_error, .base_loose = true};
    int rv;

    kvs_assert(w->n_segments > 0);
    wal_reader_init(&v.reader, w->disk);
    v.found = kvs_calloc(w->n_segments, sizeof *v.found);
    rv = v.found != NULL ? learn(&v, ret_recovered) : failed(&v, KVS_E_NOMEM, "open");
    if (rv == 0) {
        rv = deliver(&v);
    }
    segment_close(&v);
    wal_reader_fini(&v.reader);
    kvs_free(v.replaced);
    kvs_free(v.found);
    return rv;
}
