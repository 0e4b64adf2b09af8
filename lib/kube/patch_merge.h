/* JSON merge patches (RFC 7386), in place on mutable trees. */
#ifndef KUBE_PATCH_MERGE_H
#define KUBE_PATCH_MERGE_H

#include <yyjson.h>

#include "base/attr.h"
#include "base/buf.h"

/* Applies `patch` to `target`, an object of `doc`: null removes, objects merge, all else replaces.
 * `patch` may belong to another document; what is needed of it is copied. On failure `target` may
 * be changed in part: the caller drops it.
 * KVS_E_MALFORMED (a bad request) if `patch` is no object, with the server's text appended to `why`
 * (may be NULL); KVS_E_TOO_LONG if it nests too deeply; KVS_E_NOMEM. Any thread. */
KVS_MUST_USE int kube_patch_merge(yyjson_mut_doc *doc,
                                  yyjson_mut_val *target,
                                  yyjson_mut_val *patch,
                                  struct buf *why);

/* Makes the patch that turns the object `from` into `to`, an object of `doc` (empty if they are
 * equal). A member of `to` that is null cannot be had by a merge patch and counts as absent.
 * KVS_E_TOO_LONG, KVS_E_NOMEM. Any thread. */
KVS_MUST_USE int kube_patch_merge_diff(yyjson_mut_doc *doc,
                                       yyjson_mut_val *from,
                                       yyjson_mut_val *to,
                                       yyjson_mut_val **ret_patch);

#endif
