#include "apply/alarms.h"

#include <string.h>

static bool alarm_is_below(const struct kvs_alarm *a, const struct kvs_alarm *b)
{
    return a->type != b->type ? a->type < b->type : a->member_id < b->member_id;
}

static bool alarm_is_equal(const struct kvs_alarm *a, const struct kvs_alarm *b)
{
    return a->type == b->type && a->member_id == b->member_id;
}

static size_t alarms_place(const struct alarm_table *t, const struct kvs_alarm *alarm)
{
    size_t at = 0;

    while (at < t->n_items && alarm_is_below(&t->items[at], alarm)) {
        at++;
    }
    return at;
}

int alarms_add(struct alarm_table *t, const struct kvs_alarm *alarm)
{
    size_t at = alarms_place(t, alarm);

    if (at < t->n_items && alarm_is_equal(&t->items[at], alarm)) {
        return 0;
    }
    if (t->n_items == ALARMS_MAX) {
        return KVS_E_TOO_MANY_REQUESTS;
    }
    memmove(&t->items[at + 1], &t->items[at], (t->n_items - at) * sizeof t->items[0]);
    t->items[at] = *alarm;
    t->n_items++;
    return 0;
}

bool alarms_remove(struct alarm_table *t, const struct kvs_alarm *alarm)
{
    size_t at = alarms_place(t, alarm);

    if (at == t->n_items || !alarm_is_equal(&t->items[at], alarm)) {
        return false;
    }
    t->n_items--;
    memmove(&t->items[at], &t->items[at + 1], (t->n_items - at) * sizeof t->items[0]);
    return true;
}

bool alarms_has_type(const struct alarm_table *t, int type)
{
    for (size_t i = 0; i < t->n_items; i++) {
        if (t->items[i].type == type) {
            return true;
        }
    }
    return false;
}
