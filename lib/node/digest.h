/* Cryptographic digests that etcd's formats prescribe: SHA-1 for ids, SHA-256 for snapshots. */
#ifndef NODE_DIGEST_H
#define NODE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "kvstore/types.h"

#define DIGEST_SHA256_BYTES 32

struct digest;

/* A running SHA-256. NULL if out of memory. */
KVS_MUST_USE struct digest *digest_sha256_new(void);
void digest_update(struct digest *d, const void *data, size_t len);
/* Writes the sum; the digest can only be freed afterwards. */
void digest_final(struct digest *d, uint8_t ret_sum[DIGEST_SHA256_BYTES]);
void digest_free(struct digest *d);

/* First eight bytes, big-endian, of the SHA-1 of `data`: how etcd makes member and cluster ids. */
uint64_t digest_sha1_id(struct kvs_view data);

#endif
