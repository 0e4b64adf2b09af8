/* OpenAPI v3 of the built-in API, one document for each group and version, with an index. kubectl
 * reads them for validation, explain, and the patches of apply and edit.
 *
 * Documents come from the tables alone and are the same as long as the program is. Any thread. */
#ifndef KUBE_OPENAPI_V3_H
#define KUBE_OPENAPI_V3_H

#include "base/buf.h"

size_t kube_openapi_v3_count(void);

/* "apis/apps/v1": what stands behind /openapi/v3/. `n` < kube_openapi_v3_count(). */
void kube_openapi_v3_name(size_t n, char *to, size_t size);

/* Which document has this name; kube_openapi_v3_count() if none has. */
size_t kube_openapi_v3_find(struct kvs_view name);

/* Appends the n-th document as JSON. KVS_E_NOMEM. */
KVS_MUST_USE int kube_openapi_v3_write(size_t n, struct buf *to);

/* Appends the index; hashes[n] is checksum64 of the n-th document's JSON. */
void kube_openapi_v3_index(const uint64_t *hashes, struct buf *to);

/* The hash as URLs and ETags have it; `to` has room for KUBE_OPENAPI_HASH_SIZE. */
enum { KUBE_OPENAPI_HASH_SIZE = 17 };
void kube_openapi_hash_text(uint64_t hash, char *to);

#endif
