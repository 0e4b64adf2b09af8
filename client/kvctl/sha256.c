#include "sha256.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

static void sha256_must(int ok)
{
    if (ok != 1) {
        (void)fputs("kvctl: SHA-256 is not available: out of memory?\n", stderr);
        exit(EXIT_FAILURE);
    }
}

void sha256_init(struct sha256 *s)
{
    s->ctx = EVP_MD_CTX_new();
    sha256_must(s->ctx != NULL && EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL) == 1);
}

void sha256_update(struct sha256 *s, const void *data, size_t len)
{
    sha256_must(EVP_DigestUpdate(s->ctx, data, len));
}

void sha256_final(struct sha256 *s, uint8_t ret_sum[SHA256_BYTES])
{
    sha256_must(EVP_DigestFinal_ex(s->ctx, ret_sum, NULL));
    sha256_fini(s);
}

void sha256_fini(struct sha256 *s)
{
    EVP_MD_CTX_free(s->ctx);
    s->ctx = NULL;
}
