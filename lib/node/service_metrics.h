/* The /metrics page: etcd's names and labels. */
#ifndef NODE_SERVICE_METRICS_H
#define NODE_SERVICE_METRICS_H

#include "base/buf.h"
#include "node/service.h"

/* Appends the page. Out of memory marks the buffer. Loop thread. */
void service_metrics_write(struct service *s, struct buf *b);

#endif
