/* What the API says of itself: clients choose features by the Kubernetes version. */
#ifndef KUBE_VERSION_H
#define KUBE_VERSION_H

#include "base/buf.h"

#define KUBE_VERSION_MAJOR "1"
#define KUBE_VERSION_MINOR "32"
#define KUBE_VERSION       "v1.32.4"

/* The answer to /version. */
void kube_version_write(struct buf *to);

#endif
