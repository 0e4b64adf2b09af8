/* A disk that writes batches in order, takes its time, and loses what is not finished. */
#include "core_sim.h"

#include "base/alloc.h"
#include "base/assert.h"

static void entries_ref(const struct core_entry *e)
{
    if (e->owner != NULL) {
        rcbuf_ref(e->owner);
    }
}

void sim_disk_init(struct sim_disk *d, const struct sim_image *founded)
{
    *d = (struct sim_disk){.first = 1};
    d->pending_end = &d->pending;
    if (founded != NULL) {
        d->image = *founded;
        d->hard.term = founded->at.term;
        d->first = founded->at.index + 1;
    }
}

static void batch_free(struct sim_batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        rcbuf_unref(b->entries[i].owner);
    }
    kvs_free(b);
}

static struct sim_batch *pending_pop(struct sim_disk *d)
{
    struct sim_batch *b = d->pending;

    d->pending = b->next;
    if (d->pending == NULL) {
        d->pending_end = &d->pending;
    }
    return b;
}

static void entries_cut(struct sim_disk *d, size_t n)
{
    kvs_assert(n <= d->n);
    while (d->n > n) {
        rcbuf_unref(d->entries[--d->n].owner);
    }
}

void sim_disk_fini(struct sim_disk *d)
{
    while (d->pending != NULL) {
        batch_free(pending_pop(d));
    }
    entries_cut(d, 0);
    kvs_free(d->entries);
}

void sim_disk_push(struct sim_disk *d,
                   const struct core *c,
                   const struct core_persist *what,
                   uint64_t done_at)
{
    size_t n = what->to >= what->from ? (size_t)(what->to - what->from + 1) : 0;
    struct sim_batch *b = kvs_calloc(1, sizeof *b + n * sizeof b->entries[0]);

    kvs_assert(b != NULL);
    b->what = *what;
    b->done_at = done_at;
    b->n = n;
    for (size_t i = 0; i < n; i++) {
        b->entries[i] = *core_entry(c, what->from + i);
        entries_ref(&b->entries[i]);
    }
    *d->pending_end = b;
    d->pending_end = &b->next;
}

/* In the order of the records: hard state, reset, entries. `n` of the entries make it. */
static void batch_write(struct sim_disk *d, const struct sim_batch *b, bool reset, size_t n)
{
    d->hard = b->what.hard;
    if (b->what.reset && reset) {
        entries_cut(d, 0);
        d->first = b->what.reset_index + 1;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t index = b->what.from + i;

        kvs_assert(index >= d->first && index <= d->first + d->n);
        entries_cut(d, (size_t)(index - d->first));
        if (d->n == d->capacity) {
            d->capacity = d->capacity > 0 ? d->capacity * 2 : 16;
            d->entries = kvs_realloc(d->entries, d->capacity * sizeof *d->entries);
            kvs_assert(d->entries != NULL);
        }
        d->entries[d->n++] = b->entries[i];
        entries_ref(&b->entries[i]);
    }
}

uint64_t sim_disk_finish(struct sim_disk *d, uint64_t now)
{
    uint64_t seq = 0;

    while (d->pending != NULL && d->pending->done_at <= now) {
        struct sim_batch *b = pending_pop(d);

        batch_write(d, b, true, b->n);
        seq = b->what.seq;
        batch_free(b);
    }
    return seq;
}

void sim_disk_crash(struct sim_disk *d, struct rng *rng)
{
    bool lucky = rng_percent(rng, 50);

    while (d->pending != NULL) {
        struct sim_batch *b = pending_pop(d);

        if (lucky && rng_percent(rng, 60)) {
            batch_write(d, b, true, b->n);
        } else if (lucky) {
            bool reset = !b->what.reset || rng_percent(rng, 50);

            batch_write(d, b, reset, reset && b->n > 0 ? (size_t)rng_below(rng, b->n) : 0);
            lucky = false;
        }
        batch_free(b);
    }
}

void sim_disk_trim(struct sim_disk *d, uint64_t keep_from)
{
    size_t drop = 0;

    kvs_assert(keep_from <= d->image.at.index + 1);
    while (drop < d->n && d->first + drop < keep_from) {
        rcbuf_unref(d->entries[drop++].owner);
    }
    for (size_t i = drop; i < d->n; i++) {
        d->entries[i - drop] = d->entries[i];
    }
    d->n -= drop;
    d->first += drop;
}

bool sim_disk_has(const struct sim_disk *d, uint64_t index, uint64_t term)
{
    if (index <= d->image.at.index) {
        return true;
    }
    return index >= d->first && index < d->first + d->n &&
           d->entries[index - d->first].term == term;
}
