/* Whole environments: copying one, looking into a copy, putting one in another's place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/backend_int.h"
#include "base/alloc.h"

#define BACKEND_PATH_MAX 4096

/* A file of `dir` without a name: gone with its last descriptor, even after a crash. */
static int backend_temp_file(const char *dir, int *ret_fd)
{
    char path[BACKEND_PATH_MAX];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0) {
        *ret_fd = fd;
        return 0;
    }
    if ((size_t)snprintf(path, sizeof path, "%s/copy.XXXXXX", dir) >= sizeof path) {
        return ENAMETOOLONG;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    (void)unlink(path);
    *ret_fd = fd;
    return 0;
}

int backend_copy(struct backend *b, const char *dir, int *ret_fd, uint64_t *ret_bytes)
{
    struct stat st;
    int fd;
    int rc = backend_temp_file(dir, &fd);

    if (rc != 0) {
        return backend_translate(NULL, rc);
    }
    rc = mdb_env_copyfd2(b->env, fd, MDB_CP_COMPACT);
    if (rc == 0 && fstat(fd, &st) != 0) {
        rc = errno;
    }
    if (rc != 0) {
        (void)close(fd);
        return backend_translate(NULL, rc);
    }
    *ret_fd = fd;
    *ret_bytes = (uint64_t)st.st_size;
    return 0;
}

int backend_copy_open(const char *path, struct backend **ret_backend, struct backend_txn **ret_txn)
{
    struct backend *b = kvs_calloc(1, sizeof *b);
    struct backend_txn *t = NULL;
    int rc;

    if (b == NULL) {
        return KVS_E_NOMEM;
    }
    atomic_init(&b->refs, 1);
    if ((rc = mdb_env_create(&b->env)) != 0 ||
        (rc = mdb_env_set_maxdbs(b->env, BACKEND_TABLE_COUNT)) != 0 ||
        (rc = mdb_env_open(b->env, path, MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS, 0)) !=
            0) {
        backend_unref(b);
        return backend_translate(NULL, rc);
    }
    rc = backend_read_begin(b, &t);
    if (rc != 0) {
        backend_unref(b);
        return rc;
    }
    rc = backend_open_tables(b, t->txn, false);
    if (rc != 0) {
        backend_copy_close(b, t);
        /* An environment without our tables is not one of ours. */
        return rc == MDB_NOTFOUND ? KVS_E_DAMAGED : backend_translate(NULL, rc);
    }
    *ret_backend = b;
    *ret_txn = t;
    return 0;
}

void backend_copy_close(struct backend *b, struct backend_txn *txn)
{
    backend_end(txn);
    backend_unref(b);
}

static int backend_sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    int result = 0;

    if (fd < 0) {
        return KVS_E_IO;
    }
    if (fsync(fd) != 0) {
        result = KVS_E_IO;
    }
    (void)close(fd);
    return result;
}

int backend_replace(const char *dir, const char *path)
{
    char data[BACKEND_PATH_MAX];
    char lock[BACKEND_PATH_MAX];

    if ((size_t)snprintf(data, sizeof data, "%s/data.mdb", dir) >= sizeof data ||
        (size_t)snprintf(lock, sizeof lock, "%s/lock.mdb", dir) >= sizeof lock) {
        return KVS_E_IO;
    }
    if (backend_sync_path(path, O_RDWR) != 0 || rename(path, data) != 0) {
        return KVS_E_IO;
    }
    /* The lock file describes the readers of the old data; an environment that is still open on
     * it keeps its own copy, the next one makes a new file. */
    if (unlink(lock) != 0 && errno != ENOENT) {
        return KVS_E_IO;
    }
    return backend_sync_path(dir, O_RDONLY | O_DIRECTORY);
}
