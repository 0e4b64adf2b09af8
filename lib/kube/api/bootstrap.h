/* What a cluster has from its first moment: the namespaces that everything else lives in. Created
 * if they are not there, by whichever API server comes first. Loop thread. */
#ifndef KUBE_BOOTSTRAP_H
#define KUBE_BOOTSTRAP_H

#include "kube/registry/registry.h"

struct kube_bootstrap;

/* `cb` runs once, later: 0, or why something could not be created. KVS_E_NOMEM. */
KVS_MUST_USE int
kube_bootstrap_start(struct kube_registry *registry, void (*cb)(void *ctx, int status), void *ctx);

#endif
