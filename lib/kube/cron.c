#include "kube/cron.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/cron_int.h"

#define CRON_YEARS 5 /* how far ahead a match is looked for */

/* ---- the clock on the wall ---- */

/* An instant with what clocks in the zone show then. */
struct cron_clock {
    const struct kube_zone *zone;
    int64_t seconds; /* since 1970 in UTC */
    struct tm at;
};

static void cron_clock_set(struct cron_clock *c, int64_t seconds)
{
    time_t shown = (time_t)(seconds + kube_zone_offset(c->zone, seconds));

    c->seconds = seconds;
    if (gmtime_r(&shown, &c->at) == NULL) {
        memset(&c->at, 0, sizeof c->at); /* Not within the range of schedules. */
    }
}

/* Sets the clock to what it is to show, as Go's time.Date does: numbers out of range are carried
 * over; a time that is skipped or doubled takes the offset before or after the change. */
static void cron_clock_show(struct cron_clock *c, struct tm at)
{
    int64_t shown = timegm(&at);
    int32_t offset = kube_zone_offset(c->zone, shown);
    int32_t at_utc = kube_zone_offset(c->zone, shown - offset);

    cron_clock_set(c, shown - (at_utc != offset ? at_utc : offset));
}

/* ---- the next match ---- */

struct cron_search {
    const struct kube_cron *cron;
    struct cron_clock clock;
    bool is_cut; /* the smaller units were set to their least values */
};

static bool cron_has(uint64_t set, int n)
{
    return (set >> n & 1) != 0;
}

static bool cron_day_matches(const struct kube_cron *cron, const struct tm *at)
{
    bool day = cron_has(cron->day, at->tm_mday);
    bool weekday = cron_has(cron->weekday, at->tm_wday);

    /* Two restricted fields are alternatives, as in all crons. */
    if ((cron->day & CRON_STAR) != 0 || (cron->weekday & CRON_STAR) != 0) {
        return day && weekday;
    }
    return day || weekday;
}

/* Each step moves on to a match of its unit. False if a larger unit changed over: start again. */
static bool cron_step_month(struct cron_search *s)
{
    while (!cron_has(s->cron->month, s->clock.at.tm_mon + 1)) {
        struct tm at = s->clock.at;

        if (!s->is_cut) {
            s->is_cut = true;
            at = (struct tm){.tm_year = at.tm_year, .tm_mon = at.tm_mon, .tm_mday = 1};
            cron_clock_show(&s->clock, at);
            at = s->clock.at;
        }
        at.tm_mon++;
        cron_clock_show(&s->clock, at);
        if (s->clock.at.tm_mon == 0) {
            return false;
        }
    }
    return true;
}

static bool cron_step_day(struct cron_search *s)
{
    while (!cron_day_matches(s->cron, &s->clock.at)) {
        struct tm at = s->clock.at;

        if (!s->is_cut) {
            s->is_cut = true;
            at = (struct tm){.tm_year = at.tm_year, .tm_mon = at.tm_mon, .tm_mday = at.tm_mday};
            cron_clock_show(&s->clock, at);
            at = s->clock.at;
        }
        at.tm_mday++;
        cron_clock_show(&s->clock, at);
        /* Where midnight is skipped or doubled: back to the start of the day. */
        if (s->clock.at.tm_hour != 0) {
            int hours = s->clock.at.tm_hour > 12 ? 24 - s->clock.at.tm_hour : -s->clock.at.tm_hour;

            cron_clock_set(&s->clock, s->clock.seconds + hours * 3600);
        }
        if (s->clock.at.tm_mday == 1) {
            return false;
        }
    }
    return true;
}

static bool cron_step_hour(struct cron_search *s)
{
    while (!cron_has(s->cron->hour, s->clock.at.tm_hour)) {
        if (!s->is_cut) {
            struct tm at = s->clock.at;

            s->is_cut = true;
            at.tm_min = 0;
            at.tm_sec = 0;
            cron_clock_show(&s->clock, at);
        }
        cron_clock_set(&s->clock, s->clock.seconds + 3600);
        if (s->clock.at.tm_hour == 0) {
            return false;
        }
    }
    return true;
}

static bool cron_step_minute(struct cron_search *s)
{
    while (!cron_has(s->cron->minute, s->clock.at.tm_min)) {
        int64_t rest = s->is_cut ? 0 : (s->clock.seconds % 60 + 60) % 60;

        s->is_cut = true;
        cron_clock_set(&s->clock, s->clock.seconds - rest + 60);
        if (s->clock.at.tm_min == 0) {
            return false;
        }
    }
    return true;
}

static bool cron_step_second(struct cron_search *s)
{
    if (s->clock.at.tm_sec == 0) {
        return true;
    }
    s->is_cut = true;
    cron_clock_set(&s->clock, s->clock.seconds + 60 - s->clock.at.tm_sec);
    return false; /* A new minute. */
}

int kube_cron_next(const struct kube_cron *cron,
                   const struct kube_zone *zone,
                   int64_t after,
                   int64_t *ret_next)
{
    struct cron_search s = {.cron = cron, .clock.zone = cron->zone != NULL ? cron->zone : zone};
    int year_max;

    kvs_assert(ret_next != NULL);
    if (cron->every_seconds > 0) {
        *ret_next = after + cron->every_seconds;
        return 0;
    }
    /* A field such as "," is accepted and matches nothing. */
    if (cron->minute == 0 || cron->hour == 0 || cron->month == 0) {
        return KVS_E_NOT_FOUND;
    }
    cron_clock_set(&s.clock, after + 1);
    year_max = s.clock.at.tm_year + CRON_YEARS;
    while (s.clock.at.tm_year <= year_max) {
        if (cron_step_month(&s) && cron_step_day(&s) && cron_step_hour(&s) &&
            cron_step_minute(&s) && cron_step_second(&s)) {
            kvs_assert(s.clock.seconds > after);
            *ret_next = s.clock.seconds;
            return 0;
        }
    }
    return KVS_E_NOT_FOUND;
}

void kube_cron_fini(struct kube_cron *cron)
{
    kube_zone_close(cron->zone);
    memset(cron, 0, sizeof *cron);
}
