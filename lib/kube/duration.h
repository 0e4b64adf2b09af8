/* Spans of time: Go's texts ("1h30m0s") as metav1.Duration carries them, and the short ages of
 * kubectl's tables. */
#ifndef KUBE_DURATION_H
#define KUBE_DURATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

#define KUBE_DURATION_TEXT_MAX 40

/* Parses what Go's time.ParseDuration accepts, into nanoseconds. KVS_E_INVALID with Go's text
 * appended to `why` (may be NULL). Borrows `text` for the call. Any thread, as all of this file. */
KVS_MUST_USE int kube_duration_parse(struct kvs_view text, int64_t *ret_ns, struct buf *why);

/* As Go's Duration.String: "1h0m0s", "1.5s", "100ms", "0s". Returns the length. */
size_t kube_duration_print(int64_t ns, char ret_text[KUBE_DURATION_TEXT_MAX]);

/* Age as in kubectl's columns, two or three significant figures: "45s", "3m20s", "5h", "2d3h",
 * "3y4d"; "<invalid>" for the future (two seconds of clock skew are forgiven). */
size_t kube_duration_human(int64_t ns, char ret_text[KUBE_DURATION_TEXT_MAX]);

/* The same with one unit only: "3m", "2d". */
size_t kube_duration_human_short(int64_t ns, char ret_text[KUBE_DURATION_TEXT_MAX]);

#endif
