/* Prometheus text exposition: small writers over a buffer, and the histogram that etcd's
 * dashboards expect for disk and network times. */
#ifndef NODE_METRICS_H
#define NODE_METRICS_H

#include <stdint.h>

#include "base/buf.h"

/* etcd's buckets: 0.001 * 2^n seconds, n = 0..13. */
#define METRICS_BUCKETS 14

struct metrics_histogram {
    uint64_t counts[METRICS_BUCKETS + 1]; /* the last: above all bounds; not cumulative */
    uint64_t count;
    double sum_s;
};

void metrics_observe_ns(struct metrics_histogram *h, uint64_t ns);

/* "# HELP" and "# TYPE" lines. `type` is "counter", "gauge" or "histogram". */
void metrics_head(struct buf *b, const char *name, const char *type, const char *help);

/* One sample. `labels` is NULL or the text between the braces. */
void metrics_u64(struct buf *b, const char *name, const char *labels, uint64_t value);
void metrics_f64(struct buf *b, const char *name, const char *labels, double value);

/* Head and one sample without labels. */
void metrics_counter(struct buf *b, const char *name, const char *help, uint64_t value);
void metrics_gauge(struct buf *b, const char *name, const char *help, uint64_t value);

/* Head, buckets, sum and count. */
void metrics_histogram(struct buf *b,
                       const char *name,
                       const char *help,
                       const struct metrics_histogram *h);

/* process_* and os_* samples of this process, read from /proc. */
void metrics_process(struct buf *b);

#endif
