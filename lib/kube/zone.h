/* Time zones by their IANA names, for schedules. libc knows one zone per process; GLib reads the
 * system's zone files into objects, so zones can be used side by side and from any thread. */
#ifndef KUBE_ZONE_H
#define KUBE_ZONE_H

#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

struct kube_zone;

/* Opens a zone: "Europe/Berlin", "UTC"; "" is UTC, too. KVS_E_INVALID with Go's text appended to
 * `why` (may be NULL), KVS_E_NOMEM. Closed by the caller. Any thread. */
KVS_MUST_USE int kube_zone_open(struct kvs_view name, struct kube_zone **ret_zone, struct buf *why);

/* NULL is fine. */
void kube_zone_close(struct kube_zone *zone);

/* Seconds east of Greenwich at an instant. NULL is UTC. Any number of threads at a time. */
int32_t kube_zone_offset(const struct kube_zone *zone, int64_t seconds);

#endif
