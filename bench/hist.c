#include "hist.h"

static unsigned hist_shift(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);

    return bits > HIST_STEP_BITS + 1 ? bits - HIST_STEP_BITS - 1 : 0;
}

/* Below 2 * HIST_STEPS each value has its slot; then each doubling has HIST_STEPS of them. */
static unsigned hist_slot(uint64_t value)
{
    unsigned shift = hist_shift(value);

    return shift * HIST_STEPS + (unsigned)(value >> shift);
}

static uint64_t hist_slot_end(unsigned slot)
{
    unsigned shift = slot < 2 * HIST_STEPS ? 0 : slot / HIST_STEPS - 1;

    return ((uint64_t)(slot - shift * HIST_STEPS + 1) << shift) - 1;
}

void hist_add(struct hist *h, uint64_t value)
{
    h->slots[hist_slot(value)]++;
    h->n++;
    h->sum += value;
    if (value > h->max) {
        h->max = value;
    }
}

uint64_t hist_at(const struct hist *h, unsigned per_mille)
{
    uint64_t rank = (h->n * per_mille + 999) / 1000;
    uint64_t seen = 0;

    for (unsigned slot = 0; slot < HIST_SLOTS; slot++) {
        seen += h->slots[slot];
        if (seen >= rank && seen > 0) {
            uint64_t end = hist_slot_end(slot);

            return end < h->max ? end : h->max;
        }
    }
    return 0;
}
