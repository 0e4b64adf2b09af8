/* Gives back the memory that batches leave in this process: the mapped file's pages, and free
 * blocks of the heap. LMDB reads through a shared mapping: each page that was ever touched counts
 * as ours until it is unmapped, although it is the kernel's page cache that holds it. Dropping our
 * reference costs a minor fault at the next touch. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "backend/backend_int.h"

/* One line of /proc/self/maps that is a mapping of (device, inode). */
static bool resident_line_is(const char *line, const struct stat *st, struct backend_map *ret_map)
{
    unsigned long begin;
    unsigned long end;
    unsigned dev_major;
    unsigned dev_minor;
    uint64_t inode;

    if (sscanf(line, "%lx-%lx %*s %*x %x:%x %" SCNu64, &begin, &end, &dev_major, &dev_minor,
               &inode) != 5 ||
        inode != st->st_ino || makedev(dev_major, dev_minor) != st->st_dev) {
        return false;
    }
    *ret_map = (struct backend_map){(void *)begin, end - begin}; /* NOLINT: an address as text */
    return true;
}

void backend_find_map(struct backend *b)
{
    struct stat st;
    char line[512];
    mdb_filehandle_t fd;
    FILE *maps;
    bool found = false;

    b->map = (struct backend_map){0};
    if (mdb_env_get_fd(b->env, &fd) != 0 || fstat(fd, &st) != 0) {
        return;
    }
    maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && !found && fgets(line, sizeof line, maps) != NULL) {
        found = resident_line_is(line, &st, &b->map);
    }
    if (maps != NULL) {
        (void)fclose(maps);
    }
}

void backend_release_map(struct backend *b)
{
    if (b->map.base != NULL) {
        /* Advice: nothing is lost if it is not taken. */
        (void)madvise(b->map.base, b->map.bytes, MADV_DONTNEED);
    }
}

void backend_release_heap(void)
{
    (void)malloc_trim(0);
}
