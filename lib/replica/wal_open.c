/* Opening the log: options, the folder and its lock, which segments there are, the first one of a
 * new log. What they say is found out in wal_recover.c. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "replica/wal_int.h"

int wal_error(struct kvs_error *ret_error, int code, const char *format, ...)
{
    va_list args;

    if (ret_error != NULL) {
        ret_error->code = code;
        va_start(args, format);
        (void)vsnprintf(ret_error->msg, sizeof ret_error->msg, format, args);
        va_end(args);
    }
    return code;
}

static int options_complete(struct wal_options *o)
{
    if (o->segment_bytes_first == 0) {
        o->segment_bytes_first = UINT64_C(1) << 20;
    }
    if (o->segment_bytes_max == 0) {
        o->segment_bytes_max = UINT64_C(16) << 20;
    }
    if (o->dir == NULL || o->dir[0] == '\0' || o->disk == NULL ||
        o->segment_bytes_first < WAL_SEGMENT_BYTES_MIN ||
        o->segment_bytes_max < o->segment_bytes_first ||
        (o->segment_bytes_first | o->segment_bytes_max) % WAL_HEADER_BYTES != 0) {
        return KVS_E_INVALID;
    }
    return 0;
}

static struct wal *wal_new(const struct wal_options *options)
{
    struct wal *w = kvs_calloc(1, sizeof *w);
    size_t path_bytes = strlen(options->dir) + 1 + WAL_NAME_BYTES;

    if (w == NULL) {
        return NULL;
    }
    w->disk = options->disk;
    w->options = *options;
    wal_state_init(&w->state);
    w->dir = kvs_strdup(options->dir);
    w->path = kvs_malloc(path_bytes);
    w->path_to = kvs_malloc(path_bytes);
    if (w->dir == NULL || w->path == NULL || w->path_to == NULL) {
        wal_abandon(w);
        return NULL;
    }
    w->options.dir = w->dir;
    return w;
}

static int list_name(void *ctx, const char *name)
{
    struct wal *w = ctx;
    struct wal_segment segment = {0};

    return wal_segment_parse(name, &segment.number) ? wal_segment_add(w, &segment) : 0;
}

static int compare_segments(const void *a, const void *b)
{
    uint64_t left = ((const struct wal_segment *)a)->number;
    uint64_t right = ((const struct wal_segment *)b)->number;

    return left < right ? -1 : left > right;
}

/* Finds the segments; none may be missing between the first and the last. */
static int list_segments(struct wal *w, struct kvs_error *ret_error)
{
    int rv = w->disk->list(w->disk->ctx, w->dir, list_name, w);

    if (rv != 0) {
        return wal_error(ret_error, rv, "%s: list: %s", w->dir, kvs_strerror(rv));
    }
    if (w->n_segments > 1) {
        qsort(w->segments, w->n_segments, sizeof *w->segments, compare_segments);
    }
    for (size_t i = 1; i < w->n_segments; i++) {
        uint64_t expected = w->segments[i - 1].number + 1;

        if (w->segments[i].number != expected) {
            return wal_error(ret_error, KVS_E_DAMAGED, "%s: the segment is missing",
                             wal_path_segment(w, expected));
        }
    }
    return 0;
}

/* Makes the folder's own name durable. */
static int sync_parent(struct wal *w)
{
    const char *slash = strrchr(w->dir, '/');
    char *parent;
    int rv;

    if (slash == NULL || slash == w->dir) {
        return w->disk->sync_dir(w->disk->ctx, slash == NULL ? "." : "/");
    }
    parent = kvs_strndup(w->dir, (size_t)(slash - w->dir));
    if (parent == NULL) {
        return KVS_E_NOMEM;
    }
    rv = w->disk->sync_dir(w->disk->ctx, parent);
    kvs_free(parent);
    return rv;
}

static int create(struct wal *w, struct wal_recovered *ret, struct kvs_error *ret_error)
{
    int rv = sync_parent(w);

    rv = rv != 0 ? rv : wal_rotate(w, 0);
    if (rv != 0) {
        return wal_error(ret_error, rv, "%s: create: %s", w->dir, kvs_strerror(rv));
    }
    ret->created = true;
    return 0;
}

static int open_dir(struct wal *w, struct kvs_error *ret_error)
{
    int rv = w->disk->make_dir(w->disk->ctx, w->dir);

    if (rv == 0) {
        rv = w->disk->lock(w->disk->ctx, wal_path(w, WAL_LOCK_NAME), &w->lock);
    }
    if (rv != 0) {
        return wal_error(ret_error, rv, "%s: %s", w->dir, kvs_strerror(rv));
    }
    return list_segments(w, ret_error);
}

int wal_open(const struct wal_options *options,
             struct wal_recovered *ret_recovered,
             struct wal **ret_wal,
             struct kvs_error *ret_error)
{
    struct wal_options complete = *options;
    struct wal_recovered recovered = {0};
    struct wal *w;
    int rv = options_complete(&complete);

    if (rv != 0) {
        return wal_error(ret_error, rv, "bad options of the log");
    }
    w = wal_new(&complete);
    if (w == NULL) {
        return wal_error(ret_error, KVS_E_NOMEM, "%s", kvs_strerror(KVS_E_NOMEM));
    }
    rv = open_dir(w, ret_error);
    if (rv == 0) {
        rv = w->n_segments == 0 ? create(w, &recovered, ret_error)
                                : wal_recover(w, &recovered, ret_error);
    }
    if (rv != 0) {
        wal_abandon(w);
        return rv;
    }
    recovered.cluster_id = w->options.cluster_id;
    recovered.member_id = w->options.member_id;
    recovered.hard = w->state.hard;
    recovered.base_index = w->state.base_index;
    recovered.base_term = w->state.base_term;
    recovered.last_index = w->state.last_index;
    recovered.last_term = wal_state_last_term(&w->state);
    wal_check(w);
    *ret_recovered = recovered;
    *ret_wal = w;
    return 0;
}
