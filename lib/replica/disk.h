/* The file operations that durability code uses, as a vtable: the POSIX one in production, a
 * virtual disk that loses power, fails and fills up under the simulator.
 *
 * What durability code may rely on, and no more:
 *   - bytes written are durable after sync() of their file has returned 0, and not before;
 *     until then any part of them may survive a crash, in any order;
 *   - a file's creation, removal and new name are durable after sync_dir() of the folder;
 *   - a rename replaces an existing target at once: after a crash there is the old or the new.
 *
 * All functions return 0 or KVS_E_*: IO, FULL, NOT_FOUND, PERMISSION, LOCKED, NOMEM. Each may be
 * called from any thread; one file is used by one thread at a time. Paths are '/'-separated. */
#ifndef REPLICA_DISK_H
#define REPLICA_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct disk_file; /* of the implementation */
struct disk_lock;

enum disk_open {
    DISK_OPEN = 0,   /* read and write an existing file */
    DISK_CREATE = 1, /* read and write a new file; an old one of that name becomes empty */
};

/* `name` lives for the call. Anything but 0 ends the listing, which then returns it. */
typedef int (*disk_list_fn)(void *list_ctx, const char *name);

struct disk {
    /* One level; 0 also if it is there already. Mode 0700. */
    int (*make_dir)(void *ctx, const char *path);
    int (*list)(void *ctx, const char *path, disk_list_fn each, void *list_ctx);
    int (*sync_dir)(void *ctx, const char *path);
    int (*rename)(void *ctx, const char *from, const char *to);
    int (*unlink)(void *ctx, const char *path);
    int (*free_bytes)(void *ctx, const char *path, uint64_t *ret_bytes);

    /* Exclusive until unlock or the end of the process. KVS_E_LOCKED if somebody has it. */
    int (*lock)(void *ctx, const char *path, struct disk_lock **ret_lock);
    void (*unlock)(void *ctx, struct disk_lock *lock);

    int (*open)(void *ctx, const char *path, enum disk_open how, struct disk_file **ret_file);
    void (*close)(void *ctx, struct disk_file *file);
    int (*size)(void *ctx, struct disk_file *file, uint64_t *ret_bytes);
    /* Less than `len` only at the end of the file. */
    int (*pread)(
        void *ctx, struct disk_file *file, void *to, size_t len, uint64_t offset, size_t *ret_len);
    /* All of it, or an error and any part of it. */
    int (*pwrite)(void *ctx, struct disk_file *file, const void *from, size_t len, uint64_t offset);
    /* Data and what is needed to read them back (size). After an error nothing is known about
     * what is on disk, and calling again does not help. */
    int (*sync)(void *ctx, struct disk_file *file);
    int (*truncate)(void *ctx, struct disk_file *file, uint64_t size);
    /* Reserves space; the file grows to offset + len and reads as zero where nothing was written.
     */
    int (*allocate)(void *ctx, struct disk_file *file, uint64_t offset, uint64_t len);
    void *ctx;
};

/* The machine's disk. Static storage. Any thread. */
const struct disk *disk_posix(void);

#endif
