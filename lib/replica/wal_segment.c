/* Files of the log: preparing the next segment ahead, beginning it, removing old ones.
 *
 *   (zeros or an old segment) -> spare -> header, synced -> renamed, folder synced -> records
 *
 * A name ending in .wal therefore always has a good header and its full size. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "replica/wal_int.h"

static const char *join(char *to, const struct wal *w, const char *name)
{
    size_t dir_len = strlen(w->dir);

    memcpy(to, w->dir, dir_len);
    to[dir_len] = '/';
    memcpy(to + dir_len + 1, name, strlen(name) + 1);
    return to;
}

const char *wal_path(struct wal *w, const char *name)
{
    kvs_dassert(strlen(name) < WAL_NAME_BYTES);
    return join(w->path, w, name);
}

const char *wal_path_segment(struct wal *w, uint64_t number)
{
    char name[WAL_NAME_BYTES];

    wal_segment_name(number, name);
    return wal_path(w, name);
}

int wal_segment_add(struct wal *w, const struct wal_segment *segment)
{
    if (w->n_segments == w->segments_capacity) {
        size_t capacity = w->segments_capacity == 0 ? 8 : w->segments_capacity * 2;
        struct wal_segment *grown = kvs_realloc(w->segments, capacity * sizeof *grown);

        if (grown == NULL) {
            return KVS_E_NOMEM;
        }
        w->segments = grown;
        w->segments_capacity = capacity;
    }
    w->segments[w->n_segments++] = *segment;
    return 0;
}

/* --- the spare ------------------------------------------------------------------------------ */

/* Twice the current one, within the limits. */
static uint64_t spare_bytes_wanted(const struct wal *w)
{
    uint64_t bytes = w->options.segment_bytes_first;

    if (w->n_segments > 0) {
        bytes = wal_current(w)->bytes * 2;
    }
    return bytes < w->options.segment_bytes_max ? bytes : w->options.segment_bytes_max;
}

static void spare_close(struct wal *w)
{
    if (w->spare.file != NULL) {
        w->disk->close(w->disk->ctx, w->spare.file);
        w->spare.file = NULL;
    }
}

static int spare_open(struct wal *w)
{
    const char *path = wal_path(w, WAL_SPARE_NAME);
    int rv;

    if (w->spare.file != NULL) {
        return 0;
    }
    w->spare.synced = false;
    if (w->spare.on_disk) {
        rv = w->disk->open(w->disk->ctx, path, DISK_OPEN, &w->spare.file);
        return rv != 0 ? rv : w->disk->size(w->disk->ctx, w->spare.file, &w->spare.bytes);
    }
    rv = w->disk->open(w->disk->ctx, path, DISK_CREATE, &w->spare.file);
    if (rv == 0) {
        w->spare.on_disk = true;
        w->spare.recycled = false;
        w->spare.bytes = 0;
    }
    return rv;
}

static int spare_write_zeros(struct wal *w, uint64_t bytes)
{
    static const uint8_t zeros[64 * 1024];
    uint64_t end = w->spare.bytes + bytes;

    while (w->spare.bytes < end) {
        uint64_t left = end - w->spare.bytes;
        size_t len = left < sizeof zeros ? (size_t)left : sizeof zeros;
        int rv = w->disk->pwrite(w->disk->ctx, w->spare.file, zeros, len, w->spare.bytes);

        if (rv != 0) {
            return rv;
        }
        w->spare.bytes += len;
        w->stats.bytes_zeroed += len;
    }
    return 0;
}

/* One piece of the way to a spare of `wanted` bytes; done when `synced`. */
static int spare_step(struct wal *w, uint64_t wanted)
{
    int rv = spare_open(w);

    if (rv != 0) {
        return rv;
    }
    if (w->spare.bytes < wanted) {
        uint64_t left = wanted - w->spare.bytes;

        w->spare.synced = false;
        if (w->options.prealloc != WAL_PREALLOC_RESERVE) {
            return spare_write_zeros(w, left < WAL_SLICE_BYTES ? left : WAL_SLICE_BYTES);
        }
        rv = w->disk->allocate(w->disk->ctx, w->spare.file, w->spare.bytes, left);
        if (rv == 0) {
            w->spare.bytes = wanted;
        }
        return rv;
    }
    if (!w->spare.synced) {
        rv = w->disk->sync(w->disk->ctx, w->spare.file);
        w->spare.synced = rv == 0;
    }
    return rv;
}

/* All of its bytes; the sync of its header covers them. */
static int spare_finish(struct wal *w, uint64_t wanted)
{
    int rv;

    do {
        rv = spare_step(w, wanted);
    } while (rv == 0 && w->spare.bytes < wanted);
    return rv;
}

/* A full disk matters when the segment is needed, not before; until then give the space back. */
static void spare_give_up(struct wal *w)
{
    spare_close(w);
    w->spare.given_up = true;
    if (w->disk->unlink(w->disk->ctx, wal_path(w, WAL_SPARE_NAME)) == 0) {
        w->spare.on_disk = false;
    }
}

int wal_prepare(struct wal *w, bool *ret_more)
{
    int rv;

    *ret_more = false;
    if (w->failed != 0) {
        return w->failed;
    }
    /* Not before the last quarter: by then trimming has often left an old segment to use again,
     * and a node that hardly writes needs none. */
    if (w->spare.given_up || (w->spare.file != NULL && w->spare.synced) ||
        wal_end(w) < wal_current(w)->bytes / 4 * 3) {
        return 0;
    }
    rv = spare_step(w, spare_bytes_wanted(w));
    if (rv == KVS_E_FULL) {
        spare_give_up(w);
        return 0;
    }
    if (rv != 0) {
        return wal_fail(w, rv);
    }
    *ret_more = !w->spare.synced;
    return 0;
}

/* --- rotation ------------------------------------------------------------------------------- */

static void header_fill(const struct wal *w, struct wal_header *h)
{
    memset(h, 0, sizeof *h);
    h->segment = w->n_segments > 0 ? wal_current(w)->number + 1 : 1;
    h->segment_bytes = w->spare.bytes;
    h->cluster_id = w->options.cluster_id;
    h->member_id = w->options.member_id;
    h->prev_index = w->state.last_index;
    h->prev_term = wal_state_last_term(&w->state);
    h->hard = w->state.hard;
    h->prev_end = w->n_segments > 0 ? w->written : 0;
    h->flags = w->spare.recycled ? WAL_FLAG_RECYCLED : 0;
}

/* Gives the spare its header and its name. */
static int segment_begin(struct wal *w, const struct wal_header *h, uint64_t *ret_seed)
{
    uint8_t *page = kvs_malloc(WAL_HEADER_BYTES);
    int rv;

    if (page == NULL) {
        return KVS_E_NOMEM;
    }
    *ret_seed = wal_header_encode(h, page);
    rv = w->disk->pwrite(w->disk->ctx, w->spare.file, page, WAL_HEADER_BYTES, 0);
    kvs_free(page);
    if (rv != 0) {
        return rv;
    }
    rv = w->disk->sync(w->disk->ctx, w->spare.file);
    if (rv != 0) {
        return rv;
    }
    (void)join(w->path_to, w, WAL_SPARE_NAME);
    rv = w->disk->rename(w->disk->ctx, w->path_to, wal_path_segment(w, h->segment));
    if (rv != 0) {
        return rv;
    }
    return w->disk->sync_dir(w->disk->ctx, w->dir);
}

/* Says in the old segment that there is a next one: should that get lost, recovery knows. */
static int segment_seal(struct wal *w, uint64_t next)
{
    uint8_t record[WAL_SEAL_BYTES];
    const struct wal_record r = {.type = WAL_SEAL, .len = 8, .synced = w->synced};
    int rv;

    kvs_assert(w->written + sizeof record <= wal_current(w)->bytes);
    store_le64(record + WAL_RECORD_HEAD_BYTES, next);
    wal_record_encode(&r, w->seed, w->written, record);
    rv = w->disk->pwrite(w->disk->ctx, w->file, record, sizeof record, w->written);
    return rv != 0 ? rv : w->disk->sync(w->disk->ctx, w->file);
}

/* The spare has become segment `h`. */
static void segment_switch(struct wal *w, const struct wal_header *h, uint64_t seed)
{
    if (w->file != NULL) {
        w->disk->close(w->disk->ctx, w->file);
    }
    w->file = w->spare.file;
    w->seed = seed;
    w->written = WAL_HEADER_BYTES;
    w->synced = WAL_HEADER_BYTES;
    w->marked = false;
    memset(&w->spare, 0, sizeof w->spare);
    w->stats.bytes_written += WAL_HEADER_BYTES;
    w->stats.rotations += h->segment > 1;
}

int wal_rotate(struct wal *w, uint64_t need)
{
    struct wal_segment next;
    struct wal_header h;
    uint64_t wanted = spare_bytes_wanted(w);
    uint64_t seed;
    int rv;

    kvs_assert(w->batch_len == 0);
    need = wal_padded(need + WAL_HEADER_BYTES + WAL_SEAL_BYTES);
    if (w->file != NULL) {
        rv = wal_flush(w); /* The next header will say that all of this is there. */
        if (rv != 0) {
            return rv;
        }
    }
    rv = spare_finish(w, wanted > need ? wanted : need);
    if (rv != 0) {
        return rv;
    }
    header_fill(w, &h);
    rv = segment_begin(w, &h, &seed);
    if (rv != 0) {
        return rv;
    }
    if (w->file != NULL) {
        rv = segment_seal(w, h.segment);
        if (rv != 0) {
            return rv;
        }
    }
    next = (struct wal_segment){h.segment, h.prev_index, h.segment_bytes};
    rv = wal_segment_add(w, &next);
    if (rv == 0) {
        segment_switch(w, &h, seed);
    }
    return rv;
}

/* --- trimming ------------------------------------------------------------------------------- */

/* The oldest segment becomes the spare if there is none, else it goes. The folder is synced each
 * time: were two removals in flight, a crash could undo the first and not the second, and leave a
 * gap. */
static int segment_drop_oldest(struct wal *w)
{
    const struct wal_segment *old = &w->segments[0];
    const char *path = wal_path_segment(w, old->number);
    int rv;

    if (!w->spare.on_disk && !w->spare.given_up && old->bytes <= w->options.segment_bytes_max) {
        (void)join(w->path_to, w, WAL_SPARE_NAME);
        rv = w->disk->rename(w->disk->ctx, path, w->path_to);
        w->spare.on_disk = rv == 0;
        w->spare.recycled = true;
    } else {
        rv = w->disk->unlink(w->disk->ctx, path);
    }
    if (rv != 0) {
        return rv;
    }
    rv = w->disk->sync_dir(w->disk->ctx, w->dir);
    if (rv != 0) {
        return rv;
    }
    w->n_segments--;
    memmove(w->segments, w->segments + 1, w->n_segments * sizeof *w->segments);
    return 0;
}

int wal_trim(struct wal *w, uint64_t index)
{
    struct wal_state *s = &w->state;
    uint64_t base = s->base_index;

    if (w->failed != 0) {
        return w->failed;
    }
    while (w->n_segments > 1 && w->segments[1].prev_index <= index) {
        int rv = segment_drop_oldest(w);

        if (rv != 0) {
            return wal_fail(w, rv);
        }
        base = w->segments[0].prev_index;
    }
    base = base < s->last_index ? base : s->last_index;
    if (base > s->base_index) {
        wal_state_trim(s, base);
    }
    return 0;
}
