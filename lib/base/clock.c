#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static uint64_t clock_read_ns(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now); /* cannot fail for the two ids used here */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t clock_system_monotonic_ns(void *ctx)
{
    (void)ctx;
    return clock_read_ns(CLOCK_MONOTONIC);
}

static uint64_t clock_system_wall_ns(void *ctx)
{
    (void)ctx;
    return clock_read_ns(CLOCK_REALTIME);
}

const struct clock *clock_system(void)
{
    static const struct clock system = {clock_system_monotonic_ns, clock_system_wall_ns, NULL};

    return &system;
}
