#include "replica/wal_state.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

void wal_state_init(struct wal_state *s)
{
    memset(s, 0, sizeof *s);
}

void wal_state_fini(struct wal_state *s)
{
    kvs_free(s->runs);
    memset(s, 0, sizeof *s);
}

int wal_state_reserve(struct wal_state *s, size_t more)
{
    size_t capacity = s->capacity < 8 ? 8 : s->capacity;
    struct wal_run *runs;

    if (more <= s->capacity - s->n_runs) {
        return 0;
    }
    while (capacity - s->n_runs < more) {
        capacity *= 2;
    }
    runs = kvs_realloc(s->runs, capacity * sizeof *runs);
    if (runs == NULL) {
        return KVS_E_NOMEM;
    }
    s->runs = runs;
    s->capacity = capacity;
    return 0;
}

void wal_state_reset(struct wal_state *s, uint64_t index, uint64_t term)
{
    s->base_index = index;
    s->base_term = term;
    s->last_index = index;
    s->n_runs = 0;
}

void wal_state_truncate(struct wal_state *s, uint64_t index)
{
    kvs_assert(index >= s->base_index && index <= s->last_index);
    while (s->n_runs > 0 && s->runs[s->n_runs - 1].index > index) {
        s->n_runs--;
    }
    s->last_index = index;
}

void wal_state_push(struct wal_state *s, uint64_t term)
{
    s->last_index++;
    if (s->n_runs > 0 && s->runs[s->n_runs - 1].term == term) {
        return;
    }
    kvs_assert(s->n_runs < s->capacity);
    s->runs[s->n_runs++] = (struct wal_run){s->last_index, term};
}

void wal_state_trim(struct wal_state *s, uint64_t index)
{
    size_t drop = 0;
    uint64_t term = 0;

    kvs_assert(index >= s->base_index && index <= s->last_index);
    if (!wal_state_term(s, index, &term)) {
        term = 0;
    }
    /* The run that `index` + 1 belongs to becomes the first. */
    while (drop < s->n_runs &&
           (drop + 1 < s->n_runs ? s->runs[drop + 1].index - 1 : s->last_index) <= index) {
        drop++;
    }
    if (drop > 0) {
        memmove(s->runs, s->runs + drop, (s->n_runs - drop) * sizeof *s->runs);
        s->n_runs -= drop;
    }
    if (s->n_runs > 0 && s->runs[0].index <= index) {
        s->runs[0].index = index + 1;
    }
    s->base_index = index;
    s->base_term = term;
}

bool wal_state_term(const struct wal_state *s, uint64_t index, uint64_t *ret_term)
{
    size_t low = 0;
    size_t high = s->n_runs;

    if (index == s->base_index) {
        *ret_term = s->base_term;
        return index == 0 || s->base_term != 0;
    }
    if (index < s->base_index || index > s->last_index) {
        return false;
    }
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;

        if (s->runs[mid].index <= index) {
            low = mid;
        } else {
            high = mid;
        }
    }
    *ret_term = s->runs[low].term;
    return true;
}

uint64_t wal_state_last_term(const struct wal_state *s)
{
    return s->n_runs > 0 ? s->runs[s->n_runs - 1].term : s->base_term;
}

void wal_state_check(const struct wal_state *s)
{
    kvs_assert(s->base_index <= s->last_index);
    kvs_assert((s->n_runs == 0) == (s->base_index == s->last_index));
    for (size_t i = 0; i < s->n_runs; i++) {
        uint64_t before = i > 0 ? s->runs[i - 1].index : s->base_index;
        uint64_t term = i > 0 ? s->runs[i - 1].term : s->base_term;

        kvs_assert(s->runs[i].index > before && s->runs[i].index <= s->last_index);
        kvs_assert(i > 0 ? s->runs[i].term > term : s->runs[i].term >= term);
    }
    kvs_assert(s->n_runs == 0 || s->runs[0].index == s->base_index + 1);
}
