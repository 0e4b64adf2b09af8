/* Giving memory back. LMDB keeps the pages of its largest transaction for the next one, for as long
 * as its environment is open: after a burst of writes that is most of what a node uses. There is no
 * call to free them, so the environment is closed and opened again, which takes no longer than at
 * the start, when that burst is over: nothing was applied for a while, or the last batch was much
 * smaller than the largest.
 *
 * Only if nobody has anything of the environment in use: no job, no read, no copy, no hash. */
#include "base/assert.h"
#include "mvcc/mvcc_int.h"

/* The store itself, and the snapshot of its view. */
#define RELEASE_REFS 2

static bool release_is_worth_it(const struct mvcc *m)
{
    size_t much = m->batch_max_bytes / 4;

    if (m->batch_max_bytes < m->options.freeze_bytes / 16 ||
        mvcc_active(m)->arena.used_bytes > much) {
        return false;
    }
    return m->batch_bytes <= much || m->now_ms - m->changed_ms >= m->options.release_quiet_ms;
}

static bool release_is_possible(const struct mvcc *m)
{
    return !m->storing && m->failure == 0 && m->n_reads == 0 && m->view->n_gens == 1 &&
           m->view->refs == 1 && m->view->snap->refs == 1 &&
           backend_refs(m->backend) == RELEASE_REFS;
}

static int release_reopen(struct mvcc *m)
{
    struct backend_options options = {.dir = m->dir, .map_bytes = m->options.map_bytes};
    int err;

    snap_unref(m->view->snap);
    m->view->snap = NULL;
    backend_unref(m->backend);
    m->backend = NULL;
    err = backend_open(&options, &m->backend, NULL);
    return err != 0 ? err : snap_open(m->backend, &m->view->snap);
}

void store_release(struct mvcc *m)
{
    struct state_record stored = m->stored;
    int err;

    if (!release_is_worth_it(m) || !release_is_possible(m)) {
        return;
    }
    m->batch_max_bytes = 0;
    m->n_releases++;
    err = release_reopen(m);
    backend_release_heap();
    if (err == 0) {
        kvs_assert(m->view->snap->state.index == stored.index &&
                   m->view->snap->state.revision == stored.revision);
        return;
    }
    /* What is stored cannot be read any more: as after a failed write, the process has to stop. */
    m->failure = kvs_err_is_fatal(err) ? err : KVS_E_IO;
    if (m->options.progress != NULL) {
        m->options.progress(m->options.progress_ctx);
    }
}
