/* SHA-256 (OpenSSL's), for the sum that ends a snapshot file. */
#ifndef KVCTL_SHA256_H
#define KVCTL_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32 };

struct sha256 {
    struct evp_md_ctx_st *ctx; /* NULL: not begun, or over */
};

/* Ends the program if there is no memory. */
void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t len);

/* The sum of everything so far; nothing is left to free. */
void sha256_final(struct sha256 *s, uint8_t ret_sum[SHA256_BYTES]);

/* For a sum that is not wanted any more. Harmless after sha256_final. */
void sha256_fini(struct sha256 *s);

#endif
