#include "node/digest.h"

#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"

struct digest {
    EVP_MD_CTX *ctx;
};

struct digest *digest_sha256_new(void)
{
    struct digest *d = kvs_malloc(sizeof *d);

    if (d == NULL) {
        return NULL;
    }
    d->ctx = EVP_MD_CTX_new();
    if (d->ctx == NULL || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1) {
        digest_free(d);
        return NULL;
    }
    return d;
}

void digest_update(struct digest *d, const void *data, size_t len)
{
    int ok = EVP_DigestUpdate(d->ctx, data, len);

    kvs_assert(ok == 1);
}

void digest_final(struct digest *d, uint8_t ret_sum[DIGEST_SHA256_BYTES])
{
    unsigned len = 0;
    int ok = EVP_DigestFinal_ex(d->ctx, ret_sum, &len);

    kvs_assert(ok == 1 && len == DIGEST_SHA256_BYTES);
}

void digest_free(struct digest *d)
{
    if (d == NULL) {
        return;
    }
    EVP_MD_CTX_free(d->ctx);
    kvs_free(d);
}

uint64_t digest_sha1_id(struct kvs_view data)
{
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int ok = EVP_Digest(data.data, data.len, sum, &len, EVP_sha1(), NULL);

    kvs_assert(ok == 1 && len >= 8);
    return load_be64(sum);
}
