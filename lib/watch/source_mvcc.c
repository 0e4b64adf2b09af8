#include "watch/source_mvcc.h"

#include "base/assert.h"
#include "mvcc/mvcc.h"

/* What looking at one record costs besides its bytes: a slice of deletions has an end, too. */
#define RECORD_BYTES 64

/* One read of history in progress. */
struct source_read {
    struct mvcc_history *history;
    kvs_revision last;
    size_t bytes;
    size_t max_bytes;
    bool prev_kv;
    watch_history_fn visit;
    void *visit_ctx;
};

static int source_add_prev(struct source_read *read, struct kvs_event *event)
{
    int err;

    if (!read->prev_kv || !event->has_prev) {
        event->has_prev = false;
        return 0;
    }
    err = mvcc_history_prev(read->history, &event->prev_kv);
    event->has_prev = err == 0;
    return err == KVS_E_NOT_FOUND ? 0 : err; /* compacted: sent without it */
}

/* Visits until the budget is used up at the end of a revision. */
static int source_run(struct source_read *read, kvs_revision until, kvs_revision *ret_next)
{
    struct kvs_event event;
    int err;

    while ((err = mvcc_history_next(read->history, &event)) == 0) {
        kvs_revision revision = event.kv.mod_revision;

        if (read->last != 0 && revision != read->last && read->bytes >= read->max_bytes) {
            *ret_next = revision;
            return 0;
        }
        err = source_add_prev(read, &event);
        if (err == 0) {
            err = read->visit(read->visit_ctx, &event);
        }
        if (err != 0) {
            return err;
        }
        read->last = revision;
        read->bytes += event.kv.key.len + event.kv.value.len + RECORD_BYTES;
    }
    if (err != KVS_E_NOT_FOUND) {
        return err;
    }
    *ret_next = until;
    return 0;
}

static int source_read(void *ctx,
                       kvs_revision from,
                       kvs_revision until,
                       size_t max_bytes,
                       bool prev_kv,
                       watch_history_fn visit,
                       void *visit_ctx,
                       kvs_revision *ret_next)
{
    struct mvcc_read view;
    struct source_read read = {.last = 0,
                               .max_bytes = max_bytes,
                               .prev_kv = prev_kv,
                               .visit = visit,
                               .visit_ctx = visit_ctx};
    int err;

    mvcc_read_begin(ctx, &view);
    kvs_assert(view.revision >= until - 1);
    err = mvcc_history_open(&view, from, until - 1, &read.history);
    if (err == 0) {
        err = source_run(&read, until, ret_next);
        mvcc_history_close(read.history);
    }
    mvcc_read_end(&view);
    return err;
}

struct watch_source watch_source_mvcc(struct mvcc *store)
{
    return (struct watch_source){.read = source_read, .ctx = store};
}
