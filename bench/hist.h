/* Latency histogram: logarithmic ranges, each cut into equal steps, so that every value is kept
 * to within 1/64 of itself in a few kilobytes. One thread. */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

enum {
    HIST_STEP_BITS = 6,
    HIST_STEPS = 1 << HIST_STEP_BITS,
    HIST_SLOTS = (64 - HIST_STEP_BITS + 1) * HIST_STEPS,
};

/* All zero is empty. */
struct hist {
    uint64_t slots[HIST_SLOTS];
    uint64_t n;
    uint64_t sum;
    uint64_t max;
};

void hist_add(struct hist *h, uint64_t value);

/* The value that `per_mille` of the values do not exceed, rounded up by at most 1/64; 0 if empty.
 */
uint64_t hist_at(const struct hist *h, unsigned per_mille);

#endif
