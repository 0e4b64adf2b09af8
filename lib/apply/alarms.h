/* Alarms that are raised, by type and member. In memory only; apply.c persists. */
#ifndef APPLY_ALARMS_H
#define APPLY_ALARMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "kvstore/types.h"

#define ALARMS_MAX 256 /* etcd lets clients name any member id; we let them name this many */

struct alarm_table {
    struct kvs_alarm items[ALARMS_MAX];
    size_t n_items;
};

/* KVS_E_TOO_MANY_REQUESTS if the table is full; adding what is there is no error. */
KVS_MUST_USE int alarms_add(struct alarm_table *t, const struct kvs_alarm *alarm);

/* False if it was not there. */
bool alarms_remove(struct alarm_table *t, const struct kvs_alarm *alarm);
bool alarms_has_type(const struct alarm_table *t, int type);

#endif
