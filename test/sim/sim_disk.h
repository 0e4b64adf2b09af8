/* A virtual disk: folders and files in memory behind the vtable of replica/disk.h, which loses
 * power, fails and fills up when it is told to, all from one seed.
 *
 * What is lost at a power cut:
 *   - of bytes written and not synced each sector (512 bytes, or a page) on its own, by chance;
 *   - of a size that was not synced anything between the old and the new;
 *   - of creations, removals and renames in a folder that was not synced each one on its own.
 * A sync that fails is like Linux': what it should have written is no longer dirty, so the next
 * sync returns 0 and the bytes are gone with the power all the same.
 *
 * Not thread-safe; allocates from the C library and aborts when that fails, so that tests of our
 * own allocation failures do not hit it. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvstore/types.h"
#include "replica/disk.h"

struct sim_disk;

/* The root folder "/" exists; paths are used as given, "a/b" and "/a/b" are different. */
struct sim_disk *sim_disk_new(uint64_t seed);
void sim_disk_free(struct sim_disk *d);

/* Borrowed from `d`. */
const struct disk *sim_disk_vtable(struct sim_disk *d);

/* Unit of what survives; 512 unless set. Power of two. */
void sim_disk_set_sector(struct sim_disk *d, size_t bytes);

/* Bytes that all files may have together; 0 (default): any. */
void sim_disk_set_capacity(struct sim_disk *d, uint64_t bytes);

/* Operations so far. Everything but close and unlock is one. */
uint64_t sim_disk_ops(const struct sim_disk *d);

/* The `nth` operation from now (1: the next one) fails with `err`; a write may have been done in
 * part. 0 takes it back. */
void sim_disk_fail_at(struct sim_disk *d, uint64_t nth, int err);

/* Power goes at the `nth` operation from now, in the middle of it: this and all later ones return
 * KVS_E_IO. 0 takes it back. */
void sim_disk_cut_at(struct sim_disk *d, uint64_t nth);
bool sim_disk_is_off(const struct sim_disk *d);

/* Cuts power, if that has not happened yet, and turns it on again: decides what has survived, gives
 * locks back. Handles from before can only be closed. */
void sim_disk_power_cycle(struct sim_disk *d);

/* --- for tests: look and meddle ------------------------------------------------------------- */

/* Another disk with what can be read here now, all of it durable. */
struct sim_disk *sim_disk_clone(const struct sim_disk *d, uint64_t seed);

/* Borrowed until the next call; false if there is no such file. */
bool sim_disk_contents(const struct sim_disk *d, const char *path, struct kvs_view *ret_contents);

/* As if the medium had changed: no operation, durable. The file exists and is long enough. */
void sim_disk_flip(struct sim_disk *d, const char *path, uint64_t offset, uint8_t mask);
void sim_disk_zero(struct sim_disk *d, const char *path, uint64_t offset, uint64_t len);
void sim_disk_cut_file(struct sim_disk *d, const char *path, uint64_t size);
void sim_disk_remove(struct sim_disk *d, const char *path);
void sim_disk_write(struct sim_disk *d, const char *path, struct kvs_view contents);

#endif
