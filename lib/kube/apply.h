/* Server-side apply: a body that says only what its author cares for, merged into what is there;
 * what the author said before and says no more goes, unless somebody else says it, too. As
 * managedfields.FieldManager.Apply of apimachinery 1.32 and merge.Updater of
 * structured-merge-diff. */
#ifndef KUBE_APPLY_H
#define KUBE_APPLY_H

#include "kube/managed_fields.h"
#include "kube/status.h"

struct kube_apply {
    const struct kube_manager *manager;
    const char *kind;           /* what the body has to be, with the manager's api_version */
    bool force;                 /* take what others own */
    struct kube_status *status; /* set when KVS_E_INVALID is returned */
};

/* Applies `patch`, a tree as it was sent, to `live` (NULL: to nothing). `ret_object` is a new tree
 * with its managedFields, not in normal form. KVS_E_INVALID, with the status: a conflict (409) that
 * names who owns what, a body that does not fit its type (500, as upstream has it), one that must
 * not be (400). KVS_E_TOO_LONG, KVS_E_NOMEM. Any thread. */
KVS_MUST_USE int kube_apply(const struct kube_apply *apply,
                            yyjson_mut_val *live,
                            yyjson_mut_val *patch,
                            yyjson_mut_val **ret_object);

#endif
