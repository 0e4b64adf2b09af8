/* JSON patches (RFC 6902) as Kubernetes' API server applies them: with the library's liberties
 * (negative list indexes, replace of a member that is not there) and with the server's limits. */
#ifndef KUBE_PATCH_JSON_H
#define KUBE_PATCH_JSON_H

#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "base/attr.h"
#include "base/buf.h"

/* A patch has at most so many operations. */
#define KUBE_PATCH_JSON_OPS_MAX 10000

/* Its "copy" operations may add so many bytes of JSON together. */
#define KUBE_PATCH_JSON_COPY_MAX (3 * 1024 * 1024)

/* Members and list items that a patch may walk over in finding its way. */
#define KUBE_PATCH_JSON_STEPS_MAX 10000000

/* Applies `patch` to `root`, an object or list of `doc`, in place, and sets `ret_root` (another
 * value after a replace of the whole). `patch` may belong to another document; what is needed of
 * it is copied. On failure `root` may be changed in part: the caller drops it.
 *
 * The errors tell the server's answers apart, with the text appended to `why` (may be NULL):
 *   KVS_E_MALFORMED  400 Bad Request: not a list of operations
 *   KVS_E_TOO_LONG   413 Request Entity Too Large: beyond a limit above, or nested too deeply
 *   KVS_E_INVALID    422: an operation does not apply. The server's own message is always "the
 *                    server rejected our request due to an error in our request"
 *   KVS_E_NOMEM
 * Any thread. */
KVS_MUST_USE int kube_patch_json(yyjson_mut_doc *doc,
                                 yyjson_mut_val *root,
                                 yyjson_mut_val *patch,
                                 yyjson_mut_val **ret_root,
                                 struct buf *why);

#endif
