/* Which paths of a kind may stand in a field selector, and what they are when the object lacks
 * them. Facts: the ToSelectableFields functions of Kubernetes 1.32. */
#ifndef KUBE_SELECTABLE_H
#define KUBE_SELECTABLE_H

#include "kube/resource.h"

enum { KUBE_SELECTABLES_MAX = 16 };

struct kube_selectable {
    const char *name;   /* as in a selector */
    const char *path;   /* in the object; NULL: the same */
    const char *absent; /* value if the object lacks it */
};

/* Ended by a NULL name. "metadata.name" first, then "metadata.namespace" if there are any. */
const struct kube_selectable *kube_selectables(const struct kube_resource *r);

#endif
