/* What the parser of schedules and the search for the next match share. */
#ifndef KUBE_CRON_INT_H
#define KUBE_CRON_INT_H

#include "kube/cron.h"

#define CRON_STAR (UINT64_C(1) << 63)

#endif
