/* The disk vtable over Linux' system calls. errno is translated here and nowhere else. */
#include "replica/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"

struct disk_file {
    int fd;
};

struct disk_lock {
    int fd;
};

static int posix_error(int err)
{
    switch (err) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return KVS_E_FULL;
    case ENOENT:
        return KVS_E_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return KVS_E_PERMISSION;
    case ENOMEM:
        return KVS_E_NOMEM;
    default:
        return KVS_E_IO;
    }
}

static int posix_make_dir(void *ctx, const char *path)
{
    (void)ctx;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return posix_error(errno);
    }
    return 0;
}

static int posix_list(void *ctx, const char *path, disk_list_fn each, void *list_ctx)
{
    const struct dirent *entry;
    DIR *dir = opendir(path);
    int rv = 0;

    (void)ctx;
    if (dir == NULL) {
        return posix_error(errno);
    }
    for (;;) {
        errno = 0;
        entry = readdir(dir);
        if (entry == NULL) {
            rv = errno == 0 ? 0 : posix_error(errno);
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        rv = each(list_ctx, entry->d_name);
        if (rv != 0) {
            break;
        }
    }
    (void)closedir(dir); /* Only read from. */
    return rv;
}

static int posix_sync_dir(void *ctx, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rv = 0;

    (void)ctx;
    if (fd < 0) {
        return posix_error(errno);
    }
    if (fsync(fd) != 0) {
        rv = posix_error(errno);
    }
    (void)close(fd); /* Nothing was written through it. */
    return rv;
}

static int posix_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return rename(from, to) == 0 ? 0 : posix_error(errno);
}

static int posix_unlink(void *ctx, const char *path)
{
    (void)ctx;
    return unlink(path) == 0 ? 0 : posix_error(errno);
}

static int posix_free_bytes(void *ctx, const char *path, uint64_t *ret_bytes)
{
    struct statvfs fs;

    (void)ctx;
    if (statvfs(path, &fs) != 0) {
        return posix_error(errno);
    }
    *ret_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}

static int posix_lock(void *ctx, const char *path, struct disk_lock **ret_lock)
{
    struct disk_lock *lock = kvs_malloc(sizeof *lock);
    int rv;

    (void)ctx;
    if (lock == NULL) {
        return KVS_E_NOMEM;
    }
    lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock->fd < 0) {
        rv = posix_error(errno);
        goto free_lock;
    }
    if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
        rv = errno == EWOULDBLOCK ? KVS_E_LOCKED : posix_error(errno);
        goto close_fd;
    }
    *ret_lock = lock;
    return 0;

close_fd:
    (void)close(lock->fd);
free_lock:
    kvs_free(lock);
    return rv;
}

static void posix_unlock(void *ctx, struct disk_lock *lock)
{
    (void)ctx;
    (void)close(lock->fd); /* Gives the lock back, too; the file stays. */
    kvs_free(lock);
}

static int posix_open(void *ctx, const char *path, enum disk_open how, struct disk_file **ret_file)
{
    int flags = O_RDWR | O_CLOEXEC | (how == DISK_CREATE ? O_CREAT | O_TRUNC : 0);
    struct disk_file *file = kvs_malloc(sizeof *file);

    (void)ctx;
    if (file == NULL) {
        return KVS_E_NOMEM;
    }
    file->fd = open(path, flags, 0600);
    if (file->fd < 0) {
        int rv = posix_error(errno);

        kvs_free(file);
        return rv;
    }
    *ret_file = file;
    return 0;
}

static void posix_close(void *ctx, struct disk_file *file)
{
    (void)ctx;
    (void)close(file->fd); /* What mattered was synced before. */
    kvs_free(file);
}

static int posix_size(void *ctx, struct disk_file *file, uint64_t *ret_bytes)
{
    struct stat st;

    (void)ctx;
    if (fstat(file->fd, &st) != 0) {
        return posix_error(errno);
    }
    kvs_assert(st.st_size >= 0);
    *ret_bytes = (uint64_t)st.st_size;
    return 0;
}

static int posix_pread(
    void *ctx, struct disk_file *file, void *to, size_t len, uint64_t offset, size_t *ret_len)
{
    size_t done = 0;

    (void)ctx;
    while (done < len) {
        ssize_t n = pread(file->fd, (char *)to + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return posix_error(errno);
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    *ret_len = done;
    return 0;
}

static int
posix_pwrite(void *ctx, struct disk_file *file, const void *from, size_t len, uint64_t offset)
{
    size_t done = 0;

    (void)ctx;
    while (done < len) {
        ssize_t n = pwrite(file->fd, (const char *)from + done, len - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return posix_error(errno);
        }
        if (n == 0) {
            return KVS_E_IO;
        }
        done += (size_t)n;
    }
    return 0;
}

static int posix_sync(void *ctx, struct disk_file *file)
{
    (void)ctx;
    return fdatasync(file->fd) == 0 ? 0 : posix_error(errno);
}

static int posix_truncate(void *ctx, struct disk_file *file, uint64_t size)
{
    (void)ctx;
    return ftruncate(file->fd, (off_t)size) == 0 ? 0 : posix_error(errno);
}

static int posix_allocate(void *ctx, struct disk_file *file, uint64_t offset, uint64_t len)
{
    int rv;

    (void)ctx;
    do {
        rv = fallocate(file->fd, 0, (off_t)offset, (off_t)len);
    } while (rv != 0 && errno == EINTR);
    if (rv == 0) {
        return 0;
    }
    /* Not every file system can; the emulation writes, so it does reserve. */
    if (errno == EOPNOTSUPP) {
        rv = posix_fallocate(file->fd, (off_t)offset, (off_t)len);
        return rv == 0 ? 0 : posix_error(rv);
    }
    return posix_error(errno);
}

const struct disk *disk_posix(void)
{
    static const struct disk disk = {
        .make_dir = posix_make_dir,
        .list = posix_list,
        .sync_dir = posix_sync_dir,
        .rename = posix_rename,
        .unlink = posix_unlink,
        .free_bytes = posix_free_bytes,
        .lock = posix_lock,
        .unlock = posix_unlock,
        .open = posix_open,
        .close = posix_close,
        .size = posix_size,
        .pread = posix_pread,
        .pwrite = posix_pwrite,
        .sync = posix_sync,
        .truncate = posix_truncate,
        .allocate = posix_allocate,
    };

    return &disk;
}
