/* Checksums of what goes to disk or to a peer: XXH3-64 (xxhash). Not cryptographic. */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* One-shot; `seed` binds the sum to where the bytes belong (e.g. a segment id). Any thread. */
uint64_t checksum64(const void *data, size_t len, uint64_t seed);

#endif
