/* SHA-256, for the sum that ends a snapshot file. */
#ifndef KVCTL_SHA256_H
#define KVCTL_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32 };

struct sha256 {
    uint32_t state[8];
    uint64_t total;
    uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t len);
void sha256_final(struct sha256 *s, uint8_t ret_sum[SHA256_BYTES]);

#endif
