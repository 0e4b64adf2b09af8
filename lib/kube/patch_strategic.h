/* Strategic merge patches, in place on mutable trees: merge patches that know from the types which
 * lists are merged by key, and that carry directives ($patch, $retainKeys, $setElementOrder/...,
 * $deleteFromPrimitiveList/...). As StrategicMergeMapPatch of
 * k8s.io/apimachinery/pkg/util/strategicpatch 1.32. */
#ifndef KUBE_PATCH_STRATEGIC_H
#define KUBE_PATCH_STRATEGIC_H

#include <yyjson.h>

#include "base/attr.h"
#include "base/buf.h"
#include "kube/schema.h"

/* Applies `patch` to `target`, an object of `doc` in the normal form of `type`, and sets
 * `ret_object` (another value if the patch replaces the whole). `patch` may belong to another
 * document: it is copied. On failure `target` may be changed in part: the caller drops it. The
 * result is not in normal form: members that `type` does not have may be in it, as in any patch.
 *
 * The errors tell the server's answers apart, with the text appended to `why` (may be NULL):
 *   KVS_E_MALFORMED  400 Bad Request
 *   KVS_E_INVALID    422, with the server's fixed text
 *   KVS_E_NOT_FOUND  500 with the text as it is: an item without its merge key, a directive for
 *                    a field that does not exist or that nobody knows
 *   KVS_E_TOO_LONG   413: nested too deeply
 *   KVS_E_NOMEM
 * Any thread. */
KVS_MUST_USE int kube_patch_strategic(yyjson_mut_doc *doc,
                                      const struct kube_message *type,
                                      yyjson_mut_val *target,
                                      yyjson_mut_val *patch,
                                      yyjson_mut_val **ret_object,
                                      struct buf *why);

#endif
