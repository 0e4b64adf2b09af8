/* Schedules of cron jobs, with the grammar and the times of robfig/cron v3, which Kubernetes uses:
 * five fields, names, ranges, steps, @hourly and the like, @every, TZ= in front.
 *
 * Where clocks are put forward, a time that does not exist is no match; where they are put back, a
 * time that exists twice matches twice. */
#ifndef KUBE_CRON_H
#define KUBE_CRON_H

#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "kube/zone.h"

struct kube_cron {
    uint64_t minute; /* bit n: minute n; bit 63: the field was "*" or "?" */
    uint64_t hour;
    uint64_t day; /* of the month */
    uint64_t month;
    uint64_t weekday;       /* Sunday is 0 */
    int64_t every_seconds;  /* of @every; 0: the fields above count */
    struct kube_zone *zone; /* from TZ= or CRON_TZ=; NULL: the caller's */
};

/* Borrows `spec`; on success the caller ends `ret_cron` with fini. KVS_E_INVALID with the library's
 * text appended to `why` (may be NULL), KVS_E_NOMEM. Any thread, as all of this file. */
KVS_MUST_USE int kube_cron_parse(struct kvs_view spec, struct kube_cron *ret_cron, struct buf *why);

void kube_cron_fini(struct kube_cron *cron);

/* The first match later than `after`, both in seconds since 1970. `zone` is used if the schedule
 * has none of its own; NULL is UTC. KVS_E_NOT_FOUND if five years hold no match. */
KVS_MUST_USE int kube_cron_next(const struct kube_cron *cron,
                                const struct kube_zone *zone,
                                int64_t after,
                                int64_t *ret_next);

#endif
