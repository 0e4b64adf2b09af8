/* Time as a parameter. Everything that needs time takes one of these, so that tests and the
 * simulator own it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    /* Monotonic nanoseconds from an arbitrary start. */
    uint64_t (*monotonic_ns)(void *ctx);
    /* Wall clock, nanoseconds since 1970, for logs and generated ids only. */
    uint64_t (*wall_ns)(void *ctx);
    void *ctx;
};

/* The machine's clocks. Any thread. */
const struct clock *clock_system(void);

static inline uint64_t clock_ms(const struct clock *c)
{
    return c->monotonic_ns(c->ctx) / 1000000;
}

static inline uint64_t clock_ns(const struct clock *c)
{
    return c->monotonic_ns(c->ctx);
}

#endif
