#include "wal_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/clock.h"

static void *model_realloc(void *old, size_t bytes)
{
    void *memory = realloc(old, bytes);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

KVS_NORETURN static void model_wrong(const struct wal_model *m, const char *what)
{
    (void)fprintf(stderr,
                  "wal_model: seed %llu: %s\n"
                  "  seen   base %llu last %llu term %llu vote %llu\n"
                  "  synced base %llu last %llu term %llu vote %llu, %zu steps more\n",
                  (unsigned long long)m->seed, what, (unsigned long long)m->seen.base_index,
                  (unsigned long long)m->seen.last_index, (unsigned long long)m->seen.hard.term,
                  (unsigned long long)m->seen.hard.vote, (unsigned long long)m->synced.base_index,
                  (unsigned long long)m->synced.last_index, (unsigned long long)m->synced.hard.term,
                  (unsigned long long)m->synced.hard.vote, m->n_steps);
    abort();
}

/* --- a log as an array ---------------------------------------------------------------------- */

static void log_copy(struct model_log *to, const struct model_log *from)
{
    struct model_entry *entries = to->entries;
    size_t capacity = to->capacity;
    size_t n = (size_t)(from->last_index - from->base_index);

    if (capacity < n) {
        capacity = n;
        entries = model_realloc(entries, n * sizeof *entries);
    }
    *to = *from;
    to->entries = entries;
    to->capacity = capacity;
    if (n > 0) {
        memcpy(entries, from->entries, n * sizeof *entries);
    }
}

static void log_push(struct model_log *l, uint64_t index, uint64_t term, uint64_t sum)
{
    size_t at = (size_t)(index - l->base_index - 1);

    if (at >= l->capacity) {
        l->capacity = (at + 1) * 2;
        l->entries = model_realloc(l->entries, l->capacity * sizeof *l->entries);
    }
    l->entries[at] = (struct model_entry){term, sum};
    l->last_index = index;
}

static uint64_t log_term(const struct model_log *l, uint64_t index)
{
    return index > l->base_index ? l->entries[index - l->base_index - 1].term : l->base_term;
}

static void log_step(struct model_log *l, const struct model_step *step)
{
    switch (step->type) {
    case MODEL_HARD:
        l->hard = step->hard;
        break;
    case MODEL_RESET:
        l->base_index = step->index;
        l->base_term = step->term;
        l->last_index = step->index;
        break;
    case MODEL_ENTRY:
        log_push(l, step->index, step->term, step->sum);
        break;
    }
}

/* --- what was done -------------------------------------------------------------------------- */

void wal_model_init(struct wal_model *m, uint64_t seed)
{
    memset(m, 0, sizeof *m);
    m->seed = seed;
    rng_init(&m->rng, seed);
    buf_init(&m->batch_data);
}

void wal_model_fini(struct wal_model *m)
{
    free(m->synced.entries);
    free(m->now.entries);
    free(m->seen.entries);
    free(m->steps);
    free(m->batch);
    buf_fini(&m->batch_data);
}

void wal_model_copy(struct wal_model *to, const struct wal_model *from)
{
    wal_model_init(to, from->seed);
    log_copy(&to->synced, &from->synced);
    log_copy(&to->now, &from->now);
    to->trimmed = from->trimmed;
    to->n_steps = from->n_steps;
    to->steps_capacity = from->n_steps;
    if (from->n_steps > 0) {
        to->steps = model_realloc(NULL, from->n_steps * sizeof *to->steps);
        memcpy(to->steps, from->steps, from->n_steps * sizeof *to->steps);
    }
}

static uint64_t entry_sum(const struct wal_entry *e)
{
    return checksum64(e->data.data, e->data.len, e->type);
}

void wal_model_batch(struct wal_model *m, uint64_t first, size_t n, size_t bytes_max)
{
    uint64_t term = log_term(&m->now, first - 1);

    m->batch = model_realloc(m->batch, (n > 0 ? n : 1) * sizeof *m->batch);
    m->n_batch = n;
    buf_clear(&m->batch_data);
    for (size_t i = 0; i < n; i++) {
        size_t len = (size_t)rng_below(&m->rng, bytes_max + 1);
        uint8_t *data = buf_reserve(&m->batch_data, len + 8);

        for (size_t at = 0; data != NULL && at < len; at += 8) {
            uint64_t word = rng_next(&m->rng);

            memcpy(data + at, &word, sizeof word);
        }
        m->batch_data.len += len;
        term += rng_percent(&m->rng, 5) ? 1 : 0;
        term = term > 0 ? term : 1;
        m->batch[i] = (struct wal_entry){
            .index = first + i,
            .term = term,
            .type = (uint8_t)rng_below(&m->rng, 3),
            .data.len = len,
        };
    }
    if (m->batch_data.failed) {
        abort();
    }
    for (size_t i = 0, at = 0; i < n; i++) {
        m->batch[i].data.data = m->batch_data.data + at;
        at += m->batch[i].data.len;
    }
}

static void step_add(struct wal_model *m, const struct model_step *step)
{
    if (m->n_steps == m->steps_capacity) {
        m->steps_capacity = (m->steps_capacity + 8) * 2;
        m->steps = model_realloc(m->steps, m->steps_capacity * sizeof *m->steps);
    }
    m->steps[m->n_steps++] = *step;
    log_step(&m->now, step);
}

void wal_model_hard(struct wal_model *m, const struct wal_hard_state *hard)
{
    step_add(m, &(struct model_step){.type = MODEL_HARD, .hard = *hard});
}

void wal_model_appended(struct wal_model *m)
{
    for (size_t i = 0; i < m->n_batch; i++) {
        step_add(m, &(struct model_step){
                        .type = MODEL_ENTRY,
                        .index = m->batch[i].index,
                        .term = m->batch[i].term,
                        .sum = entry_sum(&m->batch[i]),
                    });
    }
}

void wal_model_reset(struct wal_model *m, uint64_t index, uint64_t term)
{
    step_add(m, &(struct model_step){.type = MODEL_RESET, .index = index, .term = term});
}

void wal_model_synced(struct wal_model *m)
{
    log_copy(&m->synced, &m->now);
    m->n_steps = 0;
}

void wal_model_trimmed(struct wal_model *m, uint64_t index)
{
    m->trimmed = index > m->trimmed ? index : m->trimmed;
}

/* --- what was found ------------------------------------------------------------------------- */

static int seen_entry(void *ctx, const struct wal_entry *entry)
{
    struct wal_model *m = ctx;

    if (!m->seen_any) {
        m->seen.base_index = entry->index - 1;
        m->seen.last_index = entry->index - 1;
        m->seen_any = true;
    }
    if (entry->index != m->seen.last_index + 1) {
        model_wrong(m, "entries are not delivered one after the other");
    }
    log_push(&m->seen, entry->index, entry->term, entry_sum(entry));
    return 0;
}

int wal_model_open(struct wal_model *m,
                   const struct wal_options *options,
                   struct wal_recovered *ret_recovered,
                   struct wal **ret_wal,
                   struct kvs_error *ret_error)
{
    struct wal_options mine = *options;

    m->seen_any = false;
    m->seen.base_index = 0;
    m->seen.last_index = 0;
    mine.on_entry = seen_entry;
    mine.ctx = m;
    return wal_open(&mine, ret_recovered, ret_wal, ret_error);
}

/* Is what was delivered this log, perhaps without a first part that was trimmed? */
static bool seen_is(const struct wal_model *m, const struct model_log *l)
{
    const struct model_log *s = &m->seen;
    uint64_t trimmed = m->trimmed > l->base_index ? m->trimmed : l->base_index;

    if (memcmp(&s->hard, &l->hard, sizeof l->hard) != 0 || s->last_index != l->last_index ||
        s->base_index < l->base_index || s->base_index > trimmed) {
        return false;
    }
    for (uint64_t i = s->base_index + 1; i <= s->last_index; i++) {
        const struct model_entry *a = &s->entries[i - s->base_index - 1];
        const struct model_entry *b = &l->entries[i - l->base_index - 1];

        if (a->term != b->term || a->sum != b->sum) {
            return false;
        }
    }
    return s->base_term == 0 || s->base_term == log_term(l, s->base_index);
}

/* The longest first part of the steps that gives what was seen; SIZE_MAX: none does. */
static size_t seen_steps(struct wal_model *m)
{
    struct model_log log = {0};
    size_t found = SIZE_MAX;

    log_copy(&log, &m->synced);
    for (size_t i = 0; i <= m->n_steps; i++) {
        if (seen_is(m, &log)) {
            found = i;
        }
        if (i < m->n_steps) {
            log_step(&log, &m->steps[i]);
        }
    }
    free(log.entries);
    return found;
}

static size_t seen_check(struct wal_model *m, const struct wal_recovered *r)
{
    size_t steps;

    if (!m->seen_any) {
        m->seen.base_index = r->base_index;
        m->seen.last_index = r->base_index;
    }
    if (m->seen.base_index != r->base_index || m->seen.last_index != r->last_index) {
        model_wrong(m, "delivered entries and reported range differ");
    }
    m->seen.hard = r->hard;
    m->seen.base_term = r->base_term;
    steps = seen_steps(m);
    if (steps == SIZE_MAX) {
        model_wrong(m, "recovered what was never there, or lost what was synced");
    }
    return steps;
}

void wal_model_check(struct wal_model *m, const struct wal_recovered *r)
{
    size_t steps = seen_check(m, r);

    /* The model keeps entries that were trimmed: they may come back with their file. */
    for (size_t i = 0; i < steps; i++) {
        log_step(&m->synced, &m->steps[i]);
    }
    m->n_steps = 0;
    log_copy(&m->now, &m->synced);
}

size_t wal_model_check_any(struct wal_model *m, const struct wal_recovered *r)
{
    return seen_check(m, r);
}

/* --- random use ----------------------------------------------------------------------------- */

static int call_append(struct wal_model *m, struct wal *w)
{
    struct wal_hard_state hard = m->now.hard;
    uint64_t low = m->trimmed > m->now.base_index ? m->trimmed : m->now.base_index;
    uint64_t first = m->now.last_index + 1;
    size_t n = (size_t)rng_below(&m->rng, 8);
    size_t bytes_max = rng_percent(&m->rng, 3) ? 150000 : 600;
    bool with_hard = n == 0 || rng_percent(&m->rng, 20);

    if (rng_percent(&m->rng, 8)) {
        first = rng_between(&m->rng, low + 1, m->now.last_index + 1);
    }
    wal_model_batch(m, first, n, bytes_max);
    if (with_hard) {
        hard.term += rng_below(&m->rng, 2);
        hard.vote = rng_below(&m->rng, 5);
        hard.commit = m->trimmed;
        wal_model_hard(m, &hard);
    }
    wal_model_appended(m);
    return wal_append(w, with_hard ? &hard : NULL, m->batch, n);
}

static int call_reset(struct wal_model *m, struct wal *w)
{
    uint64_t low = m->trimmed > m->now.last_index ? m->trimmed : m->now.last_index;
    uint64_t index = low + rng_below(&m->rng, 20);
    uint64_t term = log_term(&m->now, m->now.last_index) + 1;

    wal_model_reset(m, index, term);
    wal_model_trimmed(m, index);
    return wal_reset(w, index, term);
}

static int call_sync(struct wal_model *m, struct wal *w)
{
    int rv = wal_sync(w);

    if (rv == 0) {
        wal_model_synced(m);
    }
    return rv;
}

static int call_trim(struct wal_model *m, struct wal *w)
{
    uint64_t low = m->trimmed > m->synced.base_index ? m->trimmed : m->synced.base_index;
    uint64_t index;

    if (m->n_steps > 0 || low > m->synced.last_index) {
        return 0;
    }
    index = rng_between(&m->rng, low, m->synced.last_index);
    wal_model_trimmed(m, index);
    return wal_trim(w, index);
}

int wal_model_random_call(struct wal_model *m, struct wal *w)
{
    uint64_t dice = rng_below(&m->rng, 100);
    bool more;

    /* A reset was lost with the power; its snapshot was not. */
    if (m->trimmed > m->now.last_index) {
        return call_reset(m, w);
    }
    if (dice < 50) {
        return call_append(m, w);
    }
    if (dice < 75) {
        return call_sync(m, w);
    }
    if (dice < 80) {
        return wal_write(w);
    }
    if (dice < 90) {
        return wal_prepare(w, &more);
    }
    if (dice < 94) {
        return wal_mark(w);
    }
    if (dice < 99) {
        return call_trim(m, w);
    }
    return call_reset(m, w);
}

uint64_t wal_model_seed(const char *test)
{
    const char *text = getenv("KVS_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : clock_ns(clock_system());

    (void)printf("%s: KVS_SEED=%llu\n", test, (unsigned long long)seed);
    (void)fflush(stdout);
    return seed;
}
