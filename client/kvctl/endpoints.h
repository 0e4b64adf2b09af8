/* The endpoints a command asks one by one: those of --endpoints, or of every member. */
#ifndef KVCTL_ENDPOINTS_H
#define KVCTL_ENDPOINTS_H

#include "ctl.h"

struct endpoints {
    char **names;
    size_t count;
};

/* With --cluster set, asks the cluster for its members. 0 or an exit code. */
int endpoints_get(struct ctl *ctl, struct endpoints *ret_endpoints);
void endpoints_free(struct endpoints *e);

#endif
