/* OpenAPI v2 (swagger) of the whole built-in API in one document: what clients before v3 read, and
 * what kubectl validates with when it is asked to do so itself. As JSON, and as the protobuf
 * messages of gnostic (package openapi.v2), which old kubectls insist on.
 *
 * Both from one walk over the same pieces, so they say the same. Any thread. */
#ifndef KUBE_OPENAPI_V2_H
#define KUBE_OPENAPI_V2_H

#include "base/buf.h"

/* Appends the document. KVS_E_NOMEM. */
KVS_MUST_USE int kube_openapi_v2_json(struct buf *to);
KVS_MUST_USE int kube_openapi_v2_proto(struct buf *to);

#endif
