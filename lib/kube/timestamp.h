/* Points in time as the API writes them: metav1.Time in whole seconds, MicroTime with six digits,
 * both RFC 3339 in UTC. The calendar is libc's. */
#ifndef KUBE_TIMESTAMP_H
#define KUBE_TIMESTAMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

struct kube_time {
    int64_t seconds; /* since 1970 in UTC */
    int32_t nanos;   /* 0 to 999,999,999 */
};

#define KUBE_TIME_TEXT_MAX 48

/* Parses what metav1.Time accepts: any fraction, any offset. KVS_E_INVALID with Go's text appended
 * to `why` (may be NULL). Borrows `text` for the call. Any thread, as all of this file. */
KVS_MUST_USE int kube_time_parse(struct kvs_view text, struct kube_time *ret_time, struct buf *why);

/* The same for MicroTime, whose fraction has to have six digits. */
KVS_MUST_USE int
kube_time_parse_micro(struct kvs_view text, struct kube_time *ret_time, struct buf *why);

/* "2026-11-28T20:15:00Z"; the fraction is dropped. Returns the length. */
size_t kube_time_print(struct kube_time t, char ret_text[KUBE_TIME_TEXT_MAX]);

/* "2026-11-28T20:15:00.123456Z". */
size_t kube_time_print_micro(struct kube_time t, char ret_text[KUBE_TIME_TEXT_MAX]);

#endif
