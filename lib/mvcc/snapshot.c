/* Copies of the whole store: taking one, looking into one, becoming one. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "mvcc/mvcc_int.h"

struct backend *mvcc_backend_ref(struct mvcc *m)
{
    return backend_ref(m->backend);
}

static int snapshot_read(struct backend_txn *txn, struct mvcc_snapshot *s)
{
    struct compacted_record compacted;
    struct state_record state;
    int err;

    if ((err = format_load(txn)) != 0 || (err = state_load(txn, &state)) != 0 ||
        (err = compacted_load(txn, &compacted)) != 0) {
        return err;
    }
    s->index = state.index;
    s->term = state.term;
    s->revision = state.revision;
    s->compact_revision = state.compact > 0 ? state.compact : 0;
    s->n_records = 0;
    for (int table = 0; table < BACKEND_TABLE_COUNT; table++) {
        s->n_records += backend_count(txn, (enum backend_table)table);
    }
    return 0;
}

int mvcc_snapshot_inspect(const char *path, struct mvcc_snapshot *ret_snapshot)
{
    struct mvcc_snapshot s = {.fd = -1};
    struct backend_txn *txn;
    struct backend *b;
    struct stat st;
    int err;

    if (stat(path, &st) != 0) {
        return KVS_E_IO;
    }
    s.size_bytes = (uint64_t)st.st_size;
    err = backend_copy_open(path, &b, &txn);
    if (err != 0) {
        return err;
    }
    err = snapshot_read(txn, &s);
    backend_copy_close(b, txn);
    if (err == 0) {
        *ret_snapshot = s;
    }
    return err;
}

int mvcc_snapshot_take(struct backend *b, const char *dir, struct mvcc_snapshot *ret_snapshot)
{
    struct mvcc_snapshot s;
    char path[64];
    uint64_t bytes;
    int fd;
    int err = backend_copy(b, dir, &fd, &bytes);

    if (err != 0) {
        return err;
    }
    /* The file has no name; which commit the copy shows is only written inside. */
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    err = mvcc_snapshot_inspect(path, &s);
    if (err != 0) {
        (void)close(fd);
        return err;
    }
    s.fd = fd;
    s.size_bytes = bytes;
    *ret_snapshot = s;
    return 0;
}

/* Once the files are exchanged there is no way back: what fails then is fatal. */
static int install_reload(struct mvcc *m)
{
    struct backend *old = m->backend;
    int err;

    m->backend = NULL;
    err = store_load(m, NULL);
    if (err != 0) {
        if (m->backend != NULL) {
            backend_unref(m->backend);
        }
        m->backend = old;
        m->failure = kvs_err_is_fatal(err) ? err : KVS_E_IO;
        return m->failure;
    }
    backend_unref(old);
    compact_window_close(&m->window);
    count_cache_clear(&m->counts);
    m->flush = false;
    m->due = false;
    m->dirty_seen = false;
    m->compact_at_ms = 0;
    m->batch_max_bytes = 0;
    return 0;
}

int mvcc_install(struct mvcc *m, const char *path)
{
    struct mvcc_snapshot s;
    int err;

    kvs_assert(!m->apply.open);
    if (m->failure != 0) {
        return m->failure;
    }
    if (m->storing) {
        return KVS_E_BUSY;
    }
    err = mvcc_snapshot_inspect(path, &s);
    if (err != 0) {
        return err;
    }
    err = backend_replace(m->dir, path);
    if (err != 0) {
        m->failure = KVS_E_IO;
        return KVS_E_IO;
    }
    return install_reload(m);
}
